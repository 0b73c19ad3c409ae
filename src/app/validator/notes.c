/* notes.c: what must not be forgotten between a sentence to the coordinator and the next life of this process. */
#include <string.h>

#include "app/validator/validator_internal.h"
#include "core/codec/hex/hex.h"

#define NOTE_LEN_MAX ((size_t)128 << 20)

tl_err tl__note_text(tl_str *io, tl_arena *arena, const char *dir, const char *name, tl_errctx *ctx)
{
    const char *path = NULL;
    TL_TRY(tl_sys_join(&path, arena, dir, name, ctx));
    if (tl_sys_exists(path)) {
        return tl_sys_read_file(io, arena, path, NOTE_LEN_MAX, ctx);
    }
    return tl_sys_write_file(path, tl_str_bytes(*io), TL_SYS_FILE_MODE, ctx);
}

tl_err tl__note_secret(char out[TL__SECRET_LEN + 1], const tl_validator_options *options,
                       const char *dir, const char *name, tl_errctx *ctx)
{
    uint8_t bytes[TL__SECRET_LEN / 2];
    tl_arena *arena = NULL;
    TL_TRY(tl_entropy_fill(&options->entropy, bytes, sizeof bytes, ctx));
    tl_hex_write(out, bytes, sizeof bytes);
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_str text = {out, TL__SECRET_LEN};
    tl_err err = tl__note_text(&text, arena, dir, name, ctx);
    if (err == TL_OK && text.len != TL__SECRET_LEN) {
        err = tl_fail_field(ctx, TL_ERR_CORRUPT, name, "no secret of this program in \"%s\"", dir);
    }
    if (err == TL_OK) {
        memmove(out, text.ptr, TL__SECRET_LEN);
        out[TL__SECRET_LEN] = 0;
    }
    tl_arena_free(arena);
    tl_wipe(bytes, sizeof bytes);
    return err;
}
