/* world.c: the weeks, the cast with what the seed gives it, its portfolios, records and stakes. */
#include "app/demo/world.h"
#include "core/crypto/hash/hash.h"
#include "core/num/stats/stats.h"
#include "core/subnet/portfolio/portfolio.h"

#define TICKERS_MIN 15 /* so that a third of them is a portfolio */
#define HISTORY_DAYS                                                                               \
    300            /* closes before the first record, so that every strategy has its look-back */
#define REVEALS 12 /* of the record: all of it was revealed */

/* --- chance --- */

void tl__demo_rng(tl_xoshiro *rng, const tl_demo_world *world, const char *purpose,
                  const char *name, int64_t key)
{
    char text[160];
    const size_t len = tl_str_print(text, sizeof text, "tally/demo/rng/%llu/%s/%s/%lld",
                                    (unsigned long long)world->seed, purpose, name, (long long)key);
    tl_hash32 hash;
    tl_sha256(&hash, text, len);
    uint64_t seed = 0;
    for (size_t i = 0; i < 8; i++) {
        seed |= (uint64_t)hash.b[i] << (8 * i);
    }
    tl_xoshiro_seed(rng, seed);
}

static double chance(const tl_demo_world *world, const char *purpose, const char *name)
{
    tl_xoshiro rng;
    tl__demo_rng(&rng, world, purpose, name, 0);
    return tl_xoshiro_unit(&rng);
}

/* --- weeks --- */

tl_day tl__demo_monday(const tl_demo_world *world, int32_t week)
{
    return world->first_monday + 7 * week;
}

/* The first row that is not before the day. */
static size_t row_from(const tl_price_table *table, tl_day day)
{
    size_t low = 0;
    size_t high = table->day_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (table->days[mid] < day) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

size_t tl__demo_decision_row(const tl_demo_world *world, int32_t week)
{
    const size_t row = row_from(world->table, tl__demo_monday(world, week));
    TL_ASSERT(row > 0); /* WORLD-1; choose_weeks left room before the first record */
    return row - 1;
}

/* The first epoch lies within the last TL_DEMO_WINDOW_WEEKS that leave room for all of them: the seed says where. Whole
 * weeks only: the last one's Friday is in the table. */
static tl_err choose_weeks(tl_demo_world *world, tl_errctx *ctx)
{
    const tl_price_table *t = world->table;
    if (t->ticker_count < TICKERS_MIN || t->day_count == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "%zu tickers and %zu days, at least %d tickers wanted",
                       t->ticker_count, t->day_count, TICKERS_MIN);
    }
    const tl_day end = t->days[t->day_count - 1] - 4;
    const tl_day last_monday = end - tl_day_weekday(end);
    const tl_day latest = last_monday - 7 * ((tl_day)world->epochs - 1);
    const size_t before = HISTORY_DAYS + TL_DEMO_RECORD_DAYS;
    const tl_day earliest = before < t->day_count ? t->days[before] + 7 : latest + 1;
    if (earliest > latest) {
        return tl_fail(ctx, TL_ERR_MISSING,
                       "%zu days are too few: %u epochs want %zu days before the first one",
                       t->day_count, world->epochs, before);
    }
    const uint64_t room = (uint64_t)(latest - earliest) / 7 + 1;
    tl_xoshiro rng;
    tl__demo_rng(&rng, world, "window", "", 0);
    const uint64_t back =
        tl_xoshiro_below(&rng, room < TL_DEMO_WINDOW_WEEKS ? room : TL_DEMO_WINDOW_WEEKS);
    world->first_monday = latest - 7 * (tl_day)back;
    const size_t decision = tl__demo_decision_row(world, 0);
    world->record_weeks = 1;
    while (decision - tl__demo_decision_row(world, -(int32_t)world->record_weeks) <
           TL_DEMO_RECORD_DAYS) {
        world->record_weeks++;
    }
    return TL_OK;
}

/* --- the cast --- */

/* A follower's victim: an honest miner that moves on its own; who holds everything alike is not worth copying. */
static size_t choose_victim(const tl_demo_world *world, const tl_demo_miner *cast, size_t follower)
{
    size_t candidates = 0;
    size_t chosen = 0;
    tl_xoshiro rng;
    tl__demo_rng(&rng, world, "victim", cast[follower].name, 0);
    for (size_t i = 0; i < follower; i++) {
        const bool is_worth_it = cast[i].is_honest && cast[i].house == NULL;
        if (is_worth_it && tl_xoshiro_below(&rng, ++candidates) == 0) {
            chosen = i;
        }
    }
    return chosen;
}

static tl_err fill_cast(tl_demo_world *world, tl_arena *arena, tl_errctx *ctx)
{
    size_t count = 0;
    const tl_demo_miner *cast = tl__demo_cast(&count);
    tl_demo_miner *miners = TL_NEW(arena, tl_demo_miner, count);
    if (miners == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        tl_demo_miner *m = &miners[i];
        *m = cast[i];
        char text[64];
        const size_t len = tl_str_print(text, sizeof text, "tally/demo/miner/%s", m->name);
        tl_hash32 key;
        tl_sha256(&key, text, len);
        for (size_t k = 0; k < sizeof key.b; k++) {
            m->hotkey.b[k] = key.b[k];
        }
        (void)tl_ss58_encode(m->address, &m->hotkey, TL_SS58_PREFIX_GENERIC);
        const int64_t ante_tao = 10 + (int64_t)(40.0 * chance(world, "ante", m->name));
        const int64_t stake_tao =
            (m->is_honest ? 100 : 5) + (int64_t)(400.0 * chance(world, "stake", m->name));
        m->ante = tl_rao_from_i64(ante_tao * TL_RAO_PER_TAO);
        m->stake = tl_rao_from_i64((m->conduct == TL_DEMO_LATE ? 5 : stake_tao) * TL_RAO_PER_TAO);
        m->victim = m->noise > 0.0 ? choose_victim(world, cast, i) : i;
    }
    world->miners = miners;
    world->miner_count = count;
    return TL_OK;
}

static tl_err fill_closes(tl_demo_world *world, tl_arena *arena, tl_errctx *ctx)
{
    const tl_price_table *t = world->table;
    double *closes = TL_NEW(arena, double, t->day_count * t->ticker_count);
    if (closes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < t->day_count * t->ticker_count; i++) {
        closes[i] = t->price[i].digits != 0 ? tl_price_to_f64(t->price[i]) : 0.0;
    }
    world->closes = closes;
    return TL_OK;
}

tl_err tl_demo_world_new(tl_demo_world **out, tl_arena *arena, const tl_price_table *table,
                         uint64_t seed, uint32_t epochs, tl_errctx *ctx)
{
    if (epochs < 1 || epochs > TL_DEMO_EPOCHS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "epochs", "%u is not within 1 to %d", epochs,
                             TL_DEMO_EPOCHS_MAX);
    }
    tl_demo_world *world = TL_NEW(arena, tl_demo_world, 1);
    if (world == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    world->table = table;
    world->seed = seed;
    world->epochs = epochs;
    TL_TRY(choose_weeks(world, ctx));
    TL_TRY(fill_closes(world, arena, ctx));
    TL_TRY(fill_cast(world, arena, ctx));
    *out = world;
    return TL_OK;
}

/* --- portfolios --- */

tl_err tl_demo_portfolios(const uint32_t **out, tl_arena *arena, const tl_demo_world *world,
                          int32_t week, tl_errctx *ctx)
{
    const size_t n = world->table->ticker_count;
    uint32_t *weights = TL_NEW(arena, uint32_t, world->miner_count * n);
    if (weights == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const size_t last = tl__demo_decision_row(world, week);
    const size_t first = last >= TL_DEMO_LOOKBACK_MAX ? last + 1 - TL_DEMO_LOOKBACK_MAX : 0;
    for (size_t i = 0; i < world->miner_count; i++) {
        const tl_demo_miner *m = &world->miners[i];
        const tl_demo_seat seat = {.world = world,
                                   .miner = m,
                                   .week = week,
                                   .closes = world->closes + first * n, /* WORLD-1 */
                                   .day_count = last - first + 1,
                                   .leaked = m->noise > 0.0 ? weights + m->victim * n : NULL};
        TL_ASSERT(m->victim <= i);
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        const tl_err err = m->pick(weights + i * n, &seat, arena, ctx);
        tl_arena_rewind(arena, mark);
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "%s, week %d", m->name, week);
            return err;
        }
    }
    *out = weights;
    return TL_OK;
}

tl_err tl__demo_portfolio(tl_portfolio *out, tl_arena *arena, const tl_demo_world *world,
                          const uint32_t *weights, tl_errctx *ctx)
{
    const tl_price_table *t = world->table;
    tl_position *positions = TL_NEW(arena, tl_position, t->ticker_count);
    if (positions == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < t->ticker_count; i++) {
        if (weights[i] > 0) {
            positions[count++] = (tl_position){t->tickers[i], weights[i]};
        }
    }
    *out = (tl_portfolio){positions, count};
    return TL_OK;
}

/* --- records --- */

static int record_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_carry_miner *)a)->hotkey,
                         &((const tl_carry_miner *)b)->hotkey);
}

/* One week into column k of epochs, which has record_weeks entries a miner. */
static tl_err fill_week(tl_carry_epoch *epochs, uint32_t k, tl_arena *arena,
                        const tl_demo_world *world, tl_errctx *ctx)
{
    const int32_t week = (int32_t)k - (int32_t)world->record_weeks;
    char id[TL_EPOCH_ID_CAP];
    tl_epoch_id_weekly(id, tl__demo_monday(world, week));
    tl_str text = {NULL, 0};
    TL_TRY(tl_str_copy(&text, arena, tl_str_from_cstr(id), ctx));
    const uint32_t *weights = NULL;
    TL_TRY(tl_demo_portfolios(&weights, arena, world, week, ctx));
    for (size_t i = 0; i < world->miner_count; i++) {
        tl_portfolio *body = TL_NEW(arena, tl_portfolio, 1);
        if (body == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        TL_TRY(
            tl__demo_portfolio(body, arena, world, weights + i * world->table->ticker_count, ctx));
        epochs[i * world->record_weeks + k] = (tl_carry_epoch){text, body};
    }
    return TL_OK;
}

static tl_err fill_records(tl_carry_miner *records, tl_arena *arena, const tl_demo_world *world,
                           tl_errctx *ctx)
{
    static const bool reveals[REVEALS] = {true, true, true, true, true, true,
                                          true, true, true, true, true, true};
    const uint32_t weeks = world->record_weeks;
    tl_carry_epoch *epochs = TL_NEW(arena, tl_carry_epoch, world->miner_count * weeks);
    if (epochs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t k = 0; k < weeks; k++) {
        TL_TRY(fill_week(epochs, k, arena, world, ctx));
    }
    for (size_t i = 0; i < world->miner_count; i++) {
        records[i] = (tl_carry_miner){.hotkey = world->miners[i].hotkey,
                                      .reveals = reveals,
                                      .reveal_count = REVEALS,
                                      .epochs = epochs + i * weeks,
                                      .epoch_count = weeks};
    }
    return TL_OK;
}

tl_err tl_demo_records(tl_str *out, tl_arena *arena, const tl_demo_world *world, tl_errctx *ctx)
{
    tl_carry_miner *records = TL_NEW(arena, tl_carry_miner, world->miner_count);
    if (records == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(fill_records(records, arena, world, ctx));
    TL_TRY(tl_sort(records, world->miner_count, sizeof *records, record_cmp, NULL, arena, ctx));
    const tl_carry carry = {records, world->miner_count};
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_carry_put(&w, &tl_subnet_portfolio, &carry);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

/* --- stakes --- */

static int by_address_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_demo_miner *const *x = (const tl_demo_miner *const *)a;
    const tl_demo_miner *const *y = (const tl_demo_miner *const *)b;
    return tl_str_cmp(tl_str_from_cstr((*x)->address), tl_str_from_cstr((*y)->address));
}

tl_err tl_demo_stakes(tl_str *out, tl_arena *arena, const tl_demo_world *world, tl_errctx *ctx)
{
    const tl_demo_miner **sorted = TL_NEW(arena, const tl_demo_miner *, world->miner_count);
    if (sorted == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < world->miner_count; i++) {
        sorted[i] = &world->miners[i];
    }
    TL_TRY(tl_sort(sorted, world->miner_count, sizeof *sorted, by_address_cmp, NULL, arena, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    for (size_t i = 0; i < world->miner_count; i++) {
        tl_json_put_key(&w, sorted[i]->address);
        tl_json_put_i64(&w, tl_rao_to_i64(sorted[i]->stake));
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}
