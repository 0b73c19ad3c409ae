/* Area crypto: transcripts, keys of both schemes and their derivation, signatures without entropy, verdicts, phrases,
 * secret URIs, twox. */
#include <string.h>

#include "core/crypto/ed25519/ed25519.h"
#include "core/crypto/keypair/keypair.h"
#include "core/crypto/mnemonic/mnemonic.h"
#include "core/crypto/sr25519/sr25519.h"
#include "core/crypto/strobe/strobe.h"
#include "core/crypto/twox/twox.h"

#include "digest.h"

static void transcripts(digest *d)
{
    tl_merlin t;
    tl_merlin_init(&t, TL_STR("digest"));
    for (size_t len = 0; len < 400; len += 1 + len / 30) {
        uint8_t data[400], out[400], entropy[TL_MERLIN_ENTROPY_LEN];
        digest_random_bytes(d, data, len);
        digest_random_bytes(d, entropy, sizeof entropy);
        const tl_bytes seed = {data, len};
        tl_merlin_append(&t, TL_STR("data"), data, len);
        tl_merlin_witness(&t, TL_STR("witness"), &seed, 1, entropy, out, len);
        digest_bytes(d, out, len);
        tl_merlin_challenge(&t, TL_STR("challenge"), out, len);
        digest_bytes(d, out, len);
    }
}

/* A pair's parts, its signature of a message, and the verdicts on it, whole and with one bit changed. */
static void use(digest *d, const tl_keypair *pair)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    uint8_t message[300], signature[64];
    size_t len = 0;
    const tl_bytes said = {message, (size_t)digest_below(d, sizeof message)};
    tl_bytes secret = {NULL, 0};
    digest_random_bytes(d, message, sizeof message);
    DIGEST_OK(tl_keypair_sign(signature, sizeof signature, &len, pair, said, NULL, &ctx), &ctx);
    digest_bytes(d, tl_keypair_public(pair)->b, sizeof tl_keypair_public(pair)->b);
    (void)tl_keypair_borrow_private(&secret, pair);
    digest_bytes(d, secret.ptr, secret.len);
    digest_bytes(d, signature, len);
    const tl_bytes key = {tl_keypair_public(pair)->b, sizeof tl_keypair_public(pair)->b};
    for (size_t i = 0; i < 8; i++) {
        digest_u64(
            d, tl_scheme_verify(tl_keypair_scheme(pair), key, said, (tl_bytes){signature, len}));
        const uint64_t bit = digest_below(d, 8 * sizeof signature);
        signature[bit / 8] = (uint8_t)(signature[bit / 8] ^ 1U << bit % 8);
    }
}

static void pairs(digest *d)
{
    static const char *const uris[] = {"//Alice", "//Bob//stash", "//1//2//x///password",
                                       "//PathNameLongerThan32BytesWhichShouldBeHashed"};
    tl_errctx ctx = TL_ERRCTX_INIT;
    for (size_t i = 0; i < 24; i++) {
        const tl_scheme *scheme = tl_scheme_at(i % tl_scheme_count());
        tl_keypair *pair = NULL;
        uint8_t seed[TL_SEED_LEN];
        digest_random_bytes(d, seed, sizeof seed);
        DIGEST_OK(tl_keypair_from_seed(&pair, scheme, seed, &ctx), &ctx);
        use(d, pair);
        tl_keypair_free(pair);
        if (i < 2 * sizeof uris / sizeof *uris) {
            DIGEST_OK(tl_keypair_from_uri(&pair, scheme, tl_str_from_cstr(uris[i / 2]), &ctx),
                      &ctx);
            use(d, pair);
            tl_keypair_free(pair);
        }
    }
}

static void soft_junctions(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_sr25519_key key;
    uint8_t seed[TL_SR25519_SEED_LEN];
    digest_random_bytes(d, seed, sizeof seed);
    tl_sr25519_expand(&key, seed);
    for (size_t i = 0; i < 16; i++) {
        uint8_t code[TL_SR25519_CHAIN_CODE_LEN], entropy[TL_SR25519_ENTROPY_LEN];
        uint8_t child[TL_SR25519_PUBLIC_LEN];
        digest_random_bytes(d, code, sizeof code);
        digest_random_bytes(d, entropy, sizeof entropy);
        DIGEST_OK(tl_sr25519_derive_soft_public(child, key.public_key, code, &ctx), &ctx);
        DIGEST_OK(tl_sr25519_derive_soft(&key, &key, code, entropy, &ctx), &ctx);
        digest_bytes(d, child, sizeof child);
        digest_bytes(d, key.secret, sizeof key.secret);
        digest_bytes(d, key.public_key, sizeof key.public_key);
    }
}

static void phrases(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    for (size_t i = 0; i < 15; i++) {
        uint8_t entropy[TL_MNEMONIC_ENTROPY_MAX], seed[TL_MNEMONIC_SEED_LEN];
        char text[TL_MNEMONIC_CAP];
        digest_random_bytes(d, entropy, sizeof entropy);
        DIGEST_OK(tl_mnemonic_from_entropy(text, entropy, 16 + 4 * (i % 5), &ctx), &ctx);
        const tl_str phrase = tl_str_from_cstr(text);
        digest_str(d, phrase);
        DIGEST_OK(tl_mnemonic_seed(seed, phrase, TL_STR("passphrase"), &ctx), &ctx);
        digest_bytes(d, seed, sizeof seed);
    }
}

static void storage_names(digest *d)
{
    uint8_t data[200], out[32];
    digest_random_bytes(d, data, sizeof data);
    for (size_t len = 0; len < sizeof data; len++) {
        tl_twox256(out, data, len);
        digest_bytes(d, out, sizeof out);
        tl_twox64(out, data, len);
        digest_bytes(d, out, 8);
    }
}

void digest_area_crypto(digest *d)
{
    transcripts(d);
    pairs(d);
    soft_junctions(d);
    phrases(d);
    storage_names(d);
}
