/* The cycle: wait for an epoch, do its work, tell how it went, go on to the next. */
#include "app/miner/miner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/miner/miner_internal.h"
#include "io/sys/sys.h"

#define TRY_AGAIN_MS 500

#define KEPT_EPOCHS 3 /* folders of past epochs that stay, to look into */

/* --- one epoch --- */

static tl_err name_load(tl__load *load, const tl__work *work, const tl_place *place, tl_errctx *ctx)
{
    char name[16];
    *load = (tl__load){.place = place};
    (void)tl_str_print(name, sizeof name, "%s.json", place->zipcode);
    TL_TRY(tl_sys_join(&load->path, work->arena, work->dir, name, ctx));
    (void)tl_str_print(name, sizeof name, "%s.sent", place->zipcode);
    return tl_sys_join(&load->sent, work->arena, work->dir, name, ctx);
}

static tl_err start_work(tl__work *work, tl_errctx *ctx)
{
    const tl_peer_assignment *a = work->assignment;
    const char *all = NULL;
    const char *name = NULL;
    TL_TRY(tl_sys_join(&all, work->arena, work->options->dir, "miner", ctx));
    TL_TRY(tl_str_copy_cstr(&name, work->arena, a->epoch_id, ctx));
    if (strchr(name, '/') != NULL || name[0] == '.') {
        return tl_fail_field(ctx, TL_ERR_IO, "epochId", "\"%s\" is no epoch's name", name);
    }
    TL_TRY(tl_sys_join(&work->dir, work->arena, all, name, ctx));
    TL_TRY(tl_sys_make_dir(work->dir, TL_SYS_DIR_MODE, ctx));
    TL_TRY(tl_sys_remove_parts(work->dir, work->arena, ctx));
    work->loads = TL_NEW(work->arena, tl__load, a->place_count);
    if (work->loads == NULL && a->place_count > 0) {
        return tl_arena_fail(work->arena, ctx);
    }
    work->count = a->place_count;
    for (size_t i = 0; i < a->place_count; i++) {
        TL_TRY(name_load(&work->loads[i], work, &a->places[i], ctx));
    }
    return TL_OK;
}

/* Whose fault: what ends the program, and what only ends the epoch. */
static bool is_ours(tl_err err)
{
    return err == TL_ERR_INTERRUPTED || err == TL_ERR_NOMEM || err == TL_ERR_INTERNAL;
}

/* Outages are waited out as long as the epoch lasts; what was uploaded is not sent again (MINER-1). */
static tl_err hand_in(tl__work *work, tl_miner_epoch *out, tl_errctx *ctx)
{
    const tl_peer *peer = work->options->peer;
    const tl_miner_epoch empty = *out;
    tl_err err = tl__miner_hand_in(work, out, ctx);
    while ((err == TL_ERR_IO || err == TL_ERR_LIMIT) &&
           tl_peer_now_ms(peer) + TRY_AGAIN_MS < work->assignment->deadline_ms) {
        TL_TRY(tl_peer_wait(peer, tl_peer_now_ms(peer) + TRY_AGAIN_MS, ctx));
        tl_errctx_reset(ctx);
        *out = empty;
        err = tl__miner_hand_in(work, out, ctx);
    }
    return err;
}

tl_err tl_miner_once(tl_miner_epoch *out, tl_arena *arena, const tl_miner_options *options,
                     const tl_peer_assignment *assignment, tl_errctx *ctx)
{
    tl__work work = {
        .options = options, .assignment = assignment, .arena = arena, .why = TL_ERRCTX_INIT};
    tl_miner_epoch epoch = {.epoch_id = assignment->epoch_id, .status = "COMPLETED", .error = ""};
    tl_errctx why = TL_ERRCTX_INIT;
    TL_TRY(start_work(&work, ctx));
    TL_TRY(tl__miner_collect(&work, ctx));
    epoch.err = hand_in(&work, &epoch, &why);
    if (is_ours(epoch.err)) {
        return tl_fail(ctx, epoch.err, "%s", why.message);
    }
    if (epoch.err != TL_OK) {
        const bool is_late = tl_peer_now_ms(options->peer) >= assignment->deadline_ms;
        epoch.status = is_late ? "TIMEOUT" : "FAILED";
        TL_TRY(tl_str_copy_cstr(&epoch.error, arena, tl_str_from_cstr(why.message), ctx));
    }
    *out = epoch;
    return TL_OK;
}

/* --- the cycle --- */

/* Folders of epochs long past: their names ascend with time. */
static void forget_old(const tl_miner_options *options, tl_arena *arena)
{
    const char *all = NULL;
    const char *const *names = NULL;
    size_t count = 0;
    if (tl_sys_join(&all, arena, options->dir, "miner", NULL) != TL_OK ||
        tl_sys_list_dir(&names, &count, arena, all, NULL) != TL_OK) {
        return;
    }
    size_t epochs = 0;
    for (size_t i = count; i > 0; i--) {
        const char *dir = NULL;
        const char *const *files = NULL;
        size_t file_count = 0;
        if (names[i - 1][0] < '0' || names[i - 1][0] > '9' || ++epochs <= KEPT_EPOCHS ||
            tl_sys_join(&dir, arena, all, names[i - 1], NULL) != TL_OK ||
            tl_sys_list_dir(&files, &file_count, arena, dir, NULL) != TL_OK) {
            continue;
        }
        for (size_t k = 0; k < file_count; k++) {
            const char *path = NULL;
            if (tl_sys_join(&path, arena, dir, files[k], NULL) == TL_OK) {
                (void)unlink(path);
            }
        }
        (void)rmdir(dir);
    }
}

typedef struct cycle {
    const tl_miner_options *options;
    int64_t end_ms; /* of the epoch that was served last */
    bool all_acknowledged;
} cycle;

/* What runs now; an epoch that is served already is waited out. */
static tl_err next_assignment(cycle *c, tl_peer_assignment *out, bool *has, tl_arena *arena,
                              tl_errctx *why, tl_errctx *ctx)
{
    *has = false;
    const tl_err err = tl_peer_assignments(c->options->peer, out, arena, why);
    if (is_ours(err)) {
        return tl_fail(ctx, err, "%s", why->message);
    }
    if (err != TL_OK) {
        tl_log_say(c->options->log, TL_LOG_WARN, why->message, NULL, 0);
        return TL_OK;
    }
    *has = out->end_ms > c->end_ms;
    return TL_OK;
}

static tl_err serve_one(cycle *c, bool *served, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_peer_assignment assignment;
    tl_miner_epoch epoch;
    tl_errctx why = TL_ERRCTX_INIT;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = next_assignment(c, &assignment, served, arena, &why, ctx);
    if (err == TL_OK && *served) {
        err = tl_miner_once(&epoch, arena, c->options, &assignment, ctx);
        if (err == TL_OK) {
            c->end_ms = assignment.end_ms;
            c->all_acknowledged = c->all_acknowledged && epoch.err == TL_OK;
            err = c->options->on_epoch(c->options->self, &epoch, ctx);
        }
    }
    forget_old(c->options, arena);
    tl_arena_free(arena);
    return err;
}

static tl_err run_cycle(cycle *c, tl_errctx *ctx)
{
    const tl_peer *peer = c->options->peer;
    const int64_t pause_ms = peer->epoch_seconds < 300 ? 250 : 2000;
    for (uint64_t count = 0; c->options->epochs_max == 0 || count < c->options->epochs_max;) {
        bool served = false;
        TL_TRY(serve_one(c, &served, ctx));
        count += served;
        const int64_t now_ms = tl_peer_now_ms(peer);
        const int64_t until_ms = c->end_ms > now_ms ? c->end_ms : now_ms + pause_ms;
        if (c->options->epochs_max == 0 || count < c->options->epochs_max) {
            TL_TRY(tl_peer_wait(peer, until_ms, ctx));
        }
    }
    return TL_OK;
}

tl_err tl_miner_run(bool *all_acknowledged, const tl_miner_options *options, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    const char *dir = NULL;
    tl_sys_lock lock;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = tl_sys_join(&dir, arena, options->dir, "miner", ctx);
    err = err == TL_OK ? tl_sys_make_dir(dir, TL_SYS_DIR_MODE, ctx) : err;
    err = err == TL_OK ? tl_sys_lock_open(&lock, dir, ctx) : err;
    if (err == TL_OK) {
        cycle c = {.options = options, .all_acknowledged = true};
        err = run_cycle(&c, ctx);
        *all_acknowledged = c.all_acknowledged;
        tl_sys_lock_close(&lock);
    }
    tl_arena_free(arena);
    return err;
}
