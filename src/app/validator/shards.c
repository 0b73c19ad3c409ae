/* shards.c: one zipcode after the other on the pool: the world is looked at, objects are fetched and verified, sheets are
 * made, samples judged. What a shard holds at a time is one miner's objects. */
#include <string.h>

#include "app/validator/validator_internal.h"
#include "base/vec/vec.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/shard/shard.h"

/* What a thread of the pool has of its own. */
typedef struct worker {
    tl_source *source;
    tl_caller *caller;
} worker;

typedef struct job {
    tl__epoch *e;
    worker *workers;
} job;

static tl_err fetch(tl_bytes *out, tl_caller *caller, const tl__object *object, tl_arena *arena,
                    tl_errctx *ctx)
{
    tl_hash32 found;
    tl_caller_answer answer;
    const tl_caller_request request = {
        .target = object->url, .is_repeatable = true, .answer_len_max = (size_t)65 << 20};
    TL_TRY(tl_caller_want(caller, &answer, arena, &request, ctx));
    tl_sha256(&found, answer.body.ptr, answer.body.len);
    if (answer.body.len != object->bytes || tl_hash32_cmp(&found, &object->sha256) != 0) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "an object is not what its hash says"); /* VAL-2 */
    }
    *out = answer.body;
    return TL_OK;
}

static tl_err add_submission(tl_shard *shard, const tl__epoch *e, const tl__submission *s,
                             const char *zipcode, const worker *self, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_vec objects;
    TL_TRY(tl_arena_new(&arena, NULL, (size_t)1 << 30, NULL, ctx));
    tl_vec_init(&objects, arena, sizeof(tl_bytes));
    tl_err err = TL_OK;
    for (size_t i = 0; err == TL_OK && i < s->object_count; i++) {
        if (memcmp(s->objects[i].zipcode, zipcode, 5) != 0) {
            continue;
        }
        tl_bytes *slot = (tl_bytes *)tl_vec_push(&objects);
        err = slot == NULL ? tl_arena_fail(arena, ctx)
                           : fetch(slot, self->caller, &s->objects[i], arena, ctx);
        while (err == TL_ERR_IO && tl_peer_now_ms(e->options->peer) < e->until_ms) {
            tl_errctx_reset(ctx); /* the store is away: it is waited for as long as the epoch is */
            err = fetch(slot, self->caller, &s->objects[i], arena, ctx);
        }
    }
    if (err == TL_OK && objects.count > 0) {
        const tl_shard_entry entry = {.hotkey = s->hotkey,
                                      .coldkey = s->coldkey,
                                      .content_hash = s->content_hash,
                                      .received_ms = s->received_ms,
                                      .objects = (const tl_bytes *)objects.items,
                                      .object_count = objects.count};
        err = tl_shard_add(shard, &entry, arena, ctx);
    }
    tl_arena_free(arena);
    return err;
}

static tl_err write_item(tl_evidence_item *out, tl__world *world, const tl_sheet *sheet,
                         const tl_shard_hits *hits, const tl_place *place, tl_arena *arena,
                         tl_errctx *ctx)
{
    char *verdicts = TL_NEW(arena, char, TL_SAMPLES_MAX);
    tl_arena *scratch = NULL;
    if (verdicts == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    *out = (tl_evidence_item){.content_hash = sheet->content_hash,
                              .honeypots = hits->indices,
                              .honeypot_count = hits->count < TL_EVIDENCE_HONEYPOTS_MAX
                                                    ? hits->count
                                                    : TL_EVIDENCE_HONEYPOTS_MAX};
    memcpy(out->zipcode, place->zipcode, sizeof out->zipcode);
    TL_TRY(tl_ss58_decode(&out->hotkey, sheet->hotkey, ctx));
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    const tl_err err =
        tl__world_judge(world, verdicts, sheet->samples, sheet->sample_count, scratch, ctx);
    tl_arena_free(scratch);
    out->verdicts = (tl_str){verdicts, sheet->sample_count};
    return err;
}

static tl_err judge_sheets(tl__zip *zip, tl__world *world, const tl_shard_result *result,
                           const tl_place *place, tl_errctx *ctx)
{
    zip->sheets = result->sheets;
    zip->count = result->count;
    zip->listings = result->listings;
    zip->items = TL_NEW(zip->arena, tl_evidence_item, result->count);
    if (zip->items == NULL && result->count > 0) {
        return tl_arena_fail(zip->arena, ctx);
    }
    for (size_t i = 0; i < result->count; i++) {
        TL_TRY(write_item(&zip->items[i], world, &result->sheets[i], &result->honeypots[i], place,
                          zip->arena, ctx));
    }
    return TL_OK;
}

static tl_err run_one(void *self, size_t index, size_t worker_index, tl_errctx *ctx)
{
    const job *j = (const job *)self;
    tl__epoch *e = j->e;
    const worker *mine = &j->workers[worker_index];
    tl__zip *zip = &e->zips[index];
    const tl_place *place = &e->view.places[index];
    tl__world *world = NULL;
    tl_shard *shard = NULL;
    tl_shard_result result;
    tl_shard_context context = {.params = &e->params,
                                .epoch_id = e->id,
                                .start_ms = e->view.start_ms,
                                .deadline_ms = e->view.deadline_ms,
                                .beacon = e->view.beacon,
                                .place = place,
                                .expected = place->expected};
    TL_TRY(tl_sys_check_interrupt(ctx));
    TL_TRY(tl_arena_new(&zip->arena, NULL, (size_t)2 << 30, NULL, ctx));
    TL_TRY(tl__world_open(&world, zip->arena, mine->source, place,
                          e->view.start_ms - INT64_C(3600000), ctx));
    tl__world_honeypots(world, &context.honeypots, &context.honeypot_count);
    TL_TRY(tl_shard_new(&shard, zip->arena, &context, ctx));
    for (size_t i = 0; i < e->submission_count; i++) {
        TL_TRY(add_submission(shard, e, &e->submissions[i], place->zipcode, mine, ctx));
    }
    TL_TRY(tl_shard_finish(shard, &result, ctx));
    return judge_sheets(zip, world, &result, place, ctx);
}

static tl_err open_workers(worker *workers, size_t count, const tl__epoch *e, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const tl_caller_options caller = {
            .url = tl_str_from_cstr(e->options->url), .retries_max = 5, .retry_cap_ms = 2000};
        TL_TRY(tl_source_open(&workers[i].source, e->options->source, ctx));
        TL_TRY(tl_caller_new(&workers[i].caller, &caller, ctx));
    }
    return TL_OK;
}

tl_err tl__run_shards(tl__epoch *e, tl_errctx *ctx)
{
    const size_t threads = tl_pool_thread_count(e->pool);
    worker *workers = TL_NEW(e->arena, worker, threads);
    e->zips = TL_NEW(e->arena, tl__zip, e->view.place_count);
    if (workers == NULL || (e->zips == NULL && e->view.place_count > 0)) {
        return tl_arena_fail(e->arena, ctx);
    }
    memset(workers, 0, threads * sizeof *workers);
    memset(e->zips, 0, e->view.place_count * sizeof *e->zips);
    job j = {e, workers};
    tl_err err = open_workers(workers, threads, e, ctx);
    if (err == TL_OK) {
        err = tl_pool_run(e->pool, e->view.place_count, run_one, &j, ctx);
    }
    for (size_t i = 0; i < threads; i++) {
        tl_caller_free(workers[i].caller);
        tl_source_close(workers[i].source);
    }
    return err;
}
