/* Handlers that are programs: what the first frame of sdk/exec names is attached, and requests go there and back. */
#include <string.h>

#include "sdk/axon/axon_internal.h"

/* A synapse's answer: the fields that the program gave, each checked against its type. */
static tl_err take_fields(tl_axon_call *call, tl_bytes body, tl_errctx *ctx)
{
    const tl_str text = {(const char *)body.ptr, body.len};
    tl_value fields;
    tl_str copy;
    if (body.len == 0) {
        return TL_OK;
    }
    TL_TRY(tl_str_copy(&copy, call->arena, text, ctx));
    TL_TRY(tl_value_parse(&fields, call->arena, copy, NULL, ctx));
    if (fields.kind != TL_VALUE_DICT) {
        return tl_fail(ctx, TL_ERR_TYPE, "the program's answer is no JSON object");
    }
    for (uint32_t i = 0; i < fields.count; i++) {
        TL_TRY(tl_synapse_set(call->synapse, call->arena, fields.members[i].key,
                              &fields.members[i].value, ctx));
    }
    return TL_OK;
}

static tl_err take_answer(tl_axon_call *call, const tl_exec_answer *answer, tl_errctx *ctx)
{
    if (call->is_stream) { /* its last frame may bring a last piece */
        (void)tl_axon_stream_write(call, answer->body);
        return TL_OK;
    }
    if (call->route->spec.synapse != NULL) {
        TL_TRY(take_fields(call, answer->body, ctx));
        if (answer->status != 200) {
            tl_axon_set_status(call, answer->status, tl_http_status_text(answer->status));
        }
        return TL_OK;
    }
    const char *type = NULL;
    if (answer->content_type.len > 0) {
        TL_TRY(tl_str_copy_cstr(&type, call->arena, answer->content_type, ctx));
    }
    tl_axon_answer(call, answer->status, type, answer->body);
    return TL_OK;
}

static void take_piece(tl_axon_call *call, const tl_exec_answer *answer)
{
    if (!call->is_stream) {
        const char *type = NULL;
        if (answer->content_type.len == 0 ||
            tl_str_copy_cstr(&type, call->arena, answer->content_type, NULL) != TL_OK) {
            type = NULL;
        }
        tl_axon_stream_begin(call, type);
    }
    if (!tl_axon_stream_write(call, answer->body)) { /* the caller left, or reads too slowly */
        const uint64_t id = atomic_load(&call->exec_id);
        atomic_store(&call->is_broken, true);
        if (id != 0) {
            tl_exec_cancel(call->axon->exec, id);
        }
    }
}

/* On the program's thread. The call is there until tl_axon_finish, whatever became of its caller. */
static void on_answer(void *self, const tl_exec_answer *answer)
{
    tl_axon_call *call = self;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_err err = TL_ERR_IO;
    char text[128];
    switch (answer->outcome) {
    case TL_EXEC_PIECE:
        take_piece(call, answer);
        return;
    case TL_EXEC_ANSWER:
        err = take_answer(call, answer, &ctx);
        (void)tl_str_print(text, sizeof text, "%s", ctx.message);
        break;
    case TL_EXEC_TIMEOUT: /* it and the server's own deadline come at the same moment */
        call->outcome = (tl__reason)TL_AUTH_TIMEOUT;
        (void)tl_str_print(text, sizeof text, "%.*s", TL_STR_ARG(answer->error));
        break;
    case TL_EXEC_FAILED:
    case TL_EXEC_CRASHED:
    case TL_EXEC_CANCELLED:
        (void)tl_str_print(text, sizeof text, "%.*s", TL_STR_ARG(answer->error));
        break;
    }
    tl_axon_finish(call, err, text);
}

static tl_err forward_to_program(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    tl_axon *axon = self;
    const bool is_synapse = call->route->spec.synapse != NULL;
    tl_exec_request request = {
        .kind = is_synapse ? TL_STR("synapse") : TL_STR("route"),
        .protocol = tl_str_from_cstr(tl_axon_protocol_name(call->caller.protocol)),
        .hotkey = call->caller.ss58,
        .address = tl_str_from_cstr(call->caller.address),
        .correlation_id = tl_axon_call_id(call),
        .timeout_s = call->timeout_s,
        .body = call->body,
    };
    if (is_synapse) {
        tl_str body;
        request.name = call->route->name;
        TL_TRY(tl_synapse_response_body(&body, call->arena, call->synapse, ctx));
        request.body = tl_str_bytes(body);
    } else {
        request.method = call->method;
        request.target = call->target;
    }
    uint64_t id = 0;
    tl_axon_later(call);
    const tl_err err = tl_exec_ask(axon->exec, &id, &request, on_answer, call, ctx);
    if (err != TL_OK) {
        call->outcome = (tl__reason)TL_AUTH_BUSY;
        tl_axon_finish(call, err, ctx != NULL ? ctx->message : NULL);
        return TL_OK;
    }
    atomic_store(&call->exec_id, id);
    return TL_OK;
}

static tl_err take_f64(double *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    return tl_json_get(object, key) != NULL ? tl_json_want_f64(out, object, key, ctx) : TL_OK;
}

static tl_err take_i64(int64_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    return tl_json_get(object, key) != NULL ? tl_json_want_i64(out, object, key, ctx) : TL_OK;
}

/* {"route":"POST /predict","waives_receiver":true,…}: the switches of a route (docs/axon.md). */
static tl_err take_switches(tl_axon_route *route, tl_str *text, const tl_json *object,
                            tl_errctx *ctx)
{
    int64_t body_len_max = 0;
    TL_TRY(tl_json_want_str(text, object, "route", ctx));
    if (tl_json_get(object, "waives_receiver") != NULL) {
        TL_TRY(tl_json_want_bool(&route->waives_receiver, object, "waives_receiver", ctx));
    }
    TL_TRY(take_f64(&route->window_back_s, object, "window_back_s", ctx));
    TL_TRY(take_f64(&route->window_ahead_s, object, "window_ahead_s", ctx));
    TL_TRY(take_f64(&route->timeout_s, object, "timeout_s", ctx));
    TL_TRY(take_i64(&route->stake_rao_min, object, "min_stake_rao", ctx));
    TL_TRY(take_i64(&body_len_max, object, "max_body", ctx));
    route->body_len_max = body_len_max > 0 ? (size_t)body_len_max : 0;
    return TL_OK;
}

/* "POST /predict", or an object that has it */
static tl_err attach_signed(tl_axon *axon, const tl_json *item, tl_errctx *ctx)
{
    tl_str text = item->text;
    tl_axon_route route = {.forward = forward_to_program, .self = axon, .runs = TL_AXON_ASYNC};
    if (item->kind == TL_JSON_OBJECT) {
        TL_TRY(take_switches(&route, &text, item, ctx));
    }
    tl_str path = text;
    tl_str method;
    if (!tl_str_split(&method, &path, ' ') || path.len == 0) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "routes",
                             "\"%.*s\" is no method, a space and a path", TL_STR_ARG(text));
    }
    TL_TRY(tl_str_copy_cstr(&route.method, axon->arena, method, ctx));
    TL_TRY(tl_str_copy_cstr(&route.path, axon->arena, path, ctx));
    return tl_axon_attach(axon, &route, ctx);
}

static tl_err attach_synapses(tl_axon *axon, const tl_json *synapses, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    tl_synapse_defs defs;
    tl_sb_init(&sb, axon->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "synapses");
    tl_json_put_tree(&w, synapses);
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    TL_TRY(tl_synapse_load(&defs, axon->arena, (tl_synapse_defs){NULL, 0}, text, ctx));
    for (size_t i = 0; i < defs.count; i++) {
        const tl_axon_route route = {.synapse = defs.at[i],
                                     .forward = forward_to_program,
                                     .self = axon,
                                     .runs = TL_AXON_ASYNC};
        TL_TRY(tl_axon_attach(axon, &route, ctx));
    }
    return TL_OK;
}

tl_err tl_axon_attach_exec(tl_axon *axon, tl_exec *exec, tl_errctx *ctx)
{
    TL_ASSERT(axon->exec == NULL);
    const tl_json *hello = tl_exec_borrow_hello(exec);
    const tl_json *routes = tl_json_get(hello, "routes");
    const tl_json *synapses = tl_json_get(hello, "synapses");
    const uint32_t count = routes != NULL ? routes->count : 0;
    if (count == 0 && (synapses == NULL || synapses->count == 0)) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "routes",
                             "the program serves neither routes nor synapses");
    }
    axon->exec = exec;
    for (uint32_t i = 0; i < count; i++) {
        TL_TRY(attach_signed(axon, &routes->items[i], ctx));
    }
    return synapses != NULL ? attach_synapses(axon, synapses, ctx) : TL_OK;
}
