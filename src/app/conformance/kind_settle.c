/* kind_settle.c: portfolio-settle: an epoch's distribution (portfolio spec 2 and 7).
 *
 * input   {"emission","external","rake_bp","gamma","miners":[{"ante","outcome"},…]}; amounts may be
 *         strings. Absent: external 0, rake_bp 800, gamma 1.5.
 * expect  totals, tiers, and a row a miner in the order of the input */
#include "app/conformance/conformance.h"

#include <stdint.h>

#include "core/ledger/ledger.h"

static tl_err want_amount(tl_rao *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    const tl_json *value = tl_json_get(object, key);
    int64_t rao;
    if (value != NULL && value->kind == TL_JSON_STRING) {
        if (!tl_str_parse_i64(&rao, value->text)) {
            return tl_fail_field(ctx, TL_ERR_TYPE, key, "\"%.*s\" is no amount in rao",
                                 TL_STR_ARG(value->text));
        }
    } else {
        TL_TRY(tl_json_as_i64(&rao, value, key, ctx));
    }
    *out = tl_rao_from_i64(rao);
    return TL_OK;
}

static tl_err read_params(tl_payout_params *out, const tl_json *input, tl_errctx *ctx)
{
    *out = tl_payout_params_default();
    if (tl_json_get(input, "rake_bp") != NULL) {
        uint64_t rake_bp;
        TL_TRY(tl_json_want_u64(&rake_bp, input, "rake_bp", ctx));
        out->rake_bp = rake_bp > UINT32_MAX ? UINT32_MAX : (uint32_t)rake_bp;
    }
    if (tl_json_get(input, "gamma") != NULL) {
        TL_TRY(tl_json_want_f64(&out->gamma, input, "gamma", ctx));
    }
    return TL_OK;
}

static tl_err read_miner(tl_payout_miner *out, const tl_json *row, tl_errctx *ctx)
{
    tl_str outcome;
    TL_TRY(want_amount(&out->ante, row, "ante", ctx));
    TL_TRY(tl_json_want_str(&outcome, row, "outcome", ctx));
    if (!tl_outcome_parse(&out->outcome, outcome)) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "outcome", "\"%.*s\" is no outcome",
                             TL_STR_ARG(outcome));
    }
    return TL_OK;
}

static void put_amount(tl_json_writer *out, const char *key, tl_rao amount)
{
    tl_json_put_key(out, key);
    tl_json_put_i64(out, tl_rao_to_i64(amount));
}

static void put_settlement(tl_json_writer *out, const tl_settlement *s)
{
    tl_json_put_object(out);
    tl_json_put_key(out, "ranked");
    tl_json_put_u64(out, s->ranked_count);
    tl_json_put_key(out, "tiers");
    tl_json_put_object(out);
    for (unsigned tier = TL_TIER_TOP; tier < TL_TIER_COUNT; tier++) {
        tl_json_put_key(out, tl_tier_name((tl_tier)tier));
        tl_json_put_u64(out, s->tier_count[tier]);
    }
    tl_json_put_end(out);
    put_amount(out, "total_in", s->total_in);
    put_amount(out, "pool", s->pool);
    put_amount(out, "rake", s->rake);
    put_amount(out, "forfeited", s->forfeited);
    put_amount(out, "burned", s->burned);
    put_amount(out, "redistributed", s->redistributed);
    put_amount(out, "winner_pool", s->winner_pool);
    put_amount(out, "deficit", s->deficit);
    put_amount(out, "rewarded", s->rewarded);
    put_amount(out, "returned", s->returned);
    put_amount(out, "carry", s->carry);
    put_amount(out, "total_out", s->total_out);
    tl_json_put_key(out, "miners");
    tl_json_put_array(out);
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout *p = &s->payouts[i];
        tl_json_put_object(out);
        tl_json_put_key(out, "tier");
        tl_json_put_cstr(out, tl_tier_name(p->tier));
        put_amount(out, "reward", p->reward);
        put_amount(out, "ante_back", p->ante_back);
        put_amount(out, "burned", p->burned);
        put_amount(out, "redistributed", p->redistributed);
        put_amount(out, "deficit", p->deficit);
        tl_json_put_end(out);
    }
    tl_json_put_end(out);
    tl_json_put_end(out);
}

tl_err tl_conform_portfolio_settle(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                   tl_errctx *ctx)
{
    tl_payout_params params;
    tl_rao emission;
    tl_rao external = TL_RAO_ZERO;
    const tl_json *rows;
    TL_TRY(read_params(&params, input, ctx));
    TL_TRY(want_amount(&emission, input, "emission", ctx));
    if (tl_json_get(input, "external") != NULL) {
        TL_TRY(want_amount(&external, input, "external", ctx));
    }
    TL_TRY(tl_json_want(&rows, input, "miners", TL_JSON_ARRAY, ctx));
    tl_payout_miner *miners = TL_NEW(env->arena, tl_payout_miner, rows->count);
    if (miners == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_err err = read_miner(&miners[i], &rows->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "miners[%u]", (unsigned)i);
            return err;
        }
    }
    tl_settlement settlement;
    TL_TRY(
        tl_settle(&settlement, env->arena, emission, external, miners, rows->count, &params, ctx));
    put_settlement(out, &settlement);
    return TL_OK;
}
