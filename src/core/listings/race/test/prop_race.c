/* Laws of the race on random epochs, seeds printed by number. Order changes nothing: sheets, validators, evidence, held pay
 * and zipcodes are shuffled, and every root stays. Money adds up to the rao, at any emission. Validators that hold less than
 * half of the stake may say what they like: no honest miner comes to less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/race/test/race_world.h"
#include "core/num/rng/rng.h"

enum { ROUNDS = 150 };

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static uint32_t below(tl_xoshiro *rng, uint32_t n)
{
    return (uint32_t)tl_xoshiro_below(rng, n);
}

static const uint32_t some_rows[] = {1, 4, 40};

/* Anything may be wrong with a sheet or be said of it. */
static void spoil(world *w, tl_xoshiro *rng)
{
    for (size_t i = 0; i < w->input.sheet_count; i++) {
        tl_sheet *s = &w->sheets[i].sheet;
        switch (below(rng, 12)) {
        case 0:
            s->passes_tier1 = false;
            break;
        case 1:
            s->passes_tier2 = false;
            break;
        case 2:
            s->is_disqualified = below(rng, 3) == 0;
            break;
        case 3:
            s->received_ms = WORLD_DEADLINE + 1;
            break;
        case 4:
            s->distinct = below(rng, WORLD_ROWS + 1);
            break;
        case 5:
            s->coldkey = world_address(w, 120 + below(rng, 3));
            break;
        default:
            break;
        }
    }
}

static void babble(world *w, tl_xoshiro *rng, size_t v)
{
    for (size_t i = 0; i < w->input.sheet_count; i++) {
        char *says = w->verdicts[v][i];
        const size_t len = w->items[v][i].verdicts.len;
        const uint32_t mood = below(rng, 5);
        for (size_t k = 0; k < len; k++) {
            says[k] = mood == 0 ? "PFN-"[below(rng, 4)] : mood == 1 ? 'F' : mood == 2 ? 'N' : 'P';
        }
        w->items[v][i].verdicts = (tl_str){says, len};
        if (below(rng, 10) == 0) {
            w->items[v][i].honeypots = some_rows;
            w->items[v][i].honeypot_count = 3;
        }
    }
}

static world *random_world(tl_arena *arena, tl_xoshiro *rng)
{
    const unsigned zipcodes = 1 + below(rng, WORLD_ZIPCODES_MAX);
    const unsigned miners = below(rng, 13);
    world *w = world_new(arena, zipcodes, 1 + below(rng, WORLD_VALIDATORS_MAX));
    for (unsigned z = 0; z < zipcodes; z++) {
        w->zipcodes[z].is_honeypot = below(rng, 8) == 0;
    }
    for (unsigned m = 0; m < miners; m++) {
        for (unsigned z = 0; z < zipcodes; z++) {
            if (below(rng, 4) != 0) {
                (void)world_add_sheet(w, m, z, below(rng, 6) * 1000);
            }
        }
    }
    for (size_t v = 0; v < w->input.validator_count; v++) {
        w->validators[v].stake = tl_rao_from_i64(below(rng, 5) * INT64_C(1000000007));
    }
    spoil(w, rng);
    world_tell(w);
    return w;
}

static void shuffle(void *items, size_t count, size_t size, tl_xoshiro *rng)
{
    char *bytes = (char *)items;
    char keep[512];
    TL_ASSERT(size <= sizeof keep);
    for (size_t i = count; i > 1; i--) {
        const size_t j = below(rng, (uint32_t)i);
        memcpy(keep, bytes + (i - 1) * size, size);
        memmove(bytes + (i - 1) * size, bytes + j * size, size);
        memcpy(bytes + j * size, keep, size);
    }
}

/* RACE-1, RACE-2, RACE-3, RACE-4 */
static void order_changes_nothing_and_money_adds_up(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        tl_arena *arena = new_arena();
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, seed);
        world *w = random_world(arena, &rng);
        for (size_t v = 0; v < w->input.validator_count; v++) {
            babble(w, &rng, v);
        }
        if (below(&rng, 5) == 0) {
            w->validators[0].evidence = NULL;
        }
        static const int64_t emissions[] = {0, 1, 7, 1000000000000, (int64_t)1 << 61};
        w->params.emission = tl_rao_from_i64(emissions[below(&rng, 5)]);
        tl_race_held held[] = {{TL_STR("e1"), world_key(1), tl_rao_from_i64(5)},
                               {TL_STR("e1"), world_key(77), tl_rao_from_i64(9)},
                               {TL_STR("e2"), world_key(1), tl_rao_from_i64(1)}};
        w->input.held = held;
        w->input.held_count = below(&rng, 4);
        tl_race_result a = {0};
        tl_race_result b = {0};
        assert_int_equal(tl_race_run(&a, arena, &w->input, NULL), TL_OK);
        int64_t sum = tl_rao_to_i64(a.burn);
        for (size_t i = 0; i < a.line_count; i++) {
            sum += tl_rao_to_i64(a.lines[i].reward) + tl_rao_to_i64(a.lines[i].held);
            assert_true(!a.lines[i].is_disqualified || tl_rao_is_zero(a.lines[i].reward));
            assert_true(a.lines[i].places[0] + a.lines[i].places[1] + a.lines[i].places[2] <=
                        a.lines[i].submissions);
        }
        int64_t in = tl_rao_to_i64(w->params.emission);
        for (size_t i = 0; i < w->input.held_count; i++) {
            in += tl_rao_to_i64(held[i].amount);
        }
        assert_true(sum == in);
        for (size_t i = 1; i < a.entry_count; i++) { /* RACE-3: by pairs of one zipcode */
            for (size_t k = 0; k < i; k++) {
                const tl_race_entry *x = &a.entries[i];
                const tl_race_entry *y = &a.entries[k];
                const bool are_placed = x->outcome <= TL_RACE_THIRD && y->outcome <= TL_RACE_THIRD;
                assert_false(are_placed && strcmp(x->of->zipcode, y->of->zipcode) == 0 &&
                             (tl_hotkey_eq(&x->coldkey, &y->coldkey) ||
                              tl_hotkey_eq(&x->hotkey, &y->hotkey)));
            }
        }
        shuffle(w->sheets, w->input.sheet_count, sizeof *w->sheets, &rng);
        shuffle(w->zipcodes, w->input.zipcode_count, sizeof *w->zipcodes, &rng);
        shuffle(w->validators, w->input.validator_count, sizeof *w->validators, &rng);
        shuffle(held, w->input.held_count, sizeof *held, &rng);
        assert_int_equal(tl_race_run(&b, arena, &w->input, NULL), TL_OK);
        assert_memory_equal(&a.roots, &b.roots, sizeof a.roots);
        tl_arena_free(arena);
    }
}

/* RACE-5: the honest hold more than half of the stake and see what is there; the others say anything. */
static void a_minority_of_validators_lowers_no_honest_miner(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        tl_arena *arena = new_arena();
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, 1000 + seed);
        world *w = random_world(arena, &rng);
        int64_t bad = 0;
        for (size_t v = 1; v < w->input.validator_count; v++) {
            bad += tl_rao_to_i64(w->validators[v].stake);
        }
        w->validators[0].stake = tl_rao_from_i64(bad + 1);
        tl_race_result before = {0};
        assert_int_equal(tl_race_run(&before, arena, &w->input, NULL), TL_OK);
        for (size_t v = 1; v < w->input.validator_count; v++) {
            babble(w, &rng, v);
            if (below(&rng, 4) == 0) {
                w->validators[v].evidence = NULL;
            }
        }
        tl_race_result after = {0};
        assert_int_equal(tl_race_run(&after, arena, &w->input, NULL), TL_OK);
        assert_int_equal(before.line_count, after.line_count);
        for (size_t i = 0; i < before.line_count; i++) {
            assert_true(tl_hotkey_eq(&before.lines[i].hotkey, &after.lines[i].hotkey));
            assert_true(tl_rao_eq(before.lines[i].reward, after.lines[i].reward));
            assert_true(tl_rao_eq(before.lines[i].held, after.lines[i].held));
        }
        assert_int_equal(before.finding_count, after.finding_count);
        assert_memory_equal(&before.roots.weight, &after.roots.weight, sizeof before.roots.weight);
        tl_arena_free(arena);
    }
}

/* One more submission behind all others takes nothing from a place. */
static void who_comes_last_takes_no_place(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        tl_arena *arena = new_arena();
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, 2000 + seed);
        world *w = random_world(arena, &rng);
        tl_race_result before = {0};
        tl_race_result after = {0};
        assert_int_equal(tl_race_run(&before, arena, &w->input, NULL), TL_OK);
        (void)world_add_sheet(w, 35, 0, 14400000);
        world_tell(w);
        assert_int_equal(tl_race_run(&after, arena, &w->input, NULL), TL_OK);
        for (size_t i = 0; i < before.entry_count; i++) {
            const tl_race_entry *x = &before.entries[i];
            for (size_t k = 0; k < after.entry_count; k++) {
                const tl_race_entry *y = &after.entries[k];
                if (x->of == y->of) {
                    assert_int_equal(x->outcome, y->outcome);
                }
            }
        }
        tl_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_changes_nothing_and_money_adds_up),
        cmocka_unit_test(a_minority_of_validators_lowers_no_honest_miner),
        cmocka_unit_test(who_comes_last_takes_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
