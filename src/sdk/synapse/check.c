/* Values against types, with the conversions that a lax model makes (measured on the SDK's):
 *
 *      int    bool as 0 or 1, floats without a fraction that fit 64 bits, text: int()'s forms and "5.0"
 *      float  int, bool, text: float()'s forms, nan and inf too
 *      bool   0, 1, 0.0, 1.0, text: 0 1 t f y n yes no on off true false in any case
 *      str    only text        list, tuple   an array          dict   an object, any keys
 */
#include <string.h>

#include "sdk/synapse/synapse_internal.h"

static tl_err fail_type(const tl_value *in, const char *wanted, tl_errctx *ctx)
{
    return tl_fail(ctx, TL_ERR_TYPE, "%s is expected, found %s", wanted, tl_value_type_name(in));
}

static tl_err fail_text(tl_str text, const char *wanted, tl_errctx *ctx)
{
    return tl_fail(ctx, TL_ERR_TYPE, "\"%.*s\" is no %s", TL_STR_ARG(tl_str_slice(text, 0, 40)),
                   wanted);
}

static tl_err check_int(tl_value *out, tl_arena *arena, const tl_value *in, tl_errctx *ctx)
{
    if (in->kind == TL_VALUE_INT || in->kind == TL_VALUE_BIGINT) {
        *out = *in;
        return TL_OK;
    }
    if (in->kind == TL_VALUE_BOOL) {
        *out = tl_value_from_i64(in->boolean ? 1 : 0);
        return TL_OK;
    }
    if (in->kind == TL_VALUE_STR) {
        return tl_value_parse_int_lax(out, arena, in->text) ? TL_OK
                                                            : fail_text(in->text, "int", ctx);
    }
    if (in->kind == TL_VALUE_FLOAT) {
        const double limit = 9223372036854775808.0;
        const bool fits = in->f64 > -limit && in->f64 < limit; /* false for nan */
        if (!fits || (double)(int64_t)in->f64 != in->f64) {
            return tl_fail(ctx, TL_ERR_RANGE,
                           "int is expected, found a float with a fraction or "
                           "beyond 64 bits");
        }
        *out = tl_value_from_i64((int64_t)in->f64);
        return TL_OK;
    }
    return fail_type(in, "int", ctx);
}

static tl_err check_float(tl_value *out, const tl_value *in, tl_errctx *ctx)
{
    double number = 0;
    if (in->kind == TL_VALUE_STR) {
        if (!tl_value_parse_float_lax(&number, in->text)) {
            return fail_text(in->text, "float", ctx);
        }
    } else if (in->kind == TL_VALUE_BOOL) {
        number = in->boolean ? 1.0 : 0.0;
    } else {
        TL_TRY(tl_value_as_f64(&number, in, NULL, ctx));
    }
    *out = tl_value_from_f64(number);
    return TL_OK;
}

static tl_err check_bool(tl_value *out, const tl_value *in, tl_errctx *ctx)
{
    bool truth = false;
    if (in->kind == TL_VALUE_BOOL) {
        truth = in->boolean;
    } else if (in->kind == TL_VALUE_INT && (in->i64 == 0 || in->i64 == 1)) {
        truth = in->i64 == 1;
    } else if (in->kind == TL_VALUE_FLOAT && (in->f64 == 0.0 || in->f64 == 1.0)) {
        truth = in->f64 == 1.0;
    } else if (in->kind == TL_VALUE_STR) {
        if (!tl_value_parse_bool_lax(&truth, in->text)) {
            return fail_text(in->text, "bool", ctx);
        }
    } else {
        return fail_type(in, "bool", ctx);
    }
    *out = tl_value_from_bool(truth);
    return TL_OK;
}

static tl_err check_items(tl_value *out, tl_arena *arena, const tl_synapse_type *type,
                          const tl_value *in, tl_errctx *ctx)
{
    const bool is_tuple = type->kind == TL_SYNAPSE_TUPLE;
    if (in->kind != TL_VALUE_LIST && in->kind != TL_VALUE_TUPLE) {
        return fail_type(in, is_tuple ? "tuple" : "list", ctx);
    }
    tl_value made = *in;
    made.kind = is_tuple ? TL_VALUE_TUPLE : TL_VALUE_LIST;
    if (type->item != NULL) {
        tl_value *const items = TL_NEW(arena, tl_value, in->count);
        if (items == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        for (uint32_t i = 0; i < in->count; i++) {
            const tl_err err = tl__synapse_check(&items[i], arena, type->item, &in->items[i], ctx);
            if (err != TL_OK) {
                tl_errctx_under(ctx, "[%u]", (unsigned)i);
                return err;
            }
        }
        made.items = items;
    }
    *out = made;
    return TL_OK;
}

static tl_err check_dict(tl_value *out, tl_arena *arena, const tl_synapse_type *type,
                         const tl_value *in, tl_errctx *ctx)
{
    if (in->kind != TL_VALUE_DICT) {
        return fail_type(in, "dict", ctx);
    }
    tl_value made = *in;
    if (type->item != NULL) {
        tl_value_member *const members = TL_NEW(arena, tl_value_member, in->count);
        if (members == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        for (uint32_t i = 0; i < in->count; i++) {
            members[i].key = in->members[i].key;
            const tl_err err =
                tl__synapse_check(&members[i].value, arena, type->item, &in->members[i].value, ctx);
            if (err != TL_OK) {
                tl_errctx_under(ctx, "%.*s", TL_STR_ARG(tl_str_slice(members[i].key, 0, 64)));
                return err;
            }
        }
        made.members = members;
    }
    *out = made;
    return TL_OK;
}

/* A nested model is a dict of its fields, in their order. */
static tl_err check_model(tl_value *out, tl_arena *arena, const tl_synapse_model *model,
                          const tl_value *in, tl_errctx *ctx)
{
    tl_value *const values = TL_NEW(arena, tl_value, model->field_count);
    tl_value_member *const members = TL_NEW(arena, tl_value_member, model->field_count);
    if (values == NULL || members == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl__synapse_check_members(values, arena, model, in, false, ctx));
    for (size_t i = 0; i < model->field_count; i++) {
        members[i] = (tl_value_member){model->fields[i].name, values[i]};
    }
    *out = tl_value_from_members(members, model->field_count);
    return TL_OK;
}

/* The dict of a tensor. What its buffer holds is sdk/tensor's to say, when somebody wants the numbers. */
static const tl_synapse_model *tensor_model(void)
{
    static const tl_synapse_type shape_item = {.kind = TL_SYNAPSE_INT};
    static const tl_synapse_field fields[3] = {
        {.name = {"buffer", 6}, .type = {.kind = TL_SYNAPSE_STR, .is_optional = true}},
        {.name = {"dtype", 5}, .type = {.kind = TL_SYNAPSE_STR}, .is_required = true},
        {.name = {"shape", 5},
         .type = {.kind = TL_SYNAPSE_LIST, .item = &shape_item},
         .is_required = true}};
    static const tl_synapse_model model = {
        .name = {"Tensor", 6}, .fields = fields, .field_count = 3};
    return &model;
}

tl_err tl__synapse_check(tl_value *out, tl_arena *arena, const tl_synapse_type *type,
                         const tl_value *in, tl_errctx *ctx)
{
    if (in->kind == TL_VALUE_NONE && type->is_optional) {
        *out = *in;
        return TL_OK;
    }
    switch (type->kind) {
    case TL_SYNAPSE_ANY:
        *out = *in;
        return TL_OK;
    case TL_SYNAPSE_BOOL:
        return check_bool(out, in, ctx);
    case TL_SYNAPSE_INT:
        return check_int(out, arena, in, ctx);
    case TL_SYNAPSE_FLOAT:
        return check_float(out, in, ctx);
    case TL_SYNAPSE_STR:
        if (in->kind != TL_VALUE_STR) {
            return fail_type(in, "str", ctx);
        }
        *out = *in;
        return TL_OK;
    case TL_SYNAPSE_LIST:
    case TL_SYNAPSE_TUPLE:
        return check_items(out, arena, type, in, ctx);
    case TL_SYNAPSE_DICT:
        return check_dict(out, arena, type, in, ctx);
    case TL_SYNAPSE_TENSOR:
        return check_model(out, arena, tensor_model(), in, ctx);
    case TL_SYNAPSE_MODEL:
        return check_model(out, arena, type->model, in, ctx);
    }
    TL_ASSERT(false); /* SYN-1 */
    return tl_fail(ctx, TL_ERR_INTERNAL, "a type of no kind");
}

static tl_err check_unknown(const tl_synapse_model *model, const tl_value *dict, bool has_own,
                            tl_errctx *ctx)
{
    for (uint32_t i = 0; i < dict->count; i++) {
        const tl_str key = dict->members[i].key;
        if (tl__synapse_field_index(model, key) == model->field_count &&
            !(has_own && tl__synapse_is_own(key))) {
            return tl_fail(ctx, TL_ERR_UNKNOWN, "\"%.*s\" has no field \"%.*s\"",
                           TL_STR_ARG(model->name), TL_STR_ARG(tl_str_slice(key, 0, 64)));
        }
    }
    return TL_OK;
}

tl_err tl__synapse_check_members(tl_value *values, tl_arena *arena, const tl_synapse_model *model,
                                 const tl_value *dict, bool has_own, tl_errctx *ctx)
{
    if (dict->kind != TL_VALUE_DICT) {
        return fail_type(dict, "dict", ctx);
    }
    if (dict->count > TL_SYNAPSE_KEYS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%u keys, above %d", (unsigned)dict->count,
                       TL_SYNAPSE_KEYS_MAX);
    }
    if (model->refuses_unknown) {
        TL_TRY(check_unknown(model, dict, has_own, ctx));
    }
    for (size_t i = 0; i < model->field_count; i++) {
        const tl_synapse_field *const field = &model->fields[i];
        const tl_value *const given = tl_value_get(dict, field->name);
        tl_err err = TL_OK;
        if (given != NULL) {
            err = tl__synapse_check(&values[i], arena, &field->type, given, ctx);
        } else if (field->is_required) {
            err = tl_fail(ctx, TL_ERR_MISSING, "a required field is missing");
        } else {
            values[i] = field->value;
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "%.*s", TL_STR_ARG(field->name));
            return err;
        }
    }
    return TL_OK;
}
