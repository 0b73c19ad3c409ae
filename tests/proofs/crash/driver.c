/* driver DIR: a small network in a state folder, through the engine's own door: three weekly epochs of random miners
 * with all kinds of faults, one of them extended before it is settled. Every line says what is durable when it is
 * printed; crash.py kills it anywhere, starts it again, and compares.
 *
 *      kept EPOCH DIGEST               at the start: an epoch that is over
 *      ack EPOCH SIGNAL VERDICT new    a receipt; new or old
 *      extended EPOCH                  settled EPOCH DIGEST
 *      entry N HASH CAUSE              at the end: the journal, verified
 *      done ISSUANCE HEAD
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/assemble/test/random_world.h"
#include "app/engine/engine.h"
#include "core/num/stats/stats.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/store/store.h"

enum { EPOCHS = 3, MINERS = 9, TICKERS = 8, RESEND_EVERY = 4, EXTENDED_EPOCH = 1 };
enum { EPOCH_BLOCKS = 50400 };

typedef struct driver {
    tl_arena *arena;
    tl_engine *engine;
    random_world world;
    tl_price_table table;
    tl_str parameters;
    tl_epoch_span first;
} driver;

typedef struct sent {
    tl_str text;
    uint64_t height;
    tl_str epoch_id;
} sent;

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

/* --- the world --- */

static tl_err make_parameters(driver *d, tl_errctx *ctx)
{
    const tl_json *given = NULL;
    TL_TRY(tl_json_parse(&given, d->arena, d->world.params, NULL, ctx));
    tl_sb sb;
    tl_sb_init(&sb, d->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    TL_TRY(tl_road_params_put(&w, &tl_subnet_portfolio, given, NULL, d->arena, ctx));
    return tl_sb_finish(&d->parameters, &sb, ctx);
}

static void epoch_id_of(char out[TL_EPOCH_ID_CAP], size_t epoch)
{
    tl_epoch_id_weekly(out, tl_day_from_ymd(2024, 1, 8) + (tl_day)(7 * epoch));
}

static tl_err make_world(driver *d, tl_errctx *ctx)
{
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 2024);
    const random_world_options options = {.miners = MINERS,
                                          .epochs = EPOCHS,
                                          .tickers = TICKERS,
                                          .has_oddities = true,
                                          .has_gaps = true,
                                          .emission_rao = 1000000000000};
    random_world_make(&d->world, d->arena, &rng, &options);
    TL_TRY(tl_price_table_read(&d->table, d->arena, d->world.prices, ctx));
    TL_TRY(make_parameters(d, ctx));
    char id[TL_EPOCH_ID_CAP];
    epoch_id_of(id, 0);
    return tl_epoch_span_parse(&d->first, tl_str_from_cstr(id), ctx);
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

/* --- one epoch --- */

static int sent_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const sent *x = (const sent *)a;
    const sent *y = (const sent *)b;
    if (x->height != y->height) {
        return x->height < y->height ? -1 : 1;
    }
    return tl_str_cmp(x->text, y->text);
}

/* The lines that were made for this epoch, in the order of their heights. */
static tl_err lines_of(sent *out, const driver *d, size_t epoch, tl_errctx *ctx)
{
    for (size_t i = 0; i < MINERS; i++) {
        const tl_json *tree = NULL;
        out[i].text = d->world.lines[epoch * MINERS + i];
        TL_TRY(tl_json_parse(&tree, d->arena, out[i].text, NULL, ctx));
        TL_TRY(tl_json_want_u64(&out[i].height, tree, "commit_height", ctx));
    }
    return tl_sort(out, MINERS, sizeof *out, sent_cmp, NULL, d->arena, ctx);
}

static tl_err submit(driver *d, const sent *line, const char *id, tl_errctx *ctx)
{
    tl_engine_receipt r = {0};
    TL_TRY(tl_engine_submit(d->engine, &r, d->arena, line->text, ctx));
    (void)printf("ack %s ", id);
    say_hash(&r.commitment);
    (void)printf("-%.*s %s %s", TL_STR_ARG(r.hotkey), r.is_accepted ? "accepted" : r.code,
                 r.is_new ? "new" : "old");
    return say_end();
}

/* Settle with what the first `blind` validators did not see. */
static tl_err settle(driver *d, const char *id, uint64_t height, size_t blind, tl_errctx *ctx)
{
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    for (size_t v = 0; v < blind; v++) {
        views[v].has_feed = false;
    }
    const tl_price_table *tables[1] = {&d->table};
    tl_epoch_span span = {0, 0};
    size_t from = 0;
    size_t to = 0;
    tl_str evidence = {NULL, 0};
    const tl_str epoch_id = tl_str_from_cstr(id);
    TL_TRY(tl_epoch_span_parse(&span, epoch_id, ctx));
    TL_TRY(tl_assemble_rows(&from, &to, &d->table, d->first.first, span, epoch_id, ctx));
    TL_TRY(tl_assemble_evidence(&evidence, d->arena, tables, 1, from, to, views,
                                TL_ASSEMBLE_VALIDATORS, ctx));
    tl_assembled epoch = {0};
    TL_TRY(tl_engine_settle(d->engine, &epoch, d->arena, epoch_id, height, views,
                            TL_ASSEMBLE_VALIDATORS, evidence, (tl_str){NULL, 0}, ctx));
    (void)printf("%s %s", tl_epoch_state_text(epoch.result.state), id);
    if (epoch.result.state != TL_EPOCH_EXTENDED) {
        (void)printf(" ");
        say_hash(&epoch.digest);
    }
    return say_end();
}

static tl_err live_epoch(driver *d, size_t epoch, tl_errctx *ctx)
{
    char id[TL_EPOCH_ID_CAP];
    epoch_id_of(id, epoch);
    const uint64_t close = (uint64_t)EPOCH_BLOCKS * (epoch + 1) - 2000;
    if (!tl_engine_is_settled(d->engine, tl_str_from_cstr(id))) {
        sent lines[MINERS];
        TL_TRY(lines_of(lines, d, epoch, ctx));
        TL_TRY(tl_engine_begin(d->engine, tl_str_from_cstr(id), d->parameters,
                               (uint64_t)EPOCH_BLOCKS * epoch, ctx));
        for (size_t i = 0; i < MINERS; i++) {
            TL_TRY(submit(d, &lines[i], id, ctx));
            if (i % RESEND_EVERY == 0) {
                TL_TRY(submit(d, &lines[i], id, ctx));
            }
        }
        if (epoch == EXTENDED_EPOCH) { /* 65 % of the stake saw nothing */
            TL_TRY(settle(d, id, close, 2, ctx));
        }
    }
    return settle(d, id, close + (epoch == EXTENDED_EPOCH ? 1000 : 0), 0, ctx);
}

static tl_err say_kept(driver *d, tl_errctx *ctx)
{
    for (size_t e = 0; e < EPOCHS; e++) {
        char id[TL_EPOCH_ID_CAP];
        epoch_id_of(id, e);
        if (tl_engine_is_settled(d->engine, tl_str_from_cstr(id))) {
            (void)printf("kept ");
            TL_TRY(settle(d, id, 0, 0, ctx));
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
    TL_TRY(tl_arena_new(&d->arena, NULL, (size_t)1 << 30, NULL, ctx));
    tl_err err = make_world(d, ctx);
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
