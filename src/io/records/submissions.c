/* Submissions: kept once, durable, unchanged. */
#include "io/records/records_internal.h"

#include <string.h>

/* --- keeping --- */

typedef struct keeping {
    tl_record_receipt *receipts;
    const tl_record_submission *submissions;
    size_t count;
    tl_str window_of; /* the epoch that window is of; empty: none yet */
    tl__window window;
} keeping;

static tl_err find_kept(tl_sql *sql, const tl_record_submission *sub, tl_record_receipt *receipt,
                        bool *is_there, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "look for a submission",
                   "SELECT content_hash, received_ms FROM submissions"
                   " WHERE epoch_id = ? AND hotkey = ?");
    tl__put_text(&s, sub->epoch_id);
    tl__put_key(&s, &sub->hotkey);
    *is_there = tl_sql_row(&s);
    if (*is_there) {
        receipt->kept = TL_RECORD_KEPT_BEFORE;
        tl_sql_get_hash(&s, &receipt->content_hash, 0);
        receipt->received_ms = tl_sql_get_i64(&s, 1);
    }
    return tl_sql_end(&s, NULL, ctx);
}

/* In time and before the beacon: what it draws could not be known to whoever made the submission. Between the deadline and
 * the beacon stands only what was received before and is still being written down. */
static tl_err judge_time(keeping *k, tl_sql *sql, const tl_record_submission *sub,
                         tl_record_kept *out, tl_errctx *ctx)
{
    if (k->window_of.len == 0 || !tl_str_eq(k->window_of, sub->epoch_id)) {
        tl_errctx why = TL_ERRCTX_INIT;
        const tl_err err = tl__read_window(sql, &k->window, sub->epoch_id, &why);
        if (err == TL_ERR_NOT_FOUND) {
            *out = TL_RECORD_NO_EPOCH;
            return TL_OK;
        }
        if (err != TL_OK) {
            if (ctx != NULL) {
                *ctx = why;
            }
            return err;
        }
        k->window_of = sub->epoch_id;
    }
    const bool is_taking =
        (k->window.state == TL_EPOCH_OPEN || k->window.state == TL_EPOCH_REVEAL) &&
        !k->window.has_beacon && sub->received_ms < k->window.deadline_ms;
    *out = is_taking ? TL_RECORD_KEPT : TL_RECORD_TOO_LATE;
    return TL_OK;
}

static tl_err insert_submission(tl_sql *sql, const tl_record_submission *sub, bool *is_new,
                                tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "keep a submission",
                   "INSERT INTO submissions (epoch_id, hotkey, coldkey, uid, content_hash,"
                   " received_ms, metadata, correlation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                   " ON CONFLICT (epoch_id, hotkey) DO NOTHING"); /* REC-2 */
    tl__put_text(&s, sub->epoch_id);
    tl__put_key(&s, &sub->hotkey);
    tl__put_key(&s, &sub->coldkey);
    tl_sql_put_i64(&s, sub->uid);
    tl_sql_put_hash(&s, &sub->content_hash);
    tl_sql_put_i64(&s, sub->received_ms);
    tl_sql_put_bytes(&s, sub->metadata);
    tl__put_text(&s, sub->correlation);
    uint64_t changed = 0;
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    *is_new = changed == 1;
    return TL_OK;
}

enum { OBJECTS_AT_ONCE = 32 }; /* a server is asked once for what most submissions name */

static tl_err insert_objects(tl_sql *sql, const tl_record_submission *sub, size_t from, size_t n,
                             tl_errctx *ctx)
{
    char text[1024] = "INSERT INTO submission_objects (epoch_id, hotkey, position, key, zipcode,"
                      " sha256, bytes, row_count) VALUES ";
    size_t len = strlen(text);
    for (size_t i = 0; i < n; i++) {
        len += tl_str_print(text + len, sizeof text - len, "%s(?, ?, ?, ?, ?, ?, ?, ?)",
                            i > 0 ? "," : "");
    }
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "keep an object's name", text);
    for (size_t i = from; i < from + n; i++) {
        const tl_record_object *o = &sub->objects[i];
        tl__put_text(&s, sub->epoch_id);
        tl__put_key(&s, &sub->hotkey);
        tl_sql_put_u64(&s, i);
        tl__put_text(&s, o->key);
        tl__put_text(&s, o->zipcode);
        tl_sql_put_hash(&s, &o->sha256);
        tl_sql_put_u64(&s, o->bytes);
        tl_sql_put_i64(&s, o->rows);
    }
    return tl_sql_end(&s, NULL, ctx);
}

/* One row a zipcode, of what its objects say together; a sum that no honest miner reaches is cut. */
static tl_err insert_zips(tl_sql *sql, const tl_record_submission *sub, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "keep a submission",
                   "INSERT INTO miner_submissions (epoch_id, miner_hotkey, zipcode,"
                   " listings_scraped, submission_ms, s3_upload_complete, validation_status,"
                   " score_millionths)"
                   " SELECT epoch_id, hotkey, zipcode, CASE WHEN SUM(row_count) > 4294967295"
                   " THEN 4294967295 ELSE CAST(SUM(row_count) AS BIGINT) END,"
                   " CAST(? AS BIGINT), 1, 'PENDING', 0 FROM submission_objects"
                   " WHERE epoch_id = ? AND hotkey = ? GROUP BY epoch_id, hotkey, zipcode");
    tl_sql_put_i64(&s, sub->received_ms);
    tl__put_text(&s, sub->epoch_id);
    tl__put_key(&s, &sub->hotkey);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err keep_new(tl_sql *sql, const tl_record_submission *sub, bool *is_new, tl_errctx *ctx)
{
    TL_TRY(insert_submission(sql, sub, is_new, ctx));
    if (!*is_new) {
        return TL_OK;
    }
    for (size_t i = 0; i < sub->object_count;) {
        const size_t left = sub->object_count - i;
        const size_t n = left < OBJECTS_AT_ONCE ? left : OBJECTS_AT_ONCE;
        TL_TRY(insert_objects(sql, sub, i, n, ctx));
        i += n;
    }
    return sub->object_count > 0 ? insert_zips(sql, sub, ctx) : TL_OK;
}

static tl_err keep_one(keeping *k, size_t i, tl_sql *sql, tl_errctx *ctx)
{
    const tl_record_submission *sub = &k->submissions[i];
    tl_record_receipt *receipt = &k->receipts[i];
    bool is_there = false;
    TL_TRY(find_kept(sql, sub, receipt, &is_there, ctx));
    if (is_there) {
        return TL_OK;
    }
    receipt->content_hash = sub->content_hash;
    receipt->received_ms = sub->received_ms;
    TL_TRY(judge_time(k, sql, sub, &receipt->kept, ctx));
    if (receipt->kept != TL_RECORD_KEPT) {
        return TL_OK;
    }
    bool is_new = false;
    TL_TRY(keep_new(sql, sub, &is_new, ctx));
    return is_new ? TL_OK : find_kept(sql, sub, receipt, &is_there, ctx); /* another was faster */
}

static tl_err keep_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    keeping *k = self;
    k->window_of = (tl_str){NULL, 0};
    for (size_t i = 0; i < k->count; i++) {
        TL_TRY(keep_one(k, i, sql, ctx));
    }
    return TL_OK;
}

tl_err tl_records_keep(tl_records *records, tl_record_receipt *receipts,
                       const tl_record_submission *submissions, size_t count, tl_errctx *ctx)
{
    keeping k = {.receipts = receipts, .submissions = submissions, .count = count};
    return tl_sql_transact(records->sql, keep_body, &k, ctx); /* REC-1: durable after its commit */
}

/* --- reading --- */

#define SUBMISSION_COLUMNS                                                                         \
    "s.serial, s.epoch_id, s.hotkey, s.coldkey, s.uid, s.content_hash, s.received_ms,"             \
    " s.correlation"
#define OBJECT_COLUMNS "o.key, o.zipcode, o.sha256, o.bytes, o.row_count"

static void read_submission(tl_sql_stmt *s, tl_record_submission *out, tl_arena *arena)
{
    out->serial = tl_sql_get_u64(s, 0);
    tl_sql_get_str(s, &out->epoch_id, 1, arena);
    tl__get_key(s, &out->hotkey, 2);
    tl__get_key(s, &out->coldkey, 3);
    out->uid = tl__get_u32(s, 4);
    tl_sql_get_hash(s, &out->content_hash, 5);
    out->received_ms = tl_sql_get_i64(s, 6);
    tl_sql_get_str(s, &out->correlation, 7, arena);
}

static void read_object(tl_sql_stmt *s, tl_record_object *out, int column, tl_arena *arena)
{
    tl_sql_get_str(s, &out->key, column, arena);
    tl_sql_get_str(s, &out->zipcode, column + 1, arena);
    tl_sql_get_hash(s, &out->sha256, column + 2);
    out->bytes = tl_sql_get_u64(s, column + 3);
    out->rows = tl__get_u32(s, column + 4);
}

static tl_err end_submissions(tl_sql_stmt *s, tl_vec *rows, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec_init(rows, arena, sizeof(tl_record_submission));
    while (tl_sql_row(s)) {
        tl_record_submission *row = tl__push(rows, s);
        if (row != NULL) {
            read_submission(s, row, arena);
        }
    }
    return tl_sql_end(s, NULL, ctx);
}

/* Objects, each behind its submission's serial in column 0, in the order of the submissions. */
static tl_err end_objects(tl_sql_stmt *s, tl_vec *submissions, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec objects;
    tl_vec_init(&objects, arena, sizeof(tl_record_object));
    tl_record_submission *subs = submissions->items;
    size_t at = 0;
    while (tl_sql_row(s)) {
        const uint64_t serial = tl_sql_get_u64(s, 0);
        while (at < submissions->count && subs[at].serial != serial) {
            at++;
        }
        tl_record_object *row = at < submissions->count ? tl__push(&objects, s) : NULL;
        if (row != NULL) {
            read_object(s, row, 1, arena);
            subs[at].object_count++;
        }
    }
    TL_TRY(tl_sql_end(s, NULL, ctx));
    const tl_record_object *next = objects.items; /* they move no more */
    for (size_t i = 0; i < submissions->count; i++) {
        subs[i].objects = next;
        next = subs[i].object_count > 0 ? next + subs[i].object_count : next;
    }
    return TL_OK;
}

tl_err tl_records_submission(tl_records *records, tl_record_submission *out, tl_str epoch_id,
                             const tl_hotkey *hotkey, tl_arena *arena, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read a submission",
                   "SELECT " SUBMISSION_COLUMNS ", s.metadata FROM submissions s"
                   " WHERE s.epoch_id = ? AND s.hotkey = ?");
    tl__put_text(&s, epoch_id);
    tl__put_key(&s, hotkey);
    tl_record_submission found;
    memset(&found, 0, sizeof found);
    const bool is_there = tl_sql_row(&s);
    if (is_there) {
        read_submission(&s, &found, arena);
        tl_sql_get_bytes(&s, &found.metadata, 8, arena);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (!is_there) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "no submission of this hotkey for \"%.*s\"",
                       TL_STR_ARG(epoch_id));
    }
    tl_sql_prepare(&s, records->sql, "read a submission",
                   "SELECT CAST(? AS BIGINT), " OBJECT_COLUMNS " FROM submission_objects o"
                   " WHERE o.epoch_id = ? AND o.hotkey = ? ORDER BY o.position");
    tl_sql_put_u64(&s, found.serial);
    tl__put_text(&s, epoch_id);
    tl__put_key(&s, hotkey);
    tl_vec one = {arena, &found, 1, 1, sizeof found};
    TL_TRY(end_objects(&s, &one, arena, ctx));
    *out = found;
    return TL_OK;
}

tl_err tl_records_submissions(tl_records *records, const tl_record_submission **out, size_t *count,
                              tl_str epoch_id, uint64_t after_serial, size_t limit, tl_arena *arena,
                              tl_errctx *ctx)
{
    TL_TRY(tl__check_limit(limit, ctx));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read submissions",
                   "SELECT " SUBMISSION_COLUMNS " FROM submissions s"
                   " WHERE s.epoch_id = ? AND s.serial > ? ORDER BY s.serial LIMIT ?");
    tl__put_text(&s, epoch_id);
    tl_sql_put_u64(&s, after_serial);
    tl_sql_put_u64(&s, limit);
    tl_vec rows;
    TL_TRY(end_submissions(&s, &rows, arena, ctx));
    if (rows.count > 0) {
        const tl_record_submission *last = tl_vec_at(&rows, rows.count - 1);
        tl_sql_prepare(&s, records->sql, "read submissions",
                       "SELECT s.serial, " OBJECT_COLUMNS " FROM submissions s"
                       " JOIN submission_objects o"
                       " ON o.epoch_id = s.epoch_id AND o.hotkey = s.hotkey"
                       " WHERE s.epoch_id = ? AND s.serial > ? AND s.serial <= ?"
                       " AND o.hotkey IN (SELECT hotkey FROM submissions"
                       " WHERE epoch_id = ? AND serial > ? AND serial <= ?)"
                       " ORDER BY s.serial, o.position");
        for (int twice = 0; twice < 2;
             twice++) { /* IN: else the whole epoch's objects are walked */
            tl__put_text(&s, epoch_id);
            tl_sql_put_u64(&s, after_serial);
            tl_sql_put_u64(&s, last->serial);
        }
        TL_TRY(end_objects(&s, &rows, arena, ctx));
    }
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

tl_err tl_records_submission_count(tl_records *records, uint64_t *out, tl_str epoch_id,
                                   tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "count submissions",
                   "SELECT count(*) FROM submissions WHERE epoch_id = ?");
    tl__put_text(&s, epoch_id);
    return tl__end_count(&s, out, ctx);
}

tl_err tl_records_entries(tl_records *records, const tl_record_submission **out, size_t *count,
                          tl_str epoch_id, tl_str zipcode, tl_arena *arena, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read a zipcode's submissions",
                   "SELECT " SUBMISSION_COLUMNS " FROM submissions s"
                   " JOIN miner_submissions m"
                   " ON m.epoch_id = s.epoch_id AND m.miner_hotkey = s.hotkey"
                   " WHERE m.epoch_id = ? AND m.zipcode = ? ORDER BY s.received_ms, s.hotkey");
    tl__put_text(&s, epoch_id);
    tl__put_text(&s, zipcode);
    tl_vec rows;
    TL_TRY(end_submissions(&s, &rows, arena, ctx));
    tl_sql_prepare(&s, records->sql, "read a zipcode's submissions",
                   "SELECT s.serial, " OBJECT_COLUMNS " FROM submission_objects o"
                   " JOIN submissions s ON s.epoch_id = o.epoch_id AND s.hotkey = o.hotkey"
                   " WHERE o.epoch_id = ? AND o.zipcode = ?"
                   " ORDER BY s.received_ms, s.hotkey, o.position");
    tl__put_text(&s, epoch_id);
    tl__put_text(&s, zipcode);
    TL_TRY(end_objects(&s, &rows, arena, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}
