/* detect: signs of gaming, each with its evidence; what a flag costs is the subnet's business.
 * For         anti-gaming of the portfolio subnet, review by people
 * Takes       admitted returns, weights, peers, churn
 * Gives       a tl_evidence each: rule, flag, value against limit, with whom, over which days
 * Calls       metrics, corr, num/sum           Called by   subnet, app
 * Owns        nothing: scratch is given back
 * Threads     any: no state
 * Invariants  DETECT-1 an undefined figure never flags: the rule reads 0 (the Sharpe of variance
 *             too, but then no
 *                      volatility is above its limit)
 *             DETECT-2 a negative correlation never flags
 *             DETECT-3 the closest peer does not depend on the order of the peers
 *             DETECT-4 a probability lies in [0, 1]
 * Read        detect.c, then streak.c
 *
 * Rules (quant-math spec section 5; P periods a year, Sharpe with R = 0):
 *      DETECT-F1 variance        volatility > 1.00 and Sharpe < 0.5
 *      DETECT-F2 correlation     of the peers with >= 30 common days the highest Pearson; flagged
 *                                > 0.70
 *      DETECT-F3 fence swinging  the three largest weights >= 0.55 and volatility > 0.60
 *      DETECT-F4 churn           annualised churn > 20; severity clamp((churn - 20)/40, 0, 0.5)
 *      DETECT-F5 streak          longest run of gains > 8; evidence: P(a run that long), exact
 */
#ifndef TALLY_CORE_QUANT_DETECT_H
#define TALLY_CORE_QUANT_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/quant/corr/corr.h"
#include "core/quant/metrics/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_DETECT_VARIANCE_VOLATILITY      1.00
#define TL_DETECT_VARIANCE_SHARPE          0.5
#define TL_DETECT_CORRELATION              0.70
#define TL_DETECT_CORRELATION_DAYS         30
#define TL_DETECT_CONCENTRATION_TOP3       0.55
#define TL_DETECT_CONCENTRATION_VOLATILITY 0.60
#define TL_DETECT_CHURN                    20.0
#define TL_DETECT_CHURN_SCALE              40.0
#define TL_DETECT_CHURN_SEVERITY_MAX       0.5
#define TL_DETECT_STREAK_DAYS              8

typedef enum tl_detect_rule {
    TL_DETECT_RULE_VARIANCE,
    TL_DETECT_RULE_CORRELATION,
    TL_DETECT_RULE_FENCE_SWINGING,
    TL_DETECT_RULE_CHURN,
    TL_DETECT_RULE_STREAK
} tl_detect_rule;

/* tl_detect_rule_name: the reason code: "variance", "correlation", "fence_swinging", "churn",
 * "streak". */
const char *tl_detect_rule_name(tl_detect_rule rule);

#define TL_DETECT_NO_PEER SIZE_MAX

/* tl_evidence: what every detector gives. */
typedef struct tl_evidence {
    tl_detect_rule rule;
    bool is_flagged;
    tl_metric value; /* what was held against the limit */
    double limit;
    size_t peer; /* index, or TL_DETECT_NO_PEER */
    size_t days; /* observations behind the value */
    size_t from; /* first and last period used, as indices of the series; 0 and 0 when days is 0 */
    size_t to;
} tl_evidence;

typedef struct tl_detect_variance {
    tl_evidence evidence; /* value: annualised volatility */
    tl_metric sharpe;     /* a year, R = 0 */
} tl_detect_variance;

void tl_detect_variance_run(tl_detect_variance *out, const double *r, size_t n,
                            double periods); /* DETECT-F1 */

/* tl_detect_peer: who else; key orders ties (the hotkey's bytes, lowest wins), then the index. */
typedef struct tl_detect_peer {
    tl_bytes key;
    tl_corr_series series; /* as many periods as r */
} tl_detect_peer;

/* tl_detect_correlation_run: DETECT-F2. out->value: the highest Pearson, out->peer with whom,
 * out->days the overlap; no candidate: value too_few, no peer, days 0. own may have gaps too.
 * scratch  given back. Errors: those of the arena. */
TL_MUST_USE tl_err tl_detect_correlation_run(tl_evidence *out, tl_corr_series own, size_t n,
                                             const tl_detect_peer *peers, size_t peer_count,
                                             tl_arena *scratch, tl_errctx *ctx);

typedef struct tl_detect_concentration {
    tl_evidence
        evidence; /* value: sum of the three largest weights; all of them when there are fewer */
    double hhi;   /* sum w^2 */
    tl_metric effective_positions; /* 1 / hhi; zero_denominator without weights */
    tl_metric volatility;          /* a year */
} tl_detect_concentration;

/* DETECT-F3. Decimal weights carry rounding in their sum: 2^-40 below the limit still counts as
 * the limit. */
void tl_detect_concentration_run(tl_detect_concentration *out, const double *weights, size_t count,
                                 const double *r, size_t n, double periods);

typedef struct tl_detect_churn {
    tl_evidence evidence; /* value: annualised churn */
    double severity;      /* 0 … 0.5 */
} tl_detect_churn;

void tl_detect_churn_run(tl_detect_churn *out, double churn_annual); /* DETECT-F4 */

typedef struct tl_detect_streak {
    tl_evidence
        evidence; /* value: days of the longest run; from, to: where the first such run lies */
    double
        probability; /* that n independent days with the same share of gains hold a run as long */
} tl_detect_streak;

/* scratch: as many doubles as the longest run, given back. Errors: those of the arena. */
TL_MUST_USE tl_err tl_detect_streak_run(tl_detect_streak *out, const double *r, size_t n,
                                        tl_arena *scratch, tl_errctx *ctx); /* DETECT-F5 */

/* tl_detect_run_probability: P(a run of at least length successes in n trials of success p).
 *
 * The law of the Markov chain over the current run, 0 to length - 1, with an absorbing end. With
 * L = length, q = 1 - p, F(t) the probability that it has ended by trial t:
 *      F(t) = 0 for t < L,  F(L) = p^L,  F(t) = F(t-1) + (1 - F(t-L-1)) q p^L
 * (a first run that ends at t > L follows a failure at t - L, before which no run had ended).
 * length 0 gives 1. p in [0, 1] (asserted). scratch: length + 1 doubles, given back. Cost: O(n). */
TL_MUST_USE tl_err tl_detect_run_probability(double *out, size_t n, size_t length, double p,
                                             tl_arena *scratch, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
