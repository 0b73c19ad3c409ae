/* rng: randomness that is handed in as a seed and replays to the bit.
 * For         the bootstrap, spot checks, worlds of the tests; the listings network's draws, as CPython makes them
 * Takes       a seed                           Gives       a stream that depends on nothing else
 * Calls       base/arena                       Called by   quant, consensus, subnet, tests
 * Owns        nothing: the state is the caller's
 * Threads     one generator, one thread
 * Invariants  RNG-1 below(n) is below n, unit and random lie in [0, 1)
 *             RNG-2 a sample holds k different indices below n
 *             RNG-3 a shuffle is a permutation of what it was given
 * Read        xoshiro.c, then mt.c, then sample.c
 *
 * None of these is for secrets.
 */
#ifndef TALLY_CORE_NUM_RNG_H
#define TALLY_CORE_NUM_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- xoshiro256** seeded by splitmix64 (Blackman and Vigna 2018), as quant-math spec section 7 says --- */

/* tl_splitmix64: advance the state, return the next output. */
uint64_t tl_splitmix64(uint64_t *state);

typedef struct tl_xoshiro {
    uint64_t s[4];
} tl_xoshiro;

/* tl_xoshiro_seed: the state is four outputs of splitmix64; any seed will do, 0 too. */
void tl_xoshiro_seed(tl_xoshiro *rng, uint64_t seed);

uint64_t tl_xoshiro_next(tl_xoshiro *rng);

/* tl_xoshiro_unit: in [0, 1), a multiple of 2^-53. */
double tl_xoshiro_unit(tl_xoshiro *rng);

/* tl_xoshiro_below: the high 64 bits of next * n: below n. The bias is below n / 2^64 and part of the definition.
 * n not 0 (asserted). */
uint64_t tl_xoshiro_below(tl_xoshiro *rng, uint64_t n);

/* --- MT19937 as CPython 3.11's random.Random uses it --- */

#define TL_MT_WORDS 624

typedef struct tl_mt {
    uint32_t word[TL_MT_WORDS];
    uint32_t at; /* next word to hand out; TL_MT_WORDS: make new ones first */
} tl_mt;

/* tl_mt_seed_words: random.seed(an int of any size): its absolute value in words of 32 bits, lowest first. Leading zero
 * words are not counted, no words at all are the int 0. Cost: two passes over max(624, count). */
void tl_mt_seed_words(tl_mt *mt, const uint32_t *le_words, size_t count);

/* tl_mt_seed_u64, tl_mt_seed_i64: the same of a small int; CPython takes the absolute value of a negative one. */
void tl_mt_seed_u64(tl_mt *mt, uint64_t seed);
void tl_mt_seed_i64(tl_mt *mt, int64_t seed);

/* tl_mt_next_u32: the generator's own output. */
uint32_t tl_mt_next_u32(tl_mt *mt);

/* tl_mt_random: random.random(): 53 bits of two outputs, in [0, 1). */
double tl_mt_random(tl_mt *mt);

/* tl_mt_getrandbits: random.getrandbits(k), k at most 64 (asserted); 0 for k = 0, and then nothing is drawn. */
uint64_t tl_mt_getrandbits(tl_mt *mt, uint32_t k);

/* tl_mt_randbelow: Random._randbelow(n): bits are drawn until they are below n; 0 for n = 0, and then nothing is drawn.
 * random.choice of n things and random.randrange(n) draw the same. */
uint64_t tl_mt_randbelow(tl_mt *mt, uint64_t n);

/* tl_mt_sample: random.sample(range(n), k): k different indices, in the order of the draw.
 *
 * out      room for k
 * scratch  O(k) bytes, given back before return; CPython's two ways (a pool for small n, a set for large) are both kept,
 *          since they draw differently
 * Errors   TL_ERR_RANGE when k is above n (CPython's ValueError) or above TL_MT_SAMPLE_MAX; those of the arena
 */
TL_MUST_USE tl_err tl_mt_sample(tl_mt *mt, uint64_t *out, uint64_t n, uint64_t k, tl_arena *scratch,
                                tl_errctx *ctx);

/* The drawn indices and the set take 24 bytes each: 16 million fit in the default arena; and so few that CPython's
 * floating logarithm in the size of its set is the exact one. */
#define TL_MT_SAMPLE_MAX (UINT64_C(1) << 24)

/* tl_mt_shuffle: random.shuffle of count indices in place. */
void tl_mt_shuffle(tl_mt *mt, uint64_t *items, size_t count);

#ifdef __cplusplus
}
#endif

#endif
