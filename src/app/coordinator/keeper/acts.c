/* Acts on an epoch that is there: each one transaction, under the fence of the lease (KEEP-1, KEEP-2). */
#include "app/coordinator/keeper/keeper_internal.h"

/* What an act asks of the row, and which event of the machine it is; TL_EPOCH_EVENT_COUNT: none, or judge.c's. */
typedef struct act_rule {
    tl_epoch_state state;
    tl_epoch_event event;
    const char *cause;
} act_rule;

static const act_rule rules[TL_ACT_COUNT] = {
    [TL_ACT_OPEN] = {TL_EPOCH_PENDING, TL_EPOCH_EV_OPEN, "its slot began"},
    [TL_ACT_CLOSE] = {TL_EPOCH_OPEN, TL_EPOCH_EV_CLOSE, "the deadline passed"},
    [TL_ACT_BEACON] = {TL_EPOCH_REVEAL, TL_EPOCH_EV_CLOSE, "the beacon is fixed"},
    [TL_ACT_EVIDENCE] = {TL_EPOCH_SCORING, TL_EPOCH_EVENT_COUNT, "the evidence is closed"},
    [TL_ACT_COMMITS] = {TL_EPOCH_SCORING, TL_EPOCH_EVENT_COUNT, "the commitments are closed"},
    [TL_ACT_JUDGE] = {TL_EPOCH_SCORING, TL_EPOCH_EVENT_COUNT, "the results are closed"},
    [TL_ACT_RETRY] = {TL_EPOCH_EXTENDED, TL_EPOCH_EV_RETRY, "scored once more"},
    [TL_ACT_SETTLE] = {TL_EPOCH_AGREED, TL_EPOCH_EV_SETTLE, "the result is published"},
    [TL_ACT_VOID] = {TL_EPOCH_PENDING, TL_EPOCH_EV_VOID, "its slot went by"},
    [TL_ACT_ARCHIVE] = {TL_EPOCH_SETTLED, TL_EPOCH_EV_ARCHIVE, "its time of keeping is over"},
};

typedef struct act_work {
    tl_keeper *keeper;
    tl_schedule_act act;
    int64_t now_ms;
    tl_record_epoch epoch; /* as it stands after the act */
    tl_str cause;
    bool was_moved;
    bool has_new_state;
} act_work;

static bool is_due(const act_work *work)
{
    const tl_record_epoch *epoch = &work->epoch;
    switch (work->act.kind) {
    case TL_ACT_EVIDENCE:
        return epoch->state == TL_EPOCH_SCORING && epoch->evidence_closed_ms == 0;
    case TL_ACT_COMMITS:
        return epoch->state == TL_EPOCH_SCORING && epoch->evidence_closed_ms > 0 &&
               epoch->commits_closed_ms == 0;
    case TL_ACT_JUDGE:
        return epoch->state == TL_EPOCH_SCORING && epoch->commits_closed_ms > 0;
    case TL_ACT_CLOSE: /* an extension may have come since the act was given */
        return epoch->state == TL_EPOCH_OPEN && work->now_ms >= epoch->end_ms + epoch->extended_ms;
    case TL_ACT_ARCHIVE:
        return epoch->state == TL_EPOCH_SETTLED || epoch->state == TL_EPOCH_FAILED;
    case TL_ACT_OPEN:
    case TL_ACT_BEACON:
    case TL_ACT_RETRY:
    case TL_ACT_SETTLE:
    case TL_ACT_VOID:
        return epoch->state == rules[work->act.kind].state;
    case TL_ACT_MISS:
    case TL_ACT_PREPARE:
    case TL_ACT_COUNT:
        break;
    }
    return false;
}

/* Work for whoever shares the stores: what a shard follows from stands in the tables by now. */
static tl_err queue_shards(tl_keeper *keeper, const tl_record_epoch *epoch, tl_errctx *ctx)
{
    const tl_record_assignment *zipcodes = NULL;
    size_t count = 0;
    if (!keeper->s.has_workers || keeper->s.is_compat) {
        return TL_OK;
    }
    TL_TRY(tl_records_assignments(keeper->records, &zipcodes, &count, epoch->id, keeper->scratch,
                                  ctx));
    tl_record_shard *shards = TL_NEW(keeper->scratch, tl_record_shard, count);
    if (shards == NULL && count > 0) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        shards[i] = (tl_record_shard){
            .epoch_id = epoch->id, .zipcode = zipcodes[i].zipcode, .input_key = epoch->beacon};
    }
    return tl_records_put_shards(keeper->records, shards, count, ctx);
}

/* The marks of the row that an act sets besides its state. */
static tl_err set_marks(act_work *work, tl_epoch_event *event, tl_errctx *ctx)
{
    tl_record_epoch *epoch = &work->epoch;
    switch (work->act.kind) {
    case TL_ACT_BEACON:
        TL_TRY(tl__keeper_beacon(work->keeper, epoch, ctx));
        epoch->beacon_ms = work->now_ms;
        TL_TRY(queue_shards(work->keeper, epoch, ctx));
        return tl__keeper_write_carry(work->keeper, epoch, work->now_ms, ctx);
    case TL_ACT_EVIDENCE:
        epoch->evidence_closed_ms = work->now_ms;
        return tl__keeper_note_absent(work->keeper, epoch, ctx);
    case TL_ACT_COMMITS:
        epoch->commits_closed_ms = work->now_ms;
        return TL_OK;
    case TL_ACT_JUDGE:
        epoch->results_closed_ms = work->now_ms;
        return tl__keeper_judge(work->keeper, epoch, event, &work->cause, work->now_ms, ctx);
    case TL_ACT_RETRY:
        epoch->round = 1;
        epoch->commits_closed_ms = 0;
        epoch->results_closed_ms = 0;
        return TL_OK;
    case TL_ACT_SETTLE:
        epoch->settled_ms = work->now_ms;
        return tl_records_close_shards(work->keeper->records, epoch->id, ctx);
    case TL_ACT_OPEN:
    case TL_ACT_CLOSE:
    case TL_ACT_VOID:
    case TL_ACT_ARCHIVE:
    case TL_ACT_MISS:
    case TL_ACT_PREPARE:
    case TL_ACT_COUNT:
        break;
    }
    return TL_OK;
}

/* Read and lock, let the machine step, write under the fence. */
static tl_err carry_out(void *self, tl_sql *sql, tl_errctx *ctx)
{
    act_work *work = self;
    tl_keeper *keeper = work->keeper;
    const act_rule *rule = &rules[work->act.kind];
    char id[TL_SLOT_ID_CAP];
    (void)sql;
    tl_slot_print(id, work->act.start_ms);
    work->was_moved = false;
    work->has_new_state = false;
    work->cause = tl_str_from_cstr(rule->cause);
    TL_TRY(tl_records_lock_epoch(keeper->records, &work->epoch, (tl_str){id, TL_SLOT_ID_LEN},
                                 keeper->scratch, ctx));
    if (!is_due(work)) {
        return TL_OK; /* another leader did it */
    }
    tl_epoch_event event = rule->event;
    tl_epoch_machine machine = tl_keeper_machine(&work->epoch);
    TL_TRY(set_marks(work, &event, ctx));
    if (event != TL_EPOCH_EVENT_COUNT) {
        tl_epoch_transition made;
        work->has_new_state = true;
        const uint64_t now = (uint64_t)work->now_ms;
        TL_TRY(tl_epoch_step(&machine, &made, event, now > machine.height ? now : machine.height,
                             rule->cause, ctx));
        work->epoch.state = machine.state;
    }
    TL_TRY(tl_records_update_epoch(keeper->records, &work->epoch, work->cause, work->now_ms,
                                   &keeper->lease, ctx));
    work->was_moved = true;
    return TL_OK;
}

tl_err tl__keeper_carry_out(tl_keeper *keeper, const tl_schedule_act *act, int64_t now_ms,
                            tl_errctx *ctx)
{
    if (act->kind == TL_ACT_MISS || act->kind == TL_ACT_PREPARE) {
        return tl__keeper_prepare(keeper, act->start_ms, act->kind == TL_ACT_MISS, ctx);
    }
    act_work work = {.keeper = keeper, .act = *act, .now_ms = now_ms};
    TL_TRY(tl_sql_transact(tl_records_sql(keeper->records), carry_out, &work, ctx));
    if (work.was_moved) {
        tl__keeper_say(keeper, TL_LOG_INFO, tl_epoch_state_text(work.epoch.state), work.epoch.id,
                       "cause", work.cause);
        if (keeper->s.on_move != NULL && work.has_new_state) {
            keeper->s.on_move(keeper->s.self, &work.epoch, work.cause);
        }
    }
    return TL_OK;
}
