/* Calls that come in numbers: keeping a submission's objects, deleting what is old. */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "io/objects/objects_internal.h"

enum { DELETE_MAX = 1000, SCRATCH_LEN = 64 << 20 };

#define FLIGHT_LEN_MAX ((uint64_t)128 << 20) /* bytes of objects in memory at once */

/* --- keep: read, verify, write where only we may. A copy within the server would spare the way back and forth, but what
 * lies under the upload's key may change between a look and the copy; the bytes in our hands do not. The server holds the
 * write to the checksum. --- */

static tl_err verify(const tl_objects_keep_item *item, const tl__s3_answer *answer,
                     const tl__s3_request *request, tl_errctx *ctx)
{
    if (answer->status != 200) {
        return tl__s3_fail(answer, request, ctx);
    }
    if (answer->body.len != item->bytes) {
        return tl__objects_fail(ctx, TL_ERR_CORRUPT, item->key, "\"%.*s\" has %zu bytes, not %llu",
                                TL_STR_ARG(item->key), answer->body.len,
                                (unsigned long long)item->bytes);
    }
    tl_hash32 found;
    tl_sha256(&found, answer->body.ptr, answer->body.len);
    if (tl_hash32_cmp(&found, &item->sha256) != 0) {
        char text[65];
        tl_hex_write(text, found.b, sizeof found.b);
        return tl__objects_fail(ctx, TL_ERR_CORRUPT, item->key, "\"%.*s\" has another SHA-256: %s",
                                TL_STR_ARG(item->key), text);
    }
    return TL_OK;
}

/* Fill the requests to read and to write one item. */
static tl_err prepare_item(tl__s3_request *get, tl__s3_request *put, tl_arena *arena,
                           const tl_objects_keep_item *item, tl_errctx *ctx)
{
    char key[TL_OBJECTS_KEPT_KEY_LEN + 1];
    tl_str checksum;
    tl_objects_kept_key(key, &item->sha256);
    *get = (tl__s3_request){
        .method = TL_STR("GET"),
        .key = item->key,
        /* An object that is longer than said ends the call; an error's text fits. */
        .answer_len_max = (size_t)item->bytes + 65536};
    tl_sha256(&get->body_sha256, NULL, 0);
    *put = (tl__s3_request){.method = TL_STR("PUT"), .body_sha256 = item->sha256};
    TL_TRY(tl_str_copy(&put->key, arena, tl_str_from_cstr(key), ctx));
    TL_TRY(tl__s3_checksum(&checksum, arena, &item->sha256, ctx));
    tl__s3_add(put, TL_STR("x-amz-checksum-sha256"), checksum);
    tl__s3_add(put, TL_STR("Content-Type"), TL_STR("application/octet-stream"));
    return TL_OK;
}

/* Half of the flight reads; the other half then writes from the answers. */
static tl_err keep_window(tl__s3_flight *flight, tl_arena *arena, const tl_objects_keep_item *items,
                          size_t first, size_t count, tl_errctx *ctx)
{
    enum { HALF = TL__S3_FLIGHT_MAX / 2 };
    tl__s3_request *gets = TL_NEW(arena, tl__s3_request, HALF);
    tl__s3_request *puts = TL_NEW(arena, tl__s3_request, HALF);
    if (gets == NULL || puts == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_ASSERT(count <= HALF);
    for (size_t i = 0; i < count; i++) {
        TL_TRY(prepare_item(&gets[i], &puts[i], arena, &items[first + i], ctx));
        TL_TRY(tl__s3_launch(flight, i, &gets[i], ctx));
    }
    TL_TRY(tl__s3_run(flight, ctx));
    tl_err err = TL_OK;
    size_t at = 0;
    for (size_t i = 0; i < count && err == TL_OK; i++) {
        tl__s3_answer answer;
        at = i;
        err = tl__s3_look(flight, i, &answer, ctx);
        if (err == TL_ERR_LIMIT) {
            err = tl__objects_fail(
                ctx, TL_ERR_CORRUPT, items[first + i].key, "\"%.*s\" has more than %llu bytes",
                TL_STR_ARG(items[first + i].key), (unsigned long long)items[first + i].bytes);
        }
        if (err == TL_OK) {
            err = verify(&items[first + i], &answer, &gets[i], ctx);
        }
        if (err == TL_OK) {
            puts[i].body = answer.body;
            err = tl__s3_launch(flight, HALF + i, &puts[i], ctx);
        }
    }
    if (err == TL_OK) {
        err = tl__s3_run(flight, ctx);
    }
    for (size_t i = 0; i < count && err == TL_OK; i++) {
        tl__s3_answer answer;
        at = i;
        err = tl__s3_look(flight, HALF + i, &answer, ctx);
        if (err == TL_OK && answer.status != 200) {
            err = tl__s3_fail(&answer, &puts[i], ctx);
        }
    }
    if (err != TL_OK) {
        tl_errctx_at(ctx, first + at, 0, 0);
    }
    return err;
}

tl_err tl__s3_keep(tl_objects *store, const tl_objects_keep_item *items, size_t count,
                   tl_errctx *ctx)
{
    tl__s3_flight *flight;
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_err err = tl__s3_lend(store, &flight, ctx);
    if (err != TL_OK) {
        tl_arena_free(arena);
        return err;
    }
    for (size_t at = 0; at < count && err == TL_OK;) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        uint64_t bytes = items[at].bytes;
        size_t n = 1;
        while (at + n < count && n < TL__S3_FLIGHT_MAX / 2 &&
               items[at + n].bytes <= FLIGHT_LEN_MAX - bytes) {
            bytes += items[at + n].bytes;
            n++;
        }
        err = keep_window(flight, arena, items, at, n, ctx);
        for (size_t i = 0; i < TL__S3_FLIGHT_MAX; i++) {
            tl__s3_land(flight, i);
        }
        tl_arena_rewind(arena, mark);
        at += n;
    }
    tl__s3_give_back(store, flight);
    tl_arena_free(arena);
    return err;
}

/* --- delete --- */

static tl_err delete_page(tl_objects *store, tl_arena *arena, const tl_str *keys, size_t count,
                          tl_errctx *ctx)
{
    tl__s3_request request = {.method = TL_STR("POST"), .query = TL_STR("delete=")};
    tl__s3_answer answer;
    tl_sb sb;
    tl_str body;
    tl_str checksum;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb,
                   "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
    for (size_t i = 0; i < count; i++) {
        tl_sb_put_cstr(&sb, "<Object><Key>");
        tl__xml_put(&sb, keys[i]);
        tl_sb_put_cstr(&sb, "</Key></Object>");
    }
    tl_sb_put_cstr(&sb, "</Delete>");
    TL_TRY(tl_sb_finish(&body, &sb, ctx));
    request.body = tl_str_bytes(body);
    tl_sha256(&request.body_sha256, body.ptr, body.len);
    TL_TRY(tl__s3_checksum(&checksum, arena, &request.body_sha256, ctx));
    tl__s3_add(&request, TL_STR("x-amz-checksum-sha256"), checksum);
    tl__s3_add(&request, TL_STR("Content-Type"), TL_STR("application/xml"));
    TL_TRY(tl__s3_ask(store, &answer, arena, &request, ctx));
    const tl_str said = {(const char *)answer.body.ptr, answer.body.len};
    if (tl__xml_find(said, "Error").ptr != NULL) { /* of one key; the others are gone */
        request.key = tl__xml_find(said, "Key");
        answer.status = 500;
        return tl__s3_fail(&answer, &request, ctx);
    }
    return TL_OK;
}

tl_err tl__s3_delete_many(tl_objects *store, const tl_str *keys, size_t count, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_err first = TL_OK;
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    for (size_t at = 0; at < count; at += DELETE_MAX) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        const size_t n = count - at < DELETE_MAX ? count - at : DELETE_MAX;
        const tl_err err = delete_page(store, arena, keys + at, n, first == TL_OK ? ctx : NULL);
        first = first == TL_OK ? err : first;
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena);
    return first;
}
