/* Area quant: every figure of several series, correlations of a small population by every variant that the processor
 * has, the bootstrap, portfolios followed through time, and the detectors. */
#include "core/quant/account/account.h"
#include "core/quant/boot/boot.h"
#include "core/quant/corr/corr.h"
#include "core/quant/detect/detect.h"
#include "core/quant/metrics/metrics.h"

#include "digest.h"

#define DAYS   250
#define SERIES 40

static void digest_metric(digest *d, tl_metric m)
{
    digest_f64(d, m.value);
    digest_u64(d, (uint64_t)m.status);
}

static void digest_metrics(digest *d, const tl_metrics *m)
{
    const tl_metric all[] = {m->total_return,  m->cagr,
                             m->volatility,    m->sharpe,
                             m->sortino,       m->downside_deviation,
                             m->calmar,        m->omega,
                             m->tail_ratio,    m->var_95,
                             m->cvar_95,       m->var_99,
                             m->cvar_99,       m->var_95_normal,
                             m->win_rate,      m->profit_factor,
                             m->skew,          m->kurtosis_excess,
                             m->psr_0,         m->min_track_record,
                             m->drawdown.depth};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        digest_metric(d, all[i]);
    }
    digest_f64(d, m->rf);
    digest_u64(d, m->win_streak);
    digest_u64(d, m->drawdown.peak);
    digest_u64(d, m->drawdown.trough);
}

static void metrics(digest *d, const double *table)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    static const double periods[] = {252.0, 365.0, 52.0, 12.0};
    for (size_t s = 0; s < SERIES; s++) {
        const double *r = table + s * DAYS;
        const size_t n = s < 10 ? s : DAYS; /* the shortest too */
        const tl_metrics_options options = {.rate_annual = 0.001 * (double)s,
                                            .periods = periods[s % 4]};
        tl_metrics m = {0};
        DIGEST_OK(tl_metrics_compute(&m, r, n, &options, d->arena, &ctx), &ctx);
        digest_metrics(d, &m);
        tl_versus v;
        tl_metric_versus(&v, r, table, n, m.rf, options.periods);
        digest_metric(d, v.beta);
        digest_metric(d, v.alpha);
        digest_metric(d, v.alpha_geometric);
        digest_metric(d, v.information_ratio);
        tl_sharpe_sample sample;
        if (tl_sharpe_sample_of(&sample, r, n, m.rf) == TL_METRIC_OK) {
            digest_metric(d, tl_sharpe_psr(&sample, 0.01));
            digest_metric(d, tl_sharpe_deflated(&sample, 3 * s + 1, 0.05));
        }
    }
}

static void correlations(digest *d, const double *table)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_corr_series series[SERIES];
    bool *missing = DIGEST_NEW(d, bool, DAYS);
    for (size_t t = 0; t < DAYS; t += 7) {
        missing[t] = true;
    }
    for (size_t s = 0; s < SERIES; s++) {
        series[s] = (tl_corr_series){table + s * DAYS, s % 9 == 8 ? missing : NULL};
    }
    for (int kind = 0; kind < 2; kind++) {
        const tl_corr_options options = {kind == 0 ? TL_CORR_PEARSON : TL_CORR_SPEARMAN,
                                         TL_CORR_OVERLAP_MIN};
        const tl_corr_matrix matrix = {DIGEST_NEW(d, double, SERIES *SERIES),
                                       DIGEST_NEW(d, uint8_t, SERIES * SERIES),
                                       DIGEST_NEW(d, uint32_t, SERIES * SERIES)};
        tl_corr_table *packed = NULL;
        DIGEST_OK(tl_corr_table_make(&packed, d->arena, series, SERIES, DAYS, &options, &ctx),
                  &ctx);
        DIGEST_OK(
            tl_corr_table_run(packed, &matrix, 0, tl_corr_table_blocks(packed), d->arena, &ctx),
            &ctx);
        digest_f64s(d, matrix.value, (size_t)SERIES * SERIES);
        digest_bytes(d, matrix.status, (size_t)SERIES * SERIES);
        for (size_t i = 0; i < (size_t)SERIES * SERIES; i++) {
            digest_u64(d, matrix.overlap[i]);
        }
    }
}

static void bootstraps(digest *d, const double *table)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_boot_stat stats[TL_BOOT_STAT_COUNT];
    for (size_t k = 0; k < TL_BOOT_STAT_COUNT; k++) {
        stats[k] = (tl_boot_stat)k;
    }
    const tl_boot_options options = {
        .mean_block = 7.5, .resamples = 100, .level = 0.95, .rf = 0.0001, .periods = 252.0};
    for (size_t s = 10; s < 14; s++) {
        tl_boot_result results[TL_BOOT_STAT_COUNT];
        tl_metric length;
        DIGEST_OK(tl_boot_run(results, table + s * DAYS, DAYS, stats, TL_BOOT_STAT_COUNT, s,
                              &options, d->arena, &ctx),
                  &ctx);
        for (size_t k = 0; k < TL_BOOT_STAT_COUNT; k++) {
            digest_metric(d, results[k].point);
            digest_metric(d, results[k].percentile.lower);
            digest_metric(d, results[k].percentile.upper);
            digest_metric(d, results[k].basic.lower);
            digest_metric(d, results[k].basic.upper);
            digest_metric(d, results[k].standard_error);
            digest_u64(d, results[k].skipped);
        }
        DIGEST_OK(tl_boot_block_length(&length, table + s * DAYS, DAYS, d->arena, &ctx), &ctx);
        digest_metric(d, length);
    }
}

/* The table's rows serve as days of a universe of ten assets. */
static void portfolios(digest *d, const double *table)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    double targets[30];
    for (size_t i = 0; i < 30; i++) {
        targets[i] = digest_uniform(d, 0.01, 0.1);
    }
    for (size_t every = 1; every <= 60; every *= 4) {
        const tl_account_plan plan = {
            .targets = targets, .target_count = 3, .rebalance_every = every, .is_cyclic = true};
        tl_account_history history;
        DIGEST_OK(tl_account_run(&history, d->arena, &plan, table, DAYS, 10, 10, &ctx), &ctx);
        digest_f64s(d, history.returns, DAYS);
        digest_f64s(d, history.turnovers, history.rebalances);
        digest_f64s(d, history.final_weights, 10);
        digest_f64(d, tl_account_churn(history.turnover_sum, 252.0, DAYS));
    }
}

static void detectors(digest *d, const double *table)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    for (size_t s = 10; s < 20; s++) {
        const double *r = table + s * DAYS;
        double weights[8];
        for (size_t i = 0; i < 8; i++) {
            weights[i] = digest_uniform(d, 0.0, 0.25);
        }
        tl_detect_concentration concentration;
        tl_detect_churn churn;
        tl_detect_streak streak;
        tl_detect_concentration_run(&concentration, weights, 8, r, DAYS, 252.0);
        digest_f64(d, concentration.hhi);
        digest_metric(d, concentration.effective_positions);
        digest_metric(d, concentration.volatility);
        tl_detect_churn_run(&churn, digest_uniform(d, 0.0, 60.0));
        digest_f64(d, churn.severity);
        DIGEST_OK(tl_detect_streak_run(&streak, r, DAYS, d->arena, &ctx), &ctx);
        digest_f64(d, streak.probability);
        double probability;
        DIGEST_OK(tl_detect_run_probability(&probability, 1000 * s, s - 5,
                                            digest_uniform(d, 0.3, 0.7), d->arena, &ctx),
                  &ctx);
        digest_f64(d, probability);
    }
}

void digest_area_quant(digest *d)
{
    double *table = DIGEST_NEW(d, double, (size_t)SERIES *DAYS);
    for (size_t s = 0; s < SERIES; s++) {
        digest_series(d, table + s * DAYS, DAYS, 0.0004, 0.002 * (double)(1 + s % 7));
    }
    metrics(d, table);
    correlations(d, table);
    bootstraps(d, table);
    portfolios(d, table);
    detectors(d, table);
}
