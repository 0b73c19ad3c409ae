/* Streams to S3. What fits one part goes up as one object; more goes up in parts, each held to its SHA-256 by the server,
 * and becomes an object when all are named. Who dies in between leaves parts, which a sweep takes away.
 *
 *      POST ?uploads ─▶ PUT ?partNumber=1&uploadId=… ─▶ … ─▶ POST ?uploadId=…, the list of parts
 */
#include <stdlib.h>
#include <string.h>

#include "io/objects/objects_internal.h"

enum { PARTS_MAX = 10000, SCRATCH_LEN = 64 << 20 };

typedef struct tl__s3_part {
    char etag[128];
    tl_hash32 sha256;
} tl__s3_part;

tl_err tl__s3_begin(tl_objects_stream *stream, tl_errctx *ctx)
{
    (void)ctx;
    TL_ASSERT(stream->buffer == NULL && stream->upload_id.len == 0);
    return TL_OK;
}

static tl_err begin_upload(tl_objects_stream *stream, tl_arena *scratch, tl_errctx *ctx)
{
    tl__s3_request request = {
        .method = TL_STR("POST"), .key = stream->key, .query = TL_STR("uploads=")};
    tl__s3_answer answer;
    tl_sha256(&request.body_sha256, NULL, 0);
    tl__s3_add(&request, TL_STR("x-amz-checksum-algorithm"), TL_STR("SHA256"));
    tl__s3_add(&request, TL_STR("Content-Type"),
               stream->options.content_type.len > 0 ? stream->options.content_type
                                                    : TL_STR("application/octet-stream"));
    TL_TRY(tl__s3_ask(stream->store, &answer, scratch, &request, ctx));
    const tl_str body = {(const char *)answer.body.ptr, answer.body.len};
    const tl_str id = tl__xml_find(body, "UploadId");
    if (id.len == 0 || id.len > 512) {
        return tl__objects_fail(ctx, TL_ERR_IO, stream->key, "S3 server: an upload without an id");
    }
    return tl__xml_decode(&stream->upload_id, stream->arena, id, ctx);
}

static tl_err part_query(tl_str *out, tl_arena *arena, const tl_objects_stream *stream,
                         uint32_t number, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    if (number > 0) {
        tl_sb_printf(&sb, "partNumber=%u&", number);
    }
    tl_sb_put_cstr(&sb, "uploadId=");
    tl_sigv4_encode(&sb, stream->upload_id, false);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err put_part(tl_objects_stream *stream, tl_arena *scratch, tl_errctx *ctx)
{
    if (stream->part_count == PARTS_MAX) {
        return tl__objects_fail(ctx, TL_ERR_LIMIT, stream->key, "\"%.*s\" has more than %d parts",
                                TL_STR_ARG(stream->key), PARTS_MAX);
    }
    if (stream->part_count == 0) {
        TL_TRY(begin_upload(stream, scratch, ctx));
    }
    tl__s3_part *grown = realloc(stream->parts, (stream->part_count + 1) * sizeof(tl__s3_part));
    if (grown == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the parts of an upload");
    }
    stream->parts = grown;
    tl__s3_part *part = &stream->parts[stream->part_count];
    tl__s3_request request = {
        .method = TL_STR("PUT"), .key = stream->key, .body = {stream->buffer, stream->buffer_len}};
    tl__s3_answer answer;
    tl_str checksum;
    tl_sha256(&part->sha256, stream->buffer, stream->buffer_len);
    request.body_sha256 = part->sha256;
    TL_TRY(part_query(&request.query, scratch, stream, stream->part_count + 1, ctx));
    TL_TRY(tl__s3_checksum(&checksum, scratch, &part->sha256, ctx));
    tl__s3_add(&request, TL_STR("x-amz-checksum-sha256"), checksum);
    TL_TRY(tl__s3_ask(stream->store, &answer, scratch, &request, ctx));
    const tl_http_header *etag = tl_http_find(answer.headers, TL_STR("etag"));
    if (etag == NULL || etag->value.len >= sizeof part->etag) {
        return tl__objects_fail(ctx, TL_ERR_IO, stream->key, "S3 server: a part without an ETag");
    }
    (void)tl_str_print(part->etag, sizeof part->etag, "%.*s", TL_STR_ARG(etag->value));
    stream->part_count++;
    stream->buffer_len = 0;
    return TL_OK;
}

static tl_err flush(tl_objects_stream *stream, tl_errctx *ctx)
{
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, NULL, SCRATCH_LEN, NULL, ctx));
    const tl_err err = put_part(stream, scratch, ctx);
    tl_arena_free(scratch);
    return err;
}

tl_err tl__s3_write(tl_objects_stream *stream, tl_bytes piece, tl_errctx *ctx)
{
    const size_t part_len = stream->store->part_len;
    if (stream->buffer == NULL) {
        stream->buffer = malloc(part_len);
        if (stream->buffer == NULL) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a part of %zu bytes", part_len);
        }
    }
    size_t at = 0;
    while (at < piece.len) {
        if (stream->buffer_len == part_len) { /* full, and more follows */
            TL_TRY(flush(stream, ctx));
        }
        const size_t room = part_len - stream->buffer_len;
        const size_t len = piece.len - at < room ? piece.len - at : room;
        memcpy(stream->buffer + stream->buffer_len, piece.ptr + at, len);
        stream->buffer_len += len;
        at += len;
    }
    return TL_OK;
}

static tl_err list_parts(tl_str *out, tl_arena *arena, const tl_objects_stream *stream,
                         tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "<CompleteMultipartUpload "
                        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (uint32_t i = 0; i < stream->part_count; i++) {
        tl_str checksum;
        TL_TRY(tl__s3_checksum(&checksum, arena, &stream->parts[i].sha256, ctx));
        tl_sb_put_cstr(&sb, "<Part><ETag>");
        tl__xml_put(&sb, tl_str_from_cstr(stream->parts[i].etag));
        tl_sb_printf(
            &sb, "</ETag><ChecksumSHA256>%.*s</ChecksumSHA256><PartNumber>%u</PartNumber></Part>",
            TL_STR_ARG(checksum), i + 1);
    }
    tl_sb_put_cstr(&sb, "</CompleteMultipartUpload>");
    return tl_sb_finish(out, &sb, ctx);
}

/* The parts become an object. S3 may say 200 first and fail in the body; and a second attempt whose first one succeeded
 * finds no upload any more: then the object of our length is the proof. */
static tl_err complete(tl_objects_stream *stream, tl_arena *scratch, tl_errctx *ctx)
{
    tl__s3_request request = {.method = TL_STR("POST"), .key = stream->key};
    tl__s3_answer answer;
    tl_str body;
    TL_TRY(list_parts(&body, scratch, stream, ctx));
    TL_TRY(part_query(&request.query, scratch, stream, 0, ctx));
    request.body = tl_str_bytes(body);
    tl_sha256(&request.body_sha256, body.ptr, body.len);
    tl__s3_add(&request, TL_STR("Content-Type"), TL_STR("application/xml"));
    if (stream->options.is_new) {
        tl__s3_add(&request, TL_STR("If-None-Match"), TL_STR("*"));
    }
    TL_TRY(tl__s3_send(stream->store, &answer, scratch, &request, ctx));
    const tl_str said = {(const char *)answer.body.ptr, answer.body.len};
    if (answer.status >= 200 && answer.status < 300 &&
        tl__xml_find(said, "CompleteMultipartUploadResult").ptr != NULL) {
        return TL_OK;
    }
    tl_objects_info info;
    if (answer.status == 404 && answer.attempts > 1 &&
        tl__s3_head(stream->store, &info, stream->key, NULL) == TL_OK &&
        info.bytes == stream->len) {
        return TL_OK;
    }
    return tl__s3_fail(&answer, &request, ctx);
}

tl_err tl__s3_finish(tl_objects_stream *stream, const tl_hash32 *sha256, tl_objects_info *out,
                     tl_errctx *ctx)
{
    if (stream->part_count == 0) {
        const tl_bytes bytes = {stream->buffer, stream->buffer_len};
        return tl__s3_put(stream->store, out, stream->key, bytes, sha256, &stream->options, ctx);
    }
    if (stream->buffer_len > 0) {
        TL_TRY(flush(stream, ctx));
    }
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, NULL, SCRATCH_LEN, NULL, ctx));
    const tl_err err = complete(stream, scratch, ctx);
    tl_arena_free(scratch);
    if (err == TL_OK) {
        stream->upload_id.len = 0; /* nothing is left to abort */
        out->modified_ms = tl_clock_wall_ns(&stream->store->clock) / 1000000;
    }
    return err;
}

static void abort_upload(tl_objects *store, tl_str key, tl_str query)
{
    tl__s3_request request = {.method = TL_STR("DELETE"), .key = key, .query = query};
    tl__s3_answer answer;
    tl_arena *scratch = NULL;
    tl_sha256(&request.body_sha256, NULL, 0);
    if (tl_arena_new(&scratch, NULL, SCRATCH_LEN, NULL, NULL) == TL_OK) {
        (void)tl__s3_send(store, &answer, scratch, &request, NULL); /* a sweep tries again */
        tl_arena_free(scratch);
    }
}

void tl__s3_abort(tl_objects_stream *stream)
{
    tl_str query;
    if (stream->upload_id.len > 0 && part_query(&query, stream->arena, stream, 0, NULL) == TL_OK) {
        abort_upload(stream->store, stream->key, query);
    }
    free(stream->parts);
    free(stream->buffer);
}

/* --- uploads that nobody finished --- */

static void sweep_upload(tl_objects *store, tl_arena *scratch, uint64_t *count, tl_str key,
                         tl_str id, int64_t begun_s, int64_t now_ms)
{
    tl_str plain_key;
    tl_objects_stream stream = {.store = store};
    tl_str query;
    if (begun_s < now_ms / 1000 - TL__PART_AGE_MAX_S &&
        tl__xml_decode(&plain_key, scratch, key, NULL) == TL_OK &&
        tl__xml_decode(&stream.upload_id, scratch, id, NULL) == TL_OK &&
        part_query(&query, scratch, &stream, 0, NULL) == TL_OK) {
        abort_upload(store, plain_key, query);
        ++*count;
    }
}

tl_err tl__s3_sweep_parts(tl_objects *store, uint64_t *count, int64_t now_ms, tl_errctx *ctx)
{
    tl__s3_request request = {.method = TL_STR("GET"), .query = TL_STR("uploads=")};
    tl__s3_answer answer;
    tl_arena *scratch = NULL;
    tl_sha256(&request.body_sha256, NULL, 0);
    TL_TRY(tl_arena_new(&scratch, NULL, SCRATCH_LEN, NULL, ctx));
    const tl_err err = tl__s3_ask(store, &answer, scratch, &request, ctx);
    if (err == TL_OK) {
        tl__xml xml = {{(const char *)answer.body.ptr, answer.body.len}, 0};
        tl_str name;
        tl_str text;
        tl_str key = {0};
        tl_str id = {0};
        int64_t begun_s = INT64_MAX;
        bool is_end;
        while (tl__xml_next(&xml, &name, &is_end, &text)) {
            if (tl_str_eq(name, TL_STR("Upload")) && is_end) {
                sweep_upload(store, scratch, count, key, id, begun_s, now_ms);
                begun_s = INT64_MAX;
            } else if (!is_end && tl_str_eq(name, TL_STR("Key"))) {
                key = text;
            } else if (!is_end && tl_str_eq(name, TL_STR("UploadId"))) {
                id = text;
            } else if (!is_end && tl_str_eq(name, TL_STR("Initiated"))) {
                const int64_t begun_ms = tl__s3_date(text);
                begun_s = begun_ms > 0 ? begun_ms / 1000 : INT64_MAX;
            }
        }
    }
    tl_arena_free(scratch);
    return err;
}
