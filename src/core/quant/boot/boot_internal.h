/* What the files of boot share. Nothing outside this room includes it.
 *
 * Two roads to the same resamples. One series alone draws as it goes (resample.c). Many series
 * draw side by side: the generators of eight of them run in the lanes of one vector (stream.c),
 * and beside each draw it is noted whether it begins a block, so that a resample is a handful of
 * copied pieces:
 *
 *      row        lane 0 … 7: the draws of eight series             hits: one bit a row and lane,
 *                 64 rows a word
 *      end - 3    u u u u u u u u                                   .1......
 *      end - 2    u u u u u u u u                                   ........
 *      end - 1    u u u u u u u u                                   ....1..1
 *
 * Rows lie in a ring. A lane takes resamples while the rows that one may need at most (2 n) are
 * there, so no lane is ever 2 n behind another, and the ring is never overrun.
 */
#ifndef TALLY_CORE_QUANT_BOOT_INTERNAL_H
#define TALLY_CORE_QUANT_BOOT_INTERNAL_H

#include "core/quant/boot/boot.h"

/* tl__boot_threshold: ceil(2^53 / mean_block): unit < p is (next >> 11) < threshold; a unit is a
 * multiple of 2^-53, so this loses nothing. */
uint64_t tl__boot_threshold(double mean_block);

/* tl__boot_draw: where the resamples of one series come from. */
typedef struct tl__boot_draw {
    const double
        *twice; /* the series, and the series again: a block that wraps is still one piece */
    size_t n;
    uint64_t threshold;
    tl_xoshiro rng;
} tl__boot_draw;

/* tl__boot_resample: the next n values. */
void tl__boot_resample(double *out, tl__boot_draw *draw);

#define TL__BOOT_LANES 8
#define TL__BOOT_WORD  64 /* rows a word of hits */
#define TL__BOOT_SLACK                                                                             \
    16 /* pieces are copied in whole chunks: doubles to spare behind twice and behind a resample */

/* tl__boot_streams: eight generators side by side. */
typedef struct tl__boot_streams {
    uint64_t state[4][TL__BOOT_LANES];
    uint64_t (*draws)[TL__BOOT_LANES]; /* ring of rows; 64-byte aligned */
    uint64_t (*hits)[TL__BOOT_LANES];  /* ring of words */
    uint64_t rows;                     /* of the ring: a power of two, at least TL__BOOT_WORD */
    uint64_t end;                      /* rows made so far, a multiple of TL__BOOT_WORD */
    uint64_t threshold;
} tl__boot_streams;

/* tl__boot_fill: make the next words * 64 rows. */
typedef void tl__boot_fill(tl__boot_streams *s, size_t words);

void tl__boot_fill_portable(tl__boot_streams *s, size_t words);

#if defined(__x86_64__)
#    define TL__BOOT_WITH_X86 1
bool tl__boot_has_avx2(void);
bool tl__boot_has_avx512(void);
void tl__boot_fill_avx2(tl__boot_streams *s, size_t words);
void tl__boot_fill_avx512(tl__boot_streams *s, size_t words);
#else
#    define TL__BOOT_WITH_X86 0
#endif

/* tl__boot_fill_best: the widest variant that runs here. */
tl__boot_fill *tl__boot_fill_best(void);

/* tl__boot_streams_rows: the size of a ring for series of n values: room for 2 n rows and some
 * words more. */
uint64_t tl__boot_streams_rows(size_t n);

/* tl__boot_take: tl__boot_resample of lane, from row *at on; *at moves behind the last draw that
 * was used.
 *
 * out    n values and TL__BOOT_SLACK to spare
 * twice  2 n values and TL__BOOT_SLACK to spare
 * at     at least 2 n rows before s->end */
void tl__boot_take(double *out, const double *twice, size_t n, const tl__boot_streams *s,
                   size_t lane, uint64_t *at);

#endif
