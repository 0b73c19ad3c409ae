/* MT19937 (Matsumoto and Nishimura 1998), seeded and read as CPython does. */
#include "core/num/rng/rng.h"

#define MIDDLE 397 /* the recurrence's second tap */

/* The generator's own seeding from one word, the ground on which a key is folded. */
static void seed_word(tl_mt *mt, uint32_t seed)
{
    mt->word[0] = seed;
    for (uint32_t i = 1; i < TL_MT_WORDS; i++) {
        const uint32_t before = mt->word[i - 1];
        mt->word[i] = UINT32_C(1812433253) * (before ^ (before >> 30)) + i;
    }
    mt->at = TL_MT_WORDS;
}

void tl_mt_seed_words(tl_mt *mt, const uint32_t *le_words, size_t count)
{
    static const uint32_t none[1] = {0};
    while (count > 0 && le_words[count - 1] == 0) {
        count--;
    }
    const uint32_t *key = count > 0 ? le_words : none;
    const size_t key_count = count > 0 ? count : 1;
    seed_word(mt, UINT32_C(19650218));
    uint32_t *w = mt->word;
    uint32_t i = 1;
    size_t j = 0;
    for (size_t left = key_count > TL_MT_WORDS ? key_count : TL_MT_WORDS; left > 0; left--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * UINT32_C(1664525))) + key[j] + (uint32_t)j;
        if (++i == TL_MT_WORDS) {
            w[0] = w[TL_MT_WORDS - 1];
            i = 1;
        }
        if (++j == key_count) {
            j = 0;
        }
    }
    for (uint32_t left = TL_MT_WORDS - 1; left > 0; left--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * UINT32_C(1566083941))) - i;
        if (++i == TL_MT_WORDS) {
            w[0] = w[TL_MT_WORDS - 1];
            i = 1;
        }
    }
    w[0] = UINT32_C(0x80000000); /* the state is not all zero */
}

void tl_mt_seed_u64(tl_mt *mt, uint64_t seed)
{
    const uint32_t words[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    tl_mt_seed_words(mt, words, 2);
}

void tl_mt_seed_i64(tl_mt *mt, int64_t seed)
{
    tl_mt_seed_u64(mt, seed < 0 ? 0 - (uint64_t)seed : (uint64_t)seed);
}

static uint32_t twist(uint32_t upper, uint32_t lower)
{
    const uint32_t y = (upper & UINT32_C(0x80000000)) | (lower & UINT32_C(0x7fffffff));
    return (y >> 1) ^ ((y & 1) != 0 ? UINT32_C(0x9908b0df) : 0);
}

static void make_words(tl_mt *mt)
{
    uint32_t *w = mt->word;
    for (uint32_t i = 0; i < TL_MT_WORDS; i++) {
        const uint32_t next = i + 1 < TL_MT_WORDS ? i + 1 : 0;
        const uint32_t tap = i + MIDDLE < TL_MT_WORDS ? i + MIDDLE : i + MIDDLE - TL_MT_WORDS;
        w[i] = w[tap] ^ twist(w[i], w[next]);
    }
    mt->at = 0;
}

uint32_t tl_mt_next_u32(tl_mt *mt)
{
    if (mt->at >= TL_MT_WORDS) {
        make_words(mt);
    }
    uint32_t y = mt->word[mt->at++];
    y ^= y >> 11;
    y ^= (y << 7) & UINT32_C(0x9d2c5680);
    y ^= (y << 15) & UINT32_C(0xefc60000);
    return y ^ (y >> 18);
}

double tl_mt_random(tl_mt *mt)
{
    const uint64_t high = tl_mt_next_u32(mt) >> 5; /* 27 bits */
    const uint64_t low = tl_mt_next_u32(mt) >> 6;  /* 26 bits */
    return (double)((high << 26) | low) * 0x1p-53; /* exact: RNG-1 */
}

uint64_t tl_mt_getrandbits(tl_mt *mt, uint32_t k)
{
    TL_ASSERT(k <= 64);
    if (k == 0) {
        return 0;
    }
    if (k <= 32) {
        return tl_mt_next_u32(mt) >> (32 - k);
    }
    const uint64_t low = tl_mt_next_u32(mt);
    const uint64_t high = tl_mt_next_u32(mt) >> (64 - k);
    return (high << 32) | low;
}

uint64_t tl_mt_randbelow(tl_mt *mt, uint64_t n)
{
    if (n == 0) {
        return 0;
    }
    const uint32_t k = 64 - (uint32_t)__builtin_clzll(n); /* int.bit_length */
    uint64_t r = tl_mt_getrandbits(mt, k);
    while (r >= n) { /* n >= 2^(k-1): each draw ends it with a chance of one half or more */
        r = tl_mt_getrandbits(mt, k);
    }
    return r; /* RNG-1 */
}

void tl_mt_shuffle(tl_mt *mt, uint64_t *items, size_t count)
{
    for (size_t i = count; i-- > 1;) {
        const size_t j = (size_t)tl_mt_randbelow(mt, (uint64_t)i + 1);
        const uint64_t kept = items[i]; /* a swap: RNG-3 */
        items[i] = items[j];
        items[j] = kept;
    }
}
