/* tally coordinator extend: an emergency extension, written into the stores and signed. */
#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "app/cli/stores.h"
#include "app/coordinator/coordinator.h"

enum { MS_NS = 1000000 };

static tl_err extend(tl_app *app, const tl_cmd_call *call, const tl_app_stores *stores,
                     const tl_keypair *key, tl_str certificate, tl_errctx *ctx)
{
    const tl_clock clock = tl_sys_clock();
    tl_records *records = NULL;
    tl_str json = {NULL, 0};
    tl_sb sb;
    const uint64_t seconds = tl_cmd_u64(call, "seconds");
    TL_TRY(tl_app_open_records(&records, stores, TL_RECORDS_STRICT, ctx));
    const tl_err err = tl_coordinator_extend(
        &json, app->arena, records, key, certificate, tl_str_from_cstr(tl_cmd_text(call, "epoch")),
        seconds <= INT64_MAX ? (int64_t)seconds : INT64_MAX,
        tl_str_from_cstr(tl_cmd_text(call, "reason")), TL_STR("command"), TL_STR(""),
        tl_clock_wall_ns(&clock) / MS_NS, ctx);
    tl_records_close(records);
    TL_TRY(err);
    tl_sb_init(&sb, app->arena);
    tl_sb_put(&sb, json);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

/* The key that the call names; with none named, the one that a coordinator left in its state folder. */
static tl_err open_key(tl_app *app, const tl_cmd_call *call, const tl_app_stores *stores,
                       tl_keypair **out, tl_str *certificate, tl_errctx *ctx)
{
    if (!tl_cmd_is_given(call, "uri") && !tl_cmd_is_given(call, "wallet") &&
        !tl_cmd_is_given(call, "hotkey")) {
        const tl_err err = tl_coordinator_delegate(out, certificate, app->arena, stores->dir, ctx);
        if (err != TL_ERR_NOT_FOUND) {
            return err;
        }
        tl_errctx_reset(ctx);
    }
    return tl_app_keypair(app, call, out, ctx);
}

static tl_err run_extend(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    tl_app_stores stores;
    tl_keypair *key = NULL;
    tl_str certificate = {NULL, 0};
    TL_TRY(tl_app_stores_read(app, call, &stores, ctx));
    TL_TRY(open_key(app, call, &stores, &key, &certificate, ctx));
    const tl_err err = extend(app, call, &stores, key, certificate, ctx);
    tl_keypair_free(key);
    return err;
}

static const tl_cmd_option options[] = {
    {.name = "epoch",
     .type = TL_CMD_TEXT,
     .metavar = "ID",
     .is_required = true,
     .help = "the epoch, which has not ended"},
    {.name = "seconds",
     .type = TL_CMD_U64,
     .metavar = "N",
     .is_required = true,
     .help = "by how much its deadline moves, at most a day"},
    {.name = "reason",
     .type = TL_CMD_TEXT,
     .metavar = "TEXT",
     .is_required = true,
     .help = "why, for everybody to read"},
    TL_APP_POSTGRES_OPTION,
    TL_APP_KEY_OPTIONS,
};

static const char *const examples[] = {
    "tally coordinator extend --epoch 2025-10-03T12-00-00 --seconds 1800 --reason \"the API was "
    "down\" --uri //Coord",
    NULL};

const tl_cmd tl_cli_coordinator_extend = {
    .name = "coordinator extend",
    .summary = "lengthen an epoch that runs, by a signed record that everyone sees",
    .text = "Works on the stores, whether a coordinator runs on them or not; one that runs takes "
            "it up within a second. The next epoch begins in its own slot all the same: both are "
            "then open. Signed with the key that is named; with none, with the one that the "
            "coordinator left in its state folder and certified.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_extend,
};
