/* What the files of the axon share. A lane is what hangs on one loop of the HTTP server; a call is one request.
 *
 *     ON_LOOP: a field that only the call's loop thread touches. Everything else says who may.
 *
 *     call:  head ──▶ body ──▶ pending ──▶ waiting ──▶ handling ──▶ (answer sent) ──▶ over
 *              └────────┴─────────┴───────────┴── refused, or gone ───────────────────▶
 *
 * A call outlives its exchange only from `handling` on, and only when its route does not run inline: it is then detached, with
 * memory of its own, and what its handler does after the exchange has gone is dropped when it comes back to the loop. */
#ifndef TALLY_SDK_AXON_INTERNAL_H
#define TALLY_SDK_AXON_INTERNAL_H

#include "sdk/axon/axon.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/decimal/decimal.h"
#include "core/crypto/hash/hash.h"
#include "core/crypto/srverify/srverify.h"
#include "io/net/http/http.h"
#include "io/net/limit/limit.h"
#include "io/observe/metrics/metrics.h"
#include "sdk/auth/auth.h"
#include "sdk/exec/exec.h"
#include "sdk/replay/replay.h"
#include "sdk/synapse/synapse.h"

enum {
    TL__AXON_BATCH_MAX = 64,  /* signatures verified at once */
    TL__AXON_SEEN_KEYS = 256, /* prepared keys of a loop: 15 KiB each */
    TL__AXON_ID_CAP = 65,     /* of a correlation id: 64 visible characters and a NUL */
    TL__AXON_PROTOCOLS = 3,   /* as tl_auth_family_id numbers them */
    TL__AXON_FREE_CALLS_MAX = 1024,
    TL__AXON_LOG_LEN = 65536, /* of access lines before they are written */
    TL__AXON_WORKERS_MAX = 256,
    TL__AXON_CELLS = 2 * TL_AXON_ROUTES_MAX,
    TL__AXON_DETACHED_FLOOR = 65536 /* what a detached call is reckoned at, besides its body */
};

/* Detached calls are reckoned at four times their bodies (copy, model, answer), and may have seventeen times, since a body of
 * single digits is that much larger as values, and what the handler needs for its answer. All of them together: 1 GiB, then 503; so a sender of large bodies to a slow handler
 * cannot take the machine's memory. */
#define TL__AXON_DETACHED_BUDGET ((size_t)1 << 30)
#define TL__AXON_ANSWER_LEN      ((size_t)128 << 20)

/* The axon's drain: with what ends behind it (a program has a second), still within 10 s. */
#define TL__AXON_DRAIN_MS 8500

/* Why a request was answered as it was: labels of the metrics and the access log. The classes of sdk/auth come first. */
#define TL__REASON_MAP(X)                                                                          \
    X(UNKNOWN_NAME, "UnknownName")                                                                 \
    X(ROUTER, "Router") /* 405, 307, deeper paths */                                               \
    X(PARSE, "Parse")                                                                              \
    X(BODY_JSON, "BodyJson")                                                                       \
    X(BODY_MODEL, "BodyModel")                                                                     \
    X(BODY_HASH, "BodyHash")                                                                       \
    X(HANDLER, "Handler")                                                                          \
    X(GONE, "Gone")                                                                                \
    X(VERSION, "Version")

typedef enum tl__reason {
    TL__REASON_OK = 0,
    TL__REASON_AFTER_CLASSES = TL_AUTH_CLASS_COUNT - 1,
#define TL__REASON_ENUM(name, text) TL__REASON_##name,
    TL__REASON_MAP(TL__REASON_ENUM)
#undef TL__REASON_ENUM
        TL__REASON_COUNT
} tl__reason;

const char *tl__reason_name(tl__reason reason);

/* A route as it is served. */
typedef struct tl__route {
    tl_axon_route spec;
    tl_str name; /* label and log: the synapse's name, or "POST /echo" */
    tl_str method;
    tl_str path; /* without the star */
    bool is_prefix;
    struct tl__route *next; /* of the same path */
    tl_auth_rules rules;
    size_t body_len_max;
    int64_t stake_rao_min;
    double timeout_s;
    /* by protocol and reason, made when first wanted: any thread */
    _Atomic(tl_series *) requests[TL__AXON_PROTOCOLS][TL__REASON_COUNT];
    tl_series *seconds[TL__AXON_PROTOCOLS];
} tl__route;

typedef enum tl__call_state {
    TL__CALL_BODY,     /* the head passed, the body comes */
    TL__CALL_PENDING,  /* in lane->pending: its signature is looked at at the end of this turn */
    TL__CALL_WAITING,  /* in the queue */
    TL__CALL_HANDLING, /* a handler has it */
    TL__CALL_OVER      /* answered or gone; a handler may still have it */
} tl__call_state;

/* A piece of a stream on its way from a handler to the loop; the first one of a stream is its head and has no bytes. */
typedef struct tl__piece {
    struct tl__piece *next;
    tl_axon_call *call;
    tl_http_post post;
    bool is_head;
    size_t len;
    uint8_t bytes[];
} tl__piece;

typedef struct tl__lane tl__lane;

struct tl_axon_call {
    tl_axon *axon;
    tl__lane *lane;
    tl__route *route;    /* NULL: no route (a refusal that needs a call) */
    tl_http_exchange *x; /* ON_LOOP; NULL once answered or gone */
    tl_arena *arena;     /* the exchange's, or its own when detached */
    tl_axon_call *next_free;
    tl__call_state state; /* ON_LOOP, but WAITING and HANDLING under the queue's lock */
    bool is_detached;
    size_t reserved_len; /* of the budget */
    bool is_handled;     /* ON_LOOP: no handler has it, or it has come back */
    atomic_bool is_gone;
    atomic_int holders; /* who may still finish it: the handler while it runs, and tl_axon_later */
    bool is_later;      /* by the handler, before it returns */
    bool is_stream;     /* by the handler: begun */
    bool is_streaming;  /* ON_LOOP: the head of the stream was sent */
    bool is_full;       /* ON_LOOP: the stream waits for room */
    bool is_ending;     /* ON_LOOP: the stream ends behind what waits */
    bool is_cutting;    /* ON_LOOP: the same, without its last chunk */
    bool is_exempt;     /* from limits by address */

    /* the request; views into the exchange's memory, into its own when detached */
    tl_str method;
    tl_str target;
    tl_http_headers headers;
    tl_bytes body;
    tl_axon_caller caller;
    tl_auth_family_id family;
    tl_auth_claim claim;
    bool has_claim;
    tl_bytes message; /* that was signed */
    tl_sha256_state body_state;
    double timeout_s;
    int64_t begun_ns;   /* steady: head complete */
    int64_t handler_ns; /* steady: handler begun */
    uint32_t pending_index;
    char id[TL__AXON_ID_CAP];
    size_t id_len;
    bool has_own_id; /* the caller named it */

    /* the queue's (under its lock) */
    uint32_t heap_index;
    int64_t priority;
    uint64_t round;
    uint64_t serial;
    struct tl__flow *flow;
    tl_axon_call *next_run; /* in the workers' list */

    /* the handler's result, read by the loop when it has come back */
    tl_synapse *synapse;
    int status;
    tl_str content_type;
    tl_str status_message;
    tl_bytes answer_body;
    tl_http_headers answer_headers;
    tl__reason outcome;
    tl_err err;
    tl_err later_err; /* what tl_axon_finish was told */
    char later_message[128];
    tl__reason reason; /* ON_LOOP: why it is answered so; the outcome, once it has come back */
    size_t sent_len;   /* ON_LOOP, for the log */
    tl__piece *pieces; /* ON_LOOP */
    tl__piece **pieces_end;
    atomic_size_t stream_waiting;
    tl_http_post post;         /* the finish */
    tl_http_post start;        /* the start on its own loop, from the queue */
    atomic_bool is_broken;     /* a piece of the stream is missing */
    _Atomic(uint64_t) exec_id; /* what a program was asked for it; 0: nothing */
};

/* What hangs on one loop. All of it ON_LOOP. */
struct tl__lane {
    tl_axon *axon;
    tl_http_loop *loop;
    pthread_t thread; /* known from the first request on */
    bool has_thread;
    size_t index;
    tl_arena *arena; /* of the loop's life */
    tl_srkeys *keys; /* of hotkeys seen: one cache a loop, so it needs no lock */
    tl_axon_call *free_calls;
    uint32_t free_count;
    bool is_over; /* the loop has ended */
    tl_axon_call **pending;
    uint32_t pending_count;
    uint32_t pending_cap;
    struct tl__later *timers; /* steps that wait for their time */
    uint64_t id_next;
    uint64_t id_salt;
    char *log; /* access lines of this turn */
    size_t log_len;
    uv_timer_t log_timer;
    bool has_log_timer;
};

/* The queue: AXON-4. queue.c. */
typedef struct tl__queue {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t has_work;
    pthread_cond_t is_idle;
    uint32_t handling;
    uint32_t handling_max;
    tl_axon_call **heap;
    uint32_t waiting;
    uint32_t waiting_max;
    uint64_t serial;
    uint64_t round; /* of the call that left last */
    struct tl__flow **flows;
    struct tl__flow *free_flows;
    uint32_t flow_cells;
    tl_axon_call *run_first; /* for workers, in order */
    tl_axon_call **run_end;
    bool is_ending;
    pthread_t workers[TL__AXON_WORKERS_MAX];
    uint32_t worker_count;
} tl__queue;

typedef struct tl__axon_metrics {
    tl_metrics *registry;
    tl_metric *requests;
    tl_metric *seconds;
    tl_series *verify_seconds;
    tl_series *verify_batch;
    tl_series *waiting;
    tl_series *handling;
    tl_series *connections;
    tl_series *resident;
    tl_series *seen[4]; /* by tl_replay_answer */
    tl_series *exec_waiting;
    tl_series *exec_in_flight;
    tl_series *exec_ready;
    tl_series *exec_restarts;
    _Atomic(tl_series *) unrouted[TL__AXON_PROTOCOLS][TL__REASON_COUNT];
} tl__axon_metrics;

struct tl_axon {
    tl_axon_settings settings;
    tl_arena *arena;
    char ss58[TL_SS58_CAP];
    tl_hotkey hotkey;
    char uuid[TL_AUTH_UUID_CAP];           /* version 1, one an axon */
    tl__route *routes[TL_AXON_ROUTES_MAX]; /* in the order in which they were attached */
    size_t route_count;
    tl__route *cells[TL__AXON_CELLS]; /* by path: the first of that path; linear probing */
    tl_str known_names;               /* ['Synapse', …] as Python prints it; made by start */
    tl_limit_lists *lists;
    bool has_lists; /* with any entry */
    tl_limit *strangers;
    tl_limit *hotkeys; /* NULL: no limit */
    tl_redis *redis;
    tl_replay *replay;
    const tl_auth_memory *memory;
    tl_tls *tls;
    tl_exec *exec; /* borrowed; NULL: none */
    _Atomic(tl_http_server *) server;
    tl__queue queue;
    tl__axon_metrics metrics;
    tl__lane *lanes;
    atomic_bool is_draining;
    atomic_size_t detached_len; /* reserved, at most TL__AXON_DETACHED_BUDGET */
    bool has_queue;
    bool is_started;
    bool is_stopped;
};

/* gates.c: what is asked of a head, and of a body that came. */
void tl__gates_on_head(void *user, tl_http_exchange *x);
void tl__gates_on_body(void *user, tl_http_exchange *x, tl_bytes chunk);
void tl__gates_on_request(void *user, tl_http_exchange *x);
void tl__gates_on_gone(void *user, tl_http_exchange *x, tl_http_gone why);

/* verify.c: one turn's signatures. */
void tl__verify_add(tl_axon_call *call);
void tl__verify_drop(tl_axon_call *call); /* it is gone before its turn came */
void tl__verify_turn(void *user, tl_http_loop *loop);

/* admit.c: behind the signature: stake, rate, priority, the queue; then the handler. */
void tl__admit(tl_axon_call *call);
void tl__handle(void *call); /* runs the handler; any thread */

/* queue.c */
TL_MUST_USE tl_err tl__queue_init(tl__queue *queue, tl_axon *axon, tl_errctx *ctx);
TL_MUST_USE tl_err tl__queue_start(tl__queue *queue, uint32_t workers, tl_errctx *ctx);
void tl__queue_stop(tl__queue *queue);
void tl__queue_deinit(tl__queue *queue);
typedef enum tl__offered { TL__OFFERED_NOW, TL__OFFERED_WAITS, TL__OFFERED_FULL } tl__offered;
tl__offered tl__queue_offer(tl__queue *queue, tl_axon_call *call);
bool tl__queue_remove(tl__queue *queue, tl_axon_call *call); /* false: it has left already */
void tl__queue_done(tl__queue *queue);
void tl__queue_run(tl__queue *queue, tl_axon_call *call); /* on a worker */

/* answer.c: what leaves. All ON_LOOP but tl__build_answer. */
void tl__refuse(tl_axon_call *call, tl__reason reason, int status, tl_str message);
void tl__refuse_verdict(tl_axon_call *call, const tl_auth_verdict *verdict);
void tl__refuse_internal(tl_axon_call *call, tl__reason reason); /* 500 */
void tl__refuse_plain(tl_axon_call *call, tl__reason reason, int status,
                      const tl_http_header *extra, tl_str json); /* FastAPI's own answers */
void tl__refuse_timeout(tl_axon_call *call);                     /* 408 */
void tl__refuse_failed(tl_axon_call *call); /* by call->reason: the body or the handler failed */
void tl__refuse_wait(tl_axon_call *call, uint32_t wait_ms);  /* 429 */
tl_err tl__build_answer(tl_axon_call *call, tl_errctx *ctx); /* any thread: whoever handles */
tl_err tl__build_stream_head(tl_axon_call *call, tl_errctx *ctx);
void tl__send(tl_axon_call *call);
bool tl__is_v10(const tl_axon_call *call); /* does it get v10's answers? */

/* call.c: the life of a call. */
tl_axon_call *tl__call_new(tl__lane *lane, tl_http_exchange *x);
bool tl__call_detach(tl_axon_call *call);       /* false: no memory */
void tl__call_end_exchange(tl_axon_call *call); /* answered or gone */
void tl__call_come_back(void *call);            /* the handler has finished; ON_LOOP */
void tl__call_free_all(tl__lane *lane);
void tl__call_room(void *user, tl_http_exchange *x);
void tl__lane_end_timers(tl__lane *lane);
bool tl__on_own_loop(const tl_axon_call *call);

/* routes.c */
tl__route *tl__route_find(const tl_axon *axon, tl_str path); /* the first of that path, or NULL */
tl_err tl__routes_finish(tl_axon *axon, tl_errctx *ctx); /* what start derives from all of them */

/* observe.c: metrics and access lines. */
TL_MUST_USE tl_err tl__observe_init(tl_axon *axon, tl_errctx *ctx);
void tl__observe_route(tl_axon *axon, tl__route *route);
void tl__observe_deinit(tl_axon *axon);
void tl__observe_done(tl_axon_call *call, int status);
void tl__observe_flush(tl__lane *lane);
bool tl__health(tl__lane *lane,
                tl_http_exchange *x); /* true: it was one of the health routes, and is answered */

/* axon.c */
int64_t tl__now_ns(const tl_axon *axon);    /* wall */
int64_t tl__steady_ns(const tl_axon *axon); /* steady */

#endif
