/* Attacks ceilings, overflowing sizes, rewinds, hooks, and an allocator that fails at the n-th call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena/arena.h"

typedef struct flaky {
    size_t calls_left;
    size_t live_blocks;
} flaky;

static void *flaky_alloc(void *self, size_t len)
{
    flaky *f = (flaky *)self;
    if (f->calls_left == 0) {
        return NULL;
    }
    f->calls_left--;
    f->live_blocks++;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void flaky_release(void *self, void *memory)
{
    ((flaky *)self)->live_blocks--;
    free(memory);
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    tl_arena *a = NULL;
    assert_int_equal(tl_arena_new(&a, NULL, 0, NULL, NULL), TL_OK);
    for (size_t i = 1; i < 3000; i += 7) {
        unsigned char *p = TL_NEW(a, unsigned char, i);
        assert_non_null(p);
        for (size_t k = 0; k < i; k++) {
            assert_int_equal(p[k], 0);
        }
        memset(p, 0xFF, i);
        assert_int_equal((uintptr_t)TL_NEW(a, double, i) % _Alignof(double), 0);
        assert_int_equal((uintptr_t)tl_arena_alloc(a, 1, 64, 64) % 64, 0);
    }
    tl_arena_free(a);
    tl_arena_free(NULL);
}

static void the_ceiling_holds_for_child_and_parent(void **state)
{
    (void)state; /* ARENA-1 */
    tl_arena *parent = NULL;
    tl_arena *child = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_arena_new(&parent, NULL, 20000, NULL, NULL), TL_OK);
    assert_int_equal(tl_arena_new(&child, parent, 1 << 20, NULL, NULL), TL_OK);
    assert_non_null(TL_NEW(child, char, 10000));
    const size_t live = tl_arena_live_len(parent);
    assert_null(TL_NEW(child, char, 15000));
    assert_int_equal(tl_arena_fail(child, &ctx), TL_ERR_LIMIT);
    assert_int_equal(tl_arena_live_len(parent), live); /* ARENA-3 */
    tl_arena_free(child);
    assert_int_equal(tl_arena_live_len(parent), 0);
    assert_non_null(TL_NEW(parent, char, 15000));
    tl_arena_free(parent);
}

static void a_size_that_overflows_is_refused(void **state)
{
    (void)state;
    tl_arena *a = NULL;
    assert_int_equal(tl_arena_new(&a, NULL, 0, NULL, NULL), TL_OK);
    assert_null(tl_arena_alloc(a, SIZE_MAX / 2, 4, 1));
    assert_null(tl_arena_alloc(a, SIZE_MAX, 1, 1));
    assert_null(tl_arena_alloc(a, SIZE_MAX / 2, 1, 1));
    assert_int_equal(tl_arena_fail(a, NULL), TL_ERR_LIMIT);
    assert_non_null(TL_NEW(a, int, 0));
    tl_arena_free(a);
}

static void count_down(void *object)
{
    int *n = (int *)object;
    *n = *n * 10 + 1;
}

static void count_two(void *object)
{
    int *n = (int *)object;
    *n = *n * 10 + 2;
}

static void hooks_run_once_and_last_in_first_out(void **state)
{
    (void)state; /* ARENA-2 */
    int order = 0;
    tl_arena *a = NULL;
    assert_int_equal(tl_arena_new(&a, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_arena_defer(a, count_down, &order, NULL), TL_OK);
    const tl_arena_mark mark = tl_arena_get_mark(a);
    assert_int_equal(tl_arena_defer(a, count_two, &order, NULL), TL_OK);
    assert_non_null(TL_NEW(a, char, 100000));
    tl_arena_rewind(a, mark);
    assert_int_equal(order, 2);
    char *again = TL_NEW(a, char, 10);
    assert_non_null(again);
    tl_arena_free(a);
    assert_int_equal(order, 21);
}

static void each_allocation_may_fail_and_nothing_leaks(void **state)
{
    (void)state; /* ARENA-3 */
    for (size_t n = 0;; n++) {
        flaky f = {n, 0};
        const tl_allocator from = {&f, flaky_alloc, flaky_release};
        tl_arena *a = NULL;
        tl_arena *child = NULL;
        tl_err err = tl_arena_new(&a, NULL, 0, &from, NULL);
        bool done = false;
        if (err == TL_OK) {
            err = tl_arena_new(&child, a, 0, NULL, NULL);
            done = err == TL_OK;
            for (size_t i = 0; done && i < 50; i++) {
                done = TL_NEW(child, char, 1000) != NULL && TL_NEW(a, char, 3000) != NULL;
            }
            if (!done && child != NULL) {
                assert_int_equal(tl_arena_fail(child, NULL), TL_ERR_NOMEM);
            }
        }
        tl_arena_free(a);
        assert_int_equal(f.live_blocks, 0);
        if (done) {
            break;
        }
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(the_ceiling_holds_for_child_and_parent),
        cmocka_unit_test(a_size_that_overflows_is_refused),
        cmocka_unit_test(hooks_run_once_and_last_in_first_out),
        cmocka_unit_test(each_allocation_may_fail_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
