/* open.c: taking a folder, and finding it as it was left. */
#include "app/engine/engine_internal.h"

#include <string.h>

#include "io/sys/sys.h"

#define ENGINE_LEN_MAX ((size_t)8 << 30)

static const tl_str key_records = {"carry/records", 13};
static const tl_str key_bonds = {"carry/bonds", 11};
static const tl_str key_seeded = {"seeded", 6};

tl_err tl__engine_get(tl_str *out, tl_engine *engine, tl_str key, tl_arena *arena, tl_errctx *ctx)
{
    tl_bytes value = {NULL, 0};
    const tl_err err = tl_store_get_value(engine->store, &value, key, arena, ctx);
    *out = (tl_str){(const char *)value.ptr, value.len};
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    return err;
}

tl_err tl__engine_parameters_key(tl_str *out, tl_arena *arena, tl_str epoch_id, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "epoch/%.*s/parameters", TL_STR_ARG(epoch_id));
    return tl_sb_finish(out, &sb, ctx);
}

void tl__engine_drop_epoch(tl_engine *engine)
{
    tl_arena_free(engine->epoch.arena);
    engine->epoch = (tl__open_epoch){0};
}

/* What the open epoch's parameters and the carried records say, as trees. */
static tl_err load_rules(tl__open_epoch *e, tl_engine *engine, tl_errctx *ctx)
{
    tl_str key = {NULL, 0};
    TL_TRY(tl__engine_parameters_key(&key, e->arena, e->epoch_id, ctx));
    TL_TRY(tl__engine_get(&e->parameters, engine, key, e->arena, ctx));
    const tl_json *tree = NULL;
    TL_TRY(tl_json_parse(&tree, e->arena, e->parameters, NULL, ctx));
    TL_TRY(tl_road_params_read(&e->params, &tl_subnet_portfolio, tree, ctx));
    TL_TRY(tl__engine_get(&e->records, engine, key_records, e->arena, ctx));
    TL_TRY(tl__engine_get(&e->bonds, engine, key_bonds, e->arena, ctx));
    if (e->records.len == 0) {
        return TL_OK;
    }
    TL_TRY(tl_json_parse(&tree, e->arena, e->records, NULL, ctx));
    return tl_carry_read(&e->carry, e->arena, &tl_subnet_portfolio, tree, ctx);
}

tl_err tl__engine_set_live(tl__open_epoch *e, const tl_submission *s, tl_errctx *ctx)
{
    tl_submission *live = TL_NEW(e->arena, tl_submission, 1);
    if (live == NULL) {
        return tl_arena_fail(e->arena, ctx);
    }
    *live = *s;
    live->hotkey_text = live->epoch_id = (tl_str){NULL, 0}; /* these belong to another arena */
    live->body = NULL;
    return tl_map_put(&e->live, (tl_bytes){live->hotkey.b, sizeof live->hotkey.b}, live, ctx);
}

static tl_err load_live_one(tl__open_epoch *e, tl_bytes body, tl_errctx *ctx)
{
    const tl_json *tree = NULL;
    tl_submission s = {0};
    TL_TRY(tl_json_parse(&tree, e->arena, (tl_str){(const char *)body.ptr, body.len}, NULL, ctx));
    TL_TRY(tl_road_submission_read(&s, e->arena, &tl_subnet_portfolio, &e->params, tree, ctx));
    return tl__engine_set_live(e, &s, ctx);
}

/* Who has a live signal. */
static tl_err load_live(tl__open_epoch *e, tl_engine *engine, tl_errctx *ctx)
{
    const tl_store_submission *kept = NULL;
    size_t count = 0;
    TL_TRY(tl_store_submissions(engine->store, &kept, &count, e->epoch_id, e->arena, ctx));
    tl_map_init(&e->live, e->arena);
    for (size_t i = 0; i < count; i++) {
        if (kept[i].is_accepted) {
            TL_TRY(load_live_one(e, kept[i].body, ctx));
        }
    }
    return TL_OK;
}

tl_err tl__engine_load_epoch(tl_engine *engine, tl_str epoch_id, tl_errctx *ctx)
{
    tl__open_epoch *e = &engine->epoch;
    TL_ASSERT(!e->is_open);
    TL_TRY(tl_arena_new(&e->arena, engine->arena, ENGINE_LEN_MAX, NULL, ctx));
    tl_store_epoch row = {0};
    TL_TRY(tl_store_get_epoch(engine->store, &row, epoch_id, e->arena, ctx));
    e->epoch_id = row.id;
    e->opened_height = row.opened_height;
    const tl_store_transition *steps = NULL;
    size_t count = 0;
    TL_TRY(tl_store_transitions(engine->store, &steps, &count, row.id, e->arena, ctx));
    for (size_t i = 0; i < count; i++) {
        e->machine.height = steps[i].height;
        e->machine.was_extended =
            e->machine.was_extended || tl_str_eq(steps[i].to, TL_STR("extended"));
    }
    if (!tl_epoch_state_parse(&e->machine.state, row.state)) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "epoch %.*s is \"%.*s\", which is no state",
                       TL_STR_ARG(row.id), TL_STR_ARG(row.state));
    }
    TL_TRY(load_rules(e, engine, ctx));
    TL_TRY(load_live(e, engine, ctx));
    e->is_open = true;
    return TL_OK;
}

/* The epoch that was open when the folder was left, if any. */
static tl_err find_open_epoch(tl_engine *engine, tl_errctx *ctx)
{
    const tl_store_epoch *rows = NULL;
    size_t count = 0;
    TL_TRY(tl_store_epochs(engine->store, &rows, &count, engine->arena, ctx));
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].is_settled) {
            return tl__engine_load_epoch(engine, rows[i].id, ctx);
        }
    }
    return TL_OK;
}

/* What a settling that was killed left of its bundle. The folder's lock is ours by now. */
static tl_err clean_up(tl_engine *engine, tl_errctx *ctx)
{
    const char *bundles = NULL;
    TL_TRY(tl_sys_join(&bundles, engine->arena, engine->dir, "bundles", ctx));
    TL_TRY(tl_sys_make_dir(bundles, TL_SYS_DIR_MODE, ctx));
    return tl_sys_remove_parts(bundles, engine->arena, ctx);
}

static tl_err load(tl_engine *engine, tl_errctx *ctx)
{
    TL_TRY(clean_up(engine, ctx));
    TL_TRY(tl__engine_load_journal(engine, ctx));
    tl_str seeded = {NULL, 0};
    TL_TRY(tl__engine_get(&seeded, engine, key_seeded, engine->arena, ctx));
    engine->has_funds = tl_str_eq(seeded, TL_STR("funds"));
    return find_open_epoch(engine, ctx);
}

tl_err tl_engine_open(tl_engine **out, tl_arena *arena, const char *dir, bool create,
                      tl_errctx *ctx)
{
    tl_arena *own = NULL;
    TL_TRY(tl_arena_new(&own, arena, ENGINE_LEN_MAX, NULL, ctx));
    tl_engine *engine = TL_NEW(own, tl_engine, 1);
    tl_err err = engine != NULL ? TL_OK : tl_arena_fail(own, ctx);
    if (err == TL_OK) {
        engine->arena = own;
        err = tl_str_copy_cstr(&engine->dir, own, tl_str_from_cstr(dir), ctx);
    }
    if (err == TL_OK && !create && !tl_sys_exists(dir)) {
        err = tl_fail_field(ctx, TL_ERR_NOT_FOUND, dir, "there is no state folder \"%s\"", dir);
    }
    if (err == TL_OK) {
        err = tl_store_open(&engine->store, dir, TL_STORE_WRITE, ctx);
    }
    if (err == TL_OK) {
        err = load(engine, ctx);
        if (err != TL_OK) {
            (void)tl_store_close(engine->store, NULL);
        }
    }
    if (err != TL_OK) {
        tl_arena_free(own);
        return err;
    }
    *out = engine;
    return TL_OK;
}

tl_err tl_engine_close(tl_engine *engine, tl_errctx *ctx)
{
    if (engine == NULL) {
        return TL_OK;
    }
    const tl_err err = tl_store_close(engine->store, ctx);
    tl_arena_free(engine->arena);
    return err;
}

const tl_ledger *tl_engine_borrow_ledger(const tl_engine *engine)
{
    return engine->ledger;
}

/* --- seeding --- */

static tl_err seed(tl_engine *engine, tl_str records, const tl_engine_fund *funds, size_t count,
                   tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        TL_TRY(tl_ledger_deposit(engine->ledger,
                                 tl_account_of_hotkey(TL_ACCOUNT_MINER, &funds[i].hotkey),
                                 funds[i].amount, 0, TL_STR("first funds"), ctx));
    }
    if (records.len > 0) {
        TL_TRY(tl_store_put_value(engine->store, key_records, tl_str_bytes(records), ctx));
    }
    const tl_str mark = count > 0 ? TL_STR("funds") : TL_STR("yes");
    return tl_store_put_value(engine->store, key_seeded, tl_str_bytes(mark), ctx);
}

tl_err tl_engine_seed(tl_engine *engine, tl_str records, const tl_engine_fund *funds,
                      size_t fund_count, tl_errctx *ctx)
{
    tl_str seeded = {NULL, 0};
    TL_TRY(tl__engine_get(&seeded, engine, key_seeded, engine->arena, ctx));
    if (seeded.len > 0) {
        return TL_OK; /* ENG-3 */
    }
    TL_TRY(tl_store_begin(engine->store, ctx));
    const tl_err err = seed(engine, records, funds, fund_count, ctx);
    TL_TRY(tl__engine_commit(engine, err, ctx));
    engine->has_funds = fund_count > 0;
    return TL_OK;
}

/* --- the open epoch's row and transitions --- */

tl_err tl__engine_put_epoch(tl_engine *engine, const char *bundle_path, const tl_hash32 *digest,
                            tl_errctx *ctx)
{
    const tl__open_epoch *e = &engine->epoch;
    tl_store_epoch row = {.id = e->epoch_id,
                          .state = tl_str_from_cstr(tl_epoch_state_text(e->machine.state)),
                          .opened_height = e->opened_height};
    row.is_settled = e->machine.state == TL_EPOCH_SETTLED || e->machine.state == TL_EPOCH_FAILED ||
                     e->machine.state == TL_EPOCH_ARCHIVED;
    row.settled_height = row.is_settled ? e->machine.height : 0;
    row.has_bundle = bundle_path != NULL;
    if (row.has_bundle) {
        /* within the folder, so that the folder may be moved */
        const tl_str path = tl_str_from_cstr(bundle_path);
        row.bundle_path = tl_str_slice(path, strlen(engine->dir) + 1, path.len);
        row.bundle_digest = *digest;
    }
    return tl_store_put_epoch(engine->store, &row, ctx);
}

tl_err tl__engine_step(tl_engine *engine, tl_epoch_event event, uint64_t height, const char *cause,
                       tl_errctx *ctx)
{
    tl__open_epoch *e = &engine->epoch;
    tl_epoch_transition t;
    TL_TRY(tl_epoch_step(&e->machine, &t, event, height, cause, ctx));
    const tl_store_transition row = {.epoch_id = e->epoch_id,
                                     .from = tl_str_from_cstr(tl_epoch_state_text(t.from)),
                                     .to = tl_str_from_cstr(tl_epoch_state_text(t.to)),
                                     .cause = tl_str_from_cstr(t.cause),
                                     .height = height};
    return tl_store_put_transition(engine->store, &row, ctx);
}

static tl_err begin(tl_engine *engine, tl_str epoch_id, tl_str parameters, uint64_t height,
                    tl_errctx *ctx)
{
    tl__open_epoch *e = &engine->epoch;
    TL_TRY(tl_str_copy(&e->epoch_id, e->arena, epoch_id, ctx));
    e->opened_height = height;
    tl_str key = {NULL, 0};
    TL_TRY(tl__engine_parameters_key(&key, e->arena, epoch_id, ctx));
    TL_TRY(tl_store_put_value(engine->store, key, tl_str_bytes(parameters), ctx));
    TL_TRY(tl__engine_put_epoch(engine, NULL, NULL, ctx)); /* pending: transitions need its row */
    TL_TRY(tl__engine_step(engine, TL_EPOCH_EV_OPEN, height, "opened", ctx));
    return tl__engine_put_epoch(engine, NULL, NULL, ctx);
}

/* An epoch of that id that is there already: fine when it is the open one with the same parameters. */
static tl_err meet_open_epoch(const tl_engine *engine, tl_str epoch_id, tl_str parameters,
                              tl_errctx *ctx)
{
    const tl__open_epoch *e = &engine->epoch;
    if (!tl_str_eq(e->epoch_id, epoch_id)) {
        return tl_fail(ctx, TL_ERR_STATE, "epoch %.*s is still %s", TL_STR_ARG(e->epoch_id),
                       tl_epoch_state_text(e->machine.state));
    }
    return tl_str_eq(e->parameters, parameters)
               ? TL_OK
               : tl_fail(ctx, TL_ERR_DUPLICATE, "epoch %.*s is open with other parameters",
                         TL_STR_ARG(epoch_id));
}

tl_err tl_engine_begin(tl_engine *engine, tl_str epoch_id, tl_str parameters, uint64_t height,
                       tl_errctx *ctx)
{
    if (engine->epoch.is_open) {
        return meet_open_epoch(engine, epoch_id, parameters, ctx);
    }
    if (tl_engine_is_settled(engine, epoch_id)) {
        return tl_fail(ctx, TL_ERR_STATE, "epoch %.*s is over", TL_STR_ARG(epoch_id));
    }
    tl_epoch_span span = {0, 0};
    TL_TRY(tl_epoch_span_parse(&span, epoch_id, ctx));
    TL_TRY(tl_arena_new(&engine->epoch.arena, engine->arena, 0, NULL, ctx));
    TL_TRY(tl_store_begin(engine->store, ctx));
    const tl_err err = begin(engine, epoch_id, parameters, height, ctx);
    const tl_err committed = tl__engine_commit(engine, err, ctx);
    tl__engine_drop_epoch(engine);
    TL_TRY(committed);
    return tl__engine_load_epoch(engine, epoch_id, ctx); /* what was written is what is read */
}

bool tl_engine_has_open_epoch(const tl_engine *engine)
{
    return engine->epoch.is_open;
}

bool tl_engine_is_settled(tl_engine *engine, tl_str epoch_id)
{
    const tl_arena_mark mark = tl_arena_get_mark(engine->arena);
    tl_store_epoch row = {0};
    const bool is_settled =
        tl_store_get_epoch(engine->store, &row, epoch_id, engine->arena, NULL) == TL_OK &&
        row.is_settled;
    tl_arena_rewind(engine->arena, mark);
    return is_settled;
}

tl_err tl_engine_bundle_path(const char **out, tl_arena *arena, const tl_engine *engine,
                             tl_str epoch_id, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "%s/bundles/%.*s.bundle", engine->dir, TL_STR_ARG(epoch_id));
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = text.ptr;
    return TL_OK;
}
