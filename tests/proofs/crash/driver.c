/* driver DIR: a small network in a state folder, through the engine's own door: three weekly epochs of random miners
 * with all kinds of faults, one of them extended before it is settled. Every line says what is durable when it is
 * printed; crash.py kills it anywhere, starts it again, and compares.
 *
 *      kept settled EPOCH DIGEST       at the start: an epoch that is over
 *      ack EPOCH SIGNAL VERDICT new    a receipt; new or old
 *      extended EPOCH                  settled EPOCH DIGEST
 *      entry N HASH CAUSE              at the end: the journal, verified
 *      done ISSUANCE HEAD
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/engine/test/engine_world.h"
#include "io/store/store.h"

enum { SEED = 2024, EPOCHS = 3, MINERS = 9, TICKERS = 8, RESEND_EVERY = 4, EXTENDED_EPOCH = 1 };

typedef struct driver {
    tl_arena *arena;
    tl_engine *engine;
    engine_world world;
} driver;

static void say_hash(const tl_hash32 *hash)
{
    for (size_t i = 0; i < sizeof hash->b; i++) {
        (void)printf("%02x", hash->b[i]);
    }
}

/* A line is printed at once: what it says is durable. */
static tl_err say_end(void)
{
    (void)printf("\n");
    return fflush(stdout) == 0 ? TL_OK : TL_ERR_IO;
}

/* All miners but the last can pay three antes; the last one only one: later it is E005. */
static tl_err seed_funds(driver *d, tl_errctx *ctx)
{
    tl_engine_fund funds[MINERS] = {0};
    for (size_t i = 0; i < MINERS; i++) {
        char address[TL_SS58_CAP];
        random_world_hotkey(address, "miner", i);
        TL_TRY(tl_ss58_decode(&funds[i].hotkey, tl_str_from_cstr(address), ctx));
        funds[i].amount = tl_rao_from_i64(i + 1 < MINERS ? 40000000000 : 12000000000);
    }
    return tl_engine_seed(d->engine, (tl_str){NULL, 0}, funds, MINERS, ctx);
}

static tl_err submit(driver *d, tl_str line, const char *id, tl_errctx *ctx)
{
    tl_engine_receipt r = {0};
    TL_TRY(tl_engine_submit(d->engine, &r, d->arena, line, ctx));
    (void)printf("ack %s ", id);
    say_hash(&r.commitment);
    (void)printf("-%.*s %s %s", TL_STR_ARG(r.hotkey), r.is_accepted ? "accepted" : r.code,
                 r.is_new ? "new" : "old");
    return say_end();
}

static tl_err settle(driver *d, size_t epoch, uint64_t height, size_t blind, tl_errctx *ctx)
{
    char id[TL_EPOCH_ID_CAP];
    tl_assembled assembled = {0};
    engine_world_epoch_id(id, epoch);
    TL_TRY(engine_world_settle(&assembled, d->engine, &d->world, epoch, height, blind, ctx));
    (void)printf("%s %s", tl_epoch_state_text(assembled.result.state), id);
    if (assembled.result.state != TL_EPOCH_EXTENDED) {
        (void)printf(" ");
        say_hash(&assembled.digest);
    }
    return say_end();
}

static tl_err fill_epoch(driver *d, size_t epoch, const char *id, tl_errctx *ctx)
{
    const tl_str *lines = NULL;
    TL_TRY(engine_world_lines(&lines, &d->world, epoch, ctx));
    TL_TRY(engine_world_begin(d->engine, &d->world, epoch, ctx));
    for (size_t i = 0; i < MINERS; i++) {
        TL_TRY(submit(d, lines[i], id, ctx));
        if (i % RESEND_EVERY == 0) {
            TL_TRY(submit(d, lines[i], id, ctx));
        }
    }
    return TL_OK;
}

static tl_err live_epoch(driver *d, size_t epoch, tl_errctx *ctx)
{
    char id[TL_EPOCH_ID_CAP];
    engine_world_epoch_id(id, epoch);
    uint64_t close = engine_world_close(epoch);
    if (!tl_engine_is_settled(d->engine, tl_str_from_cstr(id))) {
        TL_TRY(fill_epoch(d, epoch, id, ctx));
        if (epoch == EXTENDED_EPOCH) {
            TL_TRY(settle(d, epoch, close, 2, ctx));
        }
    }
    close += epoch == EXTENDED_EPOCH ? 1000U : 0U;
    return settle(d, epoch, close, 0, ctx);
}

static tl_err say_kept(driver *d, tl_errctx *ctx)
{
    for (size_t e = 0; e < EPOCHS; e++) {
        char id[TL_EPOCH_ID_CAP];
        engine_world_epoch_id(id, e);
        if (tl_engine_is_settled(d->engine, tl_str_from_cstr(id))) {
            (void)printf("kept ");
            TL_TRY(settle(d, e, 0, 0, ctx));
        }
    }
    return TL_OK;
}

static tl_err say_journal(driver *d, tl_errctx *ctx)
{
    const tl_ledger *ledger = tl_engine_borrow_ledger(d->engine);
    tl_ledger_report report = {0};
    TL_TRY(tl_ledger_verify(&report, ledger, d->arena, ctx));
    if (!report.is_balanced) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "the ledger is not balanced");
    }
    for (uint64_t i = 0; i < report.entry_count; i++) {
        const tl_ledger_entry entry = tl_ledger_entry_at(ledger, i);
        (void)printf("entry %llu ", (unsigned long long)i);
        say_hash(&entry.hash);
        (void)printf(" %s\n", tl_cause_name(entry.cause));
    }
    (void)printf("done %lld ", (long long)tl_rao_to_i64(report.issuance));
    say_hash(&report.head);
    return say_end();
}

/* The database's own checks, from outside the engine. */
static tl_err check_store(const char *dir, tl_arena *arena, tl_errctx *ctx)
{
    tl_store *store = NULL;
    const tl_str *findings = NULL;
    size_t count = 0;
    TL_TRY(tl_store_open(&store, dir, TL_STORE_READ, ctx));
    tl_err err = tl_store_verify(store, &findings, &count, arena, ctx);
    if (err == TL_OK && count > 0) {
        err = tl_fail(ctx, TL_ERR_CORRUPT, "%.*s", TL_STR_ARG(findings[0]));
    }
    (void)tl_store_close(store, NULL);
    return err;
}

static tl_err live(driver *d, size_t epoch, tl_errctx *ctx)
{
    if (epoch == 0) {
        TL_TRY(say_kept(d, ctx));
        TL_TRY(seed_funds(d, ctx));
    }
    TL_TRY(live_epoch(d, epoch, ctx));
    return epoch + 1 == EPOCHS ? say_journal(d, ctx) : TL_OK;
}

/* Each epoch opens the folder afresh: closing it moves the log into the database. */
static tl_err open_and_live(driver *d, const char *dir, size_t epoch, tl_errctx *ctx)
{
    TL_TRY(tl_engine_open(&d->engine, d->arena, dir, true, ctx));
    const tl_err err = live(d, epoch, ctx);
    const tl_err closed = tl_engine_close(d->engine, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : closed;
}

static tl_err drive(driver *d, const char *dir, tl_errctx *ctx)
{
    const random_world_options options = {.miners = MINERS,
                                          .epochs = EPOCHS,
                                          .tickers = TICKERS,
                                          .has_oddities = true,
                                          .has_gaps = true,
                                          .emission_rao = 1000000000000};
    TL_TRY(tl_arena_new(&d->arena, NULL, (size_t)1 << 30, NULL, ctx));
    tl_err err = engine_world_make(&d->world, d->arena, SEED, &options, ctx);
    for (size_t e = 0; err == TL_OK && e < EPOCHS; e++) {
        err = open_and_live(d, dir, e, ctx);
    }
    err = err != TL_OK ? err : check_store(dir, d->arena, ctx);
    tl_arena_free(d->arena);
    return err;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: driver DIR\n");
        return 2;
    }
    driver d = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = drive(&d, argv[1], &ctx);
    if (err != TL_OK) {
        (void)fprintf(stderr, "driver: %s: %s: %s\n", tl_err_name(err), ctx.field, ctx.message);
        return 1;
    }
    return 0;
}
