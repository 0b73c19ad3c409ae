/* Reading integers of vectors: a string and a number that name the same integer are equal, and lists have known sizes.
 * Errors carry the member's name as field. Part of the conformance room. */
#ifndef TALLY_APP_CONFORMANCE_INTS_H
#define TALLY_APP_CONFORMANCE_INTS_H

#include "base/arena/arena.h"
#include "base/json/json.h"
#include "core/num/money/money.h"

/* tl__int_128: any integer of at most 128 bits, as a number or as a string. */
TL_MUST_USE tl_err tl__int_128(tl_i128 *out, const tl_json *value, const char *field,
                               tl_errctx *ctx);

/* A member of an object, in [low, high]. */
TL_MUST_USE tl_err tl__int_want(tl_i128 *out, const tl_json *object, const char *key, tl_i128 low,
                                tl_i128 high, tl_errctx *ctx);
TL_MUST_USE tl_err tl__int_want_i64(int64_t *out, const tl_json *object, const char *key,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl__int_want_u64(uint64_t *out, const tl_json *object, const char *key,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl__int_want_u16(uint16_t *out, const tl_json *object, const char *key,
                                    tl_errctx *ctx);

/* An element of an array, or the array itself as a list in the arena; count NULL: not asked for. */
TL_MUST_USE tl_err tl__int_u64(uint64_t *out, const tl_json *value, const char *field,
                               tl_errctx *ctx);
TL_MUST_USE tl_err tl__int_u16(uint16_t *out, const tl_json *value, const char *field,
                               tl_errctx *ctx);
TL_MUST_USE tl_err tl__ints_i128(tl_i128 **out, size_t *count, tl_arena *arena,
                                 const tl_json *value, const char *field, tl_errctx *ctx);
TL_MUST_USE tl_err tl__ints_i64(int64_t **out, size_t *count, tl_arena *arena, const tl_json *value,
                                const char *field, tl_errctx *ctx);
TL_MUST_USE tl_err tl__ints_u64(uint64_t **out, size_t *count, tl_arena *arena,
                                const tl_json *value, const char *field, tl_errctx *ctx);
TL_MUST_USE tl_err tl__ints_u16(uint16_t **out, size_t *count, tl_arena *arena,
                                const tl_json *value, const char *field, tl_errctx *ctx);
TL_MUST_USE tl_err tl__ints_bool(bool **out, size_t *count, tl_arena *arena, const tl_json *value,
                                 const char *field, tl_errctx *ctx);

/* The other way: lists into the writer; 128-bit integers as numbers, exactly. */
void tl__ints_put_i64(tl_json_writer *w, const char *key, const int64_t *values, size_t count);
void tl__ints_put_u64(tl_json_writer *w, const char *key, const uint64_t *values, size_t count);
void tl__ints_put_u16(tl_json_writer *w, const char *key, const uint16_t *values, size_t count);
void tl__ints_put_bool(tl_json_writer *w, const char *key, const bool *values, size_t count);
void tl__ints_put_i128(tl_json_writer *w, tl_i128 value);

#endif
