/* tally epoch verify, export and pack: bundles as files, no state folder. */
#include "app/cli/cli.h"
#include "core/epoch/bundle/bundle.h"
#include "core/subnet/listings/listings.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/sys/sys.h"

#define BUNDLE_LEN_MAX ((size_t)1 << 29)
#define REPLAY_LEN_MAX ((size_t)8 << 30) /* ceiling of the arena in which an epoch is run again */

static const tl_subnet *const subnets[] = {&tl_subnet_listings, &tl_subnet_portfolio};
enum { SUBNET_COUNT = sizeof subnets / sizeof *subnets };

/* --- epoch verify --- */

/* What was found out about one file. */
typedef struct verdict {
    tl_err err; /* TL_OK: the report says the rest */
    tl_errctx why;
    tl_bundle_report report;
} verdict;

/* TL_OK when a verdict could be reached, good or bad. */
static void verify_file(verdict *out, tl_arena *arena, const char *path)
{
    *out = (verdict){.why = TL_ERRCTX_INIT};
    tl_str bytes = {NULL, 0};
    tl_bundle bundle = {0};
    out->err = tl_sys_read_file(&bytes, arena, path, BUNDLE_LEN_MAX, &out->why);
    if (out->err != TL_OK) {
        return;
    }
    out->err = tl_bundle_read(&bundle, arena, bytes, &out->why);
    if (out->err != TL_OK) {
        tl_errctx_wrap(&out->why, "%s is no bundle", path);
        return;
    }
    out->err = tl_bundle_verify(&out->report, arena, &bundle, subnets, SUBNET_COUNT, &out->why);
}

static void put_verdict_json(tl_sb *sb, const char *path, const verdict *v)
{
    const bool has_report = v->err == TL_OK;
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "bundle");
    tl_json_put_cstr(&w, path);
    tl_json_put_key(&w, "ok");
    tl_json_put_bool(&w, has_report && v->report.is_ok);
    tl_json_put_key(&w, "digest");
    if (has_report) {
        tl_json_put_hex(&w, v->report.digest.b, sizeof v->report.digest.b);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_key(&w, "differs");
    tl_json_put_array(&w);
    for (size_t i = 0; has_report && i < v->report.differ_count; i++) {
        tl_json_put_str(&w, v->report.differs[i]);
    }
    tl_json_put_end(&w);
    const tl_errctx *why = has_report ? &v->report.replay : &v->why;
    tl_json_put_key(&w, "error");
    tl_json_put_cstr(&w, why->code != TL_OK ? why->message : NULL);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
}

static void put_verdict_text(tl_sb *sb, const char *path, const verdict *v)
{
    if (v->err != TL_OK) {
        tl_sb_printf(sb, "bad   %s  %s\n", path, v->why.message);
        return;
    }
    tl_sb_printf(sb, "%s  %s  ", v->report.is_ok ? "ok  " : "bad ", path);
    for (size_t i = 0; i < 8; i++) {
        tl_sb_printf(sb, "%02x", v->report.digest.b[i]);
    }
    tl_sb_put_char(sb, '\n');
    for (size_t i = 0; i < v->report.differ_count; i++) {
        tl_sb_printf(sb, "      differs: %.*s\n", TL_STR_ARG(v->report.differs[i]));
    }
    if (v->report.replay.code != TL_OK) {
        tl_sb_printf(sb, "      cannot be run again: %s%s%s\n", v->report.replay.field,
                     v->report.replay.field[0] != '\0' ? ": " : "", v->report.replay.message);
    }
}

/* The exit code of several verdicts: the gravest. Not found 4 and trouble with the disk 6 stay what they are. */
static int exit_code_of(int before, const verdict *v)
{
    const int code = v->err != TL_OK ? tl_err_exit(v->err) : v->report.is_ok ? 0 : 1;
    return code > before ? code : before;
}

/* A bundle that one worker looks at; what it finds lives in its arena until it is told. */
typedef struct task {
    const char *path;
    bool is_json;
    tl_arena *arena;
    verdict verdict;
    tl_str text;
} task;

static tl_err verify_task(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    (void)worker;
    task *t = (task *)self + shard;
    TL_TRY(tl_arena_new(&t->arena, NULL, REPLAY_LEN_MAX, NULL, ctx));
    verify_file(&t->verdict, t->arena, t->path);
    tl_sb sb;
    tl_sb_init(&sb, t->arena);
    (t->is_json ? put_verdict_json : put_verdict_text)(&sb, t->path, &t->verdict);
    return tl_sb_finish(&t->text, &sb, ctx);
}

/* Told in the order of the command line, whichever worker was done first. */
static tl_err tell(tl_app *app, const task *tasks, size_t count, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const verdict *v = &tasks[i].verdict;
        if (v->err != TL_OK && !app->is_json) {
            tl_app_say(app, "%s", v->why.message);
        }
        app->exit_code = exit_code_of(app->exit_code, v);
        TL_TRY(tl_app_print(app, tasks[i].text, ctx));
    }
    return TL_OK;
}

/* As many bundles at once as there are threads, so that memory has a bound whatever the number of files. */
static tl_err verify_all(tl_app *app, tl_pool *pool, const tl_cmd_call *call, tl_errctx *ctx)
{
    const size_t batch = tl_pool_thread_count(pool);
    task *tasks = TL_NEW(app->arena, task, batch);
    if (tasks == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    tl_err err = TL_OK;
    for (size_t done = 0; done < call->arg_count && err == TL_OK; done += batch) {
        const size_t left = call->arg_count - done;
        const size_t count = left < batch ? left : batch;
        for (size_t i = 0; i < count; i++) {
            tasks[i] = (task){.path = call->args[done + i], .is_json = app->is_json};
        }
        err = tl_sys_check_interrupt(ctx);
        if (err == TL_OK) {
            err = tl_pool_run(pool, count, verify_task, tasks, ctx);
        }
        if (err == TL_OK) {
            err = tell(app, tasks, count, ctx);
        }
        for (size_t i = 0; i < count; i++) {
            tl_arena_free(tasks[i].arena);
        }
    }
    return err;
}

static tl_err run_verify(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_pool *pool;
    TL_TRY(tl_app_new_pool(app, &pool, call->arg_count, ctx));
    const tl_err err = verify_all(app, pool, call, ctx);
    tl_pool_free(pool);
    return err;
}

static const tl_cmd_option verify_args[] = {
    {.name = "bundle",
     .type = TL_CMD_FILE,
     .metavar = "BUNDLE",
     .help = "a file that an epoch was published in",
     .is_required = true,
     .is_repeatable = true},
};
static const char *const verify_examples[] = {
    "tally epoch verify tests/e2e/portfolio/2022-Q1-W3.bundle",
    "tally epoch verify --json tests/e2e/listings/2025-10-03T04-00-00.bundle", NULL};

const tl_cmd tl_cli_epoch_verify = {
    .name = "epoch verify",
    .summary = "check digests and run the epoch again",
    .text =
        "A bundle holds an epoch's inputs, evidence, parameters and results. Verifying believes "
        "none of its digests: the epoch is run again, and the results are compared byte by "
        "byte. The subnet that the parameters name says how: portfolio and listings are "
        "known. Exit code 1 when something differs, 3 when a file is no bundle.",
    .args = verify_args,
    .arg_count = 1,
    .examples = verify_examples,
    .run = run_verify,
};

/* --- epoch export --- */

static tl_err run_export(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_str bytes = {NULL, 0};
    TL_TRY(tl_sys_read_file(&bytes, app->arena, call->args[0], BUNDLE_LEN_MAX, ctx));
    tl_bundle bundle = {0};
    const tl_err err = tl_bundle_read(&bundle, app->arena, bytes, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s is no bundle", call->args[0]);
        return err;
    }
    tl_str json = {NULL, 0};
    TL_TRY(tl_bundle_export(&json, app->arena, &bundle, ctx));
    TL_TRY(tl_app_print(app, json, ctx));
    return tl_app_print(app, TL_STR("\n"), ctx);
}

static const tl_cmd_option export_args[] = {
    {.name = "bundle",
     .type = TL_CMD_FILE,
     .metavar = "BUNDLE",
     .help = "a file that an epoch was published in",
     .is_required = true},
};
static const char *const export_examples[] = {
    "tally epoch export tests/e2e/portfolio/2022-Q1-W3.bundle", NULL};

const tl_cmd tl_cli_epoch_export = {
    .name = "epoch export",
    .summary = "print a bundle as JSON: inputs, evidence, parameters, results, digests",
    .args = export_args,
    .arg_count = 1,
    .examples = export_examples,
    .run = run_export,
};

/* --- epoch pack --- */

static tl_err run_pack(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_str json = {NULL, 0};
    TL_TRY(tl_sys_read_file(&json, app->arena, call->args[0], BUNDLE_LEN_MAX, ctx));
    tl_str bytes = {NULL, 0};
    tl_hash32 digest;
    const tl_err err = tl_bundle_pack(&bytes, &digest, app->arena, json, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", call->args[0]);
        return err;
    }
    const char *path = tl_cmd_text(call, "output");
    TL_TRY(tl_sys_write_file(path, tl_str_bytes(bytes), 0644, ctx));
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "bundle");
        tl_json_put_cstr(&w, path);
        tl_json_put_key(&w, "digest");
        tl_json_put_hex(&w, digest.b, sizeof digest.b);
        tl_json_put_end(&w);
        tl_json_writer_done(&w);
        tl_sb_put_char(&sb, '\n');
    } else {
        tl_sb_printf(&sb, "%s\n", path);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option pack_options[] = {
    {.name = "output",
     .letter = 'o',
     .type = TL_CMD_FILE,
     .metavar = "BUNDLE",
     .help = "where the bundle is written",
     .is_required = true},
};
static const tl_cmd_option pack_args[] = {
    {.name = "file",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "JSON as tally epoch export prints it",
     .is_required = true},
};
static const char *const pack_examples[] = {
    "tally epoch pack tests/e2e/portfolio/2022-Q1-W3.json -o build/2022-Q1-W3.bundle", NULL};

const tl_cmd tl_cli_epoch_pack = {
    .name = "epoch pack",
    .summary = "make a bundle of such JSON",
    .text =
        "Digests are computed anew over whatever the file says, true or not: a false result can "
        "be packed well, and only tally epoch verify finds it, by running the epoch again.",
    .options = pack_options,
    .option_count = 1,
    .args = pack_args,
    .arg_count = 1,
    .examples = pack_examples,
    .run = run_pack,
};
