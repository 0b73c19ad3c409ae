/* Pairs in guarded pages: made, lent, used, wiped. */
#include <string.h>

#include <sodium.h>

#include "core/crypto/keypair/keypair_internal.h"

/* PAIR-4: phrase_len != 0 only with has_seed, has_seed only with can_sign. */
struct tl_keypair {
    const tl_scheme *scheme;
    bool can_sign;
    bool has_seed;
    size_t phrase_len; /* 0: no phrase */
    tl__secret secret; /* private_len bytes of it, zero where can_sign is false */
    uint8_t seed[TL_SEED_LEN];
    char phrase[TL_MNEMONIC_CAP];
};

/* Pages between two that fault, behind a canary, locked where the system lets us; still writable. */
static tl_err make_pages(tl_keypair **out, const tl_scheme *scheme, tl_errctx *ctx)
{
    const int started = sodium_init();
    tl_keypair *pair = started >= 0 ? (tl_keypair *)sodium_malloc(sizeof *pair) : NULL;
    if (pair == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no locked memory for a key pair");
    }
    memset(pair, 0, sizeof *pair);
    pair->scheme = scheme;
    *out = pair;
    return TL_OK;
}

/* The last step of every maker: a whole pair goes out, read-only, a failed one goes away (PAIR-3). */
static tl_err finish(tl_keypair **out, tl_keypair *pair, tl_err err)
{
    if (err != TL_OK) {
        sodium_free(pair);
        return err;
    }
    pair->can_sign = true;
    TL_ASSERT(pair->phrase_len == 0 || pair->has_seed); /* PAIR-4 */
    (void)sodium_mprotect_readonly(pair); /* one guard more; without it the pair is as correct */
    *out = pair;
    return TL_OK;
}

static void expand_seed(tl_keypair *pair)
{
    pair->has_seed = true;
    pair->scheme->ops->from_seed(&pair->secret, pair->seed);
}

tl_err tl_keypair_from_seed(tl_keypair **out, const tl_scheme *scheme,
                            const uint8_t seed[TL_SEED_LEN], tl_errctx *ctx)
{
    tl_keypair *pair;
    TL_TRY(make_pages(&pair, scheme, ctx));
    memcpy(pair->seed, seed, sizeof pair->seed);
    expand_seed(pair);
    return finish(out, pair, TL_OK);
}

/* Phrase and seed in their places. A phrase with a password does not give the key back by itself: it is not kept. */
static tl_err read_phrase(tl_keypair *pair, tl_str phrase, tl_str password, tl_errctx *ctx)
{
    uint8_t entropy[TL_MNEMONIC_ENTROPY_MAX];
    uint8_t seed[TL_MNEMONIC_SEED_LEN];
    size_t len = 0;
    tl_err err = tl_mnemonic_to_entropy(entropy, &len, phrase, ctx);
    if (err == TL_OK) {
        err = tl_mnemonic_seed(seed, phrase, password, ctx);
    }
    if (err == TL_OK) {
        memcpy(pair->seed, seed, sizeof pair->seed);
        expand_seed(pair);
    }
    if (err == TL_OK && password.len == 0) {
        err = tl_mnemonic_from_entropy(pair->phrase, entropy, len, ctx);
        while (tl_reveal(pair->phrase[pair->phrase_len] != '\0')) {
            pair->phrase_len++;
        }
    }
    tl_wipe(entropy, sizeof entropy);
    tl_wipe(seed, sizeof seed);
    return err;
}

tl_err tl_keypair_from_mnemonic(tl_keypair **out, const tl_scheme *scheme, tl_str phrase,
                                tl_str password, tl_errctx *ctx)
{
    tl_keypair *pair;
    TL_TRY(make_pages(&pair, scheme, ctx));
    return finish(out, pair, read_phrase(pair, phrase, password, ctx));
}

tl_err tl_keypair_from_uri(tl_keypair **out, const tl_scheme *scheme, tl_str uri, tl_errctx *ctx)
{
    tl_keypair *pair;
    TL_TRY(make_pages(&pair, scheme, ctx));
    return finish(out, pair, tl__secret_from_uri(&pair->secret, scheme, uri, ctx));
}

tl_err tl_keypair_from_private(tl_keypair **out, const tl_scheme *scheme, tl_bytes key,
                               tl_errctx *ctx)
{
    if (key.len == TL_SEED_LEN) {
        return tl_keypair_from_seed(out, scheme, key.ptr, ctx);
    }
    if (key.len != scheme->private_len) {
        return tl_fail(ctx, TL_ERR_SYNTAX,
                       "a private key of %zu bytes: scheme %s has %u, or a seed of %d", key.len,
                       scheme->name, scheme->private_len, TL_SEED_LEN);
    }
    TL_ASSERT(scheme->ops->from_private != NULL);
    tl_keypair *pair;
    TL_TRY(make_pages(&pair, scheme, ctx));
    return finish(out, pair, scheme->ops->from_private(&pair->secret, key.ptr, ctx));
}

tl_err tl_keypair_from_public(tl_keypair **out, const tl_scheme *scheme,
                              const tl_hotkey *public_key, tl_errctx *ctx)
{
    if (!tl_scheme_key_is_strong(scheme, (tl_bytes){public_key->b, sizeof public_key->b})) {
        return tl_fail(ctx, TL_ERR_RANGE, "these 32 bytes are no public key of scheme %s",
                       scheme->name); /* PAIR-2 */
    }
    tl_keypair *pair;
    TL_TRY(make_pages(&pair, scheme, ctx));
    pair->secret.public_key = *public_key;
    (void)sodium_mprotect_readonly(pair);
    *out = pair;
    return TL_OK;
}

void tl_keypair_free(tl_keypair *pair)
{
    if (pair != NULL) {
        sodium_free(pair); /* makes it writable, checks the canary, wipes, unlocks */
    }
}

const tl_hotkey *tl_keypair_public(const tl_keypair *pair)
{
    return &pair->secret.public_key; /* PAIR-1 */
}

const tl_scheme *tl_keypair_scheme(const tl_keypair *pair)
{
    return pair->scheme;
}

bool tl_keypair_can_sign(const tl_keypair *pair)
{
    return pair->can_sign;
}

tl_err tl_keypair_sign(uint8_t *out, size_t cap, size_t *len, const tl_keypair *pair,
                       tl_bytes message, const tl_entropy *entropy, tl_errctx *ctx)
{
    if (!pair->can_sign) {
        return tl_fail(ctx, TL_ERR_STATE, "this key has no private part: it cannot sign");
    }
    if (cap < pair->scheme->signature_len_max) {
        return tl_fail(ctx, TL_ERR_LIMIT, "room for %zu bytes: a signature of scheme %s takes %u",
                       cap, pair->scheme->name, pair->scheme->signature_len_max);
    }
    return pair->scheme->ops->sign(out, len, &pair->secret, message, entropy, ctx);
}

bool tl_keypair_borrow_phrase(tl_str *out, const tl_keypair *pair)
{
    if (pair->phrase_len == 0) {
        return false;
    }
    *out = (tl_str){pair->phrase, pair->phrase_len};
    return true;
}

bool tl_keypair_borrow_seed(tl_bytes *out, const tl_keypair *pair)
{
    if (!pair->has_seed) {
        return false;
    }
    *out = (tl_bytes){pair->seed, sizeof pair->seed};
    return true;
}

bool tl_keypair_borrow_private(tl_bytes *out, const tl_keypair *pair)
{
    if (!pair->can_sign) {
        return false;
    }
    *out = (tl_bytes){pair->secret.private_key, pair->scheme->private_len};
    return true;
}
