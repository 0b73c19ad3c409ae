/* What a stranger sent becomes a message: headers with Python's number forms, a body through the lax checks. */
#include <string.h>

#include "core/codec/base64/base64.h"
#include "sdk/synapse/synapse_internal.h"

static const tl_str axon_prefix = {"bt_header_axon_", 15};
static const tl_str dendrite_prefix = {"bt_header_dendrite_", 19};
static const tl_str input_prefix = {"bt_header_input_obj_", 20};

/* A header's bytes are Latin-1; what is not ASCII becomes UTF-8, as every text here is. */
static tl_err as_text(tl_value *out, tl_arena *arena, tl_str value, tl_errctx *ctx)
{
    size_t high = 0;
    for (size_t i = 0; i < value.len; i++) {
        high += (unsigned char)value.ptr[i] >= 0x80 ? 1 : 0;
    }
    *out = tl_value_from_str(value);
    if (high == 0) {
        return TL_OK;
    }
    char *const text = TL_NEW(arena, char, value.len + high);
    if (text == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        const unsigned char c = (unsigned char)value.ptr[i];
        if (c >= 0x80) {
            text[len++] = (char)(0xC0 | c >> 6);
        }
        text[len++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c);
    }
    out->text = (tl_str){text, len};
    return TL_OK;
}

static tl_err fail_number(tl_str text, const char *wanted, tl_errctx *ctx)
{
    return tl_fail(ctx, TL_ERR_TYPE, "\"%.*s\" is no %s", TL_STR_ARG(tl_str_slice(text, 0, 40)),
                   wanted);
}

/* int(raw) as the SDK calls it before validation: a float is cut to its whole part, True is 1. */
static tl_err cast_int(tl_value *out, tl_arena *arena, const tl_value *raw, tl_errctx *ctx)
{
    switch (raw->kind) {
    case TL_VALUE_NONE:
    case TL_VALUE_INT:
    case TL_VALUE_BIGINT:
        *out = *raw;
        return TL_OK;
    case TL_VALUE_BOOL:
        *out = tl_value_from_i64(raw->boolean ? 1 : 0);
        return TL_OK;
    case TL_VALUE_FLOAT:
        if (!(raw->f64 > -9e18 && raw->f64 < 9e18)) {
            return tl_fail(ctx, TL_ERR_RANGE, "a float beyond 9e18 is no figure here");
        }
        *out = tl_value_from_i64((int64_t)raw->f64);
        return TL_OK;
    case TL_VALUE_STR:
        return tl_value_parse_int(out, arena, raw->text) ? TL_OK
                                                         : fail_number(raw->text, "int", ctx);
    case TL_VALUE_LIST:
    case TL_VALUE_TUPLE:
    case TL_VALUE_DICT:
        break;
    }
    return tl_fail(ctx, TL_ERR_TYPE, "int is expected, found %s", tl_value_type_name(raw));
}

/* float(raw) likewise. */
static tl_err cast_float(tl_value *out, const tl_value *raw, tl_errctx *ctx)
{
    double number = 0;
    if (raw->kind == TL_VALUE_NONE) {
        *out = *raw;
        return TL_OK;
    }
    if (raw->kind == TL_VALUE_BOOL) {
        number = raw->boolean ? 1.0 : 0.0;
    } else if (raw->kind == TL_VALUE_STR) {
        if (!tl_value_parse_float(&number, raw->text)) {
            return fail_number(raw->text, "float", ctx);
        }
    } else {
        TL_TRY(tl_value_as_f64(&number, raw, NULL, ctx));
    }
    *out = tl_value_from_f64(number);
    return TL_OK;
}

static tl_err cast_text(tl_value *out, const tl_value *raw, tl_errctx *ctx)
{
    if (raw->kind != TL_VALUE_NONE && raw->kind != TL_VALUE_STR) {
        return tl_fail(ctx, TL_ERR_TYPE, "str is expected, found %s", tl_value_type_name(raw));
    }
    *out = *raw;
    return TL_OK;
}

static tl_err cast(tl_value *out, tl_arena *arena, tl_value_kind kind, const tl_value *raw,
                   const char *name, tl_errctx *ctx)
{
    const tl_err err = kind == TL_VALUE_INT     ? cast_int(out, arena, raw, ctx)
                       : kind == TL_VALUE_FLOAT ? cast_float(out, raw, ctx)
                                                : cast_text(out, raw, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", name);
    }
    return err;
}

/* --- bodies --- */

static tl_err terminal_from_body(tl_terminal *out, tl_arena *arena, const tl_value *body,
                                 const char *name, tl_errctx *ctx)
{
    const tl_value *const dict = tl_value_get(body, tl_str_from_cstr(name));
    if (dict == NULL || dict->kind == TL_VALUE_NONE) {
        return TL_OK;
    }
    if (dict->kind != TL_VALUE_DICT || dict->count > TL_SYNAPSE_KEYS_MAX) {
        return tl_fail_field(ctx, TL_ERR_TYPE, name, "dict is expected, found %s of %u",
                             tl_value_type_name(dict), (unsigned)dict->count);
    }
    for (size_t i = 0; i < TL__TERMINAL_COUNT; i++) {
        const tl__terminal_figure *const figure = &tl__terminal_figures[i];
        const tl_value *const given = tl_value_get(dict, tl_str_from_cstr(figure->name));
        if (given != NULL) {
            const tl_err err =
                cast(tl__terminal_at(out, i), arena, figure->kind, given, figure->name, ctx);
            if (err != TL_OK) {
                tl_errctx_under(ctx, "%s", name);
                return err;
            }
        }
    }
    return TL_OK;
}

static tl_err figure_from_body(tl_value *out, tl_arena *arena, const tl_value *body,
                               const char *name, tl_value_kind kind, tl_errctx *ctx)
{
    const tl_value *const given = tl_value_get(body, tl_str_from_cstr(name));
    return given != NULL ? cast(out, arena, kind, given, name, ctx) : TL_OK;
}

tl_err tl_synapse_from_body(tl_synapse **out, tl_arena *arena, const tl_synapse_def *def,
                            tl_str body, const tl_value_limits *limits, tl_errctx *ctx)
{
    tl_value dict = tl_value_none();
    TL_TRY(tl_value_parse(&dict, arena, body, limits, ctx));
    tl_synapse *synapse = NULL;
    TL_TRY(tl_synapse_new(&synapse, arena, def, ctx));
    TL_TRY(tl__synapse_check_members(synapse->fields, arena, &def->model, &dict, true, ctx));
    TL_TRY(figure_from_body(&synapse->timeout, arena, &dict, "timeout", TL_VALUE_FLOAT, ctx));
    TL_TRY(figure_from_body(&synapse->total_size, arena, &dict, "total_size", TL_VALUE_INT, ctx));
    TL_TRY(figure_from_body(&synapse->header_size, arena, &dict, "header_size", TL_VALUE_INT, ctx));
    TL_TRY(figure_from_body(&synapse->computed_body_hash, arena, &dict, "computed_body_hash",
                            TL_VALUE_STR, ctx));
    TL_TRY(terminal_from_body(&synapse->dendrite, arena, &dict, "dendrite", ctx));
    TL_TRY(terminal_from_body(&synapse->axon, arena, &dict, "axon", ctx));
    *out = synapse;
    return TL_OK;
}

/* --- headers --- */

typedef struct header_reader {
    tl_synapse *synapse;
    tl_arena *arena;
    bool is_lenient;
    uint64_t seen; /* figures of every message: one bit each */
    bool *given;   /* one for each field */
    tl_errctx *ctx;
} header_reader;

/* Where a header of every message goes. */
typedef struct target {
    tl_value *value;
    tl_value_kind kind;
    uint32_t bit;
} target;

static bool terminal_target(target *out, tl_terminal *terminal, uint32_t first_bit, tl_str name)
{
    for (size_t i = 0; i < TL__TERMINAL_COUNT; i++) {
        if (tl_http_name_eq(name, tl_str_from_cstr(tl__terminal_figures[i].name))) {
            *out = (target){tl__terminal_at(terminal, i), tl__terminal_figures[i].kind,
                            first_bit + (uint32_t)i};
            return true;
        }
    }
    return false;
}

static bool find_target(target *out, tl_synapse *synapse, tl_str name)
{
    if (tl_http_name_starts_with(name, axon_prefix)) {
        return terminal_target(out, &synapse->axon, 8,
                               tl_str_slice(name, axon_prefix.len, name.len));
    }
    if (tl_http_name_starts_with(name, dendrite_prefix)) {
        return terminal_target(out, &synapse->dendrite, 8 + TL__TERMINAL_COUNT,
                               tl_str_slice(name, dendrite_prefix.len, name.len));
    }
    const struct {
        const char *name;
        target target;
    } own[] = {{"timeout", {&synapse->timeout, TL_VALUE_FLOAT, 0}},
               {"header_size", {&synapse->header_size, TL_VALUE_INT, 1}},
               {"total_size", {&synapse->total_size, TL_VALUE_INT, 2}},
               {"computed_body_hash", {&synapse->computed_body_hash, TL_VALUE_STR, 3}}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (tl_http_name_eq(name, tl_str_from_cstr(own[i].name))) {
            *out = own[i].target;
            return true;
        }
    }
    return false;
}

static tl_err fail_twice(tl_str name, tl_errctx *ctx)
{
    const tl_str shown = tl_str_slice(name, 0, 64);
    return tl_fail(ctx, TL_ERR_DUPLICATE, "header %.*s comes twice", TL_STR_ARG(shown));
}

static tl_err read_input(tl_value *out, tl_arena *arena, tl_str base64)
{
    tl_bytes json = {NULL, 0};
    TL_TRY(tl_base64_decode(&json, arena, base64, NULL));
    return tl_value_parse(out, arena, (tl_str){(const char *)json.ptr, json.len}, NULL, NULL);
}

/* The empty value of a required field. Text that is no base64 or no JSON counts as none, as in the SDK. */
static tl_err take_input(header_reader *r, const tl_http_header *header)
{
    const tl_synapse_model *const model = &r->synapse->def->model;
    const tl_str name = tl_str_slice(header->name, input_prefix.len, header->name.len);
    size_t i = 0;
    while (i < model->field_count && !tl_http_name_eq(model->fields[i].name, name)) {
        i++;
    }
    tl_value value = tl_value_none();
    const tl_err given =
        i < model->field_count ? read_input(&value, r->arena, header->value) : TL_ERR_SYNTAX;
    if (given != TL_OK) {
        return given == TL_ERR_NOMEM ? tl_fail(r->ctx, given, "out of memory") : TL_OK;
    }
    if (r->given[i]) {
        return r->is_lenient ? TL_OK : fail_twice(header->name, r->ctx);
    }
    r->given[i] = true;
    const tl_synapse_kind kind = model->fields[i].type.kind;
    const bool is_nested = kind == TL_SYNAPSE_MODEL || kind == TL_SYNAPSE_TENSOR;
    if (is_nested && value.kind == TL_VALUE_DICT && value.count == 0) {
        r->synapse->fields[i] = value;
        return TL_OK;
    }
    const tl_err err =
        tl__synapse_check(&r->synapse->fields[i], r->arena, &model->fields[i].type, &value, r->ctx);
    if (err != TL_OK) {
        tl_errctx_under(r->ctx, "bt_header_input_obj_%.*s", TL_STR_ARG(model->fields[i].name));
    }
    return err;
}

enum { NAME_BIT = 4 }; /* of header_reader.seen, as the bits of find_target */

static tl_err take_header(header_reader *r, const tl_http_header *header)
{
    target to = {NULL, TL_VALUE_NONE, 0};
    if (tl_http_name_starts_with(header->name, input_prefix)) {
        return take_input(r, header);
    }
    const bool is_name = tl_http_name_eq(header->name, TL_STR("name"));
    if (is_name) {
        to.bit = NAME_BIT; /* the path says it; here it is only counted */
    } else if (!find_target(&to, r->synapse, header->name)) {
        return TL_OK;
    }
    if ((r->seen >> to.bit & 1) != 0) {
        return r->is_lenient ? TL_OK : fail_twice(header->name, r->ctx);
    }
    r->seen |= UINT64_C(1) << to.bit;
    if (is_name) {
        return TL_OK;
    }
    tl_value raw = tl_value_none();
    TL_TRY(as_text(&raw, r->arena, header->value, r->ctx));
    char name[TL_ERR_FIELD_CAP];
    tl_str_print(name, sizeof name, "%.*s", TL_STR_ARG(tl_str_slice(header->name, 0, 64)));
    return cast(to.value, r->arena, to.kind, &raw, name, r->ctx);
}

tl_err tl_synapse_from_headers(tl_synapse **out, tl_arena *arena, const tl_synapse_def *def,
                               tl_http_headers headers, bool is_lenient, tl_errctx *ctx)
{
    tl_synapse *synapse = NULL;
    TL_TRY(tl_synapse_new(&synapse, arena, def, ctx));
    synapse->timeout = tl_value_none();
    synapse->total_size = tl_value_none();
    synapse->header_size = tl_value_none();
    synapse->computed_body_hash = tl_value_none();
    bool *const given = TL_NEW(arena, bool, def->model.field_count);
    if (given == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    header_reader reader = {synapse, arena, is_lenient, 0, given, ctx};
    for (size_t i = 0; i < headers.count; i++) {
        TL_TRY(take_header(&reader, &headers.at[i]));
    }
    for (size_t i = 0; i < def->model.field_count; i++) {
        if (def->model.fields[i].is_required && !given[i]) {
            const tl_err err = tl_fail(ctx, TL_ERR_MISSING, "a required field has no header");
            tl_errctx_under(ctx, "bt_header_input_obj_%.*s", TL_STR_ARG(def->model.fields[i].name));
            return err;
        }
    }
    *out = synapse;
    return TL_OK;
}
