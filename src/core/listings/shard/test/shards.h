/* Small worlds for the tests of shard: honest rows of one zipcode, and what may be wrong with them. Included by tests. */
#ifndef TALLY_CORE_LISTINGS_SHARD_TEST_SHARDS_H
#define TALLY_CORE_LISTINGS_SHARD_TEST_SHARDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/hash/hash.h"
#include "core/listings/shard/shard.h"

#define START_MS    INT64_C(1759449600000) /* 2025-10-03T00:00:00Z */
#define DEADLINE_MS (START_MS + INT64_C(14400000))
#define BEACON      "c0ffee0000000000000000000000000000000000000000000000000000000000"

enum { EXPECTED = 100, ROWS_CAP = 4096 };

/* One row; texts go into the JSON as they stand, quotes included; NULL: the key is left out. */
typedef struct row {
    uint32_t house;
    uint32_t price;
    uint32_t sqft;
    const char *bedrooms;
    const char *bathrooms;
    const char *listed;
    const char *scraped; /* NULL: of the row's own second */
    const char *days;
    const char *zipcode;
    const char *city;
    const char *state;
    const char *latitude;
    const char *address_tail;
    bool lacks_mls;
} row;

typedef struct world {
    tl_arena *arena;
    tl_arena *scratch;
    tl_listings_params params;
    tl_place place;
    tl_shard_context context;
    tl_shard *shard;
} world;

static inline void set_up(world *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(tl_arena_new(&w->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_arena_new(&w->scratch, NULL, 0, NULL, NULL), TL_OK);
    tl_listings_params_default(&w->params);
    memcpy(w->place.zipcode, "98103", 6);
    w->place.city = TL_STR("Seattle");
    w->place.state = TL_STR("WA");
    w->place.latitude_e4 = 476731;
    w->place.longitude_e4 = -1223415;
    w->context = (tl_shard_context){.params = &w->params,
                                    .epoch_id = TL_STR("2025-10-03T00-00-00"),
                                    .start_ms = START_MS,
                                    .deadline_ms = DEADLINE_MS,
                                    .beacon = TL_STR(BEACON),
                                    .place = &w->place,
                                    .expected = EXPECTED};
}

static inline void start(world *w)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_shard_new(&w->shard, w->arena, &w->context, &ctx);
    assert_string_equal(ctx.message, "");
    assert_int_equal(err, TL_OK);
}

static inline void tear_down(world *w)
{
    tl_arena_free(w->scratch);
    tl_arena_free(w->arena);
}

/* A number below n that the house and a salt decide. */
static inline uint32_t dice(uint32_t house, uint32_t salt, uint32_t n)
{
    uint64_t x = ((uint64_t)house << 32 | salt) * UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 29;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)((x >> 33) % n);
}

static inline row honest_row(uint32_t house)
{
    const uint32_t sqft = 800 + dice(house, 1, 2500);
    return (row){.house = house,
                 .price = sqft * (300 + dice(house, 2, 200)),
                 .sqft = sqft,
                 .bedrooms = "3",
                 .bathrooms = "2.5",
                 .listed = "\"2025-09-20\"",
                 .days = "12",
                 .zipcode = "\"98103\"",
                 .city = "\"Seattle\"",
                 .state = "\"WA\"",
                 .latitude = "47.6731",
                 .address_tail = ", Seattle, WA 98103"};
}

static inline void put_text(tl_sb *sb, const char *key, const char *value)
{
    if (value != NULL) {
        tl_sb_printf(sb, ",\"%s\":%s", key, value);
    }
}

static inline void put_row(tl_sb *sb, const row *r)
{
    tl_sb_printf(sb, "{\"zpid\":\"%u\",\"address\":\"%u Oak Street%s\",\"price\":%u,\"sqft\":%u",
                 r->house, 100 + r->house, r->address_tail, r->price, r->sqft);
    put_text(sb, "bedrooms", r->bedrooms);
    put_text(sb, "bathrooms", r->bathrooms);
    put_text(sb, "listing_date", r->listed);
    put_text(sb, "days_on_market", r->days);
    put_text(sb, "zipcode", r->zipcode);
    put_text(sb, "city", r->city);
    put_text(sb, "state", r->state);
    put_text(sb, "latitude", r->latitude);
    put_text(sb, "longitude", "-122.3415");
    put_text(sb, "mls_id", r->lacks_mls ? NULL : "\"M1\"");
    if (r->scraped != NULL) {
        put_text(sb, "scraped_timestamp", r->scraped);
    } else {
        tl_sb_printf(sb, ",\"scraped_timestamp\":\"2025-10-03T01:%02u:%02uZ\"",
                     dice(r->house, 3, 60), dice(r->house, 4, 60));
    }
    tl_sb_put_cstr(sb, ",\"property_type\":\"SINGLE_FAMILY\",\"listing_status\":\"for_sale\","
                       "\"source_url\":\"https://l.example/1\"}");
}

/* Rows [from, to) as an object. */
static inline tl_bytes object_of(tl_arena *arena, const row *rows, size_t from, size_t to)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "{\"zipcode\":\"98103\",\"listings\":[");
    for (size_t i = from; i < to; i++) {
        if (i > from) {
            tl_sb_put_char(&sb, ',');
        }
        put_row(&sb, &rows[i]);
    }
    tl_sb_put_cstr(&sb, "]}");
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return (tl_bytes){(const uint8_t *)text.ptr, text.len};
}

static inline tl_shard_entry entry_of(const char *hotkey, const tl_bytes *objects, size_t count)
{
    tl_shard_entry e = {.hotkey = tl_str_from_cstr(hotkey),
                        .coldkey = tl_str_from_cstr(hotkey),
                        .received_ms = START_MS + INT64_C(7200000),
                        .objects = objects,
                        .object_count = count};
    tl_sha256(&e.content_hash, hotkey, strlen(hotkey));
    return e;
}

static inline void add(world *w, const tl_shard_entry *entry)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_shard_add(w->shard, entry, w->scratch, &ctx);
    assert_string_equal(ctx.message, "");
    assert_int_equal(err, TL_OK);
}

static inline void add_rows(world *w, const char *hotkey, const row *rows, size_t count)
{
    const tl_bytes object = object_of(w->arena, rows, 0, count);
    const tl_shard_entry entry = entry_of(hotkey, &object, 1);
    add(w, &entry);
}

static inline tl_shard_result finish(world *w)
{
    tl_shard_result result;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_shard_finish(w->shard, &result, &ctx);
    assert_string_equal(ctx.message, "");
    assert_int_equal(err, TL_OK);
    return result;
}

static inline void honest_rows(row *rows, uint32_t first_house, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rows[i] = honest_row(first_house + (uint32_t)i);
    }
}

/* The sheet of one miner alone. */
static inline tl_sheet judge_alone(world *w, const row *rows, size_t count)
{
    start(w);
    add_rows(w, "alone", rows, count);
    const tl_shard_result result = finish(w);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.faults[0].len, 0);
    return result.sheets[0];
}

static inline const tl_finding *finding_of(const tl_sheet *sheet, tl_listing_rule rule)
{
    for (size_t i = 0; i < sheet->finding_count; i++) {
        if (sheet->findings[i].rule == rule) {
            return &sheet->findings[i];
        }
    }
    return NULL;
}

/* All sheets as one text: what a validator would write. */
static inline tl_str sheets_text(tl_arena *arena, const tl_shard_result *result)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_array(&w);
    for (size_t i = 0; i < result->count; i++) {
        tl_sheet_put(&w, &result->sheets[i]);
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

#endif
