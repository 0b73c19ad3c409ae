/* Attacks the metrics one by one: too few observations, nothing to divide by, ruin, wealth beyond
 * the doubles, input that is no series of returns, memory that runs out. The figures of long
 * series are held in test/golden (app's tests). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/quant/metrics/metrics.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void assert_value(tl_metric m, double want)
{
    assert_int_equal(m.status, TL_METRIC_OK);
    if (!(fabs(m.value - want) <= 1e-12 + 1e-12 * fabs(want))) {
        fail_msg("%.17g is not %.17g", m.value, want);
    }
}

static void assert_none(tl_metric m, tl_metric_status status)
{
    assert_int_equal(m.status, status);
    assert_true(m.value == 0.0); /* METRIC-1 */
    assert_false(tl_metric_is_defined(m));
}

static void assert_ruin(tl_metric m)
{
    assert_int_equal(m.status, TL_METRIC_RUIN);
    assert_true(m.value == -1.0);
    assert_true(tl_metric_is_defined(m));
}

static void statuses_have_the_names_of_the_spec(void **state)
{
    (void)state;
    assert_string_equal(tl_metric_status_name(TL_METRIC_OK), "ok");
    assert_string_equal(tl_metric_status_name(TL_METRIC_TOO_FEW), "too_few");
    assert_string_equal(tl_metric_status_name(TL_METRIC_ZERO_DENOMINATOR), "zero_denominator");
    assert_string_equal(tl_metric_status_name(TL_METRIC_RUIN), "ruin");
    assert_string_equal(tl_metric_status_name(TL_METRIC_TOO_LARGE), "too_large");
}

static void what_is_no_return_is_refused_and_named(void **state)
{
    (void)state;
    const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1.0000001e7};
    for (size_t k = 0; k < COUNT(bad); k++) {
        double r[3] = {0.1, 0.2, bad[k]};
        double out[3] = {7, 7, 7};
        size_t clamped = 9;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_returns_admit(out, &clamped, r, 3, &ctx), TL_ERR_RANGE);
        assert_string_equal(ctx.field, "[2]");
        assert_true(out[0] == 7.0 && clamped == 9);
    }
    assert_int_equal(tl_returns_admit(NULL, NULL, NULL, TL_SERIES_PERIODS_MAX + 1, NULL),
                     TL_ERR_RANGE);
}

static void returns_below_minus_one_become_a_ruin_and_are_counted(void **state)
{
    (void)state;
    double r[4] = {-1.5, 0.1, -1.0, -1.0000001};
    size_t clamped;
    assert_int_equal(tl_returns_admit(r, &clamped, r, 4, NULL), TL_OK);
    assert_int_equal(clamped, 2);
    assert_true(r[0] == -1.0 && r[1] == 0.1 && r[2] == -1.0 && r[3] == -1.0);
    assert_int_equal(tl_returns_admit(NULL, NULL, NULL, 0, NULL), TL_OK);
}

static void prices_must_be_above_zero_but_the_last_may_be_the_end(void **state)
{
    (void)state;
    double out[2];
    const double good[3] = {8.0, 10.0, 0.0};
    assert_int_equal(tl_returns_from_prices(out, good, 3, NULL), TL_OK);
    assert_true(out[0] == 0.25 && out[1] == -1.0);
    const double bad[][3] = {{0.0, 1.0, 1.0},
                             {1.0, 0.0, 1.0},
                             {1.0, -2.0, 1.0},
                             {1.0, (double)NAN, 1.0},
                             {1.0, (double)INFINITY, 1.0},
                             {1e-9, 1.0, 1.0},
                             {-0.5, 1.0, 1.0},
                             {1.0, 1.0, -0.5}};
    for (size_t k = 0; k < COUNT(bad); k++) {
        assert_int_equal(tl_returns_from_prices(out, bad[k], 3, NULL), TL_ERR_RANGE);
    }
    assert_int_equal(tl_returns_from_prices(NULL, good, 1, NULL), TL_OK);
    assert_int_equal(tl_returns_from_prices(NULL, NULL, 0, NULL), TL_OK);
}

static void a_yearly_rate_becomes_one_per_period(void **state)
{
    (void)state;
    double rf;
    assert_int_equal(tl_rate_per_period(&rf, 0.21, 2.0, NULL), TL_OK);
    assert_true(fabs(rf - 0.1) < 1e-15);
    assert_int_equal(tl_rate_per_period(&rf, 0.0, 252.0, NULL), TL_OK);
    assert_true(rf == 0.0);
    const double bad[][2] = {{-1.0, 252}, {(double)NAN, 252},  {1e8, 252}, {0.05, 0.0},
                             {0.05, -1},  {0.05, (double)NAN}, {0.05, 1e7}};
    for (size_t k = 0; k < COUNT(bad); k++) {
        assert_int_equal(tl_rate_per_period(&rf, bad[k][0], bad[k][1], NULL), TL_ERR_RANGE);
    }
}

static void an_empty_series_has_too_few_for_all_but_the_streak(void **state)
{
    (void)state;
    const tl_metric all[] = {
        tl_metric_mean(NULL, 0),
        tl_metric_total_return(NULL, 0),
        tl_metric_cagr(NULL, 0, 252),
        tl_metric_volatility(NULL, 0, 252),
        tl_metric_sharpe(NULL, 0, 0, 252),
        tl_metric_downside_deviation(NULL, 0, 0, 252),
        tl_metric_sortino(NULL, 0, 0, 252),
        tl_metric_max_drawdown(NULL, 0),
        tl_metric_calmar(NULL, 0, 252),
        tl_metric_omega(NULL, 0, 0),
        tl_metric_var_normal(NULL, 0, 0.05),
        tl_metric_win_rate(NULL, 0),
        tl_metric_profit_factor(NULL, 0),
        tl_metric_skew(NULL, 0),
        tl_metric_kurtosis_excess(NULL, 0),
        tl_metric_tail_ratio(NULL, 0),
        tl_metric_var(NULL, 0, 0.05),
        tl_metric_cvar(NULL, 0, 0.05),
    };
    for (size_t k = 0; k < COUNT(all); k++) {
        assert_none(all[k], TL_METRIC_TOO_FEW);
    }
    assert_int_equal(tl_metric_win_streak(NULL, 0), 0);
    tl_drawdown d;
    tl_metric_drawdown(&d, NULL, 0);
    assert_false(d.is_present);
}

static void one_return_is_enough_where_the_table_does_not_ask_for_two(void **state)
{
    (void)state;
    const double r[1] = {-0.5};
    assert_value(tl_metric_total_return(r, 1), -0.5);
    assert_value(tl_metric_cagr(r, 1, 2.0), -0.75);
    assert_value(tl_metric_max_drawdown(r, 1), -0.5);
    assert_value(tl_metric_calmar(r, 1, 2.0), -1.5);
    assert_value(tl_metric_downside_deviation(r, 1, 0.0, 4.0), 1.0);
    assert_value(tl_metric_tail_ratio(r, 1), 1.0);
    assert_value(tl_metric_var(r, 1, 0.05), -0.5);
    assert_value(tl_metric_cvar(r, 1, 0.05), -0.5);
    assert_value(tl_metric_win_rate(r, 1), 0.0);
    assert_value(tl_metric_profit_factor(r, 1), 0.0);
    assert_none(tl_metric_volatility(r, 1, 252), TL_METRIC_TOO_FEW);
    assert_none(tl_metric_sharpe(r, 1, 0, 252), TL_METRIC_TOO_FEW);
    assert_none(tl_metric_sortino(r, 1, 0, 252), TL_METRIC_TOO_FEW);
    assert_none(tl_metric_omega(r, 1, 0), TL_METRIC_TOO_FEW);
    assert_none(tl_metric_var_normal(r, 1, 0.05), TL_METRIC_TOO_FEW);
}

static void a_spread_of_rounding_alone_is_none(void **state)
{
    (void)state; /* METRIC-2 */
    double r[30];
    for (size_t i = 0; i < 30; i++) {
        r[i] = 0.001;
    }
    assert_value(tl_metric_volatility(r, 30, 252), 0.0);
    assert_none(tl_metric_sharpe(r, 30, 0.0, 252), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_sharpe(r, 30, 0.0001, 252), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_var_normal(r, 30, 0.05), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_skew(r, 30), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_kurtosis_excess(r, 30), TL_METRIC_ZERO_DENOMINATOR);
    r[7] += 0.001 * 0x1p-42; /* still nothing */
    assert_none(tl_metric_sharpe(r, 30, 0.0, 252), TL_METRIC_ZERO_DENOMINATOR);
    r[7] += 0.001 * 0x1p-30; /* a spread, however small */
    assert_int_equal(tl_metric_sharpe(r, 30, 0.0, 252).status, TL_METRIC_OK);
    for (size_t i = 0; i < 30; i++) {
        r[i] = 0.0;
    }
    assert_none(tl_metric_sharpe(r, 30, 0.0002, 252), TL_METRIC_ZERO_DENOMINATOR);
}

static void no_loss_and_no_trade_leave_nothing_to_divide_by(void **state)
{
    (void)state;
    const double gains[3] = {0.01, 0.0, 0.02};
    const double zeros[3] = {0.0, 0.0, 0.0};
    assert_none(tl_metric_sortino(gains, 3, 0.0, 252), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_omega(gains, 3, 0.0), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_profit_factor(gains, 3), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_calmar(gains, 3, 252), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_win_rate(zeros, 3), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_metric_tail_ratio(zeros, 3), TL_METRIC_ZERO_DENOMINATOR);
    assert_value(tl_metric_win_rate(gains, 3), 1.0);
    assert_value(tl_metric_omega(gains, 3, 0.01), 1.0); /* 0.01 over the rate, 0.01 below it */
}

static void a_zero_ends_a_win_streak(void **state)
{
    (void)state;
    const double r[8] = {0.1, 0.1, 0.0, 0.1, 0.1, 0.1, -0.1, 0.1};
    assert_int_equal(tl_metric_win_streak(r, 8), 3);
    assert_int_equal(tl_metric_win_streak(r, 2), 2);
}

static void drawdown_dates_follow_the_definition(void **state)
{
    (void)state; /* METRIC-4 */
    tl_drawdown d;
    /* E = 1 1.5 1.5 0.75 1.5 0.75: two troughs as deep as each other, a plateau before the first.
     * */
    const double twice[5] = {0.5, 0.0, -0.5, 1.0, -0.5};
    tl_metric_drawdown(&d, twice, 5);
    assert_true(d.is_present && d.is_recovered);
    assert_int_equal(d.peak, 2);
    assert_int_equal(d.trough, 3);
    assert_int_equal(d.recovery, 4);
    assert_value(d.depth, -0.5);
    /* A first loss falls from the start; a deeper one later takes its place, and is not recovered.
     * */
    const double deeper[4] = {-0.25, 1.0, -0.5, 0.5};
    tl_metric_drawdown(&d, deeper, 4);
    assert_int_equal(d.peak, 2);
    assert_int_equal(d.trough, 3);
    assert_false(d.is_recovered);
    const double only_up[2] = {0.1, 0.0};
    tl_metric_drawdown(&d, only_up, 2);
    assert_false(d.is_present);
    assert_value(d.depth, 0.0);
}

static void after_a_ruin_nothing_comes_back(void **state)
{
    (void)state; /* METRIC-3 */
    const double r[4] = {0.5, -1.0, 3.0, 0.1};
    assert_ruin(tl_metric_total_return(r, 4));
    assert_ruin(tl_metric_cagr(r, 4, 252));
    assert_ruin(tl_metric_max_drawdown(r, 4));
    assert_ruin(tl_metric_calmar(r, 4, 252));
    tl_drawdown d;
    tl_metric_drawdown(&d, r, 4);
    assert_int_equal(d.peak, 1);
    assert_int_equal(d.trough, 2);
    assert_false(d.is_recovered);
    assert_value(tl_metric_win_rate(r, 4), 0.75);
}

static void wealth_may_leave_the_doubles_and_come_back(void **state)
{
    (void)state; /* METRIC-1 */
    enum { N = 400 };
    double r[N];
    for (size_t i = 0; i < N; i++) {
        r[i] = i < N / 2 ? 1023.0 : 1.0 / 1024.0 - 1.0; /* up to 2^2000, and back to 1 */
    }
    assert_value(tl_metric_total_return(r, N), 0.0);
    assert_value(tl_metric_cagr(r, N, 252), 0.0);
    assert_int_equal(tl_metric_max_drawdown(r, N).status, TL_METRIC_OK);
    assert_none(tl_metric_total_return(r, N / 2), TL_METRIC_TOO_LARGE);
    assert_none(tl_metric_cagr(r, N / 2, 252), TL_METRIC_TOO_LARGE);
    assert_none(tl_metric_calmar(r, N / 2, 252), TL_METRIC_TOO_LARGE);
    assert_value(tl_metric_cagr(r, N / 2, 1.0), 1023.0);          /* through the logarithm */
    assert_value(tl_metric_total_return(r + N / 2, N / 2), -1.0); /* next to nothing is no ruin */
    tl_drawdown d;
    tl_metric_drawdown(&d, r, N);
    assert_int_equal(d.peak, N / 2);
    assert_true(d.depth.value >= -1.0 && !d.is_recovered);
    const double far[1] = {25.0};
    assert_none(tl_metric_cagr(far, 1, 252), TL_METRIC_TOO_LARGE);
}

static void the_tail_is_counted_as_the_spec_counts(void **state)
{
    (void)state;
    double sorted[21];
    for (size_t i = 0; i < 21; i++) {
        sorted[i] = -0.1 + 0.01 * (double)i;
    }
    assert_value(tl_metric_var(sorted, 21, 0.05), sorted[1]); /* position 20 * 0.05 = 1 */
    assert_value(tl_metric_cvar(sorted, 21, 0.05), (sorted[0] + sorted[1]) / 2);
    assert_value(tl_metric_cvar(sorted, 20, 0.05), sorted[0]); /* floor(0.95) + 1 = 1 */
    assert_value(tl_metric_cvar(sorted, 21, 0.01), sorted[0]);
}

static void a_benchmark_of_two_days_is_enough_and_one_is_not(void **state)
{
    (void)state;
    tl_versus v;
    const double b[4] = {0.01, -0.01, 0.02, 0.0};
    const double r[4] = {0.03, -0.01, 0.05, 0.01}; /* 2 b + 0.01 */
    tl_metric_versus(&v, r, b, 1, 0.0, 252);
    assert_none(v.beta, TL_METRIC_TOO_FEW);
    assert_none(v.information_ratio, TL_METRIC_TOO_FEW);
    tl_metric_versus(&v, r, b, 4, 0.0, 100);
    assert_value(v.beta, 2.0);
    assert_value(v.alpha, 1.0);
    assert_int_equal(v.alpha_geometric.status, TL_METRIC_OK);
    assert_true(fabs(v.alpha_geometric.value - (pow(1.01, 100) - 1)) < 1e-11);
    const double flat[4] = {0.01, 0.01, 0.01, 0.01};
    tl_metric_versus(&v, r, flat, 4, 0.0, 252);
    assert_none(v.beta, TL_METRIC_ZERO_DENOMINATOR);
    assert_none(v.alpha, TL_METRIC_ZERO_DENOMINATOR);
    assert_none(v.alpha_geometric, TL_METRIC_ZERO_DENOMINATOR);
    tl_metric_versus(&v, b, b, 4, 0.0, 252);
    assert_none(v.information_ratio, TL_METRIC_ZERO_DENOMINATOR);
    const double lost[4] = {-1.0, -1.0, -1.0, -0.9};
    const double up[4] = {0.01, 0.01, 0.01, 0.03}; /* beta 5, base 1 - 0.975 - 0.075 */
    tl_metric_versus(&v, lost, up, 4, 0.0, 252);
    assert_ruin(v.alpha_geometric);
}

static void the_papers_example_is_met(void **state)
{
    (void)state;
    /* Bailey and Lopez de Prado 2014: SR 2.5 a year of 250 days, n 1250, V 1/2 a year, N 100, skew
     * -3, k 10. */
    const tl_sharpe_sample s = {2.5 / sqrt(250.0), 1250, -3.0, 10.0};
    const tl_metric dsr = tl_sharpe_deflated(&s, 100, sqrt(0.5 / 250.0));
    assert_int_equal(dsr.status, TL_METRIC_OK);
    assert_true(fabs(dsr.value - 0.9004) < 5e-5);
    const tl_metric alone = tl_sharpe_deflated(&s, 1, 100.0); /* one trial: SR* = 0 whatever s_N */
    assert_true(alone.value == tl_sharpe_psr(&s, 0.0).value);
}

static void significance_states_its_zero_cases(void **state)
{
    (void)state;
    bool is_flagged = false;
    assert_none(tl_expected_max_z(0, &is_flagged), TL_METRIC_TOO_FEW);
    assert_value(tl_expected_max_z(1, NULL), 0.0);
    assert_int_equal(tl_expected_max_z(4, &is_flagged).status, TL_METRIC_OK);
    assert_true(is_flagged);
    tl_expected_max_z(5, &is_flagged);
    assert_false(is_flagged);
    assert_int_equal(tl_expected_max_z(UINT64_MAX, NULL).status, TL_METRIC_OK);
    const tl_sharpe_sample few = {0.1, 1, 0.0, 3.0};
    assert_none(tl_sharpe_psr(&few, 0.0), TL_METRIC_TOO_FEW);
    const tl_sharpe_sample twisted = {1.0, 100, 3.0, 2.0}; /* V = 1 - 3 + 1/4 */
    assert_none(tl_sharpe_psr(&twisted, 0.0), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_sharpe_min_track_record(&twisted, 0.0, 0.95), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_sharpe_deflated(&twisted, 0, 0.1), TL_METRIC_TOO_FEW);
    const tl_sharpe_sample plain = {0.1, 100, 0.0, 3.0};
    assert_none(tl_sharpe_min_track_record(&plain, 0.1, 0.95), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_sharpe_min_backtest_length(0, 1.0), TL_METRIC_TOO_FEW);
    assert_none(tl_sharpe_min_backtest_length(10, 0.0), TL_METRIC_ZERO_DENOMINATOR);
    assert_none(tl_sharpe_min_backtest_length(10, 1e-300), TL_METRIC_TOO_LARGE);
    tl_sharpe_sample out;
    const double r[4] = {0.01, -0.01, 0.02, 0.01};
    const double flat[4] = {0.01, 0.01, 0.01, 0.01};
    assert_int_equal(tl_sharpe_sample_of(&out, r, 3, 0.0), TL_METRIC_TOO_FEW);
    assert_int_equal(tl_sharpe_sample_of(&out, flat, 4, 0.0), TL_METRIC_ZERO_DENOMINATOR);
    assert_int_equal(tl_sharpe_sample_of(&out, r, 4, 0.0), TL_METRIC_OK);
}

/* An allocator that fails from the n-th block on. */
static void *fail_later(void *self, size_t len)
{
    size_t *left = self;
    if (*left == 0) {
        return NULL;
    }
    (*left)--;
    return malloc(len);
}

static void release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void running_out_of_memory_is_an_error_like_any_other(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *r = calloc(N, sizeof *r);
    assert_non_null(r);
    const tl_metrics_options options = {0.05, 252, 0.0};
    tl_metrics out;
    size_t left = 0;
    bool has_failed = false;
    for (size_t blocks = 1; blocks < 8; blocks++) {
        left = blocks;
        const tl_allocator allocator = {&left, fail_later, release};
        tl_arena *arena = NULL;
        if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
            continue;
        }
        const tl_err err = tl_metrics_compute(&out, r, N, &options, arena, NULL);
        has_failed = has_failed || err == TL_ERR_NOMEM;
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        tl_arena_free(arena);
    }
    assert_true(has_failed);
    assert_int_equal(out.n, N);
    free(r);
}

static void the_whole_table_refuses_bad_rates(void **state)
{
    (void)state;
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_metrics_options options = {-2.0, 252, 0.0};
    const tl_metrics_options no_periods = {0.0, 0.0, 0.0};
    tl_metrics out;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_metrics_compute(&out, NULL, 0, &options, arena, &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.field, "rate_annual");
    assert_int_equal(tl_metrics_compute(&out, NULL, 0, &no_periods, arena, &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.field, "periods");
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_the_names_of_the_spec),
        cmocka_unit_test(what_is_no_return_is_refused_and_named),
        cmocka_unit_test(returns_below_minus_one_become_a_ruin_and_are_counted),
        cmocka_unit_test(prices_must_be_above_zero_but_the_last_may_be_the_end),
        cmocka_unit_test(a_yearly_rate_becomes_one_per_period),
        cmocka_unit_test(an_empty_series_has_too_few_for_all_but_the_streak),
        cmocka_unit_test(one_return_is_enough_where_the_table_does_not_ask_for_two),
        cmocka_unit_test(a_spread_of_rounding_alone_is_none),
        cmocka_unit_test(no_loss_and_no_trade_leave_nothing_to_divide_by),
        cmocka_unit_test(a_zero_ends_a_win_streak),
        cmocka_unit_test(drawdown_dates_follow_the_definition),
        cmocka_unit_test(after_a_ruin_nothing_comes_back),
        cmocka_unit_test(wealth_may_leave_the_doubles_and_come_back),
        cmocka_unit_test(the_tail_is_counted_as_the_spec_counts),
        cmocka_unit_test(a_benchmark_of_two_days_is_enough_and_one_is_not),
        cmocka_unit_test(the_papers_example_is_met),
        cmocka_unit_test(significance_states_its_zero_cases),
        cmocka_unit_test(running_out_of_memory_is_an_error_like_any_other),
        cmocka_unit_test(the_whole_table_refuses_bad_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
