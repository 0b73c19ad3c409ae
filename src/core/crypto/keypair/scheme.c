/* The table of schemes, what each does with a secret, and who may use which. A further scheme is a row here. */
#include <string.h>

#include "core/crypto/ed25519/ed25519.h"
#include "core/crypto/keypair/keypair_internal.h"
#include "core/crypto/sr25519/sr25519.h"
#include "core/crypto/srverify/srverify.h"

_Static_assert(TL_SR25519_SECRET_LEN <= TL__PRIVATE_LEN_MAX, "a private key fits the pair");
_Static_assert(TL_ED25519_SEED_LEN <= TL__PRIVATE_LEN_MAX, "a private key fits the pair");
_Static_assert(TL_SR25519_PUBLIC_LEN == sizeof(tl_hotkey), "a public key is who someone is");
_Static_assert(TL_ED25519_PUBLIC_LEN == sizeof(tl_hotkey), "a public key is who someone is");

/* --- sr25519 --- */

static void sr_put(tl__secret *out, tl_sr25519_key *key)
{
    memcpy(out->private_key, key->secret, sizeof key->secret);
    memcpy(out->public_key.b, key->public_key, sizeof key->public_key);
    tl_wipe(key, sizeof *key);
}

static tl_sr25519_key sr_get(const tl__secret *secret)
{
    tl_sr25519_key key;
    memcpy(key.secret, secret->private_key, sizeof key.secret);
    memcpy(key.public_key, secret->public_key.b, sizeof key.public_key);
    return key;
}

static void sr_from_seed(tl__secret *out, const uint8_t seed[TL_SEED_LEN])
{
    tl_sr25519_key key;
    tl_sr25519_expand(&key, seed);
    sr_put(out, &key);
}

static tl_err sr_from_private(tl__secret *out, const uint8_t *private_key, tl_errctx *ctx)
{
    tl_sr25519_key key;
    TL_TRY(tl_sr25519_import(&key, private_key, ctx));
    sr_put(out, &key);
    return TL_OK;
}

static tl_err sr_derive(tl__secret *secret, bool is_soft,
                        const uint8_t chain_code[TL_CHAIN_CODE_LEN], tl_errctx *ctx)
{
    static const uint8_t no_entropy[TL_SR25519_ENTROPY_LEN] = {0}; /* one URI, one private key */
    tl_sr25519_key key = sr_get(secret);
    tl_err err = TL_OK;
    if (is_soft) {
        err = tl_sr25519_derive_soft(&key, &key, chain_code, no_entropy, ctx);
    } else {
        uint8_t seed[TL_SEED_LEN];
        tl_sr25519_derive_hard(seed, &key, chain_code);
        tl_sr25519_expand(&key, seed);
        tl_wipe(seed, sizeof seed);
    }
    sr_put(secret, &key);
    return err;
}

static tl_err sr_sign(uint8_t *out, size_t *len, const tl__secret *secret, tl_bytes message,
                      const tl_entropy *entropy, tl_errctx *ctx)
{
    uint8_t random[TL_SR25519_ENTROPY_LEN] = {0};
    if (entropy != NULL) {
        TL_TRY(tl_entropy_fill(entropy, random, sizeof random, ctx));
    }
    tl_sr25519_key key = sr_get(secret);
    tl_sr25519_sign(out, &key, message, random);
    *len = TL_SR25519_SIGNATURE_LEN;
    tl_wipe(&key, sizeof key);
    tl_wipe(random, sizeof random);
    return TL_OK;
}

/* --- ed25519: the private key is the seed --- */

static void ed_from_seed(tl__secret *out, const uint8_t seed[TL_SEED_LEN])
{
    memcpy(out->private_key, seed, TL_SEED_LEN);
    tl_ed25519_public(out->public_key.b, seed);
}

static tl_err ed_derive(tl__secret *secret, bool is_soft,
                        const uint8_t chain_code[TL_CHAIN_CODE_LEN], tl_errctx *ctx)
{
    if (is_soft) {
        return tl_fail(ctx, TL_ERR_TYPE,
                       "a soft junction (one slash): keys of scheme ed25519 have hard ones (two "
                       "slashes) alone");
    }
    tl_ed25519_derive_hard(secret->private_key, secret->private_key, chain_code);
    tl_ed25519_public(secret->public_key.b, secret->private_key);
    return TL_OK;
}

static tl_err ed_sign(uint8_t *out, size_t *len, const tl__secret *secret, tl_bytes message,
                      const tl_entropy *entropy, tl_errctx *ctx)
{
    (void)entropy;
    (void)ctx;
    tl_ed25519_sign(out, secret->private_key, secret->public_key.b, message);
    *len = TL_ED25519_SIGNATURE_LEN;
    return TL_OK;
}

/* --- the table --- */

static const tl_scheme_ops ED25519_OPS = {
    tl_ed25519_key_is_strong, tl_ed25519_verify, ed_from_seed, NULL, ed_derive, ed_sign};
static const tl_scheme_ops SR25519_OPS = {tl_sr25519_key_is_strong, tl_sr25519_verify, sr_from_seed,
                                          sr_from_private,          sr_derive,         sr_sign};

static const tl_scheme SCHEMES[] = {
    {"ed25519", 0, TL_ED25519_PUBLIC_LEN, TL_ED25519_SEED_LEN, TL_ED25519_SIGNATURE_LEN, false,
     &ED25519_OPS},
    {"sr25519", 1, TL_SR25519_PUBLIC_LEN, TL_SR25519_SECRET_LEN, TL_SR25519_SIGNATURE_LEN, true,
     &SR25519_OPS},
};

const tl_scheme *tl_scheme_ed25519(void)
{
    return &SCHEMES[0];
}

const tl_scheme *tl_scheme_sr25519(void)
{
    return &SCHEMES[1];
}

size_t tl_scheme_count(void)
{
    return sizeof SCHEMES / sizeof *SCHEMES;
}

const tl_scheme *tl_scheme_at(size_t index)
{
    TL_ASSERT(index < tl_scheme_count());
    return &SCHEMES[index];
}

const char *tl_scheme_names(void)
{
    return "ed25519 (0) or sr25519 (1)";
}

const tl_scheme *tl_scheme_by_name(tl_str name)
{
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        if (tl_str_eq_cstr(name, SCHEMES[i].name)) {
            return &SCHEMES[i];
        }
    }
    return NULL;
}

const tl_scheme *tl_scheme_by_code(uint64_t code)
{
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        if (SCHEMES[i].code == code) {
            return &SCHEMES[i];
        }
    }
    return NULL;
}

const tl_scheme *tl_scheme_parse(tl_str text)
{
    char lower[16];
    const tl_str trimmed = tl_str_trim(text);
    if (trimmed.len > sizeof lower) {
        return NULL;
    }
    for (size_t i = 0; i < trimmed.len; i++) {
        const char c = trimmed.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    const tl_str name = {lower, trimmed.len};
    uint64_t code;
    return tl_str_parse_u64(&code, name) ? tl_scheme_by_code(code) : tl_scheme_by_name(name);
}

/* --- verdicts --- */

bool tl_scheme_key_is_strong(const tl_scheme *scheme, tl_bytes public_key)
{
    return public_key.len == scheme->public_len && scheme->ops->is_strong(public_key.ptr);
}

/* PAIR-2: the verifier of each scheme refuses weak keys itself. */
bool tl_scheme_verify(const tl_scheme *scheme, tl_bytes public_key, tl_bytes message,
                      tl_bytes signature)
{
    return public_key.len == scheme->public_len && signature.len <= scheme->signature_len_max &&
           scheme->ops->verify(public_key.ptr, message, signature);
}

bool tl_scheme_verify_wrapped(const tl_scheme *scheme, tl_bytes public_key, tl_bytes message,
                              tl_bytes signature, tl_arena *scratch)
{
    static const char before[] = "<Bytes>", after[] = "</Bytes>";
    if (tl_scheme_verify(scheme, public_key, message, signature)) {
        return true;
    }
    const size_t added = sizeof before - 1 + sizeof after - 1;
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    uint8_t *copy =
        message.len <= SIZE_MAX - added ? TL_NEW(scratch, uint8_t, message.len + added) : NULL;
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, before, sizeof before - 1);
    if (message.len != 0) {
        memcpy(copy + sizeof before - 1, message.ptr, message.len);
    }
    memcpy(copy + sizeof before - 1 + message.len, after, sizeof after - 1);
    const tl_bytes wrapped = {copy, message.len + added};
    const bool holds = tl_scheme_verify(scheme, public_key, wrapped, signature);
    tl_arena_rewind(scratch, mark);
    return holds;
}
