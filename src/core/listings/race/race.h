/* race: from sheets and evidence to places, pay and weights, and the validators' agreement on them.
 * For         the end of an epoch: every validator computes it, the coordinator and any stranger computes it again
 * Takes       sheets (core/listings/shard), each validator's evidence and stake, the nonce, what was held before
 * Gives       places, findings, pay in rao that adds up, weights u16, three roots and their hash; a verdict on ballots
 * Calls       core/listings/model, core/crypto/hash, core/consensus/agree, core/num     Called by   core/subnet/listings, app
 * Owns        nothing: everything lives in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  RACE-1 the order in which sheets, evidence or ballots are given changes no byte of the result
 *             RACE-2 emission and what was held before = pay + what is held now + burn, to the rao
 *             RACE-3 one hotkey and one coldkey have at most one place a zipcode
 *             RACE-4 whoever is disqualified or fails a tier is paid nothing
 *             RACE-5 evidence of validators that hold less than half of the stake with evidence turns no verdict
 * Read        race.c from tl_race_run() down, then merge.c, pay.c, put.c; evidence.c; verdict.c alone
 *
 *   evidence of each ─merge▶ spot check, honeypots ─┐
 *   sheets ──────────────────────order─────────────┴▶ places ─pay▶ lines ─▶ roots ─▶ hash ─▶ ballots ─verdict▶ status
 *
 * A listing's verdict: PASS or FAIL, whichever has more stake among the validators with evidence; neither when they tie
 * or hold less than a third of the stake. It then leaves the sample, and the next of the reserve enters. At least 80 % of
 * those judged must pass. Fewer than three judged: the check as a whole has no evidence, the submission keeps its place,
 * and its pay is held for one epoch.
 *
 * Passing everything: in time, tiers 1 to 3, no copy and no sybil of another submission of the zipcode, not disqualified.
 * Disqualified for the whole epoch is who handed in a synthetic submission (its sheet says so), or a honeypot listing that
 * validators with more than half of the stake that gave evidence found. A strike each; from the second on the deposit is
 * forfeited.
 *
 * A place: those who pass everything, by time of receipt in ms, then SHA-256(nonce ‖ content hash, both as lower-case hex
 * text), then hotkey bytes. The first three have 55, 30 and 10 %; those behind them share 5 % of the epoch, one part a
 * coldkey. What nobody earns burns: an empty second place, participation without a participant, an epoch without winners.
 * A zipcode weighs as many units as its winners brought distinct listings.
 *
 * pay(h) = emission · units(h) / all units, the largest remainders first, ties by rank, then hotkey bytes.
 */
#ifndef TALLY_CORE_LISTINGS_RACE_H
#define TALLY_CORE_LISTINGS_RACE_H

#include "core/listings/model/model.h"
#include "core/listings/race/verdict.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_RACE_ZIPCODES_MAX   1024
#define TL_RACE_SHEETS_MAX     ((size_t)1 << 20)
#define TL_RACE_VALIDATORS_MAX 1024
#define TL_RACE_HELD_MAX       ((size_t)65536)

/* --- evidence: what one validator found out about the world (evidence.c) ---
 *
 *   {"epochId":"…","items":[{"contentHash":hex,"honeypots":[indices],"hotkey":ss58,"verdicts":"PPFN-…","zipcode":"98101"}],
 *    "noEvidenceRate":millionths}
 *
 * verdicts has one character a sample, in the sheet's order, the reserve too: P pass, F fail, N no evidence, '-' not asked.
 * Whoever asks all of them, reserve included, lets the reserve be of use. noEvidenceRate is N of P, F and N. Items ascend
 * by zipcode, then hotkey bytes; one of each. One form: what is read and written again is the same bytes. */

#define TL_EVIDENCE_LEN_MAX       ((size_t)64 << 20) /* bytes of a document */
#define TL_EVIDENCE_ITEMS_MAX     TL_RACE_SHEETS_MAX
#define TL_EVIDENCE_HONEYPOTS_MAX 1024 /* indices of one item; more prove no more */

typedef struct tl_evidence_item {
    tl_hotkey hotkey; /* the miner */
    char zipcode[6];
    tl_hash32 content_hash;
    tl_str verdicts;           /* at most TL_SAMPLES_MAX characters */
    const uint32_t *honeypots; /* indices, ascending */
    size_t honeypot_count;
} tl_evidence_item;

typedef struct tl_evidence {
    tl_str epoch_id;
    const tl_evidence_item *items;
    size_t count;
} tl_evidence;

/* tl_evidence_sort: items in place, into the order of a document. Errors: TL_ERR_DUPLICATE; those of the arena. */
TL_MUST_USE tl_err tl_evidence_sort(tl_evidence_item *items, size_t count, tl_arena *scratch,
                                    tl_errctx *ctx);

/* tl_evidence_read: texts look into the tree.
 * Errors: of base/json, field named; TL_ERR_LIMIT; TL_ERR_CANONICAL: out of order, or another form of an address;
 * TL_ERR_RANGE: a letter that is no verdict, a rate that is not that of the items */
TL_MUST_USE tl_err tl_evidence_read(tl_evidence *out, tl_arena *arena, const tl_json *document,
                                    tl_errctx *ctx);

/* tl_evidence_put: the document. Items in order (asserted). */
void tl_evidence_put(tl_json_writer *w, const tl_evidence *evidence);

uint32_t tl_evidence_none_millionths(const tl_evidence *evidence); /* noEvidenceRate */

/* --- what an epoch's race is run on --- */

typedef struct tl_race_zipcode {
    char zipcode[6];
    uint32_t expected;
    bool is_honeypot;
} tl_race_zipcode;

typedef struct tl_race_sheet {
    char zipcode[6];
    tl_sheet sheet; /* texts borrowed */
} tl_race_sheet;

typedef struct tl_race_validator {
    tl_hotkey hotkey;
    tl_rao stake;                /* that counts: tl_race_stake_counted */
    const tl_evidence *evidence; /* NULL: none in time; items in order, of this epoch */
} tl_race_validator;

typedef struct tl_race_held {
    tl_str epoch_id; /* that it was earned in */
    tl_hotkey hotkey;
    tl_rao amount; /* above 0 */
} tl_race_held;

typedef struct tl_race_strike {
    tl_hotkey hotkey;
    uint32_t count; /* disqualifications so far, 1 or more */
} tl_race_strike;

/* tl_race_input: lists in any order; all borrowed, must live as long as the result. */
typedef struct tl_race_input {
    const tl_listings_params *params;
    tl_str epoch_id;
    int64_t start_ms;
    int64_t deadline_ms;
    tl_str nonce;  /* as revealed */
    tl_str beacon; /* written down with the rest; the race itself uses the nonce */
    const tl_race_zipcode *zipcodes;
    size_t zipcode_count;
    const tl_race_sheet *sheets; /* one a miner and zipcode at most */
    size_t sheet_count;
    const tl_race_validator *validators;
    size_t validator_count;
    const tl_race_held *held; /* pay held in the epoch before: due now */
    size_t held_count;
    const tl_race_strike *strikes;
    size_t strike_count;
} tl_race_input;

/* --- what comes out --- */

/* X(NAME, text): what became of one submission of one zipcode. */
#define TL_RACE_OUTCOME_MAP(X)                                                                     \
    X(FIRST, "first")                                                                              \
    X(SECOND, "second")                                                                            \
    X(THIRD, "third")                                                                              \
    X(PARTICIPANT, "participant")   /* passed everything, beyond third */                          \
    X(SAME_COLDKEY, "same_coldkey") /* passed everything; its coldkey stands before it here */     \
    X(FAILED, "failed")             /* a tier, or late: kept_by says what */                       \
    X(DISQUALIFIED, "disqualified") /* for the whole epoch */                                      \
    X(NOT_RACED, "not_raced")       /* a honeypot zipcode */

typedef enum tl_race_outcome {
#define TL_RACE_OUTCOME_ENUM(name, text) TL_RACE_##name,
    TL_RACE_OUTCOME_MAP(TL_RACE_OUTCOME_ENUM)
#undef TL_RACE_OUTCOME_ENUM
        TL_RACE_OUTCOME_COUNT
} tl_race_outcome;

const char *tl_race_outcome_name(tl_race_outcome outcome);

typedef enum tl_race_check {
    TL_RACE_CHECK_PASS,
    TL_RACE_CHECK_FAIL,
    TL_RACE_CHECK_NONE
} tl_race_check;

const char *tl_race_check_name(tl_race_check check); /* "pass", "fail", "no_evidence" */

/* tl_race_entry: one submission of one zipcode, after the race. */
typedef struct tl_race_entry {
    const tl_race_sheet *of;
    tl_hotkey hotkey;
    tl_hotkey coldkey;
    tl_hash32 tie; /* SHA-256(nonce ‖ content hash) */
    tl_race_check check;
    uint32_t judged;
    uint32_t passed;
    const uint32_t *honeypots; /* by majority */
    size_t honeypot_count;
    tl_race_outcome outcome;
    bool has_kept_by;
    tl_listing_rule kept_by; /* the rule that kept it from its place */
    uint32_t accuracy_millionths;
    uint32_t quality_millionths; /* 25 data quality, 35 accuracy, 25 completeness, 15 timeliness */
} tl_race_entry;

/* tl_race_finding: a rule that speaks about a submission: the sheet's own, and those of the race. */
typedef struct tl_race_finding {
    size_t entry;
    tl_finding finding;
    bool keeps; /* it kept the submission from its place */
} tl_race_finding;

/* tl_race_line: one hotkey. The burn has a line of its own in the result. */
typedef struct tl_race_line {
    tl_hotkey hotkey;
    uint32_t submissions; /* zipcodes that it handed something in for */
    uint32_t places[3];
    uint32_t participations;
    uint32_t listings; /* distinct, of its places */
    bool is_disqualified;
    tl_listing_rule
        disqualified_by;         /* where is_disqualified: what did it; honeypot before all else */
    uint32_t strikes;            /* this epoch's included */
    bool forfeits_deposit;       /* from the second strike on */
    uint32_t score_millionths;   /* of all units, held ones included */
    uint32_t quality_millionths; /* mean of its entries */
    tl_rao earned;               /* of this epoch, held not included */
    tl_rao held;                 /* earned in this epoch, paid in the next */
    tl_rao released;             /* held before, paid now */
    tl_rao reward;               /* earned + released */
    uint16_t weight_u16;
} tl_race_line;

typedef struct tl_race_result {
    const tl_race_input *input;
    const tl_race_entry *entries; /* by zipcode, then race order */
    size_t entry_count;
    const tl_race_finding *findings; /* by entry, then rule */
    size_t finding_count;
    const tl_race_line *lines; /* by reward, held, score (descending), then hotkey bytes */
    size_t line_count;
    tl_rao emission;
    tl_rao burn;           /* what nobody earned, released_burnt included */
    tl_rao released;       /* all that was held before and is due now, to whomever */
    tl_rao released_burnt; /* of it that of the disqualified */
    uint16_t burn_weight_u16;
    tl_rao paid;              /* sum of the lines' rewards */
    const tl_race_held *held; /* into the next epoch, by hotkey bytes */
    size_t held_count;
    const tl_race_strike *strikes; /* into the next epoch, by hotkey bytes */
    size_t strike_count;
    uint32_t no_evidence_millionths; /* the largest of a validator's */
    tl_race_roots roots;
} tl_race_result;

/* tl_race_run: the race of one epoch.
 *
 * out     lives in the arena
 * Errors  TL_ERR_CANONICAL evidence out of order or of another epoch; TL_ERR_DUPLICATE a zipcode, a submission, a
 *         validator or a held pay twice; TL_ERR_UNKNOWN a sheet of a zipcode that was not asked for; TL_ERR_SYNTAX … an
 *         address; TL_ERR_RANGE a negative stake, shares above the whole, counts that are no sheet's; TL_ERR_OVERFLOW,
 *         TL_ERR_LIMIT, TL_ERR_NOMEM
 * Cost    O(n log n) in sheets, and one pass over the evidence */
TL_MUST_USE tl_err tl_race_run(tl_race_result *out, tl_arena *arena, const tl_race_input *input,
                               tl_errctx *ctx);

/* tl_race_repay: pay and weights of a finished race by other weights (the median's): emission is split by them, nothing is
 * held; who is not in the race leaves its part to the burn. The roots stay. Errors: those of the arena; TL_ERR_OVERFLOW. */
TL_MUST_USE tl_err tl_race_repay(tl_race_result *io, tl_arena *arena, const tl_race_weight *weights,
                                 size_t count, tl_errctx *ctx);

/* tl_race_put_*: canonical members of the results: an array each. */
void tl_race_put_entries(tl_json_writer *w, const tl_race_result *result);
void tl_race_put_findings(tl_json_writer *w, const tl_race_result *result);
void tl_race_put_lines(tl_json_writer *w, const tl_race_result *result);
void tl_race_put_winners(tl_json_writer *w, const tl_race_result *result);
void tl_race_put_weights(tl_json_writer *w, const tl_race_result *result);
void tl_race_put_held(tl_json_writer *w, const tl_race_held *held, size_t count);
void tl_race_put_strikes(tl_json_writer *w, const tl_race_strike *strikes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
