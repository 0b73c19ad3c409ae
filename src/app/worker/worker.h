/* worker: scores shards for the validators of its operator; and the shelf from which these take the results.
 * For         spreading the work of an epoch over machines that share a database and an object store
 * Takes       leases of shards from io/records, inputs from the tables and kept objects
 * Gives       documents of app/scoring, as objects named by their content; a row a shard that names its document
 * Calls       app/scoring, io/records, io/objects        Called by   app/cli
 * Owns        its handles and threads until it returns; a shelf until close
 * Threads     tl_worker_run: one, it makes its own; a shelf serves any
 * Invariants  WORK-1 a shard may be begun by many and ended by any of them: its document is the same bytes
 *             WORK-2 whoever is asked to end gives its leases back; whoever is killed loses them when they lapse
 * Read        worker.c from tl_worker_run() down, then score.c, then shelf.c
 *
 *   keeper, when the beacon is fixed ──▶ shards: ready ──claim──▶ leased ──complete──▶ done, result_key
 *                                           ▲                     │ SIGTERM, an outage, or the lease lapsed
 *                                           └─────────────────────┘
 *   validator ──take: waits for half of the evidence's window──▶ document, if its inputs are those it would use itself
 *             └─ none by then, or of other inputs ──▶ does the work itself
 */
#ifndef TALLY_APP_WORKER_H
#define TALLY_APP_WORKER_H

#include "app/scoring/scoring.h"
#include "base/log/log.h"
#include "base/world/world.h"
#include "io/objects/objects.h"
#include "io/records/records.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_WORKER_SLOTS_MAX 256
#define TL_WORKER_LEASE_MS  INT64_C(10000)

/* tl_worker_shard: how one attempt at a shard ended. */
typedef struct tl_worker_shard {
    tl_str epoch_id;
    tl_str zipcode;
    uint32_t attempt; /* from 1 */
    int64_t elapsed_ns;
    const char *error; /* NULL: it is done */
} tl_worker_shard;

/* tl_worker_options: all borrowed for the run. */
typedef struct tl_worker_options {
    tl_sql_options sql;
    tl_objects *objects;
    const tl_places *places;
    const char *id;   /* that no other process has */
    unsigned slots;   /* 1 … TL_WORKER_SLOTS_MAX: shards at a time, a thread each */
    int64_t lease_ms; /* 0: TL_WORKER_LEASE_MS; renewed three times within it */
    tl_clock clock;
    tl_log *log; /* its sink bears several threads; may be NULL */
    /* Told once an attempt, one at a time, from the threads of the slots. */
    tl_err (*on_shard)(void *self, const tl_worker_shard *shard, tl_errctx *ctx);
    void *self;
} tl_worker_options;

/* tl_worker_run: until the process is asked to end, which is TL_OK. A database or store that is away is waited for.
 * Errors: VERSION, CORRUPT (the database is another program's); NOMEM; what on_shard returns. */
TL_MUST_USE tl_err tl_worker_run(const tl_worker_options *options, tl_errctx *ctx);

/* tl_worker_result_key: where a document lies: "shards/EPOCH/ZIPCODE/SHA256.json". */
TL_MUST_USE tl_err tl_worker_result_key(tl_str *out, tl_arena *arena, tl_str epoch_id,
                                        tl_str zipcode, tl_str document, tl_errctx *ctx);

/* tl_worker_score: the document of a shard, made from tables and objects. Errors: NOT_FOUND (no such epoch or zipcode),
 * STATE (its beacon is not fixed), those of app/scoring, INTERRUPTED. */
TL_MUST_USE tl_err tl_worker_score(tl_str *document, tl_arena *arena, tl_records *records,
                                   tl_objects *objects, const tl_places *places, tl_str epoch_id,
                                   tl_str zipcode, tl_errctx *ctx);

/* --- the shelf --- */

typedef struct tl_shelf tl_shelf;

/* tl_shelf_open: objects is borrowed until close. */
TL_MUST_USE tl_err tl_shelf_open(tl_shelf **out, const tl_sql_options *sql, tl_objects *objects,
                                 tl_clock clock, tl_errctx *ctx);
void tl_shelf_close(tl_shelf *shelf); /* NULL is fine */

/* tl_shelf_take: the document of a shard, waited for until until_ms (wall time); empty when none came, none is to be
 * expected (nobody queued it, or it failed), or the stores are away. From any thread. self is a tl_shelf.
 * Errors: INTERRUPTED, NOMEM. */
TL_MUST_USE tl_err tl_shelf_take(void *self, tl_str *document, tl_arena *arena, tl_str epoch_id,
                                 tl_str zipcode, int64_t until_ms, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
