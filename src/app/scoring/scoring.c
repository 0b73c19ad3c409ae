/* A shard from its objects to its sheets. */
#include "app/scoring/scoring.h"

#include <string.h>

#include "core/crypto/hash/hash.h"

#define MINERS_LEN_MAX ((size_t)1 << 31) /* of two */

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

/* Up to two submissions whose objects are held against their hashes side by side. */
typedef struct pair {
    size_t index[2];
    size_t count;
    tl_bytes *objects[2];
} pair;

static tl_err check_object(const tl_scoring_object *want, tl_bytes found, const tl_hash32 *hash,
                           tl_errctx *ctx)
{
    return found.len == want->bytes && tl_hash32_cmp(hash, &want->sha256) == 0
               ? TL_OK
               : tl_fail(ctx, TL_ERR_CORRUPT, "an object is not what its hash says"); /* SCORE-2 */
}

/* The object of that number of each submission that has one. */
static tl_err fetch_objects(pair *p, const tl_scoring_job *job, size_t number,
                            tl_scoring_fetch fetch, void *self, tl_arena *arena, tl_errctx *ctx)
{
    tl_bytes found[2] = {{NULL, 0}, {NULL, 0}};
    tl_hash32 hashes[2];
    for (size_t k = 0; k < p->count; k++) {
        if (number < job->entries[p->index[k]].object_count) {
            TL_TRY(fetch(self, &found[k], p->index[k], number, arena, ctx));
        }
    }
    tl_sha256_two(hashes, found[0], found[1]);
    for (size_t k = 0; k < p->count; k++) {
        const tl_scoring_entry *const from = &job->entries[p->index[k]];
        if (number < from->object_count) {
            TL_TRY(check_object(&from->objects[number], found[k], &hashes[k], ctx));
            p->objects[k][number] = found[k];
        }
    }
    return TL_OK;
}

static tl_err fetch_pair(pair *p, const tl_scoring_job *job, tl_scoring_fetch fetch, void *self,
                         tl_arena *arena, tl_errctx *ctx)
{
    size_t most = 0;
    for (size_t k = 0; k < p->count; k++) {
        const size_t count = job->entries[p->index[k]].object_count;
        most = count > most ? count : most;
        p->objects[k] = TL_NEW(arena, tl_bytes, count);
        if (p->objects[k] == NULL) {
            return tl_arena_fail(arena, ctx);
        }
    }
    for (size_t i = 0; i < most; i++) {
        TL_TRY(fetch_objects(p, job, i, fetch, self, arena, ctx));
    }
    return TL_OK;
}

static tl_err add_pair(tl_shard *shard, const tl_scoring_job *job, pair *p, tl_scoring_fetch fetch,
                       void *self, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, MINERS_LEN_MAX, NULL, ctx));
    tl_err err = fetch_pair(p, job, fetch, self, arena, ctx);
    for (size_t k = 0; err == TL_OK && k < p->count; k++) {
        const tl_scoring_entry *const from = &job->entries[p->index[k]];
        const tl_shard_entry entry = {.hotkey = from->hotkey,
                                      .coldkey = from->coldkey,
                                      .content_hash = from->content_hash,
                                      .received_ms = from->received_ms,
                                      .objects = p->objects[k],
                                      .object_count = from->object_count};
        err = tl_shard_add(shard, &entry, arena, ctx);
    }
    tl_arena_free(arena);
    return err;
}

/* All submissions that have objects, two at a time. */
static tl_err add_all(tl_shard *shard, const tl_scoring_job *job, tl_scoring_fetch fetch,
                      void *self, tl_errctx *ctx)
{
    pair p = {.count = 0};
    for (size_t i = 0; i < job->entry_count; i++) {
        if (job->entries[i].object_count > 0) {
            p.index[p.count++] = i;
        }
        if (p.count == 2) {
            TL_TRY(add_pair(shard, job, &p, fetch, self, ctx));
            p.count = 0;
        }
    }
    return p.count > 0 ? add_pair(shard, job, &p, fetch, self, ctx) : TL_OK;
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
    TL_TRY(add_all(shard, job, fetch, self, ctx));
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
