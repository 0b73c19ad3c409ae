/* subnet.c: the table, and the world in which an epoch's portfolios are scored. */
#include "core/subnet/portfolio/copies.h"
#include "core/subnet/portfolio/portfolio_internal.h"

#include "core/num/stats/stats.h"

#define HISTORY_EPOCHS 12

static const char *const rule_names[TL_RULE_COUNT] = {
#define TL_PORTFOLIO_RULE_ROW(name, text) text,
    TL_PORTFOLIO_RULE_MAP(TL_PORTFOLIO_RULE_ROW)
#undef TL_PORTFOLIO_RULE_ROW
};

/* --- open: what is carried and what was seen --- */

/* The rows of the price table that an epoch's weights earn: false when it has none, or no close stands before it. */
static bool span_rows(size_t *first, size_t *last, const tl__prices *prices, tl_epoch_span span)
{
    size_t from = tl__prices_day_at(prices, span.first);
    const size_t end = tl__prices_day_at(prices, span.last + 1);
    from = from == 0 ? 1 : from;
    if (from >= end) {
        return false;
    }
    *first = from;
    *last = end - 1;
    return true;
}

static tl_err read_holdings(tl__past *past, tl_arena *arena, const tl_json *epochs,
                            const tl__prices *prices, tl_errctx *ctx)
{
    tl__holding *holdings = TL_NEW(arena, tl__holding, epochs->count);
    if (holdings == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    tl_day after = INT32_MIN;
    for (uint32_t i = 0; i < epochs->count; i++) {
        tl_str id = {NULL, 0};
        tl_epoch_span span = {0, 0};
        const tl_json *positions = NULL;
        tl_err err = tl_json_want_str(&id, &epochs->items[i], "epoch_id", ctx);
        err = err != TL_OK ? err : tl_epoch_span_parse(&span, id, ctx);
        err = err != TL_OK
                  ? err
                  : tl_json_want(&positions, &epochs->items[i], "positions", TL_JSON_ARRAY, ctx);
        const tl_portfolio *portfolio = NULL;
        err = err != TL_OK ? err : tl__decode_positions(&portfolio, arena, positions, ctx);
        if (err == TL_OK && span.first <= after) {
            err = tl_fail(ctx, TL_ERR_RANGE, "epoch %.*s does not follow the one before it",
                          TL_STR_ARG(id));
        }
        if (err == TL_OK && portfolio->count > TL_PORTFOLIO_POSITIONS_MAX) {
            err = tl_fail_field(ctx, TL_ERR_RANGE, "positions", "%zu positions, above %d",
                                portfolio->count, TL_PORTFOLIO_POSITIONS_MAX);
        }
        for (size_t k = 0; err == TL_OK && k < portfolio->count; k++) {
            if (tl__prices_find(prices, portfolio->positions[k].ticker) == prices->ticker_count) {
                err =
                    tl_fail_field(ctx, TL_ERR_UNKNOWN, "positions", "no prices of \"%.*s\"",
                                  TL_STR_ARG(tl_str_slice(portfolio->positions[k].ticker, 0, 40)));
            }
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "epochs[%u]", i);
            return err;
        }
        after = span.last;
        if (span_rows(&holdings[count].first, &holdings[count].last, prices, span)) {
            holdings[count++].portfolio = portfolio;
        }
    }
    past->holdings = holdings;
    past->holding_count = count;
    return TL_OK;
}

static tl_err read_past(tl__past *out, tl_arena *arena, const tl_json *item,
                        const tl__prices *prices, tl_errctx *ctx)
{
    tl_str hotkey = {NULL, 0};
    TL_TRY(tl_json_want_str(&hotkey, item, "hotkey", ctx));
    TL_TRY(tl_ss58_decode(&out->hotkey, hotkey, ctx));
    const tl_json *reveals = NULL;
    TL_TRY(tl_json_want(&reveals, item, "reveals", TL_JSON_ARRAY, ctx));
    for (uint32_t i = 0; i < reveals->count; i++) {
        bool is_valid = false;
        TL_TRY(tl_json_as_bool(&is_valid, &reveals->items[i], "reveals", ctx));
        if (reveals->count - i <= HISTORY_EPOCHS) {
            out->epochs++;
            out->reveals += is_valid ? 1U : 0U;
        }
    }
    const tl_json *epochs = NULL;
    TL_TRY(tl_json_want(&epochs, item, "epochs", TL_JSON_ARRAY, ctx));
    return read_holdings(out, arena, epochs, prices, ctx);
}

static tl_err read_pasts(tl__world *world, tl_arena *arena, const tl_json *inputs, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, inputs, "records", TL_JSON_ARRAY, ctx));
    tl__past *pasts = TL_NEW(arena, tl__past, list->count);
    if (pasts == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_err err = read_past(&pasts[i], arena, &list->items[i], &world->prices, ctx);
        if (err == TL_OK && i > 0 && tl_hotkey_cmp(&pasts[i - 1].hotkey, &pasts[i].hotkey) >= 0) {
            err = tl_fail_field(ctx, TL_ERR_RANGE, "hotkey", "records are not in order of hotkeys");
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "records[%u]", i);
            return err;
        }
    }
    world->pasts = pasts;
    world->past_count = list->count;
    return TL_OK;
}

static tl_err open_world(void **out, tl_arena *arena, const tl_subnet_task *task, tl_errctx *ctx)
{
    tl__world *world = TL_NEW(arena, tl__world, 1);
    if (world == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    world->epoch_id = task->epoch_id;
    world->span = task->span;
    TL_TRY(tl__params_read(&world->params, task->parameters, ctx));
    TL_TRY(tl__prices_read(&world->prices, arena, task->evidence, ctx));
    if (!span_rows(&world->first_day, &world->last_day, &world->prices, task->span)) {
        tl_err err = tl_fail_field(ctx, TL_ERR_MISSING, "dates",
                                   "no trading day of epoch %.*s with a close before it",
                                   TL_STR_ARG(task->epoch_id));
        tl_errctx_hint(ctx, "the price table must reach from before the epoch into it");
        return err;
    }
    TL_TRY(read_pasts(world, arena, task->inputs, ctx));
    const tl_json *stakes = tl_json_get(task->inputs, "stakes_rao");
    world->stakes = stakes != NULL && stakes->kind == TL_JSON_OBJECT ? stakes : NULL;
    *out = world;
    return TL_OK;
}

const tl__past *tl__past_of(const tl__world *world, const tl_hotkey *hotkey)
{
    size_t low = 0;
    size_t high = world->past_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = tl_hotkey_cmp(&world->pasts[mid].hotkey, hotkey);
        if (order == 0) {
            return &world->pasts[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

static size_t feed_count(const void *world)
{
    return ((const tl__world *)world)->prices.feed_count;
}

/* --- check: section 1, in its order: count, tickers, weights, sum --- */

static bool is_ticker(tl_str text)
{
    bool is_upper = text.len >= 1 && text.len <= 5;
    for (size_t i = 0; is_upper && i < text.len; i++) {
        is_upper = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    }
    return is_upper;
}

static const char *check(const void *opened, const tl_submission *submission)
{
    const tl__world *world = (const tl__world *)opened;
    const tl_portfolio *p = (const tl_portfolio *)submission->body;
    if (p->count < TL_PORTFOLIO_POSITIONS_MIN || p->count > TL_PORTFOLIO_POSITIONS_MAX) {
        return "E004";
    }
    for (size_t i = 0; i < p->count; i++) { /* sorted: equal tickers stand side by side */
        const tl_str ticker = p->positions[i].ticker;
        if (!is_ticker(ticker) ||
            tl__prices_find(&world->prices, ticker) == world->prices.ticker_count ||
            (i > 0 && tl_str_eq(p->positions[i - 1].ticker, ticker))) {
            return "E001";
        }
    }
    int64_t sum = 0;
    int64_t gross = 0;
    for (size_t i = 0; i < p->count; i++) {
        const int64_t w = p->positions[i].weight_millionths;
        const bool is_long = w > 0 && w <= TL_PORTFOLIO_WEIGHT_MAX;
        const bool is_short = world->params.allow_short && w < 0 && w >= -TL_PORTFOLIO_WEIGHT_MAX;
        if (!is_long && !is_short) {
            return "E002";
        }
        sum += w;
        gross += w > 0 ? w : -w;
    }
    const int64_t off = sum - TL_PORTFOLIO_WEIGHT_SUM;
    const bool fits = off <= TL_PORTFOLIO_WEIGHT_SUM_TOLERANCE &&
                      off >= -TL_PORTFOLIO_WEIGHT_SUM_TOLERANCE && gross <= TL_PORTFOLIO_GROSS_MAX;
    return fits ? NULL : "E003";
}

/* --- score --- */

/* A peer's record: what it held before, and this epoch's signal. */
static tl_err build_peer(tl__peer *peer, tl_arena *arena, const tl__world *world, size_t feed,
                         const double *universe, const tl_submission *submission, tl_errctx *ctx)
{
    *peer =
        (tl__peer){.submission = submission, .portfolio = (const tl_portfolio *)submission->body};
    peer->past = tl__past_of(world, &submission->hotkey);
    const size_t before = peer->past != NULL ? peer->past->holding_count : 0;
    tl__holding *holdings = TL_NEW(arena, tl__holding, before + 1);
    if (holdings == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < before; i++) {
        holdings[i] = peer->past->holdings[i];
    }
    if (before > 0 && holdings[before - 1].last >= world->first_day) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "records", "a record reaches into epoch %.*s",
                             TL_STR_ARG(world->epoch_id));
    }
    holdings[before] = (tl__holding){world->first_day, world->last_day, peer->portfolio};
    TL_TRY(tl__record_build(&peer->record, arena, &world->prices, feed, holdings, before + 1, ctx));
    peer->turnover_per_week = tl__record_turnover(&peer->record);
    peer->active = TL_NEW(arena, double, peer->record.count);
    if (peer->active == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < peer->record.count; i++) {
        peer->active[i] = peer->record.returns[i] - universe[peer->record.day[i]];
    }
    return TL_OK;
}

/* What explain needs of a score. */
typedef struct detail {
    tl_portfolio_score score;
    const double *returns;
    size_t count;
    double turnover_per_week;
} detail;

static tl_err score_peer(tl_score *out, const tl__peer *peer, const tl__world *world,
                         tl_arena *arena, tl_errctx *ctx)
{
    detail *d = TL_NEW(arena, detail, 1);
    tl_flag *flags = TL_NEW(arena, tl_flag, peer->flag_count);
    if (d == NULL || flags == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < peer->flag_count; i++) {
        flags[i] = peer->flags[i];
    }
    const tl__record *r = &peer->record;
    tl_portfolio_score_record(&d->score, r->returns, r->count, peer->turnover_per_week, flags,
                              peer->flag_count, &world->params.score);
    d->returns = r->returns;
    d->count = r->count;
    d->turnover_per_week = peer->turnover_per_week;
    *out = (tl_score){.qs_millionths = d->score.qs_millionths,
                      .max_drawdown_millionths = d->score.max_drawdown_millionths,
                      .days = d->score.days,
                      .is_disqualified = d->score.status == TL_STATUS_DISQUALIFIED,
                      .flags = flags,
                      .flag_count = peer->flag_count,
                      .detail = d};
    return TL_OK;
}

/* ROAD 5/8 score: evidence and submissions become a scoreboard. Comes from core/epoch/road/road.c, goes on to
 * core/consensus/join. Nothing here looks at the world: what it needs was recorded at 4/8. */
static tl_err score(tl_scoreboard *out, tl_arena *arena, void *opened, size_t feed,
                    const tl_submission *const *peers, size_t peer_count, tl_errctx *ctx)
{
    const tl__world *world = (const tl__world *)opened;
    TL_ASSERT(feed < world->prices.feed_count);
    tl__peer *all = TL_NEW(arena, tl__peer, peer_count);
    tl_score *scores = TL_NEW(arena, tl_score, peer_count);
    if (all == NULL || scores == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const double *universe = NULL;
    TL_TRY(tl__universe_returns(&universe, arena, &world->prices, feed, ctx));
    for (size_t i = 0; i < peer_count; i++) {
        TL_TRY(build_peer(&all[i], arena, world, feed, universe, peers[i], ctx));
    }
    /* Peers come by commit height and hotkey, so arrival plays no part (PORT-4). */
    TL_TRY(tl__copies_find(all, peer_count, &world->prices, arena, ctx));
    TL_TRY(tl__flags_raise(all, peer_count, world, arena, ctx));
    for (size_t i = 0; i < peer_count; i++) {
        TL_TRY(score_peer(&scores[i], &all[i], world, arena, ctx));
    }
    *out = (tl_scoreboard){scores, peer_count}; /* SUB-1 */
    return TL_OK;
}

static tl_err explain(tl_json_writer *w, const void *opened, const tl_submission *peer,
                      const tl_score *score, tl_arena *scratch, tl_errctx *ctx)
{
    const tl__world *world = (const tl__world *)opened;
    const detail *d = (const detail *)score->detail;
    tl_portfolio_confidence c = {0};
    TL_TRY(tl_portfolio_bootstrap(&c, scratch, d->returns, d->count, d->turnover_per_week,
                                  &d->score, world->params.bootstrap_resamples,
                                  tl_portfolio_bootstrap_seed(world->epoch_id, &peer->hotkey),
                                  &world->params.score, ctx));
    tl_json_put_object(w);
    tl_json_put_key(w, "bootstrap");
    tl_json_put_object(w);
    tl_json_put_key(w, "ars");
    tl_json_put_f64(w, c.ars);
    tl_json_put_key(w, "high");
    tl_json_put_f64(w, c.high);
    tl_json_put_key(w, "low");
    tl_json_put_f64(w, c.low);
    tl_json_put_key(w, "needs_review");
    tl_json_put_bool(w, c.needs_review);
    tl_json_put_end(w);
    tl_portfolio_put_score(w, &d->score);
    tl_json_put_key(w, "turnover_per_week");
    tl_json_put_f64(w, d->turnover_per_week);
    tl_json_put_end(w);
    return TL_OK;
}

const tl_subnet tl_subnet_portfolio = {
    .name = "portfolio",
    .version = 1,
    .commit_domain = "tally/portfolio/commit/1",
    .rules = rule_names,
    .rule_count = TL_RULE_COUNT,
    .decode = tl__decode,
    .encode = tl__encode,
    .params = tl__params_put,
    .open = open_world,
    .check = check,
    .score = score,
    .explain = explain,
    .feed_count = feed_count,
};
