/* One store, wherever it lives: in a file, in memory, in Redis. */
#include "sdk/replay/replay_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/sys/sys.h"

#define AHEAD_DEFAULT_NS (INT64_C(2) * 1000000000)
#define BACK_DEFAULT_NS  (INT64_C(124) * 1000000000)
#define WINDOW_MAX_NS    (INT64_C(86400) * 1000000000)

tl_err tl__replay_check_options(tl_replay_options *out, const tl_replay_options *options,
                                tl_errctx *ctx)
{
    tl_replay_options o = options != NULL ? *options : (tl_replay_options){0};
    o.marks_max = o.marks_max == 0 ? TL_REPLAY_MARKS_DEFAULT : o.marks_max;
    o.ahead_ns = o.ahead_ns == 0 ? AHEAD_DEFAULT_NS : o.ahead_ns;
    o.back_ns = o.back_ns == 0 ? BACK_DEFAULT_NS : o.back_ns;
    if (o.marks_max > TL_REPLAY_MARKS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "marks_max", "above %llu",
                             (unsigned long long)TL_REPLAY_MARKS_MAX);
    }
    if (o.ahead_ns < 0 || o.ahead_ns > WINDOW_MAX_NS) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "ahead_ns", "not 0 to a day");
    }
    if (o.back_ns < 0 || o.back_ns > WINDOW_MAX_NS) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "back_ns", "not 0 to a day");
    }
    *out = o;
    return TL_OK;
}

static bool last_nonce(void *self, const tl_auth_mark *mark, int64_t *nonce)
{
    tl_replay *store = self;
    return store->shared.redis != NULL ? tl__replay_redis_last(&store->shared, mark, nonce)
                                       : tl__replay_table_last(&store->table, mark, nonce);
}

tl_err tl__replay_new(tl_replay **out, tl_errctx *ctx)
{
    tl_replay *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the replay store");
    }
    store->file.fd = -1;
    store->memory = (tl_auth_memory){store, last_nonce};
    tl__replay_table_init(&store->table);
    *out = store;
    return TL_OK;
}

void tl__replay_free(tl_replay *store)
{
    if (store == NULL) {
        return;
    }
    if (store->file.map != NULL) {
        (void)munmap(store->file.map, store->file.map_len);
    }
    if (store->file.fd >= 0) {
        (void)close(store->file.fd);
    }
    tl__replay_table_deinit(&store->table);
    free(store);
}

tl_err tl_replay_open_memory(tl_replay **out, const tl_replay_options *options, tl_errctx *ctx)
{
    tl_replay_options o;
    TL_TRY(tl__replay_check_options(&o, options, ctx));
    tl_replay *store;
    TL_TRY(tl__replay_new(&store, ctx));
    const tl_entropy entropy = tl_sys_entropy();
    tl_err err = tl_entropy_fill(&entropy, store->table.secret, sizeof store->table.secret, ctx);
    store->table.page_count = tl__replay_pages_for(o.marks_max);
    store->file.map_len = (size_t)store->table.page_count * TL__REPLAY_PAGE_LEN;
    if (err == TL_OK) {
        void *map = mmap(NULL, store->file.map_len, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED) {
            err = tl_fail(ctx, TL_ERR_NOMEM, "no memory for %llu marks",
                          (unsigned long long)o.marks_max);
        } else {
            store->file.map = map;
            store->table.words = map;
        }
    }
    if (err != TL_OK) {
        tl__replay_free(store);
        return err;
    }
    store->start.is_new = true;
    *out = store;
    return TL_OK;
}

tl_err tl_replay_close(tl_replay *store, tl_errctx *ctx)
{
    if (store == NULL) {
        return TL_OK;
    }
    const tl_err err = tl__replay_file_close(store, ctx);
    tl__replay_free(store);
    return err;
}

tl_replay_answer tl_replay_keep(tl_replay *store, const tl_auth_mark *mark, int64_t now_ns)
{
    tl_replay_answer answer;
    tl_replay_keep_many(store, &answer, &mark, 1, now_ns);
    return answer;
}

void tl_replay_keep_many(tl_replay *store, tl_replay_answer *out, const tl_auth_mark *const *marks,
                         size_t count, int64_t now_ns)
{
    if (store->shared.redis != NULL) {
        tl__replay_redis_keep(&store->shared, out, marks, count, now_ns);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = tl__replay_table_keep(&store->table, marks[i], now_ns);
    }
}

const tl_auth_memory *tl_replay_memory(tl_replay *store)
{
    return &store->memory;
}

const tl_replay_start *tl_replay_how_it_started(const tl_replay *store)
{
    return &store->start;
}

uint32_t tl_replay_wait_ms(const tl_replay *store)
{
    return store->shared.redis != NULL ? tl_redis_wait_ms(store->shared.redis) : 0;
}
