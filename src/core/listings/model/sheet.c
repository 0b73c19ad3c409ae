/* sheet.c: a sheet as canonical JSON, integers alone (LIST-1), and back. What is read is checked as far as it can be
 * without the listings, which it names by index (LIST-2): it came from another validator. */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/listings/model/model.h"

#define MILLION        1000000
#define SHEET_TEXT_MAX 4096 /* bytes of a hotkey, an identity, an address or a status in a sheet */
#define RATE_MAX       (UINT32_C(1000) * MILLION) /* quantity's rate may be above one */

/* --- writing --- */

static void put_u64(tl_json_writer *w, const char *key, uint64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_u64(w, value);
}

static void put_i64(tl_json_writer *w, const char *key, int64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, value);
}

static void put_bool(tl_json_writer *w, const char *key, bool value)
{
    tl_json_put_key(w, key);
    tl_json_put_bool(w, value);
}

static void put_str(tl_json_writer *w, const char *key, tl_str value)
{
    tl_json_put_key(w, key);
    tl_json_put_str(w, value);
}

static void put_finding(tl_json_writer *w, const tl_finding *finding)
{
    TL_ASSERT(finding->index_count <= TL_FINDING_INDICES_MAX);
    tl_json_put_object(w);
    put_u64(w, "count", finding->count);
    tl_json_put_key(w, "indices");
    tl_json_put_array(w);
    for (uint32_t i = 0; i < finding->index_count; i++) {
        tl_json_put_u64(w, finding->indices[i]);
    }
    tl_json_put_end(w);
    put_str(w, "peer", finding->peer);
    put_u64(w, "rate_millionths", finding->rate_millionths);
    tl_json_put_key(w, "rule");
    tl_json_put_cstr(w, tl_listing_rule_name(finding->rule));
    tl_json_put_end(w);
}

static void put_sample(tl_json_writer *w, const tl_sample *sample)
{
    tl_json_put_object(w);
    put_str(w, "address", sample->address);
    put_i64(w, "bathrooms_hundredths", sample->bathrooms_hundredths);
    put_i64(w, "bedrooms_hundredths", sample->bedrooms_hundredths);
    put_str(w, "identity", sample->identity);
    put_u64(w, "index", sample->index);
    put_i64(w, "price_cents", sample->price_cents);
    put_str(w, "status", sample->status);
    put_str(w, "zipcode", tl_str_from_cstr(sample->zipcode));
    tl_json_put_end(w);
}

void tl_sheet_put(tl_json_writer *w, const tl_sheet *sheet)
{
    TL_ASSERT(sheet->complete <= sheet->rows && sheet->reasonable <= sheet->rows);
    TL_ASSERT(sheet->consistent <= sheet->rows && sheet->distinct <= sheet->rows);
    tl_json_put_object(w);
    put_str(w, "coldkey", sheet->coldkey);
    put_u64(w, "complete", sheet->complete);
    put_u64(w, "completeness_millionths", sheet->completeness_millionths);
    put_u64(w, "confidence_millionths", sheet->confidence_millionths);
    put_u64(w, "consistent", sheet->consistent);
    tl_json_put_key(w, "content_hash");
    tl_json_put_hex(w, sheet->content_hash.b, sizeof sheet->content_hash.b);
    put_u64(w, "data_quality_millionths", sheet->data_quality_millionths);
    put_bool(w, "disqualified", sheet->is_disqualified);
    put_u64(w, "distinct", sheet->distinct);
    tl_json_put_key(w, "findings");
    tl_json_put_array(w);
    for (size_t i = 0; i < sheet->finding_count; i++) {
        put_finding(w, &sheet->findings[i]);
    }
    tl_json_put_end(w);
    put_str(w, "hotkey", sheet->hotkey);
    put_bool(w, "passes_tier1", sheet->passes_tier1);
    put_bool(w, "passes_tier2", sheet->passes_tier2);
    put_u64(w, "reasonable", sheet->reasonable);
    put_i64(w, "received_ms", sheet->received_ms);
    put_u64(w, "rows", sheet->rows);
    put_u64(w, "sample_asked", sheet->sample_asked);
    tl_json_put_key(w, "samples");
    tl_json_put_array(w);
    for (size_t i = 0; i < sheet->sample_count; i++) {
        put_sample(w, &sheet->samples[i]);
    }
    tl_json_put_end(w);
    put_bool(w, "synthetic", sheet->is_synthetic);
    put_u64(w, "timeliness_millionths", sheet->timeliness_millionths);
    tl_json_put_end(w);
}

/* --- reading --- */

static tl_err want_u32(uint32_t *out, const tl_json *object, const char *key, uint32_t most,
                       tl_errctx *ctx)
{
    uint64_t value = 0;
    TL_TRY(tl_json_want_u64(&value, object, key, ctx));
    if (value > most) {
        return tl_fail_field(ctx, TL_ERR_RANGE, key, "%llu, above %u", (unsigned long long)value,
                             most);
    }
    *out = (uint32_t)value;
    return TL_OK;
}

static tl_err want_text(tl_str *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, object, key, ctx));
    if (text.len > SHEET_TEXT_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, key, "%zu bytes, above %d", text.len,
                             SHEET_TEXT_MAX);
    }
    *out = text;
    return TL_OK;
}

static tl_err want_zipcode(char out[6], const tl_json *object, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, object, "zipcode", ctx));
    bool is_zipcode = text.len == 0 || text.len == 5;
    for (size_t i = 0; is_zipcode && i < text.len; i++) {
        is_zipcode = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    }
    if (!is_zipcode) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "zipcode", "five digits are expected");
    }
    memset(out, 0, 6);
    memcpy(out, text.len != 0 ? text.ptr : "", text.len);
    return TL_OK;
}

static tl_err read_indices(tl_finding *out, const tl_json *object, uint32_t rows, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, object, "indices", TL_JSON_ARRAY, ctx));
    if (list->count > TL_FINDING_INDICES_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "indices", "%u of them, above %d", list->count,
                             TL_FINDING_INDICES_MAX);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        uint64_t index = 0;
        TL_TRY(tl_json_as_u64(&index, &list->items[i], "indices", ctx));
        if (index >= rows || (i > 0 && index <= out->indices[i - 1])) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "indices",
                                 "%llu: indices ascend and are below %u", (unsigned long long)index,
                                 rows);
        }
        out->indices[i] = (uint32_t)index;
    }
    out->index_count = list->count;
    return TL_OK;
}

static tl_err read_finding(tl_finding *out, const tl_json *value, uint32_t rows, tl_errctx *ctx)
{
    tl_str rule = {NULL, 0};
    TL_TRY(tl_json_want_str(&rule, value, "rule", ctx));
    if (!tl_listing_rule_parse(&out->rule, rule)) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "rule", "\"%.*s\" is no rule",
                             TL_STR_ARG(tl_str_slice(rule, 0, 40)));
    }
    TL_TRY(want_u32(&out->count, value, "count", UINT32_MAX, ctx));
    TL_TRY(want_u32(&out->rate_millionths, value, "rate_millionths", RATE_MAX, ctx));
    TL_TRY(read_indices(out, value, rows, ctx));
    return want_text(&out->peer, value, "peer", ctx);
}

static tl_err read_sample(tl_sample *out, const tl_json *value, uint32_t rows, tl_errctx *ctx)
{
    TL_TRY(want_u32(&out->index, value, "index", UINT32_MAX, ctx));
    if (out->index >= rows) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "index", "%u, of %u rows", out->index, rows);
    }
    TL_TRY(want_text(&out->identity, value, "identity", ctx));
    TL_TRY(want_text(&out->address, value, "address", ctx));
    TL_TRY(want_zipcode(out->zipcode, value, ctx));
    TL_TRY(tl_json_want_i64(&out->price_cents, value, "price_cents", ctx));
    TL_TRY(tl_json_want_i64(&out->bedrooms_hundredths, value, "bedrooms_hundredths", ctx));
    TL_TRY(tl_json_want_i64(&out->bathrooms_hundredths, value, "bathrooms_hundredths", ctx));
    return want_text(&out->status, value, "status", ctx);
}

static tl_err read_findings(tl_sheet *out, tl_arena *arena, const tl_json *value, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, value, "findings", TL_JSON_ARRAY, ctx));
    if (list->count > TL_SHEET_FINDINGS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "findings", "%u of them, above %d", list->count,
                             TL_SHEET_FINDINGS_MAX);
    }
    tl_finding *const findings = TL_NEW(arena, tl_finding, list->count);
    if (findings == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_err err = read_finding(&findings[i], &list->items[i], out->rows, ctx);
        if (err == TL_OK && i > 0 && findings[i].rule <= findings[i - 1].rule) {
            err = tl_fail_field(ctx, TL_ERR_RANGE, "rule", "findings stand by rule, each once");
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "findings[%u]", i);
            return err;
        }
    }
    out->findings = findings;
    out->finding_count = list->count;
    return TL_OK;
}

static tl_err read_samples(tl_sheet *out, tl_arena *arena, const tl_json *value, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, value, "samples", TL_JSON_ARRAY, ctx));
    if (list->count > TL_SAMPLES_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "samples", "%u of them, above %d", list->count,
                             TL_SAMPLES_MAX);
    }
    uint32_t asked = 0;
    TL_TRY(want_u32(&asked, value, "sample_asked", list->count, ctx));
    tl_sample *const samples = TL_NEW(arena, tl_sample, list->count);
    if (samples == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_err err = read_sample(&samples[i], &list->items[i], out->rows, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "samples[%u]", i);
            return err;
        }
    }
    out->samples = samples;
    out->sample_count = list->count;
    out->sample_asked = asked;
    return TL_OK;
}

static tl_err read_figures(tl_sheet *out, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(want_u32(&out->rows, value, "rows", TL_SUBMISSION_ROWS_MAX, ctx));
    TL_TRY(want_u32(&out->complete, value, "complete", out->rows, ctx));
    TL_TRY(want_u32(&out->reasonable, value, "reasonable", out->rows, ctx));
    TL_TRY(want_u32(&out->consistent, value, "consistent", out->rows, ctx));
    TL_TRY(want_u32(&out->distinct, value, "distinct", out->rows, ctx));
    TL_TRY(tl_json_want_bool(&out->passes_tier1, value, "passes_tier1", ctx));
    TL_TRY(tl_json_want_bool(&out->passes_tier2, value, "passes_tier2", ctx));
    TL_TRY(tl_json_want_bool(&out->is_synthetic, value, "synthetic", ctx));
    TL_TRY(tl_json_want_bool(&out->is_disqualified, value, "disqualified", ctx));
    TL_TRY(want_u32(&out->confidence_millionths, value, "confidence_millionths", MILLION, ctx));
    TL_TRY(want_u32(&out->data_quality_millionths, value, "data_quality_millionths", MILLION, ctx));
    TL_TRY(want_u32(&out->completeness_millionths, value, "completeness_millionths", MILLION, ctx));
    return want_u32(&out->timeliness_millionths, value, "timeliness_millionths", MILLION, ctx);
}

tl_err tl_sheet_read(tl_sheet *out, tl_arena *arena, const tl_json *value, tl_errctx *ctx)
{
    tl_sheet sheet;
    memset(&sheet, 0, sizeof sheet);
    TL_TRY(want_text(&sheet.hotkey, value, "hotkey", ctx));
    TL_TRY(want_text(&sheet.coldkey, value, "coldkey", ctx));
    tl_str hash = {NULL, 0};
    TL_TRY(tl_json_want_str(&hash, value, "content_hash", ctx));
    const tl_err err = tl_hex_decode(sheet.content_hash.b, sizeof sheet.content_hash.b, hash, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "content_hash");
        return err;
    }
    TL_TRY(tl_json_want_i64(&sheet.received_ms, value, "received_ms", ctx));
    TL_TRY(read_figures(&sheet, value, ctx));
    TL_TRY(read_findings(&sheet, arena, value, ctx));
    TL_TRY(read_samples(&sheet, arena, value, ctx));
    *out = sheet;
    return TL_OK;
}
