/* distribute.c: portfolio spec 7 with the outcomes of section 2: from a ranking to what everyone
 * gets. Pure, in integers; the only doubles are the power-law weights, quantised once.
 *
 * The sum of everything is checked first, so none of the sums after it can overflow. */
#include "core/ledger/ledger.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/num/fmath/fmath.h"

#define RAKE_BP_DEFAULT     800
#define FEE_BURN_BP_DEFAULT 2500
#define BP                  10000
#define WEIGHT_ONE          281474976710656.0 /* 2^48 */

/* What an outcome does with an ante; h = floor(a/2). */
typedef enum ante_rule {
    ANTE_BY_TIER, /* ranked */
    ANTE_BACK,    /* a back */
    ANTE_HALVES,  /* h burned, a - h to the winners */
    ANTE_EARLY,   /* a - h back, floor(h/2) burned, the rest to the winners */
} ante_rule;

static const struct {
    const char *name;
    ante_rule rule;
} OUTCOMES[TL_OUTCOME_COUNT] = {
    [TL_OUTCOME_RANKED] = {"ranked", ANTE_BY_TIER},
    [TL_OUTCOME_NOT_RANKED] = {"not_ranked", ANTE_BACK},
    [TL_OUTCOME_ELIMINATED] = {"eliminated", ANTE_HALVES},
    [TL_OUTCOME_NO_INCENTIVE] = {"no_incentive", ANTE_HALVES},
    [TL_OUTCOME_HASH_DIFFERS] = {"hash_differs", ANTE_HALVES},
    [TL_OUTCOME_NOT_REVEALED] = {"not_revealed", ANTE_HALVES},
    [TL_OUTCOME_REVEALED_EARLY] = {"revealed_early", ANTE_EARLY},
    [TL_OUTCOME_INVALID] = {"invalid", ANTE_BACK},
    [TL_OUTCOME_DISQUALIFIED] = {"disqualified", ANTE_HALVES},
};

static const char *const TIERS[TL_TIER_COUNT] = {
#define ROW(name, text) [TL_TIER_##name] = text,
    TL_TIER_MAP(ROW)
#undef ROW
};

const char *tl_outcome_name(tl_outcome outcome)
{
    return (size_t)outcome < TL_OUTCOME_COUNT ? OUTCOMES[outcome].name : "unknown";
}

bool tl_outcome_parse(tl_outcome *out, tl_str text)
{
    for (size_t i = 0; i < TL_OUTCOME_COUNT; i++) {
        if (tl_str_eq_cstr(text, OUTCOMES[i].name)) {
            *out = (tl_outcome)i;
            return true;
        }
    }
    return false;
}

const char *tl_tier_name(tl_tier tier)
{
    return (size_t)tier < TL_TIER_COUNT ? TIERS[tier] : "unknown";
}

tl_tier tl_tier_of(uint32_t rank, uint32_t ranked_count)
{
    TL_ASSERT(1 <= rank && rank <= ranked_count);
    const uint64_t n = ranked_count;
    const uint64_t p100 = 100 * (n - rank + 1);
    if (p100 >= 85 * n) {
        return TL_TIER_TOP;
    }
    if (p100 >= 50 * n) {
        return TL_TIER_PROFITABLE;
    }
    return p100 >= 30 * n ? TL_TIER_BREAK_EVEN : TL_TIER_PENALTY;
}

tl_payout_params tl_payout_params_default(void)
{
    return (tl_payout_params){
        .rake_bp = RAKE_BP_DEFAULT, .gamma = 1.5, .fee_bp = 0, .fee_burn_bp = FEE_BURN_BP_DEFAULT};
}

uint64_t tl_settle_weight(uint32_t i, double gamma)
{
    TL_ASSERT(i >= 1);
    const double x = (double)i;
    const double w = gamma == 1.5 ? 1.0 / (x * sqrt(x)) : tl_pow(x, -gamma);
    return (uint64_t)(w * WEIGHT_ONE); /* positive: the cast is the floor */
}

/* --- amounts that are known to fit --- */

static tl_rao plus(tl_rao a, tl_rao b)
{
    tl_rao sum;
    const tl_err err = tl_rao_add(&sum, a, b, NULL);
    TL_ASSERT(err == TL_OK);
    return sum;
}

static tl_rao minus(tl_rao a, tl_rao b)
{
    tl_rao difference;
    const tl_err err = tl_rao_sub(&difference, a, b, NULL);
    TL_ASSERT(err == TL_OK);
    return difference;
}

static tl_rao share(tl_rao a, uint64_t num, uint64_t den)
{
    tl_rao part;
    const tl_err err = tl_rao_mul_div_floor(&part, a, num, den, NULL);
    TL_ASSERT(err == TL_OK); /* num <= den */
    return part;
}

/* --- the steps of section 7 --- */

static tl_err check_input(tl_rao *total_in, tl_rao emission, tl_rao external,
                          const tl_payout_miner *miners, size_t count,
                          const tl_payout_params *params, tl_errctx *ctx)
{
    if (count > TL_LEDGER_MINERS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "miners", "%zu miners, at most %d", count,
                             TL_LEDGER_MINERS_MAX);
    }
    if (params->rake_bp > TL_LEDGER_RAKE_BP_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "rake_bp", "rake is %" PRIu32 " bp, at most %d",
                             params->rake_bp, TL_LEDGER_RAKE_BP_MAX);
    }
    if (!(params->gamma >= TL_LEDGER_GAMMA_MIN && params->gamma <= TL_LEDGER_GAMMA_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "gamma", "gamma is not within 1.0 and 2.0");
    }
    if (params->fee_bp > TL_LEDGER_FEE_BP_MAX || params->fee_burn_bp > BP) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "fee_bp", "fee is %" PRIu32 " bp, at most %d",
                             params->fee_bp, TL_LEDGER_FEE_BP_MAX);
    }
    if (tl_rao_is_negative(emission) || tl_rao_is_negative(external)) {
        return tl_fail_field(ctx, TL_ERR_RANGE,
                             tl_rao_is_negative(emission) ? "emission" : "external",
                             "an amount is negative");
    }
    tl_rao sum = emission;
    TL_TRY(tl_rao_add(&sum, sum, external, ctx));
    for (size_t i = 0; i < count; i++) {
        TL_ASSERT((size_t)miners[i].outcome < TL_OUTCOME_COUNT);
        if (tl_rao_is_negative(miners[i].ante)) {
            tl_err err = tl_fail_field(ctx, TL_ERR_RANGE, "ante", "an ante is negative");
            tl_errctx_under(ctx, "miners[%zu]", i);
            return err;
        }
        TL_TRY(tl_rao_add(&sum, sum, miners[i].ante, ctx));
    }
    *total_in = sum;
    return TL_OK;
}

/* Section 2, ante by ante: never half of a sum. */
static void split_ante(tl_payout *p, tl_rao ante, ante_rule rule)
{
    const tl_rao half = share(ante, 1, 2);
    switch (rule) {
    case ANTE_BY_TIER:
        if (p->tier != TL_TIER_PENALTY) {
            p->ante_back = ante;
            return;
        }
        p->burned = half;
        p->redistributed = minus(ante, half);
        return;
    case ANTE_BACK:
        p->ante_back = ante;
        return;
    case ANTE_HALVES:
        p->burned = half;
        p->redistributed = minus(ante, half);
        return;
    case ANTE_EARLY:
        p->ante_back = minus(ante, half);
        p->burned = share(half, 1, 2);
        p->redistributed = minus(half, p->burned);
        return;
    }
}

/* Ranks, tiers, and every ante as section 2 has it; a deficit comes later. */
static void rank_and_split(tl_settlement *s, const tl_payout_miner *miners)
{
    s->ranked_count = 0;
    for (size_t i = 0; i < s->count; i++) {
        s->ranked_count += miners[i].outcome == TL_OUTCOME_RANKED ? 1 : 0;
    }
    uint32_t rank = 0;
    for (size_t i = 0; i < s->count; i++) {
        tl_payout *p = &s->payouts[i];
        if (miners[i].outcome == TL_OUTCOME_RANKED) {
            p->rank = ++rank;
            p->tier = tl_tier_of(rank, s->ranked_count);
            s->tier_count[p->tier]++;
        }
        split_ante(p, miners[i].ante, OUTCOMES[miners[i].outcome].rule);
        s->burned = plus(s->burned, p->burned);
        s->redistributed = plus(s->redistributed, p->redistributed);
        /* T: the whole ante of the ranked, of the others what section 2 takes */
        s->pool = plus(s->pool, p->rank != 0 ? miners[i].ante : plus(p->burned, p->redistributed));
    }
    s->forfeited = plus(s->burned, s->redistributed);
}

static bool is_winner(tl_tier tier)
{
    return tier == TL_TIER_TOP || tier == TL_TIER_PROFITABLE;
}

/* One group gives g of what is missing: member i keeps floor(a_i·(A - g)/A), what is left of A - g
 * goes one rao each in rank order, to members who put something in. */
static tl_err cover_from(tl_settlement *s, tl_rao *missing, bool from_winners,
                         const tl_payout_miner *miners, tl_arena *arena, tl_errctx *ctx)
{
    uint64_t *antes = TL_NEW(arena, uint64_t, s->count);
    tl_rao *backs = TL_NEW(arena, tl_rao, s->count);
    if (antes == NULL || backs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_rao group = TL_RAO_ZERO;
    for (size_t i = 0; i < s->count; i++) {
        const tl_tier tier = s->payouts[i].tier;
        const bool is_member = from_winners ? is_winner(tier) : tier == TL_TIER_BREAK_EVEN;
        if (is_member) {
            antes[i] = (uint64_t)tl_rao_to_i64(miners[i].ante);
            group = plus(group, miners[i].ante);
        }
    }
    const tl_rao given = tl_rao_min(*missing, group);
    if (tl_rao_is_zero(given)) {
        return TL_OK;
    }
    TL_TRY(tl_rao_split_pro_rata(backs, minus(group, given), antes, s->count, NULL, ctx));
    for (size_t i = 0; i < s->count; i++) {
        if (antes[i] != 0) {
            s->payouts[i].ante_back = backs[i];
            s->payouts[i].deficit = minus(miners[i].ante, backs[i]);
            TL_ASSERT(!tl_rao_is_negative(s->payouts[i].deficit)); /* LED-8 */
        }
    }
    *missing = minus(*missing, given);
    return TL_OK;
}

static tl_err cover_deficit(tl_settlement *s, const tl_payout_miner *miners, tl_arena *arena,
                            tl_errctx *ctx)
{
    tl_rao missing = s->deficit;
    TL_TRY(cover_from(s, &missing, true, miners, arena, ctx));
    TL_TRY(cover_from(s, &missing, false, miners, arena, ctx));
    TL_ASSERT(tl_rao_is_zero(missing)); /* R + B <= T: see TL_LEDGER_RAKE_BP_MAX */
    return TL_OK;
}

/* Step 5, and step 6 where it is on. Ranks ascend in the order of the miners, and the winners are
 * the first of them, so "in rank order" is the order of the array. */
static tl_err reward(tl_settlement *s, const tl_payout_params *params, tl_arena *arena,
                     tl_errctx *ctx)
{
    if (s->ranked_count == 0 || tl_rao_is_zero(s->winner_pool)) {
        return TL_OK;
    }
    uint64_t *weights = TL_NEW(arena, uint64_t, s->count);
    tl_rao *gross = TL_NEW(arena, tl_rao, s->count);
    if (weights == NULL || gross == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (is_winner(s->payouts[i].tier)) {
            weights[i] = tl_settle_weight(s->payouts[i].rank, params->gamma);
            TL_ASSERT(weights[i] != 0);
        }
    }
    TL_TRY(tl_rao_split_pro_rata(gross, s->winner_pool, weights, s->count, NULL, ctx));
    for (size_t i = 0; i < s->count; i++) {
        tl_payout *p = &s->payouts[i];
        p->fee = share(gross[i], params->fee_bp, BP);
        p->fee_burned = share(p->fee, params->fee_burn_bp, BP);
        p->reward = minus(gross[i], p->fee);
        s->fee = plus(s->fee, p->fee);
        s->fee_burned = plus(s->fee_burned, p->fee_burned);
        s->rewarded = plus(s->rewarded, p->reward);
    }
    return TL_OK;
}

/* LED-7, LED-8 and the parts of each ante, on the finished result. */
static void check_settlement(const tl_settlement *s, const tl_payout_miner *miners)
{
    tl_rao returned = TL_RAO_ZERO;
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout *p = &s->payouts[i];
        const tl_rao parts =
            plus(plus(p->ante_back, p->burned), plus(p->redistributed, p->deficit));
        TL_ASSERT(tl_rao_eq(parts, miners[i].ante));                                    /* LED-6 */
        TL_ASSERT(!tl_rao_is_negative(p->reward) && !tl_rao_is_negative(p->ante_back)); /* LED-8 */
        returned = plus(returned, p->ante_back);
    }
    TL_ASSERT(tl_rao_eq(returned, s->returned));
    TL_ASSERT(tl_rao_eq(s->total_out, s->total_in)); /* LED-7 */
    TL_ASSERT(tl_rao_cmp(s->pool, tl_rao_from_i64(13)) < 0 || s->ranked_count == 0 ||
              !tl_rao_is_negative(s->rake));
}

tl_err tl_settle(tl_settlement *out, tl_arena *arena, tl_rao emission, tl_rao external,
                 const tl_payout_miner *miners, size_t count, const tl_payout_params *params,
                 tl_errctx *ctx)
{
    const tl_payout_params defaults = tl_payout_params_default();
    params = params != NULL ? params : &defaults;
    tl_settlement s = {.count = count, .emission = emission, .external = external};
    TL_TRY(check_input(&s.total_in, emission, external, miners, count, params, ctx));
    s.payouts = TL_NEW(arena, tl_payout, count);
    if (s.payouts == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    s.pool = plus(emission, external);
    rank_and_split(&s, miners);
    s.rake = share(s.pool, params->rake_bp, BP);
    /* W = X + external - R + F - B, and F - B is what was redistributed */
    const tl_rao winner_pool = minus(plus(plus(emission, external), s.redistributed), s.rake);
    if (tl_rao_is_negative(winner_pool)) {
        s.deficit = minus(TL_RAO_ZERO, winner_pool);
        TL_TRY(cover_deficit(&s, miners, arena, ctx));
    } else {
        s.winner_pool = winner_pool;
        s.carry = s.ranked_count == 0 ? winner_pool : TL_RAO_ZERO;
    }
    TL_TRY(reward(&s, params, arena, ctx));
    for (size_t i = 0; i < count; i++) {
        s.returned = plus(s.returned, s.payouts[i].ante_back);
    }
    s.total_out =
        plus(plus(plus(s.rake, s.burned), plus(s.rewarded, s.fee)), plus(s.returned, s.carry));
    check_settlement(&s, miners);
    *out = s;
    return TL_OK;
}
