/* The manual page: the table in man(7) macros. */
#include "base/cmd/cmd.h"

#include <string.h>

/* Text in roff: a backslash and a dash that is typed are escaped, a line never begins with a control character. */
static void put_roff(tl_sb *sb, const char *text)
{
    bool is_line_start = true;
    for (const char *c = text; *c != '\0'; c++) {
        if (is_line_start && (*c == '.' || *c == '\'')) {
            tl_sb_put_cstr(sb, "\\&");
        }
        if (*c == '\\') {
            tl_sb_put_cstr(sb, "\\e");
        } else if (*c == '-') {
            tl_sb_put_cstr(sb, "\\-");
        } else {
            tl_sb_put_char(sb, *c);
        }
        is_line_start = *c == '\n';
    }
}

static void put_line(tl_sb *sb, const char *macro, const char *text)
{
    tl_sb_put_cstr(sb, macro);
    put_roff(sb, text);
    tl_sb_put_char(sb, '\n');
}

static void put_option(tl_sb *sb, const tl_cmd_option *option)
{
    tl_sb_put_cstr(sb, ".TP\n");
    if (option->letter != 0) {
        tl_sb_printf(sb, "\\fB\\-%c\\fR, ", option->letter);
    }
    tl_sb_put_cstr(sb, "\\fB\\-\\-");
    put_roff(sb, option->name);
    tl_sb_put_cstr(sb, "\\fR");
    if (option->type != TL_CMD_FLAG) {
        tl_sb_put_cstr(sb, " \\fI");
        put_roff(sb, option->metavar);
        tl_sb_put_cstr(sb, "\\fR");
    }
    tl_sb_put_char(sb, '\n');
    put_roff(sb, option->help);
    if (option->type == TL_CMD_CHOICE) {
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            tl_sb_put_cstr(sb, i == 0 ? ": " : ", ");
            put_roff(sb, option->choices[i]);
        }
    }
    if (option->fallback != NULL) {
        tl_sb_put_cstr(sb, " (default ");
        put_roff(sb, option->fallback);
        tl_sb_put_char(sb, ')');
    }
    tl_sb_put_cstr(sb, option->is_required ? "; required" : "");
    tl_sb_put_cstr(sb, option->is_repeatable ? "; repeatable" : "");
    tl_sb_put_cstr(sb, ".\n");
}

static void put_arg(tl_sb *sb, const tl_cmd_option *arg)
{
    tl_sb_put_cstr(sb, ".TP\n");
    put_line(sb, "\\fI", arg->metavar);
    put_line(sb, "\\fR", arg->help);
}

static void put_synopsis(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd)
{
    tl_sb_put_cstr(sb, "\\fB");
    put_roff(sb, table->program);
    tl_sb_put_char(sb, ' ');
    put_roff(sb, cmd->name);
    tl_sb_put_cstr(sb, "\\fR [\\fIoptions\\fR]");
    for (size_t i = 0; i < cmd->arg_count; i++) {
        tl_sb_put_cstr(sb, cmd->args[i].is_required ? " \\fI" : " [\\fI");
        put_roff(sb, cmd->args[i].metavar);
        tl_sb_put_cstr(sb, cmd->args[i].is_repeatable ? "\\fR..." : "\\fR");
        tl_sb_put_cstr(sb, cmd->args[i].is_required ? "" : "]");
    }
    tl_sb_put_cstr(sb, "\n");
}

static void put_command(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd)
{
    put_line(sb, ".SS ", cmd->name);
    put_synopsis(sb, table, cmd);
    tl_sb_put_cstr(sb, ".PP\n");
    put_roff(sb, cmd->summary);
    tl_sb_put_cstr(sb, ".\n");
    if (cmd->text != NULL && cmd->text[0] != '\0') {
        put_line(sb, "", cmd->text);
    }
    for (size_t i = 0; i < cmd->arg_count; i++) {
        put_arg(sb, &cmd->args[i]);
    }
    for (size_t i = 0; i < cmd->option_count; i++) {
        put_option(sb, &cmd->options[i]);
    }
    tl_sb_put_cstr(sb, ".PP\nExample:\n.PP\n.nf\n.RS\n");
    for (size_t i = 0; cmd->examples[i] != NULL; i++) {
        put_roff(sb, cmd->examples[i]);
        tl_sb_put_char(sb, '\n');
    }
    tl_sb_put_cstr(sb, ".RE\n.fi\n");
}

/* Names of manual pages are written in capitals. */
static void put_upper(tl_sb *sb, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        tl_sb_put_char(sb, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    }
}

void tl_cmd_put_man(tl_sb *sb, const tl_cmd_table *table)
{
    tl_sb_put_cstr(sb, ".TH ");
    put_upper(sb, table->program);
    tl_sb_printf(sb, " 1 \"\" \"%s %s\" \"User Commands\"\n.SH NAME\n", table->program,
                 table->version);
    put_roff(sb, table->program);
    put_line(sb, " \\- ", table->summary);
    tl_sb_put_cstr(sb, ".SH SYNOPSIS\n\\fB");
    put_roff(sb, table->program);
    tl_sb_put_cstr(sb, "\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n.SH DESCRIPTION\n");
    put_line(sb, "", table->text);
    tl_sb_put_cstr(sb, ".SH OPTIONS\nEvery command takes these.\n");
    for (size_t i = 0; i < table->global_count; i++) {
        put_option(sb, &table->globals[i]);
    }
    tl_sb_put_cstr(sb, ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\n"
                       "Show what a command is for, with an example.\n.SH COMMANDS\n");
    for (size_t i = 0; i < table->count; i++) {
        put_command(sb, table, table->commands[i]);
    }
}
