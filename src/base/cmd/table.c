/* The table itself: told as JSON, and held to its rules. */
#include "base/cmd/cmd.h"

#include <string.h>

#include "base/cmd/cmd_internal.h"

static const char *type_name(tl_cmd_type type)
{
    switch (type) {
    case TL_CMD_FLAG:
        return "flag";
    case TL_CMD_TEXT:
        return "text";
    case TL_CMD_FILE:
        return "file";
    case TL_CMD_DIR:
        return "folder";
    case TL_CMD_U64:
        return "integer";
    case TL_CMD_F64:
        return "number";
    case TL_CMD_CHOICE:
        return "choice";
    }
    return "text";
}

static void put_options(tl_json_writer *w, const char *key, const tl_cmd_option *options,
                        size_t count)
{
    tl_json_put_key(w, key);
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "default");
        tl_json_put_cstr(w, options[i].fallback);
        tl_json_put_key(w, "help");
        tl_json_put_cstr(w, options[i].help);
        tl_json_put_key(w, "metavar");
        tl_json_put_cstr(w, options[i].metavar);
        tl_json_put_key(w, "name");
        tl_json_put_cstr(w, options[i].name);
        tl_json_put_key(w, "repeatable");
        tl_json_put_bool(w, options[i].is_repeatable);
        tl_json_put_key(w, "required");
        tl_json_put_bool(w, options[i].is_required);
        tl_json_put_key(w, "type");
        tl_json_put_cstr(w, type_name(options[i].type));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

void tl_cmd_put_json(tl_json_writer *w, const tl_cmd_table *table)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "commands");
    tl_json_put_array(w);
    for (size_t i = 0; i < table->count; i++) {
        const tl_cmd *cmd = table->commands[i];
        tl_json_put_object(w);
        put_options(w, "arguments", cmd->args, cmd->arg_count);
        tl_json_put_key(w, "examples");
        tl_json_put_array(w);
        for (size_t k = 0; cmd->examples[k] != NULL; k++) {
            tl_json_put_cstr(w, cmd->examples[k]);
        }
        tl_json_put_end(w);
        tl_json_put_key(w, "name");
        tl_json_put_cstr(w, cmd->name);
        put_options(w, "options", cmd->options, cmd->option_count);
        tl_json_put_key(w, "summary");
        tl_json_put_cstr(w, cmd->summary);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    put_options(w, "options", table->globals, table->global_count);
    tl_json_put_key(w, "program");
    tl_json_put_cstr(w, table->program);
    tl_json_put_key(w, "version");
    tl_json_put_cstr(w, table->version);
    tl_json_put_end(w);
}

/* --- the rules --- */

static tl_err check_option(const tl_cmd *cmd, const tl_cmd_option *option, tl_errctx *ctx)
{
    const char *where = cmd != NULL ? cmd->name : "every command";
    if (option->name == NULL || option->help == NULL ||
        (option->type != TL_CMD_FLAG && option->metavar == NULL) ||
        (option->type == TL_CMD_CHOICE && option->choices == NULL)) {
        return tl_fail(ctx, TL_ERR_INTERNAL, "an option of %s lacks name, help, metavar or choices",
                       where);
    }
    if (option->fallback != NULL && option->type != TL_CMD_FLAG) {
        tl_errctx own = TL_ERRCTX_INIT;
        if (tl__cmd_check_value(option, option->name, option->fallback, &own) != TL_OK) {
            return tl_fail(ctx, TL_ERR_INTERNAL, "default of --%s of %s: %s", option->name, where,
                           own.message);
        }
    }
    return TL_OK;
}

static tl_err check_names(const tl_cmd_table *table, const tl_cmd *cmd, tl_errctx *ctx)
{
    const tl_cmd_option *a;
    const tl_cmd_option *b;
    for (size_t i = 0; (a = tl__cmd_option(table, cmd, i)) != NULL; i++) {
        for (size_t k = i + 1; (b = tl__cmd_option(table, cmd, k)) != NULL; k++) {
            if (strcmp(a->name, b->name) == 0 || (a->letter != 0 && a->letter == b->letter)) {
                return tl_fail(ctx, TL_ERR_INTERNAL, "%s has two options --%s", cmd->name, a->name);
            }
        }
    }
    return TL_OK;
}

static tl_err check_command(const tl_cmd_table *table, size_t index, tl_errctx *ctx)
{
    const tl_cmd *cmd = table->commands[index];
    if (cmd->name == NULL || cmd->summary == NULL || cmd->run == NULL || cmd->examples == NULL ||
        cmd->examples[0] == NULL) { /* CMD-2 */
        return tl_fail(ctx, TL_ERR_INTERNAL,
                       "command %s lacks a name, summary, example or function",
                       cmd->name != NULL ? cmd->name : "?");
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(table->commands[i]->name, cmd->name) == 0) {
            return tl_fail(ctx, TL_ERR_INTERNAL, "two commands are named %s", cmd->name);
        }
    }
    for (size_t i = 0; i < cmd->option_count; i++) {
        TL_TRY(check_option(cmd, &cmd->options[i], ctx));
    }
    for (size_t i = 0; i < cmd->arg_count; i++) {
        TL_TRY(check_option(cmd, &cmd->args[i], ctx));
    }
    return check_names(table, cmd, ctx);
}

tl_err tl_cmd_check(const tl_cmd_table *table, tl_errctx *ctx)
{
    for (size_t i = 0; i < table->global_count; i++) {
        TL_TRY(check_option(NULL, &table->globals[i], ctx));
    }
    for (size_t i = 0; i < table->count; i++) {
        TL_TRY(check_command(table, i, ctx));
    }
    return TL_OK;
}
