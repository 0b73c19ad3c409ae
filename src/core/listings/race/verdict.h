/* verdict: the part of race.h about the validators' agreement (listings spec section 8). Include race.h.
 *
 * Shares are of the stake of those who gave a result. Quorum: at least validators_min of them, with more than quorum_bp_min
 * of the whole stake. Round 1 ends the results' window; round 2 ends the re-validation window.
 *
 *   round  when                                      status                pays  next       review
 *   any    one result or none                        NO_OTHER_VALIDATORS   no    1: extend, 2: fail   2: yes
 *   any    no quorum                                 NO_QUORUM             no    1: extend, 2: fail   2: yes
 *   any    one hash                                  PERFECT_CONSENSUS     yes   agree      no
 *   any    the top hash >= majority_bp_min           MAJORITY_CONSENSUS    yes   agree      no
 *   1      less, or a tie for the first place        CONSENSUS_FAILED      no    extend     no
 *   2      the top hash >= fallback_bp_min           MAJORITY_FALLBACK     yes   agree      yes
 *   2      less, or a tie                            MEDIAN_WEIGHTS        yes   agree      yes
 *
 * extend: scores are held, evidence is exchanged once more, every validator commits and reveals again. fail: nothing is
 * paid. review: a person looks at it. Median: each hotkey's stake-weighted lower median of the weights that were revealed;
 * pay is split by these.
 *
 * Outliers are the validators with a result off the top hash, with the first section in which they differ. Whoever is one
 * in TL_OUTLIER_HALF epochs running counts with half of its stake until it agrees again, in TL_OUTLIER_NONE with none. */

#ifndef TALLY_CORE_LISTINGS_RACE_VERDICT_H
#define TALLY_CORE_LISTINGS_RACE_VERDICT_H

#include "core/listings/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_race_roots {
    tl_hash32 evidence; /* what each validator found out, with its stake */
    tl_hash32 score;    /* sheets, places, findings */
    tl_hash32 weight;   /* pay and weights */
    tl_hash32 hash;     /* SHA-256("tally/listings/roots/1" ‖ 0 ‖ the three) */
} tl_race_roots;

#define TL_RACE_STATUS_MAP(X)                                                                      \
    X(NO_OTHER_VALIDATORS, "NO_OTHER_VALIDATORS")                                                  \
    X(NO_QUORUM, "NO_QUORUM")                                                                      \
    X(PERFECT_CONSENSUS, "PERFECT_CONSENSUS")                                                      \
    X(MAJORITY_CONSENSUS, "MAJORITY_CONSENSUS")                                                    \
    X(CONSENSUS_FAILED, "CONSENSUS_FAILED")                                                        \
    X(MAJORITY_FALLBACK, "MAJORITY_FALLBACK")                                                      \
    X(MEDIAN_WEIGHTS, "MEDIAN_WEIGHTS")

typedef enum tl_race_status {
#define TL_RACE_STATUS_ENUM(name, text) TL_RACE_##name,
    TL_RACE_STATUS_MAP(TL_RACE_STATUS_ENUM)
#undef TL_RACE_STATUS_ENUM
        TL_RACE_STATUS_COUNT
} tl_race_status;

const char *tl_race_status_name(tl_race_status status);
bool tl_race_status_parse(tl_race_status *out, tl_str text);

typedef enum tl_race_next { TL_RACE_AGREE, TL_RACE_EXTEND, TL_RACE_FAIL } tl_race_next;

typedef struct tl_race_ballot {
    tl_hotkey hotkey;
    tl_rao stake; /* that counts */
    bool has_result;
    tl_race_roots roots; /* hash is what is compared */
} tl_race_ballot;

/* X(NAME, text): where an outlier parts from the others first. */
#define TL_RACE_SECTION_MAP(X)                                                                     \
    X(EVIDENCE, "evidence")                                                                        \
    X(SCORE, "score")                                                                              \
    X(WEIGHT, "weight")                                                                            \
    X(HASH, "hash") /* the roots are the same: its hash is not that of its roots */

typedef enum tl_race_section {
#define TL_RACE_SECTION_ENUM(name, text) TL_RACE_SECTION_##name,
    TL_RACE_SECTION_MAP(TL_RACE_SECTION_ENUM)
#undef TL_RACE_SECTION_ENUM
        TL_RACE_SECTION_COUNT
} tl_race_section;

const char *tl_race_section_name(tl_race_section section);

typedef struct tl_race_outlier {
    size_t ballot;
    tl_race_section section;
} tl_race_outlier;

typedef struct tl_race_verdict_out {
    tl_race_status status;
    tl_race_next next;
    bool pays;
    bool needs_review;
    uint32_t rate_millionths; /* of the stake with a result, on the top hash */
    bool has_top;             /* false: no result, or a tie */
    tl_race_roots top;
    uint32_t result_count;
    tl_rao stake_with_result;
    tl_rao stake_total;
    const tl_race_outlier *outliers; /* by hotkey bytes; none without a top hash */
    size_t outlier_count;
} tl_race_verdict_out;

/* tl_race_verdict: one round's verdict. The own ballot stands among the others, once.
 *
 * round   1 or 2 (asserted)
 * Errors  TL_ERR_DUPLICATE a hotkey twice; TL_ERR_RANGE a negative stake; TL_ERR_OVERFLOW; those of the arena */
TL_MUST_USE tl_err tl_race_verdict(tl_race_verdict_out *out, tl_arena *arena,
                                   const tl_race_ballot *ballots, size_t count,
                                   const tl_listings_params *params, uint32_t round,
                                   tl_errctx *ctx);

/* tl_race_roots_hash: the hash of three roots. */
void tl_race_roots_hash(tl_race_roots *io);

/* tl_race_commit: SHA-256("hash:salt"), hash as lower-case hex: what a validator commits before it reveals. */
void tl_race_commit(tl_hash32 *out, const tl_hash32 *hash, tl_str salt);

#define TL_OUTLIER_HALF 3
#define TL_OUTLIER_NONE 6

/* tl_race_streak: the epochs running in which a validator was off the majority; one that gave no result keeps its own. */
uint32_t tl_race_streak(uint32_t before, bool has_result, bool is_outlier);

/* tl_race_stake_counted: what a validator's stake counts for with that streak. */
tl_rao tl_race_stake_counted(tl_rao stake, uint32_t streak);

/* --- median weights (median.c) --- */

typedef struct tl_race_weight {
    tl_hotkey hotkey; /* zeros: the burn */
    uint16_t weight_u16;
} tl_race_weight;

typedef struct tl_race_row {
    tl_rao stake;
    const tl_race_weight *weights; /* ascending by hotkey; who is missing has 0 */
    size_t count;
} tl_race_row;

/* tl_race_median: the stake-weighted lower median of each hotkey's weight, max-upscaled to u16; hotkeys ascending.
 * Errors: TL_ERR_CANONICAL a row out of order; TL_ERR_RANGE; those of the arena */
TL_MUST_USE tl_err tl_race_median(const tl_race_weight **out, size_t *out_count, tl_arena *arena,
                                  const tl_race_row *rows, size_t row_count, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
