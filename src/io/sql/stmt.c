/* Statements: put values, walk rows, end. The first error sticks. */
#include "io/sql/sql_internal.h"

#include <string.h>

void tl_sql_prepare(tl_sql_stmt *s, tl_sql *sql, const char *what, const char *text)
{
    TL_ASSERT(!sql->is_stmt_open);
    memset(s, 0, sizeof *s);
    s->sql = sql;
    s->what = what;
    sql->is_stmt_open = true;
    if (sql->in_transaction && sql->failed != TL_OK) { /* SQL-2 */
        s->err = sql->failed;
        s->why = sql->failure;
        return;
    }
    if (!sql->in_transaction) {
        s->err = sql->backend->ready(sql, &s->why);
    }
    if (s->err == TL_OK) {
        sql->backend->prepare(s, text);
    }
}

void tl_sql_fail(tl_sql_stmt *s, tl_err err, const tl_errctx *why)
{
    if (s->err == TL_OK && err != TL_OK) {
        s->err = err;
        s->why = *why;
    }
}

void tl_sql_put_i64(tl_sql_stmt *s, int64_t value)
{
    if (s->err == TL_OK) {
        s->sql->backend->put_i64(s, s->put_count++, value);
    }
}

void tl_sql_put_u64(tl_sql_stmt *s, uint64_t value)
{
    if (value > INT64_MAX && s->err == TL_OK) {
        s->err = tl_fail(&s->why, TL_ERR_RANGE, "cannot %s: %llu is above 2^63 - 1", s->what,
                         (unsigned long long)value);
    }
    tl_sql_put_i64(s, (int64_t)value);
}

void tl_sql_put_bool(tl_sql_stmt *s, bool value)
{
    tl_sql_put_i64(s, value ? 1 : 0);
}

static void check_size(tl_sql_stmt *s, size_t len)
{
    if (len > TL_SQL_VALUE_MAX && s->err == TL_OK) {
        s->err = tl_fail(&s->why, TL_ERR_LIMIT, "cannot %s: %zu bytes, above %zu", s->what, len,
                         TL_SQL_VALUE_MAX);
    }
}

void tl_sql_put_str(tl_sql_stmt *s, tl_str value)
{
    check_size(s, value.len);
    if (s->err == TL_OK && value.len > 0 &&
        (memchr(value.ptr, 0, value.len) != NULL || !tl_str_is_utf8(value))) {
        s->err =
            tl_fail(&s->why, TL_ERR_ENCODING, "cannot %s: a text is no UTF-8 without NUL", s->what);
    }
    if (s->err == TL_OK) {
        s->sql->backend->put_text(s, s->put_count++,
                                  (tl_str){value.ptr != NULL ? value.ptr : "", value.len});
    }
}

void tl_sql_put_bytes(tl_sql_stmt *s, tl_bytes value)
{
    static const uint8_t none[1] = {0};
    check_size(s, value.len);
    if (s->err == TL_OK) { /* empty bytes are no NULL */
        s->sql->backend->put_blob(s, s->put_count++,
                                  (tl_bytes){value.ptr != NULL ? value.ptr : none, value.len});
    }
}

void tl_sql_put_hash(tl_sql_stmt *s, const tl_hash32 *value)
{
    tl_sql_put_bytes(s, (tl_bytes){value->b, sizeof value->b});
}

void tl_sql_put_null(tl_sql_stmt *s)
{
    if (s->err == TL_OK) {
        s->sql->backend->put_null(s, s->put_count++);
    }
}

bool tl_sql_row(tl_sql_stmt *s)
{
    if (s->err != TL_OK) {
        return false;
    }
    const bool is_there = s->sql->backend->row(s);
    s->is_run = true;
    return is_there && s->err == TL_OK;
}

static void fail_column(tl_sql_stmt *s, int column, const char *wrong)
{
    if (s->err == TL_OK) {
        s->err =
            tl_fail_field(&s->why, TL_ERR_CORRUPT, s->sql->name, "cannot %s: %s in \"%s\" %s",
                          s->what, s->sql->backend->column_name(s, column), s->sql->name, wrong);
    }
}

bool tl_sql_is_null(tl_sql_stmt *s, int column)
{
    return s->err != TL_OK || s->sql->backend->is_null(s, column);
}

int64_t tl_sql_get_i64(tl_sql_stmt *s, int column)
{
    int64_t value = 0;
    if (s->err == TL_OK && !s->sql->backend->get_i64(s, column, &value)) {
        fail_column(s, column, "is no integer");
        return 0;
    }
    return value;
}

uint64_t tl_sql_get_u64(tl_sql_stmt *s, int column)
{
    const int64_t value = tl_sql_get_i64(s, column);
    if (value < 0) {
        fail_column(s, column, "is below 0");
        return 0;
    }
    return (uint64_t)value;
}

bool tl_sql_get_bool(tl_sql_stmt *s, int column)
{
    return tl_sql_get_i64(s, column) != 0;
}

tl_bytes tl_sql_borrow(tl_sql_stmt *s, int column)
{
    tl_bytes value = {NULL, 0};
    if (s->err == TL_OK && !s->sql->backend->get_bytes(s, column, &value)) {
        fail_column(s, column, "is neither text nor bytes");
    }
    return value;
}

void tl_sql_get_str(tl_sql_stmt *s, tl_str *out, int column, tl_arena *arena)
{
    const tl_bytes value = tl_sql_borrow(s, column);
    if (s->err == TL_OK) {
        s->err = tl_str_copy(out, arena, (tl_str){(const char *)value.ptr, value.len}, &s->why);
    }
}

void tl_sql_get_bytes(tl_sql_stmt *s, tl_bytes *out, int column, tl_arena *arena)
{
    tl_str copy = {NULL, 0};
    tl_sql_get_str(s, &copy, column, arena);
    *out = tl_str_bytes(copy);
}

void tl_sql_get_hash(tl_sql_stmt *s, tl_hash32 *out, int column)
{
    const tl_bytes value = tl_sql_borrow(s, column);
    if (s->err == TL_OK && value.len != sizeof out->b) {
        fail_column(s, column, "has not 32 bytes");
    }
    if (s->err == TL_OK) {
        memcpy(out->b, value.ptr, sizeof out->b);
    }
}

tl_err tl_sql_end(tl_sql_stmt *s, uint64_t *changed, tl_errctx *ctx)
{
    tl_sql *sql = s->sql;
    if (!s->is_run) {
        (void)tl_sql_row(s);
    }
    uint64_t rows = 0;
    if (s->prepared != NULL) {
        rows = sql->backend->end(s);
        s->prepared = NULL;
    }
    sql->is_stmt_open = false;
    if (s->err != TL_OK) {
        if (sql->in_transaction && sql->failed == TL_OK) { /* SQL-2 */
            sql->failed = s->err;
            sql->failure = s->why;
        }
        if (ctx != NULL) {
            *ctx = s->why;
        }
        return s->err;
    }
    if (changed != NULL) {
        *changed = rows;
    }
    return TL_OK;
}
