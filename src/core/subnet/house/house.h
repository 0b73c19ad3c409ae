/* house: the house's reference strategies: what a signal must beat, and what the demo trades.
 * For         baselines; miners whose reward burns; a first strategy to copy from
 * Takes       a table of closes up to the decision day, a few parameters
 * Gives       weights in millionths that obey the signal rules (portfolio spec 1)
 * Calls       core/num                         Called by   app
 * Owns        nothing: scratch comes from the arena passed in and is given back
 * Threads     pure functions, anywhere
 * Invariants  HOUSE-1 weights sum to exactly 1,000,000; 5 to 30 are above 0, none above 200,000
 *             HOUSE-2 only prices up to the decision day are read, and only of the look-back
 *             HOUSE-3 a series of closes times a power of two gives the same weights
 *             HOUSE-4 where all assets have the same closes, those held are held alike, but for a
 *                     millionth of rounding
 *             HOUSE-5 the order of the tickers in the table changes nothing
 * Read        strategies.c (the table, then each), weights.c (from doubles to a signal), risk.c
 *
 * All are long only and fully invested, as the rules have it: the sum of weights is 1. A strategy
 * that would hold cash (trend with a volatility target) moves towards the minimum-variance
 * portfolio instead, as far as its target asks for and the universe allows.
 *
 *      closes ─▶ window: tickers with every price of the look-back, their daily returns
 *             ─▶ strategy: raw weights, not negative ─▶ 30 largest, cap 20 %, millionths
 *
 * Left out, for want of what they read: value and quality (fundamentals), and with them the value
 * strategy; market-neutral quintiles (short positions, which the rules do not allow by default).
 * Multi-factor keeps momentum and low volatility at their published proportion of 0.30 to 0.20.
 */
#ifndef TALLY_CORE_SUBNET_HOUSE_H
#define TALLY_CORE_SUBNET_HOUSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_HOUSE_ONE           1000000 /* the sum of weights, in millionths */
#define TL_HOUSE_WEIGHT_MAX    200000  /* of one position: 0.20 (portfolio spec 1, E002) */
#define TL_HOUSE_POSITIONS_MIN 5       /* E004 */
#define TL_HOUSE_POSITIONS_MAX 30
#define TL_HOUSE_TICKERS_MAX   1024  /* covariances grow by the square: 8 MiB at this bound */
#define TL_HOUSE_DAYS_MIN      42    /* returns that any strategy needs: two months */
#define TL_HOUSE_DAYS_MAX      2520  /* returns read at most: ten years */
#define TL_HOUSE_GAP_MIN       20000 /* tl_house_smooth leaves gaps up to 2 % */

/* tl_house_history: closes of ticker i on day t at closes[i * ticker_stride + t * day_stride]; the
 * last day is the decision day. 0 is no price; a price is within 1e-9 and 1e15. */
typedef struct tl_house_history {
    const tl_str *tickers; /* each once, in any order */
    const double *closes;
    size_t ticker_count;
    size_t day_count;
    size_t ticker_stride;
    size_t day_stride;
} tl_house_history;

typedef struct tl_house_params {
    uint32_t
        lookback_days; /* returns read, at least TL_HOUSE_DAYS_MIN; 0: 252; a shorter history is
                                 read whole */
    uint32_t positions_max;   /* 5 … 30; 0: 30 */
    double volatility_target; /* of trend, a year; 0: 0.10 */
} tl_house_params;

/* tl_house_signal: weights of history->ticker_count tickers, in their order.
 *
 * out      millionths; 0 where nothing is held
 * params   NULL: the defaults
 * Errors   TL_ERR_RANGE (a price, a parameter), TL_ERR_DUPLICATE (a ticker), TL_ERR_LIMIT,
 *          TL_ERR_MISSING (fewer than 5 tickers with every price of the look-back, or fewer than
 *          TL_HOUSE_DAYS_MIN returns), TL_ERR_NOMEM; out is then untouched
 * Cost     O(tickers² · days) where covariances are needed, else O(tickers · days) */
typedef tl_err (*tl_house_signal)(uint32_t *out, const tl_house_history *history,
                                  const tl_house_params *params, tl_arena *scratch, tl_errctx *ctx);

typedef struct tl_house_strategy {
    const char *name; /* "equal_weight" */
    const char *what; /* one line for people */
    tl_house_signal signal;
} tl_house_strategy;

/* tl_house_strategies: all of them; static. tl_house_find: NULL when there is none of that name. */
const tl_house_strategy *tl_house_strategies(size_t *count);
const tl_house_strategy *tl_house_find(tl_str name);

/* tl_house_weights: raw weights, at least 0, become a signal: the positions_max largest, scaled to
 * sum 1, what is above 0.20 spread over the others in proportion until none is, floored to
 * millionths, the rest one each by the largest remainder. Ties go by ticker.
 * Errors   TL_ERR_RANGE (negative, not finite), TL_ERR_MISSING (fewer than 5 above 0) */
TL_MUST_USE tl_err tl_house_weights(uint32_t *out, const double *raw, const tl_str *tickers,
                                    size_t count, uint32_t positions_max, tl_arena *scratch,
                                    tl_errctx *ctx);

/* tl_house_smooth: from the weights held to a target by half of each gap above 2 %, the published
 * rebalance; then scaled and capped as above. Both sum to TL_HOUSE_ONE. */
TL_MUST_USE tl_err tl_house_smooth(uint32_t *out, const uint32_t *held, const uint32_t *target,
                                   const tl_str *tickers, size_t count, tl_arena *scratch,
                                   tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
