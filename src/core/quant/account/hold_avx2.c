/* The same sums, four days in a register: two passes of eight running sums. AVX2 alone is turned
 * on, not FMA, and -ffp-contract=off holds as everywhere. */
#include "core/quant/account/account_internal.h"

#if TL__ACCOUNT_WITH_X86

#    define HOLD_BLOCK               tl__account_block_avx2
#    define HOLD_TURNED              tl__account_turned_avx2
#    define HOLD_TARGET              __attribute__((target("avx2")))
#    define HOLD_WIDTH               4
#    define HOLD_BEFORE(days, first) __builtin_shufflevector(days, first, 4, 0, 1, 2)
#    include "core/quant/account/hold_body.h"

bool tl__account_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

#else

typedef int tl__account_hold_avx2_is_absent; /* ISO C wants a declaration in every file */

#endif
