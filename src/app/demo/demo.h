/* demo: weekly portfolio epochs on real prices, from submission to payout, in a folder that can be inspected.
 * For         the project's main job, and everybody's first look at it
 * Takes       a price table, a seed, a number of epochs, a folder
 * Gives       settled epochs, verified bundles, a leaderboard, the ledger's proof
 * Calls       app/engine, app/assemble, core           Called by   app/cli
 * Owns        nothing: the report lives in the arena given to tl_demo_run; the folder is the engine's while it runs
 * Threads     one run, one thread
 * Invariants  DEMO-1 the same table, seed and number of epochs give the same digest, however often it was interrupted
 *             DEMO-2 a bundle counts as verified when it was read back from its file and ran again to the same bytes
 *             DEMO-3 a folder belongs to one seed, number of epochs and price table; another run in it is refused
 * Read        world.h (who plays), demo.c (the run), show.c (what is told)
 *
 *      world ──signals──▶ engine ──▶ bundle ──verify──▶ report
 *        └────evidence──────┘  └──▶ ledger ──verify───────┘
 */
#ifndef TALLY_APP_DEMO_H
#define TALLY_APP_DEMO_H

#include "app/assemble/assemble.h"
#include "app/demo/world.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As the command line writes them. Seed 44: twelve weeks of 2022, a year in which calm was scarce. It was chosen out of
 * sixty that were looked at, because it shows all three agreement statuses and disqualifies no honest miner for
 * plagiarism: a picture, not a sample. */
#define TL_DEMO_EPOCHS_DEFAULT 12
#define TL_DEMO_SEED_DEFAULT   44

/* tl_demo_flag: one rule that spoke about one miner, or about a pair of validators. */
typedef struct tl_demo_flag {
    tl_str epoch_id;
    tl_str hotkey;
    const char *name; /* of the miner or validator */
    const char *rule;
    double factor;   /* on the score */
    tl_str evidence; /* canonical JSON */
    tl_str reason;   /* in words */
} tl_demo_flag;

/* tl_demo_chapter: one epoch, as far as it is told at the end. */
typedef struct tl_demo_chapter {
    tl_str epoch_id;
    const char *status; /* of the agreement */
    double rate;
    const tl_str *outliers; /* hotkeys */
    size_t outlier_count;
    const char *bundle;
    tl_hash32 digest;
    bool is_verified;
} tl_demo_chapter;

/* tl_demo_standing: one line of the leaderboard: by reward, then ante lost, then score, then hotkey bytes. */
typedef struct tl_demo_standing {
    const tl_demo_miner *miner;
    uint32_t ranked;        /* epochs */
    uint64_t qs_millionths; /* sum over these */
    tl_rao reward;
    tl_rao ante_lost;
} tl_demo_standing;

typedef struct tl_demo_report {
    const char *dir;
    const tl_demo_chapter *chapters;
    size_t chapter_count;
    size_t verified_count;
    const tl_demo_flag *flags;
    size_t flag_count;
    const tl_demo_standing *standings;
    size_t standing_count;
    bool is_balanced;
    uint64_t entry_count;
    tl_rao issuance;
    tl_hash32 head;   /* of the ledger */
    tl_hash32 digest; /* SHA-256 over the bundles' digests in order and the head */
} tl_demo_report;

/* tl_demo_watch: told between steps, and what an epoch brought, in words. */
typedef struct tl_demo_watch {
    void *self;
    void (*step)(void *self, uint64_t done, uint64_t total);
    tl_err (*epoch)(void *self, tl_str text, tl_errctx *ctx);
} tl_demo_watch;

typedef struct tl_demo_options {
    uint64_t seed;
    uint32_t epochs;
    const char *dir; /* made when it is not there */
} tl_demo_options;

/* tl_demo_run: play all epochs, or go on where an earlier run in this folder stopped.
 *
 * table    borrowed for the call; its digest is kept in the folder
 * watch    may be NULL
 * Errors   TL_ERR_REFUSED: the folder belongs to another run (DEMO-3); TL_ERR_INTERRUPTED; those of engine and world
 * Cost     each epoch is scored by the colluders, settled and verified: some 50 ms, most of it the bootstrap */
TL_MUST_USE tl_err tl_demo_run(tl_demo_report *out, tl_arena *arena, const tl_price_table *table,
                               const tl_demo_options *options, const tl_demo_watch *watch,
                               tl_errctx *ctx);

/* tl_demo_put_json: the report as one line of JSON. */
void tl_demo_put_json(tl_sb *sb, const tl_demo_report *report);

/* tl_demo_put_text: leaderboard, ledger and bundles for people. */
void tl_demo_put_text(tl_sb *sb, const tl_demo_report *report);

/* --- for the files of this room (show.c) --- */

/* tl__demo_epoch_text: one epoch for people. flags: count of them, this epoch's, costly ones first. */
TL_MUST_USE tl_err tl__demo_epoch_text(tl_str *out, tl_arena *arena, const tl_demo_world *world,
                                       uint32_t index, const tl_demo_epoch *epoch,
                                       const tl_assembled *settled, const tl_demo_flag *flags,
                                       size_t count, tl_errctx *ctx);

/* tl__demo_reason: a flag of that rule in words; evidence: the same as canonical JSON. */
TL_MUST_USE tl_err tl__demo_reason(tl_str *out, tl_str *evidence, tl_arena *arena,
                                   const tl_demo_world *world, const char *rule,
                                   const tl_flag *flag, tl_errctx *ctx);

/* tl__demo_name: of a miner, or "validator 3", or "somebody". */
const char *tl__demo_name(const tl_demo_world *world, const tl_hotkey *hotkey);

#ifdef __cplusplus
}
#endif

#endif
