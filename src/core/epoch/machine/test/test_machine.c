/* Attacks the state machine with every event in every state, heights that go back, and a second extension; walks all
 * event sequences of length six and holds each against the drawing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/epoch/machine/machine.h"

static tl_epoch_state after(const tl_epoch_event *events, size_t count, bool *all_taken)
{
    tl_epoch_machine m = {TL_EPOCH_PENDING, 0, false};
    *all_taken = true;
    for (size_t i = 0; i < count; i++) {
        tl_epoch_transition t;
        *all_taken = *all_taken && tl_epoch_step(&m, &t, events[i], i + 1, "test", NULL) == TL_OK;
    }
    return m.state;
}

static void the_straight_road_ends_archived(void **state)
{
    (void)state;
    const tl_epoch_event events[] = {TL_EPOCH_EV_OPEN,  TL_EPOCH_EV_CLOSE,  TL_EPOCH_EV_CLOSE,
                                     TL_EPOCH_EV_AGREE, TL_EPOCH_EV_SETTLE, TL_EPOCH_EV_ARCHIVE};
    bool taken;
    assert_int_equal(after(events, 6, &taken), TL_EPOCH_ARCHIVED);
    assert_true(taken);
}

static void a_second_disagreement_fails_and_refunds(void **state)
{
    (void)state; /* EPO-3 */
    tl_epoch_machine m = {TL_EPOCH_SCORING, 5, false};
    tl_epoch_transition t;
    assert_int_equal(tl_epoch_step(&m, &t, TL_EPOCH_EV_DISAGREE, 6, "no half", NULL), TL_OK);
    assert_int_equal(t.to, TL_EPOCH_EXTENDED);
    assert_int_equal(tl_epoch_step(&m, &t, TL_EPOCH_EV_RETRY, 7, "again", NULL), TL_OK);
    assert_int_equal(tl_epoch_step(&m, &t, TL_EPOCH_EV_DISAGREE, 8, "no half", NULL), TL_OK);
    assert_int_equal(t.to, TL_EPOCH_FAILED);
    assert_int_equal(t.actions, TL_EPOCH_DO_REFUND);
    assert_string_equal(t.cause, "no half");
}

static void money_moves_only_after_agreement(void **state)
{
    (void)state; /* EPO-1: of all sequences of six events, settled is reached only through agreed */
    tl_epoch_event events[6];
    for (uint32_t code = 0; code < 8U * 8U * 8U * 8U * 8U * 8U; code++) {
        for (uint32_t i = 0, rest = code; i < 6; i++, rest /= 8) {
            events[i] = (tl_epoch_event)(rest % 8);
        }
        bool taken;
        const tl_epoch_state end = after(events, 6, &taken);
        bool agreed = false;
        for (size_t i = 0; i < 6; i++) {
            agreed = agreed || events[i] == TL_EPOCH_EV_AGREE;
        }
        assert_true(end != TL_EPOCH_SETTLED || agreed);
    }
}

static void an_unknown_event_changes_nothing(void **state)
{
    (void)state; /* EPO-1 */
    for (unsigned s = 0; s < TL_EPOCH_STATE_COUNT; s++) {
        unsigned known = 0;
        for (unsigned e = 0; e < TL_EPOCH_EVENT_COUNT; e++) {
            tl_epoch_machine m = {(tl_epoch_state)s, 3, false};
            tl_epoch_transition t;
            tl_errctx ctx = TL_ERRCTX_INIT;
            if (tl_epoch_step(&m, &t, (tl_epoch_event)e, 3, "", &ctx) == TL_OK) {
                known++;
                assert_int_equal(t.from, s);
            } else {
                assert_int_equal(ctx.code, TL_ERR_STATE);
                assert_int_equal(m.state, s);
            }
        }
        assert_int_equal(known == 0, s == TL_EPOCH_ARCHIVED);
    }
}

static void a_height_that_goes_back_is_refused(void **state)
{
    (void)state; /* EPO-2 */
    tl_epoch_machine m = {TL_EPOCH_OPEN, 100, false};
    tl_epoch_transition t;
    assert_int_equal(tl_epoch_step(&m, &t, TL_EPOCH_EV_CLOSE, 99, "", NULL), TL_ERR_RANGE);
    assert_int_equal(m.state, TL_EPOCH_OPEN);
    assert_int_equal(tl_epoch_step(&m, &t, TL_EPOCH_EV_CLOSE, 100, "", NULL), TL_OK);
}

static void state_texts_read_back(void **state)
{
    (void)state;
    for (unsigned s = 0; s < TL_EPOCH_STATE_COUNT; s++) {
        tl_epoch_state back;
        assert_true(
            tl_epoch_state_parse(&back, tl_str_from_cstr(tl_epoch_state_text((tl_epoch_state)s))));
        assert_int_equal(back, s);
    }
    tl_epoch_state none;
    assert_false(tl_epoch_state_parse(&none, TL_STR("Open")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_straight_road_ends_archived),
        cmocka_unit_test(a_second_disagreement_fails_and_refunds),
        cmocka_unit_test(money_moves_only_after_agreement),
        cmocka_unit_test(an_unknown_event_changes_nothing),
        cmocka_unit_test(a_height_that_goes_back_is_refused),
        cmocka_unit_test(state_texts_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
