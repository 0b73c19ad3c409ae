/* Attacks the comparison: every kind of leaf bent a little must be seen, and nothing that the rules call equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/conformance/conformance.h"

static tl_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static const tl_json *tree(const char *text)
{
    const tl_json *out = NULL;
    if (text != NULL) {
        assert_int_equal(tl_json_parse(&out, arena, tl_str_from_cstr(text), NULL, NULL), TL_OK);
    }
    return out;
}

static tl_conform_diff diffs[TL_CONFORM_DIFFS_MAX];

/* How many differences there are. */
static size_t compare(const char *expect, const char *actual, const char *tolerance)
{
    size_t count = 0;
    assert_int_equal(
        tl_conform_compare(diffs, &count, tree(expect), tree(actual), tree(tolerance), arena, NULL),
        TL_OK);
    return count;
}

typedef struct pair {
    const char *expect;
    const char *actual;
} pair;

static void what_names_the_same_is_equal(void **state)
{
    (void)state;
    static const pair pairs[] = {
        {"5", "5.0"},
        {"1000", "1e3"},
        {"-0", "0"},
        {"0.1", "1e-1"},
        {"9223372036854775807", "\"9223372036854775807\""},
        {"\"18446744073709551616\"", "18446744073709551616"},
        {"null", "null"},
        {"[]", "[]"},
        {"{\"a\":1}", "{\"b\":2,\"a\":1}"},
        {"{\"a\":{\"b\":[1,{\"c\":true}]}}", "{\"a\":{\"b\":[1,{\"c\":true}]}}"},
        {"{\"f64\":\"3fb999999999999a\",\"repr\":\"0.1\"}", "0.1"},
        {"{\"f64\":\"3fb999999999999a\",\"repr\":\"0.1\"}",
         "{\"repr\":\"0.1\",\"f64\":\"3fb999999999999a\"}"},
        {"[\"id\",\"0.1\",\"3fb999999999999a\"]", "[\"id\",\"0.1\",\"3fb999999999999a\"]"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (compare(pairs[i].expect, pairs[i].actual, NULL) != 0) {
            fail_msg("%s against %s", pairs[i].expect, pairs[i].actual);
        }
    }
}

static void every_bent_leaf_is_seen(void **state)
{
    (void)state;
    static const pair pairs[] = {
        {"5", "6"},
        {"0", "-0.0"},
        {"0.1", "0.10000000000000002"},
        {"9007199254740993", "9007199254740992"},
        {"9007199254740993", "9007199254740992.0"},
        {"9007199254740993", "\"9007199254740992\""},
        {"\"007\"", "7"},
        {"18446744073709551617", "18446744073709551616"},
        {"null", "0"},
        {"0", "null"},
        {"true", "false"},
        {"true", "1"},
        {"\"a\"", "\"b\""},
        {"\"0.5\"", "0.5"},
        {"[1,2]", "[1]"},
        {"[1]", "[1,2]"},
        {"[]", "{}"},
        {"{\"a\":1}", "{\"b\":1}"},
        {"{\"a\":null}", "{}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}"},
        {"{\"a\":[1]}", "{\"a\":1}"},
        {"{\"f64\":\"3fb999999999999a\",\"repr\":\"0.1\"}", "0.2"},
        {"{\"f64\":\"3fb999999999999a\",\"repr\":\"0.2\"}", "0.1"},
        {"{\"f64\":\"3fb999999999999b\",\"repr\":\"0.1\"}", "0.1"},
        {"{\"f64\":\"x\",\"repr\":\"0.1\"}", "0.1"},
        {"{\"f64\":\"3fb999999999999a\",\"repr\":\"0.1\"}", "\"0.1\""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (compare(pairs[i].expect, pairs[i].actual, NULL) != 1) { /* CONF-2 */
            fail_msg("%s against %s", pairs[i].expect, pairs[i].actual);
        }
    }
}

static void a_tolerance_is_a_border_that_belongs_to_it(void **state)
{
    (void)state;
    const char *absolute = "{\"relative\":0,\"absolute\":0.5}";
    assert_int_equal(compare("[1,1,1,1]", "[1.5,0.5,1.25,1]", absolute), 0);
    assert_int_equal(compare("[1,1]", "[1.5000000000000002,0.4999]", absolute), 2);
    const char *relative = "{\"relative\":0.125,\"absolute\":0}";
    assert_int_equal(compare("[8,-8]", "[9,-7]", relative), 0);
    assert_int_equal(compare("[8,9.2]", "[9.1,8]", relative), 2); /* of the expected side */
    assert_int_equal(compare("{\"a\":\"x\",\"b\":true,\"c\":null}",
                             "{\"a\":\"y\",\"b\":false,\"c\":0}", relative),
                     3); /* for numbers only */
    assert_int_equal(compare("1.5", "1.5000000000000002", "\"exact\""), 1);
}

static void fields_have_tolerances_of_their_own(void **state)
{
    (void)state;
    const char *tolerance = "{\"relative\":0.1,\"absolute\":0,\"n\":\"exact\",\"deep\":{\"x\":"
                            "{\"absolute\":5,\"relative\":0}}}";
    assert_int_equal(compare("{\"a\":10,\"n\":10}", "{\"a\":11,\"n\":10}", tolerance), 0);
    assert_int_equal(compare("{\"a\":10,\"n\":10}", "{\"a\":11,\"n\":11}", tolerance), 1);
    assert_string_equal(diffs[0].path.ptr, "n");
    assert_int_equal(compare("{\"list\":[{\"n\":10}]}", "{\"list\":[{\"n\":11}]}", tolerance), 1);
    assert_int_equal(
        compare("{\"deep\":{\"x\":1,\"y\":10}}", "{\"deep\":{\"x\":6,\"y\":11}}", tolerance), 0);
    assert_int_equal(
        compare("{\"deep\":{\"x\":1,\"y\":10}}", "{\"deep\":{\"x\":7,\"y\":12}}", tolerance), 2);
    assert_int_equal(compare("{\"a\":1,\"b\":1}", "{\"a\":1.5,\"b\":1.5}",
                             "{\"a\":{\"absolute\":1,\"relative\":0}}"),
                     1); /* what is not named is exact */
    assert_int_equal(compare("{\"absolute\":10}", "{\"absolute\":11}", tolerance), 0);
}

static void remarks_are_not_compared_and_places_are_told(void **state)
{
    (void)state;
    assert_int_equal(compare("{\"a\":1,\"branch\":\"x\",\"message\":1,\"info\":{\"a\":2},"
                             "\"integer_arithmetic_differs\":true,"
                             "\"differs_under_compensated_sum\":false}",
                             "{\"a\":1}", NULL),
                     0);
    assert_int_equal(compare("{\"steps\":[{\"raw\":[1,2]},{\"raw\":[3]}]}",
                             "{\"steps\":[{\"raw\":[1,7]},{}]}", NULL),
                     2);
    assert_string_equal(diffs[0].path.ptr, "steps[0].raw[1]");
    assert_string_equal(diffs[0].expected.ptr, "2");
    assert_string_equal(diffs[0].actual.ptr, "7");
    assert_string_equal(diffs[1].path.ptr, "steps[1].raw");
    assert_true(tl_str_eq(diffs[1].actual, TL_STR("absent")));
    assert_int_equal(compare("[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9]",
                             "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", NULL),
                     18); /* counted beyond those that are told */
}

static void what_cannot_be_compared_is_an_error(void **state)
{
    (void)state;
    size_t count = 0;
    assert_int_equal(tl_conform_compare(diffs, &count, tree("{}"), tree("{}"), NULL, arena, NULL),
                     TL_ERR_MISSING);
    assert_int_equal(
        tl_conform_compare(diffs, &count, tree("{\"info\":1}"), tree("{}"), NULL, arena, NULL),
        TL_ERR_MISSING);
    assert_int_equal(
        tl_conform_compare(diffs, &count, tree("1"), tree("1"), tree("\"near\""), arena, NULL),
        TL_ERR_TYPE);
    assert_int_equal(tl_conform_compare(diffs, &count, tree("1"), tree("1"),
                                        tree("{\"absolute\":-1}"), arena, NULL),
                     TL_ERR_RANGE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_names_the_same_is_equal),
        TEST(every_bent_leaf_is_seen),
        TEST(a_tolerance_is_a_border_that_belongs_to_it),
        TEST(fields_have_tolerances_of_their_own),
        TEST(remarks_are_not_compared_and_places_are_told),
        TEST(what_cannot_be_compared_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
