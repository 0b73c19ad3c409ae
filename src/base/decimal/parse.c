/* Reading: the JSON grammar, and a head of 19 digits for tl__nearest(). */
#include "base/decimal/decimal.h"

#include <string.h>

#include "base/decimal/decimal_internal.h"

enum { HEAD_DIGITS_MAX = 19 }; /* 10^19 < 2^64 */

/* Beyond this an exponent is what it is: the text cannot hold enough digits to bring it back. */
static const int64_t exponent_ceiling = INT64_C(1) << 48;

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* Reads a run of digits into *number, which may wrap: whoever asks has counted them. */
static const char *take_digits(uint64_t *number, const char *p, const char *end)
{
    uint64_t n = *number;
    for (; is_digit(p, end); p++) {
        n = n * 10 + (uint64_t)(*p - '0');
    }
    *number = n;
    return p;
}

/* e, its sign and its digits, added to *exponent; NULL when it is no exponent. */
static const char *take_exponent(int64_t *exponent, const char *p, const char *end)
{
    p++;
    const bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) {
        p++;
    }
    if (!is_digit(p, end)) {
        return NULL;
    }
    int64_t value = 0;
    for (; is_digit(p, end); p++) {
        if (value < exponent_ceiling) {
            value = value * 10 + (*p - '0');
        }
    }
    *exponent += is_negative ? -value : value;
    return p;
}

/* The head of a long number: its first 19 significant digits; *exponent becomes theirs. */
static uint64_t long_head(int64_t *exponent, bool *is_cut, tl_str digits)
{
    uint64_t head = 0;
    int64_t count = 0;
    int64_t skipped = 0;
    *is_cut = false;
    for (size_t i = 0; i < digits.len; i++) {
        const char c = digits.ptr[i];
        if (c == '.' || (c == '0' && count == 0)) {
            continue;
        }
        if (count < HEAD_DIGITS_MAX) {
            head = head * 10 + (uint64_t)(c - '0');
            count++;
        } else {
            skipped++;
            *is_cut = *is_cut || c != '0';
        }
    }
    *exponent += skipped;
    return head;
}

bool tl_f64_parse(double *out, tl_str text)
{
    if (text.len == 0 || text.len > (size_t)exponent_ceiling) {
        return false;
    }
    const char *p = text.ptr;
    const char *const end = p + text.len;
    const bool is_negative = *p == '-';
    p += is_negative ? 1 : 0;

    const char *const first = p;
    uint64_t head = 0;
    int64_t exponent = 0;
    p = take_digits(&head, p, end);
    if (p == first || (*first == '0' && p - first > 1)) {
        return false;
    }
    if (p < end && *p == '.') {
        const char *const fraction = ++p;
        p = take_digits(&head, p, end);
        if (p == fraction) {
            return false;
        }
        exponent -= p - fraction;
    }
    const tl_str digits = {first, (size_t)(p - first)};
    if (p < end && (*p == 'e' || *p == 'E')) {
        p = take_exponent(&exponent, p, end);
    }
    if (p != end) {
        return false;
    }
    bool is_cut = false;
    if (digits.len > HEAD_DIGITS_MAX) {
        head = long_head(&exponent, &is_cut, digits);
    }
    const uint64_t bits = (head != 0 ? tl__nearest(head, exponent, is_cut, digits) : 0) |
                          (is_negative ? UINT64_C(1) << 63 : 0);
    memcpy(out, &bits, sizeof bits);
    return true;
}

double tl_f64_from_decimal(uint64_t digits, int32_t exponent)
{
    char text[20];
    size_t at = sizeof text;
    for (uint64_t rest = digits; rest != 0; rest /= 10) {
        text[--at] = (char)('0' + rest % 10);
    }
    const tl_str all = {text + at, sizeof text - at};
    const uint64_t bits = digits != 0 ? tl__nearest(digits, exponent, false, all) : 0;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
