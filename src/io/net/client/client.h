/* client: HTTP requests to other people's servers, many at a time, over libcurl.
 * For         the dendrite, and whatever else asks over HTTP: one request or hundreds in flight on one thread
 * Takes       requests as bytes: method, target, headers, body; what to do when they fail
 * Gives       answers: status, headers in order and as sent, body, or the fault in a word of ours
 * Calls       io/net/message, io/sys, libcurl (loaded at first use)   Called by   sdk/dendrite, app
 * Owns        connections, which it keeps for the next request; the calls that are under way
 * Threads     one tl_client, one thread; callbacks come on it, from tl_client_step and tl_client_run
 * Invariants  CLIENT-1 a target, a header's value and a body leave byte for byte as they were given
 *             CLIENT-2 a request is sent again only if its sender said so, and is prepared anew each time
 *             CLIENT-3 no answer takes more memory than its limits, whatever the server sends
 *             CLIENT-4 each call is told its end exactly once
 * Read        policy.c, then call.c from tl_client_start() down, then attempt.c, then curl.c
 *
 *      start ─▶ queued ─▶ in flight ─▶ judged ─┬▶ done        one call, one or more attempts:
 *                 ▲         │  ▲               │              an attempt is one request on the wire
 *                 │         │  └─ hedge: a second attempt     queued: by order of start, while there is room
 *                 └─ wait ◀─┴──── retry ◀──────┘              in all and at its host, and the breaker lets it
 *
 * libcurl is no part of the program's image: it brings thirty libraries, 7 MB and 5 ms with it, which commands that
 * send nothing need not pay. The first tl_client_new loads it.
 */
#ifndef TALLY_IO_NET_CLIENT_H
#define TALLY_IO_NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "io/net/message/message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- policies: pure, time and luck are arguments (policy.c) --- */

/* tl_backoff: how long to wait before the next attempt: base * 2^k, at most cap, of which a random part up to
 * jitter_percent is taken off. */
typedef struct tl_backoff {
    uint32_t retries_max; /* attempts after the first; 0: none */
    uint32_t base_ms;     /* 0: TL_BACKOFF_BASE_MS */
    uint32_t cap_ms;      /* 0: TL_BACKOFF_CAP_MS; a Retry-After above it ends the retries */
    uint8_t jitter_percent;
} tl_backoff;

#define TL_BACKOFF_BASE_MS        1000
#define TL_BACKOFF_CAP_MS         30000
#define TL_BACKOFF_RETRIES_MAX    16
#define TL_BACKOFF_JITTER_PERCENT 50 /* what callers without an opinion take */

/* tl_backoff_ms: the wait before retry k (0 the first). luck: any 32 bits. */
uint64_t tl_backoff_ms(const tl_backoff *rule, uint32_t k, uint32_t luck);

/* tl_retry_after_ms: a Retry-After: seconds, or a date of RFC 9110 (all three forms), counted from wall_ns. A date
 * that has passed is 0. False, out untouched, for any other text. */
bool tl_retry_after_ms(uint64_t *out, tl_str value, int64_t wall_ns);

/* tl_breaker: stops asking a host that fails, and tries it again after a while.
 *
 *      closed ──failures_max in a row──▶ open ──open_ms──▶ half-open ──probes_max good──▶ closed
 *                                          ▲                   │ one probe at a time
 *                                          └────── one bad ────┘
 */
typedef struct tl_breaker_rule {
    uint32_t failures_max; /* in a row; 0: no breaker */
    uint32_t open_ms;      /* 0: TL_BREAKER_OPEN_MS */
    uint32_t probes_max;   /* 0: TL_BREAKER_PROBES */
} tl_breaker_rule;

#define TL_BREAKER_FAILURES 5
#define TL_BREAKER_OPEN_MS  60000
#define TL_BREAKER_PROBES   3

typedef enum tl_breaker_state {
    TL_BREAKER_CLOSED,
    TL_BREAKER_OPEN,
    TL_BREAKER_HALF_OPEN
} tl_breaker_state;

/* Zero is a closed one. */
typedef struct tl_breaker {
    tl_breaker_state state;
    uint32_t failures; /* in a row, while closed */
    uint32_t probes;   /* good ones, while half open */
    bool is_probing;   /* one is under way */
    int64_t opened_ns; /* steady time */
} tl_breaker;

/* tl_breaker_ask: may a request go out now? A yes must be followed by one tl_breaker_tell, or by tl_breaker_forget
 * for a request that was given up before its end. */
bool tl_breaker_ask(tl_breaker *breaker, const tl_breaker_rule *rule, int64_t steady_ns);
void tl_breaker_tell(tl_breaker *breaker, const tl_breaker_rule *rule, bool is_good,
                     int64_t steady_ns);
void tl_breaker_forget(tl_breaker *breaker);

/* tl_pace: a token bucket: so many requests a second, so many at once after a pause. */
typedef struct tl_pace_rule {
    uint32_t per_s; /* 0: no limit */
    uint32_t burst; /* 0: 1 */
} tl_pace_rule;

typedef struct tl_pace {
    int64_t full_ns; /* when the bucket will be full again; 0 at first */
} tl_pace;

/* tl_pace_take: take a token and return 0, or return the ns after which there is one. */
int64_t tl_pace_take(tl_pace *pace, const tl_pace_rule *rule, int64_t steady_ns);

/* --- the client --- */

typedef struct tl_client tl_client;
typedef struct tl_client_call tl_client_call;

/* tl_client_options: zero means the default. */
typedef struct tl_client_options {
    tl_clock clock; /* of retries, pace and breakers; self NULL and functions NULL: the machine's */
    tl_entropy entropy;       /* of the jitter; fill NULL: the machine's */
    uint32_t flight_max;      /* requests on the wire in all; TL_CLIENT_FLIGHT */
    uint32_t host_flight_max; /* to one host and port; default: no bound but flight_max */
    uint32_t idle_s;          /* a kept connection is used again for so long; TL_CLIENT_IDLE_S */
    tl_breaker_rule breaker;  /* by host and port; default none */
    tl_pace_rule pace;        /* by host and port; default none */
    const char *ca_file;      /* authorities in PEM instead of the machine's; NULL: the machine's */
} tl_client_options;

#define TL_CLIENT_FLIGHT     256
#define TL_CLIENT_FLIGHT_MAX 4096
#define TL_CLIENT_IDLE_S                                                                           \
    4 /* below the 5 s after which the SDK's axon closes: a request that meets a closing
                                     connection is lost, since nobody knows whether it was read */
#define TL_CLIENT_HOSTS_MAX 8192 /* known at a time; the longest unused is forgotten */

/* tl_client_new: loads libcurl the first time. Errors: TL_ERR_IO when it is not on this machine or too old; TL_ERR_RANGE
 * (an option), TL_ERR_NOMEM. */
TL_MUST_USE tl_err tl_client_new(tl_client **out, const tl_client_options *options, tl_errctx *ctx);

/* tl_client_free: ends what is under way untold, closes all connections, frees the calls that are left. NULL is fine. */
void tl_client_free(tl_client *client);

/* X(NAME, text). Why there is no answer. */
#define TL_CLIENT_FAULT_MAP(X)                                                                     \
    X(NONE, "answered")                                                                            \
    X(CONNECT, "cannot connect")                                                                   \
    X(TLS, "TLS failed")                                                                           \
    X(TIMEOUT, "timed out")                                                                        \
    X(GONE, "server disconnected before it answered")                                              \
    X(CUT, "answer ended early or is framed wrongly")                                              \
    X(HEAD, "answer is no HTTP or its head is beyond the limits")                                  \
    X(BODY_LIMIT, "answer's body is beyond the limit")                                             \
    X(STOPPED, "given up by its receiver")                                                         \
    X(CANCELLED, "cancelled")                                                                      \
    X(BREAKER, "not sent: the host failed too often")                                              \
    X(PREPARE, "not sent: it could not be prepared")                                               \
    X(LOCAL, "failed on this machine")

typedef enum tl_client_fault {
#define TL_CLIENT_FAULT_ENUM(name, text) TL_CLIENT_##name,
    TL_CLIENT_FAULT_MAP(TL_CLIENT_FAULT_ENUM)
#undef TL_CLIENT_FAULT_ENUM
        TL_CLIENT_FAULT_COUNT
} tl_client_fault;

const char *tl_client_fault_text(tl_client_fault fault); /* static */

/* tl_client_request: what goes on the wire. Views; they live until the call is freed, or, set by prepare, as long as
 * the attempt's arena.
 * host     a name, an IPv4 address, or an IPv6 address without brackets
 * target   begins with '/'; visible ASCII and bytes above it: sent as it stands
 * headers  in this order, after Host and before Content-Length; Host, Content-Length, Transfer-Encoding and Connection
 *          are the client's own: refused here */
typedef struct tl_client_request {
    bool is_tls;
    tl_str host;
    uint16_t port;
    tl_str method;
    tl_str target;
    tl_http_headers headers;
    tl_bytes body;
} tl_client_request;

#define TL_CLIENT_TARGET_LEN_MAX 8192
#define TL_CLIENT_HOST_LEN_MAX   253
#define TL_CLIENT_REQUEST_FIELDS 256
#define TL_CLIENT_FIELD_LEN_MAX  65536 /* of a request's header: name and value */

/* tl_client_attempt: what prepare may change before a request goes out. */
typedef struct tl_client_attempt {
    uint32_t index; /* 0 the first, then 1, 2 …, hedges counted */
    bool is_hedge;
    tl_arena *arena;           /* lives until the call is freed */
    tl_client_request request; /* as the call has it; change what must differ, a signature:
                                  anything but is_tls, host and port */
} tl_client_attempt;

/* tl_client_answer: the end of a call. Views live until the call is freed. */
typedef struct tl_client_answer {
    tl_client_fault fault;
    uint16_t status;         /* of the answer; 0 when there is none */
    tl_http_headers headers; /* names as sent; folded lines joined by a space */
    tl_bytes body;           /* empty where on_chunk took it */
    const char *why;         /* the fault in words, NUL-terminated; "" when there is none */
    uint32_t attempts;
    uint32_t attempt_index; /* the one that answered */
    int64_t elapsed_ns;     /* of that attempt, by the clock */
    tl_err prepare_err;     /* fault PREPARE: what prepare returned */
    bool was_reused;        /* it went out on a kept connection */
    uint8_t http_major;     /* 1 or 2 */
} tl_client_answer;

/* tl_client_spec: one call. Zero means the default. */
typedef struct tl_client_spec {
    tl_client_request request;
    uint32_t timeout_ms; /* of an attempt, from its start on the wire; 0: TL_CLIENT_TIMEOUT_MS */
    uint32_t connect_timeout_ms; /* part of it; 0: the same */
    size_t body_len_max;         /* of the answer; 0: TL_CLIENT_BODY_LEN */
    size_t field_len_max; /* of one header of the answer, name and value; 0: TL_CLIENT_FIELD_LEN */
    bool is_repeatable;   /* only then retry and hedge count (CLIENT-2) */
    tl_backoff retry;     /* after CONNECT, TIMEOUT, GONE, CUT, 408, 429 and 5xx */
    uint32_t
        hedge_ms; /* a second attempt after so long without an answer; the first good answer wins,
                                    the other is cancelled; 0: never */
    void *self;
    /* Each may be NULL. prepare: sign anew; comes before every attempt, the first too; an error ends the call.
     * on_head and on_chunk: an answer as it comes; false gives it up. With on_chunk set, answers of status 200 are
     * streamed and neither retried nor hedged once a chunk was handed out. on_done: the end; the call may be freed there. */
    tl_err (*prepare)(void *self, tl_client_attempt *attempt, tl_errctx *ctx);
    bool (*on_head)(void *self, uint16_t status, tl_http_headers headers);
    bool (*on_chunk)(void *self, tl_bytes chunk);
    void (*on_done)(void *self, tl_client_call *call);
} tl_client_spec;

#define TL_CLIENT_TIMEOUT_MS 12000
#define TL_CLIENT_BODY_LEN   ((size_t)16 << 20)
#define TL_CLIENT_FIELD_LEN  8190
#define TL_CLIENT_HEAD_LEN   65536 /* of an answer's head in all */

/* tl_client_start: begin a call; nothing is sent before tl_client_step. The request's views are borrowed until the call
 * is freed. Errors: TL_ERR_SYNTAX (host, method, target, a header; the field says which), TL_ERR_LIMIT, TL_ERR_NOMEM. */
TL_MUST_USE tl_err tl_client_start(tl_client_call **out, tl_client *client,
                                   const tl_client_spec *spec, tl_errctx *ctx);

/* tl_client_cancel: end it with CANCELLED at the next step; nothing when it has ended. */
void tl_client_cancel(tl_client_call *call);

/* tl_client_call_free: what it holds goes; ends it untold if it is under way. Not from on_head, on_chunk or prepare.
 * NULL is fine. */
void tl_client_call_free(tl_client_call *call);

bool tl_client_is_done(const tl_client_call *call);
const tl_client_answer *
tl_client_borrow_answer(const tl_client_call *call); /* NULL before the end */

/* tl_client_step: carry on with everything; waits at most wait_ms for something to happen. */
TL_MUST_USE tl_err tl_client_step(tl_client *client, uint32_t wait_ms, tl_errctx *ctx);

/* tl_client_run: step until no call is under way. TL_ERR_INTERRUPTED when the process is asked to end: calls stay. */
TL_MUST_USE tl_err tl_client_run(tl_client *client, tl_errctx *ctx);

/* tl_client_count: calls that have not ended. */
size_t tl_client_count(const tl_client *client);

/* For other loops: readable when tl_client_step has work; and in how many ms it has some anyway (UINT32_MAX: never). */
int tl_client_fd(const tl_client *client);
uint32_t tl_client_due_ms(const tl_client *client);

/* tl_client_flight: how many requests are on the wire to a host now: for balancing by load. */
uint32_t tl_client_flight(const tl_client *client, tl_str host, uint16_t port);

/* tl_client_breaker: the state of a host's breaker. */
tl_breaker_state tl_client_breaker(const tl_client *client, tl_str host, uint16_t port);

#ifdef __cplusplus
}
#endif

#endif
