/* What sign.c and derive.c share. libsodium writes where a memory sanitizer does not see it, so whatever it shall write
 * is zeroed before. */
#ifndef TALLY_CORE_CRYPTO_SR25519_INTERNAL_H
#define TALLY_CORE_CRYPTO_SR25519_INTERNAL_H

#include <stdint.h>

#include "core/crypto/sr25519/sr25519.h"
#include "core/crypto/strobe/strobe.h"

#define TL__SCALAR_LEN 32
#define TL__WIDE_LEN   64

/* How much stack libsodium uses below our functions, generously: its addition of scalars leaves a copy of what it adds,
 * a nonce among others, and its multiplication the digits of its scalar. sodium_stackzero clears it (SR-4). */
#define TL__STACK_LEN 4096

/* A challenge of 64 bytes, reduced modulo the order. */
void tl__sr25519_challenge_scalar(uint8_t out[TL__SCALAR_LEN], tl_merlin *t, tl_str label);

#endif
