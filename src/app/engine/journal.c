/* journal.c: the ledger in memory and the journal on disk move together (ENG-4). */
#include "app/engine/engine_internal.h"

tl_err tl__engine_journal(tl_engine *engine, tl_errctx *ctx)
{
    const uint64_t count = tl_ledger_count(engine->ledger);
    for (uint64_t i = engine->stored_entries; i < count; i++) {
        tl_arena *step = NULL;
        TL_TRY(tl_arena_new(&step, engine->arena, 0, NULL, ctx));
        tl_store_entry entry = {.serial = i, .hash = tl_ledger_entry_at(engine->ledger, i).hash};
        tl_err err = tl_ledger_encode(&entry.body, engine->ledger, i, step, ctx);
        err = err != TL_OK ? err : tl_store_append_entry(engine->store, &entry, ctx);
        tl_arena_free(step);
        TL_TRY(err);
    }
    return TL_OK;
}

tl_err tl__engine_commit(tl_engine *engine, tl_err step, tl_errctx *ctx)
{
    tl_err err = step;
    if (err == TL_OK) {
        err = tl__engine_journal(engine, ctx);
    }
    if (err == TL_OK) {
        err = tl_store_commit(engine->store, ctx);
    }
    if (err != TL_OK) {
        tl_store_rollback(engine->store);
        tl_ledger_drop_unsealed(engine->ledger);
        return err;
    }
    tl_ledger_seal(engine->ledger);
    engine->stored_entries = tl_ledger_count(engine->ledger);
    return TL_OK;
}

static tl_err see_entry(void *self, const tl_store_entry *entry, tl_errctx *ctx)
{
    tl_engine *engine = (tl_engine *)self;
    const tl_err err = tl_ledger_load(engine->ledger, entry->body, &entry->hash, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "journal entry %llu", (unsigned long long)entry->serial);
    }
    return err;
}

tl_err tl__engine_load_journal(tl_engine *engine, tl_errctx *ctx)
{
    /* The least ante is the epoch's parameter, tested at admission; the ledger's own floor is one rao. */
    const tl_ledger_options options = {.ante_min = tl_rao_from_i64(1)};
    TL_TRY(tl_ledger_new(&engine->ledger, engine->arena, &options, ctx));
    TL_TRY(tl_store_each_entry(engine->store, 0, see_entry, engine, ctx));
    tl_ledger_seal(engine->ledger);
    engine->stored_entries = tl_ledger_count(engine->ledger);
    return TL_OK;
}
