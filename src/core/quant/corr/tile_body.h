/* The body of the tile's variants: a template without a guard, included once by each with
 *
 *      TILE_NAME     the function that it defines
 *      TILE_TARGET   the attribute that turns the instructions on, or nothing
 *      TILE_WIDTH    lanes of a cell carried at a time: 2, 4 or 8
 *      TILE_COLUMNS  columns of the tile at a time: 2 or 4
 *
 * A pass keeps 4 x TILE_COLUMNS running sums of TILE_WIDTH lanes in registers and reads its lanes
 * of both panels from end to end; (8 / TILE_WIDTH) x (4 / TILE_COLUMNS) passes make a tile. A
 * group of 8 periods costs 4 + TILE_COLUMNS loads for 4 x TILE_COLUMNS products and as many
 * additions; 64 bytes a series. No intrinsics: products and sums are the compiler's vectors, each
 * rounded once.
 */
#include <string.h>

#include "core/quant/corr/corr_internal.h"

typedef double tile_vector __attribute__((vector_size(TILE_WIDTH * 8)));
typedef double tile_four __attribute__((vector_size(32)));

/* Lanes 0 to 7 of one cell become lane k + lane k + 4. */
TILE_TARGET static inline void tile_halve(tile_four *out, const double lanes[TL__CORR_LANES])
{
    tile_four high;
    memcpy(out, lanes, sizeof *out);
    memcpy(&high, lanes + 4, sizeof high);
    *out += high;
}

/* One row of four cells: ((0+4)+(2+6)) + ((1+5)+(3+7)), tl_sum's tree, in all four at once:
 * CORR-2. */
TILE_TARGET static inline void tile_fold(double out[TL__CORR_PANEL],
                                         double lanes[TL__CORR_PANEL][TL__CORR_LANES])
{
    tile_four a;
    tile_four b;
    tile_four c;
    tile_four d;
    tile_halve(&a, lanes[0]);
    tile_halve(&b, lanes[1]);
    tile_halve(&c, lanes[2]);
    tile_halve(&d, lanes[3]);
    const tile_four ac =
        __builtin_shufflevector(a, c, 0, 1, 4, 5) + __builtin_shufflevector(a, c, 2, 3, 6, 7);
    const tile_four bd =
        __builtin_shufflevector(b, d, 0, 1, 4, 5) + __builtin_shufflevector(b, d, 2, 3, 6, 7);
    const tile_four sums =
        __builtin_shufflevector(ac, bd, 0, 4, 2, 6) + __builtin_shufflevector(ac, bd, 1, 5, 3, 7);
    memcpy(out, &sums, sizeof sums);
}

TILE_TARGET void TILE_NAME(double out[16], const double *a, const double *b, size_t groups)
{
    double lanes[TL__CORR_PANEL][TL__CORR_PANEL][TL__CORR_LANES];
    for (size_t pass = 0; pass < TL__CORR_LANES; pass += TILE_WIDTH) {
        for (size_t column = 0; column < TL__CORR_PANEL; column += TILE_COLUMNS) {
            const double *x = a + pass;
            const double *y = b + pass + column * TL__CORR_LANES;
            tile_vector sum[TL__CORR_PANEL][TILE_COLUMNS] = {{{0}}};
            for (size_t g = 0; g < groups; g++, x += TL__CORR_STEP, y += TL__CORR_STEP) {
                tile_vector vy[TILE_COLUMNS];
#pragma GCC unroll 4
                for (size_t c = 0; c < TILE_COLUMNS; c++) {
                    memcpy(&vy[c], y + c * TL__CORR_LANES, sizeof vy[c]);
                }
#pragma GCC unroll 4
                for (size_t r = 0; r < TL__CORR_PANEL; r++) {
                    tile_vector vx;
                    memcpy(&vx, x + r * TL__CORR_LANES, sizeof vx);
#pragma GCC unroll 4
                    for (size_t c = 0; c < TILE_COLUMNS; c++) {
                        sum[r][c] += vx * vy[c];
                    }
                }
            }
#pragma GCC unroll 4
            for (size_t r = 0; r < TL__CORR_PANEL; r++) {
#pragma GCC unroll 4
                for (size_t c = 0; c < TILE_COLUMNS; c++) {
                    memcpy(&lanes[r][column + c][pass], &sum[r][c], sizeof sum[r][c]);
                }
            }
        }
    }
    for (size_t r = 0; r < TL__CORR_PANEL; r++) {
        tile_fold(out + r * TL__CORR_PANEL, lanes[r]);
    }
}
