/* A court: one round's ballots and what is made of them. */
#ifndef TALLY_APP_COORDINATOR_KEEPER_JUDGE_INTERNAL_H
#define TALLY_APP_COORDINATOR_KEEPER_JUDGE_INTERNAL_H

#include "app/coordinator/keeper/keeper_internal.h"
#include "core/listings/race/race.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl__keeper_voice {
    tl_hotkey hotkey;
    tl_api_member member;
    const tl_record_ballot *ballot; /* NULL: none was cast */
    const tl_json *body;            /* of a revealed one */
    tl_hash32 form;                 /* SHA-256 over what the document would take over */
    uint32_t streak;                /* epochs running off the majority, before this one */
} tl__keeper_voice;

typedef struct tl__keeper_court {
    tl_keeper *keeper;
    const tl_record_epoch *epoch;
    tl_arena *arena;
    int64_t now_ms;
    tl_listings_params params;
    const tl_json *carry;
    const tl_keeper_peer *peers; /* the metagraph, by hotkey bytes */
    size_t peer_count;
    tl__keeper_voice *voices; /* by hotkey bytes; one a ballot of the verdict */
    tl_race_ballot *ballots;
    size_t count;
    tl_race_verdict_out verdict;
    const tl__keeper_voice *top;  /* whose form is told; NULL: nobody's */
    const tl_race_weight *median; /* of MEDIAN_WEIGHTS; NULL else */
    size_t median_count;
} tl__keeper_court;

/* Members of a revealed result that the document takes over, ascending. */
#define TL__KEEPER_TOLD 7
extern const char *const tl__keeper_told[TL__KEEPER_TOLD];

/* document.c */
TL_MUST_USE tl_err tl__keeper_median(tl__keeper_court *court, tl_errctx *ctx);
TL_MUST_USE tl_err tl__keeper_publish(const tl__keeper_court *court, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
