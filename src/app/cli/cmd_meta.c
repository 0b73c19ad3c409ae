/* Commands about the program itself. */
#include "app/cli/cli.h"

#include <sodium.h>
#include <sqlite3.h>
#include <zlib.h>

#include "app/cli/commit.h"
#include "tally/version.h"

/* --- version --- */

#ifdef __clang__
#    define COMPILER "clang " __clang_version__
#else
#    define COMPILER "gcc " __VERSION__
#endif

#ifdef TL_WITH_VERIFY
#    define HAS_VERIFY true
#else
#    define HAS_VERIFY false
#endif

static void put_version_json(tl_sb *sb)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "version");
    tl_json_put_cstr(&w, TALLY_VERSION);
    tl_json_put_key(&w, "commit");
    tl_json_put_cstr(&w, tl__cli_commit);
    tl_json_put_key(&w, "compiler");
    tl_json_put_str(&w, tl_str_trim(TL_STR(COMPILER)));
    tl_json_put_key(&w, "features");
    tl_json_put_array(&w);
    tl_json_put_cstr(&w, "libsodium-" SODIUM_VERSION_STRING);
    tl_json_put_cstr(&w, "sqlite-" SQLITE_VERSION);
    if (HAS_VERIFY) {
        tl_json_put_cstr(&w, "verify");
    }
    tl_json_put_cstr(&w, "zlib-" ZLIB_VERSION);
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_sb_put_char(sb, '\n');
}

static tl_err run_version(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    (void)call;
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        put_version_json(&sb);
    } else {
        tl_sb_printf(&sb, "tally %s (%s, %s)\n", TALLY_VERSION, tl__cli_commit, COMPILER);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const version_examples[] = {"tally version", "tally version --json", NULL};

const tl_cmd tl_cli_version = {
    .name = "version",
    .summary = "print version, commit, compiler and features",
    .examples = version_examples,
    .is_bare = true,
    .run = run_version,
};

/* --- completion --- */

static tl_err run_completion(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    const bool is_known = tl_cmd_put_completion(&sb, app->table, tl_str_from_cstr(call->args[0]));
    TL_ASSERT(is_known); /* the parser let nothing else in */
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const shells[] = {"bash", "zsh", "fish", NULL};
static const tl_cmd_option completion_args[] = {
    {.name = "shell",
     .type = TL_CMD_CHOICE,
     .metavar = "SHELL",
     .choices = shells,
     .help = "bash, zsh or fish",
     .is_required = true},
};
static const char *const completion_examples[] = {"tally completion bash", NULL};

const tl_cmd tl_cli_completion = {
    .name = "completion",
    .summary = "print the completion script for a shell",
    .text = "For bash: source <(tally completion bash). For zsh: put it as _tally into a folder of "
            "$fpath. For fish: tally completion fish | source.",
    .args = completion_args,
    .arg_count = sizeof completion_args / sizeof completion_args[0],
    .examples = completion_examples,
    .is_bare = true,
    .run = run_completion,
};

/* --- man --- */

static tl_err run_man(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    (void)call;
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    tl_cmd_put_man(&sb, app->table);
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const man_examples[] = {"tally man", NULL};

const tl_cmd tl_cli_man = {
    .name = "man",
    .summary = "print the manual page; read it with: tally man | man -l -",
    .examples = man_examples,
    .is_bare = true,
    .run = run_man,
};

/* --- help --- */

static tl_err run_help(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    const char **words = TL_NEW(app->arena, const char *, call->arg_count + 1);
    if (words == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    for (size_t i = 0; i < call->arg_count; i++) {
        words[i] = call->args[i];
    }
    words[call->arg_count] = "--help";
    tl_cmd_call about;
    TL_TRY(tl_cmd_parse(&about, app->arena, app->table, words, call->arg_count + 1, ctx));
    return tl_app_print_help(app, &about, ctx);
}

static const tl_cmd_option help_args[] = {
    {.name = "command",
     .type = TL_CMD_TEXT,
     .metavar = "COMMAND",
     .help = "a command or a group of them; none: all",
     .is_repeatable = true},
};
static const char *const help_examples[] = {"tally help", "tally help config show", NULL};

const tl_cmd tl_cli_help = {
    .name = "help",
    .summary = "show what commands there are, or what one is for",
    .args = help_args,
    .arg_count = sizeof help_args / sizeof help_args[0],
    .examples = help_examples,
    .is_bare = true,
    .run = run_help,
};
