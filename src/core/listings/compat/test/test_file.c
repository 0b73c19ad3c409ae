/* Attacks the reading of a submission's file in one pass: it must judge as the tree does (on the vectors' own listings),
 * take what json.loads takes, and name the listing that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/compat/compat.h"

#define GOLDEN   TL_SOURCE_ROOT "/src/core/listings/compat/test/golden/listings-quality.json"
#define FILE_CAP ((size_t)1 << 20)
#define NOW_US   INT64_C(1759521600000000) /* 2025-10-03T20:00:00Z, as in the vectors */

static int begin(void **state)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    *state = arena;
    return 0;
}

static int end(void **state)
{
    tl_arena_free(*state);
    return 0;
}

static const tl_json *golden_cases(tl_arena *arena)
{
    char *text = TL_NEW(arena, char, FILE_CAP);
    FILE *file = fopen(GOLDEN, "rb");
    assert_non_null(file);
    const size_t len = fread(text, 1, FILE_CAP, file);
    fclose(file);
    const tl_json *root = NULL;
    assert_int_equal(tl_json_parse(&root, arena, (tl_str){text, len}, NULL, NULL), TL_OK);
    const tl_json *cases = tl_json_get(root, "cases");
    assert_in_range(cases->count, 50, 1000);
    return cases;
}

static tl_str file_of(tl_arena *arena, const tl_json *listings)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 1, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "zipcode");
    tl_json_put_cstr(&w, "98103");
    tl_json_put_key(&w, "listings");
    tl_json_put_tree(&w, listings);
    tl_json_put_end(&w);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static void one_pass_judges_as_the_tree_does(void **state)
{
    tl_arena *arena = *state;
    const tl_json *cases = golden_cases(arena);
    for (uint32_t i = 0; i < cases->count; i++) {
        const tl_json *input = tl_json_get(&cases->items[i], "input");
        const tl_json *listings = tl_json_get(input, "listings");
        const tl_str zipcodes[] = {TL_STR("98103")};
        tl_compat_quality_options options = {
            .now_us = NOW_US, .has_zipcodes = true, .zipcodes = zipcodes, .zipcode_count = 1};
        assert_true(tl_compat_code_parse(&options.code, tl_json_get(input, "code")->text));
        tl_compat_rates want;
        tl_compat_check have;
        const tl_str text = file_of(arena, listings);
        assert_int_equal(tl_compat_quality_run(&want, listings, &options, arena, NULL), TL_OK);
        assert_int_equal(
            tl_compat_check_files(&have, &text, 1, true, listings->count, &options, arena, NULL),
            TL_OK);
        assert_int_equal(have.rates.count, listings->count);
        assert_int_equal(have.rates.error, want.error);
        assert_int_equal(have.rates.passes, want.passes);
        assert_true(have.rates.field_completeness == want.field_completeness &&
                    have.rates.reasonable_values == want.reasonable_values &&
                    have.rates.data_consistency == want.data_consistency &&
                    have.rates.duplicate_rate == want.duplicate_rate &&
                    have.rates.epoch_compliance == want.epoch_compliance);
        const bool is_nothing = options.code == TL_COMPAT_2025_11_26 && listings->count == 0;
        assert_int_equal(have.failed_at_tier, is_nothing ? 1 : want.passes ? 0 : 2);
    }
}

static tl_err read_one(tl_compat_file *file, tl_compat_rates *rates, void **state, const char *text,
                       tl_errctx *ctx)
{
    tl_arena *scratch = NULL;
    tl_compat_quality quality;
    const tl_compat_quality_options options = {.now_us = NOW_US};
    assert_int_equal(tl_arena_new(&scratch, *state, 0, NULL, NULL), TL_OK);
    tl_compat_quality_init(&quality, *state, &options);
    const tl_err err = tl_compat_file_read(file, &quality, tl_str_from_cstr(text), scratch, ctx);
    tl_compat_quality_finish(rates, &quality);
    return err; /* scratch dies with the state */
}

static void the_file_says_whose_it_is(void **state)
{
    tl_compat_file file;
    tl_compat_rates rates;
    assert_int_equal(read_one(&file, &rates, state,
                              "{\"miner_hotkey\":\"5\\u0047\",\"extra\":{\"listings\":[1,{}]},"
                              "\"listings\":[{\"address\":\"\\u0041\",\"price\":[1,{\"a\":NaN}]},"
                              "{\"address\":\"a\",\"price\":\"[1, {'a': nan}]\",\"more\":[[]]}],"
                              "\"submission_timestamp\":\"t\",\"zipcode\":98103}",
                              NULL),
                     TL_OK);
    assert_true(tl_str_eq_cstr(file.hotkey, "5G") && tl_str_eq_cstr(file.time, "t"));
    assert_int_equal(file.zipcode.len, 0); /* a number names no zipcode */
    assert_int_equal(file.count, 2);
    assert_true(rates.duplicate_rate == 0.5);
}

static void of_equal_keys_the_last_counts(void **state)
{
    tl_compat_file file;
    tl_compat_rates rates;
    assert_int_equal(
        read_one(&file, &rates, state,
                 "{\"listings\":[{\"address\":null,\"address\":\"x\",\"bedrooms\":Infinity,"
                 "\"bedrooms\":3}]}",
                 NULL),
        TL_OK);
    assert_int_equal(rates.error, TL_PY_OK);
    assert_true(rates.reasonable_values == 1.0);
}

static void what_is_no_submission_is_refused(void **state)
{
    const struct {
        const char *text;
        tl_err err;
        const char *field;
    } cases[] = {
        {"[]", TL_ERR_TYPE, ""},
        {"{}", TL_ERR_MISSING, "listings"},
        {"{\"listings\":{}}", TL_ERR_TYPE, "listings"},
        {"{\"listings\":[{},7]}", TL_ERR_TYPE, "listings[1]"},
        {"{\"listings\":[],\"listings\":[]}", TL_ERR_DUPLICATE, "listings"},
        {"{\"listings\":[{\"price\":[}]}", TL_ERR_SYNTAX, "listings[0]"},
        {"{\"listings\":[]} x", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"address\":\"\\ud800\"}]}", TL_ERR_ENCODING, "listings[0]"},
        {"", TL_ERR_SYNTAX, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_compat_file file = {.count = 77};
        tl_compat_rates rates;
        const tl_err err = read_one(&file, &rates, state, cases[i].text, &ctx);
        if (err != cases[i].err || strcmp(ctx.field, cases[i].field) != 0) {
            fail_msg("%s: %s \"%s\"", cases[i].text, tl_err_name(err), ctx.field);
        }
        assert_int_equal(file.count, 77);
    }
}

static void digits_without_end_are_refused(void **state)
{
    static char text[TL_PY_INT_DIGITS_MAX + 64];
    const char *head = "{\"listings\":[{\"x\":[";
    memset(text, '1', sizeof text - 1);
    memcpy(text, head, strlen(head));
    memcpy(text + strlen(head) + TL_PY_INT_DIGITS_MAX, "]}]}", 5);
    tl_compat_file file;
    tl_compat_rates rates;
    assert_int_equal(read_one(&file, &rates, state, text, NULL), TL_OK);
    memcpy(text + strlen(head) + TL_PY_INT_DIGITS_MAX, "1]}]}", 6);
    assert_int_equal(read_one(&file, &rates, state, text, NULL), TL_ERR_RANGE);
}

static void several_files_are_one_submission(void **state)
{
    const tl_str files[] = {TL_STR("{\"listings\":[{\"address\":\"x\"}]}"),
                            TL_STR("{\"listings\":[{\"address\":\"x\"},{\"address\":\"y\"}]}")};
    const tl_str broken[] = {files[0], TL_STR("{\"listings\":[{]}")};
    const tl_compat_quality_options options = {.now_us = NOW_US};
    tl_compat_check check;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_compat_check_files(&check, files, 2, true, 100, &options, *state, NULL),
                     TL_OK);
    assert_int_equal(check.failed_at_tier, 1);
    assert_int_equal(check.bounds.max, 114);
    assert_int_equal(check.rates.count, 3);
    assert_true(check.rates.duplicate_rate > 0.33 && check.rates.duplicate_rate < 0.34);
    assert_int_equal(tl_compat_check_files(&check, broken, 2, true, 100, &options, *state, &ctx),
                     TL_ERR_SYNTAX);
    assert_string_equal(ctx.field, "files[1].listings[0]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pass_judges_as_the_tree_does),
        cmocka_unit_test(the_file_says_whose_it_is),
        cmocka_unit_test(of_equal_keys_the_last_counts),
        cmocka_unit_test(what_is_no_submission_is_refused),
        cmocka_unit_test(digits_without_end_are_refused),
        cmocka_unit_test(several_files_are_one_submission),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
