/* listings: the listings subnet, as the engine's bundles know it.
 * For         publishing an epoch of the listings network in one file, and running it again anywhere
 * Takes       three JSON trees: inputs, evidence, parameters
 * Gives       a tl_listings_result with the canonical JSON of the results; postings in the ledger
 * Calls       core/listings/race, core/epoch, core/ledger        Called by   app
 * Owns        nothing: everything lives in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  LROAD-1 inputs have one form: whoever reads them and puts them again gets the same bytes, or they are refused
 *             LROAD-2 nothing is paid unless the validators' ballots say so, and say what the replay says
 *             LROAD-3 what is posted for an epoch sums to its emission
 * Read        road.c from tl_listings_road_run() down, then read.c, put.c, settle.c
 *
 *   tl_listings_epoch ─put▶ inputs, evidence, parameters ─road▶ results ─publish▶ bundle ─verify▶ road once more
 *
 * inputs      { "beacon", "contributions": [{"hotkey","secret"}], "deadline_ms", "epoch_id",
 *               "held": [{"amount_rao","epoch_id","hotkey"}], "nonce", "round": 1 | 2, "start_ms",
 *               "strikes": [{"count","hotkey"}], "submissions": [{"sheet","zipcode"}],
 *               "validators": [{"hotkey","stake_rao"}], "zipcodes": [{"expected","is_honeypot","zipcode"}] }
 *             each list in one order: hotkeys by bytes, submissions by zipcode and hotkey bytes, zipcodes by code
 * evidence    { "ballots": [{"hotkey","roots": {"evidence","hash","score","weight"},
 *                            "weights": null | [{"hotkey": null | ss58,"weight_u16"}]}]: who gave none is not there
 *               "validators": [{"document": null | evidence document, "hotkey"}] }: as inputs.validators, one each
 * parameters  { "subnet": {…complete…}, "versions": {"road","subnet","subnet_version"} }
 * results     { "agreement", "checks": {"beacon","honeypots"}, "epoch_id", "findings", "held", "roots", "scoreboard", "settlement",
 *               "state", "strikes", "submissions", "validators", "weights", "winners" }: what stands there is paid where state is "settled".
 *             checks.beacon: it follows from the nonce and the contributions; checks.honeypots: they are those that the
 *             nonce draws. A false one says that whoever published the epoch did not keep to its commitments.
 */
#ifndef TALLY_CORE_SUBNET_LISTINGS_H
#define TALLY_CORE_SUBNET_LISTINGS_H

#include "core/epoch/bundle/bundle.h"
#include "core/ledger/ledger.h"
#include "core/listings/place/place.h"
#include "core/listings/race/race.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const tl_subnet tl_subnet_listings;

typedef struct tl_listings_ballot {
    tl_race_ballot ballot;
    const tl_race_weight *weights; /* as revealed; used by the median only */
    size_t weight_count;
} tl_listings_ballot;

/* tl_listings_epoch: all that an epoch of this subnet is made of. Lists in any order. */
typedef struct tl_listings_epoch {
    tl_race_input race;
    const tl_contribution *contributions; /* secrets that were revealed; each hotkey at most once */
    size_t contribution_count;
    uint32_t round; /* 1, or 2 after an extension */
    const tl_listings_ballot
        *ballots;        /* of race.validators, each at most once; who is missing gave no result */
    size_t ballot_count; /* with a result; one without is left out */
} tl_listings_epoch;

typedef struct tl_listings_result {
    tl_listings_epoch epoch;
    tl_race_result race;         /* pay already by the median where the status says so */
    tl_race_verdict_out verdict; /* outliers index the validators, by hotkey bytes */
    tl_epoch_state state;        /* settled, extended or failed */
    bool has_right_beacon;       /* results.checks */
    bool has_right_honeypots;
    bool matches_replay; /* the ballots' top hash is that of the race; true without a top hash */
    tl_str json;         /* canonical results */
} tl_listings_result;

/* tl_listings_road_run: the epoch from its recorded trees.
 *
 * out      lives in the arena
 * trees    borrowed; must live as long as the result
 * Errors   what is wrong with a tree, field named; TL_ERR_CANONICAL: a list out of order; as tl_race_run */
TL_MUST_USE tl_err tl_listings_road_run(tl_listings_result *out, tl_arena *arena,
                                        const tl_json *inputs, const tl_json *evidence,
                                        const tl_json *parameters, tl_errctx *ctx);

/* tl_listings_publish: the bundle of an epoch: its sections are put, the road is run on them, the file is made.
 *
 * out      the file's bytes; result may be NULL
 * Errors   as tl_listings_road_run */
TL_MUST_USE tl_err tl_listings_publish(tl_str *out, tl_hash32 *digest, tl_listings_result *result,
                                       tl_arena *arena, const tl_listings_epoch *epoch,
                                       tl_errctx *ctx);

/* tl_listings_pay: post a settled result: emission into the epoch's pool, rewards and burn out of it, held pay to carry,
 * released pay out of carry, and the epoch's books closed; all of it or nothing. Nothing for a state that is not settled. scratch: some 100 bytes a miner, not given back.
 * Errors  TL_ERR_STATE: settled already; TL_ERR_FUNDS: what is released was never held; else as tl_ledger_post */
TL_MUST_USE tl_err tl_listings_pay(tl_ledger *ledger, const tl_listings_result *result,
                                   uint64_t height, tl_arena *scratch, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
