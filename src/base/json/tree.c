/* The tree: the reader's events, and one stack of values that are not yet in their array or object.
 *
 *     {"a": [1, 2, {"b": 3        stack:   0 {   1 "a": [   2 1   3 2   4 {   5 "b": 3
 *                                                                       └ open; around it 1, then 0
 *
 * An open container keeps its slot; its children lie above it. When it ends they are copied into the arena, side by
 * side, and the slot alone stays. While it is open, its count holds the slot of the container around it. */
#include <string.h>

#include "base/json/json_internal.h"

static const uint32_t no_slot = UINT32_MAX;

typedef struct builder {
    tl_arena *arena;   /* of the tree */
    tl_arena *scratch; /* of the stack */
    tl_json_member *stack;
    size_t count;
    size_t cap;
    uint32_t open; /* the innermost open container, or no_slot */
    bool has_key;  /* was a key read whose value is to come? */
    bool keeps_last;
    tl_str key;
    tl_json_reader reader;
} builder;

/* --- errors --- */

/* Puts one step of the path before the field. A key's control characters would spoil a terminal. */
static void under_key(tl_errctx *ctx, tl_str key)
{
    char shown[TL_ERR_FIELD_CAP];
    const size_t len = key.len < sizeof shown ? key.len : sizeof shown - 1;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)key.ptr[i];
        shown[i] = c < 0x20 || c == 0x7F ? '?' : key.ptr[i];
    }
    tl_errctx_under(ctx, "%.*s", (int)len, shown);
}

/* The path of the place that was being read, from the inside out. */
static void set_path(const builder *b, tl_errctx *ctx)
{
    if (ctx == NULL || b->open == no_slot) {
        return;
    }
    size_t inner = b->count;
    tl_str key = b->key;
    bool has_key = b->has_key;
    for (uint32_t slot = b->open; slot != no_slot; slot = b->stack[slot].value.count) {
        if (b->stack[slot].value.kind == TL_JSON_ARRAY) {
            tl_errctx_under(ctx, "[%zu]", inner - slot - 1);
        } else if (has_key) {
            under_key(ctx, key);
        }
        inner = slot;
        key = b->stack[slot].key;
        has_key = true;
    }
}

static tl_err fail_duplicate(builder *b, const tl_json_member *duplicate, tl_errctx *ctx)
{
    const tl_str text = b->reader.input;
    const tl_str key = duplicate->key;
    const bool is_view = key.ptr > text.ptr && key.ptr <= text.ptr + text.len;
    const size_t offset = is_view ? (size_t)(key.ptr - 1 - text.ptr) : duplicate->value.offset;
    b->key = key;
    b->has_key = true;
    return tl__json_placed(&b->reader, offset,
                           tl_fail(ctx, TL_ERR_DUPLICATE, "a key is given twice"), ctx);
}

/* --- the stack --- */

static tl_err grow(builder *b, tl_errctx *ctx)
{
    const size_t cap = b->cap != 0 ? b->cap * 2 : 32;
    tl_json_member *stack = TL_NEW(b->scratch, tl_json_member, cap);
    if (stack == NULL) {
        return tl_arena_fail(b->scratch, ctx);
    }
    if (b->count != 0) {
        memcpy(stack, b->stack, b->count * sizeof *stack);
    }
    b->stack = stack;
    b->cap = cap;
    return TL_OK;
}

/* A slot for the value of the last event, at *out until the next push. */
static tl_err push(builder *b, tl_json **out, tl_json_kind kind, tl_errctx *ctx)
{
    if (b->count == b->cap) {
        TL_TRY(grow(b, ctx));
    }
    tl_json_member *const member = &b->stack[b->count++];
    member->key = b->key;
    member->value.kind = kind;
    member->value.count = 0;
    member->value.text = (tl_str){NULL, 0};
    member->value.items = NULL;
    member->value.offset = b->reader.offset;
    b->has_key = false;
    *out = &member->value;
    return TL_OK;
}

static tl_err push_bool(builder *b, bool boolean, tl_errctx *ctx)
{
    tl_json *value = NULL;
    TL_TRY(push(b, &value, TL_JSON_BOOL, ctx));
    value->boolean = boolean;
    return TL_OK;
}

static tl_err push_text(builder *b, tl_json_kind kind, tl_errctx *ctx)
{
    tl_json *value = NULL;
    TL_TRY(push(b, &value, kind, ctx));
    value->text = b->reader.text;
    return TL_OK;
}

static tl_err begin(builder *b, tl_json_kind kind, tl_errctx *ctx)
{
    TL_ASSERT(b->count < no_slot); /* a value takes a byte of text at least */
    tl_json *value = NULL;
    TL_TRY(push(b, &value, kind, ctx));
    value->count = b->open;
    b->open = (uint32_t)(b->count - 1);
    return TL_OK;
}

static tl_err fill_array(builder *b, tl_json *array, const tl_json_member *children, tl_errctx *ctx)
{
    tl_json *items = TL_NEW(b->arena, tl_json, array->count);
    if (items == NULL) {
        return tl_arena_fail(b->arena, ctx);
    }
    for (size_t i = 0; i < array->count; i++) {
        items[i] = children[i].value;
    }
    array->items = items;
    return TL_OK;
}

static tl_err end(builder *b, tl_errctx *ctx)
{
    const uint32_t slot = b->open;
    tl_json_member *const children = b->stack + slot + 1;
    tl_json value = b->stack[slot].value;
    const uint32_t around = value.count;
    value.count = (uint32_t)(b->count - slot - 1);
    if (value.kind == TL_JSON_ARRAY) {
        TL_TRY(fill_array(b, &value, children, ctx));
    } else {
        const tl_json_member *duplicate = NULL;
        const tl_err err = tl__json_object_fill(&value, &duplicate, b->arena, b->scratch, children,
                                                b->keeps_last, ctx);
        if (err != TL_OK) {
            return duplicate != NULL ? fail_duplicate(b, duplicate, ctx) : err;
        }
    }
    b->stack[slot].value = value;
    b->count = (size_t)slot + 1;
    b->open = around;
    return TL_OK;
}

static tl_err take_event(builder *b, tl_json_event event, tl_errctx *ctx)
{
    tl_json *value = NULL;
    switch (event) {
    case TL_JSON_EV_NULL:
        return push(b, &value, TL_JSON_NULL, ctx);
    case TL_JSON_EV_FALSE:
        return push_bool(b, false, ctx);
    case TL_JSON_EV_TRUE:
        return push_bool(b, true, ctx);
    case TL_JSON_EV_NUMBER:
        return push_text(b, TL_JSON_NUMBER, ctx);
    case TL_JSON_EV_STRING:
        return push_text(b, TL_JSON_STRING, ctx);
    case TL_JSON_EV_KEY:
        b->key = b->reader.text;
        b->has_key = true;
        return TL_OK;
    case TL_JSON_EV_ARRAY_BEGIN:
        return begin(b, TL_JSON_ARRAY, ctx);
    case TL_JSON_EV_OBJECT_BEGIN:
        return begin(b, TL_JSON_OBJECT, ctx);
    case TL_JSON_EV_ARRAY_END:
    case TL_JSON_EV_OBJECT_END:
        return end(b, ctx);
    case TL_JSON_EV_END:
        return TL_OK;
    }
    return TL_OK;
}

static tl_err build(builder *b, tl_errctx *ctx)
{
    tl_json_event event;
    do {
        TL_TRY(tl_json_next(&b->reader, &event, ctx));
        TL_TRY(take_event(b, event, ctx));
    } while (event != TL_JSON_EV_END);
    TL_ASSERT(b->count == 1 && b->open == no_slot);
    return TL_OK;
}

tl_err tl_json_parse(const tl_json **out, tl_arena *arena, tl_str text,
                     const tl_json_options *options, tl_errctx *ctx)
{
    builder b = {.arena = arena, .open = no_slot};
    b.keeps_last = options != NULL && options->allow_duplicate_keys;
    TL_TRY(tl_json_reader_init(&b.reader, arena, text, options, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    TL_TRY(tl_arena_new(&b.scratch, arena, 0, NULL, ctx));

    tl_err err = build(&b, ctx);
    tl_json *root = err == TL_OK ? TL_NEW(arena, tl_json, 1) : NULL;
    if (root != NULL) {
        *root = b.stack[0].value;
        *out = root;
    } else if (err == TL_OK) {
        err = tl_arena_fail(arena, ctx);
    } else {
        set_path(&b, ctx);
    }
    tl_arena_free(b.scratch);
    if (err != TL_OK) {
        tl_arena_rewind(arena, mark);
    }
    return err;
}
