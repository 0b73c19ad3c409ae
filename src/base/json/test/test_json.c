/* Attacks the reader with wrong text at every place and looks at the place that it names; the tree with keys that come
 * twice, in small and large objects; the numbers with what does not fit; and each allocation by letting it fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json/json.h"
#include "base/json/scan.h"

static tl_arena *arena;

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

static const tl_json *parse(const char *text)
{
    const tl_json *tree = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_json_parse(&tree, arena, tl_str_from_cstr(text), NULL, &ctx) != TL_OK) {
        fail_msg("%s: %s at %zu", text, ctx.message, ctx.offset);
    }
    return tree;
}

/* --- the pull reader --- */

static void events_come_in_the_order_of_the_text(void **state)
{
    (void)state;
    static const char text[] = " {\"a\" : [1, -2.5e+3 ,\"\\u0041\\n\"],\"b\":{}, \"\":[ ] , "
                               "\"c\":true,\"d\":false,\"e\":null} ";
    static const struct {
        tl_json_event event;
        const char *text;
        size_t offset;
    } expected[] = {{TL_JSON_EV_OBJECT_BEGIN, NULL, 1},
                    {TL_JSON_EV_KEY, "a", 2},
                    {TL_JSON_EV_ARRAY_BEGIN, NULL, 8},
                    {TL_JSON_EV_NUMBER, "1", 9},
                    {TL_JSON_EV_NUMBER, "-2.5e+3", 12},
                    {TL_JSON_EV_STRING, "A\n", 21},
                    {TL_JSON_EV_ARRAY_END, NULL, 31},
                    {TL_JSON_EV_KEY, "b", 33},
                    {TL_JSON_EV_OBJECT_BEGIN, NULL, 37},
                    {TL_JSON_EV_OBJECT_END, NULL, 38},
                    {TL_JSON_EV_KEY, "", 41},
                    {TL_JSON_EV_ARRAY_BEGIN, NULL, 44},
                    {TL_JSON_EV_ARRAY_END, NULL, 46},
                    {TL_JSON_EV_KEY, "c", 50},
                    {TL_JSON_EV_TRUE, NULL, 54},
                    {TL_JSON_EV_KEY, "d", 59},
                    {TL_JSON_EV_FALSE, NULL, 63},
                    {TL_JSON_EV_KEY, "e", 69},
                    {TL_JSON_EV_NULL, NULL, 73},
                    {TL_JSON_EV_OBJECT_END, NULL, 77},
                    {TL_JSON_EV_END, NULL, 79},
                    {TL_JSON_EV_END, NULL, 79}};
    tl_json_reader reader;
    assert_int_equal(tl_json_reader_init(&reader, arena, tl_str_from_cstr(text), NULL, NULL),
                     TL_OK);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        tl_json_event event = TL_JSON_EV_END;
        assert_int_equal(tl_json_next(&reader, &event, NULL), TL_OK);
        assert_int_equal(event, expected[i].event);
        assert_int_equal(reader.offset, expected[i].offset);
        assert_true(expected[i].text == NULL || tl_str_eq_cstr(reader.text, expected[i].text));
    }
}

static void errors_name_code_offset_line_column_and_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err code;
        size_t offset;
        uint32_t line;
        uint32_t column;
        const char *field;
    } rows[] = {
        {"", TL_ERR_SYNTAX, 0, 1, 1, ""},
        {" \n ", TL_ERR_SYNTAX, 3, 2, 2, ""},
        {"nul", TL_ERR_SYNTAX, 0, 1, 1, ""},
        {"truex", TL_ERR_SYNTAX, 4, 1, 5, ""},
        {"1 2", TL_ERR_SYNTAX, 2, 1, 3, ""},
        {"[1,]", TL_ERR_SYNTAX, 3, 1, 4, "[1]"},
        {"[1 2]", TL_ERR_SYNTAX, 3, 1, 4, "[1]"},
        {"[1,2}", TL_ERR_SYNTAX, 4, 1, 5, "[2]"},
        {"{\"a\":1,}", TL_ERR_SYNTAX, 7, 1, 8, ""},
        {"{\"a\" 1}", TL_ERR_SYNTAX, 5, 1, 6, ""},
        {"{1:2}", TL_ERR_SYNTAX, 1, 1, 2, ""},
        {"{\"a\":}", TL_ERR_SYNTAX, 5, 1, 6, "a"},
        {"{\"a\":{\n\"b\":[0,1,\n2,{\"c\":01}]}}", TL_ERR_SYNTAX, 24, 3, 8, "a.b[3].c"},
        {"{\"a\":[[],[[+1]]]}", TL_ERR_SYNTAX, 11, 1, 12, "a[1][0][0]"},
        {"[1.]", TL_ERR_SYNTAX, 3, 1, 4, "[0]"},
        {"[-]", TL_ERR_SYNTAX, 2, 1, 3, "[0]"},
        {"[1e+]", TL_ERR_SYNTAX, 4, 1, 5, "[0]"},
        {"[\"a\tb\"]", TL_ERR_SYNTAX, 3, 1, 4, "[0]"},
        {"\"\\x\"", TL_ERR_SYNTAX, 1, 1, 2, ""},
        {"\"\\u12g4\"", TL_ERR_SYNTAX, 1, 1, 2, ""},
        {"\"ab\\", TL_ERR_SYNTAX, 4, 1, 5, ""},
        {"\"ab\\u12", TL_ERR_SYNTAX, 3, 1, 4, ""},
        {"\"ab", TL_ERR_SYNTAX, 3, 1, 4, ""},
        {"\"\\n\nb", TL_ERR_SYNTAX, 3, 1, 4, ""},
        {"\"\xC3\xA4\xFF\"", TL_ERR_ENCODING, 3, 1, 4, ""},
        {"\"\\n\xC3\"", TL_ERR_ENCODING, 3, 1, 4, ""},
        {"\"\\ud800\"", TL_ERR_ENCODING, 1, 1, 2, ""},
        {"\"\\ud800\\u0041\"", TL_ERR_ENCODING, 1, 1, 2, ""},
        {"\"\\udc00\\ud800\"", TL_ERR_ENCODING, 1, 1, 2, ""},
        {"\xEF\xBB\xBF[]", TL_ERR_SYNTAX, 0, 1, 1, ""},
        {"{\"a\":1,\n \"b\":2, \"a\":3}", TL_ERR_DUPLICATE, 16, 2, 9, "a"},
        {"[{\"x\":{\"b\":2, \"\\u0062\": 3}}]", TL_ERR_DUPLICATE, 24, 1, 25, "[0].x.b"},
        {"{\"tab\\tkey\":?}", TL_ERR_SYNTAX, 12, 1, 13, "tab?key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const tl_json *tree = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_json_parse(&tree, arena, tl_str_from_cstr(rows[i].text), NULL, &ctx);
        if (err != rows[i].code || ctx.offset != rows[i].offset || ctx.line != rows[i].line ||
            ctx.column != rows[i].column || strcmp(ctx.field, rows[i].field) != 0) {
            fail_msg("%s: %s: %s at %zu, %u:%u, \"%s\"", rows[i].text, tl_err_name(err),
                     ctx.message, ctx.offset, ctx.line, ctx.column, ctx.field);
        }
        assert_null(tree);
        assert_true(ctx.has_offset && ctx.message[0] != '\0');
    }
}

static void a_reader_that_failed_stays_failed(void **state)
{
    (void)state;
    tl_json_reader reader;
    tl_json_event event = TL_JSON_EV_NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_json_reader_init(&reader, arena, TL_STR("[\"\xFF\"]"), NULL, NULL), TL_OK);
    assert_int_equal(tl_json_next(&reader, &event, NULL), TL_OK);
    assert_int_equal(tl_json_next(&reader, &event, &ctx), TL_ERR_ENCODING);
    assert_int_equal(tl_json_next(&reader, &event, &ctx), TL_ERR_ENCODING);
    assert_int_equal(event, TL_JSON_EV_ARRAY_BEGIN);
}

static char *nested(size_t depth)
{
    char *text = TL_NEW(arena, char, 2 * depth + 1);
    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return text;
}

static void limits_hold_to_the_byte(void **state)
{
    (void)state;
    const tl_json *tree = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(parse(nested(TL_JSON_DEPTH_MAX))->kind, TL_JSON_ARRAY);
    const tl_str deep = tl_str_from_cstr(nested(TL_JSON_DEPTH_MAX + 1));
    assert_int_equal(tl_json_parse(&tree, arena, deep, NULL, &ctx), TL_ERR_LIMIT);
    assert_int_equal(ctx.offset, TL_JSON_DEPTH_MAX);
    assert_int_equal(strlen(ctx.field), TL_ERR_FIELD_CAP - 1); /* cut, not overrun */

    tl_json_options options = {.depth_max = TL_JSON_DEPTH_CEILING};
    const tl_str deepest = tl_str_from_cstr(nested(TL_JSON_DEPTH_CEILING));
    assert_int_equal(tl_json_parse(&tree, arena, deepest, &options, NULL), TL_OK);
    const tl_str deeper = tl_str_from_cstr(nested(TL_JSON_DEPTH_CEILING + 1));
    assert_int_equal(tl_json_parse(&tree, arena, deeper, &options, NULL), TL_ERR_LIMIT);
    options.depth_max = TL_JSON_DEPTH_CEILING + 1;
    assert_int_equal(tl_json_parse(&tree, arena, TL_STR("1"), &options, NULL), TL_ERR_RANGE);

    options = (tl_json_options){.len_max = 4};
    assert_int_equal(tl_json_parse(&tree, arena, TL_STR("1234"), &options, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&tree, arena, TL_STR("1234 "), &options, NULL), TL_ERR_LIMIT);
    options.len_max = TL_JSON_LEN_MAX + 1;
    assert_int_equal(tl_json_parse(&tree, arena, TL_STR("1"), &options, NULL), TL_ERR_RANGE);
}

static void escapes_decode_and_may_hold_a_nul(void **state)
{
    (void)state; /* JSON-2 */
    const tl_json *v =
        parse("[\"\\u0000x\", \"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\uD83D\\uDE00\\u00e4\\u20AC\","
              " \"plain text of more than eight bytes \\u0041 and more of it\"]");
    assert_true(tl_str_eq(v->items[0].text, (tl_str){"\0x", 2}));
    assert_true(tl_str_eq_cstr(v->items[1].text, "\"\\/\b\f\n\r\t"));
    assert_true(tl_str_eq_cstr(v->items[2].text, "\xF0\x9F\x98\x80\xC3\xA4\xE2\x82\xAC"));
    assert_true(
        tl_str_eq_cstr(v->items[3].text, "plain text of more than eight bytes A and more of it"));
}

/* Every byte at every place of a word: the scan by eight bytes sees what a scan by one would see. */
static void each_byte_is_judged_alike_at_each_place(void **state)
{
    (void)state;
    for (size_t len = 0; len < 20; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[32];
                memset(text, 'x', sizeof text);
                text[0] = '"';
                text[1 + at] = (char)byte;
                text[1 + len] = '"';
                const tl_json *tree = NULL;
                const tl_err err = tl_json_parse(&tree, arena, (tl_str){text, len + 2}, NULL, NULL);
                const bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                if (is_plain) {
                    assert_int_equal(err, TL_OK);
                    assert_int_equal(tree->text.len, len);
                } else {
                    assert_int_equal(err, byte >= 0x80 ? TL_ERR_ENCODING : TL_ERR_SYNTAX);
                }
            }
        }
    }
}

/* Words of bytes near every border: the first special one is found by eight bytes as by one. */
static void the_scan_by_words_equals_the_scan_by_bytes(void **state)
{
    (void)state;
    static const char pool[] = "\0\x1F\x20\x21\"#[\\]^az~\x7F\x80\x9F\xA0\xA2\xDC\xFF";
    uint64_t seed = 7;
    for (size_t round = 0; round < 200000; round++) {
        char text[24];
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            const bool is_dull = round % 2 != 0 && (seed >> 60) != 0;
            text[i] = is_dull ? 'x' : pool[(seed >> 33) % (sizeof pool - 1)];
        }
        const char *expected = text;
        while (expected < text + sizeof text && tl__json_is_plain((unsigned char)*expected)) {
            expected++;
        }
        assert_ptr_equal(tl__json_skip_plain(text, text + sizeof text), expected);
    }
}

/* --- the tree --- */

/* {"<key 0>":0,…}; keys share their first bytes when common is set; then extra. */
static tl_str object_of(size_t count, bool common, const char *extra)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_char(&sb, '{');
    for (size_t i = 0; i < count; i++) {
        /* 7919 is prime to every count here: all keys differ, and are not in order */
        tl_sb_printf(&sb, "%s\"%s%zu\":%zu", i != 0 ? "," : "", common ? "the same head " : "",
                     i * 7919 % 10007, i);
    }
    tl_sb_put_cstr(&sb, extra);
    tl_sb_put_char(&sb, '}');
    tl_str text;
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static void members_are_found_in_small_and_large_objects(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 31, 32, 33, 34, 64, 100, 1000, 9000};
    for (size_t c = 0; c < 2 * sizeof counts / sizeof counts[0]; c++) {
        const size_t count = counts[c / 2];
        const bool common = c % 2 != 0;
        const tl_json *tree = NULL;
        assert_int_equal(tl_json_parse(&tree, arena, object_of(count, common, ""), NULL, NULL),
                         TL_OK);
        assert_int_equal(tree->count, count);
        for (size_t i = 0; i < count; i++) {
            uint64_t value = 0;
            const tl_json *found = tl_json_get_str(tree, tree->members[i].key);
            assert_ptr_equal(found, &tree->members[i].value);
            assert_int_equal(tl_json_as_u64(&value, found, NULL, NULL), TL_OK);
            assert_int_equal(value, i); /* in the order of the text */
        }
        assert_null(tl_json_get(tree, "x"));
        assert_null(tl_json_get(tree, ""));
        assert_null(tl_json_get(tree, common ? "the same head " : "0 "));
    }
    assert_null(tl_json_get(NULL, "x"));
    assert_null(tl_json_get(parse("[1]"), "x"));
    assert_int_equal(parse("{}")->count, 0);
}

static void a_key_given_twice_is_refused_or_the_last_wins(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 31, 32, 33, 500};
    const tl_json_options lenient = {.allow_duplicate_keys = true};
    for (size_t c = 0; c < 2 * sizeof counts / sizeof counts[0]; c++) {
        const size_t count = counts[c / 2];
        const bool common = c % 2 != 0;
        const char *extra = common ? ",\"the same head 0\":-1,\"other\":null,\"the same head 0\":-2"
                                   : ",\"0\":-1,\"other\":null,\"0\":-2";
        const tl_str text = object_of(count, common, extra);
        const tl_json *tree = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_json_parse(&tree, arena, text, NULL, &ctx), TL_ERR_DUPLICATE);
        assert_string_equal(ctx.field, common ? "the same head 0" : "0");
        assert_int_equal(ctx.offset, text.len - strlen(extra)); /* the second one's quote */
        assert_int_equal(tl_json_parse(&tree, arena, text, &lenient, NULL), TL_OK);
        assert_int_equal(tree->count, count + 1);
        int64_t value = 0;
        assert_int_equal(tl_json_as_i64(&value, &tree->members[0].value, NULL, NULL), TL_OK);
        assert_int_equal(value, -2);
        assert_ptr_equal(tl_json_get_str(tree, tree->members[0].key), &tree->members[0].value);
        assert_ptr_equal(tl_json_get(tree, "other"), &tree->members[count].value);
    }
}

static void keys_that_differ_only_in_zeros_or_length_differ(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"a\":1,\"a\\u0000\":2,\"\":3,\"\\u0000\":4}")->count, 4);
    const tl_str text = object_of(40, false, ",\"a\":1,\"a\\u0000\":2,\"\":3,\"\\u0000\":4");
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, text, NULL, NULL), TL_OK);
    assert_int_equal(tree->count, 44);
    assert_true(tl_str_eq_cstr(tl_json_get_str(tree, (tl_str){"a\0", 2})->text, "2"));
}

/* Many keys that an attacker chose; quadratic work would take hours. */
static void many_keys_cost_no_more_than_sorting(void **state)
{
    (void)state;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_char(&sb, '{');
    for (size_t i = 0; i < 300000; i++) {
        tl_sb_printf(&sb, "\"a common head, then %zu\":0,", i);
    }
    tl_sb_put_cstr(&sb, "\"a common head, then 0\":0}");
    tl_str text;
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, text, NULL, NULL), TL_ERR_DUPLICATE);
}

static void a_refused_text_leaves_the_arena_as_it_was(void **state)
{
    (void)state;
    const tl_str text = object_of(500, true, ",\"a\\n\":[1,2,{\"b\":\"\\t\"}],?");
    const size_t live = tl_arena_live_len(arena);
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, text, NULL, NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_arena_live_len(arena), live);
    assert_int_equal(tl_arena_get_mark(arena).used, mark.used);
}

/* --- values --- */

static void integers_are_exact_or_refused(void **state)
{
    (void)state; /* JSON-1 */
    static const struct {
        const char *text;
        tl_err i64_err;
        tl_err u64_err;
        int64_t i64;
        uint64_t u64;
    } rows[] = {
        {"0", TL_OK, TL_OK, 0, 0},
        {"-0", TL_OK, TL_OK, 0, 0},
        {"-1", TL_OK, TL_ERR_RANGE, -1, 0},
        {"9007199254740993", TL_OK, TL_OK, INT64_C(9007199254740993), 9007199254740993},
        {"9223372036854775807", TL_OK, TL_OK, INT64_MAX, INT64_MAX},
        {"9223372036854775808", TL_ERR_RANGE, TL_OK, 0, UINT64_C(9223372036854775808)},
        {"-9223372036854775808", TL_OK, TL_ERR_RANGE, INT64_MIN, 0},
        {"-9223372036854775809", TL_ERR_RANGE, TL_ERR_RANGE, 0, 0},
        {"18446744073709551615", TL_ERR_RANGE, TL_OK, 0, UINT64_MAX},
        {"18446744073709551616", TL_ERR_RANGE, TL_ERR_RANGE, 0, 0},
        {"1.0", TL_ERR_TYPE, TL_ERR_TYPE, 0, 0},
        {"1e3", TL_ERR_TYPE, TL_ERR_TYPE, 0, 0},
        {"1E3", TL_ERR_TYPE, TL_ERR_TYPE, 0, 0},
        {"-0.0", TL_ERR_TYPE, TL_ERR_TYPE, 0, 0},
        {"\"1\"", TL_ERR_TYPE, TL_ERR_TYPE, 0, 0},
        {"null", TL_ERR_TYPE, TL_ERR_TYPE, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const tl_json *v = parse(rows[i].text);
        int64_t i64 = 77;
        uint64_t u64 = 77;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_json_as_i64(&i64, v, "f", &ctx), rows[i].i64_err);
        assert_true(i64 == (rows[i].i64_err == TL_OK ? rows[i].i64 : 77));
        assert_string_equal(ctx.field, rows[i].i64_err == TL_OK ? "" : "f");
        assert_int_equal(tl_json_as_u64(&u64, v, NULL, NULL), rows[i].u64_err);
        assert_true(u64 == (rows[i].u64_err == TL_OK ? rows[i].u64 : 77));
    }
}

static void doubles_are_the_nearest_and_finite(void **state)
{
    (void)state;
    double x = 7.0;
    assert_int_equal(tl_json_as_f64(&x, parse("0.1"), NULL, NULL), TL_OK);
    assert_true(x >= 0.1 && x <= 0.1);
    assert_int_equal(tl_json_as_f64(&x, parse("12"), NULL, NULL), TL_OK);
    assert_true(x >= 12.0 && x <= 12.0);
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_json_as_f64(&x, parse("-1e400"), "w", &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.message, "-1e400 is too large for a double");
    assert_int_equal(tl_json_as_f64(&x, parse("\"1\""), "w", NULL), TL_ERR_TYPE);
    assert_true(x >= 12.0 && x <= 12.0);
}

static void what_is_wanted_is_given_or_named(void **state)
{
    (void)state;
    const tl_json *v =
        parse("{\"i\":-3,\"u\":4,\"x\":2.5,\"b\":true,\"s\":\"t\",\"o\":{},\"n\":null}");
    int64_t i = 0;
    uint64_t u = 0;
    double x = 0.0;
    bool b = false;
    tl_str s = {NULL, 0};
    const tl_json *o = NULL;
    assert_int_equal(tl_json_want_i64(&i, v, "i", NULL), TL_OK);
    assert_int_equal(tl_json_want_u64(&u, v, "u", NULL), TL_OK);
    assert_int_equal(tl_json_want_f64(&x, v, "x", NULL), TL_OK);
    assert_int_equal(tl_json_want_bool(&b, v, "b", NULL), TL_OK);
    assert_int_equal(tl_json_want_str(&s, v, "s", NULL), TL_OK);
    assert_int_equal(tl_json_want(&o, v, "o", TL_JSON_OBJECT, NULL), TL_OK);
    assert_true(i == -3 && u == 4 && x > 2.4 && x < 2.6 && b && tl_str_eq_cstr(s, "t"));
    assert_true(o != NULL && o->count == 0);

    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_json_want_i64(&i, v, "gone", &ctx), TL_ERR_MISSING);
    assert_string_equal(ctx.field, "gone");
    assert_string_equal(ctx.message, "a number is required");
    assert_int_equal(tl_json_want_str(&s, v, "n", &ctx), TL_ERR_TYPE);
    assert_string_equal(ctx.message, "a string is expected, found null");
    assert_int_equal(tl_json_want_bool(&b, v, "i", &ctx), TL_ERR_TYPE);
    assert_int_equal(tl_json_want(&o, v, "s", TL_JSON_OBJECT, &ctx), TL_ERR_TYPE);
    assert_int_equal(tl_json_want_u64(&u, parse("[1]"), "u", &ctx), TL_ERR_TYPE);
    assert_string_equal(ctx.message, "an object with \"u\" is expected, found an array");
    assert_int_equal(tl_json_want_f64(&x, NULL, "x", &ctx), TL_ERR_MISSING);
    assert_int_equal(tl_json_want_i64(&i, v, "x", NULL), TL_ERR_TYPE);
}

/* --- faults --- */

typedef struct flaky {
    size_t calls_left;
    size_t live_blocks;
} flaky;

static void *flaky_alloc(void *self, size_t len)
{
    flaky *f = (flaky *)self;
    if (f->calls_left == 0) {
        return NULL;
    }
    f->calls_left--;
    f->live_blocks++;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void flaky_release(void *self, void *memory)
{
    ((flaky *)self)->live_blocks--;
    free(memory);
}

static void each_allocation_may_fail_and_nothing_leaks(void **state)
{
    (void)state;
    const tl_json_options lenient = {.allow_duplicate_keys = true};
    const tl_str text = object_of(3000, true, ",\"0\":[\"\\n\",{\"a\":[1,2,3]}],\"0\":1");
    for (size_t n = 0;; n++) {
        flaky f = {n, 0};
        const tl_allocator from = {&f, flaky_alloc, flaky_release};
        tl_arena *a = NULL;
        const tl_json *tree = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_err err = tl_arena_new(&a, NULL, 0, &from, &ctx);
        if (err == TL_OK) {
            err = tl_json_parse(&tree, a, text, &lenient, &ctx);
        }
        assert_true(err == TL_OK ? tree != NULL : err == TL_ERR_NOMEM && ctx.code == err);
        tl_arena_free(a);
        assert_int_equal(f.live_blocks, 0);
        if (err == TL_OK) {
            assert_true(n > 5);
            break;
        }
        assert_true(n < 1000);
    }
}

static void words_for_numbers_need_an_option(void **state)
{
    (void)state;
    const tl_json_options options = {.allow_nonfinite = true};
    static const char text[] = "[NaN, Infinity, -Infinity, -1]";
    const tl_json *tree = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_json_parse(&tree, arena, tl_str_from_cstr(text), NULL, &ctx),
                     TL_ERR_SYNTAX);
    assert_int_equal(tl_json_parse(&tree, arena, tl_str_from_cstr(text), &options, &ctx), TL_OK);
    static const char *const words[] = {"NaN", "Infinity", "-Infinity", "-1"};
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(tree->items[i].kind, TL_JSON_NUMBER);
        assert_true(tl_str_eq_cstr(tree->items[i].text, words[i])); /* JSON-1 */
        double number = 0;
        assert_int_equal(tl_json_as_f64(&number, &tree->items[i], NULL, &ctx),
                         i < 3 ? TL_ERR_TYPE : TL_OK);
    }
    static const char *const wrong[] = {"Nan", "nan", "-NaN", "Inf", "-Inf", "+Infinity", "N"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(tl_json_parse(&tree, arena, tl_str_from_cstr(wrong[i]), &options, &ctx),
                         TL_ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_the_order_of_the_text),
        cmocka_unit_test(errors_name_code_offset_line_column_and_path),
        cmocka_unit_test(a_reader_that_failed_stays_failed),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(escapes_decode_and_may_hold_a_nul),
        cmocka_unit_test(each_byte_is_judged_alike_at_each_place),
        cmocka_unit_test(the_scan_by_words_equals_the_scan_by_bytes),
        cmocka_unit_test(members_are_found_in_small_and_large_objects),
        cmocka_unit_test(a_key_given_twice_is_refused_or_the_last_wins),
        cmocka_unit_test(keys_that_differ_only_in_zeros_or_length_differ),
        cmocka_unit_test(many_keys_cost_no_more_than_sorting),
        cmocka_unit_test(a_refused_text_leaves_the_arena_as_it_was),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(doubles_are_the_nearest_and_finite),
        cmocka_unit_test(what_is_wanted_is_given_or_named),
        cmocka_unit_test(each_allocation_may_fail_and_nothing_leaks),
        cmocka_unit_test(words_for_numbers_need_an_option),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
