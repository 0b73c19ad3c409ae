/* bootstrap: 1,000 series of 252 days, each resampled 1,000 times by the stationary bootstrap with a mean block of ten
 * days: mean and Sharpe ratio of every resample, and their 95 % intervals. */
#include "bench.h"
#include "core/quant/boot/boot.h"
#include "io/sys/sys.h"

enum { STATS = 2, SHARD = 10 };

static const tl_boot_stat stats[STATS] = {TL_BOOT_MEAN, TL_BOOT_SHARPE};
static const tl_boot_options options = {
    .mean_block = 10.0, .resamples = 1000, .level = 0.95, .rf = 0.0, .periods = 252.0};

typedef struct boot_work {
    size_t series;
    double *returns;
    uint64_t *seeds;
    tl_boot_result *results;
    tl_pool *pool;
    tl_arena *arena[BENCH_THREADS];
} boot_work;

static tl_err run_shard(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    const boot_work *w = (const boot_work *)self;
    const size_t end = (shard + 1) * SHARD < w->series ? (shard + 1) * SHARD : w->series;
    return tl_boot_batch(w->results, w->returns, BENCH_DAYS, w->seeds, shard * SHARD, end, stats,
                         STATS, &options, w->arena[worker], ctx);
}

static tl_err run_all(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    const boot_work *w = (const boot_work *)self;
    return tl_pool_run(w->pool, (w->series + SHARD - 1) / SHARD, run_shard, self, ctx);
}

tl_err bench_bootstrap(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    boot_work w = {.series = 10 * (size_t)percent};
    w.returns = TL_NEW(arena, double, w.series *BENCH_DAYS);
    w.seeds = TL_NEW(arena, uint64_t, w.series);
    w.results = TL_NEW(arena, tl_boot_result, w.series * STATS);
    if (w.returns == NULL || w.seeds == NULL || w.results == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    bench_returns(w.returns, w.series * BENCH_DAYS, 5);
    for (size_t i = 0; i < w.series; i++) {
        uint64_t state = i;
        w.seeds[i] = tl_splitmix64(&state);
    }
    for (size_t k = 0; k < BENCH_THREADS; k++) {
        TL_TRY(tl_arena_new(&w.arena[k], NULL, 0, NULL, ctx));
    }
    TL_TRY(tl_pool_new(&w.pool, BENCH_THREADS, ctx));
    out->threads = BENCH_THREADS;
    const tl_err err = bench_time(out, run_all, &w, ctx);
    tl_pool_free(w.pool);
    for (size_t k = 0; k < BENCH_THREADS; k++) {
        tl_arena_free(w.arena[k]);
    }
    /* The peer draws other numbers: what agrees is the spread of the statistic, not a resample. */
    for (size_t i = 0; i < w.series; i++) {
        out->figures[0] += w.results[i * STATS].standard_error.value / (double)w.series;
        out->figures[1] += w.results[i * STATS + 1].standard_error.value / (double)w.series;
    }
    out->figure_count = 2;
    return err;
}
