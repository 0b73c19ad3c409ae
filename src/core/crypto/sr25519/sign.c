/* Signing: wire spec section 5.3, step by step. What touches key, nonce and entropy is the transcript, libsodium's
 * arithmetic modulo the order and its multiplication of the base point, all of them without branch or index on what they
 * are given (SR-2). */
#include <string.h>

#include <sodium.h>

#include "core/crypto/sr25519/sr25519_internal.h"

void tl__sr25519_challenge_scalar(uint8_t out[TL__SCALAR_LEN], tl_merlin *t, tl_str label)
{
    uint8_t wide[TL__WIDE_LEN];
    tl_merlin_challenge(t, label, wide, sizeof wide);
    memset(out, 0, TL__SCALAR_LEN);
    crypto_core_ristretto255_scalar_reduce(out, wide);
}

/* r, and R = r B. A nonce of zero would give the secret away (s = k * scalar): it comes once in 2^252 signatures, and
 * libsodium says -1 to it. Then we stop. */
static void make_nonce(uint8_t r[TL__SCALAR_LEN], uint8_t out_point[32], const tl_merlin *t,
                       const tl_sr25519_key *key, const uint8_t entropy[TL_SR25519_ENTROPY_LEN])
{
    const tl_bytes seed = {key->secret + TL__SCALAR_LEN, 32};
    uint8_t wide[TL__WIDE_LEN];
    tl_merlin_witness(t, TL_STR("signing"), &seed, 1, entropy, wide, sizeof wide);
    crypto_core_ristretto255_scalar_reduce(r, wide);
    tl_wipe(wide, sizeof wide); /* SR-4 */
    const bool is_zero = tl_reveal(crypto_scalarmult_ristretto255_base(out_point, r) != 0);
    TL_ASSERT(!is_zero);
}

void tl_sr25519_sign(uint8_t out[TL_SR25519_SIGNATURE_LEN], const tl_sr25519_key *key,
                     tl_bytes message, const uint8_t entropy[TL_SR25519_ENTROPY_LEN])
{
    tl_merlin t;
    tl_merlin_signing_start(&t);
    tl_merlin_append(&t, TL_STR("sign-bytes"), message.ptr, message.len);
    tl_merlin_append(&t, TL_STR("proto-name"), "Schnorr-sig", 11);
    tl_merlin_append(&t, TL_STR("sign:pk"), key->public_key, sizeof key->public_key);

    uint8_t r[TL__SCALAR_LEN] = {0}, k[TL__SCALAR_LEN], s[TL__SCALAR_LEN] = {0};
    uint8_t point[32] = {0};
    make_nonce(r, point, &t, key, entropy);
    tl_merlin_append(&t, TL_STR("sign:R"), point, sizeof point);
    tl__sr25519_challenge_scalar(k, &t, TL_STR("sign:c"));
    crypto_core_ristretto255_scalar_mul(s, k, key->secret);
    crypto_core_ristretto255_scalar_add(s, s, r);
    memcpy(out, point, sizeof point);
    memcpy(out + 32, s, sizeof s);
    out[63] |= 0x80; /* schnorrkel's mark, which ed25519 signatures cannot bear */
    tl_wipe(r, sizeof r);
    tl_wipe(s, sizeof s);
    sodium_stackzero(TL__STACK_LEN); /* SR-4 */
}
