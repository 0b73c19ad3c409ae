#include "core/num/fixed/fixed.h"

#include "base/error/error.h"

_Static_assert(-1 >> 1 == -1, "a shift to the right floors"); /* FX-1 */

static tl_u128 magnitude(tl_i128 a)
{
    return a < 0 ? (tl_u128)0 - (tl_u128)a : (tl_u128)a;
}

tl_i32f32 tl_i32f32_div_or_zero(tl_i32f32 a, tl_i32f32 b)
{
    if (b == 0) {
        return 0;
    }
    const tl_i128 wide = (tl_i128)a * TL_I32F32_ONE / b;
    return wide > INT64_MAX || wide < INT64_MIN ? 0 : (tl_i32f32)wide; /* FX-2 */
}

tl_i32f32 tl_i32f32_div_saturating(tl_i32f32 a, tl_i32f32 b)
{
    TL_ASSERT(b != 0);
    return tl_i64_saturate((tl_i128)a * TL_I32F32_ONE / b);
}

tl_i32f32 tl_i32f32_round(tl_i32f32 a)
{
    const tl_i128 up = (tl_i128)magnitude(a) + TL_I32F32_HALF;
    const tl_i128 whole = up >> 32 << 32;
    return tl_i64_saturate(a < 0 ? -whole : whole);
}

/* The chain's own constant: e with 23 fraction bits. */
#define E_RAW ((tl_i32f32)11674931200)

enum { EXP_TERM_LAST = 31 };

/* ceil(2^64 / i), which is (2^64 + e) / i with e < i: term * it / 2^64 is term / i and less than term / 2^64 more. A
 * quotient is at least 1 / i below the next integer, so for every term below 2^64 / i the floor is that of term / i. */
#define INVERSE(i) (UINT64_MAX / (i) + 1)
static const uint64_t inverses[EXP_TERM_LAST + 1] = {
    0,           0,           (uint64_t)1 << 63, INVERSE(3),  (uint64_t)1 << 62, INVERSE(5),
    INVERSE(6),  INVERSE(7),  (uint64_t)1 << 61, INVERSE(9),  INVERSE(10),       INVERSE(11),
    INVERSE(12), INVERSE(13), INVERSE(14),       INVERSE(15), (uint64_t)1 << 60, INVERSE(17),
    INVERSE(18), INVERSE(19), INVERSE(20),       INVERSE(21), INVERSE(22),       INVERSE(23),
    INVERSE(24), INVERSE(25), INVERSE(26),       INVERSE(27), INVERSE(28),       INVERSE(29),
    INVERSE(30), INVERSE(31),
};

/* Up to here no term passes 2^47 before its division, and the sum stays below 2^47 too. */
#define EXP_QUICK_MAX ((uint64_t)10 << 32)

/* The series for y in (0, 10]: what liquid alpha asks for half a million times an epoch. */
static uint64_t exp_quick(uint64_t y)
{
    uint64_t sum = (uint64_t)TL_I32F32_ONE + y;
    uint64_t term = y;
    for (unsigned i = 2; i <= EXP_TERM_LAST && term != 0; i++) {
        term = (uint64_t)(((tl_u128)term * y) >> 32);
        term = (uint64_t)(((tl_u128)term * inverses[i]) >> 64);
        sum += term;
    }
    return sum;
}

/* The series for any y > 0. All terms are positive: what passes the type shows in 128 bits. 0: overflow. */
static uint64_t exp_any(uint64_t y)
{
    tl_u128 sum = (tl_u128)TL_I32F32_ONE + y;
    tl_u128 term = y;
    for (unsigned i = 2; i <= EXP_TERM_LAST && term != 0; i++) {
        term = (term * y) >> 32;
        if (term > INT64_MAX) {
            return 0;
        }
        term = (uint64_t)term / i;
        sum += term;
    }
    return sum > INT64_MAX ? 0 : (uint64_t)sum;
}

tl_i32f32 tl_i32f32_exp(tl_i32f32 x, bool *overflow)
{
    *overflow = false;
    if (x == 0) {
        return TL_I32F32_ONE;
    }
    if (x == TL_I32F32_ONE) {
        return E_RAW;
    }
    const uint64_t y = (uint64_t)magnitude(x);
    const uint64_t sum = y <= EXP_QUICK_MAX ? exp_quick(y) : exp_any(y);
    if (sum == 0) {
        *overflow = true;
        return 0;
    }
    return x > 0 ? (tl_i32f32)sum : tl_i32f32_inverse((tl_i32f32)sum);
}

tl_i32f32 tl_i32f32_exp_safe(tl_i32f32 x)
{
    const tl_i32f32 limit = tl_i32f32_from_int(20);
    const tl_i32f32 clamped = tl_i32f32_clamp(x, -limit, limit);
    bool overflow;
    const tl_i32f32 result = tl_i32f32_exp(clamped, &overflow);
    if (overflow) { /* not reachable within the clamp; kept as the chain has it */
        return clamped <= 0 ? 0 : INT64_MAX;
    }
    return result;
}

tl_i64f64 tl_i64f64_add(tl_i64f64 a, tl_i64f64 b)
{
    tl_i64f64 r;
    return __builtin_add_overflow(a, b, &r) ? (a < 0 ? TL_I64F64_MIN : TL_I64F64_MAX) : r;
}

tl_i64f64 tl_i64f64_div_or_zero(tl_i64f64 a, tl_i64f64 b)
{
    if (b == 0) {
        return 0;
    }
    const tl_u128 above = magnitude(a);
    const tl_u256 shifted = {{0, (uint64_t)above, (uint64_t)(above >> 64), 0}};
    const bool is_negative = (a < 0) != (b < 0);
    tl_u128 quotient;
    if (!tl_u256_to_u128(&quotient, tl_u256_div_floor(NULL, shifted, magnitude(b)))) {
        return 0;
    }
    const tl_u128 most = (tl_u128)TL_I64F64_MAX + (is_negative ? 1 : 0);
    if (quotient > most) {
        return 0;
    }
    return is_negative ? (tl_i64f64)((tl_u128)0 - quotient) : (tl_i64f64)quotient;
}

tl_u64f64 tl_u64f64_ratio(uint64_t part, uint64_t whole)
{
    TL_ASSERT(whole != 0 && part <= whole);
    return ((tl_u128)part << 64) / whole;
}
