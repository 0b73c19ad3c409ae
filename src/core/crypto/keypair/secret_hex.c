/* Hex of secrets: no table and no branch on a digit. */
#include "core/crypto/keypair/keypair.h"

/* All ones when a is below b, else zero; both below 2^31. */
static uint32_t mask_below(uint32_t a, uint32_t b)
{
    return 0 - ((a - b) >> 31);
}

/* The value of a digit; bad gathers ones when it is none. */
static uint32_t digit_value(unsigned char c, uint32_t *bad)
{
    const uint32_t number = c ^ 0x30U;           /* '0' to '9' become 0 to 9, all else more */
    const uint32_t letter = (c | 0x20U) ^ 0x60U; /* 'a' to 'f' in either case become 1 to 6 */
    const uint32_t is_number = mask_below(number, 10);
    const uint32_t is_letter = mask_below(letter, 7) & ~mask_below(letter, 1);
    *bad |= ~(is_number | is_letter);
    return (number & is_number) | ((letter + 9) & is_letter);
}

tl_err tl_secret_unhex(uint8_t *out, size_t len, tl_str text, tl_errctx *ctx)
{
    /* A prefix is looked for where the length says that there is one: else the first digits would show. */
    const bool has_prefix =
        text.len / 2 == len + 1 && text.len % 2 == 0 && tl_str_starts_with(text, TL_STR("0x"));
    const tl_str digits = has_prefix ? tl_str_slice(text, 2, text.len) : text;
    if (digits.len / 2 != len || digits.len % 2 != 0) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "%zu characters: %zu bytes are %zu hexadecimal digits",
                       digits.len, len, 2 * len);
    }
    uint32_t bad = 0;
    for (size_t i = 0; i < len; i++) {
        const uint32_t high = digit_value((unsigned char)digits.ptr[2 * i], &bad);
        const uint32_t low = digit_value((unsigned char)digits.ptr[2 * i + 1], &bad);
        out[i] = (uint8_t)(high << 4 | low);
    }
    if (tl_reveal(bad != 0)) {
        tl_wipe(out, len);
        return tl_fail(ctx, TL_ERR_SYNTAX, "a character is no hexadecimal digit");
    }
    return TL_OK;
}

static char digit_of(uint32_t value)
{
    return (char)(value + '0' + (~mask_below(value, 10) & ('a' - 10 - '0')));
}

void tl_secret_hex(char *out, const void *secret, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)secret;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digit_of((uint32_t)bytes[i] >> 4);
        out[2 * i + 1] = digit_of(bytes[i] & 15U);
    }
    out[2 * len] = '\0';
}
