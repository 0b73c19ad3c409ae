/* Attacks aggregation: answers that differ in nothing that counts, ties, quorums that are missed by one, targets that hang
 * while the answer is already known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

enum { CROWD = 6 };

/* Six servers, each with an answer of its own: 'a', 'b' … good answers that differ by a field, 'x' a failure, 'h' none. */
typedef struct crowd {
    party_kit kit;
    scripted *servers[CROWD];
    char bytes[CROWD][512];
    scripted_act acts[CROWD];
    tl_dendrite_target targets[CROWD];
    tl_dendrite_reply replies[CROWD];
    size_t count;
} crowd;

/* In the order of their keys' bytes: DAVE, BOB, CHARLIE, ALICE. */
static const char *const hotkeys[CROWD] = {ALICE, BOB, CHARLIE, DAVE, BOB, ALICE};

static void answer(void *self, const scripted_request *request, scripted_act *act)
{
    (void)request;
    *act = *(const scripted_act *)self;
}

static void crowd_start(crowd *c, const char *answers)
{
    kit_start(&c->kit, false);
    c->count = strlen(answers);
    for (size_t i = 0; i < c->count; i++) {
        char model[256];
        /* Time, place and order of keys differ; only the field counts. */
        if (i % 2 == 0) {
            (void)tl_str_print(model, sizeof model,
                               "{\"axon\":{\"status_code\":200,\"process_time\":0.%zu},"
                               "\"done\":false,\"seconds\":%d}",
                               i + 1, answers[i]);
        } else {
            (void)tl_str_print(model, sizeof model,
                               "{\"seconds\":%d.0,\"axon\":{\"status_code\":200,"
                               "\"process_time\":0.%zu},\"done\":false}",
                               answers[i], i + 1);
        }
        (void)tl_str_print(c->bytes[i], sizeof c->bytes[i], JSON_OK "content-length: %zu\r\n\r\n%s",
                           strlen(model), model);
        c->acts[i] = (scripted_act){.bytes = c->bytes[i]};
        if (answers[i] == 'x') {
            c->acts[i] = (scripted_act){.closes = true};
        } else if (answers[i] == 'h') {
            c->acts[i] = (scripted_act){.hangs = true};
        }
        c->servers[i] = scripted_start(answer, &c->acts[i]);
        c->targets[i] = kit_target(c->servers[i], hotkeys[i]);
    }
}

static void crowd_stop(crowd *c)
{
    for (size_t i = 0; i < c->count; i++) {
        scripted_stop(c->servers[i]);
    }
    kit_stop(&c->kit);
}

static tl_dendrite_gathered gather(crowd *c, tl_dendrite_rule rule, size_t good_min)
{
    tl_dendrite_gathered g;
    tl_dendrite_query query = kit_v10(kit_message(&c->kit, "Slow", "{}"));
    query.timeout_s = 20.0;
    assert_int_equal(tl_dendrite_gather(c->kit.dendrite, c->kit.arena, &g, c->replies, c->targets,
                                        c->count, &query, rule, good_min, NULL),
                     TL_OK);
    return g;
}

/* What rule makes of answers: "holds", the chosen target, how many agree. chosen -1: none. */
static void check(const char *answers, tl_dendrite_rule rule, size_t good_min, bool holds,
                  int chosen, size_t agreeing)
{
    crowd c = {.count = 0};
    crowd_start(&c, answers);
    const tl_dendrite_gathered g = gather(&c, rule, good_min);
    const int index = g.chosen != NULL ? (int)g.chosen->index : -1;
    if (g.holds != holds || index != chosen || g.agreeing != agreeing) {
        fail_msg("%s, rule %d: holds %d, chosen %d, %zu agree", answers, (int)rule, g.holds, index,
                 g.agreeing);
    }
    for (size_t i = 0; i < c.count; i++) { /* DEND-3 */
        assert_int_equal(c.replies[i].index, i);
        assert_ptr_equal(c.replies[i].target, &c.targets[i]);
        assert_true(c.replies[i].is_ok == (c.replies[i].error.len == 0));
    }
    crowd_stop(&c);
}

static void the_majority_is_what_most_gave(void **state)
{
    (void)state;
    check("abbbx", TL_DENDRITE_MAJORITY, 0, true, 3, 3); /* of 1, 2, 3: DAVE has the lowest key */
    check("aaxxx", TL_DENDRITE_MAJORITY, 0, true, 1, 2);
    check("xxxa", TL_DENDRITE_MAJORITY, 0, true, 3, 1);
    check("xxxa", TL_DENDRITE_MAJORITY, 2, false, -1, 0);
    check("xxx", TL_DENDRITE_MAJORITY, 0, false, -1, 0);
}

static void a_tie_goes_to_the_lowest_hotkey(void **state)
{
    (void)state;
    check("abab", TL_DENDRITE_MAJORITY, 0, true, 3, 2); /* DAVE is of the b */
    check("abc", TL_DENDRITE_MAJORITY, 0, true, 1, 1);  /* BOB is below CHARLIE and ALICE */
    check("cxa", TL_DENDRITE_MAJORITY, 0, true, 2, 1);  /* CHARLIE is below ALICE */
}

static void a_quorum_is_two_thirds_of_those_asked(void **state)
{
    (void)state;
    check("aaaabx", TL_DENDRITE_QUORUM, 0, true, 3, 4);
    check("aaabbx", TL_DENDRITE_QUORUM, 0, false, -1, 0);
    check("aab", TL_DENDRITE_QUORUM, 0, true, 1, 2);
    check("ab", TL_DENDRITE_QUORUM, 0, false, -1, 0);
    check("aax", TL_DENDRITE_QUORUM, 3, false, -1, 0);
}

static void all_means_all(void **state)
{
    (void)state;
    check("abc", TL_DENDRITE_ALL, 0, true, -1, 0);
    check("abx", TL_DENDRITE_ALL, 0, false, -1, 0);
}

static void the_first_good_answer_ends_the_asking(void **state)
{
    (void)state;
    check("hxah", TL_DENDRITE_FIRST, 0, true, 2, 1);
    check("xx", TL_DENDRITE_FIRST, 0, false, -1, 0);
}

static void nobody_waits_for_what_cannot_matter(void **state)
{
    (void)state; /* each of these would take 20 s */
    check("aaaahh", TL_DENDRITE_QUORUM, 0, true, 3, 4);
    check("xxxhhh", TL_DENDRITE_QUORUM, 0, false, -1, 0);
    check("aaah", TL_DENDRITE_MAJORITY, 0, true, 1, 3);
    crowd c = {.count = 0};
    crowd_start(&c, "ahhh");
    (void)gather(&c, TL_DENDRITE_FIRST, 0);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(c.replies[i].fault, TL_CLIENT_CANCELLED);
        assert_false(c.replies[i].has_status);
    }
    crowd_stop(&c);
}

static void rules_have_names(void **state)
{
    (void)state;
    tl_dendrite_rule rule = TL_DENDRITE_ALL;
    assert_true(tl_dendrite_rule_parse(&rule, TL_STR("majority")) && rule == TL_DENDRITE_MAJORITY);
    assert_true(tl_dendrite_rule_parse(&rule, TL_STR("first")) && rule == TL_DENDRITE_FIRST);
    assert_true(tl_dendrite_rule_parse(&rule, TL_STR("quorum")) && rule == TL_DENDRITE_QUORUM);
    assert_true(tl_dendrite_rule_parse(&rule, TL_STR("all")) && rule == TL_DENDRITE_ALL);
    assert_false(tl_dendrite_rule_parse(&rule, TL_STR("ALL")));
    assert_false(tl_dendrite_rule_parse(&rule, TL_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_majority_is_what_most_gave),
        cmocka_unit_test(a_tie_goes_to_the_lowest_hotkey),
        cmocka_unit_test(a_quorum_is_two_thirds_of_those_asked),
        cmocka_unit_test(all_means_all),
        cmocka_unit_test(the_first_good_answer_ends_the_asking),
        cmocka_unit_test(nobody_waits_for_what_cannot_matter),
        cmocka_unit_test(rules_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
