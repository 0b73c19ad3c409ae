/* Attacks records with missing prices, rebalances, gaps between epochs; figures by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/subnet/portfolio/portfolio_internal.h"

enum { TICKERS = 5, DAYS = 8 };

static const tl_str tickers[TICKERS] = {{"A", 1}, {"B", 1}, {"C", 1}, {"D", 1}, {"E", 1}};

typedef struct world {
    tl_arena *arena;
    double price[DAYS * TICKERS];
    const double *feeds[1];
    tl_day days[DAYS];
    tl__prices prices;
} world;

/* All prices 100 on day 0; A doubles once, on day 1; the rest stands still. */
static void set_up(world *w)
{
    assert_int_equal(tl_arena_new(&w->arena, NULL, 0, NULL, NULL), TL_OK);
    for (size_t d = 0; d < DAYS; d++) {
        w->days[d] = (tl_day)d;
        for (size_t k = 0; k < TICKERS; k++) {
            w->price[d * TICKERS + k] = k == 0 && d > 0 ? 200.0 : 100.0;
        }
    }
    w->feeds[0] = w->price;
    w->prices = (tl__prices){w->days, DAYS, tickers, TICKERS, w->feeds, 1};
}

static tl_portfolio portfolio_of(tl_position p[TICKERS], int64_t a, int64_t b, int64_t c, int64_t d,
                                 int64_t e)
{
    const int64_t w[TICKERS] = {a, b, c, d, e};
    for (size_t i = 0; i < TICKERS; i++) {
        p[i] = (tl_position){tickers[i], w[i]};
    }
    return (tl_portfolio){p, TICKERS};
}

static void weights_drift_and_cash_earns_nothing(void **state)
{
    (void)state; /* PORT-3 */
    world w;
    set_up(&w);
    w.price[2 * TICKERS + 0] = 300.0; /* A: 100, 200, 300 … */
    w.price[3 * TICKERS + 0] = 300.0;
    tl_position p[TICKERS];
    const tl_portfolio pf = portfolio_of(p, 200000, 200000, 200000, 200000, 100000);
    const tl__holding h = {1, 3, &pf};
    tl__record r;
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, &h, 1, NULL), TL_OK);
    assert_int_equal(r.count, 3);
    assert_true(fabs(r.returns[0] - 0.2) < 1e-15);
    assert_true(fabs(r.returns[1] - 0.4 / 1.2 * 0.5) < 1e-15); /* A drifted to 0.4 of 1.2 */
    assert_true(r.returns[2] == 0.0);
    assert_true(r.turnover[0] == 0.0); /* the first purchase is free */
    assert_true(tl__record_turnover(&r) == 0.0);
    tl_arena_free(w.arena);
}

static void a_rebalance_costs_its_turnover_on_the_first_day(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    tl_position p[TICKERS];
    tl_position q[TICKERS];
    const tl_portfolio first = portfolio_of(p, 200000, 200000, 200000, 200000, 200000);
    const tl_portfolio second = portfolio_of(q, 200000, 200000, 200000, 200000, 200000);
    const tl__holding h[2] = {{1, 2, &first}, {4, 5, &second}};
    tl__record r;
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, h, 2, NULL), TL_OK);
    assert_int_equal(r.count, 4); /* day 3 belongs to no epoch */
    /* After A doubled the weights are 1/3 and 4 x 1/6; back to 1/5 each: half of |1/3 - 1/5| + 4 |1/6 - 1/5|. */
    const double tau = 0.5 * ((1.0 / 3.0 - 0.2) + 4.0 * (0.2 - 1.0 / 6.0));
    assert_true(fabs(r.turnover[2] - tau) < 1e-15);
    assert_true(fabs(r.returns[2] + tau * 0.00055) < 1e-15);
    assert_int_equal(r.day[2], 4);
    assert_true(fabs(tl__record_turnover(&r) - 5.0 * tau / 4.0) < 1e-15);
    tl_arena_free(w.arena);
}

static void a_missing_price_is_filled_twice_then_cash(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    for (size_t d = 2; d <= 4; d++) {
        w.price[d * TICKERS + 1] = 0.0; /* B has no price on days 2, 3 and 4 */
    }
    w.price[5 * TICKERS + 1] = 150.0; /* and comes back much higher */
    tl_position p[TICKERS];
    const tl_portfolio pf = portfolio_of(p, 200000, 200000, 200000, 200000, 200000);
    const tl__holding h = {2, 6, &pf};
    tl__record r;
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, &h, 1, NULL), TL_OK);
    for (size_t i = 0; i < r.count; i++) {
        assert_true(r.returns[i] == 0.0); /* it was cash by then: the jump is not earned */
        assert_true(r.is_blind[i]);       /* a fifth of the exposure, above a tenth */
    }
    w.price[4 * TICKERS + 1] = 150.0; /* with only two days missing it is */
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, &h, 1, NULL), TL_OK);
    assert_true(fabs(r.returns[2] - 0.1) < 1e-15);
    assert_true(r.is_blind[0] && r.is_blind[1] && !r.is_blind[2]);
    tl_arena_free(w.arena);
}

static void a_tenth_of_the_exposure_may_be_missing_exactly(void **state)
{
    (void)state; /* as doubles, 0.03 and 0.02 are more than a tenth of these weights */
    world w;
    set_up(&w);
    w.price[2 * TICKERS + 0] = 0.0;
    w.price[2 * TICKERS + 1] = 0.0;
    tl_position p[TICKERS];
    const tl_portfolio exact = portfolio_of(p, 30000, 20000, 150000, 150000, 150000);
    const tl__holding h = {2, 2, &exact};
    tl__record r;
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, &h, 1, NULL), TL_OK);
    assert_false(r.is_blind[0]);
    p[0].weight_millionths++;
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, &h, 1, NULL), TL_OK);
    assert_true(r.is_blind[0]);
    tl_arena_free(w.arena);
}

static void a_purchase_without_a_close_takes_the_last_known_one(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    w.price[2 * TICKERS + 1] = 0.0;
    w.price[1 * TICKERS + 1] = 0.0; /* B was last seen on day 0 */
    w.price[3 * TICKERS + 1] = 110.0;
    tl_position p[TICKERS];
    const tl_portfolio pf = portfolio_of(p, 200000, 200000, 200000, 200000, 200000);
    const tl__holding h = {3, 3, &pf};
    tl__record r;
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, &h, 1, NULL), TL_OK);
    assert_true(fabs(r.returns[0] - 0.02) < 1e-15);
    tl_arena_free(w.arena);
}

static void a_short_that_loses_everything_is_ruin(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    w.price[2 * TICKERS + 0] = 2000.0;
    tl_position p[TICKERS];
    const tl_portfolio pf = portfolio_of(p, -200000, 200000, 200000, 200000, 200000);
    const tl__holding h = {2, 4, &pf};
    tl__record r;
    assert_int_equal(tl__record_build(&r, w.arena, &w.prices, 0, &h, 1, NULL), TL_OK);
    assert_true(fabs(r.returns[0] + 1.8) < 1e-12);
    assert_true(r.returns[1] == 0.0 && r.returns[2] == 0.0);
    tl_arena_free(w.arena);
}

static void the_universe_counts_each_ticker_alike(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    w.price[1 * TICKERS + 4] = 0.0; /* E is left out on days 1 and 2 */
    const double *mean = NULL;
    assert_int_equal(tl__universe_returns(&mean, w.arena, &w.prices, 0, NULL), TL_OK);
    assert_true(mean[0] == 0.0 && fabs(mean[1] - 0.25) < 1e-15 && mean[2] == 0.0);
    tl_arena_free(w.arena);
}

static void prices_are_found_by_ticker_and_day(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    assert_int_equal(tl__prices_find(&w.prices, TL_STR("C")), 2);
    assert_int_equal(tl__prices_find(&w.prices, TL_STR("CC")), TICKERS);
    assert_int_equal(tl__prices_day_at(&w.prices, 3), 3);
    assert_int_equal(tl__prices_day_at(&w.prices, -5), 0);
    assert_int_equal(tl__prices_day_at(&w.prices, 99), DAYS);
    tl_arena_free(w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_drift_and_cash_earns_nothing),
        cmocka_unit_test(a_rebalance_costs_its_turnover_on_the_first_day),
        cmocka_unit_test(a_missing_price_is_filled_twice_then_cash),
        cmocka_unit_test(a_tenth_of_the_exposure_may_be_missing_exactly),
        cmocka_unit_test(a_purchase_without_a_close_takes_the_last_known_one),
        cmocka_unit_test(a_short_that_loses_everything_is_ruin),
        cmocka_unit_test(the_universe_counts_each_ticker_alike),
        cmocka_unit_test(prices_are_found_by_ticker_and_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
