/* Attacks what follows a bad answer: retries that were not asked for or come too soon, hedges that overtake each other,
 * breakers, streams that break, calls that are cancelled or freed at any moment, and ends told twice or never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/net/client/test/world.h"

#define BUSY      "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
#define LATER     "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
#define FORBIDDEN "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"

#define MS ((int64_t)1000000)

static const tl_client_answer *answer(const tl_client_call *call)
{
    return tl_client_borrow_answer(call);
}

/* Step until the client has nothing to do at this time of its (manual) clock. */
static void settle(world *w, const tl_client_call *call, unsigned requests)
{
    for (int i = 0; i < 2000 && (scripted_requests(w->server) < requests ||
                                 tl_client_flight(w->client, TL_STR("127.0.0.1"),
                                                  scripted_port(w->server)) > 0);
         i++) {
        assert_int_equal(tl_client_step(w->client, 10, NULL), TL_OK);
        if (tl_client_is_done(call)) {
            return;
        }
    }
}

static void nothing_is_sent_again_unasked(void **state)
{
    (void)state; /* CLIENT-2 */
    world w = {.act = {.bytes = BUSY}};
    w.spec.retry = (tl_backoff){.retries_max = 5, .base_ms = 1};
    w.spec.hedge_ms = 1;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->status, 503);
    assert_memory_equal(answer(call)->body.ptr, "busy", 4);
    assert_int_equal(answer(call)->attempts, 1);
    assert_int_equal(scripted_requests(w.server), 1);
    world_stop(&w);
}

/* The server keeps the connection, then lets it die under the second request: the same bytes must not come again. */
static void a_request_that_met_a_dying_connection_is_not_copied(void **state)
{
    (void)state; /* CLIENT-2 */
    const scripted_act acts[] = {{.bytes = OK_EMPTY}, {.closes = true}, {.bytes = OK_EMPTY}};
    world w = {.acts = acts, .act_count = 3};
    world_start(&w, NULL);
    assert_int_equal(answer(world_ask(&w))->status, 200);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->fault, TL_CLIENT_GONE);
    assert_int_equal(scripted_requests(w.server), 2);
    world_stop(&w);
}

static void retries_wait_longer_each_time_and_end(void **state)
{
    (void)state;
    tl_manual_clock time;
    world w = {.act = {.bytes = BUSY}};
    w.options.clock = tl_manual_clock_start(&time, 1700000000000 * MS);
    w.spec.is_repeatable = true;
    w.spec.retry = (tl_backoff){.retries_max = 3, .base_ms = 100, .cap_ms = 300};
    world_start(&w, NULL);
    tl_client_call *call = world_begin(&w);
    static const int64_t waits_ms[] = {100, 200, 300};
    for (unsigned i = 0; i < 3; i++) {
        settle(&w, call, i + 1);
        assert_int_equal(scripted_requests(w.server), i + 1);
        tl_manual_clock_step(&time, waits_ms[i] * MS - 1);
        assert_int_equal(tl_client_step(w.client, 0, NULL), TL_OK);
        assert_int_equal(tl_client_flight(w.client, TL_STR("127.0.0.1"), w.spec.request.port), 0);
        tl_manual_clock_step(&time, 1);
    }
    assert_int_equal(tl_client_run(w.client, NULL), TL_OK);
    assert_int_equal(answer(call)->status, 503);
    assert_int_equal(answer(call)->attempts, 4);
    assert_int_equal(scripted_requests(w.server), 4);
    world_stop(&w);
}

static void retry_after_is_honoured(void **state)
{
    (void)state;
    tl_manual_clock time;
    const scripted_act acts[] = {{.bytes = LATER}, {.bytes = OK_EMPTY}};
    world w = {.acts = acts, .act_count = 2};
    w.options.clock = tl_manual_clock_start(&time, 1700000000000 * MS);
    w.spec.is_repeatable = true;
    w.spec.retry = (tl_backoff){.retries_max = 3, .base_ms = 1};
    world_start(&w, NULL);
    tl_client_call *call = world_begin(&w);
    settle(&w, call, 1);
    tl_manual_clock_step(&time, 7000 * MS - 1);
    assert_int_equal(tl_client_step(w.client, 0, NULL), TL_OK);
    assert_int_equal(tl_client_due_ms(w.client), 1);
    assert_int_equal(scripted_requests(w.server), 1);
    tl_manual_clock_step(&time, 1);
    assert_int_equal(tl_client_run(w.client, NULL), TL_OK);
    assert_int_equal(answer(call)->status, 200);
    assert_int_equal(answer(call)->attempts, 2);
    world_stop(&w);
}

static void a_retry_after_beyond_our_patience_is_final(void **state)
{
    (void)state;
    world w = {.act = {.bytes = LATER}};
    w.spec.is_repeatable = true;
    w.spec.retry = (tl_backoff){.retries_max = 3, .base_ms = 1, .cap_ms = 6999};
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->status, 429);
    assert_int_equal(scripted_requests(w.server), 1);
    world_stop(&w);
}

static void refusals_are_not_retried_and_faults_are(void **state)
{
    (void)state;
    const scripted_act acts[] = {{.closes = true},
                                 {.bytes = OK_LINE "Content-Length: 9\r\n\r\nx", .closes = true},
                                 {.bytes = FORBIDDEN},
                                 {.bytes = OK_EMPTY}};
    world w = {.acts = acts, .act_count = 4};
    w.spec.is_repeatable = true;
    w.spec.retry = (tl_backoff){.retries_max = 9, .base_ms = 1};
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->fault, TL_CLIENT_NONE);
    assert_int_equal(answer(call)->status, 403);
    assert_int_equal(answer(call)->attempts, 3);
    assert_int_equal(answer(call)->attempt_index, 2);
    world_stop(&w);
}

/* --- signing anew --- */

static tl_err number_it(void *self, tl_client_attempt *attempt, tl_errctx *ctx)
{
    (void)self;
    tl_http_header *h = TL_NEW(attempt->arena, tl_http_header, 1);
    tl_sb sb;
    tl_sb_init(&sb, attempt->arena);
    tl_sb_printf(&sb, "%u%s", attempt->index, attempt->is_hedge ? "h" : "");
    h->name = TL_STR("x-index");
    attempt->request.headers = (tl_http_headers){h, 1};
    return tl_sb_finish(&h->value, &sb, ctx);
}

static void every_attempt_is_prepared_anew(void **state)
{
    (void)state; /* CLIENT-2 */
    const scripted_act acts[] = {{.bytes = BUSY}, {.bytes = BUSY}, {.bytes = OK_EMPTY}};
    world w = {.acts = acts, .act_count = 3};
    w.spec.is_repeatable = true;
    w.spec.retry = (tl_backoff){.retries_max = 2, .base_ms = 1};
    w.spec.prepare = number_it;
    world_start(&w, NULL);
    (void)world_ask(&w);
    assert_true(tl_str_eq_cstr(scripted_header(tl_str_from_cstr(w.seen), "x-index"), "2"));
    world_stop(&w);
}

static tl_err fail_to_sign(void *self, tl_client_attempt *attempt, tl_errctx *ctx)
{
    (void)self;
    return attempt->index == 0 ? TL_OK : tl_fail(ctx, TL_ERR_STATE, "the key is gone");
}

static tl_err put_nonsense(void *self, tl_client_attempt *attempt, tl_errctx *ctx)
{
    (void)self;
    (void)ctx;
    attempt->request.target = TL_STR("/a b");
    return TL_OK;
}

static void what_cannot_be_prepared_is_not_sent(void **state)
{
    (void)state;
    world w = {.act = {.bytes = BUSY}};
    w.spec.is_repeatable = true;
    w.spec.retry = (tl_backoff){.retries_max = 2, .base_ms = 1};
    w.spec.prepare = fail_to_sign;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->fault, TL_CLIENT_PREPARE);
    assert_int_equal(answer(call)->prepare_err, TL_ERR_STATE);
    assert_non_null(strstr(answer(call)->why, "the key is gone"));
    assert_int_equal(scripted_requests(w.server), 1);
    w.spec.prepare = put_nonsense;
    call = world_ask(&w);
    assert_int_equal(answer(call)->prepare_err, TL_ERR_SYNTAX);
    assert_int_equal(scripted_requests(w.server), 1);
    world_stop(&w);
}

/* --- hedges --- */

static void first_hangs(void *self, const scripted_request *request, scripted_act *act)
{
    world *w = (world *)self;
    (void)tl_str_print(w->seen, sizeof w->seen, "%.*s", TL_STR_ARG(request->head));
    *act = request->index == 0 ? (scripted_act){.hangs = true} : (scripted_act){.bytes = OK_EMPTY};
}

static void the_first_good_answer_wins_and_the_other_is_cancelled(void **state)
{
    (void)state;
    world w = {0};
    w.spec.is_repeatable = true;
    w.spec.hedge_ms = 20;
    w.spec.prepare = number_it;
    world_start(&w, first_hangs);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->status, 200);
    assert_int_equal(answer(call)->attempts, 2);
    assert_int_equal(answer(call)->attempt_index, 1);
    assert_true(tl_str_eq_cstr(scripted_header(tl_str_from_cstr(w.seen), "x-index"), "1h"));
    for (int i = 0; i < 2000 && scripted_gone(w.server) == 0; i++) {
        assert_int_equal(tl_client_step(w.client, 1, NULL), TL_OK);
    }
    assert_int_equal(scripted_gone(w.server), 1);
    world_stop(&w);
}

static void a_quick_answer_needs_no_hedge(void **state)
{
    (void)state;
    world w = {.act = {.bytes = OK_EMPTY}};
    w.spec.is_repeatable = true;
    w.spec.hedge_ms = 5000;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->attempts, 1);
    assert_int_equal(tl_client_due_ms(w.client) > 1000, 1); /* no hedge waits */
    world_stop(&w);
}

/* The hedge is let in, the request that it overtook is refused at once: the hedge's answer counts. */
static void overtaken(void *self, const scripted_request *request, scripted_act *act)
{
    (void)self;
    *act = request->index == 0 ? (scripted_act){.bytes = FORBIDDEN, .pause_ms = 40}
                               : (scripted_act){.bytes = OK_EMPTY, .pause_ms = 80};
}

static void a_refusal_is_not_final_while_the_hedge_is_out(void **state)
{
    (void)state;
    world w = {0};
    w.spec.is_repeatable = true;
    w.spec.hedge_ms = 10;
    world_start(&w, overtaken);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->status, 200);
    assert_int_equal(answer(call)->attempts, 2);
    world_stop(&w);
}

static void both_bad_gives_the_better_one(void **state)
{
    (void)state;
    const scripted_act acts[] = {{.bytes = FORBIDDEN, .pause_ms = 40},
                                 {.pause_ms = 80, .closes = true}};
    world w = {.acts = acts, .act_count = 2};
    w.spec.is_repeatable = true;
    w.spec.hedge_ms = 10;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->status, 403);
    assert_int_equal(answer(call)->attempts, 2);
    world_stop(&w);
}

/* --- breaker, pace, room --- */

static void the_breaker_stops_and_probes(void **state)
{
    (void)state;
    tl_manual_clock time;
    const scripted_act acts[] = {{.bytes = BUSY}, {.closes = true}, {.bytes = OK_EMPTY}};
    world w = {.acts = acts, .act_count = 3};
    w.options.clock = tl_manual_clock_start(&time, 0);
    w.options.breaker = (tl_breaker_rule){.failures_max = 2, .open_ms = 1000, .probes_max = 1};
    world_start(&w, NULL);
    (void)world_ask(&w);
    (void)world_ask(&w);
    assert_int_equal(tl_client_breaker(w.client, TL_STR("127.0.0.1"), w.spec.request.port),
                     TL_BREAKER_OPEN);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->fault, TL_CLIENT_BREAKER);
    assert_int_equal(scripted_requests(w.server), 2);
    w.spec.request.host = TL_STR("localhost"); /* another host: not its fault */
    call = world_ask(&w);
    assert_int_equal(answer(call)->status, 200);
    w.spec.request.host = TL_STR("127.0.0.1");
    tl_manual_clock_step(&time, 1000 * MS);
    call = world_ask(&w);
    assert_int_equal(answer(call)->status, 200);
    assert_int_equal(tl_client_breaker(w.client, TL_STR("127.0.0.1"), w.spec.request.port),
                     TL_BREAKER_CLOSED);
    world_stop(&w);
}

static void the_pace_holds_requests_back(void **state)
{
    (void)state;
    tl_manual_clock time;
    world w = {.act = {.bytes = OK_EMPTY}};
    w.options.clock = tl_manual_clock_start(&time, 0);
    w.options.pace = (tl_pace_rule){.per_s = 10, .burst = 2};
    world_start(&w, NULL);
    tl_client_call *last = NULL;
    for (int i = 0; i < 5; i++) {
        last = world_begin(&w);
    }
    for (unsigned sent = 2; sent <= 5; sent++) {
        settle(&w, last, sent);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(tl_client_step(w.client, 1, NULL), TL_OK);
        }
        assert_int_equal(scripted_requests(w.server), sent);
        tl_manual_clock_step(&time, 100 * MS);
    }
    assert_int_equal(tl_client_run(w.client, NULL), TL_OK);
    world_stop(&w);
}

static bool count_head(void *self, uint16_t status, tl_http_headers headers)
{
    (void)headers;
    *(unsigned *)self += status == 200;
    return true;
}

static void room_is_kept_in_all_and_at_each_host(void **state)
{
    (void)state;
    for (uint32_t host_max = 0; host_max <= 3; host_max += 3) {
        unsigned heads = 0;
        world w = {.act = {.bytes = OK_EMPTY, .pause_ms = 2}};
        w.options.flight_max = 8;
        w.options.host_flight_max = host_max;
        w.spec.self = &heads;
        w.spec.on_head = count_head;
        world_start(&w, NULL);
        for (int i = 0; i < 40; i++) {
            (void)world_begin(&w);
        }
        uint32_t most = 0;
        while (tl_client_count(w.client) > 0) {
            assert_int_equal(tl_client_step(w.client, 100, NULL), TL_OK);
            const uint32_t now =
                tl_client_flight(w.client, TL_STR("127.0.0.1"), w.spec.request.port);
            most = now > most ? now : most;
        }
        assert_int_equal(heads, 40);
        assert_int_equal(most, host_max != 0 ? host_max : 8);
        assert_true(scripted_connections(w.server) <= 8);
        world_stop(&w);
    }
}

/* --- streams --- */

typedef struct stream {
    char text[64];
    size_t len;
    size_t stop_at;
} stream;

static bool take_chunk(void *self, tl_bytes chunk)
{
    stream *s = (stream *)self;
    assert_true(s->len + chunk.len < sizeof s->text);
    memcpy(s->text + s->len, chunk.ptr, chunk.len);
    s->len += chunk.len;
    return s->stop_at == 0 || s->len < s->stop_at;
}

static void streams_come_chunk_by_chunk(void **state)
{
    (void)state;
    stream s = {.len = 0};
    world w = {.act = {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"}};
    w.spec.self = &s;
    w.spec.on_chunk = take_chunk;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_string_equal(s.text, "abcde");
    assert_int_equal(answer(call)->body.len, 0);
    w.spec.self = &(stream){.stop_at = 1};
    call = world_ask(&w);
    assert_int_equal(answer(call)->fault, TL_CLIENT_STOPPED);
    world_stop(&w);
}

static void an_error_is_no_stream(void **state)
{
    (void)state;
    stream s = {.len = 0};
    world w = {.act = {.bytes = BUSY}};
    w.spec.self = &s;
    w.spec.on_chunk = take_chunk;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(s.len, 0);
    assert_memory_equal(answer(call)->body.ptr, "busy", 4);
    world_stop(&w);
}

static void a_stream_that_breaks_is_not_begun_again(void **state)
{
    (void)state;
    stream s = {.len = 0};
    world w = {
        .act = {.bytes = OK_LINE "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .closes = true}};
    w.spec.self = &s;
    w.spec.on_chunk = take_chunk;
    w.spec.is_repeatable = true;
    w.spec.retry = (tl_backoff){.retries_max = 3, .base_ms = 1};
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(answer(call)->fault, TL_CLIENT_CUT);
    assert_string_equal(s.text, "abc");
    assert_int_equal(scripted_requests(w.server), 1);
    world_stop(&w);
}

/* --- ends --- */

typedef struct ends {
    tl_client_call *calls[64];
    unsigned told[64];
    unsigned count;
    bool frees;
} ends;

static void tell(void *self, tl_client_call *call)
{
    ends *e = (ends *)self;
    for (unsigned i = 0; i < e->count; i++) {
        e->told[i] += e->calls[i] == call;
        if (e->frees && e->calls[i] == call) {
            e->calls[i] = NULL;
            tl_client_call_free(call);
            return;
        }
    }
}

static void every_call_is_told_its_end_once(void **state)
{
    (void)state; /* CLIENT-4 */
    for (int frees = 0; frees < 2; frees++) {
        ends e = {.count = 64, .frees = frees == 1};
        const scripted_act acts[] = {{.bytes = OK_EMPTY},
                                     {.hangs = true},
                                     {.closes = true},
                                     {.bytes = BUSY},
                                     {.hangs = true}};
        world w = {.acts = acts, .act_count = 5};
        w.options.flight_max = 16;
        w.spec.self = &e;
        w.spec.on_done = tell;
        world_start(&w, NULL);
        for (unsigned i = 0; i < 64; i++) {
            e.calls[i] = world_begin(&w);
        }
        for (int i = 0; i < 20; i++) {
            assert_int_equal(tl_client_step(w.client, 1, NULL), TL_OK);
        }
        for (unsigned i = 0; i < 64; i++) {
            if (e.calls[i] != NULL) {
                tl_client_cancel(e.calls[i]);
                tl_client_cancel(e.calls[i]);
            }
        }
        assert_int_equal(tl_client_run(w.client, NULL), TL_OK);
        for (unsigned i = 0; i < 64; i++) {
            assert_int_equal(e.told[i], 1);
            assert_true(frees == 1 || tl_client_is_done(e.calls[i]));
        }
        world_stop(&w);
    }
}

static void a_freed_call_is_never_told(void **state)
{
    (void)state;
    ends e = {.count = 3};
    world w = {.act = {.hangs = true}};
    w.options.flight_max = 2;
    w.spec.self = &e;
    w.spec.on_done = tell;
    w.spec.is_repeatable = true;
    w.spec.hedge_ms = 10000;
    world_start(&w, NULL);
    for (unsigned i = 0; i < 3; i++) { /* two on the wire with a hedge waiting, one in line */
        e.calls[i] = world_begin(&w);
    }
    assert_int_equal(tl_client_step(w.client, 1, NULL), TL_OK);
    for (unsigned i = 0; i < 3; i++) {
        tl_client_call_free(e.calls[i]);
    }
    assert_int_equal(tl_client_count(w.client), 0);
    assert_int_equal(tl_client_run(w.client, NULL), TL_OK);
    assert_int_equal(e.told[0] + e.told[1] + e.told[2], 0);
    world_stop(&w);
}

static void hosts_are_forgotten_before_there_are_too_many(void **state)
{
    (void)state;
    world w = {.act = {.bytes = OK_EMPTY}};
    world_start(&w, NULL);
    for (unsigned i = 0; i < TL_CLIENT_HOSTS_MAX + 10; i++) {
        char host[32];
        const size_t len = tl_str_print(host, sizeof host, "h%u.invalid", i);
        w.spec.request.host = (tl_str){host, len};
        tl_client_call_free(world_begin(&w));
    }
    w.spec.request.host = TL_STR("127.0.0.1");
    assert_int_equal(answer(world_ask(&w))->status, 200);
    world_stop(&w);
}

static void options_beyond_their_range_are_refused(void **state)
{
    (void)state;
    tl_client *client = NULL;
    const tl_client_options options = {.flight_max = TL_CLIENT_FLIGHT_MAX + 1};
    assert_int_equal(tl_client_new(&client, &options, NULL), TL_ERR_RANGE);
    assert_null(client);
    tl_client_free(NULL);
    tl_client_call_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sent_again_unasked),
        cmocka_unit_test(a_request_that_met_a_dying_connection_is_not_copied),
        cmocka_unit_test(retries_wait_longer_each_time_and_end),
        cmocka_unit_test(retry_after_is_honoured),
        cmocka_unit_test(a_retry_after_beyond_our_patience_is_final),
        cmocka_unit_test(refusals_are_not_retried_and_faults_are),
        cmocka_unit_test(every_attempt_is_prepared_anew),
        cmocka_unit_test(what_cannot_be_prepared_is_not_sent),
        cmocka_unit_test(the_first_good_answer_wins_and_the_other_is_cancelled),
        cmocka_unit_test(a_quick_answer_needs_no_hedge),
        cmocka_unit_test(a_refusal_is_not_final_while_the_hedge_is_out),
        cmocka_unit_test(both_bad_gives_the_better_one),
        cmocka_unit_test(the_breaker_stops_and_probes),
        cmocka_unit_test(the_pace_holds_requests_back),
        cmocka_unit_test(room_is_kept_in_all_and_at_each_host),
        cmocka_unit_test(streams_come_chunk_by_chunk),
        cmocka_unit_test(an_error_is_no_stream),
        cmocka_unit_test(a_stream_that_breaks_is_not_begun_again),
        cmocka_unit_test(every_call_is_told_its_end_once),
        cmocka_unit_test(a_freed_call_is_never_told),
        cmocka_unit_test(hosts_are_forgotten_before_there_are_too_many),
        cmocka_unit_test(options_beyond_their_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
