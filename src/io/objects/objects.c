/* The door of the room: options, and what is the same for both kinds of store (OBJ-4: nothing else may differ for a
 * caller). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/codec/hex/hex.h"
#include "io/objects/objects_internal.h"
#include "io/sys/sys.h"

/* Where tl_objects_get puts its bytes. */
struct taker {
    uint8_t *at;
    size_t len;
    size_t cap;
};

tl_err tl_objects_read_env(tl_objects_options *options, tl_errctx *ctx)
{
    const char *access = getenv("AWS_ACCESS_KEY_ID");
    const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
    const char *region = getenv("AWS_REGION");
    const bool has_access = access != NULL && access[0] != '\0';
    if (!has_access || secret == NULL || secret[0] == '\0') {
        const char *missing = has_access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID";
        return tl_fail_field(ctx, TL_ERR_MISSING, missing, "%s is not set", missing);
    }
    options->access_key = tl_str_from_cstr(access);
    options->secret_key = tl_str_from_cstr(secret);
    options->region = tl_str_from_cstr(region);
    return TL_OK;
}

int64_t tl__objects_now_s(const tl_objects *store)
{
    return tl_clock_wall_ns(&store->clock) / 1000000000;
}

/* The keys under which requests or forms are signed. */
static tl_err set_keys(tl_objects *store, const tl_objects_options *options, tl_errctx *ctx)
{
    store->keys.service = TL_STR("s3");
    store->keys.region = TL_STR("us-east-1");
    if (store->is_folder) {
        tl_hex_write(store->secret, store->sign_key, sizeof store->sign_key);
        store->keys.access_key = TL_STR(TL__FOLDER_ACCESS);
        store->keys.secret_key = (tl_str){store->secret, 2 * TL__SIGN_KEY_LEN};
        return TL_OK;
    }
    if (options->access_key.len == 0 || options->secret_key.len == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "access_key", "no keys for the S3 server");
    }
    if (options->secret_key.len > TL_SIGV4_SECRET_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "secret_key", "the secret key is above %d bytes",
                             TL_SIGV4_SECRET_LEN_MAX);
    }
    if (options->region.len > 0) {
        TL_TRY(tl_str_copy(&store->keys.region, store->arena, options->region, ctx));
    }
    TL_TRY(tl_str_copy(&store->keys.access_key, store->arena, options->access_key, ctx));
    memcpy(store->secret, options->secret_key.ptr, options->secret_key.len);
    store->keys.secret_key = (tl_str){store->secret, options->secret_key.len};
    return TL_OK;
}

static tl_err open_kind(tl_objects *store, const tl_objects_options *options, tl_errctx *ctx)
{
    TL_TRY(tl_objects_set_public_url(store, options->public_url, ctx));
    if (store->is_folder) {
        TL_TRY(tl__folder_open(store, options, ctx));
        return set_keys(store, options, ctx);
    }
    TL_TRY(set_keys(store, options, ctx));
    return tl__s3_open(store, options, ctx);
}

tl_err tl_objects_open(tl_objects **out, const tl_objects_options *options, tl_errctx *ctx)
{
    if ((options->dir == NULL) == (options->s3_url == NULL)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "dir",
                             "objects need a folder or an S3 URL, one of them");
    }
    if (options->part_len != 0 &&
        (options->part_len < (size_t)5 << 20 || options->part_len > (size_t)1 << 30)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "part_len",
                             "parts of %zu bytes, not 5 MiB to 1 GiB", options->part_len);
    }
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_objects *store = TL_NEW(arena, tl_objects, 1);
    if (store == NULL) {
        const tl_err err = tl_arena_fail(arena, ctx);
        tl_arena_free(arena);
        return err;
    }
    store->arena = arena;
    store->is_folder = options->dir != NULL;
    store->root_fd = -1;
    store->clock = options->clock.wall_ns != NULL ? options->clock : tl_sys_clock();
    store->entropy = options->entropy.fill != NULL ? options->entropy : tl_sys_entropy();
    store->part_len = options->part_len != 0 ? options->part_len : TL_OBJECTS_PART_LEN;
    const tl_err err = open_kind(store, options, ctx);
    if (err != TL_OK) {
        tl_objects_close(store);
        return err;
    }
    *out = store;
    return TL_OK;
}

void tl_objects_close(tl_objects *store)
{
    if (store == NULL) {
        return;
    }
    if (store->is_folder) {
        tl__folder_close(store);
    } else {
        tl__s3_close(store);
    }
    tl_wipe(store->secret, sizeof store->secret); /* OBJ-5 */
    tl_wipe(store->sign_key, sizeof store->sign_key);
    tl_arena_free(store->arena);
}

bool tl_objects_is_folder(const tl_objects *store)
{
    return store->is_folder;
}

tl_err tl_objects_set_public_url(tl_objects *store, tl_str url, tl_errctx *ctx)
{
    tl_str wanted = url;
    while (tl_str_ends_with(wanted, TL_STR("/"))) {
        wanted.len--;
    }
    return tl_str_copy(&store->public_url, store->arena, wanted, ctx);
}

/* --- put --- */

tl_err tl_objects_stream_begin(tl_objects_stream **out, tl_objects *store, tl_str key,
                               const tl_objects_put_options *options, tl_errctx *ctx)
{
    TL_TRY(tl_objects_check_key(key, ctx)); /* OBJ-1 */
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_objects_stream *stream = TL_NEW(arena, tl_objects_stream, 1);
    tl_err err = stream != NULL ? TL_OK : tl_arena_fail(arena, ctx);
    if (err == TL_OK) {
        stream->store = store;
        stream->arena = arena;
        stream->fd = -1;
        stream->options = options != NULL ? *options : (tl_objects_put_options){0};
        if (stream->options.len_max == 0) {
            stream->options.len_max = TL_OBJECTS_LEN_MAX;
        }
        tl_sha256_init(&stream->hash);
        err = tl_str_copy(&stream->key, arena, key, ctx);
    }
    if (err == TL_OK) {
        err = tl_str_copy(&stream->options.content_type, arena, stream->options.content_type, ctx);
    }
    if (err == TL_OK) {
        err = store->is_folder ? tl__folder_begin(stream, ctx) : tl__s3_begin(stream, ctx);
    }
    if (err != TL_OK) {
        tl_arena_free(arena);
        return err;
    }
    *out = stream;
    return TL_OK;
}

tl_err tl_objects_stream_write(tl_objects_stream *stream, tl_bytes piece, tl_errctx *ctx)
{
    if (stream->has_failed) {
        return tl__objects_fail(ctx, TL_ERR_STATE, stream->key, "this put of \"%.*s\" has failed",
                                TL_STR_ARG(stream->key));
    }
    if (piece.len == 0) {
        return TL_OK;
    }
    tl_err err;
    if (piece.len > stream->options.len_max - stream->len) {
        err =
            tl__objects_fail(ctx, TL_ERR_LIMIT, stream->key, "\"%.*s\" is above %llu bytes",
                             TL_STR_ARG(stream->key), (unsigned long long)stream->options.len_max);
    } else {
        tl_sha256_update(&stream->hash, piece.ptr, piece.len);
        stream->len += piece.len;
        err = stream->store->is_folder ? tl__folder_write(stream, piece, ctx)
                                       : tl__s3_write(stream, piece, ctx);
    }
    stream->has_failed = err != TL_OK;
    return err;
}

tl_err tl_objects_stream_finish(tl_objects_stream *stream, tl_objects_info *out, tl_errctx *ctx)
{
    tl_err err = TL_OK;
    if (stream->has_failed) {
        err = tl__objects_fail(ctx, TL_ERR_STATE, stream->key, "this put of \"%.*s\" has failed",
                               TL_STR_ARG(stream->key));
    } else {
        tl_objects_info info = {.bytes = stream->len, .has_sha256 = true};
        tl_sha256_final(&stream->hash, &info.sha256);
        err = stream->store->is_folder ? tl__folder_finish(stream, &info.sha256, &info, ctx)
                                       : tl__s3_finish(stream, &info.sha256, &info, ctx);
        if (err == TL_OK && out != NULL) {
            *out = info;
        }
    }
    tl_objects_stream_abort(stream); /* what is left of it */
    return err;
}

void tl_objects_stream_abort(tl_objects_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->store->is_folder) {
        tl__folder_abort(stream);
    } else {
        tl__s3_abort(stream);
    }
    tl_arena_free(stream->arena);
}

uint64_t tl_objects_stream_len(const tl_objects_stream *stream)
{
    return stream->len;
}

tl_err tl_objects_put(tl_objects *store, tl_objects_info *out, tl_str key, tl_bytes bytes,
                      const tl_objects_put_options *options, tl_errctx *ctx)
{
    tl_objects_stream *stream = NULL;
    if (!store->is_folder && bytes.len <= store->part_len) { /* no second copy in memory */
        tl_objects_info info = {.bytes = bytes.len, .has_sha256 = true};
        const tl_objects_put_options none = {0};
        TL_TRY(tl_objects_check_key(key, ctx));
        tl_sha256(&info.sha256, bytes.ptr, bytes.len);
        TL_TRY(tl__s3_put(store, &info, key, bytes, &info.sha256, options != NULL ? options : &none,
                          ctx));
        if (out != NULL) {
            *out = info;
        }
        return TL_OK;
    }
    TL_TRY(tl_objects_stream_begin(&stream, store, key, options, ctx));
    const tl_err err = tl_objects_stream_write(stream, bytes, ctx);
    if (err != TL_OK) {
        tl_objects_stream_abort(stream);
        return err;
    }
    return tl_objects_stream_finish(stream, out, ctx);
}

/* --- get --- */

tl_err tl_objects_read(tl_objects *store, tl_objects_info *out, tl_str key, tl_objects_take take,
                       void *self, tl_errctx *ctx)
{
    tl_objects_info info;
    TL_TRY(tl_objects_check_key(key, ctx));
    if (store->is_folder) {
        int fd;
        TL_TRY(tl__folder_open_object(&fd, &info, store, key, ctx));
        const tl_err err = tl__folder_read_fd(&info.sha256, fd, info.bytes, key, take, self, ctx);
        if (err == TL_OK) {
            tl__memo_put(store->memo, fd, &info.sha256);
        }
        (void)close(fd);
        if (err != TL_OK) {
            return err;
        }
        info.has_sha256 = true;
    } else {
        TL_TRY(tl__s3_read(store, &info, key, 0, UINT64_MAX, take, self, ctx));
    }
    if (out != NULL) {
        *out = info;
    }
    return TL_OK;
}

static tl_err take_bytes(void *self, tl_bytes piece, tl_errctx *ctx)
{
    struct taker *taker = (struct taker *)self;
    if (piece.len > taker->cap - taker->len) {
        return tl_fail(ctx, TL_ERR_LIMIT, "an object is above %zu bytes", taker->cap);
    }
    memcpy(taker->at + taker->len, piece.ptr, piece.len);
    taker->len += piece.len;
    return TL_OK;
}

tl_err tl_objects_get(tl_objects *store, tl_bytes *out, tl_arena *arena, tl_str key, size_t len_max,
                      tl_errctx *ctx)
{
    tl_objects_info info;
    TL_TRY(tl_objects_head(store, &info, key, ctx));
    if (info.bytes > len_max) {
        return tl__objects_fail(ctx, TL_ERR_LIMIT, key, "\"%.*s\" has %llu bytes, above %zu",
                                TL_STR_ARG(key), (unsigned long long)info.bytes, len_max);
    }
    struct taker taker = {TL_NEW(arena, uint8_t, info.bytes > 0 ? info.bytes : 1), 0, info.bytes};
    if (taker.at == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_objects_read(store, NULL, key, take_bytes, &taker, ctx));
    *out = (tl_bytes){taker.at, taker.len};
    return TL_OK;
}

tl_err tl_objects_get_range(tl_objects *store, tl_bytes *out, tl_arena *arena, tl_str key,
                            uint64_t offset, size_t len, tl_errctx *ctx)
{
    tl_objects_info info;
    TL_TRY(tl_objects_head(store, &info, key, ctx));
    if (offset > info.bytes) {
        return tl__objects_fail(ctx, TL_ERR_RANGE, key, "\"%.*s\" ends at %llu, before %llu",
                                TL_STR_ARG(key), (unsigned long long)info.bytes,
                                (unsigned long long)offset);
    }
    const uint64_t rest = info.bytes - offset;
    const size_t wanted = rest < len ? (size_t)rest : len;
    struct taker taker = {TL_NEW(arena, uint8_t, wanted > 0 ? wanted : 1), 0, wanted};
    if (taker.at == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (wanted > 0 && store->is_folder) {
        int fd;
        TL_TRY(tl__folder_open_object(&fd, &info, store, key, ctx));
        while (taker.len < wanted) {
            const ssize_t got =
                pread(fd, taker.at + taker.len, wanted - taker.len, (off_t)(offset + taker.len));
            if (got <= 0) {
                (void)close(fd);
                return tl__objects_fail(ctx, TL_ERR_IO, key, "cannot read \"%.*s\" at %llu",
                                        TL_STR_ARG(key), (unsigned long long)(offset + taker.len));
            }
            taker.len += (size_t)got;
        }
        (void)close(fd);
    } else if (wanted > 0) {
        TL_TRY(tl__s3_read(store, &info, key, offset, wanted, take_bytes, &taker, ctx));
    }
    *out = (tl_bytes){taker.at, taker.len};
    return TL_OK;
}

tl_err tl_objects_open_fd(tl_objects *store, int *out, uint64_t *out_len, tl_str key,
                          tl_errctx *ctx)
{
    tl_objects_info info;
    TL_TRY(tl_objects_check_key(key, ctx));
    if (!store->is_folder) {
        return tl__objects_fail(ctx, TL_ERR_STATE, key, "objects on S3 have no descriptor");
    }
    TL_TRY(tl__folder_open_object(out, &info, store, key, ctx));
    *out_len = info.bytes;
    return TL_OK;
}

tl_err tl_objects_head(tl_objects *store, tl_objects_info *out, tl_str key, tl_errctx *ctx)
{
    TL_TRY(tl_objects_check_key(key, ctx));
    if (!store->is_folder) {
        return tl__s3_head(store, out, key, ctx);
    }
    int fd;
    TL_TRY(tl__folder_open_object(&fd, out, store, key, ctx));
    out->has_sha256 = tl__memo_get(store->memo, fd, &out->sha256);
    (void)close(fd);
    return TL_OK;
}

/* --- delete, copy, list --- */

tl_err tl_objects_delete(tl_objects *store, tl_str key, tl_errctx *ctx)
{
    TL_TRY(tl_objects_check_key(key, ctx));
    return store->is_folder ? tl__folder_delete(store, key, ctx) : tl__s3_delete(store, key, ctx);
}

tl_err tl_objects_delete_many(tl_objects *store, const tl_str *keys, size_t count, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        TL_TRY(tl_objects_check_key(keys[i], ctx));
    }
    if (!store->is_folder) {
        return tl__s3_delete_many(store, keys, count, ctx);
    }
    tl_err first = TL_OK;
    for (size_t i = 0; i < count; i++) {
        const tl_err err = tl__folder_delete(store, keys[i], first == TL_OK ? ctx : NULL);
        first = first == TL_OK ? err : first;
    }
    return first;
}

static tl_err take_to_stream(void *self, tl_bytes piece, tl_errctx *ctx)
{
    return tl_objects_stream_write((tl_objects_stream *)self, piece, ctx);
}

tl_err tl_objects_copy(tl_objects *store, tl_str from, tl_str to, tl_errctx *ctx)
{
    TL_TRY(tl_objects_check_key(from, ctx));
    TL_TRY(tl_objects_check_key(to, ctx));
    if (!store->is_folder) {
        return tl__s3_copy(store, from, to, ctx);
    }
    tl_objects_stream *stream = NULL;
    TL_TRY(tl_objects_stream_begin(&stream, store, to, NULL, ctx));
    const tl_err err = tl_objects_read(store, NULL, from, take_to_stream, stream, ctx);
    if (err != TL_OK) {
        tl_objects_stream_abort(stream);
        return err;
    }
    return tl_objects_stream_finish(stream, NULL, ctx);
}

tl_err tl_objects_list(tl_objects *store, tl_objects_page *out, tl_arena *arena, tl_str prefix,
                       tl_str after, size_t count_max, tl_errctx *ctx)
{
    const size_t wanted = count_max != 0 ? count_max : TL_OBJECTS_PAGE_MAX;
    if (wanted > TL_OBJECTS_PAGE_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "count_max", "pages of %zu objects, above %d",
                             wanted, TL_OBJECTS_PAGE_MAX);
    }
    if (prefix.len > 0) { /* "data/" and "data/hot" are beginnings of keys; "../" is none (OBJ-1) */
        const size_t slash = tl_str_ends_with(prefix, TL_STR("/")) ? 1 : 0;
        TL_TRY(tl_objects_check_key(tl_str_slice(prefix, 0, prefix.len - slash), ctx));
    }
    if (after.len > TL_OBJECTS_KEY_LEN_MAX || !tl_str_is_utf8(after)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "after", "a list cannot go on after this key");
    }
    return store->is_folder ? tl__folder_list(store, out, arena, prefix, after, wanted, ctx)
                            : tl__s3_list(store, out, arena, prefix, after, wanted, ctx);
}

/* --- keep --- */

tl_err tl_objects_keep_many(tl_objects *store, const tl_objects_keep_item *items, size_t count,
                            tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        TL_TRY(tl_objects_check_key(items[i].key, ctx));
        if (items[i].bytes > TL_OBJECTS_KEEP_LEN_MAX) {
            const tl_err err = tl__objects_fail(
                ctx, TL_ERR_LIMIT, items[i].key, "\"%.*s\" has %llu bytes, above %llu",
                TL_STR_ARG(items[i].key), (unsigned long long)items[i].bytes,
                (unsigned long long)TL_OBJECTS_KEEP_LEN_MAX);
            tl_errctx_at(ctx, i, 0, 0);
            return err;
        }
    }
    return store->is_folder ? tl__folder_keep(store, items, count, ctx)
                            : tl__s3_keep(store, items, count, ctx);
}

tl_err tl_objects_keep(tl_objects *store, tl_str key, const tl_hash32 *sha256, uint64_t bytes,
                       tl_errctx *ctx)
{
    const tl_objects_keep_item item = {key, *sha256, bytes};
    return tl_objects_keep_many(store, &item, 1, ctx);
}

tl_err tl_objects_keep_bytes(tl_objects *store, tl_hash32 *out_sha256, tl_bytes bytes,
                             tl_errctx *ctx)
{
    char key[TL_OBJECTS_KEPT_KEY_LEN + 1];
    tl_hash32 sha256;
    const tl_objects_put_options options = {.is_durable = true};
    tl_sha256(&sha256, bytes.ptr, bytes.len);
    tl_objects_kept_key(key, &sha256);
    TL_TRY(tl_objects_put(store, NULL, tl_str_from_cstr(key), bytes, &options, ctx));
    *out_sha256 = sha256;
    return TL_OK;
}

/* --- is it alive? --- */

tl_err tl_objects_probe(tl_objects *store, tl_errctx *ctx)
{
    uint8_t luck[16];
    char name[2 * sizeof luck + 1];
    char key[64];
    TL_TRY(tl_entropy_fill(&store->entropy, luck, sizeof luck, ctx));
    tl_hex_write(name, luck, sizeof luck);
    const size_t len = tl_str_print(key, sizeof key, "probe/%s", name);
    TL_TRY(
        tl_objects_put(store, NULL, (tl_str){key, len}, (tl_bytes){luck, sizeof luck}, NULL, ctx));
    tl_objects_info info;
    const tl_err err = tl_objects_head(store, &info, (tl_str){key, len}, ctx);
    const tl_err gone = tl_objects_delete(store, (tl_str){key, len}, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : gone;
}
