/* tally portfolio submit, epoch list, show and replay, ledger balances, journal and verify: the state folder. */
#include "app/cli/cli.h"
#include "app/engine/engine.h"
#include "core/subnet/listings/listings.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/store/store.h"
#include "io/sys/sys.h"

#define SIGNAL_LEN_MAX ((size_t)4 << 20)

/* --- portfolio submit --- */

/* The epoch that a signal names is opened with the default parameters when none is open: until there is a chain, the
 * first signal is what opens it. */
static tl_err open_for(tl_engine *engine, tl_app *app, tl_str signal, tl_errctx *ctx)
{
    const tl_json *tree = NULL;
    tl_str epoch_id = {NULL, 0};
    uint64_t height = 0;
    TL_TRY(tl_json_parse(&tree, app->arena, signal, NULL, ctx));
    TL_TRY(tl_json_want_str(&epoch_id, tree, "epoch_id", ctx));
    TL_TRY(tl_json_want_u64(&height, tree, "commit_height", ctx));
    tl_epoch_span span = {0, 0};
    if (tl_engine_has_open_epoch(engine) || tl_epoch_span_parse(&span, epoch_id, NULL) != TL_OK ||
        tl_engine_is_settled(engine, epoch_id)) {
        return TL_OK; /* admit tells what is wrong with it */
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    TL_TRY(tl_road_params_put(&w, &tl_subnet_portfolio, NULL, NULL, app->arena, ctx));
    tl_str parameters = {NULL, 0};
    TL_TRY(tl_sb_finish(&parameters, &sb, ctx));
    return tl_engine_begin(engine, epoch_id, parameters, height, ctx);
}

static void put_receipt(tl_sb *sb, bool is_json, const tl_engine_receipt *r)
{
    if (!is_json) {
        tl_sb_printf(sb, "%s%s%s  epoch %.*s  commitment ", r->is_accepted ? "accepted" : "refused",
                     r->code != NULL ? " " : "", r->code != NULL ? r->code : "",
                     TL_STR_ARG(r->epoch_id));
        for (size_t i = 0; i < sizeof r->commitment.b; i++) {
            tl_sb_printf(sb, "%02x", r->commitment.b[i]);
        }
        tl_sb_put_char(sb, '\n');
        return;
    }
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "accepted");
    tl_json_put_bool(&w, r->is_accepted);
    tl_json_put_key(&w, "code");
    tl_json_put_cstr(&w, r->code);
    tl_json_put_key(&w, "commitment");
    tl_json_put_hex(&w, r->commitment.b, sizeof r->commitment.b);
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, r->epoch_id);
    tl_json_put_key(&w, "hotkey");
    tl_json_put_str(&w, r->hotkey);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
}

static tl_err submit_to(tl_engine *engine, tl_app *app, tl_str signal, tl_errctx *ctx)
{
    TL_TRY(open_for(engine, app, signal, ctx));
    tl_engine_receipt receipt = {0};
    TL_TRY(tl_engine_submit(engine, &receipt, app->arena, signal, ctx));
    if (!receipt.is_accepted) {
        tl_app_check_failed(app);
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    put_receipt(&sb, app->is_json, &receipt);
    return tl_app_print_sb(app, &sb, ctx);
}

static tl_err run_submit(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    const char *path = tl_cmd_text(call, "signal");
    tl_str signal = {NULL, 0};
    TL_TRY(tl_sys_read_file(&signal, app->arena, path, SIGNAL_LEN_MAX, ctx));
    const char *dir = NULL;
    TL_TRY(tl_app_state_dir(app, &dir, ctx));
    tl_engine *engine = NULL;
    TL_TRY(tl_engine_open(&engine, app->arena, dir, true, ctx));
    const tl_err err = submit_to(engine, app, signal, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
        (void)tl_engine_close(engine, NULL);
        return err;
    }
    return tl_engine_close(engine, ctx);
}

static const tl_cmd_option submit_options[] = {
    {.name = "signal",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "one signal as JSON",
     .is_required = true},
};
static const char *const submit_examples[] = {
    "tally portfolio submit --signal tests/e2e/portfolio/signal.json --dir build/signals", NULL};

const tl_cmd tl_cli_portfolio_submit = {
    .name = "portfolio submit",
    .summary = "hand in one signal, durably, and get a receipt",
    .text =
        "The signal and its locked ante are on the disk before the receipt is printed; the same "
        "signal sent again gets the same receipt. In a folder without funds of its own a miner "
        "brings its ante along. The first signal of an epoch opens it. Exit code 1 when a rule "
        "refuses the signal; the code says which.",
    .options = submit_options,
    .option_count = 1,
    .examples = submit_examples,
    .run = run_submit,
};

/* --- epoch list and show --- */

static tl_err open_store(tl_store **out, tl_app *app, tl_errctx *ctx)
{
    const char *dir = NULL;
    TL_TRY(tl_app_state_dir(app, &dir, ctx));
    return tl_store_open(out, dir, TL_STORE_READ, ctx);
}

/* The store names a bundle within its folder; here it becomes a path that can be opened. */
static tl_err find_bundle(tl_store_epoch *e, tl_app *app, tl_errctx *ctx)
{
    const char *dir = NULL;
    const char *name = NULL;
    const char *path = NULL;
    if (!e->has_bundle || (e->bundle_path.len > 0 && e->bundle_path.ptr[0] == '/')) {
        return TL_OK;
    }
    TL_TRY(tl_app_state_dir(app, &dir, ctx));
    TL_TRY(tl_str_copy_cstr(&name, app->arena, e->bundle_path, ctx));
    TL_TRY(tl_sys_join(&path, app->arena, dir, name, ctx));
    e->bundle_path = tl_str_from_cstr(path);
    return TL_OK;
}

static void put_epoch_members(tl_json_writer *w, const tl_store_epoch *e)
{
    tl_json_put_key(w, "bundle");
    if (e->has_bundle) {
        tl_json_put_str(w, e->bundle_path);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "epoch_id");
    tl_json_put_str(w, e->id);
    tl_json_put_key(w, "opened_height");
    tl_json_put_u64(w, e->opened_height);
    tl_json_put_key(w, "settled_height");
    if (e->is_settled) {
        tl_json_put_u64(w, e->settled_height);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "state");
    tl_json_put_str(w, e->state);
}

static void put_epoch_line(tl_sb *sb, bool is_json, const tl_store_epoch *e)
{
    if (!is_json) {
        tl_sb_printf(sb, "%-14.*s %-9.*s opened %llu", TL_STR_ARG(e->id), TL_STR_ARG(e->state),
                     (unsigned long long)e->opened_height);
        if (e->is_settled) {
            tl_sb_printf(sb, "  settled %llu", (unsigned long long)e->settled_height);
        }
        if (e->has_bundle) {
            tl_sb_printf(sb, "  %.*s", TL_STR_ARG(e->bundle_path));
        }
        tl_sb_put_char(sb, '\n');
        return;
    }
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    put_epoch_members(&w, e);
    tl_json_put_end(&w);
    tl_sb_put_char(sb, '\n');
}

static tl_err run_list(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)call;
    tl_app *app = (tl_app *)self;
    tl_store *store = NULL;
    TL_TRY(open_store(&store, app, ctx));
    const tl_store_epoch *rows = NULL;
    size_t count = 0;
    tl_err err = tl_store_epochs(store, &rows, &count, app->arena, ctx);
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    for (size_t i = 0; err == TL_OK && i < count; i++) {
        tl_store_epoch e = rows[i];
        err = find_bundle(&e, app, ctx);
        put_epoch_line(&sb, app->is_json, &e);
    }
    err = err != TL_OK ? err : tl_app_print_sb(app, &sb, ctx);
    const tl_err closed = tl_store_close(store, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : closed;
}

static const char *const list_examples[] = {"tally epoch list --dir build/example", NULL};

const tl_cmd tl_cli_epoch_list = {
    .name = "epoch list",
    .summary = "the epochs of the state folder, a line each",
    .examples = list_examples,
    .run = run_list,
};

/* What each station took and gave, from what the folder holds. */
static tl_err put_trace(tl_json_writer *w, tl_store *store, const tl_store_epoch *e, tl_app *app,
                        tl_errctx *ctx)
{
    const tl_store_submission *kept = NULL;
    size_t count = 0;
    TL_TRY(tl_store_submissions(store, &kept, &count, e->id, app->arena, ctx));
    tl_json_put_key(w, "trace");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        char address[TL_SS58_CAP];
        (void)tl_ss58_encode(address, &kept[i].hotkey, TL_SS58_PREFIX_GENERIC);
        tl_json_put_object(w);
        tl_json_put_key(w, "admit");
        if (kept[i].is_accepted) {
            tl_json_put_cstr(w, "accepted");
        } else {
            tl_json_put_str(w, kept[i].code);
        }
        tl_json_put_key(w, "bytes");
        tl_json_put_u64(w, kept[i].body.len);
        tl_json_put_key(w, "correlation_id");
        tl_json_put_hex(w, kept[i].key.b, 8);
        tl_json_put_key(w, "height");
        tl_json_put_u64(w, kept[i].height);
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, address);
        tl_json_put_key(w, "serial");
        tl_json_put_u64(w, kept[i].serial);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    return TL_OK;
}

static void put_transitions(tl_json_writer *w, const tl_store_transition *steps, size_t count)
{
    tl_json_put_key(w, "transitions");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "cause");
        tl_json_put_str(w, steps[i].cause);
        tl_json_put_key(w, "from");
        tl_json_put_str(w, steps[i].from);
        tl_json_put_key(w, "height");
        tl_json_put_u64(w, steps[i].height);
        tl_json_put_key(w, "to");
        tl_json_put_str(w, steps[i].to);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

/* The results' own figures, station by station, when the epoch has a bundle. */
static tl_err put_stations(tl_json_writer *w, const tl_store_epoch *e, tl_app *app, tl_errctx *ctx)
{
    tl_str bytes = {NULL, 0};
    tl_bundle bundle = {0};
    const char *path = NULL;
    TL_TRY(tl_str_copy_cstr(&path, app->arena, e->bundle_path, ctx));
    TL_TRY(tl_sys_read_file(&bytes, app->arena, path, (size_t)1 << 29, ctx));
    TL_TRY(tl_bundle_read(&bundle, app->arena, bytes, ctx));
    static const char *const members[] = {"agreement", "scoreboard", "settlement", "validators"};
    tl_json_put_key(w, "stations");
    tl_json_put_object(w);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        tl_json_put_key(w, members[i]);
        tl_json_put_tree(w, tl_json_get(bundle.tree[TL_BUNDLE_RESULTS], members[i]));
    }
    tl_json_put_end(w);
    return TL_OK;
}

static tl_err show(tl_app *app, const tl_cmd_call *call, tl_store *store, tl_errctx *ctx)
{
    const tl_str id = tl_str_from_cstr(call->args[0]);
    tl_store_epoch e = {0};
    TL_TRY(tl_store_get_epoch(store, &e, id, app->arena, ctx));
    TL_TRY(find_bundle(&e, app, ctx));
    const tl_store_transition *steps = NULL;
    size_t count = 0;
    TL_TRY(tl_store_transitions(store, &steps, &count, id, app->arena, ctx));
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, app->is_json ? 0 : 2, false);
    tl_json_put_object(&w);
    put_epoch_members(&w, &e);
    put_transitions(&w, steps, count);
    if (tl_cmd_flag(call, "trace")) {
        TL_TRY(put_trace(&w, store, &e, app, ctx));
        if (e.has_bundle) {
            TL_TRY(put_stations(&w, &e, app, ctx));
        }
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

static tl_err run_show(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_store *store = NULL;
    TL_TRY(open_store(&store, app, ctx));
    const tl_err err = show(app, call, store, ctx);
    const tl_err closed = tl_store_close(store, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : closed;
}

static const tl_cmd_option show_options[] = {
    {.name = "trace", .type = TL_CMD_FLAG, .help = "what each station took and gave"},
};
static const tl_cmd_option epoch_args[] = {
    {.name = "epoch",
     .type = TL_CMD_TEXT,
     .metavar = "ID",
     .help = "an epoch's id",
     .is_required = true},
};
static const char *const show_examples[] = {
    "tally epoch show 2018-Q3-W1 --trace --dir build/example", NULL};

const tl_cmd tl_cli_epoch_show = {
    .name = "epoch show",
    .summary = "one epoch: its states, with cause and height",
    .options = show_options,
    .option_count = 1,
    .args = epoch_args,
    .arg_count = 1,
    .examples = show_examples,
    .run = run_show,
};

/* --- epoch replay --- */

static tl_err replay(tl_app *app, tl_store *store, const char *id, tl_errctx *ctx)
{
    tl_store_epoch e = {0};
    TL_TRY(tl_store_get_epoch(store, &e, tl_str_from_cstr(id), app->arena, ctx));
    TL_TRY(find_bundle(&e, app, ctx));
    if (!e.has_bundle) {
        return tl_fail(ctx, TL_ERR_STATE, "epoch %s is %.*s and has no bundle yet", id,
                       TL_STR_ARG(e.state));
    }
    const char *path = NULL;
    tl_str bytes = {NULL, 0};
    tl_bundle bundle = {0};
    tl_bundle_report report = {0};
    static const tl_subnet *const subnets[] = {&tl_subnet_listings, &tl_subnet_portfolio};
    TL_TRY(tl_str_copy_cstr(&path, app->arena, e.bundle_path, ctx));
    TL_TRY(tl_sys_read_file(&bytes, app->arena, path, (size_t)1 << 29, ctx));
    TL_TRY(tl_bundle_read(&bundle, app->arena, bytes, ctx));
    TL_TRY(tl_bundle_verify(&report, app->arena, &bundle, subnets, sizeof subnets / sizeof *subnets,
                            ctx));
    const bool is_ok = report.is_ok && tl_hash32_cmp(&report.digest, &e.bundle_digest) == 0;
    if (!is_ok) {
        tl_app_check_failed(app);
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "epoch_id");
        tl_json_put_cstr(&w, id);
        tl_json_put_key(&w, "ok");
        tl_json_put_bool(&w, is_ok);
        tl_json_put_key(&w, "bundle");
        tl_json_put_cstr(&w, path);
        tl_json_put_key(&w, "digest");
        tl_json_put_hex(&w, report.digest.b, sizeof report.digest.b);
        tl_json_put_key(&w, "differs");
        tl_json_put_array(&w);
        for (size_t i = 0; i < report.differ_count; i++) {
            tl_json_put_str(&w, report.differs[i]);
        }
        tl_json_put_end(&w);
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
    } else {
        tl_sb_printf(&sb, "%s  epoch %s run again from %s\n", is_ok ? "ok " : "bad", id, path);
        for (size_t i = 0; i < report.differ_count; i++) {
            tl_sb_printf(&sb, "     differs: %.*s\n", TL_STR_ARG(report.differs[i]));
        }
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static tl_err run_replay(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_store *store = NULL;
    TL_TRY(open_store(&store, app, ctx));
    const tl_err err = replay(app, store, call->args[0], ctx);
    const tl_err closed = tl_store_close(store, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : closed;
}

static const char *const replay_examples[] = {"tally epoch replay 2018-Q3-W1 --dir build/example",
                                              NULL};

const tl_cmd tl_cli_epoch_replay = {
    .name = "epoch replay",
    .summary = "run a settled epoch of the state folder again and compare",
    .text =
        "Exit code 1 when the results differ, or when the bundle is not the one that was settled.",
    .args = epoch_args,
    .arg_count = 1,
    .examples = replay_examples,
    .run = run_replay,
};
