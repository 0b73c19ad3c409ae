/* A tensor's dict, its base64, its msgpack map: read in one pass, with nothing kept that does not fit together. */
#include <string.h>

#include "core/codec/base64/base64.h"
#include "sdk/tensor/tensor.h"
#include "sdk/tensor/tensor_internal.h"

/* A cursor that fails once and stays failed. */
typedef struct cursor {
    tl_bytes rest;
    bool failed;
} cursor;

static tl_bytes take_bytes(cursor *c, size_t len)
{
    if (c->failed || c->rest.len < len) {
        c->failed = true;
        return (tl_bytes){NULL, 0};
    }
    const tl_bytes taken = {c->rest.ptr, len};
    c->rest = (tl_bytes){c->rest.ptr + len, c->rest.len - len};
    return taken;
}

static uint64_t take_uint(cursor *c, size_t len)
{
    const tl_bytes bytes = take_bytes(c, len);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | bytes.ptr[i];
    }
    return value;
}

/* bin 8, 16, 32 or, where is_text, str too. */
static tl_bytes take_string(cursor *c, bool is_text)
{
    const uint64_t head = take_uint(c, 1);
    if (head >= 0xC4 && head <= 0xC6) {
        return take_bytes(c, (size_t)take_uint(c, (size_t)1 << (head - 0xC4)));
    }
    if (is_text && head >= 0xA0 && head <= 0xBF) {
        return take_bytes(c, (size_t)head & 31);
    }
    if (is_text && head == 0xD9) {
        return take_bytes(c, (size_t)take_uint(c, 1));
    }
    c->failed = true;
    return (tl_bytes){NULL, 0};
}

static int64_t take_length(cursor *c)
{
    const uint64_t head = take_uint(c, 1);
    const bool is_small = head < 0x80;
    const bool is_wide = head >= 0xCC && head <= 0xCF;
    const uint64_t value = is_wide ? take_uint(c, (size_t)1 << (head - 0xCC)) : head;
    if ((!is_small && !is_wide) || value > INT64_MAX) {
        c->failed = true;
        return 0;
    }
    return (int64_t)value;
}

static void take_shape(cursor *c, tl_tensor *out)
{
    const uint64_t head = take_uint(c, 1);
    uint64_t count = head & 15;
    if (head == 0xDC) {
        count = take_uint(c, 2);
    } else if (head < 0x90 || head > 0x9F) {
        c->failed = true;
    }
    if (c->failed || count > TL_TENSOR_DIMS_MAX) {
        c->failed = true;
        return;
    }
    out->dim_count = (uint32_t)count;
    for (uint32_t i = 0; i < out->dim_count; i++) {
        out->shape[i] = take_length(c);
    }
}

enum { HAS_ND = 1, HAS_TYPE = 2, HAS_KIND = 4, HAS_SHAPE = 8, HAS_DATA = 16, HAS_ALL = 31 };

static bool is_key(tl_bytes key, const char *name)
{
    return key.len == strlen(name) && memcmp(key.ptr, name, key.len) == 0;
}

/* One entry of the map; the bit of its key, or 0. *type and *kind look into the buffer. */
static unsigned take_entry(cursor *c, tl_tensor *out, tl_bytes *type, tl_bytes *kind)
{
    const tl_bytes key = take_string(c, false);
    if (c->failed) {
        return 0;
    }
    if (is_key(key, "nd")) {
        c->failed = take_uint(c, 1) != 0xC3;
        return HAS_ND;
    }
    if (is_key(key, "type")) {
        *type = take_string(c, true);
        return HAS_TYPE;
    }
    if (is_key(key, "kind")) {
        *kind = take_string(c, false);
        return HAS_KIND;
    }
    if (is_key(key, "shape")) {
        take_shape(c, out);
        return HAS_SHAPE;
    }
    if (is_key(key, "data")) {
        out->data = take_string(c, false);
        return HAS_DATA;
    }
    c->failed = true;
    return 0;
}

bool tl__tensor_count(size_t *out, const int64_t *shape, uint32_t dim_count)
{
    uint64_t count = 1;
    bool has_zero = false;
    for (uint32_t i = 0; i < dim_count; i++) {
        has_zero = has_zero || shape[i] == 0;
    }
    for (uint32_t i = 0; i < dim_count && !has_zero; i++) {
        if (shape[i] < 0 || __builtin_mul_overflow(count, (uint64_t)shape[i], &count)) {
            return false;
        }
    }
    *out = has_zero ? 0 : (size_t)count;
    return count <= SIZE_MAX / 8;
}

static tl_err fail_buffer(tl_errctx *ctx, tl_err code, const char *what)
{
    return tl_fail_field(ctx, code, "buffer", "%s", what);
}

/* The map. out->dtype is what the dict says; the buffer must say the same. */
static tl_err read_map(tl_tensor *out, tl_bytes buffer, tl_errctx *ctx)
{
    cursor c = {buffer, false};
    tl_bytes type = {NULL, 0};
    tl_bytes kind = {NULL, 0};
    unsigned seen = 0;
    if (take_uint(&c, 1) != 0x85) {
        return fail_buffer(ctx, TL_ERR_SYNTAX, "the buffer is no msgpack map of five entries");
    }
    for (int i = 0; i < 5; i++) {
        seen |= take_entry(&c, out, &type, &kind);
    }
    if (c.failed || c.rest.len != 0 || seen != HAS_ALL) {
        return fail_buffer(ctx, TL_ERR_SYNTAX,
                           "the buffer is not nd, type, kind, shape and data as msgpack");
    }
    if (kind.len != 0) { /* TEN-2: "O" is a pickle, "V" a record */
        return fail_buffer(ctx, TL_ERR_REFUSED, "the buffer holds objects, which are never read");
    }
    const char *const wanted = tl__tensor_types[out->dtype];
    if (type.len != 3 || memcmp(type.ptr, wanted, 3) != 0) {
        return fail_buffer(ctx, TL_ERR_REFUSED, "the buffer's type is not the one of dtype");
    }
    size_t count = 0;
    if (!tl__tensor_count(&count, out->shape, out->dim_count) ||
        out->data.len != count * tl_tensor_dtype_len(out->dtype)) { /* TEN-1 */
        return fail_buffer(ctx, TL_ERR_RANGE, "the buffer's data does not fit its shape");
    }
    return TL_OK;
}

static tl_err read_dtype(tl_tensor *out, const tl_value *value, tl_errctx *ctx)
{
    tl_str name = {NULL, 0};
    const tl_value none = tl_value_none();
    TL_TRY(tl_value_as_str(&name, value != NULL ? value : &none, "dtype", ctx));
    const tl_str torch = TL_STR("torch.");
    out->is_torch = tl_str_starts_with(name, torch);
    const tl_str bare = out->is_torch ? tl_str_slice(name, torch.len, name.len) : name;
    for (size_t i = 0; i < TL_TENSOR_DTYPE_COUNT; i++) {
        if (tl_str_eq_cstr(bare, tl_tensor_dtype_name((tl_tensor_dtype)i))) {
            out->dtype = (tl_tensor_dtype)i;
            return TL_OK;
        }
    }
    return tl_fail_field(ctx, TL_ERR_UNKNOWN, "dtype", "\"%.*s\" is no type of numbers",
                         TL_STR_ARG(tl_str_slice(name, 0, 40)));
}

/* The outer shape replaces the inner one, unless it is [0], which says nothing. */
static tl_err read_shape(tl_tensor *out, const tl_value *value, tl_errctx *ctx)
{
    if (value == NULL || (value->kind != TL_VALUE_LIST && value->kind != TL_VALUE_TUPLE)) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "shape", "a list of lengths is expected");
    }
    if (value->count == 0 || value->count > TL_TENSOR_DIMS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "shape", "%u dimensions, not 1 to %d",
                             (unsigned)value->count, TL_TENSOR_DIMS_MAX);
    }
    int64_t shape[TL_TENSOR_DIMS_MAX] = {0};
    for (uint32_t i = 0; i < value->count; i++) {
        TL_TRY(tl_value_as_i64(&shape[i], &value->items[i], "shape", ctx));
    }
    if (value->count == 1 && shape[0] == 0) {
        return TL_OK;
    }
    size_t count = 0;
    if (!tl__tensor_count(&count, shape, value->count) || count != tl_tensor_count(out)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "shape", "the shape does not fit %zu numbers",
                             tl_tensor_count(out));
    }
    out->dim_count = value->count;
    memcpy(out->shape, shape, sizeof out->shape);
    return TL_OK;
}

tl_err tl_tensor_decode(tl_tensor *out, tl_arena *arena, const tl_value *value, tl_errctx *ctx)
{
    tl_tensor tensor;
    memset(&tensor, 0, sizeof tensor);
    tl_str base64 = {NULL, 0};
    tl_bytes buffer = {NULL, 0};
    const tl_value none = tl_value_none();
    const tl_value *const text = tl_value_get(value, TL_STR("buffer"));
    TL_TRY(read_dtype(&tensor, tl_value_get(value, TL_STR("dtype")), ctx));
    TL_TRY(tl_value_as_str(&base64, text != NULL ? text : &none, "buffer", ctx));
    const tl_err err = tl_base64_decode(&buffer, arena, base64, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "buffer");
        return err;
    }
    TL_TRY(read_map(&tensor, buffer, ctx));
    TL_TRY(read_shape(&tensor, tl_value_get(value, TL_STR("shape")), ctx));
    *out = tensor;
    return TL_OK;
}
