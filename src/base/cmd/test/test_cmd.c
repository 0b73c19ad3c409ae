/* Attacks command lines: unknown words, missing and doubled values, near misses; and tables that break their rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cmd/cmd.h"

static tl_err run_nothing(void *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)app;
    (void)call;
    (void)ctx;
    return TL_OK;
}

static const char *const shells[] = {"bash", "fish", NULL};
static const tl_cmd_option globals[] = {
    {.name = "json", .type = TL_CMD_FLAG, .help = "machine's output"},
    {.name = "quiet", .letter = 'q', .type = TL_CMD_FLAG, .help = "no remarks"},
    {.name = "dir",
     .letter = 'd',
     .type = TL_CMD_DIR,
     .metavar = "DIR",
     .help = "folder [state]: where"},
};
static const tl_cmd_option run_options[] = {
    {.name = "epochs", .type = TL_CMD_U64, .metavar = "N", .fallback = "12", .help = "how many"},
    {.name = "rate", .type = TL_CMD_F64, .metavar = "X", .help = "how fast"},
    {.name = "peer", .type = TL_CMD_TEXT, .metavar = "A", .help = "who", .is_repeatable = true},
    {.name = "prices",
     .type = TL_CMD_FILE,
     .metavar = "CSV",
     .help = "closes",
     .is_required = true},
    {.name = "shell", .type = TL_CMD_CHOICE, .metavar = "S", .choices = shells, .help = "which"},
};
static const tl_cmd_option files[] = {
    {.name = "first", .type = TL_CMD_FILE, .metavar = "FIRST", .help = "one", .is_required = true},
    {.name = "more",
     .type = TL_CMD_FILE,
     .metavar = "MORE",
     .help = "others",
     .is_repeatable = true},
};
static const char *const examples[] = {"prog portfolio run --prices p.csv", NULL};
static const tl_cmd portfolio_run = {.name = "portfolio run",
                                     .summary = "settle an epoch",
                                     .text = "More about it.\n.And a line that roff would eat.",
                                     .options = run_options,
                                     .option_count = 5,
                                     .examples = examples,
                                     .run = run_nothing};
static const tl_cmd portfolio_score = {
    .name = "portfolio score", .summary = "score one", .examples = examples, .run = run_nothing};
static const tl_cmd verify = {.name = "verify",
                              .summary = "check files",
                              .args = files,
                              .arg_count = 2,
                              .examples = examples,
                              .run = run_nothing};
static const tl_cmd *const commands[] = {&portfolio_run, &portfolio_score, &verify};
static const tl_cmd_table table = {.program = "prog",
                                   .version = "1.2",
                                   .summary = "does it",
                                   .text = "At length.",
                                   .globals = globals,
                                   .global_count = 3,
                                   .commands = commands,
                                   .count = 3};

enum { WORDS_MAX = 16 };

static tl_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

/* Words are separated by single spaces. */
static tl_err parse(tl_cmd_call *call, const char *line, tl_errctx *why)
{
    const char **words = TL_NEW(arena, const char *, WORDS_MAX);
    assert_non_null(words);
    size_t count = 0;
    tl_str rest = tl_str_from_cstr(line);
    tl_str word;
    while (line[0] != '\0' && tl_str_split(&word, &rest, ' ')) {
        assert_true(count < WORDS_MAX);
        assert_int_equal(tl_str_copy_cstr(&words[count++], arena, word, NULL), TL_OK);
    }
    tl_errctx_reset(why);
    return tl_cmd_parse(call, arena, &table, words, count, why);
}

static void options_stand_anywhere_and_have_three_forms(void **state)
{
    (void)state;
    tl_cmd_call call;
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(
        parse(&call, "-qd/x portfolio --json run --prices=a=b --epochs 3 --peer u --peer v", &why),
        TL_OK);
    assert_ptr_equal(call.cmd, &portfolio_run);
    assert_true(tl_cmd_flag(&call, "json") && tl_cmd_flag(&call, "quiet") && !call.wants_help);
    assert_string_equal(tl_cmd_text(&call, "dir"), "/x");
    assert_string_equal(tl_cmd_text(&call, "prices"), "a=b");
    assert_true(tl_cmd_u64(&call, "epochs") == 3); /* CMD-1 */
    assert_true(tl_cmd_f64(&call, "rate") == 0 && !tl_cmd_is_given(&call, "rate"));
    assert_int_equal(tl_cmd_count(&call, "peer"), 2);
    assert_string_equal(tl_cmd_text_at(&call, "peer", 0), "u");
    assert_string_equal(tl_cmd_text(&call, "peer"), "v");
    assert_null(tl_cmd_text(&call, "shell"));
}

static void defaults_hold_and_arguments_keep_their_order(void **state)
{
    (void)state;
    tl_cmd_call call;
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(parse(&call, "portfolio run --prices p --rate -2.5e1", &why), TL_OK);
    assert_true(tl_cmd_u64(&call, "epochs") == 12 && tl_cmd_f64(&call, "rate") == -25.0);
    assert_int_equal(parse(&call, "verify a - -- --b", &why), TL_OK);
    assert_int_equal(call.arg_count, 3);
    assert_string_equal(call.args[1], "-");
    assert_string_equal(call.args[2], "--b");
}

static void wrong_usage_is_told_with_advice(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *field;
        const char *hint; /* a part of it */
    } cases[] = {
        {"", "", "prog --help"},
        {"portfolio", "", "prog portfolio --help"},
        {"verfy a", "", "did you mean \"verify\"?"},
        {"port", "", "did you mean \"portfolio\"?"},
        {"portfolio rnu", "", "did you mean \"run\"?"},
        {"something", "", "prog --help lists"},
        {"verify a --jsno", "--jsno", "did you mean \"--json\"?"},
        {"portfolio run --price p", "--price", "\"--prices\""},
        {"verify a -x", "-x", "prog --help"},
        {"portfolio run --prices p --epochs 1.5", "--epochs", ""},
        {"portfolio run --prices p --epochs -1", "--epochs", ""},
        {"portfolio run --prices p --rate 1e999", "--rate", ""},
        {"portfolio run --prices p --shell zsh", "--shell", "choose one of bash, fish"},
        {"portfolio run --prices p --prices q", "--prices", ""},
        {"portfolio run --prices", "--prices", ""},
        {"portfolio run --prices=", "--prices", ""},
        {"portfolio run", "prices", "prog portfolio run --help"},
        {"verify --json=yes a", "--json", ""},
        {"verify", "first", "prog verify --help"},
        {"portfolio score extra", "extra", ""},
        {"--epochs 3 portfolio run --prices p", "--epochs", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_cmd_call call = {0};
        tl_errctx why = TL_ERRCTX_INIT;
        assert_int_equal(parse(&call, cases[i].line, &why), TL_ERR_USAGE);
        assert_string_equal(why.field, cases[i].field);
        if (strstr(why.hint, cases[i].hint) == NULL || why.message[0] == '\0') {
            fail_msg("%s: hint \"%s\"", cases[i].line, why.hint);
        }
        assert_null(call.table);
    }
}

static void help_is_asked_for_even_where_the_rest_is_wrong(void **state)
{
    (void)state;
    tl_cmd_call call;
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(parse(&call, "portfolio run --help", &why), TL_OK);
    assert_true(call.wants_help && call.cmd == &portfolio_run);
    assert_int_equal(parse(&call, "portfolio -h", &why), TL_OK);
    assert_true(call.wants_help && call.cmd == NULL && tl_str_eq_cstr(call.group, "portfolio"));
    assert_int_equal(parse(&call, "--help", &why), TL_OK);
    assert_true(call.wants_help && call.group.len == 0);
}

static void distances_count_edits(void **state)
{
    (void)state;
    assert_int_equal(tl_cmd_distance(TL_STR("kitten"), TL_STR("sitting")), 3);
    assert_int_equal(tl_cmd_distance(TL_STR("ab"), TL_STR("ba")), 1); /* neighbours swapped */
    assert_int_equal(tl_cmd_distance(TL_STR(""), TL_STR("abc")), 3);
    assert_int_equal(tl_cmd_distance(TL_STR("abc"), TL_STR("")), 3);
    static char big[2 * TL_CMD_EDIT_CAP];
    memset(big, 'x', sizeof big);
    assert_int_equal(tl_cmd_distance((tl_str){big, sizeof big}, TL_STR("")), TL_CMD_EDIT_CAP);
}

static tl_str finish(tl_sb *sb)
{
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, sb, NULL), TL_OK);
    return text;
}

static void assert_has(tl_str text, const char *part)
{
    if (strstr(text.ptr, part) == NULL) {
        fail_msg("lacks %s:\n%s", part, text.ptr);
    }
}

static void help_names_every_option_and_fits_the_page(void **state)
{
    (void)state;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_cmd_put_help(&sb, &table, &portfolio_run, TL_STR(""));
    tl_str text = finish(&sb);
    assert_has(text, "Usage: prog portfolio run --prices CSV [options]\n");
    assert_has(text, "--epochs N            how many (default 12)\n");
    assert_has(text, "--shell S             which: bash | fish\n");
    assert_has(text, "  -q, --quiet");
    assert_has(text, "\nExample:\n  prog portfolio run --prices p.csv\n");
    tl_str line;
    while (tl_str_split(&line, &text, '\n')) {
        assert_true(line.len <= 80);
        assert_false(tl_str_ends_with(line, TL_STR(" ")));
    }
    tl_sb_init(&sb, arena);
    tl_cmd_put_help(&sb, &table, NULL, TL_STR("portfolio"));
    text = finish(&sb);
    assert_has(text, "  portfolio score");
    assert_null(strstr(text.ptr, "check files"));
}

static void the_manual_page_escapes_what_roff_reads(void **state)
{
    (void)state;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_cmd_put_man(&sb, &table);
    const tl_str text = finish(&sb);
    assert_has(text, ".TH PROG 1 \"\" \"prog 1.2\"");
    assert_has(text, "\n\\&.And a line that roff would eat.\n");
    assert_has(text, "\\fB\\-\\-epochs\\fR \\fIN\\fR\n");
    assert_has(text, "prog portfolio run \\-\\-prices p.csv\n");
}

static void completion_is_for_three_shells(void **state)
{
    (void)state;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    assert_true(tl_cmd_put_completion(&sb, &table, TL_STR("bash")));
    assert_has(finish(&sb), "compgen -W 'bash fish'");
    tl_sb_init(&sb, arena);
    assert_true(tl_cmd_put_completion(&sb, &table, TL_STR("zsh")));
    assert_has(finish(&sb), "'--dir=[folder \\[state\\]\\: where]:DIR:_files -/'");
    tl_sb_init(&sb, arena);
    assert_true(tl_cmd_put_completion(&sb, &table, TL_STR("fish")));
    assert_has(finish(&sb), "-l json -d 'machine\\'s output'");
    assert_false(tl_cmd_put_completion(&sb, &table, TL_STR("csh")));
}

static void the_table_as_json_names_every_command(void **state)
{
    (void)state;
    tl_sb sb;
    tl_json_writer w;
    const tl_json *tree = NULL;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true); /* asserts that the keys are sorted */
    tl_cmd_put_json(&w, &table);
    assert_int_equal(tl_json_parse(&tree, arena, finish(&sb), NULL, NULL), TL_OK);
    assert_int_equal(tl_json_get(tree, "commands")->count, 3);
    assert_int_equal(tl_json_get(&tl_json_get(tree, "commands")->items[0], "options")->count, 5);
}

static void a_table_that_breaks_its_rules_is_found_out(void **state)
{
    (void)state;
    assert_int_equal(tl_cmd_check(&table, NULL), TL_OK);
    tl_cmd broken = verify;
    const tl_cmd *const one[] = {&broken};
    tl_cmd_table t = table;
    t.commands = one;
    t.count = 1;
    static const char *const none[] = {NULL};
    broken.examples = none; /* CMD-2 */
    assert_int_equal(tl_cmd_check(&t, NULL), TL_ERR_INTERNAL);
    broken = verify;
    broken.options = globals; /* each name twice */
    broken.option_count = 1;
    assert_int_equal(tl_cmd_check(&t, NULL), TL_ERR_INTERNAL);
    static const tl_cmd_option bad[] = {
        {.name = "n", .type = TL_CMD_U64, .metavar = "N", .fallback = "many", .help = "x"}};
    broken.options = bad;
    assert_int_equal(tl_cmd_check(&t, NULL), TL_ERR_INTERNAL);
    const tl_cmd *const twice[] = {&verify, &verify};
    t.commands = twice;
    t.count = 2;
    assert_int_equal(tl_cmd_check(&t, NULL), TL_ERR_INTERNAL);
}

/* One block of memory, of which ever more is used up beforehand: each allocation fails once. */
static void memory_that_ends_anywhere_is_an_error_and_no_crash(void **state)
{
    (void)state;
    enum { BLOCK_LEN = 4160, STEP = 8 };
    static const char *const words[] = {"portfolio", "run",      "--prices", "p",
                                        "--jsno",    "--epochs", "3"};
    static const char *const good[] = {"portfolio", "run", "--prices", "p", "--epochs", "3"};
    size_t failed = 0;
    for (size_t fill = 0; fill < 4000; fill += STEP) {
        tl_arena *small = NULL;
        tl_cmd_call call;
        tl_errctx why = TL_ERRCTX_INIT;
        tl_str text = {NULL, 0};
        assert_int_equal(tl_arena_new(&small, NULL, BLOCK_LEN, NULL, NULL), TL_OK);
        assert_non_null(TL_NEW(small, char, fill));
        const tl_err err = tl_cmd_parse(&call, small, &table, good, 6, &why);
        assert_true(err == TL_OK || err == TL_ERR_LIMIT);
        failed += err != TL_OK;
        const tl_err wrong = tl_cmd_parse(&call, small, &table, words, 7, &why);
        assert_true(wrong == TL_ERR_USAGE || wrong == TL_ERR_LIMIT);
        tl_sb sb;
        tl_sb_init(&sb, small);
        tl_cmd_put_help(&sb, &table, &portfolio_run, TL_STR(""));
        tl_cmd_put_man(&sb, &table);
        assert_true(tl_sb_finish(&text, &sb, NULL) == TL_ERR_LIMIT);
        tl_arena_free(small);
    }
    assert_true(failed > 0 && failed < 4000 / STEP);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_stand_anywhere_and_have_three_forms),
        TEST(defaults_hold_and_arguments_keep_their_order),
        TEST(wrong_usage_is_told_with_advice),
        TEST(help_is_asked_for_even_where_the_rest_is_wrong),
        TEST(distances_count_edits),
        TEST(help_names_every_option_and_fits_the_page),
        TEST(the_manual_page_escapes_what_roff_reads),
        TEST(completion_is_for_three_shells),
        TEST(the_table_as_json_names_every_command),
        TEST(a_table_that_breaks_its_rules_is_found_out),
        TEST(memory_that_ends_anywhere_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
