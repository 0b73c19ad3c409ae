/* place: zipcodes, the ones that an epoch asks for, and the time in which it asks.
 * For         assignments, the market's world, the check of geography: one table, one model, one draw
 * Takes       a table as CSV; a seed, who was assigned before; the operator's nonce and the validators' secrets
 * Gives       places by zipcode, distances in metres, a selection, honeypots, the beacon, epoch ids
 * Calls       core/codec/csv, core/crypto/hash, core/num, core/epoch/calendar      Called by   core/listings, app
 * Owns        nothing: tables and selections live in the arena passed in
 * Threads     a table is only read, by anyone; the functions are pure
 * Invariants  PLACE-1 a table ascends by zipcode and holds each once
 *             PLACE-2 a selection keeps every bound of its options, or there is none
 *             PLACE-3 the order of rows in a table's text changes nothing
 *             PLACE-4 print(parse(id)) is id for every epoch id
 * Read        table.c, then select.c, then secret.c, then slot.c
 *
 * The table that ships has city, state, county and coordinates. What else an assignment needs is a model (listings spec
 * section 1), a function of the table alone:
 *
 *      kept       has a state; of equal coordinates the lowest code
 *      n          kept codes in the same cell of a quarter of a degree, at most 40
 *      s          the first two bytes, big-endian, of SHA-256("tally-expected/1:" + code)
 *      expected   floor((50 + 11 n) (32,768 + s) / 65,536)
 *      tier       PREMIUM n >= 25, STANDARD n >= 10, else EMERGING
 *      also       property_count = 40 expected, population = 100 expected; region: that of the Census, by state
 *
 * A table with columns of its own for these replaces the model, cell by cell that is not empty: expected_listings (or
 * expected), population, property_count, market_tier (PREMIUM …), geographic_region (Northeast …) and data_updated
 * (YYYY-MM-DD). A code that is not kept stands in the table all the same, with nothing expected of it: a listing may lie
 * there, an epoch never asks for it.
 */
#ifndef TALLY_CORE_LISTINGS_PLACE_H
#define TALLY_CORE_LISTINGS_PLACE_H

#include "core/listings/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- the table (table.c) --- */

#define TL_PLACES_MAX         ((size_t)200000) /* rows; there are some 41,500 US codes */
#define TL_PLACE_TEXT_MAX     80               /* bytes of a name */
#define TL_PLACE_EXPECTED_MAX UINT32_C(1000000)
#define TL_PLACE_UNDATED      INT64_MIN

typedef struct tl_places {
    const tl_place *items; /* ascending by zipcode (PLACE-1) */
    const int64_t *
        updated_ms; /* of the market data, per item; TL_PLACE_UNDATED: a model, which does not age */
    size_t count;
} tl_places;

/* tl_places_read: a table from the text of a CSV file with the columns zipcode, city, state, county, latitude and
 * longitude (or lat, lng), in any order; others are the model's, named above, or ignored.
 *
 * csv     must live as long as the table
 * Errors  those of core/codec/csv; TL_ERR_SYNTAX, TL_ERR_RANGE, TL_ERR_DUPLICATE with line and column; TL_ERR_LIMIT
 * Cost    O(n log n) */
TL_MUST_USE tl_err tl_places_read(tl_places *out, tl_arena *arena, tl_str csv, tl_errctx *ctx);

/* tl_place_find: NULL when the table has no such code. */
const tl_place *tl_place_find(const tl_places *places, tl_str zipcode);

bool tl_zipcode_is_valid(tl_str text); /* five digits */

const char *tl_market_tier_name(tl_market_tier tier); /* "PREMIUM" */
const char *tl_region_name(tl_region region);         /* "Northeast"; TL_REGION_NONE: "Other" */
bool tl_market_tier_parse(tl_market_tier *out, tl_str text);
bool tl_region_parse(tl_region *out, tl_str text);

/* tl_state_code: the two letters of a state's, district's or territory's name or code, whatever its case: "Washington",
 * "WA" and "wa" are "WA". Empty when it is none. Static text. tl_state_name: "WA" is "Washington". */
tl_str tl_state_code(tl_str text);
tl_str tl_state_name(tl_str code);

/* tl_state_region: of the four of the Census; territories and military codes: TL_REGION_NONE. */
tl_region tl_state_region(tl_str code);

/* --- distance (distance.c) --- */

/* tl_place_metres: between two points in millionths of a degree, rounded down, the shorter way round.
 *
 * On a sphere of 6,371,008.8 m, taken flat at the middle latitude: dy = R dφ, dx = R dλ cos φm. Against the great circle
 * it errs by less than 0.1 % up to 100 km and 70 degrees of latitude (tested); the earth's own flattening adds up to
 * 0.6 %. The cosine is a polynomial in doubles, with + - * / and sqrt alone, so no machine differs. */
uint32_t tl_place_metres(int32_t latitude_a_e6, int32_t longitude_a_e6, int32_t latitude_b_e6,
                         int32_t longitude_b_e6);

/* tl_place_metres_to: from a place's own coordinates. */
uint32_t tl_place_metres_to(const tl_place *place, int32_t latitude_e6, int32_t longitude_e6);

/* --- time (slot.c): slots of N seconds count from midnight UTC, N divides 86,400 --- */

#define TL_SLOT_ID_LEN     19 /* "2025-10-03T04-00-00" */
#define TL_SLOT_ID_CAP     (TL_SLOT_ID_LEN + 1)
#define TL_SLOT_SECONDS    14400
#define TL_DAY_SECONDS     86400
#define TL_DAY_MS          INT64_C(86400000)
#define TL_SLOT_MS_CEILING INT64_C(253402300800000) /* the year 10,000 */

bool tl_slot_seconds_are_valid(uint32_t seconds); /* 1 … 86,400, a divisor of 86,400 */

/* tl_slot_start: where the slot begins that a moment lies in; Unix milliseconds, 0 … TL_SLOT_MS_CEILING - 1. */
int64_t tl_slot_start(int64_t at_ms, uint32_t seconds);

/* tl_slot_print: the epoch's id. start_ms: whole seconds within the years 1970 to 9999 (asserted). */
void tl_slot_print(char out[TL_SLOT_ID_CAP], int64_t start_ms);

/* tl_slot_parse: Errors: TL_ERR_SYNTAX, TL_ERR_RANGE (no such day or time; before 1970). */
TL_MUST_USE tl_err tl_slot_parse(int64_t *start_ms, tl_str id, tl_errctx *ctx);

/* --- selection (select.c) --- */

#define TL_SELECT_ALGORITHM "tally-select/1"
#define TL_SELECT_MAX       256

typedef struct tl_select_recent {
    char zipcode[6];
    int64_t assigned_ms; /* start of the epoch that had it last */
} tl_select_recent;

/* tl_select_options: zero means the default, but for seed, start_ms and recent. */
typedef struct tl_select_options {
    tl_str seed;                    /* the selectionSeed, as published */
    int64_t start_ms;               /* of the epoch */
    const tl_select_recent *recent; /* any order; of a zipcode given twice the later time counts */
    size_t recent_count;
    uint32_t target;       /* 10,000 listings */
    uint32_t tolerance_bp; /* 1,000 */
    uint32_t count_min;    /* 20 */
    uint32_t count_max;    /* 30 */
    uint32_t expected_min; /* 200 */
    uint32_t expected_max; /* 3,000 */
    int64_t cooldown_ms;   /* 24 h */
    int64_t data_age_ms;   /* 30 days */
} tl_select_options;

typedef struct tl_selection {
    const tl_place *const *items; /* ascending by zipcode */
    size_t count;
    uint64_t expected; /* sum */
    size_t eligible;   /* how many there were to draw from */
    bool is_relaxed;   /* the cool-down had to be given up */
} tl_selection;

/* tl_select: which zipcodes an epoch asks for, from a public seed (listings spec section 1).
 *
 * Eligible codes by code; xoshiro256** whose state is SHA-256(seed) as four little-endian words; one u in (0, 1) a code;
 * key = -ln(u) / weight, weight = expected ln(population + property_count) tier (1.5, 1.0, 0.8). By ascending key: taken
 * while the sum stays within target + tolerance (one that does not fit is passed over), until there are count_min and
 * target - tolerance. Where fewer than count_min fit, the largest of them is put aside and the walk begins again, 256 times
 * at most: a table of large zipcodes has its epochs too. What ends below gives up its last for the first remaining that fits. If that fails too, once more
 * without the cool-down. Tiers and regions are spread by the weights: PREMIUM is drawn most, no region is left out.
 *
 * Errors  TL_ERR_STATE: no selection within the bounds (the message tells how many were eligible); TL_ERR_RANGE: options
 *         that contradict each other; those of the arena */
TL_MUST_USE tl_err tl_select(tl_selection *out, tl_arena *arena, const tl_places *places,
                             const tl_select_options *options, tl_errctx *ctx);

/* tl_zipcodes_hash: SHA-256 of the codes, ascending, joined by ",". zipcodes: ascending (asserted). */
void tl_zipcodes_hash(tl_hash32 *out, const tl_selection *selection);

/* --- secrets that are committed first and shown later (secret.c) --- */

#define TL_NONCE_LEN  32 /* lower-case hex characters */
#define TL_BEACON_LEN 64
#define TL_BEACON_CAP (TL_BEACON_LEN + 1)
#define TL_SECRET_MAX 128 /* characters of a validator's secret */

bool tl_nonce_is_valid(tl_str nonce); /* TL_NONCE_LEN of 0-9a-f */

/* tl_secret_is_valid: 16 … TL_SECRET_MAX visible ASCII characters. */
bool tl_secret_is_valid(tl_str secret);

/* tl_secret_commit: SHA-256 of the text: nonceCommit, and a validator's commitment. */
void tl_secret_commit(tl_hash32 *out, tl_str text);

/* tl_contribution: a secret that was shown and opens its commitment. */
typedef struct tl_contribution {
    tl_hotkey hotkey;
    tl_str secret;
} tl_contribution;

/* tl_beacon: hex SHA-256("tally-beacon/1\n" + nonce + "\n" + a line "ss58:secret\n" for each, by hotkey bytes). Neither
 * the operator, who does not know the secrets when it commits the nonce, nor a miner can foresee it.
 * contributions: ascending by hotkey, each once: TL_ERR_CANONICAL else. TL_ERR_SYNTAX: a nonce or secret that is none. */
TL_MUST_USE tl_err tl_beacon(char out[TL_BEACON_CAP], tl_str nonce,
                             const tl_contribution *contributions, size_t count, tl_errctx *ctx);

/* tl_honeypots: which zipcodes of a selection are honeypots: 5 to 10 % of them, at least 1 of 2 or more, drawn from the
 * secret nonce: SHA-256("tally-honeypots/1:" + nonce) is the state of a xoshiro256**.
 * is_honeypot: count of them, for zipcodes in ascending order. Errors: TL_ERR_SYNTAX (no nonce), TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_honeypots(bool *is_honeypot, size_t count, tl_str nonce, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
