/* Where stakes come from (chain spec 1.3), commits, and the split over mechanisms (1.8). */
#include "core/consensus/yuma/yuma.h"

#include <string.h>

#include "core/consensus/yuma/yuma_internal.h"

/* U96F32 values of stakes are below 2^96, so the sums of 2^32 links still fit 128 bits. */
tl_err tl_yuma_inherit(uint64_t *out, tl_arena *scratch, const uint64_t *own, size_t n,
                       const tl_yuma_link *links, size_t count, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_u96f32 *taken = TL_NEW(scratch, tl_u96f32, n);
    tl_u96f32 *given = TL_NEW(scratch, tl_u96f32, n);
    if (taken == NULL || given == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t k = 0; k < count; k++) {
        TL_ASSERT(links[k].parent < n && links[k].child < n);
        const tl_u96f32 share = tl_u96f32_from_u64_proportion(links[k].proportion);
        taken[links[k].parent] += share * own[links[k].parent];
        given[links[k].child] += share * own[links[k].parent];
    }
    for (size_t i = 0; i < n; i++) {
        const tl_u96f32 whole = (tl_u96f32)own[i] << 32;
        const tl_u128 total = ((whole > taken[i] ? whole - taken[i] : 0) + given[i]) >> 32;
        out[i] = total > UINT64_MAX ? UINT64_MAX : (uint64_t)total;
    }
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

tl_i64f64 tl_yuma_stake_weight(uint64_t alpha, uint64_t tao, tl_u96f32 tao_weight)
{
    /* tao < 2^63 and tao_weight <= 1 (33 bits), so the product fits: tao * 2^64 * weight * 2^32 / 2^64 / … */
    const tl_i64f64 whole = tl_i64f64_from_u64(tao) >> 64;
    const tl_i64f64 weighted = (whole * (tl_i64f64)tao_weight) << 32;
    return tl_i64f64_add(tl_i64f64_from_u64(alpha), weighted);
}

void tl_yuma_normalise_64(tl_i32f32 *out, const tl_i64f64 *values, size_t n)
{
    tl_u128 wrapping = 0;
    for (size_t i = 0; i < n; i++) {
        wrapping += (tl_u128)values[i];
    }
    tl_i64f64 sum;
    memcpy(&sum, &wrapping, sizeof sum);
    for (size_t i = 0; i < n; i++) {
        const tl_i64f64 share =
            sum == 0 || values[i] == 0 ? values[i] : tl_i64f64_div_or_zero(values[i], sum);
        out[i] = tl_i32f32_from_i64f64(share);
    }
}

void tl_yuma_commit_blocks(uint64_t *out, size_t n, const tl_yuma_commit *commits, size_t count,
                           uint64_t epoch_index, uint64_t reveal_period)
{
    /* The first unexpired hash commit of a queue is the one that counts, even if a later one has a lower block. */
    bool has_hash[TL_YUMA_NEURONS_MAX] = {false};
    TL_ASSERT(n <= TL_YUMA_NEURONS_MAX);
    for (size_t i = 0; i < n; i++) {
        out[i] = TL_YUMA_NO_COMMIT;
    }
    for (size_t k = 0; k < count; k++) {
        const tl_yuma_commit *c = &commits[k];
        uint64_t last_epoch;
        const bool is_endless = __builtin_add_overflow(c->epoch, reveal_period, &last_epoch);
        if (c->uid >= n || (!is_endless && epoch_index > last_epoch) ||
            (!c->is_timelocked && has_hash[c->uid])) {
            continue;
        }
        has_hash[c->uid] |= !c->is_timelocked;
        out[c->uid] = c->block < out[c->uid] ? c->block : out[c->uid];
    }
}

void tl_yuma_split_emission(uint64_t *amounts, size_t count, uint64_t emission,
                            const uint16_t *split, size_t split_count)
{
    TL_ASSERT(count >= 1);
    uint64_t given = 0;
    for (size_t m = 0; m < count; m++) {
        const uint16_t share = split != NULL && m < split_count ? split[m] : 0;
        amounts[m] =
            split == NULL ? emission / count : (uint64_t)((tl_u128)emission * share / UINT16_MAX);
        given += amounts[m];
    }
    const uint64_t rest = given < emission ? emission - given : 0;
    amounts[0] = amounts[0] > UINT64_MAX - rest ? UINT64_MAX : amounts[0] + rest;
}

/* acc = floor(acc + x * w), saturated: a unit may be lost each time. */
static uint64_t weighted_add(uint64_t acc, uint64_t x, tl_u64f64 weight, uint64_t most)
{
    const tl_u128 sum = (tl_u128)acc + tl_u64f64_amount(x, weight);
    return sum > most ? most : (uint64_t)sum;
}

static uint64_t saturating_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The merged arrays, still writable. */
typedef struct merged {
    bool *active;
    bool *permit;
    uint16_t *stake_weight;
    uint16_t *consensus;
    uint16_t *dividends;
    uint16_t *trust;
    uint64_t *server;
    uint64_t *validator;
    uint64_t *emission;
} merged;

static tl_err merged_new(merged *out, tl_arena *arena, size_t n, tl_errctx *ctx)
{
    *out = (merged){
        .active = TL_NEW(arena, bool, n),
        .permit = TL_NEW(arena, bool, n),
        .stake_weight = TL_NEW(arena, uint16_t, n),
        .consensus = TL_NEW(arena, uint16_t, n),
        .dividends = TL_NEW(arena, uint16_t, n),
        .trust = TL_NEW(arena, uint16_t, n),
        .server = TL_NEW(arena, uint64_t, n),
        .validator = TL_NEW(arena, uint64_t, n),
        .emission = TL_NEW(arena, uint64_t, n),
    };
    const bool has_all = out->active != NULL && out->permit != NULL && out->stake_weight != NULL &&
                         out->consensus != NULL && out->dividends != NULL && out->trust != NULL &&
                         out->server != NULL && out->validator != NULL && out->emission != NULL;
    return has_all ? TL_OK : tl_arena_fail(arena, ctx);
}

static void merged_add(merged *m, const tl_yuma_output *part, tl_u64f64 weight)
{
    for (size_t i = 0; i < part->n; i++) {
        m->active[i] |= part->active[i];
        m->permit[i] |= part->validator_permit[i];
        m->stake_weight[i] =
            (uint16_t)weighted_add(m->stake_weight[i], part->stake_weight[i], weight, UINT16_MAX);
        m->consensus[i] =
            (uint16_t)weighted_add(m->consensus[i], part->consensus[i], weight, UINT16_MAX);
        m->dividends[i] =
            (uint16_t)weighted_add(m->dividends[i], part->dividends[i], weight, UINT16_MAX);
        m->trust[i] =
            (uint16_t)weighted_add(m->trust[i], part->validator_trust[i], weight, UINT16_MAX);
        m->emission[i] = weighted_add(m->emission[i], part->emission[i], weight, UINT64_MAX);
        m->server[i] = saturating_add(m->server[i], part->server_emission[i]);
        m->validator[i] = saturating_add(m->validator[i], part->validator_emission[i]);
    }
}

tl_err tl_yuma_mechanisms(tl_arena *arena, tl_yuma_output *out, tl_yuma_output *each,
                          const tl_yuma_input *shared, const tl_yuma_mechanism *mechanisms,
                          const uint64_t *amounts, size_t count, uint64_t total, tl_errctx *ctx)
{
    if (count == 0 || count > TL_YUMA_MECHANISMS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "mechanisms", "%zu mechanisms, allowed are 1 to %d",
                             count, TL_YUMA_MECHANISMS_MAX);
    }
    for (size_t m = 0; m < count; m++) {
        if (amounts[m] > total) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "mechanism_split",
                                 "mechanism %zu gets more than the whole emission", m);
        }
    }
    merged sum;
    TL_TRY(merged_new(&sum, arena, shared->n, ctx));
    for (size_t m = 0; m < count; m++) {
        tl_yuma_input input = *shared;
        input.last_update_block = mechanisms[m].last_update_block;
        input.commit_block = mechanisms[m].commit_block;
        input.weights = mechanisms[m].weights;
        input.bonds = mechanisms[m].bonds;
        input.rao_emission = amounts[m];
        TL_TRY(tl_yuma_epoch(arena, &each[m], &input, ctx));
        const tl_u64f64 weight = total != 0 ? tl_u64f64_ratio(amounts[m], total)
                                 : m == 0   ? (tl_u64f64)1 << 64
                                            : 0;
        merged_add(&sum, &each[m], weight);
    }
    *out = each[0];
    out->active = sum.active;
    out->validator_permit = sum.permit;
    out->stake_weight = sum.stake_weight;
    out->consensus = sum.consensus;
    out->dividends = sum.dividends;
    out->validator_trust = sum.trust;
    out->server_emission = sum.server;
    out->validator_emission = sum.validator;
    out->emission = sum.emission;
    return TL_OK;
}
