/* Attacks what is asked of a request: each protocol's refusals and texts, copies at once, words that a refusal might repeat,
 * and every gate with somebody who should not pass it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "axon_world.h"

static void begin_echo(world *w)
{
    world_begin(w);
    world_axon(w);
    assert_int_equal(tl_axon_attach_echo(w->axon, NULL), TL_OK);
    world_start(w);
}

static const char *const bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

static void three_protocols_are_served_on_one_port(void **state)
{
    (void)state;
    world w;
    world_answer a;
    begin_echo(&w);
    const world_request requests[] = {
        world_btauth(&w, NULL, "POST", "/echo?a=%7e", "body"),
        world_epistula(&w, "/echo", "body"),
        world_btauth(&w, NULL, "GET", "/whoami", ""),
        world_echo(&w, 3, "ab"),
    };
    const char *const bodies[] = {"body", "body", bob, "\"out\":\"ababab\""};
    for (size_t i = 0; i < 4; i++) {
        world_ask(&w, &requests[i], &a);
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(a.body, bodies[i]));
        world_ask(&w, &requests[i], &a); /* the copy */
        assert_int_equal(a.status, 401);
    }
    assert_string_equal(
        world_header(&a, "bt_header_axon_status_message"),
        "Not Verified with error: Nonce is too old, a newer one was last processed");
    assert_int_equal(world_metric(&w, "tally_axon_replay_total{answer=\"fresh\"} "), 4);
    assert_int_equal(world_metric(&w, "tally_axon_requests_total{route=\"Echo\",protocol=\"v10\","
                                      "status=\"200\",reason=\"ok\"} "),
                     1);
    world_end(&w);
}

static void v10_answers_carry_the_headers_of_the_sdk(void **state)
{
    (void)state;
    world w;
    world_answer a;
    begin_echo(&w);
    const world_request request = world_echo(&w, 2, "x");
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(world_header(&a, "bt_header_axon_status_code"), "200");
    assert_string_equal(world_header(&a, "bt_header_axon_status_message"), "Success");
    assert_non_null(world_header(&a, "bt_header_axon_process_time"));
    assert_null(world_header(&a, "bt_header_axon_nonce"));
    assert_null(world_header(&a, "bt_header_axon_signature"));
    assert_string_equal(world_header(&a, "bt_header_dendrite_hotkey"),
                        "nobody"); /* the body's word … */
    assert_string_equal(world_header(&a, "name"), "Echo");
    const world_request boom =
        world_v10(&w, "Boom", "{\"a\": 1}",
                  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    world_ask(&w, &boom, &a);
    assert_int_equal(a.status, 500);
    assert_non_null(strstr(a.body, "{\"message\":\"Internal Server Error #"));
    assert_string_equal(world_header(&a, "bt_header_dendrite_hotkey"),
                        bob); /* … counts nowhere: AXON-2 */
    assert_string_equal(world_header(&a, "bt_header_axon_version"), "10005000");
    assert_int_equal(strlen(world_header(&a, "bt_header_axon_signature")), 130);
    assert_string_equal(world_header(&a, "bt_header_dendrite_ip"), "127.0.0.1");
    world_end(&w);
}

/* Wire spec section 1.9, row by row. */
static void v10_refusals_have_their_statuses_and_texts(void **state)
{
    (void)state;
    world w;
    world_answer a;
    begin_echo(&w);
    static const char *const empty_hash =
        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";
    const world_request echo = world_echo(&w, 1, "x");
    struct {
        world_request request;
        int status;
        const char *text;
    } rows[] = {
        {echo, 200, "\"out\":\"x\""},
        {{"POST", "/Nope", {NULL, 0}, {NULL, 0}},
         404,
         "{\"message\":\"Synapse name 'Nope' not found. Available synapses ['Synapse', 'Echo', "
         "'Slow', "
         "'Stream', 'Boom']\"}"},
        {{"GET", "/", {NULL, 0}, {NULL, 0}}, 404, "Synapse name '' not found."},
        {{"GET", "/docs", {NULL, 0}, {NULL, 0}}, 404, "Synapse name 'docs' not found."},
        {{"PUT", "/Echo", {NULL, 0}, {NULL, 0}}, 405, "{\"detail\":\"Method Not Allowed\"}"},
        {{"POST", "/Echo/x", {NULL, 0}, {NULL, 0}}, 404, "{\"detail\":\"Not Found\"}"},
        {{"POST", "/Echo/", {NULL, 0}, {NULL, 0}}, 307, ""},
        {{"POST", "/Echo", {NULL, 0}, {NULL, 0}}, 500, "Internal Server Error #"},
        {{"POST", "/Synapse", {NULL, 0}, {NULL, 0}}, 401, "Not Verified with error: "},
        {world_echo(&w, 2000000, "x"), 500, "Internal Server Error #"},
        {world_v10(&w, "Echo", "{\"a\": 1}", empty_hash), 500, "Internal Server Error #"},
        {world_v10(&w, "Echo", "{\"a\": 1", empty_hash), 422, "\"type\":\"json_invalid\""},
        {world_v10(&w, "Echo", "{\"a\": []}", empty_hash), 500, "Internal Server Error #"},
        {world_v10(&w, "Echo", "", empty_hash), 500, "Internal Server Error #"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_ask(&w, &rows[i].request, &a);
        if (a.status != rows[i].status) {
            print_message("row %zu: %s\n", i, a.body);
        }
        assert_int_equal(a.status, rows[i].status);
        assert_non_null(strstr(a.body, rows[i].text));
        if (rows[i].status == 307) {
            assert_string_equal(world_header(&a, "location"), "/Echo");
        }
        if (rows[i].status == 404 && a.body[2] == 'm') {
            assert_string_equal(world_header(&a, "name"), "Synapse");
            assert_string_equal(world_header(&a, "timeout"), "12.0");
            assert_null(world_header(&a, "bt_header_axon_nonce"));
        }
    }
    world_end(&w);
}

static void signed_refusals_have_their_classes(void **state)
{
    (void)state;
    world w;
    world_answer a;
    begin_echo(&w);
    const world_request changed = world_btauth(&w, NULL, "POST", "/echo", "body");
    world_request body = changed;
    body.body = tl_str_bytes(TL_STR("bodY"));
    world_request twice = world_btauth(&w, NULL, "POST", "/echo", "body");
    tl_sb sb;
    tl_sb_init(&sb, w.arena);
    tl_sb_put(&sb, twice.headers);
    tl_sb_put(&sb, world_epistula(&w, "/echo", "body").headers);
    assert_int_equal(tl_sb_finish(&twice.headers, &sb, NULL), TL_OK);
    const struct {
        world_request request;
        int status;
        const char *error;
    } rows[] = {
        {{"POST", "/echo", {NULL, 0}, {NULL, 0}},
         401,
         "{\"error\":\"MalformedAuth\",\"message\":\""},
        {twice, 401, "{\"error\":\"MalformedAuth\""},
        {body, 401, "{\"error\":\"BadSignature\""},
        {world_btauth(&w, NULL, "DELETE", "/echo", ""), 404, "{\"error\":\"NotFound\""},
        {{"POST", "/echo", TL_STR("bt_header_dendrite_nonce: 1\r\n"), {NULL, 0}},
         401,
         "{\"error\":\"MalformedAuth\",\"message\":\"This protocol"},
        {changed, 200, "body"},
        {changed, 401, "{\"error\":\"ReplayedRequest\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_ask(&w, &rows[i].request, &a);
        if (a.status != rows[i].status) {
            print_message("row %zu: %s\n", i, a.body);
        }
        assert_int_equal(a.status, rows[i].status);
        assert_true(strncmp(a.body, rows[i].error, strlen(rows[i].error)) == 0);
    }
    world_end(&w);
}

/* AXON-5: a word in every place of a request; none comes back. */
static void refusals_repeat_nothing(void **state)
{
    (void)state;
    world w;
    world_answer a;
    begin_echo(&w);
    const char *const signed_with[] = {
        "X-Bittensor-Version: 1\r\nX-Bittensor-Hotkey: MARK1\r\nX-Bittensor-Nonce: MARK2\r\n"
        "X-Bittensor-Signature: MARK3\r\nX-Bittensor-Receiver: MARK4\r\n",
        "Epistula-Version: MARK0\r\nEpistula-Uuid: MARK1\r\nEpistula-Timestamp: MARK2\r\n"
        "Epistula-Signed-By: MARK3\r\nEpistula-Request-Signature: MARK4\r\n",
        "MARK5: MARK6\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        const world_request request = {"POST", "/echo?MARK7=MARK8",
                                       tl_str_from_cstr(signed_with[i]),
                                       tl_str_bytes(TL_STR("MARK9"))};
        world_ask(&w, &request, &a);
        assert_int_equal(a.status, 401);
        assert_null(strstr(a.text, "MARK")); /* AXON-5 */
    }
    const world_request moved = {"PUT", "/echo/MARK", {NULL, 0}, {NULL, 0}};
    world_ask(&w, &moved, &a);
    assert_int_equal(a.status, 404);
    world_end(&w);
}

typedef struct counted {
    atomic_int ran;
    atomic_int running;
    atomic_int most;
} counted;

static tl_err forward_count(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)ctx;
    counted *c = self;
    const int running = atomic_fetch_add(&c->running, 1) + 1;
    int most = atomic_load(&c->most);
    while (most < running && !atomic_compare_exchange_weak(&c->most, &most, running)) {
    }
    atomic_fetch_add(&c->ran, 1);
    assert_true(tl_axon_call_caller(call)->is_verified); /* AXON-1 */
    tl_axon_answer(call, 200, "text/plain", tl_str_bytes(TL_STR("ran")));
    atomic_fetch_sub(&c->running, 1);
    return TL_OK;
}

enum { COPIES = 16 };

typedef struct copy {
    const world *w;
    const world_request *request;
    int status;
} copy;

static void *send_copy(void *argument)
{
    copy *c = argument;
    world_answer *a = malloc(sizeof *a);
    world_ask(c->w, c->request, a);
    c->status = a->status;
    free(a);
    return NULL;
}

static void of_copies_at_once_one_runs(void **state)
{
    (void)state;
    world w;
    counted count = {0};
    world_begin(&w);
    w.settings.loops = 3;
    world_axon(&w);
    const tl_axon_route routes[] = {
        {.method = "POST", .path = "/worker", .forward = forward_count, .self = &count},
        {.method = "POST",
         .path = "/inline",
         .forward = forward_count,
         .self = &count,
         .runs = TL_AXON_INLINE},
        {.method = "POST",
         .path = "/async",
         .forward = forward_count,
         .self = &count,
         .runs = TL_AXON_ASYNC},
    };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tl_axon_attach(w.axon, &routes[i], NULL), TL_OK);
    }
    world_start(&w);
    for (int i = 0; i < 3; i++) {
        world_request request = world_btauth(&w, NULL, "POST", routes[i].path, "x");
        pthread_t threads[COPIES];
        copy copies[COPIES];
        int good = 0;
        for (int j = 0; j < COPIES; j++) {
            copies[j] = (copy){&w, &request, 0};
            assert_int_equal(pthread_create(&threads[j], NULL, send_copy, &copies[j]), 0);
        }
        for (int j = 0; j < COPIES; j++) {
            assert_int_equal(pthread_join(threads[j], NULL), 0);
            assert_true(copies[j].status == 200 || copies[j].status == 401);
            good += copies[j].status == 200 ? 1 : 0;
        }
        assert_int_equal(good, 1);
        assert_int_equal(atomic_load(&count.ran), i + 1); /* AXON-1 */
        request.body = tl_str_bytes(TL_STR("y"));         /* what was not signed never runs */
        world_answer a;
        world_ask(&w, &request, &a);
        assert_int_equal(a.status, 401);
        assert_int_equal(atomic_load(&count.ran), i + 1); /* AXON-1 */
    }
    world_end(&w);
}

static bool blacklist_carol(void *self, const tl_axon_call *call, char *reason, size_t cap)
{
    (void)snprintf(reason, cap, "not you");
    return tl_hotkey_eq(&tl_axon_call_caller(call)->hotkey, self);
}

static tl_err refuse_all(void *self, const tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    (void)call;
    return tl_fail(ctx, TL_ERR_CHECK, "I trust nobody");
}

static int64_t stake_of(void *self, const tl_hotkey *hotkey)
{
    return tl_hotkey_eq(hotkey, self) ? 1000 : 0;
}

static void lists_stake_and_rates_shut_out(void **state)
{
    (void)state;
    world w;
    world_answer a;
    counted count = {0};
    world_begin(&w);
    const char *const block[] = {"5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"};
    w.settings.block = block;
    w.settings.block_count = 1;
    w.settings.stake_of = stake_of;
    tl_hotkey carol = *tl_keypair_public(w.carol);
    w.settings.stake_self = &carol;
    w.settings.hotkey_rate = 0.001;
    w.settings.hotkey_burst = 2;
    world_axon(&w);
    const tl_axon_route routes[] = {
        {.method = "POST",
         .path = "/open",
         .forward = forward_count,
         .self = &count,
         .runs = TL_AXON_INLINE},
        {.method = "POST",
         .path = "/carol",
         .forward = forward_count,
         .self = &carol,
         .blacklist = blacklist_carol},
        {.method = "POST",
         .path = "/rich",
         .forward = forward_count,
         .self = &count,
         .stake_rao_min = 1001},
        {.method = "POST",
         .path = "/trust",
         .forward = forward_count,
         .self = &count,
         .verify = refuse_all},
        {.method = "POST",
         .path = "/epistula",
         .forward = forward_count,
         .self = &count,
         .protocols = TL_AXON_EPISTULA},
    };
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        assert_int_equal(tl_axon_attach(w.axon, &routes[i], NULL), TL_OK);
    }
    assert_int_equal(tl_axon_attach_echo(w.axon, NULL), TL_OK);
    world_start(&w);
    const struct {
        world_request request;
        int status;
        const char *text;
    } rows[] = {
        {world_btauth(&w, w.bob, "POST", "/open", ""), 403, "\"Forbidden\""},
        {world_btauth(&w, w.carol, "POST", "/carol", ""), 403, "\"not you\""},
        {world_btauth(&w, w.carol, "POST", "/rich", ""), 403, "Stake"},
        {world_btauth(&w, w.carol, "POST", "/trust", ""), 401, "I trust nobody"},
        {world_btauth(&w, w.carol, "POST", "/epistula", ""), 401, "MalformedAuth"},
        {world_echo(&w, 1, "x"), 403, "{\"message\":\"Forbidden. Key is blacklisted: "},
        {world_btauth(&w, w.carol, "POST", "/open", ""), 200, "ran"},
        {world_btauth(&w, w.carol, "POST", "/open", "2"), 200, "ran"},
        {world_btauth(&w, w.carol, "POST", "/open", "3"), 429, "TooManyRequests"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_ask(&w, &rows[i].request, &a);
        if (a.status != rows[i].status) {
            print_message("row %zu: %s\n", i, a.body);
        }
        assert_int_equal(a.status, rows[i].status);
        assert_non_null(strstr(a.body, rows[i].text));
    }
    assert_true(atoi(world_header(&a, "retry-after")) > 0);
    assert_int_equal(atomic_load(&count.ran), 2);
    world_end(&w);
}

static void health_is_told_to_anybody(void **state)
{
    (void)state;
    world w;
    world_answer a;
    begin_echo(&w);
    static const char *const paths[] = {"/healthz", "/health", "/healthcheck", "/readyz",
                                        "/metrics"};
    for (size_t i = 0; i < 5; i++) {
        const world_request request = {"GET", paths[i], {NULL, 0}, {NULL, 0}};
        world_ask(&w, &request, &a);
        assert_int_equal(a.status, 200);
    }
    assert_non_null(strstr(a.body, "# TYPE tally_axon_requests_total counter\n"));
    world_end(&w);
}

typedef struct lines {
    pthread_mutex_t lock;
    char text[65536];
    size_t len;
} lines;

static void keep_line(void *self, tl_str line)
{
    lines *l = self;
    (void)pthread_mutex_lock(&l->lock);
    const size_t room = sizeof l->text - 1 - l->len;
    const size_t len = line.len < room ? line.len : room;
    memcpy(l->text + l->len, line.ptr, len);
    l->len += len;
    (void)pthread_mutex_unlock(&l->lock);
}

static void access_lines_are_json_without_secrets(void **state)
{
    (void)state;
    world w;
    world_answer a;
    static lines log = {.lock = PTHREAD_MUTEX_INITIALIZER};
    world_begin(&w);
    w.settings.access = keep_line;
    w.settings.access_self = &log;
    world_axon(&w);
    assert_int_equal(tl_axon_attach_echo(w.axon, NULL), TL_OK);
    world_start(&w);
    world_request request = world_btauth(&w, NULL, "POST", "/echo", "secret body");
    tl_sb sb;
    tl_sb_init(&sb, w.arena);
    tl_sb_put(&sb, request.headers);
    tl_sb_put(&sb, TL_STR("X-Correlation-Id: a\"b\\c\r\n"));
    assert_int_equal(tl_sb_finish(&request.headers, &sb, NULL), TL_OK);
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    world_ask(&w, &(world_request){"POST", "/\"nope\\", {NULL, 0}, {NULL, 0}}, &a);
    assert_int_equal(strlen(world_header(&a, "x-correlation-id")), 16);
    tl_axon_stop(w.axon);
    tl_str rest = {log.text, log.len};
    tl_str line;
    int count = 0;
    while (tl_str_split(&line, &rest, '\n') && line.len > 0) {
        const tl_json *row;
        assert_int_equal(tl_json_parse(&row, w.arena, line, NULL, NULL), TL_OK);
        assert_non_null(tl_json_get(row, "correlation_id"));
        count++;
    }
    assert_int_equal(count, 2);
    assert_non_null(strstr(log.text, "\"correlation_id\":\"a?b?c\""));
    assert_non_null(strstr(log.text, bob));
    assert_null(strstr(log.text, "secret"));
    world_end(&w);
}

/* Whoever is listed by its address hears so, on every route. */
static void listed_addresses_are_refused(void **state)
{
    (void)state;
    world w;
    world_answer a;
    static const char *const block[] = {"127.0.0.0/8"};
    world_begin(&w);
    w.settings.block = block;
    w.settings.block_count = 1;
    world_axon(&w);
    assert_int_equal(tl_axon_attach_echo(w.axon, NULL), TL_OK);
    world_start(&w);
    const world_request rows[] = {
        world_btauth(&w, NULL, "POST", "/echo", "x"),
        {"GET", "/healthz", {NULL, 0}, {NULL, 0}},
        {"POST", "/Echo", {NULL, 0}, {NULL, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_ask(&w, &rows[i], &a);
        assert_int_equal(a.status, 403);
        assert_non_null(strstr(a.body, "Address is on the blacklist"));
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_addresses_are_refused),
        cmocka_unit_test(three_protocols_are_served_on_one_port),
        cmocka_unit_test(v10_answers_carry_the_headers_of_the_sdk),
        cmocka_unit_test(v10_refusals_have_their_statuses_and_texts),
        cmocka_unit_test(signed_refusals_have_their_classes),
        cmocka_unit_test(refusals_repeat_nothing),
        cmocka_unit_test(of_copies_at_once_one_runs),
        cmocka_unit_test(lists_stake_and_rates_shut_out),
        cmocka_unit_test(health_is_told_to_anybody),
        cmocka_unit_test(access_lines_are_json_without_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
