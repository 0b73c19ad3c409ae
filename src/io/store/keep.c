/* Submissions and receipts.
 *
 * ROAD 3/8 keep: an admitted submission becomes durable before anyone is told that it was taken. Comes from
 * core/epoch's admission, goes on to evidence. What is acknowledged here survives a crash at any point (STORE-1). */
#include "io/store/store_internal.h"

#include <string.h>

/* The submission that has this key, if there is one: the same again, or another under its name. */
static bool find_kept(tl_store *store, tl_store_receipt *out, const tl_store_submission *submission,
                      tl_err *err, tl_errctx *ctx)
{
    tl__stmt s;
    bool is_there = false;
    tl__stmt_open(&s, store, "look for a submission",
                  "SELECT serial, body FROM submissions WHERE key = ?");
    tl__stmt_hash(&s, 1, &submission->key);
    if (tl__stmt_row(&s)) {
        is_there = true;
        *out = (tl_store_receipt){tl__stmt_get_u64(&s, 0), false};
        if (tl_bytes_cmp(tl__stmt_borrow_blob(&s, 1), submission->body) != 0) {
            tl_errctx why = TL_ERRCTX_INIT;
            const tl_err other =
                tl_fail(&why, TL_ERR_DUPLICATE, "submission %llu has the same key and another body",
                        (unsigned long long)out->serial);
            tl__stmt_fail(&s, other, &why);
        }
    }
    *err = tl__stmt_close(&s, ctx);
    return is_there;
}

static tl_err insert(tl_store *store, const tl_store_submission *sub, tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(
        &s, store, "keep a submission",
        "INSERT INTO submissions (serial, key, epoch_id, hotkey, height, body, commitment,"
        " accepted, code)"
        " SELECT coalesce(max(serial), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ? FROM submissions");
    tl__stmt_hash(&s, 1, &sub->key);
    tl__stmt_str(&s, 2, sub->epoch_id);
    tl__stmt_blob(&s, 3, (tl_bytes){sub->hotkey.b, sizeof sub->hotkey.b});
    tl__stmt_u64(&s, 4, sub->height);
    tl__stmt_blob(&s, 5, sub->body);
    if (sub->has_commitment) {
        tl__stmt_hash(&s, 6, &sub->commitment);
    } else {
        tl__stmt_null(&s, 6);
    }
    tl__stmt_u64(&s, 7, sub->is_accepted ? 1 : 0);
    tl__stmt_str(&s, 8, sub->code);
    (void)tl__stmt_row(&s); /* outside of a transaction this is the commit */
    return tl__stmt_close(&s, ctx);
}

/* Station 3 of the road: see the top of this file. */
tl_err tl_store_keep(tl_store *store, tl_store_receipt *out, const tl_store_submission *submission,
                     tl_errctx *ctx)
{
    tl_store_receipt receipt = {0, true};
    tl_err err;
    if (!find_kept(store, &receipt, submission, &err, ctx)) { /* STORE-2 */
        TL_TRY(err);
        TL_TRY(insert(store, submission, ctx));
        receipt.serial = (uint64_t)sqlite3_last_insert_rowid(store->db);
        TL_ASSERT(receipt.serial > 0); /* STORE-4: the insert counted on from the last one */
    }
    TL_TRY(err);
    *out = receipt;
    return TL_OK;
}

static void read_submission(tl__stmt *s, tl_store_submission *row, tl_arena *arena)
{
    tl_hash32 hotkey = {{0}};
    row->serial = tl__stmt_get_u64(s, 0);
    tl__stmt_get_hash(s, &row->key, 1);
    tl__stmt_get_str(s, &row->epoch_id, 2, arena);
    tl__stmt_get_hash(s, &hotkey, 3);
    memcpy(row->hotkey.b, hotkey.b, sizeof row->hotkey.b);
    row->height = tl__stmt_get_u64(s, 4);
    tl__stmt_get_blob(s, &row->body, 5, arena);
    row->has_commitment = !tl__stmt_is_null(s, 6);
    if (row->has_commitment) {
        tl__stmt_get_hash(s, &row->commitment, 6);
    }
    row->is_accepted = tl__stmt_get_u64(s, 7) == 1;
    tl__stmt_get_str(s, &row->code, 8, arena);
}

tl_err tl_store_submissions(tl_store *store, const tl_store_submission **out, size_t *count,
                            tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl__stmt s;
    uint64_t rows = 0;
    tl__stmt_open(&s, store, "count submissions",
                  "SELECT count(*) FROM submissions WHERE epoch_id = ?");
    tl__stmt_str(&s, 1, epoch_id);
    if (tl__stmt_row(&s)) {
        rows = tl__stmt_get_u64(&s, 0);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    if (rows > TL_STORE_ROWS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "epoch %.*s has %llu submissions, above %zu",
                       TL_STR_ARG(epoch_id), (unsigned long long)rows, TL_STORE_ROWS_MAX);
    }
    tl_store_submission *list = TL_NEW(arena, tl_store_submission, (size_t)rows);
    if (list == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t n = 0;
    tl__stmt_open(&s, store, "read submissions",
                  "SELECT serial, key, epoch_id, hotkey, height, body, commitment, accepted, code"
                  " FROM submissions WHERE epoch_id = ? ORDER BY serial");
    tl__stmt_str(&s, 1, epoch_id);
    while (n < rows && tl__stmt_row(&s)) {
        read_submission(&s, &list[n++], arena);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    *out = list;
    *count = n;
    return TL_OK;
}

tl_err tl_store_submission_count(tl_store *store, uint64_t *out, tl_errctx *ctx)
{
    return tl__store_count(store, out, "count submissions", "SELECT count(*) FROM submissions",
                           ctx);
}

tl_err tl_store_get_receipt(tl_store *store, tl_bytes *out, uint64_t serial, tl_arena *arena,
                            tl_errctx *ctx)
{
    tl__stmt s;
    bool is_there = false;
    tl__stmt_open(&s, store, "read a receipt", "SELECT body FROM receipts WHERE serial = ?");
    tl__stmt_u64(&s, 1, serial);
    if (tl__stmt_row(&s)) {
        is_there = true;
        tl__stmt_get_blob(&s, out, 0, arena);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    return is_there ? TL_OK
                    : tl_fail(ctx, TL_ERR_NOT_FOUND, "submission %llu has no receipt",
                              (unsigned long long)serial);
}

/* Why a receipt could not be put: it is there already, or its submission is not. */
static tl_err judge_receipt(tl_store *store, uint64_t serial, tl_bytes body, tl_errctx *ctx)
{
    tl__stmt s;
    tl_err err =
        tl_fail(ctx, TL_ERR_NOT_FOUND, "there is no submission %llu", (unsigned long long)serial);
    tl__stmt_open(&s, store, "read a receipt", "SELECT body FROM receipts WHERE serial = ?");
    tl__stmt_u64(&s, 1, serial);
    if (tl__stmt_row(&s)) {
        const bool is_same = tl_bytes_cmp(tl__stmt_borrow_blob(&s, 0), body) == 0;
        err = is_same ? TL_OK
                      : tl_fail(ctx, TL_ERR_DUPLICATE, "submission %llu has another receipt",
                                (unsigned long long)serial);
    }
    TL_TRY(tl__stmt_close(&s, ctx));
    return tl__store_step_failed(store, err, ctx);
}

tl_err tl_store_put_receipt(tl_store *store, uint64_t serial, tl_bytes body, tl_errctx *ctx)
{
    tl__stmt s;
    tl__stmt_open(&s, store, "keep a receipt",
                  "INSERT INTO receipts (serial, body) SELECT serial, ?2 FROM submissions"
                  " WHERE serial = ?1 AND NOT EXISTS (SELECT 1 FROM receipts WHERE serial = ?1)");
    tl__stmt_u64(&s, 1, serial);
    tl__stmt_blob(&s, 2, body);
    (void)tl__stmt_row(&s);
    TL_TRY(tl__stmt_close(&s, ctx));
    return sqlite3_changes(store->db) == 1 ? TL_OK : judge_receipt(store, serial, body, ctx);
}
