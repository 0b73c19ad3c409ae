/* Attacks the sources: half a zipcode, words that are no list, programs that fail, flood or hang, silence and absence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "app/market/market.h"
#include "app/source/source.h"
#include "io/sys/sys.h"

static const tl_place places[] = {{.zipcode = "98103",
                                   .city = {"Seattle", 7},
                                   .state = {"WA", 2},
                                   .latitude_e4 = 476733,
                                   .longitude_e4 = -1223426,
                                   .expected = 450}};
static const tl_market market = {7, places, 1};

typedef struct world {
    tl_arena *arena;
    const char *dir;
} world;

static int set_up(void **state)
{
    static world w;
    assert_int_equal(tl_arena_new(&w.arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&w.dir, w.arena, "/tmp/tally-source", NULL), TL_OK);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    tl_arena_free(((world *)*state)->arena);
    return 0;
}

static const char *put(const world *w, const char *name, const char *text, mode_t mode)
{
    const char *path = NULL;
    assert_int_equal(tl_sys_join(&path, w->arena, w->dir, name, NULL), TL_OK);
    assert_int_equal(tl_sys_write_file(path, tl_str_bytes(tl_str_from_cstr(text)), 0600, NULL),
                     TL_OK);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static tl_err collect(const world *w, size_t *count, const char *kind, const char *place,
                      tl_errctx *ctx)
{
    char spec[512];
    tl_source *source = NULL;
    tl_source_batch batch = {NULL, NULL, 0};
    (void)tl_str_print(spec, sizeof spec, "%s%s", kind, place);
    const tl_source_options options = {.spec = spec};
    TL_TRY(tl_source_open(&source, &options, ctx));
    const tl_err err = tl_source_collect(source, &batch, w->arena, TL_STR("98103"), false, ctx);
    tl_source_close(source);
    *count = batch.count;
    return err;
}

static void test_files(void **state)
{
    const world *w = (const world *)*state;
    size_t count = 0;
    const char *all = put(w, "all.json", "[{\"zipcode\":\"98103\"},{\"zipcode\":\"1\"}]", 0600);
    assert_int_equal(collect(w, &count, "file:", all, NULL), TL_OK);
    assert_int_equal(count, 1);
    const char *by = put(w, "by.json", "{\"98103\":[{},{}],\"1\":[]}", 0600);
    assert_int_equal(collect(w, &count, "file:", by, NULL), TL_OK);
    assert_int_equal(count, 2);
    (void)put(w, "98103.json", "{\"zipcode\":\"98103\",\"listings\":[{},{},{}]}", 0600);
    assert_int_equal(collect(w, &count, "file:", w->dir, NULL), TL_OK);
    assert_int_equal(count, 3);
    const char *none = put(w, "none.json", "{\"1\":[]}", 0600);
    assert_int_equal(collect(w, &count, "file:", none, NULL), TL_ERR_NOT_FOUND);
    const char *bad = put(w, "bad.json", "{\"98103\":[1]}", 0600);
    assert_int_equal(collect(w, &count, "file:", bad, NULL), TL_ERR_TYPE);
    const char *broken = put(w, "broken.json", "{\"98103\":[", 0600);
    assert_int_equal(collect(w, &count, "file:", broken, NULL), TL_ERR_SYNTAX);
    assert_int_equal(collect(w, &count, "file:", "/nowhere/at/all", NULL), TL_ERR_NOT_FOUND);
    assert_int_equal(collect(w, &count, "file:", "", NULL), TL_ERR_SYNTAX);
    assert_int_equal(collect(w, &count, "gopher:", "x", NULL), TL_ERR_SYNTAX);
}

static void test_programs(void **state)
{
    const world *w = (const world *)*state;
    size_t count = 0;
    const char *good = put(w, "good", "#!/bin/sh\necho \"[{\\\"zipcode\\\":\\\"$1\\\"}]\"\n", 0700);
    assert_int_equal(collect(w, &count, "exec:", good, NULL), TL_OK);
    assert_int_equal(count, 1);
    const char *fails = put(w, "fails", "#!/bin/sh\necho '[]'\nexit 3\n", 0700);
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(collect(w, &count, "exec:", fails, &ctx), TL_ERR_IO);
    assert_non_null(strstr(ctx.message, "ended with 3"));
    const char *chats = put(w, "chats", "#!/bin/sh\necho hello\n", 0700);
    assert_int_equal(collect(w, &count, "exec:", chats, NULL), TL_ERR_SYNTAX);
    const char *floods = put(w, "floods", "#!/bin/sh\nexec cat /dev/zero\n", 0700);
    assert_int_equal(collect(w, &count, "exec:", floods, NULL), TL_ERR_LIMIT); /* SOURCE-2 */
    assert_int_equal(collect(w, &count, "exec:", "/nowhere/at/all", NULL), TL_ERR_NOT_FOUND);
}

static void test_a_market_that_often_fails(void **state)
{
    const world *w = (const world *)*state;
    tl_market_server *server = NULL;
    const tl_market_options failing = {.fail_millionths = 150000};
    assert_int_equal(tl_market_server_start(&server, &market, &failing, NULL), TL_OK);
    char url[64];
    (void)tl_str_print(url, sizeof url, "http://127.0.0.1:%u", tl_market_server_port(server));
    tl_source *source = NULL;
    const tl_source_options options = {.spec = url};
    assert_int_equal(tl_source_open(&source, &options, NULL), TL_OK);
    tl_source_batch batch;
    tl_source_batch mirror;
    assert_int_equal(tl_source_collect(source, &batch, w->arena, TL_STR("98103"), false, NULL),
                     TL_OK);
    assert_in_range(batch.count, 420, 450); /* SOURCE-1: three pages, all of them */
    assert_int_equal(tl_source_collect(source, &mirror, w->arena, TL_STR("98103"), true, NULL),
                     TL_OK);
    assert_int_equal(tl_source_collect(source, &batch, w->arena, TL_STR("11111"), false, NULL),
                     TL_ERR_NOT_FOUND);
    size_t traps = 0;
    for (size_t i = 0; i < mirror.count; i += 40) {
        tl_str ids[40];
        tl_source_look looks[40];
        const size_t n = mirror.count - i < 40 ? mirror.count - i : 40;
        for (size_t k = 0; k < n; k++) {
            ids[k] = tl_json_get(mirror.items[i + k], "id")->text;
        }
        assert_int_equal(tl_source_ask(source, looks, w->arena, TL_STR("98103"), ids, n, NULL),
                         TL_OK);
        for (size_t k = 0; k < n; k++) {
            traps += looks[k].state == TL_SOURCE_UNKNOWN;
            assert_true(looks[k].state != TL_SOURCE_GONE || looks[k].gone_ms > 0);
        }
    }
    assert_int_equal(traps, tl_market_trap_count(&places[0]));
    tl_market_server_free(server);
    const tl_str id = TL_STR("123");
    tl_source_look look;
    assert_int_equal(tl_source_ask(source, &look, w->arena, TL_STR("98103"), &id, 1, NULL), TL_OK);
    assert_int_equal(look.state, TL_SOURCE_SILENT); /* SOURCE-3 */
    tl_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_programs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_market_that_often_fails, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
