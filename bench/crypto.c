/* sr25519: 512 signatures of 512 keys over messages as long as an axon's, verified from their bytes; by prepared keys;
 * in batches of 64. The signer is a small one of this file over libsodium's group, so that what is measured did not make
 * its own input. */
#include <sodium.h>
#include <string.h>

#include "bench.h"
#include "core/crypto/srverify/srverify.h"
#include "core/crypto/strobe/strobe.h"

#define MESSAGE_LEN   200
#define BATCH         64
#define ITEMS_PERCENT 512 / 100
#define ITEMS_MAX     512

typedef struct item {
    uint8_t public_key[32];
    uint8_t signature[64];
    uint8_t message[MESSAGE_LEN];
} item;

typedef struct crypto_work {
    item items[ITEMS_MAX];
    tl_sr25519_item views[ITEMS_MAX];
    size_t count;
    tl_srkey *keys;
    size_t held; /* verdicts of the last run that were true */
} crypto_work;

static void digest(uint8_t out[64], const char *what, uint64_t number)
{
    crypto_generichash_state h;
    (void)crypto_generichash_init(&h, NULL, 0, 64);
    (void)crypto_generichash_update(&h, (const uint8_t *)what, strlen(what));
    (void)crypto_generichash_update(&h, (const uint8_t *)&number, sizeof number);
    (void)crypto_generichash_final(&h, out, 64);
}

static void sign(item *out, uint64_t number)
{
    uint8_t wide[64];
    uint8_t secret[32];
    uint8_t nonce[32];
    uint8_t k[32];
    digest(wide, "secret", number);
    crypto_core_ristretto255_scalar_reduce(secret, wide);
    digest(wide, "nonce", number);
    crypto_core_ristretto255_scalar_reduce(nonce, wide);
    for (size_t i = 0; i < MESSAGE_LEN; i++) {
        out->message[i] = (uint8_t)('a' + (i * 7 + number) % 26);
    }
    (void)crypto_scalarmult_ristretto255_base(out->public_key, secret);
    (void)crypto_scalarmult_ristretto255_base(out->signature, nonce);
    tl_merlin t;
    tl_merlin_signing_start(&t);
    tl_merlin_append(&t, TL_STR("sign-bytes"), out->message, sizeof out->message);
    tl_merlin_append(&t, TL_STR("proto-name"), "Schnorr-sig", 11);
    tl_merlin_append(&t, TL_STR("sign:pk"), out->public_key, 32);
    tl_merlin_append(&t, TL_STR("sign:R"), out->signature, 32);
    tl_merlin_challenge(&t, TL_STR("sign:c"), wide, sizeof wide);
    crypto_core_ristretto255_scalar_reduce(k, wide);
    crypto_core_ristretto255_scalar_mul(k, k, secret);
    crypto_core_ristretto255_scalar_add(out->signature + 32, k, nonce);
    out->signature[63] |= 0x80;
}

static tl_err make(crypto_work **out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    crypto_work *w = TL_NEW(arena, crypto_work, 1);
    if (w == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (sodium_init() < 0) {
        return tl_fail(ctx, TL_ERR_INTERNAL, "libsodium does not start");
    }
    w->count = percent * ITEMS_PERCENT;
    for (size_t i = 0; i < w->count; i++) {
        sign(&w->items[i], i);
        w->views[i] = (tl_sr25519_item){.public_key = w->items[i].public_key,
                                        .message = {w->items[i].message, MESSAGE_LEN},
                                        .signature = {w->items[i].signature, 64}};
    }
    *out = w;
    return TL_OK;
}

static tl_err run_verify(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    (void)ctx;
    crypto_work *w = (crypto_work *)self;
    w->held = 0;
    for (size_t i = 0; i < w->count; i++) {
        const tl_sr25519_item *v = &w->views[i];
        w->held += tl_sr25519_verify(v->public_key, v->message, v->signature);
    }
    return TL_OK;
}

static tl_err run_seen(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    (void)ctx;
    crypto_work *w = (crypto_work *)self;
    w->held = 0;
    for (size_t i = 0; i < w->count; i++) {
        w->held += tl_srkey_verify(&w->keys[i], w->views[i].message, w->views[i].signature);
    }
    return TL_OK;
}

static tl_err run_batch(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    (void)ctx;
    crypto_work *w = (crypto_work *)self;
    bool out[BATCH];
    w->held = 0;
    for (size_t i = 0; i < w->count; i += BATCH) {
        const size_t n = w->count - i < BATCH ? w->count - i : BATCH;
        tl_sr25519_verify_batch(out, &w->views[i], n);
        for (size_t j = 0; j < n; j++) {
            w->held += out[j];
        }
    }
    return TL_OK;
}

static tl_err run_prepare(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    crypto_work *w = (crypto_work *)self;
    for (size_t i = 0; i < w->count; i++) {
        if (!tl_srkey_prepare(&w->keys[i], w->items[i].public_key)) {
            return tl_fail(ctx, TL_ERR_INTERNAL, "a key that is none");
        }
    }
    return TL_OK;
}

static tl_err measure(bench_report *out, bench_run run, crypto_work *w, tl_errctx *ctx)
{
    TL_TRY(bench_time(out, run, w, ctx));
    out->figures[0] = (double)w->held;
    out->figure_count = 1;
    return TL_OK;
}

tl_err bench_sr25519_verify(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    crypto_work *w = NULL;
    TL_TRY(make(&w, arena, percent, ctx));
    return measure(out, run_verify, w, ctx);
}

tl_err bench_sr25519_verify_seen(bench_report *out, tl_arena *arena, unsigned percent,
                                 tl_errctx *ctx)
{
    crypto_work *w = NULL;
    TL_TRY(make(&w, arena, percent, ctx));
    w->keys = TL_NEW(arena, tl_srkey, w->count);
    char *also = TL_NEW(arena, char, 64);
    if (w->keys == NULL || also == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(bench_time(out, run_prepare, w, ctx));
    (void)snprintf(also, 64, ",\"prepare_us\":%.2f,\"key_bytes\":%zu",
                   out->seconds * 1e6 / (double)w->count, sizeof(tl_srkey));
    out->also = also;
    return measure(out, run_seen, w, ctx);
}

tl_err bench_sr25519_batch(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    crypto_work *w = NULL;
    TL_TRY(make(&w, arena, percent, ctx));
    return measure(out, run_batch, w, ctx);
}

tl_err bench_sr25519_write(FILE *file, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    crypto_work *w = NULL;
    TL_TRY(make(&w, arena, percent, ctx));
    return fwrite(w->items, sizeof *w->items, w->count, file) == w->count
               ? TL_OK
               : tl_fail(ctx, TL_ERR_IO, "cannot write the signatures");
}
