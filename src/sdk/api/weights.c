/* Weights. */
#include "sdk/weights/weights.h"

#include "sdk/api/api_internal.h"

int tally_weights_normalize(float *out, const float *weights, size_t count, double limit,
                            tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *scratch = NULL;
    tl_err err = tl_arena_new(&scratch, NULL, 0, NULL, &ctx);
    if (err == TL_OK) {
        err = tl_weights_normalize(out, weights, count, limit, scratch, &ctx);
    }
    tl_arena_free(scratch);
    return tl__api_error(err, &ctx, error);
}

int tally_weights_emit(uint16_t *out_uids, uint16_t *out_values, size_t *out_count,
                       const int64_t *uids, const float *weights, size_t count, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    return tl__api_error(
        tl_weights_emit(out_uids, out_values, out_count, uids, weights, count, &ctx), &ctx, error);
}
