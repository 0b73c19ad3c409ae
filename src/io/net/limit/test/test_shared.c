/* Attacks the limits in Redis: two handles share one bucket, penalties double, threads of both take no more than there is,
 * and a server that is gone leaves each process its own table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "io/net/limit/limit.h"
#include "io/redis/test/server.h"

#define NOW INT64_C(1000000000000)

static redis_server server;
static bool has_server;

static int start(void **state)
{
    (void)state;
    has_server = redis_server_start(&server, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (has_server) {
        redis_server_stop(&server);
    }
    return 0;
}

#define NEED_SERVER()                                                                              \
    if (!has_server) {                                                                             \
        skip();                                                                                    \
    }

static tl_redis *open_redis(void)
{
    const tl_redis_options o = {
        .url = tl_str_from_cstr(server.socket_url), .call_ms = 5000, .connect_ms = 5000};
    tl_redis *redis = NULL;
    assert_int_equal(tl_redis_open(&redis, &o, NULL), TL_OK);
    return redis;
}

static tl_limit *shared_of(tl_redis *redis, tl_limit_rules rules, const char *prefix)
{
    tl_limit *limit = NULL;
    assert_int_equal(tl_limit_new_shared(&limit, &rules, redis, tl_str_from_cstr(prefix), NULL),
                     TL_OK);
    return limit;
}

static const tl_bytes key = {(const uint8_t *)"who", 3};

/* So slow a rate that no token comes while a test runs. */
static const tl_limit_rules slow = {.rate_per_s = 0.0001, .burst = 5.0};

static void two_processes_share_one_bucket(void **state)
{
    (void)state;
    NEED_SERVER();
    tl_redis *ra = open_redis();
    tl_redis *rb = open_redis();
    tl_limit *a = shared_of(ra, slow, "one");
    tl_limit *b = shared_of(rb, slow, "one");
    tl_limit *c = shared_of(rb, slow, "two");
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(tl_limit_take(i % 2 == 0 ? a : b, key, NOW), 0);
    }
    assert_true(tl_limit_take(a, key, NOW) > 9000000);
    assert_true(tl_limit_take(b, key, NOW) > 9000000);
    assert_int_equal(tl_limit_take(c, key, NOW), 0); /* another prefix, other buckets */
    assert_int_equal(tl_limit_peek(a, key, NOW), 0);
    tl_limit_free(a);
    tl_limit_free(b);
    tl_limit_free(c);
    tl_redis_close(ra);
    tl_redis_close(rb);
}

static void penalties_are_shared_and_double(void **state)
{
    (void)state;
    NEED_SERVER();
    tl_redis *redis = open_redis();
    const tl_limit_rules rules = {
        .rate_per_s = 1000.0, .burst = 1.0, .penalty_s = 1, .penalty_max_s = 3};
    tl_limit *a = shared_of(redis, rules, "penalty");
    tl_limit *b = shared_of(redis, rules, "penalty");
    static const uint32_t lengths_ms[] = {1000, 2000};
    for (size_t round = 0; round < 2; round++) {
        uint32_t wait_ms;
        do { /* a thousand tokens a second: two takes in one millisecond empty the bucket of one */
            wait_ms = tl_limit_take(a, key, NOW);
        } while (wait_ms == 0);
        assert_int_equal(wait_ms, lengths_ms[round]);
        const uint32_t left_ms = tl_limit_peek(b, key, NOW);
        assert_true(left_ms > 0 && left_ms <= lengths_ms[round]);
        const uint32_t sleep_ms = left_ms + 2;
        const struct timespec pause = {.tv_sec = sleep_ms / 1000,
                                       .tv_nsec = (long)(sleep_ms % 1000) * 1000000};
        if (round == 0) {
            assert_int_equal(nanosleep(&pause, NULL), 0);
            assert_int_equal(tl_limit_peek(b, key, NOW), 0);
        }
    }
    tl_limit_free(a);
    tl_limit_free(b);
    tl_redis_close(redis);
}

enum { THREADS = 8, TAKES = 100 };

typedef struct taker {
    tl_limit *limit;
    uint32_t taken;
} taker;

static void *take_many(void *self)
{
    taker *t = self;
    for (unsigned i = 0; i < TAKES; i++) {
        t->taken += tl_limit_take(t->limit, key, NOW) == 0 ? 1 : 0;
    }
    return NULL;
}

static void all_who_share_take_no_more_than_there_is(void **state)
{
    (void)state;
    NEED_SERVER();
    tl_redis *redis = open_redis();
    const tl_limit_rules rules = {.rate_per_s = 0.0001, .burst = 77.0};
    tl_limit *limits[2] = {shared_of(redis, rules, "race"), shared_of(redis, rules, "race")};
    static taker takers[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        takers[i] = (taker){.limit = limits[i % 2]};
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
    }
    uint32_t taken = 0;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        taken += takers[i].taken;
    }
    assert_int_equal(taken, 77);
    tl_limit_free(limits[0]);
    tl_limit_free(limits[1]);
    tl_redis_close(redis);
}

static void without_redis_each_process_goes_on_alone(void **state)
{
    (void)state;
    NEED_SERVER();
    tl_redis *redis = open_redis();
    tl_limit *a = shared_of(redis, slow, "gone");
    redis_server_kill(&server);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(tl_limit_take(a, key, NOW), 0);
    }
    assert_true(tl_limit_take(a, key, NOW) > 0);
    redis_server_again(&server);
    tl_limit_free(a);
    tl_redis_close(redis);
    const tl_limit_rules rules = slow;
    assert_int_equal(tl_limit_new_shared(&a, &rules, redis, TL_STR(""), NULL), TL_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_processes_share_one_bucket),
        cmocka_unit_test(penalties_are_shared_and_double),
        cmocka_unit_test(all_who_share_take_no_more_than_there_is),
        cmocka_unit_test(without_redis_each_process_goes_on_alone),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
