/* Attacks growth: items keep their values and alignment, a push that fails changes nothing, popped items come back
 * zeroed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vec/vec.h"

static tl_arena *new_arena(size_t limit_len)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, limit_len, NULL, NULL), TL_OK);
    return arena;
}

static void items_keep_their_values_as_the_vec_grows(void **state)
{
    (void)state; /* VEC-1 */
    tl_arena *arena = new_arena(0);
    tl_vec vec;
    tl_vec_init(&vec, arena, sizeof(uint64_t));
    assert_null(vec.items);
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t *item = (uint64_t *)tl_vec_push(&vec);
        assert_non_null(item);
        assert_int_equal(*item, 0);
        *item = i * i;
        assert_int_equal(vec.count, i + 1);
    }
    const uint64_t *items = (const uint64_t *)vec.items;
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(items[i], i * i);
        assert_ptr_equal(tl_vec_at(&vec, i), &items[i]);
    }
    tl_arena_free(arena);
}

static void items_of_every_size_are_aligned(void **state)
{
    (void)state;
    tl_arena *arena = new_arena(0);
    for (size_t size = 1; size <= 200; size++) {
        const size_t power = size & (0 - size);
        tl_vec vec;
        tl_vec_init(&vec, arena, size);
        for (size_t i = 0; i < 20; i++) {
            const uintptr_t place = (uintptr_t)tl_vec_push(&vec);
            assert_int_equal(place % (power < 64 ? power : 64), 0);
        }
    }
    tl_arena_free(arena);
}

static void a_push_that_fails_changes_nothing(void **state)
{
    (void)state; /* VEC-1 */
    tl_arena *arena = new_arena(20000);
    tl_vec vec;
    tl_vec_init(&vec, arena, sizeof(uint32_t));
    uint32_t *item = (uint32_t *)tl_vec_push(&vec);
    while (item != NULL) {
        *item = (uint32_t)vec.count;
        item = (uint32_t *)tl_vec_push(&vec);
    }
    assert_int_equal(tl_arena_fail(vec.arena, NULL), TL_ERR_LIMIT);
    const size_t count = vec.count;
    assert_true(count > 100);
    assert_null(tl_vec_push(&vec));
    assert_int_equal(vec.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(*(const uint32_t *)tl_vec_at(&vec, i), i + 1);
    }
    tl_arena_free(arena);
}

static void what_is_reserved_does_not_move(void **state)
{
    (void)state;
    tl_arena *arena = new_arena(0);
    tl_vec vec;
    tl_vec_init(&vec, arena, 3);
    assert_true(tl_vec_reserve(&vec, 1000));
    const void *items = vec.items;
    for (size_t i = 0; i < 1000; i++) {
        assert_non_null(tl_vec_push(&vec));
    }
    assert_ptr_equal(vec.items, items);
    assert_true(tl_vec_reserve(&vec, 10));
    assert_ptr_equal(vec.items, items);
    assert_false(tl_vec_reserve(&vec, SIZE_MAX / 2));
    assert_int_equal(vec.count, 1000);
    tl_arena_free(arena);
}

static void a_popped_item_comes_back_zeroed(void **state)
{
    (void)state;
    tl_arena *arena = new_arena(0);
    tl_vec vec;
    tl_vec_init(&vec, arena, sizeof(int));
    *(int *)tl_vec_push(&vec) = 1;
    *(int *)tl_vec_push(&vec) = 2;
    tl_vec_pop(&vec);
    assert_int_equal(vec.count, 1);
    assert_int_equal(*(int *)tl_vec_push(&vec), 0);
    assert_int_equal(*(int *)tl_vec_at(&vec, 0), 1);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_keep_their_values_as_the_vec_grows),
        cmocka_unit_test(items_of_every_size_are_aligned),
        cmocka_unit_test(a_push_that_fails_changes_nothing),
        cmocka_unit_test(what_is_reserved_does_not_move),
        cmocka_unit_test(a_popped_item_comes_back_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
