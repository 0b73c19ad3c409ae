/* Attacks shards that are lost or run twice, errors that depend on the number of threads, and pools used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/sys/sys.h"

enum { SHARDS = 1000 };

typedef struct tally {
    atomic_int calls[SHARDS];
    uint64_t scratch[TL_POOL_THREADS_MAX]; /* each worker's own, so no lock */
    size_t workers;
} tally;

static tl_err count_shard(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    tally *t = self;
    atomic_fetch_add(&t->calls[shard], 1);
    t->scratch[worker] += shard;
    return worker < t->workers ? TL_OK : tl_fail(ctx, TL_ERR_INTERNAL, "worker %zu", worker);
}

static void each_shard_runs_once(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 5; threads++) {
        tl_pool *pool = NULL;
        assert_int_equal(tl_pool_new(&pool, threads, NULL), TL_OK);
        assert_int_equal(tl_pool_thread_count(pool), threads);
        for (size_t n = 0; n <= SHARDS; n = n * 3 + 1) {
            tally t = {.workers = threads};
            assert_int_equal(tl_pool_run(pool, n, count_shard, &t, NULL), TL_OK);
            uint64_t sum = 0;
            for (size_t i = 0; i < SHARDS; i++) {
                assert_int_equal(atomic_load(&t.calls[i]), i < n ? 1 : 0); /* SYS-2 */
            }
            for (size_t i = 0; i < threads; i++) {
                sum += t.scratch[i];
            }
            assert_true(sum == (n > 0 ? (uint64_t)n * (n - 1) / 2 : 0));
        }
        tl_pool_free(pool);
    }
}

static tl_err fail_from_300(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    (void)worker;
    atomic_fetch_add((atomic_int *)self, 1);
    return shard < 300 ? TL_OK : tl_fail(ctx, TL_ERR_RANGE, "shard %zu", shard);
}

static void the_lowest_failure_is_told_and_all_shards_run(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 4; threads++) {
        tl_pool *pool = NULL;
        tl_errctx why = TL_ERRCTX_INIT;
        atomic_int calls = 0;
        assert_int_equal(tl_pool_new(&pool, threads, NULL), TL_OK);
        assert_int_equal(tl_pool_run(pool, SHARDS, fail_from_300, &calls, &why), TL_ERR_RANGE);
        assert_string_equal(why.message, "shard 300"); /* SYS-2 */
        assert_int_equal(atomic_load(&calls), SHARDS);
        tally t = {.workers = threads};
        assert_int_equal(tl_pool_run(pool, 10, count_shard, &t, &why), TL_OK); /* it works again */
        tl_pool_free(pool);
    }
    tl_pool_free(NULL);
}

static void zero_threads_means_one_a_processor(void **state)
{
    (void)state;
    tl_pool *pool = NULL;
    assert_int_equal(tl_pool_new(&pool, 0, NULL), TL_OK);
    assert_true(tl_pool_thread_count(pool) >= 1);
    tl_pool_free(pool);
    assert_int_equal(tl_pool_new(&pool, 100000, NULL), TL_OK);
    assert_int_equal(tl_pool_thread_count(pool), TL_POOL_THREADS_MAX);
    tl_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shard_runs_once),
        cmocka_unit_test(the_lowest_failure_is_told_and_all_shards_run),
        cmocka_unit_test(zero_threads_means_one_a_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
