/* subnet: the table that a subnet fills, and what travels between the engine and it.
 * For         one engine for all subnets: it owns time, storage, agreement and money; a subnet owns what is good
 * Takes       recorded inputs only: submissions, evidence, parameters
 * Gives       types of the stations decode, admit and score
 * Calls       core/num, core/crypto, core/epoch/calendar         Called by   core/epoch/road, core/subnet
 * Owns        nothing: everything lives in the epoch's arena
 * Threads     a world belongs to one thread; the functions of a table have no state of their own
 * Invariants  SUB-1 a scoreboard has one score for each peer, in the order of the peers
 *             SUB-2 a flag's rule is a bit below the table's rule_count
 *
 *      signal (JSON) ─decode▶ tl_submission ─admit▶ tl_admission ─score▶ tl_scoreboard ─▶ core/consensus, core/ledger
 */
#ifndef TALLY_CORE_EPOCH_SUBNET_H
#define TALLY_CORE_EPOCH_SUBNET_H

#include "base/arena/arena.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"
#include "core/epoch/calendar/calendar.h"
#include "core/num/money/money.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_submission: what a miner sent, well formed. Only decode makes one; whether it may count is admit's question. */
typedef struct tl_submission {
    tl_str hotkey_text; /* as sent */
    tl_hotkey hotkey;   /* zeros when the text is no hotkey */
    bool has_hotkey;
    tl_str epoch_id; /* as sent */
    tl_epoch_span span;
    bool has_span; /* is epoch_id the name of an epoch? */
    tl_rao ante;
    uint64_t commit_height; /* blocks */
    bool has_reveal;
    uint64_t reveal_height;
    tl_hash32 salt;       /* zeros when none was sent */
    tl_hash32 commitment; /* as sent, or the right one when none was */
    bool is_commitment_right;
    bool is_registered; /* recorded verdicts of the outside world */
    bool is_signature_valid;
    tl_hash32 body_hash;
    const void *body; /* the subnet's own */
} tl_submission;

/* tl_admit_state: how far a submission came. */
typedef enum tl_admit_state {
    TL_ADMIT_REFUSED, /* at commit: nothing was locked */
    TL_ADMIT_NOT_REVEALED,
    TL_ADMIT_REVEALED_EARLY,
    TL_ADMIT_HASH_DIFFERS,
    TL_ADMIT_INVALID, /* revealed, but the subnet's rules do not hold */
    TL_ADMIT_VALID
} tl_admit_state;

/* tl_admission: station 2's verdict on one submission. */
typedef struct tl_admission {
    tl_admit_state state;
    const char *code; /* "E001" …, static; NULL when no rule was broken */
} tl_admission;

/* tl_flag: one rule that spoke about one miner, with its evidence. Fields without has_ are always meant. */
typedef struct tl_flag {
    uint32_t rule; /* bit of the subnet's rules */
    double factor; /* on the score; 1: for review only; 0: disqualified */
    bool has_peer;
    tl_hotkey peer;
    bool has_value;
    double value;
    bool has_limit;
    double limit;
    bool has_days;
    uint32_t days;
    bool has_span;
    tl_day from;
    tl_day to;
} tl_flag;

/* tl_score: what one validator says of one miner. */
typedef struct tl_score {
    uint32_t qs_millionths;
    uint32_t max_drawdown_millionths;
    uint32_t days; /* of record */
    bool is_disqualified;
    const tl_flag *flags;
    size_t flag_count;
    const void *detail; /* for explain */
} tl_score;

typedef struct tl_scoreboard {
    const tl_score *scores;
    size_t count;
} tl_scoreboard;

/* tl_subnet_task: what a world is opened on. All trees and arrays are borrowed and outlive the world. */
typedef struct tl_subnet_task {
    tl_str epoch_id;
    tl_epoch_span span;
    const tl_json *inputs;
    const tl_json *evidence;
    const tl_json *parameters; /* complete: made by params */
} tl_subnet_task;

typedef struct tl_subnet {
    const char *name;
    uint32_t version; /* of the rules: a changed result is a new version */
    const char *commit_domain;
    const char *const
        *rules;        /* names of the flags, by bit; the whole of what a row's flags can say */
    size_t rule_count; /* at most 32 */

    /* decode: the body of a signal. io has its other fields already; sets body and body_hash.
     * Errors as of base/json: a missing field, a wrong type. A rule of the subnet that is broken is no error here. */
    tl_err (*decode)(tl_submission *io, tl_arena *arena, const tl_json *signal, tl_errctx *ctx);

    /* encode: the body as members of a JSON object that is open, keys ascending; they stand after "hotkey" and before
     * "registered", the engine's own neighbours of them. */
    void (*encode)(tl_json_writer *w, const void *body);

    /* params: all parameters, defaults filled in, as one JSON object with ascending keys. given may be NULL.
     * Errors: TL_ERR_UNKNOWN, TL_ERR_TYPE, TL_ERR_RANGE with the name as field. */
    tl_err (*params)(tl_json_writer *w, const tl_json *given, tl_errctx *ctx);

    /* open: decode the evidence and what is carried. Errors: whatever is wrong with them, field named. */
    tl_err (*open)(void **world, tl_arena *arena, const tl_subnet_task *task, tl_errctx *ctx);

    /* check: the subnet's own rules for a revealed submission, in the spec's order: a code, or NULL. */
    const char *(*check)(const void *world, const tl_submission *submission);

    /* score: what feed `feed` says of the peers: submissions that passed check, in order of commit height, then
     * hotkey bytes. Pure: the same world, feed and peers give the same bits. */
    tl_err (*score)(tl_scoreboard *out, tl_arena *arena, void *world, size_t feed,
                    const tl_submission *const *peers, size_t peer_count, tl_errctx *ctx);

    /* explain: every point won or lost by a peer, as one JSON object with ascending keys. score: of that peer, from
     * this world's scoreboard, whose arena still lives. Errors: TL_ERR_NOMEM, TL_ERR_LIMIT; scratch is rewound. */
    tl_err (*explain)(tl_json_writer *w, const void *world, const tl_submission *peer,
                      const tl_score *score, tl_arena *scratch, tl_errctx *ctx);

    size_t (*feed_count)(const void *world);

    /* road: for a subnet whose stations are not the engine's: its own way from the three trees to the canonical JSON of
     * the results. NULL: core/epoch/road. Of the functions above, it then has params alone.
     * Errors: what is wrong with a tree, field named. Pure: the same trees give the same bytes. */
    tl_err (*road)(tl_str *results, tl_arena *arena, const tl_json *inputs, const tl_json *evidence,
                   const tl_json *parameters, tl_errctx *ctx);
} tl_subnet;

#ifdef __cplusplus
}
#endif

#endif
