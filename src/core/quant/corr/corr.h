/* corr: how alike two series move: Pearson and Spearman, one pair, or all of a thousand series.
 * For         the correlation detectors, the metrics against a benchmark, `tally` tables
 * Takes       series of the same n periods, finite, with or without gaps
 * Gives       correlations in [-1, 1], each with a status and the number of common periods
 * Calls       num/sum, num/stats, metrics (tl_metric)          Called by   detect, subnet, app
 * Owns        nothing: a tl_corr_table lives in the arena that it was made in
 * Threads     making a table: one; running blocks of one table: any number, each with its own
 *             scratch
 * Invariants  CORR-1 a correlation lies in [-1, 1]; it is 0 where the status is not ok
 *             CORR-2 the fast path's bits are those of tl_corr_pearson for every pair
 *             CORR-3 corr(a, b) and corr(b, a) are the same bits
 *             CORR-4 blocks write disjoint cells: the result depends neither on their order nor on
 *                    the machine
 * Read        pair.c (the definition), table.c (the plan), kernel.h and its instances (the product)
 *
 * Definition (quant-math spec section 6). Over the periods that both have, each side less its own
 * mean, divided by the root of its sum of squares: z = (x - mean) / sqrt(sum (x - mean)^2); rho =
 * sum za zb, clamped. Spearman is the same of average ranks, taken anew on the overlap (a side
 * whose values are constant has none: rounding is no rank). Fewer
 * common periods than overlap_min (or than 2): too_few. A constant side (std <= 2^-40 max |x|):
 * zero_denominator; squares beyond the doubles (values above 1e150): too_large. The diagonal
 * follows the same rule, and is exactly 1 where defined.
 *
 * Without gaps the matrix is Z Z^T. The product is cut into tiles of 4 x 4 pairs; each cell keeps
 * eight running sums, one a lane (period mod 8), and folds them in tl_sum's tree: hence CORR-2.
 * What the instances differ in is how many lanes of a cell they carry at a time (2, 4 or 8): the
 * eight sums never meet before the fold, so the bits are the same.
 *
 *      packed rows:  panel of 4 series ─▶ group of 8 periods ─▶ 4 x 8 doubles, one cache line a
 *                    series
 *      cells:        block = 32 rows; a block computes what lies left of and on the diagonal, and
 *                    mirrors it
 *
 *              columns ─▶  ┌───┐
 *              block 0     │ 0 │▒▒▒▒   ▒ mirrored by the block whose row index is larger
 *              block 1     │ 1  1 │▒▒
 *              block 2     │ 2  2  2 │
 */
#ifndef TALLY_CORE_QUANT_CORR_H
#define TALLY_CORE_QUANT_CORR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "core/quant/metrics/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_CORR_OVERLAP_MIN 30    /* default of options.overlap_min (spec) */
#define TL_CORR_SERIES_MAX  65536 /* uids are 16 bits */
#define TL_CORR_BLOCK_ROWS  32

typedef enum tl_corr_kind { TL_CORR_PEARSON, TL_CORR_SPEARMAN } tl_corr_kind;

/* tl_corr_series: n values; is_missing NULL: no gaps; values at gaps are not read. */
typedef struct tl_corr_series {
    const double *values;
    const bool *is_missing;
} tl_corr_series;

typedef struct tl_corr_options {
    tl_corr_kind kind;
    size_t overlap_min;
} tl_corr_options;

/* --- one pair --- */

/* tl_corr_pearson: of two series without gaps; n < 2: too_few. Never allocates. */
tl_metric tl_corr_pearson(const double *a, const double *b, size_t n);

typedef struct tl_corr_result {
    tl_metric value;
    size_t overlap; /* periods that both have */
} tl_corr_result;

/* tl_corr_pair: Pearson or Spearman of two series that may have gaps.
 * scratch  at most 8 n doubles, given back. Errors: those of the arena. */
TL_MUST_USE tl_err tl_corr_pair(tl_corr_result *out, tl_corr_series a, tl_corr_series b, size_t n,
                                const tl_corr_options *options, tl_arena *scratch, tl_errctx *ctx);

/* --- all pairs --- */

typedef struct tl_corr_table tl_corr_table;

/* tl_corr_matrix: count x count cells, row after row; status (a tl_metric_status each) and overlap
 * may be NULL. */
typedef struct tl_corr_matrix {
    double *value;
    uint8_t *status;
    uint32_t *overlap;
} tl_corr_matrix;

/* tl_corr_table_make: standardise the series (ranks first for Spearman) and pack them.
 *
 * out     lives in arena, with 8 bytes a value and a padding of less than 8 periods and 4 series
 * series  borrowed until the last block has run
 * Errors: TL_ERR_RANGE when count is above TL_CORR_SERIES_MAX or n above TL_SERIES_PERIODS_MAX;
 * those of the arena. */
TL_MUST_USE tl_err tl_corr_table_make(tl_corr_table **out, tl_arena *arena,
                                      const tl_corr_series *series, size_t count, size_t n,
                                      const tl_corr_options *options, tl_errctx *ctx);

/* tl_corr_table_blocks: how many blocks of TL_CORR_BLOCK_ROWS rows there are; the k-th costs about
 * k + 1 units. */
size_t tl_corr_table_blocks(const tl_corr_table *table);

/* tl_corr_table_run: fill the cells of blocks [from, to), and their mirrors. Different blocks may
 * run in different threads into one matrix (CORR-4).
 * scratch  used only for series with gaps, given back. Errors: those of the arena. */
TL_MUST_USE tl_err tl_corr_table_run(const tl_corr_table *table, const tl_corr_matrix *out,
                                     size_t from, size_t to, tl_arena *scratch, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
