/* Attacks every kind of vectors with inputs of any shape: {"kind", "input", "expect", "tolerance"}. A kind gives an error
 * or one JSON value, the same twice; what it gives compares equal to itself, and against any expect without a crash. */
#include <stddef.h>
#include <stdint.h>

#include "app/conformance/conformance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { INPUT_MAX = 1 << 14, WORK_MAX = 2000 };
#define ARENA_LIMIT ((size_t)1 << 28)

/* How long these kinds work is what they are told by these members; anything else is bounded by the input's length. */
static bool is_short(const tl_json *value)
{
    static const char *const names[] = {"resamples", "n", "k", "count", "mechanisms"};
    bool fits = true;
    for (uint32_t i = 0; value->kind == TL_JSON_ARRAY && i < value->count; i++) {
        fits = fits && is_short(&value->items[i]);
    }
    for (uint32_t i = 0; value->kind == TL_JSON_OBJECT && i < value->count; i++) {
        const tl_json_member *m = &value->members[i];
        uint64_t n = 0;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const bool is_work = tl_str_eq_cstr(m->key, names[k]);
            fits = fits &&
                   (!is_work || tl_json_as_u64(&n, &m->value, "", NULL) != TL_OK || n <= WORK_MAX);
        }
        fits = fits && is_short(&m->value);
    }
    return fits;
}

static tl_err run(tl_str *out, tl_arena *arena, const tl_conform_kind *kind, const tl_json *input)
{
    tl_conform_env env = {.arena = arena};
    TL_TRY(tl_conform_tables_new(&env.tables, arena, NULL));
    return tl_conform_actual(out, kind, input, &env, NULL);
}

static void check_compare(tl_arena *arena, tl_str actual, const tl_json *root)
{
    tl_conform_diff diffs[TL_CONFORM_DIFFS_MAX];
    const tl_json *tree = NULL;
    const tl_json *expect = tl_json_get(root, "expect");
    size_t count = 0;
    tl_err err = tl_json_parse(&tree, arena, actual, NULL, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_conform_compare(diffs, &count, tree, tree, NULL, arena, NULL);
    TL_ASSERT(err != TL_OK || count == 0); /* MISSING: it has no members */
    if (expect != NULL) {
        err = tl_conform_compare(diffs, &count, expect, tree, tl_json_get(root, "tolerance"), arena,
                                 NULL);
        TL_ASSERT(err != TL_OK || count == 0 || diffs[0].expected.len > 0);
    }
}

static void check(tl_arena *arena, tl_str text)
{
    const tl_json *root = NULL;
    tl_str name = {NULL, 0};
    if (tl_json_parse(&root, arena, text, NULL, NULL) != TL_OK || root->kind != TL_JSON_OBJECT ||
        tl_json_want_str(&name, root, "kind", NULL) != TL_OK) {
        return;
    }
    const tl_conform_kind *kind = tl_conform_find(name);
    const tl_json *input = tl_json_get(root, "input");
    if (kind == NULL || input == NULL || input->kind != TL_JSON_OBJECT || !is_short(input)) {
        return;
    }
    tl_str first = {NULL, 0};
    tl_str second = {NULL, 0};
    const tl_err err = run(&first, arena, kind, input);
    const tl_err again = run(&second, arena, kind, input);
    if (err == TL_ERR_LIMIT || again == TL_ERR_LIMIT) {
        return; /* the arena is full, the second time sooner */
    }
    TL_ASSERT(err == again);
    if (err == TL_OK) {
        TL_ASSERT(tl_str_eq(first, second));
        check_compare(arena, first, root);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len <= INPUT_MAX && tl_arena_new(&arena, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK) {
        check(arena, (tl_str){(const char *)data, len});
        tl_arena_free(arena);
    }
    return 0;
}
