/* account: from weights and returns of assets to returns of a portfolio.
 * For         scoring portfolios: what was earned, what was traded
 * Takes       weights that sum to 1 with cash (an asset that earns 0); returns of the assets, one
 *             row a period
 * Gives       returns of the portfolio, drifted weights, turnover
 * Calls       num/sum, metrics (limits)        Called by   subnet, app
 * Owns        nothing
 * Threads     any: no state
 * Invariants  ACC-1 drift keeps the sum of weights: what grows together stays together
 *             ACC-2 turnover lies in [0, 1] for weights that are not negative and sum to 1
 *             ACC-3 a portfolio that lost everything stays lost: weights 0, returns 0
 *             ACC-4 what is held over a span is what is drifted day by day, but for rounding
 * Read        account.c, then hold.c
 *
 * Formulas (quant-math spec section 2):
 *      ACC-F1 return    R[t] = sum w_i r_i[t]
 *      ACC-F2 drift     w_i <- w_i (1 + r_i[t]) / (1 + R[t])
 *      ACC-F3 turnover  tau = 1/2 sum |w*_i - w_i|, against the drifted weights; the first
 *                       purchase is not counted
 *      ACC-F4 churn     sum tau * P / n, n the number of returns
 *
 * A target that is set after the close of t earns from t + 1. Cash needs no column: what the
 * weights lack to 1 earns nothing and takes part in the drift by itself; only turnover asks for it
 * (tl_account_turnover's cash legs).
 */
#ifndef TALLY_CORE_QUANT_ACCOUNT_H
#define TALLY_CORE_QUANT_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Assets in one call: a whole market; bounds the rows. */
#define TL_ACCOUNT_ASSETS_MAX 65536

/* tl_account_day: one period: returns R (ACC-F1, at least -1) and lets the weights drift (ACC-F2).
 *
 * weights  count of them, held before the period; drifted after it
 * returns  count admitted returns of the period */
double tl_account_day(double *weights, const double *returns, size_t count);

/* tl_account_returns: many periods without a rebalance.
 *
 * out      days returns of the portfolio
 * weights  in: held before the first period; out: drifted through the last
 * returns  days rows; row t begins at returns[t * stride], stride >= count
 * Cost:    days * count * 4 flops, the weights stay in the cache; rows are read once, 8 bytes a
 *          value. */
void tl_account_returns(double *out, double *weights, const double *returns, size_t days,
                        size_t count, size_t stride);

/* tl_account_gather: the columns of a universe that a portfolio holds: out[t * count + k] =
 * returns[t * stride + index[k]]. */
void tl_account_gather(double *out, const double *returns, size_t days, size_t stride,
                       const uint32_t *index, size_t count);

/* tl_account_turnover: ACC-F3 over count listed assets; cash_target and cash_held are the legs of
 * cash that has no entry (0 and 0 when it has one, or when there is none). */
double tl_account_turnover(const double *target, const double *held, size_t count,
                           double cash_target, double cash_held);

/* tl_account_churn: ACC-F4; 0 when n is 0. */
double tl_account_churn(double turnover_sum, double periods, size_t n);

/* tl_account_plan: targets one after the other, every so many returns. The first is bought before
 * the first return; after each rebalance_every returns the next follows, none after the last
 * return. is_cyclic: after the last target comes the first again; else the last one is kept, and
 * drifts. */
typedef struct tl_account_plan {
    const double *targets;  /* target_count rows of count weights */
    size_t target_count;    /* at least 1 */
    size_t rebalance_every; /* returns, at least 1 */
    bool is_cyclic;
} tl_account_plan;

typedef struct tl_account_history {
    double *returns;       /* days */
    double *turnovers;     /* one a rebalance */
    size_t rebalances;     /* the first purchase not counted */
    double turnover_sum;   /* sum of turnovers */
    double *final_weights; /* count, drifted through the last return */
} tl_account_history;

/* tl_account_run: follow a plan through days rows of returns (as tl_account_returns). Arrays of out
 * live in arena. A rebalance after a ruin is none (ACC-3).
 * Errors: TL_ERR_RANGE for an empty plan, count 0 or above TL_ACCOUNT_ASSETS_MAX, weights or
 * returns of the portfolio beyond all measure (debts can do that); those of the arena. */
TL_MUST_USE tl_err tl_account_run(tl_account_history *out, tl_arena *arena,
                                  const tl_account_plan *plan, const double *returns, size_t days,
                                  size_t count, size_t stride, tl_errctx *ctx);

/* --- between two rebalances, over growth that all portfolios share (hold.c) --- */

/* tl_account_growth: what each asset of a universe has earned since the close before a span's first
 * day: g_i[t] = g_i[t - 1] + r_i[t] (1 + g_i[t - 1]). Nothing about it depends on a portfolio, so
 * that a universe has it once a span.
 *
 *      lines   asset 0          asset 1          …
 *      block 0 [t0 t1 … t7]     [t0 t1 … t7]     …     a line of a cache: eight days of an asset;
 *      block 1 [t8 t9 t9 … t9]  [t8 t9 t9 … t9]  …     what is behind the last day repeats it
 *
 * lines    TL_ACCOUNT_LINES(days, assets) doubles; best 64-byte aligned
 * returns  days rows of admitted returns, row t begins at returns[t * stride], stride >= assets
 * Errors: TL_ERR_RANGE when an asset grows by more than 1e12 within the span. */
TL_MUST_USE tl_err tl_account_growth(double *lines, const double *returns, size_t days,
                                     size_t assets, size_t stride, tl_errctx *ctx);

#define TL_ACCOUNT_LINES(days, assets) (((days) + 7) / 8 * 8 * (assets))

typedef struct tl_account_span {
    const double *lines; /* of tl_account_growth */
    size_t days;         /* at least 1 */
    size_t assets;
} tl_account_span;

/* tl_account_holding: portfolios of as many assets each: what they buy before a span, and what they
 * want after it. */
typedef struct tl_account_holding {
    size_t portfolios;
    size_t count;          /* assets of one of them */
    const uint32_t *index; /* portfolios rows of count assets of the span */
    const double *weights; /* as many rows, bought before the first day; at most 1e9 in size */
    const double *next;    /* as many rows: the targets after the last day; or NULL: none */
} tl_account_holding;

/* tl_account_out: where it is written; portfolio p's returns begin at returns[p * returns_stride].
 */
typedef struct tl_account_out {
    double *returns; /* days of the span */
    size_t returns_stride;
    double *turnovers; /* one, from the drifted weights to next; 0 after a ruin, or without next */
    size_t turnovers_stride;
} tl_account_out;

/* tl_account_hold: portfolios through a span, without drifting them day by day (ACC-F1 to ACC-F3):
 *
 *      E[t] = sum w_k g_k[t]                         tl_dot's tree, bit for bit
 *      R[t] = (E[t] - E[t - 1]) / (1 + E[t - 1])     E of the close before the span is 0
 *      drifted w_k = (w_k + w_k g_k) / (1 + E)       after the last day
 *
 * The same as tl_account_run but for rounding, and on the first day the same bit for bit. R <= -1 is
 * a ruin: -1, then 0, and nothing is left to trade (ACC-3); in the spans after it the portfolio must
 * not be held.
 *
 * Errors: TL_ERR_RANGE for a return above TL_RETURN_MAX or a turnover above 1e9 (debts can do
 * that), of the first portfolio that has one.
 * Cost:   a position and eight days are one line, one product and one sum; an asset's line is read
 *         again by the next portfolio, so a span of 480 assets stays in the first cache (30 KB). */
TL_MUST_USE tl_err tl_account_hold(const tl_account_out *out, const tl_account_span *span,
                                   const tl_account_holding *holding, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
