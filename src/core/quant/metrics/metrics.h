/* metrics: what a series of returns is worth, each figure with the reason when there is none.
 * For         scoring, detectors, the command line, the vectors
 * Takes       simple returns (0.01 is 1 %), admitted: finite, at least -1, at most TL_RETURN_MAX
 * Gives       a tl_metric each: a value that is always finite, and a status
 * Calls       num/sum, num/stats, num/fmath    Called by   corr, boot, account, detect, subnet, app
 * Owns        nothing; only tl_metrics_compute takes scratch, and gives it back
 * Threads     any: no state
 * Invariants  METRIC-1 a value is finite; it is 0 unless the status is ok or ruin
 *             METRIC-2 a standard deviation of rounding alone counts as zero (std <= 2^-40 max |r|)
 *             METRIC-3 after a return of -1 the equity is 0 for good: total -1, CAGR -1, drawdown
 *                      -1
 *             METRIC-4 the drawdown lies in [-1, 0]; peak <= trough < recovery, when they exist
 * Read        metrics.c (the road of one series), then growth.c, tail.c, versus.c, significance.c
 *
 * Notation (quant-math spec sections 1 to 4): n returns r[t], P periods a year, rf the risk-free
 * rate per period, x = r - rf, b a benchmark's returns, mean divides by n, std by n - 1, E[0] = 1,
 * E[t] = E[t-1] (1 + r[t]).
 *
 *      METRIC-F1  total return     prod(1 + r) - 1
 *      METRIC-F2  CAGR             prod(1 + r)^(P/n) - 1
 *      METRIC-F3  volatility       std(r) sqrt(P)
 *      METRIC-F4  Sharpe           mean(x) / std(x) sqrt(P)                      Sharpe 1994
 *      METRIC-F5  downside dev.    sqrt(sum min(x,0)^2 / n) sqrt(P), all n       Sortino, Price
 *                 1994
 *      METRIC-F6  Sortino          mean(x) P / downside deviation                Sortino, Price
 *                 1994
 *      METRIC-F7  max drawdown     min over t of E[t] / max E[0..t] - 1
 *      METRIC-F8  Calmar           CAGR / |max drawdown|, the whole window       Young 1991
 *      METRIC-F9  omega            sum max(x,0) / sum max(-x,0)                  Keating, Shadwick
 *                 2002
 *      METRIC-F10 tail ratio       |q95| / |q5|
 *      METRIC-F11 VaR              the quantile of r at the tail; a loss is negative
 *      METRIC-F12 CVaR             mean of the floor((n-1) tail) + 1 smallest    Rockafellar 2000
 *      METRIC-F13 normal VaR       mean(r) + std(r) Q(tail)
 *      METRIC-F14 win rate         #(r > 0) / #(r != 0)
 *      METRIC-F15 profit factor    sum r+ / sum |r-|
 *      METRIC-F16 win streak       most returns > 0 in a row
 *      METRIC-F17 beta             cov(x, xb) / var(xb)                          Sharpe 1964
 *      METRIC-F18 alpha            (mean(x) - beta mean(xb)) P                   Jensen 1968
 *      METRIC-F19 geometric alpha  (1 + mean(x - beta xb))^P - 1
 *      METRIC-F20 information r.   mean(r - b) / std(r - b) sqrt(P)              Grinold, Kahn
 *      METRIC-F21 PSR(SR*)         Phi((SR - SR*) sqrt(n-1) / sqrt(V))           Bailey, de Prado
 *                                  2012
 *      METRIC-F22 Z_N              (1-g) Q(1 - 1/N) + g Q(1 - 1/(N e))           the same, 2014
 *      METRIC-F23 DSR              PSR(s_N Z_N)                                  the same, 2014
 *      METRIC-F24 track record     1 + V (Q(c) / (SR - SR*))^2                   the same, 2012
 *      METRIC-F25 backtest length  (Z_N / SR a year)^2, in years                 Bailey et al. 2014
 *
 * with V = 1 - skew SR + (kurtosis - 1)/4 SR^2 (kurtosis not the excess), Q the normal quantile, g
 * = 0.5772156649015329.
 */
#ifndef TALLY_CORE_QUANT_METRICS_H
#define TALLY_CORE_QUANT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns above it are data errors (a billion percent in one period); the bound keeps every sum of
 * squares finite. */
#define TL_RETURN_MAX 1e7

/* Periods in one series: daily data since before there were exchanges; bounds every loop of the
 * quant rooms. */
#define TL_SERIES_PERIODS_MAX ((size_t)1 << 24)

typedef enum tl_metric_status {
    TL_METRIC_OK,
    TL_METRIC_TOO_FEW, /* fewer observations than the formula needs: prints null, scores 0 */
    TL_METRIC_ZERO_DENOMINATOR, /* the formula divides by nothing: prints null, scores 0 */
    TL_METRIC_RUIN,             /* everything was lost: the value stands */
    TL_METRIC_TOO_LARGE         /* beyond the range of doubles: prints null, scores 0 */
} tl_metric_status;

typedef struct tl_metric {
    double value;
    tl_metric_status status;
} tl_metric;

/* tl_metric_is_defined: ok or ruin: the value may be printed. */
static inline bool tl_metric_is_defined(tl_metric m)
{
    return m.status == TL_METRIC_OK || m.status == TL_METRIC_RUIN;
}

/* tl_metric_status_name: "ok", "too_few", "zero_denominator", "ruin", "too_large". Static text. */
const char *tl_metric_status_name(tl_metric_status status);

/* --- into the room --- */

/* tl_returns_admit: make a series that the functions below may trust.
 *
 * out            n returns; may be the same array as returns
 * clamped_count  how many were below -1 (short or leveraged) and are now -1; may be NULL
 * Errors: TL_ERR_RANGE for a value that is not finite or above TL_RETURN_MAX (field "[i]"), or n
 * too large. */
TL_MUST_USE tl_err tl_returns_admit(double *out, size_t *clamped_count, const double *returns,
                                    size_t n, tl_errctx *ctx);

/* tl_returns_from_prices: r[t] = p[t] / p[t-1] - 1.
 *
 * out     count - 1 returns (none when count is 0 or 1), admitted
 * prices  count of them, above 0; the last may be 0
 * Errors: TL_ERR_RANGE (field "[i]"). */
TL_MUST_USE tl_err tl_returns_from_prices(double *out, const double *prices, size_t count,
                                          tl_errctx *ctx);

/* tl_rate_per_period: rf = (1 + R)^(1/P) - 1.
 * Errors: TL_ERR_RANGE unless -1 < rate_annual <= TL_RETURN_MAX and 0 < periods <= 1e6. */
TL_MUST_USE tl_err tl_rate_per_period(double *out, double rate_annual, double periods,
                                      tl_errctx *ctx);

/* --- one series. r: n admitted returns; rf: risk-free rate per period; periods: P, above 0. --- */

tl_metric tl_metric_mean(const double *r, size_t n);                       /* n = 0: too_few */
tl_metric tl_metric_total_return(const double *r, size_t n);               /* METRIC-F1 */
tl_metric tl_metric_cagr(const double *r, size_t n, double periods);       /* METRIC-F2 */
tl_metric tl_metric_volatility(const double *r, size_t n, double periods); /* METRIC-F3 */
tl_metric tl_metric_sharpe(const double *r, size_t n, double rf, double periods); /* METRIC-F4 */
tl_metric tl_metric_downside_deviation(const double *r, size_t n, double rf,
                                       double periods);                            /* METRIC-F5 */
tl_metric tl_metric_sortino(const double *r, size_t n, double rf, double periods); /* METRIC-F6 */
tl_metric tl_metric_max_drawdown(const double *r, size_t n);                       /* METRIC-F7 */
tl_metric tl_metric_calmar(const double *r, size_t n, double periods);             /* METRIC-F8 */
tl_metric tl_metric_omega(const double *r, size_t n, double rf);                   /* METRIC-F9 */
tl_metric tl_metric_var_normal(const double *r, size_t n, double tail);            /* METRIC-F13 */
tl_metric tl_metric_win_rate(const double *r, size_t n);                           /* METRIC-F14 */
tl_metric tl_metric_profit_factor(const double *r, size_t n);                      /* METRIC-F15 */
size_t tl_metric_win_streak(const double *r, size_t n); /* METRIC-F16; none: 0 */

/* tl_metric_skew, _kurtosis_excess: the bias-corrected G1 (n >= 3) and G2 (n >= 4), as pandas. */
tl_metric tl_metric_skew(const double *r, size_t n);
tl_metric tl_metric_kurtosis_excess(const double *r, size_t n);

/* Of sorted returns, ascending. tail is 1 - alpha: 0.05 for the 95 % level, so that the count of
 * METRIC-F12 is exact. */
tl_metric tl_metric_tail_ratio(const double *sorted, size_t n);        /* METRIC-F10 */
tl_metric tl_metric_var(const double *sorted, size_t n, double tail);  /* METRIC-F11 */
tl_metric tl_metric_cvar(const double *sorted, size_t n, double tail); /* METRIC-F12 */

/* tl_drawdown: the deepest loss with its dates, as indices into E (0 … n). */
typedef struct tl_drawdown {
    tl_metric depth;   /* METRIC-F7 */
    bool is_present;   /* false: never below a peak; the indices mean nothing */
    bool is_recovered; /* false: recovery means nothing */
    size_t peak;       /* the last s <= trough where the running maximum is attained */
    size_t trough;     /* the first minimum of E / running maximum */
    size_t recovery;   /* the first later t with E[t] >= E[peak] */
} tl_drawdown;

void tl_metric_drawdown(tl_drawdown *out, const double *r, size_t n);

/* --- two series of the same n periods --- */

typedef struct tl_versus {
    tl_metric beta;  /* METRIC-F17; n < 2: too_few; population var(xb) <= 1e-30: zero_denominator */
    tl_metric alpha; /* METRIC-F18 */
    tl_metric alpha_geometric;   /* METRIC-F19; base <= 0: ruin, -1 */
    tl_metric information_ratio; /* METRIC-F20 */
} tl_versus;

/* r and b paired: who has gaps drops them from both first. */
void tl_metric_versus(tl_versus *out, const double *r, const double *b, size_t n, double rf,
                      double periods);

/* --- significance: Sharpe ratios per period, not a year --- */

typedef struct tl_sharpe_sample {
    double sharpe;         /* per period */
    uint64_t observations; /* n */
    double skew;
    double kurtosis; /* not the excess: 3 for the normal law */
} tl_sharpe_sample;

/* tl_sharpe_sample_of: SR, n, skew and kurtosis of the excess returns. Returns ok, too_few (n < 4)
 * or zero_denominator (degenerate); out is written only when ok. */
TL_MUST_USE tl_metric_status tl_sharpe_sample_of(tl_sharpe_sample *out, const double *r, size_t n,
                                                 double rf);

/* n < 2: too_few; V <= 0: zero_denominator. */
tl_metric tl_sharpe_psr(const tl_sharpe_sample *sample, double sharpe_star); /* METRIC-F21 */

/* tl_expected_max_z: METRIC-F22. trials 0: too_few; 1: 0. is_flagged (may be NULL): fewer than 5
 * trials, where the formula is poor. Q(1 - 1/N) is taken as -Q(1/N), which keeps its digits for
 * large N. */
tl_metric tl_expected_max_z(uint64_t trials, bool *is_flagged);

/* tl_sharpe_star: the SR* that luck alone would reach: s_N Z_N; 0 for one trial, whatever s_N is.
 * */
tl_metric tl_sharpe_star(uint64_t trials, double trial_sharpe_std);

/* trial_sharpe_std: std of the trials' Sharpe ratios per period; one trial makes SR* = 0 whatever
 * it is. */
tl_metric tl_sharpe_deflated(const tl_sharpe_sample *sample, uint64_t trials,
                             double trial_sharpe_std); /* METRIC-F23 */

/* confidence in (0, 1) (asserted). SR <= SR* or V <= 0: zero_denominator. In observations. */
tl_metric tl_sharpe_min_track_record(const tl_sharpe_sample *sample, double sharpe_star,
                                     double confidence); /* METRIC-F24 */

/* sharpe_annual 0: zero_denominator. In years. */
tl_metric tl_sharpe_min_backtest_length(uint64_t trials, double sharpe_annual); /* METRIC-F25 */

/* --- all of one series --- */

typedef struct tl_metrics_options {
    double rate_annual;        /* R */
    double periods;            /* P: 252, 365, 52, 12, 4, 1 */
    double track_record_level; /* c of METRIC-F24; 0 means 0.95 */
} tl_metrics_options;

typedef struct tl_metrics {
    size_t n;
    double rf; /* per period */
    tl_metric total_return;
    tl_metric cagr;
    tl_metric volatility;
    tl_metric sharpe;
    tl_metric downside_deviation;
    tl_metric sortino;
    tl_drawdown drawdown;
    tl_metric calmar;
    tl_metric omega;
    tl_metric tail_ratio;
    tl_metric var_95;
    tl_metric cvar_95;
    tl_metric var_99;
    tl_metric cvar_99;
    tl_metric var_95_normal;
    tl_metric win_rate;
    tl_metric profit_factor;
    size_t win_streak;
    tl_metric skew;
    tl_metric kurtosis_excess;
    tl_metric psr_0;            /* METRIC-F21 at SR* = 0 */
    tl_metric min_track_record; /* METRIC-F24 at SR* = 0 */
} tl_metrics;

/* tl_metrics_compute: every figure of one series.
 * scratch  n doubles for a sorted copy, given back
 * Errors: TL_ERR_RANGE as tl_rate_per_period; those of the arena. Cost: O(n log n). */
TL_MUST_USE tl_err tl_metrics_compute(tl_metrics *out, const double *r, size_t n,
                                      const tl_metrics_options *options, tl_arena *scratch,
                                      tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
