/* Random worlds with a taste for edges, and all small splits: nothing is lost, nothing is made, division undoes
 * multiplication. The generator is small and written here, for rooms above this one may not be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena/arena.h"
#include "core/num/money/money.h"

static uint64_t seed_state = UINT64_C(0x7a11e5);

static uint64_t draw(void)
{
    seed_state = seed_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t z = seed_state ^ (seed_state >> 33);
    z *= UINT64_C(0xff51afd7ed558ccd);
    return z ^ (z >> 29);
}

/* 64 bits with long runs of equal bits, zeros, ones and ends of the range among them. */
static uint64_t edgy(void)
{
    const uint64_t kind = draw() % 8;
    const unsigned shift = (unsigned)(draw() % 64);
    switch (kind) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX >> shift;
    case 2:
        return UINT64_MAX << shift;
    case 3:
        return UINT64_C(1) << shift;
    case 4:
        return draw() % 3;
    default:
        return draw() >> shift;
    }
}

static tl_u128 edgy_wide(void)
{
    return ((tl_u128)edgy() << 64) | edgy();
}

#define WEIGHTS_MAX 50

static void a_split_pays_the_whole_and_each_its_floor_or_one_more(void **state)
{
    (void)state; /* MONEY-2 MONEY-3 */
    for (int world = 0; world < 20000; world++) {
        const size_t n = 1 + draw() % WEIGHTS_MAX;
        uint64_t weights[WEIGHTS_MAX];
        size_t order[WEIGHTS_MAX];
        tl_rao out[WEIGHTS_MAX];
        tl_u128 weight_sum = 0;
        for (size_t i = 0; i < n; i++) {
            weights[i] = edgy();
            weight_sum += weights[i];
            const size_t at = draw() % (i + 1); /* a random permutation, grown one by one */
            order[i] = order[at];
            order[at] = i;
        }
        const tl_rao total = tl_rao_from_i64((int64_t)(edgy() >> 1));
        const bool is_ordered = draw() % 2 != 0;
        const tl_err err =
            tl_rao_split_pro_rata(out, total, weights, n, is_ordered ? order : NULL, NULL);
        if (weight_sum == 0) {
            assert_int_equal(err, tl_rao_is_zero(total) ? TL_OK : TL_ERR_RANGE);
            continue;
        }
        assert_int_equal(err, TL_OK);
        tl_rao sum = TL_RAO_ZERO;
        assert_int_equal(tl_rao_sum(&sum, out, n, NULL), TL_OK);
        assert_true(tl_rao_eq(sum, total));
        bool is_rest_over = false;
        for (size_t k = 0; k < n; k++) {
            const size_t i = is_ordered ? order[k] : k;
            tl_u128 floor = 0;
            assert_int_equal(tl_u128_mul_div_floor(&floor, (tl_u128)tl_rao_to_i64(total),
                                                   weights[i], weight_sum, NULL),
                             TL_OK);
            const int64_t more = tl_rao_to_i64(out[i]) - (int64_t)floor;
            assert_true(more == 0 || (more == 1 && weights[i] > 0 && !is_rest_over));
            is_rest_over = is_rest_over || (more == 0 && weights[i] > 0);
        }
    }
}

/* Every split of up to 12 rao by three weights of 0 to 3, against handing out one rao after the other. */
static void all_small_splits_add_up(void **state)
{
    (void)state; /* MONEY-2 */
    for (int64_t total = 0; total <= 12; total++) {
        for (uint64_t code = 1; code < 64; code++) {
            const uint64_t weights[3] = {code & 3, code >> 2 & 3, code >> 4 & 3};
            const uint64_t weight_sum = weights[0] + weights[1] + weights[2];
            tl_rao out[3];
            assert_int_equal(
                tl_rao_split_pro_rata(out, tl_rao_from_i64(total), weights, 3, NULL, NULL), TL_OK);
            int64_t want[3];
            int64_t left = total;
            for (size_t i = 0; i < 3; i++) {
                want[i] = total * (int64_t)weights[i] / (int64_t)weight_sum;
                left -= want[i];
            }
            for (size_t i = 0; left > 0; i = (i + 1) % 3) {
                if (weights[i] > 0) {
                    want[i]++;
                    left--;
                }
            }
            for (size_t i = 0; i < 3; i++) {
                assert_int_equal(tl_rao_to_i64(out[i]), want[i]);
            }
        }
    }
}

static void equal_weights_differ_by_one_rao_at_most(void **state)
{
    (void)state;
    for (int world = 0; world < 2000; world++) {
        const size_t n = 1 + draw() % WEIGHTS_MAX;
        const uint64_t weight = edgy() | 1;
        uint64_t weights[WEIGHTS_MAX];
        tl_rao out[WEIGHTS_MAX];
        for (size_t i = 0; i < n; i++) {
            weights[i] = weight;
        }
        const tl_rao total = tl_rao_from_i64((int64_t)(edgy() >> 1));
        assert_int_equal(tl_rao_split_pro_rata(out, total, weights, n, NULL, NULL), TL_OK);
        for (size_t i = 1; i < n; i++) {
            const int64_t less = tl_rao_to_i64(out[i - 1]) - tl_rao_to_i64(out[i]);
            assert_true(less == 0 || less == 1);
        }
        assert_true(tl_rao_to_i64(out[0]) - tl_rao_to_i64(out[n - 1]) <= 1);
    }
}

static void division_gives_the_dividend_back(void **state)
{
    (void)state; /* MONEY-4 */
    for (int world = 0; world < 200000; world++) {
        const tl_u128 a = edgy_wide();
        const tl_u128 b = edgy_wide();
        const tl_u128 den = edgy_wide() >> (draw() % 128);
        if (den == 0) {
            continue;
        }
        const tl_u256 product = tl_u256_mul(a, b);
        tl_u128 rest = 0;
        const tl_u256 quotient = tl_u256_div_floor(&rest, product, den);
        assert_true(rest < den);
        /* quotient * den + rest, the quotient in two halves: the upper product ends 128 bits higher. */
        const tl_u128 low = ((tl_u128)quotient.w[1] << 64) | quotient.w[0];
        const tl_u128 high = ((tl_u128)quotient.w[3] << 64) | quotient.w[2];
        tl_u128 top = 0;
        assert_true(tl_u256_to_u128(&top, tl_u256_mul(high, den)));
        const tl_u256 upper = {{0, 0, (uint64_t)top, (uint64_t)(top >> 64)}};
        tl_u256 back;
        assert_true(tl_u256_add(&back, tl_u256_mul(low, den), upper));
        assert_true(tl_u256_add(&back, back, tl_u256_from_u128(rest)));
        assert_int_equal(tl_u256_cmp(back, product), 0);
    }
}

static void narrow_and_wide_quotients_agree(void **state)
{
    (void)state; /* MONEY-1 */
    for (int world = 0; world < 50000; world++) {
        const int64_t a = (int64_t)edgy();
        const uint64_t num = edgy();
        const uint64_t den = edgy();
        tl_rao r = tl_rao_from_i64(7);
        const tl_err err = tl_rao_mul_div_floor(&r, tl_rao_from_i64(a), num, den, NULL);
        if (den == 0) {
            assert_int_equal(err, TL_ERR_RANGE);
            continue;
        }
        const tl_u128 size = a < 0 ? (tl_u128)0 - (tl_u128)(tl_i128)a : (tl_u128)a;
        tl_u128 quotient = size * num / den;
        const bool is_up = a < 0 && size * num % den != 0;
        quotient += is_up ? 1 : 0;
        const tl_u128 limit = (tl_u128)INT64_MAX + (a < 0 ? 1 : 0);
        assert_int_equal(err, quotient > limit ? TL_ERR_OVERFLOW : TL_OK);
        const int64_t want = a < 0 ? (int64_t)((tl_u128)0 - quotient) : (int64_t)quotient;
        assert_true(tl_rao_to_i64(r) == (err == TL_OK ? want : 7));
    }
}

static void print_and_parse_are_inverse(void **state)
{
    (void)state; /* MONEY-5 */
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (int world = 0; world < 20000; world++) {
        const tl_rao amount = tl_rao_from_i64((int64_t)edgy());
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_rao_print(&sb, amount);
        tl_str text;
        assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
        tl_rao back = TL_RAO_ZERO;
        assert_int_equal(tl_rao_parse(&back, text, NULL), TL_OK);
        assert_true(tl_rao_eq(back, amount));
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_split_pays_the_whole_and_each_its_floor_or_one_more),
        cmocka_unit_test(all_small_splits_add_up),
        cmocka_unit_test(equal_weights_differ_by_one_rao_at_most),
        cmocka_unit_test(division_gives_the_dividend_back),
        cmocka_unit_test(narrow_and_wide_quotients_agree),
        cmocka_unit_test(print_and_parse_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
