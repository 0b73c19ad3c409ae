/* The same sums, all eight lanes of a cell in one register: 16 running sums, 5 operands and a
 * product in 32 registers. AVX-512F alone is turned on; it has fused products, but they are
 * neither asked for nor made: -ffp-contract=off holds as everywhere, and check-fp looks. */
#include "core/quant/corr/corr_internal.h"

#if TL__CORR_WITH_X86

#    define TILE_NAME    tl__corr_tile_avx512
#    define TILE_TARGET  __attribute__((target("avx512f")))
#    define TILE_WIDTH   8
#    define TILE_COLUMNS 4
#    include "core/quant/corr/tile_body.h"

bool tl__corr_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0;
}

#else

typedef int tl__corr_avx512_is_absent; /* ISO C wants a declaration in every file */

#endif
