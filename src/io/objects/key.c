/* Keys, and errors that name them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/hex/hex.h"
#include "io/objects/objects_internal.h"

_Static_assert(TL_OBJECTS_KEPT_KEY_LEN == sizeof TL_OBJECTS_KEPT_PREFIX "sha256/ab/" - 1 + 64,
               "a kept key is its folders and the digest");

tl_err tl__objects_fail_text(tl_errctx *ctx, tl_err code, tl_str key, const char *format, ...)
{
    char message[TL_ERR_MESSAGE_CAP];
    char field[TL_ERR_FIELD_CAP];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    (void)tl_str_print(field, sizeof field, "%.*s", TL_STR_ARG(key));
    return tl_fail_field(ctx, code, field, "%s", message);
}

/* A bad key: says where, since the key itself may hold anything. */
static tl_err fail_key(tl_str key, size_t at, const char *why, tl_errctx *ctx)
{
    const bool is_text = tl_str_is_utf8(key);
    const tl_err err = tl__objects_fail(ctx, TL_ERR_SYNTAX, is_text ? key : TL_STR("key"),
                                        "bad key of an object: %s at byte %zu", why, at);
    tl_errctx_at(ctx, at, 0, 0);
    return err;
}

tl_err tl_objects_check_key(tl_str key, tl_errctx *ctx)
{
    if (key.len == 0 || key.len > TL_OBJECTS_KEY_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "key", "a key of %zu bytes, not 1 to %d", key.len,
                             TL_OBJECTS_KEY_LEN_MAX);
    }
    if (!tl_str_is_utf8(key)) {
        return fail_key(key, 0, "not UTF-8", ctx);
    }
    size_t part_at = 0;
    for (size_t i = 0; i <= key.len; i++) {
        const char c = i < key.len ? key.ptr[i] : '/';
        if ((unsigned char)c < ' ' || c == 127 || c == '\\') {
            return fail_key(key, i, "a control character or a backslash", ctx);
        }
        if (c == '.' && i == part_at) {
            return fail_key(key, i, "a part that begins with a dot", ctx);
        }
        if (c == '/') {
            if (i == part_at || i - part_at > TL_OBJECTS_PART_LEN_MAX) {
                return fail_key(key, i, "a part that is empty or above 255 bytes", ctx);
            }
            part_at = i + 1;
        }
    }
    return TL_OK;
}

void tl_objects_kept_key(char out[TL_OBJECTS_KEPT_KEY_LEN + 1], const tl_hash32 *sha256)
{
    char digest[65];
    tl_hex_write(digest, sha256->b, sizeof sha256->b);
    (void)tl_str_print(out, TL_OBJECTS_KEPT_KEY_LEN + 1, TL_OBJECTS_KEPT_PREFIX "sha256/%.2s/%s",
                       digest, digest);
}
