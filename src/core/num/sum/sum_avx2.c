/* The same additions as sum.c, four lanes to a register. 8 bytes an element and one 16-lane step per 8 elements: the
 * chain of additions (4 cycles a step) bounds it, at two elements a cycle.
 *
 * Written with the compiler's vector type, so that no intrinsic can fuse or reassociate; AVX2 alone, not FMA, is turned
 * on for these functions, and -ffp-contract=off holds as everywhere. */
#include "core/num/sum/sum_internal.h"

#include <string.h>

#if TL__SUM_WITH_AVX2

typedef double v4 __attribute__((vector_size(32)));

#    define WITH_AVX2 __attribute__((target("avx2")))

bool tl__sum_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

WITH_AVX2 double tl__sum_avx2(const double *x, size_t n)
{
    v4 low = {0, 0, 0, 0};  /* lanes 0 to 3 */
    v4 high = {0, 0, 0, 0}; /* lanes 4 to 7 */
    const size_t whole = n - n % TL__SUM_LANES;
    for (size_t i = 0; i < whole; i += TL__SUM_LANES) {
        v4 x0;
        v4 x1;
        memcpy(&x0, x + i, sizeof x0);
        memcpy(&x1, x + i + 4, sizeof x1);
        low += x0;
        high += x1;
    }
    double lane[TL__SUM_LANES];
    memcpy(lane, &low, sizeof low);
    memcpy(lane + 4, &high, sizeof high);
    for (size_t i = whole; i < n; i++) {
        lane[i - whole] += x[i];
    }
    return tl__sum_fold(lane); /* SUM-2 */
}

WITH_AVX2 double tl__dot_avx2(const double *a, const double *b, size_t n)
{
    v4 low = {0, 0, 0, 0};
    v4 high = {0, 0, 0, 0};
    const size_t whole = n - n % TL__SUM_LANES;
    for (size_t i = 0; i < whole; i += TL__SUM_LANES) {
        v4 a0;
        v4 a1;
        v4 b0;
        v4 b1;
        memcpy(&a0, a + i, sizeof a0);
        memcpy(&a1, a + i + 4, sizeof a1);
        memcpy(&b0, b + i, sizeof b0);
        memcpy(&b1, b + i + 4, sizeof b1);
        low += a0 * b0;
        high += a1 * b1;
    }
    double lane[TL__SUM_LANES];
    memcpy(lane, &low, sizeof low);
    memcpy(lane + 4, &high, sizeof high);
    for (size_t i = whole; i < n; i++) {
        lane[i - whole] += a[i] * b[i];
    }
    return tl__sum_fold(lane); /* SUM-2 */
}

WITH_AVX2 double tl__sum_sq_dev_avx2(const double *x, size_t n, double mean)
{
    const v4 m = {mean, mean, mean, mean};
    v4 low = {0, 0, 0, 0};
    v4 high = {0, 0, 0, 0};
    const size_t whole = n - n % TL__SUM_LANES;
    for (size_t i = 0; i < whole; i += TL__SUM_LANES) {
        v4 x0;
        v4 x1;
        memcpy(&x0, x + i, sizeof x0);
        memcpy(&x1, x + i + 4, sizeof x1);
        x0 -= m;
        x1 -= m;
        low += x0 * x0;
        high += x1 * x1;
    }
    double lane[TL__SUM_LANES];
    memcpy(lane, &low, sizeof low);
    memcpy(lane + 4, &high, sizeof high);
    for (size_t i = whole; i < n; i++) {
        const double d = x[i] - mean;
        lane[i - whole] += d * d;
    }
    return tl__sum_fold(lane); /* SUM-2 */
}

WITH_AVX2 double tl__sum_cross_dev_avx2(const double *a, const double *b, size_t n, double mean_a,
                                        double mean_b)
{
    const v4 ma = {mean_a, mean_a, mean_a, mean_a};
    const v4 mb = {mean_b, mean_b, mean_b, mean_b};
    v4 low = {0, 0, 0, 0};
    v4 high = {0, 0, 0, 0};
    const size_t whole = n - n % TL__SUM_LANES;
    for (size_t i = 0; i < whole; i += TL__SUM_LANES) {
        v4 a0;
        v4 a1;
        v4 b0;
        v4 b1;
        memcpy(&a0, a + i, sizeof a0);
        memcpy(&a1, a + i + 4, sizeof a1);
        memcpy(&b0, b + i, sizeof b0);
        memcpy(&b1, b + i + 4, sizeof b1);
        low += (a0 - ma) * (b0 - mb);
        high += (a1 - ma) * (b1 - mb);
    }
    double lane[TL__SUM_LANES];
    memcpy(lane, &low, sizeof low);
    memcpy(lane + 4, &high, sizeof high);
    for (size_t i = whole; i < n; i++) {
        lane[i - whole] += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return tl__sum_fold(lane); /* SUM-2 */
}

#else

typedef int tl__sum_avx2_is_absent; /* ISO C wants a declaration in every file */

#endif
