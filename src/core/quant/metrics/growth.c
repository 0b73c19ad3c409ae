/* What a unit of money becomes: growth, and the depth and dates of its worst loss. */
#include "core/num/fmath/fmath.h"
#include "core/quant/metrics/metrics_internal.h"

#define LN_2 0x1.62e42fefa39efp-1

/* Scaling by powers of two is exact: wealth far outside the doubles keeps all its digits. */
#define SCALE_UP       0x1p+512
#define SCALE_DOWN     0x1p-512
#define SCALE_EXPONENT 512

/* growth: the product of 1 + r is mantissa * 2^(512 shifts). */
typedef struct growth {
    double
        mantissa; /* not negative; 0 only after a ruin, or when shifts say less than any double */
    int64_t shifts;
} growth;

static growth growth_scaled(const double *r, size_t n)
{
    growth g = {1.0, 0};
    for (size_t i = 0; i < n; i++) {
        g.mantissa *= 1.0 + r[i];
        if (g.mantissa > SCALE_UP) {
            g.mantissa *= SCALE_DOWN;
            g.shifts++;
        } else if (g.mantissa < SCALE_DOWN && g.mantissa > 0.0) {
            g.mantissa *= SCALE_UP;
            g.shifts--;
        }
    }
    return g;
}

/* The product in eight lanes that fold like a sum; the slow way when a lane left the comfortable
 * range. */
static growth growth_of(const double *r, size_t n)
{
    tl__eight product = {1, 1, 1, 1, 1, 1, 1, 1};
    for (size_t i = 0; i < n; i += TL__LANES) {
        tl__eight x;
        tl__load_eight(&x, r + i, n - i, 0.0);
        product *= 1.0 + x;
    }
    double lane[TL__LANES];
    memcpy(lane, &product, sizeof lane);
    for (size_t i = 0; i < TL__LANES; i++) {
        if (!(lane[i] > 0x1p-120 && lane[i] < 0x1p+120)) {
            return growth_scaled(r, n);
        }
    }
    const double even = (lane[0] * lane[4]) * (lane[2] * lane[6]);
    const double odd = (lane[1] * lane[5]) * (lane[3] * lane[7]);
    const growth g = {even * odd, 0};
    return g;
}

/* The product as a double: 0 or infinite when it lies outside. mantissa is at most 2^512, so four
 * steps reach the end. */
static double growth_value(growth g)
{
    double value = g.mantissa;
    for (int64_t i = 0; i < 4 && i < g.shifts; i++) {
        value *= SCALE_UP;
    }
    for (int64_t i = 0; i < 4 && i < -g.shifts; i++) {
        value *= SCALE_DOWN;
    }
    return value;
}

static tl_metric ruined(void)
{
    const tl_metric m = {-1.0, TL_METRIC_RUIN}; /* METRIC-3 */
    return m;
}

tl_metric tl_metric_total_return(const double *r, size_t n)
{
    if (n == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const growth g = growth_of(r, n);
    return g.mantissa == 0.0 ? ruined() : tl__some(growth_value(g) - 1.0); /* METRIC-F1 */
}

tl_metric tl_metric_cagr(const double *r, size_t n, double periods)
{
    if (n == 0) {
        return tl__none(TL_METRIC_TOO_FEW);
    }
    const growth g = growth_of(r, n);
    if (g.mantissa == 0.0) {
        return ruined();
    }
    const double years_inverse = periods / (double)n;
    if (g.shifts == 0) {
        return tl__some(tl_pow(g.mantissa, years_inverse) - 1.0); /* METRIC-F2 */
    }
    const double log_growth = tl_log(g.mantissa) + (double)(g.shifts * SCALE_EXPONENT) * LN_2;
    return tl__some(tl_expm1(log_growth * years_inverse));
}

/* The depth alone: no branches but the loop's, and one division a period that nothing waits for. */
tl_metric tl_metric_max_drawdown(const double *r, size_t n)
{
    double now = 1.0;
    double most = 1.0;
    double least = 1.0; /* of E / running maximum */
    for (size_t t = 0; t < n; t++) {
        now *= 1.0 + r[t];
        most = now > most ? now : most;
        const double share = now / most;
        least = share < least ? share : least;
    }
    const bool has_left_doubles = !(most <= SCALE_UP);
    if (n == 0 || now == 0.0 || has_left_doubles) {
        tl_drawdown d; /* nothing there, a ruin, or wealth that must be scaled */
        tl_metric_drawdown(&d, r, n);
        return d.depth;
    }
    return tl__some(least - 1.0);
}

/* wealth: E and its running maximum, in a common scale. Only their quotient matters, and the level
 * to recover. */
typedef struct wealth {
    double now;
    double most;
    double level; /* the running maximum at the trough */
} wealth;

static void wealth_step(wealth *w, double r)
{
    w->now *= 1.0 + r;
    if (w->now > SCALE_UP) {
        w->now *= SCALE_DOWN;
        w->most *= SCALE_DOWN;
        w->level *= SCALE_DOWN;
    }
}

void tl_metric_drawdown(tl_drawdown *out, const double *r, size_t n)
{
    const tl_drawdown none = {{0.0, TL_METRIC_TOO_FEW}, false, false, 0, 0, 0};
    *out = none;
    if (n == 0) {
        return;
    }
    wealth w = {1.0, 1.0, 1.0};
    double deepest = 0.0;
    size_t most_at = 0; /* the last s where E[s] is the running maximum */
    for (size_t t = 1; t <= n; t++) {
        wealth_step(&w, r[t - 1]);
        if (w.now >= w.most) {
            w.most = w.now;
            most_at = t;
        }
        const double below = w.now / w.most - 1.0;
        if (below < deepest) {
            deepest = below;
            w.level = w.most;
            out->peak = most_at;
            out->trough = t;
            out->is_recovered = false;
        } else if (deepest < 0.0 && !out->is_recovered && w.now >= w.level) {
            out->is_recovered = true;
            out->recovery = t;
        }
    }
    out->is_present = deepest < 0.0;
    out->depth = tl__some(deepest); /* METRIC-F7 */
    if (tl__is_ruined(r, n)) {
        out->depth = ruined(); /* METRIC-3 */
    }
    TL_ASSERT(deepest >= -1.0 && deepest <= 0.0);
    TL_ASSERT(out->peak <= out->trough);                          /* METRIC-4 */
    TL_ASSERT(!out->is_recovered || out->recovery > out->trough); /* METRIC-4 */
}

tl_metric tl_metric_calmar(const double *r, size_t n, double periods)
{
    const tl_metric cagr = tl_metric_cagr(r, n, periods);
    if (!tl_metric_is_defined(cagr)) {
        return cagr;
    }
    const tl_metric drawdown = tl_metric_max_drawdown(r, n);
    tl_metric calmar = tl__ratio(cagr.value, -drawdown.value); /* METRIC-F8 */
    if (drawdown.status == TL_METRIC_RUIN) {
        calmar.status = TL_METRIC_RUIN;
    }
    return calmar;
}
