/* cmd: one table of commands, from which come parsing, help, man page and completion.
 * For         a program whose help cannot lie, because it is printed from what parses
 * Takes       a tl_cmd_table and the words of a command line
 * Gives       a tl_cmd_call with checked values; text of help, man page, completion scripts, or an error with a suggestion
 * Calls       base/str, base/decimal, base/json   Called by   app
 * Owns        nothing: tables are constants; a call looks into the words and lives in the arena
 * Threads     everything here is pure
 * Invariants  CMD-1 whatever a call returns as a number or choice was checked when it was parsed
 *             CMD-2 each command has a summary and an example (tl_cmd_check, which the program's tests run)
 * Read        parse.c, then help.c; man.c and complete.c are the same walk with other words
 *
 *     tally [global options] group verb [options] [arguments]        options stand anywhere, --name value or --name=value
 *           └──────────── a command's name is one or two words ────┘  -- ends them; letters may be joined: -qv
 */
#ifndef TALLY_BASE_CMD_H
#define TALLY_BASE_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_cmd_type {
    TL_CMD_FLAG, /* takes no value */
    TL_CMD_TEXT,
    TL_CMD_FILE, /* a path, completed as such */
    TL_CMD_DIR,
    TL_CMD_U64,
    TL_CMD_F64,
    TL_CMD_CHOICE /* one of choices */
} tl_cmd_type;

/* An option; also, with its metavar alone, a positional argument. */
typedef struct tl_cmd_option {
    const char *name;           /* "epochs": --epochs; of an argument its name in errors */
    char letter;                /* 'q': -q; 0 none */
    tl_cmd_type type;           /* of an argument never FLAG */
    const char *metavar;        /* "N"; NULL for flags */
    const char *fallback;       /* the value when none is given, as text; NULL: none */
    const char *help;           /* one sentence, no full stop */
    const char *const *choices; /* ends with NULL */
    bool is_required;
    bool
        is_repeatable; /* the last argument may be: then it takes one or more, or none if not required */
} tl_cmd_option;

typedef struct tl_cmd tl_cmd;
typedef struct tl_cmd_call tl_cmd_call;

/* tl_cmd_run: carries out a call; app is the program's own. */
typedef tl_err (*tl_cmd_run)(void *app, const tl_cmd_call *call, tl_errctx *ctx);

struct tl_cmd {
    const char *name;    /* "portfolio run" or "demo" */
    const char *summary; /* one line, no full stop */
    const char *text;    /* what else there is to know; NULL: nothing */
    const tl_cmd_option *options;
    size_t option_count;
    const tl_cmd_option *args;
    size_t arg_count;
    const char *const *examples; /* whole command lines, each runs; ends with NULL */
    bool is_bare; /* needs neither settings nor state: it works where they are broken */
    tl_cmd_run run;
};

typedef struct tl_cmd_table {
    const char *program;
    const char *version;
    const char *summary;
    const char *text;
    const tl_cmd_option *globals; /* of every command */
    size_t global_count;
    const tl_cmd *const *commands; /* in the order of the help */
    size_t count;
} tl_cmd_table;

#define TL_CMD_WORDS_MAX                                                                           \
    4096 /* words of a command line: more files than a shell's glob gives by accident */
#define TL_CMD_SUGGESTIONS_MAX 3

typedef struct tl_cmd_value {
    const tl_cmd_option *option;
    const char *text; /* NULL for a flag */
} tl_cmd_value;

struct tl_cmd_call {
    const tl_cmd_table *table;
    const tl_cmd *cmd; /* NULL: only where help is wanted */
    tl_str group;      /* of that help: "portfolio", or empty for all */
    bool wants_help;
    const tl_cmd_value *values; /* in the order of the line */
    size_t value_count;
    const char *const *args;
    size_t arg_count;
};

/* tl_cmd_parse: the words behind the program's name.
 * Errors: TL_ERR_USAGE for everything that is wrong with them; the field is the option, the hint tells what to do. */
TL_MUST_USE tl_err tl_cmd_parse(tl_cmd_call *out, tl_arena *arena, const tl_cmd_table *table,
                                const char *const *words, size_t word_count, tl_errctx *ctx);

/* Reading a call. A name that the command does not have is our mistake: asserted. */
bool tl_cmd_flag(const tl_cmd_call *call, const char *name);
const char *tl_cmd_text(const tl_cmd_call *call,
                        const char *name); /* the last value, the fallback, or NULL */
uint64_t tl_cmd_u64(const tl_cmd_call *call, const char *name); /* 0 when there is no value */
double tl_cmd_f64(const tl_cmd_call *call, const char *name);   /* 0 when there is no value */
bool tl_cmd_is_given(const tl_cmd_call *call, const char *name);
size_t tl_cmd_count(const tl_cmd_call *call, const char *name); /* how often it was given */
const char *tl_cmd_text_at(const tl_cmd_call *call, const char *name, size_t index);

/* tl_cmd_find: the command of that name, or NULL. */
const tl_cmd *tl_cmd_find(const tl_cmd_table *table, tl_str name);

/* tl_cmd_suggest: "did you mean "x"?" for a word that is none of the candidates; empty when none is near. The
 * candidates are names, ending with NULL. */
TL_MUST_USE tl_err tl_cmd_suggest(tl_str *out, tl_arena *arena, tl_str word,
                                  const char *const *candidates, tl_errctx *ctx);

/* tl_cmd_distance: edits (insert, delete, replace, swap of neighbours) between two words, at most TL_CMD_EDIT_CAP
 * characters of each looked at. */
#define TL_CMD_EDIT_CAP 64
size_t tl_cmd_distance(tl_str a, tl_str b);

/* tl_cmd_put_help: the help of a command; with cmd NULL of a group, or of the program where group is empty. */
void tl_cmd_put_help(tl_sb *sb, const tl_cmd_table *table, const tl_cmd *cmd, tl_str group);

/* tl_cmd_put_man: the manual page of the program, in man(7) macros. */
void tl_cmd_put_man(tl_sb *sb, const tl_cmd_table *table);

/* tl_cmd_put_completion: the script for a shell: "bash", "zsh" or "fish"; false for another one. */
bool tl_cmd_put_completion(tl_sb *sb, const tl_cmd_table *table, tl_str shell);

/* tl_cmd_put_json: the table itself, for documentation and tests. */
void tl_cmd_put_json(tl_json_writer *w, const tl_cmd_table *table);

/* tl_cmd_check: does the table keep its own rules (CMD-2, no name twice, fallbacks that parse)? Errors: TL_ERR_INTERNAL
 * that names the command. */
TL_MUST_USE tl_err tl_cmd_check(const tl_cmd_table *table, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
