/* tally miner: collect, check, upload, report, epoch after epoch. */
#include <unistd.h>

#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "app/miner/miner.h"

static const char *const subnets[] = {"listings", NULL};
static const char *const profiles[] = {"tally", "compat", NULL};

typedef struct running {
    tl_app *app;
    tl_keypair *key;
    tl_source *source;
    tl_peer peer;
    const char *dir;
} running;

static tl_err print_ready(const running *r, const char *url, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, r->app->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ready");
    tl_json_put_bool(&w, true);
    tl_json_put_key(&w, "hotkey");
    tl_json_put_cstr(&w, r->peer.own_ss58);
    tl_json_put_key(&w, "coordinator");
    tl_json_put_cstr(&w, url);
    tl_json_put_key(&w, "pid");
    tl_json_put_i64(&w, getpid());
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(r->app, &sb, ctx);
}

static tl_err print_epoch(void *self, const tl_miner_epoch *e, tl_errctx *ctx)
{
    const running *r = (const running *)self;
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, r->app->arena);
    if (!r->app->is_json) {
        tl_sb_printf(&sb, "%.*s  %-9s  %zu zipcodes  %llu listings  %s\n", TL_STR_ARG(e->epoch_id),
                     e->status, e->zipcodes, (unsigned long long)e->listings, e->error);
        return tl_app_print_sb(r->app, &sb, ctx);
    }
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, e->epoch_id);
    tl_json_put_key(&w, "status");
    tl_json_put_cstr(&w, e->status);
    tl_json_put_key(&w, "zipcodes");
    tl_json_put_u64(&w, e->zipcodes);
    tl_json_put_key(&w, "listings");
    tl_json_put_u64(&w, e->listings);
    tl_json_put_key(&w, "content_hash");
    if (e->has_content_hash) {
        tl_json_put_hex(&w, &e->content_hash, sizeof e->content_hash);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_key(&w, "received_at");
    if (e->received_at.len > 0) {
        tl_json_put_str(&w, e->received_at);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_key(&w, "error");
    tl_json_put_cstr(&w, e->err != TL_OK ? e->error : NULL);
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(r->app, &sb, ctx);
}

static tl_err open_all(running *r, const tl_cmd_call *call, const char *url, tl_errctx *ctx)
{
    const char *receiver = tl_cmd_text(call, "receiver");
    TL_TRY(tl_app_keypair(r->app, call, &r->key, ctx));
    TL_TRY(tl_app_state_dir(r->app, &r->dir, ctx));
    TL_TRY(tl_sys_make_dir(r->dir, TL_SYS_DIR_MODE, ctx));
    const tl_source_options source = {
        .spec = tl_cmd_text(call, "source"), .clock = tl_sys_clock(), .entropy = tl_sys_entropy()};
    TL_TRY(tl_source_open(&r->source, &source, ctx));
    const tl_peer_options peer = {.url = tl_str_from_cstr(url),
                                  .receiver = receiver != NULL ? tl_str_from_cstr(receiver)
                                                               : (tl_str){NULL, 0},
                                  .keypair = r->key,
                                  .dir = r->dir,
                                  .clock = tl_sys_clock(),
                                  .entropy = tl_sys_entropy()};
    TL_TRY(tl_peer_open(&r->peer, &peer, ctx));
    const char *profile = tl_cmd_text(call, "profile");
    if (profile != NULL &&
        r->peer.is_compat != tl_str_eq_cstr(tl_str_from_cstr(profile), "compat")) {
        return tl_fail_field(ctx, TL_ERR_REFUSED, "profile", "the coordinator runs %s",
                             r->peer.is_compat ? "compat" : "tally");
    }
    return TL_OK;
}

static tl_err mine(running *r, const tl_cmd_call *call, const char *url, tl_errctx *ctx)
{
    bool all_acknowledged = false;
    TL_TRY(open_all(r, call, url, ctx));
    TL_TRY(print_ready(r, url, ctx));
    const tl_miner_options options = {.peer = &r->peer,
                                      .source = r->source,
                                      .dir = r->dir,
                                      .epochs_max = tl_cmd_u64(call, "epochs"),
                                      .log = &r->app->log,
                                      .on_epoch = print_epoch,
                                      .self = r};
    const tl_err err = tl_miner_run(&all_acknowledged, &options, ctx);
    if (err == TL_ERR_INTERRUPTED && options.epochs_max == 0) {
        return TL_OK; /* for ever ends like this */
    }
    TL_TRY(err);
    if (!all_acknowledged) {
        r->app->exit_code = 6;
    }
    return TL_OK;
}

static tl_err run_miner(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    running r = {.app = (tl_app *)self};
    const char *url = tl_cmd_text(call, "coordinator");
    const tl_err err =
        url != NULL && tl_cmd_text(call, "source") != NULL
            ? mine(&r, call, url, ctx)
            : tl_fail_field(ctx, TL_ERR_USAGE, url == NULL ? "coordinator" : "source",
                            "--%s is missing", url == NULL ? "coordinator" : "source");
    tl_peer_close(&r.peer);
    tl_source_close(r.source);
    tl_keypair_free(r.key);
    return err;
}

static const tl_cmd_option options[] = {
    TL_APP_KEY_OPTIONS,
    {.name = "subnet",
     .type = TL_CMD_CHOICE,
     .metavar = "NAME",
     .choices = subnets,
     .fallback = "listings",
     .help = "which subnet"},
    {.name = "coordinator",
     .type = TL_CMD_TEXT,
     .metavar = "URL",
     .help = "the subnet's coordinator"},
    {.name = "receiver",
     .type = TL_CMD_TEXT,
     .metavar = "SS58",
     .help = "its hotkey (default: learned the first time, then pinned in the state folder)"},
    {.name = "source",
     .type = TL_CMD_TEXT,
     .metavar = "SOURCE",
     .help = "where listings come from: the URL of a market, file:PATH or exec:PROGRAM, which gets "
             "a zipcode as its argument and prints a JSON array"},
    {.name = "epochs",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "0",
     .help = "so many epochs, from the one that runs now (0: for ever)"},
    {.name = "profile",
     .type = TL_CMD_CHOICE,
     .metavar = "P",
     .choices = profiles,
     .help = "refuse a coordinator of another profile"},
};
static const char *const examples[] = {
    "tally miner run --subnet listings --coordinator http://127.0.0.1:8080 --source "
    "http://127.0.0.1:8090 --uri //Miner",
    NULL};

const tl_cmd tl_cli_miner_run = {
    .name = "miner run",
    .summary = "mine a subnet: collect listings, check them, hand them in",
    .text = "Asks the coordinator for the epoch's zipcodes, collects their listings from the "
            "source, judges them as a validator will, uploads them, and reports: a line an epoch. "
            "What was collected or uploaded when it was stopped is not done again. Exit code 0 "
            "when each epoch was acknowledged, 6 when one was not.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_miner,
};
