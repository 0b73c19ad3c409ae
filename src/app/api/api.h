/* api: a REST service from a table of routes: one description for the gates, the handlers and the document.
 * For         services of JSON over HTTP that know who calls: the coordinator, later ones
 * Takes       routes as data, hooks (who is registered, which keys there are), requests of strangers
 * Gives       answers, /openapi.json, health routes, metrics, a log line a request
 * Calls       io/net/http, io/net/limit, io/redis, io/observe/metrics, sdk/auth, sdk/replay   Called by   app
 * Owns        its threads (loops, workers), connections, tables of limits and the replay store, from start to free
 * Threads     new, start, drain, stop and free belong to one thread; handlers run on the kit's threads; what takes a
 *             tl_api_call belongs to the thread that was given the call; hooks may be called from any of them at once
 * Invariants  API-1 a handler runs only for a caller that its route admits, and a signature admits one call
 *             API-2 a status that the route's table does not name is never answered: 500 goes out in its place
 *             API-3 every answer has X-Correlation-Id, and every refusal the one error body
 *             API-4 a handler sees only parameters and bodies that hold to the schemas of the document
 *             API-5 what waits for a worker is bounded; one more is 503 Busy
 * Read        gates.c (the order of what is asked of a request), then route.c, work.c, answer.c, document.c
 *
 *   head ─▶ address list ─▶ size ─▶ limit by address ─▶ body ─▶ │ worker: signature ─▶ replay ─▶ registered ─▶ permit
 *            403             413     429                        │          401          401         403         403
 *                                                               │ ─▶ limit by hotkey ─▶ parameters, body ─▶ handler
 *                                                               │     429                400 415             yours
 *
 * A route is a row:
 *
 *     static const tl_api_param epoch_params[] = {
 *         {.name = "epochId", .in = TL_API_IN_PATH, .schema = "{'$ref':'#/components/schemas/EpochId'}"},
 *     };
 *     static const tl_api_reply epoch_replies[] = {
 *         {200, "The epoch.", "Epoch"},
 *         {404, "There is no such epoch."},
 *     };
 *     {.method = TL_API_GET, .path = "/api/v1/epochs/{epochId}", .id = "getEpoch", .tag = "epochs",
 *      .summary = "One epoch.", .auth = TL_API_PUBLIC, TL_API_PARAMS(epoch_params), TL_API_REPLIES(epoch_replies),
 *      .handle = epochs_show},
 *
 * Schemas are JSON Schema 2020-12 as text, in which ' stands for ": those words that app/schema knows. Named ones are in
 * tl_api_settings.schemas and are referred to by '#/components/schemas/NAME'. What the kit itself may answer (400, 401,
 * 403, 408, 413, 415, 429, 500, 503, 304, 404 of a route with parameters in its path) is in every route's table without
 * being named: a route names its successes and its own refusals (404, 409, 410 …).
 *
 * Where the spec leaves a choice: query parameters that a route does not name are ignored, one that it names must come
 * once; a trailing slash is another path; unknown members of a body are for the body's schema to refuse.
 */
#ifndef TALLY_APP_API_H
#define TALLY_APP_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/log/log.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/key/key.h"
#include "io/net/message/message.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tl_metrics;
struct tl_redis;

typedef struct tl_api tl_api;
typedef struct tl_api_call tl_api_call; /* one request, from its head to its answer */
typedef struct tl_api_page tl_api_page; /* an answer that is kept to be given again */

/* Limits, and defaults of the settings. */
#define TL_API_ROUTES_MAX       256
#define TL_API_PARAMS_MAX       16 /* of a route */
#define TL_API_ROUTE_LIMITS_MAX 3
#define TL_API_WORKERS_DEFAULT  8
#define TL_API_WAITING_DEFAULT  2048
#define TL_API_BODY_DEFAULT     ((size_t)1 << 20) /* of a JSON body */
#define TL_API_ID_MAX           64                /* of a caller's correlation id */
#define TL_API_TEXT_MAX         4096              /* of a parameter's value */

/* --- errors: code and status (cli spec, "Errors"; the first rows are the classes of the wire spec, section 9.4) --- */

#define TL_API_CODE_MAP(X)                                                                         \
    X(MALFORMED_AUTH, "MalformedAuth", 401)                                                        \
    X(WRONG_RECEIVER, "WrongReceiver", 403)                                                        \
    X(STALE_REQUEST, "StaleRequest", 401)                                                          \
    X(BAD_SIGNATURE, "BadSignature", 401)                                                          \
    X(REPLAYED_REQUEST, "ReplayedRequest", 401)                                                    \
    X(FORBIDDEN, "Forbidden", 403)                                                                 \
    X(NOT_FOUND, "NotFound", 404)                                                                  \
    X(TOO_LARGE, "TooLarge", 413)                                                                  \
    X(TOO_MANY_REQUESTS, "TooManyRequests", 429)                                                   \
    X(BUSY, "Busy", 503)                                                                           \
    X(TIMEOUT, "Timeout", 408)                                                                     \
    X(DUPLICATE_HEADER, "DuplicateHeader", 400)                                                    \
    X(INVALID_REQUEST, "InvalidRequest", 400)                                                      \
    X(BAD_CREDENTIALS, "BadCredentials", 401)                                                      \
    X(NOT_REGISTERED, "NotRegistered", 403)                                                        \
    X(NOT_PERMITTED, "NotPermitted", 403)                                                          \
    X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405)                                                 \
    X(CONFLICT, "Conflict", 409)                                                                   \
    X(EPOCH_CLOSED, "EpochClosed", 410)                                                            \
    X(UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", 415)                                         \
    X(INTERNAL, "Internal", 500)

typedef enum tl_api_code {
#define TL_API_CODE_ENUM(name, text, status) TL_API_##name,
    TL_API_CODE_MAP(TL_API_CODE_ENUM)
#undef TL_API_CODE_ENUM
        TL_API_CODE_COUNT
} tl_api_code;

const char *tl_api_code_name(tl_api_code code);
int tl_api_code_status(tl_api_code code);

/* --- routes --- */

typedef enum tl_api_method {
    TL_API_GET, /* HEAD comes with it */
    TL_API_POST,
    TL_API_PUT,
    TL_API_PATCH,
    TL_API_DELETE
} tl_api_method;

/* tl_api_auth: who may call. Signed: btauth/1 (and where the service is compat, the original's strings). */
typedef enum tl_api_auth {
    TL_API_PUBLIC,
    TL_API_SIGNED, /* any hotkey whose signature holds */
    TL_API_MEMBER, /* signed and registered: what listings spec section 3 calls a miner; validators too */
    TL_API_VALIDATOR, /* registered, with permit and stake */
    TL_API_VIEWER, /* people and programs with a token or a key: role viewer or above, scope read or above */
    TL_API_OPERATOR, /* operator or admin; scope operate or admin */
    TL_API_ADMIN
} tl_api_auth;

typedef enum tl_api_runs {
    TL_API_ON_WORKER, /* may block (SQL, S3) */
    TL_API_INLINE /* on the loop: microseconds, never blocks; public routes without a body only */
} tl_api_runs;

typedef enum tl_api_place { TL_API_IN_PATH, TL_API_IN_QUERY, TL_API_IN_HEADER } tl_api_place;

typedef struct tl_api_param {
    const char *name;
    tl_api_place in;
    bool is_required;   /* of a query or header; a path's always is */
    const char *schema; /* of one value: type string, integer, number or boolean */
    const char *what;   /* one sentence */
} tl_api_param;

/* tl_api_reply: a status that the route can give. schema: a name of settings.schemas, or text that begins with '{'; NULL for
 * an error body (400 and above) or no body at all. media NULL: application/json. */
typedef struct tl_api_reply {
    int status;
    const char *what;
    const char *schema;
    const char *media;
} tl_api_reply;

typedef enum tl_api_by {
    TL_API_BY_HOTKEY,  /* of the verified caller; of people the token's subject or the key */
    TL_API_BY_ADDRESS, /* of the peer; loopback is exempt unless settings.limits_loopback */
    TL_API_BY_ALL      /* one count for everybody */
} tl_api_by;

/* tl_api_limit: count calls in a window. Windows are fixed and aligned to the clock (86,400: the UTC day), so that Remaining
 * and Reset are exact. Of `validator` callers another count may hold. group: routes that share one count; NULL: the route's. */
typedef struct tl_api_limit {
    uint32_t count;           /* 0: no limit */
    uint32_t count_validator; /* 0: as count */
    uint32_t window_s;
    tl_api_by by;
    const char *group;
} tl_api_limit;

typedef enum tl_api_body {
    TL_API_BODY_NONE,
    TL_API_BODY_JSON,
    TL_API_BODY_FILE /* any other media type: put to an unnamed file while it comes; public routes only */
} tl_api_body;

typedef tl_err (*tl_api_handler)(tl_api_call *call, tl_errctx *ctx);

typedef struct tl_api_route {
    tl_api_method method;
    const char *path; /* "/api/v1/epochs/{epochId}"; a literal wins over a parameter */
    const char *id;   /* operationId */
    const char *tag;
    const char *summary; /* one sentence */
    tl_api_auth auth;
    tl_api_runs runs;
    tl_api_limit limits[TL_API_ROUTE_LIMITS_MAX];
    const tl_api_param *params;
    size_t param_count;
    tl_api_body body;
    const char *body_schema;        /* as of a reply */
    const char *body_schema_compat; /* of the compat service; NULL: body_schema */
    const char *body_media;         /* of TL_API_BODY_FILE: "multipart/form-data" */
    bool is_body_optional;
    uint64_t body_len_max; /* 0: the settings' */
    const tl_api_reply *replies;
    size_t reply_count;
    const char *const *
        commitments; /* compat: strings that may be signed in place of btauth, "a:{epochId}:{timestamp}", where
                                       {name} is a member of the query or body; ends with NULL. NULL: none */
    bool is_uncached; /* no ETag, Cache-Control: no-store (secrets, presigned forms) */
    tl_api_handler handle;
} tl_api_route;

#define TL_API_PARAMS(a)  .params = (a), .param_count = sizeof(a) / sizeof((a)[0])
#define TL_API_REPLIES(a) .replies = (a), .reply_count = sizeof(a) / sizeof((a)[0])

typedef struct tl_api_schema {
    const char *name; /* "Epoch" */
    const char *text;
} tl_api_schema;

/* --- who calls --- */

/* tl_api_member: what the metagraph says of a hotkey. */
typedef struct tl_api_member {
    uint32_t uid;
    tl_hotkey coldkey;
    int64_t stake_rao;
    bool has_permit;
} tl_api_member;

typedef enum tl_api_role {
    TL_API_ROLE_NONE,
    TL_API_ROLE_VIEWER,
    TL_API_ROLE_OPERATOR,
    TL_API_ROLE_ADMIN
} tl_api_role;

typedef struct tl_api_caller {
    bool is_signed;    /* hotkey and ss58 are the signer's */
    bool is_member;    /* registered: member holds */
    bool is_validator; /* permit and stake */
    tl_hotkey hotkey;
    char ss58[64];
    tl_api_member member;
    tl_api_role role;                 /* of a token or key */
    char subject[64];                 /* "token:<jti>", "key:<id>", the ss58, or "" */
    char address[TL_NET_IP_TEXT_CAP]; /* behind a trusted proxy: the one it names */
} tl_api_caller;

/* --- the service --- */

/* tl_api_settings: zero means the default wherever one is named. Everything is borrowed until tl_api_free. */
typedef struct tl_api_settings {
    const char *title; /* of the document */
    const char *version;
    const char *host;        /* default 127.0.0.1 */
    uint16_t port;           /* 0 takes a free one */
    unsigned loops;          /* 1 */
    unsigned workers;        /* 8 */
    uint32_t waiting_max;    /* 2,048 */
    size_t body_len_max;     /* 1 MiB */
    int64_t call_timeout_ms; /* 30,000 from the head to an answer: 503 */
    const char *tls_cert;    /* PEM files; both or none */
    const char *tls_key;

    const tl_api_route *routes;
    size_t route_count;
    const tl_api_schema *schemas;
    size_t schema_count;
    void *self; /* of handlers and hooks */

    /* State of a worker thread (its SQL handle); tl_api_call_worker gives it. NULL: none. */
    tl_err (*worker_start)(void *self, void **worker, tl_errctx *ctx);
    void (*worker_end)(void *self, void *worker);

    tl_str self_ss58; /* the Receiver of signed requests */
    bool is_compat;   /* commitments, and the original's error shape */
    bool (*member)(void *self, tl_api_member *out,
                   const tl_hotkey *hotkey); /* false: not registered */
    int64_t validator_stake_rao;
    /* Credentials of people (app/access): the text behind "Bearer ", or of X-API-Key. TL_OK sets role and subject;
     * TL_ERR_REFUSED: BadCredentials; anything else: 500. NULL: none are taken. */
    tl_err (*token)(void *self, void *worker, tl_api_caller *out, tl_str token, tl_errctx *ctx);
    tl_err (*key)(void *self, void *worker, tl_api_caller *out, tl_str key, tl_errctx *ctx);
    /* Able to serve? Called by /readyz on a worker; why: a line when it is not. NULL: always. */
    bool (*is_ready)(void *self, void *worker, tl_sb *why);

    double limits_factor; /* multiplies limits by hotkey; with is_unlimited none hold. 0: 1 */
    bool is_unlimited;
    bool limits_loopback;
    const char *const
        *trusted_proxies; /* CIDR: X-Forwarded-For and Forwarded are believed from there */
    size_t trusted_proxy_count;
    const char *const *allow; /* SS58, IP or CIDR, as tl_limit_lists */
    size_t allow_count;
    const char *const *block;
    size_t block_count;
    const char *const *cors; /* origins, "https://example.org", or "*" */
    size_t cors_count;

    const char *dir;            /* of the replay store and unnamed files; NULL: in memory, /tmp */
    struct tl_redis *redis;     /* limits and replay store shared by it; NULL: in the process */
    const char *redis_prefix;   /* default self_ss58 */
    struct tl_metrics *metrics; /* where the kit's families go too; NULL: its own */
    const tl_log *log;          /* a line a request; its sink bears several threads; NULL: none */
    tl_clock
        clock; /* zero: the machine's. Of tokens and logs; limits and signatures count on the real clock */
    tl_entropy entropy;
    bool
        checks_answers; /* hold every JSON body that goes out against its schema; what does not hold is 500. For tests */
} tl_api_settings;

/* tl_api_new: reads the table, compiles schemas, writes the document.
 * Errors: TL_ERR_RANGE, TL_ERR_SYNTAX, TL_ERR_DUPLICATE of a route or schema (the field names it), settings' own. */
TL_MUST_USE tl_err tl_api_new(tl_api **out, const tl_api_settings *settings, tl_errctx *ctx);
void tl_api_free(tl_api *api); /* stops it first; NULL is fine */

/* tl_api_start: listen and serve. Errors: TL_ERR_IO, LOCKED, those of worker_start. */
TL_MUST_USE tl_err tl_api_start(tl_api *api, tl_errctx *ctx);
uint16_t tl_api_port(const tl_api *api);

/* tl_api_stop: take no new connection, finish what was begun, at most 10 s, close, end the workers. */
void tl_api_stop(tl_api *api);

/* tl_api_document: the OpenAPI 3.1 document, as served; lives as long as api. */
tl_str tl_api_document(const tl_api *api);

/* tl_api_metrics: the registry at /metrics. tl_api_has_status: may that route answer that status (tests)? */
struct tl_metrics *tl_api_metrics(const tl_api *api);
bool tl_api_has_status(const tl_api *api, const char *operation_id, int status);

/* --- a call, for handlers --- */

void *tl_api_call_self(const tl_api_call *call);
void *tl_api_call_worker(const tl_api_call *call);
tl_arena *tl_api_call_arena(tl_api_call *call); /* dies with the call; 16 MiB */
const tl_api_caller *tl_api_call_caller(const tl_api_call *call);
tl_str tl_api_call_id(const tl_api_call *call);      /* the correlation id */
int64_t tl_api_call_age_ms(const tl_api_call *call); /* since its head was complete */
tl_log *tl_api_call_log(tl_api_call *call);          /* lines with that id */
tl_http_headers tl_api_call_headers(const tl_api_call *call);

/* tl_api_param_str: decoded; an empty view with ptr NULL when it was not given and has no default, or the route does not
 * declare it. _i64: of type integer. */
tl_str tl_api_param_str(const tl_api_call *call, const char *name);
int64_t tl_api_param_i64(const tl_api_call *call, const char *name, int64_t otherwise);

const tl_json *tl_api_call_json(const tl_api_call *call); /* the body; NULL when there is none */
tl_bytes tl_api_call_body(const tl_api_call *call);       /* its bytes */

/* tl_api_call_file: of TL_API_BODY_FILE: a descriptor at offset 0, open until the call ends; *len its bytes; media the
 * Content-Type as it came. */
int tl_api_call_file(const tl_api_call *call, uint64_t *len, tl_str *media);

/* --- answering: exactly once in a handler, or return an error --- */

/* tl_api_answer: JSON, copied. tl_api_answer_sb: what a builder holds, whose arena lives as long as the call's; its error
 * is given back. */
void tl_api_answer(tl_api_call *call, int status, tl_str json);
TL_MUST_USE tl_err tl_api_answer_sb(tl_api_call *call, int status, tl_sb *sb, tl_errctx *ctx);

/* tl_api_answer_bytes: any media type, copied. tl_api_answer_lent: not copied: the bytes must live until the call's arena
 * dies (tl_arena_defer on it lets go of what is too large for it). tl_api_answer_empty: 204. */
void tl_api_answer_bytes(tl_api_call *call, int status, const char *media, tl_bytes body);
void tl_api_answer_lent(tl_api_call *call, int status, const char *media, tl_bytes body);
void tl_api_answer_empty(tl_api_call *call);

/* tl_api_set_header: of the answer; texts are copied. */
void tl_api_set_header(tl_api_call *call, const char *name, tl_str value);

/* tl_api_fail: the error body; gives TL_OK, so that a handler may `return tl_api_fail(…)`. field: a parameter's name, a JSON
 * pointer, or NULL. message: what a caller may know. */
tl_err tl_api_fail(tl_api_call *call, tl_api_code code, const char *field, const char *format, ...)
    TL_PRINTF(4, 5);

/* A handler that returns an error without having answered: TL_ERR_NOT_FOUND 404, IO and LOCKED 503 Busy,
 * bad input (SYNTAX, TYPE, RANGE, MISSING, ENCODING, DUPLICATE, LIMIT with a field) 400 InvalidRequest, everything else 500
 * Internal; the message of a 500 or 503 goes to the log, not to the caller. */

/* --- pages: a body made once and given often, with its ETag and its gzip form --- */

/* tl_api_page_new: counted references; the maker holds the first. */
TL_MUST_USE tl_err tl_api_page_new(tl_api_page **out, tl_str json, tl_errctx *ctx);
tl_api_page *tl_api_page_ref(tl_api_page *page);
void tl_api_page_unref(tl_api_page *page); /* NULL is fine */
void tl_api_answer_page(tl_api_call *call, int status,
                        tl_api_page *page); /* takes a reference of its own */

#ifdef __cplusplus
}
#endif

#endif
