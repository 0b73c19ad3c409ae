/* engine: a state folder in which epochs are opened, filled, settled and published.
 * For         the demo, tally portfolio submit, tally epoch and tally ledger: one owner of a state folder
 * Takes       signals, evidence, heights            Gives       receipts, settled epochs, bundles, a journal
 * Calls       io/store, io/sys, core/epoch, core/ledger, app/assemble       Called by   app/cli, app/demo
 * Owns        the folder's lock, its database, the ledger in memory; all in the arena given to tl_engine_open
 * Threads     one engine, one thread; one process a folder (a second one gets TL_ERR_LOCKED)
 * Invariants  ENG-1 a receipt is given only after the signal and its locked ante are durable, in one transaction
 *             ENG-2 settling is one transaction: epoch, transitions, journal and what is carried, or nothing of it
 *             ENG-3 whatever was interrupted can be asked for again and gives the same bytes: every call is idempotent
 *             ENG-4 the journal in the database is the ledger in memory, entry by entry, hash by hash
 *
 *   DIR/tally.db      epochs, transitions, submissions, journal, what is carried
 *   DIR/bundles/      EPOCH-ID.bundle, written before the epoch is marked settled
 */
#ifndef TALLY_APP_ENGINE_H
#define TALLY_APP_ENGINE_H

#include "app/assemble/assemble.h"
#include "core/ledger/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_engine tl_engine;

/* tl_engine_open: take the folder (made when it is not there and `create` says so), migrate its database, load and
 * check the journal. The engine lives until tl_engine_close.
 * Errors: TL_ERR_NOT_FOUND, TL_ERR_LOCKED, TL_ERR_CORRUPT, TL_ERR_IO, TL_ERR_VERSION */
TL_MUST_USE tl_err tl_engine_open(tl_engine **out, tl_arena *arena, const char *dir, bool create,
                                  tl_errctx *ctx);
tl_err tl_engine_close(tl_engine *engine, tl_errctx *ctx);

const tl_ledger *tl_engine_borrow_ledger(const tl_engine *engine);

/* tl_engine_seed: for a folder without epochs: what is carried into the first one, and first balances. Done once: later
 * calls change nothing.
 * records  canonical JSON as tl_carry_put writes it, or empty
 * funds    deposits from the world outside into miners' free balances */
typedef struct tl_engine_fund {
    tl_hotkey hotkey;
    tl_rao amount;
} tl_engine_fund;
TL_MUST_USE tl_err tl_engine_seed(tl_engine *engine, tl_str records, const tl_engine_fund *funds,
                                  size_t fund_count, tl_errctx *ctx);

/* tl_engine_begin: open an epoch with its parameters (canonical JSON, complete). Fine when it is open with the same.
 * Errors: TL_ERR_STATE: another epoch is still open, or this one is over; TL_ERR_DUPLICATE: other parameters */
TL_MUST_USE tl_err tl_engine_begin(tl_engine *engine, tl_str epoch_id, tl_str parameters,
                                   uint64_t height, tl_errctx *ctx);

typedef struct tl_engine_receipt {
    bool is_accepted;
    const char *code; /* "E005" …, static; NULL when accepted */
    bool is_new;      /* false: the same signal had been kept before */
    tl_hash32 commitment;
    tl_str hotkey;
    tl_str epoch_id;
} tl_engine_receipt;

/* tl_engine_submit: decode, admit, keep, acknowledge. A refusal by a rule is a receipt with a code, not an error; the
 * same bytes sent again get the receipt that they had. A miner whom the ledger does not know brings its ante along: it
 * is deposited from outside and locked in the same transaction. Which of a hotkey's signals is the first is decided by
 * their coming in, not by the heights that they name: the others are E009.
 * Errors: bad input, field named; TL_ERR_STATE: no epoch is open */
TL_MUST_USE tl_err tl_engine_submit(tl_engine *engine, tl_engine_receipt *out, tl_arena *arena,
                                    tl_str signal, tl_errctx *ctx);

/* tl_engine_settle: close the open epoch, run the road on the evidence, publish the bundle, post the money.
 *
 * out      the epoch; for one that is settled already: from its bundle, run again
 * views    the validators and what they saw; evidence by tl_assemble_evidence with the same views
 * stakes   for the sybil rule, canonical JSON object or empty
 * An epoch without agreement becomes extended, its antes stay locked, and it may be settled again at a later height; the
 * second time it fails, and they go back. The same height is the same attempt: it gets the same answer.
 * Errors: TL_ERR_STATE: the epoch is not open, or was extended at this height on other evidence; what is wrong with the
 * evidence, field named */
TL_MUST_USE tl_err tl_engine_settle(tl_engine *engine, tl_assembled *out, tl_arena *arena,
                                    tl_str epoch_id, uint64_t height,
                                    const tl_validator_view *views, size_t view_count,
                                    tl_str evidence, tl_str stakes, tl_errctx *ctx);

/* tl_engine_is_settled: is the epoch over (settled, failed or archived)? */
bool tl_engine_is_settled(tl_engine *engine, tl_str epoch_id);

/* tl_engine_has_open_epoch: does an epoch take signals, or wait to be scored again? */
bool tl_engine_has_open_epoch(const tl_engine *engine);

/* tl_engine_bundle_path: DIR/bundles/EPOCH-ID.bundle in the arena. */
TL_MUST_USE tl_err tl_engine_bundle_path(const char **out, tl_arena *arena, const tl_engine *engine,
                                         tl_str epoch_id, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
