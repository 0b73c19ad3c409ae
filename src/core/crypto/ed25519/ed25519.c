/* RFC 8032 on libsodium, with the checks of ED-1 made here: what libsodium refuses of its own accord has changed from
 * version to version, and a verdict must not. What libsodium shall write is zeroed before: a memory sanitizer does not see
 * it write. */
#include "core/crypto/ed25519/ed25519.h"

#include <string.h>

#include <sodium.h>

#include "core/crypto/hash/hash.h"

/* y of the points whose order divides 8, canonical, sign bit clear: order 4, 1, 8, 8, 2 (Edwards curve, RFC 7748). */
static const uint8_t SMALL_ORDER[5][32] = {
    {0},
    {1},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* 2^255 - 19, and the order of the group, little-endian. */
static const uint8_t FIELD[32] = {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
static const uint8_t ORDER[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

static bool is_below(const uint8_t a[32], const uint8_t b[32])
{
    for (size_t i = 32; i-- > 0;) {
        if (a[i] != b[i]) {
            return a[i] < b[i];
        }
    }
    return false;
}

/* Is y below the field's prime, and the point none of the eight? Whether it is a point at all is another question. */
static bool is_strong_encoding(const uint8_t point[32])
{
    uint8_t y[32];
    memcpy(y, point, sizeof y);
    y[31] &= 0x7F;
    if (!is_below(y, FIELD)) {
        return false;
    }
    for (size_t i = 0; i < sizeof SMALL_ORDER / sizeof *SMALL_ORDER; i++) {
        if (memcmp(y, SMALL_ORDER[i], sizeof y) == 0) {
            return false;
        }
    }
    return true;
}

bool tl_ed25519_key_is_strong(const uint8_t public_key[TL_ED25519_PUBLIC_LEN])
{
    uint8_t sum[32];
    return is_strong_encoding(public_key) &&
           crypto_core_ed25519_add(sum, public_key, public_key) == 0; /* decodes, or fails */
}

bool tl_ed25519_verify(const uint8_t public_key[TL_ED25519_PUBLIC_LEN], tl_bytes message,
                       tl_bytes signature)
{
    if (signature.len != TL_ED25519_SIGNATURE_LEN || !is_below(signature.ptr + 32, ORDER) ||
        !is_strong_encoding(public_key) || !is_strong_encoding(signature.ptr)) {
        return false; /* ED-1 */
    }
    return crypto_sign_verify_detached(signature.ptr, message.ptr, message.len, public_key) == 0;
}

/* From here on there are secrets; libsodium and BLAKE2b have no branch and no index on them (ED-2). */
void tl_ed25519_public(uint8_t out[TL_ED25519_PUBLIC_LEN], const uint8_t seed[TL_ED25519_SEED_LEN])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    memset(out, 0, TL_ED25519_PUBLIC_LEN);
    (void)crypto_sign_seed_keypair(out, secret, seed);
    tl_wipe(secret, sizeof secret);
}

void tl_ed25519_sign(uint8_t out[TL_ED25519_SIGNATURE_LEN], const uint8_t seed[TL_ED25519_SEED_LEN],
                     const uint8_t public_key[TL_ED25519_PUBLIC_LEN], tl_bytes message)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* libsodium's form: seed, then public key */
    memcpy(secret, seed, TL_ED25519_SEED_LEN);
    memcpy(secret + TL_ED25519_SEED_LEN, public_key, TL_ED25519_PUBLIC_LEN);
    memset(out, 0, TL_ED25519_SIGNATURE_LEN);
    (void)crypto_sign_detached(out, NULL, message.ptr, message.len, secret);
    tl_wipe(secret, sizeof secret);
}

void tl_ed25519_derive_hard(uint8_t out_seed[TL_ED25519_SEED_LEN],
                            const uint8_t seed[TL_ED25519_SEED_LEN],
                            const uint8_t chain_code[TL_ED25519_CHAIN_CODE_LEN])
{
    static const char domain[] = "\x2c"
                                 "Ed25519HDKD"; /* SCALE text: its length times 4 */
    tl_blake2b_state state;
    tl_hash32 next;
    tl_blake2b_init(&state, sizeof next.b);
    tl_blake2b_update(&state, domain, sizeof domain - 1);
    tl_blake2b_update(&state, seed, TL_ED25519_SEED_LEN);
    tl_blake2b_update(&state, chain_code, TL_ED25519_CHAIN_CODE_LEN);
    tl_blake2b_final(&state, next.b);
    memcpy(out_seed, next.b, sizeof next.b);
    tl_wipe(&state, sizeof state);
    tl_wipe(&next, sizeof next);
}
