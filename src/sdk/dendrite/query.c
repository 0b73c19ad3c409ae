/* A query: begun for every target, driven until each has its reply. */
#include <math.h>
#include <string.h>

#include "io/sys/sys.h"
#include "sdk/dendrite/dendrite_internal.h"

/* --- before it starts --- */

static tl_err check_v10(tl__batch *batch)
{
    const tl_dendrite_query *q = batch->query;
    if (q->synapse == NULL) {
        return tl_fail_field(batch->ctx, TL_ERR_MISSING, "synapse", "no message to send");
    }
    tl_sb sb;
    tl_sb_init(&sb, batch->arena);
    tl_sb_put_char(&sb, '/');
    tl_sb_put(&sb, q->synapse->def->model.name);
    TL_TRY(tl_sb_finish(&batch->path, &sb, batch->ctx));
    return tl_synapse_body_hash(batch->body_hash, q->synapse, batch->arena, batch->ctx);
}

tl_err tl__query_check(tl__batch *batch)
{
    const tl_dendrite_query *q = batch->query;
    TL_ASSERT(q->family != NULL);
    batch->timeout_s =
        q->timeout_s > 0.0 || q->timeout_s < 0.0 ? q->timeout_s : TL_DENDRITE_TIMEOUT_S;
    batch->body_len_max = q->body_len_max != 0 ? q->body_len_max : TL_CLIENT_BODY_LEN;
    if (!(batch->timeout_s >= 0.001 && batch->timeout_s <= TL_DENDRITE_TIMEOUT_S_MAX)) {
        return tl_fail_field(batch->ctx, TL_ERR_RANGE, "timeout",
                             "timeout is not within 0.001 to %d seconds",
                             (int)TL_DENDRITE_TIMEOUT_S_MAX);
    }
    const tl_scheme *scheme = tl_keypair_scheme(batch->dendrite->options.key);
    if (q->family->id != TL_AUTH_BTAUTH && scheme != tl_scheme_sr25519()) {
        return tl_fail_field(batch->ctx, TL_ERR_REFUSED, "key", "%s signs by sr25519, not by %s",
                             q->family->id == TL_AUTH_V10 ? "v10" : "Epistula", scheme->name);
    }
    if (batch->count > TL_DENDRITE_TARGETS_MAX) {
        return tl_fail_field(batch->ctx, TL_ERR_LIMIT, "targets", "%zu targets, above %u",
                             batch->count, TL_DENDRITE_TARGETS_MAX);
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->targets[i].hotkey.len == 0 && tl__is_v10(q)) {
            return tl_fail_field(batch->ctx, TL_ERR_MISSING, "hotkey",
                                 "target %zu has no hotkey, which v10 signs for", i);
        }
    }
    if (tl__is_v10(q)) {
        return check_v10(batch);
    }
    tl_sha256(&batch->body_sha256, q->body.ptr, q->body.len);
    batch->path = q->target.len > 0 ? q->target : TL_STR("/");
    return TL_OK;
}

/* --- callbacks of the client --- */

static tl_err prepare(void *self, tl_client_attempt *attempt, tl_errctx *ctx)
{
    tl__ask *ask = (tl__ask *)self;
    tl__batch *batch = ask->batch;
    if (ask->started_ns == 0) {
        ask->started_ns = tl_clock_steady_ns(&batch->dendrite->options.clock);
    }
    return tl__is_v10(batch->query) ? tl__v10_prepare(ask, attempt, ctx)
                                    : tl__raw_prepare(ask, attempt, ctx);
}

static bool hand_out(void *self, tl_bytes chunk)
{
    const tl__ask *ask = (const tl__ask *)self;
    const tl_dendrite_query *q = ask->batch->query;
    return q->on_chunk(q->self, ask->reply->index, chunk);
}

static void settle(tl__ask *ask)
{
    tl__batch *batch = ask->batch;
    TL_ASSERT(batch->left > 0); /* DEND-3 */
    batch->left--;
    if (batch->err != TL_OK) {
        return;
    }
    if (batch->query->on_reply != NULL) {
        batch->query->on_reply(batch->query->self, ask->reply);
    }
    if (batch->on_reply != NULL) {
        batch->on_reply(batch->self, batch, ask->reply);
    }
}

static void end(void *self, tl_client_call *call)
{
    tl__ask *ask = (tl__ask *)self;
    tl__batch *batch = ask->batch;
    const tl_client_answer *answer = tl_client_borrow_answer(call);
    ask->call = NULL;
    if (batch->err == TL_OK) {
        batch->err = tl__reply_from_answer(ask, answer, batch->ctx);
    }
    const bool is_kept = batch->err == TL_OK && batch->query->is_cached && ask->reply->is_ok &&
                         batch->dendrite->cache != NULL && !tl__is_stream(batch->query) &&
                         batch->query->on_chunk == NULL;
    if (is_kept) {
        tl__cache_put(batch->dendrite->cache, &ask->key,
                      tl_clock_steady_ns(&batch->dendrite->options.clock), answer->status,
                      answer->headers, answer->body);
    }
    tl_client_call_free(call);
    settle(ask);
}

/* --- beginning --- */

static uint32_t to_ms(double seconds)
{
    return (uint32_t)ceil(seconds * 1000.0);
}

static tl_err begin_call(tl__ask *ask)
{
    tl__batch *batch = ask->batch;
    const tl_dendrite_query *q = batch->query;
    const tl_dendrite_target *target = ask->reply->target;
    const tl_client_spec spec = {
        .request = {.is_tls = target->is_tls,
                    .host = target->host,
                    .port = target->port,
                    .method = q->method.len > 0 && !tl__is_v10(q) ? q->method : TL_STR("POST"),
                    .target = batch->path,
                    .headers = tl__is_v10(q) ? (tl_http_headers){NULL, 0} : q->headers,
                    .body = tl__is_v10(q) ? (tl_bytes){NULL, 0} : q->body},
        .timeout_ms = to_ms(batch->timeout_s),
        .body_len_max = batch->body_len_max,
        .is_repeatable = q->retry.retries_max > 0 || q->hedge_ms > 0, /* signed anew: DEND-2 */
        .retry = q->retry,
        .hedge_ms = q->hedge_ms,
        .self = ask,
        .prepare = prepare,
        .on_chunk = q->on_chunk != NULL && (tl__is_stream(q) || !tl__is_v10(q)) ? hand_out : NULL,
        .on_done = end,
    };
    return tl_client_start(&ask->call, batch->dendrite->client, &spec, batch->ctx);
}

static tl_err begin(tl__ask *ask)
{
    tl__batch *batch = ask->batch;
    const tl_dendrite *d = batch->dendrite;
    if (tl__is_v10(batch->query)) {
        TL_TRY(tl__v10_begin(ask, batch->ctx));
    }
    if (batch->is_stopped) { /* the cache has already answered enough */
        const tl_client_answer none = {.fault = TL_CLIENT_CANCELLED, .why = ""};
        TL_TRY(tl__reply_from_answer(ask, &none, batch->ctx));
        settle(ask);
        return batch->err;
    }
    if (batch->query->is_cached && d->cache != NULL) {
        TL_TRY(tl__cache_key(&ask->key, batch, ask->reply->target, batch->ctx));
        const tl__cached *entry =
            tl__cache_get(d->cache, &ask->key, tl_clock_steady_ns(&d->options.clock),
                          (int64_t)d->options.cache_ms);
        if (entry != NULL) {
            TL_TRY(tl__cache_answer(ask, entry, false, batch->ctx));
            settle(ask);
            return batch->err;
        }
    }
    const tl_err err = begin_call(ask);
    if (err != TL_OK) {
        tl_errctx_wrap(batch->ctx, "target %zu", ask->reply->index);
    }
    return err;
}

static tl_err begin_all(tl__batch *batch)
{
    batch->asks = TL_NEW(batch->arena, tl__ask, batch->count);
    if (batch->asks == NULL) {
        return tl_arena_fail(batch->arena, batch->ctx);
    }
    batch->left = batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        batch->replies[i] = (tl_dendrite_reply){.index = i, .target = &batch->targets[i]};
        batch->asks[i] = (tl__ask){.batch = batch, .reply = &batch->replies[i]};
    }
    if (tl__is_v10(batch->query)) {
        TL_TRY(tl__v10_name(batch));
    }
    for (size_t i = 0; i < batch->count; i++) {
        TL_TRY(begin(&batch->asks[i]));
    }
    return TL_OK;
}

/* --- the whole --- */

static tl_err drive(tl__batch *batch)
{
    while (batch->left > 0 && batch->err == TL_OK) {
        TL_TRY(tl_sys_check_interrupt(batch->ctx));
        TL_TRY(tl_client_step(batch->dendrite->client, 1000, batch->ctx));
    }
    return batch->err;
}

void tl__batch_stop(tl__batch *batch)
{
    batch->is_stopped = true;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->asks[i].call != NULL) {
            tl_client_cancel(batch->asks[i].call);
        }
    }
}

tl_err tl__batch_run(tl__batch *batch)
{
    TL_TRY(tl__query_check(batch));
    tl_err err = begin_all(batch);
    if (err == TL_OK) {
        err = drive(batch);
    }
    for (size_t i = 0; batch->asks != NULL && i < batch->count; i++) {
        tl_client_call_free(batch->asks[i].call);
    }
    TL_ASSERT(err != TL_OK || batch->left == 0); /* DEND-3 */
    return err;
}

tl_err tl_dendrite_ask_all(tl_dendrite *dendrite, tl_arena *arena, tl_dendrite_reply *replies,
                           const tl_dendrite_target *targets, size_t count,
                           const tl_dendrite_query *query, tl_errctx *ctx)
{
    tl__batch batch = {
        .dendrite = dendrite,
        .arena = arena,
        .replies = replies,
        .targets = targets,
        .count = count,
        .query = query,
        .ctx = ctx,
    };
    return tl__batch_run(&batch);
}
