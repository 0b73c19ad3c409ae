/* prices.c: price tables from CSV, and evidence from price tables. */
#include "app/assemble/assemble.h"
#include "base/decimal/decimal.h"
#include "core/codec/csv/csv.h"
#include "core/num/stats/stats.h"

#define DAYS_MAX     20000
#define SCALE_MAX    18
#define FILL_ROWS    2 /* a price may be filled from two trading days back */
#define DIGITS_LIMIT ((uint64_t)1 << 62)

double tl_price_to_f64(tl_price price)
{
    return tl_f64_from_decimal(price.digits, price.exponent);
}

/* --- reading --- */

typedef struct column {
    tl_str ticker;
    size_t index; /* in the file */
} column;

static int column_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_str_cmp(((const column *)a)->ticker, ((const column *)b)->ticker);
}

static tl_err read_columns(column **out, tl_arena *arena, const tl_csv *csv, tl_errctx *ctx)
{
    if (csv->column_count < 2) {
        return tl_fail(ctx, TL_ERR_MISSING, "a price table needs a date column and one ticker");
    }
    const size_t count = csv->column_count - 1;
    column *columns = TL_NEW(arena, column, count);
    if (columns == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t k = 0; k < count; k++) {
        TL_TRY(tl_str_copy(&columns[k].ticker, arena, tl_csv_name(csv, k + 1), ctx));
        columns[k].index = k + 1;
    }
    TL_TRY(tl_sort(columns, count, sizeof *columns, column_cmp, NULL, arena, ctx));
    *out = columns;
    return TL_OK;
}

static tl_err read_cell(tl_price *out, const tl_csv *csv, size_t index, tl_errctx *ctx)
{
    if (tl_csv_field(csv, index).len == 0) {
        *out = (tl_price){0, 0};
        return TL_OK;
    }
    double value = 0.0;
    TL_TRY(tl_csv_f64(&value, csv, index, ctx));
    if (!(value > 0.0)) {
        const tl_err err = tl_fail(ctx, TL_ERR_RANGE, "price %.*s is not above 0",
                                   TL_STR_ARG(tl_csv_field(csv, index)));
        tl_csv_at(csv, index, ctx);
        return err;
    }
    bool is_negative = false;
    tl_f64_shortest(&out->digits, &out->exponent, &is_negative, value);
    return TL_OK;
}

static tl_err read_day(tl_day *out, const tl_csv *csv, const tl_day *before, tl_errctx *ctx)
{
    tl_err err = tl_day_parse(out, tl_csv_field(csv, 0), ctx);
    if (err == TL_OK && before != NULL && *out <= *before) {
        err = tl_fail(ctx, TL_ERR_RANGE, "date %.*s does not follow the one before it",
                      TL_STR_ARG(tl_csv_field(csv, 0)));
    }
    if (err != TL_OK) {
        tl_csv_at(csv, 0, ctx);
    }
    return err;
}

static size_t line_count(tl_str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == '\n' ? 1U : 0U;
    }
    return count;
}

tl_err tl_price_table_read(tl_price_table *out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    tl_csv csv;
    TL_TRY(tl_csv_init(&csv, arena, text, NULL, ctx));
    column *columns = NULL;
    TL_TRY(read_columns(&columns, arena, &csv, ctx));
    const size_t ticker_count = csv.column_count - 1;
    const size_t row_cap = line_count(text);
    tl_str *tickers = TL_NEW(arena, tl_str, ticker_count);
    tl_day *days = TL_NEW(arena, tl_day, row_cap);
    tl_price *price = (tl_price *)tl_arena_alloc(arena, row_cap, ticker_count * sizeof *price,
                                                 _Alignof(tl_price));
    if (tickers == NULL || days == NULL || price == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t k = 0; k < ticker_count; k++) {
        tickers[k] = columns[k].ticker;
    }
    size_t rows = 0;
    for (;; rows++) {
        bool has_row = false;
        TL_TRY(tl_csv_next(&csv, &has_row, ctx));
        if (!has_row) {
            break;
        }
        if (rows == DAYS_MAX) {
            return tl_fail(ctx, TL_ERR_LIMIT, "more than %d days", DAYS_MAX);
        }
        TL_TRY(read_day(&days[rows], &csv, rows > 0 ? &days[rows - 1] : NULL, ctx));
        for (size_t k = 0; k < ticker_count; k++) {
            TL_TRY(read_cell(&price[rows * ticker_count + k], &csv, columns[k].index, ctx));
        }
    }
    *out = (tl_price_table){days, rows, tickers, ticker_count, price};
    return TL_OK;
}

/* --- evidence --- */

static tl_price cell(const tl_price_table *t, size_t day, size_t ticker)
{
    return t->price[day * t->ticker_count + ticker];
}

/* digits · 10^(exponent + scale) as an integer, or false when it does not fit. */
static bool scaled(uint64_t *out, tl_price price, int32_t scale)
{
    uint64_t value = price.digits;
    for (int32_t e = price.exponent + scale; e > 0; e--) {
        if (value >= DIGITS_LIMIT / 10) {
            return false;
        }
        value *= 10;
    }
    *out = value;
    return true;
}

/* ASM-2: the least scale at which every price of the column is an integer; less where an integer would not fit in 63
 * bits: then places beyond it are rounded half up, far below what a double can hold of the largest price. */
static int32_t column_scale(const tl_price_table *t, size_t from, size_t to, size_t ticker)
{
    int32_t scale = 0;
    for (size_t d = from; d < to; d++) {
        const tl_price p = cell(t, d, ticker);
        scale = p.digits != 0 && -p.exponent > scale ? -p.exponent : scale;
    }
    scale = scale > SCALE_MAX ? SCALE_MAX : scale;
    for (size_t d = from; d < to; d++) {
        uint64_t value;
        while (scale > 0 && !scaled(&value, cell(t, d, ticker), scale)) {
            scale--;
        }
    }
    return scale;
}

static tl_err put_price(tl_json_writer *w, tl_price price, int32_t scale, tl_errctx *ctx)
{
    if (price.digits == 0) {
        tl_json_put_null(w);
        return TL_OK;
    }
    uint64_t value = price.digits;
    if (!scaled(&value, price, scale)) {
        return tl_fail(ctx, TL_ERR_RANGE, "a price is above 4·10^18");
    }
    for (int32_t e = price.exponent + scale; e < 0; e++) {
        value = e == -1 ? (value + 5) / 10 : value / 10;
    }
    if (value == 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "a price is too small beside the others of its column");
    }
    tl_json_put_u64(w, value);
    return TL_OK;
}

static tl_err put_feed(tl_json_writer *w, const tl_price_table *t, size_t from, size_t to,
                       tl_arena *arena, tl_errctx *ctx)
{
    int32_t *scales = TL_NEW(arena, int32_t, t->ticker_count);
    if (scales == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_json_put_object(w);
    tl_json_put_key(w, "prices");
    tl_json_put_array(w);
    for (size_t k = 0; k < t->ticker_count; k++) {
        scales[k] = column_scale(t, from, to, k);
        tl_json_put_array(w);
        for (size_t d = from; d < to; d++) {
            TL_TRY(put_price(w, cell(t, d, k), scales[k], ctx));
        }
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "scales");
    tl_json_put_array(w);
    for (size_t k = 0; k < t->ticker_count; k++) {
        tl_json_put_i64(w, scales[k]);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
    return TL_OK;
}

static int view_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_validator_view *)a)->hotkey,
                         &((const tl_validator_view *)b)->hotkey);
}

static tl_err put_views(tl_json_writer *w, const tl_validator_view *views, size_t count,
                        tl_arena *arena, tl_errctx *ctx)
{
    tl_validator_view *sorted = TL_NEW(arena, tl_validator_view, count);
    if (sorted == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = views[i];
    }
    TL_TRY(tl_sort(sorted, count, sizeof *sorted, view_cmp, NULL, arena, ctx)); /* ASM-1 */
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        char address[TL_SS58_CAP];
        (void)tl_ss58_encode(address, &sorted[i].hotkey, TL_SS58_PREFIX_GENERIC);
        tl_json_put_object(w);
        tl_json_put_key(w, "feed");
        if (sorted[i].has_feed) {
            tl_json_put_u64(w, sorted[i].feed);
        } else {
            tl_json_put_null(w);
        }
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, address);
        tl_json_put_key(w, "row");
        tl_json_put_raw(w, sorted[i].row.len > 0 ? sorted[i].row : TL_STR("null"));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    return TL_OK;
}

/* ROAD 4/8 evidence: what each validator saw of the world is written down, before anything is scored. Comes from price
 * tables, goes on to core/subnet/portfolio through core/epoch/road. From here on nobody looks at the world again. */
tl_err tl_assemble_evidence(tl_str *out, tl_arena *arena, const tl_price_table *const *tables,
                            size_t table_count, size_t from, size_t to,
                            const tl_validator_view *views, size_t view_count, tl_errctx *ctx)
{
    TL_ASSERT(table_count > 0 && from <= to && to <= tables[0]->day_count);
    const tl_price_table *t = tables[0];
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "dates");
    tl_json_put_array(&w);
    for (size_t d = from; d < to; d++) {
        char text[TL_DAY_TEXT_CAP];
        tl_day_print(text, t->days[d]);
        tl_json_put_cstr(&w, text);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "feeds");
    tl_json_put_array(&w);
    for (size_t i = 0; i < table_count; i++) {
        TL_ASSERT(tables[i]->day_count == t->day_count &&
                  tables[i]->ticker_count == t->ticker_count);
        TL_TRY(put_feed(&w, tables[i], from, to, arena, ctx));
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "tickers");
    tl_json_put_array(&w);
    for (size_t k = 0; k < t->ticker_count; k++) {
        tl_json_put_str(&w, t->tickers[k]);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "validators");
    TL_TRY(put_views(&w, views, view_count, arena, ctx));
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

static size_t first_row_from(const tl_price_table *table, tl_day day)
{
    size_t row = 0;
    while (row < table->day_count && table->days[row] < day) {
        row++;
    }
    return row;
}

tl_err tl_assemble_rows(size_t *from, size_t *to, const tl_price_table *table, tl_day first,
                        tl_epoch_span settled, tl_str epoch_id, tl_errctx *ctx)
{
    const size_t begin = first_row_from(table, first);
    const size_t end = first_row_from(table, settled.last + 1);
    const size_t epoch_begin = first_row_from(table, settled.first);
    if (epoch_begin >= end || end < 2) {
        const tl_err err =
            tl_fail(ctx, TL_ERR_MISSING, "no price of epoch %.*s with a close before it",
                    TL_STR_ARG(epoch_id));
        tl_errctx_hint(ctx, "the price table must reach from before the epoch into it");
        return err;
    }
    const size_t back = FILL_ROWS + 1;
    *from = begin > back ? begin - back : 0;
    *to = end;
    return TL_OK;
}
