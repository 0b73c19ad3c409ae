/* Eight generators side by side, as every machine can; which variant runs here; and resamples out
 * of their rows. */
#define FILL_NAME tl__boot_fill_portable
#define FILL_TARGET
#include "core/quant/boot/stream_body.h"

#define WORDS_MIN 8 /* made at a time, at least */

tl__boot_fill *tl__boot_fill_best(void)
{
#if TL__BOOT_WITH_X86
    if (tl__boot_has_avx512()) {
        return tl__boot_fill_avx512;
    }
    if (tl__boot_has_avx2()) {
        return tl__boot_fill_avx2;
    }
#endif
    return tl__boot_fill_portable;
}

uint64_t tl__boot_streams_rows(size_t n)
{
    const uint64_t least = 2 * (uint64_t)n + (uint64_t)(WORDS_MIN + 1) * TL__BOOT_WORD;
    uint64_t rows = TL__BOOT_WORD;
    while (rows < least) {
        rows *= 2;
    }
    return rows;
}

/* How many rows of a lane from row at on hit nothing, at most. */
static size_t rows_to_hit(const tl__boot_streams *s, size_t lane, uint64_t at, size_t most)
{
    const uint64_t last = s->rows - 1;
    uint64_t word = s->hits[(at & last) / TL__BOOT_WORD][lane] >> (at % TL__BOOT_WORD);
    size_t passed = 0;
    while (word == 0) {
        const size_t step = TL__BOOT_WORD - (size_t)((at + passed) % TL__BOOT_WORD);
        passed += step;
        if (passed >= most) {
            return most;
        }
        word = s->hits[((at + passed) & last) / TL__BOOT_WORD][lane];
    }
    passed += (size_t)__builtin_ctzll(word);
    return passed < most ? passed : most;
}

/* count values in chunks: the last one may run over, within the slack. Most pieces need the first
 * two alone. */
static void copy_piece(double *out, const double *from, size_t count)
{
    enum { CHUNK = 8 };
    memcpy(out, from, CHUNK * sizeof *out);
    memcpy(out + CHUNK, from + CHUNK, CHUNK * sizeof *out);
    for (size_t k = TL__BOOT_SLACK; k < count; k += CHUNK) {
        memcpy(out + k, from + k, CHUNK * sizeof *out);
    }
}

void tl__boot_take(double *out, const double *twice, size_t n, const tl__boot_streams *s,
                   size_t lane, uint64_t *at)
{
    __extension__ typedef unsigned __int128 u128;
    TL_ASSERT(s->end - *at >= 2 * (uint64_t)n);
    const uint64_t last = s->rows - 1;
    uint64_t row = *at;
    size_t i = 0;
    for (;;) {
        const size_t start = (size_t)(((u128)s->draws[row & last][lane] * n) >> 64); /* BOOT-2 */
        row++;
        const size_t follow = rows_to_hit(s, lane, row, n - i - 1);
        copy_piece(out + i, twice + start, follow + 1);
        row += follow;
        i += follow + 1;
        if (i == n) {
            break;
        }
        row++; /* the unit that hit */
    }
    *at = row;
}
