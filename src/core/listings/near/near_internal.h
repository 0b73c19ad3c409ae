/* near_internal.h: what the sources of the room share: sketches, houses, marks. */
#ifndef TALLY_CORE_LISTINGS_NEAR_INTERNAL_H
#define TALLY_CORE_LISTINGS_NEAR_INTERNAL_H

#include "base/vec/vec.h"
#include "core/listings/near/near.h"

/* --- sketches (sketch.c) --- */

#define TL__NEAR_NO_TIME INT64_MIN

/* tl__near_row: one listing, without its texts. Numbers that are absent are 0. */
typedef struct tl__near_row {
    uint64_t address; /* of the normalised address, else of the identity; 0: neither */
    uint64_t
        letters; /* a bit for each pair of neighbouring letters in the address, hashed into 64 */
    uint64_t identity; /* 0: none */
    int64_t scraped_ms;
    uint32_t entry; /* from tl_near_finish on its rank */
    uint32_t index;
    uint32_t block;   /* of the numbers in the address; 0: none */
    uint32_t quarter; /* of directions and single letters: N, SW, UNIT B */
    uint32_t price;   /* whole units */
    uint32_t sqft;    /* hundredths */
    uint32_t day;     /* of listing_date, from 1 */
    uint32_t ids;     /* of mls_id and zpid as written */
    uint32_t text;    /* of the description */
    uint32_t present;
    uint16_t bedrooms; /* hundredths and one */
    uint16_t bathrooms;
    uint16_t status;
    uint16_t type; /* and one */
} tl__near_row;

_Static_assert(sizeof(tl__near_row) <= TL_NEAR_SKETCH_LEN, "NEAR-3");

#define TL__NEAR_CHUNK 512

struct tl_near {
    tl_arena *arena;
    const tl_listings_params *params;
    tl_vec chunks; /* of tl__near_row *, TL__NEAR_CHUNK rows each */
    size_t row_count;
    tl_vec contents; /* of tl__near_content, by entry */
    bool is_finished;
};

/* tl__near_content: everything that one entry says, whatever the order of its rows. */
typedef struct tl__near_content {
    uint64_t sum[2]; /* of two hashes a row */
    uint32_t rows;
} tl__near_content;

uint64_t tl__near_mix(uint64_t a, uint64_t b);

/* tl__near_is_same_house: one listing under two spellings, by what it says of the house besides? */
bool tl__near_is_same_house(const tl__near_row *a, const tl__near_row *b);

/* tl__near_within: do a and b differ by at most so many thousandths of the larger? */
bool tl__near_within(uint32_t a, uint32_t b, uint32_t thousandths);

/* --- order (order.c) --- */

typedef struct tl__near_key {
    uint64_t key;
    uint32_t at;
    uint32_t entry;
} tl__near_key;

/* tl__near_sort: ascending by key, stable, O(n) whatever the keys. spare: room for count. */
void tl__near_sort(tl__near_key *keys, tl__near_key *spare, size_t count);

/* --- everything that tl_near_finish works on --- */

typedef struct tl__near_house {
    uint32_t begin; /* in by_house */
    uint32_t end;
} tl__near_house;

#define TL__NEAR_NO_HOUSE UINT32_MAX

typedef struct tl__near_work {
    tl_arena *scratch;
    const tl_listings_params *params;
    const tl_near_entry *entries;
    size_t entry_count;
    uint32_t *order;      /* rank ─▶ entry, by (received_ms, hotkey bytes) */
    uint32_t *rank;       /* entry ─▶ rank */
    uint32_t miner_count; /* entries with rows: M */
    tl__near_row *rows;   /* by rank, then as added */
    uint32_t row_count;
    uint32_t *begin;    /* of each rank's rows; one more for the end */
    tl__near_key *keys; /* room for row_count, twice */
    tl__near_key *spare;
    uint32_t *house_of; /* of each row; TL__NEAR_NO_HOUSE: it names none */
    uint32_t *by_house; /* rows by house, then rank */
    tl__near_house *houses;
    uint32_t house_count;
} tl__near_work;

/* tl__near_find_houses: which rows are one house, across the miners (houses.c). */
TL_MUST_USE tl_err tl__near_find_houses(tl__near_work *work, tl_errctx *ctx);

/* --- marks (marks.c) --- */

/* X(NAME, kind): what a mark may be about. */
#define TL__NEAR_FIELD_MAP(X)                                                                      \
    X(MISSED, OMISSION) /* the house itself */                                                     \
    X(PRICE, VALUE)                                                                                \
    X(SQFT, VALUE)                                                                                 \
    X(BEDROOMS, VALUE)                                                                             \
    X(BATHROOMS, VALUE)                                                                            \
    X(DAY, VALUE)                                                                                  \
    X(TYPE, VALUE)                                                                                 \
    X(STATUS, VALUE)                                                                               \
    X(IDS, VALUE)                                                                                  \
    X(TEXT, VALUE)                                                                                 \
    X(PRESENT, VALUE) /* which fields are there, against the miner's own habit */                  \
    X(MOMENT, MOMENT) /* the millisecond of a row */                                               \
    X(STEP, STEP) /* milliseconds from one house to the next, which a shift leaves as they are */

typedef enum tl__near_kind {
    TL__NEAR_OMISSION,
    TL__NEAR_VALUE,
    TL__NEAR_MOMENT,
    TL__NEAR_STEP,
    TL__NEAR_KIND_COUNT
} tl__near_kind;

typedef enum tl__near_field {
#define TL__NEAR_FIELD_ENUM(name, kind) TL__NEAR_F_##name,
    TL__NEAR_FIELD_MAP(TL__NEAR_FIELD_ENUM)
#undef TL__NEAR_FIELD_ENUM
        TL__NEAR_FIELD_COUNT
} tl__near_field;

tl__near_kind tl__near_kind_of(tl__near_field field);

#define TL__NEAR_GROUP_MAX 64 /* members of a mark that are looked at; above, it tells too little */

/* tl__near_group: one mark that several miners bear. */
typedef struct tl__near_group {
    uint32_t begin; /* in members */
    uint32_t count;
    tl__near_field field;
    uint32_t bits_q8; /* -log2 p, in 1/256: what sharing it tells */
} tl__near_group;

#define TL__NEAR_NO_ROW UINT32_MAX

typedef struct tl__near_member {
    uint32_t entry; /* rank */
    uint32_t row;   /* TL__NEAR_NO_ROW for a house that is missing */
} tl__near_member;

typedef struct tl__near_marks {
    tl_vec groups;   /* of tl__near_group */
    tl_vec members;  /* of tl__near_member */
    uint32_t *total; /* [field][rank]: marks that a miner bears, shared or not */
    bool *is_style;  /* [field][rank]: it runs through the rows: no mark */
} tl__near_marks;

TL_MUST_USE tl_err tl__near_find_marks(tl__near_work *work, tl__near_marks *out, tl_errctx *ctx);

/* tl__near_weigh_marks: styles, and the bits of each group (weigh.c). root: of each rank, the first of those it is known to
 * belong to; itself, while nothing is known. */
TL_MUST_USE tl_err tl__near_weigh_marks(const tl__near_work *work, tl__near_marks *marks,
                                        const uint32_t *root, tl_errctx *ctx);

/* tl__near_log2_q8: log2(value) in 1/256, rounded down; value not 0 (asserted). */
uint32_t tl__near_log2_q8(uint64_t value);

/* --- pairs (pairs.c) --- */

/* tl__near_tie: the strongest likeness of an entry with another. */
typedef struct tl__near_tie {
    uint32_t peer; /* rank; UINT32_MAX: none */
    uint32_t bits;
    uint32_t shared;
    uint32_t total;
} tl__near_tie;

typedef struct tl__near_pairs {
    uint32_t *root;     /* of each rank: the first of its cluster */
    tl__near_tie *ties; /* of each rank, with an earlier one */
    uint32_t *begin;    /* of each rank's marks in borne; one more for the end */
    uint32_t *borne;    /* groups */
} tl__near_pairs;

TL_MUST_USE tl_err tl__near_find_pairs(tl__near_work *work, tl__near_marks *marks,
                                       const tl__near_content *contents, tl__near_pairs *out,
                                       tl_errctx *ctx);

/* --- one house twice in one submission (twice.c) --- */

/* tl__near_find_twice: by rank: rows that repeat an earlier one; is_repeat has room for row_count. */
void tl__near_find_twice(tl__near_work *work, bool *is_repeat);

#endif
