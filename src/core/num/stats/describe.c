/* Figures of a series, each by two passes: deviations from the mean, never the difference of two large sums. */
#include <math.h>

#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"

double tl_mean(const double *x, size_t n)
{
    return n == 0 ? 0.0 : tl_sum(x, n) / (double)n;
}

double tl_var(const double *x, size_t n, size_t ddof)
{
    if (n <= ddof) {
        return 0.0;
    }
    return tl_sum_sq_dev(x, n, tl_mean(x, n)) / (double)(n - ddof);
}

double tl_std(const double *x, size_t n, size_t ddof)
{
    return sqrt(tl_var(x, n, ddof));
}

double tl_cov(const double *a, const double *b, size_t n, size_t ddof)
{
    if (n <= ddof) {
        return 0.0;
    }
    return tl_sum_cross_dev(a, b, n, tl_mean(a, n), tl_mean(b, n)) / (double)(n - ddof);
}

double tl_max_abs(const double *x, size_t n)
{
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double size = fabs(x[i]);
        most = size > most ? size : most;
    }
    return most;
}

bool tl_is_degenerate(const double *x, size_t n, double std)
{
    return std <= 0x1p-40 * tl_max_abs(x, n);
}

/* Powers of a spread near the ends of the doubles over- or underflow; what comes of it is no figure. */
static bool give_finite(double *out, double value)
{
    if (!(fabs(value) <= 0x1.fffffffffffffp1023)) {
        return false;
    }
    *out = value;
    return true;
}

bool tl_skew(double *out, const double *x, size_t n)
{
    if (n < 3) {
        return false;
    }
    const double count = (double)n;
    const double mean = tl_mean(x, n);
    const double sum2 = tl_sum_sq_dev(x, n, mean);
    if (tl_is_degenerate(x, n, sqrt(sum2 / (count - 1)))) {
        return false;
    }
    const double m2 = sum2 / count;
    const double m3 = tl_sum_cube_dev(x, n, mean) / count;
    const double biased = m3 / (m2 * sqrt(m2));
    const double skew = biased * sqrt(count * (count - 1)) / (count - 2);
    return give_finite(out, skew);
}

bool tl_kurtosis_excess(double *out, const double *x, size_t n)
{
    if (n < 4) {
        return false;
    }
    const double count = (double)n;
    const double mean = tl_mean(x, n);
    const double sum2 = tl_sum_sq_dev(x, n, mean);
    if (tl_is_degenerate(x, n, sqrt(sum2 / (count - 1)))) {
        return false;
    }
    const double m2 = sum2 / count;
    const double m4 = tl_sum_fourth_dev(x, n, mean) / count;
    const double scaled = (count + 1) * (m4 / (m2 * m2)) - 3 * (count - 1);
    return give_finite(out, (count - 1) / ((count - 2) * (count - 3)) * scaled);
}
