/* kind_quant_portfolio.c: quant-portfolio: a plan of targets followed through prices (quant-math
 * spec 2).
 *
 * input   {"prices_by_asset":[[…],…],"target_weights":[[…],…],"rebalance_every_sessions",
 *         "periods_per_year","targets_cycle"?}
 * expect  returns, turnovers, annualised turnover, Sharpe with R = 0, drawdown, volatility, the
 *         weights drifted through the last return */
#include "app/conformance/kind_quant.h"

#include "core/quant/account/account.h"

/* One row a session, one column an asset. */
static tl_err read_asset_returns(double **out, size_t *days, size_t *count, const tl_json *input,
                                 tl_conform_env *env, tl_errctx *ctx)
{
    const tl_json *list;
    TL_TRY(tl_json_want(&list, input, "prices_by_asset", TL_JSON_ARRAY, ctx));
    if (list->count == 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "prices_by_asset", "no assets");
    }
    *count = list->count;
    for (size_t k = 0; k < *count; k++) {
        const double *prices;
        size_t sessions;
        TL_TRY(tl_conform_series(&prices, &sessions, NULL, &list->items[k], env, ctx));
        const size_t n = sessions == 0 ? 0 : sessions - 1;
        double *r = TL_NEW(env->arena, double, n);
        if (k == 0) {
            *days = n;
            *out = TL_NEW(env->arena, double, n **count);
        }
        if (r == NULL || *out == NULL) {
            return tl_arena_fail(env->arena, ctx);
        }
        if (n != *days) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "prices_by_asset",
                                 "asset %zu has %zu returns, the first has %zu", k, n, *days);
        }
        TL_TRY(tl_returns_from_prices(r, prices, sessions, ctx));
        for (size_t t = 0; t < n; t++) {
            (*out)[t * *count + k] = r[t];
        }
    }
    return TL_OK;
}

static tl_err read_targets(tl_account_plan *plan, size_t count, const tl_json *input,
                           tl_conform_env *env, tl_errctx *ctx)
{
    const tl_json *list;
    TL_TRY(tl_json_want(&list, input, "target_weights", TL_JSON_ARRAY, ctx));
    double *targets = TL_NEW(env->arena, double, count * list->count);
    if (targets == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (size_t k = 0; k < list->count; k++) {
        const double *row;
        size_t given;
        TL_TRY(tl__want_weights(&row, &given, &list->items[k], "target_weights", env, ctx));
        if (given != count) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "target_weights",
                                 "target %zu has %zu weights for %zu assets", k, given, count);
        }
        for (size_t i = 0; i < count; i++) {
            targets[k * count + i] = row[i];
        }
    }
    plan->targets = targets;
    plan->target_count = list->count;
    return TL_OK;
}

static tl_err read_plan(tl_account_plan *plan, size_t count, const tl_json *input,
                        tl_conform_env *env, tl_errctx *ctx)
{
    uint64_t every;
    TL_TRY(read_targets(plan, count, input, env, ctx));
    TL_TRY(tl_json_want_u64(&every, input, "rebalance_every_sessions", ctx));
    plan->rebalance_every = (size_t)every;
    plan->is_cyclic = true;
    if (tl_json_get(input, "targets_cycle") != NULL) {
        TL_TRY(tl_json_want_bool(&plan->is_cyclic, input, "targets_cycle", ctx));
    }
    return TL_OK;
}

static void put_list(tl_json_writer *out, const char *key, const double *values, size_t count)
{
    tl_json_put_key(out, key);
    tl_json_put_array(out);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_f64(out, values[i] + 0.0);
    }
    tl_json_put_end(out);
}

tl_err tl_conform_quant_portfolio(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                  tl_errctx *ctx)
{
    double *asset_returns = NULL;
    size_t days = 0;
    size_t count = 0;
    double rf_annual;
    double periods;
    double unused_rf;
    tl_account_plan plan;
    TL_TRY(read_asset_returns(&asset_returns, &days, &count, input, env, ctx));
    TL_TRY(read_plan(&plan, count, input, env, ctx));
    TL_TRY(tl__want_rates(&rf_annual, &periods, input, ctx));
    TL_TRY(tl_rate_per_period(&unused_rf, 0.0, periods, ctx)); /* periods are in range */
    tl_account_history history;
    TL_TRY(tl_account_run(&history, env->arena, &plan, asset_returns, days, count, count, ctx));

    const double *r = history.returns;
    const tl_metric churn = {tl_account_churn(history.turnover_sum, periods, days), TL_METRIC_OK};
    tl_json_put_object(out);
    put_list(out, "returns", r, days);
    put_list(out, "turnovers", history.turnovers, history.rebalances);
    tl__put_metric(out, "annualised_turnover", churn);
    tl__put_metric(out, "sharpe", tl_metric_sharpe(r, days, 0.0, periods));
    tl__put_metric(out, "max_drawdown", tl_metric_max_drawdown(r, days));
    tl__put_metric(out, "volatility", tl_metric_volatility(r, days, periods));
    put_list(out, "final_weights", history.final_weights, count);
    tl_json_put_end(out);
    return TL_OK;
}
