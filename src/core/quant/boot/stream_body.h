/* The body of the variants of tl__boot_fill: a template without a guard, included once by each
 * with FILL_NAME and FILL_TARGET set. The compiler cuts the vector of eight to what the target
 * has; integers, so nothing can round.
 *
 * Cost a row (eight draws): 16 operations for the generators, 5 for the hits, one store of 64
 * bytes. */
#include <string.h>

#include "core/quant/boot/boot_internal.h"

typedef uint64_t fill_eight __attribute__((vector_size(64)));
typedef int64_t fill_eight_signed __attribute__((vector_size(64)));

FILL_TARGET void FILL_NAME(tl__boot_streams *s, size_t words)
{
    fill_eight s0;
    fill_eight s1;
    fill_eight s2;
    fill_eight s3;
    memcpy(&s0, s->state[0], sizeof s0);
    memcpy(&s1, s->state[1], sizeof s1);
    memcpy(&s2, s->state[2], sizeof s2);
    memcpy(&s3, s->state[3], sizeof s3);
    const int64_t threshold = (int64_t)s->threshold; /* at most 2^53 */
    const uint64_t last = s->rows - 1;
    for (size_t word = 0; word < words; word++, s->end += TL__BOOT_WORD) {
        uint64_t(*row)[TL__BOOT_LANES] = &s->draws[s->end & last];
        fill_eight hits = {0};
        for (size_t k = 0; k < TL__BOOT_WORD; k++) {
            const fill_eight five = (s1 << 2) + s1;
            const fill_eight turned = (five << 7) | (five >> 57);
            const fill_eight out = (turned << 3) + turned; /* rotl(s1 * 5, 7) * 9 */
            const fill_eight t = s1 << 17;
            s2 ^= s0;
            s3 ^= s1;
            s1 ^= s2;
            s0 ^= s3;
            s2 ^= t;
            s3 = (s3 << 45) | (s3 >> 19);
            memcpy(row[k], &out, sizeof out);
            /* Bit k of a word: after 64 rows the first has come down to bit 0. */
            const fill_eight is_hit = (fill_eight)((fill_eight_signed)(out >> 11) < threshold);
            hits = (hits >> 1) | (is_hit & (UINT64_C(1) << 63));
        }
        memcpy(s->hits[(s->end & last) / TL__BOOT_WORD], &hits, sizeof hits);
    }
    memcpy(s->state[0], &s0, sizeof s0);
    memcpy(s->state[1], &s1, sizeof s1);
    memcpy(s->state[2], &s2, sizeof s2);
    memcpy(s->state[3], &s3, sizeof s3);
}
