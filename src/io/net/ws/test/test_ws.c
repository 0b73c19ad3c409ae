/* Attacks WebSocket over real sockets: frames that break the rules, texts that are none, messages too long, a handshake that
 * is not one; then our client against our server, plain and over TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "io/net/http/test/peer.h"
#include "io/net/tls/test/cert.h"
#include "io/net/ws/ws_internal.h"
#include "io/sys/sys.h"

enum { MESSAGE_LEN_MAX = 1 << 20 };

/* --- a server that echoes --- */

static tl_http_server *server;
static atomic_size_t opened;
static atomic_size_t ended;
static atomic_uint last_code;

static void echo_message(void *self, tl_ws *ws, tl_bytes message, bool is_text)
{
    (void)self;
    if (is_text && message.len == 5 && memcmp(message.ptr, "close", 5) == 0) {
        tl_ws_close(ws, 4001, TL_STR("as you say"));
    } else {
        (void)tl_ws_send(ws, message, is_text);
    }
}

static void echo_end(void *self, tl_ws *ws, unsigned code, tl_str text)
{
    (void)self;
    (void)ws;
    (void)text;
    atomic_store(&last_code, code);
    atomic_fetch_add(&ended, 1);
}

static const tl_ws_calls echo_calls = {.on_message = echo_message, .on_end = echo_end};
static const tl_ws_settings echo_settings = {.message_len_max = MESSAGE_LEN_MAX,
                                             .protocol = {"tally", 5}};

static void on_request(void *user, tl_http_exchange *x)
{
    (void)user;
    tl_ws *ws;
    if (tl_ws_accept(&ws, x, &echo_calls, NULL, &echo_settings, NULL) == TL_OK) {
        atomic_fetch_add(&opened, 1);
    }
}

static uint16_t start(const tl_tls *tls)
{
    const tl_http_settings settings = {.tls = tls, .linger_ms = 100};
    const tl_http_app app = {.on_request = on_request};
    atomic_store(&opened, 0);
    atomic_store(&ended, 0);
    assert_int_equal(tl_http_server_start(&server, &settings, &app, NULL), TL_OK);
    return tl_http_server_port(server);
}

static void stop(void)
{
    tl_http_server_free(server);
    assert_int_equal(atomic_load(&ended), atomic_load(&opened)); /* WS-2 */
}

/* --- bytes by hand --- */

#define UPGRADE                                                                                    \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"       \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static int shake(uint16_t port, char out[PEER_CAP])
{
    const int fd = peer_open(port);
    assert_true(peer_say(fd, UPGRADE "\r\n", strlen(UPGRADE "\r\n")));
    assert_true(peer_hear(fd, out, PEER_CAP - 1) > 0);
    return fd;
}

static void the_handshake_is_the_standards(void **state)
{
    (void)state;
    char accept[TL__WS_ACCEPT_CAP];
    tl__ws_accept_for(accept, TL_STR("dGhlIHNhbXBsZSBub25jZQ==")); /* RFC 6455 section 1.3 */
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    char out[PEER_CAP];
    const uint16_t port = start(NULL);
    const int fd = shake(port, out);
    assert_non_null(strstr(out, "HTTP/1.1 101 Switching Protocols\r\n"));
    assert_non_null(strstr(out, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_null(strstr(out, "Sec-WebSocket-Protocol"));
    assert_true(peer_say(fd, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
                         11)); /* section 5.7: "Hello", masked */
    assert_int_equal(peer_hear(fd, out, PEER_CAP - 1), 7);
    assert_memory_equal(out, "\x81\x05Hello", 7); /* WS-3: not masked */
    (void)close(fd);
    stop();
}

static void what_is_no_handshake_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *status;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
         "upgrade\r\nSec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         "426"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
         "upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: short==\r\n\r\n",
         "400"},
        {UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "400"},
        {UPGRADE "Content-Length: 1\r\n\r\nx", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
         "upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         "400"},
    };
    char out[PEER_CAP];
    const uint16_t port = start(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int fd = peer_open(port);
        assert_true(peer_ask(fd, cases[i].request, out));
        assert_memory_equal(out + 9, cases[i].status, 3);
        (void)close(fd);
    }
    stop();
}

/* Each breaks a rule; the close code that it earns. Masks are zero where a mask must be. */
static void frames_that_break_rules_are_closed(void **state)
{
    (void)state;
#define M       "\0\0\0\0"
#define W(text) text, sizeof(text) - 1
    static const struct {
        const char *bytes;
        size_t len;
        unsigned code;
    } cases[] = {
        {W("\x81\x02hi"), 1002},                         /* not masked: WS-3 */
        {W("\xc1\x82" M "hi"), 1002},                    /* a reserved bit */
        {W("\x83\x82" M "hi"), 1002},                    /* an opcode of nobody's */
        {W("\x09\x80" M), 1002},                         /* a ping in fragments */
        {W("\x89\xfe\x00\x7e" M), 1002},                 /* a ping of 126 bytes */
        {W("\x80\x82" M "hi"), 1002},                    /* a continuation of nothing */
        {W("\x01\x82" M "hi\x81\x82" M "hi"), 1002},     /* a second message inside the first */
        {W("\x81\xff\x80\0\0\0\0\0\0\0" M), 1002},       /* a length with its top bit */
        {W("\x81\x82" M "\xc3\x28"), 1007},              /* no UTF-8: WS-1 */
        {W("\x01\x82" M "ab\x80\x81" M "\x80"), 1007},   /* nor over two frames */
        {W("\x82\xff\0\0\0\0\0\x10\0\x01" M "x"), 1009}, /* a byte above the limit: WS-1 */
        {W("\x88\x82" M "\x03\xed"), 1002},              /* 1005 may not be sent */
    };
#undef W
#undef M
    char out[PEER_CAP];
    const uint16_t port = start(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int fd = shake(port, out);
        assert_true(peer_say(fd, cases[i].bytes, cases[i].len));
        const size_t len = peer_hear_all(fd, out);
        if (len < 4 || (uint8_t)out[0] != 0x88) {
            fail_msg("case %zu: no close frame, but %zu bytes, the first %u", i, len,
                     (unsigned)(uint8_t)out[0]);
        }
        const unsigned code = (unsigned)(uint8_t)out[2] << 8 | (uint8_t)out[3];
        if (code != cases[i].code) {
            fail_msg("case %zu: %u, not %u", i, code, cases[i].code);
        }
        (void)close(fd);
    }
    stop();
}

/* --- our client --- */

typedef struct visit {
    tl_ws *ws;
    size_t messages;
    size_t bytes;
    size_t ends;
    unsigned code;
    char text[128];
    const char *first; /* said when open */
    bool is_open;
    bool closes;
} visit;

static void visit_open(void *self, tl_ws *ws)
{
    visit *v = self;
    v->is_open = true;
    if (v->first != NULL) {
        (void)tl_ws_send(ws, tl_str_bytes(tl_str_from_cstr(v->first)), true);
    }
}

static void visit_message(void *self, tl_ws *ws, tl_bytes message, bool is_text)
{
    visit *v = self;
    v->messages++;
    v->bytes += message.len;
    if (v->messages == 1) {
        static uint8_t large[300000];
        memset(large, 0xff, sizeof large);
        assert_true(is_text);
        (void)tl_ws_send(ws, (tl_bytes){large, sizeof large}, false);
    } else if (v->messages == 2) {
        assert_false(is_text);
        if (v->closes) {
            tl_ws_close(ws, TL_WS_CLOSE_NORMAL, TL_STR("done"));
        } else {
            (void)tl_ws_send(ws, tl_str_bytes(TL_STR("close")), true);
        }
    }
}

static void visit_end(void *self, tl_ws *ws, unsigned code, tl_str text)
{
    visit *v = self;
    (void)ws;
    v->ends++;
    v->code = code;
    (void)tl_str_print(v->text, sizeof v->text, "%.*s", TL_STR_ARG(text));
}

static const tl_ws_calls visit_calls = {visit_open, visit_message, NULL, visit_end};

/* Connect, talk as the visit says, until it ends. */
static tl_err go(visit *v, const char *url, const tl_ws_settings *settings, tl_errctx *ctx)
{
    uv_loop_t uv;
    assert_int_equal(uv_loop_init(&uv), 0);
    const tl_entropy luck = tl_sys_entropy();
    const tl_http_header more = {TL_STR("X-More"), TL_STR("1")};
    const tl_err err =
        tl_ws_connect(&v->ws, &uv, tl_str_from_cstr(url), (tl_http_headers){&more, 1}, &luck,
                      &visit_calls, v, settings, ctx);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);         /* no handle is left */
    assert_int_equal(v->ends, err == TL_OK ? 1 : 0); /* WS-2 */
    return err;
}

static void client_and_server_talk(void **state)
{
    (void)state;
    char url[64];
    const uint16_t port = start(NULL);
    (void)snprintf(url, sizeof url, "ws://127.0.0.1:%u/x?y", (unsigned)port);
    visit v = {.first = "hello"};
    assert_int_equal(go(&v, url, NULL, NULL), TL_OK);
    assert_int_equal(v.messages, 2);
    assert_int_equal(v.bytes, 300005);
    assert_int_equal(v.code, 4001);
    assert_string_equal(v.text, "as you say");
    const tl_ws_settings tally = {.protocol = TL_STR("tally")};
    visit w = {.first = "hello", .closes = true};
    assert_int_equal(go(&w, url, &tally, NULL), TL_OK);
    assert_int_equal(w.messages, 2);
    assert_int_equal(w.code, TL_WS_CLOSE_NORMAL);
    const tl_ws_settings other = {.protocol = TL_STR("other")};
    visit refused = {.first = "hello"};
    assert_int_equal(go(&refused, url, &other, NULL), TL_OK);
    assert_false(refused.is_open);
    assert_int_equal(refused.code, TL_WS_CLOSE_LOST);
    assert_string_equal(refused.text, "the server speaks another sub-protocol");
    const tl_ws_settings small = {.message_len_max = 1000};
    visit tiny = {.first = "hello"};
    assert_int_equal(go(&tiny, url, &small, NULL), TL_OK);
    assert_int_equal(tiny.messages, 1);
    assert_int_equal(tiny.code, TL_WS_CLOSE_TOO_BIG); /* WS-1 */
    stop();
}

static void client_and_server_talk_over_tls(void **state)
{
    (void)state;
    char url[64];
    test_cert cert;
    tl_tls *tls = NULL;
    tl_tls *roots = NULL;
    tl_tls *strangers = NULL;
    test_cert_make(&cert, "localhost", "127.0.0.1");
    assert_int_equal(tl_tls_server_new(&tls, cert.cert_file, cert.key_file, NULL), TL_OK);
    assert_int_equal(tl_tls_client_new(&roots, cert.cert_file, NULL), TL_OK);
    assert_int_equal(tl_tls_client_new(&strangers, NULL, NULL), TL_OK);
    const uint16_t port = start(tls);
    (void)snprintf(url, sizeof url, "wss://127.0.0.1:%u", (unsigned)port);
    const tl_ws_settings trusting = {.tls = roots};
    visit v = {.first = "hello"};
    assert_int_equal(go(&v, url, &trusting, NULL), TL_OK);
    assert_int_equal(v.bytes, 300005);
    assert_int_equal(v.code, 4001);
    const tl_ws_settings careful = {.tls = strangers};
    visit w = {.first = "hello"};
    assert_int_equal(go(&w, url, &careful, NULL), TL_OK);
    assert_false(w.is_open);
    assert_int_equal(w.code, TL_WS_CLOSE_LOST);
    visit plain = {.first = "hello"};
    assert_int_equal(go(&plain, url, NULL, NULL), TL_ERR_MISSING);
    stop();
    tl_tls_free(tls);
    tl_tls_free(roots);
    tl_tls_free(strangers);
    test_cert_remove(&cert);
}

static void a_client_that_gets_nowhere_is_told_why(void **state)
{
    (void)state;
    static const char *const bad[] = {"http://a",      "ws://",       "ws://:80",  "ws://a:0",
                                      "ws://a:65536",  "ws://a:80x/", "ws://u@a/", "ws://a/b c",
                                      "ws://a/#x",     "ws://[::1/",  "ws://a?b",  "WS://a",
                                      "ws://a/\r\nX:", "ws://[::1]x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        visit v = {0};
        tl_errctx ctx = TL_ERRCTX_INIT;
        if (go(&v, bad[i], NULL, &ctx) != TL_ERR_SYNTAX) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_string_equal(ctx.field, "url");
    }
    visit v = {0};
    assert_int_equal(go(&v, "ws://127.0.0.1:1/", NULL, NULL), TL_OK); /* nobody listens */
    assert_int_equal(v.code, TL_WS_CLOSE_LOST);
    assert_string_equal(v.text, "nobody answers at the server's address");
    const uint16_t port = start(NULL);
    stop(); /* the port was somebody's a moment ago */
    char url[64];
    (void)snprintf(url, sizeof url, "ws://127.0.0.1:%u", (unsigned)port);
    visit w = {0};
    assert_int_equal(go(&w, url, NULL, NULL), TL_OK);
    assert_int_equal(w.code, TL_WS_CLOSE_LOST);
}

static void answers_that_are_none_are_refused(void **state)
{
    (void)state;
#define OK     "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    const tl_str key = TL_STR("dGhlIHNhbXBsZSBub25jZQ==");
    static const char *const bad[] = {
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" ACCEPT "\r\n",
        OK "\r\n",
        OK "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n",
        "HTTP/1.1 101 x\r\nConnection: Upgrade\r\n" ACCEPT "\r\n",
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" ACCEPT "\r\n",
        OK ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        OK ACCEPT "Sec-WebSocket-Protocol: x\r\n\r\n",
        OK ACCEPT " folded\r\n\r\n",
        OK ACCEPT "bare: lf\n\r\n",
        OK ACCEPT,
        "junk",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_non_null(tl__ws_check_answer(tl_str_from_cstr(bad[i]), key, (tl_str){0}));
    }
    assert_null(tl__ws_check_answer(TL_STR(OK ACCEPT "\r\n"), key, (tl_str){0}));
    assert_non_null(tl__ws_check_answer(TL_STR(OK ACCEPT "\r\n"), key, TL_STR("y")));
    assert_null(tl__ws_check_answer(TL_STR(OK ACCEPT "Sec-WebSocket-Protocol: y\r\n\r\n"), key,
                                    TL_STR("y")));
}

/* --- silence, from memory --- */

typedef struct quiet {
    uint8_t sent[64];
    size_t sent_len;
    bool is_closed;
} quiet;

static bool quiet_send(tl_ws *ws, tl_bytes bytes)
{
    quiet *q = ws->carrier;
    assert_true(bytes.len <= sizeof q->sent);
    memcpy(q->sent, bytes.ptr, bytes.len);
    q->sent_len = bytes.len;
    return true;
}

static void quiet_close(tl_ws *ws)
{
    ((quiet *)ws->carrier)->is_closed = true;
}

static void silence_is_pinged_then_given_up(void **state)
{
    (void)state;
    static const tl__ws_wire wire = {quiet_send, quiet_close};
    quiet q = {0};
    visit v = {0};
    tl_ws ws;
    assert_int_equal(tl__ws_init(&ws, &wire, &q, false, &visit_calls, &v, NULL, 0, NULL), TL_OK);
    ws.is_open = true;
    tl__ws_tick(&ws, 29000);
    assert_int_equal(q.sent_len, 0);
    tl__ws_tick(&ws, 30000);
    assert_memory_equal(q.sent, "\x89\x00", 2);
    tl__ws_input(&ws, (tl_bytes){(const uint8_t *)"\x8a\x80\0\0\0\0", 6}, 35000); /* a pong */
    tl__ws_tick(&ws, 64000);
    assert_false(q.is_closed);
    tl__ws_tick(&ws, 66000);
    tl__ws_tick(&ws, 75000);
    assert_false(q.is_closed);
    tl__ws_tick(&ws, 76000);
    assert_true(q.is_closed);
    tl__ws_end(&ws);
    assert_int_equal(v.code, TL_WS_CLOSE_LOST);
    assert_string_equal(v.text, "no answer to a ping");
    tl__ws_deinit(&ws);
    /* a peer that does not answer our close */
    q = (quiet){0};
    assert_int_equal(tl__ws_init(&ws, &wire, &q, false, &visit_calls, &v, NULL, 0, NULL), TL_OK);
    ws.is_open = true;
    tl_ws_close(&ws, TL_WS_CLOSE_NORMAL, TL_STR("bye"));
    assert_memory_equal(q.sent,
                        "\x88\x05\x03\xe8"
                        "bye",
                        7);
    tl__ws_tick(&ws, 4000);
    assert_false(q.is_closed);
    tl__ws_tick(&ws, 5000);
    assert_true(q.is_closed);
    tl__ws_deinit(&ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_handshake_is_the_standards),
        cmocka_unit_test(what_is_no_handshake_is_refused),
        cmocka_unit_test(frames_that_break_rules_are_closed),
        cmocka_unit_test(client_and_server_talk),
        cmocka_unit_test(client_and_server_talk_over_tls),
        cmocka_unit_test(a_client_that_gets_nowhere_is_told_why),
        cmocka_unit_test(answers_that_are_none_are_refused),
        cmocka_unit_test(silence_is_pinged_then_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
