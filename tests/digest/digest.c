/* digest [--areas]: prints the golden digest, alone on a line; with --areas a line for each area before it. */
#include "digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/codec/hex/hex.h"

typedef struct area {
    const char *name;
    void (*work)(digest *d);
} area;

/* The order is part of the digest. */
/* clang-format off */
static const area AREAS[] = {
    {"text", digest_area_text},
    {"hash", digest_area_hash},
    {"num", digest_area_num},
    {"quant", digest_area_quant},
    {"ledger", digest_area_ledger},
    {"yuma", digest_area_yuma},
    {"epoch", digest_area_epoch},
    {"crypto", digest_area_crypto},
    {"listings", digest_area_listings},
    {"race", digest_area_race},
};
/* clang-format on */

#define AREA_COUNT (sizeof AREAS / sizeof *AREAS)

void digest_bytes(digest *d, const void *bytes, size_t len)
{
    tl_sha256_update(&d->sha, bytes, len);
    d->fed_len += len;
}

void digest_u64(digest *d, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    digest_bytes(d, bytes, sizeof bytes);
}

void digest_i64(digest *d, int64_t value)
{
    digest_u64(d, (uint64_t)value);
}

void digest_f64(digest *d, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    digest_u64(d, bits);
}

void digest_f64s(digest *d, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        digest_f64(d, values[i]);
    }
}

void digest_str(digest *d, tl_str text)
{
    digest_u64(d, text.len);
    digest_bytes(d, text.ptr, text.len);
}

uint64_t digest_random(digest *d)
{
    d->random += 0x9E3779B97F4A7C15U;
    uint64_t z = d->random;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

uint64_t digest_below(digest *d, uint64_t n)
{
    return digest_random(d) % n;
}

/* Two draws in one expression would have no order: compilers differ. So each takes a statement, here and everywhere. */
uint64_t digest_sized(digest *d, uint64_t n)
{
    const uint64_t bits = digest_random(d);
    return bits >> digest_below(d, n);
}

int64_t digest_signed(digest *d, uint64_t n)
{
    const uint64_t magnitude = digest_sized(d, n) >> 1;
    return digest_below(d, 2) == 0 ? (int64_t)magnitude : -(int64_t)magnitude;
}

double digest_uniform(digest *d, double from, double to)
{
    const double unit = (double)(digest_random(d) >> 11) * 0x1p-53;
    return from + (to - from) * unit;
}

double digest_gauss_like(digest *d)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) {
        sum += digest_uniform(d, 0.0, 1.0);
    }
    return sum;
}

void digest_series(digest *d, double *out, size_t count, double mean, double scale)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = mean + scale * digest_gauss_like(d);
    }
}

void digest_random_bytes(digest *d, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)digest_random(d);
    }
}

void digest_ok(tl_err err, const tl_errctx *ctx, const char *step)
{
    if (err != TL_OK) {
        fprintf(stderr, "digest: %s: %s: %s\n", step, tl_err_name(err), ctx->message);
        exit(1);
    }
}

void *digest_alloc(digest *d, size_t count, size_t size)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    void *memory = tl_arena_alloc(d->arena, count, size, 16);
    if (memory == NULL) {
        digest_ok(tl_arena_fail(d->arena, &ctx), &ctx, "allocation");
    }
    return memory;
}

/* Each area starts from its own seed, so that a longer load in one changes no other. */
static void run_area(tl_hash32 *out, digest *d, size_t index)
{
    const tl_arena_mark mark = tl_arena_get_mark(d->arena);
    tl_sha256_init(&d->sha);
    d->random = 0x74616C6CU + index;
    d->fed_len = 0;
    AREAS[index].work(d);
    tl_sha256_final(&d->sha, out);
    tl_arena_rewind(d->arena, mark);
}

int main(int argc, char **argv)
{
    const int shows_areas = argc == 2 && strcmp(argv[1], "--areas") == 0;
    if (argc > 1 && !shows_areas) {
        fprintf(stderr, "usage: digest [--areas]\n");
        return 2;
    }
    digest d = {.arena = NULL};
    tl_errctx ctx = TL_ERRCTX_INIT;
    DIGEST_OK(tl_arena_new(&d.arena, NULL, 0, NULL, &ctx), &ctx);
    tl_hash32 areas[AREA_COUNT];
    char text[65];
    for (size_t i = 0; i < AREA_COUNT; i++) {
        run_area(&areas[i], &d, i);
        if (shows_areas) {
            tl_hex_write(text, areas[i].b, sizeof areas[i].b);
            printf("%-12s %s %10llu bytes\n", AREAS[i].name, text, (unsigned long long)d.fed_len);
        }
    }
    tl_arena_free(d.arena);
    /* Two implementations of the last hash: ours and libsodium's. */
    tl_hash32 total;
    tl_hash32 witness = {{0}}; /* the memory sanitizer does not see libsodium write */
    tl_sha256(&total, areas, sizeof areas);
    if (sodium_init() < 0 ||
        crypto_hash_sha256(witness.b, (const unsigned char *)areas, sizeof areas) != 0 ||
        tl_hash32_cmp(&total, &witness) != 0) {
        fprintf(stderr, "digest: libsodium's SHA-256 is not ours\n");
        return 1;
    }
    tl_hex_write(text, total.b, sizeof total.b);
    printf("%s\n", text);
    return 0;
}
