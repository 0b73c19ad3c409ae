/* Attacks the connection from memory: order of answers, early refusals, slow and absent peers, limits, memory that runs out.
 * No sockets, no sleeping: time passes when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"

#define H "Host: a\r\n"

static memory_world *w;

static memory_line *open_world(const tl_http_settings *settings)
{
    w = malloc(sizeof *w);
    assert_non_null(w);
    memory_open(w, settings);
    memory_line *line = memory_connect(w);
    assert_non_null(line);
    return line;
}

static void close_world(void)
{
    memory_close(w);
    free(w);
}

static void say(memory_line *line, const char *text)
{
    memory_say(w, line, tl_str_from_cstr(text));
}

/* How often a text stands in what was sent. */
static size_t times(const memory_line *line, const char *text)
{
    size_t count = 0;
    for (const char *at = line->sent; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

static bool has(const memory_line *line, const char *text)
{
    return times(line, text) > 0;
}

static bool ends_with(const memory_line *line, const char *text)
{
    return tl_str_ends_with((tl_str){line->sent, line->sent_len}, tl_str_from_cstr(text));
}

static void forget_sent(memory_line *line)
{
    line->sent_len = 0;
    line->sent[0] = 0;
}

static size_t gone(tl_http_gone why)
{
    return atomic_load(&w->echo.gone[why]);
}

static void a_request_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const char raw[] = "POST /both HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n"
                              "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc";
    for (size_t step = 1; step < sizeof raw; step++) {
        memory_line *line = open_world(NULL);
        for (size_t at = 0; at < sizeof raw - 1; at += step) {
            const size_t left = sizeof raw - 1 - at;
            memory_say(w, line, (tl_str){raw + at, left < step ? left : step});
        }
        assert_int_equal(times(line, "HTTP/1.1 200 OK\r\n"), 2);
        assert_true(has(line, "\r\n\r\nsame"));
        assert_true(ends_with(line, "\r\n\r\nabc"));
        assert_null(line->conn->in); /* HTTP-4 */
        assert_int_equal(line->conn->out.len, 0);
        close_world();
    }
}

static void answers_leave_in_order(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "GET /later HTTP/1.1\r\n" H "\r\nGET /stream HTTP/1.1\r\n" H "\r\n"
              "GET /later HTTP/1.1\r\n" H "\r\nPOST /turn HTTP/1.1\r\n" H
              "Content-Length: 4\r\n\r\nturn");
    assert_int_equal(line->sent_len, 0); /* HTTP-3 */
    assert_int_equal(w->echo.later_count, 2);
    echo_app_answer_later(&w->echo, 1, "second");
    memory_turn(w);
    assert_int_equal(line->sent_len, 0); /* HTTP-3 */
    echo_app_answer_later(&w->echo, 0, "first");
    memory_turn(w);
    const char *first = strstr(line->sent, "first");
    const char *stream = strstr(line->sent, "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
    const char *second = strstr(line->sent, "second");
    const char *turn = strstr(line->sent, "\r\n\r\nturn");
    assert_non_null(first);
    assert_true(first < stream && stream < second && second < turn); /* HTTP-3 */
    close_world();
}

static void pipelining_is_bounded(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    for (size_t i = 0; i < 40; i++) {
        memory_send(line, TL_STR("GET /later HTTP/1.1\r\n" H "\r\n"));
    }
    memory_turn(w);
    assert_int_equal(w->echo.later_count, TL_HTTP_PIPELINE_MAX);
    assert_false(line->is_reading);
    size_t answered = 0;
    while (w->echo.later_count > 0) {
        echo_app_answer_later(&w->echo, 0, "x");
        memory_turn(w);
        answered++;
    }
    assert_int_equal(answered, 40);
    assert_int_equal(times(line, "HTTP/1.1 200"), 40);
    assert_true(line->is_reading);
    close_world();
}

static void old_and_headless_requests_get_what_they_can_read(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "HEAD /echo HTTP/1.1\r\n" H "\r\nHEAD /stream HTTP/1.1\r\n" H
              "\r\nGET /status?204 HTTP/1.1\r\n" H "\r\nGET /status?304 HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(times(line, "\r\n\r\nHTTP/1.1"), 3); /* no body in between */
    assert_true(ends_with(line, "\r\n\r\n"));
    assert_int_equal(times(line, "Content-Length"), 1);
    forget_sent(line);
    say(line, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_true(has(line, "Connection: keep-alive\r\n"));
    forget_sent(line);
    say(line, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_true(has(line, "Connection: close\r\n") && !has(line, "chunked"));
    assert_true(ends_with(line, "\r\n\r\nonetwothree"));
    assert_null(line->conn);
    close_world();
}

static void targets_are_handed_out_as_they_stood(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "GET /a%2Fb//..?x=%7e&y? HTTP/1.1\r\n" H "\r\n");
    say(line, "GET http://h/target?b HTTP/1.1\r\n" H "\r\n");
    assert_true(ends_with(line, "http://h/target?b\n/target?b\n/target\nb\n"));
    say(line, "GET /target HTTP/1.1\r\n" H "\r\n");
    assert_true(ends_with(line, "\r\n\r\n/target\n/target\n/target\n\n"));
    close_world();
    /* without a path, "/" stands before the query */
    line = open_world(NULL);
    say(line, "GET http://h?later HTTP/1.1\r\n" H "\r\n");
    assert_true(has(line, "200 OK"));
    close_world();
}

static void a_header_of_ours_cannot_carry_a_line_end(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "GET /bad HTTP/1.1\r\n" H "\r\n");
    assert_true(has(line, "HTTP/1.1 500") && !has(line, "Set-Cookie") && !has(line, "secret"));
    say(line, "GET /echo HTTP/1.1\r\n" H "\r\n");
    assert_true(has(line, "HTTP/1.1 200"));
    close_world();
}

static void what_is_no_http_ends_the_connection(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "POST /echo HTTP/1.1\r\n" H
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\nHost: a\nContent-Length: 0\n\n",
        "POST /echo HTTP/1.1\n",
        "\x16\x03\x01\x02", /* TLS, spoken to a plain port */
        "\r\n\r\nGET /echo HTTP/1.1\r\n" H "\r\n",
        "\n",
        " GET /echo HTTP/1.1\r\n" H "\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memory_line *line = open_world(NULL);
        say(line, bad[i]);
        assert_int_equal(times(line, "HTTP/1.1 400 Bad Request\r\n"), 1);
        assert_true(has(line, "Connection: close\r\n"));
        assert_int_equal(atomic_load(&w->echo.heads), 0); /* HTTP-1 */
        assert_true(line->is_shut); /* drained for a moment, so that the answer is not lost */
        forget_sent(line);
        say(line, "GET /echo HTTP/1.1\r\n" H "\r\n"); /* what follows is thrown away */
        assert_int_equal(line->sent_len, 0);
        memory_later(w, 2200);
        assert_null(line->conn);
        close_world();
    }
}

/* The request after a broken one on the same connection: the smuggler's prize. */
static void nothing_behind_a_bad_body_is_read(void **state)
{
    (void)state;
    static const char *const bodies[] = {"5\nhello\r\n0\r\n\r\n", "5\r\nhelloX", "fffffffff\r\n",
                                         "0\r\nX : y\r\n\r\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        memory_line *line = open_world(NULL);
        say(line, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
        memory_send(line, tl_str_from_cstr(bodies[i]));
        say(line, "\r\nGET /later HTTP/1.1\r\n" H "\r\n");
        assert_int_equal(times(line, "HTTP/1.1 400"), 1);
        assert_int_equal(times(line, "HTTP/1.1"), 1);
        assert_int_equal(gone(TL_HTTP_GONE_BAD), 1); /* HTTP-2 */
        assert_int_equal(atomic_load(&w->echo.requests), 0);
        close_world();
    }
}

static void an_early_refusal_serves_on_or_closes(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "POST /refuse HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n01234"); /* short: drained */
    assert_true(has(line, "HTTP/1.1 403") && !has(line, "Connection: close"));
    forget_sent(line);
    say(line, "56789POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nok");
    assert_true(has(line, "200 OK") && ends_with(line, "ok"));
    forget_sent(line);
    say(line, "POST /refuse HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n"); /* long: closed */
    assert_true(has(line, "HTTP/1.1 403") && has(line, "Connection: close"));
    assert_true(line->is_shut);
    close_world();

    line = open_world(NULL); /* in chunks: drained up to a limit */
    say(line,
        "POST /refuse HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        "GET /echo HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(times(line, "HTTP/1.1"), 2);
    say(line, "POST /refuse HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n20000\r\n");
    char *body = calloc(1, 0x20000);
    assert_non_null(body);
    memory_say(w, line, (tl_str){body, 0x20000});
    free(body);
    assert_true(line->is_shut);
    close_world();
}

static void continue_is_said_only_to_who_may(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_string_equal(line->sent, "HTTP/1.1 100 Continue\r\n\r\n");
    say(line, "ok");
    assert_true(ends_with(line, "\r\n\r\nok"));
    forget_sent(line);
    say(line, "POST /echo HTTP/1.1\r\n" H
              "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok"); /* it did not wait */
    assert_false(has(line, "Continue"));
    forget_sent(line);
    say(line, "POST /refuse HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(has(line, "403") && has(line, "Connection: close") && !has(line, "Continue"));
    close_world();
    line = open_world(NULL);
    say(line, "POST /small HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    assert_true(has(line, "HTTP/1.1 413") && !has(line, "Continue"));
    close_world();
}

static void a_body_above_its_limit_is_refused(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line,
        "POST /small HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n"); /* before a byte is read */
    assert_true(has(line, "HTTP/1.1 413"));
    assert_int_equal(gone(TL_HTTP_GONE_TOO_LARGE), 1);
    forget_sent(line);
    say(line, "01234567890POST /small HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n0123456789");
    assert_true(has(line, "200 OK") && ends_with(line, "0123456789"));
    forget_sent(line);
    say(line, "POST /small HTTP/1.1\r\n" H
              "Transfer-Encoding: chunked\r\n\r\n1\r\n0\r\na\r\n"); /* its bytes need not come */
    assert_true(has(line, "HTTP/1.1 413"));
    assert_int_equal(gone(TL_HTTP_GONE_TOO_LARGE), 2);
    say(line, "0123456789\r\n0\r\n\r\n");
    forget_sent(line);
    say(line, "POST /own HTTP/1.1\r\n" H
              "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"); /* not yet */
    assert_int_equal(line->sent_len, 0);
    say(line, "1\r\nx\r\n"); /* the application's own words */
    assert_true(has(line, "HTTP/1.1 422") && ends_with(line, "own"));
    say(line, "0\r\n\r\nGET /echo HTTP/1.1\r\n" H "\r\n");
    assert_true(has(line, "200 OK"));
    say(line, "POST /echo HTTP/1.1\r\n" H "Content-Length: 16777217\r\n\r\n");
    assert_true(has(line, "HTTP/1.1 413") && has(line, "Connection: close"));
    close_world();
}

static void bodies_in_all_are_bounded(void **state)
{
    (void)state;
    const tl_http_settings settings = {.bodies_len_max = 10000};
    memory_line *line = open_world(&settings);
    memory_line *other = memory_connect(w);
    char body[6000] = {0};
    say(line, "POST /echo HTTP/1.1\r\n" H "Content-Length: 6001\r\n\r\n");
    memory_say(w, line, (tl_str){body, sizeof body});
    say(other, "POST /echo HTTP/1.1\r\n" H "Content-Length: 6000\r\n\r\n");
    memory_say(w, other, (tl_str){body, sizeof body});
    assert_true(has(other, "HTTP/1.1 503"));
    assert_int_equal(gone(TL_HTTP_GONE_MEMORY), 1);
    say(line, "x");
    assert_true(has(line, "HTTP/1.1 200"));
    say(other, "POST /chunks HTTP/1.1\r\n" H
               "Content-Length: 20000\r\n\r\n"); /* what is not kept costs nothing */
    for (size_t i = 0; i < 20000; i += 5000) {
        memory_say(w, other, (tl_str){body, 5000});
    }
    assert_true(ends_with(other, "\r\n\r\n20000"));
    close_world();
}

static void slow_senders_are_given_up(void **state)
{
    (void)state;
    memory_line *idle = open_world(NULL);
    memory_line *head = memory_connect(w);
    memory_line *body = memory_connect(w);
    say(head, "GET /echo HT");
    say(body,
        "POST /echo HTTP/1.1\r\n" H "Content-Length: 200000\r\n\r\nabc"); /* 30 s and 3 more */
    memory_later(w, 9000);
    say(head, "TP/1.1\r\nX: "); /* one drop at a time does not help */
    memory_later(w, 1200);
    assert_true(has(head, "HTTP/1.1 408"));
    assert_int_equal(atomic_load(&w->echo.heads), 1);
    memory_later(w, 22000);
    assert_int_equal(body->sent_len, 0);
    memory_later(w, 1200);
    assert_true(has(body, "HTTP/1.1 408") && has(body, "Connection: close"));
    assert_int_equal(gone(TL_HTTP_GONE_BODY_SLOW), 1);
    assert_non_null(idle->conn);
    memory_later(w, 42500);
    assert_null(idle->conn); /* 75 s without a word, and none is said */
    assert_int_equal(idle->sent_len, 0);
    assert_null(head->conn);
    assert_null(body->conn);
    close_world();
}

static void an_idle_connection_is_closed_after_its_last_request(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    for (size_t i = 0; i < 5; i++) {
        say(line, "GET /echo HTTP/1.1\r\n" H "\r\n");
        memory_later(w, 70000);
        assert_non_null(line->conn);
    }
    say(line, "GET /later HTTP/1.1\r\n" H "\r\n"); /* who waits for an answer is not idle */
    memory_later(w, 200000);
    assert_non_null(line->conn);
    echo_app_answer_later(&w->echo, 0, "x");
    memory_later(w, 74000);
    assert_non_null(line->conn);
    memory_later(w, 2000);
    assert_null(line->conn);
    close_world();
}

static void a_timeout_of_the_application_answers(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "GET /slow HTTP/1.1\r\n" H "\r\nGET /slow HTTP/1.1\r\n" H
              "\r\nGET /echo HTTP/1.1\r\n" H "\r\n");
    memory_later(w, 300);
    assert_int_equal(times(line, "HTTP/1.1 503"), 2);
    assert_int_equal(times(line, "HTTP/1.1 200"), 1);
    assert_int_equal(gone(TL_HTTP_GONE_TIMEOUT), 2);
    close_world();
}

static void a_sender_that_ends_inside_a_request_is_gone(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nabc");
    tl__http_conn_eof(line->conn);
    memory_turn(w);
    assert_null(line->conn);
    assert_int_equal(gone(TL_HTTP_GONE_PEER), 1); /* HTTP-2 */
    memory_line *half = memory_connect(w); /* one that only stops speaking still gets its answer */
    say(half, "GET /later HTTP/1.1\r\n" H "\r\n");
    tl__http_conn_eof(half->conn);
    memory_turn(w);
    assert_non_null(half->conn);
    echo_app_answer_later(&w->echo, 0, "late");
    memory_turn(w);
    assert_true(has(half, "Connection: close") && ends_with(half, "late"));
    assert_null(half->conn);
    memory_line *lost = memory_connect(w);
    say(lost, "GET /later HTTP/1.1\r\n" H "\r\n");
    tl__http_conn_error(lost->conn);
    memory_turn(w);
    assert_int_equal(gone(TL_HTTP_GONE_PEER), 2); /* HTTP-2 */
    close_world();
}

static void a_stream_waits_for_its_reader(void **state)
{
    (void)state;
    const tl_http_settings settings = {.stream_len_max = 30000};
    memory_line *line = open_world(&settings);
    line->room = 15000;
    say(line, "GET /flood HTTP/1.1\r\n" H "\r\n");
    assert_true(w->echo.flood_left > 90 && w->loop.all->out.len < 60000);
    size_t turns = 0;
    while (line->conn != NULL && line->is_writing) {
        memory_take(w, line);
        turns++;
    }
    assert_true(turns > 10 && atomic_load(&w->echo.rooms) > 5);
    assert_int_equal(times(line, "2710\r\nx"), 100);
    assert_true(ends_with(line, "\r\n0\r\n\r\n"));
    assert_non_null(line->conn);
    line->room = 0; /* a reader that takes nothing is given up */
    forget_sent(line);
    say(line, "GET /flood HTTP/1.1\r\n" H "\r\n");
    memory_later(w, 31000);
    assert_null(line->conn);
    assert_int_equal(gone(TL_HTTP_GONE_PEER), 1);
    close_world();
}

static void a_cut_stream_has_no_last_chunk(void **state)
{
    (void)state;
    memory_line *line = open_world(NULL);
    say(line, "GET /cut HTTP/1.1\r\n" H "\r\n");
    assert_true(ends_with(line, "\r\n\r\n3\r\none\r\n"));
    assert_null(line->conn);
    close_world();
}

static void a_draining_server_finishes_what_runs(void **state)
{
    (void)state;
    memory_line *idle = open_world(NULL);
    memory_line *busy = memory_connect(w);
    memory_line *half = memory_connect(w);
    memory_line *never = memory_connect(w);
    say(busy, "GET /later HTTP/1.1\r\n" H "\r\n");
    say(never, "GET /later HTTP/1.1\r\n" H "\r\n");
    say(half, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nabc");
    tl__http_engine_drain(&w->loop);
    memory_turn(w);
    assert_null(idle->conn);
    echo_app_answer_later(&w->echo, 0, "done");
    say(half, "de");
    assert_true(has(busy, "Connection: close") && ends_with(busy, "done"));
    assert_true(has(half, "Connection: close") && ends_with(half, "abcde"));
    assert_null(busy->conn);
    assert_null(half->conn);
    tl__http_engine_abort(&w->loop);
    memory_turn(w);
    assert_int_equal(gone(TL_HTTP_GONE_STOP), 1);
    close_world();
}

/* --- memory that runs out --- */

typedef struct failing {
    size_t calls;
    size_t fails_at;
} failing;

static void *failing_alloc(void *self, size_t len)
{
    failing *f = self;
    return f->calls++ == f->fails_at ? NULL : aligned_alloc(64, (len + 63) / 64 * 64);
}

static void failing_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

/* The n-th allocation fails, for each n: an error or a closed connection, nothing leaked, and the server serves on. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char raw[] = "POST /both HTTP/1.1\r\n" H "Content-Length: 5000\r\n\r\n";
    static char body[5000];
    size_t n = 0;
    for (bool is_whole = false; !is_whole; n++) {
        failing f = {0, SIZE_MAX};
        const tl_allocator allocator = {&f, failing_alloc, failing_release};
        const tl_http_settings settings = {.allocator = &allocator};
        memory_line *spare = open_world(&settings);
        f = (failing){0, n};
        memory_line *line = memory_connect(w);
        if (line != NULL) {
            line->room = 1000;
            memory_say(w, line, (tl_str){raw, 10});
            memory_say(w, line, (tl_str){raw + 10, sizeof raw - 11});
            memory_say(w, line, (tl_str){body, 2500});
            memory_say(w, line, (tl_str){body + 2500, 2500});
            say(line, "GET /later HTTP/1.1\r\n" H "\r\nGET http://h?q HTTP/1.1\r\n" H
                      "\r\nGET /flood HTTP/1.1\r\n" H "\r\n");
            if (w->echo.later_count > 0) {
                echo_app_answer_later(&w->echo, 0, "x");
            }
            memory_turn(w);
            while (line->is_writing) {
                memory_take(w, line);
            }
        }
        is_whole = f.calls <= n;
        f.fails_at = SIZE_MAX;
        say(spare, "GET /echo HTTP/1.1\r\n" H "\r\n");
        assert_true(has(spare, "HTTP/1.1 200 OK"));
        close_world();
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_the_same_however_it_is_cut),
        cmocka_unit_test(answers_leave_in_order),
        cmocka_unit_test(pipelining_is_bounded),
        cmocka_unit_test(old_and_headless_requests_get_what_they_can_read),
        cmocka_unit_test(targets_are_handed_out_as_they_stood),
        cmocka_unit_test(a_header_of_ours_cannot_carry_a_line_end),
        cmocka_unit_test(what_is_no_http_ends_the_connection),
        cmocka_unit_test(nothing_behind_a_bad_body_is_read),
        cmocka_unit_test(an_early_refusal_serves_on_or_closes),
        cmocka_unit_test(continue_is_said_only_to_who_may),
        cmocka_unit_test(a_body_above_its_limit_is_refused),
        cmocka_unit_test(bodies_in_all_are_bounded),
        cmocka_unit_test(slow_senders_are_given_up),
        cmocka_unit_test(an_idle_connection_is_closed_after_its_last_request),
        cmocka_unit_test(a_timeout_of_the_application_answers),
        cmocka_unit_test(a_sender_that_ends_inside_a_request_is_gone),
        cmocka_unit_test(a_stream_waits_for_its_reader),
        cmocka_unit_test(a_cut_stream_has_no_last_chunk),
        cmocka_unit_test(a_draining_server_finishes_what_runs),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
