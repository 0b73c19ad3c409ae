/* collect.c: zipcode by zipcode from the source into files, each checked as a validator will. */
#include <string.h>

#include "app/miner/miner_internal.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/shard/shard.h"
#include "io/sys/sys.h"

#define PAUSE_MS   2000
#define OBJECT_MAX ((size_t)64 << 20)

/* The object of a zipcode: what the source gave, each with the time at which it was seen. */
static tl_err write_object(tl_str *out, tl_arena *arena, tl_str zipcode,
                           const tl_source_batch *batch, int64_t now_ms, int64_t skew_ms,
                           tl_errctx *ctx)
{
    char seen[TL_TIME_TEXT_CAP];
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "zipcode");
    tl_json_put_str(&w, zipcode);
    tl_json_put_key(&w, "listings");
    tl_json_put_array(&w);
    for (size_t i = 0; i < batch->count; i++) {
        const tl_json *item = batch->items[i];
        bool has_seen = false;
        tl_json_put_object(&w);
        for (uint32_t k = 0; k < item->count; k++) {
            tl_json_put_key_str(&w, item->members[k].key);
            tl_json_put_tree(&w, &item->members[k].value);
            has_seen = has_seen || tl_str_eq_cstr(item->members[k].key, "scraped_timestamp");
        }
        if (!has_seen) {
            const int64_t at_ms = batch->seen_ms != NULL ? batch->seen_ms[i] + skew_ms : now_ms;
            tl_time_text(seen, at_ms * 1000000);
            tl_json_put_key(&w, "scraped_timestamp");
            tl_json_put_cstr(&w, seen);
        }
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

/* What the validator's own code says of it, now: for the log, and for whether it is worth another try. */
static tl_err judge(tl__work *work, const tl__load *load, tl_str object, bool *passes,
                    tl_arena *arena, tl_errctx *ctx)
{
    const tl_peer_assignment *a = work->assignment;
    tl_listings_params params;
    tl_listings_params_default(&params);
    const tl_shard_context context = {.params = &params,
                                      .epoch_id = a->epoch_id,
                                      .start_ms = a->start_ms,
                                      .deadline_ms = a->deadline_ms,
                                      .place = load->place,
                                      .expected = load->place->expected};
    const tl_bytes bytes = tl_str_bytes(object);
    const tl_shard_entry entry = {
        .hotkey = tl_str_from_cstr(work->options->peer->own_ss58),
        .coldkey = tl_str_from_cstr(work->options->peer->own_ss58),
        .received_ms = a->start_ms,
        .objects = &bytes,
        .object_count = 1,
    };
    tl_arena *scratch = NULL;
    tl_shard *shard = NULL;
    tl_shard_result result;
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    tl_err err = tl_shard_new(&shard, arena, &context, ctx);
    err = err == TL_OK ? tl_shard_add(shard, &entry, scratch, ctx) : err;
    err = err == TL_OK ? tl_shard_finish(shard, &result, ctx) : err;
    tl_arena_free(scratch);
    TL_TRY(err);
    const tl_sheet *sheet = &result.sheets[0];
    *passes = sheet->passes_tier1 && sheet->passes_tier2;
    for (size_t i = 0; i < sheet->finding_count && work->options->log != NULL; i++) {
        char text[160];
        (void)tl_str_print(text, sizeof text, "%s: rule %s speaks about %u of %u listings",
                           load->place->zipcode, tl_listing_rule_name(sheet->findings[i].rule),
                           sheet->findings[i].count, sheet->rows);
        tl_log_say(work->options->log, TL_LOG_WARN, text, NULL, 0);
    }
    return TL_OK;
}

static tl_err keep(tl__load *load, tl_str object, uint32_t rows, tl_errctx *ctx)
{
    TL_TRY(tl_sys_write_file(load->path, tl_str_bytes(object), TL_SYS_FILE_MODE, ctx));
    load->is_collected = true;
    load->rows = rows;
    load->bytes = object.len;
    tl_sha256(&load->sha256, object.ptr, object.len);
    return TL_OK;
}

/* What came of one zipcode. Trouble with the source is noted in work->why; errors are our own. */
static tl_err take_one(tl__work *work, tl__load *load, const tl_source_want *want, bool is_last,
                       tl_arena *arena, tl_errctx *ctx)
{
    const tl_peer *peer = work->options->peer;
    tl_str object = {NULL, 0};
    bool passes = false;
    if (want->err != TL_OK) {
        work->why = want->why;
        load->is_hopeless = want->err == TL_ERR_NOT_FOUND;
        return TL_OK; /* MINER-3: nothing of it is handed in */
    }
    TL_TRY(write_object(&object, arena, want->zipcode, &want->batch, tl_peer_now_ms(peer),
                        peer->skew_ms, ctx));
    if (object.len > OBJECT_MAX) {
        (void)tl_fail(&work->why, TL_ERR_LIMIT, "%zu bytes of one zipcode", object.len);
        load->is_hopeless = true;
        return TL_OK;
    }
    if (!work->options->is_careless) {
        TL_TRY(judge(work, load, object, &passes, arena, ctx));
    }
    if (!passes && !is_last) {
        (void)tl_fail(&work->why, TL_ERR_CHECK, "zipcode %s would not pass", load->place->zipcode);
        return TL_OK;
    }
    return keep(load, object, (uint32_t)want->batch.count, ctx);
}

/* A file of an earlier life (MINER-1): it was written whole, or it is not there. */
static tl_err find_kept(tl__load *load, tl_arena *arena, tl_errctx *ctx)
{
    tl_str object = {NULL, 0};
    const tl_json *json = NULL;
    if (!tl_sys_exists(load->path)) {
        return TL_OK;
    }
    TL_TRY(tl_sys_read_file(&object, arena, load->path, OBJECT_MAX, ctx));
    const tl_json_options options = {.allow_nonfinite = true};
    TL_TRY(tl_json_parse(&json, arena, object, &options, ctx));
    const tl_json *listings = tl_json_get(json, "listings");
    load->is_collected = true;
    load->rows = listings != NULL ? listings->count : 0;
    load->bytes = object.len;
    tl_sha256(&load->sha256, object.ptr, object.len);
    return TL_OK;
}

static tl_err collect_missing(tl__work *work, bool is_last, tl_arena *arena, tl_errctx *ctx)
{
    tl_source_want *wants = TL_NEW(arena, tl_source_want, work->count);
    tl__load **of = TL_NEW(arena, tl__load *, work->count);
    size_t count = 0;
    if (work->count > 0 && (wants == NULL || of == NULL)) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < work->count; i++) {
        tl__load *load = &work->loads[i];
        if (!load->is_collected && !load->is_hopeless) {
            wants[count] = (tl_source_want){.zipcode = tl_str_from_cstr(load->place->zipcode),
                                            .expected = load->place->expected};
            of[count++] = load;
        }
    }
    TL_TRY(tl_source_collect_many(work->options->source, wants, count, arena, ctx));
    for (size_t i = 0; i < count; i++) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        TL_TRY(take_one(work, of[i], &wants[i], is_last, arena, ctx));
        tl_arena_rewind(arena, mark);
    }
    return TL_OK;
}

static tl_err one_round(tl__work *work, bool is_last, size_t *left, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, (size_t)2 << 30, NULL, ctx));
    tl_err err = collect_missing(work, is_last, arena, ctx);
    tl_arena_free(arena);
    *left = 0;
    for (size_t i = 0; i < work->count; i++) {
        *left += !work->loads[i].is_collected && !work->loads[i].is_hopeless;
    }
    return err;
}

static tl_err find_all_kept(tl__work *work, tl_errctx *ctx)
{
    for (size_t i = 0; i < work->count; i++) {
        tl_arena *arena = NULL;
        TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
        const tl_err err = find_kept(&work->loads[i], arena, ctx);
        tl_arena_free(arena);
        TL_TRY(err);
    }
    return TL_OK;
}

tl_err tl__miner_collect(tl__work *work, tl_errctx *ctx)
{
    const tl_peer_assignment *a = work->assignment;
    const tl_peer *peer = work->options->peer;
    const int64_t stop_ms = a->deadline_ms - (a->end_ms - a->start_ms) / 10;
    int64_t pause_ms = (a->end_ms - a->start_ms) / 60;
    pause_ms = pause_ms < PAUSE_MS ? pause_ms : PAUSE_MS;
    size_t left = 0;
    work->why = (tl_errctx)TL_ERRCTX_INIT;
    TL_TRY(find_all_kept(work, ctx));
    TL_TRY(one_round(work, work->options->is_careless, &left, ctx));
    while (!work->options->is_careless && left > 0 &&
           tl_peer_now_ms(peer) + 3 * pause_ms < stop_ms) {
        TL_TRY(tl_peer_wait(peer, tl_peer_now_ms(peer) + pause_ms, ctx));
        TL_TRY(one_round(work, false, &left, ctx));
        pause_ms *= 2;
    }
    return left > 0 && !work->options->is_careless ? one_round(work, true, &left, ctx) : TL_OK;
}
