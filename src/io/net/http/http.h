/* http: an HTTP/1.1 server that a stranger cannot hurt.
 * For         servers that must know exactly what was sent: the raw target, each field, the body as it arrives
 * Takes       settings, the callbacks of an application          Gives   exchanges: a request and room for its answer
 * Calls       libuv, llhttp, io/net/message, io/net/tls, io/sys  Called by   io/net/ws, sdk/axon
 * Owns        its threads, sockets, exchanges; an exchange lends its memory until it is answered or gone
 * Threads     start, stop, free: one thread; everything on a loop or an exchange: that loop's thread alone, but
 *             tl_http_loop_post, which any thread may call
 * Invariants  HTTP-1 what is no HTTP is answered 400 and never reaches the application
 *             HTTP-2 each exchange that on_head saw ends once: answered, or on_gone
 *             HTTP-3 answers leave a connection in the order of its requests
 *             HTTP-4 an idle connection holds no buffer
 * Read        head.c (what is a head), conn.c (the connection's states), answer.c, then server.c and loop.c (sockets)
 *
 * Threads and loops. The server runs loop_count threads, each with an event loop of its own; a connection stays on one
 * loop for its life. The first loop accepts, and hands each connection to the loop that has fewest.
 *
 * What happens to a request, always on its connection's loop:
 *
 *     head complete ──▶ on_head ──▶ body: on_body … ──▶ on_request ──▶ … ──▶ tl_http_answer
 *                          │  may answer at once (a refusal): the body is then drained or the connection closed
 *                          └─ may choose what becomes of the body: tl_http_take_body
 *     after all reads of this turn of the loop: on_turn (verify what on_request gathered, as one batch)
 *
 * An exchange `x` is the application's from on_head until it is answered whole (tl_http_answer), its stream has ended
 * (tl_http_stream_end, _cut), it is upgraded, or on_gone tells that there is nobody to answer; after that x, its request
 * and its arena are gone. Answering may be done at any time on the loop's thread: in a callback, or in a function that
 * another thread posted. The application's own state of a request hangs on tl_http_set_user, and is let go in on_gone.
 *
 * The server answers by itself, without the application: 400 (bad framing), 408 (head too slow), 413 (only when the
 * application leaves it to it), 417, 431, 501 (a method that llhttp does not
 * know, unless takes_any_method), 503 (connections, memory).
 */
#ifndef TALLY_IO_NET_HTTP_H
#define TALLY_IO_NET_HTTP_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "io/net/message/message.h"
#include "io/net/tls/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

typedef struct tl_http_server tl_http_server;
typedef struct tl_http_loop tl_http_loop;         /* one event loop and its thread */
typedef struct tl_http_exchange tl_http_exchange; /* one request and the room for its answer */

/* --- limits: defaults of the settings, and what cannot be set --- */

#define TL_HTTP_HEAD_LEN_MAX                                                                       \
    ((size_t)16 << 10)              /* request line and fields, with their line ends (431) */
#define TL_HTTP_FIELD_COUNT_MAX 100 /* (431) */
#define TL_HTTP_BODY_LEN_MAX    ((uint64_t)16 << 20)
#define TL_HTTP_PIPELINE_MAX                                                                       \
    16 /* requests of a connection that wait for answers; more are not read */
#define TL_HTTP_LOOP_COUNT_MAX 64

/* tl_http_settings: zero means the default beside it. Times are whole milliseconds; deadlines are kept to a tenth of a
 * second, or to a tenth of themselves when they are shorter than that. */
typedef struct tl_http_settings {
    tl_str listen_ip;            /* "127.0.0.1", "0.0.0.0", "[::]" (IPv4 too); empty: "127.0.0.1" */
    uint16_t listen_port;        /* 0: any that is free; tl_http_server_port tells */
    size_t loop_count;           /* threads; 1 */
    size_t connection_count_max; /* 16,384, or what the limit of open files leaves */
    size_t
        per_address_count_max; /* 512 connections of one IPv4 address or IPv6 /64; exempt ones do not count */
    uint64_t body_len_max;    /* 16 MiB; an exchange may be given its own */
    size_t bodies_len_max;    /* 1 GiB: bodies being collected, all connections together (503) */
    int64_t head_timeout_ms;  /* 10,000 from the first byte of a head to its last */
    int64_t body_timeout_ms;  /* 30,000 for a body, and … */
    int64_t body_more_ms;     /* … 1,000 more for each 64 KiB of it */
    int64_t idle_timeout_ms;  /* 75,000 without a request */
    int64_t write_timeout_ms; /* 30,000 for a peer to take 64 KiB of an answer */
    int64_t linger_ms;     /* 2,000 of draining before a connection with an unread body is closed */
    int64_t drain_ms;      /* 10,000 for what runs, when the server stops */
    size_t stream_len_max; /* 256 KiB of a stream may wait before its writer is told to pause */
    bool takes_any_method; /* a method that nobody knows is the application's to refuse (405) */
    const tl_tls *tls;     /* NULL: plain; borrowed, outlives the server */
    const tl_allocator
        *allocator; /* NULL: malloc; for tests that make allocations fail. From all loop threads */
} tl_http_settings;

/* --- what a request is --- */

/* tl_http_request: views into the exchange's memory. */
typedef struct tl_http_request {
    tl_str method; /* as sent: methods are case-sensitive */
    tl_str target; /* the request target as its bytes stood */
    tl_str
        origin; /* path and query: the target, or that part of an absolute-form target ("/" when it has none) */
    tl_str path;  /* origin up to the first '?', still encoded */
    tl_str query; /* behind that '?'; ptr NULL when there is none */
    tl_http_headers headers;
    tl_bytes body;           /* in and after on_request, when collected */
    uint64_t content_length; /* 0 unless has_content_length */
    bool has_content_length;
    bool is_chunked;
    bool has_body; /* chunked, or a length above 0 */
    bool is_http_1_0;
    bool is_tls;
    tl_net_addr peer;
    int64_t begun_ms; /* tl_http_loop_now_ms when the head was complete */
} tl_http_request;

/* tl_http_body_take: what becomes of the body. */
typedef enum tl_http_body_take {
    TL_HTTP_COLLECT,       /* request.body at on_request; no on_body. The default */
    TL_HTTP_CHUNKS,        /* on_body only; nothing is kept */
    TL_HTTP_CHUNKS_COLLECT /* both: hash while receiving, read at the end */
} tl_http_body_take;

/* tl_http_gone: why nobody takes an answer any more, or why the server ends the exchange itself. In the last four,
 * tl_http_answer may still be called once, inside on_gone, so that the refusal has the application's shape; otherwise
 * the server answers the status in brackets, in plain text. In the others whatever is still called does nothing. */
typedef enum tl_http_gone {
    TL_HTTP_GONE_PEER,   /* closed, reset, or did not take the answer in time */
    TL_HTTP_GONE_BAD,    /* its body was no HTTP: answered 400 */
    TL_HTTP_GONE_STOP,   /* the server stops and its drain time is over */
    TL_HTTP_GONE_MEMORY, /* no room to collect the body (503) */
    TL_HTTP_GONE_TOO_LARGE, /* body above the limit (413); before its first byte when Content-Length says so */
    TL_HTTP_GONE_BODY_SLOW, /* body not whole in time (408) */
    TL_HTTP_GONE_TIMEOUT    /* tl_http_set_timeout has passed (503) */
} tl_http_gone;

/* tl_http_app: the application. Any function may be NULL but on_request. `user` is the loop's (tl_http_loop_set_user). */
typedef struct tl_http_app {
    void *self;

    /* From the accepting loop's thread, before a byte is read; so they must bear calls while other loops run.
     * May this address connect? No: it is closed without a word. Do limits per address leave it alone? Default: loopback. */
    bool (*is_welcome)(void *self, const tl_net_addr *peer);
    bool (*is_exempt)(void *self, const tl_net_addr *peer);

    /* Make and free what hangs on a loop: the first inside tl_http_server_start, before the loop's thread runs; the other
     * on that thread, after its last exchange. */
    tl_err (*on_loop_start)(void *self, tl_http_loop *loop, tl_errctx *ctx);
    void (*on_loop_end)(void *self, tl_http_loop *loop);

    void (*on_head)(void *user, tl_http_exchange *x);
    void (*on_body)(void *user, tl_http_exchange *x, tl_bytes chunk); /* transfer coding removed */
    void (*on_request)(void *user, tl_http_exchange *x);
    void (*on_turn)(
        void *user,
        tl_http_loop *loop); /* after this turn's reads; what it answers leaves at once */
    void (*on_room)(void *user, tl_http_exchange *x); /* a stream that was full has room again */
    void (*on_gone)(void *user, tl_http_exchange *x, tl_http_gone why);
} tl_http_app;

/* --- the server (server.c) --- */

/* tl_http_server_start: bind, listen, start the threads. Raises the soft limit of open files to the hard one.
 * Settings and app are copied; self is borrowed until free.
 * Errors: RANGE for settings, REFUSED or LOCKED (address in use) for the address, IO, NOMEM; what on_loop_start returns. */
TL_MUST_USE tl_err tl_http_server_start(tl_http_server **out, const tl_http_settings *settings,
                                        const tl_http_app *app, tl_errctx *ctx);

uint16_t tl_http_server_port(const tl_http_server *server);
size_t tl_http_server_loop_count(const tl_http_server *server);
size_t
tl_http_server_connection_count(const tl_http_server *server); /* open now; from any thread */

/* tl_http_server_stop: accept no more, close what is idle, let what runs finish for drain_ms, close; returns when the
 * threads have ended. Every answer meanwhile says Connection: close. A second call does nothing. */
void tl_http_server_stop(tl_http_server *server);

/* tl_http_server_free: stops first when nobody did. Functions that were posted too late run here, so that what they
 * own is let go: they must not touch an exchange (each has had its on_gone). NULL is fine. */
void tl_http_server_free(tl_http_server *server);

/* --- a loop --- */

void tl_http_loop_set_user(tl_http_loop *loop, void *user); /* in on_loop_start */
void *tl_http_loop_user(const tl_http_loop *loop);
size_t tl_http_loop_index(const tl_http_loop *loop);   /* 0 … loop_count - 1 */
int64_t tl_http_loop_now_ms(const tl_http_loop *loop); /* steady; as of this turn */

/* tl_http_loop_uv: the libuv loop, for handles of the application's own; it closes them in on_loop_end. */
struct uv_loop_s *tl_http_loop_uv(tl_http_loop *loop);

/* tl_http_post: a function to run on a loop; the caller's storage, its own until fn is called. */
typedef struct tl_http_post {
    struct tl_http_post *next;
    void (*fn)(void *arg);
    void *arg;
} tl_http_post;

/* tl_http_loop_post: run fn(arg) on the loop's thread, soon, after what was posted before. From any thread; never
 * fails; fn may free the storage. */
void tl_http_loop_post(tl_http_loop *loop, tl_http_post *post, void (*fn)(void *arg), void *arg);

/* --- an exchange --- */

const tl_http_request *tl_http_request_of(const tl_http_exchange *x);
tl_arena *tl_http_arena(tl_http_exchange *x); /* ends with the exchange; at most 64 MiB */
tl_http_loop *tl_http_loop_of(const tl_http_exchange *x);
void tl_http_set_user(tl_http_exchange *x, void *user);
void *tl_http_user(const tl_http_exchange *x);

/* tl_http_take_body: in on_head; what becomes of this body, and its limits (0: the settings'). A Content-Length above
 * len_max is TL_HTTP_GONE_TOO_LARGE when on_head returns, and `100 Continue` is sent only after that. */
void tl_http_take_body(tl_http_exchange *x, tl_http_body_take take, uint64_t len_max,
                       int64_t timeout_ms);

/* tl_http_set_timeout: unless answered, or its stream begun, in that time from now: on_gone(TL_HTTP_GONE_TIMEOUT).
 * 0: none, the default. */
void tl_http_set_timeout(tl_http_exchange *x, int64_t timeout_ms);

/* tl_http_answer: the whole answer. Adds Date, Content-Length and Connection; for HEAD, 204 and 304 sends no body.
 * x is gone on return. Everything is copied or sent before that.
 * status   200 … 599
 * headers  names and values as they go on the wire, without the three above. A name or value with a control character, or
 *          more than 64 KiB of them: 500 is answered in their place, without a body.
 * body     may be empty */
void tl_http_answer(tl_http_exchange *x, int status, tl_http_headers headers, tl_bytes body);

/* tl_http_stream_begin: status and headers of an answer of unknown length: chunked; to HTTP/1.0, ended by closing.
 * The exchange lives on. */
void tl_http_stream_begin(tl_http_exchange *x, int status, tl_http_headers headers);

/* tl_http_stream_write: one more piece. True: there is room for more. False: it was taken, but the peer is slow: wait
 * for on_room. Who writes on regardless is cut at four times stream_len_max. Empty pieces write nothing. */
bool tl_http_stream_write(tl_http_exchange *x, tl_bytes piece);

/* tl_http_stream_end: the last chunk; x is gone. tl_http_stream_cut: what was written is sent, then the connection closes
 * without a last chunk, so that the peer knows that it did not get all; x is gone. Without a stream, tl_http_stream_cut
 * closes the connection unanswered. */
void tl_http_stream_end(tl_http_exchange *x);
void tl_http_stream_cut(tl_http_exchange *x);

/* --- another protocol on the same connection (upgrade.c) --- */

typedef struct tl_http_tunnel tl_http_tunnel;

/* tl_http_tunnel_calls: after an upgrade, the connection's bytes. on_end comes once, last, also after
 * tl_http_tunnel_close; the tunnel is gone on its return. on_stop: the server drains; without one, the tunnel is closed. */
typedef struct tl_http_tunnel_calls {
    void (*on_bytes)(void *self, tl_http_tunnel *tunnel, tl_bytes bytes);
    void (*on_room)(void *self, tl_http_tunnel *tunnel);
    void (*on_tick)(void *self, tl_http_tunnel *tunnel); /* about once a second: pings, deadlines */
    void (*on_stop)(void *self, tl_http_tunnel *tunnel);
    void (*on_end)(void *self, tl_http_tunnel *tunnel);
} tl_http_tunnel_calls;

/* tl_http_upgrade: answer 101 with these headers and hand the connection over; x is gone. Only for a request without
 * a body, from on_request on, while no other answer of its connection is outstanding: NULL, x untouched, otherwise.
 * calls is borrowed, and self, until on_end. */
tl_http_tunnel *tl_http_upgrade(tl_http_exchange *x, tl_http_headers headers,
                                const tl_http_tunnel_calls *calls, void *self);

/* tl_http_tunnel_write: as tl_http_stream_write, without framing. */
bool tl_http_tunnel_write(tl_http_tunnel *tunnel, tl_bytes bytes);

/* tl_http_tunnel_close: send what waits, then close; on_end follows later, never inside this call. */
void tl_http_tunnel_close(tl_http_tunnel *tunnel);

tl_http_loop *tl_http_tunnel_loop(const tl_http_tunnel *tunnel);

/* tl_http_status_text: "Not Found"; "Status" for a number without a name. */
const char *tl_http_status_text(int status);

#ifdef __cplusplus
}
#endif

#endif
