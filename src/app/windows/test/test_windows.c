/* Attacks windows with threads that all want the last take, clocks that go back, more keys than entries, and a Redis that is
 * shared, emptied and killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "app/windows/windows.h"
#include "io/redis/test/server.h"

#define NOW INT64_C(1700006400) /* a UTC midnight is 1,699,920,000; 86,400 later */
_Static_assert(NOW % 86400 == 0, "a day begins");

static tl_windows *make(tl_redis *redis)
{
    tl_windows *w = NULL;
    assert_int_equal(tl_windows_new(&w, redis, TL_STR("tally:test"), NULL), TL_OK);
    return w;
}

static tl_windows_state take(tl_windows *w, const char *key, uint32_t count, uint32_t window_s,
                             int64_t now_s)
{
    tl_windows_state s;
    const tl_windows_ask ask = {tl_str_from_cstr(key), count, window_s};
    tl_windows_take(w, &s, &ask, 1, now_s);
    return s;
}

static void figures_are_exact(void **state)
{
    (void)state;
    tl_windows *w = make(NULL);
    for (uint32_t i = 0; i < 3; i++) {
        const tl_windows_state s = take(w, "a", 3, 60, NOW + 10 + i);
        assert_true(s.is_taken);
        assert_int_equal(s.limit, 3);
        assert_int_equal(s.remaining, 2 - i);
        assert_int_equal(s.reset_s, NOW + 60);
        assert_int_equal(s.retry_after_s, 0);
    }
    const tl_windows_state s = take(w, "a", 3, 60, NOW + 59);
    assert_false(s.is_taken);
    assert_int_equal(s.remaining, 0);
    assert_int_equal(s.retry_after_s, 1);
    assert_true(take(w, "b", 3, 60, NOW + 59).is_taken);
    assert_int_equal(take(w, "a", 3, 60, NOW + 60).remaining, 2); /* the next window */
    tl_windows_free(w);
}

static void a_day_ends_at_midnight(void **state)
{
    (void)state;
    tl_windows *w = make(NULL);
    assert_true(take(w, "a", 1, 86400, NOW - 1).is_taken);
    assert_false(take(w, "a", 1, 86400, NOW - 1).is_taken);
    const tl_windows_state s = take(w, "a", 1, 86400, NOW);
    assert_true(s.is_taken);
    assert_int_equal(s.reset_s, NOW + 86400);
    assert_int_equal(take(w, "a", 1, 86400, NOW + 100).retry_after_s, 86300);
    tl_windows_free(w);
}

static void all_windows_are_taken_or_none(void **state)
{
    (void)state; /* WINDOWS-2 */
    tl_windows *w = make(NULL);
    const tl_windows_ask asks[] = {{TL_STR("own"), 5, 60}, {TL_STR("all"), 2, 86400}};
    tl_windows_state s;
    for (uint32_t i = 0; i < 2; i++) {
        tl_windows_take(w, &s, asks, 2, NOW);
        assert_true(s.is_taken);
        assert_int_equal(s.limit, 2); /* the tightest */
        assert_int_equal(s.remaining, 1 - i);
    }
    for (uint32_t i = 0; i < 9; i++) {
        tl_windows_take(w, &s, asks, 2, NOW);
        assert_false(s.is_taken);
        assert_int_equal(s.reset_s, NOW + 86400);
    }
    assert_int_equal(take(w, "own", 5, 60, NOW).remaining, 2); /* nine refusals took nothing */
    tl_windows_free(w);
}

static void a_clock_that_goes_back_gives_no_second_window(void **state)
{
    (void)state;
    tl_windows *w = make(NULL);
    assert_true(take(w, "a", 1, 60, NOW).is_taken);
    assert_false(take(w, "a", 1, 60, NOW - 1).is_taken);
    tl_windows_free(w);
}

static void the_table_bears_more_keys_than_entries(void **state)
{
    (void)state; /* WINDOWS-3 */
    tl_windows *w = make(NULL);
    for (uint32_t i = 0; i < 2 * TL_WINDOWS_ENTRIES_MAX; i++) {
        char key[16];
        tl_str_print(key, sizeof key, "k%u", i);
        assert_true(take(w, key, 1, 60, NOW).is_taken);
    }
    tl_windows_free(w);
}

typedef struct crowd {
    tl_windows *windows;
    _Atomic uint32_t taken;
} crowd;

static void *grab(void *arg)
{
    crowd *c = arg;
    for (int i = 0; i < 500; i++) {
        c->taken += take(c->windows, "one", 777, 86400, NOW).is_taken;
    }
    return NULL;
}

static uint32_t storm(tl_windows *w)
{
    enum { THREADS = 8 };
    crowd c = {.windows = w};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, grab, &c), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    return c.taken;
}

static void threads_share_the_count(void **state)
{
    (void)state; /* WINDOWS-1 */
    tl_windows *w = make(NULL);
    assert_int_equal(storm(w), 777);
    tl_windows_free(w);
}

static void redis_counts_for_all_and_its_loss_stops_nobody(void **state)
{
    (void)state;
    redis_server server;
    assert_true(redis_server_start(&server, NULL));
    const tl_redis_options options = {.url = tl_str_from_cstr(server.socket_url), .call_ms = 5000};
    tl_redis *redis = NULL;
    assert_int_equal(tl_redis_open(&redis, &options, NULL), TL_OK);
    tl_windows *one = make(redis);
    tl_windows *two = make(redis);
    assert_int_equal(storm(one),
                     777); /* WINDOWS-1: 86,400 s a window, so no test crosses it but at midnight */
    assert_false(take(two, "one", 777, 86400, NOW).is_taken);
    const tl_windows_ask asks[] = {{TL_STR("x"), 9, 86400}, {TL_STR("y"), 1, 86400}};
    tl_windows_state s;
    tl_windows_take(one, &s, asks, 2, NOW);
    assert_true(s.is_taken);
    assert_int_equal(s.remaining, 0);
    assert_true(s.reset_s > (int64_t)time(NULL) && s.reset_s % 86400 == 0); /* its own clock */
    tl_windows_take(two, &s, asks, 2, NOW);
    assert_false(s.is_taken);
    assert_int_equal(take(two, "x", 9, 86400, NOW).remaining, 7); /* WINDOWS-2 */
    redis_server_kill(&server);
    assert_true(take(one, "one", 777, 86400, NOW).is_taken); /* the table alone */
    tl_windows_free(one);
    tl_windows_free(two);
    tl_redis_close(redis);
    redis_server_again(&server);
    redis_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_exact),
        cmocka_unit_test(a_day_ends_at_midnight),
        cmocka_unit_test(all_windows_are_taken_or_none),
        cmocka_unit_test(a_clock_that_goes_back_gives_no_second_window),
        cmocka_unit_test(the_table_bears_more_keys_than_entries),
        cmocka_unit_test(threads_share_the_count),
        cmocka_unit_test(redis_counts_for_all_and_its_loss_stops_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
