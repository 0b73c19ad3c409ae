/* race_internal: one run of the race, as its sources share it. */
#ifndef TALLY_CORE_LISTINGS_RACE_INTERNAL_H
#define TALLY_CORE_LISTINGS_RACE_INTERNAL_H

#include "core/listings/race/race.h"

#define TL__WHOLE_BP 10000
#define TL__MILLION  1000000

/* tl__tally: what the evidence says of one submission, by stake (merge.c). */
typedef struct tl__tally {
    int64_t pass[TL_SAMPLES_MAX]; /* rao of stake */
    int64_t fail[TL_SAMPLES_MAX];
} tl__tally;

typedef struct tl__race {
    tl_arena *arena;
    const tl_race_input *in;
    tl_race_result *out;
    const tl_race_zipcode *zipcodes;     /* ascending */
    const tl_race_validator *validators; /* by hotkey bytes */
    tl_race_entry *entries;              /* by zipcode, then race order */
    size_t *by_hotkey;                   /* indexes of entries, by zipcode, then hotkey bytes */
    tl__tally *tallies;                  /* an entry each */
    bool (*fails)[TL_SAMPLES_MAX];       /* an entry each: samples that the majority failed */
    size_t *first_of_coldkey; /* an entry each, meant where the outcome is SAME_COLDKEY */
    tl_race_line *lines;      /* by hotkey bytes until they are paid */
    uint64_t *paid_units;     /* a line each */
    uint64_t *held_units;
    uint64_t burn_units;
    uint64_t all_units;
} tl__race;

/* Total orders. */
int tl__zipcode_cmp(const char a[6], const char b[6]);

/* evidence.c: are the items in order, and of this epoch? */
bool tl__evidence_is_of(const tl_evidence *evidence, tl_str epoch_id);

/* merge.c: tallies, checks, honeypot hits of every entry. */
tl_err tl__race_merge(tl__race *race, tl_errctx *ctx);

/* places.c: outcomes, findings, lines with their units. */
tl_err tl__race_place(tl__race *race, tl_errctx *ctx);

/* pay.c: rao and weights of the lines, then their order. */
tl_err tl__race_pay(tl__race *race, tl_errctx *ctx);

/* put.c: the three roots. */
tl_err tl__race_root(tl__race *race, tl_errctx *ctx);

/* tl__race_line_find: the line of a hotkey; lines ascend by hotkey bytes. NULL: none. */
tl_race_line *tl__race_line_find(tl_race_line *lines, size_t count, const tl_hotkey *hotkey);

#endif
