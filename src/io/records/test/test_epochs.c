/* Attacks epochs: made twice, updated from an old reading, by a leader that lost its lease, extended when it is over; and
 * what they assign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/records/test/fixture.h"

static void an_epoch_comes_back_as_it_was_made(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_epoch e;
    tl_test_ok(tl_records_get_epoch(records, &e, TL_TEST_EPOCH, world->arena, ctx));
    assert_true(tl_str_eq(e.id, TL_TEST_EPOCH));
    assert_true(tl_str_eq_cstr(e.profile, "tally"));
    assert_int_equal(e.state, TL_EPOCH_OPEN);
    assert_int_equal(e.version, 1);
    assert_int_equal(e.end_ms, TL_TEST_END);
    assert_int_equal(e.moved_ms, TL_TEST_START);
    assert_true(tl_str_eq_cstr(e.nonce, "0123456789abcdef"));
    assert_int_equal(e.beacon.len, 0);
    assert_int_equal(e.target_listings, 10000);
    assert_int_equal(e.parameters.len, 2);
    const tl_record_assignment *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_assignments(records, &rows, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 3);
    assert_true(tl_str_eq_cstr(rows[0].zipcode, "10001"));
    assert_int_equal(rows[0].expected, 420);
    assert_int_equal(rows[0].tier, TL_TIER_PREMIUM);
    assert_false(rows[1].is_honeypot);
    assert_true(rows[2].is_honeypot);
    assert_int_equal(rows[2].region, TL_REGION_WEST);
    assert_int_equal(tl_records_get_epoch(records, &e, TL_STR("none"), world->arena, NULL),
                     TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void an_epoch_is_made_once(void **state)
{
    tl_records *records = tl_test_records(*state);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    const tl_record_epoch again = {.id = TL_TEST_EPOCH, .start_ms = 1, .end_ms = 2};
    assert_int_equal(tl_records_create_epoch(records, &again, NULL, 0, NULL, NULL),
                     TL_ERR_DUPLICATE);
    const tl_record_epoch backwards = {.id = TL_STR("e"), .start_ms = 2, .end_ms = 2};
    assert_int_equal(tl_records_create_epoch(records, &backwards, NULL, 0, NULL, NULL),
                     TL_ERR_STATE);
    const tl_record_assignment twice[2] = {{.zipcode = TL_STR("10001")},
                                           {.zipcode = TL_STR("10001")}};
    const tl_record_epoch other = {.id = TL_STR("other"), .start_ms = 1, .end_ms = 2};
    tl_record_epoch e;
    assert_int_equal(tl_records_create_epoch(records, &other, twice, 2, NULL, NULL),
                     TL_ERR_DUPLICATE);
    const tl_sql_world *world = *state;
    assert_int_equal(tl_records_get_epoch(records, &e, other.id, world->arena, NULL),
                     TL_ERR_NOT_FOUND); /* nothing of it by half */
    tl_records_close(records);
}

static void the_epoch_of_a_moment_is_found(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_epoch e;
    tl_test_ok(tl_records_epoch_at(records, &e, TL_TEST_START, world->arena, ctx));
    tl_test_ok(tl_records_epoch_at(records, &e, TL_TEST_END - 1, world->arena, ctx));
    assert_true(tl_str_eq(e.id, TL_TEST_EPOCH));
    assert_int_equal(tl_records_epoch_at(records, &e, TL_TEST_START - 1, world->arena, NULL),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_records_epoch_at(records, &e, TL_TEST_END, world->arena, NULL),
                     TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void an_old_reading_updates_nothing(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_epoch mine;
    tl_record_epoch yours;
    tl_test_ok(tl_records_get_epoch(records, &mine, TL_TEST_EPOCH, world->arena, ctx));
    yours = mine;
    mine.state = TL_EPOCH_REVEAL;
    tl_test_ok(tl_records_update_epoch(records, &mine, TL_STR("time"), TL_TEST_END, NULL, ctx));
    assert_int_equal(mine.version, 2);
    assert_int_equal(mine.moved_ms, TL_TEST_END);
    yours.state = TL_EPOCH_FAILED;
    assert_int_equal(tl_records_update_epoch(records, &yours, TL_STR("x"), 1, NULL, NULL),
                     TL_ERR_STATE);
    mine.beacon = TL_STR("b");
    mine.beacon_ms = TL_TEST_END + 5;
    tl_test_ok(tl_records_update_epoch(records, &mine, TL_STR("-"), TL_TEST_END + 5, NULL, ctx));
    assert_int_equal(mine.moved_ms, TL_TEST_END); /* it did not move */
    tl_record_epoch now;
    tl_test_ok(tl_records_get_epoch(records, &now, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(now.version, 3);
    assert_int_equal(now.state, TL_EPOCH_REVEAL);
    assert_true(tl_str_eq_cstr(now.beacon, "b"));
    const tl_record_transition *moves = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_transitions(records, &moves, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 1);
    assert_int_equal(moves[0].from, TL_EPOCH_OPEN);
    assert_int_equal(moves[0].to, TL_EPOCH_REVEAL);
    assert_true(tl_str_eq_cstr(moves[0].cause, "time"));
    yours.id = TL_STR("none");
    assert_int_equal(tl_records_update_epoch(records, &yours, TL_STR("x"), 1, NULL, NULL),
                     TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void who_lost_the_lease_writes_nothing(void **state)
{
    const tl_sql_world *world = *state; /* REC-5 */
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_lease old;
    tl_record_lease fresh;
    bool is_ours = false;
    tl_test_ok(tl_records_take_lease(records, &old, &is_ours, TL_STR("leader"), TL_STR("a"), 1000,
                                     500, world->arena, ctx));
    tl_test_ok(tl_records_take_lease(records, &fresh, &is_ours, TL_STR("leader"), TL_STR("b"), 1500,
                                     500, world->arena, ctx));
    assert_true(is_ours);
    tl_record_epoch e;
    tl_test_ok(tl_records_get_epoch(records, &e, TL_TEST_EPOCH, world->arena, ctx));
    e.state = TL_EPOCH_REVEAL;
    assert_int_equal(tl_records_update_epoch(records, &e, TL_STR("x"), 1, &old, NULL),
                     TL_ERR_REFUSED);
    const tl_record_epoch next = {.id = TL_STR("n"), .start_ms = 1, .end_ms = 2};
    assert_int_equal(tl_records_create_epoch(records, &next, NULL, 0, &old, NULL), TL_ERR_REFUSED);
    assert_int_equal(tl_records_put_value(records, TL_STR("v"), e.parameters, &old, NULL),
                     TL_ERR_REFUSED);
    tl_test_ok(tl_records_update_epoch(records, &e, TL_STR("x"), 1, &fresh, ctx));
    tl_test_ok(tl_records_create_epoch(records, &next, NULL, 0, &fresh, ctx));
    tl_records_close(records);
}

static void extensions_add_up_and_end_with_the_epoch(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_extension x = {.epoch_id = TL_TEST_EPOCH,
                             .added_ms = 60000,
                             .reason = TL_STR("rain"),
                             .actor = TL_STR("admin"),
                             .body = {(const uint8_t *)"{}", 2},
                             .signature = {(const uint8_t *)"sig", 3},
                             .at_ms = 7};
    tl_test_ok(tl_records_extend(records, &x, ctx));
    tl_test_ok(tl_records_extend(records, &x, ctx));
    tl_record_epoch e;
    tl_test_ok(tl_records_epoch_at(records, &e, TL_TEST_END + 119999, world->arena, ctx));
    assert_int_equal(e.extended_ms, 120000);
    assert_int_equal(e.version, 3); /* whoever read it before reads it again */
    const tl_record_extension *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_extensions(records, &rows, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 2);
    assert_true(tl_str_eq_cstr(rows[1].reason, "rain"));
    assert_int_equal(rows[1].signature.len, 3);
    x.added_ms = 0;
    assert_int_equal(tl_records_extend(records, &x, NULL), TL_ERR_RANGE);
    x.added_ms = INT64_MAX;
    assert_int_equal(tl_records_extend(records, &x, NULL), TL_ERR_RANGE);
    x.added_ms = 1;
    tl_test_move(records, world->arena, TL_EPOCH_REVEAL, 0, 0);
    assert_int_equal(tl_records_extend(records, &x, NULL), TL_ERR_STATE);
    x.epoch_id = TL_STR("none");
    assert_int_equal(tl_records_extend(records, &x, NULL), TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void lists_of_epochs_go_page_by_page(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    char id[24];
    for (int i = 0; i < 9; i++) {
        tl_str_print(id, sizeof id, "2030-01-0%dT00-00-00", i + 1);
        const tl_record_epoch e = {.id = tl_str_from_cstr(id),
                                   .start_ms = 100 * i,
                                   .end_ms = 100 * i + 100,
                                   .state = i < 7 ? TL_EPOCH_SETTLED : TL_EPOCH_OPEN};
        tl_test_ok(tl_records_create_epoch(records, &e, NULL, 0, NULL, ctx));
    }
    tl_str before = {NULL, 0};
    size_t seen = 0;
    size_t count = 4;
    while (count == 4) {
        const tl_record_epoch *rows = NULL;
        tl_test_ok(tl_records_epochs(records, &rows, &count, before, 4, world->arena, ctx));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(rows[i].id.ptr[9], '9' - (int)seen++);
            before = rows[i].id;
        }
    }
    assert_int_equal(seen, 9);
    const tl_record_epoch *open = NULL;
    tl_test_ok(tl_records_open_epochs(records, &open, &count, world->arena, ctx));
    assert_int_equal(count, 2);
    assert_int_equal(open[0].id.ptr[9], '8');
    assert_int_equal(tl_records_epochs(records, &open, &count, before, 0, world->arena, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_records_epochs(records, &open, &count, before, TL_RECORDS_PAGE_MAX + 1,
                                       world->arena, NULL),
                     TL_ERR_RANGE);
    tl_records_close(records);
}

static void zipcodes_remember_when_they_were_assigned(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    const tl_place more[] = {{.zipcode = "00501", .tier = TL_TIER_EMERGING},
                             {.zipcode = "10001", .expected = 5, .tier = TL_TIER_EMERGING}};
    tl_test_ok(tl_records_put_zipcodes(records, more, 2, 6000, ctx));
    const tl_record_zipcode *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_zipcodes(records, &rows, &count, TL_STR(""), 3, world->arena, ctx));
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].place.zipcode, "00501");
    assert_int_equal(rows[0].last_assigned_ms, 0);
    assert_int_equal(rows[1].place.expected, 5); /* replaced … */
    assert_int_equal(rows[1].data_updated_ms, 6000);
    assert_int_equal(rows[1].last_assigned_ms, TL_TEST_START); /* … but not forgotten */
    assert_int_equal(rows[2].place.latitude_e4, 418858);
    tl_test_ok(tl_records_zipcodes(records, &rows, &count, TL_STR("60601"), 3, world->arena, ctx));
    assert_int_equal(count, 1);
    const tl_record_cooling *cooling = NULL;
    tl_test_ok(tl_records_assigned_since(records, &cooling, &count, 0, world->arena, ctx));
    assert_int_equal(count, 3);
    tl_test_ok(
        tl_records_assigned_since(records, &cooling, &count, TL_TEST_START + 1, world->arena, ctx));
    assert_int_equal(count, 0);
    const tl_place bad = {.zipcode = "1"};
    assert_int_equal(tl_records_put_zipcodes(records, &bad, 1, 6000, NULL), TL_ERR_STATE);
    tl_records_close(records);
}

static void a_locked_epoch_takes_nothing_until_it_is_let_go(void **state)
{
    tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    world->options.busy_ms = 50;
    tl_records *other = tl_test_records(world);
    tl_record_epoch e;
    tl_test_ok(tl_sql_begin(tl_records_sql(records), ctx));
    tl_test_ok(tl_records_lock_epoch(records, &e, TL_TEST_EPOCH, world->arena, ctx));
    const tl_hotkey key = tl_test_key(1);
    const tl_hash32 commit = tl_test_hash(1);
    assert_int_equal(tl_records_join(other, TL_TEST_EPOCH, &key, &commit, TL_TEST_START, NULL),
                     TL_ERR_LOCKED);
    e.state = TL_EPOCH_REVEAL;
    tl_test_ok(tl_records_update_epoch(records, &e, TL_STR("end"), TL_TEST_END, NULL, ctx));
    tl_test_ok(tl_sql_commit(tl_records_sql(records), ctx));
    assert_int_equal(tl_records_join(other, TL_TEST_EPOCH, &key, &commit, TL_TEST_START, NULL),
                     TL_ERR_STATE);
    tl_records_close(other);
    tl_records_close(records);
}

static void texts_have_a_bound(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    char *text = tl_arena_alloc(world->arena, 1, TL_RECORDS_TEXT_MAX + 1, 1);
    assert_non_null(text);
    memset(text, 'x', TL_RECORDS_TEXT_MAX + 1);
    const tl_record_epoch e = {.id = {text, TL_RECORDS_TEXT_MAX + 1}, .start_ms = 1, .end_ms = 2};
    assert_int_equal(tl_records_create_epoch(records, &e, NULL, 0, NULL, NULL), TL_ERR_LIMIT);
    tl_records_close(records);
}

static void a_newer_schema_is_refused(void **state)
{
    tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_sql_world_exec(tl_records_sql(records), "INSERT INTO migrations (number, name, checksum)"
                                               " VALUES (999, 'tomorrow', 'x')");
    tl_records_close(records);
    records = NULL;
    assert_int_equal(tl_records_open(&records, &world->options, TL_RECORDS_USE, NULL),
                     TL_ERR_VERSION);
    assert_int_equal(tl_records_open(&records, &world->options, TL_RECORDS_STRICT, NULL),
                     TL_ERR_VERSION);
    tl_test_ok(tl_records_open(&records, &world->options, TL_RECORDS_INSPECT, ctx));
    const tl_str *findings = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_verify(records, &findings, &count, world->arena, ctx));
    assert_int_equal(count, 1);
    assert_true(tl_str_eq_cstr(findings[0], "unknown: migration 999"));
    tl_records_close(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_ON_BOTH(an_epoch_comes_back_as_it_was_made),
        TL_ON_BOTH(an_epoch_is_made_once),
        TL_ON_BOTH(the_epoch_of_a_moment_is_found),
        TL_ON_BOTH(an_old_reading_updates_nothing),
        TL_ON_BOTH(who_lost_the_lease_writes_nothing),
        TL_ON_BOTH(extensions_add_up_and_end_with_the_epoch),
        TL_ON_BOTH(lists_of_epochs_go_page_by_page),
        TL_ON_BOTH(zipcodes_remember_when_they_were_assigned),
        TL_ON_BOTH(a_locked_epoch_takes_nothing_until_it_is_let_go),
        TL_ON_BOTH(texts_have_a_bound),
        TL_ON_BOTH(a_newer_schema_is_refused),
    };
    return cmocka_run_group_tests_name("records_epochs", tests, tl_sql_worlds_start,
                                       tl_sql_worlds_stop);
}
