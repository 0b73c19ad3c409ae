/* Two sorts: doubles in place and fast, records stable with a comparator of their own. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/num/stats/stats.h"
#include "core/num/stats/stats_internal.h"

#define SHORT_RUN 24 /* below it insertion beats partitioning */

static void insertion_sort_f64(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const double value = x[i];
        size_t at = i;
        for (; at > 0 && x[at - 1] > value; at--) {
            x[at] = x[at - 1];
        }
        x[at] = value;
    }
}

static void sift_down(double *x, size_t root, size_t n)
{
    const double value = x[root];
    for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
        if (child + 1 < n && x[child] < x[child + 1]) {
            child++;
        }
        if (x[child] <= value) {
            break;
        }
        x[root] = x[child];
        root = child;
    }
    x[root] = value;
}

static void heap_sort_f64(double *x, size_t n)
{
    for (size_t root = n / 2; root-- > 0;) {
        sift_down(x, root, n);
    }
    for (size_t end = n; end-- > 1;) {
        const double most = x[0];
        x[0] = x[end];
        x[end] = most;
        sift_down(x, 0, end);
    }
}

static double median_of_three(double a, double b, double c)
{
    const double low = a < b ? a : b;
    const double high = a < b ? b : a;
    return c < low ? low : (c > high ? high : c);
}

/* Hoare's. The median of three bounds both scans, each swap bounds the next. */
size_t tl__partition_f64(double *x, size_t n)
{
    const double pivot = median_of_three(x[0], x[n / 2], x[n - 1]);
    size_t i = 0;
    size_t j = n - 1;
    for (;;) {
        while (x[i] < pivot) {
            i++;
        }
        while (x[j] > pivot) {
            j--;
        }
        if (i >= j) {
            return j < n - 1 ? j : n - 2;
        }
        const double kept = x[i];
        x[i++] = x[j];
        x[j--] = kept;
    }
}

/* The larger side waits on a stack of at most log2(n) entries, the smaller is split on. */
static void intro_sort_f64(double *x, size_t n)
{
    struct {
        double *x;
        size_t n;
        uint32_t depth;
    } waiting[64];
    size_t waiting_count = 0;
    uint32_t depth = n > 1 ? 2 * (64 - (uint32_t)__builtin_clzll(n)) : 0;
    for (;;) {
        while (n > SHORT_RUN && depth > 0) {
            const size_t left = tl__partition_f64(x, n) + 1;
            const size_t right = n - left;
            depth--;
            TL_ASSERT(waiting_count < 64);
            waiting[waiting_count].x = left > right ? x : x + left;
            waiting[waiting_count].n = left > right ? left : right;
            waiting[waiting_count++].depth = depth;
            x = left > right ? x + left : x;
            n = left > right ? right : left;
        }
        if (n > SHORT_RUN) {
            heap_sort_f64(x, n);
        } else {
            insertion_sort_f64(x, n);
        }
        if (waiting_count == 0) {
            return;
        }
        waiting_count--;
        x = waiting[waiting_count].x;
        n = waiting[waiting_count].n;
        depth = waiting[waiting_count].depth;
    }
}

void tl_sort_f64(double *x, size_t n)
{
    intro_sort_f64(x, n);
    /* The two zeros compare equal: put the negative ones first, so that the bits are decided too (STATS-1). */
    size_t first = 0;
    while (first < n && x[first] < 0.0) {
        first++;
    }
    size_t negative_count = 0;
    size_t end = first;
    for (; end < n && x[end] == 0.0; end++) {
        negative_count += signbit(x[end]) != 0;
    }
    for (size_t i = first; i < end; i++) {
        x[i] = i - first < negative_count ? -0.0 : 0.0;
    }
    for (size_t i = 1; i < n; i++) {
        TL_VERIFY(x[i - 1] <= x[i]); /* STATS-1 */
    }
}

/* --- records --- */

typedef struct merge {
    unsigned char *from;
    unsigned char *to;
    size_t size;
    tl_compare cmp;
    void *self;
} merge;

/* Runs [first, mid) and [mid, end) of from become one run of to; on a tie the left one goes first (STATS-2). */
static void merge_runs(const merge *m, size_t first, size_t mid, size_t end)
{
    const size_t size = m->size;
    if (mid < end && m->cmp(m->from + (mid - 1) * size, m->from + mid * size, m->self) <= 0) {
        /* Already in order: both runs are copied as one. */
        memcpy(m->to + first * size, m->from + first * size, (end - first) * size);
        return;
    }
    size_t left = first;
    size_t right = mid;
    size_t at = first;
    while (left < mid && right < end) {
        const bool takes_right = m->cmp(m->from + left * size, m->from + right * size, m->self) > 0;
        const size_t source = takes_right ? right++ : left++;
        memcpy(m->to + at++ * size, m->from + source * size, size);
    }
    memcpy(m->to + at * size, m->from + left * size, (mid - left) * size);
    at += mid - left;
    memcpy(m->to + at * size, m->from + right * size, (end - right) * size);
}

tl_err tl_sort(void *items, size_t count, size_t size, tl_compare cmp, void *self,
               tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(size > 0);
    if (count < 2) {
        return TL_OK;
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    unsigned char *other = tl_arena_alloc(scratch, count, size, _Alignof(max_align_t));
    if (other == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    merge m = {items, other, size, cmp, self};
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t first = 0; first < count; first += 2 * width) {
            const size_t mid = count - first > width ? first + width : count;
            const size_t end = count - mid > width ? mid + width : count;
            merge_runs(&m, first, mid, end);
        }
        unsigned char *const merged = m.to;
        m.to = m.from;
        m.from = merged;
    }
    if (m.from != items) {
        memcpy(items, m.from, count * size);
    }
    for (size_t i = 1; i < count; i++) {
        TL_VERIFY(cmp((unsigned char *)items + (i - 1) * size, (unsigned char *)items + i * size,
                      self) <= 0); /* STATS-1 */
    }
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}
