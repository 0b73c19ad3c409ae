/* Values: made from JSON, copied, compared, read. */
#include "sdk/value/value.h"

#include <string.h>

#include "base/decimal/decimal.h"
#include "sdk/value/value_internal.h"

/* --- made in C --- */

tl_value tl_value_none(void)
{
    return (tl_value){.kind = TL_VALUE_NONE};
}

tl_value tl_value_from_bool(bool value)
{
    return (tl_value){.kind = TL_VALUE_BOOL, .boolean = value};
}

tl_value tl_value_from_i64(int64_t value)
{
    return (tl_value){.kind = TL_VALUE_INT, .i64 = value};
}

tl_value tl_value_from_f64(double value)
{
    return (tl_value){.kind = TL_VALUE_FLOAT, .f64 = value};
}

tl_value tl_value_from_str(tl_str text)
{
    return (tl_value){.kind = TL_VALUE_STR, .text = text};
}

tl_value tl_value_from_items(const tl_value *items, size_t count)
{
    TL_ASSERT(count <= UINT32_MAX);
    return (tl_value){.kind = TL_VALUE_LIST, .count = (uint32_t)count, .items = items};
}

tl_value tl_value_from_members(const tl_value_member *members, size_t count)
{
    TL_ASSERT(count <= UINT32_MAX);
    return (tl_value){.kind = TL_VALUE_DICT, .count = (uint32_t)count, .members = members};
}

/* --- from JSON --- */

/* Integers keep every digit (VAL-1); what has a point or an exponent is a float. */
static tl_err from_number(tl_value *out, tl_arena *arena, const tl_json *json, tl_errctx *ctx)
{
    tl_str text = json->text;
    const char last = text.ptr[text.len - 1];
    if (last == 'N') {
        *out = tl_value_from_f64(__builtin_nan(""));
        return TL_OK;
    }
    if (last == 'y') {
        *out = tl_value_from_f64(text.ptr[0] == '-' ? -__builtin_inf() : __builtin_inf());
        return TL_OK;
    }
    bool is_float = false;
    for (size_t i = 0; i < text.len; i++) {
        is_float = is_float || text.ptr[i] == '.' || (text.ptr[i] | 0x20) == 'e';
    }
    if (is_float) {
        double number = 0;
        const bool is_number = tl_f64_parse(&number, text);
        TL_ASSERT(is_number);
        *out = tl_value_from_f64(number);
        return TL_OK;
    }
    const bool is_negative = text.ptr[0] == '-';
    text = tl_str_slice(text, is_negative ? 1 : 0, text.len);
    if (text.len > TL_VALUE_DIGITS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "an integer has %zu digits, above %d", text.len,
                       TL_VALUE_DIGITS_MAX);
    }
    return tl__value_canonical_int(out, arena, is_negative, text) ? TL_OK
                                                                  : tl_arena_fail(arena, ctx);
}

static tl_err from_array(tl_value *out, tl_arena *arena, const tl_json *json, tl_errctx *ctx)
{
    tl_value *const items = TL_NEW(arena, tl_value, json->count);
    if (items == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < json->count; i++) {
        TL_TRY(tl_value_from_json(&items[i], arena, &json->items[i], ctx));
    }
    *out = tl_value_from_items(items, json->count);
    return TL_OK;
}

static tl_err from_object(tl_value *out, tl_arena *arena, const tl_json *json, tl_errctx *ctx)
{
    tl_value_member *const members = TL_NEW(arena, tl_value_member, json->count);
    if (members == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < json->count; i++) {
        members[i].key = json->members[i].key;
        TL_TRY(tl_value_from_json(&members[i].value, arena, &json->members[i].value, ctx));
    }
    *out = tl_value_from_members(members, json->count);
    return TL_OK;
}

/* The recursion is as deep as the reader let the text be. */
tl_err tl_value_from_json(tl_value *out, tl_arena *arena, const tl_json *json, tl_errctx *ctx)
{
    switch (json->kind) {
    case TL_JSON_NULL:
        *out = tl_value_none();
        return TL_OK;
    case TL_JSON_BOOL:
        *out = tl_value_from_bool(json->boolean);
        return TL_OK;
    case TL_JSON_NUMBER:
        return from_number(out, arena, json, ctx);
    case TL_JSON_STRING:
        *out = tl_value_from_str(json->text);
        return TL_OK;
    case TL_JSON_ARRAY:
        return from_array(out, arena, json, ctx);
    case TL_JSON_OBJECT:
        return from_object(out, arena, json, ctx);
    }
    TL_ASSERT(false);
    return tl_fail(ctx, TL_ERR_INTERNAL, "a JSON value of no kind");
}

/* Counts before anything is built. A value takes two bytes of text at least, so most texts need no count. */
static tl_err check_count(tl_arena *arena, tl_str text, const tl_json_options *options,
                          uint32_t count_max, tl_errctx *ctx)
{
    if (text.len / 2 < count_max) {
        return TL_OK;
    }
    tl_json_reader reader;
    TL_TRY(tl_json_reader_init(&reader, arena, text, options, ctx));
    uint32_t count = 0;
    for (;;) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        tl_json_event event = TL_JSON_EV_END;
        TL_TRY(tl_json_next(&reader, &event, ctx));
        tl_arena_rewind(arena, mark);
        if (event == TL_JSON_EV_END) {
            return TL_OK;
        }
        count += event != TL_JSON_EV_KEY && event != TL_JSON_EV_ARRAY_END &&
                         event != TL_JSON_EV_OBJECT_END
                     ? 1
                     : 0;
        if (count > count_max) {
            return tl_fail(ctx, TL_ERR_LIMIT, "the text holds more than %u values",
                           (unsigned)count_max);
        }
    }
}

tl_err tl_value_parse(tl_value *out, tl_arena *arena, tl_str text, const tl_value_limits *limits,
                      tl_errctx *ctx)
{
    const tl_value_limits given = limits != NULL ? *limits : (tl_value_limits){0, 0, 0};
    const tl_json_options options = {
        .allow_duplicate_keys = true,
        .allow_nonfinite = true,
        .depth_max = given.depth_max != 0 ? given.depth_max : TL_VALUE_DEPTH_MAX,
        .len_max = given.len_max != 0 ? given.len_max : TL_VALUE_LEN_MAX};
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    tl_err err = check_count(arena, text, &options,
                             given.count_max != 0 ? given.count_max : TL_VALUE_COUNT_MAX, ctx);
    const tl_json *json = NULL;
    if (err == TL_OK) {
        err = tl_json_parse(&json, arena, text, &options, ctx);
    }
    tl_value value = tl_value_none();
    if (err == TL_OK) {
        err = tl_value_from_json(&value, arena, json, ctx);
    }
    if (err != TL_OK) {
        tl_arena_rewind(arena, mark);
        return err;
    }
    *out = value;
    return TL_OK;
}

/* --- copied, compared, read --- */

tl_err tl_value_copy(tl_value *out, tl_arena *arena, const tl_value *value, tl_errctx *ctx)
{
    tl_value copy = *value;
    if (value->kind == TL_VALUE_STR || value->kind == TL_VALUE_BIGINT) {
        TL_TRY(tl_str_copy(&copy.text, arena, value->text, ctx));
    } else if (value->kind == TL_VALUE_LIST || value->kind == TL_VALUE_TUPLE) {
        tl_value *const items = TL_NEW(arena, tl_value, value->count);
        if (items == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        for (uint32_t i = 0; i < value->count; i++) {
            TL_TRY(tl_value_copy(&items[i], arena, &value->items[i], ctx));
        }
        copy.items = items;
    } else if (value->kind == TL_VALUE_DICT) {
        tl_value_member *const members = TL_NEW(arena, tl_value_member, value->count);
        if (members == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        for (uint32_t i = 0; i < value->count; i++) {
            TL_TRY(tl_str_copy(&members[i].key, arena, value->members[i].key, ctx));
            TL_TRY(tl_value_copy(&members[i].value, arena, &value->members[i].value, ctx));
        }
        copy.members = members;
    }
    *out = copy;
    return TL_OK;
}

const tl_value *tl_value_get(const tl_value *value, tl_str key)
{
    if (value == NULL || value->kind != TL_VALUE_DICT) {
        return NULL;
    }
    for (uint32_t i = 0; i < value->count; i++) {
        if (tl_str_eq(value->members[i].key, key)) {
            return &value->members[i].value;
        }
    }
    return NULL;
}

static bool members_eq(const tl_value *a, const tl_value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!tl_str_eq(a->members[i].key, b->members[i].key) ||
            !tl_value_eq(&a->members[i].value, &b->members[i].value)) {
            return false;
        }
    }
    return true;
}

static bool items_eq(const tl_value *a, const tl_value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!tl_value_eq(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

bool tl_value_eq(const tl_value *a, const tl_value *b)
{
    if (a->kind != b->kind || a->count != b->count) {
        return false;
    }
    switch (a->kind) {
    case TL_VALUE_NONE:
        return true;
    case TL_VALUE_BOOL:
        return a->boolean == b->boolean;
    case TL_VALUE_INT:
        return a->i64 == b->i64;
    case TL_VALUE_FLOAT:
        return memcmp(&a->f64, &b->f64, sizeof a->f64) == 0 ||
               (__builtin_isnan(a->f64) && __builtin_isnan(b->f64));
    case TL_VALUE_STR:
    case TL_VALUE_BIGINT:
        return tl_str_eq(a->text, b->text);
    case TL_VALUE_LIST:
    case TL_VALUE_TUPLE:
        return items_eq(a, b);
    case TL_VALUE_DICT:
        return members_eq(a, b);
    }
    return false;
}

const char *tl_value_type_name(const tl_value *value)
{
    switch (value->kind) {
    case TL_VALUE_NONE:
        return "NoneType";
    case TL_VALUE_BOOL:
        return "bool";
    case TL_VALUE_INT:
    case TL_VALUE_BIGINT:
        return "int";
    case TL_VALUE_FLOAT:
        return "float";
    case TL_VALUE_STR:
        return "str";
    case TL_VALUE_LIST:
        return "list";
    case TL_VALUE_TUPLE:
        return "tuple";
    case TL_VALUE_DICT:
        return "dict";
    }
    return "object";
}

static tl_err fail_type(const tl_value *value, const char *wanted, const char *field,
                        tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_TYPE, field != NULL ? field : "", "%s is expected, found %s",
                         wanted, tl_value_type_name(value));
}

tl_err tl_value_as_i64(int64_t *out, const tl_value *value, const char *field, tl_errctx *ctx)
{
    if (value->kind == TL_VALUE_BIGINT) {
        return tl_fail_field(ctx, TL_ERR_RANGE, field != NULL ? field : "",
                             "an integer of %zu digits does not fit 64 bits", value->text.len);
    }
    if (value->kind != TL_VALUE_INT) {
        return fail_type(value, "int", field, ctx);
    }
    *out = value->i64;
    return TL_OK;
}

tl_err tl_value_as_f64(double *out, const tl_value *value, const char *field, tl_errctx *ctx)
{
    if (value->kind == TL_VALUE_FLOAT) {
        *out = value->f64;
        return TL_OK;
    }
    if (value->kind == TL_VALUE_INT) {
        *out = (double)value->i64;
        return TL_OK;
    }
    double number = 0;
    if (value->kind == TL_VALUE_BIGINT && tl_f64_parse(&number, value->text)) {
        if (__builtin_isinf(number)) {
            return tl_fail_field(ctx, TL_ERR_RANGE, field != NULL ? field : "",
                                 "an integer of %zu digits is too large for a float",
                                 value->text.len);
        }
        *out = number;
        return TL_OK;
    }
    return fail_type(value, "float", field, ctx);
}

tl_err tl_value_as_str(tl_str *out, const tl_value *value, const char *field, tl_errctx *ctx)
{
    if (value->kind != TL_VALUE_STR) {
        return fail_type(value, "str", field, ctx);
    }
    *out = value->text;
    return TL_OK;
}

tl_err tl_value_as_bool(bool *out, const tl_value *value, const char *field, tl_errctx *ctx)
{
    if (value->kind != TL_VALUE_BOOL) {
        return fail_type(value, "bool", field, ctx);
    }
    *out = value->boolean;
    return TL_OK;
}

int64_t tl_value_clamp_i64(const tl_value *value, int64_t if_none)
{
    if (value->kind == TL_VALUE_BIGINT) {
        return value->text.ptr[0] == '-' ? INT64_MIN : INT64_MAX;
    }
    return value->kind == TL_VALUE_INT ? value->i64 : if_none;
}
