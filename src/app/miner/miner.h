/* miner: the whole cycle of a listings miner, epoch after epoch.
 * For         tally miner run; the demo's miners
 * Takes       a coordinator, a key, a source of listings, a state folder
 * Gives       one line an epoch: acknowledged, with its content hash, or why not
 * Calls       app/peer, app/source, core/listings/shard, io/sys     Called by   app/cli, app/listdemo
 * Owns        DIR/miner/EPOCH-ID while the epoch lasts, and the last few behind it
 * Threads     one miner, one thread; one process a state folder (a lock)
 * Invariants  MINER-1 what was collected or uploaded before an interruption is not collected or uploaded again
 *             MINER-2 an epoch counts as acknowledged only by the coordinator's own word
 *             MINER-3 a zipcode that is not whole is not handed in
 * Read        miner.c from tl_miner_run() down, then collect.c, then upload.c
 *
 *   assignments ─▶ collect, zipcode by zipcode ─▶ check as the validator will ─▶ upload by a presigned form ─▶ metadata.json
 *                  DIR/miner/EPOCH/98101.json                                    98101.sent                     ─▶ COMPLETED
 *
 * Started again in the middle it finds its files and goes on. A zipcode that the source does not bring whole is tried
 * again until a tenth of the epoch is left; then what is there is handed in.
 */
#ifndef TALLY_APP_MINER_H
#define TALLY_APP_MINER_H

#include "app/peer/peer.h"
#include "app/source/source.h"
#include "base/log/log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_miner_epoch: how one epoch went. */
typedef struct tl_miner_epoch {
    tl_str epoch_id;
    const char
        *status;     /* "COMPLETED"; "FAILED": refused or nothing to hand in; "TIMEOUT": too late */
    size_t zipcodes; /* handed in */
    uint64_t listings;
    bool has_content_hash;
    tl_hash32 content_hash;
    tl_str received_at; /* the coordinator's receipt; empty without one */
    tl_err err;         /* TL_OK when acknowledged */
    const char *error;  /* "" when acknowledged */
} tl_miner_epoch;

/* tl_miner_options: all borrowed for the run. */
typedef struct tl_miner_options {
    tl_peer *peer; /* open, with a key */
    tl_source *source;
    const char *dir;     /* state folder, which exists */
    uint64_t epochs_max; /* 0: for ever */
    bool is_careless;    /* hands in what came at first, also what would not pass */
    tl_log *log;         /* may be NULL */
    /* Asked when all is uploaded; the report goes out when it returns. NULL: at once. Its error is the epoch's. */
    tl_err (*before_report)(void *self, tl_errctx *ctx);
    /* Told once an epoch, when it is over for the miner. */
    tl_err (*on_epoch)(void *self, const tl_miner_epoch *epoch, tl_errctx *ctx);
    void *self;
} tl_miner_options;

/* tl_miner_run: from the epoch that runs now on.
 *
 * all_acknowledged  false when an epoch was not
 * Errors  TL_ERR_LOCKED: another miner has the folder; TL_ERR_INTERRUPTED; those of files; what on_epoch returns. A
 *         coordinator that does not answer, a source that fails: an epoch that was not acknowledged, no error. */
TL_MUST_USE tl_err tl_miner_run(bool *all_acknowledged, const tl_miner_options *options,
                                tl_errctx *ctx);

/* tl_miner_once: one epoch, whose assignment is at hand, from what is in the folder to the acknowledgement.
 * out lives in the arena; whatever goes wrong in the outside world stands in it. Errors: INTERRUPTED, NOMEM, files'. */
TL_MUST_USE tl_err tl_miner_once(tl_miner_epoch *out, tl_arena *arena,
                                 const tl_miner_options *options,
                                 const tl_peer_assignment *assignment, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
