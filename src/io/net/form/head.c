/* The two header fields that a form needs: Content-Type of the whole, Content-Disposition of a part.
 *
 *      value = word { ";" name "=" ( token | quoted ) }        quoted: "…" with \" and \\ (RFC 9110 section 5.6.4)
 *
 * Browsers write a quote in a name as %22 and escape nothing: what they send has no backslash before a quote, so one
 * reading serves both. */
#include "io/net/form/form_internal.h"

#include <string.h>

bool tl__form_eq_nocase(tl_str a, tl_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        const char x = a.ptr[i];
        const char y = b.ptr[i];
        const char low_x = x >= 'A' && x <= 'Z' ? (char)(x + 32) : x;
        const char low_y = y >= 'A' && y <= 'Z' ? (char)(y + 32) : y;
        if (low_x != low_y) {
            return false;
        }
    }
    return true;
}

static bool is_token_char(char c)
{
    return c > ' ' && c < 127 && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

static tl_str skip_space(tl_str s)
{
    size_t at = 0;
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t')) {
        at++;
    }
    return tl_str_slice(s, at, s.len);
}

/* A token at the front of *rest, which may be empty. */
static tl_str take_token(tl_str *rest)
{
    size_t at = 0;
    while (at < rest->len && is_token_char(rest->ptr[at])) {
        at++;
    }
    const tl_str token = tl_str_slice(*rest, 0, at);
    *rest = tl_str_slice(*rest, at, rest->len);
    return token;
}

/* The text of a quoted string at the front of *rest, its escapes undone. */
static tl_err take_quoted(tl_str *out, tl_arena *arena, tl_str *rest, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    size_t at = 1;
    while (at < rest->len && rest->ptr[at] != '"') {
        const bool is_escape = rest->ptr[at] == '\\' && at + 1 < rest->len &&
                               (rest->ptr[at + 1] == '"' || rest->ptr[at + 1] == '\\');
        at += is_escape ? 1 : 0;
        tl_sb_put_char(&sb, rest->ptr[at]);
        at++;
    }
    if (at == rest->len) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "a quoted value does not end");
    }
    *rest = tl_str_slice(*rest, at + 1, rest->len);
    return tl_sb_finish(out, &sb, ctx);
}

/* The next parameter of a header's value. *is_there false: there is none left. */
static tl_err take_parameter(bool *is_there, tl_str *name, tl_str *value, tl_arena *arena,
                             tl_str *rest, tl_errctx *ctx)
{
    *rest = skip_space(*rest);
    *is_there = rest->len > 0;
    if (rest->len == 0) {
        return TL_OK;
    }
    if (rest->ptr[0] != ';') {
        return tl_fail(ctx, TL_ERR_SYNTAX, "a parameter does not begin with ';'");
    }
    *rest = skip_space(tl_str_slice(*rest, 1, rest->len));
    *is_there = rest->len > 0; /* a last ';' with nothing behind it harms nobody */
    if (rest->len == 0) {
        return TL_OK;
    }
    *name = take_token(rest);
    if (name->len == 0 || rest->len == 0 || rest->ptr[0] != '=') {
        return tl_fail(ctx, TL_ERR_SYNTAX, "a parameter without a name or a value");
    }
    *rest = tl_str_slice(*rest, 1, rest->len);
    if (rest->len > 0 && rest->ptr[0] == '"') {
        return take_quoted(value, arena, rest, ctx);
    }
    *value = take_token(rest);
    return TL_OK;
}

static bool is_boundary(tl_str s)
{
    if (s.len == 0 || s.len > TL_FORM_BOUNDARY_LEN_MAX || s.ptr[s.len - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

tl_err tl__form_boundary(tl_str *out, tl_arena *arena, tl_str content_type, tl_errctx *ctx)
{
    const size_t end = tl_str_find(content_type, ';');
    const tl_str type = tl_str_trim(tl_str_slice(content_type, 0, end));
    if (!tl__form_eq_nocase(type, TL_STR("multipart/form-data"))) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "Content-Type",
                             "the body is \"%.*s\", not multipart/form-data", TL_STR_ARG(type));
    }
    tl_str rest = tl_str_slice(content_type, end, content_type.len);
    tl_str boundary = {0};
    for (;;) {
        bool is_there;
        tl_str name;
        tl_str value;
        const tl_err err = take_parameter(&is_there, &name, &value, arena, &rest, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "Content-Type");
            return err;
        }
        if (!is_there) {
            break;
        }
        if (tl__form_eq_nocase(name, TL_STR("boundary"))) {
            if (boundary.len > 0) {
                return tl_fail_field(ctx, TL_ERR_SYNTAX, "Content-Type", "two boundaries");
            }
            boundary = value;
        }
    }
    if (!is_boundary(boundary)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "Content-Type",
                             "no boundary of 1 to %d printable characters",
                             TL_FORM_BOUNDARY_LEN_MAX);
    }
    *out = boundary;
    return TL_OK;
}

/* Content-Disposition: form-data; name="…"; filename="…". filename*, which forms should not use but some clients do,
 * makes a file as well; its value stays encoded. */
static tl_err parse_disposition(tl__form_head *out, tl_arena *arena, tl_str value, tl_errctx *ctx)
{
    tl_str rest = skip_space(value);
    if (!tl__form_eq_nocase(take_token(&rest), TL_STR("form-data"))) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "a part's disposition is not form-data");
    }
    bool has_name = false;
    bool has_filename = false;
    for (;;) {
        bool is_there;
        tl_str name;
        tl_str text;
        TL_TRY(take_parameter(&is_there, &name, &text, arena, &rest, ctx));
        if (!is_there) {
            break;
        }
        const bool is_name = tl__form_eq_nocase(name, TL_STR("name"));
        const bool is_filename = tl__form_eq_nocase(name, TL_STR("filename"));
        if ((is_name && has_name) || (is_filename && has_filename)) {
            return tl_fail(ctx, TL_ERR_SYNTAX, "a part has two of \"%.*s\"", TL_STR_ARG(name));
        }
        if (is_name) {
            has_name = true;
            out->name = text;
        } else if (is_filename) {
            has_filename = true;
            out->filename = text;
        } else if (tl__form_eq_nocase(name, TL_STR("filename*"))) {
            out->is_file = true;
            out->filename = has_filename ? out->filename : text;
        }
    }
    if (!has_name || out->name.len == 0 || out->name.len > TL_FORM_NAME_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "a part has no name of 1 to %d bytes",
                       TL_FORM_NAME_LEN_MAX);
    }
    out->is_file |= has_filename || tl__form_eq_nocase(out->name, TL_STR("file"));
    return TL_OK;
}

tl_err tl__form_parse_head(tl__form_head *out, tl_arena *arena, tl_str lines, tl_errctx *ctx)
{
    tl__form_head head = {0};
    bool has_disposition = false;
    if (!tl_str_is_utf8(lines)) {
        return tl_fail(ctx, TL_ERR_ENCODING, "a part's head is not UTF-8");
    }
    tl_str rest = lines;
    while (rest.len > 0) {
        const size_t end = tl_str_find(rest, '\n'); /* each line ends with CRLF: form.c saw to it */
        TL_ASSERT(end >= 1 && end < rest.len && rest.ptr[end - 1] == '\r');
        const tl_str line = tl_str_slice(rest, 0, end - 1);
        rest = tl_str_slice(rest, end + 1, rest.len);
        const size_t colon = tl_str_find(line, ':');
        tl_str after = line;
        const tl_str name = take_token(&after);
        if (colon == line.len || name.len != colon || name.len == 0) {
            return tl_fail(ctx, TL_ERR_SYNTAX, "a line of a part's head is no header");
        }
        tl_str value = tl_str_trim(tl_str_slice(line, colon + 1, line.len));
        if (tl__form_eq_nocase(name, TL_STR("Content-Disposition"))) {
            if (has_disposition) {
                return tl_fail(ctx, TL_ERR_SYNTAX, "a part has two dispositions");
            }
            has_disposition = true;
            TL_TRY(parse_disposition(&head, arena, value, ctx));
        } else if (tl__form_eq_nocase(name, TL_STR("Content-Type"))) {
            head.content_type = value;
        }
    }
    if (!has_disposition) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "a part has no Content-Disposition");
    }
    TL_TRY(tl_str_copy(&head.name, arena, head.name, ctx));
    TL_TRY(tl_str_copy(&head.filename, arena, head.filename, ctx));
    TL_TRY(tl_str_copy(&head.content_type, arena, head.content_type, ctx));
    *out = head;
    return TL_OK;
}
