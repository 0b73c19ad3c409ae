/* Results, standings, the leaderboard, pay that is held, penalties. */
#include "io/records/records_internal.h"

#include <string.h>

/* --- results --- */

typedef struct settling {
    const tl_record_result *result;
    tl_str epoch_id;
    const tl_record_standing *standings;
    size_t count;
    const tl_record_lease *fence;
} settling;

static tl_err same_result(tl_sql *sql, const tl_record_result *result, bool *is_there,
                          tl_errctx *ctx)
{
    bool is_same = false;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read a result", "SELECT document FROM results WHERE epoch_id = ?");
    tl__put_text(&s, result->epoch_id);
    *is_there = tl_sql_row(&s);
    if (*is_there) {
        is_same = tl_bytes_cmp(tl_sql_borrow(&s, 0), result->document) == 0;
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (*is_there && !is_same) { /* REC-3 */
        return tl_fail(ctx, TL_ERR_DUPLICATE, "epoch \"%.*s\" has another result",
                       TL_STR_ARG(result->epoch_id));
    }
    return TL_OK;
}

static tl_err result_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const settling *in = self;
    const tl_record_result *r = in->result;
    tl__window window;
    bool is_there = false;
    TL_TRY(tl__check_fence(sql, in->fence, ctx)); /* REC-5 */
    TL_TRY(tl__read_window(sql, &window, r->epoch_id, ctx));
    TL_TRY(same_result(sql, r, &is_there, ctx));
    if (is_there) {
        return TL_OK;
    }
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "keep a result",
                   "INSERT INTO results (epoch_id, status, rate_millionths, hash, document, at_ms)"
                   " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (epoch_id) DO NOTHING");
    tl__put_text(&s, r->epoch_id);
    tl__put_text(&s, r->status);
    tl_sql_put_i64(&s, r->rate_millionths);
    tl__put_text(&s, r->hash);
    tl_sql_put_bytes(&s, r->document);
    tl_sql_put_i64(&s, r->at_ms);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    return changed == 1 ? TL_OK : same_result(sql, r, &is_there, ctx);
}

tl_err tl_records_put_result(tl_records *records, const tl_record_result *result,
                             const tl_record_lease *fence, tl_errctx *ctx)
{
    settling in = {.result = result, .fence = fence};
    return tl_sql_transact(records->sql, result_body, &in, ctx);
}

tl_err tl_records_get_result(tl_records *records, tl_record_result *out, tl_str epoch_id,
                             tl_arena *arena, tl_errctx *ctx)
{
    tl_record_result found;
    memset(&found, 0, sizeof found);
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read a result",
                   "SELECT epoch_id, status, rate_millionths, hash, document, at_ms FROM results"
                   " WHERE epoch_id = ?");
    tl__put_text(&s, epoch_id);
    const bool is_there = tl_sql_row(&s);
    if (is_there) {
        tl_sql_get_str(&s, &found.epoch_id, 0, arena);
        tl_sql_get_str(&s, &found.status, 1, arena);
        found.rate_millionths = tl__get_u32(&s, 2);
        tl_sql_get_str(&s, &found.hash, 3, arena);
        tl_sql_get_bytes(&s, &found.document, 4, arena);
        found.at_ms = tl_sql_get_i64(&s, 5);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (!is_there) {
        return tl__missing("result of epoch", epoch_id, ctx);
    }
    *out = found;
    return TL_OK;
}

/* --- standings and the leaderboard --- */

static tl_err insert_standing(tl_sql *sql, tl_str epoch_id, const tl_record_standing *row,
                              bool *is_new, tl_errctx *ctx)
{
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "keep a standing",
                   "INSERT INTO standings (epoch_id, hotkey, coldkey, uid, score_millionths,"
                   " paid_rao, wins, listings) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                   " ON CONFLICT (epoch_id, hotkey) DO NOTHING");
    tl__put_text(&s, epoch_id);
    tl__put_key(&s, &row->hotkey);
    tl__put_key(&s, &row->coldkey);
    tl_sql_put_i64(&s, row->uid);
    tl_sql_put_i64(&s, row->score_millionths);
    tl__put_rao(&s, row->paid);
    tl_sql_put_i64(&s, row->wins);
    tl_sql_put_i64(&s, row->listings);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    *is_new = changed == 1;
    return TL_OK;
}

static tl_err add_to_leaderboard(tl_sql *sql, tl_str epoch_id, const tl_record_standing *row,
                                 tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "bring the leaderboard up to date",
                   "INSERT INTO leaderboard (hotkey, coldkey, uid, epochs, wins, listings,"
                   " score_millionths, paid_rao, last_epoch) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)"
                   " ON CONFLICT (hotkey) DO UPDATE SET coldkey = excluded.coldkey,"
                   " uid = excluded.uid, epochs = leaderboard.epochs + 1,"
                   " wins = leaderboard.wins + excluded.wins,"
                   " listings = leaderboard.listings + excluded.listings,"
                   " score_millionths = leaderboard.score_millionths + excluded.score_millionths,"
                   " paid_rao = leaderboard.paid_rao + excluded.paid_rao,"
                   " last_epoch = CASE WHEN leaderboard.last_epoch > excluded.last_epoch"
                   " THEN leaderboard.last_epoch ELSE excluded.last_epoch END");
    tl__put_key(&s, &row->hotkey);
    tl__put_key(&s, &row->coldkey);
    tl_sql_put_i64(&s, row->uid);
    tl_sql_put_i64(&s, row->wins);
    tl_sql_put_i64(&s, row->listings);
    tl_sql_put_i64(&s, row->score_millionths);
    tl__put_rao(&s, row->paid);
    tl__put_text(&s, epoch_id);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err standings_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const settling *in = self;
    tl__window window;
    TL_TRY(tl__check_fence(sql, in->fence, ctx));
    TL_TRY(tl__read_window(sql, &window, in->epoch_id, ctx));
    for (size_t i = 0; i < in->count; i++) {
        bool is_new = false;
        TL_TRY(insert_standing(sql, in->epoch_id, &in->standings[i], &is_new, ctx));
        if (is_new) {
            TL_TRY(add_to_leaderboard(sql, in->epoch_id, &in->standings[i], ctx));
        }
    }
    return TL_OK;
}

tl_err tl_records_put_standings(tl_records *records, tl_str epoch_id,
                                const tl_record_standing *standings, size_t count,
                                const tl_record_lease *fence, tl_errctx *ctx)
{
    settling in = {.epoch_id = epoch_id, .standings = standings, .count = count, .fence = fence};
    return tl_sql_transact(records->sql, standings_body, &in, ctx);
}

tl_err tl_records_standings(tl_records *records, const tl_record_standing **out, size_t *count,
                            tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_standing));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read standings",
                   "SELECT hotkey, coldkey, uid, score_millionths, paid_rao, wins, listings"
                   " FROM standings WHERE epoch_id = ? ORDER BY hotkey");
    tl__put_text(&s, epoch_id);
    while (tl_sql_row(&s)) {
        tl_record_standing *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl__get_key(&s, &row->hotkey, 0);
            tl__get_key(&s, &row->coldkey, 1);
            row->uid = tl__get_u32(&s, 2);
            row->score_millionths = tl_sql_get_i64(&s, 3);
            row->paid = tl__get_rao(&s, 4);
            row->wins = tl__get_u32(&s, 5);
            row->listings = tl__get_u32(&s, 6);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

tl_err tl_records_leaderboard(tl_records *records, const tl_record_leader **out, size_t *count,
                              const tl_record_leader *after, size_t limit, tl_arena *arena,
                              tl_errctx *ctx)
{
#define LEADER_SELECT                                                                              \
    "SELECT hotkey, coldkey, uid, epochs, wins, listings, score_millionths, paid_rao, last_epoch"  \
    " FROM leaderboard"
#define LEADER_ORDER " ORDER BY paid_rao DESC, hotkey LIMIT ?"
    TL_TRY(tl__check_limit(limit, ctx));
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_leader));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read the leaderboard",
                   after != NULL ? LEADER_SELECT
                       " WHERE paid_rao < ? OR (paid_rao = ? AND hotkey > ?)" LEADER_ORDER
                                 : LEADER_SELECT LEADER_ORDER);
#undef LEADER_SELECT
#undef LEADER_ORDER
    if (after != NULL) {
        tl__put_rao(&s, after->paid);
        tl__put_rao(&s, after->paid);
        tl__put_key(&s, &after->hotkey);
    }
    tl_sql_put_u64(&s, limit);
    while (tl_sql_row(&s)) {
        tl_record_leader *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl__get_key(&s, &row->hotkey, 0);
            tl__get_key(&s, &row->coldkey, 1);
            row->uid = tl__get_u32(&s, 2);
            row->epochs = tl__get_u32(&s, 3);
            row->wins = tl__get_u32(&s, 4);
            row->listings = tl_sql_get_u64(&s, 5);
            row->score_millionths = tl_sql_get_i64(&s, 6);
            row->paid = tl__get_rao(&s, 7);
            tl_sql_get_str(&s, &row->last_epoch, 8, arena);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- pay that is held --- */

typedef struct fenced {
    const tl_record_held *held;
    const tl_record_penalty *penalty;
    const tl_record_lease *fence;
} fenced;

static tl_err hold_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const fenced *in = self;
    const tl_record_held *h = in->held;
    TL_TRY(tl__check_fence(sql, in->fence, ctx));
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "hold pay",
                   "INSERT INTO held_pay (epoch_id, zipcode, hotkey, amount_rao, reason, at_ms,"
                   " outcome, released_ms) VALUES (?, ?, ?, ?, ?, ?, '', 0)"
                   " ON CONFLICT (epoch_id, zipcode, hotkey) DO NOTHING");
    tl__put_text(&s, h->epoch_id);
    tl__put_text(&s, h->zipcode);
    tl__put_key(&s, &h->hotkey);
    tl__put_rao(&s, h->amount);
    tl__put_text(&s, h->reason);
    tl_sql_put_i64(&s, h->at_ms);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    if (changed == 1) {
        return TL_OK;
    }
    uint64_t amount = 0;
    tl_sql_prepare(&s, sql, "read held pay",
                   "SELECT amount_rao FROM held_pay"
                   " WHERE epoch_id = ? AND zipcode = ? AND hotkey = ?");
    tl__put_text(&s, h->epoch_id);
    tl__put_text(&s, h->zipcode);
    tl__put_key(&s, &h->hotkey);
    TL_TRY(tl__end_count(&s, &amount, ctx));
    if ((int64_t)amount != tl_rao_to_i64(h->amount)) { /* REC-3 */
        return tl_fail(ctx, TL_ERR_DUPLICATE, "another amount is held for zipcode %.*s",
                       TL_STR_ARG(h->zipcode));
    }
    return TL_OK;
}

tl_err tl_records_hold_pay(tl_records *records, const tl_record_held *held,
                           const tl_record_lease *fence, tl_errctx *ctx)
{
    fenced in = {held, NULL, fence};
    return tl_sql_transact(records->sql, hold_body, &in, ctx);
}

static tl_err release_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const fenced *in = self;
    const tl_record_held *h = in->held;
    TL_TRY(tl__check_fence(sql, in->fence, ctx));
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read held pay",
                   "SELECT outcome FROM held_pay WHERE epoch_id = ? AND zipcode = ? AND hotkey = ?"
                   " {FOR UPDATE}");
    tl__put_text(&s, h->epoch_id);
    tl__put_text(&s, h->zipcode);
    tl__put_key(&s, &h->hotkey);
    const bool is_there = tl_sql_row(&s);
    bool is_held = false;
    bool is_same = false;
    if (is_there) {
        const tl_bytes outcome = tl_sql_borrow(&s, 0);
        is_held = outcome.len == 0;
        is_same = tl_str_eq((tl_str){(const char *)outcome.ptr, outcome.len}, h->outcome);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (!is_there) {
        return tl__missing("held pay for zipcode", h->zipcode, ctx);
    }
    if (!is_held) { /* REC-3 */
        return is_same ? TL_OK
                       : tl_fail(ctx, TL_ERR_DUPLICATE, "the pay for zipcode %.*s was released",
                                 TL_STR_ARG(h->zipcode));
    }
    tl_sql_prepare(&s, sql, "release pay",
                   "UPDATE held_pay SET outcome = ?, released_ms = ?"
                   " WHERE epoch_id = ? AND zipcode = ? AND hotkey = ?");
    tl__put_text(&s, h->outcome);
    tl_sql_put_i64(&s, h->released_ms);
    tl__put_text(&s, h->epoch_id);
    tl__put_text(&s, h->zipcode);
    tl__put_key(&s, &h->hotkey);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_release_pay(tl_records *records, const tl_record_held *held,
                              const tl_record_lease *fence, tl_errctx *ctx)
{
    if (held->outcome.len == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "pay is released to an outcome");
    }
    fenced in = {held, NULL, fence};
    return tl_sql_transact(records->sql, release_body, &in, ctx);
}

tl_err tl_records_held_pay(tl_records *records, const tl_record_held **out, size_t *count,
                           tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
#define HELD_SELECT                                                                                \
    "SELECT epoch_id, zipcode, hotkey, amount_rao, reason, at_ms FROM held_pay WHERE outcome = ''"
#define HELD_ORDER " ORDER BY epoch_id, zipcode, hotkey"
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_held));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read held pay",
                   epoch_id.len > 0 ? HELD_SELECT " AND epoch_id <= ?" HELD_ORDER
                                    : HELD_SELECT HELD_ORDER);
#undef HELD_SELECT
#undef HELD_ORDER
    if (epoch_id.len > 0) {
        tl__put_text(&s, epoch_id);
    }
    while (tl_sql_row(&s)) {
        tl_record_held *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl_sql_get_str(&s, &row->epoch_id, 0, arena);
            tl_sql_get_str(&s, &row->zipcode, 1, arena);
            tl__get_key(&s, &row->hotkey, 2);
            row->amount = tl__get_rao(&s, 3);
            tl_sql_get_str(&s, &row->reason, 4, arena);
            row->at_ms = tl_sql_get_i64(&s, 5);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- penalties --- */

static tl_err penalty_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const fenced *in = self;
    TL_TRY(tl__check_fence(sql, in->fence, ctx));
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "note a penalty",
                   "INSERT INTO penalties (epoch_id, hotkey, kind, detail, at_ms)"
                   " VALUES (?, ?, ?, ?, ?) ON CONFLICT (epoch_id, hotkey, kind) DO NOTHING");
    tl__put_text(&s, in->penalty->epoch_id);
    tl__put_key(&s, &in->penalty->hotkey);
    tl__put_text(&s, in->penalty->kind);
    tl__put_text(&s, in->penalty->detail);
    tl_sql_put_i64(&s, in->penalty->at_ms);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_put_penalty(tl_records *records, const tl_record_penalty *penalty,
                              const tl_record_lease *fence, tl_errctx *ctx)
{
    fenced in = {NULL, penalty, fence};
    return tl_sql_transact(records->sql, penalty_body, &in, ctx);
}

tl_err tl_records_count_penalties(tl_records *records, uint64_t *out, const tl_hotkey *hotkey,
                                  tl_str kind, int64_t since_ms, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "count penalties",
                   "SELECT count(*) FROM penalties WHERE hotkey = ? AND kind = ? AND at_ms >= ?");
    tl__put_key(&s, hotkey);
    tl__put_text(&s, kind);
    tl_sql_put_i64(&s, since_ms);
    return tl__end_count(&s, out, ctx);
}

tl_err tl_records_penalties(tl_records *records, const tl_record_penalty **out, size_t *count,
                            tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_penalty));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read penalties",
                   "SELECT epoch_id, hotkey, kind, detail, at_ms FROM penalties"
                   " WHERE epoch_id = ? ORDER BY hotkey, kind");
    tl__put_text(&s, epoch_id);
    while (tl_sql_row(&s)) {
        tl_record_penalty *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl_sql_get_str(&s, &row->epoch_id, 0, arena);
            tl__get_key(&s, &row->hotkey, 1);
            tl_sql_get_str(&s, &row->kind, 2, arena);
            tl_sql_get_str(&s, &row->detail, 3, arena);
            row->at_ms = tl_sql_get_i64(&s, 4);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}
