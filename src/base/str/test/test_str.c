/* Attacks empty views, numbers at the border, broken UTF-8, and a builder whose arena is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str/str.h"

static void empty_views_are_equal_and_first(void **state)
{
    (void)state;
    const tl_str none = {NULL, 0};
    assert_true(tl_str_eq(none, TL_STR("")));
    assert_true(tl_str_cmp(none, TL_STR("a")) < 0);
    assert_true(tl_str_cmp(TL_STR("ab"), TL_STR("a")) > 0);
    assert_true(tl_str_cmp(TL_STR("\x80"), TL_STR("a")) > 0);
    assert_int_equal(tl_str_trim(TL_STR(" \t\n")).len, 0);
    assert_true(tl_str_starts_with(TL_STR("abc"), none));
    assert_true(tl_str_ends_with(TL_STR("abc"), TL_STR("bc")));
    assert_false(tl_str_ends_with(TL_STR("c"), TL_STR("bc")));
    assert_int_equal(tl_str_slice(none, 3, 9).len, 0);
}

static void splitting_gives_each_part_once(void **state)
{
    (void)state;
    tl_str rest = TL_STR("a,,b,");
    tl_str part;
    const char *want[] = {"a", "", "b", ""};
    for (size_t i = 0; i < 4; i++) {
        assert_true(tl_str_split(&part, &rest, ','));
        assert_true(tl_str_eq_cstr(part, want[i]));
    }
    assert_false(tl_str_split(&part, &rest, ','));
}

static void integers_parse_at_the_border_and_not_beyond(void **state)
{
    (void)state;
    uint64_t u = 7;
    int64_t i = 7;
    assert_true(tl_str_parse_u64(&u, TL_STR("18446744073709551615")));
    assert_true(u == UINT64_MAX);
    assert_true(tl_str_parse_i64(&i, TL_STR("-9223372036854775808")));
    assert_true(i == INT64_MIN);
    const char *bad[] = {"",
                         "-",
                         "+1",
                         " 1",
                         "1 ",
                         "01",
                         "-0",
                         "0x1",
                         "1.0",
                         "1e3",
                         "18446744073709551616",
                         "99999999999999999999999"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_false(tl_str_parse_u64(&u, tl_str_from_cstr(bad[k])));
        assert_false(tl_str_parse_i64(&i, tl_str_from_cstr(bad[k])));
    }
    assert_false(tl_str_parse_i64(&i, TL_STR("9223372036854775808")));
    assert_false(tl_str_parse_i64(&i, TL_STR("-9223372036854775809")));
    assert_true(u == UINT64_MAX && i == INT64_MIN);
}

static void broken_utf8_is_seen(void **state)
{
    (void)state;
    const char *good[] = {"",
                          "a",
                          "\xC2\x80",
                          "\xED\x9F\xBF",
                          "\xEE\x80\x80",
                          "\xF4\x8F\xBF\xBF",
                          "\xF0\x90\x80\x80"};
    const char *bad[] = {"\x80",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",
                         "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                         "\xC2",         "\xE2\x82",         "\xC2\x61",         "\xFF"};
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        assert_true(tl_str_is_utf8(tl_str_from_cstr(good[k])));
    }
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_false(tl_str_is_utf8(tl_str_from_cstr(bad[k])));
    }
}

static void a_code_point_is_decoded_or_left_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        uint32_t code_point;
    } rows[] = {{"a", 1, 'a'},
                {"\xC2\x80", 2, 0x80},
                {"\xDF\xBF", 2, 0x7FF},
                {"\xE0\xA0\x80", 3, 0x800},
                {"\xEF\xBF\xBF", 3, 0xFFFF},
                {"\xF0\x90\x80\x80", 4, 0x10000},
                {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
                {"\xC2", 0, 77},
                {"\xED\xA0\x80", 0, 77},
                {"\x80", 0, 77}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        uint32_t code_point = 77;
        const tl_str s = tl_str_from_cstr(rows[k].text);
        assert_int_equal(tl_str_utf8_at(&code_point, s, 0), rows[k].len);
        assert_int_equal(code_point, rows[k].code_point);
        assert_int_equal(tl_str_utf8_at(NULL, s, 0), rows[k].len);
    }
    assert_int_equal(tl_str_utf8_at(NULL, TL_STR("x\xC3\xA4"), 1), 2);
}

static void a_builder_builds_and_ends_with_a_nul(void **state)
{
    (void)state; /* STR-2 */
    tl_arena *a = NULL;
    assert_int_equal(tl_arena_new(&a, NULL, 0, NULL, NULL), TL_OK);
    tl_sb sb;
    tl_sb_init(&sb, a);
    tl_sb_put_cstr(&sb, "x=");
    tl_sb_put_i64(&sb, INT64_MIN);
    tl_sb_put_char(&sb, ' ');
    tl_sb_put_u64(&sb, UINT64_MAX);
    tl_sb_put_repeat(&sb, '.', 3);
    tl_sb_printf(&sb, "%s-%d", "y", 5);
    tl_str out;
    assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_OK);
    assert_string_equal(out.ptr, "x=-9223372036854775808 18446744073709551615...y-5");
    assert_int_equal(out.len, strlen(out.ptr));
    tl_str copy;
    assert_int_equal(tl_str_copy(&copy, a, out, NULL), TL_OK);
    assert_true(tl_str_eq(copy, out) && copy.ptr != out.ptr);
    tl_arena_free(a);
}

static void a_builder_that_failed_stays_failed(void **state)
{
    (void)state; /* STR-1 */
    tl_arena *a = NULL;
    assert_int_equal(tl_arena_new(&a, NULL, 8192, NULL, NULL), TL_OK);
    tl_sb sb;
    tl_sb_init(&sb, a);
    tl_sb_put_repeat(&sb, 'a', 100000);
    tl_sb_put_cstr(&sb, "b");
    tl_str out = {NULL, 99};
    assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_ERR_LIMIT);
    assert_int_equal(out.len, 99);
    tl_arena_free(a);
}

static void what_is_wiped_is_zero_and_nothing_beside_it(void **state)
{
    (void)state;
    uint8_t bytes[9];
    memset(bytes, 7, sizeof bytes);
    tl_wipe(bytes + 1, 7);
    static const uint8_t want[9] = {7, 0, 0, 0, 0, 0, 0, 0, 7};
    assert_memory_equal(bytes, want, sizeof want);
    tl_wipe(bytes, 0);
    tl_wipe(NULL, 0);
    assert_memory_equal(bytes, want, sizeof want);
    assert_true(tl_reveal(true));
    assert_false(tl_reveal(false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_views_are_equal_and_first),
        cmocka_unit_test(splitting_gives_each_part_once),
        cmocka_unit_test(integers_parse_at_the_border_and_not_beyond),
        cmocka_unit_test(broken_utf8_is_seen),
        cmocka_unit_test(a_code_point_is_decoded_or_left_alone),
        cmocka_unit_test(a_builder_builds_and_ends_with_a_nul),
        cmocka_unit_test(a_builder_that_failed_stays_failed),
        cmocka_unit_test(what_is_wiped_is_zero_and_nothing_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
