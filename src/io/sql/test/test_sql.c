/* Attacks the interface on both databases alike: values at the edge, wrong types, constraints, transactions that fail in
 * the middle, writers in each other's way, limits of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/sql/test/worlds.h"

#include <pthread.h>

static const char *blob_of(const tl_sql_world *world)
{
    return world->kind == TL_SQL_SQLITE ? "BLOB" : "BYTEA";
}

/* A table of one row a kind of value. */
static tl_sql *open_with_table(const tl_sql_world *world)
{
    tl_sql *sql = tl_sql_world_open(world);
    char text[512];
    tl_str_print(text, sizeof text,
                 "CREATE TABLE parent (id BIGINT PRIMARY KEY);"
                 "CREATE TABLE t (id BIGINT PRIMARY KEY, word TEXT %s UNIQUE, bytes %s,"
                 " amount BIGINT CHECK (amount >= 0), parent BIGINT REFERENCES parent (id))",
                 world->kind == TL_SQL_POSTGRES ? "COLLATE \"C\"" : "", blob_of(world));
    tl_sql_world_exec(sql, text);
    return sql;
}

static tl_err put_word(tl_sql *sql, int64_t id, tl_str word)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "put a word", "INSERT INTO t (id, word) VALUES (?, ?)");
    tl_sql_put_i64(&s, id);
    tl_sql_put_str(&s, word);
    return tl_sql_end(&s, NULL, NULL);
}

static tl_err put_amount(tl_sql *sql, int64_t id, int64_t amount)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "put an amount", "INSERT INTO t (id, amount) VALUES (?, ?)");
    tl_sql_put_i64(&s, id);
    tl_sql_put_i64(&s, amount);
    return tl_sql_end(&s, NULL, NULL);
}

static void values_come_back_as_they_went_in(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = open_with_table(world);
    const int64_t numbers[] = {INT64_MIN, -1, 0, 255, INT64_MAX};
    const uint8_t bytes[] = {0, 1, 0, 255, '\'', '\\', '?'};
    for (size_t i = 0; i < 5; i++) {
        tl_sql_stmt s;
        tl_sql_prepare(&s, sql, "write",
                       "INSERT INTO t (id, word, bytes, parent) VALUES (?,?,?,?)");
        tl_sql_put_i64(&s, numbers[i]);
        tl_sql_put_str(&s,
                       i == 0 ? TL_STR("") : tl_str_slice(TL_STR("\xc3\xa9?'\"$1{x}"), 0, 2 + i));
        tl_sql_put_bytes(&s, (tl_bytes){bytes, i});
        tl_sql_put_null(&s);
        assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_OK);
    }
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read", "SELECT id, word, bytes, parent FROM t ORDER BY id");
    for (size_t i = 0; i < 5; i++) {
        assert_true(tl_sql_row(&s));
        assert_int_equal(tl_sql_get_i64(&s, 0), numbers[i]);
        tl_str word = {NULL, 0};
        tl_bytes got = {NULL, 0};
        tl_sql_get_str(&s, &word, 1, world->arena);
        tl_sql_get_bytes(&s, &got, 2, world->arena);
        assert_int_equal(word.len, i == 0 ? 0 : 2 + i);
        assert_memory_equal(word.ptr, "\xc3\xa9?'\"$1{x}", word.len);
        assert_int_equal(got.len, i);
        assert_memory_equal(got.ptr != NULL ? got.ptr : bytes, bytes, i);
        assert_false(tl_sql_is_null(&s, 2)); /* empty bytes are no NULL */
        assert_true(tl_sql_is_null(&s, 3));
    }
    assert_false(tl_sql_row(&s));
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_OK);
    tl_sql_close(sql);
}

static tl_err read_wrongly(tl_sql *sql, int what)
{
    tl_sql_stmt s;
    tl_hash32 hash;
    tl_sql_prepare(&s, sql, "read", "SELECT id, word, bytes, parent, amount FROM t");
    assert_true(tl_sql_row(&s));
    switch (what) {
    case 0:
        (void)tl_sql_get_i64(&s, 1);
        break;
    case 1:
        (void)tl_sql_borrow(&s, 0);
        break;
    case 2:
        (void)tl_sql_get_i64(&s, 3);
        break;
    case 3:
        tl_sql_get_hash(&s, &hash, 2);
        break;
    default:
        (void)tl_sql_get_u64(&s, 0);
        break;
    }
    return tl_sql_end(&s, NULL, NULL);
}

static void a_column_of_another_kind_is_corrupt(void **state)
{
    tl_sql *sql = open_with_table(*state);
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "write", "INSERT INTO t (id, word, bytes) VALUES (-5, 'w', ?)");
    tl_sql_put_bytes(&s, (tl_bytes){(const uint8_t *)"31 bytes are not enough for it!", 31});
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_OK);
    for (int what = 0; what < 5; what++) {
        assert_int_equal(read_wrongly(sql, what), TL_ERR_CORRUPT);
    }
    tl_sql_prepare(&s, sql, "read", "SELECT nothing FROM nowhere");
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_ERR_CORRUPT);
    tl_sql_close(sql);
}

static void constraints_have_codes(void **state)
{
    tl_sql *sql = open_with_table(*state);
    assert_int_equal(put_word(sql, 1, TL_STR("a")), TL_OK);
    assert_int_equal(put_word(sql, 1, TL_STR("b")), TL_ERR_DUPLICATE);
    assert_int_equal(put_word(sql, 2, TL_STR("a")), TL_ERR_DUPLICATE);
    assert_int_equal(put_amount(sql, 3, -1), TL_ERR_STATE);
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "write", "INSERT INTO t (id, parent) VALUES (4, 77)");
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_ERR_STATE);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 1);
    tl_sql_close(sql);
}

static void text_that_is_none_is_refused(void **state)
{
    tl_sql *sql = open_with_table(*state);
    assert_int_equal(put_word(sql, 1, (tl_str){"a\0b", 3}), TL_ERR_ENCODING);
    assert_int_equal(put_word(sql, 1, TL_STR("\xff")), TL_ERR_ENCODING);
    assert_int_equal(put_word(sql, 1, TL_STR("\xed\xa0\x80")), TL_ERR_ENCODING);
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "write", "INSERT INTO t (id) VALUES (?)");
    tl_sql_put_u64(&s, (uint64_t)INT64_MAX + 1);
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 0);
    tl_sql_close(sql);
}

static void text_is_ordered_by_bytes(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = open_with_table(world);
    const char *const words[] = {"\xc3\xa4", "b", "B", "a", "Z", "-"};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(put_word(sql, (int64_t)i, tl_str_from_cstr(words[i])), TL_OK);
    }
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read", "SELECT word FROM t WHERE word > ? ORDER BY word");
    tl_sql_put_str(&s, TL_STR("B"));
    const char *const sorted[] = {"Z", "a", "b", "\xc3\xa4"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(tl_sql_row(&s));
        const tl_bytes word = tl_sql_borrow(&s, 0);
        assert_int_equal(word.len, strlen(sorted[i]));
        assert_memory_equal(word.ptr, sorted[i], word.len);
    }
    assert_false(tl_sql_row(&s));
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_OK);
    tl_sql_close(sql);
}

static void changed_rows_are_counted(void **state)
{
    tl_sql *sql = open_with_table(*state);
    uint64_t changed = 99;
    tl_sql_stmt s;
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(put_amount(sql, i, i), TL_OK);
    }
    tl_sql_prepare(&s, sql, "update", "UPDATE t SET amount = amount + 1 WHERE id < ?");
    tl_sql_put_i64(&s, 3);
    assert_int_equal(tl_sql_end(&s, &changed, NULL), TL_OK);
    assert_int_equal(changed, 3);
    tl_sql_prepare(&s, sql, "update", "UPDATE t SET amount = 0 WHERE id < ? RETURNING id");
    tl_sql_put_i64(&s, 4);
    assert_true(tl_sql_row(&s)); /* one row is read, all are changed */
    assert_int_equal(tl_sql_end(&s, &changed, NULL), TL_OK);
    assert_int_equal(changed, 4);
    tl_sql_prepare(&s, sql, "read", "SELECT id FROM t");
    assert_int_equal(tl_sql_end(&s, &changed, NULL), TL_OK);
    assert_int_equal(changed, 0);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t WHERE amount = 0"), 4);
    tl_sql_close(sql);
}

static void a_failed_statement_fails_its_transaction(void **state)
{
    tl_sql *sql = open_with_table(*state); /* SQL-2 */
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(tl_sql_begin(sql, NULL), TL_OK);
    assert_int_equal(put_word(sql, 1, TL_STR("a")), TL_OK);
    assert_int_equal(put_word(sql, 1, TL_STR("b")), TL_ERR_DUPLICATE);
    assert_int_equal(put_word(sql, 2, TL_STR("c")), TL_ERR_DUPLICATE); /* the first one's error */
    assert_int_equal(tl_sql_exec(sql, "SELECT 1", NULL), TL_ERR_DUPLICATE);
    assert_int_equal(tl_sql_commit(sql, &why), TL_ERR_DUPLICATE);
    assert_non_null(strstr(why.message, "put a word"));
    assert_false(tl_sql_is_in_transaction(sql));
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 0);
    assert_int_equal(tl_sql_begin(sql, NULL), TL_OK);
    assert_int_equal(put_word(sql, 1, TL_STR("a")), TL_OK);
    tl_sql_rollback(sql);
    tl_sql_rollback(sql);
    assert_int_equal(tl_sql_begin(sql, NULL), TL_OK);
    assert_int_equal(put_word(sql, 1, TL_STR("a")), TL_OK);
    assert_int_equal(tl_sql_commit(sql, NULL), TL_OK);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 1);
    tl_sql_close(sql);
}

static void a_closed_handle_rolls_back(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = open_with_table(world);
    assert_int_equal(tl_sql_begin(sql, NULL), TL_OK);
    assert_int_equal(put_word(sql, 1, TL_STR("a")), TL_OK);
    tl_sql_close(sql);
    sql = tl_sql_world_open(world);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 0);
    tl_sql_close(sql);
    tl_sql_close(NULL);
}

static void a_read_transaction_sees_one_moment(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = open_with_table(world);
    tl_sql *other = tl_sql_world_open(world);
    assert_int_equal(tl_sql_begin_read(sql, NULL), TL_OK);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 0);
    assert_int_equal(put_word(other, 1, TL_STR("a")), TL_OK);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 0);
    assert_int_equal(put_word(sql, 2, TL_STR("b")), TL_ERR_REFUSED);
    assert_int_equal(tl_sql_commit(sql, NULL), TL_ERR_REFUSED);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 1);
    tl_sql_close(other);
    tl_sql_close(sql);
}

static void a_read_only_handle_writes_nothing(void **state)
{
    tl_sql_world *world = *state;
    tl_sql *sql = open_with_table(world);
    world->options.is_read_only = true;
    tl_sql *reader = tl_sql_world_open(world);
    assert_int_equal(put_word(reader, 1, TL_STR("a")), TL_ERR_REFUSED);
    assert_int_equal(tl_sql_world_number(reader, "SELECT count(*) FROM t"), 0);
    tl_sql_close(reader);
    tl_sql_close(sql);
}

/* --- retries --- */

typedef struct attempts {
    int count;
    int fail_until;
    tl_err err;
} attempts;

static tl_err try_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    attempts *a = self;
    a->count++;
    TL_TRY(put_word(sql, a->count, TL_STR("tried")));
    return a->count < a->fail_until ? tl_fail(ctx, a->err, "not yet") : TL_OK;
}

static void only_locked_is_tried_again(void **state)
{
    tl_sql *sql = open_with_table(*state);
    attempts a = {0, 4, TL_ERR_LOCKED};
    assert_int_equal(tl_sql_transact(sql, try_body, &a, NULL), TL_OK);
    assert_int_equal(a.count, 4);
    assert_int_equal(tl_sql_world_number(sql, "SELECT id FROM t"),
                     4); /* the others were rolled back */
    attempts never = {10, 10000, TL_ERR_LOCKED};
    tl_sql_world_exec(sql, "DELETE FROM t");
    assert_int_equal(tl_sql_transact(sql, try_body, &never, NULL), TL_ERR_LOCKED);
    assert_int_equal(never.count, 20);
    attempts lost = {50, 10000, TL_ERR_IO}; /* SQL-3 */
    assert_int_equal(tl_sql_transact(sql, try_body, &lost, NULL), TL_ERR_IO);
    assert_int_equal(lost.count, 51);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM t"), 0);
    tl_sql_close(sql);
}

static void a_writer_in_the_way_is_locked(void **state)
{
    tl_sql_world *world = *state;
    tl_sql *sql = open_with_table(world);
    assert_int_equal(put_amount(sql, 1, 1), TL_OK);
    world->options.busy_ms = 60;
    tl_sql *other = tl_sql_world_open(world);
    assert_int_equal(tl_sql_begin(sql, NULL), TL_OK);
    tl_sql_world_exec(sql, "UPDATE t SET amount = 2 WHERE id = 1");
    tl_err err = tl_sql_begin(other, NULL);
    if (err == TL_OK) { /* the server locks rows, not the database */
        err = tl_sql_exec(other, "UPDATE t SET amount = 3 WHERE id = 1", NULL);
        tl_sql_rollback(other);
    }
    assert_int_equal(err, TL_ERR_LOCKED);
    assert_int_equal(tl_sql_commit(sql, NULL), TL_OK);
    tl_sql_world_exec(other, "UPDATE t SET amount = amount + 3 WHERE id = 1");
    assert_int_equal(tl_sql_world_number(sql, "SELECT amount FROM t"), 5);
    tl_sql_close(other);
    tl_sql_close(sql);
}

enum { THREADS = 6, ROUNDS = 40 };

typedef struct adder {
    const tl_sql_world *world;
    tl_err err;
} adder;

static tl_err add_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    (void)self;
    int64_t amount = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read", "SELECT amount FROM t WHERE id = 1 {FOR UPDATE}");
    if (tl_sql_row(&s)) {
        amount = tl_sql_get_i64(&s, 0);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    tl_sql_prepare(&s, sql, "write", "UPDATE t SET amount = ? WHERE id = 1");
    tl_sql_put_i64(&s, amount + 1);
    return tl_sql_end(&s, NULL, ctx);
}

static void *add_many(void *self)
{
    adder *a = self;
    tl_sql *sql = NULL;
    a->err = tl_sql_open(&sql, &a->world->options, NULL);
    for (int i = 0; i < ROUNDS && a->err == TL_OK; i++) {
        a->err = tl_sql_transact(sql, add_body, NULL, NULL);
    }
    tl_sql_close(sql);
    return NULL;
}

static void writers_on_many_threads_lose_nothing(void **state)
{
    tl_sql *sql = open_with_table(*state);
    assert_int_equal(put_amount(sql, 1, 0), TL_OK);
    pthread_t threads[THREADS];
    adder adders[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        adders[i] = (adder){*state, TL_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &adders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(adders[i].err, TL_OK);
    }
    assert_int_equal(tl_sql_world_number(sql, "SELECT amount FROM t"), THREADS * ROUNDS);
    tl_sql_close(sql);
}

/* --- limits --- */

static void a_statement_that_takes_too_long_ends(void **state)
{
    tl_sql_world *world = *state;
    world->options.statement_ms = 150;
    tl_sql *sql = open_with_table(world);
    tl_errctx why = TL_ERRCTX_INIT;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "count for ever",
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                   " SELECT count(*) FROM n");
    assert_false(tl_sql_row(&s));
    assert_int_equal(tl_sql_end(&s, NULL, &why), TL_ERR_IO);
    assert_non_null(strstr(why.message, "more than 150 ms"));
    assert_int_equal(tl_sql_ping(sql, NULL), TL_OK);
    tl_sql_close(sql);
}

static void more_texts_than_are_remembered(void **state)
{
    tl_sql *sql = open_with_table(*state);
    static char texts[300][32];
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 300; i++) {
            tl_str_print(texts[i], sizeof texts[i], "SELECT CAST(%d AS BIGINT)", i);
            assert_int_equal(tl_sql_world_number(sql, texts[i]), i);
        }
    }
    tl_str_print(texts[0], sizeof texts[0], "SELECT 7"); /* the text counts, not where it stands */
    assert_int_equal(tl_sql_world_number(sql, texts[0]), 7);
    tl_sql_close(sql);
}

static void large_values_and_no_larger(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = open_with_table(world);
    const size_t len = (size_t)3 << 20;
    uint8_t *bytes = tl_arena_alloc(world->arena, len, 1, 1);
    assert_non_null(bytes);
    bytes[len - 1] = 9;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "write", "INSERT INTO t (id, bytes) VALUES (1, ?)");
    tl_sql_put_bytes(&s, (tl_bytes){bytes, len});
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_OK);
    tl_sql_prepare(&s, sql, "read", "SELECT bytes FROM t WHERE id = 1");
    assert_true(tl_sql_row(&s));
    const tl_bytes back = tl_sql_borrow(&s, 0);
    assert_int_equal(back.len, len);
    assert_memory_equal(back.ptr, bytes, len);
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_OK);
    tl_sql_prepare(&s, sql, "write", "INSERT INTO t (id, bytes) VALUES (2, ?)");
    tl_sql_put_bytes(&s,
                     (tl_bytes){bytes, TL_SQL_VALUE_MAX + 1}); /* its length alone is looked at */
    assert_int_equal(tl_sql_end(&s, NULL, NULL), TL_ERR_LIMIT);
    tl_sql_close(sql);
}

/* --- opening --- */

static tl_err open_error(const tl_sql_options *options, tl_errctx *why)
{
    tl_sql *sql = NULL;
    const tl_err err = tl_sql_open(&sql, options, why);
    tl_sql_close(sql);
    return err;
}

static void a_password_in_a_url_is_refused(void **state)
{
    (void)state; /* SQL-4 */
    static const char *const urls[] = {
        "postgresql://user:hush@127.0.0.1:1/db", "postgresql://u@127.0.0.1:1/db?password=hush",
        "host=127.0.0.1 port=1 password=hush", "postgresql://h/db?sslpassword=hush"};
    for (size_t i = 0; i < 4; i++) {
        tl_errctx why = TL_ERRCTX_INIT;
        assert_int_equal(open_error(&(tl_sql_options){.url = urls[i]}, &why), TL_ERR_REFUSED);
        assert_null(strstr(why.message, "hush"));
        assert_non_null(strstr(why.hint, "PGPASSWORD"));
        assert_int_equal(tl_sql_check_url(urls[i], NULL), TL_ERR_REFUSED);
    }
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(tl_sql_check_url("postgresql://u:hush@[::1/db?no such=1", &why),
                     TL_ERR_SYNTAX);
    assert_null(strstr(why.message, "hush"));
    assert_int_equal(tl_sql_check_url("postgresql://u@h:5432/db?sslmode=require", NULL), TL_OK);
}

static void what_cannot_be_opened_says_why(void **state)
{
    const tl_sql_world *world = *state;
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(open_error(&(tl_sql_options){.path = NULL}, &why), TL_ERR_USAGE);
    assert_int_equal(open_error(&(tl_sql_options){.path = "a", .url = "b"}, &why), TL_ERR_USAGE);
    assert_int_equal(open_error(&(tl_sql_options){.path = world->path, .must_exist = true}, &why),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(open_error(&(tl_sql_options){.path = "/nowhere/at/all.db"}, &why), TL_ERR_IO);
    assert_int_equal(open_error(&(tl_sql_options){.url = "postgresql://u@127.0.0.1:1/db"}, &why),
                     TL_ERR_IO);
    assert_non_null(strstr(why.message, "postgresql://u@127.0.0.1:1/db"));
}

static void a_database_that_is_missing_is_not_found(void **state)
{
    const tl_sql_world *world = *state;
    char url[160];
    tl_str_print(url, sizeof url, "%sx", world->url);
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(open_error(&(tl_sql_options){.url = url}, &why), TL_ERR_IO);
    assert_non_null(strstr(why.message, "does not exist"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_ON_BOTH(values_come_back_as_they_went_in),
        TL_ON_BOTH(a_column_of_another_kind_is_corrupt),
        TL_ON_BOTH(constraints_have_codes),
        TL_ON_BOTH(text_that_is_none_is_refused),
        TL_ON_BOTH(text_is_ordered_by_bytes),
        TL_ON_BOTH(changed_rows_are_counted),
        TL_ON_BOTH(a_failed_statement_fails_its_transaction),
        TL_ON_BOTH(a_closed_handle_rolls_back),
        TL_ON_BOTH(a_read_transaction_sees_one_moment),
        TL_ON_BOTH(a_read_only_handle_writes_nothing),
        TL_ON_BOTH(only_locked_is_tried_again),
        TL_ON_BOTH(a_writer_in_the_way_is_locked),
        TL_ON_BOTH(writers_on_many_threads_lose_nothing),
        TL_ON_BOTH(a_statement_that_takes_too_long_ends),
        TL_ON_BOTH(more_texts_than_are_remembered),
        TL_ON_BOTH(large_values_and_no_larger),
        cmocka_unit_test(a_password_in_a_url_is_refused),
        TL_ON_SQLITE(what_cannot_be_opened_says_why),
        TL_ON_POSTGRES(a_database_that_is_missing_is_not_found),
    };
    return cmocka_run_group_tests_name("sql", tests, tl_sql_worlds_start, tl_sql_worlds_stop);
}
