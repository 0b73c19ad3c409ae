/* sr25519: the secret side of Schnorr signatures over ristretto255, as schnorrkel makes them.
 * For         deriving keys and signing with them; verifying is crypto/srverify's
 * Takes       a mini-secret of 32 bytes, or a secret of 64      Gives   keys, derived keys, signatures
 * Calls       crypto/strobe, libsodium's ristretto255 and SHA-512   Called by   crypto/keypair
 * Owns        nothing: a tl_sr25519_key is the caller's, who keeps it in locked memory and wipes it
 * Threads     pure functions, anywhere
 * Invariants  SR-1 the scalar of a key is canonical and not zero, its public key is scalar * B, never the identity
 *             SR-2 no branch and no address depends on a secret byte (a proof runs this under a memory checker)
 *             SR-3 soft derivation of the secret and of the public key alone lead to one public key
 *             SR-4 what held a secret on the way is wiped
 * Read        tl_sr25519_sign() in sign.c, then derive.c
 *
 *      mini-secret ──SHA-512, clamp, / 8──▶ scalar ‖ nonce seed ──* B──▶ public key
 *           ▲                                  │       │
 *           └────── hard: HDKD-hard ───────────┘       └─ soft: scalar + t, nonce from HDKD-nonce
 *
 *      sign: T = "substrate" ‖ message ‖ public key;  r = witness(T, nonce seed, entropy);  R = r B
 *            k = challenge(T ‖ R);  s = k * scalar + r;  signature = R ‖ s, bit 7 of the last byte set
 *
 * r depends on message, nonce seed and entropy at once: a generator that fails (or repeats) gives the deterministic
 * scheme, not a leak. Wire spec sections 4.5, 4.6 and 5.3.
 */
#ifndef TALLY_CORE_CRYPTO_SR25519_H
#define TALLY_CORE_CRYPTO_SR25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"
#include "core/crypto/srverify/srverify.h" /* the lengths of a key and a signature */

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SR25519_SEED_LEN       32
#define TL_SR25519_SECRET_LEN     64
#define TL_SR25519_ENTROPY_LEN    32
#define TL_SR25519_CHAIN_CODE_LEN 32

/* tl_sr25519_key: made by the functions below only. */
typedef struct tl_sr25519_key {
    uint8_t
        secret[TL_SR25519_SECRET_LEN]; /* scalar, little-endian, canonical; then the nonce seed */
    uint8_t public_key[TL_SR25519_PUBLIC_LEN];
} tl_sr25519_key;

/* tl_sr25519_expand: the key of a mini-secret, mode Ed25519 (the only one that this network uses). Any 32 bytes will
 * do. About 20 us. */
void tl_sr25519_expand(tl_sr25519_key *out, const uint8_t seed[TL_SR25519_SEED_LEN]);

/* tl_sr25519_import: the key of a 64-byte secret: canonical scalar, nonce seed. Not the x8 form of polkadot-js.
 * Errors: TL_ERR_CANONICAL for a scalar that is zero or not below the order of the group; out is then untouched. */
TL_MUST_USE tl_err tl_sr25519_import(tl_sr25519_key *out,
                                     const uint8_t secret[TL_SR25519_SECRET_LEN], tl_errctx *ctx);

/* tl_sr25519_derive_hard: the mini-secret one hard junction below; expand it. */
void tl_sr25519_derive_hard(uint8_t out_seed[TL_SR25519_SEED_LEN], const tl_sr25519_key *key,
                            const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN]);

/* tl_sr25519_derive_soft: the key one soft junction below. entropy goes into the new nonce seed only: with zeros the
 * whole key is a function of its parent, which is as safe, since the parent's secret goes in as well.
 * Errors: TL_ERR_RANGE when the new scalar is zero (one chance in 2^252); out is then untouched. out may be key. */
TL_MUST_USE tl_err tl_sr25519_derive_soft(tl_sr25519_key *out, const tl_sr25519_key *key,
                                          const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN],
                                          const uint8_t entropy[TL_SR25519_ENTROPY_LEN],
                                          tl_errctx *ctx);

/* tl_sr25519_derive_soft_public: the same junction for who knows the public key alone.
 * Errors: TL_ERR_RANGE for a key that is weak or no point, and as above. out may be public_key. */
TL_MUST_USE tl_err tl_sr25519_derive_soft_public(
    uint8_t out[TL_SR25519_PUBLIC_LEN], const uint8_t public_key[TL_SR25519_PUBLIC_LEN],
    const uint8_t chain_code[TL_SR25519_CHAIN_CODE_LEN], tl_errctx *ctx);

/* tl_sr25519_key_is_strong: an element of the group, and not the identity (32 zero bytes), under which anyone can
 * sign. For public data. */
bool tl_sr25519_key_is_strong(const uint8_t public_key[TL_SR25519_PUBLIC_LEN]);

/* tl_sr25519_sign: about one multiplication of the base point (some 20 us) and six permutations.
 *
 * message  any length up to 2^32 - 1 bytes (asserted)
 * entropy  32 fresh random bytes; zeros make the signature a function of key and message */
void tl_sr25519_sign(uint8_t out[TL_SR25519_SIGNATURE_LEN], const tl_sr25519_key *key,
                     tl_bytes message, const uint8_t entropy[TL_SR25519_ENTROPY_LEN]);

#ifdef __cplusplus
}
#endif

#endif
