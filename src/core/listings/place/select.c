/* select.c: which zipcodes an epoch asks for: a weighted draw without replacement (Efraimidis and Spirakis, 2006), cut to
 * the bounds of an epoch. */
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/listings/place/place_internal.h"
#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"

void tl__place_rng(tl_xoshiro *out, const tl_hash32 *digest)
{
    uint64_t any = 0;
    for (size_t w = 0; w < 4; w++) {
        out->s[w] = 0;
        for (size_t i = 8; i-- > 0;) {
            out->s[w] = out->s[w] << 8 | digest->b[w * 8 + i];
        }
        any |= out->s[w];
    }
    if (any == 0) { /* the one state that the generator never leaves */
        tl_xoshiro_seed(out, 0);
    }
}

#define SWAPS_MAX 256 /* large zipcodes that may be put aside in one draw */

typedef struct candidate {
    double key;
    const tl_place *place;
    bool is_out; /* too large to reach the least count */
} candidate;

typedef struct draw {
    tl_arena *arena;
    const tl_places *places;
    tl_select_options o;
    const tl_select_recent *recent; /* ascending by zipcode, the latest time of each */
    size_t recent_count;
    uint64_t low;
    uint64_t high;
    candidate *candidates;
    size_t count;
    const tl_place **taken;
    size_t taken_count;
    uint64_t sum;
} draw;

/* --- options --- */

static uint32_t or_u32(uint32_t given, uint32_t standard)
{
    return given != 0 ? given : standard;
}

static tl_err complete_options(draw *d, const tl_select_options *given, tl_errctx *ctx)
{
    tl_select_options o = *given;
    o.target = or_u32(o.target, 10000);
    o.tolerance_bp = or_u32(o.tolerance_bp, 1000);
    o.count_min = or_u32(o.count_min, 20);
    o.count_max = or_u32(o.count_max, 30);
    o.expected_min = or_u32(o.expected_min, 200);
    o.expected_max = or_u32(o.expected_max, 3000);
    o.cooldown_ms = o.cooldown_ms != 0 ? o.cooldown_ms : TL_DAY_MS;
    o.data_age_ms = o.data_age_ms != 0 ? o.data_age_ms : 30 * TL_DAY_MS;
    if (o.count_min > o.count_max || o.count_max > TL_SELECT_MAX ||
        o.expected_min > o.expected_max || o.tolerance_bp > 10000 || o.cooldown_ms < 0 ||
        o.data_age_ms < 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "the bounds of a selection contradict each other");
    }
    d->o = o;
    d->low = (uint64_t)o.target * (10000 - o.tolerance_bp) / 10000;
    d->high = (uint64_t)o.target * (10000 + o.tolerance_bp) / 10000;
    return TL_OK;
}

static int recent_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_select_recent *x = (const tl_select_recent *)a;
    const tl_select_recent *y = (const tl_select_recent *)b;
    const int by_code = memcmp(x->zipcode, y->zipcode, 5);
    return by_code != 0 ? by_code
                        : (x->assigned_ms > y->assigned_ms) - (x->assigned_ms < y->assigned_ms);
}

static tl_err sort_recent(draw *d, tl_errctx *ctx)
{
    tl_select_recent *sorted = TL_NEW(d->arena, tl_select_recent, d->o.recent_count);
    if (sorted == NULL) {
        return tl_arena_fail(d->arena, ctx);
    }
    if (d->o.recent_count > 0) {
        memcpy(sorted, d->o.recent, d->o.recent_count * sizeof *sorted);
    }
    TL_TRY(tl_sort(sorted, d->o.recent_count, sizeof *sorted, recent_cmp, NULL, d->arena, ctx));
    size_t kept = 0;
    for (size_t i = 0; i < d->o.recent_count; i++) { /* the last of equal codes is the latest */
        if (i + 1 == d->o.recent_count ||
            memcmp(sorted[i].zipcode, sorted[i + 1].zipcode, 5) != 0) {
            sorted[kept++] = sorted[i];
        }
    }
    d->recent = sorted;
    d->recent_count = kept;
    return TL_OK;
}

/* --- who may be drawn --- */

static bool is_cooling(const draw *d, const tl_place *place)
{
    size_t low = 0;
    size_t high = d->recent_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (memcmp(d->recent[mid].zipcode, place->zipcode, 5) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < d->recent_count && memcmp(d->recent[low].zipcode, place->zipcode, 5) == 0 &&
           d->recent[low].assigned_ms > d->o.start_ms - d->o.cooldown_ms;
}

static double weight_of(const tl_place *place)
{
    static const double of_tier[] = {0.8, 1.0, 1.5};
    const uint64_t both = place->population + place->property_count;
    if (both <= 1) {
        return 0.0;
    }
    return (double)place->expected * tl_log((double)both) * of_tier[place->tier];
}

static bool is_eligible(const draw *d, size_t i, bool minds_cooldown)
{
    const tl_place *p = &d->places->items[i];
    const int64_t updated = d->places->updated_ms[i];
    return p->state.len > 0 && p->expected >= d->o.expected_min &&
           p->expected <= d->o.expected_max && weight_of(p) > 0.0 &&
           (updated == TL_PLACE_UNDATED || updated > d->o.start_ms - d->o.data_age_ms) &&
           !(minds_cooldown && is_cooling(d, p));
}

static int candidate_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const candidate *x = (const candidate *)a;
    const candidate *y = (const candidate *)b;
    if (x->key < y->key || x->key > y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return memcmp(x->place->zipcode, y->place->zipcode, 5);
}

static tl_err draw_keys(draw *d, bool minds_cooldown, tl_errctx *ctx)
{
    tl_hash32 digest;
    tl_xoshiro rng;
    tl_sha256(&digest, d->o.seed.ptr, d->o.seed.len);
    tl__place_rng(&rng, &digest);
    d->count = 0;
    for (size_t i = 0; i < d->places->count; i++) {
        if (!is_eligible(d, i, minds_cooldown)) {
            continue;
        }
        const tl_place *p = &d->places->items[i];
        const double u = tl_xoshiro_unit(&rng);
        const double inside = u > 0.0 ? u : 0x1p-54; /* half of the least step: never infinite */
        d->candidates[d->count++] = (candidate){-tl_log(inside) / weight_of(p), p, false};
    }
    return tl_sort(d->candidates, d->count, sizeof *d->candidates, candidate_cmp, NULL, d->arena,
                   ctx);
}

/* --- the cut --- */

static bool is_within(const draw *d, uint64_t sum)
{
    return sum >= d->low && sum <= d->high;
}

/* By ascending key, whoever fits. Returns the index behind the last one taken. */
static size_t walk(draw *d)
{
    size_t after_last = 0;
    d->taken_count = 0;
    d->sum = 0;
    for (size_t i = 0; i < d->count && d->taken_count < d->o.count_max; i++) {
        const tl_place *p = d->candidates[i].place;
        if (d->taken_count >= d->o.count_min && d->sum >= d->low) {
            break;
        }
        if (!d->candidates[i].is_out && d->sum + p->expected <= d->high) {
            d->taken[d->taken_count++] = p;
            d->sum += p->expected;
            after_last = i + 1;
        }
    }
    return after_last;
}

/* Too few fit, since they are large: the largest of them is put aside for good. */
static void put_largest_aside(draw *d)
{
    const tl_place *largest = d->taken[0];
    for (size_t k = 1; k < d->taken_count; k++) {
        largest = d->taken[k]->expected > largest->expected ? d->taken[k] : largest;
    }
    for (size_t i = 0; i < d->count; i++) {
        d->candidates[i].is_out |= d->candidates[i].place == largest;
    }
}

static bool take(draw *d)
{
    size_t after_last = walk(d);
    for (uint32_t i = 0; i < SWAPS_MAX && d->taken_count < d->o.count_min && d->taken_count > 0;
         i++) {
        put_largest_aside(d);
        after_last = walk(d);
    }
    if (d->taken_count < d->o.count_min) {
        return false;
    }
    if (is_within(d, d->sum)) {
        return true;
    }
    const uint64_t without = d->sum - d->taken[d->taken_count - 1]->expected;
    for (size_t i = after_last; i < d->count; i++) { /* another last one */
        const tl_place *p = d->candidates[i].place;
        if (is_within(d, without + p->expected)) {
            d->taken[d->taken_count - 1] = p;
            d->sum = without + p->expected;
            return true;
        }
    }
    return false;
}

static int zipcode_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return memcmp((*(const tl_place *const *)a)->zipcode, (*(const tl_place *const *)b)->zipcode,
                  5);
}

tl_err tl_select(tl_selection *out, tl_arena *arena, const tl_places *places,
                 const tl_select_options *options, tl_errctx *ctx)
{
    draw d = {.arena = arena, .places = places};
    TL_TRY(complete_options(&d, options, ctx));
    d.taken = TL_NEW(arena, const tl_place *, d.o.count_max);
    d.candidates = TL_NEW(arena, candidate, places->count);
    if (d.taken == NULL || d.candidates == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(sort_recent(&d, ctx));
    bool is_relaxed = false;
    TL_TRY(draw_keys(&d, true, ctx));
    if (!take(&d)) {
        is_relaxed = true;
        TL_TRY(draw_keys(&d, false, ctx));
        if (!take(&d)) {
            return tl_fail(ctx, TL_ERR_STATE,
                           "no %u to %u zipcodes with %llu to %llu listings together among %zu "
                           "eligible",
                           d.o.count_min, d.o.count_max, (unsigned long long)d.low,
                           (unsigned long long)d.high, d.count);
        }
    }
    TL_ASSERT(d.taken_count >= d.o.count_min && d.taken_count <= d.o.count_max); /* PLACE-2 */
    TL_ASSERT(is_within(&d, d.sum));                                             /* PLACE-2 */
    TL_TRY(tl_sort(d.taken, d.taken_count, sizeof *d.taken, zipcode_cmp, NULL, arena, ctx));
    *out = (tl_selection){d.taken, d.taken_count, d.sum, d.count, is_relaxed};
    return TL_OK;
}

void tl_zipcodes_hash(tl_hash32 *out, const tl_selection *selection)
{
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    for (size_t i = 0; i < selection->count; i++) {
        if (i > 0) {
            TL_ASSERT(zipcode_cmp(&selection->items[i - 1], &selection->items[i], NULL) < 0);
            tl_sha256_update(&hash, ",", 1);
        }
        tl_sha256_update(&hash, selection->items[i]->zipcode, 5);
    }
    tl_sha256_final(&hash, out);
}
