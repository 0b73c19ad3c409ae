/* Gzip: whole members in memory, one after the other, as gzip(1) reads them. */
#include "io/sys/sys.h"

#include <limits.h>
#include <string.h>

#define ZLIB_CONST /* next_in points at const bytes */
#include <zlib.h>

enum {
    GZIP_WINDOW_BITS =
        15 + 16, /* the largest window; 16: a gzip header and trailer, nothing else */
    OUT_STEP_LEN = 1 << 16
};

bool tl_sys_is_gzip(tl_str bytes)
{
    return bytes.len >= 2 && (uint8_t)bytes.ptr[0] == 0x1f && (uint8_t)bytes.ptr[1] == 0x8b;
}

/* One turn of inflate into chunk; *done says that the last member ended and nothing follows. */
static tl_err inflate_some(z_stream *z, tl_sb *out, bool *done, size_t len_max, tl_errctx *ctx)
{
    uint8_t chunk[OUT_STEP_LEN];
    z->next_out = chunk;
    z->avail_out = sizeof chunk;
    const int rc = inflate(z, Z_NO_FLUSH);
    const size_t made = sizeof chunk - z->avail_out;
    if (rc == Z_MEM_ERROR) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory to decompress");
    }
    if (rc == Z_BUF_ERROR || (rc == Z_OK && z->avail_in == 0 && z->avail_out > 0)) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "gzip data ends early, after %zu bytes of text",
                       out->len + made);
    }
    if (rc != Z_OK && rc != Z_STREAM_END) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "damaged gzip data: %s",
                       z->msg != NULL ? z->msg : "unknown");
    }
    if (made > len_max - out->len) {
        return tl_fail(ctx, TL_ERR_LIMIT, "decompresses to more than %zu bytes", len_max);
    }
    tl_sb_put_bytes(out, chunk, made);
    *done = rc == Z_STREAM_END && z->avail_in == 0;
    if (rc == Z_STREAM_END && !*done && inflateReset(z) != Z_OK) {
        return tl_fail(ctx, TL_ERR_INTERNAL, "inflate cannot be reset");
    }
    return TL_OK;
}

tl_err tl_sys_gunzip(tl_str *out, tl_arena *arena, tl_str gzip, size_t len_max, tl_errctx *ctx)
{
    if (gzip.len > UINT_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu bytes of gzip data, above %u", gzip.len, UINT_MAX);
    }
    z_stream z;
    memset(&z, 0, sizeof z);
    z.next_in = (const Bytef *)gzip.ptr;
    z.avail_in = (uInt)gzip.len;
    if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory to decompress");
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    bool done = false;
    tl_err err = TL_OK;
    while (err == TL_OK && !done && sb.err == TL_OK) {
        err = inflate_some(&z, &sb, &done, len_max, ctx);
    }
    (void)inflateEnd(&z);
    return err != TL_OK ? err : tl_sb_finish(out, &sb, ctx);
}
