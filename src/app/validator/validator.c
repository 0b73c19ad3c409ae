/* The cycle: join what runs, finish what has ended, tell how it went. */
#include "app/validator/validator.h"

#include <string.h>

#include "app/validator/validator_internal.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"

#define UNFINISHED_MAX 8 /* epochs that a life may have left behind */

typedef struct cycle {
    const tl_validator_options *options;
    tl_pool *pool;
    const char *dir; /* DIR/validator */
    bool all_agreed;
    char joined[TL_PEER_EPOCH_CAP]; /* the newest epoch that was joined */
} cycle;

/* --- the folder of an epoch --- */

static tl_err epoch_dir(const char **out, const cycle *c, tl_arena *arena, tl_str id,
                        tl_errctx *ctx)
{
    const char *name = NULL;
    TL_TRY(tl_str_copy_cstr(&name, arena, id, ctx));
    if (id.len == 0 || id.len >= TL_PEER_EPOCH_CAP || strchr(name, '/') != NULL || name[0] == '.') {
        return tl_fail_field(ctx, TL_ERR_IO, "epochId", "\"%.30s\" is no epoch's name", name);
    }
    TL_TRY(tl_sys_join(out, arena, c->dir, name, ctx));
    return tl_sys_make_dir(*out, TL_SYS_DIR_MODE, ctx);
}

static tl_err has_note(bool *out, tl_arena *arena, const char *dir, const char *name,
                       tl_errctx *ctx)
{
    const char *path = NULL;
    TL_TRY(tl_sys_join(&path, arena, dir, name, ctx));
    *out = tl_sys_exists(path);
    return TL_OK;
}

/* --- joining --- */

static tl_err post_commit(const cycle *c, tl_arena *arena, tl_str id, const char *dir,
                          tl_errctx *ctx)
{
    char secret[TL__SECRET_LEN + 1];
    char hex[2 * sizeof(tl_hash32) + 1];
    char body[32 + sizeof hex];
    tl_hash32 commit;
    tl_str target = {NULL, 0};
    const tl_json *answer = NULL;
    TL_TRY(tl__note_secret(secret, c->options, dir, "secret", ctx)); /* VAL-1 */
    tl_sha256(&commit, secret, TL__SECRET_LEN);
    tl_hex_write(hex, &commit, sizeof commit);
    const size_t len = tl_str_print(body, sizeof body, "{\"commit\":\"%s\"}", hex);
    TL_TRY(tl__epoch_target(&target, arena, id, "/contribution", ctx));
    return tl_peer_post(c->options->peer, &answer, arena, target, (tl_str){body, len}, true, ctx);
}

/* What runs now, joined. None: *id is empty. */
static tl_err join_running(cycle *c, tl_arena *arena, tl_str *id, int64_t *end_ms, tl_errctx *ctx)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_peer *peer = c->options->peer;
    const tl_json *list = NULL;
    *id = (tl_str){NULL, 0};
    tl_err err = tl_peer_get(peer, &list, arena, TL_STR("/api/v1/epochs?limit=10"), false, &why);
    const tl_json *items = tl_json_get(list, "items");
    for (uint32_t i = 0; err == TL_OK && items != NULL && i < items->count; i++) {
        tl__view view;
        tl_str name;
        TL_TRY(tl__read_view(&view, arena, &items->items[i], ctx));
        TL_TRY(tl_json_want_str(&name, &items->items[i], "epochId", ctx));
        const int64_t now_ms = tl_peer_now_ms(peer);
        if (tl_str_eq_cstr(view.state, "open") && now_ms < view.end_ms &&
            (id->len == 0 || view.end_ms > *end_ms)) {
            *id = name;
            *end_ms = view.end_ms;
        }
    }
    if (err == TL_OK && id->len > 0 && !tl_str_eq_cstr(*id, c->joined)) {
        const char *dir = NULL;
        TL_TRY(epoch_dir(&dir, c, arena, *id, ctx));
        err = post_commit(c, arena, *id, dir, &why);
        if (err == TL_OK || err == TL_ERR_STATE) {
            (void)tl_str_print(c->joined, sizeof c->joined, "%.*s", TL_STR_ARG(*id));
            err = TL_OK;
        }
    }
    if (err == TL_ERR_INTERRUPTED || err == TL_ERR_NOMEM) {
        return tl_fail(ctx, err, "%s", why.message);
    }
    if (err != TL_OK) {
        tl_log_say(c->options->log, TL_LOG_WARN, why.message, NULL, 0);
        *id = (tl_str){NULL, 0};
    }
    return TL_OK;
}

/* --- one epoch --- */

static tl_err set_weights(const cycle *c, const tl_validator_epoch *result, tl_errctx *ctx)
{
    const tl_weight_setter *to = &c->options->weights;
    return result->sets_weights && to->set != NULL /* VAL-3 */
               ? to->set(to->self, result->epoch_id, c->options->peer->netuid, result->uids,
                         result->weights, result->weight_count, ctx)
               : TL_OK;
}

static tl_err finish_epoch(cycle *c, tl_str id, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_validator_epoch result;
    tl__epoch e = {.options = c->options, .pool = c->pool};
    TL_TRY(tl_arena_new(&arena, NULL, (size_t)4 << 30, NULL, ctx));
    e.arena = arena;
    tl_err err = tl_str_copy(&e.id, arena, id, ctx);
    err = err == TL_OK ? epoch_dir(&e.dir, c, arena, id, ctx) : err;
    if (err == TL_OK) {
        const tl_peer *peer = c->options->peer;
        e.until_ms = tl_peer_now_ms(peer) + (int64_t)peer->epoch_seconds * 1000;
        err = tl__validator_epoch(&e, &result, ctx);
    }
    if (err == TL_OK) {
        tl_str done = TL_STR("done\n");
        c->all_agreed = c->all_agreed && result.sets_weights;
        err = set_weights(c, &result, ctx);
        err = err == TL_OK ? c->options->on_epoch(c->options->self, &result, ctx) : err;
        err = err == TL_OK ? tl__note_text(&done, arena, e.dir, "done", ctx) : err;
    }
    tl_arena_free(arena);
    return err;
}

/* Epochs that an earlier life joined and did not finish, the oldest first; uncounted. */
static tl_err finish_old(cycle *c, tl_str running, tl_arena *arena, tl_errctx *ctx)
{
    const char *const *names = NULL;
    size_t count = 0;
    size_t finished = 0;
    TL_TRY(tl_sys_list_dir(&names, &count, arena, c->dir, ctx));
    for (size_t i = count > 64 ? count - 64 : 0; i < count && finished < UNFINISHED_MAX; i++) {
        const tl_str name = tl_str_from_cstr(names[i]);
        const char *dir = NULL;
        bool is_joined = false;
        bool is_done = false;
        if (names[i][0] < '0' || names[i][0] > '9' || tl_str_eq(name, running)) {
            continue;
        }
        TL_TRY(tl_sys_join(&dir, arena, c->dir, names[i], ctx));
        TL_TRY(has_note(&is_joined, arena, dir, "secret", ctx));
        TL_TRY(has_note(&is_done, arena, dir, "done", ctx));
        if (is_joined && !is_done) {
            TL_TRY(finish_epoch(c, name, ctx));
            finished++;
        }
    }
    return TL_OK;
}

static tl_err wait_for_epoch(cycle *c, tl_arena *arena, tl_str *id, int64_t *end_ms, tl_errctx *ctx)
{
    const tl_peer *peer = c->options->peer;
    for (;;) {
        TL_TRY(join_running(c, arena, id, end_ms, ctx));
        if (id->len > 0) {
            return TL_OK;
        }
        TL_TRY(tl_peer_wait(peer, tl_peer_now_ms(peer) + 3 * tl__poll_ms(c->options), ctx));
    }
}

/* The epoch that runs is joined, and waited for; the next one is joined before its predecessor is scored: scoring takes
 * time, and the next one's secret must be committed before it ends. */
static tl_err run_cycle(cycle *c, tl_arena *arena, tl_errctx *ctx)
{
    const tl_validator_options *o = c->options;
    const tl_peer *peer = o->peer;
    char id[TL_PEER_EPOCH_CAP];
    char next[TL_PEER_EPOCH_CAP];
    tl_str running = {NULL, 0};
    int64_t end_ms = 0;
    TL_TRY(wait_for_epoch(c, arena, &running, &end_ms, ctx));
    TL_TRY(finish_old(c, running, arena, ctx));
    for (uint64_t count = 0; o->epochs_max == 0 || count < o->epochs_max; count++) {
        (void)tl_str_print(id, sizeof id, "%.*s", TL_STR_ARG(running));
        TL_TRY(tl_peer_wait(peer, end_ms, ctx));
        const bool is_last = o->epochs_max != 0 && count + 1 == o->epochs_max;
        tl_arena *step = NULL;
        TL_TRY(tl_arena_new(&step, NULL, 0, NULL, ctx));
        tl_err err = TL_OK;
        running = (tl_str){NULL, 0};
        for (int tries = 0; err == TL_OK && !is_last && running.len == 0 && tries < 5; tries++) {
            err = join_running(c, step, &running, &end_ms, ctx);
            if (err == TL_OK && running.len == 0) {
                err = tl_peer_wait(peer, tl_peer_now_ms(peer) + tl__poll_ms(o), ctx);
            }
        }
        err = err == TL_OK ? finish_epoch(c, tl_str_from_cstr(id), ctx) : err;
        if (err == TL_OK && !is_last && running.len == 0) {
            err = wait_for_epoch(c, step, &running, &end_ms, ctx);
        }
        (void)tl_str_print(next, sizeof next, "%.*s", TL_STR_ARG(running));
        running = tl_str_from_cstr(next);
        tl_arena_free(step);
        TL_TRY(err);
    }
    return TL_OK;
}

tl_err tl_validator_run(bool *all_agreed, const tl_validator_options *options, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    cycle c = {.options = options, .all_agreed = true};
    tl_sys_lock lock;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = tl_sys_join(&c.dir, arena, options->dir, "validator", ctx);
    err = err == TL_OK ? tl_sys_make_dir(c.dir, TL_SYS_DIR_MODE, ctx) : err;
    err = err == TL_OK ? tl_sys_lock_open(&lock, c.dir, ctx) : err;
    if (err == TL_OK) {
        tl_sys_keep_memory();
        err = tl_pool_new(&c.pool, options->thread_count, ctx);
        err = err == TL_OK ? run_cycle(&c, arena, ctx) : err;
        tl_pool_free(c.pool);
        tl_sys_lock_close(&lock);
    }
    *all_agreed = c.all_agreed;
    tl_arena_free(arena);
    return err;
}
