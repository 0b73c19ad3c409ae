/* The table of zipcodes. */
#include "io/records/records_internal.h"

typedef struct import {
    const tl_place *places;
    size_t count;
    int64_t updated_ms;
} import;

static tl_err import_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const import *in = self;
    for (size_t i = 0; i < in->count; i++) {
        const tl_place *p = &in->places[i];
        tl_sql_stmt s;
        tl_sql_prepare(&s, sql, "import a zipcode",
                       "INSERT INTO zipcodes (zipcode, city, state, county, latitude_e4,"
                       " longitude_e4, expected, population, property_count, tier, region,"
                       " last_assigned_ms, data_updated_ms)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)"
                       " ON CONFLICT (zipcode) DO UPDATE SET city = excluded.city,"
                       " state = excluded.state, county = excluded.county,"
                       " latitude_e4 = excluded.latitude_e4, longitude_e4 = excluded.longitude_e4,"
                       " expected = excluded.expected, population = excluded.population,"
                       " property_count = excluded.property_count, tier = excluded.tier,"
                       " region = excluded.region, data_updated_ms = excluded.data_updated_ms");
        tl_sql_put_str(&s, tl_str_from_cstr(p->zipcode));
        tl__put_text(&s, p->city);
        tl__put_text(&s, p->state);
        tl__put_text(&s, p->county);
        tl_sql_put_i64(&s, p->latitude_e4);
        tl_sql_put_i64(&s, p->longitude_e4);
        tl_sql_put_i64(&s, p->expected);
        tl_sql_put_u64(&s, p->population);
        tl_sql_put_u64(&s, p->property_count);
        tl_sql_put_i64(&s, (int64_t)p->tier);
        tl_sql_put_i64(&s, (int64_t)p->region);
        tl_sql_put_i64(&s, in->updated_ms);
        TL_TRY(tl_sql_end(&s, NULL, ctx));
    }
    return TL_OK;
}

tl_err tl_records_put_zipcodes(tl_records *records, const tl_place *places, size_t count,
                               int64_t updated_ms, tl_errctx *ctx)
{
import in = {places, count, updated_ms };
    return tl_sql_transact(records->sql, import_body, &in, ctx);
}

static void read_place(tl_sql_stmt *s, tl_place *out, tl_arena *arena)
{
    const tl_bytes code = tl_sql_borrow(s, 0);
    (void)tl_str_print(out->zipcode, sizeof out->zipcode, "%.*s", (int)code.len,
                       code.ptr != NULL ? (const char *)code.ptr : "");
    tl_sql_get_str(s, &out->city, 1, arena);
    tl_sql_get_str(s, &out->state, 2, arena);
    tl_sql_get_str(s, &out->county, 3, arena);
    out->latitude_e4 = (int32_t)tl_sql_get_i64(s, 4); /* within the bounds of the schema */
    out->longitude_e4 = (int32_t)tl_sql_get_i64(s, 5);
    out->expected = tl__get_u32(s, 6);
    out->population = tl_sql_get_u64(s, 7);
    out->property_count = tl_sql_get_u64(s, 8);
    out->tier = (tl_market_tier)tl__get_u32(s, 9);
    out->region = (tl_region)tl__get_u32(s, 10);
}

tl_err tl_records_zipcodes(tl_records *records, const tl_record_zipcode **out, size_t *count,
                           tl_str after, size_t limit, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(tl__check_limit(limit, ctx));
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_zipcode));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read zipcodes",
                   "SELECT zipcode, city, state, county, latitude_e4, longitude_e4, expected,"
                   " population, property_count, tier, region, last_assigned_ms, data_updated_ms"
                   " FROM zipcodes WHERE zipcode > ? ORDER BY zipcode LIMIT ?");
    tl__put_text(&s, after);
    tl_sql_put_u64(&s, limit);
    while (tl_sql_row(&s)) {
        tl_record_zipcode *row = tl__push(&rows, &s);
        if (row != NULL) {
            read_place(&s, &row->place, arena);
            row->last_assigned_ms = tl_sql_get_i64(&s, 11);
            row->data_updated_ms = tl_sql_get_i64(&s, 12);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

tl_err tl_records_assigned_since(tl_records *records, const tl_record_cooling **out, size_t *count,
                                 int64_t since_ms, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_cooling));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read zipcodes",
                   "SELECT zipcode, last_assigned_ms FROM zipcodes"
                   " WHERE last_assigned_ms >= ? AND last_assigned_ms > 0 ORDER BY zipcode");
    tl_sql_put_i64(&s, since_ms);
    while (tl_sql_row(&s)) {
        tl_record_cooling *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl_sql_get_str(&s, &row->zipcode, 0, arena);
            row->last_assigned_ms = tl_sql_get_i64(&s, 1);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}
