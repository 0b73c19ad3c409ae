/* Fixed point against plain 128-bit arithmetic written out here. Attacked: the direction of each rounding, every edge of
 * every type, the division by reciprocals (FX-3), the exponential's short form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/num/fixed/fixed.h"
#include "core/num/rng/rng.h"

#define ONE TL_I32F32_ONE

/* A taste for edges: small, large, powers of two and their neighbours, both signs. */
static int64_t edgy(tl_xoshiro *rng)
{
    const uint64_t bits = tl_xoshiro_next(rng);
    const unsigned shift = (unsigned)(bits & 63);
    switch (bits >> 6 & 7) {
    case 0:
        return (int64_t)((uint64_t)1 << shift);
    case 1:
        return (int64_t)(((uint64_t)1 << shift) - 1);
    case 2:
        return (int64_t)(0 - ((uint64_t)1 << shift));
    case 3:
        return (int64_t)(bits >> 9 & 3);
    default:
        return (int64_t)(tl_xoshiro_next(rng) >> shift) * ((bits >> 10 & 1) != 0 ? 1 : -1);
    }
}

/* floor and truncation, spelled out. */
static tl_i128 floor_shift(tl_i128 a, unsigned bits)
{
    const tl_i128 unit = (tl_i128)1 << bits;
    const tl_i128 quotient = a / unit;
    return a % unit < 0 ? quotient - 1 : quotient;
}

static int64_t saturated(tl_i128 a)
{
    return a > INT64_MAX ? INT64_MAX : a < INT64_MIN ? INT64_MIN : (int64_t)a;
}

static void mul_floors_and_saturates(void **state)
{
    (void)state;
    assert_int_equal(tl_i32f32_mul(-1, 1), -1); /* FX-1: toward minus infinity */
    assert_int_equal(tl_i32f32_mul(INT64_MAX, INT64_MAX), INT64_MAX);
    assert_int_equal(tl_i32f32_mul(INT64_MIN, INT64_MAX), INT64_MIN);
    assert_int_equal(tl_i32f32_mul_or_zero(INT64_MAX, 2 * ONE), 0); /* FX-2 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    for (int i = 0; i < 200000; i++) {
        const int64_t a = edgy(&rng);
        const int64_t b = edgy(&rng);
        const tl_i128 wide = floor_shift((tl_i128)a * b, 32);
        assert_int_equal(tl_i32f32_mul(a, b), saturated(wide));
        assert_int_equal(tl_i32f32_mul_or_zero(a, b), saturated(wide) == wide ? (int64_t)wide : 0);
        assert_int_equal(tl_i32f32_add(a, b), saturated((tl_i128)a + b));
        assert_int_equal(tl_i32f32_sub(a, b), saturated((tl_i128)a - b));
        assert_int_equal(tl_i32f32_add_wrapping(a, b),
                         (int64_t)(uint64_t)((uint64_t)a + (uint64_t)b));
    }
}

static void div_truncates_and_gives_zero_where_it_cannot(void **state)
{
    (void)state;
    assert_int_equal(tl_i32f32_div_or_zero(-1, 3 * ONE), 0); /* FX-1: toward zero */
    assert_int_equal(tl_i32f32_div_or_zero(ONE, 0), 0);
    assert_int_equal(tl_i32f32_div_or_zero(INT64_MAX, 1), 0); /* FX-2 */
    assert_int_equal(tl_i32f32_div_saturating(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(tl_i32f32_div_saturating(INT64_MIN, 1), INT64_MIN);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 2);
    for (int i = 0; i < 200000; i++) {
        const int64_t a = edgy(&rng);
        const int64_t b = edgy(&rng);
        if (b != 0) {
            const tl_i128 wide = (tl_i128)a * ONE / b;
            assert_int_equal(tl_i32f32_div_saturating(a, b), saturated(wide));
            assert_int_equal(tl_i32f32_div_or_zero(a, b),
                             saturated(wide) == wide ? (int64_t)wide : 0);
        }
    }
}

static void a_ratio_equals_the_division(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 3);
    for (int i = 0; i < 400000; i++) {
        const int64_t b = (edgy(&rng) & (TL_RATIO_DIVISOR_MAX - 1)) | (i % 3 == 0);
        if (b == 0) {
            continue;
        }
        const tl_ratio ratio = tl_ratio_make(b);
        const int64_t candidates[] = {
            0,     1,         b,
            b - 1, b / 2,     (b + 1) / 2,
            b / 3, b - b / 3, (int64_t)(tl_xoshiro_next(&rng) % (uint64_t)b)};
        for (size_t k = 0; k < sizeof candidates / sizeof *candidates; k++) {
            const int64_t a = candidates[k] <= b ? candidates[k] : b;
            assert_int_equal(tl_ratio_of(a, ratio), (int64_t)((tl_i128)a * ONE / b)); /* FX-3 */
        }
    }
    for (int64_t b = 1; b <= 400; b++) { /* all of it, in the small */
        for (int64_t a = 0; a <= b; a++) {
            assert_int_equal(tl_ratio_of(a, tl_ratio_make(b)), (int64_t)((tl_i128)a * ONE / b));
        }
    }
}

static void proportions_of_u16_are_exact(void **state)
{
    (void)state;
    for (int64_t share = 0; share <= UINT16_MAX; share++) {
        const int64_t raw = tl_i32f32_from_u16_proportion((uint16_t)share);
        assert_int_equal(raw, (share << 32) / UINT16_MAX);
        /* Truncated both ways: all but 0 and 65535 come back one lower. */
        const uint16_t back = tl_i32f32_to_u16_proportion(raw);
        assert_int_equal(back, share == 0 || share == UINT16_MAX ? share : share - 1);
    }
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 4);
    for (int i = 0; i < 100000; i++) {
        const int64_t a = edgy(&rng);
        const int64_t scaled = tl_i32f32_mul(a, tl_i32f32_from_int(UINT16_MAX));
        assert_int_equal(tl_i32f32_to_u16_proportion(a), tl_i32f32_to_u16(scaled));
    }
    assert_int_equal(tl_i32f32_to_u16(-1), 0);
    assert_int_equal(tl_i32f32_to_u16(INT64_MAX), UINT16_MAX);
    assert_int_equal(tl_i32f32_to_u64(-ONE), 0);
}

static void rounding_ties_go_away_from_zero(void **state)
{
    (void)state;
    assert_int_equal(tl_i32f32_round(ONE / 2), ONE);
    assert_int_equal(tl_i32f32_round(-ONE / 2), -ONE);
    assert_int_equal(tl_i32f32_round(ONE / 2 - 1), 0);
    assert_int_equal(tl_i32f32_round(-ONE / 2 + 1), 0);
    assert_int_equal(tl_i32f32_round(ONE + ONE / 2), 2 * ONE);
    assert_int_equal(tl_i32f32_round(INT64_MAX), INT64_MAX);
}

/* The series as the spec writes it: no short form, no table. */
static int64_t exp_as_written(int64_t x)
{
    if (x == 0) {
        return ONE;
    }
    if (x == ONE) {
        return 11674931200;
    }
    const tl_i128 y = x < 0 ? -(tl_i128)x : x;
    tl_i128 result = ONE + y;
    tl_i128 term = y;
    for (int i = 2; i <= 31; i++) {
        term = (term * y) >> 32;
        term = (term << 32) / ((tl_i128)i << 32);
        result += term;
    }
    return (int64_t)(x < 0 ? ((tl_i128)ONE << 32) / result : result);
}

static void the_exponential_is_the_series_of_the_spec(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 5);
    const int64_t limit = 20 * ONE;
    for (int i = 0; i < 60000; i++) {
        const uint64_t bits = tl_xoshiro_next(&rng);
        int64_t x = (int64_t)(bits % (uint64_t)(2 * limit + 1)) - limit;
        x = i % 4 == 0 ? x >> (bits >> 58) : x;
        assert_int_equal(tl_i32f32_exp_safe(x), exp_as_written(x));
    }
    const int64_t edges[] = {0, 1, -1, ONE, -ONE, 10 * ONE, -10 * ONE, 10 * ONE + 1, -10 * ONE - 1};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        assert_int_equal(tl_i32f32_exp_safe(edges[i]), exp_as_written(edges[i]));
    }
    assert_int_equal(tl_i32f32_exp_safe(INT64_MAX), exp_as_written(limit));
    assert_int_equal(tl_i32f32_exp_safe(INT64_MIN), exp_as_written(-limit));
    bool overflow;
    assert_int_equal(tl_i32f32_exp(40 * ONE, &overflow), 0);
    assert_true(overflow);
}

/* (|a| << 64) / |b|, bit by bit; true when it is below 2^127, the sign aside. */
static bool long_division(tl_u128 *out, tl_u128 a, tl_u128 b)
{
    tl_u128 rest = 0;
    tl_u128 quotient = 0;
    bool fits = true;
    for (int bit = 191; bit >= 0; bit--) {
        const bool top = rest >> 127 != 0;
        rest = rest << 1 | (bit >= 64 ? a >> (bit - 64) & 1 : 0);
        fits &= quotient >> 126 == 0;
        quotient <<= 1;
        if (top || rest >= b) {
            rest -= b;
            quotient |= 1;
        }
    }
    *out = quotient;
    return fits;
}

static void the_wide_division_is_the_long_one(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 6);
    for (int i = 0; i < 20000; i++) {
        const tl_i128 a = (tl_i128)edgy(&rng) * ((tl_i128)1 << (i % 63)) + edgy(&rng);
        const tl_i128 b = (tl_i128)edgy(&rng) * ((tl_i128)1 << (i % 61)) + edgy(&rng);
        if (b == 0) {
            assert_true(tl_i64f64_div_or_zero(a, b) == 0);
            continue;
        }
        tl_u128 quotient;
        const bool fits =
            long_division(&quotient, (tl_u128)(a < 0 ? -a : a), (tl_u128)(b < 0 ? -b : b));
        const tl_i128 expected = !fits                ? 0
                                 : (a < 0) != (b < 0) ? -(tl_i128)quotient
                                                      : (tl_i128)quotient;
        assert_true(tl_i64f64_div_or_zero(a, b) == expected);
    }
    const tl_i128 one = (tl_i128)1 << 64;
    assert_true(tl_i64f64_div_or_zero(TL_I64F64_MIN, one) == TL_I64F64_MIN);
    assert_true(tl_i64f64_div_or_zero(TL_I64F64_MIN, -one) == 0); /* FX-2 */
    assert_true(tl_i64f64_add(TL_I64F64_MAX, 1) == TL_I64F64_MAX);
    assert_true(tl_i64f64_add(TL_I64F64_MIN, -1) == TL_I64F64_MIN);
    assert_true(tl_i64f64_from_u64(UINT64_MAX) == (tl_i128)INT64_MAX << 64);
}

static void amounts_floor_and_never_go_below_zero(void **state)
{
    (void)state;
    assert_int_equal(tl_i32f32_amount(ONE, UINT64_MAX), UINT64_MAX);
    assert_int_equal(tl_i32f32_amount(ONE - 1, 1), 0);
    assert_int_equal(tl_i32f32_amount(-1, UINT64_MAX), 0);
    assert_int_equal(tl_i32f32_amount(INT64_MAX, UINT64_MAX), UINT64_MAX);
    assert_true(tl_u64f64_ratio(7, 7) == (tl_u128)1 << 64);
    assert_int_equal(tl_u64f64_amount(UINT64_MAX, (tl_u128)1 << 64), UINT64_MAX);
    assert_int_equal(tl_u64f64_amount(10, tl_u64f64_ratio(1, 3)), 3);
    assert_true(tl_u96f32_from_u64_proportion(971718665099567868) == 226245882);
    assert_true(tl_u96f32_from_u64_proportion(UINT64_MAX) == (tl_u128)ONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mul_floors_and_saturates),
        cmocka_unit_test(div_truncates_and_gives_zero_where_it_cannot),
        cmocka_unit_test(a_ratio_equals_the_division),
        cmocka_unit_test(proportions_of_u16_are_exact),
        cmocka_unit_test(rounding_ties_go_away_from_zero),
        cmocka_unit_test(the_exponential_is_the_series_of_the_spec),
        cmocka_unit_test(the_wide_division_is_the_long_one),
        cmocka_unit_test(amounts_floor_and_never_go_below_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
