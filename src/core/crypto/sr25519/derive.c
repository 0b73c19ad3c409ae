/* Keys from seeds, from secrets, and from other keys: wire spec sections 4.5 and 4.6. */
#include <string.h>

#include <sodium.h>

#include "core/crypto/sr25519/sr25519_internal.h"

/* The public key of a scalar; false for the identity, that is, for a scalar of zero (SR-1). */
static bool make_public(tl_sr25519_key *key)
{
    memset(key->public_key, 0, sizeof key->public_key);
    return tl_reveal(crypto_scalarmult_ristretto255_base(key->public_key, key->secret) == 0);
}

void tl_sr25519_expand(tl_sr25519_key *out, const uint8_t seed[TL_SR25519_SEED_LEN])
{
    uint8_t h[crypto_hash_sha512_BYTES] = {0};
    (void)crypto_hash_sha512(h, seed, TL_SR25519_SEED_LEN);
    h[0] &= 248;
    h[31] &= 63;
    h[31] |= 64;
    for (size_t i = 0; i < 31; i++) { /* by the cofactor: the three bits that go are zero */
        h[i] = (uint8_t)(h[i] >> 3 | h[i + 1] << 5);
    }
    h[31] >>= 3;
    memcpy(out->secret, h, sizeof out->secret);
    tl_wipe(h, sizeof h);
    const bool is_key = make_public(out);
    sodium_stackzero(TL__STACK_LEN);
    TL_ASSERT(
        is_key); /* SR-1: bit 251 of the scalar is set, and no higher one, so it is below the order */
}

tl_err tl_sr25519_import(tl_sr25519_key *out, const uint8_t secret[TL_SR25519_SECRET_LEN],
                         tl_errctx *ctx)
{
    uint8_t wide[TL__WIDE_LEN] = {0};
    tl_sr25519_key key;
    memcpy(key.secret, secret, sizeof key.secret);
    memcpy(wide, secret, TL__SCALAR_LEN);
    uint8_t reduced[TL__SCALAR_LEN] = {0};
    crypto_core_ristretto255_scalar_reduce(reduced, wide);
    const bool is_canonical = tl_reveal(sodium_memcmp(reduced, secret, sizeof reduced) == 0);
    const bool is_key = is_canonical && make_public(&key);
    if (is_key) {
        *out = key;
    }
    tl_wipe(&key, sizeof key);
    tl_wipe(wide, sizeof wide);
    tl_wipe(reduced, sizeof reduced);
    sodium_stackzero(TL__STACK_LEN);
    if (!is_key) {
        return tl_fail(
            ctx, TL_ERR_CANONICAL,
            "the first 32 bytes of the private key are no scalar between 1 and the order of "
            "the group");
    }
    return TL_OK;
}

static void derivation_start(tl_merlin *t, const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN])
{
    tl_merlin_init(t, TL_STR("SchnorrRistrettoHDKD"));
    tl_merlin_append(t, TL_STR("sign-bytes"), NULL, 0);
    tl_merlin_append(t, TL_STR("chain-code"), chain_code, TL_SR25519_CHAIN_CODE_LEN);
}

void tl_sr25519_derive_hard(uint8_t out_seed[TL_SR25519_SEED_LEN], const tl_sr25519_key *key,
                            const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN])
{
    tl_merlin t;
    derivation_start(&t, chain_code);
    tl_merlin_append(&t, TL_STR("secret-key"), key->secret, TL__SCALAR_LEN);
    tl_merlin_challenge(&t, TL_STR("HDKD-hard"), out_seed, TL_SR25519_SEED_LEN);
    tl_wipe(&t, sizeof t); /* SR-4 */
    sodium_stackzero(TL__STACK_LEN);
}

/* What a soft junction adds to the scalar; the transcript goes on from here. The chain code of the child, which the
 * wallets throw away, is squeezed out as they do: the witness stands behind it. */
static void soft_tweak(uint8_t out[TL__SCALAR_LEN], tl_merlin *t, const uint8_t public_key[32],
                       const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN])
{
    uint8_t child_code[TL_SR25519_CHAIN_CODE_LEN];
    derivation_start(t, chain_code);
    tl_merlin_append(t, TL_STR("public-key"), public_key, TL_SR25519_PUBLIC_LEN);
    tl__sr25519_challenge_scalar(out, t, TL_STR("HDKD-scalar"));
    tl_merlin_challenge(t, TL_STR("HDKD-chaincode"), child_code, sizeof child_code);
}

static tl_err no_child(tl_errctx *ctx)
{
    return tl_fail(ctx, TL_ERR_RANGE, "this junction leads to no key: the identity");
}

tl_err tl_sr25519_derive_soft(tl_sr25519_key *out, const tl_sr25519_key *key,
                              const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN],
                              const uint8_t entropy[TL_SR25519_ENTROPY_LEN], tl_errctx *ctx)
{
    tl_merlin t;
    uint8_t tweak[TL__SCALAR_LEN];
    soft_tweak(tweak, &t, key->public_key, chain_code);
    tl_sr25519_key child = {{0}, {0}};
    crypto_core_ristretto255_scalar_add(child.secret, key->secret, tweak);
    const tl_bytes seeds[2] = {{key->secret + TL__SCALAR_LEN, 32},
                               {key->secret, sizeof key->secret}};
    tl_merlin_witness(&t, TL_STR("HDKD-nonce"), seeds, 2, entropy, child.secret + TL__SCALAR_LEN,
                      32);
    const bool is_key = make_public(&child); /* SR-1, SR-3 */
    if (is_key) {
        *out = child;
    }
    tl_wipe(&child, sizeof child);
    sodium_stackzero(TL__STACK_LEN);
    return is_key ? TL_OK : no_child(ctx);
}

bool tl_sr25519_key_is_strong(const uint8_t public_key[TL_SR25519_PUBLIC_LEN])
{
    return sodium_is_zero(public_key, TL_SR25519_PUBLIC_LEN) == 0 &&
           crypto_core_ristretto255_is_valid_point(public_key) != 0;
}

tl_err tl_sr25519_derive_soft_public(uint8_t out[TL_SR25519_PUBLIC_LEN],
                                     const uint8_t public_key[TL_SR25519_PUBLIC_LEN],
                                     const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN],
                                     tl_errctx *ctx)
{
    if (!tl_sr25519_key_is_strong(public_key)) {
        return tl_fail(ctx, TL_ERR_RANGE, "the parent is no public key of scheme sr25519");
    }
    tl_merlin t;
    uint8_t tweak[TL__SCALAR_LEN], step[32] = {0}, child[32] = {0};
    soft_tweak(tweak, &t, public_key, chain_code);
    /* -1 is a tweak of zero: step is then the identity, which libsodium's addition takes. */
    (void)crypto_scalarmult_ristretto255_base(step, tweak);
    const int is_bad = crypto_core_ristretto255_add(child, public_key, step);
    if (is_bad != 0 || sodium_is_zero(child, sizeof child) != 0) {
        return no_child(ctx);
    }
    memcpy(out, child, sizeof child); /* SR-3 */
    return TL_OK;
}
