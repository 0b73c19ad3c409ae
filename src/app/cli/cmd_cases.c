/* tally yuma run and tally metrics: one case of a kind of vectors, computed and printed. */
#include "app/cli/cli.h"

#include "app/conformance/conformance.h"
#include "io/sys/sys.h"

static tl_err read_case(const tl_json **input, tl_app *app, const char *path, tl_errctx *ctx)
{
    tl_str text;
    const tl_json *root = NULL;
    TL_TRY(tl_sys_read_text(&text, app->arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    tl_err err = tl_json_parse(&root, app->arena, text, NULL, ctx);
    if (err == TL_OK) {
        err = tl_json_want(input, root, "input", TL_JSON_OBJECT, ctx);
    }
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
    }
    return err;
}

/* One line under --json; else indented, for reading. */
static tl_err print_actual(tl_app *app, tl_str actual, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_sb_put(&sb, actual);
    } else {
        const tl_json *tree;
        tl_json_writer w;
        TL_TRY(tl_json_parse(&tree, app->arena, actual, NULL, ctx));
        tl_json_writer_init(&w, &sb, 2, false);
        tl_json_put_tree(&w, tree);
    }
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

static tl_err run_kind(tl_app *app, const tl_cmd_call *call, tl_str kind_name, tl_str data_dir,
                       tl_errctx *ctx)
{
    const tl_conform_kind *kind = tl_conform_find(kind_name);
    TL_ASSERT(kind != NULL);
    const char *path = call->args[0];
    const tl_json *input;
    tl_conform_tables *tables;
    tl_str actual;
    TL_TRY(read_case(&input, app, path, ctx));
    TL_TRY(tl_conform_tables_new(&tables, app->arena, ctx));
    tl_conform_env env = {.arena = app->arena, .data_dir = data_dir, .tables = tables};
    const tl_err err = tl_conform_actual(&actual, kind, input, &env, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
        return err;
    }
    return print_actual(app, actual, ctx);
}

static const tl_cmd_option args[] = {
    {.name = "file",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "a JSON object whose member input is that of a case",
     .is_required = true},
};

static tl_err run_yuma(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    return run_kind(self, call, TL_STR("yuma-epoch"), (tl_str){NULL, 0}, ctx);
}

static const char *const yuma_examples[] = {"tally yuma run tests/e2e/cases/yuma.json", NULL};

const tl_cmd tl_cli_yuma_run = {
    .name = "yuma run",
    .summary = "run Yuma consensus over the epochs of a case",
    .text = "The file holds one case of kind yuma-epoch; what would be its expect is printed, in "
            "exact fixed point.",
    .args = args,
    .arg_count = sizeof args / sizeof args[0],
    .examples = yuma_examples,
    .run = run_yuma,
};

static tl_err run_metrics(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    const tl_str data_dir = tl_str_from_cstr(tl_cmd_text(call, "data"));
    return run_kind(self, call, TL_STR("quant-returns"), data_dir, ctx);
}

static const tl_cmd_option metrics_options[] = {
    {.name = "data",
     .type = TL_CMD_DIR,
     .metavar = "DIR",
     .help = "the folder with the tables of which the series are slices"},
};
static const char *const metrics_examples[] = {
    "tally metrics --data data tests/e2e/cases/metrics.json", NULL};

const tl_cmd tl_cli_metrics = {
    .name = "metrics",
    .summary = "compute the metrics of a series of prices or returns",
    .text = "The file holds one case of kind quant-returns; what would be its expect is printed. "
            "null is undefined: too few observations, or a division by zero.",
    .options = metrics_options,
    .option_count = sizeof metrics_options / sizeof metrics_options[0],
    .args = args,
    .arg_count = sizeof args / sizeof args[0],
    .examples = metrics_examples,
    .run = run_metrics,
};
