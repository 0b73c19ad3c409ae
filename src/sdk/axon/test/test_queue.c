/* Attacks the queue with one hotkey's backlog, with priorities, with calls that leave while they wait: every order against a
 * slow reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/axon/axon_internal.h"

enum { CALLS = 400 };

typedef struct fixture {
    tl_axon axon;
    tl__route route;
    tl_axon_call calls[CALLS];
} fixture;

/* A queue whose one place in handlers is taken; its routes run on workers that are not there: who leaves is in run_first. */
static fixture *begin(uint32_t waiting_max)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->axon.settings.handlers_max = 1;
    f->axon.settings.waiting_max = waiting_max;
    assert_int_equal(tl_arena_new(&f->axon.arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl__queue_init(&f->axon.queue, &f->axon, NULL), TL_OK);
    f->route.spec.runs = TL_AXON_ON_WORKER;
    for (size_t i = 0; i < CALLS; i++) {
        f->calls[i].axon = &f->axon;
        f->calls[i].route = &f->route;
        f->calls[i].heap_index = UINT32_MAX; /* as tl__call_new has it */
    }
    assert_int_equal(tl__queue_offer(&f->axon.queue, &f->calls[0]), TL__OFFERED_NOW);
    return f;
}

static void end(fixture *f)
{
    tl__queue_deinit(&f->axon.queue);
    tl_arena_free(f->axon.arena);
    free(f);
}

static tl_axon_call *offer(fixture *f, size_t index, uint8_t hotkey, int64_t priority)
{
    tl_axon_call *call = &f->calls[index];
    memset(call->caller.hotkey.b, hotkey, sizeof call->caller.hotkey.b);
    call->priority = priority;
    assert_int_equal(tl__queue_offer(&f->axon.queue, call), TL__OFFERED_WAITS);
    return call;
}

static tl_axon_call *leave(fixture *f)
{
    tl__queue *q = &f->axon.queue;
    tl__queue_done(q);
    tl_axon_call *call = q->run_first;
    q->run_first = NULL;
    q->run_end = &q->run_first;
    return call;
}

static void a_backlog_stands_behind_nobody_else(void **state)
{
    (void)state;
    fixture *f = begin(CALLS);
    for (size_t i = 1; i <= 100; i++) {
        (void)offer(f, i, 'a', 0);
    }
    tl_axon_call *b1 = offer(f, 101, 'b', 0);
    tl_axon_call *b2 = offer(f, 102, 'b', 0);
    tl_axon_call *c1 = offer(f, 103, 'c', 0);
    assert_ptr_equal(leave(f), &f->calls[1]);
    assert_ptr_equal(leave(f), b1); /* AXON-4 */
    assert_ptr_equal(leave(f), c1);
    assert_ptr_equal(leave(f), &f->calls[2]);
    assert_ptr_equal(leave(f), b2);
    tl_axon_call *c2 = offer(f, 104, 'c', 0); /* who comes late saved up no turns, and lost none */
    assert_ptr_equal(leave(f), &f->calls[3]);
    assert_ptr_equal(leave(f), c2);
    for (size_t i = 4; i <= 100; i++) {
        assert_ptr_equal(leave(f), &f->calls[i]);
    }
    assert_null(leave(f));
    assert_int_equal(f->axon.queue.handling, 0);
    end(f);
}

static void a_higher_priority_goes_first_and_is_fair_within(void **state)
{
    (void)state;
    fixture *f = begin(CALLS);
    (void)offer(f, 1, 'a', 5);
    (void)offer(f, 2, 'a', 5);
    (void)offer(f, 3, 'b', 5);
    (void)offer(f, 4, 'c', 1000);
    (void)offer(f, 5, 'a', 1000);
    static const size_t order[] = {4, 5, 1, 3, 2};
    for (size_t i = 0; i < 5; i++) {
        assert_ptr_equal(leave(f), &f->calls[order[i]]);
    }
    end(f);
}

static void full_is_full_and_who_leaves_makes_room(void **state)
{
    (void)state;
    fixture *f = begin(3);
    for (size_t i = 1; i <= 3; i++) {
        (void)offer(f, i, (uint8_t)i, 0);
    }
    assert_int_equal(tl__queue_offer(&f->axon.queue, &f->calls[4]), TL__OFFERED_FULL); /* AXON-4 */
    assert_false(f->calls[4].is_handled);
    assert_true(tl__queue_remove(&f->axon.queue, &f->calls[2]));
    assert_false(tl__queue_remove(&f->axon.queue, &f->calls[2]));
    assert_int_equal(tl__queue_offer(&f->axon.queue, &f->calls[4]), TL__OFFERED_WAITS);
    assert_ptr_equal(leave(f), &f->calls[1]);
    assert_false(tl__queue_remove(&f->axon.queue, &f->calls[1])); /* it has left already */
    assert_ptr_equal(leave(f), &f->calls[3]);
    assert_ptr_equal(leave(f), &f->calls[4]);
    end(f);
}

/* The definition: among those that wait, the highest priority, then the lowest round, then who came first. */
static tl_axon_call *reference(fixture *f, const bool *waits)
{
    tl_axon_call *best = NULL;
    for (size_t i = 1; i < CALLS; i++) {
        tl_axon_call *c = &f->calls[i];
        if (waits[i] &&
            (best == NULL || c->priority > best->priority ||
             (c->priority == best->priority &&
              (c->round < best->round || (c->round == best->round && c->serial < best->serial))))) {
            best = c;
        }
    }
    return best;
}

static void random_traffic_leaves_in_the_order_of_the_definition(void **state)
{
    (void)state;
    fixture *f = begin(CALLS);
    bool waits[CALLS] = {false};
    uint64_t dice = 1;
    size_t count = 0;
    for (int step = 0; step < 20000; step++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        const size_t index = 1 + (size_t)(dice >> 33) % (CALLS - 1);
        const unsigned action = (unsigned)(dice >> 20) % 8;
        if (action < 4 && !waits[index]) {
            (void)offer(f, index, (uint8_t)((dice >> 40) % 7), (int64_t)((dice >> 50) % 3));
            waits[index] = true;
            count++;
        } else if (action == 4) {
            assert_int_equal(tl__queue_remove(&f->axon.queue, &f->calls[index]), waits[index]);
            count -= waits[index] ? 1 : 0;
            waits[index] = false;
        } else if (action > 4 && count > 0) {
            tl_axon_call *wanted = reference(f, waits);
            assert_ptr_equal(leave(f), wanted);
            waits[wanted - f->calls] = false;
            count--;
        }
        assert_int_equal(f->axon.queue.waiting, count);
    }
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backlog_stands_behind_nobody_else),
        cmocka_unit_test(a_higher_priority_goes_first_and_is_fair_within),
        cmocka_unit_test(full_is_full_and_who_leaves_makes_room),
        cmocka_unit_test(random_traffic_leaves_in_the_order_of_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
