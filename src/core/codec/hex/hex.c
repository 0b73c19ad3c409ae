#include "core/codec/hex/hex.h"

static const char DIGITS[] = "0123456789abcdef";

static char high_digit(uint8_t byte)
{
    return DIGITS[byte >> 4];
}

static char low_digit(uint8_t byte)
{
    return DIGITS[byte & 15];
}

void tl_hex_encode(tl_sb *sb, const void *bytes, size_t len)
{
    const uint8_t *p = (const uint8_t *)bytes;
    for (size_t i = 0; i < len; i++) {
        const char pair[2] = {high_digit(p[i]), low_digit(p[i])};
        tl_sb_put_bytes(sb, pair, sizeof pair);
    }
}

void tl_hex_write(char *out, const void *bytes, size_t len)
{
    const uint8_t *p = (const uint8_t *)bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = high_digit(p[i]);
        out[2 * i + 1] = low_digit(p[i]);
    }
    out[2 * len] = '\0';
}

/* 0 … 15, or 16 when c is no digit. */
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return (unsigned)(c - 'A') + 10;
    }
    return 16;
}

/* All digits are looked at before the first byte is written (HEX-2). */
static tl_err check_digits(tl_str text, tl_errctx *ctx)
{
    for (size_t i = 0; i < text.len; i++) {
        if (digit_value(text.ptr[i]) > 15) {
            const tl_err err =
                tl_fail(ctx, TL_ERR_SYNTAX, "character %zu (byte 0x%02x) is no hexadecimal digit",
                        i + 1, (unsigned)(unsigned char)text.ptr[i]);
            tl_errctx_at(ctx, i, 0, 0);
            return err;
        }
    }
    return TL_OK;
}

/* HEX-1: the high half first, as it was written. */
static void decode_checked(uint8_t *out, size_t len, const char *digits)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(digit_value(digits[2 * i]) << 4 | digit_value(digits[2 * i + 1]));
    }
}

tl_err tl_hex_decode(uint8_t *out, size_t len, tl_str text, tl_errctx *ctx)
{
    if (text.len / 2 != len || text.len % 2 != 0) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "%zu hexadecimal digits where %zu belong", text.len,
                       2 * len);
    }
    TL_TRY(check_digits(text, ctx));
    decode_checked(out, len, text.ptr);
    return TL_OK;
}

tl_err tl_hex_decode_bytes(tl_bytes *out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    if (text.len % 2 != 0) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "%zu hexadecimal digits: an odd number", text.len);
    }
    TL_TRY(check_digits(text, ctx));
    uint8_t *bytes = TL_NEW(arena, uint8_t, text.len / 2);
    if (bytes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    decode_checked(bytes, text.len / 2, text.ptr);
    *out = (tl_bytes){bytes, text.len / 2};
    return TL_OK;
}
