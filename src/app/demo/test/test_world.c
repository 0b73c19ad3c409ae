/* test_world: attacks the demo's world with other seeds, with changed prices, and with the rules themselves: does
 * anybody look ahead, does anything depend on more than its arguments, do honest miners keep the rules? Each test walks
 * a few seeds and names the one that failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/demo/world.h"
#include "io/sys/sys.h"

#define PRICES TL_SOURCE_ROOT "/data/us_stocks_daily_close.csv.gz"
#define EPOCHS 12

static const uint64_t seeds[] = {0, 1, 44, UINT64_MAX};
#define SEEDS (sizeof seeds / sizeof *seeds)

typedef struct fixture {
    tl_arena *arena;
    tl_price_table table;
    tl_road_params params;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    tl_str csv = {NULL, 0};
    tl_sb sb;
    tl_json_writer w;
    tl_str text = {NULL, 0};
    const tl_json *tree = NULL;
    assert_int_equal(tl_arena_new(&f.arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_read_text(&csv, f.arena, PRICES, TL_SYS_FILE_LEN_MAX, NULL), TL_OK);
    assert_int_equal(tl_price_table_read(&f.table, f.arena, csv, NULL), TL_OK);
    tl_sb_init(&sb, f.arena);
    tl_json_writer_init(&w, &sb, 0, true);
    assert_int_equal(tl_road_params_put(&w, &tl_subnet_portfolio, NULL, NULL, f.arena, NULL),
                     TL_OK);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&tree, f.arena, text, NULL, NULL), TL_OK);
    assert_int_equal(tl_road_params_read(&f.params, &tl_subnet_portfolio, tree, NULL), TL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    tl_arena_free(((fixture *)*state)->arena);
    return 0;
}

static tl_demo_world *new_world(tl_arena *arena, const tl_price_table *table, uint64_t seed)
{
    tl_demo_world *world = NULL;
    assert_int_equal(tl_demo_world_new(&world, arena, table, seed, EPOCHS, NULL), TL_OK);
    return world;
}

static tl_demo_epoch epoch_of(tl_arena *arena, const tl_demo_world *world, uint32_t index,
                              const fixture *f)
{
    tl_demo_epoch epoch = {0};
    assert_int_equal(tl_demo_epoch_at(&epoch, arena, world, index, &f->params, NULL), TL_OK);
    return epoch;
}

static void assert_same_epoch(const tl_demo_epoch *a, const tl_demo_epoch *b)
{
    assert_true(tl_str_eq(a->id, b->id));
    assert_int_equal(a->signal_count, b->signal_count);
    for (size_t i = 0; i < a->signal_count; i++) {
        assert_true(tl_str_eq(a->signals[i].json, b->signals[i].json));
    }
}

/* A copy of the table in which every price from row `from` on is another one. */
static tl_price_table changed_from(tl_arena *arena, const tl_price_table *t, size_t from)
{
    const size_t cells = t->day_count * t->ticker_count;
    tl_price *price = TL_NEW(arena, tl_price, cells);
    assert_non_null(price);
    for (size_t i = 0; i < cells; i++) {
        price[i] = t->price[i];
        if (i >= from * t->ticker_count) {
            price[i].digits = 1 + (price[i].digits * 7919 + i * 104729) % 100000;
        }
    }
    tl_price_table copy = *t;
    copy.price = price;
    return copy;
}

static void later_prices_change_no_earlier_signal(void **state) /* WORLD-1 */
{
    const fixture *f = (const fixture *)*state;
    for (size_t s = 0; s < SEEDS; s++) {
        const tl_arena_mark mark = tl_arena_get_mark(f->arena);
        const tl_demo_world *world = new_world(f->arena, &f->table, seeds[s]);
        for (uint32_t index = 0; index < EPOCHS; index += 5) {
            const size_t decision = tl__demo_decision_row(world, (int32_t)index);
            const tl_price_table later = changed_from(f->arena, &f->table, decision + 1);
            const tl_price_table sooner = changed_from(f->arena, &f->table, decision - 5);
            const tl_demo_world *same = new_world(f->arena, &later, seeds[s]);
            const tl_demo_world *other = new_world(f->arena, &sooner, seeds[s]);
            const tl_demo_epoch a = epoch_of(f->arena, world, index, f);
            const tl_demo_epoch b = epoch_of(f->arena, same, index, f);
            const tl_demo_epoch c = epoch_of(f->arena, other, index, f);
            assert_same_epoch(&a, &b);
            size_t differing = 0; /* else the test could not fail */
            for (size_t i = 0; i < a.signal_count && a.signal_count == c.signal_count; i++) {
                differing += tl_str_eq(a.signals[i].json, c.signals[i].json) ? 0U : 1U;
            }
            assert_true(differing >= 3);
        }
        tl_arena_rewind(f->arena, mark);
    }
}

static void records_end_before_the_first_epoch_and_look_at_nothing_later(void **state)
{
    const fixture *f = (const fixture *)*state;
    const tl_arena_mark mark = tl_arena_get_mark(f->arena);
    for (size_t s = 0; s < SEEDS; s++) {
        const tl_demo_world *world = new_world(f->arena, &f->table, seeds[s]);
        const size_t decision = tl__demo_decision_row(world, 0);
        const size_t start = tl__demo_decision_row(world, -(int32_t)world->record_weeks);
        assert_true(decision - start >= TL_DEMO_RECORD_DAYS);
        assert_true(decision - start < TL_DEMO_RECORD_DAYS + 5);
        const tl_price_table later = changed_from(f->arena, &f->table, decision + 1);
        const tl_demo_world *same = new_world(f->arena, &later, seeds[s]);
        tl_str a = {NULL, 0};
        tl_str b = {NULL, 0};
        assert_int_equal(tl_demo_records(&a, f->arena, world, NULL), TL_OK);
        assert_int_equal(tl_demo_records(&b, f->arena, same, NULL), TL_OK);
        assert_true(tl_str_eq(a, b));
        const tl_json *tree = NULL;
        tl_carry carry = {NULL, 0};
        assert_int_equal(tl_json_parse(&tree, f->arena, a, NULL, NULL), TL_OK);
        assert_int_equal(tl_carry_read(&carry, f->arena, &tl_subnet_portfolio, tree, NULL), TL_OK);
        assert_int_equal(carry.count, world->miner_count);
        for (size_t i = 0; i < carry.count; i++) {
            assert_int_equal(carry.miners[i].epoch_count, world->record_weeks);
        }
    }
    tl_arena_rewind(f->arena, mark);
}

static void the_same_seed_gives_the_same_bytes_and_another_does_not(void **state) /* WORLD-2 */
{
    const fixture *f = (const fixture *)*state;
    const tl_arena_mark mark = tl_arena_get_mark(f->arena);
    const tl_demo_world *a = new_world(f->arena, &f->table, 5);
    const tl_demo_world *b = new_world(f->arena, &f->table, 5);
    const tl_demo_world *c = new_world(f->arena, &f->table, 6);
    for (uint32_t index = 0; index < EPOCHS; index++) {
        const tl_demo_epoch x = epoch_of(f->arena, a, index, f);
        const tl_demo_epoch y = epoch_of(f->arena, b, index, f);
        const tl_demo_epoch z = epoch_of(f->arena, c, index, f);
        assert_same_epoch(&x, &y);
        assert_false(tl_str_eq(x.signals[0].json, z.signals[0].json));
    }
    tl_str stakes[2];
    assert_int_equal(tl_demo_stakes(&stakes[0], f->arena, a, NULL), TL_OK);
    assert_int_equal(tl_demo_stakes(&stakes[1], f->arena, b, NULL), TL_OK);
    assert_true(tl_str_eq(stakes[0], stakes[1]));
    tl_arena_rewind(f->arena, mark);
}

static void
followers_commit_after_their_victims_and_no_height_comes_twice(void **state) /* WORLD-3 */
{
    const fixture *f = (const fixture *)*state;
    const tl_arena_mark mark = tl_arena_get_mark(f->arena);
    const tl_demo_world *world = new_world(f->arena, &f->table, 44);
    for (uint32_t index = 0; index < EPOCHS; index++) {
        const tl_demo_epoch e = epoch_of(f->arena, world, index, f);
        uint64_t before = e.open_height;
        bool has_follower = false;
        for (size_t i = 0; i < e.signal_count; i++) {
            assert_true(i == 0 || e.signals[i].commit_height > before);
            assert_true(e.signals[i].commit_height <= e.settle_height);
            before = e.signals[i].commit_height;
            has_follower = has_follower || e.signals[i].miner->noise > 0.0;
            assert_true(!has_follower || e.signals[i].miner->noise > 0.0);
        }
        assert_true(has_follower);
    }
    tl_arena_rewind(f->arena, mark);
}

/* --- what the network's own rules say of them --- */

typedef struct verdicts {
    const tl_demo_epoch *epoch;
    tl_submission *submissions;
    tl_admission *admissions;
    const tl_demo_miner **senders;
    size_t count;
    size_t unreadable;
} verdicts;

static verdicts judge(const fixture *f, const tl_demo_world *world, const tl_demo_epoch *epoch)
{
    verdicts v = {.epoch = epoch};
    v.submissions = TL_NEW(f->arena, tl_submission, epoch->signal_count);
    v.admissions = TL_NEW(f->arena, tl_admission, epoch->signal_count);
    v.senders = TL_NEW(f->arena, const tl_demo_miner *, epoch->signal_count);
    for (size_t i = 0; i < epoch->signal_count; i++) {
        const tl_json *tree = NULL;
        if (tl_json_parse(&tree, f->arena, epoch->signals[i].json, NULL, NULL) != TL_OK) {
            v.unreadable++;
            continue;
        }
        v.senders[v.count] = epoch->signals[i].miner;
        assert_int_equal(tl_road_submission_read(&v.submissions[v.count++], f->arena,
                                                 &tl_subnet_portfolio, &f->params, tree, NULL),
                         TL_OK);
    }
    const tl_price_table *tables[1] = {world->table};
    const size_t row = tl__demo_decision_row(world, 0);
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    tl_str evidence = {NULL, 0};
    const tl_json *inputs = NULL;
    const tl_json *seen = NULL;
    void *opened = NULL;
    const tl_carry carry = {NULL, 0};
    assert_int_equal(tl_assemble_evidence(&evidence, f->arena, tables, 1, row - 3,
                                          world->table->day_count, views, 1, NULL),
                     TL_OK);
    assert_int_equal(tl_json_parse(&inputs, f->arena, TL_STR("{\"records\":[]}"), NULL, NULL),
                     TL_OK);
    assert_int_equal(tl_json_parse(&seen, f->arena, evidence, NULL, NULL), TL_OK);
    const tl_subnet_task task = {epoch->id, epoch->span, inputs, seen, f->params.subnet};
    assert_int_equal(tl_subnet_portfolio.open(&opened, f->arena, &task, NULL), TL_OK);
    assert_int_equal(tl_road_admit(v.admissions, f->arena, &tl_subnet_portfolio, opened, &f->params,
                                   epoch->id, &carry, NULL, v.submissions, v.count, NULL),
                     TL_OK);
    return v;
}

static void honest_miners_send_one_valid_signal_an_epoch(void **state) /* WORLD-4 */
{
    const fixture *f = (const fixture *)*state;
    for (size_t s = 0; s < SEEDS; s++) {
        const tl_arena_mark mark = tl_arena_get_mark(f->arena);
        const tl_demo_world *world = new_world(f->arena, &f->table, seeds[s]);
        for (uint32_t index = 0; index < EPOCHS; index++) {
            const tl_demo_epoch epoch = epoch_of(f->arena, world, index, f);
            const verdicts v = judge(f, world, &epoch);
            size_t honest = 0;
            for (size_t i = 0; i < v.count; i++) {
                if (v.senders[i]->is_honest) {
                    honest++;
                    assert_int_equal(v.admissions[i].state, TL_ADMIT_VALID);
                }
            }
            size_t expected = 0;
            for (size_t i = 0; i < world->miner_count; i++) {
                expected += world->miners[i].is_honest ? 1U : 0U;
            }
            assert_int_equal(honest, expected);
        }
        tl_arena_rewind(f->arena, mark);
    }
}

static void gamers_meet_the_rules_that_they_break(void **state)
{
    const fixture *f = (const fixture *)*state;
    const tl_arena_mark mark = tl_arena_get_mark(f->arena);
    static const char *const codes[] = {"E001", "E002", "E003", "E004", "E005",
                                        "E006", "E007", "E008", "E009"};
    bool met[sizeof codes / sizeof *codes] = {false};
    size_t states[TL_ADMIT_VALID + 1] = {0};
    const tl_demo_world *world = new_world(f->arena, &f->table, 44);
    for (uint32_t index = 0; index < EPOCHS; index++) {
        const tl_demo_epoch epoch = epoch_of(f->arena, world, index, f);
        const verdicts v = judge(f, world, &epoch);
        assert_int_equal(v.unreadable, 1);
        for (size_t i = 0; i < v.count; i++) {
            states[v.admissions[i].state]++;
            for (size_t k = 0; v.admissions[i].code != NULL && k < sizeof codes / sizeof *codes;
                 k++) {
                met[k] = met[k] || tl_str_eq_cstr(tl_str_from_cstr(codes[k]), v.admissions[i].code);
            }
        }
    }
    for (size_t k = 0; k < sizeof codes / sizeof *codes; k++) {
        assert_true(met[k]);
    }
    for (size_t k = 0; k <= TL_ADMIT_VALID; k++) {
        assert_true(states[k] > 0);
    }
    tl_arena_rewind(f->arena, mark);
}

/* --- validators --- */

static void validators_see_and_report_by_chance_and_need_and_never_by_order(void **state)
{
    const fixture *f = (const fixture *)*state;
    const tl_demo_world *world = new_world(f->arena, &f->table, 44);
    tl_str records = {NULL, 0};
    assert_int_equal(tl_demo_records(&records, f->arena, world, NULL), TL_OK);
    size_t damaged = 0;
    for (uint32_t index = 0; index < EPOCHS; index++) {
        const tl_arena_mark mark = tl_arena_get_mark(f->arena);
        const tl_demo_epoch epoch = epoch_of(f->arena, world, index, f);
        tl_str *all = TL_NEW(f->arena, tl_str, epoch.signal_count);
        size_t count = 0;
        for (size_t i = 0; i < epoch.signal_count; i++) {
            if (epoch.signals[i].miner->conduct != TL_DEMO_SCRIBBLE) {
                all[count++] = epoch.signals[i].json;
            }
        }
        tl_demo_sight a;
        tl_demo_sight b;
        assert_int_equal(
            tl_demo_look(&a, f->arena, world, index, &epoch, all, count, records, &f->params, NULL),
            TL_OK);
        assert_int_equal(
            tl_demo_look(&b, f->arena, world, index, &epoch, all, count, records, &f->params, NULL),
            TL_OK);
        assert_true(tl_str_eq(a.evidence, b.evidence));
        assert_int_equal(a.views[2].feed, a.is_feed_damaged ? 1 : 0);
        assert_int_equal(a.views[0].row.len + a.views[1].row.len + a.views[2].row.len, 0);
        assert_int_equal((a.views[3].row.len > 0 ? 1 : 0) + (a.views[4].row.len > 0 ? 1 : 0),
                         a.liar_count);
        damaged += a.is_feed_damaged ? 1U : 0U;
        tl_arena_rewind(f->arena, mark);
    }
    assert_in_range(damaged, 1, EPOCHS - 1);
}

/* --- what is refused --- */

static void a_table_that_is_too_short_or_too_narrow_is_refused(void **state)
{
    const fixture *f = (const fixture *)*state;
    const tl_arena_mark mark = tl_arena_get_mark(f->arena);
    tl_demo_world *world = NULL;
    tl_price_table t = f->table;
    t.day_count = 430;
    assert_int_equal(tl_demo_world_new(&world, f->arena, &t, 1, EPOCHS, NULL), TL_ERR_MISSING);
    t = f->table;
    t.ticker_count = 5;
    assert_int_equal(tl_demo_world_new(&world, f->arena, &t, 1, EPOCHS, NULL), TL_ERR_MISSING);
    assert_int_equal(tl_demo_world_new(&world, f->arena, &f->table, 1, 0, NULL), TL_ERR_RANGE);
    assert_int_equal(
        tl_demo_world_new(&world, f->arena, &f->table, 1, TL_DEMO_EPOCHS_MAX + 1, NULL),
        TL_ERR_RANGE);
    assert_int_equal(tl_demo_world_new(&world, f->arena, &f->table, 1, TL_DEMO_EPOCHS_MAX, NULL),
                     TL_OK);
    tl_arena_rewind(f->arena, mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_prices_change_no_earlier_signal),
        cmocka_unit_test(records_end_before_the_first_epoch_and_look_at_nothing_later),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_and_another_does_not),
        cmocka_unit_test(followers_commit_after_their_victims_and_no_height_comes_twice),
        cmocka_unit_test(honest_miners_send_one_valid_signal_an_epoch),
        cmocka_unit_test(gamers_meet_the_rules_that_they_break),
        cmocka_unit_test(validators_see_and_report_by_chance_and_need_and_never_by_order),
        cmocka_unit_test(a_table_that_is_too_short_or_too_narrow_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
