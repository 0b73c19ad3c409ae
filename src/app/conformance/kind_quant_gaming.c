/* kind_quant_gaming.c: quant-anti-gaming: the detectors (quant-math spec 5), P = 252.
 *
 * input   {"returns","peers"?:{hotkey:[… or null]},"weights"?,"annualised_turnover"?}
 * expect  {"variance","correlation"?,"churn"?,"concentration"?,"streak"}; what its input lacks is
 *         left out */
#include "app/conformance/kind_quant.h"
#include "core/quant/detect/detect.h"

#define PERIODS 252.0

static void put_flag(tl_json_writer *out, bool is_flagged)
{
    tl_json_put_key(out, "flag");
    tl_json_put_bool(out, is_flagged);
    tl_json_put_end(out);
}

static void put_variance(tl_json_writer *out, tl__returns own)
{
    tl_detect_variance found;
    tl_detect_variance_run(&found, own.r, own.n, PERIODS);
    tl_json_put_key(out, "variance");
    tl_json_put_object(out);
    tl__put_metric(out, "annualised_volatility", found.evidence.value);
    tl__put_metric(out, "sharpe", found.sharpe);
    put_flag(out, found.evidence.is_flagged);
}

static tl_err put_correlation(tl_json_writer *out, tl__returns own, const tl_json *named,
                              tl_conform_env *env, tl_errctx *ctx)
{
    if (named->kind != TL_JSON_OBJECT) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "peers", "peers are an object");
    }
    tl_detect_peer *peers = TL_NEW(env->arena, tl_detect_peer, named->count);
    if (peers == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (size_t i = 0; i < named->count; i++) {
        size_t n;
        peers[i].key = tl_str_bytes(named->members[i].key);
        TL_TRY(tl__read_gapped(&peers[i].series, &n, &named->members[i].value, "peers", env, ctx));
        if (n != own.n) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "peers", "\"%.*s\" has %zu days, not %zu",
                                 TL_STR_ARG(named->members[i].key), n, own.n);
        }
    }
    const tl_corr_series mine = {own.r, NULL};
    tl_evidence found;
    TL_TRY(tl_detect_correlation_run(&found, mine, own.n, peers, named->count, env->arena, ctx));
    tl_json_put_key(out, "correlation");
    tl_json_put_object(out);
    tl_json_put_key(out, "closest");
    if (found.peer == TL_DETECT_NO_PEER) {
        tl_json_put_null(out);
    } else {
        tl_json_put_str(out, named->members[found.peer].key);
    }
    tl__put_metric(out, "pearson", found.value);
    tl_json_put_key(out, "overlap");
    if (found.peer == TL_DETECT_NO_PEER) {
        tl_json_put_null(out);
    } else {
        tl_json_put_u64(out, found.days);
    }
    put_flag(out, found.is_flagged);
    return TL_OK;
}

static void put_churn(tl_json_writer *out, double churn_annual)
{
    tl_detect_churn found;
    tl_detect_churn_run(&found, churn_annual);
    tl_json_put_key(out, "churn");
    tl_json_put_object(out);
    tl__put_metric(out, "annualised_turnover", found.evidence.value);
    tl_json_put_key(out, "penalty");
    tl_json_put_f64(out, found.severity);
    put_flag(out, found.evidence.is_flagged);
}

static tl_err put_concentration(tl_json_writer *out, tl__returns own, const tl_json *list,
                                tl_conform_env *env, tl_errctx *ctx)
{
    const double *weights;
    size_t count;
    TL_TRY(tl__want_weights(&weights, &count, list, "weights", env, ctx));
    tl_detect_concentration found;
    tl_detect_concentration_run(&found, weights, count, own.r, own.n, PERIODS);
    tl_json_put_key(out, "concentration");
    tl_json_put_object(out);
    tl_json_put_key(out, "hhi");
    tl_json_put_f64(out, found.hhi);
    tl__put_metric(out, "effective_positions", found.effective_positions);
    tl__put_metric(out, "top3", found.evidence.value);
    put_flag(out, found.evidence.is_flagged);
    return TL_OK;
}

static tl_err put_streak(tl_json_writer *out, tl__returns own, tl_conform_env *env, tl_errctx *ctx)
{
    tl_detect_streak found;
    TL_TRY(tl_detect_streak_run(&found, own.r, own.n, env->arena, ctx));
    tl_json_put_key(out, "streak");
    tl_json_put_object(out);
    tl_json_put_key(out, "longest");
    tl_json_put_u64(out, (uint64_t)found.evidence.value.value);
    tl_json_put_key(out, "probability");
    tl_json_put_f64(out, found.probability);
    put_flag(out, found.evidence.is_flagged);
    return TL_OK;
}

tl_err tl_conform_quant_anti_gaming(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx)
{
    tl__returns own;
    TL_TRY(tl__want_returns(&own, input, env, ctx));
    tl_json_put_object(out);
    put_variance(out, own);
    const tl_json *peers = tl_json_get(input, "peers");
    if (peers != NULL) {
        TL_TRY(put_correlation(out, own, peers, env, ctx));
    }
    if (tl_json_get(input, "annualised_turnover") != NULL) {
        double churn_annual;
        TL_TRY(tl_json_want_f64(&churn_annual, input, "annualised_turnover", ctx));
        put_churn(out, churn_annual);
    }
    const tl_json *weights = tl_json_get(input, "weights");
    if (weights != NULL) {
        TL_TRY(put_concentration(out, own, weights, env, ctx));
    }
    TL_TRY(put_streak(out, own, env, ctx));
    tl_json_put_end(out);
    return TL_OK;
}
