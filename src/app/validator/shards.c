/* shards.c: one zipcode after the other on the pool: the world is looked at, objects are fetched and verified, sheets are
 * made, samples judged. What a shard holds at a time is one miner's objects. */
#include <string.h>

#include "app/validator/validator_internal.h"

/* What a thread of the pool has of its own. */
typedef struct worker {
    tl_source *source;
    tl_caller *caller;
} worker;

typedef struct job {
    tl__epoch *e;
    worker *workers;
} job;

/* What a shard's objects are fetched by; the store that is away is waited for as long as the epoch is. */
typedef struct fetching {
    const tl__epoch *e;
    const worker *mine;
    const tl__object *const *const *urls; /* of each entry's objects */
} fetching;

static tl_err fetch_once(tl_bytes *out, tl_caller *caller, const tl__object *object,
                         tl_arena *arena, tl_errctx *ctx)
{
    tl_caller_answer answer;
    const tl_caller_request request = {.target = object->url,
                                       .is_repeatable = true,
                                       .is_bytes = true,
                                       .answer_len_max = (size_t)65 << 20};
    TL_TRY(tl_caller_want(caller, &answer, arena, &request, ctx));
    *out = answer.body;
    return TL_OK;
}

static tl_err fetch(void *self, tl_bytes *out, size_t entry, size_t object, tl_arena *arena,
                    tl_errctx *ctx)
{
    const fetching *f = (const fetching *)self;
    const tl__object *of = f->urls[entry][object];
    tl_err err = fetch_once(out, f->mine->caller, of, arena, ctx);
    while (err == TL_ERR_IO && tl_peer_now_ms(f->e->options->peer) < f->e->until_ms) {
        tl_errctx_reset(ctx);
        err = fetch_once(out, f->mine->caller, of, arena, ctx);
    }
    return err;
}

/* --- what the shard is made of --- */

static tl_err fill_entry(tl_scoring_entry *out, const tl__object *const **urls, tl_arena *arena,
                         const tl__submission *s, const char *zipcode, tl_errctx *ctx)
{
    tl_scoring_object *objects = TL_NEW(arena, tl_scoring_object, s->object_count);
    const tl__object **of = TL_NEW(arena, const tl__object *, s->object_count);
    if ((objects == NULL || of == NULL) && s->object_count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    *out = (tl_scoring_entry){.hotkey = s->hotkey,
                              .coldkey = s->coldkey,
                              .content_hash = s->content_hash,
                              .received_ms = s->received_ms,
                              .objects = objects};
    for (size_t i = 0; i < s->object_count; i++) {
        if (memcmp(s->objects[i].zipcode, zipcode, 5) == 0) {
            of[out->object_count] = &s->objects[i];
            objects[out->object_count].sha256 = s->objects[i].sha256;
            objects[out->object_count++].bytes = s->objects[i].bytes;
        }
    }
    *urls = of;
    return TL_OK;
}

static tl_err make_job(tl_scoring_job *out, fetching *f, tl_arena *arena, const tl__epoch *e,
                       const tl_place *place, tl_errctx *ctx)
{
    tl_scoring_entry *entries = TL_NEW(arena, tl_scoring_entry, e->submission_count);
    const tl__object *const **urls = TL_NEW(arena, const tl__object *const *, e->submission_count);
    if ((entries == NULL || urls == NULL) && e->submission_count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < e->submission_count; i++) {
        TL_TRY(fill_entry(&entries[i], &urls[i], arena, &e->submissions[i], place->zipcode, ctx));
    }
    f->urls = urls;
    *out = (tl_scoring_job){.params = &e->params,
                            .places = e->options->places,
                            .epoch_id = e->id,
                            .start_ms = e->view.start_ms,
                            .deadline_ms = e->view.deadline_ms,
                            .beacon = e->view.beacon,
                            .place = place,
                            .entries = entries,
                            .entry_count = e->submission_count};
    return TL_OK;
}

/* --- what is said about its sheets --- */

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

static tl_err judge_sheets(tl__zip *zip, tl__world *world, const tl_scoring_result *result,
                           const tl_place *place, tl_errctx *ctx)
{
    const uint64_t *traps = NULL;
    size_t trap_count = 0;
    tl__world_honeypots(world, &traps, &trap_count);
    zip->sheets = result->sheets;
    zip->count = result->count;
    zip->listings = result->listings;
    zip->items = TL_NEW(zip->arena, tl_evidence_item, result->count);
    if (zip->items == NULL && result->count > 0) {
        return tl_arena_fail(zip->arena, ctx);
    }
    for (size_t i = 0; i < result->count; i++) {
        tl_shard_hits hits;
        TL_TRY(tl_scoring_hits(&hits, zip->arena, result, i, traps, trap_count, ctx));
        TL_TRY(
            write_item(&zip->items[i], world, &result->sheets[i], &hits, place, zip->arena, ctx));
    }
    return TL_OK;
}

/* A worker's document where one comes in time, else the work itself. */
static tl_err score(tl_scoring_result *out, tl__epoch *e, tl__zip *zip, const tl_place *place,
                    const worker *mine, tl_errctx *ctx)
{
    const tl_validator_shelf *shelf = &e->options->shelf;
    fetching f = {.e = e, .mine = mine};
    tl_scoring_job work;
    TL_TRY(make_job(&work, &f, zip->arena, e, place, ctx));
    if (shelf->take != NULL) {
        tl_hash32 inputs;
        tl_str document = {NULL, 0};
        tl_errctx why = TL_ERRCTX_INIT;
        TL_TRY(tl_scoring_digest(&inputs, &work, ctx));
        TL_TRY(shelf->take(shelf->self, &document, zip->arena, e->id,
                           tl_str_from_cstr(place->zipcode), e->shelf_until_ms, ctx));
        if (document.len > 0 &&
            tl_scoring_read(out, zip->arena, &inputs, document, &why) == TL_OK) {
            return TL_OK;
        }
        if (document.len > 0) {
            tl_log_say(e->options->log, TL_LOG_WARN, why.message, NULL, 0);
        }
    }
    return tl_scoring_run(out, zip->arena, &work, fetch, &f, ctx);
}

static tl_err run_one(void *self, size_t index, size_t worker_index, tl_errctx *ctx)
{
    const job *j = (const job *)self;
    tl__epoch *e = j->e;
    const worker *mine = &j->workers[worker_index];
    tl__zip *zip = &e->zips[index];
    const tl_place *place = &e->view.places[index];
    tl__world *world = NULL;
    tl_scoring_result result;
    TL_TRY(tl_sys_check_interrupt(ctx));
    TL_TRY(tl_arena_new(&zip->arena, NULL, (size_t)2 << 30, NULL, ctx));
    TL_TRY(tl__world_open(&world, zip->arena, mine->source, place,
                          e->view.start_ms - INT64_C(3600000), ctx));
    TL_TRY(score(&result, e, zip, place, mine, ctx));
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
    const tl_peer *peer = e->options->peer;
    e->shelf_until_ms = e->view.end_ms + (int64_t)peer->epoch_seconds * 1000 / 8 - peer->skew_ms;
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
