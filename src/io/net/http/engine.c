/* A loop's state that knows no sockets: settings, memory, the end of a turn, the end of all. */
#include <stdlib.h>
#include <string.h>

#include "io/net/http/http_internal.h"

static void *heap_alloc(void *self, size_t len)
{
    (void)self;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void heap_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static const tl_allocator heap = {NULL, heap_alloc, heap_release};

static void fill(int64_t *value, int64_t standard)
{
    *value = *value != 0 ? *value : standard;
}

static void fill_size(size_t *value, size_t standard)
{
    *value = *value != 0 ? *value : standard;
}

void tl__http_settings_fill(tl_http_settings *s)
{
    if (s->listen_ip.len == 0) {
        s->listen_ip = TL_STR("127.0.0.1");
    }
    fill_size(&s->loop_count, 1);
    fill_size(&s->connection_count_max, 16384);
    fill_size(&s->per_address_count_max, 512);
    fill_size(&s->bodies_len_max, (size_t)1 << 30);
    fill_size(&s->stream_len_max, (size_t)256 << 10);
    s->body_len_max = s->body_len_max != 0 ? s->body_len_max : TL_HTTP_BODY_LEN_MAX;
    fill(&s->head_timeout_ms, 10000);
    fill(&s->body_timeout_ms, 30000);
    fill(&s->body_more_ms, 1000);
    fill(&s->idle_timeout_ms, 75000);
    fill(&s->write_timeout_ms, 30000);
    fill(&s->linger_ms, 2000);
    fill(&s->drain_ms, 10000);
}

/* A tenth of a second, or of the shortest deadline. */
static int64_t tick_for(const tl_http_settings *s)
{
    const int64_t all[] = {s->head_timeout_ms, s->body_timeout_ms,  s->idle_timeout_ms,
                           s->linger_ms,       s->write_timeout_ms, 1000};
    int64_t shortest = all[0];
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        shortest = all[i] < shortest ? all[i] : shortest;
    }
    return shortest < 20 ? 2 : shortest / 10;
}

tl_err tl__http_engine_init(tl_http_loop *loop, const tl_http_settings *settings,
                            const tl_http_app *app, const tl__http_wire *wire, int64_t now_ms,
                            tl_errctx *ctx)
{
    memset(loop, 0, sizeof *loop);
    loop->settings = settings;
    loop->app = app;
    loop->wire = wire;
    loop->allocator = settings->allocator != NULL ? settings->allocator : &heap;
    loop->now_ms = now_ms;
    loop->tick_ms = tick_for(settings);
    loop->ticked_ms = now_ms;
    loop->scratch = tl__http_alloc(loop, TL__HTTP_ANSWER_HEAD_MAX);
    loop->plain = settings->tls != NULL ? tl__http_alloc(loop, TL__HTTP_BLOCK_LEN) : NULL;
    if (loop->scratch == NULL || (settings->tls != NULL && loop->plain == NULL)) {
        tl__http_engine_deinit(loop);
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a loop of the server");
    }
    return TL_OK;
}

void tl__http_engine_deinit(tl_http_loop *loop)
{
    TL_ASSERT(loop->all == NULL && loop->busy_count == 0);
    tl__http_exchange_free_spare(loop, 0);
    tl__http_release(loop, loop->scratch);
    tl__http_release(loop, loop->plain);
    loop->scratch = NULL;
    loop->plain = NULL;
}

void tl__http_flush(tl_http_loop *loop)
{
    tl__http_conn *conn;
    while ((conn = loop->dirty) != NULL) {
        loop->dirty = conn->dirty_next;
        conn->dirty_next = NULL;
        tl__http_conn_settle(conn);
    }
}

void tl__http_settle(tl_http_loop *loop)
{
    if (loop->app->on_turn != NULL) {
        loop->app->on_turn(loop->user, loop);
    }
    tl__http_flush(loop);
}

void tl__http_engine_drain(tl_http_loop *loop)
{
    loop->is_draining = true;
    tl__http_conn *next;
    for (tl__http_conn *conn = loop->all; conn != NULL; conn = next) {
        next = conn->all_next;
        if (!conn->is_closed) {
            tl__http_conn_stop(conn);
        }
    }
}

void tl__http_engine_abort(tl_http_loop *loop)
{
    tl__http_conn *next;
    for (tl__http_conn *conn = loop->all; conn != NULL; conn = next) {
        next = conn->all_next;
        tl__http_conn_close(conn, TL_HTTP_GONE_STOP);
    }
}

/* --- what the application asks a loop --- */

void tl_http_loop_set_user(tl_http_loop *loop, void *user)
{
    loop->user = user;
}

void *tl_http_loop_user(const tl_http_loop *loop)
{
    return loop->user;
}

size_t tl_http_loop_index(const tl_http_loop *loop)
{
    return loop->index;
}

int64_t tl_http_loop_now_ms(const tl_http_loop *loop)
{
    return loop->now_ms;
}

struct uv_loop_s *tl_http_loop_uv(tl_http_loop *loop)
{
    return &loop->uv;
}
