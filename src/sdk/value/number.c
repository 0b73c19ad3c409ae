/* Numbers as Python reads them from text: int(), float(), and what a validating model takes for such a field.
 *
 * All of them first take the white space away, then the sign, then look at the digits with their underscores. The
 * figures that are left go to the strict parsers of base. */
#include "sdk/value/value.h"

#include <string.h>

#include "base/decimal/decimal.h"
#include "sdk/value/value_internal.h"

enum { FLOAT_TEXT_CAP = 512 }; /* of a float's text without underscores that needs no arena */

/* White space of Unicode at an offset: its length in bytes, or 0. str.isspace() knows four more, 0x1c to 0x1f, which
 * int() and float() refuse all the same. */
static size_t blank_at(tl_str s, size_t at)
{
    uint32_t c = 0;
    const size_t len = tl_str_utf8_at(&c, s, at);
    const bool is_blank = (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 ||
                          c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
                          c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
    return len != 0 && is_blank ? len : 0;
}

static tl_str strip(tl_str s)
{
    for (size_t len; s.len != 0 && (len = blank_at(s, 0)) != 0;) {
        s = tl_str_slice(s, len, s.len);
    }
    while (s.len != 0) {
        size_t last = s.len - 1;
        while (last > 0 && ((unsigned char)s.ptr[last] & 0xC0) == 0x80) {
            last--;
        }
        if (blank_at(s, last) != s.len - last) {
            break;
        }
        s.len = last;
    }
    return s;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes a sign from the front; false is plus or none. */
static bool take_sign(tl_str *s)
{
    const bool has_sign = s->len != 0 && (s->ptr[0] == '-' || s->ptr[0] == '+');
    const bool is_negative = has_sign && s->ptr[0] == '-';
    *s = tl_str_slice(*s, has_sign ? 1 : 0, s->len);
    return is_negative;
}

/* Digits with single underscores between them, at least one digit; how many digits. */
static bool is_digit_run(tl_str s, size_t *digit_count)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++) {
        const bool between = i > 0 && i + 1 < s.len && s.ptr[i - 1] != '_';
        if (!is_digit(s.ptr[i]) && !(s.ptr[i] == '_' && between)) {
            return false;
        }
        count += s.ptr[i] != '_' ? 1 : 0;
    }
    *digit_count = count;
    return count != 0;
}

bool tl__value_canonical_int(tl_value *out, tl_arena *arena, bool is_negative, tl_str digits)
{
    while (digits.len > 1 && digits.ptr[0] == '0') {
        digits = tl_str_slice(digits, 1, digits.len);
    }
    uint64_t magnitude = 0;
    const bool fits = digits.len <= 19 && tl_str_parse_u64(&magnitude, digits) &&
                      magnitude <= (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    if (fits) {
        *out = tl_value_from_i64(is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
        return true;
    }
    char *const text = arena != NULL ? TL_NEW(arena, char, digits.len + 2) : NULL;
    if (text == NULL) {
        return false;
    }
    text[0] = '-';
    memcpy(text + (is_negative ? 1 : 0), digits.ptr, digits.len);
    memset(out, 0, sizeof *out);
    out->kind = TL_VALUE_BIGINT; /* VAL-1 */
    out->text = (tl_str){text, digits.len + (is_negative ? 1 : 0)};
    return true;
}

/* An integer's digits, underscores between them dropped. */
static bool int_from_digits(tl_value *out, tl_arena *arena, bool is_negative, tl_str run)
{
    size_t count = 0;
    if (!is_digit_run(run, &count) || count > TL_VALUE_DIGITS_MAX) {
        return false;
    }
    char digits[TL_VALUE_DIGITS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < run.len; i++) {
        if (run.ptr[i] != '_') {
            digits[len++] = run.ptr[i];
        }
    }
    return tl__value_canonical_int(out, arena, is_negative, (tl_str){digits, len});
}

bool tl_value_parse_int(tl_value *out, tl_arena *arena, tl_str text)
{
    tl_str s = strip(text);
    const bool is_negative = take_sign(&s);
    return int_from_digits(out, arena, is_negative, s);
}

bool tl_value_parse_int_lax(tl_value *out, tl_arena *arena, tl_str text)
{
    tl_str s = strip(text);
    const bool is_negative = take_sign(&s);
    const size_t point = tl_str_find(s, '.');
    if (point < s.len) { /* "5.00" is 5 */
        const tl_str zeros = tl_str_slice(s, point + 1, s.len);
        for (size_t i = 0; i < zeros.len; i++) {
            if (zeros.ptr[i] != '0') {
                return false;
            }
        }
        if (zeros.len == 0) {
            return false;
        }
        s = tl_str_slice(s, 0, point);
    }
    return int_from_digits(out, arena, is_negative, s);
}

/* --- floats --- */

static bool eq_any_case(tl_str s, const char *word)
{
    size_t i = 0;
    for (; i < s.len && word[i] != '\0'; i++) {
        const char c = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] | 0x20) : s.ptr[i];
        if (c != word[i]) {
            return false;
        }
    }
    return i == s.len && word[i] == '\0';
}

static bool special_float(double *out, bool is_negative, tl_str s)
{
    if (eq_any_case(s, "inf") || eq_any_case(s, "infinity")) {
        *out = is_negative ? -__builtin_inf() : __builtin_inf();
        return true;
    }
    if (eq_any_case(s, "nan")) {
        *out = __builtin_nan("");
        return true;
    }
    return false;
}

/* Leading zeros beyond one are dropped, a bare point gets its zero: JSON's form, which the strict parser takes.
 *      digits? ('.' digits?)? (e sign? digits)?   with a digit before the exponent
 * out has room for s and two more. Returns the length, or 0 when s is of another form. */
static size_t as_json_number(char *out, bool is_negative, tl_str s)
{
    size_t at = 0;
    size_t len = 0;
    if (is_negative) {
        out[len++] = '-';
    }
    size_t whole = at;
    while (at < s.len && is_digit(s.ptr[at])) {
        at++;
    }
    size_t digits = at;
    while (whole + 1 < at && s.ptr[whole] == '0') {
        whole++;
    }
    memcpy(out + len, s.ptr + whole, at - whole);
    len += at - whole;
    if (digits == 0) {
        out[len++] = '0';
    }
    if (at < s.len && s.ptr[at] == '.') {
        const size_t point = at++;
        while (at < s.len && is_digit(s.ptr[at])) {
            at++;
        }
        digits += at - point - 1;
        const size_t kept = at - point > 1 ? at - point : 0; /* "5." is "5" */
        memcpy(out + len, s.ptr + point, kept);
        len += kept;
    }
    memcpy(out + len, s.ptr + at, s.len - at);
    const bool has_tail = at < s.len;
    const bool is_exponent = has_tail && (s.ptr[at] == 'e' || s.ptr[at] == 'E');
    return digits == 0 || (has_tail && !is_exponent) ? 0 : len + (s.len - at);
}

/* The text without underscores: each must stand between digits (float()), or just not at an end and not beside
 * another (the model's parser). False when one stands elsewhere. */
static bool drop_underscores(char *out, size_t *len, tl_str s, bool between_digits)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '_') {
            out[n++] = s.ptr[i];
            continue;
        }
        const bool inside = i > 0 && i + 1 < s.len && s.ptr[i - 1] != '_';
        if (!inside || (between_digits && (!is_digit(s.ptr[i - 1]) || !is_digit(s.ptr[i + 1])))) {
            return false;
        }
    }
    *len = n;
    return true;
}

static bool parse_float(double *out, tl_str s, bool between_digits)
{
    char plain[FLOAT_TEXT_CAP];
    char number[FLOAT_TEXT_CAP + 2];
    size_t len = 0;
    if (s.len == 0 || s.len > sizeof plain || !drop_underscores(plain, &len, s, between_digits)) {
        return false;
    }
    tl_str rest = {plain, len};
    const bool is_negative = take_sign(&rest);
    if (special_float(out, is_negative, rest)) {
        return true;
    }
    len = as_json_number(number, is_negative, rest);
    return len != 0 && tl_f64_parse(out, (tl_str){number, len});
}

bool tl_value_parse_float(double *out, tl_str text)
{
    return parse_float(out, strip(text), true);
}

bool tl_value_parse_float_lax(double *out, tl_str text)
{
    return parse_float(out, strip(text), false);
}

bool tl_value_parse_bool_lax(bool *out, tl_str text)
{
    static const char *const words[2][6] = {{"0", "f", "n", "no", "off", "false"},
                                            {"1", "t", "y", "on", "yes", "true"}};
    for (size_t i = 0; i < 6; i++) {
        for (size_t truth = 0; truth < 2; truth++) {
            if (eq_any_case(text, words[truth][i])) {
                *out = truth == 1;
                return true;
            }
        }
    }
    return false;
}
