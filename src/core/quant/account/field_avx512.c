/* The same with avx512: wider registers, the same sums; no fused product is asked for (-ffp-contract=off). */
#include "core/quant/account/account_internal.h"

#if TL__ACCOUNT_WITH_X86

#    define FIELD_NAME   tl__account_eight_avx512
#    define FIELD_TARGET __attribute__((target("avx512f")))
#    include "core/quant/account/field_body.h"

bool tl__account_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0;
}

#else

typedef int tl__account_avx512_is_absent; /* ISO C wants a declaration in every file */

#endif
