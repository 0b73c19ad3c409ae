/* share.c: what each generator counts for, the portfolio made of all of them, and the pay.
 *
 * Bounds, so that 128 bits hold everything exactly: a score below 2^20, a stake of at most 2^56, a
 * likeness below 2^14 give a share of at most 2^90; ten thousand of them, below 2^104; times a
 * weight in millionths, below 2^122; times five, below 2^125. */
#include "core/subnet/pool/pool.h"

#include <inttypes.h>
#include <string.h>

#include "core/num/stats/stats.h"

#define BP    10000
#define CAP   TL_PORTFOLIO_WEIGHT_MAX
#define WHOLE TL_PORTFOLIO_WEIGHT_SUM
#define CAPS  (WHOLE / CAP) /* so many capped positions are the whole */

_Static_assert(CAPS *CAP == WHOLE, "caps make the whole");

uint32_t tl_pool_likeness_bp(double likeness)
{
    if (likeness > 0.90) {
        return 2000;
    }
    return likeness > 0.80 ? 5000 : BP;
}

/* --- shares --- */

static int by_amount(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_rao_cmp(*(const tl_rao *)a, *(const tl_rao *)b);
}

static int by_generator(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_pool_member *const *x = (const tl_pool_member *const *)a;
    const tl_pool_member *const *y = (const tl_pool_member *const *)b;
    return tl_hotkey_cmp(&(*x)->generator, &(*y)->generator);
}

static tl_err check_members(const tl_pool_member *members, size_t count, tl_arena *scratch,
                            tl_errctx *ctx)
{
    if (count > TL_POOL_SIGNALS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu generators, at most %d", count, TL_POOL_SIGNALS_MAX);
    }
    const tl_pool_member **sorted = TL_NEW(scratch, const tl_pool_member *, count);
    if (sorted == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        const int64_t stake = tl_rao_to_i64(members[i].stake);
        if (stake < 0 || stake > TL_POOL_STAKE_MAX) {
            return tl_fail(ctx, TL_ERR_RANGE, "members[%zu]: a stake of %" PRId64 " rao", i, stake);
        }
        for (size_t k = 0; k < members[i].qs_count; k++) {
            if (members[i].qs_millionths[k] > TL_POOL_QS_MAX) {
                return tl_fail(ctx, TL_ERR_RANGE, "members[%zu]: a score of %" PRIu32 " millionths",
                               i, members[i].qs_millionths[k]);
            }
        }
        sorted[i] = &members[i];
    }
    TL_TRY(tl_sort(sorted, count, sizeof(*sorted), by_generator, NULL, scratch, ctx)); /* POOL-4 */
    for (size_t i = 1; i < count; i++) {
        if (tl_hotkey_eq(&sorted[i - 1]->generator, &sorted[i]->generator)) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "a generator is in the pool twice");
        }
    }
    return TL_OK;
}

/* Floor of the mean of the last 12 scores; none: 0. Scores are never negative. */
static uint32_t mean_qs(const tl_pool_member *m)
{
    const size_t n = m->qs_count < TL_POOL_QS_EPOCHS ? m->qs_count : TL_POOL_QS_EPOCHS;
    uint64_t sum = 0;
    for (size_t k = m->qs_count - n; k < m->qs_count; k++) {
        sum += m->qs_millionths[k];
    }
    return n == 0 ? 0 : (uint32_t)(sum / n);
}

static tl_err median_stake(int64_t *out, const tl_pool_member *members, size_t count,
                           tl_arena *scratch, tl_errctx *ctx)
{
    tl_rao *stakes = TL_NEW(scratch, tl_rao, count);
    if (stakes == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        stakes[i] = members[i].stake;
    }
    TL_TRY(tl_sort(stakes, count, sizeof(*stakes), by_amount, NULL, scratch, ctx));
    *out = count == 0 ? 0 : tl_rao_to_i64(stakes[(count - 1) / 2]);
    return TL_OK;
}

static tl_err make_shares(tl_u128 *out, const tl_pool_member *members, size_t count,
                          tl_arena *scratch, tl_errctx *ctx)
{
    int64_t median;
    TL_TRY(check_members(members, count, scratch, ctx));
    TL_TRY(median_stake(&median, members, count, scratch, ctx));
    tl_u128 sum = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t own = tl_rao_to_i64(members[i].stake);
        const uint64_t stake = (uint64_t)(own < median ? own : median);
        out[i] = (tl_u128)mean_qs(&members[i]) * stake * tl_pool_likeness_bp(members[i].likeness);
        sum += out[i];
    }
    for (size_t i = 0; i < count && sum == 0; i++) {
        out[i] = tl_pool_likeness_bp(members[i].likeness);
    }
    return TL_OK;
}

tl_err tl_pool_shares(tl_u128 *out, const tl_pool_member *members, size_t count, tl_arena *scratch,
                      tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    const tl_err err = make_shares(out, members, count, scratch, ctx);
    tl_arena_rewind(scratch, mark);
    return err;
}

/* --- the portfolio --- */

typedef struct stock {
    tl_str ticker;
    tl_u128 weight; /* Σ share · millionths: exact, not scaled */
    int64_t millionths;
    bool is_capped;
} stock;

static int by_ticker(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_str_cmp(((const stock *)a)->ticker, ((const stock *)b)->ticker);
}

static int by_weight(const void *a, const void *b, void *self)
{
    const stock *x = (const stock *)a;
    const stock *y = (const stock *)b;
    if (x->weight != y->weight) {
        return x->weight > y->weight ? -1 : 1;
    }
    return by_ticker(a, b, self);
}

/* One stock a ticker, from all members' positions. */
static tl_err gather(stock **out, size_t *out_count, const tl_pool_member *members,
                     const tl_u128 *shares, size_t count, tl_arena *scratch, tl_errctx *ctx)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += members[i].portfolio.count;
    }
    stock *stocks = TL_NEW(scratch, stock, total);
    if (stocks == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < members[i].portfolio.count; k++) {
            const tl_position *p = &members[i].portfolio.positions[k];
            if (p->weight_millionths < 0 || p->weight_millionths > CAP) {
                return tl_fail(ctx, TL_ERR_RANGE,
                               "members[%zu]: a position of %" PRId64 " millionths", i,
                               p->weight_millionths);
            }
            if (p->weight_millionths > 0 && shares[i] > 0) {
                stocks[n++] = (stock){.ticker = p->ticker,
                                      .weight = shares[i] * (uint64_t)p->weight_millionths};
            }
        }
    }
    TL_TRY(tl_sort(stocks, n, sizeof(*stocks), by_ticker, NULL, scratch, ctx));
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && tl_str_eq(stocks[kept - 1].ticker, stocks[i].ticker)) {
            stocks[kept - 1].weight += stocks[i].weight;
        } else {
            stocks[kept++] = stocks[i];
        }
    }
    *out = stocks;
    *out_count = kept;
    return TL_OK;
}

/* Who exceeds the cap is capped, the others scale to what is left, until none exceeds. Scaled from
 * the exact weights each time: w·(1 - 0.2c)/S > 0.2 is w·(5 - c) > S. Largest first: once one does
 * not exceed, none after it does. Gives S, the sum of the others, and how many are capped. */
static size_t cap_largest(stock *stocks, size_t n, tl_u128 *out_rest)
{
    tl_u128 rest = 0;
    for (size_t i = 0; i < n; i++) {
        rest += stocks[i].weight;
    }
    size_t capped = 0;
    while (capped < CAPS && capped < n && stocks[capped].weight * (CAPS - capped) > rest) {
        rest -= stocks[capped].weight;
        stocks[capped].is_capped = true;
        capped++;
    }
    *out_rest = rest;
    return capped;
}

/* Floors, and the rest one each from the largest that is below the cap. */
static tl_err to_millionths(stock *stocks, size_t n, tl_errctx *ctx)
{
    tl_u128 rest;
    const size_t capped = cap_largest(stocks, n, &rest);
    const tl_u128 left_for_rest = (tl_u128)(WHOLE - CAP * (int64_t)capped);
    int64_t left = WHOLE;
    for (size_t i = 0; i < n; i++) {
        stocks[i].millionths = CAP;
        if (!stocks[i].is_capped) {
            tl_u128 part;
            TL_TRY(tl_u128_mul_div_floor(&part, stocks[i].weight, left_for_rest, rest, ctx));
            TL_ASSERT(part <= CAP); /* POOL-2 */
            stocks[i].millionths = (int64_t)part;
        }
        left -= stocks[i].millionths;
    }
    TL_ASSERT(left >= 0);
    while (left > 0) {
        for (size_t i = 0; i < n && left > 0; i++) {
            if (stocks[i].millionths < CAP) {
                stocks[i].millionths++;
                left--;
            }
        }
    }
    return TL_OK;
}

static tl_err mix(tl_position *positions, size_t *out_count, const tl_pool_member *members,
                  const tl_u128 *shares, size_t count, tl_arena *scratch, tl_errctx *ctx)
{
    stock *stocks;
    size_t n;
    TL_TRY(gather(&stocks, &n, members, shares, count, scratch, ctx));
    if (n < TL_PORTFOLIO_POSITIONS_MIN) {
        return tl_fail(ctx, TL_ERR_MISSING, "%zu tickers in the pool's signals, at least %d", n,
                       TL_PORTFOLIO_POSITIONS_MIN);
    }
    TL_TRY(tl_sort(stocks, n, sizeof(*stocks), by_weight, NULL, scratch, ctx));
    n = n < TL_PORTFOLIO_POSITIONS_MAX ? n : TL_PORTFOLIO_POSITIONS_MAX;
    TL_TRY(to_millionths(stocks, n, ctx));
    TL_TRY(tl_sort(stocks, n, sizeof(*stocks), by_ticker, NULL, scratch, ctx));
    size_t held = 0;
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (stocks[i].millionths > 0) {
            positions[held++] = (tl_position){stocks[i].ticker, stocks[i].millionths};
            sum += stocks[i].millionths;
        }
    }
    TL_ASSERT(sum == WHOLE && held >= TL_PORTFOLIO_POSITIONS_MIN); /* POOL-2 */
    *out_count = held;
    return TL_OK;
}

tl_err tl_pool_portfolio(tl_portfolio *out, tl_arena *arena, const tl_pool_member *members,
                         const tl_u128 *shares, size_t count, tl_errctx *ctx)
{
    tl_position *positions = TL_NEW(arena, tl_position, TL_PORTFOLIO_POSITIONS_MAX);
    if (positions == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    size_t held = 0;
    const tl_err err = mix(positions, &held, members, shares, count, arena, ctx);
    tl_arena_rewind(arena, mark);
    if (err == TL_OK) {
        *out = (tl_portfolio){.positions = positions, .count = held};
    }
    return err;
}

/* --- the pay --- */

static size_t largest_share(const tl_pool_member *members, const tl_u128 *shares, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        const bool is_larger = shares[i] > shares[best];
        const bool is_tie = shares[i] == shares[best];
        if (is_larger ||
            (is_tie && tl_hotkey_cmp(&members[i].generator, &members[best].generator) < 0)) {
            best = i;
        }
    }
    return best;
}

tl_err tl_pool_pay(tl_rao *out_fee, tl_rao *out_pays, tl_rao reward, uint32_t fee_bp,
                   const tl_pool_member *members, const tl_u128 *shares, size_t count,
                   tl_errctx *ctx)
{
    if (tl_rao_is_negative(reward)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "reward", "the reward is negative");
    }
    if (fee_bp < TL_POOL_FEE_BP_MIN || fee_bp > TL_POOL_FEE_BP_MAX) { /* POOL-1 */
        return tl_fail_field(ctx, TL_ERR_RANGE, "fee_rate", "fee is %" PRIu32 " bp", fee_bp);
    }
    tl_u128 sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += shares[i];
    }
    tl_rao fee;
    tl_rao rest;
    TL_TRY(tl_rao_mul_div_floor(&fee, reward, sum == 0 ? BP : fee_bp, BP, ctx));
    TL_TRY(tl_rao_sub(&rest, reward, fee, ctx));
    tl_rao left = rest;
    for (size_t i = 0; i < count; i++) {
        tl_u128 part = 0;
        if (sum != 0) {
            TL_TRY(tl_u128_mul_div_floor(&part, (tl_u128)tl_rao_to_i64(rest), shares[i], sum, ctx));
        }
        out_pays[i] = tl_rao_from_i64((int64_t)part);
        TL_TRY(tl_rao_sub(&left, left, out_pays[i], ctx));
    }
    TL_ASSERT(!tl_rao_is_negative(left)); /* POOL-3 */
    if (sum != 0) {
        const size_t best = largest_share(members, shares, count);
        TL_ASSERT(shares[best] != 0); /* POOL-5 */
        TL_TRY(tl_rao_add(&out_pays[best], out_pays[best], left, ctx));
    } else {
        TL_ASSERT(tl_rao_is_zero(left)); /* POOL-3: all of it is the operator's */
    }
    *out_fee = fee;
    return TL_OK;
}
