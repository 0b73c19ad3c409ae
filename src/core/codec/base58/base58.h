/* base58: short byte strings as text without look-alikes, in Bitcoin's alphabet.
 * For         addresses
 * Takes       at most TL_BASE58_BYTES_MAX bytes, or their text   Gives   the other
 * Calls       base/str                         Called by   crypto/key
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  B58-1 decode and encode are inverse: one text a byte string, one byte string a text
 *             B58-2 a refused text leaves out untouched
 *
 * The bytes are one big-endian number, written in base 58; each leading zero byte becomes a leading '1', which is the
 * digit zero. The cost is quadratic, hence the limit. Time depends on the bytes: for public data only.
 */
#ifndef TALLY_CORE_CODEC_BASE58_H
#define TALLY_CORE_CODEC_BASE58_H

#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_BASE58_BYTES_MAX 64 /* an address has 36, a raw signature 64 */
#define TL_BASE58_TEXT_MAX  88 /* 64 * log(256) / log(58), rounded up */
#define TL_BASE58_CAP       (TL_BASE58_TEXT_MAX + 1)

/* tl_base58_encode_var: the text of len bytes (at most TL_BASE58_BYTES_MAX), NUL-terminated; returns its length. */
size_t tl_base58_encode_var(char out[TL_BASE58_CAP], const uint8_t *bytes, size_t len);

/* tl_base58_decode_var: the bytes of a text, and how many there are.
 * Errors: TL_ERR_SYNTAX with the offset of a foreign character; TL_ERR_LIMIT above TL_BASE58_TEXT_MAX characters or
 * TL_BASE58_BYTES_MAX bytes. */
TL_MUST_USE tl_err tl_base58_decode_var(uint8_t out[TL_BASE58_BYTES_MAX], size_t *out_len,
                                        tl_str text, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
