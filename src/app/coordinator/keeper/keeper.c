/* The turn: lease, acts, roster. The thread that takes one turn after the other. */
#include "app/coordinator/keeper/keeper_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/listings/race/race.h"

enum {
    MS_NS = 1000000,
    RENEW_MIN_MS = 100,
    RENEW_MAX_MS = 1000,
    SAY_MS = 30000,
    ARCHIVE_MS = 60000
};

#define LEASE_NAME TL_STR("leader")
#define LED_NAME   TL_STR("led")

int64_t tl__keeper_now_ms(const tl_keeper *keeper)
{
    return tl_clock_wall_ns(&keeper->s.clock) / MS_NS;
}

void tl__keeper_say(const tl_keeper *keeper, tl_log_level level, const char *message,
                    tl_str epoch_id, const char *key, tl_str text)
{
    if (keeper->s.log != NULL) {
        tl_log log = *keeper->s.log; /* a log is one thread's; its sink is everybody's */
        const tl_log_field fields[] = {
            TL_LOG_TEXT("epoch_id", epoch_id),
            TL_LOG_TEXT(key != NULL ? key : "holder",
                        key != NULL ? text : tl_str_from_cstr(keeper->s.holder))};
        tl_log_say(&log, level, message, fields, 2);
    }
}

void tl_keeper_value_name(char out[TL_KEEPER_NAME_CAP], const char *what, tl_str epoch_id)
{
    (void)tl_str_print(out, TL_KEEPER_NAME_CAP, "%s:%.*s", what, TL_STR_ARG(epoch_id));
}

bool tl_keeper_is_counted(const tl_api_member *member, int64_t validator_stake_rao)
{
    return member->has_permit && member->stake_rao >= validator_stake_rao;
}

/* --- the lease --- */

/* Short epochs have short windows: an outage that a day's epoch would not notice must be noticed there. */
static int64_t renew_ms(const tl_keeper *keeper)
{
    const int64_t ms = keeper->rules.epoch_ms / 40;
    return ms < RENEW_MIN_MS ? RENEW_MIN_MS : ms > RENEW_MAX_MS ? RENEW_MAX_MS : ms;
}

/* Somebody led until then; what had not ended by then gets the time back (SCHED-4). */
static tl_err make_up_for_outage(tl_keeper *keeper, int64_t now_ms, tl_errctx *ctx)
{
    tl_bytes led;
    int64_t led_ms;
    const tl_err err = tl_records_get_value(keeper->records, &led, LED_NAME, keeper->scratch, ctx);
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    TL_TRY(err);
    if (!tl_str_parse_i64(&led_ms, (tl_str){(const char *)led.ptr, led.len}) ||
        now_ms - led_ms <= 2 * renew_ms(keeper)) {
        return TL_OK;
    }
    tl__keeper_view view;
    TL_TRY(tl__keeper_read(keeper, &view, false, now_ms, ctx));
    for (size_t i = 0; i < view.count; i++) {
        const int64_t anchor_ms = tl_schedule_after_outage(&view.plans[i], led_ms, now_ms);
        if (anchor_ms != view.plans[i].anchor_ms) {
            char name[TL_KEEPER_NAME_CAP];
            char text[32];
            tl_keeper_value_name(name, "anchor", view.records[i].id);
            const size_t len = tl_str_print(text, sizeof text, "%lld", (long long)anchor_ms);
            TL_TRY(tl_records_put_value(keeper->records, tl_str_from_cstr(name),
                                        (tl_bytes){(const uint8_t *)text, len}, &keeper->lease,
                                        ctx));
            tl__keeper_say(keeper, TL_LOG_WARN, "nobody led for a while: limits count from now",
                           view.records[i].id, NULL, (tl_str){NULL, 0});
        }
    }
    return TL_OK;
}

static tl_err write_led(tl_keeper *keeper, int64_t now_ms, tl_errctx *ctx)
{
    char text[32];
    const size_t len = tl_str_print(text, sizeof text, "%lld", (long long)now_ms);
    return tl_records_put_value(keeper->records, LED_NAME, (tl_bytes){(const uint8_t *)text, len},
                                &keeper->lease, ctx);
}

/* Take or renew the lease, a few times within its life. */
static tl_err see_to_lease(tl_keeper *keeper, int64_t now_ms, tl_errctx *ctx)
{
    bool is_ours = false;
    tl_record_lease lease;
    if (keeper->is_leader && now_ms >= keeper->renewed_ms &&
        now_ms - keeper->renewed_ms < renew_ms(keeper)) {
        return TL_OK;
    }
    TL_TRY(tl_records_take_lease(keeper->records, &lease, &is_ours, LEASE_NAME,
                                 tl_str_from_cstr(keeper->s.holder), now_ms, TL_KEEPER_LEASE_MS,
                                 keeper->scratch, ctx));
    if (!is_ours) {
        if (keeper->is_leader) {
            tl__keeper_say(keeper, TL_LOG_WARN, "another coordinator leads", (tl_str){NULL, 0},
                           "leader", lease.holder);
        }
        keeper->is_leader = false;
        return TL_OK;
    }
    lease.name = LEASE_NAME;
    lease.holder = tl_str_from_cstr(keeper->s.holder);
    keeper->lease = lease;
    if (!keeper->is_leader) {
        tl__keeper_say(keeper, TL_LOG_INFO, "leads", (tl_str){NULL, 0}, NULL, (tl_str){NULL, 0});
    }
    if (!keeper->is_leader || keeper->was_away) {
        TL_TRY(make_up_for_outage(keeper, now_ms, ctx));
    }
    keeper->was_away = false;
    TL_TRY(write_led(keeper, now_ms, ctx));
    keeper->is_leader = true;
    keeper->renewed_ms = now_ms;
    return TL_OK;
}

/* --- a turn --- */

/* Settled and failed epochs whose time of keeping is over: those before a day, newest first, until all of a page are
 * archived. */
static tl_err archive_old(tl_keeper *keeper, int64_t now_ms, tl_errctx *ctx)
{
    char before[TL_SLOT_ID_CAP];
    if (now_ms - keeper->swept_ms < ARCHIVE_MS || now_ms < keeper->rules.keep_ms) {
        return TL_OK;
    }
    keeper->swept_ms = now_ms;
    tl_slot_print(before, (now_ms - keeper->rules.keep_ms) / 1000 * 1000);
    tl_str cursor = tl_str_from_cstr(before);
    for (bool goes_on = true; goes_on;) {
        const tl_record_epoch *epochs;
        size_t count;
        goes_on = false;
        TL_TRY(
            tl_records_epochs(keeper->records, &epochs, &count, cursor, 64, keeper->scratch, ctx));
        for (size_t i = 0; i < count; i++) {
            const bool is_over =
                epochs[i].state == TL_EPOCH_SETTLED || epochs[i].state == TL_EPOCH_FAILED;
            if (is_over && now_ms - epochs[i].moved_ms >= keeper->rules.keep_ms) {
                const tl_schedule_act act = {.kind = TL_ACT_ARCHIVE,
                                             .start_ms = epochs[i].start_ms};
                TL_TRY(tl__keeper_carry_out(keeper, &act, now_ms, ctx));
                goes_on = true;
            }
            cursor = epochs[i].id;
        }
    }
    return TL_OK;
}

static tl_err lead(tl_keeper *keeper, int64_t *wake_ms, tl_errctx *ctx)
{
    for (int turn = 0; turn < TL__KEEPER_TURNS; turn++) {
        tl_schedule_act acts[TL_SCHEDULE_ACTS_MAX];
        tl__keeper_view view;
        const tl_arena_mark mark = tl_arena_get_mark(keeper->scratch);
        const int64_t now_ms = tl__keeper_now_ms(keeper);
        TL_TRY(tl__keeper_read(keeper, &view, true, now_ms, ctx));
        const size_t count = tl_schedule_step(acts, wake_ms, &keeper->rules, view.plans, view.count,
                                              view.newest_ms, now_ms);
        for (size_t i = 0; i < count; i++) {
            const tl_err err = tl__keeper_carry_out(keeper, &acts[i], now_ms, ctx);
            if (err != TL_OK) {
                char id[TL_SLOT_ID_CAP];
                tl_slot_print(id, acts[i].start_ms);
                tl_errctx_wrap(ctx, "%s %s", tl_schedule_act_text(acts[i].kind), id);
                return err;
            }
        }
        tl_arena_rewind(keeper->scratch, mark);
        if (count == 0) {
            return archive_old(keeper, now_ms, ctx);
        }
    }
    return TL_OK; /* more of it in the next turn */
}

tl_err tl_keeper_turn(tl_keeper *keeper, int64_t *wake_ms, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(keeper->scratch);
    int64_t due_ms = INT64_MAX;
    tl__keeper_view view;
    const int64_t now_ms = tl__keeper_now_ms(keeper);
    tl_err err = see_to_lease(keeper, now_ms, ctx);
    if (err == TL_OK && keeper->is_leader) {
        err = lead(keeper, &due_ms, ctx);
    }
    keeper->was_away = keeper->was_away || (err != TL_OK && err != TL_ERR_REFUSED);
    if (err == TL_ERR_REFUSED) { /* KEEP-1: the lease went to another one */
        keeper->is_leader = false;
    }
    tl_errctx ours = TL_ERRCTX_INIT;
    tl_err read_err = tl__keeper_read(keeper, &view, false, now_ms, &ours);
    if (read_err == TL_OK) {
        read_err = tl__keeper_refresh(keeper, &view, now_ms, &ours);
    }
    if (err == TL_OK && read_err != TL_OK) {
        err = read_err;
        if (ctx != NULL) {
            *ctx = ours;
        }
    }
    tl_arena_rewind(keeper->scratch, mark);
    if (wake_ms != NULL) {
        const int64_t latest_ms = now_ms + TL_KEEPER_TURN_MS;
        *wake_ms = due_ms < latest_ms ? due_ms : latest_ms;
    }
    return err;
}

/* --- the thread --- */

static void pause_until(tl_keeper *keeper, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t ns = until.tv_nsec + (wait_ms > 1 ? wait_ms : 1) * MS_NS;
    until.tv_sec += ns / (1000 * MS_NS);
    until.tv_nsec = ns % (1000 * MS_NS);
    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->is_ending && !keeper->is_poked &&
           pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until) == 0) {
    }
    keeper->is_poked = false;
    (void)pthread_mutex_unlock(&keeper->lock);
}

static bool is_ending(tl_keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    const bool ending = keeper->is_ending;
    (void)pthread_mutex_unlock(&keeper->lock);
    return ending;
}

/* The same failure at every turn is told now and then. */
static void tell_failure(tl_keeper *keeper, const tl_errctx *why)
{
    const int64_t now_ms = tl_clock_steady_ns(&keeper->s.clock) / MS_NS;
    if (keeper->said_ms == 0 || now_ms - keeper->said_ms >= SAY_MS) {
        keeper->said_ms = now_ms;
        tl__keeper_say(keeper, TL_LOG_ERROR, "a turn failed", (tl_str){NULL, 0}, "reason",
                       tl_str_from_cstr(why->message));
    }
}

static void *run(void *self)
{
    tl_keeper *keeper = self;
    while (!is_ending(keeper)) {
        tl_errctx why = TL_ERRCTX_INIT;
        int64_t wake_ms = 0;
        if (tl_keeper_turn(keeper, &wake_ms, &why) != TL_OK) {
            tell_failure(keeper, &why);
        }
        pause_until(keeper, wake_ms - tl__keeper_now_ms(keeper));
    }
    return NULL;
}

tl_err tl_keeper_start(tl_keeper *keeper, tl_errctx *ctx)
{
    TL_ASSERT(!keeper->has_thread);
    if (pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no thread for the epochs");
    }
    keeper->has_thread = true;
    return TL_OK;
}

void tl_keeper_stop(tl_keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->is_ending = true;
    (void)pthread_cond_broadcast(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    if (keeper->has_thread) {
        (void)pthread_join(keeper->thread, NULL);
        keeper->has_thread = false;
    }
    if (keeper->is_leader) { /* the next leader need not wait for the lease to lapse */
        (void)write_led(keeper, tl__keeper_now_ms(keeper), NULL);
        const tl_err err = tl_records_drop_lease(keeper->records, &keeper->lease, NULL);
        (void)err; /* it lapses all the same */
        keeper->is_leader = false;
    }
}

void tl_keeper_poke(tl_keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->is_poked = true;
    (void)pthread_cond_signal(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
}

/* --- making and ending one --- */

static tl_err open_parts(tl_keeper *keeper, tl_errctx *ctx)
{
    TL_TRY(tl_arena_new(&keeper->scratch, NULL, 0, NULL, ctx));
    TL_TRY(tl_records_open(&keeper->records, &keeper->s.sql, TL_RECORDS_USE, ctx));
    return tl_keeper_turn(keeper, NULL, ctx);
}

tl_err tl_keeper_new(tl_keeper **out, const tl_keeper_settings *settings, tl_errctx *ctx)
{
    pthread_condattr_t monotonic;
    tl_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the keeper of epochs");
    }
    TL_ASSERT(tl_slot_seconds_are_valid(settings->epoch_seconds));
    keeper->s = *settings;
    keeper->rules.epoch_ms = (int64_t)settings->epoch_seconds * 1000;
    keeper->rules.keep_ms = settings->keep_ms > 0 ? settings->keep_ms : 7 * TL_SCHEDULE_DAY_MS;
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    const tl_err err = open_parts(keeper, ctx);
    if (err != TL_OK) {
        tl_keeper_free(keeper);
        return err;
    }
    *out = keeper;
    return TL_OK;
}

void tl_keeper_free(tl_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    tl_keeper_stop(keeper);
    if (keeper->shelf != NULL) {
        tl_keeper_roster_drop(keeper, &keeper->shelf->roster);
    }
    tl_records_close(keeper->records);
    tl_arena_free(keeper->scratch);
    (void)pthread_cond_destroy(&keeper->wake);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
