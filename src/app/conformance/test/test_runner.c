/* Attacks vector files that are none, kinds that nobody knows, and slices of tables that are out of order or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "app/conformance/conformance.h"
#include "io/sys/sys.h"

typedef struct fixture {
    tl_arena *arena;
    const char *dir;
    tl_conform_tables *tables;
    size_t passed;
    size_t failed;
    size_t broken; /* cases whose kind failed */
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){0};
    assert_int_equal(tl_arena_new(&f.arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&f.dir, f.arena, "/tmp/tally-test-conform", NULL),
                     TL_OK);
    assert_int_equal(tl_conform_tables_new(&f.tables, f.arena, NULL), TL_OK);
    *state = &f;
    return 0;
}

static const char *in_dir(fixture *f, const char *name)
{
    const char *path = NULL;
    assert_int_equal(tl_sys_join(&path, f->arena, f->dir, name, NULL), TL_OK);
    return path;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    const char *const *names = NULL;
    size_t count = 0;
    assert_int_equal(tl_sys_list_dir(&names, &count, f->arena, f->dir, NULL), TL_OK);
    for (size_t i = 0; i < count; i++) {
        (void)unlink(in_dir(f, names[i]));
    }
    assert_int_equal(rmdir(f->dir), 0);
    tl_arena_free(f->arena);
    return 0;
}

static tl_err on_case(void *self, const tl_conform_case *result, tl_errctx *ctx)
{
    fixture *f = self;
    (void)ctx;
    f->passed += result->is_passed;
    f->failed += !result->is_passed;
    f->broken += result->error != TL_OK;
    return TL_OK;
}

static tl_err run_text(fixture *f, const char *text, tl_errctx *why)
{
    const char *path = in_dir(f, "case.json");
    const tl_bytes bytes = tl_str_bytes(tl_str_from_cstr(text));
    assert_int_equal(tl_sys_write_file(path, bytes, 0600, NULL), TL_OK);
    const tl_conform_sink sink = {f, on_case};
    f->passed = f->failed = f->broken = 0;
    return tl_conform_file(path, (tl_str){NULL, 0}, f->tables, f->arena, &sink, why);
}

#define FILE_OF(cases)                                                                             \
    "{\"schema\":\"tally-vectors/1\",\"kind\":\"python-float-repr\",\"cases\":" cases "}"

static void a_file_that_is_none_is_an_error(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text;
        tl_err err;
    } cases[] = {
        {"{\"schema\":\"tally-vectors/"
         "1\",\"kind\":\"no-such-kind\",\"cases\":[{\"id\":\"x\",\"input\":{},"
         "\"expect\":{}}]}",
         TL_ERR_UNKNOWN}, /* CONF-1 */
        {"{\"schema\":\"tally-vectors/2\",\"kind\":\"yuma-math\",\"cases\":[]}", TL_ERR_VERSION},
        {"{\"kind\":\"yuma-math\",\"cases\":[]}", TL_ERR_MISSING},
        {"[1,2", TL_ERR_SYNTAX},
        {"[]", TL_ERR_TYPE},
        {FILE_OF("[]"), TL_ERR_MISSING},
        {FILE_OF("{}"), TL_ERR_TYPE},
        {FILE_OF("[{\"input\":{},\"expect\":1}]"), TL_ERR_MISSING},
        {FILE_OF("[{\"id\":\"x\",\"expect\":1}]"), TL_ERR_MISSING},
        {FILE_OF("[{\"id\":\"x\",\"input\":{}}]"), TL_ERR_MISSING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_errctx why = TL_ERRCTX_INIT;
        if (run_text(f, cases[i].text, &why) != cases[i].err) {
            fail_msg("%s: %s", cases[i].text, why.message);
        }
        assert_non_null(strstr(why.message, "case.json"));
    }
    const tl_conform_sink sink = {f, on_case};
    assert_int_equal(
        tl_conform_file(in_dir(f, "none"), (tl_str){NULL, 0}, f->tables, f->arena, &sink, NULL),
        TL_ERR_NOT_FOUND);
}

static void a_kind_that_fails_fails_its_case_and_not_the_run(void **state)
{
    fixture *f = *state;
    assert_int_equal(
        run_text(f,
                 FILE_OF("[{\"id\":\"bad\",\"input\":{},\"expect\":{\"repr\":\"1\"}},"
                         "{\"id\":\"bad too\",\"input\":{},\"expect\":{\"repr\":\"1\"}}]"),
                 NULL),
        TL_OK);
    assert_true(f->passed == 0 && f->failed == 2 && f->broken == 2);
}

static const tl_json *tree(fixture *f, const char *text)
{
    const tl_json *out = NULL;
    assert_int_equal(tl_json_parse(&out, f->arena, tl_str_from_cstr(text), NULL, NULL), TL_OK);
    return out;
}

static void a_list_is_a_series_and_nulls_must_be_wanted(void **state)
{
    fixture *f = *state;
    tl_conform_env env = {f->arena, {NULL, 0}, f->tables};
    const double *values = NULL;
    const bool *missing = NULL;
    size_t count = 0;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_json *list = tree(f, "[1.5,null,-2]");
    assert_int_equal(tl_conform_series(&values, &count, &missing, list, &env, &why), TL_OK);
    assert_true(count == 3 && values[0] == 1.5 && values[2] == -2 && values[1] == 0);
    assert_true(!missing[0] && missing[1] && !missing[2]);
    assert_int_equal(tl_conform_series(&values, &count, NULL, list, &env, &why), TL_ERR_TYPE);
    assert_string_equal(why.field, "[1]");
    assert_int_equal(tl_conform_series(&values, &count, NULL, NULL, &env, &why), TL_ERR_MISSING);
    assert_int_equal(tl_conform_series(&values, &count, NULL, tree(f, "1"), &env, &why),
                     TL_ERR_TYPE);
}

static void a_slice_has_both_ends_and_is_sorted_by_date(void **state)
{
    fixture *f = *state;
    const gzFile gz = gzopen(in_dir(f, "new.csv.gz"), "wb");
    assert_true(
        gzputs(gz, "Made by hand,https://example.org\ndate,a,b\n2020-01-03,3,30\n2020-01-02,2,\n"
                   "2020-01-01,1,10\n") > 0);
    assert_int_equal(gzclose(gz), Z_OK);
    tl_conform_env env = {f->arena, tl_str_from_cstr(f->dir), f->tables};
    const double *values = NULL;
    const bool *missing = NULL;
    size_t count = 0;
    tl_errctx why = TL_ERRCTX_INIT;
#define SLICE(file, column, from, to)                                                              \
    tree(f, "{\"file\":\"" file "\",\"column\":\"" column "\",\"from\":\"" from "\",\"to\":\"" to  \
            "\"}")
    assert_int_equal(tl_conform_series(&values, &count, NULL,
                                       SLICE("new.csv.gz", "a", "2020-01-02", "2020-01-03"), &env,
                                       &why),
                     TL_OK);
    assert_true(count == 2 && values[0] == 2 && values[1] == 3);
    const tl_json *holes = SLICE("new.csv.gz", "b", "2019", "2021");
    assert_int_equal(tl_conform_series(&values, &count, NULL, holes, &env, &why), TL_ERR_MISSING);
    assert_int_equal(tl_conform_series(&values, &count, &missing, holes, &env, &why), TL_OK);
    assert_true(count == 3 && values[0] == 10 && missing[1] && values[2] == 30);
    assert_int_equal(
        tl_conform_series(&values, &count, NULL, SLICE("new.csv.gz", "c", "2", "3"), &env, &why),
        TL_ERR_MISSING);
    assert_int_equal(
        tl_conform_series(&values, &count, NULL, SLICE("new.csv.gz", "a", "3", "4"), &env, &why),
        TL_ERR_MISSING);
    assert_int_equal(
        tl_conform_series(&values, &count, NULL, SLICE("old.csv.gz", "a", "2", "3"), &env, &why),
        TL_ERR_NOT_FOUND);
    assert_int_equal(
        tl_conform_series(&values, &count, NULL, SLICE("../x", "a", "2", "3"), &env, &why),
        TL_ERR_RANGE);
    env.data_dir.len = 0;
    assert_int_equal(
        tl_conform_series(&values, &count, NULL, SLICE("b.csv", "a", "2", "3"), &env, &why),
        TL_ERR_MISSING);
    assert_non_null(strstr(why.hint, "--data"));
}

typedef struct failing {
    size_t left; /* allocations that go well */
} failing;

static void *fail_alloc(void *self, size_t len)
{
    failing *f = self;
    if (f->left == 0) {
        return NULL;
    }
    f->left--;
    return malloc(len);
}

static void fail_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void the_nth_allocation_fails_and_nothing_else_does(void **state)
{
    fixture *f = *state;
    const char *path = in_dir(f, "case.json");
    const tl_bytes bytes =
        tl_str_bytes(TL_STR("{\"schema\":\"tally-vectors/"
                            "1\",\"kind\":\"quant-prng\",\"cases\":[{\"id\":\"x\",\"input\":"
                            "{\"seed\":1},\"expect\":{\"u64_hex\":[\"b3f2af6d0fc710c5\"]}}]}"));
    assert_int_equal(tl_sys_write_file(path, bytes, 0600, NULL), TL_OK);
    const tl_conform_sink sink = {f, on_case};
    tl_err err = TL_ERR_NOMEM;
    for (size_t n = 1; err != TL_OK; n++) {
        assert_true(n < 200);
        failing left = {n};
        const tl_allocator allocator = {&left, fail_alloc, fail_release};
        tl_arena *arena = NULL;
        tl_conform_tables *tables = NULL;
        f->passed = f->failed = f->broken = 0;
        err = tl_arena_new(&arena, NULL, 0, &allocator, NULL);
        if (err == TL_OK) {
            err = tl_conform_tables_new(&tables, arena, NULL);
        }
        if (err == TL_OK) {
            err = tl_conform_file(path, (tl_str){NULL, 0}, tables, arena, &sink, NULL);
        }
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        tl_arena_free(arena);
    }
    assert_true(f->failed == 1 && f->broken == 0); /* in the end it is told what differs */
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_none_is_an_error),
        TEST(a_kind_that_fails_fails_its_case_and_not_the_run),
        TEST(a_list_is_a_series_and_nulls_must_be_wanted),
        TEST(a_slice_has_both_ends_and_is_sorted_by_date),
        TEST(the_nth_allocation_fails_and_nothing_else_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
