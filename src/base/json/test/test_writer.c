/* Attacks the writer with strings of every kind of byte and with trees at the depth limit, compares its layout with
 * Python's, and asserts that a wrong order of calls ends the program (JSON-3) by running it in a child process. */
#define _POSIX_C_SOURCE 200809L /* fork */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json/json.h"

static tl_arena *arena;
static tl_sb sb;
static tl_json_writer w;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static void begin(uint32_t indent, bool sorted)
{
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, indent, sorted);
}

static const char *finish(void)
{
    tl_str out = {NULL, 0};
    tl_json_writer_done(&w);
    assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_OK);
    return out.ptr;
}

static void put_sample(void)
{
    tl_json_put_object(&w);
    tl_json_put_key(&w, "a");
    tl_json_put_array(&w);
    tl_json_put_i64(&w, INT64_MIN);
    tl_json_put_u64(&w, UINT64_MAX);
    tl_json_put_f64(&w, -0.0);
    tl_json_put_f64(&w, 1e22);
    tl_json_put_bool(&w, true);
    tl_json_put_bool(&w, false);
    tl_json_put_null(&w);
    tl_json_put_cstr(&w, NULL);
    tl_json_put_array(&w);
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_put_key_str(&w, TL_STR("b"));
    tl_json_put_object(&w);
    tl_json_put_end(&w);
    tl_json_put_key(&w, "c");
    tl_json_put_hex(&w, "\x00\xFF\x1A", 3);
    tl_json_put_key(&w, "d");
    tl_json_put_raw(&w, TL_STR("[1, 2]"));
    tl_json_put_end(&w);
}

static void one_line_is_canonical_and_indented_is_as_python(void **state)
{
    (void)state;
    begin(0, true);
    put_sample();
    assert_string_equal(finish(),
                        "{\"a\":[-9223372036854775808,18446744073709551615,-0.0,1e+22,true,false,"
                        "null,null,[]],\"b\":{},\"c\":\"00ff1a\",\"d\":[1, 2]}");
    begin(2, false);
    put_sample();
    assert_string_equal(finish(), "{\n  \"a\": [\n    -9223372036854775808,\n"
                                  "    18446744073709551615,\n    -0.0,\n    1e+22,\n    true,\n"
                                  "    false,\n    null,\n    null,\n    []\n  ],\n  \"b\": {},\n"
                                  "  \"c\": \"00ff1a\",\n  \"d\": [1, 2]\n}");
}

static void strings_are_escaped_as_in_python(void **state)
{
    (void)state;
    begin(0, false);
    tl_json_put_str(&w, (tl_str){"a\"\\/\b\f\n\r\t\x01\x1F\x7F\0z\xC3\xA4\xE2\x82\xAC"
                                 "\xF0\x9F\x98\x80",
                                 23});
    assert_string_equal(finish(), "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u0000z\\u00e4"
                                  "\\u20ac\\ud83d\\ude00\"");
    begin(0, false);
    tl_json_put_cstr(&w, "x\xFFy\xE2\x82");
    assert_string_equal(finish(), "\"x\\ufffdy\\ufffd\\ufffd\"");
    begin(0, false);
    tl_json_put_str(&w, (tl_str){NULL, 0});
    assert_string_equal(finish(), "\"\"");
}

/* Every code point goes out and comes back. */
static void every_code_point_survives(void **state)
{
    (void)state;
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (uint32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 61) {
        if (c >= 0xD800 && c < 0xE000) {
            continue;
        }
        char escape[32];
        (void)snprintf(escape, sizeof escape, c < 0x10000 ? "\"\\u%04x\"" : "\"\\u%04x\\u%04X\"",
                       c < 0x10000 ? c : 0xD800 + ((c - 0x10000) >> 10),
                       0xDC00 + ((c - 0x10000) & 0x3FF));
        const tl_json *one = NULL;
        const tl_json *two = NULL;
        assert_int_equal(tl_json_parse(&one, arena, tl_str_from_cstr(escape), NULL, NULL), TL_OK);
        uint32_t decoded = 0;
        assert_int_equal(tl_str_utf8_at(&decoded, one->text, 0), one->text.len);
        assert_int_equal(decoded, c);
        begin(0, false);
        tl_json_put_tree(&w, one);
        const tl_str text = tl_str_from_cstr(finish());
        assert_int_equal(tl_json_parse(&two, arena, text, NULL, NULL), TL_OK);
        assert_true(tl_str_eq(one->text, two->text));
        tl_arena_rewind(arena, mark);
    }
}

static void trees_are_written_as_they_were_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"z\":[1.50,-0,1E5,10000000000000000000000001],\"a\":{\"\":[true,null,{}]},\"m\":\"x\"}";
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, tl_str_from_cstr(text), NULL, NULL), TL_OK);
    begin(0, true); /* a stranger's keys need not ascend */
    tl_json_put_array(&w);
    tl_json_put_tree(&w, tree);
    tl_json_put_end(&w);
    const char *written = finish();
    assert_memory_equal(written + 1, text, sizeof text - 1);
}

static void the_deepest_tree_can_be_written_within_others(void **state)
{
    (void)state;
    char text[2 * TL_JSON_DEPTH_CEILING + 1];
    memset(text, '[', TL_JSON_DEPTH_CEILING);
    memset(text + TL_JSON_DEPTH_CEILING, ']', TL_JSON_DEPTH_CEILING);
    const tl_json_options options = {.depth_max = TL_JSON_DEPTH_CEILING};
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, (tl_str){text, sizeof text - 1}, &options, NULL),
                     TL_OK);
    begin(0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "k");
    tl_json_put_tree(&w, tree);
    tl_json_put_end(&w);
    assert_memory_equal(finish() + 5, text, sizeof text - 1);
}

static void no_memory_is_told_at_the_end(void **state)
{
    (void)state;
    tl_arena *small = NULL;
    tl_str out;
    assert_int_equal(tl_arena_new(&small, NULL, 16384, NULL, NULL), TL_OK);
    tl_sb_init(&sb, small);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_array(&w);
    for (size_t i = 0; i < 10000; i++) {
        tl_json_put_cstr(&w, "some text");
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_ERR_LIMIT);
    tl_arena_free(small);
}

/* --- our own mistakes end the program --- */

static void key_in_array(void)
{
    tl_json_put_array(&w);
    tl_json_put_key(&w, "a");
}

static void value_without_key(void)
{
    tl_json_put_object(&w);
    tl_json_put_null(&w);
}

static void end_after_key(void)
{
    tl_json_put_object(&w);
    tl_json_put_key(&w, "a");
    tl_json_put_end(&w);
}

static void two_roots(void)
{
    tl_json_put_null(&w);
    tl_json_put_null(&w);
}

static void not_done(void)
{
    tl_json_put_array(&w);
    tl_json_writer_done(&w);
}

static void end_of_nothing(void)
{
    tl_json_put_null(&w);
    tl_json_put_end(&w);
}

static void keys_descend(void)
{
    tl_json_put_object(&w);
    tl_json_put_key(&w, "b");
    tl_json_put_null(&w);
    tl_json_put_key(&w, "a");
}

static void not_finite(void)
{
    double x = 1e308;
    x *= 10.0;
    tl_json_put_f64(&w, x);
}

static void a_wrong_order_of_calls_is_our_mistake(void **state)
{
    (void)state; /* JSON-3 */
    static void (*const mistakes[])(void) = {key_in_array, value_without_key, end_after_key,
                                             two_roots,    not_done,          end_of_nothing,
                                             keys_descend, not_finite};
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        (void)fflush(stdout);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)signal(SIGABRT, SIG_DFL);
            (void)fclose(stderr);
            begin(0, true);
            mistakes[i]();
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_is_canonical_and_indented_is_as_python),
        cmocka_unit_test(strings_are_escaped_as_in_python),
        cmocka_unit_test(every_code_point_survives),
        cmocka_unit_test(trees_are_written_as_they_were_read),
        cmocka_unit_test(the_deepest_tree_can_be_written_within_others),
        cmocka_unit_test(no_memory_is_told_at_the_end),
        cmocka_unit_test(a_wrong_order_of_calls_is_our_mistake),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
