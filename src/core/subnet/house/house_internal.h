/* house_internal: the window of returns and the risk models, for the room itself. */
#ifndef TALLY_CORE_SUBNET_HOUSE_INTERNAL_H
#define TALLY_CORE_SUBNET_HOUSE_INTERNAL_H

#include "core/subnet/house/house.h"

/* The tickers that have every price of the look-back, in the order of their texts. */
typedef struct tl__window {
    const tl_house_history *history;
    size_t count;       /* tickers */
    size_t days;        /* returns */
    size_t *source;     /* index into the history */
    double *returns;    /* count x days, oldest first */
    double *volatility; /* a day, sample deviation; a flat series counts as TL__VOLATILITY_MIN */
    double *covariance; /* count x count, shrunk; NULL until tl__window_covariance */
    uint32_t positions_max;
} tl__window;

/* One basis point a day: below it a close is no market's. Keeps 1/volatility finite. */
#define TL__VOLATILITY_MIN 1e-4

TL_MUST_USE tl_err tl__window_read(tl__window *out, const tl_house_history *history,
                                   const tl_house_params *params, tl_arena *arena, tl_errctx *ctx);

/* tl__window_close: of window ticker i, `back` days before the decision day; back <= days. */
double tl__window_close(const tl__window *w, size_t i, size_t back);

/* tl__window_keep: only the tickers picked, count of them, ascending; before any covariance. */
void tl__window_keep(tl__window *w, const size_t *picked, size_t count);

/* tl__window_lowest: window indexes of the k smallest keys (ties by ticker), ascending. */
TL_MUST_USE tl_err tl__window_lowest(size_t *out, const tl__window *w, const double *keys, size_t k,
                                     tl_arena *scratch, tl_errctx *ctx);

/* --- weights.c --- */

/* tl__weights_cap: scale to sum 1; what is above 0.20 spreads over the others in proportion, until
 * none is. At least 5 weights are above 0, none below; the sum of all is finite. */
TL_MUST_USE tl_err tl__weights_cap(double *weights, size_t n, tl_arena *scratch, tl_errctx *ctx);

/* --- risk.c --- */

TL_MUST_USE tl_err tl__window_covariance(tl__window *w, tl_arena *arena, tl_errctx *ctx);

/* tl__risk_variance: w'Sw, a day. */
double tl__risk_variance(const double *weights, const tl__window *w, double *scratch);

/* tl__risk_minimum: the long-only minimum-variance weights, each at most 0.20. */
TL_MUST_USE tl_err tl__risk_minimum(double *out, const tl__window *w, tl_arena *scratch,
                                    tl_errctx *ctx);

/* tl__risk_parity: weights whose contributions to the variance are equal. */
TL_MUST_USE tl_err tl__risk_parity(double *out, const tl__window *w, tl_arena *scratch,
                                   tl_errctx *ctx);

#endif
