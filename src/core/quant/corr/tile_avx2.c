/* The same sums, four lanes to a register: 8 running sums, 3 operands and a product in 16
 * registers. AVX2 alone is turned on, not FMA, and -ffp-contract=off holds as everywhere. */
#include "core/quant/corr/corr_internal.h"

#if TL__CORR_WITH_X86

#    define TILE_NAME    tl__corr_tile_avx2
#    define TILE_TARGET  __attribute__((target("avx2")))
#    define TILE_WIDTH   4
#    define TILE_COLUMNS 2
#    include "core/quant/corr/tile_body.h"

bool tl__corr_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

#else

typedef int tl__corr_avx2_is_absent; /* ISO C wants a declaration in every file */

#endif
