/* Descriptions become definitions: names, types, defaults, the hash list, versions. What a definition says has been
 * checked here, so that nobody checks it again. */
#include <string.h>

#include "sdk/synapse/synapse_internal.h"

static const tl_synapse_version first_version = {1, 0};

static const tl_synapse_def base_def = {
    .model = {.name = {"Synapse", 7}},
    .doc = {"The ping: it comes back as it was sent.", 39},
    .versions = &first_version,
    .version_count = 1,
};

const tl_synapse_def *tl_synapse_base(void)
{
    return &base_def;
}

const tl_synapse_def *tl_synapse_find(tl_synapse_defs defs, tl_str name)
{
    for (size_t i = 0; i < defs.count; i++) {
        if (tl_str_eq(defs.at[i]->model.name, name)) {
            return defs.at[i];
        }
    }
    return NULL;
}

bool tl__synapse_is_own(tl_str name)
{
    static const char *const own[] = {"name",     "timeout", "total_size",        "header_size",
                                      "dendrite", "axon",    "computed_body_hash"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (tl_str_eq_cstr(name, own[i])) {
            return true;
        }
    }
    return false;
}

size_t tl__synapse_field_index(const tl_synapse_model *model, tl_str name)
{
    size_t i = 0;
    while (i < model->field_count && !tl_str_eq(model->fields[i].name, name)) {
        i++;
    }
    return i;
}

/* --- names --- */

static tl_err check_name(tl_str name, const char *what, tl_errctx *ctx)
{
    bool fits = name.len != 0 && name.len <= TL_SYNAPSE_NAME_MAX;
    for (size_t i = 0; fits && i < name.len; i++) {
        const char c = name.ptr[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        fits = is_letter || (i > 0 && c >= '0' && c <= '9');
    }
    if (!fits) {
        return tl_fail(ctx, TL_ERR_SYNTAX,
                       "\"%.*s\" is no name of a %s: letters, digits and '_', at most %d",
                       (int)(name.len < 40 ? name.len : 40), name.ptr != NULL ? name.ptr : "", what,
                       TL_SYNAPSE_NAME_MAX);
    }
    return TL_OK;
}

/* --- versions --- */

static tl_err read_version(tl_synapse_version *out, tl_str text, tl_errctx *ctx)
{
    const tl_str word = tl_str_trim(text);
    const size_t dot = tl_str_find(word, '.');
    uint64_t major = 0;
    uint64_t minor = 0;
    if (!tl_str_parse_u64(&major, tl_str_slice(word, 0, dot)) ||
        !tl_str_parse_u64(&minor, tl_str_slice(word, dot + 1, word.len)) || major > UINT32_MAX ||
        minor > UINT32_MAX) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no version: MAJOR.MINOR is expected",
                       (int)(word.len < 40 ? word.len : 40), word.ptr != NULL ? word.ptr : "");
    }
    *out = (tl_synapse_version){(uint32_t)major, (uint32_t)minor};
    return TL_OK;
}

tl_err tl__synapse_read_versions(tl_synapse_version out[TL__VERSIONS_MAX], size_t *count,
                                 tl_str text, tl_errctx *ctx)
{
    size_t n = 0;
    tl_str word = {NULL, 0};
    while (tl_str_split(&word, &text, ',')) {
        tl_synapse_version version = {0, 0};
        if (n == TL__VERSIONS_MAX) {
            return tl_fail(ctx, TL_ERR_LIMIT, "more than %d versions", TL__VERSIONS_MAX);
        }
        TL_TRY(read_version(&version, word, ctx));
        size_t at = n;
        while (at > 0 && out[at - 1].major > version.major) {
            at--;
        }
        if (at > 0 && out[at - 1].major == version.major) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "major version %u is given twice",
                           (unsigned)version.major);
        }
        memmove(&out[at + 1], &out[at], (n - at) * sizeof out[0]);
        out[at] = version;
        n++;
    }
    if (n == 0) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "no version is given");
    }
    *count = n;
    return TL_OK;
}

static tl_err define_versions(tl_synapse_def *def, tl_arena *arena, const char *text,
                              tl_errctx *ctx)
{
    tl_synapse_version versions[TL__VERSIONS_MAX + 1];
    size_t count = 0;
    TL_TRY(tl__synapse_read_versions(versions, &count,
                                     tl_str_from_cstr(text != NULL ? text : "1.0"), ctx));
    tl_synapse_version *const kept = TL_NEW(arena, tl_synapse_version, count);
    if (kept == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(kept, versions, count * sizeof *kept);
    def->versions = kept;
    def->version_count = count;
    return TL_OK;
}

/* --- fields --- */

static tl_err define_default(tl_synapse_field *field, tl_arena *arena, const char *json,
                             tl_errctx *ctx)
{
    field->is_required = json == NULL;
    if (json == NULL) {
        return TL_OK;
    }
    tl_value value = tl_value_none();
    tl_str text = {NULL, 0};
    TL_TRY(tl_str_copy(&text, arena, tl_str_from_cstr(json), ctx));
    tl_err err = tl_value_parse(&value, arena, text, NULL, ctx);
    if (err == TL_OK) {
        err = tl__synapse_check(&field->value, arena, &field->type, &value, ctx);
    }
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "the default");
        if (value.kind == TL_VALUE_NONE && err == TL_ERR_TYPE) {
            tl_errctx_hint(ctx, "a field that may be None has a type with '?', as in \"int?\"");
        }
    }
    return err;
}

static tl_err define_field(tl_synapse_field *field, tl_arena *arena,
                           const tl_synapse_field_spec *spec, const tl_synapse_model *models,
                           size_t model_count, tl_errctx *ctx)
{
    TL_TRY(check_name(field->name, "field", ctx));
    if (spec->type == NULL) {
        return tl_fail(ctx, TL_ERR_MISSING, "the field has no type");
    }
    TL_TRY(tl_str_copy(&field->doc, arena, tl_str_from_cstr(spec->doc), ctx));
    TL_TRY(tl_str_copy(&field->type_text, arena, tl_str_from_cstr(spec->type), ctx));
    TL_TRY(tl__synapse_read_type(&field->type, arena, field->type_text, models, model_count, ctx));
    return define_default(field, arena, spec->value, ctx);
}

static tl_err define_model(tl_synapse_model *model, tl_arena *arena, const tl_synapse_spec *spec,
                           const tl_synapse_model *models, size_t model_count, bool is_message,
                           tl_errctx *ctx)
{
    TL_TRY(tl_str_copy(&model->name, arena, tl_str_from_cstr(spec->name), ctx));
    TL_TRY(check_name(model->name, is_message ? "synapse" : "model", ctx));
    if (spec->field_count > TL_SYNAPSE_FIELDS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu fields, above %d", spec->field_count,
                       TL_SYNAPSE_FIELDS_MAX);
    }
    tl_synapse_field *const fields = TL_NEW(arena, tl_synapse_field, spec->field_count);
    if (fields == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    model->fields = fields;
    model->refuses_unknown = spec->refuses_unknown;
    for (size_t i = 0; i < spec->field_count; i++) {
        const tl_synapse_field_spec *const given = &spec->fields[i];
        TL_TRY(tl_str_copy(&fields[i].name, arena, tl_str_from_cstr(given->name), ctx));
        tl_err err = TL_OK;
        if (tl__synapse_field_index(model, fields[i].name) < i ||
            (is_message && tl__synapse_is_own(fields[i].name))) {
            err = tl_fail(ctx, TL_ERR_DUPLICATE, "the message has a field of that name already");
        } else {
            err = define_field(&fields[i], arena, given, models, model_count, ctx);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "%.*s", TL_STR_ARG(tl_str_slice(fields[i].name, 0, 64)));
            return err;
        }
        model->field_count = i + 1;
    }
    return TL_OK;
}

/* SYN-2: a name of the hash list is one of the fields, and stands there once. */
static tl_err define_hashed(tl_synapse_def *def, tl_arena *arena, const tl_synapse_spec *spec,
                            tl_errctx *ctx)
{
    if (spec->hashed_count > def->model.field_count) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "hash", "%zu names for %zu fields",
                             spec->hashed_count, def->model.field_count);
    }
    size_t *const hashed = TL_NEW(arena, size_t, spec->hashed_count);
    if (hashed == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < spec->hashed_count; i++) {
        const tl_str name = tl_str_from_cstr(spec->hashed[i]);
        hashed[i] = tl__synapse_field_index(&def->model, name);
        if (hashed[i] == def->model.field_count) {
            return tl_fail_field(ctx, TL_ERR_UNKNOWN, "hash", "no field is called \"%.*s\"",
                                 TL_STR_ARG(tl_str_slice(name, 0, 64)));
        }
        for (size_t k = 0; k < i; k++) {
            if (hashed[k] == hashed[i]) {
                return tl_fail_field(ctx, TL_ERR_DUPLICATE, "hash", "\"%.*s\" is given twice",
                                     TL_STR_ARG(tl_str_slice(name, 0, 64)));
            }
        }
    }
    def->hashed = hashed;
    def->hashed_count = spec->hashed_count;
    return TL_OK;
}

tl_err tl_synapse_define(const tl_synapse_def **out, tl_arena *arena, const tl_synapse_spec *spec,
                         tl_errctx *ctx)
{
    if (spec->model_count > TL_SYNAPSE_MODELS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu nested models, above %d", spec->model_count,
                       TL_SYNAPSE_MODELS_MAX);
    }
    tl_synapse_def *const def = TL_NEW(arena, tl_synapse_def, 1);
    tl_synapse_model *const models = TL_NEW(arena, tl_synapse_model, spec->model_count);
    if (def == NULL || models == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < spec->model_count; i++) {
        const tl_err err = define_model(&models[i], arena, &spec->models[i], models, i, false, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "models[%zu]", i);
            return err;
        }
        for (size_t k = 0; k < i; k++) {
            if (tl_str_eq(models[k].name, models[i].name)) {
                return tl_fail_field(ctx, TL_ERR_DUPLICATE, "models", "\"%.*s\" is given twice",
                                     TL_STR_ARG(models[i].name));
            }
        }
    }
    TL_TRY(define_model(&def->model, arena, spec, models, spec->model_count, true, ctx));
    TL_TRY(tl_str_copy(&def->doc, arena, tl_str_from_cstr(spec->doc), ctx));
    TL_TRY(define_versions(def, arena, spec->versions, ctx));
    TL_TRY(define_hashed(def, arena, spec, ctx));
    def->is_streaming = spec->is_streaming;
    *out = def;
    return TL_OK;
}

/* --- negotiation --- */

tl_err tl_synapse_negotiate(tl_synapse_version *out, const tl_synapse_def *def, tl_str asked,
                            tl_errctx *ctx)
{
    tl_synapse_version theirs[TL__VERSIONS_MAX + 1];
    size_t count = 0;
    TL_TRY(tl__synapse_read_versions(theirs, &count, asked, ctx));
    for (size_t i = def->version_count; i-- > 0;) {
        const tl_synapse_version ours = def->versions[i];
        for (size_t k = 0; k < count; k++) {
            if (theirs[k].major == ours.major) {
                out->major = ours.major;
                out->minor = theirs[k].minor < ours.minor ? theirs[k].minor : ours.minor;
                return TL_OK;
            }
        }
    }
    return tl_fail(ctx, TL_ERR_VERSION, "no common major version: ours go up to %u.%u",
                   (unsigned)def->versions[def->version_count - 1].major,
                   (unsigned)def->versions[def->version_count - 1].minor);
}

void tl_synapse_put_versions(tl_sb *sb, const tl_synapse_def *def)
{
    for (size_t i = 0; i < def->version_count; i++) {
        tl_sb_printf(sb, "%s%u.%u", i > 0 ? ", " : "", (unsigned)def->versions[i].major,
                     (unsigned)def->versions[i].minor);
    }
}
