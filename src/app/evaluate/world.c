/* world.c: the table as zipcodes of houses: each house once, nothing missing, everything missing made up from id and zipcode,
 * and where the zipcode lies. */
#include <string.h>

#include "app/evaluate/evaluate_internal.h"
#include "core/crypto/twox/twox.h"
#include "core/listings/record/record.h"
#include "core/num/fmath/fmath.h"
#include "core/num/stats/stats.h"

#define EPOCH_MS (INT64_C(4) * 3600 * 1000)

/* --- what is made up --- */

uint64_t tl__hash_of(const tl_evaluate_house *house, const char *what)
{
    char text[128];
    uint8_t digest[8];
    const tl_str id = tl_str_slice(house->id, 0, 64);
    const size_t len =
        tl_str_print(text, sizeof text, "%s:%s:%.*s", what, house->zipcode, TL_STR_ARG(id));
    tl_twox64(digest, text, len);
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof digest; i++) {
        hash = hash << 8 | digest[i];
    }
    return hash;
}

int64_t tl__price_before(const tl_evaluate_house *house)
{
    const uint64_t hash = tl__hash_of(house, "before");
    const int64_t thousandths = 5 + (int64_t)(hash % 47); /* 0.5 … 5.1 % */
    const int64_t change = house->price_cents / 1000 * thousandths;
    return hash >> 63 != 0 ? house->price_cents + change : house->price_cents - change;
}

static tl_err print_text(tl_str *out, tl_arena *arena, tl_errctx *ctx, const char *text)
{
    return tl_str_copy(out, arena, tl_str_from_cstr(text), ctx);
}

static tl_err make_address(tl_evaluate_house *h, tl_arena *arena, tl_errctx *ctx)
{
    static const char *const streets[] = {"Alder",     "Birchwood", "Cedarcrest", "Dogwood",
                                          "Elmhurst",  "Fairview",  "Garrison",   "Highland",
                                          "Ironwood",  "Juniper",   "Kenwood",    "Lakeshore",
                                          "Maplewood", "Northgate", "Orchard",    "Pinecrest"};
    static const char *const ways[] = {"St", "Ave", "Dr", "Ln", "Ct", "Pl", "Rd", "Blvd"};
    static const char *const quarters[] = {"", "N ", "S ", "E ", "W ", "NE ", "SW ", "SE "};
    char text[160];
    const uint64_t hash = tl__hash_of(h, "address");
    tl_str_print(text, sizeof text, "%u %s%s %s", (unsigned)(100 + hash % 9900),
                 quarters[hash >> 16 & 7], streets[hash >> 24 & 15], ways[hash >> 32 & 7]);
    return print_text(&h->address, arena, ctx, text);
}

/* Ids that tell two houses apart, and nothing else. */
static tl_err make_ids(tl_evaluate_house *h, tl_arena *arena, tl_errctx *ctx)
{
    char text[160];
    const uint64_t hash = tl__hash_of(h, "ids");
    if (h->mls_id.len == 0) {
        tl_str_print(text, sizeof text, "M%s%010llu", h->zipcode,
                     (unsigned long long)(hash % UINT64_C(10000000000)));
        TL_TRY(print_text(&h->mls_id, arena, ctx, text));
        h->made_up |= UINT32_C(1) << TL_EVALUATE_MLS_ID;
    }
    if (h->url.len == 0) {
        tl_str_print(text, sizeof text, "https://homes.example/%s/%016llx", h->zipcode,
                     (unsigned long long)hash);
        TL_TRY(print_text(&h->url, arena, ctx, text));
        h->made_up |= UINT32_C(1) << TL_EVALUATE_URL;
    }
    return TL_OK;
}

/* ratios: price per area, in cents a square foot, of a zipcode's houses that tell their area, by type. */
typedef struct ratios {
    double *all;
    size_t count;
    size_t begin[TL_PROPERTY_OTHER + 2];
} ratios;

#define TYPE_ENOUGH 8

/* A ratio that another house here has, of the same type where there are some: so what is made up has the spread of what is
 * real, and neither stands out beside the other. */
static double ratio_for(const tl_evaluate_house *h, const ratios *known, uint64_t hash)
{
    const tl_property_type type = tl_record_property_type(h->type);
    const size_t begin = known->begin[type];
    const size_t of_type = known->begin[type + 1] - begin;
    if (known->count == 0) {
        return 20000.0 * (0.8 + (double)(hash & 1023) / 2560.0); /* $160 to $240 a square foot */
    }
    return of_type >= TYPE_ENOUGH ? known->all[begin + hash % of_type]
                                  : known->all[hash % known->count];
}

static void make_figures(tl_evaluate_house *h, int64_t last_day, const ratios *known)
{
    const uint64_t hash = tl__hash_of(h, "figures");
    if (h->bedrooms_hundredths < 0) {
        h->bedrooms_hundredths = 100 * (1 + (int64_t)(hash % 5));
        h->made_up |= UINT32_C(1) << TL_EVALUATE_BEDROOMS;
    }
    if (h->bathrooms_hundredths < 0) {
        h->bathrooms_hundredths = 50 * (2 + (int64_t)(hash >> 8 & 3));
        h->made_up |= UINT32_C(1) << TL_EVALUATE_BATHROOMS;
    }
    if (h->sqft_hundredths < 0) {
        const double feet = (double)h->price_cents / ratio_for(h, known, tl__hash_of(h, "area"));
        const double within = feet < 100.0 ? 100.0 : feet > 100000.0 ? 100000.0 : feet;
        h->sqft_hundredths = (int64_t)within * 100;
        h->made_up |= UINT32_C(1) << TL_EVALUATE_SQFT;
    }
    if (h->listed_day == INT64_MIN) {
        h->listed_day = last_day - (int64_t)(hash >> 32) % 300;
        h->made_up |= UINT32_C(1) << TL_EVALUATE_DATE;
    }
    if (h->days_on_market < 0) {
        h->days_on_market = 1 + (int64_t)(hash >> 48) % 120;
        h->made_up |= UINT32_C(1) << TL_EVALUATE_DAYS;
    }
}

static tl_err make_up(tl_evaluate_house *h, tl_arena *arena, int64_t last_day, const ratios *known,
                      tl_errctx *ctx)
{
    if (h->address.len == 0) {
        TL_TRY(make_address(h, arena, ctx));
        h->made_up |= UINT32_C(1) << TL_EVALUATE_ADDRESS;
    }
    TL_TRY(make_ids(h, arena, ctx));
    make_figures(h, last_day, known);
    if (h->type.len == 0) {
        h->type = TL_STR("SINGLE_FAMILY");
        h->made_up |= UINT32_C(1) << TL_EVALUATE_TYPE;
    }
    if (h->status.len == 0) {
        h->status = TL_STR("FOR_SALE");
        h->made_up |= UINT32_C(1) << TL_EVALUATE_STATUS;
    }
    return TL_OK;
}

/* --- cells that are there and say nothing --- */

static bool is_out(int64_t value, int64_t least, int64_t most)
{
    return value >= 0 && (value < least || value > most);
}

/* An area of 0 is none. And where a column is outside the rules' limits in more than one cell of fifty, its cells out there
 * are in another unit, or mean something else: they count as empty. One house of 33 bedrooms stays what it is. */
static void drop_strange_cells(tl_evaluate_table *table)
{
    size_t strange[3] = {0};
    for (size_t i = 0; i < table->count; i++) {
        tl_evaluate_house *h = &table->houses[i];
        h->sqft_hundredths = h->sqft_hundredths == 0 ? -1 : h->sqft_hundredths;
        strange[0] += is_out(h->bedrooms_hundredths, 0, 2000);
        strange[1] += is_out(h->bathrooms_hundredths, 0, 2000);
        strange[2] += is_out(h->sqft_hundredths, 10000, 10000000);
    }
    for (size_t i = 0; i < table->count; i++) {
        tl_evaluate_house *h = &table->houses[i];
        if (strange[0] * 50 > table->count && is_out(h->bedrooms_hundredths, 0, 2000)) {
            h->bedrooms_hundredths = -1;
        }
        if (strange[1] * 50 > table->count && is_out(h->bathrooms_hundredths, 0, 2000)) {
            h->bathrooms_hundredths = -1;
        }
        if (strange[2] * 50 > table->count && is_out(h->sqft_hundredths, 10000, 10000000)) {
            h->sqft_hundredths = -1;
        }
    }
}

/* --- one house once --- */

static int compare_ids(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_evaluate_house *one = a;
    const tl_evaluate_house *other = b;
    const int order = tl_str_cmp(one->id, other->id);
    if (order != 0) {
        return order;
    }
    return one->listed_day != other->listed_day
               ? (one->listed_day < other->listed_day ? -1 : 1)
               : (one->line > other->line) - (one->line < other->line);
}

static int compare_lines(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_evaluate_house *one = a;
    const tl_evaluate_house *other = b;
    return (one->line > other->line) - (one->line < other->line);
}

static bool is_same_text(const tl_evaluate_house *a, const tl_evaluate_house *b)
{
    return tl_str_eq(a->address, b->address) && a->bedrooms_hundredths == b->bedrooms_hundredths &&
           a->bathrooms_hundredths == b->bathrooms_hundredths &&
           a->sqft_hundredths == b->sqft_hundredths;
}

/* What names a house: zpid, url or mls_id where there is one, for these are identities; else the id; without any, address
 * and figures; without an address its line. */
static tl_err name_house(tl_evaluate_house *h, tl_arena *arena, tl_errctx *ctx)
{
    char text[256];
    const tl_str *names[] = {&h->zpid, &h->url, &h->mls_id};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i]->len != 0) {
            h->id = *names[i];
            return TL_OK;
        }
    }
    if (h->id.len != 0) {
        return TL_OK;
    }
    if (h->address.len == 0) {
        tl_str_print(text, sizeof text, "line %u", h->line);
    } else {
        tl_str_print(text, sizeof text, "%lld %lld %lld %.*s", (long long)h->bedrooms_hundredths,
                     (long long)h->bathrooms_hundredths, (long long)h->sqft_hundredths,
                     TL_STR_ARG(tl_str_slice(h->address, 0, 128)));
    }
    return print_text(&h->id, arena, ctx, text);
}

/* The last sale of each; in the order of the file. Where most rows of an id differ as houses do, it is no id: line numbers
 * are added. */
static tl_err keep_last(tl__zip *zip, tl_arena *arena, tl_errctx *ctx)
{
    size_t repeats = 0;
    size_t differing = 0;
    for (size_t i = 0; i < zip->count; i++) {
        TL_TRY(name_house(&zip->houses[i], arena, ctx));
    }
    TL_TRY(tl_sort(zip->houses, zip->count, sizeof *zip->houses, compare_ids, NULL, arena, ctx));
    for (size_t i = 1; i < zip->count; i++) {
        const bool is_repeat = tl_str_eq(zip->houses[i].id, zip->houses[i - 1].id);
        repeats += is_repeat;
        differing += is_repeat && !is_same_text(&zip->houses[i], &zip->houses[i - 1]);
    }
    const bool is_no_id = repeats * 4 > zip->count && differing * 2 > repeats;
    size_t kept = 0;
    for (size_t i = 0; i < zip->count; i++) {
        const bool is_last =
            i + 1 == zip->count || !tl_str_eq(zip->houses[i].id, zip->houses[i + 1].id);
        if (is_no_id) {
            char text[160];
            tl_str_print(text, sizeof text, "%.*s %u",
                         TL_STR_ARG(tl_str_slice(zip->houses[i].id, 0, 128)), zip->houses[i].line);
            zip->houses[i].zpid = zip->houses[i].url = zip->houses[i].mls_id = (tl_str){NULL, 0};
            TL_TRY(print_text(&zip->houses[i].id, arena, ctx, text));
        }
        if (is_last || is_no_id) {
            zip->houses[kept++] = zip->houses[i];
        }
    }
    zip->count = kept;
    return tl_sort(zip->houses, kept, sizeof *zip->houses, compare_lines, NULL, arena, ctx);
}

/* --- prices --- */

static tl_err find_ratios(ratios *out, const tl__zip *zip, tl_arena *arena, tl_errctx *ctx)
{
    memset(out, 0, sizeof *out);
    out->all = TL_NEW(arena, double, zip->count);
    if (out->all == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (unsigned type = 0; type <= TL_PROPERTY_OTHER; type++) {
        out->begin[type] = out->count;
        for (size_t i = 0; i < zip->count; i++) {
            const tl_evaluate_house *h = &zip->houses[i];
            if (h->sqft_hundredths > 0 && tl_record_property_type(h->type) == type) {
                out->all[out->count++] =
                    (double)h->price_cents / ((double)h->sqft_hundredths / 100.0);
            }
        }
    }
    out->begin[TL_PROPERTY_OTHER + 1] = out->count;
    return TL_OK;
}

static tl_err find_levels(tl__zip *zip, tl_arena *scratch, tl_errctx *ctx)
{
    double *logs = TL_NEW(scratch, double, zip->count);
    if (logs == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (unsigned type = 0; type <= TL_PROPERTY_OTHER; type++) {
        tl__level *level = &zip->levels[type];
        level->count = 0;
        for (size_t i = 0; i < zip->count; i++) {
            const tl_evaluate_house *h = &zip->houses[i];
            if (h->sqft_hundredths > 0 && tl_record_property_type(h->type) == type) {
                logs[level->count++] = tl_log((double)h->price_cents / (double)h->sqft_hundredths);
            }
        }
        if (level->count > 0) {
            level->median = tl_median_select(logs, level->count);
            for (size_t i = 0; i < level->count; i++) {
                const double apart = logs[i] - level->median;
                logs[i] = apart < 0 ? -apart : apart;
            }
            level->mad = tl_median_select(logs, level->count);
        }
    }
    return TL_OK;
}

/* --- all of it --- */

static tl_err make_zip(tl__zip *zip, tl_arena *arena, int64_t last_day, uint32_t *made_up,
                       tl_errctx *ctx)
{
    ratios known;
    TL_TRY(find_ratios(&known, zip, arena, ctx));
    for (size_t i = 0; i < zip->count; i++) {
        TL_TRY(make_up(&zip->houses[i], arena, last_day, &known, ctx));
        *made_up |= zip->houses[i].made_up;
    }
    return find_levels(zip, arena, ctx);
}

/* Zipcodes with enough houses; the table's houses stay where they are, the kept ones of each first. */
static tl_err find_zips(tl__world *out, tl_arena *arena, tl_evaluate_table *table, tl_errctx *ctx)
{
    tl_vec zips;
    tl_vec_init(&zips, arena, sizeof(tl__zip));
    for (size_t at = 0, len; at < table->count; at += len) {
        tl__zip zip = {.houses = &table->houses[at]};
        for (len = 1; at + len < table->count &&
                      strcmp(table->houses[at + len].zipcode, zip.houses->zipcode) == 0;
             len++) {
        }
        zip.count = len;
        TL_TRY(keep_last(&zip, arena, ctx));
        if (zip.count < TL_EVALUATE_ZIP_MIN) {
            continue;
        }
        tl__zip *slot = tl_vec_push(&zips);
        if (slot == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        *slot = zip;
    }
    out->zips = zips.items;
    out->count = zips.count;
    if (zips.count == 0) {
        return tl_fail(ctx, TL_ERR_MISSING,
                       "no zipcode has %d houses: %zu rows were read, %zu skipped",
                       TL_EVALUATE_ZIP_MIN, table->rows, table->skipped);
    }
    return TL_OK;
}

tl_err tl__world_make(tl__world *out, tl_arena *arena, tl_evaluate_table *table,
                      const tl_places *places, tl_errctx *ctx)
{
    int64_t last_day = INT64_MIN;
    drop_strange_cells(table);
    for (size_t i = 0; i < table->count; i++) {
        const int64_t day = table->houses[i].listed_day;
        last_day = day > last_day ? day : last_day;
    }
    last_day = last_day < 1 ? 18262 : last_day; /* 2020-01-01 where no date is told */
    TL_TRY(find_zips(out, arena, table, ctx));
    for (size_t i = 0; i < out->count; i++) {
        TL_TRY(make_zip(&out->zips[i], arena, last_day, &out->made_up, ctx));
        tl__find_place(&out->zips[i], places);
    }
    out->start_ms = (last_day + 1) * TL__DAY_MS;
    out->deadline_ms = out->start_ms + EPOCH_MS;
    return TL_OK;
}
