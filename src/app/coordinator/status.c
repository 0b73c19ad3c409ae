/* What a miner says of itself; and the report that all is uploaded, which is acknowledged for good. */
#include "app/coordinator/coordinator_internal.h"

/* One report, decoded. */
typedef struct report {
    tl_str epoch_id;
    tl_record_status_word word;
    uint32_t listings;
    bool is_upload_complete;
    tl_bytes zipcodes;
    int64_t received_ms;
} report;

static tl_err read_zipcodes(report *out, tl_api_call *call, const tl_json *body, tl_errctx *ctx)
{
    const tl_json *list = tl_json_get(body, "zipcodesCompleted");
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    if (list != NULL) {
        tl_json_put_tree(&w, list);
    } else {
        tl_json_put_array(&w);
        tl_json_put_end(&w);
    }
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    out->zipcodes = tl_str_bytes(text);
    return TL_OK;
}

static tl_err read_report(report *out, tl_api_call *call, tl_errctx *ctx)
{
    const tl_json *body = tl_api_call_json(call);
    tl_str word;
    uint64_t listings = 0;
    const tl_json *scraped = tl_json_get(body, "listingsScraped");
    const tl_json *complete = tl_json_get(body, "s3UploadComplete");
    *out = (report){.received_ms = tl__coordinator_received_ms(tl__coordinator_of(call), call)};
    TL_TRY(tl_json_want_str(&out->epoch_id, body, "epochId", ctx));
    TL_TRY(tl_json_want_str(&word, body, "status", ctx));
    if (!tl_record_status_parse(&out->word, word)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "status", "no status");
    }
    if (scraped != NULL) {
        TL_TRY(tl_json_as_u64(&listings, scraped, "listingsScraped", ctx));
    }
    out->listings = listings < UINT32_MAX ? (uint32_t)listings : UINT32_MAX;
    if (complete != NULL) {
        TL_TRY(tl_json_as_bool(&out->is_upload_complete, complete, "s3UploadComplete", ctx));
    }
    return read_zipcodes(out, call, body, ctx);
}

/* --- answers --- */

static tl_err answer_plain(tl_api_call *call)
{
    tl_api_answer(call, 200, TL_STR("{\"success\":true}"));
    return TL_OK;
}

static tl_err answer_kept(tl_api_call *call, const tl_hash32 *content_hash, int64_t received_ms,
                          size_t objects, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_bool(&w, "success", true);
    tl_json_put_key(&w, "submission");
    tl_json_put_object(&w);
    tl__coordinator_put_hash(&w, "contentHash", content_hash);
    tl__coordinator_put_time(&w, "receivedAt", received_ms);
    tl__coordinator_put_number(&w, "objects", (int64_t)objects);
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

/* The first whole set, where there is one (TAKE-2). False: there is none, and nothing was answered. */
static bool answer_first(tl_api_call *call, tl_str epoch_id, tl_err *err, tl_errctx *ctx)
{
    tl_record_submission first;
    *err = tl_records_submission(tl__coordinator_records_of(call), &first, epoch_id,
                                 &tl_api_call_caller(call)->hotkey, tl_api_call_arena(call), ctx);
    if (*err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        *err = TL_OK;
        return false;
    }
    if (*err == TL_OK) {
        *err = answer_kept(call, &first.content_hash, first.received_ms, first.object_count, ctx);
    }
    return true;
}

/* What is wrong with what lies in the miner's folder. */
static tl_err refuse_upload(tl_api_call *call, tl_err err, tl_errctx *ctx)
{
    switch ((int)err) {
    case TL_ERR_NOT_FOUND:
        return tl_api_fail(call, TL_API_CONFLICT, NULL, "\"%s\" was not uploaded", ctx->field);
    case TL_ERR_CORRUPT:
        return tl_api_fail(call, TL_API_CONFLICT, NULL,
                           "\"%s\" has not the length and hash that metadata.json says",
                           ctx->field);
    case TL_ERR_SYNTAX:
    case TL_ERR_TYPE:
    case TL_ERR_RANGE:
    case TL_ERR_MISSING:
    case TL_ERR_DUPLICATE:
    case TL_ERR_UNKNOWN:
    case TL_ERR_ENCODING:
        return tl_api_fail(call, TL_API_INVALID_REQUEST, ctx->field, "metadata.json: %s",
                           ctx->message);
    case TL_ERR_LIMIT:
        return tl_api_fail(call, TL_API_CONFLICT, NULL, "metadata.json: %s", ctx->message);
    default:
        return err; /* a store: 503, the client comes again */
    }
}

/* --- the two kinds of report --- */

static tl_record_status status_of(const tl_api_call *call, const report *r)
{
    return (tl_record_status){.epoch_id = r->epoch_id,
                              .hotkey = tl_api_call_caller(call)->hotkey,
                              .word = r->word,
                              .listings = r->listings,
                              .is_upload_complete = r->is_upload_complete,
                              .zipcodes = r->zipcodes,
                              .updated_ms = r->received_ms};
}

static tl_err note_status(tl_api_call *call, const report *r, tl_errctx *ctx)
{
    const tl_record_status status = status_of(call, r);
    return tl_records_put_status(tl__coordinator_records_of(call), &status, ctx);
}

static tl_err refuse_word(tl_api_call *call, tl_errctx *ctx)
{
    tl_errctx_reset(ctx);
    return tl_api_fail(call, TL_API_CONFLICT, "/status",
                       "The epoch was reported as over with another word");
}

static tl_err acknowledge(tl_api_call *call, const report *r, const tl_intake_ack *ack,
                          tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    tl_err err = TL_OK;
    switch (ack->receipt.kept) {
    case TL_RECORD_KEPT:
        tl_series_add(c->submissions, 1);
        return answer_kept(call, &ack->receipt.content_hash, ack->receipt.received_ms,
                           ack->object_count, ctx);
    case TL_RECORD_KEPT_BEFORE:
        return answer_first(call, r->epoch_id, &err, ctx)
                   ? err
                   : tl_fail(ctx, TL_ERR_INTERNAL, "a submission that was kept is not there");
    case TL_RECORD_TOO_LATE:
        return tl_api_fail(call, TL_API_EPOCH_CLOSED, "/epochId", "The epoch is closed");
    case TL_RECORD_NO_EPOCH:
        break;
    }
    return tl_api_fail(call, TL_API_NOT_FOUND, "/epochId", "There is no such epoch");
}

static tl_err take_submission(tl_api_call *call, const report *r, const tl_keeper_live *live,
                              tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    const tl_api_caller *caller = tl_api_call_caller(call);
    tl_arena *scratch = NULL;
    tl_intake_ack ack;
    const tl_record_status status = status_of(call, r);
    const tl_intake_claim claim = {.epoch_id = r->epoch_id,
                                   .ss58 = tl_str_from_cstr(caller->ss58),
                                   .hotkey = caller->hotkey,
                                   .coldkey = caller->member.coldkey,
                                   .uid = caller->member.uid,
                                   .received_ms = r->received_ms,
                                   .correlation = tl_api_call_id(call),
                                   .zipcodes = live->zipcodes,
                                   .zipcode_count = live->zipcode_count,
                                   .status = &status};
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    tl_keeper_enter(c->keeper, live->record.start_ms);
    tl_err err = tl_intake_take(c->intake, &ack, scratch, &claim, ctx);
    if (err == TL_OK) {
        err = acknowledge(call, r, &ack, ctx);
    } else {
        err = refuse_upload(call, err, ctx);
    }
    tl_keeper_leave(c->keeper, live->record.start_ms);
    tl_arena_free(scratch);
    return err;
}

static tl_err take_word(tl_api_call *call, const report *r, tl_errctx *ctx)
{
    const tl_err err = note_status(call, r, ctx);
    if (err == TL_ERR_STATE) {
        return refuse_word(call, ctx);
    }
    TL_TRY(err);
    return answer_plain(call);
}

/* COMPLETED goes back from no other end, and no other end back from it. */
static tl_err check_word(tl_api_call *call, const report *r, bool *goes_on, tl_errctx *ctx)
{
    tl_record_status before;
    const tl_err err =
        tl_records_get_status(tl__coordinator_records_of(call), &before, r->epoch_id,
                              &tl_api_call_caller(call)->hotkey, tl_api_call_arena(call), ctx);
    *goes_on = true;
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    TL_TRY(err);
    if (before.word != TL_RECORD_STATUS_IN_PROGRESS && before.word != r->word) {
        *goes_on = false;
        return refuse_word(call, ctx);
    }
    return TL_OK;
}

static bool nonce_is_wrong(tl_api_call *call, const tl_record_epoch *epoch)
{
    const tl_json *nonce = tl_json_get(tl_api_call_json(call), "nonce");
    return tl__coordinator_of(call)->s.is_compat &&
           (nonce == NULL || nonce->kind != TL_JSON_STRING ||
            !tl_str_eq(nonce->text, epoch->nonce));
}

static tl_err take_report(tl_api_call *call, const report *r, const tl_keeper_live *live,
                          tl_errctx *ctx)
{
    bool goes_on;
    tl_err err = TL_OK;
    TL_TRY(check_word(call, r, &goes_on, ctx));
    if (!goes_on) {
        return TL_OK;
    }
    const bool is_submission = r->word == TL_RECORD_STATUS_COMPLETED && r->is_upload_complete;
    if (is_submission && answer_first(call, r->epoch_id, &err, ctx)) {
        return err; /* also after the deadline: what was acknowledged stays acknowledged */
    }
    TL_TRY(err);
    const bool is_served = live != NULL && (live->record.state == TL_EPOCH_OPEN ||
                                            live->record.state == TL_EPOCH_PENDING ||
                                            live->record.state == TL_EPOCH_REVEAL);
    if (!is_served || r->received_ms >= live->plan.end_ms) {
        return tl_api_fail(call, TL_API_EPOCH_CLOSED, "/epochId", "The epoch is closed");
    }
    if (r->received_ms < live->record.start_ms) {
        return tl_api_fail(call, TL_API_NOT_FOUND, "/epochId", "There is no such epoch yet");
    }
    if (nonce_is_wrong(call, &live->record)) {
        return tl_api_fail(call, TL_API_INVALID_REQUEST, "/nonce", "It is not the epoch's");
    }
    return is_submission ? take_submission(call, r, live, ctx) : take_word(call, r, ctx);
}

/* An epoch that lives is in the roster; one that does not is over, or never was. */
static tl_err take_of_old(tl_api_call *call, const report *r, tl_errctx *ctx)
{
    tl_record_epoch epoch;
    const tl_err err = tl_records_get_epoch(tl__coordinator_records_of(call), &epoch, r->epoch_id,
                                            tl_api_call_arena(call), ctx);
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return tl_api_fail(call, TL_API_NOT_FOUND, "/epochId", "There is no such epoch");
    }
    TL_TRY(err);
    return take_report(call, r, NULL, ctx);
}

tl_err tl__coordinator_take_status(tl_api_call *call, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    report r;
    if (!tl__coordinator_coldkey_is_own(call)) {
        return TL_OK;
    }
    TL_TRY(read_report(&r, call, ctx));
    const tl_keeper_roster *roster = tl_keeper_roster_get(c->keeper);
    const tl_keeper_live *live = tl_keeper_live_of(roster, r.epoch_id);
    const tl_err err = live != NULL ? take_report(call, &r, live, ctx) : take_of_old(call, &r, ctx);
    tl_keeper_roster_drop(c->keeper, roster);
    return err;
}
