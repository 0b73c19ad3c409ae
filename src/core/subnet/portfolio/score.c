/* score.c: one record of daily returns becomes a score in millionths (portfolio spec, sections 5 and 6). */
#include <math.h>
#include <string.h>

#include "core/num/fmath/fmath.h"
#include "core/num/sum/sum.h"
#include "core/subnet/portfolio/portfolio.h"

#define YEAR_DAYS       252.0
#define RISK_FREE       0.05
#define ANNUALISED_MAX  1e6
#define RATIO_MAX       10.0
#define DENOMINATOR_MIN 1e-4 /* below it a ratio is ±10 or 0 by its sign */
#define DRAWDOWN_WORST  0.10
#define ELIMINATION     0.35
#define WINDOW_DAYS_MAX 90  /* the longest horizon, and the window of the elimination */
#define TURNOVER_MAX    1.0 /* a week */

typedef struct bounds {
    double low;
    double high;
} bounds;

typedef struct horizon_rule {
    uint32_t days;
    bounds sortino;
    bounds sharpe;
    bounds calmar;
} horizon_rule;

static const horizon_rule horizon_rules[TL_PORTFOLIO_HORIZONS] = {
    {7, {-2.0, 5.0}, {-1.6, 4.0}, {-5.0, 10.0}},
    {30, {-1.5, 4.0}, {-1.2, 3.2}, {-3.0, 8.0}},
    {90, {-1.0, 3.5}, {-0.8, 2.8}, {-2.0, 6.0}},
};

/* Weights of a profile: of the parts, and of the three horizons. */
typedef struct profile_rule {
    double sharpe;
    double drawdown;
    double sortino;
    double calmar;
    double turnover;
    double pnl;
    double horizon[TL_PORTFOLIO_HORIZONS];
    bool has_plain_drawdown; /* 1 - MaxDD as it is, not against 10 % */
} profile_rule;

static const profile_rule profile_rules[] = {
    [TL_PROFILE_A] = {.40, .20, .15, .15, .10, 0.0, {.30, .45, .25}, false},
    [TL_PROFILE_P] = {0.0, .25, .35, .25, .15, 0.0, {.30, .45, .25}, false},
    [TL_PROFILE_D] = {.40, .15, .10, .10, .05, .20, {.30, .40, .30}, true},
};

static const char *const status_name[] = {
    [TL_STATUS_DISQUALIFIED] = "disqualified",
    [TL_STATUS_TOO_NEW] = "too_new",
    [TL_STATUS_ELIMINATED] = "eliminated",
    [TL_STATUS_RANKED] = "ranked",
};

static const char *const rule_name[TL_RULE_COUNT] = {
#define TL_PORTFOLIO_RULE_ROW(name, text) text,
    TL_PORTFOLIO_RULE_MAP(TL_PORTFOLIO_RULE_ROW)
#undef TL_PORTFOLIO_RULE_ROW
};

const char *tl_portfolio_status_name(tl_portfolio_status status)
{
    return status_name[status];
}

const char *tl_portfolio_rule_name(tl_portfolio_rule rule)
{
    TL_ASSERT((unsigned)rule < TL_RULE_COUNT); /* SUB-2 */
    return rule_name[rule];
}

bool tl_portfolio_rule_parse(tl_portfolio_rule *out, tl_str name)
{
    for (unsigned i = 0; i < TL_RULE_COUNT; i++) {
        if (tl_str_eq_cstr(name, rule_name[i])) {
            *out = (tl_portfolio_rule)i;
            return true;
        }
    }
    return false;
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double clamp01(double x)
{
    return clamp(x, 0.0, 1.0);
}

static double ten_by_sign(double x)
{
    return x > 0.0 ? RATIO_MAX : x < 0.0 ? -RATIO_MAX : 0.0;
}

static double floored(double r)
{
    return r < -1.0 ? -1.0 : r;
}

/* V_t and its largest fall: max over t of 1 - V_t / max(V_0 … V_t), V_0 = 1. Returns V_n.
 * Once the value is 0 it stays 0, and the fall is 1. Without a branch: divisions wait for nothing, a wrong guess would. */
static double walk_value(double *max_drawdown, const double *returns, size_t n)
{
    double value = 1.0;
    double peak = 1.0;
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        value *= 1.0 + floored(returns[i]);
        peak = value > peak ? value : peak;
        const double fall = 1.0 - value / peak;
        worst = fall > worst ? fall : worst;
    }
    *max_drawdown = worst;
    return value;
}

/* (Π(1+r))^(252/n) - 1, at most 10^6; -1 when the product is 0. */
static double annualise(double value, size_t n)
{
    if (value <= 0.0) {
        return -1.0;
    }
    const double a = tl_pow(value, YEAR_DAYS / (double)n) - 1.0;
    return a < ANNUALISED_MAX ? a : ANNUALISED_MAX;
}

/* (annualised - rf) / (σ·√252), σ over the population. */
static double sharpe_of(double annualised, const double *clean, size_t n)
{
    const double mean = tl_sum(clean, n) / (double)n;
    const double sigma = sqrt(tl_sum_sq_dev(clean, n, mean) / (double)n);
    const double yearly = sigma * sqrt(YEAR_DAYS);
    if (yearly < DENOMINATOR_MIN) {
        return ten_by_sign(annualised - RISK_FREE);
    }
    return clamp((annualised - RISK_FREE) / yearly, -RATIO_MAX, RATIO_MAX);
}

/* (annualised - rf) / dd, dd = √(Σ(r - rf_d)² over the days with r < rf_d / number of those days)·√252. */
static double sortino_of(double annualised, const double *clean, size_t n, bool all_days)
{
    const double rf_daily = RISK_FREE / YEAR_DAYS;
    double short_fall[WINDOW_DAYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) { /* no branch: whether a day lost cannot be foreseen */
        const double d = clean[i] - rf_daily;
        short_fall[count] = d * d;
        count += clean[i] < rf_daily;
    }
    if (count == 0) {
        return ten_by_sign(annualised - RISK_FREE);
    }
    const double divisor = (double)(all_days ? n : count);
    const double dd = sqrt(tl_sum(short_fall, count) / divisor) * sqrt(YEAR_DAYS);
    if (dd < DENOMINATOR_MIN) {
        return ten_by_sign(annualised - RISK_FREE);
    }
    return clamp((annualised - RISK_FREE) / dd, -RATIO_MAX, RATIO_MAX);
}

static double calmar_of(double annualised, double max_drawdown)
{
    return max_drawdown < DENOMINATOR_MIN ? ten_by_sign(annualised)
                                          : clamp(annualised / max_drawdown, -RATIO_MAX, RATIO_MAX);
}

static double normalised(double x, bounds b)
{
    return clamp01((x - b.low) / (b.high - b.low));
}

/* One window, afresh from V_0 = 1. returns: the last rule->days of the record. */
static void score_horizon(tl_horizon *out, const double *returns, const horizon_rule *rule,
                          double turnover, const profile_rule *profile, bool sortino_all_days)
{
    const size_t n = rule->days;
    double clean[WINDOW_DAYS_MAX];
    for (size_t i = 0; i < n; i++) {
        clean[i] = floored(returns[i]);
    }
    double max_drawdown;
    const double value = walk_value(&max_drawdown, clean, n);
    const double annualised = annualise(value, n);
    *out = (tl_horizon){.days = rule->days, .annualised = annualised, .max_drawdown = max_drawdown};
    out->sharpe = sharpe_of(annualised, clean, n);
    out->sortino = sortino_of(annualised, clean, n, sortino_all_days);
    out->calmar = calmar_of(annualised, max_drawdown);
    out->part_sharpe = normalised(out->sharpe, rule->sharpe);
    out->part_sortino = normalised(out->sortino, rule->sortino);
    out->part_calmar = normalised(out->calmar, rule->calmar);
    const double drawdown_worst = profile->has_plain_drawdown ? 1.0 : DRAWDOWN_WORST;
    out->part_drawdown = clamp01(1.0 - max_drawdown / drawdown_worst);
    out->part_turnover = clamp01(1.0 - turnover / TURNOVER_MAX);
    out->part_pnl = clamp01(0.5 + (value - 1.0) / 0.40);
    const double terms[6] = {
        profile->sharpe * out->part_sharpe,     profile->drawdown * out->part_drawdown,
        profile->sortino * out->part_sortino,   profile->calmar * out->part_calmar,
        profile->turnover * out->part_turnover, profile->pnl * out->part_pnl,
    };
    out->composite = tl_sum(terms, 6);
}

/* Newcomers by days of record: what part of the score counts. */
static double ramp_of(size_t days)
{
    return days < 7 ? 0.0 : days < 30 ? 0.20 : days < 90 ? 0.50 : 1.0;
}

static uint32_t to_millionths(double x)
{
    const double scaled = floor(clamp01(x) * 1e6 + 0.5);
    TL_ASSERT(scaled >= 0.0 && scaled <= 1e6); /* PORT-1 */
    return (uint32_t)scaled;
}

static tl_portfolio_status status_of(double factor, size_t days, double max_drawdown)
{
    if (factor == 0.0) {
        return TL_STATUS_DISQUALIFIED;
    }
    if (days < 7) {
        return TL_STATUS_TOO_NEW;
    }
    return max_drawdown > ELIMINATION ? TL_STATUS_ELIMINATED : TL_STATUS_RANKED;
}

static bool is_disqualifying(const tl_flag *flag)
{
    return flag->rule == TL_RULE_PLAGIARISM && flag->factor == 0.0;
}

void tl_portfolio_score_record(tl_portfolio_score *out, const double *returns, size_t n,
                               double turnover_per_week, const tl_flag *flags, size_t flag_count,
                               const tl_score_options *options)
{
    static const tl_score_options defaults = {TL_PROFILE_A, false};
    const tl_score_options *opt = options != NULL ? options : &defaults;
    const profile_rule *profile = &profile_rules[opt->profile];
    *out = (tl_portfolio_score){.days = (uint32_t)n, .ramp = ramp_of(n), .factor = 1.0};

    double weighted[TL_PORTFOLIO_HORIZONS];
    double weights[TL_PORTFOLIO_HORIZONS];
    for (size_t k = 0; k < TL_PORTFOLIO_HORIZONS; k++) {
        const horizon_rule *rule = &horizon_rules[k];
        if (n < rule->days) {
            break;
        }
        tl_horizon *h = &out->horizons[out->horizon_count];
        score_horizon(h, returns + (n - rule->days), rule, turnover_per_week, profile,
                      opt->sortino_all_days);
        weighted[out->horizon_count] = profile->horizon[k] * h->composite;
        weights[out->horizon_count] = profile->horizon[k];
        out->horizon_count++;
    }
    out->has_composite = out->horizon_count > 0;
    if (out->has_composite) {
        out->composite = tl_sum(weighted, out->horizon_count) / tl_sum(weights, out->horizon_count);
    }

    bool is_disqualified = false;
    for (size_t i = 0; i < flag_count; i++) {
        TL_ASSERT(flags[i].factor >= 0.0 && flags[i].factor <= 1.0); /* PORT-2 */
        out->factor *= flags[i].factor;
        is_disqualified = is_disqualified || is_disqualifying(&flags[i]);
    }
    if (n >= WINDOW_DAYS_MAX) { /* the longest horizon has walked the same days */
        out->max_drawdown = out->horizons[TL_PORTFOLIO_HORIZONS - 1].max_drawdown;
    } else {
        (void)walk_value(&out->max_drawdown, returns, n);
    }
    out->max_drawdown_millionths = to_millionths(out->max_drawdown);
    out->status = status_of(is_disqualified ? 0.0 : 1.0, n, out->max_drawdown);
    if (out->status == TL_STATUS_RANKED) { /* PORT-1 */
        out->qs_millionths = to_millionths(out->composite * out->ramp * out->factor);
    }
}

double tl_portfolio_flag_factor(tl_portfolio_rule rule, double figure)
{
    switch (rule) {
    case TL_RULE_VARIANCE:
    case TL_RULE_LAG_COPY:
    case TL_RULE_SYBIL:
        return 0.5;
    case TL_RULE_CORRELATION:
        return clamp01((1.0 - figure) / 0.30);
    case TL_RULE_PLAGIARISM:
        return 0.0;
    case TL_RULE_FENCE_SWINGING:
        return 0.8;
    case TL_RULE_CHURN:
        return 1.0 - clamp(figure, 0.0, 0.5);
    case TL_RULE_DATA_QUALITY: {
        const double left = 1.0 - 0.005 * figure;
        return left > 0.5 ? left : 0.5;
    }
    case TL_RULE_STREAK:
    case TL_RULE_COUNT:
        break;
    }
    return 1.0;
}
