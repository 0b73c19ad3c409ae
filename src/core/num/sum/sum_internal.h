/* The variants of sum, for sum.c and the tests. Nothing outside this room includes it.
 *
 * The portable ones are the definition. The others are asked for only when tl__sum_has_avx2() says so; the answer is
 * one load and one test of what the compiler's runtime found out before main, once a call, never once an element.
 */
#ifndef TALLY_CORE_NUM_SUM_INTERNAL_H
#define TALLY_CORE_NUM_SUM_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#define TL__SUM_LANES 8

double tl__sum_portable(const double *x, size_t n);
double tl__dot_portable(const double *a, const double *b, size_t n);
double tl__sum_sq_dev_portable(const double *x, size_t n, double mean);
double tl__sum_cross_dev_portable(const double *a, const double *b, size_t n, double mean_a,
                                  double mean_b);

/* tl__sum_fold: the tree of the header's drawing. */
static inline double tl__sum_fold(const double lane[TL__SUM_LANES])
{
    const double even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const double odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return even + odd; /* SUM-1 */
}

#if defined(__x86_64__)
#    define TL__SUM_WITH_AVX2 1

bool tl__sum_has_avx2(void);
double tl__sum_avx2(const double *x, size_t n);
double tl__dot_avx2(const double *a, const double *b, size_t n);
double tl__sum_sq_dev_avx2(const double *x, size_t n, double mean);
double tl__sum_cross_dev_avx2(const double *a, const double *b, size_t n, double mean_a,
                              double mean_b);
#else
#    define TL__SUM_WITH_AVX2 0
#endif

#endif
