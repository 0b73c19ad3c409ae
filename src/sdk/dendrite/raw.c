/* btauth/1 and Epistula: any request, signed by headers (wire spec sections 9.1, 9.2, 9.7). */
#include <string.h>

#include "sdk/dendrite/dendrite_internal.h"

tl_err tl__raw_prepare(tl__ask *ask, tl_client_attempt *attempt, tl_errctx *ctx)
{
    tl__batch *batch = ask->batch;
    tl_dendrite *d = batch->dendrite;
    const tl_dendrite_query *q = batch->query;
    tl_http_headers own = {NULL, 0};
    /* DEND-4: what is signed are the views that the client sends. */
    const tl_auth_outgoing what = {
        .method = attempt->request.method,
        .target = attempt->request.target,
        .body_sha256 = batch->body_sha256,
        .receiver = ask->reply->target->hotkey,
        .now_ns = tl__dendrite_nonce(d),
    };
    TL_TRY(tl_auth_sign(&own, attempt->arena, q->family, d->options.key, &what, &d->options.entropy,
                        ctx));
    tl_http_header *all = TL_NEW(attempt->arena, tl_http_header, own.count + q->headers.count);
    if (all == NULL) {
        return tl_arena_fail(attempt->arena, ctx);
    }
    for (size_t i = 0; i < q->headers.count; i++) {
        all[i] = q->headers.at[i];
    }
    memcpy(all + q->headers.count, own.at, own.count * sizeof *all);
    attempt->request.headers = (tl_http_headers){all, own.count + q->headers.count};
    return TL_OK;
}
