/* tally backup: a service's rows, objects and keys in one folder, and back. */
#include "app/backup/backup.h"
#include "app/cli/cli.h"
#include "app/cli/stores.h"

static void put_report(tl_json_writer *w, const char *path, const tl_backup_report *report)
{
    tl_json_put_key(w, "path");
    tl_json_put_cstr(w, path);
    tl_json_put_key(w, "rows");
    tl_json_put_u64(w, report->rows);
    tl_json_put_key(w, "objects");
    tl_json_put_u64(w, report->objects);
    tl_json_put_key(w, "keys");
    tl_json_put_u64(w, report->keys);
    tl_json_put_key(w, "bytes");
    tl_json_put_u64(w, report->bytes);
    tl_json_put_key(w, "digest");
    tl_json_put_cstr(w, report->digest);
}

static tl_err print_report(tl_app *app, const char *verb, const char *path,
                           const tl_backup_report *report, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        put_report(&w, path, report);
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
    } else {
        tl_sb_printf(&sb, "%s: %s %llu rows, %llu objects, %llu keys, %llu bytes\n%s\n", path, verb,
                     (unsigned long long)report->rows, (unsigned long long)report->objects,
                     (unsigned long long)report->keys, (unsigned long long)report->bytes,
                     report->digest);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

/* What is opened for a command, and closed in every case. */
typedef struct opened {
    tl_backup_stores stores;
    tl_sys_lock lock;
    bool is_locked;
} opened;

static void close_stores(opened *o)
{
    tl_objects_close(o->stores.objects);
    tl_records_close(o->stores.records);
    if (o->is_locked) {
        tl_sys_lock_close(&o->lock);
    }
}

static tl_err open_stores(opened *o, tl_app *app, const tl_cmd_call *call, bool is_restore,
                          tl_errctx *ctx)
{
    tl_app_stores stores;
    TL_TRY(tl_app_stores_read(app, call, &stores, ctx));
    stores.objects.sign_file = NULL; /* one of the keys: copied, not made */
    stores.sql.must_exist = !is_restore;
    stores.objects.is_existing = !is_restore && stores.objects.s3_url != NULL;
    o->stores.dir = stores.dir;
    if (is_restore) { /* a service may be saved while it runs, but nothing runs on what is being filled */
        TL_TRY(tl_sys_lock_open(&o->lock, stores.dir, ctx));
        o->is_locked = true;
    }
    TL_TRY(tl_app_open_records(&o->stores.records, &stores,
                               is_restore ? TL_RECORDS_USE : TL_RECORDS_STRICT, ctx));
    return tl_app_open_objects(&o->stores.objects, &stores, ctx);
}

static tl_err run_create(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    opened o = {.is_locked = false};
    tl_backup_report report;
    const char *path = tl_cmd_text(call, "to");
    const tl_clock clock = tl_sys_clock();
    tl_err err = open_stores(&o, app, call, false, ctx);
    err = err == TL_OK ? tl_backup_create(&report, path, &o.stores, &clock, ctx) : err;
    close_stores(&o);
    return err == TL_OK ? print_report(app, "saved", path, &report, ctx) : err;
}

static tl_err run_restore(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    opened o = {.is_locked = false};
    tl_backup_report report;
    const char *path = call->args[0];
    tl_err err = open_stores(&o, app, call, true, ctx);
    err = err == TL_OK ? tl_backup_restore(&report, path, &o.stores, ctx) : err;
    close_stores(&o);
    return err == TL_OK ? print_report(app, "restored", path, &report, ctx) : err;
}

static tl_err run_verify(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    tl_backup_report report;
    const tl_str *differs;
    size_t count;
    const char *path = call->args[0];
    TL_TRY(tl_backup_verify(&report, &differs, &count, app->arena, path, ctx));
    if (count > 0) {
        tl_app_check_failed(app);
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "ok");
        tl_json_put_bool(&w, count == 0);
        tl_json_put_key(&w, "differs");
        tl_json_put_array(&w);
        for (size_t i = 0; i < count; i++) {
            tl_json_put_str(&w, differs[i]);
        }
        tl_json_put_end(&w);
        put_report(&w, path, &report);
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(app, &sb, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        tl_sb_printf(&sb, "differs: %.*s\n", TL_STR_ARG(differs[i]));
    }
    tl_sb_printf(&sb, "%s: %s\n", path, count == 0 ? "ok" : "damaged");
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option create_options[] = {
    {.name = "to",
     .type = TL_CMD_DIR,
     .metavar = "PATH",
     .is_required = true,
     .help = "the folder to make; it must not be there"},
    TL_APP_STORE_OPTIONS,
};

static const tl_cmd_option restore_options[] = {TL_APP_STORE_OPTIONS};

static const tl_cmd_option path_args[] = {{.name = "path",
                                           .type = TL_CMD_DIR,
                                           .metavar = "PATH",
                                           .is_required = true,
                                           .help = "a backup"}};

static const char *const create_examples[] = {"tally backup create --to backup", NULL};
static const char *const verify_examples[] = {"tally backup verify backup", NULL};
static const char *const restore_examples[] = {"tally backup restore backup --dir restored", NULL};

const tl_cmd tl_cli_backup_create = {
    .name = "backup create",
    .summary = "save a service's rows, objects and keys into one folder",
    .text =
        "The service may run meanwhile: rows are of one moment, objects at least what they name. "
        "The folder is for its owner alone, since it holds the keys. Its format does not depend "
        "on the database: a backup of SQLite goes into PostgreSQL, one of a folder into S3.",
    .options = create_options,
    .option_count = sizeof create_options / sizeof create_options[0],
    .examples = create_examples,
    .run = run_create,
};

const tl_cmd tl_cli_backup_verify = {
    .name = "backup verify",
    .summary = "look whether every byte of a backup is as it was made",
    .args = path_args,
    .arg_count = 1,
    .examples = verify_examples,
    .run = run_verify,
};

const tl_cmd tl_cli_backup_restore = {
    .name = "backup restore",
    .summary = "fill empty stores from a backup",
    .text = "The backup is verified whole first. A store that is not empty is refused, and nothing "
            "is written then. If it fails on the way, empty the stores and begin again.",
    .options = restore_options,
    .option_count = sizeof restore_options / sizeof restore_options[0],
    .args = path_args,
    .arg_count = 1,
    .examples = restore_examples,
    .run = run_restore,
};
