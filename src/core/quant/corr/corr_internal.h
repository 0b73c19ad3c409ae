/* What the files of corr share. Nothing outside this room includes it.
 *
 * A tile is the 4 x 4 products of two panels. The variants differ in how many of a cell's eight
 * lanes they carry at a time; the portable one is the definition, the others are asked for only
 * when the processor has what they need, once a block.
 */
#ifndef TALLY_CORE_QUANT_CORR_INTERNAL_H
#define TALLY_CORE_QUANT_CORR_INTERNAL_H

#include "core/quant/corr/corr.h"

#define TL__CORR_LANES 8
#define TL__CORR_PANEL 4                                         /* series side by side */
#define TL__CORR_STEP  ((size_t)TL__CORR_LANES * TL__CORR_PANEL) /* doubles of one group */

/* tl__corr_tile: out[4 r + c] = sum over the periods of a's series r times b's series c.
 * a, b  panels: groups of 4 series x 8 periods, 64-byte aligned */
typedef void tl__corr_tile(double out[16], const double *a, const double *b, size_t groups);

void tl__corr_tile_portable(double out[16], const double *a, const double *b, size_t groups);

#if defined(__x86_64__)
#    define TL__CORR_WITH_X86 1
bool tl__corr_has_avx2(void);
bool tl__corr_has_avx512(void);
void tl__corr_tile_avx2(double out[16], const double *a, const double *b, size_t groups);
void tl__corr_tile_avx512(double out[16], const double *a, const double *b, size_t groups);
#else
#    define TL__CORR_WITH_X86 0
#endif

/* tl__corr_tile_best: the widest variant that runs here. */
tl__corr_tile *tl__corr_tile_best(void);

/* tl__corr_scale: how a series is standardised: z = (x - mean) * scale; status says whether it can
 * be. */
typedef struct tl__corr_scale {
    double mean;
    double scale; /* 0 when status is not ok */
    tl_metric_status status;
} tl__corr_scale;

tl__corr_scale tl__corr_scale_of(const double *x, size_t n);

/* tl__corr_is_flat: a constant side. Ranks would tell values apart that differ by rounding alone,
 * so Spearman asks the values themselves. */
bool tl__corr_is_flat(const double *x, size_t n);

/* tl__corr_clamp: into [-1, 1] (CORR-1). */
static inline double tl__corr_clamp(double rho)
{
    return rho > 1.0 ? 1.0 : (rho < -1.0 ? -1.0 : rho);
}

#endif
