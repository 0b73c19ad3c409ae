/* postings: one million ledger postings: whole epochs of 1,000 miners, from the locked antes to the settlement, each
 * entry checked, hashed and chained. The peer is given the same entries and must end at the same hash. */
#include <string.h>

#include "bench.h"
#include "core/crypto/hash/hash.h"
#include "core/ledger/ledger.h"
#include "core/ledger/settle.h"

enum { MINERS = 1000, POSTINGS_PERCENT = 10000, NOT_REVEALED_EVERY = 20 };

#define EMISSION_TAO 41

typedef struct ledger_work {
    uint64_t postings;
    tl_payout_miner miners[MINERS];
    tl_ledger *ledger;
} ledger_work;

static tl_err settle_epoch(ledger_work *w, tl_arena *scratch, uint32_t number, tl_errctx *ctx)
{
    char text[16];
    const int len = snprintf(text, sizeof text, "2024-M%05u", (unsigned)number);
    const tl_str epoch = {text, (size_t)len};
    for (uint32_t i = 0; i < MINERS; i++) {
        TL_TRY(tl_escrow_lock(w->ledger, NULL, epoch, &w->miners[i].hotkey, w->miners[i].ante,
                              number, ctx));
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_settlement settlement;
    TL_TRY(tl_settle(&settlement, scratch, tl_rao_from_i64(EMISSION_TAO * TL_RAO_PER_TAO),
                     TL_RAO_ZERO, w->miners, MINERS, NULL, ctx));
    const tl_settle_order order = {
        .epoch = epoch, .height = number, .settlement = &settlement, .miners = w->miners};
    TL_TRY(tl_ledger_settle(w->ledger, &order, ctx));
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

static tl_err deposit_all(ledger_work *w, tl_errctx *ctx)
{
    for (uint32_t i = 0; i < MINERS; i++) {
        TL_TRY(tl_ledger_deposit(
            w->ledger, tl_account_of_hotkey(TL_ACCOUNT_MINER, &w->miners[i].hotkey),
            tl_rao_from_i64(TL_LEDGER_ANTE_MIN * 1000), 0, TL_STR("deposit"), ctx));
    }
    return TL_OK;
}

static tl_err fill(ledger_work *w, tl_arena *home, tl_arena *scratch, tl_errctx *ctx)
{
    TL_TRY(tl_ledger_new(&w->ledger, home, NULL, ctx));
    TL_TRY(deposit_all(w, ctx));
    for (uint32_t number = 1; tl_ledger_posting_total(w->ledger) < w->postings; number++) {
        TL_TRY(settle_epoch(w, scratch, number, ctx));
    }
    return TL_OK;
}

/* The ledger grows in an arena of its own: what settle_epoch rewinds would take it away. */
static tl_err run(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    tl_arena *home = NULL;
    TL_TRY(tl_arena_new(&home, NULL, 0, NULL, ctx));
    const tl_err err = fill((ledger_work *)self, home, scratch, ctx);
    tl_arena_free(home);
    return err;
}

/* The journal for good: home is the arena of the work. */
static tl_err fill_for_good(ledger_work *w, tl_arena *home, tl_errctx *ctx)
{
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    const tl_err err = fill(w, home, scratch, ctx);
    tl_arena_free(scratch);
    return err;
}

static void make(ledger_work *w, unsigned percent)
{
    w->postings = (uint64_t)percent * POSTINGS_PERCENT;
    for (uint32_t i = 0; i < MINERS; i++) {
        tl_hash32 id;
        tl_sha256(&id, &i, sizeof i);
        memcpy(w->miners[i].hotkey.b, id.b, sizeof id.b);
        w->miners[i].ante = tl_rao_from_i64(TL_LEDGER_ANTE_MIN);
        w->miners[i].outcome =
            i % NOT_REVEALED_EVERY == 0 ? TL_OUTCOME_NOT_REVEALED : TL_OUTCOME_RANKED;
    }
}

tl_err bench_postings(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    ledger_work *w = TL_NEW(arena, ledger_work, 1);
    if (w == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    make(w, percent);
    TL_TRY(fill_for_good(w, arena, ctx));
    const tl_hash32 head = tl_ledger_head(w->ledger);
    out->figures[0] = (double)tl_ledger_posting_total(w->ledger);
    out->figures[1] = (double)tl_ledger_count(w->ledger);
    out->figures[2] = (double)((uint32_t)head.b[0] << 16 | (uint32_t)head.b[1] << 8 | head.b[2]);
    out->figure_count = 3;
    return bench_time(out, run, w, ctx);
}

tl_err bench_postings_write(FILE *file, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    ledger_work *w = TL_NEW(arena, ledger_work, 1);
    if (w == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    make(w, percent);
    TL_TRY(fill_for_good(w, arena, ctx));
    for (uint64_t i = 0; i < tl_ledger_count(w->ledger); i++) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        tl_bytes bytes;
        TL_TRY(tl_ledger_encode(&bytes, w->ledger, i, arena, ctx));
        const uint8_t len[4] = {(uint8_t)bytes.len, (uint8_t)(bytes.len >> 8),
                                (uint8_t)(bytes.len >> 16), (uint8_t)(bytes.len >> 24)};
        const bool is_written = fwrite(len, 1, sizeof len, file) == sizeof len &&
                                fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len;
        tl_arena_rewind(arena, mark);
        if (!is_written) {
            return tl_fail(ctx, TL_ERR_IO, "cannot write the entries");
        }
    }
    return TL_OK;
}
