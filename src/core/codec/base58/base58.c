#include "core/codec/base58/base58.h"

#include <string.h>

static const char ALPHABET[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

size_t tl_base58_encode_var(char out[TL_BASE58_CAP], const uint8_t *bytes, size_t len)
{
    TL_ASSERT(len <= TL_BASE58_BYTES_MAX);
    size_t zeros = 0;
    while (zeros < len && bytes[zeros] == 0) {
        zeros++;
    }
    uint8_t digits[TL_BASE58_TEXT_MAX]; /* least significant first */
    size_t count = 0;
    for (size_t i = zeros; i < len; i++) {
        unsigned carry = bytes[i]; /* number = number * 256 + byte */
        for (size_t k = 0; k < count; k++) {
            carry += (unsigned)digits[k] << 8;
            digits[k] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        while (carry != 0) {
            TL_ASSERT(count < TL_BASE58_TEXT_MAX);
            digits[count++] = (uint8_t)(carry % 58);
            carry /= 58;
        }
    }
    memset(out, '1', zeros);
    for (size_t k = 0; k < count; k++) {
        out[zeros + k] = ALPHABET[digits[count - 1 - k]];
    }
    out[zeros + count] = '\0';
    return zeros + count;
}

tl_err tl_base58_decode_var(uint8_t out[TL_BASE58_BYTES_MAX], size_t *out_len, tl_str text,
                            tl_errctx *ctx)
{
    if (text.len > TL_BASE58_TEXT_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu characters of base58, above %d", text.len,
                       TL_BASE58_TEXT_MAX);
    }
    uint8_t number[TL_BASE58_TEXT_MAX]; /* least significant first; a digit is less than a byte */
    size_t count = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        const char *at = c != '\0' ? strchr(ALPHABET, c) : NULL;
        if (at == NULL) {
            const tl_err err =
                tl_fail(ctx, TL_ERR_SYNTAX, "character %zu (byte 0x%02x) is not of base58", i + 1,
                        (unsigned)(unsigned char)c);
            tl_errctx_at(ctx, i, 0, 0);
            return err;
        }
        zeros += zeros == i && c == '1' ? 1 : 0;
        unsigned carry = (unsigned)(at - ALPHABET); /* number = number * 58 + digit */
        for (size_t k = 0; k < count; k++) {
            carry += (unsigned)number[k] * 58;
            number[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry != 0) {
            TL_ASSERT(carry < 256 && count < TL_BASE58_TEXT_MAX);
            number[count++] = (uint8_t)carry;
        }
    }
    if (zeros + count > TL_BASE58_BYTES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "base58 of %zu bytes, above %d", zeros + count,
                       TL_BASE58_BYTES_MAX);
    }
    /* B58-1: a leading '1' is a zero byte and nothing else makes one. B58-2: nothing was written before this line. */
    memset(out, 0, zeros);
    for (size_t k = 0; k < count; k++) {
        out[zeros + k] = number[count - 1 - k];
    }
    *out_len = zeros + count;
    return TL_OK;
}
