/* PostgreSQL as a database of ours. */
#include "io/sql/postgres_internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 64 };

/* The types that our columns have, by the server's numbers (pg_type.dat). */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_VARCHAR = 1043
};

static tl__pg *link_of(const tl_sql *sql)
{
    return sql->link;
}

/* --- the URL --- */

static tl_err name_after(tl_sql *sql, const PQconninfoOption *options, tl_errctx *ctx)
{
    const char *user = NULL;
    const char *host = NULL;
    const char *port = NULL;
    const char *db = NULL;
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        user = strcmp(o->keyword, "user") == 0 ? o->val : user;
        host = strcmp(o->keyword, "host") == 0 ? o->val : host;
        port = strcmp(o->keyword, "port") == 0 ? o->val : port;
        db = strcmp(o->keyword, "dbname") == 0 ? o->val : db;
    }
    char name[512];
    (void)tl_str_print(name, sizeof name, "postgresql://%s%s%s%s%s/%s", user != NULL ? user : "",
                       user != NULL ? "@" : "", host != NULL ? host : "", port != NULL ? ":" : "",
                       port != NULL ? port : "", db != NULL ? db : "");
    sql->name = strdup(name);
    return sql->name != NULL ? TL_OK
                             : tl_fail(ctx, TL_ERR_NOMEM, "no memory for a database handle");
}

/* The options of a URL, to be freed; the library's own message may quote it, so it is not passed on (SQL-4). */
static tl_err parse(const tl__pq *pq, PQconninfoOption **out, const char *url, tl_errctx *ctx)
{
    char *why = NULL;
    PQconninfoOption *options = pq->conninfoParse(url, &why);
    pq->freemem(why);
    if (options == NULL) {
        (void)tl_fail_field(ctx, TL_ERR_SYNTAX, "postgres", "the database's URL cannot be read");
        tl_errctx_hint(ctx, "postgresql://user@host:port/database");
        return TL_ERR_SYNTAX;
    }
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val != NULL &&
            (strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "sslpassword") == 0)) {
            tl_wipe(o->val, strlen(o->val));
            pq->conninfoFree(options);
            (void)tl_fail_field(ctx, TL_ERR_REFUSED, "postgres",
                                "the database's URL has a password in it"); /* SQL-4 */
            tl_errctx_hint(ctx, "give it in PGPASSWORD or a passfile");
            return TL_ERR_REFUSED;
        }
    }
    *out = options;
    return TL_OK;
}

tl_err tl_sql_check_url(const char *url, tl_errctx *ctx)
{
    const tl__pq *pq;
    TL_TRY(tl__pq_load(&pq, ctx));
    PQconninfoOption *options = NULL;
    TL_TRY(parse(pq, &options, url, ctx));
    pq->conninfoFree(options);
    return TL_OK;
}

static tl_err pg_open(tl_sql *sql, tl_errctx *ctx)
{
    tl__pg *pg = calloc(1, sizeof *pg);
    if (pg == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a database handle");
    }
    sql->link = pg;
    TL_TRY(tl__pq_load(&pg->pq, ctx));
    PQconninfoOption *options = NULL;
    TL_TRY(parse(pg->pq, &options, sql->options.url, ctx));
    const tl_err err = name_after(sql, options, ctx);
    pg->pq->conninfoFree(options);
    TL_TRY(err);
    return tl__pg_connect(sql, ctx);
}

static void pg_close(tl_sql *sql)
{
    tl__pg *pg = link_of(sql);
    if (pg == NULL) {
        return;
    }
    if (pg->pq != NULL) {
        tl__pg_lose(sql);
    }
    free(pg->values);
    free(pg);
    sql->link = NULL;
}

/* A server that went away while nobody asked has said so, or closed the socket: seen without asking it. It says nothing
 * else unasked that we want to hear, so a fresh connection is the answer to any word. */
static bool has_hung_up(const tl__pg *pg)
{
    struct pollfd p = {.fd = pg->pq->socket(pg->conn), .events = POLLIN};
    return pg->pq->status(pg->conn) != CONNECTION_OK || poll(&p, 1, 0) > 0;
}

static tl_err pg_ready(tl_sql *sql, tl_errctx *ctx)
{
    tl__pg *pg = link_of(sql);
    return pg->conn == NULL || has_hung_up(pg) ? tl__pg_connect(sql, ctx) : TL_OK;
}

/* --- transactions --- */

static tl_err pg_begin(tl_sql *sql, bool is_read, tl_errctx *ctx)
{
    const char *text = is_read ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN";
    const tl_err err = tl__pg_simple(sql, "begin", text, NULL, ctx);
    if (err == TL_ERR_IO &&
        sql->is_lost) { /* nothing was done yet: this one thing may be sent again */
        tl_errctx_reset(ctx);
        TL_TRY(tl__pg_connect(sql, ctx));
        return tl__pg_simple(sql, "begin", text, NULL, ctx);
    }
    return err;
}

static void pg_rollback(tl_sql *sql)
{
    if (!sql->is_lost && tl__pg_simple(sql, "roll back", "ROLLBACK", NULL, NULL) != TL_OK) {
        tl__pg_lose(sql); /* the server rolls back what lost its client */
    }
}

static tl_err pg_commit(tl_sql *sql, tl_errctx *ctx)
{
    char status[16] = "";
    const tl_err err = tl__pg_simple(sql, "commit", "COMMIT", status, ctx);
    if (err != TL_OK) {
        pg_rollback(sql);
        return err;
    }
    if (strcmp(status, "COMMIT") != 0) {
        return tl_fail_field(ctx, TL_ERR_IO, sql->name,
                             "cannot commit in \"%s\": it was rolled back", sql->name);
    }
    return TL_OK;
}

static tl_err pg_exec(tl_sql *sql, const char *text, tl_errctx *ctx)
{
    char *own = tl__sql_translate(text, TL_SQL_POSTGRES);
    if (own == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a statement");
    }
    const tl_err err = tl__pg_simple(sql, "write", own, NULL, ctx);
    free(own);
    return err;
}

/* --- statements --- */

static tl_err send_prepare(tl_sql *sql, const char *what, unsigned number, const char *text,
                           tl_errctx *ctx)
{
    tl__pg *pg = link_of(sql);
    char name[16];
    (void)tl_str_print(name, sizeof name, "s%u", number);
    if (pg->pq->sendPrepare(pg->conn, name, text, 0, NULL) == 0) {
        tl__pg_lose(sql);
        return tl__pg_lost(sql, what, ctx);
    }
    PGresult *result = NULL;
    TL_TRY(tl__pg_result(sql, &result, what, ctx));
    pg->pq->clear(result);
    return TL_OK;
}

static void add_statement(tl_sql_stmt *s, uint64_t hash, const char *text)
{
    tl__pg *pg = link_of(s->sql);
    if (pg->count == TL__PG_CACHE_MAX) {
        s->err = tl__pg_simple(s->sql, s->what, "DEALLOCATE ALL", NULL, &s->why);
        tl__pg_forget(pg);
    }
    char *own = tl__sql_translate(text, TL_SQL_POSTGRES);
    char *key = strdup(text);
    if (s->err == TL_OK && (own == NULL || key == NULL)) {
        s->err = tl_fail(&s->why, TL_ERR_NOMEM, "no memory for a statement");
    }
    if (s->err == TL_OK) {
        s->err = send_prepare(s->sql, s->what, pg->next_number, own, &s->why);
    }
    if (s->err == TL_OK) {
        pg->chosen = &pg->cache[pg->count++];
        *pg->chosen = (tl__pg_cached){hash, key, pg->next_number++};
        key = NULL;
    }
    free(own);
    free(key);
}

static void pg_prepare(tl_sql_stmt *s, const char *text)
{
    tl__pg *pg = link_of(s->sql);
    if (pg->conn == NULL) {
        s->err = tl__pg_lost(s->sql, s->what, &s->why);
        return;
    }
    const uint64_t hash = tl__sql_hash(text);
    pg->chosen = NULL;
    for (size_t i = 0; i < pg->count && pg->chosen == NULL; i++) {
        if (pg->cache[i].hash == hash && strcmp(pg->cache[i].text, text) == 0) {
            pg->chosen = &pg->cache[i];
        }
    }
    if (pg->chosen == NULL) {
        add_statement(s, hash, text);
    }
    pg->values_len = 0;
    pg->result = NULL;
    pg->row = -1;
    s->prepared = s->err == TL_OK ? pg : NULL;
}

/* A copy of the value with a NUL behind it. */
static void put(tl_sql_stmt *s, int index, const void *ptr, size_t len, bool is_binary)
{
    TL_ASSERT(index < TL__PG_PUT_MAX);
    tl__pg *pg = link_of(s->sql);
    const size_t need = pg->values_len + len + 1;
    if (need > pg->values_cap) {
        const size_t cap = need < 4096 ? 4096 : need * 2;
        char *grown = realloc(pg->values, cap);
        if (grown == NULL) {
            s->err = tl_fail(&s->why, TL_ERR_NOMEM, "no memory for a statement");
            return;
        }
        pg->values = grown;
        pg->values_cap = cap;
    }
    memcpy(pg->values + pg->values_len, ptr, len);
    pg->values[pg->values_len + len] = '\0';
    pg->put[index] = (tl__pg_value){pg->values_len, len, false, is_binary};
    pg->values_len = need;
}

static void pg_put_i64(tl_sql_stmt *s, int index, int64_t value)
{
    char text[24]; /* as text it fits a column of any width */
    put(s, index, text, tl_str_print(text, sizeof text, "%lld", (long long)value), false);
}

static void pg_put_text(tl_sql_stmt *s, int index, tl_str value)
{
    put(s, index, value.ptr, value.len, false);
}

static void pg_put_blob(tl_sql_stmt *s, int index, tl_bytes value)
{
    put(s, index, value.ptr, value.len, true);
}

static void pg_put_null(tl_sql_stmt *s, int index)
{
    TL_ASSERT(index < TL__PG_PUT_MAX);
    link_of(s->sql)->put[index] = (tl__pg_value){0, 0, true, false};
}

static void run(tl_sql_stmt *s)
{
    tl__pg *pg = link_of(s->sql);
    const char *values[TL__PG_PUT_MAX];
    int lengths[TL__PG_PUT_MAX];
    int formats[TL__PG_PUT_MAX];
    for (int i = 0; i < s->put_count; i++) {
        values[i] = pg->put[i].is_null ? NULL : pg->values + pg->put[i].offset;
        lengths[i] = (int)pg->put[i].len; /* below TL_SQL_VALUE_MAX */
        formats[i] = pg->put[i].is_binary ? 1 : 0;
    }
    char name[16];
    (void)tl_str_print(name, sizeof name, "s%u", pg->chosen->number);
    if (pg->pq->sendQueryPrepared(pg->conn, name, s->put_count, values, lengths, formats, 1) == 0) {
        tl__pg_lose(s->sql);
        s->err = tl__pg_lost(s->sql, s->what, &s->why);
        return;
    }
    s->err = tl__pg_result(s->sql, &pg->result, s->what, &s->why);
}

static bool pg_row(tl_sql_stmt *s)
{
    tl__pg *pg = link_of(s->sql);
    if (!s->is_run) {
        run(s);
    }
    return s->err == TL_OK && pg->result != NULL && ++pg->row < pg->pq->ntuples(pg->result);
}

static bool has_column(const tl__pg *pg, int column)
{
    return pg->result != NULL && pg->row >= 0 && pg->row < pg->pq->ntuples(pg->result) &&
           column < pg->pq->nfields(pg->result);
}

static bool pg_is_null(tl_sql_stmt *s, int column)
{
    const tl__pg *pg = link_of(s->sql);
    return !has_column(pg, column) || pg->pq->getisnull(pg->result, pg->row, column) != 0;
}

static bool pg_get_i64(tl_sql_stmt *s, int column, int64_t *out)
{
    const tl__pg *pg = link_of(s->sql);
    if (pg_is_null(s, column)) {
        return false;
    }
    const Oid type = pg->pq->ftype(pg->result, column);
    if (type != OID_INT8 && type != OID_INT4 && type != OID_INT2 && type != OID_BOOL) {
        return false;
    }
    const char *bytes = pg->pq->getvalue(pg->result, pg->row, column);
    const int len = pg->pq->getlength(pg->result, pg->row, column);
    uint64_t value = len > 0 && (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0; /* the sign, spread */
    for (int i = 0; i < len; i++) {
        value = value << 8 | (uint8_t)bytes[i];
    }
    *out = (int64_t)value;
    return true;
}

static bool pg_get_bytes(tl_sql_stmt *s, int column, tl_bytes *out)
{
    const tl__pg *pg = link_of(s->sql);
    if (pg_is_null(s, column)) {
        return false;
    }
    const Oid type = pg->pq->ftype(pg->result, column);
    if (type != OID_TEXT && type != OID_BYTEA && type != OID_NAME && type != OID_VARCHAR) {
        return false;
    }
    const int len = pg->pq->getlength(pg->result, pg->row, column);
    *out = (tl_bytes){(const uint8_t *)pg->pq->getvalue(pg->result, pg->row, column), (size_t)len};
    return true;
}

static const char *pg_column_name(tl_sql_stmt *s, int column)
{
    const tl__pg *pg = link_of(s->sql);
    const char *name = pg->result != NULL ? pg->pq->fname(pg->result, column) : NULL;
    return name != NULL ? name : "a column";
}

static uint64_t pg_end(tl_sql_stmt *s)
{
    tl__pg *pg = link_of(s->sql);
    uint64_t changed = 0;
    if (pg->result != NULL) {
        if (strncmp(pg->pq->cmdStatus(pg->result), "SELECT", 6) != 0) {
            (void)tl_str_parse_u64(&changed, tl_str_from_cstr(pg->pq->cmdTuples(pg->result)));
        }
        pg->pq->clear(pg->result);
        pg->result = NULL;
    }
    return changed;
}

/* --- verify --- */

static tl_err pg_verify(tl_sql *sql, const tl_str **findings, size_t *count, tl_arena *arena,
                        tl_errctx *ctx)
{
    tl_str *rows = TL_NEW(arena, tl_str, FINDINGS_MAX);
    if (rows == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t n = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "verify",
                   "SELECT 'constraint ' || conname || ' is not validated' FROM pg_constraint"
                   " WHERE NOT convalidated AND connamespace = current_schema()::regnamespace"
                   " UNION ALL SELECT 'index ' || c.relname || ' is not valid' FROM pg_index i"
                   " JOIN pg_class c ON c.oid = i.indexrelid"
                   " WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace"
                   " UNION ALL SELECT 'full_page_writes or fsync is off: a crash may lose rows'"
                   " WHERE current_setting('fsync') = 'off'"
                   " OR current_setting('full_page_writes') = 'off'");
    while (n < FINDINGS_MAX && tl_sql_row(&s)) {
        tl_sql_get_str(&s, &rows[n++], 0, arena);
    }
    *findings = rows;
    *count = n;
    return tl_sql_end(&s, NULL, ctx);
}

const tl__sql_backend tl__postgres = {
    .open = pg_open,
    .close = pg_close,
    .ready = pg_ready,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .exec = pg_exec,
    .prepare = pg_prepare,
    .put_i64 = pg_put_i64,
    .put_text = pg_put_text,
    .put_blob = pg_put_blob,
    .put_null = pg_put_null,
    .row = pg_row,
    .is_null = pg_is_null,
    .get_i64 = pg_get_i64,
    .get_bytes = pg_get_bytes,
    .column_name = pg_column_name,
    .end = pg_end,
    .verify = pg_verify,
};
