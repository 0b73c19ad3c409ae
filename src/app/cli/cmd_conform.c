/* tally conformance: vector files against this program. */
#include "app/cli/cli.h"

#include "app/conformance/conformance.h"

/* What the cases are told to. */
typedef struct report {
    tl_app *app;
    tl_json_writer *w; /* with --json */
    tl_sb *json;       /* where w writes to */
    uint64_t passed;
    uint64_t failed;
} report;

static void put_case_json(tl_json_writer *w, const tl_conform_case *c)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "file");
    tl_json_put_str(w, c->file);
    tl_json_put_key(w, "kind");
    tl_json_put_str(w, c->kind);
    tl_json_put_key(w, "id");
    tl_json_put_str(w, c->id);
    tl_json_put_key(w, "passed");
    tl_json_put_bool(w, c->is_passed);
    tl_json_put_key(w, "error");
    tl_json_put_cstr(w, c->error != TL_OK ? tl_err_name(c->error) : NULL);
    tl_json_put_key(w, "message");
    tl_json_put_cstr(w, c->message);
    tl_json_put_key(w, "difference_count");
    tl_json_put_u64(w, c->diff_count_full);
    tl_json_put_key(w, "differs");
    tl_json_put_array(w);
    for (size_t i = 0; i < c->diff_count; i++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "path");
        tl_json_put_str(w, c->diffs[i].path);
        tl_json_put_key(w, "expected");
        tl_json_put_str(w, c->diffs[i].expected);
        tl_json_put_key(w, "actual");
        tl_json_put_str(w, c->diffs[i].actual);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

static void put_case_text(tl_sb *sb, const tl_conform_case *c)
{
    tl_sb_printf(sb, "FAIL %.*s %.*s\n", TL_STR_ARG(c->file), TL_STR_ARG(c->id));
    if (c->error != TL_OK) {
        tl_sb_printf(sb, "  %s: %s\n", tl_err_name(c->error), c->message);
    }
    for (size_t i = 0; i < c->diff_count; i++) {
        tl_sb_printf(sb, "  %.*s\n    expected %.*s\n    actual   %.*s\n",
                     TL_STR_ARG(c->diffs[i].path), TL_STR_ARG(c->diffs[i].expected),
                     TL_STR_ARG(c->diffs[i].actual));
    }
    if (c->diff_count_full > c->diff_count) {
        tl_sb_printf(sb, "  and %zu more\n", c->diff_count_full - c->diff_count);
    }
}

static tl_err on_case(void *self, const tl_conform_case *c, tl_errctx *ctx)
{
    report *r = self;
    r->passed += c->is_passed;
    r->failed += !c->is_passed;
    if (r->app->is_json) {
        put_case_json(r->w, c);
        return r->json->err == TL_OK ? TL_OK : tl_arena_fail(r->app->arena, ctx);
    }
    if (c->is_passed) {
        return TL_OK;
    }
    tl_sb sb;
    tl_sb_init(&sb, r->app->arena);
    put_case_text(&sb, c);
    return tl_app_print_sb(r->app, &sb, ctx);
}

static tl_err run_files(report *r, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_arena *arena = r->app->arena;
    tl_conform_tables *tables;
    TL_TRY(tl_conform_tables_new(&tables, arena, ctx));
    const tl_conform_sink sink = {r, on_case};
    const tl_str data_dir = tl_str_from_cstr(tl_cmd_text(call, "data"));
    for (size_t i = 0; i < call->arg_count; i++) {
        TL_TRY(tl_conform_file(call->args[i], data_dir, tables, arena, &sink, ctx));
    }
    return TL_OK;
}

static tl_err run(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    tl_sb json;
    tl_json_writer w;
    tl_sb_init(&json, app->arena);
    tl_json_writer_init(&w, &json, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "cases");
    tl_json_put_array(&w);
    report r = {.app = app, .w = &w, .json = &json};
    TL_TRY(run_files(&r, call, ctx));
    if (r.failed > 0) {
        tl_app_check_failed(app);
    }
    if (!app->is_json) {
        tl_sb_init(&json, app->arena);
        tl_sb_printf(&json, "%llu passed, %llu failed\n", (unsigned long long)r.passed,
                     (unsigned long long)r.failed);
        return tl_app_print_sb(app, &json, ctx);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "passed");
    tl_json_put_u64(&w, r.passed);
    tl_json_put_key(&w, "failed");
    tl_json_put_u64(&w, r.failed);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(&json, '\n');
    return tl_app_print_sb(app, &json, ctx);
}

static const tl_cmd_option options[] = {
    {.name = "data",
     .type = TL_CMD_DIR,
     .metavar = "DIR",
     .help = "the folder with the tables of which inputs are slices"},
};
static const tl_cmd_option args[] = {
    {.name = "file",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "a file of schema tally-vectors/1",
     .is_required = true,
     .is_repeatable = true},
};
static const char *const examples[] = {"tally conformance tests/e2e/cases/prng.json", NULL};

const tl_cmd tl_cli_conformance = {
    .name = "conformance",
    .summary = "run vector files and show where expected and actual part",
    .text = "Each case of a file is computed anew and compared with what the file expects. A "
            "failing case is "
            "shown with the place, the expected and the actual side; the last line counts. The "
            "exit code is 1 when "
            "any case fails.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args = args,
    .arg_count = sizeof args / sizeof args[0],
    .examples = examples,
    .run = run,
};
