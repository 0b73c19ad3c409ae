/* Attacks the detectors at their limits, with undefined figures, ties, mirrors and gaps; the law
 * of runs against the Markov chain and against all sequences of short games. Figures of whole
 * cases: test/golden (app's tests). */
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
#include "core/quant/detect/detect.h"

#define DAYS 60

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static void rules_have_their_reason_codes(void **state)
{
    (void)state;
    assert_string_equal(tl_detect_rule_name(TL_DETECT_RULE_VARIANCE), "variance");
    assert_string_equal(tl_detect_rule_name(TL_DETECT_RULE_CORRELATION), "correlation");
    assert_string_equal(tl_detect_rule_name(TL_DETECT_RULE_FENCE_SWINGING), "fence_swinging");
    assert_string_equal(tl_detect_rule_name(TL_DETECT_RULE_CHURN), "churn");
    assert_string_equal(tl_detect_rule_name(TL_DETECT_RULE_STREAK), "streak");
}

/* Gains and losses of one size: mean shift, volatility about size * sqrt(252). */
static void swings(double *r, size_t n, double size, double shift)
{
    for (size_t i = 0; i < n; i++) {
        r[i] = (i % 2 == 0 ? size : -size) + shift;
    }
}

static void variance_needs_both_a_wild_record_and_a_poor_one(void **state)
{
    (void)state;
    double r[DAYS];
    tl_detect_variance v;
    swings(r, DAYS, 0.07, 0.0); /* 1.12 a year, Sharpe 0 */
    tl_detect_variance_run(&v, r, DAYS, 252);
    assert_true(v.evidence.is_flagged);
    assert_int_equal(v.evidence.rule, TL_DETECT_RULE_VARIANCE);
    assert_int_equal(v.evidence.days, DAYS);
    assert_int_equal(v.evidence.to, DAYS - 1);
    assert_true(v.evidence.peer == TL_DETECT_NO_PEER && v.evidence.limit == 1.0);
    swings(r, DAYS, 0.07, 0.01); /* Sharpe above 2 */
    tl_detect_variance_run(&v, r, DAYS, 252);
    assert_false(v.evidence.is_flagged);
    swings(r, DAYS, 0.06, 0.0); /* 0.96 a year */
    tl_detect_variance_run(&v, r, DAYS, 252);
    assert_false(v.evidence.is_flagged);
}

static void what_is_undefined_never_flags(void **state)
{
    (void)state; /* DETECT-1 */
    tl_arena *arena = new_arena();
    const double one[1] = {5.0};
    tl_detect_variance v;
    tl_detect_concentration c;
    tl_evidence e;
    const double weights[1] = {1.0};
    for (size_t n = 0; n <= 1; n++) {
        tl_detect_variance_run(&v, one, n, 252);
        assert_false(v.evidence.is_flagged);
        assert_int_equal(v.evidence.value.status, TL_METRIC_TOO_FEW);
        assert_int_equal(v.sharpe.status, TL_METRIC_TOO_FEW);
        tl_detect_concentration_run(&c, weights, 1, one, n, 252);
        assert_false(c.evidence.is_flagged);
        assert_true(c.evidence.value.value == 1.0);
    }
    tl_detect_concentration_run(&c, NULL, 0, NULL, 0, 252);
    assert_int_equal(c.effective_positions.status, TL_METRIC_ZERO_DENOMINATOR);
    assert_true(c.hhi == 0.0 && c.evidence.value.value == 0.0);
    const tl_corr_series own = {one, NULL};
    assert_int_equal(tl_detect_correlation_run(&e, own, 1, NULL, 0, arena, NULL), TL_OK);
    assert_false(e.is_flagged);
    assert_true(e.peer == TL_DETECT_NO_PEER && e.days == 0);
    assert_int_equal(e.value.status, TL_METRIC_TOO_FEW);
    tl_arena_free(arena);
}

static tl_detect_peer peer_of(const char *key, const double *values, const bool *missing)
{
    const tl_detect_peer p = {tl_str_bytes(tl_str_from_cstr(key)), {values, missing}};
    return p;
}

static void the_closest_peer_is_the_same_in_any_order(void **state)
{
    (void)state; /* DETECT-3 */
    tl_arena *arena = new_arena();
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    double own[DAYS];
    double doubled[DAYS];
    double other[DAYS];
    for (size_t t = 0; t < DAYS; t++) {
        own[t] = 0.02 * (tl_xoshiro_unit(&rng) - 0.5);
        doubled[t] = 2.0 * own[t];
        other[t] = 0.02 * (tl_xoshiro_unit(&rng) - 0.5);
    }
    tl_detect_peer peers[4] = {peer_of("m", other, NULL), peer_of("z", own, NULL),
                               peer_of("b", doubled, NULL), peer_of("k", own, NULL)};
    const tl_corr_series mine = {own, NULL};
    for (size_t turn = 0; turn < 4; turn++) {
        const tl_detect_peer first = peers[0];
        memmove(peers, peers + 1, 3 * sizeof peers[0]);
        peers[3] = first;
        tl_evidence e;
        assert_int_equal(tl_detect_correlation_run(&e, mine, DAYS, peers, 4, arena, NULL), TL_OK);
        assert_true(e.is_flagged);
        assert_int_equal(peers[e.peer].key.ptr[0], 'b'); /* three are equally close */
        assert_int_equal(e.days, DAYS);
    }
    const tl_detect_peer same_key[2] = {peer_of("a", own, NULL), peer_of("a", own, NULL)};
    tl_evidence e;
    assert_int_equal(tl_detect_correlation_run(&e, mine, DAYS, same_key, 2, arena, NULL), TL_OK);
    assert_int_equal(e.peer, 0);
    tl_arena_free(arena);
}

static void thirty_common_days_make_a_candidate_and_twenty_nine_do_not(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 2);
    double own[DAYS];
    bool missing[DAYS];
    for (size_t t = 0; t < DAYS; t++) {
        own[t] = tl_xoshiro_unit(&rng) - 0.5;
    }
    const tl_corr_series mine = {own, NULL};
    const tl_detect_peer peer = peer_of("p", own, missing);
    for (size_t have = 29; have <= 30; have++) {
        for (size_t t = 0; t < DAYS; t++) {
            missing[t] = t < 10 || t >= 10 + have;
        }
        tl_evidence e;
        assert_int_equal(tl_detect_correlation_run(&e, mine, DAYS, &peer, 1, arena, NULL), TL_OK);
        assert_int_equal(e.is_flagged, have == 30);
        assert_int_equal(e.days, have == 30 ? 30 : 0);
        assert_int_equal(e.from, have == 30 ? 10 : 0);
        assert_int_equal(e.to, have == 30 ? 39 : 0);
    }
    tl_arena_free(arena);
}

static void a_mirror_and_a_flat_peer_never_flag(void **state)
{
    (void)state; /* DETECT-2 */
    tl_arena *arena = new_arena();
    double own[DAYS];
    double mirror[DAYS];
    double flat[DAYS];
    for (size_t t = 0; t < DAYS; t++) {
        own[t] = 0.01 * (double)(t * t % 17) - 0.05;
        mirror[t] = -own[t];
        flat[t] = 0.001;
    }
    const tl_corr_series mine = {own, NULL};
    const tl_detect_peer peers[2] = {peer_of("flat", flat, NULL), peer_of("mirror", mirror, NULL)};
    tl_evidence e;
    assert_int_equal(tl_detect_correlation_run(&e, mine, DAYS, peers, 2, arena, NULL), TL_OK);
    assert_int_equal(e.peer, 1);
    assert_true(e.value.value < -0.999 && !e.is_flagged);
    assert_int_equal(tl_detect_correlation_run(&e, mine, DAYS, peers, 1, arena, NULL), TL_OK);
    assert_true(e.peer == TL_DETECT_NO_PEER);
    tl_arena_free(arena);
}

static void fence_swinging_needs_weight_and_wildness(void **state)
{
    (void)state;
    double r[DAYS];
    tl_detect_concentration c;
    const double heavy[5] = {0.15, 0.1, 0.2, 0.2, 0.05}; /* 0.55, the limit itself */
    const double light[5] = {0.15, 0.1, 0.2, 0.1999, 0.05};
    swings(r, DAYS, 0.04, 0.0); /* 0.64 a year */
    tl_detect_concentration_run(&c, heavy, 5, r, DAYS, 252);
    assert_true(c.evidence.is_flagged);
    assert_true(fabs(c.evidence.value.value - 0.55) < 1e-15);
    assert_true(fabs(c.hhi - 0.115) < 1e-15);
    assert_true(fabs(c.effective_positions.value - 1.0 / 0.115) < 1e-12);
    tl_detect_concentration_run(&c, light, 5, r, DAYS, 252);
    assert_false(c.evidence.is_flagged);
    swings(r, DAYS, 0.03, 0.0); /* 0.48 */
    tl_detect_concentration_run(&c, heavy, 5, r, DAYS, 252);
    assert_false(c.evidence.is_flagged);
    const double two[2] = {-0.5, 0.6}; /* fewer than three: all of them */
    tl_detect_concentration_run(&c, two, 2, r, DAYS, 252);
    assert_true(fabs(c.evidence.value.value - 0.1) < 1e-15);
    const double five[5] = {-0.1, -0.2, -0.3, -0.4, -0.5};
    tl_detect_concentration_run(&c, five, 5, r, DAYS, 252);
    assert_true(fabs(c.evidence.value.value + 0.6) < 1e-15);
}

static void the_three_largest_are_found_wherever_they_stand(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 3);
    for (size_t round = 0; round < 2000; round++) {
        double w[12];
        const size_t count = (size_t)tl_xoshiro_below(&rng, 13);
        for (size_t i = 0; i < count; i++) {
            w[i] = (double)tl_xoshiro_below(&rng, 7) - 2.0;
        }
        tl_detect_concentration c;
        tl_detect_concentration_run(&c, w, count, NULL, 0, 252);
        double left[12];
        memcpy(left, w, sizeof left);
        double sum = 0.0;
        for (size_t k = 0; k < 3 && k < count; k++) {
            size_t best = 0;
            for (size_t i = 0; i < count; i++) {
                best = left[i] > left[best] ? i : best;
            }
            sum += left[best];
            left[best] = -100.0;
        }
        assert_true(c.evidence.value.value == sum);
    }
}

static void churn_is_severe_from_twenty_on_and_never_above_a_half(void **state)
{
    (void)state;
    struct {
        double churn;
        bool is_flagged;
        double severity;
    } const rows[] = {{0.0, false, 0.0},  {20.0, false, 0.0}, {20.0000001, true, 2.5e-9},
                      {30.0, true, 0.25}, {40.0, true, 0.5},  {1e9, true, 0.5}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        tl_detect_churn c;
        tl_detect_churn_run(&c, rows[k].churn);
        assert_int_equal(c.evidence.is_flagged, rows[k].is_flagged);
        assert_true(fabs(c.severity - rows[k].severity) < 1e-15);
        assert_true(c.evidence.value.value == rows[k].churn);
    }
}

static void nine_gains_in_a_row_flag_and_eight_do_not(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    double r[30];
    for (size_t length = 8; length <= 9; length++) {
        for (size_t t = 0; t < 30; t++) {
            r[t] = t >= 5 && t < 5 + length ? 0.01 : (t % 2 == 0 ? 0.0 : -0.01);
        }
        tl_detect_streak s;
        assert_int_equal(tl_detect_streak_run(&s, r, 30, arena, NULL), TL_OK);
        assert_int_equal(s.evidence.is_flagged, length == 9);
        assert_true(s.evidence.value.value == (double)length);
        assert_int_equal(s.evidence.from, 5);
        assert_int_equal(s.evidence.to, 4 + length);
        assert_true(s.probability > 0.0 && s.probability < 0.05);
    }
    tl_detect_streak none;
    assert_int_equal(tl_detect_streak_run(&none, NULL, 0, arena, NULL), TL_OK);
    assert_true(none.probability == 1.0 && none.evidence.value.value == 0.0);
    for (size_t t = 0; t < 30; t++) {
        r[t] = 0.01;
    }
    assert_int_equal(tl_detect_streak_run(&none, r, 30, arena, NULL), TL_OK);
    assert_true(none.probability == 1.0 && none.evidence.is_flagged);
    tl_arena_free(arena);
}

/* The spec's chain: the current run, 0 to length - 1, and an absorbing end. */
static double chain(size_t n, size_t length, double p)
{
    double run[64] = {1.0};
    double done = 0.0;
    for (size_t t = 0; t < n; t++) {
        double next[64] = {0.0};
        done += run[length - 1] * p;
        for (size_t k = 0; k < length; k++) {
            next[0] += run[k] * (1.0 - p);
            if (k + 1 < length) {
                next[k + 1] = run[k] * p;
            }
        }
        memcpy(run, next, sizeof run);
    }
    return done;
}

static void the_law_of_runs_is_that_of_the_chain(void **state)
{
    (void)state; /* DETECT-4 */
    tl_arena *arena = new_arena();
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 4);
    for (size_t round = 0; round < 2000; round++) {
        const size_t n = (size_t)tl_xoshiro_below(&rng, 400);
        const size_t length = 1 + (size_t)tl_xoshiro_below(&rng, 30);
        const double p = round % 50 == 0 ? 1.0 : tl_xoshiro_unit(&rng);
        double got;
        assert_int_equal(tl_detect_run_probability(&got, n, length, p, arena, NULL), TL_OK);
        const double want = chain(n, length, p);
        assert_true(got >= 0.0 && got <= 1.0);
        assert_true(fabs(got - want) <= 1e-12 * want + 1e-300);
    }
    double got;
    assert_int_equal(tl_detect_run_probability(&got, 5, 0, 0.5, arena, NULL), TL_OK);
    assert_true(got == 1.0);
    assert_int_equal(tl_detect_run_probability(&got, 5, 3, 0.0, arena, NULL), TL_OK);
    assert_true(got == 0.0);
    tl_arena_free(arena);
}

static void the_law_of_runs_counts_all_short_games(void **state)
{
    (void)state; /* every sequence of up to 12 fair trials */
    tl_arena *arena = new_arena();
    for (size_t n = 1; n <= 12; n++) {
        for (size_t length = 1; length <= n + 1; length++) {
            size_t holds = 0;
            for (size_t game = 0; game < (size_t)1 << n; game++) {
                size_t run = 0;
                size_t longest = 0;
                for (size_t t = 0; t < n; t++) {
                    run = (game >> t & 1) != 0 ? run + 1 : 0;
                    longest = run > longest ? run : longest;
                }
                holds += longest >= length;
            }
            double got;
            assert_int_equal(tl_detect_run_probability(&got, n, length, 0.5, arena, NULL), TL_OK);
            assert_true(got == (double)holds / (double)((size_t)1 << n)); /* all are dyadic */
        }
    }
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
    for (size_t t = 0; t < N; t++) {
        r[t] = 0.01;
    }
    const tl_corr_series mine = {r, NULL};
    const tl_detect_peer peer = peer_of("p", r, NULL);
    size_t failures = 0;
    for (size_t blocks = 1; blocks < 8; blocks++) {
        size_t left = blocks;
        const tl_allocator allocator = {&left, fail_later, release};
        tl_arena *arena = NULL;
        if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
            continue;
        }
        tl_detect_streak s;
        tl_evidence e;
        const tl_err streak = tl_detect_streak_run(&s, r, N, arena, NULL);
        const tl_err peers = tl_detect_correlation_run(&e, mine, N, &peer, 1, arena, NULL);
        assert_true(streak == TL_OK || streak == TL_ERR_NOMEM);
        assert_true(peers == TL_OK || peers == TL_ERR_NOMEM);
        failures += streak == TL_ERR_NOMEM;
        failures += peers == TL_ERR_NOMEM;
        tl_arena_free(arena);
    }
    assert_true(failures >= 2 && failures < 14);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_have_their_reason_codes),
        cmocka_unit_test(variance_needs_both_a_wild_record_and_a_poor_one),
        cmocka_unit_test(what_is_undefined_never_flags),
        cmocka_unit_test(the_closest_peer_is_the_same_in_any_order),
        cmocka_unit_test(thirty_common_days_make_a_candidate_and_twenty_nine_do_not),
        cmocka_unit_test(a_mirror_and_a_flat_peer_never_flag),
        cmocka_unit_test(fence_swinging_needs_weight_and_wildness),
        cmocka_unit_test(the_three_largest_are_found_wherever_they_stand),
        cmocka_unit_test(churn_is_severe_from_twenty_on_and_never_above_a_half),
        cmocka_unit_test(nine_gains_in_a_row_flag_and_eight_do_not),
        cmocka_unit_test(the_law_of_runs_is_that_of_the_chain),
        cmocka_unit_test(the_law_of_runs_counts_all_short_games),
        cmocka_unit_test(running_out_of_memory_is_an_error_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
