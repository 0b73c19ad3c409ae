/* One period, many periods, a plan of targets: the same step each time. */
#include "core/quant/account/account_internal.h"

#include <math.h>
#include <string.h>

#include "core/num/sum/sum.h"
#include "core/quant/metrics/metrics.h"

typedef double eight
    __attribute__((vector_size(64))); /* cut to what the machine has; no lane meets another */

/* Each weight grows by its return and all shrink by what the whole grew (ACC-1, ACC-F2); one
 * division a period in place of one an asset. */
static void drift(double *weights, const double *returns, size_t count, double shrink)
{
    const size_t whole = count - count % 8;
    for (size_t i = 0; i < whole; i += 8) {
        eight w;
        eight r;
        memcpy(&w, weights + i, sizeof w);
        memcpy(&r, returns + i, sizeof r);
        w = w * (1.0 + r) * shrink;
        memcpy(weights + i, &w, sizeof w);
    }
    for (size_t i = whole; i < count; i++) {
        weights[i] = weights[i] * (1.0 + returns[i]) * shrink;
    }
}

double tl_account_day(double *weights, const double *returns, size_t count)
{
    double earned = tl_dot(weights, returns, count); /* ACC-F1 */
    if (!(earned > -1.0)) {
        for (size_t i = 0; i < count; i++) {
            weights[i] = 0.0; /* ACC-3 */
        }
        return -1.0;
    }
    drift(weights, returns, count, 1.0 / (1.0 + earned));
    return earned;
}

void tl_account_returns(double *out, double *weights, const double *returns, size_t days,
                        size_t count, size_t stride)
{
    TL_ASSERT(stride >= count);
    for (size_t t = 0; t < days; t++) {
        out[t] = tl_account_day(weights, returns + t * stride, count);
    }
}

void tl_account_gather(double *out, const double *returns, size_t days, size_t stride,
                       const uint32_t *index, size_t count)
{
    for (size_t t = 0; t < days; t++) {
        const double *row = returns + t * stride;
        for (size_t k = 0; k < count; k++) {
            out[t * count + k] = row[index[k]];
        }
    }
}

double tl_account_turnover(const double *target, const double *held, size_t count,
                           double cash_target, double cash_held)
{
    double lane[8] = {0};
    for (size_t i = 0; i < count; i++) {
        lane[i % 8] += fabs(target[i] - held[i]);
    }
    const double even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const double odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return 0.5 * ((even + odd) + fabs(cash_target - cash_held)); /* ACC-F3, ACC-2 */
}

double tl_account_churn(double turnover_sum, double periods, size_t n)
{
    return n == 0 ? 0.0 : turnover_sum * periods / (double)n; /* ACC-F4 */
}

/* The row of targets behind rebalance k (1, 2 …), or NULL when the plan is at its end. */
static const double *target_after(const tl_account_plan *plan, size_t k, size_t count)
{
    if (!plan->is_cyclic && k >= plan->target_count) {
        return NULL;
    }
    return plan->targets + k % plan->target_count * count;
}

static tl_err plan_check(const tl_account_plan *plan, size_t days, size_t count, tl_errctx *ctx)
{
    if (count == 0 || count > TL_ACCOUNT_ASSETS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu assets, not 1 to %d", count, TL_ACCOUNT_ASSETS_MAX);
    }
    if (days > TL_SERIES_PERIODS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu periods, above %zu", days, TL_SERIES_PERIODS_MAX);
    }
    if (plan->target_count == 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "targets", "a plan without a target");
    }
    if (plan->rebalance_every == 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "rebalance_every", "a rebalance every 0 periods");
    }
    for (size_t i = 0; i < plan->target_count * count; i++) {
        if (!(fabs(plan->targets[i]) <= TL__WEIGHT_MAX)) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "targets", "a weight above 1e9");
        }
    }
    return TL_OK;
}

tl_err tl_account_run(tl_account_history *out, tl_arena *arena, const tl_account_plan *plan,
                      const double *returns, size_t days, size_t count, size_t stride,
                      tl_errctx *ctx)
{
    TL_TRY(plan_check(plan, days, count, ctx));
    double *earned = TL_NEW(arena, double, days);
    double *turnovers = TL_NEW(arena, double, days / plan->rebalance_every);
    double *weights = TL_NEW(arena, double, count);
    if (earned == NULL || turnovers == NULL || weights == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(weights, plan->targets, count * sizeof *weights);
    size_t rebalances = 0;
    bool is_ruined = false;
    for (size_t t = 0; t < days;) {
        const size_t left = days - t;
        const size_t step = left < plan->rebalance_every ? left : plan->rebalance_every;
        tl_account_returns(earned + t, weights, returns + t * stride, step, count, stride);
        for (size_t k = t; k < t + step; k++) {
            is_ruined = is_ruined || earned[k] <= -1.0;
        }
        t += step;
        const double *target = target_after(plan, rebalances + 1, count);
        if (t < days && target != NULL && !is_ruined) {
            turnovers[rebalances] = tl_account_turnover(target, weights, count, 0.0, 0.0);
            rebalances++;
            memcpy(weights, target, count * sizeof *weights);
        }
    }
    TL_TRY(tl_returns_admit(earned, NULL, earned, days, ctx));
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(weights[i]) <= TL__WEIGHT_MAX)) {
            return tl_fail(ctx, TL_ERR_RANGE, "a weight drifted above 1e9");
        }
    }
    out->returns = earned;
    out->turnovers = turnovers;
    out->rebalances = rebalances;
    out->turnover_sum = tl_sum(turnovers, rebalances);
    out->final_weights = weights;
    return TL_OK;
}
