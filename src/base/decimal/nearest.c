/* The nearest double of a decimal. Two steps, both in integers, so that neither locale nor rounding mode matters:
 *
 * 1. head * 10^q lies in an interval of 192-bit integers, since 10^q is known to 128 bits (the idea of Lemire, "Number
 *    parsing at a gigabyte per second", 2021). Both ends round to the same double: done. That is so for all but
 *    about one in 2^60 inputs, the ties among them.
 * 2. Else exactly one tie lies in the interval. The decimal is compared with it in big integers, at any length. */
#include "base/decimal/decimal_internal.h"

#include <string.h>

#include "base/error/error.h"

/* --- step 1: intervals --- */

typedef struct wide {
    uint64_t high;
    uint64_t middle;
    uint64_t low;
} wide;

static const uint64_t infinity_bits = UINT64_C(0x7FF0000000000000);

static wide wide_product(uint64_t factor, uint64_t high, uint64_t low)
{
    const tl__u128 lower = (tl__u128)factor * low;
    const tl__u128 upper = (tl__u128)factor * high + (uint64_t)(lower >> 64);
    return (wide){(uint64_t)(upper >> 64), (uint64_t)upper, (uint64_t)lower};
}

static wide wide_add(wide a, uint64_t high, uint64_t low)
{
    const tl__u128 lower = (tl__u128)a.low + low;
    const tl__u128 middle = (tl__u128)a.middle + high + (uint64_t)(lower >> 64);
    return (wide){a.high + (uint64_t)(middle >> 64), (uint64_t)middle, (uint64_t)lower};
}

static wide wide_less_one(wide a)
{
    const bool borrow_low = a.low == 0;
    const bool borrow_middle = borrow_low && a.middle == 0;
    return (wide){a.high - (borrow_middle ? 1U : 0U), a.middle - (borrow_low ? 1U : 0U), a.low - 1};
}

/* The double nearest to (a + fraction) * 2^exponent, where has_fraction says whether 0 < fraction < 1 or it is 0: the
 * only place that rounds (DEC-3). */
static uint64_t wide_round(wide a, bool has_fraction, int32_t exponent)
{
    TL_ASSERT(a.high >> 62 != 0);
    if (a.high >> 63 == 0) {
        a = (wide){a.high << 1 | a.middle >> 63, a.middle << 1 | a.low >> 63, a.low << 1};
        exponent--;
    }
    int32_t biased = exponent + 191 + 1023;
    int32_t dropped = 11; /* 53 bits stay, fewer in a subnormal */
    if (biased < 1) {
        dropped += 1 - biased;
        biased = 1;
    }
    if (dropped > 64) {
        return 0; /* below half of the least subnormal */
    }
    if (biased > 2046) {
        return infinity_bits;
    }
    const uint64_t kept = dropped < 64 ? a.high >> dropped : 0;
    const uint64_t half = UINT64_C(1) << (dropped - 1);
    const uint64_t rest = a.high & (half | (half - 1));
    const bool has_more = (a.middle | a.low) != 0 || has_fraction;
    const bool is_up = rest > half || (rest == half && (has_more || (kept & 1) != 0));
    /* kept carries the hidden bit of a normal number, hence biased - 1; a carry may reach infinity, and should */
    return ((uint64_t)(biased - 1) << 52) + kept + (is_up ? 1U : 0U);
}

/* --- step 2: big integers --- */

enum {
    BIG_CAP = 64, /* 4096 bits; needed: 801 digits and 5^1143, below 2800 bits */
    SIGNIFICANT_MAX =
        800 /* a tie between doubles has at most 767 digits: what follows only says "more" */
};

typedef struct big {
    size_t count; /* limbs in use, the last not 0 */
    uint64_t limbs[BIG_CAP];
} big;

static void big_mul_add(big *a, uint64_t factor, uint64_t addend)
{
    uint64_t carry = addend;
    for (size_t i = 0; i < a->count; i++) {
        const tl__u128 t = (tl__u128)a->limbs[i] * factor + carry;
        a->limbs[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    if (carry != 0) {
        TL_ASSERT(a->count < BIG_CAP);
        a->limbs[a->count++] = carry;
    }
}

static void big_mul_power_of_5(big *a, int64_t power)
{
    const uint64_t five_27 = UINT64_C(7450580596923828125);
    for (; power >= 27; power -= 27) {
        big_mul_add(a, five_27, 0);
    }
    for (; power > 0; power--) {
        big_mul_add(a, 5, 0);
    }
}

static void big_shift_left(big *a, int64_t bits)
{
    const size_t limbs = (size_t)(bits / 64);
    TL_ASSERT(bits >= 0 && a->count + limbs <= BIG_CAP);
    memmove(a->limbs + limbs, a->limbs, a->count * sizeof a->limbs[0]);
    memset(a->limbs, 0, limbs * sizeof a->limbs[0]);
    a->count += limbs;
    big_mul_add(a, UINT64_C(1) << (bits % 64), 0);
}

static int big_cmp(const big *a, const big *b)
{
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    for (size_t i = a->count; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) {
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
        }
    }
    return 0;
}

/* The first SIGNIFICANT_MAX digits, and a last digit 1 for whatever follows them. Returns how many digits that is. */
static int64_t big_from_digits(big *out, tl_str digits)
{
    int64_t count = 0;
    bool has_more = false;
    out->count = 0;
    for (size_t i = 0; i < digits.len; i++) {
        const char c = digits.ptr[i];
        if (c == '.' || (c == '0' && count == 0)) {
            continue;
        }
        if (count < SIGNIFICANT_MAX) {
            big_mul_add(out, 10, (uint64_t)(c - '0'));
            count++;
        } else {
            has_more = has_more || c != '0';
        }
    }
    if (has_more) {
        big_mul_add(out, 10, 1);
        count++;
    }
    return count;
}

static int64_t significant_count(tl_str digits)
{
    int64_t count = 0;
    for (size_t i = 0; i < digits.len; i++) {
        count += digits.ptr[i] != '.' && (count != 0 || digits.ptr[i] != '0') ? 1 : 0;
    }
    return count;
}

/* Compares digits * 10^exponent (exponent of their last digit) with the tie above the double of these bits. */
static int cmp_with_tie(tl_str digits, int64_t exponent, uint64_t bits)
{
    big decimal;
    exponent += significant_count(digits) - big_from_digits(&decimal, digits);

    const uint64_t biased = bits >> 52;
    const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    const uint64_t mantissa = biased != 0 ? fraction | UINT64_C(1) << 52 : fraction;
    big tie = {1, {2 * mantissa + 1}};
    int64_t shift = (biased != 0 ? (int64_t)biased : 1) - 1075 - 1; /* tie * 2^shift */

    /* decimal * 5^e * 2^e against tie * 2^shift: move each factor to the side where its exponent is positive */
    if (exponent >= 0) {
        big_mul_power_of_5(&decimal, exponent);
    } else {
        big_mul_power_of_5(&tie, -exponent);
    }
    shift -= exponent;
    if (shift >= 0) {
        big_shift_left(&tie, shift);
    } else {
        big_shift_left(&decimal, -shift);
    }
    return big_cmp(&decimal, &tie);
}

/* The exponent of the last of all digits, when head stands for the first head_count of them. */
static int64_t last_exponent(uint64_t head, int64_t exponent, tl_str digits)
{
    int64_t head_count = 0;
    for (; head != 0; head /= 10) {
        head_count++;
    }
    return exponent - (significant_count(digits) - head_count);
}

uint64_t tl__nearest(uint64_t head, int64_t exponent, bool is_cut, tl_str digits)
{
    TL_ASSERT(head != 0);
    if (exponent < TL__POWER_MIN) {
        return 0; /* 2^64 * 10^-343 is less than half of the least subnormal */
    }
    if (exponent > 308) {
        return infinity_bits;
    }
    const int32_t q = (int32_t)exponent;
    const uint64_t *power = tl__powers[q - TL__POWER_MIN];
    const int zeros = __builtin_clzll(head);
    const uint64_t factor = head << zeros;
    const int32_t unit = tl__floor_log2_power(q) - 127 - zeros;

    const wide least = wide_product(factor, power[0], power[1]);
    const bool is_exact = tl__power_is_exact(q);
    if (is_exact && !is_cut) {
        return wide_round(least, false, unit);
    }
    /* least < value < most; no overflow, since T < 2^128 - 2^64 */
    wide most = least;
    if (is_cut) {
        const tl__u128 t = ((tl__u128)power[0] << 64 | power[1]) + (is_exact ? 0U : 1U);
        const tl__u128 high = (t >> 64) << zeros | (zeros != 0 ? (uint64_t)t >> (64 - zeros) : 0);
        most.high += (uint64_t)(high >> 64);
        most = wide_add(most, (uint64_t)high, (uint64_t)t << zeros);
    }
    if (!is_exact) {
        most = wide_add(most, 0, factor);
    }
    const uint64_t down = wide_round(least, true, unit);
    const uint64_t up = wide_round(wide_less_one(most), true, unit);
    if (down == up) {
        return down;
    }
    TL_ASSERT(up == down + 1); /* DEC-3: one tie at most lies between */
    const int side = cmp_with_tie(digits, last_exponent(head, exponent, digits), down);
    return side > 0 || (side == 0 && (down & 1) != 0) ? up : down;
}
