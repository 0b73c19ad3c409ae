/* Handles and transactions, whatever the database. */
#include "io/sql/sql_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUSY_MS = 10000, STATEMENT_MS = 30000, CONNECT_MS = 5000, TRIES = 10, PAUSE_MAX_MS = 200 };

int64_t tl__sql_now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char *copy_text(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

tl_err tl_sql_open(tl_sql **out, const tl_sql_options *options, tl_errctx *ctx)
{
    if ((options->path != NULL) == (options->url != NULL)) {
        return tl_fail(ctx, TL_ERR_USAGE, "a database is either a file or a server");
    }
    tl_sql *sql = calloc(1, sizeof *sql);
    if (sql == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a database handle");
    }
    sql->kind = options->url != NULL ? TL_SQL_POSTGRES : TL_SQL_SQLITE;
    sql->backend = sql->kind == TL_SQL_POSTGRES ? &tl__postgres : &tl__sqlite;
    sql->options = *options;
    sql->options.path = copy_text(options->path);
    sql->options.url = copy_text(options->url);
    sql->options.busy_ms = options->busy_ms != 0 ? options->busy_ms : BUSY_MS;
    sql->options.statement_ms = options->statement_ms != 0 ? options->statement_ms : STATEMENT_MS;
    sql->options.connect_ms = options->connect_ms != 0 ? options->connect_ms : CONNECT_MS;
    sql->pause_seed = (uint64_t)tl__sql_now_ms() ^ (uint64_t)(uintptr_t)sql;
    tl_err err = TL_OK;
    if (sql->options.path == NULL && sql->options.url == NULL) {
        err = tl_fail(ctx, TL_ERR_NOMEM, "no memory for a database handle");
    } else {
        err = sql->backend->open(sql, ctx);
    }
    if (err != TL_OK) {
        tl_sql_close(sql);
        return err;
    }
    *out = sql;
    return TL_OK;
}

/* options.path and url are our own copies; their type is the caller's, const. */
static void free_text(const char *text)
{
    union {
        const char *given;
        void *ours;
    } u = {text};
    free(u.ours);
}

void tl_sql_close(tl_sql *sql)
{
    if (sql == NULL) {
        return;
    }
    tl_sql_rollback(sql);
    sql->backend->close(sql);
    free_text(sql->options.path);
    free_text(sql->options.url);
    free(sql->name);
    free(sql);
}

tl_sql_kind tl_sql_kind_of(const tl_sql *sql)
{
    return sql->kind;
}

const char *tl_sql_name(const tl_sql *sql)
{
    return sql->name;
}

tl_err tl_sql_ping(tl_sql *sql, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "ask the database", "SELECT 1");
    if (tl_sql_row(&s)) {
        (void)tl_sql_get_i64(&s, 0);
    }
    return tl_sql_end(&s, NULL, ctx);
}

/* --- transactions --- */

static tl_err begin(tl_sql *sql, bool is_read, tl_errctx *ctx)
{
    TL_ASSERT(!sql->in_transaction && !sql->is_stmt_open);
    TL_TRY(sql->backend->ready(sql, ctx));
    TL_TRY(sql->backend->begin(sql, is_read, ctx));
    sql->in_transaction = true;
    sql->is_read = is_read;
    sql->failed = TL_OK;
    return TL_OK;
}

tl_err tl_sql_begin(tl_sql *sql, tl_errctx *ctx)
{
    return begin(sql, false, ctx);
}

tl_err tl_sql_begin_read(tl_sql *sql, tl_errctx *ctx)
{
    return begin(sql, true, ctx);
}

tl_err tl_sql_commit(tl_sql *sql, tl_errctx *ctx)
{
    TL_ASSERT(sql->in_transaction && !sql->is_stmt_open);
    if (sql->failed != TL_OK) { /* SQL-2 */
        const tl_err err = sql->failed;
        if (ctx != NULL) {
            *ctx = sql->failure;
        }
        tl_sql_rollback(sql);
        return err;
    }
    const tl_err err = sql->backend->commit(sql, ctx); /* SQL-1: durable, or an error */
    sql->in_transaction = false;
    return err;
}

void tl_sql_rollback(tl_sql *sql)
{
    if (sql->in_transaction) {
        TL_ASSERT(!sql->is_stmt_open);
        sql->backend->rollback(sql);
        sql->in_transaction = false;
        sql->failed = TL_OK;
    }
}

bool tl_sql_is_in_transaction(const tl_sql *sql)
{
    return sql->in_transaction;
}

/* Half of a growing pause, and a random part of the other half: two that met do not meet again. */
static void pause_before(tl_sql *sql, unsigned tries)
{
    uint64_t ms = (uint64_t)2 << (tries < 8 ? tries : 8);
    ms = ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
    sql->pause_seed = sql->pause_seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    const uint64_t us = ms * 500 + (sql->pause_seed >> 33) % (ms * 500);
    struct timespec left = {0, (long)(us * 1000)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static tl_err try_once(tl_sql *sql, tl_sql_body body, void *self, tl_errctx *ctx)
{
    TL_TRY(tl_sql_begin(sql, ctx));
    const tl_err err = body(self, sql, ctx);
    if (err != TL_OK) {
        tl_sql_rollback(sql);
        return err;
    }
    return tl_sql_commit(sql, ctx);
}

tl_err tl_sql_transact(tl_sql *sql, tl_sql_body body, void *self, tl_errctx *ctx)
{
    if (sql->in_transaction) {
        return body(self, sql, ctx);
    }
    tl_err err = TL_OK;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        if (tries > 0) {
            pause_before(sql, tries);
            tl_errctx_reset(ctx);
        }
        err = try_once(sql, body, self, ctx);
        if (err != TL_ERR_LOCKED) { /* SQL-3: what may have been done is not done again */
            break;
        }
    }
    return err;
}

tl_err tl_sql_exec(tl_sql *sql, const char *text, tl_errctx *ctx)
{
    TL_ASSERT(!sql->is_stmt_open);
    if (sql->in_transaction && sql->failed != TL_OK) {
        if (ctx != NULL) {
            *ctx = sql->failure;
        }
        return sql->failed;
    }
    if (!sql->in_transaction) {
        TL_TRY(sql->backend->ready(sql, ctx));
    }
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = sql->backend->exec(sql, text, &why);
    if (err != TL_OK && sql->in_transaction) {
        sql->failed = err;
        sql->failure = why;
    }
    if (err != TL_OK && ctx != NULL) {
        *ctx = why;
    }
    return err;
}

tl_err tl_sql_verify(tl_sql *sql, const tl_str **findings, size_t *count, tl_arena *arena,
                     tl_errctx *ctx)
{
    TL_TRY(sql->backend->ready(sql, ctx));
    return sql->backend->verify(sql, findings, count, arena, ctx);
}
