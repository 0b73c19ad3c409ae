/* shard, inside the room: a listing's row, a miner's entry, and the steps between them. */
#ifndef TALLY_CORE_LISTINGS_SHARD_INTERNAL_H
#define TALLY_CORE_LISTINGS_SHARD_INTERNAL_H

#include "base/vec/vec.h"
#include "core/listings/near/near.h"
#include "core/listings/place/place.h"
#include "core/listings/record/record.h"
#include "core/listings/shard/shard.h"

#define TL__MILLION UINT32_C(1000000)
#define TL__BP_ONE  UINT32_C(10000)
#define TL__TYPES   ((size_t)TL_PROPERTY_OTHER + 1)

/* What is wrong with a listing: bits of tl__row.flags. */
enum {
    TL__INCOMPLETE = 1,
    TL__UNREASONABLE = 2,
    TL__INCONSISTENT = 4,
    TL__DUPLICATE = 8,
    TL__ELSEWHERE = 16, /* geography */
    TL__UNTIMELY = 32,  /* time */
    TL__HONEYPOT = 64
};

#define TL__NO_PRICE  INT32_MIN
#define TL__NO_SECOND INT64_MIN

/* tl__row: what is kept of a listing while its submission is read. */
typedef struct tl__row {
    uint64_t identity; /* a hash of it */
    int64_t scraped_s; /* Unix seconds, or TL__NO_SECOND */
    uint32_t object;   /* which of the entry's objects … */
    uint32_t offset;   /* … and where in it, to read a sample again */
    int32_t price_x;   /* log(price / area) in 2^-20, or TL__NO_PRICE */
    uint8_t type;      /* tl_property_type */
    uint8_t flags;
} tl__row;

/* tl__price: what is kept of it until all submissions are there. */
typedef struct tl__price {
    int32_t x;
    uint32_t index_type; /* index * 8 + type */
} tl__price;

/* tl__known: what follows from a listing's bytes, whatever their scraped_timestamp: a note of the record room's memo. */
typedef struct tl__known {
    uint64_t identity;
    int32_t price_x;
    bool is_set;
    bool is_elsewhere;
    bool is_honeypot;
    tl_near_sketch sketch;
} tl__known;

typedef struct tl__entry {
    tl_sheet sheet; /* as far as it is known */
    tl_hotkey key;  /* orders entries: the hotkey's bytes */
    const tl_finding *findings[TL_LISTING_RULE_COUNT];
    const tl__price *prices; /* of rows that have one */
    uint32_t price_count;
    uint32_t near_rows; /* that near was given */
    tl_shard_hits hits;
    const uint64_t *identities; /* one a row, where they are wanted */
    tl_str fault;
    bool is_late;
} tl__entry;

/* tl__place_check: what a listing's words about its place are held against (geography.c). */
typedef struct tl__place_check {
    const tl_place *place;
    const tl_places *places; /* or NULL */
    uint32_t metres_max;
    tl_str city;               /* normalised */
    const tl_str *near_cities; /* names within TL_SHARD_CITY_METRES, ascending */
    size_t near_count;
    const tl_str *all_cities; /* every name of the table, ascending; NULL until one is asked for */
    size_t all_count;
} tl__place_check;

struct tl_shard {
    tl_arena *arena;
    tl_arena *work; /* its child: what is needed until finish */
    tl_shard_context context;
    tl_near *near;
    tl_record_memo *memo;
    tl__place_check geography;
    char zipcode[6];
    uint32_t rows_least; /* tier 1's bounds */
    uint32_t rows_most;
    tl_vec entries;  /* tl__entry */
    tl_vec rows;     /* tl__row, of the entry being read; its memory is used again */
    uint32_t *slots; /* of the set of identities, likewise */
    size_t slot_cap;
    uint64_t listings;
    uint64_t bytes;
};

/* --- judge.c: one listing --- */

/* tl__know: what may be known of a listing for the next time. */
TL_MUST_USE tl_err tl__know(tl__known *out, tl_shard *shard, const tl_listing *listing,
                            tl_arena *scratch, tl_errctx *ctx);

void tl__judge(tl__row *row, const tl_shard *shard, const tl__known *known,
               const tl_listing *listing);

/* --- geography.c --- */

TL_MUST_USE tl_err tl__geography_init(tl__place_check *check, tl_arena *arena,
                                      const tl_shard_context *context, tl_errctx *ctx);

/* tl__is_elsewhere: zipcode, city, state or coordinates say that the listing lies in another place. arena: the shard's. */
TL_MUST_USE tl_err tl__is_elsewhere(bool *out, tl__place_check *check, tl_arena *arena,
                                    tl_arena *scratch, const tl_listing *listing, tl_errctx *ctx);

/* tl__zipcodes_agree: those of field and address are the shard's, and there is one. *differ: one is another. */
bool tl__zipcodes_agree(bool *differ, const tl_listing *listing, const char *zipcode);

/* --- tiers.c: one submission --- */

/* tl__count: the entry's figures and findings, of shard->rows. */
TL_MUST_USE tl_err tl__count(tl__entry *entry, tl_shard *shard, tl_errctx *ctx);

/* tl__accuse: a finding of rows that have a flag, its place in the entry set unless the rule has spoken. */
TL_MUST_USE tl_err tl__accuse(tl__entry *entry, tl_arena *arena, tl_listing_rule rule,
                              uint32_t count, const uint32_t *indices, size_t index_count,
                              tl_str peer, tl_errctx *ctx);

/* tl__conclude: patterns, confidence, quality: the last step, when all findings are there. */
void tl__conclude(tl__entry *entry, const tl_shard *shard);

/* --- sample.c --- */

/* tl__draw: indices of the sample, asked ones first, then the reserve. Returns how many; *asked as told. */
TL_MUST_USE tl_err tl__draw(uint32_t out[TL_SAMPLES_MAX], size_t *count, size_t *asked,
                            const tl_shard *shard, const tl__entry *entry, tl_arena *scratch,
                            tl_errctx *ctx);

/* --- price.c --- */

/* tl__judge_prices: findings of price_anomaly. order: the entries as they are ranked. */
TL_MUST_USE tl_err tl__judge_prices(tl_shard *shard, const uint32_t *order, tl_errctx *ctx);

/* tl__price_x: log(price / area) in 2^-20, or TL__NO_PRICE. */
int32_t tl__price_x(const tl_listing *listing);

#endif
