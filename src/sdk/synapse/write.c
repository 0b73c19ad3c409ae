/* A message leaves: headers in the order of the wire, the whole model as JSON in either style, an error's body. */
#include <string.h>

#include "sdk/synapse/synapse_internal.h"

/* --- headers --- */

typedef struct header_list {
    tl_arena *arena;
    tl_http_header *at;
    size_t count;
    tl_errctx *ctx;
} header_list;

/* SYN-3: text as Latin-1, without line breaks. */
static tl_err as_latin1(tl_str *out, const header_list *list, tl_str text, const char *name)
{
    bool is_ascii = true;
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\r' || c == '\n' || c == '\0') {
            return tl_fail_field(list->ctx, TL_ERR_ENCODING, name,
                                 "a header cannot carry the byte 0x%02x", (unsigned)c);
        }
        is_ascii = is_ascii && c < 0x80;
    }
    *out = text;
    if (is_ascii) {
        return TL_OK;
    }
    char *const bytes = TL_NEW(list->arena, char, text.len);
    if (bytes == NULL) {
        return tl_arena_fail(list->arena, list->ctx);
    }
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t c = 0;
        const size_t step = tl_str_utf8_at(&c, text, at);
        if (step == 0 || c > 0xFF) {
            return tl_fail_field(list->ctx, TL_ERR_ENCODING, name,
                                 "a header carries Latin-1 only, found U+%04X", (unsigned)c);
        }
        bytes[len++] = (char)(unsigned char)c;
        at += step;
    }
    *out = (tl_str){bytes, len};
    return TL_OK;
}

static tl_err add(header_list *list, tl_str prefix, tl_str name, const tl_value *value)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_str full = name;
    if (prefix.len != 0) {
        tl_sb_init(&sb, list->arena);
        tl_sb_put(&sb, prefix);
        tl_sb_put(&sb, name);
        TL_TRY(tl_sb_finish(&full, &sb, list->ctx));
    }
    tl_sb_init(&sb, list->arena);
    tl_value_put_str(&sb, value);
    TL_TRY(tl_sb_finish(&text, &sb, list->ctx));
    char shown[TL_ERR_FIELD_CAP];
    tl_str_print(shown, sizeof shown, "%.*s", TL_STR_ARG(full));
    TL_TRY(as_latin1(&text, list, text, shown));
    list->at[list->count++] = (tl_http_header){full, text};
    return TL_OK;
}

static tl_err add_terminal(header_list *list, tl_str prefix, const tl_terminal *terminal)
{
    for (size_t i = 0; i < TL__TERMINAL_COUNT; i++) {
        const tl_value *const figure = tl__terminal_look(terminal, i);
        if (figure->kind != TL_VALUE_NONE) {
            TL_TRY(add(list, prefix, tl_str_from_cstr(tl__terminal_figures[i].name), figure));
        }
    }
    return TL_OK;
}

/* base64 of the JSON of what the value's type is without arguments: "", 0, 0.0, false, [], {}. */
static const char *empty_of(const tl_value *value)
{
    switch (value->kind) {
    case TL_VALUE_NONE:
        return NULL;
    case TL_VALUE_BOOL:
        return "ZmFsc2U=";
    case TL_VALUE_INT:
    case TL_VALUE_BIGINT:
        return "MA==";
    case TL_VALUE_FLOAT:
        return "MC4w";
    case TL_VALUE_STR:
        return "IiI=";
    case TL_VALUE_LIST:
    case TL_VALUE_TUPLE:
        return "W10=";
    case TL_VALUE_DICT:
        return "e30=";
    }
    return NULL;
}

static tl_err add_inputs(header_list *list, const tl_synapse *synapse)
{
    const tl_synapse_model *const model = &synapse->def->model;
    for (size_t i = 0; i < model->field_count; i++) {
        const char *const empty = empty_of(&synapse->fields[i]);
        if (model->fields[i].is_required && empty != NULL) {
            const tl_value value = tl_value_from_str(tl_str_from_cstr(empty));
            TL_TRY(add(list, TL_STR("bt_header_input_obj_"), model->fields[i].name, &value));
        }
    }
    return TL_OK;
}

tl_err tl_synapse_put_headers(tl_http_headers *out, tl_arena *arena, tl_synapse *synapse,
                              tl_errctx *ctx)
{
    const size_t most = 5 + 2 * TL__TERMINAL_COUNT + synapse->def->model.field_count;
    header_list list = {arena, TL_NEW(arena, tl_http_header, most), 0, ctx};
    if (list.at == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const tl_value name = tl_value_from_str(synapse->def->model.name);
    const tl_str none = {NULL, 0};
    TL_TRY(add(&list, none, TL_STR("name"), &name));
    TL_TRY(add(&list, none, TL_STR("timeout"), &synapse->timeout));
    TL_TRY(add_terminal(&list, TL_STR("bt_header_axon_"), &synapse->axon));
    TL_TRY(add_terminal(&list, TL_STR("bt_header_dendrite_"), &synapse->dendrite));
    TL_TRY(add_inputs(&list, synapse));
    const tl_value header_size = tl_value_from_i64(tl__synapse_header_size(list.count));
    synapse->total_size = tl_value_from_i64(tl__synapse_total_size(synapse));
    TL_TRY(add(&list, none, TL_STR("header_size"), &header_size));
    TL_TRY(add(&list, none, TL_STR("total_size"), &synapse->total_size));
    char hash[TL_SYNAPSE_HASH_CAP];
    TL_TRY(tl_synapse_body_hash(hash, synapse, arena, ctx));
    tl_str kept = {NULL, 0};
    TL_TRY(tl_str_copy(&kept, arena, tl_str_from_cstr(hash), ctx));
    TL_ASSERT(list.count < most);
    list.at[list.count++] = (tl_http_header){TL_STR("computed_body_hash"), kept};
    *out = (tl_http_headers){list.at, list.count};
    return TL_OK;
}

/* --- bodies --- */

typedef struct body {
    tl_sb sb;
    tl_value_style style;
    bool has_member; /* of the object that is open */
} body;

static void put_key(body *b, const char *key, size_t len)
{
    const bool is_request = b->style == TL_VALUE_REQUEST;
    tl_sb_put_cstr(&b->sb, !b->has_member ? "" : is_request ? ", " : ",");
    tl_sb_put_char(&b->sb, '"');
    tl_sb_put_bytes(&b->sb, key, len);
    tl_sb_put_cstr(&b->sb, is_request ? "\": " : "\":");
    b->has_member = true;
}

static void put_member(body *b, const char *key, const tl_value *value)
{
    put_key(b, key, strlen(key));
    tl_value_put_json(&b->sb, value, b->style);
}

static void put_terminal(body *b, const char *key, const tl_terminal *terminal)
{
    put_key(b, key, strlen(key));
    tl_sb_put_char(&b->sb, '{');
    b->has_member = false;
    for (size_t i = 0; i < TL__TERMINAL_COUNT; i++) {
        put_member(b, tl__terminal_figures[i].name, tl__terminal_look(terminal, i));
    }
    tl_sb_put_char(&b->sb, '}');
}

static tl_err put_model(tl_str *out, tl_arena *arena, const tl_synapse *synapse,
                        tl_value_style style, tl_errctx *ctx)
{
    const tl_synapse_model *const model = &synapse->def->model;
    body b = {.style = style, .has_member = false};
    tl_sb_init(&b.sb, arena);
    const tl_value name = tl_value_from_str(model->name);
    tl_sb_put_char(&b.sb, '{');
    put_member(&b, "name", &name);
    put_member(&b, "timeout", &synapse->timeout);
    put_member(&b, "total_size", &synapse->total_size);
    put_member(&b, "header_size", &synapse->header_size);
    put_terminal(&b, "dendrite", &synapse->dendrite);
    put_terminal(&b, "axon", &synapse->axon);
    put_member(&b, "computed_body_hash", &synapse->computed_body_hash);
    for (size_t i = 0; i < model->field_count; i++) {
        put_key(&b, model->fields[i].name.ptr, model->fields[i].name.len);
        tl_value_put_json(&b.sb, &synapse->fields[i], style);
    }
    tl_sb_put_char(&b.sb, '}');
    return tl_sb_finish(out, &b.sb, ctx);
}

tl_err tl_synapse_request_body(tl_str *out, tl_arena *arena, const tl_synapse *synapse,
                               tl_errctx *ctx)
{
    return put_model(out, arena, synapse, TL_VALUE_REQUEST, ctx);
}

static tl_err fail_infinite(const char *name, size_t len, tl_errctx *ctx)
{
    const tl_err err = tl_fail(ctx, TL_ERR_RANGE, "nan and infinity have no place in an answer");
    tl_errctx_under(ctx, "%.*s", (int)len, name);
    return err;
}

tl_err tl_synapse_response_body(tl_str *out, tl_arena *arena, const tl_synapse *synapse,
                                tl_errctx *ctx)
{
    const tl_synapse_model *const model = &synapse->def->model;
    if (!tl_value_is_finite(&synapse->timeout)) {
        return fail_infinite("timeout", 7, ctx);
    }
    if (!tl_value_is_finite(&synapse->axon.process_time) ||
        !tl_value_is_finite(&synapse->dendrite.process_time)) {
        return fail_infinite("process_time", 12, ctx);
    }
    for (size_t i = 0; i < model->field_count; i++) {
        if (!tl_value_is_finite(&synapse->fields[i])) {
            return fail_infinite(model->fields[i].name.ptr, model->fields[i].name.len, ctx);
        }
    }
    return put_model(out, arena, synapse, TL_VALUE_RESPONSE, ctx);
}

tl_err tl_synapse_error_body(tl_str *out, tl_arena *arena, tl_str message, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "{\"message\":");
    tl_value_put_json_str(&sb, message, TL_VALUE_RESPONSE);
    tl_sb_put_char(&sb, '}');
    return tl_sb_finish(out, &sb, ctx);
}
