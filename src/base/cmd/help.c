/* Help: of the program, of a group, of one command. Text is set in 80 columns. */
#include "base/cmd/cmd.h"

#include <string.h>

#include "base/cmd/cmd_internal.h"

enum { PAGE_COLUMNS = 80, ENTRY_COLUMN = 28, LIST_COLUMN = 20 };

/* Words of text from column on, broken before the page's edge; further lines begin at indent. */
static void put_wrapped(tl_sb *sb, const char *text, size_t column, size_t indent)
{
    size_t at = column;
    bool has_word = false; /* on this line */
    tl_str rest = tl_str_from_cstr(text);
    while (rest.len > 0) {
        const size_t space = tl_str_find(rest, ' ');
        const size_t line_end = tl_str_find(rest, '\n');
        const size_t word_len = space < line_end ? space : line_end;
        if (has_word && at + 1 + word_len > PAGE_COLUMNS) {
            tl_sb_put_char(sb, '\n');
            tl_sb_put_repeat(sb, ' ', indent);
            at = indent;
        } else if (has_word) {
            tl_sb_put_char(sb, ' ');
            at++;
        }
        tl_sb_put(sb, tl_str_slice(rest, 0, word_len));
        at += word_len;
        has_word = true;
        if (word_len == line_end && line_end < rest.len) {
            tl_sb_put_char(sb, '\n');
            tl_sb_put_repeat(sb, ' ', indent);
            at = indent;
            has_word = false;
        }
        rest = tl_str_slice(rest, word_len + 1, rest.len);
    }
    tl_sb_put_char(sb, '\n');
}

/* "  name   help": help begins at column, on a line of its own when the name is too long. */
static void put_entry(tl_sb *sb, tl_str name, size_t column, const char *help)
{
    tl_sb_put_cstr(sb, "  ");
    tl_sb_put(sb, name);
    size_t at = name.len + 2;
    if (at + 2 > column) {
        tl_sb_put_char(sb, '\n');
        at = 0;
    }
    tl_sb_put_repeat(sb, ' ', column - at);
    put_wrapped(sb, help, column, column);
}

static void put_option(tl_sb *sb, const tl_cmd_option *option)
{
    char left[64];
    size_t len = 0;
    const char *metavar = option->type == TL_CMD_FLAG ? NULL : option->metavar;
    const char letter[] = {'-', option->letter, ',', ' ', '\0'};
    const char *parts[] = {option->letter != 0 ? letter : "    ", "--", option->name,
                           metavar != NULL ? " " : "", metavar != NULL ? metavar : ""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const size_t part_len = strlen(parts[i]);
        if (len + part_len < sizeof left) {
            memcpy(left + len, parts[i], part_len);
            len += part_len;
        }
    }
    tl_sb help;
    tl_str text;
    tl_sb_init(&help, sb->arena);
    tl_sb_put_cstr(&help, option->help);
    if (option->type == TL_CMD_CHOICE) {
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            tl_sb_printf(&help, "%s%s", i == 0 ? ": " : " | ", option->choices[i]);
        }
    }
    if (option->fallback != NULL) {
        tl_sb_printf(&help, " (default %s)", option->fallback);
    }
    tl_sb_put_cstr(&help, option->is_required ? " (required)" : "");
    tl_sb_put_cstr(&help, option->is_repeatable ? " (repeatable)" : "");
    if (tl_sb_finish(&text, &help, NULL) == TL_OK) {
        put_entry(sb, (tl_str){left, len}, ENTRY_COLUMN, text.ptr);
    }
}

static void put_options(tl_sb *sb, const char *title, const tl_cmd_option *options, size_t count)
{
    if (count == 0) {
        return;
    }
    tl_sb_printf(sb, "\n%s:\n", title);
    for (size_t i = 0; i < count; i++) {
        put_option(sb, &options[i]);
    }
}

static void put_globals(tl_sb *sb, const tl_cmd_table *table)
{
    put_options(sb, "Options of every command", table->globals, table->global_count);
    put_entry(sb, TL_STR("-h, --help"), ENTRY_COLUMN,
              "show what a command is for, with an example");
}

static void put_usage(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd)
{
    tl_sb_printf(sb, "Usage: %s %s", table->program, cmd->name);
    for (size_t i = 0; i < cmd->option_count; i++) {
        if (cmd->options[i].is_required) {
            tl_sb_printf(sb, " --%s %s", cmd->options[i].name, cmd->options[i].metavar);
        }
    }
    tl_sb_put_cstr(sb, " [options]");
    for (size_t i = 0; i < cmd->arg_count; i++) {
        const tl_cmd_option *arg = &cmd->args[i];
        tl_sb_printf(sb, " %s%s%s%s", arg->is_required ? "" : "[", arg->metavar,
                     arg->is_repeatable ? "..." : "", arg->is_required ? "" : "]");
    }
    tl_sb_put_char(sb, '\n');
}

static void put_command(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd)
{
    tl_sb_printf(sb, "%s %s: ", table->program, cmd->name);
    const size_t column = strlen(table->program) + strlen(cmd->name) + 3;
    put_wrapped(sb, cmd->summary, column, 0);
    tl_sb_put_char(sb, '\n');
    put_usage(sb, table, cmd);
    if (cmd->text != NULL && cmd->text[0] != '\0') {
        tl_sb_put_char(sb, '\n');
        put_wrapped(sb, cmd->text, 0, 0);
    }
    if (cmd->arg_count > 0) {
        tl_sb_put_cstr(sb, "\nArguments:\n");
    }
    for (size_t i = 0; i < cmd->arg_count; i++) {
        put_entry(sb, tl_str_from_cstr(cmd->args[i].metavar), ENTRY_COLUMN, cmd->args[i].help);
    }
    put_options(sb, "Options", cmd->options, cmd->option_count);
    put_globals(sb, table);
    const bool is_one = cmd->examples[0] != NULL && cmd->examples[1] == NULL;
    tl_sb_printf(sb, "\n%s:\n", is_one ? "Example" : "Examples");
    for (size_t i = 0; cmd->examples[i] != NULL; i++) {
        tl_sb_printf(sb, "  %s\n", cmd->examples[i]);
    }
}

static void put_list(tl_sb *sb, const tl_cmd_table *table, tl_str group)
{
    for (size_t i = 0; i < table->count; i++) {
        const tl_cmd *cmd = table->commands[i];
        if (group.len == 0 || tl_str_eq(tl__cmd_group(cmd), group)) {
            put_entry(sb, tl_str_from_cstr(cmd->name), LIST_COLUMN, cmd->summary);
        }
    }
}

void tl_cmd_put_help(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd, tl_str group)
{
    if (cmd != NULL) {
        put_command(sb, table, cmd);
        return;
    }
    tl_sb_printf(sb, "%s: ", table->program);
    put_wrapped(sb, table->summary, strlen(table->program) + 2, 0);
    tl_sb_printf(sb, "\nUsage: %s %.*s%sCOMMAND [options]\n", table->program, TL_STR_ARG(group),
                 group.len > 0 ? " " : "");
    if (group.len == 0 && table->text != NULL) {
        tl_sb_put_char(sb, '\n');
        put_wrapped(sb, table->text, 0, 0);
    }
    tl_sb_put_cstr(sb, "\nCommands:\n");
    put_list(sb, table, group);
    put_globals(sb, table);
    tl_sb_printf(sb, "\nExample:\n  %s help %s\n", table->program,
                 table->count > 0 ? table->commands[0]->name : "");
}
