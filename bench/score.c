/* score: 1,000 miners, 252 days, 30 positions of a universe of 480, rebalanced each week: from target weights and
 * returns of the assets to the portfolio score of profile A. Weights drift between rebalances, each rebalance has its
 * turnover and its cost.
 *
 *   universe 252 x 480 ──gather──▶ 252 x 30 ──plan──▶ returns, turnovers ──cost──▶ record ──score──▶ QS in millionths
 */
#include "bench.h"
#include "core/num/sum/sum.h"
#include "core/quant/account/account.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/sys/sys.h"

enum { UNIVERSE = 480, POSITIONS = 30, STRIDE = UNIVERSE / POSITIONS, WEEK = 5 };
enum { TARGETS = (BENCH_DAYS + WEEK - 1) / WEEK, WINDOW = 90, SHARD = 50 };

static const double cost_ratio = 0.00055; /* 5.5 bp of turnover */

typedef struct score_work {
    size_t miners;
    const double *returns;   /* days x universe */
    const uint32_t *tickers; /* miners x positions */
    const double *targets;   /* miners x targets x positions */
    uint32_t *qs_millionths;
    tl_pool *pool;
    tl_arena *arena[BENCH_THREADS]; /* one a worker */
} score_work;

/* T of the portfolio spec, section 5: of the last 90 days, a week. */
static double turnover_per_week(const double *turnovers, size_t rebalances)
{
    double recent[TARGETS];
    size_t count = 0;
    for (size_t k = 0; k < rebalances; k++) {
        if ((k + 1) * WEEK >= BENCH_DAYS - WINDOW) {
            recent[count++] = turnovers[k];
        }
    }
    return WEEK * tl_sum(recent, count) / WINDOW;
}

static tl_err score_one(const score_work *w, size_t miner, tl_arena *arena, tl_errctx *ctx)
{
    double *held = TL_NEW(arena, double, (size_t)BENCH_DAYS *POSITIONS);
    if (held == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_account_gather(held, w->returns, BENCH_DAYS, UNIVERSE, w->tickers + miner * POSITIONS,
                      POSITIONS);
    const tl_account_plan plan = {w->targets + miner * TARGETS * POSITIONS, TARGETS, WEEK, false};
    tl_account_history h;
    TL_TRY(tl_account_run(&h, arena, &plan, held, BENCH_DAYS, POSITIONS, POSITIONS, ctx));
    for (size_t k = 0; k < h.rebalances; k++) {
        h.returns[(k + 1) * WEEK] -= h.turnovers[k] * cost_ratio;
    }
    tl_portfolio_score score;
    tl_portfolio_score_record(&score, h.returns, BENCH_DAYS,
                              turnover_per_week(h.turnovers, h.rebalances), NULL, 0, NULL);
    w->qs_millionths[miner] = score.qs_millionths;
    return TL_OK;
}

static tl_err score_shard(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    const score_work *w = (const score_work *)self;
    const size_t end = (shard + 1) * SHARD < w->miners ? (shard + 1) * SHARD : w->miners;
    for (size_t m = shard * SHARD; m < end; m++) {
        const tl_arena_mark mark = tl_arena_get_mark(w->arena[worker]);
        TL_TRY(score_one(w, m, w->arena[worker], ctx));
        tl_arena_rewind(w->arena[worker], mark);
    }
    return TL_OK;
}

static tl_err score_all(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    const score_work *w = (const score_work *)self;
    return tl_pool_run(w->pool, (w->miners + SHARD - 1) / SHARD, score_shard, self, ctx);
}

static tl_err make(score_work *w, tl_arena *arena, size_t miners, tl_errctx *ctx)
{
    const size_t weights = miners * TARGETS * POSITIONS;
    double *returns = TL_NEW(arena, double, (size_t)BENCH_DAYS *UNIVERSE);
    double *draws = TL_NEW(arena, double, miners *POSITIONS);
    uint32_t *tickers = TL_NEW(arena, uint32_t, miners * POSITIONS);
    double *targets = TL_NEW(arena, double, weights);
    w->qs_millionths = TL_NEW(arena, uint32_t, miners);
    if (returns == NULL || draws == NULL || tickers == NULL || targets == NULL ||
        w->qs_millionths == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    bench_returns(returns, (size_t)BENCH_DAYS * UNIVERSE, 1);
    bench_units(draws, miners * POSITIONS, 2);
    bench_units(targets, weights, 3);
    for (size_t i = 0; i < miners * POSITIONS; i++) {
        tickers[i] = (uint32_t)(i % POSITIONS * STRIDE + (size_t)(draws[i] * STRIDE));
    }
    for (size_t row = 0; row < weights; row += POSITIONS) {
        for (size_t k = 0; k < POSITIONS; k++) {
            targets[row + k] += 0.5;
        }
        const double whole = tl_sum(targets + row, POSITIONS);
        for (size_t k = 0; k < POSITIONS; k++) {
            targets[row + k] /= whole;
        }
    }
    w->miners = miners;
    w->returns = returns;
    w->tickers = tickers;
    w->targets = targets;
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
    for (size_t m = 0; m < w.miners; m++) {
        out->figures[0] += w.qs_millionths[m];
    }
    out->figure_count = 1;
    return err;
}
