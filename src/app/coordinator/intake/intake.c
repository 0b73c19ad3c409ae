/* From the report to the receipt. */
#include "app/coordinator/intake/intake.h"

#include <stdlib.h>

#include "app/coordinator/intake/intake_internal.h"
#include "core/crypto/hash/hash.h"

tl_err tl_intake_folder(tl_str *out, tl_arena *arena, tl_str ss58, tl_str epoch_id, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "data/hotkey=%.*s/epoch=%.*s/", TL_STR_ARG(ss58), TL_STR_ARG(epoch_id));
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err get_metadata(tl_intake *intake, tl_str *out, tl_arena *scratch,
                           const tl_intake_claim *claim, tl_errctx *ctx)
{
    tl_str folder;
    tl_str key;
    tl_bytes bytes;
    tl_sb sb;
    TL_TRY(tl_intake_folder(&folder, scratch, claim->ss58, claim->epoch_id, ctx));
    tl_sb_init(&sb, scratch);
    tl_sb_put(&sb, folder);
    tl_sb_put_cstr(&sb, "metadata.json");
    TL_TRY(tl_sb_finish(&key, &sb, ctx));
    TL_TRY(tl_objects_get(intake->objects, &bytes, scratch, key, TL_INTAKE_METADATA_LEN_MAX, ctx));
    *out = (tl_str){(const char *)bytes.ptr, bytes.len};
    return TL_OK;
}

/* Every object, and metadata.json itself, at the places that their hashes name. */
static tl_err keep_objects(tl_intake *intake, tl_record_submission *submission, tl_arena *scratch,
                           tl_errctx *ctx)
{
    tl_objects_keep_item *items = TL_NEW(scratch, tl_objects_keep_item, submission->object_count);
    if (items == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < submission->object_count; i++) {
        items[i] = (tl_objects_keep_item){.key = submission->objects[i].key,
                                          .sha256 = submission->objects[i].sha256,
                                          .bytes = submission->objects[i].bytes};
    }
    TL_TRY(tl_objects_keep_many(intake->objects, items, submission->object_count, ctx));
    return tl_objects_keep_bytes(intake->objects, &submission->content_hash, submission->metadata,
                                 ctx);
}

tl_err tl_intake_take(tl_intake *intake, tl_intake_ack *out, tl_arena *scratch,
                      const tl_intake_claim *claim, tl_errctx *ctx)
{
    tl_str metadata;
    tl_record_submission submission = {.epoch_id = claim->epoch_id,
                                       .hotkey = claim->hotkey,
                                       .coldkey = claim->coldkey,
                                       .uid = claim->uid,
                                       .received_ms = claim->received_ms,
                                       .correlation = claim->correlation};
    TL_TRY(get_metadata(intake, &metadata, scratch, claim, ctx));
    TL_TRY(tl_intake_read(&submission.objects, &submission.object_count, scratch, metadata, claim,
                          ctx)); /* TAKE-3 */
    submission.metadata = tl_str_bytes(metadata);
    TL_TRY(keep_objects(intake, &submission, scratch, ctx)); /* TAKE-1: copies first … */
    tl_hash32 content_hash;
    tl_sha256(&content_hash, metadata.ptr, metadata.len);
    TL_ASSERT(tl_hash32_cmp(&content_hash, &submission.content_hash) == 0);
    TL_TRY(tl__intake_write(intake, &out->receipt, &submission, claim->status,
                            ctx)); /* … then the row */
    out->object_count = submission.object_count;
    return TL_OK;
}

tl_err tl_intake_new(tl_intake **out, const tl_sql_options *sql, tl_objects *objects,
                     tl_errctx *ctx)
{
    tl_intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the intake");
    }
    intake->objects = objects;
    const tl_err err = tl__intake_group_start(intake, sql, ctx);
    if (err != TL_OK) {
        tl_intake_free(intake);
        return err;
    }
    *out = intake;
    return TL_OK;
}

void tl_intake_free(tl_intake *intake)
{
    if (intake != NULL) {
        tl__intake_group_stop(intake);
        free(intake);
    }
}
