/* Attacks the reader of stored entries: whatever is taken is written again byte for byte, and the
 * ledger that took it verifies. The input is a sequence of entries, each after its length (u16). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A start that makes deep states reachable: two funded miners, the first with a locked ante. */
static tl_ledger *start(tl_arena *arena)
{
    tl_ledger *ledger;
    const tl_hotkey keys[2] = {{{1}}, {{2}}};
    const tl_rao amount = tl_rao_from_i64(20 * TL_RAO_PER_TAO);
    TL_ASSERT(tl_ledger_new(&ledger, arena, NULL, NULL) == TL_OK);
    for (size_t i = 0; i < 2; i++) {
        TL_ASSERT(tl_ledger_issue(ledger, tl_account_of_hotkey(TL_ACCOUNT_MINER, &keys[i]), amount,
                                  1, TL_STR(""), NULL) == TL_OK);
    }
    TL_ASSERT(tl_escrow_lock(ledger, NULL, TL_STR("E"), &keys[0],
                             tl_rao_from_i64(10 * TL_RAO_PER_TAO), 1, NULL) == TL_OK);
    return ledger;
}

/* Puts the right index and hash before into the bytes, which no mutation would find. */
static void chain(uint8_t *bytes, size_t len, const tl_ledger *ledger)
{
    const size_t index_at = 4 + sizeof("tally/ledger/entry/1") - 1;
    if (len < index_at + 40) {
        return;
    }
    const uint64_t index = tl_ledger_count(ledger);
    for (size_t i = 0; i < 8; i++) {
        bytes[index_at + i] = (uint8_t)(index >> (8 * i));
    }
    const tl_hash32 head = tl_ledger_head(ledger);
    memcpy(bytes + index_at + 8, head.b, 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_arena *arena;
    if (tl_arena_new(&arena, NULL, (size_t)64 << 20, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_ledger *ledger = start(arena);
    size_t at = 0;
    while (size - at >= 2) {
        size_t len = (size_t)data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        len = len < size - at ? len : size - at;
        uint8_t *bytes = TL_NEW(arena, uint8_t, len);
        if (bytes == NULL) {
            break;
        }
        memcpy(bytes, data + at, len);
        at += len;
        chain(bytes, len, ledger);
        if (tl_ledger_load(ledger, (tl_bytes){bytes, len}, NULL, NULL) == TL_OK) {
            tl_bytes again;
            if (tl_ledger_encode(&again, ledger, tl_ledger_count(ledger) - 1, arena, NULL) ==
                TL_OK) {
                TL_ASSERT(again.len == len && memcmp(again.ptr, bytes, len) == 0);
            }
        }
    }
    tl_ledger_report report;
    const tl_err err = tl_ledger_verify(&report, ledger, arena, NULL);
    TL_ASSERT(err == TL_OK || err == TL_ERR_LIMIT);
    tl_arena_free(arena);
    return 0;
}
