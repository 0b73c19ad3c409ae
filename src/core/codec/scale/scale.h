/* scale: the byte format of Substrate chains, read strictly and written canonically.
 * For         calls, storage values, extrinsics, commitments
 * Takes       bytes from strangers             Gives       integers and views; or bytes in a builder
 * Calls       base/str                         Called by   crypto, chain, sdk
 * Owns        nothing: views look into the input and live as long as it
 * Threads     one reader or builder, one thread
 * Invariants  SCALE-1 a reader that failed once gives zeros and empty views only, and keeps its first error
 *             SCALE-2 one value, one encoding: what is accepted is what the writer would write
 *             SCALE-3 a count that was read never exceeds what the rest of the input can hold
 *
 * Integers are little-endian of fixed width. A compact integer keeps its form in the two low bits of its first byte:
 *
 *      value below 2^6     vvvvvv00
 *                  2^14    vvvvvv01 vvvvvvvv
 *                  2^30    vvvvvv10 vvvvvvvv vvvvvvvv vvvvvvvv
 *                  2^536   nnnnnn11 then n + 4 bytes
 *
 * The shortest form that fits is the only valid one. bool is 0 or 1; an option is 0, or 1 and the value; a vector is
 * its compact count and the elements; text is a vector of UTF-8 bytes; a tuple or struct is its fields.
 *
 *      tl_scale_reader r;
 *      tl_scale_reader_init(&r, bytes);
 *      call.netuid = tl_scale_read_u16(&r);
 *      call.count = tl_scale_read_count(&r, TL_CALL_WEIGHTS_MAX, 2);
 *      …
 *      return tl_scale_reader_finish(&r, ctx);      the one place where errors are looked at
 */
#ifndef TALLY_CORE_CODEC_SCALE_H
#define TALLY_CORE_CODEC_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"
#include "core/num/money/money.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SCALE_COMPACT_MAX 67 /* bytes of the widest compact integer, 2^536 - 1 */

/* --- reading --- */

/* tl_scale_reader: the caller's storage; fields are the room's but for at. */
typedef struct tl_scale_reader {
    tl_bytes input;
    size_t at;        /* bytes read so far; stays where the failed value begins */
    tl_err err;       /* TL_OK, or the first failure (SCALE-1) */
    const char *what; /* what failed, static text */
} tl_scale_reader;

void tl_scale_reader_init(tl_scale_reader *r, tl_bytes input);

uint8_t tl_scale_read_u8(tl_scale_reader *r);
uint16_t tl_scale_read_u16(tl_scale_reader *r);
uint32_t tl_scale_read_u32(tl_scale_reader *r);
uint64_t tl_scale_read_u64(tl_scale_reader *r);
tl_u128 tl_scale_read_u128(tl_scale_reader *r);
int8_t tl_scale_read_i8(tl_scale_reader *r);
int16_t tl_scale_read_i16(tl_scale_reader *r);
int32_t tl_scale_read_i32(tl_scale_reader *r);
int64_t tl_scale_read_i64(tl_scale_reader *r);
tl_i128 tl_scale_read_i128(tl_scale_reader *r);
bool tl_scale_read_bool(tl_scale_reader *r);

/* tl_scale_read_option: does a value follow? */
bool tl_scale_read_option(tl_scale_reader *r);

/* tl_scale_read_variant: the index of an enum's variant, below count (at most 256). */
uint8_t tl_scale_read_variant(tl_scale_reader *r, unsigned count);

/* Compact integers; TL_ERR_RANGE when the value does not fit the type. */
uint16_t tl_scale_read_compact_u16(tl_scale_reader *r);
uint32_t tl_scale_read_compact_u32(tl_scale_reader *r);
uint64_t tl_scale_read_compact_u64(tl_scale_reader *r);
tl_u128 tl_scale_read_compact_u128(tl_scale_reader *r);

/* tl_scale_read_compact_wide: any compact integer as little-endian bytes without trailing zeros (0 has none);
 * returns how many. The rest of out is zeroed. */
size_t tl_scale_read_compact_wide(tl_scale_reader *r, uint8_t out[TL_SCALE_COMPACT_MAX]);

/* tl_scale_read_count: of a vector's elements; at most count_max, and at most what the rest can hold when an element
 * takes element_len_min bytes or more (0: elements may be empty, count_max alone bounds them). */
size_t tl_scale_read_count(tl_scale_reader *r, size_t count_max, size_t element_len_min);

/* tl_scale_read_fixed: len bytes, copied; zeros after a failure. */
void tl_scale_read_fixed(tl_scale_reader *r, uint8_t *out, size_t len);

/* tl_scale_read_view: len bytes, as a view into the input. */
tl_bytes tl_scale_read_view(tl_scale_reader *r, size_t len);

/* tl_scale_read_bytes, _str: a vector of at most len_max bytes, as a view; text must be UTF-8. */
tl_bytes tl_scale_read_bytes(tl_scale_reader *r, size_t len_max);
tl_str tl_scale_read_str(tl_scale_reader *r, size_t len_max);

/* tl_scale_reader_fail: the caller's own refusal of what was read last; what is static text. Sticks like any other. */
void tl_scale_reader_fail(tl_scale_reader *r, tl_err err, const char *what);

/* tl_scale_reader_check: the error so far, for the end of a record inside a longer input. With its offset. */
TL_MUST_USE tl_err tl_scale_reader_check(const tl_scale_reader *r, tl_errctx *ctx);

/* tl_scale_reader_finish: the same, and nothing may be left (TL_ERR_SYNTAX).
 * Errors: TL_ERR_SYNTAX (ends early, no bool, no such variant), TL_ERR_CANONICAL (a longer form than needed),
 * TL_ERR_RANGE (does not fit the type), TL_ERR_LIMIT (a count), TL_ERR_ENCODING (text). */
TL_MUST_USE tl_err tl_scale_reader_finish(const tl_scale_reader *r, tl_errctx *ctx);

/* --- writing: into a builder, whose error it leaves to tl_sb_finish --- */

void tl_scale_put_u8(tl_sb *sb, uint8_t value);
void tl_scale_put_u16(tl_sb *sb, uint16_t value);
void tl_scale_put_u32(tl_sb *sb, uint32_t value);
void tl_scale_put_u64(tl_sb *sb, uint64_t value);
void tl_scale_put_u128(tl_sb *sb, tl_u128 value);
void tl_scale_put_i8(tl_sb *sb, int8_t value);
void tl_scale_put_i16(tl_sb *sb, int16_t value);
void tl_scale_put_i32(tl_sb *sb, int32_t value);
void tl_scale_put_i64(tl_sb *sb, int64_t value);
void tl_scale_put_i128(tl_sb *sb, tl_i128 value);
void tl_scale_put_bool(tl_sb *sb, bool value);

/* tl_scale_put_compact, _u128, _wide: the shortest form. len of _wide at most TL_SCALE_COMPACT_MAX: asserted; its
 * little-endian bytes may end in zeros. */
void tl_scale_put_compact(tl_sb *sb, uint64_t value);
void tl_scale_put_compact_u128(tl_sb *sb, tl_u128 value);
void tl_scale_put_compact_wide(tl_sb *sb, const uint8_t *little_endian, size_t len);

/* tl_scale_put_bytes, _str: a vector of bytes: compact length, then they. */
void tl_scale_put_bytes(tl_sb *sb, const void *bytes, size_t len);
void tl_scale_put_str(tl_sb *sb, tl_str text);

#ifdef __cplusplus
}
#endif

#endif
