/* Attacks the calls: a repeat signed with the old nonce, a repeat that nobody allowed, errors in both shapes, a service
 * that is not there, a signature for a stranger's URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/net/client/test/scripted.h"
#include "sdk/caller/caller.h"

#define GOOD                                                                                       \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: "         \
    "11\r\n\r\n{\"a\":[1,2]}"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
#define CLOSED                                                                                     \
    "HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nContent-Length: 56\r\n\r\n"            \
    "{\"error\":{\"code\":\"EpochClosed\",\"message\":\"too late\"}}\n\n\n\n"
#define ORIGINAL                                                                                   \
    "HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: 63\r\n\r\n"              \
    "{\"statusCode\":401,\"message\":[\"bad\"],\"error\":\"auth_failed\"}     "

typedef struct world {
    scripted *server;
    tl_arena *arena;
    tl_keypair *key;
    tl_caller *caller;
    const char *answers[4];
    char nonces[4][64];
    char receivers[4][80];
} world;

static void play(void *self, const scripted_request *request, scripted_act *act)
{
    world *w = (world *)self;
    const unsigned i = request->index < 3 ? request->index : 3;
    const tl_str nonce = scripted_header(request->head, "X-Bittensor-Nonce");
    (void)tl_str_print(w->nonces[i], sizeof w->nonces[i], "%.*s", TL_STR_ARG(nonce));
    const tl_str to = scripted_header(request->head, "X-Bittensor-Receiver");
    (void)tl_str_print(w->receivers[i], sizeof w->receivers[i], "%.*s", TL_STR_ARG(to));
    act->bytes = w->answers[i] != NULL ? w->answers[i] : GOOD;
}

static void start(world *w)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    w->server = scripted_start(play, w);
    assert_int_equal(tl_arena_new(&w->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_keypair_from_uri(&w->key, tl_scheme_sr25519(), TL_STR("//Bob"), NULL),
                     TL_OK);
    char url[64];
    (void)tl_str_print(url, sizeof url, "http://127.0.0.1:%u/", scripted_port(w->server));
    const tl_caller_options options = {.url = tl_str_from_cstr(url),
                                       .keypair = w->key,
                                       .receiver = TL_STR("5Receiver"),
                                       .retry_ms = 1};
    if (tl_caller_new(&w->caller, &options, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
}

static void stop(world *w)
{
    tl_caller_free(w->caller);
    scripted_stop(w->server);
    tl_keypair_free(w->key);
    tl_arena_free(w->arena);
}

static void test_signs_each_attempt_anew(void **state)
{
    (void)state;
    world w = {.answers = {BUSY, BUSY}};
    start(&w);
    tl_caller_answer answer;
    const tl_caller_request r = {
        .target = TL_STR("/a?b=1"), .is_signed = true, .is_repeatable = true};
    assert_int_equal(tl_caller_want(w.caller, &answer, w.arena, &r, NULL), TL_OK);
    assert_int_equal(answer.attempts, 3);
    assert_true(w.nonces[0][0] != 0);
    assert_string_not_equal(w.nonces[0], w.nonces[1]); /* CALLER-1 */
    assert_string_not_equal(w.nonces[1], w.nonces[2]);
    assert_string_equal(w.receivers[2], "5Receiver");
    assert_non_null(answer.json);
    assert_int_equal(tl_json_get(answer.json, "a")->count, 2);
    stop(&w);
}

/* What a stranger uploaded is not read as the service's own words, whatever type it carries. */
static void test_takes_bytes_as_bytes(void **state)
{
    (void)state;
    world w = {.answers = {GOOD, CLOSED}};
    start(&w);
    tl_caller_answer answer;
    const tl_caller_request r = {.target = TL_STR("/a"), .is_bytes = true};
    assert_int_equal(tl_caller_want(w.caller, &answer, w.arena, &r, NULL), TL_OK);
    assert_null(answer.json);
    assert_int_equal(answer.body.len, 11);
    assert_int_equal(tl_caller_want(w.caller, &answer, w.arena, &r, NULL), TL_ERR_STATE);
    stop(&w);
}

static void test_sends_once_what_may_not_be_repeated(void **state)
{
    (void)state;
    world w = {.answers = {BUSY}};
    start(&w);
    tl_caller_answer answer;
    const tl_caller_request r = {.method = TL_STR("POST"), .target = TL_STR("/a")};
    assert_int_equal(tl_caller_want(w.caller, &answer, w.arena, &r, NULL), TL_ERR_IO);
    assert_int_equal(scripted_requests(w.server), 1); /* CALLER-2 */
    assert_int_equal(w.nonces[0][0], 0);
    stop(&w);
}

static void test_reads_both_shapes_of_errors(void **state)
{
    (void)state;
    world w = {.answers = {CLOSED, ORIGINAL}};
    start(&w);
    tl_caller_answer answer;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_caller_request r = {.target = TL_STR("/a")};
    assert_int_equal(tl_caller_want(w.caller, &answer, w.arena, &r, &ctx), TL_ERR_STATE);
    assert_true(tl_str_eq_cstr(answer.code, "EpochClosed"));
    assert_non_null(strstr(ctx.message, "too late"));
    assert_int_equal(tl_caller_want(w.caller, &answer, w.arena, &r, &ctx), TL_ERR_REFUSED);
    assert_true(tl_str_eq_cstr(answer.code, "auth_failed"));
    assert_true(tl_str_eq_cstr(answer.message, "bad"));
    stop(&w);
}

static void test_many_at_once_and_nobody_there(void **state)
{
    (void)state;
    world w = {.answers = {NULL}};
    start(&w);
    char dead[64];
    (void)tl_str_print(dead, sizeof dead, "http://127.0.0.1:%u/x", scripted_dead_port());
    tl_caller_request r[40];
    tl_caller_answer a[40];
    for (size_t i = 0; i < 40; i++) {
        r[i] =
            (tl_caller_request){.target = i == 7 ? tl_str_from_cstr(dead) : TL_STR("/api/v1/info")};
    }
    assert_int_equal(tl_caller_run(w.caller, a, w.arena, r, 40, NULL), TL_OK);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(a[i].status, i == 7 ? 0 : 200);
    }
    assert_int_equal(tl_caller_fail(&a[7], NULL), TL_ERR_IO);
    r[7].is_signed = true; /* a signature is for the service alone */
    assert_int_equal(tl_caller_call(w.caller, a, w.arena, &r[7], NULL), TL_ERR_REFUSED);
    stop(&w);
}

static void test_refuses_what_is_no_url(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "ftp://a",
                                      "http://",
                                      "http://u:p@host",
                                      "http://host:0",
                                      "http://host:99999",
                                      "http://[::1",
                                      "http://a b",
                                      "http://h/?q=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_caller *caller = NULL;
        const tl_caller_options options = {.url = tl_str_from_cstr(bad[i])};
        assert_int_equal(tl_caller_new(&caller, &options, NULL), TL_ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_each_attempt_anew),
        cmocka_unit_test(test_takes_bytes_as_bytes),
        cmocka_unit_test(test_sends_once_what_may_not_be_repeated),
        cmocka_unit_test(test_reads_both_shapes_of_errors),
        cmocka_unit_test(test_many_at_once_and_nobody_there),
        cmocka_unit_test(test_refuses_what_is_no_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
