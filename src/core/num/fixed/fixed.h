/* fixed: the chain's fixed-point numbers as raw integers, with its rounding to the bit.
 * For         Yuma, stake weights, prices: whatever must equal the chain's own arithmetic (chain spec 1.1)
 * Takes       raw integers: value * 2^F, F fraction bits     Gives    the same
 * Calls       core/num/money (its wide integers)        Called by   core/consensus, core/chain
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  FX-1 mul rounds toward minus infinity, div toward zero, from_wide toward minus infinity
 *             FX-2 a result that does not fit saturates, or is 0 where the name says or_zero; nothing wraps but
 *             tl_i32f32_add_wrapping
 *             FX-3 tl_ratio_of() equals the 128-bit division bit for bit
 * Read        this header; then fixed.c for the divisions that need more than 128 bits
 *
 *      name      storage   sign   integer bits   fraction bits F
 *      I32F32    64        yes    32             32      weights, shares, consensus, bonds
 *      I64F64    128       yes    64             64      stake before normalising
 *      I96F32    128       yes    96             32      emission amounts
 *      U64F64    128       no     64             64      shares of the pool, of a mechanism
 *      U96F32    128       no     96             32      coinbase, stake proportions
 *
 * Why plain integers and not structs of one: these are arrays of hundreds of thousands of cells in hot loops, and the
 * code reads like the chain's formulas; the typedef says the format, the suffix _raw in a name says that it is raw.
 */
#ifndef TALLY_CORE_NUM_FIXED_H
#define TALLY_CORE_NUM_FIXED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error/error.h"
#include "core/num/money/money.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int64_t tl_i32f32;
typedef tl_i128 tl_i64f64;
typedef tl_i128 tl_i96f32;
typedef tl_u128 tl_u64f64;
typedef tl_u128 tl_u96f32;

#define TL_I32F32_ONE  ((tl_i32f32)4294967296)
#define TL_I32F32_HALF ((tl_i32f32)2147483648)
#define TL_I64F64_MAX  ((tl_i64f64)(((tl_u128)1 << 127) - 1))
#define TL_I64F64_MIN  (-TL_I64F64_MAX - 1)

/* Clamp a 128-bit value into 64 bits: FX-2. */
static inline int64_t tl_i64_saturate(tl_i128 wide)
{
    return wide > INT64_MAX ? INT64_MAX : wide < INT64_MIN ? INT64_MIN : (int64_t)wide;
}

/* --- I32F32 --- */

static inline tl_i32f32 tl_i32f32_from_int(int32_t value)
{
    return (tl_i32f32)value * TL_I32F32_ONE;
}

static inline tl_i32f32 tl_i32f32_add(tl_i32f32 a, tl_i32f32 b)
{
    tl_i32f32 r;
    return __builtin_add_overflow(a, b, &r) ? (a < 0 ? INT64_MIN : INT64_MAX) : r;
}

static inline tl_i32f32 tl_i32f32_sub(tl_i32f32 a, tl_i32f32 b)
{
    tl_i32f32 r;
    return __builtin_sub_overflow(a, b, &r) ? (a < 0 ? INT64_MIN : INT64_MAX) : r;
}

/* The runtime's plain sums: two's complement, no check. */
static inline tl_i32f32 tl_i32f32_add_wrapping(tl_i32f32 a, tl_i32f32 b)
{
    return (tl_i32f32)((uint64_t)a + (uint64_t)b);
}

/* (a * b) >> 32, the shift arithmetic (FX-1); saturates. */
static inline tl_i32f32 tl_i32f32_mul(tl_i32f32 a, tl_i32f32 b)
{
    return tl_i64_saturate(((tl_i128)a * b) >> 32);
}

/* As tl_i32f32_mul, but 0 when the product does not fit. */
static inline tl_i32f32 tl_i32f32_mul_or_zero(tl_i32f32 a, tl_i32f32 b)
{
    const tl_i128 wide = ((tl_i128)a * b) >> 32;
    return wide > INT64_MAX || wide < INT64_MIN ? 0 : (tl_i32f32)wide;
}

/* (a << 32) / b toward zero; 0 when b is 0 or the quotient does not fit. */
tl_i32f32 tl_i32f32_div_or_zero(tl_i32f32 a, tl_i32f32 b);

/* 1 / a toward zero for a >= 1: one 64-bit division. */
static inline tl_i32f32 tl_i32f32_inverse(tl_i32f32 a)
{
    const uint64_t divisor =
        (uint64_t)a; /* 2^64 / a is one more than (2^64 - 1) / a when a divides it */
    return (tl_i32f32)(UINT64_MAX / divisor + (UINT64_MAX % divisor == divisor - 1));
}

/* (a << 32) / b toward zero; saturates; b is not 0. */
tl_i32f32 tl_i32f32_div_saturating(tl_i32f32 a, tl_i32f32 b);

static inline tl_i32f32 tl_i32f32_clamp(tl_i32f32 value, tl_i32f32 low, tl_i32f32 high)
{
    const tl_i32f32 below = value < high ? value : high;
    return below > low ? below : low; /* low wins when low > high, as in the chain */
}

/* Nearest integer, ties away from zero, still as I32F32; saturates. */
tl_i32f32 tl_i32f32_round(tl_i32f32 a);

/* floor, saturated into the type: a negative value gives 0. */
static inline uint16_t tl_i32f32_to_u16(tl_i32f32 a)
{
    const int64_t whole = a >> 32;
    return whole < 0 ? 0 : whole > UINT16_MAX ? UINT16_MAX : (uint16_t)whole;
}

static inline uint64_t tl_i32f32_to_u64(tl_i32f32 a)
{
    return a < 0 ? 0 : (uint64_t)(a >> 32);
}

/* u16(floor(a * 65535)): truncated, never rounded. Whatever is above 1 saturates, so 64 bits suffice. */
static inline uint16_t tl_i32f32_to_u16_proportion(tl_i32f32 a)
{
    const int64_t share = a < 0 ? 0 : a > TL_I32F32_ONE ? TL_I32F32_ONE : a;
    return (uint16_t)(((uint64_t)share * UINT16_MAX) >> 32);
}

/* share / 65535 of a u16: 2^32 = 65535 * 65537 + 1, so the division needs none. */
static inline tl_i32f32 tl_i32f32_from_u16_proportion(uint16_t share)
{
    return (tl_i32f32)share * 65537 + (share == UINT16_MAX ? 1 : 0);
}

/* e^x by the chain's series: x = 0 and x = 1 are constants, 30 terms else, each truncated. Sets *overflow when a step
 * does not fit (the result is then meaningless). */
tl_i32f32 tl_i32f32_exp(tl_i32f32 x, bool *overflow);

/* e^x with x clamped to [-20, 20]. */
tl_i32f32 tl_i32f32_exp_safe(tl_i32f32 x);

/* --- tl_ratio: many divisions by one divisor, without dividing --- */

/* tl_ratio: a divisor and its reciprocal, made a little too small. One double multiplication then estimates
 * (a << 32) / b from below: a <= b keeps the quotient at most 2^32, the four roundings on the way cost less than 2^-50 of
 * it, which the reciprocal gives away beforehand, so the estimate is the quotient or one less. An exact remainder modulo
 * 2^64 says which. About 2 ns where the 128-bit division takes 10 to 30. */
typedef struct tl_ratio {
    tl_i32f32 divisor;
    double reciprocal;
} tl_ratio;

#define TL_RATIO_DIVISOR_MAX                                                                       \
    ((tl_i32f32)1 << 62) /* exclusive: the remainder, below 2b, fits 64 bits */

/* divisor in (0, TL_RATIO_DIVISOR_MAX) */
static inline tl_ratio tl_ratio_make(tl_i32f32 divisor)
{
    return (tl_ratio){divisor, 4294967296.0 / (double)divisor * (1.0 - 0x1p-50)};
}

/* (a << 32) / divisor toward zero; 0 <= a <= divisor, nothing else. FX-3: the rest says which of two it is. */
static inline tl_i32f32 tl_ratio_of(tl_i32f32 a, tl_ratio ratio)
{
    const int64_t estimate = (int64_t)((double)a * ratio.reciprocal);
    const uint64_t rest = ((uint64_t)a << 32) - (uint64_t)estimate * (uint64_t)ratio.divisor;
    const tl_i32f32 quotient = estimate + (rest >= (uint64_t)ratio.divisor);
    TL_VERIFY(quotient == (tl_i32f32)(((tl_u128)a << 32) / (tl_u128)ratio.divisor)); /* FX-3 */
    return quotient;
}

/* --- 128 bits --- */

static inline tl_i64f64 tl_i64f64_from_u64(uint64_t value)
{
    return (tl_i64f64)(value > INT64_MAX ? (uint64_t)INT64_MAX : value) << 64;
}

tl_i64f64 tl_i64f64_add(tl_i64f64 a, tl_i64f64 b); /* saturates */

/* (a << 64) / b toward zero, over 192 bits; 0 when b is 0 or the quotient does not fit. */
tl_i64f64 tl_i64f64_div_or_zero(tl_i64f64 a, tl_i64f64 b);

/* Drop the low 32 bits (floor), saturate. */
static inline tl_i32f32 tl_i32f32_from_i64f64(tl_i64f64 a)
{
    return tl_i64_saturate(a >> 32);
}

/* floor, saturated into u64. */
static inline uint64_t tl_i64f64_to_u64(tl_i64f64 a)
{
    return a < 0 ? 0 : (uint64_t)(a >> 64);
}

/* share * amount in I96F32, floored to u64: raw * amount >> 32, exact in 128 bits; a negative share gives 0. */
static inline uint64_t tl_i32f32_amount(tl_i32f32 share, uint64_t amount)
{
    const tl_i128 wide = ((tl_i128)share * (tl_i128)amount) >> 32;
    return wide < 0 ? 0 : wide > (tl_i128)UINT64_MAX ? UINT64_MAX : (uint64_t)wide;
}

/* a u64 proportion of 2^64 - 1 as U96F32: 32 fraction bits are all that is left of it. */
static inline tl_u96f32 tl_u96f32_from_u64_proportion(uint64_t share)
{
    return ((tl_u128)share << 32) / UINT64_MAX;
}

/* part / whole as U64F64; part <= whole, whole > 0. */
tl_u64f64 tl_u64f64_ratio(uint64_t part, uint64_t whole);

/* floor(amount * share) for share <= 1. */
static inline uint64_t tl_u64f64_amount(uint64_t amount, tl_u64f64 share)
{
    const uint64_t whole = (uint64_t)(share >> 64);
    return whole != 0 ? amount : (uint64_t)(((tl_u128)amount * (uint64_t)share) >> 64);
}

#ifdef __cplusplus
}
#endif

#endif
