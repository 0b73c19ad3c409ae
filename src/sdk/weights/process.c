/* process_weights: which weights stay, and how the SDK fills up when too few are left. */
#include <math.h>
#include <string.h>

#include "sdk/weights/weights_internal.h"

/* NumPy's linear quantile of an ascending float32 array: index (n - 1) q, between its neighbours, from the nearer one. */
static double quantile(const double *sorted, size_t n, double q)
{
    const double at = tl__weights_round((double)(n - 1) * tl__weights_round(q, true), true);
    const double below = floor(at);
    const size_t low = (size_t)below < n - 1 ? (size_t)below : n - 1;
    const size_t high = low + 1 < n ? low + 1 : n - 1;
    const double t = tl__weights_round(at - below, true);
    const double step = tl__weights_round(sorted[high] - sorted[low], true);
    if (t >= 0.5) {
        const double back = tl__weights_round(step * tl__weights_round(1.0 - t, true), true);
        return tl__weights_round(sorted[high] - back, true);
    }
    return tl__weights_round(sorted[low] + tl__weights_round(step * t, true), true);
}

static tl_err new_set(tl_weights_set *out, tl_arena *arena, size_t count, tl_errctx *ctx)
{
    out->uids = TL_NEW(arena, uint16_t, count);
    out->weights = TL_NEW(arena, double, count);
    out->count = count;
    return out->uids != NULL && out->weights != NULL ? TL_OK : tl_arena_fail(arena, ctx);
}

/* Every neuron the same: no weight is above 0, or the subnet is smaller than its own minimum. */
static tl_err all_equal(tl_weights_set *out, tl_arena *arena, size_t count, tl_errctx *ctx)
{
    TL_TRY(new_set(out, arena, count, ctx));
    for (size_t i = 0; i < count; i++) {
        out->uids[i] = (uint16_t)i;
        out->weights[i] = 1.0 / (double)count;
    }
    return TL_OK;
}

/* Fewer than the minimum: 1e-5 for every neuron besides. The SDK adds at the weight's index in the list, not at its
 * uid, and computes in float64. */
static tl_err fill_up(tl_weights_set *out, tl_arena *arena, const float *weights, size_t count,
                      const tl_weights_rules *rules, tl_errctx *ctx)
{
    TL_TRY(new_set(out, arena, rules->neuron_count, ctx));
    double *const sorted = TL_NEW(arena, double, out->count);
    if (sorted == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < out->count; i++) {
        out->uids[i] = (uint16_t)i;
        out->weights[i] = 1.0 * 1e-5;
    }
    for (size_t i = 0; i < count; i++) {
        if (weights[i] > 0.0f && i >= out->count) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "weights", "weight %zu, above %zu neurons", i,
                                 out->count);
        }
        if (weights[i] > 0.0f) {
            out->weights[i] += (double)weights[i];
        }
    }
    tl__weights_normalize(out->weights, sorted, out->count, rules->weight_max, false);
    return TL_OK;
}

/* The lowest are left out, as many as the quantile says and the minimum allows. */
static tl_err leave_out(tl_weights_set *out, tl_arena *arena, const uint16_t *uids,
                        const float *weights, size_t count, size_t positive,
                        const tl_weights_rules *rules, tl_errctx *ctx)
{
    TL_TRY(new_set(out, arena, positive, ctx));
    double *const sorted = TL_NEW(arena, double, positive);
    if (sorted == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (weights[i] > 0.0f) {
            sorted[n++] = (double)weights[i];
        }
    }
    tl__weights_sort(sorted, n);
    const double most = (double)(positive - rules->allowed_min) / (double)positive;
    const double wanted = (double)rules->exclude_quantile / 65535.0;
    const double lowest = quantile(sorted, positive, wanted < most ? wanted : most);
    out->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (weights[i] > 0.0f && lowest <= (double)weights[i]) {
            out->uids[out->count] = uids[i];
            out->weights[out->count++] = (double)weights[i];
        }
    }
    tl__weights_normalize(out->weights, sorted, out->count, rules->weight_max, true);
    return TL_OK;
}

tl_err tl_weights_process(tl_weights_set *out, tl_arena *arena, const uint16_t *uids,
                          const float *weights, size_t count, const tl_weights_rules *rules,
                          tl_errctx *ctx)
{
    TL_TRY(tl__weights_check(weights, count, rules->weight_max, ctx));
    if (rules->neuron_count == 0 || rules->neuron_count > TL_WEIGHTS_COUNT_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "neuron_count", "%zu neurons, not 1 to %d",
                             rules->neuron_count, TL_WEIGHTS_COUNT_MAX);
    }
    size_t positive = 0;
    for (size_t i = 0; i < count; i++) {
        positive += weights[i] > 0.0f ? 1 : 0;
    }
    tl_weights_set made = {NULL, NULL, 0};
    if (positive == 0 || rules->neuron_count < rules->allowed_min) {
        TL_TRY(all_equal(&made, arena, rules->neuron_count, ctx));
    } else if (positive < rules->allowed_min) {
        TL_TRY(fill_up(&made, arena, weights, count, rules, ctx));
    } else {
        TL_TRY(leave_out(&made, arena, uids, weights, count, positive, rules, ctx));
    }
    *out = made; /* WGT-3 */
    return TL_OK;
}
