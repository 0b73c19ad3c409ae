/* The road of one series: admitted, then each figure of the mean and the spread; the others live
 * beside their idea. */
#include "core/quant/metrics/metrics.h"

#include <math.h>
#include <string.h>

#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/quant/metrics/metrics_internal.h"

#define PERIODS_MAX           1e6
#define TRACK_RECORD_LEVEL    0.95
#define DEGENERATE_SURELY_NOT 0x1p-39

const char *tl_metric_status_name(tl_metric_status status)
{
    static const char *const names[] = {
        [TL_METRIC_OK] = "ok",
        [TL_METRIC_TOO_FEW] = "too_few",
        [TL_METRIC_ZERO_DENOMINATOR] = "zero_denominator",
        [TL_METRIC_RUIN] = "ruin",
        [TL_METRIC_TOO_LARGE] = "too_large",
    };
    TL_ASSERT((size_t)status < sizeof names / sizeof names[0]);
    return names[status];
}

/* --- into the room --- */

tl_err tl_returns_admit(double *out, size_t *clamped_count, const double *returns, size_t n,
                        tl_errctx *ctx)
{
    if (n > TL_SERIES_PERIODS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu returns, above %zu", n, TL_SERIES_PERIODS_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(returns[i]) <= 0x1.fffffffffffffp1023) || returns[i] > TL_RETURN_MAX) {
            tl_err err = tl_fail(ctx, TL_ERR_RANGE, "a return that is no number up to 1e7");
            tl_errctx_under(ctx, "[%zu]", i);
            return err;
        }
    }
    size_t clamped = 0;
    for (size_t i = 0; i < n; i++) {
        clamped += returns[i] < -1.0;
        out[i] = returns[i] < -1.0 ? -1.0 : returns[i];
    }
    if (clamped_count != NULL) {
        *clamped_count = clamped;
    }
    return TL_OK;
}

static tl_err price_fail(size_t i, tl_errctx *ctx)
{
    const tl_err err = tl_fail(ctx, TL_ERR_RANGE, "a price must be a number above 0");
    tl_errctx_under(ctx, "[%zu]", i);
    return err;
}

tl_err tl_returns_from_prices(double *out, const double *prices, size_t count, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const bool may_be_zero = i > 0 && i + 1 == count;
        if (!(prices[i] <= 0x1.fffffffffffffp1023) || prices[i] < 0.0 ||
            (prices[i] == 0.0 && !may_be_zero)) {
            return price_fail(i, ctx);
        }
        if (i > 0 && !(prices[i] / prices[i - 1] - 1.0 <= TL_RETURN_MAX)) {
            return price_fail(i, ctx);
        }
    }
    for (size_t i = 1; i < count; i++) {
        out[i - 1] = prices[i] / prices[i - 1] - 1.0;
    }
    return TL_OK;
}

tl_err tl_rate_per_period(double *out, double rate_annual, double periods, tl_errctx *ctx)
{
    if (!(rate_annual > -1.0 && rate_annual <= TL_RETURN_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "rate_annual", "a rate must be above -1");
    }
    if (!(periods > 0.0 && periods <= PERIODS_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "periods",
                             "periods a year must be above 0, at most 1000000");
    }
    /* (1 + R)^(1/P) - 1 without the digits that 1 + … would lose. */
    *out = tl_expm1(tl_log1p(rate_annual) / periods);
    return TL_OK;
}

/* --- shared by the room --- */

tl_metric tl__some(double value)
{
    if (!(fabs(value) <= 0x1.fffffffffffffp1023)) {
        return tl__none(TL_METRIC_TOO_LARGE);
    }
    const tl_metric m = {value + 0.0, TL_METRIC_OK};
    return m;
}

tl_metric tl__ratio(double a, double b)
{
    return b == 0.0 ? tl__none(TL_METRIC_ZERO_DENOMINATOR) : tl__some(a / b);
}

tl__spread tl__spread_of(const double *r, size_t n)
{
    TL_ASSERT(n >= 2);
    tl__spread s;
    s.mean = tl_mean(r, n);
    const double squares = tl_sum_sq_dev(r, n, s.mean);
    s.std = sqrt(squares / (double)(n - 1));
    /* No |r| is above |mean| + sqrt(squares): when the deviation is clear of that, the search for
     * max |r| is spared. */
    s.is_degenerate = !(s.std > DEGENERATE_SURELY_NOT * (fabs(s.mean) + sqrt(squares))) &&
                      tl_is_degenerate(r, n, s.std); /* METRIC-2 */
    return s;
}

bool tl__is_ruined(const double *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i] <= -1.0) {
            return true;
        }
    }
    return false;
}

/* --- mean and spread --- */

tl_metric tl_metric_mean(const double *r, size_t n)
{
    return n == 0 ? tl__none(TL_METRIC_TOO_FEW) : tl__some(tl_mean(r, n));
}

tl_metric tl_metric_volatility(const double *r, size_t n, double periods)
{
    if (n < 2) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const tl__spread s = tl__spread_of(r, n);
    return s.is_degenerate ? tl__some(0.0) : tl__some(s.std * sqrt(periods)); /* METRIC-F3 */
}

tl_metric tl_metric_sharpe(const double *r, size_t n, double rf, double periods)
{
    if (n < 2) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const tl__spread s = tl__spread_of(r, n);
    if (s.is_degenerate) {
        return tl__none(TL_METRIC_ZERO_DENOMINATOR);
    }
    return tl__some((s.mean - rf) / s.std * sqrt(periods)); /* METRIC-F4 */
}

/* The sum of min(x, 0)^2, x = r - rf. */
static double downside_squares(const double *r, size_t n, double rf)
{
    tl__eight sum = {0};
    for (size_t i = 0; i < n; i += TL__LANES) {
        tl__eight x;
        tl__load_eight(&x, r + i, n - i, rf);
        x -= rf;
        tl__eight size;
        tl__abs_eight(&size, &x);
        const tl__eight loss = 0.5 * (size - x);
        sum += loss * loss;
    }
    return tl__fold(&sum);
}

tl_metric tl_metric_downside_deviation(const double *r, size_t n, double rf, double periods)
{
    if (n == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    return tl__some(sqrt(downside_squares(r, n, rf) / (double)n) * sqrt(periods)); /* METRIC-F5 */
}

tl_metric tl_metric_sortino(const double *r, size_t n, double rf, double periods)
{
    if (n < 2) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const tl_metric deviation = tl_metric_downside_deviation(r, n, rf, periods);
    return tl__ratio((tl_mean(r, n) - rf) * periods, deviation.value); /* METRIC-F6 */
}

/* --- all of one series --- */

tl_err tl_metrics_compute(tl_metrics *out, const double *r, size_t n,
                          const tl_metrics_options *options, tl_arena *scratch, tl_errctx *ctx)
{
    const double periods = options->periods;
    double rf;
    TL_TRY(tl_rate_per_period(&rf, options->rate_annual, periods, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *sorted = TL_NEW(scratch, double, n);
    if (sorted == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    if (n > 0) {
        memcpy(sorted, r, n * sizeof *r);
        tl_sort_f64(sorted, n);
    }
    out->n = n;
    out->rf = rf;
    out->total_return = tl_metric_total_return(r, n);
    out->cagr = tl_metric_cagr(r, n, periods);
    out->volatility = tl_metric_volatility(r, n, periods);
    out->sharpe = tl_metric_sharpe(r, n, rf, periods);
    out->downside_deviation = tl_metric_downside_deviation(r, n, rf, periods);
    out->sortino = tl_metric_sortino(r, n, rf, periods);
    tl_metric_drawdown(&out->drawdown, r, n);
    out->calmar = tl_metric_calmar(r, n, periods);
    out->omega = tl_metric_omega(r, n, rf);
    out->tail_ratio = tl_metric_tail_ratio(sorted, n);
    out->var_95 = tl_metric_var(sorted, n, 0.05);
    out->cvar_95 = tl_metric_cvar(sorted, n, 0.05);
    out->var_99 = tl_metric_var(sorted, n, 0.01);
    out->cvar_99 = tl_metric_cvar(sorted, n, 0.01);
    out->var_95_normal = tl_metric_var_normal(r, n, 0.05);
    out->win_rate = tl_metric_win_rate(r, n);
    out->profit_factor = tl_metric_profit_factor(r, n);
    out->win_streak = tl_metric_win_streak(r, n);
    out->skew = tl_metric_skew(r, n);
    out->kurtosis_excess = tl_metric_kurtosis_excess(r, n);
    tl_arena_rewind(scratch, mark);

    tl_sharpe_sample sample;
    const tl_metric_status status = tl_sharpe_sample_of(&sample, r, n, rf);
    const double level =
        options->track_record_level == 0.0 ? TRACK_RECORD_LEVEL : options->track_record_level;
    const bool is_sampled = status == TL_METRIC_OK;
    out->psr_0 = is_sampled ? tl_sharpe_psr(&sample, 0.0) : tl__none(status);
    out->min_track_record =
        is_sampled ? tl_sharpe_min_track_record(&sample, 0.0, level) : tl__none(status);
    return TL_OK;
}
