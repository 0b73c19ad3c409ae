/* The queue of shards. */
#include "io/records/records_internal.h"

#include <string.h>

static const char *const state_words[] = {
#define WORD(name, text) text,
    TL_RECORD_SHARD_MAP(WORD)
#undef WORD
};

#define SHARD_COLUMNS                                                                              \
    "epoch_id, zipcode, state, holder, token, until_ms, attempts, input_key, result_key, error"

/* A lease whose time is over, or ends further ahead than a right clock could have said. */
#define IS_LAPSED                                                                                  \
    "state = 'leased' AND (until_ms <= ? OR until_ms > CAST(? AS BIGINT) + 2 * ttl_ms)"

enum { CLAIM_MAX = 1024 };

static tl_record_shard_state get_state(tl_sql_stmt *s, int column)
{
    const tl_bytes word = tl_sql_borrow(s, column);
    size_t i = 0;
    while (i < TL_RECORD_SHARD_COUNT - 1 &&
           !tl_str_eq_cstr((tl_str){(const char *)word.ptr, word.len}, state_words[i])) {
        i++; /* the schema has no other word */
    }
    return (tl_record_shard_state)i;
}

static void read_shard(tl_sql_stmt *s, tl_record_shard *out, tl_arena *arena)
{
    tl_sql_get_str(s, &out->epoch_id, 0, arena);
    tl_sql_get_str(s, &out->zipcode, 1, arena);
    out->state = get_state(s, 2);
    tl_sql_get_str(s, &out->holder, 3, arena);
    out->token = tl_sql_get_u64(s, 4);
    out->until_ms = tl_sql_get_i64(s, 5);
    out->attempts = tl__get_u32(s, 6);
    tl_sql_get_str(s, &out->input_key, 7, arena);
    tl_sql_get_str(s, &out->result_key, 8, arena);
    tl_sql_get_str(s, &out->error, 9, arena);
}

static tl_err end_shards(tl_sql_stmt *s, tl_vec *rows, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec_init(rows, arena, sizeof(tl_record_shard));
    while (tl_sql_row(s)) {
        tl_record_shard *row = tl__push(rows, s);
        if (row != NULL) {
            read_shard(s, row, arena);
        }
    }
    return tl_sql_end(s, NULL, ctx);
}

/* --- in --- */

typedef struct filling {
    const tl_record_shard *shards;
    size_t count;
} filling;

static tl_err put_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const filling *in = self;
    for (size_t i = 0; i < in->count; i++) {
        tl_sql_stmt s;
        tl_sql_prepare(&s, sql, "put a shard",
                       "INSERT INTO shards (epoch_id, zipcode, state, holder, token, until_ms,"
                       " ttl_ms, attempts, input_key, result_key, error)"
                       " VALUES (?, ?, 'ready', '', 0, 0, 0, 0, ?, '', '')"
                       " ON CONFLICT (epoch_id, zipcode) DO NOTHING");
        tl__put_text(&s, in->shards[i].epoch_id);
        tl__put_text(&s, in->shards[i].zipcode);
        tl__put_text(&s, in->shards[i].input_key);
        TL_TRY(tl_sql_end(&s, NULL, ctx));
    }
    return TL_OK;
}

tl_err tl_records_put_shards(tl_records *records, const tl_record_shard *shards, size_t count,
                             tl_errctx *ctx)
{
    filling in = {shards, count};
    return tl_sql_transact(records->sql, put_body, &in, ctx);
}

/* --- out --- */

typedef struct claim {
    tl_str holder;
    size_t want;
    int64_t now_ms;
    int64_t ttl_ms;
    tl_arena *arena;
    tl_vec rows;
} claim;

static tl_err give_up_lapsed(tl_sql *sql, const claim *c, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "give up a shard",
                   "UPDATE shards SET state = 'failed', holder = '',"
                   " error = 'its lease lapsed too often'"
                   " WHERE " IS_LAPSED " AND attempts >= ?");
    tl_sql_put_i64(&s, c->now_ms);
    tl_sql_put_i64(&s, c->now_ms);
    tl_sql_put_i64(&s, TL_RECORD_ATTEMPTS_MAX);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err claim_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    claim *c = self;
    TL_TRY(give_up_lapsed(sql, c, ctx));
    /* REC-4: SKIP LOCKED passes over what another claims at this moment; SQLite has one writer at a time. */
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "claim shards",
                   "WITH picked AS (SELECT epoch_id, zipcode FROM shards"
                   " WHERE state = 'ready' OR (" IS_LAPSED ")"
                   " ORDER BY epoch_id, zipcode LIMIT ? {FOR UPDATE SKIP LOCKED})"
                   " UPDATE shards SET state = 'leased', holder = ?, token = token + 1,"
                   " until_ms = ?, ttl_ms = ?, attempts = attempts + 1"
                   " WHERE (epoch_id, zipcode) IN (SELECT epoch_id, zipcode FROM picked)"
                   " RETURNING " SHARD_COLUMNS);
    tl_sql_put_i64(&s, c->now_ms);
    tl_sql_put_i64(&s, c->now_ms);
    tl_sql_put_u64(&s, c->want);
    tl__put_text(&s, c->holder);
    tl_sql_put_i64(&s, c->now_ms + c->ttl_ms);
    tl_sql_put_i64(&s, c->ttl_ms);
    return end_shards(&s, &c->rows, c->arena, ctx);
}

tl_err tl_records_claim_shards(tl_records *records, const tl_record_shard **out, size_t *count,
                               tl_str holder, size_t want, int64_t now_ms, int64_t ttl_ms,
                               tl_arena *arena, tl_errctx *ctx)
{
    const int64_t limit_ms = INT64_C(1) << 50;
    if (ttl_ms < 1 || ttl_ms > limit_ms || now_ms < 0 || now_ms > limit_ms || want < 1 ||
        want > CLAIM_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "a claim of %zu shards for %lld ms at %lld", want,
                       (long long)ttl_ms, (long long)now_ms);
    }
    if (holder.len == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "a claim needs a holder");
    }
    claim c = {.holder = holder, .want = want, .now_ms = now_ms, .ttl_ms = ttl_ms, .arena = arena};
    TL_TRY(tl_sql_transact(records->sql, claim_body, &c, ctx));
    *out = c.rows.items;
    *count = c.rows.count;
    return TL_OK;
}

tl_err tl_records_renew_shard(tl_records *records, const tl_record_shard *shard, int64_t now_ms,
                              int64_t ttl_ms, tl_errctx *ctx)
{
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "renew a shard",
                   "UPDATE shards SET until_ms = ?, ttl_ms = ? WHERE epoch_id = ? AND zipcode = ?"
                   " AND state = 'leased' AND holder = ? AND token = ?");
    tl_sql_put_i64(&s, now_ms + ttl_ms);
    tl_sql_put_i64(&s, ttl_ms);
    tl__put_text(&s, shard->epoch_id);
    tl__put_text(&s, shard->zipcode);
    tl__put_text(&s, shard->holder);
    tl_sql_put_u64(&s, shard->token);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    if (changed == 0) {
        return tl_fail(ctx, TL_ERR_REFUSED, "the lease of shard %.*s is lost",
                       TL_STR_ARG(shard->zipcode));
    }
    return TL_OK;
}

static tl_err complete_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const tl_record_shard *shard = self;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read a shard",
                   "SELECT state, result_key FROM shards WHERE epoch_id = ? AND zipcode = ?"
                   " {FOR UPDATE}");
    tl__put_text(&s, shard->epoch_id);
    tl__put_text(&s, shard->zipcode);
    const bool is_there = tl_sql_row(&s);
    bool is_done = false;
    bool is_same = false;
    if (is_there) {
        is_done = get_state(&s, 0) == TL_RECORD_SHARD_DONE;
        const tl_bytes key = tl_sql_borrow(&s, 1);
        is_same = tl_str_eq((tl_str){(const char *)key.ptr, key.len}, shard->result_key);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (!is_there) {
        return tl__missing("shard", shard->zipcode, ctx);
    }
    if (is_done) {
        return is_same ? TL_OK
                       : tl_fail(ctx, TL_ERR_CORRUPT, "shard %.*s has another result already",
                                 TL_STR_ARG(shard->zipcode));
    }
    tl_sql_prepare(&s, sql, "complete a shard",
                   "UPDATE shards SET state = 'done', holder = '', until_ms = 0, result_key = ?,"
                   " error = '' WHERE epoch_id = ? AND zipcode = ?");
    tl__put_text(&s, shard->result_key);
    tl__put_text(&s, shard->epoch_id);
    tl__put_text(&s, shard->zipcode);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_complete_shard(tl_records *records, const tl_record_shard *shard, tl_errctx *ctx)
{
    if (shard->result_key.len == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "a shard that is done has a result");
    }
    tl_record_shard copy = *shard;
    return tl_sql_transact(records->sql, complete_body, &copy, ctx);
}

tl_err tl_records_fail_shard(tl_records *records, const tl_record_shard *shard, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(
        &s, records->sql, "note a shard's failure",
        "UPDATE shards SET state = CASE WHEN attempts >= ? THEN 'failed' ELSE 'ready' END,"
        " holder = '', until_ms = 0, error = ?"
        " WHERE epoch_id = ? AND zipcode = ? AND state = 'leased' AND holder = ?"
        " AND token = ?");
    tl_sql_put_i64(&s, TL_RECORD_ATTEMPTS_MAX);
    tl__put_text(&s, tl_str_slice(shard->error, 0, TL_RECORDS_TEXT_MAX));
    tl__put_text(&s, shard->epoch_id);
    tl__put_text(&s, shard->zipcode);
    tl__put_text(&s, shard->holder);
    tl_sql_put_u64(&s, shard->token);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl_records_release_shards(tl_records *records, tl_str holder, uint64_t *released,
                                 tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "give shards back",
                   "UPDATE shards SET state = 'ready', holder = '', until_ms = 0,"
                   " attempts = attempts - 1 WHERE state = 'leased' AND holder = ?");
    tl__put_text(&s, holder);
    return tl_sql_end(&s, released, ctx);
}

tl_err tl_records_close_shards(tl_records *records, tl_str epoch_id, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "close an epoch's shards",
                   "UPDATE shards SET state = 'failed', holder = '', until_ms = 0,"
                   " error = 'its epoch is over' WHERE epoch_id = ?"
                   " AND state IN ('ready', 'leased')");
    tl__put_text(&s, epoch_id);
    return tl_sql_end(&s, NULL, ctx);
}

/* --- seen --- */

tl_err tl_records_shards(tl_records *records, const tl_record_shard **out, size_t *count,
                         tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read shards",
                   "SELECT " SHARD_COLUMNS " FROM shards WHERE epoch_id = ? ORDER BY zipcode");
    tl__put_text(&s, epoch_id);
    tl_vec rows;
    TL_TRY(end_shards(&s, &rows, arena, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

tl_err tl_records_count_shards(tl_records *records, uint64_t out[TL_RECORD_SHARD_COUNT],
                               tl_str epoch_id, tl_errctx *ctx)
{
    memset(out, 0, TL_RECORD_SHARD_COUNT * sizeof *out);
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "count shards",
                   epoch_id.len > 0
                       ? "SELECT state, count(*) FROM shards WHERE epoch_id = ? GROUP BY state"
                       : "SELECT state, count(*) FROM shards GROUP BY state");
    if (epoch_id.len > 0) {
        tl__put_text(&s, epoch_id);
    }
    while (tl_sql_row(&s)) {
        out[get_state(&s, 0)] = tl_sql_get_u64(&s, 1);
    }
    return tl_sql_end(&s, NULL, ctx);
}
