/* What a submission is worth, zipcode by zipcode, and for how long it is kept; what miners say of themselves. */
#include "io/records/records_internal.h"

#include <string.h>

static const char *const validation_words[] = {
#define WORD(name, text) text,
    TL_RECORD_VALIDATION_MAP(WORD)};

static const char *const status_words[] = {TL_RECORD_STATUS_MAP(WORD)
#undef WORD
};

static size_t find_word(const char *const *words, size_t count, tl_str text)
{
    size_t i = 0;
    while (i < count && !tl_str_eq_cstr(text, words[i])) {
        i++;
    }
    return i;
}

/* A word of the schema's own list. */
static size_t get_word(tl_sql_stmt *s, int column, const char *const *words, size_t count)
{
    const tl_bytes text = tl_sql_borrow(s, column);
    const size_t i = find_word(words, count, (tl_str){(const char *)text.ptr, text.len});
    if (s->err == TL_OK && i == count) {
        tl_errctx why = TL_ERRCTX_INIT;
        tl_sql_fail(s, tl_fail(&why, TL_ERR_CORRUPT, "cannot %s: an unknown word", s->what), &why);
    }
    return i < count ? i : 0;
}

/* --- zips --- */

typedef struct scoring {
    tl_str epoch_id;
    const tl_record_zip *zips;
    size_t count;
} scoring;

static tl_err score_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const scoring *in = self;
    for (size_t i = 0; i < in->count; i++) {
        const tl_record_zip *z = &in->zips[i];
        uint64_t changed = 0;
        tl_sql_stmt s;
        tl_sql_prepare(&s, sql, "note a score",
                       "UPDATE miner_submissions SET validation_status = ?, score_millionths = ?"
                       " WHERE epoch_id = ? AND miner_hotkey = ? AND zipcode = ?");
        tl_sql_put_str(&s, tl_str_from_cstr(validation_words[z->validation]));
        tl_sql_put_i64(&s, z->score_millionths);
        tl__put_text(&s, in->epoch_id);
        tl__put_key(&s, &z->hotkey);
        tl__put_text(&s, z->zipcode);
        TL_TRY(tl_sql_end(&s, &changed, ctx));
        if (changed == 0) {
            return tl__missing("submission for zipcode", z->zipcode, ctx);
        }
    }
    return TL_OK;
}

tl_err tl_records_set_zips(tl_records *records, tl_str epoch_id, const tl_record_zip *zips,
                           size_t count, tl_errctx *ctx)
{
    scoring in = {epoch_id, zips, count};
    return tl_sql_transact(records->sql, score_body, &in, ctx);
}

tl_err tl_records_zips(tl_records *records, const tl_record_zip **out, size_t *count,
                       tl_str epoch_id, const tl_hotkey *hotkey, tl_arena *arena, tl_errctx *ctx)
{
#define ZIP_SELECT                                                                                 \
    "SELECT miner_hotkey, zipcode, listings_scraped, validation_status, score_millionths"          \
    " FROM miner_submissions WHERE epoch_id = ?"
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_zip));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read scores",
                   hotkey != NULL ? ZIP_SELECT " AND miner_hotkey = ? ORDER BY zipcode"
                                  : ZIP_SELECT " ORDER BY miner_hotkey, zipcode");
#undef ZIP_SELECT
    tl__put_text(&s, epoch_id);
    if (hotkey != NULL) {
        tl__put_key(&s, hotkey);
    }
    while (tl_sql_row(&s)) {
        tl_record_zip *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl__get_key(&s, &row->hotkey, 0);
            tl_sql_get_str(&s, &row->zipcode, 1, arena);
            row->listings = tl__get_u32(&s, 2);
            row->validation =
                (tl_record_validation)get_word(&s, 3, validation_words, TL_RECORD_VALIDATION_COUNT);
            row->score_millionths = tl_sql_get_i64(&s, 4);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- the end of keeping --- */

typedef struct forgetting {
    tl_str epoch_id;
    const tl_record_lease *fence;
    uint64_t forgotten;
} forgetting;

static tl_err forget_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    /* those that name others first; the submissions last, whose number is told */
    static const char *const texts[] = {"DELETE FROM submission_objects WHERE epoch_id = ?",
                                        "DELETE FROM miner_submissions WHERE epoch_id = ?",
                                        "DELETE FROM miner_status WHERE epoch_id = ?",
                                        "DELETE FROM evidence WHERE epoch_id = ?",
                                        "DELETE FROM shards WHERE epoch_id = ?",
                                        "DELETE FROM submissions WHERE epoch_id = ?"};
    forgetting *f = self;
    tl__window window;
    TL_TRY(tl__check_fence(sql, f->fence, ctx));
    TL_TRY(tl__read_window(sql, &window, f->epoch_id, ctx));
    if (window.state != TL_EPOCH_ARCHIVED) {
        return tl_fail(ctx, TL_ERR_STATE, "epoch \"%.*s\" is %s, not archived",
                       TL_STR_ARG(f->epoch_id), tl_epoch_state_text(window.state));
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tl_sql_stmt s;
        tl_sql_prepare(&s, sql, "forget an epoch's submissions", texts[i]);
        tl__put_text(&s, f->epoch_id);
        TL_TRY(tl_sql_end(&s, &f->forgotten, ctx));
    }
    return TL_OK;
}

tl_err tl_records_forget_submissions(tl_records *records, uint64_t *forgotten, tl_str epoch_id,
                                     const tl_record_lease *fence, tl_errctx *ctx)
{
    forgetting f = {epoch_id, fence, 0};
    TL_TRY(tl_sql_transact(records->sql, forget_body, &f, ctx));
    *forgotten = f.forgotten;
    return TL_OK;
}

/* --- statuses --- */

const char *tl_record_status_text(tl_record_status_word word)
{
    return (unsigned)word < TL_RECORD_STATUS_COUNT ? status_words[word] : "";
}

bool tl_record_status_parse(tl_record_status_word *out, tl_str text)
{
    const size_t i = find_word(status_words, TL_RECORD_STATUS_COUNT, text);
    if (i == TL_RECORD_STATUS_COUNT) {
        return false;
    }
    *out = (tl_record_status_word)i;
    return true;
}

static tl_err put_status_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const tl_record_status *in = self;
    tl__window window;
    TL_TRY(tl__read_window(sql, &window, in->epoch_id, ctx));
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "note a status",
                   "INSERT INTO miner_status (epoch_id, hotkey, status, listings,"
                   " is_upload_complete, zipcodes, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
                   " ON CONFLICT (epoch_id, hotkey) DO UPDATE SET status = excluded.status,"
                   " listings = excluded.listings,"
                   " is_upload_complete = excluded.is_upload_complete,"
                   " zipcodes = excluded.zipcodes, updated_ms = excluded.updated_ms"
                   " WHERE miner_status.status = 'IN_PROGRESS'");
    tl__put_text(&s, in->epoch_id);
    tl__put_key(&s, &in->hotkey);
    tl_sql_put_str(&s, tl_str_from_cstr(tl_record_status_text(in->word)));
    tl_sql_put_i64(&s, in->listings);
    tl_sql_put_bool(&s, in->is_upload_complete);
    tl_sql_put_bytes(&s, in->zipcodes);
    tl_sql_put_i64(&s, in->updated_ms);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    if (changed > 0) {
        return TL_OK;
    }
    tl_record_status_word now = TL_RECORD_STATUS_IN_PROGRESS;
    tl_sql_prepare(&s, sql, "read a status",
                   "SELECT status FROM miner_status WHERE epoch_id = ? AND hotkey = ?");
    tl__put_text(&s, in->epoch_id);
    tl__put_key(&s, &in->hotkey);
    if (tl_sql_row(&s)) {
        now = (tl_record_status_word)get_word(&s, 0, status_words, TL_RECORD_STATUS_COUNT);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (now != in->word) { /* REC-3 */
        return tl_fail_field(ctx, TL_ERR_STATE, "status", "the status is %s, it does not go to %s",
                             tl_record_status_text(now), tl_record_status_text(in->word));
    }
    return TL_OK;
}

tl_err tl_records_put_status(tl_records *records, const tl_record_status *status, tl_errctx *ctx)
{
    tl_record_status copy = *status;
    return tl_sql_transact(records->sql, put_status_body, &copy, ctx);
}

tl_err tl_records_get_status(tl_records *records, tl_record_status *out, tl_str epoch_id,
                             const tl_hotkey *hotkey, tl_arena *arena, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read a status",
                   "SELECT status, listings, is_upload_complete, zipcodes, updated_ms, epoch_id"
                   " FROM miner_status WHERE epoch_id = ? AND hotkey = ?");
    tl__put_text(&s, epoch_id);
    tl__put_key(&s, hotkey);
    tl_record_status found;
    memset(&found, 0, sizeof found);
    found.hotkey = *hotkey;
    const bool is_there = tl_sql_row(&s);
    if (is_there) {
        found.word = (tl_record_status_word)get_word(&s, 0, status_words, TL_RECORD_STATUS_COUNT);
        found.listings = tl__get_u32(&s, 1);
        found.is_upload_complete = tl_sql_get_bool(&s, 2);
        tl_sql_get_bytes(&s, &found.zipcodes, 3, arena);
        found.updated_ms = tl_sql_get_i64(&s, 4);
        tl_sql_get_str(&s, &found.epoch_id, 5, arena);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (!is_there) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "no status of this hotkey for \"%.*s\"",
                       TL_STR_ARG(epoch_id));
    }
    *out = found;
    return TL_OK;
}

tl_err tl_records_count_statuses(tl_records *records, uint64_t out[TL_RECORD_STATUS_COUNT],
                                 tl_str epoch_id, tl_errctx *ctx)
{
    memset(out, 0, TL_RECORD_STATUS_COUNT * sizeof *out);
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "count statuses",
                   "SELECT status, count(*) FROM miner_status WHERE epoch_id = ? GROUP BY status");
    tl__put_text(&s, epoch_id);
    while (tl_sql_row(&s)) {
        out[get_word(&s, 0, status_words, TL_RECORD_STATUS_COUNT)] = tl_sql_get_u64(&s, 1);
    }
    return tl_sql_end(&s, NULL, ctx);
}
