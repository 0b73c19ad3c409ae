/* The tile as it is defined, two lanes at a time, for every machine; and which variant runs here.
 * */
#define TILE_NAME tl__corr_tile_portable
#define TILE_TARGET
#define TILE_WIDTH   2
#define TILE_COLUMNS 2
#include "core/quant/corr/tile_body.h"

tl__corr_tile *tl__corr_tile_best(void)
{
#if TL__CORR_WITH_X86
    if (tl__corr_has_avx512()) {
        return tl__corr_tile_avx512;
    }
    if (tl__corr_has_avx2()) {
        return tl__corr_tile_avx2;
    }
#endif
    return tl__corr_tile_portable;
}
