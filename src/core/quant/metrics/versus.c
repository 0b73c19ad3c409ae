/* A series against its benchmark. */
#include <math.h>

#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"
#include "core/quant/metrics/metrics_internal.h"

#define BETA_VARIANCE_MIN 1e-30 /* empyrical's bound, of the population variance */

/* mean(r - b) / std(r - b) sqrt(P): the differences are made on the way, in two passes. */
static tl_metric information_ratio(const double *r, const double *b, size_t n, double periods)
{
    tl__eight sum = {0};
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double d = r[i] - b[i];
        sum[i % TL__LANES] += d;
        most = fabs(d) > most ? fabs(d) : most;
    }
    const double mean = tl__fold(&sum) / (double)n;
    tl__eight squares = {0};
    for (size_t i = 0; i < n; i++) {
        const double d = (r[i] - b[i]) - mean;
        squares[i % TL__LANES] += d * d;
    }
    const double std = sqrt(tl__fold(&squares) / (double)(n - 1));
    /* A difference of two series carries the rounding of both: METRIC-2 holds against the largest
     * of the three. */
    if (std <= 0x1p-40 * most || tl_is_degenerate(r, n, std) || tl_is_degenerate(b, n, std)) {
        return tl__none(TL_METRIC_ZERO_DENOMINATOR);
    }
    return tl__some(mean / std * sqrt(periods)); /* METRIC-F20 */
}

static tl_metric geometric(double mean_active, double periods)
{
    const double base = 1.0 + mean_active;
    if (base <= 0.0) {
        const tl_metric ruin = {-1.0, TL_METRIC_RUIN};
        return ruin;
    }
    return tl__some(tl_pow(base, periods) - 1.0); /* METRIC-F19 */
}

void tl_metric_versus(tl_versus *out, const double *r, const double *b, size_t n, double rf,
                      double periods)
{
    if (n < 2) {
        const tl_metric few = {0.0, TL_METRIC_TOO_FEW};
        out->beta = out->alpha = out->alpha_geometric = out->information_ratio = few;
        return;
    }
    out->information_ratio = information_ratio(r, b, n, periods);
    /* rf is the same every period, so cov(x, xb) = cov(r, b). */
    const double variance = tl_var(b, n, 0);
    if (variance <= BETA_VARIANCE_MIN) {
        out->beta = out->alpha = out->alpha_geometric = tl__none(TL_METRIC_ZERO_DENOMINATOR);
        return;
    }
    const double beta = tl_cov(r, b, n, 0) / variance;
    const double mean_active = (tl_mean(r, n) - rf) - beta * (tl_mean(b, n) - rf);
    out->beta = tl__some(beta);                   /* METRIC-F17 */
    out->alpha = tl__some(mean_active * periods); /* METRIC-F18 */
    out->alpha_geometric = geometric(mean_active, periods);
}
