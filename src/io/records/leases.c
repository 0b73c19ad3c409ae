/* Leases by name, with tokens that fence off whoever lost one. */
#include "io/records/records_internal.h"

typedef struct taking {
    tl_record_lease *out;
    bool is_ours;
    tl_str name;
    tl_str holder;
    int64_t now_ms;
    int64_t ttl_ms;
    tl_arena *arena;
} taking;

static tl_err insert_lease(tl_sql *sql, taking *t, tl_errctx *ctx)
{
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "take a lease",
                   "INSERT INTO leases (name, holder, token, until_ms, ttl_ms)"
                   " VALUES (?, ?, 1, ?, ?) ON CONFLICT (name) DO NOTHING");
    tl__put_text(&s, t->name);
    tl__put_text(&s, t->holder);
    tl_sql_put_i64(&s, t->now_ms + t->ttl_ms);
    tl_sql_put_i64(&s, t->ttl_ms);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    if (changed == 0) { /* another made it at the same moment: look again */
        return tl_fail(ctx, TL_ERR_LOCKED, "another process takes the lease \"%.*s\"",
                       TL_STR_ARG(t->name));
    }
    t->out->token = 1;
    t->out->until_ms = t->now_ms + t->ttl_ms;
    t->is_ours = true;
    return tl_str_copy(&t->out->holder, t->arena, t->holder, ctx);
}

static tl_err update_lease(tl_sql *sql, taking *t, bool is_renewal, tl_errctx *ctx)
{
    t->out->token += is_renewal ? 0 : 1; /* REC-4 */
    t->out->until_ms = t->now_ms + t->ttl_ms;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "take a lease",
                   "UPDATE leases SET holder = ?, token = ?, until_ms = ?, ttl_ms = ?"
                   " WHERE name = ?");
    tl__put_text(&s, t->holder);
    tl_sql_put_u64(&s, t->out->token);
    tl_sql_put_i64(&s, t->out->until_ms);
    tl_sql_put_i64(&s, t->ttl_ms);
    tl__put_text(&s, t->name);
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    t->is_ours = true;
    return tl_str_copy(&t->out->holder, t->arena, t->holder, ctx);
}

static tl_err take_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    taking *t = self;
    t->is_ours = false;
    tl_sql_stmt s;
    tl_sql_prepare(
        &s, sql, "read a lease",
        "SELECT holder, token, until_ms, ttl_ms FROM leases WHERE name = ? {FOR UPDATE}");
    tl__put_text(&s, t->name);
    const bool is_there = tl_sql_row(&s);
    int64_t ttl_ms = 0;
    if (is_there) {
        tl_sql_get_str(&s, &t->out->holder, 0, t->arena);
        t->out->token = tl_sql_get_u64(&s, 1);
        t->out->until_ms = tl_sql_get_i64(&s, 2);
        ttl_ms = tl_sql_get_i64(&s, 3);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (!is_there) {
        return insert_lease(sql, t, ctx);
    }
    const int64_t left_ms = t->out->until_ms - t->now_ms;
    const bool is_alive = t->out->holder.len > 0 && left_ms > 0 && left_ms <= 2 * ttl_ms;
    const bool is_renewal = is_alive && tl_str_eq(t->out->holder, t->holder);
    return is_alive && !is_renewal ? TL_OK : update_lease(sql, t, is_renewal, ctx);
}

tl_err tl_records_take_lease(tl_records *records, tl_record_lease *out, bool *is_ours, tl_str name,
                             tl_str holder, int64_t now_ms, int64_t ttl_ms, tl_arena *arena,
                             tl_errctx *ctx)
{
    const int64_t limit_ms = INT64_C(1) << 50; /* some 35,000 years: sums stay far from the edge */
    if (ttl_ms < 1 || ttl_ms > limit_ms || now_ms < 0 || now_ms > limit_ms) {
        return tl_fail(ctx, TL_ERR_RANGE, "a lease of %lld ms at %lld", (long long)ttl_ms,
                       (long long)now_ms);
    }
    if (name.len == 0 || holder.len == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "a lease needs a name and a holder");
    }
    tl_record_lease taken = {{NULL, 0}, {NULL, 0}, 0, 0};
    taking t = {&taken, false, name, holder, now_ms, ttl_ms, arena};
    TL_TRY(tl_str_copy(&taken.name, arena, name, ctx));
    TL_TRY(tl_sql_transact(records->sql, take_body, &t, ctx));
    *out = taken;
    *is_ours = t.is_ours;
    return TL_OK;
}

tl_err tl_records_drop_lease(tl_records *records, const tl_record_lease *lease, tl_errctx *ctx)
{
    tl_sql_stmt s; /* the row stays: its token goes on growing */
    tl_sql_prepare(&s, records->sql, "give a lease back",
                   "UPDATE leases SET holder = '', until_ms = 0"
                   " WHERE name = ? AND holder = ? AND token = ?");
    tl__put_text(&s, lease->name);
    tl__put_text(&s, lease->holder);
    tl_sql_put_u64(&s, lease->token);
    return tl_sql_end(&s, NULL, ctx);
}

tl_err tl__check_fence(tl_sql *sql, const tl_record_lease *lease, tl_errctx *ctx)
{
    if (lease == NULL) {
        return TL_OK;
    }
    uint64_t found = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "check a lease",
                   "SELECT token FROM leases WHERE name = ? AND holder = ? {FOR SHARE}");
    tl__put_text(&s, lease->name);
    tl__put_text(&s, lease->holder);
    TL_TRY(tl__end_count(&s, &found, ctx));
    if (found != lease->token || lease->token == 0) { /* REC-5 */
        return tl_fail(ctx, TL_ERR_REFUSED,
                       "the lease \"%.*s\" is lost: token %llu is not the newest",
                       TL_STR_ARG(lease->name), (unsigned long long)lease->token);
    }
    return TL_OK;
}

tl_err tl_records_check_lease(tl_records *records, const tl_record_lease *lease, tl_errctx *ctx)
{
    TL_ASSERT(tl_sql_is_in_transaction(records->sql));
    return tl__check_fence(records->sql, lease, ctx);
}
