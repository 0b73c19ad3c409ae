/* Completion scripts. Each shell gets the same three answers: the names that may follow the words so far, the options
 * of the command, and what an option's value or an argument may be. */
#include "base/cmd/cmd.h"

#include <string.h>

#include "base/cmd/cmd_internal.h"

/* Text within single quotes of a shell; escaped says how a quote is written inside them. */
static void put_quoted(tl_sb *sb, const char *text, const char *escaped)
{
    tl_sb_put_char(sb, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            tl_sb_put_cstr(sb, escaped);
        } else {
            tl_sb_put_char(sb, *c);
        }
    }
    tl_sb_put_char(sb, '\'');
}

static void put_choices(tl_sb *sb, const tl_cmd_option *option)
{
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        tl_sb_printf(sb, "%s%s", i > 0 ? " " : "", option->choices[i]);
    }
}

/* The first words, each once. */
static void put_groups(tl_sb *sb, const tl_cmd_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (tl__cmd_is_first_of_group(table, i)) {
            tl_sb_put_char(sb, ' ');
            tl_sb_put(sb, tl__cmd_group(table->commands[i]));
        }
    }
}

static void put_verbs(tl_sb *sb, const tl_cmd_table *table, tl_str group)
{
    for (size_t i = 0; i < table->count; i++) {
        const tl_str verb = tl__cmd_verb(table->commands[i]);
        if (verb.len > 0 && tl_str_eq(tl__cmd_group(table->commands[i]), group)) {
            tl_sb_put_char(sb, ' ');
            tl_sb_put(sb, verb);
        }
    }
}

static bool has_verbs(const tl_cmd_table *table, size_t index)
{
    return tl__cmd_verb(table->commands[index]).len > 0;
}

/* --- bash --- */

static void put_bash_option_names(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd)
{
    const tl_cmd_option *option;
    for (size_t i = 0; (option = tl__cmd_option(table, cmd, i)) != NULL; i++) {
        tl_sb_printf(sb, "--%s ", option->name);
    }
    tl_sb_put_cstr(sb, "--help");
}

static void put_bash_value(tl_sb *sb, const tl_cmd_option *option)
{
    switch (option->type) {
    case TL_CMD_FILE:
        tl_sb_put_cstr(sb, "COMPREPLY=($(compgen -f -- \"$cur\"))");
        break;
    case TL_CMD_DIR:
        tl_sb_put_cstr(sb, "COMPREPLY=($(compgen -d -- \"$cur\"))");
        break;
    case TL_CMD_CHOICE:
        tl_sb_put_cstr(sb, "COMPREPLY=($(compgen -W '");
        put_choices(sb, option);
        tl_sb_put_cstr(sb, "' -- \"$cur\"))");
        break;
    case TL_CMD_FLAG:
    case TL_CMD_TEXT:
    case TL_CMD_U64:
    case TL_CMD_F64:
        tl_sb_put_cstr(sb, "COMPREPLY=()");
        break;
    }
}

/* Options with values: the word behind one is no command and no argument. */
static void put_bash_values(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd)
{
    const tl_cmd_option *option;
    for (size_t i = 0; (option = tl__cmd_option(table, cmd, i)) != NULL; i++) {
        if (option->type != TL_CMD_FLAG) {
            tl_sb_printf(sb, "        '%s --%s')\n            ", cmd != NULL ? cmd->name : "",
                         option->name);
            put_bash_value(sb, option);
            tl_sb_put_cstr(sb, "\n            return\n            ;;\n");
        }
    }
}

/* A pattern of all options that take a value, so that the walk over the words skips it. */
static void put_bash_value_pattern(tl_sb *sb, const tl_cmd_table *table)
{
    const char *separator = "";
    for (size_t c = 0; c <= table->count; c++) {
        const tl_cmd *cmd = c < table->count ? table->commands[c] : NULL;
        const size_t count = cmd != NULL ? cmd->option_count : table->global_count;
        const tl_cmd_option *options = cmd != NULL ? cmd->options : table->globals;
        for (size_t i = 0; i < count; i++) {
            if (options[i].type != TL_CMD_FLAG) {
                tl_sb_printf(sb, "%s--%s", separator, options[i].name);
                separator = " | ";
            }
        }
    }
}

static void put_bash_commands(tl_sb *sb, const tl_cmd_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const tl_cmd *cmd = table->commands[i];
        const tl_str group = tl__cmd_group(cmd);
        if (has_verbs(table, i) && tl__cmd_is_first_of_group(table, i)) {
            tl_sb_printf(sb, "        '%.*s') names='", TL_STR_ARG(group));
            put_verbs(sb, table, group);
            tl_sb_put_cstr(sb, "' ;;\n");
        }
        tl_sb_printf(sb, "        '%s')\n            options='", cmd->name);
        put_bash_option_names(sb, table, cmd);
        tl_sb_put_cstr(sb, "'\n");
        if (cmd->arg_count > 0) {
            tl_sb_put_cstr(sb, "            [[ $cur == -* ]] || ");
            put_bash_value(sb, &cmd->args[cmd->arg_count - 1]);
            tl_sb_put_cstr(sb, "\n");
        }
        tl_sb_put_cstr(sb, "            ;;\n");
    }
}

static void put_bash(tl_sb *sb, const tl_cmd_table *table)
{
    const char *p = table->program;
    tl_sb_printf(sb, "# bash completion of %s; use: source <(%s completion bash)\n_%s() {\n", p, p,
                 p);
    tl_sb_put_cstr(sb,
                   "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                   "    local name='' names='' options='' word i\n"
                   "    COMPREPLY=()\n"
                   "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                   "        word=${COMP_WORDS[i]}\n"
                   "        case $word in\n        ");
    put_bash_value_pattern(sb, table);
    tl_sb_put_cstr(sb, ") ((i++)) ;;\n        -*) ;;\n        *)\n            case $name in\n"
                       "            '') name=$word ;;\n");
    for (size_t i = 0; i < table->count; i++) {
        if (has_verbs(table, i) && tl__cmd_is_first_of_group(table, i)) {
            tl_sb_printf(sb, "            '%.*s') name=\"$name $word\" ;;\n",
                         TL_STR_ARG(tl__cmd_group(table->commands[i])));
        }
    }
    tl_sb_put_cstr(sb, "            esac\n            ;;\n        esac\n    done\n"
                       "    case \"$name $prev\" in\n");
    for (size_t i = 0; i < table->count; i++) {
        put_bash_values(sb, table, table->commands[i]);
    }
    put_bash_values(sb, table, NULL);
    tl_sb_put_cstr(sb, "    esac\n    case $name in\n        '')\n            names='");
    put_groups(sb, table);
    tl_sb_put_cstr(sb, "'\n            options='");
    put_bash_option_names(sb, table, NULL);
    tl_sb_put_cstr(sb, "'\n            ;;\n");
    put_bash_commands(sb, table);
    tl_sb_printf(sb,
                 "    esac\n"
                 "    if [[ $cur == -* ]]; then\n"
                 "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
                 "    elif [[ -n $names ]]; then\n"
                 "        COMPREPLY=($(compgen -W \"$names\" -- \"$cur\"))\n"
                 "    fi\n}\ncomplete -o filenames -F _%s %s\n",
                 p, p);
}

/* --- zsh --- */

/* Inside of a specification, brackets, colons and quotes mean something. */
static void put_zsh_text(tl_sb *sb, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            tl_sb_put_cstr(sb, "'\\''");
        } else {
            tl_sb_put_cstr(sb, strchr("[]:\\", *c) != NULL ? "\\" : "");
            tl_sb_put_char(sb, *c);
        }
    }
}

static void put_zsh_action(tl_sb *sb, const tl_cmd_option *option)
{
    tl_sb_put_char(sb, ':');
    put_zsh_text(sb, option->metavar);
    tl_sb_put_char(sb, ':');
    if (option->type == TL_CMD_FILE) {
        tl_sb_put_cstr(sb, "_files");
    } else if (option->type == TL_CMD_DIR) {
        tl_sb_put_cstr(sb, "_files -/");
    } else if (option->type == TL_CMD_CHOICE) {
        tl_sb_put_char(sb, '(');
        put_choices(sb, option);
        tl_sb_put_char(sb, ')');
    }
}

static void put_zsh_options(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd)
{
    const tl_cmd_option *option;
    for (size_t i = 0; (option = tl__cmd_option(table, cmd, i)) != NULL; i++) {
        const bool is_flag = option->type == TL_CMD_FLAG;
        tl_sb_printf(sb, " \\\n            '%s--%s%s[", option->is_repeatable ? "*" : "",
                     option->name, is_flag ? "" : "=");
        put_zsh_text(sb, option->help);
        tl_sb_put_char(sb, ']');
        if (!is_flag) {
            put_zsh_action(sb, option);
        }
        tl_sb_put_char(sb, '\'');
    }
    tl_sb_put_cstr(sb, " \\\n            '--help[show help]'");
    for (size_t i = 0; cmd != NULL && i < cmd->arg_count; i++) {
        tl_sb_put_cstr(sb, " \\\n            '");
        tl_sb_put_cstr(sb, cmd->args[i].is_repeatable ? "*" : "");
        put_zsh_action(sb, &cmd->args[i]);
        tl_sb_put_char(sb, '\'');
    }
}

/* Names with what they are for: the groups, or the verbs of one. */
static void put_zsh_names(tl_sb *sb, const tl_cmd_table *table, tl_str group)
{
    for (size_t i = 0; i < table->count; i++) {
        const tl_cmd *cmd = table->commands[i];
        const tl_str verb = tl__cmd_verb(cmd);
        if (group.len > 0 && tl_str_eq(tl__cmd_group(cmd), group) && verb.len > 0) {
            tl_sb_printf(sb, "\n                '%.*s:", TL_STR_ARG(verb));
        } else if (group.len == 0 && tl__cmd_is_first_of_group(table, i)) {
            tl_sb_printf(sb, "\n                '%.*s:", TL_STR_ARG(tl__cmd_group(cmd)));
        } else {
            continue;
        }
        put_zsh_text(sb, group.len == 0 && verb.len > 0 ? "several commands" : cmd->summary);
        tl_sb_put_char(sb, '\'');
    }
}

static void put_zsh_case(tl_sb *sb, const tl_cmd_table *table, size_t index)
{
    const tl_cmd *cmd = table->commands[index];
    const tl_str group = tl__cmd_group(cmd);
    if (has_verbs(table, index) && tl__cmd_is_first_of_group(table, index)) {
        tl_sb_printf(sb, "        '%.*s')\n            names=(", TL_STR_ARG(group));
        put_zsh_names(sb, table, group);
        tl_sb_put_cstr(sb, ")\n            _describe command names\n            ;;\n");
    }
    tl_sb_printf(sb, "        '%s')\n            _arguments", cmd->name);
    put_zsh_options(sb, table, cmd);
    tl_sb_put_cstr(sb, "\n            ;;\n");
}

static void put_zsh(tl_sb *sb, const tl_cmd_table *table)
{
    const char *p = table->program;
    tl_sb_printf(sb, "#compdef %s\n_%s() {\n", p, p);
    tl_sb_put_cstr(sb, "    local name='' word i\n    local -a names\n"
                       "    for ((i = 2; i < CURRENT; i++)); do\n"
                       "        word=${words[i]}\n        case $word in\n            (");
    put_bash_value_pattern(sb, table);
    tl_sb_put_cstr(sb, ") ((i++)) ;;\n            (-*) ;;\n            (*)\n"
                       "                case $name in\n                    ('') name=$word ;;\n");
    for (size_t i = 0; i < table->count; i++) {
        if (has_verbs(table, i) && tl__cmd_is_first_of_group(table, i)) {
            tl_sb_printf(sb, "                    ('%.*s') name=\"$name $word\"; break ;;\n",
                         TL_STR_ARG(tl__cmd_group(table->commands[i])));
        }
    }
    tl_sb_put_cstr(
        sb,
        "                    (*) break ;;\n                esac\n"
        "                ;;\n        esac\n    done\n"
        "    if [[ -n $name ]]; then\n"
        "        # _arguments takes the first word for the command: hand it what follows the name\n"
        "        local skip=1\n"
        "        while [[ \"${words[skip]}\" != \"${name##* }\" ]]; do ((skip++)); done\n"
        "        words=(\"${(@)words[skip,-1]}\")\n        ((CURRENT -= skip - 1))\n    fi\n"
        "    case $name in\n        '')\n            names=(");
    put_zsh_names(sb, table, (tl_str){NULL, 0});
    tl_sb_put_cstr(sb,
                   ")\n            if [[ ${words[CURRENT]} == -* ]]; then\n            _arguments");
    put_zsh_options(sb, table, NULL);
    tl_sb_put_cstr(sb, "\n            else _describe command names; fi\n            ;;\n");
    for (size_t i = 0; i < table->count; i++) {
        put_zsh_case(sb, table, i);
    }
    tl_sb_printf(
        sb,
        "    esac\n}\nif [[ $funcstack[1] == _%s ]]; then _%s \"$@\"; else compdef _%s %s; fi\n", p,
        p, p, p);
}

/* --- fish --- */

/* The condition under which a command's options are offered. */
static void put_fish_condition(tl_sb *sb, const tl_cmd *cmd)
{
    const tl_str verb = tl__cmd_verb(cmd);
    tl_sb_printf(sb, "'__fish_seen_subcommand_from %.*s", TL_STR_ARG(tl__cmd_group(cmd)));
    if (verb.len > 0) {
        tl_sb_printf(sb, "; and __fish_seen_subcommand_from %.*s", TL_STR_ARG(verb));
    }
    tl_sb_put_char(sb, '\'');
}

static void put_fish_value(tl_sb *sb, const tl_cmd_option *option)
{
    switch (option->type) {
    case TL_CMD_FLAG:
        break;
    case TL_CMD_FILE:
        tl_sb_put_cstr(sb, " -r -F");
        break;
    case TL_CMD_DIR:
        tl_sb_put_cstr(sb, " -x -a '(__fish_complete_directories)'");
        break;
    case TL_CMD_CHOICE:
        tl_sb_put_cstr(sb, " -x -a '");
        put_choices(sb, option);
        tl_sb_put_char(sb, '\'');
        break;
    case TL_CMD_TEXT:
    case TL_CMD_U64:
    case TL_CMD_F64:
        tl_sb_put_cstr(sb, " -x");
        break;
    }
}

static void put_fish_option(tl_sb *sb, const char *program, const tl_cmd *cmd,
                            const tl_cmd_option *option)
{
    tl_sb_printf(sb, "complete -c %s", program);
    if (cmd != NULL) {
        tl_sb_put_cstr(sb, " -n ");
        put_fish_condition(sb, cmd);
    }
    tl_sb_printf(sb, " -l %s", option->name);
    if (option->letter != 0) {
        tl_sb_printf(sb, " -s %c", option->letter);
    }
    put_fish_value(sb, option);
    tl_sb_put_cstr(sb, " -d ");
    put_quoted(sb, option->help, "\\'");
    tl_sb_put_char(sb, '\n');
}

static void put_fish_command(tl_sb *sb, const tl_cmd_table *table, size_t index)
{
    const tl_cmd *cmd = table->commands[index];
    const tl_str group = tl__cmd_group(cmd);
    const tl_str verb = tl__cmd_verb(cmd);
    if (tl__cmd_is_first_of_group(table, index)) {
        tl_sb_printf(sb, "complete -c %s -n __fish_use_subcommand -a %.*s -d ", table->program,
                     TL_STR_ARG(group));
        put_quoted(sb, verb.len > 0 ? "several commands" : cmd->summary, "\\'");
        tl_sb_put_char(sb, '\n');
    }
    if (verb.len > 0) {
        tl_sb_printf(sb,
                     "complete -c %s -n '__fish_seen_subcommand_from %.*s; "
                     "and not __fish_seen_subcommand_from",
                     table->program, TL_STR_ARG(group));
        put_verbs(sb, table, group);
        tl_sb_printf(sb, "' -a %.*s -d ", TL_STR_ARG(verb));
        put_quoted(sb, cmd->summary, "\\'");
        tl_sb_put_char(sb, '\n');
    }
    for (size_t i = 0; i < cmd->option_count; i++) {
        put_fish_option(sb, table->program, cmd, &cmd->options[i]);
    }
    if (cmd->arg_count > 0) {
        tl_sb_printf(sb, "complete -c %s -n ", table->program);
        put_fish_condition(sb, cmd);
        const tl_cmd_option *arg = &cmd->args[cmd->arg_count - 1];
        put_fish_value(sb, arg);
        tl_sb_put_char(sb, '\n');
    }
}

static void put_fish(tl_sb *sb, const tl_cmd_table *table)
{
    tl_sb_printf(sb,
                 "# fish completion of %s; use: %s completion fish | source\ncomplete -c %s -f\n",
                 table->program, table->program, table->program);
    for (size_t i = 0; i < table->global_count; i++) {
        put_fish_option(sb, table->program, NULL, &table->globals[i]);
    }
    tl_sb_printf(sb, "complete -c %s -l help -s h -d 'show help'\n", table->program);
    for (size_t i = 0; i < table->count; i++) {
        put_fish_command(sb, table, i);
    }
}

bool tl_cmd_put_completion(tl_sb *sb, const tl_cmd_table *table, tl_str shell)
{
    static const struct {
        const char *name;
        void (*put)(tl_sb *sb, const tl_cmd_table *table);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (tl_str_eq_cstr(shell, shells[i].name)) {
            shells[i].put(sb, table);
            return true;
        }
    }
    return false;
}
