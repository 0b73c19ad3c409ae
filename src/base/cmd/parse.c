/* From words to a call. Before the command's name only global options may stand; after it they mix with its own. */
#include "base/cmd/cmd.h"

#include <string.h>

#include "base/cmd/cmd_internal.h"
#include "base/decimal/decimal.h"

const tl_cmd_option *tl__cmd_option(const tl_cmd_table *table, const tl_cmd *cmd, size_t index)
{
    const size_t own = cmd != NULL ? cmd->option_count : 0;
    if (index < own) {
        return &cmd->options[index];
    }
    return index - own < table->global_count ? &table->globals[index - own] : NULL;
}

tl_str tl__cmd_group(const tl_cmd *cmd)
{
    const tl_str name = tl_str_from_cstr(cmd->name);
    return tl_str_slice(name, 0, tl_str_find(name, ' '));
}

tl_str tl__cmd_verb(const tl_cmd *cmd)
{
    const tl_str name = tl_str_from_cstr(cmd->name);
    return tl_str_slice(name, tl_str_find(name, ' ') + 1, name.len);
}

bool tl__cmd_is_first_of_group(const tl_cmd_table *table, size_t index)
{
    const tl_str group = tl__cmd_group(table->commands[index]);
    for (size_t i = 0; i < index; i++) {
        if (tl_str_eq(tl__cmd_group(table->commands[i]), group)) {
            return false;
        }
    }
    return true;
}

const tl_cmd *tl_cmd_find(const tl_cmd_table *table, tl_str name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (tl_str_eq_cstr(name, table->commands[i]->name)) {
            return table->commands[i];
        }
    }
    return NULL;
}

/* --- values --- */

static tl_err check_choice(const tl_cmd_option *option, const char *shown, const char *text,
                           tl_errctx *ctx)
{
    char list[TL_ERR_HINT_CAP] = "";
    size_t len = 0;
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        const char *choice = option->choices[i];
        if (strcmp(choice, text) == 0) {
            return TL_OK;
        }
        const size_t choice_len = strlen(choice);
        if (len + choice_len + 3 < sizeof list) {
            memcpy(list + len, i > 0 ? ", " : "", i > 0 ? 2 : 0);
            len += i > 0 ? 2 : 0;
            memcpy(list + len, choice, choice_len + 1);
            len += choice_len;
        }
    }
    const tl_err err = tl_fail_field(ctx, TL_ERR_USAGE, shown, "%s cannot be \"%s\"", shown, text);
    tl_errctx_hint(ctx, "choose one of %s", list);
    return err;
}

tl_err tl__cmd_check_value(const tl_cmd_option *option, const char *shown, const char *text,
                           tl_errctx *ctx)
{
    uint64_t whole;
    double number;
    switch (option->type) {
    case TL_CMD_U64:
        if (!tl_str_parse_u64(&whole, tl_str_from_cstr(text))) {
            return tl_fail_field(ctx, TL_ERR_USAGE, shown, "%s wants a whole number, not \"%s\"",
                                 shown, text);
        }
        return TL_OK;
    case TL_CMD_F64:
        if (!tl_f64_parse(&number, tl_str_from_cstr(text)) || number - number != 0) {
            return tl_fail_field(ctx, TL_ERR_USAGE, shown, "%s wants a number, not \"%s\"", shown,
                                 text);
        }
        return TL_OK;
    case TL_CMD_CHOICE:
        return check_choice(option, shown, text, ctx);
    case TL_CMD_FILE:
    case TL_CMD_DIR:
        if (text[0] == '\0') {
            return tl_fail_field(ctx, TL_ERR_USAGE, shown, "%s wants a path, not nothing", shown);
        }
        return TL_OK;
    case TL_CMD_FLAG:
    case TL_CMD_TEXT:
        break;
    }
    return TL_OK;
}

/* --- the walk over the words --- */

typedef struct parser {
    tl_arena *arena;
    tl_errctx *ctx;
    const tl_cmd_table *table;
    const char *const *words;
    size_t word_count;
    size_t at;
    const tl_cmd *cmd;
    tl_str group; /* a first word that stands before verbs, until its verb is read */
    bool is_options_over;
    bool wants_help;
    tl_cmd_value *values;
    size_t value_count;
    const char **args;
    size_t arg_count;
} parser;

static tl_err hint_of_names(parser *p, tl_err err, tl_str word, const char *const *names)
{
    tl_str hint = {NULL, 0};
    if (tl_cmd_suggest(&hint, p->arena, word, names, NULL) == TL_OK && hint.len > 0) {
        tl_errctx_hint(p->ctx, "%.*s", TL_STR_ARG(hint));
    } else {
        tl_errctx_hint(p->ctx, "%s --help lists what there is", p->table->program);
    }
    return err;
}

static tl_err shown_long(const char **out, parser *p, tl_str name)
{
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, p->arena);
    tl_sb_put_cstr(&sb, "--");
    tl_sb_put(&sb, name);
    TL_TRY(tl_sb_finish(&text, &sb, p->ctx));
    *out = text.ptr;
    return TL_OK;
}

static tl_err fail_option(parser *p, const char *word)
{
    const tl_err err = tl_fail_field(p->ctx, TL_ERR_USAGE, word, "unknown option %s", word);
    const size_t own = p->cmd != NULL ? p->cmd->option_count : 0;
    const char **names = TL_NEW(p->arena, const char *, own + p->table->global_count + 1);
    if (names == NULL) {
        return err;
    }
    const tl_cmd_option *option;
    for (size_t i = 0; (option = tl__cmd_option(p->table, p->cmd, i)) != NULL; i++) {
        if (shown_long(&names[i], p, tl_str_from_cstr(option->name)) != TL_OK) {
            return err;
        }
    }
    return hint_of_names(p, err, tl_str_from_cstr(word), names);
}

static tl_err put_value(parser *p, const tl_cmd_option *option, const char *shown, const char *text)
{
    for (size_t i = 0; i < p->value_count; i++) {
        if (p->values[i].option == option && !option->is_repeatable &&
            option->type != TL_CMD_FLAG) {
            return tl_fail_field(p->ctx, TL_ERR_USAGE, shown, "%s is given twice", shown);
        }
    }
    if (option->type != TL_CMD_FLAG) {
        TL_TRY(tl__cmd_check_value(option, shown, text, p->ctx));
    }
    p->values[p->value_count++] = (tl_cmd_value){option, text};
    return TL_OK;
}

/* The value of an option whose word has none in it: the next word. */
static tl_err take_value(parser *p, const tl_cmd_option *option, const char *shown)
{
    if (option->type == TL_CMD_FLAG) {
        return put_value(p, option, shown, NULL);
    }
    if (p->at == p->word_count) {
        return tl_fail_field(p->ctx, TL_ERR_USAGE, shown, "%s wants a value: %s %s", shown, shown,
                             option->metavar);
    }
    return put_value(p, option, shown, p->words[p->at++]);
}

static tl_err parse_long(parser *p, const char *word)
{
    const tl_str all = tl_str_from_cstr(word + 2);
    const size_t equals = tl_str_find(all, '=');
    const tl_str name = tl_str_slice(all, 0, equals);
    const char *shown;
    TL_TRY(shown_long(&shown, p, name));
    if (tl_str_eq_cstr(name, "help") && equals == all.len) {
        p->wants_help = true;
        return TL_OK;
    }
    const tl_cmd_option *option;
    for (size_t i = 0; (option = tl__cmd_option(p->table, p->cmd, i)) != NULL; i++) {
        if (!tl_str_eq_cstr(name, option->name)) {
            continue;
        }
        if (equals == all.len) {
            return take_value(p, option, shown);
        }
        if (option->type == TL_CMD_FLAG) {
            return tl_fail_field(p->ctx, TL_ERR_USAGE, shown, "%s takes no value", shown);
        }
        return put_value(p, option, shown, word + 2 + equals + 1);
    }
    return fail_option(p, shown);
}

/* -qv: each letter an option; one that takes a value takes the rest of the word, or the next word. */
static tl_err parse_letters(parser *p, const char *word)
{
    for (const char *c = word + 1; *c != '\0'; c++) {
        const char shown_text[3] = {'-', *c, '\0'};
        const tl_cmd_option *found = NULL;
        const tl_cmd_option *option;
        for (size_t i = 0; (option = tl__cmd_option(p->table, p->cmd, i)) != NULL; i++) {
            found = found == NULL && option->letter == *c ? option : found;
        }
        if (*c == 'h' && found == NULL) {
            p->wants_help = true;
            continue;
        }
        if (found == NULL) {
            return fail_option(p, shown_text);
        }
        if (found->type != TL_CMD_FLAG && c[1] != '\0') {
            return put_value(p, found, shown_text, c + 1);
        }
        TL_TRY(take_value(p, found, shown_text));
    }
    return TL_OK;
}

/* --- the command's name --- */

static bool is_group(const parser *p, tl_str word)
{
    for (size_t i = 0; i < p->table->count; i++) {
        if (tl_str_eq(tl__cmd_group(p->table->commands[i]), word)) {
            return true;
        }
    }
    return false;
}

/* The command of this group with that verb (empty: the one whose whole name is the group). */
static const tl_cmd *find_verb(const parser *p, tl_str group, tl_str verb)
{
    for (size_t i = 0; i < p->table->count; i++) {
        const tl_cmd *cmd = p->table->commands[i];
        if (tl_str_eq(tl__cmd_group(cmd), group) && tl_str_eq(tl__cmd_verb(cmd), verb)) {
            return cmd;
        }
    }
    return NULL;
}

static tl_err fail_command(parser *p, const char *word)
{
    const tl_err err = p->group.len > 0
                           ? tl_fail(p->ctx, TL_ERR_USAGE, "unknown command \"%.*s %s\"",
                                     TL_STR_ARG(p->group), word)
                           : tl_fail(p->ctx, TL_ERR_USAGE, "unknown command \"%s\"", word);
    const char **names = TL_NEW(p->arena, const char *, p->table->count + 1);
    if (names == NULL) {
        return err;
    }
    size_t count = 0;
    for (size_t i = 0; i < p->table->count; i++) {
        const tl_cmd *cmd = p->table->commands[i];
        tl_str name = tl__cmd_group(cmd);
        if (p->group.len > 0) {
            name = tl_str_eq(name, p->group) ? tl__cmd_verb(cmd) : (tl_str){NULL, 0};
        } else if (!tl__cmd_is_first_of_group(p->table, i)) {
            continue;
        }
        if (name.len > 0 && tl_str_copy_cstr(&names[count], p->arena, name, NULL) == TL_OK) {
            count++;
        }
    }
    return hint_of_names(p, err, tl_str_from_cstr(word), names);
}

static tl_err parse_name(parser *p, const char *word)
{
    const tl_str text = tl_str_from_cstr(word);
    if (p->group.len > 0) {
        p->cmd = find_verb(p, p->group, text);
        return p->cmd != NULL ? TL_OK : fail_command(p, word);
    }
    if (!is_group(p, text)) {
        return fail_command(p, word);
    }
    p->cmd = find_verb(p, text, (tl_str){NULL, 0});
    if (p->cmd == NULL) {
        p->group = text;
    }
    return TL_OK;
}

static tl_err parse_word(parser *p, const char *word)
{
    if (!p->is_options_over && word[0] == '-' && word[1] != '\0') {
        if (strcmp(word, "--") == 0) {
            p->is_options_over = true;
            return TL_OK;
        }
        return word[1] == '-' ? parse_long(p, word) : parse_letters(p, word);
    }
    if (p->cmd == NULL) {
        return parse_name(p, word);
    }
    p->args[p->arg_count++] = word;
    return TL_OK;
}

/* --- what must hold when all words were read --- */

static tl_err check_args(const parser *p)
{
    const tl_cmd *cmd = p->cmd;
    for (size_t i = 0; i < p->arg_count; i++) {
        if (i >= cmd->arg_count &&
            (cmd->arg_count == 0 || !cmd->args[cmd->arg_count - 1].is_repeatable)) {
            return tl_fail_field(p->ctx, TL_ERR_USAGE, p->args[i], "\"%s\" is one word too many",
                                 p->args[i]);
        }
        const tl_cmd_option *arg = &cmd->args[i < cmd->arg_count ? i : cmd->arg_count - 1];
        TL_TRY(tl__cmd_check_value(arg, arg->metavar, p->args[i], p->ctx));
    }
    for (size_t i = p->arg_count; i < cmd->arg_count; i++) {
        if (cmd->args[i].is_required) {
            return tl_fail_field(p->ctx, TL_ERR_USAGE, cmd->args[i].name, "%s is missing: %s",
                                 cmd->args[i].metavar, cmd->args[i].help);
        }
    }
    return TL_OK;
}

static tl_err check_options(const parser *p)
{
    for (size_t i = 0; i < p->cmd->option_count; i++) {
        const tl_cmd_option *option = &p->cmd->options[i];
        bool is_given = !option->is_required;
        for (size_t k = 0; k < p->value_count && !is_given; k++) {
            is_given = p->values[k].option == option;
        }
        if (!is_given) {
            return tl_fail_field(p->ctx, TL_ERR_USAGE, option->name, "--%s %s is missing: %s",
                                 option->name, option->metavar, option->help);
        }
    }
    return TL_OK;
}

static tl_err check_whole(const parser *p)
{
    if (p->wants_help) {
        return TL_OK;
    }
    tl_err err;
    if (p->cmd == NULL) {
        err = p->group.len > 0 ? tl_fail(p->ctx, TL_ERR_USAGE, "\"%.*s\" wants a command behind it",
                                         TL_STR_ARG(p->group))
                               : tl_fail(p->ctx, TL_ERR_USAGE, "no command given");
        tl_errctx_hint(p->ctx, "%s %.*s%s--help lists them", p->table->program,
                       TL_STR_ARG(p->group), p->group.len > 0 ? " " : "");
        return err;
    }
    err = check_args(p);
    if (err == TL_OK) {
        err = check_options(p);
    }
    if (err != TL_OK && p->ctx != NULL && p->ctx->hint[0] == '\0') {
        tl_errctx_hint(p->ctx, "%s %s --help", p->table->program, p->cmd->name);
    }
    return err;
}

tl_err tl_cmd_parse(tl_cmd_call *out, tl_arena *arena, const tl_cmd_table *table,
                    const char *const *words, size_t word_count, tl_errctx *ctx)
{
    if (word_count > TL_CMD_WORDS_MAX) {
        return tl_fail(ctx, TL_ERR_USAGE, "%zu words, above %d", word_count, TL_CMD_WORDS_MAX);
    }
    parser p = {
        .arena = arena, .ctx = ctx, .table = table, .words = words, .word_count = word_count};
    size_t letters = 0;
    for (size_t i = 0; i < word_count; i++) {
        letters += strlen(words[i]);
    }
    /* each value comes from a letter at least, each argument from a word */
    p.values = TL_NEW(arena, tl_cmd_value, letters);
    p.args = TL_NEW(arena, const char *, word_count);
    if (p.values == NULL || p.args == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    while (p.at < word_count) {
        const char *word = words[p.at++];
        TL_TRY(parse_word(&p, word));
    }
    TL_TRY(check_whole(&p));
    *out = (tl_cmd_call){table,    p.cmd,         p.group, p.wants_help,
                         p.values, p.value_count, p.args,  p.arg_count};
    return TL_OK;
}

/* --- reading a call --- */

static const tl_cmd_option *option_named(const tl_cmd_call *call, const char *name)
{
    const tl_cmd_option *option;
    for (size_t i = 0; (option = tl__cmd_option(call->table, call->cmd, i)) != NULL; i++) {
        if (strcmp(option->name, name) == 0) {
            return option;
        }
    }
    return NULL;
}

size_t tl_cmd_count(const tl_cmd_call *call, const char *name)
{
    const tl_cmd_option *option = option_named(call, name);
    TL_ASSERT(option != NULL);
    size_t count = 0;
    for (size_t i = 0; i < call->value_count; i++) {
        count += call->values[i].option == option;
    }
    return count;
}

const char *tl_cmd_text_at(const tl_cmd_call *call, const char *name, size_t index)
{
    const tl_cmd_option *option = option_named(call, name);
    TL_ASSERT(option != NULL && option->type != TL_CMD_FLAG);
    for (size_t i = 0; i < call->value_count; i++) {
        if (call->values[i].option == option && index-- == 0) {
            return call->values[i].text;
        }
    }
    return option->fallback;
}

bool tl_cmd_is_given(const tl_cmd_call *call, const char *name)
{
    return tl_cmd_count(call, name) > 0;
}

bool tl_cmd_flag(const tl_cmd_call *call, const char *name)
{
    return tl_cmd_is_given(call, name);
}

const char *tl_cmd_text(const tl_cmd_call *call, const char *name)
{
    const size_t count = tl_cmd_count(call, name);
    return tl_cmd_text_at(call, name, count > 0 ? count - 1 : 0);
}

uint64_t tl_cmd_u64(const tl_cmd_call *call, const char *name)
{
    uint64_t value = 0;
    const char *text = tl_cmd_text(call, name);
    const bool is_number = text == NULL || tl_str_parse_u64(&value, tl_str_from_cstr(text));
    TL_ASSERT(is_number); /* CMD-1 */
    return value;
}

double tl_cmd_f64(const tl_cmd_call *call, const char *name)
{
    double value = 0;
    const char *text = tl_cmd_text(call, name);
    const bool is_number = text == NULL || tl_f64_parse(&value, tl_str_from_cstr(text));
    TL_ASSERT(is_number); /* CMD-1 */
    return value;
}
