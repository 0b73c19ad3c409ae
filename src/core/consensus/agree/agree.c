#include "core/consensus/agree/agree.h"

#include "core/crypto/hash/hash.h"
#include "core/num/stats/stats.h"

const char *tl_agree_status_name(tl_agree_status status)
{
    switch (status) {
    case TL_AGREE_FAILED:
        return "FAILED";
    case TL_AGREE_MAJORITY:
        return "MAJORITY";
    case TL_AGREE_PERFECT:
        return "PERFECT";
    }
    TL_ASSERT(false && "a status that is none");
    return "FAILED";
}

/* part / whole >= numerator / denominator, exactly. */
static bool is_at_least(tl_rao part, tl_rao whole, int64_t numerator, int64_t denominator)
{
    return (tl_i128)tl_rao_to_i64(part) * denominator >= (tl_i128)tl_rao_to_i64(whole) * numerator;
}

bool tl_agree_is_more_than_half(tl_rao part, tl_rao whole)
{
    return (tl_i128)tl_rao_to_i64(part) * 2 > (tl_i128)tl_rao_to_i64(whole);
}

static int cmp_ballots(const void *a, const void *b, void *self)
{
    const tl_ballot *ballots = self;
    const uint32_t i = *(const uint32_t *)a;
    const uint32_t k = *(const uint32_t *)b;
    const int by_hash = tl_hash32_cmp(&ballots[i].hash, &ballots[k].hash);
    return by_hash != 0 ? by_hash : (i > k) - (i < k);
}

static tl_err check_stakes(tl_rao *total, const tl_ballot *ballots, size_t count, tl_errctx *ctx)
{
    tl_rao sum = TL_RAO_ZERO;
    for (size_t i = 0; i < count; i++) {
        if (tl_rao_is_negative(ballots[i].stake)) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "stake",
                                 "the stake of validator %zu is below 0", i);
        }
        TL_TRY(tl_rao_add(&sum, sum, ballots[i].stake, ctx));
    }
    *total = sum;
    return TL_OK;
}

/* The hash that has most stake: runs of equal hashes among the sorted ballots that have one. */
static tl_err find_top(tl_verdict *v, const tl_ballot *ballots, const uint32_t *sorted,
                       size_t count, tl_errctx *ctx)
{
    for (size_t from = 0; from < count;) {
        tl_rao stake = TL_RAO_ZERO;
        size_t to = from;
        const tl_hash32 *hash = &ballots[sorted[from]].hash;
        for (; to < count && tl_hash32_cmp(hash, &ballots[sorted[to]].hash) == 0; to++) {
            TL_TRY(tl_rao_add(&stake, stake, ballots[sorted[to]].stake, ctx));
        }
        const int against = tl_rao_cmp(stake, v->stake_on_top);
        if (against > 0) {
            v->stake_on_top = stake;
            v->top_hash = *hash;
            v->has_top_hash = true;
        } else if (against == 0) {
            v->has_top_hash = false; /* AGREE-2 */
        }
        from = to;
    }
    return TL_OK;
}

static tl_err find_outliers(tl_verdict *v, tl_arena *arena, const tl_ballot *ballots, size_t count,
                            tl_errctx *ctx)
{
    size_t *outliers = TL_NEW(arena, size_t, count);
    if (outliers == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count && v->has_top_hash; i++) {
        if (ballots[i].has_row && tl_hash32_cmp(&ballots[i].hash, &v->top_hash) != 0) {
            outliers[v->outlier_count++] = i;
        }
    }
    v->outliers = outliers;
    return TL_OK;
}

static tl_agree_status status_of(const tl_verdict *v)
{
    if (!v->has_top_hash) {
        return TL_AGREE_FAILED;
    }
    if (tl_rao_eq(v->stake_on_top, v->stake_total)) {
        return TL_AGREE_PERFECT;
    }
    return is_at_least(v->stake_on_top, v->stake_total, 9, 10) ? TL_AGREE_MAJORITY
                                                               : TL_AGREE_FAILED;
}

tl_err tl_agree_verdict(tl_arena *arena, tl_verdict *out, const tl_ballot *ballots, size_t count,
                        tl_errctx *ctx)
{
    tl_verdict v = {.stake_on_top = TL_RAO_ZERO};
    TL_TRY(check_stakes(&v.stake_total, ballots, count, ctx));
    uint32_t *sorted = TL_NEW(arena, uint32_t, count);
    if (sorted == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t given = 0;
    for (size_t i = 0; i < count; i++) {
        if (ballots[i].has_row) {
            sorted[given++] = (uint32_t)i;
        }
    }
    union { /* tl_sort's self is not const; the comparator only reads */
        const tl_ballot *read;
        void *self;
    } borrowed = {.read = ballots};
    TL_TRY(tl_sort(sorted, given, sizeof *sorted, cmp_ballots, borrowed.self, arena, ctx));
    TL_TRY(find_top(&v, ballots, sorted, given, ctx));
    TL_TRY(find_outliers(&v, arena, ballots, count, ctx));
    v.status = status_of(&v);
    v.pays = !tl_rao_is_zero(v.stake_on_top) && is_at_least(v.stake_on_top, v.stake_total, 1, 2);
    TL_ASSERT(tl_rao_cmp(v.stake_on_top, v.stake_total) <= 0); /* AGREE-1 */
    TL_ASSERT(v.has_top_hash ||
              !tl_agree_is_more_than_half(v.stake_on_top, v.stake_total)); /* AGREE-2 */
    *out = v;
    return TL_OK;
}

typedef struct weighted {
    uint32_t value;
    tl_rao stake;
} weighted;

static int cmp_weighted(const void *a, const void *b, void *self)
{
    (void)self; /* equal values are one: their stakes are added before anything is decided */
    const uint32_t x = ((const weighted *)a)->value;
    const uint32_t y = ((const weighted *)b)->value;
    return (x > y) - (x < y);
}

tl_err tl_agree_median(uint32_t *out, tl_arena *scratch, const uint32_t *values,
                       const tl_rao *stakes, size_t count, tl_errctx *ctx)
{
    if (count == 0) {
        *out = 0;
        return TL_OK;
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    weighted *sorted = TL_NEW(scratch, weighted, count);
    if (sorted == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    tl_i128 total = 0;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (weighted){values[i], stakes[i]};
        TL_ASSERT(!tl_rao_is_negative(stakes[i]));
        total += tl_rao_to_i64(stakes[i]);
    }
    const tl_err err = tl_sort(sorted, count, sizeof *sorted, cmp_weighted, NULL, scratch, ctx);
    tl_i128 held = 0;
    size_t at = 0;
    for (; err == TL_OK && at < count; at++) {
        held += tl_rao_to_i64(sorted[at].stake);
        if (2 * held >= total) {
            break;
        }
    }
    const uint32_t median = sorted[at < count ? at : count - 1].value;
    tl_arena_rewind(scratch, mark);
    TL_TRY(err);
    *out = median;
    return TL_OK;
}

static int cmp_hotkeys(const void *a, const void *b, void *self)
{
    const tl_hotkey *hotkeys = self;
    return tl_hotkey_cmp(&hotkeys[*(const uint32_t *)a], &hotkeys[*(const uint32_t *)b]);
}

tl_err tl_row_order(uint32_t *order, tl_arena *scratch, const tl_hotkey *hotkeys, size_t count,
                    tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    union {
        const tl_hotkey *read;
        void *self;
    } borrowed = {.read = hotkeys};
    TL_TRY(tl_sort(order, count, sizeof *order, cmp_hotkeys, borrowed.self, scratch, ctx));
    for (size_t i = 1; i < count; i++) {
        if (tl_hotkey_eq(&hotkeys[order[i - 1]], &hotkeys[order[i]])) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "hotkey",
                                 "a hotkey stands twice (%u and %u)", order[i - 1], order[i]);
        }
    }
    return TL_OK;
}

static void put_u32(tl_sha256_state *sha, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};
    tl_sha256_update(sha, bytes, sizeof bytes);
}

static void put_counted(tl_sha256_state *sha, const void *bytes, size_t len)
{
    TL_ASSERT(len <= UINT32_MAX); /* AGREE-3 */
    put_u32(sha, (uint32_t)len);
    tl_sha256_update(sha, bytes, len);
}

void tl_row_hash(tl_hash32 *out, tl_str domain, const tl_hotkey *hotkeys, const uint32_t *order,
                 const tl_row *row, size_t miner_count)
{
    const tl_str what = TL_STR("tally/consensus/row/1");
    tl_sha256_state sha;
    tl_sha256_init(&sha);
    put_counted(&sha, what.ptr, what.len);
    put_counted(&sha, domain.ptr, domain.len);
    put_u32(&sha, (uint32_t)miner_count);
    for (size_t i = 0; i < miner_count; i++) {
        const uint32_t j = order[i];
        TL_ASSERT(i == 0 || tl_hotkey_cmp(&hotkeys[order[i - 1]], &hotkeys[j]) < 0); /* AGREE-3 */
        const uint8_t vote = row->disqualify[j] ? 1 : 0;
        put_counted(&sha, hotkeys[j].b, sizeof hotkeys[j].b);
        put_u32(&sha, row->qs_millionths[j]);
        put_u32(&sha, row->max_drawdown_millionths[j]);
        tl_sha256_update(&sha, &vote, 1);
        put_u32(&sha, row->flags[j]);
    }
    tl_sha256_final(&sha, out);
}
