/* Area listings: a zipcode's submissions as sheets. Fourteen miners of every kind (honest, invented, moved, late, short,
 * copied, repeated, of bad JSON) in several writings; the bytes of every sheet count. */
#include <string.h>

#include "core/listings/shard/shard.h"

#include "digest.h"

#define HOUSES   220
#define MINERS   14
#define START_MS INT64_C(1759449600000)
#define EPOCH_MS INT64_C(14400000)

typedef struct house {
    uint32_t price;
    uint32_t sqft;
    uint32_t beds;
    uint32_t number;
    uint32_t day;
    bool is_condo;
} house;

/* What a miner does: bits of its number say which of these. */
enum {
    HONEST = 0,
    SPELLS_OTHERWISE = 1,
    INVENTS_PRICES = 2,
    LIES_ABOUT_PLACE = 3,
    SCRAPES_EARLY = 4,
    REPEATS = 5,
    COPIES = 6, /* the one before it */
    IS_LATE = 7,
    IS_SHORT = 8,
    WRITES_NO_JSON = 9
};

static void make_houses(house *houses, digest *d)
{
    for (size_t i = 0; i < HOUSES; i++) {
        houses[i].sqft = 600 + (uint32_t)digest_below(d, 3200);
        houses[i].is_condo = digest_below(d, 4) == 0;
        houses[i].price = houses[i].sqft * (uint32_t)(250 + digest_below(d, 260));
        houses[i].beds = 1 + (uint32_t)digest_below(d, 5);
        houses[i].number = 100 + (uint32_t)i * 4;
        houses[i].day = 1 + (uint32_t)digest_below(d, 28);
    }
}

static void put_listing(tl_sb *sb, digest *d, const house *h, uint32_t kind, size_t id)
{
    const bool is_wild = kind == INVENTS_PRICES && digest_below(d, 3) == 0;
    const bool is_elsewhere = kind == LIES_ABOUT_PLACE && digest_below(d, 8) == 0;
    const bool is_early = kind == SCRAPES_EARLY && digest_below(d, 8) == 0;
    const uint32_t second = (uint32_t)digest_below(d, 3600);
    tl_sb_printf(sb, "{\"zpid\":%zu,\"address\":\"%u %s, Seattle, WA 98103\",\"price\":%s%u%s,", id,
                 h->number,
                 kind == SPELLS_OTHERWISE ? "n.e. \\u004daple street apt #4" : "NE Maple St Unit 4",
                 kind == SPELLS_OTHERWISE ? "\"" : "", is_wild ? h->price * 9 : h->price,
                 kind == SPELLS_OTHERWISE ? ".00\"" : "");
    tl_sb_printf(sb, "\"bedrooms\":%u,\"bathrooms\":%u.5,\"sqft\":%u,\"property_type\":\"%s\",",
                 h->beds, h->beds / 2 + 1, h->sqft, h->is_condo ? "Condominium" : "SINGLE_FAMILY");
    tl_sb_printf(sb, "\"listing_date\":\"2025-09-%02u\",\"listing_status\":\"FOR_SALE\",", h->day);
    tl_sb_printf(
        sb, "\"days_on_market\":%u,\"mls_id\":\"M%zu\",\"source_url\":\"https://l.example/%zu\",",
        33 - h->day, id, id);
    tl_sb_printf(sb, "\"latitude\":%s,\"longitude\":-122.34,\"city\":\"Seattle\",",
                 is_elsewhere ? "48.9" : "47.67");
    tl_sb_printf(sb, "\"scraped_timestamp\":\"2025-10-0%uT01:%02u:%02u.%03uZ\"}",
                 is_early ? 2u : 3u, second / 60, second % 60, (uint32_t)digest_below(d, 1000));
}

static tl_str make_object(digest *d, const house *houses, uint32_t kind, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, d->arena);
    tl_sb_put_cstr(&sb, "{\"zipcode\":\"98103\",\"listings\":[");
    bool is_first = true;
    for (size_t i = 0; i < HOUSES; i++) {
        const size_t id = kind == SPELLS_OTHERWISE ? HOUSES - 1 - i : i;
        if (digest_below(d, 20) == 0 || (kind == IS_SHORT && i % 3 == 0)) {
            continue;
        }
        tl_sb_put_cstr(&sb, is_first ? "" : ",");
        is_first = false;
        put_listing(&sb, d, &houses[id], kind, kind == REPEATS && i % 9 == 0 ? id / 2 : id);
    }
    tl_sb_put_cstr(&sb, kind == WRITES_NO_JSON ? "]" : "]}");
    DIGEST_OK(tl_sb_finish(&text, &sb, ctx), ctx);
    return text;
}

static void add_miner(tl_shard *shard, digest *d, size_t miner, uint32_t kind, tl_str object,
                      tl_arena *scratch, tl_errctx *ctx)
{
    char hotkey[TL_SS58_CAP];
    char coldkey[TL_SS58_CAP];
    tl_hotkey key;
    digest_random_bytes(d, key.b, sizeof key.b);
    (void)tl_ss58_encode(hotkey, &key, TL_SS58_PREFIX_GENERIC);
    digest_random_bytes(d, key.b, sizeof key.b);
    (void)tl_ss58_encode(coldkey, &key, TL_SS58_PREFIX_GENERIC);
    const tl_bytes bytes = tl_str_bytes(object);
    tl_shard_entry entry = {.hotkey = tl_str_from_cstr(hotkey),
                            .coldkey = tl_str_from_cstr(coldkey),
                            .received_ms = START_MS + EPOCH_MS / 2 + (int64_t)(miner / 2),
                            .objects = &bytes,
                            .object_count = 1};
    entry.received_ms += kind == IS_LATE ? EPOCH_MS : 0;
    tl_sha256(&entry.content_hash, object.ptr, object.len);
    DIGEST_OK(tl_shard_add(shard, &entry, scratch, ctx), ctx);
}

static void put_sheets(digest *d, const tl_shard_result *result, tl_errctx *ctx)
{
    for (size_t i = 0; i < result->count; i++) {
        tl_sb sb;
        tl_json_writer w;
        tl_str text = {NULL, 0};
        tl_sb_init(&sb, d->arena);
        tl_json_writer_init(&w, &sb, 0, true);
        tl_sheet_put(&w, &result->sheets[i]);
        tl_json_writer_done(&w);
        DIGEST_OK(tl_sb_finish(&text, &sb, ctx), ctx);
        digest_str(d, text);
        digest_str(d, result->faults[i]);
    }
}

void digest_area_listings(digest *d)
{
    static const uint32_t kinds[MINERS] = {
        HONEST, SPELLS_OTHERWISE, HONEST,  COPIES,  HONEST, INVENTS_PRICES, LIES_ABOUT_PLACE,
        HONEST, SCRAPES_EARLY,    REPEATS, IS_LATE, HONEST, IS_SHORT,       WRITES_NO_JSON};
    tl_errctx ctx = TL_ERRCTX_INIT;
    house *const houses = DIGEST_NEW(d, house, HOUSES);
    make_houses(houses, d);
    tl_listings_params params;
    tl_listings_params_default(&params);
    const tl_place place = {.zipcode = "98103",
                            .city = TL_STR("Seattle"),
                            .state = TL_STR("WA"),
                            .latitude_e4 = 476731,
                            .longitude_e4 = -1223415};
    const tl_shard_context context = {
        .params = &params,
        .epoch_id = TL_STR("2025-10-03T00-00-00"),
        .start_ms = START_MS,
        .deadline_ms = START_MS + EPOCH_MS,
        .beacon = TL_STR("5b1f0a7c9d3e42868a1f0c2d4e6b8a907f1e3d5c7b9a0f2e4d6c8b0a1f3e5d7c"),
        .place = &place,
        .expected = HOUSES};
    tl_arena *scratch = NULL;
    tl_shard *shard = NULL;
    DIGEST_OK(tl_arena_new(&scratch, d->arena, 0, NULL, &ctx), &ctx);
    DIGEST_OK(tl_shard_new(&shard, d->arena, &context, &ctx), &ctx);
    tl_str object = {NULL, 0};
    for (size_t m = 0; m < MINERS; m++) {
        object = kinds[m] == COPIES ? object : make_object(d, houses, kinds[m], &ctx);
        add_miner(shard, d, m, kinds[m], object, scratch, &ctx);
    }
    tl_shard_result result;
    DIGEST_OK(tl_shard_finish(shard, &result, &ctx), &ctx);
    put_sheets(d, &result, &ctx);
    tl_arena_free(scratch);
}
