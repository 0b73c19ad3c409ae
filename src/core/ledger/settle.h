/* settle: the part of ledger.h about one epoch's distribution (portfolio spec 2, 7, 9). Include
 * ledger.h.
 *
 *      T = X + external + antes of the ranked + what the others lose
 *      R = floor(T·rake)            F = B + redistributed, ante by ante
 *      W = T - R - B - E - A_w = X + external - R + F - B
 *      reward_i = floor(W·w_i / Σw), w_i = i^-γ, the remainder one rao each in rank order
 *
 * B is what burns, E and A_w are the antes of break-even and of the winners, which go back. W below
 * zero is a deficit: the winners' antes cover it, then those of break-even; R and B always stand.
 */
#ifndef TALLY_CORE_LEDGER_SETTLE_H
#define TALLY_CORE_LEDGER_SETTLE_H

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

struct tl_ledger;

/* X(name, text). What became of a signal; texts are those of the vectors. */
#define TL_OUTCOME_MAP(X)                                                                          \
    X(RANKED, "ranked")                 /* the tier is by rank */                                  \
    X(NOT_RANKED, "not_ranked")         /* want of a record: a back */                             \
    X(ELIMINATED, "eliminated")         /* h burned, a - h to the winners */                       \
    X(NO_INCENTIVE, "no_incentive")     /* h, a - h */                                             \
    X(HASH_DIFFERS, "hash_differs")     /* h, a - h */                                             \
    X(NOT_REVEALED, "not_revealed")     /* h, a - h */                                             \
    X(REVEALED_EARLY, "revealed_early") /* a - h back, of h half burned */                         \
    X(INVALID, "invalid")               /* a back */                                               \
    X(DISQUALIFIED, "disqualified")     /* h, a - h */

typedef enum tl_outcome {
#define TL_OUTCOME_ENUM(name, text) TL_OUTCOME_##name,
    TL_OUTCOME_MAP(TL_OUTCOME_ENUM)
#undef TL_OUTCOME_ENUM
        TL_OUTCOME_COUNT
} tl_outcome;

const char *tl_outcome_name(tl_outcome outcome);
bool tl_outcome_parse(tl_outcome *out, tl_str text);

#define TL_TIER_MAP(X)                                                                             \
    X(NONE, "none")                                                                                \
    X(TOP, "top")               /* 100·(n - rank + 1) >= 85n */                                   \
    X(PROFITABLE, "profitable") /* >= 50n */                                                       \
    X(BREAK_EVEN, "break_even") /* >= 30n */                                                       \
    X(PENALTY, "penalty")

typedef enum tl_tier {
#define TL_TIER_ENUM(name, text) TL_TIER_##name,
    TL_TIER_MAP(TL_TIER_ENUM)
#undef TL_TIER_ENUM
        TL_TIER_COUNT
} tl_tier;

const char *tl_tier_name(tl_tier tier);

/* tl_tier_of: rank 1 … ranked_count. */
tl_tier tl_tier_of(uint32_t rank, uint32_t ranked_count);

typedef struct tl_payout_params {
    uint32_t rake_bp;     /* of T, 0 … TL_LEDGER_RAKE_BP_MAX; default 800 */
    double gamma;         /* of the power law, 1.0 … 2.0; default 1.5 */
    uint32_t fee_bp;      /* network fee on each reward; default 0: off (the sources know 200) */
    uint32_t fee_burn_bp; /* of the fee, 0 … 10,000; default 2,500; the rest is the treasury's */
} tl_payout_params;

tl_payout_params tl_payout_params_default(void);

/* One participant who paid an ante. Those with outcome RANKED stand in rank order: the r-th of them
 * has rank r. */
typedef struct tl_payout_miner {
    tl_hotkey hotkey; /* not read by tl_settle */
    tl_rao ante;      /* >= 0 */
    tl_outcome outcome;
    bool is_house; /* its reward goes to burn; not read by tl_settle */
} tl_payout_miner;

typedef struct tl_payout {
    uint32_t rank; /* from 1; 0: not ranked */
    tl_tier tier;
    tl_rao reward; /* net of the fee */
    tl_rao fee;    /* fee_burned included */
    tl_rao fee_burned;
    tl_rao ante_back;
    tl_rao burned; /* of the ante */
    tl_rao redistributed;
    tl_rao deficit;
} tl_payout;

/* tl_settlement: who gets what. total_in = X + external + all antes = total_out (LED-7). */
typedef struct tl_settlement {
    tl_payout *payouts; /* count of them, in the order of the miners */
    size_t count;
    uint32_t ranked_count;
    uint32_t tier_count[TL_TIER_COUNT]; /* of the ranked; [TL_TIER_NONE] is 0 */
    tl_rao emission;                    /* X, the miners' */
    tl_rao external;
    tl_rao total_in;
    tl_rao pool; /* T */
    tl_rao rake; /* R */
    tl_rao forfeited;
    tl_rao burned; /* B */
    tl_rao redistributed;
    tl_rao winner_pool; /* W, zero when there is a deficit */
    tl_rao deficit;
    tl_rao rewarded; /* Σ reward, net */
    tl_rao fee;      /* Σ fee */
    tl_rao fee_burned;
    tl_rao returned;
    tl_rao carry;     /* W when nobody ranks */
    tl_rao total_out; /* rake + burned + rewarded + fee + returned + carry */
} tl_settlement;

/* tl_settle: the distribution, a pure function of its arguments.
 *
 * miners    count of them, at most TL_LEDGER_MINERS_MAX; may be NULL when 0
 * params    NULL: the defaults
 * Errors    TL_ERR_RANGE (a negative amount, a parameter), TL_ERR_OVERFLOW (all of it together does
 *           not fit 64 bits), TL_ERR_LIMIT, TL_ERR_NOMEM
 * Cost      O(count), one square root (or power) a winner */
TL_MUST_USE tl_err tl_settle(tl_settlement *out, tl_arena *arena, tl_rao emission, tl_rao external,
                             const tl_payout_miner *miners, size_t count,
                             const tl_payout_params *params, tl_errctx *ctx);

/* tl_settle_weight: w_i = floor(i^-γ · 2^48), i >= 1; γ = 1.5: 1/(i·√i) in doubles; else tl_pow. */
uint64_t tl_settle_weight(uint32_t i, double gamma);

typedef struct tl_pay {
    tl_hotkey hotkey;
    tl_rao amount; /* >= 0 */
} tl_pay;

/* tl_settle_order: all the money of one epoch. */
typedef struct tl_settle_order {
    tl_str epoch;
    uint64_t height;
    const tl_settlement *settlement; /* by tl_settle, of these miners */
    const tl_payout_miner
        *miners;              /* exactly those whose ante is locked; settlement->count of them */
    const tl_pay *validators; /* emission beyond X */
    size_t validator_count;
    tl_rao owner;
} tl_settle_order;

/* tl_ledger_settle: post it, whole or not at all, and close the epoch's books.
 * Errors  TL_ERR_STATE: closed already; TL_ERR_NOT_FOUND, TL_ERR_MISSING, TL_ERR_DUPLICATE,
 *         TL_ERR_RANGE: the miners are not exactly those with a locked ante of that amount;
 *         TL_ERR_CHECK: the settlement is not these miners'; else as tl_ledger_post */
TL_MUST_USE tl_err tl_ledger_settle(struct tl_ledger *ledger, const tl_settle_order *order,
                                    tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
