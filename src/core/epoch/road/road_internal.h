/* road_internal: one run of the road, as its sources share it. */
#ifndef TALLY_CORE_EPOCH_ROAD_INTERNAL_H
#define TALLY_CORE_EPOCH_ROAD_INTERNAL_H

#include "core/epoch/road/road.h"

/* tl__run: filled station by station, in this order. */
typedef struct tl__run {
    tl_arena *arena;
    const tl_subnet *subnet;
    tl_road_result *out;
    bool was_extended;
    tl_carry carry; /* as it came in */
    const tl_json *balances;
    void *world;
    tl_submission *submissions; /* in the order of the inputs */
    size_t submission_count;
    tl_bonds bonds;
    tl_road_validator *validators;
    const tl_json **reported; /* a validator's own row, or JSON null */
    tl_admission *admissions;
    const tl_submission **peers; /* admitted and valid, by commit height, then hotkey */
    size_t peer_count;
    size_t *peer_order;    /* indexes of peers, ascending by hotkey */
    tl_scoreboard *boards; /* one a feed */
    size_t reference;      /* the feed whose scores are shown */
    tl_road_line *lines;
} tl__run;

/* rows.c: what validator v says, from its feed, or as it reported; sets is_faithful. */
tl_err tl__row_of(tl_row *out, tl__run *run, size_t v, tl_errctx *ctx);

/* lines.c: the scoreboard, sorted; then the settlement of those whose ante is locked. */
tl_err tl__draw_lines(tl__run *run, tl_errctx *ctx);
tl_err tl__settle(tl__run *run, tl_errctx *ctx);

/* results.c */
tl_err tl__results_put(tl__run *run, tl_errctx *ctx);

#endif
