/* score: 1,000 miners, 252 days, 30 positions of a universe of 480, rebalanced each week: from target weights and
 * returns of the assets to the portfolio score of profile A. Weights drift between rebalances, each rebalance has its
 * turnover and its cost.
 *
 *   universe 252 x 480, targets ──field──▶ returns, turnovers ──cost──▶ record ──score──▶ QS in millionths
 */
#include "bench.h"
#include "core/num/sum/sum.h"
#include "core/quant/account/account.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/sys/sys.h"

enum { UNIVERSE = 480, POSITIONS = 30, STRIDE = UNIVERSE / POSITIONS, WEEK = 5 };
enum { TARGETS = (BENCH_DAYS + WEEK - 1) / WEEK, WINDOW = 90, SHARD = 48 };

static const double cost_ratio = 0.00055; /* 5.5 bp of turnover */

typedef struct score_work {
    tl_account_field field;
    double *returns;   /* miners x days */
    double *turnovers; /* miners x rebalances */
    uint32_t *qs_millionths;
    tl_pool *pool;
    tl_arena *arena[BENCH_THREADS]; /* one a worker */
} score_work;

/* T of the portfolio spec, section 5: of the last 90 days, a week. */
static double turnover_per_week(const double *turnovers, size_t rebalances)
{
    const size_t before = (BENCH_DAYS - WINDOW + WEEK - 1) / WEEK - 1; /* rebalances until then */
    return WEEK * tl_sum(turnovers + before, rebalances - before) / WINDOW;
}

static tl_err score_shard(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    const score_work *w = (const score_work *)self;
    const size_t miners = w->field.portfolios;
    const size_t end = (shard + 1) * SHARD < miners ? (shard + 1) * SHARD : miners;
    const size_t rebalances = tl_account_field_rebalances(&w->field);
    TL_TRY(tl_account_field_run(w->returns, w->turnovers, &w->field, shard * SHARD, end,
                                w->arena[worker], ctx));
    for (size_t m = shard * SHARD; m < end; m++) {
        double *returns = w->returns + m * BENCH_DAYS;
        const double *turnovers = w->turnovers + m * rebalances;
        for (size_t k = 0; k < rebalances; k++) {
            returns[(k + 1) * WEEK] -= turnovers[k] * cost_ratio;
        }
        tl_portfolio_score score;
        tl_portfolio_score_record(&score, returns, BENCH_DAYS,
                                  turnover_per_week(turnovers, rebalances), NULL, 0, NULL);
        w->qs_millionths[m] = score.qs_millionths;
    }
    return TL_OK;
}

static tl_err score_all(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    const score_work *w = (const score_work *)self;
    return tl_pool_run(w->pool, (w->field.portfolios + SHARD - 1) / SHARD, score_shard, self, ctx);
}

/* Weights between 1/2 and 3/2 of each other, then over their sum. */
static void make_targets(double *targets, const double *draws, size_t miners)
{
    for (size_t m = 0; m < miners; m++) {
        for (size_t i = 0; i < TARGETS; i++) {
            double weights[POSITIONS];
            for (size_t k = 0; k < POSITIONS; k++) {
                weights[k] = 0.5 + draws[(m * TARGETS + i) * POSITIONS + k];
            }
            const double whole = tl_sum(weights, POSITIONS);
            for (size_t k = 0; k < POSITIONS; k++) {
                targets[(i * POSITIONS + k) * miners + m] = weights[k] / whole;
            }
        }
    }
}

static tl_err make(score_work *w, tl_arena *arena, size_t miners, tl_errctx *ctx)
{
    const size_t weights = miners * TARGETS * POSITIONS;
    double *returns = TL_NEW(arena, double, (size_t)BENCH_DAYS *UNIVERSE);
    uint32_t *tickers = TL_NEW(arena, uint32_t, miners * POSITIONS);
    double *targets = TL_NEW(arena, double, weights);
    w->returns = TL_NEW(arena, double, miners *BENCH_DAYS);
    w->turnovers = TL_NEW(arena, double, miners *TARGETS);
    w->qs_millionths = TL_NEW(arena, uint32_t, miners);
    double *draws = TL_NEW(arena, double, weights);
    if (returns == NULL || tickers == NULL || targets == NULL || w->returns == NULL ||
        w->turnovers == NULL || w->qs_millionths == NULL || draws == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    bench_returns(returns, (size_t)BENCH_DAYS * UNIVERSE, 1);
    bench_units(draws, miners * POSITIONS, 2);
    for (size_t i = 0; i < miners * POSITIONS; i++) {
        const size_t k = i % POSITIONS;
        tickers[k * miners + i / POSITIONS] = (uint32_t)(k * STRIDE + (size_t)(draws[i] * STRIDE));
    }
    bench_units(draws, weights, 3);
    make_targets(targets, draws, miners);
    w->field = (tl_account_field){.returns = returns,
                                  .days = BENCH_DAYS,
                                  .stride = UNIVERSE,
                                  .portfolios = miners,
                                  .count = POSITIONS,
                                  .index = tickers,
                                  .targets = targets,
                                  .target_count = TARGETS,
                                  .rebalance_every = WEEK};
    return TL_OK;
}

tl_err bench_score(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    score_work w = {0};
    TL_TRY(make(&w, arena, 10 * (size_t)percent, ctx));
    for (size_t k = 0; k < BENCH_THREADS; k++) {
        TL_TRY(tl_arena_new(&w.arena[k], NULL, 0, NULL, ctx));
    }
    TL_TRY(tl_pool_new(&w.pool, BENCH_THREADS, ctx));
    out->threads = BENCH_THREADS;
    const tl_err err = bench_time(out, score_all, &w, ctx);
    tl_pool_free(w.pool);
    for (size_t k = 0; k < BENCH_THREADS; k++) {
        tl_arena_free(w.arena[k]);
    }
    for (size_t m = 0; m < w.field.portfolios; m++) {
        out->figures[0] += w.qs_millionths[m];
    }
    out->figure_count = 1;
    return err;
}
