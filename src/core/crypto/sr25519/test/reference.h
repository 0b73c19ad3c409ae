/* A verifier of sr25519 on libsodium's group: slow, plain, and nothing shared with crypto/srverify but the transcript.
 * Wire spec section 5.4, line by line. */
#ifndef TALLY_CORE_CRYPTO_TEST_REFERENCE_H
#define TALLY_CORE_CRYPTO_TEST_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "base/str/str.h"
#include "core/crypto/strobe/strobe.h"

/* The order of the group, little-endian. */
static const uint8_t REFERENCE_ORDER[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

static inline bool reference_sr25519_verify(const uint8_t *public_key, tl_bytes message,
                                            tl_bytes signature)
{
    uint8_t s[32], k[32] = {0}, wide[64] = {0}, reduced[32] = {0};
    uint8_t left[32] = {0}, right[32] = {0}, point[32] = {0};
    if (signature.len != 64 || (signature.ptr[63] & 0x80) == 0) {
        return false;
    }
    memcpy(s, signature.ptr + 32, 32);
    s[31] &= 0x7F;
    memcpy(wide, s, 32);
    crypto_core_ristretto255_scalar_reduce(reduced, wide);
    if (memcmp(reduced, s, 32) != 0 || crypto_core_ristretto255_is_valid_point(public_key) == 0 ||
        sodium_is_zero(public_key, 32) != 0) {
        return false;
    }
    tl_merlin t;
    tl_merlin_init(&t, TL_STR("SigningContext"));
    tl_merlin_append(&t, TL_STR(""), "substrate", 9);
    tl_merlin_append(&t, TL_STR("sign-bytes"), message.ptr, message.len);
    tl_merlin_append(&t, TL_STR("proto-name"), "Schnorr-sig", 11);
    tl_merlin_append(&t, TL_STR("sign:pk"), public_key, 32);
    tl_merlin_append(&t, TL_STR("sign:R"), signature.ptr, 32);
    tl_merlin_challenge(&t, TL_STR("sign:c"), wide, 64);
    crypto_core_ristretto255_scalar_reduce(k, wide);
    /* -1 stands for the identity, 32 zero bytes, which addition and subtraction take */
    if (crypto_scalarmult_ristretto255_base(left, s) != 0) {
        memset(left, 0, 32);
    }
    if (crypto_scalarmult_ristretto255(right, k, public_key) != 0) {
        memset(right, 0, 32);
    }
    return crypto_core_ristretto255_sub(point, left, right) == 0 &&
           memcmp(point, signature.ptr, 32) == 0;
}

#endif
