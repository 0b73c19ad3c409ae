/* Attacks the v10 headers, their numbers and texts with anything; the kept inputs hold signatures that pass. */
#include <stddef.h>
#include <stdint.h>

#include "sdk/auth/test/fuzz_headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_family(TL_AUTH_V10, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
                       INT64_C(1700000001000000000), data, len);
}
