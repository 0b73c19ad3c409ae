/* number.c: decimal text as an integer, digit by digit (REC-2). */
#include "core/listings/record/record_internal.h"

#define NUMBER_MAX   INT64_C(1000000000000000) /* 10^15, after scaling */
#define EXPONENT_MAX 100000                    /* beyond it nothing changes any more */

/* A number as it was written: digits * 10^exponent, and whether more digits follow than were kept. */
typedef struct decimal {
    int64_t digits;
    int64_t exponent;
    bool is_negative;
} decimal;

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* Digits from p on; those beyond eighteen significant ones only move the exponent. NULL: there is none. */
static const char *take_digits(decimal *d, const char *p, const char *end, bool is_fraction)
{
    if (!is_digit(p, end)) {
        return NULL;
    }
    for (; is_digit(p, end); p++) {
        if (d->digits < INT64_C(100000000000000000)) {
            d->digits = d->digits * 10 + (*p - '0');
            d->exponent -= is_fraction ? 1 : 0;
        } else {
            d->exponent += is_fraction ? 0 : 1;
        }
    }
    return p;
}

static const char *take_exponent(decimal *d, const char *p, const char *end)
{
    const bool is_negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+') ? 1 : 0;
    if (!is_digit(p, end)) {
        return NULL;
    }
    int64_t exponent = 0;
    for (; is_digit(p, end); p++) {
        exponent = exponent < EXPONENT_MAX ? exponent * 10 + (*p - '0') : exponent;
    }
    d->exponent += is_negative ? -exponent : exponent;
    return p;
}

static bool take_number(decimal *d, tl_str text)
{
    const char *p = text.ptr;
    const char *const end = text.ptr + text.len;
    *d = (decimal){0, 0, text.len != 0 && *p == '-'};
    p += text.len != 0 && (*p == '-' || *p == '+') ? 1 : 0;
    p = take_digits(d, p, end, false);
    if (p != NULL && p < end && *p == '.') {
        p = take_digits(d, p + 1, end, true);
    }
    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p = take_exponent(d, p + 1, end);
    }
    return p == end && p != NULL;
}

bool tl_record_number(int64_t *out, tl_str text, uint32_t decimals)
{
    TL_ASSERT(decimals <= 9);
    decimal d;
    if (!take_number(&d, tl__trim(text))) {
        return false;
    }
    int64_t value = d.digits;
    int64_t exponent = value != 0 ? d.exponent + (int64_t)decimals : 0;
    for (; exponent < 0 && value != 0; exponent++) {
        value /= 10;
    }
    for (; exponent > 0 && value <= NUMBER_MAX; exponent--) {
        value *= 10;
    }
    if (value > NUMBER_MAX) {
        return false;
    }
    *out = d.is_negative ? -value : value;
    return true;
}
