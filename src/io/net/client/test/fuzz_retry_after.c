/* A Retry-After of any bytes at any time: refused, or a wait that is no more than what it says. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "io/net/client/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t wall_ns = 0;
    if (size < sizeof wall_ns) {
        return 0;
    }
    memcpy(&wall_ns, data, sizeof wall_ns);
    wall_ns &= INT64_MAX;
    const tl_str text = {(const char *)data + sizeof wall_ns, size - sizeof wall_ns};
    uint64_t wait_ms = UINT64_MAX;
    if (!tl_retry_after_ms(&wait_ms, text, wall_ns)) {
        TL_ASSERT(wait_ms == UINT64_MAX);
        return 0;
    }
    TL_ASSERT(wait_ms <=
              (uint64_t)INT64_MAX / 1000000 * 1000); /* the year 9999 is as far as dates go */
    uint64_t later_ms = 0;
    if (wall_ns <
        INT64_MAX - 1000000000) { /* a second later the wait is the same, or a second less */
        TL_ASSERT(tl_retry_after_ms(&later_ms, text, wall_ns + 1000000000));
        TL_ASSERT(later_ms <= wait_ms || tl_str_find(text, '-') < text.len);
    }
    return 0;
}
