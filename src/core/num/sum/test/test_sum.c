/* Attacks the sums with every length from 0 to 200, data of all sizes and signs, and addresses that no vector likes:
 * each variant must give the bits of the portable one, and that the bits of a definition written here once more. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/num/rng/rng.h"
#include "core/num/sum/sum.h"
#include "core/num/sum/sum_internal.h"

#define COUNT_MAX 200

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* A double of any sign with an exponent from a wide range; now and then a zero or a long tie. */
static double draw(tl_xoshiro *rng)
{
    const uint64_t kind = tl_xoshiro_below(rng, 16);
    if (kind == 0) {
        return -0.0;
    }
    if (kind == 1) {
        return 0.1;
    }
    const uint64_t exponent = 1023 - 60 + tl_xoshiro_below(rng, 120);
    const uint64_t bits = (tl_xoshiro_next(rng) & UINT64_C(0x800fffffffffffff)) | exponent << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The brief of the eight lanes, step by step, on terms that are computed already. */
static double sum_by_hand(const double *terms, size_t n)
{
    double l[8] = {0};
    for (size_t i = 0; i < n; i++) {
        l[i % 8] += terms[i];
    }
    l[0] += l[4];
    l[1] += l[5];
    l[2] += l[6];
    l[3] += l[7];
    l[0] += l[2];
    l[1] += l[3];
    return l[0] + l[1];
}

static void each_length_gives_the_bits_of_the_definition(void **state)
{
    (void)state; /* SUM-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    double a[COUNT_MAX];
    double b[COUNT_MAX];
    double terms[6][COUNT_MAX];
    for (size_t n = 0; n <= COUNT_MAX; n++) {
        const double ma = draw(&rng);
        const double mb = draw(&rng);
        for (size_t i = 0; i < n; i++) {
            a[i] = draw(&rng);
            b[i] = draw(&rng);
            const double d = a[i] - ma;
            const double sq = d * d;
            terms[0][i] = a[i];
            terms[1][i] = a[i] * b[i];
            terms[2][i] = sq;
            terms[3][i] = sq * d;
            terms[4][i] = sq * sq;
            terms[5][i] = d * (b[i] - mb);
        }
        const double got[6] = {tl_sum(a, n),
                               tl_dot(a, b, n),
                               tl_sum_sq_dev(a, n, ma),
                               tl_sum_cube_dev(a, n, ma),
                               tl_sum_fourth_dev(a, n, ma),
                               tl_sum_cross_dev(a, b, n, ma, mb)};
        for (size_t k = 0; k < 6; k++) {
            assert_true(bits_of(got[k]) == bits_of(sum_by_hand(terms[k], n)));
        }
    }
}

#if TL__SUM_WITH_AVX2
static void avx2_gives_the_bits_of_the_portable_code(void **state)
{
    (void)state; /* SUM-2 */
    if (!tl__sum_has_avx2()) {
        print_message("# no AVX2 here: the portable form serves alone\n");
        return;
    }
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 2);
    double a[COUNT_MAX + 1];
    double b[COUNT_MAX + 1];
    for (size_t world = 0; world < 40; world++) {
        for (size_t i = 0; i <= COUNT_MAX; i++) {
            a[i] = draw(&rng);
            b[i] = draw(&rng);
        }
        const double ma = draw(&rng);
        const double mb = draw(&rng);
        const double *x = a + world % 2; /* every other world off the alignment */
        const double *y = b + world / 2 % 2;
        for (size_t n = 0; n < COUNT_MAX; n++) {
            assert_true(bits_of(tl__sum_avx2(x, n)) == bits_of(tl__sum_portable(x, n)));
            assert_true(bits_of(tl__dot_avx2(x, y, n)) == bits_of(tl__dot_portable(x, y, n)));
            assert_true(bits_of(tl__sum_sq_dev_avx2(x, n, ma)) ==
                        bits_of(tl__sum_sq_dev_portable(x, n, ma)));
            assert_true(bits_of(tl__sum_cross_dev_avx2(x, y, n, ma, mb)) ==
                        bits_of(tl__sum_cross_dev_portable(x, y, n, ma, mb)));
        }
    }
}
#endif

static void the_order_of_lanes_can_be_seen(void **state)
{
    (void)state; /* SUM-1: a sum from left to right would give 0 or 1 here */
    double x[16] = {1e16, 1, 0, 0, -1e16, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0};
    assert_true(tl_sum(x, 16) == 4.0);
    double left_to_right = 0.0;
    for (size_t i = 0; i < 16; i++) {
        left_to_right += x[i];
    }
    assert_true(left_to_right != 4.0);
}

static void nothing_adds_up_to_plus_zero(void **state)
{
    (void)state;
    const double zeros[3] = {-0.0, -0.0, -0.0};
    assert_true(bits_of(tl_sum(NULL, 0)) == 0);
    assert_true(bits_of(tl_dot(NULL, NULL, 0)) == 0);
    assert_true(bits_of(tl_sum_sq_dev(NULL, 0, 1.0)) == 0);
    assert_true(bits_of(tl_sum_cross_dev(NULL, NULL, 0, 1.0, 2.0)) == 0);
    assert_true(bits_of(tl_sum(zeros, 3)) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_length_gives_the_bits_of_the_definition),
#if TL__SUM_WITH_AVX2
        cmocka_unit_test(avx2_gives_the_bits_of_the_portable_code),
#endif
        cmocka_unit_test(the_order_of_lanes_can_be_seen),
        cmocka_unit_test(nothing_adds_up_to_plus_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
