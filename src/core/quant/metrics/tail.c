/* Gains against losses, and what the tails hold. */
#include <math.h>

#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/quant/metrics/metrics_internal.h"

/* The sums of max(x, 0) and of max(-x, 0), x = r - rf, in one pass. */
static tl_metric gains_over_losses(const double *r, size_t n, double rf)
{
    tl__eight gain = {0};
    tl__eight loss = {0};
    for (size_t i = 0; i < n; i += TL__LANES) {
        tl__eight x;
        tl__load_eight(&x, r + i, n - i, rf);
        x -= rf;
        tl__eight size;
        tl__abs_eight(&size, &x);
        gain += 0.5 * (size + x);
        loss += 0.5 * (size - x);
    }
    return tl__ratio(tl__fold(&gain), tl__fold(&loss));
}

tl_metric tl_metric_omega(const double *r, size_t n, double rf)
{
    return n < 2 ? tl__none(TL_METRIC_TOO_FEW) : gains_over_losses(r, n, rf); /* METRIC-F9 */
}

tl_metric tl_metric_profit_factor(const double *r, size_t n)
{
    return n == 0 ? tl__none(TL_METRIC_TOO_FEW) : gains_over_losses(r, n, 0.0); /* METRIC-F15 */
}

tl_metric tl_metric_win_rate(const double *r, size_t n)
{
    if (n == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    size_t wins = 0;
    size_t trades = 0;
    for (size_t i = 0; i < n; i++) {
        wins += r[i] > 0.0;
        trades += r[i] != 0.0;
    }
    return tl__ratio((double)wins, (double)trades); /* METRIC-F14 */
}

size_t tl_metric_win_streak(const double *r, size_t n)
{
    size_t longest = 0;
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        run = r[i] > 0.0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest; /* METRIC-F16 */
}

tl_metric tl_metric_tail_ratio(const double *sorted, size_t n)
{
    if (n == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    return tl__ratio(fabs(tl_quantile_sorted(sorted, n, 0.95)),
                     fabs(tl_quantile_sorted(sorted, n, 0.05))); /* METRIC-F10 */
}

tl_metric tl_metric_var(const double *sorted, size_t n, double tail)
{
    if (n == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    return tl__some(tl_quantile_sorted(sorted, n, tail)); /* METRIC-F11 */
}

tl_metric tl_metric_cvar(const double *sorted, size_t n, double tail)
{
    TL_ASSERT(tail >= 0.0 && tail <= 1.0);
    if (n == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const size_t count = (size_t)((double)(n - 1) * tail) + 1;
    return tl__some(tl_mean(sorted, count)); /* METRIC-F12 */
}

tl_metric tl_metric_var_normal(const double *r, size_t n, double tail)
{
    TL_ASSERT(tail > 0.0 && tail < 1.0);
    if (n < 2) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const tl__spread s = tl__spread_of(r, n);
    if (s.is_degenerate) {
        return tl__none(TL_METRIC_ZERO_DENOMINATOR);
    }
    return tl__some(s.mean + s.std * tl_normal_quantile(tail)); /* METRIC-F13 */
}
