/* strategies.c: each strategy makes raw weights of a window; the rules are kept in weights.c.
 *
 * Adding one: a function of the type raw_rule, a row in RULES, a line in docs; the tests walk the
 * table by themselves. */
#include "core/subnet/house/house.h"

#include <stdbool.h>

#include "core/num/stats/stats.h"
#include "core/subnet/house/house_internal.h"

#define MONTH_DAYS     21
#define TREND_DAYS     200
#define YEAR_DAYS      252
#define MOMENTUM_SHARE 0.6 /* 0.30 of 0.30 + 0.20: see house.h */
#define LOW_RISK_SHARE 0.4
#define TARGET_DEFAULT 0.10
#define TARGET_MAX     10.0
#define BISECTIONS     60

/* Into out, w->count raw weights (zeros when called); w may lose tickers on the way. */
typedef tl_err (*raw_rule)(double *out, tl__window *w, const tl_house_params *params,
                           tl_arena *scratch, tl_errctx *ctx);

/* --- pieces --- */

/* Where the universe has more names than a portfolio may hold: the calmest. */
static tl_err keep_calmest(tl__window *w, tl_arena *scratch, tl_errctx *ctx)
{
    if (w->count <= w->positions_max) {
        return TL_OK;
    }
    size_t picked[TL_HOUSE_POSITIONS_MAX];
    TL_TRY(tl__window_lowest(picked, w, w->volatility, w->positions_max, scratch, ctx));
    tl__window_keep(w, picked, w->positions_max);
    return TL_OK;
}

/* A fifth of the universe with the lowest keys, at least 5 and at most what may be held, alike. */
static tl_err hold_lowest_fifth(double *out, const tl__window *w, const double *keys,
                                tl_arena *scratch, tl_errctx *ctx)
{
    size_t k = (w->count + 4) / 5;
    k = k < TL_HOUSE_POSITIONS_MIN ? TL_HOUSE_POSITIONS_MIN : k;
    k = k > w->positions_max ? w->positions_max : k;
    size_t picked[TL_HOUSE_POSITIONS_MAX];
    TL_TRY(tl__window_lowest(picked, w, keys, k, scratch, ctx));
    for (size_t i = 0; i < k; i++) {
        out[picked[i]] = 1.0;
    }
    return TL_OK;
}

/* The return of 12 months without the last one, negated: the best has the lowest key. A shorter
 * window is read from its beginning. */
static void momentum_keys(double *out, const tl__window *w)
{
    const size_t back = w->days < YEAR_DAYS ? w->days : YEAR_DAYS;
    for (size_t i = 0; i < w->count; i++) {
        out[i] = 1.0 - tl__window_close(w, i, MONTH_DAYS) / tl__window_close(w, i, back);
    }
}

static double *new_keys(const tl__window *w, tl_arena *scratch)
{
    return TL_NEW(scratch, double, w->count);
}

/* --- strategies --- */

static tl_err equal_weight(double *out, tl__window *w, const tl_house_params *params,
                           tl_arena *scratch, tl_errctx *ctx)
{
    (void)params;
    TL_TRY(keep_calmest(w, scratch, ctx));
    for (size_t i = 0; i < w->count; i++) {
        out[i] = 1.0;
    }
    return TL_OK;
}

static tl_err inverse_volatility(double *out, tl__window *w, const tl_house_params *params,
                                 tl_arena *scratch, tl_errctx *ctx)
{
    (void)params;
    TL_TRY(keep_calmest(w, scratch, ctx));
    for (size_t i = 0; i < w->count; i++) {
        out[i] = 1.0 / w->volatility[i];
    }
    return TL_OK;
}

static tl_err minimum_variance(double *out, tl__window *w, const tl_house_params *params,
                               tl_arena *scratch, tl_errctx *ctx)
{
    (void)params;
    TL_TRY(tl__window_covariance(w, scratch, ctx));
    return tl__risk_minimum(out, w, scratch, ctx);
}

static tl_err risk_parity(double *out, tl__window *w, const tl_house_params *params,
                          tl_arena *scratch, tl_errctx *ctx)
{
    (void)params;
    TL_TRY(keep_calmest(w, scratch, ctx));
    TL_TRY(tl__window_covariance(w, scratch, ctx));
    return tl__risk_parity(out, w, scratch, ctx);
}

/* Jegadeesh and Titman (1993): the winners of 12 months but the last. */
static tl_err momentum(double *out, tl__window *w, const tl_house_params *params, tl_arena *scratch,
                       tl_errctx *ctx)
{
    (void)params;
    double *keys = new_keys(w, scratch);
    if (keys == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    momentum_keys(keys, w);
    return hold_lowest_fifth(out, w, keys, scratch, ctx);
}

/* Jegadeesh (1990): the losers of the last month, measured in their own volatility. */
static tl_err mean_reversion(double *out, tl__window *w, const tl_house_params *params,
                             tl_arena *scratch, tl_errctx *ctx)
{
    (void)params;
    double *keys = new_keys(w, scratch);
    if (keys == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < w->count; i++) {
        const double month = tl__window_close(w, i, 0) / tl__window_close(w, i, MONTH_DAYS) - 1.0;
        keys[i] = month / w->volatility[i];
    }
    return hold_lowest_fifth(out, w, keys, scratch, ctx);
}

/* Above the mean close of 200 days? (Faber 2007) */
static bool is_rising(const tl__window *w, size_t i, double *closes)
{
    const size_t n = w->days + 1 < TREND_DAYS ? w->days + 1 : TREND_DAYS;
    for (size_t back = 0; back < n; back++) {
        closes[back] = tl__window_close(w, i, back);
    }
    return closes[0] > tl_mean(closes, n);
}

/* Inverse volatility over the names that rise; too few of them, and the calmest others fill up. */
static tl_err trend_weights(double *out, const tl__window *w, tl_arena *scratch, tl_errctx *ctx)
{
    double *keys = new_keys(w, scratch);
    if (keys == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    double closes[TREND_DAYS];
    size_t rising = 0;
    for (size_t i = 0; i < w->count; i++) {
        const bool rises = is_rising(w, i, closes);
        out[i] = rises ? 1.0 / w->volatility[i] : 0.0;
        keys[i] = rises ? 0.0 : w->volatility[i]; /* the rising first, then the calmest */
        rising += rises ? 1 : 0;
    }
    if (rising >= TL_HOUSE_POSITIONS_MIN) {
        return TL_OK;
    }
    size_t picked[TL_HOUSE_POSITIONS_MIN];
    TL_TRY(tl__window_lowest(picked, w, keys, TL_HOUSE_POSITIONS_MIN, scratch, ctx));
    for (size_t k = 0; k < TL_HOUSE_POSITIONS_MIN; k++) {
        out[picked[k]] = 1.0 / w->volatility[picked[k]];
    }
    return TL_OK;
}

static double blend_variance(double *mix, const double *a, const double *b, double share,
                             const tl__window *w, double *scratch)
{
    for (size_t i = 0; i < w->count; i++) {
        mix[i] = a[i] + share * (b[i] - a[i]);
    }
    return tl__risk_variance(mix, w, scratch);
}

/* Signals are fully invested, so risk above the target is not answered by cash but by a move
 * towards minimum variance: the smallest share of it that meets the target, found by bisection,
 * since the variance falls all the way along the line. */
static tl_err trend(double *out, tl__window *w, const tl_house_params *params, tl_arena *scratch,
                    tl_errctx *ctx)
{
    const double target = params != NULL && params->volatility_target != 0.0
                              ? params->volatility_target
                              : TARGET_DEFAULT;
    if (!(target > 0.0 && target <= TARGET_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "volatility_target",
                             "the target is not within 0 and 10");
    }
    TL_TRY(tl__window_covariance(w, scratch, ctx));
    double *a = new_keys(w, scratch);
    double *b = new_keys(w, scratch);
    double *row = new_keys(w, scratch);
    if (a == NULL || b == NULL || row == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    TL_TRY(trend_weights(a, w, scratch, ctx));
    TL_TRY(tl__risk_minimum(b, w, scratch, ctx));
    TL_TRY(tl__weights_cap(a, w->count, scratch, ctx)); /* as it will be held */
    const double limit = target * target / YEAR_DAYS;
    double low = 0.0;
    double high = 1.0;
    if (blend_variance(out, a, b, 0.0, w, row) <= limit) {
        high = 0.0;
    }
    for (uint32_t i = 0; i < BISECTIONS && high > 0.0; i++) {
        const double middle = low + (high - low) * 0.5;
        if (blend_variance(out, a, b, middle, w, row) <= limit) {
            high = middle;
        } else {
            low = middle;
        }
    }
    (void)blend_variance(out, a, b, high, w, row);
    return TL_OK;
}

/* Cross-sectional ranks of what prices tell: momentum 12-1 and low volatility. */
static tl_err multi_factor(double *out, tl__window *w, const tl_house_params *params,
                           tl_arena *scratch, tl_errctx *ctx)
{
    (void)params;
    double *keys = new_keys(w, scratch);
    double *by_momentum = new_keys(w, scratch);
    double *by_risk = new_keys(w, scratch);
    if (keys == NULL || by_momentum == NULL || by_risk == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    momentum_keys(keys, w);
    TL_TRY(tl_ranks_average(by_momentum, keys, w->count, scratch, ctx));
    TL_TRY(tl_ranks_average(by_risk, w->volatility, w->count, scratch, ctx));
    for (size_t i = 0; i < w->count; i++) {
        keys[i] = MOMENTUM_SHARE * by_momentum[i] + LOW_RISK_SHARE * by_risk[i];
    }
    return hold_lowest_fifth(out, w, keys, scratch, ctx);
}

/* --- the table --- */

/* Reads the window, makes raw weights, spreads them over the history's tickers, keeps the rules. */
static tl_err make_signal(uint32_t *out, raw_rule rule, const tl_house_history *history,
                          const tl_house_params *params, tl_arena *scratch, tl_errctx *ctx)
{
    tl__window w;
    TL_TRY(tl__window_read(&w, history, params, scratch, ctx));
    double *raw = TL_NEW(scratch, double, w.count);
    double *all = TL_NEW(scratch, double, history->ticker_count);
    if (raw == NULL || all == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    TL_TRY(rule(raw, &w, params, scratch, ctx));
    for (size_t i = 0; i < w.count; i++) {
        all[w.source[i]] = raw[i];
    }
    return tl_house_weights(out, all, history->tickers, history->ticker_count, w.positions_max,
                            scratch, ctx);
}

#define RULES(X)                                                                                   \
    X(equal_weight, "the same in each")                                                            \
    X(inverse_volatility, "1 over each one's volatility")                                          \
    X(minimum_variance, "least variance by shrunk covariances, long only")                         \
    X(risk_parity, "equal contributions to the variance")                                          \
    X(momentum, "the best fifth of 12 months but the last")                                        \
    X(mean_reversion, "the worst fifth of the last month, in volatilities")                        \
    X(trend, "what is above its 200-day mean, held to a volatility target")                        \
    X(multi_factor, "the best fifth by momentum 0.6 and low volatility 0.4")

#define DEFINE(rule, what)                                                                         \
    static tl_err signal_##rule(uint32_t *out, const tl_house_history *history,                    \
                                const tl_house_params *params, tl_arena *scratch, tl_errctx *ctx)  \
    {                                                                                              \
        const tl_arena_mark mark = tl_arena_get_mark(scratch);                                     \
        const tl_err err = make_signal(out, rule, history, params, scratch, ctx);                  \
        tl_arena_rewind(scratch, mark);                                                            \
        return err;                                                                                \
    }
RULES(DEFINE)
#undef DEFINE

static const tl_house_strategy STRATEGIES[] = {
#define ROW(rule, what) {#rule, what, signal_##rule},
    RULES(ROW)
#undef ROW
};
#define STRATEGY_COUNT (sizeof(STRATEGIES) / sizeof(STRATEGIES[0]))

const tl_house_strategy *tl_house_strategies(size_t *count)
{
    *count = STRATEGY_COUNT;
    return STRATEGIES;
}

const tl_house_strategy *tl_house_find(tl_str name)
{
    for (size_t i = 0; i < STRATEGY_COUNT; i++) {
        if (tl_str_eq_cstr(name, STRATEGIES[i].name)) {
            return &STRATEGIES[i];
        }
    }
    return NULL;
}
