/* Definitions from a file (docs/synapse-file.md): the JSON becomes the same descriptions that C tables hold. */
#include <string.h>

#include "sdk/synapse/synapse_internal.h"

static tl_err fail_key(tl_str key, tl_errctx *ctx)
{
    const tl_str shown = tl_str_slice(key, 0, 64);
    return tl_fail_field(ctx, TL_ERR_UNKNOWN, "", "unknown key \"%.*s\"", TL_STR_ARG(shown));
}

/* Each key of an object is one of names (ended by NULL). */
static tl_err check_keys(const tl_json *object, const char *const *names, tl_errctx *ctx)
{
    if (object->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "an object is expected");
    }
    for (uint32_t i = 0; i < object->count; i++) {
        size_t k = 0;
        while (names[k] != NULL && !tl_str_eq_cstr(object->members[i].key, names[k])) {
            k++;
        }
        if (names[k] == NULL) {
            return fail_key(object->members[i].key, ctx);
        }
    }
    return TL_OK;
}

static tl_err read_cstr(const char **out, tl_arena *arena, const tl_json *object, const char *key,
                        bool is_required, tl_errctx *ctx)
{
    const tl_json *const value = tl_json_get(object, key);
    if (value == NULL && !is_required) {
        return TL_OK;
    }
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_as_str(&text, value, key, ctx));
    if (tl_str_find(text, '\0') < text.len) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, key, "the text holds a NUL");
    }
    return tl_str_copy_cstr(out, arena, text, ctx);
}

static tl_err read_bool(bool *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    const tl_json *const value = tl_json_get(object, key);
    return value != NULL ? tl_json_as_bool(out, value, key, ctx) : TL_OK;
}

/* An array under a key, or an empty one. */
static tl_err read_array(const tl_json **out, const tl_json *object, const char *key, size_t most,
                         tl_errctx *ctx)
{
    static const tl_json empty = {.kind = TL_JSON_ARRAY};
    const tl_json *const value = tl_json_get(object, key);
    *out = value != NULL ? value : &empty;
    if ((*out)->kind != TL_JSON_ARRAY) {
        return tl_fail_field(ctx, TL_ERR_TYPE, key, "an array is expected");
    }
    if ((*out)->count > most) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, key, "%u entries, above %zu",
                             (unsigned)(*out)->count, most);
    }
    return TL_OK;
}

static tl_err read_field(tl_synapse_field_spec *out, tl_arena *arena, const tl_json *json,
                         tl_errctx *ctx)
{
    static const char *const keys[] = {"name", "type", "default", "doc", NULL};
    TL_TRY(check_keys(json, keys, ctx));
    TL_TRY(read_cstr(&out->name, arena, json, "name", true, ctx));
    TL_TRY(read_cstr(&out->type, arena, json, "type", true, ctx));
    TL_TRY(read_cstr(&out->doc, arena, json, "doc", false, ctx));
    const tl_json *const value = tl_json_get(json, "default");
    if (value == NULL) {
        return TL_OK;
    }
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_tree(&w, value);
    tl_json_writer_done(&w);
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    out->value = text.ptr;
    return TL_OK;
}

static tl_err read_fields(tl_synapse_spec *out, tl_arena *arena, const tl_json *json,
                          tl_errctx *ctx)
{
    const tl_json *array = NULL;
    TL_TRY(read_array(&array, json, "fields", TL_SYNAPSE_FIELDS_MAX, ctx));
    tl_synapse_field_spec *const fields = TL_NEW(arena, tl_synapse_field_spec, array->count);
    if (fields == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < array->count; i++) {
        const tl_err err = read_field(&fields[i], arena, &array->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "fields[%u]", (unsigned)i);
            return err;
        }
    }
    out->fields = fields;
    out->field_count = array->count;
    return read_bool(&out->refuses_unknown, json, "refuse_unknown", ctx);
}

static tl_err read_hashed(tl_synapse_spec *out, tl_arena *arena, const tl_json *json,
                          tl_errctx *ctx)
{
    const tl_json *array = NULL;
    TL_TRY(read_array(&array, json, "hash", TL_SYNAPSE_FIELDS_MAX, ctx));
    const char **const names = TL_NEW(arena, const char *, array->count);
    if (names == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < array->count; i++) {
        tl_str text = {NULL, 0};
        TL_TRY(tl_json_as_str(&text, &array->items[i], "hash", ctx));
        TL_TRY(tl_str_copy_cstr(&names[i], arena, text, ctx));
    }
    out->hashed = names;
    out->hashed_count = array->count;
    return TL_OK;
}

static tl_err read_models(tl_synapse_spec *out, tl_arena *arena, const tl_json *json,
                          tl_errctx *ctx)
{
    static const char *const keys[] = {"name", "doc", "fields", "refuse_unknown", NULL};
    const tl_json *array = NULL;
    TL_TRY(read_array(&array, json, "models", TL_SYNAPSE_MODELS_MAX, ctx));
    tl_synapse_spec *const models = TL_NEW(arena, tl_synapse_spec, array->count);
    if (models == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < array->count; i++) {
        const tl_json *const item = &array->items[i];
        tl_err err = check_keys(item, keys, ctx);
        if (err == TL_OK) {
            err = read_cstr(&models[i].name, arena, item, "name", true, ctx);
        }
        if (err == TL_OK) {
            err = read_fields(&models[i], arena, item, ctx);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "models[%u]", (unsigned)i);
            return err;
        }
    }
    out->models = models;
    out->model_count = array->count;
    return TL_OK;
}

static tl_err read_synapse(const tl_synapse_def **out, tl_arena *arena, const tl_json *json,
                           tl_errctx *ctx)
{
    static const char *const keys[] = {"name",   "doc",  "versions", "streaming", "refuse_unknown",
                                       "models", "hash", "fields",   NULL};
    tl_synapse_spec spec = {.name = NULL};
    TL_TRY(check_keys(json, keys, ctx));
    TL_TRY(read_cstr(&spec.name, arena, json, "name", true, ctx));
    TL_TRY(read_cstr(&spec.doc, arena, json, "doc", false, ctx));
    TL_TRY(read_cstr(&spec.versions, arena, json, "versions", false, ctx));
    TL_TRY(read_bool(&spec.is_streaming, json, "streaming", ctx));
    TL_TRY(read_models(&spec, arena, json, ctx));
    TL_TRY(read_fields(&spec, arena, json, ctx));
    TL_TRY(read_hashed(&spec, arena, json, ctx));
    return tl_synapse_define(out, arena, &spec, ctx);
}

tl_err tl_synapse_load(tl_synapse_defs *out, tl_arena *arena, tl_synapse_defs known, tl_str json,
                       tl_errctx *ctx)
{
    static const char *const keys[] = {"synapses", NULL};
    const tl_json *root = NULL;
    const tl_json *array = NULL;
    TL_TRY(tl_json_parse(&root, arena, json, NULL, ctx));
    TL_TRY(check_keys(root, keys, ctx));
    TL_TRY(read_array(&array, root, "synapses", TL_SYNAPSE_DEFS_MAX, ctx));
    if (array->count == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "synapses", "the file defines no synapse");
    }
    const tl_synapse_def **const defs =
        TL_NEW(arena, const tl_synapse_def *, known.count + array->count);
    if (defs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (known.count != 0) {
        memcpy(defs, known.at, known.count * sizeof *defs);
    }
    tl_synapse_defs all = {defs, known.count};
    for (uint32_t i = 0; i < array->count; i++) {
        tl_err err = read_synapse(&defs[all.count], arena, &array->items[i], ctx);
        if (err == TL_OK && tl_synapse_find(all, defs[all.count]->model.name) != NULL) {
            err = tl_fail_field(ctx, TL_ERR_DUPLICATE, "name", "\"%.*s\" is defined already",
                                TL_STR_ARG(defs[all.count]->model.name));
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "synapses[%u]", (unsigned)i);
            return err;
        }
        all.count++;
    }
    *out = all;
    return TL_OK;
}
