/* honest.c: what those hold who mean it: the house's strategies, and people who pick stocks. */
#include "app/demo/world.h"
#include "core/subnet/house/house.h"

tl_err tl__pick_house(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    const tl_house_strategy *strategy = tl_house_find(tl_str_from_cstr(seat->miner->house));
    TL_ASSERT(strategy != NULL);
    const tl_price_table *table = seat->world->table;
    const tl_house_history history = {.tickers = table->tickers,
                                      .closes = seat->closes,
                                      .ticker_count = table->ticker_count,
                                      .day_count = seat->day_count,
                                      .ticker_stride = 1,
                                      .day_stride = table->ticker_count};
    const tl_house_params params = {.lookback_days = seat->miner->lookback_days,
                                    .positions_max = seat->miner->positions_max,
                                    .volatility_target = seat->miner->volatility_target};
    return strategy->signal(out, &history, &params, scratch, ctx);
}

/* Some tickers, each as likely, with weights from 1 to 3 before they are scaled. */
static tl_err pick_some(uint32_t *out, const tl_demo_seat *seat, const char *purpose, int64_t key,
                        tl_arena *scratch, tl_errctx *ctx)
{
    const tl_price_table *table = seat->world->table;
    const size_t n = table->ticker_count;
    const double *last = seat->closes + (seat->day_count - 1) * n;
    double *raw = TL_NEW(scratch, double, n);
    if (raw == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    tl_xoshiro rng;
    tl__demo_rng(&rng, seat->world, purpose, seat->miner->name, key);
    size_t wanted = seat->miner->positions_max;
    size_t left = n;
    for (size_t i = 0; i < n;
         i++, left--) { /* each subset of that size is as likely as any other */
        const bool is_in = tl_xoshiro_below(&rng, left) < wanted;
        const double weight = 1.0 + 2.0 * tl_xoshiro_unit(&rng);
        wanted -= is_in ? 1U : 0U;
        raw[i] = is_in && last[i] > 0.0 ? weight : 0.0;
    }
    return tl_house_weights(out, raw, table->tickers, n, TL_HOUSE_POSITIONS_MAX, scratch, ctx);
}

/* Rounded down, so that weeks before the first epoch fall into blocks as those after it do. */
static int64_t block_of(int32_t week, int32_t weeks, int32_t offset)
{
    const int32_t shifted = week + offset;
    return shifted >= 0 ? shifted / weeks : -((-shifted + weeks - 1) / weeks);
}

/* Keeps a choice for a quarter or so; no two change in the same week. */
tl_err tl__pick_patient(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    tl_xoshiro rng;
    tl__demo_rng(&rng, seat->world, "patience", seat->miner->name, 0);
    const int32_t weeks = 9 + (int32_t)tl_xoshiro_below(&rng, 8);
    const int32_t offset = (int32_t)tl_xoshiro_below(&rng, 16);
    return pick_some(out, seat, "choice", block_of(seat->week, weeks, offset), scratch, ctx);
}

/* Changes its mind every other week. */
tl_err tl__pick_restless(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch, tl_errctx *ctx)
{
    return pick_some(out, seat, "choice", block_of(seat->week, 2, 0), scratch, ctx);
}
