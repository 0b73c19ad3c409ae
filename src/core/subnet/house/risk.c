/* risk.c: covariances, and the two portfolios that are made of nothing else.
 *
 * Covariance is shrunk towards a multiple of the identity by Ledoit and Wolf (2004): with n returns
 * x_t of p assets less their means, S = 1/n sum x_t x_t',
 *
 *      m = tr(S)/p      d2 = |S - m I|²/p      b2 = min(d2, 1/n² sum |x_t x_t' - S|²/p)
 *      shrunk = b2/d2 · m I + (1 - b2/d2) · S
 *
 * |.| is Frobenius'; sum |x_t x_t' - S|² = sum (x_t'x_t)² - n |S|². b2/d2 counts as at least one
 * thousandth: so the matrix is positive definite, whatever the ratio of assets to days, and both
 * portfolios below are unique, even when two assets have the same closes. */
#include "core/subnet/house/house_internal.h"

#include <math.h>
#include <stdbool.h>

#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"

#define CAP          ((double)TL_HOUSE_WEIGHT_MAX / TL_HOUSE_ONE)
#define STEPS_MAX    200000 /* pair steps; the vectors of a day need some hundreds */
#define SWEEPS_MAX   2000
#define SHARE_MIN    1e-3
#define TOLERANCE    1e-12
#define VARIANCE_MIN (TL__VOLATILITY_MIN * TL__VOLATILITY_MIN)

/* S into out, both triangles; every variance at least VARIANCE_MIN. */
static void sample_covariance(double *out, const tl__window *w, const double *mean)
{
    for (size_t i = 0; i < w->count; i++) {
        for (size_t j = 0; j <= i; j++) {
            const double cross = tl_sum_cross_dev(
                w->returns + i * w->days, w->returns + j * w->days, w->days, mean[i], mean[j]);
            out[i * w->count + j] = cross / (double)w->days;
            out[j * w->count + i] = out[i * w->count + j];
        }
        double *variance = &out[i * w->count + i];
        *variance = *variance > VARIANCE_MIN ? *variance : VARIANCE_MIN;
    }
}

/* b2/d2; the least when all assets have one variance and no covariance (d2 = 0). */
static double shrinkage(const double *s, const tl__window *w, const double *mean, double m,
                        double *day, double *column)
{
    const size_t p = w->count;
    for (size_t t = 0; t < w->days; t++) {
        for (size_t i = 0; i < p; i++) {
            column[i] = w->returns[i * w->days + t] - mean[i];
        }
        const double square = tl_dot(column, column, p);
        day[t] = square * square;
    }
    const double norm = tl_dot(s, s, p * p);
    const double distance = norm - (double)p * m * m; /* |S - mI|² = |S|² - p m² */
    if (!(distance > 0.0)) {
        return SHARE_MIN;
    }
    const double n = (double)w->days;
    const double noise = (tl_sum(day, w->days) - n * norm) / (n * n);
    const double ratio = noise / distance;
    return ratio < SHARE_MIN ? SHARE_MIN : ratio > 1.0 ? 1.0 : ratio;
}

tl_err tl__window_covariance(tl__window *w, tl_arena *arena, tl_errctx *ctx)
{
    const size_t p = w->count;
    double *s = TL_NEW(arena, double, p *p);
    double *mean = TL_NEW(arena, double, p);
    double *column = TL_NEW(arena, double, p);
    double *day = TL_NEW(arena, double, w->days);
    if (s == NULL || mean == NULL || column == NULL || day == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < p; i++) {
        mean[i] = tl_mean(w->returns + i * w->days, w->days);
    }
    sample_covariance(s, w, mean);
    for (size_t i = 0; i < p; i++) {
        column[i] = s[i * p + i];
    }
    const double m = tl_sum(column, p) / (double)p;
    const double share = shrinkage(s, w, mean, m, day, column);
    for (size_t i = 0; i < p * p; i++) {
        s[i] *= 1.0 - share;
    }
    for (size_t i = 0; i < p; i++) {
        s[i * p + i] += share * m;
    }
    w->covariance = s;
    return TL_OK;
}

double tl__risk_variance(const double *weights, const tl__window *w, double *scratch)
{
    for (size_t i = 0; i < w->count; i++) {
        scratch[i] = tl_dot(w->covariance + i * w->count, weights, w->count);
    }
    return tl_dot(scratch, weights, w->count);
}

/* Who may gain has the smallest gradient below the cap, who must lose the largest above zero. */
static bool worst_pair(size_t *gain, size_t *lose, const double *weights, const double *gradient,
                       size_t p)
{
    bool has_gain = false;
    bool has_lose = false;
    for (size_t i = 0; i < p; i++) {
        if (weights[i] < CAP && (!has_gain || gradient[i] < gradient[*gain])) {
            *gain = i;
            has_gain = true;
        }
        if (weights[i] > 0.0 && (!has_lose || gradient[i] > gradient[*lose])) {
            *lose = i;
            has_lose = true;
        }
    }
    return has_gain && has_lose;
}

/* min w'Sw, sum w = 1, 0 <= w <= cap: weight moves between the pair that violates optimality most,
 * by the exact step along e_gain - e_lose, until no pair does (sequential minimal optimisation,
 * Platt 1998; the first of equals). Starts from equal weights, which are inside the cap. */
tl_err tl__risk_minimum(double *out, const tl__window *w, tl_arena *scratch, tl_errctx *ctx)
{
    const size_t p = w->count;
    const double *s = w->covariance;
    TL_ASSERT(s != NULL && p >= TL_HOUSE_POSITIONS_MIN);
    double *gradient = TL_NEW(scratch, double, p);
    if (gradient == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < p; i++) {
        out[i] = 1.0 / (double)p;
    }
    for (size_t i = 0; i < p; i++) {
        gradient[i] = tl_dot(s + i * p, out, p);
    }
    for (uint32_t step = 0; step < STEPS_MAX; step++) {
        size_t gain = 0;
        size_t lose = 0;
        if (!worst_pair(&gain, &lose, out, gradient, p)) {
            return TL_OK;
        }
        const double violation = gradient[lose] - gradient[gain];
        const double curvature = s[gain * p + gain] + s[lose * p + lose] - 2.0 * s[gain * p + lose];
        if (violation <= TOLERANCE * gradient[lose] || curvature <= 0.0) {
            return TL_OK;
        }
        const double room = CAP - out[gain] < out[lose] ? CAP - out[gain] : out[lose];
        const double wanted = violation / curvature;
        const double move = wanted < room ? wanted : room;
        const bool empties = move >= out[lose];
        const bool fills = move >= CAP - out[gain];
        out[gain] = fills ? CAP : out[gain] + move;
        out[lose] = empties ? 0.0 : out[lose] - move;
        for (size_t i = 0; i < p; i++) {
            gradient[i] += move * (s[i * p + gain] - s[i * p + lose]);
        }
    }
    return TL_OK; /* good to the last step's violation; the weights are valid throughout */
}

/* min ½ x'Sx - sum ln x_i, one coordinate after the other (Griveau-Billion, Richard and Roncalli
 * 2013): x_i = (-c_i + √(c_i² + 4 S_ii)) / (2 S_ii), c_i = sum over j ≠ i of S_ij x_j. At the
 * optimum x_i (Sx)_i = 1 for all i: equal contributions; the weights are x scaled. */
tl_err tl__risk_parity(double *out, const tl__window *w, tl_arena *scratch, tl_errctx *ctx)
{
    (void)scratch;
    (void)ctx;
    const size_t p = w->count;
    const double *s = w->covariance;
    TL_ASSERT(s != NULL);
    for (size_t i = 0; i < p; i++) {
        out[i] = 1.0 / sqrt(s[i * p + i]);
    }
    for (uint32_t sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        double change = 0.0;
        for (size_t i = 0; i < p; i++) {
            const double own = s[i * p + i];
            const double c = tl_dot(s + i * p, out, p) - own * out[i];
            const double x = (sqrt(c * c + 4.0 * own) - c) / (2.0 * own);
            const double moved = fabs(x - out[i]) / x;
            change = moved > change ? moved : change;
            out[i] = x;
        }
        if (change <= TOLERANCE) {
            break;
        }
    }
    return TL_OK;
}
