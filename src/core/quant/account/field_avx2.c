/* The same with avx2: wider registers, the same sums; no fused product is asked for (-ffp-contract=off). */
#include "core/quant/account/account_internal.h"

#if TL__ACCOUNT_WITH_X86

#    define FIELD_NAME   tl__account_eight_avx2
#    define FIELD_TARGET __attribute__((target("avx2")))
#    include "core/quant/account/field_body.h"

bool tl__account_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

#else

typedef int tl__account_avx2_is_absent; /* ISO C wants a declaration in every file */

#endif
