/* How much of a Sharpe ratio is luck: Bailey and Lopez de Prado. */
#include <math.h>

#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"
#include "core/quant/metrics/metrics_internal.h"

#define EULER_GAMMA   0.5772156649015329
#define EULER         2.718281828459045
#define TRIALS_FEWEST 5 /* below, the formula is poor (pypbo refuses) */

tl_metric tl_metric_skew(const double *r, size_t n)
{
    double skew;
    if (n < 3) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    return tl_skew(&skew, r, n) ? tl__some(skew) : tl__none(TL_METRIC_ZERO_DENOMINATOR);
}

tl_metric tl_metric_kurtosis_excess(const double *r, size_t n)
{
    double kurtosis;
    if (n < 4) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    return tl_kurtosis_excess(&kurtosis, r, n) ? tl__some(kurtosis)
                                               : tl__none(TL_METRIC_ZERO_DENOMINATOR);
}

tl_metric_status tl_sharpe_sample_of(tl_sharpe_sample *out, const double *r, size_t n, double rf)
{
    if (n < 4) {
        return TL_METRIC_TOO_FEW;
    }
    double skew;
    double kurtosis_excess;
    const tl__spread s = tl__spread_of(r, n);
    if (s.is_degenerate || !tl_skew(&skew, r, n) || !tl_kurtosis_excess(&kurtosis_excess, r, n)) {
        return TL_METRIC_ZERO_DENOMINATOR;
    }
    out->sharpe = (s.mean - rf) / s.std;
    out->observations = n;
    out->skew = skew;
    out->kurtosis = kurtosis_excess + 3.0;
    return TL_METRIC_OK;
}

/* V: (n - 1) times the variance of the estimated Sharpe ratio. */
static double estimator_variance(const tl_sharpe_sample *s)
{
    return 1.0 - s->skew * s->sharpe + (s->kurtosis - 1.0) / 4.0 * (s->sharpe * s->sharpe);
}

tl_metric tl_sharpe_psr(const tl_sharpe_sample *sample, double sharpe_star)
{
    if (sample->observations < 2) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const double variance = estimator_variance(sample);
    if (!(variance > 0.0)) {
        return tl__none(TL_METRIC_ZERO_DENOMINATOR);
    }
    const double z =
        (sample->sharpe - sharpe_star) * sqrt((double)(sample->observations - 1)) / sqrt(variance);
    return tl__some(tl_normal_cdf(z)); /* METRIC-F21 */
}

tl_metric tl_expected_max_z(uint64_t trials, bool *is_flagged)
{
    if (is_flagged != NULL) {
        *is_flagged = trials < TRIALS_FEWEST;
    }
    if (trials == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    if (trials == 1) {
        return tl__some(0.0);
    }
    const double count = (double)trials;
    const double first = -tl_normal_quantile(1.0 / count);
    const double second = -tl_normal_quantile(1.0 / (count * EULER));
    return tl__some((1.0 - EULER_GAMMA) * first + EULER_GAMMA * second); /* METRIC-F22 */
}

tl_metric tl_sharpe_star(uint64_t trials, double trial_sharpe_std)
{
    const tl_metric z = tl_expected_max_z(trials, NULL);
    if (!tl_metric_is_defined(z) || trials == 1) {
        return z;
    }
    return tl__some(trial_sharpe_std * z.value);
}

tl_metric tl_sharpe_deflated(const tl_sharpe_sample *sample, uint64_t trials,
                             double trial_sharpe_std)
{
    const tl_metric star = tl_sharpe_star(trials, trial_sharpe_std);
    return tl_metric_is_defined(star) ? tl_sharpe_psr(sample, star.value) : star; /* METRIC-F23 */
}

tl_metric tl_sharpe_min_track_record(const tl_sharpe_sample *sample, double sharpe_star,
                                     double confidence)
{
    TL_ASSERT(confidence > 0.0 && confidence < 1.0);
    const double variance = estimator_variance(sample);
    if (!(sample->sharpe > sharpe_star) || !(variance > 0.0)) {
        return tl__none(TL_METRIC_ZERO_DENOMINATOR);
    }
    const double q = tl_normal_quantile(confidence) / (sample->sharpe - sharpe_star);
    return tl__some(1.0 + variance * (q * q)); /* METRIC-F24 */
}

tl_metric tl_sharpe_min_backtest_length(uint64_t trials, double sharpe_annual)
{
    const tl_metric z = tl_expected_max_z(trials, NULL);
    if (!tl_metric_is_defined(z)) {
        return z;
    }
    if (sharpe_annual == 0.0) {
        return tl__none(TL_METRIC_ZERO_DENOMINATOR);
    }
    const double ratio = z.value / sharpe_annual;
    return tl__some(ratio * ratio); /* METRIC-F25 */
}
