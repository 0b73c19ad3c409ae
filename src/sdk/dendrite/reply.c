/* What came back, in the words of the SDK (wire spec section 3.2). */
#include <string.h>

#include "base/decimal/decimal.h"
#include "base/json/json.h"
#include "sdk/dendrite/dendrite_internal.h"

enum { STATUS_OK = 200 };

/* --- small things --- */

static void set_status(tl_dendrite_reply *r, int64_t code, tl_str message)
{
    r->has_status = true;
    r->status_code = code;
    r->has_message = true;
    r->status_message = message;
}

/* What the message says of itself after a call that failed before an answer. */
static void tell_synapse(tl__ask *ask)
{
    const tl_dendrite_reply *r = ask->reply;
    if (ask->synapse == NULL || !r->has_status) {
        return;
    }
    ask->synapse->dendrite.status_code = tl_value_from_i64(r->status_code);
    ask->synapse->dendrite.status_message = tl_value_from_str(r->status_message);
}

static tl_err conclude(tl__ask *ask, tl_errctx *ctx)
{
    tl_dendrite_reply *r = ask->reply;
    r->synapse = ask->synapse;
    const bool is_raw = !tl__is_v10(ask->batch->query);
    const bool is_2xx = r->status_code >= 200 && r->status_code <= 299;
    r->is_ok = r->has_status && r->fault == TL_CLIENT_NONE &&
               (r->status_code == STATUS_OK || (is_raw && is_2xx));
    if (r->is_ok) {
        return TL_OK;
    }
    tl_sb sb;
    tl_sb_init(&sb, ask->batch->arena);
    if (!r->has_status && r->fault == TL_CLIENT_NONE) {
        tl_sb_put_cstr(&sb, "neither headers nor body have a status");
    } else if (r->has_message && r->status_message.len > 0) {
        tl_sb_put(&sb, r->status_message);
    } else if (r->has_status) {
        tl_sb_printf(&sb, "status %lld", (long long)r->status_code);
    } else {
        tl_sb_put_cstr(&sb, tl_client_fault_text(r->fault));
    }
    return tl_sb_finish(&r->error, &sb, ctx);
}

/* --- no answer --- */

static tl_err put_fault_text(tl_str *out, const tl__ask *ask, const char *front, const char *why,
                             tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, ask->batch->arena);
    tl_sb_printf(&sb, "%s: %s", front, why);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err put_unavailable(tl_str *out, const tl__ask *ask, const char *behind, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, ask->batch->arena);
    tl_sb_put_cstr(&sb, "Service unavailable at ");
    tl_dendrite_put_target(&sb, ask->reply->target);
    tl_sb_put(&sb, ask->batch->path);
    tl_sb_put_cstr(&sb, behind);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err put_timeout(tl_str *out, const tl__ask *ask, tl_errctx *ctx)
{
    char seconds[TL_F64_TEXT_CAP];
    tl_sb sb;
    (void)tl_f64_print(seconds, ask->batch->timeout_s);
    tl_sb_init(&sb, ask->batch->arena);
    tl_sb_printf(&sb, "Request timeout after %s seconds", seconds);
    return tl_sb_finish(out, &sb, ctx);
}

/* The SDK's table by exception; what it has no exception for is the row of all others. */
static tl_err map_fault(tl__ask *ask, const tl_client_answer *a, tl_errctx *ctx)
{
    tl_dendrite_reply *r = ask->reply;
    tl_str text = {NULL, 0};
    int64_t code = 422;
    switch (a->fault) {
    case TL_CLIENT_CONNECT:
        code = 503;
        TL_TRY(put_unavailable(&text, ask, "", ctx));
        break;
    case TL_CLIENT_BREAKER:
        code = 503;
        TL_TRY(put_unavailable(&text, ask, " (not asked: it failed too often)", ctx));
        break;
    case TL_CLIENT_TIMEOUT:
        code = 408;
        TL_TRY(put_timeout(&text, ask, ctx));
        break;
    case TL_CLIENT_GONE:
        code = 503;
        text = TL_STR("Service disconnected: Server disconnected");
        break;
    case TL_CLIENT_CUT:
        code = 400;
        TL_TRY(put_fault_text(&text, ask, "Payload error", a->why, ctx));
        break;
    case TL_CLIENT_HEAD:
        code = 400;
        TL_TRY(put_fault_text(&text, ask, "Client response error", a->why, ctx));
        break;
    case TL_CLIENT_CANCELLED:
    case TL_CLIENT_STOPPED:
        return TL_OK;
    case TL_CLIENT_TLS:
    case TL_CLIENT_BODY_LIMIT:
    case TL_CLIENT_PREPARE:
    case TL_CLIENT_LOCAL:
    case TL_CLIENT_NONE:
    case TL_CLIENT_FAULT_COUNT:
        TL_TRY(put_fault_text(&text, ask, "Failed to parse response", a->why, ctx));
        break;
    }
    set_status(r, code, text);
    tell_synapse(ask);
    return TL_OK;
}

/* --- an answer --- */

static void take_terminal(tl_dendrite_reply *r, const tl_terminal *t)
{
    r->has_status = t->status_code.kind != TL_VALUE_NONE;
    r->status_code = tl_value_clamp_i64(&t->status_code, 0);
    r->has_message = t->status_message.kind == TL_VALUE_STR;
    r->status_message = r->has_message ? t->status_message.text : (tl_str){NULL, 0};
}

/* The body's "message", and its "error" (a class) before it. */
static tl_err take_refusal(tl__ask *ask, tl_errctx *ctx)
{
    tl_dendrite_reply *r = ask->reply;
    const tl_str text = {(const char *)r->body.ptr, r->body.len};
    const tl_json *json = NULL;
    tl_str message = {NULL, 0};
    tl_str class_name = {NULL, 0};
    if (tl_json_parse(&json, ask->batch->arena, text, NULL, NULL) != TL_OK ||
        tl_json_want_str(&message, json, "message", NULL) != TL_OK) {
        return TL_OK;
    }
    if (tl_json_want_str(&class_name, json, "error", NULL) != TL_OK) {
        r->has_message = true;
        r->status_message = message;
        return TL_OK;
    }
    tl_sb sb;
    tl_sb_init(&sb, ask->batch->arena);
    tl_sb_printf(&sb, "%.*s: %.*s", TL_STR_ARG(class_name), TL_STR_ARG(message));
    r->has_message = true;
    return tl_sb_finish(&r->status_message, &sb, ctx);
}

static tl_err take_raw(tl__ask *ask, uint16_t status, tl_errctx *ctx)
{
    tl_dendrite_reply *r = ask->reply;
    r->has_status = true;
    r->status_code = status;
    if (status >= 200 && status <= 299) {
        r->has_message = true;
        r->status_message = TL_STR("Success");
        return TL_OK;
    }
    return take_refusal(ask, ctx);
}

static tl_err take_v10(tl__ask *ask, uint16_t status, tl_http_headers headers, tl_bytes body,
                       tl_errctx *ctx)
{
    tl_dendrite_reply *r = ask->reply;
    tl_arena *arena = ask->batch->arena;
    tl_synapse *s = ask->synapse;
    tl_errctx why = TL_ERRCTX_INIT;
    tl_err err = TL_OK;
    if (tl__is_stream(ask->batch->query) && status == STATUS_OK) {
        err = tl_synapse_take_stream_end(s, arena, headers, &why);
    } else {
        const tl_http_header *type = tl_http_find(headers, TL_STR("content-type"));
        const tl_str text = {(const char *)body.ptr, body.len};
        err = tl_synapse_take_response(s, arena, status, type != NULL ? type->value : TL_STR(""),
                                       headers, text, NULL, &why);
    }
    if (err == TL_OK) {
        r->has_time = true;
        s->dendrite.process_time = tl_value_from_f64(r->process_time_s);
        take_terminal(r, &s->dendrite);
        return TL_OK;
    }
    if (err == TL_ERR_NOMEM) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for an answer");
    }
    tl_str text = {NULL, 0};
    tl_str field = tl_str_from_cstr(why.field);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "Failed to parse response: %.*s%s%s", TL_STR_ARG(field),
                 field.len > 0 ? ": " : "", why.message);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    set_status(r, 422, text);
    tell_synapse(ask);
    return TL_OK;
}

tl_err tl__reply_from_http(tl__ask *ask, uint16_t status, tl_http_headers headers, tl_bytes body,
                           tl_errctx *ctx)
{
    tl_dendrite_reply *r = ask->reply;
    r->headers = headers;
    r->body = body;
    if (tl__is_v10(ask->batch->query)) {
        TL_TRY(take_v10(ask, status, headers, body, ctx));
    } else {
        r->has_time = true;
        TL_TRY(take_raw(ask, status, ctx));
    }
    return conclude(ask, ctx);
}

/* --- out of the client's memory --- */

static tl_err copy_headers(tl_http_headers *out, tl_arena *arena, tl_http_headers headers,
                           tl_errctx *ctx)
{
    tl_http_header *copy = TL_NEW(arena, tl_http_header, headers.count);
    if (copy == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < headers.count; i++) {
        TL_TRY(tl_str_copy(&copy[i].name, arena, headers.at[i].name, ctx));
        TL_TRY(tl_str_copy(&copy[i].value, arena, headers.at[i].value, ctx));
    }
    *out = (tl_http_headers){copy, headers.count};
    return TL_OK;
}

tl_err tl__reply_from_answer(tl__ask *ask, const tl_client_answer *answer, tl_errctx *ctx)
{
    tl__batch *batch = ask->batch;
    tl_dendrite_reply *r = ask->reply;
    tl_http_headers headers = {NULL, 0};
    tl_str body = {NULL, 0};
    r->fault = answer->fault;
    r->attempts = answer->attempts;
    if (ask->started_ns != 0) {
        const int64_t took_ns =
            tl_clock_steady_ns(&batch->dendrite->options.clock) - ask->started_ns;
        r->process_time_s = (double)took_ns * 1e-9;
    }
    if (answer->fault != TL_CLIENT_NONE) {
        TL_TRY(map_fault(ask, answer, ctx));
        return conclude(ask, ctx);
    }
    TL_TRY(copy_headers(&headers, batch->arena, answer->headers, ctx));
    TL_TRY(tl_str_copy(&body, batch->arena,
                       (tl_str){(const char *)answer->body.ptr, answer->body.len}, ctx));
    return tl__reply_from_http(ask, answer->status, headers, tl_str_bytes(body), ctx);
}
