/* Attacks the bootstrap: the fast resampler against the definition's indices, shards against
 * single runs, undefined statistics, options out of bounds, block lengths without an answer,
 * memory that runs out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/quant/boot/boot_internal.h"

#define N_MAX 70

static const tl_boot_options plain = {
    .mean_block = 4.0, .resamples = 200, .level = 0.9, .rf = 0.0, .periods = 252.0};

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static void any_series(double *r, size_t n, tl_xoshiro *rng)
{
    for (size_t i = 0; i < n; i++) {
        r[i] = 0.03 * (tl_xoshiro_unit(rng) - 0.48);
    }
}

static void the_fast_resampler_draws_the_definitions_indices(void **state)
{
    (void)state; /* BOOT-2 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    const double lengths[] = {1.0, 1.0000001, 1.5, 3.0, 10.0, 1e3, 1e9};
    for (size_t round = 0; round < 700; round++) {
        const double length = lengths[round % 7];
        const size_t n = 1 + (size_t)tl_xoshiro_below(&rng, N_MAX);
        double twice[2 * N_MAX];
        for (size_t i = 0; i < 2 * n; i++) {
            twice[i] = (double)(i % n);
        }
        tl__boot_draw draw = {.twice = twice, .n = n, .threshold = tl__boot_threshold(length)};
        tl_xoshiro_seed(&draw.rng, round);
        tl_xoshiro slow;
        tl_xoshiro_seed(&slow, round);
        for (size_t resample = 0; resample < 3; resample++) { /* one generator runs through all */
            double values[N_MAX];
            uint32_t indices[N_MAX];
            tl__boot_resample(values, &draw);
            tl_boot_indices(indices, n, length, &slow);
            for (size_t i = 0; i < n; i++) {
                assert_true(indices[i] < n);
                assert_true(values[i] == (double)indices[i]);
            }
        }
        assert_memory_equal(&draw.rng, &slow, sizeof slow);
    }
}

/* Rows of all eight lanes, made and taken in a ring that is as small as allowed. */
static void take_lanes(tl__boot_fill *fill, size_t n, double length, size_t resamples)
{
    tl_arena *arena = new_arena();
    tl__boot_streams s = {.rows = tl__boot_streams_rows(n),
                          .threshold = tl__boot_threshold(length)};
    s.draws = tl_arena_alloc(arena, (size_t)s.rows, sizeof *s.draws, sizeof *s.draws);
    s.hits = tl_arena_alloc(arena, (size_t)s.rows / 64, sizeof *s.hits, sizeof *s.hits);
    assert_true(s.draws != NULL && s.hits != NULL);
    tl_xoshiro slow[TL__BOOT_LANES];
    for (size_t k = 0; k < TL__BOOT_LANES; k++) {
        tl_xoshiro_seed(&slow[k], 1000 * n + k);
        for (size_t i = 0; i < 4; i++) {
            s.state[i][k] = slow[k].s[i];
        }
    }
    double twice[2 * N_MAX + TL__BOOT_SLACK] = {0};
    for (size_t i = 0; i < 2 * n; i++) {
        twice[i] = (double)(i % n);
    }
    uint64_t at[TL__BOOT_LANES] = {0};
    for (size_t resample = 0; resample < resamples; resample++) {
        for (size_t k = 0; k < TL__BOOT_LANES; k++) {
            uint64_t behind = at[0];
            for (size_t j = 1; j < TL__BOOT_LANES; j++) {
                behind = at[j] < behind ? at[j] : behind;
            }
            fill(&s, (size_t)(s.rows - (s.end - behind)) / 64);
            double values[N_MAX + TL__BOOT_SLACK];
            uint32_t indices[N_MAX];
            tl__boot_take(values, twice, n, &s, k, &at[k]);
            tl_boot_indices(indices, n, length, &slow[k]);
            for (size_t i = 0; i < n; i++) {
                assert_true(values[i] == (double)indices[i]);
            }
        }
    }
    tl_arena_free(arena);
}

static void eight_streams_draw_what_each_series_draws_alone(void **state)
{
    (void)state; /* BOOT-1, BOOT-2 */
    tl__boot_fill *variants[3] = {tl__boot_fill_portable, tl__boot_fill_best(), NULL};
#if TL__BOOT_WITH_X86
    variants[2] = tl__boot_has_avx2() ? tl__boot_fill_avx2 : NULL;
#endif
    const double lengths[] = {1.0, 1.5, 3.0, 10.0, 100.0, 1e9};
    for (size_t v = 0; v < 3 && variants[v] != NULL; v++) {
        for (size_t n = 1; n <= N_MAX; n += n < 20 ? 1 : 7) {
            for (size_t k = 0; k < 6; k++) {
                take_lanes(variants[v], n, lengths[k], 25);
            }
        }
    }
}

static void a_unit_is_below_p_exactly_when_its_integer_is_below_the_threshold(void **state)
{
    (void)state;
    assert_int_equal(tl__boot_threshold(1.0), UINT64_C(1) << 53);
    assert_int_equal(tl__boot_threshold(4.0), UINT64_C(1) << 51);
    const double lengths[] = {1.1, 3.0, 7.0, 10.0, 1e5, 1e9};
    for (size_t k = 0; k < 6; k++) {
        const double p = 1.0 / lengths[k];
        const uint64_t at = tl__boot_threshold(lengths[k]);
        assert_true((double)(at - 1) * 0x1p-53 < p);
        assert_false((double)at * 0x1p-53 < p);
    }
}

static void blocks_have_the_mean_length_asked_for(void **state)
{
    (void)state;
    enum { N = 100000 };
    uint32_t *indices = calloc(N, sizeof *indices);
    assert_non_null(indices);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 5);
    tl_boot_indices(indices, N, 20.0, &rng);
    size_t blocks = 1;
    for (size_t i = 1; i < N; i++) {
        blocks += indices[i] != (indices[i - 1] + 1) % N;
    }
    assert_true(blocks > N / 20 - 500 && blocks < N / 20 + 500);
    free(indices);
}

static void a_shard_gives_what_the_series_gives_alone(void **state)
{
    (void)state; /* BOOT-1 */
    enum {
        SERIES = 21,
        N = 30,
        STATS = 3
    }; /* eight, eight and five; shards of other sizes below */
    const tl_boot_stat stats[STATS] = {TL_BOOT_SHARPE, TL_BOOT_MAX_DRAWDOWN, TL_BOOT_MEAN};
    double r[SERIES * N];
    uint64_t seeds[SERIES];
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 2);
    any_series(r, SERIES * N, &rng);
    for (size_t s = 0; s < SERIES; s++) {
        seeds[s] = 100 + s;
    }
    tl_arena *arena = new_arena();
    tl_boot_result whole[SERIES * STATS];
    tl_boot_result parts[SERIES * STATS];
    memset(whole, 0, sizeof whole);
    memset(parts, 0, sizeof parts);
    assert_int_equal(
        tl_boot_batch(whole, r, N, seeds, 0, SERIES, stats, STATS, &plain, arena, NULL), TL_OK);
    assert_int_equal(
        tl_boot_batch(parts, r, N, seeds, 12, SERIES, stats, STATS, &plain, arena, NULL), TL_OK);
    assert_true(parts[0].point.value == 0.0); /* rows outside the shard are not touched */
    assert_int_equal(tl_boot_batch(parts, r, N, seeds, 0, 12, stats, STATS, &plain, arena, NULL),
                     TL_OK);
    for (size_t s = 0; s < SERIES; s++) {
        tl_boot_result alone[STATS];
        assert_int_equal(
            tl_boot_run(alone, r + s * N, N, stats, STATS, seeds[s], &plain, arena, NULL), TL_OK);
        for (size_t k = 0; k < STATS; k++) {
            const tl_boot_result *a = &alone[k];
            const tl_boot_result *b = &whole[s * STATS + k];
            const tl_boot_result *c = &parts[s * STATS + k];
            assert_true(a->percentile.lower.value == b->percentile.lower.value);
            assert_true(a->percentile.upper.value == b->percentile.upper.value);
            assert_true(a->standard_error.value == b->standard_error.value);
            assert_true(b->standard_error.value == c->standard_error.value);
            assert_true(b->basic.lower.value == c->basic.lower.value);
        }
    }
    tl_arena_free(arena);
}

static void intervals_hold_their_order_and_mirror_each_other(void **state)
{
    (void)state; /* BOOT-3, BOOT-4 */
    tl_arena *arena = new_arena();
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 3);
    tl_boot_stat stats[TL_BOOT_STAT_COUNT];
    for (unsigned k = 0; k < TL_BOOT_STAT_COUNT; k++) {
        stats[k] = (tl_boot_stat)k;
    }
    assert_string_equal(tl_boot_stat_name(TL_BOOT_MEAN), "mean");
    assert_string_equal(tl_boot_stat_name(TL_BOOT_CALMAR), "calmar");
    for (size_t round = 0; round < 60; round++) {
        double r[N_MAX];
        const size_t n = (size_t)tl_xoshiro_below(&rng, N_MAX);
        any_series(r, n, &rng);
        tl_boot_result out[TL_BOOT_STAT_COUNT];
        assert_int_equal(
            tl_boot_run(out, r, n, stats, TL_BOOT_STAT_COUNT, round, &plain, arena, NULL), TL_OK);
        for (size_t k = 0; k < TL_BOOT_STAT_COUNT; k++) {
            const tl_boot_result *o = &out[k];
            assert_int_equal(o->percentile.lower.status, o->percentile.upper.status);
            assert_true(o->skipped <= plain.resamples);
            if (o->skipped * 20 > plain.resamples) {
                assert_int_equal(o->percentile.lower.status, TL_METRIC_TOO_FEW);
                assert_int_equal(o->basic.upper.status, TL_METRIC_TOO_FEW);
                assert_int_equal(o->standard_error.status, TL_METRIC_TOO_FEW);
                continue;
            }
            assert_true(o->percentile.lower.value <= o->percentile.upper.value);
            assert_true(o->basic.lower.value <= o->basic.upper.value);
            assert_true(o->standard_error.value >= 0.0);
            if (o->basic.lower.status == TL_METRIC_OK) {
                assert_true(o->basic.lower.value + 0.0 ==
                            2.0 * o->point.value - o->percentile.upper.value + 0.0);
            }
        }
    }
    tl_arena_free(arena);
}

static void resamples_without_a_value_are_skipped_up_to_one_in_twenty(void **state)
{
    (void)state; /* BOOT-4 */
    tl_arena *arena = new_arena();
    const tl_boot_stat sortino = TL_BOOT_SORTINO;
    double r[40];
    tl_boot_result few;
    tl_boot_result many;
    tl_boot_result none;
    for (size_t losses = 0; losses <= 6; losses += 3) {
        for (size_t i = 0; i < 40; i++) {
            r[i] = i < losses ? -0.01 : 0.01; /* (37/40)^40 = 4.4 % of the resamples have no loss */
        }
        const tl_boot_options options = {1.0, 1000, 0.95, 0.0, 252};
        tl_boot_result *out = losses == 0 ? &none : (losses == 3 ? &few : &many);
        assert_int_equal(tl_boot_run(out, r, 40, &sortino, 1, 7, &options, arena, NULL), TL_OK);
    }
    assert_int_equal(none.skipped, 1000);
    assert_int_equal(none.point.status, TL_METRIC_ZERO_DENOMINATOR);
    assert_int_equal(none.percentile.lower.status, TL_METRIC_TOO_FEW);
    assert_true(few.skipped > 0 && few.skipped <= 60);
    assert_int_equal(few.percentile.lower.status,
                     few.skipped > 50 ? TL_METRIC_TOO_FEW : TL_METRIC_OK);
    assert_true(many.skipped < few.skipped);
    assert_int_equal(many.standard_error.status, TL_METRIC_OK);
    tl_arena_free(arena);
}

static void one_resample_has_an_interval_but_no_error(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const double r[3] = {0.01, -0.02, 0.03};
    const tl_boot_stat mean = TL_BOOT_MEAN;
    const tl_boot_options options = {2.0, 1, 0.95, 0.0, 252};
    tl_boot_result out;
    assert_int_equal(tl_boot_run(&out, r, 3, &mean, 1, 7, &options, arena, NULL), TL_OK);
    assert_true(out.percentile.lower.value == out.percentile.upper.value);
    assert_int_equal(out.standard_error.status, TL_METRIC_TOO_FEW);
    assert_int_equal(tl_boot_run(&out, NULL, 0, &mean, 1, 7, &options, arena, NULL), TL_OK);
    assert_int_equal(out.point.status, TL_METRIC_TOO_FEW);
    assert_int_equal(out.percentile.upper.status, TL_METRIC_TOO_FEW);
    tl_arena_free(arena);
}

static void what_passes_the_range_of_doubles_has_a_status_and_no_value(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_boot_options options = plain;
    options.periods = 252000.0; /* growth of a year is growth to the power of thousands */
    double r[60];
    for (size_t i = 0; i < 60; i++) {
        r[i] = i % 3 == 0 ? 0.02 : -0.009;
    }
    const tl_boot_stat cagr = TL_BOOT_CAGR;
    tl_boot_result out = {0};
    assert_int_equal(tl_boot_run(&out, r, 60, &cagr, 1, 7, &options, arena, NULL), TL_OK);
    assert_int_equal(out.standard_error.status, TL_METRIC_TOO_LARGE);
    assert_true(out.standard_error.value == 0.0);
    tl_arena_free(arena);
}

static void options_out_of_bounds_are_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const double r[2] = {0.01, -0.01};
    const tl_boot_stat mean = TL_BOOT_MEAN;
    const tl_boot_options bad[] = {
        {0.999, 10, 0.9, 0, 252},    {(double)NAN, 10, 0.9, 0, 252},
        {1e10, 10, 0.9, 0, 252},     {(double)INFINITY, 10, 0.9, 0, 52},
        {2, 0, 0.9, 0, 252},         {2, TL_BOOT_RESAMPLES_MAX + 1, 0.9, 0, 1},
        {2, 10, 0.0, 0, 252},        {2, 10, 1.0, 0, 252},
        {2, 10, (double)NAN, 0, 252}};
    tl_boot_result out;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        assert_int_equal(tl_boot_run(&out, r, 2, &mean, 1, 1, &bad[k], arena, NULL), TL_ERR_RANGE);
    }
    assert_int_equal(
        tl_boot_run(&out, r, TL_SERIES_PERIODS_MAX + 1, &mean, 1, 1, &plain, arena, NULL),
        TL_ERR_RANGE);
    tl_arena_free(arena);
}

static void a_miners_seed_is_its_own(void **state)
{
    (void)state;
    uint8_t key[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint64_t mixed = UINT64_C(42) ^ UINT64_C(0x0807060504030201);
    assert_int_equal(tl_boot_seed(42, key), tl_splitmix64(&mixed));
    const uint64_t before = tl_boot_seed(42, key);
    key[8] ^= 1; /* beyond the first eight bytes */
    assert_int_equal(tl_boot_seed(42, key), before);
    key[0] ^= 1;
    assert_int_not_equal(tl_boot_seed(42, key), before);
}

static void block_lengths_state_their_zero_cases(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    double r[40];
    tl_metric m;
    for (size_t i = 0; i < 40; i++) {
        r[i] = i % 2 == 0 ? 0.01 : -0.01;
    }
    assert_int_equal(tl_boot_block_length(&m, r, 10, arena, NULL), TL_OK);
    assert_int_equal(m.status, TL_METRIC_TOO_FEW);
    assert_int_equal(tl_boot_block_length(&m, r, 11, arena, NULL), TL_OK);
    assert_int_equal(m.status, TL_METRIC_OK);
    assert_int_equal(tl_boot_block_length(&m, r, 40, arena, NULL), TL_OK);
    assert_true(m.status == TL_METRIC_OK && m.value >= 0.0 && m.value <= 14.0); /* ceil(40 / 3) */
    for (size_t i = 0; i < 40; i++) {
        r[i] = 0.01;
    }
    assert_int_equal(tl_boot_block_length(&m, r, 40, arena, NULL), TL_OK);
    assert_int_equal(m.status, TL_METRIC_ZERO_DENOMINATOR);
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
    enum { N = 40000 };
    double *r = calloc(N, sizeof *r);
    assert_non_null(r);
    r[1] = 0.5;
    const tl_boot_stat mean = TL_BOOT_MEAN;
    const tl_boot_options options = {10.0, 2, 0.9, 0, 252};
    size_t failures = 0;
    tl_boot_result out;
    tl_metric length;
    for (size_t blocks = 1; blocks < 10; blocks++) {
        size_t left = blocks;
        const tl_allocator allocator = {&left, fail_later, release};
        tl_arena *arena = NULL;
        if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
            continue;
        }
        tl_err err = tl_boot_run(&out, r, N, &mean, 1, 1, &options, arena, NULL);
        if (err == TL_OK) {
            err = tl_boot_block_length(&length, r, 1000, arena, NULL);
        }
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        failures += err == TL_ERR_NOMEM;
        tl_arena_free(arena);
    }
    assert_true(failures >= 1 && failures < 9);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_resampler_draws_the_definitions_indices),
        cmocka_unit_test(eight_streams_draw_what_each_series_draws_alone),
        cmocka_unit_test(a_unit_is_below_p_exactly_when_its_integer_is_below_the_threshold),
        cmocka_unit_test(blocks_have_the_mean_length_asked_for),
        cmocka_unit_test(a_shard_gives_what_the_series_gives_alone),
        cmocka_unit_test(intervals_hold_their_order_and_mirror_each_other),
        cmocka_unit_test(resamples_without_a_value_are_skipped_up_to_one_in_twenty),
        cmocka_unit_test(one_resample_has_an_interval_but_no_error),
        cmocka_unit_test(what_passes_the_range_of_doubles_has_a_status_and_no_value),
        cmocka_unit_test(options_out_of_bounds_are_refused),
        cmocka_unit_test(a_miners_seed_is_its_own),
        cmocka_unit_test(block_lengths_state_their_zero_cases),
        cmocka_unit_test(running_out_of_memory_is_an_error_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
