/* Attacks the server over real sockets of the loopback: bytes that are no HTTP, slow and silent peers while honest ones are
 * served, more connections than may be, a stop while requests run, other threads that answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "echo_app.h"
#include "peer.h"

#define H "Host: a\r\n"

static echo_app echo;
static tl_http_server *server;

static int start(tl_http_settings settings)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_http_server_start(&server, &settings, &echo.app, &ctx);
    if (err != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return tl_http_server_port(server);
}

static uint16_t start_plain(void)
{
    echo_app_init(&echo);
    return (uint16_t)start((tl_http_settings){.linger_ms = 200});
}

static void stop(void)
{
    tl_http_server_free(server);
    server = NULL;
    assert_int_equal(atomic_load(&echo.ends), atomic_load(&echo.heads)); /* HTTP-2 */
}

static void an_honest_client_is_served(void **state)
{
    (void)state;
    char out[PEER_CAP];
    const uint16_t port = start_plain();
    const int fd = peer_open(port);
    for (int i = 0; i < 100; i++) {
        assert_true(
            peer_ask(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", out));
        assert_non_null(strstr(out, "\r\n\r\nhello"));
    }
    assert_true(peer_ask(
        fd, "POST /both HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        out));
    assert_non_null(strstr(out, "\r\n\r\nsame"));
    assert_int_equal(tl_http_server_connection_count(server), 1);
    (void)close(fd);
    stop();
}

static void a_large_body_goes_both_ways(void **state)
{
    (void)state;
    enum { LEN = 5 << 20 };
    static char body[LEN];
    static char heard[LEN + 1000];
    const uint16_t port = start_plain();
    const int fd = peer_open(port);
    for (size_t i = 0; i < LEN; i++) {
        body[i] = (char)('a' + i * 7 % 23);
    }
    char head[100];
    const int n =
        snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", LEN);
    assert_true(peer_say(fd, head, (size_t)n));
    assert_true(peer_say(fd, body, LEN));
    size_t len = 0;
    const char *end = NULL;
    while (end == NULL || len < (size_t)(end + 4 - heard) + LEN) {
        const size_t got = peer_hear(fd, heard + len, sizeof heard - 1 - len);
        assert_true(got > 0);
        len += got;
        end = strstr(heard, "\r\n\r\n");
    }
    assert_memory_equal(end + 4, body, LEN);
    (void)close(fd);
    stop();
}

/* What the wire must refuse: each kind answered 400 and closed, and none seen by the application. */
static void framing_attacks_are_refused(void **state)
{
    (void)state;
#define P "POST /echo HTTP/1.1\r\n" H
    static const struct {
        const char *bytes;
        size_t len;
    } attacks[] = {
#define A(text) {text, sizeof(text) - 1}
        A(P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        A(P "X-Bittensor-Hot: a\r\n key\r\nContent-Length: 0\r\n\r\n"),
        A(P "X: a\0b\r\nContent-Length: 0\r\n\r\n"),
        A(P "Content-Length : 0\r\n\r\n"),
        A("POST /echo HTTP/1.1\nHost: a\nContent-Length: 0\n\n"),
        A(P "Content-Length: 0\r\nContent-Length: 30\r\n\r\nGET /echo HTTP/1.1\r\n" H "\r\n"),
        A(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\nGET /x "
            "HTTP/1.1\r\n" H "\r\n"),
        A(P "Transfer-Encoding: \tchunked\x0b\r\n\r\n0\r\n\r\n"),
        A(P "Transfer-Encoding: chunked\r\n\r\n5;\n\r\nhello\r\n0\r\n\r\n"),
        A(P "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n"),
        A(P "Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n"),
        A(P "Content-Length: 0\r\nX: \r\rY: z\r\n\r\n"),
        A("POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n"),
        A("POST /echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        A("POST /echo#x HTTP/1.1\r\n" H "\r\n"),
        A("POST /ec\tho HTTP/1.1\r\n" H "\r\n"),
        A("POST /echo HTTP/2.0\r\n" H "\r\n"),
        A("POST /echo\r\n\r\n"),
        A("\x16\x03\x01\x02\x00\x01\x00"),
        A("\0"),
#undef A
#undef P
    };
    char out[PEER_CAP];
    const uint16_t port = start_plain();
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        const int fd = peer_open(port);
        assert_true(peer_say(fd, attacks[i].bytes, attacks[i].len));
        assert_true(peer_hear_all(fd, out) > 0);
        assert_memory_equal(out, "HTTP/1.1 400 ", 13);
        assert_non_null(strstr(out, "Connection: close\r\n"));
        assert_null(strstr(out + 13, "HTTP/1.1"));        /* one answer: nothing behind was read */
        assert_int_equal(atomic_load(&echo.requests), 0); /* HTTP-1 */
        (void)close(fd);
    }
    stop();
}

/* Silence, slow heads and slow bodies, all at once: none is kept, and honest clients are served. */
static void slow_peers_do_not_keep_others_waiting(void **state)
{
    (void)state;
    enum { EACH = 50 };
    static const char *const begins[] = {
        "",
        "POST /echo HTTP/1.1\r\nX: ", "POST /echo HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nabc"};
    char out[PEER_CAP];
    int slow[3][EACH];
    echo_app_init(&echo);
    const uint16_t port = (uint16_t)start((tl_http_settings){.head_timeout_ms = 300,
                                                             .body_timeout_ms = 300,
                                                             .body_more_ms = 10,
                                                             .idle_timeout_ms = 600,
                                                             .write_timeout_ms = 300,
                                                             .linger_ms = 100});
    for (size_t kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < EACH; i++) {
            slow[kind][i] = peer_open(port);
            assert_true(peer_say(slow[kind][i], begins[kind], strlen(begins[kind])));
        }
    }
    const int honest = peer_open(port);
    for (int i = 0; i < 200; i++) {
        assert_true(
            peer_ask(honest, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nok", out));
    }
    for (size_t kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < EACH; i++) {
            const size_t len = peer_hear_all(slow[kind][i], out);
            assert_true(kind == 0 ? len == 0 : strstr(out, "HTTP/1.1 408") == out);
            assert_true(peer_is_closed(slow[kind][i]));
            (void)close(slow[kind][i]);
        }
    }
    assert_int_equal(atomic_load(&echo.gone[TL_HTTP_GONE_BODY_SLOW]), EACH);
    (void)close(honest);
    stop();
}

static void many_idle_connections_cost_little(void **state)
{
    (void)state;
    enum { COUNT = 1500 };
    static int fds[COUNT];
    char out[PEER_CAP];
    struct rlimit files = {0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max; /* both ends are in this process */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    const size_t count = files.rlim_cur > 2 * COUNT + 600 ? COUNT : 200;
    const uint16_t port = start_plain();
    for (size_t i = 0; i < count; i++) {
        fds[i] = peer_open(port);
        assert_true(fds[i] >= 0);
        assert_true(
            peer_ask(fds[i], "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nok", out));
    }
    assert_int_equal(tl_http_server_connection_count(server), count);
    for (size_t i = 0; i < count; i += 7) { /* each still lives */
        assert_true(
            peer_ask(fds[i], "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nok", out));
    }
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
    stop();
}

static bool nobody_is_exempt(void *self, const tl_net_addr *peer)
{
    (void)self;
    (void)peer;
    return false;
}

static atomic_bool is_open_to_all;

static bool welcome_when_open(void *self, const tl_net_addr *peer)
{
    (void)self;
    assert_true(tl_net_is_loopback(peer));
    return atomic_load(&is_open_to_all);
}

static void an_address_has_its_share(void **state)
{
    (void)state;
    char out[PEER_CAP];
    int fds[5];
    echo_app_init(&echo);
    echo.app.is_exempt = nobody_is_exempt;
    echo.app.is_welcome = welcome_when_open;
    atomic_store(&is_open_to_all, true);
    const uint16_t port = (uint16_t)start((tl_http_settings){.per_address_count_max = 5});
    for (int round = 0; round < 3; round++) { /* what was closed is given back */
        for (size_t i = 0; i < 5; i++) {
            fds[i] = peer_open(port);
            assert_true(peer_ask(fds[i], "GET /echo HTTP/1.1\r\n" H "\r\n", out));
        }
        const int sixth = peer_open(port);
        assert_true(peer_hear_all(sixth, out) > 0);
        assert_memory_equal(out, "HTTP/1.1 503 ", 13);
        (void)close(sixth);
        for (size_t i = 0; i < 5;
             i++) { /* "Connection: close": the count falls before the last byte is heard */
            assert_true(
                peer_ask(fds[i], "GET /echo HTTP/1.1\r\n" H "Connection: close\r\n\r\n", out));
            assert_true(peer_is_closed(fds[i]));
            (void)close(fds[i]);
        }
        while (tl_http_server_connection_count(server) > 0) {
            (void)usleep(1000);
        }
    }
    atomic_store(&is_open_to_all, false);
    const int stranger = peer_open(port);
    assert_int_equal(peer_hear_all(stranger, out), 0);
    (void)close(stranger);
    stop();
}

static void connections_are_bounded_and_exempt_ones_only_in_all(void **state)
{
    (void)state;
    char out[PEER_CAP];
    int fds[8];
    echo_app_init(&echo);
    const uint16_t port =
        (uint16_t)start((tl_http_settings){.connection_count_max = 8, .per_address_count_max = 2});
    for (size_t i = 0; i < 8; i++) { /* loopback is exempt from its share */
        fds[i] = peer_open(port);
        assert_true(peer_ask(fds[i], "GET /echo HTTP/1.1\r\n" H "\r\n", out));
    }
    const int ninth = peer_open(port);
    assert_true(peer_hear_all(ninth, out) > 0);
    assert_memory_equal(out, "HTTP/1.1 503 ", 13);
    (void)close(ninth);
    for (size_t i = 0; i < 8; i++) {
        (void)close(fds[i]);
    }
    stop();
}

static void a_stop_lets_finish_what_runs(void **state)
{
    (void)state;
    char out[PEER_CAP];
    echo_app_init(&echo);
    const uint16_t port = (uint16_t)start((tl_http_settings){.drain_ms = 400, .linger_ms = 100});
    const int idle = peer_open(port);
    const int half = peer_open(port);
    const int never = peer_open(port);
    assert_true(peer_ask(idle, "GET /echo HTTP/1.1\r\n" H "\r\n", out));
    static const char later[] = "GET /later HTTP/1.1\r\n" H "\r\n";
    static const char begun[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nab";
    assert_true(peer_say(never, later, sizeof later - 1));
    assert_true(peer_say(half, begun, sizeof begun - 1));
    while (atomic_load(&echo.heads) < 3) {
        (void)usleep(1000);
    }
    const pid_t child = fork(); /* who sends the rest while this thread waits in stop */
    if (child == 0) {
        (void)usleep(100000);
        (void)peer_say(half, "cd", 2);
        _exit(0);
    }
    tl_http_server_stop(server);
    assert_true(peer_hear_all(half, out) > 0);
    assert_non_null(strstr(out, "Connection: close\r\n"));
    assert_non_null(strstr(out, "\r\n\r\nabcd"));
    assert_true(peer_is_closed(idle));
    assert_true(peer_is_closed(never));
    assert_int_equal(atomic_load(&echo.gone[TL_HTTP_GONE_STOP]), 1);
    assert_int_equal(peer_open(port), -1);
    (void)close(idle);
    (void)close(half);
    (void)close(never);
    stop();
}

static void an_address_in_use_is_an_error(void **state)
{
    (void)state;
    const uint16_t port = start_plain();
    tl_http_server *second = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_http_settings settings = {.listen_port = port};
    assert_int_equal(tl_http_server_start(&second, &settings, &echo.app, &ctx), TL_ERR_LOCKED);
    assert_string_equal(ctx.field, "listen");
    settings = (tl_http_settings){.listen_ip = TL_STR("localhost")};
    assert_int_equal(tl_http_server_start(&second, &settings, &echo.app, &ctx), TL_ERR_SYNTAX);
    settings = (tl_http_settings){.listen_ip = TL_STR("203.0.113.7")}; /* nobody's here */
    assert_int_equal(tl_http_server_start(&second, &settings, &echo.app, &ctx), TL_ERR_REFUSED);
    settings = (tl_http_settings){.loop_count = TL_HTTP_LOOP_COUNT_MAX + 1};
    assert_int_equal(tl_http_server_start(&second, &settings, &echo.app, &ctx), TL_ERR_RANGE);
    settings = (tl_http_settings){.idle_timeout_ms = -1};
    assert_int_equal(tl_http_server_start(&second, &settings, &echo.app, &ctx), TL_ERR_RANGE);
    const tl_http_app nothing = {.self = NULL};
    assert_int_equal(tl_http_server_start(&second, &settings, &nothing, &ctx), TL_ERR_MISSING);
    assert_null(second);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_client_is_served),
        cmocka_unit_test(a_large_body_goes_both_ways),
        cmocka_unit_test(framing_attacks_are_refused),
        cmocka_unit_test(slow_peers_do_not_keep_others_waiting),
        cmocka_unit_test(many_idle_connections_cost_little),
        cmocka_unit_test(an_address_has_its_share),
        cmocka_unit_test(connections_are_bounded_and_exempt_ones_only_in_all),
        cmocka_unit_test(a_stop_lets_finish_what_runs),
        cmocka_unit_test(an_address_in_use_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
