/* ledger_internal: the ledger's memory, for the room itself.
 *
 *      entries ──▶ postings ──▶ rows ◀── index (open addressing, by kind, epoch and id)
 *         │                      └ ante ──▶ antes ──▶ next ante of the same epoch
 *         └ epoch ──▶ books
 *
 * Everything is an array that grows by doubling in the ledger's arena, and everything points by
 * index. Rows and books are never removed: undoing an entry leaves them empty, and an empty row
 * (posting_count 0) is shown to nobody. An index "plus one" keeps 0 for none.
 */
#ifndef TALLY_CORE_LEDGER_INTERNAL_H
#define TALLY_CORE_LEDGER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/ledger/ledger.h"
#include "core/num/money/money.h"

#define TL__ENTRY_TAG       "tally/ledger/entry/1"
#define TL__ENTRY_TAG_LEN   (sizeof(TL__ENTRY_TAG) - 1)
#define TL__POSTING_LEN_MIN 9  /* kind, amount */
#define TL__POSTING_LEN_MAX 41 /* kind, id, amount */

/* tag, index, hash before, height, epoch, cause, text, number of postings: texts without their own
 * bytes */
#define TL__ENTRY_FIXED_LEN (4 + TL__ENTRY_TAG_LEN + 8 + 32 + 8 + 4 + 1 + 4 + 4)

/* An account within its epoch. */
typedef struct tl__row {
    uint32_t kind;
    uint32_t epoch; /* plus one */
    uint32_t ante;  /* plus one; of an escrow account */
    tl_hash32 id;
    tl_rao balance;
    uint64_t posting_count;
} tl__row;

typedef struct tl__posting {
    uint32_t row;
    tl_rao amount;
} tl__posting;

typedef struct tl__entry {
    uint64_t height;
    uint64_t posting_first;
    uint32_t posting_count;
    uint32_t epoch; /* plus one */
    tl_cause cause;
    tl_str text;
    tl_hash32 hash;
} tl__entry;

typedef struct tl__ante {
    tl_ante ante;
    uint32_t row;
    uint32_t next; /* plus one: the ante locked before it in the same epoch */
    uint32_t mark; /* the last walk of settle.c that met it */
} tl__ante;

typedef struct tl__book {
    tl_str epoch;
    uint32_t ante_last; /* plus one: the newest */
    uint32_t pool_row;  /* plus one */
    uint32_t causes;    /* bit c: an entry of cause c stands; only causes that come once an epoch */
    tl_escrow_book sums;
} tl__book;

/* X(name, array, type): the arrays, each with its count kept beside it and its cap in <name>_cap. */
#define TL__ARRAY_MAP(X)                                                                           \
    X(row, rows, tl__row)                                                                          \
    X(posting, postings, tl__posting)                                                              \
    X(entry, entries, tl__entry)                                                                   \
    X(ante, antes, tl__ante)                                                                       \
    X(book, books, tl__book)                                                                       \
    X(scratch, scratch, tl_posting)                                                                \
    X(wire, wire, uint8_t)

struct tl_ledger {
    tl_arena *arena;
    tl_ledger_options options;
#define TL__ARRAY_FIELDS(name, array, type)                                                        \
    type *array;                                                                                   \
    size_t name##_cap;
    TL__ARRAY_MAP(TL__ARRAY_FIELDS)
#undef TL__ARRAY_FIELDS
    size_t row_count;
    size_t posting_count;
    size_t entry_count;
    size_t ante_count;
    size_t book_count;
    uint32_t *index; /* row plus one; 0 is free */
    size_t index_cap;
    size_t sealed_count; /* entries */
    uint32_t mark;       /* of the walk going on in settle.c */
    tl_i128 balance_sum; /* of all rows, kept beside them: LED-2 says 0 */
};

/* --- accounts.c --- */

/* tl__reserve_<name>: room for count items in that array. */
#define TL__RESERVE_DECLARE(name, array, type)                                                     \
    TL_MUST_USE tl_err tl__reserve_##name(tl_ledger *ledger, size_t count, tl_errctx *ctx);
TL__ARRAY_MAP(TL__RESERVE_DECLARE)
#undef TL__RESERVE_DECLARE

bool tl__kind_is(uint32_t kind);
bool tl__kind_has_id(uint32_t kind);
bool tl__kind_has_epoch(uint32_t kind);
bool tl__kind_is_source(uint32_t kind);

/* tl__row_find: index plus one of that account's row, 0 when there is none; epoch: a book plus one. */
uint32_t tl__row_find(const tl_ledger *ledger, tl_account account, uint32_t epoch);

/* tl__row_intern: the index of its row, made when it is new. */
TL_MUST_USE tl_err tl__row_intern(uint32_t *out, tl_ledger *ledger, tl_account account,
                                  uint32_t epoch, tl_errctx *ctx);

/* tl__book_find: index plus one of that epoch's book, 0 when there is none or the text is empty. */
uint32_t tl__book_find(const tl_ledger *ledger, tl_str epoch);
TL_MUST_USE tl_err tl__book_intern(uint32_t *out, tl_ledger *ledger, tl_str epoch, tl_errctx *ctx);

/* --- journal.c --- */

bool tl__cause_is(uint32_t cause);

/* tl__ledger_undo: the last entry has never been. Only what is not sealed. */
void tl__ledger_undo(tl_ledger *ledger);

/* tl__ledger_undo_to: back to that many entries. */
void tl__ledger_undo_to(tl_ledger *ledger, size_t entry_count);

/* --- escrow.c --- */

/* What one ante's postings say: ante = back + burned + pool. */
typedef struct tl__flow {
    uint32_t row; /* of the escrow account */
    tl_rao ante;
    tl_rao back;
    tl_rao burned;
    tl_rao pool;
} tl__flow;

/* tl__escrow_apply: the antes' side of an entry whose postings stand at posting_first already; on
 * error nothing has changed. tl__escrow_undo: the reverse, of an entry that was applied. */
TL_MUST_USE tl_err tl__escrow_apply(tl_ledger *ledger, const tl__entry *entry, tl_errctx *ctx);
void tl__escrow_undo(tl_ledger *ledger, const tl__entry *entry);

#endif
