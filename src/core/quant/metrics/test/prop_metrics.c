/* Attacks the metrics with random series and edges (zeros, ties, ruins, returns up to the
 * largest), and holds them to laws: bounds, order, scale, and a slow drawdown by the definition.
 * --seed replays. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/num/rng/rng.h"
#include "core/num/stats/stats.h"
#include "core/quant/metrics/metrics.h"

#define N_MAX  300
#define ROUNDS 3000

static uint64_t seed = 1;

static double edge(tl_xoshiro *rng)
{
    static const double edges[] = {0.0, -1.0, 1.0, -0.5, 1e-300, -1e-17, TL_RETURN_MAX, 0.01, 0.01};
    return edges[tl_xoshiro_below(rng, sizeof edges / sizeof edges[0])];
}

/* An admitted series: quiet, wild or full of edges. */
static size_t any_series(double *r, tl_xoshiro *rng)
{
    const size_t n = (size_t)tl_xoshiro_below(rng, tl_xoshiro_below(rng, 3) == 0 ? 12 : N_MAX);
    const uint64_t kind = tl_xoshiro_below(rng, 4);
    const double width = kind == 1 ? 0.9 : 0.03;
    for (size_t i = 0; i < n; i++) {
        r[i] = kind == 0 || (kind == 3 && tl_xoshiro_below(rng, 10) == 0)
                   ? edge(rng)
                   : width * (2.0 * tl_xoshiro_unit(rng) - 1.0);
    }
    return n;
}

static void assert_sound(tl_metric m)
{
    assert_true(isfinite(m.value)); /* METRIC-1 */
    assert_true(tl_metric_is_defined(m) || m.value == 0.0);
    assert_false(m.value == 0.0 && signbit(m.value));
}

static void every_figure_of_any_series_is_finite(void **state)
{
    (void)state; /* METRIC-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    for (size_t round = 0; round < ROUNDS; round++) {
        double r[N_MAX];
        double b[N_MAX];
        const size_t n = any_series(r, &rng);
        const size_t m = any_series(b, &rng);
        const tl_metrics_options options = {0.2 * tl_xoshiro_unit(&rng) - 0.05, 252, 0.9};
        tl_metrics all;
        assert_int_equal(tl_metrics_compute(&all, r, n, &options, arena, NULL), TL_OK);
        const tl_metric figures[] = {all.total_return,
                                     all.cagr,
                                     all.volatility,
                                     all.sharpe,
                                     all.sortino,
                                     all.calmar,
                                     all.omega,
                                     all.downside_deviation,
                                     all.tail_ratio,
                                     all.var_95,
                                     all.cvar_95,
                                     all.var_99,
                                     all.cvar_99,
                                     all.win_rate,
                                     all.skew,
                                     all.var_95_normal,
                                     all.kurtosis_excess,
                                     all.psr_0,
                                     all.win_rate,
                                     all.profit_factor,
                                     all.drawdown.depth,
                                     all.min_track_record};
        for (size_t k = 0; k < sizeof figures / sizeof figures[0]; k++) {
            assert_sound(figures[k]);
        }
        tl_versus versus;
        tl_metric_versus(&versus, r, b, n < m ? n : m, all.rf, 252);
        assert_sound(versus.beta);
        assert_sound(versus.alpha);
        assert_sound(versus.alpha_geometric);
        assert_sound(versus.information_ratio);
    }
    tl_arena_free(arena);
}

static void figures_keep_their_bounds_and_their_order(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    for (size_t round = 0; round < ROUNDS; round++) {
        double r[N_MAX];
        const size_t n = any_series(r, &rng);
        const tl_metrics_options options = {0.03, 252, 0.0};
        tl_metrics all;
        assert_int_equal(tl_metrics_compute(&all, r, n, &options, arena, NULL), TL_OK);
        assert_true(all.drawdown.depth.value >= -1.0 && all.drawdown.depth.value <= 0.0);
        assert_true(all.win_rate.value >= 0.0 && all.win_rate.value <= 1.0);
        assert_true(all.psr_0.value >= 0.0 && all.psr_0.value <= 1.0);
        assert_true(all.cvar_95.value <= all.var_95.value + 1e-12);
        assert_true(all.var_99.value <= all.var_95.value);
        assert_true(all.omega.value >= 0.0 && all.profit_factor.value >= 0.0);
        assert_true(all.volatility.value >= 0.0 && all.downside_deviation.value >= 0.0);
        assert_true(all.total_return.value >= -1.0 && all.cagr.value >= -1.0);
        assert_true(all.win_streak <= n);
        if (tl_metric_is_defined(all.min_track_record)) {
            assert_true(all.min_track_record.value >= 1.0 && all.psr_0.value >= 0.5);
        }
    }
    tl_arena_free(arena);
}

/* The definition, in n^2 steps. */
static void slow_drawdown(tl_drawdown *out, const double *r, size_t n)
{
    double equity[N_MAX + 1];
    double depth[N_MAX + 1];
    equity[0] = 1.0;
    for (size_t t = 1; t <= n; t++) {
        equity[t] = equity[t - 1] * (1.0 + r[t - 1]);
    }
    double least = 0.0;
    for (size_t t = 0; t <= n; t++) {
        double most = equity[0];
        for (size_t s = 0; s <= t; s++) {
            most = fmax(most, equity[s]);
        }
        depth[t] = equity[t] / most - 1.0;
        if (depth[t] < least) {
            least = depth[t];
            out->trough = t;
        }
    }
    out->depth.value = least;
    out->is_present = least < 0.0;
    out->is_recovered = false;
    double most = 0.0;
    for (size_t s = 0; out->is_present && s <= out->trough; s++) {
        if (equity[s] >= most) {
            most = equity[s];
            out->peak = s;
        }
    }
    for (size_t t = n; out->is_present && t > out->trough; t--) {
        if (equity[t] >= equity[out->peak]) {
            out->is_recovered = true;
            out->recovery = t;
        }
    }
}

static void the_drawdown_is_that_of_its_definition(void **state)
{
    (void)state; /* METRIC-4 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    for (size_t round = 0; round < ROUNDS; round++) {
        double r[N_MAX];
        size_t n = any_series(r, &rng);
        for (size_t i = 0; i < n; i++) {
            r[i] = r[i] > 1.0 ? 1.0 : r[i]; /* within the doubles, for the slow one */
        }
        if (n == 0) {
            r[n++] = 0.0;
        }
        if (tl_xoshiro_below(&rng, 2) == 0) {
            for (size_t i = 0; i < n; i++) { /* steps that come back to the same level */
                r[i] = tl_xoshiro_below(&rng, 2) == 0 ? 1.0 : -0.5;
            }
        }
        tl_drawdown fast;
        tl_drawdown slow = {{0}, false, false, 0, 0, 0};
        tl_metric_drawdown(&fast, r, n);
        slow_drawdown(&slow, r, n);
        assert_true(fast.depth.value == slow.depth.value);
        assert_true(tl_metric_max_drawdown(r, n).value == slow.depth.value);
        assert_int_equal(fast.is_present, slow.is_present);
        if (slow.is_present) {
            assert_int_equal(fast.peak, slow.peak);
            assert_int_equal(fast.trough, slow.trough);
            assert_int_equal(fast.is_recovered, slow.is_recovered);
            assert_true(!slow.is_recovered || fast.recovery == slow.recovery);
        }
    }
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1e-3 + fabs(a) + fabs(b));
}

static void ratios_do_not_change_with_the_stake_nor_with_the_order(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    for (size_t round = 0; round < ROUNDS; round++) {
        double r[N_MAX];
        double scaled[N_MAX];
        double turned[N_MAX];
        const size_t n = 2 + (size_t)tl_xoshiro_below(&rng, N_MAX - 2);
        for (size_t i = 0; i < n; i++) {
            r[i] = 0.05 * (2.0 * tl_xoshiro_unit(&rng) - 1.0);
            scaled[i] = 0.5 * r[i];
            turned[n - 1 - i] = r[i];
        }
        const double sharpe = tl_metric_sharpe(r, n, 0.0, 252).value;
        assert_true(tl_metric_sharpe(scaled, n, 0.0, 252).value == sharpe); /* half is exact */
        assert_true(is_near(tl_metric_sharpe(turned, n, 0.0, 252).value, sharpe));
        assert_true(is_near(tl_metric_sortino(turned, n, 0.0, 252).value,
                            tl_metric_sortino(scaled, n, 0.0, 252).value));
        assert_true(tl_metric_volatility(scaled, n, 252).value ==
                    0.5 * tl_metric_volatility(r, n, 252).value);
        assert_true(
            is_near(tl_metric_total_return(turned, n).value, tl_metric_total_return(r, n).value));
        assert_int_equal(tl_metric_win_streak(turned, n), tl_metric_win_streak(r, n));
        tl_versus self;
        tl_metric_versus(&self, r, r, n, 0.0, 252);
        assert_true(self.beta.value == 1.0);
        tl_metric_versus(&self, r, scaled, n, 0.0, 252);
        assert_true(is_near(self.beta.value, 2.0));
    }
}

static void luck_needs_more_proof_with_more_trials(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    for (size_t round = 0; round < ROUNDS; round++) {
        const tl_sharpe_sample s = {0.2 * tl_xoshiro_unit(&rng), 2 + tl_xoshiro_below(&rng, 5000),
                                    tl_xoshiro_unit(&rng) - 0.5, 2.0 + 5.0 * tl_xoshiro_unit(&rng)};
        const uint64_t trials = 5 + tl_xoshiro_below(&rng, 1000);
        const double spread = 0.05 * tl_xoshiro_unit(&rng);
        assert_true(tl_expected_max_z(trials, NULL).value <
                    tl_expected_max_z(2 * trials, NULL).value);
        const double less = tl_sharpe_deflated(&s, 2 * trials, spread).value;
        const double more = tl_sharpe_deflated(&s, trials, spread).value;
        assert_true(less <= more && more <= tl_sharpe_psr(&s, 0.0).value);
    }
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--seed") == 0) {
        seed = strtoull(argv[2], NULL, 10);
    }
    print_message("# seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_of_any_series_is_finite),
        cmocka_unit_test(figures_keep_their_bounds_and_their_order),
        cmocka_unit_test(the_drawdown_is_that_of_its_definition),
        cmocka_unit_test(ratios_do_not_change_with_the_stake_nor_with_the_order),
        cmocka_unit_test(luck_needs_more_proof_with_more_trials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
