/* table.c: anyone's table becomes houses. Where core/codec/csv refuses what is not by the letter, this reader must take what
 * people publish: a row that is broken is skipped and counted, and reading goes on behind it. */
#include <string.h>

#include "app/evaluate/evaluate_internal.h"
#include "core/num/stats/stats.h"

/* The rules' own limits (listings spec section 6): what is outside is no sale of a home that a miner could bring. */
#define PRICE_CENTS_MIN INT64_C(1000000)
#define PRICE_CENTS_MAX INT64_C(5000000000)
#define FIELD_LEN_MAX   ((size_t)4096)

#define NONE SIZE_MAX

typedef struct reader {
    tl_arena *arena;
    tl_str text;
    size_t at;
    uint32_t line;
    char separator;
    tl_str *fields; /* of the row */
    size_t field_count;
    bool is_broken; /* an unclosed quote, a NUL, too many fields, not UTF-8 */
    tl_str *header;
    size_t column_count;
    size_t columns[TL_EVALUATE_COLUMN_COUNT]; /* NONE: there is none */
} reader;

/* --- rows --- */

static void put_field(reader *r, tl_str field)
{
    if (r->field_count == TL_EVALUATE_COLUMNS_MAX || field.len > FIELD_LEN_MAX) {
        r->is_broken = true;
        return;
    }
    r->fields[r->field_count++] = field;
}

/* The text between quotes, from behind the first one; two quotes are one. */
static tl_err read_quoted(reader *r, tl_errctx *ctx)
{
    const size_t begin = r->at;
    size_t end = begin;
    size_t doubled = 0;
    for (;; end++) {
        if (end == r->text.len || end - begin > FIELD_LEN_MAX) {
            r->is_broken = true; /* an apostrophe, not a quote: give the line up, not the file */
            r->at = begin;
            return TL_OK;
        }
        if (r->text.ptr[end] == '"') {
            if (end + 1 == r->text.len || r->text.ptr[end + 1] != '"') {
                break;
            }
            doubled++;
            end++;
        }
    }
    for (size_t i = begin; i < end; i++) {
        r->line += r->text.ptr[i] == '\n';
    }
    r->at = end + 1;
    if (doubled == 0) {
        put_field(r, tl_str_slice(r->text, begin, end));
        return TL_OK;
    }
    char *plain = tl_arena_alloc(r->arena, end - begin - doubled, 1, 1);
    if (plain == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    size_t len = 0;
    for (size_t i = begin; i < end; i++) {
        plain[len++] = r->text.ptr[i];
        i += r->text.ptr[i] == '"';
    }
    put_field(r, (tl_str){plain, len});
    return TL_OK;
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* The next row that is not empty; false at the end of the text. */
static tl_err read_row(reader *r, bool *has_row, tl_errctx *ctx)
{
    r->field_count = 0;
    r->is_broken = false;
    while (r->at < r->text.len && is_line_end(r->text.ptr[r->at])) {
        r->line += r->text.ptr[r->at++] == '\n';
    }
    *has_row = r->at < r->text.len;
    bool is_more = *has_row;
    while (is_more) {
        if (r->at < r->text.len && r->text.ptr[r->at] == '"') {
            r->at++;
            TL_TRY(read_quoted(r, ctx));
        }
        const size_t begin = r->at;
        while (r->at < r->text.len && r->text.ptr[r->at] != r->separator &&
               !is_line_end(r->text.ptr[r->at])) {
            r->is_broken = r->is_broken || r->text.ptr[r->at] == '\0';
            r->at++;
        }
        const bool was_quoted = begin > 0 && r->text.ptr[begin - 1] == '"';
        if (!was_quoted) {
            put_field(r, tl_str_slice(r->text, begin, r->at));
        } else if (r->at > begin) {
            r->is_broken = true; /* text behind a closing quote */
        }
        is_more = r->at < r->text.len && r->text.ptr[r->at] == r->separator;
        r->at += is_more;
    }
    for (size_t i = 0; i < r->field_count && !r->is_broken; i++) {
        r->is_broken = !tl_str_is_utf8(r->fields[i]);
    }
    return TL_OK;
}

/* --- columns --- */

static char find_separator(tl_str text)
{
    size_t counts[3] = {0};
    static const char candidates[3] = {',', ';', '\t'};
    for (size_t i = 0; i < text.len && !is_line_end(text.ptr[i]); i++) {
        for (size_t c = 0; c < 3; c++) {
            counts[c] += text.ptr[i] == candidates[c];
        }
    }
    size_t best = 0;
    for (size_t c = 1; c < 3; c++) {
        best = counts[c] > counts[best] ? c : best;
    }
    return candidates[best];
}

static tl_err read_header(reader *r, tl_errctx *ctx)
{
    bool has_row;
    if (tl_str_starts_with(r->text, TL_STR("\xef\xbb\xbf"))) {
        r->at = 3;
    }
    r->separator = find_separator(r->text);
    TL_TRY(read_row(r, &has_row, ctx));
    if (!has_row || r->is_broken) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "header", "the table has no readable header");
    }
    r->column_count = r->field_count;
    r->header = TL_NEW(r->arena, tl_str, r->field_count);
    if (r->header == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    for (size_t i = 0; i < r->field_count; i++) {
        r->header[i] = tl_str_trim(r->fields[i]);
    }
    return TL_OK;
}

static tl_err map_one(reader *r, tl_str pair, tl_errctx *ctx)
{
    tl_str rest = pair;
    tl_str field;
    tl_evaluate_column column;
    (void)tl_str_split(&field, &rest, '=');
    if (rest.ptr == NULL) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "map", "\"%.*s\" is not of the form field=column",
                             TL_STR_ARG(pair));
    }
    if (!tl__column_of(&column, field)) {
        tl_err err = tl_fail_field(ctx, TL_ERR_UNKNOWN, "map", "there is no field \"%.*s\"",
                                   TL_STR_ARG(field));
        tl_errctx_hint(ctx, "fields are price, zipcode, address, bedrooms, bathrooms, sqft, "
                            "listing_date, property_type, city, state, latitude, longitude, id …");
        return err;
    }
    r->columns[column] = NONE;
    rest = tl_str_trim(rest);
    for (size_t i = 0; i < r->column_count && rest.len != 0; i++) {
        if (tl_str_eq(r->header[i], rest)) {
            r->columns[column] = i;
            return TL_OK;
        }
    }
    return rest.len == 0 ? TL_OK
                         : tl_fail_field(ctx, TL_ERR_MISSING, "map",
                                         "the table has no column \"%.*s\"", TL_STR_ARG(rest));
}

static tl_err find_columns(reader *r, const char *const *maps, size_t map_count, tl_errctx *ctx)
{
    for (unsigned c = 0; c < TL_EVALUATE_COLUMN_COUNT; c++) {
        size_t best = NONE;
        r->columns[c] = NONE;
        for (size_t i = 0; i < r->column_count; i++) {
            const size_t rank = tl__column_rank((tl_evaluate_column)c, r->header[i]);
            if (rank < best) {
                best = rank;
                r->columns[c] = i;
            }
        }
    }
    for (size_t m = 0; m < map_count; m++) {
        tl_str rest = tl_str_from_cstr(maps[m]);
        tl_str pair;
        while (tl_str_split(&pair, &rest, ',')) {
            if (tl_str_trim(pair).len != 0) {
                TL_TRY(map_one(r, tl_str_trim(pair), ctx));
            }
        }
    }
    if (r->columns[TL_EVALUATE_PRICE] == NONE) {
        tl_err err =
            tl_fail_field(ctx, TL_ERR_MISSING, "price", "the table has no column of prices");
        tl_errctx_hint(ctx, "name it: --map price=COLUMN");
        return err;
    }
    if (r->columns[TL_EVALUATE_ZIPCODE] == NONE && r->columns[TL_EVALUATE_ADDRESS] == NONE) {
        tl_err err = tl_fail_field(ctx, TL_ERR_MISSING, "zipcode",
                                   "the table has neither zipcodes nor addresses");
        tl_errctx_hint(ctx, "name the column: --map zipcode=COLUMN");
        return err;
    }
    return TL_OK;
}

/* --- houses --- */

static tl_str text_of(const reader *r, tl_evaluate_column column)
{
    const size_t at = r->columns[column];
    return at == NONE ? (tl_str){NULL, 0} : tl__cell_text(r->fields[at]);
}

static int64_t hundredths_of(const reader *r, tl_evaluate_column column)
{
    int64_t value = -1;
    const tl_str text = text_of(r, column);
    if (text.len != 0 && tl__cell_hundredths(&value, text) && value < 0) {
        value = -1;
    }
    return value;
}

/* False: the row says no price or no zipcode. */
static bool read_house(tl_evaluate_house *out, const reader *r)
{
    memset(out, 0, sizeof *out);
    out->line = r->line;
    out->address = text_of(r, TL_EVALUATE_ADDRESS);
    if (r->is_broken || r->field_count != r->column_count) {
        return false;
    }
    out->price_cents = hundredths_of(r, TL_EVALUATE_PRICE);
    if (out->price_cents < PRICE_CENTS_MIN || out->price_cents > PRICE_CENTS_MAX) {
        return false;
    }
    if (!tl__cell_zipcode(out->zipcode, text_of(r, TL_EVALUATE_ZIPCODE)) &&
        !tl__cell_address_zipcode(out->zipcode, out->address)) {
        return false;
    }
    out->id = text_of(r, TL_EVALUATE_ID);
    out->city = text_of(r, TL_EVALUATE_CITY);
    out->state = text_of(r, TL_EVALUATE_STATE);
    out->type = text_of(r, TL_EVALUATE_TYPE);
    out->status = text_of(r, TL_EVALUATE_STATUS);
    out->mls_id = text_of(r, TL_EVALUATE_MLS_ID);
    out->url = text_of(r, TL_EVALUATE_URL);
    out->zpid = text_of(r, TL_EVALUATE_ZPID);
    out->bedrooms_hundredths = hundredths_of(r, TL_EVALUATE_BEDROOMS);
    out->bathrooms_hundredths = hundredths_of(r, TL_EVALUATE_BATHROOMS);
    out->sqft_hundredths = hundredths_of(r, TL_EVALUATE_SQFT);
    const int64_t days = hundredths_of(r, TL_EVALUATE_DAYS);
    out->days_on_market = days < 0 ? -1 : days / 100;
    out->listed_day = INT64_MIN;
    (void)tl__cell_day(&out->listed_day, text_of(r, TL_EVALUATE_DATE));
    out->has_position =
        tl__cell_degrees(&out->latitude_e6, text_of(r, TL_EVALUATE_LATITUDE), 90) &&
        tl__cell_degrees(&out->longitude_e6, text_of(r, TL_EVALUATE_LONGITUDE), 180);
    return true;
}

static int compare_zipcode(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_evaluate_house *one = a;
    const tl_evaluate_house *other = b;
    return memcmp(one->zipcode, other->zipcode, sizeof one->zipcode);
}

static tl_err read_houses(reader *r, tl_evaluate_table *out, tl_errctx *ctx)
{
    tl_vec houses;
    tl_vec_init(&houses, r->arena, sizeof(tl_evaluate_house));
    for (bool has_row;;) {
        TL_TRY(read_row(r, &has_row, ctx));
        if (!has_row) {
            break;
        }
        tl_evaluate_house house;
        if (!read_house(&house, r)) {
            out->skipped++;
            continue;
        }
        if (houses.count == TL_EVALUATE_ROWS_MAX) {
            return tl_fail(ctx, TL_ERR_LIMIT, "more than %zu rows", TL_EVALUATE_ROWS_MAX);
        }
        tl_evaluate_house *slot = tl_vec_push(&houses);
        if (slot == NULL) {
            return tl_arena_fail(r->arena, ctx);
        }
        *slot = house;
    }
    out->houses = houses.items;
    out->count = houses.count;
    out->rows = houses.count;
    return tl_sort(out->houses, out->count, sizeof *out->houses, compare_zipcode, NULL, r->arena,
                   ctx);
}

tl_err tl_evaluate_table_read(tl_evaluate_table *out, tl_arena *arena, tl_str csv,
                              const char *const *maps, size_t map_count, tl_errctx *ctx)
{
    reader r = {.arena = arena, .text = csv, .line = 1};
    tl_evaluate_table table = {0};
    r.fields = TL_NEW(arena, tl_str, TL_EVALUATE_COLUMNS_MAX);
    if (r.fields == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(read_header(&r, ctx));
    TL_TRY(find_columns(&r, maps, map_count, ctx));
    TL_TRY(read_houses(&r, &table, ctx));
    for (unsigned c = 0; c < TL_EVALUATE_COLUMN_COUNT; c++) {
        if (r.columns[c] != NONE) {
            table.names[c] = r.header[r.columns[c]];
        }
    }
    *out = table;
    return TL_OK;
}
