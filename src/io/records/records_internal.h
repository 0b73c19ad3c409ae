/* What the files of io/records share. */
#ifndef TALLY_IO_RECORDS_INTERNAL_H
#define TALLY_IO_RECORDS_INTERNAL_H

#include "base/vec/vec.h"
#include "io/records/records.h"

struct tl_records {
    tl_sql *sql;
};

const tl_sql_migration *tl__records_schema(size_t *count);

/* tl__put_text: LIMIT above TL_RECORDS_TEXT_MAX. */
void tl__put_text(tl_sql_stmt *s, tl_str text);
void tl__put_key(tl_sql_stmt *s, const tl_hotkey *key);
void tl__put_rao(tl_sql_stmt *s, tl_rao amount);
void tl__get_key(tl_sql_stmt *s, tl_hotkey *out, int column);
tl_rao tl__get_rao(tl_sql_stmt *s, int column);
uint32_t tl__get_u32(tl_sql_stmt *s, int column); /* CORRUPT above it */

/* tl__push: room for one more row; NULL, and the statement has failed, without memory. */
void *tl__push(tl_vec *rows, tl_sql_stmt *s);

/* tl__check_limit: RANGE unless 1 … TL_RECORDS_PAGE_MAX. */
TL_MUST_USE tl_err tl__check_limit(size_t limit, tl_errctx *ctx);

/* tl__get_count: the number that a statement's only row is. */
TL_MUST_USE tl_err tl__end_count(tl_sql_stmt *s, uint64_t *out, tl_errctx *ctx);

/* tl__missing: NOT_FOUND for a thing by its name. */
tl_err tl__missing(const char *what, tl_str name, tl_errctx *ctx);

/* tl__gate: what of an epoch decides whether something may come in. Read within a transaction, it holds until that
 * ends: whoever updates the epoch waits. */
typedef struct tl__window {
    tl_epoch_state state;
    uint32_t round;
    int64_t deadline_ms;
    bool has_beacon;
    bool is_evidence_closed;
    bool are_commits_closed;
    bool are_results_closed;
} tl__window;

TL_MUST_USE tl_err tl__read_window(tl_sql *sql, tl__window *out, tl_str epoch_id, tl_errctx *ctx);

/* tl__get_state: CORRUPT for a word that is no state. */
tl_epoch_state tl__get_state(tl_sql_stmt *s, int column);

/* tl__check_fence: within a transaction; REFUSED when the lease is lost. */
TL_MUST_USE tl_err tl__check_fence(tl_sql *sql, const tl_record_lease *lease, tl_errctx *ctx);

#endif
