/* Attacks parameters and sheets that a stranger wrote: unknown names, figures beyond their limits, indices out of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/model/model.h"

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static const tl_json *parse(tl_arena *arena, const char *text)
{
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, tl_str_from_cstr(text), NULL, NULL), TL_OK);
    return tree;
}

static tl_str params_text(tl_arena *arena, const tl_listings_params *params)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true); /* sorted: keys ascend */
    tl_listings_params_put(&w, params);
    tl_json_writer_done(&w);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static void the_defaults_are_the_specification_s(void **state)
{
    (void)state;
    tl_listings_params p;
    assert_int_equal(tl_listings_params_read(&p, NULL, NULL), TL_OK);
    assert_int_equal(p.tolerance_bp, 1500);
    assert_int_equal(p.completeness_bp_min, 9000);
    assert_int_equal(p.values_bp_min, 9500);
    assert_int_equal(p.consistency_bp_min, 9000);
    assert_int_equal(p.duplicates_bp_max, 500);
    assert_int_equal(p.sample_bp, 1000);
    assert_int_equal(p.sample_min, 3);
    assert_int_equal(p.sample_max, 10);
    assert_int_equal(p.sample_reserve, 5);
    assert_int_equal(p.spot_check_bp_min, 8000);
    assert_int_equal(p.evidence_stake_bp_min, 3333);
    assert_int_equal(p.price_z_thousandths, 3500);
    assert_int_equal(p.geography_metres, 15000);
    assert_int_equal(p.same_second_bp_max, 5000);
    assert_int_equal(p.place_bp[0] + p.place_bp[1] + p.place_bp[2] + p.participation_bp, 10000);
    assert_true(tl_rao_to_i64(p.emission) == INT64_C(1000000000000));
}

static void parameters_survive_their_text(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    tl_listings_params p;
    const char *const given =
        "{\"tolerance_bp\":0,\"place_bp\":[1,2,3],\"emission_rao\":7,\"sample_max\":9,"
        "\"burn\":\"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\"}";
    assert_int_equal(tl_listings_params_read(&p, parse(arena, given), NULL), TL_OK);
    assert_int_equal(p.tolerance_bp, 0);
    assert_int_equal(p.place_bp[2], 3);
    assert_int_equal(p.sample_max, 9);
    assert_int_equal(p.values_bp_min, 9500);
    const tl_str text = params_text(arena, &p);
    tl_listings_params again;
    assert_int_equal(tl_listings_params_read(&again, parse(arena, text.ptr), NULL), TL_OK);
    assert_true(tl_str_eq(params_text(arena, &again), text));
    assert_true(tl_hotkey_eq(&again.burn, &p.burn));
    tl_arena_free(arena);
}

static void wrong_parameters_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        tl_err err;
        const char *field;
    } cases[] = {
        {"[]", TL_ERR_TYPE, ""},
        {"{\"tolerance\":1}", TL_ERR_UNKNOWN, "tolerance"},
        {"{\"tolerance_bp\":10001}", TL_ERR_RANGE, "tolerance_bp"},
        {"{\"tolerance_bp\":-1}", TL_ERR_RANGE, "tolerance_bp"},
        {"{\"tolerance_bp\":0.5}", TL_ERR_TYPE, "tolerance_bp"},
        {"{\"geography_metres\":0}", TL_ERR_RANGE, "geography_metres"},
        {"{\"sample_max\":11}", TL_ERR_RANGE, "sample_max"},
        {"{\"sample_min\":11}", TL_ERR_RANGE, "sample_max"},
        {"{\"place_bp\":[1,2]}", TL_ERR_TYPE, "place_bp"},
        {"{\"place_bp\":[5500,3000,1001]}", TL_ERR_RANGE, "place_bp"},
        {"{\"emission_rao\":-1}", TL_ERR_RANGE, "emission_rao"},
        {"{\"burn\":\"5G\"}", TL_ERR_SYNTAX, "burn"},
    };
    tl_arena *const arena = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_listings_params p;
        const tl_err err = tl_listings_params_read(&p, parse(arena, cases[i].given), &ctx);
        if (err != cases[i].err || strcmp(ctx.field, cases[i].field) != 0) {
            fail_msg("%s: %s, field \"%s\"", cases[i].given, tl_err_name(err), ctx.field);
        }
    }
    tl_arena_free(arena);
}

#define SHEET_HEAD                                                                                 \
    "{\"coldkey\":\"c\",\"complete\":9,\"completeness_millionths\":1,\"confidence_millionths\":0," \
    "\"consistent\":10,\"content_hash\":"                                                          \
    "\"00000000000000000000000000000000000000000000000000000000000000ff\","                        \
    "\"data_quality_millionths\":1000000,\"disqualified\":false,\"distinct\":10,"
#define SHEET_MIDDLE                                                                               \
    ",\"hotkey\":\"h\",\"passes_tier1\":true,\"passes_tier2\":false,\"reasonable\":10,"            \
    "\"received_ms\":-5,\"rows\":10,"
#define SHEET_TAIL ",\"synthetic\":false,\"timeliness_millionths\":0}"
#define FINDING(rule, indices)                                                                     \
    "{\"count\":1,\"indices\":" indices                                                            \
    ",\"peer\":\"\",\"rate_millionths\":100000,\"rule\":\"" rule "\"}"
#define SAMPLE(index)                                                                              \
    "{\"address\":\"1 OAK ST\",\"bathrooms_hundredths\":-1,\"bedrooms_hundredths\":300,"           \
    "\"identity\":\"zpid:1\",\"index\":" index ",\"price_cents\":5,\"status\":\"\","               \
    "\"zipcode\":\"98103\"}"
#define SHEET(findings, samples)                                                                   \
    SHEET_HEAD "\"findings\":[" findings "]" SHEET_MIDDLE                                          \
               "\"sample_asked\":1,\"samples\":[" samples "]" SHEET_TAIL

static void sheets_survive_their_text(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    const char *const text =
        SHEET(FINDING("completeness", "[3]") "," FINDING("copy", "[0,9]"), SAMPLE("9"));
    tl_sheet sheet;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_sheet_read(&sheet, arena, parse(arena, text), &ctx);
    assert_string_equal(ctx.message, "");
    assert_int_equal(err, TL_OK);
    assert_int_equal(sheet.finding_count, 2);
    assert_int_equal(sheet.findings[1].rule, TL_LISTING_COPY);
    assert_int_equal(sheet.samples[0].index, 9); /* LIST-2: rows are named by their index */
    tl_sb sb;
    tl_json_writer w;
    tl_str again = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_sheet_put(&w, &sheet);
    assert_int_equal(tl_sb_finish(&again, &sb, NULL), TL_OK);
    assert_string_equal(again.ptr, text);
    tl_arena_free(arena);
}

static void wrong_sheets_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err err;
        const char *field;
    } cases[] = {
        {"{}", TL_ERR_MISSING, "hotkey"},
        {SHEET(FINDING("nonsense", "[]"), SAMPLE("1")), TL_ERR_UNKNOWN, "findings[0].rule"},
        {SHEET(FINDING("copy", "[10]"), SAMPLE("1")), TL_ERR_RANGE, "findings[0].indices"},
        {SHEET(FINDING("copy", "[2,2]"), SAMPLE("1")), TL_ERR_RANGE, "findings[0].indices"},
        {SHEET(FINDING("copy", "[0.5]"), SAMPLE("1")), TL_ERR_TYPE, /* LIST-1: integers */
         "findings[0].indices"},
        {SHEET(FINDING("copy", "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"), SAMPLE("1")),
         TL_ERR_LIMIT, "findings[0].indices"},
        {SHEET(FINDING("copy", "[]") "," FINDING("copy", "[]"), SAMPLE("1")), TL_ERR_RANGE,
         "findings[1].rule"},
        {SHEET("", SAMPLE("10")), TL_ERR_RANGE, "samples[0].index"},
        {SHEET("", ""), TL_ERR_RANGE, "sample_asked"},
    };
    tl_arena *const arena = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_sheet sheet;
        const tl_err err = tl_sheet_read(&sheet, arena, parse(arena, cases[i].text), &ctx);
        if (err != cases[i].err || strcmp(ctx.field, cases[i].field) != 0) {
            fail_msg("%s: %s, field \"%s\"", cases[i].text, tl_err_name(err), ctx.field);
        }
    }
    tl_arena_free(arena);
}

static void rules_and_fields_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TL_LISTING_RULE_COUNT; i++) {
        tl_listing_rule rule;
        const char *const name = tl_listing_rule_name((tl_listing_rule)i);
        assert_true(tl_listing_rule_parse(&rule, tl_str_from_cstr(name)));
        assert_int_equal(rule, i);
    }
    tl_listing_rule rule;
    assert_false(tl_listing_rule_parse(&rule, TL_STR("Late")));
    assert_string_equal(tl_listing_field_key(TL_FIELD_SCRAPED_TIMESTAMP), "scraped_timestamp");
    assert_int_equal(TL_FIELD_SCRAPED_TIMESTAMP, TL_LISTING_FIELDS_ASKED - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_specification_s),
        cmocka_unit_test(parameters_survive_their_text),
        cmocka_unit_test(wrong_parameters_are_named),
        cmocka_unit_test(sheets_survive_their_text),
        cmocka_unit_test(wrong_sheets_are_named),
        cmocka_unit_test(rules_and_fields_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
