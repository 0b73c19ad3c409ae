/* Attacks portfolios that are held over a span without drifting: against tl_account_run in random
 * worlds, against tl_dot bit for bit, each variant against the definition, ruin among others that
 * live on, and what has no measure. */
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
#include "core/num/sum/sum.h"
#include "core/quant/account/account_internal.h"
#include "core/quant/metrics/metrics.h"

#define ASSETS_MAX     50
#define COUNT_MAX      40
#define DAYS_MAX       60
#define PORTFOLIOS_MAX 20
#define SPANS_MAX      DAYS_MAX

/* A universe, and portfolios that rebalance on the same days. */
typedef struct world {
    size_t assets;
    size_t days;
    size_t every;
    size_t portfolios;
    size_t count;
    double returns[DAYS_MAX * ASSETS_MAX];
    uint32_t index[PORTFOLIOS_MAX * COUNT_MAX];
    double targets[SPANS_MAX][PORTFOLIOS_MAX * COUNT_MAX]; /* a span's */
    double earned[PORTFOLIOS_MAX * DAYS_MAX];
    double turnovers[PORTFOLIOS_MAX * SPANS_MAX];
} world;

static size_t spans_of(const world *w)
{
    return (w->days + w->every - 1) / w->every;
}

/* Weights that sum to 1; some are 0, and some short when shorts are asked for. */
static void any_weights(double *w, size_t count, bool with_shorts, tl_xoshiro *rng)
{
    double sum = 0.0;
    for (size_t k = 0; k < count; k++) {
        w[k] = tl_xoshiro_below(rng, 5) == 0 ? 0.0 : 0.1 + tl_xoshiro_unit(rng);
        w[k] = with_shorts && tl_xoshiro_below(rng, 4) == 0 ? -0.2 * w[k] : w[k];
        sum += w[k];
    }
    for (size_t k = 0; k < count && sum > 0.1; k++) {
        w[k] /= sum;
    }
}

static void any_world(world *w, double spread, bool with_shorts, tl_xoshiro *rng)
{
    w->assets = 1 + (size_t)tl_xoshiro_below(rng, ASSETS_MAX);
    w->days = 1 + (size_t)tl_xoshiro_below(rng, DAYS_MAX);
    w->every = 1 + (size_t)tl_xoshiro_below(rng, 20);
    w->portfolios = 1 + (size_t)tl_xoshiro_below(rng, PORTFOLIOS_MAX);
    w->count = 1 + (size_t)tl_xoshiro_below(rng, COUNT_MAX);
    for (size_t i = 0; i < w->days * w->assets; i++) {
        w->returns[i] = spread * (tl_xoshiro_unit(rng) - 0.49);
    }
    for (size_t i = 0; i < w->portfolios * w->count; i++) {
        w->index[i] = (uint32_t)tl_xoshiro_below(rng, w->assets);
    }
    for (size_t s = 0; s < spans_of(w); s++) {
        for (size_t p = 0; p < w->portfolios; p++) {
            any_weights(w->targets[s] + p * w->count, w->count, with_shorts, rng);
        }
    }
}

/* All portfolios through all spans; the last has no next target. */
static tl_err live(world *w)
{
    static double lines[TL_ACCOUNT_LINES(20, ASSETS_MAX)];
    for (size_t s = 0; s < spans_of(w); s++) {
        const size_t first = s * w->every;
        const tl_account_span span = {
            lines, w->days - first < w->every ? w->days - first : w->every, w->assets};
        TL_TRY(tl_account_growth(lines, w->returns + first * w->assets, span.days, w->assets,
                                 w->assets, NULL));
        const double *next = s + 1 < spans_of(w) ? w->targets[s + 1] : NULL;
        const tl_account_holding all = {w->portfolios, w->count, w->index, w->targets[s], next};
        const tl_account_out out = {w->earned + first, DAYS_MAX, w->turnovers + s, SPANS_MAX};
        TL_TRY(tl_account_hold(&out, &span, &all, NULL));
    }
    return TL_OK;
}

/* The same portfolio, drifted day by day. */
static tl_err drift_day_by_day(tl_account_history *out, tl_arena *arena, const world *w, size_t p)
{
    static double held[DAYS_MAX * COUNT_MAX];
    static double targets[SPANS_MAX * COUNT_MAX];
    for (size_t s = 0; s < spans_of(w); s++) {
        memcpy(targets + s * w->count, w->targets[s] + p * w->count, w->count * sizeof *targets);
    }
    tl_account_gather(held, w->returns, w->days, w->assets, w->index + p * w->count, w->count);
    const tl_account_plan plan = {targets, spans_of(w), w->every, false};
    return tl_account_run(out, arena, &plan, held, w->days, w->count, w->count, NULL);
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(1.0, fabs(b));
}

static void holding_is_drifting_without_the_steps(void **state)
{
    (void)state; /* ACC-4 */
    static world w;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 11);
    for (size_t round = 0; round < 300; round++) {
        any_world(&w, 0.08, round % 3 == 2, &rng);
        assert_int_equal(live(&w), TL_OK);
        for (size_t p = 0; p < w.portfolios; p++) {
            tl_account_history h;
            assert_int_equal(drift_day_by_day(&h, arena, &w, p), TL_OK);
            for (size_t t = 0; t < w.days; t++) {
                assert_true(is_near(w.earned[p * DAYS_MAX + t], h.returns[t]));
            }
            assert_int_equal(h.rebalances, spans_of(&w) - 1);
            for (size_t s = 0; s < h.rebalances; s++) {
                assert_true(is_near(w.turnovers[p * SPANS_MAX + s], h.turnovers[s]));
            }
            assert_true(w.turnovers[p * SPANS_MAX + h.rebalances] == 0.0); /* no next */
            tl_arena_rewind(arena, mark);
        }
    }
    tl_arena_free(arena);
}

static void a_day_is_the_dot_product_of_weights_and_growth(void **state)
{
    (void)state;
    enum { DAYS = 19, BLOCKS = 3 };
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 12);
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        double r[DAYS * COUNT_MAX];
        double lines[BLOCKS * 8 * COUNT_MAX];
        double w[COUNT_MAX];
        uint32_t index[COUNT_MAX];
        double out[DAYS];
        double turnover;
        for (size_t i = 0; i < (size_t)DAYS * COUNT_MAX; i++) {
            r[i] = 0.1 * (tl_xoshiro_unit(&rng) - 0.5);
        }
        for (size_t k = 0; k < count; k++) {
            index[k] = (uint32_t)(COUNT_MAX - 1 - k);
            w[k] = tl_xoshiro_unit(&rng) / (double)count;
        }
        assert_int_equal(tl_account_growth(lines, r, DAYS, COUNT_MAX, COUNT_MAX, NULL), TL_OK);
        const tl_account_span span = {lines, DAYS, COUNT_MAX};
        const tl_account_holding one = {1, count, index, w, NULL};
        const tl_account_out where = {out, 0, &turnover, 0};
        assert_int_equal(tl_account_hold(&where, &span, &one, NULL), TL_OK);
        double before = 0.0;
        for (size_t t = 0; t < DAYS; t++) {
            double grown[COUNT_MAX];
            for (size_t k = 0; k < count; k++) {
                grown[k] = lines[(t / 8 * COUNT_MAX + index[k]) * 8 + t % 8];
                assert_true(t > 0 || grown[k] == r[index[k]]); /* the first day as it is */
            }
            const double earned = tl_dot(w, grown, count);
            assert_true(out[t] == (earned - before) / (1.0 + before));
            before = earned;
        }
    }
}

static void growth_compounds_and_its_last_day_fills_the_line(void **state)
{
    (void)state;
    enum { DAYS = 10, WIDTH = 3 };
    double r[DAYS * WIDTH];
    double lines[2 * 8 * 2];
    for (size_t t = 0; t < DAYS; t++) {
        r[t * WIDTH] = 0.5;
        r[t * WIDTH + 1] = t == 3 ? -1.0 : 0.25; /* worthless from the fourth day on */
        r[t * WIDTH + 2] = (double)NAN;          /* of no asset that is asked for */
    }
    assert_int_equal(tl_account_growth(lines, r, DAYS, 2, WIDTH, NULL), TL_OK);
    double value = 1.0;
    for (size_t t = 0; t < 16; t++) {
        value *= t < DAYS ? 1.5 : 1.0;
        const double *block = lines + t / 8 * 16;
        assert_true(fabs(block[t % 8] - (value - 1.0)) <= 1e-14 * value);
        assert_true(t < 3 || block[8 + t % 8] == -1.0);
    }
    assert_true(lines[8] == 0.25 && lines[9] == 0.5625);
}

static void every_variant_gives_the_bits_of_the_definition(void **state)
{
    (void)state;
#if TL__ACCOUNT_WITH_X86
    enum { ROUNDS = 400 };
    tl__account_block *const blocks[2] = {
        tl__account_has_avx2() ? tl__account_block_avx2 : NULL,
        tl__account_has_avx512() ? tl__account_block_avx512 : NULL,
    };
    tl__account_turned *const turns[2] = {tl__account_turned_avx2, tl__account_turned_avx512};
    static double lines[8 * ASSETS_MAX];
    double w[COUNT_MAX];
    double next[COUNT_MAX];
    uint32_t index[COUNT_MAX];
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 13);
    for (size_t round = 0; round < ROUNDS; round++) {
        const double size = round % 4 == 0 ? 1e6 : 1.0; /* some lose everything, or gain no end */
        for (size_t i = 0; i < 8 * (size_t)ASSETS_MAX; i++) {
            lines[i] = size * (2.0 * tl_xoshiro_unit(&rng) - 1.0) / (double)(1 + i % 7);
        }
        for (size_t k = 0; k < COUNT_MAX; k++) {
            w[k] = (tl_xoshiro_unit(&rng) - 0.3) / (double)(1 + k);
            next[k] = round % 5 == 0 ? 0.0 : tl_xoshiro_unit(&rng) - 0.5;
            index[k] = (uint32_t)tl_xoshiro_below(&rng, ASSETS_MAX);
        }
        const tl_account_holding h = {1, round % (COUNT_MAX + 1), index, w, next};
        const double before = tl_xoshiro_unit(&rng) - 0.5;
        double earned = before;
        double returns[8];
        const bool is_fine = tl__account_block_portable(returns, &earned, lines, &h);
        const double turned = tl__account_turned_portable(lines, &h, 0.9);
        for (size_t v = 0; v < 2 && blocks[v] != NULL; v++) {
            double also_earned = before;
            double also[8];
            assert_true(blocks[v](also, &also_earned, lines, &h) == is_fine);
            assert_memory_equal(also, returns, sizeof returns);
            assert_true(also_earned == earned);
            assert_true(turns[v](lines, &h, 0.9) == turned);
        }
    }
#endif
}

static void neighbours_do_not_matter(void **state)
{
    (void)state;
    static world w;
    static world alone;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 14);
    for (size_t round = 0; round < 50; round++) {
        any_world(&w, 0.1, true, &rng);
        assert_int_equal(live(&w), TL_OK);
        const size_t p = (size_t)tl_xoshiro_below(&rng, w.portfolios);
        alone = w;
        alone.portfolios = 1;
        memcpy(alone.index, w.index + p * w.count, w.count * sizeof *w.index);
        for (size_t s = 0; s < spans_of(&w); s++) {
            memcpy(alone.targets[s], w.targets[s] + p * w.count, w.count * sizeof(double));
        }
        assert_int_equal(live(&alone), TL_OK);
        assert_memory_equal(alone.earned, w.earned + p * DAYS_MAX, w.days * sizeof(double));
        assert_memory_equal(alone.turnovers, w.turnovers + p * SPANS_MAX,
                            spans_of(&w) * sizeof(double));
    }
}

static void who_lost_everything_earns_nothing_and_trades_nothing(void **state)
{
    (void)state; /* ACC-3 */
    enum { DAYS = 11 };
    for (size_t day = 0; day < DAYS; day++) {
        double r[DAYS * 2];
        for (size_t t = 0; t < DAYS; t++) {
            r[2 * t] = 0.01;
            r[2 * t + 1] = t == day ? 2.0 : 0.0; /* three times as dear: a short of it is lost */
        }
        const uint32_t index[6] = {0, 1, 0, 1, 0, 1};
        const double weights[6] = {0.5, 0.5, 1.5, -0.5, 1.8, -0.8};
        const double next[6] = {1.0, 0.0, 1.0, 0.0, 1.0, 0.0};
        double lines[TL_ACCOUNT_LINES(DAYS, 2)];
        double out[3 * DAYS];
        double turnovers[3];
        assert_int_equal(tl_account_growth(lines, r, DAYS, 2, 2, NULL), TL_OK);
        const tl_account_span span = {lines, DAYS, 2};
        const tl_account_holding all = {3, 2, index, weights, next};
        const tl_account_out where = {out, DAYS, turnovers, 1};
        assert_int_equal(tl_account_hold(&where, &span, &all, NULL), TL_OK);
        assert_true(turnovers[0] > 0.0 && turnovers[1] > 0.0 && turnovers[2] == 0.0);
        double drifted[2] = {1.8, -0.8};
        double expected[DAYS];
        tl_account_returns(expected, drifted, r, DAYS, 2, 2);
        for (size_t t = 0; t < DAYS; t++) {
            assert_true(out[t] > -1.0 && out[DAYS + t] > -1.0);
            assert_true(is_near(out[2 * DAYS + t], expected[t]));
        }
        assert_true(out[2 * DAYS + day] == -1.0);
        assert_true(day + 1 == DAYS || out[2 * DAYS + day + 1] == 0.0);
    }
}

static void what_has_no_measure_is_refused(void **state)
{
    (void)state;
    enum { DAYS = 9 };
    double lines[TL_ACCOUNT_LINES(DAYS, 2)];
    double r[DAYS * 2];
    for (size_t t = 0; t < DAYS; t++) {
        r[2 * t] = 1e7;
        r[2 * t + 1] = 0.0;
    }
    assert_int_equal(tl_account_growth(lines, r, 1, 2, 2, NULL), TL_OK);
    assert_int_equal(tl_account_growth(lines, r, 2, 2, 2, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_account_growth(lines, r, DAYS, 2, 2, NULL), TL_ERR_RANGE);

    assert_int_equal(tl_account_growth(lines, r, 1, 2, 2, NULL), TL_OK);
    const tl_account_span span = {lines, 1, 2};
    const uint32_t index[2] = {0, 1};
    const double fine[2] = {1.0, 0.0};
    const double debts[2] = {2.0, -1.0};
    double earned;
    double turnover;
    const tl_account_out out = {&earned, 1, &turnover, 1};
    const tl_account_holding held = {1, 2, index, fine, NULL};
    assert_int_equal(tl_account_hold(&out, &span, &held, NULL), TL_OK);
    const tl_account_holding indebted = {1, 2, index, debts, NULL};
    assert_int_equal(tl_account_hold(&out, &span, &indebted, NULL), TL_ERR_RANGE);
    const double far[2] = {4e9, 0.0};
    const tl_account_holding to_far = {1, 2, index, fine, far};
    assert_int_equal(tl_account_hold(&out, &span, &to_far, NULL), TL_ERR_RANGE);
    const double not_a_number[2] = {(double)NAN, 0.0};
    const tl_account_holding to_nowhere = {1, 2, index, fine, not_a_number};
    assert_int_equal(tl_account_hold(&out, &span, &to_nowhere, NULL), TL_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holding_is_drifting_without_the_steps),
        cmocka_unit_test(a_day_is_the_dot_product_of_weights_and_growth),
        cmocka_unit_test(growth_compounds_and_its_last_day_fills_the_line),
        cmocka_unit_test(every_variant_gives_the_bits_of_the_definition),
        cmocka_unit_test(neighbours_do_not_matter),
        cmocka_unit_test(who_lost_everything_earns_nothing_and_trades_nothing),
        cmocka_unit_test(what_has_no_measure_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
