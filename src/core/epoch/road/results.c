/* results.c: the results as canonical JSON (ROAD-4). Keys ascend; amounts are integers in rao; what is undefined is null. */
#include "core/epoch/road/road_internal.h"

static void put_u64(tl_json_writer *w, const char *key, uint64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_u64(w, value);
}

static void put_i64(tl_json_writer *w, const char *key, int64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, value);
}

static void put_rao(tl_json_writer *w, const char *key, tl_rao value)
{
    put_i64(w, key, tl_rao_to_i64(value));
}

static void put_hotkey(tl_json_writer *w, const tl_hotkey *hotkey)
{
    char text[TL_SS58_CAP];
    (void)tl_ss58_encode(text, hotkey, TL_SS58_PREFIX_GENERIC);
    tl_json_put_cstr(w, text);
}

static void put_day(tl_json_writer *w, const char *key, bool is_given, tl_day day)
{
    char text[TL_DAY_TEXT_CAP];
    tl_day_print(text, day);
    tl_json_put_key(w, key);
    tl_json_put_cstr(w, is_given ? text : NULL);
}

static void put_f64(tl_json_writer *w, const char *key, bool is_given, double value)
{
    tl_json_put_key(w, key);
    if (is_given) {
        tl_json_put_f64(w, value == 0.0 ? 0.0 : value); /* -0.0 is printed as 0.0 (D5) */
    } else {
        tl_json_put_null(w);
    }
}

/* --- agreement --- */

static double stake_share(const tl_verdict *v)
{
    const int64_t whole = tl_rao_to_i64(v->stake_total);
    return whole > 0 ? (double)tl_rao_to_i64(v->stake_on_top) / (double)whole : 0.0;
}

static void put_agreement(tl_json_writer *w, const tl_road_result *out)
{
    const tl_verdict *v = &out->agreement.verdict;
    tl_json_put_object(w);
    tl_json_put_key(w, "collusion");
    tl_json_put_array(w);
    for (size_t i = 0; i < out->agreement.collusion.pair_count; i++) {
        const tl_collusion_pair *pair = &out->agreement.collusion.pairs[i];
        tl_json_put_object(w);
        put_f64(w, "correlation", true, pair->rho);
        tl_json_put_key(w, "stands_apart");
        tl_json_put_bool(w, pair->stands_apart);
        tl_json_put_key(w, "validators");
        tl_json_put_array(w);
        put_hotkey(w, &out->validators[pair->first].hotkey);
        put_hotkey(w, &out->validators[pair->second].hotkey);
        tl_json_put_end(w);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "outliers");
    tl_json_put_array(w);
    for (size_t i = 0; i < v->outlier_count; i++) {
        put_hotkey(w, &out->validators[v->outliers[i]].hotkey);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "pays");
    tl_json_put_bool(w, v->pays);
    put_f64(w, "rate", true, stake_share(v));
    put_rao(w, "stake_on_top_hash_rao", v->stake_on_top);
    put_rao(w, "stake_rao", v->stake_total);
    tl_json_put_key(w, "status");
    tl_json_put_cstr(w, tl_agree_status_name(v->status));
    tl_json_put_key(w, "top_hash");
    if (v->has_top_hash) {
        tl_json_put_hex(w, v->top_hash.b, sizeof v->top_hash.b);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_end(w);
}

/* --- the scoreboard --- */

static void put_flag(tl_json_writer *w, const tl_subnet *subnet, const tl_flag *flag)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "evidence");
    tl_json_put_object(w);
    tl_json_put_key(w, "days");
    if (flag->has_days) {
        tl_json_put_u64(w, flag->days);
    } else {
        tl_json_put_null(w);
    }
    put_day(w, "from", flag->has_span, flag->from);
    put_f64(w, "limit", flag->has_limit, flag->limit);
    tl_json_put_key(w, "peer");
    if (flag->has_peer) {
        put_hotkey(w, &flag->peer);
    } else {
        tl_json_put_null(w);
    }
    put_day(w, "to", flag->has_span, flag->to);
    put_f64(w, "value", flag->has_value, flag->value);
    tl_json_put_end(w);
    put_f64(w, "factor", true, flag->factor);
    tl_json_put_key(w, "rule");
    tl_json_put_cstr(w, subnet->rules[flag->rule]);
    tl_json_put_end(w);
}

static tl_rao part(const tl_road_line *line, tl_rao (*get)(const tl_payout *))
{
    return line->payout != NULL ? get(line->payout) : TL_RAO_ZERO;
}

static tl_rao get_back(const tl_payout *p)
{
    return p->ante_back;
}

static tl_rao get_burned(const tl_payout *p)
{
    return p->burned;
}

static tl_rao get_deficit(const tl_payout *p)
{
    return p->deficit;
}

static tl_rao get_redistributed(const tl_payout *p)
{
    return p->redistributed;
}

static tl_rao get_reward(const tl_payout *p)
{
    return p->reward;
}

static tl_err put_line(tl_json_writer *w, tl__run *run, const tl_road_line *line, tl_errctx *ctx)
{
    const tl_submission *s = line->submission;
    tl_json_put_object(w);
    put_rao(w, "ante_back_rao", part(line, get_back));
    put_rao(w, "ante_rao", s->ante);
    put_rao(w, "burned_rao", part(line, get_burned));
    tl_json_put_key(w, "code");
    tl_json_put_cstr(w, line->admission.code);
    put_u64(w, "commit_height", s->commit_height);
    put_u64(w, "days", line->score != NULL ? line->score->days : 0);
    put_rao(w, "deficit_rao", part(line, get_deficit));
    tl_json_put_key(w, "explanation");
    if (line->score != NULL) {
        TL_TRY(run->subnet->explain(w, run->world, s, line->score, run->arena, ctx));
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "flags");
    tl_json_put_array(w);
    for (size_t i = 0; line->score != NULL && i < line->score->flag_count; i++) {
        put_flag(w, run->subnet, &line->score->flags[i]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "hotkey");
    tl_json_put_str(w, s->hotkey_text);
    put_u64(w, "max_drawdown_millionths",
            line->agreed != NULL ? line->agreed->max_drawdown_millionths : 0);
    tl_json_put_key(w, "outcome");
    tl_json_put_cstr(w, line->has_outcome ? tl_outcome_name(line->outcome) : NULL);
    put_u64(w, "qs_millionths", line->agreed != NULL ? line->agreed->qs_millionths : 0);
    tl_json_put_key(w, "rank");
    if (line->agreed != NULL && line->agreed->rank > 0) {
        tl_json_put_u64(w, line->agreed->rank);
    } else {
        tl_json_put_null(w);
    }
    put_rao(w, "redistributed_rao", part(line, get_redistributed));
    put_rao(w, "reward_rao", part(line, get_reward));
    tl_json_put_key(w, "tier");
    tl_json_put_cstr(w, tl_tier_name(line->payout != NULL ? line->payout->tier : TL_TIER_NONE));
    put_i64(w, "yuma_incentive_raw", line->agreed != NULL ? line->agreed->incentive_raw : 0);
    tl_json_put_end(w);
    return TL_OK;
}

/* --- settlement, validators, bonds --- */

static void put_settlement(tl_json_writer *w, const tl_road_result *out)
{
    const tl_settlement *s = &out->settlement;
    tl_json_put_object(w);
    put_rao(w, "burned_rao", s->burned);
    put_rao(w, "carry_rao", s->carry);
    put_rao(w, "deficit_rao", s->deficit);
    put_rao(w, "emission_rao", s->emission);
    put_rao(w, "external_rao", s->external);
    put_rao(w, "fee_burned_rao", s->fee_burned);
    put_rao(w, "fee_rao", s->fee);
    put_rao(w, "forfeited_rao", s->forfeited);
    put_rao(w, "owner_rao", out->agreement.split.owner);
    put_rao(w, "pool_rao", s->pool);
    put_rao(w, "rake_rao", s->rake);
    put_u64(w, "ranked", s->ranked_count);
    put_rao(w, "redistributed_rao", s->redistributed);
    put_rao(w, "returned_rao", s->returned);
    put_rao(w, "rewarded_rao", s->rewarded);
    tl_json_put_key(w, "tiers");
    tl_json_put_object(w);
    put_u64(w, "break_even", s->tier_count[TL_TIER_BREAK_EVEN]);
    put_u64(w, "penalty", s->tier_count[TL_TIER_PENALTY]);
    put_u64(w, "profitable", s->tier_count[TL_TIER_PROFITABLE]);
    put_u64(w, "top", s->tier_count[TL_TIER_TOP]);
    tl_json_put_end(w);
    put_rao(w, "total_in_rao", s->total_in);
    put_rao(w, "total_out_rao", s->total_out);
    put_rao(w, "validators_rao", out->agreement.split.validators);
    put_rao(w, "winner_pool_rao", s->winner_pool);
    tl_json_put_end(w);
}

static void put_validator(tl_json_writer *w, const tl__run *run, const tl_road_validator *v)
{
    tl_json_put_object(w);
    put_i64(w, "dividends_raw", v->agreed->dividends_raw);
    tl_json_put_key(w, "hash");
    if (v->agreed->has_row) {
        tl_json_put_hex(w, v->agreed->row_hash.b, sizeof v->agreed->row_hash.b);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "hotkey");
    put_hotkey(w, &v->hotkey);
    tl_json_put_key(w, "is_faithful");
    tl_json_put_bool(w, v->is_faithful);
    tl_json_put_key(w, "is_outlier");
    tl_json_put_bool(w, v->agreed->is_outlier);
    put_rao(w, "pay_rao", v->agreed->pay);
    put_rao(w, "stake_rao", v->stake);
    tl_json_put_key(w, "weights_u16");
    tl_json_put_array(w);
    for (size_t i = 0; v->agreed->u16_row != NULL && i < run->peer_count; i++) {
        tl_json_put_u64(w, v->agreed->u16_row[i]);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

static void put_carry(tl_json_writer *w, const tl__run *run)
{
    const tl_bonds *bonds = &run->out->agreement.bonds;
    tl_json_put_object(w);
    tl_json_put_key(w, "bonds");
    tl_json_put_array(w);
    for (size_t i = 0; i < bonds->count; i++) {
        tl_json_put_object(w);
        put_u64(w, "bond_u16", bonds->items[i].bond_u16);
        tl_json_put_key(w, "miner");
        put_hotkey(w, &bonds->items[i].miner);
        tl_json_put_key(w, "validator");
        put_hotkey(w, &bonds->items[i].validator);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "records");
    tl_carry_put(w, run->subnet, &run->out->carry);
    tl_json_put_end(w);
}

tl_err tl__results_put(tl__run *run, tl_errctx *ctx)
{
    const tl_road_result *out = run->out;
    tl_sb sb;
    tl_sb_init(&sb, run->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true); /* ROAD-4 */
    tl_json_put_object(&w);
    tl_json_put_key(&w, "agreement");
    put_agreement(&w, out);
    tl_json_put_key(&w, "carry");
    put_carry(&w, run);
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, out->epoch_id);
    put_u64(&w, "height", out->height);
    tl_json_put_key(&w, "scoreboard");
    tl_json_put_array(&w);
    for (size_t i = 0; i < out->line_count; i++) {
        TL_TRY(put_line(&w, run, &out->lines[i], ctx));
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "settlement");
    if (out->state == TL_EPOCH_SETTLED) {
        put_settlement(&w, out);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_key(&w, "state");
    tl_json_put_cstr(&w, tl_epoch_state_text(out->state));
    tl_json_put_key(&w, "validators");
    tl_json_put_array(&w);
    for (size_t v = 0; v < out->validator_count; v++) {
        put_validator(&w, run, &out->validators[v]);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(&run->out->json, &sb, ctx);
}
