/* What the sources of the room share: a scheme's functions over secrets, and the shape of a pair's pages. */
#ifndef TALLY_CORE_CRYPTO_KEYPAIR_INTERNAL_H
#define TALLY_CORE_CRYPTO_KEYPAIR_INTERNAL_H

#include "core/crypto/keypair/keypair.h"
#include "core/crypto/mnemonic/mnemonic.h"

#define TL__PRIVATE_LEN_MAX 64

/* A private key as key files hold it, and its public key: made together, kept together, and a pair has no other copy
 * of either (PAIR-1). */
typedef struct tl__secret {
    uint8_t private_key[TL__PRIVATE_LEN_MAX];
    tl_hotkey public_key;
} tl__secret;

struct tl_scheme_ops {
    bool (*is_strong)(const uint8_t *public_key);
    bool (*verify)(const uint8_t *public_key, tl_bytes message, tl_bytes signature);
    void (*from_seed)(tl__secret *out, const uint8_t seed[TL_SEED_LEN]);
    /* of private_len bytes; NULL where the private key is the seed. out is the caller's to wipe, whatever comes of it */
    tl_err (*from_private)(tl__secret *out, const uint8_t *key, tl_errctx *ctx);
    tl_err (*derive)(tl__secret *secret, bool is_soft, const uint8_t chain_code[TL_CHAIN_CODE_LEN],
                     tl_errctx *ctx);
    /* into signature_len_max bytes of room; entropy may be NULL */
    tl_err (*sign)(uint8_t *out, size_t *len, const tl__secret *secret, tl_bytes message,
                   const tl_entropy *entropy, tl_errctx *ctx);
};

/* The secret that a URI means; out is the caller's to wipe, whatever comes of it. */
tl_err tl__secret_from_uri(tl__secret *out, const tl_scheme *scheme, tl_str uri, tl_errctx *ctx);

#endif
