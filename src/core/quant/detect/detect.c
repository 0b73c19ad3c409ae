/* The detectors, in the order of the spec's table. */
#include "core/quant/detect/detect.h"

#include "core/num/sum/sum.h"

/* Decimal weights do not add up exactly. */
#define WEIGHT_SLACK 0x1p-40

const char *tl_detect_rule_name(tl_detect_rule rule)
{
    static const char *const names[] = {
        [TL_DETECT_RULE_VARIANCE] = "variance",
        [TL_DETECT_RULE_CORRELATION] = "correlation",
        [TL_DETECT_RULE_FENCE_SWINGING] = "fence_swinging",
        [TL_DETECT_RULE_CHURN] = "churn",
        [TL_DETECT_RULE_STREAK] = "streak",
    };
    TL_ASSERT((size_t)rule < sizeof names / sizeof names[0]);
    return names[rule];
}

static tl_evidence evidence_of(tl_detect_rule rule, tl_metric value, double limit, size_t days)
{
    const tl_evidence e = {.rule = rule,
                           .is_flagged = false,
                           .value = value,
                           .limit = limit,
                           .peer = TL_DETECT_NO_PEER,
                           .days = days,
                           .from = 0,
                           .to = days == 0 ? 0 : days - 1};
    return e;
}

void tl_detect_variance_run(tl_detect_variance *out, const double *r, size_t n, double periods)
{
    out->evidence = evidence_of(TL_DETECT_RULE_VARIANCE, tl_metric_volatility(r, n, periods),
                                TL_DETECT_VARIANCE_VOLATILITY, n);
    out->sharpe = tl_metric_sharpe(r, n, 0.0, periods);
    /* Undefined values are 0 (METRIC-1), and no volatility of 0 is above its limit: DETECT-1. */
    out->evidence.is_flagged = out->evidence.value.value > TL_DETECT_VARIANCE_VOLATILITY &&
                               out->sharpe.value < TL_DETECT_VARIANCE_SHARPE; /* DETECT-F1 */
}

/* Is the peer closer than the one so far? Ties go to the lower key, then to the lower index
 * (DETECT-3). */
static bool is_closer(const tl_evidence *best, double rho, const tl_detect_peer *peers, size_t i)
{
    if (best->peer == TL_DETECT_NO_PEER || rho != best->value.value) {
        return best->peer == TL_DETECT_NO_PEER || rho > best->value.value;
    }
    return tl_bytes_cmp(peers[i].key, peers[best->peer].key) < 0;
}

/* The first and the last period that both series have; there is one. */
static void span_common(tl_evidence *e, tl_corr_series a, tl_corr_series b, size_t n)
{
    bool is_begun = false;
    for (size_t t = 0; t < n; t++) {
        const bool is_gap =
            (a.is_missing != NULL && a.is_missing[t]) || (b.is_missing != NULL && b.is_missing[t]);
        if (!is_gap) {
            e->from = is_begun ? e->from : t;
            e->to = t;
            is_begun = true;
        }
    }
}

tl_err tl_detect_correlation_run(tl_evidence *out, tl_corr_series own, size_t n,
                                 const tl_detect_peer *peers, size_t peer_count, tl_arena *scratch,
                                 tl_errctx *ctx)
{
    const tl_metric none = {0.0, TL_METRIC_TOO_FEW};
    const tl_corr_options options = {TL_CORR_PEARSON, TL_DETECT_CORRELATION_DAYS};
    tl_evidence best = evidence_of(TL_DETECT_RULE_CORRELATION, none, TL_DETECT_CORRELATION, 0);
    for (size_t i = 0; i < peer_count; i++) {
        tl_corr_result pair;
        TL_TRY(tl_corr_pair(&pair, own, peers[i].series, n, &options, scratch, ctx));
        if (pair.value.status == TL_METRIC_OK && is_closer(&best, pair.value.value, peers, i)) {
            best.peer = i;
            best.value = pair.value;
            best.days = pair.overlap;
        }
    }
    if (best.peer != TL_DETECT_NO_PEER) {
        span_common(&best, own, peers[best.peer].series, n);
    }
    best.is_flagged = best.value.value > TL_DETECT_CORRELATION; /* DETECT-F2, DETECT-2 */
    *out = best;
    return TL_OK;
}

/* The sum of the three largest, largest first. */
static double top_three(const double *weights, size_t count)
{
    double top[3] = {0.0, 0.0, 0.0};
    size_t held = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = held < 3 ? held++ : 2;
        if (i >= 3 && weights[i] <= top[2]) {
            continue;
        }
        for (; at > 0 && weights[i] > top[at - 1]; at--) {
            top[at] = top[at - 1];
        }
        top[at] = weights[i];
    }
    return (top[0] + top[1]) + top[2];
}

void tl_detect_concentration_run(tl_detect_concentration *out, const double *weights, size_t count,
                                 const double *r, size_t n, double periods)
{
    const tl_metric top3 = {top_three(weights, count), TL_METRIC_OK};
    out->evidence =
        evidence_of(TL_DETECT_RULE_FENCE_SWINGING, top3, TL_DETECT_CONCENTRATION_TOP3, n);
    out->hhi = tl_dot(weights, weights, count);
    out->effective_positions.status = out->hhi > 0.0 ? TL_METRIC_OK : TL_METRIC_ZERO_DENOMINATOR;
    out->effective_positions.value = out->hhi > 0.0 ? 1.0 / out->hhi : 0.0;
    out->volatility = tl_metric_volatility(r, n, periods);
    out->evidence.is_flagged =
        top3.value >= TL_DETECT_CONCENTRATION_TOP3 - WEIGHT_SLACK &&
        out->volatility.value > TL_DETECT_CONCENTRATION_VOLATILITY; /* DETECT-F3 */
}

void tl_detect_churn_run(tl_detect_churn *out, double churn_annual)
{
    const tl_metric value = {churn_annual, TL_METRIC_OK};
    out->evidence = evidence_of(TL_DETECT_RULE_CHURN, value, TL_DETECT_CHURN, 0);
    out->evidence.is_flagged = churn_annual > TL_DETECT_CHURN; /* DETECT-F4 */
    const double severity = (churn_annual - TL_DETECT_CHURN) / TL_DETECT_CHURN_SCALE;
    const double most = TL_DETECT_CHURN_SEVERITY_MAX;
    out->severity = severity > most ? most : (severity > 0.0 ? severity : 0.0);
}
