/* What the sources of the room share: the compression function of SHA-256 in its two forms. */
#ifndef TALLY_CORE_CRYPTO_HASH_INTERNAL_H
#define TALLY_CORE_CRYPTO_HASH_INTERNAL_H

#include <stdbool.h>

#include "core/crypto/hash/hash.h"

/* The cube roots of the first 64 primes (FIPS 180-4 section 4.2.2). */
extern const uint32_t tl__sha256_k[64];

/* block_count blocks into the state. The portable form is the definition; the other gives the same state and may be
 * called only where tl__sha256_has_ni. */
void tl__sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t block_count);
void tl__sha256_compress_ni(uint32_t state[8], const uint8_t *blocks, size_t block_count);

/* The same for two states at once. */
void tl__sha256_compress_two_ni(uint32_t *const states[2], const uint8_t *const blocks[2],
                                size_t block_count);

/* Has this processor the instructions, and did the compiler know how to ask? */
bool tl__sha256_has_ni(void);

#endif
