/* test_demo: runs of two epochs: the same digest twice, after an interruption, and in a folder that is done already;
 * folders that belong to somebody else; what the report says against what lies in the folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/demo/demo.h"
#include "io/sys/sys.h"

#define PRICES TL_SOURCE_ROOT "/data/us_stocks_daily_close.csv.gz"

typedef struct fixture {
    tl_arena *arena;
    tl_price_table table;
    const char *home;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    tl_str csv = {NULL, 0};
    assert_int_equal(tl_arena_new(&f.arena, NULL, (size_t)4 << 30, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_read_text(&csv, f.arena, PRICES, TL_SYS_FILE_LEN_MAX, NULL), TL_OK);
    assert_int_equal(tl_price_table_read(&f.table, f.arena, csv, NULL), TL_OK);
    const char *temp = getenv("TMPDIR");
    const char *prefix = NULL;
    assert_int_equal(
        tl_sys_join(&prefix, f.arena, temp != NULL ? temp : "/tmp", "tally-test-demo", NULL),
        TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&f.home, f.arena, prefix, NULL), TL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    const fixture *f = (const fixture *)*state;
    tl_sb sb;
    tl_str command = {NULL, 0};
    tl_sb_init(&sb, f->arena);
    tl_sb_printf(&sb, "rm -r '%s'", f->home);
    assert_int_equal(tl_sb_finish(&command, &sb, NULL), TL_OK);
    assert_int_equal(system(command.ptr), 0);
    tl_arena_free(f->arena);
    return 0;
}

static tl_demo_options options_of(const fixture *f, const char *name, uint64_t seed,
                                  uint32_t epochs)
{
    tl_demo_options options = {.seed = seed, .epochs = epochs};
    assert_int_equal(tl_sys_join(&options.dir, f->arena, f->home, name, NULL), TL_OK);
    return options;
}

static tl_demo_report run(const fixture *f, const char *name, const tl_demo_watch *watch)
{
    const tl_demo_options options = options_of(f, name, 7, 2);
    tl_demo_report report = {0};
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = tl_demo_run(&report, f->arena, &f->table, &options, watch, &why);
    if (err != TL_OK) {
        print_message("%s\n", why.message);
    }
    assert_int_equal(err, TL_OK);
    return report;
}

static void assert_same(const tl_demo_report *a, const tl_demo_report *b)
{
    assert_memory_equal(a->digest.b, b->digest.b, sizeof a->digest.b);
    assert_memory_equal(a->head.b, b->head.b, sizeof a->head.b);
    assert_int_equal(a->entry_count, b->entry_count);
    assert_int_equal(a->flag_count, b->flag_count);
    assert_int_equal(a->standing_count, b->standing_count);
    for (size_t i = 0; i < a->standing_count; i++) {
        assert_ptr_not_equal(a->standings[i].miner, NULL);
        assert_string_equal(a->standings[i].miner->name, b->standings[i].miner->name);
        assert_true(tl_rao_eq(a->standings[i].reward, b->standings[i].reward));
    }
}

static void two_epochs_settle_balance_and_verify(void **state) /* DEMO-2 */
{
    const fixture *f = (const fixture *)*state;
    const tl_demo_report report = run(f, "whole", NULL);
    assert_true(report.is_balanced);
    assert_int_equal(report.chapter_count, 2);
    assert_int_equal(report.verified_count, 2);
    assert_true(report.standing_count >= 10);
    assert_true(report.flag_count > 0);
    assert_int_equal(tl_rao_to_i64(report.issuance), 2 * INT64_C(1000000000000));
    for (size_t i = 0; i < report.chapter_count; i++) {
        assert_true(tl_sys_exists(report.chapters[i].bundle));
        assert_true(
            tl_str_ends_with(tl_str_from_cstr(report.chapters[i].bundle), TL_STR(".bundle")));
    }
}

static void the_same_arguments_give_the_same_digest(void **state) /* DEMO-1 */
{
    const fixture *f = (const fixture *)*state;
    const tl_demo_report first = run(f, "first", NULL);
    const tl_demo_report other_folder = run(f, "second", NULL);
    const tl_demo_report same_folder = run(f, "first", NULL);
    assert_same(&first, &other_folder);
    assert_same(&first, &same_folder);
    assert_int_equal(same_folder.verified_count, 2);
}

/* Stops a run behind its n-th epoch. */
typedef struct stopper {
    uint64_t stop_at;
    uint64_t seen;
} stopper;

static tl_err stop_after_epoch(void *self, tl_str text, tl_errctx *ctx)
{
    stopper *s = (stopper *)self;
    s->seen++;
    return s->seen == s->stop_at ? tl_fail(ctx, TL_ERR_INTERRUPTED, "stopped at %zu", text.len)
                                 : TL_OK;
}

static void an_interrupted_run_goes_on_to_the_same_digest(void **state) /* DEMO-1 */
{
    const fixture *f = (const fixture *)*state;
    const tl_demo_report whole = run(f, "undisturbed", NULL);
    const tl_demo_options options = options_of(f, "interrupted", 7, 2);
    for (uint64_t i = 1; i <= 2; i++) {
        stopper s = {.stop_at = i};
        const tl_demo_watch watch = {&s, NULL, stop_after_epoch};
        tl_demo_report report = {0};
        assert_int_equal(tl_demo_run(&report, f->arena, &f->table, &options, &watch, NULL),
                         TL_ERR_INTERRUPTED);
        assert_int_equal(report.chapter_count, 0);
    }
    const tl_demo_report resumed = run(f, "interrupted", NULL);
    assert_same(&whole, &resumed);
}

static void a_folder_of_another_run_is_refused(void **state) /* DEMO-3 */
{
    const fixture *f = (const fixture *)*state;
    (void)run(f, "claimed", NULL);
    tl_demo_report report = {0};
    const tl_demo_options other_seed = options_of(f, "claimed", 8, 2);
    const tl_demo_options other_count = options_of(f, "claimed", 7, 3);
    assert_int_equal(tl_demo_run(&report, f->arena, &f->table, &other_seed, NULL, NULL),
                     TL_ERR_REFUSED);
    assert_int_equal(tl_demo_run(&report, f->arena, &f->table, &other_count, NULL, NULL),
                     TL_ERR_REFUSED);
    tl_price_table shorter = f->table;
    shorter.day_count--;
    const tl_demo_options other_prices = options_of(f, "claimed", 7, 2);
    assert_int_equal(tl_demo_run(&report, f->arena, &shorter, &other_prices, NULL, NULL),
                     TL_ERR_REFUSED);
    const tl_demo_options somebodys = {.seed = 7, .epochs = 2, .dir = f->home};
    assert_int_equal(tl_demo_run(&report, f->arena, &f->table, &somebodys, NULL, NULL),
                     TL_ERR_REFUSED);
}

static void a_marker_that_was_not_finished_is_no_obstacle(void **state)
{
    const fixture *f = (const fixture *)*state;
    const tl_demo_options options = options_of(f, "torn", 7, 2);
    const char *half = NULL;
    assert_int_equal(tl_sys_make_dir(options.dir, 0700, NULL), TL_OK);
    assert_int_equal(tl_sys_join(&half, f->arena, options.dir, "demo.json.a1b2c3", NULL), TL_OK);
    assert_int_equal(tl_sys_write_file(half, tl_str_bytes(TL_STR("{\"epo")), 0600, NULL), TL_OK);
    const tl_demo_report report = run(f, "torn", NULL);
    assert_int_equal(report.verified_count, 2);
}

static void the_report_is_one_line_of_json_with_what_was_promised(void **state)
{
    const fixture *f = (const fixture *)*state;
    const tl_demo_report report = run(f, "json", NULL);
    tl_sb sb;
    tl_str text = {NULL, 0};
    const tl_json *tree = NULL;
    tl_sb_init(&sb, f->arena);
    tl_demo_put_json(&sb, &report);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_int_equal(tl_str_find(text, '\n'), text.len - 1);
    assert_int_equal(tl_json_parse(&tree, f->arena, text, NULL, NULL), TL_OK);
    static const char *const keys[] = {"agreement", "bundles_verified", "digest", "dir", "epochs",
                                       "flags",     "leaderboard",      "ledger"};
    assert_int_equal(tree->count, sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_non_null(tl_json_get(tree, keys[i]));
    }
    const tl_json *flags = tl_json_get(tree, "flags");
    assert_int_equal(flags->count, report.flag_count);
    for (uint32_t i = 0; i < flags->count; i++) {
        const tl_json *evidence = tl_json_get(&flags->items[i], "evidence");
        assert_int_equal(evidence->kind, TL_JSON_OBJECT);
        assert_int_equal(evidence->count, 6);
        assert_true(report.flags[i].reason.len > 10);
    }
    const tl_json *board = tl_json_get(tree, "leaderboard");
    int64_t before = INT64_MAX;
    for (uint32_t i = 0; i < board->count; i++) {
        int64_t reward = 0;
        double score = 0.0;
        assert_int_equal(tl_json_want_i64(&reward, &board->items[i], "reward_rao", NULL), TL_OK);
        assert_int_equal(tl_json_want_f64(&score, &board->items[i], "score", NULL), TL_OK);
        assert_true(reward <= before && score >= 0.0 && score <= 1.0);
        before = reward;
    }
    tl_sb_init(&sb, f->arena);
    tl_demo_put_text(&sb, &report);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_true(text.len > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_epochs_settle_balance_and_verify),
        cmocka_unit_test(the_same_arguments_give_the_same_digest),
        cmocka_unit_test(an_interrupted_run_goes_on_to_the_same_digest),
        cmocka_unit_test(a_folder_of_another_run_is_refused),
        cmocka_unit_test(a_marker_that_was_not_finished_is_no_obstacle),
        cmocka_unit_test(the_report_is_one_line_of_json_with_what_was_promised),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
