/* Attacks the text of values: every form is held against what CPython itself printed (golden/python.json), the limits
 * with one more than they allow, and each allocation by letting it fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/pyvalue/pyvalue.h"
#include "io/sys/sys.h"
#include "sdk/value/value.h"

static tl_arena *arena;
static const tl_json *golden;

static int set_up(void **state)
{
    (void)state;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return -1;
    }
    tl_str text = {NULL, 0};
    if (tl_sys_read_file(&text, arena, TL_SOURCE_ROOT "/src/sdk/value/test/golden/python.json",
                         (size_t)1 << 24, NULL) != TL_OK) {
        return -1;
    }
    return tl_json_parse(&golden, arena, text, NULL, NULL) == TL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static tl_value parse(const char *text)
{
    tl_value value = tl_value_none();
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_value_parse(&value, arena, tl_str_from_cstr(text), NULL, &ctx) != TL_OK) {
        fail_msg("%s: %s", text, ctx.message);
    }
    return value;
}

static void assert_text(const char *of, tl_sb *sb, const tl_json *expected)
{
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, sb, NULL), TL_OK);
    if (!tl_str_eq(text, expected->text)) {
        fail_msg("%s: \"%.*s\", not \"%.*s\"", of, TL_STR_ARG(text), TL_STR_ARG(expected->text));
    }
}

static void text_is_what_cpython_prints(void **state)
{
    (void)state; /* VAL-2 */
    const tl_json *const rows = tl_json_get(golden, "values");
    assert_true(rows->count > 300);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        const tl_str json = tl_json_get(row, "json")->text;
        tl_value value = tl_value_none();
        assert_int_equal(tl_value_parse(&value, arena, json, NULL, NULL), TL_OK);
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_value_put_str(&sb, &value);
        assert_text("str", &sb, tl_json_get(row, "str"));
        tl_sb_init(&sb, arena);
        tl_value_put_json(&sb, &value, TL_VALUE_REQUEST);
        assert_text("request", &sb, tl_json_get(row, "request"));
        const tl_json *const response = tl_json_get(row, "response");
        assert_int_equal(tl_value_is_finite(&value), response->kind == TL_JSON_STRING);
        if (response->kind == TL_JSON_STRING) {
            tl_sb_init(&sb, arena);
            tl_value_put_json(&sb, &value, TL_VALUE_RESPONSE);
            assert_text("response", &sb, response);
        }
        tl_value copy = tl_value_none();
        assert_int_equal(tl_value_copy(&copy, arena, &value, NULL), TL_OK);
        assert_true(tl_value_eq(&copy, &value));
    }
}

static void each_character_is_printable_as_in_cpython(void **state)
{
    (void)state; /* VAL-3 */
    tl_sha256_state sha;
    tl_sha256_init(&sha);
    uint64_t count = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        const bool is_printable = tl_py_is_printable(c);
        tl_sha256_update(&sha, is_printable ? "1" : "0", 1);
        count += is_printable ? 1 : 0;
    }
    tl_hash32 digest;
    tl_sha256_final(&sha, &digest);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_hex_encode(&sb, digest.b, sizeof digest.b);
    assert_text("digest", &sb, tl_json_get(golden, "printable_sha256"));
    uint64_t expected = 0;
    assert_int_equal(tl_json_want_u64(&expected, golden, "printable_count", NULL), TL_OK);
    assert_int_equal(count, expected);
}

/* The text of what a parser gave, or null when it refused. */
static void assert_outcome(const tl_json *row, const char *key, bool taken, const tl_value *value)
{
    const tl_json *const expected = tl_json_get(row, key);
    if (taken != (expected->kind == TL_JSON_STRING)) {
        fail_msg("%s of \"%.*s\": %s", key, TL_STR_ARG(tl_json_get(row, "text")->text),
                 taken ? "taken" : "refused");
    }
    if (taken) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_value_put_repr(&sb, value);
        assert_text(key, &sb, expected);
    }
}

static void numbers_are_read_as_int_and_float_read_them(void **state)
{
    (void)state;
    const tl_json *const rows = tl_json_get(golden, "numbers");
    assert_true(rows->count > 80);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        const tl_str text = tl_json_get(row, "text")->text;
        tl_value value = tl_value_none();
        double number = 0;
        assert_outcome(row, "int", tl_value_parse_int(&value, arena, text), &value);
        assert_outcome(row, "int_lax", tl_value_parse_int_lax(&value, arena, text), &value);
        bool taken = tl_value_parse_float(&number, text);
        value = tl_value_from_f64(number);
        assert_outcome(row, "float", taken, &value);
        taken = tl_value_parse_float_lax(&number, text);
        value = tl_value_from_f64(number);
        assert_outcome(row, "float_lax", taken, &value);
    }
    const tl_json *const bools = tl_json_get(golden, "bools");
    for (uint32_t i = 0; i < bools->count; i++) {
        bool truth = false;
        const bool taken =
            tl_value_parse_bool_lax(&truth, tl_json_get(&bools->items[i], "text")->text);
        const tl_value value = tl_value_from_bool(truth);
        assert_outcome(&bools->items[i], "bool_lax", taken, &value);
    }
}

static void an_integer_has_one_form(void **state)
{
    (void)state; /* VAL-1 */
    static const struct {
        const char *text;
        tl_value_kind kind;
    } rows[] = {{"9223372036854775807", TL_VALUE_INT},
                {"9223372036854775808", TL_VALUE_BIGINT},
                {"-9223372036854775808", TL_VALUE_INT},
                {"-9223372036854775809", TL_VALUE_BIGINT},
                {"0000000000000000000000000000000000000001", TL_VALUE_INT},
                {"+00099999999999999999999", TL_VALUE_BIGINT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_value value = tl_value_none();
        assert_true(tl_value_parse_int(&value, arena, tl_str_from_cstr(rows[i].text)));
        assert_int_equal(value.kind, rows[i].kind);
    }
    tl_value value = tl_value_from_bool(true);
    assert_false(tl_value_parse_int(&value, NULL, TL_STR("9223372036854775808")));
    assert_int_equal(value.kind, TL_VALUE_BOOL);
    value = parse("[99999999999999999999, -99999999999999999999, 5, \"x\"]");
    assert_int_equal(tl_value_clamp_i64(&value.items[0], 0), INT64_MAX);
    assert_int_equal(tl_value_clamp_i64(&value.items[1], 0), INT64_MIN);
    assert_int_equal(tl_value_clamp_i64(&value.items[2], 0), 5);
    assert_int_equal(tl_value_clamp_i64(&value.items[3], -7), -7);
}

static void digits_and_floats_have_a_limit(void **state)
{
    (void)state;
    char digits[TL_VALUE_DIGITS_MAX + 2];
    memset(digits, '7', sizeof digits);
    tl_value value = tl_value_none();
    const tl_str most = {digits, TL_VALUE_DIGITS_MAX};
    const tl_str over = {digits, TL_VALUE_DIGITS_MAX + 1};
    assert_true(tl_value_parse_int(&value, arena, most));
    assert_false(tl_value_parse_int(&value, arena, over));
    assert_int_equal(tl_value_parse(&value, arena, most, NULL, NULL), TL_OK);
    assert_int_equal(tl_value_parse(&value, arena, over, NULL, NULL), TL_ERR_LIMIT);
    double number = 0;
    assert_false(tl_value_parse_float(&number, over));
}

static void bombs_are_refused_before_they_are_built(void **state)
{
    (void)state;
    const tl_value_limits limits = {.depth_max = 3, .count_max = 4, .len_max = 40};
    tl_value value = tl_value_none();
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_value_parse(&value, arena, TL_STR("[[[1]]]"), &limits, &ctx), TL_OK);
    static const char *const bombs[] = {"[[[[1]]]]", "[1,2,3,4,5]", "{\"a\":[1,2],\"b\":3,\"c\":4}",
                                        "\"1234567890123456789012345678901234567890\""};
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        const size_t live = tl_arena_live_len(arena);
        assert_int_equal(tl_value_parse(&value, arena, tl_str_from_cstr(bombs[i]), &limits, &ctx),
                         TL_ERR_LIMIT);
        assert_true(tl_arena_live_len(arena) <= live);
    }
    assert_int_equal(tl_value_parse(&value, arena, TL_STR("[1,2,3   ]"), &limits, &ctx), TL_OK);
}

static void what_python_takes_and_we_do_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err code;
    } rows[] = {{"\"\\ud800\"", TL_ERR_ENCODING},
                {"\"\\udc00\\ud800\"", TL_ERR_ENCODING},
                {"\xEF\xBB\xBF{}", TL_ERR_SYNTAX},
                {"[1,]", TL_ERR_SYNTAX},
                {"nan", TL_ERR_SYNTAX},
                {"Nan", TL_ERR_SYNTAX},
                {"-NaN", TL_ERR_SYNTAX},
                {"INFINITY", TL_ERR_SYNTAX},
                {"-Inf", TL_ERR_SYNTAX},
                {"", TL_ERR_SYNTAX},
                {"[\"\xFF\"]", TL_ERR_ENCODING}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_value value = tl_value_none();
        assert_int_equal(tl_value_parse(&value, arena, tl_str_from_cstr(rows[i].text), NULL, NULL),
                         rows[i].code);
    }
}

static void c_values_are_asked_for_by_type(void **state)
{
    (void)state;
    const tl_value dict = parse("{\"i\": 5, \"f\": 1.5, \"s\": \"x\", \"b\": true, "
                                "\"big\": 1e999, \"huge\": 99999999999999999999}");
    int64_t i = 0;
    double f = 0;
    tl_str s = {NULL, 0};
    bool b = false;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_value_as_i64(&i, tl_value_get(&dict, TL_STR("i")), "i", &ctx), TL_OK);
    assert_int_equal(i, 5);
    assert_int_equal(tl_value_as_f64(&f, tl_value_get(&dict, TL_STR("i")), "i", &ctx), TL_OK);
    assert_true(f == 5.0);
    assert_int_equal(tl_value_as_f64(&f, tl_value_get(&dict, TL_STR("huge")), "h", &ctx), TL_OK);
    assert_true(f == 1e20);
    assert_int_equal(tl_value_as_str(&s, tl_value_get(&dict, TL_STR("s")), "s", &ctx), TL_OK);
    assert_int_equal(tl_value_as_bool(&b, tl_value_get(&dict, TL_STR("b")), "b", &ctx), TL_OK);
    assert_true(b);
    assert_int_equal(tl_value_as_i64(&i, tl_value_get(&dict, TL_STR("huge")), "h", &ctx),
                     TL_ERR_RANGE);
    assert_int_equal(tl_value_as_i64(&i, tl_value_get(&dict, TL_STR("f")), "f", &ctx), TL_ERR_TYPE);
    assert_string_equal(ctx.field, "f");
    assert_string_equal(ctx.message, "int is expected, found float");
    assert_int_equal(tl_value_as_str(&s, tl_value_get(&dict, TL_STR("i")), NULL, &ctx),
                     TL_ERR_TYPE);
    assert_int_equal(tl_value_as_bool(&b, tl_value_get(&dict, TL_STR("i")), NULL, &ctx),
                     TL_ERR_TYPE);
    assert_null(tl_value_get(&dict, TL_STR("none")));
    assert_null(tl_value_get(NULL, TL_STR("none")));
    assert_null(tl_value_get(&dict.members[0].value, TL_STR("i")));
    const tl_value other = parse("{\"i\": 5.0}");
    assert_false(tl_value_eq(&dict, &other));
    const tl_value zero = tl_value_from_f64(0.0);
    const tl_value minus_zero = tl_value_from_f64(-0.0);
    assert_false(tl_value_eq(&zero, &minus_zero));
}

static void a_tuple_prints_as_python_prints_it(void **state)
{
    (void)state;
    tl_value one = tl_value_from_i64(1);
    tl_value tuple = tl_value_from_items(&one, 1);
    tuple.kind = TL_VALUE_TUPLE;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_value_put_str(&sb, &tuple);
    tl_value_put_json(&sb, &tuple, TL_VALUE_RESPONSE);
    tuple.count = 0;
    tl_value_put_repr(&sb, &tuple);
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_true(tl_str_eq_cstr(text, "(1,)[1]()"));
    assert_string_equal(tl_value_type_name(&tuple), "tuple");
}

/* --- the n-th allocation fails --- */

static size_t calls_left;

static void *flaky_alloc(void *self, size_t len)
{
    (void)self;
    if (calls_left == 0) {
        return NULL;
    }
    calls_left--;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void flaky_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void every_failed_allocation_is_an_error(void **state)
{
    (void)state;
    static const tl_allocator flaky = {NULL, flaky_alloc, flaky_release};
    const tl_str text = TL_STR("{\"a\":[1,\"x\\n\",99999999999999999999],\"b\":{\"c\":[]}}");
    bool succeeded = false;
    for (size_t n = 1; n < 100 && !succeeded; n++) {
        calls_left = n;
        tl_arena *scarce = NULL;
        if (tl_arena_new(&scarce, NULL, 0, &flaky, NULL) != TL_OK) {
            continue;
        }
        tl_value value = tl_value_none();
        tl_value copy = tl_value_none();
        tl_err err = tl_value_parse(&value, scarce, text, NULL, NULL);
        if (err == TL_OK) {
            err = tl_value_copy(&copy, scarce, &value, NULL);
        }
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        succeeded = err == TL_OK;
        tl_arena_free(scarce);
    }
    assert_true(succeeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_what_cpython_prints),
        cmocka_unit_test(each_character_is_printable_as_in_cpython),
        cmocka_unit_test(numbers_are_read_as_int_and_float_read_them),
        cmocka_unit_test(an_integer_has_one_form),
        cmocka_unit_test(digits_and_floats_have_a_limit),
        cmocka_unit_test(bombs_are_refused_before_they_are_built),
        cmocka_unit_test(what_python_takes_and_we_do_not),
        cmocka_unit_test(c_values_are_asked_for_by_type),
        cmocka_unit_test(a_tuple_prints_as_python_prints_it),
        cmocka_unit_test(every_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
