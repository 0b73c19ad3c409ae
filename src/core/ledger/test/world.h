/* world: what the ledger's tests share: an arena, keys that are told apart by one number, amounts. */
#ifndef TALLY_CORE_LEDGER_TEST_WORLD_H
#define TALLY_CORE_LEDGER_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "core/ledger/ledger.h"

#define TAO(n) tl_rao_from_i64((int64_t)(n)*TL_RAO_PER_TAO)
#define RAO(n) tl_rao_from_i64(n)

static inline tl_hotkey key_of(uint32_t n)
{
    tl_hotkey key = {{0}};
    key.b[0] = (uint8_t)(n >> 8);
    key.b[31] = (uint8_t)n;
    key.b[15] = 7;
    return key;
}

static inline tl_account miner_of(uint32_t n)
{
    const tl_hotkey key = key_of(n);
    return tl_account_of_hotkey(TL_ACCOUNT_MINER, &key);
}

static inline tl_account escrow_of(uint32_t n)
{
    const tl_hotkey key = key_of(n);
    return tl_account_of_hotkey(TL_ACCOUNT_ESCROW, &key);
}

static inline int64_t balance_of(const tl_ledger *ledger, tl_account account, tl_str epoch)
{
    return tl_rao_to_i64(tl_ledger_balance(ledger, account, epoch));
}

static inline tl_arena *new_arena(void)
{
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static inline tl_ledger *new_ledger(tl_arena *arena)
{
    tl_ledger *ledger;
    assert_int_equal(tl_ledger_new(&ledger, arena, NULL, NULL), TL_OK);
    return ledger;
}

/* Miners 0 … count-1, each with that many TAO deposited. */
static inline tl_ledger *funded_ledger(tl_arena *arena, uint32_t count, int64_t tao)
{
    tl_ledger *ledger = new_ledger(arena);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(
            tl_ledger_deposit(ledger, miner_of(i), TAO(tao), 1, TL_STR("deposit"), NULL), TL_OK);
    }
    return ledger;
}

static inline void assert_verifies(const tl_ledger *ledger)
{
    tl_arena *scratch = new_arena();
    tl_ledger_report report;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_ledger_verify(&report, ledger, scratch, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    assert_true(report.is_balanced);
    assert_int_equal(report.entry_count, tl_ledger_count(ledger));
    tl_arena_free(scratch);
}

#endif
