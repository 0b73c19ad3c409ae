/* Attacks the borders of each type: the last value that fits and the first that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/checked/checked.h"

static void the_last_value_fits_and_the_next_does_not(void **state)
{
    (void)state; /* CHK-1 */
    int64_t i = 7;
    assert_true(tl_i64_add(&i, INT64_MAX - 1, 1));
    assert_int_equal(i, INT64_MAX);
    i = 7;
    assert_false(tl_i64_add(&i, INT64_MAX, 1));
    assert_false(tl_i64_sub(&i, INT64_MIN, 1));
    assert_false(tl_i64_mul(&i, INT64_MIN, -1));
    assert_int_equal(i, 7);
    uint64_t u = 7;
    assert_false(tl_u64_sub(&u, 0, 1));
    assert_false(tl_u64_mul(&u, UINT64_C(1) << 32, UINT64_C(1) << 32));
    assert_int_equal(u, 7);
    assert_true(tl_u64_mul(&u, UINT32_MAX, UINT32_MAX));
    uint32_t w = 7;
    assert_false(tl_u32_add(&w, UINT32_MAX, 1));
    assert_int_equal(w, 7);
    size_t s = 7;
    assert_false(tl_size_mul(&s, SIZE_MAX / 2 + 1, 2));
    assert_int_equal(s, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_value_fits_and_the_next_does_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
