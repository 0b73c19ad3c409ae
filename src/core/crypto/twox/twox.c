#include "core/crypto/twox/twox.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static void put_words(uint8_t *out, size_t words, const void *data, size_t len)
{
    for (size_t seed = 0; seed < words; seed++) { /* TWOX-1 */
        const uint64_t word = XXH64(data, len, seed);
        for (size_t i = 0; i < 8; i++) {
            out[8 * seed + i] = (uint8_t)(word >> (8 * i));
        }
    }
}

void tl_twox64(uint8_t out[8], const void *data, size_t len)
{
    put_words(out, 1, data, len);
}

void tl_twox128(uint8_t out[16], const void *data, size_t len)
{
    put_words(out, 2, data, len);
}

void tl_twox256(uint8_t out[32], const void *data, size_t len)
{
    put_words(out, 4, data, len);
}
