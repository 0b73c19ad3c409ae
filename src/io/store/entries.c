/* Ledger entries, which are only ever appended, and small values by name. */
#include "io/store/store_internal.h"

tl_err tl_store_append_entry(tl_store *store, const tl_store_entry *entry, tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(&s, store, "append a ledger entry",
                  "INSERT INTO ledger_entries (serial, body, hash) SELECT ?1, ?2, ?3"
                  " WHERE ?1 = (SELECT coalesce(max(serial) + 1, 0) FROM ledger_entries)");
    tl__stmt_u64(&s, 1, entry->serial);
    tl__stmt_blob(&s, 2, entry->body);
    tl__stmt_hash(&s, 3, &entry->hash);
    (void)tl__stmt_row(&s);
    TL_TRY(tl__stmt_close(&s, ctx));
    if (sqlite3_changes(store->db) != 1) { /* STORE-4 */
        tl_errctx why = TL_ERRCTX_INIT;
        const tl_err err = tl_fail(&why, TL_ERR_STATE, "ledger entry %llu is not the next one",
                                   (unsigned long long)entry->serial);
        if (ctx != NULL) {
            *ctx = why;
        }
        return tl__store_step_failed(store, err, &why);
    }
    return TL_OK;
}

tl_err tl_store_each_entry(tl_store *store, uint64_t from_serial,
                           tl_err (*see)(void *self, const tl_store_entry *entry, tl_errctx *ctx),
                           void *self, tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(
        &s, store, "read ledger entries",
        "SELECT serial, body, hash FROM ledger_entries WHERE serial >= ? ORDER BY serial");
    tl__stmt_u64(&s, 1, from_serial);
    while (tl__stmt_row(&s)) {
        tl_store_entry entry = {.serial = tl__stmt_get_u64(&s, 0)};
        tl__stmt_get_hash(&s, &entry.hash, 2);
        entry.body = tl__stmt_borrow_blob(&s, 1);
        if (s.err == TL_OK) {
            tl_errctx why = TL_ERRCTX_INIT;
            tl__stmt_fail(&s, see(self, &entry, &why), &why);
        }
    }
    return tl__stmt_close(&s, ctx);
}

tl_err tl_store_entry_count(tl_store *store, uint64_t *out, tl_errctx *ctx)
{
    return tl__store_count(store, out, "count ledger entries",
                           "SELECT count(*) FROM ledger_entries", ctx);
}

tl_err tl_store_put_value(tl_store *store, tl_str key, tl_bytes value, tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(&s, store, "keep a value",
                  "INSERT INTO metadata (key, value) VALUES (?, ?)"
                  " ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    tl__stmt_str(&s, 1, key);
    tl__stmt_blob(&s, 2, value);
    (void)tl__stmt_row(&s);
    return tl__stmt_close(&s, ctx);
}

tl_err tl_store_get_value(tl_store *store, tl_bytes *out, tl_str key, tl_arena *arena,
                          tl_errctx *ctx)
{
    tl__stmt s;
    bool is_there = false;
    tl__stmt_open(&s, store, "read a value", "SELECT value FROM metadata WHERE key = ?");
    tl__stmt_str(&s, 1, key);
    if (tl__stmt_row(&s)) {
        is_there = true;
        tl__stmt_get_blob(&s, out, 0, arena);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    return is_there ? TL_OK
                    : tl_fail(ctx, TL_ERR_NOT_FOUND, "there is no value \"%.*s\"", TL_STR_ARG(key));
}
