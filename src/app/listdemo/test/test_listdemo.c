/* test_listdemo: one short epoch of the whole network: who is accused against who cheats, hashes and bundles of all
 * validators, the money; folders that are in use; the clock under several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/data/data.h"
#include "app/listdemo/listdemo_internal.h"
#include "io/sys/sys.h"

typedef struct fixture {
    tl_arena *arena;
    const char *home;
    tl_places places;
    tl_listdemo_report report;
    size_t steps;
    size_t texts;
} fixture;

/* A seventh of a real epoch. */
static const tl_select_options small = {.target = 1500,
                                        .tolerance_bp = 2000,
                                        .count_min = 4,
                                        .count_max = 6,
                                        .expected_min = 250,
                                        .expected_max = 420};

static void count_step(void *self, uint64_t done, uint64_t total)
{
    fixture *f = (fixture *)self;
    assert_true(done <= total);
    f->steps++;
}

static tl_err count_text(void *self, tl_str text, tl_errctx *ctx)
{
    fixture *f = (fixture *)self;
    (void)ctx;
    assert_true(text.len > 0);
    f->texts++;
    return TL_OK;
}

static int set_up(void **state)
{
    static fixture f;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const char *temp = getenv("TMPDIR");
    const char *prefix = NULL;
    assert_int_equal(tl_arena_new(&f.arena, NULL, (size_t)4 << 30, NULL, NULL), TL_OK);
    assert_int_equal(
        tl_sys_join(&prefix, f.arena, temp != NULL ? temp : "/tmp", "tally-test-listdemo", NULL),
        TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&f.home, f.arena, prefix, NULL), TL_OK);
    assert_int_equal(
        tl_data_zipcodes(&f.places, f.arena, TL_SOURCE_ROOT "/data/" TL_DATA_ZIPCODES, NULL),
        TL_OK);
    tl_listdemo_options options = {.seed = 44, .epochs = 1, .places = &f.places, .bounds = &small};
    const tl_listdemo_watch watch = {&f, count_step, count_text};
    assert_int_equal(tl_sys_join(&options.dir, f.arena, f.home, "run", NULL), TL_OK);
    assert_int_equal(tl_listdemo_claim(options.dir, f.arena, &ctx), TL_OK);
    if (tl_listdemo_run(&f.report, f.arena, &options, &watch, &ctx) != TL_OK) {
        print_error("%s\n", ctx.message);
        return -1;
    }
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

static void every_validator_holds_one_hash_and_a_bundle_that_runs_again(void **state)
{
    const fixture *f = (const fixture *)*state;
    assert_int_equal(f->report.chapter_count, 1);
    const tl_listdemo_chapter *c = &f->report.chapters[0];
    assert_string_equal(c->status, "PERFECT_CONSENSUS");
    assert_int_equal(c->rate_millionths, 1000000);
    assert_int_equal(c->outlier_count, 0);
    assert_int_equal(c->submissions, TL_LISTDEMO_MINERS - 1); /* all but the late one's */
    for (size_t i = 0; i < TL_LISTDEMO_VALIDATORS; i++) {     /* LDEMO-2 */
        assert_memory_equal(&c->hashes[i], &c->hashes[0], sizeof c->hashes[0]);
        assert_true(tl_sys_exists(c->bundles[i]));
    }
    assert_true(c->is_agreed);
    assert_int_equal(f->report.verified_count, TL_LISTDEMO_VALIDATORS);
    assert_true(tl_listdemo_is_well(&f->report));
    assert_int_equal(f->texts, 2);
    assert_int_equal(f->steps, 4);
}

static void each_kind_of_cheat_is_caught_and_nobody_honest(void **state)
{
    const fixture *f = (const fixture *)*state;
    uint32_t caught[TL_LISTDEMO_ROLE_COUNT] = {0};
    uint32_t played[TL_LISTDEMO_ROLE_COUNT] = {0};
    for (size_t i = 0; i < f->report.standing_count; i++) {
        const tl_listdemo_standing *s = &f->report.standings[i];
        played[s->role]++;
        caught[s->role] += s->flags > 0 ? 1U : 0U;
    }
    assert_int_equal(f->report.standing_count, TL_LISTDEMO_MEMBERS);
    assert_int_equal(caught[TL_LISTDEMO_HONEST], 0);
    assert_int_equal(caught[TL_LISTDEMO_VALIDATOR], 0);
    for (size_t role = TL_LISTDEMO_LATE; role < TL_LISTDEMO_VALIDATOR; role++) {
        /* Of one operator's hotkeys, the first is nobody's copy. */
        const uint32_t free = role == TL_LISTDEMO_SYBIL ? 1 : 0;
        assert_true(played[role] > 0);
        assert_true(caught[role] + free >= played[role]);
    }
}

static bool is_spoken(const tl_listdemo_report *r, tl_listdemo_role role, const char *rule)
{
    const char *word = tl_listdemo_role_name(role);
    for (size_t i = 0; i < r->flag_count; i++) {
        if (strncmp(r->names[r->flags[i].member], word, strlen(word)) == 0 &&
            strcmp(r->flags[i].rule, rule) == 0) {
            return true;
        }
    }
    return false;
}

static void they_are_caught_by_the_rule_that_is_meant_for_them(void **state)
{
    const tl_listdemo_report *r = &((const fixture *)*state)->report;
    assert_true(is_spoken(r, TL_LISTDEMO_LATE, "late"));
    assert_true(is_spoken(r, TL_LISTDEMO_SHORT, "quantity"));
    assert_true(is_spoken(r, TL_LISTDEMO_DUPLICATING, "duplicates"));
    assert_true(is_spoken(r, TL_LISTDEMO_SYNTHETIC, "spot_check"));
    assert_true(is_spoken(r, TL_LISTDEMO_SYNTHETIC, "price_anomaly"));
    assert_true(is_spoken(r, TL_LISTDEMO_COPYING, "copy"));
    assert_true(is_spoken(r, TL_LISTDEMO_HONEYPOT, "honeypot"));
    assert_true(is_spoken(r, TL_LISTDEMO_SYBIL, "sybil"));
}

static void the_honest_are_paid_and_what_is_paid_adds_up(void **state)
{
    const fixture *f = (const fixture *)*state;
    int64_t honest = 0;
    int64_t paid = 0;
    for (size_t i = 0; i < f->report.standing_count; i++) {
        const tl_listdemo_standing *s = &f->report.standings[i];
        const int64_t reward = tl_rao_to_i64(s->reward);
        paid += reward;
        honest += s->role == TL_LISTDEMO_HONEST ? reward : 0;
        if (s->role != TL_LISTDEMO_HONEST && s->role != TL_LISTDEMO_COPYING &&
            s->role != TL_LISTDEMO_SYBIL) {
            assert_int_equal(reward, 0);
        }
    }
    assert_true(honest > 0);
    assert_true(f->report.is_balanced); /* LDEMO-3 */
    assert_int_equal(tl_rao_to_i64(f->report.issuance), paid + tl_rao_to_i64(f->report.burned));
    assert_int_equal(tl_rao_to_i64(f->report.issuance), INT64_C(1000000000000));
}

/* LDEMO-1: who met the coordinator over HTTP has its pin. */
static void every_member_came_by_the_front_door(void **state)
{
    const fixture *f = (const fixture *)*state;
    for (size_t i = 0; i < TL_LISTDEMO_MEMBERS; i++) {
        tl_sb sb;
        tl_str path = {NULL, 0};
        const char *kind = i < TL_LISTDEMO_MINERS ? "miners" : "validators";
        tl_sb_init(&sb, f->arena);
        tl_sb_printf(&sb, "%s/%s/%s/coordinators.pins", f->report.dir, kind, f->report.names[i]);
        assert_int_equal(tl_sb_finish(&path, &sb, NULL), TL_OK);
        char *space = strrchr((char *)(uintptr_t)path.ptr, ' ');
        assert_non_null(space);
        *space = '-';
        assert_true(tl_sys_exists(path.ptr));
    }
}

static void the_report_is_json_with_what_the_spec_asks(void **state)
{
    const fixture *f = (const fixture *)*state;
    tl_sb sb;
    tl_str text = {NULL, 0};
    const tl_json *json = NULL;
    tl_sb_init(&sb, f->arena);
    tl_listdemo_put_json(&sb, &f->report);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&json, f->arena, text, NULL, NULL), TL_OK);
    const tl_json *agreement = tl_json_get(json, "agreement");
    assert_int_equal(agreement->count, 1);
    assert_int_equal(tl_json_get(&agreement->items[0], "hashes")->count, TL_LISTDEMO_VALIDATORS);
    assert_true(tl_json_get(tl_json_get(json, "ledger"), "balanced")->boolean);
    const tl_json *flags = tl_json_get(json, "flags");
    assert_true(flags->count > 0);
    for (uint32_t i = 0; i < flags->count; i++) {
        static const char *const keys[] = {"epoch", "hotkey", "rule", "evidence", "reason"};
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            assert_non_null(tl_json_get(&flags->items[i], keys[k]));
        }
    }
    assert_int_equal(tl_json_get(json, "leaderboard")->count, TL_LISTDEMO_MEMBERS);
    tl_sb_init(&sb, f->arena);
    tl_listdemo_put_text(&sb, &f->report);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_non_null(strstr(text.ptr, "balanced"));
    assert_null(strstr(text.ptr, "DIFFER"));
}

static void a_folder_that_is_in_use_is_refused(void **state)
{
    const fixture *f = (const fixture *)*state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_listdemo_claim(f->report.dir, f->arena, &ctx), TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "dir");
}

/* --- the clock --- */

static void *push(void *self)
{
    tl__demo_clock *clock = (tl__demo_clock *)self;
    for (int64_t i = 0; i < 2000; i++) {
        tl__demo_clock_reach(clock, 1000000 + i * 1000);
    }
    return NULL;
}

static void a_clock_that_several_push_reaches_the_latest_and_never_goes_back(void **state)
{
    tl__demo_clock clock;
    pthread_t threads[3];
    (void)state;
    tl__demo_clock_start(&clock, 1000);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, push, &clock), 0);
    }
    int64_t before = 0;
    for (int i = 0; i < 2000; i++) {
        const int64_t now = tl__demo_clock_ms(&clock);
        assert_true(now >= before);
        before = now;
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    const int64_t reached = tl__demo_clock_ms(&clock);
    assert_true(reached >= 2999000);
    assert_true(reached < 2999000 + 600000); /* not once for each that pushed */
    tl__demo_clock_reach(&clock, 5);
    assert_true(tl__demo_clock_ms(&clock) >= reached);
}

static void ranks_are_an_order_with_copies_behind_and_the_late_last(void **state)
{
    static tl__member cast[TL_LISTDEMO_MEMBERS];
    bool taken[TL_LISTDEMO_MINERS] = {false};
    (void)state;
    assert_int_equal(tl__cast_make(cast, NULL), TL_OK);
    tl__cast_deal(cast, 9, 1234);
    for (size_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        assert_true(cast[i].rank < TL_LISTDEMO_MINERS);
        assert_false(taken[cast[i].rank]);
        taken[cast[i].rank] = true;
        assert_true(cast[i].role != TL_LISTDEMO_LATE || cast[i].rank == TL_LISTDEMO_MINERS - 1);
        assert_true(cast[i].role != TL_LISTDEMO_COPYING || cast[i].rank >= TL_LISTDEMO_MINERS - 3);
    }
    tl__cast_free(cast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_validator_holds_one_hash_and_a_bundle_that_runs_again),
        cmocka_unit_test(each_kind_of_cheat_is_caught_and_nobody_honest),
        cmocka_unit_test(they_are_caught_by_the_rule_that_is_meant_for_them),
        cmocka_unit_test(the_honest_are_paid_and_what_is_paid_adds_up),
        cmocka_unit_test(every_member_came_by_the_front_door),
        cmocka_unit_test(the_report_is_json_with_what_the_spec_asks),
        cmocka_unit_test(a_folder_that_is_in_use_is_refused),
        cmocka_unit_test(a_clock_that_several_push_reaches_the_latest_and_never_goes_back),
        cmocka_unit_test(ranks_are_an_order_with_copies_behind_and_the_late_last),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
