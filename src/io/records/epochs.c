/* Epochs, their zipcodes, transitions and extensions. */
#include "io/records/records_internal.h"

#define EPOCH_COLUMNS                                                                              \
    "id, profile, state, round, version, start_ms, end_ms, extended_ms, selection_seed, nonce,"    \
    " nonce_commit, beacon, draw_commit, draw_secret, target_listings, tolerance_percent,"         \
    " parameters, moved_ms, beacon_ms, evidence_closed_ms, commits_closed_ms, results_closed_ms,"  \
    " settled_ms"

static void read_epoch(tl_sql_stmt *s, tl_record_epoch *out, tl_arena *arena)
{
    tl_sql_get_str(s, &out->id, 0, arena);
    tl_sql_get_str(s, &out->profile, 1, arena);
    out->state = tl__get_state(s, 2);
    out->round = tl__get_u32(s, 3);
    out->version = tl_sql_get_u64(s, 4);
    out->start_ms = tl_sql_get_i64(s, 5);
    out->end_ms = tl_sql_get_i64(s, 6);
    out->extended_ms = tl_sql_get_i64(s, 7);
    tl_sql_get_str(s, &out->selection_seed, 8, arena);
    tl_sql_get_str(s, &out->nonce, 9, arena);
    tl_sql_get_str(s, &out->nonce_commit, 10, arena);
    tl_sql_get_str(s, &out->beacon, 11, arena);
    tl_sql_get_str(s, &out->draw_commit, 12, arena);
    tl_sql_get_str(s, &out->draw_secret, 13, arena);
    out->target_listings = tl__get_u32(s, 14);
    out->tolerance_percent = tl__get_u32(s, 15);
    tl_sql_get_bytes(s, &out->parameters, 16, arena);
    out->moved_ms = tl_sql_get_i64(s, 17);
    out->beacon_ms = tl_sql_get_i64(s, 18);
    out->evidence_closed_ms = tl_sql_get_i64(s, 19);
    out->commits_closed_ms = tl_sql_get_i64(s, 20);
    out->results_closed_ms = tl_sql_get_i64(s, 21);
    out->settled_ms = tl_sql_get_i64(s, 22);
}

static tl_err end_epoch(tl_sql_stmt *s, tl_record_epoch *out, tl_str id, tl_arena *arena,
                        tl_errctx *ctx)
{
    const bool is_there = tl_sql_row(s);
    if (is_there) {
        read_epoch(s, out, arena);
    }
    TL_TRY(tl_sql_end(s, NULL, ctx));
    return is_there ? TL_OK : tl__missing("epoch", id, ctx);
}

static tl_err end_epochs(tl_sql_stmt *s, const tl_record_epoch **out, size_t *count,
                         tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_epoch));
    while (tl_sql_row(s)) {
        tl_record_epoch *row = tl__push(&rows, s);
        if (row != NULL) {
            read_epoch(s, row, arena);
        }
    }
    TL_TRY(tl_sql_end(s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- making one --- */

typedef struct creation {
    const tl_record_epoch *epoch;
    const tl_record_assignment *assignments;
    size_t count;
    const tl_record_lease *fence;
} creation;

static tl_err insert_epoch(tl_sql *sql, const tl_record_epoch *epoch, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "make an epoch",
                   "INSERT INTO epochs (id, profile, state, round, version, start_ms, end_ms,"
                   " extended_ms, deadline_ms, selection_seed, nonce, nonce_commit, beacon,"
                   " draw_commit, draw_secret, target_listings, tolerance_percent, parameters,"
                   " moved_ms, beacon_ms, evidence_closed_ms, commits_closed_ms,"
                   " results_closed_ms, settled_ms)"
                   " VALUES (?, ?, ?, 0, 1, ?, ?, 0, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?,"
                   " 0, 0, 0, 0, 0)");
    tl__put_text(&s, epoch->id);
    tl__put_text(&s, epoch->profile);
    tl_sql_put_str(&s, tl_str_from_cstr(tl_epoch_state_text(epoch->state)));
    tl_sql_put_i64(&s, epoch->start_ms);
    tl_sql_put_i64(&s, epoch->end_ms);
    tl_sql_put_i64(&s, epoch->end_ms);
    tl__put_text(&s, epoch->selection_seed);
    tl__put_text(&s, epoch->nonce);
    tl__put_text(&s, epoch->nonce_commit);
    tl__put_text(&s, epoch->draw_commit);
    tl__put_text(&s, epoch->draw_secret);
    tl_sql_put_i64(&s, epoch->target_listings);
    tl_sql_put_i64(&s, epoch->tolerance_percent);
    tl_sql_put_bytes(&s, epoch->parameters);
    tl_sql_put_i64(&s, epoch->start_ms);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err insert_assignment(tl_sql *sql, const tl_record_epoch *epoch,
                                const tl_record_assignment *a, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "assign a zipcode",
                   "INSERT INTO zipcode_assignments (epoch_id, zipcode, expected_listings, city,"
                   " state, county, market_tier, geographic_region, is_honeypot)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    tl__put_text(&s, epoch->id);
    tl__put_text(&s, a->zipcode);
    tl_sql_put_i64(&s, a->expected);
    tl__put_text(&s, a->city);
    tl__put_text(&s, a->state);
    tl__put_text(&s, a->county);
    tl_sql_put_i64(&s, (int64_t)a->tier);
    tl_sql_put_i64(&s, (int64_t)a->region);
    tl_sql_put_bool(&s, a->is_honeypot);
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    tl_sql_prepare(&s, sql, "assign a zipcode",
                   "UPDATE zipcodes SET last_assigned_ms = ?"
                   " WHERE zipcode = ? AND last_assigned_ms < ?");
    tl_sql_put_i64(&s, epoch->start_ms);
    tl__put_text(&s, a->zipcode);
    tl_sql_put_i64(&s, epoch->start_ms);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err create_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const creation *c = self;
    TL_TRY(tl__check_fence(sql, c->fence, ctx)); /* REC-5 */
    TL_TRY(insert_epoch(sql, c->epoch, ctx));
    for (size_t i = 0; i < c->count; i++) {
        TL_TRY(insert_assignment(sql, c->epoch, &c->assignments[i], ctx));
    }
    return TL_OK;
}

tl_err tl_records_create_epoch(tl_records *records, const tl_record_epoch *epoch,
                               const tl_record_assignment *assignments, size_t count,
                               const tl_record_lease *fence, tl_errctx *ctx)
{
    creation c = {epoch, assignments, count, fence};
    return tl_sql_transact(records->sql, create_body, &c, ctx);
}

/* --- reading --- */

tl_err tl_records_get_epoch(tl_records *records, tl_record_epoch *out, tl_str id, tl_arena *arena,
                            tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read an epoch",
                   "SELECT " EPOCH_COLUMNS " FROM epochs WHERE id = ?");
    tl__put_text(&s, id);
    return end_epoch(&s, out, id, arena, ctx);
}

tl_err tl_records_lock_epoch(tl_records *records, tl_record_epoch *out, tl_str id, tl_arena *arena,
                             tl_errctx *ctx)
{
    TL_ASSERT(tl_sql_is_in_transaction(records->sql));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "lock an epoch",
                   "SELECT " EPOCH_COLUMNS " FROM epochs WHERE id = ? {FOR UPDATE}");
    tl__put_text(&s, id);
    return end_epoch(&s, out, id, arena, ctx);
}

tl_err tl_records_epoch_at(tl_records *records, tl_record_epoch *out, int64_t at_ms,
                           tl_arena *arena, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read an epoch",
                   "SELECT " EPOCH_COLUMNS " FROM epochs WHERE deadline_ms > ? AND start_ms <= ?"
                   " ORDER BY start_ms DESC, id DESC LIMIT 1");
    tl_sql_put_i64(&s, at_ms);
    tl_sql_put_i64(&s, at_ms);
    return end_epoch(&s, out, TL_STR("of that time"), arena, ctx);
}

tl_err tl_records_epochs(tl_records *records, const tl_record_epoch **out, size_t *count,
                         tl_str before, size_t limit, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(tl__check_limit(limit, ctx));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read epochs",
                   before.len > 0 ? "SELECT " EPOCH_COLUMNS
                                    " FROM epochs WHERE id < ? ORDER BY id DESC LIMIT ?"
                                  : "SELECT " EPOCH_COLUMNS
                                    " FROM epochs ORDER BY id DESC LIMIT ?");
    if (before.len > 0) {
        tl__put_text(&s, before);
    }
    tl_sql_put_u64(&s, limit);
    return end_epochs(&s, out, count, arena, ctx);
}

tl_err tl_records_open_epochs(tl_records *records, const tl_record_epoch **out, size_t *count,
                              tl_arena *arena, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read epochs",
                   "SELECT " EPOCH_COLUMNS " FROM epochs"
                   " WHERE state NOT IN ('settled', 'failed', 'archived') ORDER BY start_ms, id");
    return end_epochs(&s, out, count, arena, ctx);
}

/* --- updating --- */

typedef struct update {
    tl_record_epoch *epoch;
    tl_str cause;
    int64_t at_ms;
    const tl_record_lease *fence;
    bool has_moved;
} update;

static tl_err read_state(tl_sql *sql, const tl_record_epoch *epoch, tl_epoch_state *state,
                         tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read an epoch",
                   "SELECT state, version FROM epochs WHERE id = ? {FOR UPDATE}");
    tl__put_text(&s, epoch->id);
    const bool is_there = tl_sql_row(&s);
    uint64_t version = 0;
    if (is_there) {
        *state = tl__get_state(&s, 0);
        version = tl_sql_get_u64(&s, 1);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (!is_there) {
        return tl__missing("epoch", epoch->id, ctx);
    }
    if (version != epoch->version) {
        return tl_fail(ctx, TL_ERR_STATE, "epoch \"%.*s\" was updated by another process",
                       TL_STR_ARG(epoch->id));
    }
    return TL_OK;
}

static tl_err write_epoch(tl_sql *sql, const tl_record_epoch *epoch, int64_t moved_ms,
                          tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "update an epoch",
                   "UPDATE epochs SET state = ?, round = ?, version = version + 1, beacon = ?,"
                   " draw_commit = ?, draw_secret = ?, target_listings = ?,"
                   " tolerance_percent = ?, moved_ms = ?, beacon_ms = ?, evidence_closed_ms = ?,"
                   " commits_closed_ms = ?, results_closed_ms = ?, settled_ms = ? WHERE id = ?");
    tl_sql_put_str(&s, tl_str_from_cstr(tl_epoch_state_text(epoch->state)));
    tl_sql_put_i64(&s, epoch->round);
    tl__put_text(&s, epoch->beacon);
    tl__put_text(&s, epoch->draw_commit);
    tl__put_text(&s, epoch->draw_secret);
    tl_sql_put_i64(&s, epoch->target_listings);
    tl_sql_put_i64(&s, epoch->tolerance_percent);
    tl_sql_put_i64(&s, moved_ms);
    tl_sql_put_i64(&s, epoch->beacon_ms);
    tl_sql_put_i64(&s, epoch->evidence_closed_ms);
    tl_sql_put_i64(&s, epoch->commits_closed_ms);
    tl_sql_put_i64(&s, epoch->results_closed_ms);
    tl_sql_put_i64(&s, epoch->settled_ms);
    tl__put_text(&s, epoch->id);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err note_transition(tl_sql *sql, const update *u, tl_epoch_state from, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "note a transition",
                   "INSERT INTO transitions (epoch_id, position, from_state, to_state, cause,"
                   " at_ms) SELECT id, 1 + (SELECT count(*) FROM transitions WHERE epoch_id = ?),"
                   " ?, ?, ?, ? FROM epochs WHERE id = ?");
    tl__put_text(&s, u->epoch->id);
    tl_sql_put_str(&s, tl_str_from_cstr(tl_epoch_state_text(from)));
    tl_sql_put_str(&s, tl_str_from_cstr(tl_epoch_state_text(u->epoch->state)));
    tl__put_text(&s, u->cause);
    tl_sql_put_i64(&s, u->at_ms);
    tl__put_text(&s, u->epoch->id);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err update_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    update *u = self;
    TL_TRY(tl__check_fence(sql, u->fence, ctx)); /* REC-5 */
    tl_epoch_state from = TL_EPOCH_PENDING;
    TL_TRY(read_state(sql, u->epoch, &from, ctx));
    u->has_moved = from != u->epoch->state;
    TL_TRY(write_epoch(sql, u->epoch, u->has_moved ? u->at_ms : u->epoch->moved_ms, ctx));
    return u->has_moved ? note_transition(sql, u, from, ctx) : TL_OK;
}

tl_err tl_records_update_epoch(tl_records *records, tl_record_epoch *epoch, tl_str cause,
                               int64_t at_ms, const tl_record_lease *fence, tl_errctx *ctx)
{
    update u = {epoch, cause, at_ms, fence, false};
    TL_TRY(tl_sql_transact(records->sql, update_body, &u, ctx));
    epoch->version++;
    epoch->moved_ms = u.has_moved ? at_ms : epoch->moved_ms;
    return TL_OK;
}

tl_err tl_records_transitions(tl_records *records, const tl_record_transition **out, size_t *count,
                              tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_transition));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read transitions",
                   "SELECT from_state, to_state, cause, at_ms FROM transitions"
                   " WHERE epoch_id = ? ORDER BY position");
    tl__put_text(&s, epoch_id);
    while (tl_sql_row(&s)) {
        tl_record_transition *row = tl__push(&rows, &s);
        if (row != NULL) {
            row->from = tl__get_state(&s, 0);
            row->to = tl__get_state(&s, 1);
            tl_sql_get_str(&s, &row->cause, 2, arena);
            row->at_ms = tl_sql_get_i64(&s, 3);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

tl_err tl_records_assignments(tl_records *records, const tl_record_assignment **out, size_t *count,
                              tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_assignment));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read assignments",
                   "SELECT zipcode, expected_listings, city, state, county, market_tier,"
                   " geographic_region, is_honeypot FROM zipcode_assignments"
                   " WHERE epoch_id = ? ORDER BY zipcode");
    tl__put_text(&s, epoch_id);
    while (tl_sql_row(&s)) {
        tl_record_assignment *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl_sql_get_str(&s, &row->zipcode, 0, arena);
            row->expected = tl__get_u32(&s, 1);
            tl_sql_get_str(&s, &row->city, 2, arena);
            tl_sql_get_str(&s, &row->state, 3, arena);
            tl_sql_get_str(&s, &row->county, 4, arena);
            row->tier = (tl_market_tier)tl__get_u32(&s, 5);
            row->region = (tl_region)tl__get_u32(&s, 6);
            row->is_honeypot = tl_sql_get_bool(&s, 7);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- extensions --- */

static tl_err extend_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const tl_record_extension *e = self;
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "extend an epoch",
                   "UPDATE epochs SET extended_ms = extended_ms + ?, deadline_ms = deadline_ms + ?,"
                   " version = version + 1"
                   " WHERE id = ? AND state IN ('pending', 'open')");
    tl_sql_put_i64(&s, e->added_ms);
    tl_sql_put_i64(&s, e->added_ms);
    tl__put_text(&s, e->epoch_id);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    if (changed == 0) {
        tl__window window;
        TL_TRY(tl__read_window(sql, &window, e->epoch_id, ctx));
        return tl_fail(ctx, TL_ERR_STATE, "epoch \"%.*s\" is %s: no longer open",
                       TL_STR_ARG(e->epoch_id), tl_epoch_state_text(window.state));
    }
    tl_sql_prepare(&s, sql, "note an extension",
                   "INSERT INTO extensions (epoch_id, added_ms, reason, actor, body, signature,"
                   " at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)");
    tl__put_text(&s, e->epoch_id);
    tl_sql_put_i64(&s, e->added_ms);
    tl__put_text(&s, e->reason);
    tl__put_text(&s, e->actor);
    tl_sql_put_bytes(&s, e->body);
    tl_sql_put_bytes(&s, e->signature);
    tl_sql_put_i64(&s, e->at_ms);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_extend(tl_records *records, const tl_record_extension *extension, tl_errctx *ctx)
{
    const int64_t year_ms = INT64_C(366) * 86400000;
    if (extension->added_ms < 1 || extension->added_ms > year_ms) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "seconds", "an extension of %lld ms",
                             (long long)extension->added_ms);
    }
    tl_record_extension copy = *extension;
    return tl_sql_transact(records->sql, extend_body, &copy, ctx);
}

tl_err tl_records_extensions(tl_records *records, const tl_record_extension **out, size_t *count,
                             tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_extension));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read extensions",
                   "SELECT epoch_id, added_ms, reason, actor, body, signature, at_ms"
                   " FROM extensions WHERE epoch_id = ? ORDER BY id");
    tl__put_text(&s, epoch_id);
    while (tl_sql_row(&s)) {
        tl_record_extension *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl_sql_get_str(&s, &row->epoch_id, 0, arena);
            row->added_ms = tl_sql_get_i64(&s, 1);
            tl_sql_get_str(&s, &row->reason, 2, arena);
            tl_sql_get_str(&s, &row->actor, 3, arena);
            tl_sql_get_bytes(&s, &row->body, 4, arena);
            tl_sql_get_bytes(&s, &row->signature, 5, arena);
            row->at_ms = tl_sql_get_i64(&s, 6);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}
