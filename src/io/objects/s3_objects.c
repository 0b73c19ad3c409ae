/* The calls on single objects. Each body goes up with its SHA-256 twice: signed, and as the checksum that the server holds
 * it to and keeps (x-amz-checksum-sha256). */
#include <string.h>

#include "base/vec/vec.h"
#include "core/codec/base64/base64.h"
#include "io/objects/objects_internal.h"

enum { READ_LEN = 8 << 20, SCRATCH_LEN = 64 << 20 };

/* Digits of a date, from these places, as SigV4 writes a time. */
static bool parse_parts(int64_t *out_s, const char *year, const char *month, const char *day,
                        const char *clock)
{
    char plain[] = "YYYYmmddTHHMMSSZ";
    memcpy(plain, year, 4);
    memcpy(plain + 4, month, 2);
    memcpy(plain + 6, day, 2);
    memcpy(plain + 9, clock, 2);
    memcpy(plain + 11, clock + 3, 2);
    memcpy(plain + 13, clock + 6, 2);
    return tl_sigv4_parse_time(out_s, (tl_str){plain, sizeof plain - 1});
}

int64_t tl__s3_date(tl_str text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t ms = 0;
    int64_t time_s = 0;
    bool is_date = false;
    if (text.len == 29 && tl_str_ends_with(text, TL_STR(" GMT"))) {
        char number[4];
        unsigned month = 0;
        while (month < 12 && memcmp(months + (size_t)3 * month, text.ptr + 8, 3) != 0) {
            month++;
        }
        (void)tl_str_print(number, sizeof number, "%02u", month + 1);
        is_date = parse_parts(&time_s, text.ptr + 12, number, text.ptr + 5, text.ptr + 17);
    } else if (text.len >= 20 && tl_str_ends_with(text, TL_STR("Z"))) {
        is_date = parse_parts(&time_s, text.ptr, text.ptr + 5, text.ptr + 8, text.ptr + 11);
        if (text.len >= 24 && text.ptr[19] == '.') {
            (void)tl_str_parse_u64(&ms, tl_str_slice(text, 20, 23));
        }
    }
    return is_date ? time_s * 1000 + (int64_t)ms : 0;
}

static tl_str header(const tl__s3_answer *answer, const char *name)
{
    const tl_http_header *h = tl_http_find(answer->headers, tl_str_from_cstr(name));
    return h != NULL ? h->value : (tl_str){0};
}

/* --- put --- */

/* The answer to If-None-Match says "is there", but it was our own first attempt whose answer got lost. */
static bool was_ours(tl_objects *store, tl_str key, const tl_hash32 *sha256, uint64_t bytes)
{
    tl_objects_info info;
    return tl__s3_head(store, &info, key, NULL) == TL_OK && info.has_sha256 &&
           info.bytes == bytes && tl_hash32_cmp(&info.sha256, sha256) == 0;
}

tl_err tl__s3_put(tl_objects *store, tl_objects_info *out, tl_str key, tl_bytes bytes,
                  const tl_hash32 *sha256, const tl_objects_put_options *options, tl_errctx *ctx)
{
    tl__s3_request request = {
        .method = TL_STR("PUT"), .key = key, .body = bytes, .body_sha256 = *sha256};
    tl__s3_answer answer;
    tl_arena *arena = NULL;
    tl_str checksum;
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_err err = tl__s3_checksum(&checksum, arena, sha256, ctx);
    if (err == TL_OK) {
        tl__s3_add(&request, TL_STR("x-amz-checksum-sha256"), checksum);
        tl__s3_add(&request, TL_STR("Content-Type"),
                   options->content_type.len > 0 ? options->content_type
                                                 : TL_STR("application/octet-stream"));
        if (options->is_new) {
            tl__s3_add(&request, TL_STR("If-None-Match"), TL_STR("*"));
        }
        err = tl__s3_send(store, &answer, arena, &request, ctx);
    }
    if (err == TL_OK && (answer.status < 200 || answer.status > 299)) {
        const bool is_ours =
            answer.status == 412 && answer.attempts > 1 && was_ours(store, key, sha256, bytes.len);
        err = is_ours ? TL_OK : tl__s3_fail(&answer, &request, ctx);
    }
    tl_arena_free(arena);
    if (err == TL_OK) {
        out->modified_ms = tl_clock_wall_ns(&store->clock) / 1000000;
    }
    return err;
}

/* --- head --- */

tl_err tl__s3_head(tl_objects *store, tl_objects_info *out, tl_str key, tl_errctx *ctx)
{
    tl__s3_request request = {.method = TL_STR("HEAD"), .key = key};
    tl__s3_answer answer;
    tl_arena *arena = NULL;
    tl_sha256(&request.body_sha256, NULL, 0);
    tl__s3_add(&request, TL_STR("x-amz-checksum-mode"), TL_STR("ENABLED"));
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_err err = tl__s3_ask(store, &answer, arena, &request, ctx);
    tl_objects_info info = {.bytes = 0};
    if (err == TL_OK && !tl_str_parse_u64(&info.bytes, header(&answer, "content-length"))) {
        err = tl__objects_fail(ctx, TL_ERR_IO, key, "S3 server: no length of \"%.*s\"",
                               TL_STR_ARG(key));
    }
    if (err == TL_OK) {
        tl_bytes digest;
        const tl_str checksum =
            header(&answer, "x-amz-checksum-sha256"); /* of parts: "…-3", no hash */
        info.has_sha256 = tl_base64_decode(&digest, arena, checksum, NULL) == TL_OK &&
                          digest.len == sizeof info.sha256.b;
        if (info.has_sha256) {
            memcpy(info.sha256.b, digest.ptr, digest.len);
        }
        info.modified_ms = tl__s3_date(header(&answer, "last-modified"));
        *out = info;
    }
    tl_arena_free(arena);
    return err;
}

/* --- read: range by range, so that a lost connection costs one of them --- */

typedef struct reading {
    tl_objects *store;
    tl_str key;
    uint64_t at;
    uint64_t end;   /* known from the first answer on */
    uint64_t total; /* of the object */
    bool is_known;
    int64_t modified_ms;
    char etag[128]; /* all ranges are of one object */
    tl_sha256_state hash;
    tl_objects_take take;
    void *self;
} reading;

/* "bytes 0-9/100" */
static bool parse_total(uint64_t *out, tl_str content_range)
{
    const size_t slash = tl_str_find(content_range, '/');
    return slash < content_range.len &&
           tl_str_parse_u64(out, tl_str_slice(content_range, slash + 1, content_range.len));
}

static tl_err read_empty(reading *r, tl_errctx *ctx)
{
    tl_objects_info info;
    TL_TRY(tl__s3_head(r->store, &info, r->key, ctx));
    if (info.bytes != 0) {
        return tl__objects_fail(ctx, TL_ERR_IO, r->key, "\"%.*s\" changed while it was read",
                                TL_STR_ARG(r->key));
    }
    r->is_known = true;
    r->end = 0;
    r->total = 0;
    r->modified_ms = info.modified_ms;
    return TL_OK;
}

static tl_err take_answer(reading *r, const tl__s3_answer *answer, uint64_t wanted, tl_errctx *ctx)
{
    uint64_t total = answer->body.len; /* 200: a server without ranges */
    if (answer->status == 206 && !parse_total(&total, header(answer, "content-range"))) {
        return tl__objects_fail(ctx, TL_ERR_IO, r->key, "S3 server: no length of \"%.*s\"",
                                TL_STR_ARG(r->key));
    }
    if (!r->is_known) {
        const tl_str etag = header(answer, "etag");
        r->is_known = true;
        r->total = total;
        r->end = r->end < total ? r->end : total;
        r->modified_ms = tl__s3_date(header(answer, "last-modified"));
        (void)tl_str_print(r->etag, sizeof r->etag, "%.*s", TL_STR_ARG(etag));
    }
    const uint64_t rest = r->end - r->at;
    const uint64_t due = answer->status == 206 && wanted < rest ? wanted : rest;
    const uint64_t skip = answer->status == 206 ? 0 : r->at;
    if (total != r->total || answer->body.len < skip || answer->body.len - skip < due) {
        return tl__objects_fail(ctx, TL_ERR_IO, r->key, "S3 server: \"%.*s\" is cut short",
                                TL_STR_ARG(r->key));
    }
    const tl_bytes piece = {answer->body.ptr + skip, (size_t)due};
    tl_sha256_update(&r->hash, piece.ptr, piece.len);
    r->at += due;
    return piece.len > 0 && r->take != NULL ? r->take(r->self, piece, ctx) : TL_OK;
}

static tl_err read_range(reading *r, tl_errctx *ctx)
{
    const uint64_t rest = r->end - r->at;
    const uint64_t wanted = rest < READ_LEN ? rest : READ_LEN;
    char range[64];
    tl__s3_request request = {.method = TL_STR("GET"), .key = r->key, .answer_len_max = READ_LEN};
    tl__s3_answer answer;
    tl_arena *arena = NULL;
    tl_sha256(&request.body_sha256, NULL, 0);
    const size_t len =
        tl_str_print(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)r->at,
                     (unsigned long long)(r->at + wanted - 1));
    tl__s3_add(&request, TL_STR("Range"), (tl_str){range, len});
    if (r->etag[0] != '\0') {
        tl__s3_add(&request, TL_STR("If-Match"), tl_str_from_cstr(r->etag));
    }
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_err err = tl__s3_send(r->store, &answer, arena, &request, ctx);
    if (err == TL_OK && answer.status == 416 && r->at == 0 && !r->is_known) {
        err = read_empty(r, ctx);
    } else if (err == TL_OK && answer.status != 200 && answer.status != 206) {
        err = tl__s3_fail(&answer, &request, ctx);
    } else if (err == TL_OK) {
        err = take_answer(r, &answer, wanted, ctx);
    }
    tl_arena_free(arena);
    return err;
}

tl_err tl__s3_read(tl_objects *store, tl_objects_info *out, tl_str key, uint64_t offset,
                   uint64_t len, tl_objects_take take, void *self, tl_errctx *ctx)
{
    reading r = {.store = store,
                 .key = key,
                 .at = offset,
                 .end = len < UINT64_MAX - offset ? offset + len : UINT64_MAX,
                 .take = take,
                 .self = self};
    tl_sha256_init(&r.hash);
    do {
        TL_TRY(read_range(&r, ctx));
    } while (r.at < r.end);
    *out = (tl_objects_info){.bytes = r.total, .modified_ms = r.modified_ms};
    out->has_sha256 = offset == 0 && r.at == r.total;
    tl_sha256_final(&r.hash, &out->sha256);
    return TL_OK;
}

/* --- delete, copy --- */

tl_err tl__s3_delete(tl_objects *store, tl_str key, tl_errctx *ctx)
{
    tl__s3_request request = {.method = TL_STR("DELETE"), .key = key};
    tl__s3_answer answer;
    tl_arena *arena = NULL;
    tl_sha256(&request.body_sha256, NULL, 0);
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_err err = tl__s3_send(store, &answer, arena, &request, ctx);
    if (err == TL_OK && answer.status != 404 && (answer.status < 200 || answer.status > 299)) {
        err = tl__s3_fail(&answer, &request, ctx);
    }
    tl_arena_free(arena);
    return err;
}

tl_err tl__s3_copy(tl_objects *store, tl_str from, tl_str to, tl_errctx *ctx)
{
    tl__s3_request request = {.method = TL_STR("PUT"), .key = to};
    tl__s3_answer answer;
    tl_arena *arena = NULL;
    tl_str source;
    tl_sb sb;
    tl_sha256(&request.body_sha256, NULL, 0);
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, tl__s3_bucket(store));
    tl_sb_put_char(&sb, '/');
    tl_sigv4_encode(&sb, from, true);
    tl_err err = tl_sb_finish(&source, &sb, ctx);
    if (err == TL_OK) {
        tl__s3_add(&request, TL_STR("x-amz-copy-source"), source);
        err = tl__s3_ask(store, &answer, arena, &request, ctx);
    }
    if (err == TL_OK) { /* S3 may fail after it has said 200 */
        const tl_str body = {(const char *)answer.body.ptr, answer.body.len};
        if (tl__xml_find(body, "CopyObjectResult").ptr == NULL) {
            answer.status = 500;
            err = tl__s3_fail(&answer, &request, ctx);
        }
    }
    tl_arena_free(arena);
    return err;
}

/* --- list --- */

static tl_err put_parameter(tl_sb *sb, const char *name, tl_str value)
{
    if (value.len > 0) {
        tl_sb_printf(sb, "&%s=", name);
        tl_sigv4_encode(sb, value, false);
    }
    return sb->err;
}

static tl_err read_page(tl_objects_page *out, tl_arena *arena, tl_str body, tl_errctx *ctx)
{
    tl__xml xml = {body, 0};
    tl_vec items;
    tl_str name;
    tl_str text;
    bool is_end;
    tl_objects_item *item = NULL;
    bool has_more = false;
    bool is_list = false;
    tl_vec_init(&items, arena, sizeof(tl_objects_item));
    while (tl__xml_next(&xml, &name, &is_end, &text)) {
        is_list |= tl_str_eq(name, TL_STR("ListBucketResult"));
        if (tl_str_eq(name, TL_STR("Contents"))) {
            item = is_end ? NULL : (tl_objects_item *)tl_vec_push(&items);
            if (item == NULL && !is_end) {
                return tl_arena_fail(arena, ctx);
            }
        } else if (is_end) {
            continue;
        } else if (tl_str_eq(name, TL_STR("IsTruncated"))) {
            has_more = tl_str_eq(text, TL_STR("true"));
        } else if (item != NULL && tl_str_eq(name, TL_STR("Key"))) {
            TL_TRY(tl__xml_decode(&item->key, arena, text, ctx));
        } else if (item != NULL && tl_str_eq(name, TL_STR("Size"))) {
            (void)tl_str_parse_u64(&item->bytes, text);
        } else if (item != NULL && tl_str_eq(name, TL_STR("LastModified"))) {
            item->modified_ms = tl__s3_date(text);
        }
    }
    if (!is_list) {
        return tl_fail(ctx, TL_ERR_IO, "S3 server: the answer is no list of objects");
    }
    *out = (tl_objects_page){(tl_objects_item *)items.items, items.count, has_more};
    return TL_OK;
}

tl_err tl__s3_list(tl_objects *store, tl_objects_page *out, tl_arena *arena, tl_str prefix,
                   tl_str after, size_t count_max, tl_errctx *ctx)
{
    tl__s3_request request = {.method = TL_STR("GET")};
    tl__s3_answer answer;
    tl_arena *scratch = NULL;
    tl_sb sb;
    tl_sha256(&request.body_sha256, NULL, 0);
    TL_TRY(tl_arena_new(&scratch, NULL, SCRATCH_LEN, NULL, ctx));
    tl_sb_init(&sb, scratch);
    tl_sb_printf(&sb, "list-type=2&max-keys=%zu", count_max);
    (void)put_parameter(&sb, "prefix", prefix);
    (void)put_parameter(&sb, "start-after", after);
    tl_err err = tl_sb_finish(&request.query, &sb, ctx);
    if (err == TL_OK) {
        err = tl__s3_ask(store, &answer, scratch, &request, ctx);
    }
    if (err == TL_OK) {
        err = read_page(out, arena, (tl_str){(const char *)answer.body.ptr, answer.body.len}, ctx);
    }
    tl_arena_free(scratch);
    return err;
}
