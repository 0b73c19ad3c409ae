/* price.c: prices that do not belong into their zipcode. The header tells how the zipcode's own distribution is made, and
 * why nobody alone can move it (SHARD-5).
 *
 * All figures are integers once the logarithm is taken: x in 2^-20 of a natural logarithm, medians doubled, deviations
 * doubled twice, so that the half between two middle values is whole. */
#include "base/map/map.h"
#include "core/listings/shard/shard_internal.h"
#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"

#define X_ONE     1048576.0 /* 2^20 */
#define ROWS_MIN  8         /* of a type, to have a median of one's own */
#define VOTES_MIN 3
#define Z_SCALE                                                                                    \
    INT64_C(                                                                                       \
        6745) /* 0.6745 in ten-thousandths: the quartile of the normal law, so that MAD stands for sigma */

/* Of one type: median and MAD of x, times two and times four. mad4 0: nothing can be said. */
typedef struct spread {
    int64_t median2;
    int64_t mad4;
    bool is_known;
} spread;

/* The same of all types, of one submission. */
typedef struct spreads {
    spread of[TL__TYPES];
} spreads;

int32_t tl__price_x(const tl_listing *l)
{
    if (l->price_cents <= 0 ||
        l->sqft_hundredths <= 0) { /* 0 too where they are absent or unreadable */
        return TL__NO_PRICE;
    }
    const double x = tl_log((double)l->price_cents / (double)l->sqft_hundredths) * X_ONE;
    TL_ASSERT(x > -4.0e7 && x < 4.0e7); /* both are below 10^15: |log| < 34.6 */
    return x >= 0 ? (int32_t)(x + 0.5) : -(int32_t)(0.5 - x);
}

static uint32_t type_of(const tl__price *price)
{
    return price->index_type % TL__TYPES;
}

/* work: room for the entry's prices. */
static void measure(spreads *out, const tl__entry *entry, double *work)
{
    for (size_t t = 0; t < TL__TYPES; t++) {
        size_t n = 0;
        for (uint32_t i = 0; i < entry->price_count; i++) {
            if (type_of(&entry->prices[i]) == t) {
                work[n++] = (double)entry->prices[i].x;
            }
        }
        out->of[t] = (spread){0, 0, false};
        if (n < ROWS_MIN) {
            continue;
        }
        const double median2 = 2.0 * tl_median_select(work, n); /* exact: integers and halves */
        for (size_t i = 0; i < n; i++) {
            const double deviation = 2.0 * work[i] - median2;
            work[i] = deviation < 0 ? -deviation : deviation;
        }
        out->of[t] = (spread){(int64_t)median2, (int64_t)(2.0 * tl_median_select(work, n)), true};
    }
}

/* The middle one of the votes, the lower of two. */
static int64_t middle(double *votes, size_t count)
{
    tl_sort_f64(votes, count);
    return (int64_t)votes[(count - 1) / 2];
}

static void count_votes(spread *out, const spreads *own, const uint32_t *voters, size_t count,
                        size_t type, double *work)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (own[voters[i]].of[type].is_known) {
            work[n++] = (double)own[voters[i]].of[type].median2;
        }
    }
    *out = (spread){0, 0, n >= VOTES_MIN};
    if (!out->is_known) {
        return;
    }
    out->median2 = middle(work, n);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        if (own[voters[i]].of[type].is_known) {
            work[n++] = (double)own[voters[i]].of[type].mad4;
        }
    }
    out->mad4 = middle(work, n);
}

/* Who votes: of each coldkey the first that passes both tiers. An unknown coldkey is nobody else's. */
static tl_err find_voters(uint32_t *voters, size_t *count, const tl_shard *shard,
                          const uint32_t *order, tl_errctx *ctx)
{
    const tl__entry *const entries = (const tl__entry *)shard->entries.items;
    tl_map seen;
    tl_map_init(&seen, shard->arena);
    for (size_t i = 0; i < shard->entries.count; i++) {
        const tl_sheet *const sheet = &entries[order[i]].sheet;
        if (!sheet->passes_tier1 || !sheet->passes_tier2) {
            continue;
        }
        const tl_str who = sheet->coldkey.len != 0 ? sheet->coldkey : sheet->hotkey;
        tl_map_entry *slot = NULL;
        TL_TRY(tl_map_slot(&slot, &seen, tl_str_bytes(who), ctx));
        if (slot->value == NULL) {
            slot->value = shard->arena; /* anything but NULL */
            voters[(*count)++] = order[i];
        }
    }
    return TL_OK;
}

/* |z| above the limit: 0.6745 |x - median| / MAD, without a division. */
static bool is_far(int32_t x, const spread *s, uint32_t z_thousandths)
{
    const int64_t deviation2 = 2 * (int64_t)x - s->median2;
    const int64_t far2 = deviation2 < 0 ? -deviation2 : deviation2;
    return s->is_known && s->mad4 != 0 &&
           (tl_i128)Z_SCALE * 2000 * far2 > (tl_i128)z_thousandths * 10000 * s->mad4;
}

static tl_err judge_entry(tl__entry *entry, const tl_shard *shard, const spreads *own,
                          const spreads *common, tl_errctx *ctx)
{
    const tl_listings_params *const p = shard->context.params;
    uint32_t indices[TL_FINDING_INDICES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < entry->price_count; i++) {
        const tl__price *const price = &entry->prices[i];
        const uint32_t type = type_of(price);
        const spread *const s = common->of[type].is_known ? &common->of[type] : &own->of[type];
        if (is_far(price->x, s, p->price_z_thousandths)) {
            if (count < TL_FINDING_INDICES_MAX) {
                indices[count] = price->index_type / TL__TYPES;
            }
            count++;
        }
    }
    if ((uint64_t)count * TL__BP_ONE <= (uint64_t)entry->sheet.rows * p->price_bp_max) {
        return TL_OK;
    }
    return tl__accuse(entry, shard->arena, TL_LISTING_PRICE_ANOMALY, count, indices, count,
                      TL_STR(""), ctx);
}

tl_err tl__judge_prices(tl_shard *shard, const uint32_t *order, tl_errctx *ctx)
{
    tl__entry *const entries = (tl__entry *)shard->entries.items;
    const size_t n = shard->entries.count;
    size_t work_len = n;
    for (size_t i = 0; i < n; i++) {
        work_len = entries[i].price_count > work_len ? entries[i].price_count : work_len;
    }
    double *const work = TL_NEW(shard->work, double, work_len);
    spreads *const own = TL_NEW(shard->work, spreads, n);
    uint32_t *const voters = TL_NEW(shard->work, uint32_t, n);
    if (work == NULL || own == NULL || voters == NULL) {
        return tl_arena_fail(shard->work, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        measure(&own[i], &entries[i], work);
    }
    size_t voter_count = 0;
    TL_TRY(find_voters(voters, &voter_count, shard, order, ctx));
    spreads common;
    for (size_t t = 0; t < TL__TYPES; t++) {
        count_votes(&common.of[t], own, voters, voter_count, t, work);
    }
    for (size_t i = 0; i < n; i++) {
        TL_TRY(judge_entry(&entries[i], shard, &own[i], &common, ctx));
    }
    return TL_OK;
}
