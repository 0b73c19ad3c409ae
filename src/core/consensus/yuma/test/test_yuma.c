/* The room's edges: bad input, memory that fails, mechanisms, commits, and the small operations against naive ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/consensus/yuma/test/world.h"

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* A world that has something of everything. */
static void some_world(world *w, uint64_t seed)
{
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    do {
        world_random(w, &rng);
    } while (w->input.n < 4 || w->weight_starts[w->input.n] < 8 || w->bond_starts[w->input.n] < 4);
}

static void bad_input_is_an_error_with_its_field(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    tl_yuma_output out;
    tl_errctx ctx = TL_ERRCTX_INIT;
    some_world(&w, 1);
    w.input.n = TL_YUMA_NEURONS_MAX + 1;
    assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, &ctx), TL_ERR_LIMIT);
    assert_string_equal(ctx.field, "n");
    some_world(&w, 1);
    w.params.owner_uid = (int32_t)w.input.n;
    assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.field, "owner_uid");
    some_world(&w, 1);
    w.weight_starts[1] = w.weight_starts[2] + 1;
    assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.field, "weights");
    some_world(&w, 1);
    w.bond_starts[w.input.n] = w.bond_starts[w.input.n - 1] + TL_YUMA_NEURONS_MAX + 1;
    assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, &ctx), TL_ERR_LIMIT);
    assert_string_equal(ctx.field, "bonds");
    tl_arena_free(arena);
}

static void an_empty_subnet_has_an_empty_epoch(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    some_world(&w, 2);
    w.input.n = 0;
    w.params.owner_uid = TL_YUMA_NO_OWNER;
    tl_yuma_output out;
    assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, NULL), TL_OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(out.bonds.starts[0], 0);
    tl_arena_free(arena);
}

static void uids_above_n_are_skipped(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    some_world(&w, 3);
    tl_yuma_output plain;
    tl_yuma_output padded;
    assert_int_equal(tl_yuma_epoch(arena, &plain, &w.input, NULL), TL_OK);
    const size_t n = w.input.n;
    w.weights[w.weight_starts[n]++] = (tl_yuma_entry){(uint16_t)n, 7}; /* in the last row */
    w.bonds[w.bond_starts[n]++] = (tl_yuma_entry){UINT16_MAX, 7};
    assert_int_equal(tl_yuma_epoch(arena, &padded, &w.input, NULL), TL_OK);
    assert_memory_equal(plain.dividends_raw, padded.dividends_raw, n * sizeof(tl_i32f32));
    assert_memory_equal(plain.incentive_raw, padded.incentive_raw, n * sizeof(tl_i32f32));
    tl_arena_free(arena);
}

/* The n-th allocation fails. */
typedef struct failing {
    size_t left;
} failing;

static void *failing_alloc(void *self, size_t len)
{
    failing *f = self;
    if (f->left == 0) {
        return NULL;
    }
    f->left--;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void failing_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    world w;
    some_world(&w, 4);
    tl_err err = TL_ERR_NOMEM;
    size_t failures = 0;
    for (size_t count = 1; err != TL_OK; count++) {
        failing f = {count};
        const tl_allocator allocator = {&f, failing_alloc, failing_release};
        tl_arena *arena = NULL;
        assert_int_equal(tl_arena_new(&arena, NULL, 0, &allocator, NULL), TL_OK);
        tl_yuma_output out;
        err = tl_yuma_epoch(arena, &out, &w.input, NULL);
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        failures += err != TL_OK;
        tl_arena_free(arena);
        assert_true(count < 200);
    }
    assert_true(failures > 1);
    for (size_t limit = 64; limit < 2048; limit += 64) { /* and so may the ceiling */
        tl_arena *arena = NULL;
        assert_int_equal(tl_arena_new(&arena, NULL, limit, NULL, NULL), TL_OK);
        tl_yuma_output out;
        assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, NULL), TL_ERR_LIMIT);
        tl_arena_free(arena);
    }
}

static void mechanisms_are_checked_and_one_is_the_epoch_itself(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    some_world(&w, 5);
    tl_yuma_output direct;
    tl_yuma_output merged;
    tl_yuma_output each[1];
    const tl_yuma_mechanism mechanism = {w.updated, NULL, w.input.weights, w.input.bonds};
    const uint64_t amount = w.input.rao_emission;
    assert_int_equal(tl_yuma_epoch(arena, &direct, &w.input, NULL), TL_OK);
    assert_int_equal(
        tl_yuma_mechanisms(arena, &merged, each, &w.input, &mechanism, &amount, 1, amount, NULL),
        TL_OK);
    const size_t n = w.input.n;
    assert_memory_equal(direct.consensus, merged.consensus, n * sizeof(uint16_t));
    assert_memory_equal(direct.dividends, merged.dividends, n * sizeof(uint16_t));
    assert_memory_equal(direct.emission, merged.emission, n * sizeof(uint64_t));
    assert_memory_equal(direct.validator_permit, merged.validator_permit, n * sizeof(bool));
    assert_int_equal(
        tl_yuma_mechanisms(arena, &merged, each, &w.input, &mechanism, &amount, 0, amount, NULL),
        TL_ERR_RANGE);
    assert_int_equal(tl_yuma_mechanisms(arena, &merged, each, &w.input, &mechanism, &amount,
                                        TL_YUMA_MECHANISMS_MAX + 1, amount, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_yuma_mechanisms(arena, &merged, each, &w.input, &mechanism, &amount, 1,
                                        amount - 1, NULL),
                     TL_ERR_RANGE);
    tl_arena_free(arena);
}

static void splits_hand_out_the_whole(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 6);
    for (int i = 0; i < 20000; i++) {
        const size_t count = 1 + (size_t)tl_xoshiro_below(&rng, TL_YUMA_MECHANISMS_MAX);
        const uint64_t emission = tl_xoshiro_next(&rng) >> (tl_xoshiro_next(&rng) & 63);
        uint16_t split[TL_YUMA_MECHANISMS_MAX];
        uint32_t left = UINT16_MAX;
        for (size_t m = 0; m < count; m++) {
            split[m] = (uint16_t)tl_xoshiro_below(&rng, left + 1);
            left -= split[m];
        }
        uint64_t amounts[TL_YUMA_MECHANISMS_MAX];
        const bool is_even = i % 3 == 0;
        tl_yuma_split_emission(amounts, count, emission, is_even ? NULL : split, count / 2 + 1);
        uint64_t sum = 0;
        for (size_t m = 0; m < count; m++) {
            sum += amounts[m];
        }
        assert_int_equal(sum, emission);
    }
}

static void the_first_live_commit_of_a_queue_counts(void **state)
{
    (void)state;
    const tl_yuma_commit commits[] = {
        {0, false, 1, 50}, /* expired at epoch 5 with period 2 */
        {0, false, 3, 90}, /* the first that lives */
        {0, false, 4, 10}, /* later in the queue: not looked at */
        {1, true, 3, 70},
        {1, true, 5, 60},
        {1, true, 2, 1},   /* timelocked: the least of the living */
        {2, false, 2, 40}, /* all expired */
        {3, false, UINT64_MAX, 30},
    };
    uint64_t blocks[5];
    tl_yuma_commit_blocks(blocks, 5, commits, sizeof commits / sizeof *commits, 5, 2);
    assert_int_equal(blocks[0], 90);
    assert_int_equal(blocks[1], 60);
    assert_true(blocks[2] == TL_YUMA_NO_COMMIT);
    assert_int_equal(blocks[3], 30); /* an end past 2^64 never comes */
    assert_true(blocks[4] == TL_YUMA_NO_COMMIT);
}

static void a_commit_masks_whoever_registered_after_it(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    memset(&w, 0, sizeof w);
    w.params = tl_yuma_params_default();
    w.input.n = 3;
    w.input.now_block = 1000;
    w.stake[0] = (tl_i64f64)1 << 64;
    w.permit[0] = true;
    w.weights[0] = (tl_yuma_entry){1, 1};
    w.weights[1] = (tl_yuma_entry){2, 1};
    for (size_t i = 0; i < 3; i++) {
        w.updated[i] = 900;
        w.weight_starts[i + 1] = 2;
    }
    w.registered[1] = 500;
    w.registered[2] = 501;
    world_bind(&w);
    const uint64_t commits[3] = {500, TL_YUMA_NO_COMMIT, TL_YUMA_NO_COMMIT};
    w.input.commit_block = commits;
    tl_yuma_output out;
    assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, NULL), TL_OK);
    assert_int_equal(out.incentive_raw[1], TL_I32F32_ONE); /* registered with the commit: stays */
    assert_int_equal(out.incentive_raw[2], 0);
    w.input.commit_block = NULL;
    assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, NULL), TL_OK);
    assert_int_equal(out.incentive_raw[2], TL_I32F32_ONE / 2);
    tl_arena_free(arena);
}

/* Stakes that overflow every sum still give an answer, and the same one each time. */
static void overflowing_stakes_are_survived(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    for (uint64_t seed = 0; seed < 400; seed++) {
        world w;
        some_world(&w, 1000 + seed);
        for (size_t i = 0; i < w.input.n; i++) {
            w.stake[i] = tl_i64f64_from_u64(UINT64_MAX - (seed + i) % 3 * ((uint64_t)1 << 62));
        }
        tl_yuma_output a;
        tl_yuma_output b;
        assert_int_equal(tl_yuma_epoch(arena, &a, &w.input, NULL), TL_OK);
        assert_int_equal(tl_yuma_epoch(arena, &b, &w.input, NULL), TL_OK);
        assert_memory_equal(a.dividends_raw, b.dividends_raw, a.n * sizeof(tl_i32f32));
    }
    tl_arena_free(arena);
}

static void the_weighted_median_is_the_least_score_above_the_minority(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 7);
    for (int turn = 0; turn < 20000; turn++) {
        tl_i32f32 stake[8];
        tl_i32f32 score[8];
        uint32_t scratch[16];
        const size_t count = (size_t)tl_xoshiro_below(&rng, 9);
        tl_i32f32 total = 0;
        for (size_t i = 0; i < count; i++) {
            stake[i] = (tl_i32f32)tl_xoshiro_below(&rng, 5);
            score[i] = (tl_i32f32)tl_xoshiro_below(&rng, 5);
            total += stake[i];
        }
        const tl_i32f32 minority = (tl_i32f32)tl_xoshiro_below(&rng, 24) - 2;
        tl_i32f32 least = INT64_MAX;
        tl_i32f32 largest = 0;
        for (size_t i = 0; i < count; i++) {
            tl_i32f32 held = 0;
            for (size_t k = 0; k < count; k++) {
                held += score[k] <= score[i] ? stake[k] : 0;
            }
            least = held > minority && score[i] < least ? score[i] : least;
            largest = score[i] > largest ? score[i] : largest;
        }
        assert_int_equal(tl_yuma_weighted_median(stake, score, count, minority, 0, total, scratch),
                         least == INT64_MAX ? largest : least);
    }
}

enum { CROWD = 64 };

/* A subnet in which everybody validates everybody: stakes and weights with many ties, or with none. */
typedef struct crowd {
    tl_yuma_params params;
    tl_i64f64 stake[CROWD];
    bool permit[CROWD];
    uint64_t registered[CROWD];
    uint64_t updated[CROWD];
    uint32_t starts[CROWD + 1];
    uint32_t no_bonds[CROWD + 1];
    tl_yuma_entry weights[CROWD * CROWD];
    int64_t dense[CROWD][CROWD]; /* W */
} crowd;

static tl_yuma_input crowd_fill(crowd *c, tl_xoshiro *rng, uint64_t spread, uint64_t density)
{
    memset(c, 0, sizeof *c);
    c->params = tl_yuma_params_default();
    for (uint16_t i = 0; i < CROWD; i++) {
        c->stake[i] = (tl_i64f64)(1 + tl_xoshiro_below(rng, spread)) << 64;
        c->permit[i] = true;
        c->updated[i] = 900;
        uint32_t at = c->starts[i];
        int64_t sum = 0;
        for (uint16_t j = 0; j < CROWD; j++) {
            if (i != j && tl_xoshiro_below(rng, 16) < density) {
                const uint16_t value = (uint16_t)(1 + tl_xoshiro_below(rng, spread) % 65535);
                c->weights[at++] = (tl_yuma_entry){j, value};
                c->dense[i][j] = value;
                sum += value;
            }
        }
        for (uint16_t j = 0; j < CROWD && sum != 0; j++) {
            c->dense[i][j] = (c->dense[i][j] << 32) / sum;
        }
        c->starts[i + 1] = at;
    }
    return (tl_yuma_input){.params = &c->params,
                           .n = CROWD,
                           .now_block = 1000,
                           .stake = c->stake,
                           .validator_permit = c->permit,
                           .block_at_registration = c->registered,
                           .last_update_block = c->updated,
                           .weights = {c->starts, c->weights},
                           .bonds = {c->no_bonds, c->weights}};
}

/* Selecting by buckets against the chain's own quick-select, columns of up to 63 cells. */
static void consensus_is_the_literal_median_of_every_column(void **state)
{
    (void)state;
    static crowd c;
    const uint16_t kappas[] = {0, 1, 20000, 32767, 50000, 65534, 65535};
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 9);
    for (int turn = 0; turn < 84; turn++) {
        tl_arena *arena = new_arena();
        const uint64_t spreads[] = {1, 3, 40, 60000};
        const tl_yuma_input input =
            crowd_fill(&c, &rng, spreads[turn % 4], 1 + (uint64_t)(turn % 3) * 8);
        c.params.kappa = kappas[turn % 7];
        tl_yuma_output out;
        assert_int_equal(tl_yuma_epoch(arena, &out, &input, NULL), TL_OK);
        tl_i32f32 stake[CROWD];
        tl_i32f32 score[CROWD];
        uint32_t scratch[2 * CROWD];
        tl_i32f32 active = 0;
        tl_i32f32 total = 0;
        for (size_t i = 0; i < CROWD; i++) {
            active += out.active_stake_raw[i];
        }
        for (size_t i = 0; i < CROWD; i++) {
            stake[i] = tl_i32f32_div_or_zero(out.active_stake_raw[i], active);
            total += stake[i];
        }
        const tl_i32f32 minority = total - tl_i32f32_from_u16_proportion(c.params.kappa);
        for (size_t j = 0; j < CROWD; j++) {
            for (size_t i = 0; i < CROWD; i++) {
                score[i] = c.dense[i][j];
            }
            assert_int_equal(
                out.consensus_raw[j],
                tl_yuma_weighted_median(stake, score, CROWD, minority, 0, total, scratch));
        }
        tl_arena_free(arena);
    }
}

static void topk_prefers_the_higher_index(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 8);
    for (int turn = 0; turn < 20000; turn++) {
        tl_i32f32 values[9];
        bool chosen[9];
        uint32_t scratch[9];
        const size_t n = (size_t)tl_xoshiro_below(&rng, 10);
        const size_t k = (size_t)tl_xoshiro_below(&rng, 11);
        for (size_t i = 0; i < n; i++) {
            values[i] = (tl_i32f32)tl_xoshiro_below(&rng, 4) - 1;
        }
        tl_yuma_topk(chosen, values, n, k, turn % 2 == 0, scratch);
        for (size_t i = 0; i < n; i++) {
            size_t above = 0;
            for (size_t other = 0; other < n; other++) {
                above += values[other] > values[i] || (values[other] == values[i] && other > i);
            }
            assert_int_equal(chosen[i], above < k && (turn % 2 != 0 || values[i] != 0));
        }
    }
}

static void the_burn_factor_is_the_largest_that_halves(void **state)
{
    (void)state;
    assert_true(tl_yuma_burn_factor(0) == (uint64_t)1 << 32);
    assert_int_equal(tl_yuma_burn_decay(1000000000, tl_yuma_burn_factor(1)), 500000000);
    assert_int_equal(tl_yuma_burn_decay(UINT64_MAX, (uint64_t)1 << 32), UINT64_MAX);
    uint64_t last = 0;
    for (uint32_t half_life = 1; half_life <= 36100; half_life += 361) {
        const uint64_t factor = tl_yuma_burn_factor((uint16_t)half_life);
        assert_true(factor > last && factor < (uint64_t)1 << 32);
        last = factor;
        uint64_t burn = (uint64_t)1 << 50; /* half a life later: half, but for the truncations */
        for (uint32_t block = 0; block < half_life; block++) {
            burn = tl_yuma_burn_decay(burn, factor);
        }
        assert_in_range(burn, ((uint64_t)1 << 49) - ((uint64_t)1 << 36),
                        ((uint64_t)1 << 49) + ((uint64_t)1 << 36));
    }
}

static void weights_are_limited_by_their_share(void **state)
{
    (void)state;
    const uint16_t uids[] = {4, 5, 6};
    const uint16_t values[] = {1, 1, 2};
    assert_true(tl_yuma_weights_are_limited(4, uids, values, 3, 32768));
    assert_false(tl_yuma_weights_are_limited(4, uids, values, 3, 32766));
    assert_true(tl_yuma_weights_are_limited(4, uids, values, 1, 0)); /* self-weight */
    assert_false(tl_yuma_weights_are_limited(9, uids, values, 1, 65534));
    assert_true(tl_yuma_weights_are_limited(9, uids, values, 1, UINT16_MAX));
    assert_true(tl_yuma_is_limited(values, 0, 0));
    uint16_t upscaled[3];
    tl_yuma_upscale_u16(upscaled, values, 3);
    assert_int_equal(upscaled[0], 32768); /* 32767.5 goes up */
    assert_int_equal(upscaled[2], UINT16_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input_is_an_error_with_its_field),
        cmocka_unit_test(an_empty_subnet_has_an_empty_epoch),
        cmocka_unit_test(uids_above_n_are_skipped),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(mechanisms_are_checked_and_one_is_the_epoch_itself),
        cmocka_unit_test(splits_hand_out_the_whole),
        cmocka_unit_test(the_first_live_commit_of_a_queue_counts),
        cmocka_unit_test(a_commit_masks_whoever_registered_after_it),
        cmocka_unit_test(overflowing_stakes_are_survived),
        cmocka_unit_test(the_weighted_median_is_the_least_score_above_the_minority),
        cmocka_unit_test(consensus_is_the_literal_median_of_every_column),
        cmocka_unit_test(topk_prefers_the_higher_index),
        cmocka_unit_test(the_burn_factor_is_the_largest_that_halves),
        cmocka_unit_test(weights_are_limited_by_their_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
