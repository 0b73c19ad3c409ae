/* Attacks the memory: the n-th allocation fails, for n = 1, 2, 3 …, in everything that allocates.
 * Each failure is an error that leaves a ledger which still verifies, and trying again goes on. */
#include <stdlib.h>

#include "world.h"

typedef struct faulty {
    size_t left; /* allocations that still succeed; SIZE_MAX: all */
    bool has_failed;
} faulty;

static void *faulty_alloc(void *self, size_t len)
{
    faulty *f = (faulty *)self;
    if (f->left == 0) {
        f->has_failed = true;
        return NULL;
    }
    f->left -= f->left != SIZE_MAX ? 1 : 0;
    return malloc(len);
}

static void faulty_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

enum { MINERS = 90 };

/* The whole life of an epoch, as far as memory allows. */
static tl_err live(tl_ledger *ledger, tl_arena *arena)
{
    static tl_payout_miner miners[MINERS];
    for (uint32_t i = 0; i < MINERS; i++) {
        miners[i] =
            (tl_payout_miner){.hotkey = key_of(i),
                              .ante = TAO(10),
                              .outcome = i % 7 == 3 ? TL_OUTCOME_NOT_REVEALED : TL_OUTCOME_RANKED};
        if (balance_of(ledger, miner_of(i), TL_STR("")) == 0 &&
            tl_escrow_get(ledger, TL_STR("E"), &miners[i].hotkey).state == TL_ANTE_NONE) {
            TL_TRY(tl_ledger_deposit(ledger, miner_of(i), TAO(20), 1, TL_STR("deposit"), NULL));
        }
        TL_TRY(tl_escrow_lock(ledger, NULL, TL_STR("E"), &miners[i].hotkey, TAO(10), 2, NULL));
    }
    tl_settlement s;
    TL_TRY(tl_settle(&s, arena, TAO(100), TAO(1), miners, MINERS, NULL, NULL));
    const tl_pay pay = {key_of(999), TAO(100)};
    const tl_settle_order order = {.epoch = TL_STR("E"),
                                   .height = 9,
                                   .settlement = &s,
                                   .miners = miners,
                                   .validators = &pay,
                                   .validator_count = 1,
                                   .owner = TAO(3)};
    return tl_ledger_settle(ledger, &order, NULL);
}

static tl_hash32 head_of_the_lucky(void)
{
    tl_arena *arena = new_arena();
    tl_ledger *ledger = new_ledger(arena);
    assert_int_equal(live(ledger, arena), TL_OK);
    assert_verifies(ledger);
    const tl_hash32 head = tl_ledger_head(ledger);
    tl_arena_free(arena);
    return head;
}

/* LED-2 LED-3: after each failure the ledger verifies, and going on gives the same chain. */
static void every_failed_allocation_leaves_a_whole_ledger(void **state)
{
    (void)state;
    const tl_hash32 want = head_of_the_lucky();
    size_t failures = 0;
    for (size_t n = 0;; n++) {
        faulty f = {.left = n};
        const tl_allocator allocator = {&f, faulty_alloc, faulty_release};
        tl_arena *arena;
        if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
            failures++;
            continue;
        }
        tl_ledger *ledger = NULL;
        tl_err err = tl_ledger_new(&ledger, arena, NULL, NULL);
        if (err == TL_OK) {
            err = live(ledger, arena);
        }
        const bool has_failed = f.has_failed;
        f.left = SIZE_MAX;
        if (has_failed) {
            assert_int_equal(err, TL_ERR_NOMEM);
            failures++;
            if (ledger == NULL) {
                assert_int_equal(tl_ledger_new(&ledger, arena, NULL, NULL), TL_OK);
            } else {
                assert_verifies(ledger);
            }
            err = live(ledger, arena);
        }
        assert_int_equal(err, TL_OK);
        assert_verifies(ledger);
        const tl_hash32 head = tl_ledger_head(ledger);
        assert_memory_equal(&head, &want, 32);
        tl_arena_free(arena);
        if (!has_failed) {
            break;
        }
    }
    assert_true(failures >= 5);
}

/* An arena's ceiling is met in the middle of the same life. */
static void a_ceiling_is_an_error_like_any_other(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t limit = 4096; limit < 400000; limit += limit / 5) {
        tl_arena *arena;
        if (tl_arena_new(&arena, NULL, limit, NULL, NULL) != TL_OK) {
            continue;
        }
        tl_ledger *ledger = NULL;
        tl_err err = tl_ledger_new(&ledger, arena, NULL, NULL);
        if (err == TL_OK) {
            err = live(ledger, arena);
            assert_verifies(ledger);
        }
        assert_true(err == TL_OK || err == TL_ERR_LIMIT);
        refused += err == TL_ERR_LIMIT ? 1 : 0;
        tl_arena_free(arena);
    }
    assert_true(refused >= 3);
}

/* verify, balances and loading fail as errors too, and leave the ledger alone. */
static void reading_fails_cleanly(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = new_ledger(arena);
    assert_int_equal(live(ledger, arena), TL_OK);
    bool verified = false;
    size_t failures = 0;
    for (size_t n = 1; !verified; n++) {
        faulty f = {.left = n};
        const tl_allocator allocator = {&f, faulty_alloc, faulty_release};
        tl_arena *scratch;
        assert_int_equal(tl_arena_new(&scratch, NULL, 0, &allocator, NULL), TL_OK);
        tl_ledger_report report;
        const tl_err err = tl_ledger_verify(&report, ledger, scratch, NULL);
        const tl_ledger_line *lines;
        size_t count;
        const tl_err listed = tl_ledger_balances(&lines, &count, ledger, scratch, NULL);
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        assert_true(listed == TL_OK || listed == TL_ERR_NOMEM);
        verified = err == TL_OK && !f.has_failed;
        failures += err != TL_OK ? 1 : 0;
        tl_arena_free(scratch);
    }
    assert_true(failures >= 1);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_leaves_a_whole_ledger),
        cmocka_unit_test(a_ceiling_is_an_error_like_any_other),
        cmocka_unit_test(reading_fails_cleanly),
    };
    return cmocka_run_group_tests_name("ledger faults", tests, NULL, NULL);
}
