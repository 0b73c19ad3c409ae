/* Printing: the shortest decimal that lies in the rounding interval of the double, found in integers after Giulietti,
 * "The Schubfach way to render doubles" (2020): scale the interval's ends and the double itself by one power of ten, so
 * that they are ten to hundred units apart; then a multiple of ten, or of one, is inside. */
#include "base/decimal/decimal.h"

#include <string.h>

#include "base/decimal/decimal_internal.h"
#include "base/error/error.h"

static const uint64_t hidden_bit = UINT64_C(1) << 52;

/* x * T / 2^128, cut off, with the last bit set when something (more than the error of T) was cut off. */
static uint64_t scaled_to_odd(uint64_t high, uint64_t low, uint64_t x)
{
    const tl__u128 lower = (tl__u128)x * low;
    const tl__u128 upper = (tl__u128)x * high + (uint64_t)(lower >> 64);
    return (uint64_t)(upper >> 64) | ((uint64_t)upper > 1 ? 1U : 0U);
}

typedef struct decimal {
    uint64_t digits;
    int32_t exponent;
} decimal;

/* mantissa * 2^binary; the gap below is half as wide when is_narrow_below. */
static decimal shortest(uint64_t mantissa, int32_t binary, bool is_narrow_below)
{
    /* k = floor(log10(width of the interval)) */
    const int32_t k = (int32_t)(((int64_t)binary * 1262611 - (is_narrow_below ? 524031 : 0)) >> 22);
    const uint64_t *power = tl__powers[-k - TL__POWER_MIN];
    const uint64_t low = power[1] + (tl__power_is_exact(-k) ? 0U : 1U); /* rounded up */
    const uint64_t high = power[0] + (low < power[1] ? 1U : 0U);
    const int32_t shift = binary + tl__floor_log2_power(-k) + 1;

    /* in quarters of a unit 10^k; the ends belong to the interval when the mantissa is even */
    const uint64_t odd = mantissa & 1;
    const uint64_t below = is_narrow_below ? 1 : 2;
    const uint64_t least = scaled_to_odd(high, low, (4 * mantissa - below) << shift) + odd;
    const uint64_t value = scaled_to_odd(high, low, (4 * mantissa) << shift);
    const uint64_t most = scaled_to_odd(high, low, (4 * mantissa + 2) << shift) - odd;

    const uint64_t units = value / 4;
    const uint64_t tens = units / 10;
    if (units >= 10) {
        const bool is_low_inside = least <= 40 * tens;
        const bool is_high_inside = 40 * tens + 40 <= most;
        if (is_low_inside != is_high_inside) {
            return (decimal){tens + (is_high_inside ? 1U : 0U), k + 1};
        }
    }
    const bool is_low_inside = least <= 4 * units;
    const bool is_high_inside = 4 * units + 4 <= most;
    if (is_low_inside != is_high_inside) {
        return (decimal){units + (is_high_inside ? 1U : 0U), k};
    }
    const uint64_t middle = 4 * units + 2; /* both or none: the nearer one, ties to even */
    const bool is_up = value > middle || (value == middle && (units & 1) != 0);
    return (decimal){units + (is_up ? 1U : 0U), k};
}

/* Short decimals come with up to 16 zeros behind them: eight at once first. */
static void strip_zeros(decimal *d)
{
    if (d->digits == 0) {
        return;
    }
    while (d->digits % 100000000 == 0) {
        d->digits /= 100000000;
        d->exponent += 8;
    }
    while (d->digits % 10 == 0) {
        d->digits /= 10;
        d->exponent++;
    }
}

/* DEC-1, DEC-2: of the digits that read back as value, the fewest, and of those the nearest. */
void tl_f64_shortest(uint64_t *digits, int32_t *exponent, bool *is_negative, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t fraction = bits & (hidden_bit - 1);
    const int32_t biased = (int32_t)(bits >> 52 & 0x7FF);
    TL_ASSERT(biased != 0x7FF);

    decimal d = {0, 0};
    const int32_t binary = (biased != 0 ? biased : 1) - 1075;
    const uint64_t mantissa = biased != 0 ? fraction | hidden_bit : fraction;
    if (mantissa != 0 && binary <= 0 && binary >= -52 &&
        (mantissa & ((UINT64_C(1) << -binary) - 1)) == 0) {
        d.digits = mantissa >> -binary; /* an integer below 2^53: all its digits are needed */
    } else if (mantissa != 0) {
        d = shortest(mantissa, binary, fraction == 0 && biased > 1);
    }
    strip_zeros(&d);
    TL_ASSERT(d.digits < UINT64_C(100000000000000000)); /* DEC-2: 17 digits are always enough */
    TL_VERIFY(tl_f64_from_decimal(d.digits, d.exponent) ==
              (value < 0.0 ? -value : value)); /* DEC-1 */
    *digits = d.digits;
    *exponent = d.exponent;
    *is_negative = bits >> 63 != 0;
}

/* Two digits at a time halve the divisions, which are the cost here. */
static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

/* Digits of value, without a NUL. Returns how many. */
static size_t put_digits(char *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    while (value >= 100) {
        at -= 2;
        memcpy(digits + at, digit_pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(digits + at, digit_pairs + 2 * value, 2);
    } else {
        digits[--at] = (char)('0' + value);
    }
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

/* Python writes a point where -4 <= power of the first digit < 16, else an exponent of two digits at least. */
static char *put_plain(char *p, const char *digits, size_t count, int32_t point)
{
    if (point <= 0) {
        memcpy(p, "0.0000", 6);
        p += 2 - point;
        memcpy(p, digits, count);
        return p + count;
    }
    const size_t whole = (size_t)point;
    if (count <= whole) {
        memcpy(p, digits, count);
        memset(p + count, '0', whole - count);
        memcpy(p + whole, ".0", 2);
        return p + whole + 2;
    }
    memcpy(p, digits, whole);
    p[whole] = '.';
    memcpy(p + whole + 1, digits + whole, count - whole);
    return p + count + 1;
}

static char *put_scientific(char *p, const char *digits, size_t count, int32_t power)
{
    *p++ = digits[0];
    if (count > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, count - 1);
        p += count - 1;
    }
    *p++ = 'e';
    *p++ = power < 0 ? '-' : '+';
    const uint64_t magnitude = (uint64_t)(power < 0 ? -power : power);
    if (magnitude < 10) {
        *p++ = '0';
    }
    return p + put_digits(p, magnitude);
}

size_t tl_f64_print(char out[TL_F64_TEXT_CAP], double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    char *p = out;
    if ((bits >> 52 & 0x7FF) == 0x7FF) {
        const bool is_nan = (bits & (hidden_bit - 1)) != 0;
        if (!is_nan && bits >> 63 != 0) {
            *p++ = '-';
        }
        memcpy(p, is_nan ? "nan" : "inf", 4);
        return (size_t)(p - out) + 3;
    }
    uint64_t number;
    int32_t exponent;
    bool is_negative;
    tl_f64_shortest(&number, &exponent, &is_negative, value);
    if (is_negative) {
        *p++ = '-';
    }
    char digits[20];
    const size_t count = put_digits(digits, number);
    const int32_t point = (int32_t)count + exponent; /* digits before the point */
    p = point > -4 && point <= 16 ? put_plain(p, digits, count, point)
                                  : put_scientific(p, digits, count, point - 1);
    *p = '\0';
    TL_ASSERT(p - out < TL_F64_TEXT_CAP);
    return (size_t)(p - out);
}
