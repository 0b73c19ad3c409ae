/* 256-bit products and quotients, in digits of 64 bits. */
#include "core/num/money/money.h"

static uint64_t low64(tl_u128 a)
{
    return (uint64_t)a;
}

static uint64_t high64(tl_u128 a)
{
    return (uint64_t)(a >> 64);
}

tl_u256 tl_u256_from_u128(tl_u128 a)
{
    const tl_u256 r = {{low64(a), high64(a), 0, 0}};
    return r;
}

bool tl_u256_to_u128(tl_u128 *out, tl_u256 a)
{
    if (a.w[2] != 0 || a.w[3] != 0) {
        return false;
    }
    *out = ((tl_u128)a.w[1] << 64) | a.w[0];
    return true;
}

tl_u256 tl_u256_mul(tl_u128 a, tl_u128 b)
{
    const tl_u128 ll = (tl_u128)low64(a) * low64(b);
    const tl_u128 lh = (tl_u128)low64(a) * high64(b);
    const tl_u128 hl = (tl_u128)high64(a) * low64(b);
    const tl_u128 hh = (tl_u128)high64(a) * high64(b);
    const tl_u128 mid = (tl_u128)high64(ll) + low64(lh) + low64(hl); /* below 3 * 2^64 */
    const tl_u128 top = hh + high64(lh) + high64(hl) + high64(mid);
    const tl_u256 r = {{low64(ll), low64(mid), low64(top), high64(top)}};
    return r;
}

bool tl_u256_add(tl_u256 *out, tl_u256 a, tl_u256 b)
{
    tl_u256 r;
    tl_u128 carry = 0;
    for (size_t i = 0; i < 4; i++) {
        carry += (tl_u128)a.w[i] + b.w[i];
        r.w[i] = low64(carry);
        carry >>= 64;
    }
    if (carry != 0) {
        return false;
    }
    *out = r;
    return true;
}

bool tl_u256_sub(tl_u256 *out, tl_u256 a, tl_u256 b)
{
    tl_u256 r;
    uint64_t borrow = 0;
    for (size_t i = 0; i < 4; i++) {
        const tl_u128 d = (tl_u128)a.w[i] - b.w[i] - borrow;
        r.w[i] = low64(d);
        borrow = high64(d) != 0;
    }
    if (borrow != 0) {
        return false;
    }
    *out = r;
    return true;
}

int tl_u256_cmp(tl_u256 a, tl_u256 b)
{
    for (size_t i = 4; i-- > 0;) {
        if (a.w[i] != b.w[i]) {
            return a.w[i] < b.w[i] ? -1 : 1;
        }
    }
    return 0;
}

/* One digit at a time: rest * 2^64 + digit is below 2^128. */
static tl_u256 div_by_u64(tl_u128 *remainder, tl_u256 a, uint64_t den)
{
    tl_u256 q;
    tl_u128 rest = 0;
    for (size_t i = 4; i-- > 0;) {
        rest = (rest << 64) | a.w[i];
        q.w[i] = (uint64_t)(rest / den);
        rest %= den;
    }
    *remainder = rest;
    return q;
}

/* Knuth 4.3.1 D for a divisor of two digits v1 v0 with the top bit of v1 set: u (three digits, below v * 2^64) is
 * divided by v; the guess from the leading digits is at most two too large. */
static uint64_t div_digit(tl_u128 *rest, uint64_t u0, tl_u128 v)
{
    const uint64_t v1 = high64(v);
    const uint64_t v0 = low64(v);
    const uint64_t u2 = high64(*rest);
    tl_u128 guess = u2 >= v1 ? (tl_u128)UINT64_MAX : *rest / v1;
    tl_u128 left = *rest - guess * v1;
    while (high64(left) == 0 && guess * v0 > ((left << 64) | u0)) {
        guess--;
        left += v1;
    }
    /* rest * 2^64 + u0 - guess * v, whose true value is below v: modulo 2^128 is enough. */
    *rest = ((*rest << 64) | u0) - guess * v;
    return (uint64_t)guess;
}

static tl_u256 div_by_u128(tl_u128 *remainder, tl_u256 a, tl_u128 den)
{
    const int shift = __builtin_clzll(high64(den));
    const tl_u128 v = den << shift;
    uint64_t u[5]; /* a shifted left by the same */
    uint64_t carry = 0;
    for (size_t i = 0; i < 4; i++) {
        u[i] = (a.w[i] << shift) | carry;
        carry = shift == 0 ? 0 : a.w[i] >> (64 - shift);
    }
    u[4] = carry;
    tl_u256 q = {{0, 0, 0, 0}};
    tl_u128 rest = ((tl_u128)u[4] << 64) | u[3]; /* below v: u[4] < 2^shift <= v1 */
    for (size_t i = 3; i-- > 0;) {
        q.w[i] = div_digit(&rest, u[i], v);
        TL_ASSERT(rest < v); /* MONEY-4 */
    }
    *remainder = rest >> shift;
    return q;
}

tl_u256 tl_u256_div_floor(tl_u128 *remainder, tl_u256 a, tl_u128 den)
{
    TL_ASSERT(den != 0);
    tl_u128 rest;
    const tl_u256 q =
        high64(den) == 0 ? div_by_u64(&rest, a, low64(den)) : div_by_u128(&rest, a, den);
    if (remainder != NULL) {
        *remainder = rest;
    }
    return q;
}

tl_err tl_u128_mul_div_floor(tl_u128 *out, tl_u128 a, tl_u128 b, tl_u128 den, tl_errctx *ctx)
{
    if (den == 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "a 256-bit product is divided by zero");
    }
    if (!tl_u256_to_u128(out, tl_u256_div_floor(NULL, tl_u256_mul(a, b), den))) {
        return tl_fail(ctx, TL_ERR_OVERFLOW, "a quotient needs more than 128 bits");
    }
    return TL_OK;
}
