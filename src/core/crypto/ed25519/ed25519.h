/* ed25519: RFC 8032 signatures, verified more strictly than the network's own servers do.
 * For         keys of scheme 0, their derivation, signatures and verdicts
 * Takes       a seed of 32 bytes; or a public key, a message, a signature      Gives   signatures; true or false
 * Calls       crypto/hash, libsodium's ed25519     Called by   crypto/keypair
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  ED-1 what is verified has s below the order, and key and R canonical and not of small order
 *             ED-2 no branch and no address depends on a secret byte
 * Read        ed25519.c
 *
 * Verdicts: the equation is checked without the cofactor (s B = R + k A, byte for byte on R). Upstream (ZIP-215)
 * multiplies by 8 first and takes small-order and non-canonical points; so everything that passes here passes there,
 * and what fails here but not there no honest signer makes: under a small-order key anyone can sign, and a
 * non-canonical point is a second spelling of a signature. Wire spec sections 4.10 and 9.3.
 */
#ifndef TALLY_CORE_CRYPTO_ED25519_H
#define TALLY_CORE_CRYPTO_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_ED25519_SEED_LEN       32
#define TL_ED25519_PUBLIC_LEN     32
#define TL_ED25519_SIGNATURE_LEN  64
#define TL_ED25519_CHAIN_CODE_LEN 32

void tl_ed25519_public(uint8_t out[TL_ED25519_PUBLIC_LEN], const uint8_t seed[TL_ED25519_SEED_LEN]);

/* tl_ed25519_sign: deterministic. public_key must be that of the seed: signing under another one would give the seed
 * away, so callers keep the two together (tl_keypair). */
void tl_ed25519_sign(uint8_t out[TL_ED25519_SIGNATURE_LEN], const uint8_t seed[TL_ED25519_SEED_LEN],
                     const uint8_t public_key[TL_ED25519_PUBLIC_LEN], tl_bytes message);

/* tl_ed25519_key_is_strong: a canonical point, not of small order (ED-1)? */
bool tl_ed25519_key_is_strong(const uint8_t public_key[TL_ED25519_PUBLIC_LEN]);

/* tl_ed25519_verify: a signature of any other length than 64 is false. Variable time: all of it is public. */
bool tl_ed25519_verify(const uint8_t public_key[TL_ED25519_PUBLIC_LEN], tl_bytes message,
                       tl_bytes signature);

/* tl_ed25519_derive_hard: the seed one hard junction below; there are no soft ones. out_seed may be seed. */
void tl_ed25519_derive_hard(uint8_t out_seed[TL_ED25519_SEED_LEN],
                            const uint8_t seed[TL_ED25519_SEED_LEN],
                            const uint8_t chain_code[TL_ED25519_CHAIN_CODE_LEN]);

#ifdef __cplusplus
}
#endif

#endif
