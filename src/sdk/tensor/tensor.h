/* tensor: arrays of numbers as the v10 wire carries them.
 * For         a field of type tensor: {"buffer": base64, "dtype": name, "shape": [lengths]}
 * Takes       the field's dict, or numbers in C            Gives    a view of the numbers; the dict
 * Calls       base, sdk/value                              Called by   handlers, app/cli
 * Owns        nothing: a tensor's bytes live in the arena
 * Threads     pure functions, anywhere
 * Invariants  TEN-1 len is count times the size of the type, and count the product of the shape, in every tensor
 *             TEN-2 no object arrays: a buffer of kind "O" holds a pickle, and is refused unread
 * Read        decode.c, then encode.c
 *
 * The buffer is base64 of a msgpack map with five keys of type bin, as msgpack_numpy writes it (wire spec section
 * 1.12):       nd: true   type: "<f4"   kind: b""   shape: [2, 3]   data: bytes in C order
 * A single number has the outer shape [0] and the inner shape []; an outer shape [0] says: take the inner one.
 */
#ifndef TALLY_SDK_TENSOR_H
#define TALLY_SDK_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "sdk/value/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, NumPy's array-protocol type, bytes of one) */
#define TL_TENSOR_DTYPE_MAP(X)                                                                     \
    X(float16, "<f2", 2)                                                                           \
    X(float32, "<f4", 4)                                                                           \
    X(float64, "<f8", 8)                                                                           \
    X(uint8, "|u1", 1)                                                                             \
    X(int8, "|i1", 1)                                                                              \
    X(int16, "<i2", 2)                                                                             \
    X(int32, "<i4", 4)                                                                             \
    X(int64, "<i8", 8)                                                                             \
    X(bool, "|b1", 1)

typedef enum tl_tensor_dtype {
#define TL_TENSOR_DTYPE_ENUM(name, type, len) TL_TENSOR_##name,
    TL_TENSOR_DTYPE_MAP(TL_TENSOR_DTYPE_ENUM)
#undef TL_TENSOR_DTYPE_ENUM
        TL_TENSOR_DTYPE_COUNT
} tl_tensor_dtype;

#define TL_TENSOR_DIMS_MAX 32 /* NumPy's own limit was 32 for long */

typedef struct tl_tensor {
    tl_tensor_dtype dtype;
    bool is_torch; /* the name is "torch.float32" rather than "float32" */
    uint32_t dim_count;
    int64_t shape[TL_TENSOR_DIMS_MAX];
    tl_bytes data; /* little-endian, C order */
} tl_tensor;

/* tl_tensor_decode: what the dict of a field says. Errors name the field (buffer, dtype, shape): TL_ERR_TYPE,
 * TL_ERR_SYNTAX, TL_ERR_UNKNOWN for a dtype, TL_ERR_RANGE when shape and data do not fit, TL_ERR_REFUSED for objects
 * (TEN-2) and for a buffer of another type than dtype says, TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_tensor_decode(tl_tensor *out, tl_arena *arena, const tl_value *value,
                                    tl_errctx *ctx);

/* tl_tensor_encode: the dict, byte for byte as the SDK's serialize. TL_ERR_RANGE when data's length does not fit the
 * shape. */
TL_MUST_USE tl_err tl_tensor_encode(tl_value *out, tl_arena *arena, const tl_tensor *tensor,
                                    tl_errctx *ctx);

/* tl_tensor_count: how many numbers. 1 for a single number. */
size_t tl_tensor_count(const tl_tensor *tensor);

/* tl_tensor_at: number i (below the count) as a double; integers beyond 2^53 are rounded to nearest. */
double tl_tensor_at(const tl_tensor *tensor, size_t i);

/* tl_tensor_dtype_name, _len: "float32"; bytes of one number. */
const char *tl_tensor_dtype_name(tl_tensor_dtype dtype);
size_t tl_tensor_dtype_len(tl_tensor_dtype dtype);

#ifdef __cplusplus
}
#endif

#endif
