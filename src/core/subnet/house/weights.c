/* weights.c: the one place of the room where doubles become a signal's integers. */
#include "core/subnet/house/house.h"

#include <stdbool.h>

#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/subnet/house/house_internal.h"

#define CAP     ((double)TL_HOUSE_WEIGHT_MAX / TL_HOUSE_ONE)
#define RAW_MAX 1e300

typedef struct position {
    tl_str ticker;
    size_t index;     /* of the ticker */
    double weight;    /* raw, then scaled */
    double remainder; /* of the millionths */
    uint32_t millionths;
} position;

static int by_weight(const void *a, const void *b, void *self)
{
    (void)self;
    const position *x = (const position *)a;
    const position *y = (const position *)b;
    if (x->weight != y->weight) {
        return x->weight > y->weight ? -1 : 1;
    }
    return tl_str_cmp(x->ticker, y->ticker);
}

static int by_remainder(const void *a, const void *b, void *self)
{
    (void)self;
    const position *x = (const position *)a;
    const position *y = (const position *)b;
    if (x->remainder != y->remainder) {
        return x->remainder > y->remainder ? -1 : 1;
    }
    return tl_str_cmp(x->ticker, y->ticker);
}

static tl_err read_raw(position *out, size_t *held, const double *raw, const tl_str *tickers,
                       size_t count, tl_errctx *ctx)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(raw[i] >= 0.0 && raw[i] <= RAW_MAX)) {
            return tl_fail(ctx, TL_ERR_RANGE, "raw weight of \"%.*s\" is negative or not finite",
                           TL_STR_ARG(tickers[i]));
        }
        if (raw[i] > 0.0) {
            out[n++] = (position){.ticker = tickers[i], .index = i, .weight = raw[i]};
        }
    }
    if (n < TL_HOUSE_POSITIONS_MIN) {
        return tl_fail(ctx, TL_ERR_MISSING, "%zu positions, at least %d", n,
                       TL_HOUSE_POSITIONS_MIN);
    }
    *held = n;
    return TL_OK;
}

/* Scales the uncapped to what the capped leave; true when one of them now is above the cap, and so
 * becomes capped itself. */
static bool scale_round(double *weights, bool *is_capped, double *room, size_t n)
{
    size_t capped = 0;
    for (size_t i = 0; i < n; i++) {
        capped += is_capped[i] ? 1 : 0;
        room[i] = is_capped[i] ? 0.0 : weights[i];
    }
    const double sum = tl_sum(room, n);
    if (sum <= 0.0) {
        return false;
    }
    const double share = 1.0 - CAP * (double)capped;
    bool has_more = false;
    for (size_t i = 0; i < n; i++) {
        if (!is_capped[i]) {
            weights[i] = weights[i] / sum * share;
            is_capped[i] = weights[i] >= CAP;
            has_more = has_more || is_capped[i];
        }
        weights[i] = is_capped[i] ? CAP : weights[i];
    }
    return has_more;
}

tl_err tl__weights_cap(double *weights, size_t n, tl_arena *scratch, tl_errctx *ctx)
{
    bool *is_capped = TL_NEW(scratch, bool, n);
    double *room = TL_NEW(scratch, double, n);
    if (is_capped == NULL || room == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    bool has_more = true;
    for (size_t round = 0; round <= TL_HOUSE_POSITIONS_MIN && has_more; round++) {
        has_more = scale_round(weights, is_capped, room, n);
    }
    TL_ASSERT(!has_more); /* five caps are the whole: nothing is left for a sixth */
    return TL_OK;
}

/* Floors, then the rest one each by the largest remainder among those below the cap. n >= 5, so
 * somebody is below it while something is left. HOUSE-4: what is alike differs by one at most. */
static tl_err quantise(position *p, size_t n, tl_arena *scratch, tl_errctx *ctx)
{
    int64_t left = TL_HOUSE_ONE;
    for (size_t i = 0; i < n; i++) {
        const double exact = p[i].weight * TL_HOUSE_ONE;
        p[i].millionths = exact >= TL_HOUSE_WEIGHT_MAX ? TL_HOUSE_WEIGHT_MAX : (uint32_t)exact;
        p[i].remainder = exact - (double)p[i].millionths;
        left -= p[i].millionths;
    }
    TL_TRY(tl_sort(p, n, sizeof(*p), by_remainder, NULL, scratch, ctx));
    while (left > 0) {
        for (size_t i = 0; i < n && left > 0; i++) {
            if (p[i].millionths < TL_HOUSE_WEIGHT_MAX) {
                p[i].millionths++;
                left--;
            }
        }
    }
    TL_ASSERT(left == 0); /* HOUSE-1: floors sum to at most the whole */
    return TL_OK;
}

static tl_err weigh(uint32_t *out, const double *raw, const tl_str *tickers, size_t count,
                    uint32_t positions_max, tl_arena *scratch, tl_errctx *ctx)
{
    position *p = TL_NEW(scratch, position, count);
    if (p == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    size_t held;
    TL_TRY(read_raw(p, &held, raw, tickers, count, ctx));
    TL_TRY(tl_sort(p, held, sizeof(*p), by_weight, NULL, scratch, ctx));
    const size_t n = held < positions_max ? held : positions_max;
    double weights[TL_HOUSE_POSITIONS_MAX];
    for (size_t i = 0; i < n; i++) {
        weights[i] = p[i].weight / p[0].weight; /* by the largest, so that the sum is finite */
    }
    TL_TRY(tl__weights_cap(weights, n, scratch, ctx));
    for (size_t i = 0; i < n; i++) {
        p[i].weight = weights[i];
    }
    TL_TRY(quantise(p, n, scratch, ctx));
    for (size_t i = 0; i < count; i++) {
        out[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        TL_ASSERT(p[i].millionths <= TL_HOUSE_WEIGHT_MAX); /* HOUSE-1 */
        out[p[i].index] = p[i].millionths;
    }
    return TL_OK;
}

tl_err tl_house_weights(uint32_t *out, const double *raw, const tl_str *tickers, size_t count,
                        uint32_t positions_max, tl_arena *scratch, tl_errctx *ctx)
{
    if (positions_max < TL_HOUSE_POSITIONS_MIN || positions_max > TL_HOUSE_POSITIONS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "positions_max",
                             "%u positions, not within %d and %d", (unsigned)positions_max,
                             TL_HOUSE_POSITIONS_MIN, TL_HOUSE_POSITIONS_MAX);
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    const tl_err err = weigh(out, raw, tickers, count, positions_max, scratch, ctx);
    tl_arena_rewind(scratch, mark);
    return err;
}

tl_err tl_house_smooth(uint32_t *out, const uint32_t *held, const uint32_t *target,
                       const tl_str *tickers, size_t count, tl_arena *scratch, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *raw = TL_NEW(scratch, double, count);
    if (raw == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        const int64_t gap = (int64_t)target[i] - (int64_t)held[i];
        const bool is_large = gap > TL_HOUSE_GAP_MIN || gap < -TL_HOUSE_GAP_MIN;
        raw[i] = (double)held[i] + (is_large ? (double)gap * 0.5 : 0.0);
    }
    const tl_err err =
        tl_house_weights(out, raw, tickers, count, TL_HOUSE_POSITIONS_MAX, scratch, ctx);
    tl_arena_rewind(scratch, mark);
    return err;
}
