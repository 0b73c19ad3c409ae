/* kind_quant_boot.c: quant-bootstrap and quant-deflated-sharpe (quant-math spec 7 and 4).
 *
 * quant-bootstrap         {"prices" or "returns","seed","resamples"?,"mean_block"?,"level"?,
 *                         "rf_annual","periods_per_year"}; mean_block absent: the automatic one, at
 *                         least 1. Every statistic of core/quant/boot is given, from the same
 *                         resamples
 * quant-deflated-sharpe   {"sharpe_per_period","observations","skew","kurtosis","trials",
 *                         "trial_sharpe_std","benchmark_sharpe","periods_per_year","confidence"} */
#include <math.h>

#include "app/conformance/ints.h"
#include "app/conformance/kind_quant.h"
#include "core/quant/boot/boot.h"

#define LEVEL_DEFAULT 0.95

static tl_err want_f64_or(double *out, const tl_json *input, const char *key, double fallback,
                          tl_errctx *ctx)
{
    const tl_json *value = tl_json_get(input, key);
    *out = fallback;
    return value == NULL || value->kind == TL_JSON_NULL ? TL_OK
                                                        : tl_json_want_f64(out, input, key, ctx);
}

static tl_err read_options(tl_boot_options *out, tl__returns own, const tl_json *input,
                           tl_conform_env *env, tl_errctx *ctx)
{
    double rf_annual;
    uint64_t resamples;
    tl_metric block;
    TL_TRY(tl__want_rates(&rf_annual, &out->periods, input, ctx));
    TL_TRY(tl_rate_per_period(&out->rf, rf_annual, out->periods, ctx));
    TL_TRY(tl__want_u64_or(&resamples, input, "resamples", TL_BOOT_RESAMPLES_DEFAULT, ctx));
    if (resamples > TL_BOOT_RESAMPLES_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "resamples", "above %d", TL_BOOT_RESAMPLES_MAX);
    }
    out->resamples = (uint32_t)resamples;
    TL_TRY(want_f64_or(&out->level, input, "level", LEVEL_DEFAULT, ctx));
    TL_TRY(tl_boot_block_length(&block, own.r, own.n, env->arena, ctx));
    const double automatic = block.value > 1.0 ? block.value : 1.0;
    return want_f64_or(&out->mean_block, input, "mean_block", automatic, ctx);
}

static tl_err put_first_indices(tl_json_writer *out, size_t n, double mean_block, uint64_t seed,
                                tl_conform_env *env, tl_errctx *ctx)
{
    uint32_t *indices = TL_NEW(env->arena, uint32_t, n);
    if (indices == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    if (n > 0) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, seed);
        tl_boot_indices(indices, n, mean_block, &rng);
    }
    tl_json_put_key(out, "first_indices");
    tl_json_put_array(out);
    for (size_t i = 0; i < n; i++) {
        tl_json_put_u64(out, indices[i]);
    }
    tl_json_put_end(out);
    return TL_OK;
}

static void put_interval(tl_json_writer *out, const char *key, tl_boot_interval interval)
{
    tl_json_put_key(out, key);
    if (!tl_metric_is_defined(interval.lower)) {
        tl_json_put_null(out);
        return;
    }
    tl_json_put_array(out);
    tl__put_metric_value(out, interval.lower);
    tl__put_metric_value(out, interval.upper);
    tl_json_put_end(out);
}

static void put_statistic(tl_json_writer *out, tl_boot_stat stat, const tl_boot_result *result)
{
    tl_json_put_key(out, tl_boot_stat_name(stat));
    tl_json_put_object(out);
    tl__put_metric(out, "point", result->point);
    put_interval(out, "percentile", result->percentile);
    put_interval(out, "basic", result->basic);
    tl__put_metric(out, "standard_error", result->standard_error);
    tl_json_put_key(out, "skipped");
    tl_json_put_u64(out, result->skipped);
    tl_json_put_end(out);
}

tl_err tl_conform_quant_bootstrap(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                  tl_errctx *ctx)
{
    tl__returns own;
    tl_boot_options options;
    uint64_t seed;
    TL_TRY(tl__want_returns(&own, input, env, ctx));
    TL_TRY(tl__int_want_u64(&seed, input, "seed", ctx));
    TL_TRY(read_options(&options, own, input, env, ctx));
    tl_boot_stat stats[TL_BOOT_STAT_COUNT];
    for (unsigned k = 0; k < TL_BOOT_STAT_COUNT; k++) {
        stats[k] = (tl_boot_stat)k;
    }
    tl_boot_result results[TL_BOOT_STAT_COUNT];
    TL_TRY(tl_boot_run(results, own.r, own.n, stats, TL_BOOT_STAT_COUNT, seed, &options, env->arena,
                       ctx));
    tl_json_put_object(out);
    TL_TRY(put_first_indices(out, own.n, options.mean_block, seed, env, ctx));
    tl_json_put_key(out, "statistics");
    tl_json_put_object(out);
    for (unsigned k = 0; k < TL_BOOT_STAT_COUNT; k++) {
        put_statistic(out, stats[k], &results[k]);
    }
    tl_json_put_end(out);
    tl_json_put_end(out);
    return TL_OK;
}

tl_err tl_conform_quant_deflated_sharpe(tl_json_writer *out, const tl_json *input,
                                        tl_conform_env *env, tl_errctx *ctx)
{
    (void)env;
    tl_sharpe_sample sample;
    uint64_t trials;
    double trial_sharpe_std;
    double star;
    double periods;
    double confidence;
    double unused_rf;
    TL_TRY(tl_json_want_f64(&sample.sharpe, input, "sharpe_per_period", ctx));
    TL_TRY(tl__int_want_u64(&sample.observations, input, "observations", ctx));
    TL_TRY(tl_json_want_f64(&sample.skew, input, "skew", ctx));
    TL_TRY(tl_json_want_f64(&sample.kurtosis, input, "kurtosis", ctx));
    TL_TRY(tl__int_want_u64(&trials, input, "trials", ctx));
    TL_TRY(tl_json_want_f64(&trial_sharpe_std, input, "trial_sharpe_std", ctx));
    TL_TRY(want_f64_or(&star, input, "benchmark_sharpe", 0.0, ctx));
    TL_TRY(tl_json_want_f64(&periods, input, "periods_per_year", ctx));
    TL_TRY(tl_rate_per_period(&unused_rf, 0.0, periods, ctx)); /* periods are in range */
    TL_TRY(want_f64_or(&confidence, input, "confidence", LEVEL_DEFAULT, ctx));
    if (!(confidence > 0.0 && confidence < 1.0)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "confidence", "must lie between 0 and 1");
    }
    tl_json_put_object(out);
    tl__put_metric(out, "psr", tl_sharpe_psr(&sample, star));
    tl__put_metric(out, "expected_max_z", tl_expected_max_z(trials, NULL));
    tl__put_metric(out, "sr_0", tl_sharpe_star(trials, trial_sharpe_std));
    tl__put_metric(out, "dsr", tl_sharpe_deflated(&sample, trials, trial_sharpe_std));
    tl__put_metric(out, "min_track_record", tl_sharpe_min_track_record(&sample, star, confidence));
    tl__put_metric(out, "min_backtest_length_years",
                   tl_sharpe_min_backtest_length(trials, sample.sharpe * sqrt(periods)));
    tl_json_put_end(out);
    return TL_OK;
}
