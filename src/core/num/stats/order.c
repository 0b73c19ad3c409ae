/* Order statistics: quantiles of sorted and unsorted series, ranks with ties. */
#include <stdint.h>

#include "core/num/stats/stats.h"
#include "core/num/stats/stats_internal.h"

/* Between the order statistics low and high, fraction in [0, 1). */
static double between(double low, double high, double fraction)
{
    const double value = low + (high - low) * fraction;
    /* Rounding, or a spread beyond the largest double, may step out: STATS-4. */
    return value < low ? low : (value > high ? high : value);
}

double tl_quantile_sorted(const double *sorted, size_t n, double q)
{
    TL_ASSERT(n > 0);
    TL_ASSERT(q >= 0.0 && q <= 1.0);
    const double position = (double)(n - 1) * q;
    const size_t low = (size_t)position; /* floor: position is not negative */
    if (low + 1 >= n) {
        return sorted[n - 1];
    }
    return between(sorted[low], sorted[low + 1], position - (double)low);
}

/* Reorder until x[k] is the k-th smallest, nothing larger before it, nothing smaller behind. Should the pivots be
 * hopeless (an adversary's series), sorting what is left keeps it O(n log n). */
static void select_kth(double *x, size_t n, size_t k)
{
    size_t first = 0;
    size_t last = n - 1;
    for (uint32_t rounds = 64; last > first; rounds--) {
        if (rounds == 0) {
            tl_sort_f64(x + first, last - first + 1);
            return;
        }
        const size_t mid = first + tl__partition_f64(x + first, last - first + 1);
        if (k <= mid) {
            last = mid;
        } else {
            first = mid + 1;
        }
    }
}

double tl_quantile_select(double *x, size_t n, double q)
{
    TL_ASSERT(n > 0);
    TL_ASSERT(q >= 0.0 && q <= 1.0);
    const double position = (double)(n - 1) * q;
    const size_t low = (size_t)position < n ? (size_t)position : n - 1;
    select_kth(x, n, low);
    if (low + 1 >= n) {
        return x[n - 1];
    }
    double next = x[low + 1]; /* the smallest of what stands behind */
    for (size_t i = low + 2; i < n; i++) {
        next = x[i] < next ? x[i] : next;
    }
    return between(x[low], next, position - (double)low);
}

double tl_median_select(double *x, size_t n)
{
    return tl_quantile_select(x, n, 0.5);
}

typedef struct ranked {
    double value;
    size_t index;
} ranked;

static int compare_ranked(const void *a, const void *b, void *self)
{
    (void)self;
    const ranked *ra = a;
    const ranked *rb = b;
    if (ra->value != rb->value) {
        return ra->value < rb->value ? -1 : 1;
    }
    return (ra->index > rb->index) - (ra->index < rb->index);
}

tl_err tl_ranks_average(double *out, const double *x, size_t n, tl_arena *scratch, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    ranked *items = TL_NEW(scratch, ranked, n);
    if (items == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        items[i].value = x[i];
        items[i].index = i;
    }
    const tl_err err = tl_sort(items, n, sizeof *items, compare_ranked, NULL, scratch, ctx);
    for (size_t first = 0; err == TL_OK && first < n;) {
        size_t end = first + 1;
        while (end < n && items[end].value == items[first].value) {
            end++;
        }
        const double rank = 0.5 * (double)(first + 1 + end); /* mean of first + 1 … end: STATS-3 */
        for (; first < end; first++) {
            out[items[first].index] = rank;
        }
    }
    tl_arena_rewind(scratch, mark);
    return err;
}
