/* scan.c: the bytes of one JSON value, stepped over and checked.
 *
 * One pass, eight bytes of a string at a time in plain C. base/json's pull reader keeps a state between events and the
 * place of errors; here only yes or no is asked, and the reader is called for the words when it is no. Bench: 'tally
 * bench' measures it under listings_validate; a listing of 400 bytes takes some 0.3 us.
 */
#include <string.h>

#include "core/listings/record/record_internal.h"

#define KEY_LEN_MAX 128

/* --- strings --- */

/* The high bit of each byte that ends a run: below 0x20, above 0x7F, '"' or '\'. Above the first such byte bits may be
 * wrong (a borrow runs upward), so only the lowest one is looked at. */
static inline uint64_t stops(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t quote = (word ^ ones * '"') - ones;
    const uint64_t slash = (word ^ ones * '\\') - ones;
    return (word | (word - ones * 0x20) | quote | slash) & ones * 0x80;
}

static inline bool is_stop(unsigned char c)
{
    return c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
}

static inline const char *skip_run(const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        const uint64_t found = stops(word);
        if (found != 0) {
            return p + (__builtin_ctzll(found) >> 3);
        }
        p += 8;
    }
#endif
    while (p < end && !is_stop((unsigned char)*p)) {
        p++;
    }
    return p;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits, or -1. */
static int32_t hex_unit(const char *p, const char *end)
{
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        const int digit = p + i < end ? hex_value(p[i]) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

/* at stands on the backslash. */
static bool scan_escape(tl__cursor *c, uint32_t *code_point)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *const p = c->at;
    if (c->end - p < 2) {
        return false;
    }
    if (p[1] != 'u') {
        const char *const letter = (const char *)memchr(letters, p[1], sizeof letters - 1);
        c->at = p + 2;
        *code_point = letter != NULL ? (unsigned char)meanings[letter - letters] : 0;
        return letter != NULL;
    }
    const int32_t high = hex_unit(p + 2, c->end);
    c->at = p + 6;
    *code_point = (uint32_t)high;
    if (high < 0xD800 || high > 0xDFFF) {
        return high >= 0;
    }
    const bool has_second =
        high < 0xDC00 && c->end - c->at >= 2 && c->at[0] == '\\' && c->at[1] == 'u';
    const int32_t low = has_second ? hex_unit(c->at + 2, c->end) : -1;
    c->at += has_second ? 6 : 0;
    *code_point = 0x10000 + (((uint32_t)high & 0x3FF) << 10 | ((uint32_t)low & 0x3FF));
    return low >= 0xDC00 && low <= 0xDFFF;
}

bool tl__scan_string(tl__cursor *c, tl__value *out)
{
    const char *const begin = ++c->at;
    out->has_escapes = false;
    for (;;) {
        c->at = skip_run(c->at, c->end);
        if (c->at == c->end) {
            return false;
        }
        if (*c->at == '"') {
            out->kind = TL__STRING;
            out->text = (tl_str){begin, (size_t)(c->at - begin)};
            c->at++;
            return true;
        }
        if (*c->at == '\\') {
            uint32_t code_point = 0;
            out->has_escapes = true;
            if (!scan_escape(c, &code_point)) {
                return false;
            }
        } else {
            const size_t len = tl_str_utf8_at(NULL, (tl_str){c->at, (size_t)(c->end - c->at)}, 0);
            if (len == 0 || (unsigned char)*c->at < 0x20) {
                return false;
            }
            c->at += len;
        }
    }
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3; /* bytes that follow the first */
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    *out++ = (char)(lead[tail] | c >> (6 * tail));
    for (int i = tail - 1; i >= 0; i--) {
        *out++ = (char)(0x80 | (c >> (6 * i) & 0x3F));
    }
    return out;
}

/* The first len bytes, or fewer, so that no character is cut. */
static tl_str cut(tl_str text, size_t len)
{
    if (text.len <= len) {
        return text;
    }
    while (len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80) {
        len--;
    }
    return (tl_str){text.ptr, len};
}

tl_err tl__unescape(tl_str *out, tl_arena *arena, const tl__value *string, tl_errctx *ctx)
{
    if (!string->has_escapes) {
        *out = cut(string->text, TL_RECORD_TEXT_MAX);
        return TL_OK;
    }
    /* No escape is shorter than what it means. */
    const size_t cap =
        string->text.len < TL_RECORD_TEXT_MAX ? string->text.len : TL_RECORD_TEXT_MAX;
    char *const decoded = TL_NEW(arena, char, cap + 4);
    if (decoded == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    char *to = decoded;
    tl__cursor c = {string->text.ptr, string->text.ptr + string->text.len};
    while (c.at < c.end && (size_t)(to - decoded) < cap) {
        uint32_t code_point = 0;
        if (*c.at != '\\') {
            *to++ = *c.at++;
            continue;
        }
        const bool is_escape = scan_escape(&c, &code_point);
        TL_ASSERT(is_escape); /* it was scanned before */
        to = put_utf8(to, code_point);
    }
    while (c.at < c.end &&
           ((unsigned char)*c.at & 0xC0) == 0x80) { /* the rest of a character that the cap met */
        to--;
        c.at--;
    }
    *out = (tl_str){decoded, (size_t)(to - decoded)};
    return TL_OK;
}

tl_err tl__unescape_key(tl_str *out, tl_arena *arena, const tl__value *key, tl_errctx *ctx)
{
    if (key->text.len >
        KEY_LEN_MAX) { /* longer than any that someone reads, each letter as an escape */
        *out = TL_STR("");
        return TL_OK;
    }
    return tl__unescape(out, arena, key, ctx);
}

/* --- numbers and words --- */

static inline const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

static bool scan_word(tl__cursor *c, tl_str word)
{
    if ((size_t)(c->end - c->at) < word.len || memcmp(c->at, word.ptr, word.len) != 0) {
        return false;
    }
    c->at += word.len;
    return true;
}

static bool scan_number(tl__cursor *c)
{
    const char *p = c->at + (*c->at == '-' ? 1 : 0);
    if (p < c->end && *p == 'I') {
        c->at = p;
        return scan_word(c, TL_STR("Infinity"));
    }
    const char *part = p;
    p = skip_digits(p, c->end);
    if (p == part || (*part == '0' && p - part > 1)) {
        return false;
    }
    if (p < c->end && *p == '.') {
        part = ++p;
        p = skip_digits(p, c->end);
        if (p == part) {
            return false;
        }
    }
    if (p < c->end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < c->end && (*p == '+' || *p == '-') ? 1 : 0;
        part = p;
        p = skip_digits(p, c->end);
        if (p == part) {
            return false;
        }
    }
    c->at = p;
    return true;
}

/* --- values --- */

/* Arrays and objects, one bit a level: no recursion, however they nest. */
typedef struct nesting {
    uint64_t is_object[TL__DEPTH_MAX / 64];
    uint32_t depth; /* of this value */
} nesting;

static bool enter(nesting *n, uint32_t around, bool is_object)
{
    if (around + n->depth >= TL__DEPTH_MAX) {
        return false;
    }
    const uint64_t bit = UINT64_C(1) << (n->depth % 64);
    uint64_t *const word = &n->is_object[n->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    n->depth++;
    return true;
}

static bool in_object(const nesting *n)
{
    return (n->is_object[(n->depth - 1) / 64] >> ((n->depth - 1) % 64) & 1) != 0;
}

/* A key and its colon, up to the value. */
static bool scan_key(tl__cursor *c)
{
    tl__value key;
    if (!tl__scan_blank(c) || *c->at != '"' || !tl__scan_string(c, &key) || !tl__scan_blank(c) ||
        *c->at != ':') {
        return false;
    }
    c->at++;
    return tl__scan_blank(c);
}

/* Anything but an array or an object. */
static bool scan_scalar(tl__cursor *c, tl__value *out)
{
    out->kind = TL__OTHER;
    const char *const begin = c->at;
    bool is_good;
    switch (*begin) {
    case '"':
        return tl__scan_string(c, out);
    case 't':
        is_good = scan_word(c, TL_STR("true"));
        break;
    case 'f':
        is_good = scan_word(c, TL_STR("false"));
        break;
    case 'n':
        out->kind = TL__NULL;
        is_good = scan_word(c, TL_STR("null"));
        break;
    case 'N':
        out->kind = TL__NUMBER;
        is_good = scan_word(c, TL_STR("NaN"));
        break;
    default:
        out->kind = TL__NUMBER;
        is_good = scan_number(c);
        break;
    }
    out->text = (tl_str){begin, (size_t)(c->at - begin)};
    return is_good;
}

/* After a value within n: over the ends of levels, to the next value or out of the last level. */
static bool scan_on(tl__cursor *c, nesting *n)
{
    while (n->depth != 0) {
        if (!tl__scan_blank(c)) {
            return false;
        }
        const bool is_object = in_object(n);
        const char found = *c->at++;
        if (found == ',') {
            return is_object ? scan_key(c) : tl__scan_blank(c);
        }
        if (found != (is_object ? '}' : ']')) {
            return false;
        }
        n->depth--;
    }
    return true;
}

static bool scan_nested(tl__cursor *c, uint32_t around)
{
    nesting n = {{0}, 0};
    do { /* at stands on the first byte of a value */
        const bool is_object = *c->at == '{';
        if (!is_object && *c->at != '[') {
            tl__value value;
            if (!scan_scalar(c, &value) || !scan_on(c, &n)) {
                return false;
            }
            continue;
        }
        if (!enter(&n, around, is_object)) {
            return false;
        }
        c->at++;
        if (!tl__scan_blank(c)) {
            return false;
        }
        if (*c->at == (is_object ? '}' : ']')) {
            c->at++;
            n.depth--;
            if (!scan_on(c, &n)) {
                return false;
            }
        } else if (is_object && !scan_key(c)) {
            return false;
        }
    } while (n.depth != 0);
    return true;
}

bool tl__scan_value(tl__cursor *c, tl__value *out, uint32_t depth)
{
    out->has_escapes = false;
    if (*c->at != '{' && *c->at != '[') {
        return scan_scalar(c, out);
    }
    const char *const begin = c->at;
    out->kind = TL__OTHER;
    const bool is_good = scan_nested(c, depth);
    out->text = (tl_str){begin, (size_t)(c->at - begin)};
    return is_good;
}
