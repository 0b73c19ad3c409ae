/* collusion: which validators' rows are suspiciously alike.
 * For         a report to people; it never changes a weight, a rank or a payment (quant-math spec section 5)
 * Takes       validators' weight vectors over the union of miners (absent is 0), and the vector that was agreed
 * Gives       pairs with a correlation above 0.95, and of those the pairs that are worth a look
 * Calls       core/num/sum                     Called by   core/consensus/join, core/subnet, app
 * Owns        nothing: lists live in the arena
 * Threads     pure functions, anywhere
 * Invariants  COLL-1 a report is symmetric and does not depend on the order of validators or miners, but for indexes
 *             COLL-2 each rho is in [-1, 1], and undefined (never a number) for a constant vector or too few miners
 * Read        tl_collusion_rho(), then tl_collusion_find()
 *
 * Honest validators score the same miners by the same rule: they agree perfectly, and every honest pair is above the
 * limit. The rule of the seed alone therefore warns of everybody. What collusion looks like is a pair that is alike
 * AND apart from the rest: so each pair carries a second field, stands_apart: both members' correlation with the
 * agreed vector (Yuma's consensus, the stake-weighted median) is NOT above the limit. A pair that copies the consensus
 * is alike and does not stand apart; a pair that pushes its own miners does, and it is that list an operator reads.
 */
#ifndef TALLY_CORE_CONSENSUS_COLLUSION_H
#define TALLY_CORE_CONSENSUS_COLLUSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_COLLUSION_RHO_LIMIT  0.95 /* strictly above it warns */
#define TL_COLLUSION_MINERS_MIN 3    /* fewer miners: no correlation is worth the name */

/* tl_collusion_pair: two validators whose weights correlate above the limit; first < second. */
typedef struct tl_collusion_pair {
    uint32_t first;
    uint32_t second;
    double rho;        /* Pearson between the two */
    bool stands_apart; /* alike, and neither is like the agreed vector */
} tl_collusion_pair;

typedef struct tl_collusion_report {
    const tl_collusion_pair *pairs; /* ascending by first, then second */
    size_t pair_count;
    size_t apart_count; /* how many of them stand apart */
} tl_collusion_report;

/* tl_collusion_rho: Pearson between two weight vectors over the union of miners; the detector of the spec.
 *
 * a, b      count weights each, over the union of the miners that either of the two lists; absent is 0
 * is_above  true when rho is above TL_COLLUSION_RHO_LIMIT
 * Returns   false, outputs untouched, when rho is undefined: fewer than 3 miners, or a constant vector
 * Cost      O(count), three passes; sums by tl_sum's lanes
 */
TL_MUST_USE bool tl_collusion_rho(double *rho, bool *is_above, const double *a, const double *b,
                                  size_t count);

/* tl_collusion_find: all pairs above the limit.
 *
 * rows    validator_count vectors of miner_count weights each; NULL for a validator without a row (never reported)
 * agreed  miner_count weights: the vector that was agreed
 * Errors  TL_ERR_NOMEM, TL_ERR_LIMIT
 * Cost    O(v² m)
 */
TL_MUST_USE tl_err tl_collusion_find(tl_arena *arena, tl_collusion_report *out,
                                     const double *const *rows, size_t validator_count,
                                     const double *agreed, size_t miner_count, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
