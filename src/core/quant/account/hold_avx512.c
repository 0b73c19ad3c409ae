/* The same sums, a line in a register. AVX-512F alone is turned on; it has fused products, but they
 * are neither asked for nor made: -ffp-contract=off holds as everywhere, and check-fp looks. */
#include "core/quant/account/account_internal.h"

#if TL__ACCOUNT_WITH_X86

#    define HOLD_BLOCK               tl__account_block_avx512
#    define HOLD_TURNED              tl__account_turned_avx512
#    define HOLD_TARGET              __attribute__((target("avx512f")))
#    define HOLD_WIDTH               8
#    define HOLD_BEFORE(days, first) __builtin_shufflevector(days, first, 8, 0, 1, 2, 3, 4, 5, 6)
#    include "core/quant/account/hold_body.h"

bool tl__account_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0;
}

#else

typedef int tl__account_hold_avx512_is_absent; /* ISO C wants a declaration in every file */

#endif
