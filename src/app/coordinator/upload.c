/* The folder store's own door: what an S3 server would answer to a presigned form or URL. */
#include <unistd.h>

#include "app/coordinator/coordinator_internal.h"
#include "io/net/form/form.h"

enum { PIECE_LEN = 64 << 10, FIELDS_MAX = 16, PARTS_MAX = 5 };

/* One upload: the fields in front of the file, then the file as a stream into the store. */
typedef struct upload {
    tl_coordinator *c;
    tl_arena *arena;
    tl_objects_field fields[FIELDS_MAX];
    size_t field_count;
    tl_objects_grant grant;
    tl_objects_stream *stream;
    bool is_granted; /* the fields are a form of ours */
} upload;

static tl_err on_field(void *self, tl_str name, tl_str value, tl_errctx *ctx)
{
    upload *u = self;
    if (u->field_count == FIELDS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "form", "more than %d fields", FIELDS_MAX);
    }
    u->fields[u->field_count++] = (tl_objects_field){name, value};
    return TL_OK;
}

/* Does a form of ours stand before the file? */
static tl_err check_fields(upload *u, tl_str filename, tl_errctx *ctx)
{
    const tl_err err = tl_objects_check_post(u->c->objects, &u->grant, u->arena, u->fields,
                                             u->field_count, filename, ctx);
    u->is_granted = err == TL_OK;
    return err;
}

static tl_err on_file_begin(void *self, const tl_form_file *file, tl_errctx *ctx)
{
    upload *u = self;
    TL_TRY(check_fields(u, file->filename, ctx));
    const tl_objects_put_options options = {.content_type = file->content_type,
                                            .len_max = u->grant.len_max};
    return tl_objects_stream_begin(&u->stream, u->c->objects, u->grant.key, &options, ctx);
}

static tl_err on_file(void *self, tl_bytes piece, tl_errctx *ctx)
{
    upload *u = self;
    return tl_objects_stream_write(u->stream, piece, ctx);
}

static tl_err on_file_end(void *self, tl_errctx *ctx)
{
    upload *u = self;
    if (tl_objects_stream_len(u->stream) < u->grant.len_min) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "file", "%llu bytes, below %llu",
                             (unsigned long long)tl_objects_stream_len(u->stream),
                             (unsigned long long)u->grant.len_min);
    }
    return TL_OK;
}

static tl_err read_form(upload *u, int fd, tl_form *form, tl_errctx *ctx)
{
    uint8_t *piece = TL_NEW(u->arena, uint8_t, PIECE_LEN);
    if (piece == NULL) {
        return tl_arena_fail(u->arena, ctx);
    }
    for (;;) {
        const ssize_t len = read(fd, piece, PIECE_LEN);
        if (len < 0) {
            return tl_fail(ctx, TL_ERR_IO, "the body cannot be read back");
        }
        if (len == 0) {
            return tl_form_finish(form, ctx);
        }
        TL_TRY(tl_form_feed(form, (tl_bytes){piece, (size_t)len}, ctx));
    }
}

static tl_err refuse_form(tl_api_call *call, tl_err err, const tl_errctx *ctx)
{
    switch ((int)err) {
    case TL_ERR_REFUSED:
        return tl_api_fail(call, TL_API_FORBIDDEN, ctx->field, "%s", ctx->message);
    case TL_ERR_LIMIT:
        return tl_api_fail(call, TL_API_TOO_LARGE, ctx->field, "%s", ctx->message);
    case TL_ERR_TYPE:
        return tl_api_fail(call, TL_API_UNSUPPORTED_MEDIA_TYPE, NULL, "%s", ctx->message);
    case TL_ERR_IO:
    case TL_ERR_NOMEM:
    case TL_ERR_INTERNAL:
        return err;
    default:
        return tl_api_fail(call, TL_API_INVALID_REQUEST, ctx->field[0] != 0 ? ctx->field : "form",
                           "%s", ctx->message);
    }
}

static tl_err take(upload *u, tl_api_call *call, tl_errctx *ctx)
{
    uint64_t len;
    tl_str media;
    tl_form *form;
    const tl_form_calls calls = {.self = u,
                                 .on_field = on_field,
                                 .on_file_begin = on_file_begin,
                                 .on_file = on_file,
                                 .on_file_end = on_file_end};
    const int fd = tl_api_call_file(call, &len, &media);
    TL_TRY(tl_form_new(&form, u->arena, media, NULL, &calls, ctx));
    TL_TRY(read_form(u, fd, form, ctx));
    if (u->stream == NULL) {
        TL_TRY(check_fields(u, TL_STR("file"), ctx));
        return tl_fail_field(ctx, TL_ERR_MISSING, "file", "the form has no file");
    }
    tl_objects_stream *stream = u->stream;
    u->stream = NULL;
    return tl_objects_stream_finish(stream, NULL, ctx);
}

tl_err tl__coordinator_take_object(tl_api_call *call, tl_errctx *ctx)
{
    upload u = {.c = tl__coordinator_of(call), .arena = tl_api_call_arena(call)};
    if (!tl_objects_is_folder(u.c->objects)) {
        return tl_api_fail(call, TL_API_NOT_FOUND, NULL, "Objects lie on another server");
    }
    const tl_err err = take(&u, call, ctx);
    tl_objects_stream_abort(u.stream);
    const bool is_ours = err == TL_ERR_IO || err == TL_ERR_NOMEM || err == TL_ERR_INTERNAL;
    if (err != TL_OK && err != TL_ERR_TYPE && !u.is_granted && !is_ours) {
        return tl_api_fail(call, TL_API_FORBIDDEN, ctx->field[0] != 0 ? ctx->field : NULL,
                           "Not a form of this coordinator: %s", ctx->message);
    }
    if (err != TL_OK) {
        return refuse_form(call, err, ctx);
    }
    tl_api_answer_empty(call);
    return TL_OK;
}

/* --- reading --- */

static void put_encoded(tl_sb *sb, tl_str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                              c == '~';
        if (is_plain) {
            tl_sb_put_char(sb, (char)c);
        } else {
            tl_sb_put_char(sb, '%');
            tl_sb_put_char(sb, hex[c >> 4]);
            tl_sb_put_char(sb, hex[c & 15]);
        }
    }
}

/* The path and query as they were signed, from their decoded parts. */
static tl_err rebuild(tl_api_call *call, tl_str *path, tl_str *query, size_t parts, tl_errctx *ctx)
{
    static const char *const names[PARTS_MAX] = {"part1", "part2", "part3", "part4", "part5"};
    tl_sb sb;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_sb_put_cstr(&sb, "/objects");
    for (size_t i = 0; i < parts; i++) {
        tl_sb_put_char(&sb, '/');
        put_encoded(&sb, tl_api_param_str(call, names[i]));
    }
    TL_TRY(tl_sb_finish(path, &sb, ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_sb_put_cstr(&sb, "expires=");
    put_encoded(&sb, tl_api_param_str(call, "expires"));
    tl_sb_put_cstr(&sb, "&signature=");
    put_encoded(&sb, tl_api_param_str(call, "signature"));
    return tl_sb_finish(query, &sb, ctx);
}

static tl_err give(tl_api_call *call, size_t parts, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    tl_str path;
    tl_str query;
    tl_str key;
    tl_bytes bytes;
    tl_arena *arena = NULL;
    if (!tl_objects_is_folder(c->objects)) {
        return tl_api_fail(call, TL_API_NOT_FOUND, NULL, "Objects lie on another server");
    }
    TL_TRY(rebuild(call, &path, &query, parts, ctx));
    tl_err err = tl_objects_check_url(c->objects, &key, tl_api_call_arena(call), TL_STR("GET"),
                                      path, query, ctx);
    if (err != TL_OK) {
        return err == TL_ERR_SYNTAX || err == TL_ERR_RANGE || err == TL_ERR_ENCODING
                   ? tl_api_fail(call, TL_API_NOT_FOUND, NULL, "The path names no object")
                   : refuse_form(call, err, ctx);
    }
    TL_TRY(tl__coordinator_wide_arena(call, &arena, ctx));
    TL_TRY(tl_objects_get(c->objects, &bytes, arena, key, TL_INTAKE_OBJECT_LEN_MAX, ctx));
    tl_api_answer_lent(call, 200, "application/octet-stream", bytes);
    return TL_OK;
}

tl_err tl__coordinator_give_object(tl_api_call *call, tl_errctx *ctx)
{
    return give(call, PARTS_MAX - 1, ctx);
}

tl_err tl__coordinator_give_deep_object(tl_api_call *call, tl_errctx *ctx)
{
    return give(call, PARTS_MAX, ctx);
}
