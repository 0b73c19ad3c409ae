/* tally config: what holds, where it comes from, what it means. */
#include "app/cli/cli.h"

static void put_json(tl_sb *sb, const tl_config *config)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "file");
    tl_json_put_cstr(&w, config->path);
    tl_json_put_key(&w, "settings");
    tl_json_put_array(&w);
    for (size_t i = 0; i < config->count; i++) {
        const tl_config_value *value = &config->values[i];
        char variable[TL_CONFIG_ENV_NAME_CAP];
        tl_config_env_name(variable, config->settings[i].name);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "default");
        tl_json_put_cstr(&w, config->settings[i].fallback);
        tl_json_put_key(&w, "line");
        if (value->line > 0) {
            tl_json_put_u64(&w, value->line);
        } else {
            tl_json_put_null(&w);
        }
        tl_json_put_key(&w, "meaning");
        tl_json_put_cstr(&w, config->settings[i].meaning);
        tl_json_put_key(&w, "name");
        tl_json_put_cstr(&w, config->settings[i].name);
        tl_json_put_key(&w, "origin");
        tl_json_put_cstr(&w, tl_config_origin_name(value->origin));
        tl_json_put_key(&w, "value");
        tl_json_put_cstr(&w, tl_config_shown(config, i));
        tl_json_put_key(&w, "variable");
        tl_json_put_cstr(&w, variable);
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_sb_put_char(sb, '\n');
}

static void put_text(tl_sb *sb, const tl_config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        const tl_config_value *value = &config->values[i];
        const tl_setting *setting = &config->settings[i];
        const char *shown = tl_config_shown(config, i);
        char variable[TL_CONFIG_ENV_NAME_CAP];
        tl_config_env_name(variable, setting->name);
        tl_sb_printf(sb, "%s = %s\n", setting->name, shown != NULL ? shown : "(not set)");
        tl_sb_printf(sb, "    from %s", tl_config_origin_name(value->origin));
        if (value->origin == TL_CONFIG_FILE) {
            tl_sb_printf(sb, " %s:%u", config->path, value->line);
        }
        tl_sb_printf(sb, "; default %s; variable %s\n    %s\n",
                     setting->fallback != NULL ? setting->fallback : "none", variable,
                     setting->meaning);
    }
}

static tl_err run_show(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    (void)call;
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    (app->is_json ? put_json : put_text)(&sb, &app->config);
    return tl_app_print_sb(app, &sb, ctx);
}

/* All was checked before the command came to run: what is wrong has been told by then. */
static tl_err run_check(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    (void)call;
    size_t set = 0;
    for (size_t i = 0; i < app->config.count; i++) {
        set += app->config.values[i].origin != TL_CONFIG_DEFAULT;
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "file");
        tl_json_put_cstr(&w, app->config.path);
        tl_json_put_key(&w, "ok");
        tl_json_put_bool(&w, true);
        tl_json_put_key(&w, "set");
        tl_json_put_u64(&w, set);
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
    } else {
        tl_sb_printf(&sb, "ok: %zu of %zu settings are set; file: %s\n", set, app->config.count,
                     app->config.path != NULL ? app->config.path : "none");
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const show_examples[] = {"tally config show", "tally config show --json", NULL};

const tl_cmd tl_cli_config_show = {
    .name = "config show",
    .summary = "show each setting: value, origin, default, meaning",
    .text = "Settings come from a file ([section] and key = value), named by --config or found as "
            "$XDG_CONFIG_HOME/tally/tally.ini or ~/.config/tally/tally.ini. A variable "
            "TALLY_SECTION_KEY goes before the file. A secret is only referred to, as env:NAME or "
            "file:PATH, and is shown as a mask.",
    .examples = show_examples,
    .run = run_show,
};

static const char *const check_examples[] = {"tally config check", NULL};

const tl_cmd tl_cli_config_check = {
    .name = "config check",
    .summary = "check the settings; an error names file and line",
    .text = "Every command checks all settings before it starts; this one does nothing else.",
    .examples = check_examples,
    .run = run_check,
};
