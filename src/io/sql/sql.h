/* sql: one small interface over SQLite and PostgreSQL.
 * For         the service's tables, on one machine (a file) or on many (a server), from the same statements
 * Takes       a path, or libpq's URL; statements with `?` where a value goes
 * Gives       rows; transactions; migrations with checksums; errors under our own codes, the retry class among them
 * Calls       SQLite, libpq (loaded at first use), io/sys     Called by   io/records, app
 * Owns        the connection until tl_sql_close
 * Threads     one tl_sql, one thread; any number of handles, also in one process on one SQLite file
 * Invariants  SQL-1 what a commit acknowledged is there after a crash of this process, of the server or of the machine
 *             SQL-2 a transaction is there wholly or not at all; one failed statement fails it
 *             SQL-3 nothing is sent twice: after a lost connection the next use connects anew, and who was in doubt asks
 *             SQL-4 no secret in an argument: a URL that carries a password is refused and not printed
 * Read        stmt.c, then sqlite.c and postgres.c side by side, then migrate.c
 *
 *      SQLite       WAL, synchronous=FULL, foreign keys; a write transaction is BEGIN IMMEDIATE, so writers queue up
 *      PostgreSQL   READ COMMITTED, synchronous_commit on; statements lock the rows that they decide about. Text
 *                   columns are COLLATE "C" (the {text} of a migration), so both order by bytes.
 *
 * Errors of every function here: LOCKED (another transaction is in the way, a deadlock, a serialisation failure:
 * nothing was done, try again), IO (disk full, connection lost, time limit of a statement passed), DUPLICATE (UNIQUE),
 * STATE (a CHECK or FOREIGN KEY forbids it), CORRUPT (damaged file, a column of another type, no such table), REFUSED
 * (permission), RANGE, ENCODING (text with NUL or no UTF-8), LIMIT (size), NOMEM.
 * A commit that ends with IO is in doubt: it may stand or not. Ask, or do it again if twice is as once.
 */
#ifndef TALLY_IO_SQL_H
#define TALLY_IO_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_sql tl_sql;

typedef enum tl_sql_kind { TL_SQL_SQLITE, TL_SQL_POSTGRES } tl_sql_kind;

/* Bytes of one value; rows that one statement may give. */
#define TL_SQL_VALUE_MAX ((size_t)64 << 20)
#define TL_SQL_ROWS_MAX  ((size_t)1 << 20)

/* tl_sql_options: zeroed but for one of path and url is a good start. Times in milliseconds, 0: the default. */
typedef struct tl_sql_options {
    const char *path; /* SQLite: the file, made (0600) if it is missing */
    const char *
        url; /* PostgreSQL: "postgresql://user@host:port/db?…" or "host=… dbname=…"; the password comes
                              from PGPASSWORD or a passfile */
    bool must_exist; /* SQLite: NOT_FOUND instead of making it */
    bool is_read_only;
    uint32_t busy_ms;      /* wait for other transactions: 10,000 */
    uint32_t statement_ms; /* longest statement: 30,000 */
    uint32_t connect_ms;   /* 5,000 */
} tl_sql_options;

/* tl_sql_check_url: may this text be the url of options? SYNTAX, REFUSED (a password in it); nothing is connected. */
TL_MUST_USE tl_err tl_sql_check_url(const char *url, tl_errctx *ctx);

/* tl_sql_open: connected when it returns. Errors: also NOT_FOUND, USAGE (neither or both of path and url). */
TL_MUST_USE tl_err tl_sql_open(tl_sql **out, const tl_sql_options *options, tl_errctx *ctx);

/* tl_sql_close: an open transaction is rolled back. NULL is fine. */
void tl_sql_close(tl_sql *sql);

tl_sql_kind tl_sql_kind_of(const tl_sql *sql);

/* tl_sql_name: "/dir/file.db" or "postgresql://user@host:5432/db" for messages; lives as long as the handle. */
const char *tl_sql_name(const tl_sql *sql);

/* tl_sql_ping: does the database answer? Connects anew where the connection is lost. */
TL_MUST_USE tl_err tl_sql_ping(tl_sql *sql, tl_errctx *ctx);

/* --- transactions: without one each statement is its own --- */

/* tl_sql_begin: a transaction that writes. They do not nest (asserted). */
TL_MUST_USE tl_err tl_sql_begin(tl_sql *sql, tl_errctx *ctx);

/* tl_sql_begin_read: a transaction that sees one moment of the database and writes nothing. */
TL_MUST_USE tl_err tl_sql_begin_read(tl_sql *sql, tl_errctx *ctx);

/* tl_sql_commit: all of it, durable (SQL-1); if a statement failed: nothing of it, and that statement's error. The
 * transaction is over in any case. */
TL_MUST_USE tl_err tl_sql_commit(tl_sql *sql, tl_errctx *ctx);

/* tl_sql_rollback: nothing of it. Fine when none is open. */
void tl_sql_rollback(tl_sql *sql);

bool tl_sql_is_in_transaction(const tl_sql *sql);

/* tl_sql_transact: body within a write transaction, committed when it returns TL_OK, else rolled back; done again, some
 * ten times with growing pauses, while it ends with LOCKED. body must have no effect outside of the database. Within an
 * open transaction: body alone, as a part of that. */
typedef tl_err (*tl_sql_body)(void *self, tl_sql *sql, tl_errctx *ctx);
TL_MUST_USE tl_err tl_sql_transact(tl_sql *sql, tl_sql_body body, void *self, tl_errctx *ctx);

/* --- statements --- */

/* tl_sql_stmt: prepare, put the values in the order of their `?`, walk the rows, end. Errors stick and are told by
 * tl_sql_end alone; nothing after the first one does anything. One statement at a time on a handle may be open (asserted),
 * with at most 256 values. Texts are the key of the cache of prepared statements: no value belongs into them. */
typedef struct tl_sql_stmt {
    tl_sql *sql;
    const char *what; /* for messages: "read an epoch" */
    void *prepared;
    int put_count;
    bool is_run;
    tl_err err;
    tl_errctx why;
} tl_sql_stmt;

void tl_sql_prepare(tl_sql_stmt *s, tl_sql *sql, const char *what, const char *text);

void tl_sql_put_i64(tl_sql_stmt *s, int64_t value);
void tl_sql_put_u64(tl_sql_stmt *s, uint64_t value); /* RANGE beyond 2^63 - 1 */
void tl_sql_put_str(tl_sql_stmt *s, tl_str value);
void tl_sql_put_bytes(tl_sql_stmt *s, tl_bytes value); /* LIMIT beyond TL_SQL_VALUE_MAX */
void tl_sql_put_hash(tl_sql_stmt *s, const tl_hash32 *value);
void tl_sql_put_bool(tl_sql_stmt *s, bool value); /* as 0 or 1: columns of numbers */
void tl_sql_put_null(tl_sql_stmt *s);

/* tl_sql_row: the next row; false at the end and on errors. Without rows it runs the statement. */
bool tl_sql_row(tl_sql_stmt *s);

/* Columns count from 0. A NULL or another type where a value is asked for is CORRUPT. */
bool tl_sql_is_null(tl_sql_stmt *s, int column);
int64_t tl_sql_get_i64(tl_sql_stmt *s, int column);
uint64_t tl_sql_get_u64(tl_sql_stmt *s, int column); /* CORRUPT below 0 */
bool tl_sql_get_bool(tl_sql_stmt *s, int column);
tl_bytes tl_sql_borrow(tl_sql_stmt *s, int column); /* text or bytes, until the next row */
void tl_sql_get_str(tl_sql_stmt *s, tl_str *out, int column, tl_arena *arena);
void tl_sql_get_bytes(tl_sql_stmt *s, tl_bytes *out, int column, tl_arena *arena);
void tl_sql_get_hash(tl_sql_stmt *s, tl_hash32 *out,
                     int column); /* CORRUPT when it has not 32 bytes */

/* tl_sql_fail: the caller's own error sticks too. */
void tl_sql_fail(tl_sql_stmt *s, tl_err err, const tl_errctx *why);

/* tl_sql_end: run to its end; the statement's error, which also fails the open transaction (SQL-2). changed may be
 * NULL: rows that it inserted, updated or deleted. */
TL_MUST_USE tl_err tl_sql_end(tl_sql_stmt *s, uint64_t *changed, tl_errctx *ctx);

/* tl_sql_exec: statements without values and rows, several parted by ';' too; not cached. */
TL_MUST_USE tl_err tl_sql_exec(tl_sql *sql, const char *text, tl_errctx *ctx);

/* --- migrations (migrate.c) --- */

/* tl_sql_migration: a step of a schema, never changed once released. Its text serves both databases:
 *   {int} {text} {blob} {serial}   types; {serial} is a primary key that counts by itself
 *   {table}                        what ends a CREATE TABLE: ") STRICT" or ")"
 *   lines between "--sqlite" or "--postgres" and "--both" (each alone on its line): for one of them */
typedef struct tl_sql_migration {
    uint32_t number; /* from 1, without gaps */
    const char *name;
    const char *text;
} tl_sql_migration;

typedef enum tl_sql_step_state {
    TL_SQL_APPLIED,
    TL_SQL_PENDING, /* this program has it, the database does not */
    TL_SQL_CHANGED, /* applied with another text than this program's */
    TL_SQL_UNKNOWN  /* the database has it, this program does not: the database is newer */
} tl_sql_step_state;

const char *tl_sql_step_state_name(tl_sql_step_state state);

typedef struct tl_sql_step {
    uint32_t number;
    tl_str name;
    char checksum[65]; /* SHA-256 of its text in hex; of the database's where it has one */
    tl_sql_step_state state;
} tl_sql_step;

/* tl_sql_steps: all that program or database know, by number. */
TL_MUST_USE tl_err tl_sql_steps(tl_sql *sql, const tl_sql_step **out, size_t *count,
                                const tl_sql_migration *ours, size_t ours_count, tl_arena *arena,
                                tl_errctx *ctx);

/* tl_sql_migrate: apply what is pending, all in one transaction; *applied is how many. Several processes may call it at
 * once. Errors: VERSION (unknown ones: the database is newer), CORRUPT (changed ones): nothing is written then. */
TL_MUST_USE tl_err tl_sql_migrate(tl_sql *sql, size_t *applied, const tl_sql_migration *ours,
                                  size_t ours_count, tl_errctx *ctx);

/* tl_sql_check_schema: is the database's schema this program's? VERSION: newer, or steps are pending; CORRUPT. */
TL_MUST_USE tl_err tl_sql_check_schema(tl_sql *sql, const tl_sql_migration *ours, size_t ours_count,
                                       tl_errctx *ctx);

/* tl_sql_verify: SQLite: pages and references sound? PostgreSQL: constraints validated, indices valid? findings: texts
 * in the arena, none when all is well. */
TL_MUST_USE tl_err tl_sql_verify(tl_sql *sql, const tl_str **findings, size_t *count,
                                 tl_arena *arena, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
