/* evaluate_internal.h: what the sources of the room share. */
#ifndef TALLY_APP_EVALUATE_INTERNAL_H
#define TALLY_APP_EVALUATE_INTERNAL_H

#include "app/evaluate/evaluate.h"
#include "base/vec/vec.h"
#include "core/num/rng/rng.h"

#define TL__DAY_MS INT64_C(86400000)

/* --- cells (cells.c): each false, the output untouched, when the text is no such thing --- */

bool tl__cell_number(double *out, tl_str text);                    /* $1,225,000 1.225e+006 */
bool tl__cell_hundredths(int64_t *out, tl_str text);               /* of such a number, rounded */
bool tl__cell_degrees(int32_t *out_e6, tl_str text, int32_t most); /* ± most degrees */
bool tl__cell_zipcode(char out[6], tl_str text);                   /* 98101 98101-1234 601.0 */
bool tl__cell_address_zipcode(char out[6], tl_str address);        /* its last five digits alone */
bool tl__cell_day(int64_t *out_day, tl_str text);                  /* since 1970-01-01 */
tl_str tl__cell_text(tl_str text);                                 /* "NA", "null", "-" are empty */

/* tl__column_of: the column that this is a usual name of; case and punctuation do not count. */
bool tl__column_of(tl_evaluate_column *out, tl_str name);

/* tl__column_rank: how early among the usual names of a column this one stands; SIZE_MAX: none of them. */
size_t tl__column_rank(tl_evaluate_column column, tl_str name);

/* --- worlds (world.c) --- */

/* tl__level: what homes of one type cost here, as the rules see it. */
typedef struct tl__level {
    double median; /* of log(price / area) */
    double mad;    /* 0: no home of this type can be out of the way */
    size_t count;
} tl__level;

/* tl__zip: one zipcode: houses once each, all of their fields there, and where it lies. */
typedef struct tl__zip {
    tl_evaluate_house *houses;
    size_t count;
    tl_place place;
    bool is_known; /* the place is that of the table of zipcodes in all that is compared */
    bool is_open;  /* something of it is not compared */
    tl__level levels[TL_PROPERTY_OTHER + 1];
} tl__zip;

typedef struct tl__world {
    tl__zip *zips;
    size_t count;
    uint32_t made_up;
    int64_t start_ms; /* of the epoch */
    int64_t deadline_ms;
} tl__world;

/* tl__world_make: from the table, whose houses are filled up. */
TL_MUST_USE tl_err tl__world_make(tl__world *out, tl_arena *arena, tl_evaluate_table *table,
                                  const tl_places *places, tl_errctx *ctx);

/* tl__find_place: zip->place from the table of zipcodes and the houses (where.c). places may be NULL. */
void tl__find_place(tl__zip *zip, const tl_places *places);

/* tl__hash_of: of a house's id and zipcode, and what for: everything that is made up follows from it. */
uint64_t tl__hash_of(const tl_evaluate_house *house, const char *what);

/* tl__price_before: what the house was offered for earlier, up to 5.1 % more or less. */
int64_t tl__price_before(const tl_evaluate_house *house);

/* --- submissions (honest.c, cheats.c) --- */

typedef enum tl__spelling {
    TL__AS_WRITTEN,
    TL__UPPER,
    TL__LOWER,
    TL__OTHER_WORDS, /* Street for St, and the other way round */
    TL__DOTTED,      /* St., and two spaces */
    TL__SPELLINGS
} tl__spelling;

/* tl__style: how one miner writes. */
typedef struct tl__style {
    tl__spelling spelling;
    unsigned numbers; /* 0: 650000, 1: 650000.0, 2: "650000" */
    unsigned dates;   /* 0: 2014-10-13, 1: 2014-10-13T00:00:00Z, 2: 20141013T000000 */
    bool has_ms;
    bool rounds_area;
    bool adds_four; /* zip+4 */
} tl__style;

enum { TL__NO_ROOMS = 1, TL__NO_BATHS = 2, TL__NO_AREA = 4, TL__NO_TYPE = 8 };

/* tl__row: one listing of a submission. */
typedef struct tl__row {
    const tl_evaluate_house *house; /* whose texts it bears, but for those below */
    int64_t price_cents;
    int64_t bedrooms_hundredths;
    int64_t bathrooms_hundredths;
    int64_t sqft_hundredths;
    int64_t listed_ms;
    int64_t scraped_ms;
    int64_t days_on_market;
    int32_t latitude_e6;
    int32_t longitude_e6;
    uint32_t absent;  /* TL__NO_… */
    uint32_t variant; /* 0: the house's own ids; else others */
    uint32_t typo;    /* 0: none; else which */
    uint32_t number;  /* 0: the house's own number in the street; else this one */
    uint32_t slips;   /* that a copy would carry along */
    char zipcode[6];
    tl_str city; /* ptr NULL: the house's */
    tl_str state;
} tl__row;

typedef struct tl__sheet {
    tl__row *rows;
    size_t count;
    size_t cap;
    tl__style style;
    int64_t received_ms;
    unsigned role; /* a tl_evaluate_cheat, TL__HONEST, TL__ORIGINAL */
} tl__sheet;

#define TL__HONEST   ((unsigned)TL_EVALUATE_PLAYED_COUNT)
#define TL__ORIGINAL (TL__HONEST + 1) /* the first of a sybil cluster: nobody need see through it */

#define TL__TRAPS 12

typedef struct tl__round {
    tl_arena *arena;
    tl_arena *paper; /* what is written for one upload */
    const tl__world *world;
    const tl__zip *zip; /* its houses are those of this round */
    const tl_places *places;
    tl__row *traps; /* TL__TRAPS listings of the mirror that are nowhere else */
    tl_xoshiro rng;
} tl__round;

double tl__unit(tl__round *r);
uint64_t tl__below(tl__round *r, uint64_t n);
bool tl__chance(tl__round *r, double share);
double tl__between(tl__round *r, double low, double high);

/* tl__evaluate_row_of: a house as the world has it. */
tl__row tl__evaluate_row_of(const tl_evaluate_house *house);

/* tl__scrape: an honest miner's submission of that share of the houses. cap: rows that may be there later. */
TL_MUST_USE tl_err tl__scrape(tl__sheet *out, tl__round *r, double share, bool has_ms,
                              tl_errctx *ctx);
void tl__shuffle(tl__round *r, tl__row *rows, size_t count);
void tl__stamp(tl__round *r, tl__sheet *sheet);

/* tl__play: a cheat's submission. from: honest ones of the round, from_count of them, for those who copy. *out_count 0: this
 * cheat cannot be played here; of sybils several, the first an original. out: room for TL__SYBILS_MAX. */
#define TL__SYBILS_MAX 5
TL_MUST_USE tl_err tl__play(tl__sheet *out, size_t *out_count, tl_evaluate_cheat cheat,
                            tl__round *r, const tl__sheet *from, size_t from_count, tl_errctx *ctx);

/* tl__invent: a house that is not there, by what others of the zipcode are. */
tl__row tl__invent(tl__round *r);

/* --- as uploaded (render.c) --- */

/* tl__render: {"zipcode","listings":[…]}. */
TL_MUST_USE tl_err tl__render(tl_str *out, tl_arena *arena, const tl__zip *zip, const tl__row *rows,
                              size_t count, const tl__style *style, tl_errctx *ctx);

#endif
