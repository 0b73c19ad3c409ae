/* correlation: Pearson of all pairs of 1,000 miners over 252 days. Pairs grow with the square: a tenth of the work is
 * 316 miners. */
#include "bench.h"
#include "core/quant/corr/corr.h"
#include "io/sys/sys.h"

enum { MINERS = 1000, MINERS_TENTH = 316 };

typedef struct corr_work {
    size_t miners;
    const tl_corr_series *series;
    tl_corr_table *table;
    tl_corr_matrix matrix;
    size_t blocks;
    tl_pool *pool;
    tl_arena *arena[BENCH_THREADS];
} corr_work;

/* The block of most work first, so that no thread is left with it. */
static tl_err run_block(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    const corr_work *w = (const corr_work *)self;
    const size_t block = w->blocks - 1 - shard;
    return tl_corr_table_run(w->table, &w->matrix, block, block + 1, w->arena[worker], ctx);
}

static tl_err run_all(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    static const tl_corr_options options = {TL_CORR_PEARSON, TL_CORR_OVERLAP_MIN};
    corr_work *w = (corr_work *)self;
    TL_TRY(tl_corr_table_make(&w->table, scratch, w->series, w->miners, BENCH_DAYS, &options, ctx));
    w->blocks = tl_corr_table_blocks(w->table);
    return tl_pool_run(w->pool, w->blocks, run_block, w, ctx);
}

static tl_err make(corr_work *w, tl_arena *arena, size_t miners, tl_errctx *ctx)
{
    double *returns = TL_NEW(arena, double, miners *BENCH_DAYS);
    tl_corr_series *series = TL_NEW(arena, tl_corr_series, miners);
    w->matrix.value = TL_NEW(arena, double, miners *miners);
    if (returns == NULL || series == NULL || w->matrix.value == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    bench_returns(returns, miners * BENCH_DAYS, 4);
    for (size_t i = 0; i < miners; i++) {
        series[i] = (tl_corr_series){returns + i * BENCH_DAYS, NULL};
    }
    w->miners = miners;
    w->series = series;
    return TL_OK;
}

tl_err bench_correlation(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    corr_work w = {0};
    TL_TRY(make(&w, arena, percent == 100 ? MINERS : MINERS_TENTH, ctx));
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
    for (size_t i = 0; i < w.miners; i++) {
        out->figures[0] += w.matrix.value[i];
        out->figures[1] += w.matrix.value[i * w.miners + (i + 1) % w.miners];
    }
    out->figure_count = 2;
    return err;
}
