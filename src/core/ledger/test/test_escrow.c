/* Attacks the antes: locked twice, ended twice, ended otherwise, of the wrong epoch, never locked,
 * with postings that do not make the ante, after the books are closed. */
#include "world.h"

#include "core/ledger/ledger_internal.h"
#include "core/num/rng/rng.h"

#define EPOCH TL_STR("2024-M01")
#define OTHER TL_STR("2024-M02")

static tl_err lock(tl_ledger *ledger, bool *is_new, tl_str epoch, uint32_t who, int64_t rao)
{
    const tl_hotkey key = key_of(who);
    return tl_escrow_lock(ledger, is_new, epoch, &key, RAO(rao), 10, NULL);
}

static tl_err give_back(tl_ledger *ledger, bool *is_new, tl_str epoch, uint32_t who)
{
    const tl_hotkey key = key_of(who);
    return tl_escrow_return(ledger, is_new, epoch, &key, 11, TL_STR("returned"), NULL);
}

static tl_err slash(tl_ledger *ledger, bool *is_new, tl_str epoch, uint32_t who)
{
    const tl_hotkey key = key_of(who);
    return tl_escrow_slash(ledger, is_new, epoch, &key, 11, TL_STR("slashed"), NULL);
}

static tl_ante ante_of(const tl_ledger *ledger, tl_str epoch, uint32_t who)
{
    const tl_hotkey key = key_of(who);
    return tl_escrow_get(ledger, epoch, &key);
}

#define TEN (10 * TL_RAO_PER_TAO)

static void a_lock_takes_the_ante_from_the_free_balance(void **state)
{
    (void)state; /* LED-6 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 1, 25);
    bool is_new = false;
    assert_int_equal(lock(ledger, &is_new, EPOCH, 0, TEN), TL_OK);
    assert_true(is_new);
    assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 25 * TL_RAO_PER_TAO - TEN);
    assert_int_equal(balance_of(ledger, escrow_of(0), EPOCH), TEN);
    assert_int_equal(balance_of(ledger, escrow_of(0), OTHER), 0);
    assert_int_equal(ante_of(ledger, EPOCH, 0).state, TL_ANTE_LOCKED);
    assert_int_equal(ante_of(ledger, OTHER, 0).state, TL_ANTE_NONE);
    assert_int_equal(ante_of(ledger, EPOCH, 1).state, TL_ANTE_NONE);
    const tl_escrow_book book = tl_escrow_book_of(ledger, EPOCH);
    assert_int_equal(book.locked_count, 1);
    assert_int_equal(tl_rao_to_i64(book.locked), TEN);
    /* the same miner may lock in another epoch, with what is left */
    assert_int_equal(lock(ledger, NULL, OTHER, 0, TEN), TL_OK);
    assert_int_equal(lock(ledger, NULL, TL_STR("2024-M03"), 0, TEN), TL_ERR_FUNDS);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void an_ante_is_locked_once(void **state)
{
    (void)state; /* LED-4 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 2, 100);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN), TL_OK);
    const tl_hash32 head = tl_ledger_head(ledger);
    bool is_new = true;
    assert_int_equal(lock(ledger, &is_new, EPOCH, 0, TEN), TL_OK);
    assert_false(is_new);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN), TL_OK);
    assert_int_equal(lock(ledger, &is_new, EPOCH, 0, TEN + 1), TL_ERR_DUPLICATE);
    const tl_hash32 after = tl_ledger_head(ledger);
    assert_memory_equal(&head, &after, 32);
    /* nor behind the function's back */
    const tl_posting again[2] = {{miner_of(0), RAO(-TEN)}, {escrow_of(0), RAO(TEN)}};
    const tl_transaction t = {
        .cause = TL_CAUSE_ANTE_LOCK, .epoch = EPOCH, .postings = again, .count = 2};
    assert_int_equal(tl_ledger_post(ledger, &t, NULL), TL_ERR_DUPLICATE);
    assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 90 * TL_RAO_PER_TAO);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void too_small_or_unfunded_antes_lock_nothing(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 1, 10);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN - 1), TL_ERR_RANGE);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, 0), TL_ERR_RANGE);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, -TEN), TL_ERR_RANGE);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, INT64_MIN), TL_ERR_RANGE);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN + 1), TL_ERR_FUNDS);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, INT64_MAX), TL_ERR_FUNDS);
    const size_t rows = ledger->row_count;
    assert_int_equal(lock(ledger, NULL, EPOCH, 77, TEN), TL_ERR_FUNDS);
    assert_int_equal(ledger->row_count, rows); /* a stranger leaves nothing behind */
    assert_int_equal(tl_ledger_count(ledger), 1);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN), TL_OK);
    /* a smaller least ante is an option of the ledger */
    const tl_ledger_options options = {.ante_min = RAO(1)};
    tl_ledger *small;
    assert_int_equal(tl_ledger_new(&small, arena, &options, NULL), TL_OK);
    assert_int_equal(tl_ledger_deposit(small, miner_of(0), RAO(2), 1, TL_STR(""), NULL), TL_OK);
    assert_int_equal(lock(small, NULL, EPOCH, 0, 1), TL_OK);
    assert_verifies(ledger);
    assert_verifies(small);
    tl_arena_free(arena);
}

static void an_ante_ends_once(void **state)
{
    (void)state; /* LED-4 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 2, 100);
    bool is_new = false;
    assert_int_equal(give_back(ledger, NULL, EPOCH, 0), TL_ERR_NOT_FOUND);
    assert_int_equal(slash(ledger, NULL, EPOCH, 0), TL_ERR_NOT_FOUND);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN), TL_OK);
    assert_int_equal(lock(ledger, NULL, EPOCH, 1, TEN + 5), TL_OK);
    assert_int_equal(give_back(ledger, NULL, OTHER, 0), TL_ERR_NOT_FOUND);
    assert_int_equal(give_back(ledger, &is_new, EPOCH, 0), TL_OK);
    assert_true(is_new);
    assert_int_equal(give_back(ledger, &is_new, EPOCH, 0), TL_OK);
    assert_false(is_new);
    assert_int_equal(slash(ledger, NULL, EPOCH, 0), TL_ERR_STATE);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN), TL_ERR_STATE);
    assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 100 * TL_RAO_PER_TAO);

    assert_int_equal(slash(ledger, &is_new, EPOCH, 1), TL_OK);
    assert_true(is_new);
    assert_int_equal(slash(ledger, &is_new, EPOCH, 1), TL_OK);
    assert_false(is_new);
    assert_int_equal(give_back(ledger, NULL, EPOCH, 1), TL_ERR_STATE);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_BURN), TL_STR("")), TEN + 5);

    const tl_escrow_book book = tl_escrow_book_of(ledger, EPOCH);
    assert_int_equal(book.locked_count, 0);
    assert_int_equal(book.returned_count, 1);
    assert_int_equal(book.slashed_count, 1);
    assert_int_equal(tl_rao_to_i64(book.taken), 2 * TEN + 5);
    assert_int_equal(tl_rao_to_i64(book.burned), TEN + 5);
    assert_int_equal(tl_rao_to_i64(book.returned), TEN);
    assert_string_equal(tl_ante_state_name(ante_of(ledger, EPOCH, 1).state), "slashed");
    assert_string_equal(tl_ante_state_name((tl_ante_state)9), "unknown");
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void a_failed_epoch_gives_all_antes_back_and_closes(void **state)
{
    (void)state; /* LED-4 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 4, 100);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(lock(ledger, NULL, EPOCH, 3 - i, TEN + i), TL_OK);
    }
    assert_int_equal(lock(ledger, NULL, OTHER, 0, TEN), TL_OK);
    assert_int_equal(slash(ledger, NULL, EPOCH, 2), TL_OK);
    assert_int_equal(tl_escrow_refund(ledger, EPOCH, 20, TL_STR("no agreement"), NULL), TL_OK);
    /* in the order in which they were locked */
    const tl_ledger_entry refund = tl_ledger_entry_at(ledger, tl_ledger_count(ledger) - 2);
    assert_int_equal(refund.posting_count, 6);
    const tl_posting first = tl_ledger_posting_at(ledger, refund.index, 0);
    const tl_account third = escrow_of(3);
    assert_memory_equal(&first.account.id, &third.id, 32);
    assert_int_equal(balance_of(ledger, miner_of(3), TL_STR("")), 100 * TL_RAO_PER_TAO);
    assert_int_equal(balance_of(ledger, miner_of(2), TL_STR("")), 90 * TL_RAO_PER_TAO - 1);
    assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 90 * TL_RAO_PER_TAO);
    assert_true(tl_escrow_book_of(ledger, EPOCH).is_refunded);
    assert_false(tl_escrow_book_of(ledger, OTHER).is_refunded);
    assert_int_equal(tl_escrow_refund(ledger, EPOCH, 21, TL_STR("again"), NULL), TL_ERR_STATE);
    assert_int_equal(lock(ledger, NULL, EPOCH, 1, TEN), TL_ERR_STATE);
    const tl_posting late[2] = {{tl_account_of(TL_ACCOUNT_ISSUANCE), RAO(-5)},
                                {tl_account_of(TL_ACCOUNT_POOL), RAO(5)}};
    const tl_transaction t = {
        .cause = TL_CAUSE_POOL_EMISSION, .epoch = EPOCH, .postings = late, .count = 2};
    assert_int_equal(tl_ledger_post(ledger, &t, NULL), TL_ERR_STATE);
    /* an epoch without antes may fail as well */
    assert_int_equal(tl_escrow_refund(ledger, TL_STR("2024-M07"), 22, TL_STR("empty"), NULL),
                     TL_OK);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

/* Entries written by hand: each must leave balances, antes and head as they were. */
static void antes_that_do_not_add_up_are_refused_whole(void **state)
{
    (void)state; /* LED-6 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 3, 100);
    assert_int_equal(lock(ledger, NULL, EPOCH, 0, TEN), TL_OK);
    assert_int_equal(lock(ledger, NULL, EPOCH, 1, TEN), TL_OK);
    assert_int_equal(lock(ledger, NULL, OTHER, 2, TEN), TL_OK);
    const tl_account pool = tl_account_of(TL_ACCOUNT_POOL);
    const tl_account burn = tl_account_of(TL_ACCOUNT_BURN);
    const struct {
        tl_cause cause;
        tl_posting postings[6];
        size_t count;
        tl_err want;
    } cases[] = {
        /* to another miner */
        {TL_CAUSE_ANTE_RETURN,
         {{escrow_of(0), RAO(-TEN)}, {miner_of(1), RAO(TEN)}},
         2,
         TL_ERR_RANGE},
        /* half of it */
        {TL_CAUSE_ANTE_RETURN,
         {{escrow_of(0), RAO(-TEN / 2)}, {miner_of(0), RAO(TEN / 2)}},
         2,
         TL_ERR_RANGE},
        /* groups that lend to each other */
        {TL_CAUSE_ANTE_RETURN,
         {{escrow_of(0), RAO(-TEN)},
          {miner_of(0), RAO(TEN + 1)},
          {escrow_of(1), RAO(-TEN)},
          {miner_of(1), RAO(TEN - 1)}},
         4,
         TL_ERR_RANGE},
        /* one group good, the next bad: the first is taken back */
        {TL_CAUSE_ANTE_RETURN,
         {{escrow_of(0), RAO(-TEN)},
          {miner_of(0), RAO(TEN)},
          {escrow_of(1), RAO(-TEN)},
          {miner_of(0), RAO(TEN)}},
         4,
         TL_ERR_RANGE},
        /* twice in one entry */
        {TL_CAUSE_ANTE_RETURN,
         {{escrow_of(0), RAO(-TEN)},
          {miner_of(0), RAO(TEN)},
          {escrow_of(0), RAO(-TEN)},
          {miner_of(0), RAO(TEN)}},
         4,
         TL_ERR_FUNDS},
        /* of another epoch */
        {TL_CAUSE_ANTE_RETURN,
         {{escrow_of(2), RAO(-TEN)}, {miner_of(2), RAO(TEN)}},
         2,
         TL_ERR_FUNDS},
        /* a return does not burn, a forfeit keeps something back, a slash takes all */
        {TL_CAUSE_ANTE_RETURN, {{escrow_of(0), RAO(-TEN)}, {burn, RAO(TEN)}}, 2, TL_ERR_RANGE},
        {TL_CAUSE_ANTE_FORFEIT,
         {{escrow_of(0), RAO(-TEN)}, {miner_of(0), RAO(TEN)}},
         2,
         TL_ERR_RANGE},
        {TL_CAUSE_ANTE_SLASH,
         {{escrow_of(0), RAO(-TEN)}, {burn, RAO(TEN / 2)}, {pool, RAO(TEN / 2)}},
         3,
         TL_ERR_RANGE},
        /* parts in another order, a part without its ante */
        {TL_CAUSE_ANTE_FORFEIT,
         {{escrow_of(0), RAO(-TEN)}, {pool, RAO(TEN / 2)}, {burn, RAO(TEN / 2)}},
         3,
         TL_ERR_RANGE},
        {TL_CAUSE_ANTE_FORFEIT, {{burn, RAO(TEN)}, {escrow_of(0), RAO(-TEN)}}, 2, TL_ERR_RANGE},
        /* locks that are none */
        {TL_CAUSE_ANTE_LOCK, {{miner_of(2), RAO(-TEN)}, {escrow_of(0), RAO(TEN)}}, 2, TL_ERR_RANGE},
        {TL_CAUSE_ANTE_LOCK,
         {{miner_of(2), RAO(-TEN)}, {escrow_of(2), RAO(TEN / 2)}, {escrow_of(2), RAO(TEN / 2)}},
         3,
         TL_ERR_RANGE},
        {TL_CAUSE_ANTE_LOCK, {{miner_of(2), RAO(-5)}, {escrow_of(2), RAO(5)}}, 2, TL_ERR_RANGE},
        {TL_CAUSE_ANTE_LOCK, {{miner_of(2), TAO(-91)}, {escrow_of(2), TAO(91)}}, 2, TL_ERR_FUNDS},
    };
    const tl_hash32 head = tl_ledger_head(ledger);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tl_transaction t = {.cause = cases[i].cause,
                                  .epoch = EPOCH,
                                  .postings = cases[i].postings,
                                  .count = cases[i].count};
        const tl_err err = tl_ledger_post(ledger, &t, NULL);
        if (err != cases[i].want) {
            fail_msg("case %zu: %s, wanted %s", i, tl_err_name(err), tl_err_name(cases[i].want));
        }
        const tl_hash32 after = tl_ledger_head(ledger);
        assert_memory_equal(&head, &after, 32);
        assert_int_equal(ante_of(ledger, EPOCH, 0).state, TL_ANTE_LOCKED);
        assert_int_equal(ante_of(ledger, EPOCH, 1).state, TL_ANTE_LOCKED);
        assert_verifies(ledger);
    }
    tl_arena_free(arena);
}

/* A long random walk, every step predicted by a table of what each ante is. */
static void random_steps_follow_the_state_machine(void **state)
{
    (void)state; /* LED-4 LED-6 */
    enum { MINERS = 6, EPOCHS = 3, STEPS = 4000 };
    const tl_str epochs[EPOCHS] = {TL_STR("2024-M01"), TL_STR("2024-M02"), TL_STR("2024-M03")};
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 20240101);
    for (unsigned world = 0; world < 40; world++) {
        tl_arena *arena = new_arena();
        tl_ledger *ledger = funded_ledger(arena, MINERS, 1000);
        tl_ante_state model[EPOCHS][MINERS] = {{TL_ANTE_NONE}};
        bool closed[EPOCHS] = {false};
        for (unsigned step = 0; step < STEPS / 40; step++) {
            const uint32_t who = (uint32_t)tl_xoshiro_below(&rng, MINERS);
            const uint32_t e = (uint32_t)tl_xoshiro_below(&rng, EPOCHS);
            tl_ante_state *now = &model[e][who];
            bool is_new = false;
            tl_ante_state goal = TL_ANTE_LOCKED;
            tl_err want = TL_OK;
            tl_err got;
            switch (tl_xoshiro_below(&rng, 16)) {
            case 0:
                want = closed[e] ? TL_ERR_STATE : TL_OK;
                got = tl_escrow_refund(ledger, epochs[e], step, TL_STR("x"), NULL);
                assert_int_equal(got, want);
                for (uint32_t i = 0; i < MINERS && got == TL_OK; i++) {
                    model[e][i] = model[e][i] == TL_ANTE_LOCKED ? TL_ANTE_RETURNED : model[e][i];
                }
                closed[e] = true;
                continue;
            case 1:
            case 2:
            case 3:
                goal = TL_ANTE_RETURNED;
                got = give_back(ledger, &is_new, epochs[e], who);
                break;
            case 4:
            case 5:
                goal = TL_ANTE_SLASHED;
                got = slash(ledger, &is_new, epochs[e], who);
                break;
            default:
                got = lock(ledger, &is_new, epochs[e], who, TEN + who);
                break;
            }
            if (*now == goal) {
                assert_int_equal(got, TL_OK);
                assert_false(is_new);
            } else if (*now == TL_ANTE_NONE && goal != TL_ANTE_LOCKED) {
                assert_int_equal(got, TL_ERR_NOT_FOUND);
            } else if (*now > TL_ANTE_LOCKED || closed[e]) {
                assert_int_equal(got, TL_ERR_STATE);
            } else {
                assert_int_equal(got, TL_OK);
                assert_true(is_new);
                *now = goal;
            }
        }
        int64_t taken = 0;
        for (uint32_t i = 0; i < MINERS; i++) {
            int64_t held = 1000 * TL_RAO_PER_TAO;
            for (uint32_t e = 0; e < EPOCHS; e++) {
                assert_int_equal(ante_of(ledger, epochs[e], i).state, model[e][i]);
                const bool is_out = model[e][i] == TL_ANTE_LOCKED || model[e][i] == TL_ANTE_SLASHED;
                held -= is_out ? TEN + (int64_t)i : 0;
                taken += model[e][i] != TL_ANTE_NONE ? TEN + (int64_t)i : 0;
            }
            assert_int_equal(balance_of(ledger, miner_of(i), TL_STR("")), held);
        }
        int64_t booked = 0;
        for (uint32_t e = 0; e < EPOCHS; e++) {
            booked += tl_rao_to_i64(tl_escrow_book_of(ledger, epochs[e]).taken);
        }
        assert_int_equal(taken, booked);
        assert_verifies(ledger);
        tl_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_takes_the_ante_from_the_free_balance),
        cmocka_unit_test(an_ante_is_locked_once),
        cmocka_unit_test(too_small_or_unfunded_antes_lock_nothing),
        cmocka_unit_test(an_ante_ends_once),
        cmocka_unit_test(a_failed_epoch_gives_all_antes_back_and_closes),
        cmocka_unit_test(antes_that_do_not_add_up_are_refused_whole),
        cmocka_unit_test(random_steps_follow_the_state_machine),
    };
    return cmocka_run_group_tests_name("ledger escrow", tests, NULL, NULL);
}
