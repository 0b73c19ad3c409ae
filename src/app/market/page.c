/* page.c: listings as the market's API writes them. */
#include "app/market/market_internal.h"

#define DAY_MS INT64_C(86400000)

static const char *const type_text[] = {
    [TL_PROPERTY_SINGLE_FAMILY] = "SINGLE_FAMILY", [TL_PROPERTY_CONDO] = "CONDO",
    [TL_PROPERTY_TOWNHOUSE] = "TOWNHOUSE",         [TL_PROPERTY_MULTI_FAMILY] = "MULTI_FAMILY",
    [TL_PROPERTY_MANUFACTURED] = "MANUFACTURED",   [TL_PROPERTY_LAND] = "LAND",
    [TL_PROPERTY_APARTMENT] = "APARTMENT",         [TL_PROPERTY_OTHER] = "OTHER"};

static void put_text(tl_json_writer *w, const char *key, const char *text)
{
    tl_json_put_key(w, key);
    tl_json_put_cstr(w, text);
}

static void put_int(tl_json_writer *w, const char *key, int64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, value);
}

static void put_time(tl_json_writer *w, const char *key, int64_t ms, size_t len)
{
    char text[TL_TIME_TEXT_CAP];
    tl_time_text(text, ms * 1000000);
    tl_json_put_key(w, key);
    tl_json_put_str(w, tl_str_slice(tl_str_from_cstr(text), 0, len));
}

/* Whole millionths as a decimal number, exactly. */
static void put_degrees(tl_json_writer *w, const char *key, int32_t e6)
{
    char text[24];
    const int64_t size = e6 < 0 ? -(int64_t)e6 : e6;
    (void)tl_str_print(text, sizeof text, "%s%lld.%06lld", e6 < 0 ? "-" : "",
                       (long long)(size / 1000000), (long long)(size % 1000000));
    tl_json_put_key(w, key);
    tl_json_put_raw(w, tl_str_from_cstr(text));
}

static void put_bathrooms(tl_json_writer *w, uint32_t halves)
{
    char text[16];
    (void)tl_str_print(text, sizeof text, "%u%s", halves / 2, halves % 2 != 0 ? ".5" : "");
    tl_json_put_key(w, "bathrooms");
    tl_json_put_raw(w, tl_str_from_cstr(text));
}

void tl_market_put(tl_json_writer *w, const tl_market_item *item, int64_t now_ms)
{
    char number[24];
    char mls[16];
    char url[80];
    (void)tl_str_print(number, sizeof number, "%llu", (unsigned long long)item->number);
    (void)tl_str_print(mls, sizeof mls, "ML%u", item->mls);
    (void)tl_str_print(url, sizeof url, "https://homes.example/homedetails/%s_zpid/", number);
    tl_json_put_object(w);
    put_text(w, "address", item->address);
    put_bathrooms(w, item->bathrooms_halves);
    put_int(w, "bedrooms", item->bedrooms);
    tl_json_put_key(w, "city");
    tl_json_put_str(w, item->place->city);
    put_int(w, "days_on_market", (now_ms - item->listed_ms) / DAY_MS);
    put_text(w, "description", item->description);
    put_text(w, "id", number);
    put_degrees(w, "latitude", item->latitude_e6);
    put_time(w, "listing_date", item->listed_ms, 10);
    put_text(w, "listing_status", item->is_pending ? "PENDING" : "FOR_SALE");
    put_degrees(w, "longitude", item->longitude_e6);
    put_text(w, "mls_id", mls);
    put_int(w, "price", item->price);
    put_text(w, "property_type", type_text[item->property_type]);
    put_text(w, "source_url", url);
    put_int(w, "sqft", item->sqft);
    tl_json_put_key(w, "state");
    tl_json_put_str(w, item->place->state);
    put_time(w, "updated_at", item->updated_ms, TL_TIME_TEXT_CAP);
    put_text(w, "zipcode", item->place->zipcode);
    put_text(w, "zpid", number);
    tl_json_put_end(w);
}

/* Traps stand among the others: the first comes when the share of slots that has passed says so. */
static void put_traps(tl_json_writer *w, const tl_market *market, const tl_place *place,
                      uint32_t slot, uint32_t slots, int64_t now_ms)
{
    const uint32_t traps = tl_market_trap_count(place);
    const uint32_t from = (uint32_t)((uint64_t)slot * traps / slots);
    const uint32_t to = (uint32_t)((uint64_t)(slot + 1) * traps / slots);
    for (uint32_t i = from; i < to; i++) {
        tl_market_item trap;
        tl_market_trap(&trap, market, place, i, now_ms);
        tl_market_put(w, &trap, now_ms);
    }
}

tl_err tl_market_page(tl_str *out, tl_arena *arena, const tl_market *market, tl_str zipcode,
                      uint32_t limit, tl_str cursor, bool is_mirror, int64_t now_ms, tl_errctx *ctx)
{
    TL_ASSERT(limit >= 1 && limit <= TL_MARKET_PAGE_MAX);
    const tl_place *place = tl_market_place(market, zipcode);
    if (place == NULL) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, "zipcode", "no zipcode \"%.*s\" in this market",
                             TL_STR_ARG(tl_str_slice(zipcode, 0, 20)));
    }
    const uint32_t slots = tl_market_slot_count(place);
    uint64_t from = 0;
    if (cursor.len > 0 && (!tl_str_parse_u64(&from, cursor) || from > slots)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "cursor", "no cursor of this list");
    }
    const int64_t seen_ms = is_mirror ? now_ms - TL_MARKET_MIRROR_AGE_MS : now_ms;
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    uint32_t slot = (uint32_t)from;
    for (uint32_t count = 0; slot < slots && count < limit; slot++) {
        tl_market_item item;
        if (tl_market_at(&item, market, place, slot, seen_ms)) {
            tl_market_put(&w, &item, seen_ms);
            count++;
        }
        if (is_mirror) {
            put_traps(&w, market, place, slot, slots, seen_ms);
        }
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "next_cursor");
    char next[16];
    (void)tl_str_print(next, sizeof next, "%u", slot);
    tl_json_put_cstr(&w, slot < slots ? next : NULL);
    put_time(&w, "as_of", seen_ms, TL_TIME_TEXT_CAP);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}
