/* SQLite as a database of ours. */
#include "io/sql/sql_internal.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/sys/sys.h"

enum { CACHE_MAX = 128, OPS_BETWEEN_LOOKS = 20000, FINDINGS_MAX = 64 };

typedef struct cached {
    uint64_t hash;
    char *text;
    sqlite3_stmt *stmt;
} cached;

typedef struct lite {
    sqlite3 *db;
    tl__gate *gate;
    bool is_in_gate;
    int64_t deadline_ms; /* of the statement that runs; 0: none */
    size_t count;
    cached cache[CACHE_MAX];
} lite;

static lite *link_of(const tl_sql *sql)
{
    return sql->link;
}

/* --- errors --- */

static tl_err code_of(int extended)
{
    switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return TL_ERR_LOCKED;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return TL_ERR_REFUSED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* our own SQL is wrong, or the schema under it: only a damaged or foreign one can be */
    case SQLITE_SCHEMA:
        return TL_ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
                       extended == SQLITE_CONSTRAINT_ROWID
                   ? TL_ERR_DUPLICATE
                   : TL_ERR_STATE;
    case SQLITE_NOMEM:
        return TL_ERR_NOMEM;
    case SQLITE_TOOBIG:
        return TL_ERR_LIMIT;
    default:
        return TL_ERR_IO; /* FULL, IOERR, CANTOPEN, INTERRUPT … */
    }
}

static tl_err fail(tl_sql *sql, const char *what, tl_errctx *ctx)
{
    const lite *l = link_of(sql);
    const int rc = l->db != NULL ? sqlite3_extended_errcode(l->db) : SQLITE_NOMEM;
    const char *why = l->db != NULL ? sqlite3_errmsg(l->db) : "out of memory";
    if (rc == SQLITE_INTERRUPT) {
        return tl_fail_field(ctx, TL_ERR_IO, sql->name,
                             "cannot %s in \"%s\": it took more than %u ms", what, sql->name,
                             sql->options.statement_ms);
    }
    return tl_fail_field(ctx, code_of(rc), sql->name, "cannot %s in \"%s\": %s", what, sql->name,
                         why);
}

static tl_err fail_busy(tl_sql *sql, const char *what, tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_LOCKED, sql->name,
                         "cannot %s in \"%s\": other writers were in the way for %u ms", what,
                         sql->name, sql->options.busy_ms);
}

static bool enter_gate(tl_sql *sql)
{
    lite *l = link_of(sql);
    if (!l->is_in_gate) {
        l->is_in_gate = tl__gate_enter(l->gate, sql->options.busy_ms);
    }
    return l->is_in_gate;
}

static void leave_gate(lite *l)
{
    if (l->is_in_gate) {
        l->is_in_gate = false;
        tl__gate_leave(l->gate);
    }
}

/* --- open and close --- */

static int look_at_clock(void *self)
{
    const lite *l = self;
    return l->deadline_ms != 0 && tl__sql_now_ms() >= l->deadline_ms;
}

static tl_err make_file(tl_sql *sql, tl_errctx *ctx)
{
    if (tl_sys_exists(sql->options.path)) {
        return TL_OK;
    }
    if (sql->options.must_exist || sql->options.is_read_only) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, sql->name, "no database at \"%s\"", sql->name);
    }
    /* For the owner alone, and its log takes that over. Not by open: closing a descriptor of the file would drop the
     * locks that another thread's handle has on it. */
    if (mknod(sql->name, S_IFREG | TL_SYS_FILE_MODE, 0) != 0 && errno != EEXIST) {
        return tl_fail_field(ctx, errno == EACCES || errno == EROFS ? TL_ERR_REFUSED : TL_ERR_IO,
                             sql->name, "cannot make \"%s\": %s", sql->name, strerror(errno));
    }
    char *slash = strrchr(sql->name, '/');
    if (slash == NULL || slash == sql->name) {
        return tl_sys_sync_dir(slash == NULL ? "." : "/", ctx);
    }
    *slash = '\0';
    const tl_err err = tl_sys_sync_dir(sql->name, ctx);
    *slash = '/';
    return err;
}

static tl_err open_gate(tl_sql *sql, tl_errctx *ctx)
{
    struct stat at;
    if (stat(sql->options.path, &at) != 0) {
        return tl_fail_field(ctx, TL_ERR_IO, sql->name, "cannot look at \"%s\"", sql->name);
    }
    lite *l = link_of(sql);
    l->gate = tl__gate_open((uint64_t)at.st_dev, (uint64_t)at.st_ino);
    if (l->gate == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a database handle");
    }
    return TL_OK;
}

static tl_err set_up(tl_sql *sql, tl_errctx *ctx)
{
    lite *l = link_of(sql);
    (void)sqlite3_extended_result_codes(l->db, 1);
    (void)sqlite3_busy_timeout(l->db, (int)sql->options.busy_ms);
    sqlite3_progress_handler(l->db, OPS_BETWEEN_LOOKS, look_at_clock, l);
    (void)sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    static const char both[] = "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";
    static const char safe[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"; /* SQL-1 */
    if (sqlite3_exec(l->db, both, NULL, NULL, NULL) != SQLITE_OK) {
        return fail(sql, "open", ctx);
    }
    if (sql->options.is_read_only) {
        return TL_OK;
    }
    /* The change to WAL takes the file for itself, and SQLite does not wait for that. */
    const int64_t until_ms = tl__sql_now_ms() + sql->options.busy_ms;
    int rc = SQLITE_OK;
    while ((rc = sqlite3_exec(l->db, safe, NULL, NULL, NULL)) != SQLITE_OK) {
        if ((rc & 0xff) != SQLITE_BUSY || tl__sql_now_ms() >= until_ms) {
            return fail(sql, "open", ctx);
        }
        (void)sqlite3_sleep(5);
    }
    return TL_OK;
}

static tl_err lite_open(tl_sql *sql, tl_errctx *ctx)
{
    sql->name = strdup(sql->options.path);
    lite *l = calloc(1, sizeof *l);
    sql->link = l;
    if (sql->name == NULL || l == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a database handle");
    }
    TL_TRY(make_file(sql, ctx));
    const int flags = SQLITE_OPEN_NOMUTEX |
                      (sql->options.is_read_only ? SQLITE_OPEN_READONLY
                                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (sqlite3_open_v2(sql->options.path, &l->db, flags, NULL) != SQLITE_OK) {
        return fail(sql, "open", ctx);
    }
    TL_TRY(open_gate(sql, ctx));
    if (!enter_gate(sql)) {
        return fail_busy(sql, "open", ctx);
    }
    const tl_err err = set_up(sql, ctx);
    leave_gate(l);
    return err;
}

static void forget_statements(lite *l)
{
    for (size_t i = 0; i < l->count; i++) {
        (void)sqlite3_finalize(l->cache[i].stmt);
        free(l->cache[i].text);
    }
    l->count = 0;
}

static void lite_close(tl_sql *sql)
{
    lite *l = link_of(sql);
    if (l == NULL) {
        return;
    }
    forget_statements(l);
    (void)sqlite3_close_v2(l->db);
    tl__gate_close(l->gate);
    free(l);
    sql->link = NULL;
}

static tl_err lite_ready(tl_sql *sql, tl_errctx *ctx)
{
    (void)sql;
    (void)ctx;
    return TL_OK; /* a file is not lost on the way */
}

/* --- transactions --- */

static tl_err lite_begin(tl_sql *sql, bool is_read, tl_errctx *ctx)
{
    lite *l = link_of(sql);
    if (!is_read && !enter_gate(sql)) {
        return fail_busy(sql, "begin", ctx);
    }
    const char *text = is_read ? "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1" : "BEGIN IMMEDIATE";
    if (sqlite3_exec(l->db, text, NULL, NULL, NULL) != SQLITE_OK) {
        const tl_err err = fail(sql, "begin", ctx);
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
        leave_gate(l);
        return err;
    }
    return TL_OK;
}

static void lite_rollback(tl_sql *sql)
{
    lite *l = link_of(sql);
    if (sqlite3_get_autocommit(l->db) == 0) { /* some errors have rolled back already */
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    }
    leave_gate(l);
}

static tl_err lite_commit(tl_sql *sql, tl_errctx *ctx)
{
    lite *l = link_of(sql);
    tl_err err = TL_OK;
    if (sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        err = fail(sql, "commit", ctx);
    }
    lite_rollback(sql);
    return err;
}

static tl_err lite_exec(tl_sql *sql, const char *text, tl_errctx *ctx)
{
    lite *l = link_of(sql);
    char *own = tl__sql_translate(text, TL_SQL_SQLITE);
    if (own == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a statement");
    }
    tl_err err = TL_OK;
    if (!sql->in_transaction && !enter_gate(sql)) {
        err = fail_busy(sql, "write", ctx);
    } else if (sqlite3_exec(l->db, own, NULL, NULL, NULL) != SQLITE_OK) {
        err = fail(sql, "write", ctx);
    }
    if (!sql->in_transaction) {
        leave_gate(l);
    }
    free(own);
    return err;
}

/* --- statements --- */

static sqlite3_stmt *find_cached(const lite *l, uint64_t hash, const char *text)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->cache[i].hash == hash && strcmp(l->cache[i].text, text) == 0) {
            return l->cache[i].stmt;
        }
    }
    return NULL;
}

static void lite_prepare(tl_sql_stmt *s, const char *text)
{
    lite *l = link_of(s->sql);
    const uint64_t hash = tl__sql_hash(text);
    sqlite3_stmt *stmt = find_cached(l, hash, text);
    if (stmt != NULL) {
        s->prepared = stmt;
        return;
    }
    if (l->count == CACHE_MAX) {
        forget_statements(l);
    }
    char *own = tl__sql_translate(text, TL_SQL_SQLITE);
    char *key = strdup(text);
    if (own == NULL || key == NULL) {
        s->err = tl_fail(&s->why, TL_ERR_NOMEM, "no memory for a statement");
    } else if (sqlite3_prepare_v3(l->db, own, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
               SQLITE_OK) {
        s->err = fail(s->sql, s->what, &s->why);
    } else {
        l->cache[l->count++] = (cached){hash, key, stmt};
        key = NULL;
        s->prepared = stmt;
    }

    free(key);
    free(own);
}

static void check(tl_sql_stmt *s, int rc)
{
    if (rc != SQLITE_OK && s->err == TL_OK) {
        s->err = fail(s->sql, s->what, &s->why);
    }
}

static void lite_put_i64(tl_sql_stmt *s, int index, int64_t value)
{
    check(s, sqlite3_bind_int64(s->prepared, index + 1, value));
}

static void lite_put_text(tl_sql_stmt *s, int index, tl_str value)
{
    check(s, sqlite3_bind_text64(s->prepared, index + 1, value.ptr, value.len, SQLITE_TRANSIENT,
                                 SQLITE_UTF8));
}

static void lite_put_blob(tl_sql_stmt *s, int index, tl_bytes value)
{
    check(s, sqlite3_bind_blob64(s->prepared, index + 1, value.ptr, value.len, SQLITE_TRANSIENT));
}

static void lite_put_null(tl_sql_stmt *s, int index)
{
    check(s, sqlite3_bind_null(s->prepared, index + 1));
}

static bool lite_row(tl_sql_stmt *s)
{
    lite *l = link_of(s->sql);
    if (!s->is_run) {
        if (s->sql->is_read && s->sql->in_transaction && sqlite3_stmt_readonly(s->prepared) == 0) {
            s->err =
                tl_fail(&s->why, TL_ERR_REFUSED, "cannot %s: the transaction only reads", s->what);
            return false;
        }
        TL_ASSERT(s->put_count == sqlite3_bind_parameter_count(s->prepared));
        l->deadline_ms = tl__sql_now_ms() + s->sql->options.statement_ms;
        if (!s->sql->in_transaction && sqlite3_stmt_readonly(s->prepared) == 0 &&
            !enter_gate(s->sql)) {
            s->err = fail_busy(s->sql, s->what, &s->why);
            return false;
        }
    }
    const int rc = sqlite3_step(s->prepared);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        check(s, rc);
    }
    return rc == SQLITE_ROW;
}

static bool lite_is_null(tl_sql_stmt *s, int column)
{
    return sqlite3_column_type(s->prepared, column) == SQLITE_NULL;
}

static bool lite_get_i64(tl_sql_stmt *s, int column, int64_t *out)
{
    *out = sqlite3_column_int64(s->prepared, column);
    return sqlite3_column_type(s->prepared, column) == SQLITE_INTEGER;
}

static bool lite_get_bytes(tl_sql_stmt *s, int column, tl_bytes *out)
{
    const int type = sqlite3_column_type(s->prepared, column);
    const void *ptr = sqlite3_column_blob(s->prepared, column);
    const int len = sqlite3_column_bytes(s->prepared, column);
    if (ptr == NULL && sqlite3_errcode(link_of(s->sql)->db) == SQLITE_NOMEM) {
        check(s, SQLITE_NOMEM);
    }
    *out = (tl_bytes){ptr, len > 0 ? (size_t)len : 0};
    return type == SQLITE_TEXT || type == SQLITE_BLOB;
}

static const char *lite_column_name(tl_sql_stmt *s, int column)
{
    const char *name = sqlite3_column_name(s->prepared, column);
    return name != NULL ? name : "a column";
}

static uint64_t lite_end(tl_sql_stmt *s)
{
    lite *l = link_of(s->sql);
    const bool writes = sqlite3_stmt_readonly(s->prepared) == 0;
    while (writes && s->err == TL_OK && s->is_run && sqlite3_stmt_busy(s->prepared) != 0) {
        (void)lite_row(s); /* RETURNING was not walked to its end */
    }
    const uint64_t changed = writes && s->err == TL_OK ? (uint64_t)sqlite3_changes64(l->db) : 0;
    const int rc = sqlite3_reset(s->prepared); /* an autocommit may fail here */
    if (s->err == TL_OK) {
        check(s, rc);
    }
    (void)sqlite3_clear_bindings(s->prepared);
    l->deadline_ms = 0;
    if (!s->sql->in_transaction) {
        leave_gate(l);
    }
    return changed;
}

/* --- verify --- */

static tl_err walk_findings(tl_sql *sql, tl_str *rows, size_t *n, const char *text, tl_arena *arena,
                            tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "verify", text);
    while (*n < FINDINGS_MAX && tl_sql_row(&s)) {
        tl_str found = {NULL, 0};
        tl_sql_get_str(&s, &found, 0, arena);
        if (!tl_str_eq_cstr(found, "ok")) {
            rows[(*n)++] = found;
        }
    }
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err lite_verify(tl_sql *sql, const tl_str **findings, size_t *count, tl_arena *arena,
                          tl_errctx *ctx)
{
    tl_str *rows = TL_NEW(arena, tl_str, FINDINGS_MAX);
    if (rows == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t n = 0;
    const uint32_t usual = sql->options.statement_ms;
    sql->options.statement_ms = UINT32_MAX; /* as long as the file is */
    tl_err err = walk_findings(sql, rows, &n, "PRAGMA integrity_check", arena, ctx);
    if (err == TL_OK) {
        err = walk_findings(sql, rows, &n,
                            "SELECT 'a row of ' || \"table\" || ' names one of ' || parent ||"
                            " ' that is not there' FROM pragma_foreign_key_check",
                            arena, ctx);
    }
    sql->options.statement_ms = usual;
    *findings = rows;
    *count = n;
    return err;
}

const tl__sql_backend tl__sqlite = {
    .open = lite_open,
    .close = lite_close,
    .ready = lite_ready,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .exec = lite_exec,
    .prepare = lite_prepare,
    .put_i64 = lite_put_i64,
    .put_text = lite_put_text,
    .put_blob = lite_put_blob,
    .put_null = lite_put_null,
    .row = lite_row,
    .is_null = lite_is_null,
    .get_i64 = lite_get_i64,
    .get_bytes = lite_get_bytes,
    .column_name = lite_column_name,
    .end = lite_end,
    .verify = lite_verify,
};
