/* hash: the four hash functions that the network's formats name, in code of our own.
 * For         digests of bundles and journals (SHA-256), commitments (Keccak-256), addresses and keys (BLAKE2b)
 * Takes       bytes, whole or in pieces        Gives       a digest by value
 * Calls       libc's memcpy                    Called by   crypto/key, ledger, epoch, subnet, io, app
 * Owns        nothing: a state is the caller's, of fixed size, and needs no deinit
 * Threads     one state, one thread; the one-shot functions anywhere
 * Invariants  HASH-1 pieces change nothing: any cut of the input gives the digest of the whole
 *             HASH-2 bytes buffered in a state are always fewer than a block (BLAKE2b: at most a block)
 *             HASH-3 the processor's own instructions, where it has them, give the portable form's digests
 * Read        sha256.c, sha256_ni.c, then keccak.c, then blake2b.c
 *
 * Why own code where libsodium has two of the four: the memory sanitizer must see into base and core, libsodium lacks
 * Keccak, and the digest of an epoch must not depend on a library's version. The tests hold each against published
 * figures, and SHA-256 and BLAKE2b against libsodium besides.
 *
 *      init ──▶ update* ──▶ final          final wipes nothing and may not be followed by update;
 *                                          a state may be copied to go on twice
 *
 * Input lengths: up to 2^61 - 1 bytes in all, which no caller reaches. NULL data is fine when len is 0. The time of
 * each depends on the length only, never on the bytes.
 */
#ifndef TALLY_CORE_CRYPTO_HASH_H
#define TALLY_CORE_CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- SHA-256 (FIPS 180-4) --- */

#define TL_SHA256_BLOCK_LEN 64

typedef struct tl_sha256_state {
    uint32_t h[8];
    uint64_t len; /* bytes taken so far */
    uint8_t block[TL_SHA256_BLOCK_LEN];
} tl_sha256_state;

void tl_sha256_init(tl_sha256_state *state);
void tl_sha256_update(tl_sha256_state *state, const void *data, size_t len);
void tl_sha256_final(tl_sha256_state *state, tl_hash32 *out);
void tl_sha256(tl_hash32 *out, const void *data, size_t len);

/* tl_sha256_two: of two inputs side by side: one waits for itself, two wait for each other's gaps. Some 1.6 times as fast as
 * one after the other where the processor has the instructions. */
void tl_sha256_two(tl_hash32 out[2], tl_bytes a, tl_bytes b);

/* --- SHA3-256 (FIPS 202) and Keccak-256 (the original submission's padding, as Ethereum uses it) --- */

#define TL_KECCAK_RATE_LEN 136 /* 1600 bits less twice 256 */

/* One state for both: they differ in the first padding byte alone. */
typedef struct tl_keccak_state {
    uint64_t lane[25];
    uint32_t at; /* bytes of the current block that were absorbed, below TL_KECCAK_RATE_LEN */
} tl_keccak_state;

void tl_keccak_init(tl_keccak_state *state);
void tl_keccak_update(tl_keccak_state *state, const void *data, size_t len);
void tl_sha3_256_final(tl_keccak_state *state, tl_hash32 *out);
void tl_keccak256_final(tl_keccak_state *state, tl_hash32 *out);
void tl_sha3_256(tl_hash32 *out, const void *data, size_t len);
void tl_keccak256(tl_hash32 *out, const void *data, size_t len);

/* tl_keccak_f1600: the bare permutation of 25 lanes (lane x + 5y), for constructions other than these two. */
void tl_keccak_f1600(uint64_t lane[25]);

/* --- BLAKE2b without a key (RFC 7693) --- */

#define TL_BLAKE2B_BLOCK_LEN 128
#define TL_BLAKE2B_OUT_MAX   64

typedef struct tl_blake2b_state {
    uint64_t h[8];
    uint64_t len; /* bytes compressed so far, those in block not counted */
    uint32_t at;  /* bytes in block; the last block waits for final, so up to a whole one */
    uint32_t out_len;
    uint8_t block[TL_BLAKE2B_BLOCK_LEN];
} tl_blake2b_state;

/* out_len  1 … TL_BLAKE2B_OUT_MAX bytes; part of the hash, so a shorter digest is no prefix of a longer one.
 *          Any other length is our own mistake: asserted. */
void tl_blake2b_init(tl_blake2b_state *state, size_t out_len);
void tl_blake2b_update(tl_blake2b_state *state, const void *data, size_t len);
void tl_blake2b_final(tl_blake2b_state *state, uint8_t *out); /* writes the out_len of init */
void tl_blake2b(uint8_t *out, size_t out_len, const void *data, size_t len);
void tl_blake2b_256(tl_hash32 *out, const void *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
