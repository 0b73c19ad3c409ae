/* join: from all validators' scores to one result that can be paid.
 * For         station 6 of the road: scoreboards of n validators become one tl_agreement
 * Takes       validators (hotkey, stake, row or none), miners (hotkey, commit height, days of record), the epoch's
 *             emission, the classic bonds carried from the epoch before
 * Gives       a tl_agreement: status, Yuma's raw results, ranking and why not, validators' pay, the bonds to carry
 * Calls       consensus/yuma, consensus/agree, consensus/collusion, core/num
 * Called by   core/epoch, core/subnet/portfolio
 * Owns        nothing: everything in the result lives in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  JOIN-1 the order of validators and miners in the input changes nothing but the order of the answers
 *             JOIN-2 validator pay sums to the validators' part exactly; the three parts sum to the emission
 *             JOIN-3 a ranked miner has incentive > 0 and is not disqualified; ranks are 1 … ranked_count, each once
 *             JOIN-4 an epoch that does not pay leaves the carried bonds as they were, and pays nobody
 *             JOIN-5 a validator without stake, and without carried bonds, changes nobody's result
 * Read        tl_consensus_agree() from the top down; portfolio spec section 9 is the law
 *
 *      rows ──▶ hash ─────▶ verdict (status, pays, outliers)
 *        │
 *        ├────▶ u16 row ──▶ Yuma ──▶ incentive ──▶ rank        dividends ──▶ validators' pay
 *        │                    ▲  └─▶ bonds to carry
 *        │                    └──── carried bonds
 *        └────▶ stake-weighted lower medians (MaxDD, QS), votes of more than half of the whole stake
 */
#ifndef TALLY_CORE_CONSENSUS_JOIN_H
#define TALLY_CORE_CONSENSUS_JOIN_H

#include "core/consensus/agree/agree.h"
#include "core/consensus/collusion/collusion.h"
#include "core/crypto/key/key.h"
#include "core/num/money/money.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All participants share one space of uids; chain.md's sums are exact up to this many neurons. */
#define TL_JOIN_PARTICIPANTS_MAX 4096
/* A QS enters Yuma as the integer part of an I32F32. Scores are in [0, 1], so 1,000,000 is the largest in practice. */
#define TL_JOIN_QS_MILLIONTHS_MAX 2147483647u
/* Above this agreed MaxDD a miner without incentive counts as eliminated (portfolio spec sections 6 and 9). */
#define TL_JOIN_ELIMINATION_MILLIONTHS 350000u
/* A record shorter than this is not ranked (portfolio spec section 6). */
#define TL_JOIN_DAYS_MIN 7u

typedef struct tl_join_validator {
    tl_hotkey hotkey;
    tl_rao stake; /* >= 0 */
    const tl_row
        *row; /* arrays of miner_count, in the order of the miners; NULL: none came in time */
} tl_join_validator;

typedef struct tl_join_miner {
    tl_hotkey hotkey;
    uint64_t commit_height;
    uint32_t days; /* of record; decides only why a miner without incentive is not ranked */
} tl_join_miner;

/* tl_bond: one classic bond as it is carried from epoch to epoch, by hotkeys, since uids change. */
typedef struct tl_bond {
    tl_hotkey validator;
    tl_hotkey miner;
    uint16_t bond_u16;
} tl_bond;

/* Sorted by validator, then miner. A bond whose validator or miner takes no part in an epoch ends there. */
typedef struct tl_bonds {
    const tl_bond *items;
    size_t count;
} tl_bonds;

typedef struct tl_join_input {
    tl_str domain; /* subnet and epoch, part of every row hash: "portfolio/1/2024-M03" */
    const tl_join_validator *validators; /* at least one; hotkeys unique */
    size_t validator_count;
    const tl_join_miner *miners; /* may be none; hotkeys unique; one may also be a validator's */
    size_t miner_count;
    tl_rao emission; /* of the whole epoch, >= 0 */
    tl_bonds bonds;  /* carried from the epoch before; count 0 for the first */
} tl_join_input;

/* Why a miner is ranked or not: the outcomes of portfolio spec section 2 that this station can decide. */
typedef enum tl_join_outcome {
    TL_JOIN_RANKED,
    TL_JOIN_NOT_RANKED,   /* want of a record: less than TL_JOIN_DAYS_MIN days */
    TL_JOIN_ELIMINATED,   /* agreed MaxDD above TL_JOIN_ELIMINATION_MILLIONTHS */
    TL_JOIN_NO_INCENTIVE, /* a record long enough, but no incentive */
    TL_JOIN_DISQUALIFIED, /* by votes of more than half of the whole stake */
} tl_join_outcome;

/* tl_join_outcome_name: "ranked", "not_ranked", "eliminated", "no_incentive", "disqualified". Static text. */
const char *tl_join_outcome_name(tl_join_outcome outcome);

/* tl_emission_split: the parts of an epoch's emission: 41 % (floor), 41 % (floor), the rest. */
typedef struct tl_emission_split {
    tl_rao miners;
    tl_rao validators;
    tl_rao owner;
} tl_emission_split;

TL_MUST_USE tl_err tl_join_split(tl_emission_split *out, tl_rao emission, tl_errctx *ctx);

/* tl_agreed_validator: one validator in the result. */
typedef struct tl_agreed_validator {
    uint16_t uid;
    bool has_row;
    bool is_outlier;         /* its row differs from the winning one */
    tl_hash32 row_hash;      /* zeros without a row */
    const uint16_t *u16_row; /* miner_count upscaled weights; NULL without a row */
    int64_t dividends_raw;   /* I32F32 */
    tl_rao pay;
} tl_agreed_validator;

/* tl_agreed_miner: one miner in the result. */
typedef struct tl_agreed_miner {
    uint16_t uid;
    int64_t consensus_raw; /* I32F32: the stake-weighted median weight */
    int64_t incentive_raw; /* I32F32 */
    uint32_t
        max_drawdown_millionths; /* stake-weighted lower medians of those that gave a row; 0 when nobody did */
    uint32_t qs_millionths;
    uint32_t flags;          /* bits that validators with more than half of the whole stake set */
    tl_rao disqualify_stake; /* stake of the validators that voted to disqualify */
    tl_join_outcome outcome;
    uint32_t rank; /* from 1; 0 unless TL_JOIN_RANKED */
} tl_agreed_miner;

typedef struct tl_agreement {
    tl_verdict verdict;                    /* outliers are indexes of validators */
    tl_emission_split split;               /* what the emission would be shared as, paid or not */
    const tl_agreed_validator *validators; /* in the order of the input */
    size_t validator_count;
    const tl_agreed_miner *miners; /* in the order of the input */
    size_t miner_count;
    const uint32_t *rank_order; /* indexes of miners, best first */
    size_t ranked_count;
    tl_bonds bonds;                /* to carry into the next epoch */
    tl_collusion_report collusion; /* pairs of validators, by index; reported, never punished */
} tl_agreement;

/* tl_consensus_agree: station 6 of the road; see ROAD 6/8 at its definition.
 *
 * out      written on success only; lives in the arena
 * input    borrowed for the call
 *
 * When out->verdict.pays is false the epoch is to be extended or to fail: ranks, outcomes and raw results are then
 * what they would have been, for display; pay is 0 and bonds are the carried ones (JOIN-4).
 *
 * Errors   TL_ERR_MISSING no validator; TL_ERR_DUPLICATE a hotkey twice among validators or among miners;
 *          TL_ERR_RANGE a negative stake or emission, a QS above TL_JOIN_QS_MILLIONTHS_MAX; TL_ERR_LIMIT too many
 *          participants; TL_ERR_OVERFLOW the stakes' sum; TL_ERR_NOMEM
 * Cost     O(v m) and the sorts; 5 validators and 1,000 miners take well under 10 ms
 */
TL_MUST_USE tl_err tl_consensus_agree(tl_arena *arena, tl_agreement *out,
                                      const tl_join_input *input, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
