#include "core/codec/canon/canon.h"

#include <math.h>

#include "base/decimal/decimal.h"
#include "core/num/stats/stats.h"

typedef struct canon {
    tl_json_writer w;
    tl_arena *arena;
    tl_errctx *ctx;
} canon;

static tl_err put_value(canon *c, const tl_json *value, uint32_t depth);

#define fail_at(c, value, ...) tl_err_is_set(place((c), (value), tl_fail((c)->ctx, __VA_ARGS__)))

static tl_err place(const canon *c, const tl_json *value, tl_err err)
{
    tl_errctx_at(c->ctx, value->offset, 0, 0);
    return err;
}

static bool is_integer(tl_str number)
{
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] == '.' || number.ptr[i] == 'e' || number.ptr[i] == 'E') {
            return false;
        }
    }
    return true;
}

static tl_err put_number(canon *c, const tl_json *value)
{
    if (is_integer(value->text)) {
        const bool is_minus_zero = tl_str_eq(value->text, TL_STR("-0"));
        tl_json_put_raw(&c->w, is_minus_zero ? TL_STR("0") : value->text);
        return TL_OK;
    }
    double number;
    if (!tl_f64_parse(&number, value->text) || !isfinite(number)) {
        return fail_at(c, value, TL_ERR_RANGE, "the number %.*s is beyond what a double holds",
                       TL_STR_ARG(tl_str_slice(value->text, 0, 60)));
    }
    char text[TL_F64_TEXT_CAP];
    const size_t len = tl_f64_print(text, number);
    tl_json_put_raw(&c->w, (tl_str){text, len});
    return TL_OK;
}

static int by_key(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_json_member *x = *(const tl_json_member *const *)a;
    const tl_json_member *y = *(const tl_json_member *const *)b;
    return tl_str_cmp(x->key, y->key); /* equal keys are refused, so no tie is left to break */
}

static tl_err put_object(canon *c, const tl_json *value, uint32_t depth)
{
    const tl_json_member **sorted = TL_NEW(c->arena, const tl_json_member *, value->count);
    if (sorted == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        sorted[i] = &value->members[i];
    }
    TL_TRY(tl_sort(sorted, value->count, sizeof *sorted, by_key, NULL, c->arena, c->ctx));
    tl_json_put_object(&c->w);
    for (uint32_t i = 0; i < value->count; i++) {
        if (i != 0 && tl_str_eq(sorted[i - 1]->key, sorted[i]->key)) {
            return fail_at(c, &sorted[i]->value, TL_ERR_DUPLICATE,
                           "the key \"%.*s\" is given twice",
                           TL_STR_ARG(tl_str_slice(sorted[i]->key, 0, 60)));
        }
        tl_json_put_key_str(&c->w, sorted[i]->key);
        TL_TRY(put_value(c, &sorted[i]->value, depth + 1));
    }
    tl_json_put_end(&c->w);
    return TL_OK;
}

static tl_err put_array(canon *c, const tl_json *value, uint32_t depth)
{
    tl_json_put_array(&c->w);
    for (uint32_t i = 0; i < value->count; i++) {
        TL_TRY(put_value(c, &value->items[i], depth + 1));
    }
    tl_json_put_end(&c->w);
    return TL_OK;
}

/* depth counts the arrays and objects around the value, and bounds the recursion. */
static tl_err put_value(canon *c, const tl_json *value, uint32_t depth)
{
    switch (value->kind) {
    case TL_JSON_NULL:
        tl_json_put_null(&c->w);
        return TL_OK;
    case TL_JSON_BOOL:
        tl_json_put_bool(&c->w, value->boolean);
        return TL_OK;
    case TL_JSON_NUMBER:
        return put_number(c, value);
    case TL_JSON_STRING:
        tl_json_put_str(&c->w, value->text);
        return TL_OK;
    case TL_JSON_ARRAY:
    case TL_JSON_OBJECT:
        break;
    }
    if (depth >= TL_JSON_DEPTH_MAX) {
        return fail_at(c, value, TL_ERR_LIMIT, "nested deeper than %d", TL_JSON_DEPTH_MAX);
    }
    return value->kind == TL_JSON_ARRAY ? put_array(c, value, depth) : put_object(c, value, depth);
}

tl_err tl_canon_json(tl_sb *sb, const tl_json *value, tl_arena *arena, tl_errctx *ctx)
{
    canon c = {.arena = arena, .ctx = ctx};
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    tl_json_writer_init(&c.w, sb, 0, true);
    const tl_err err = put_value(&c, value, 0);
    if (err == TL_OK) {
        tl_json_writer_done(&c.w);
    }
    if (sb->arena != arena) {
        tl_arena_rewind(arena, mark);
    }
    return err;
}

/* CANON-1: whatever was said of the source's form is gone once it is a tree; CANON-2 rests on put_value. */
tl_err tl_canon_text(tl_str *out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    const tl_json *tree;
    TL_TRY(tl_json_parse(&tree, arena, text, NULL, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    TL_TRY(tl_canon_json(&sb, tree, arena, ctx));
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_canon_check(tl_str text, tl_arena *arena, tl_errctx *ctx)
{
    tl_str canonical;
    TL_TRY(tl_canon_text(&canonical, arena, text, ctx));
    if (tl_str_eq(canonical, text)) {
        return TL_OK;
    }
    size_t at = 0;
    while (at < text.len && at < canonical.len && text.ptr[at] == canonical.ptr[at]) {
        at++;
    }
    const tl_err err =
        tl_fail(ctx, TL_ERR_CANONICAL, "the text is not canonical from byte %zu on", at);
    tl_errctx_at(ctx, at, 0, 0);
    return err;
}
