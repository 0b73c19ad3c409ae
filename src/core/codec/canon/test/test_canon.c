/* Attacks the canonical form with what CPython made of 450 texts (golden/canon.txt), with every wrong order and
 * spelling of a small document, with depth, with numbers beyond doubles, and with each allocation failing in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/canon/canon.h"

static tl_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int close_arena(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static tl_str read_golden(void)
{
    static char text[1 << 18];
    FILE *f = fopen(TL_SOURCE_ROOT "/src/core/codec/canon/test/golden/canon.txt", "rb");
    assert_non_null(f);
    const size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_true(len > 10000 && len < sizeof text);
    return (tl_str){text, len};
}

static void cpython_writes_the_same(void **state)
{
    (void)state; /* CANON-1, CANON-2 */
    tl_str rest = read_golden();
    tl_str source;
    tl_str want;
    size_t pairs = 0;
    while (tl_str_split(&source, &rest, '\n') && source.len != 0) {
        assert_true(tl_str_split(&want, &rest, '\n'));
        tl_str got;
        tl_str again;
        tl_errctx ctx = TL_ERRCTX_INIT;
        if (tl_canon_text(&got, arena, source, &ctx) != TL_OK) {
            fail_msg("%.*s: %s", TL_STR_ARG(source), ctx.message);
        }
        if (!tl_str_eq(got, want)) {
            fail_msg("%.*s became %.*s, not %.*s", TL_STR_ARG(source), TL_STR_ARG(got),
                     TL_STR_ARG(want));
        }
        assert_int_equal(tl_canon_text(&again, arena, got, NULL), TL_OK);
        assert_true(tl_str_eq(got, again));
        assert_int_equal(tl_canon_check(got, arena, NULL), TL_OK);
        assert_int_equal(tl_canon_check(source, arena, NULL),
                         tl_str_eq(source, want) ? TL_OK : TL_ERR_CANONICAL);
        pairs++;
    }
    assert_true(pairs > 450);
}

static void the_first_byte_that_differs_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
    } others[] = {{"{\"b\":1,\"a\":2}", 2},
                  {"{\"a\":1, \"b\":2}", 7},
                  {" 1", 0},
                  {"1 ", 1},
                  {"[1.0e0]", 4},
                  {"-0", 0},
                  {"\"\\u00E9\"", 5},
                  {"\"\\/\"", 1},
                  {"\"\xC3\xA9\"", 1},
                  {"[0.10]", 4},
                  {"1e2", 1}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_canon_check(tl_str_from_cstr(others[i].text), arena, &ctx),
                         TL_ERR_CANONICAL);
        assert_true(ctx.has_offset);
        assert_int_equal(ctx.offset, others[i].offset);
    }
}

static void what_has_no_canonical_form_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err err;
    } bad[] = {{"1e400", TL_ERR_RANGE},
               {"[1,-2.5e9999]", TL_ERR_RANGE},
               {"{\"a\":1,\"a\":1}", TL_ERR_DUPLICATE},
               {"{\"a\":1,\"\\u0061\":1}", TL_ERR_DUPLICATE},
               {"", TL_ERR_SYNTAX},
               {"NaN", TL_ERR_SYNTAX},
               {"\"\\ud800\"", TL_ERR_ENCODING}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_str out = {NULL, 77};
        const tl_err err = tl_canon_text(&out, arena, tl_str_from_cstr(bad[i].text), &ctx);
        assert_true(err == bad[i].err || (err == TL_ERR_SYNTAX && bad[i].err == TL_ERR_ENCODING));
        assert_true(out.len == 77 && ctx.message[0] != '\0' && ctx.has_offset);
        assert_int_equal(tl_canon_check(tl_str_from_cstr(bad[i].text), arena, NULL), err);
    }
}

/* A tree made by hand may hold what the parser refuses. */
static void a_tree_with_one_key_twice_is_refused(void **state)
{
    (void)state;
    const tl_json one = {.kind = TL_JSON_NUMBER, .text = TL_STR("1")};
    const tl_json_member members[3] = {{TL_STR("b"), one}, {TL_STR("a"), one}, {TL_STR("b"), one}};
    const tl_json object = {.kind = TL_JSON_OBJECT, .count = 3, .members = members};
    tl_sb sb;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_sb_init(&sb, arena);
    assert_int_equal(tl_canon_json(&sb, &object, arena, &ctx), TL_ERR_DUPLICATE);
    assert_non_null(strstr(ctx.message, "\"b\""));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static char text[2 * (TL_JSON_DEPTH_MAX + 1)];
    const size_t deep = TL_JSON_DEPTH_MAX + 1;
    tl_str out;
    memset(text, '[', deep);
    memset(text + deep, ']', deep);
    assert_int_equal(tl_canon_text(&out, arena, (tl_str){text + 1, 2 * (deep - 1)}, NULL), TL_OK);
    assert_int_equal(out.len, 2 * (deep - 1));
    assert_int_equal(tl_canon_text(&out, arena, (tl_str){text, 2 * deep}, NULL), TL_ERR_LIMIT);
    const tl_json_options deeper = {.depth_max = (uint32_t)(2 * deep)};
    const tl_json *tree = NULL;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    assert_int_equal(tl_json_parse(&tree, arena, (tl_str){text, 2 * deep}, &deeper, NULL), TL_OK);
    assert_int_equal(tl_canon_json(&sb, tree, arena, NULL), TL_ERR_LIMIT);
}

static void each_order_of_keys_gives_one_text(void **state)
{
    (void)state; /* all 120 orders of five keys, one a prefix of another */
    const char *keys[5] = {"\"a\":0", "\"aa\":1", "\"b\":2", "\"\":3", "\"\\u00e9\":4"};
    size_t seen = 0;
    for (unsigned code = 0; code < 3125; code++) {
        unsigned order[5];
        unsigned used = 0;
        unsigned left = code;
        for (size_t i = 0; i < 5; i++, left /= 5) {
            order[i] = left % 5;
            used |= 1U << order[i];
        }
        if (used != 31) {
            continue;
        }
        char text[128];
        (void)snprintf(text, sizeof text, "{%s,%s,%s,%s,%s}", keys[order[0]], keys[order[1]],
                       keys[order[2]], keys[order[3]], keys[order[4]]);
        tl_str out;
        assert_int_equal(tl_canon_text(&out, arena, tl_str_from_cstr(text), NULL), TL_OK);
        assert_string_equal(out.ptr, "{\"\":3,\"a\":0,\"aa\":1,\"b\":2,\"\\u00e9\":4}");
        seen++;
    }
    assert_int_equal(seen, 120);
}

static void scratch_is_given_back(void **state)
{
    (void)state;
    tl_arena *scratch = NULL;
    assert_int_equal(tl_arena_new(&scratch, NULL, 0, NULL, NULL), TL_OK);
    const tl_json *tree = NULL;
    assert_int_equal(
        tl_json_parse(&tree, arena, TL_STR("{\"b\":{\"d\":1,\"c\":2},\"a\":3}"), NULL, NULL),
        TL_OK);
    void *before = TL_NEW(scratch, char, 1);
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    assert_int_equal(tl_canon_json(&sb, tree, scratch, NULL), TL_OK);
    const tl_arena_mark after = tl_arena_get_mark(scratch);
    assert_true(before != NULL && mark.block == after.block && mark.used == after.used);
    tl_arena_free(scratch);
}

typedef struct flaky {
    size_t calls_left;
    size_t live;
} flaky;

static void *flaky_alloc(void *self, size_t len)
{
    flaky *f = (flaky *)self;
    if (f->calls_left == 0) {
        return NULL;
    }
    f->calls_left--;
    f->live++;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void flaky_release(void *self, void *memory)
{
    ((flaky *)self)->live--;
    free(memory);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    static char text[60000];
    size_t len = 0;
    text[len++] = '{';
    for (int i = 0; i < 3000; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\"k%d\":[%d]", i != 0 ? "," : "",
                                (i * 7919) % 3000, i);
    }
    text[len++] = '}';
    size_t failures = 0;
    for (size_t n = 0;; n++) {
        flaky f = {n, 0};
        const tl_allocator allocator = {&f, flaky_alloc, flaky_release};
        tl_arena *a = NULL;
        tl_str out;
        tl_err err = tl_arena_new(&a, NULL, 0, &allocator, NULL);
        if (err == TL_OK) {
            err = tl_canon_text(&out, a, (tl_str){text, len}, NULL);
        }
        tl_arena_free(a);
        assert_int_equal(f.live, 0);
        if (err == TL_OK) {
            break;
        }
        assert_int_equal(err, TL_ERR_NOMEM);
        failures++;
        assert_true(n < 1000);
    }
    assert_true(failures >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpython_writes_the_same),
        cmocka_unit_test(the_first_byte_that_differs_is_told),
        cmocka_unit_test(what_has_no_canonical_form_is_refused),
        cmocka_unit_test(a_tree_with_one_key_twice_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(each_order_of_keys_gives_one_text),
        cmocka_unit_test(scratch_is_given_back),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
