/* kind_listings.c: the compat profile of the listings network, one submission at a time (listings oracle page).
 *
 * listings-spot-check          {code, nonce, hotkey, submission_time, n} gives text, hash, seed and the draw
 * listings-tier1               {code, expected, actual} gives the bounds (max null: none) and the verdict
 * listings-field-completeness  {code, n, incomplete} gives the rate, and the verdict by it alone
 * listings-quality             {code, listings} and now or epoch_zipcodes give rates and verdict; none without listings
 * listings-synthetic           four rates as {f64, repr} give patterns, verdict, confidence
 * listings-honeypot            {zipcodes, honeypots} gives hit; a null among the zipcodes is no key
 *
 * Where Python's exception ends the original's run, the result is {"error": its name}. */
#include "app/conformance/kind_listings.h"

#include <string.h>

#include "app/conformance/ints.h"
#include "core/codec/hex/hex.h"

/* --- reading, shared with kind_listings_epoch.c --- */

tl_err tl__listings_code(tl_compat_code *out, const tl_json *input, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, input, "code", ctx));
    if (!tl_compat_code_parse(out, text)) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "code", "unknown code \"%.*s\"",
                             TL_STR_ARG(text));
    }
    return TL_OK;
}

tl_err tl__listings_f64(double *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    tl_str hex;
    uint8_t bytes[8];
    if (value == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, field, "a double is missing");
    }
    TL_TRY(tl_json_want_str(&hex, value, "f64", ctx));
    TL_TRY(tl_hex_decode(bytes, sizeof bytes, hex, ctx));
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bits = bits << 8 | bytes[i];
    }
    memcpy(out, &bits, sizeof bits);
    return TL_OK;
}

tl_err tl__listings_texts(tl_str **out, size_t *count, tl_arena *arena, const tl_json *object,
                          const char *key, tl_errctx *ctx)
{
    const tl_json *list;
    TL_TRY(tl_json_want(&list, object, key, TL_JSON_ARRAY, ctx));
    tl_str *texts = TL_NEW(arena, tl_str, list->count);
    if (texts == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        TL_TRY(tl_json_as_str(&texts[i], &list->items[i], key, ctx));
    }
    *out = texts;
    *count = list->count;
    return TL_OK;
}

void tl__listings_put_error(tl_json_writer *out, tl_py_error error)
{
    tl_json_put_key(out, "error");
    tl_json_put_cstr(out, tl_py_error_name(error));
}

void tl__listings_put_indices(tl_json_writer *out, const char *key, const uint64_t *indices,
                              uint32_t count)
{
    tl_json_put_key(out, key);
    tl_json_put_array(out);
    for (uint32_t i = 0; i < count; i++) {
        tl_json_put_u64(out, indices[i]);
    }
    tl_json_put_end(out);
}

/* --- the kinds --- */

tl_err tl_conform_listings_spot_check(tl_json_writer *out, const tl_json *input,
                                      tl_conform_env *env, tl_errctx *ctx)
{
    tl_compat_code code;
    tl_str nonce;
    tl_str hotkey;
    tl_str time;
    uint64_t n;
    TL_TRY(tl__listings_code(&code, input, ctx));
    TL_TRY(tl_json_want_str(&nonce, input, "nonce", ctx));
    TL_TRY(tl_json_want_str(&hotkey, input, "hotkey", ctx));
    TL_TRY(tl_json_want_str(&time, input, "submission_time", ctx));
    TL_TRY(tl__int_want_u64(&n, input, "n", ctx));
    tl_str text;
    tl_compat_draw draw;
    TL_TRY(tl_compat_draw_text(&text, env->arena, nonce, hotkey, time, n, ctx));
    TL_TRY(tl_compat_draw_sample(&draw, code, text, n, env->arena, ctx));
    tl_json_put_object(out);
    tl_json_put_key(out, "seed_string");
    tl_json_put_str(out, text);
    tl_json_put_key(out, "sha256");
    tl_json_put_hex(out, draw.sha256.b, sizeof draw.sha256.b);
    tl_json_put_key(out, "seed");
    tl_json_put_u64(out, draw.seed);
    tl_json_put_key(out, "sample_size");
    tl_json_put_u64(out, draw.count);
    if (draw.error != TL_PY_OK) {
        tl__listings_put_error(out, draw.error);
    } else {
        tl__listings_put_indices(out, "drawn", draw.drawn, draw.count);
        tl__listings_put_indices(out, "indices", draw.indices, draw.count);
    }
    tl_json_put_end(out);
    return TL_OK;
}

tl_err tl__listings_expected(bool *has_expected, int64_t *out, const tl_json *input,
                             const char *key, tl_errctx *ctx)
{
    const tl_json *value = tl_json_get(input, key);
    *out = 0;
    *has_expected = value != NULL && value->kind != TL_JSON_NULL;
    return *has_expected ? tl__int_want_i64(out, input, key, ctx) : TL_OK;
}

tl_err tl_conform_listings_tier1(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                 tl_errctx *ctx)
{
    (void)env;
    tl_compat_code code;
    bool has_expected;
    int64_t expected;
    uint64_t actual;
    TL_TRY(tl__listings_code(&code, input, ctx));
    TL_TRY(tl__listings_expected(&has_expected, &expected, input, "expected", ctx));
    TL_TRY(tl__int_want_u64(&actual, input, "actual", ctx));
    if (!has_expected && code != TL_COMPAT_2025_11_26) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "expected", "code \"%s\" wants a number expected",
                             tl_compat_code_name(code));
    }
    const tl_compat_bounds bounds = tl_compat_tier1(code, has_expected, expected);
    tl_json_put_object(out);
    tl_json_put_key(out, "min");
    tl_json_put_i64(out, bounds.min);
    tl_json_put_key(out, "max");
    if (bounds.has_max) {
        tl_json_put_i64(out, bounds.max);
    } else {
        tl_json_put_null(out);
    }
    tl_json_put_key(out, "passes");
    tl_json_put_bool(out, tl_compat_tier1_passes(&bounds, actual));
    tl_json_put_end(out);
    return TL_OK;
}

tl_err tl_conform_listings_field_completeness(tl_json_writer *out, const tl_json *input,
                                              tl_conform_env *env, tl_errctx *ctx)
{
    (void)env;
    tl_compat_code code;
    uint64_t n;
    uint64_t incomplete;
    TL_TRY(tl__listings_code(&code, input, ctx));
    TL_TRY(tl__int_want_u64(&n, input, "n", ctx));
    TL_TRY(tl__int_want_u64(&incomplete, input, "incomplete", ctx));
    if (incomplete > n) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "incomplete", "more incomplete listings than n");
    }
    bool passes;
    const double rate = tl_compat_completeness(&passes, code, n, incomplete);
    tl_json_put_object(out);
    tl_json_put_key(out, "rate");
    tl_json_put_f64(out, rate);
    tl_json_put_key(out, "passes");
    tl_json_put_bool(out, passes);
    tl_json_put_end(out);
    return TL_OK;
}

/* The clock of October's validator, a time with a zone; or November's set of zipcodes, which may be missing or null. */
static tl_err read_options(tl_compat_quality_options *options, const tl_json *input,
                           tl_conform_env *env, tl_errctx *ctx)
{
    const tl_json *zipcodes = tl_json_get(input, "epoch_zipcodes");
    if (options->code != TL_COMPAT_2025_11_26) {
        tl_str text;
        tl_py_time now;
        TL_TRY(tl_json_want_str(&text, input, "now", ctx));
        if (!tl_py_fromisoformat_z(&now, text) || !now.has_zone) {
            return tl_fail_field(ctx, TL_ERR_SYNTAX, "now", "\"%.*s\" is no time with a zone",
                                 TL_STR_ARG(text));
        }
        options->now_us = now.utc_us;
        return TL_OK;
    }
    options->has_zipcodes = zipcodes != NULL && zipcodes->kind != TL_JSON_NULL;
    if (options->has_zipcodes) {
        tl_str *texts;
        TL_TRY(tl__listings_texts(&texts, &options->zipcode_count, env->arena, input,
                                  "epoch_zipcodes", ctx));
        options->zipcodes = texts;
    }
    return TL_OK;
}

tl_err tl_conform_listings_quality(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                   tl_errctx *ctx)
{
    tl_compat_quality_options options = {0};
    const tl_json *listings;
    tl_compat_rates rates;
    TL_TRY(tl__listings_code(&options.code, input, ctx));
    TL_TRY(tl_json_want(&listings, input, "listings", TL_JSON_ARRAY, ctx));
    TL_TRY(read_options(&options, input, env, ctx));
    TL_TRY(tl_compat_quality_run(&rates, listings, &options, env->arena, ctx));
    tl_json_put_object(out);
    if (rates.error != TL_PY_OK) {
        tl__listings_put_error(out, rates.error);
        tl_json_put_end(out);
        return TL_OK;
    }
    tl_json_put_key(out, "passes");
    tl_json_put_bool(out, rates.passes);
    if (rates.count != 0) {
        tl_json_put_key(out, "field_completeness");
        tl_json_put_f64(out, rates.field_completeness);
        tl_json_put_key(out, "reasonable_values");
        tl_json_put_f64(out, rates.reasonable_values);
        if (options.code == TL_COMPAT_2025_11_26) {
            tl_json_put_key(out, "epoch_compliance");
            tl_json_put_f64(out, rates.epoch_compliance);
        } else {
            tl_json_put_key(out, "data_consistency");
            tl_json_put_f64(out, rates.data_consistency);
            tl_json_put_key(out, "duplicate_rate");
            tl_json_put_f64(out, rates.duplicate_rate);
        }
    }
    tl_json_put_end(out);
    return TL_OK;
}

tl_err tl_conform_listings_synthetic(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                     tl_errctx *ctx)
{
    (void)env;
    tl_compat_anomalies rates;
    const struct {
        const char *key;
        double *rate;
    } rows[] = {{"price_anomaly_rate", &rates.price},
                {"geographic_inconsistency_rate", &rates.geography},
                {"temporal_issue_rate", &rates.time},
                {"cross_miner_duplicate_rate", &rates.duplicates}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TL_TRY(tl__listings_f64(rows[i].rate, tl_json_get(input, rows[i].key), rows[i].key, ctx));
    }
    tl_compat_synthetic verdict;
    tl_compat_synthetic_judge(&verdict, &rates);
    tl_json_put_object(out);
    tl_json_put_key(out, "patterns");
    tl_json_put_array(out);
    for (size_t i = 0; i < verdict.pattern_count; i++) {
        tl_json_put_cstr(out, verdict.patterns[i]);
    }
    tl_json_put_end(out);
    tl_json_put_key(out, "is_synthetic");
    tl_json_put_bool(out, verdict.is_synthetic);
    tl_json_put_key(out, "confidence");
    tl_json_put_f64(out, verdict.confidence);
    tl_json_put_end(out);
    return TL_OK;
}

tl_err tl_conform_listings_honeypot(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx)
{
    const tl_json *list;
    tl_str *honeypots;
    size_t honeypot_count;
    TL_TRY(tl_json_want(&list, input, "zipcodes", TL_JSON_ARRAY, ctx));
    TL_TRY(tl__listings_texts(&honeypots, &honeypot_count, env->arena, input, "honeypots", ctx));
    tl_py_value *zipcodes = TL_NEW(env->arena, tl_py_value, list->count);
    if (zipcodes == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != TL_JSON_NULL && list->items[i].kind != TL_JSON_STRING) {
            return tl_fail_field(ctx, TL_ERR_TYPE, "zipcodes", "a zipcode is text or null");
        }
        zipcodes[i] = tl_py_of_json(&list->items[i]);
    }
    tl_json_put_object(out);
    tl_json_put_key(out, "hit");
    tl_json_put_bool(out, tl_compat_honeypot_hit(zipcodes, list->count, honeypots, honeypot_count));
    tl_json_put_end(out);
    return TL_OK;
}
