/* table.c: a table of zipcodes from CSV, and the model of what it does not say. */
#include <string.h>

#include "core/codec/csv/csv.h"
#include "core/crypto/hash/hash.h"
#include "core/epoch/calendar/calendar.h"
#include "core/listings/place/place_internal.h"
#include "core/num/stats/stats.h"

#define CELL_E4    2500 /* a quarter of a degree */
#define CELL_MAX   40   /* codes of a cell that count */
#define E4         10000
#define FIGURE_MAX UINT64_C(1000000000)
#define NO_COLUMN  SIZE_MAX

enum {
    C_ZIPCODE,
    C_CITY,
    C_STATE,
    C_COUNTY,
    C_LATITUDE,
    C_LONGITUDE,
    C_EXPECTED,
    C_POPULATION,
    C_PROPERTIES,
    C_TIER,
    C_REGION,
    C_UPDATED,
    C_COUNT
};

static const struct {
    const char *name;
    const char *other; /* a second name, or NULL */
    bool is_required;
} columns[C_COUNT] = {
    [C_ZIPCODE] = {"zipcode", "zip", true},
    [C_CITY] = {"city", NULL, true},
    [C_STATE] = {"state", NULL, true},
    [C_COUNTY] = {"county", NULL, true},
    [C_LATITUDE] = {"latitude", "lat", true},
    [C_LONGITUDE] = {"longitude", "lng", true},
    [C_EXPECTED] = {"expected_listings", "expected", false},
    [C_POPULATION] = {"population", NULL, false},
    [C_PROPERTIES] = {"property_count", NULL, false},
    [C_TIER] = {"market_tier", "tier", false},
    [C_REGION] = {"geographic_region", "region", false},
    [C_UPDATED] = {"data_updated", NULL, false},
};

/* One row: the place, and which of its figures the table itself gave. */
typedef struct row {
    tl_place place;
    int64_t updated_ms;
    bool has[C_COUNT];
    bool is_kept;
} row;

typedef struct reader {
    tl_csv csv;
    tl_arena *arena;
    size_t column[C_COUNT];
    row *rows;
    size_t count;
    size_t cap;
} reader;

bool tl_zipcode_is_valid(tl_str text)
{
    if (text.len != 5) {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

/* --- fields --- */

static tl_err find_columns(reader *r, tl_errctx *ctx)
{
    for (size_t c = 0; c < C_COUNT; c++) {
        r->column[c] = NO_COLUMN;
        const bool is_found =
            tl_csv_column(&r->column[c], &r->csv, columns[c].name, NULL) == TL_OK ||
            (columns[c].other != NULL &&
             tl_csv_column(&r->column[c], &r->csv, columns[c].other, NULL) == TL_OK);
        if (!is_found && columns[c].is_required) {
            return tl_csv_column(&r->column[c], &r->csv, columns[c].name, ctx);
        }
    }
    return TL_OK;
}

static tl_str field_of(const reader *r, size_t c)
{
    return r->column[c] == NO_COLUMN ? (tl_str){NULL, 0} : tl_csv_field(&r->csv, r->column[c]);
}

static tl_err fail_at(const reader *r, size_t c, tl_err code, tl_errctx *ctx)
{
    const tl_str text = tl_str_slice(field_of(r, c), 0, 40);
    const tl_err err =
        tl_fail(ctx, code, "%s \"%.*s\" cannot be read", columns[c].name, TL_STR_ARG(text));
    tl_csv_at(&r->csv, r->column[c], ctx);
    return err;
}

static tl_err read_text(tl_str *out, const reader *r, size_t c, tl_errctx *ctx)
{
    const tl_str text = field_of(r, c);
    if (text.len > TL_PLACE_TEXT_MAX || !tl_str_is_utf8(text)) {
        return fail_at(r, c, TL_ERR_LIMIT, ctx);
    }
    return tl_str_copy(out, r->arena, text, ctx); /* a quoted field dies with its row */
}

/* Degrees in ten-thousandths, exact up to four places, the fifth rounded half away from zero. */
static bool parse_e4(int32_t *out, tl_str text, int32_t limit_degrees)
{
    const bool is_negative = text.len > 0 && text.ptr[0] == '-';
    const tl_str rest = is_negative ? tl_str_slice(text, 1, text.len) : text;
    int64_t value = 0;
    size_t places = 0;
    size_t digits = 0;
    bool has_point = false;
    for (size_t i = 0; i < rest.len; i++) {
        const char c = rest.ptr[i];
        if (c == '.' && !has_point && digits > 0) {
            has_point = true;
            continue;
        }
        if (c < '0' || c > '9' || digits > 24) {
            return false;
        }
        digits++;
        places += has_point ? 1 : 0;
        if (places <= 4) {
            value = value * 10 + (c - '0');
        } else if (places == 5 && c >= '5') {
            value++;
        }
        if (value > (int64_t)1000 * E4) {
            return false;
        }
    }
    for (; places < 4; places++) {
        value *= 10;
    }
    if (digits == 0 || value > (int64_t)limit_degrees * E4) {
        return false;
    }
    *out = (int32_t)(is_negative ? -value : value);
    return true;
}

static tl_err read_figure(uint64_t *out, bool *has, const reader *r, size_t c, uint64_t max,
                          tl_errctx *ctx)
{
    const tl_str text = field_of(r, c);
    *has = text.len > 0;
    if (*has && (!tl_str_parse_u64(out, text) || *out > max)) {
        return fail_at(r, c, TL_ERR_RANGE, ctx);
    }
    return TL_OK;
}

static tl_err read_names(row *out, const reader *r, tl_errctx *ctx)
{
    const tl_str tier = field_of(r, C_TIER);
    out->has[C_TIER] = tier.len > 0;
    if (tier.len > 0 && !tl_market_tier_parse(&out->place.tier, tier)) {
        return fail_at(r, C_TIER, TL_ERR_UNKNOWN, ctx);
    }
    const tl_str region = field_of(r, C_REGION);
    out->has[C_REGION] = region.len > 0;
    if (region.len > 0 && !tl_region_parse(&out->place.region, region)) {
        return fail_at(r, C_REGION, TL_ERR_UNKNOWN, ctx);
    }
    const tl_str updated = field_of(r, C_UPDATED);
    out->updated_ms = TL_PLACE_UNDATED;
    if (updated.len > 0) {
        tl_day day = 0;
        if (tl_day_parse(&day, updated, NULL) != TL_OK) {
            return fail_at(r, C_UPDATED, TL_ERR_SYNTAX, ctx);
        }
        out->updated_ms = (int64_t)day * TL_DAY_MS;
    }
    return TL_OK;
}

static tl_err read_row(row *out, reader *r, tl_errctx *ctx)
{
    *out = (row){.updated_ms = TL_PLACE_UNDATED};
    tl_place *p = &out->place;
    const tl_str code = field_of(r, C_ZIPCODE);
    if (!tl_zipcode_is_valid(code)) {
        return fail_at(r, C_ZIPCODE, TL_ERR_SYNTAX, ctx);
    }
    memcpy(p->zipcode, code.ptr, 5);
    TL_TRY(read_text(&p->city, r, C_CITY, ctx));
    TL_TRY(read_text(&p->county, r, C_COUNTY, ctx));
    const tl_str state = field_of(r, C_STATE);
    p->state = tl_state_code(state);
    if (state.len > 0 && p->state.len == 0) {
        return fail_at(r, C_STATE, TL_ERR_UNKNOWN, ctx);
    }
    if (!parse_e4(&p->latitude_e4, field_of(r, C_LATITUDE), 90)) {
        return fail_at(r, C_LATITUDE, TL_ERR_SYNTAX, ctx);
    }
    if (!parse_e4(&p->longitude_e4, field_of(r, C_LONGITUDE), 180)) {
        return fail_at(r, C_LONGITUDE, TL_ERR_SYNTAX, ctx);
    }
    uint64_t expected = 0;
    TL_TRY(
        read_figure(&expected, &out->has[C_EXPECTED], r, C_EXPECTED, TL_PLACE_EXPECTED_MAX, ctx));
    p->expected = (uint32_t)expected;
    TL_TRY(read_figure(&p->population, &out->has[C_POPULATION], r, C_POPULATION, FIGURE_MAX, ctx));
    TL_TRY(
        read_figure(&p->property_count, &out->has[C_PROPERTIES], r, C_PROPERTIES, FIGURE_MAX, ctx));
    return read_names(out, r, ctx);
}

static tl_err add_row(reader *r, tl_errctx *ctx)
{
    if (r->count == TL_PLACES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %zu zipcodes", TL_PLACES_MAX);
    }
    if (r->count == r->cap) {
        const size_t cap = r->cap == 0 ? 1024 : r->cap * 2;
        row *wider = TL_NEW(r->arena, row, cap);
        if (wider == NULL) {
            return tl_arena_fail(r->arena, ctx);
        }
        if (r->count > 0) {
            memcpy(wider, r->rows, r->count * sizeof *wider);
        }
        r->rows = wider;
        r->cap = cap;
    }
    TL_TRY(read_row(&r->rows[r->count], r, ctx));
    r->count++;
    return TL_OK;
}

/* --- the model --- */

static int by_code_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return memcmp(((const row *)a)->place.zipcode, ((const row *)b)->place.zipcode, 5);
}

static int by_point_cmp(const void *a, const void *b, void *self)
{
    const row *rows = (const row *)self;
    const tl_place *x = &rows[*(const uint32_t *)a].place;
    const tl_place *y = &rows[*(const uint32_t *)b].place;
    if (x->latitude_e4 != y->latitude_e4) {
        return x->latitude_e4 < y->latitude_e4 ? -1 : 1;
    }
    if (x->longitude_e4 != y->longitude_e4) {
        return x->longitude_e4 < y->longitude_e4 ? -1 : 1;
    }
    return memcmp(x->zipcode, y->zipcode, 5);
}

static int32_t cell_of(int32_t e4)
{
    return e4 >= 0 ? e4 / CELL_E4 : -((-e4 + CELL_E4 - 1) / CELL_E4); /* floor */
}

static bool is_same_cell(const tl_place *a, const tl_place *b)
{
    return cell_of(a->latitude_e4) == cell_of(b->latitude_e4) &&
           cell_of(a->longitude_e4) == cell_of(b->longitude_e4);
}

static int by_cell_cmp(const void *a, const void *b, void *self)
{
    const row *rows = (const row *)self;
    const tl_place *x = &rows[*(const uint32_t *)a].place;
    const tl_place *y = &rows[*(const uint32_t *)b].place;
    const int32_t dy = cell_of(x->latitude_e4) - cell_of(y->latitude_e4);
    const int32_t dx = cell_of(x->longitude_e4) - cell_of(y->longitude_e4);
    if (dy != 0 || dx != 0) {
        return dy != 0 ? dy : dx;
    }
    return memcmp(x->zipcode, y->zipcode, 5);
}

static void apply_model(row *r, uint32_t n)
{
    tl_sha256_state hash;
    tl_hash32 digest;
    tl_sha256_init(&hash);
    tl_sha256_update(&hash, "tally-expected/1:", 17);
    tl_sha256_update(&hash, r->place.zipcode, 5);
    tl_sha256_final(&hash, &digest);
    const uint32_t s = (uint32_t)digest.b[0] << 8 | digest.b[1];
    tl_place *p = &r->place;
    if (!r->has[C_EXPECTED]) {
        p->expected = (uint32_t)((uint64_t)(50 + 11 * n) * (32768 + s) / 65536);
    }
    if (!r->has[C_TIER]) {
        p->tier = n >= 25 ? TL_TIER_PREMIUM : n >= 10 ? TL_TIER_STANDARD : TL_TIER_EMERGING;
    }
}

/* order: rows that are kept, by cell. */
static void model_cells(row *rows, const uint32_t *order, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && is_same_cell(&rows[order[i]].place, &rows[order[end]].place)) {
            end++;
        }
        const size_t n = end - i < CELL_MAX ? end - i : CELL_MAX;
        for (; i < end; i++) {
            apply_model(&rows[order[i]], (uint32_t)n);
        }
    }
}

static void finish_row(row *r)
{
    tl_place *p = &r->place;
    if (!r->has[C_REGION]) {
        p->region = tl_state_region(p->state);
    }
    if (!r->has[C_POPULATION]) {
        p->population = (uint64_t)p->expected * 100;
    }
    if (!r->has[C_PROPERTIES]) {
        p->property_count = (uint64_t)p->expected * 40;
    }
}

static tl_err model(reader *r, tl_errctx *ctx)
{
    uint32_t *order = TL_NEW(r->arena, uint32_t, r->count);
    if (order == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    size_t stated = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (r->rows[i].place.state.len > 0) {
            order[stated++] = (uint32_t)i;
        }
    }
    TL_TRY(tl_sort(order, stated, sizeof *order, by_point_cmp, r->rows, r->arena, ctx));
    size_t kept = 0;
    for (size_t i = 0; i < stated; i++) { /* of equal coordinates the lowest code */
        const tl_place *p = &r->rows[order[i]].place;
        const tl_place *before = kept > 0 ? &r->rows[order[kept - 1]].place : NULL;
        if (before == NULL || before->latitude_e4 != p->latitude_e4 ||
            before->longitude_e4 != p->longitude_e4) {
            order[kept++] = order[i];
        }
    }
    TL_TRY(tl_sort(order, kept, sizeof *order, by_cell_cmp, r->rows, r->arena, ctx));
    model_cells(r->rows, order, kept);
    for (size_t i = 0; i < r->count; i++) {
        finish_row(&r->rows[i]);
    }
    return TL_OK;
}

/* --- the whole --- */

static tl_err sort_rows(reader *r, tl_errctx *ctx)
{
    TL_TRY(tl_sort(r->rows, r->count, sizeof *r->rows, by_code_cmp, NULL, r->arena, ctx));
    for (size_t i = 1; i < r->count; i++) { /* PLACE-1, PLACE-3 */
        if (by_code_cmp(&r->rows[i - 1], &r->rows[i], NULL) == 0) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "zipcode %s stands twice",
                           r->rows[i].place.zipcode);
        }
    }
    return TL_OK;
}

tl_err tl_places_read(tl_places *out, tl_arena *arena, tl_str csv, tl_errctx *ctx)
{
    reader r = {.arena = arena};
    TL_TRY(tl_csv_init(&r.csv, arena, csv, NULL, ctx));
    TL_TRY(find_columns(&r, ctx));
    for (;;) {
        bool has_row = false;
        TL_TRY(tl_csv_next(&r.csv, &has_row, ctx));
        if (!has_row) {
            break;
        }
        TL_TRY(add_row(&r, ctx));
    }
    TL_TRY(sort_rows(&r, ctx));
    TL_TRY(model(&r, ctx));
    tl_place *items = TL_NEW(arena, tl_place, r.count);
    int64_t *updated = TL_NEW(arena, int64_t, r.count);
    if (items == NULL || updated == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < r.count; i++) {
        items[i] = r.rows[i].place;
        updated[i] = r.rows[i].updated_ms;
    }
    *out = (tl_places){items, updated, r.count};
    return TL_OK;
}

const tl_place *tl_place_find(const tl_places *places, tl_str zipcode)
{
    size_t low = 0;
    size_t high = zipcode.len == 5 ? places->count : 0;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = memcmp(places->items[mid].zipcode, zipcode.ptr, 5);
        if (order == 0) {
            return &places->items[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}
