/* The queue into the handlers (AXON-4): at most handling_max calls are in handlers, the rest wait in a heap.
 *
 *     before:  higher priority, then lower round, then who came first
 *
 * A round is the turn that a call has among its hotkey's: the k-th waiting call of a hotkey (within a priority) is in round
 * now + k. So whoever sends a thousand has its second call behind everybody's first. Rounds begin at that of the call that left
 * last: nobody saves up turns by staying away. */
#include <stdlib.h>
#include <string.h>

#include "sdk/axon/axon_internal.h"

#define NOWHERE UINT32_MAX /* of heap_index: not in the heap */

/* A hotkey within a priority, while calls of it wait. */
typedef struct tl__flow {
    struct tl__flow *next;
    tl_hotkey hotkey;
    int64_t priority;
    uint64_t last_round;
    uint32_t waiting;
} tl__flow;

/* Hotkeys of verified callers: who wants many in one cell must find keys for it, and slows down his own look-ups. */
static tl__flow **flow_cell(tl__queue *q, const tl_hotkey *hotkey, int64_t priority)
{
    uint64_t hash;
    memcpy(&hash, hotkey->b, sizeof hash);
    hash = (hash ^ (uint64_t)priority) * 0x9e3779b97f4a7c15u;
    return &q->flows[(hash >> 32) % q->flow_cells];
}

static tl__flow *take_flow(tl__queue *q, const tl_hotkey *hotkey, int64_t priority)
{
    tl__flow **cell = flow_cell(q, hotkey, priority);
    for (tl__flow *f = *cell; f != NULL; f = f->next) {
        if (f->priority == priority && tl_hotkey_eq(&f->hotkey, hotkey)) {
            return f;
        }
    }
    tl__flow *f = q->free_flows;
    TL_ASSERT(f != NULL); /* there are as many flows as places to wait */
    q->free_flows = f->next;
    *f = (tl__flow){.next = *cell, .hotkey = *hotkey, .priority = priority, .last_round = q->round};
    *cell = f;
    return f;
}

static void leave_flow(tl__queue *q, tl__flow *flow)
{
    if (--flow->waiting > 0) {
        return;
    }
    tl__flow **at = flow_cell(q, &flow->hotkey, flow->priority);
    while (*at != flow) {
        at = &(*at)->next;
    }
    *at = flow->next;
    flow->next = q->free_flows;
    q->free_flows = flow;
}

/* --- the heap --- */

static bool is_before(const tl_axon_call *a, const tl_axon_call *b)
{
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    return a->round != b->round ? a->round < b->round : a->serial < b->serial;
}

static void place(tl__queue *q, tl_axon_call *call, uint32_t at)
{
    q->heap[at] = call;
    call->heap_index = at;
}

static void sift_up(tl__queue *q, tl_axon_call *call, uint32_t at)
{
    while (at > 0 && is_before(call, q->heap[(at - 1) / 2])) {
        place(q, q->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(q, call, at);
}

static void sift_down(tl__queue *q, tl_axon_call *call, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < q->waiting && is_before(q->heap[child + 1], q->heap[child])) {
            child++;
        }
        if (child >= q->waiting || !is_before(q->heap[child], call)) {
            break;
        }
        place(q, q->heap[child], at);
        at = child;
    }
    place(q, call, at);
}

static void push(tl__queue *q, tl_axon_call *call)
{
    tl__flow *flow = take_flow(q, &call->caller.hotkey, call->priority);
    flow->last_round = (flow->last_round > q->round ? flow->last_round : q->round) + 1;
    flow->waiting++;
    call->flow = flow;
    call->round = flow->last_round;
    call->serial = ++q->serial;
    q->waiting++;
    sift_up(q, call, q->waiting - 1);
}

static void take_out(tl__queue *q, tl_axon_call *call)
{
    const uint32_t at = call->heap_index;
    tl_axon_call *last = q->heap[--q->waiting];
    if (last != call) {
        if (at > 0 && is_before(last, q->heap[(at - 1) / 2])) {
            sift_up(q, last, at);
        } else {
            sift_down(q, last, at);
        }
    }
    call->heap_index = NOWHERE;
    leave_flow(q, call->flow);
    call->flow = NULL;
}

/* --- the gate --- */

tl__offered tl__queue_offer(tl__queue *q, tl_axon_call *call)
{
    tl__offered offered = TL__OFFERED_FULL;
    (void)pthread_mutex_lock(&q->lock);
    call->heap_index = NOWHERE;
    call->is_handled = true;
    if (q->handling < q->handling_max) {
        q->handling++;
        offered = TL__OFFERED_NOW;
    } else if (q->waiting < q->waiting_max) {
        push(q, call);
        offered = TL__OFFERED_WAITS;
    } else {
        call->is_handled = false;
    }
    TL_ASSERT(q->handling <= q->handling_max && q->waiting <= q->waiting_max); /* AXON-4 */
    (void)pthread_mutex_unlock(&q->lock);
    return offered;
}

bool tl__queue_remove(tl__queue *q, tl_axon_call *call)
{
    (void)pthread_mutex_lock(&q->lock);
    const bool is_there = call->heap_index != NOWHERE;
    if (is_there) {
        take_out(q, call);
        call->is_handled = false;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return is_there;
}

static void append_run(tl__queue *q, tl_axon_call *call)
{
    call->next_run = NULL;
    *q->run_end = call;
    q->run_end = &call->next_run;
    (void)pthread_cond_signal(&q->has_work);
}

void tl__queue_run(tl__queue *q, tl_axon_call *call)
{
    (void)pthread_mutex_lock(&q->lock);
    append_run(q, call);
    (void)pthread_mutex_unlock(&q->lock);
}

void tl__queue_done(tl__queue *q)
{
    tl_axon_call *next = NULL;
    (void)pthread_mutex_lock(&q->lock);
    TL_ASSERT(q->handling > 0);
    if (q->waiting > 0) { /* its place goes to the next one */
        next = q->heap[0];
        q->round = next->round;
        take_out(q, next);
        if (next->route->spec.runs == TL_AXON_ON_WORKER) {
            append_run(q, next);
            next = NULL;
        }
    } else if (--q->handling == 0) {
        (void)pthread_cond_broadcast(&q->is_idle);
    }
    (void)pthread_mutex_unlock(&q->lock);
    if (next != NULL) {
        tl_http_loop_post(next->lane->loop, &next->start, tl__handle, next);
    }
}

/* --- workers --- */

static void *work(void *argument)
{
    tl__queue *q = argument;
    (void)pthread_mutex_lock(&q->lock);
    for (;;) {
        while (q->run_first == NULL && !q->is_ending) {
            (void)pthread_cond_wait(&q->has_work, &q->lock);
        }
        tl_axon_call *call = q->run_first;
        if (call == NULL) {
            break;
        }
        q->run_first = call->next_run;
        if (q->run_first == NULL) {
            q->run_end = &q->run_first;
        }
        (void)pthread_mutex_unlock(&q->lock);
        tl__handle(call);
        (void)pthread_mutex_lock(&q->lock);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return NULL;
}

tl_err tl__queue_init(tl__queue *q, tl_axon *axon, tl_errctx *ctx)
{
    q->handling_max = axon->settings.handlers_max;
    q->waiting_max = axon->settings.waiting_max;
    q->run_end = &q->run_first;
    q->flow_cells = q->waiting_max;
    q->heap = TL_NEW(axon->arena, tl_axon_call *, q->waiting_max);
    q->flows = TL_NEW(axon->arena, tl__flow *, q->flow_cells);
    tl__flow *flows = TL_NEW(axon->arena, tl__flow, q->waiting_max);
    if (q->heap == NULL || q->flows == NULL || flows == NULL) {
        return tl_arena_fail(axon->arena, ctx);
    }
    for (uint32_t i = 0; i < q->waiting_max; i++) {
        flows[i].next = q->free_flows;
        q->free_flows = &flows[i];
    }
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->has_work, NULL);
    (void)pthread_cond_init(&q->is_idle, NULL);
    return TL_OK;
}

tl_err tl__queue_start(tl__queue *q, uint32_t workers, tl_errctx *ctx)
{
    for (uint32_t i = 0; i < workers; i++) {
        if (pthread_create(&q->workers[i], NULL, work, q) != 0) {
            return tl_fail(ctx, TL_ERR_IO, "cannot start worker %u of %u", i + 1, workers);
        }
        q->worker_count++;
    }
    return TL_OK;
}

void tl__queue_stop(tl__queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    while (q->handling > 0) { /* those who answer later too: they have calls of ours */
        (void)pthread_cond_wait(&q->is_idle, &q->lock);
    }
    q->is_ending = true;
    (void)pthread_cond_broadcast(&q->has_work);
    (void)pthread_mutex_unlock(&q->lock);
    for (uint32_t i = 0; i < q->worker_count; i++) {
        (void)pthread_join(q->workers[i], NULL);
    }
    q->worker_count = 0;
}

void tl__queue_deinit(tl__queue *q)
{
    (void)pthread_cond_destroy(&q->is_idle);
    (void)pthread_cond_destroy(&q->has_work);
    (void)pthread_mutex_destroy(&q->lock);
}
