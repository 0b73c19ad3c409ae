/* window.c: the part of the history that a strategy reads: the look-back, and in it the tickers
 * that have every price, in the order of their texts: the order of a table changes nothing. */
#include "core/subnet/house/house_internal.h"

#include <stdbool.h>

#include "core/num/stats/stats.h"

#define LOOKBACK_DEFAULT 252
#define PRICE_MIN        1e-9 /* so that every ratio and its fourth power are finite */
#define PRICE_MAX        1e15

static double close_at(const tl_house_history *h, size_t ticker, size_t day)
{
    return h->closes[ticker * h->ticker_stride + day * h->day_stride];
}

/* HOUSE-5: tickers are read in the order of their texts, wherever the table has them. */
static int by_ticker(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_str *x = *(const tl_str *const *)a;
    const tl_str *y = *(const tl_str *const *)b;
    return tl_str_cmp(*x, *y);
}

static tl_err check_params(size_t *days, uint32_t *positions_max, const tl_house_history *h,
                           const tl_house_params *params, tl_errctx *ctx)
{
    const uint32_t lookback =
        params != NULL && params->lookback_days != 0 ? params->lookback_days : LOOKBACK_DEFAULT;
    *positions_max = params != NULL && params->positions_max != 0 ? params->positions_max
                                                                  : TL_HOUSE_POSITIONS_MAX;
    if (lookback < TL_HOUSE_DAYS_MIN || lookback > TL_HOUSE_DAYS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "lookback_days", "%u days, not within %d and %d",
                             (unsigned)lookback, TL_HOUSE_DAYS_MIN, TL_HOUSE_DAYS_MAX);
    }
    if (*positions_max < TL_HOUSE_POSITIONS_MIN || *positions_max > TL_HOUSE_POSITIONS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "positions_max",
                             "%u positions, not within %d and %d", (unsigned)*positions_max,
                             TL_HOUSE_POSITIONS_MIN, TL_HOUSE_POSITIONS_MAX);
    }
    if (h->ticker_count > TL_HOUSE_TICKERS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "tickers", "%zu tickers, at most %d",
                             h->ticker_count, TL_HOUSE_TICKERS_MAX);
    }
    if (h->day_count < TL_HOUSE_DAYS_MIN + 1) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "closes", "%zu days of closes, at least %d",
                             h->day_count, TL_HOUSE_DAYS_MIN + 1);
    }
    *days = h->day_count - 1 < lookback ? h->day_count - 1 : lookback;
    return TL_OK;
}

/* Every price of the look-back is looked at, also of tickers that then fall out. */
static tl_err has_prices(bool *out, const tl_house_history *h, size_t ticker, size_t days,
                         tl_errctx *ctx)
{
    bool is_whole = true;
    for (size_t day = h->day_count - 1 - days; day < h->day_count; day++) {
        const double close = close_at(h, ticker, day);
        if (close != 0.0 && !(close >= PRICE_MIN && close <= PRICE_MAX)) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "closes",
                                 "the close of \"%.*s\" on day %zu is neither 0 nor within 1e-9 "
                                 "and 1e15",
                                 TL_STR_ARG(h->tickers[ticker]), day);
        }
        is_whole = is_whole && close > 0.0;
    }
    *out = is_whole;
    return TL_OK;
}

static tl_err select_tickers(tl__window *w, tl_arena *arena, tl_errctx *ctx)
{
    const tl_house_history *h = w->history;
    const tl_str **sorted = TL_NEW(arena, const tl_str *, h->ticker_count);
    w->source = TL_NEW(arena, size_t, h->ticker_count);
    if (sorted == NULL || w->source == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < h->ticker_count; i++) {
        sorted[i] = &h->tickers[i];
    }
    TL_TRY(tl_sort(sorted, h->ticker_count, sizeof(*sorted), by_ticker, NULL, arena, ctx));
    for (size_t i = 0; i < h->ticker_count; i++) {
        if (i > 0 && tl_str_eq(*sorted[i - 1], *sorted[i])) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "tickers", "\"%.*s\" twice",
                                 TL_STR_ARG(*sorted[i]));
        }
        const size_t ticker = (size_t)(sorted[i] - h->tickers);
        bool is_whole;
        TL_TRY(has_prices(&is_whole, h, ticker, w->days, ctx));
        if (is_whole) {
            w->source[w->count++] = ticker;
        }
    }
    if (w->count < TL_HOUSE_POSITIONS_MIN) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "tickers",
                             "%zu tickers with every close of %zu days, at least %d", w->count,
                             w->days + 1, TL_HOUSE_POSITIONS_MIN);
    }
    return TL_OK;
}

tl_err tl__window_read(tl__window *out, const tl_house_history *history,
                       const tl_house_params *params, tl_arena *arena, tl_errctx *ctx)
{
    tl__window w = {.history = history};
    TL_TRY(check_params(&w.days, &w.positions_max, history, params, ctx));
    TL_TRY(select_tickers(&w, arena, ctx));
    w.returns = TL_NEW(arena, double, w.count *w.days);
    w.volatility = TL_NEW(arena, double, w.count);
    if (w.returns == NULL || w.volatility == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const size_t first = history->day_count - 1 - w.days;
    for (size_t i = 0; i < w.count; i++) {
        double *r = w.returns + i * w.days;
        for (size_t t = 0; t < w.days; t++) {
            /* HOUSE-3: only ratios leave this room's window, and a power of two falls out of them exactly. */
            r[t] = close_at(history, w.source[i], first + t + 1) /
                       close_at(history, w.source[i], first + t) -
                   1.0;
        }
        const double volatility = tl_std(r, w.days, 1);
        w.volatility[i] = volatility > TL__VOLATILITY_MIN ? volatility : TL__VOLATILITY_MIN;
    }
    *out = w;
    return TL_OK;
}

double tl__window_close(const tl__window *w, size_t i, size_t back)
{
    TL_ASSERT(back <= w->days); /* HOUSE-2 */
    return close_at(w->history, w->source[i], w->history->day_count - 1 - back);
}

void tl__window_keep(tl__window *w, const size_t *picked, size_t count)
{
    TL_ASSERT(w->covariance == NULL);
    for (size_t k = 0; k < count; k++) {
        const size_t i = picked[k];
        TL_ASSERT(k <= i && i < w->count && (k == 0 || picked[k - 1] < i));
        w->source[k] = w->source[i];
        w->volatility[k] = w->volatility[i];
        for (size_t t = 0; t < w->days; t++) {
            w->returns[k * w->days + t] = w->returns[i * w->days + t];
        }
    }
    w->count = count;
}

typedef struct keyed {
    double key;
    size_t index;
} keyed;

static int by_key(const void *a, const void *b, void *self)
{
    (void)self;
    const keyed *x = (const keyed *)a;
    const keyed *y = (const keyed *)b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->index < y->index ? -1 : 1; /* window order is ticker order */
}

static int by_index(const void *a, const void *b, void *self)
{
    (void)self;
    const size_t x = *(const size_t *)a;
    const size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

tl_err tl__window_lowest(size_t *out, const tl__window *w, const double *keys, size_t k,
                         tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(k <= w->count);
    keyed *all = TL_NEW(scratch, keyed, w->count);
    if (all == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < w->count; i++) {
        all[i] = (keyed){.key = keys[i], .index = i};
    }
    TL_TRY(tl_sort(all, w->count, sizeof(*all), by_key, NULL, scratch, ctx));
    for (size_t i = 0; i < k; i++) {
        out[i] = all[i].index;
    }
    return tl_sort(out, k, sizeof(*out), by_index, NULL, scratch, ctx);
}
