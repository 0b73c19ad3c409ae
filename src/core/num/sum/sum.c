#include "core/num/sum/sum.h"

#include "core/num/sum/sum_internal.h"

double tl_sum(const double *x, size_t n)
{
#if TL__SUM_WITH_AVX2
    if (tl__sum_has_avx2()) {
        return tl__sum_avx2(x, n);
    }
#endif
    return tl__sum_portable(x, n);
}

double tl_dot(const double *a, const double *b, size_t n)
{
#if TL__SUM_WITH_AVX2
    if (tl__sum_has_avx2()) {
        return tl__dot_avx2(a, b, n);
    }
#endif
    return tl__dot_portable(a, b, n);
}

double tl_sum_sq_dev(const double *x, size_t n, double mean)
{
#if TL__SUM_WITH_AVX2
    if (tl__sum_has_avx2()) {
        return tl__sum_sq_dev_avx2(x, n, mean);
    }
#endif
    return tl__sum_sq_dev_portable(x, n, mean);
}

double tl_sum_cross_dev(const double *a, const double *b, size_t n, double mean_a, double mean_b)
{
#if TL__SUM_WITH_AVX2
    if (tl__sum_has_avx2()) {
        return tl__sum_cross_dev_avx2(a, b, n, mean_a, mean_b);
    }
#endif
    return tl__sum_cross_dev_portable(a, b, n, mean_a, mean_b);
}

double tl_sum_cube_dev(const double *x, size_t n, double mean)
{
    double lane[TL__SUM_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        const double d = x[i] - mean;
        lane[i % TL__SUM_LANES] += (d * d) * d;
    }
    return tl__sum_fold(lane);
}

double tl_sum_fourth_dev(const double *x, size_t n, double mean)
{
    double lane[TL__SUM_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        const double d = x[i] - mean;
        lane[i % TL__SUM_LANES] += (d * d) * (d * d);
    }
    return tl__sum_fold(lane);
}

/* The definition: one term at a time, element i to lane i mod 8. */

double tl__sum_portable(const double *x, size_t n)
{
    double lane[TL__SUM_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        lane[i % TL__SUM_LANES] += x[i];
    }
    return tl__sum_fold(lane);
}

double tl__dot_portable(const double *a, const double *b, size_t n)
{
    double lane[TL__SUM_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        lane[i % TL__SUM_LANES] += a[i] * b[i];
    }
    return tl__sum_fold(lane);
}

double tl__sum_sq_dev_portable(const double *x, size_t n, double mean)
{
    double lane[TL__SUM_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        const double d = x[i] - mean;
        lane[i % TL__SUM_LANES] += d * d;
    }
    return tl__sum_fold(lane);
}

double tl__sum_cross_dev_portable(const double *a, const double *b, size_t n, double mean_a,
                                  double mean_b)
{
    double lane[TL__SUM_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        lane[i % TL__SUM_LANES] += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return tl__sum_fold(lane);
}
