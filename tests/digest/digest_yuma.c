/* Area yuma: the chain's epoch on the workloads of chain spec 1.11, in its three forms. The spec gives the SHA-256 of
 * what the original program stores; each form must reproduce it before its raw numbers count here. */
#include "core/codec/hex/hex.h"
#include "core/consensus/yuma/test/workload.h"

#include "digest.h"

static void digest_output(digest *d, const tl_yuma_output *y)
{
    for (size_t i = 0; i < y->n; i++) {
        digest_i64(d, y->stake_raw[i]);
        digest_i64(d, y->consensus_raw[i]);
        digest_i64(d, y->incentive_raw[i]);
        digest_i64(d, y->dividends_raw[i]);
        digest_i64(d, y->validator_trust_raw[i]);
        digest_i64(d, y->ranks_raw[i]);
        digest_u64(d, y->emission[i]);
        digest_u64(d, y->validator_permit[i]);
    }
}

static void run_form(digest *d, const yuma_shape *shape, yuma_form form)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    yuma_workload workload;
    tl_yuma_output output;
    DIGEST_OK(yuma_workload_new(&workload, d->arena, shape, form, &ctx), &ctx);
    for (size_t epoch = 0; epoch < YUMA_WORKLOAD_EPOCHS; epoch++) {
        DIGEST_OK(yuma_workload_run(&workload, d->arena, &output, &ctx), &ctx);
        digest_output(d, &output);
    }
    tl_hash32 stored;
    tl_hash32 published;
    yuma_workload_digest(&stored, &output);
    DIGEST_OK(
        tl_hex_decode(published.b, sizeof published.b, tl_str_from_cstr(shape->digest[form]), &ctx),
        &ctx);
    digest_ok(tl_hash32_cmp(&stored, &published) == 0 ? TL_OK : TL_ERR_CHECK, &ctx,
              shape->digest[form]);
    digest_bytes(d, stored.b, sizeof stored.b);
}

void digest_area_yuma(digest *d)
{
    for (int form = 0; form < YUMA_FORM_COUNT; form++) {
        run_form(d, &YUMA_SHAPES[YUMA_SHAPE_CHECK], (yuma_form)form);
        run_form(d, &YUMA_SHAPES[YUMA_SHAPE_256], (yuma_form)form);
    }
}
