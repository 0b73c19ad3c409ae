/* twox: the quick hashes that name storage on the chain: xxHash64 under several seeds, side by side.
 * For         keys of chain storage; never for anything that an opponent may choose to make collide
 * Takes       bytes                            Gives       8, 16 or 32 bytes, each eight one xxHash64, little-endian
 * Calls       xxHash, compiled in              Called by   io/chain, app
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  TWOX-1 the words of a longer digest are those of the shorter one, and more
 * Read        twox.c
 */
#ifndef TALLY_CORE_CRYPTO_TWOX_H
#define TALLY_CORE_CRYPTO_TWOX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* data may be NULL when len is 0. Seeds 0; 0 and 1; 0 to 3. */
void tl_twox64(uint8_t out[8], const void *data, size_t len);
void tl_twox128(uint8_t out[16], const void *data, size_t len);
void tl_twox256(uint8_t out[32], const void *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
