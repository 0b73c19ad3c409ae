/* The body's state machine. It looks for the delimiter CRLF "--" boundary, which begins with the only CR in it: so after
 * a match that broke off, what was matched is data, and only the byte at hand can begin another one. */
#include "io/net/form/form.h"

#include <string.h>

#include "io/net/form/form_internal.h"

enum { DELIMITER_LEN_MAX = 4 + TL_FORM_BOUNDARY_LEN_MAX };

typedef enum form_state {
    AT_START,     /* nothing but the first delimiter, with or without its CRLF */
    AT_DELIMITER, /* behind one: "--", or white space and CRLF */
    AT_DASH,      /* "-" behind a delimiter */
    AT_PAD,       /* white space behind one */
    AT_LINE_END,  /* its CR */
    IN_HEAD,
    IN_FIELD,
    IN_FILE,
    IN_REST, /* a part behind the file */
    AT_END   /* behind "--boundary--": whatever follows is nobody's */
} form_state;

struct tl_form {
    tl_arena *arena;
    tl_form_calls calls;
    tl_form_limits limits;
    form_state state;
    tl_err failed;     /* the first error, which stays */
    tl_errctx failure; /* its words */
    char delimiter[DELIMITER_LEN_MAX];
    size_t delimiter_len;
    size_t matched; /* bytes of it seen so far */
    size_t offset;  /* of the byte at hand, in the body */
    char head[TL_FORM_HEAD_LEN_MAX];
    size_t head_len;
    tl__form_head part;
    tl_sb value;
    bool has_file;
    tl_arena_mark part_mark; /* what a read-over part takes is given back */
    tl_str *names;           /* of the fields so far, fields_max of them */
    size_t name_count;
};

tl_err tl_form_new(tl_form **out, tl_arena *arena, tl_str content_type,
                   const tl_form_limits *limits, const tl_form_calls *calls, tl_errctx *ctx)
{
    tl_form_limits wanted = limits != NULL ? *limits : (tl_form_limits){0};
    wanted.fields_max = wanted.fields_max != 0 ? wanted.fields_max : TL_FORM_FIELDS_MAX;
    wanted.field_len_max = wanted.field_len_max != 0 ? wanted.field_len_max : TL_FORM_FIELD_LEN_MAX;
    if (wanted.fields_max > 1024) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "fields_max", "fields_max is %zu, above 1024",
                             wanted.fields_max);
    }
    tl_str boundary;
    TL_TRY(tl__form_boundary(&boundary, arena, content_type, ctx));
    tl_form *form = TL_NEW(arena, tl_form, 1);
    tl_str *names = TL_NEW(arena, tl_str, wanted.fields_max);
    if (form == NULL || names == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    form->arena = arena;
    form->calls = *calls;
    form->limits = wanted;
    form->names = names;
    memcpy(form->delimiter, "\r\n--", 4);
    memcpy(form->delimiter + 4, boundary.ptr, boundary.len);
    form->delimiter_len = 4 + boundary.len;
    form->state = AT_START;
    form->matched = 2; /* as if a line had ended before the body */
    *out = form;
    return TL_OK;
}

static tl_err fail_syntax(const tl_form *form, const char *what, tl_errctx *ctx)
{
    const tl_err err = tl_fail(ctx, TL_ERR_SYNTAX, "form: %s", what);
    tl_errctx_at(ctx, form->offset, 0, 0);
    return err;
}

/* --- a part begins --- */

static tl_err begin_field(tl_form *form, tl_errctx *ctx)
{
    for (size_t i = 0; i < form->name_count; i++) {
        if (tl__form_eq_nocase(form->names[i], form->part.name)) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "form", "field \"%.*s\" comes twice",
                                 TL_STR_ARG(form->part.name));
        }
    }
    if (form->name_count == form->limits.fields_max) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "form", "more than %zu fields",
                             form->limits.fields_max);
    }
    form->names[form->name_count++] = form->part.name;
    tl_sb_init(&form->value, form->arena);
    form->state = IN_FIELD;
    return TL_OK;
}

static tl_err begin_file(tl_form *form, tl_errctx *ctx)
{
    form->has_file = true;
    form->state = IN_FILE;
    const tl_form_file file = {.name = form->part.name,
                               .filename = form->part.filename,
                               .content_type = form->part.content_type};
    return form->calls.on_file_begin != NULL
               ? form->calls.on_file_begin(form->calls.self, &file, ctx)
               : TL_OK;
}

/* The head is whole. */
static tl_err begin_part(tl_form *form, tl_errctx *ctx)
{
    const tl_str lines = {form->head, form->head_len};
    form->matched = 0;
    const bool is_behind = form->has_file;
    form->part_mark = tl_arena_get_mark(form->arena);
    const tl_err err = tl__form_parse_head(&form->part, form->arena, lines, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "form");
        tl_errctx_at(ctx, form->offset, 0, 0);
        return err;
    }
    if (is_behind) {
        tl_arena_rewind(form->arena, form->part_mark);
        form->state = IN_REST;
        return TL_OK;
    }
    return form->part.is_file ? begin_file(form, ctx) : begin_field(form, ctx);
}

/* --- a part goes on, and ends --- */

static tl_err take_content(tl_form *form, const char *bytes, size_t len, tl_errctx *ctx)
{
    if (len == 0) {
        return TL_OK;
    }
    switch (form->state) {
    case IN_FIELD:
        if (form->limits.field_len_max - form->value.len < len) {
            return tl_fail_field(ctx, TL_ERR_LIMIT, "form", "field \"%.*s\" is above %zu bytes",
                                 TL_STR_ARG(form->part.name), form->limits.field_len_max);
        }
        tl_sb_put_bytes(&form->value, bytes, len);
        return TL_OK;
    case IN_FILE:
        return form->calls.on_file != NULL
                   ? form->calls.on_file(form->calls.self, (tl_bytes){(const uint8_t *)bytes, len},
                                         ctx)
                   : TL_OK;
    case AT_START:
    case AT_DELIMITER:
    case AT_DASH:
    case AT_PAD:
    case AT_LINE_END:
    case IN_HEAD:
    case IN_REST:
    case AT_END:
        return TL_OK;
    }
    return TL_OK;
}

static tl_err end_part(tl_form *form, tl_errctx *ctx)
{
    const form_state was = form->state;
    form->state = AT_DELIMITER;
    if (was == IN_FILE && form->calls.on_file_end != NULL) {
        return form->calls.on_file_end(form->calls.self, ctx);
    }
    if (was != IN_FIELD) {
        return TL_OK;
    }
    TL_ASSERT(form->value.len <= form->limits.field_len_max); /* FORM-2 */
    tl_str value;
    TL_TRY(tl_sb_finish(&value, &form->value, ctx));
    if (!tl_str_is_utf8(value)) {
        return tl_fail_field(ctx, TL_ERR_ENCODING, "form", "field \"%.*s\" is not UTF-8",
                             TL_STR_ARG(form->part.name));
    }
    return form->calls.on_field != NULL
               ? form->calls.on_field(form->calls.self, form->part.name, value, ctx)
               : TL_OK;
}

/* Content of a part, from bytes[*at] on, up to the piece's end or behind the delimiter. Moves *at. */
static tl_err step_content(tl_form *form, const char *bytes, size_t len, size_t *at, tl_errctx *ctx)
{
    while (*at < len) {
        if (form->matched == 0) {
            const char *cr = (const char *)memchr(bytes + *at, '\r', len - *at);
            const size_t end = cr != NULL ? (size_t)(cr - bytes) : len;
            TL_TRY(take_content(form, bytes + *at, end - *at, ctx));
            *at = end + (cr != NULL ? 1 : 0);
            form->matched = cr != NULL ? 1 : 0;
            continue;
        }
        if (bytes[*at] != form->delimiter[form->matched]) {
            /* What was matched, in this piece or those before it, stands in the delimiter itself (FORM-1). */
            const size_t stale_len = form->matched;
            form->matched = 0;
            TL_TRY(take_content(form, form->delimiter, stale_len, ctx));
            continue;
        }
        form->matched++;
        ++*at;
        if (form->matched == form->delimiter_len) {
            form->matched = 0;
            return end_part(form, ctx);
        }
    }
    return TL_OK;
}

/* --- between the parts, a byte at a time --- */

static tl_err step_start(tl_form *form, char c, tl_errctx *ctx)
{
    /* A body may begin with the delimiter's own CRLF: then the match starts over, once. */
    if (form->offset == 0 && c == '\r') {
        form->matched = 1;
        return TL_OK;
    }
    if (c != form->delimiter[form->matched]) {
        return fail_syntax(form, "the body does not begin with its boundary", ctx);
    }
    form->matched++;
    if (form->matched == form->delimiter_len) {
        form->matched = 0;
        form->state = AT_DELIMITER;
    }
    return TL_OK;
}

static tl_err step_delimiter(tl_form *form, char c, tl_errctx *ctx)
{
    if (form->state == AT_LINE_END) {
        if (c != '\n') {
            return fail_syntax(form, "a boundary's line does not end with CRLF", ctx);
        }
        form->head_len = 0;
        form->state = IN_HEAD;
        return TL_OK;
    }
    if (form->state == AT_DASH) {
        if (c != '-') {
            return fail_syntax(form, "a boundary is followed by \"-\"", ctx);
        }
        form->state = AT_END;
        return TL_OK;
    }
    if (c == '-' && form->state == AT_DELIMITER) {
        form->state = AT_DASH;
    } else if (c == ' ' || c == '\t') {
        form->state = AT_PAD;
    } else if (c == '\r') {
        form->state = AT_LINE_END;
    } else {
        return fail_syntax(form, "a boundary is followed by other bytes", ctx);
    }
    return TL_OK;
}

static tl_err step_head(tl_form *form, char c, tl_errctx *ctx)
{
    if (form->head_len == sizeof form->head) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "form", "a part's head is above %d bytes",
                             TL_FORM_HEAD_LEN_MAX);
    }
    const char before = form->head_len > 0 ? form->head[form->head_len - 1] : '\0';
    if ((c == '\n') != (before == '\r') || c == '\0') {
        return fail_syntax(form, "a part's head has a bare line end or a NUL", ctx);
    }
    form->head[form->head_len++] = c;
    if (c != '\n') {
        return TL_OK;
    }
    const bool is_first = form->head_len == 2;
    if (is_first || form->head[form->head_len - 3] == '\n') { /* an empty line */
        form->head_len -= 2;
        return begin_part(form, ctx);
    }
    return TL_OK;
}

static tl_err step(tl_form *form, const char *bytes, size_t len, size_t *at, tl_errctx *ctx)
{
    switch (form->state) {
    case AT_START:
        return step_start(form, bytes[(*at)++], ctx);
    case AT_DELIMITER:
    case AT_DASH:
    case AT_PAD:
    case AT_LINE_END:
        return step_delimiter(form, bytes[(*at)++], ctx);
    case IN_HEAD:
        return step_head(form, bytes[(*at)++], ctx);
    case IN_FIELD:
    case IN_FILE:
    case IN_REST:
        return step_content(form, bytes, len, at, ctx);
    case AT_END:
        *at = len;
        return TL_OK;
    }
    return TL_OK;
}

/* Errors stick, in their words. */
static tl_err stick(tl_form *form, tl_err err, tl_errctx *ctx)
{
    form->failed = err;
    if (ctx != NULL) {
        form->failure = *ctx;
    }
    return err;
}

static tl_err say_failed(const tl_form *form, tl_errctx *ctx)
{
    if (ctx != NULL) {
        *ctx = form->failure;
        ctx->code = form->failed;
    }
    return form->failed;
}

tl_err tl_form_feed(tl_form *form, tl_bytes piece, tl_errctx *ctx)
{
    if (form->failed != TL_OK) {
        return say_failed(form, ctx);
    }
    const char *bytes = (const char *)piece.ptr;
    size_t at = 0;
    while (at < piece.len) {
        const size_t before = at;
        const tl_err err = step(form, bytes, piece.len, &at, ctx);
        if (err != TL_OK) {
            return stick(form, err, ctx);
        }
        TL_ASSERT(at > before ||
                  form->matched == 0); /* each step takes a byte or gives a match up */
        form->offset += at - before;
    }
    return TL_OK;
}

tl_err tl_form_finish(tl_form *form, tl_errctx *ctx)
{
    if (form->failed != TL_OK) {
        return say_failed(form, ctx);
    }
    if (form->state != AT_END) { /* FORM-3 */
        return stick(form, fail_syntax(form, "the body ends before its last boundary", ctx), ctx);
    }
    return TL_OK;
}

bool tl_form_has_file(const tl_form *form)
{
    return form->has_file;
}
