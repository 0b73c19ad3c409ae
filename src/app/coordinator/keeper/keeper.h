/* keeper: keeps a service's epochs going, and tells everybody in the process where they stand.
 * For         one process among several on one database: one of them leads, all of them know
 * Takes       the database, the table of zipcodes, who is registered, a clock
 * Gives       epochs that open, close, are judged, settled and archived; rosters to answer from without the database
 * Calls       app/coordinator/schedule, io/records, core/listings/place, core/listings/race      Called by   app/coordinator
 * Owns        its database handle, its thread, the newest roster
 * Threads     new, start, stop, free and turn: one thread; the rest from any
 * Invariants  KEEP-1 whoever leads writes under the fencing token of its lease: of two leaders one is refused
 *             KEEP-2 an act is one transaction: after a crash it is done wholly or not at all, and is given again
 *             KEEP-3 a roster never changes; who holds one holds it until it lets go
 *             KEEP-4 the operator's secret leaves the database for a roster only, and a roster's nonce_of() gives it only
 *                    once the epoch is over
 * Read        tl_keeper_turn(), then roster.c, acts.c, judge.c
 *
 *      database ──read──▶ plans ──schedule──▶ acts ──one transaction each──▶ database
 *                   │                          (whoever has the lease)
 *                   └──▶ roster ──▶ handlers: assignments as bytes, deadlines, zipcodes
 *
 * Secrets. An epoch's nonce is 16 random bytes as hex; its SHA-256 is public from the start. Which zipcodes an epoch asks
 * for follows from selectionSeed = SHA-256("tally-selection/1\n" + beacon + "\n" + epoch id + "\n" + secret) as hex: the
 * beacon is the newest one that was fixed, which no operator can foresee, and the secret was committed to (drawCommit)
 * with the epoch before, when that beacon was not known: so nobody chose the seed, and everybody can check it.
 *
 * An epoch's race also takes what the epochs before left behind: held pay, strikes, who was off the majority. It is
 * written down when the beacon is fixed ("carry"), so that all validators use the same.
 */
#ifndef TALLY_APP_COORDINATOR_KEEPER_H
#define TALLY_APP_COORDINATOR_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/api/api.h"
#include "app/coordinator/schedule/schedule.h"
#include "base/error/error.h"
#include "base/log/log.h"
#include "base/world/world.h"
#include "core/crypto/key/key.h"
#include "core/listings/place/place.h"
#include "io/records/records.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_keeper tl_keeper;

#define TL_KEEPER_LEASE_MS   INT64_C(4000) /* a leader that is not heard of is replaced after this */
#define TL_KEEPER_TURN_MS    200           /* at most between two looks at the database */
#define TL_KEEPER_PEERS_MAX  65536
#define TL_KEEPER_EXTEND_MAX INT64_C(86400000) /* ms by which one extension may lengthen an epoch */

/* tl_keeper_peer: one who is registered. */
typedef struct tl_keeper_peer {
    tl_hotkey hotkey;
    tl_api_member member;
} tl_keeper_peer;

/* tl_keeper_live: an epoch that is neither settled nor failed. */
typedef struct tl_keeper_live {
    tl_record_epoch record;
    tl_schedule_epoch plan;
    const tl_record_assignment *zipcodes; /* by code */
    size_t zipcode_count;
    tl_api_page *page; /* what settings.page made of it */
} tl_keeper_live;

/* tl_keeper_roster: what lived at a moment, oldest first. */
typedef struct tl_keeper_roster {
    const tl_keeper_live *epochs;
    size_t count;
    bool is_leader;
    int64_t at_ms;
} tl_keeper_roster;

/* tl_keeper_settings: borrowed until free. */
typedef struct tl_keeper_settings {
    tl_sql_options sql;
    const char *holder; /* a name that no other process has */
    bool is_compat;
    uint32_t epoch_seconds;
    int64_t keep_ms; /* before an epoch is archived; 0: seven days */
    int64_t validator_stake_rao;
    const tl_places *places;
    /* Bounds of an epoch's zipcodes, but the cool-down; NULL: the spec's. */
    const tl_select_options *bounds;
    tl_clock clock;
    tl_entropy entropy;
    const tl_log *log; /* its sink bears several threads; may be NULL */
    void *self;        /* of the functions below */
    /* The registered, by hotkey bytes, at most cap; returns how many there are. */
    size_t (*peers)(void *self, tl_keeper_peer *out, size_t cap);
    bool
        has_workers; /* the stores are shared: each zipcode is queued for them when the beacon is fixed */
    /* A page that is kept with a live epoch (its assignments); may be NULL. */
    tl_err (*page)(void *self, tl_api_page **out, const tl_keeper_live *live, tl_errctx *ctx);
    /* An epoch came into a state: for metrics and logs; may be NULL. */
    void (*on_move)(void *self, const tl_record_epoch *epoch, tl_str cause);
} tl_keeper_settings;

/* tl_keeper_new: opens the database and takes one turn, so that there is a roster. Errors: those of io/records. */
TL_MUST_USE tl_err tl_keeper_new(tl_keeper **out, const tl_keeper_settings *settings,
                                 tl_errctx *ctx);
void tl_keeper_free(tl_keeper *keeper); /* stops it first; NULL is fine */

/* tl_keeper_start: turns on a thread of its own from now on. tl_keeper_stop: no more; the lease is given back. */
TL_MUST_USE tl_err tl_keeper_start(tl_keeper *keeper, tl_errctx *ctx);
void tl_keeper_stop(tl_keeper *keeper);

/* tl_keeper_turn: lead if the lease can be had, carry out what is due, take a new roster. *wake_ms (may be NULL) is when
 * the next turn is due. Errors: of the database; the state is as it was, the next turn tries again. */
TL_MUST_USE tl_err tl_keeper_turn(tl_keeper *keeper, int64_t *wake_ms, tl_errctx *ctx);

/* tl_keeper_poke: something was written that a stage may wait for: look again at once. */
void tl_keeper_poke(tl_keeper *keeper);

/* tl_keeper_roster_get: the newest roster; its taker lets it go with tl_keeper_roster_drop. Never NULL. */
const tl_keeper_roster *tl_keeper_roster_get(tl_keeper *keeper);
void tl_keeper_roster_drop(tl_keeper *keeper, const tl_keeper_roster *roster);

/* tl_keeper_live_of: the live epoch of that id in a roster, or NULL. _current: the one that is served now, or NULL. */
const tl_keeper_live *tl_keeper_live_of(const tl_keeper_roster *roster, tl_str epoch_id);
const tl_keeper_live *tl_keeper_current(const tl_keeper_roster *roster, int64_t now_ms);

/* tl_keeper_enter, _leave: a report for that epoch is being looked at; its beacon waits for it. */
void tl_keeper_enter(tl_keeper *keeper, int64_t start_ms);
void tl_keeper_leave(tl_keeper *keeper, int64_t start_ms);

/* tl_keeper_nonce_of: the operator's nonce once the epoch is over, else empty (KEEP-4). */
tl_str tl_keeper_nonce_of(const tl_record_epoch *epoch, int64_t now_ms);

/* tl_keeper_is_counted: is that peer a validator: permit, and stake of at least the minimum? */
bool tl_keeper_is_counted(const tl_api_member *member, int64_t validator_stake_rao);

/* tl_keeper_machine: the epoch machine of a row. */
tl_epoch_machine tl_keeper_machine(const tl_record_epoch *epoch);

/* tl_keeper_plan: what the schedule knows of a row by itself; counts are 0. anchor_ms: 0 is the deadline. */
void tl_keeper_plan(tl_schedule_epoch *out, const tl_record_epoch *epoch, int64_t anchor_ms,
                    int64_t length_ms);

/* tl_keeper_streak: epochs running in which a validator was off the majority, by an epoch's carry; 0 when it does not stand
 * there, or carry is NULL. */
uint32_t tl_keeper_streak(const tl_json *carry, const tl_hotkey *hotkey);

/* Names of small values in the database: "anchor:ID", "carry:ID". */
#define TL_KEEPER_NAME_CAP 64
void tl_keeper_value_name(char out[TL_KEEPER_NAME_CAP], const char *what, tl_str epoch_id);

#ifdef __cplusplus
}
#endif

#endif
