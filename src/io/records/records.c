/* The handle, and what all tables need. */
#include "io/records/records_internal.h"

#include <stdlib.h>
#include <string.h>

tl_err tl_records_open(tl_records **out, const tl_sql_options *options, tl_records_mode mode,
                       tl_errctx *ctx)
{
    tl_records *records = calloc(1, sizeof *records);
    if (records == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a database handle");
    }
    tl_err err = tl_sql_open(&records->sql, options, ctx);
    size_t count;
    const tl_sql_migration *schema = tl__records_schema(&count);
    if (err == TL_OK && mode == TL_RECORDS_USE) {
        size_t applied;
        err = tl_sql_migrate(records->sql, &applied, schema, count, ctx);
    } else if (err == TL_OK && mode == TL_RECORDS_STRICT) {
        err = tl_sql_check_schema(records->sql, schema, count, ctx);
    }
    if (err != TL_OK) {
        tl_records_close(records);
        return err;
    }
    *out = records;
    return TL_OK;
}

void tl_records_close(tl_records *records)
{
    if (records != NULL) {
        tl_sql_close(records->sql);
        free(records);
    }
}

tl_sql *tl_records_sql(tl_records *records)
{
    return records->sql;
}

tl_err tl_records_steps(tl_records *records, const tl_sql_step **out, size_t *count,
                        tl_arena *arena, tl_errctx *ctx)
{
    size_t known;
    const tl_sql_migration *schema = tl__records_schema(&known);
    return tl_sql_steps(records->sql, out, count, schema, known, arena, ctx);
}

tl_err tl_records_migrate(tl_records *records, size_t *applied, tl_errctx *ctx)
{
    size_t known;
    const tl_sql_migration *schema = tl__records_schema(&known);
    return tl_sql_migrate(records->sql, applied, schema, known, ctx);
}

/* --- what all tables need --- */

void tl__put_text(tl_sql_stmt *s, tl_str text)
{
    if (text.len > TL_RECORDS_TEXT_MAX) {
        tl_errctx why = TL_ERRCTX_INIT;
        tl_sql_fail(s,
                    tl_fail(&why, TL_ERR_LIMIT, "cannot %s: a text of %zu bytes, above %zu",
                            s->what, text.len, TL_RECORDS_TEXT_MAX),
                    &why);
    }
    tl_sql_put_str(s, text);
}

void tl__put_key(tl_sql_stmt *s, const tl_hotkey *key)
{
    tl_sql_put_bytes(s, (tl_bytes){key->b, sizeof key->b});
}

void tl__put_rao(tl_sql_stmt *s, tl_rao amount)
{
    tl_sql_put_i64(s, tl_rao_to_i64(amount));
}

void tl__get_key(tl_sql_stmt *s, tl_hotkey *out, int column)
{
    tl_hash32 bytes = {{0}};
    tl_sql_get_hash(s, &bytes, column);
    memcpy(out->b, bytes.b, sizeof out->b);
}

tl_rao tl__get_rao(tl_sql_stmt *s, int column)
{
    return tl_rao_from_i64(tl_sql_get_i64(s, column));
}

uint32_t tl__get_u32(tl_sql_stmt *s, int column)
{
    const uint64_t value = tl_sql_get_u64(s, column);
    if (value > UINT32_MAX) {
        tl_errctx why = TL_ERRCTX_INIT;
        tl_sql_fail(s, tl_fail(&why, TL_ERR_CORRUPT, "cannot %s: a number above 2^32", s->what),
                    &why);
        return 0;
    }
    return (uint32_t)value;
}

void *tl__push(tl_vec *rows, tl_sql_stmt *s)
{
    tl_errctx why = TL_ERRCTX_INIT;
    if (rows->count >= TL_SQL_ROWS_MAX) {
        tl_sql_fail(
            s,
            tl_fail(&why, TL_ERR_LIMIT, "cannot %s: more than %zu rows", s->what, TL_SQL_ROWS_MAX),
            &why);
        return NULL;
    }
    void *row = tl_vec_push(rows);
    if (row == NULL) {
        tl_sql_fail(s, tl_arena_fail(rows->arena, &why), &why);
    }
    return row;
}

tl_err tl__check_limit(size_t limit, tl_errctx *ctx)
{
    if (limit < 1 || limit > TL_RECORDS_PAGE_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "limit", "limit is %zu, not 1 to %zu", limit,
                             TL_RECORDS_PAGE_MAX);
    }
    return TL_OK;
}

tl_err tl__end_count(tl_sql_stmt *s, uint64_t *out, tl_errctx *ctx)
{
    uint64_t value = 0;
    if (tl_sql_row(s)) {
        value = tl_sql_get_u64(s, 0);
    }
    TL_TRY(tl_sql_end(s, NULL, ctx));
    *out = value;
    return TL_OK;
}

tl_err tl__missing(const char *what, tl_str name, tl_errctx *ctx)
{
    return tl_fail(ctx, TL_ERR_NOT_FOUND, "no %s \"%.*s\"", what, TL_STR_ARG(name));
}

tl_epoch_state tl__get_state(tl_sql_stmt *s, int column)
{
    tl_epoch_state state = TL_EPOCH_PENDING;
    const tl_bytes word = tl_sql_borrow(s, column);
    if (s->err == TL_OK &&
        !tl_epoch_state_parse(&state, (tl_str){(const char *)word.ptr, word.len})) {
        tl_errctx why = TL_ERRCTX_INIT;
        tl_sql_fail(s,
                    tl_fail(&why, TL_ERR_CORRUPT, "cannot %s: \"%.*s\" is no state", s->what,
                            (int)word.len, (const char *)word.ptr),
                    &why);
    }
    return state;
}

tl_err tl__read_window(tl_sql *sql, tl__window *out, tl_str epoch_id, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read an epoch",
                   "SELECT state, round, deadline_ms, CASE WHEN beacon = '' THEN 0 ELSE 1 END,"
                   " evidence_closed_ms, commits_closed_ms, results_closed_ms"
                   " FROM epochs WHERE id = ? {FOR SHARE}");
    tl__put_text(&s, epoch_id);
    const bool is_there = tl_sql_row(&s);
    if (is_there) {
        out->state = tl__get_state(&s, 0);
        out->round = tl__get_u32(&s, 1);
        out->deadline_ms = tl_sql_get_i64(&s, 2);
        out->has_beacon = tl_sql_get_bool(&s, 3);
        out->is_evidence_closed = tl_sql_get_bool(&s, 4);
        out->are_commits_closed = tl_sql_get_bool(&s, 5);
        out->are_results_closed = tl_sql_get_bool(&s, 6);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    return is_there ? TL_OK : tl__missing("epoch", epoch_id, ctx);
}
