/* One turn of a loop: all requests that came whole in it are verified together, what holds is remembered together, and only then
 * does anything run (AXON-1). Keys whose signatures held before are prepared: they cost two thirds. */
#include <stdlib.h>
#include <string.h>

#include "sdk/axon/axon_internal.h"

void tl__verify_add(tl_axon_call *call)
{
    tl__lane *lane = call->lane;
    if (lane->pending_count == lane->pending_cap) {
        const uint32_t cap = lane->pending_cap > 0 ? lane->pending_cap * 2 : TL__AXON_BATCH_MAX;
        tl_axon_call **grown = realloc(lane->pending, cap * sizeof *grown);
        if (grown == NULL) {
            tl__refuse(call, (tl__reason)TL_AUTH_BUSY, 503, TL_STR("There is no memory for it"));
            return;
        }
        lane->pending = grown;
        lane->pending_cap = cap;
    }
    call->state = TL__CALL_PENDING;
    call->pending_index = lane->pending_count;
    lane->pending[lane->pending_count++] = call;
}

void tl__verify_drop(tl_axon_call *call)
{
    TL_ASSERT(call->lane->pending[call->pending_index] == call);
    call->lane->pending[call->pending_index] = NULL;
    call->state = TL__CALL_BODY;
}

/* A batch, and what is known of each of its items. */
typedef struct batch {
    tl_axon_call *calls[TL__AXON_BATCH_MAX];
    tl_auth_verdict verdicts[TL__AXON_BATCH_MAX];
    size_t count;
} batch;

static void out_of_memory(tl_auth_verdict *verdict, const tl_axon_call *call)
{
    tl_auth_refuse_busy(verdict, call->claim.family);
}

/* The signatures of one scheme go together, the rest one by one. */
static void verify_signatures(tl__lane *lane, batch *b)
{
    tl_sr25519_item items[TL__AXON_BATCH_MAX];
    size_t index[TL__AXON_BATCH_MAX];
    bool holds[TL__AXON_BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < b->count; i++) {
        tl_axon_call *call = b->calls[i];
        tl_auth_verdict *verdict = &b->verdicts[i];
        if (!call->has_claim) {
            continue;
        }
        tl_hash32 digest;
        const bool is_hashed = call->claim.family->hashes_body;
        if (is_hashed) {
            tl_sha256_final(&call->body_state, &digest);
        }
        if (tl_auth_message(&call->message, call->arena, &call->claim, is_hashed ? &digest : NULL,
                            NULL) != TL_OK) {
            out_of_memory(verdict, call);
        } else if (call->claim.scheme != tl_scheme_sr25519()) {
            if (tl_auth_verify(verdict, call->arena, &call->claim, call->message, NULL) != TL_OK) {
                out_of_memory(verdict, call);
            }
        } else {
            const uint8_t *key = call->claim.sender.b;
            items[count] = (tl_sr25519_item){key, tl_srkeys_borrow(lane->keys, key), call->message,
                                             call->claim.signature};
            index[count++] = i;
        }
    }
    tl_sr25519_verify_batch(holds, items, count);
    for (size_t i = 0; i < count; i++) {
        tl_axon_call *call = b->calls[index[i]];
        if (tl_auth_judge(&b->verdicts[index[i]], call->arena, &call->claim, call->message,
                          holds[i], NULL) != TL_OK) {
            out_of_memory(&b->verdicts[index[i]], call);
        }
    }
    for (size_t i = 0; i < count; i++) { /* after the batch: what was borrowed may move now */
        if (holds[i] && items[i].key == NULL) {
            tl_srkeys_saw(lane->keys, items[i].public_key);
        }
    }
}

/* A route's own verification stands in place of all of this, its replay rule included. */
static void verify_by_route(batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        tl_axon_call *call = b->calls[i];
        if (call->has_claim) {
            continue;
        }
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_axon_route *spec = &call->route->spec;
        b->verdicts[i] = (tl_auth_verdict){TL_AUTH_OK, {NULL, 0}};
        if (spec->verify(spec->self, call, &ctx) == TL_OK) {
            continue;
        }
        tl_sb sb;
        tl_sb_init(&sb, call->arena);
        tl_sb_put(&sb, tl__is_v10(call) ? TL_STR("Not Verified with error: ") : TL_STR(""));
        tl_sb_put_cstr(&sb, ctx.message);
        b->verdicts[i].kind = tl__is_v10(call) ? TL_AUTH_NOT_VERIFIED : TL_AUTH_SIGNATURE;
        if (tl_sb_finish(&b->verdicts[i].message, &sb, NULL) != TL_OK) {
            b->verdicts[i].message = TL_STR("Not Verified");
        }
    }
}

/* Only what holds is remembered, in the order in which it came. */
static void remember(tl_axon *axon, batch *b)
{
    const tl_auth_mark *marks[TL__AXON_BATCH_MAX];
    size_t index[TL__AXON_BATCH_MAX];
    tl_replay_answer answers[TL__AXON_BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->calls[i]->has_claim && b->verdicts[i].kind == TL_AUTH_OK) {
            marks[count] = &b->calls[i]->claim.mark;
            index[count++] = i;
        }
    }
    if (count == 0) {
        return;
    }
    const int64_t now_ns = tl__now_ns(axon);
    tl_replay_keep_many(axon->replay, answers, marks, count, now_ns);
    for (size_t i = 0; i < count; i++) {
        tl_auth_verdict *verdict = &b->verdicts[index[i]];
        const tl_auth_family *family = b->calls[index[i]]->claim.family;
        tl_series_add(axon->metrics.seen[answers[i]], 1);
        if (answers[i] == TL_REPLAY_SEEN && marks[i]->keep_until_ns < now_ns) {
            tl_auth_refuse_late(verdict, family); /* its body took longer than its window */
        } else if (answers[i] == TL_REPLAY_SEEN) {
            tl_auth_refuse_replayed(verdict, family);
        } else if (answers[i] != TL_REPLAY_FRESH) { /* full, or out of reach */
            tl_auth_refuse_busy(verdict, family);
        }
    }
}

static void verify_batch(tl__lane *lane, batch *b)
{
    tl_axon *axon = lane->axon;
    const int64_t begun_ns = tl__steady_ns(axon);
    verify_signatures(lane, b);
    verify_by_route(b);
    remember(axon, b);
    const double each_s = (double)(tl__steady_ns(axon) - begun_ns) * 1e-9 / (double)b->count;
    tl_series_observe(axon->metrics.verify_batch, (double)b->count);
    tl_series_observe(axon->metrics.verify_seconds, each_s);
    for (size_t i = 0; i < b->count; i++) {
        tl_axon_call *call = b->calls[i];
        call->state = TL__CALL_BODY;
        if (b->verdicts[i].kind != TL_AUTH_OK) {
            tl__refuse_verdict(call, &b->verdicts[i]);
            continue;
        }
        call->caller.is_verified = true; /* AXON-1 */
        tl__admit(call);
    }
}

void tl__verify_turn(void *user, tl_http_loop *loop)
{
    (void)loop;
    tl__lane *lane = user;
    batch b;
    uint32_t at = 0;
    while (at < lane->pending_count) {
        b.count = 0;
        for (; at < lane->pending_count && b.count < TL__AXON_BATCH_MAX; at++) {
            if (lane->pending[at] != NULL) {
                b.calls[b.count++] = lane->pending[at];
                lane->pending[at] = NULL;
            }
        }
        if (b.count > 0) {
            verify_batch(lane, &b);
        }
    }
    lane->pending_count = 0;
    tl__observe_flush(lane);
}
