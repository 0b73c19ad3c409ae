/* All short arrangements, and long ones that quicksort hates; the source itself is included to reach the heap sort,
 * which only hopeless pivots would. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/num/rng/rng.h"
#include "core/num/stats/sort.c"

static bool is_sorted(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const bool zeros_swapped =
            x[i - 1] == 0.0 && x[i] == 0.0 && signbit(x[i]) != 0 && signbit(x[i - 1]) == 0;
        if (x[i - 1] > x[i] || zeros_swapped) {
            return false;
        }
    }
    return true;
}

/* A sum over the items that no order changes. */
static uint64_t bag_of(const double *x, size_t n)
{
    uint64_t bag = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bag += tl_splitmix64(&bits);
    }
    return bag;
}

static void all_short_series_are_sorted(void **state)
{
    (void)state; /* STATS-1 */
    const double values[5] = {-1.5, -0.0, 0.0, 2.0, (double)INFINITY};
    for (size_t n = 0; n <= 6; n++) {
        uint32_t worlds = 1;
        for (size_t i = 0; i < n; i++) {
            worlds *= 5;
        }
        for (uint32_t world = 0; world < worlds; world++) {
            double x[6] = {0};
            double y[6];
            uint32_t code = world;
            for (size_t i = 0; i < n; i++, code /= 5) {
                x[i] = values[code % 5];
            }
            const uint64_t bag = bag_of(x, n);
            memcpy(y, x, sizeof y);
            tl_sort_f64(x, n);
            assert_true(is_sorted(x, n) && bag_of(x, n) == bag);
            heap_sort_f64(y, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(x[i] == y[i]);
            }
        }
    }
}

#define LONG_COUNT 3000

/* Arrangement number kind of n values. */
static void arrange(double *x, size_t n, uint32_t kind, tl_xoshiro *rng)
{
    for (size_t i = 0; i < n; i++) {
        const double forward = (double)i;
        const double backward = (double)(n - i);
        switch (kind) {
        case 0:
            x[i] = forward;
            break;
        case 1:
            x[i] = backward;
            break;
        case 2:
            x[i] = 1.0;
            break;
        case 3:
            x[i] = i < n / 2 ? forward : backward; /* organ pipes */
            break;
        case 4:
            x[i] = (i & 1) != 0 ? forward : backward;
            break;
        case 5:
            x[i] = (double)tl_xoshiro_below(rng, 3);
            break;
        default:
            x[i] = tl_xoshiro_unit(rng) - 0.5;
            break;
        }
    }
}

static void long_series_in_hated_orders_are_sorted(void **state)
{
    (void)state; /* STATS-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 6);
    double x[LONG_COUNT];
    double y[LONG_COUNT];
    for (uint32_t kind = 0; kind < 7; kind++) {
        for (size_t n = LONG_COUNT - 40; n <= LONG_COUNT; n++) {
            arrange(x, n, kind, &rng);
            const uint64_t bag = bag_of(x, n);
            memcpy(y, x, n * sizeof *x);
            tl_sort_f64(x, n);
            assert_true(is_sorted(x, n) && bag_of(x, n) == bag);
            heap_sort_f64(y, n);
            assert_memory_equal(x, y, n * sizeof *x);
        }
    }
}

/* What the median of three hates most: each partition parts off two values only. Built backwards: the two least values
 * stand first and in the middle, and the partition swaps the middle one to the second place. */
static void arrange_killer(double *x, size_t n)
{
    double built[LONG_COUNT];
    size_t count = n % 2;
    double least = 0.0;
    for (size_t i = 0; i < count; i++) {
        built[i] = 1.0;
    }
    for (; count < n; count += 2) {
        const size_t grown = count + 2;
        memmove(built + 2, built, count * sizeof *built);
        const size_t mid = grown / 2;
        built[1] = mid >= 2 ? built[mid] : least;
        built[mid] = least;
        built[0] = least - 1.0;
        least -= 2.0;
    }
    memcpy(x, built, n * sizeof *x);
}

static void hopeless_pivots_end_in_a_heap(void **state)
{
    (void)state; /* STATS-1 */
    double x[LONG_COUNT];
    double y[LONG_COUNT];
    arrange_killer(x, LONG_COUNT);
    memcpy(y, x, sizeof x);
    size_t left = LONG_COUNT;
    for (double *at = y; left > 200; at += 2, left -= 2) {
        assert_int_equal(tl__partition_f64(at, left), 1); /* it is a killer */
    }
    memcpy(y, x, sizeof x);
    const uint64_t bag = bag_of(x, LONG_COUNT);
    tl_sort_f64(x, LONG_COUNT);
    assert_true(is_sorted(x, LONG_COUNT) && bag_of(x, LONG_COUNT) == bag);
    const double most = x[LONG_COUNT - 1];
    assert_true(tl_quantile_select(y, LONG_COUNT, 1.0) == most); /* selection gives up and sorts */
    assert_true(bag_of(y, LONG_COUNT) == bag);
}

static void a_partition_parts(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 8);
    for (int world = 0; world < 20000; world++) {
        double x[12];
        const size_t n = 2 + (size_t)tl_xoshiro_below(&rng, 11);
        const uint64_t kinds = 1 + tl_xoshiro_below(&rng, 12);
        for (size_t i = 0; i < n; i++) {
            x[i] = (double)tl_xoshiro_below(&rng, kinds);
        }
        const uint64_t bag = bag_of(x, n);
        const size_t mid = tl__partition_f64(x, n);
        assert_true(mid < n - 1 && bag_of(x, n) == bag);
        for (size_t i = 0; i <= mid; i++) {
            for (size_t j = mid + 1; j < n; j++) {
                assert_true(x[i] <= x[j]);
            }
        }
    }
}

typedef struct item {
    uint32_t key;
    uint32_t arrived;
    char rest[5]; /* an odd size: nothing may be assumed of it */
} item;

typedef struct counter {
    size_t calls;
} counter;

static int compare_keys(const void *a, const void *b, void *self)
{
    counter *c = self;
    c->calls++;
    const uint32_t ka = ((const item *)a)->key;
    const uint32_t kb = ((const item *)b)->key;
    return (ka > kb) - (ka < kb);
}

static void equal_items_keep_their_order(void **state)
{
    (void)state; /* STATS-2 */
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 9);
    item items[200];
    for (int world = 0; world < 400; world++) {
        const size_t n = (size_t)tl_xoshiro_below(&rng, 201);
        const uint64_t kinds = 1 + tl_xoshiro_below(&rng, 50);
        memset(items, 0, sizeof items);
        for (size_t i = 0; i < n; i++) {
            items[i].key = (uint32_t)tl_xoshiro_below(&rng, kinds);
            items[i].arrived = (uint32_t)i;
            items[i].rest[4] = (char)(i % 100);
        }
        counter c = {0};
        assert_int_equal(tl_sort(items, n, sizeof *items, compare_keys, &c, arena, NULL), TL_OK);
        uint64_t seen = 0;
        for (size_t i = 0; i < n; i++) {
            seen += items[i].arrived;
            assert_int_equal(items[i].rest[4], items[i].arrived % 100);
            if (i > 0) {
                assert_true(
                    items[i - 1].key < items[i].key ||
                    (items[i - 1].key == items[i].key && items[i - 1].arrived < items[i].arrived));
            }
        }
        assert_true(seen == (n < 2 ? 0 : n * (n - 1) / 2));
        c.calls = 0;
        assert_int_equal(tl_sort(items, n, sizeof *items, compare_keys, &c, arena, NULL), TL_OK);
#ifndef TL_WITH_VERIFY /* which compares once more */
        assert_true(c.calls <= n);
#endif
    }
    tl_arena_free(arena);
}

/* An allocator that gives its n-th block and then none. */
typedef struct failing {
    size_t left;
} failing;

static void *failing_alloc(void *self, size_t len)
{
    failing *f = self;
    if (f->left == 0) {
        return NULL;
    }
    f->left--;
    return malloc(len);
}

static void failing_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void without_memory_nothing_moves(void **state)
{
    (void)state;
    double x[5000];
    double ranks[5000];
    item items[4] = {{3, 0, {0}}, {2, 1, {0}}, {1, 2, {0}}, {0, 3, {0}}};
    for (size_t i = 0; i < 5000; i++) {
        x[i] = (double)(i % 17);
        ranks[i] = 7.0;
    }
    size_t failures = 0;
    tl_err err = TL_ERR_NOMEM;
    for (size_t left = 0; err != TL_OK; left++) {
        failing f = {left};
        const tl_allocator allocator = {&f, failing_alloc, failing_release};
        tl_arena *arena = NULL;
        err = tl_arena_new(&arena, NULL, 0, &allocator, NULL);
        if (err == TL_OK) {
            counter c = {0};
            err = tl_sort(items, 4, sizeof *items, compare_keys, &c, arena, NULL);
        }
        assert_int_equal(items[0].key, err == TL_OK ? 0 : 3);
        if (err == TL_OK) {
            err = tl_ranks_average(ranks, x, 5000, arena, NULL);
        }
        assert_true(err == TL_OK ? ranks[0] != 7.0 : ranks[0] == 7.0);
        failures += err == TL_ERR_NOMEM;
        items[0].key = 3;
        items[3].key = 0;
        items[1].key = 2;
        items[2].key = 1;
        tl_arena_free(arena);
    }
    assert_true(failures >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_short_series_are_sorted),
        cmocka_unit_test(long_series_in_hated_orders_are_sorted),
        cmocka_unit_test(hopeless_pivots_end_in_a_heap),
        cmocka_unit_test(a_partition_parts),
        cmocka_unit_test(equal_items_keep_their_order),
        cmocka_unit_test(without_memory_nothing_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
