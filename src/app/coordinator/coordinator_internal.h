/* What a coordinator holds; what its handlers share. */
#ifndef TALLY_APP_COORDINATOR_INTERNAL_H
#define TALLY_APP_COORDINATOR_INTERNAL_H

#include <stdatomic.h>

#include "app/access/access.h"
#include "app/api/api.h"
#include "app/coordinator/coordinator.h"
#include "app/coordinator/intake/intake.h"
#include "io/observe/metrics/metrics.h"
#include "io/redis/redis.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL__COORDINATOR_URL_CAP 320

struct tl_coordinator {
    tl_coordinator_settings s;
    char ss58[TL_SS58_CAP];
    char url[TL__COORDINATOR_URL_CAP];
    char holder[64]; /* of the leader's lease */
    tl_arena *arena;
    tl_objects *objects;
    tl_redis *redis;
    tl_access *access;
    tl_keeper *keeper;
    tl_intake *intake;
    tl_api *api;
    tl_metrics *metrics;
    tl_series *submissions; /* acknowledged */
    tl_metric *moves;       /* epochs by the state they came into */
    tl_metric *verdicts;    /* by status */
    tl_series *live;        /* gauges */
    tl_series *waiting;
    tl_series *leads;
    int64_t swept_ms;            /* when objects were last swept; the tending thread's */
    _Atomic int64_t received_ms; /* the newest moment of receipt (COORD-2) */
};

/* State of a worker thread. */
typedef struct tl__coordinator_worker {
    tl_records *records;
} tl__coordinator_worker;

/* routes.c, schemas.c: the service as data. */
extern const tl_api_route tl__coordinator_routes[];
extern const size_t tl__coordinator_route_count;
extern const tl_api_schema tl__coordinator_schemas[];
extern const size_t tl__coordinator_schema_count;

/* --- what handlers ask first --- */

tl_coordinator *tl__coordinator_of(const tl_api_call *call);
tl_records *tl__coordinator_records_of(const tl_api_call *call);
int64_t tl__coordinator_now_ms(const tl_coordinator *c);

/* tl__coordinator_received_ms: when the call's head arrived; never before one that was asked about earlier (COORD-2). */
int64_t tl__coordinator_received_ms(tl_coordinator *c, const tl_api_call *call);

/* tl__coordinator_want_epoch: the epoch that the path names. False: 404 or 400 was answered, or *err is the error to return. */
bool tl__coordinator_want_epoch(tl_api_call *call, tl_record_epoch *out, tl_err *err,
                                tl_errctx *ctx);

/* tl__coordinator_stake_now: what a validator's stake counts for in that epoch: its carry tells who was off the majority. */
TL_MUST_USE tl_err tl__coordinator_stake_now(tl_api_call *call, tl_rao *out, tl_str epoch_id,
                                             tl_errctx *ctx);

/* tl__coordinator_get_value: a small value of an epoch ("carry", "anchor"); empty when there is none. */
TL_MUST_USE tl_err tl__coordinator_get_value(tl_api_call *call, tl_bytes *out, const char *what,
                                             tl_str epoch_id, tl_errctx *ctx);

/* tl__coordinator_coldkey_is_own: of a body that names one: the metagraph's; else 403 is answered. */
bool tl__coordinator_coldkey_is_own(tl_api_call *call);

/* tl__coordinator_base_url: what URLs of this coordinator begin with, as the caller reaches it. */
TL_MUST_USE tl_err tl__coordinator_base_url(tl_api_call *call, tl_str *out, tl_errctx *ctx);

/* --- retention (retain.c) --- */

/* tl__coordinator_retain: let go what was kept long enough at that time. */
TL_MUST_USE tl_err tl__coordinator_retain(tl_coordinator *c, int64_t now_ms, tl_errctx *ctx);

/* tl__coordinator_wide_arena: for an answer that the call's own arena is too small for; gone with it. */
TL_MUST_USE tl_err tl__coordinator_wide_arena(tl_api_call *call, tl_arena **out, tl_errctx *ctx);

/* tl__coordinator_make_delegate: key and certificate of tl_coordinator_delegate, unless they are there (delegate.c). */
TL_MUST_USE tl_err tl__coordinator_make_delegate(const tl_keypair *own, tl_arena *arena,
                                                 const char *dir, const tl_entropy *entropy,
                                                 tl_errctx *ctx);

/* --- JSON --- */

void tl__coordinator_put_time(tl_json_writer *w, const char *key, int64_t ms); /* null for 0 */
void tl__coordinator_put_text(tl_json_writer *w, const char *key, tl_str text);
void tl__coordinator_put_text_or_null(tl_json_writer *w, const char *key, tl_str text);
void tl__coordinator_put_number(tl_json_writer *w, const char *key, int64_t number);
void tl__coordinator_put_bool(tl_json_writer *w, const char *key, bool value);
void tl__coordinator_put_hotkey(tl_json_writer *w, const char *key, const tl_hotkey *hotkey);
void tl__coordinator_put_hash(tl_json_writer *w, const char *key, const tl_hash32 *hash);
void tl__coordinator_put_zipcodes(tl_json_writer *w, const char *key,
                                  const tl_record_assignment *zipcodes, size_t count);

/* tl__coordinator_want_hash: a member of 64 hex digits. */
TL_MUST_USE tl_err tl__coordinator_want_hash(tl_hash32 *out, const tl_json *object, const char *key,
                                             tl_errctx *ctx);

/* tl__coordinator_status_word: the original's word for a state. */
const char *tl__coordinator_status_word(tl_epoch_state state);

/* --- handlers --- */

tl_err tl__coordinator_assignments_page(void *self, tl_api_page **out, const tl_keeper_live *live,
                                        tl_errctx *ctx);
tl_err tl__coordinator_show_assignments(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_epoch_assignments(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_stats(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_take_status(tl_api_call *call, tl_errctx *ctx);

tl_err tl__coordinator_lend_folder(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_lend_validator_upload(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_list_for_validator(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_list_of_miner(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_list_submissions(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_take_object(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_give_object(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_give_deep_object(tl_api_call *call, tl_errctx *ctx);

tl_err tl__coordinator_list_epochs(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_epoch(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_results(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_leaderboard(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_info(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_structure(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_commitments(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_show_rates(tl_api_call *call, tl_errctx *ctx);

tl_err tl__coordinator_take_contribution(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_take_evidence(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_list_evidence(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_take_results(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_list_ballots(tl_api_call *call, tl_errctx *ctx);

tl_err tl__coordinator_list_audit(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_list_keys(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_make_key(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_rotate_key(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_revoke_key(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_make_token(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_extend_epoch(tl_api_call *call, tl_errctx *ctx);
tl_err tl__coordinator_void_epoch(tl_api_call *call, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
