/* Attacks several loops at once: answers that other threads make and post back, peers that leave meanwhile, posts that come
 * too late; and the same server over TLS. Under the thread sanitizer, too. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "echo_app.h"
#include "io/net/tls/test/cert.h"
#include "peer.h"

enum { LOOPS = 3, CLIENTS = 8, ASKS = 100 };

/* --- an application whose answers are made by another thread --- */

typedef struct job {
    tl_http_post post;
    tl_http_loop *loop;
    tl_http_exchange *x; /* NULL: gone. The loop's thread alone looks at it */
    struct job *next;
    size_t body_len;
} job;

typedef struct works {
    pthread_mutex_t lock; /* guards first and is_over */
    pthread_cond_t has_work;
    job *first;
    bool is_over;
    pthread_t thread;
    atomic_size_t starts;
    atomic_size_t ends;
    atomic_size_t answers;
    atomic_size_t lost;
    atomic_size_t seen_on[LOOPS];
} works;

static works all;

static tl_err on_loop_start(void *self, tl_http_loop *loop, tl_errctx *ctx)
{
    (void)ctx;
    atomic_fetch_add(&((works *)self)->starts, 1);
    tl_http_loop_set_user(loop, self);
    return TL_OK;
}

static void on_loop_end(void *self, tl_http_loop *loop)
{
    (void)loop;
    atomic_fetch_add(&((works *)self)->ends, 1);
}

static void on_request(void *user, tl_http_exchange *x)
{
    works *w = user;
    job *j = calloc(1, sizeof *j);
    assert_non_null(j);
    j->loop = tl_http_loop_of(x);
    j->x = x;
    j->body_len = tl_http_request_of(x)->body.len;
    tl_http_set_user(x, j);
    atomic_fetch_add(&w->seen_on[tl_http_loop_index(j->loop)], 1);
    (void)pthread_mutex_lock(&w->lock);
    j->next = w->first;
    w->first = j;
    (void)pthread_cond_signal(&w->has_work);
    (void)pthread_mutex_unlock(&w->lock);
}

static void on_gone(void *user, tl_http_exchange *x, tl_http_gone why)
{
    works *w = user;
    job *j = tl_http_user(x);
    (void)why;
    if (j != NULL) {
        j->x = NULL;
    }
    atomic_fetch_add(&w->lost, 1);
}

static void answer_job(void *arg)
{
    job *j = arg;
    if (j->x != NULL) {
        char text[32];
        const size_t len = tl_str_print(text, sizeof text, "%zu", j->body_len);
        tl_http_answer(j->x, 200, (tl_http_headers){0}, (tl_bytes){(const uint8_t *)text, len});
        atomic_fetch_add(&all.answers, 1);
    }
    free(j);
}

static void *work(void *arg)
{
    works *w = arg;
    (void)pthread_mutex_lock(&w->lock);
    while (!w->is_over || w->first != NULL) {
        job *j = w->first;
        if (j == NULL) {
            (void)pthread_cond_wait(&w->has_work, &w->lock);
            continue;
        }
        w->first = j->next;
        (void)pthread_mutex_unlock(&w->lock);
        tl_http_loop_post(j->loop, &j->post, answer_job, j);
        (void)pthread_mutex_lock(&w->lock);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void *ask_many(void *arg)
{
    const uint16_t port = *(const uint16_t *)arg;
    static const char last[] = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    char *out = malloc(PEER_CAP);
    const int fd = peer_open(port);
    size_t good = 0;
    for (size_t i = 0; i < ASKS && out != NULL; i++) {
        good +=
            peer_ask(fd, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", out) &&
                    strstr(out, "\r\n\r\n5") != NULL
                ? 1
                : 0;
    }
    (void)peer_say(fd, last, sizeof last - 1); /* and leave without hearing */
    (void)close(fd);
    free(out);
    return (void *)(uintptr_t)good;
}

static void other_threads_answer(void **state)
{
    (void)state;
    tl_http_server *server = NULL;
    const tl_http_settings settings = {.loop_count = LOOPS, .drain_ms = 2000};
    const tl_http_app app = {.self = &all,
                             .on_loop_start = on_loop_start,
                             .on_loop_end = on_loop_end,
                             .on_request = on_request,
                             .on_gone = on_gone};
    memset(&all, 0, sizeof all);
    (void)pthread_mutex_init(&all.lock, NULL);
    (void)pthread_cond_init(&all.has_work, NULL);
    assert_int_equal(pthread_create(&all.thread, NULL, work, &all), 0);
    assert_int_equal(tl_http_server_start(&server, &settings, &app, NULL), TL_OK);
    uint16_t port = tl_http_server_port(server);
    pthread_t clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_create(&clients[i], NULL, ask_many, &port), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        void *good = NULL;
        (void)pthread_join(clients[i], &good);
        assert_int_equal((uintptr_t)good, ASKS);
    }
    tl_http_server_stop(server);
    (void)pthread_mutex_lock(&all.lock);
    all.is_over = true;
    (void)pthread_cond_signal(&all.has_work);
    (void)pthread_mutex_unlock(&all.lock);
    (void)pthread_join(all.thread, NULL);
    tl_http_server_free(server); /* what was posted too late is freed here */
    size_t seen = 0;
    for (size_t i = 0; i < LOOPS; i++) {
        assert_true(atomic_load(&all.seen_on[i]) >= ASKS); /* the load is spread */
        seen += atomic_load(&all.seen_on[i]);
    }
    assert_int_equal(atomic_load(&all.answers) + atomic_load(&all.lost), seen); /* HTTP-2 */
    assert_int_equal(atomic_load(&all.starts), LOOPS);
    assert_int_equal(atomic_load(&all.ends), LOOPS);
    (void)pthread_mutex_destroy(&all.lock);
    (void)pthread_cond_destroy(&all.has_work);
}

static tl_err refuse_the_second(void *self, tl_http_loop *loop, tl_errctx *ctx)
{
    atomic_fetch_add(&((works *)self)->starts, 1);
    return tl_http_loop_index(loop) == 1 ? tl_fail(ctx, TL_ERR_LIMIT, "one is enough") : TL_OK;
}

static void a_loop_that_cannot_start_undoes_the_others(void **state)
{
    (void)state;
    tl_http_server *server = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_http_settings settings = {.loop_count = LOOPS};
    const tl_http_app app = {.self = &all,
                             .on_loop_start = refuse_the_second,
                             .on_loop_end = on_loop_end,
                             .on_request = on_request};
    memset(&all, 0, sizeof all);
    assert_int_equal(tl_http_server_start(&server, &settings, &app, &ctx), TL_ERR_LIMIT);
    assert_string_equal(ctx.message, "one is enough");
    assert_int_equal(atomic_load(&all.starts), 2);
    assert_int_equal(atomic_load(&all.ends), 1);
    assert_null(server);
}

/* --- TLS --- */

/* Send what waits, hear what comes. False: the other side is gone. */
static bool exchange(int fd, tl_tls_session *s, bool waits)
{
    static uint8_t bytes[PEER_CAP];
    size_t n;
    while ((n = tl_tls_pull(s, bytes, sizeof bytes)) > 0) {
        if (!peer_say(fd, bytes, n)) {
            return false;
        }
    }
    if (!waits) {
        return true;
    }
    static char heard[PEER_CAP];
    n = peer_hear(fd, heard, sizeof heard - 1);
    return n > 0 && tl_tls_feed(s, (tl_bytes){(const uint8_t *)heard, n}) != TL_TLS_FAILED;
}

static tl_tls_session *shake(int fd, const tl_tls *roots)
{
    tl_tls_session *s = tl_tls_session_new(roots, "axon.test");
    assert_non_null(s);
    (void)tl_tls_start(s);
    while (tl_tls_state_of(s) == TL_TLS_SHAKING) {
        assert_true(exchange(fd, s, true));
    }
    assert_int_equal(tl_tls_state_of(s), TL_TLS_OPEN);
    return s;
}

static void ask_over_tls(int fd, tl_tls_session *s, size_t body_len)
{
    static char text[PEER_CAP + 200];
    static uint8_t out[PEER_CAP + 1000];
    const size_t head_len =
        tl_str_print(text, sizeof text,
                     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", body_len);
    memset(text + head_len, 'b', body_len);
    assert_true(tl_tls_write(s, (tl_bytes){(const uint8_t *)text, head_len + body_len}));
    assert_true(exchange(fd, s, false));
    size_t len = 0;
    const char *end = NULL;
    while (end == NULL || len < (size_t)(end + 4 - (const char *)out) + body_len) {
        const size_t n = tl_tls_read(s, out + len, sizeof out - 1 - len);
        len += n;
        out[len] = 0;
        end = strstr((const char *)out, "\r\n\r\n");
        if (n == 0) {
            assert_true(exchange(fd, s, true));
        }
    }
    assert_memory_equal(out, "HTTP/1.1 200 OK", 15);
    assert_int_equal(len - (size_t)(end + 4 - (const char *)out), body_len);
    assert_int_equal(out[len - 1], 'b');
}

static void requests_come_over_tls(void **state)
{
    (void)state;
    test_cert cert;
    static echo_app echo;
    tl_tls *tls = NULL;
    tl_tls *roots = NULL;
    tl_http_server *server = NULL;
    char out[PEER_CAP];
    test_cert_make(&cert, "axon.test", "127.0.0.1");
    assert_int_equal(tl_tls_server_new(&tls, cert.cert_file, cert.key_file, NULL), TL_OK);
    assert_int_equal(tl_tls_client_new(&roots, cert.cert_file, NULL), TL_OK);
    echo_app_init(&echo);
    const tl_http_settings settings = {.tls = tls, .head_timeout_ms = 300, .linger_ms = 100};
    assert_int_equal(tl_http_server_start(&server, &settings, &echo.app, NULL), TL_OK);
    const uint16_t port = tl_http_server_port(server);
    const int silent = peer_open(port); /* a handshake that never comes */
    const int plain = peer_open(port);  /* HTTP, spoken to TLS */
    const int fd = peer_open(port);
    tl_tls_session *s = shake(fd, roots);
    ask_over_tls(fd, s, 5);
    ask_over_tls(fd, s, 60000);
    ask_over_tls(fd, s, 1);
    static const char request[] = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_true(peer_say(plain, request, sizeof request - 1));
    (void)peer_hear_all(plain, out);
    assert_null(strstr(out, "HTTP/1.1 200"));
    assert_true(peer_is_closed(silent));
    assert_int_equal(atomic_load(&echo.heads), 3);
    tl_tls_session_free(s);
    (void)close(silent);
    (void)close(plain);
    (void)close(fd);
    tl_http_server_free(server);
    tl_tls_free(tls);
    tl_tls_free(roots);
    test_cert_remove(&cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_threads_answer),
        cmocka_unit_test(a_loop_that_cannot_start_undoes_the_others),
        cmocka_unit_test(requests_come_over_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
