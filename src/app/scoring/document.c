/* The digest of what a shard follows from, and its result as canonical JSON. */
#include <stdlib.h>
#include <string.h>

#include "app/scoring/scoring.h"
#include "base/json/json.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"

#define VERSION      "tally/shard/1"
#define IDENTITY_LEN 16 /* digits */

static void put_key(tl_json_writer *w, const char *key, tl_str value)
{
    tl_json_put_key(w, key);
    tl_json_put_str(w, value);
}

static void put_entry(tl_json_writer *w, const tl_scoring_entry *entry)
{
    tl_json_put_object(w);
    put_key(w, "coldkey", entry->coldkey);
    tl_json_put_key(w, "contentHash");
    tl_json_put_hex(w, &entry->content_hash, sizeof entry->content_hash);
    put_key(w, "hotkey", entry->hotkey);
    tl_json_put_key(w, "objects");
    tl_json_put_array(w);
    for (size_t i = 0; i < entry->object_count; i++) {
        tl_json_put_hex(w, &entry->objects[i].sha256, sizeof entry->objects[i].sha256);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "receivedMs");
    tl_json_put_i64(w, entry->received_ms);
    tl_json_put_end(w);
}

static void put_place(tl_json_writer *w, const tl_place *place)
{
    tl_json_put_object(w);
    put_key(w, "city", place->city);
    tl_json_put_key(w, "expected");
    tl_json_put_u64(w, place->expected);
    tl_json_put_key(w, "latitudeE4");
    tl_json_put_i64(w, place->latitude_e4);
    tl_json_put_key(w, "longitudeE4");
    tl_json_put_i64(w, place->longitude_e4);
    put_key(w, "state", place->state);
    put_key(w, "zipcode", tl_str_from_cstr(place->zipcode));
    tl_json_put_end(w);
}

static int by_hotkey(const void *a, const void *b)
{
    return tl_str_cmp((*(const tl_scoring_entry *const *)a)->hotkey,
                      (*(const tl_scoring_entry *const *)b)->hotkey);
}

static tl_err write_job(tl_str *out, tl_arena *arena, const tl_scoring_job *job, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    size_t count = 0;
    const tl_place place = tl_scoring_place(job);
    const tl_scoring_entry **order = TL_NEW(arena, const tl_scoring_entry *, job->entry_count);
    if (order == NULL && job->entry_count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < job->entry_count; i++) {
        if (job->entries[i].object_count > 0) { /* who has nothing here does not matter here */
            order[count++] = &job->entries[i];
        }
    }
    if (count > 0) {
        qsort(order, count, sizeof *order, by_hotkey);
    }
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    put_key(&w, "beacon", job->beacon);
    tl_json_put_key(&w, "deadlineMs");
    tl_json_put_i64(&w, job->deadline_ms);
    tl_json_put_key(&w, "entries");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        put_entry(&w, order[i]);
    }
    tl_json_put_end(&w);
    put_key(&w, "epochId", job->epoch_id);
    tl_json_put_key(&w, "parameters");
    tl_listings_params_put(&w, job->params);
    tl_json_put_key(&w, "place");
    put_place(&w, &place);
    tl_json_put_key(&w, "startMs");
    tl_json_put_i64(&w, job->start_ms);
    put_key(&w, "version", TL_STR(VERSION));
    tl_json_put_key(&w,
                    "zipcodes"); /* how many the table of names has; it ships with the program */
    tl_json_put_u64(&w, job->places != NULL ? job->places->count : 0);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_scoring_digest(tl_hash32 *out, const tl_scoring_job *job, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_str text = {NULL, 0};
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    const tl_err err = write_job(&text, arena, job, ctx);
    if (err == TL_OK) {
        tl_sha256(out, text.ptr, text.len);
    }
    tl_arena_free(arena);
    return err;
}

/* --- the document --- */

static tl_err put_identities(tl_json_writer *w, tl_arena *arena, const tl_scoring_result *result,
                             size_t index, tl_errctx *ctx)
{
    const uint64_t *identities = result->identities[index];
    const size_t rows = identities != NULL ? result->sheets[index].rows : 0;
    uint8_t *bytes = TL_NEW(arena, uint8_t, rows * 8);
    if (bytes == NULL && rows > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < rows; i++) {
        for (unsigned k = 0; k < 8; k++) {
            bytes[i * 8 + k] = (uint8_t)(identities[i] >> (56 - 8 * k));
        }
    }
    tl_json_put_hex(w, bytes, rows * 8);
    return TL_OK;
}

tl_err tl_scoring_write(tl_str *out, tl_arena *arena, const tl_hash32 *inputs,
                        const tl_scoring_result *result, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "identities");
    tl_json_put_array(&w);
    for (size_t i = 0; i < result->count; i++) {
        TL_TRY(put_identities(&w, arena, result, i, ctx));
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "inputs"); /* SCORE-1 */
    tl_json_put_hex(&w, inputs, sizeof *inputs);
    tl_json_put_key(&w, "listings");
    tl_json_put_u64(&w, result->listings);
    tl_json_put_key(&w, "sheets");
    tl_json_put_array(&w);
    for (size_t i = 0; i < result->count; i++) {
        tl_sheet_put(&w, &result->sheets[i]);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err read_identities(const uint64_t **out, tl_arena *arena, const tl_json *text,
                              uint32_t rows, tl_errctx *ctx)
{
    tl_str digits;
    TL_TRY(tl_json_as_str(&digits, text, "identities", ctx));
    const size_t count = digits.len / IDENTITY_LEN;
    if (digits.len % IDENTITY_LEN != 0 || (count != 0 && count != rows)) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, "identities", "%zu of %u rows", count, rows);
    }
    if (count == 0) {
        *out = NULL;
        return TL_OK;
    }
    uint8_t *bytes = TL_NEW(arena, uint8_t, count * 8);
    uint64_t *all = TL_NEW(arena, uint64_t, count);
    if (bytes == NULL || all == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_hex_decode(bytes, count * 8, digits, ctx));
    for (size_t i = 0; i < count; i++) {
        all[i] = 0;
        for (unsigned k = 0; k < 8; k++) {
            all[i] = all[i] << 8 | bytes[i * 8 + k];
        }
    }
    *out = all;
    return TL_OK;
}

static tl_err check_inputs(const tl_json *json, const tl_hash32 *inputs, tl_errctx *ctx)
{
    tl_str text;
    tl_hash32 found;
    TL_TRY(tl_json_want_str(&text, json, "inputs", ctx));
    TL_TRY(tl_hex_decode((uint8_t *)&found, sizeof found, text, ctx));
    return tl_hash32_cmp(&found, inputs) == 0
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_STATE, "inputs", "it follows from other inputs");
}

tl_err tl_scoring_read(tl_scoring_result *out, tl_arena *arena, const tl_hash32 *inputs,
                       tl_str document, tl_errctx *ctx)
{
    const tl_json *json = NULL;
    const tl_json *sheets = NULL;
    const tl_json *identities = NULL;
    tl_scoring_result result = {.count = 0};
    TL_TRY(tl_json_parse(&json, arena, document, NULL, ctx));
    TL_TRY(check_inputs(json, inputs, ctx));
    TL_TRY(tl_json_want(&sheets, json, "sheets", TL_JSON_ARRAY, ctx));
    TL_TRY(tl_json_want(&identities, json, "identities", TL_JSON_ARRAY, ctx));
    TL_TRY(tl_json_want_u64(&result.listings, json, "listings", ctx));
    if (sheets->count != identities->count || sheets->count > TL_ENTRIES_MAX) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, "identities", "of %u sheets, not %u",
                             identities->count, sheets->count);
    }
    tl_sheet *all = TL_NEW(arena, tl_sheet, sheets->count);
    const uint64_t **of = TL_NEW(arena, const uint64_t *, sheets->count);
    if (sheets->count > 0 && (all == NULL || of == NULL)) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < sheets->count; i++) {
        TL_TRY(tl_sheet_read(&all[i], arena, &sheets->items[i], ctx));
        TL_TRY(read_identities(&of[i], arena, &identities->items[i], all[i].rows, ctx));
    }
    result.sheets = all;
    result.identities = of;
    result.count = sheets->count;
    *out = result;
    return TL_OK;
}
