/* Attacks the S3 store: the common suite on a real server that checks signatures; wrong keys and clocks; bodies against
 * their checksum; a wire that cuts, stalls and refuses; a server that is killed in the middle. */
#include "io/objects/test/store_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/objects/objects_internal.h"
#include "io/objects/test/bad_wire.h"
#include "io/objects/test/s3_server.h"

enum { LONG_LEN = 6 << 20 };

static s3_server server;
static bad_wire wire;
static char wire_url[96];
static tl_arena *arena;

static tl_objects *open_with(const tl_objects_options *options)
{
    tl_objects *store = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_objects_open(&store, options, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return store;
}

/* A store at the end of the bad wire; each call on a connection of its own, since each mode is a connection's. */
static tl_objects *open_wire(uint32_t retries)
{
    tl_objects_options options = s3_server_options(&server);
    options.s3_url = wire_url;
    options.retries_max = retries;
    options.timeout_ms = 500;
    return open_with(&options);
}

static tl_bytes text(const char *s)
{
    return tl_str_bytes(tl_str_from_cstr(s));
}

static tl_err open_err(const tl_objects_options *options, tl_errctx *ctx)
{
    tl_objects *store = NULL;
    const tl_err err = tl_objects_open(&store, options, ctx);
    assert_null(store);
    assert_null(strstr(ctx->message, S3_SECRET)); /* OBJ-5 */
    assert_null(strstr(ctx->message, "wrong-secret"));
    return err;
}

static void wrong_keys_and_clocks_are_refused_at_the_door(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_manual_clock clock;
    tl_objects_options options = s3_server_options(&server);
    options.secret_key = TL_STR("wrong-secret");
    if (open_err(&options, &ctx) != TL_ERR_REFUSED) {
        fail_msg("%s", ctx.message);
    }
    assert_true(ctx.hint[0] != '\0');
    options = s3_server_options(&server);
    options.access_key = TL_STR("nobody");
    if (open_err(&options, &ctx) != TL_ERR_REFUSED) {
        fail_msg("%s", ctx.message);
    }
    options = s3_server_options(&server);
    options.clock = tl_manual_clock_start(&clock, (int64_t)1700000000 * 1000000000);
    if (open_err(&options, &ctx) != TL_ERR_REFUSED) {
        fail_msg("%s", ctx.message);
    }
    options = s3_server_options(&server);
    options.secret_key = (tl_str){0};
    assert_int_equal(open_err(&options, &ctx), TL_ERR_MISSING);
    options = s3_server_options(&server);
    options.s3_url = "http://127.0.0.1:1/tally-test";
    options.retries_max = UINT32_MAX;
    assert_int_equal(open_err(&options, &ctx), TL_ERR_IO);
}

static void urls_that_name_no_bucket_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1:1/abc",
                                      "ftp://127.0.0.1/abc",
                                      "http://127.0.0.1:1",
                                      "http://127.0.0.1:1/",
                                      "http://127.0.0.1:1/ab",
                                      "http://127.0.0.1:1/UPPER",
                                      "http://127.0.0.1:1/abc/def",
                                      "http://127.0.0.1:1/abc?x",
                                      "http://127.0.0.1:0/abc",
                                      "http://127.0.0.1:99999/abc",
                                      "http://:80/abc",
                                      "http://me:wrong-secret@127.0.0.1/abc",
                                      "http://[::1/abc",
                                      "http://[::1]x/abc"};
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_options options = s3_server_options(&server);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.s3_url = bad[i];
        assert_int_equal(open_err(&options, &ctx), TL_ERR_SYNTAX);
        assert_string_equal(ctx.field, "s3_url");
    }
}

static void a_bucket_is_made_when_it_is_missing(void **state)
{
    (void)state;
    char url[96];
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_options options = s3_server_options(&server);
    tl_str_print(url, sizeof url, "http://127.0.0.1:%u/another.bucket-2/", server.port);
    options.s3_url = url;
    options.is_existing = true;
    assert_int_equal(open_err(&options, &ctx), TL_ERR_NOT_FOUND);
    options.is_existing = false;
    tl_objects_close(open_with(&options));
    options.is_existing = true;
    tl_objects_close(open_with(&options));
}

static void a_body_against_its_checksum_is_refused(void **state)
{
    (void)state;
    const tl_objects_options options = s3_server_options(&server);
    tl_objects *store = open_with(&options);
    const tl_objects_put_options none = {.is_new = false};
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_info info;
    tl_hash32 other;
    tl_sha256(&other, "other", 5);
    assert_int_equal(tl__s3_put(store, &info, TL_STR("bent"), text("bytes"), &other, &none, &ctx),
                     TL_ERR_CORRUPT);
    assert_int_equal(tl_objects_head(store, &info, TL_STR("bent"), &ctx), TL_ERR_NOT_FOUND);
    tl_objects_close(store);
}

static void signatures_are_made_anew_for_each_attempt(void **state)
{
    (void)state;
    static const bad_wire_mode modes[] = {WIRE_503, WIRE_CUT_UP, WIRE_CUT_DOWN, WIRE_SILENT};
    char kept[TL_OBJECTS_KEPT_KEY_LEN + 1];
    uint8_t *bytes = calloc(1, LONG_LEN);
    assert_non_null(bytes);
    bad_wire_set(&wire, WIRE_GOOD, 0, 0);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_objects_info info;
        tl_bytes got;
        char key[32];
        bytes[0] = (uint8_t)('a' + i);
        const tl_objects_put_options is_new = {.is_new = true};
        tl_objects *store = open_wire(5);
        tl_str_print(key, sizeof key, "wire/%zu", i);
        bad_wire_set(&wire, modes[i], 2, 1000);
        bad_wire_drop(&wire);
        if (tl_objects_put(store, &info, tl_str_from_cstr(key), (tl_bytes){bytes, LONG_LEN},
                           &is_new, &ctx) != TL_OK) {
            fail_msg("mode %zu: %s", i, ctx.message);
        }
        bad_wire_set(&wire, modes[i], 1, 1000);
        bad_wire_drop(&wire);
        if (tl_objects_keep(store, tl_str_from_cstr(key), &info.sha256, LONG_LEN, &ctx) != TL_OK) {
            fail_msg("mode %zu: %s", i, ctx.message);
        }
        tl_objects_kept_key(kept, &info.sha256);
        assert_int_equal(tl_objects_get(store, &got, arena, tl_str_from_cstr(kept), LONG_LEN, &ctx),
                         TL_OK);
        assert_true(got.len == LONG_LEN && memcmp(got.ptr, bytes, LONG_LEN) == 0);
        tl_objects_close(store);
    }
    free(bytes);
}

/* The answer to a put that only wants to be the first gets lost: the object is ours all the same. */
static void a_lost_answer_is_no_refusal(void **state)
{
    (void)state;
    const tl_objects_put_options is_new = {.is_new = true};
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_bytes got;
    bad_wire_set(&wire, WIRE_GOOD, 0, 0);
    tl_objects *store = open_wire(5);
    struct timespec wait = {.tv_sec = 4,
                            .tv_nsec = 500000000}; /* the kept connection is forgotten */
    (void)nanosleep(&wait, NULL);
    bad_wire_set(&wire, WIRE_CUT_DOWN, 1, 0);
    if (tl_objects_put(store, NULL, TL_STR("lost/answer"), text("first"), &is_new, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    assert_int_equal(
        tl_objects_put(store, NULL, TL_STR("lost/answer"), text("second"), &is_new, &ctx),
        TL_ERR_STATE);
    assert_int_equal(tl_objects_get(store, &got, arena, TL_STR("lost/answer"), 10, &ctx), TL_OK);
    assert_memory_equal(got.ptr, "first", 5);
    tl_objects_close(store);
}

static void without_retries_a_bad_wire_is_an_error_and_no_object(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, LONG_LEN);
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_info info;
    assert_non_null(bytes);
    bad_wire_set(&wire, WIRE_GOOD, 0, 0);
    tl_objects *store = open_wire(UINT32_MAX);
    bad_wire_set(&wire, WIRE_CUT_UP, 1, 100000);
    bad_wire_drop(&wire);
    assert_int_equal(
        tl_objects_put(store, NULL, TL_STR("cut"), (tl_bytes){bytes, LONG_LEN}, NULL, &ctx),
        TL_ERR_IO);
    assert_string_equal(ctx.field, "cut");
    assert_int_equal(tl_objects_head(store, &info, TL_STR("cut"), &ctx),
                     TL_ERR_NOT_FOUND); /* OBJ-2 */
    tl_objects_close(store);
    free(bytes);
}

static void a_server_killed_in_the_middle_is_waited_for(void **state)
{
    (void)state;
    tl_objects_options options = s3_server_options(&server);
    options.part_len = (size_t)5 << 20;
    options.retry_base_ms = 200;
    tl_objects *store = open_with(&options);
    tl_objects_stream *stream = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_info info;
    tl_bytes got;
    uint8_t *bytes = calloc(1, LONG_LEN);
    assert_non_null(bytes);
    assert_int_equal(tl_objects_put(store, NULL, TL_STR("before"), text("kept"), NULL, &ctx),
                     TL_OK);
    assert_int_equal(tl_objects_stream_begin(&stream, store, TL_STR("data/long"), NULL, &ctx),
                     TL_OK);
    assert_int_equal(tl_objects_stream_write(stream, (tl_bytes){bytes, LONG_LEN}, &ctx), TL_OK);
    s3_server_kill(&server);
    s3_server_again_in(&server, 300);
    if (tl_objects_stream_write(stream, (tl_bytes){bytes, LONG_LEN}, &ctx) != TL_OK ||
        tl_objects_stream_finish(stream, &info, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    assert_int_equal(tl_objects_head(store, &info, TL_STR("data/long"), &ctx), TL_OK);
    assert_int_equal(info.bytes, 2 * LONG_LEN);
    assert_int_equal(tl_objects_get(store, &got, arena, TL_STR("before"), 10, &ctx), TL_OK);

    /* Killed for good: an error, and the object is as it was. */
    options.retries_max = UINT32_MAX;
    tl_objects *hasty = open_with(&options);
    assert_int_equal(tl_objects_stream_begin(&stream, hasty, TL_STR("before"), NULL, &ctx), TL_OK);
    assert_int_equal(tl_objects_stream_write(stream, (tl_bytes){bytes, LONG_LEN}, &ctx), TL_OK);
    s3_server_kill(&server);
    assert_int_equal(tl_objects_stream_finish(stream, NULL, &ctx), TL_ERR_IO);
    s3_server_again(&server);
    assert_int_equal(tl_objects_get(store, &got, arena, TL_STR("before"), 10, &ctx), TL_OK);
    assert_memory_equal(got.ptr, "kept", 4);
    tl_objects_close(hasty);
    /* What the killed upload left goes with a sweep, a day later. */
    tl_objects_swept swept;
    const int64_t now_ms = (int64_t)time(NULL) * 1000;
    assert_int_equal(tl_objects_sweep(store, &swept, NULL, 0, now_ms, &ctx), TL_OK);
    assert_int_equal(swept.parts, 0);
    assert_int_equal(tl_objects_sweep(store, &swept, NULL, 0, now_ms + (int64_t)90000 * 1000, &ctx),
                     TL_OK);
    assert_true(swept.parts >= 1);
    assert_int_equal(tl_objects_sweep(store, &swept, NULL, 0, now_ms + (int64_t)90000 * 1000, &ctx),
                     TL_OK);
    assert_int_equal(swept.parts, 0);
    tl_objects_close(store);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(wrong_keys_and_clocks_are_refused_at_the_door),
        cmocka_unit_test(urls_that_name_no_bucket_are_refused),
        cmocka_unit_test(a_bucket_is_made_when_it_is_missing),
        cmocka_unit_test(a_body_against_its_checksum_is_refused),
        cmocka_unit_test(signatures_are_made_anew_for_each_attempt),
        cmocka_unit_test(a_lost_answer_is_no_refusal),
        cmocka_unit_test(without_retries_a_bad_wire_is_an_error_and_no_object),
        cmocka_unit_test(a_server_killed_in_the_middle_is_waited_for),
    };
    if (!s3_server_is_here()) {
        (void)printf(
            "1..1\nok 1 - s3 # SKIP no build/deps/versitygw: scripts/fetch-versitygw needs Go\n");
        return 0;
    }
    s3_server_start(&server);
    bad_wire_start(&wire, server.port);
    tl_str_print(wire_url, sizeof wire_url, "http://127.0.0.1:%u/tally-test", wire.port);
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_objects_options options = s3_server_options(&server);
    options.part_len = (size_t)5 << 20;
    tl_objects *store = open_with(&options);
    struct CMUnitTest tests[STORE_SUITE_MAX + sizeof own / sizeof own[0]];
    memset(tests, 0, sizeof tests);
    const size_t count = store_suite_tests(tests);
    memcpy(tests + count, own, sizeof own);
    store_suite_use(store);
    const int failed = _cmocka_run_group_tests("objects_s3", tests,
                                               count + sizeof own / sizeof own[0], NULL, NULL);
    tl_objects_close(store);
    bad_wire_stop(&wire);
    tl_arena_free(arena);
    s3_server_stop(&server);
    return failed;
}
