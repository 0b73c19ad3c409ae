/* evidence.c: recorded price tables (station 4's result) back into doubles.
 *
 *   { "dates":   ["2024-01-02", …]            ascending: one calendar for all validators
 *     "feeds":   [ { "prices": [[…], …],      a list a ticker, an integer a date, or null where there was no price
 *                    "scales": [3, …] } ]     price = integer · 10^-scale, exactly what the table's text said
 *     "tickers": ["AAPL", …] }                ascending: the universe
 *
 * A price is kept as an integer because evidence is hashed, voted on and argued about: its text is then one text.
 * Dividing by a power of ten rounds once, so the double is the one nearest to the decimal (base/decimal). */
#include "base/decimal/decimal.h"
#include "core/subnet/portfolio/portfolio_internal.h"

static tl_err read_days(tl__prices *out, tl_arena *arena, const tl_json *evidence, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, evidence, "dates", TL_JSON_ARRAY, ctx));
    if (list->count > TL__DAYS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "dates", "%u days, above %d", list->count,
                             TL__DAYS_MAX);
    }
    tl_day *days = TL_NEW(arena, tl_day, list->count);
    if (days == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_str text = {NULL, 0};
        tl_err err = tl_json_as_str(&text, &list->items[i], "", ctx);
        if (err == TL_OK) {
            err = tl_day_parse(&days[i], text, ctx);
        }
        if (err == TL_OK && i > 0 && days[i] <= days[i - 1]) {
            err = tl_fail(ctx, TL_ERR_RANGE, "%.*s does not follow the date before it",
                          TL_STR_ARG(text));
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "dates[%u]", i);
            return err;
        }
    }
    out->days = days;
    out->day_count = list->count;
    return TL_OK;
}

static tl_err read_tickers(tl__prices *out, tl_arena *arena, const tl_json *evidence,
                           tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, evidence, "tickers", TL_JSON_ARRAY, ctx));
    if (list->count > TL__TICKERS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "tickers", "%u tickers, above %d", list->count,
                             TL__TICKERS_MAX);
    }
    tl_str *tickers = TL_NEW(arena, tl_str, list->count);
    if (tickers == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_err err = tl_json_as_str(&tickers[i], &list->items[i], "", ctx);
        if (err == TL_OK && i > 0 && tl_str_cmp(tickers[i - 1], tickers[i]) >= 0) {
            err = tl_fail(ctx, TL_ERR_RANGE, "\"%.*s\" does not follow the ticker before it",
                          TL_STR_ARG(tl_str_slice(tickers[i], 0, 40)));
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "tickers[%u]", i);
            return err;
        }
    }
    out->tickers = tickers;
    out->ticker_count = list->count;
    return TL_OK;
}

/* One ticker's prices into its column; 0 stands for null, since a price is above 0. */
static tl_err read_column(double *price, size_t stride, const tl_json *column, size_t day_count,
                          uint64_t scale, tl_errctx *ctx)
{
    if (column->kind != TL_JSON_ARRAY || column->count != day_count) {
        return tl_fail(ctx, TL_ERR_RANGE, "is no list of %zu prices, one a date", day_count);
    }
    for (uint32_t i = 0; i < column->count; i++) {
        const tl_json *cell = &column->items[i];
        if (cell->kind == TL_JSON_NULL) {
            continue;
        }
        int64_t digits = 0;
        tl_err err = tl_json_as_i64(&digits, cell, "", ctx);
        if (err == TL_OK && digits <= 0) {
            err = tl_fail(ctx, TL_ERR_RANGE, "price %lld is not above 0", (long long)digits);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "[%u]", i);
            return err;
        }
        price[i * stride] = tl_f64_from_decimal((uint64_t)digits, -(int32_t)scale);
    }
    return TL_OK;
}

static tl_err read_feed(const double **out, const tl__prices *p, tl_arena *arena,
                        const tl_json *feed, tl_errctx *ctx)
{
    const tl_json *columns = NULL;
    const tl_json *scales = NULL;
    TL_TRY(tl_json_want(&columns, feed, "prices", TL_JSON_ARRAY, ctx));
    TL_TRY(tl_json_want(&scales, feed, "scales", TL_JSON_ARRAY, ctx));
    if (columns->count != p->ticker_count || scales->count != p->ticker_count) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "prices",
                             "%u columns and %u scales for %zu tickers", columns->count,
                             scales->count, p->ticker_count);
    }
    double *price = (double *)tl_arena_alloc(arena, p->day_count * p->ticker_count, sizeof *price,
                                             _Alignof(double));
    if (price == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t k = 0; k < columns->count; k++) {
        uint64_t scale = 0;
        tl_err err = tl_json_as_u64(&scale, &scales->items[k], "", ctx);
        if (err == TL_OK && scale > TL__SCALE_MAX) {
            err = tl_fail(ctx, TL_ERR_RANGE, "%llu, above %d", (unsigned long long)scale,
                          TL__SCALE_MAX);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "scales[%u]", k);
            return err;
        }
        err = read_column(price + k, p->ticker_count, &columns->items[k], p->day_count, scale, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "prices[%u]", k);
            return err;
        }
    }
    *out = price;
    return TL_OK;
}

tl_err tl__prices_read(tl__prices *out, tl_arena *arena, const tl_json *evidence, tl_errctx *ctx)
{
    *out = (tl__prices){0};
    TL_TRY(read_days(out, arena, evidence, ctx));
    TL_TRY(read_tickers(out, arena, evidence, ctx));
    const tl_json *feeds = NULL;
    TL_TRY(tl_json_want(&feeds, evidence, "feeds", TL_JSON_ARRAY, ctx));
    if (feeds->count == 0 || feeds->count > TL__FEEDS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "feeds", "%u price tables, not 1 to %d",
                             feeds->count, TL__FEEDS_MAX);
    }
    const double **price = TL_NEW(arena, const double *, feeds->count);
    if (price == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < feeds->count; i++) {
        const tl_err err = read_feed(&price[i], out, arena, &feeds->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "feeds[%u]", i);
            return err;
        }
    }
    out->price = price;
    out->feed_count = feeds->count;
    return TL_OK;
}

size_t tl__prices_find(const tl__prices *prices, tl_str ticker)
{
    size_t low = 0;
    size_t high = prices->ticker_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (tl_str_cmp(prices->tickers[mid], ticker) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    const bool is_there = low < prices->ticker_count && tl_str_eq(prices->tickers[low], ticker);
    return is_there ? low : prices->ticker_count;
}

size_t tl__prices_day_at(const tl__prices *prices, tl_day day)
{
    size_t low = 0;
    size_t high = prices->day_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (prices->days[mid] < day) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}
