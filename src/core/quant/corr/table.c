/* All pairs: series are standardised and packed once, then multiplied tile by tile. */
#include <string.h>

#include "core/num/stats/stats.h"
#include "core/quant/corr/corr_internal.h"

#define PANEL            TL__CORR_PANEL
#define PANELS_PER_BLOCK (TL_CORR_BLOCK_ROWS / PANEL)
#define PANELS_TOGETHER                                                                            \
    2 /* column panels that stay in the first cache while a block's rows pass by */
#define CACHE_LINE 64

_Static_assert(TL_CORR_BLOCK_ROWS % TL__CORR_PANEL == 0, "a block is whole panels");

struct tl_corr_table {
    const tl_corr_series *series; /* borrowed */
    double *packed;               /* panel after panel, each groups * TL__CORR_STEP doubles */
    uint8_t *status;              /* of each series by itself: a tl_metric_status */
    bool *has_gaps;
    bool any_has_gaps;
    size_t count;
    size_t n;
    size_t groups; /* of 8 periods, the last one filled up with zeros */
    size_t panels;
    tl_corr_options options;
    tl__corr_tile *tile;
};

static bool series_has_gaps(tl_corr_series s, size_t n)
{
    return s.is_missing != NULL && memchr(s.is_missing, true, n * sizeof(bool)) != NULL;
}

/* Where value t of a series stands in the packed rows. */
static double *packed_at(const tl_corr_table *table, size_t series, size_t t)
{
    const size_t panel = series / PANEL * table->groups * TL__CORR_STEP;
    const size_t group = t / TL__CORR_LANES * TL__CORR_STEP;
    return table->packed + panel + group + series % PANEL * TL__CORR_LANES + t % TL__CORR_LANES;
}

static tl_metric_status standardise(const tl_corr_table *table, size_t series, const double *x)
{
    const tl__corr_scale s = tl__corr_scale_of(x, table->n);
    if (s.status == TL_METRIC_OK) {
        for (size_t t = 0; t < table->n; t++) {
            *packed_at(table, series, t) = (x[t] - s.mean) * s.scale;
        }
    }
    return s.status;
}

/* Standardise series i, or its ranks. What has gaps stays zero here: its pairs are done one by
 * one. */
static tl_err pack(tl_corr_table *table, size_t i, tl_arena *arena, tl_errctx *ctx)
{
    table->has_gaps[i] = series_has_gaps(table->series[i], table->n);
    table->any_has_gaps = table->any_has_gaps || table->has_gaps[i];
    if (table->has_gaps[i] || table->n < table->options.overlap_min) {
        table->status[i] = TL_METRIC_TOO_FEW;
        return TL_OK;
    }
    if (table->options.kind == TL_CORR_PEARSON) {
        table->status[i] = (uint8_t)standardise(table, i, table->series[i].values);
        return TL_OK;
    }
    if (tl__corr_is_flat(table->series[i].values, table->n)) {
        table->status[i] = TL_METRIC_ZERO_DENOMINATOR;
        return TL_OK;
    }
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    double *ranks = TL_NEW(arena, double, table->n);
    if (ranks == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const tl_err err = tl_ranks_average(ranks, table->series[i].values, table->n, arena, ctx);
    if (err == TL_OK) {
        table->status[i] = (uint8_t)standardise(table, i, ranks);
    }
    tl_arena_rewind(arena, mark);
    return err;
}

tl_err tl_corr_table_make(tl_corr_table **out, tl_arena *arena, const tl_corr_series *series,
                          size_t count, size_t n, const tl_corr_options *options, tl_errctx *ctx)
{
    if (count > TL_CORR_SERIES_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu series, above %d", count, TL_CORR_SERIES_MAX);
    }
    if (n > TL_SERIES_PERIODS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu periods, above %zu", n, TL_SERIES_PERIODS_MAX);
    }
    tl_corr_table *table = TL_NEW(arena, tl_corr_table, 1);
    if (table == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    table->series = series;
    table->count = count;
    table->n = n;
    table->groups = (n + TL__CORR_LANES - 1) / TL__CORR_LANES;
    table->panels = (count + PANEL - 1) / PANEL;
    table->options = *options;
    table->tile = tl__corr_tile_best();
    const size_t packed_count = table->panels * table->groups * TL__CORR_STEP;
    table->packed = tl_arena_alloc(arena, packed_count, sizeof(double), CACHE_LINE);
    table->status = TL_NEW(arena, uint8_t, count);
    table->has_gaps = TL_NEW(arena, bool, count);
    if (table->packed == NULL || table->status == NULL || table->has_gaps == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        TL_TRY(pack(table, i, arena, ctx));
    }
    *out = table;
    return TL_OK;
}

size_t tl_corr_table_blocks(const tl_corr_table *table)
{
    return (table->count + TL_CORR_BLOCK_ROWS - 1) / TL_CORR_BLOCK_ROWS;
}

/* --- cells --- */

/* One cell and its mirror: CORR-3. */
static void put(const tl_corr_table *table, const tl_corr_matrix *out, size_t row, size_t column,
                tl_corr_result cell)
{
    const size_t at[2] = {row * table->count + column, column * table->count + row};
    for (size_t k = 0; k < 2; k++) {
        out->value[at[k]] = cell.value.value;
        if (out->status != NULL) {
            out->status[at[k]] = (uint8_t)cell.value.status;
        }
        if (out->overlap != NULL) {
            out->overlap[at[k]] = (uint32_t)cell.overlap;
        }
    }
}

/* Two series without gaps: the tile has their sum. Undefined ones were packed as zeros: the sum is
 * 0 (CORR-1). */
static void put_tile(const tl_corr_table *table, const tl_corr_matrix *out, size_t row,
                     size_t column, double sum)
{
    tl_corr_result cell = {{tl__corr_clamp(sum), TL_METRIC_OK}, table->n};
    if (table->status[row] != TL_METRIC_OK || table->status[column] != TL_METRIC_OK) {
        const bool row_fails = table->status[row] != TL_METRIC_OK;
        cell.value.status = (tl_metric_status)table->status[row_fails ? row : column];
    } else if (row == column) {
        cell.value.value = 1.0;
    }
    put(table, out, row, column, cell);
}

/* A tile left of the diagonal, whole, with nothing but values asked for: rows of four, then
 * columns of four. */
static void put_whole_tile(const tl_corr_table *table, const tl_corr_matrix *out, size_t row,
                           size_t column, double sums[16])
{
    double mirror[16];
    for (size_t k = 0; k < 16; k++) {
        sums[k] = tl__corr_clamp(sums[k]);
        mirror[k % PANEL * PANEL + k / PANEL] = sums[k];
    }
    for (size_t k = 0; k < PANEL; k++) {
        memcpy(out->value + (row + k) * table->count + column, sums + k * PANEL, PANEL * 8);
        memcpy(out->value + (column + k) * table->count + row, mirror + k * PANEL, PANEL * 8);
    }
}

static void run_tile(const tl_corr_table *table, const tl_corr_matrix *out, size_t row_panel,
                     size_t column_panel)
{
    double sums[16];
    const size_t panel = table->groups * TL__CORR_STEP;
    table->tile(sums, table->packed + row_panel * panel, table->packed + column_panel * panel,
                table->groups);
    const size_t row = row_panel * PANEL;
    const size_t column = column_panel * PANEL;
    const bool is_whole = row + PANEL <= table->count && row_panel != column_panel;
    if (is_whole && out->status == NULL && out->overlap == NULL) {
        put_whole_tile(table, out, row, column, sums);
        return;
    }
    for (size_t r = 0; r < PANEL && row + r < table->count; r++) {
        for (size_t c = 0; c < PANEL && column + c <= row + r; c++) {
            put_tile(table, out, row + r, column + c, sums[r * PANEL + c]);
        }
    }
}

/* The block's cells left of and on the diagonal; no other block computes or mirrors one of them:
 * CORR-4. */
static void run_block(const tl_corr_table *table, const tl_corr_matrix *out, size_t block)
{
    const size_t first = block * PANELS_PER_BLOCK;
    const size_t end =
        first + PANELS_PER_BLOCK < table->panels ? first + PANELS_PER_BLOCK : table->panels;
    for (size_t together = 0; together < end; together += PANELS_TOGETHER) {
        for (size_t row = first; row < end; row++) {
            for (size_t k = 0; k < PANELS_TOGETHER && together + k <= row; k++) {
                run_tile(table, out, row, together + k);
            }
        }
    }
}

/* --- pairs with gaps --- */

/* What lies left of and on the diagonal in one row, where either side has gaps. */
static tl_err run_row_with_gaps(const tl_corr_table *table, const tl_corr_matrix *out, size_t row,
                                tl_arena *scratch, tl_errctx *ctx)
{
    for (size_t column = 0; column <= row; column++) {
        if (!table->has_gaps[row] && !table->has_gaps[column]) {
            continue;
        }
        tl_corr_result cell;
        TL_TRY(tl_corr_pair(&cell, table->series[row], table->series[column], table->n,
                            &table->options, scratch, ctx));
        if (row == column && cell.value.status == TL_METRIC_OK) {
            cell.value.value = 1.0;
        }
        put(table, out, row, column, cell);
    }
    return TL_OK;
}

tl_err tl_corr_table_run(const tl_corr_table *table, const tl_corr_matrix *out, size_t from,
                         size_t to, tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(from <= to && to <= tl_corr_table_blocks(table));
    for (size_t block = from; block < to; block++) {
        run_block(table, out, block);
        const size_t end = (block + 1) * TL_CORR_BLOCK_ROWS;
        for (size_t row = block * TL_CORR_BLOCK_ROWS; row < end && row < table->count; row++) {
            if (table->any_has_gaps) {
                TL_TRY(run_row_with_gaps(table, out, row, scratch, ctx));
            }
        }
    }
    return TL_OK;
}
