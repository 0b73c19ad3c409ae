/* What leaves: v10's answers as wire spec sections 1.4 and 1.9 have them, the refusals of signed routes as 9.4 does. */
#include <string.h>

#include "sdk/axon/axon_internal.h"

enum { WIRE_VERSION = 10005000, MESSAGE_SHOWN_MAX = 1024, OWN_HEADERS_MAX = 3 };

bool tl__is_v10(const tl_axon_call *call)
{
    return call->family == TL_AUTH_V10;
}

static tl_bytes bytes_of(tl_str text)
{
    return tl_str_bytes(text);
}

/* Memory for what the loop itself answers: while a handler has the call, the call's own belongs to that thread (AXON-6). */
static tl_arena *refusal_arena(const tl_axon_call *call)
{
    return call->is_handled ? tl_http_arena(call->x) : call->arena;
}

/* The head of an answer: ours first, then those of the protocol. */
static tl_http_headers join_headers(const tl_axon_call *call, tl_arena *arena, tl_str content_type,
                                    const tl_http_header *extra, tl_http_headers more)
{
    tl_http_header *all = TL_NEW(arena, tl_http_header, more.count + OWN_HEADERS_MAX);
    if (all == NULL) {
        return (tl_http_headers){NULL, 0};
    }
    size_t count = 0;
    if (content_type.len > 0) {
        all[count++] = (tl_http_header){TL_STR("content-type"), content_type};
    }
    if (extra != NULL) {
        all[count++] = *extra;
    }
    if (more.count > 0) {
        memcpy(all + count, more.at, more.count * sizeof *all);
        count += more.count;
    }
    if (call->has_own_id || call->axon->settings.access != NULL) {
        all[count++] = (tl_http_header){TL_STR("x-correlation-id"), {call->id, call->id_len}};
    }
    return (tl_http_headers){all, count};
}

/* The one place where an answer leaves whole (AXON-3). */
static void answer(tl_axon_call *call, int status, tl_http_headers headers, tl_bytes body)
{
    TL_ASSERT(call->x != NULL);
    call->sent_len = body.len;
    tl__observe_done(call, status);
    tl_http_answer(call->x, status, headers, body);
    tl__call_end_exchange(call);
}

/* --- penalties --- */

/* A refused stranger pays by address; what came too late, too large or too early for us is no attack on a signature. */
static bool is_offence(tl__reason reason)
{
    switch ((int)reason) {
    case TL_AUTH_TOO_MANY:
    case TL_AUTH_BUSY:
    case TL_AUTH_TIMEOUT:
    case TL__REASON_VERSION:
        return false;
    default:
        return true;
    }
}

static void penalise(const tl_axon_call *call, tl__reason reason)
{
    if (!call->is_exempt && !call->caller.is_verified && is_offence(reason) && call->x != NULL) {
        (void)tl_limit_take_ip(call->axon->strangers, &tl_http_request_of(call->x)->peer,
                               tl__steady_ns(call->axon));
    }
}

/* --- v10's errors --- */

/* A value that a header can carry: what is not visible ASCII becomes '?', and a long text is cut: clients limit headers. */
static tl_str header_text(tl_arena *arena, tl_str text)
{
    const size_t len = text.len < MESSAGE_SHOWN_MAX ? text.len : MESSAGE_SHOWN_MAX;
    char *copy = TL_NEW(arena, char, len);
    if (copy == NULL) {
        return (tl_str){NULL, 0};
    }
    for (size_t i = 0; i < len; i++) {
        copy[i] = text.ptr[i] >= ' ' && text.ptr[i] < 0x7f ? text.ptr[i] : '?';
    }
    return (tl_str){copy, len};
}

static double seconds_since(const tl_axon_call *call, int64_t from_ns)
{
    return (double)(tl__steady_ns(call->axon) - from_ns) * 1e-9;
}

/* The axon's own figures, signed (section 1.7). Without them the answer is the same to every client: none checks. */
static void sign_error(tl_axon_call *call, tl_synapse *model)
{
    const tl_axon_settings *s = &call->axon->settings;
    char digits[24];
    const int64_t nonce = tl__now_ns(call->axon);
    (void)tl_str_print(digits, sizeof digits, "%lld", (long long)nonce);
    model->axon.version = tl_value_from_i64(WIRE_VERSION);
    model->axon.nonce = tl_value_from_i64(nonce);
    model->axon.uuid = tl_value_from_str(tl_str_from_cstr(call->axon->uuid));
    model->dendrite.ip = tl_value_from_str(tl_str_from_cstr(call->caller.address));
    model->dendrite.port = tl_value_from_i64(call->caller.port);
    tl_str signature;
    const tl_str none = TL_STR("None");
    const tl_value *from = &model->dendrite.hotkey;
    const tl_value *to = &model->axon.hotkey;
    if (tl_auth_sign_v10_answer(&signature, refusal_arena(call), s->key, tl_str_from_cstr(digits),
                                from->kind == TL_VALUE_STR ? from->text : none,
                                to->kind == TL_VALUE_STR ? to->text : none,
                                tl_str_from_cstr(call->axon->uuid), &s->entropy, NULL) == TL_OK) {
        model->axon.signature = tl_value_from_str(signature);
    }
}

/* The model of an error: of the request's headers, or a bare one where there is no class or no parsing them. */
static tl_err error_model(tl_synapse **out, tl_axon_call *call, tl__reason reason, tl_errctx *ctx)
{
    const bool is_bare = call->route == NULL || reason == TL__REASON_UNKNOWN_NAME ||
                         reason == TL__REASON_PARSE || (int)reason == TL_AUTH_DUPLICATE ||
                         (int)reason == TL_AUTH_TOO_MANY;
    if (!is_bare &&
        tl_synapse_from_headers(out, refusal_arena(call), call->route->spec.synapse,
                                tl_http_request_of(call->x)->headers, true, ctx) == TL_OK) {
        sign_error(call, *out);
        return TL_OK;
    }
    return tl_synapse_new(out, refusal_arena(call), tl_synapse_base(), ctx);
}

static tl_err build_v10_error(tl_http_headers *headers, tl_str *body, tl_axon_call *call,
                              tl__reason reason, int status, tl_str message, tl_errctx *ctx)
{
    tl_synapse *model;
    const tl_str text = header_text(refusal_arena(call), message);
    TL_TRY(error_model(&model, call, reason, ctx));
    model->axon.status_code = tl_value_from_i64(status);
    model->axon.status_message = tl_value_from_str(text);
    model->axon.process_time = tl_value_from_f64(seconds_since(call, call->begun_ns));
    TL_TRY(tl_synapse_put_headers(headers, refusal_arena(call), model, ctx));
    return tl_synapse_error_body(body, refusal_arena(call), text, ctx);
}

static void refuse_v10(tl_axon_call *call, tl__reason reason, int status,
                       const tl_http_header *extra, tl_str message)
{
    tl_http_headers headers = {NULL, 0};
    tl_str body = {NULL, 0};
    if (build_v10_error(&headers, &body, call, reason, status, message, NULL) != TL_OK) {
        headers.count = 0;
        body = TL_STR("{\"message\":\"Internal Server Error\"}");
    }
    answer(call, status,
           join_headers(call, refusal_arena(call), TL_STR("application/json"), extra, headers),
           bytes_of(body));
}

/* --- the refusals --- */

static void refuse_signed(tl_axon_call *call, int status, const tl_http_header *extra,
                          const char *error, tl_str message)
{
    tl_sb sb;
    tl_str body;
    tl_sb_init(&sb, refusal_arena(call));
    tl_sb_put(&sb, TL_STR("{\"error\":\""));
    tl_sb_put_cstr(&sb, error);
    tl_sb_put(&sb, TL_STR("\",\"message\":"));
    tl_value_put_json_str(&sb, message, TL_VALUE_RESPONSE);
    tl_sb_put_char(&sb, '}');
    if (tl_sb_finish(&body, &sb, NULL) != TL_OK) {
        body = TL_STR("{\"error\":\"Busy\",\"message\":\"\"}");
    }
    answer(call, status,
           join_headers(call, refusal_arena(call), TL_STR("application/json"), extra,
                        (tl_http_headers){NULL, 0}),
           bytes_of(body));
}

static void refuse_with(tl_axon_call *call, tl__reason reason, int status,
                        const tl_http_header *extra, tl_str message)
{
    call->reason = reason;
    penalise(call, reason);
    if (tl__is_v10(call)) {
        refuse_v10(call, reason, status, extra, message);
    } else {
        refuse_signed(call, status, extra,
                      reason == TL__REASON_HANDLER ? "Internal" : tl__reason_name(reason), message);
    }
}

void tl__refuse(tl_axon_call *call, tl__reason reason, int status, tl_str message)
{
    if (tl__is_v10(call) &&
        (int)reason == TL_AUTH_FORBIDDEN) { /* the SDK's words around the reason */
        tl_sb sb;
        tl_sb_init(&sb, refusal_arena(call));
        tl_sb_put(&sb, TL_STR("Forbidden. Key is blacklisted: "));
        tl_sb_put(&sb, message);
        tl_sb_put_char(&sb, '.');
        if (tl_sb_finish(&message, &sb, NULL) != TL_OK) {
            message = TL_STR("Forbidden. Key is blacklisted: .");
        }
    }
    refuse_with(call, reason, status, NULL, message);
}

void tl__refuse_verdict(tl_axon_call *call, const tl_auth_verdict *verdict)
{
    if (verdict->kind == TL_AUTH_UNPARSED) {
        tl__refuse_internal(call, TL__REASON_PARSE);
        return;
    }
    refuse_with(call, (tl__reason)verdict->kind, tl_auth_class_status(verdict->kind), NULL,
                verdict->message);
}

void tl__refuse_internal(tl_axon_call *call, tl__reason reason)
{
    char text[sizeof "Internal Server Error #" + TL_AUTH_UUID_CAP] = "Internal Server Error #";
    const size_t len = strlen(text);
    if (tl_auth_uuid4(text + len, &call->axon->settings.entropy, NULL) != TL_OK) {
        text[len] = 0;
    }
    refuse_with(call, reason, 500, NULL, tl_str_from_cstr(text));
}

void tl__refuse_plain(tl_axon_call *call, tl__reason reason, int status,
                      const tl_http_header *extra, tl_str json)
{
    call->reason = reason;
    penalise(call, reason);
    answer(call, status,
           join_headers(call, refusal_arena(call), json.len > 0 ? TL_STR("application/json") : json,
                        extra, (tl_http_headers){NULL, 0}),
           bytes_of(json));
}

void tl__refuse_wait(tl_axon_call *call, uint32_t wait_ms)
{
    char seconds[16];
    (void)tl_str_print(seconds, sizeof seconds, "%u", tl_limit_retry_after_s(wait_ms));
    const tl_http_header retry = {TL_STR("retry-after"), tl_str_from_cstr(seconds)};
    refuse_with(call, (tl__reason)TL_AUTH_TOO_MANY, 429, &retry, TL_STR("Too many requests"));
}

void tl__refuse_timeout(tl_axon_call *call)
{
    char text[96];
    char seconds[TL_F64_TEXT_CAP];
    (void)tl_f64_print(seconds, call->timeout_s);
    (void)tl_str_print(text, sizeof text, "Response timeout after: %ss", seconds);
    tl__refuse(call, (tl__reason)TL_AUTH_TIMEOUT, 408, tl_str_from_cstr(text));
}

void tl__refuse_failed(tl_axon_call *call)
{
    if ((int)call->reason == TL_AUTH_TIMEOUT) {
        tl__refuse_timeout(call);
        return;
    }
    if ((int)call->reason == TL_AUTH_BUSY) {
        tl__refuse(call, call->reason, 503, TL_STR("Too many requests wait already"));
        return;
    }
    if (call->reason == TL__REASON_BODY_JSON) {
        tl__refuse_plain(call, call->reason, 422, NULL,
                         TL_STR("{\"detail\":[{\"type\":\"json_invalid\",\"loc\":[\"body\",0],"
                                "\"msg\":\"JSON decode error\",\"input\":{},\"ctx\":{\"error\":"
                                "\"Expecting value\"}}]}"));
        return;
    }
    tl__refuse_internal(call, call->reason);
}

/* --- answers of handlers --- */

void tl_axon_answer(tl_axon_call *call, int status, const char *content_type, tl_bytes body)
{
    call->status = status;
    call->content_type =
        tl_str_from_cstr(content_type != NULL ? content_type : "application/octet-stream");
    call->answer_body = body;
    const bool is_request = body.ptr == call->body.ptr; /* an echo: it lives as long as the call */
    if (!is_request && body.len > 0) {
        uint8_t *copy = TL_NEW(call->arena, uint8_t, body.len);
        if (copy == NULL) {
            call->status = 500;
            call->answer_body.len = 0;
            return;
        }
        memcpy(copy, body.ptr, body.len);
        call->answer_body.ptr = copy;
    }
    if (content_type != NULL &&
        tl_str_copy(&call->content_type, call->arena, call->content_type, NULL) != TL_OK) {
        call->content_type = TL_STR("application/octet-stream");
    }
}

void tl_axon_set_status(tl_axon_call *call, int status, const char *message)
{
    call->status = status;
    call->status_message = header_text(call->arena, tl_str_from_cstr(message));
}

static bool is_status(int status)
{
    return status >= 200 && status <= 599;
}

/* The success column of section 1.4: the model from the body, with the axon's three figures. */
static void fill_model(tl_axon_call *call)
{
    tl_synapse *model = call->synapse;
    model->axon.status_code = tl_value_from_i64(call->status);
    model->axon.status_message = tl_value_from_str(call->status_message);
    model->axon.process_time = tl_value_from_f64(seconds_since(call, call->handler_ns));
}

static void fill_status(tl_axon_call *call)
{
    if (call->status == 0) {
        call->status = 200;
    }
    if (call->status_message.ptr == NULL) {
        call->status_message = TL_STR("Success");
    }
}

tl_err tl__build_answer(tl_axon_call *call, tl_errctx *ctx)
{
    fill_status(call);
    if (!is_status(call->status)) {
        return tl_fail(ctx, TL_ERR_RANGE, "the handler's status %d is none", call->status);
    }
    if (call->synapse == NULL) {
        call->answer_headers =
            join_headers(call, call->arena, call->content_type, NULL, (tl_http_headers){NULL, 0});
        return TL_OK;
    }
    tl_str body;
    fill_model(call);
    TL_TRY(tl_synapse_response_body(&body, call->arena, call->synapse, ctx));
    TL_TRY(tl_synapse_put_headers(&call->answer_headers, call->arena, call->synapse, ctx));
    call->answer_headers =
        join_headers(call, call->arena, TL_STR("application/json"), NULL, call->answer_headers);
    call->answer_body = bytes_of(body);
    return TL_OK;
}

tl_err tl__build_stream_head(tl_axon_call *call, tl_errctx *ctx)
{
    fill_status(call);
    if (call->synapse != NULL) {
        fill_model(call);
        TL_TRY(tl_synapse_put_headers(&call->answer_headers, call->arena, call->synapse, ctx));
    }
    call->answer_headers =
        join_headers(call, call->arena, call->content_type, NULL, call->answer_headers);
    return call->answer_headers.count > 0 ? TL_OK : tl_arena_fail(call->arena, ctx);
}

void tl__send(tl_axon_call *call)
{
    answer(call, call->status, call->answer_headers, call->answer_body);
}
