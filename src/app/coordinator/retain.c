/* retain.c: what is kept for how long (listings spec, sections 1 and 4): raw uploads seven days, submissions and their kept
 * objects thirty days after their epoch, validators' uploads half a year; results, ballots, standings and the audit log
 * stay. One thread looks once an hour; whoever does not lead leaves it to the leader. Files age by the machine's clock, so a
 * coordinator on a clock of its own (tests, the demo) keeps everything. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "app/coordinator/coordinator_internal.h"

#define DAY_S     86400
#define DAY_MS    INT64_C(86400000)
#define ROWS_DAYS 30
#define LOOK_S    3600
#define FIRST_S   60 /* after the start: not in the way of what a restart has to catch up with */
#define PAGE      64

struct tl__retainer {
    tl_coordinator *c;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool has_ended;
};

static const tl_objects_rule rules[] = {
    {{"data/", 5}, 7 * DAY_S},
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

static void look(tl_coordinator *c)
{
    const tl_keeper_roster *roster = tl_keeper_roster_get(c->keeper);
    const bool leads = roster->is_leader;
    tl_keeper_roster_drop(c->keeper, roster);
    tl_errctx why = TL_ERRCTX_INIT;
    if (leads && tl__coordinator_retain(c, tl__coordinator_now_ms(c), &why) != TL_OK &&
        c->s.log != NULL) {
        tl_log log = *c->s.log;
        tl_log_say(&log, TL_LOG_WARN, why.message, NULL, 0); /* the next look tries again */
    }
}

static void *run(void *arg)
{
    tl__retainer *r = (tl__retainer *)arg;
    int64_t wait_s = FIRST_S;
    (void)pthread_mutex_lock(&r->lock);
    while (!r->has_ended) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += wait_s;
        int rc = 0;
        while (!r->has_ended && rc != ETIMEDOUT) {
            rc = pthread_cond_timedwait(&r->wake, &r->lock, &until);
        }
        if (!r->has_ended) {
            (void)pthread_mutex_unlock(&r->lock);
            look(r->c);
            (void)pthread_mutex_lock(&r->lock);
        }
        wait_s = LOOK_S;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

tl_err tl__retainer_start(tl__retainer **out, tl_coordinator *c, tl_errctx *ctx)
{
    pthread_condattr_t attributes;
    tl__retainer *r = (tl__retainer *)calloc(1, sizeof *r);
    if (r == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a thread");
    }
    r->c = c;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        (void)pthread_cond_destroy(&r->wake);
        (void)pthread_mutex_destroy(&r->lock);
        free(r);
        return tl_fail(ctx, TL_ERR_IO, "no thread for retention");
    }
    *out = r;
    return TL_OK;
}

void tl__retainer_stop(tl__retainer *r)
{
    if (r == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&r->lock);
    r->has_ended = true;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->lock);
    (void)pthread_join(r->thread, NULL);
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}
