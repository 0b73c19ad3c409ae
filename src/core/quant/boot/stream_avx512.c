/* The same rows, all eight lanes in one register, where a rotation is one instruction. */
#include "core/quant/boot/boot_internal.h"

#if TL__BOOT_WITH_X86

#    define FILL_NAME   tl__boot_fill_avx512
#    define FILL_TARGET __attribute__((target("avx512f")))
#    include "core/quant/boot/stream_body.h"

bool tl__boot_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0;
}

#else

typedef int tl__boot_avx512_is_absent; /* ISO C wants a declaration in every file */

#endif
