/* Attacks the score with flat records, ruin, records at the edges of the ramp, and factors that disqualify. Whole cases
 * stand in the vectors of kind portfolio-score; here are the sentences of the spec that one record can show. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/num/rng/rng.h"
#include "core/subnet/portfolio/portfolio.h"

static tl_portfolio_score score_of(const double *r, size_t n, double turnover)
{
    tl_portfolio_score s;
    tl_portfolio_score_record(&s, r, n, turnover, NULL, 0, NULL);
    return s;
}

static void fill(double *r, size_t n, double value)
{
    for (size_t i = 0; i < n; i++) {
        r[i] = value;
    }
}

static void a_flat_loser_is_no_winner(void **state)
{
    (void)state; /* the original gave every constant series +10 */
    double r[90];
    fill(r, 90, -0.0001);
    const tl_portfolio_score s = score_of(r, 90, 0.0);
    assert_true(s.horizons[0].sharpe == -10.0 && s.horizons[0].sortino == -10.0);
    fill(r, 90, 0.001);
    const tl_portfolio_score w = score_of(r, 90, 0.0);
    assert_true(w.horizons[2].sharpe == 10.0 && w.horizons[2].calmar == 10.0);
    assert_true(w.qs_millionths == 1000000); /* PORT-1 */
}

static void newcomers_are_ramped(void **state)
{
    (void)state;
    double r[91];
    fill(r, 91, 0.001);
    const struct {
        size_t days;
        uint32_t qs;
        size_t horizons;
        tl_portfolio_status status;
    } rows[] = {{0, 0, 0, TL_STATUS_TOO_NEW},      {6, 0, 0, TL_STATUS_TOO_NEW},
                {7, 200000, 1, TL_STATUS_RANKED},  {29, 200000, 1, TL_STATUS_RANKED},
                {30, 500000, 2, TL_STATUS_RANKED}, {89, 500000, 2, TL_STATUS_RANKED},
                {90, 1000000, 3, TL_STATUS_RANKED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const tl_portfolio_score s = score_of(r, rows[i].days, 0.0);
        assert_int_equal(s.qs_millionths, rows[i].qs);
        assert_int_equal(s.horizon_count, rows[i].horizons);
        assert_int_equal(s.status, rows[i].status);
    }
}

static void a_fall_beyond_the_limit_eliminates(void **state)
{
    (void)state;
    double r[90];
    fill(r, 90, 0.001);
    r[50] = -0.35;
    tl_portfolio_score s = score_of(r, 90, 0.0);
    assert_int_equal(s.status, TL_STATUS_RANKED);
    r[50] = -0.3501;
    s = score_of(r, 90, 0.0);
    assert_int_equal(s.status, TL_STATUS_ELIMINATED);
    assert_int_equal(s.qs_millionths, 0);
    assert_true(s.has_composite); /* every other figure stays as computed */
    r[50] = -1.7;                 /* counts as -1 */
    s = score_of(r, 90, 0.0);
    assert_true(s.max_drawdown == 1.0 && s.horizons[2].annualised == -1.0);
}

static void turnover_costs_its_part_and_no_more(void **state)
{
    (void)state;
    double r[90];
    fill(r, 90, 0.001);
    assert_int_equal(score_of(r, 90, 0.5).qs_millionths, 950000);
    assert_int_equal(score_of(r, 90, 1.0).qs_millionths, 900000);
    assert_int_equal(score_of(r, 90, 99.0).qs_millionths, 900000);
}

static void flags_multiply_and_plagiarism_disqualifies(void **state)
{
    (void)state; /* PORT-2, SUB-2 */
    double r[90];
    fill(r, 90, 0.001);
    tl_flag flags[2] = {{.rule = TL_RULE_VARIANCE, .factor = 0.5},
                        {.rule = TL_RULE_CHURN, .factor = 0.9}};
    tl_portfolio_score s;
    tl_portfolio_score_record(&s, r, 90, 0.0, flags, 2, NULL);
    assert_int_equal(s.qs_millionths, 450000);
    flags[0] = (tl_flag){.rule = TL_RULE_CORRELATION, .factor = 0.0};
    tl_portfolio_score_record(&s, r, 90, 0.0, flags, 1, NULL);
    assert_int_equal(s.status,
                     TL_STATUS_RANKED); /* a whole copy earns nothing, nobody is accused */
    assert_int_equal(s.qs_millionths, 0);
    flags[0] = (tl_flag){.rule = TL_RULE_PLAGIARISM, .factor = 0.0};
    tl_portfolio_score_record(&s, r, 90, 0.0, flags, 1, NULL);
    assert_int_equal(s.status, TL_STATUS_DISQUALIFIED);
}

static void each_flag_costs_what_the_spec_says(void **state)
{
    (void)state;
    assert_true(tl_portfolio_flag_factor(TL_RULE_VARIANCE, 0) == 0.5);
    assert_true(tl_portfolio_flag_factor(TL_RULE_FENCE_SWINGING, 0) == 0.8);
    assert_true(fabs(tl_portfolio_flag_factor(TL_RULE_CORRELATION, 0.85) - 0.5) < 1e-12);
    assert_true(tl_portfolio_flag_factor(TL_RULE_CORRELATION, 0.5) == 1.0);
    assert_true(tl_portfolio_flag_factor(TL_RULE_CHURN, 0.7) == 0.5);
    assert_true(fabs(tl_portfolio_flag_factor(TL_RULE_DATA_QUALITY, 10) - 0.95) < 1e-12);
    assert_true(tl_portfolio_flag_factor(TL_RULE_DATA_QUALITY, 1000) == 0.5);
    assert_true(tl_portfolio_flag_factor(TL_RULE_STREAK, 0) == 1.0);
    assert_true(tl_portfolio_flag_factor(TL_RULE_PLAGIARISM, 0) == 0.0);
    for (unsigned i = 0; i < TL_RULE_COUNT; i++) {
        tl_portfolio_rule back;
        const char *name = tl_portfolio_rule_name((tl_portfolio_rule)i);
        assert_true(tl_portfolio_rule_parse(&back, tl_str_from_cstr(name)));
        assert_int_equal(back, i);
    }
    tl_portfolio_rule none;
    assert_false(tl_portfolio_rule_parse(&none, TL_STR("collusion")));
}

static void every_profile_gives_a_perfect_record_everything(void **state)
{
    (void)state;
    double r[90];
    fill(r, 90, 0.05);
    for (unsigned p = TL_PROFILE_A; p <= TL_PROFILE_D; p++) {
        const tl_score_options options = {(tl_portfolio_profile)p, false};
        tl_portfolio_score s;
        tl_portfolio_score_record(&s, r, 90, 0.0, NULL, 0, &options);
        assert_int_equal(s.qs_millionths, 1000000);
    }
}

static void profile_d_takes_the_drawdown_as_it_is(void **state)
{
    (void)state;
    double r[7] = {0.01, -0.10, 0.01, 0.01, 0.01, 0.01, 0.01};
    const tl_score_options options = {TL_PROFILE_D, true};
    tl_portfolio_score s;
    tl_portfolio_score_record(&s, r, 7, 0.0, NULL, 0, &options);
    assert_true(fabs(s.horizons[0].part_drawdown - 0.9) < 1e-12);
    tl_portfolio_score_record(&s, r, 7, 0.0, NULL, 0, NULL);
    assert_true(s.horizons[0].part_drawdown < 1e-12);
}

static void scores_of_random_records_stay_in_bounds(void **state)
{
    (void)state; /* PORT-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        double r[120];
        const size_t n = (size_t)tl_xoshiro_below(&rng, 121);
        const double scale = 0.0001 * (double)(1U << tl_xoshiro_below(&rng, 15));
        for (size_t k = 0; k < n; k++) {
            r[k] = (tl_xoshiro_unit(&rng) - 0.48) * scale;
        }
        const tl_portfolio_score s = score_of(r, n, tl_xoshiro_unit(&rng) * 2.0);
        assert_true(s.qs_millionths <= 1000000);
        assert_true(s.status == TL_STATUS_RANKED || s.qs_millionths == 0);
        assert_true(s.max_drawdown >= 0.0 && s.max_drawdown <= 1.0);
        for (size_t h = 0; h < s.horizon_count; h++) {
            assert_true(fabs(s.horizons[h].sharpe) <= 10.0 && fabs(s.horizons[h].calmar) <= 10.0);
            assert_true(s.horizons[h].composite >= 0.0 && s.horizons[h].composite <= 1.0 + 1e-12);
        }
    }
}

static void the_bootstrap_holds_the_score_and_repeats(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 11);
    double r[100];
    for (size_t i = 0; i < 100; i++) {
        r[i] = (tl_xoshiro_unit(&rng) - 0.45) * 0.02;
    }
    const tl_portfolio_score s = score_of(r, 100, 0.1);
    tl_portfolio_confidence a;
    tl_portfolio_confidence b;
    assert_int_equal(tl_portfolio_bootstrap(&a, arena, r, 100, 0.1, &s, 1000, 5, NULL, NULL),
                     TL_OK);
    assert_int_equal(tl_portfolio_bootstrap(&b, arena, r, 100, 0.1, &s, 1000, 5, NULL, NULL),
                     TL_OK);
    assert_memory_equal(&a.low, &b.low, sizeof a.low);
    assert_true(a.low <= a.high && a.low >= 0.0 && a.high <= 1.0 && a.ars <= 1.0);
    const tl_portfolio_score few = score_of(r, 19, 0.1);
    assert_int_equal(tl_portfolio_bootstrap(&a, arena, r, 19, 0.1, &few, 1000, 5, NULL, NULL),
                     TL_OK);
    assert_true(fabs(a.high - 1.1 * (double)few.qs_millionths / 1e6) < 1e-12 && !a.needs_review);
    tl_hotkey x = {{1}};
    tl_hotkey y = {{2}};
    assert_true(tl_portfolio_bootstrap_seed(TL_STR("2024-M03"), &x) !=
                tl_portfolio_bootstrap_seed(TL_STR("2024-M03"), &y));
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flat_loser_is_no_winner),
        cmocka_unit_test(newcomers_are_ramped),
        cmocka_unit_test(a_fall_beyond_the_limit_eliminates),
        cmocka_unit_test(turnover_costs_its_part_and_no_more),
        cmocka_unit_test(flags_multiply_and_plagiarism_disqualifies),
        cmocka_unit_test(each_flag_costs_what_the_spec_says),
        cmocka_unit_test(every_profile_gives_a_perfect_record_everything),
        cmocka_unit_test(profile_d_takes_the_drawdown_as_it_is),
        cmocka_unit_test(scores_of_random_records_stay_in_bounds),
        cmocka_unit_test(the_bootstrap_holds_the_score_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
