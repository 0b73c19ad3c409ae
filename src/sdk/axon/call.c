/* The life of a call, what callbacks may ask of it, and streams on their way to the loop. */
#include <stdlib.h>
#include <string.h>

#include "sdk/axon/axon_internal.h"

bool tl__on_own_loop(const tl_axon_call *call)
{
    return pthread_equal(pthread_self(), call->lane->thread) != 0;
}

/* --- made and recycled --- */

static const char hex_digits[] = "0123456789abcdef";

/* The caller's own id if it can stand in a header and a log, else one that no other request of ours has. */
static void set_id(tl_axon_call *call)
{
    const tl_http_header *given = tl_http_find(call->headers, TL_STR("x-correlation-id"));
    if (given != NULL && given->value.len > 0 && given->value.len < TL__AXON_ID_CAP) {
        size_t at = 0;
        while (at < given->value.len && given->value.ptr[at] > ' ' && given->value.ptr[at] < 0x7f) {
            call->id[at] = given->value.ptr[at];
            at++;
        }
        call->has_own_id = at == given->value.len;
        call->id_len = at;
    }
    if (!call->has_own_id) {
        tl__lane *lane = call->lane;
        uint64_t x = lane->id_salt + ++lane->id_next * 0x9e3779b97f4a7c15u;
        x ^= x >> 31; /* odd multiples and this shift are one to one: no id comes twice */
        for (size_t i = 0; i < 16; i++) {
            call->id[i] = hex_digits[x >> (60 - 4 * i) & 15];
        }
        call->id_len = 16;
    }
    call->id[call->id_len] = 0;
}

tl_axon_call *tl__call_new(tl__lane *lane, tl_http_exchange *x)
{
    tl_axon_call *call = lane->free_calls;
    if (!lane->has_thread) {
        lane->thread = pthread_self();
        lane->has_thread = true;
    }
    if (call != NULL) {
        lane->free_calls = call->next_free;
        lane->free_count--;
    } else {
        call = malloc(sizeof *call);
        if (call == NULL) {
            return NULL;
        }
    }
    memset(call, 0, sizeof *call);
    const tl_http_request *request = tl_http_request_of(x);
    call->axon = lane->axon;
    call->lane = lane;
    call->x = x;
    call->arena = tl_http_arena(x);
    call->method = request->method;
    call->target = request->origin;
    call->headers = request->headers;
    call->begun_ns = tl__steady_ns(lane->axon);
    call->timeout_s = TL_AXON_TIMEOUT_S;
    call->heap_index = UINT32_MAX;
    call->pieces_end = &call->pieces;
    call->caller.port = request->peer.port;
    (void)tl_net_ip_text(call->caller.address, &request->peer);
    call->is_exempt = tl_limit_lists_exempts(lane->axon->lists, &request->peer,
                                             lane->axon->settings.limits_loopback);
    set_id(call);
    tl_http_set_user(x, call);
    return call;
}

static void recycle(tl_axon_call *call)
{
    tl__lane *lane = call->lane;
    if (call->is_detached) {
        tl_arena_free(call->arena);
        (void)atomic_fetch_sub(&call->axon->detached_len, call->reserved_len);
    }
    if (lane->free_count >= TL__AXON_FREE_CALLS_MAX) {
        free(call);
        return;
    }
    call->next_free = lane->free_calls;
    lane->free_calls = call;
    lane->free_count++;
}

void tl__call_free_all(tl__lane *lane)
{
    while (lane->free_calls != NULL) {
        tl_axon_call *call = lane->free_calls;
        lane->free_calls = call->next_free;
        free(call);
    }
}

static tl_err copy_request(tl_axon_call *call, tl_arena *arena)
{
    tl_http_header *headers = TL_NEW(arena, tl_http_header, call->headers.count);
    uint8_t *body = TL_NEW(arena, uint8_t, call->body.len);
    if (headers == NULL || body == NULL) {
        return TL_ERR_NOMEM;
    }
    for (size_t i = 0; i < call->headers.count; i++) {
        TL_TRY(tl_str_copy(&headers[i].name, arena, call->headers.at[i].name, NULL));
        TL_TRY(tl_str_copy(&headers[i].value, arena, call->headers.at[i].value, NULL));
    }
    if (call->body.len > 0) {
        memcpy(body, call->body.ptr, call->body.len);
    }
    tl_str method;
    tl_str target;
    tl_str ss58;
    tl_str hash;
    TL_TRY(tl_str_copy(&method, arena, call->method, NULL));
    TL_TRY(tl_str_copy(&target, arena, call->target, NULL));
    TL_TRY(tl_str_copy(&ss58, arena, call->caller.ss58, NULL));
    TL_TRY(tl_str_copy(&hash, arena, call->claim.body_hash, NULL));
    call->headers.at = headers;
    call->body.ptr = body;
    call->method = method;
    call->target = target;
    call->caller.ss58 = ss58;
    call->claim = (tl_auth_claim){.body_hash = hash}; /* the rest has done its work */
    return TL_OK;
}

bool tl__call_detach(tl_axon_call *call)
{
    tl_axon *axon = call->axon;
    tl_arena *arena = NULL;
    const size_t body_len = call->body.len;
    const size_t reserved_len = TL__AXON_DETACHED_FLOOR + 4 * body_len;
    if (atomic_fetch_add(&axon->detached_len, reserved_len) + reserved_len >
            TL__AXON_DETACHED_BUDGET ||
        tl_arena_new(&arena, NULL, TL__AXON_ANSWER_LEN + 17 * body_len, NULL, NULL) != TL_OK ||
        copy_request(call, arena) != TL_OK) {
        tl_arena_free(arena);
        (void)atomic_fetch_sub(&axon->detached_len, reserved_len);
        return false;
    }
    call->arena = arena;
    call->reserved_len = reserved_len;
    call->is_detached = true;
    return true;
}

static void free_pieces(tl_axon_call *call)
{
    while (call->pieces != NULL) {
        tl__piece *piece = call->pieces;
        call->pieces = piece->next;
        free(piece);
    }
    call->pieces_end = &call->pieces;
}

void tl__call_end_exchange(tl_axon_call *call)
{
    TL_ASSERT(call->x != NULL); /* AXON-3: it ends once */
    call->x = NULL;
    call->state = TL__CALL_OVER;
    free_pieces(call);
    atomic_store_explicit(&call->is_gone, true, memory_order_release);
    if (!call->is_handled) {
        recycle(call);
        return;
    }
    const uint64_t exec_id = atomic_load(&call->exec_id);
    if (exec_id != 0) {
        tl_exec_cancel(call->axon->exec, exec_id);
    }
}

/* --- streams --- */

/* What waits goes out as far as there is room; behind it the end, where the handler has ended. */
static void pump(tl_axon_call *call)
{
    while (call->x != NULL && call->pieces != NULL && !call->is_full) {
        tl__piece *piece = call->pieces;
        call->pieces = piece->next;
        if (call->pieces == NULL) {
            call->pieces_end = &call->pieces;
        }
        if (piece->is_head) {
            call->is_streaming = true;
            tl_http_stream_begin(call->x, 200, call->answer_headers);
        } else {
            call->sent_len += piece->len;
            (void)atomic_fetch_sub(&call->stream_waiting, piece->len);
            call->is_full = !tl_http_stream_write(call->x, (tl_bytes){piece->bytes, piece->len});
        }
        free(piece);
    }
    if (call->x == NULL || call->pieces != NULL || !(call->is_ending || call->is_cutting)) {
        return;
    }
    tl__observe_done(call, 200);
    if (call->is_cutting) {
        tl_http_stream_cut(
            call->x); /* nobody shall take the part for the whole (wire spec section 1.11) */
    } else {
        tl_http_stream_end(call->x);
    }
    tl__call_end_exchange(call);
}

void tl__call_room(void *user, tl_http_exchange *x)
{
    (void)user;
    tl_axon_call *call = tl_http_user(x);
    if (call != NULL) {
        call->is_full = false;
        pump(call);
    }
}

static void take_piece(void *argument)
{
    tl__piece *piece = argument;
    tl_axon_call *call = piece->call;
    if (call->x == NULL) {
        free(piece);
        return;
    }
    *call->pieces_end = piece;
    call->pieces_end = &piece->next;
    pump(call);
}

static bool send_piece(tl_axon_call *call, bool is_head, tl_bytes bytes)
{
    tl__piece *piece = malloc(sizeof *piece + bytes.len);
    if (piece == NULL) {
        return false;
    }
    piece->next = NULL;
    piece->call = call;
    piece->is_head = is_head;
    piece->len = bytes.len;
    if (bytes.len > 0) {
        memcpy(piece->bytes, bytes.ptr, bytes.len);
    }
    (void)atomic_fetch_add(&call->stream_waiting, bytes.len);
    if (tl__on_own_loop(call)) {
        take_piece(piece);
    } else {
        tl_http_loop_post(call->lane->loop, &piece->post, take_piece, piece);
    }
    return true;
}

void tl_axon_stream_begin(tl_axon_call *call, const char *content_type)
{
    TL_ASSERT(call->is_detached && !call->is_stream);
    tl_errctx ctx = TL_ERRCTX_INIT;
    call->is_stream = true;
    call->content_type =
        tl_str_from_cstr(content_type != NULL ? content_type : "text/event-stream");
    if (tl__build_stream_head(call, &ctx) != TL_OK ||
        !send_piece(call, true, (tl_bytes){NULL, 0})) {
        atomic_store(&call->is_broken, true);
    }
}

bool tl_axon_stream_write(tl_axon_call *call, tl_bytes piece)
{
    if (atomic_load(&call->is_broken) || tl_axon_call_is_gone(call)) {
        return false;
    }
    if (piece.len > 0 && !send_piece(call, false, piece)) {
        atomic_store(&call->is_broken, true); /* a piece is missing: the rest must not follow */
        return false;
    }
    return atomic_load(&call->stream_waiting) < TL_AXON_STREAM_WAITING_MAX;
}

size_t tl_axon_stream_waiting(const tl_axon_call *call)
{
    return atomic_load(&call->stream_waiting);
}

/* --- back from the handler --- */

void tl__call_come_back(void *argument)
{
    tl_axon_call *call = argument;
    call->is_handled = false;
    if (call->x == NULL) {
        recycle(call);
        return;
    }
    call->reason = call->outcome;
    if (call->is_stream && (call->is_streaming || call->pieces != NULL)) {
        const bool is_whole = call->err == TL_OK && !atomic_load(&call->is_broken);
        call->reason = is_whole ? call->reason : TL__REASON_HANDLER;
        call->is_ending = is_whole;
        call->is_cutting = !is_whole;
        pump(call);
    } else if (call->err != TL_OK || call->is_stream) {
        tl__refuse_failed(call);
    } else {
        tl__send(call);
    }
}

/* --- steps that wait for their time --- */

typedef struct tl__later {
    struct tl__later *next;
    struct tl__later **self_at;
    uv_timer_t timer;
    tl_http_post post;
    tl_axon_call *call;
    tl__lane *lane;
    uint32_t delay_ms;
    void (*step)(void *self, tl_axon_call *call);
    void *self;
} tl__later;

static void free_later(uv_handle_t *handle)
{
    free(handle->data);
}

static void run_later(tl__later *later)
{
    *later->self_at = later->next;
    if (later->next != NULL) {
        later->next->self_at = later->self_at;
    }
    later->step(later->self, later->call);
    uv_close((uv_handle_t *)&later->timer, free_later);
}

static void on_time(uv_timer_t *timer)
{
    run_later(timer->data);
}

static void arm(void *argument)
{
    tl__later *later = argument;
    tl__lane *lane = later->lane;
    if (lane->is_over) { /* the loop has ended: the step runs now, and sees that its caller is gone */
        later->step(later->self, later->call);
        free(later);
        return;
    }
    (void)uv_timer_init(tl_http_loop_uv(lane->loop), &later->timer);
    later->timer.data = later;
    uv_update_time(tl_http_loop_uv(lane->loop));
    (void)uv_timer_start(&later->timer, on_time, later->delay_ms, 0);
    later->next = lane->timers;
    later->self_at = &lane->timers;
    if (later->next != NULL) {
        later->next->self_at = &later->next;
    }
    lane->timers = later;
}

void tl__lane_end_timers(tl__lane *lane)
{
    while (lane->timers != NULL) {
        run_later(lane->timers);
    }
    lane->is_over = true;
}

void tl_axon_after(tl_axon_call *call, uint32_t delay_ms,
                   void (*step)(void *self, tl_axon_call *call), void *self)
{
    tl__later *later = calloc(1, sizeof *later);
    if (later == NULL) {
        step(self, call); /* too early is better than never */
        return;
    }
    *later = (tl__later){
        .call = call, .lane = call->lane, .delay_ms = delay_ms, .step = step, .self = self};
    if (tl__on_own_loop(call)) {
        arm(later);
    } else {
        tl_http_loop_post(call->lane->loop, &later->post, arm, later);
    }
}

/* --- for callbacks --- */

const tl_axon_caller *tl_axon_call_caller(const tl_axon_call *call)
{
    return &call->caller;
}

tl_str tl_axon_call_method(const tl_axon_call *call)
{
    return call->method;
}

tl_str tl_axon_call_target(const tl_axon_call *call)
{
    return call->target;
}

tl_http_headers tl_axon_call_headers(const tl_axon_call *call)
{
    return call->headers;
}

tl_bytes tl_axon_call_body(const tl_axon_call *call)
{
    return call->body;
}

tl_arena *tl_axon_call_arena(const tl_axon_call *call)
{
    return call->arena;
}

tl_str tl_axon_call_id(const tl_axon_call *call)
{
    return (tl_str){call->id, call->id_len};
}

double tl_axon_call_timeout_s(const tl_axon_call *call)
{
    return call->timeout_s;
}

tl_synapse *tl_axon_call_synapse(const tl_axon_call *call)
{
    return call->synapse;
}

bool tl_axon_call_is_gone(const tl_axon_call *call)
{
    return atomic_load_explicit(&call->is_gone, memory_order_acquire);
}
