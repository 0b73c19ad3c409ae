/* kind_quant.c: quant-returns: every figure of one series (quant-math spec 3, 4 and 7).
 *
 * input   {"prices" or "returns", "benchmark_prices"?, "benchmark_returns"?, "rf_annual",
 *         "periods_per_year"}
 * expect  the metrics by name; drawdown dates as indices into equity, 0 the start; those against
 *         the benchmark null without one */
#include "app/conformance/kind_quant.h"

#include <math.h>
#include <string.h>

#include "app/conformance/ints.h"
#include "core/quant/boot/boot.h"

#define WEIGHT_MAX 1e9

/* --- shared --- */

static tl_err under(tl_err err, const char *field, tl_errctx *ctx)
{
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", field);
    }
    return err;
}

static tl_err read_returns(tl__returns *out, const tl_json *value, bool is_prices,
                           tl_conform_env *env, tl_errctx *ctx)
{
    const double *given;
    size_t count;
    TL_TRY(tl_conform_series(&given, &count, NULL, value, env, ctx));
    double *r = TL_NEW(env->arena, double, count);
    if (r == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    if (is_prices) {
        TL_TRY(tl_returns_from_prices(r, given, count, ctx));
        out->n = count == 0 ? 0 : count - 1;
    } else {
        TL_TRY(tl_returns_admit(r, NULL, given, count, ctx));
        out->n = count;
    }
    out->r = r;
    return TL_OK;
}

tl_err tl__want_returns(tl__returns *out, const tl_json *input, tl_conform_env *env, tl_errctx *ctx)
{
    const tl_json *prices = tl_json_get(input, "prices");
    if (prices != NULL) {
        return under(read_returns(out, prices, true, env, ctx), "prices", ctx);
    }
    return under(read_returns(out, tl_json_get(input, "returns"), false, env, ctx), "returns", ctx);
}

/* The values that are there must be returns; those that are not are never read. */
static tl_err admit_gapped(tl_corr_series *out, const double *given, const bool *is_missing,
                           size_t n, tl_conform_env *env, tl_errctx *ctx)
{
    double *r = TL_NEW(env->arena, double, n);
    if (r == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        r[i] = is_missing[i] ? 0.0 : given[i];
    }
    TL_TRY(tl_returns_admit(r, NULL, r, n, ctx));
    out->values = r;
    out->is_missing = is_missing;
    return TL_OK;
}

tl_err tl__read_gapped(tl_corr_series *out, size_t *n, const tl_json *value, const char *field,
                       tl_conform_env *env, tl_errctx *ctx)
{
    const double *given;
    const bool *is_missing;
    TL_TRY(under(tl_conform_series(&given, n, &is_missing, value, env, ctx), field, ctx));
    return under(admit_gapped(out, given, is_missing, *n, env, ctx), field, ctx);
}

tl_err tl__want_rates(double *rf_annual, double *periods, const tl_json *input, tl_errctx *ctx)
{
    *rf_annual = 0.0;
    if (tl_json_get(input, "rf_annual") != NULL) {
        TL_TRY(tl_json_want_f64(rf_annual, input, "rf_annual", ctx));
    }
    return tl_json_want_f64(periods, input, "periods_per_year", ctx);
}

tl_err tl__want_u64_or(uint64_t *out, const tl_json *input, const char *key, uint64_t fallback,
                       tl_errctx *ctx)
{
    const tl_json *value = tl_json_get(input, key);
    if (value == NULL || value->kind == TL_JSON_NULL) {
        *out = fallback;
        return TL_OK;
    }
    return tl__int_want_u64(out, input, key, ctx);
}

tl_err tl__want_weights(const double **out, size_t *count, const tl_json *list, const char *field,
                        tl_conform_env *env, tl_errctx *ctx)
{
    TL_TRY(under(tl_conform_series(out, count, NULL, list, env, ctx), field, ctx));
    for (size_t i = 0; i < *count; i++) {
        if (!(fabs((*out)[i]) <= WEIGHT_MAX)) {
            return tl_fail_field(ctx, TL_ERR_RANGE, field, "weight %zu is above 1e9", i);
        }
    }
    return TL_OK;
}

void tl__put_metric_value(tl_json_writer *out, tl_metric m)
{
    if (tl_metric_is_defined(m)) {
        tl_json_put_f64(out, m.value);
    } else {
        tl_json_put_null(out);
    }
}

void tl__put_metric(tl_json_writer *out, const char *key, tl_metric m)
{
    tl_json_put_key(out, key);
    tl__put_metric_value(out, m);
}

/* --- quant-returns --- */

static void put_index(tl_json_writer *out, const char *key, bool is_there, size_t index)
{
    tl_json_put_key(out, key);
    if (is_there) {
        tl_json_put_u64(out, index);
    } else {
        tl_json_put_null(out);
    }
}

static void put_drawdown(tl_json_writer *out, const tl_drawdown *d)
{
    tl__put_metric(out, "max_drawdown", d->depth);
    put_index(out, "drawdown_peak", d->is_present, d->peak);
    put_index(out, "drawdown_trough", d->is_present, d->trough);
    put_index(out, "drawdown_recovery", d->is_present && d->is_recovered, d->recovery);
}

static void put_metrics(tl_json_writer *out, const tl_metrics *m)
{
    tl_json_put_key(out, "n");
    tl_json_put_u64(out, m->n);
    tl__put_metric(out, "total_return", m->total_return);
    tl__put_metric(out, "cagr", m->cagr);
    tl__put_metric(out, "volatility", m->volatility);
    tl__put_metric(out, "sharpe", m->sharpe);
    tl__put_metric(out, "downside_deviation", m->downside_deviation);
    tl__put_metric(out, "sortino", m->sortino);
    put_drawdown(out, &m->drawdown);
    tl__put_metric(out, "calmar", m->calmar);
    tl__put_metric(out, "omega", m->omega);
    tl__put_metric(out, "tail_ratio", m->tail_ratio);
    tl__put_metric(out, "var_95", m->var_95);
    tl__put_metric(out, "cvar_95", m->cvar_95);
    tl__put_metric(out, "var_99", m->var_99);
    tl__put_metric(out, "cvar_99", m->cvar_99);
    tl__put_metric(out, "var_95_normal", m->var_95_normal);
    tl__put_metric(out, "win_rate", m->win_rate);
    tl__put_metric(out, "profit_factor", m->profit_factor);
    tl_json_put_key(out, "max_win_streak");
    tl_json_put_u64(out, m->win_streak);
    tl__put_metric(out, "skew", m->skew);
    tl__put_metric(out, "excess_kurtosis", m->kurtosis_excess);
    tl__put_metric(out, "psr_0", m->psr_0);
    tl__put_metric(out, "min_track_record", m->min_track_record);
}

/* The benchmark's returns; a return is missing when either of its prices is. */
static tl_err read_benchmark(tl_corr_series *out, size_t *n, const tl_json *input,
                             tl_conform_env *env, tl_errctx *ctx)
{
    const tl_json *prices = tl_json_get(input, "benchmark_prices");
    if (prices == NULL) {
        return tl__read_gapped(out, n, tl_json_get(input, "benchmark_returns"), "benchmark_returns",
                               env, ctx);
    }
    const char *field = "benchmark_prices";
    const double *p;
    const bool *is_missing;
    size_t count;
    TL_TRY(under(tl_conform_series(&p, &count, &is_missing, prices, env, ctx), field, ctx));
    *n = count == 0 ? 0 : count - 1;
    double *r = TL_NEW(env->arena, double, count);
    bool *is_gap = TL_NEW(env->arena, bool, count);
    if (r == NULL || is_gap == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (size_t i = 1; i < count; i++) {
        is_gap[i - 1] = is_missing[i] || is_missing[i - 1];
        if (!is_gap[i - 1]) {
            TL_TRY(under(tl_returns_from_prices(&r[i - 1], &p[i - 1], 2, ctx), field, ctx));
        }
    }
    out->values = r;
    out->is_missing = is_gap;
    return TL_OK;
}

/* Drop what either side lacks, then compare. */
static tl_err put_versus(tl_json_writer *out, tl__returns own, tl_corr_series b, double rf,
                         double periods, tl_conform_env *env, tl_errctx *ctx)
{
    double *pairs = TL_NEW(env->arena, double, 2 * own.n);
    if (pairs == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < own.n; i++) {
        if (!b.is_missing[i]) {
            pairs[count] = own.r[i];
            pairs[own.n + count] = b.values[i];
            count++;
        }
    }
    tl_versus versus;
    tl_metric_versus(&versus, pairs, pairs + own.n, count, rf, periods);
    tl__put_metric(out, "beta", versus.beta);
    tl__put_metric(out, "alpha", versus.alpha);
    tl__put_metric(out, "alpha_geometric", versus.alpha_geometric);
    tl__put_metric(out, "information_ratio", versus.information_ratio);
    const tl_corr_series a = {own.r, NULL};
    const tl_corr_options pearson = {TL_CORR_PEARSON, 2};
    const tl_corr_options spearman = {TL_CORR_SPEARMAN, 2};
    tl_corr_result rho;
    TL_TRY(tl_corr_pair(&rho, a, b, own.n, &pearson, env->arena, ctx));
    tl__put_metric(out, "pearson", rho.value);
    TL_TRY(tl_corr_pair(&rho, a, b, own.n, &spearman, env->arena, ctx));
    tl__put_metric(out, "spearman", rho.value);
    return TL_OK;
}

tl_err tl_conform_quant_returns(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                tl_errctx *ctx)
{
    tl__returns own;
    tl_metrics_options options = {0};
    TL_TRY(tl__want_returns(&own, input, env, ctx));
    TL_TRY(tl__want_rates(&options.rate_annual, &options.periods, input, ctx));
    tl_metrics metrics;
    tl_metric block;
    TL_TRY(tl_metrics_compute(&metrics, own.r, own.n, &options, env->arena, ctx));
    TL_TRY(tl_boot_block_length(&block, own.r, own.n, env->arena, ctx));
    tl_json_put_object(out);
    put_metrics(out, &metrics);
    tl__put_metric(out, "block_length_stationary", block);
    if (tl_json_get(input, "benchmark_prices") != NULL ||
        tl_json_get(input, "benchmark_returns") != NULL) {
        tl_corr_series b;
        size_t n;
        TL_TRY(read_benchmark(&b, &n, input, env, ctx));
        if (n != own.n) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "benchmark", "%zu returns beside %zu", n,
                                 own.n);
        }
        TL_TRY(put_versus(out, own, b, metrics.rf, options.periods, env, ctx));
    }
    tl_json_put_end(out);
    return TL_OK;
}
