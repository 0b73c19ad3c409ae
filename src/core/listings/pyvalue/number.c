/* float() and int(): text is read character by character, digits and blanks of every script taken for ASCII's as
 * CPython does before it parses; what is no ASCII else reads as '?', which no number holds.
 *
 *   float   blanks  sign?  ( digits . digits  exponent? | inf | infinity | nan )  blanks      digits: 1_000 is 1000
 *   int     blanks  sign?  digits                                               blanks */
#include "core/listings/pyvalue/pyvalue_internal.h"

#include <math.h>
#include <string.h>

/* Digits of a significand that decide a double: at most 767 count, one more stands for all the rest. */
#define SIGNIFICANT_MAX 800
#define EXPONENT_MAX    100000 /* far outside of any double, whatever the digits */
#define DIRECT_LEN_MAX  64     /* a shorter JSON number goes to the parser as it is */

/* cursor: one character of look-ahead; 0 at the end, and a NUL of the text is '?'. */
typedef struct cursor {
    tl_str text;
    size_t at;
    char c;
} cursor;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void advance(cursor *cur)
{
    if (cur->at >= cur->text.len) {
        cur->c = '\0';
        return;
    }
    const uint32_t c = tl__py_next(cur->text, &cur->at);
    const int32_t digit = tl_py_digit(c);
    if (c < 0x7f) {
        cur->c = c != 0 ? (char)c : '?';
    } else if (tl_py_is_space(c)) {
        cur->c = ' ';
    } else {
        cur->c = digit >= 0 ? (char)('0' + digit) : '?';
    }
}

static void begin(cursor *cur, tl_str text, bool *is_negative)
{
    *cur = (cursor){.text = text};
    advance(cur);
    while (is_blank(cur->c)) {
        advance(cur);
    }
    *is_negative = cur->c == '-';
    if (cur->c == '-' || cur->c == '+') {
        advance(cur);
    }
}

static bool at_end(cursor *cur)
{
    while (is_blank(cur->c)) {
        advance(cur);
    }
    return cur->c == '\0';
}

/* Behind a digit: the next digit is under the cursor? An underscore counts when a digit follows; else *is_bad. */
static bool next_digit(cursor *cur, bool *is_bad)
{
    advance(cur);
    if (cur->c == '_') {
        advance(cur);
        *is_bad = !is_digit(cur->c);
    }
    return is_digit(cur->c) && !*is_bad;
}

/* --- float --- */

/* decimal: the first digits that are not leading zeros, and by which power of ten the text is more than they. */
typedef struct decimal {
    char digits[SIGNIFICANT_MAX + 32]; /* room for the exponent's text */
    size_t len;
    int64_t exponent;
    bool has_more; /* a digit that was dropped is not 0 */
    bool is_any;   /* was there a digit at all? */
} decimal;

static void take_digit(decimal *dec, char c, bool is_fraction)
{
    dec->is_any = true;
    if (dec->len == 0 && c == '0') {
        dec->exponent -= is_fraction ? 1 : 0;
    } else if (dec->len < SIGNIFICANT_MAX) {
        dec->digits[dec->len++] = c;
        dec->exponent -= is_fraction ? 1 : 0;
    } else {
        dec->has_more = dec->has_more || c != '0';
        dec->exponent += is_fraction ? 0 : 1;
    }
}

static bool take_digits(decimal *dec, cursor *cur, bool is_fraction)
{
    bool is_bad = false;
    if (is_digit(cur->c)) {
        do {
            take_digit(dec, cur->c, is_fraction);
        } while (next_digit(cur, &is_bad));
    }
    return !is_bad;
}

static bool take_exponent(decimal *dec, cursor *cur)
{
    const int64_t ceiling = INT64_C(1) << 40; /* above any text's length */
    bool is_bad = false;
    advance(cur);
    const bool is_negative = cur->c == '-';
    if (cur->c == '-' || cur->c == '+') {
        advance(cur);
    }
    if (!is_digit(cur->c)) {
        return false;
    }
    int64_t exponent = 0;
    do {
        exponent = exponent < ceiling ? exponent * 10 + (cur->c - '0') : ceiling;
    } while (next_digit(cur, &is_bad));
    dec->exponent += is_negative ? -exponent : exponent;
    return !is_bad;
}

static double decimal_value(decimal *dec, bool is_negative)
{
    double value = 0;
    if (dec->len != 0) {
        if (dec->has_more) {
            dec->digits[dec->len++] = '1';
            dec->exponent--;
        }
        int64_t exponent = dec->exponent;
        exponent = exponent > EXPONENT_MAX ? EXPONENT_MAX : exponent;
        exponent = exponent < -EXPONENT_MAX ? -EXPONENT_MAX : exponent;
        const size_t len =
            dec->len + tl_str_print(dec->digits + dec->len, sizeof dec->digits - dec->len, "e%lld",
                                    (long long)exponent);
        const bool is_read = tl_f64_parse(&value, (tl_str){dec->digits, len});
        TL_ASSERT(is_read);
    }
    return is_negative ? -value : value;
}

/* The rest of a word, letters of either case; the cursor stands at its first letter. */
static bool take_word(cursor *cur, const char *word)
{
    for (; *word != '\0'; word++) {
        if (cur->c != *word && cur->c != *word - ('a' - 'A')) {
            return false;
        }
        advance(cur);
    }
    return true;
}

static bool text_to_float(double *out, tl_str text)
{
    cursor cur;
    bool is_negative;
    begin(&cur, text, &is_negative);
    double value;
    if (cur.c == 'n' || cur.c == 'N') {
        if (!take_word(&cur, "nan")) {
            return false;
        }
        const uint64_t bits = UINT64_C(0x7ff8000000000000);
        memcpy(&value, &bits, sizeof value);
    } else if (cur.c == 'i' || cur.c == 'I') {
        if (!take_word(&cur, "inf") ||
            ((cur.c == 'i' || cur.c == 'I') && !take_word(&cur, "inity"))) {
            return false;
        }
        value = is_negative ? -HUGE_VAL : HUGE_VAL;
    } else {
        decimal dec;
        dec.len = 0;
        dec.exponent = 0;
        dec.has_more = false;
        dec.is_any = false;
        if (!take_digits(&dec, &cur, false)) {
            return false;
        }
        if (cur.c == '.') {
            advance(&cur);
            if (!take_digits(&dec, &cur, true)) {
                return false;
            }
        }
        if (!dec.is_any || ((cur.c == 'e' || cur.c == 'E') && !take_exponent(&dec, &cur))) {
            return false;
        }
        value = decimal_value(&dec, is_negative);
    }
    if (!at_end(&cur)) {
        return false;
    }
    *out = value; /* PY-1: only now */
    return true;
}

static bool is_infinite(double value)
{
    return value - value != 0 && value == value;
}

tl_py_error tl_py_float(double *out, tl_py_value value)
{
    double number = 0;
    switch (value.kind) {
    case TL_PY_FALSE:
    case TL_PY_TRUE:
        *out = value.kind == TL_PY_TRUE ? 1 : 0;
        return TL_PY_OK;
    case TL_PY_INT:
    case TL_PY_FLOAT:
        if ((value.text.len > DIRECT_LEN_MAX || !tl_f64_parse(&number, value.text)) &&
            !text_to_float(&number, value.text)) {
            return TL_PY_ValueError; /* no JSON number: a decoder's mistake */
        }
        if (value.kind == TL_PY_INT && is_infinite(number)) {
            return TL_PY_OverflowError;
        }
        *out = number == 0 && value.kind == TL_PY_INT ? 0 : number; /* -0 is the int 0 */
        return TL_PY_OK;
    case TL_PY_STR:
        return text_to_float(out, value.text) ? TL_PY_OK : TL_PY_ValueError;
    case TL_PY_MISSING:
    case TL_PY_NONE:
    case TL_PY_LIST:
    case TL_PY_DICT:
        break;
    }
    return TL_PY_TypeError;
}

/* --- int --- */

static bool text_to_int(int64_t *out, tl_str text)
{
    cursor cur;
    bool is_negative;
    begin(&cur, text, &is_negative);
    if (!is_digit(cur.c)) {
        return false;
    }
    const int64_t limit = INT64_MAX / 10 - 1;
    int64_t value = 0;
    size_t count = 0;
    bool is_bad = false;
    bool is_huge = false;
    do {
        is_huge = is_huge || value > limit;
        value = is_huge ? INT64_MAX : value * 10 + (cur.c - '0');
        count++;
    } while (next_digit(&cur, &is_bad));
    if (is_bad || count > TL_PY_INT_DIGITS_MAX || !at_end(&cur)) {
        return false;
    }
    *out = !is_negative ? value : is_huge ? INT64_MIN : -value;
    return true;
}

tl_py_error tl_py_int(int64_t *out, tl_py_value value)
{
    double number;
    tl_py_error error;
    switch (value.kind) {
    case TL_PY_FALSE:
    case TL_PY_TRUE:
        *out = value.kind == TL_PY_TRUE ? 1 : 0;
        return TL_PY_OK;
    case TL_PY_FLOAT:
        error = tl_py_float(&number, value);
        if (error != TL_PY_OK || number != number) {
            return TL_PY_ValueError;
        }
        if (is_infinite(number)) {
            return TL_PY_OverflowError;
        }
        *out = number >= 0x1p63 ? INT64_MAX : number < -0x1p63 ? INT64_MIN : (int64_t)number;
        return TL_PY_OK;
    case TL_PY_INT:
    case TL_PY_STR:
        return text_to_int(out, value.text) ? TL_PY_OK : TL_PY_ValueError;
    case TL_PY_MISSING:
    case TL_PY_NONE:
    case TL_PY_LIST:
    case TL_PY_DICT:
        break;
    }
    return TL_PY_TypeError;
}
