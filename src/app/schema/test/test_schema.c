/* Schemas against values: each word is met by a value that holds and by one that does not, and what a schema may not say is
 * refused when it is compiled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/schema/schema.h"

static tl_arena *arena;
static tl_schemas *set;

static int begin(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK &&
                   tl_schemas_new(&set, arena, NULL) == TL_OK
               ? 0
               : 1;
}

static int end(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static const tl_json *json(const char *text)
{
    const tl_json *value;
    assert_int_equal(tl_json_parse(&value, arena, tl_str_from_cstr(text), NULL, NULL), TL_OK);
    return value;
}

static const tl_schema *schema(const char *text)
{
    const tl_schema *out;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_schemas_finish(set, &ctx), TL_OK);
    if (tl_schema_compile(&out, set, text, &ctx) != TL_OK) {
        fail_msg("%s: %s", text, ctx.message);
    }
    return out;
}

static void holds(const char *s, const char *value)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_schema_check(schema(s), json(value), &ctx) != TL_OK) {
        fail_msg("%s refuses %s: %s %s", s, value, ctx.field, ctx.message);
    }
}

static void refuses(const char *s, const char *value, const char *place)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_schema_check(schema(s), json(value), &ctx), TL_ERR_CHECK);
    assert_string_equal(ctx.field, place);
    assert_true(ctx.message[0] != 0);
}

static void types_are_told_apart(void **state)
{
    (void)state;
    holds("{'type':'string'}", "\"x\"");
    refuses("{'type':'string'}", "1", "");
    holds("{'type':'integer'}", "-7");
    holds("{'type':'integer'}", "1.0");
    holds("{'type':'integer'}", "-1.5e1");
    refuses("{'type':'integer'}", "1.5", "");
    refuses("{'type':'integer'}", "1e300", "");
    refuses("{'type':'integer','maximum':3}", "4.0", "");
    refuses("{'type':'integer'}", "9223372036854775808", "");
    holds("{'type':'number'}", "1");
    holds("{'type':'number'}", "1.5");
    refuses("{'type':'number'}", "true", "");
    holds("{'type':['string','null']}", "null");
    refuses("{'type':['string','null']}", "[]", "");
    holds("{'type':'boolean'}", "false");
    refuses("{'type':'boolean'}", "0", "");
    refuses("{'type':'object'}", "[]", "");
    refuses("{'type':'array'}", "{}", "");
}

static void bounds_and_counts_hold(void **state)
{
    (void)state;
    holds("{'type':'integer','minimum':1,'maximum':3}", "3");
    refuses("{'type':'integer','minimum':1,'maximum':3}", "4", "");
    refuses("{'type':'integer','minimum':1}", "0", "");
    refuses("{'exclusiveMinimum':1}", "1", "");
    refuses("{'exclusiveMaximum':1}", "1", "");
    holds("{'exclusiveMaximum':1}", "0.9");
    holds("{'type':'string','minLength':2,'maxLength':2}", "\"\\u00e4\\u00f6\"");
    refuses("{'type':'string','minLength':2}", "\"\\u00e4\"", "");
    refuses("{'type':'string','maxLength':1}", "\"ab\"", "");
    refuses("{'type':'array','minItems':1}", "[]", "");
    refuses("{'type':'array','maxItems':1}", "[1,2]", "");
    refuses("{'minProperties':1}", "{}", "");
    refuses("{'maxProperties':0}", "{\"a\":1}", "");
    refuses("{'uniqueItems':true,'maxItems':9}", "[1,{\"a\":1},{\"a\":1.0}]", "/2");
    holds("{'uniqueItems':true,'maxItems':9}", "[1,\"1\",[1]]");
}

static void patterns_see_the_whole_text(void **state)
{
    (void)state;
    holds("{'pattern':'^[0-9]{5}$'}", "\"02134\"");
    refuses("{'pattern':'^[0-9]{5}$'}", "\"02134\\n\"", "");
    refuses("{'pattern':'^[0-9]{5}$'}", "\"02134\\u0000\"", "");
    refuses("{'pattern':'^[0-9]{5}$'}", "\"\"", "");
    holds("{'pattern':'^[0-9]{5}$'}", "5"); /* a pattern says nothing of numbers */
}

static void members_are_found_by_their_pointer(void **state)
{
    (void)state;
    static const char s[] =
        "{'type':'object','required':['a'],'additionalProperties':false,"
        "'properties':{'a':{'type':'array','items':{'type':'object','properties'"
        ":{'x/y~':{'type':'string'}}}}}}";
    holds(s, "{\"a\":[{\"x/y~\":\"\"}]}");
    refuses(s, "{\"a\":[{},{\"x/y~\":1}]}", "/a/1/x~1y~0");
    refuses(s, "{}", "/a");
    refuses(s, "{\"a\":[],\"b\":1}", "/b");
    refuses("{'additionalProperties':{'type':'string'}}", "{\"q\":1}", "/q");
}

static void choices_are_counted(void **state)
{
    (void)state;
    holds("{'anyOf':[{'type':'string'},{'type':'null'}]}", "null");
    refuses("{'anyOf':[{'type':'string'},{'type':'null'}]}", "1", "");
    refuses("{'oneOf':[{'type':'number'},{'type':'integer'}]}", "1", "");
    holds("{'oneOf':[{'type':'number'},{'type':'string'}]}", "1");
    refuses("{'allOf':[{'minimum':2},{'maximum':3}]}", "4", "");
    holds("{'enum':['a',1]}", "1.0");
    refuses("{'enum':['a',1]}", "\"b\"", "");
    refuses("{'const':{'a':[1]}}", "{\"a\":[2]}", "");
}

static void names_are_found_and_may_be_recursive(void **state)
{
    (void)state;
    assert_int_equal(tl_schemas_name(set, "Tree",
                                     "{'type':'object','properties':{'next':{'$ref':"
                                     "'#/components/schemas/Tree'}},'additionalProperties':false}",
                                     NULL),
                     TL_OK);
    assert_int_equal(tl_schemas_name(set, "Loop", "{'$ref':'#/components/schemas/Loop'}", NULL),
                     TL_OK);
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_schemas_name(set, "Tree", "{}", &ctx), TL_ERR_DUPLICATE);
    assert_string_equal(ctx.field, "Tree");
    holds("Tree", "{\"next\":{\"next\":{}}}");
    refuses("Tree", "{\"next\":{\"next\":3}}", "/next/next");
    refuses("Loop", "1", ""); /* SCHEMA-2: ends */
    tl_str name;
    assert_non_null(tl_schemas_named(set, 0, &name));
    assert_true(tl_str_eq(name, TL_STR("Tree")));
    assert_null(tl_schemas_named(set, 2, &name));
}

static void an_unknown_reference_is_refused(void **state)
{
    (void)state;
    assert_int_equal(tl_schemas_name(set, "A", "{'items':{'$ref':'#/components/schemas/B'}}", NULL),
                     TL_OK);
    assert_int_equal(tl_schemas_finish(set, NULL), TL_ERR_UNKNOWN);
}

static void what_is_no_schema_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err err;
    } bad[] = {
        {"{'type':'text'}", TL_ERR_UNKNOWN},
        {"{'minimun':1}", TL_ERR_UNKNOWN}, /* SCHEMA-1 */
        {"{'pattern':'('}", TL_ERR_SYNTAX},
        {"{'type':", TL_ERR_SYNTAX},
        {"{'required':['a',1]}", TL_ERR_TYPE},
        {"{'properties':[]}", TL_ERR_TYPE},
        {"{'items':3}", TL_ERR_TYPE},
        {"{'minLength':-1}", TL_ERR_RANGE},
        {"{'maxItems':4294967296}", TL_ERR_RANGE},
        {"{'uniqueItems':true}", TL_ERR_LIMIT},
        {"{'$ref':'http://x'}", TL_ERR_UNKNOWN},
        {"Nobody", TL_ERR_UNKNOWN},
        {"{'enum':3}", TL_ERR_TYPE},
        {"{'anyOf':{}}", TL_ERR_TYPE},
    };
    assert_int_equal(tl_schemas_finish(set, NULL), TL_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const tl_schema *out;
        assert_int_equal(tl_schema_compile(&out, set, bad[i].text, NULL), bad[i].err);
    }
}

static void messages_repeat_nothing_of_the_value(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_schema_check(schema("{'type':'integer','maximum':5}"), json("7731"), &ctx),
                     TL_ERR_CHECK);
    assert_null(strstr(ctx.message, "7731")); /* SCHEMA-3 */
}

static void text(const char *s, const char *value, bool is_good)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_schema_check_text(schema(s), tl_str_from_cstr(value), "limit", &ctx);
    assert_int_equal(err, is_good ? TL_OK : TL_ERR_CHECK);
    if (!is_good) {
        assert_string_equal(ctx.field, "limit");
    }
}

static void texts_are_read_as_their_type(void **state)
{
    (void)state;
    static const char integer[] = "{'type':'integer','minimum':1,'maximum':200,'default':50}";
    text(integer, "1", true);
    text(integer, "200", true);
    static const char *const bad[] = {"0",  "201",  "",    "+1",   " 1",    "1 ",
                                      "01", "1.",   "1.0", "1e1",  "0x1",   "-",
                                      "-1", "true", "a",   "null", "\"1\"", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        text(integer, bad[i], false);
    }
    text("{'type':'number'}", "-0.5", true);
    text("{'type':'number'}", ".5", false);
    text("{'type':'boolean'}", "true", true);
    text("{'type':'boolean'}", "1", false);
    text("{'type':'string','pattern':'^a$'}", "a", true);
    text("{'type':'string','pattern':'^a$'}", "b", false);
    tl_str fallback;
    assert_true(tl_schema_default(&fallback, schema(integer)));
    assert_true(tl_str_eq(fallback, TL_STR("50")));
    assert_false(tl_schema_default(&fallback, schema("{}")));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(types_are_told_apart),
        T(bounds_and_counts_hold),
        T(patterns_see_the_whole_text),
        T(members_are_found_by_their_pointer),
        T(choices_are_counted),
        T(names_are_found_and_may_be_recursive),
        T(an_unknown_reference_is_refused),
        T(what_is_no_schema_is_refused),
        T(messages_repeat_nothing_of_the_value),
        T(texts_are_read_as_their_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
