/* tally demo: parsing, the tables, output; one subnet or the other. */
#include <stdlib.h>
#include <string.h>

#include "app/cli/cli.h"
#include "app/cli/stores.h"
#include "app/data/data.h"
#include "app/demo/demo.h"
#include "app/listdemo/listdemo.h"
#include "io/sys/sys.h"

static tl_err find_prices(const char **out, tl_app *app, const char *given, tl_errctx *ctx)
{
    if (given != NULL) {
        *out = given;
        return TL_OK;
    }
    const tl_err err = tl_data_find(out, app->arena, TL_DATA_PRICES, ctx);
    if (err != TL_OK) {
        tl_errctx_hint(ctx, "run it from the project's folder, or name a table with --prices");
    }
    return err;
}

static tl_err find_folder(const char **out, tl_app *app, const char *given, tl_errctx *ctx)
{
    if (given != NULL) {
        *out = given;
        return TL_OK;
    }
    const char *temp = getenv("TMPDIR");
    const char *prefix = NULL;
    TL_TRY(tl_sys_join(&prefix, app->arena, temp != NULL && temp[0] == '/' ? temp : "/tmp",
                       "tally-demo", ctx));
    return tl_sys_make_fresh_dir(out, app->arena, prefix, ctx);
}

/* --- what is seen while it runs --- */

typedef struct screen {
    tl_app *app;
    tl_progress progress;
} screen;

static void start_bar(screen *s, uint64_t total)
{
    tl_progress_start(&s->progress, "demo", total, !s->app->is_quiet);
}

static void on_step(void *self, uint64_t done, uint64_t total)
{
    screen *s = (screen *)self;
    if (s->progress.total == 0) {
        start_bar(s, total);
    }
    tl_progress_step(&s->progress, done);
}

/* The bar is wiped before text goes out, and drawn again by the next step. */
static tl_err on_epoch(void *self, tl_str text, tl_errctx *ctx)
{
    screen *s = (screen *)self;
    if (s->app->is_json || s->app->is_quiet) {
        return TL_OK;
    }
    const tl_progress before = s->progress;
    tl_progress_end(&s->progress);
    const tl_err err = tl_app_print(s->app, text, ctx);
    start_bar(s, before.total);
    return err;
}

/* --- the weekly portfolios --- */

static tl_err read_epochs(uint32_t *out, const tl_cmd_call *call, uint32_t standard, uint32_t most,
                          tl_errctx *ctx)
{
    const uint64_t epochs =
        tl_cmd_count(call, "epochs") > 0 ? tl_cmd_u64(call, "epochs") : standard;
    if (epochs < 1 || epochs > most) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "epochs", "--epochs %llu is not within 1 to %u",
                             (unsigned long long)epochs, most);
    }
    *out = (uint32_t)epochs;
    return TL_OK;
}

static uint64_t seed_of(const tl_cmd_call *call, uint64_t standard)
{
    return tl_cmd_count(call, "seed") > 0 ? tl_cmd_u64(call, "seed") : standard;
}

static tl_err refuse_option(const tl_cmd_call *call, const char *name, const char *subnet,
                            tl_errctx *ctx)
{
    return tl_cmd_text(call, name) == NULL
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_USAGE, name, "--%s says nothing to the %s subnet", name,
                               subnet);
}

static tl_err run_portfolio(tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    const char *path = NULL;
    tl_str csv = {NULL, 0};
    tl_price_table table = {0};
    tl_demo_options options = {.seed = seed_of(call, TL_DEMO_SEED_DEFAULT)};
    TL_TRY(read_epochs(&options.epochs, call, TL_DEMO_EPOCHS_DEFAULT, TL_DEMO_EPOCHS_MAX, ctx));
    TL_TRY(refuse_option(call, "postgres", "portfolio", ctx));
    TL_TRY(refuse_option(call, "redis", "portfolio", ctx));
    TL_TRY(refuse_option(call, "s3", "portfolio", ctx));
    TL_TRY(find_prices(&path, app, tl_cmd_text(call, "prices"), ctx));
    TL_TRY(tl_sys_read_text(&csv, app->arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    const tl_err err = tl_price_table_read(&table, app->arena, csv, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
        return err;
    }
    TL_TRY(find_folder(&options.dir, app, tl_cmd_text(call, "dir"), ctx));
    screen s = {.app = app};
    const tl_demo_watch watch = {&s, on_step, on_epoch};
    tl_demo_report report = {0};
    const tl_err ran = tl_demo_run(&report, app->arena, &table, &options, &watch, ctx);
    tl_progress_end(&s.progress);
    if (ran == TL_ERR_INTERRUPTED) {
        tl_app_say(
            app,
            "the folder %s keeps what was done; the same command with --dir goes on from there",
            options.dir);
    }
    TL_TRY(ran);
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_demo_put_json(&sb, &report);
    } else {
        tl_demo_put_text(&sb, &report);
    }
    TL_TRY(tl_app_print_sb(app, &sb, ctx));
    if (!report.is_balanced || report.verified_count != report.chapter_count) {
        tl_app_check_failed(app);
    }
    return TL_OK;
}

/* --- the listings network --- */

static tl_err run_listings(tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_places places;
    tl_app_stores stores;
    const char *service = NULL;
    tl_listdemo_options options = {.seed = seed_of(call, TL_LISTDEMO_SEED), .places = &places};
    TL_TRY(read_epochs(&options.epochs, call, TL_LISTDEMO_EPOCHS, TL_LISTDEMO_EPOCHS_MAX, ctx));
    TL_TRY(refuse_option(call, "prices", "listings", ctx));
    TL_TRY(tl_data_zipcodes(&places, app->arena, NULL, ctx));
    TL_TRY(find_folder(&options.dir, app, tl_cmd_text(call, "dir"), ctx));
    TL_TRY(tl_listdemo_claim(options.dir, app->arena, ctx));
    TL_TRY(tl_sys_join(&service, app->arena, options.dir, TL_LISTDEMO_SERVICE_DIR, ctx));
    TL_TRY(tl_app_stores_read_in(app, call, service, &stores, ctx));
    options.sql = stores.sql;
    options.objects = stores.objects;
    options.redis_url = stores.redis_url;
    options.redis_password = stores.redis_password;
    screen s = {.app = app};
    const tl_listdemo_watch watch = {&s, on_step, on_epoch};
    tl_listdemo_report report;
    const tl_err ran = tl_listdemo_run(&report, app->arena, &options, &watch, ctx);
    tl_progress_end(&s.progress);
    if (ran == TL_ERR_INTERRUPTED) {
        tl_app_say(app, "the folder %s keeps what was done; a new run begins with a new folder",
                   options.dir);
    }
    TL_TRY(ran);
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_listdemo_put_json(&sb, &report);
    } else {
        tl_listdemo_put_text(&sb, &report);
    }
    TL_TRY(tl_app_print_sb(app, &sb, ctx));
    if (!tl_listdemo_is_well(&report)) {
        tl_app_check_failed(app);
    }
    return TL_OK;
}

/* --- the command --- */

static tl_err run_demo(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    return strcmp(tl_cmd_text(call, "subnet"), "listings") == 0 ? run_listings(app, call, ctx)
                                                                : run_portfolio(app, call, ctx);
}

static const char *const demo_subnets[] = {"portfolio", "listings", NULL};

static const tl_cmd_option demo_options[] = {
    {.name = "subnet",
     .type = TL_CMD_CHOICE,
     .metavar = "NAME",
     .choices = demo_subnets,
     .fallback = "portfolio",
     .help = "weekly portfolios on real prices, or the listings network on this machine"},
    {.name = "epochs",
     .type = TL_CMD_U64,
     .metavar = "N",
     .help = "how many are played: weeks of portfolios (default 12), or epochs of four hours that "
             "pass in seconds (default 3)"},
    {.name = "seed",
     .type = TL_CMD_U64,
     .metavar = "N",
     .help =
         "chooses the weeks, or the day and the market; the order of arrival; and all chance in "
         "what the miners do (default 44 of portfolios, 89 of listings)"},
    {.name = "prices",
     .type = TL_CMD_FILE,
     .metavar = "CSV",
     .help = "a date column, then daily closes a ticker; default the table that ships with the "
             "program"},
    TL_APP_STORE_OPTIONS,
};
static const char *const demo_examples[] = {"tally demo --epochs 2 --seed 7 --dir build/example",
                                            NULL};

const tl_cmd tl_cli_demo = {
    .name = "demo",
    .summary = "play a subnet's epochs, from submission to payout: portfolios, or listings",
    .text =
        "Portfolios: house strategies and stock pickers compete with a copycat, a gambler, a "
        "churner and "
        "others who play the "
        "rules rather than the market; five validators score them, two of which collude and "
        "one of which sees "
        "damaged prices now and then. Nothing is scripted to win or to be caught. Without "
        "--dir everything is "
        "kept in a fresh folder below $TMPDIR or /tmp, which is named at the end. A run that "
        "was stopped goes on "
        "when it is started again with the same --dir, --seed and --epochs. Listings: a market, "
        "a coordinator, three validators and 24 miners, half of them cheats of seven kinds, "
        "talk over HTTP on this machine; it tells who was caught by what, who was paid, and "
        "that all validators hold one hash. It begins with a new folder; its stores lie there, "
        "or where --postgres, --redis and --s3 say.",
    .options = demo_options,
    .option_count = sizeof demo_options / sizeof demo_options[0],
    .examples = demo_examples,
    .run = run_demo,
};
