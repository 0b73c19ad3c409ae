/* Attacks files that somebody calls a bundle of the listings network. What can be read can be verified: an answer, the same
 * one twice; and what holds can be paid, to the rao, into a ledger that verifies. */
#include <stddef.h>
#include <stdint.h>

#include "core/subnet/listings/listings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { INPUT_MAX = 1 << 18 };
#define ARENA_LIMIT ((size_t)1 << 29)

static void pay(tl_arena *arena, const tl_bundle *b)
{
    tl_ledger *ledger = NULL;
    tl_listings_result result = {0};
    tl_ledger_report report = {0};
    if (tl_ledger_new(&ledger, arena, NULL, NULL) != TL_OK ||
        tl_listings_road_run(&result, arena, b->tree[TL_BUNDLE_INPUTS], b->tree[TL_BUNDLE_EVIDENCE],
                             b->tree[TL_BUNDLE_PARAMETERS], NULL) != TL_OK) {
        return; /* memory */
    }
    if (tl_listings_pay(ledger, &result, 1, arena, NULL) == TL_OK) {
        const tl_err err = tl_ledger_verify(&report, ledger, arena, NULL);
        TL_ASSERT(err == TL_OK && report.is_balanced);
    }
}

static void check(tl_arena *arena, tl_str bytes)
{
    static const tl_subnet *const subnets[] = {&tl_subnet_listings};
    tl_bundle b = {0};
    tl_bundle_report first = {0};
    tl_bundle_report second = {0};
    if (tl_bundle_read(&b, arena, bytes, NULL) != TL_OK ||
        tl_bundle_verify(&first, arena, &b, subnets, 1, NULL) != TL_OK ||
        tl_bundle_verify(&second, arena, &b, subnets, 1, NULL) != TL_OK) {
        return;
    }
    TL_ASSERT(first.is_ok == second.is_ok && first.differ_count == second.differ_count);
    TL_ASSERT(first.replay.code == second.replay.code);
    TL_ASSERT(first.is_ok == (first.differ_count == 0 && first.replay.code == TL_OK));
    if (first.replay.code == TL_OK) {
        pay(arena, &b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len <= INPUT_MAX && tl_arena_new(&arena, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK) {
        check(arena, (tl_str){(const char *)data, len});
        tl_arena_free(arena);
    }
    return 0;
}
