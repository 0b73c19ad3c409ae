/* peer: a coordinator as its miners and validators see it.
 * For         finding out whom one talks to, and what the epoch asks for
 * Takes       a URL, a key, a state folder      Gives   a caller bound to the coordinator's hotkey; assignments, epochs
 * Calls       sdk/caller, io/sys, core/listings/record       Called by   app/miner, app/validator, app/doctor
 * Owns        its connections
 * Threads     one tl_peer, one thread
 * Invariants  PEER-1 a coordinator that shows another hotkey than the one it was first known by is refused
 *             PEER-2 only silence and "later" are asked again; an answer is never asked for twice
 *
 * The hotkey is given (--receiver), or learned from /api/v1/info the first time and pinned in DIR/coordinators.pins, a line
 * "URL SS58" each: whoever stands in later under that address is noticed, since requests are signed for the one hotkey.
 */
#ifndef TALLY_APP_PEER_H
#define TALLY_APP_PEER_H

#include "core/listings/model/model.h"
#include "sdk/caller/caller.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_PEER_SS58_CAP     65
#define TL_PEER_EPOCH_CAP    24
#define TL_PEER_ZIPCODES_MAX 1024

/* tl_peer_options: texts are borrowed for the call, but keypair. */
typedef struct tl_peer_options {
    tl_str url;
    tl_str receiver; /* empty: learned and pinned */
    const tl_keypair *keypair;
    const char *dir; /* state folder, which exists */
    uint32_t flight_max;
    tl_clock clock;
    tl_entropy entropy;
} tl_peer_options;

typedef struct tl_peer {
    tl_caller *caller;
    char hotkey[TL_PEER_SS58_CAP];   /* the coordinator's */
    char own_ss58[TL_PEER_SS58_CAP]; /* of the key; empty without one */
    char subnet[32];
    bool is_compat;
    uint32_t netuid;
    uint32_t epoch_seconds;
    int64_t skew_ms; /* its clock less ours */
    tl_clock clock;
} tl_peer;

/* tl_peer_open: ask who it is. Errors: TL_ERR_REFUSED (PEER-1, field "receiver"), TL_ERR_IO (nobody answers; what answers is
 * no coordinator), TL_ERR_SYNTAX (url), those of files. */
TL_MUST_USE tl_err tl_peer_open(tl_peer *out, const tl_peer_options *options, tl_errctx *ctx);
void tl_peer_close(tl_peer *peer);

/* tl_peer_now_ms: the time that the coordinator reckons by, as well as we know it. */
int64_t tl_peer_now_ms(const tl_peer *peer);

/* tl_peer_assignment: what the running epoch asks for. Texts live in the arena. */
typedef struct tl_peer_assignment {
    tl_str epoch_id;
    int64_t start_ms;
    int64_t end_ms;
    int64_t deadline_ms;
    tl_str nonce;           /* compat alone; else empty */
    const tl_place *places; /* zipcode, city, state, county, expected */
    size_t place_count;
} tl_peer_assignment;

/* tl_peer_assignments: of now. Errors: as tl_caller_want (NOT_FOUND: no epoch runs); TL_ERR_SYNTAX and others of JSON, when
 * the answer is not what a coordinator answers. */
TL_MUST_USE tl_err tl_peer_assignments(tl_peer *peer, tl_peer_assignment *out, tl_arena *arena,
                                       tl_errctx *ctx);

/* tl_peer_get: a JSON answer of status 200. */
TL_MUST_USE tl_err tl_peer_get(tl_peer *peer, const tl_json **out, tl_arena *arena, tl_str target,
                               bool is_signed, tl_errctx *ctx);

/* tl_peer_post: a JSON body, signed; the answer's JSON (NULL without one). Repeated where that is safe by the caller's
 * word. */
TL_MUST_USE tl_err tl_peer_post(tl_peer *peer, const tl_json **out, tl_arena *arena, tl_str target,
                                tl_str body, bool is_repeatable, tl_errctx *ctx);

/* tl_peer_get_until, tl_peer_post_until: the same, asked again while nobody answers (IO) or the answer is "later" (LIMIT),
 * until that time of the coordinator: a database that comes back after a minute costs nobody an epoch. The post is
 * repeatable. */
TL_MUST_USE tl_err tl_peer_get_until(tl_peer *peer, const tl_json **out, tl_arena *arena,
                                     tl_str target, bool is_signed, int64_t until_ms,
                                     tl_errctx *ctx);
TL_MUST_USE tl_err tl_peer_post_until(tl_peer *peer, const tl_json **out, tl_arena *arena,
                                      tl_str target, tl_str body, int64_t until_ms, tl_errctx *ctx);

/* tl_peer_places: an array of zipcodes as the API writes them. */
TL_MUST_USE tl_err tl_peer_places(const tl_place **out, size_t *count, tl_arena *arena,
                                  const tl_json *array, tl_errctx *ctx);

/* tl_peer_wait: until that time of the coordinator, in small steps. TL_ERR_INTERRUPTED. */
TL_MUST_USE tl_err tl_peer_wait(const tl_peer *peer, int64_t until_ms, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
