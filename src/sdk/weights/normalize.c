/* normalize_max_weight, in float32 and in float64, and NumPy's sum.
 *
 *      e = sorted / sum(sorted)     c_i = e_0 + … + e_i     q_i = (n - i - 1) e_i
 *      m = how many  e_i / (q_i + c_i + eps) < limit        (ascending e: those that stay whole)
 *      cut = (limit c_{m-1} - eps) / (1 - limit (n - m)) * sum(sorted)
 */
#include <math.h>
#include <string.h>

#include "sdk/weights/weights_internal.h"

enum { LANES = 8, BLOCK = 128 };

static const double EPSILON = 1e-7; /* of the SDK: for stability after normalisation */

double tl__weights_round(double value, bool is_narrow)
{
    return is_narrow ? (double)(float)value : value;
}

/* WGT-1: below 8 one after the other; up to 128 in eight lanes, joined as a tree; above, two halves, the first a
 * multiple of 8 long. */
static double pairwise(const double *x, size_t n, bool narrow)
{
    if (n < LANES) {
        double sum = -0.0;
        for (size_t i = 0; i < n; i++) {
            sum = tl__weights_round(sum + x[i], narrow);
        }
        return sum;
    }
    if (n > BLOCK) {
        const size_t half = n / 2 - n / 2 % LANES;
        return tl__weights_round(pairwise(x, half, narrow) + pairwise(x + half, n - half, narrow),
                                 narrow);
    }
    double lane[LANES];
    memcpy(lane, x, sizeof lane);
    size_t i = LANES;
    for (; i < n - n % LANES; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            lane[k] = tl__weights_round(lane[k] + x[i + k], narrow);
        }
    }
    for (size_t width = 1; width < LANES; width *= 2) {
        for (size_t k = 0; k < LANES; k += 2 * width) {
            lane[k] = tl__weights_round(lane[k] + lane[k + width], narrow);
        }
    }
    double sum = lane[0];
    for (; i < n; i++) {
        sum = tl__weights_round(sum + x[i], narrow);
    }
    return sum;
}

double tl__weights_sum(const double *x, size_t n, bool is_narrow)
{
    return tl__weights_round(0.0 + pairwise(x, n, is_narrow), is_narrow);
}

/* --- a sort that needs no recursion and no luck: heap sort, ascending --- */

static void sift_down(double *x, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && x[child] < x[child + 1]) {
            child++;
        }
        if (x[root] >= x[child]) {
            return;
        }
        const double swapped = x[root];
        x[root] = x[child];
        x[child] = swapped;
    }
}

void tl__weights_sort(double *x, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) {
        sift_down(x, i, n);
    }
    for (size_t last = n; last-- > 1;) {
        const double largest = x[0];
        x[0] = x[last];
        x[last] = largest;
        sift_down(x, 0, last);
    }
}

/* --- the cut --- */

/* Where weights are cut. sorted ascends, its sum is above 0. The result is a float64 in the SDK, whatever the weights. */
static double find_cut(const double *sorted, size_t n, double sum, double limit, bool narrow)
{
    const double limit_here = tl__weights_round(limit, narrow);
    const double epsilon = tl__weights_round(EPSILON, narrow);
    double c = 0;
    double c_kept = 0; /* c_{m-1}; the last of all when m is 0, as an index of -1 says in Python */
    size_t kept = 0;
    for (int pass = 0; pass < 2; pass++) {
        c = 0;
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            const double e = tl__weights_round(sorted[i] / sum, narrow);
            const double q = tl__weights_round((double)(n - i - 1) * e, narrow);
            c = i == 0 ? e : tl__weights_round(c + e, narrow);
            const double base =
                tl__weights_round(tl__weights_round(q + c, narrow) + epsilon, narrow);
            count += tl__weights_round(e / base, narrow) < limit_here ? 1 : 0;
            if (pass == 1 && i == (kept != 0 ? kept - 1 : n - 1)) {
                c_kept = c;
            }
        }
        kept = count;
    }
    const double top =
        tl__weights_round(tl__weights_round(limit_here * c_kept, narrow) - epsilon, narrow);
    return top / (1.0 - limit * (double)(n - kept)) * sum;
}

void tl__weights_normalize(double *out, double *sorted, size_t n, double limit, bool narrow)
{
    memcpy(sorted, out, n * sizeof *sorted);
    tl__weights_sort(sorted, n);
    const double all = tl__weights_sum(out, n, narrow);
    if (all == 0.0 || (double)n * limit <= 1.0) {
        for (size_t i = 0; i < n; i++) {
            out[i] = tl__weights_round(1.0 / tl__weights_round((double)n, narrow), narrow);
        }
        return;
    }
    const double sum = tl__weights_sum(sorted, n, narrow);
    const double highest = tl__weights_round(sorted[n - 1] / sum, narrow);
    double total = all;
    if (highest > tl__weights_round(limit, narrow)) {
        const double cut = find_cut(sorted, n, sum, limit, narrow);
        for (size_t i = 0; i < n; i++) {
            out[i] = out[i] > cut ? tl__weights_round(cut, narrow) : out[i];
        }
        total = tl__weights_sum(out, n, narrow);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = tl__weights_round(out[i] / total, narrow);
    }
}

tl_err tl__weights_check(const float *weights, size_t count, double limit, tl_errctx *ctx)
{
    if (count == 0 || count > TL_WEIGHTS_COUNT_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "weights", "%zu weights, not 1 to %d", count,
                             TL_WEIGHTS_COUNT_MAX);
    }
    if (!(limit > 0.0 && limit <= 1.0)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "limit", "the limit is not above 0 and at most 1");
    }
    for (size_t i = 0; i < count; i++) {
        if (!(weights[i] >= 0.0f) || isinf(weights[i])) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "weights",
                                 "weight %zu is negative or not finite", i);
        }
    }
    return TL_OK;
}

tl_err tl_weights_normalize(float *out, const float *weights, size_t count, double limit,
                            tl_arena *scratch, tl_errctx *ctx)
{
    TL_TRY(tl__weights_check(weights, count, limit, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *const wide = TL_NEW(scratch, double, count);
    double *const sorted = TL_NEW(scratch, double, count);
    if (wide == NULL || sorted == NULL) {
        tl_arena_rewind(scratch, mark);
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        wide[i] = (double)weights[i];
    }
    tl__weights_normalize(wide, sorted, count, limit, true);
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)wide[i];
    }
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}
