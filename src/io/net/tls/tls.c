/* TLS over two memory buffers of OpenSSL: what comes from the wire is put into one, what is to be sent lies in the other. */
#include "io/net/tls/tls.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tl_tls {
    SSL_CTX *ssl_ctx;
    bool is_client;
};

struct tl_tls_session {
    SSL *ssl;
    BIO *wire_in; /* both belong to ssl */
    BIO *wire_out;
    tl_tls_state state;
};

/* OpenSSL's reasons stay on a queue of this thread: take the last, forget the rest. */
static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return text != NULL ? text : "unknown reason";
}

static SSL_CTX *new_ssl_ctx(const SSL_METHOD *method)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(method);
    if (ssl_ctx == NULL) {
        return NULL;
    }
    (void)SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION);
    /* An idle connection keeps no buffers; nobody may make us pay for a second handshake. */
    (void)SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    return ssl_ctx;
}

static tl_err check_file(const char *path, tl_errctx *ctx)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, path, "\"%s\" cannot be read", path);
    }
    (void)fclose(file);
    return TL_OK;
}

static tl_err load_server(SSL_CTX *ssl_ctx, const char *cert_file, const char *key_file,
                          tl_errctx *ctx)
{
    TL_TRY(check_file(cert_file, ctx));
    TL_TRY(check_file(key_file, ctx));
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, cert_file) != 1) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, cert_file, "no certificate in \"%s\": %s",
                             cert_file, reason());
    }
    if (SSL_CTX_use_PrivateKey_file(ssl_ctx, key_file, SSL_FILETYPE_PEM) == 1) {
        return TL_OK;
    }
    const bool is_other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    return tl_fail_field(ctx, is_other ? TL_ERR_CHECK : TL_ERR_SYNTAX, key_file,
                         "\"%s\" is not the key of the certificate: %s", key_file, reason());
}

static tl_err wrap(tl_tls **out, SSL_CTX *ssl_ctx, bool is_client, tl_errctx *ctx)
{
    tl_tls *tls = malloc(sizeof *tls);
    if (tls == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for TLS");
    }
    *tls = (tl_tls){ssl_ctx, is_client};
    *out = tls;
    return TL_OK;
}

tl_err tl_tls_server_new(tl_tls **out, const char *cert_file, const char *key_file, tl_errctx *ctx)
{
    SSL_CTX *ssl_ctx = new_ssl_ctx(TLS_server_method());
    if (ssl_ctx == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for TLS");
    }
    tl_err err = load_server(ssl_ctx, cert_file, key_file, ctx);
    if (err == TL_OK) {
        err = wrap(out, ssl_ctx, false, ctx);
    }
    if (err != TL_OK) {
        SSL_CTX_free(ssl_ctx);
    }
    return err;
}

static tl_err load_client(SSL_CTX *ssl_ctx, const char *ca_file, tl_errctx *ctx)
{
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL); /* TLS-2 */
    if (ca_file == NULL) {
        if (SSL_CTX_set_default_verify_paths(ssl_ctx) != 1) {
            return tl_fail(ctx, TL_ERR_IO, "cannot read the system's roots: %s", reason());
        }
        return TL_OK;
    }
    TL_TRY(check_file(ca_file, ctx));
    if (SSL_CTX_load_verify_file(ssl_ctx, ca_file) != 1) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, ca_file, "no certificates in \"%s\": %s", ca_file,
                             reason());
    }
    return TL_OK;
}

tl_err tl_tls_client_new(tl_tls **out, const char *ca_file, tl_errctx *ctx)
{
    SSL_CTX *ssl_ctx = new_ssl_ctx(TLS_client_method());
    if (ssl_ctx == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for TLS");
    }
    tl_err err = load_client(ssl_ctx, ca_file, ctx);
    if (err == TL_OK) {
        err = wrap(out, ssl_ctx, true, ctx);
    }
    if (err != TL_OK) {
        SSL_CTX_free(ssl_ctx);
    }
    return err;
}

void tl_tls_free(tl_tls *tls)
{
    if (tls != NULL) {
        SSL_CTX_free(tls->ssl_ctx);
        free(tls);
    }
}

/* --- sessions --- */

/* The name that the certificate must carry: an address, or a host name, which the server is told too. */
static bool set_host(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1) {
        return true;
    }
    ERR_clear_error();
    /* SSL_set_tlsext_host_name casts the const away, which is an error here; this is the call behind it. */
    char name[TLSEXT_MAXLEN_host_name + 1];
    if (*host == 0 || strlen(host) >= sizeof name) {
        return false;
    }
    (void)tl_str_print(name, sizeof name, "%s", host);
    return SSL_set1_host(ssl, name) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

static bool open_session(tl_tls_session *s, const tl_tls *tls, const char *host)
{
    s->ssl = SSL_new(tls->ssl_ctx);
    s->wire_in = BIO_new(BIO_s_mem());
    s->wire_out = BIO_new(BIO_s_mem());
    if (s->ssl == NULL || s->wire_in == NULL || s->wire_out == NULL) {
        BIO_free(s->wire_in);
        BIO_free(s->wire_out);
        return false;
    }
    (void)BIO_set_mem_eof_return(s->wire_in, -1); /* empty means: later */
    SSL_set_bio(s->ssl, s->wire_in, s->wire_out);
    if (!tls->is_client) {
        SSL_set_accept_state(s->ssl);
        return true;
    }
    SSL_set_connect_state(s->ssl);
    return host != NULL && set_host(s->ssl, host); /* TLS-2 */
}

tl_tls_session *tl_tls_session_new(const tl_tls *tls, const char *host)
{
    tl_tls_session *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->state = TL_TLS_SHAKING;
    if (!open_session(s, tls, host)) {
        ERR_clear_error();
        tl_tls_session_free(s);
        return NULL;
    }
    return s;
}

void tl_tls_session_free(tl_tls_session *session)
{
    if (session != NULL) {
        SSL_free(session->ssl);
        free(session);
    }
}

static void shake(tl_tls_session *s)
{
    ERR_clear_error();
    const int n = SSL_do_handshake(s->ssl);
    if (n == 1) {
        s->state = TL_TLS_OPEN;
        return;
    }
    const int why = SSL_get_error(s->ssl, n);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        s->state = TL_TLS_FAILED;
        ERR_clear_error();
    }
}

tl_tls_state tl_tls_feed(tl_tls_session *session, tl_bytes wire)
{
    while (wire.len > 0 && session->state < TL_TLS_ENDED) {
        const int len = wire.len < INT_MAX ? (int)wire.len : INT_MAX;
        const int n = BIO_write(session->wire_in, wire.ptr, len);
        if (n <= 0) {
            session->state = TL_TLS_FAILED;
            break;
        }
        wire = (tl_bytes){wire.ptr + n, wire.len - (size_t)n};
    }
    if (session->state == TL_TLS_SHAKING) {
        shake(session);
    }
    return session->state;
}

tl_tls_state tl_tls_start(tl_tls_session *session)
{
    if (session->state == TL_TLS_SHAKING) {
        shake(session);
    }
    return session->state;
}

size_t tl_tls_read(tl_tls_session *session, uint8_t *out, size_t cap)
{
    if (session->state != TL_TLS_OPEN) { /* TLS-1 */
        return 0;
    }
    ERR_clear_error();
    const int n = SSL_read(session->ssl, out, cap < INT_MAX ? (int)cap : INT_MAX);
    if (n > 0) {
        return (size_t)n;
    }
    const int why = SSL_get_error(session->ssl, n);
    if (why == SSL_ERROR_ZERO_RETURN) {
        session->state = TL_TLS_ENDED;
    } else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        session->state = TL_TLS_FAILED;
        ERR_clear_error();
    }
    return 0;
}

bool tl_tls_write(tl_tls_session *session, tl_bytes plain)
{
    /* After the peer's close_notify we may still speak: it has only said that it will not. */
    if (session->state != TL_TLS_OPEN && session->state != TL_TLS_ENDED) {
        return false;
    }
    while (plain.len > 0) {
        ERR_clear_error();
        const int len = plain.len < INT_MAX ? (int)plain.len : INT_MAX;
        const int n = SSL_write(session->ssl, plain.ptr, len);
        if (n <= 0) { /* memory never has to wait, so this is a failure */
            ERR_clear_error();
            session->state = TL_TLS_FAILED;
            return false;
        }
        plain = (tl_bytes){plain.ptr + n, plain.len - (size_t)n};
    }
    return true;
}

void tl_tls_close(tl_tls_session *session)
{
    const bool is_said = (SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN) != 0;
    if (!is_said && (session->state == TL_TLS_OPEN || session->state == TL_TLS_ENDED)) {
        ERR_clear_error();
        (void)SSL_shutdown(session->ssl);
        ERR_clear_error();
    }
}

size_t tl_tls_pull(tl_tls_session *session, uint8_t *out, size_t cap)
{
    const int n = BIO_read(session->wire_out, out, cap < INT_MAX ? (int)cap : INT_MAX);
    return n > 0 ? (size_t)n : 0;
}

tl_tls_state tl_tls_state_of(const tl_tls_session *session)
{
    return session->state;
}
