/* The pull reader: one token a call, and one state in between.
 *
 *     BEFORE_VALUE ──value──▶ AFTER_VALUE ──','──▶ BEFORE_VALUE (in an array), or key ':' ▶ BEFORE_VALUE (in an object)
 *          ▲                       │ ']' '}'
 *     IN_ARRAY: a value or ']'     ▼
 *     IN_OBJECT: a key or '}'  AFTER_VALUE of the level above; at depth 0 only white space may follow
 */
#include "base/json/json.h"

#include <string.h>

#include "base/json/json_internal.h"
#include "base/json/scan.h"

enum { BEFORE_VALUE, IN_ARRAY, IN_OBJECT, AFTER_VALUE };

/* --- errors --- */

/* Lines are counted only now, when someone will read them. */
tl_err tl__json_placed(tl_json_reader *r, size_t offset, tl_err err, tl_errctx *ctx)
{
    uint32_t line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (r->input.ptr[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    tl_errctx_at(ctx, offset, line, (uint32_t)(offset - line_start) + 1);
    r->failed = (uint8_t)err;
    return err;
}

static tl_err placed(tl_json_reader *r, const char *p, tl_err err, tl_errctx *ctx)
{
    return tl__json_placed(r, (size_t)(p - r->input.ptr), err, ctx);
}

static tl_err fail_at(tl_json_reader *r, const char *p, tl_err code, const char *what,
                      tl_errctx *ctx)
{
    return placed(r, p, tl_fail(ctx, code, "%s", what), ctx);
}

/* "<wanted> is expected, found …" */
static tl_err fail_expected(tl_json_reader *r, const char *p, const char *wanted, tl_errctx *ctx)
{
    tl_err err;
    if (p == r->input.ptr + r->input.len) {
        err = tl_fail(ctx, TL_ERR_SYNTAX, "%s is expected, found the end of the text", wanted);
    } else if ((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7F) {
        err = tl_fail(ctx, TL_ERR_SYNTAX, "%s is expected, found '%c'", wanted, *p);
    } else {
        err = tl_fail(ctx, TL_ERR_SYNTAX, "%s is expected, found the byte 0x%02x", wanted,
                      (unsigned)(unsigned char)*p);
    }
    return placed(r, p, err, ctx);
}

/* --- strings --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits at p, or -1. */
static int32_t hex_unit(const char *p, const char *end)
{
    if (end - p < 4) {
        return -1;
    }
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(p[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* \uXXXX, or a pair of them for what lies beyond 0xFFFF (JSON-2: half a pair is refused); *p stands on the u. */
static tl_err take_unicode(tl_json_reader *r, uint32_t *out, const char **p, const char *end,
                           tl_errctx *ctx)
{
    const char *const escape = *p - 1;
    const int32_t unit = hex_unit(*p + 1, end);
    if (unit < 0) {
        return fail_at(r, escape, TL_ERR_SYNTAX, "\\u wants four hex digits", ctx);
    }
    *p += 5;
    if (unit < 0xD800 || unit > 0xDFFF) {
        *out = (uint32_t)unit;
        return TL_OK;
    }
    const bool has_second = unit < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u';
    const int32_t second = has_second ? hex_unit(*p + 2, end) : -1;
    if (second < 0xDC00 || second > 0xDFFF) {
        return fail_at(r, escape, TL_ERR_ENCODING, "half of a surrogate pair stands alone", ctx);
    }
    *p += 6;
    *out = 0x10000 + (((uint32_t)unit & 0x3FF) << 10 | ((uint32_t)second & 0x3FF));
    return TL_OK;
}

/* One escape; *p stands on the backslash. */
static tl_err take_escape(tl_json_reader *r, char **out, const char **p, const char *end,
                          tl_errctx *ctx)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *const escape = (*p)++;
    if (*p == end) {
        return fail_expected(r, *p, "an escape", ctx);
    }
    if (**p == 'u') {
        uint32_t code_point = 0;
        TL_TRY(take_unicode(r, &code_point, p, end, ctx));
        *out = put_utf8(*out, code_point);
        return TL_OK;
    }
    const char *const letter = (const char *)memchr(letters, **p, sizeof letters - 1);
    if (letter == NULL) {
        return fail_at(r, escape, TL_ERR_SYNTAX, "unknown escape", ctx);
    }
    *(*out)++ = meanings[letter - letters];
    (*p)++;
    return TL_OK;
}

/* What stopped the scan of a string: a UTF-8 sequence is stepped over, anything else but '"' and '\' is an error. */
static tl_err step_over(tl_json_reader *r, const char **p, const char *end, tl_errctx *ctx)
{
    if (*p == end) {
        return fail_at(r, *p, TL_ERR_SYNTAX, "the text ends within a string", ctx);
    }
    if ((unsigned char)**p < 0x20) {
        return fail_at(r, *p, TL_ERR_SYNTAX, "a control character must be escaped", ctx);
    }
    const size_t len = tl_str_utf8_at(NULL, (tl_str){*p, (size_t)(end - *p)}, 0);
    if (len == 0) {
        return fail_at(r, *p, TL_ERR_ENCODING, "the text is not UTF-8", ctx);
    }
    *p += len;
    return TL_OK;
}

/* The quote that ends a string with escapes, or end. */
static const char *find_quote(const char *p, const char *end)
{
    while (p < end && *p != '"') {
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    }
    return p;
}

/* A string from its first escape on: it is decoded into the arena, where it cannot be longer. */
static tl_err take_escaped(tl_json_reader *r, const char *begin, const char *p, const char *end,
                           tl_errctx *ctx)
{
    char *const decoded = TL_NEW(r->arena, char, (size_t)(find_quote(p, end) - begin) + 1);
    if (decoded == NULL) {
        const tl_err err = tl_arena_fail(r->arena, ctx);
        r->failed = (uint8_t)err;
        return err;
    }
    memcpy(decoded, begin, (size_t)(p - begin));
    char *out = decoded + (p - begin);
    for (;;) {
        const char *const run = p;
        p = tl__json_skip_plain(p, end);
        if (p == end || (*p != '"' && *p != '\\')) {
            TL_TRY(step_over(r, &p, end, ctx));
        }
        memcpy(out, run, (size_t)(p - run));
        out += p - run;
        if (p < end && *p == '"') {
            break;
        }
        if (p < end && *p == '\\') {
            TL_TRY(take_escape(r, &out, &p, end, ctx));
        }
    }
    r->text = (tl_str){decoded, (size_t)(out - decoded)};
    TL_VERIFY(tl_str_is_utf8(r->text)); /* JSON-2 */
    r->at = (size_t)(p + 1 - r->input.ptr);
    return TL_OK;
}

/* p stands on the opening quote. */
static tl_err take_string(tl_json_reader *r, const char *p, const char *end, tl_errctx *ctx)
{
    const char *const begin = ++p;
    for (;;) {
        p = tl__json_skip_plain(p, end);
        if (p < end && *p == '"') {
            break;
        }
        if (p < end && *p == '\\') {
            return take_escaped(r, begin, p, end, ctx);
        }
        TL_TRY(step_over(r, &p, end, ctx));
    }
    r->text = (tl_str){begin, (size_t)(p - begin)};
    TL_VERIFY(tl_str_is_utf8(r->text)); /* JSON-2 */
    r->at = (size_t)(p + 1 - r->input.ptr);
    return TL_OK;
}

/* --- numbers and words --- */

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* A word that stands for a number: the reader's text is the word. */
static tl_err take_nonfinite(tl_json_reader *r, const char *p, const char *end, tl_str word,
                             tl_errctx *ctx)
{
    if (!tl_str_starts_with((tl_str){p, (size_t)(end - p)}, word)) {
        return fail_at(r, p, TL_ERR_SYNTAX, "unknown word: NaN, Infinity and -Infinity are known",
                       ctx);
    }
    r->text = (tl_str){p, word.len};
    r->at += word.len;
    return TL_OK;
}

/* JSON-1: the digits stay text; the value is made by who asks for it. */
static tl_err take_number(tl_json_reader *r, const char *p, const char *end, tl_errctx *ctx)
{
    const char *const begin = p;
    p += *p == '-' ? 1 : 0;
    const char *part = p;
    p = skip_digits(p, end);
    if (p == part && p > begin && p < end && *p == 'I' && r->allow_nonfinite) {
        return take_nonfinite(r, begin, end, TL_STR("-Infinity"), ctx);
    }
    if (p == part) {
        return fail_expected(r, p, "a digit", ctx);
    }
    if (*part == '0' && p - part > 1) {
        return fail_at(r, part, TL_ERR_SYNTAX, "a number has no leading zeros", ctx);
    }
    if (p < end && *p == '.') {
        part = ++p;
        p = skip_digits(p, end);
        if (p == part) {
            return fail_expected(r, p, "a digit", ctx);
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-') ? 1 : 0;
        part = p;
        p = skip_digits(p, end);
        if (p == part) {
            return fail_expected(r, p, "a digit", ctx);
        }
    }
    r->text = (tl_str){begin, (size_t)(p - begin)};
    r->at = (size_t)(p - r->input.ptr);
    return TL_OK;
}

static tl_err take_word(tl_json_reader *r, const char *p, const char *end, tl_str word,
                        tl_errctx *ctx)
{
    if (!tl_str_starts_with((tl_str){p, (size_t)(end - p)}, word)) {
        return fail_at(r, p, TL_ERR_SYNTAX, "unknown word: only true, false and null are known",
                       ctx);
    }
    r->at += word.len;
    return TL_OK;
}

/* --- structure --- */

static bool in_object(const tl_json_reader *r)
{
    const uint32_t level = r->depth - 1;
    return (r->nest[level / 64] >> (level % 64) & 1) != 0;
}

static tl_err enter(tl_json_reader *r, const char *p, bool is_object, tl_errctx *ctx)
{
    if (r->depth == r->depth_max) {
        return fail_at(r, p, TL_ERR_LIMIT, "arrays and objects are nested too deeply", ctx);
    }
    const uint64_t bit = UINT64_C(1) << (r->depth % 64);
    uint64_t *const word = &r->nest[r->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    r->depth++;
    r->at++;
    r->state = is_object ? IN_OBJECT : IN_ARRAY;
    return TL_OK;
}

static void leave(tl_json_reader *r)
{
    TL_ASSERT(r->depth != 0);
    r->depth--;
    r->at++;
    r->state = AFTER_VALUE;
}

static tl_err take_value(tl_json_reader *r, tl_json_event *out, const char *p, const char *end,
                         tl_errctx *ctx)
{
    r->state = AFTER_VALUE;
    switch (p < end ? *p : '\0') {
    case '"':
        *out = TL_JSON_EV_STRING;
        return take_string(r, p, end, ctx);
    case '{':
        *out = TL_JSON_EV_OBJECT_BEGIN;
        return enter(r, p, true, ctx);
    case '[':
        *out = TL_JSON_EV_ARRAY_BEGIN;
        return enter(r, p, false, ctx);
    case 't':
        *out = TL_JSON_EV_TRUE;
        return take_word(r, p, end, TL_STR("true"), ctx);
    case 'f':
        *out = TL_JSON_EV_FALSE;
        return take_word(r, p, end, TL_STR("false"), ctx);
    case 'n':
        *out = TL_JSON_EV_NULL;
        return take_word(r, p, end, TL_STR("null"), ctx);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        *out = TL_JSON_EV_NUMBER;
        return take_number(r, p, end, ctx);
    case 'N':
    case 'I':
        if (r->allow_nonfinite) {
            *out = TL_JSON_EV_NUMBER;
            return take_nonfinite(r, p, end, *p == 'N' ? TL_STR("NaN") : TL_STR("Infinity"), ctx);
        }
        return fail_expected(r, p, "a value", ctx);
    default:
        return fail_expected(r, p, "a value", ctx);
    }
}

/* A key and its colon. */
static tl_err take_key(tl_json_reader *r, tl_json_event *out, const char *p, const char *end,
                       tl_errctx *ctx)
{
    if (p == end || *p != '"') {
        return fail_expected(r, p, "a key", ctx);
    }
    TL_TRY(take_string(r, p, end, ctx));
    p = tl__json_skip_blank(r->input.ptr + r->at, end);
    if (p == end || *p != ':') {
        return fail_expected(r, p, "':'", ctx);
    }
    r->at = (size_t)(p + 1 - r->input.ptr);
    r->state = BEFORE_VALUE;
    *out = TL_JSON_EV_KEY;
    return TL_OK;
}

/* After a value: the end of the text, the end of the level, or a comma and what it promises. */
static tl_err take_next(tl_json_reader *r, tl_json_event *out, const char *p, const char *end,
                        tl_errctx *ctx)
{
    if (r->depth == 0) {
        if (p < end) {
            return fail_expected(r, p, "the end of the text", ctx);
        }
        *out = TL_JSON_EV_END;
        return TL_OK;
    }
    const bool is_object = in_object(r);
    if (p < end && *p == ',') {
        p = tl__json_skip_blank(p + 1, end);
        r->at = r->offset = (size_t)(p - r->input.ptr);
        return is_object ? take_key(r, out, p, end, ctx) : take_value(r, out, p, end, ctx);
    }
    if (p == end || *p != (is_object ? '}' : ']')) {
        return fail_expected(r, p, is_object ? "',' or '}'" : "',' or ']'", ctx);
    }
    leave(r);
    *out = is_object ? TL_JSON_EV_OBJECT_END : TL_JSON_EV_ARRAY_END;
    return TL_OK;
}

tl_err tl_json_reader_init(tl_json_reader *reader, tl_arena *arena, tl_str input,
                           const tl_json_options *options, tl_errctx *ctx)
{
    const tl_json_options given =
        options != NULL ? *options : (tl_json_options){false, false, 0, 0};
    const size_t len_max = given.len_max != 0 ? given.len_max : TL_JSON_LEN_MAX;
    const uint32_t depth_max = given.depth_max != 0 ? given.depth_max : TL_JSON_DEPTH_MAX;
    if (len_max > TL_JSON_LEN_MAX || depth_max > TL_JSON_DEPTH_CEILING) {
        return tl_fail(ctx, TL_ERR_RANGE, "an option of the JSON reader is above its ceiling");
    }
    if (input.len > len_max) {
        return tl_fail(ctx, TL_ERR_LIMIT, "the text has %zu bytes, above %zu", input.len, len_max);
    }
    memset(reader, 0, sizeof *reader);
    reader->input = input.len != 0 ? input : TL_STR("");
    reader->allow_nonfinite = given.allow_nonfinite;
    reader->text = TL_STR("");
    reader->arena = arena;
    reader->depth_max = depth_max;
    reader->state = BEFORE_VALUE;
    return TL_OK;
}

static tl_err take(tl_json_reader *r, tl_json_event *out, const char *p, const char *end,
                   tl_errctx *ctx)
{
    if (r->state == AFTER_VALUE) {
        return take_next(r, out, p, end, ctx);
    }
    const bool is_object = r->state == IN_OBJECT;
    if (p < end && ((is_object && *p == '}') || (r->state == IN_ARRAY && *p == ']'))) {
        leave(r);
        *out = is_object ? TL_JSON_EV_OBJECT_END : TL_JSON_EV_ARRAY_END;
        return TL_OK;
    }
    return is_object ? take_key(r, out, p, end, ctx) : take_value(r, out, p, end, ctx);
}

tl_err tl_json_next(tl_json_reader *reader, tl_json_event *out, tl_errctx *ctx)
{
    if (reader->failed != TL_OK) {
        return tl_fail(ctx, (tl_err)reader->failed, "the JSON reader failed before");
    }
    const char *const end = reader->input.ptr + reader->input.len;
    const char *const p = tl__json_skip_blank(reader->input.ptr + reader->at, end);
    reader->at = reader->offset = (size_t)(p - reader->input.ptr);
    tl_json_event event = TL_JSON_EV_END;
    TL_TRY(take(reader, &event, p, end, ctx));
    *out = event;
    return TL_OK;
}
