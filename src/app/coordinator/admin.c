/* What people do: look at the audit log, lengthen an epoch, call one off. */
#include "app/coordinator/coordinator_internal.h"

static void put_act(tl_json_writer *w, const tl_record_act *act)
{
    tl_json_put_object(w);
    tl__coordinator_put_number(w, "serial", (int64_t)act->serial);
    tl__coordinator_put_time(w, "at", act->at_ms);
    tl__coordinator_put_text(w, "actor", act->actor);
    tl__coordinator_put_text(w, "act", act->act);
    tl__coordinator_put_text(w, "subject", act->subject);
    tl_json_put_key(w, "detail");
    if (act->detail.len > 0) {
        tl_json_put_raw(w, act->detail);
    } else {
        tl_json_put_null(w);
    }
    tl__coordinator_put_text(w, "correlationId", act->correlation);
    tl__coordinator_put_hash(w, "previous", &act->previous);
    tl__coordinator_put_hash(w, "hash", &act->hash);
    tl_json_put_end(w);
}

tl_err tl__coordinator_list_audit(tl_api_call *call, tl_errctx *ctx)
{
    const tl_record_act *acts;
    size_t count;
    uint64_t after = 0;
    tl_sb sb;
    tl_json_writer w;
    char cursor[24];
    const size_t limit = (size_t)tl_api_param_i64(call, "limit", 50);
    const tl_str given = tl_api_param_str(call, "cursor");
    if (given.ptr != NULL && !tl_str_parse_u64(&after, given)) {
        return tl_api_fail(call, TL_API_NOT_FOUND, "cursor", "It is none of this list");
    }
    TL_TRY(tl_records_acts(tl__coordinator_records_of(call), &acts, &count, after, limit,
                           tl_api_call_arena(call), ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        put_act(&w, &acts[i]);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "nextCursor");
    if (count == limit) {
        (void)tl_str_print(cursor, sizeof cursor, "%llu",
                           (unsigned long long)acts[count - 1].serial);
        tl_json_put_cstr(&w, cursor);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

/* --- epochs --- */

static tl_err tell_state(tl_api_call *call, tl_err err, tl_errctx *ctx)
{
    if (err == TL_ERR_STATE) {
        return tl_api_fail(call, TL_API_CONFLICT, "epochId", "%s", ctx->message);
    }
    return err;
}

tl_err tl__coordinator_extend_epoch(tl_api_call *call, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    const tl_json *body = tl_api_call_json(call);
    tl_record_epoch epoch;
    tl_err err = TL_OK;
    int64_t seconds;
    tl_str reason;
    tl_str json;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    TL_TRY(tl_json_want_i64(&seconds, body, "seconds", ctx));
    TL_TRY(tl_json_want_str(&reason, body, "reason", ctx));
    err = tl_coordinator_extend(&json, tl_api_call_arena(call), tl__coordinator_records_of(call),
                                c->s.key, (tl_str){NULL, 0}, epoch.id, seconds, reason,
                                tl_str_from_cstr(tl_api_call_caller(call)->subject),
                                tl_api_call_id(call), tl__coordinator_now_ms(c), ctx);
    if (err != TL_OK) {
        return tell_state(call, err, ctx);
    }
    tl_keeper_poke(c->keeper);
    tl_api_answer(call, 200, json);
    return TL_OK;
}

typedef struct void_work {
    tl_api_call *call;
    tl_str epoch_id;
    tl_str reason;
    int64_t at_ms;
} void_work;

static tl_err note_void(const void_work *work, tl_records *records, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str detail;
    tl_sb_init(&sb, tl_api_call_arena(work->call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_text(&w, "reason", work->reason);
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&detail, &sb, ctx));
    tl_record_act act = {.at_ms = work->at_ms,
                         .actor = tl_str_from_cstr(tl_api_call_caller(work->call)->subject),
                         .act = TL_STR("epoch.void"),
                         .subject = work->epoch_id,
                         .detail = detail,
                         .correlation = tl_api_call_id(work->call)};
    return tl_records_note(records, &act, ctx);
}

/* The row and its note are one transaction (COORD-3). */
static tl_err call_off(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const void_work *work = self;
    tl_records *records = tl__coordinator_records_of(work->call);
    tl_record_epoch epoch;
    tl_epoch_transition made;
    (void)sql;
    TL_TRY(
        tl_records_lock_epoch(records, &epoch, work->epoch_id, tl_api_call_arena(work->call), ctx));
    tl_epoch_machine machine = tl_keeper_machine(&epoch);
    const uint64_t now = (uint64_t)work->at_ms;
    TL_TRY(tl_epoch_step(&machine, &made, TL_EPOCH_EV_VOID,
                         now > machine.height ? now : machine.height, "called off", ctx));
    epoch.state = machine.state;
    TL_TRY(tl_records_update_epoch(records, &epoch, work->reason, work->at_ms, NULL, ctx));
    return note_void(work, records, ctx);
}

tl_err tl__coordinator_void_epoch(tl_api_call *call, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    void_work work = {.call = call, .at_ms = tl__coordinator_now_ms(c)};
    tl_record_epoch epoch;
    tl_err err = TL_OK;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    work.epoch_id = epoch.id;
    TL_TRY(tl_json_want_str(&work.reason, tl_api_call_json(call), "reason", ctx));
    err = tl_sql_transact(tl_records_sql(tl__coordinator_records_of(call)), call_off, &work, ctx);
    if (err != TL_OK) {
        return tell_state(call, err, ctx);
    }
    tl_keeper_poke(c->keeper);
    tl_api_answer(call, 200, TL_STR("{\"success\":true}"));
    return TL_OK;
}
