/* score: 1,000 miners, 252 days, 30 positions of a universe of 480, rebalanced each week: from target weights and
 * returns of the assets to the portfolio score of profile A. Weights drift between rebalances, each rebalance has its
 * turnover and its cost.
 *
 *   universe 252 x 480, targets ──growth, hold──▶ returns, turnovers ──cost──▶ record ──score──▶ QS in millionths
 */
#include "bench.h"
#include "core/num/sum/sum.h"
#include "core/quant/account/account.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/sys/sys.h"

enum { UNIVERSE = 480, POSITIONS = 30, STRIDE = UNIVERSE / POSITIONS, WEEK = 5 };
enum { TARGETS = (BENCH_DAYS + WEEK - 1) / WEEK, WINDOW = 90, WEEKS = 3, SHARD = 50 };

static const double cost_ratio = 0.00055; /* 5.5 bp of turnover */

typedef struct score_work {
    size_t miners;
    const double *returns;   /* days x universe */
    const uint32_t *tickers; /* miners x positions */
    const double *targets;   /* weeks x miners x positions */
    double *earned;          /* miners x days */
    double *turnovers;       /* miners x weeks; the last week has none */
    uint32_t *qs_millionths;
    tl_pool *pool;
    double *lines[BENCH_THREADS]; /* one a worker */
} score_work;

/* A week of all miners: the universe grows once, each portfolio is held over it. */
static tl_err live_week(const score_work *w, size_t week, double *lines, tl_errctx *ctx)
{
    const size_t first = week * WEEK;
    const size_t days = BENCH_DAYS - first < WEEK ? BENCH_DAYS - first : WEEK;
    TL_TRY(tl_account_growth(lines, w->returns + first * UNIVERSE, days, UNIVERSE, UNIVERSE, ctx));
    const tl_account_span span = {lines, days, UNIVERSE};
    const double *now = w->targets + week * w->miners * POSITIONS;
    const double *next = week + 1 < TARGETS ? now + w->miners * POSITIONS : NULL;
    const tl_account_holding all = {w->miners, POSITIONS, w->tickers, now, next};
    const tl_account_out out = {w->earned + first, BENCH_DAYS, w->turnovers + week, TARGETS};
    return tl_account_hold(&out, &span, &all, ctx);
}

static tl_err live_shard(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    const score_work *w = (const score_work *)self;
    for (size_t week = shard * WEEKS; week < TARGETS && week < (shard + 1) * WEEKS; week++) {
        TL_TRY(live_week(w, week, w->lines[worker], ctx));
    }
    return TL_OK;
}

/* T of the portfolio spec, section 5: of the last 90 days, a week. */
static double turnover_per_week(const double *turnovers)
{
    const size_t before = (BENCH_DAYS - WINDOW + WEEK - 1) / WEEK - 1; /* rebalances until then */
    return WEEK * tl_sum(turnovers + before, TARGETS - 1 - before) / WINDOW;
}

static tl_err score_shard(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    (void)worker;
    (void)ctx;
    const score_work *w = (const score_work *)self;
    const size_t end = (shard + 1) * SHARD < w->miners ? (shard + 1) * SHARD : w->miners;
    for (size_t m = shard * SHARD; m < end; m++) {
        double *returns = w->earned + m * BENCH_DAYS;
        const double *turnovers = w->turnovers + m * TARGETS;
        for (size_t k = 0; k + 1 < TARGETS; k++) {
            returns[(k + 1) * WEEK] -= turnovers[k] * cost_ratio;
        }
        tl_portfolio_score score;
        tl_portfolio_score_record(&score, returns, BENCH_DAYS, turnover_per_week(turnovers), NULL,
                                  0, NULL);
        w->qs_millionths[m] = score.qs_millionths;
    }
    return TL_OK;
}

static tl_err score_all(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    const score_work *w = (const score_work *)self;
    TL_TRY(tl_pool_run(w->pool, (TARGETS + WEEKS - 1) / WEEKS, live_shard, self, ctx));
    return tl_pool_run(w->pool, (w->miners + SHARD - 1) / SHARD, score_shard, self, ctx);
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
                targets[(i * miners + m) * POSITIONS + k] = weights[k] / whole;
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
    double *draws = TL_NEW(arena, double, weights);
    w->earned = TL_NEW(arena, double, miners *BENCH_DAYS);
    w->turnovers = TL_NEW(arena, double, miners *TARGETS);
    w->qs_millionths = TL_NEW(arena, uint32_t, miners);
    if (returns == NULL || draws == NULL || tickers == NULL || targets == NULL ||
        w->earned == NULL || w->turnovers == NULL || w->qs_millionths == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t k = 0; k < BENCH_THREADS; k++) {
        double *room = TL_NEW(arena, double, TL_ACCOUNT_LINES(WEEK, UNIVERSE) + 8);
        if (room == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        w->lines[k] = room + (64 - (uintptr_t)room % 64) % 64 / sizeof *room;
    }
    bench_returns(returns, (size_t)BENCH_DAYS * UNIVERSE, 1);
    bench_units(draws, miners * POSITIONS, 2);
    for (size_t i = 0; i < miners * POSITIONS; i++) {
        tickers[i] = (uint32_t)(i % POSITIONS * STRIDE + (size_t)(draws[i] * STRIDE));
    }
    bench_units(draws, weights, 3);
    make_targets(targets, draws, miners);
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
    TL_TRY(tl_pool_new(&w.pool, BENCH_THREADS, ctx));
    out->threads = BENCH_THREADS;
    const tl_err err = bench_time(out, score_all, &w, ctx);
    tl_pool_free(w.pool);
    for (size_t m = 0; m < w.miners; m++) {
        out->figures[0] += w.qs_millionths[m];
    }
    out->figure_count = 1;
    return err;
}
