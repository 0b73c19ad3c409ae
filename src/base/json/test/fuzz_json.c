/* Attacks the parser with anything. What is accepted survives write and parse unchanged, and the second writing gives
 * the same bytes; the pull reader and the tree agree on what they accept and on every value. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ARENA_LIMIT = 1 << 26 };

static const tl_json_options lenient = {.allow_duplicate_keys = true};

static tl_json_event next_event(tl_json_reader *reader)
{
    tl_json_event event;
    const tl_err err = tl_json_next(reader, &event, NULL);
    TL_ASSERT(err == TL_OK);
    return event;
}

/* The events are those that the tree would give. */
static void check_events(tl_json_reader *reader, const tl_json *value)
{
    const tl_json_event event = next_event(reader);
    TL_ASSERT(reader->offset == value->offset);
    switch (value->kind) {
    case TL_JSON_NULL:
        TL_ASSERT(event == TL_JSON_EV_NULL);
        break;
    case TL_JSON_BOOL:
        TL_ASSERT(event == (value->boolean ? TL_JSON_EV_TRUE : TL_JSON_EV_FALSE));
        break;
    case TL_JSON_NUMBER:
        TL_ASSERT(event == TL_JSON_EV_NUMBER && tl_str_eq(reader->text, value->text));
        break;
    case TL_JSON_STRING:
        TL_ASSERT(event == TL_JSON_EV_STRING && tl_str_eq(reader->text, value->text));
        TL_ASSERT(tl_str_is_utf8(value->text)); /* JSON-2 */
        break;
    case TL_JSON_ARRAY:
        TL_ASSERT(event == TL_JSON_EV_ARRAY_BEGIN);
        for (size_t i = 0; i < value->count; i++) {
            check_events(reader, &value->items[i]);
        }
        TL_ASSERT(next_event(reader) == TL_JSON_EV_ARRAY_END);
        break;
    case TL_JSON_OBJECT:
        TL_ASSERT(event == TL_JSON_EV_OBJECT_BEGIN);
        for (size_t i = 0; i < value->count; i++) {
            const tl_json_member *member = &value->members[i];
            TL_ASSERT(next_event(reader) == TL_JSON_EV_KEY);
            TL_ASSERT(tl_str_eq(reader->text, member->key));
            TL_ASSERT(tl_json_get_str(value, member->key) == &member->value);
            check_events(reader, &member->value);
        }
        TL_ASSERT(next_event(reader) == TL_JSON_EV_OBJECT_END);
        break;
    }
}

static tl_str write_tree(tl_arena *arena, const tl_json *tree, uint32_t indent)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, indent, false);
    tl_json_put_tree(&w, tree);
    tl_json_writer_done(&w);
    const tl_err err = tl_sb_finish(&text, &sb, NULL);
    TL_ASSERT(err == TL_OK);
    return text;
}

static tl_err read_all(tl_arena *arena, tl_str text)
{
    tl_json_reader reader;
    tl_json_event event = TL_JSON_EV_NULL;
    tl_err err = tl_json_reader_init(&reader, arena, text, NULL, NULL);
    while (err == TL_OK && event != TL_JSON_EV_END) {
        err = tl_json_next(&reader, &event, NULL);
    }
    return err;
}

static void check(tl_arena *arena, tl_str text)
{
    const tl_json *strict_tree = NULL;
    const tl_json *tree = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err strict_err = tl_json_parse(&strict_tree, arena, text, NULL, &ctx);
    const tl_err err = tl_json_parse(&tree, arena, text, &lenient, NULL);
    TL_ASSERT(read_all(arena, text) == err);
    TL_ASSERT(strict_err == err || strict_err == TL_ERR_DUPLICATE); /* which may come before */
    TL_ASSERT(strict_err == TL_OK || (ctx.code == strict_err && ctx.offset <= text.len));
    if (strict_err == TL_OK) {
        tl_json_reader reader;
        const tl_err init_err = tl_json_reader_init(&reader, arena, text, NULL, NULL);
        TL_ASSERT(init_err == TL_OK);
        check_events(&reader, strict_tree);
        TL_ASSERT(next_event(&reader) == TL_JSON_EV_END);
    }
    if (err == TL_OK) {
        const tl_str once = write_tree(arena, tree, 0);
        const tl_str wide = write_tree(arena, tree, 3);
        const tl_json *again = NULL;
        const tl_err once_err = tl_json_parse(&again, arena, once, NULL, NULL);
        TL_ASSERT(once_err == TL_OK && tl_str_eq(write_tree(arena, again, 3), wide));
        const tl_err wide_err = tl_json_parse(&again, arena, wide, NULL, NULL);
        TL_ASSERT(wide_err == TL_OK && tl_str_eq(write_tree(arena, again, 0), once));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len <= 1 << 16 && tl_arena_new(&arena, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK) {
        check(arena, (tl_str){(const char *)data, len});
        tl_arena_free(arena);
    }
    return 0;
}
