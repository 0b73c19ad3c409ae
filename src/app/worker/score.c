/* score.c: one shard from the tables and the kept objects. */
#include <string.h>

#include "app/worker/worker.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"

#define OBJECT_LEN_MAX ((size_t)65 << 20)

static tl_err read_params(tl_listings_params *out, tl_arena *arena, const tl_record_epoch *epoch,
                          tl_errctx *ctx)
{
    const tl_json *given = NULL;
    const tl_str text = {(const char *)epoch->parameters.ptr, epoch->parameters.len};
    tl_listings_params_default(out);
    if (text.len == 0) {
        return TL_OK;
    }
    TL_TRY(tl_json_parse(&given, arena, text, NULL, ctx));
    return given->kind == TL_JSON_OBJECT ? tl_listings_params_read(out, given, ctx) : TL_OK;
}

static tl_err find_place(tl_place *out, tl_records *records, tl_arena *arena, tl_str epoch_id,
                         tl_str zipcode, tl_errctx *ctx)
{
    const tl_record_assignment *all = NULL;
    size_t count = 0;
    TL_TRY(tl_records_assignments(records, &all, &count, epoch_id, arena, ctx));
    for (size_t i = 0; i < count; i++) {
        if (tl_str_eq(all[i].zipcode, zipcode) && zipcode.len < sizeof out->zipcode) {
            *out = (tl_place){.expected = all[i].expected,
                              .city = all[i].city,
                              .state = all[i].state,
                              .county = all[i].county};
            memcpy(out->zipcode, zipcode.ptr, zipcode.len);
            return TL_OK;
        }
    }
    return tl_fail(ctx, TL_ERR_NOT_FOUND, "the epoch did not ask for zipcode %.*s",
                   TL_STR_ARG(tl_str_slice(zipcode, 0, 16)));
}

static tl_err ss58_of(tl_str *out, tl_arena *arena, const tl_hotkey *key, tl_errctx *ctx)
{
    char text[TL_SS58_CAP];
    const size_t len = tl_ss58_encode(text, key, TL_SS58_PREFIX_GENERIC);
    return tl_str_copy(out, arena, (tl_str){text, len}, ctx);
}

static tl_err read_entry(tl_scoring_entry *out, tl_arena *arena, const tl_record_submission *from,
                         tl_errctx *ctx)
{
    tl_scoring_object *objects = TL_NEW(arena, tl_scoring_object, from->object_count);
    if (objects == NULL && from->object_count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < from->object_count; i++) {
        objects[i] = (tl_scoring_object){from->objects[i].sha256, from->objects[i].bytes};
    }
    *out = (tl_scoring_entry){.content_hash = from->content_hash,
                              .received_ms = from->received_ms,
                              .objects = objects,
                              .object_count = from->object_count};
    TL_TRY(ss58_of(&out->hotkey, arena, &from->hotkey, ctx));
    return ss58_of(&out->coldkey, arena, &from->coldkey, ctx);
}

static tl_err read_entries(tl_scoring_job *job, tl_records *records, tl_arena *arena,
                           tl_str zipcode, tl_errctx *ctx)
{
    const tl_record_submission *from = NULL;
    size_t count = 0;
    TL_TRY(tl_records_entries(records, &from, &count, job->epoch_id, zipcode, arena, ctx));
    tl_scoring_entry *entries = TL_NEW(arena, tl_scoring_entry, count);
    if (entries == NULL && count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        TL_TRY(read_entry(&entries[i], arena, &from[i], ctx));
    }
    job->entries = entries;
    job->entry_count = count;
    return TL_OK;
}

typedef struct fetching {
    tl_objects *objects;
    const tl_scoring_job *job;
} fetching;

static tl_err fetch(void *self, tl_bytes *out, size_t entry, size_t object, tl_arena *arena,
                    tl_errctx *ctx)
{
    const fetching *f = (const fetching *)self;
    char key[TL_OBJECTS_KEPT_KEY_LEN + 1];
    TL_TRY(tl_sys_check_interrupt(ctx)); /* WORK-2 */
    tl_objects_kept_key(key, &f->job->entries[entry].objects[object].sha256);
    return tl_objects_get(f->objects, out, arena, tl_str_from_cstr(key), OBJECT_LEN_MAX, ctx);
}

tl_err tl_worker_score(tl_str *document, tl_arena *arena, tl_records *records, tl_objects *objects,
                       const tl_places *places, tl_str epoch_id, tl_str zipcode, tl_errctx *ctx)
{
    tl_record_epoch epoch;
    tl_listings_params params;
    tl_place place;
    tl_hash32 inputs;
    tl_scoring_result result;
    TL_TRY(tl_records_get_epoch(records, &epoch, epoch_id, arena, ctx));
    if (epoch.beacon.len == 0) {
        return tl_fail(ctx, TL_ERR_STATE, "the beacon of %.*s is not fixed", TL_STR_ARG(epoch.id));
    }
    tl_scoring_job job = {.params = &params,
                          .places = places,
                          .epoch_id = epoch.id,
                          .start_ms = epoch.start_ms,
                          .deadline_ms = epoch.end_ms + epoch.extended_ms,
                          .beacon = epoch.beacon,
                          .place = &place};
    fetching f = {objects, &job};
    TL_TRY(read_params(&params, arena, &epoch, ctx));
    TL_TRY(find_place(&place, records, arena, epoch.id, zipcode, ctx));
    TL_TRY(read_entries(&job, records, arena, zipcode, ctx));
    TL_TRY(tl_scoring_digest(&inputs, &job, ctx));
    TL_TRY(tl_scoring_run(&result, arena, &job, fetch, &f, ctx));
    return tl_scoring_write(document, arena, &inputs, &result, ctx);
}

tl_err tl_worker_result_key(tl_str *out, tl_arena *arena, tl_str epoch_id, tl_str zipcode,
                            tl_str document, tl_errctx *ctx)
{
    tl_hash32 hash;
    tl_sb sb;
    tl_sha256(&hash, document.ptr, document.len);
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "shards/");
    tl_sb_put(&sb, epoch_id);
    tl_sb_put_char(&sb, '/');
    tl_sb_put(&sb, zipcode);
    tl_sb_put_char(&sb, '/');
    tl_hex_encode(&sb, &hash, sizeof hash);
    tl_sb_put_cstr(&sb, ".json");
    return tl_sb_finish(out, &sb, ctx);
}
