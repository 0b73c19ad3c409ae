/* The writer. Its states are the places where a value or a key may come:
 *
 *     ROOT ──value──▶ DONE      ARRAY ──value──▶ ARRAY      OBJECT ──key──▶ MEMBER ──value──▶ OBJECT
 *
 * A container that begins is ARRAY or OBJECT; when it ends, it was the value of the place around it. */
#include <float.h>
#include <string.h>

#include "base/decimal/decimal.h"
#include "base/json/json.h"
#include "base/json/scan.h"

enum { ROOT, ARRAY, OBJECT, MEMBER, DONE };

static bool has_bit(const uint64_t *bits, uint32_t level)
{
    return (bits[level / 64] >> (level % 64) & 1) != 0;
}

static void set_bit(uint64_t *bits, uint32_t level, bool value)
{
    const uint64_t bit = UINT64_C(1) << (level % 64);
    bits[level / 64] = value ? bits[level / 64] | bit : bits[level / 64] & ~bit;
}

static void put_line(tl_json_writer *w)
{
    if (w->indent != 0) {
        tl_sb_put_char(w->sb, '\n');
        tl_sb_put_repeat(w->sb, ' ', (size_t)w->indent * w->depth);
    }
}

/* The comma and the line before an item or a key. */
static void put_separator(tl_json_writer *w)
{
    if (has_bit(w->filled, w->depth - 1)) {
        tl_sb_put_char(w->sb, ',');
    }
    set_bit(w->filled, w->depth - 1, true);
    put_line(w);
}

static void before_value(tl_json_writer *w)
{
    TL_ASSERT(w->state == ROOT || w->state == ARRAY || w->state == MEMBER); /* JSON-3 */
    if (w->state == ARRAY) {
        put_separator(w);
    }
}

static void after_value(tl_json_writer *w)
{
    w->state = w->depth == 0 ? DONE : has_bit(w->nest, w->depth - 1) ? OBJECT : ARRAY;
}

static void put_word(tl_json_writer *w, const void *text, size_t len)
{
    before_value(w);
    tl_sb_put_bytes(w->sb, text, len);
    after_value(w);
}

void tl_json_writer_init(tl_json_writer *w, tl_sb *sb, uint32_t indent, bool sorted)
{
    memset(w, 0, sizeof *w);
    w->sb = sb;
    w->indent = indent;
    w->sorted = sorted;
    w->state = ROOT;
}

static void begin(tl_json_writer *w, bool is_object)
{
    before_value(w);
    TL_ASSERT(w->depth < TL_JSON_WRITE_DEPTH_MAX);
    tl_sb_put_char(w->sb, is_object ? '{' : '[');
    set_bit(w->nest, w->depth, is_object);
    set_bit(w->filled, w->depth, false);
    w->depth++;
    w->state = is_object ? OBJECT : ARRAY;
}

void tl_json_put_object(tl_json_writer *w)
{
    begin(w, true);
}

void tl_json_put_array(tl_json_writer *w)
{
    begin(w, false);
}

void tl_json_put_end(tl_json_writer *w)
{
    TL_ASSERT(w->depth != 0 && (w->state == ARRAY || w->state == OBJECT)); /* JSON-3 */
    w->depth--;
    if (has_bit(w->filled, w->depth)) {
        put_line(w);
    }
    tl_sb_put_char(w->sb, has_bit(w->nest, w->depth) ? '}' : ']');
    after_value(w);
}

/* --- strings --- */

static void put_unit(tl_json_writer *w, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[6] = {
        '\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    tl_sb_put_bytes(w->sb, escape, sizeof escape);
}

static void put_code_point(tl_json_writer *w, uint32_t c)
{
    if (c >= 0x10000) {
        put_unit(w, 0xD800 + ((c - 0x10000) >> 10));
        put_unit(w, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
        put_unit(w, c);
    }
}

/* What cannot stand for itself; returns how many bytes of s that was. */
static size_t put_escape(tl_json_writer *w, tl_str s, size_t at)
{
    static const char bytes[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *const known = (const char *)memchr(bytes, s.ptr[at], sizeof bytes - 1);
    if (known != NULL) {
        const char escape[2] = {'\\', letters[known - bytes]};
        tl_sb_put_bytes(w->sb, escape, sizeof escape);
        return 1;
    }
    uint32_t code_point = 0xFFFD;
    const size_t len = tl_str_utf8_at(&code_point, s, at);
    put_code_point(w, code_point);
    return len != 0 ? len : 1;
}

/* The first byte that cannot stand for itself, or end. DEL can in JSON, but Python escapes it. */
static const char *skip_printable(const char *p, const char *end)
{
    const char *const stop = tl__json_skip_plain(p, end);
    const void *const del = memchr(p, 0x7F, (size_t)(stop - p));
    return del != NULL ? (const char *)del : stop;
}

static void put_quoted(tl_json_writer *w, tl_str s)
{
    const tl_str text = s.len != 0 ? s : TL_STR("");
    const char *const end = text.ptr + text.len;
    const char *p = text.ptr;
    tl_sb_put_char(w->sb, '"');
    while (p < end) {
        const char *const run = p;
        p = skip_printable(p, end);
        tl_sb_put_bytes(w->sb, run, (size_t)(p - run));
        if (p < end) {
            p += put_escape(w, text, (size_t)(p - text.ptr));
        }
    }
    tl_sb_put_char(w->sb, '"');
}

static void put_key(tl_json_writer *w, tl_str key)
{
    TL_ASSERT(w->state == OBJECT); /* JSON-3 */
    put_separator(w);
    put_quoted(w, key);
    tl_sb_put(w->sb, w->indent != 0 ? TL_STR(": ") : TL_STR(":"));
    w->state = MEMBER;
}

void tl_json_put_key_str(tl_json_writer *w, tl_str key)
{
    if (w->sorted && w->depth != 0 && w->depth <= TL_JSON_DEPTH_MAX) {
        tl_str *const last = &w->last_key[w->depth - 1];
        TL_ASSERT(!has_bit(w->filled, w->depth - 1) || tl_str_cmp(*last, key) < 0);
        *last = key;
    }
    put_key(w, key);
}

void tl_json_put_key(tl_json_writer *w, const char *key)
{
    tl_json_put_key_str(w, tl_str_from_cstr(key));
}

void tl_json_put_str(tl_json_writer *w, tl_str value)
{
    before_value(w);
    put_quoted(w, value);
    after_value(w);
}

void tl_json_put_cstr(tl_json_writer *w, const char *value)
{
    if (value == NULL) {
        tl_json_put_null(w);
    } else {
        tl_json_put_str(w, tl_str_from_cstr(value));
    }
}

void tl_json_put_hex(tl_json_writer *w, const void *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *const b = (const uint8_t *)bytes;
    before_value(w);
    tl_sb_put_char(w->sb, '"');
    for (size_t i = 0; i < len; i++) {
        const char pair[2] = {hex[b[i] >> 4], hex[b[i] & 15]};
        tl_sb_put_bytes(w->sb, pair, sizeof pair);
    }
    tl_sb_put_char(w->sb, '"');
    after_value(w);
}

/* --- words and numbers --- */

void tl_json_put_null(tl_json_writer *w)
{
    put_word(w, "null", 4);
}

void tl_json_put_bool(tl_json_writer *w, bool value)
{
    put_word(w, value ? "true" : "false", value ? 4 : 5);
}

void tl_json_put_i64(tl_json_writer *w, int64_t value)
{
    before_value(w);
    tl_sb_put_i64(w->sb, value);
    after_value(w);
}

void tl_json_put_u64(tl_json_writer *w, uint64_t value)
{
    before_value(w);
    tl_sb_put_u64(w->sb, value);
    after_value(w);
}

void tl_json_put_f64(tl_json_writer *w, double value)
{
    TL_ASSERT(value >= -DBL_MAX && value <= DBL_MAX);
    char text[TL_F64_TEXT_CAP];
    const size_t len = tl_f64_print(text, value);
    put_word(w, text, len);
}

/* --- trees --- */

/* Recursion as deep as the tree: TL_JSON_DEPTH_CEILING at most. */
void tl_json_put_tree(tl_json_writer *w, const tl_json *value)
{
    switch (value->kind) {
    case TL_JSON_NULL:
        tl_json_put_null(w);
        break;
    case TL_JSON_BOOL:
        tl_json_put_bool(w, value->boolean);
        break;
    case TL_JSON_NUMBER:
        put_word(w, value->text.ptr, value->text.len);
        break;
    case TL_JSON_STRING:
        tl_json_put_str(w, value->text);
        break;
    case TL_JSON_ARRAY:
        tl_json_put_array(w);
        for (size_t i = 0; i < value->count; i++) {
            tl_json_put_tree(w, &value->items[i]);
        }
        tl_json_put_end(w);
        break;
    case TL_JSON_OBJECT:
        tl_json_put_object(w);
        for (size_t i = 0; i < value->count; i++) {
            put_key(w, value->members[i].key);
            tl_json_put_tree(w, &value->members[i].value);
        }
        tl_json_put_end(w);
        break;
    }
}

void tl_json_put_raw(tl_json_writer *w, tl_str json)
{
    TL_ASSERT(json.len != 0);
    put_word(w, json.ptr, json.len);
}

void tl_json_writer_done(const tl_json_writer *w)
{
    TL_ASSERT(w->state == DONE && w->depth == 0); /* JSON-3 */
}
