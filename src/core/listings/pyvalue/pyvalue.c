/* A value's kind, its truth, and its text as str() and repr() give it. */
#include "core/listings/pyvalue/pyvalue_internal.h"

#include <string.h>

const char *tl_py_error_name(tl_py_error error)
{
    switch (error) {
    case TL_PY_OK:
        return "";
#define TL_PY_ERROR_CASE(name)                                                                     \
    case TL_PY_##name:                                                                             \
        return #name;
        TL_PY_ERROR_MAP(TL_PY_ERROR_CASE)
#undef TL_PY_ERROR_CASE
    }
    return "";
}

tl_py_value tl_py_of_number(tl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c != '-' &&
            (c < '0' || c > '9')) { /* a point, an exponent, the words of NaN and infinity */
            return (tl_py_value){.kind = TL_PY_FLOAT, .text = text};
        }
    }
    return (tl_py_value){.kind = TL_PY_INT, .text = text};
}

tl_py_value tl_py_of_json(const tl_json *value)
{
    if (value == NULL) {
        return (tl_py_value){.kind = TL_PY_MISSING};
    }
    switch (value->kind) {
    case TL_JSON_NULL:
        return (tl_py_value){.kind = TL_PY_NONE};
    case TL_JSON_BOOL:
        return (tl_py_value){.kind = value->boolean ? TL_PY_TRUE : TL_PY_FALSE};
    case TL_JSON_NUMBER:
        return tl_py_of_number(value->text);
    case TL_JSON_STRING:
        return (tl_py_value){.kind = TL_PY_STR, .text = value->text};
    case TL_JSON_ARRAY:
        return (tl_py_value){.kind = TL_PY_LIST, .count = value->count, .tree = value};
    case TL_JSON_OBJECT:
        return (tl_py_value){.kind = TL_PY_DICT, .count = value->count, .tree = value};
    }
    return (tl_py_value){.kind = TL_PY_MISSING};
}

bool tl_py_is_loadable(tl_py_value value)
{
    const size_t sign = tl_str_starts_with(value.text, TL_STR("-")) ? 1 : 0;
    return value.kind != TL_PY_INT || value.text.len - sign <= TL_PY_INT_DIGITS_MAX;
}

bool tl_py_truth(tl_py_value value)
{
    double number;
    switch (value.kind) {
    case TL_PY_MISSING:
    case TL_PY_NONE:
    case TL_PY_FALSE:
        return false;
    case TL_PY_TRUE:
        return true;
    case TL_PY_INT: /* JSON has no leading zeros */
        return !tl_str_eq_cstr(value.text, "0") && !tl_str_eq_cstr(value.text, "-0");
    case TL_PY_FLOAT:
        return tl_py_float(&number, value) != TL_PY_OK || number != 0;
    case TL_PY_STR:
        return value.text.len != 0;
    case TL_PY_LIST:
    case TL_PY_DICT:
        return value.count != 0;
    }
    return false;
}

bool tl_py_is_blank(tl_py_value value)
{
    if (value.kind != TL_PY_STR) {
        return value.kind == TL_PY_MISSING;
    }
    for (size_t at = 0; at < value.text.len;) {
        if (!tl_py_is_space(tl__py_next(value.text, &at))) {
            return false;
        }
    }
    return true;
}

bool tl_py_str(tl_str *out, char buffer[TL_F64_TEXT_CAP], tl_py_value value)
{
    double number = 0;
    switch (value.kind) {
    case TL_PY_MISSING:
        *out = TL_STR("");
        return true;
    case TL_PY_NONE:
        *out = TL_STR("None");
        return true;
    case TL_PY_FALSE:
        *out = TL_STR("False");
        return true;
    case TL_PY_TRUE:
        *out = TL_STR("True");
        return true;
    case TL_PY_INT:
        *out = tl_str_eq_cstr(value.text, "-0") ? TL_STR("0") : value.text;
        return true;
    case TL_PY_FLOAT:
        (void)tl_py_float(&number, value);
        *out = (tl_str){buffer, tl_f64_print(buffer, number)};
        return true;
    case TL_PY_STR:
        *out = value.text;
        return true;
    case TL_PY_LIST:
    case TL_PY_DICT:
        break;
    }
    return false;
}

/* --- repr --- */

static void put_escaped(tl_sb *sb, tl_str bytes, uint32_t c, char quote)
{
    if (c == (uint32_t)(uint8_t)quote || c == '\\') {
        tl_sb_put_char(sb, '\\');
        tl_sb_put_char(sb, (char)c);
    } else if (c == '\t' || c == '\n' || c == '\r') {
        tl_sb_put_cstr(sb, c == '\t' ? "\\t" : c == '\n' ? "\\n" : "\\r");
    } else if (tl_py_is_printable(c)) {
        tl_sb_put(sb, bytes);
    } else if (c < 0x100) {
        tl_sb_printf(sb, "\\x%02x", (unsigned)c);
    } else if (c < 0x10000) {
        tl_sb_printf(sb, "\\u%04x", (unsigned)c);
    } else {
        tl_sb_printf(sb, "\\U%08x", (unsigned)c);
    }
}

static void put_quoted(tl_sb *sb, tl_str text)
{
    const bool has_single = tl_str_find(text, '\'') < text.len;
    const char quote = has_single && tl_str_find(text, '"') == text.len ? '"' : '\'';
    tl_sb_put_char(sb, quote);
    for (size_t at = 0; at < text.len;) {
        const size_t begin = at;
        const uint32_t c = tl__py_next(text, &at);
        put_escaped(sb, tl_str_slice(text, begin, at), c, quote);
    }
    tl_sb_put_char(sb, quote);
}

/* Depth is bounded by the reader that made the tree. */
static void put_repr(tl_sb *sb, const tl_json *tree)
{
    char buffer[TL_F64_TEXT_CAP];
    tl_str text;
    const tl_py_value value = tl_py_of_json(tree);
    if (value.kind == TL_PY_STR) {
        put_quoted(sb, value.text);
        return;
    }
    if (tl_py_str(&text, buffer, value)) {
        tl_sb_put(sb, text);
        return;
    }
    const bool is_dict = value.kind == TL_PY_DICT;
    tl_sb_put_char(sb, is_dict ? '{' : '[');
    for (uint32_t i = 0; i < value.count; i++) {
        tl_sb_put_cstr(sb, i != 0 ? ", " : "");
        if (is_dict) {
            put_quoted(sb, tree->members[i].key);
            tl_sb_put_cstr(sb, ": ");
        }
        put_repr(sb, is_dict ? &tree->members[i].value : &tree->items[i]);
    }
    tl_sb_put_char(sb, is_dict ? '}' : ']');
}

void tl_py_str_put(tl_sb *sb, tl_py_value value)
{
    char buffer[TL_F64_TEXT_CAP];
    tl_str text;
    if (tl_py_str(&text, buffer, value)) {
        tl_sb_put(sb, text);
    } else if (value.tree != NULL) {
        put_repr(sb, value.tree);
    } else {
        tl_sb_put_char(sb, value.kind == TL_PY_LIST ? '[' : '{');
        tl_sb_put_repeat(sb, ',', value.count);
        tl_sb_put_char(sb, value.kind == TL_PY_LIST ? ']' : '}');
    }
}
