/* What a frame is, and what its head may say. The bytes of a program are a stranger's here: the program may be broken. */
#include "sdk/exec/exec.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTHS_LEN = 8, GROW_MIN = 4096, KEEP_MAX = 65536, DEPTH_MAX = 32 };

void tl_exec_reader_init(tl_exec_reader *reader, size_t body_len_max)
{
    *reader = (tl_exec_reader){.body_len_max = body_len_max};
}

void tl_exec_reader_deinit(tl_exec_reader *reader)
{
    free(reader->bytes);
    *reader = (tl_exec_reader){.body_len_max = reader->body_len_max};
}

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void write_u32(uint8_t *at, size_t value)
{
    for (size_t i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* The frame that was given last goes. */
static void drop_used(tl_exec_reader *reader)
{
    reader->start += reader->used;
    reader->used = 0;
}

/* What is left moves to the front; one large frame keeps no large buffer. */
static void make_compact(tl_exec_reader *reader)
{
    drop_used(reader);
    reader->len -= reader->start;
    if (reader->len == 0 && reader->cap > KEEP_MAX) {
        tl_exec_reader_deinit(reader);
    } else if (reader->start > 0) {
        memmove(reader->bytes, reader->bytes + reader->start, reader->len);
    }
    reader->start = 0;
}

tl_err tl_exec_reader_feed(tl_exec_reader *reader, tl_bytes bytes, tl_errctx *ctx)
{
    make_compact(reader);
    if (bytes.len == 0) {
        return TL_OK;
    }
    size_t cap = reader->cap > 0 ? reader->cap : GROW_MIN;
    while (cap - reader->len < bytes.len) {
        if (cap > SIZE_MAX / 2) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a frame");
        }
        cap *= 2;
    }
    if (cap > reader->cap) {
        uint8_t *grown = realloc(reader->bytes, cap);
        if (grown == NULL) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a frame of %zu bytes", cap);
        }
        reader->bytes = grown;
        reader->cap = cap;
    }
    memcpy(reader->bytes + reader->len, bytes.ptr, bytes.len);
    reader->len += bytes.len;
    return TL_OK;
}

tl_err tl_exec_reader_next(tl_exec_reader *reader, tl_exec_frame *out, bool *has_one,
                           tl_errctx *ctx)
{
    drop_used(reader);
    *has_one = false;
    const uint8_t *at = reader->bytes + reader->start;
    const size_t len = reader->len - reader->start;
    if (!reader->is_broken && len < LENGTHS_LEN) {
        return TL_OK;
    }
    const size_t head_len = reader->is_broken ? 0 : read_u32(at);
    const size_t body_len = reader->is_broken ? 0 : read_u32(at + 4);
    if (head_len == 0) { /* a broken reader stays so */
        reader->is_broken = true;
        return tl_fail(ctx, TL_ERR_SYNTAX, "a frame has no head");
    }
    if (head_len > TL_EXEC_HEAD_MAX || body_len > reader->body_len_max) { /* EXEC-2 */
        reader->is_broken = true;
        return tl_fail(ctx, TL_ERR_LIMIT,
                       "a frame has a head of %zu and a body of %zu bytes, above %d and %zu",
                       head_len, body_len, TL_EXEC_HEAD_MAX, reader->body_len_max);
    }
    if (len - LENGTHS_LEN < head_len + body_len) {
        return TL_OK;
    }
    const uint8_t *head = at + LENGTHS_LEN;
    *out = (tl_exec_frame){{(const char *)head, head_len}, {head + head_len, body_len}};
    *has_one = true;
    reader->used = LENGTHS_LEN + head_len + body_len;
    return TL_OK;
}

static tl_err parse_object(const tl_json **out, tl_arena *arena, tl_str head, tl_errctx *ctx)
{
    const tl_json *object;
    const tl_json_options options = {.depth_max = DEPTH_MAX, .len_max = TL_EXEC_HEAD_MAX};
    TL_TRY(tl_json_parse(&object, arena, head, &options, ctx));
    if (object->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "a frame's head is no JSON object");
    }
    *out = object;
    return TL_OK;
}

/* Each item of an optional array must be of one of two kinds. */
static tl_err check_array(const tl_json *object, const char *key, tl_json_kind kind,
                          tl_json_kind other, tl_errctx *ctx)
{
    const tl_json *array = tl_json_get(object, key);
    if (array == NULL) {
        return TL_OK;
    }
    if (array->kind != TL_JSON_ARRAY) {
        return tl_fail_field(ctx, TL_ERR_TYPE, key, "not an array");
    }
    for (uint32_t i = 0; i < array->count; i++) {
        if (array->items[i].kind != kind && array->items[i].kind != other) {
            return tl_fail_field(ctx, TL_ERR_TYPE, key, "item %u is of the wrong kind", i);
        }
    }
    return TL_OK;
}

tl_err tl_exec_hello_parse(tl_exec_hello *out, tl_arena *arena, tl_str head, tl_errctx *ctx)
{
    const tl_json *object;
    uint64_t version;
    uint64_t in_flight = 1;
    TL_TRY(parse_object(&object, arena, head, ctx));
    TL_TRY(tl_json_want_u64(&version, object, "tally_exec", ctx));
    if (version != TL_EXEC_VERSION) {
        return tl_fail_field(ctx, TL_ERR_VERSION, "tally_exec", "version %llu, not %d",
                             (unsigned long long)version, TL_EXEC_VERSION);
    }
    TL_TRY(check_array(object, "routes", TL_JSON_STRING, TL_JSON_OBJECT, ctx));
    TL_TRY(check_array(object, "synapses", TL_JSON_OBJECT, TL_JSON_OBJECT, ctx));
    if (tl_json_get(object, "in_flight") != NULL) {
        TL_TRY(tl_json_want_u64(&in_flight, object, "in_flight", ctx));
    }
    if (in_flight == 0 || in_flight > TL_EXEC_IN_FLIGHT_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "in_flight", "%llu is not 1 to %d",
                             (unsigned long long)in_flight, TL_EXEC_IN_FLIGHT_MAX);
    }
    *out = (tl_exec_hello){(uint32_t)in_flight, object};
    return TL_OK;
}

static tl_err optional_str(tl_str *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    return tl_json_get(object, key) != NULL ? tl_json_want_str(out, object, key, ctx) : TL_OK;
}

/* A content type becomes a header: what could end one is refused. */
static tl_err check_header_value(tl_str value, const char *field, tl_errctx *ctx)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < ' ' || value.ptr[i] == 0x7f) {
            return tl_fail_field(ctx, TL_ERR_ENCODING, field, "a control character or no ASCII");
        }
    }
    return TL_OK;
}

tl_err tl_exec_reply_parse(tl_exec_reply *out, tl_arena *arena, tl_str head, tl_errctx *ctx)
{
    const tl_json *object;
    tl_exec_reply reply = {.status = 200};
    TL_TRY(parse_object(&object, arena, head, ctx));
    TL_TRY(tl_json_want_u64(&reply.id, object, "id", ctx));
    if (tl_json_get(object, "more") != NULL) {
        TL_TRY(tl_json_want_bool(&reply.is_more, object, "more", ctx));
    }
    if (tl_json_get(object, "status") != NULL) {
        int64_t status;
        TL_TRY(tl_json_want_i64(&status, object, "status", ctx));
        if (status < 200 || status > 599) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "status", "%lld is not 200 to 599",
                                 (long long)status);
        }
        reply.status = (int)status;
    }
    TL_TRY(optional_str(&reply.content_type, object, "content_type", ctx));
    TL_TRY(check_header_value(reply.content_type, "content_type", ctx));
    TL_TRY(optional_str(&reply.error, object, "error", ctx));
    reply.is_error = tl_json_get(object, "error") != NULL;
    if (reply.is_error && reply.is_more) {
        return tl_fail_field(ctx, TL_ERR_STATE, "more", "an error is the last frame");
    }
    *out = reply;
    return TL_OK;
}

void tl_exec_frame_put(tl_sb *sb, tl_str head, tl_bytes body)
{
    uint8_t lengths[LENGTHS_LEN];
    write_u32(lengths, head.len);
    write_u32(lengths + 4, body.len);
    tl_sb_put_bytes(sb, lengths, sizeof lengths);
    tl_sb_put(sb, head);
    tl_sb_put_bytes(sb, body.ptr, body.len);
}
