/* The schedule against a small world of its own: a table of epochs that acts change through the epoch machine, validators
 * that are prompt, slow or absent, a clock that runs, stops and jumps. Days pass in milliseconds. Attacked: acts that the
 * machine does not know, early or late openings, windows cut short, outages, steps of the clock, extensions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/coordinator/schedule/schedule.h"

enum { EPOCHS_MAX = 1024, HOUR_MS = 3600000 };

typedef struct world {
    tl_schedule_rules rules;
    tl_schedule_epoch epochs[EPOCHS_MAX];
    tl_epoch_machine machines[EPOCHS_MAX];
    size_t count;
    int64_t newest_ms;
    int64_t now_ms;
    int64_t led_ms;   /* when somebody led last */
    uint32_t joining; /* validators that commit to a secret in each epoch */
    uint32_t prompt;  /* … of them answer at once; the others never */
    bool disagrees;
    bool disagrees_twice;
    unsigned counts[TL_ACT_COUNT];
} world;

static world *new_world(int64_t epoch_ms, int64_t now_ms)
{
    world *w = test_calloc(1, sizeof *w);
    w->rules = (tl_schedule_rules){.epoch_ms = epoch_ms, .keep_ms = 7 * TL_SCHEDULE_DAY_MS};
    w->newest_ms = -1;
    w->now_ms = now_ms;
    w->led_ms = now_ms;
    w->joining = 3;
    w->prompt = 3;
    return w;
}

static size_t find(const world *w, int64_t start_ms)
{
    size_t i = 0;
    while (i < w->count && w->epochs[i].start_ms != start_ms) {
        i++;
    }
    return i;
}

static void add(world *w, int64_t start_ms, bool is_missed)
{
    assert_true(w->count < EPOCHS_MAX);
    tl_schedule_epoch *e = &w->epochs[w->count];
    *e = (tl_schedule_epoch){.start_ms = start_ms,
                             .end_ms = start_ms + w->rules.epoch_ms,
                             .anchor_ms = start_ms + w->rules.epoch_ms,
                             .length_ms = w->rules.epoch_ms,
                             .moved_ms = w->now_ms,
                             .state = is_missed ? TL_EPOCH_FAILED : TL_EPOCH_PENDING};
    w->machines[w->count] = (tl_epoch_machine){.state = e->state};
    w->count++;
    w->newest_ms = start_ms > w->newest_ms ? start_ms : w->newest_ms;
}

/* SCHED-1: whatever an act asks of the machine, the machine knows. */
static void move(world *w, size_t i, tl_epoch_event event)
{
    tl_epoch_transition made;
    const uint64_t height =
        (uint64_t)w->now_ms > w->machines[i].height ? (uint64_t)w->now_ms : w->machines[i].height;
    assert_int_equal(tl_epoch_step(&w->machines[i], &made, event, height, "test", NULL), TL_OK);
    w->epochs[i].state = w->machines[i].state;
    w->epochs[i].was_extended = w->machines[i].was_extended;
    w->epochs[i].moved_ms = w->now_ms;
}

static void judge(world *w, size_t i)
{
    tl_schedule_epoch *e = &w->epochs[i];
    const bool fails = w->disagrees && (!e->was_extended || w->disagrees_twice);
    e->stage = TL_STAGE_NONE;
    move(w, i, fails || e->shown == 0 ? TL_EPOCH_EV_DISAGREE : TL_EPOCH_EV_AGREE);
}

static void carry_out(world *w, const tl_schedule_act *a)
{
    w->counts[a->kind]++;
    if (a->kind == TL_ACT_MISS || a->kind == TL_ACT_PREPARE) {
        assert_int_equal(find(w, a->start_ms), w->count);
        add(w, a->start_ms, a->kind == TL_ACT_MISS);
        return;
    }
    const size_t i = find(w, a->start_ms);
    assert_true(i < w->count);
    tl_schedule_epoch *e = &w->epochs[i];
    tl_schedule_windows until;
    tl_schedule_windows_of(&until, e);
    switch (a->kind) {
    case TL_ACT_OPEN: /* SCHED-2 */
        assert_true(w->now_ms >= e->start_ms && w->now_ms < e->start_ms + e->length_ms);
        move(w, i, TL_EPOCH_EV_OPEN);
        e->joined = w->joining;
        break;
    case TL_ACT_CLOSE:
        assert_true(w->now_ms >= e->end_ms);
        move(w, i, TL_EPOCH_EV_CLOSE);
        break;
    case TL_ACT_BEACON: /* SCHED-3, here and below */
        assert_true(e->revealed >= e->joined || w->now_ms >= until.reveal_until_ms);
        move(w, i, TL_EPOCH_EV_CLOSE);
        e->stage = TL_STAGE_EVIDENCE;
        break;
    case TL_ACT_EVIDENCE:
        assert_true((e->joined > 0 && e->posted >= e->joined) ||
                    w->now_ms >= until.evidence_until_ms);
        e->stage = TL_STAGE_COMMITS;
        break;
    case TL_ACT_COMMITS:
        assert_true((e->posted > 0 && e->committed_posted >= e->posted &&
                     (!e->was_extended || e->committed >= e->joined)) ||
                    w->now_ms >= until.commit_until_ms);
        e->stage = TL_STAGE_RESULTS;
        break;
    case TL_ACT_JUDGE:
        assert_true(e->shown >= e->committed || w->now_ms >= until.results_until_ms);
        judge(w, i);
        break;
    case TL_ACT_RETRY:
        move(w, i, TL_EPOCH_EV_RETRY);
        e->stage = TL_STAGE_COMMITS;
        e->committed = e->committed_posted = 0;
        e->shown = 0;
        break;
    case TL_ACT_SETTLE:
        move(w, i, TL_EPOCH_EV_SETTLE);
        break;
    case TL_ACT_VOID:
        move(w, i, TL_EPOCH_EV_VOID);
        break;
    case TL_ACT_ARCHIVE:
        move(w, i, TL_EPOCH_EV_ARCHIVE);
        break;
    case TL_ACT_MISS:
    case TL_ACT_PREPARE:
    case TL_ACT_COUNT:
        fail();
    }
}

/* The prompt validators do at once what the stage asks of them. */
static void answer(world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        tl_schedule_epoch *e = &w->epochs[i];
        const uint32_t n = w->prompt < e->joined ? w->prompt : e->joined;
        if (e->state == TL_EPOCH_REVEAL) {
            e->revealed = n;
        } else if (e->state == TL_EPOCH_SCORING && e->stage == TL_STAGE_EVIDENCE) {
            e->posted = e->posted_joined = n;
        } else if (e->state == TL_EPOCH_SCORING && e->stage == TL_STAGE_COMMITS) {
            e->committed = e->committed_posted = n;
        } else if (e->state == TL_EPOCH_SCORING && e->stage == TL_STAGE_RESULTS) {
            e->shown = n;
        }
    }
}

/* As the leader does: acts until there are none, then sleep until the next time that matters. */
static void run_until(world *w, int64_t end_ms)
{
    tl_schedule_act acts[TL_SCHEDULE_ACTS_MAX];
    int64_t wake_ms;
    for (unsigned turns = 0; w->now_ms < end_ms; turns++) {
        assert_true(turns < 1000000);
        answer(w);
        const size_t count = tl_schedule_step(acts, &wake_ms, &w->rules, w->epochs, w->count,
                                              w->newest_ms, w->now_ms);
        assert_true(count <= TL_SCHEDULE_ACTS_MAX && wake_ms > w->now_ms);
        for (size_t i = 0; i < count; i++) {
            carry_out(w, &acts[i]);
        }
        if (count == 0) {
            w->now_ms = wake_ms < end_ms ? wake_ms : end_ms;
        }
        w->led_ms = w->now_ms;
    }
}

static size_t count_state(const world *w, tl_epoch_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < w->count; i++) {
        count += w->epochs[i].state == state;
    }
    return count;
}

static void an_outage(world *w, int64_t length_ms)
{
    w->now_ms += length_ms;
    for (size_t i = 0; i < w->count; i++) {
        w->epochs[i].anchor_ms = tl_schedule_after_outage(&w->epochs[i], w->led_ms, w->now_ms);
    }
}

static const int64_t NOON_MS = INT64_C(1758283200000); /* 2025-09-19T12:00:00Z */

static void three_days_of_epochs_settle_one_after_the_other(void **state)
{
    (void)state;
    world *w = new_world(4 * HOUR_MS, NOON_MS + 17 * 60000);
    run_until(w, NOON_MS + 3 * TL_SCHEDULE_DAY_MS + 3 * HOUR_MS);
    assert_int_equal(w->counts[TL_ACT_OPEN], 19); /* the one in which it began, at once */
    assert_int_equal(count_state(w, TL_EPOCH_SETTLED), 18);
    assert_int_equal(count_state(w, TL_EPOCH_OPEN), 1);
    assert_int_equal(count_state(w, TL_EPOCH_PENDING), 1);
    assert_int_equal(w->counts[TL_ACT_MISS] + w->counts[TL_ACT_VOID], 0);
    assert_int_equal(w->epochs[0].start_ms, NOON_MS);
    test_free(w);
}

static void epochs_are_archived_when_their_time_of_keeping_is_over(void **state)
{
    (void)state;
    world *w = new_world(4 * HOUR_MS, NOON_MS);
    run_until(w, NOON_MS + 9 * TL_SCHEDULE_DAY_MS);
    assert_in_range(count_state(w, TL_EPOCH_ARCHIVED), 10, 13);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_ARCHIVED);
    test_free(w);
}

static void silent_validators_cost_their_windows_and_no_more(void **state)
{
    (void)state;
    world *w = new_world(30000, NOON_MS);
    w->prompt = 2; /* of three */
    run_until(w, NOON_MS + 30000 + 1499);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_REVEAL);
    run_until(w, NOON_MS + 30000 + 1501);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_SCORING);
    run_until(w, NOON_MS + 30000 + 7499);
    assert_int_equal(w->epochs[0].stage, TL_STAGE_EVIDENCE);
    run_until(w, NOON_MS + 30000 + 7501); /* those who posted need no third one from here on */
    assert_int_equal(w->epochs[0].state, TL_EPOCH_SETTLED);
    test_free(w);
}

static void without_validators_an_epoch_fails_at_three_quarters(void **state)
{
    (void)state;
    world *w = new_world(30000, NOON_MS);
    w->joining = 0;
    run_until(w, NOON_MS + 30000 + 11249);
    assert_int_equal(w->epochs[0].stage, TL_STAGE_COMMITS);
    run_until(w, NOON_MS + 30000 + 18749);
    assert_true(w->epochs[0].was_extended);
    assert_int_equal(w->epochs[0].stage, TL_STAGE_COMMITS);
    run_until(w, NOON_MS + 30000 + 22501);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_FAILED);
    test_free(w);
}

static void disagreement_is_scored_once_more_and_then_fails(void **state)
{
    (void)state;
    world *w = new_world(30000, NOON_MS);
    w->disagrees = true;
    run_until(w, NOON_MS + 31000);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_SETTLED);
    assert_true(w->epochs[0].was_extended);
    w->disagrees_twice = true;
    run_until(w, NOON_MS + 61000);
    assert_int_equal(w->epochs[1].state, TL_EPOCH_FAILED);
    assert_int_equal(w->counts[TL_ACT_RETRY], 2);
    test_free(w);
}

static void requests_in_flight_hold_the_beacon_until_its_limit(void **state)
{
    (void)state;
    world *w = new_world(30000, NOON_MS);
    run_until(w, NOON_MS + 15000);
    w->epochs[0].in_flight = 1;
    run_until(w, NOON_MS + 31000);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_REVEAL);
    run_until(w, NOON_MS + 31501);
    assert_int_not_equal(w->epochs[0].state, TL_EPOCH_REVEAL);
    test_free(w);
}

/* SCHED-4: down from the middle of one epoch to the middle of a later one. */
static void an_outage_takes_no_time_and_its_slots_are_recorded(void **state)
{
    (void)state;
    world *w = new_world(4 * HOUR_MS, NOON_MS);
    run_until(w, NOON_MS + 2 * HOUR_MS + 1);
    an_outage(
        w,
        17 * HOUR_MS); /* 14:00 to 07:00: the slots of 16:00 (prepared), 20:00 and 00:00 are gone */
    w->prompt = 0;
    const int64_t back_ms = w->now_ms;
    run_until(w, back_ms + 1);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_REVEAL); /* finished, with its whole windows */
    assert_int_equal(w->epochs[1].state, TL_EPOCH_FAILED);
    assert_int_equal(w->counts[TL_ACT_VOID], 1);
    assert_int_equal(w->counts[TL_ACT_MISS], 2); /* the one of 16:00 was prepared */
    assert_int_equal(count_state(w, TL_EPOCH_OPEN), 1);
    run_until(w, back_ms + 4 * HOUR_MS / 20 - 1);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_REVEAL);
    w->prompt = 3;
    run_until(w, back_ms + 4 * HOUR_MS / 20 + 1);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_SETTLED);
    test_free(w);
}

static void a_long_outage_is_recorded_up_to_a_limit(void **state)
{
    (void)state;
    world *w = new_world(30000, NOON_MS);
    run_until(w, NOON_MS + 1000);
    an_outage(w, 30 * TL_SCHEDULE_DAY_MS);
    run_until(w, w->now_ms + 1000);
    assert_int_equal(w->counts[TL_ACT_MISS], TL_SCHEDULE_MISSED_MAX);
    assert_int_equal(count_state(w, TL_EPOCH_OPEN), 1);
    test_free(w);
}

static void an_extended_epoch_is_open_beside_the_next(void **state)
{
    (void)state;
    world *w = new_world(4 * HOUR_MS, NOON_MS);
    run_until(w, NOON_MS + HOUR_MS);
    w->epochs[0].end_ms += HOUR_MS;
    w->epochs[0].anchor_ms += HOUR_MS;
    run_until(w, NOON_MS + 4 * HOUR_MS + 60000);
    assert_int_equal(count_state(w, TL_EPOCH_OPEN), 2);
    assert_int_equal(tl_schedule_current(w->epochs, w->count, w->now_ms), 1);
    run_until(w, NOON_MS + 5 * HOUR_MS + 60000);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_SETTLED);
    test_free(w);
}

static void a_beacon_waits_for_the_results_before_it(void **state)
{
    (void)state;
    world *w = new_world(4 * HOUR_MS, NOON_MS);
    run_until(w, NOON_MS + HOUR_MS);
    w->epochs[0].end_ms += 5 * HOUR_MS;
    w->epochs[0].anchor_ms += 5 * HOUR_MS;
    run_until(w, NOON_MS + 9 * HOUR_MS - 1);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_OPEN);
    assert_int_equal(w->epochs[1].state, TL_EPOCH_REVEAL);
    run_until(w, NOON_MS + 9 * HOUR_MS + 60000);
    assert_int_equal(w->epochs[0].state, TL_EPOCH_SETTLED);
    assert_int_equal(w->epochs[1].state, TL_EPOCH_SETTLED);
    test_free(w);
}

static void a_clock_that_goes_back_opens_nothing_twice(void **state)
{
    (void)state;
    world *w = new_world(30000, NOON_MS);
    run_until(w, NOON_MS + 95000);
    w->now_ms -= 50000;
    run_until(w, NOON_MS + 95000);
    assert_int_equal(w->counts[TL_ACT_OPEN], 4);
    run_until(w, NOON_MS + 151000);
    assert_int_equal(w->counts[TL_ACT_OPEN], 6);
    assert_int_equal(w->counts[TL_ACT_MISS] + w->counts[TL_ACT_VOID], 0);
    test_free(w);
}

static void the_next_epoch_is_served_before_its_leader_wakes(void **state)
{
    (void)state;
    world *w = new_world(30000, NOON_MS);
    run_until(w, NOON_MS + 29999);
    assert_int_equal(tl_schedule_current(w->epochs, w->count, NOON_MS + 29999), 0);
    assert_int_equal(tl_schedule_current(w->epochs, w->count, NOON_MS + 30000), 1);
    assert_int_equal(w->epochs[1].state, TL_EPOCH_PENDING);
    assert_int_equal(tl_schedule_current(w->epochs, w->count, NOON_MS + 60000), w->count);
    test_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_days_of_epochs_settle_one_after_the_other),
        cmocka_unit_test(epochs_are_archived_when_their_time_of_keeping_is_over),
        cmocka_unit_test(silent_validators_cost_their_windows_and_no_more),
        cmocka_unit_test(without_validators_an_epoch_fails_at_three_quarters),
        cmocka_unit_test(disagreement_is_scored_once_more_and_then_fails),
        cmocka_unit_test(requests_in_flight_hold_the_beacon_until_its_limit),
        cmocka_unit_test(an_outage_takes_no_time_and_its_slots_are_recorded),
        cmocka_unit_test(a_long_outage_is_recorded_up_to_a_limit),
        cmocka_unit_test(an_extended_epoch_is_open_beside_the_next),
        cmocka_unit_test(a_beacon_waits_for_the_results_before_it),
        cmocka_unit_test(a_clock_that_goes_back_opens_nothing_twice),
        cmocka_unit_test(the_next_epoch_is_served_before_its_leader_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
