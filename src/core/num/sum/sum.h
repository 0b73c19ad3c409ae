/* sum: every reduction over doubles, with the same bits on every machine.
 * For         means, deviations, correlations, scores: wherever doubles are added up
 * Takes       plain pointers and counts        Gives       one double
 * Calls       nothing                          Called by   num/stats, quant, subnet
 * Owns        nothing
 * Threads     any: no state
 * Invariants  SUM-1 element i goes to lane i mod 8, lanes fold in one fixed tree, whatever the length
 *             SUM-2 each variant gives the bits of the portable one
 * Read        sum.c (the definition), then sum_avx2.c
 *
 *      x0 x8  … ─▶ lane 0 ─┐ 0+4 ─┐
 *      x4 x12 … ─▶ lane 4 ─┘      ├ (0+4)+(2+6) ─┐
 *      x2 x10 … ─▶ lane 2 ─┐ 2+6 ─┘              │
 *      x6 x14 … ─▶ lane 6 ─┘                     ├─▶ sum
 *      x1 x9  … ─▶ lane 1 ─┐ 1+5 ─┐              │
 *      x5 x13 … ─▶ lane 5 ─┘      ├ (1+5)+(3+7) ─┘
 *      x3 x11 … ─▶ lane 3 ─┐ 3+7 ─┘
 *      x7 x15 … ─▶ lane 7 ─┘
 *
 * Each lane starts at +0.0, so no result is ever -0.0 and an empty sum is 0.0. Fixed lanes make the order of additions
 * part of the definition: a vector unit and a scalar loop carry out the same additions, and so give the same bits. Eight
 * independent chains also hide the latency of the adder; the rounding error is that of n/8 additions and three more.
 */
#ifndef TALLY_CORE_NUM_SUM_H
#define TALLY_CORE_NUM_SUM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All: finite input, no alignment asked for, pointers may be NULL when n is 0. */

/* tl_sum: the sum of x[i]. */
double tl_sum(const double *x, size_t n);

/* tl_dot: the sum of a[i] * b[i], each product rounded once. */
double tl_dot(const double *a, const double *b, size_t n);

/* tl_sum_sq_dev: the sum of (x[i] - mean)^2, difference and square each rounded once. */
double tl_sum_sq_dev(const double *x, size_t n, double mean);

/* tl_sum_cube_dev, tl_sum_fourth_dev: with d = x[i] - mean the sums of (d * d) * d and of (d * d) * (d * d), each step
 * rounded once. Portable code alone: skewness and kurtosis are asked for once a series. */
double tl_sum_cube_dev(const double *x, size_t n, double mean);
double tl_sum_fourth_dev(const double *x, size_t n, double mean);

/* tl_sum_cross_dev: the sum of (a[i] - mean_a) * (b[i] - mean_b), each step rounded once. */
double tl_sum_cross_dev(const double *a, const double *b, size_t n, double mean_a, double mean_b);

#ifdef __cplusplus
}
#endif

#endif
