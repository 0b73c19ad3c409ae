/* API keys, daily counters, small values, the audit log. */
#include "io/records/records_internal.h"

#include <string.h>

#include "core/crypto/hash/hash.h"

enum { DETAIL_MAX = 65536 };

/* --- keys --- */

#define KEY_SELECT                                                                                 \
    "SELECT id, hash, scopes, label, created_ms, expires_ms, revoked_ms, replaces FROM api_keys"

static void read_key(tl_sql_stmt *s, tl_record_key *out, tl_arena *arena)
{
    tl_sql_get_str(s, &out->id, 0, arena);
    tl_sql_get_hash(s, &out->hash, 1);
    tl_sql_get_str(s, &out->scopes, 2, arena);
    tl_sql_get_str(s, &out->label, 3, arena);
    out->created_ms = tl_sql_get_i64(s, 4);
    out->expires_ms = tl_sql_get_i64(s, 5);
    out->revoked_ms = tl_sql_get_i64(s, 6);
    if (!tl_sql_is_null(s, 7)) {
        tl_sql_get_str(s, &out->replaces, 7, arena);
    }
}

static tl_err end_key(tl_sql_stmt *s, tl_record_key *out, tl_str id, tl_arena *arena,
                      tl_errctx *ctx)
{
    tl_record_key found;
    memset(&found, 0, sizeof found);
    const bool is_there = tl_sql_row(s);
    if (is_there) {
        read_key(s, &found, arena);
    }
    TL_TRY(tl_sql_end(s, NULL, ctx));
    if (!is_there) {
        return tl__missing("key", id, ctx);
    }
    *out = found;
    return TL_OK;
}

static tl_err revoke(tl_sql *sql, tl_str id, int64_t at_ms, bool may_be_revoked, tl_errctx *ctx)
{
    uint64_t changed = 0;
    uint64_t found = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "revoke a key",
                   "UPDATE api_keys SET revoked_ms = ? WHERE id = ? AND revoked_ms = 0");
    tl_sql_put_i64(&s, at_ms > 0 ? at_ms : 1);
    tl__put_text(&s, id);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    if (changed == 1) {
        return TL_OK;
    }
    tl_sql_prepare(&s, sql, "read a key", "SELECT count(*) FROM api_keys WHERE id = ?");
    tl__put_text(&s, id);
    TL_TRY(tl__end_count(&s, &found, ctx));
    if (found == 0) {
        return tl__missing("key", id, ctx);
    }
    return may_be_revoked ? TL_OK
                          : tl_fail(ctx, TL_ERR_STATE, "key \"%.*s\" is revoked", TL_STR_ARG(id));
}

static tl_err put_key_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const tl_record_key *key = self;
    if (key->replaces.len > 0) {
        TL_TRY(revoke(sql, key->replaces, key->created_ms, false, ctx));
    }
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "make a key",
                   "INSERT INTO api_keys (id, hash, scopes, label, created_ms, expires_ms,"
                   " revoked_ms, replaces) VALUES (?, ?, ?, ?, ?, ?, 0, ?)");
    tl__put_text(&s, key->id);
    tl_sql_put_hash(&s, &key->hash);
    tl__put_text(&s, key->scopes);
    tl__put_text(&s, key->label);
    tl_sql_put_i64(&s, key->created_ms);
    tl_sql_put_i64(&s, key->expires_ms);
    if (key->replaces.len > 0) {
        tl__put_text(&s, key->replaces);
    } else {
        tl_sql_put_null(&s);
    }
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_put_key(tl_records *records, const tl_record_key *key, tl_errctx *ctx)
{
    tl_record_key copy = *key;
    return tl_sql_transact(records->sql, put_key_body, &copy, ctx);
}

tl_err tl_records_find_key(tl_records *records, tl_record_key *out, const tl_hash32 *hash,
                           tl_arena *arena, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "look for a key", KEY_SELECT " WHERE hash = ?");
    tl_sql_put_hash(&s, hash);
    return end_key(&s, out, TL_STR("of that hash"), arena, ctx);
}

tl_err tl_records_get_key(tl_records *records, tl_record_key *out, tl_str id, tl_arena *arena,
                          tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read a key", KEY_SELECT " WHERE id = ?");
    tl__put_text(&s, id);
    return end_key(&s, out, id, arena, ctx);
}

typedef struct revocation {
    tl_str id;
    int64_t at_ms;
} revocation;

static tl_err revoke_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const revocation *in = self;
    return revoke(sql, in->id, in->at_ms, true, ctx);
}

tl_err tl_records_revoke_key(tl_records *records, tl_str id, int64_t at_ms, tl_errctx *ctx)
{
    revocation in = {id, at_ms};
    return tl_sql_transact(records->sql, revoke_body, &in, ctx);
}

tl_err tl_records_keys(tl_records *records, const tl_record_key **out, size_t *count, tl_str after,
                       size_t limit, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(tl__check_limit(limit, ctx));
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_key));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read keys", KEY_SELECT " WHERE id > ? ORDER BY id LIMIT ?");
    tl__put_text(&s, after);
    tl_sql_put_u64(&s, limit);
    while (tl_sql_row(&s)) {
        tl_record_key *row = tl__push(&rows, &s);
        if (row != NULL) {
            read_key(&s, row, arena);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- counters --- */

typedef struct counting {
    bool is_allowed;
    uint64_t used;
    tl_str name;
    int64_t day;
    uint64_t by;
    uint64_t limit;
} counting;

static tl_err count_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    counting *c = self;
    tl_sql_stmt s;
    c->is_allowed = false;
    if (c->by <= c->limit) {
        tl_sql_prepare(&s, sql, "count",
                       "INSERT INTO counters (name, day, used) VALUES (?, ?, ?)"
                       " ON CONFLICT (name, day) DO UPDATE"
                       " SET used = counters.used + excluded.used"
                       " WHERE counters.used <= CAST(? AS BIGINT) RETURNING used");
        tl__put_text(&s, c->name);
        tl_sql_put_i64(&s, c->day);
        tl_sql_put_u64(&s, c->by);
        tl_sql_put_u64(&s, c->limit - c->by);
        c->is_allowed = tl_sql_row(&s);
        if (c->is_allowed) {
            c->used = tl_sql_get_u64(&s, 0);
        }
        TL_TRY(tl_sql_end(&s, NULL, ctx));
    }
    if (c->is_allowed) {
        return TL_OK;
    }
    tl_sql_prepare(&s, sql, "count", "SELECT used FROM counters WHERE name = ? AND day = ?");
    tl__put_text(&s, c->name);
    tl_sql_put_i64(&s, c->day);
    return tl__end_count(&s, &c->used, ctx);
}

tl_err tl_records_count(tl_records *records, bool *is_allowed, uint64_t *used, tl_str name,
                        int64_t day, uint64_t by, uint64_t limit, tl_errctx *ctx)
{
    counting c = {false, 0, name, day, by, limit};
    TL_TRY(tl_sql_transact(records->sql, count_body, &c, ctx));
    *is_allowed = c.is_allowed;
    *used = c.used;
    return TL_OK;
}

tl_err tl_records_forget_counts(tl_records *records, int64_t day, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "forget counts", "DELETE FROM counters WHERE day < ?");
    tl_sql_put_i64(&s, day);
    return tl_sql_end(&s, NULL, ctx);
}

/* --- the audit log --- */

static void hash_u64(tl_sha256_state *state, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    }
    tl_sha256_update(state, bytes, sizeof bytes);
}

static void hash_text(tl_sha256_state *state, tl_str text)
{
    hash_u64(state, text.len);
    tl_sha256_update(state, text.ptr, text.len);
}

void tl_record_act_hash(tl_hash32 *out, const tl_record_act *act)
{
    static const char domain[] = "tally-audit/1\n";
    tl_sha256_state state;
    tl_sha256_init(&state);
    tl_sha256_update(&state, domain, sizeof domain - 1);
    tl_sha256_update(&state, act->previous.b, sizeof act->previous.b);
    hash_u64(&state, act->serial);
    hash_u64(&state, (uint64_t)act->at_ms);
    hash_text(&state, act->actor);
    hash_text(&state, act->act);
    hash_text(&state, act->subject);
    hash_text(&state, act->detail);
    hash_text(&state, act->correlation);
    tl_sha256_final(&state, out);
}

/* The head's row is locked until the transaction ends, so acts stand one behind the other (REC-6). */
static tl_err next_act(tl_sql *sql, tl_record_act *act, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "note an act",
                   "UPDATE audit_head SET serial = serial + 1 WHERE id = 1"
                   " RETURNING serial, hash");
    const bool is_there = tl_sql_row(&s);
    if (is_there) {
        act->serial = tl_sql_get_u64(&s, 0);
        tl_sql_get_hash(&s, &act->previous, 1);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    return is_there ? TL_OK : tl_fail(ctx, TL_ERR_CORRUPT, "the audit log has no head");
}

static tl_err note_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    tl_record_act *act = self;
    TL_TRY(next_act(sql, act, ctx));
    tl_record_act_hash(&act->hash, act);
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "note an act",
                   "INSERT INTO audit (serial, at_ms, actor, act, subject, detail, correlation,"
                   " previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    tl_sql_put_u64(&s, act->serial);
    tl_sql_put_i64(&s, act->at_ms);
    tl__put_text(&s, act->actor);
    tl__put_text(&s, act->act);
    tl__put_text(&s, act->subject);
    tl_sql_put_str(&s, act->detail);
    tl__put_text(&s, act->correlation);
    tl_sql_put_hash(&s, &act->previous);
    tl_sql_put_hash(&s, &act->hash);
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    tl_sql_prepare(&s, sql, "note an act", "UPDATE audit_head SET hash = ? WHERE id = 1");
    tl_sql_put_hash(&s, &act->hash);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_note(tl_records *records, tl_record_act *act, tl_errctx *ctx)
{
    if (act->detail.len > DETAIL_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "detail", "%zu bytes about an act, above %d",
                             act->detail.len, DETAIL_MAX);
    }
    return tl_sql_transact(records->sql, note_body, act, ctx);
}

tl_err tl_records_acts(tl_records *records, const tl_record_act **out, size_t *count,
                       uint64_t after, size_t limit, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(tl__check_limit(limit, ctx));
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_act));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read the audit log",
                   "SELECT serial, at_ms, actor, act, subject, detail, correlation, previous, hash"
                   " FROM audit WHERE serial > ? ORDER BY serial LIMIT ?");
    tl_sql_put_u64(&s, after);
    tl_sql_put_u64(&s, limit);
    while (tl_sql_row(&s)) {
        tl_record_act *row = tl__push(&rows, &s);
        if (row != NULL) {
            row->serial = tl_sql_get_u64(&s, 0);
            row->at_ms = tl_sql_get_i64(&s, 1);
            tl_sql_get_str(&s, &row->actor, 2, arena);
            tl_sql_get_str(&s, &row->act, 3, arena);
            tl_sql_get_str(&s, &row->subject, 4, arena);
            tl_sql_get_str(&s, &row->detail, 5, arena);
            tl_sql_get_str(&s, &row->correlation, 6, arena);
            tl_sql_get_hash(&s, &row->previous, 7);
            tl_sql_get_hash(&s, &row->hash, 8);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- small values --- */

typedef struct setting {
    tl_str name;
    tl_bytes value;
    const tl_record_lease *fence;
} setting;

static tl_err value_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const setting *in = self;
    TL_TRY(tl__check_fence(sql, in->fence, ctx));
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "put a value",
                   "INSERT INTO small_values (name, value) VALUES (?, ?)"
                   " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    tl__put_text(&s, in->name);
    tl_sql_put_bytes(&s, in->value);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_put_value(tl_records *records, tl_str name, tl_bytes value,
                            const tl_record_lease *fence, tl_errctx *ctx)
{
    setting in = {name, value, fence};
    return tl_sql_transact(records->sql, value_body, &in, ctx);
}

tl_err tl_records_get_value(tl_records *records, tl_bytes *out, tl_str name, tl_arena *arena,
                            tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read a value",
                   "SELECT value FROM small_values WHERE name = ?");
    tl__put_text(&s, name);
    const bool is_there = tl_sql_row(&s);
    if (is_there) {
        tl_sql_get_bytes(&s, out, 0, arena);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    return is_there ? TL_OK : tl__missing("value", name, ctx);
}
