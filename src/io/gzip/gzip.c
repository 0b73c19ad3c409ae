/* One call of zlib's deflate with a gzip header around it, into room that its own bound asks for. */
#include "io/gzip/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

#define LEN_MAX ((size_t)1 << 30)

enum { WINDOW_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

static tl_err pack(tl_bytes *out, tl_arena *arena, z_stream *z, tl_bytes bytes, tl_errctx *ctx)
{
    const uLong bound = deflateBound(z, (uLong)bytes.len);
    uint8_t *room = tl_arena_alloc(arena, bound, 1, 1);
    if (room == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    z->next_in = bytes.ptr;
    z->avail_in = (uInt)bytes.len;
    z->next_out = room;
    z->avail_out = (uInt)bound;
    if (deflate(z, Z_FINISH) != Z_STREAM_END) {
        return tl_fail(ctx, TL_ERR_INTERNAL, "gzip data is longer than its own bound");
    }
    TL_ASSERT(z->total_in == bytes.len); /* GZIP-1 */
    *out = (tl_bytes){room, (size_t)z->total_out};
    return TL_OK;
}

tl_err tl_gzip(tl_bytes *out, tl_arena *arena, tl_bytes bytes, int level, tl_errctx *ctx)
{
    if (level < 1 || level > 9) {
        return tl_fail(ctx, TL_ERR_RANGE, "there is no gzip level %d", level);
    }
    if (bytes.len > LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu bytes are too many for one piece", bytes.len);
    }
    z_stream z = {0};
    if (deflateInit2(&z, level, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for gzip");
    }
    const tl_err err = pack(out, arena, &z, bytes, ctx);
    (void)deflateEnd(&z);
    return err;
}
