/* Likeness of rows. Attacked: constant rows, few miners, the limit itself, honest validators who all agree, a pair that
 * pushes its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/consensus/collusion/collusion.h"
#include "core/num/rng/rng.h"

static void the_correlation_is_pearsons(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3, 4};
    const double twice[] = {2, 4, 6, 8};
    const double back[] = {4, 3, 2, 1};
    const double other[] = {1, 3, 2, 4}; /* rho = 4 / 5 */
    const double flat[] = {7, 7, 7, 7};
    double rho;
    bool is_above;
    assert_true(tl_collusion_rho(&rho, &is_above, a, twice, 4));
    assert_true(is_above && rho > 1.0 - 1e-15 && rho <= 1.0); /* COLL-2 */
    assert_true(tl_collusion_rho(&rho, &is_above, a, back, 4));
    assert_true(!is_above && rho < -1.0 + 1e-15 && rho >= -1.0);
    assert_true(tl_collusion_rho(&rho, &is_above, a, other, 4));
    assert_true(!is_above && rho > 0.8 - 1e-15 && rho < 0.8 + 1e-15);
    rho = 42.0;
    assert_false(tl_collusion_rho(&rho, &is_above, a, flat, 4));
    assert_false(tl_collusion_rho(&rho, &is_above, flat, flat, 4));
    assert_false(tl_collusion_rho(&rho, &is_above, a, twice, 2)); /* too few miners */
    assert_false(tl_collusion_rho(&rho, &is_above, a, twice, 0));
    assert_true(rho > 41.0); /* untouched */
}

static void honest_pairs_are_alike_and_only_the_others_stand_apart(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const double honest[] = {100, 400, 900, 300, 500};
    const double near[] = {101, 398, 905, 301, 499};
    const double pushed[] = {900, 40, 90, 30, 50};
    const double lone[] = {10, 900, 20, 30, 800};
    const double *rows[] = {honest, pushed, near, NULL, pushed, lone, honest};
    tl_collusion_report report;
    assert_int_equal(tl_collusion_find(arena, &report, rows, 7, honest, 5, NULL), TL_OK);
    assert_int_equal(report.pair_count, 4); /* (0,2) (0,6) (1,4) (2,6) */
    assert_int_equal(report.apart_count, 1);
    for (size_t i = 0; i < report.pair_count; i++) {
        const tl_collusion_pair *pair = &report.pairs[i];
        assert_true(pair->first < pair->second && pair->rho > TL_COLLUSION_RHO_LIMIT);
        assert_int_equal(pair->stands_apart, pair->first == 1 && pair->second == 4);
    }
    assert_int_equal(tl_collusion_find(arena, &report, rows, 7, honest, 2, NULL), TL_OK);
    assert_int_equal(report.pair_count, 0);
    tl_arena_free(arena);
}

static void a_report_does_not_depend_on_the_order_of_validators(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 3);
    for (int turn = 0; turn < 300; turn++) {
        double values[6][5];
        double agreed[5];
        const double *rows[6];
        const double *reversed[6];
        for (size_t v = 0; v < 6; v++) {
            for (size_t m = 0; m < 5; m++) {
                const bool copies = v > 2 && turn % 2 == 0;
                values[v][m] = copies ? values[v - 3][m] : (double)tl_xoshiro_below(&rng, 4);
                agreed[m] = (double)tl_xoshiro_below(&rng, 4);
            }
        }
        for (size_t v = 0; v < 6; v++) {
            rows[v] = values[v];
            reversed[5 - v] = values[v];
        }
        tl_collusion_report a;
        tl_collusion_report b;
        assert_int_equal(tl_collusion_find(arena, &a, rows, 6, agreed, 5, NULL), TL_OK);
        assert_int_equal(tl_collusion_find(arena, &b, reversed, 6, agreed, 5, NULL), TL_OK);
        assert_int_equal(a.pair_count, b.pair_count);
        assert_int_equal(a.apart_count, b.apart_count);
        for (size_t i = 0; i < a.pair_count; i++) { /* COLL-1 */
            size_t found = 0;
            for (size_t k = 0; k < b.pair_count; k++) {
                found += b.pairs[k].first == 5 - a.pairs[i].second &&
                         b.pairs[k].second == 5 - a.pairs[i].first &&
                         b.pairs[k].stands_apart == a.pairs[i].stands_apart &&
                         !(b.pairs[k].rho < a.pairs[i].rho) && !(b.pairs[k].rho > a.pairs[i].rho);
            }
            assert_int_equal(found, 1);
        }
    }
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_correlation_is_pearsons),
        cmocka_unit_test(honest_pairs_are_alike_and_only_the_others_stand_apart),
        cmocka_unit_test(a_report_does_not_depend_on_the_order_of_validators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
