/* PBKDF2-HMAC-SHA-512 (RFC 8018) of one block, which is all that a seed of 64 bytes needs. */
#include <string.h>

#include <sodium.h>

#include "core/crypto/mnemonic/mnemonic.h"

#define ROUNDS 2048

_Static_assert(crypto_auth_hmacsha512_BYTES == TL_MNEMONIC_SEED_LEN, "one block of output");

/* The key is the same each time: its two padded blocks are compressed once, and the state copied. */
static void mac(uint8_t out[TL_MNEMONIC_SEED_LEN], const crypto_auth_hmacsha512_state *keyed,
                const uint8_t *data, size_t len)
{
    crypto_auth_hmacsha512_state state = *keyed;
    (void)crypto_auth_hmacsha512_update(&state, data, len);
    (void)crypto_auth_hmacsha512_final(&state, out);
}

static void stretch(uint8_t out[TL_MNEMONIC_SEED_LEN], const uint8_t *password, size_t password_len,
                    const uint8_t *salt, size_t salt_len)
{
    crypto_auth_hmacsha512_state keyed;
    (void)crypto_auth_hmacsha512_init(&keyed, password, password_len);
    uint8_t u[TL_MNEMONIC_SEED_LEN] = {0}; /* a memory sanitizer does not see libsodium write */
    mac(u, &keyed, salt, salt_len);        /* the salt ends with the block's number */
    memcpy(out, u, sizeof u);
    for (size_t round = 1; round < ROUNDS; round++) {
        mac(u, &keyed, u, sizeof u);
        for (size_t i = 0; i < sizeof u; i++) {
            out[i] ^= u[i];
        }
    }
    tl_wipe(u, sizeof u);
    tl_wipe(&keyed, sizeof keyed);
}

tl_err tl_mnemonic_seed(uint8_t out[TL_MNEMONIC_SEED_LEN], tl_str phrase, tl_str passphrase,
                        tl_errctx *ctx)
{
    if (passphrase.len > TL_MNEMONIC_PASSPHRASE_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a passphrase of %zu bytes, above %d", passphrase.len,
                       TL_MNEMONIC_PASSPHRASE_MAX);
    }
    uint8_t entropy[TL_MNEMONIC_ENTROPY_MAX];
    size_t entropy_len;
    TL_TRY(tl_mnemonic_to_entropy(entropy, &entropy_len, phrase, ctx));
    static const char prefix[] = {'m', 'n', 'e', 'm', 'o', 'n', 'i', 'c'};
    static const uint8_t block_number[4] = {0, 0, 0, 1};
    uint8_t salt[sizeof prefix + TL_MNEMONIC_PASSPHRASE_MAX + sizeof block_number];
    size_t len = sizeof prefix;
    memcpy(salt, prefix, sizeof prefix);
    if (passphrase.len != 0) {
        memcpy(salt + len, passphrase.ptr, passphrase.len);
        len += passphrase.len;
    }
    memcpy(salt + len, block_number, sizeof block_number);
    len += sizeof block_number;
    stretch(out, entropy, entropy_len, salt, len);
    tl_wipe(entropy, sizeof entropy);
    tl_wipe(salt, sizeof salt);
    return TL_OK;
}
