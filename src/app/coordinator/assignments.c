/* What an epoch asks for: made once when the epoch is prepared, then given as it is. */
#include "app/coordinator/coordinator_internal.h"

enum { RECENT_MAX = 10 };

static void put_metadata(tl_json_writer *w, const tl_record_epoch *epoch,
                         const tl_record_assignment *zipcodes, size_t count)
{
    int64_t expected = 0;
    for (size_t i = 0; i < count; i++) {
        expected += zipcodes[i].expected;
    }
    tl_json_put_key(w, "metadata");
    tl_json_put_object(w);
    tl__coordinator_put_number(w, "totalExpectedListings", expected);
    tl__coordinator_put_number(w, "zipcodeCount", (int64_t)count);
    tl__coordinator_put_text(w, "algorithmVersion", TL_STR(TL_SELECT_ALGORITHM));
    tl__coordinator_put_text(w, "selectionSeed", epoch->selection_seed);
    tl_json_put_end(w);
}

/* nonce: empty where it is not to be known (COORD-1). */
static void put_assignments(tl_json_writer *w, const tl_record_epoch *epoch, tl_str nonce,
                            const tl_record_assignment *zipcodes, size_t count)
{
    const int64_t deadline_ms = epoch->end_ms + epoch->extended_ms;
    tl_json_put_object(w);
    tl__coordinator_put_bool(w, "success", true);
    tl__coordinator_put_text(w, "epochId", epoch->id);
    tl__coordinator_put_time(w, "epochStart", epoch->start_ms);
    tl__coordinator_put_time(w, "epochEnd", deadline_ms);
    if (nonce.len > 0) {
        tl__coordinator_put_text(w, "nonce", nonce);
    }
    tl__coordinator_put_text(w, "nonceCommit", epoch->nonce_commit);
    tl__coordinator_put_number(w, "targetListings", epoch->target_listings);
    tl__coordinator_put_number(w, "tolerancePercent", epoch->tolerance_percent);
    tl__coordinator_put_time(w, "submissionDeadline", deadline_ms);
    tl__coordinator_put_zipcodes(w, "zipcodes", zipcodes, count);
    put_metadata(w, epoch, zipcodes, count);
    tl_json_put_end(w);
}

tl_err tl__coordinator_assignments_page(void *self, tl_api_page **out, const tl_keeper_live *live,
                                        tl_errctx *ctx)
{
    const tl_coordinator *c = self;
    tl_arena *arena = NULL;
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    put_assignments(&w, &live->record, c->s.is_compat ? live->record.nonce : (tl_str){NULL, 0},
                    live->zipcodes, live->zipcode_count);
    tl_err err = tl_sb_finish(&text, &sb, ctx);
    if (err == TL_OK) {
        err = tl_api_page_new(out, text, ctx);
    }
    tl_arena_free(arena);
    return err;
}

tl_err tl__coordinator_show_assignments(tl_api_call *call, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    (void)ctx;
    const tl_keeper_roster *roster = tl_keeper_roster_get(c->keeper);
    const tl_keeper_live *live = tl_keeper_current(roster, tl__coordinator_now_ms(c));
    if (live != NULL && live->page != NULL) {
        tl_api_answer_page(call, 200, live->page);
    } else {
        (void)tl_api_fail(call, TL_API_NOT_FOUND, NULL, "No epoch is open now");
    }
    tl_keeper_roster_drop(c->keeper, roster);
    return TL_OK;
}

tl_err tl__coordinator_show_epoch_assignments(tl_api_call *call, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    tl_record_epoch epoch;
    const tl_record_assignment *zipcodes;
    size_t count;
    tl_err err = TL_OK;
    tl_sb sb;
    tl_json_writer w;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    if (epoch.state == TL_EPOCH_PENDING || epoch.state == TL_EPOCH_OPEN) {
        return tl_api_fail(call, TL_API_CONFLICT, "epochId", "The epoch has not ended");
    }
    TL_TRY(tl_records_assignments(tl__coordinator_records_of(call), &zipcodes, &count, epoch.id,
                                  tl_api_call_arena(call), ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    put_assignments(&w, &epoch, tl_keeper_nonce_of(&epoch, tl__coordinator_now_ms(c)), zipcodes,
                    count);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

/* --- stats --- */

static void put_epoch_status(tl_json_writer *w, const tl_coordinator *c, const tl_keeper_live *live,
                             int64_t now_ms)
{
    const int64_t length_ms = (int64_t)c->s.epoch_seconds * 1000;
    const int64_t slot_ms = tl_schedule_slot(length_ms, now_ms);
    char next[TL_SLOT_ID_CAP];
    tl_slot_print(next, slot_ms + length_ms);
    tl_json_put_key(w, "epochStatus");
    tl_json_put_object(w);
    tl_json_put_key(w, "currentEpoch");
    if (live == NULL) {
        tl_json_put_null(w);
    } else {
        tl_json_put_object(w);
        tl__coordinator_put_text(w, "epochId", live->record.id);
        tl__coordinator_put_text(w, "status", TL_STR("ACTIVE"));
        tl__coordinator_put_time(w, "epochStart", live->record.start_ms);
        tl__coordinator_put_time(w, "epochEnd", live->plan.end_ms);
        tl__coordinator_put_number(w, "targetListings", live->record.target_listings);
        tl_json_put_end(w);
    }
    tl_json_put_key(w, "timing");
    tl_json_put_object(w);
    tl__coordinator_put_number(w, "elapsedSeconds", (now_ms - slot_ms) / 1000);
    tl__coordinator_put_number(w, "remainingSeconds",
                               ((live != NULL ? live->plan.end_ms : slot_ms + length_ms) - now_ms) /
                                   1000);
    tl_json_put_end(w);
    tl_json_put_key(w, "nextEpoch");
    tl_json_put_object(w);
    tl__coordinator_put_text(w, "epochId", tl_str_from_cstr(next));
    tl__coordinator_put_time(w, "epochStart", slot_ms + length_ms);
    tl_json_put_end(w);
    tl_json_put_end(w);
}

static void put_zipcode_statistics(tl_json_writer *w, const tl_keeper_live *live)
{
    static const tl_market_tier tiers[] = {TL_TIER_PREMIUM, TL_TIER_STANDARD, TL_TIER_EMERGING};
    static const tl_region regions[] = {TL_REGION_NORTHEAST, TL_REGION_MIDWEST, TL_REGION_SOUTH,
                                        TL_REGION_WEST, TL_REGION_NONE};
    const size_t count = live != NULL ? live->zipcode_count : 0;
    int64_t expected = 0;
    int64_t by_tier[3] = {0};
    int64_t by_region[5] = {0};
    for (size_t i = 0; i < count; i++) {
        expected += live->zipcodes[i].expected;
        for (size_t k = 0; k < 3; k++) {
            by_tier[k] += live->zipcodes[i].tier == tiers[k];
        }
        for (size_t k = 0; k < 5; k++) {
            by_region[k] += live->zipcodes[i].region == regions[k];
        }
    }
    tl_json_put_key(w, "zipcodeStatistics");
    tl_json_put_object(w);
    tl__coordinator_put_number(w, "zipcodeCount", (int64_t)count);
    tl__coordinator_put_number(w, "totalExpectedListings", expected);
    tl_json_put_key(w, "byMarketTier");
    tl_json_put_object(w);
    for (size_t k = 0; k < 3; k++) {
        tl__coordinator_put_number(w, tl_market_tier_name(tiers[k]), by_tier[k]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "byGeographicRegion");
    tl_json_put_object(w);
    for (size_t k = 0; k < 5; k++) {
        tl__coordinator_put_number(w, tl_region_name(regions[k]), by_region[k]);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

/* The last epochs that have a result. */
static tl_err put_recent(tl_api_call *call, tl_json_writer *w, tl_errctx *ctx)
{
    const tl_record_epoch *epochs;
    size_t count;
    tl_records *records = tl__coordinator_records_of(call);
    TL_TRY(tl_records_epochs(records, &epochs, &count, (tl_str){NULL, 0}, RECENT_MAX + 2,
                             tl_api_call_arena(call), ctx));
    tl_json_put_key(w, "recentPerformance");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_record_result result;
        uint64_t submissions;
        const tl_err err =
            tl_records_get_result(records, &result, epochs[i].id, tl_api_call_arena(call), ctx);
        if (err == TL_ERR_NOT_FOUND) {
            tl_errctx_reset(ctx);
            continue;
        }
        TL_TRY(err);
        TL_TRY(tl_records_submission_count(records, &submissions, epochs[i].id, ctx));
        tl_json_put_object(w);
        tl__coordinator_put_text(w, "epochId", epochs[i].id);
        tl__coordinator_put_text(w, "status", result.status);
        tl_json_put_key(w, "rate");
        tl_json_put_f64(w, (double)result.rate_millionths / 1e6);
        tl__coordinator_put_number(w, "submissions", (int64_t)submissions);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    return TL_OK;
}

tl_err tl__coordinator_show_stats(tl_api_call *call, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    const int64_t now_ms = tl__coordinator_now_ms(c);
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    const tl_keeper_roster *roster = tl_keeper_roster_get(c->keeper);
    const tl_keeper_live *live = tl_keeper_current(roster, now_ms);
    put_epoch_status(&w, c, live, now_ms);
    put_zipcode_statistics(&w, live);
    tl_keeper_roster_drop(c->keeper, roster);
    TL_TRY(put_recent(call, &w, ctx));
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}
