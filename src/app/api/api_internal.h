/* What the files of the kit share. Names end in who may touch a field: L the loop's thread, W whoever has the call (the loop
 * until it is queued, then one worker, then the loop again). */
#ifndef TALLY_APP_API_INTERNAL_H
#define TALLY_APP_API_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/api/api.h"
#include "app/schema/schema.h"
#include "app/windows/windows.h"
#include "io/net/http/http.h"
#include "io/net/limit/limit.h"
#include "io/net/tls/tls.h"
#include "io/observe/metrics/metrics.h"
#include "sdk/auth/auth.h"
#include "sdk/replay/replay.h"

enum {
    TL__API_SEGMENTS_MAX = 12, /* of a path */
    TL__API_STATUS_MAX = 600,
    TL__API_HEADERS_MAX = 24,    /* of an answer */
    TL__API_OWN_HEADERS_MAX = 8, /* of those a handler's */
    TL__API_METHODS = 5,
    TL__API_ETAG_CAP = 48,
    TL__API_DRAIN_MS = 10000,
};

#define TL__API_CALL_LEN     ((size_t)256 << 20) /* of a call's arena */
#define TL__API_WAITING_LEN  ((size_t)512 << 20) /* of bodies that wait for a worker (API-5) */
#define TL__API_GZIP_LEN_MIN ((size_t)1024)      /* shorter bodies are sent as they are */

/* --- routes (route.c) --- */

typedef struct tl__reply {
    int status;
    const char *what;
    const tl_schema *schema; /* NULL: no body, or one that is no JSON */
    const char *schema_name; /* as the route named it */
    const char *media;       /* NULL: no body */
} tl__reply;

typedef struct tl__route {
    const tl_api_route *spec;
    tl_str path;
    tl_str segments[TL__API_SEGMENTS_MAX];
    bool is_param[TL__API_SEGMENTS_MAX];
    size_t segment_count;
    const tl_schema *params[TL_API_PARAMS_MAX];
    const tl_schema *body;
    tl__reply *replies;
    size_t reply_count;
    uint64_t body_len_max;
    tl_series *seconds;
    struct tl__route *methods[TL__API_METHODS]; /* all routes of this path, by method */
} tl__route;

tl_err tl__routes_make(tl_api *api, tl_errctx *ctx);

/* tl__route_match: the route of the path, by its method where there is one; segments are views of path. NULL: no such path. */
tl__route *tl__route_match(tl_api *api, tl_str path, tl_str *segments);
const tl__reply *tl__route_reply(const tl__route *route, int status);
const char *tl__method_name(tl_api_method method);
bool tl__method_parse(tl_api_method *out, tl_str text);
void tl__route_put_allow(tl_sb *sb, const tl__route *route);

/* --- a call --- */

typedef enum tl__state { TL__CALL_BODY, TL__CALL_WORKING, TL__CALL_DONE } tl__state;

typedef struct tl__lane {
    tl_api *api;
    tl_http_loop *loop;
    uint64_t id_salt;
    uint64_t id_next;
} tl__lane;

struct tl_api_call {
    tl_http_post post;        /* back to the loop */
    struct tl_api_call *next; /* of the queue */
    tl_api *api;
    tl__lane *lane;
    tl_http_exchange *x; /* L; NULL: nobody takes the answer */
    tl__state state;     /* L */
    _Atomic bool is_gone;
    tl_arena *arena;
    const tl__route *route; /* NULL: no such path */
    char id[TL_API_ID_MAX + 1];
    bool is_head;
    bool is_exempt;   /* of limits by address */
    tl_net_addr peer; /* behind a trusted proxy: the one it names */
    int64_t begun_ns;
    tl_log log;
    void *worker;
    tl_api_caller caller;

    /* the request, copied: it outlives the exchange */
    tl_str method;
    tl_str target;
    tl_str path;
    tl_str query;
    tl_http_headers headers;
    tl_bytes body;
    tl_str segments[TL__API_SEGMENTS_MAX];
    tl_str values[TL_API_PARAMS_MAX]; /* of parameters; ptr NULL: not given */
    const tl_json *json;
    int fd; /* of a body that went to a file; below 0: none */
    uint64_t fd_len;
    uint32_t memory_len; /* of a file that lies in memory: what it was counted as */
    bool is_fd_bad;

    /* the answer */
    bool is_answered;
    int status;
    bool has_code;
    tl_api_code code;
    tl_bytes answer;
    const char *media;
    tl_api_page *page;
    tl_http_header own[TL__API_OWN_HEADERS_MAX];
    size_t own_count;
    bool is_gzip;
    char etag[TL__API_ETAG_CAP];
    bool has_windows;
    tl_windows_state windows;
    uint32_t retry_after_s;
    size_t sent_len;
};

struct tl_api_page {
    _Atomic uint32_t refs;
    tl_bytes body;
    tl_bytes gzip; /* empty: not worth it */
    char etag[TL__API_ETAG_CAP];
    tl_arena *arena;
};

/* --- the queue (work.c) --- */

typedef struct tl__queue {
    pthread_mutex_t lock; /* of everything here */
    pthread_cond_t more;
    tl_api_call *first;
    tl_api_call *last;
    uint32_t waiting;
    uint32_t waiting_max;
    uint32_t working;
    size_t waiting_len;
    bool is_ending;
    bool has_lock;
    pthread_t *threads;
    unsigned thread_count;
} tl__queue;

tl_err tl__work_start(tl_api *api, tl_errctx *ctx);
void tl__work_stop(tl_api *api); /* what waits is done first */
void tl__work_free(tl_api *api);
bool tl__work_offer(tl_api *api, tl_api_call *call); /* false: full */

typedef struct tl__api_metrics {
    tl_metrics *registry;
    bool is_own;
    tl_metric *requests;
    tl_metric *seconds;
    tl_metric *refusals;
    tl_series *waiting;
    tl_series *working;
    tl_series *connections;
} tl__api_metrics;

struct tl_api {
    tl_api_settings settings;
    tl_arena *arena;
    tl_schemas *schemas;
    tl__route *routes;
    size_t route_count;
    tl_str document;
    tl_api_page *document_page;
    tl_auth_rules rules;
    tl_replay *replay;
    tl_windows *windows;
    tl_limit *strangers;
    tl_limit_lists *lists;
    tl_limit_lists *proxies;
    tl__api_metrics metrics;
    tl__queue queue;
    tl__lane *lanes;
    tl_tls *tls;
    tl_http_server *server;
    tl_clock real;               /* limits and signatures count on it */
    _Atomic uint64_t memory_len; /* of bodies' files that lie in memory */
    _Atomic bool is_draining;
    bool is_started;
    bool is_stopped;
};

/* --- stations, in their order --- */

/* gates.c: on the loop, from a request's head to a worker */
void tl__api_gates_on_head(void *user, tl_http_exchange *x);
void tl__api_gates_on_body(void *user, tl_http_exchange *x, tl_bytes chunk);
void tl__api_gates_on_request(void *user, tl_http_exchange *x);
void tl__api_gates_on_gone(void *user, tl_http_exchange *x, tl_http_gone why);
void tl__call_free(tl_api_call *call);

/* peer.c: who stands behind a trusted proxy */
tl_net_addr tl__peer_of(const tl_api *api, const tl_http_request *request);

/* who.c: on a worker: signature, replay, registration, credentials. False: the call is answered. */
bool tl__who_pass(tl_api_call *call);
bool tl__who_has_credentials(const tl_api_call *call); /* anything at all? */
bool tl__compat_pass(tl_api_call *call);

/* rates.c: windows by address before, by caller after the signature. False: answered 429. */
bool tl__rates_pass_address(tl_api_call *call);
bool tl__rates_pass_caller(tl_api_call *call);

/* input.c: parameters and body against their schemas. False: answered 400 or 415. */
bool tl__input_pass(tl_api_call *call);
bool tl__input_query(tl_str *out, tl_api_call *call, tl_str name, bool *is_twice); /* decoded */
bool tl__input_decode(tl_str *out, tl_arena *arena, tl_str text, bool is_query);

/* work.c: the stations of a worker, from address limits to the finished answer */
void tl__work_do(tl_api_call *call);

/* answer.c */
void tl__api_refuse(tl_api_call *call, tl_api_code code, const char *field, const char *message);
void tl__answer_finish(tl_api_call *call); /* W: status, schema, ETag, gzip */
void tl__answer_send(tl_api_call *call);   /* L: on the wire; the call is freed */
void tl__answer_static(tl_api_call *call, tl_http_exchange *x, tl_api_code code,
                       const char *message); /* L: while a worker has the call */

/* encode.c */
bool tl__encode_takes_gzip(tl_http_headers headers);
bool tl__encode_matches(tl_http_headers headers, const char *etag);
void tl__encode_etag(char out[TL__API_ETAG_CAP], tl_bytes body);

/* document.c, health.c, observe.c */
tl_err tl__document_write(tl_api *api, tl_errctx *ctx);
extern const tl_api_route tl__health_routes[];
extern const size_t tl__health_route_count;
extern const tl_api_schema tl__health_schemas[];
extern const size_t tl__health_schema_count;
extern const char tl__compat_error[]; /* in place of Error in a compat service */
tl_err tl__api_observe_init(tl_api *api, tl_errctx *ctx);
void tl__api_observe_start(tl_api *api); /* the server runs: its figures may be asked for */
void tl__api_observe_route(tl_api *api, tl__route *route);
void tl__api_observe_done(tl_api_call *call, int status, const char *code);

#endif
