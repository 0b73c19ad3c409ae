/* Attacks Epistula's headers and message with anything; the kept inputs hold signatures that pass. */
#include <stddef.h>
#include <stdint.h>

#include "sdk/auth/test/fuzz_headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_family(TL_AUTH_EPISTULA, "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
                       INT64_C(1752076800001000000), data, len);
}
