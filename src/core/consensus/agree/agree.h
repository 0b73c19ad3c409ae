/* agree: do the validators say the same, and is it enough to pay?
 * For         the status of an epoch: hashes and stakes in, PERFECT, MAJORITY or FAILED out; any subnet may use it
 * Takes       one ballot a validator: its stake, and the hash of its whole row, or none when no row came in time
 * Gives       a tl_verdict: status, the stake on the hash that has most, who differs from it
 * Calls       core/num, core/crypto            Called by   core/consensus/join, core/subnet
 * Owns        nothing: the list of outliers lives in the arena
 * Threads     pure functions, anywhere
 * Invariants  AGREE-1 shares are of the WHOLE stake: a validator without a row lowers every share
 *             AGREE-2 a tie is at most half, hence FAILED, and has no winning hash
 *             AGREE-3 equal rows have equal hashes, and each field is hashed after its length (no two rows can be
 *             written as the same bytes)
 * Read        tl_agree_verdict(), then tl_row_hash()
 *
 *      share of the whole stake on the hash that has most:
 *      0 ───────────────── 1/2 ───────────────── 9/10 ───────────── 1
 *      FAILED, does not pay │ FAILED, but pays    │ MAJORITY         PERFECT       (portfolio spec section 9)
 */
#ifndef TALLY_CORE_CONSENSUS_AGREE_H
#define TALLY_CORE_CONSENSUS_AGREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"
#include "core/num/money/money.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_agree_status {
    TL_AGREE_FAILED,
    TL_AGREE_MAJORITY,
    TL_AGREE_PERFECT,
} tl_agree_status;

/* tl_agree_status_name: "PERFECT", "MAJORITY", "FAILED". Static text. */
const char *tl_agree_status_name(tl_agree_status status);

/* tl_ballot: what one validator says, as a hash. */
typedef struct tl_ballot {
    tl_rao stake; /* >= 0 */
    bool has_row; /* false: nothing came in time; hash is not read */
    tl_hash32 hash;
} tl_ballot;

typedef struct tl_verdict {
    tl_agree_status status;
    bool pays;           /* at least half of the whole stake stands on one hash */
    tl_rao stake_on_top; /* stake on the hash that has most; 0 when nobody gave a row */
    tl_rao stake_total;  /* of all ballots */
    bool has_top_hash;   /* false: no row at all, or a tie for the first place */
    tl_hash32 top_hash;  /* the winning hash */
    const size_t *
        outliers; /* indexes of ballots that have a row with another hash, ascending; empty without winner */
    size_t outlier_count;
} tl_verdict;

/* tl_agree_verdict: status, pay rule and outliers of one epoch.
 *
 * arena    holds out->outliers
 * ballots  count of them, in any order; ties between hashes are found by stake alone
 * Errors   TL_ERR_RANGE a negative stake, TL_ERR_OVERFLOW the stakes' sum, TL_ERR_NOMEM, TL_ERR_LIMIT
 * Cost     O(n log n)
 * A whole stake of 0 is FAILED and does not pay.
 */
TL_MUST_USE tl_err tl_agree_verdict(tl_arena *arena, tl_verdict *out, const tl_ballot *ballots,
                                    size_t count, tl_errctx *ctx);

/* tl_agree_is_more_than_half: part * 2 > whole, exactly. The rule for votes to disqualify. */
bool tl_agree_is_more_than_half(tl_rao part, tl_rao whole);

/* tl_agree_median: the stake-weighted lower median: the least x such that those with a value <= x hold at least half of
 * the stake of those that gave one. values and stakes: count of each; count 0 gives 0.
 * Errors TL_ERR_RANGE a negative stake, TL_ERR_OVERFLOW, TL_ERR_NOMEM, TL_ERR_LIMIT (scratch only: rewound). */
TL_MUST_USE tl_err tl_agree_median(uint32_t *out, tl_arena *scratch, const uint32_t *values,
                                   const tl_rao *stakes, size_t count, tl_errctx *ctx);

/* tl_row: what a validator says of all miners of an epoch, in the order of the miners. The arrays are borrowed.
 * What a bit of flags means is fixed by the subnet and its version, both of which the hash covers as its domain. */
typedef struct tl_row {
    const uint32_t *qs_millionths;           /* score; 0 for not ranked or disqualified */
    const uint32_t *max_drawdown_millionths; /* largest drawdown of the miner's record */
    const bool *disqualify;                  /* a vote */
    const uint32_t *flags;                   /* bit set of rules */
} tl_row;

/* tl_row_order: the indexes of count hotkeys by ascending bytes: the order in which rows are hashed, whatever order they
 * are given in. order: room for count. Errors: TL_ERR_DUPLICATE a hotkey twice; those of the arena. */
TL_MUST_USE tl_err tl_row_order(uint32_t *order, tl_arena *scratch, const tl_hotkey *hotkeys,
                                size_t count, tl_errctx *ctx);

/* tl_row_hash: SHA-256 over the whole row, so that validators agree when all of it is equal:
 *
 *   u32 len, "tally/consensus/row/1"    u32 len, domain (subnet and epoch, "portfolio/1/2024-M03")
 *   u32 miner_count, then a miner:      u32 len, hotkey · u32 QS · u32 MaxDD · u8 vote · u32 flags
 *
 * all little-endian, miners by order.
 */
void tl_row_hash(tl_hash32 *out, tl_str domain, const tl_hotkey *hotkeys, const uint32_t *order,
                 const tl_row *row, size_t miner_count);

#ifdef __cplusplus
}
#endif

#endif
