/* Types from their text, which is Python's annotation or our shorter form of it.
 *
 *      type    = one ('|' one)*                    None among them makes it optional; one other type
 *      one     = word ('[' args ']')? '?'*         Optional[type] is type and None
 *      args    = type | type ',' '...' (tuple) | 'str' ',' type (dict)
 */
#include "sdk/synapse/synapse_internal.h"

typedef struct cursor {
    tl_str rest;
    tl_arena *arena;
    const tl_synapse_model *models;
    size_t model_count;
    tl_errctx *ctx;
} cursor;

static void skip_blank(cursor *c)
{
    while (c->rest.len != 0 && (c->rest.ptr[0] == ' ' || c->rest.ptr[0] == '\t')) {
        c->rest = tl_str_slice(c->rest, 1, c->rest.len);
    }
}

static bool take(cursor *c, const char *token)
{
    skip_blank(c);
    const tl_str wanted = tl_str_from_cstr(token);
    if (!tl_str_starts_with(c->rest, wanted)) {
        return false;
    }
    c->rest = tl_str_slice(c->rest, wanted.len, c->rest.len);
    return true;
}

static tl_str take_word(cursor *c)
{
    skip_blank(c);
    size_t len = 0;
    while (len < c->rest.len) {
        const char ch = c->rest.ptr[len];
        const bool is_word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
                             ch == '.' || (ch >= '0' && ch <= '9');
        if (!is_word) {
            break;
        }
        len++;
    }
    const tl_str word = tl_str_slice(c->rest, 0, len);
    c->rest = tl_str_slice(c->rest, len, c->rest.len);
    return word;
}

static tl_err read_union(cursor *c, tl_synapse_type *out, uint32_t depth);

static tl_err fail_here(const cursor *c, const char *wanted)
{
    return tl_fail(c->ctx, TL_ERR_SYNTAX, "%s is expected in the type, at \"%.*s\"", wanted,
                   (int)(c->rest.len < 40 ? c->rest.len : 40),
                   c->rest.ptr != NULL ? c->rest.ptr : "");
}

static tl_err close_bracket(cursor *c)
{
    return take(c, "]") ? TL_OK : fail_here(c, "']'");
}

/* What stands in the brackets of a list, tuple or dict. */
static tl_err read_item(cursor *c, tl_synapse_type *out, uint32_t depth)
{
    tl_synapse_type *const item = TL_NEW(c->arena, tl_synapse_type, 1);
    if (item == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    TL_TRY(read_union(c, item, depth + 1));
    if (out->kind == TL_SYNAPSE_TUPLE && take(c, ",") && !take(c, "...")) {
        return fail_here(c, "'...'");
    }
    if (out->kind == TL_SYNAPSE_DICT && take(c, ",")) {
        if (item->kind != TL_SYNAPSE_STR || item->is_optional) {
            return tl_fail(c->ctx, TL_ERR_TYPE, "the keys of a dict are str");
        }
        *item = (tl_synapse_type){.kind = TL_SYNAPSE_ANY};
        TL_TRY(read_union(c, item, depth + 1));
    }
    out->item = item;
    return close_bracket(c);
}

static bool kind_of_word(tl_synapse_kind *out, tl_str word)
{
    static const struct {
        const char *word;
        tl_synapse_kind kind;
    } words[] = {
        {"str", TL_SYNAPSE_STR},       {"int", TL_SYNAPSE_INT},      {"float", TL_SYNAPSE_FLOAT},
        {"bool", TL_SYNAPSE_BOOL},     {"any", TL_SYNAPSE_ANY},      {"Any", TL_SYNAPSE_ANY},
        {"list", TL_SYNAPSE_LIST},     {"List", TL_SYNAPSE_LIST},    {"tuple", TL_SYNAPSE_TUPLE},
        {"Tuple", TL_SYNAPSE_TUPLE},   {"dict", TL_SYNAPSE_DICT},    {"Dict", TL_SYNAPSE_DICT},
        {"tensor", TL_SYNAPSE_TENSOR}, {"Tensor", TL_SYNAPSE_TENSOR}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (tl_str_eq_cstr(word, words[i].word)) {
            *out = words[i].kind;
            return true;
        }
    }
    return false;
}

static tl_err read_word(cursor *c, tl_synapse_type *out, tl_str word, uint32_t depth)
{
    if (word.len == 0) {
        return fail_here(c, "a type");
    }
    if (tl_str_eq_cstr(word, "Optional")) {
        if (!take(c, "[")) {
            return fail_here(c, "'['");
        }
        TL_TRY(read_union(c, out, depth + 1));
        out->is_optional = true;
        return close_bracket(c);
    }
    if (!kind_of_word(&out->kind, word)) {
        for (size_t i = 0; i < c->model_count; i++) {
            if (tl_str_eq(c->models[i].name, word)) {
                out->kind = TL_SYNAPSE_MODEL;
                out->model = &c->models[i];
                return TL_OK;
            }
        }
        return tl_fail(c->ctx, TL_ERR_UNKNOWN, "\"%.*s\" is no type and no model given before",
                       (int)(word.len < 40 ? word.len : 40), word.ptr);
    }
    const bool has_items = out->kind == TL_SYNAPSE_LIST || out->kind == TL_SYNAPSE_TUPLE ||
                           out->kind == TL_SYNAPSE_DICT;
    return has_items && take(c, "[") ? read_item(c, out, depth) : TL_OK;
}

static tl_err read_union(cursor *c, tl_synapse_type *out, uint32_t depth)
{
    if (depth > TL_SYNAPSE_TYPE_DEPTH_MAX) {
        return tl_fail(c->ctx, TL_ERR_LIMIT, "a type is nested deeper than %d",
                       TL_SYNAPSE_TYPE_DEPTH_MAX);
    }
    tl_synapse_type type = {.kind = TL_SYNAPSE_ANY};
    bool is_optional = false;
    bool has_type = false;
    do {
        const tl_str word = take_word(c);
        if (tl_str_eq_cstr(word, "None")) {
            is_optional = true;
        } else if (has_type) {
            return tl_fail(c->ctx, TL_ERR_TYPE, "a type may only be joined with None by '|'");
        } else {
            TL_TRY(read_word(c, &type, word, depth));
            has_type = true;
        }
        while (take(c, "?")) {
            is_optional = true;
        }
    } while (take(c, "|"));
    if (!has_type) {
        return fail_here(c, "a type besides None");
    }
    type.is_optional = type.is_optional || is_optional;
    *out = type;
    return TL_OK;
}

tl_err tl__synapse_read_type(tl_synapse_type *out, tl_arena *arena, tl_str text,
                             const tl_synapse_model *models, size_t model_count, tl_errctx *ctx)
{
    cursor c = {text, arena, models, model_count, ctx};
    tl_synapse_type type = {.kind = TL_SYNAPSE_ANY};
    TL_TRY(read_union(&c, &type, 0));
    skip_blank(&c);
    if (c.rest.len != 0) {
        return fail_here(&c, "the end");
    }
    *out = type;
    return TL_OK;
}
