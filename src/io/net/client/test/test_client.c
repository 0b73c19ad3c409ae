/* Attacks the client with servers that answer badly, slowly, too much or not at all, and with requests that would
 * become other requests on the wire. Every server is a real one, on a port of its own (scripted.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/net/client/client.h"
#include "io/net/client/test/world.h"
#include "io/sys/sys.h"

static void expect_fault(const char *bytes, bool closes, tl_client_fault fault, uint16_t status)
{
    world w = {.act = {.bytes = bytes, .closes = closes}};
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    const tl_client_answer *a = tl_client_borrow_answer(call);
    if (a->fault != fault || a->status != status) {
        fail_msg("fault %d (%s), status %u", (int)a->fault, a->why, a->status);
    }
    assert_true((a->why[0] == '\0') == (fault == TL_CLIENT_NONE));
    world_stop(&w);
}

static void requests_leave_byte_for_byte(void **state)
{
    (void)state;
    static const uint8_t body[] = {0, 0xff, '\r', '\n', '\r', '\n', 'x'};
    static const tl_http_header headers[] = {
        {{"name", 4}, {"Echo", 4}},
        {{"bt_header_axon_ip", 17}, {"127.0.0.1", 9}},
        {{"X-Upper", 7}, {"a  b\t: c;", 9}},
        {{"X-Empty", 7}, {"", 0}},
        {{"Content-Type", 12}, {"application/json", 16}},
        {{"X-Latin", 7}, {"caf\xe9", 4}},
    };
    world w = {.act = {.bytes = OK_LINE "Content-Length: 2\r\n\r\nhi"}};
    world_start(&w, NULL);
    w.spec.request.target = TL_STR("/a%2Fb//../c?x=%7e&y=b?&z");
    w.spec.request.headers = (tl_http_headers){headers, sizeof headers / sizeof *headers};
    w.spec.request.body = (tl_bytes){body, sizeof body};
    tl_client_call *call = world_ask(&w);
    const tl_client_answer *a = tl_client_borrow_answer(call);
    assert_int_equal(a->fault, TL_CLIENT_NONE);
    assert_int_equal(a->status, 200);
    assert_memory_equal(a->body.ptr, "hi", 2);
    char expected[512]; /* CLIENT-1 */
    (void)tl_str_print(
        expected, sizeof expected,
        "POST /a%%2Fb//../c?x=%%7e&y=b?&z HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nname: Echo\r\n"
        "bt_header_axon_ip: 127.0.0.1\r\nX-Upper: a  b\t: c;\r\nX-Empty:\r\n"
        "Content-Type: application/json\r\nX-Latin: caf\xe9\r\nContent-Length: 7\r\n\n",
        scripted_port(w.server));
    assert_memory_equal(w.seen, expected, strlen(expected));
    world_stop(&w);
}

static void methods_have_a_body_or_say_that_it_is_empty(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *body;
        const char *length; /* header; "" none */
    } cases[] = {{"POST", "", "0"},     {"PUT", "", "0"},    {"PATCH", "ab", "2"},
                 {"GET", "", ""},       {"GET", "abc", "3"}, {"DELETE", "", ""},
                 {"HEAD", "", ""},      {"OPTIONS", "", ""}, {"DELETE", "x", "1"},
                 {"PROPFIND", "", "0"}, {"PUT", "abcd", "4"}};
    world w = {.act = {.bytes = OK_LINE "Content-Length: 0\r\n\r\n"}};
    world_start(&w, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        w.spec.request.method = tl_str_from_cstr(cases[i].method);
        w.spec.request.body = tl_str_bytes(tl_str_from_cstr(cases[i].body));
        tl_client_call *call = world_ask(&w);
        assert_int_equal(tl_client_borrow_answer(call)->status, 200);
        const tl_str seen = tl_str_from_cstr(w.seen);
        assert_true(tl_str_starts_with(seen, w.spec.request.method));
        assert_true(tl_str_eq_cstr(scripted_header(seen, "content-length"), cases[i].length));
        assert_true(scripted_header(seen, "content-type").len == 0);
        assert_true(scripted_header(seen, "expect").len == 0);
        assert_true(scripted_header(seen, "transfer-encoding").len == 0);
        assert_true(tl_str_ends_with(seen, tl_str_from_cstr(cases[i].body)));
    }
    world_stop(&w);
}

static void what_could_become_another_request_is_refused(void **state)
{
    (void)state;
    world w = {.act = {.bytes = OK_LINE "Content-Length: 0\r\n\r\n"}};
    world_start(&w, NULL);
    static const struct {
        const char *field;
        tl_err err;
        tl_str host;
        tl_str method;
        tl_str target;
        tl_http_header header;
    } cases[] = {
        {"host", TL_ERR_SYNTAX, {"a b", 3}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"host", TL_ERR_SYNTAX, {"", 0}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"host", TL_ERR_SYNTAX, {"a@b", 3}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"host", TL_ERR_SYNTAX, {"::g", 3}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"host", TL_ERR_SYNTAX, {"::1\0x", 5}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"host", TL_ERR_SYNTAX, {"a/b", 3}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"method", TL_ERR_SYNTAX, {"h", 1}, {"GE T", 4}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"method", TL_ERR_SYNTAX, {"h", 1}, {"", 0}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"method", TL_ERR_SYNTAX, {"h", 1}, {"G\r\nX: y", 7}, {"/", 1}, {{"a", 1}, {"", 0}}},
        {"target", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"x", 1}, {{"a", 1}, {"", 0}}},
        {"target", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"", 0}, {{"a", 1}, {"", 0}}},
        {"target", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/a b", 4}, {{"a", 1}, {"", 0}}},
        {"target", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/\r\nX: y", 7}, {{"a", 1}, {"", 0}}},
        {"target", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/\0", 2}, {{"a", 1}, {"", 0}}},
        {"target", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/#a", 3}, {{"a", 1}, {"", 0}}},
        {"headers", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/", 1}, {{"a b", 3}, {"", 0}}},
        {"headers", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/", 1}, {{"", 0}, {"b", 1}}},
        {"headers", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"b\r\nC: d", 7}}},
        {"headers", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/", 1}, {{"a", 1}, {"b\0c", 3}}},
        {"headers", TL_ERR_SYNTAX, {"h", 1}, {"GET", 3}, {"/", 1}, {{"Host", 4}, {"b", 1}}},
        {"headers",
         TL_ERR_SYNTAX,
         {"h", 1},
         {"GET", 3},
         {"/", 1},
         {{"transfer-encoding", 17}, {"chunked", 7}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_client_spec spec = w.spec;
        spec.request =
            (tl_client_request){false,           cases[i].host,         80,       cases[i].method,
                                cases[i].target, {&cases[i].header, 1}, {NULL, 0}};
        tl_client_call *call = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_client_start(&call, w.client, &spec, &ctx), cases[i].err);
        assert_string_equal(ctx.field, cases[i].field);
        assert_null(call);
    }
    static char large[TL_CLIENT_FIELD_LEN_MAX + 1];
    memset(large, 'a', sizeof large);
    tl_client_call *call = NULL;
    tl_client_spec spec = w.spec;
    const tl_http_header header = {{"a", 1}, {large, sizeof large}};
    spec.request.headers = (tl_http_headers){&header, 1};
    assert_int_equal(tl_client_start(&call, w.client, &spec, NULL), TL_ERR_LIMIT);
    spec = w.spec;
    large[0] = '/';
    spec.request.target = (tl_str){large, sizeof large};
    assert_int_equal(tl_client_start(&call, w.client, &spec, NULL), TL_ERR_LIMIT);
    spec = w.spec;
    spec.request.port = 0;
    assert_int_equal(tl_client_start(&call, w.client, &spec, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_client_count(w.client), 0);
    world_stop(&w);
}

static void answers_keep_their_headers_as_sent(void **state)
{
    (void)state;
    world w = {.act = {.bytes = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" OK_LINE
                                "bt_header_axon_status_code: 200\r\nX-Two:   one \r\nx-two: two\r\n"
                                "Folded: a\r\n  b\r\nEmpty:\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"}};
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    const tl_client_answer *a = tl_client_borrow_answer(call);
    static const char *const expected[][2] = {{"bt_header_axon_status_code", "200"},
                                              {"X-Two", "one"},
                                              {"x-two", "two"},
                                              {"Folded", "a b"},
                                              {"Empty", ""},
                                              {"Transfer-Encoding", "chunked"}};
    assert_int_equal(a->headers.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_true(tl_str_eq_cstr(a->headers.at[i].name, expected[i][0]));
        assert_true(tl_str_eq_cstr(a->headers.at[i].value, expected[i][1]));
    }
    assert_int_equal(a->body.len, 5);
    assert_memory_equal(a->body.ptr, "abcde", 5);
    assert_int_equal(a->http_major, 1);
    world_stop(&w);
}

static void faults_have_their_own_names(void **state)
{
    (void)state;
    expect_fault("", true, TL_CLIENT_GONE, 0);
    expect_fault(OK_LINE "Content-Length: 10\r\n\r\nabc", true, TL_CLIENT_CUT, 200);
    expect_fault(OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", true, TL_CLIENT_CUT, 200);
    expect_fault(OK_LINE "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", true, TL_CLIENT_CUT,
                 200);
    expect_fault("nonsense\r\n\r\n", true, TL_CLIENT_HEAD, 0);
    expect_fault("HTTP/1.1 2x0 OK\r\n\r\n", true, TL_CLIENT_HEAD, 0);
    expect_fault(OK_LINE "no colon here\r\n\r\n", true, TL_CLIENT_HEAD, 200);
    expect_fault(OK_LINE "Connection: close\r\n\r\nuntil the end", true, TL_CLIENT_NONE, 200);
    expect_fault("HTTP/1.1 204 No Content\r\n\r\n", false, TL_CLIENT_NONE, 204);
    expect_fault("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", false, TL_CLIENT_NONE, 404);
    expect_fault("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                 false, TL_CLIENT_NONE, 302);
}

static void nobody_listening_is_a_fault_of_connecting(void **state)
{
    (void)state;
    world w = {0};
    world_start(&w, NULL);
    w.spec.request.port = scripted_dead_port();
    tl_client_call *call = world_ask(&w);
    assert_int_equal(tl_client_borrow_answer(call)->fault, TL_CLIENT_CONNECT);
    world_stop(&w);
}

static void answers_stay_within_their_limits(void **state)
{
    (void)state; /* CLIENT-3 */
    static char head[TL_CLIENT_HEAD_LEN * 2];
    size_t len = tl_str_print(head, sizeof head, "%s", OK_LINE "X: ");
    memset(head + len, 'a', 9000);
    memcpy(head + len + 9000, "\r\n\r\n", 5);
    expect_fault(head, true, TL_CLIENT_HEAD, 200);
    len = tl_str_print(head, sizeof head, "%s", OK_LINE);
    while (len < TL_CLIENT_HEAD_LEN) {
        len += tl_str_print(head + len, sizeof head - len, "X: %0100d\r\n", 7);
    }
    (void)tl_str_print(head + len, sizeof head - len, "\r\n");
    expect_fault(head, true, TL_CLIENT_HEAD, 200);
    world w = {.act = {.bytes = OK_LINE "Content-Length: 11\r\n\r\n", .hangs = true}};
    w.spec.body_len_max = 10;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w); /* from the length alone: the body never comes */
    assert_int_equal(tl_client_borrow_answer(call)->fault, TL_CLIENT_BODY_LIMIT);
    world_stop(&w);
    world endless = {.act = {.bytes = OK_LINE "\r\n0123456789012345678901234567890123456789",
                             .repeat = 1 << 20}};
    endless.spec.body_len_max = 100000;
    world_start(&endless, NULL);
    call = world_ask(&endless);
    assert_int_equal(tl_client_borrow_answer(call)->fault, TL_CLIENT_BODY_LIMIT);
    assert_int_equal(tl_client_borrow_answer(call)->body.len, 0);
    world_stop(&endless);
}

static void a_silent_server_is_timed_out(void **state)
{
    (void)state;
    world w = {.act = {.hangs = true}};
    w.spec.timeout_ms = 30;
    world_start(&w, NULL);
    tl_client_call *call = world_ask(&w);
    assert_int_equal(tl_client_borrow_answer(call)->fault, TL_CLIENT_TIMEOUT);
    world_stop(&w);
    world half = {.act = {.bytes = OK_LINE "Content-Length: 5\r\n\r\nab", .hangs = true}};
    half.spec.timeout_ms = 30;
    world_start(&half, NULL);
    call = world_ask(&half);
    assert_int_equal(tl_client_borrow_answer(call)->fault, TL_CLIENT_TIMEOUT);
    assert_int_equal(tl_client_borrow_answer(call)->status, 200);
    world_stop(&half);
}

static void connections_are_used_again(void **state)
{
    (void)state;
    world w = {.act = {.bytes = OK_LINE "Content-Length: 0\r\n\r\n"}};
    world_start(&w, NULL);
    for (int i = 0; i < 10; i++) {
        tl_client_call *call = world_ask(&w);
        assert_int_equal(tl_client_borrow_answer(call)->was_reused, i > 0);
        tl_client_call_free(call);
    }
    assert_int_equal(scripted_connections(w.server), 1);
    world_stop(&w);
}

/* The server's answer is often there before libcurl waits for it: then no socket wakes the client any more. */
static void an_answer_that_is_there_at_once_is_not_waited_for(void **state)
{
    (void)state;
    enum { REQUESTS = 200, STEP_NS = 1000000000 };
    world w = {.act = {.bytes = OK_LINE "Content-Length: 0\r\n\r\n"}};
    const tl_clock clock = tl_sys_clock();
    unsigned slept = 0; /* through a whole step of tl_client_run */
    world_start(&w, NULL);
    for (int i = 0; i < REQUESTS; i++) {
        const int64_t from_ns = tl_clock_steady_ns(&clock);
        tl_client_call_free(world_ask(&w));
        slept += tl_clock_steady_ns(&clock) - from_ns >= STEP_NS;
    }
    assert_true(slept < 3); /* a busy machine may hold one up */
    world_stop(&w);
}

static void a_kept_connection_that_died_costs_at_most_one_request(void **state)
{
    (void)state;
    world w = {.act = {.bytes = OK_EMPTY, .closes = true}};
    world_start(&w, NULL);
    unsigned lost_in_a_row = 0;
    for (int i = 0; i < 20; i++) {
        tl_client_call *call = world_ask(&w);
        const tl_client_fault fault = tl_client_borrow_answer(call)->fault;
        assert_true(fault == TL_CLIENT_NONE || fault == TL_CLIENT_GONE);
        lost_in_a_row = fault == TL_CLIENT_NONE ? 0 : lost_in_a_row + 1;
        assert_true(lost_in_a_row < 2);
    }
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_leave_byte_for_byte),
        cmocka_unit_test(methods_have_a_body_or_say_that_it_is_empty),
        cmocka_unit_test(what_could_become_another_request_is_refused),
        cmocka_unit_test(answers_keep_their_headers_as_sent),
        cmocka_unit_test(faults_have_their_own_names),
        cmocka_unit_test(nobody_listening_is_a_fault_of_connecting),
        cmocka_unit_test(answers_stay_within_their_limits),
        cmocka_unit_test(a_silent_server_is_timed_out),
        cmocka_unit_test(connections_are_used_again),
        cmocka_unit_test(an_answer_that_is_there_at_once_is_not_waited_for),
        cmocka_unit_test(a_kept_connection_that_died_costs_at_most_one_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
