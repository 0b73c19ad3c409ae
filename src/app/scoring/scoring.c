/* A shard from its objects to its sheets. */
#include "app/scoring/scoring.h"

#include <string.h>

#include "core/crypto/hash/hash.h"

#define MINER_LEN_MAX ((size_t)1 << 30)

tl_place tl_scoring_place(const tl_scoring_job *job)
{
    const tl_place *told = job->place;
    const tl_place *known =
        job->places != NULL ? tl_place_find(job->places, tl_str_from_cstr(told->zipcode)) : NULL;
    tl_place place = *told;
    place.latitude_e4 = 0;
    place.longitude_e4 = 0;
    if (known != NULL && tl_str_eq(known->city, told->city) &&
        tl_str_eq(known->state, told->state)) {
        place = *known;
        place.expected = told->expected;
    }
    return place;
}

static tl_err fetch_one(tl_bytes *out, const tl_scoring_job *job, size_t entry, size_t object,
                        tl_scoring_fetch fetch, void *self, tl_arena *arena, tl_errctx *ctx)
{
    const tl_scoring_object *want = &job->entries[entry].objects[object];
    tl_hash32 found;
    TL_TRY(fetch(self, out, entry, object, arena, ctx));
    tl_sha256(&found, out->ptr, out->len);
    return out->len == want->bytes && tl_hash32_cmp(&found, &want->sha256) == 0
               ? TL_OK
               : tl_fail(ctx, TL_ERR_CORRUPT, "an object is not what its hash says"); /* SCORE-2 */
}

static tl_err add_entry(tl_shard *shard, const tl_scoring_job *job, size_t index,
                        tl_scoring_fetch fetch, void *self, tl_errctx *ctx)
{
    const tl_scoring_entry *from = &job->entries[index];
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, MINER_LEN_MAX, NULL, ctx));
    tl_bytes *objects = TL_NEW(arena, tl_bytes, from->object_count);
    tl_err err = objects == NULL ? tl_arena_fail(arena, ctx) : TL_OK;
    for (size_t i = 0; err == TL_OK && i < from->object_count; i++) {
        err = fetch_one(&objects[i], job, index, i, fetch, self, arena, ctx);
    }
    if (err == TL_OK) {
        const tl_shard_entry entry = {.hotkey = from->hotkey,
                                      .coldkey = from->coldkey,
                                      .content_hash = from->content_hash,
                                      .received_ms = from->received_ms,
                                      .objects = objects,
                                      .object_count = from->object_count};
        err = tl_shard_add(shard, &entry, arena, ctx);
    }
    tl_arena_free(arena);
    return err;
}

tl_err tl_scoring_run(tl_scoring_result *out, tl_arena *arena, const tl_scoring_job *job,
                      tl_scoring_fetch fetch, void *self, tl_errctx *ctx)
{
    tl_shard *shard = NULL;
    tl_shard_result result;
    const tl_place place = tl_scoring_place(job);
    const tl_shard_context context = {.params = job->params,
                                      .epoch_id = job->epoch_id,
                                      .start_ms = job->start_ms,
                                      .deadline_ms = job->deadline_ms,
                                      .beacon = job->beacon,
                                      .place = &place,
                                      .places = job->places,
                                      .expected = place.expected,
                                      .wants_identities = true};
    TL_TRY(tl_shard_new(&shard, arena, &context, ctx));
    for (size_t i = 0; i < job->entry_count; i++) {
        if (job->entries[i].object_count > 0) {
            TL_TRY(add_entry(shard, job, i, fetch, self, ctx));
        }
    }
    TL_TRY(tl_shard_finish(shard, &result, ctx));
    *out = (tl_scoring_result){.sheets = result.sheets,
                               .count = result.count,
                               .identities = result.identities,
                               .listings = result.listings};
    return TL_OK;
}

static bool is_among(const uint64_t *traps, size_t count, uint64_t identity)
{
    size_t from = 0;
    size_t to = count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (traps[middle] == identity) {
            return true;
        }
        if (traps[middle] < identity) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return false;
}

tl_err tl_scoring_hits(tl_shard_hits *out, tl_arena *arena, const tl_scoring_result *result,
                       size_t sheet, const uint64_t *traps, size_t trap_count, tl_errctx *ctx)
{
    const uint64_t *identities = result->identities[sheet];
    const uint32_t rows = identities != NULL ? result->sheets[sheet].rows : 0;
    size_t count = 0;
    for (uint32_t i = 0; i < rows; i++) {
        count += is_among(traps, trap_count, identities[i]);
    }
    uint32_t *indices = TL_NEW(arena, uint32_t, count);
    if (indices == NULL && count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    size_t found = 0;
    for (uint32_t i = 0; i < rows && found < count; i++) {
        if (is_among(traps, trap_count, identities[i])) {
            indices[found++] = i;
        }
    }
    *out = (tl_shard_hits){indices, count};
    return TL_OK;
}
