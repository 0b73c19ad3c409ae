/* One loop and its thread: libuv carries the bytes of its connections.
 *
 *     timers ─▶ prepare: flush ─▶ poll: reads, posts ─▶ check: on_turn, flush ─▶ closing ─▶ …
 *
 * So whatever answers, in a callback, a post or on_turn, leaves before the loop sleeps again. The timer that turns the wheel
 * runs while there are connections: an idle server sleeps. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/net/http/http_internal.h"

enum { WRITE_PARTS_MAX = 4 }; /* more, and libuv allocates */

/* --- the wire --- */

static tl__http_conn *conn_of(const uv_handle_t *handle)
{
    return handle->data;
}

static uv_stream_t *stream_of(tl__http_conn *conn)
{
    return (uv_stream_t *)&conn->tcp;
}

static ptrdiff_t try_write(tl__http_conn *conn, const struct iovec *parts, size_t count)
{
    uv_buf_t bufs[16];
    size_t whole = 0;
    TL_ASSERT(count <= sizeof bufs / sizeof *bufs);
    for (size_t i = 0; i < count; i++) {
        bufs[i] = uv_buf_init(parts[i].iov_base, (unsigned)parts[i].iov_len);
        whole += parts[i].iov_len;
    }
    if (whole == 0) {
        return 0;
    }
    const int n = uv_try_write(stream_of(conn), bufs, (unsigned)count);
    return n >= 0 ? n : n == UV_EAGAIN ? 0 : -1;
}

static void on_written(uv_write_t *req, int status)
{
    tl__http_conn *conn = req->data;
    tl__http_conn_wrote(conn, status == 0);
}

static void write_out(tl__http_conn *conn)
{
    struct iovec parts[WRITE_PARTS_MAX];
    uv_buf_t bufs[WRITE_PARTS_MAX];
    const size_t count = tl__http_queue_parts(&conn->out, parts, WRITE_PARTS_MAX);
    conn->writing_len = 0;
    for (size_t i = 0; i < count; i++) {
        bufs[i] = uv_buf_init(parts[i].iov_base, (unsigned)parts[i].iov_len);
        conn->writing_len += parts[i].iov_len;
    }
    conn->req.write.data = conn;
    if (uv_write(&conn->req.write, stream_of(conn), bufs, (unsigned)count, on_written) != 0) {
        tl__http_conn_wrote(conn, false);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    *buf = uv_buf_init((char *)conn_of(handle)->loop->read_buffer, TL__HTTP_READ_LEN);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    tl__http_conn *conn = conn_of((const uv_handle_t *)stream);
    if (n > 0) {
        tl__http_conn_wire_input(conn, (tl_bytes){(const uint8_t *)buf->base, (size_t)n});
    } else if (n == UV_EOF) {
        tl__http_conn_eof(conn);
    } else if (n < 0) {
        tl__http_conn_error(conn);
    }
}

static void set_reading(tl__http_conn *conn, bool is_on)
{
    if (conn->is_closed) {
        return;
    }
    if (!is_on) {
        (void)uv_read_stop(stream_of(conn));
    } else if (uv_read_start(stream_of(conn), on_alloc, on_read) != 0) {
        tl__http_conn_break(conn);
    }
}

static void on_shut(uv_shutdown_t *req, int status)
{
    (void)req;
    (void)status; /* a peer that is gone is found by reading */
}

static void shut(tl__http_conn *conn)
{
    /* Nothing is being written, so the request's memory is free; and a second shutdown never comes. */
    TL_ASSERT(!conn->is_writing || conn->tls != NULL);
    if (conn->is_writing) {
        tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
    } else {
        (void)uv_shutdown(&conn->req.shutdown, stream_of(conn), on_shut);
    }
}

static void on_closed(uv_handle_t *handle)
{
    tl__http_conn *conn = conn_of(handle);
    tl_http_loop *loop = conn->loop;
    const tl_net_addr peer = conn->peer;
    const bool is_counted = conn->is_counted;
    tl__http_conn_free(conn);
    atomic_fetch_sub(&loop->load, 1);
    tl__http_server_left(loop->server, &peer, is_counted);
    if (loop->count == 0) {
        (void)uv_timer_stop(&loop->timer);
        if (loop->is_draining) { /* the last one: handles are closed after on_check looked */
            uv_stop(&loop->uv);
        }
    }
}

static void close_conn(tl__http_conn *conn)
{
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

static const tl__http_wire uv_wire = {try_write, write_out, set_reading, shut, close_conn};

/* --- new connections --- */

static void on_timer(uv_timer_t *timer)
{
    tl_http_loop *loop = timer->data;
    loop->now_ms = (int64_t)uv_now(&loop->uv);
    tl__http_wheel_turn(loop);
}

/* A socket that cannot become a connection. */
static void turn_away(tl_http_loop *loop, int fd, const tl_net_addr *peer, bool is_counted)
{
    (void)close(fd);
    atomic_fetch_sub(&loop->load, 1);
    tl__http_server_left(loop->server, peer, is_counted);
}

static void begin_conn(tl_http_loop *loop, int fd, const tl_net_addr *peer, bool is_counted)
{
    loop->now_ms = (int64_t)uv_now(&loop->uv);
    if (loop->count == 0) {
        loop->ticked_ms = loop->now_ms;
        const uint64_t tick = (uint64_t)loop->tick_ms;
        (void)uv_timer_start(&loop->timer, on_timer, tick, tick);
    }
    tl__http_conn *conn = loop->is_draining ? NULL : tl__http_conn_new(loop, peer);
    if (conn == NULL) {
        turn_away(loop, fd, peer, is_counted);
        return;
    }
    conn->is_counted = is_counted;
    (void)uv_tcp_init(&loop->uv, &conn->tcp);
    conn->tcp.data = conn;
    const int err = uv_tcp_open(&conn->tcp, fd);
    if (err != 0) {
        (void)close(fd);
        tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
        return;
    }
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    set_reading(conn, true);
}

typedef struct arrival {
    tl_http_post post;
    tl_http_loop *loop;
    tl_net_addr peer;
    int fd;
    bool is_counted;
} arrival;

static void on_arrival(void *arg)
{
    arrival *a = arg;
    if (a->loop->is_over) {
        turn_away(a->loop, a->fd, &a->peer, a->is_counted);
    } else {
        begin_conn(a->loop, a->fd, &a->peer, a->is_counted);
    }
    free(a);
}

/* From the accepting loop's thread. The loop's load has been raised. */
void tl__http_loop_adopt(tl_http_loop *loop, int fd, const tl_net_addr *peer, bool is_counted)
{
    if (loop->index == 0) {
        begin_conn(loop, fd, peer, is_counted);
        return;
    }
    arrival *a = malloc(sizeof *a);
    if (a == NULL) {
        turn_away(loop, fd, peer, is_counted);
        return;
    }
    *a = (arrival){.loop = loop, .peer = *peer, .fd = fd, .is_counted = is_counted};
    tl_http_loop_post(loop, &a->post, on_arrival, a);
}

/* --- posts --- */

void tl_http_loop_post(tl_http_loop *loop, tl_http_post *post, void (*fn)(void *arg), void *arg)
{
    *post = (tl_http_post){NULL, fn, arg};
    (void)pthread_mutex_lock(&loop->post_lock);
    const bool was_empty = loop->post_first == NULL;
    if (was_empty) {
        loop->post_first = post;
    } else {
        loop->post_last->next = post;
    }
    loop->post_last = post;
    if (was_empty && loop->has_uv) { /* under the lock: the handle is not closed meanwhile */
        (void)uv_async_send(&loop->async);
    }
    (void)pthread_mutex_unlock(&loop->post_lock);
}

static void run_posts(tl_http_loop *loop)
{
    (void)pthread_mutex_lock(&loop->post_lock);
    tl_http_post *post = loop->post_first;
    loop->post_first = NULL;
    loop->post_last = NULL;
    (void)pthread_mutex_unlock(&loop->post_lock);
    while (post != NULL) {
        tl_http_post *next = post->next; /* fn may free it */
        post->fn(post->arg);
        post = next;
    }
}

static void on_async(uv_async_t *async)
{
    tl_http_loop *loop = async->data;
    loop->now_ms = (int64_t)uv_now(&loop->uv);
    run_posts(loop);
}

static void on_prepare(uv_prepare_t *prepare)
{
    tl_http_loop *loop = prepare->data;
    loop->now_ms = (int64_t)uv_now(&loop->uv);
    tl__http_flush(loop);
}

static void on_check(uv_check_t *check)
{
    tl_http_loop *loop = check->data;
    loop->now_ms = (int64_t)uv_now(&loop->uv);
    tl__http_settle(loop);
    if (loop->is_draining && loop->count == 0) {
        uv_stop(&loop->uv);
    }
}

/* --- the end --- */

static void on_drain_over(uv_timer_t *timer)
{
    tl__http_engine_abort(timer->data);
}

static void on_stop(void *arg)
{
    tl_http_loop *loop = arg;
    if (loop->index == 0) {
        tl__http_listen_stop(loop);
    }
    tl__http_engine_drain(loop);
    (void)uv_timer_start(&loop->drain_timer, on_drain_over, (uint64_t)loop->settings->drain_ms, 0);
    if (loop->count == 0) {
        uv_stop(&loop->uv);
    }
}

void tl__http_loop_stop(tl_http_loop *loop)
{
    tl_http_loop_post(loop, &loop->stop_post, on_stop, loop);
}

static void close_handles(tl_http_loop *loop)
{
    (void)pthread_mutex_lock(&loop->post_lock);
    loop->has_uv = false;
    (void)pthread_mutex_unlock(&loop->post_lock);
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->drain_timer, NULL);
    uv_close((uv_handle_t *)&loop->async, NULL);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) {
    }
    TL_ASSERT(uv_loop_close(&loop->uv) == 0);
}

/* --- the thread --- */

static tl_err open_handles(tl_http_loop *loop, tl_errctx *ctx)
{
    int err = uv_loop_init(&loop->uv);
    if (err != 0) {
        return tl_fail(ctx, TL_ERR_IO, "cannot make an event loop: %s", uv_strerror(err));
    }
    err = uv_async_init(&loop->uv, &loop->async, on_async);
    if (err != 0) {
        TL_ASSERT(uv_loop_close(&loop->uv) == 0);
        return tl_fail(ctx, TL_ERR_IO, "cannot make an event loop: %s", uv_strerror(err));
    }
    (void)uv_check_init(&loop->uv, &loop->check); /* these three cannot fail */
    (void)uv_prepare_init(&loop->uv, &loop->prepare);
    (void)uv_timer_init(&loop->uv, &loop->timer);
    (void)uv_timer_init(&loop->uv, &loop->drain_timer);
    loop->async.data = loop;
    loop->check.data = loop;
    loop->prepare.data = loop;
    loop->timer.data = loop;
    loop->drain_timer.data = loop;
    (void)uv_check_start(&loop->check, on_check);
    (void)uv_prepare_start(&loop->prepare, on_prepare);
    loop->now_ms = (int64_t)uv_now(&loop->uv);
    loop->ticked_ms = loop->now_ms;
    loop->has_uv = true;
    return TL_OK;
}

static void *thread_main(void *arg)
{
    tl_http_loop *loop = arg;
    do { /* a foreign uv_stop is none of ours */
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    } while (!loop->is_draining || loop->count > 0);
    if (loop->app->on_loop_end != NULL) {
        loop->app->on_loop_end(loop->app->self, loop);
    }
    loop->is_over = true;
    close_handles(loop);
    return NULL;
}

/* The signals belong to the main thread; SIGPIPE stays blocked here, so a write to a lost peer is an error. */
static int start_thread(tl_http_loop *loop)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int err = pthread_create(&loop->thread, NULL, thread_main, loop);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

tl_err tl__http_loop_init(tl_http_loop *loop, tl_http_server *server, size_t index,
                          const tl_http_settings *settings, const tl_http_app *app, tl_errctx *ctx)
{
    TL_TRY(tl__http_engine_init(loop, settings, app, &uv_wire, 0, ctx));
    loop->server = server;
    loop->index = index;
    atomic_init(&loop->load, 0);
    (void)pthread_mutex_init(&loop->post_lock, NULL);
    loop->read_buffer = malloc(TL__HTTP_READ_LEN);
    tl_err err = TL_OK;
    if (loop->read_buffer == NULL) {
        err = tl_fail(ctx, TL_ERR_NOMEM, "no memory for a loop of the server");
    } else {
        err = open_handles(loop, ctx);
    }
    if (err == TL_OK && app->on_loop_start != NULL) {
        err = app->on_loop_start(app->self, loop, ctx);
        if (err != TL_OK) {
            close_handles(loop);
        }
    }
    if (err != TL_OK) {
        tl__http_loop_free(loop);
    }
    return err;
}

tl_err tl__http_loop_start(tl_http_loop *loop, tl_errctx *ctx)
{
    if (start_thread(loop) != 0) {
        return tl_fail(ctx, TL_ERR_IO, "cannot start a thread of the server");
    }
    loop->has_thread = true;
    return TL_OK;
}

void tl__http_loop_join(tl_http_loop *loop)
{
    if (loop->has_thread) {
        (void)pthread_join(loop->thread, NULL);
        loop->has_thread = false;
    }
}

/* A loop whose thread never ran. */
void tl__http_loop_undo(tl_http_loop *loop)
{
    if (loop->index == 0) {
        tl__http_listen_stop(loop);
    }
    if (loop->app->on_loop_end != NULL) {
        loop->app->on_loop_end(loop->app->self, loop);
    }
    loop->is_over = true;
    close_handles(loop);
}

void tl__http_loop_free(tl_http_loop *loop)
{
    run_posts(loop);
    (void)pthread_mutex_destroy(&loop->post_lock);
    free(loop->read_buffer);
    loop->read_buffer = NULL;
    tl__http_engine_deinit(loop);
}
