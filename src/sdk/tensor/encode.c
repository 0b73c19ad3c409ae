/* Numbers become the dict that the SDK's serialize makes; and what a tensor's numbers are. */
#include <string.h>

#include "core/codec/base64/base64.h"
#include "sdk/tensor/tensor.h"
#include "sdk/tensor/tensor_internal.h"

#define DTYPE_TYPE(name, type, len) type,
const char *const tl__tensor_types[TL_TENSOR_DTYPE_COUNT] = {TL_TENSOR_DTYPE_MAP(DTYPE_TYPE)};

const char *tl_tensor_dtype_name(tl_tensor_dtype dtype)
{
#define DTYPE_NAME(name, type, len) #name,
    static const char *const names[TL_TENSOR_DTYPE_COUNT] = {TL_TENSOR_DTYPE_MAP(DTYPE_NAME)};
    return names[dtype];
}

size_t tl_tensor_dtype_len(tl_tensor_dtype dtype)
{
#define DTYPE_LEN(name, type, len) len,
    static const uint8_t lens[TL_TENSOR_DTYPE_COUNT] = {TL_TENSOR_DTYPE_MAP(DTYPE_LEN)};
    return lens[dtype];
}

size_t tl_tensor_count(const tl_tensor *tensor)
{
    size_t count = 0;
    const bool fits = tl__tensor_count(&count, tensor->shape, tensor->dim_count);
    TL_ASSERT(fits); /* TEN-1 */
    return count;
}

/* --- msgpack: the shortest form of each, most significant byte first --- */

static void put_big_endian(tl_sb *sb, uint8_t head, uint64_t value, size_t len)
{
    uint8_t bytes[9] = {head};
    for (size_t i = 0; i < len; i++) {
        bytes[1 + i] = (uint8_t)(value >> 8 * (len - 1 - i));
    }
    tl_sb_put_bytes(sb, bytes, len + 1);
}

static void put_bin(tl_sb *sb, const void *bytes, size_t len)
{
    if (len <= UINT8_MAX) {
        put_big_endian(sb, 0xC4, len, 1);
    } else if (len <= UINT16_MAX) {
        put_big_endian(sb, 0xC5, len, 2);
    } else {
        put_big_endian(sb, 0xC6, len, 4);
    }
    tl_sb_put_bytes(sb, bytes, len);
}

static void put_key(tl_sb *sb, const char *key)
{
    put_bin(sb, key, strlen(key));
}

static void put_length(tl_sb *sb, uint64_t value)
{
    if (value < 0x80) {
        tl_sb_put_char(sb, (char)value);
    } else if (value <= UINT8_MAX) {
        put_big_endian(sb, 0xCC, value, 1);
    } else if (value <= UINT16_MAX) {
        put_big_endian(sb, 0xCD, value, 2);
    } else if (value <= UINT32_MAX) {
        put_big_endian(sb, 0xCE, value, 4);
    } else {
        put_big_endian(sb, 0xCF, value, 8);
    }
}

static void put_map(tl_sb *sb, const tl_tensor *tensor)
{
    tl_sb_put_char(sb, (char)0x85);
    put_key(sb, "nd");
    tl_sb_put_char(sb, (char)0xC3);
    put_key(sb, "type");
    tl_sb_put_char(sb, (char)0xA3);
    tl_sb_put_bytes(sb, tl__tensor_types[tensor->dtype], 3);
    put_key(sb, "kind");
    put_bin(sb, "", 0);
    put_key(sb, "shape");
    if (tensor->dim_count <= 15) {
        tl_sb_put_char(sb, (char)(0x90 | tensor->dim_count));
    } else {
        put_big_endian(sb, 0xDC, tensor->dim_count, 2);
    }
    for (uint32_t i = 0; i < tensor->dim_count; i++) {
        put_length(sb, (uint64_t)tensor->shape[i]);
    }
    put_key(sb, "data");
    put_bin(sb, tensor->data.ptr, tensor->data.len);
}

/* A single number has the outer shape [0]. */
static tl_err make_shape(tl_value *out, tl_arena *arena, const tl_tensor *tensor, tl_errctx *ctx)
{
    const uint32_t count = tensor->dim_count != 0 ? tensor->dim_count : 1;
    tl_value *const items = TL_NEW(arena, tl_value, count);
    if (items == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i] = tl_value_from_i64(tensor->dim_count != 0 ? tensor->shape[i] : 0);
    }
    *out = tl_value_from_items(items, count);
    return TL_OK;
}

tl_err tl_tensor_encode(tl_value *out, tl_arena *arena, const tl_tensor *tensor, tl_errctx *ctx)
{
    size_t count = 0;
    if (tensor->dim_count > TL_TENSOR_DIMS_MAX || tensor->data.len > UINT32_MAX ||
        !tl__tensor_count(&count, tensor->shape, tensor->dim_count) ||
        tensor->data.len != count * tl_tensor_dtype_len(tensor->dtype)) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu bytes do not fit the shape of the tensor",
                       tensor->data.len);
    }
    tl_sb map;
    tl_sb text;
    tl_str bytes = {NULL, 0};
    tl_str buffer = {NULL, 0};
    tl_str dtype = {NULL, 0};
    tl_sb_init(&map, arena);
    put_map(&map, tensor);
    TL_TRY(tl_sb_finish(&bytes, &map, ctx));
    tl_sb_init(&text, arena);
    tl_base64_encode(&text, bytes.ptr, bytes.len);
    TL_TRY(tl_sb_finish(&buffer, &text, ctx));
    tl_sb_init(&text, arena);
    tl_sb_put_cstr(&text, tensor->is_torch ? "torch." : "");
    tl_sb_put_cstr(&text, tl_tensor_dtype_name(tensor->dtype));
    TL_TRY(tl_sb_finish(&dtype, &text, ctx));
    tl_value_member *const members = TL_NEW(arena, tl_value_member, 3);
    if (members == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    members[0] = (tl_value_member){TL_STR("buffer"), tl_value_from_str(buffer)};
    members[1] = (tl_value_member){TL_STR("dtype"), tl_value_from_str(dtype)};
    members[2].key = TL_STR("shape");
    TL_TRY(make_shape(&members[2].value, arena, tensor, ctx));
    *out = tl_value_from_members(members, 3);
    return TL_OK;
}

/* --- numbers --- */

static uint64_t load(const uint8_t *p, size_t len)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < len; i++) {
        bits |= (uint64_t)p[i] << 8 * i;
    }
    return bits;
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
static double half(uint64_t bits)
{
    const uint64_t exponent = bits >> 10 & 31;
    const uint64_t fraction = bits & 1023;
    const double sign = (bits >> 15 & 1) != 0 ? -1.0 : 1.0;
    if (exponent == 31) {
        return fraction != 0 ? __builtin_nan("") : sign * __builtin_inf();
    }
    double value = (double)(exponent != 0 ? fraction + 1024 : fraction) / 16777216.0; /* 2^-24 */
    for (uint64_t i = 1; i < exponent; i++) {
        value *= 2.0;
    }
    return sign * value;
}

double tl_tensor_at(const tl_tensor *tensor, size_t i)
{
    const size_t len = tl_tensor_dtype_len(tensor->dtype);
    TL_ASSERT(i < tensor->data.len / len); /* TEN-1 */
    const uint64_t bits = load(tensor->data.ptr + i * len, len);
    float narrow = 0;
    double wide = 0;
    switch (tensor->dtype) {
    case TL_TENSOR_float16:
        return half(bits);
    case TL_TENSOR_float32:
        memcpy(&narrow, &(uint32_t){(uint32_t)bits}, sizeof narrow);
        return (double)narrow;
    case TL_TENSOR_float64:
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    case TL_TENSOR_uint8:
        return (double)bits;
    case TL_TENSOR_int8:
        return (double)(int8_t)bits;
    case TL_TENSOR_int16:
        return (double)(int16_t)bits;
    case TL_TENSOR_int32:
        return (double)(int32_t)bits;
    case TL_TENSOR_int64:
        return (double)(int64_t)bits;
    case TL_TENSOR_bool:
        return bits != 0 ? 1.0 : 0.0;
    case TL_TENSOR_DTYPE_COUNT:
        break;
    }
    TL_ASSERT(false);
    return 0.0;
}
