/* v10: a typed message, its identity in headers and body, its figures signed (wire spec sections 1.2, 1.3, 1.6). */
#include <string.h>

#include "base/map/map.h"
#include "sdk/dendrite/dendrite_internal.h"

/* This target's copy: the fields' values are never changed in place, so they are shared. */
tl_err tl__v10_begin(tl__ask *ask, tl_errctx *ctx)
{
    tl_arena *arena = ask->batch->arena;
    const tl_synapse *asked = ask->batch->query->synapse;
    const size_t count = asked->def->model.field_count;
    TL_TRY(tl_synapse_new(&ask->synapse, arena, asked->def, ctx));
    for (size_t i = 0; i < count; i++) {
        ask->synapse->fields[i] = asked->fields[i];
    }
    return TL_OK;
}

/* An axon wants the nonces of one hotkey and uuid to rise, and two requests at once overtake each other on their way: the
 * first target of each hotkey is asked under the dendrite's uuid, another of the same hotkey under one of its own. */
tl_err tl__v10_name(tl__batch *batch)
{
    const tl_dendrite *d = batch->dendrite;
    tl_map seen;
    tl_str uuid = {NULL, 0};
    tl_map_init(&seen, batch->arena);
    /* copies: the replies show who asked, and outlive the dendrite */
    TL_TRY(tl_str_copy(&uuid, batch->arena, tl_dendrite_uuid(d), batch->ctx));
    TL_TRY(tl_str_copy(&batch->ip, batch->arena, d->options.ip, batch->ctx));
    TL_TRY(tl_str_copy(&batch->hotkey, batch->arena, tl_str_from_cstr(d->hotkey), batch->ctx));
    for (size_t i = 0; i < batch->count; i++) {
        tl_map_entry *entry = NULL;
        TL_TRY(tl_map_slot(&entry, &seen, tl_str_bytes(batch->targets[i].hotkey), batch->ctx));
        batch->asks[i].uuid = uuid;
        if (entry->value != NULL) {
            char fresh[TL__UUID_CAP];
            TL_TRY(tl__dendrite_make_uuid(fresh, batch->dendrite, batch->ctx));
            TL_TRY(tl_str_copy(&batch->asks[i].uuid, batch->arena, tl_str_from_cstr(fresh),
                               batch->ctx));
        }
        entry->value = &batch->asks[i];
    }
    return TL_OK;
}

static tl_err fill(tl__ask *ask, tl_str nonce, const tl_http_headers *signed_headers)
{
    tl__batch *batch = ask->batch;
    const tl_dendrite *d = batch->dendrite;
    const tl_dendrite_target *target = ask->reply->target;
    const tl_http_header *signature =
        tl_http_find(*signed_headers, TL_STR("bt_header_dendrite_signature"));
    tl_synapse *s = ask->synapse;
    int64_t figure = 0;
    TL_ASSERT(signature != NULL && tl_str_parse_i64(&figure, nonce));
    s->timeout = tl_value_from_f64(batch->timeout_s);
    s->axon = (tl_terminal){.ip = tl_value_from_str(target->host),
                            .port = tl_value_from_i64(target->port),
                            .hotkey = tl_value_from_str(target->hotkey)};
    s->dendrite = (tl_terminal){.ip = tl_value_from_str(batch->ip),
                                .version = tl_value_from_i64(d->options.version),
                                .nonce = tl_value_from_i64(figure),
                                .uuid = tl_value_from_str(ask->uuid),
                                .hotkey = tl_value_from_str(batch->hotkey),
                                .signature = tl_value_from_str(signature->value)};
    return TL_OK;
}

static tl_err put_headers(tl_http_headers *out, tl_arena *arena, tl_synapse *synapse,
                          tl_errctx *ctx)
{
    tl_http_headers own = {NULL, 0};
    TL_TRY(tl_synapse_put_headers(&own, arena, synapse, ctx));
    tl_http_header *all = TL_NEW(arena, tl_http_header, own.count + 2);
    if (all == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(all, own.at, own.count * sizeof *all);
    all[own.count] = (tl_http_header){TL_STR("Accept"), TL_STR("*/*")};
    all[own.count + 1] = (tl_http_header){TL_STR("Content-Type"), TL_STR("application/json")};
    *out = (tl_http_headers){all, own.count + 2};
    return TL_OK;
}

tl_err tl__v10_prepare(tl__ask *ask, tl_client_attempt *attempt, tl_errctx *ctx)
{
    tl__batch *batch = ask->batch;
    tl_dendrite *d = batch->dendrite;
    tl_arena *arena = attempt->arena;
    tl_arena *kept = batch->arena; /* the reply's message shows what was signed */
    tl_sb sb;
    tl_str nonce = {NULL, 0};
    tl_http_headers signed_headers = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_put_i64(&sb, tl__dendrite_nonce(d));
    TL_TRY(tl_sb_finish(&nonce, &sb, ctx));
    const tl_auth_outgoing what = {
        .receiver = ask->reply->target->hotkey,
        .nonce = nonce,
        .uuid = ask->uuid,
        .body_hash = tl_str_from_cstr(batch->body_hash),
    };
    TL_TRY(tl_auth_sign(&signed_headers, kept, batch->query->family, d->options.key, &what,
                        &d->options.entropy, ctx));
    TL_TRY(fill(ask, nonce, &signed_headers));
    TL_TRY(put_headers(&attempt->request.headers, arena, ask->synapse, ctx));
    tl_str body = {NULL, 0};
    TL_TRY(tl_synapse_request_body(&body, arena, ask->synapse, ctx));
    attempt->request.body = tl_str_bytes(body);
    return TL_OK;
}
