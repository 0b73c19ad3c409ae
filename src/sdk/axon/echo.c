/* The services that connectivity and load tests need (cli spec, --echo). */
#include <string.h>

#include "sdk/axon/axon_internal.h"

enum { ECHO_LEN_MAX = 1 << 20, STREAM_PIECES_MAX = 1000, STREAM_PAUSE_MS = 10, SLOW_LOOK_MS = 250 };
static const double SLOW_S_MAX = 3600;

static int64_t int_of(const tl_synapse *synapse, const char *name)
{
    const tl_value *value = tl_synapse_field_get(synapse, tl_str_from_cstr(name));
    return value != NULL ? tl_value_clamp_i64(value, 0) : 0;
}

static tl_str text_of(const tl_synapse *synapse, const char *name)
{
    const tl_value *value = tl_synapse_field_get(synapse, tl_str_from_cstr(name));
    return value != NULL && value->kind == TL_VALUE_STR ? value->text : (tl_str){NULL, 0};
}

static tl_err set_field(tl_axon_call *call, const char *name, tl_value value, tl_errctx *ctx)
{
    return tl_synapse_set(call->synapse, call->arena, tl_str_from_cstr(name), &value, ctx);
}

/* Echo: out is text, a times. */
static tl_err forward_echo(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    const int64_t wanted = int_of(call->synapse, "a");
    const tl_str text = text_of(call->synapse, "text");
    const uint64_t times = wanted > 0 ? (uint64_t)wanted : 0;
    if (text.len > 0 && times > ECHO_LEN_MAX / text.len) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "a", "an echo of more than %d bytes", ECHO_LEN_MAX);
    }
    const size_t len = text.len * (size_t)times;
    char *out = TL_NEW(call->arena, char, len);
    if (out == NULL) {
        return tl_arena_fail(call->arena, ctx);
    }
    for (size_t at = 0; at < len; at += text.len) {
        memcpy(out + at, text.ptr, text.len);
    }
    return set_field(call, "out", tl_value_from_str((tl_str){out, len}), ctx);
}

/* Slow: done is true, that many seconds later. It looks at its caller now and then: who left holds no place in handlers. */
typedef struct waiting {
    int64_t until_ns;
} waiting;

static void step_slow(void *self, tl_axon_call *call)
{
    const waiting *w = self;
    const int64_t left_ms = (w->until_ns - tl__steady_ns(call->axon)) / 1000000;
    if (tl_axon_call_is_gone(call)) {
        tl_axon_finish(call, TL_ERR_STATE, "the caller left");
    } else if (left_ms > 0) {
        tl_axon_after(call, left_ms < SLOW_LOOK_MS ? (uint32_t)left_ms : SLOW_LOOK_MS, step_slow,
                      self);
    } else {
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = set_field(call, "done", tl_value_from_bool(true), &ctx);
        tl_axon_finish(call, err, ctx.message);
    }
}

static tl_err forward_slow(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    double seconds;
    TL_TRY(tl_value_as_f64(&seconds, tl_synapse_field_get(call->synapse, TL_STR("seconds")),
                           "seconds", ctx));
    if (!(seconds <= SLOW_S_MAX)) { /* nan too */
        return tl_fail_field(ctx, TL_ERR_RANGE, "seconds", "more than an hour");
    }
    waiting *w = TL_NEW(call->arena, waiting, 1);
    if (w == NULL) {
        return tl_arena_fail(call->arena, ctx);
    }
    w->until_ns = tl__steady_ns(call->axon) + (seconds > 0 ? (int64_t)(seconds * 1e9) : 0);
    tl_axon_later(call);
    step_slow(w, call);
    return TL_OK;
}

/* Stream: a pieces of text, a pause before each. */
typedef struct streaming {
    int64_t left;
    tl_str text;
} streaming;

static void step_stream(void *self, tl_axon_call *call)
{
    streaming *s = self;
    if (tl_axon_call_is_gone(call)) {
        tl_axon_finish(call, TL_ERR_STATE, "the caller left");
        return;
    }
    if (s->left == 0) {
        tl_axon_finish(call, TL_OK, NULL);
        return;
    }
    if (tl_axon_stream_waiting(call) < TL_AXON_STREAM_WAITING_MAX / 2) {
        s->left--;
        (void)tl_axon_stream_write(call, tl_str_bytes(s->text));
    }
    tl_axon_after(call, s->left > 0 ? STREAM_PAUSE_MS : 0, step_stream, s);
}

static tl_err forward_stream(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    const int64_t wanted = int_of(call->synapse, "a");
    if (wanted > STREAM_PIECES_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "a", "more than %d pieces", STREAM_PIECES_MAX);
    }
    streaming *s = TL_NEW(call->arena, streaming, 1);
    if (s == NULL) {
        return tl_arena_fail(call->arena, ctx);
    }
    *s = (streaming){wanted > 0 ? wanted : 0, text_of(call->synapse, "text")};
    tl_axon_later(call);
    tl_axon_stream_begin(call, NULL);
    step_stream(s, call);
    return TL_OK;
}

static tl_err forward_boom(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    (void)call;
    return tl_fail(ctx, TL_ERR_STATE, "this handler always fails");
}

static tl_err forward_body(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    (void)ctx;
    tl_axon_answer(call, 200, NULL, tl_axon_call_body(call));
    return TL_OK;
}

static tl_err forward_whoami(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    const tl_axon_caller *caller = tl_axon_call_caller(call);
    char ss58[TL_SS58_CAP];
    (void)tl_ss58_encode(ss58, &caller->hotkey, TL_SS58_PREFIX_GENERIC);
    tl_sb sb;
    tl_str body;
    tl_sb_init(&sb, call->arena);
    tl_sb_printf(&sb, "{\"hotkey\":\"%s\",\"protocol\":\"%s\"}", ss58,
                 tl_axon_protocol_name(caller->protocol));
    TL_TRY(tl_sb_finish(&body, &sb, ctx));
    tl_axon_answer(call, 200, "application/json", tl_str_bytes(body));
    return TL_OK;
}

tl_err tl_axon_attach_echo(tl_axon *axon, tl_errctx *ctx)
{
    static const struct {
        const char *name;
        tl_axon_forward forward;
        tl_axon_runs runs;
    } synapses[] = {
        {"Echo", forward_echo, TL_AXON_INLINE},
        {"Slow", forward_slow, TL_AXON_ASYNC},
        {"Stream", forward_stream, TL_AXON_ASYNC},
        {"Boom", forward_boom, TL_AXON_INLINE},
    };
    tl_synapse_defs defs;
    TL_TRY(tl_synapse_echo_set(&defs, axon->arena, ctx));
    for (size_t i = 0; i < sizeof synapses / sizeof synapses[0]; i++) {
        const tl_synapse_def *def = tl_synapse_find(defs, tl_str_from_cstr(synapses[i].name));
        TL_ASSERT(def != NULL);
        const tl_axon_route route = {
            .synapse = def, .forward = synapses[i].forward, .runs = synapses[i].runs};
        TL_TRY(tl_axon_attach(axon, &route, ctx));
    }
    const tl_axon_route echo = {
        .method = "POST", .path = "/echo", .forward = forward_body, .runs = TL_AXON_INLINE};
    const tl_axon_route whoami = {
        .method = "GET", .path = "/whoami", .forward = forward_whoami, .runs = TL_AXON_INLINE};
    TL_TRY(tl_axon_attach(axon, &echo, ctx));
    return tl_axon_attach(axon, &whoami, ctx);
}
