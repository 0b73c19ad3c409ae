/* road: an epoch as a pure function of its recorded inputs, station by station.
 * For         running an epoch, and replaying it anywhere to the same bytes
 * Takes       three JSON trees: inputs, evidence, parameters; the subnet's table
 * Gives       a tl_road_result, and the canonical JSON of the results
 * Calls       core/consensus, core/ledger, core/epoch            Called by   core/epoch/bundle, app
 * Owns        nothing: everything lives in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  ROAD-1 the order in which signals are listed changes nothing: inputs are canonical, or refused
 *             ROAD-2 every ante that was locked has one outcome, and every signal one line on the scoreboard
 *             ROAD-3 what is carried out of an epoch is a function of what came in and of its signals
 *             ROAD-4 results are canonical JSON: the same trees give the same bytes
 * Read        run.c from tl_road_run() down, then admit.c, carry.c, inputs.c, results.c
 *
 *   inputs ───▶ tl_submission ─admit─▶ tl_admission ─┐
 *   evidence ──▶ world ──────────────────────score───┴▶ tl_scoreboard ─agree▶ tl_agreement ─settle▶ tl_settlement ─▶ results
 *
 * inputs      { "balances_rao": null | {hotkey: rao}, "bonds": [{"bond_u16","miner","validator"}], "epoch_id", "height",
 *               "records": [{"ban","epochs","hotkey","reveals","unrevealed"}], "signals": […],
 *               "stakes_rao": null | {hotkey: rao}, "validators": [{"hotkey","stake_rao"}], "was_extended" }
 * evidence    the subnet's, and "validators": [{"feed","hotkey","row"}]: which world each validator saw. row null: the
 *             validator's row is what its feed says. A row stands there when a validator reported another one: then it is
 *             taken as given, and results say that it does not follow from its own evidence. feed null: no row in time.
 * parameters  { "chain_id", …, "subnet": {…}, "versions": {…} }: complete
 */
#ifndef TALLY_CORE_EPOCH_ROAD_H
#define TALLY_CORE_EPOCH_ROAD_H

#include "core/consensus/join/join.h"
#include "core/epoch/machine/machine.h"
#include "core/epoch/subnet/subnet.h"
#include "core/ledger/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_ROAD_VERSION        1
#define TL_ROAD_SIGNALS_MAX    100000
#define TL_ROAD_VALIDATORS_MAX 1024
#define TL_ROAD_HISTORY_MAX    12 /* epochs of reveals that are remembered */
/* rao: 21 million TAO, all that there will be. Nobody has more free, so a larger ante is E005 even where balances are not
 * tested; otherwise one signal could make the sums of an epoch overflow. */
#define TL_ROAD_ANTE_MAX INT64_C(21000000000000000)

/* --- parameters that the engine owns (params.c) --- */

typedef struct tl_road_params {
    tl_str chain_id; /* "tally" */
    uint16_t netuid; /* 1 */
    tl_rao emission; /* of the whole epoch; 10^12 */
    tl_rao external; /* 0 */
    tl_rao ante_min; /* 10 TAO */
    tl_payout_params payout;
    uint64_t reveal_early_blocks;      /* 1,800: a reveal before this costs half of the ante */
    uint64_t reveal_delay_blocks;      /* 4,200: before this it is refused, and may come again */
    uint64_t reveal_expiry_blocks;     /* 14,400 */
    uint64_t unrevealed_window_blocks; /* 648,000: 90 days */
    uint64_t unrevealed_limit;         /* 3 */
    uint64_t ban_blocks;               /* 216,000: 30 days */
    const tl_json *subnet;             /* the subnet's own, complete */
} tl_road_params;

/* tl_road_params_put: all parameters with defaults filled in, canonical. given: an object that may hold any of them,
 * the subnet's at the same level; members named in `ignored` (NULL-terminated) belong to others. NULL: all defaults. */
TL_MUST_USE tl_err tl_road_params_put(tl_json_writer *w, const tl_subnet *subnet,
                                      const tl_json *given, const char *const *ignored,
                                      tl_arena *scratch, tl_errctx *ctx);

TL_MUST_USE tl_err tl_road_params_read(tl_road_params *out, const tl_subnet *subnet,
                                       const tl_json *parameters, tl_errctx *ctx);

/* --- submissions (inputs.c) --- */

/* tl_road_submission_read: one signal. Its commitment is computed when none is given.
 * Errors: a missing field or a wrong type, named; broken rules are no errors here. */
TL_MUST_USE tl_err tl_road_submission_read(tl_submission *out, tl_arena *arena,
                                           const tl_subnet *subnet, const tl_road_params *params,
                                           const tl_json *signal, tl_errctx *ctx);

/* tl_road_submission_put: the signal as canonical JSON: every field that counts, defaults filled in. */
void tl_road_submission_put(tl_json_writer *w, const tl_subnet *subnet,
                            const tl_submission *submission);

/* tl_road_submissions_sort: into the order of the inputs: commit height, commitment, then everything else. */
TL_MUST_USE tl_err tl_road_submissions_sort(tl_submission *submissions, size_t count,
                                            const tl_subnet *subnet, tl_arena *scratch,
                                            tl_errctx *ctx);

/* --- admit (admit.c) --- */

typedef struct tl_carry tl_carry;

/* tl_road_admit: station 2 for all signals of one epoch, in the order of the inputs.
 *
 * out      count verdicts
 * world    opened by the subnet: its check is asked for what was revealed
 * balances free balances by address, or NULL: not tested
 */
TL_MUST_USE tl_err tl_road_admit(tl_admission *out, tl_arena *scratch, const tl_subnet *subnet,
                                 const void *world, const tl_road_params *params, tl_str epoch_id,
                                 const tl_carry *carry, const tl_json *balances,
                                 const tl_submission *submissions, size_t count, tl_errctx *ctx);

/* tl_road_admit_commit: the part that is known at commit: a code, or NULL.
 *
 * free_balance  NULL: not tested
 * live          the hotkey's live signal in this epoch, or NULL. A later one is E009; or E008 from the height on at which
 *               the live one brought a ban: its hash differed (until the epoch ends), or it was the third silence. Only its
 *               heights and whether its commitment is right are looked at. */
const char *tl_road_admit_commit(const tl_submission *submission, const tl_road_params *params,
                                 tl_str epoch_id, const tl_carry *carry, const tl_rao *free_balance,
                                 const tl_submission *live);

/* --- what is carried from epoch to epoch (carry.c) --- */

typedef struct tl_carry_epoch {
    tl_str epoch_id;
    const void *body;
} tl_carry_epoch;

typedef struct tl_carry_miner {
    tl_hotkey hotkey;
    bool is_banned; /* from ban_from to before ban_until, in blocks */
    uint64_t ban_from;
    uint64_t ban_until;
    const uint64_t *unrevealed; /* heights at which a commitment expired, ascending */
    size_t unrevealed_count;
    const bool *reveals; /* of its last epochs, oldest first: was there a valid reveal? */
    size_t reveal_count;
    const tl_carry_epoch *epochs; /* portfolios that count, oldest first */
    size_t epoch_count;
} tl_carry_miner;

struct tl_carry {
    const tl_carry_miner *miners; /* ascending by hotkey */
    size_t count;
};

TL_MUST_USE tl_err tl_carry_read(tl_carry *out, tl_arena *arena, const tl_subnet *subnet,
                                 const tl_json *records, tl_errctx *ctx);
void tl_carry_put(tl_json_writer *w, const tl_subnet *subnet, const tl_carry *carry);

/* tl_carry_advance: after an epoch's admissions (ROAD-3). */
TL_MUST_USE tl_err tl_carry_advance(tl_carry *out, tl_arena *arena, const tl_carry *before,
                                    const tl_road_params *params, tl_str epoch_id,
                                    const tl_submission *submissions,
                                    const tl_admission *admissions, size_t count, tl_errctx *ctx);

/* tl_carry_silences: how many of the miner's expired commitments still count at that height; miner may be NULL. */
size_t tl_carry_silences(const tl_carry_miner *miner, const tl_road_params *params,
                         uint64_t height);

/* tl_carry_find: NULL when nothing is carried of that hotkey. */
const tl_carry_miner *tl_carry_find(const tl_carry *carry, const tl_hotkey *hotkey);

/* --- the whole road (run.c) --- */

/* tl_road_line: one signal on the scoreboard. */
typedef struct tl_road_line {
    const tl_submission *submission;
    tl_admission admission;
    bool has_outcome; /* false: refused at commit */
    tl_outcome outcome;
    const tl_agreed_miner *agreed; /* NULL unless it was scored */
    const tl_score *score;         /* the reference validator's; NULL unless it was scored */
    const tl_payout *payout;       /* NULL unless an ante was locked and the epoch settled */
} tl_road_line;

/* tl_road_validator: one validator. */
typedef struct tl_road_validator {
    tl_hotkey hotkey;
    tl_rao stake;
    bool has_feed;
    size_t feed;
    bool is_faithful; /* its row is what its own evidence says */
    const tl_agreed_validator *agreed;
} tl_road_validator;

typedef struct tl_road_result {
    tl_str epoch_id;
    uint64_t height;
    tl_epoch_state state; /* settled, extended or failed */
    tl_road_params params;
    const tl_road_line *lines; /* by rank, then hotkey bytes, then height */
    size_t line_count;
    const tl_road_validator *validators; /* by hotkey bytes */
    size_t validator_count;
    tl_agreement agreement;
    tl_settlement settlement; /* zeros unless settled */
    const tl_payout_miner
        *payees; /* settlement.count of them: those whose ante is locked, ranked ones by rank */
    size_t payee_count;
    tl_carry carry;
    tl_str json; /* canonical */
} tl_road_result;

/* tl_road_run: stations 2 to 7, then the results as canonical JSON.
 *
 * out      lives in the arena
 * trees    borrowed; must live as long as the result
 * Errors   what is wrong with a tree, field named; TL_ERR_CANONICAL: signals or records out of order; TL_ERR_NOMEM
 */
TL_MUST_USE tl_err tl_road_run(tl_road_result *out, tl_arena *arena, const tl_subnet *subnet,
                               const tl_json *inputs, const tl_json *evidence,
                               const tl_json *parameters, tl_errctx *ctx);

/* tl_road_pay: post the result's settlement, or its refund, to the ledger that holds its antes. Nothing is posted for
 * an extended epoch. Errors: as tl_ledger_settle, tl_escrow_refund. */
TL_MUST_USE tl_err tl_road_pay(tl_ledger *ledger, const tl_road_result *result, tl_arena *scratch,
                               tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
