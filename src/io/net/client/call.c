/* A call: its attempts, how each is judged, and what follows. */
#include <stdlib.h>
#include <string.h>

#include "io/net/client/client_internal.h"

enum { NS_PER_MS = 1000000, CALL_ARENA_LEN_MAX = 64 << 20 };

/* --- judging --- */

/* How good an end is, best first. While a second attempt is under way a refusal is not final: of two copies of one
 * request the later one may be let in, and the earlier one, overtaken, be refused as old. */
enum { RANK_GOOD, RANK_REFUSED, RANK_NOT_NOW, RANK_FAULT };

static int rank(const tl__attempt *a)
{
    if (a->fault != TL_CLIENT_NONE) {
        return RANK_FAULT;
    }
    if (a->status >= 500 || a->status == 408 || a->status == 429) {
        return RANK_NOT_NOW;
    }
    return a->status >= 400 ? RANK_REFUSED : RANK_GOOD;
}

static bool is_retryable(const tl__attempt *a)
{
    switch (a->fault) {
    case TL_CLIENT_NONE:
    case TL_CLIENT_CONNECT:
    case TL_CLIENT_TIMEOUT:
    case TL_CLIENT_GONE:
    case TL_CLIENT_CUT:
        return true;
    case TL_CLIENT_TLS:
    case TL_CLIENT_HEAD:
    case TL_CLIENT_BODY_LIMIT:
    case TL_CLIENT_STOPPED:
    case TL_CLIENT_CANCELLED:
    case TL_CLIENT_BREAKER:
    case TL_CLIENT_PREPARE:
    case TL_CLIENT_LOCAL:
    case TL_CLIENT_FAULT_COUNT:
        return false;
    }
    return false;
}

/* What it says of the host; our own doing says nothing. */
static void tell_breaker(const tl__attempt *a)
{
    const tl_client *client = a->call->client;
    tl_breaker *breaker = &a->call->host->breaker;
    const bool is_ours = a->fault == TL_CLIENT_STOPPED || a->fault == TL_CLIENT_CANCELLED ||
                         a->fault == TL_CLIENT_LOCAL || a->fault == TL_CLIENT_PREPARE;
    if (is_ours) {
        tl_breaker_forget(breaker);
        return;
    }
    tl_breaker_tell(breaker, &client->options.breaker, rank(a) <= RANK_REFUSED,
                    tl__client_now(client));
}

/* --- the end --- */

static void give_up(tl__attempt *a)
{
    switch (a->state) {
    case TL__ATTEMPT_NONE:
        return;
    case TL__ATTEMPT_WAIT:
    case TL__ATTEMPT_QUEUE:
        tl__client_drop(a->call->client, a);
        break;
    case TL__ATTEMPT_FLIGHT:
        tl__attempt_land(a);
        tl_breaker_forget(&a->call->host->breaker);
        break;
    case TL__ATTEMPT_OVER:
        break;
    }
    tl__attempt_clear(a);
}

static const char *put_why(tl_client_call *call, tl_client_fault fault, const char *detail)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    if (fault == TL_CLIENT_NONE) {
        return "";
    }
    tl_sb_init(&sb, call->arena);
    tl_sb_put_cstr(&sb, tl_client_fault_text(fault));
    if (detail != NULL && detail[0] != '\0') {
        tl_sb_printf(&sb, ": %s", detail);
    }
    return tl_sb_finish(&text, &sb, NULL) == TL_OK ? text.ptr : tl_client_fault_text(fault);
}

static void end(tl_client_call *call)
{
    TL_ASSERT(!call->is_done); /* CLIENT-4 */
    call->is_done = true;
    call->answer.attempts = call->started;
    for (size_t i = 0; i < TL__CALL_SLOTS; i++) {
        give_up(&call->slots[i]);
    }
    tl__client_tell(call->client, call);
}

static void end_with_fault(tl_client_call *call, tl_client_fault fault, const tl_errctx *why)
{
    call->answer = (tl_client_answer){.fault = fault};
    call->answer.why = put_why(call, fault, why != NULL ? why->message : NULL);
    call->answer.prepare_err = why != NULL ? why->code : TL_OK;
    end(call);
}

static void end_with(tl__attempt *a)
{
    tl_client_call *call = a->call;
    call->body = a->body;
    a->body = NULL;
    const bool has_body = a->fault == TL_CLIENT_NONE && call->streaming != a;
    call->answer = (tl_client_answer){
        .fault = a->fault,
        .status = a->status,
        .headers = {(const tl_http_header *)a->headers.items, a->headers.count},
        .body = has_body ? (tl_bytes){call->body, a->body_len} : (tl_bytes){NULL, 0},
        .why = put_why(call, a->fault, a->error),
        .attempt_index = a->index,
        .elapsed_ns = a->elapsed_ns,
        .was_reused = a->was_reused,
        .http_major = a->http_major,
    };
    end(call);
}

/* --- what follows an attempt --- */

static tl__attempt *other_of(tl__attempt *a)
{
    tl_client_call *call = a->call;
    return a == &call->slots[TL__CALL_FIRST] ? &call->slots[TL__CALL_HEDGE]
                                             : &call->slots[TL__CALL_FIRST];
}

static uint32_t draw(const tl_client *client)
{
    uint32_t luck = 0;
    uint8_t bytes[4] = {0};
    if (tl_entropy_fill(&client->options.entropy, bytes, sizeof bytes, NULL) == TL_OK) {
        memcpy(&luck, bytes, sizeof luck);
    }
    return luck;
}

/* How long to wait before the next attempt; false when there is none (CLIENT-2). A server that asks for more patience
 * than the rule has is not asked again. */
static bool find_wait(int64_t *out_ns, const tl__attempt *a)
{
    const tl_client_call *call = a->call;
    const tl_backoff *rule = &call->spec.retry;
    if (!call->spec.is_repeatable || call->retries >= rule->retries_max || !is_retryable(a) ||
        call->streaming != NULL) {
        return false;
    }
    uint64_t wait_ms = tl_backoff_ms(rule, call->retries, draw(call->client));
    const tl_http_headers headers = {(const tl_http_header *)a->headers.items, a->headers.count};
    const tl_http_header *after = tl_http_find(headers, TL_STR("retry-after"));
    uint64_t told_ms = 0;
    if (a->fault == TL_CLIENT_NONE && after != NULL &&
        tl_retry_after_ms(&told_ms, after->value, tl_clock_wall_ns(&call->client->options.clock))) {
        if (told_ms > rule->cap_ms) {
            return false;
        }
        wait_ms = told_ms > wait_ms ? told_ms : wait_ms;
    }
    *out_ns = (int64_t)wait_ms * NS_PER_MS;
    return true;
}

/* Nothing is under way: the end with the better of what came, or once more. */
static void follow(tl__attempt *a)
{
    tl_client_call *call = a->call;
    tl_client *client = call->client;
    tl__attempt *other = other_of(a);
    tl__attempt *best = other->state == TL__ATTEMPT_OVER && rank(other) < rank(a) ? other : a;
    int64_t wait_ns = 0;
    if (rank(best) <= RANK_REFUSED || !find_wait(&wait_ns, best)) {
        end_with(best);
        return;
    }
    call->retries++;
    give_up(other);
    tl__attempt_clear(a);
    tl__attempt *next = &call->slots[TL__CALL_FIRST];
    next->call = call;
    tl__client_wait(client, next, tl__client_now(client) + wait_ns);
}

static void judge(tl__attempt *a)
{
    const tl__attempt *other = other_of(a);
    if (rank(a) == RANK_GOOD || a->call->streaming == a) {
        end_with(a);
    } else if (other->state == TL__ATTEMPT_FLIGHT || other->state == TL__ATTEMPT_QUEUE) {
        a->state = TL__ATTEMPT_OVER;
    } else {
        follow(a);
    }
}

void tl__call_ended(tl__attempt *attempt, CURLcode code)
{
    const bool has_bytes = attempt->head_len > 0;
    tl__attempt_land(attempt);
    if (attempt->fault == TL_CLIENT_NONE) {
        /* A line longer than libcurl's own bound is, to it, out of memory. */
        const bool is_long = code == CURLE_OUT_OF_MEMORY && !attempt->is_head_done;
        attempt->fault = is_long ? TL_CLIENT_HEAD : tl__curl_fault(code, has_bytes);
        if (attempt->fault == TL_CLIENT_NONE && !attempt->is_head_done) {
            attempt->fault = has_bytes ? TL_CLIENT_HEAD : TL_CLIENT_GONE;
        }
    } else {
        attempt->error[0] = '\0'; /* libcurl only says that we stopped it */
    }
    tell_breaker(attempt);
    judge(attempt);
}

/* --- before an attempt --- */

void tl__call_due(tl__attempt *attempt)
{
    tl__client_enqueue(attempt->call->client, attempt);
}

/* It did not get out. A hedge is no loss while the first is under way. */
static void fail_before(tl__attempt *a, tl_client_fault fault, const tl_errctx *why)
{
    const tl__attempt *other = other_of(a);
    a->state = TL__ATTEMPT_OVER;
    if (other->state == TL__ATTEMPT_FLIGHT || other->state == TL__ATTEMPT_QUEUE) {
        tl__attempt_clear(a);
        return;
    }
    if (other->state == TL__ATTEMPT_OVER) {
        follow(other_of(a));
        return;
    }
    end_with_fault(a->call, fault, why);
}

static tl_err prepare(tl__attempt *a, tl_errctx *ctx)
{
    tl_client_call *call = a->call;
    a->index = call->started++;
    a->request = call->spec.request;
    if (call->spec.prepare == NULL) {
        return TL_OK;
    }
    tl_client_attempt view = {a->index, a->is_hedge, call->arena, call->spec.request};
    TL_TRY(call->spec.prepare(call->spec.self, &view, ctx));
    TL_ASSERT(view.request.port == call->spec.request.port);
    TL_ASSERT(tl_str_eq(view.request.host, call->spec.request.host));
    TL_ASSERT(view.request.is_tls == call->spec.request.is_tls);
    a->request = view.request;
    return tl__request_check(&a->request, ctx);
}

static void plan_hedge(tl_client_call *call)
{
    tl__attempt *hedge = &call->slots[TL__CALL_HEDGE];
    if (call->spec.hedge_ms == 0 || !call->spec.is_repeatable || hedge->state != TL__ATTEMPT_NONE) {
        return;
    }
    hedge->call = call;
    hedge->is_hedge = true;
    tl__client_wait(call->client, hedge,
                    tl__client_now(call->client) + (int64_t)call->spec.hedge_ms * NS_PER_MS);
}

bool tl__call_turn(tl__attempt *attempt)
{
    tl_client_call *call = attempt->call;
    tl_client *client = call->client;
    const int64_t now_ns = tl__client_now(client);
    tl_errctx why = TL_ERRCTX_INIT;
    if (client->options.host_flight_max != 0 &&
        call->host->flight >= client->options.host_flight_max) {
        return false;
    }
    tl__client_drop(client, attempt);
    const int64_t wait_ns = tl_pace_take(&call->host->pace, &client->options.pace, now_ns);
    if (wait_ns > 0) {
        tl__client_wait(client, attempt, now_ns + wait_ns);
        return true;
    }
    if (!tl_breaker_ask(&call->host->breaker, &client->options.breaker, now_ns)) {
        fail_before(attempt, TL_CLIENT_BREAKER, NULL);
        return true;
    }
    tl_err err = prepare(attempt, &why);
    if (err != TL_OK) {
        tl_breaker_forget(&call->host->breaker);
        why.code = err;
        fail_before(attempt, TL_CLIENT_PREPARE, &why);
        return true;
    }
    err = tl__attempt_launch(attempt, &why);
    if (err != TL_OK) {
        tl_breaker_forget(&call->host->breaker);
        fail_before(attempt, TL_CLIENT_LOCAL, &why);
        return true;
    }
    if (!attempt->is_hedge) {
        plan_hedge(call);
    }
    return true;
}

/* --- for everyone --- */

static void set_defaults(tl_client_spec *spec)
{
    if (spec->timeout_ms == 0) {
        spec->timeout_ms = TL_CLIENT_TIMEOUT_MS;
    }
    if (spec->connect_timeout_ms == 0) {
        spec->connect_timeout_ms = spec->timeout_ms;
    }
    if (spec->body_len_max == 0) {
        spec->body_len_max = TL_CLIENT_BODY_LEN;
    }
    if (spec->field_len_max == 0) {
        spec->field_len_max = TL_CLIENT_FIELD_LEN;
    }
    if (spec->retry.retries_max > TL_BACKOFF_RETRIES_MAX) {
        spec->retry.retries_max = TL_BACKOFF_RETRIES_MAX;
    }
    if (spec->retry.cap_ms == 0) {
        spec->retry.cap_ms = TL_BACKOFF_CAP_MS;
    }
}

tl_err tl_client_start(tl_client_call **out, tl_client *client, const tl_client_spec *spec,
                       tl_errctx *ctx)
{
    TL_TRY(tl__request_check(&spec->request, ctx));
    tl__host *host = NULL;
    TL_TRY(tl__host_slot(&host, client, spec->request.host, spec->request.port, ctx));
    tl_client_call *call = (tl_client_call *)calloc(1, sizeof *call);
    if (call == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a call");
    }
    const tl_err err = tl_arena_new(&call->arena, NULL, CALL_ARENA_LEN_MAX, NULL, ctx);
    if (err != TL_OK) {
        free(call);
        return err;
    }
    call->client = client;
    call->spec = *spec;
    set_defaults(&call->spec);
    call->host = host;
    host->holders++;
    call->after = client->calls;
    if (client->calls != NULL) {
        client->calls->before = call;
    }
    client->calls = call;
    client->count++;
    tl__attempt *first = &call->slots[TL__CALL_FIRST];
    first->call = call;
    tl__client_enqueue(client, first);
    *out = call;
    return TL_OK;
}

void tl_client_cancel(tl_client_call *call)
{
    if (!call->is_done) {
        call->is_cancelled = true;
        call->client->has_cancelled = true;
    }
}

void tl__call_cancel(tl_client_call *call)
{
    if (!call->is_done) {
        end_with_fault(call, TL_CLIENT_CANCELLED, NULL);
    }
}

void tl__call_tell(tl_client_call *call)
{
    call->client->count--;
    if (call->spec.on_done != NULL) {
        call->spec.on_done(call->spec.self, call);
    }
}

void tl_client_call_free(tl_client_call *call)
{
    if (call == NULL) {
        return;
    }
    tl_client *client = call->client;
    TL_ASSERT(!client->is_in_curl);
    for (size_t i = 0; i < TL__CALL_SLOTS; i++) {
        give_up(&call->slots[i]);
    }
    tl__client_untell(client, call);
    if (call->before != NULL) {
        call->before->after = call->after;
    } else {
        client->calls = call->after;
    }
    if (call->after != NULL) {
        call->after->before = call->before;
    }
    call->host->holders--;
    free(call->body);
    tl_arena_free(call->arena);
    free(call);
}

bool tl_client_is_done(const tl_client_call *call)
{
    return call->is_done;
}

const tl_client_answer *tl_client_borrow_answer(const tl_client_call *call)
{
    return call->is_done ? &call->answer : NULL;
}
