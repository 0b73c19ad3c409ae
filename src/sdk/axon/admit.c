/* Behind the signature: stake floor, rate by hotkey, priority, the queue, and then the handler. */
#include <string.h>

#include "sdk/axon/axon_internal.h"

static const double PRIORITY_MAX = 1e9;

/* The stake floor comes after verification: before it anybody could claim a rich hotkey. */
static bool pass_stake(tl_axon_call *call)
{
    const tl_axon_settings *s = &call->axon->settings;
    const int64_t floor_rao = call->route->stake_rao_min;
    if (s->stake_of == NULL || floor_rao <= 0 ||
        s->stake_of(s->stake_self, &call->caller.hotkey) >= floor_rao) {
        return true;
    }
    tl__refuse(call, (tl__reason)TL_AUTH_FORBIDDEN, 403, TL_STR("Stake is below the floor"));
    return false;
}

static bool pass_rate(tl_axon_call *call)
{
    if (call->axon->hotkeys == NULL) {
        return true;
    }
    const uint32_t wait_ms =
        tl_limit_take_hotkey(call->axon->hotkeys, &call->caller.hotkey, tl__steady_ns(call->axon));
    if (wait_ms > 0) {
        tl__refuse_wait(call, wait_ms);
        return false;
    }
    return true;
}

static int64_t priority_of(tl_axon_call *call)
{
    const tl_axon_route *spec = &call->route->spec;
    if (spec->priority == NULL) {
        return 0;
    }
    const double wanted = spec->priority(spec->self, call);
    if (!(wanted > 0)) { /* nan too */
        return 0;
    }
    return (int64_t)((wanted < PRIORITY_MAX ? wanted : PRIORITY_MAX) * 1000);
}

void tl__admit(tl_axon_call *call)
{
    if (!pass_stake(call) || !pass_rate(call)) {
        return;
    }
    call->priority = priority_of(call);
    if (call->route->spec.runs != TL_AXON_INLINE && !tl__call_detach(call)) {
        tl__refuse(call, (tl__reason)TL_AUTH_BUSY, 503, TL_STR("There is no memory for it"));
        return;
    }
    switch (tl__queue_offer(&call->axon->queue, call)) {
    case TL__OFFERED_NOW:
        call->state = TL__CALL_HANDLING;
        if (call->route->spec.runs == TL_AXON_ON_WORKER) {
            tl__queue_run(&call->axon->queue, call);
        } else {
            tl__handle(call);
        }
        return;
    case TL__OFFERED_WAITS:
        call->state = TL__CALL_WAITING;
        return;
    case TL__OFFERED_FULL:
        tl__refuse(call, (tl__reason)TL_AUTH_BUSY, 503, TL_STR("Too many requests wait already"));
        return;
    }
}

/* Of the errors of tl_synapse_from_body those are text that is no JSON, or more of it than we take. */
static bool is_text_error(tl_err err)
{
    return err == TL_ERR_SYNTAX || err == TL_ERR_ENCODING || err == TL_ERR_LIMIT;
}

static bool is_json_type(tl_http_headers headers)
{
    const tl_http_header *type = tl_http_find(headers, TL_STR("content-type"));
    if (type == NULL) {
        return false;
    }
    tl_str value = type->value;
    value.len = tl_str_find(value, ';');
    value = tl_str_trim(value);
    return tl_http_name_eq(value, TL_STR("application/json")) ||
           (tl_http_name_starts_with(value, TL_STR("application/")) && value.len > 5 &&
            tl_http_name_eq(tl_str_slice(value, value.len - 5, value.len), TL_STR("+json")));
}

/* Does the body hash to what was signed? (Wire spec section 1.5.) Without verification there is nothing to compare. */
static tl_err check_hash(tl_axon_call *call, tl_errctx *ctx)
{
    char hash[TL_SYNAPSE_HASH_CAP];
    if (!call->has_claim) {
        return TL_OK;
    }
    TL_TRY(tl_synapse_body_hash(hash, call->synapse, call->arena, ctx));
    if (!tl_str_eq_cstr(call->claim.body_hash, hash)) {
        call->outcome = TL__REASON_BODY_HASH;
        return tl_fail(ctx, TL_ERR_CORRUPT, "the body's hash is not the one that was signed");
    }
    return TL_OK;
}

/* The model from the body, before the handler sees it. The reason says how a failure is answered. */
static tl_err read_model(tl_axon_call *call, tl_errctx *ctx)
{
    const tl_str body = {(const char *)call->body.ptr, call->body.len};
    call->outcome = TL__REASON_BODY_MODEL;
    if (body.len == 0 || !is_json_type(call->headers)) {
        return tl_fail(ctx, TL_ERR_TYPE, "the body is no JSON by its type");
    }
    const tl_err err = tl_synapse_from_body(&call->synapse, call->arena, call->route->spec.synapse,
                                            body, NULL, ctx);
    if (err != TL_OK) {
        call->outcome = is_text_error(err) ? TL__REASON_BODY_JSON : TL__REASON_BODY_MODEL;
        return err;
    }
    TL_TRY(check_hash(call, ctx));
    call->outcome = TL__REASON_OK;
    return TL_OK;
}

/* The call first, its place in the queue behind it: who waits for the queue to be idle finds no call on its way. */
static void go_back(tl_axon_call *call)
{
    tl__queue *queue = &call->axon->queue;
    if (tl__on_own_loop(call)) {
        tl__call_come_back(call);
    } else {
        tl_http_loop_post(call->lane->loop, &call->post, tl__call_come_back, call);
    }
    tl__queue_done(queue);
}

/* A handler has had its say, or could not be asked: the answer is built where it ran, and goes back to the loop. */
static void conclude(tl_axon_call *call, tl_err err, const char *message)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (err == TL_OK && !call->is_stream) {
        err = tl__build_answer(call, &ctx);
        message = ctx.message;
    }
    if (err != TL_OK) {
        call->outcome = call->outcome == TL__REASON_OK ? TL__REASON_HANDLER : call->outcome;
        const tl_log_field fields[] = {
            TL_LOG_TEXT("route", call->route->name),
            TL_LOG_TEXT("correlation_id", ((tl_str){call->id, call->id_len})),
            TL_LOG_TEXT("cause", tl_str_from_cstr(message)),
        };
        tl_log_say(call->axon->settings.log, TL_LOG_INFO, "a request failed", fields, 3);
    }
    call->err = err;
    go_back(call);
}

void tl__handle(void *argument)
{
    tl_axon_call *call = argument;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_err err = TL_OK;
    if (atomic_load_explicit(&call->is_gone, memory_order_acquire)) {
        call->outcome = TL__REASON_GONE;
        call->err = TL_ERR_STATE;
        go_back(call);
        return;
    }
    atomic_store_explicit(&call->holders, 1, memory_order_relaxed);
    call->handler_ns = tl__steady_ns(call->axon);
    if (call->route->spec.synapse != NULL) {
        err = read_model(call, &ctx);
    }
    err = err == TL_OK ? call->route->spec.forward(call->route->spec.self, call, &ctx) : err;
    if (!call->is_later) {
        conclude(call, err, ctx.message);
        return;
    }
    TL_ASSERT(err == TL_OK); /* who says later has not failed */
    if (atomic_fetch_sub(&call->holders, 1) == 1) {
        conclude(call, call->later_err, call->later_message);
    }
}

void tl_axon_later(tl_axon_call *call)
{
    TL_ASSERT(call->is_detached && !call->is_later);
    call->is_later = true;
    (void)atomic_fetch_add(&call->holders, 1);
}

void tl_axon_finish(tl_axon_call *call, tl_err err, const char *message)
{
    call->later_err = err;
    (void)tl_str_print(call->later_message, sizeof call->later_message, "%s",
                       message != NULL ? message : tl_err_text(err));
    if (atomic_fetch_sub(&call->holders, 1) == 1) { /* else the handler has yet to return */
        conclude(call, err, call->later_message);
    }
}
