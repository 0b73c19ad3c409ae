/* From options, settings and the environment to what the rooms of the stores take. */
#include "app/cli/stores.h"

#include <stdlib.h>

#define OBJECTS_DIR  "objects"
#define OBJECTS_SIGN "objects.key"

static const char *env_of(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

static bool has_option(const tl_cmd_call *call, const char *name)
{
    for (size_t i = 0; i < call->cmd->option_count; i++) {
        if (tl_str_eq_cstr(tl_str_from_cstr(name), call->cmd->options[i].name)) {
            return true;
        }
    }
    return false;
}

/* The option, else the setting, else NULL. An empty text is as none. */
static const char *choose(const tl_app *app, const tl_cmd_call *call, const char *option,
                          const char *setting)
{
    const char *text = has_option(call, option) ? tl_cmd_text(call, option) : NULL;
    text = text != NULL ? text : tl_config_text(&app->config, setting);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A secret: the environment's variable by its own name, else what the setting refers to, else NULL. */
static tl_err secret(const char **out, tl_app *app, const char *variable, const char *setting,
                     tl_errctx *ctx)
{
    const char *value = getenv(variable);
    if (value != NULL && value[0] != '\0') {
        *out = value;
        return TL_OK;
    }
    *out = NULL;
    if (tl_config_text(&app->config, setting) == NULL) {
        return TL_OK;
    }
    tl_str text;
    TL_TRY(tl_config_secret(&text, app->arena, &app->config, setting, env_of, NULL, ctx));
    return tl_str_copy_cstr(out, app->arena, text, ctx);
}

static tl_err named(tl_err err, const char *option, tl_errctx *ctx)
{
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", option);
    }
    return err;
}

static tl_err read_sql(tl_app *app, const tl_cmd_call *call, tl_app_stores *out, tl_errctx *ctx)
{
    out->sql.url = choose(app, call, "postgres", "stores.postgres");
    if (out->sql.url == NULL) {
        return tl_sys_join(&out->sql.path, app->arena, out->dir, TL_RECORDS_FILE, ctx);
    }
    TL_TRY(named(tl_sql_check_url(out->sql.url, ctx), "postgres", ctx));
    const char *password;
    TL_TRY(secret(&password, app, "PGPASSWORD", "stores.postgres_password", ctx));
    if (password != NULL && setenv("PGPASSWORD", password, 0) != 0) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the environment");
    }
    return TL_OK;
}

static tl_err read_redis(tl_app *app, const tl_cmd_call *call, tl_app_stores *out, tl_errctx *ctx)
{
    out->redis_url = choose(app, call, "redis", "stores.redis");
    return out->redis_url == NULL ? TL_OK
                                  : secret(&out->redis_password, app, "TALLY_REDIS_PASSWORD",
                                           "stores.redis_password", ctx);
}

static tl_err read_s3(tl_app *app, tl_app_stores *out, tl_errctx *ctx)
{
    tl_objects_options *o = &out->objects;
    const char *access;
    const char *key;
    TL_TRY(secret(&access, app, "AWS_ACCESS_KEY_ID", "stores.s3_access_key", ctx));
    TL_TRY(secret(&key, app, "AWS_SECRET_ACCESS_KEY", "stores.s3_secret_key", ctx));
    if (access == NULL || key == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "s3",
                             "%s is not set, and S3 takes no request without it",
                             access == NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY");
    }
    o->access_key = tl_str_from_cstr(access);
    o->secret_key = tl_str_from_cstr(key);
    o->region = tl_str_from_cstr(getenv("AWS_REGION"));
    return TL_OK;
}

static tl_err read_objects(tl_app *app, const tl_cmd_call *call, tl_app_stores *out, tl_errctx *ctx)
{
    tl_objects_options *o = &out->objects;
    o->s3_url = choose(app, call, "s3", "stores.s3");
    if (o->s3_url != NULL) {
        return read_s3(app, out, ctx);
    }
    TL_TRY(tl_sys_join(&o->dir, app->arena, out->dir, OBJECTS_DIR, ctx));
    return tl_sys_join(&o->sign_file, app->arena, out->dir, OBJECTS_SIGN, ctx);
}

tl_err tl_app_stores_read(tl_app *app, const tl_cmd_call *call, tl_app_stores *out, tl_errctx *ctx)
{
    const char *dir = NULL;
    TL_TRY(tl_app_state_dir(app, &dir, ctx));
    return tl_app_stores_read_in(app, call, dir, out, ctx);
}

tl_err tl_app_stores_read_in(tl_app *app, const tl_cmd_call *call, const char *dir,
                             tl_app_stores *out, tl_errctx *ctx)
{
    tl_app_stores stores = {.dir = dir};
    TL_TRY(tl_sys_make_dir(stores.dir, TL_SYS_DIR_MODE, ctx));
    TL_TRY(read_sql(app, call, &stores, ctx));
    TL_TRY(read_redis(app, call, &stores, ctx));
    TL_TRY(read_objects(app, call, &stores, ctx));
    *out = stores;
    return TL_OK;
}

tl_err tl_app_open_records(tl_records **out, const tl_app_stores *stores, tl_records_mode mode,
                           tl_errctx *ctx)
{
    return tl_records_open(out, &stores->sql, mode, ctx);
}

tl_err tl_app_open_objects(tl_objects **out, const tl_app_stores *stores, tl_errctx *ctx)
{
    return tl_objects_open(out, &stores->objects, ctx);
}

tl_err tl_app_open_redis(tl_redis **out, const tl_app_stores *stores, tl_errctx *ctx)
{
    if (stores->redis_url == NULL) {
        *out = NULL;
        return TL_OK;
    }
    const tl_redis_options options = {.url = tl_str_from_cstr(stores->redis_url),
                                      .password = tl_str_from_cstr(stores->redis_password)};
    return tl_redis_open(out, &options, ctx);
}
