/* Attacks databases that are older, newer, someone else's, tampered with, or no databases at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "io/store/store.h"
#include "io/store/test/fixture.h"
#include "io/sys/sys.h"

static const char *db_path(const tl_test_store *f)
{
    const char *path = NULL;
    assert_int_equal(tl_sys_join(&path, f->arena, f->dir, TL_STORE_FILE, NULL), TL_OK);
    return path;
}

/* Close the store and do to its file what no program of ours would. */
static void tamper(tl_test_store *f, const char *sql)
{
    assert_int_equal(tl_store_close(f->store, NULL), TL_OK);
    f->store = NULL;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(db_path(f), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_opens_with(const tl_test_store *f, tl_store_mode mode, tl_err want)
{
    tl_store *store = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_store_open(&store, f->dir, mode, &why) != want) {
        fail_msg("mode %d: %s", (int)mode, why.message);
    }
    assert_true(want == TL_OK || (store == NULL && strstr(why.message, TL_STORE_FILE) != NULL));
    assert_int_equal(tl_store_close(store, NULL), TL_OK);
}

static size_t findings_of(tl_test_store *f, const char *first)
{
    const tl_str *findings = NULL;
    size_t count = 0;
    tl_store *store = NULL;
    assert_int_equal(tl_store_open(&store, f->dir, TL_STORE_INSPECT, NULL), TL_OK);
    assert_int_equal(tl_store_verify(store, &findings, &count, f->arena, NULL), TL_OK);
    assert_int_equal(tl_store_close(store, NULL), TL_OK);
    if (count > 0 && (first == NULL || strstr(findings[0].ptr, first) == NULL)) {
        fail_msg("%s", findings[0].ptr);
    }
    return count;
}

static void a_new_store_is_whole_and_migrating_again_does_nothing(void **state)
{
    tl_test_store *f = *state;
    const tl_store_migration *rows = NULL;
    size_t count = 0;
    size_t applied = 9;
    assert_int_equal(tl_store_migrations(f->store, &rows, &count, f->arena, NULL), TL_OK);
    assert_true(count >= 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].state, TL_STORE_APPLIED);
        assert_int_equal(rows[i].number, i + 1);
        assert_int_equal(strlen(rows[i].checksum), 64);
    }
    assert_int_equal(tl_store_migrate(f->store, &applied, NULL), TL_OK);
    assert_int_equal(applied, 0);
    tl_test_reopen(f, TL_STORE_READ);
    assert_int_equal(findings_of(f, NULL), 0);
}

static void an_older_store_is_brought_forward_and_not_read_before(void **state)
{
    tl_test_store *f = *state;
    tamper(f, "DROP TABLE metadata; DELETE FROM migrations WHERE number = 4");
    assert_opens_with(f, TL_STORE_READ, TL_ERR_VERSION);
    assert_int_equal(findings_of(f, "migration 4 (metadata) is pending") > 0, 1);
    assert_opens_with(f, TL_STORE_WRITE, TL_OK);
    assert_opens_with(f, TL_STORE_READ, TL_OK);
    assert_int_equal(findings_of(f, NULL), 0);
}

static void a_newer_store_is_left_alone(void **state)
{
    tl_test_store *f = *state;
    tamper(f, "INSERT INTO migrations VALUES (99, 'future', 'x')");
    assert_opens_with(f, TL_STORE_READ, TL_ERR_VERSION);
    assert_opens_with(f, TL_STORE_WRITE, TL_ERR_VERSION); /* STORE-5 */
    assert_int_equal(findings_of(f, "migration 99 (future) is unknown"), 1);
}

static void changed_migrations_and_gaps_are_damage(void **state)
{
    tl_test_store *f = *state;
    tamper(f, "UPDATE migrations SET checksum = 'abc' WHERE number = 2");
    assert_opens_with(f, TL_STORE_WRITE, TL_ERR_CORRUPT); /* STORE-5 */
    assert_int_equal(findings_of(f, "migration 2 (submissions) is changed"), 1);
    assert_int_equal(tl_store_open(&f->store, f->dir, TL_STORE_INSPECT, NULL), TL_OK);
    tamper(f, "DELETE FROM migrations WHERE number = 2");
    assert_opens_with(f, TL_STORE_WRITE, TL_ERR_CORRUPT);
}

static void what_was_changed_behind_our_back_is_found(void **state)
{
    tl_test_store *f = *state;
    const tl_store_submission sub = tl_test_submission(1, "x");
    const tl_store_submission next = tl_test_submission(2, "y");
    tl_store_receipt receipt = {0, false};
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_int_equal(tl_store_keep(f->store, &receipt, &next, NULL), TL_OK);
    tamper(f, "DELETE FROM submissions WHERE serial = 1");
    assert_int_equal(findings_of(f, "1 serials are missing"), 1); /* STORE-4 */
    assert_int_equal(tl_store_open(&f->store, f->dir, TL_STORE_INSPECT, NULL), TL_OK);
    tamper(f, "INSERT INTO receipts VALUES (77, x'00')");
    assert_int_equal(findings_of(f, "foreign_key_check"), 1);
    assert_int_equal(tl_store_open(&f->store, f->dir, TL_STORE_INSPECT, NULL), TL_OK);
    tamper(f, "DROP TRIGGER ledger_entries_stay");
    assert_true(findings_of(f, "the schema is not what the migrations make") >= 1);
}

static void ledger_entries_neither_change_nor_go(void **state)
{
    tl_test_store *f = *state;
    const tl_store_entry entry = {.body = tl_str_bytes(TL_STR("b"))};
    assert_int_equal(tl_store_append_entry(f->store, &entry, NULL), TL_OK);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(db_path(f), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE ledger_entries SET body = x'01'", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT); /* STORE-4 */
    assert_int_equal(sqlite3_exec(db, "DELETE FROM ledger_entries", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void other_databases_and_other_files_are_refused(void **state)
{
    tl_test_store *f = *state;
    assert_int_equal(tl_store_close(f->store, NULL), TL_OK);
    f->store = NULL;
    assert_int_equal(unlink(db_path(f)), 0);
    assert_opens_with(f, TL_STORE_READ, TL_ERR_NOT_FOUND);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(db_path(f), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE theirs (x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_opens_with(f, TL_STORE_WRITE, TL_ERR_CORRUPT); /* STORE-5 */
    static char noise[8192];
    memset(noise, 'n', sizeof noise);
    assert_int_equal(
        tl_sys_write_file(db_path(f), tl_str_bytes((tl_str){noise, sizeof noise}), 0600, NULL),
        TL_OK);
    assert_opens_with(f, TL_STORE_WRITE, TL_ERR_CORRUPT);
    assert_opens_with(f, TL_STORE_READ, TL_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_STORE_TEST(a_new_store_is_whole_and_migrating_again_does_nothing),
        TL_STORE_TEST(an_older_store_is_brought_forward_and_not_read_before),
        TL_STORE_TEST(a_newer_store_is_left_alone),
        TL_STORE_TEST(changed_migrations_and_gaps_are_damage),
        TL_STORE_TEST(what_was_changed_behind_our_back_is_found),
        TL_STORE_TEST(ledger_entries_neither_change_nor_go),
        TL_STORE_TEST(other_databases_and_other_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
