/* Laws of the epoch over random and enumerated subnets.
 * Attacked: the fast path against the slow reference (all fields, raw and stored, over carried bonds), 3 validators and 3
 * miners with weights in {0, 1, 2} completely, sums, bounds, permutations, validators without stake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/consensus/yuma/test/world.h"

enum { RANDOM_WORLDS = 6000, WORLD_EPOCHS = 3, LAW_WORLDS = 1500 };

static uint64_t failing_seed; /* printed when a law breaks */

static void expect_equal(bool is_equal, const char *what)
{
    if (!is_equal) {
        fail_msg("%s differs, world %llu", what, (unsigned long long)failing_seed);
    }
}

static void expect_same_row(const tl_yuma_output *out, size_t i, const ref_row *row)
{
    const uint32_t begin = out->bonds.starts[i];
    expect_equal(out->bonds.starts[i + 1] - begin == (uint32_t)row->count, "length of bonds");
    for (int k = 0; k < row->count; k++) {
        const tl_yuma_entry entry = out->bonds.entries[begin + (uint32_t)k];
        expect_equal(entry.uid == row->uid[k], "order of bonds");
        expect_equal(entry.value == row->cell[row->uid[k]], "bond");
    }
}

/* Every field, raw and amounts. The u16 fields are truncations of the raw ones, compared by the golden cases. */
static void expect_same(const tl_yuma_output *out, const ref_result *ref)
{
    for (size_t i = 0; i < out->n; i++) {
        expect_equal(out->validator_permit[i] == ref->permit[i], "permit");
        expect_equal(out->stake_raw[i] == ref->stake[i], "stake");
        expect_equal(out->active_stake_raw[i] == ref->active[i], "active stake");
        expect_equal(out->consensus_raw[i] == ref->consensus[i], "consensus");
        expect_equal(out->validator_trust_raw[i] == ref->trust[i], "trust");
        expect_equal(out->ranks_raw[i] == ref->ranks[i], "ranks");
        expect_equal(out->incentive_raw[i] == ref->incentive[i], "incentive");
        expect_equal(out->dividends_raw[i] == ref->dividends[i], "dividends");
        expect_equal(out->server_emission[i] == ref->server[i], "server emission");
        expect_equal(out->validator_emission[i] == ref->validator[i], "validator emission");
        expect_equal(out->emission[i] == ref->combined[i], "emission");
        expect_same_row(out, i, &ref->bonds[i]);
    }
}

static void run_and_compare(world *w, tl_arena *arena, int epochs)
{
    for (int epoch = 0; epoch < epochs; epoch++) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        tl_yuma_output out;
        ref_result ref;
        assert_int_equal(tl_yuma_epoch(arena, &out, &w->input, NULL), TL_OK);
        ref_epoch(&ref, &w->input);
        expect_same(&out, &ref);
        world_carry(w, &out);
        tl_arena_rewind(arena, mark);
    }
}

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static void random_epochs_equal_the_reference(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    for (uint64_t seed = 0; seed < RANDOM_WORLDS; seed++) {
        failing_seed = seed;
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, seed);
        world w;
        world_random(&w, &rng);
        run_and_compare(&w, arena, WORLD_EPOCHS);
    }
    tl_arena_free(arena);
}

/* Validators are uids 0 to 2, miners 3 to 5; weights are the digits of code in base 3. */
static void enumerate_world(world *w, uint32_t code, int form)
{
    memset(w, 0, sizeof *w);
    w->params = tl_yuma_params_default();
    w->params.yuma3 = form >= 2;
    w->params.liquid_alpha = form == 3;
    w->params.bonds_penalty = form == 1 ? 32768 : UINT16_MAX;
    w->input.n = 6;
    w->input.now_block = 1000;
    w->input.rao_emission = 1000;
    uint32_t at = 0;
    for (uint32_t i = 0; i < 6; i++) {
        w->permit[i] = i < 3;
        w->updated[i] = 900;
        w->stake[i] = i < 3 ? (tl_i64f64)(form % 2 == 0 ? 1 : i + 1) << 64 : 0;
        for (uint16_t j = 3; i < 3 && j < 6; j++) {
            const uint16_t weight = (uint16_t)(code % 3);
            code /= 3;
            if (weight != 0 || form == 3) { /* with liquid alpha zeros stay as entries */
                w->weights[at++] = (tl_yuma_entry){j, weight};
            }
        }
        w->weight_starts[i + 1] = at;
    }
    world_bind(w);
}

static void three_by_three_equals_the_reference_completely(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const uint32_t codes = 19683; /* 3^9 */
    for (int form = 0; form < 4; form++) {
        for (uint32_t code = 0; code < codes; code++) {
            failing_seed = code;
            world w;
            enumerate_world(&w, code, form);
            run_and_compare(&w, arena, 2);
        }
    }
    tl_arena_free(arena);
}

static int64_t sum_of(const tl_i32f32 *values, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(values[i] >= 0); /* YUMA-1 */
        sum += values[i];
    }
    return sum;
}

/* A normalised vector sums to 1 but for one truncation a member, or is all zeros. */
static void expect_share(const tl_i32f32 *values, size_t n)
{
    const int64_t sum = sum_of(values, n);
    assert_true(sum == 0 || (sum <= TL_I32F32_ONE && sum >= TL_I32F32_ONE - (int64_t)n));
}

static void shares_sum_to_one_and_nothing_is_paid_twice(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    for (uint64_t seed = 0; seed < LAW_WORLDS; seed++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, 100000 + seed);
        world w;
        world_random(&w, &rng);
        tl_yuma_output out;
        assert_int_equal(tl_yuma_epoch(arena, &out, &w.input, NULL), TL_OK);
        expect_share(out.stake_raw, out.n); /* YUMA-1 */
        expect_share(out.active_stake_raw, out.n);
        expect_share(out.incentive_raw, out.n);
        expect_share(out.dividends_raw, out.n);
        tl_u128 combined = 0;
        uint32_t permits = 0;
        for (size_t i = 0; i < out.n; i++) {
            const tl_u128 parts = (tl_u128)out.server_emission[i] + out.validator_emission[i];
            assert_true(parts <= out.emission[i]); /* YUMA-2 */
            combined += out.emission[i];
            permits += out.validator_permit[i];
            const uint32_t row = out.bonds.starts[i + 1] - out.bonds.starts[i];
            assert_true(out.validator_permit[i] || row == 0); /* YUMA-3 */
        }
        assert_true(combined <= w.input.rao_emission);                          /* YUMA-2 */
        assert_true(permits <= (uint32_t)w.params.max_allowed_validators + 1u); /* YUMA-4 */
        for (uint32_t k = 0; k < out.bonds.starts[out.n]; k++) {
            assert_true(out.bonds.entries[k].uid < out.n); /* YUMA-3 */
        }
    }
    tl_arena_free(arena);
}

static uint32_t permute_rows(tl_yuma_entry *to, uint32_t *to_starts, const tl_yuma_entry *from,
                             const uint32_t *from_starts, const size_t *place, size_t n)
{
    uint32_t at = 0;
    for (size_t target = 0; target < n; target++) {
        to_starts[target] = at;
        for (size_t i = 0; i < n; i++) {
            for (uint32_t k = from_starts[i]; place[i] == target && k < from_starts[i + 1]; k++) {
                to[at++] = (tl_yuma_entry){(uint16_t)place[from[k].uid], from[k].value};
            }
        }
    }
    to_starts[n] = at;
    return at;
}

static void world_permute(world *to, const world *from, const size_t *place)
{
    *to = *from;
    const size_t n = from->input.n;
    for (size_t i = 0; i < n; i++) {
        to->stake[place[i]] = from->stake[i];
        to->permit[place[i]] = from->permit[i];
        to->registered[place[i]] = from->registered[i];
        to->updated[place[i]] = from->updated[i];
    }
    permute_rows(to->weights, to->weight_starts, from->weights, from->weight_starts, place, n);
    permute_rows(to->bonds, to->bond_starts, from->bonds, from->bond_starts, place, n);
    if (from->params.owner_uid >= 0) {
        to->params.owner_uid = (int32_t)place[from->params.owner_uid];
    }
    world_bind(to);
}

static void permuted_neurons_give_permuted_results(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    for (uint64_t seed = 0; seed < LAW_WORLDS; seed++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, 200000 + seed);
        world w;
        world moved;
        world_random(&w, &rng);
        w.params.liquid_alpha = false;                   /* sees rows through the order of uids */
        w.params.max_allowed_validators = REF_N_MAX + 1; /* a cut breaks ties by uid */
        size_t place[REF_N_MAX];
        for (size_t i = 0; i < w.input.n; i++) {
            const size_t other = (size_t)tl_xoshiro_below(&rng, i + 1);
            place[i] = i;
            const size_t swapped = place[other];
            place[other] = place[i];
            place[i] = swapped;
        }
        world_permute(&moved, &w, place);
        tl_yuma_output a;
        tl_yuma_output b;
        assert_int_equal(tl_yuma_epoch(arena, &a, &w.input, NULL), TL_OK);
        assert_int_equal(tl_yuma_epoch(arena, &b, &moved.input, NULL), TL_OK);
        for (size_t i = 0; i < a.n; i++) {
            assert_int_equal(a.consensus_raw[i], b.consensus_raw[place[i]]);
            assert_int_equal(a.incentive_raw[i], b.incentive_raw[place[i]]);
            assert_int_equal(a.dividends_raw[i], b.dividends_raw[place[i]]);
            assert_int_equal(a.validator_trust_raw[i], b.validator_trust_raw[place[i]]);
            assert_int_equal(a.emission[i], b.emission[place[i]]);
            assert_int_equal(a.bonds.starts[i + 1] - a.bonds.starts[i],
                             b.bonds.starts[place[i] + 1] - b.bonds.starts[place[i]]);
        }
    }
    tl_arena_free(arena);
}

/* Classic: the row of a permitted validator without stake and without bonds has no say. (Yuma3 averages weights that are
 * not stake-weighted: there it has one until its permit goes, as on the chain.) */
static void a_validator_without_stake_changes_nothing(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    for (uint64_t seed = 0; seed < LAW_WORLDS; seed++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, 300000 + seed);
        world w;
        world_random(&w, &rng);
        if (w.input.n == 0) {
            continue;
        }
        w.params.yuma3 = false;
        memset(w.bond_starts, 0, sizeof w.bond_starts);
        const size_t idle = w.input.n - 1; /* its row is the last, so it can be emptied */
        w.stake[idle] = 0;
        w.permit[idle] = true;
        tl_yuma_output with;
        tl_yuma_output without;
        assert_int_equal(tl_yuma_epoch(arena, &with, &w.input, NULL), TL_OK);
        w.weight_starts[idle + 1] = w.weight_starts[idle];
        assert_int_equal(tl_yuma_epoch(arena, &without, &w.input, NULL), TL_OK);
        for (size_t i = 0; i < with.n; i++) {
            assert_int_equal(with.consensus_raw[i], without.consensus_raw[i]);
            assert_int_equal(with.incentive_raw[i], without.incentive_raw[i]);
            assert_int_equal(with.dividends_raw[i], without.dividends_raw[i]);
            assert_int_equal(with.emission[i], without.emission[i]);
        }
    }
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_epochs_equal_the_reference),
        cmocka_unit_test(three_by_three_equals_the_reference_completely),
        cmocka_unit_test(shares_sum_to_one_and_nothing_is_paid_twice),
        cmocka_unit_test(permuted_neurons_give_permuted_results),
        cmocka_unit_test(a_validator_without_stake_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
