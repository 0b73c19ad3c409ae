/* gamers.c: what those hold who play the rules rather than the market. Each strategy is one that somebody has tried. */
#include "app/demo/world.h"
#include "core/num/stats/stats.h"
#include "core/subnet/house/house.h"

#define WILD_DAYS   60 /* returns by which wildness is measured */
#define STREAK_DAYS 40
#define WEEK_DAYS   5

/* What another committed, each weight changed by up to `noise` of itself. */
tl_err tl__pick_copy(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(seat->leaked != NULL);
    const tl_price_table *table = seat->world->table;
    double *raw = TL_NEW(scratch, double, table->ticker_count);
    if (raw == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    tl_xoshiro rng;
    tl__demo_rng(&rng, seat->world, "noise", seat->miner->name, seat->week);
    for (size_t i = 0; i < table->ticker_count; i++) {
        const double change = seat->miner->noise * (2.0 * tl_xoshiro_unit(&rng) - 1.0);
        raw[i] = (double)seat->leaked[i] * (1.0 + change);
    }
    return tl_house_weights(out, raw, table->tickers, table->ticker_count, TL_HOUSE_POSITIONS_MAX,
                            scratch, ctx);
}

static double return_at(const tl_demo_seat *seat, size_t day, size_t ticker)
{
    const size_t n = seat->world->table->ticker_count;
    const double before = seat->closes[(day - 1) * n + ticker];
    const double now = seat->closes[day * n + ticker];
    return before > 0.0 && now > 0.0 ? now / before - 1.0 : 0.0;
}

static size_t first_day(const tl_demo_seat *seat, size_t days)
{
    return seat->day_count > days ? seat->day_count - days : 1;
}

/* How much a ticker moved: the deviation of its last returns. */
static double wildness(const tl_demo_seat *seat, size_t ticker)
{
    double returns[WILD_DAYS];
    size_t count = 0;
    for (size_t day = first_day(seat, WILD_DAYS); day < seat->day_count; day++) {
        returns[count++] = return_at(seat, day, ticker);
    }
    return tl_std(returns, count, 1);
}

/* A ticker with what it is judged by. */
typedef struct judged {
    double key;
    size_t ticker;
} judged;

static int judged_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const judged *x = (const judged *)a;
    const judged *y = (const judged *)b;
    if (x->key != y->key) {
        return x->key > y->key ? -1 : 1;
    }
    return (x->ticker > y->ticker) - (x->ticker < y->ticker);
}

/* The `count` tickers with the largest keys, all alike. */
static tl_err hold_best(uint32_t *out, const tl_demo_seat *seat, judged *all, size_t count,
                        tl_arena *scratch, tl_errctx *ctx)
{
    const tl_price_table *table = seat->world->table;
    const size_t n = table->ticker_count;
    double *raw = TL_NEW(scratch, double, n);
    if (raw == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    TL_TRY(tl_sort(all, n, sizeof *all, judged_cmp, NULL, scratch, ctx));
    for (size_t i = 0; i < count && i < n; i++) {
        raw[all[i].ticker] = 1.0;
    }
    return tl_house_weights(out, raw, table->tickers, n, TL_HOUSE_POSITIONS_MAX, scratch, ctx);
}

static tl_err hold_by_wildness(uint32_t *out, const tl_demo_seat *seat, double sign,
                               tl_arena *scratch, tl_errctx *ctx)
{
    const size_t n = seat->world->table->ticker_count;
    judged *all = TL_NEW(scratch, judged, n);
    if (all == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = (judged){sign * wildness(seat, i), i};
    }
    return hold_best(out, seat, all, seat->miner->positions_max, scratch, ctx);
}

tl_err tl__pick_wildest(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    return hold_by_wildness(out, seat, 1.0, scratch, ctx);
}

/* Did most tickers fall last week? */
static bool fell_last_week(const tl_demo_seat *seat)
{
    const size_t n = seat->world->table->ticker_count;
    size_t falls = 0;
    for (size_t i = 0; i < n; i++) {
        double week[WEEK_DAYS];
        size_t count = 0;
        for (size_t day = first_day(seat, WEEK_DAYS); day < seat->day_count; day++) {
            week[count++] = return_at(seat, day, i);
        }
        falls += tl_mean(week, count) < 0.0 ? 1U : 0U;
    }
    return 2 * falls > n;
}

tl_err tl__pick_doubling(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    return hold_by_wildness(out, seat, fell_last_week(seat) ? 1.0 : -1.0, scratch, ctx);
}

/* Three groups of tickers without one in common, in turn. */
tl_err tl__pick_churn(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    const tl_price_table *table = seat->world->table;
    const size_t n = table->ticker_count;
    double *raw = TL_NEW(scratch, double, n);
    size_t *order = TL_NEW(scratch, size_t, n);
    if (raw == NULL || order == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    tl_xoshiro rng;
    tl__demo_rng(&rng, seat->world, "groups", seat->miner->name, 0);
    for (size_t i = 0; i < n; i++) {
        const size_t k = (size_t)tl_xoshiro_below(&rng, i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    const int32_t turn = ((seat->week % 3) + 3) % 3;
    const size_t size = n / 3;
    for (size_t i = 0; i < size; i++) {
        raw[order[(size_t)turn * size + i]] = 1.0;
    }
    return tl_house_weights(out, raw, table->tickers, n, TL_HOUSE_POSITIONS_MAX, scratch, ctx);
}

/* By the share of days that rose; among equals by how little they moved. */
tl_err tl__pick_streak(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    const size_t n = seat->world->table->ticker_count;
    judged *all = TL_NEW(scratch, judged, n);
    if (all == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        const double wild = wildness(seat, i);
        size_t rises = 0;
        for (size_t day = first_day(seat, STREAK_DAYS); day < seat->day_count; day++) {
            rises += return_at(seat, day, i) > 0.0 ? 1U : 0U;
        }
        all[i] = (judged){(double)rises - (wild < 0.9 ? wild : 0.9), i};
    }
    return hold_best(out, seat, all, seat->miner->positions_max, scratch, ctx);
}
