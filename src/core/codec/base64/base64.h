/* base64: bytes as the standard's 64 letters, four for three bytes, with padding (RFC 4648 section 4).
 * For         headers and tensors of the v10 wire, output that must be text
 * Takes       bytes, or text of whole groups   Gives       text, or the bytes
 * Calls       base/str                         Called by   sdk, app
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  B64-1 decode(encode(bytes)) is bytes, and encode(decode(text)) is text: one spelling each
 *             B64-2 a refused text leaves out untouched
 */
#ifndef TALLY_CORE_CODEC_BASE64_H
#define TALLY_CORE_CODEC_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_base64_encode: 4 * ceil(len / 3) characters, into a builder. */
void tl_base64_encode(tl_sb *sb, const void *bytes, size_t len);

/* tl_base64_decode: the bytes, in the arena. No white space, no other alphabet; padding is required.
 * Errors: TL_ERR_SYNTAX (a length that is no multiple of 4; a character, with its byte offset), TL_ERR_CANONICAL when
 * bits behind the last byte are not 0, TL_ERR_NOMEM, TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_base64_decode(tl_bytes *out, tl_arena *arena, tl_str text, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
