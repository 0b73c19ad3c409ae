/* stats: what a series looks like, and putting things in order.
 * For         metrics, correlation, detectors, ranking
 * Takes       finite doubles (decode let nothing else in), or records with a total comparator
 * Gives       one figure each; sorted items; ranks
 * Calls       num/sum, base/arena              Called by   quant, consensus, subnet
 * Owns        nothing: scratch is given back before return
 * Threads     any: no state
 * Invariants  STATS-1 sorting keeps each item and is the same for every order of arrival that the comparator tells apart
 *             STATS-2 equal items keep their order in tl_sort
 *             STATS-3 the ranks of n values add up to n (n + 1) / 2
 *             STATS-4 a quantile lies between the smallest and the largest value
 * Read        describe.c, then order.c, then sort.c
 */
#ifndef TALLY_CORE_NUM_STATS_H
#define TALLY_CORE_NUM_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena/arena.h"
#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- figures of a series (describe.c). Each says what it gives where it is not defined; callers with a status of their
 *     own ask before. --- */

/* tl_mean: the sum over n; 0 when n is 0. */
double tl_mean(const double *x, size_t n);

/* tl_var, tl_std: two passes, deviations from the mean over n - ddof; 0 when n <= ddof. */
double tl_var(const double *x, size_t n, size_t ddof);
double tl_std(const double *x, size_t n, size_t ddof);

/* tl_cov: sum of (a - mean a)(b - mean b) over n - ddof; 0 when n <= ddof. */
double tl_cov(const double *a, const double *b, size_t n, size_t ddof);

/* tl_max_abs: the largest |x|; 0 when n is 0. */
double tl_max_abs(const double *x, size_t n);

/* tl_is_degenerate: std <= 2^-40 * max |x|: a spread that is rounding and no more (quant-math spec section 1). True for
 * n = 0. std is the caller's, of the same series. */
bool tl_is_degenerate(const double *x, size_t n, double std);

/* tl_skew: bias-corrected G1 = m3 / m2^1.5 * sqrt(n (n - 1)) / (n - 2), as pandas. False, out untouched, when n < 3, the
 * spread is degenerate, or its powers leave the range of doubles (a spread beyond 1e100 or below 1e-75). */
TL_MUST_USE bool tl_skew(double *out, const double *x, size_t n);

/* tl_kurtosis_excess: bias-corrected G2 = (n - 1) / ((n - 2)(n - 3)) * ((n + 1) m4 / m2^2 - 3 (n - 1)), as pandas.
 * False, out untouched, when n < 4, or as for tl_skew. */
TL_MUST_USE bool tl_kurtosis_excess(double *out, const double *x, size_t n);

/* --- order (order.c) --- */

/* tl_quantile_sorted: Hyndman and Fan's type 7: linear between order statistics at (n - 1) q. x ascending, n at least 1
 * and q in [0, 1] (both asserted). */
double tl_quantile_sorted(const double *sorted, size_t n, double q);

/* tl_quantile_select: the same figure of an unsorted series, in O(n) on the average; x is reordered. */
double tl_quantile_select(double *x, size_t n, double q);

/* tl_median_select: tl_quantile_select at one half. */
double tl_median_select(double *x, size_t n);

/* tl_ranks_average: ranks from 1 in ascending order; ties share their mean rank, -0.0 and 0.0 tie.
 * Errors: those of the arena (16 bytes an element, given back). Cost: O(n log n). */
TL_MUST_USE tl_err tl_ranks_average(double *out, const double *x, size_t n, tl_arena *scratch,
                                    tl_errctx *ctx);

/* --- sorting (sort.c) --- */

/* tl_sort_f64: ascending, in place, -0.0 before 0.0, so that the bits do not depend on the order of arrival. Finite or
 * infinite, no NaN. O(n log n) at worst (quicksort, heapsort below a depth of 2 log n, insertion for short runs). */
void tl_sort_f64(double *x, size_t n);

/* tl_compare: < 0, 0, > 0, and the same for the same pair whenever asked. self is handed through. */
typedef int (*tl_compare)(const void *a, const void *b, void *self);

/* tl_sort: stable merge sort of count items of size bytes.
 *
 * cmp      total: ties end with hotkey bytes, then index, where the result's order matters
 * scratch  count * size bytes, given back before return
 * Errors   those of the arena; the items are then as they were
 * Cost     O(n log n) comparisons at worst, n - 1 when already sorted
 */
TL_MUST_USE tl_err tl_sort(void *items, size_t count, size_t size, tl_compare cmp, void *self,
                           tl_arena *scratch, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
