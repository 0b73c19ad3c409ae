/* ws: WebSocket (RFC 6455), server and client, on an event loop that exists.
 * For         messages both ways over one connection: calls and subscriptions of a chain's node
 * Takes       an exchange of io/net/http that asks for the upgrade; or a URL
 * Gives       whole messages, checked; a close code
 * Calls       wslay (frames), OpenSSL (SHA-1 of the handshake), io/net/http, io/net/tls, libuv
 * Called by   sdk
 * Owns        a socket from accept or connect until its on_end; messages only while on_message runs
 * Threads     everything on one loop's thread
 * Invariants  WS-1 a text message that reaches the application is well-formed UTF-8, and no longer than the limit
 *             WS-2 each socket ends once: on_end comes last
 *             WS-3 a client's frames are masked and a server's are not; the other way round the connection is failed
 * Read        socket.c (frames), server.c, handshake.c, client.c
 *
 * No extension is offered or accepted (so nothing is compressed). A sub-protocol is chosen by the application.
 *
 *     opening ──handshake──▶ open ──close frame, either way──▶ closing ──the other's, or 5 s──▶ ended
 */
#ifndef TALLY_IO_NET_WS_H
#define TALLY_IO_NET_WS_H

#include "base/world/world.h"
#include "io/net/http/http.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_ws tl_ws; /* one connection, either side */

#define TL_WS_MESSAGE_LEN_MAX ((size_t)16 << 20) /* the default; a fragmented one counts whole */
#define TL_WS_REASON_LEN_MAX  123                /* of a close frame */

/* Close codes that are made here (RFC 6455 section 7.4.1). */
enum {
    TL_WS_CLOSE_NORMAL = 1000,
    TL_WS_CLOSE_AWAY = 1001,
    TL_WS_CLOSE_PROTOCOL = 1002,
    TL_WS_CLOSE_NONE = 1005, /* never sent: the peer gave no code */
    TL_WS_CLOSE_LOST = 1006, /* never sent: the connection broke, or was never made */
    TL_WS_CLOSE_BAD_TEXT = 1007,
    TL_WS_CLOSE_TOO_BIG = 1009
};

/* tl_ws_calls: any may be NULL but on_message. on_end comes once, last, also when a client never got through: then code is
 * TL_WS_CLOSE_LOST and text says why; else code and text are the peer's, text being untrusted. The socket is gone on its
 * return. */
typedef struct tl_ws_calls {
    void (*on_open)(void *self,
                    tl_ws *ws); /* a client's handshake is done; not called on a server */
    void (*on_message)(void *self, tl_ws *ws, tl_bytes message, bool is_text);
    void (*on_room)(void *self, tl_ws *ws); /* after tl_ws_send said false */
    void (*on_end)(void *self, tl_ws *ws, unsigned code, tl_str text);
} tl_ws_calls;

/* tl_ws_settings: zero means the default beside it. */
typedef struct tl_ws_settings {
    size_t message_len_max; /* TL_WS_MESSAGE_LEN_MAX: a longer one closes with 1009 */
    int64_t ping_ms;        /* 30,000 of silence, then a ping … */
    int64_t pong_ms;        /* … and 10,000 more, then the connection counts as lost */
    int64_t close_ms;       /* 5,000 for the peer to answer a close */
    int64_t connect_ms;     /* 10,000 for a client's handshake, TCP and TLS included */
    tl_str
        protocol; /* sub-protocol: a client offers it and insists; a server accepts it. Empty: none */
    const tl_tls *tls; /* a client's, for wss; borrowed until on_end */
} tl_ws_settings;

/* --- server (server.c) --- */

/* tl_ws_is_upgrade: does the request ask for a WebSocket? */
bool tl_ws_is_upgrade(const tl_http_request *request);

/* tl_ws_accept: answer the handshake and make a socket of the connection; in on_request, x is gone on return, whatever
 * comes of it: on TL_OK the socket is open, else x was answered 400 (a bad handshake), 426 (another version) or 503.
 * calls is borrowed, and self, until on_end.
 * Errors: SYNTAX, VERSION, NOMEM, STATE (other requests of the connection wait) */
TL_MUST_USE tl_err tl_ws_accept(tl_ws **out, tl_http_exchange *x, const tl_ws_calls *calls,
                                void *self, const tl_ws_settings *settings, tl_errctx *ctx);

/* --- client (client.c) --- */

/* tl_ws_connect: begin to connect to "ws://host[:port]/path" or "wss://…"; calls tell what comes of it, later.
 * uv        the loop: tl_http_loop_uv's, or one of the caller's own
 * entropy   for masks and the handshake's key; borrowed until on_end
 * headers   more of the handshake's, none of its own
 * Errors: SYNTAX (url), MISSING (wss without settings.tls), NOMEM, IO; then nothing is called */
TL_MUST_USE tl_err tl_ws_connect(tl_ws **out, struct uv_loop_s *uv, tl_str url,
                                 tl_http_headers headers, const tl_entropy *entropy,
                                 const tl_ws_calls *calls, void *self,
                                 const tl_ws_settings *settings, tl_errctx *ctx);

/* --- both (socket.c) --- */

/* tl_ws_send: one message. False: it was taken, but the peer is slow: wait for on_room. After a close it is dropped. */
bool tl_ws_send(tl_ws *ws, tl_bytes message, bool is_text);

/* tl_ws_close: begin to close, with a code of RFC 6455 or 3000 … 4999 and a reason of at most TL_WS_REASON_LEN_MAX bytes of
 * UTF-8 (longer ones are cut). on_end follows later, never inside this call. */
void tl_ws_close(tl_ws *ws, unsigned code, tl_str reason);

#ifdef __cplusplus
}
#endif

#endif
