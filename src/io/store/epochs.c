/* Epochs and how they came where they are. */
#include "io/store/store_internal.h"

tl_err tl_store_put_epoch(tl_store *store, const tl_store_epoch *epoch, tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(&s, store, "keep an epoch",
                  "INSERT INTO epochs (epoch_id, state, opened_height, settled_height, bundle_path,"
                  " bundle_digest) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (epoch_id) DO UPDATE SET"
                  " state = excluded.state, opened_height = excluded.opened_height,"
                  " settled_height = excluded.settled_height, bundle_path = excluded.bundle_path,"
                  " bundle_digest = excluded.bundle_digest");
    tl__stmt_str(&s, 1, epoch->id);
    tl__stmt_str(&s, 2, epoch->state);
    tl__stmt_u64(&s, 3, epoch->opened_height);
    if (epoch->is_settled) {
        tl__stmt_u64(&s, 4, epoch->settled_height);
    } else {
        tl__stmt_null(&s, 4);
    }
    if (epoch->has_bundle) {
        tl__stmt_str(&s, 5, epoch->bundle_path);
        tl__stmt_hash(&s, 6, &epoch->bundle_digest);
    } else {
        tl__stmt_null(&s, 5);
        tl__stmt_null(&s, 6);
    }
    (void)tl__stmt_row(&s);
    return tl__stmt_close(&s, ctx);
}

#define EPOCH_COLUMNS                                                                              \
    "SELECT epoch_id, state, opened_height, settled_height, bundle_path, bundle_digest FROM "      \
    "epochs "

static void read_epoch(tl__stmt *s, tl_store_epoch *row, tl_arena *arena)
{
    tl__stmt_get_str(s, &row->id, 0, arena);
    tl__stmt_get_str(s, &row->state, 1, arena);
    row->opened_height = tl__stmt_get_u64(s, 2);
    row->is_settled = !tl__stmt_is_null(s, 3);
    row->settled_height = row->is_settled ? tl__stmt_get_u64(s, 3) : 0;
    row->has_bundle = !tl__stmt_is_null(s, 4);
    if (row->has_bundle) {
        tl__stmt_get_str(s, &row->bundle_path, 4, arena);
        tl__stmt_get_hash(s, &row->bundle_digest, 5);
    }
}

tl_err tl_store_get_epoch(tl_store *store, tl_store_epoch *out, tl_str id, tl_arena *arena,
                          tl_errctx *ctx)
{
    tl__stmt s;
    tl_store_epoch row = {0};
    bool is_there = false;
    tl__stmt_open(&s, store, "read an epoch", EPOCH_COLUMNS "WHERE epoch_id = ?");
    tl__stmt_str(&s, 1, id);
    if (tl__stmt_row(&s)) {
        is_there = true;
        read_epoch(&s, &row, arena);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    if (!is_there) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "there is no epoch %.*s in \"%s\"", TL_STR_ARG(id),
                       store->path);
    }
    *out = row;
    return TL_OK;
}

/* Room for as many rows as a table has for a list, within the limit. */
static tl_err row_count(tl_store *store, size_t *out, const char *sql, tl_errctx *ctx)
{
    uint64_t rows;
    TL_TRY(tl__store_count(store, &rows, "count rows", sql, ctx));
    if (rows > TL_STORE_ROWS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "\"%s\" has %llu rows for a list, above %zu", store->path,
                       (unsigned long long)rows, TL_STORE_ROWS_MAX);
    }
    *out = (size_t)rows;
    return TL_OK;
}

tl_err tl_store_epochs(tl_store *store, const tl_store_epoch **out, size_t *count, tl_arena *arena,
                       tl_errctx *ctx)
{
    size_t rows;
    TL_TRY(row_count(store, &rows, "SELECT count(*) FROM epochs", ctx));
    tl_store_epoch *list = TL_NEW(arena, tl_store_epoch, rows);
    if (list == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl__stmt s;
    size_t n = 0;
    tl__stmt_open(&s, store, "read epochs", EPOCH_COLUMNS "ORDER BY serial");
    while (n < rows && tl__stmt_row(&s)) {
        read_epoch(&s, &list[n++], arena);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    *out = list;
    *count = n;
    return TL_OK;
}

tl_err tl_store_put_transition(tl_store *store, const tl_store_transition *transition,
                               tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(
        &s, store, "keep a transition",
        "INSERT INTO transitions (epoch_id, position, from_state, to_state, cause, height)"
        " SELECT epoch_id, (SELECT count(*) FROM transitions WHERE epoch_id = ?1),"
        " ?2, ?3, ?4, ?5 FROM epochs WHERE epoch_id = ?1");
    tl__stmt_str(&s, 1, transition->epoch_id);
    tl__stmt_str(&s, 2, transition->from);
    tl__stmt_str(&s, 3, transition->to);
    tl__stmt_str(&s, 4, transition->cause);
    tl__stmt_u64(&s, 5, transition->height);
    (void)tl__stmt_row(&s);
    TL_TRY(tl__stmt_close(&s, ctx));
    if (sqlite3_changes(store->db) != 1) {
        tl_errctx why = TL_ERRCTX_INIT;
        const tl_err err = tl_fail(&why, TL_ERR_NOT_FOUND, "there is no epoch %.*s in \"%s\"",
                                   TL_STR_ARG(transition->epoch_id), store->path);
        if (ctx != NULL) {
            *ctx = why;
        }
        return tl__store_step_failed(store, err, &why);
    }
    return TL_OK;
}

static void read_transition(tl__stmt *s, tl_store_transition *row, tl_arena *arena)
{
    tl__stmt_get_str(s, &row->epoch_id, 0, arena);
    tl__stmt_get_str(s, &row->from, 1, arena);
    tl__stmt_get_str(s, &row->to, 2, arena);
    tl__stmt_get_str(s, &row->cause, 3, arena);
    row->height = tl__stmt_get_u64(s, 4);
}

tl_err tl_store_transitions(tl_store *store, const tl_store_transition **out, size_t *count,
                            tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    enum { ROWS_MAX = 1024 }; /* states are nine, and an epoch goes through them once or twice */
    tl_store_transition *list = TL_NEW(arena, tl_store_transition, ROWS_MAX);
    if (list == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl__stmt s;
    size_t n = 0;
    tl__stmt_open(&s, store, "read transitions",
                  "SELECT epoch_id, from_state, to_state, cause, height FROM transitions"
                  " WHERE epoch_id = ? ORDER BY position");
    tl__stmt_str(&s, 1, epoch_id);
    while (n < ROWS_MAX && tl__stmt_row(&s)) {
        read_transition(&s, &list[n++], arena);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    *out = list;
    *count = n;
    return TL_OK;
}
