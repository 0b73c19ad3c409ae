/* What the files of the PostgreSQL side share. */
#ifndef TALLY_IO_SQL_POSTGRES_INTERNAL_H
#define TALLY_IO_SQL_POSTGRES_INTERNAL_H

#include "io/sql/pq.h"
#include "io/sql/sql_internal.h"

enum { TL__PG_CACHE_MAX = 192, TL__PG_PUT_MAX = 256, TL__PG_GRACE_MS = 2000 };

typedef struct tl__pg_cached {
    uint64_t hash;
    char *text;
    unsigned number; /* the server knows it as "s<number>" */
} tl__pg_cached;

typedef struct tl__pg_value {
    size_t offset; /* in values; each has a NUL behind it */
    size_t len;
    bool is_null;
    bool is_binary;
} tl__pg_value;

typedef struct tl__pg {
    const tl__pq *pq;
    PGconn *conn; /* NULL: lost */
    unsigned next_number;
    size_t count;
    tl__pg_cached cache[TL__PG_CACHE_MAX];
    /* of the open statement */
    tl__pg_cached *chosen;
    char *values;
    size_t values_len;
    size_t values_cap;
    tl__pg_value put[TL__PG_PUT_MAX];
    PGresult *result;
    int row;
} tl__pg;

/* tl__pg_connect: a fresh connection, set up; what the last one knew is forgotten. */
TL_MUST_USE tl_err tl__pg_connect(tl_sql *sql, tl_errctx *ctx);

/* tl__pg_lose: the connection is of no use any more. */
void tl__pg_lose(tl_sql *sql);

/* tl__pg_forget: the statements that were prepared. */
void tl__pg_forget(tl__pg *pg);

/* tl__pg_lost: the error of whoever needs a connection that is gone. */
tl_err tl__pg_lost(tl_sql *sql, const char *what, tl_errctx *ctx);

/* tl__pg_result: wait for the answer to what was sent; its last result, or the first error. */
TL_MUST_USE tl_err tl__pg_result(tl_sql *sql, PGresult **out, const char *what, tl_errctx *ctx);

/* tl__pg_simple: a text of statements without values; status (may be NULL): the command tag of the last. */
TL_MUST_USE tl_err tl__pg_simple(tl_sql *sql, const char *what, const char *text, char status[16],
                                 tl_errctx *ctx);

#endif
