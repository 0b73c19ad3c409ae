/* xoshiro256**: 256 bits of state, shifts and rotations only. */
#include "core/num/rng/rng.h"

uint64_t tl_splitmix64(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15); /* 2^64 / golden ratio */
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void tl_xoshiro_seed(tl_xoshiro *rng, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        rng->s[i] = tl_splitmix64(&seed);
    }
    /* All zero would stay zero. splitmix64 is a bijection of a counter: four equal outputs cannot be. */
    TL_ASSERT((rng->s[0] | rng->s[1] | rng->s[2] | rng->s[3]) != 0);
}

static uint64_t rotate_left(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t tl_xoshiro_next(tl_xoshiro *rng)
{
    uint64_t *s = rng->s;
    const uint64_t out = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return out;
}

double tl_xoshiro_unit(tl_xoshiro *rng)
{
    return (double)(tl_xoshiro_next(rng) >> 11) * 0x1p-53; /* RNG-1 */
}

uint64_t tl_xoshiro_below(tl_xoshiro *rng, uint64_t n)
{
    TL_ASSERT(n > 0);
    __extension__ typedef unsigned __int128 u128;
    return (uint64_t)(((u128)tl_xoshiro_next(rng) * n) >> 64); /* RNG-1 */
}
