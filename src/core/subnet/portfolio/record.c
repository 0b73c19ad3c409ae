/* record.c: from signals to a record of daily returns (portfolio spec, section 4; accounting of quant-math 2).
 *
 *   close t-1          close t
 *   w* set here ──▶ earns r_i,t ──▶ drifts: w_i ← w_i (1 + r_i) / (1 + R)          R = Σ w_i r_i
 *
 * What Σw lacks to 1 is cash, an asset with return 0. A rebalance costs τ·5.5 bp, taken from the first day that the new
 * weights earn; the first purchase is free. A price that is missing is the last known one for at most two trading days;
 * from the third on the position is cash at that price until the next rebalance. */
#include <math.h>

#include "core/num/sum/sum.h"
#include "core/subnet/portfolio/portfolio_internal.h"

#define COST_RATIO                                                                                 \
    0.00055 /* of turnover: 5 bp spread and 0.5 bp commission; no size is known, so no impact */
#define FILL_DAYS_MAX   2
#define BLIND_RATIO     (0.10 * (1.0 + 0x1p-40)) /* decimal weights do not add up exactly */
#define WEEK_DAYS       5.0
#define TURNOVER_WINDOW 90

/* What is held: parallel arrays, by ticker ascending. */
typedef struct held {
    size_t count;
    size_t ticker[TL_PORTFOLIO_POSITIONS_MAX];
    double weight[TL_PORTFOLIO_POSITIONS_MAX];
    double price[TL_PORTFOLIO_POSITIONS_MAX]; /* last known */
    uint32_t gap[TL_PORTFOLIO_POSITIONS_MAX]; /* trading days since it was known */
    bool is_cash[TL_PORTFOLIO_POSITIONS_MAX]; /* missing for too long */
    double cash;
} held;

typedef struct table {
    const double *price;
    size_t stride;
} table;

static double price_at(const table *t, size_t day, size_t ticker)
{
    return t->price[day * t->stride + ticker];
}

/* The weights of a signal, valued at the close before `first`. */
static void buy(held *h, const tl_portfolio *portfolio, const tl__prices *prices, const table *t,
                size_t first)
{
    TL_ASSERT(portfolio->count <= TL_PORTFOLIO_POSITIONS_MAX && first > 0); /* PORT-3 */
    h->count = portfolio->count;
    for (size_t k = 0; k < h->count; k++) {
        const size_t ticker = tl__prices_find(prices, portfolio->positions[k].ticker);
        TL_ASSERT(ticker < prices->ticker_count);
        h->ticker[k] = ticker;
        h->weight[k] = (double)portfolio->positions[k].weight_millionths / 1e6;
        h->is_cash[k] = true;
        h->price[k] = 0.0;
        h->gap[k] = FILL_DAYS_MAX + 1;
        for (uint32_t back = 0; back <= FILL_DAYS_MAX && back < first; back++) {
            const double price = price_at(t, first - 1 - back, ticker);
            if (price > 0.0) {
                h->is_cash[k] = false;
                h->price[k] = price;
                h->gap[k] = back;
                break;
            }
        }
    }
    h->cash = 1.0 - tl_sum(h->weight, h->count);
}

/* τ = ½ Σ |w* - w| over all assets and cash, against the drifted weights. */
static double turnover_between(const held *before, const held *after)
{
    double change[2 * TL_PORTFOLIO_POSITIONS_MAX + 1];
    size_t count = 0;
    size_t i = 0;
    size_t k = 0;
    while (i < before->count || k < after->count) {
        if (k == after->count || (i < before->count && before->ticker[i] < after->ticker[k])) {
            change[count++] = fabs(before->weight[i++]);
        } else if (i == before->count || after->ticker[k] < before->ticker[i]) {
            change[count++] = fabs(after->weight[k++]);
        } else {
            change[count++] = fabs(after->weight[k++] - before->weight[i++]);
        }
    }
    change[count++] = fabs(after->cash - before->cash);
    return tl_sum(change, count) / 2.0;
}

/* One day: the portfolio's return, and whether too much of it was seen without a price. */
static double live_one_day(held *h, const table *t, size_t day, bool *is_blind)
{
    double asset[TL_PORTFOLIO_POSITIONS_MAX];
    double exposure[TL_PORTFOLIO_POSITIONS_MAX];
    double unseen[TL_PORTFOLIO_POSITIONS_MAX];
    for (size_t k = 0; k < h->count; k++) {
        asset[k] = 0.0;
        exposure[k] = fabs(h->weight[k]);
        unseen[k] = 0.0;
        const double price = h->is_cash[k] ? 0.0 : price_at(t, day, h->ticker[k]);
        if (price > 0.0) {
            asset[k] = price / h->price[k] - 1.0;
            h->price[k] = price;
            h->gap[k] = 0;
            continue;
        }
        unseen[k] = exposure[k];
        h->gap[k]++;
        h->is_cash[k] = h->is_cash[k] || h->gap[k] > FILL_DAYS_MAX;
    }
    *is_blind = tl_sum(unseen, h->count) > BLIND_RATIO * tl_sum(exposure, h->count);
    const double whole = tl_dot(h->weight, asset, h->count);
    const double growth = 1.0 + whole;
    if (growth <= 0.0) { /* ruin, possible with shorts only: nothing is left to drift */
        h->count = 0;
        h->cash = 0.0;
        return whole;
    }
    for (size_t k = 0; k < h->count; k++) {
        h->weight[k] = h->weight[k] * (1.0 + asset[k]) / growth;
    }
    h->cash /= growth;
    return whole;
}

tl_err tl__record_build(tl__record *out, tl_arena *arena, const tl__prices *prices, size_t feed,
                        const tl__holding *holdings, size_t holding_count, tl_errctx *ctx)
{
    size_t days = 0;
    for (size_t i = 0; i < holding_count; i++) {
        days += holdings[i].last - holdings[i].first + 1;
    }
    double *returns = TL_NEW(arena, double, days);
    double *turnover = TL_NEW(arena, double, days);
    uint32_t *day = TL_NEW(arena, uint32_t, days);
    bool *is_blind = TL_NEW(arena, bool, days);
    if (returns == NULL || turnover == NULL || day == NULL || is_blind == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const table t = {prices->price[feed], prices->ticker_count};
    held now = {0};
    size_t at = 0;
    for (size_t i = 0; i < holding_count; i++) {
        const tl__holding *holding = &holdings[i];
        TL_ASSERT(holding->last < prices->day_count && holding->first <= holding->last);
        const held before = now;
        buy(&now, holding->portfolio, prices, &t, holding->first);
        const double tau = i == 0 ? 0.0 : turnover_between(&before, &now);
        for (size_t d = holding->first; d <= holding->last; d++, at++) {
            day[at] = (uint32_t)d;
            returns[at] = live_one_day(&now, &t, d, &is_blind[at]);
            if (d == holding->first) {
                turnover[at] = tau;
                returns[at] -= tau * COST_RATIO;
            }
        }
    }
    TL_ASSERT(at == days);
    *out = (tl__record){days, returns, day, turnover, is_blind};
    return TL_OK;
}

double tl__record_turnover(const tl__record *record)
{
    const size_t m = record->count < TURNOVER_WINDOW ? record->count : TURNOVER_WINDOW;
    if (m == 0) {
        return 0.0;
    }
    return WEEK_DAYS * tl_sum(record->turnover + (record->count - m), m) / (double)m;
}

/* Each ticker with a price on both days counts alike; a day on which none has is 0. */
tl_err tl__universe_returns(const double **out, tl_arena *arena, const tl__prices *prices,
                            size_t feed, tl_errctx *ctx)
{
    double *mean = TL_NEW(arena, double, prices->day_count);
    double *asset = TL_NEW(arena, double, prices->ticker_count);
    if (mean == NULL || asset == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const table t = {prices->price[feed], prices->ticker_count};
    for (size_t d = 1; d < prices->day_count; d++) {
        size_t count = 0;
        for (size_t k = 0; k < prices->ticker_count; k++) {
            const double before = price_at(&t, d - 1, k);
            const double now = price_at(&t, d, k);
            if (before > 0.0 && now > 0.0) {
                asset[count++] = now / before - 1.0;
            }
        }
        mean[d] = count > 0 ? tl_sum(asset, count) / (double)count : 0.0;
    }
    *out = mean;
    return TL_OK;
}
