/* How long blocks should be: Politis and White 2004, Patton, Politis and White 2009.
 *
 *      kn = max(5, floor(sqrt(log10 n)))     m_max = ceil(sqrt n) + kn     c = 2 sqrt(log10 n / n)
 *      acv_i = sum over t >= i of e_t e_(t-i) / n
 *      |rho_i| = n |acv_i| / sqrt(v1 v2), v1 = sum e^2 without the first i + 1, v2 without the
 *      last i + 1 mh = the first i - kn, i >= kn, with |rho| of lags i - kn … i - 1 all below c
 *      m = min(2 max(mh, 1), m_max), or m_max when there is none
 *      lambda_k = 1 for k / m <= 1/2, else 2 (1 - k / m)
 *      G = sum 2 lambda_k k acv_k       S = acv_0 + sum 2 lambda_k acv_k       k = 1 … m
 *      L = (G^2 / S^2)^(1/3) n^(1/3), at most ceil(min(3 sqrt n, n / 3))
 */
#include <math.h>

#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/quant/boot/boot.h"

#define FEWEST 11 /* below, v1 of the last lag has no value */

static size_t ceil_of(double x)
{
    const size_t whole = (size_t)x;
    return whole + ((double)whole < x);
}

/* m: the lags that count. acv: filled for lags 0 … m_max. */
static size_t lags_that_count(double *acv, const double *e, size_t n, size_t kn, size_t m_max)
{
    const double count = (double)n;
    const double cutoff = 2.0 * sqrt(tl_log10(count) / count);
    size_t quiet = 0; /* how many lags in a row, up to the one before, are below the cutoff */
    size_t m_hat = m_max;
    bool is_found = false;
    for (size_t i = 0; i <= m_max; i++) {
        if (!is_found && i >= kn && quiet >= kn) {
            m_hat = i - kn;
            is_found = true;
        }
        const double cross = tl_dot(e + i, e, n - i);
        const double v1 = tl_dot(e + i + 1, e + i + 1, n - i - 1);
        const double v2 = tl_dot(e, e, n - i - 1);
        const double scale = sqrt(v1 * v2);
        acv[i] = cross / count;
        quiet = scale > 0.0 && fabs(cross) / scale < cutoff ? quiet + 1 : 0;
    }
    const size_t m = is_found ? 2 * (m_hat > 1 ? m_hat : 1) : m_max;
    return m < m_max ? m : m_max;
}

/* weights: room for 2 m. */
static tl_metric length_of(const double *acv, double *weights, size_t m, size_t n)
{
    const double count = (double)n;
    double *lambda = weights;
    double *lambda_k = weights + m;
    for (size_t k = 1; k <= m; k++) {
        const double share = (double)k / (double)m;
        lambda[k - 1] = share <= 0.5 ? 2.0 : 4.0 * (1.0 - share);
        lambda_k[k - 1] = lambda[k - 1] * (double)k;
    }
    const double g = tl_dot(lambda_k, acv + 1, m);
    const double s = acv[0] + tl_dot(lambda, acv + 1, m);
    tl_metric length = {0.0, TL_METRIC_ZERO_DENOMINATOR};
    if (s == 0.0) {
        return length;
    }
    const double most_by_root = 3.0 * sqrt(count);
    const double most_by_share = count / 3.0;
    const double most =
        (double)ceil_of(most_by_root < most_by_share ? most_by_root : most_by_share);
    const double ratio = g / s;
    const double third = 1.0 / 3.0;
    const double value = tl_pow(ratio * ratio, third) * tl_pow(count, third);
    length.value = value < most ? value : most;
    length.status = TL_METRIC_OK;
    return length;
}

tl_err tl_boot_block_length(tl_metric *out, const double *r, size_t n, tl_arena *scratch,
                            tl_errctx *ctx)
{
    const tl_metric few = {0.0, TL_METRIC_TOO_FEW};
    const tl_metric flat = {0.0, TL_METRIC_ZERO_DENOMINATOR};
    if (n < FEWEST) {
        *out = few;
        return TL_OK;
    }
    if (tl_is_degenerate(r, n, tl_std(r, n, 1))) {
        *out = flat;
        return TL_OK;
    }
    const size_t root_of_log = (size_t)sqrt(tl_log10((double)n));
    const size_t kn = root_of_log > 5 ? root_of_log : 5;
    const size_t m_max = ceil_of(sqrt((double)n)) + kn;
    TL_ASSERT(m_max + 1 < n);
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *e = TL_NEW(scratch, double, n);
    double *acv = TL_NEW(scratch, double, m_max + 1);
    double *weights = TL_NEW(scratch, double, 2 * m_max);
    if (e == NULL || acv == NULL || weights == NULL) {
        tl_arena_rewind(scratch, mark);
        return tl_arena_fail(scratch, ctx);
    }
    const double mean = tl_mean(r, n);
    for (size_t t = 0; t < n; t++) {
        e[t] = r[t] - mean;
    }
    const size_t m = lags_that_count(acv, e, n, kn, m_max);
    *out = length_of(acv, weights, m, n);
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}
