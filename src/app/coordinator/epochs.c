/* Epochs, results and standings, for everybody. */
#include "app/coordinator/coordinator_internal.h"
#include "core/codec/hex/hex.h"

/* The cursor of a list of epochs is the last one's id. */
static tl_err put_epoch_head(tl_json_writer *w, tl_coordinator *c, const tl_record_epoch *epoch)
{
    const int64_t deadline_ms = epoch->end_ms + epoch->extended_ms;
    tl__coordinator_put_text(w, "epochId", epoch->id);
    tl__coordinator_put_text(w, "status",
                             tl_str_from_cstr(tl__coordinator_status_word(epoch->state)));
    tl__coordinator_put_text(w, "state", tl_str_from_cstr(tl_epoch_state_text(epoch->state)));
    tl__coordinator_put_time(w, "epochStart", epoch->start_ms);
    tl__coordinator_put_time(w, "epochEnd", deadline_ms);
    tl__coordinator_put_time(w, "submissionDeadline", deadline_ms);
    tl__coordinator_put_text(w, "nonceCommit", epoch->nonce_commit);
    tl__coordinator_put_text_or_null(w, "nonce",
                                     tl_keeper_nonce_of(epoch, tl__coordinator_now_ms(c)));
    return TL_OK;
}

tl_err tl__coordinator_list_epochs(tl_api_call *call, tl_errctx *ctx)
{
    const tl_record_epoch *epochs;
    size_t count;
    tl_sb sb;
    tl_json_writer w;
    const size_t limit = (size_t)tl_api_param_i64(call, "limit", 50);
    TL_TRY(tl_records_epochs(tl__coordinator_records_of(call), &epochs, &count,
                             tl_api_param_str(call, "cursor"), limit, tl_api_call_arena(call),
                             ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(&w);
        TL_TRY(put_epoch_head(&w, tl__coordinator_of(call), &epochs[i]));
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl__coordinator_put_text_or_null(&w, "nextCursor",
                                     count == limit ? epochs[count - 1].id : (tl_str){NULL, 0});
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

/* --- one epoch --- */

static bool has_ended(const tl_record_epoch *epoch)
{
    return epoch->state != TL_EPOCH_PENDING && epoch->state != TL_EPOCH_OPEN;
}

static const char *stage_word(const tl_schedule_epoch *plan)
{
    switch (plan->stage) {
    case TL_STAGE_EVIDENCE:
        return "evidence";
    case TL_STAGE_COMMITS:
        return "commits";
    case TL_STAGE_RESULTS:
        return "results";
    case TL_STAGE_NONE:
        break;
    }
    return NULL;
}

static tl_err put_windows(tl_api_call *call, tl_json_writer *w, const tl_record_epoch *epoch,
                          tl_errctx *ctx)
{
    tl_bytes anchor;
    int64_t anchor_ms = 0;
    tl_schedule_epoch plan;
    tl_schedule_windows until;
    TL_TRY(tl__coordinator_get_value(call, &anchor, "anchor", epoch->id, ctx));
    if (!tl_str_parse_i64(&anchor_ms, (tl_str){(const char *)anchor.ptr, anchor.len})) {
        anchor_ms = 0; /* there is none */
    }
    tl_keeper_plan(&plan, epoch, anchor_ms, 0);
    tl_schedule_windows_of(&until, &plan);
    tl__coordinator_put_text_or_null(w, "stage", tl_str_from_cstr(stage_word(&plan)));
    tl__coordinator_put_number(w, "round", epoch->round + 1);
    tl_json_put_key(w, "windows");
    tl_json_put_object(w);
    tl__coordinator_put_time(w, "revealUntil", until.reveal_until_ms);
    tl__coordinator_put_time(w, "evidenceUntil", until.evidence_until_ms);
    tl__coordinator_put_time(w, "commitUntil", until.commit_until_ms);
    tl__coordinator_put_time(w, "resultsUntil", until.results_until_ms);
    tl_json_put_end(w);
    return TL_OK;
}

static tl_err put_contributions(tl_api_call *call, tl_json_writer *w, const tl_record_epoch *epoch,
                                tl_errctx *ctx)
{
    const tl_record_contribution *joined;
    size_t count;
    TL_TRY(tl_records_contributions(tl__coordinator_records_of(call), &joined, &count, epoch->id,
                                    tl_api_call_arena(call), ctx));
    tl_json_put_key(w, "contributions");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(w);
        tl__coordinator_put_hotkey(w, "hotkey", &joined[i].hotkey);
        tl__coordinator_put_hash(w, "commit", &joined[i].commit);
        tl__coordinator_put_text_or_null(w, "secret",
                                         has_ended(epoch) ? joined[i].secret : (tl_str){NULL, 0});
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    return TL_OK;
}

/* What was asked for, and which of it were honeypots, once that helps nobody any more (COORD-1). */
static tl_err put_zipcodes(tl_api_call *call, tl_json_writer *w, const tl_record_epoch *epoch,
                           tl_errctx *ctx)
{
    const tl_record_assignment *zipcodes;
    size_t count;
    if (!has_ended(epoch)) {
        tl_json_put_key(w, "honeypotZipcodes");
        tl_json_put_null(w);
        tl_json_put_key(w, "zipcodes");
        tl_json_put_null(w);
        return TL_OK;
    }
    TL_TRY(tl_records_assignments(tl__coordinator_records_of(call), &zipcodes, &count, epoch->id,
                                  tl_api_call_arena(call), ctx));
    tl_json_put_key(w, "honeypotZipcodes");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        if (zipcodes[i].is_honeypot) {
            tl_json_put_str(w, zipcodes[i].zipcode);
        }
    }
    tl_json_put_end(w);
    tl__coordinator_put_zipcodes(w, "zipcodes", zipcodes, count);
    return TL_OK;
}

static tl_err put_extensions(tl_api_call *call, tl_json_writer *w, const tl_record_epoch *epoch,
                             tl_errctx *ctx)
{
    const tl_record_extension *extensions;
    size_t count;
    TL_TRY(tl_records_extensions(tl__coordinator_records_of(call), &extensions, &count, epoch->id,
                                 tl_api_call_arena(call), ctx));
    tl_json_put_key(w, "extensions");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        const tl_json *body;
        const tl_str text = {(const char *)extensions[i].body.ptr, extensions[i].body.len};
        TL_TRY(tl_json_parse(&body, tl_api_call_arena(call), text, NULL, ctx));
        tl_json_put_tree(w, body);
    }
    tl_json_put_end(w);
    return TL_OK;
}

static tl_err put_transitions(tl_api_call *call, tl_json_writer *w, const tl_record_epoch *epoch,
                              tl_errctx *ctx)
{
    const tl_record_transition *made;
    size_t count;
    TL_TRY(tl_records_transitions(tl__coordinator_records_of(call), &made, &count, epoch->id,
                                  tl_api_call_arena(call), ctx));
    tl_json_put_key(w, "transitions");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(w);
        tl__coordinator_put_text(w, "from", tl_str_from_cstr(tl_epoch_state_text(made[i].from)));
        tl__coordinator_put_text(w, "to", tl_str_from_cstr(tl_epoch_state_text(made[i].to)));
        tl__coordinator_put_text(w, "cause", made[i].cause);
        tl__coordinator_put_time(w, "at", made[i].at_ms);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    return TL_OK;
}

static tl_err put_carry(tl_api_call *call, tl_json_writer *w, const tl_record_epoch *epoch,
                        tl_errctx *ctx)
{
    tl_bytes text;
    TL_TRY(tl__coordinator_get_value(call, &text, "carry", epoch->id, ctx));
    tl_json_put_key(w, "carry");
    if (text.len > 0) {
        tl_json_put_raw(w, (tl_str){(const char *)text.ptr, text.len});
    } else {
        tl_json_put_null(w);
    }
    return TL_OK;
}

tl_err tl__coordinator_show_epoch(tl_api_call *call, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    tl_record_epoch epoch;
    tl_err err = TL_OK;
    tl_sb sb;
    tl_json_writer w;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    const bool is_begun = epoch.state != TL_EPOCH_PENDING;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    TL_TRY(put_epoch_head(&w, c, &epoch));
    tl__coordinator_put_text_or_null(&w, "beacon", epoch.beacon);
    tl__coordinator_put_text(&w, "profile", epoch.profile);
    tl__coordinator_put_text_or_null(&w, "selectionSeed",
                                     is_begun ? epoch.selection_seed : (tl_str){NULL, 0});
    tl__coordinator_put_text_or_null(&w, "drawCommit", epoch.draw_commit);
    tl__coordinator_put_text_or_null(&w, "drawSecret",
                                     has_ended(&epoch) ? epoch.draw_secret : (tl_str){NULL, 0});
    tl__coordinator_put_number(&w, "targetListings", epoch.target_listings);
    tl__coordinator_put_number(&w, "tolerancePercent", epoch.tolerance_percent);
    TL_TRY(put_windows(call, &w, &epoch, ctx));
    TL_TRY(put_contributions(call, &w, &epoch, ctx));
    TL_TRY(put_zipcodes(call, &w, &epoch, ctx));
    TL_TRY(put_extensions(call, &w, &epoch, ctx));
    TL_TRY(put_carry(call, &w, &epoch, ctx));
    tl_json_put_key(&w, "parameters");
    tl_json_put_raw(&w, (tl_str){(const char *)epoch.parameters.ptr, epoch.parameters.len});
    TL_TRY(put_transitions(call, &w, &epoch, ctx));
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

/* --- results and standings --- */

tl_err tl__coordinator_show_results(tl_api_call *call, tl_errctx *ctx)
{
    tl_record_epoch epoch;
    tl_record_result result;
    tl_err err = TL_OK;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    err = tl_records_get_result(tl__coordinator_records_of(call), &result, epoch.id,
                                tl_api_call_arena(call), ctx);
    const bool is_told = epoch.state == TL_EPOCH_SETTLED || epoch.state == TL_EPOCH_FAILED ||
                         epoch.state == TL_EPOCH_ARCHIVED;
    if (err == TL_ERR_NOT_FOUND || (err == TL_OK && !is_told)) {
        tl_errctx_reset(ctx);
        return tl_api_fail(call, TL_API_NOT_FOUND, "epochId", "The epoch has no result yet");
    }
    TL_TRY(err);
    tl_api_answer(call, 200, (tl_str){(const char *)result.document.ptr, result.document.len});
    return TL_OK;
}

/* The cursor is "paid:hotkey" of the last row, the hotkey as 64 hex digits. */
static bool read_cursor(tl_record_leader *out, tl_str cursor)
{
    const size_t colon = tl_str_find(cursor, ':');
    int64_t paid;
    *out = (tl_record_leader){.paid = tl_rao_from_i64(0)};
    if (!tl_str_parse_i64(&paid, tl_str_slice(cursor, 0, colon)) ||
        tl_hex_decode(out->hotkey.b, sizeof out->hotkey.b,
                      tl_str_slice(cursor, colon + 1, cursor.len), NULL) != TL_OK) {
        return false;
    }
    out->paid = tl_rao_from_i64(paid);
    return true;
}

static void put_leader(tl_json_writer *w, const tl_record_leader *row)
{
    tl_json_put_object(w);
    tl__coordinator_put_hotkey(w, "hotkey", &row->hotkey);
    tl__coordinator_put_hotkey(w, "coldkey", &row->coldkey);
    tl__coordinator_put_number(w, "uid", row->uid);
    tl__coordinator_put_number(w, "epochs", row->epochs);
    tl__coordinator_put_number(w, "wins", row->wins);
    tl__coordinator_put_number(w, "listings", (int64_t)row->listings);
    tl__coordinator_put_number(w, "scoreMillionths",
                               row->epochs > 0 ? row->score_millionths / (int64_t)row->epochs : 0);
    tl__coordinator_put_number(w, "rewardRao", tl_rao_to_i64(row->paid));
    tl__coordinator_put_text(w, "lastEpochId", row->last_epoch);
    tl_json_put_end(w);
}

static tl_err put_next(tl_api_call *call, tl_json_writer *w, const tl_record_leader *last,
                       tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text;
    if (last == NULL) {
        tl__coordinator_put_text_or_null(w, "nextCursor", (tl_str){NULL, 0});
        return TL_OK;
    }
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_sb_put_i64(&sb, tl_rao_to_i64(last->paid));
    tl_sb_put_char(&sb, ':');
    tl_hex_encode(&sb, last->hotkey.b, sizeof last->hotkey.b);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl__coordinator_put_text(w, "nextCursor", text);
    return TL_OK;
}

tl_err tl__coordinator_show_leaderboard(tl_api_call *call, tl_errctx *ctx)
{
    const tl_record_leader *rows;
    size_t count;
    tl_record_leader after;
    tl_sb sb;
    tl_json_writer w;
    const size_t limit = (size_t)tl_api_param_i64(call, "limit", 50);
    const tl_str cursor = tl_api_param_str(call, "cursor");
    if (cursor.ptr != NULL && !read_cursor(&after, cursor)) {
        return tl_api_fail(call, TL_API_NOT_FOUND, "cursor", "It is none of this list");
    }
    TL_TRY(tl_records_leaderboard(tl__coordinator_records_of(call), &rows, &count,
                                  cursor.ptr != NULL ? &after : NULL, limit,
                                  tl_api_call_arena(call), ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        put_leader(&w, &rows[i]);
    }
    tl_json_put_end(&w);
    TL_TRY(put_next(call, &w, count == limit ? &rows[count - 1] : NULL, ctx));
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}
