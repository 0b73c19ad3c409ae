/* bench_ledger: one million postings: whole epochs of 1,000 miners, from the locked antes to the
 * settlement, each entry checked, hashed and chained; then the proof of all of it.
 *
 * Prints one line of JSON: {"name":"postings","tally_s":…,"postings":…,"entries":…,"verify_s":…} */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "core/ledger/ledger.h"

enum { MINERS = 1000, POSTINGS = 1000000 };

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static tl_hotkey key_of(uint32_t n)
{
    tl_hotkey key = {{0}};
    for (unsigned i = 0; i < 32; i++) {
        key.b[i] = (uint8_t)((n * 2654435761u) >> (i % 4 * 8)) ^ (uint8_t)i;
    }
    return key;
}

static tl_err run_epoch(tl_ledger *ledger, tl_arena *scratch, const tl_payout_miner *miners,
                        uint32_t number, tl_errctx *ctx)
{
    char text[16];
    const int len = snprintf(text, sizeof(text), "2024-M%05u", (unsigned)number);
    const tl_str epoch = {text, (size_t)len};
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    for (uint32_t i = 0; i < MINERS; i++) {
        TL_TRY(tl_escrow_lock(ledger, NULL, epoch, &miners[i].hotkey, miners[i].ante, number, ctx));
    }
    tl_settlement settlement;
    TL_TRY(tl_settle(&settlement, scratch, tl_rao_from_i64(41 * TL_RAO_PER_TAO), TL_RAO_ZERO,
                     miners, MINERS, NULL, ctx));
    const tl_settle_order order = {
        .epoch = epoch, .height = number, .settlement = &settlement, .miners = miners};
    TL_TRY(tl_ledger_settle(ledger, &order, ctx));
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

static tl_err run(tl_arena *arena, tl_arena *scratch, tl_errctx *ctx)
{
    static tl_payout_miner miners[MINERS];
    tl_ledger *ledger;
    TL_TRY(tl_ledger_new(&ledger, arena, NULL, ctx));
    for (uint32_t i = 0; i < MINERS; i++) {
        miners[i] =
            (tl_payout_miner){.hotkey = key_of(i),
                              .ante = tl_rao_from_i64(TL_LEDGER_ANTE_MIN),
                              .outcome = i % 20 == 0 ? TL_OUTCOME_NOT_REVEALED : TL_OUTCOME_RANKED};
        TL_TRY(tl_ledger_deposit(ledger, tl_account_of_hotkey(TL_ACCOUNT_MINER, &miners[i].hotkey),
                                 tl_rao_from_i64(TL_LEDGER_ANTE_MIN * 1000), 0, TL_STR("deposit"),
                                 ctx));
    }
    const uint64_t before = tl_ledger_posting_total(ledger);
    const double start = now_s();
    for (uint32_t number = 1; tl_ledger_posting_total(ledger) - before < POSTINGS; number++) {
        TL_TRY(run_epoch(ledger, scratch, miners, number, ctx));
    }
    const double posted = now_s();
    tl_ledger_report report;
    TL_TRY(tl_ledger_verify(&report, ledger, scratch, ctx));
    const double verified = now_s();
    (void)printf("{\"name\":\"postings\",\"tally_s\":%.6f,\"postings\":%llu,\"entries\":%llu,"
                 "\"verify_s\":%.6f}\n",
                 posted - start, (unsigned long long)(report.posting_count - before),
                 (unsigned long long)report.entry_count, verified - posted);
    return TL_OK;
}

int main(void)
{
    tl_arena *arena = NULL;
    tl_arena *scratch = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, &ctx);
    if (err == TL_OK) {
        err = tl_arena_new(&scratch, NULL, 0, NULL, &ctx);
    }
    if (err == TL_OK) {
        err = run(arena, scratch, &ctx);
    }
    if (err != TL_OK) {
        (void)fprintf(stderr, "bench_ledger: %s\n", ctx.message);
    }
    tl_arena_free(scratch);
    tl_arena_free(arena);
    return tl_err_exit(err);
}
