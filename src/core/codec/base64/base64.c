#include "core/codec/base64/base64.h"

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void tl_base64_encode(tl_sb *sb, const void *bytes, size_t len)
{
    const uint8_t *p = (const uint8_t *)bytes;
    size_t i = 0;
    for (; len - i >= 3; i += 3) {
        const uint32_t group = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        const char four[4] = {LETTERS[group >> 18], LETTERS[group >> 12 & 63],
                              LETTERS[group >> 6 & 63], LETTERS[group & 63]};
        tl_sb_put_bytes(sb, four, sizeof four);
    }
    if (i < len) {
        const bool has_two = len - i == 2;
        const uint32_t group = (uint32_t)p[i] << 16 | (has_two ? (uint32_t)p[i + 1] << 8 : 0);
        const char four[4] = {LETTERS[group >> 18], LETTERS[group >> 12 & 63],
                              has_two ? LETTERS[group >> 6 & 63] : '=', '='};
        tl_sb_put_bytes(sb, four, sizeof four);
    }
}

/* 0 … 63, or 64 when c is no letter of the alphabet. */
static uint32_t letter_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint32_t)(c - 'a') + 26;
    }
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0') + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static tl_err fail_letter(tl_str text, size_t at, tl_errctx *ctx)
{
    const tl_err err = tl_fail(ctx, TL_ERR_SYNTAX, "character %zu (byte 0x%02x) is not base64",
                               at + 1, (unsigned)(unsigned char)text.ptr[at]);
    tl_errctx_at(ctx, at, 0, 0);
    return err;
}

/* Everything is decoded before out is written (B64-2); bits that no byte takes must be 0 (B64-1). */
tl_err tl_base64_decode(tl_bytes *out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    if (text.len % 4 != 0) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "%zu characters of base64, not a multiple of 4",
                       text.len);
    }
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=') {
        padding++;
    }
    const size_t len = text.len / 4 * 3 - padding;
    uint8_t *const bytes = TL_NEW(arena, uint8_t, len);
    if (bytes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    uint32_t bits = 0;
    uint32_t bit_count = 0;
    size_t filled = 0;
    for (size_t i = 0; i < text.len - padding; i++) {
        const uint32_t value = letter_value(text.ptr[i]);
        if (value > 63) {
            return fail_letter(text, i, ctx);
        }
        bits = (bits << 6 | value) & 0xFFFFFF;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes[filled++] = (uint8_t)(bits >> bit_count);
        }
    }
    TL_ASSERT(filled == len);
    if ((bits & ((UINT32_C(1) << bit_count) - 1)) != 0) {
        return tl_fail(ctx, TL_ERR_CANONICAL,
                       "the last character of the base64 text has bits that "
                       "belong to no byte");
    }
    *out = (tl_bytes){bytes, len};
    return TL_OK;
}
