/* tls: TLS 1.2 and 1.3 between two buffers: bytes of the wire on one side, plain bytes on the other.
 * For         servers and clients that own their sockets
 * Takes       certificate and key files, or the roots to trust; bytes     Gives   bytes
 * Calls       OpenSSL                           Called by   io/net/http, io/net/ws
 * Owns        a context until free; a session until its free
 * Threads     a context may be shared once it is made; one session, one thread
 * Invariants  TLS-1 no plain byte leaves before the handshake is complete
 *             TLS-2 a client takes no certificate that is not of the host asked for
 */
#ifndef TALLY_IO_NET_TLS_H
#define TALLY_IO_NET_TLS_H

#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_tls tl_tls; /* a context: what all sessions of a server or client share */
typedef struct tl_tls_session tl_tls_session; /* one connection */

/* tl_tls_server_new: from a PEM certificate chain and its PEM private key, TLS 1.2 at least.
 * Errors: NOT_FOUND or IO (files), SYNTAX (not PEM), CHECK (the key is not the certificate's), NOMEM */
TL_MUST_USE tl_err tl_tls_server_new(tl_tls **out, const char *cert_file, const char *key_file,
                                     tl_errctx *ctx);

/* tl_tls_client_new: ca_file NULL: the system's roots. */
TL_MUST_USE tl_err tl_tls_client_new(tl_tls **out, const char *ca_file, tl_errctx *ctx);
void tl_tls_free(tl_tls *tls); /* NULL is fine */

/* tl_tls_session_new: host is the client's: the name (or address) that the certificate must be for; NULL for a server.
 * NULL when there is no memory, or the host is no name. */
tl_tls_session *tl_tls_session_new(const tl_tls *tls, const char *host);
void tl_tls_session_free(tl_tls_session *session); /* NULL is fine */

/* tl_tls_state: how a session stands. */
typedef enum tl_tls_state {
    TL_TLS_SHAKING, /* handshake under way */
    TL_TLS_OPEN,
    TL_TLS_ENDED, /* the peer said close_notify */
    TL_TLS_FAILED /* no TLS, no trust, or no memory; what waits to be sent (an alert) may still be */
} tl_tls_state;

/* tl_tls_feed: bytes from the wire; all are taken. Drives the handshake. */
tl_tls_state tl_tls_feed(tl_tls_session *session, tl_bytes wire);

/* tl_tls_start: a client's first step: it speaks first. */
tl_tls_state tl_tls_start(tl_tls_session *session);

/* tl_tls_read: plain bytes that have come; 0 when there are none (now, or any more: ask tl_tls_state_of). */
size_t tl_tls_read(tl_tls_session *session, uint8_t *out, size_t cap);

/* tl_tls_write: encrypt; false unless the session is open (TLS-1) or when it fails. */
TL_MUST_USE bool tl_tls_write(tl_tls_session *session, tl_bytes plain);

/* tl_tls_close: say close_notify. */
void tl_tls_close(tl_tls_session *session);

/* tl_tls_pull: bytes for the wire that wait; 0 when there are none. Ask after each of the calls above. */
size_t tl_tls_pull(tl_tls_session *session, uint8_t *out, size_t cap);

tl_tls_state tl_tls_state_of(const tl_tls_session *session);

#ifdef __cplusplus
}
#endif

#endif
