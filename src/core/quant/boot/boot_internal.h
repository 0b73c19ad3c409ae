/* What the files of boot share. Nothing outside this room includes it. */
#ifndef TALLY_CORE_QUANT_BOOT_INTERNAL_H
#define TALLY_CORE_QUANT_BOOT_INTERNAL_H

#include "core/quant/boot/boot.h"

/* tl__boot_draw: where the resamples of one series come from. */
typedef struct tl__boot_draw {
    const double
        *twice; /* the series, and the series again: a block that wraps is still one piece */
    size_t n;
    uint64_t threshold; /* unit < p is (next >> 11) < threshold */
    tl_xoshiro rng;
} tl__boot_draw;

/* tl__boot_threshold: ceil(2^53 / mean_block): a unit is a multiple of 2^-53, so this loses
 * nothing. */
uint64_t tl__boot_threshold(double mean_block);

/* tl__boot_resample: the next n values. */
void tl__boot_resample(double *out, tl__boot_draw *draw);

#endif
