/* evaluate: how well the rules of the listings network tell cheats from honest miners, on anyone's table of real houses.
 * For         detection and false-alarm rates that can be measured again, on data that nobody here has seen
 * Takes       a table of sales or listings (CSV), which column is what, a seed
 * Gives       rates, a submission being the unit; the table as houses, for a check against it
 * Calls       core/listings/shard and spot (the validators' own code), io/sys     Called by   app/cli
 * Owns        nothing: tables and results live in the arena passed in
 * Threads     tl_evaluate_run drives the pool it is given; the rest anywhere
 * Invariants  EVAL-1 the same table and seed give the same rates, whatever the number of threads
 *             EVAL-2 an honest submission holds nothing that a house of the table does not, but for the small differences
 *                    listed below
 *             EVAL-3 a cheat is played beyond its rule's threshold, never below
 * Read        table.c (columns, cells), world.c (houses), honest.c, cheats.c, render.c, play.c
 *
 *      CSV ─▶ table ─▶ zipcodes of 30 houses and more ─▶ rounds: ten honest miners and each cheat once, one zipcode
 *                                    │                        │ JSON, as miners upload it
 *                                    └── the world ──▶ spot ◀─┴─▶ shard (record, near) ─▶ sheets ─▶ who is accused, of what
 *
 * A round is one zipcode of one epoch. There are as many as it takes for 200 of each cheat and 1,000 honest ones, the
 * zipcodes taken in turn; of a zipcode of more than TL_EVALUATE_HOUSES_MAX houses a round has that many, drawn anew. The
 * epoch begins on the day after the last date of the table. A house that was sold twice is listed once, as it was last.
 *
 * Honest: 90 to 100 % of the houses, in an own order (shuffled, by price, by id, as the source has them); an own way to write
 * addresses (case, "Street" for "ST", zip+4, commas), numbers and times (milliseconds or seconds); 1 % of the prices stale
 * by up to 5.1 %, as the house was offered before; up to 1 % of rooms, areas and types missing; areas rounded to tens by some.
 *
 * What a cheat does, to how much of the rows, and from where on its rule must speak:
 *
 *      impossible_prices  12 … 60 % at z = 4 … 9 of the zipcode's own log price per area       10 % at 3.5
 *                         (where no type has a dozen homes: above the limit of tier 2)          5 %
 *      wrong_geography    6 … 60 % from elsewhere: coordinates, city, state or zipcode          5 %
 *      impossible_dates   6 … 60 % listed after the scrape, below zero days, out of the epoch   5 %
 *                         or 55 … 100 % in one second                                          50 %
 *      duplicates         6 … 12 % twice, with one identity                                     5 %
 *      duplicates_near    6 … 12 % twice, under other ids, addresses respelled, price shaken    5 %
 *      copy_exact         another one's rows
 *      copy_near          another one's rows, in a new order; each kind of noise hits up to half of them: price and area
 *                         shaken by up to 1 %, addresses respelled, rows dropped (8 %), rows added, times
 *                         moved together or made up anew; TL_EVALUATE_MARKS of the original's own slips and gaps, or
 *                         two thirds of its times, are left: below that nobody could tell
 *      sybil              one scrape under three to five hotkeys, of one or of several coldkeys, with such noise
 *      honeypot           one to five listings of the mirror among the others
 *      fabricated         every row invented: rooms, area, price, date of other houses of the zipcode, mixed and shaken
 */
#ifndef TALLY_APP_EVALUATE_H
#define TALLY_APP_EVALUATE_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "core/listings/model/model.h"
#include "core/listings/place/place.h"
#include "io/sys/sys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- the table (table.c, cells.c) --- */

#define TL_EVALUATE_ROWS_MAX    ((size_t)1000000)
#define TL_EVALUATE_COLUMNS_MAX 512
#define TL_EVALUATE_ZIP_MIN     30 /* houses; zipcodes with fewer are left out of the draw */

/* X(NAME, key): what a column may be. Those of a listing have its keys. */
#define TL_EVALUATE_COLUMN_MAP(X)                                                                  \
    X(PRICE, "price")                                                                              \
    X(ZIPCODE, "zipcode")                                                                          \
    X(ADDRESS, "address")                                                                          \
    X(BEDROOMS, "bedrooms")                                                                        \
    X(BATHROOMS, "bathrooms")                                                                      \
    X(SQFT, "sqft")                                                                                \
    X(DATE, "listing_date")                                                                        \
    X(TYPE, "property_type")                                                                       \
    X(STATUS, "listing_status")                                                                    \
    X(DAYS, "days_on_market")                                                                      \
    X(MLS_ID, "mls_id")                                                                            \
    X(URL, "source_url")                                                                           \
    X(ZPID, "zpid")                                                                                \
    X(ID, "id")                                                                                    \
    X(CITY, "city")                                                                                \
    X(STATE, "state")                                                                              \
    X(LATITUDE, "latitude")                                                                        \
    X(LONGITUDE, "longitude")

typedef enum tl_evaluate_column {
#define TL_EVALUATE_COLUMN_ENUM(name, key) TL_EVALUATE_##name,
    TL_EVALUATE_COLUMN_MAP(TL_EVALUATE_COLUMN_ENUM)
#undef TL_EVALUATE_COLUMN_ENUM
        TL_EVALUATE_COLUMN_COUNT
} tl_evaluate_column;

const char *tl_evaluate_column_key(tl_evaluate_column column);

/* tl_evaluate_house: a row of the table. Texts are empty, numbers -1, where the table does not say. */
typedef struct tl_evaluate_house {
    char zipcode[6];
    bool has_position;
    uint32_t
        made_up; /* bits of tl_evaluate_column: made from id and zipcode, once the table is a world */
    uint32_t line; /* of the file, from 1 */
    tl_str id;
    tl_str address; /* as written */
    tl_str city;
    tl_str state;
    tl_str type;
    tl_str status;
    tl_str mls_id;
    tl_str url;
    tl_str zpid;
    int64_t price_cents;
    int64_t bedrooms_hundredths;
    int64_t bathrooms_hundredths;
    int64_t sqft_hundredths;
    int64_t listed_day; /* since 1970-01-01; INT64_MIN: not said */
    int64_t days_on_market;
    int32_t latitude_e6;
    int32_t longitude_e6;
} tl_evaluate_house;

typedef struct tl_evaluate_table {
    tl_evaluate_house *houses; /* by zipcode, then as the file has them */
    size_t count;
    size_t rows; /* that could be read */
    size_t
        skipped; /* that could not: no price within the rules' limits, no zipcode, a broken line */
    tl_str names[TL_EVALUATE_COLUMN_COUNT]; /* of the columns in use; empty: there is none */
} tl_evaluate_table;

/* tl_evaluate_table_read: a table with a header. Comma, semicolon or tab, whichever the header has most of.
 *
 * csv   must live as long as the table
 * maps  map_count texts "field=column,…"; field one of the keys above, or any usual name of such a column; "field=" is
 *       none. What is not mapped is found by the usual names (cells.c), whatever their case and punctuation
 *
 * Errors: TL_ERR_MISSING (no header, no price, neither zipcode nor address; a column that is not there), TL_ERR_UNKNOWN
 * and TL_ERR_SYNTAX (field "map"), TL_ERR_LIMIT; those of the arena. A row that cannot be read is no error. */
TL_MUST_USE tl_err tl_evaluate_table_read(tl_evaluate_table *out, tl_arena *arena, tl_str csv,
                                          const char *const *maps, size_t map_count,
                                          tl_errctx *ctx);

/* --- the evaluation (play.c) --- */

#define TL_EVALUATE_HOUSES_MAX  600 /* of one round */
#define TL_EVALUATE_CHEATS_MIN  200 /* of each cheat */
#define TL_EVALUATE_HONEST      10  /* of each round */
#define TL_EVALUATE_MARKS       12  /* slips and gaps that a near copy keeps, at the least */
#define TL_EVALUATE_MARKS_SYBIL 18  /* what three to five bear tells less of each two */

/* X(NAME, key): the cheats (cli spec). */
#define TL_EVALUATE_CHEAT_MAP(X)                                                                   \
    X(COPY_EXACT, "copy_exact")                                                                    \
    X(COPY_NEAR, "copy_near")                                                                      \
    X(DUPLICATES, "duplicates")                                                                    \
    X(DUPLICATES_NEAR, "duplicates_near")                                                          \
    X(FABRICATED, "fabricated")                                                                    \
    X(HONEYPOT, "honeypot")                                                                        \
    X(IMPOSSIBLE_DATES, "impossible_dates")                                                        \
    X(IMPOSSIBLE_PRICES, "impossible_prices")                                                      \
    X(SYBIL, "sybil")                                                                              \
    X(WRONG_GEOGRAPHY, "wrong_geography")

typedef enum tl_evaluate_cheat {
#define TL_EVALUATE_CHEAT_ENUM(name, key) TL_EVALUATE_CHEAT_##name,
    TL_EVALUATE_CHEAT_MAP(TL_EVALUATE_CHEAT_ENUM)
#undef TL_EVALUATE_CHEAT_ENUM
        TL_EVALUATE_CHEAT_COUNT,
    TL_EVALUATE_HALF_INVENTED = TL_EVALUATE_CHEAT_COUNT, /* measured, not promised */
    TL_EVALUATE_PLAYED_COUNT
} tl_evaluate_cheat;

const char *tl_evaluate_cheat_key(tl_evaluate_cheat cheat); /* also of half_invented */

/* tl_evaluate_count: of how many submissions which rules spoke. */
typedef struct tl_evaluate_count {
    uint64_t played;
    uint64_t accused; /* by any rule */
    uint64_t by[TL_LISTING_RULE_COUNT];
} tl_evaluate_count;

typedef struct tl_evaluate_result {
    size_t rows;
    size_t skipped;
    size_t zipcodes;
    size_t rounds;
    uint64_t submissions;
    uint64_t listings;
    uint64_t seed;
    uint32_t made_up; /* bits of tl_evaluate_column */
    tl_evaluate_count honest;
    tl_evaluate_count cheats[TL_EVALUATE_PLAYED_COUNT];
    size_t places_known; /* zipcodes whose place is that of the table of zipcodes … */
    size_t places_own;   /* … of the data, which has it otherwise, or alone … */
    size_t places_open;  /* … and those in which cities, states or coordinates are not compared */
} tl_evaluate_result;

/* tl_evaluate_options: places NULL or empty: the data alone says where its zipcodes lie. progress may be NULL. */
typedef struct tl_evaluate_options {
    uint64_t seed;
    const tl_places *places;
    const tl_listings_params *params;
    tl_pool *pool;
    void (*progress)(void *self, uint64_t done, uint64_t total);
    void *self;
} tl_evaluate_options;

/* tl_evaluate_run: Errors: TL_ERR_MISSING when no zipcode has TL_EVALUATE_ZIP_MIN houses; TL_ERR_INTERRUPTED; those of the
 * rooms below. The table's houses are filled up with what is made up. */
TL_MUST_USE tl_err tl_evaluate_run(tl_evaluate_result *out, tl_arena *arena,
                                   tl_evaluate_table *table, const tl_evaluate_options *options,
                                   tl_errctx *ctx);

/* tl_evaluate_put: the result as the command prints it: keys ascending; rates with six decimals at most. */
void tl_evaluate_put(tl_json_writer *w, const tl_evaluate_result *result);

#ifdef __cplusplus
}
#endif

#endif
