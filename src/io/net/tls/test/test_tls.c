/* Attacks TLS between two buffers: a certificate of another host, a key of another certificate, garbage, plain bytes too
 * early, an old version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cert.h"
#include "io/net/tls/tls.h"

static test_cert cert;

static int make_cert(void **state)
{
    (void)state;
    test_cert_make(&cert, "axon.test", "127.0.0.1");
    return 0;
}

static int remove_cert(void **state)
{
    (void)state;
    test_cert_remove(&cert);
    return 0;
}

/* Carry what waits from one to the other, in pieces of `step` bytes; false: there was nothing. */
static bool carry(tl_tls_session *from, tl_tls_session *to, size_t step)
{
    uint8_t bytes[20000];
    const size_t n = tl_tls_pull(from, bytes, sizeof bytes);
    for (size_t at = 0; at < n; at += step) {
        (void)tl_tls_feed(to, (tl_bytes){bytes + at, n - at < step ? n - at : step});
    }
    return n > 0;
}

static void talk(tl_tls_session *a, tl_tls_session *b, size_t step)
{
    (void)tl_tls_start(a);
    for (bool is_more = true; is_more;) {
        is_more = carry(a, b, step);
        is_more = carry(b, a, step) || is_more;
    }
}

typedef struct pair {
    tl_tls *server_ctx;
    tl_tls *client_ctx;
    tl_tls_session *server;
    tl_tls_session *client;
} pair;

static void open_pair(pair *p, const char *host, size_t step)
{
    assert_int_equal(tl_tls_server_new(&p->server_ctx, cert.cert_file, cert.key_file, NULL), TL_OK);
    assert_int_equal(tl_tls_client_new(&p->client_ctx, cert.cert_file, NULL), TL_OK);
    p->server = tl_tls_session_new(p->server_ctx, NULL);
    p->client = tl_tls_session_new(p->client_ctx, host);
    assert_non_null(p->server);
    assert_non_null(p->client);
    assert_false(tl_tls_write(p->client, (tl_bytes){(const uint8_t *)"early", 5})); /* TLS-1 */
    assert_false(tl_tls_write(p->server, (tl_bytes){(const uint8_t *)"early", 5})); /* TLS-1 */
    talk(p->client, p->server, step);
}

static void close_pair(pair *p)
{
    tl_tls_session_free(p->server);
    tl_tls_session_free(p->client);
    tl_tls_free(p->server_ctx);
    tl_tls_free(p->client_ctx);
}

static void bytes_go_both_ways_however_they_are_cut(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, 20000};
    static uint8_t sent[100000];
    static uint8_t heard[100000];
    memset(sent, 'x', sizeof sent);
    for (size_t i = 0; i < 3; i++) {
        pair p;
        uint8_t small[16];
        open_pair(&p, i == 0 ? "127.0.0.1" : "axon.test", steps[i]);
        assert_int_equal(tl_tls_state_of(p.client), TL_TLS_OPEN);
        assert_int_equal(tl_tls_state_of(p.server), TL_TLS_OPEN);
        assert_true(tl_tls_write(p.client, (tl_bytes){(const uint8_t *)"ping", 4}));
        talk(p.client, p.server, steps[i]);
        assert_int_equal(tl_tls_read(p.server, small, sizeof small), 4);
        assert_int_equal(tl_tls_read(p.server, small, sizeof small), 0);
        assert_true(tl_tls_write(p.server, (tl_bytes){sent, sizeof sent}));
        talk(p.server, p.client, steps[i]);
        size_t len = 0;
        size_t n;
        while ((n = tl_tls_read(p.client, heard + len, sizeof heard - len)) > 0) {
            len += n;
        }
        assert_int_equal(len, sizeof sent);
        assert_memory_equal(heard, sent, len);
        tl_tls_close(p.server);
        talk(p.server, p.client, steps[i]);
        assert_int_equal(tl_tls_read(p.client, small, sizeof small), 0);
        assert_int_equal(tl_tls_state_of(p.client), TL_TLS_ENDED);
        close_pair(&p);
    }
}

static void a_certificate_of_another_host_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"other.test", "127.0.0.2", "axon.test.evil", "xon.test"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        pair p;
        open_pair(&p, others[i], 20000);
        assert_int_equal(tl_tls_state_of(p.client), TL_TLS_FAILED); /* TLS-2 */
        assert_false(tl_tls_write(p.client, (tl_bytes){(const uint8_t *)"x", 1}));
        close_pair(&p);
    }
    tl_tls *client = NULL; /* a stranger's certificate, with the system's roots alone */
    tl_tls *server = NULL;
    assert_int_equal(tl_tls_client_new(&client, NULL, NULL), TL_OK);
    assert_int_equal(tl_tls_server_new(&server, cert.cert_file, cert.key_file, NULL), TL_OK);
    tl_tls_session *a = tl_tls_session_new(client, "axon.test");
    tl_tls_session *b = tl_tls_session_new(server, NULL);
    talk(a, b, 20000);
    assert_int_equal(tl_tls_state_of(a), TL_TLS_FAILED); /* TLS-2 */
    assert_null(tl_tls_session_new(client, NULL));
    assert_null(tl_tls_session_new(client, ""));
    tl_tls_session_free(a);
    tl_tls_session_free(b);
    tl_tls_free(client);
    tl_tls_free(server);
}

static void garbage_fails_and_stays_failed(void **state)
{
    (void)state;
    static const char *const garbage[] = {"GET / HTTP/1.1\r\n\r\n",
                                          "\x16\x03\x01\xff\xff\xff\xff\xff\xff\xff"};
    tl_tls *server = NULL;
    assert_int_equal(tl_tls_server_new(&server, cert.cert_file, cert.key_file, NULL), TL_OK);
    for (size_t i = 0; i < 2; i++) {
        tl_tls_session *s = tl_tls_session_new(server, NULL);
        const tl_bytes bytes = {(const uint8_t *)garbage[i], strlen(garbage[i])};
        assert_int_equal(tl_tls_feed(s, bytes), TL_TLS_FAILED);
        assert_int_equal(tl_tls_feed(s, bytes), TL_TLS_FAILED);
        uint8_t out[16];
        assert_int_equal(tl_tls_read(s, out, sizeof out), 0);
        tl_tls_session_free(s);
    }
    tl_tls_free(server);
}

static void files_that_do_not_fit_are_told(void **state)
{
    (void)state;
    tl_tls *tls = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_tls_server_new(&tls, "/nonexistent/cert.pem", cert.key_file, &ctx),
                     TL_ERR_NOT_FOUND);
    assert_string_equal(ctx.field, "/nonexistent/cert.pem");
    assert_int_equal(tl_tls_server_new(&tls, cert.cert_file, "/nonexistent/key.pem", &ctx),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_tls_server_new(&tls, cert.key_file, cert.key_file, &ctx), TL_ERR_SYNTAX);
    assert_int_equal(tl_tls_server_new(&tls, cert.cert_file, cert.cert_file, &ctx), TL_ERR_SYNTAX);
    assert_int_equal(tl_tls_server_new(&tls, cert.cert_file, cert.other_key_file, &ctx),
                     TL_ERR_CHECK);
    assert_int_equal(tl_tls_client_new(&tls, cert.key_file, &ctx), TL_ERR_SYNTAX);
    assert_null(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways_however_they_are_cut),
        cmocka_unit_test(a_certificate_of_another_host_is_refused),
        cmocka_unit_test(garbage_fails_and_stays_failed),
        cmocka_unit_test(files_that_do_not_fit_are_told),
    };
    return cmocka_run_group_tests(tests, make_cert, remove_cert);
}
