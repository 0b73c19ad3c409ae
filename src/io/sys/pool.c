/* The pool: threads take the next shard's number from a counter until there is none.
 *
 *     idle ──run──▶ working ──last shard done──▶ idle            the caller is worker 0 and works too
 *
 * A round has a number: a thread that wakes up sees by it whether there is new work, however late it wakes. */
#include "io/sys/sys.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/sys/sys_internal.h"

typedef struct worker {
    tl_pool *pool;
    size_t index;
    pthread_t thread;
} worker;

struct tl_pool {
    size_t thread_count; /* the caller's among them */
    size_t started;      /* threads made: thread_count - 1 in the end */
    worker workers[TL_POOL_THREADS_MAX];

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t has_work;
    pthread_cond_t is_done;
    uint64_t round;
    bool is_ending;
    size_t busy; /* threads in this round, without the caller */
    tl_pool_fn fn;
    void *self;
    size_t shard_count;
    size_t next_shard;
    size_t failed_shard; /* lowest that failed; shard_count: none */
    tl_errctx failure;
    tl_err failed_with;
};

/* The next shard, or false. */
static bool take_shard(tl_pool *pool, size_t *shard)
{
    (void)pthread_mutex_lock(&pool->lock);
    const bool has_one = pool->next_shard < pool->shard_count;
    if (has_one) {
        *shard = pool->next_shard++;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return has_one;
}

static void keep_failure(tl_pool *pool, size_t shard, tl_err err, const tl_errctx *ctx)
{
    (void)pthread_mutex_lock(&pool->lock);
    if (shard < pool->failed_shard) { /* SYS-2 */
        pool->failed_shard = shard;
        pool->failed_with = err;
        pool->failure = *ctx;
    }
    (void)pthread_mutex_unlock(&pool->lock);
}

/* fn and self do not change within a round, and the lock was taken since they were set. */
static void work(tl_pool *pool, size_t worker_index)
{
    size_t shard;
    while (take_shard(pool, &shard)) {
        tl_errctx own = TL_ERRCTX_INIT;
        const tl_err err = pool->fn(pool->self, shard, worker_index, &own);
        if (err != TL_OK) {
            keep_failure(pool, shard, err, &own);
        }
    }
}

static void *thread_main(void *argument)
{
    const worker *me = argument;
    tl_pool *pool = me->pool;
    uint64_t seen = 0;
    (void)pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->is_ending && pool->round == seen) {
            (void)pthread_cond_wait(&pool->has_work, &pool->lock);
        }
        if (pool->is_ending) {
            break;
        }
        seen = pool->round;
        (void)pthread_mutex_unlock(&pool->lock);
        work(pool, me->index);
        (void)pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0) {
            (void)pthread_cond_signal(&pool->is_done);
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

size_t tl_sys_processor_count(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}

static size_t count_wanted(size_t thread_count)
{
    const size_t wanted = thread_count > 0 ? thread_count : tl_sys_processor_count();
    return wanted < TL_POOL_THREADS_MAX ? wanted : TL_POOL_THREADS_MAX;
}

tl_err tl_pool_new(tl_pool **out, size_t thread_count, tl_errctx *ctx)
{
    tl_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a thread pool");
    }
    pool->thread_count = count_wanted(thread_count);
    /* with default attributes these cannot fail on Linux */
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->has_work, NULL);
    (void)pthread_cond_init(&pool->is_done, NULL);
    for (size_t i = 1; i < pool->thread_count; i++) {
        worker *w = &pool->workers[i];
        *w = (worker){.pool = pool, .index = i};
        const int rc = pthread_create(&w->thread, NULL, thread_main, w);
        if (rc != 0) {
            tl_pool_free(pool);
            return tl__sys_fail_errno(ctx, rc, "start", "a thread");
        }
        pool->started++;
    }
    *out = pool;
    return TL_OK;
}

void tl_pool_free(tl_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    (void)pthread_cond_broadcast(&pool->has_work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 1; i <= pool->started; i++) {
        (void)pthread_join(pool->workers[i].thread, NULL);
    }
    (void)pthread_cond_destroy(&pool->is_done);
    (void)pthread_cond_destroy(&pool->has_work);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t tl_pool_thread_count(const tl_pool *pool)
{
    return pool->thread_count;
}

tl_err tl_pool_run(tl_pool *pool, size_t shard_count, tl_pool_fn fn, void *self, tl_errctx *ctx)
{
    (void)pthread_mutex_lock(&pool->lock);
    TL_ASSERT(pool->busy == 0); /* one thread drives it, and not from within a shard */
    pool->fn = fn;
    pool->self = self;
    pool->shard_count = shard_count;
    pool->next_shard = 0;
    pool->failed_shard = shard_count;
    pool->failed_with = TL_OK;
    pool->busy = pool->started;
    pool->round++;
    (void)pthread_cond_broadcast(&pool->has_work);
    (void)pthread_mutex_unlock(&pool->lock);
    work(pool, 0);
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0) {
        (void)pthread_cond_wait(&pool->is_done, &pool->lock);
    }
    const tl_err err = pool->failed_with;
    if (err != TL_OK && ctx != NULL) {
        *ctx = pool->failure;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return err;
}
