/* As much XML as an S3 server's answers have: elements and text. What is unknown is read over; nothing is nested deeper
 * than its reader asks for. */
#include <string.h>

#include "io/objects/objects_internal.h"

enum { ENTITY_LEN_MAX = 10 };

bool tl__xml_next(tl__xml *xml, tl_str *name, bool *is_end, tl_str *text)
{
    for (;;) {
        const tl_str rest = tl_str_slice(xml->text, xml->at, xml->text.len);
        const size_t open = tl_str_find(rest, '<');
        const size_t close = open + tl_str_find(tl_str_slice(rest, open, rest.len), '>');
        if (open >= rest.len || close >= rest.len) {
            xml->at = xml->text.len;
            return false;
        }
        xml->at += close + 1;
        tl_str tag = tl_str_slice(rest, open + 1, close);
        if (tag.len == 0 || tag.ptr[0] == '?' || tag.ptr[0] == '!') {
            continue;
        }
        *is_end = tag.ptr[0] == '/';
        tag = tl_str_slice(tag, *is_end ? 1 : 0, tag.len);
        size_t len = 0;
        while (len < tag.len && strchr(" \t\r\n/", tag.ptr[len]) == NULL) {
            len++;
        }
        *name = tl_str_slice(tag, 0, len);
        const tl_str after = tl_str_slice(xml->text, xml->at, xml->text.len);
        *text = tl_str_slice(after, 0, tl_str_find(after, '<'));
        return true;
    }
}

tl_str tl__xml_find(tl_str xml, const char *name)
{
    tl__xml reader = {xml, 0};
    tl_str found;
    tl_str text;
    bool is_end;
    while (tl__xml_next(&reader, &found, &is_end, &text)) {
        if (!is_end && tl_str_eq_cstr(found, name)) {
            return text;
        }
    }
    return (tl_str){0};
}

static void put_code_point(tl_sb *sb, uint32_t c)
{
    if (c < 0x80) {
        tl_sb_put_char(sb, (char)c);
        return;
    }
    if (c < 0x800) {
        tl_sb_put_char(sb, (char)(0xC0 | (c >> 6)));
    } else if (c < 0x10000) {
        tl_sb_put_char(sb, (char)(0xE0 | (c >> 12)));
        tl_sb_put_char(sb, (char)(0x80 | ((c >> 6) & 0x3F)));
    } else {
        tl_sb_put_char(sb, (char)(0xF0 | (c >> 18)));
        tl_sb_put_char(sb, (char)(0x80 | ((c >> 12) & 0x3F)));
        tl_sb_put_char(sb, (char)(0x80 | ((c >> 6) & 0x3F)));
    }
    tl_sb_put_char(sb, (char)(0x80 | (c & 0x3F)));
}

/* "#10", "#xA": a code point, or none. */
static bool parse_number(uint32_t *out, tl_str entity)
{
    const bool is_hex = entity.len > 1 && entity.ptr[1] == 'x';
    const uint32_t base = is_hex ? 16 : 10;
    uint32_t value = 0;
    size_t i = is_hex ? 2 : 1;
    const size_t first = i;
    for (; i < entity.len; i++) {
        const char c = entity.ptr[i];
        const char low = (char)(c | 0x20);
        const int digit = c >= '0' && c <= '9'                 ? c - '0'
                          : is_hex && low >= 'a' && low <= 'f' ? low - 'a' + 10
                                                               : -1;
        if (digit < 0) {
            return false;
        }
        value = value * base + (uint32_t)digit; /* ENTITY_LEN_MAX keeps it far below 2^32 * base */
        if (value > 0x10FFFF) {
            return false;
        }
    }
    *out = value;
    return i > first && value != 0 && !(value >= 0xD800 && value < 0xE000);
}

tl_err tl__xml_decode(tl_str *out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    static const struct {
        const char *name;
        char c;
    } named[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '&') {
            tl_sb_put_char(&sb, text.ptr[i]);
            continue;
        }
        const tl_str rest = tl_str_slice(text, i + 1, i + 1 + ENTITY_LEN_MAX);
        const size_t end = tl_str_find(rest, ';');
        const tl_str entity = tl_str_slice(rest, 0, end);
        uint32_t c = 0;
        if (end < rest.len && entity.len > 0 && entity.ptr[0] == '#') {
            (void)parse_number(&c, entity);
        }
        for (size_t k = 0; k < sizeof named / sizeof named[0] && end < rest.len; k++) {
            c = tl_str_eq_cstr(entity, named[k].name) ? (uint32_t)(unsigned char)named[k].c : c;
        }
        if (c == 0) {
            return tl_fail(ctx, TL_ERR_SYNTAX, "an entity in XML is unknown");
        }
        put_code_point(&sb, c);
        i += end + 1;
    }
    return tl_sb_finish(out, &sb, ctx);
}

void tl__xml_put(tl_sb *sb, tl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            tl_sb_put_cstr(sb, "&amp;");
            break;
        case '<':
            tl_sb_put_cstr(sb, "&lt;");
            break;
        case '>':
            tl_sb_put_cstr(sb, "&gt;");
            break;
        case '"':
            tl_sb_put_cstr(sb, "&quot;");
            break;
        default:
            tl_sb_put_char(sb, text.ptr[i]);
            break;
        }
    }
}
