/* From resamples to intervals. */
#include "core/quant/boot/boot.h"

#include <math.h>
#include <string.h>

#include "core/num/stats/stats.h"
#include "core/quant/boot/boot_internal.h"

#define MEAN_BLOCK_MAX 1e9
#define SKIPPED_ONE_IN 20 /* more than 5 % without a value: too_few */

#define TOGETHER_N_MAX     2048
#define TOGETHER_BLOCK_MIN 3.0

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

/* The squares of growth rates may pass the range of doubles where the rates themselves do not. */
static tl_metric some(double value)
{
    const bool fits = fabs(value) <= 0x1.fffffffffffffp1023;
    const tl_metric m = {fits ? value + 0.0 : 0.0, fits ? TL_METRIC_OK : TL_METRIC_TOO_LARGE};
    return m;
}

/* values: those of the resamples that have one, in the order of their draws; reordered. */
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
    if (used >= 2) {
        out->standard_error = some(tl_std(values, used, 1));
    }
    const double tail = (1.0 - level) / 2.0;
    const double lower = tl_quantile_select(values, used, tail);
    const double upper = tl_quantile_select(values, used, 1.0 - tail);
    TL_ASSERT(lower <= upper); /* BOOT-3 */
    out->percentile.lower = some(lower);
    out->percentile.upper = some(upper);
    if (tl_metric_is_defined(out->point)) {
        out->basic.lower = some(2.0 * out->point.value - upper);
        out->basic.upper = some(2.0 * out->point.value - lower);
    }
}

/* lane: one series on its way. */
typedef struct lane {
    double *twice;    /* 2 n and slack */
    double *values;   /* stat_count rows of resamples values */
    size_t *used;     /* stat_count */
    size_t resampled; /* resamples done */
    uint64_t at;      /* the next row of its stream */
} lane;

/* sampler: what a shard is resampled with; one lane, or eight with their streams. */
typedef struct sampler {
    const tl_boot_stat *stats;
    size_t stat_count;
    size_t n;
    const tl_boot_options *options;
    double *resample; /* n and slack */
    lane lanes[TL__BOOT_LANES];
    size_t lane_count;
    tl__boot_streams streams;
    tl__boot_fill *fill;
} sampler;

static bool lane_make(lane *l, const sampler *s, tl_arena *scratch)
{
    l->twice = TL_NEW(scratch, double, 2 * s->n + TL__BOOT_SLACK);
    l->values = TL_NEW(scratch, double, s->stat_count * s->options->resamples);
    l->used = TL_NEW(scratch, size_t, s->stat_count);
    return l->twice != NULL && l->values != NULL && l->used != NULL;
}

static bool streams_make(tl__boot_streams *streams, size_t n, tl_arena *scratch)
{
    const size_t rows = (size_t)tl__boot_streams_rows(n);
    const size_t row_len = sizeof *streams->draws;
    streams->draws = tl_arena_alloc(scratch, rows, row_len, row_len);
    streams->hits = tl_arena_alloc(scratch, rows / TL__BOOT_WORD, row_len, row_len);
    streams->rows = rows;
    return streams->draws != NULL && streams->hits != NULL;
}

static tl_err sampler_make(sampler *s, tl_arena *scratch, tl_errctx *ctx)
{
    s->resample = TL_NEW(scratch, double, s->n + TL__BOOT_SLACK);
    bool is_made = s->resample != NULL;
    for (size_t k = 0; is_made && k < s->lane_count; k++) {
        is_made = lane_make(&s->lanes[k], s, scratch);
    }
    if (is_made && s->lane_count > 1) {
        is_made = streams_make(&s->streams, s->n, scratch);
        s->fill = tl__boot_fill_best();
    }
    return is_made ? TL_OK : tl_arena_fail(scratch, ctx);
}

/* --- one series: from its first draw to its results --- */

static void begin(const sampler *s, lane *l, tl_boot_result *out, const double *r)
{
    l->resampled = 0;
    l->at = 0;
    for (size_t k = 0; k < s->stat_count; k++) {
        l->used[k] = 0;
        out[k].point = statistic(s->stats[k], r, s->n, s->options);
    }
    if (s->n > 0) {
        memcpy(l->twice, r, s->n * sizeof *r);
        memcpy(l->twice + s->n, r, s->n * sizeof *r);
    }
}

/* The resample that was just drawn becomes a value of each statistic that has one. */
static void keep(const sampler *s, lane *l)
{
    for (size_t k = 0; k < s->stat_count; k++) {
        const tl_metric m = statistic(s->stats[k], s->resample, s->n, s->options);
        if (tl_metric_is_defined(m)) {
            l->values[k * s->options->resamples + l->used[k]++] = m.value;
        }
    }
    l->resampled++;
}

static void finish(const sampler *s, lane *l, tl_boot_result *out)
{
    const size_t resamples = s->options->resamples;
    for (size_t k = 0; k < s->stat_count; k++) {
        summarise(&out[k], l->values + k * resamples, l->used[k], resamples, s->options->level);
    }
}

static void run_alone(sampler *s, tl_boot_result *out, const double *r, uint64_t seed)
{
    lane *l = &s->lanes[0];
    begin(s, l, out, r);
    tl__boot_draw draw = {
        .twice = l->twice, .n = s->n, .threshold = tl__boot_threshold(s->options->mean_block)};
    tl_xoshiro_seed(&draw.rng, seed);
    while (s->n > 0 && l->resampled < s->options->resamples) {
        tl__boot_resample(s->resample, &draw);
        keep(s, l);
    }
    finish(s, l, out);
}

/* --- up to eight series side by side --- */

static void streams_seed(tl__boot_streams *streams, const uint64_t *seeds, size_t count)
{
    streams->end = 0;
    for (size_t k = 0; k < TL__BOOT_LANES; k++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, k < count ? seeds[k] : 0); /* a lane that nobody reads */
        for (size_t i = 0; i < 4; i++) {
            streams->state[i][k] = rng.s[i];
        }
    }
}

/* Rows up to the ring's end, counted from the lane that is furthest behind. False when all lanes
 * are done. */
static bool make_rows(sampler *s, size_t count)
{
    uint64_t behind = UINT64_MAX;
    for (size_t k = 0; k < count; k++) {
        const lane *l = &s->lanes[k];
        if (l->resampled < s->options->resamples && l->at < behind) {
            behind = l->at;
        }
    }
    if (behind == UINT64_MAX) {
        return false;
    }
    const uint64_t room = s->streams.rows - (s->streams.end - behind);
    TL_ASSERT(room >= TL__BOOT_WORD && room <= s->streams.rows);
    s->fill(&s->streams, (size_t)(room / TL__BOOT_WORD));
    return true;
}

static void run_together(sampler *s, tl_boot_result *out, const double *r, const uint64_t *seeds,
                         size_t count)
{
    for (size_t k = 0; k < count; k++) {
        begin(s, &s->lanes[k], out + k * s->stat_count, r + k * s->n);
    }
    s->streams.threshold = tl__boot_threshold(s->options->mean_block);
    streams_seed(&s->streams, seeds, count);
    while (make_rows(s, count)) {
        for (size_t k = 0; k < count; k++) {
            lane *l = &s->lanes[k];
            while (l->resampled < s->options->resamples && s->streams.end - l->at >= 2 * s->n) {
                tl__boot_take(s->resample, l->twice, s->n, &s->streams, k, &l->at);
                keep(s, l);
            }
        }
    }
    for (size_t k = 0; k < count; k++) {
        finish(s, &s->lanes[k], out + k * s->stat_count);
    }
}

/* --- the room's doors --- */

tl_err tl_boot_run(tl_boot_result *out, const double *r, size_t n, const tl_boot_stat *stats,
                   size_t stat_count, uint64_t seed, const tl_boot_options *options,
                   tl_arena *scratch, tl_errctx *ctx)
{
    return tl_boot_batch(out, r, n, &seed, 0, 1, stats, stat_count, options, scratch, ctx);
}

/* Rows of draws pay when a resample is few long pieces and the ring stays in the cache. */
static bool goes_together(size_t series, size_t n, const tl_boot_options *options)
{
    return series > 1 && n > 0 && n <= TOGETHER_N_MAX && options->mean_block >= TOGETHER_BLOCK_MIN;
}

tl_err tl_boot_batch(tl_boot_result *out, const double *r, size_t n, const uint64_t *seeds,
                     size_t from, size_t to, const tl_boot_stat *stats, size_t stat_count,
                     const tl_boot_options *options, tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(from <= to);
    TL_TRY(options_check(options, n, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    const size_t together = goes_together(to - from, n, options) ? TL__BOOT_LANES : 1;
    sampler s = {.stats = stats,
                 .stat_count = stat_count,
                 .n = n,
                 .options = options,
                 .lane_count = together};
    const tl_err err = sampler_make(&s, scratch, ctx);
    for (size_t i = from; err == TL_OK && i < to; i += together) {
        const size_t count = to - i < together ? to - i : together;
        const double *series = n == 0 ? NULL : r + i * n; /* without days r may be NULL */
        if (count == 1) {
            run_alone(&s, out + i * stat_count, series, seeds[i]); /* BOOT-1 */
        } else {
            run_together(&s, out + i * stat_count, series, seeds + i, count); /* BOOT-1 */
        }
    }
    tl_arena_rewind(scratch, mark);
    return err;
}
