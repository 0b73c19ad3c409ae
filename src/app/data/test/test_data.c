/* The tables that ship: attacked with a wrong path and a wrong file; and the model of the zipcodes on the whole real
 * table: how many codes are eligible, and 600 epochs drawn from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/data/data.h"

#define ZIPCODES TL_SOURCE_ROOT "/data/" TL_DATA_ZIPCODES

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* DATA-1 */
static void a_path_that_is_given_is_the_one_that_is_read(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_places places = {0};
    assert_int_equal(tl_data_zipcodes(&places, arena, "/no/such/table.csv", &ctx),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_data_zipcodes(&places, arena, TL_SOURCE_ROOT "/meson.build", &ctx),
                     TL_ERR_MISSING);
    assert_non_null(strstr(ctx.message, "meson.build"));
    const char *path = NULL;
    assert_int_equal(tl_data_find(&path, arena, "no-such-table.csv", &ctx), TL_ERR_NOT_FOUND);
    tl_arena_free(arena);
}

static void the_real_table_has_8541_eligible_codes(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_places places = {0};
    assert_int_equal(tl_data_zipcodes(&places, arena, ZIPCODES, NULL), TL_OK);
    assert_int_equal(places.count, 41488);
    size_t eligible = 0;
    size_t kept = 0;
    for (size_t i = 0; i < places.count; i++) {
        const tl_place *p = &places.items[i];
        kept += p->expected > 0 ? 1 : 0;
        eligible += p->expected >= 200 && p->expected <= 3000 ? 1 : 0;
        assert_true(p->state.len == 2 || p->expected == 0);
        assert_int_equal(p->population, p->expected * 100);
    }
    assert_int_equal(eligible, 8541);
    assert_int_equal(kept, 37404);
    /* as another program found them, from the words of the spec */
    const struct {
        const char *zipcode;
        uint32_t expected;
        tl_market_tier tier;
        tl_region region;
    } known[] = {{"98101", 497, TL_TIER_PREMIUM, TL_REGION_WEST},
                 {"98103", 601, TL_TIER_PREMIUM, TL_REGION_WEST},
                 {"10001", 461, TL_TIER_PREMIUM, TL_REGION_NORTHEAST},
                 {"00501", 288, TL_TIER_PREMIUM, TL_REGION_NORTHEAST},
                 {"33101", 631, TL_TIER_PREMIUM, TL_REGION_SOUTH}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const tl_place *p = tl_place_find(&places, tl_str_from_cstr(known[i].zipcode));
        assert_non_null(p);
        assert_int_equal(p->expected, known[i].expected);
        assert_int_equal(p->tier, known[i].tier);
        assert_int_equal(p->region, known[i].region);
    }
    assert_int_equal(tl_place_find(&places, TL_STR("00544"))->expected, 0); /* 00501's twin */
    assert_null(tl_place_find(&places, TL_STR("99999")));
    tl_arena_free(arena);
}

/* 600 draws, in bounds, over every region; two of them code by code as another program drew them. */
static void six_hundred_draws_are_in_bounds(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_places places = {0};
    assert_int_equal(tl_data_zipcodes(&places, arena, ZIPCODES, NULL), TL_OK);
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    size_t by_region[TL_REGION_NONE + 1] = {0};
    size_t by_tier[3] = {0};
    size_t drawn = 0;
    for (unsigned i = 0; i < 600; i++) {
        char seed[16];
        const size_t len = tl_str_print(seed, sizeof seed, "seed-%u", i);
        tl_selection s = {0};
        const tl_select_options options = {.seed = {seed, len}, .start_ms = 1759449600000};
        assert_int_equal(tl_select(&s, arena, &places, &options, NULL), TL_OK);
        assert_in_range(s.count, 20, 27);
        assert_in_range(s.expected, 9000, 11000);
        assert_int_equal(s.eligible, 8541);
        assert_false(s.is_relaxed);
        for (size_t k = 0; k < s.count; k++) {
            by_region[s.items[k]->region]++;
            by_tier[s.items[k]->tier]++;
            drawn++;
        }
        tl_arena_rewind(arena, mark);
    }
    for (size_t r = 0; r < TL_REGION_NONE; r++) {
        assert_true(by_region[r] * 20 > drawn); /* each above 5 % */
    }
    assert_true(by_tier[TL_TIER_PREMIUM] > by_tier[TL_TIER_STANDARD]);
    assert_true(by_tier[TL_TIER_STANDARD] > by_tier[TL_TIER_EMERGING]);
    static const char *const first[] = {"04072", "06903", "07074", "07407", "07870", "08326",
                                        "10167", "13473", "18958", "20102", "34652", "56901",
                                        "60707", "73159", "75247", "76005", "80233", "90262",
                                        "91012", "91405", "91791"};
    tl_selection s = {0};
    const tl_select_options options = {.seed = TL_STR("seed-0"), .start_ms = 1759449600000};
    assert_int_equal(tl_select(&s, arena, &places, &options, NULL), TL_OK);
    assert_int_equal(s.count, sizeof first / sizeof *first);
    assert_int_equal(s.expected, 9075);
    for (size_t k = 0; k < s.count; k++) {
        assert_string_equal(s.items[k]->zipcode, first[k]);
    }
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_is_given_is_the_one_that_is_read),
        cmocka_unit_test(the_real_table_has_8541_eligible_codes),
        cmocka_unit_test(six_hundred_draws_are_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
