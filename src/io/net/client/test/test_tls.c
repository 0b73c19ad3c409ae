/* Attacks trust: authorities that nobody knows, certificates of another host, servers that speak no TLS, and requests
 * that go to a TLS port in the clear. The server is ours (io/net/http), with certificates made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "io/net/client/client.h"
#include "io/net/http/http.h"
#include "io/net/tls/tls.h"
#include "io/sys/sys.h"

typedef struct secure {
    tl_arena *arena;
    const char *dir;
    const char *cert;
    const char *key;
    tl_tls *tls;
    tl_http_server *server;
} secure;

static void answer(void *user, tl_http_exchange *x)
{
    (void)user;
    const tl_http_request *r = tl_http_request_of(x);
    tl_http_answer(x, r->is_tls ? 200 : 400, (tl_http_headers){NULL, 0}, r->body);
}

/* A certificate of its own authority, for name ("IP:127.0.0.1" or "DNS:…"). */
static void make_certificate(const secure *s, const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    assert_true(key != NULL && x != NULL);
    X509_NAME *subject = X509_get_subject_name(x);
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1,
                                     -1, 0);
    (void)X509_set_issuer_name(x, subject);
    (void)X509_set_pubkey(x, key);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
    X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(names != NULL && ca != NULL && X509_add_ext(x, names, -1) == 1 &&
                X509_add_ext(x, ca, -1) == 1 && X509_sign(x, key, EVP_sha256()) > 0);
    FILE *file = fopen(s->cert, "w");
    assert_true(file != NULL && PEM_write_X509(file, x) == 1 && fclose(file) == 0);
    file = fopen(s->key, "w");
    assert_true(file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                fclose(file) == 0);
    X509_EXTENSION_free(names);
    X509_EXTENSION_free(ca);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void secure_start(secure *s, const char *name)
{
    assert_int_equal(tl_arena_new(&s->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&s->dir, s->arena, "/tmp/tally-tls", NULL), TL_OK);
    assert_int_equal(tl_sys_join(&s->cert, s->arena, s->dir, "cert.pem", NULL), TL_OK);
    assert_int_equal(tl_sys_join(&s->key, s->arena, s->dir, "key.pem", NULL), TL_OK);
    make_certificate(s, name);
    assert_int_equal(tl_tls_server_new(&s->tls, s->cert, s->key, NULL), TL_OK);
    const tl_http_settings settings = {.tls = s->tls, .drain_ms = 1};
    const tl_http_app app = {.on_request = answer};
    assert_int_equal(tl_http_server_start(&s->server, &settings, &app, NULL), TL_OK);
}

static void secure_stop(secure *s)
{
    tl_http_server_free(s->server);
    tl_tls_free(s->tls);
    (void)unlink(s->cert);
    (void)unlink(s->key);
    (void)rmdir(s->dir);
    tl_arena_free(s->arena);
}

/* The fault and the status of one request. */
static tl_client_fault ask(uint16_t port, bool is_tls, const char *ca_file, uint16_t *status)
{
    tl_client *client = NULL;
    tl_client_call *call = NULL;
    const tl_client_options options = {.ca_file = ca_file};
    const tl_client_spec spec = {.request = {.is_tls = is_tls,
                                             .host = TL_STR("127.0.0.1"),
                                             .port = port,
                                             .method = TL_STR("POST"),
                                             .target = TL_STR("/x"),
                                             .body = {(const uint8_t *)"hello", 5}}};
    assert_int_equal(tl_client_new(&client, &options, NULL), TL_OK);
    assert_int_equal(tl_client_start(&call, client, &spec, NULL), TL_OK);
    assert_int_equal(tl_client_run(client, NULL), TL_OK);
    const tl_client_answer *a = tl_client_borrow_answer(call);
    const tl_client_fault fault = a->fault;
    *status = a->status;
    if (fault == TL_CLIENT_NONE && a->status == 200) {
        assert_int_equal(a->body.len, 5);
    }
    tl_client_free(client);
    return fault;
}

static void a_trusted_server_is_asked(void **state)
{
    (void)state;
    secure s = {.arena = NULL};
    uint16_t status = 0;
    secure_start(&s, "IP:127.0.0.1");
    assert_int_equal(ask(tl_http_server_port(s.server), true, s.cert, &status), TL_CLIENT_NONE);
    assert_int_equal(status, 200);
    secure_stop(&s);
}

static void an_unknown_authority_is_a_fault(void **state)
{
    (void)state;
    secure s = {.arena = NULL};
    uint16_t status = 0;
    secure_start(&s, "IP:127.0.0.1");
    assert_int_equal(ask(tl_http_server_port(s.server), true, NULL, &status), TL_CLIENT_TLS);
    assert_int_equal(status, 0);
    assert_int_equal(ask(tl_http_server_port(s.server), true, s.key, &status), TL_CLIENT_TLS);
    secure_stop(&s);
}

static void a_certificate_of_another_host_is_a_fault(void **state)
{
    (void)state;
    secure s = {.arena = NULL};
    uint16_t status = 0;
    secure_start(&s, "DNS:elsewhere.example");
    assert_int_equal(ask(tl_http_server_port(s.server), true, s.cert, &status), TL_CLIENT_TLS);
    assert_int_equal(status, 0);
    secure_stop(&s);
}

static void tls_and_plain_do_not_mix(void **state)
{
    (void)state;
    secure s = {.arena = NULL};
    tl_http_server *plain = NULL;
    uint16_t status = 0;
    const tl_http_settings settings = {.drain_ms = 1};
    const tl_http_app app = {.on_request = answer};
    secure_start(&s, "IP:127.0.0.1");
    assert_int_equal(tl_http_server_start(&plain, &settings, &app, NULL), TL_OK);
    assert_int_equal(ask(tl_http_server_port(plain), true, s.cert, &status), TL_CLIENT_TLS);
    assert_true(ask(tl_http_server_port(s.server), false, NULL, &status) != TL_CLIENT_NONE ||
                status != 200);
    tl_http_server_free(plain);
    secure_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trusted_server_is_asked),
        cmocka_unit_test(an_unknown_authority_is_a_fault),
        cmocka_unit_test(a_certificate_of_another_host_is_a_fault),
        cmocka_unit_test(tls_and_plain_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
