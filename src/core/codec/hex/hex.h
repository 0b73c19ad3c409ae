/* hex: bytes as hexadecimal digits, two a byte.
 * For         digests, salts and keys in JSON, on command lines and in messages
 * Takes       bytes, or text of exactly twice as many digits     Gives   lower-case text, or the bytes
 * Calls       base/str                         Called by   crypto, ledger, epoch, subnet, app
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  HEX-1 decode(encode(bytes)) is bytes       HEX-2 a refused text leaves out untouched
 */
#ifndef TALLY_CORE_CODEC_HEX_H
#define TALLY_CORE_CODEC_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_hex_encode: 2 * len lower-case digits, into a builder. */
void tl_hex_encode(tl_sb *sb, const void *bytes, size_t len);

/* tl_hex_write: the same into out, which has room for 2 * len + 1 characters; ends with a NUL. */
void tl_hex_write(char *out, const void *bytes, size_t len);

/* tl_hex_decode: exactly len bytes from exactly 2 * len digits, either case; no prefix, no space.
 * Errors: TL_ERR_SYNTAX, with the byte offset when a character is no digit. */
TL_MUST_USE tl_err tl_hex_decode(uint8_t *out, size_t len, tl_str text, tl_errctx *ctx);

/* tl_hex_decode_bytes: as many bytes as the text has pairs of digits, in the arena.
 * Errors: TL_ERR_SYNTAX (an odd number of digits too), TL_ERR_NOMEM, TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_hex_decode_bytes(tl_bytes *out, tl_arena *arena, tl_str text, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
