/* One series alone: it draws as it goes. The generator's state stays in registers: next() is
 * tl_xoshiro_next written out, and a test holds the two against each other.
 *
 * Cost: some 2 ns a value, 8 bytes read and 8 written; what it waits for is the generator, not
 * memory. */
#include "core/quant/boot/boot_internal.h"

static uint64_t rotate_left(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static inline uint64_t next(uint64_t s[4])
{
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

static inline size_t below(uint64_t s[4], uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    return (size_t)(((u128)next(s) * n) >> 64); /* BOOT-2 */
}

uint64_t tl__boot_threshold(double mean_block)
{
    TL_ASSERT(mean_block >= 1.0);
    const double scaled = 0x1p53 / mean_block;
    const uint64_t whole = (uint64_t)scaled;
    return whole + ((double)whole < scaled);
}

void tl__boot_resample(double *out, tl__boot_draw *draw)
{
    const double *twice = draw->twice;
    const uint64_t n = draw->n;
    const uint64_t threshold = draw->threshold;
    uint64_t s[4] = {draw->rng.s[0], draw->rng.s[1], draw->rng.s[2], draw->rng.s[3]};
    /* Value i of the block at hand is twice[offset + i], modulo 2^64. A block begins below n and
     * has at most n values. */
    size_t offset = below(s, n);
    out[0] = twice[offset];
    for (size_t i = 1; i < n; i++) {
        if ((next(s) >> 11) < threshold) {
            offset = below(s, n) - i;
        }
        out[i] = twice[offset + i];
    }
    for (size_t k = 0; k < 4; k++) {
        draw->rng.s[k] = s[k];
    }
}

void tl_boot_indices(uint32_t *out, size_t n, double mean_block, tl_xoshiro *rng)
{
    TL_ASSERT(n >= 1 && n <= TL_SERIES_PERIODS_MAX);
    TL_ASSERT(mean_block >= 1.0);
    const double p = 1.0 / mean_block;
    out[0] = (uint32_t)tl_xoshiro_below(rng, n);
    for (size_t i = 1; i < n; i++) {
        if (tl_xoshiro_unit(rng) < p) {
            out[i] = (uint32_t)tl_xoshiro_below(rng, n);
        } else {
            out[i] = out[i - 1] + 1 == n ? 0 : out[i - 1] + 1;
        }
        TL_ASSERT(out[i] < n); /* BOOT-2 */
    }
}
