/* Reading values out of a tree. */
#include <float.h>

#include "base/decimal/decimal.h"
#include "base/json/json_internal.h"

static const char *const kind_names[] = {"null",     "true or false", "a number",
                                         "a string", "an array",      "an object"};
_Static_assert(sizeof kind_names / sizeof kind_names[0] == TL_JSON_OBJECT + 1, "a name each");

const tl_json *tl_json_get_str(const tl_json *value, tl_str key)
{
    return value != NULL && value->kind == TL_JSON_OBJECT ? tl__json_object_find(value, key) : NULL;
}

const tl_json *tl_json_get(const tl_json *value, const char *key)
{
    return tl_json_get_str(value, tl_str_from_cstr(key));
}

static tl_err placed(const tl_json *value, tl_err err, tl_errctx *ctx)
{
    tl_errctx_at(ctx, value->offset, 0, 0);
    return err;
}

/* TL_OK when value is there and of that kind. */
static tl_err check_kind(const tl_json *value, tl_json_kind kind, const char *field, tl_errctx *ctx)
{
    field = field != NULL ? field : "";
    if (value == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, field, "%s is required", kind_names[kind]);
    }
    if (value->kind != kind) {
        return placed(value,
                      tl_fail_field(ctx, TL_ERR_TYPE, field, "%s is expected, found %s",
                                    kind_names[kind], kind_names[value->kind]),
                      ctx);
    }
    return TL_OK;
}

/* The error of a number that is no integer of the wanted range. */
static tl_err fail_integer(const tl_json *value, const char *field, const char *range,
                           tl_errctx *ctx)
{
    const tl_str text = tl_str_slice(value->text, 0, 40);
    field = field != NULL ? field : "";
    for (size_t i = 0; i < value->text.len; i++) {
        const char c = value->text.ptr[i];
        if (c == '.' || c == 'e' || c == 'E') {
            return placed(value,
                          tl_fail_field(ctx, TL_ERR_TYPE, field,
                                        "an integer is expected, found %.*s", TL_STR_ARG(text)),
                          ctx);
        }
    }
    return placed(
        value,
        tl_fail_field(ctx, TL_ERR_RANGE, field, "%.*s is not within %s", TL_STR_ARG(text), range),
        ctx);
}

tl_err tl_json_as_i64(int64_t *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    TL_TRY(check_kind(value, TL_JSON_NUMBER, field, ctx));
    if (tl_str_eq(value->text, TL_STR("-0"))) {
        *out = 0;
        return TL_OK;
    }
    return tl_str_parse_i64(out, value->text) ? TL_OK : fail_integer(value, field, "64 bits", ctx);
}

tl_err tl_json_as_u64(uint64_t *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    TL_TRY(check_kind(value, TL_JSON_NUMBER, field, ctx));
    if (tl_str_eq(value->text, TL_STR("-0"))) {
        *out = 0;
        return TL_OK;
    }
    return tl_str_parse_u64(out, value->text)
               ? TL_OK
               : fail_integer(value, field, "0 ... 18446744073709551615", ctx);
}

tl_err tl_json_as_f64(double *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    TL_TRY(check_kind(value, TL_JSON_NUMBER, field, ctx));
    double number = 0.0;
    if (!tl_f64_parse(&number,
                      value->text)) { /* JSON-1: the reader's grammar is the same, but for words */
        return placed(value,
                      tl_fail_field(ctx, TL_ERR_TYPE, field != NULL ? field : "",
                                    "%.*s is no number", TL_STR_ARG(value->text)),
                      ctx);
    }
    if (number > DBL_MAX || number < -DBL_MAX) {
        const tl_str text = tl_str_slice(value->text, 0, 40);
        return placed(value,
                      tl_fail_field(ctx, TL_ERR_RANGE, field != NULL ? field : "",
                                    "%.*s is too large for a double", TL_STR_ARG(text)),
                      ctx);
    }
    *out = number;
    return TL_OK;
}

tl_err tl_json_as_bool(bool *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    TL_TRY(check_kind(value, TL_JSON_BOOL, field, ctx));
    *out = value->boolean;
    return TL_OK;
}

tl_err tl_json_as_str(tl_str *out, const tl_json *value, const char *field, tl_errctx *ctx)
{
    TL_TRY(check_kind(value, TL_JSON_STRING, field, ctx));
    *out = value->text;
    return TL_OK;
}

/* The member, or NULL; an error when there is nothing to look into. */
static tl_err find(const tl_json **out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    if (object != NULL && object->kind != TL_JSON_OBJECT) {
        return placed(object,
                      tl_fail(ctx, TL_ERR_TYPE, "an object with \"%s\" is expected, found %s", key,
                              kind_names[object->kind]),
                      ctx);
    }
    *out = tl_json_get(object, key);
    return TL_OK;
}

tl_err tl_json_want(const tl_json **out, const tl_json *object, const char *key, tl_json_kind kind,
                    tl_errctx *ctx)
{
    const tl_json *value = NULL;
    TL_TRY(find(&value, object, key, ctx));
    TL_TRY(check_kind(value, kind, key, ctx));
    *out = value;
    return TL_OK;
}

tl_err tl_json_want_i64(int64_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    const tl_json *value = NULL;
    TL_TRY(find(&value, object, key, ctx));
    return tl_json_as_i64(out, value, key, ctx);
}

tl_err tl_json_want_u64(uint64_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    const tl_json *value = NULL;
    TL_TRY(find(&value, object, key, ctx));
    return tl_json_as_u64(out, value, key, ctx);
}

tl_err tl_json_want_f64(double *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    const tl_json *value = NULL;
    TL_TRY(find(&value, object, key, ctx));
    return tl_json_as_f64(out, value, key, ctx);
}

tl_err tl_json_want_bool(bool *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    const tl_json *value = NULL;
    TL_TRY(find(&value, object, key, ctx));
    return tl_json_as_bool(out, value, key, ctx);
}

tl_err tl_json_want_str(tl_str *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    const tl_json *value = NULL;
    TL_TRY(find(&value, object, key, ctx));
    return tl_json_as_str(out, value, key, ctx);
}
