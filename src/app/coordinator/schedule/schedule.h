/* schedule: what becomes of a service's epochs, and when.
 * For         one leader that prepares, opens, closes, judges and archives; tests that run days in seconds
 * Takes       the epochs that live, as states and counts, and the time
 * Gives       acts for the leader to carry out, and when to ask again
 * Calls       core/epoch/machine               Called by   app/coordinator
 * Owns        nothing: everything is a value
 * Threads     pure functions, anywhere
 * Invariants  SCHED-1 an act fits the state that it was given for: the epoch machine knows its event
 *             SCHED-2 no epoch opens before its slot begins, and a slot that is over is never opened
 *             SCHED-3 no stage ends before its limit, unless everyone that it waits for was heard
 *             SCHED-4 an outage takes no time from anybody: limits count from the end of it when it reached beyond
 *                     the end of the epoch
 *
 * Slots are N long and count from midnight UTC. A = end of the epoch (of its extension, of an outage); in brackets, what
 * ends a stage before its limit:
 *
 *   slot - N/2      slot             A        A + N/20     A + N/4       A + 3N/8      A + N/2
 *   PREPARE ─────── OPEN ─────────── CLOSE ── BEACON ───── EVIDENCE ──── COMMITS ───── JUDGE ── agreed ─ SETTLE
 *   nonce,          assignments      uploads  [all joined  [all joined   [all posted   [all       │
 *   zipcodes,       are served       end      revealed,    posted]       committed]    committed  └ RETRY: COMMITS at
 *   honeypots                                 none is in                               revealed]    A + 5N/8, JUDGE at
 *                                             flight]                                               A + 3N/4
 *
 * A beacon also waits until the epochs before have a result: what they leave behind is an input of this one's race.
 * Who joined (a commitment before the end) is waited for at BEACON and EVIDENCE; who posted evidence at COMMITS; who
 * committed at JUDGE. With nobody to wait for, EVIDENCE and COMMITS wait for their limit: validators may still come.
 * Slots do not move when an epoch is extended: it is then open beside the next one.
 */
#ifndef TALLY_APP_COORDINATOR_SCHEDULE_H
#define TALLY_APP_COORDINATOR_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error/error.h"
#include "core/epoch/machine/machine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SCHEDULE_DAY_MS INT64_C(86400000)
#define TL_SCHEDULE_MISSED_MAX                                                                     \
    180 /* slots of an outage that are recorded: what caches of clients keep */
#define TL_SCHEDULE_ACTS_MAX 16 /* of one step */

/* tl_schedule_rules: epoch_ms divides a day; keep_ms is how long an epoch that is over stays before it is archived. */
typedef struct tl_schedule_rules {
    int64_t epoch_ms;
    int64_t keep_ms;
} tl_schedule_rules;

/* Where scoring stands. */
typedef enum tl_schedule_stage {
    TL_STAGE_NONE, /* before scoring, and after it */
    TL_STAGE_EVIDENCE,
    TL_STAGE_COMMITS,
    TL_STAGE_RESULTS
} tl_schedule_stage;

/* tl_schedule_epoch: what the schedule must know of one epoch.
 * end_ms           submissions end, extensions included
 * anchor_ms        end_ms, or the end of an outage that reached beyond it: limits count from here
 * was_extended     scored for the second time
 * in_flight        reports that were received in time and are being looked at
 * joined … shown   validators that committed to a secret, revealed it, posted evidence, both joined and posted,
 *                  committed to a result in this round, both posted and committed, committed and showed it */
typedef struct tl_schedule_epoch {
    int64_t start_ms;
    int64_t end_ms;
    int64_t anchor_ms;
    int64_t length_ms; /* of its slot */
    int64_t moved_ms;  /* of its last transition */
    tl_epoch_state state;
    tl_schedule_stage stage;
    bool was_extended;
    uint32_t in_flight;
    uint32_t joined;
    uint32_t revealed;
    uint32_t posted;
    uint32_t posted_joined;
    uint32_t committed;
    uint32_t committed_posted;
    uint32_t shown;
} tl_schedule_epoch;

/* X(NAME, word for logs) */
#define TL_SCHEDULE_ACT_MAP(X)                                                                     \
    X(MISS, "record a missed slot")                                                                \
    X(PREPARE, "prepare")                                                                          \
    X(OPEN, "open")                                                                                \
    X(CLOSE, "close")                                                                              \
    X(BEACON, "fix the beacon")                                                                    \
    X(EVIDENCE, "close the evidence")                                                              \
    X(COMMITS, "close the commitments")                                                            \
    X(JUDGE, "judge")                                                                              \
    X(RETRY, "score again")                                                                        \
    X(SETTLE, "settle")                                                                            \
    X(VOID, "void")                                                                                \
    X(ARCHIVE, "archive")

typedef enum tl_schedule_act_kind {
#define TL_SCHEDULE_ACT_ENUM(name, text) TL_ACT_##name,
    TL_SCHEDULE_ACT_MAP(TL_SCHEDULE_ACT_ENUM)
#undef TL_SCHEDULE_ACT_ENUM
        TL_ACT_COUNT
} tl_schedule_act_kind;

const char *tl_schedule_act_text(tl_schedule_act_kind kind);

/* tl_schedule_act: one thing for the leader to do. MISS and PREPARE make the epoch of that start; the others change it. */
typedef struct tl_schedule_act {
    tl_schedule_act_kind kind;
    int64_t start_ms;
} tl_schedule_act;

/* tl_schedule_step: what is to be done now.
 *
 * out        at least TL_SCHEDULE_ACTS_MAX; to be carried out in this order. An act that fails is given again by the next
 *            step, since the state has not changed; after acts that worked, ask again at once
 * wake_ms    when to ask again if nothing is heard before: above now_ms
 * epochs     all that are not archived, by start
 * newest_ms  start of the newest epoch that was ever recorded; below 0: there was none
 * Returns how many acts. */
size_t tl_schedule_step(tl_schedule_act *out, int64_t *wake_ms, const tl_schedule_rules *rules,
                        const tl_schedule_epoch *epochs, size_t count, int64_t newest_ms,
                        int64_t now_ms);

/* tl_schedule_after_outage: the anchor of an epoch when nobody led from … to (SCHED-4). */
int64_t tl_schedule_after_outage(const tl_schedule_epoch *epoch, int64_t from_ms, int64_t to_ms);

/* tl_schedule_current: the epoch that is served at a time: the newest that is open, or prepared and begun (a leader
 * that is a little late delays nobody). count: there is none. */
size_t tl_schedule_current(const tl_schedule_epoch *epochs, size_t count, int64_t now_ms);

/* The limits of an epoch's stages. */
typedef struct tl_schedule_windows {
    int64_t reveal_until_ms;
    int64_t evidence_until_ms;
    int64_t commit_until_ms; /* of the round that runs, or ran last */
    int64_t results_until_ms;
} tl_schedule_windows;

void tl_schedule_windows_of(tl_schedule_windows *out, const tl_schedule_epoch *epoch);

/* tl_schedule_slot: the start of the slot in which a time lies; now_ms from 1970 on. */
int64_t tl_schedule_slot(int64_t epoch_ms, int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
