/* Passwords: which are refused, which are weak, and the form in which a variable of the environment holds one. */
#include "sdk/wallet/wallet.h"

#include <sodium.h>
#include <string.h>

/* --- the rule --- */

/* Characters, not bytes: a letter with an accent is one. */
static size_t count_characters(tl_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return count;
}

tl_err tl_password_check(tl_str password, tl_errctx *ctx)
{
    if (count_characters(password) < TL_PASSWORD_CHARACTERS_MIN) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "password",
                             "the password has fewer than %d characters",
                             TL_PASSWORD_CHARACTERS_MIN);
    }
    if (password.len > TL_PASSWORD_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "password", "the password has more than %d bytes",
                             TL_PASSWORD_LEN_MAX);
    }
    return TL_OK;
}

static bool is_well_known(tl_str password)
{
    static const char *const known[] = {"password",  "passw0rd",   "password1",  "password123",
                                        "123456789", "1234567890", "qwertyuiop", "qwerty123",
                                        "iloveyou",  "letmein123", "bittensor",  "bittensor123"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (tl_str_eq_cstr(password, known[i])) {
            return true;
        }
    }
    return false;
}

bool tl_password_is_weak(tl_str password)
{
    enum { LONG_ENOUGH = 16, SHORT = 8, DIFFERENT_MIN = 5, KINDS_MIN = 2 };
    bool seen[256] = {false};
    bool has_kind[4] = {false}; /* small letters, capitals, digits, everything else */
    size_t different = 0;
    for (size_t i = 0; i < password.len; i++) {
        const unsigned char c = (unsigned char)password.ptr[i];
        different += !seen[c];
        seen[c] = true;
        has_kind[c >= 'a' && c <= 'z'   ? 0
                 : c >= 'A' && c <= 'Z' ? 1
                 : c >= '0' && c <= '9' ? 2
                                        : 3] = true;
    }
    sodium_memzero(seen, sizeof seen);
    const int kinds = has_kind[0] + has_kind[1] + has_kind[2] + has_kind[3];
    const size_t count = count_characters(password);
    return count < SHORT || different < DIFFERENT_MIN || is_well_known(password) ||
           (count < LONG_ENOUGH && kinds < KINDS_MIN);
}

/* --- the environment --- */

tl_err tl_password_env_name(const char **out, tl_arena *arena, const char *path, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "BT_PW_");
    for (const char *at = path; *at != '\0'; at++) {
        const bool is_small = *at >= 'a' && *at <= 'z';
        tl_sb_put_char(&sb, *at == '/' || *at == '.' ? '_'
                            : is_small               ? (char)(*at - 'a' + 'A')
                                                     : *at);
    }
    tl_str name = {NULL, 0};
    TL_TRY(tl_sb_finish(&name, &sb, ctx));
    *out = name.ptr;
    return TL_OK;
}

/* XOR with the name, repeated: its own inverse. */
static void mask(uint8_t *bytes, size_t len, const char *name)
{
    const size_t name_len = strlen(name);
    for (size_t i = 0; i < len && name_len > 0; i++) {
        bytes[i] ^= (uint8_t)name[i % name_len];
    }
}

tl_err tl_password_env_decode(tl_str *out, tl_arena *arena, const char *name, const char *value,
                              tl_errctx *ctx)
{
    const size_t value_len = strlen(value);
    size_t len = 0;
    if (value_len > TL_PASSWORD_LEN_MAX * 2) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, name, "%s holds more than a password", name);
    }
    uint8_t *bytes = TL_NEW(arena, uint8_t, value_len + 1);
    if (bytes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (sodium_base642bin(bytes, value_len + 1, value, value_len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return tl_fail_field(ctx, TL_ERR_ENCODING, name, "%s is no base64", name);
    }
    mask(bytes, len, name);
    *out = (tl_str){(const char *)bytes, len};
    return TL_OK;
}

tl_err tl_password_env_encode(tl_str *out, tl_arena *arena, const char *name, tl_str password,
                              tl_errctx *ctx)
{
    const size_t cap = sodium_base64_ENCODED_LEN(password.len, sodium_base64_VARIANT_ORIGINAL);
    uint8_t *bytes = TL_NEW(arena, uint8_t, password.len + 1);
    char *text = TL_NEW(arena, char, cap);
    if (bytes == NULL || text == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (password.len > 0) {
        memcpy(bytes, password.ptr, password.len);
    }
    mask(bytes, password.len, name);
    (void)sodium_bin2base64(text, cap, bytes, password.len, sodium_base64_VARIANT_ORIGINAL);
    *out = tl_str_from_cstr(text);
    return TL_OK;
}
