#include "app/conformance/ints.h"

#include <string.h>

/* |INT128_MIN| as an unsigned number. */
#define I128_MAGNITUDE_MAX ((tl_u128)1 << 127)
#define I128_MAX           ((tl_i128)(I128_MAGNITUDE_MAX - 1))

tl_err tl__int_128(tl_i128 *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    if (value == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, field, "an integer is missing");
    }
    if (value->kind != TL_JSON_NUMBER && value->kind != TL_JSON_STRING) {
        return tl_fail_field(ctx, TL_ERR_TYPE, field, "an integer is wanted");
    }
    const tl_str text = value->text;
    const bool is_negative = text.len > 0 && text.ptr[0] == '-';
    if (text.len == (is_negative ? 1u : 0u)) {
        return tl_fail_field(ctx, TL_ERR_TYPE, field, "\"%.*s\" is no integer", TL_STR_ARG(text));
    }
    const tl_u128 most = I128_MAGNITUDE_MAX - (is_negative ? 0 : 1);
    tl_u128 magnitude = 0;
    for (size_t i = is_negative ? 1 : 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return tl_fail_field(ctx, TL_ERR_TYPE, field, "\"%.*s\" is no integer",
                                 TL_STR_ARG(text));
        }
        const unsigned digit = (unsigned)(text.ptr[i] - '0');
        if (magnitude > (most - digit) / 10) {
            return tl_fail_field(ctx, TL_ERR_RANGE, field, "%.*s does not fit 128 bits",
                                 TL_STR_ARG(text));
        }
        magnitude = magnitude * 10 + digit;
    }
    *out = is_negative ? (tl_i128)((tl_u128)0 - magnitude) : (tl_i128)magnitude;
    return TL_OK;
}

static tl_err within(tl_i128 *out, const tl_json *value, const char *field, tl_i128 low,
                     tl_i128 high, tl_errctx *ctx)
{
    tl_i128 read;
    TL_TRY(tl__int_128(&read, value, field, ctx));
    if (read < low || read > high) {
        return tl_fail_field(ctx, TL_ERR_RANGE, field, "%.*s is out of range",
                             TL_STR_ARG(value->text));
    }
    *out = read;
    return TL_OK;
}

tl_err tl__int_want(tl_i128 *out, const tl_json *object, const char *key, tl_i128 low, tl_i128 high,
                    tl_errctx *ctx)
{
    return within(out, tl_json_get(object, key), key, low, high, ctx);
}

tl_err tl__int_want_i64(int64_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    tl_i128 wide;
    TL_TRY(tl__int_want(&wide, object, key, INT64_MIN, INT64_MAX, ctx));
    *out = (int64_t)wide;
    return TL_OK;
}

tl_err tl__int_want_u64(uint64_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    return tl__int_u64(out, tl_json_get(object, key), key, ctx);
}

tl_err tl__int_want_u16(uint16_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    return tl__int_u16(out, tl_json_get(object, key), key, ctx);
}

tl_err tl__int_u64(uint64_t *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    tl_i128 wide;
    TL_TRY(within(&wide, value, field, 0, UINT64_MAX, ctx));
    *out = (uint64_t)wide;
    return TL_OK;
}

tl_err tl__int_u16(uint16_t *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    tl_i128 wide;
    TL_TRY(within(&wide, value, field, 0, UINT16_MAX, ctx));
    *out = (uint16_t)wide;
    return TL_OK;
}

static tl_err check_array(const tl_json *value, const char *field, tl_errctx *ctx)
{
    if (value == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, field, "a list is missing");
    }
    if (value->kind != TL_JSON_ARRAY) {
        return tl_fail_field(ctx, TL_ERR_TYPE, field, "a list is wanted");
    }
    return TL_OK;
}

/* One generator for the lists, which differ in type and range alone. */
#define LIST_DEFINE(name, type, low, high)                                                         \
    tl_err name(type **out, size_t *count, tl_arena *arena, const tl_json *value,                  \
                const char *field, tl_errctx *ctx)                                                 \
    {                                                                                              \
        TL_TRY(check_array(value, field, ctx));                                                    \
        type *list = TL_NEW(arena, type, value->count);                                            \
        if (list == NULL) {                                                                        \
            return tl_arena_fail(arena, ctx);                                                      \
        }                                                                                          \
        for (uint32_t i = 0; i < value->count; i++) {                                              \
            tl_i128 wide;                                                                          \
            TL_TRY(within(&wide, &value->items[i], field, low, high, ctx));                        \
            list[i] = (type)wide;                                                                  \
        }                                                                                          \
        *out = list;                                                                               \
        *count = value->count;                                                                     \
        return TL_OK;                                                                              \
    }
LIST_DEFINE(tl__ints_i128, tl_i128, -I128_MAX - 1, I128_MAX)
LIST_DEFINE(tl__ints_i64, int64_t, INT64_MIN, INT64_MAX)
LIST_DEFINE(tl__ints_u64, uint64_t, 0, UINT64_MAX)
LIST_DEFINE(tl__ints_u16, uint16_t, 0, UINT16_MAX)
#undef LIST_DEFINE

tl_err tl__ints_bool(bool **out, size_t *count, tl_arena *arena, const tl_json *value,
                     const char *field, tl_errctx *ctx)
{
    TL_TRY(check_array(value, field, ctx));
    bool *list = TL_NEW(arena, bool, value->count);
    if (list == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        TL_TRY(tl_json_as_bool(&list[i], &value->items[i], field, ctx));
    }
    *out = list;
    *count = value->count;
    return TL_OK;
}

#define PUT_DEFINE(name, type, put)                                                                \
    void name(tl_json_writer *w, const char *key, const type *values, size_t count)                \
    {                                                                                              \
        tl_json_put_key(w, key);                                                                   \
        tl_json_put_array(w);                                                                      \
        for (size_t i = 0; i < count; i++) {                                                       \
            put(w, values[i]);                                                                     \
        }                                                                                          \
        tl_json_put_end(w);                                                                        \
    }
PUT_DEFINE(tl__ints_put_i64, int64_t, tl_json_put_i64)
PUT_DEFINE(tl__ints_put_u64, uint64_t, tl_json_put_u64)
PUT_DEFINE(tl__ints_put_u16, uint16_t, tl_json_put_u64)
PUT_DEFINE(tl__ints_put_bool, bool, tl_json_put_bool)
#undef PUT_DEFINE

void tl__ints_put_i128(tl_json_writer *w, tl_i128 value)
{
    char text[48];
    size_t at = sizeof text;
    tl_u128 left = value < 0 ? (tl_u128)0 - (tl_u128)value : (tl_u128)value;
    do {
        text[--at] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left != 0);
    if (value < 0) {
        text[--at] = '-';
    }
    tl_json_put_raw(w, (tl_str){text + at, sizeof text - at});
}
