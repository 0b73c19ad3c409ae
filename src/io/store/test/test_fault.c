/* Attacks the disk: the n-th write or sync fails, or the process dies there, for n = 1, 2, 3 … until all goes well.
 * After each: reopen, verify, and everything that was acknowledged is there, once and whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/store/store.h"
#include "io/store/test/fault_vfs.h"
#include "io/store/test/fixture.h"
#include "io/sys/sys.h"

enum { SUBMISSIONS = 6, POINTS_MAX = 400 };

/* Everything that a small epoch does to the store. *acked counts the submissions that were acknowledged. */
static tl_err work(tl_store *store, int ack_fd, size_t *acked)
{
    static const char body[3000] = "a body that needs a page of its own";
    for (uint8_t i = 0; i < SUBMISSIONS; i++) {
        tl_store_receipt receipt;
        tl_store_submission sub = tl_test_submission(i, "");
        sub.body = (tl_bytes){(const uint8_t *)body, sizeof body};
        TL_TRY(tl_store_keep(store, &receipt, &sub, NULL));
        assert_true(receipt.serial == (uint64_t)i + 1); /* STORE-4, also when it is kept again */
        *acked = (size_t)i + 1;
        if (ack_fd >= 0) { /* someone was told: from here on it may not be lost */
            assert_int_equal(write(ack_fd, "+", 1), 1);
        }
    }
    uint64_t entries;
    TL_TRY(tl_store_entry_count(store, &entries, NULL));
    if (entries > 0) {
        return TL_OK;
    }
    TL_TRY(tl_store_begin(store, NULL)); /* settled wholly or not at all */
    const tl_store_epoch epoch = {
        .id = TL_STR("e7"), .state = TL_STR("settled"), .opened_height = 1};
    tl_err err = tl_store_put_epoch(store, &epoch, NULL);
    for (uint64_t i = 0; i < 3 && err == TL_OK; i++) {
        tl_store_entry entry = {.serial = i, .body = {(const uint8_t *)body, sizeof body}};
        entry.hash.b[0] = (uint8_t)i;
        err = tl_store_append_entry(store, &entry, NULL);
    }
    if (err != TL_OK) {
        tl_store_rollback(store);
        return err;
    }
    return tl_store_commit(store, NULL);
}

static tl_err open_and_work(const char *dir, int ack_fd, size_t *acked)
{
    tl_store *store = NULL;
    TL_TRY(tl_store_open(&store, dir, TL_STORE_WRITE, NULL));
    const tl_err err = work(store, ack_fd, acked);
    const tl_err closed = tl_store_close(store, NULL);
    return err != TL_OK ? err : closed;
}

/* Reopen: sound, all that was acknowledged, and the settlement whole or absent. */
static void check_after_fault(const tl_test_store *f, size_t acked, size_t point)
{
    tl_store *store = NULL;
    const tl_str *findings = NULL;
    size_t found = 0;
    uint64_t kept = 0;
    uint64_t entries = 0;
    size_t epochs = 0;
    const tl_store_epoch *list = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_store_open(&store, f->dir, TL_STORE_WRITE, &why) != TL_OK) {
        fail_msg("after point %zu: %s", point, why.message);
    }
    assert_int_equal(tl_store_verify(store, &findings, &found, f->arena, NULL), TL_OK);
    assert_int_equal(found, 0);
    assert_int_equal(tl_store_submission_count(store, &kept, NULL), TL_OK);
    if (kept < acked || kept > SUBMISSIONS) { /* STORE-1 */
        fail_msg("after point %zu: %zu acknowledged, %zu kept", point, acked, (size_t)kept);
    }
    assert_int_equal(tl_store_entry_count(store, &entries, NULL), TL_OK);
    assert_int_equal(tl_store_epochs(store, &list, &epochs, f->arena, NULL), TL_OK);
    assert_true((entries == 0 && epochs == 0) || (entries == 3 && epochs == 1)); /* STORE-3 */
    assert_int_equal(tl_store_close(store, NULL), TL_OK);
    size_t again = 0;
    assert_int_equal(open_and_work(f->dir, -1, &again),
                     TL_OK); /* the retry of everyone is harmless */
    assert_int_equal(tl_store_open(&store, f->dir, TL_STORE_READ, NULL), TL_OK);
    assert_int_equal(tl_store_submission_count(store, &kept, NULL), TL_OK);
    assert_int_equal(tl_store_entry_count(store, &entries, NULL), TL_OK);
    assert_true(kept == SUBMISSIONS && entries == 3); /* STORE-2: nothing twice */
    assert_int_equal(tl_store_close(store, NULL), TL_OK);
}

/* The folder as if nothing had been. */
static void wipe(const tl_test_store *f)
{
    static const char *const names[] = {"tally.db", "tally.db-wal", "tally.db-shm",
                                        "tally.db-journal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *path = NULL;
        assert_int_equal(tl_sys_join(&path, f->arena, f->dir, names[i], NULL), TL_OK);
        (void)unlink(path);
    }
}

static void the_nth_write_or_sync_fails(void **state)
{
    tl_test_store *f = *state;
    tl_fault *fault = tl_fault_install();
    assert_int_equal(tl_store_close(f->store, NULL), TL_OK);
    f->store = NULL;
    size_t failed = 0;
    for (size_t n = 1;; n++) {
        assert_true(n < POINTS_MAX);
        wipe(f);
        *fault = (tl_fault){.at = n};
        size_t acked = 0;
        const tl_err err = open_and_work(f->dir, -1, &acked);
        const bool was_due = fault->count >= n;
        fault->at = 0;
        assert_true(err == TL_OK || err == TL_ERR_IO);
        failed += err != TL_OK;
        check_after_fault(f, acked, n);
        if (!was_due) {
            break;
        }
    }
    assert_true(failed >= 30); /* the faults were where it hurts */
}

/* A child that dies at its n-th operation; how many submissions it acknowledged before. */
static size_t die_at(const tl_test_store *f, tl_fault *fault, size_t n, bool is_torn, bool *died)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        *fault = (tl_fault){.at = n, .is_deadly = true, .is_torn = is_torn};
        size_t acked = 0;
        _exit(open_and_work(f->dir, ends[1], &acked) == TL_OK ? 0 : 1);
    }
    (void)close(ends[1]);
    size_t acked = 0;
    char c;
    while (read(ends[0], &c, 1) == 1) {
        acked++;
    }
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == TL_FAULT_EXIT);
    *died = WEXITSTATUS(status) == TL_FAULT_EXIT;
    return acked;
}

static void nothing_acknowledged_is_lost_when_the_process_dies_anywhere(void **state)
{
    tl_test_store *f = *state;
    tl_fault *fault = tl_fault_install();
    assert_int_equal(tl_store_close(f->store, NULL), TL_OK);
    f->store = NULL;
    size_t deaths = 0;
    bool died = true;
    for (size_t n = 1; died; n++) {
        assert_true(n < POINTS_MAX);
        wipe(f);
        const size_t acked = die_at(f, fault, n, n % 2 == 0, &died);
        assert_int_equal(fault->at, 0);
        check_after_fault(f, acked, n);
        deaths += died;
    }
    assert_true(deaths >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_STORE_TEST(the_nth_write_or_sync_fails),
        TL_STORE_TEST(nothing_acknowledged_is_lost_when_the_process_dies_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
