/* Does the database say what it must? */
#include "io/records/records_internal.h"

#include <string.h>

enum { FINDINGS_MAX = 64, PAGE = 1024 };

typedef struct book {
    tl_arena *arena;
    tl_str *rows;
    size_t count;
} book;

static tl_err find(book *b, const char *format, uint64_t number, tl_errctx *ctx)
{
    if (b->count < FINDINGS_MAX) {
        char text[160];
        const size_t len =
            tl_str_print(text, sizeof text, "%s%llu", format, (unsigned long long)number);
        return tl_str_copy(&b->rows[b->count++], b->arena, (tl_str){text, len}, ctx);
    }
    return TL_OK;
}

/* --- the audit chain (REC-6) --- */

static tl_err check_act(book *b, const tl_record_act *act, uint64_t serial,
                        const tl_hash32 *previous, tl_errctx *ctx)
{
    tl_hash32 own;
    tl_record_act_hash(&own, act);
    if (act->serial != serial) {
        TL_TRY(find(b, "the audit log has a gap before act ", act->serial, ctx));
    }
    if (tl_hash32_cmp(&act->previous, previous) != 0) {
        TL_TRY(find(b, "the audit log's chain breaks before act ", act->serial, ctx));
    }
    if (tl_hash32_cmp(&act->hash, &own) != 0) {
        TL_TRY(find(b, "the hash does not fit audit act ", act->serial, ctx));
    }
    return TL_OK;
}

static tl_err check_head(tl_records *records, book *b, uint64_t serial, const tl_hash32 *hash,
                         tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_hash32 head = {{0}};
    uint64_t at = UINT64_MAX;
    tl_sql_prepare(&s, records->sql, "verify", "SELECT serial, hash FROM audit_head WHERE id = 1");
    if (tl_sql_row(&s)) {
        at = tl_sql_get_u64(&s, 0);
        tl_sql_get_hash(&s, &head, 1);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (at != serial || tl_hash32_cmp(&head, hash) != 0) {
        return find(b, "the audit log's head does not fit its last act, ", serial, ctx);
    }
    return TL_OK;
}

static tl_err check_audit(tl_records *records, book *b, tl_errctx *ctx)
{
    tl_hash32 previous = {{0}};
    uint64_t serial = 0;
    tl_err err = TL_OK;
    bool is_more = true;
    while (is_more && err == TL_OK) {
        tl_arena *page = NULL;
        TL_TRY(tl_arena_new(&page, NULL, 0, NULL, ctx));
        const tl_record_act *acts = NULL;
        size_t count = 0;
        err = tl_records_acts(records, &acts, &count, serial, PAGE, page, ctx);
        for (size_t i = 0; i < count && err == TL_OK; i++) {
            err = check_act(b, &acts[i], serial + 1, &previous, ctx);
            serial = acts[i].serial;
            previous = acts[i].hash;
        }
        is_more = count == PAGE;
        tl_arena_free(page);
    }
    TL_TRY(err);
    return check_head(records, b, serial, &previous, ctx);
}

/* --- counts that must agree --- */

typedef struct rule {
    const char *finding; /* with the count behind it */
    const char *query;
} rule;

static const rule rules[] = {
    {"submissions whose zipcodes do not fit their objects: ",
     "SELECT count(*) FROM (SELECT epoch_id, hotkey, zipcode, SUM(row_count) AS total"
     " FROM submission_objects GROUP BY epoch_id, hotkey, zipcode) o"
     " LEFT JOIN miner_submissions m ON m.epoch_id = o.epoch_id AND m.miner_hotkey = o.hotkey"
     " AND m.zipcode = o.zipcode"
     " WHERE m.zipcode IS NULL OR (o.total <= 4294967295 AND m.listings_scraped <> o.total)"},
    {"hotkeys whose leaderboard does not fit their standings: ",
     "SELECT count(*) FROM leaderboard l LEFT JOIN (SELECT hotkey, count(*) AS epochs,"
     " SUM(paid_rao) AS paid, SUM(wins) AS wins FROM standings GROUP BY hotkey) s"
     " ON s.hotkey = l.hotkey"
     " WHERE s.hotkey IS NULL OR s.epochs <> l.epochs OR s.paid <> l.paid_rao"
     " OR s.wins <> l.wins"},
    {"epochs whose last transition is not their state: ",
     "SELECT count(*) FROM epochs e JOIN transitions t ON t.epoch_id = e.id"
     " AND t.position = (SELECT MAX(position) FROM transitions WHERE epoch_id = e.id)"
     " WHERE t.to_state <> e.state"},
    {"epochs whose extensions do not add up: ",
     "SELECT count(*) FROM epochs e WHERE e.extended_ms <> COALESCE("
     "(SELECT SUM(added_ms) FROM extensions x WHERE x.epoch_id = e.id), 0)"},
};

static tl_err check_counts(tl_records *records, book *b, tl_errctx *ctx)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        tl_sql_stmt s;
        uint64_t count = 0;
        tl_sql_prepare(&s, records->sql, "verify", rules[i].query);
        TL_TRY(tl__end_count(&s, &count, ctx));
        if (count > 0) {
            TL_TRY(find(b, rules[i].finding, count, ctx));
        }
    }
    return TL_OK;
}

static tl_err check_steps(tl_records *records, book *b, bool *is_whole, tl_errctx *ctx)
{
    const tl_sql_step *steps = NULL;
    size_t count = 0;
    *is_whole = true;
    TL_TRY(tl_records_steps(records, &steps, &count, b->arena, ctx));
    for (size_t i = 0; i < count; i++) {
        if (steps[i].state != TL_SQL_APPLIED) {
            char text[64];
            (void)tl_str_print(text, sizeof text, "%s: migration ",
                               tl_sql_step_state_name(steps[i].state));
            TL_TRY(find(b, text, steps[i].number, ctx));
            *is_whole = false;
        }
    }
    return TL_OK;
}

tl_err tl_records_verify(tl_records *records, const tl_str **findings, size_t *count,
                         tl_arena *arena, tl_errctx *ctx)
{
    book b = {arena, TL_NEW(arena, tl_str, FINDINGS_MAX), 0};
    if (b.rows == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    bool is_whole = false;
    const tl_str *own = NULL;
    size_t own_count = 0;
    TL_TRY(check_steps(records, &b, &is_whole, ctx));
    TL_TRY(tl_sql_verify(records->sql, &own, &own_count, arena, ctx));
    for (size_t i = 0; i < own_count && b.count < FINDINGS_MAX; i++) {
        b.rows[b.count++] = own[i];
    }
    if (is_whole) { /* another schema's rows mean nothing here */
        TL_TRY(check_audit(records, &b, ctx));
        TL_TRY(check_counts(records, &b, ctx));
    }
    *findings = b.rows;
    *count = b.count;
    return TL_OK;
}
