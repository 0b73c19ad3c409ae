/* The program from its first word to its exit code: parse, run the command, tell what went wrong. */
#include "app/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/sys/sys.h"

/* Memory of the whole program: a stranger's input must not take the machine with it. */
#define PROCESS_LEN_MAX ((size_t)4 << 30)

/* --- output --- */

tl_err tl_app_print(tl_app *app, tl_str text, tl_errctx *ctx)
{
    (void)app;
    return tl_sys_write_all(STDOUT_FILENO, tl_str_bytes(text), "standard output", ctx);
}

tl_err tl_app_print_sb(tl_app *app, tl_sb *sb, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_sb_finish(&text, sb, ctx));
    return tl_app_print(app, text, ctx);
}

void tl_app_say(const tl_app *app, const char *format, ...)
{
    if (app->is_quiet) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void tl_app_check_failed(tl_app *app)
{
    app->exit_code = tl_err_exit(TL_ERR_CHECK);
}

tl_err tl_app_state_dir(tl_app *app, const char **out, tl_errctx *ctx)
{
    const char *wanted = tl_cmd_text(app->call, "dir");
    if (wanted == NULL) {
        wanted = tl_config_text(&app->config, "state.dir");
    }
    return tl_sys_state_dir(out, app->arena, wanted, ctx);
}

tl_err tl_app_open_store(tl_app *app, tl_store **out, tl_store_mode mode, tl_errctx *ctx)
{
    const char *dir;
    TL_TRY(tl_app_state_dir(app, &dir, ctx));
    return tl_store_open(out, dir, mode, ctx);
}

tl_err tl_app_new_pool(const tl_app *app, tl_pool **out, size_t work_count, tl_errctx *ctx)
{
    size_t count = (size_t)tl_config_u64(&app->config, "pool.threads");
    count = count == 0 ? tl_sys_processor_count() : count;
    const size_t useful = work_count > 0 ? work_count : 1;
    return tl_pool_new(out, count < useful ? count : useful, ctx);
}

void tl_app_put_rao(tl_json_writer *w, const char *key, tl_rao amount)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, tl_rao_to_i64(amount));
}

void tl_app_put_tao(tl_sb *sb, tl_rao amount, size_t width)
{
    tl_sb text;
    tl_str shown = {NULL, 0};
    tl_sb_init(&text, sb->arena);
    tl_rao_print(&text, amount);
    if (tl_sb_finish(&shown, &text, NULL) == TL_OK && shown.len < width) {
        tl_sb_put_repeat(sb, ' ', width - shown.len);
    }
    tl_sb_put(sb, shown); /* without memory for it sb fails as well, and says so */
}

void tl_app_put_error(tl_json_writer *w, tl_err err, const tl_errctx *ctx)
{
    const bool has_message = ctx->message[0] != '\0';
    tl_json_put_object(w);
    tl_json_put_key(w, "error");
    tl_json_put_object(w);
    tl_json_put_key(w, "code");
    tl_json_put_cstr(w, tl_err_name(err));
    tl_json_put_key(w, "message");
    tl_json_put_cstr(w, has_message ? ctx->message : tl_err_text(err));
    tl_json_put_key(w, "field");
    tl_json_put_cstr(w, ctx->field[0] != '\0' ? ctx->field : NULL);
    tl_json_put_key(w, "hint");
    tl_json_put_cstr(w, ctx->hint[0] != '\0' ? ctx->hint : NULL);
    tl_json_put_end(w);
    tl_json_put_end(w);
}

/* Nothing more can be done when these writes fail too: the exit code tells. */
static void tell_error_json(tl_app *app, tl_err err, const tl_errctx *why)
{
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, false);
    tl_app_put_error(&w, err, why);
    tl_sb_put_char(&sb, '\n');
    if (tl_app_print_sb(app, &sb, NULL) != TL_OK) {
        (void)fprintf(stderr, "tally: %s\n", why->message);
    }
}

static void tell_error_text(tl_err err, const tl_errctx *why)
{
    (void)fprintf(stderr, "tally: %s", why->message[0] != '\0' ? why->message : tl_err_text(err));
    if (why->line != 0) {
        (void)fprintf(stderr, " (line %u, column %u)", why->line, why->column);
    }
    if (why->field[0] != '\0' && strstr(why->message, why->field) == NULL) {
        (void)fprintf(stderr, " [at %s]", why->field);
    }
    (void)fprintf(stderr, "\n");
    if (why->hint[0] != '\0') {
        (void)fprintf(stderr, "       %s\n", why->hint);
    }
}

static int tell_error(tl_app *app, tl_err err, const tl_errctx *why)
{
    if (app->is_json) {
        tell_error_json(app, err, why);
    } else {
        tell_error_text(err, why);
    }
    return tl_err_exit(err); /* CLI-2 */
}

/* --- running --- */

tl_err tl_app_print_help(tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) { /* CLI-1 */
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_cmd_put_json(&w, app->table);
        tl_sb_put_char(&sb, '\n');
    } else {
        tl_cmd_put_help(&sb, app->table, call->cmd, call->group);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

/* Is --json among the words? Asked before they are parsed, since a usage error is told in JSON too. */
static bool wants_json(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

static void write_log(void *self, tl_str line)
{
    (void)self;
    const tl_err err = tl_sys_write_all(STDERR_FILENO, tl_str_bytes(line), "standard error", NULL);
    (void)err; /* there is nowhere else to tell it */
}

/* -v and -q have the last word about the log's level. */
static void start_log(tl_app *app)
{
    tl_log_level level = TL_LOG_WARN;
    const bool is_level =
        tl_log_level_parse(&level, tl_str_from_cstr(tl_config_text(&app->config, "log.level")));
    TL_ASSERT(is_level); /* CFG-1 */
    level = app->is_verbose ? TL_LOG_DEBUG : app->is_quiet ? TL_LOG_ERROR : level;
    const bool is_json = strcmp(tl_config_text(&app->config, "log.format"), "json") == 0;
    const tl_clock clock = tl_sys_clock();
    tl_log_init(&app->log, level, is_json, &clock, write_log, NULL);
}

static const char *get_env(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

/* The file of settings: --config, else the user's own where there is one; NULL: none. */
static tl_err settings_path(tl_app *app, const char **out, tl_errctx *ctx)
{
    *out = tl_cmd_text(app->call, "config");
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    const bool has_xdg = xdg != NULL && xdg[0] == '/';
    if (*out != NULL || (!has_xdg && (home == NULL || home[0] != '/'))) {
        return TL_OK;
    }
    const char *path;
    TL_TRY(tl_sys_join(&path, app->arena, has_xdg ? xdg : home,
                       has_xdg ? "tally/tally.ini" : ".config/tally/tally.ini", ctx));
    *out = tl_sys_exists(path) ? path : NULL;
    return TL_OK;
}

static tl_err load_settings(tl_app *app, tl_errctx *ctx)
{
    const char *path;
    size_t count;
    const tl_setting *settings = tl_cli_settings(&count);
    TL_TRY(settings_path(app, &path, ctx));
    TL_TRY(tl_config_load(&app->config, app->arena, settings, count, path, get_env, NULL, ctx));
    start_log(app);
    return TL_OK;
}

static tl_err run_words(tl_app *app, const char *const *words, size_t count, tl_errctx *ctx)
{
    tl_cmd_call call;
    TL_TRY(tl_cmd_parse(&call, app->arena, app->table, words, count, ctx));
    app->call = &call;
    if (call.wants_help) {
        return tl_app_print_help(app, &call, ctx);
    }
    app->is_quiet = tl_cmd_flag(&call, "quiet");
    app->is_verbose = tl_cmd_flag(&call, "verbose");
    app->has_color = !tl_cmd_flag(&call, "no-color") && tl_sys_wants_color(STDERR_FILENO);
    if (!call.cmd->is_bare) {
        TL_TRY(load_settings(app, ctx));
    }
    const tl_clock clock = tl_sys_clock();
    const int64_t began_ns = tl_clock_steady_ns(&clock);
    const tl_err err = call.cmd->run(app, &call, ctx);
    const int64_t took_us = (tl_clock_steady_ns(&clock) - began_ns) / 1000;
    const tl_log_field fields[] = {TL_LOG_TEXT("command", tl_str_from_cstr(call.cmd->name)),
                                   TL_LOG_TEXT("result", tl_str_from_cstr(tl_err_name(err))),
                                   TL_LOG_NUMBER("duration_us", took_us)};
    tl_log_say(&app->log, TL_LOG_DEBUG, "command ended", fields, sizeof fields / sizeof fields[0]);
    app->call = NULL;
    return err;
}

int tl_cli_main(int argc, char *const *argv)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_app app = {.table = tl_cli_table(), .is_json = wants_json(argc, argv)};
    app.log.level = TL_LOG_OFF; /* until the settings are known */
    tl_err err = tl_sys_watch_interrupts(&why);
    if (err == TL_OK) {
        err = tl_arena_new(&app.arena, NULL, PROCESS_LEN_MAX, NULL, &why);
    }
    if (err != TL_OK) {
        tell_error_text(err, &why);
        return tl_err_exit(err);
    }
    const char **words = TL_NEW(app.arena, const char *, (size_t)argc);
    if (words == NULL) {
        err = tl_arena_fail(app.arena, &why);
    } else {
        for (int i = 1; i < argc; i++) {
            words[i - 1] = argv[i];
        }
        err = run_words(&app, words, argc > 0 ? (size_t)argc - 1 : 0, &why);
    }
    const int code = err != TL_OK ? tell_error(&app, err, &why) : app.exit_code;
    tl_arena_free(app.arena);
    return code;
}
