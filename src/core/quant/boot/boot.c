/* From resamples to intervals. */
#include "core/quant/boot/boot.h"

#include <string.h>

#include "core/num/stats/stats.h"
#include "core/quant/boot/boot_internal.h"

#define MEAN_BLOCK_MAX 1e9
#define SKIPPED_ONE_IN 20 /* more than 5 % without a value: too_few */

const char *tl_boot_stat_name(tl_boot_stat stat)
{
    static const char *const names[TL_BOOT_STAT_COUNT] = {
        [TL_BOOT_MEAN] = "mean",
        [TL_BOOT_VOLATILITY] = "volatility",
        [TL_BOOT_SHARPE] = "sharpe",
        [TL_BOOT_SORTINO] = "sortino",
        [TL_BOOT_TOTAL_RETURN] = "total_return",
        [TL_BOOT_CAGR] = "cagr",
        [TL_BOOT_MAX_DRAWDOWN] = "max_drawdown",
        [TL_BOOT_CALMAR] = "calmar",
    };
    TL_ASSERT(stat < TL_BOOT_STAT_COUNT);
    return names[stat];
}

uint64_t tl_boot_seed(uint64_t epoch_seed, const uint8_t public_key[32])
{
    uint64_t first = 0;
    for (unsigned k = 0; k < 8; k++) {
        first |= (uint64_t)public_key[k] << (8 * k);
    }
    uint64_t state = epoch_seed ^ first;
    return tl_splitmix64(&state);
}

static tl_metric statistic(tl_boot_stat stat, const double *r, size_t n,
                           const tl_boot_options *options)
{
    TL_ASSERT(stat < TL_BOOT_STAT_COUNT);
    switch (stat) {
    case TL_BOOT_MEAN:
        return tl_metric_mean(r, n);
    case TL_BOOT_VOLATILITY:
        return tl_metric_volatility(r, n, options->periods);
    case TL_BOOT_SHARPE:
        return tl_metric_sharpe(r, n, options->rf, options->periods);
    case TL_BOOT_SORTINO:
        return tl_metric_sortino(r, n, options->rf, options->periods);
    case TL_BOOT_TOTAL_RETURN:
        return tl_metric_total_return(r, n);
    case TL_BOOT_CAGR:
        return tl_metric_cagr(r, n, options->periods);
    case TL_BOOT_MAX_DRAWDOWN:
        return tl_metric_max_drawdown(r, n);
    case TL_BOOT_CALMAR:
        return tl_metric_calmar(r, n, options->periods);
    case TL_BOOT_STAT_COUNT:
        break;
    }
    return tl_metric_mean(r, 0); /* no statistic: too_few, as of nothing */
}

static tl_err options_check(const tl_boot_options *options, size_t n, tl_errctx *ctx)
{
    if (n > TL_SERIES_PERIODS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu returns, above %zu", n, TL_SERIES_PERIODS_MAX);
    }
    if (!(options->mean_block >= 1.0 && options->mean_block <= MEAN_BLOCK_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "mean_block", "a mean block must be 1 to 1e9 long");
    }
    if (options->resamples == 0 || options->resamples > TL_BOOT_RESAMPLES_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "resamples", "%u resamples, not 1 to %d",
                             (unsigned)options->resamples, TL_BOOT_RESAMPLES_MAX);
    }
    if (!(options->level > 0.0 && options->level < 1.0)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "level", "a level must lie between 0 and 1");
    }
    return TL_OK;
}

static tl_metric some(double value)
{
    const tl_metric m = {value + 0.0, TL_METRIC_OK};
    return m;
}

/* values: those of the resamples that have one, in any order. */
static void summarise(tl_boot_result *out, double *values, size_t used, size_t resamples,
                      double level)
{
    const tl_metric few = {0.0, TL_METRIC_TOO_FEW};
    const tl_boot_interval unknown = {few, few};
    const size_t skipped = resamples - used; /* BOOT-4 */
    out->skipped = (uint32_t)skipped;
    out->percentile = out->basic = unknown;
    out->standard_error = few;
    if (used == 0 || skipped * SKIPPED_ONE_IN > resamples) {
        return;
    }
    tl_sort_f64(values, used);
    const double tail = (1.0 - level) / 2.0;
    const double lower = tl_quantile_sorted(values, used, tail);
    const double upper = tl_quantile_sorted(values, used, 1.0 - tail);
    TL_ASSERT(lower <= upper); /* BOOT-3 */
    out->percentile.lower = some(lower);
    out->percentile.upper = some(upper);
    if (tl_metric_is_defined(out->point)) {
        out->basic.lower = some(2.0 * out->point.value - upper);
        out->basic.upper = some(2.0 * out->point.value - lower);
    }
    if (used >= 2) {
        out->standard_error = some(tl_std(values, used, 1));
    }
}

/* sampler: what one series after the other is resampled with. */
typedef struct sampler {
    double *twice;    /* 2 n */
    double *resample; /* n */
    double *values;   /* stat_count rows of resamples values */
    size_t *used;     /* stat_count */
    const tl_boot_stat *stats;
    size_t stat_count;
    size_t n;
    const tl_boot_options *options;
} sampler;

static tl_err sampler_make(sampler *s, tl_arena *scratch, tl_errctx *ctx)
{
    s->twice = TL_NEW(scratch, double, 2 * s->n);
    s->resample = TL_NEW(scratch, double, s->n);
    s->values = TL_NEW(scratch, double, s->stat_count * s->options->resamples);
    s->used = TL_NEW(scratch, size_t, s->stat_count);
    if (s->twice == NULL || s->resample == NULL || s->values == NULL || s->used == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    return TL_OK;
}

static void sampler_run(const sampler *s, tl_boot_result *out, const double *r, uint64_t seed)
{
    const size_t resamples = s->options->resamples;
    for (size_t k = 0; k < s->stat_count; k++) {
        s->used[k] = 0;
        out[k].point = statistic(s->stats[k], r, s->n, s->options);
    }
    if (s->n > 0) {
        memcpy(s->twice, r, s->n * sizeof *r);
        memcpy(s->twice + s->n, r, s->n * sizeof *r);
        tl__boot_draw draw = {
            .twice = s->twice, .n = s->n, .threshold = tl__boot_threshold(s->options->mean_block)};
        tl_xoshiro_seed(&draw.rng, seed);
        for (size_t b = 0; b < resamples; b++) {
            tl__boot_resample(s->resample, &draw);
            for (size_t k = 0; k < s->stat_count; k++) {
                const tl_metric m = statistic(s->stats[k], s->resample, s->n, s->options);
                if (tl_metric_is_defined(m)) {
                    s->values[k * resamples + s->used[k]++] = m.value;
                }
            }
        }
    }
    for (size_t k = 0; k < s->stat_count; k++) {
        summarise(&out[k], s->values + k * resamples, s->used[k], resamples, s->options->level);
    }
}

tl_err tl_boot_run(tl_boot_result *out, const double *r, size_t n, const tl_boot_stat *stats,
                   size_t stat_count, uint64_t seed, const tl_boot_options *options,
                   tl_arena *scratch, tl_errctx *ctx)
{
    return tl_boot_batch(out, r, n, &seed, 0, 1, stats, stat_count, options, scratch, ctx);
}

tl_err tl_boot_batch(tl_boot_result *out, const double *r, size_t n, const uint64_t *seeds,
                     size_t from, size_t to, const tl_boot_stat *stats, size_t stat_count,
                     const tl_boot_options *options, tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(from <= to);
    TL_TRY(options_check(options, n, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    sampler s = {.stats = stats, .stat_count = stat_count, .n = n, .options = options};
    const tl_err err = sampler_make(&s, scratch, ctx);
    if (err == TL_OK) {
        for (size_t i = from; i < to; i++) {
            const double *series = n == 0 ? NULL : r + i * n; /* without days r may be NULL */
            sampler_run(&s, out + i * stat_count, series, seeds[i]); /* BOOT-1 */
        }
    }
    tl_arena_rewind(scratch, mark);
    return err;
}
