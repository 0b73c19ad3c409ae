/* What the files of io/sql share: the handle, and the table of functions that a database is. */
#ifndef TALLY_IO_SQL_INTERNAL_H
#define TALLY_IO_SQL_INTERNAL_H

#include "io/sql/sql.h"

/* tl__sql_backend: a database. Functions with a statement report through its err and why; put_ and get_ are called
 * with an index and a type that were checked. Whoever loses the connection says so by sql->is_lost. */
typedef struct tl__sql_backend {
    tl_err (*open)(tl_sql *sql, tl_errctx *ctx);
    void (*close)(tl_sql *sql);
    tl_err (*ready)(tl_sql *sql,
                    tl_errctx *ctx); /* outside of a transaction: connects anew if it must */
    tl_err (*begin)(tl_sql *sql, bool is_read, tl_errctx *ctx);
    tl_err (*commit)(tl_sql *sql, tl_errctx *ctx);
    void (*rollback)(tl_sql *sql);
    tl_err (*exec)(tl_sql *sql, const char *text, tl_errctx *ctx);
    void (*prepare)(tl_sql_stmt *s, const char *text);
    void (*put_i64)(tl_sql_stmt *s, int index, int64_t value); /* from 0 */
    void (*put_text)(tl_sql_stmt *s, int index, tl_str value);
    void (*put_blob)(tl_sql_stmt *s, int index, tl_bytes value);
    void (*put_null)(tl_sql_stmt *s, int index);
    bool (*row)(tl_sql_stmt *s);
    bool (*is_null)(tl_sql_stmt *s, int column);
    bool (*get_i64)(tl_sql_stmt *s, int column, int64_t *out);    /* false: of another type */
    bool (*get_bytes)(tl_sql_stmt *s, int column, tl_bytes *out); /* text or blob */
    const char *(*column_name)(tl_sql_stmt *s, int column);
    uint64_t (*end)(tl_sql_stmt *s); /* rows changed */
    tl_err (*verify)(tl_sql *sql, const tl_str **findings, size_t *count, tl_arena *arena,
                     tl_errctx *ctx);
} tl__sql_backend;

extern const tl__sql_backend tl__sqlite;
extern const tl__sql_backend tl__postgres;

struct tl_sql {
    const tl__sql_backend *backend;
    tl_sql_kind kind;
    tl_sql_options options; /* path and url: copies */
    char *name;
    void *link; /* the backend's own */
    bool in_transaction;
    bool is_read; /* the transaction only reads */
    bool is_lost; /* the connection is gone: nothing but rollback until the next use */
    bool is_stmt_open;
    tl_err failed; /* the first error within the transaction (SQL-2) */
    tl_errctx failure;
    uint64_t pause_seed;
};

/* tl__sql_translate: a statement in a database's own words, on the heap; NULL without memory. PostgreSQL: `?` become $1,
 * $2 …, braces around words go; SQLite: braces go with the words in them ("{FOR UPDATE}"). Quoted text stays. */
char *tl__sql_translate(const char *text, tl_sql_kind kind);

/* tl__sql_hash: of a statement's text, for the caches. */
uint64_t tl__sql_hash(const char *text);

/* tl__sql_now_ms: a steady clock, for limits of time alone. */
int64_t tl__sql_now_ms(void);

/* --- gate.c: the writers of one SQLite file within this process, one behind the other --- */

typedef struct tl__gate tl__gate;

/* tl__gate_open: the gate of a file, shared by all handles of the process; NULL without memory. */
tl__gate *tl__gate_open(uint64_t device, uint64_t inode);
void tl__gate_close(tl__gate *gate);                   /* NULL is fine */
bool tl__gate_enter(tl__gate *gate, uint32_t wait_ms); /* false: not within that time */
void tl__gate_leave(tl__gate *gate);

#endif
