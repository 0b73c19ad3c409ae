/* The database handle, statements and transactions. */
#include "io/store/store_internal.h"

#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 5000 }; /* readers and a checkpoint may hold a writer up this long */

/* --- errors --- */

static tl_err code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return TL_ERR_LOCKED;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return TL_ERR_REFUSED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return TL_ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return TL_ERR_DUPLICATE;
    case SQLITE_NOMEM:
        return TL_ERR_NOMEM;
    case SQLITE_TOOBIG:
        return TL_ERR_LIMIT;
    case SQLITE_ERROR: /* our own SQL is wrong, or the schema under it: only a damaged one can be */
        return TL_ERR_CORRUPT;
    default:
        return TL_ERR_IO; /* FULL, IOERR, CANTOPEN … */
    }
}

tl_err tl__sql_fail(tl_store *store, const char *what, tl_errctx *ctx)
{
    const int rc = store->db != NULL ? sqlite3_extended_errcode(store->db) : SQLITE_NOMEM;
    const char *why = store->db != NULL ? sqlite3_errmsg(store->db) : "out of memory";
    return tl_fail_field(ctx, code_of(rc), store->path, "cannot %s in \"%s\": %s", what,
                         store->path, why);
}

tl_err tl__store_step_failed(tl_store *store, tl_err err, const tl_errctx *ctx)
{
    if (err != TL_OK && store->in_transaction && store->failed == TL_OK) { /* STORE-3 */
        store->failed = err;
        tl_errctx_reset(&store->failure);
        if (ctx != NULL) {
            store->failure = *ctx;
        }
    }
    return err;
}

tl_err tl__sql_exec(tl_store *store, const char *sql, tl_errctx *ctx)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return tl__sql_fail(store, "write", ctx);
    }
    return TL_OK;
}

/* --- statements --- */

void tl__stmt_open(tl__stmt *s, tl_store *store, const char *what, const char *sql)
{
    memset(s, 0, sizeof *s);
    s->store = store;
    s->what = what;
    if (sqlite3_prepare_v2(store->db, sql, -1, &s->stmt, NULL) != SQLITE_OK) {
        s->err = tl__sql_fail(store, what, &s->why);
    }
}

void tl__stmt_fail(tl__stmt *s, tl_err err, const tl_errctx *why)
{
    if (s->err == TL_OK && err != TL_OK) {
        s->err = err;
        s->why = *why;
    }
}

static void check(tl__stmt *s, int rc)
{
    if (rc != SQLITE_OK && s->err == TL_OK) {
        s->err = tl__sql_fail(s->store, s->what, &s->why);
    }
}

void tl__stmt_u64(tl__stmt *s, int index, uint64_t value)
{
    if (value > INT64_MAX && s->err == TL_OK) {
        s->err = tl_fail(&s->why, TL_ERR_RANGE, "cannot %s: %llu is above 2^63 - 1", s->what,
                         (unsigned long long)value);
    }
    if (s->err == TL_OK) {
        check(s, sqlite3_bind_int64(s->stmt, index, (sqlite3_int64)value));
    }
}

void tl__stmt_str(tl__stmt *s, int index, tl_str value)
{
    if (s->err == TL_OK) {
        check(s, sqlite3_bind_text64(s->stmt, index, value.ptr != NULL ? value.ptr : "", value.len,
                                     SQLITE_TRANSIENT, SQLITE_UTF8));
    }
}

void tl__stmt_blob(tl__stmt *s, int index, tl_bytes value)
{
    if (value.len > TL_STORE_BODY_MAX && s->err == TL_OK) {
        s->err = tl_fail(&s->why, TL_ERR_LIMIT, "cannot %s: %zu bytes, above %zu", s->what,
                         value.len, TL_STORE_BODY_MAX);
    }
    if (s->err == TL_OK) { /* an empty blob is no NULL */
        check(s,
              sqlite3_bind_blob64(s->stmt, index, value.ptr != NULL ? (const void *)value.ptr : "",
                                  value.len, SQLITE_TRANSIENT));
    }
}

void tl__stmt_hash(tl__stmt *s, int index, const tl_hash32 *value)
{
    tl__stmt_blob(s, index, (tl_bytes){value->b, sizeof value->b});
}

void tl__stmt_null(tl__stmt *s, int index)
{
    if (s->err == TL_OK) {
        check(s, sqlite3_bind_null(s->stmt, index));
    }
}

bool tl__stmt_row(tl__stmt *s)
{
    if (s->err != TL_OK) {
        return false;
    }
    const int rc = sqlite3_step(s->stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        check(s, rc);
    }
    return rc == SQLITE_ROW;
}

static void fail_column(tl__stmt *s, int column, const char *wrong)
{
    if (s->err == TL_OK) {
        s->err =
            tl_fail_field(&s->why, TL_ERR_CORRUPT, s->store->path, "cannot %s: %s in \"%s\" %s",
                          s->what, sqlite3_column_name(s->stmt, column), s->store->path, wrong);
    }
}

uint64_t tl__stmt_get_u64(tl__stmt *s, int column)
{
    const sqlite3_int64 value = s->err == TL_OK ? sqlite3_column_int64(s->stmt, column) : 0;
    if (value < 0) {
        fail_column(s, column, "is below 0");
        return 0;
    }
    return (uint64_t)value;
}

bool tl__stmt_is_null(tl__stmt *s, int column)
{
    return s->err != TL_OK || sqlite3_column_type(s->stmt, column) == SQLITE_NULL;
}

tl_bytes tl__stmt_borrow_blob(tl__stmt *s, int column)
{
    if (s->err != TL_OK) {
        return (tl_bytes){NULL, 0};
    }
    const void *ptr = sqlite3_column_blob(s->stmt, column);
    const int len = sqlite3_column_bytes(s->stmt, column);
    if (ptr == NULL && sqlite3_errcode(s->store->db) == SQLITE_NOMEM) {
        check(s, SQLITE_NOMEM);
    }
    return (tl_bytes){ptr, len > 0 ? (size_t)len : 0};
}

void tl__stmt_get_hash(tl__stmt *s, tl_hash32 *out, int column)
{
    const tl_bytes blob = tl__stmt_borrow_blob(s, column);
    if (blob.len != sizeof out->b) {
        fail_column(s, column, "has not 32 bytes");
        return;
    }
    memcpy(out->b, blob.ptr, sizeof out->b);
}

void tl__stmt_get_blob(tl__stmt *s, tl_bytes *out, int column, tl_arena *arena)
{
    tl_str copy = {NULL, 0};
    tl__stmt_get_str(s, &copy, column, arena);
    *out = tl_str_bytes(copy);
}

void tl__stmt_get_str(tl__stmt *s, tl_str *out, int column, tl_arena *arena)
{
    const tl_bytes blob = tl__stmt_borrow_blob(s, column);
    if (s->err == TL_OK) {
        s->err = tl_str_copy(out, arena, (tl_str){(const char *)blob.ptr, blob.len}, &s->why);
    }
}

tl_err tl__stmt_close(tl__stmt *s, tl_errctx *ctx)
{
    (void)sqlite3_finalize(s->stmt); /* repeats the last step's error, which is known */
    s->stmt = NULL;
    if (s->err != TL_OK && ctx != NULL) {
        *ctx = s->why;
    }
    return tl__store_step_failed(s->store, s->err, &s->why);
}

tl_err tl__sql_text(tl_store *store, tl_str *out, const char *sql, tl_arena *arena, tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(&s, store, "read", sql);
    *out = (tl_str){NULL, 0};
    if (tl__stmt_row(&s)) {
        tl__stmt_get_str(&s, out, 0, arena);
    }
    return tl__stmt_close(&s, ctx);
}

tl_err tl__store_count(tl_store *store, uint64_t *out, const char *what, const char *sql,
                       tl_errctx *ctx)
{
    tl__stmt s;
    uint64_t count = 0;
    tl__stmt_open(&s, store, what, sql);
    if (tl__stmt_row(&s)) {
        count = tl__stmt_get_u64(&s, 0);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    *out = count;
    return TL_OK;
}

/* --- transactions --- */

tl_err tl_store_begin(tl_store *store, tl_errctx *ctx)
{
    TL_ASSERT(!store->in_transaction);
    TL_TRY(tl__sql_exec(store, "BEGIN IMMEDIATE", ctx));
    store->in_transaction = true;
    store->failed = TL_OK;
    return TL_OK;
}

void tl_store_rollback(tl_store *store)
{
    if (store->in_transaction) {
        store->in_transaction = false;
        /* SQLite rolls back by itself on a full disk: an error here says that there is nothing left to undo */
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

tl_err tl_store_commit(tl_store *store, tl_errctx *ctx)
{
    TL_ASSERT(store->in_transaction);
    if (store->failed != TL_OK) { /* STORE-3 */
        const tl_err err = store->failed;
        if (ctx != NULL) {
            *ctx = store->failure;
        }
        tl_store_rollback(store);
        return err;
    }
    const tl_err err = tl__sql_exec(store, "COMMIT", ctx); /* STORE-1: synchronous=FULL */
    if (err != TL_OK) {
        tl_store_rollback(store);
        return err;
    }
    store->in_transaction = false;
    return TL_OK;
}

/* --- opening --- */

static bool is_writing(tl_store_mode mode)
{
    return mode == TL_STORE_WRITE || mode == TL_STORE_ADMIN;
}

static tl_err set_up(tl_store *store, tl_store_mode mode, tl_errctx *ctx)
{
    (void)sqlite3_extended_result_codes(store->db, 1);
    (void)sqlite3_busy_timeout(store->db, BUSY_MS);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    TL_TRY(tl__sql_exec(store,
                        "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON;"
                        "PRAGMA cell_size_check=ON",
                        ctx));
    if (!is_writing(mode)) {
        return tl__sql_exec(store, "PRAGMA query_only=ON", ctx);
    }
    /* FULL: the log is synced at each commit, so that what was acknowledged survives a loss of power */
    return tl__sql_exec(store, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", ctx);
}

/* Opens the file and brings its schema to where the mode wants it. On failure the caller closes. */
static tl_err open_file(tl_store *store, const char *dir, tl_store_mode mode, tl_errctx *ctx)
{
    if (!is_writing(mode) && !tl_sys_exists(store->path)) {
        const tl_err err = tl_fail_field(ctx, TL_ERR_NOT_FOUND, store->path,
                                         "there is no store \"%s\"", store->path);
        tl_errctx_hint(ctx, "name the state folder with --dir DIR");
        return err;
    }
    if (is_writing(mode)) {
        TL_TRY(tl_sys_make_dir(dir, TL_SYS_DIR_MODE, ctx));
        TL_TRY(tl_sys_lock_open(&store->lock, dir, ctx)); /* SYS-3 */
    }
    const int create = is_writing(mode) ? SQLITE_OPEN_CREATE : 0;
    if (sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | create, NULL) != SQLITE_OK) {
        return tl__sql_fail(store, "open the database", ctx);
    }
    TL_TRY(set_up(store, mode, ctx));
    size_t pending;
    switch (mode) {
    case TL_STORE_READ:
        TL_TRY(tl__store_check_migrations(store, &pending, ctx));
        if (pending > 0) {
            const tl_err err = tl_fail_field(ctx, TL_ERR_VERSION, store->path,
                                             "\"%s\" lacks %zu migrations", store->path, pending);
            tl_errctx_hint(ctx, "tally db migrate");
            return err;
        }
        return TL_OK;
    case TL_STORE_WRITE:
        return tl_store_migrate(store, &pending, ctx);
    case TL_STORE_INSPECT:
    case TL_STORE_ADMIN:
        return TL_OK;
    }
    return TL_OK;
}

tl_err tl_store_open(tl_store **out, const char *dir, tl_store_mode mode, tl_errctx *ctx)
{
    const size_t dir_len = strlen(dir);
    tl_store *store = calloc(1, sizeof *store);
    char *path = malloc(dir_len + sizeof "/" TL_STORE_FILE);
    if (store == NULL || path == NULL) {
        free(store);
        free(path);
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a store");
    }
    memcpy(path, dir, dir_len);
    memcpy(path + dir_len, "/" TL_STORE_FILE, sizeof "/" TL_STORE_FILE);
    store->path = path;
    store->lock.fd = -1;
    const tl_err err = open_file(store, dir, mode, ctx);
    if (err != TL_OK) {
        (void)tl_store_close(store, NULL);
        return err;
    }
    *out = store;
    return TL_OK;
}

tl_err tl_store_close(tl_store *store, tl_errctx *ctx)
{
    if (store == NULL) {
        return TL_OK;
    }
    tl_store_rollback(store);
    tl_err err = TL_OK;
    if (sqlite3_close(store->db) != SQLITE_OK) {
        err = tl__sql_fail(store, "close", ctx);
        (void)sqlite3_close_v2(store->db);
    }
    tl_sys_lock_close(&store->lock);
    free(store->path);
    free(store);
    return err;
}

const char *tl_store_path(const tl_store *store)
{
    return store->path;
}
