/* Attacks amounts at the ends of 64 bits, text at the border of what is an amount, and splits of nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena/arena.h"
#include "core/num/money/money.h"

static tl_rao rao(int64_t amount)
{
    return tl_rao_from_i64(amount);
}

static void sums_fit_or_fail_and_leave_the_result_alone(void **state)
{
    (void)state; /* MONEY-1 */
    tl_rao r = rao(7);
    assert_int_equal(tl_rao_add(&r, rao(INT64_MAX), rao(1), NULL), TL_ERR_OVERFLOW);
    assert_int_equal(tl_rao_sub(&r, rao(INT64_MIN), rao(1), NULL), TL_ERR_OVERFLOW);
    assert_int_equal(tl_rao_neg(&r, rao(INT64_MIN), NULL), TL_ERR_OVERFLOW);
    const tl_rao most[] = {rao(INT64_MAX), rao(INT64_MAX), rao(-INT64_MAX), rao(1)};
    assert_int_equal(tl_rao_sum(&r, most, 4, NULL), TL_ERR_OVERFLOW);
    assert_int_equal(tl_rao_to_i64(r), 7);
    assert_int_equal(tl_rao_sum(&r, most, 3, NULL), TL_OK); /* past the border on the way */
    assert_true(tl_rao_eq(r, rao(INT64_MAX)));
    assert_int_equal(tl_rao_sum(&r, NULL, 0, NULL), TL_OK);
    assert_true(tl_rao_is_zero(r));
    assert_int_equal(tl_rao_add(&r, rao(INT64_MAX), rao(INT64_MIN), NULL), TL_OK);
    assert_true(tl_rao_eq(r, rao(-1)) && tl_rao_is_negative(r));
    assert_true(tl_rao_cmp(rao(-1), TL_RAO_ZERO) < 0 && tl_rao_cmp(rao(2), rao(1)) > 0);
    assert_true(tl_rao_eq(tl_rao_min(rao(1), rao(-2)), rao(-2)));
    assert_true(tl_rao_eq(tl_rao_max(rao(1), rao(-2)), rao(1)));
}

static void an_overflow_names_both_amounts(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_rao r = TL_RAO_ZERO;
    assert_int_equal(tl_rao_add(&r, rao(INT64_MAX), rao(5), &ctx), TL_ERR_OVERFLOW);
    assert_string_equal(ctx.message, "9223372036854775807 + 5 rao does not fit");
}

static void quotients_go_down_on_both_sides_of_zero(void **state)
{
    (void)state; /* MONEY-1 */
    tl_rao r = TL_RAO_ZERO;
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(7), 1, 2, NULL), TL_OK);
    assert_int_equal(tl_rao_to_i64(r), 3);
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(-7), 1, 2, NULL), TL_OK);
    assert_int_equal(tl_rao_to_i64(r), -4);
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(-8), 1, 2, NULL), TL_OK);
    assert_int_equal(tl_rao_to_i64(r), -4);
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(INT64_MIN), UINT64_MAX, UINT64_MAX, NULL), TL_OK);
    assert_true(tl_rao_to_i64(r) == INT64_MIN);
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(INT64_MAX), UINT64_MAX, UINT64_MAX - 1, NULL),
                     TL_OK);
    assert_true(tl_rao_to_i64(r) == INT64_MAX); /* one and a bit below 2^63: the floor just fits */
    r = rao(7);
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(INT64_MAX), 2, 1, NULL), TL_ERR_OVERFLOW);
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(INT64_MIN), 2, 1, NULL), TL_ERR_OVERFLOW);
    assert_int_equal(tl_rao_mul_div_floor(&r, rao(1), 1, 0, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_rao_to_i64(r), 7);
}

static void the_rest_goes_out_in_order_past_those_without_weight(void **state)
{
    (void)state; /* MONEY-2 MONEY-3 */
    tl_rao out[4];
    const uint64_t weights[4] = {0, 1, 2, 4};
    assert_int_equal(tl_rao_split_pro_rata(out, rao(100), weights, 4, NULL, NULL), TL_OK);
    const int64_t plain[4] = {0, 15, 28, 57};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tl_rao_to_i64(out[i]), plain[i]);
    }
    const size_t order[4] = {0, 3, 2, 1};
    assert_int_equal(tl_rao_split_pro_rata(out, rao(100), weights, 4, order, NULL), TL_OK);
    const int64_t ordered[4] = {0, 14, 28, 58};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tl_rao_to_i64(out[i]), ordered[i]);
    }
}

static void a_split_of_nothing_or_among_nobody(void **state)
{
    (void)state;
    tl_rao out[2] = {rao(7), rao(7)};
    const uint64_t none[2] = {0, 0};
    assert_int_equal(tl_rao_split_pro_rata(out, rao(1), none, 2, NULL, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_rao_split_pro_rata(out, rao(1), NULL, 0, NULL, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_rao_split_pro_rata(out, rao(-1), none, 2, NULL, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_rao_to_i64(out[0]), 7);
    assert_int_equal(tl_rao_split_pro_rata(out, TL_RAO_ZERO, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_rao_split_pro_rata(out, TL_RAO_ZERO, none, 2, NULL, NULL), TL_OK);
    assert_true(tl_rao_is_zero(out[0]) && tl_rao_is_zero(out[1]));
    const uint64_t huge[2] = {UINT64_MAX, UINT64_MAX};
    assert_int_equal(tl_rao_split_pro_rata(out, rao(INT64_MAX), huge, 2, NULL, NULL), TL_OK);
    assert_true(tl_rao_to_i64(out[0]) == INT64_MAX / 2 + 1);
    assert_true(tl_rao_to_i64(out[1]) == INT64_MAX / 2);
}

typedef struct text_case {
    const char *text;
    tl_err err;
    int64_t amount;
} text_case;

static void text_at_the_border_of_an_amount(void **state)
{
    (void)state; /* MONEY-5 */
    const text_case cases[] = {
        {"0", TL_OK, 0},
        {"1", TL_OK, TL_RAO_PER_TAO},
        {"1.5", TL_OK, 1500000000},
        {"-0.000000001", TL_OK, -1},
        {"0.100000000", TL_OK, 100000000},
        {"9223372036.854775807", TL_OK, INT64_MAX},
        {"-9223372036.854775808", TL_OK, INT64_MIN},
        {"9223372036.854775808", TL_ERR_RANGE, 0},
        {"-9223372036.854775809", TL_ERR_RANGE, 0},
        {"92233720369", TL_ERR_RANGE, 0},
        {"-99999999999999999999999999", TL_ERR_RANGE, 0},
        {"99999999999999999999999999.9", TL_ERR_RANGE, 0},
        {"", TL_ERR_SYNTAX, 0},
        {"-", TL_ERR_SYNTAX, 0},
        {".", TL_ERR_SYNTAX, 0},
        {"1.", TL_ERR_SYNTAX, 0},
        {".5", TL_ERR_SYNTAX, 0},
        {"+1", TL_ERR_SYNTAX, 0},
        {" 1", TL_ERR_SYNTAX, 0},
        {"1 ", TL_ERR_SYNTAX, 0},
        {"01", TL_ERR_SYNTAX, 0},
        {"00.5", TL_ERR_SYNTAX, 0},
        {"-0", TL_ERR_SYNTAX, 0},
        {"-0.000000000", TL_ERR_SYNTAX, 0},
        {"1.0000000001", TL_ERR_SYNTAX, 0},
        {"1e9", TL_ERR_SYNTAX, 0},
        {"1,5", TL_ERR_SYNTAX, 0},
        {"1.5.5", TL_ERR_SYNTAX, 0},
        {"--1", TL_ERR_SYNTAX, 0},
        {"99999999999999999999999999x", TL_ERR_SYNTAX, 0},
        {"0x10", TL_ERR_SYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_rao r = rao(7);
        assert_int_equal(tl_rao_parse(&r, tl_str_from_cstr(cases[i].text), NULL), cases[i].err);
        assert_true(tl_rao_to_i64(r) == (cases[i].err == TL_OK ? cases[i].amount : 7));
    }
}

static void amounts_print_with_nine_places(void **state)
{
    (void)state; /* MONEY-5 */
    const text_case cases[] = {{"0.000000000", TL_OK, 0},
                               {"-0.000000001", TL_OK, -1},
                               {"1.000000000", TL_OK, TL_RAO_PER_TAO},
                               {"9223372036.854775807", TL_OK, INT64_MAX},
                               {"-9223372036.854775808", TL_OK, INT64_MIN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_arena *arena;
        assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_rao_print(&sb, rao(cases[i].amount));
        tl_str text;
        assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
        assert_string_equal(text.ptr, cases[i].text);
        tl_arena_free(arena);
    }
}

static void wide_numbers_refuse_what_does_not_fit(void **state)
{
    (void)state;
    const tl_u128 most = ~(tl_u128)0;
    tl_u128 r = 7;
    assert_int_equal(tl_u128_mul_div_floor(&r, most, most, most, NULL), TL_OK);
    assert_true(r == most);
    r = 7;
    assert_int_equal(tl_u128_mul_div_floor(&r, most, most, most - 1, NULL), TL_ERR_OVERFLOW);
    assert_int_equal(tl_u128_mul_div_floor(&r, 1, 1, 0, NULL), TL_ERR_RANGE);
    assert_true(r == 7);
    const tl_u256 top = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    const tl_u256 one = tl_u256_from_u128(1);
    tl_u256 w = one;
    assert_false(tl_u256_add(&w, top, one));
    assert_false(tl_u256_sub(&w, one, top));
    assert_int_equal(tl_u256_cmp(w, one), 0);
    assert_true(tl_u256_sub(&w, top, one) && tl_u256_cmp(w, top) < 0);
    assert_true(tl_u256_add(&w, w, one) && tl_u256_cmp(w, top) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_fit_or_fail_and_leave_the_result_alone),
        cmocka_unit_test(an_overflow_names_both_amounts),
        cmocka_unit_test(quotients_go_down_on_both_sides_of_zero),
        cmocka_unit_test(the_rest_goes_out_in_order_past_those_without_weight),
        cmocka_unit_test(a_split_of_nothing_or_among_nobody),
        cmocka_unit_test(text_at_the_border_of_an_amount),
        cmocka_unit_test(amounts_print_with_nine_places),
        cmocka_unit_test(wide_numbers_refuse_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
