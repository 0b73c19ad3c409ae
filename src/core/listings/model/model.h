/* model: the words of the listings subnet, shared by its rooms.
 * For         one vocabulary: rules, fields, a listing as it was read, what a validator writes down about a submission
 * Takes       nothing                          Gives   types, names of rules and fields, parameters with their defaults
 * Calls       core/crypto/key, codec/hex, base Called by   core/listings, core/subnet/listings, app
 * Owns        nothing: what the types point at lives in the arena of whoever made them
 * Threads     values; the functions are pure
 * Invariants  LIST-1 rates and shares that are compared, hashed or paid are integers (millionths, basis points)
 *             LIST-2 a listing of a submission is named by its index: objects in the order of metadata.json, rows in
 *                    the order of the object, counted from 0 through all of them
 *
 *   objects ─record▶ tl_listing ─shard▶ tl_sheet (one a miner and zipcode) ─race▶ places, weights, roots
 *                                          ▲ near: copies and sybils, across the miners of a zipcode
 */
#ifndef TALLY_CORE_LISTINGS_MODEL_H
#define TALLY_CORE_LISTINGS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"
#include "core/num/money/money.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, text): the rules that may speak about a submission, in the order in which they are asked (cli spec). */
#define TL_LISTING_RULE_MAP(X)                                                                     \
    X(LATE, "late")                                                                                \
    X(QUANTITY, "quantity")                                                                        \
    X(COMPLETENESS, "completeness")                                                                \
    X(VALUES, "values")                                                                            \
    X(CONSISTENCY, "consistency")                                                                  \
    X(DUPLICATES, "duplicates")                                                                    \
    X(SPOT_CHECK, "spot_check")                                                                    \
    X(PRICE_ANOMALY, "price_anomaly")                                                              \
    X(GEOGRAPHY, "geography")                                                                      \
    X(TIME, "time")                                                                                \
    X(COPY, "copy")                                                                                \
    X(SYBIL, "sybil")                                                                              \
    X(HONEYPOT, "honeypot")

typedef enum tl_listing_rule {
#define TL_LISTING_RULE_ENUM(name, text) TL_LISTING_##name,
    TL_LISTING_RULE_MAP(TL_LISTING_RULE_ENUM)
#undef TL_LISTING_RULE_ENUM
        TL_LISTING_RULE_COUNT
} tl_listing_rule;

const char *tl_listing_rule_name(tl_listing_rule rule);
bool tl_listing_rule_parse(tl_listing_rule *out, tl_str text);

/* X(NAME, key): the fields of a listing. The first twelve are the set of 2025-10-03; the rest is read where it stands. */
#define TL_LISTING_FIELD_MAP(X)                                                                    \
    X(ADDRESS, "address")                                                                          \
    X(PRICE, "price")                                                                              \
    X(BEDROOMS, "bedrooms")                                                                        \
    X(BATHROOMS, "bathrooms")                                                                      \
    X(SQFT, "sqft")                                                                                \
    X(LISTING_DATE, "listing_date")                                                                \
    X(PROPERTY_TYPE, "property_type")                                                              \
    X(LISTING_STATUS, "listing_status")                                                            \
    X(DAYS_ON_MARKET, "days_on_market")                                                            \
    X(MLS_ID, "mls_id")                                                                            \
    X(SOURCE_URL, "source_url")                                                                    \
    X(SCRAPED_TIMESTAMP, "scraped_timestamp")                                                      \
    X(ZPID, "zpid")                                                                                \
    X(ZIPCODE, "zipcode")                                                                          \
    X(CITY, "city")                                                                                \
    X(STATE, "state")                                                                              \
    X(LATITUDE, "latitude")                                                                        \
    X(LONGITUDE, "longitude")                                                                      \
    X(DESCRIPTION, "description")

typedef enum tl_listing_field {
#define TL_LISTING_FIELD_ENUM(name, key) TL_FIELD_##name,
    TL_LISTING_FIELD_MAP(TL_LISTING_FIELD_ENUM)
#undef TL_LISTING_FIELD_ENUM
        TL_LISTING_FIELD_COUNT
} tl_listing_field;

#define TL_LISTING_FIELDS_ASKED 12 /* of completeness */

const char *tl_listing_field_key(tl_listing_field field);

/* One vocabulary of property types (listings spec, section 5). */
typedef enum tl_property_type {
    TL_PROPERTY_SINGLE_FAMILY,
    TL_PROPERTY_CONDO,
    TL_PROPERTY_TOWNHOUSE,
    TL_PROPERTY_MULTI_FAMILY,
    TL_PROPERTY_MANUFACTURED,
    TL_PROPERTY_LAND,
    TL_PROPERTY_APARTMENT,
    TL_PROPERTY_OTHER
} tl_property_type;

/* tl_listing: one listing as the tally profile reads it (core/listings/record makes it).
 * present   bit of a tl_listing_field: the key is there, its value neither null, NaN nor blank text
 * readable  bit: present, and its value reads as what the field means; the member below is then set, else 0
 * text      the value's own text: a decoded string, or a number as written; views into the object's bytes or the arena */
typedef struct tl_listing {
    uint32_t index;
    uint32_t present;
    uint32_t readable;
    tl_str text[TL_LISTING_FIELD_COUNT];
    tl_str
        identity; /* "zpid:…", "uri:…", "mls:…" or "address:…": the first that is there; empty: none */
    tl_str address;  /* normalised */
    char zipcode[6]; /* of the field, else the end of the address; "" when there is none */
    tl_property_type property_type;
    int64_t price_cents;
    int64_t bedrooms_hundredths;
    int64_t bathrooms_hundredths;
    int64_t sqft_hundredths;
    int64_t days_on_market;
    int64_t listed_ms; /* Unix time of listing_date, UTC where it names no zone */
    int64_t scraped_ms;
    int32_t latitude_e6;
    int32_t longitude_e6;
} tl_listing;

/* tl_place: one zipcode. Texts live as long as the table that it comes from. */
typedef enum tl_market_tier { TL_TIER_EMERGING, TL_TIER_STANDARD, TL_TIER_PREMIUM } tl_market_tier;
typedef enum tl_region {
    TL_REGION_NORTHEAST,
    TL_REGION_MIDWEST,
    TL_REGION_SOUTH,
    TL_REGION_WEST,
    TL_REGION_NONE
} tl_region;

typedef struct tl_place {
    char zipcode[6];
    tl_str city;
    tl_str state; /* two letters; empty: none */
    tl_str county;
    int32_t latitude_e4; /* degrees / 10,000 */
    int32_t longitude_e4;
    uint32_t expected; /* listings */
    uint64_t population;
    uint64_t property_count;
    tl_market_tier tier;
    tl_region region;
} tl_place;

/* --- what a validator writes down about one miner's listings of one zipcode (core/listings/shard) --- */

#define TL_FINDING_INDICES_MAX 16
#define TL_SHEET_FINDINGS_MAX  TL_LISTING_RULE_COUNT /* one a rule */
#define TL_SAMPLES_MAX         15                    /* ten, and five in reserve */
#define TL_SUBMISSION_ROWS_MAX ((uint32_t)100000)    /* of one miner and zipcode */
#define TL_ENTRIES_MAX         ((size_t)65536)       /* miners of one zipcode */

/* tl_finding: one rule that speaks, so that the miner can reproduce it. */
typedef struct tl_finding {
    tl_listing_rule rule;
    uint32_t count; /* listings that it concerns */
    uint32_t rate_millionths;
    uint32_t indices[TL_FINDING_INDICES_MAX]; /* the first of them, ascending */
    uint32_t index_count;
    tl_str peer; /* hotkey whose submission it resembles; empty: none */
} tl_finding;

/* tl_sample: one listing that the spot check asks the world about, with what the miner claims of it. */
typedef struct tl_sample {
    uint32_t index;
    tl_str identity;
    tl_str address; /* normalised */
    char zipcode[6];
    int64_t price_cents;         /* 0: not claimed */
    int64_t bedrooms_hundredths; /* -1: not claimed */
    int64_t bathrooms_hundredths;
    tl_str status; /* listing_status, upper case */
} tl_sample;

typedef struct tl_sheet {
    tl_str hotkey; /* SS58 */
    tl_str coldkey;
    tl_hash32 content_hash;
    int64_t received_ms; /* the coordinator's receipt */
    uint32_t rows;
    uint32_t complete; /* listings that hold … */
    uint32_t reasonable;
    uint32_t consistent;
    uint32_t distinct;
    bool passes_tier1;
    bool passes_tier2;
    bool is_synthetic;
    bool
        is_disqualified; /* by its own listings: synthetic at the threshold; honeypot hits are evidence, not here */
    uint32_t confidence_millionths; /* of is_synthetic */
    uint32_t data_quality_millionths;
    uint32_t completeness_millionths; /* rows of the expected */
    uint32_t timeliness_millionths;
    const tl_finding *findings; /* by rule, each at most once */
    size_t finding_count;
    const tl_sample *samples; /* those that are asked first, then the reserve, in the order drawn */
    size_t sample_count;
    size_t sample_asked; /* how many of them are asked first */
} tl_sheet;

/* --- parameters (params.c): of the tally profile, complete, part of every bundle --- */

typedef struct tl_listings_params {
    uint32_t tolerance_bp;          /* tier 1: 1500 */
    uint32_t completeness_bp_min;   /* 9000 */
    uint32_t values_bp_min;         /* 9500 */
    uint32_t consistency_bp_min;    /* 9000 */
    uint32_t duplicates_bp_max;     /* 500 */
    uint32_t sample_bp;             /* 1000 of the rows … */
    uint32_t sample_min;            /* … at least 3 … */
    uint32_t sample_max;            /* … at most 10 */
    uint32_t sample_reserve;        /* 5 */
    uint32_t sample_judged_min;     /* 3 */
    uint32_t spot_check_bp_min;     /* 8000 */
    uint32_t evidence_stake_bp_min; /* 3333: below, a listing leaves the sample */
    uint32_t price_z_thousandths;   /* 3500 */
    uint32_t price_bp_max;          /* 1000 */
    uint32_t geography_bp_max;      /* 500 */
    uint32_t geography_metres;      /* 15000 */
    uint32_t time_bp_max;           /* 500 */
    uint32_t same_second_bp_max;    /* 5000 */
    uint32_t synthetic_bp_min;      /* 7000 */
    uint32_t place_bp[3];           /* 5500, 3000, 1000 */
    uint32_t participation_bp;      /* 500 */
    uint32_t validators_min;        /* 2 */
    uint32_t quorum_bp_min;         /* 5000: more than this of the stake must take part */
    uint32_t majority_bp_min;       /* 9000 */
    uint32_t fallback_bp_min;       /* 7000 */
    tl_rao emission;                /* of an epoch: 10^12 */
    tl_hotkey burn;                 /* what nobody earned; zeros: the ledger's burn account */
} tl_listings_params;

void tl_listings_params_default(tl_listings_params *out);

/* tl_listings_params_read: members of given over the defaults; given may be NULL.
 * Errors: TL_ERR_UNKNOWN, TL_ERR_TYPE, TL_ERR_RANGE with the name as field. */
TL_MUST_USE tl_err tl_listings_params_read(tl_listings_params *out, const tl_json *given,
                                           tl_errctx *ctx);

/* tl_listings_params_put: all of them as one JSON object, keys ascending. */
void tl_listings_params_put(tl_json_writer *w, const tl_listings_params *params);

/* --- sheets as JSON (sheet.c): canonical, keys ascending --- */

void tl_sheet_put(tl_json_writer *w, const tl_sheet *sheet);

/* tl_sheet_read: texts look into the tree. Errors: of base/json, field named; TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_sheet_read(tl_sheet *out, tl_arena *arena, const tl_json *value,
                                 tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
