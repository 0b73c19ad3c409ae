/* engine_internal: the state of an open folder. */
#ifndef TALLY_APP_ENGINE_INTERNAL_H
#define TALLY_APP_ENGINE_INTERNAL_H

#include "app/engine/engine.h"
#include "base/map/map.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/store/store.h"

/* The epoch that takes signals now. Its arena dies when it is settled. */
typedef struct tl__open_epoch {
    bool is_open;
    tl_arena *arena;
    tl_str epoch_id;
    tl_epoch_machine machine;
    uint64_t opened_height;
    tl_str parameters; /* canonical */
    tl_road_params params;
    tl_carry carry;
    tl_str records; /* the carry as text */
    tl_str bonds;
    tl_map live; /* live signals by hotkey, as far as a second one of the hotkey depends on them */
} tl__open_epoch;

struct tl_engine {
    tl_arena *arena;
    const char *dir;
    tl_store *store;
    tl_ledger *ledger;
    uint64_t stored_entries; /* journal entries in the database (ENG-4) */
    bool has_funds;          /* free balances are tested */
    tl__open_epoch epoch;
};

/* open.c */
tl_err tl__engine_load_epoch(tl_engine *engine, tl_str epoch_id, tl_errctx *ctx);
void tl__engine_drop_epoch(tl_engine *engine);

/* open.c: that signal is its hotkey's live one from now on. */
tl_err tl__engine_set_live(tl__open_epoch *epoch, const tl_submission *submission, tl_errctx *ctx);

/* journal.c: append the ledger's new entries to the open transaction. */
tl_err tl__engine_journal(tl_engine *engine, tl_errctx *ctx);

/* journal.c: the ledger from the database. */
tl_err tl__engine_load_journal(tl_engine *engine, tl_errctx *ctx);

/* journal.c: commit what is open; when that fails, the ledger forgets it too. step: what happened before. */
tl_err tl__engine_commit(tl_engine *engine, tl_err step, tl_errctx *ctx);

/* The transitions and the row of the open epoch, into the open transaction. */
tl_err tl__engine_step(tl_engine *engine, tl_epoch_event event, uint64_t height, const char *cause,
                       tl_errctx *ctx);
tl_err tl__engine_put_epoch(tl_engine *engine, const char *bundle_path, const tl_hash32 *digest,
                            tl_errctx *ctx);

/* kv names. */
tl_err tl__engine_get(tl_str *out, tl_engine *engine, tl_str key, tl_arena *arena, tl_errctx *ctx);
tl_err tl__engine_parameters_key(tl_str *out, tl_arena *arena, tl_str epoch_id, tl_errctx *ctx);

#endif
