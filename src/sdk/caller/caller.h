/* caller: JSON calls to a service, signed as btauth/1 where they must be.
 * For         miner, validator, doctor and load generator, which talk to a coordinator and to its object store
 * Takes       a base URL, a key, requests          Gives   answers: status, body, the service's own error code
 * Calls       io/net/client, sdk/auth              Called by   app
 * Owns        its connections
 * Threads     one tl_caller, one thread
 * Invariants  CALLER-1 each attempt of a signed request is signed anew: a repeat is never a replay
 *             CALLER-2 only what its sender calls repeatable is sent twice
 * Read        caller.c from tl_caller_run() down
 */
#ifndef TALLY_SDK_CALLER_H
#define TALLY_SDK_CALLER_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/keypair/keypair.h"
#include "io/net/client/client.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_caller tl_caller;

/* tl_caller_options: zero means the default. Texts are copied; keypair is borrowed as long as the caller lives. */
typedef struct tl_caller_options {
    tl_str url; /* of the service: "http://HOST:PORT", a path behind it is put before each target */
    const tl_keypair *keypair; /* NULL: nothing can be signed */
    tl_str
        receiver; /* the service's hotkey, which signatures are bound to; empty: set later, or unbound */
    uint32_t timeout_ms;   /* of an attempt; 20,000 */
    uint32_t retries_max;  /* of a repeatable request; 3 */
    uint32_t retry_ms;     /* the first pause; 250, then doubled … */
    uint32_t retry_cap_ms; /* … up to this; 10,000 */
    uint32_t flight_max;   /* requests at once in tl_caller_run; 16 */
    uint32_t per_s;        /* at most so many requests a second; 0: no limit */
    const char *ca_file;   /* NULL: the machine's authorities */
    tl_clock clock;        /* empty: the machine's */
    tl_entropy entropy;    /* empty: the machine's */
} tl_caller_options;

/* Errors: TL_ERR_SYNTAX (url), those of tl_client_new. */
TL_MUST_USE tl_err tl_caller_new(tl_caller **out, const tl_caller_options *options, tl_errctx *ctx);
void tl_caller_free(tl_caller *caller); /* NULL is fine */

/* tl_caller_set_receiver: bind signatures to that hotkey from now on. At most 64 bytes (asserted). */
void tl_caller_set_receiver(tl_caller *caller, tl_str ss58);

/* tl_caller_request: views, borrowed for the call. */
typedef struct tl_caller_request {
    tl_str method; /* empty: GET */
    tl_str target; /* behind the base URL: "/api/v1/info"; or a whole URL, which is never signed */
    tl_bytes body; /* empty: none */
    tl_str content_type;     /* empty: application/json where there is a body */
    tl_http_headers headers; /* more of them */
    bool is_signed;
    bool is_repeatable;
    bool
        is_bytes; /* the answer is no JSON of the service's, whatever its type says: it is not read */
    size_t answer_len_max; /* 0: 16 MiB */
} tl_caller_request;

/* tl_caller_answer: lives in the arena of the call. */
typedef struct tl_caller_answer {
    tl_client_fault fault; /* TL_CLIENT_NONE: there is a status */
    uint16_t status;
    tl_bytes body;
    tl_http_headers headers;
    const tl_json *json; /* of a body that is JSON; NULL: it is not, or there is none */
    tl_str code;         /* "EpochClosed" … of an error's body; empty: none */
    tl_str message;      /* of an error's body, or the fault in words */
    int64_t elapsed_ns;
    uint32_t attempts;
} tl_caller_answer;

/* tl_caller_run: carry out count requests, at most flight_max at once; answers in the order of the requests.
 * Errors: what is wrong with a request, field named; TL_ERR_INTERRUPTED, when the process is asked to end; the arena's.
 * An answer with a bad status and one that never came are no errors here. */
TL_MUST_USE tl_err tl_caller_run(tl_caller *caller, tl_caller_answer *answers, tl_arena *arena,
                                 const tl_caller_request *requests, size_t count, tl_errctx *ctx);

/* tl_caller_call: one request. */
TL_MUST_USE tl_err tl_caller_call(tl_caller *caller, tl_caller_answer *out, tl_arena *arena,
                                  const tl_caller_request *request, tl_errctx *ctx);

/* tl_caller_want: one request whose answer must be of status 200 to 299; else an error: REFUSED (401, 403), NOT_FOUND (404),
 * STATE (409, 410), LIMIT (413, 429), SYNTAX (400, 415), IO (all other, and no answer), with the service's own words. */
TL_MUST_USE tl_err tl_caller_want(tl_caller *caller, tl_caller_answer *out, tl_arena *arena,
                                  const tl_caller_request *request, tl_errctx *ctx);

/* tl_caller_fail: that error of an answer that is not well; TL_OK of one that is. */
tl_err tl_caller_fail(const tl_caller_answer *answer, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
