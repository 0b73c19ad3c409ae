/* retain.c: what is kept for how long (listings spec, sections 1 and 4): raw uploads and workers' documents eight days,
 * submissions and their kept objects thirty days after their epoch, validators' uploads half a year; results, ballots,
 * standings and the audit log stay. */
#include "app/coordinator/coordinator_internal.h"

#define DAY_S     TL_DAY_SECONDS
#define DAY_MS    TL_DAY_MS
#define ROWS_DAYS 30
#define TEND_MS   INT64_C(3600000)
#define PAGE      64

static const tl_objects_rule rules[] = {
    {{"data/", 5}, 8 * DAY_S},
    {{"shards/", 7}, 8 * DAY_S},
    {{TL_OBJECTS_KEPT_PREFIX, sizeof TL_OBJECTS_KEPT_PREFIX - 1}, ROWS_DAYS *DAY_S},
    {{"validators/", 11}, 180 * DAY_S},
};

/* Archived epochs whose time is over; what has gone already costs a query each. */
static tl_err forget_rows(tl_records *records, uint64_t *forgotten, int64_t now_ms, tl_arena *arena,
                          tl_errctx *ctx)
{
    tl_str before = {NULL, 0};
    for (;;) {
        const tl_record_epoch *epochs = NULL;
        size_t count = 0;
        TL_TRY(tl_records_epochs(records, &epochs, &count, before, PAGE, arena, ctx));
        for (size_t i = 0; i < count; i++) {
            uint64_t gone = 0;
            if (epochs[i].state == TL_EPOCH_ARCHIVED &&
                epochs[i].end_ms + ROWS_DAYS * DAY_MS < now_ms) {
                TL_TRY(tl_records_forget_submissions(records, &gone, epochs[i].id, NULL, ctx));
                *forgotten += gone;
            }
        }
        if (count < PAGE) {
            return TL_OK;
        }
        before = epochs[count - 1].id;
    }
}

tl_err tl__coordinator_retain(tl_coordinator *c, int64_t now_ms, tl_errctx *ctx)
{
    tl_records *records = NULL;
    tl_arena *arena = NULL;
    tl_objects_swept swept = {0};
    uint64_t forgotten = 0;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = tl_records_open(&records, &c->s.sql, TL_RECORDS_STRICT, ctx);
    err = err == TL_OK ? forget_rows(records, &forgotten, now_ms, arena, ctx) : err;
    tl_records_close(records);
    tl_arena_free(arena);
    err = err == TL_OK ? tl_objects_sweep(c->objects, &swept, rules, sizeof rules / sizeof *rules,
                                          now_ms, ctx)
                       : err;
    if (c->s.log != NULL && (forgotten > 0 || swept.objects > 0)) {
        tl_log log = *c->s.log;
        const tl_log_field fields[] = {TL_LOG_NUMBER("submissions", (int64_t)forgotten),
                                       TL_LOG_NUMBER("objects", (int64_t)swept.objects),
                                       TL_LOG_NUMBER("bytes", (int64_t)swept.bytes)};
        tl_log_say(&log, TL_LOG_INFO, "what was kept long enough is gone", fields,
                   sizeof fields / sizeof *fields);
    }
    return err;
}

tl_err tl_coordinator_tend(tl_coordinator *c, tl_errctx *ctx)
{
    const int64_t now_ms = tl__coordinator_now_ms(c);
    const tl_keeper_roster *roster = tl_keeper_roster_get(c->keeper);
    const bool is_leader = roster->is_leader;
    tl_keeper_roster_drop(c->keeper, roster);
    if (!is_leader || now_ms - c->swept_ms < TEND_MS) {
        return TL_OK;
    }
    c->swept_ms = now_ms;
    return tl__coordinator_retain(c, now_ms, ctx);
}
