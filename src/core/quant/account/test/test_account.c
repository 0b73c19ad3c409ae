/* Attacks portfolio accounting: drift against held units, turnover, schedules at their ends, ruin,
 * debts, bad plans, memory that runs out. Figures of whole runs: test/golden (app's tests). */
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
#include "core/quant/account/account_internal.h"
#include "core/quant/metrics/metrics.h"

#define ASSETS_MAX 40

enum { FIELD_DAYS = 23, FIELD_UNIVERSE = 50, FIELD_PORTFOLIOS = 19, FIELD_TARGETS = 6 };

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static void any_weights(double *w, size_t count, tl_xoshiro *rng)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        w[i] = 0.01 + tl_xoshiro_unit(rng);
        sum += w[i];
    }
    for (size_t i = 0; i < count; i++) {
        w[i] /= sum;
    }
}

static double sum_of(const double *w, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += w[i];
    }
    return sum;
}

static void weights_drift_as_held_units_do(void **state)
{
    (void)state; /* ACC-1 */
    enum { DAYS = 60 };
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    for (size_t round = 0; round < 200; round++) {
        const size_t count = 1 + (size_t)tl_xoshiro_below(&rng, ASSETS_MAX);
        double w[ASSETS_MAX];
        double units[ASSETS_MAX];
        double r[DAYS * ASSETS_MAX];
        double out[DAYS];
        any_weights(w, count, &rng);
        memcpy(units, w, sizeof w);
        for (size_t k = 0; k < DAYS * count; k++) {
            r[k] = 0.1 * (tl_xoshiro_unit(&rng) - 0.5);
        }
        tl_account_returns(out, w, r, DAYS, count, count);
        double wealth = 1.0;
        for (size_t t = 0; t < DAYS; t++) {
            for (size_t i = 0; i < count; i++) {
                units[i] *= 1.0 + r[t * count + i];
            }
            const double next = sum_of(units, count);
            assert_true(fabs(out[t] - (next / wealth - 1.0)) < 1e-13);
            wealth = next;
        }
        assert_true(fabs(sum_of(w, count) - 1.0) < 1e-12);
        for (size_t i = 0; i < count; i++) {
            assert_true(fabs(w[i] - units[i] / wealth) < 1e-13);
        }
    }
}

static void cash_that_has_no_entry_drifts_by_itself(void **state)
{
    (void)state;
    double listed[2] = {0.3, 0.2};
    double with_cash[3] = {0.3, 0.2, 0.5};
    const double r[3] = {0.1, -0.05, 0.0};
    assert_true(tl_account_day(listed, r, 2) == tl_account_day(with_cash, r, 3));
    assert_true(listed[0] == with_cash[0] && listed[1] == with_cash[1]);
    const double target[2] = {0.5, 0.5};
    const double whole[3] = {0.5, 0.5, 0.0};
    const double cash = 1.0 - (listed[0] + listed[1]);
    assert_true(fabs(tl_account_turnover(target, listed, 2, 0.0, cash) -
                     tl_account_turnover(whole, with_cash, 3, 0.0, 0.0)) < 1e-15);
}

static void rows_may_be_part_of_wider_ones(void **state)
{
    (void)state;
    const double universe[8] = {0.1, 0.2, 0.3, 0.4, -0.1, -0.2, -0.3, -0.4};
    const uint32_t index[2] = {3, 1};
    double gathered[4];
    tl_account_gather(gathered, universe, 2, 4, index, 2);
    assert_true(gathered[0] == 0.4 && gathered[1] == 0.2);
    assert_true(gathered[2] == -0.4 && gathered[3] == -0.2);
    double wide[2] = {0.5, 0.5};
    double narrow[2] = {0.5, 0.5};
    double a[2];
    double b[2];
    const double first_two[4] = {0.1, 0.2, -0.1, -0.2};
    tl_account_returns(a, wide, universe, 2, 2, 4);
    tl_account_returns(b, narrow, first_two, 2, 2, 2);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(wide, narrow, sizeof wide);
}

static void turnover_lies_between_nothing_and_everything(void **state)
{
    (void)state; /* ACC-2 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 2);
    for (size_t round = 0; round < 500; round++) {
        double a[ASSETS_MAX];
        double b[ASSETS_MAX];
        const size_t count = 1 + (size_t)tl_xoshiro_below(&rng, ASSETS_MAX);
        any_weights(a, count, &rng);
        any_weights(b, count, &rng);
        const double tau = tl_account_turnover(a, b, count, 0.0, 0.0);
        assert_true(tau >= 0.0 && tau <= 1.0 + 1e-15);
        assert_true(tl_account_turnover(b, a, count, 0.0, 0.0) == tau);
        assert_true(tl_account_turnover(a, a, count, 0.0, 0.0) == 0.0);
    }
    const double one[2] = {1.0, 0.0};
    const double other[2] = {0.0, 1.0};
    assert_true(tl_account_turnover(one, other, 2, 0.0, 0.0) == 1.0);
    assert_true(tl_account_churn(0.5, 252.0, 126) == 1.0);
    assert_true(tl_account_churn(0.5, 252.0, 0) == 0.0);
}

static void a_lost_portfolio_stays_lost(void **state)
{
    (void)state; /* ACC-3 */
    tl_arena *arena = new_arena();
    const double targets[4] = {1.0, 0.0, 0.5, 0.5};
    const double r[10] = {0.1, 0.0, -1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
    const tl_account_plan plan = {targets, 2, 1, true};
    const tl_account_plan hold = {targets, 1, 100, true};
    tl_account_history h;
    assert_int_equal(tl_account_run(&h, arena, &hold, r, 5, 2, 2, NULL), TL_OK);
    assert_true(h.returns[1] == -1.0 && h.returns[2] == 0.0 && h.returns[4] == 0.0);
    assert_true(h.final_weights[0] == 0.0 && h.final_weights[1] == 0.0);
    const double twice[4] = {1.0, 0.0, 1.0, 0.0};
    const tl_account_plan again = {twice, 2, 1, true};
    assert_int_equal(tl_account_run(&h, arena, &again, r, 5, 2, 2, NULL), TL_OK);
    assert_int_equal(h.rebalances, 1); /* none after the ruin */
    assert_true(h.returns[3] == 0.0 && h.final_weights[0] == 0.0);
    assert_int_equal(tl_account_run(&h, arena, &plan, r, 5, 2, 2, NULL), TL_OK);
    assert_true(h.returns[1] == -0.25 && h.rebalances == 4);
    tl_arena_free(arena);
}

static void a_plan_rebalances_between_returns_and_never_after_the_last(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    double r[20] = {0};
    for (size_t t = 0; t < 10; t++) {
        r[2 * t] = 0.1;
    }
    const double targets[4] = {0.5, 0.5, 0.25, 0.75};
    struct {
        size_t every;
        size_t days;
        bool is_cyclic;
        size_t rebalances;
    } const rows[] = {{5, 10, true, 1}, {5, 9, true, 1}, {5, 5, true, 0},  {3, 10, true, 3},
                      {1, 10, true, 9}, {1, 1, true, 0}, {1, 0, true, 0},  {3, 10, false, 1},
                      {4, 4, false, 0}, {9, 9, true, 0}, {9, 10, true, 1}, {SIZE_MAX, 10, true, 0}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const tl_account_plan plan = {targets, 2, rows[k].every, rows[k].is_cyclic};
        tl_account_history h;
        assert_int_equal(tl_account_run(&h, arena, &plan, r, rows[k].days, 2, 2, NULL), TL_OK);
        assert_int_equal(h.rebalances, rows[k].rebalances);
    }
    const tl_account_plan plan = {targets, 2, 1, true};
    tl_account_history h;
    assert_int_equal(tl_account_run(&h, arena, &plan, r, 3, 2, 2, NULL), TL_OK);
    /* 0.5 grows to 0.55/1.05; target 0.25; 0.25 grows to 0.275/1.025; target 0.5. */
    assert_true(fabs(h.turnovers[0] - (0.55 / 1.05 - 0.25)) < 1e-15);
    assert_true(fabs(h.turnovers[1] - (0.5 - 0.275 / 1.025)) < 1e-15);
    assert_true(fabs(h.turnover_sum - (h.turnovers[0] + h.turnovers[1])) < 1e-15);
    assert_true(fabs(h.returns[0] - 0.05) < 1e-16 && fabs(h.returns[1] - 0.025) < 1e-16);
    tl_arena_free(arena);
}

static void bad_plans_are_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const double good[2] = {0.5, 0.5};
    const double not_a_number[2] = {0.5, (double)NAN};
    const double r[4] = {0.1, 0.1, 0.1, 0.1};
    const tl_account_plan plans[] = {
        {good, 0, 1, true}, {good, 1, 0, true}, {not_a_number, 1, 1, true}};
    tl_account_history h;
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(tl_account_run(&h, arena, &plans[k], r, 2, 2, 2, NULL), TL_ERR_RANGE);
    }
    const tl_account_plan plan = {good, 1, 1, true};
    assert_int_equal(tl_account_run(&h, arena, &plan, r, 2, 0, 0, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_account_run(&h, arena, &plan, r, 2, TL_ACCOUNT_ASSETS_MAX + 1,
                                    TL_ACCOUNT_ASSETS_MAX + 1, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_account_run(&h, arena, &plan, r, TL_SERIES_PERIODS_MAX + 1, 1, 1, NULL),
                     TL_ERR_RANGE);
    /* Debts without measure: a short of a million units, each ten million times dearer. */
    const double debts[2] = {1e6, -1e6};
    const double jump[2] = {1e7, 0.0};
    const tl_account_plan leveraged = {debts, 1, 1, true};
    assert_int_equal(tl_account_run(&h, arena, &leveraged, jump, 1, 2, 2, NULL), TL_ERR_RANGE);
    /* And one that eats the equity up to the last bit: what is left is dwarfed by what is held. */
    const double thin[2] = {1.0, -1.0};
    const double nearly[2] = {-0.5, 0.5 - 0x1p-40};
    const tl_account_plan eaten = {thin, 1, 5, true};
    assert_int_equal(tl_account_run(&h, arena, &eaten, nearly, 1, 2, 2, NULL), TL_ERR_RANGE);
    tl_arena_free(arena);
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
    enum { DAYS = 30000 };
    double *r = calloc(DAYS, sizeof *r);
    assert_non_null(r);
    const double target[1] = {1.0};
    const tl_account_plan plan = {target, 1, 1, true};
    size_t failures = 0;
    for (size_t blocks = 1; blocks < 8; blocks++) {
        size_t left = blocks;
        const tl_allocator allocator = {&left, fail_later, release};
        tl_arena *arena = NULL;
        if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
            continue;
        }
        tl_account_history h;
        const tl_err err = tl_account_run(&h, arena, &plan, r, DAYS, 1, 1, NULL);
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        failures += err == TL_ERR_NOMEM;
        tl_arena_free(arena);
    }
    assert_true(failures >= 1 && failures < 7);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_drift_as_held_units_do),
        cmocka_unit_test(cash_that_has_no_entry_drifts_by_itself),
        cmocka_unit_test(rows_may_be_part_of_wider_ones),
        cmocka_unit_test(turnover_lies_between_nothing_and_everything),
        cmocka_unit_test(a_lost_portfolio_stays_lost),
        cmocka_unit_test(a_plan_rebalances_between_returns_and_never_after_the_last),
        cmocka_unit_test(bad_plans_are_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
