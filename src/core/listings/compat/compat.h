/* compat: the listings network's original, bit for bit: its tiers, race, weights, hash and agreement.
 * For         auditing the Python program's results, and a validator that could stand beside Python ones
 * Takes       listings, submissions in arrival order, verdicts on sampled listings, zipcodes in the given order
 * Gives       rates, draws, winners, scores in doubles, the consensus text and its hash, the status
 * Calls       core/listings/pyvalue and model, core/num/rng, core/crypto/hash      Called by   app
 * Owns        nothing: results live in the arena passed in
 * Threads     one tl_compat_quality, one thread; the pure functions anywhere
 * Invariants  COMPAT-1 a sample holds different indices below n, ascending
 *             COMPAT-2 no race has more than three winners, and nobody after the third is looked at
 *             COMPAT-3 scores that were normalised sum to one, but for rounding
 * Read        tiers.c, quality.c, file.c, draw.c, then race.c, epoch.c, agree.c; document.c stands apart
 *
 *   listings ─quality▶ rates ┐
 *   expected ─tier 1▶ bounds ├─race▶ winners, participants ─epoch▶ scores, weights, counts ─text▶ hash ─agree▶ status
 *   nonce, time ─draw▶ indices ┘                       (one zipcode)             (all zipcodes)
 *
 * What it is worth is listings spec section 7 and the listings oracle page's list of defects: this room keeps them all.
 * An exception of Python is a result here (member error), not a failure of ours: where it is set, the run of the
 * original ended, and the other members say nothing. Sums are plain, left to right, as CPython 3.11's sum() is: they
 * follow the system reproduced and no other room may use them.
 */
#ifndef TALLY_CORE_LISTINGS_COMPAT_H
#define TALLY_CORE_LISTINGS_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "core/listings/model/model.h"
#include "core/listings/pyvalue/pyvalue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- the three versions of the original's code --- */

typedef enum tl_compat_code {
    TL_COMPAT_2025_10_03, /* zeroed memory: the default */
    TL_COMPAT_2025_10_29, /* two samples, no upper bound of the count */
    TL_COMPAT_2025_11_26 /* tiers 1 and 2 only: its samples have no seed, so it has no race to reproduce */
} tl_compat_code;

const char *tl_compat_code_name(tl_compat_code code); /* "2025-10-03" */
bool tl_compat_code_parse(tl_compat_code *out, tl_str text);

/* --- tier 1: how many listings --- */

typedef struct tl_compat_bounds {
    int64_t min; /* both inclusive */
    int64_t max;
    bool has_max; /* false: any number */
} tl_compat_bounds;

/* tl_compat_tier1: the doubles expected * 0.85 and expected * 1.15, cut. has_expected false: nobody said how many
 * (only 2025-11-26 takes that; the others read it as 0). */
tl_compat_bounds tl_compat_tier1(tl_compat_code code, bool has_expected, int64_t expected);
bool tl_compat_tier1_passes(const tl_compat_bounds *bounds, uint64_t actual);

/* --- tier 2: what the listings say --- */

#define TL_COMPAT_FIELDS ((size_t)TL_FIELD_ZIPCODE + 1)

/* tl_compat_listing: the values that any version looks at, by tl_listing_field; zeroed memory has none of them. A
 * decoder of its own fills it without allocating; only a price that is a list or a dict needs its tree. */
typedef struct tl_compat_listing {
    tl_py_value field[TL_COMPAT_FIELDS];
} tl_compat_listing;

/* tl_compat_listing_read: of an object. Errors: TL_ERR_TYPE when it is none. */
TL_MUST_USE tl_err tl_compat_listing_read(tl_compat_listing *out, const tl_json *object,
                                          tl_errctx *ctx);

typedef struct tl_compat_quality_options {
    tl_compat_code code;
    int64_t now_us;         /* the validator's clock, Unix: October asks it */
    bool has_zipcodes;      /* November: is the epoch's set known? */
    const tl_str *zipcodes; /* borrowed until the finish */
    size_t zipcode_count;
} tl_compat_quality_options;

/* tl_compat_quality: counts listings as they come; fields are the room's. Memory: at most 64 bytes a distinct
 * listing, and as much again for the smaller tables before; nothing of a listing is kept. */
typedef struct tl_compat_quality {
    tl_compat_quality_options options;
    tl_arena *arena;
    uint64_t count;
    uint64_t complete;
    uint64_t reasonable;
    uint64_t consistent;
    uint64_t compliant;
    tl_py_error
        error_reasonable; /* the first of each pass: Python goes through all listings for one question, */
    tl_py_error error_consistent; /* then for the next */
    tl_py_error error_duplicate;
    uint64_t *seen; /* pairs: the first 128 bits of the SHA-256 of "address:price" */
    size_t seen_cap;
    size_t seen_count;
    bool has_zero; /* was the key whose pair is zero seen? */
} tl_compat_quality;

/* tl_compat_quality_init: options are copied, zipcodes borrowed. */
void tl_compat_quality_init(tl_compat_quality *quality, tl_arena *arena,
                            const tl_compat_quality_options *options);

/* tl_compat_quality_add: one listing more, borrowed for the call. Errors: of the arena; TL_ERR_LIMIT after 2^32. */
TL_MUST_USE tl_err tl_compat_quality_add(tl_compat_quality *quality,
                                         const tl_compat_listing *listing, tl_errctx *ctx);

/* tl_compat_rates: what a version does not ask stays 0. count 0: fails without rates. */
typedef struct tl_compat_rates {
    uint64_t count;
    double field_completeness;
    double reasonable_values;
    double data_consistency; /* October */
    double duplicate_rate;   /* October */
    double epoch_compliance; /* November; 1 without a set of zipcodes */
    bool passes;
    tl_py_error error;
} tl_compat_rates;

void tl_compat_quality_finish(tl_compat_rates *out, const tl_compat_quality *quality);

/* tl_compat_quality_run: init, add of each item of a JSON array, finish. scratch is given back.
 * Errors: TL_ERR_TYPE when listings is no array of objects. */
TL_MUST_USE tl_err tl_compat_quality_run(tl_compat_rates *out, const tl_json *listings,
                                         const tl_compat_quality_options *options,
                                         tl_arena *scratch, tl_errctx *ctx);

/* tl_compat_file: what a submission's file says of itself, as views; a member that is there but no text is empty. */
typedef struct tl_compat_file {
    tl_str zipcode;
    tl_str time;    /* "submission_timestamp" */
    tl_str hotkey;  /* "miner_hotkey" */
    uint64_t count; /* of its listings */
} tl_compat_file;

/* tl_compat_file_read: a file {"zipcode", "listings": […], …} in one pass, without a tree, its listings added to quality.
 * As json.loads: NaN and Infinity are numbers, of equal keys the last counts; half a surrogate pair and a
 * second "listings" are refused here.
 *
 * text     borrowed as long as out
 * scratch  holds out's texts where they had escapes; another arena than quality's (asserted)
 * Errors: of base/json (SYNTAX, ENCODING, LIMIT); TL_ERR_TYPE: no object, a listing that is none; TL_ERR_MISSING: no
 * listings; TL_ERR_DUPLICATE; TL_ERR_RANGE: an integer that json.loads refuses (TL_PY_INT_DIGITS_MAX). quality is then spoilt.
 */
TL_MUST_USE tl_err tl_compat_file_read(tl_compat_file *out, tl_compat_quality *quality, tl_str text,
                                       tl_arena *scratch, tl_errctx *ctx);

/* tl_compat_check: tiers 1 and 2 of one submission: what `tally listings check` tells a miner. */
typedef struct tl_compat_check {
    tl_compat_bounds bounds;
    tl_compat_rates rates;
    uint32_t
        failed_at_tier; /* 0: passes both; where rates.error is set, the original's run ends at tier 2 */
} tl_compat_check;

/* tl_compat_check_files: the files of one miner and zipcode, as one submission. scratch is given back.
 * Errors: of tl_compat_file_read, field "files[i]…". */
TL_MUST_USE tl_err tl_compat_check_files(tl_compat_check *out, const tl_str *files, size_t count,
                                         bool has_expected, int64_t expected,
                                         const tl_compat_quality_options *options,
                                         tl_arena *scratch, tl_errctx *ctx);

/* tl_compat_completeness: the rate and the verdict by it alone, of n listings of which some are incomplete (at most n,
 * asserted). */
double tl_compat_completeness(bool *passes, tl_compat_code code, uint64_t n, uint64_t incomplete);

/* --- tier 3: the draw --- */

#define TL_COMPAT_SAMPLES_MAX 10

typedef struct tl_compat_draw {
    tl_hash32 sha256;
    uint32_t seed;  /* its first four bytes, big-endian */
    uint32_t count; /* how many are drawn */
    uint64_t drawn[TL_COMPAT_SAMPLES_MAX];
    uint64_t indices[TL_COMPAT_SAMPLES_MAX]; /* the same, ascending (COMPAT-1) */
    tl_py_error error; /* ValueError: fewer listings than samples; no indices then */
} tl_compat_draw;

/* tl_compat_draw_text: "nonce:hotkey:time:n"; time as submitted. */
TL_MUST_USE tl_err tl_compat_draw_text(tl_str *out, tl_arena *arena, tl_str nonce, tl_str hotkey,
                                       tl_str time, uint64_t n, tl_errctx *ctx);

/* tl_compat_draw_sample: the draw of a text. scratch is given back. Errors: TL_ERR_UNKNOWN for 2025-11-26, which draws
 * without a seed; of the arena. */
TL_MUST_USE tl_err tl_compat_draw_sample(tl_compat_draw *out, tl_compat_code code, tl_str text,
                                         uint64_t n, tl_arena *scratch, tl_errctx *ctx);

/* tl_compat_spot_passes: passed of count at or above 0.80, in doubles; none asked: false. */
bool tl_compat_spot_passes(double *rate, uint32_t passed, uint32_t count);

/* --- the race of one zipcode --- */

typedef struct tl_compat_submission {
    tl_str hotkey;
    tl_str time; /* the miner's own statement; compared as text */
    uint64_t count;
} tl_compat_submission;

/* tl_compat_judge: what the race asks, in the order and only as often as the original asks it. index counts the given
 * submissions from 0. quality: tier 2 of one that passed tier 1; verify: is this listing accurate? What they allocate in
 * the race's own arena is gone when it ends. */
typedef struct tl_compat_judge {
    void *self;
    tl_err (*quality)(void *self, tl_compat_rates *out, size_t index, tl_errctx *ctx);
    tl_err (*verify)(void *self, bool *is_accurate, size_t index, uint64_t listing, tl_errctx *ctx);
} tl_compat_judge;

typedef struct tl_compat_race_input {
    tl_compat_code code;
    tl_str nonce;
    bool has_expected;
    int64_t expected;
    const tl_compat_submission *submissions; /* in arrival order */
    size_t submission_count;
} tl_compat_race_input;

typedef struct tl_compat_winner {
    size_t index;
    uint32_t rank; /* from 1 */
    tl_compat_draw draw;
    double rate;
} tl_compat_winner;

typedef struct tl_compat_participant {
    size_t index;
    uint32_t failed_at_tier; /* 2; or 3, and then: */
    tl_compat_draw draw;
    double rate;
} tl_compat_participant;

/* One that is paid: a hotkey that won twice once, with its last place. */
typedef struct tl_compat_reward {
    tl_str hotkey;
    uint32_t rank;
    uint64_t count;
    double share; /* 0.55, 0.30, 0.10 */
} tl_compat_reward;

#define TL_COMPAT_WINNERS_MAX 3

typedef struct tl_compat_race {
    tl_compat_winner winners[TL_COMPAT_WINNERS_MAX];
    size_t winner_count;
    const tl_compat_participant *participants; /* in the order in which they were looked at */
    size_t participant_count;
    tl_compat_reward rewards[TL_COMPAT_WINNERS_MAX];
    size_t reward_count;
    uint64_t total_listings_found; /* of the winners' submissions */
    uint64_t total_submissions_processed;
    uint64_t total_validated;
    tl_py_error error; /* the run ended; the rest is zero */
} tl_compat_race;

/* tl_compat_race_run. Errors: TL_ERR_UNKNOWN for 2025-11-26; what the judge fails with; of the arena. */
TL_MUST_USE tl_err tl_compat_race_run(tl_compat_race *out, tl_arena *arena,
                                      const tl_compat_race_input *input,
                                      const tl_compat_judge *judge, tl_errctx *ctx);

/* --- the weights of an epoch --- */

typedef struct tl_compat_win {
    tl_str hotkey;
    uint64_t count;
} tl_compat_win;

typedef struct tl_compat_zipcode {
    tl_str zipcode;
    const tl_compat_win
        *winners; /* in the order of their ranks; those after the third are paid nothing */
    size_t winner_count;
    const tl_str *participants;
    size_t participant_count;
} tl_compat_zipcode;

typedef struct tl_compat_score {
    tl_str id;
    double score;
} tl_compat_score;

typedef struct tl_compat_epoch {
    const tl_compat_score *miner_scores; /* normalised, in the order in which miners first scored */
    size_t miner_count;
    const tl_compat_score *zipcode_weights; /* as first given */
    size_t zipcode_count;
    uint64_t total_participants;
    uint64_t total_winners;
    uint64_t total_epoch_listings;
    double winners_total_reward;
    double participants_total_reward;
    double raw_total;
} tl_compat_epoch;

/* tl_compat_race_zipcode: a race's result as an entry of an epoch. */
TL_MUST_USE tl_err tl_compat_race_zipcode(tl_compat_zipcode *out, tl_arena *arena, tl_str zipcode,
                                          const tl_compat_race_input *input,
                                          const tl_compat_race *race, tl_errctx *ctx);

/* tl_compat_epoch_run: zipcodes in the given order, which decides the last bits and total_participants.
 * Errors: TL_ERR_RANGE when the listings are 2^53 or more; of the arena. Cost: O(n log n). */
TL_MUST_USE tl_err tl_compat_epoch_run(tl_compat_epoch *out, tl_arena *arena,
                                       const tl_compat_zipcode *zipcodes, size_t count,
                                       tl_errctx *ctx);

/* tl_compat_epoch_text, tl_compat_epoch_hash: what validators compare: one line of JSON, and its SHA-256. Of equal ids
 * the last counts. */
TL_MUST_USE tl_err tl_compat_epoch_text(tl_str *out, tl_arena *arena, tl_str nonce,
                                        const tl_compat_epoch *epoch, tl_errctx *ctx);
TL_MUST_USE tl_err tl_compat_epoch_hash(tl_hash32 *out, tl_arena *scratch, tl_str nonce,
                                        const tl_compat_epoch *epoch, tl_errctx *ctx);

/* --- agreement --- */

typedef struct tl_compat_vote {
    tl_str validator;
    tl_str hash;
} tl_compat_vote;

typedef enum tl_compat_status {
    TL_COMPAT_PERFECT_CONSENSUS,
    TL_COMPAT_MAJORITY_CONSENSUS,
    TL_COMPAT_CONSENSUS_FAILED
} tl_compat_status;

typedef enum tl_compat_fallback {
    TL_COMPAT_CONSENSUS_OK,
    TL_COMPAT_MAJORITY_FALLBACK, /* sets no weights */
    TL_COMPAT_STOP /* an exception: the epoch is tried again five minutes later, for ever */
} tl_compat_fallback;

typedef struct tl_compat_agreement {
    tl_compat_status status;
    tl_compat_fallback fallback;
    double rate;
    tl_str majority_hash;
    bool matches_majority;
    uint64_t total_validators;
    const tl_str *outliers;
    size_t outlier_count;
} tl_compat_agreement;

const char *tl_compat_status_name(tl_compat_status status);
const char *tl_compat_fallback_name(tl_compat_fallback fallback);

/* tl_compat_agree: votes in the order collected; the own hash is added under the name "self". A name given twice keeps
 * its first place and its last hash. Cost: O(n log n). */
TL_MUST_USE tl_err tl_compat_agree(tl_compat_agreement *out, tl_arena *arena,
                                   const tl_compat_vote *votes, size_t count, tl_str own_hash,
                                   double threshold, tl_errctx *ctx);

/* --- what only the design document has (nobody ran it) --- */

typedef struct tl_compat_anomalies { /* rates, compared with > */
    double price;
    double geography;
    double time;
    double duplicates;
} tl_compat_anomalies;

#define TL_COMPAT_PATTERNS 4

typedef struct tl_compat_synthetic {
    const char *patterns[TL_COMPAT_PATTERNS];
    size_t pattern_count;
    bool is_synthetic;
    double confidence;
} tl_compat_synthetic;

void tl_compat_synthetic_judge(tl_compat_synthetic *out, const tl_compat_anomalies *rates);

/* tl_compat_honeypot_hit: does any listing's zipcode (text only) stand among the honeypots? */
bool tl_compat_honeypot_hit(const tl_py_value *zipcodes, size_t count, const tl_str *honeypots,
                            size_t honeypot_count);

#ifdef __cplusplus
}
#endif

#endif
