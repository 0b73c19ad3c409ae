/* SQLite in our words, for the files of io/store: errors with the file's path, statements that fail once and stay
 * failed, as a decoder's cursor does. */
#ifndef TALLY_IO_STORE_INTERNAL_H
#define TALLY_IO_STORE_INTERNAL_H

#include <sqlite3.h>

#include "io/store/store.h"
#include "io/sys/sys.h"

struct tl_store {
    sqlite3 *db;
    char *path;
    tl_sys_lock lock; /* fd -1 when none is held */
    bool in_transaction;
    tl_err failed; /* the first error within the transaction (STORE-3) */
    tl_errctx failure;
};

/* tl__sql_fail: the database's last error under the code that fits it; what says what was tried. */
tl_err tl__sql_fail(tl_store *store, const char *what, tl_errctx *ctx);

/* tl__sql_exec: statements without rows. */
TL_MUST_USE tl_err tl__sql_exec(tl_store *store, const char *sql, tl_errctx *ctx);

/* tl__sql_text: the single value of a query as text in the arena. */
TL_MUST_USE tl_err tl__sql_text(tl_store *store, tl_str *out, const char *sql, tl_arena *arena,
                                tl_errctx *ctx);

/* tl__stmt: a prepared statement. Open it, bind from 1 on, step, read columns from 0 on, close: the error is told by
 * close alone, and nothing after the first one does anything. */
typedef struct tl__stmt {
    tl_store *store;
    sqlite3_stmt *stmt;
    const char *what; /* for messages: "read an epoch" */
    tl_err err;
    tl_errctx why;
} tl__stmt;

void tl__stmt_open(tl__stmt *s, tl_store *store, const char *what, const char *sql);
void tl__stmt_u64(tl__stmt *s, int index, uint64_t value); /* RANGE beyond 2^63 - 1 */
void tl__stmt_str(tl__stmt *s, int index, tl_str value);
void tl__stmt_blob(tl__stmt *s, int index, tl_bytes value); /* LIMIT beyond TL_STORE_BODY_MAX */
void tl__stmt_hash(tl__stmt *s, int index, const tl_hash32 *value);
void tl__stmt_null(tl__stmt *s, int index);

/* tl__stmt_row: the next row; false at the end and on errors. */
bool tl__stmt_row(tl__stmt *s);

uint64_t tl__stmt_get_u64(tl__stmt *s, int column); /* CORRUPT below 0 */
bool tl__stmt_is_null(tl__stmt *s, int column);
void tl__stmt_get_hash(tl__stmt *s, tl_hash32 *out,
                       int column);                     /* CORRUPT when it has not 32 bytes */
tl_bytes tl__stmt_borrow_blob(tl__stmt *s, int column); /* until the next row */
void tl__stmt_get_str(tl__stmt *s, tl_str *out, int column, tl_arena *arena);
void tl__stmt_get_blob(tl__stmt *s, tl_bytes *out, int column, tl_arena *arena);

/* tl__stmt_fail: the caller's own error sticks too. */
void tl__stmt_fail(tl__stmt *s, tl_err err, const tl_errctx *why);

/* tl__stmt_close: the statement's error, which also fails the transaction that is open. */
TL_MUST_USE tl_err tl__stmt_close(tl__stmt *s, tl_errctx *ctx);

/* tl__store_step_failed: remember the first error of an open transaction; returns err. */
tl_err tl__store_step_failed(tl_store *store, tl_err err, const tl_errctx *ctx);

/* tl__store_count: a query whose single value is a count. */
TL_MUST_USE tl_err tl__store_count(tl_store *store, uint64_t *out, const char *what,
                                   const char *sql, tl_errctx *ctx);

/* tl__store_check_migrations: VERSION or CORRUPT when the file's are not this program's; *pending counts what is left. */
TL_MUST_USE tl_err tl__store_check_migrations(tl_store *store, size_t *pending, tl_errctx *ctx);

#endif
