/* Attacks the strategies: worlds of random, equal, flat and missing prices, tables in another order
 * and at another scale, histories too short, prices that are none; and each risk model against the
 * property that defines it, computed here the slow way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "core/num/fmath/fmath.h"
#include "core/num/rng/rng.h"
#include "core/subnet/house/house_internal.h"

#define TICKERS_MAX 64
#define DAYS_MAX    400

typedef struct world {
    char names[TICKERS_MAX][6];
    tl_str tickers[TICKERS_MAX];
    double closes[TICKERS_MAX * DAYS_MAX];
    tl_house_history history;
} world;

static world *new_world(size_t tickers, size_t days)
{
    world *w = (world *)calloc(1, sizeof(world));
    assert_non_null(w);
    for (size_t i = 0; i < tickers; i++) {
        const size_t letter = i * 7 % TICKERS_MAX; /* not in the order of the alphabet */
        (void)snprintf(w->names[i], sizeof(w->names[i]), "%c%c", (char)('A' + (letter / 8)),
                       (char)('A' + letter % 8));
        w->tickers[i] = tl_str_from_cstr(w->names[i]);
    }
    w->history = (tl_house_history){.tickers = w->tickers,
                                    .closes = w->closes,
                                    .ticker_count = tickers,
                                    .day_count = days,
                                    .ticker_stride = DAYS_MAX,
                                    .day_stride = 1};
    return w;
}

static double normal(tl_xoshiro *rng)
{
    double sum = 0;
    for (unsigned i = 0; i < 12; i++) {
        sum += tl_xoshiro_unit(rng);
    }
    return sum - 6.0;
}

/* One market factor, each asset with its own beta, drift and noise. */
static world *random_world(tl_xoshiro *rng, size_t tickers, size_t days)
{
    world *w = new_world(tickers, days);
    double market[DAYS_MAX];
    for (size_t t = 0; t < days; t++) {
        market[t] = 0.008 * normal(rng);
    }
    for (size_t i = 0; i < tickers; i++) {
        const double beta = 0.3 + 1.4 * tl_xoshiro_unit(rng);
        const double noise = 0.002 + 0.025 * tl_xoshiro_unit(rng);
        const double drift = 0.001 * (tl_xoshiro_unit(rng) - 0.4);
        double close = 5.0 + 300.0 * tl_xoshiro_unit(rng);
        for (size_t t = 0; t < days; t++) {
            close *= tl_exp(drift + beta * market[t] + noise * normal(rng));
            w->closes[i * DAYS_MAX + t] = close;
        }
    }
    return w;
}

static void assert_valid(const uint32_t *weights, size_t count, const char *name)
{
    uint64_t sum = 0;
    size_t held = 0;
    for (size_t i = 0; i < count; i++) {
        sum += weights[i];
        held += weights[i] != 0 ? 1 : 0;
        if (weights[i] > TL_HOUSE_WEIGHT_MAX) {
            fail_msg("%s: a weight of %u", name, weights[i]);
        }
    }
    if (sum != TL_HOUSE_ONE || held < TL_HOUSE_POSITIONS_MIN || held > TL_HOUSE_POSITIONS_MAX) {
        fail_msg("%s: %zu positions, sum %llu", name, held, (unsigned long long)sum);
    }
}

static tl_arena *new_arena(void)
{
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static void signal_of(uint32_t *out, const tl_house_strategy *s, const tl_house_history *history,
                      const tl_house_params *params)
{
    tl_arena *arena = new_arena();
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (s->signal(out, history, params, arena, &ctx) != TL_OK) {
        fail_msg("%s: %s", s->name, ctx.message);
    }
    tl_arena_free(arena);
}

static void every_strategy_obeys_the_rules_in_every_world(void **state)
{
    (void)state; /* HOUSE-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 11);
    size_t count;
    const tl_house_strategy *all = tl_house_strategies(&count);
    assert_int_equal(count, 8);
    for (unsigned round = 0; round < 120; round++) {
        const size_t tickers = 5 + tl_xoshiro_below(&rng, TICKERS_MAX - 4);
        const size_t days = 43 + tl_xoshiro_below(&rng, DAYS_MAX - 43);
        world *w = random_world(&rng, tickers, days);
        const tl_house_params params = {
            .lookback_days = round % 3 == 0 ? 42 + (uint32_t)tl_xoshiro_below(&rng, 300) : 0,
            .positions_max = round % 4 == 0 ? 5 + (uint32_t)tl_xoshiro_below(&rng, 26) : 0,
            .volatility_target = round % 2 == 0 ? 0.01 + 0.3 * tl_xoshiro_unit(&rng) : 0.0};
        for (size_t k = 0; k < count; k++) {
            uint32_t weights[TICKERS_MAX];
            signal_of(weights, &all[k], &w->history, &params);
            assert_valid(weights, tickers, all[k].name);
            size_t held = 0;
            for (size_t i = 0; i < tickers; i++) {
                held += weights[i] != 0;
            }
            assert_true(params.positions_max == 0 || held <= params.positions_max);
        }
        free(w);
    }
}

static void the_order_of_the_table_changes_nothing(void **state)
{
    (void)state; /* HOUSE-5 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 12);
    size_t count;
    const tl_house_strategy *all = tl_house_strategies(&count);
    for (unsigned round = 0; round < 10; round++) {
        const size_t n = 8 + tl_xoshiro_below(&rng, 40);
        world *w = random_world(&rng, n, 300);
        world *other = new_world(n, 300);
        size_t to[TICKERS_MAX];
        for (size_t i = 0; i < n; i++) {
            to[i] = i;
        }
        for (size_t i = n; i > 1; i--) {
            const size_t j = tl_xoshiro_below(&rng, i);
            const size_t keep = to[i - 1];
            to[i - 1] = to[j];
            to[j] = keep;
        }
        /* days first here: the strides are part of the table too */
        other->history.ticker_stride = 1;
        other->history.day_stride = TICKERS_MAX;
        for (size_t i = 0; i < n; i++) {
            other->tickers[to[i]] = w->tickers[i];
            for (size_t t = 0; t < 300; t++) {
                other->closes[t * TICKERS_MAX + to[i]] = w->closes[i * DAYS_MAX + t];
            }
        }
        for (size_t k = 0; k < count; k++) {
            uint32_t a[TICKERS_MAX];
            uint32_t b[TICKERS_MAX];
            signal_of(a, &all[k], &w->history, NULL);
            signal_of(b, &all[k], &other->history, NULL);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(a[i], b[to[i]]);
            }
        }
        free(w);
        free(other);
    }
}

static void scale_and_the_distant_past_change_nothing(void **state)
{
    (void)state; /* HOUSE-2 HOUSE-3 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 13);
    size_t count;
    const tl_house_strategy *all = tl_house_strategies(&count);
    const tl_house_params params = {.lookback_days = 120};
    for (unsigned round = 0; round < 10; round++) {
        const size_t n = 8 + tl_xoshiro_below(&rng, 40);
        world *w = random_world(&rng, n, 300);
        world *other = new_world(n, 300);
        memcpy(other->closes, w->closes, sizeof(w->closes));
        for (size_t i = 0; i < n; i++) {
            const double scale = (double)(1u << tl_xoshiro_below(&rng, 10)) / 32.0;
            for (size_t t = 0; t < 300; t++) {
                other->closes[i * DAYS_MAX + t] *= scale;
            }
            other->closes[i * DAYS_MAX + 10] = i % 2 == 0 ? 0.0 : -7.0; /* never looked at */
        }
        for (size_t k = 0; k < count; k++) {
            uint32_t a[TICKERS_MAX];
            uint32_t b[TICKERS_MAX];
            signal_of(a, &all[k], &w->history, &params);
            signal_of(b, &all[k], &other->history, &params);
            assert_memory_equal(a, b, n * sizeof(a[0]));
        }
        free(w);
        free(other);
    }
}

static void equal_assets_are_held_alike(void **state)
{
    (void)state; /* HOUSE-4 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 14);
    size_t count;
    const tl_house_strategy *all = tl_house_strategies(&count);
    for (size_t n = 5; n <= 40; n += 5) {
        world *w = random_world(&rng, n, 300);
        for (size_t i = 1; i < n; i++) {
            memcpy(w->closes + i * DAYS_MAX, w->closes, 300 * sizeof(double));
        }
        for (unsigned flat = 0; flat < 2; flat++) {
            for (size_t i = 0; i < n * DAYS_MAX && flat == 1; i++) {
                w->closes[i] = 50.0;
            }
            for (size_t k = 0; k < count; k++) {
                uint32_t weights[TICKERS_MAX];
                signal_of(weights, &all[k], &w->history, NULL);
                assert_valid(weights, n, all[k].name);
                uint32_t least = TL_HOUSE_ONE;
                uint32_t most = 0;
                for (size_t i = 0; i < n; i++) {
                    least = weights[i] != 0 && weights[i] < least ? weights[i] : least;
                    most = weights[i] > most ? weights[i] : most;
                }
                assert_true(most - least <= 1);
            }
        }
        free(w);
    }
}

static void a_ticker_without_a_price_is_left_out(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 15);
    size_t count;
    const tl_house_strategy *all = tl_house_strategies(&count);
    world *w = random_world(&rng, 9, 300);
    w->closes[2 * DAYS_MAX + 299] = 0.0;
    w->closes[5 * DAYS_MAX + 100] = 0.0;
    w->closes[7 * DAYS_MAX + 3] = 0.0; /* before the look-back */
    for (size_t k = 0; k < count; k++) {
        uint32_t weights[TICKERS_MAX];
        signal_of(weights, &all[k], &w->history, NULL);
        assert_valid(weights, 9, all[k].name);
        assert_int_equal(weights[2], 0);
        assert_int_equal(weights[5], 0);
    }
    free(w);
}

static void bad_histories_and_parameters_are_refused(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 16);
    size_t count;
    const tl_house_strategy *all = tl_house_strategies(&count);
    static const struct {
        size_t tickers, days;
        double close; /* of ticker 1 on the last day; 1: as it is */
        tl_house_params params;
        tl_err want;
    } cases[] = {
        {4, 300, 1, {0}, TL_ERR_MISSING},
        {5, 300, 0, {0}, TL_ERR_MISSING},
        {8, 42, 1, {0}, TL_ERR_MISSING},
        {8, 300, -1, {0}, TL_ERR_RANGE},
        {8, 300, 1e-10, {0}, TL_ERR_RANGE},
        {8, 300, 1e16, {0}, TL_ERR_RANGE},
        {8, 300, (double)NAN, {0}, TL_ERR_RANGE},
        {8, 300, (double)INFINITY, {0}, TL_ERR_RANGE},
        {8, 300, 1, {.lookback_days = 41}, TL_ERR_RANGE},
        {8, 300, 1, {.lookback_days = 2521}, TL_ERR_RANGE},
        {8, 300, 1, {.positions_max = 4}, TL_ERR_RANGE},
        {8, 300, 1, {.positions_max = 31}, TL_ERR_RANGE},
    };
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        world *w = random_world(&rng, cases[c].tickers, cases[c].days);
        if (cases[c].close != 1) {
            w->closes[DAYS_MAX + cases[c].days - 1] = cases[c].close;
        }
        for (size_t k = 0; k < count; k++) {
            uint32_t weights[TICKERS_MAX];
            memset(weights, 0xee, sizeof(weights));
            tl_arena *arena = new_arena();
            const tl_err err = all[k].signal(weights, &w->history, &cases[c].params, arena, NULL);
            if (err != cases[c].want) {
                fail_msg("case %zu, %s: %s", c, all[k].name, tl_err_name(err));
            }
            assert_int_equal(weights[0], 0xeeeeeeee);
            tl_arena_free(arena);
        }
        free(w);
    }
    world *w = random_world(&rng, 8, 300);
    w->tickers[3] = w->tickers[6];
    uint32_t weights[TICKERS_MAX];
    tl_arena *arena = new_arena();
    assert_int_equal(all[0].signal(weights, &w->history, NULL, arena, NULL), TL_ERR_DUPLICATE);
    w->history.ticker_count = TL_HOUSE_TICKERS_MAX + 1;
    assert_int_equal(all[0].signal(weights, &w->history, NULL, arena, NULL), TL_ERR_LIMIT);
    w->history.ticker_count = 3;
    const tl_house_params target = {.volatility_target = -0.1};
    w->history.ticker_count = 8;
    w->tickers[3] = TL_STR("ZZ");
    assert_int_equal(
        tl_house_find(TL_STR("trend"))->signal(weights, &w->history, &target, arena, NULL),
        TL_ERR_RANGE);
    assert_null(tl_house_find(TL_STR("astrology")));
    tl_arena_free(arena);
    free(w);
}

/* --- the risk models --- */

static void read_window(tl__window *out, const world *w, tl_arena *arena)
{
    assert_int_equal(tl__window_read(out, &w->history, NULL, arena, NULL), TL_OK);
    assert_int_equal(tl__window_covariance(out, arena, NULL), TL_OK);
}

/* Ledoit and Wolf by the definition: all the outer products, one by one. */
static void shrinkage_is_ledoit_and_wolfs(void **state)
{
    (void)state;
    enum { P = 6, N = 60 };
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 17);
    for (unsigned round = 0; round < 10; round++) {
        world *w = random_world(&rng, P, N + 1);
        tl_arena *arena = new_arena();
        tl__window window;
        read_window(&window, w, arena);
        double x[P][N];
        double s[P][P] = {{0}};
        for (size_t i = 0; i < P; i++) {
            double mean = 0;
            for (size_t t = 0; t < N; t++) {
                mean += window.returns[i * N + t] / N;
            }
            for (size_t t = 0; t < N; t++) {
                x[i][t] = window.returns[i * N + t] - mean;
            }
        }
        double m = 0;
        double d2 = 0;
        double b2 = 0;
        for (size_t i = 0; i < P; i++) {
            for (size_t j = 0; j < P; j++) {
                for (size_t t = 0; t < N; t++) {
                    s[i][j] += x[i][t] * x[j][t] / N;
                }
            }
            m += s[i][i] / P;
        }
        for (size_t i = 0; i < P; i++) {
            for (size_t j = 0; j < P; j++) {
                const double away = s[i][j] - (i == j ? m : 0.0);
                d2 += away * away / P;
                for (size_t t = 0; t < N; t++) {
                    const double gap = x[i][t] * x[j][t] - s[i][j];
                    b2 += gap * gap / P / N / N;
                }
            }
        }
        const double share = b2 > d2 ? 1.0 : b2 / d2;
        assert_true(share > 0.001);
        for (size_t i = 0; i < P; i++) {
            for (size_t j = 0; j < P; j++) {
                const double want = (1.0 - share) * s[i][j] + (i == j ? share * m : 0.0);
                assert_true(fabs(window.covariance[i * P + j] - want) <= 1e-12 * m);
            }
        }
        tl_arena_free(arena);
        free(w);
    }
}

static void minimum_variance_is_a_minimum(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 18);
    for (unsigned round = 0; round < 40; round++) {
        const size_t n = 5 + tl_xoshiro_below(&rng, 45);
        world *w = random_world(&rng, n, 260);
        tl_arena *arena = new_arena();
        tl__window window;
        read_window(&window, w, arena);
        double weights[TICKERS_MAX];
        double row[TICKERS_MAX];
        assert_int_equal(tl__risk_minimum(weights, &window, arena, NULL), TL_OK);
        const double least = tl__risk_variance(weights, &window, row);
        /* optimality: row is the gradient; what may lose is nowhere worse than what may gain */
        double gain = (double)INFINITY;
        double lose = -(double)INFINITY;
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            assert_true(weights[i] >= 0.0 && weights[i] <= 0.2);
            sum += weights[i];
            gain = weights[i] < 0.2 && row[i] < gain ? row[i] : gain;
            lose = weights[i] > 0.0 && row[i] > lose ? row[i] : lose;
        }
        assert_true(fabs(sum - 1.0) < 1e-12);
        assert_true(n == 5 || lose - gain <= 1e-9 * lose);
        /* and nothing at random is better */
        for (unsigned k = 0; k < 200; k++) {
            double other[TICKERS_MAX];
            double total = 0;
            for (size_t i = 0; i < n; i++) {
                other[i] = weights[i] + 0.1 * tl_xoshiro_unit(&rng);
                total += other[i];
            }
            bool is_inside = true;
            for (size_t i = 0; i < n; i++) {
                other[i] /= total;
                is_inside = is_inside && other[i] <= 0.2;
            }
            assert_true(!is_inside ||
                        tl__risk_variance(other, &window, row) >= least * (1.0 - 1e-12));
        }
        tl_arena_free(arena);
        free(w);
    }
}

static void risk_parity_makes_contributions_equal(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 19);
    for (unsigned round = 0; round < 40; round++) {
        const size_t n = 5 + tl_xoshiro_below(&rng, 25);
        world *w = random_world(&rng, n, 260);
        tl_arena *arena = new_arena();
        tl__window window;
        read_window(&window, w, arena);
        double weights[TICKERS_MAX];
        double row[TICKERS_MAX];
        assert_int_equal(tl__risk_parity(weights, &window, arena, NULL), TL_OK);
        const double variance = tl__risk_variance(weights, &window, row);
        for (size_t i = 0; i < n; i++) {
            assert_true(weights[i] > 0.0);
            assert_true(fabs(weights[i] * row[i] * (double)n / variance - 1.0) < 1e-9);
        }
        tl_arena_free(arena);
        free(w);
    }
}

/* Each strategy does what its name says, in a world made for it: AA … the best and calmest. */
static void strategies_do_what_their_names_say(void **state)
{
    (void)state;
    enum { N = 25, DAYS = 300 };
    world *w = new_world(N, DAYS);
    for (size_t i = 0; i < N; i++) {
        double close = 100.0;
        for (size_t t = 0; t < DAYS; t++) {
            const double swing = 0.001 * (double)(1 + i);
            const double drift = 0.003 - 0.0003 * (double)i;
            close *= 1.0 + drift + (t % 2 == 0 ? swing : -swing);
            /* the last month turns round */
            close *= t >= DAYS - 21 ? 1.0 - 2.0 * drift : 1.0;
            w->closes[i * DAYS_MAX + t] = close;
        }
    }
    uint32_t weights[TICKERS_MAX];
    signal_of(weights, tl_house_find(TL_STR("momentum")), &w->history, NULL);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(weights[i], i < 5 ? 200000 : 0);
    }
    signal_of(weights, tl_house_find(TL_STR("mean_reversion")), &w->history, NULL);
    assert_int_equal(weights[0], 200000);
    assert_int_equal(weights[N - 1], 0);
    signal_of(weights, tl_house_find(TL_STR("multi_factor")), &w->history, NULL);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(weights[i], i < 5 ? 200000 : 0);
    }
    signal_of(weights, tl_house_find(TL_STR("inverse_volatility")), &w->history, NULL);
    for (size_t i = 1; i < N; i++) {
        assert_true(weights[i] <= weights[i - 1]);
    }
    assert_true(weights[0] > 4 * weights[N - 1]);
    signal_of(weights, tl_house_find(TL_STR("equal_weight")), &w->history, NULL);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(weights[i], 40000);
    }
    free(w);
}

/* A lower target means less predicted variance, down to the minimum and no further. */
static void trend_meets_its_target_where_it_can(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 20);
    const tl_house_strategy *trend = tl_house_find(TL_STR("trend"));
    for (unsigned round = 0; round < 20; round++) {
        const size_t n = 12;
        world *w = random_world(&rng, n, 260);
        tl_arena *arena = new_arena();
        tl__window window;
        read_window(&window, w, arena);
        double minimum[TICKERS_MAX];
        double row[TICKERS_MAX];
        assert_int_equal(tl__risk_minimum(minimum, &window, arena, NULL), TL_OK);
        const double least = sqrt(tl__risk_variance(minimum, &window, row) * 252.0);
        double before = 0;
        for (unsigned k = 0; k <= 10; k++) {
            const tl_house_params params = {.volatility_target = least * (0.9 + 0.1 * k)};
            uint32_t weights[TICKERS_MAX];
            double sorted[TICKERS_MAX];
            signal_of(weights, trend, &w->history, &params);
            for (size_t i = 0; i < n; i++) {
                sorted[i] = weights[window.source[i]] / 1e6;
            }
            const double volatility = sqrt(tl__risk_variance(sorted, &window, row) * 252.0);
            assert_true(volatility >= least * (1.0 - 1e-4));
            assert_true(volatility >= before * (1.0 - 1e-4));
            assert_true(k <= 1 || volatility <= params.volatility_target * (1.0 + 1e-4));
            before = volatility;
        }
        tl_arena_free(arena);
        free(w);
    }
}

/* --- weights --- */

static void weights_are_capped_and_rounded_by_the_rule(void **state)
{
    (void)state; /* HOUSE-1 */
    const tl_str tickers[7] = {TL_STR("G"), TL_STR("F"), TL_STR("E"), TL_STR("D"),
                               TL_STR("C"), TL_STR("B"), TL_STR("A")};
    tl_arena *arena = new_arena();
    uint32_t out[7];
    /* thirds and the like: what is left goes by largest remainder, ties by ticker */
    const double sevenths[7] = {1, 1, 1, 1, 1, 1, 1};
    assert_int_equal(tl_house_weights(out, sevenths, tickers, 7, 30, arena, NULL), TL_OK);
    const uint32_t want[7] = {142857, 142857, 142857, 142857, 142857, 142857, 142858};
    assert_memory_equal(out, want, sizeof(want));
    /* one above the cap, the excess spread pro rata: 0.2 and 0.8 * (4,3,2,1)/10, of which 0.32 and
     * 0.24 are above in turn */
    const double steep[7] = {90, 4, 3, 2, 1, 0, 0};
    assert_int_equal(tl_house_weights(out, steep, tickers, 7, 30, arena, NULL), TL_OK);
    const uint32_t five[7] = {200000, 200000, 200000, 200000, 200000, 0, 0};
    assert_memory_equal(out, five, sizeof(five));
    const double gentle[7] = {90, 10, 10, 10, 10, 10, 10};
    assert_int_equal(tl_house_weights(out, gentle, tickers, 7, 30, arena, NULL), TL_OK);
    assert_int_equal(out[0], 200000);
    assert_int_equal(out[1], 133333);
    assert_int_equal(out[6], 133334);
    /* only so many */
    assert_int_equal(tl_house_weights(out, gentle, tickers, 7, 5, arena, NULL), TL_OK);
    assert_int_equal(out[1], 0); /* F and E: the last by ticker */
    assert_int_equal(out[2], 0);
    assert_int_equal(out[6], 200000);
    const double few[7] = {1, 1, 1, 1, 0, 0, 0};
    assert_int_equal(tl_house_weights(out, few, tickers, 7, 30, arena, NULL), TL_ERR_MISSING);
    const double negative[7] = {1, 1, 1, 1, 1, -1e-9, 1};
    assert_int_equal(tl_house_weights(out, negative, tickers, 7, 30, arena, NULL), TL_ERR_RANGE);
    const double nan[7] = {1, 1, 1, 1, 1, (double)NAN, 1};
    assert_int_equal(tl_house_weights(out, nan, tickers, 7, 30, arena, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_house_weights(out, gentle, tickers, 7, 31, arena, NULL), TL_ERR_RANGE);
    tl_arena_free(arena);
}

static void random_weights_become_signals(void **state)
{
    (void)state; /* HOUSE-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 21);
    tl_str tickers[TICKERS_MAX];
    world *w = new_world(TICKERS_MAX, 50);
    memcpy(tickers, w->tickers, sizeof(tickers));
    tl_arena *arena = new_arena();
    for (unsigned round = 0; round < 20000; round++) {
        const size_t n = 5 + tl_xoshiro_below(&rng, TICKERS_MAX - 4);
        double raw[TICKERS_MAX];
        for (size_t i = 0; i < n; i++) {
            const uint64_t style = tl_xoshiro_below(&rng, 5);
            raw[i] = style == 0             ? 1.0
                     : style == 1           ? tl_exp(500.0 * (tl_xoshiro_unit(&rng) - 0.5))
                     : style == 2           ? tl_exp(20.0 * tl_xoshiro_unit(&rng))
                     : style == 3 && i >= 5 ? 0.0
                                            : tl_xoshiro_unit(&rng) + 1e-12;
        }
        uint32_t out[TICKERS_MAX];
        assert_int_equal(tl_house_weights(out, raw, tickers, n, 30, arena, NULL), TL_OK);
        assert_valid(out, n, "random");
        for (size_t i = 1; i < n; i++) {
            assert_true(out[i] <= out[0] + 1 || raw[i] > raw[0]);
        }
    }
    tl_arena_free(arena);
    free(w);
}

static void a_smooth_rebalance_goes_half_the_way(void **state)
{
    (void)state; /* HOUSE-1 */
    const tl_str tickers[7] = {TL_STR("A"), TL_STR("B"), TL_STR("C"), TL_STR("D"),
                               TL_STR("E"), TL_STR("F"), TL_STR("G")};
    const uint32_t held[7] = {200000, 200000, 200000, 200000, 200000, 0, 0};
    const uint32_t target[7] = {200000, 200000, 200000, 185000, 0, 200000, 15000};
    uint32_t out[7];
    tl_arena *arena = new_arena();
    assert_int_equal(tl_house_smooth(out, held, target, tickers, 7, arena, NULL), TL_OK);
    /* E and F meet half way, D and G stay: their gaps are below 2 % */
    const uint32_t want[7] = {200000, 200000, 200000, 200000, 100000, 100000, 0};
    assert_memory_equal(out, want, sizeof(want));
    assert_int_equal(tl_house_smooth(out, held, held, tickers, 7, arena, NULL), TL_OK);
    assert_memory_equal(out, held, sizeof(held));
    tl_arena_free(arena);
}

/* --- memory that fails --- */

static void *few_allocations(void *self, size_t len)
{
    size_t *left = (size_t *)self;
    if (*left == 0) {
        return NULL;
    }
    --*left;
    return malloc(len);
}

static void give_back(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void failed_allocations_are_errors(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 22);
    world *w = random_world(&rng, 60, 380);
    size_t count;
    const tl_house_strategy *all = tl_house_strategies(&count);
    for (size_t k = 0; k < count; k++) {
        tl_err err = TL_ERR_NOMEM;
        size_t failures = 0;
        for (size_t n = 1; err != TL_OK; n++) {
            size_t left = n;
            const tl_allocator allocator = {&left, few_allocations, give_back};
            tl_arena *arena;
            if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
                continue;
            }
            uint32_t weights[TICKERS_MAX];
            weights[0] = 77;
            err = all[k].signal(weights, &w->history, NULL, arena, NULL);
            assert_true(err == TL_OK || (err == TL_ERR_NOMEM && weights[0] == 77));
            failures += err != TL_OK ? 1 : 0;
            tl_arena_free(arena);
        }
        assert_true(failures >= 1);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_strategy_obeys_the_rules_in_every_world),
        cmocka_unit_test(the_order_of_the_table_changes_nothing),
        cmocka_unit_test(scale_and_the_distant_past_change_nothing),
        cmocka_unit_test(equal_assets_are_held_alike),
        cmocka_unit_test(a_ticker_without_a_price_is_left_out),
        cmocka_unit_test(bad_histories_and_parameters_are_refused),
        cmocka_unit_test(shrinkage_is_ledoit_and_wolfs),
        cmocka_unit_test(minimum_variance_is_a_minimum),
        cmocka_unit_test(risk_parity_makes_contributions_equal),
        cmocka_unit_test(strategies_do_what_their_names_say),
        cmocka_unit_test(trend_meets_its_target_where_it_can),
        cmocka_unit_test(weights_are_capped_and_rounded_by_the_rule),
        cmocka_unit_test(random_weights_become_signals),
        cmocka_unit_test(a_smooth_rebalance_goes_half_the_way),
        cmocka_unit_test(failed_allocations_are_errors),
    };
    return cmocka_run_group_tests_name("house", tests, NULL, NULL);
}
