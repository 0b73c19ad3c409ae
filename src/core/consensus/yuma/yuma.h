/* yuma: the chain's consensus epoch, exact to the bit.
 * For         incentive, dividends and bonds of a subnet from its validators' weights (chain spec 1.1 to 1.9)
 * Takes       a tl_yuma_input: parameters, stakes, sparse weight and bond rows in their stored order
 * Gives       a tl_yuma_output: what the chain stores (u16, u64, bond rows) and the raw numbers before rounding
 * Calls       core/num/fixed                   Called by   core/consensus/join, core/chain, app/conformance
 * Owns        nothing: the output lives in the arena; scratch is a child arena, gone at return
 * Threads     pure functions, anywhere
 * Invariants  YUMA-1 stake, active stake, consensus, incentive, dividends, trust: each in [0, 1], and stake, active
 *             stake, incentive and dividends sum to at most 1 (whenever the total stake is below 2^63)
 *             YUMA-2 what is paid never exceeds rao_emission, and server + validator never exceeds combined, per uid
 *             YUMA-3 only uids with a new permit have a bond row, and its uids are below n
 *             YUMA-4 at most max_allowed_validators permits, the owner's besides
 * Read        epoch.c from tl_yuma_epoch() down, then median.c, bonds.c; math.c has the small operations
 *
 *   stakes ─▶ S ─▶ new permits            stored weights ─▶ masks ─▶ W ─▶ C (median) ─▶ Wc = min(W, C)
 *             └──▶ A (active)                                │                │         │
 *                                                            └──▶ Wb ◀────────┼─────────┤ penalty
 *   stored bonds ─▶ masks ─▶ B ─▶ EMA with Wb ─▶ EB ─▶ D      I = R / ΣR ◀─── R = ΣA·Wc ┘
 *
 *   Sparse rows (CSR): entries of row i are entries[starts[i] … starts[i + 1]), in the order in which they were stored,
 *   which is not always ascending and matters (step 9 of liquid alpha, order of stored bonds):
 *
 *     starts   [ 0 | 2 | 2 | 5 ]            n + 1 of them
 *     entries  [ (3, 65535) (1, 200) | | (0, 7) (2, 65535) (5, 1) ]
 */
#ifndef TALLY_CORE_CONSENSUS_YUMA_H
#define TALLY_CORE_CONSENSUS_YUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "core/num/fixed/fixed.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The chain's own ceiling: storage index = mecid * 4096 + netuid, and sums are exact up to it. */
#define TL_YUMA_NEURONS_MAX    4096
#define TL_YUMA_MECHANISMS_MAX 16 /* 65536 / 4096 */
#define TL_YUMA_NO_OWNER       (-1)
#define TL_YUMA_NO_COMMIT      UINT64_MAX

/* tl_yuma_entry: one stored weight or bond. */
typedef struct tl_yuma_entry {
    uint16_t uid;
    uint16_t value;
} tl_yuma_entry;

/* tl_yuma_rows: n sparse rows. Uids within a row are unique; those >= n are skipped. */
typedef struct tl_yuma_rows {
    const uint32_t *starts; /* n + 1, ascending from 0 */
    const tl_yuma_entry *entries;
} tl_yuma_rows;

/* tl_yuma_params: hyperparameters as the chain stores them; tl_yuma_params_default gives chain spec 1.9. */
typedef struct tl_yuma_params {
    uint16_t kappa;                /* / 65535 */
    uint16_t bonds_penalty;        /* / 65535 */
    uint64_t bonds_moving_average; /* / 1,000,000 */
    bool yuma3;
    bool liquid_alpha; /* with yuma3 only */
    uint16_t alpha_low;
    uint16_t alpha_high;
    int16_t alpha_sigmoid_steepness;
    uint16_t max_allowed_validators;
    uint64_t stake_threshold;
    uint64_t activity_cutoff_blocks;
    uint64_t tempo_blocks;
    int32_t owner_uid; /* TL_YUMA_NO_OWNER when none */
} tl_yuma_params;

/* tl_yuma_params_default: kappa 32767, penalty 65535, moving average 900000, classic, 128 validators, tempo 360,
 * activity cutoff 5000, no owner. */
tl_yuma_params tl_yuma_params_default(void);

typedef struct tl_yuma_input {
    const tl_yuma_params *params;
    size_t n; /* 0 … TL_YUMA_NEURONS_MAX */
    uint64_t now_block;
    uint64_t last_step_block; /* of the epoch before; 0: none yet, tempo is used instead */
    uint64_t rao_emission;
    const tl_i64f64 *stake; /* n total stake weights (tl_yuma_stake_weights, or u64 saturated) */
    const bool *validator_permit;          /* n, of the epoch before */
    const uint64_t *block_at_registration; /* n */
    const uint64_t *last_update_block;     /* n, of this mechanism */
    const uint64_t *commit_block; /* n, TL_YUMA_NO_COMMIT when none; NULL: commit-reveal is off */
    tl_yuma_rows weights;         /* max-upscaled when they were set */
    tl_yuma_rows bonds;
    bool wants_legacy; /* also preranks and trust, which the chain no longer computes */
} tl_yuma_input;

/* tl_yuma_output: arrays of n. _raw is I32F32 before truncation. */
typedef struct tl_yuma_output {
    size_t n;
    /* what the chain stores */
    const bool *active;
    const bool *validator_permit;
    const uint16_t *stake_weight;
    const uint16_t *consensus;
    const uint16_t *incentive;
    const uint16_t *dividends;
    const uint16_t *validator_trust;
    const uint64_t *server_emission;
    const uint64_t *validator_emission;
    const uint64_t *emission; /* combined */
    tl_yuma_rows bonds;
    /* before truncation */
    const tl_i32f32 *stake_raw;
    const tl_i32f32 *active_stake_raw;
    const tl_i32f32 *consensus_raw;
    const tl_i32f32 *incentive_raw;
    const tl_i32f32 *dividends_raw;
    const tl_i32f32 *validator_trust_raw;
    const tl_i32f32 *ranks_raw;        /* before normalising */
    const tl_i32f32 *preranks_raw;     /* NULL unless wants_legacy */
    const tl_i32f32 *trust_legacy_raw; /* NULL unless wants_legacy */
} tl_yuma_output;

/* tl_yuma_epoch: one epoch of one mechanism.
 *
 * out      written on success only; its arrays live in the arena
 * input    borrowed for the call
 *
 * Errors   TL_ERR_LIMIT n above TL_YUMA_NEURONS_MAX, a row longer than that, or memory; TL_ERR_RANGE starts that do not
 *          ascend, an owner outside -1 … n - 1; TL_ERR_NOMEM
 * Cost     O(entries) with some five exact divisions an entry; bench: yuma_256, yuma_4096
 * Source   subtensor, runtime spec version 425, production (sparse) form
 */
TL_MUST_USE tl_err tl_yuma_epoch(tl_arena *arena, tl_yuma_output *out, const tl_yuma_input *input,
                                 tl_errctx *ctx);

/* --- several mechanisms (chain spec 1.8) --- */

typedef struct tl_yuma_mechanism {
    const uint64_t *last_update_block;
    const uint64_t *commit_block; /* NULL: commit-reveal is off */
    tl_yuma_rows weights;
    tl_yuma_rows bonds;
} tl_yuma_mechanism;

/* tl_yuma_mechanisms: an epoch of count mechanisms: each runs with its part of the emission, the same stakes and
 * old permits; out is the merged result (share-weighted u16 and emission, permits OR-ed, server and validator amounts
 * added; raw numbers, incentive and bonds are those of mechanism 0), each[m] that of mechanism m.
 *
 * shared   its last_update_block, commit_block, weights, bonds and rao_emission are not read
 * amounts  count parts of the emission, from tl_yuma_split_emission; total their whole, at least their sum
 */
TL_MUST_USE tl_err tl_yuma_mechanisms(tl_arena *arena, tl_yuma_output *out, tl_yuma_output *each,
                                      const tl_yuma_input *shared,
                                      const tl_yuma_mechanism *mechanisms, const uint64_t *amounts,
                                      size_t count, uint64_t total, tl_errctx *ctx);

/* tl_yuma_split_emission: emission over count >= 1 mechanisms: split[m] / 65535 of it, missing ones 0; evenly when
 * split is NULL; what truncation leaves goes to mechanism 0. */
void tl_yuma_split_emission(uint64_t *amounts, size_t count, uint64_t emission,
                            const uint16_t *split, size_t split_count);

/* --- stake weight (chain spec 1.3) --- */

/* tl_yuma_link: child gets proportion / (2^64 - 1) of parent's stake. */
typedef struct tl_yuma_link {
    uint32_t parent;
    uint32_t child;
    uint64_t proportion;
} tl_yuma_link;

/* tl_yuma_inherit: own stake less what children take, plus what parents give: out[i] for n uids; links count, all
 * of uids below n (asserted). out may be own. Errors: those of the arena. Cost: O(n + count). */
TL_MUST_USE tl_err tl_yuma_inherit(uint64_t *out, tl_arena *scratch, const uint64_t *own, size_t n,
                                   const tl_yuma_link *links, size_t count, tl_errctx *ctx);

/* tl_yuma_stake_weight: alpha + tao * tao_weight as I64F64; tao_weight as tl_u96f32_from_u64_proportion gives it. */
tl_i64f64 tl_yuma_stake_weight(uint64_t alpha, uint64_t tao, tl_u96f32 tao_weight);

/* tl_yuma_normalise_64: each value over their sum (wrapping; 0: as they are), floored to I32F32: step 3. */
void tl_yuma_normalise_64(tl_i32f32 *out, const tl_i64f64 *values, size_t n);

/* --- commits (chain spec 1.4, step 9) --- */

typedef struct tl_yuma_commit {
    uint32_t uid;
    bool is_timelocked; /* else of the hash form, in the order of uid's queue */
    uint64_t epoch;
    uint64_t block;
} tl_yuma_commit;

/* tl_yuma_commit_blocks: out[i] = the least of the block of i's first unexpired hash commit and the blocks of all of
 * i's unexpired timelocked ones; TL_YUMA_NO_COMMIT when none. Expired: epoch_index > epoch + reveal_period. */
void tl_yuma_commit_blocks(uint64_t *out, size_t n, const tl_yuma_commit *commits, size_t count,
                           uint64_t epoch_index, uint64_t reveal_period);

/* --- setting weights (chain spec 1.7) --- */

/* tl_yuma_upscale: the largest becomes 65535, the rest in proportion, rounded; all zeros stay. out may not be values. */
void tl_yuma_upscale(uint16_t *out, const tl_i32f32 *values, size_t count);
void tl_yuma_upscale_u16(uint16_t *out, const uint16_t *values, size_t count);

/* tl_yuma_is_limited: is no weight more than limit / 65535 of the row's sum? */
bool tl_yuma_is_limited(const uint16_t *values, size_t count, uint16_t limit);

/* tl_yuma_weights_are_limited: as tl_yuma_is_limited; a row of uid's self-weight alone and limit 65535 always pass. */
bool tl_yuma_weights_are_limited(uint16_t uid, const uint16_t *uids, const uint16_t *values,
                                 size_t count, uint16_t limit);

/* --- the small operations (chain spec 1.5, 1.6, 1.10) --- */

/* tl_yuma_weighted_median: the chain's quick-select over count scores, literally: the least score whose stake of all
 * scores <= it exceeds minority, or the largest. scratch: 2 * count indexes. */
tl_i32f32 tl_yuma_weighted_median(const tl_i32f32 *stake, const tl_i32f32 *score, size_t count,
                                  tl_i32f32 minority, tl_i32f32 lo, tl_i32f32 hi,
                                  uint32_t *scratch);

/* tl_yuma_topk: which of the k largest; of equals the higher index wins. skips_zero: zeros never do.
 * scratch: n indexes */
void tl_yuma_topk(bool *out, const tl_i32f32 *values, size_t n, size_t k, bool skips_zero,
                  uint32_t *scratch);

/* 1 / (1 + e^(-rho * (x - kappa))) */
tl_i32f32 tl_yuma_sigmoid(tl_i32f32 x, tl_i32f32 rho, tl_i32f32 kappa);

/* tl_yuma_alpha: what liquid alpha needs beside the cell; make it once an epoch. */
typedef struct tl_yuma_alpha {
    tl_i32f32 low;
    tl_i32f32 high;
    tl_i32f32 slope; /* steepness / -100 */
} tl_yuma_alpha;

tl_yuma_alpha tl_yuma_alpha_make(uint16_t low, uint16_t high, int16_t steepness);

/* tl_yuma_alpha_cell: the liquid alpha of one weight, bond and consensus. */
tl_i32f32 tl_yuma_alpha_cell(const tl_yuma_alpha *alpha, tl_i32f32 consensus, tl_i32f32 weight,
                             tl_i32f32 bond);

/* tl_yuma_ema_cell: min(1, (1 - alpha) * old + max(0, alpha * new)). */
tl_i32f32 tl_yuma_ema_cell(tl_i32f32 alpha, tl_i32f32 new_value, tl_i32f32 old_value);

/* --- registration price (chain spec 3.5) --- */

/* tl_yuma_burn_factor: the largest Q32 factor f below 1 with f^half_life <= 0.5; 1.0 (2^32) for half_life 0. */
uint64_t tl_yuma_burn_factor(uint16_t half_life_blocks);

/* tl_yuma_burn_decay: one block's decay, floor(burn * f / 2^32); the caller clamps. */
uint64_t tl_yuma_burn_decay(uint64_t burn, uint64_t factor_q32);

#ifdef __cplusplus
}
#endif

#endif
