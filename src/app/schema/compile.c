/* From text to a compiled schema: each word of JSON Schema is a row of one table, and a word without a row is refused
 * (SCHEMA-1). */
#include <string.h>

#include "app/schema/schema_internal.h"

#define REF_PREFIX TL_STR("#/components/schemas/")

/* What the words of one schema are read with. */
typedef struct reading {
    tl_schemas *set;
    tl_schema *to;
    uint32_t depth;
} reading;

typedef tl_err (*word_fn)(reading *r, const tl_json *value, tl_errctx *ctx);

static tl_err compile(const tl_schema **out, tl_schemas *set, const tl_json *json, uint32_t depth,
                      tl_errctx *ctx);

static tl_err expect(const tl_json *value, tl_json_kind kind, const char *word, tl_errctx *ctx)
{
    return value->kind == kind
               ? TL_OK
               : tl_fail(ctx, TL_ERR_TYPE, "the value of \"%s\" has the wrong type", word);
}

/* --- types --- */

static const struct {
    const char *name;
    unsigned bits;
} type_names[] = {
    {"null", TL__SCHEMA_NULL},       {"boolean", TL__SCHEMA_BOOLEAN},
    {"integer", TL__SCHEMA_INTEGER}, {"number", TL__SCHEMA_NUMBER | TL__SCHEMA_INTEGER},
    {"string", TL__SCHEMA_STRING},   {"array", TL__SCHEMA_ARRAY},
    {"object", TL__SCHEMA_OBJECT},
};

static tl_err add_type(reading *r, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_STRING, "type", ctx));
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
        if (tl_str_eq_cstr(value->text, type_names[i].name)) {
            r->to->types |= type_names[i].bits;
            return TL_OK;
        }
    }
    return tl_fail(ctx, TL_ERR_UNKNOWN, "there is no type \"%.*s\"", TL_STR_ARG(value->text));
}

static tl_err on_type(reading *r, const tl_json *value, tl_errctx *ctx)
{
    r->to->types = 0;
    if (value->kind != TL_JSON_ARRAY) {
        return add_type(r, value, ctx);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        TL_TRY(add_type(r, &value->items[i], ctx));
    }
    return TL_OK;
}

/* --- values --- */

static tl_err on_enum(reading *r, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_ARRAY, "enum", ctx));
    r->to->enumeration = value;
    return TL_OK;
}

static tl_err on_const(reading *r, const tl_json *value, tl_errctx *ctx)
{
    (void)ctx;
    r->to->constant = value;
    return TL_OK;
}

static tl_err on_ref(reading *r, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_STRING, "$ref", ctx));
    if (!tl_str_starts_with(value->text, REF_PREFIX)) {
        return tl_fail(ctx, TL_ERR_UNKNOWN, "a $ref names no schema of the components");
    }
    r->to->ref_name = tl_str_slice(value->text, REF_PREFIX.len, value->text.len);
    r->to->next_ref = r->set->refs;
    r->set->refs = r->to;
    return TL_OK;
}

/* --- schemas of schemas --- */

static tl_err list(const tl_schema ***out, size_t *count, reading *r, const tl_json *value,
                   const char *word, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_ARRAY, word, ctx));
    const tl_schema **all = TL_NEW(r->set->arena, const tl_schema *, value->count);
    if (all == NULL) {
        return tl_arena_fail(r->set->arena, ctx);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        TL_TRY(compile(&all[i], r->set, &value->items[i], r->depth + 1, ctx));
    }
    *out = all;
    *count = value->count;
    return TL_OK;
}

static tl_err on_any_of(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return list(&r->to->any_of, &r->to->any_of_count, r, value, "anyOf", ctx);
}

static tl_err on_one_of(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return list(&r->to->one_of, &r->to->one_of_count, r, value, "oneOf", ctx);
}

static tl_err on_all_of(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return list(&r->to->all_of, &r->to->all_of_count, r, value, "allOf", ctx);
}

static tl_err on_properties(reading *r, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_OBJECT, "properties", ctx));
    r->to->properties = TL_NEW(r->set->arena, tl__schema_member, value->count);
    if (r->to->properties == NULL) {
        return tl_arena_fail(r->set->arena, ctx);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        r->to->properties[i].key = value->members[i].key;
        TL_TRY(compile(&r->to->properties[i].schema, r->set, &value->members[i].value, r->depth + 1,
                       ctx));
    }
    r->to->property_count = value->count;
    return TL_OK;
}

static tl_err on_required(reading *r, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_ARRAY, "required", ctx));
    for (uint32_t i = 0; i < value->count; i++) {
        TL_TRY(expect(&value->items[i], TL_JSON_STRING, "required", ctx));
    }
    r->to->required = value;
    return TL_OK;
}

static tl_err on_additional(reading *r, const tl_json *value, tl_errctx *ctx)
{
    if (value->kind == TL_JSON_BOOL) {
        r->to->is_closed = !value->boolean;
        return TL_OK;
    }
    return compile(&r->to->others, r->set, value, r->depth + 1, ctx);
}

static tl_err on_items(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return compile(&r->to->items, r->set, value, r->depth + 1, ctx);
}

static tl_err on_unique(reading *r, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_BOOL, "uniqueItems", ctx));
    r->to->is_unique = value->boolean;
    return TL_OK;
}

/* --- counts and bounds --- */

static tl_err read_count(uint32_t *out, const tl_json *value, const char *word, tl_errctx *ctx)
{
    uint64_t count;
    TL_TRY(tl_json_as_u64(&count, value, word, ctx));
    if (count > UINT32_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "\"%s\" is above %u", word, UINT32_MAX);
    }
    *out = (uint32_t)count;
    return TL_OK;
}

#define COUNT_WORD(name, side, of)                                                                 \
    static tl_err on_##name(reading *r, const tl_json *value, tl_errctx *ctx)                      \
    {                                                                                              \
        return read_count(&r->to->side[of], value, #name, ctx);                                    \
    }
COUNT_WORD(minLength, count_min, TL__SCHEMA_OF_STRING)
COUNT_WORD(maxLength, count_max, TL__SCHEMA_OF_STRING)
COUNT_WORD(minItems, count_min, TL__SCHEMA_OF_ARRAY)
COUNT_WORD(maxItems, count_max, TL__SCHEMA_OF_ARRAY)
COUNT_WORD(minProperties, count_min, TL__SCHEMA_OF_OBJECT)
COUNT_WORD(maxProperties, count_max, TL__SCHEMA_OF_OBJECT)
#undef COUNT_WORD

static tl_err read_bound(tl__schema_bound *out, const tl_json *value, bool is_exclusive,
                         tl_errctx *ctx)
{
    TL_TRY(tl_json_as_f64(&out->value, value, "bound", ctx));
    out->is_set = true;
    out->is_exclusive = is_exclusive;
    return TL_OK;
}

static tl_err on_minimum(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return read_bound(&r->to->least, value, false, ctx);
}

static tl_err on_maximum(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return read_bound(&r->to->most, value, false, ctx);
}

static tl_err on_above(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return read_bound(&r->to->least, value, true, ctx);
}

static tl_err on_below(reading *r, const tl_json *value, tl_errctx *ctx)
{
    return read_bound(&r->to->most, value, true, ctx);
}

static void free_pattern(void *pattern)
{
    regfree(pattern);
}

static tl_err on_pattern(reading *r, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(expect(value, TL_JSON_STRING, "pattern", ctx));
    const char *text;
    TL_TRY(tl_str_copy_cstr(&text, r->set->arena, value->text, ctx));
    regex_t *pattern = TL_NEW(r->set->arena, regex_t, 1);
    if (pattern == NULL) {
        return tl_arena_fail(r->set->arena, ctx);
    }
    if (regcomp(pattern, text, REG_EXTENDED | REG_NOSUB) != 0) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%s\" is no pattern", text);
    }
    const tl_err err = tl_arena_defer(r->set->arena, free_pattern, pattern, ctx);
    if (err != TL_OK) {
        regfree(pattern);
        return err;
    }
    r->to->pattern = pattern;
    return TL_OK;
}

static tl_err only_tells(reading *r, const tl_json *value, tl_errctx *ctx)
{
    (void)r;
    (void)value;
    (void)ctx;
    return TL_OK;
}

static const struct {
    const char *word;
    word_fn read;
} words[] = {
    {"type", on_type},
    {"enum", on_enum},
    {"const", on_const},
    {"$ref", on_ref},
    {"anyOf", on_any_of},
    {"oneOf", on_one_of},
    {"allOf", on_all_of},
    {"properties", on_properties},
    {"required", on_required},
    {"additionalProperties", on_additional},
    {"items", on_items},
    {"uniqueItems", on_unique},
    {"minLength", on_minLength},
    {"maxLength", on_maxLength},
    {"minItems", on_minItems},
    {"maxItems", on_maxItems},
    {"minProperties", on_minProperties},
    {"maxProperties", on_maxProperties},
    {"minimum", on_minimum},
    {"maximum", on_maximum},
    {"exclusiveMinimum", on_above},
    {"exclusiveMaximum", on_below},
    {"pattern", on_pattern},
    {"title", only_tells},
    {"description", only_tells},
    {"default", only_tells},
    {"examples", only_tells},
    {"example", only_tells},
    {"format", only_tells},
    {"deprecated", only_tells},
    {"readOnly", only_tells},
    {"writeOnly", only_tells},
    {"contentMediaType", only_tells},
    {"contentEncoding", only_tells},
};

static tl_err read_word(reading *r, const tl_json_member *member, tl_errctx *ctx)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (tl_str_eq_cstr(member->key, words[i].word)) {
            return words[i].read(r, &member->value, ctx);
        }
    }
    return tl_fail(ctx, TL_ERR_UNKNOWN, "the word \"%.*s\" is not known here", /* SCHEMA-1 */
                   TL_STR_ARG(member->key));
}

static tl_err compile(const tl_schema **out, tl_schemas *set, const tl_json *json, uint32_t depth,
                      tl_errctx *ctx)
{
    if (depth > TL_SCHEMA_DEPTH_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a schema is deeper than %d", TL_SCHEMA_DEPTH_MAX);
    }
    if (json->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "a schema is no object");
    }
    tl_schema *schema = TL_NEW(set->arena, tl_schema, 1);
    if (schema == NULL) {
        return tl_arena_fail(set->arena, ctx);
    }
    schema->json = json;
    schema->types = TL__SCHEMA_ANY;
    for (size_t i = 0; i < 3; i++) {
        schema->count_max[i] = UINT32_MAX;
    }
    reading r = {set, schema, depth};
    for (uint32_t i = 0; i < json->count; i++) {
        TL_TRY(read_word(&r, &json->members[i], ctx));
    }
    if (schema->is_unique && schema->count_max[TL__SCHEMA_OF_ARRAY] > TL_SCHEMA_UNIQUE_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "uniqueItems wants a maxItems of at most %d",
                       TL_SCHEMA_UNIQUE_MAX);
    }
    *out = schema;
    return TL_OK;
}

/* --- the set --- */

tl_err tl_schemas_new(tl_schemas **out, tl_arena *arena, tl_errctx *ctx)
{
    tl_schemas *set = TL_NEW(arena, tl_schemas, 1);
    if (set == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    set->arena = arena;
    *out = set;
    return TL_OK;
}

static const tl_schema *find(const tl_schemas *set, tl_str name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (tl_str_eq(set->named[i].name, name)) {
            return set->named[i].schema;
        }
    }
    return NULL;
}

/* The text with " where ' stands, read as JSON; in the set's arena, like everything that looks into it. */
static tl_err read_text(const tl_json **out, tl_schemas *set, const char *text, tl_errctx *ctx)
{
    tl_str copy;
    TL_TRY(tl_str_copy(&copy, set->arena, tl_str_from_cstr(text), ctx));
    char *at = tl_arena_alloc(set->arena, copy.len + 1, 1, 1);
    if (at == NULL) {
        return tl_arena_fail(set->arena, ctx);
    }
    for (size_t i = 0; i < copy.len; i++) {
        at[i] = copy.ptr[i] == '\'' ? '"' : copy.ptr[i];
    }
    return tl_json_parse(out, set->arena, (tl_str){at, copy.len}, NULL, ctx);
}

static tl_err find_refs(tl_schemas *set, tl_errctx *ctx)
{
    for (; set->refs != NULL; set->refs = set->refs->next_ref) {
        set->refs->ref = find(set, set->refs->ref_name);
        if (set->refs->ref == NULL) {
            return tl_fail(ctx, TL_ERR_UNKNOWN, "there is no schema \"%.*s\"",
                           TL_STR_ARG(set->refs->ref_name));
        }
    }
    return TL_OK;
}

static tl_err name_one(tl_schemas *set, tl_str name, const char *text, tl_errctx *ctx)
{
    if (find(set, name) != NULL) {
        return tl_fail(ctx, TL_ERR_DUPLICATE, "the schema is there already");
    }
    if (set->count == TL_SCHEMA_NAMED_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %d schemas", TL_SCHEMA_NAMED_MAX);
    }
    const tl_json *json;
    TL_TRY(read_text(&json, set, text, ctx));
    tl__schema_named *to = &set->named[set->count];
    TL_TRY(compile(&to->schema, set, json, 0, ctx));
    to->name = name;
    set->count++;
    return TL_OK;
}

tl_err tl_schemas_name(tl_schemas *set, const char *name, const char *text, tl_errctx *ctx)
{
    TL_ASSERT(!set->is_finished);
    const tl_err err = name_one(set, tl_str_from_cstr(name), text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", name);
    }
    return err;
}

tl_err tl_schemas_finish(tl_schemas *set, tl_errctx *ctx)
{
    TL_TRY(find_refs(set, ctx));
    set->is_finished = true;
    return TL_OK;
}

tl_err tl_schema_compile(const tl_schema **out, tl_schemas *set, const char *text, tl_errctx *ctx)
{
    TL_ASSERT(set->is_finished);
    if (text[0] != '{') {
        const tl_schema *named = find(set, tl_str_from_cstr(text));
        if (named == NULL) {
            return tl_fail(ctx, TL_ERR_UNKNOWN, "there is no schema \"%s\"", text);
        }
        *out = named;
        return TL_OK;
    }
    const tl_json *json;
    const tl_schema *schema;
    TL_TRY(read_text(&json, set, text, ctx));
    TL_TRY(compile(&schema, set, json, 0, ctx));
    TL_TRY(find_refs(set, ctx));
    *out = schema;
    return TL_OK;
}

const tl_schema *tl_schemas_named(const tl_schemas *set, size_t index, tl_str *name)
{
    if (index >= set->count) {
        return NULL;
    }
    *name = set->named[index].name;
    return set->named[index].schema;
}

const tl_json *tl_schema_json(const tl_schema *schema)
{
    return schema->json;
}

bool tl_schema_default(tl_str *out, const tl_schema *schema)
{
    const tl_json *value = tl_json_get(schema->json, "default");
    if (value == NULL || (value->kind != TL_JSON_NUMBER && value->kind != TL_JSON_STRING)) {
        return schema->ref != NULL && tl_schema_default(out, schema->ref);
    }
    *out = value->text;
    return true;
}
