/* listings_compat.c: 'tally listings check --profile compat': one object as the original's Python judges it. */
#include <string.h>

#include "app/cli/listings_check.h"

#define FINDINGS_MAX 5

/* A rule of the original speaks; it names no rows. */
static void accuse(tl_finding *findings, size_t *count, tl_listing_rule rule, uint64_t rows,
                   double rate)
{
    findings[(*count)++] = (tl_finding){
        .rule = rule, .count = (uint32_t)rows, .rate_millionths = (uint32_t)(rate * 1e6 + 0.5)};
}

/* The thresholds are the versions' own (listings oracle page); the verdict is compat's, these only say why. */
static void find_reasons(tl_app_check_line *out, tl_finding *findings, tl_compat_code code,
                         const tl_compat_rates *r, bool passes_tier1, double share)
{
    const bool is_november = code == TL_COMPAT_2025_11_26;
    size_t n = 0;
    if (!passes_tier1) {
        accuse(findings, &n, TL_LISTING_QUANTITY, r->count, share);
    }
    if (r->count != 0 && r->field_completeness < (is_november ? 0.70 : 0.90)) {
        accuse(findings, &n, TL_LISTING_COMPLETENESS, r->count, 1.0 - r->field_completeness);
    }
    if (r->count != 0 && r->reasonable_values < (is_november ? 0.80 : 0.95)) {
        accuse(findings, &n, TL_LISTING_VALUES, r->count, 1.0 - r->reasonable_values);
    }
    const double consistency = is_november ? r->epoch_compliance : r->data_consistency;
    if (r->count != 0 && consistency < (is_november ? 0.60 : 0.90)) {
        accuse(findings, &n, TL_LISTING_CONSISTENCY, r->count, 1.0 - consistency);
    }
    if (!is_november && r->duplicate_rate > 0.05) {
        accuse(findings, &n, TL_LISTING_DUPLICATES, r->count, r->duplicate_rate);
    }
    TL_ASSERT(n <= FINDINGS_MAX);
    out->findings = findings;
    out->finding_count = n;
}

static void put_rates(tl_app_check_line *out, tl_compat_code code, const tl_compat_rates *r,
                      double share)
{
    tl_app_check_add_rate(out, "quantity", share);
    tl_app_check_add_rate(out, "completeness", r->field_completeness);
    tl_app_check_add_rate(out, "values", r->reasonable_values);
    if (code == TL_COMPAT_2025_11_26) {
        tl_app_check_add_rate(out, "in_epoch", r->epoch_compliance);
        out->data_quality =
            (r->field_completeness + r->reasonable_values + r->epoch_compliance) / 3;
    } else {
        tl_app_check_add_rate(out, "consistency", r->data_consistency);
        tl_app_check_add_rate(out, "duplicates", r->duplicate_rate);
        out->data_quality = (r->field_completeness + r->reasonable_values + r->data_consistency +
                             (r->count != 0 ? 1 - r->duplicate_rate : 0)) /
                            4;
    }
    out->completeness = share > 1 ? 1 : share;
}

/* The object's listings, or why there are none. */
static const tl_json *read_listings(tl_app_check_line *out, tl_arena *arena, tl_str object)
{
    const tl_json_options options = {.allow_duplicate_keys = true, .allow_nonfinite = true};
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_json *tree = NULL;
    const tl_json *listings = NULL;
    tl_err err = tl_json_parse(&tree, arena, object, &options, &why);
    if (err == TL_OK) {
        err = tl_json_want(&listings, tree, "listings", TL_JSON_ARRAY, &why);
    }
    if (err != TL_OK &&
        tl_str_copy(&out->error, arena, tl_str_from_cstr(why.message), NULL) != TL_OK) {
        out->error = tl_str_from_cstr(tl_err_text(err));
    }
    return listings;
}

tl_err tl_app_check_compat(tl_app_check_line *out, tl_arena *arena, tl_str object,
                           tl_compat_code code, tl_str zipcode, uint32_t expected, int64_t now_ms,
                           tl_errctx *ctx)
{
    tl_finding *const findings = TL_NEW(arena, tl_finding, FINDINGS_MAX);
    if (findings == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const tl_json *const listings = read_listings(out, arena, object);
    out->tier = 1;
    if (listings == NULL) {
        return TL_OK;
    }
    const tl_compat_quality_options options = {.code = code,
                                               .now_us = now_ms * 1000,
                                               .has_zipcodes = true,
                                               .zipcodes = &zipcode,
                                               .zipcode_count = 1};
    tl_compat_rates rates;
    memset(&rates, 0, sizeof rates);
    const tl_err err = tl_compat_quality_run(&rates, listings, &options, arena, ctx);
    if (err == TL_ERR_TYPE) {
        out->error = TL_STR("a listing is no object");
        return TL_OK;
    }
    if (err != TL_OK) {
        return err;
    }
    const tl_compat_bounds bounds = tl_compat_tier1(code, true, expected);
    const bool passes_tier1 = tl_compat_tier1_passes(&bounds, listings->count);
    const double share = expected != 0 ? (double)listings->count / expected : 0;
    out->error = tl_str_from_cstr(tl_py_error_name(rates.error));
    out->tier = !passes_tier1 ? 1 : rates.error != TL_PY_OK || !rates.passes ? 2 : 0;
    out->passes = out->tier == 0;
    put_rates(out, code, &rates, share);
    find_reasons(out, findings, code, &rates, passes_tier1, share);
    return TL_OK;
}
