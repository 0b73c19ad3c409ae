/* The same rows, four lanes to a register. */
#include "core/quant/boot/boot_internal.h"

#if TL__BOOT_WITH_X86

#    define FILL_NAME   tl__boot_fill_avx2
#    define FILL_TARGET __attribute__((target("avx2")))
#    include "core/quant/boot/stream_body.h"

bool tl__boot_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

#else

typedef int tl__boot_avx2_is_absent; /* ISO C wants a declaration in every file */

#endif
