/* digest: one SHA-256 over everything that must be the same on every machine.
 *
 * Each area works through a fixed load, made by a generator of its own from a fixed seed, and feeds every bit of its
 * results into its hash: doubles as their 64 bits, integers as eight bytes, little-endian. The digest is the SHA-256
 * of the areas' hashes in order. It is equal for gcc -O0, gcc -O3 -march=native, clang -O2 and aarch64
 * (scripts/determinism); when it changes, a rule of the spec has changed, and the commit names it. */
#ifndef TALLY_TESTS_DIGEST_H
#define TALLY_TESTS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/str/str.h"
#include "core/crypto/hash/hash.h"

typedef struct digest {
    tl_sha256_state sha;
    tl_arena *arena;  /* rewound after each area */
    uint64_t random;  /* state of the load's generator */
    uint64_t fed_len; /* bytes */
} digest;

void digest_bytes(digest *d, const void *bytes, size_t len);
void digest_u64(digest *d, uint64_t value);
void digest_i64(digest *d, int64_t value);
void digest_f64(digest *d, double value);
void digest_f64s(digest *d, const double *values, size_t count);
void digest_str(digest *d, tl_str text); /* its length, then its bytes */

/* The load's generator: SplitMix64, written here so that a defect of core's own generators shows in their area and
 * nowhere else. */
uint64_t digest_random(digest *d);
uint64_t digest_below(digest *d, uint64_t n); /* 0 … n - 1; the bias does not matter here */
uint64_t digest_sized(digest *d,
                      uint64_t n); /* random bits, shifted right by 0 … n - 1: all magnitudes */
int64_t digest_signed(digest *d, uint64_t n); /* the same with its sign */
double digest_uniform(digest *d, double from, double to);
double digest_gauss_like(digest *d); /* sum of twelve uniforms less six */
void digest_series(digest *d, double *out, size_t count, double mean, double scale);
void digest_random_bytes(digest *d, uint8_t *out, size_t len);

/* digest_ok: a step of the load failed: print what and end. The load is fixed, so that is a defect. */
void digest_ok(tl_err err, const tl_errctx *ctx, const char *step);

#define DIGEST_OK(expr, ctx) digest_ok((expr), (ctx), #expr)

/* Room for count objects, or the end. */
void *digest_alloc(digest *d, size_t count, size_t size);
#define DIGEST_NEW(d, type, count) ((type *)digest_alloc((d), (count), sizeof(type)))

/* The areas, one file each. */
void digest_area_text(digest *d);
void digest_area_hash(digest *d);
void digest_area_num(digest *d);
void digest_area_quant(digest *d);
void digest_area_ledger(digest *d);
void digest_area_yuma(digest *d);
void digest_area_epoch(digest *d);
void digest_area_crypto(digest *d);
void digest_area_listings(digest *d);
void digest_area_race(digest *d);

#endif
