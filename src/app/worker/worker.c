/* Slots: a thread each, which claims a shard, scores it and says so; leases are renewed beside them. */
#include "app/worker/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "io/sys/sys.h"

enum { MS_NS = 1000000, IDLE_MS = 200, AWAY_MS = 500, TICK_MS = 100, HOLDER_CAP = 96, TRIES = 4 };

typedef struct worker worker;

typedef struct slot {
    worker *of;
    char holder[HOLDER_CAP];
    tl_records *records; /* NULL: not opened yet */
    pthread_t thread;
    bool has_thread;
    bool has_lease; /* the next: guarded by the worker's lock */
    tl_record_shard lease;
    char epoch_id[32];
    char zipcode[16];
} slot;

struct worker {
    const tl_worker_options *o;
    int64_t lease_ms;
    slot *slots;
    pthread_mutex_t lock;  /* of leases */
    pthread_mutex_t voice; /* of on_shard */
    atomic_bool is_ending;
    tl_err err; /* of on_shard; guarded by voice */
    tl_errctx why;
};

static int64_t now_ms(const worker *w)
{
    return tl_clock_wall_ns(&w->o->clock) / MS_NS;
}

static bool is_ending(worker *w)
{
    return tl_sys_is_interrupted() || atomic_load(&w->is_ending);
}

static void pause_ms(worker *w, int64_t ms)
{
    const int64_t until_ns = tl_clock_steady_ns(&w->o->clock) + ms * MS_NS;
    const struct timespec step = {.tv_nsec = 20L * MS_NS};
    while (!is_ending(w) && tl_clock_steady_ns(&w->o->clock) < until_ns) {
        (void)nanosleep(&step, NULL);
    }
}

static void say(const worker *w, const char *what, const tl_errctx *why)
{
    if (w->o->log != NULL) {
        tl_log log = *w->o->log; /* a log is one thread's; its sink is everybody's */
        const tl_log_field fields[] = {TL_LOG_TEXT("reason", tl_str_from_cstr(why->message))};
        tl_log_say(&log, TL_LOG_WARN, what, fields, 1);
    }
}

/* What will pass: stores that are away. All else is the shard's. */
static bool is_passing(tl_err err)
{
    return err == TL_ERR_IO || err == TL_ERR_LOCKED;
}

/* --- leases --- */

static void note_lease(slot *s, const tl_record_shard *shard)
{
    (void)pthread_mutex_lock(&s->of->lock);
    s->has_lease = shard != NULL;
    if (shard != NULL) {
        s->lease = *shard;
        (void)tl_str_print(s->epoch_id, sizeof s->epoch_id, "%.*s", TL_STR_ARG(shard->epoch_id));
        (void)tl_str_print(s->zipcode, sizeof s->zipcode, "%.*s", TL_STR_ARG(shard->zipcode));
        s->lease.epoch_id = tl_str_from_cstr(s->epoch_id);
        s->lease.zipcode = tl_str_from_cstr(s->zipcode);
        s->lease.holder = tl_str_from_cstr(s->holder);
    }
    (void)pthread_mutex_unlock(&s->of->lock);
}

/* A lease that another one has now is no harm (WORK-1): the shard is finished all the same. */
static void renew_all(worker *w, tl_records *records)
{
    for (unsigned i = 0; i < w->o->slots; i++) {
        slot *s = &w->slots[i];
        tl_errctx why = TL_ERRCTX_INIT;
        (void)pthread_mutex_lock(&w->lock);
        const tl_err err =
            s->has_lease ? tl_records_renew_shard(records, &s->lease, now_ms(w), w->lease_ms, &why)
                         : TL_OK;
        s->has_lease = s->has_lease && err != TL_ERR_REFUSED;
        (void)pthread_mutex_unlock(&w->lock);
        if (err != TL_OK) {
            say(w, "a lease was not renewed", &why);
        }
    }
}

/* WORK-2. A database that is away gets them back when they lapse. */
static void give_back(slot *s)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_err err = TL_OK;
    note_lease(s, NULL);
    for (int i = 0; s->records != NULL && i < TRIES; i++) {
        uint64_t released = 0;
        tl_errctx_reset(&why);
        err = tl_records_release_shards(s->records, tl_str_from_cstr(s->holder), &released, &why);
        if (err == TL_OK) {
            return;
        }
        const struct timespec pause = {.tv_nsec = 200L * MS_NS};
        (void)nanosleep(&pause, NULL);
    }
    if (err != TL_OK) {
        say(s->of, "leases were not given back", &why);
    }
}

/* --- one shard --- */

static tl_err finish(slot *s, tl_arena *arena, const tl_record_shard *shard, tl_str document,
                     tl_errctx *ctx)
{
    tl_record_shard done = *shard;
    const tl_objects_put_options options = {.content_type = TL_STR("application/json"),
                                            .is_durable = true};
    TL_TRY(tl_worker_result_key(&done.result_key, arena, shard->epoch_id, shard->zipcode, document,
                                ctx));
    TL_TRY(tl_objects_put(s->of->o->objects, NULL, done.result_key, tl_str_bytes(document),
                          &options, ctx));
    return tl_records_complete_shard(s->records, &done, ctx);
}

static void tell(slot *s, const tl_record_shard *shard, int64_t from_ns, const char *error)
{
    worker *w = s->of;
    const tl_worker_shard told = {.epoch_id = shard->epoch_id,
                                  .zipcode = shard->zipcode,
                                  .attempt = shard->attempts,
                                  .elapsed_ns = tl_clock_steady_ns(&w->o->clock) - from_ns,
                                  .error = error};
    (void)pthread_mutex_lock(&w->voice);
    if (w->err == TL_OK) {
        w->err = w->o->on_shard(w->o->self, &told, &w->why);
        if (w->err != TL_OK) {
            atomic_store(&w->is_ending, true);
        }
    }
    (void)pthread_mutex_unlock(&w->voice);
}

static void do_shard(slot *s, tl_arena *arena, const tl_record_shard *shard)
{
    const int64_t from_ns = tl_clock_steady_ns(&s->of->o->clock);
    const tl_worker_options *o = s->of->o;
    tl_str document = {NULL, 0};
    tl_errctx why = TL_ERRCTX_INIT;
    note_lease(s, shard);
    tl_err err = tl_worker_score(&document, arena, s->records, o->objects, o->places,
                                 shard->epoch_id, shard->zipcode, &why);
    err = err == TL_OK ? finish(s, arena, shard, document, &why) : err;
    note_lease(s, NULL);
    if (err == TL_ERR_INTERRUPTED) {
        give_back(s);
        return;
    }
    tell(s, shard, from_ns, err == TL_OK ? NULL : why.message);
    if (is_passing(err)) {
        pause_ms(s->of, AWAY_MS);
        give_back(s); /* an outage is no attempt */
    } else if (err != TL_OK) {
        tl_record_shard failed = *shard;
        failed.error = tl_str_from_cstr(why.message);
        if (tl_records_fail_shard(s->records, &failed, NULL) != TL_OK) {
            say(s->of, "a failure was not noted", &why); /* its lease lapses */
        }
    }
}

/* --- the threads --- */

static tl_err claim(slot *s, tl_arena *arena, const tl_record_shard **out, size_t *count,
                    tl_errctx *ctx)
{
    const worker *w = s->of;
    *count = 0;
    if (s->records == NULL) {
        TL_TRY(tl_records_open(&s->records, &w->o->sql, TL_RECORDS_USE, ctx));
    }
    return tl_records_claim_shards(s->records, out, count, tl_str_from_cstr(s->holder), 1,
                                   now_ms(w), w->lease_ms, arena, ctx);
}

static void turn(slot *s)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    const tl_record_shard *shards = NULL;
    size_t count = 0;
    tl_err err = tl_arena_new(&arena, NULL, (size_t)4 << 30, NULL, &why);
    err = err == TL_OK ? claim(s, arena, &shards, &count, &why) : err;
    if (err != TL_OK) {
        say(s->of, "no shard can be claimed", &why);
        pause_ms(s->of, AWAY_MS);
    } else if (count == 0) {
        pause_ms(s->of, IDLE_MS);
    } else {
        do_shard(s, arena, &shards[0]);
    }
    tl_arena_free(arena);
}

static void *run_slot(void *self)
{
    slot *s = self;
    while (!is_ending(s->of)) {
        turn(s);
    }
    give_back(s);
    tl_records_close(s->records);
    s->records = NULL;
    return NULL;
}

static tl_err start_slots(worker *w, tl_errctx *ctx)
{
    for (unsigned i = 0; i < w->o->slots; i++) {
        slot *s = &w->slots[i];
        s->of = w;
        (void)tl_str_print(s->holder, sizeof s->holder, "%s/%u", w->o->id, i);
        if (pthread_create(&s->thread, NULL, run_slot, s) != 0) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no thread for slot %u", i);
        }
        s->has_thread = true;
    }
    return TL_OK;
}

static void keep_leases(worker *w, tl_records *records)
{
    int64_t renewed_ms = now_ms(w);
    while (!is_ending(w)) {
        pause_ms(w, TICK_MS);
        if (now_ms(w) - renewed_ms >= w->lease_ms / 3 || now_ms(w) < renewed_ms) {
            renewed_ms = now_ms(w);
            renew_all(w, records);
        }
    }
}

tl_err tl_worker_run(const tl_worker_options *options, tl_errctx *ctx)
{
    worker w = {.o = options,
                .lease_ms = options->lease_ms > 0 ? options->lease_ms : TL_WORKER_LEASE_MS,
                .why = TL_ERRCTX_INIT};
    tl_arena *arena = NULL;
    tl_records *records = NULL;
    TL_ASSERT(options->slots >= 1 && options->slots <= TL_WORKER_SLOTS_MAX);
    tl_sys_keep_memory();
    TL_TRY(tl_records_open(&records, &options->sql, TL_RECORDS_USE, ctx));
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, ctx);
    w.slots = err == TL_OK ? TL_NEW(arena, slot, options->slots) : NULL;
    if (w.slots != NULL) {
        memset(w.slots, 0, options->slots * sizeof *w.slots);
        (void)pthread_mutex_init(&w.lock, NULL);
        (void)pthread_mutex_init(&w.voice, NULL);
        err = start_slots(&w, ctx);
        if (err == TL_OK) {
            keep_leases(&w, records);
        }
        atomic_store(&w.is_ending, true);
        for (unsigned i = 0; i < options->slots; i++) {
            if (w.slots[i].has_thread) {
                (void)pthread_join(w.slots[i].thread, NULL);
            }
        }
        (void)pthread_mutex_destroy(&w.lock);
        (void)pthread_mutex_destroy(&w.voice);
    } else if (err == TL_OK) {
        err = tl_arena_fail(arena, ctx);
    }
    if (err == TL_OK && w.err != TL_OK) {
        err = tl_fail(ctx, w.err, "%s", w.why.message);
    }
    tl_arena_free(arena);
    tl_records_close(records);
    return err;
}
