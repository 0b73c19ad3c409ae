/* portfolio: miners submit weighted portfolios with an ante; this room says how good they are.
 * For         stations decode, admit and score of the portfolio subnet (portfolio spec, sections 1 to 8)
 * Takes       signals, price tables of the validators, the records of the miners, parameters
 * Gives       a score and its explanation for every miner, from recorded inputs alone
 * Calls       core/num, core/quant, core/epoch/subnet        Called by   core/epoch/road through tl_subnet_portfolio
 * Owns        nothing: worlds and scores live in the arena passed in
 * Threads     a world belongs to one thread; the functions have no state
 * Invariants  PORT-1 QS is 0 unless the status is ranked, and never above 1,000,000 millionths
 *             PORT-2 every flag that costs something carries its factor, and the product of the factors is the factor
 *             PORT-3 a day of a record is decided at the close before it: no price of that day is used to choose
 *             PORT-4 a miner's score does not depend on the order in which signals arrived, only on commit heights
 * Read        subnet.c (the table), decode.c, then record.c (signals to returns), score.c (returns to QS), flags.c
 *
 *      signals of all epochs ─record─▶ r_1 … r_d, T ─score─▶ composite × ramp × Π factors ─▶ QS in millionths
 *                                          └────────flags─────────────────────┘
 */
#ifndef TALLY_CORE_SUBNET_PORTFOLIO_H
#define TALLY_CORE_SUBNET_PORTFOLIO_H

#include "core/epoch/subnet/subnet.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_PORTFOLIO_POSITIONS_MIN        5
#define TL_PORTFOLIO_POSITIONS_MAX        30
#define TL_PORTFOLIO_WEIGHT_MAX           200000 /* millionths: 0.20 */
#define TL_PORTFOLIO_WEIGHT_SUM           1000000
#define TL_PORTFOLIO_WEIGHT_SUM_TOLERANCE 100     /* millionths: 0.0001 */
#define TL_PORTFOLIO_GROSS_MAX            2000000 /* millionths, with shorts */

/* Decode refuses more positions than this outright; between it and POSITIONS_MAX a signal is E004. */
#define TL_PORTFOLIO_POSITIONS_DECODED_MAX 10000

typedef struct tl_position {
    tl_str ticker;
    int64_t weight_millionths;
} tl_position;

/* tl_portfolio: the body of a submission; positions sorted by ticker, then weight. */
typedef struct tl_portfolio {
    const tl_position *positions;
    size_t count;
} tl_portfolio;

/* The flags, in the order of their bits; names are those of the spec's section 8. */
#define TL_PORTFOLIO_RULE_MAP(X)                                                                   \
    X(VARIANCE, "variance")                                                                        \
    X(CORRELATION, "correlation")                                                                  \
    X(PLAGIARISM, "plagiarism")                                                                    \
    X(LAG_COPY, "lag_copy")                                                                        \
    X(FENCE_SWINGING, "fence_swinging")                                                            \
    X(CHURN, "churn")                                                                              \
    X(STREAK, "streak")                                                                            \
    X(SYBIL, "sybil")                                                                              \
    X(DATA_QUALITY, "data_quality")

typedef enum tl_portfolio_rule {
#define TL_PORTFOLIO_RULE_ENUM(name, text) TL_RULE_##name,
    TL_PORTFOLIO_RULE_MAP(TL_PORTFOLIO_RULE_ENUM)
#undef TL_PORTFOLIO_RULE_ENUM
        TL_RULE_COUNT
} tl_portfolio_rule;

const char *tl_portfolio_rule_name(tl_portfolio_rule rule);
bool tl_portfolio_rule_parse(tl_portfolio_rule *out, tl_str name);

/* --- scoring of one record (score.c) --- */

typedef enum tl_portfolio_profile {
    TL_PROFILE_A, /* the default: Sharpe .40, drawdown .20, Sortino .15, Calmar .15, turnover .10 */
    TL_PROFILE_P,
    TL_PROFILE_D
} tl_portfolio_profile;

typedef enum tl_portfolio_status {
    TL_STATUS_DISQUALIFIED,
    TL_STATUS_TOO_NEW,
    TL_STATUS_ELIMINATED,
    TL_STATUS_RANKED
} tl_portfolio_status;

const char *tl_portfolio_status_name(tl_portfolio_status status);

/* tl_horizon: one window of 7, 30 or 90 days. Ratios after the clamp to [-10, 10]; parts are in [0, 1]. */
typedef struct tl_horizon {
    uint32_t days;
    double annualised;
    double sharpe;
    double sortino;
    double calmar;
    double max_drawdown;
    double part_sharpe;
    double part_sortino;
    double part_calmar;
    double part_drawdown;
    double part_turnover;
    double part_pnl; /* profile D */
    double composite;
} tl_horizon;

#define TL_PORTFOLIO_HORIZONS 3

typedef struct tl_portfolio_score {
    uint32_t days; /* of the whole record */
    tl_horizon horizons[TL_PORTFOLIO_HORIZONS];
    size_t horizon_count;
    bool has_composite;
    double composite; /* before ramp and factor */
    double ramp;
    double factor;
    tl_portfolio_status status;
    double max_drawdown; /* of the last 90 returns, or of all: the elimination's */
    uint32_t max_drawdown_millionths;
    uint32_t qs_millionths;
} tl_portfolio_score;

typedef struct tl_score_options {
    tl_portfolio_profile profile;
    bool sortino_all_days; /* divide by all days, as profile D's source does */
} tl_score_options;

/* tl_portfolio_score_record: sections 5 and 6 of the spec for one record.
 *
 * returns            n simple returns, oldest first; finite; below -1 counts as -1
 * turnover_per_week  T of section 5, >= 0
 * flags              each with its factor; a factor of 0 disqualifies
 * options            NULL: the defaults
 * Never fails, never allocates. Cost: O(min(n, 90)), one power a horizon.
 */
void tl_portfolio_score_record(tl_portfolio_score *out, const double *returns, size_t n,
                               double turnover_per_week, const tl_flag *flags, size_t flag_count,
                               const tl_score_options *options);

/* tl_portfolio_flag_factor: what a flag costs, from the figure that its rule measures (section 8): correlation the
 * coefficient, churn the severity, data_quality the days; other rules do not look at it. */
double tl_portfolio_flag_factor(tl_portfolio_rule rule, double figure);

/* tl_portfolio_put_score: the fields of a portfolio-score case as members of an object that is open, keys ascending
 * (composite null when no horizon exists). */
void tl_portfolio_put_score(tl_json_writer *w, const tl_portfolio_score *score);

/* --- the bootstrap that is shown beside a score (confidence.c) --- */

typedef struct tl_portfolio_confidence {
    double low; /* QS as a ratio, 95 % percentile interval */
    double high;
    double ars;        /* 1 - deviation/mean; 0 when the mean is not positive */
    bool needs_review; /* ars < 0.60 */
} tl_portfolio_confidence;

/* tl_portfolio_bootstrap: resamples of the last min(n, 90) returns, scored as records of their own with the same T and
 * factor; fewer than 20 returns: 10 % below and above the score, ars 1. It never changes a rank.
 * seed: tl_portfolio_bootstrap_seed. Errors: TL_ERR_NOMEM, TL_ERR_LIMIT; scratch is rewound. */
TL_MUST_USE tl_err tl_portfolio_bootstrap(tl_portfolio_confidence *out, tl_arena *scratch,
                                          const double *returns, size_t n, double turnover_per_week,
                                          const tl_portfolio_score *score, uint32_t resamples,
                                          uint64_t seed, const tl_score_options *options,
                                          tl_errctx *ctx);

/* The first 8 bytes, little-endian, of SHA-256("tally/portfolio/boot" ‖ epoch_id ‖ hotkey). */
uint64_t tl_portfolio_bootstrap_seed(tl_str epoch_id, const tl_hotkey *hotkey);

/* --- signals (decode.c) --- */

/* tl_portfolio_hash: SHA-256 of "TICKER:weight" items joined by '|', sorted by ticker, then weight. */
TL_MUST_USE tl_err tl_portfolio_hash(tl_hash32 *out, const tl_portfolio *portfolio,
                                     tl_arena *scratch, tl_errctx *ctx);

/* The subnet's table. */
extern const tl_subnet tl_subnet_portfolio;

#ifdef __cplusplus
}
#endif

#endif
