/* Attacks the reading of values with what CPython 3.11 itself gave for some thousand texts (test/golden/python.json):
 * blanks and digits of other scripts, underscores, roundings at the edges of a double, dates that end where nobody
 * expects it, sigmas at the ends of words. Floats are the bits of big-endian hex, times "micros zone aware". */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/pyvalue/pyvalue.h"

#define GOLDEN   TL_SOURCE_ROOT "/src/core/listings/pyvalue/test/golden/python.json"
#define FILE_CAP ((size_t)1 << 20)

typedef struct world {
    tl_arena *arena;
    const tl_json *golden;
} world;

static int begin(void **state)
{
    static world w;
    assert_int_equal(tl_arena_new(&w.arena, NULL, 0, NULL, NULL), TL_OK);
    char *text = TL_NEW(w.arena, char, FILE_CAP);
    FILE *file = fopen(GOLDEN, "rb");
    assert_non_null(file);
    const size_t len = fread(text, 1, FILE_CAP, file);
    fclose(file);
    assert_in_range(len, 1, FILE_CAP - 1);
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_json_parse(&w.golden, w.arena, (tl_str){text, len}, NULL, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    *state = &w;
    return 0;
}

static int end(void **state)
{
    tl_arena_free(((world *)*state)->arena);
    return 0;
}

static const tl_json *rows_of(void **state, const char *name, uint32_t count_min)
{
    const tl_json *rows = tl_json_get(((world *)*state)->golden, name);
    assert_non_null(rows);
    assert_in_range(rows->count, count_min, 100000);
    return rows;
}

static void assert_text(const tl_json *row, const char *have)
{
    if (!tl_str_eq_cstr(row->items[1].text, have)) {
        fail_msg("\"%.*s\": wanted %.*s, is %s", TL_STR_ARG(row->items[0].text),
                 TL_STR_ARG(row->items[1].text), have);
    }
}

static tl_py_value text_value(tl_str text)
{
    return (tl_py_value){.kind = TL_PY_STR, .text = text};
}

static void float_text(char out[64], tl_py_value value)
{
    double number = 77;
    const tl_py_error error = tl_py_float(&number, value);
    if (error != TL_PY_OK) {
        assert_true(number == 77); /* PY-1 */
        snprintf(out, 64, "%s", tl_py_error_name(error));
    } else if (number != number) {
        snprintf(out, 64, "nan");
    } else {
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        snprintf(out, 64, "%016llx", (unsigned long long)bits);
    }
}

static void int_text(char out[64], tl_py_value value)
{
    int64_t number = 77;
    const tl_py_error error = tl_py_int(&number, value);
    if (error != TL_PY_OK) {
        assert_int_equal(number, 77); /* PY-1 */
        snprintf(out, 64, "%s", tl_py_error_name(error));
    } else {
        snprintf(out, 64, "%lld", (long long)number);
    }
}

static void text_reads_as_float_reads_it(void **state)
{
    const tl_json *rows = rows_of(state, "float", 190);
    for (uint32_t i = 0; i < rows->count; i++) {
        char have[64];
        float_text(have, text_value(rows->items[i].items[0].text));
        assert_text(&rows->items[i], have);
    }
}

static void text_reads_as_int_reads_it(void **state)
{
    const tl_json *rows = rows_of(state, "int", 140);
    for (uint32_t i = 0; i < rows->count; i++) {
        char have[64];
        int_text(have, text_value(rows->items[i].items[0].text));
        assert_text(&rows->items[i], have);
    }
}

static void long_numbers_are_read_to_the_last_digit(void **state)
{
    (void)state;
    static char text[8192];
    double number;
    int64_t whole;
    /* halfway between 1 and the next double, and one digit behind 1000 zeros above it */
    const char *half = "1.00000000000000011102230246251565404236316680908203125";
    const size_t len = strlen(half);
    memcpy(text, half, len);
    assert_int_equal(tl_py_float(&number, text_value((tl_str){text, len})), TL_PY_OK);
    assert_true(number == 1.0);
    memset(text + len, '0', 1000);
    text[len + 1000] = '1';
    assert_int_equal(tl_py_float(&number, text_value((tl_str){text, len + 1001})), TL_PY_OK);
    assert_true(number == 0x1.0000000000001p0);
    /* 1 and 5000 zeros, brought back by its exponent */
    memset(text, '0', sizeof text);
    text[0] = '1';
    memcpy(text + 5001, "e-5000", 6);
    assert_int_equal(tl_py_float(&number, text_value((tl_str){text, 5007})), TL_PY_OK);
    assert_true(number == 1.0);
    /* int() takes 4300 digits, leading zeros counted */
    memset(text, '0', sizeof text);
    text[TL_PY_INT_DIGITS_MAX - 1] = '7';
    assert_int_equal(tl_py_int(&whole, text_value((tl_str){text, TL_PY_INT_DIGITS_MAX})), TL_PY_OK);
    assert_int_equal(whole, 7);
    assert_int_equal(tl_py_int(&whole, text_value((tl_str){text, TL_PY_INT_DIGITS_MAX + 1})),
                     TL_PY_ValueError);
    assert_true(tl_py_is_loadable(tl_py_of_number((tl_str){text, TL_PY_INT_DIGITS_MAX})));
    assert_false(tl_py_is_loadable(tl_py_of_number((tl_str){text, TL_PY_INT_DIGITS_MAX + 1})));
}

static void values_have_pythons_text_truth_and_numbers(void **state)
{
    const world *w = *state;
    const tl_json *rows = rows_of(state, "value", 70);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        const tl_json *tree = NULL;
        const tl_json_options options = {.allow_nonfinite = true};
        char have[64];
        assert_int_equal(tl_json_parse(&tree, w->arena, row->items[0].text, &options, NULL), TL_OK);
        const tl_py_value value = tl_py_of_json(tree);
        tl_sb sb;
        tl_str text;
        tl_sb_init(&sb, w->arena);
        tl_py_str_put(&sb, value);
        assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
        if (!tl_str_eq(text, row->items[1].text)) {
            fail_msg("%.*s: wanted %.*s, is %.*s", TL_STR_ARG(row->items[0].text),
                     TL_STR_ARG(row->items[1].text), TL_STR_ARG(text));
        }
        assert_int_equal(tl_py_truth(value), row->items[2].boolean);
        float_text(have, value);
        assert_true(tl_str_eq_cstr(row->items[3].text, have));
        int_text(have, value);
        assert_true(tl_str_eq_cstr(row->items[4].text, have));
    }
}

static void nan_and_infinity_of_json_are_floats(void **state)
{
    (void)state;
    double number;
    int64_t whole;
    const tl_py_value nan = tl_py_of_number(TL_STR("NaN"));
    const tl_py_value low = tl_py_of_number(TL_STR("-Infinity"));
    assert_int_equal(nan.kind, TL_PY_FLOAT);
    assert_int_equal(tl_py_float(&number, nan), TL_PY_OK);
    assert_true(number != number);
    assert_int_equal(tl_py_int(&whole, nan), TL_PY_ValueError);
    assert_int_equal(tl_py_float(&number, low), TL_PY_OK);
    assert_true(number < -1e308);
    assert_int_equal(tl_py_int(&whole, low), TL_PY_OverflowError);
    assert_true(tl_py_truth(nan) && tl_py_truth(low));
}

static void nothing_is_no_number(void **state)
{
    (void)state;
    double number = 3;
    int64_t whole = 3;
    const tl_py_kind kinds[] = {TL_PY_MISSING, TL_PY_NONE, TL_PY_LIST, TL_PY_DICT};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const tl_py_value value = {.kind = kinds[i]};
        assert_int_equal(tl_py_float(&number, value), TL_PY_TypeError);
        assert_int_equal(tl_py_int(&whole, value), TL_PY_TypeError);
        assert_false(tl_py_truth(value));
    }
    assert_true(number == 3 && whole == 3); /* PY-1 */
    assert_int_equal(tl_py_int(&whole, (tl_py_value){.kind = TL_PY_TRUE}), TL_PY_OK);
    assert_int_equal(whole, 1);
}

static void times_are_those_of_fromisoformat(void **state)
{
    const tl_json *rows = rows_of(state, "fromisoformat", 340);
    for (uint32_t i = 0; i < rows->count; i++) {
        char have[96] = "bad";
        tl_py_time time = {1, 2, true};
        if (tl_py_fromisoformat_z(&time, rows->items[i].items[0].text)) {
            /* PY-2: 0001-01-01 to 9999-12-31, give or take a zone */
            assert_in_range(time.utc_us + INT64_C(62135596800000000) + TL_PY_DAY_US, 0,
                            UINT64_C(315537897600000000) + 2 * (uint64_t)TL_PY_DAY_US);
            snprintf(have, sizeof have, "%lld %lld %d", (long long)time.utc_us,
                     (long long)time.zone_us, time.has_zone);
        } else {
            assert_true(time.utc_us == 1 && time.zone_us == 2 && time.has_zone); /* PY-1 */
        }
        assert_text(&rows->items[i], have);
    }
}

static void a_bare_z_is_a_zone_at_the_end_alone(void **state)
{
    (void)state;
    tl_py_time time;
    assert_true(tl_py_fromisoformat(&time, TL_STR("2025-09-30T10:00:00Z")));
    assert_true(time.has_zone && time.zone_us == 0);
    assert_false(tl_py_fromisoformat(&time, TL_STR("2025-09-30Z")));
    assert_true(tl_py_fromisoformat_z(&time, TL_STR("2025-09-30Z")));
    assert_false(time.has_zone);
    assert_false(tl_py_fromisoformat(&time, TL_STR("2025-09-30T10:00:00Z0")));
}

/* PY-3: a run of digits is skipped, whatever its length; any other text that is too long is refused at once. */
static void endless_text_is_read_or_refused(void **state)
{
    (void)state;
    static char text[1 << 16];
    tl_py_time time;
    memset(text, '7', sizeof text);
    memcpy(text, "2025-09-30T10:00:00.", 20);
    assert_true(tl_py_fromisoformat(&time, (tl_str){text, sizeof text}));
    assert_int_equal(time.utc_us % 1000000, 777777);
    memcpy(text + sizeof text - 6, "+01:00", 6);
    assert_true(tl_py_fromisoformat(&time, (tl_str){text, sizeof text}));
    assert_int_equal(time.zone_us, INT64_C(3600000000));
    memset(text, ':', sizeof text);
    memcpy(text, "2025-09-30T10", 13);
    assert_false(tl_py_fromisoformat(&time, (tl_str){text, sizeof text}));
}

static void lower_case_is_unicode_14s(void **state)
{
    const world *w = *state;
    const tl_json *rows = rows_of(state, "lower", 120);
    for (uint32_t i = 0; i < rows->count; i++) {
        tl_sb sb;
        tl_str low;
        tl_sb_init(&sb, w->arena);
        tl_py_lower_put(&sb, tl_py_strip(rows->items[i].items[0].text));
        assert_int_equal(tl_sb_finish(&low, &sb, NULL), TL_OK);
        assert_text(&rows->items[i], low.ptr);
    }
}

static void five_digits_that_stand_alone_are_found(void **state)
{
    const tl_json *rows = rows_of(state, "zipcode", 90);
    size_t found = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *want = &rows->items[i].items[1];
        tl_str have = TL_STR("untouched");
        if (tl_py_find_zipcode(&have, rows->items[i].items[0].text)) {
            found++;
            assert_int_equal(want->kind, TL_JSON_STRING);
            assert_true(tl_str_eq(have, want->text));
        } else {
            assert_int_equal(want->kind, TL_JSON_NULL);
            assert_true(tl_str_eq_cstr(have, "untouched")); /* PY-1 */
        }
    }
    assert_in_range(found, 10, rows->count - 10);
}

static void blank_is_what_strip_leaves_nothing_of(void **state)
{
    (void)state;
    const tl_str blanks =
        TL_STR("\t\n\v\f\r\x1c\x1d\x1e\x1f \xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80"
               "\xe2\x80\x8a\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80");
    assert_true(tl_py_is_blank(text_value(blanks)));
    assert_int_equal(tl_py_strip(blanks).len, 0);
    assert_false(tl_py_is_blank(text_value(TL_STR(" \xe2\x80\x8b ")))); /* zero width is no blank */
    assert_int_equal(tl_py_strip(TL_STR(" \xe2\x80\x8b ")).len, 3);
    assert_true(tl_py_is_blank(text_value(TL_STR(""))));
    assert_true(tl_py_is_blank((tl_py_value){0}));
    assert_false(tl_py_is_blank((tl_py_value){.kind = TL_PY_NONE})); /* str(None) is a word */
    assert_false(tl_py_is_blank((tl_py_value){.kind = TL_PY_LIST}));
    const tl_str torn =
        TL_STR("\x80 x \xe3\x80"); /* no UTF-8: no blank, and no step beyond the ends */
    assert_int_equal(tl_py_strip(torn).len, torn.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_reads_as_float_reads_it),
        cmocka_unit_test(text_reads_as_int_reads_it),
        cmocka_unit_test(long_numbers_are_read_to_the_last_digit),
        cmocka_unit_test(values_have_pythons_text_truth_and_numbers),
        cmocka_unit_test(nan_and_infinity_of_json_are_floats),
        cmocka_unit_test(nothing_is_no_number),
        cmocka_unit_test(times_are_those_of_fromisoformat),
        cmocka_unit_test(a_bare_z_is_a_zone_at_the_end_alone),
        cmocka_unit_test(endless_text_is_read_or_refused),
        cmocka_unit_test(lower_case_is_unicode_14s),
        cmocka_unit_test(five_digits_that_stand_alone_are_found),
        cmocka_unit_test(blank_is_what_strip_leaves_nothing_of),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
