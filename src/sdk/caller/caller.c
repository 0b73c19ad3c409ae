/* Requests to one service: begun up to a bound, signed before each attempt, read when they end. */
#include "sdk/caller/caller.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"
#include "sdk/auth/auth.h"

#define RECEIVER_CAP 65

struct tl_caller {
    tl_caller_options options;
    tl_arena *arena;
    tl_client *client;
    tl_url base;
    tl_str prefix; /* path of the base URL without a slash at its end */
    char receiver[RECEIVER_CAP];
    size_t receiver_len;
};

/* One request under way. */
typedef struct {
    tl_caller *caller;
    const tl_caller_request *request;
    tl_caller_answer *answer;
    tl_arena *arena;
    size_t *in_flight;
    tl_http_headers headers;
    tl_hash32 body_sha256;
    tl_client_call *call;
    tl_err err;
    tl_errctx *ctx;
} ask;

void tl_caller_set_receiver(tl_caller *caller, tl_str ss58)
{
    TL_ASSERT(ss58.len < RECEIVER_CAP);
    if (ss58.len > 0) {
        memcpy(caller->receiver, ss58.ptr, ss58.len);
    }
    caller->receiver_len = ss58.len;
}

static tl_err read_base(tl_caller *caller, tl_str url, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_str_copy(&text, caller->arena, url, ctx));
    TL_TRY(tl_url_parse(&caller->base, text, ctx));
    tl_str path = caller->base.target;
    while (path.len > 0 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    if (memchr(path.len > 0 ? path.ptr : "", '?', path.len) != NULL) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "url", "the URL of a service holds no query");
    }
    caller->prefix = path;
    return TL_OK;
}

static void fill_defaults(tl_caller_options *o)
{
    o->timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : 20000;
    o->retries_max = o->retries_max != 0 ? o->retries_max : 3;
    o->retry_ms = o->retry_ms != 0 ? o->retry_ms : 250;
    o->retry_cap_ms = o->retry_cap_ms != 0 ? o->retry_cap_ms : 10000;
    o->flight_max = o->flight_max != 0 ? o->flight_max : 16;
    if (o->clock.wall_ns == NULL) {
        o->clock = tl_sys_clock();
    }
    if (o->entropy.fill == NULL) {
        o->entropy = tl_sys_entropy();
    }
}

tl_err tl_caller_new(tl_caller **out, const tl_caller_options *options, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_caller *caller = TL_NEW(arena, tl_caller, 1);
    if (caller == NULL) {
        const tl_err err = tl_arena_fail(arena, ctx);
        tl_arena_free(arena);
        return err;
    }
    *caller = (tl_caller){.options = *options, .arena = arena};
    fill_defaults(&caller->options);
    tl_err err = read_base(caller, options->url, ctx);
    if (err == TL_OK && options->receiver.len >= RECEIVER_CAP) {
        err = tl_fail_field(ctx, TL_ERR_SYNTAX, "receiver", "no address is so long");
    }
    if (err == TL_OK) {
        tl_caller_set_receiver(caller, options->receiver);
        const tl_client_options client = {
            .clock = caller->options.clock,
            .entropy = caller->options.entropy,
            .flight_max = caller->options.flight_max,
            .pace = {.per_s = caller->options.per_s, .burst = caller->options.per_s / 4 + 1},
            .ca_file = options->ca_file};
        err = tl_client_new(&caller->client, &client, ctx);
    }
    if (err != TL_OK) {
        tl_arena_free(arena);
        return err;
    }
    *out = caller;
    return TL_OK;
}

void tl_caller_free(tl_caller *caller)
{
    if (caller != NULL) {
        tl_client_free(caller->client);
        tl_arena_free(caller->arena);
    }
}

/* --- before each attempt --- */

static tl_err sign(void *self, tl_client_attempt *attempt, tl_errctx *ctx)
{
    ask *a = (ask *)self;
    const tl_caller *caller = a->caller;
    tl_http_headers own = {NULL, 0};
    const tl_auth_outgoing what = {
        .method = attempt->request.method,
        .target = attempt->request.target,
        .body_sha256 = a->body_sha256,
        .receiver = {caller->receiver, caller->receiver_len},
        .now_ns = tl_clock_wall_ns(&caller->options.clock),
    };
    TL_TRY(tl_auth_sign(&own, attempt->arena, tl_auth_family_at(TL_AUTH_BTAUTH),
                        caller->options.keypair, &what, &caller->options.entropy, ctx));
    const size_t count = a->headers.count + own.count;
    tl_http_header *all = TL_NEW(attempt->arena, tl_http_header, count);
    if (all == NULL) {
        return tl_arena_fail(attempt->arena, ctx);
    }
    for (size_t i = 0; i < a->headers.count; i++) {
        all[i] = a->headers.at[i];
    }
    memcpy(all + a->headers.count, own.at, own.count * sizeof *all);
    attempt->request.headers = (tl_http_headers){all, count};
    return TL_OK;
}

/* --- when it has ended --- */

static tl_err copy_headers(ask *a, tl_http_headers headers)
{
    tl_http_header *all = TL_NEW(a->arena, tl_http_header, headers.count);
    if (all == NULL) {
        return tl_arena_fail(a->arena, a->ctx);
    }
    for (size_t i = 0; i < headers.count; i++) {
        TL_TRY(tl_str_copy(&all[i].name, a->arena, headers.at[i].name, a->ctx));
        TL_TRY(tl_str_copy(&all[i].value, a->arena, headers.at[i].value, a->ctx));
    }
    a->answer->headers = (tl_http_headers){all, headers.count};
    return TL_OK;
}

/* The words of an error's body, in Tally's own shape or in the original's. */
static void read_error(tl_caller_answer *answer)
{
    const tl_json *error = tl_json_get(answer->json, "error");
    const tl_json *code = tl_json_get(error, "code");
    const tl_json *message = tl_json_get(error, "message");
    if (code == NULL && error != NULL && error->kind == TL_JSON_STRING) {
        code = error;
        message = tl_json_get(answer->json, "message");
        if (message != NULL && message->kind == TL_JSON_ARRAY && message->count > 0) {
            message = &message->items[0];
        }
    }
    if (code != NULL && code->kind == TL_JSON_STRING) {
        answer->code = code->text;
    }
    if (message != NULL && message->kind == TL_JSON_STRING) {
        answer->message = message->text;
    }
}

static tl_err take(ask *a, const tl_client_answer *from)
{
    tl_caller_answer *out = a->answer;
    *out = (tl_caller_answer){.fault = from->fault,
                              .status = from->status,
                              .elapsed_ns = from->elapsed_ns,
                              .attempts = from->attempts};
    if (from->fault != TL_CLIENT_NONE) {
        return tl_str_copy(
            &out->message, a->arena,
            tl_str_from_cstr(from->why[0] != 0 ? from->why : tl_client_fault_text(from->fault)),
            a->ctx);
    }
    TL_TRY(copy_headers(a, from->headers));
    tl_str body = {NULL, 0};
    TL_TRY(tl_str_copy(&body, a->arena, (tl_str){(const char *)from->body.ptr, from->body.len},
                       a->ctx));
    out->body = (tl_bytes){(const uint8_t *)body.ptr, body.len};
    const tl_http_header *type = tl_http_find(from->headers, TL_STR("Content-Type"));
    const bool is_json = (!a->request->is_bytes || from->status >= 400) && type != NULL &&
                         tl_str_starts_with(type->value, TL_STR("application/json"));
    const tl_arena_mark mark = tl_arena_get_mark(a->arena);
    if (is_json && tl_json_parse(&out->json, a->arena, body, NULL, NULL) != TL_OK) {
        tl_arena_rewind(a->arena, mark); /* what was half read would fill it */
        out->json = NULL;
    }
    if (from->status >= 400) {
        read_error(out);
    }
    return TL_OK;
}

static void end(void *self, tl_client_call *call)
{
    ask *a = (ask *)self;
    const tl_client_answer *answer = tl_client_borrow_answer(call);
    a->err = answer->fault == TL_CLIENT_PREPARE
                 ? tl_fail(a->ctx, answer->prepare_err, "cannot sign: %s", answer->why)
                 : take(a, answer);
    a->call = NULL;
    (*a->in_flight)--;
    tl_client_call_free(call);
}

/* --- beginning --- */

static tl_err fill_headers(ask *a)
{
    const tl_caller_request *r = a->request;
    if (r->body.len == 0 && r->content_type.len == 0) {
        a->headers = r->headers;
        return TL_OK;
    }
    tl_http_header *all = TL_NEW(a->arena, tl_http_header, r->headers.count + 1);
    if (all == NULL) {
        return tl_arena_fail(a->arena, a->ctx);
    }
    all[0].name = TL_STR("Content-Type");
    all[0].value = r->content_type.len > 0 ? r->content_type : TL_STR("application/json");
    for (size_t i = 0; i < r->headers.count; i++) {
        all[i + 1] = r->headers.at[i];
    }
    a->headers = (tl_http_headers){all, r->headers.count + 1};
    return TL_OK;
}

static tl_err where(tl_client_request *out, ask *a)
{
    const tl_caller *caller = a->caller;
    const tl_caller_request *r = a->request;
    tl_url url = caller->base;
    if (tl_str_starts_with(r->target, TL_STR("http://")) ||
        tl_str_starts_with(r->target, TL_STR("https://"))) {
        TL_TRY(tl_url_parse(&url, r->target, a->ctx));
        if (r->is_signed) {
            return tl_fail_field(a->ctx, TL_ERR_REFUSED, "target",
                                 "a signature is for the service alone");
        }
    } else {
        tl_sb sb;
        tl_sb_init(&sb, a->arena);
        tl_sb_put(&sb, caller->prefix);
        tl_sb_put(&sb, r->target);
        TL_TRY(tl_sb_finish(&url.target, &sb, a->ctx));
    }
    *out = (tl_client_request){.is_tls = url.is_tls,
                               .host = url.host,
                               .port = url.port,
                               .method = r->method.len > 0 ? r->method : TL_STR("GET"),
                               .target = url.target.len > 0 ? url.target : TL_STR("/"),
                               .headers = a->headers,
                               .body = r->body};
    return TL_OK;
}

static tl_err begin(ask *a)
{
    const tl_caller *caller = a->caller;
    const tl_caller_request *r = a->request;
    if (r->is_signed && caller->options.keypair == NULL) {
        return tl_fail_field(a->ctx, TL_ERR_MISSING, "key", "no key to sign with");
    }
    TL_TRY(fill_headers(a));
    tl_client_spec spec = {
        .timeout_ms = caller->options.timeout_ms,
        .body_len_max = r->answer_len_max,
        .is_repeatable = r->is_repeatable, /* CALLER-2 */
        .retry = {.retries_max = r->is_repeatable ? caller->options.retries_max : 0,
                  .base_ms = caller->options.retry_ms,
                  .cap_ms = caller->options.retry_cap_ms,
                  .jitter_percent = TL_BACKOFF_JITTER_PERCENT},
        .self = a,
        .prepare = r->is_signed ? sign : NULL, /* CALLER-1 */
        .on_done = end,
    };
    TL_TRY(where(&spec.request, a));
    if (r->is_signed) {
        tl_sha256(&a->body_sha256, r->body.ptr, r->body.len);
    }
    TL_TRY(tl_client_start(&a->call, caller->client, &spec, a->ctx));
    (*a->in_flight)++;
    return TL_OK;
}

tl_err tl_caller_run(tl_caller *caller, tl_caller_answer *answers, tl_arena *arena,
                     const tl_caller_request *requests, size_t count, tl_errctx *ctx)
{
    ask *asks = TL_NEW(arena, ask, count);
    if (asks == NULL && count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    size_t in_flight = 0;
    size_t begun = 0;
    tl_err err = TL_OK;
    while (err == TL_OK && (begun < count || in_flight > 0)) {
        while (err == TL_OK && begun < count && in_flight < caller->options.flight_max) {
            asks[begun] = (ask){.caller = caller,
                                .request = &requests[begun],
                                .answer = &answers[begun],
                                .arena = arena,
                                .in_flight = &in_flight,
                                .ctx = ctx};
            err = begin(&asks[begun]);
            begun++;
        }
        if (err == TL_OK && in_flight > 0) {
            err = tl_client_step(caller->client, 200, ctx);
        }
        if (err == TL_OK) {
            err = tl_sys_check_interrupt(ctx);
        }
        for (size_t i = 0; err == TL_OK && i < begun; i++) {
            err = asks[i].err;
        }
    }
    for (size_t i = 0; i < begun; i++) {
        tl_client_call_free(asks[i].call);
    }
    return err;
}

tl_err tl_caller_call(tl_caller *caller, tl_caller_answer *out, tl_arena *arena,
                      const tl_caller_request *request, tl_errctx *ctx)
{
    return tl_caller_run(caller, out, arena, request, 1, ctx);
}

static tl_err code_of(uint16_t status)
{
    switch (status) {
    case 400:
    case 415:
        return TL_ERR_SYNTAX;
    case 401:
    case 403:
        return TL_ERR_REFUSED;
    case 404:
        return TL_ERR_NOT_FOUND;
    case 409:
    case 410:
        return TL_ERR_STATE;
    case 413:
    case 429:
        return TL_ERR_LIMIT;
    default:
        return TL_ERR_IO;
    }
}

tl_err tl_caller_fail(const tl_caller_answer *answer, tl_errctx *ctx)
{
    if (answer->fault != TL_CLIENT_NONE) {
        return tl_fail(ctx, TL_ERR_IO, "no answer: %.*s", TL_STR_ARG(answer->message));
    }
    if (answer->status >= 200 && answer->status < 300) {
        return TL_OK;
    }
    const tl_str message = tl_str_slice(answer->message, 0, 200);
    return tl_fail(ctx, code_of(answer->status), "answered %u %.*s%s%.*s", answer->status,
                   TL_STR_ARG(tl_str_slice(answer->code, 0, 40)), message.len > 0 ? ": " : "",
                   TL_STR_ARG(message));
}

tl_err tl_caller_want(tl_caller *caller, tl_caller_answer *out, tl_arena *arena,
                      const tl_caller_request *request, tl_errctx *ctx)
{
    TL_TRY(tl_caller_call(caller, out, arena, request, ctx));
    return tl_caller_fail(out, ctx);
}
