/* tally db: the store's schema. */
#include "app/cli/cli.h"

static void put_migrations(tl_json_writer *w, const tl_store_migration *rows, size_t count)
{
    tl_json_put_key(w, "migrations");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "checksum");
        tl_json_put_cstr(w, rows[i].checksum);
        tl_json_put_key(w, "name");
        tl_json_put_str(w, rows[i].name);
        tl_json_put_key(w, "number");
        tl_json_put_u64(w, rows[i].number);
        tl_json_put_key(w, "state");
        tl_json_put_cstr(w, tl_store_migration_state_name(rows[i].state));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static tl_err print_status(tl_app *app, tl_store *store, tl_errctx *ctx)
{
    const tl_store_migration *rows;
    size_t count;
    TL_TRY(tl_store_migrations(store, &rows, &count, app->arena, ctx));
    uint32_t version = 0;
    for (size_t i = 0; i < count; i++) {
        version = rows[i].state != TL_STORE_PENDING ? rows[i].number : version;
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        put_migrations(&w, rows, count);
        tl_json_put_key(&w, "path");
        tl_json_put_cstr(&w, tl_store_path(store));
        tl_json_put_key(&w, "version");
        tl_json_put_u64(&w, version);
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(app, &sb, ctx);
    }
    tl_sb_printf(&sb, "%s: version %u\n", tl_store_path(store), version);
    for (size_t i = 0; i < count; i++) {
        tl_sb_printf(&sb, "%4u  %-8s  %.12s  %.*s\n", rows[i].number,
                     tl_store_migration_state_name(rows[i].state), rows[i].checksum,
                     TL_STR_ARG(rows[i].name));
    }
    return tl_app_print_sb(app, &sb, ctx);
}

/* Opens the store, hands it to what is to be done, and closes it in every case. */
static tl_err with_store(tl_app *app, tl_store_mode mode,
                         tl_err (*work)(tl_app *app, tl_store *store, tl_errctx *ctx),
                         tl_errctx *ctx)
{
    tl_store *store;
    TL_TRY(tl_app_open_store(app, &store, mode, ctx));
    const tl_err err = work(app, store, ctx);
    const tl_err closed = tl_store_close(store, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : closed;
}

static tl_err run_status(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)call;
    return with_store(self, TL_STORE_INSPECT, print_status, ctx);
}

static tl_err migrate(tl_app *app, tl_store *store, tl_errctx *ctx)
{
    size_t applied;
    TL_TRY(tl_store_migrate(store, &applied, ctx));
    tl_app_say(app, "%zu migrations applied", applied);
    return print_status(app, store, ctx);
}

static tl_err run_migrate(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)call;
    return with_store(self, TL_STORE_ADMIN, migrate, ctx);
}

static tl_err verify(tl_app *app, tl_store *store, tl_errctx *ctx)
{
    const tl_str *findings;
    size_t count;
    TL_TRY(tl_store_verify(store, &findings, &count, app->arena, ctx));
    if (count > 0) {
        tl_app_check_failed(app);
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "findings");
        tl_json_put_array(&w);
        for (size_t i = 0; i < count; i++) {
            tl_json_put_str(&w, findings[i]);
        }
        tl_json_put_end(&w);
        tl_json_put_key(&w, "ok");
        tl_json_put_bool(&w, count == 0);
        tl_json_put_key(&w, "path");
        tl_json_put_cstr(&w, tl_store_path(store));
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(app, &sb, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        tl_sb_printf(&sb, "%.*s\n", TL_STR_ARG(findings[i]));
    }
    tl_sb_printf(&sb, "%s: %s\n", tl_store_path(store), count == 0 ? "ok" : "damaged");
    return tl_app_print_sb(app, &sb, ctx);
}

static tl_err run_verify(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)call;
    return with_store(self, TL_STORE_INSPECT, verify, ctx);
}

static const char *const migrate_examples[] = {"tally db migrate", NULL};

const tl_cmd tl_cli_db_migrate = {
    .name = "db migrate",
    .summary = "bring the database of the state folder to this version, or make it",
    .text =
        "Each migration is numbered and runs in a transaction of its own; its checksum is kept. "
        "A database that a newer version wrote is left alone.",
    .examples = migrate_examples,
    .run = run_migrate,
};

static const char *const status_examples[] = {"tally db status", NULL};

const tl_cmd tl_cli_db_status = {
    .name = "db status",
    .summary = "show the version of the database and its migrations",
    .examples = status_examples,
    .run = run_status,
};

static const char *const verify_examples[] = {"tally db verify", NULL};

const tl_cmd tl_cli_db_verify = {
    .name = "db verify",
    .summary = "check migrations, schema, pages, references and serials",
    .text = "The exit code is 1 when something is found.",
    .examples = verify_examples,
    .run = run_verify,
};
