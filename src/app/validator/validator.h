/* validator: a listings validator's work, epoch after epoch.
 * For         tally validator run; the demo's validators
 * Takes       a coordinator, a key, a source to check against, a state folder
 * Gives       one line an epoch: status, hash, roots, weights; a bundle of each settled epoch; weights for the chain
 * Calls       app/peer, app/source, core/listings, core/subnet/listings, io/sys     Called by   app/cli, app/listdemo
 * Owns        DIR/validator/EPOCH-ID, DIR/bundles
 * Threads     one validator, one thread, and a pool for shards; one process a state folder (a lock)
 * Invariants  VAL-1 what was said to the coordinator once is said again after a restart, never something else: secret,
 *                   evidence and salt are written down before they are sent
 *             VAL-2 an object counts only with the bytes that its hash names
 *             VAL-3 weights are set only for an epoch whose validators agreed
 * Read        validator.c from tl_validator_run() down, then epoch.c, world.c, shards.c, ballot.c
 *
 *   join ─▶ (the epoch ends) ─▶ reveal ─▶ beacon ─▶ world, shards ─▶ evidence ─▶ race ─▶ commit ─▶ reveal ─▶ verdict
 *    secret                      secret              samples judged   posted,     hash    salt                │
 *                                                                     then all's                    weights, bundle
 *
 * An extended epoch goes back to "world": what had no evidence may have some now.
 */
#ifndef TALLY_APP_VALIDATOR_H
#define TALLY_APP_VALIDATOR_H

#include "app/peer/peer.h"
#include "app/scoring/scoring.h"
#include "app/source/source.h"
#include "base/log/log.h"
#include "core/listings/race/race.h"
#include "io/sys/sys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_validator_epoch: how one epoch went. */
typedef struct tl_validator_epoch {
    tl_str epoch_id;
    const char *status; /* of the agreement; "FAILED" when this validator could not take part */
    uint32_t rate_millionths;
    bool has_hash;
    bool
        has_roots; /* false in the profile compat: its hash is of another kind, and stands in roots.hash alone */
    tl_race_roots roots;
    const uint32_t *uids; /* ascending */
    const uint16_t *weights;
    size_t weight_count;
    bool sets_weights;  /* VAL-3 */
    size_t submissions; /* miners */
    uint64_t listings;
    uint32_t no_evidence_millionths;
    const tl_str *outliers; /* hotkeys */
    size_t outlier_count;
    const char *bundle; /* path; NULL without one */
    tl_err err;
    const char *error; /* "" when err is TL_OK */
} tl_validator_epoch;

/* tl_weight_setter: where weights go: a file today, the chain's extrinsic when there is one. uids ascend, weights are u16.
 * Called once an epoch at most, and again after a restart that came between the call and its note: setting the same twice
 * must be fine. */
typedef struct tl_weight_setter {
    void *self;
    tl_err (*set)(void *self, tl_str epoch_id, uint32_t netuid, const uint32_t *uids,
                  const uint16_t *weights, size_t count, tl_errctx *ctx);
} tl_weight_setter;

/* tl_validator_shelf: where workers lay their documents. take waits for one until until_ms (our own time) or until
 * none is to be expected, and gives the empty text then. From any thread. Errors: INTERRUPTED, NOMEM. */
typedef struct tl_validator_shelf {
    void *self;
    tl_err (*take)(void *self, tl_str *document, tl_arena *arena, tl_str epoch_id, tl_str zipcode,
                   int64_t until_ms, tl_errctx *ctx);
} tl_validator_shelf;

/* tl_validator_options: all borrowed for the run. */
typedef struct tl_validator_options {
    tl_peer *peer; /* open, with a key */
    const char *url;
    const tl_source_options *source; /* each thread of the pool opens one of its own */
    const char *dir;                 /* state folder, which exists */
    uint64_t epochs_max;             /* 0: for ever */
    size_t thread_count;             /* 0: one a processor */
    uint32_t poll_ms; /* between two questions; 0: a hundredth of an epoch, 0.1 to 5 s */
    tl_entropy entropy;
    tl_log *log;              /* may be NULL */
    tl_weight_setter weights; /* set NULL: nowhere */
    const tl_places *places;  /* the table that ships (app/scoring); NULL: none */
    tl_validator_shelf shelf; /* take NULL: there are no workers */
    tl_err (*on_epoch)(void *self, const tl_validator_epoch *epoch, tl_errctx *ctx);
    void *self;
} tl_validator_options;

/* tl_validator_run: from what the folder holds unfinished, then the epoch that runs now on.
 *
 * all_agreed  false when an epoch ended without this validator's part in an agreement
 * Errors  TL_ERR_LOCKED; TL_ERR_INTERRUPTED; those of files; what on_epoch returns */
TL_MUST_USE tl_err tl_validator_run(bool *all_agreed, const tl_validator_options *options,
                                    tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
