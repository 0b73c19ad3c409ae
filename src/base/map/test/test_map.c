/* Attacks order and balance: ascending, descending and random keys, keys that are heads of one another; the tree's depth
 * is measured, the walk compared with a plain table; and each allocation fails once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map/map.h"

static tl_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static tl_bytes bytes(const char *text)
{
    return tl_str_bytes(tl_str_from_cstr(text));
}

static size_t depth_of(const tl_map_entry *e)
{
    if (e == NULL) {
        return 0;
    }
    const size_t left = depth_of(e->left);
    const size_t right = depth_of(e->right);
    return 1 + (left > right ? left : right);
}

static void check_map(const tl_map *map)
{
    size_t count = 0;
    for (const tl_map_entry *e = map->first; e != NULL; e = e->next) {
        count++;
        assert_true(e->next == NULL || tl_bytes_cmp(e->key, e->next->key) < 0); /* MAP-1 */
        assert_ptr_equal(tl_map_find(map, e->key), e);
        assert_ptr_equal(tl_map_seek(map, e->key), e);
    }
    assert_int_equal(count, map->count);
    size_t log2 = 0;
    while (count >> log2 != 0) {
        log2++;
    }
    assert_true(depth_of(map->root) <= 2 * log2); /* MAP-2 */
}

enum { ASCENDING, DESCENDING, SCATTERED, INWARDS, ORDER_COUNT };

static uint32_t nth_key(int order, uint32_t i, uint32_t count)
{
    switch (order) {
    case ASCENDING:
        return i;
    case DESCENDING:
        return count - 1 - i;
    case SCATTERED:
        return i * UINT32_C(2654435761);
    default:
        return i % 2 == 0 ? i / 2 : count - 1 - i / 2;
    }
}

static void any_order_of_keys_gives_the_same_walk_and_depth(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    for (int order = 0; order < ORDER_COUNT; order++) {
        tl_map map;
        tl_map_init(&map, arena);
        for (uint32_t i = 0; i < COUNT; i++) {
            const uint32_t n = nth_key(order, i, COUNT);
            const uint8_t key[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                                    (uint8_t)n};
            uint32_t *value = TL_NEW(arena, uint32_t, 1);
            assert_non_null(value);
            *value = n;
            assert_int_equal(tl_map_put(&map, (tl_bytes){key, 4}, value, NULL), TL_OK);
        }
        assert_int_equal(map.count, COUNT);
        check_map(&map);
        for (const tl_map_entry *e = map.first; e != NULL; e = e->next) {
            const uint32_t n = *(const uint32_t *)e->value;
            assert_int_equal(e->key.ptr[0], n >> 24);
            assert_int_equal(e->key.ptr[3], n & 255);
        }
    }
}

/* Every sequence of six puts over four keys, heads of one another, against a table of four. */
static void small_maps_equal_a_table(void **state)
{
    (void)state;
    static const tl_bytes keys[4] = {{NULL, 0},
                                     {(const uint8_t *)"a", 1},
                                     {(const uint8_t *)"a\0", 2},
                                     {(const uint8_t *)"\xFF", 1}};
    static int values[6] = {0, 1, 2, 3, 4, 5};
    for (unsigned walk = 0; walk < 4096; walk++) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        int *table[4] = {NULL, NULL, NULL, NULL};
        tl_map map;
        tl_map_init(&map, arena);
        for (unsigned step = 0; step < 6; step++) {
            const unsigned k = walk >> (2 * step) & 3;
            table[k] = &values[step];
            assert_int_equal(tl_map_put(&map, keys[k], &values[step], NULL), TL_OK);
        }
        const tl_map_entry *e = map.first;
        for (unsigned k = 0; k < 4; k++) {
            assert_ptr_equal(tl_map_get(&map, keys[k]), table[k]);
            if (table[k] != NULL) {
                assert_int_equal(tl_bytes_cmp(e->key, keys[k]), 0);
                e = e->next;
            }
        }
        assert_null(e);
        check_map(&map);
        tl_arena_rewind(arena, mark);
    }
}

static void keys_are_copied_and_what_is_absent_is_null(void **state)
{
    (void)state;
    tl_map map;
    tl_map_init(&map, arena);
    assert_null(tl_map_get(&map, bytes("k")));
    assert_null(tl_map_seek(&map, bytes("")));
    char key[] = "key";
    tl_map_entry *slot = NULL;
    tl_map_entry *again = NULL;
    assert_int_equal(tl_map_slot(&slot, &map, bytes(key), NULL), TL_OK);
    assert_null(slot->value);
    key[0] = 'X';
    assert_int_equal(tl_map_slot(&again, &map, bytes("key"), NULL), TL_OK);
    assert_ptr_equal(slot, again);
    assert_int_equal(map.count, 1);
    assert_null(tl_map_find(&map, bytes("ke")));
    assert_null(tl_map_find(&map, bytes("keys")));
    assert_ptr_equal(tl_map_seek(&map, bytes("ke")), slot);
    assert_null(tl_map_seek(&map, bytes("keys")));
}

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

static void each_allocation_may_fail_and_the_map_stays_whole(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        flaky f = {n, 0};
        const tl_allocator from = {&f, flaky_alloc, flaky_release};
        tl_arena *a = NULL;
        assert_int_equal(tl_arena_new(&a, NULL, 0, &from, NULL), TL_OK);
        tl_map map;
        tl_map_init(&map, a);
        tl_err err = TL_OK;
        uint32_t i = 0;
        for (; i < 400 && err == TL_OK; i++) {
            uint32_t key[64] = {i * UINT32_C(2654435761)};
            err = tl_map_put(&map, (tl_bytes){(const uint8_t *)key, sizeof key}, &f, NULL);
        }
        assert_int_equal(map.count, err == TL_OK ? i : i - 1);
        check_map(&map);
        tl_arena_free(a);
        assert_int_equal(f.live_blocks, 0);
        if (err == TL_OK) {
            assert_true(n > 3);
            break;
        }
        assert_int_equal(err, TL_ERR_NOMEM);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_keys_gives_the_same_walk_and_depth),
        cmocka_unit_test(small_maps_equal_a_table),
        cmocka_unit_test(keys_are_copied_and_what_is_absent_is_null),
        cmocka_unit_test(each_allocation_may_fail_and_the_map_stays_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
