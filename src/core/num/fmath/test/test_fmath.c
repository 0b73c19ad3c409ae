/* Attacks the functions with figures of 60 digits (test/golden, made by its generate.py), with the values at which
 * exponents, tables and polynomials change hands, with infinities and NaN, and with results that are exact. */
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

#include "core/num/fmath/fmath.h"
#include "core/num/fmath/fmath_internal.h"
#include "core/num/rng/rng.h"

#define GOLDEN TL_SOURCE_ROOT "/src/core/num/fmath/test/golden/"

static bool is_same(double a, double b)
{
    return tl__bits(a) == tl__bits(b);
}

/* The unit in the last place of y. */
static double unit_of(double y)
{
    const int e = (int)((tl__bits(y) >> 52) & 0x7ff);
    return e > 53 ? tl__two_to(e - 1023 - 52) : tl__from_bits(e > 0 ? UINT64_C(1) << (e - 1) : 1);
}

/* One row of a golden file: one or two arguments, the nearest double, and the rest in thousandths of a unit. */
typedef struct row {
    double x[2];
    double y;
    double rest;
    double error_units; /* |got - true| in units of y */
} row;

static bool next_row(row *out, FILE *file, int arity)
{
    char line[256];
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] != '[') {
            continue;
        }
        const char *at = line + 2;
        for (int i = 0; i <= arity; i++) {
            const double value = tl__from_bits(strtoull(at, NULL, 16));
            *(i < arity ? &out->x[i] : &out->y) = value;
            at += i < arity ? 19 : 18; /* 16 digits, a quote, a comma, and the next quote */
        }
        out->rest = (double)strtol(at, NULL, 10) / 1000.0;
        return true;
    }
    return false;
}

static void measure(row *r, double got)
{
    if (!isfinite(r->y) || !isfinite(got)) {
        r->error_units = is_same(r->y, got) ? 0.0 : 1e9;
        return;
    }
    r->error_units = fabs((got - r->y) / unit_of(r->y) - r->rest);
}

static void check_golden(const char *name, double (*one)(double), double (*two)(double, double),
                         double bound)
{
    char path[512];
    snprintf(path, sizeof path, GOLDEN "%s.json", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    row r;
    row worst = {{0, 0}, 0, 0, 0};
    size_t count = 0;
    for (; next_row(&r, file, two != NULL ? 2 : 1); count++) {
        measure(&r, two != NULL ? two(r.x[0], r.x[1]) : one(r.x[0]));
        if (r.error_units > worst.error_units) {
            worst = r;
        }
    }
    fclose(file);
    printf("# %-12s %zu points, largest error %.4f units (bound %.3f)\n", name, count,
           worst.error_units, bound);
    assert_true(count > 800);
    if (worst.error_units > bound) {
        fail_msg("%s(%a, %a) is wrong by %.3f units of %a", name, worst.x[0], worst.x[1],
                 worst.error_units, worst.y);
    }
}

static void errors_stay_below_the_bounds(void **state)
{
    (void)state; /* FMATH-2 */
    check_golden("exp", tl_exp, NULL, 0.51);
    check_golden("expm1", tl_expm1, NULL, 0.55);
    check_golden("log", tl_log, NULL, 0.501);
    check_golden("log1p", tl_log1p, NULL, 0.501);
    check_golden("log10", tl_log10, NULL, 0.501);
    check_golden("pow", NULL, tl_pow, 0.51);
    check_golden("normal_cdf", tl_normal_cdf, NULL, 4.0);
}

static void the_quantile_is_within_its_bound(void **state)
{
    (void)state; /* FMATH-2 */
    FILE *file = fopen(GOLDEN "normal_quantile.json", "r");
    assert_non_null(file);
    row r;
    double worst_absolute = 0.0;
    double worst_relative = 0.0;
    size_t count = 0;
    for (; next_row(&r, file, 1); count++) {
        const double off = fabs(tl_normal_quantile(r.x[0]) - r.y);
        if (fabs(r.y) < 1.0) {
            worst_absolute = off > worst_absolute ? off : worst_absolute;
        } else {
            const double part = off / fabs(r.y);
            worst_relative = part > worst_relative ? part : worst_relative;
        }
    }
    fclose(file);
    printf("# normal_quantile %zu points, largest error %.2g below 1, relative %.2g beyond\n",
           count, worst_absolute, worst_relative);
    assert_true(count > 800);
    assert_true(worst_absolute < 4e-16);
    assert_true(worst_relative < 5e-16);
}

/* The same calls on every machine: if this figure changes, so did the results of the network. */
static void the_bits_of_many_calls_are_these(void **state)
{
    (void)state; /* FMATH-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 7);
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < 20000; i++) {
        const double u = tl_xoshiro_unit(&rng);
        const double v = tl_xoshiro_unit(&rng);
        const double values[] = {tl_exp(1400.0 * u - 700.0),
                                 tl_log(u + 1e-9),
                                 tl_pow(4.0 * u + 0.01, 40.0 * v - 20.0),
                                 tl_log1p(2.0 * v - 1.0),
                                 tl_expm1(8.0 * u - 4.0),
                                 tl_log10(v + 1e-9),
                                 tl_normal_cdf(16.0 * u - 8.0),
                                 tl_normal_quantile(v)};
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            digest = (digest ^ tl__bits(values[k])) * UINT64_C(0x100000001b3);
        }
    }
    printf("# digest of 160000 results: %016llx\n", (unsigned long long)digest);
    assert_true(digest == UINT64_C(0x10033220dacde875));
}

static void exact_powers_are_exact(void **state)
{
    (void)state; /* FMATH-3 */
    for (int k = -1074; k <= 1023; k++) {
        const double want = k >= -1022 ? tl__two_to(k) : tl__from_bits(UINT64_C(1) << (k + 1074));
        assert_true(is_same(tl_pow(2.0, k), want));
        assert_true(is_same(tl_pow(0.5, -k), want));
    }
    size_t count = 0;
    for (uint64_t base = 3; base < 5000; base++) {
        uint64_t power = base;
        for (int e = 2; power <= (UINT64_C(1) << 53) / base; e++, count++) {
            power *= base;
            assert_true(tl_pow((double)base, e) == (double)power);
            const double sign = (e & 1) != 0 ? -1.0 : 1.0;
            assert_true(tl_pow(-(double)base, e) == sign * (double)power);
        }
    }
    assert_true(count > 10000);
    double ten = 1.0;
    for (int k = 0; k <= 22; k++, ten *= 10.0) { /* 10^22 is the last exact one */
        assert_true(is_same(tl_log10(ten), k));
        assert_true(is_same(tl_pow(10.0, k), ten));
    }
    for (int i = 0; i < 2000; i++) {
        const double x = 0.37 * i + 0.01;
        assert_true(is_same(tl_pow(x, 0.5), sqrt(x)));
        assert_true(is_same(tl_pow(x, 1.0), x));
        assert_true(is_same(tl_pow(x, 0.0), 1.0));
        assert_true(is_same(tl_pow(1.0, x), 1.0));
    }
    assert_true(is_same(tl_exp(0.0), 1.0) && is_same(tl_exp(-0.0), 1.0));
    assert_true(is_same(tl_log(1.0), 0.0) && is_same(tl_log10(1.0), 0.0));
}

static void infinities_and_nan_follow_annex_f(void **state)
{
    (void)state;
    const double inf = (double)INFINITY;
    const double nan = (double)NAN;
    assert_true(tl_exp(inf) == inf && is_same(tl_exp(-inf), 0.0) && isnan(tl_exp(nan)));
    assert_true(tl_exp(1e308) == inf && is_same(tl_exp(-1e308), 0.0));
    assert_true(tl_expm1(inf) == inf && tl_expm1(-inf) == -1.0 && isnan(tl_expm1(nan)));
    assert_true(is_same(tl_expm1(-0.0), -0.0) && is_same(tl_log1p(-0.0), -0.0));
    assert_true(tl_log(inf) == inf && tl_log(0.0) == -inf && tl_log(-0.0) == -inf);
    assert_true(isnan(tl_log(-1.0)) && isnan(tl_log(-inf)) && isnan(tl_log(nan)));
    assert_true(tl_log10(inf) == inf && tl_log10(0.0) == -inf && isnan(tl_log10(-5e-324)));
    assert_true(tl_log1p(inf) == inf && tl_log1p(-1.0) == -inf && isnan(tl_log1p(-1.5)));
    assert_true(isnan(tl_log1p(-inf)) && isnan(tl_log1p(nan)));
    assert_true(is_same(tl_normal_cdf(-inf), 0.0) && tl_normal_cdf(inf) == 1.0);
    assert_true(isnan(tl_normal_cdf(nan)) && isnan(tl_normal_quantile(nan)));
    assert_true(tl_normal_quantile(0.0) == -inf && tl_normal_quantile(1.0) == inf);
    assert_true(isnan(tl_normal_quantile(-0.1)) && isnan(tl_normal_quantile(1.1)));
}

/* All pairs of values that C's pow treats in a way of its own, against a table written by hand as rules. */
static void pow_treats_each_border_as_annex_f_says(void **state)
{
    (void)state;
    const double inf = (double)INFINITY;
    const double nan = (double)NAN;
    const double odd[] = {1, 3, -1, -3, 0x1.fffffffffffffp52};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const double y = odd[i];
        assert_true(is_same(tl_pow(-0.0, y), y > 0 ? -0.0 : -inf));
        assert_true(is_same(tl_pow(0.0, y), y > 0 ? 0.0 : inf));
        assert_true(is_same(tl_pow(-inf, y), y > 0 ? -inf : -0.0));
    }
    const double other[] = {2, -2, 0.5, -0.5, 2.5, -2.5, 0x1p53, -0x1p60, 1e300, inf, -inf};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        const double y = other[i];
        assert_true(is_same(tl_pow(-0.0, y), y > 0 ? 0.0 : inf));
        assert_true(is_same(tl_pow(0.0, y), y > 0 ? 0.0 : inf));
        assert_true(is_same(tl_pow(-inf, y), y > 0 ? inf : 0.0));
        assert_true(is_same(tl_pow(inf, y), y > 0 ? inf : 0.0));
    }
    assert_true(tl_pow(-1.0, inf) == 1.0 && tl_pow(-1.0, -inf) == 1.0);
    assert_true(tl_pow(2.0, inf) == inf && is_same(tl_pow(-0.5, inf), 0.0));
    assert_true(is_same(tl_pow(2.0, -inf), 0.0) && tl_pow(0.5, -inf) == inf);
    assert_true(tl_pow(nan, 0.0) == 1.0 && tl_pow(nan, -0.0) == 1.0 && tl_pow(1.0, nan) == 1.0);
    assert_true(isnan(tl_pow(nan, 1.0)) && isnan(tl_pow(2.0, nan)) && isnan(tl_pow(0.0, nan)));
    assert_true(isnan(tl_pow(-2.0, 0.5)) && isnan(tl_pow(-1.0, 1e-300)));
    assert_true(tl_pow(-1.0, 3.0) == -1.0 && tl_pow(-1.0, 1e300) == 1.0);
    assert_true(tl_pow(2.0, 1024.0) == inf && is_same(tl_pow(2.0, -1075.5), 0.0));
    assert_true(tl_pow(-2.0, 1025.0) == -inf && is_same(tl_pow(-2.0, -2001.0), -0.0));
    assert_true(tl_pow(0x1.fffffffffffffp-1, 0x1p65) == 0.0);
    assert_true(tl_pow(0x1.0000000000001p0, 0x1p70) == inf);
    assert_true(tl_pow(0x1.fffffffffffffp1023, 0x1p-66) == 1.0);
}

static void the_normal_law_is_symmetric_and_climbs(void **state)
{
    (void)state;
    assert_true(is_same(tl_normal_cdf(0.0), 0.5) && is_same(tl_normal_cdf(-0.0), 0.5));
    assert_true(is_same(tl_normal_quantile(0.5), 0.0));
    double before = 0.0;
    for (int i = -4000; i <= 4000; i++) {
        const double x = 0.01 * i;
        const double p = tl_normal_cdf(x);
        assert_true(p >= before);
        assert_true(fabs(p + tl_normal_cdf(-x) - 1.0) <= 0x1p-52);
        before = p;
    }
    assert_true(tl_normal_cdf(-39.1) == 0.0 && tl_normal_cdf(9.0) == 1.0);
    for (int i = 1; i < 1024; i++) {
        const double p = i / 1024.0;
        assert_true(is_same(tl_normal_quantile(p), 0.0 - tl_normal_quantile(1.0 - p)));
        assert_true(fabs(tl_normal_cdf(tl_normal_quantile(p)) - p) < 4e-16);
    }
}

static void inverses_come_back(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 11);
    for (int i = 0; i < 20000; i++) {
        const double x = 40.0 * tl_xoshiro_unit(&rng) - 20.0;
        assert_true(fabs(tl_log(tl_exp(x)) - x) <= 0x1p-52 * (1.0 + fabs(x)));
        assert_true(fabs(tl_log1p(tl_expm1(0.1 * x)) - 0.1 * x) <= 0x1p-49 * fabs(x));
        const double y = tl_exp(x);
        assert_true(fabs(tl_pow(tl_pow(y, 1.5), 1.0 / 1.5) / y - 1.0) < 1e-14);
        assert_true(fabs(tl_exp(x) * tl_exp(-x) - 1.0) <= 0x1p-51);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_stay_below_the_bounds),
        cmocka_unit_test(the_quantile_is_within_its_bound),
        cmocka_unit_test(the_bits_of_many_calls_are_these),
        cmocka_unit_test(exact_powers_are_exact),
        cmocka_unit_test(infinities_and_nan_follow_annex_f),
        cmocka_unit_test(pow_treats_each_border_as_annex_f_says),
        cmocka_unit_test(the_normal_law_is_symmetric_and_climbs),
        cmocka_unit_test(inverses_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
