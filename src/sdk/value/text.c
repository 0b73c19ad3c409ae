/* Values as text: Python's str() and repr(), and json.dumps in the two styles of the wire (VAL-2). */
#include "sdk/value/value.h"

#include <string.h>

#include "base/decimal/decimal.h"
#include "core/listings/pyvalue/pyvalue.h"
#include "sdk/value/value_internal.h"

static void put_number(tl_sb *sb, const tl_value *value, bool is_json)
{
    char text[TL_F64_TEXT_CAP];
    if (value->kind == TL_VALUE_INT) {
        tl_sb_put_i64(sb, value->i64);
    } else if (value->kind == TL_VALUE_BIGINT) {
        tl_sb_put(sb, value->text);
    } else if (is_json && __builtin_isnan(value->f64)) {
        tl_sb_put_cstr(sb, "NaN");
    } else if (is_json && __builtin_isinf(value->f64)) {
        tl_sb_put_cstr(sb, value->f64 < 0 ? "-Infinity" : "Infinity");
    } else {
        tl_sb_put_bytes(sb, text, tl_f64_print(text, value->f64));
    }
}

/* --- repr --- */

static void put_escaped(tl_sb *sb, uint32_t c)
{
    if (c < 0x100) {
        tl_sb_printf(sb, "\\x%02x", (unsigned)c);
    } else if (c < 0x10000) {
        tl_sb_printf(sb, "\\u%04x", (unsigned)c);
    } else {
        tl_sb_printf(sb, "\\U%08x", (unsigned)c);
    }
}

static void put_repr_char(tl_sb *sb, uint32_t c, tl_str bytes, char quote)
{
    if (c == (uint32_t)quote || c == '\\') {
        tl_sb_put_char(sb, '\\');
        tl_sb_put_char(sb, (char)c);
    } else if (c == '\n') {
        tl_sb_put_cstr(sb, "\\n");
    } else if (c == '\r') {
        tl_sb_put_cstr(sb, "\\r");
    } else if (c == '\t') {
        tl_sb_put_cstr(sb, "\\t");
    } else if (tl_py_is_printable(c)) {
        tl_sb_put(sb, bytes);
    } else {
        put_escaped(sb, c);
    }
}

/* Printable ASCII that stands for itself under either quote. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7F && c != '\'' && c != '"' && c != '\\';
}

void tl_value_put_str_repr(tl_sb *sb, tl_str text)
{
    const bool has_single = tl_str_find(text, '\'') < text.len;
    const bool has_double = tl_str_find(text, '"') < text.len;
    const char quote = has_single && !has_double ? '"' : '\'';
    tl_sb_put_char(sb, quote);
    for (size_t at = 0; at < text.len;) {
        const size_t run = at;
        while (at < text.len && is_plain(text.ptr[at])) {
            at++;
        }
        tl_sb_put(sb, tl_str_slice(text, run, at));
        if (at == text.len) {
            break;
        }
        uint32_t c = 0;
        const size_t len = tl_str_utf8_at(&c, text, at);
        if (len == 0) {
            tl_sb_put_cstr(sb, "\xEF\xBF\xBD");
            at++;
            continue;
        }
        put_repr_char(sb, c, tl_str_slice(text, at, at + len), quote);
        at += len;
    }
    tl_sb_put_char(sb, quote);
}

static void put_items_repr(tl_sb *sb, const tl_value *value)
{
    const bool is_tuple = value->kind == TL_VALUE_TUPLE;
    tl_sb_put_char(sb, is_tuple ? '(' : '[');
    for (uint32_t i = 0; i < value->count; i++) {
        tl_sb_put_cstr(sb, i > 0 ? ", " : "");
        tl_value_put_repr(sb, &value->items[i]);
    }
    tl_sb_put_cstr(sb, is_tuple && value->count == 1 ? "," : "");
    tl_sb_put_char(sb, is_tuple ? ')' : ']');
}

static void put_members_repr(tl_sb *sb, const tl_value *value)
{
    tl_sb_put_char(sb, '{');
    for (uint32_t i = 0; i < value->count; i++) {
        tl_sb_put_cstr(sb, i > 0 ? ", " : "");
        tl_value_put_str_repr(sb, value->members[i].key);
        tl_sb_put_cstr(sb, ": ");
        tl_value_put_repr(sb, &value->members[i].value);
    }
    tl_sb_put_char(sb, '}');
}

/* The recursion is as deep as the value, which the reader of its text bounded. */
void tl_value_put_repr(tl_sb *sb, const tl_value *value)
{
    switch (value->kind) {
    case TL_VALUE_NONE:
        tl_sb_put_cstr(sb, "None");
        return;
    case TL_VALUE_BOOL:
        tl_sb_put_cstr(sb, value->boolean ? "True" : "False");
        return;
    case TL_VALUE_INT:
    case TL_VALUE_BIGINT:
    case TL_VALUE_FLOAT:
        put_number(sb, value, false);
        return;
    case TL_VALUE_STR:
        tl_value_put_str_repr(sb, value->text);
        return;
    case TL_VALUE_LIST:
    case TL_VALUE_TUPLE:
        put_items_repr(sb, value);
        return;
    case TL_VALUE_DICT:
        put_members_repr(sb, value);
        return;
    }
}

void tl_value_put_str(tl_sb *sb, const tl_value *value)
{
    if (value->kind == TL_VALUE_STR) {
        tl_sb_put(sb, value->text);
    } else {
        tl_value_put_repr(sb, value);
    }
}

/* --- JSON --- */

static void put_json_escape(tl_sb *sb, uint32_t c)
{
    static const char letters[] = "\"\\\b\f\n\r\t";
    static const char escapes[] = "\"\\bfnrt";
    const char *const letter =
        c != 0 && c < 0x80 ? (const char *)memchr(letters, (int)c, sizeof letters - 1) : NULL;
    if (letter != NULL) {
        tl_sb_put_char(sb, '\\');
        tl_sb_put_char(sb, escapes[letter - letters]);
    } else if (c < 0x10000) {
        tl_sb_printf(sb, "\\u%04x", (unsigned)c);
    } else {
        tl_sb_printf(sb, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
                     (unsigned)(0xDC00 + ((c - 0x10000) & 0x3FF)));
    }
}

void tl_value_put_json_str(tl_sb *sb, tl_str text, tl_value_style style)
{
    tl_sb_put_char(sb, '"');
    for (size_t at = 0; at < text.len;) {
        const size_t run = at;
        while (at < text.len && (is_plain(text.ptr[at]) || text.ptr[at] == '\'')) {
            at++;
        }
        tl_sb_put(sb, tl_str_slice(text, run, at));
        if (at == text.len) {
            break;
        }
        uint32_t c = 0xFFFD;
        const size_t len = tl_str_utf8_at(&c, text, at);
        const bool stays = style == TL_VALUE_RESPONSE && c >= 0x7F;
        if (stays && len != 0) {
            tl_sb_put(sb, tl_str_slice(text, at, at + len));
        } else if (stays) {
            tl_sb_put_cstr(sb, "\xEF\xBF\xBD");
        } else {
            put_json_escape(sb, c);
        }
        at += len != 0 ? len : 1;
    }
    tl_sb_put_char(sb, '"');
}

void tl_value_put_json(tl_sb *sb, const tl_value *value, tl_value_style style)
{
    const char *const comma = style == TL_VALUE_REQUEST ? ", " : ",";
    switch (value->kind) {
    case TL_VALUE_NONE:
        tl_sb_put_cstr(sb, "null");
        return;
    case TL_VALUE_BOOL:
        tl_sb_put_cstr(sb, value->boolean ? "true" : "false");
        return;
    case TL_VALUE_INT:
    case TL_VALUE_BIGINT:
    case TL_VALUE_FLOAT:
        TL_ASSERT(style == TL_VALUE_REQUEST || tl_value_is_finite(value));
        put_number(sb, value, true);
        return;
    case TL_VALUE_STR:
        tl_value_put_json_str(sb, value->text, style);
        return;
    case TL_VALUE_LIST:
    case TL_VALUE_TUPLE:
        tl_sb_put_char(sb, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            tl_sb_put_cstr(sb, i > 0 ? comma : "");
            tl_value_put_json(sb, &value->items[i], style);
        }
        tl_sb_put_char(sb, ']');
        return;
    case TL_VALUE_DICT:
        tl_sb_put_char(sb, '{');
        for (uint32_t i = 0; i < value->count; i++) {
            tl_sb_put_cstr(sb, i > 0 ? comma : "");
            tl_value_put_json_str(sb, value->members[i].key, style);
            tl_sb_put_cstr(sb, style == TL_VALUE_REQUEST ? ": " : ":");
            tl_value_put_json(sb, &value->members[i].value, style);
        }
        tl_sb_put_char(sb, '}');
        return;
    }
}

bool tl_value_is_finite(const tl_value *value)
{
    if (value->kind == TL_VALUE_FLOAT) {
        return __builtin_isfinite(value->f64);
    }
    const bool is_dict = value->kind == TL_VALUE_DICT;
    const bool is_list = value->kind == TL_VALUE_LIST || value->kind == TL_VALUE_TUPLE;
    for (uint32_t i = 0; (is_dict || is_list) && i < value->count; i++) {
        if (!tl_value_is_finite(is_dict ? &value->members[i].value : &value->items[i])) {
            return false;
        }
    }
    return true;
}
