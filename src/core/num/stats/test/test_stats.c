/* Attacks the figures with definitions worked out in 60 digits (test/golden), with constant series, ties, zeros of both
 * signs and the smallest n; the orders with all short series and with arrangements that quicksort hates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena/arena.h"
#include "core/num/rng/rng.h"
#include "core/num/stats/stats.h"

#define GOLDEN      TL_SOURCE_ROOT "/src/core/num/stats/test/golden/describe.json"
#define SERIES_MAX  64
#define QUANTILES_N 7

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The next hex double of the row; false for null. */
static bool next_double(double *out, char **at)
{
    *at += **at == ',';
    if (**at == 'n') {
        *at += 4;
        return false;
    }
    const uint64_t bits = strtoull(*at + 1, at, 16);
    *at += 1;
    memcpy(out, &bits, sizeof *out);
    return true;
}

static void assert_near(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 1e-13 * (fabs(want) + scale))) {
        fail_msg("%.17g is not %.17g", got, want);
    }
}

static void check_row(char *at, tl_arena *arena)
{
    double x[SERIES_MAX];
    double y[SERIES_MAX];
    double want;
    double got = 7.0;
    const size_t n = strtoull(at, &at, 10);
    for (size_t i = 0; i < n; i++) {
        assert_true(next_double(&x[i], &at));
    }
    const double size = tl_max_abs(x, n);
    assert_true(next_double(&want, &at));
    assert_near(tl_mean(x, n), want, size);
    assert_near(tl_var(x, n, 1), next_double(&want, &at) ? want : 0.0, size * size * 1e-4);
    assert_near(tl_cov(x, x, n, 1), tl_var(x, n, 1), 0.0);
    assert_true(next_double(&want, &at));
    assert_near(tl_std(x, n, 0), want, size * 1e-2);
    const bool has_skew = next_double(&want, &at);
    assert_int_equal(tl_skew(&got, x, n), has_skew);
    assert_near(got, has_skew ? want : 7.0, 10.0); /* untouched where not defined */
    got = 7.0;
    const bool has_kurtosis = next_double(&want, &at);
    assert_int_equal(tl_kurtosis_excess(&got, x, n), has_kurtosis);
    assert_near(got, has_kurtosis ? want : 7.0, 10.0);
    const double q[QUANTILES_N] = {0.0, 0.05, 0.25, 0.5, 0.9, 0.95, 1.0};
    for (size_t k = 0; k < QUANTILES_N; k++) {
        assert_true(next_double(&want, &at));
        memcpy(y, x, n * sizeof *x);
        const double selected = tl_quantile_select(y, n, q[k]);
        assert_near(selected, want, 0.0);
        tl_sort_f64(y, n);
        assert_true(tl_quantile_sorted(y, n, q[k]) == selected);
    }
    assert_int_equal(tl_ranks_average(y, x, n, arena, NULL), TL_OK);
    double rank_sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        assert_true(next_double(&want, &at));
        assert_true(y[i] == want);
        rank_sum += y[i];
    }
    assert_true(rank_sum == 0.5 * (double)(n * (n + 1))); /* STATS-3 */
}

static void figures_are_those_of_their_definitions(void **state)
{
    (void)state; /* STATS-3 */
    FILE *file = fopen(GOLDEN, "r");
    assert_non_null(file);
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    char line[8192];
    size_t rows = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '[') {
            check_row(line + 1, arena);
            rows++;
        }
    }
    fclose(file);
    tl_arena_free(arena);
    assert_int_equal(rows, 45);
}

static void too_few_values_give_what_the_header_says(void **state)
{
    (void)state;
    const double x[3] = {1.0, 2.0, 4.0};
    double out = 7.0;
    assert_true(bits_of(tl_mean(NULL, 0)) == 0 && bits_of(tl_var(NULL, 0, 0)) == 0);
    assert_true(tl_var(x, 1, 1) == 0.0 && tl_std(x, 2, 2) == 0.0 && tl_cov(x, x, 1, 1) == 0.0);
    assert_true(tl_is_degenerate(NULL, 0, 0.0));
    assert_false(tl_skew(&out, x, 2));
    assert_false(tl_kurtosis_excess(&out, x, 3));
    assert_true(out == 7.0);
}

static void a_constant_series_has_no_spread(void **state)
{
    (void)state;
    double x[250];
    for (size_t i = 0; i < 250; i++) {
        x[i] = 0.001;
    }
    assert_true(tl_is_degenerate(x, 250, tl_std(x, 250, 1)));
    x[7] += 1e-9;
    assert_false(tl_is_degenerate(x, 250, tl_std(x, 250, 1)));
    const double two[2] = {-4.0, 0.5};
    assert_true(tl_is_degenerate(two, 2, 0x1p-38));
    assert_false(tl_is_degenerate(two, 2, 0x1.0000000000001p-38));
}

static void spreads_at_the_ends_of_the_doubles_give_no_figure(void **state)
{
    (void)state;
    const double huge[4] = {1e150, -1e150, 3e150, 0.0};
    const double tiny[4] = {1e-150, -1e-150, 3e-150, 0.0};
    double out = 7.0;
    assert_false(tl_kurtosis_excess(&out, huge, 4));
    assert_false(tl_kurtosis_excess(&out, tiny, 4));
    assert_false(tl_skew(&out, huge, 4));
    assert_false(tl_skew(&out, tiny, 4));
    assert_true(out == 7.0);
}

static void a_quantile_lies_between_the_extremes(void **state)
{
    (void)state; /* STATS-4 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 4);
    for (int world = 0; world < 5000; world++) {
        double x[20];
        double y[20];
        const size_t n = 1 + (size_t)tl_xoshiro_below(&rng, 20);
        for (size_t i = 0; i < n; i++) {
            x[i] = world % 3 == 0 ? 0.1 : (tl_xoshiro_unit(&rng) - 0.5) * (world % 60);
        }
        tl_sort_f64(x, n);
        const double q = world % 7 == 0 ? 1.0 : tl_xoshiro_unit(&rng);
        const double value = tl_quantile_sorted(x, n, q);
        assert_true(value >= x[0] && value <= x[n - 1]);
        memcpy(y, x, sizeof y);
        assert_true(tl_quantile_select(y, n, q) == value);
        memcpy(y, x, sizeof y);
        assert_true(tl_median_select(y, n) == tl_quantile_sorted(x, n, 0.5));
    }
    const double ends[2] = {-0x1.fffffffffffffp1023, 0x1.fffffffffffffp1023};
    assert_true(tl_quantile_sorted(ends, 2, 0.5) <= ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_their_definitions),
        cmocka_unit_test(too_few_values_give_what_the_header_says),
        cmocka_unit_test(a_constant_series_has_no_spread),
        cmocka_unit_test(spreads_at_the_ends_of_the_doubles_give_no_figure),
        cmocka_unit_test(a_quantile_lies_between_the_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
