/* Workers: a bounded queue, threads that each have state of their own, and the stations that a call passes on one of them. */
#include <stdlib.h>

#include "app/api/api_internal.h"

/* --- one call --- */

static bool is_bad_input(tl_err err)
{
    return err == TL_ERR_SYNTAX || err == TL_ERR_TYPE || err == TL_ERR_RANGE ||
           err == TL_ERR_MISSING || err == TL_ERR_DUPLICATE || err == TL_ERR_ENCODING ||
           err == TL_ERR_UNKNOWN;
}

/* A handler that gave up: what a caller may know of it (api.h). */
static void refuse_error(tl_api_call *call, tl_err err, const tl_errctx *ctx)
{
    if (err == TL_ERR_NOT_FOUND) {
        tl__api_refuse(call, TL_API_NOT_FOUND, NULL, "There is no such thing");
        return;
    }
    if (is_bad_input(err) && ctx->field[0] != 0) {
        tl__api_refuse(call, TL_API_INVALID_REQUEST, ctx->field, ctx->message);
        return;
    }
    const tl_log_field fields[] = {
        TL_LOG_TEXT("route", tl_str_from_cstr(call->route->spec->id)),
        TL_LOG_TEXT("error", tl_str_from_cstr(ctx->message)),
        TL_LOG_TEXT("error_field", tl_str_from_cstr(ctx->field)),
        TL_LOG_TEXT("error_code", tl_str_from_cstr(tl_err_name(err))),
    };
    tl_log_say(&call->log, TL_LOG_ERROR, "a handler failed", fields, 4);
    if (err == TL_ERR_IO || err == TL_ERR_LOCKED) {
        tl__api_refuse(call, TL_API_BUSY, NULL, "A store does not answer now");
    } else {
        tl__api_refuse(call, TL_API_INTERNAL, NULL, "The service failed");
    }
}

static void handle(tl_api_call *call)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = call->route->spec->handle(call, &ctx);
    if (call->is_answered) {
        return;
    }
    if (err != TL_OK) {
        refuse_error(call, err, &ctx);
        return;
    }
    tl_log_say(&call->log, TL_LOG_ERROR, "a handler answered nothing", NULL, 0);
    tl__api_refuse(call, TL_API_INTERNAL, NULL, "The service failed");
}

void tl__work_do(tl_api_call *call)
{
    if (tl__rates_pass_address(call) && tl__who_pass(call) && tl__rates_pass_caller(call) &&
        tl__input_pass(call)) {
        handle(call); /* API-1, API-4 */
    }
    tl__answer_finish(call);
}

/* --- the queue --- */

static size_t weight(const tl_api_call *call)
{
    return call->body.len;
}

bool tl__work_offer(tl_api *api, tl_api_call *call)
{
    tl__queue *q = &api->queue;
    (void)pthread_mutex_lock(&q->lock);
    const bool is_taken = q->waiting < q->waiting_max && !q->is_ending &&
                          q->waiting_len + weight(call) <= TL__API_WAITING_LEN;
    if (is_taken) {
        call->next = NULL;
        if (q->last != NULL) {
            q->last->next = call;
        } else {
            q->first = call;
        }
        q->last = call;
        q->waiting++;
        q->waiting_len += weight(call);
        TL_ASSERT(q->waiting <= q->waiting_max); /* API-5 */
        (void)pthread_cond_signal(&q->more);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return is_taken;
}

/* The next call, or NULL when the end has come and nothing waits. */
static tl_api_call *take(tl__queue *q, bool was_working)
{
    (void)pthread_mutex_lock(&q->lock);
    q->working -= was_working;
    while (q->first == NULL && !q->is_ending) {
        (void)pthread_cond_wait(&q->more, &q->lock);
    }
    tl_api_call *call = q->first;
    if (call != NULL) {
        q->first = call->next;
        q->last = q->first != NULL ? q->last : NULL;
        q->waiting--;
        q->waiting_len -= weight(call);
        q->working++;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return call;
}

static void back_on_loop(void *arg)
{
    tl__answer_send(arg);
}

/* A worker's own state is made on its thread: what belongs to a thread (an SQL handle) is opened where it is used. */
typedef struct starting {
    tl_api *api;
    pthread_mutex_t lock;
    pthread_cond_t more;
    unsigned done;
    tl_err err;
    tl_errctx ctx;
} starting;

static tl_err open_state(starting *s, void **worker)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_api_settings *settings = &s->api->settings;
    const tl_err err = settings->worker_start != NULL
                           ? settings->worker_start(settings->self, worker, &ctx)
                           : TL_OK;
    (void)pthread_mutex_lock(&s->lock);
    s->done++;
    if (err != TL_OK && s->err == TL_OK) {
        s->err = err;
        s->ctx = ctx;
    }
    (void)pthread_cond_signal(&s->more);
    (void)pthread_mutex_unlock(&s->lock); /* s is gone from here on */
    return err;
}

static void *work(void *arg)
{
    starting *s = arg;
    tl_api *api = s->api;
    void *worker = NULL;
    if (open_state(s, &worker) != TL_OK) {
        return NULL;
    }
    for (tl_api_call *call = take(&api->queue, false); call != NULL;
         call = take(&api->queue, true)) {
        if (!atomic_load(&call->is_gone)) {
            call->worker = worker;
            tl__work_do(call);
        }
        tl_http_loop_post(call->lane->loop, &call->post, back_on_loop, call);
    }
    if (api->settings.worker_end != NULL) {
        api->settings.worker_end(api->settings.self, worker);
    }
    return NULL;
}

static tl_err start_threads(tl_api *api, starting *s, tl_errctx *ctx)
{
    tl__queue *q = &api->queue;
    for (; q->thread_count < api->settings.workers; q->thread_count++) {
        if (pthread_create(&q->threads[q->thread_count], NULL, work, s) != 0) {
            s->err = tl_fail(&s->ctx, TL_ERR_NOMEM, "a worker thread cannot be started");
            break;
        }
    }
    (void)pthread_mutex_lock(&s->lock);
    while (s->done < q->thread_count) {
        (void)pthread_cond_wait(&s->more, &s->lock);
    }
    const tl_err err = s->err;
    if (err != TL_OK && ctx != NULL) {
        *ctx = s->ctx;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return err;
}

tl_err tl__work_start(tl_api *api, tl_errctx *ctx)
{
    tl__queue *q = &api->queue;
    q->waiting_max = api->settings.waiting_max;
    q->threads = calloc(api->settings.workers, sizeof *q->threads);
    if (q->threads == NULL || pthread_mutex_init(&q->lock, NULL) != 0) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for %u workers", api->settings.workers);
    }
    (void)pthread_cond_init(&q->more, NULL);
    q->has_lock = true;
    starting s = {.api = api};
    (void)pthread_mutex_init(&s.lock, NULL);
    (void)pthread_cond_init(&s.more, NULL);
    const tl_err err = start_threads(api, &s, ctx);
    if (err != TL_OK) {
        tl__work_stop(api);
    }
    (void)pthread_cond_destroy(&s.more);
    (void)pthread_mutex_destroy(&s.lock);
    return err;
}

void tl__work_stop(tl_api *api)
{
    tl__queue *q = &api->queue;
    if (!q->has_lock) {
        return;
    }
    (void)pthread_mutex_lock(&q->lock);
    q->is_ending = true;
    (void)pthread_cond_broadcast(&q->more);
    (void)pthread_mutex_unlock(&q->lock);
    for (; q->thread_count > 0; q->thread_count--) {
        (void)pthread_join(q->threads[q->thread_count - 1], NULL);
    }
}

void tl__work_free(tl_api *api)
{
    tl__queue *q = &api->queue;
    free(q->threads);
    if (q->has_lock) {
        (void)pthread_cond_destroy(&q->more);
        (void)pthread_mutex_destroy(&q->lock);
    }
}
