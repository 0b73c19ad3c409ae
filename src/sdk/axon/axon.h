/* axon: one server that answers signed requests, in three protocols on one port.
 * For         miners and validators: attach handlers to synapses (v10) and to routes (btauth/1, Epistula), start, drain
 * Takes       settings, a hotkey, definitions with callbacks; requests of strangers
 * Gives       answers, metrics, an access log, the record that the chain wants of an endpoint
 * Calls       io/net/http, io/net/limit, io/observe/metrics, sdk/synapse, sdk/auth, sdk/replay   Called by   app, programs
 * Owns        threads (loops, workers), connections and the replay store from start to free
 * Threads     new, attach, start, drain, stop and free belong to one thread; callbacks run on the axon's threads; what takes a
 *             tl_axon_call may be called from any thread until the call is finished
 * Invariants  AXON-1 a handler runs only for a caller whose signature held and was remembered, and for each
 *                    remembered request at most once (unless the axon was told not to verify)
 *             AXON-2 who the caller is comes from verified headers alone, never from a body
 *             AXON-3 each request is answered at most once, and what a late handler says is dropped
 *             AXON-4 at most handlers_max calls are in handlers, at most waiting_max wait, and no hotkey waits behind
 *                    another one's backlog within a priority
 *             AXON-5 a refusal repeats nothing that was sent, but for the name of an unknown synapse (as the SDK does)
 *             AXON-6 while a handler has a call, its memory is the handler's: the loop answers from elsewhere
 * Read        gates.c (the order of what is asked of a request), then verify.c, then queue.c, then answer.c
 *
 *      bytes ─▶ http ─▶ address list ─▶ cap, size, rate ─▶ headers ─▶ hotkey list ─▶ verify ─▶ stake ─▶ queue ─▶ handler
 *                        403             413 429            401 4xx    403            401 403    403      503      your C
 *
 * One turn of a loop verifies all requests that came whole in it as one batch. A light handler may run on the loop
 * itself (TL_AXON_INLINE); others run on workers, or answer later from wherever they like.
 */
#ifndef TALLY_SDK_AXON_H
#define TALLY_SDK_AXON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/log/log.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/key/key.h"
#include "io/net/message/message.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_axon tl_axon;
typedef struct tl_axon_call tl_axon_call; /* one request, from its head to its answer */
struct tl_axon_info;
struct tl_exec;
struct tl_keypair;
struct tl_synapse;
struct tl_synapse_def;

/* Limits, from the surface's defaults; those of the HTTP server are its own. */
#define TL_AXON_ROUTES_MAX       256
#define TL_AXON_HANDLERS_DEFAULT 256  /* calls in handlers at once */
#define TL_AXON_WAITING_DEFAULT  4096 /* calls that wait for a handler */
#define TL_AXON_TIMEOUT_S        12.0
#define TL_AXON_TIMEOUT_S_MAX    120.0
#define TL_AXON_BODY_DEFAULT     ((size_t)16 << 20)
#define TL_AXON_PORT_DEFAULT     8091

/* The protocols, as bits of a set. */
typedef enum tl_axon_protocol {
    TL_AXON_V10 = 1,
    TL_AXON_BTAUTH = 2,
    TL_AXON_EPISTULA = 4
} tl_axon_protocol;
#define TL_AXON_SIGNED 6u /* btauth and Epistula */
#define TL_AXON_ALL    7u

/* tl_axon_protocol_name: "v10", "btauth", "epistula". */
const char *tl_axon_protocol_name(tl_axon_protocol protocol);

/* tl_axon_caller: who asks. Without verification hotkey and ss58 are a mere claim, and is_verified says so. */
typedef struct tl_axon_caller {
    tl_hotkey hotkey;
    tl_str ss58; /* as the request named it */
    tl_axon_protocol protocol;
    bool is_verified;
    char address[48]; /* the peer's, text */
    uint16_t port;
} tl_axon_caller;

/* --- settings --- */

/* tl_axon_settings: zero means the default wherever one is named. Everything is borrowed until tl_axon_free. */
typedef struct tl_axon_settings {
    const char *host; /* default 0.0.0.0; [::] listens on both families */
    uint16_t port;    /* 0 takes a free one */
    unsigned loops;   /* threads that serve connections, default 1 */
    unsigned workers; /* threads that run handlers, default 4 */
    const struct tl_keypair
        *key;             /* the axon's hotkey: the receiver, and what signs v10's error answers */
    unsigned protocols;   /* a set, default TL_AXON_ALL */
    bool is_compat_sdk;   /* v10's own nonce rules and lenient forms */
    bool is_unverified;   /* measuring only */
    bool limits_loopback; /* penalties and caps by address hold on loopback too */
    const char *const
        *allow; /* SS58, IP or CIDR: with one of a kind, every other of that kind is shut out */
    size_t allow_count;
    const char *const *block;
    size_t block_count;
    size_t body_len_max;
    uint32_t handlers_max;
    uint32_t waiting_max;
    double hotkey_rate;  /* verified requests a second of one hotkey; 0: no limit */
    double hotkey_burst; /* default: the rate */
    /* stake in rao of a hotkey; NULL: no floor is ever asked for */
    int64_t (*stake_of)(void *self, const tl_hotkey *hotkey);
    void *stake_self;
    int64_t stake_rao_min;      /* of every route that names none */
    const char *dir;            /* of the replay store; NULL: in memory alone */
    const char *redis_url;      /* share replay store and limits by it; NULL: not */
    const char *redis_password; /* NULL: none */
    const char *tls_cert;       /* PEM files; both or none */
    const char *tls_key;
    const char *external_ip;  /* what the chain is told; never asked of the internet */
    uint16_t external_port;   /* default: port */
    const char *coldkey_ss58; /* of the record; NULL: none */
    tl_log *log;              /* lines about itself; NULL: none */
    void (*access)(
        void *self,
        tl_str line); /* an access line, JSON with its line end; NULL: none. Any loop calls it */
    void *access_self;
    tl_clock clock;     /* zero: the machine's */
    tl_entropy entropy; /* zero: the machine's */
} tl_axon_settings;

/* --- handlers --- */

/* forward: answer the call (below), or change its synapse; TL_OK sends it, anything else is a failed handler (500). */
typedef tl_err (*tl_axon_forward)(void *self, tl_axon_call *call, tl_errctx *ctx);

/* blacklist: true refuses (403); reason for the caller, ASCII, at most cap - 1 bytes. Runs before verification on v10,
 * as in the SDK: the hotkey is not proven yet. */
typedef bool (*tl_axon_blacklist)(void *self, const tl_axon_call *call, char *reason, size_t cap);

/* priority: higher goes first; every value within 0.0 … 1e9 is told apart to 1e-3. */
typedef double (*tl_axon_priority)(void *self, const tl_axon_call *call);

/* verify: in place of the protocol's own verification; an error refuses (401) with the message of ctx. The replay rule
 * of the protocol is then the caller's too. */
typedef tl_err (*tl_axon_verify)(void *self, const tl_axon_call *call, tl_errctx *ctx);

typedef enum tl_axon_runs {
    TL_AXON_ON_WORKER, /* may block */
    TL_AXON_INLINE,    /* on the loop: microseconds, never blocks, answers before it returns */
    TL_AXON_ASYNC /* on the loop, never blocks; the call has memory of its own, and may be answered later */
} tl_axon_runs;

/* tl_axon_route: what is attached. Either a synapse (v10: POST /<its name>) or method and path (signed protocols). */
typedef struct tl_axon_route {
    const struct tl_synapse_def *synapse; /* NULL: a signed route */
    const char *method;                   /* "POST"; NULL with a synapse */
    const char *
        path; /* "/predict", exact bytes before the '?'; one that ends in "/" + "*" takes all below */
    tl_axon_forward forward;
    tl_axon_blacklist blacklist; /* or NULL, as the next two */
    tl_axon_priority priority;
    tl_axon_verify verify;
    void *self;
    tl_axon_runs runs;
    unsigned
        protocols; /* of a signed route: default TL_AXON_SIGNED; those that the axon does not speak drop out */
    bool waives_receiver;  /* a request bound to nobody passes */
    double window_back_s;  /* how old a request may be; default the protocol's */
    double window_ahead_s; /* how far from the future; default the protocol's 2 s */
    double
        timeout_s; /* of the handler; default 12, at most 120. v10 takes the caller's, clamped to 120 */
    size_t body_len_max;   /* default the axon's */
    int64_t stake_rao_min; /* default the axon's */
} tl_axon_route;

/* --- the axon --- */

/* Errors: those of settings name the field ("allow[2]"); TL_ERR_IO, TL_ERR_LOCKED of the replay store. */
TL_MUST_USE tl_err tl_axon_new(tl_axon **out, const tl_axon_settings *settings, tl_errctx *ctx);
void tl_axon_free(tl_axon *axon); /* stops it first; NULL is fine */

/* tl_axon_attach: before start. The route is copied, what it points at is borrowed. The synapse `Synapse` (the SDK's ping)
 * is attached by tl_axon_new. Errors: TL_ERR_DUPLICATE, TL_ERR_LIMIT, TL_ERR_RANGE. */
TL_MUST_USE tl_err tl_axon_attach(tl_axon *axon, const tl_axon_route *route, tl_errctx *ctx);

/* tl_axon_attach_echo: the services that connectivity and load tests need (cli spec, --echo). */
TL_MUST_USE tl_err tl_axon_attach_echo(tl_axon *axon, tl_errctx *ctx);

/* tl_axon_attach_exec: what the program's first frame names, handed to it. Close exec after tl_axon_stop and before
 * tl_axon_free. Errors: those of the frame's routes and definitions. */
TL_MUST_USE tl_err tl_axon_attach_exec(tl_axon *axon, struct tl_exec *exec, tl_errctx *ctx);

/* tl_axon_start: listen and serve. Raises the process's limit of open files as far as it may. */
TL_MUST_USE tl_err tl_axon_start(tl_axon *axon, tl_errctx *ctx);
uint16_t tl_axon_port(const tl_axon *axon);    /* that it listens on */
const char *tl_axon_ss58(const tl_axon *axon); /* its hotkey's address */

/* tl_axon_drain: take no new connection, finish what was begun, at most 10 s, close. tl_axon_stop: that, and end the workers
 * (handlers are waited for, those who answer later too); NULL or stopped is fine. */
void tl_axon_drain(tl_axon *axon);
void tl_axon_stop(tl_axon *axon);

/* tl_axon_metrics_print: what /metrics answers. */
void tl_axon_metrics_print(tl_sb *sb, tl_axon *axon);

/* tl_axon_get_info: the record of this endpoint for the chain (sdk/weights), texts borrowed from the axon and its settings.
 * Errors: TL_ERR_MISSING without external_ip, TL_ERR_SYNTAX. */
TL_MUST_USE tl_err tl_axon_get_info(struct tl_axon_info *out, const tl_axon *axon, tl_errctx *ctx);

/* --- a call, for callbacks --- */

const tl_axon_caller *tl_axon_call_caller(const tl_axon_call *call);
tl_str tl_axon_call_method(const tl_axon_call *call);
tl_str tl_axon_call_target(const tl_axon_call *call); /* path and query as on the request line */
tl_http_headers tl_axon_call_headers(const tl_axon_call *call);
tl_bytes tl_axon_call_body(
    const tl_axon_call *call); /* empty for a synapse's blacklist, priority and verify */
tl_arena *tl_axon_call_arena(
    const tl_axon_call *call); /* dies with the call; whoever runs forward may use it */
tl_str tl_axon_call_id(const tl_axon_call *call); /* the correlation id */
double tl_axon_call_timeout_s(const tl_axon_call *call);

/* tl_axon_call_synapse: the model, to read and to change in forward; NULL on a signed route and before the body came. */
struct tl_synapse *tl_axon_call_synapse(const tl_axon_call *call);

/* tl_axon_call_is_gone: the caller left, or the time is over: what the handler still does is for nobody. */
bool tl_axon_call_is_gone(const tl_axon_call *call);

/* --- answering; body and texts are copied --- */

/* tl_axon_answer: the answer of a signed route. content_type NULL: application/octet-stream. */
void tl_axon_answer(tl_axon_call *call, int status, const char *content_type, tl_bytes body);

/* tl_axon_set_status: of a synapse: the axon.status_code and status_message that the answer carries (default 200, Success). */
void tl_axon_set_status(tl_axon_call *call, int status, const char *message);

/* tl_axon_stream_begin, _write: a body piece by piece, as it comes; not from a route that runs inline. tl_axon_stream_write says false when nobody listens any
 * more or too much waits to be sent (tl_axon_stream_waiting, bytes). A handler that fails after begin cuts the connection
 * without the last chunk, so that nobody takes the part for the whole. */
void tl_axon_stream_begin(tl_axon_call *call, const char *content_type);
bool tl_axon_stream_write(tl_axon_call *call, tl_bytes piece);
size_t tl_axon_stream_waiting(const tl_axon_call *call);
#define TL_AXON_STREAM_WAITING_MAX ((size_t)4 << 20)

/* tl_axon_later: forward will return TL_OK, and the call be finished by tl_axon_finish, from any thread, exactly once, also
 * when the caller is gone. Not for a route that runs inline (asserted). message is for the log; NULL: the error's. */
void tl_axon_later(tl_axon_call *call);
void tl_axon_finish(tl_axon_call *call, tl_err err, const char *message);

/* tl_axon_after: run step(self, call) on the call's loop, delay_ms from now; also when the caller is gone by then. */
void tl_axon_after(tl_axon_call *call, uint32_t delay_ms,
                   void (*step)(void *self, tl_axon_call *call), void *self);

#ifdef __cplusplus
}
#endif

#endif
