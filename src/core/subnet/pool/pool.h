/* pool: signal pools: many generators, one operator, one portfolio, one pay (portfolio spec 3).
 * For         generators without a UID of their own; operators who choose among them
 * Takes       memberships, the generators' signals, scores, stakes and likeness to other pools
 * Gives       shares, the pool's portfolio, who gets how much of its reward, who may rise
 * Calls       core/num, core/crypto, subnet/portfolio    Called by   app
 * Owns        nothing: results live in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  POOL-1 a membership that was decoded has a fee of 10 to 20 %
 *             POOL-2 the portfolio has 5 to 30 weights of at most 200,000, their sum is 1,000,000
 *             POOL-3 what the operator and the generators get is the reward, to the last rao
 *             POOL-4 the order of the members changes nothing
 *             POOL-5 who has no share gets nothing, not even of the rest
 * Read        membership.c, then share.c from tl_pool_shares() down
 *
 *      share_g ∝ mean QS_g · min(stake_g, lower median of stakes) · likeness; all 0: likeness
 *
 *      weight per ticker = Σ_g share_g · w_g ─▶ 30 largest ─▶ scaled to 1, cap 20 % ─▶ millionths
 *      reward ─▶ fee to the operator ─▶ rest to generators ∝ share_g, remainder to the largest share
 *
 * Everything is exact in integers: a share is a weight of up to 105 bits, and no share is rounded
 * before the last division. Days are heights: 90 d are 648,000 blocks of 12 s.
 */
#ifndef TALLY_CORE_SUBNET_POOL_H
#define TALLY_CORE_SUBNET_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "core/crypto/key/key.h"
#include "core/num/money/money.h"
#include "core/subnet/portfolio/portfolio.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_POOL_FEE_BP_MIN     1000
#define TL_POOL_FEE_BP_MAX     2000
#define TL_POOL_FEE_BP_DEFAULT 1500
#define TL_POOL_SIGNALS_MAX    10000              /* of one pool in one epoch */
#define TL_POOL_STAKE_MIN      TL_RAO_PER_TAO     /* 1 α */
#define TL_POOL_STAKE_MAX      ((int64_t)1 << 56) /* rao; three times all that can be issued */
#define TL_POOL_QS_MAX         1000000
#define TL_POOL_QS_EPOCHS      12
#define TL_POOL_DAY_BLOCKS     7200
#define TL_POOL_TTL_BLOCKS     (90 * TL_POOL_DAY_BLOCKS)
#define TL_POOL_OPERATOR_DAYS  60 /* in the top 30 %: a generator may operate */
#define TL_POOL_SOLO_DAYS      90 /* in the top 10 %: an operator may go alone */

/* --- memberships (membership.c) --- */

typedef struct tl_membership {
    tl_hotkey generator;
    tl_hotkey pool_operator;
    uint64_t joined_height;
    uint32_t fee_bp; /* "fee_rate"; absent: the default */
    uint32_t epochs_participated;
    uint64_t signals_submitted;
    uint32_t rank_percentile_avg_millionths; /* "avg_rank_percentile", in millionths */
} tl_membership;

/* tl_membership_decode: from {"generator_hotkey","pool_operator_hotkey","joined_at","fee_rate",
 * "signals_submitted","epochs_participated","avg_rank_percentile"}; hotkeys in SS58, joined_at a
 * height, fee_rate in basis points, the percentile in millionths. The last four may be absent.
 * Errors  TL_ERR_MISSING, TL_ERR_TYPE, TL_ERR_RANGE (POOL-1), those of tl_ss58_decode;
 *         TL_ERR_REFUSED when generator and operator are one */
TL_MUST_USE tl_err tl_membership_decode(tl_membership *out, const tl_json *value, tl_errctx *ctx);

/* tl_membership_admit: may this generator join at its joined_height with that stake?
 * Errors  TL_ERR_FUNDS below TL_POOL_STAKE_MIN; TL_ERR_RANGE, TL_ERR_REFUSED as decode */
TL_MUST_USE tl_err tl_membership_admit(const tl_membership *membership, tl_rao stake,
                                       tl_errctx *ctx);

/* tl_membership_is_live: from joined_height to TL_POOL_TTL_BLOCKS after it, both included. */
bool tl_membership_is_live(const tl_membership *membership, uint64_t height);

/* tl_membership_take_signal: one more signal of this epoch; signal_count is the pool's so far.
 * Errors  TL_ERR_STATE: not live; TL_ERR_LIMIT: the pool is full; neither counts anything */
TL_MUST_USE tl_err tl_membership_take_signal(tl_membership *membership, uint32_t *signal_count,
                                             uint64_t height, tl_errctx *ctx);

/* tl_membership_note_rank: an epoch is over: its percentile 1 - (rank - 1)/n joins the average. */
void tl_membership_note_rank(tl_membership *membership, uint32_t rank, uint32_t ranked_count);

typedef enum tl_pool_role { TL_ROLE_GENERATOR, TL_ROLE_OPERATOR, TL_ROLE_SOLO } tl_pool_role;

/* tl_standing: a rank held from one height to another (from <= height < to); rank 0: not ranked. */
typedef struct tl_standing {
    uint64_t from_height;
    uint64_t to_height;
    uint32_t rank;
    uint32_t ranked_count;
} tl_standing;

/* tl_pool_role_after: the role that these standings, oldest first, give to who has this one. The
 * last unbroken run of standings in the top share must be long enough: a gap, an epoch without a
 * rank and an epoch below the share end it. "In the top 30 %" is 100·(n - rank + 1) >= 70n. One
 * step at a time; nobody sinks. */
tl_pool_role tl_pool_role_after(tl_pool_role role, const tl_standing *standings, size_t count);

/* --- shares (share.c) --- */

/* tl_pool_member: a generator of one pool in one epoch. */
typedef struct tl_pool_member {
    tl_hotkey generator;
    const uint32_t *qs_millionths; /* of its last epochs, newest last; the last 12 count */
    size_t qs_count;
    tl_rao stake;           /* 0 … TL_POOL_STAKE_MAX */
    double likeness;        /* largest correlation with a generator of another pool; 0: none */
    tl_portfolio portfolio; /* its signal; admitted; count 0: none this epoch */
} tl_pool_member;

/* tl_pool_likeness_bp: what of a share remains: 10,000; above 0.80 half, above 0.90 a fifth. */
uint32_t tl_pool_likeness_bp(double likeness);

/* tl_pool_shares: a weight each, in the order of the members; their sum fits 128 bits with room for
 * a product of 20 bits more.
 * Errors  TL_ERR_LIMIT: above TL_POOL_SIGNALS_MAX; TL_ERR_RANGE: stake, score; TL_ERR_DUPLICATE */
TL_MUST_USE tl_err tl_pool_shares(tl_u128 *out, const tl_pool_member *members, size_t count,
                                  tl_arena *scratch, tl_errctx *ctx);

/* tl_pool_portfolio: the pool's own signal, positions by ticker.
 * shares  as tl_pool_shares gave them
 * Errors  TL_ERR_MISSING: fewer than 5 tickers (no member with a share has a signal); TL_ERR_RANGE:
 *         a negative position; TL_ERR_NOMEM */
TL_MUST_USE tl_err tl_pool_portfolio(tl_portfolio *out, tl_arena *arena,
                                     const tl_pool_member *members, const tl_u128 *shares,
                                     size_t count, tl_errctx *ctx);

/* tl_pool_pay: the operator takes floor(reward · fee), each generator its floor, the generator with
 * the largest share (tie: hotkey bytes) what remains. Without any share all goes to the operator.
 *
 * out_fee   the operator's
 * out_pays  count of them, in the order of the members
 * Errors    TL_ERR_RANGE: a negative reward, a fee out of bounds */
TL_MUST_USE tl_err tl_pool_pay(tl_rao *out_fee, tl_rao *out_pays, tl_rao reward, uint32_t fee_bp,
                               const tl_pool_member *members, const tl_u128 *shares, size_t count,
                               tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
