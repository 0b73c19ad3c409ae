/* secret.c: what is committed before an epoch's end and shown after it. */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/place/place_internal.h"

#define SECRET_MIN 16

bool tl_nonce_is_valid(tl_str nonce)
{
    if (nonce.len != TL_NONCE_LEN) {
        return false;
    }
    for (size_t i = 0; i < nonce.len; i++) {
        const char c = nonce.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

bool tl_secret_is_valid(tl_str secret)
{
    if (secret.len < SECRET_MIN || secret.len > TL_SECRET_MAX) {
        return false;
    }
    for (size_t i = 0; i < secret.len; i++) {
        if (secret.ptr[i] <= ' ' || secret.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

void tl_secret_commit(tl_hash32 *out, tl_str text)
{
    tl_sha256(out, text.ptr, text.len);
}

static tl_err want_nonce(tl_str nonce, tl_errctx *ctx)
{
    if (!tl_nonce_is_valid(nonce)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "nonce", "is not %d lower-case hex characters",
                             TL_NONCE_LEN);
    }
    return TL_OK;
}

static void update_str(tl_sha256_state *hash, tl_str s)
{
    tl_sha256_update(hash, s.ptr, s.len);
}

tl_err tl_beacon(char out[TL_BEACON_CAP], tl_str nonce, const tl_contribution *contributions,
                 size_t count, tl_errctx *ctx)
{
    TL_TRY(want_nonce(nonce, ctx));
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    update_str(&hash, TL_STR("tally-beacon/1\n"));
    update_str(&hash, nonce);
    update_str(&hash, TL_STR("\n"));
    for (size_t i = 0; i < count; i++) {
        const tl_contribution *c = &contributions[i];
        if (i > 0 && tl_hotkey_cmp(&contributions[i - 1].hotkey, &c->hotkey) >= 0) {
            return tl_fail(ctx, TL_ERR_CANONICAL, "contributions[%zu]: hotkeys do not ascend", i);
        }
        if (!tl_secret_is_valid(c->secret)) {
            return tl_fail(ctx, TL_ERR_SYNTAX,
                           "contributions[%zu]: a secret has %d to %d visible characters", i,
                           SECRET_MIN, TL_SECRET_MAX);
        }
        char address[TL_SS58_CAP];
        const size_t len = tl_ss58_encode(address, &c->hotkey, TL_SS58_PREFIX_GENERIC);
        tl_sha256_update(&hash, address, len);
        update_str(&hash, TL_STR(":"));
        update_str(&hash, c->secret);
        update_str(&hash, TL_STR("\n"));
    }
    tl_hash32 digest;
    tl_sha256_final(&hash, &digest);
    tl_hex_write(out, digest.b, sizeof digest.b);
    return TL_OK;
}

tl_err tl_honeypots(bool *is_honeypot, size_t count, tl_str nonce, tl_errctx *ctx)
{
    TL_TRY(want_nonce(nonce, ctx));
    if (count > TL_SELECT_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu zipcodes, above %d", count, TL_SELECT_MAX);
    }
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    update_str(&hash, TL_STR("tally-honeypots/1:"));
    update_str(&hash, nonce);
    tl_hash32 digest;
    tl_sha256_final(&hash, &digest);
    tl_xoshiro rng;
    tl__place_rng(&rng, &digest);
    memset(is_honeypot, 0, count * sizeof *is_honeypot);
    if (count < 2) {
        return TL_OK; /* one zipcode alone is raced */
    }
    const size_t least = (count + 19) / 20; /* 5 %, rounded up */
    const size_t most = count / 10 > least ? count / 10 : least;
    const size_t wanted = least + (size_t)tl_xoshiro_below(&rng, most - least + 1);
    TL_ASSERT(wanted >= 1 && wanted < count);
    size_t pool[TL_SELECT_MAX];
    for (size_t i = 0; i < count; i++) {
        pool[i] = i;
    }
    for (size_t i = 0; i < wanted; i++) {
        const size_t j = i + (size_t)tl_xoshiro_below(&rng, count - i);
        const size_t drawn = pool[j];
        pool[j] = pool[i];
        is_honeypot[drawn] = true;
    }
    return TL_OK;
}
