/* membership.c: who is in a pool, for how long, and who may rise. */
#include "core/subnet/pool/pool.h"

#include <inttypes.h>

#define MILLION 1000000

static tl_err check_fee(uint32_t fee_bp, tl_errctx *ctx)
{
    if (fee_bp < TL_POOL_FEE_BP_MIN || fee_bp > TL_POOL_FEE_BP_MAX) { /* POOL-1 */
        return tl_fail_field(ctx, TL_ERR_RANGE, "fee_rate",
                             "fee is %" PRIu32 " bp, not within %d and %d", fee_bp,
                             TL_POOL_FEE_BP_MIN, TL_POOL_FEE_BP_MAX);
    }
    return TL_OK;
}

static tl_err check_parties(const tl_membership *m, tl_errctx *ctx)
{
    if (tl_hotkey_eq(&m->generator, &m->pool_operator)) {
        return tl_fail_field(ctx, TL_ERR_REFUSED, "generator_hotkey",
                             "an operator is no generator of its own pool");
    }
    return TL_OK;
}

static tl_err want_hotkey(tl_hotkey *out, const tl_json *value, const char *key, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, value, key, ctx));
    const tl_err err = tl_ss58_decode(out, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", key);
    }
    return err;
}

/* An integer of at most max, which may be absent. */
static tl_err maybe_int(uint64_t *out, const tl_json *value, const char *key, uint64_t absent,
                        uint64_t max, tl_errctx *ctx)
{
    *out = absent;
    if (tl_json_get(value, key) != NULL) {
        TL_TRY(tl_json_want_u64(out, value, key, ctx));
    }
    if (*out > max) {
        return tl_fail_field(ctx, TL_ERR_RANGE, key, "%" PRIu64 " is above %" PRIu64, *out, max);
    }
    return TL_OK;
}

tl_err tl_membership_decode(tl_membership *out, const tl_json *value, tl_errctx *ctx)
{
    tl_membership m;
    uint64_t fee;
    uint64_t epochs;
    uint64_t percentile;
    TL_TRY(want_hotkey(&m.generator, value, "generator_hotkey", ctx));
    TL_TRY(want_hotkey(&m.pool_operator, value, "pool_operator_hotkey", ctx));
    TL_TRY(tl_json_want_u64(&m.joined_height, value, "joined_at", ctx));
    TL_TRY(maybe_int(&fee, value, "fee_rate", TL_POOL_FEE_BP_DEFAULT, UINT32_MAX, ctx));
    TL_TRY(maybe_int(&m.signals_submitted, value, "signals_submitted", 0, UINT32_MAX, ctx));
    TL_TRY(maybe_int(&epochs, value, "epochs_participated", 0, UINT32_MAX, ctx));
    TL_TRY(maybe_int(&percentile, value, "avg_rank_percentile", 0, MILLION, ctx));
    m.fee_bp = (uint32_t)fee;
    m.epochs_participated = (uint32_t)epochs;
    m.rank_percentile_avg_millionths = (uint32_t)percentile;
    TL_TRY(check_fee(m.fee_bp, ctx)); /* POOL-1 */
    TL_TRY(check_parties(&m, ctx));
    *out = m;
    return TL_OK;
}

tl_err tl_membership_admit(const tl_membership *membership, tl_rao stake, tl_errctx *ctx)
{
    TL_TRY(check_fee(membership->fee_bp, ctx));
    TL_TRY(check_parties(membership, ctx));
    if (tl_rao_cmp(stake, tl_rao_from_i64(TL_POOL_STAKE_MIN)) < 0) {
        return tl_fail_field(ctx, TL_ERR_FUNDS, "stake_rao",
                             "stake is %" PRId64 ", at least %" PRId64, tl_rao_to_i64(stake),
                             (int64_t)TL_POOL_STAKE_MIN);
    }
    return TL_OK;
}

bool tl_membership_is_live(const tl_membership *membership, uint64_t height)
{
    return height >= membership->joined_height &&
           height - membership->joined_height <= TL_POOL_TTL_BLOCKS;
}

tl_err tl_membership_take_signal(tl_membership *membership, uint32_t *signal_count, uint64_t height,
                                 tl_errctx *ctx)
{
    if (!tl_membership_is_live(membership, height)) {
        return tl_fail(ctx, TL_ERR_STATE, "the membership of height %" PRIu64 " has ended",
                       membership->joined_height);
    }
    if (*signal_count >= TL_POOL_SIGNALS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "the pool has %" PRIu32 " signals, at most %d",
                       *signal_count, TL_POOL_SIGNALS_MAX);
    }
    ++*signal_count;
    membership->signals_submitted++;
    return TL_OK;
}

void tl_membership_note_rank(tl_membership *membership, uint32_t rank, uint32_t ranked_count)
{
    TL_ASSERT(1 <= rank && rank <= ranked_count);
    const uint64_t percentile =
        (uint64_t)MILLION * ((uint64_t)ranked_count - rank + 1) / ranked_count;
    const uint64_t epochs = membership->epochs_participated;
    const uint64_t sum = (uint64_t)membership->rank_percentile_avg_millionths * epochs + percentile;
    if (epochs < UINT32_MAX) {
        membership->rank_percentile_avg_millionths = (uint32_t)(sum / (epochs + 1));
        membership->epochs_participated++;
    }
    TL_ASSERT(membership->rank_percentile_avg_millionths <= MILLION);
}

/* Percent of the ranked that count as the top. */
static bool is_in_top(const tl_standing *s, uint64_t top_percent)
{
    if (s->rank == 0 || s->rank > s->ranked_count) {
        return false;
    }
    const uint64_t n = s->ranked_count;
    return 100 * (n - s->rank + 1) >= (100 - top_percent) * n;
}

/* Blocks of the run of standings that ends with the last one. */
static uint64_t top_run(const tl_standing *standings, size_t count, uint64_t top_percent)
{
    uint64_t run = 0;
    for (size_t i = count; i > 0; i--) {
        const tl_standing *s = &standings[i - 1];
        const bool follows = i == count || s->to_height == standings[i].from_height;
        if (!follows || !is_in_top(s, top_percent) || s->to_height < s->from_height) {
            break;
        }
        run += s->to_height - s->from_height;
    }
    return run;
}

tl_pool_role tl_pool_role_after(tl_pool_role role, const tl_standing *standings, size_t count)
{
    switch (role) {
    case TL_ROLE_GENERATOR:
        return top_run(standings, count, 30) >= TL_POOL_OPERATOR_DAYS * TL_POOL_DAY_BLOCKS
                   ? TL_ROLE_OPERATOR
                   : TL_ROLE_GENERATOR;
    case TL_ROLE_OPERATOR:
        return top_run(standings, count, 10) >= TL_POOL_SOLO_DAYS * TL_POOL_DAY_BLOCKS
                   ? TL_ROLE_SOLO
                   : TL_ROLE_OPERATOR;
    case TL_ROLE_SOLO:
        break;
    }
    return TL_ROLE_SOLO;
}
