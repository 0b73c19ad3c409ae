/* What validators say: contributions to the beacon, evidence, ballots. Each is written once: the same again is fine,
 * also after its window; anything else is refused (REC-3). */
#include "io/records/records_internal.h"

#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"

/* --- contributions --- */

typedef struct contribution {
    tl_str epoch_id;
    const tl_hotkey *hotkey;
    const tl_hash32 *commit;
    tl_str secret;
    int64_t at_ms;
} contribution;

static tl_err find_contribution(tl_sql *sql, const contribution *in, bool *is_there,
                                tl_hash32 *commit, tl_hash32 *secret_hash, bool *is_revealed,
                                tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read a contribution",
                   "SELECT commit_hash, secret FROM contributions"
                   " WHERE epoch_id = ? AND hotkey = ? {FOR UPDATE}");
    tl__put_text(&s, in->epoch_id);
    tl__put_key(&s, in->hotkey);
    *is_there = tl_sql_row(&s);
    if (*is_there) {
        tl_sql_get_hash(&s, commit, 0);
        const tl_bytes secret = tl_sql_borrow(&s, 1);
        *is_revealed = secret.len > 0;
        tl_sha256(secret_hash, secret.ptr, secret.len);
    }
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err join_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const contribution *in = self;
    tl__window window;
    TL_TRY(tl__read_window(sql, &window, in->epoch_id, ctx));
    tl_hash32 commit = {{0}};
    tl_hash32 ignored;
    bool is_there = false;
    bool is_revealed = false;
    TL_TRY(find_contribution(sql, in, &is_there, &commit, &ignored, &is_revealed, ctx));
    if (!is_there) {
        if ((window.state != TL_EPOCH_PENDING && window.state != TL_EPOCH_OPEN) ||
            in->at_ms >= window.deadline_ms) {
            return tl_fail(ctx, TL_ERR_STATE, "epoch \"%.*s\" is closed: it cannot be joined",
                           TL_STR_ARG(in->epoch_id));
        }
        uint64_t changed = 0;
        tl_sql_stmt s;
        tl_sql_prepare(&s, sql, "join an epoch",
                       "INSERT INTO contributions (epoch_id, hotkey, commit_hash, secret,"
                       " committed_ms, revealed_ms) VALUES (?, ?, ?, '', ?, 0)"
                       " ON CONFLICT (epoch_id, hotkey) DO NOTHING");
        tl__put_text(&s, in->epoch_id);
        tl__put_key(&s, in->hotkey);
        tl_sql_put_hash(&s, in->commit);
        tl_sql_put_i64(&s, in->at_ms);
        TL_TRY(tl_sql_end(&s, &changed, ctx));
        if (changed == 1) {
            return TL_OK;
        }
        TL_TRY(find_contribution(sql, in, &is_there, &commit, &ignored, &is_revealed, ctx));
    }
    if (tl_hash32_cmp(&commit, in->commit) != 0) { /* REC-3 */
        return tl_fail_field(ctx, TL_ERR_DUPLICATE, "commit",
                             "this validator gave another commitment for \"%.*s\"",
                             TL_STR_ARG(in->epoch_id));
    }
    return TL_OK;
}

tl_err tl_records_join(tl_records *records, tl_str epoch_id, const tl_hotkey *hotkey,
                       const tl_hash32 *commit, int64_t at_ms, tl_errctx *ctx)
{
    contribution in = {epoch_id, hotkey, commit, {NULL, 0}, at_ms};
    return tl_sql_transact(records->sql, join_body, &in, ctx);
}

static tl_err write_secret(tl_sql *sql, const contribution *in, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "reveal a secret",
                   "UPDATE contributions SET secret = ?, revealed_ms = ?"
                   " WHERE epoch_id = ? AND hotkey = ?");
    tl__put_text(&s, in->secret);
    tl_sql_put_i64(&s, in->at_ms);
    tl__put_text(&s, in->epoch_id);
    tl__put_key(&s, in->hotkey);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err reveal_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const contribution *in = self;
    tl__window window;
    TL_TRY(tl__read_window(sql, &window, in->epoch_id, ctx));
    tl_hash32 commit = {{0}};
    tl_hash32 revealed = {{0}};
    tl_hash32 given;
    bool is_there = false;
    bool is_revealed = false;
    TL_TRY(find_contribution(sql, in, &is_there, &commit, &revealed, &is_revealed, ctx));
    if (!is_there) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "this validator did not join \"%.*s\"",
                       TL_STR_ARG(in->epoch_id));
    }
    tl_sha256(&given, in->secret.ptr, in->secret.len);
    if (in->secret.len == 0 || tl_hash32_cmp(&given, &commit) != 0) {
        return tl_fail_field(ctx, TL_ERR_CHECK, "secret", "the secret is not the one committed to");
    }
    if (is_revealed) { /* the commit fixes it, so it is the same */
        return TL_OK;
    }
    const bool is_time = window.state == TL_EPOCH_REVEAL ||
                         (window.state == TL_EPOCH_OPEN && in->at_ms >= window.deadline_ms);
    if (!is_time || window.has_beacon) {
        return tl_fail(ctx, TL_ERR_STATE, "epoch \"%.*s\" takes no secrets now",
                       TL_STR_ARG(in->epoch_id));
    }
    return write_secret(sql, in, ctx);
}

tl_err tl_records_reveal_secret(tl_records *records, tl_str epoch_id, const tl_hotkey *hotkey,
                                tl_str secret, int64_t at_ms, tl_errctx *ctx)
{
    contribution in = {epoch_id, hotkey, NULL, secret, at_ms};
    return tl_sql_transact(records->sql, reveal_body, &in, ctx);
}

tl_err tl_records_contributions(tl_records *records, const tl_record_contribution **out,
                                size_t *count, tl_str epoch_id, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_contribution));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read contributions",
                   "SELECT hotkey, commit_hash, secret, committed_ms, revealed_ms"
                   " FROM contributions WHERE epoch_id = ? ORDER BY hotkey");
    tl__put_text(&s, epoch_id);
    while (tl_sql_row(&s)) {
        tl_record_contribution *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl__get_key(&s, &row->hotkey, 0);
            tl_sql_get_hash(&s, &row->commit, 1);
            tl_sql_get_str(&s, &row->secret, 2, arena);
            row->committed_ms = tl_sql_get_i64(&s, 3);
            row->revealed_ms = tl_sql_get_i64(&s, 4);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- evidence --- */

typedef struct vote {
    tl_str epoch_id;
    uint32_t round;
    const tl_record_evidence *evidence;
    const tl_record_ballot *ballot;
} vote;

static bool is_scoring(const tl__window *window, uint32_t round)
{
    return (window->state == TL_EPOCH_SCORING || window->state == TL_EPOCH_EXTENDED) &&
           window->round == round && window->has_beacon;
}

static tl_err fail_window(const vote *in, const char *what, tl_errctx *ctx)
{
    return tl_fail(ctx, TL_ERR_STATE, "epoch \"%.*s\" takes no %s of round %u now",
                   TL_STR_ARG(in->epoch_id), what, in->round);
}

static tl_err same_evidence(tl_sql *sql, const vote *in, const tl_hash32 *sha256, bool *is_there,
                            tl_errctx *ctx)
{
    tl_hash32 kept = {{0}};
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read evidence",
                   "SELECT sha256 FROM evidence WHERE epoch_id = ? AND round = ? AND hotkey = ?");
    tl__put_text(&s, in->epoch_id);
    tl_sql_put_i64(&s, in->round);
    tl__put_key(&s, &in->evidence->hotkey);
    *is_there = tl_sql_row(&s);
    if (*is_there) {
        tl_sql_get_hash(&s, &kept, 0);
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    if (*is_there && tl_hash32_cmp(&kept, sha256) != 0) { /* REC-3 */
        return tl_fail(ctx, TL_ERR_DUPLICATE, "this validator gave other evidence for \"%.*s\"",
                       TL_STR_ARG(in->epoch_id));
    }
    return TL_OK;
}

static tl_err evidence_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const vote *in = self;
    const tl_record_evidence *e = in->evidence;
    tl__window window;
    tl_hash32 sha256;
    bool is_there = false;
    tl_sha256(&sha256, e->body.ptr, e->body.len);
    TL_TRY(tl__read_window(sql, &window, in->epoch_id, ctx));
    TL_TRY(same_evidence(sql, in, &sha256, &is_there, ctx));
    if (is_there) {
        return TL_OK;
    }
    if (!is_scoring(&window, in->round) || window.is_evidence_closed) {
        return fail_window(in, "evidence", ctx);
    }
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "keep evidence",
                   "INSERT INTO evidence (epoch_id, round, hotkey, stake_rao, sha256, body,"
                   " received_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
                   " ON CONFLICT (epoch_id, round, hotkey) DO NOTHING");
    tl__put_text(&s, in->epoch_id);
    tl_sql_put_i64(&s, in->round);
    tl__put_key(&s, &e->hotkey);
    tl__put_rao(&s, e->stake);
    tl_sql_put_hash(&s, &sha256);
    tl_sql_put_bytes(&s, e->body);
    tl_sql_put_i64(&s, e->received_ms);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    return changed == 1 ? TL_OK : same_evidence(sql, in, &sha256, &is_there, ctx);
}

tl_err tl_records_put_evidence(tl_records *records, tl_str epoch_id, uint32_t round,
                               const tl_record_evidence *evidence, tl_errctx *ctx)
{
    vote in = {epoch_id, round, evidence, NULL};
    return tl_sql_transact(records->sql, evidence_body, &in, ctx);
}

tl_err tl_records_evidence(tl_records *records, const tl_record_evidence **out, size_t *count,
                           tl_str epoch_id, uint32_t round, bool with_bodies, tl_arena *arena,
                           tl_errctx *ctx)
{
#define EVIDENCE_FROM " FROM evidence WHERE epoch_id = ? AND round = ? ORDER BY hotkey"
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_evidence));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read evidence",
                   with_bodies ? "SELECT hotkey, stake_rao, sha256, received_ms, body" EVIDENCE_FROM
                               : "SELECT hotkey, stake_rao, sha256, received_ms" EVIDENCE_FROM);
#undef EVIDENCE_FROM
    tl__put_text(&s, epoch_id);
    tl_sql_put_i64(&s, round);
    while (tl_sql_row(&s)) {
        tl_record_evidence *row = tl__push(&rows, &s);
        if (row != NULL) {
            tl__get_key(&s, &row->hotkey, 0);
            row->stake = tl__get_rao(&s, 1);
            tl_sql_get_hash(&s, &row->sha256, 2);
            row->received_ms = tl_sql_get_i64(&s, 3);
        }
        if (row != NULL && with_bodies) {
            tl_sql_get_bytes(&s, &row->body, 4, arena);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}

/* --- ballots --- */

/* What stands of a ballot: enough to tell the same from another. */
typedef struct stored {
    bool is_there;
    bool is_revealed;
    tl_hash32 commit;
    tl_hash32 body; /* SHA-256 of the body */
} stored;

static tl_err find_ballot(tl_sql *sql, const vote *in, stored *out, tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "read a ballot",
                   "SELECT commit_hash, body FROM ballots"
                   " WHERE epoch_id = ? AND round = ? AND hotkey = ? {FOR UPDATE}");
    tl__put_text(&s, in->epoch_id);
    tl_sql_put_i64(&s, in->round);
    tl__put_key(&s, &in->ballot->hotkey);
    memset(out, 0, sizeof *out);
    out->is_there = tl_sql_row(&s);
    if (out->is_there) {
        tl_sql_get_hash(&s, &out->commit, 0);
        out->is_revealed = !tl_sql_is_null(&s, 1);
    }
    if (out->is_revealed) {
        const tl_bytes body = tl_sql_borrow(&s, 1);
        tl_sha256(&out->body, body.ptr, body.len);
    }
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err same_commit(const stored *kept, const vote *in, tl_errctx *ctx)
{
    if (tl_hash32_cmp(&kept->commit, &in->ballot->commit) != 0) { /* REC-3 */
        return tl_fail_field(ctx, TL_ERR_DUPLICATE, "commit",
                             "this validator committed to another result of \"%.*s\"",
                             TL_STR_ARG(in->epoch_id));
    }
    return TL_OK;
}

static tl_err commit_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const vote *in = self;
    tl__window window;
    stored kept;
    TL_TRY(tl__read_window(sql, &window, in->epoch_id, ctx));
    TL_TRY(find_ballot(sql, in, &kept, ctx));
    if (kept.is_there) {
        return same_commit(&kept, in, ctx);
    }
    if (!is_scoring(&window, in->round) || window.are_commits_closed) {
        return fail_window(in, "commitments", ctx);
    }
    uint64_t changed = 0;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "keep a commitment",
                   "INSERT INTO ballots (epoch_id, round, hotkey, stake_rao, commit_hash,"
                   " committed_ms, revealed_ms) VALUES (?, ?, ?, ?, ?, ?, 0)"
                   " ON CONFLICT (epoch_id, round, hotkey) DO NOTHING");
    tl__put_text(&s, in->epoch_id);
    tl_sql_put_i64(&s, in->round);
    tl__put_key(&s, &in->ballot->hotkey);
    tl__put_rao(&s, in->ballot->stake);
    tl_sql_put_hash(&s, &in->ballot->commit);
    tl_sql_put_i64(&s, in->ballot->committed_ms);
    TL_TRY(tl_sql_end(&s, &changed, ctx));
    if (changed == 1) {
        return TL_OK;
    }
    TL_TRY(find_ballot(sql, in, &kept, ctx));
    return same_commit(&kept, in, ctx);
}

tl_err tl_records_commit_ballot(tl_records *records, tl_str epoch_id, uint32_t round,
                                const tl_record_ballot *ballot, tl_errctx *ctx)
{
    vote in = {epoch_id, round, NULL, ballot};
    return tl_sql_transact(records->sql, commit_body, &in, ctx);
}

/* SHA-256 of "hash:salt", the hash as text. */
static void commit_of(tl_hash32 *out, const tl_record_ballot *ballot)
{
    char hex[65];
    tl_hex_write(hex, ballot->hash.b, sizeof ballot->hash.b);
    tl_sha256_state state;
    tl_sha256_init(&state);
    tl_sha256_update(&state, hex, 64);
    tl_sha256_update(&state, ":", 1);
    tl_sha256_update(&state, ballot->salt.ptr, ballot->salt.len);
    tl_sha256_final(&state, out);
}

static tl_err write_reveal(tl_sql *sql, const vote *in, tl_errctx *ctx)
{
    const tl_record_ballot *b = in->ballot;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "reveal a ballot",
                   "UPDATE ballots SET hash = ?, salt = ?, evidence_root = ?, score_root = ?,"
                   " weight_root = ?, body = ?, revealed_ms = ?"
                   " WHERE epoch_id = ? AND round = ? AND hotkey = ?");
    tl_sql_put_hash(&s, &b->hash);
    tl__put_text(&s, b->salt);
    tl_sql_put_hash(&s, &b->evidence_root);
    tl_sql_put_hash(&s, &b->score_root);
    tl_sql_put_hash(&s, &b->weight_root);
    tl_sql_put_bytes(&s, b->body);
    tl_sql_put_i64(&s, b->revealed_ms);
    tl__put_text(&s, in->epoch_id);
    tl_sql_put_i64(&s, in->round);
    tl__put_key(&s, &b->hotkey);
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err reveal_ballot_body(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const vote *in = self;
    tl__window window;
    stored kept;
    tl_hash32 own;
    TL_TRY(tl__read_window(sql, &window, in->epoch_id, ctx));
    TL_TRY(find_ballot(sql, in, &kept, ctx));
    if (!kept.is_there) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "this validator committed to nothing for \"%.*s\"",
                       TL_STR_ARG(in->epoch_id));
    }
    commit_of(&own, in->ballot);
    if (tl_hash32_cmp(&own, &kept.commit) != 0) {
        return tl_fail_field(ctx, TL_ERR_CHECK, "hash", "the result is not the one committed to");
    }
    if (kept.is_revealed) {
        tl_sha256(&own, in->ballot->body.ptr, in->ballot->body.len);
        if (tl_hash32_cmp(&own, &kept.body) == 0) {
            return TL_OK;
        }
        return tl_fail(ctx, TL_ERR_DUPLICATE, "this validator revealed another result of \"%.*s\"",
                       TL_STR_ARG(in->epoch_id)); /* REC-3 */
    }
    if (!is_scoring(&window, in->round) || !window.are_commits_closed ||
        window.are_results_closed) {
        return fail_window(in, "results", ctx);
    }
    return write_reveal(sql, in, ctx);
}

tl_err tl_records_reveal_ballot(tl_records *records, tl_str epoch_id, uint32_t round,
                                const tl_record_ballot *ballot, tl_errctx *ctx)
{
    vote in = {epoch_id, round, NULL, ballot};
    return tl_sql_transact(records->sql, reveal_ballot_body, &in, ctx);
}

static void read_ballot(tl_sql_stmt *s, tl_record_ballot *row, tl_arena *arena)
{
    tl__get_key(s, &row->hotkey, 0);
    row->stake = tl__get_rao(s, 1);
    tl_sql_get_hash(s, &row->commit, 2);
    row->committed_ms = tl_sql_get_i64(s, 3);
    row->revealed_ms = tl_sql_get_i64(s, 4);
    row->is_revealed = !tl_sql_is_null(s, 5);
    if (row->is_revealed) {
        tl_sql_get_hash(s, &row->hash, 5);
        tl_sql_get_str(s, &row->salt, 6, arena);
        tl_sql_get_hash(s, &row->evidence_root, 7);
        tl_sql_get_hash(s, &row->score_root, 8);
        tl_sql_get_hash(s, &row->weight_root, 9);
        tl_sql_get_bytes(s, &row->body, 10, arena);
    }
}

tl_err tl_records_ballots(tl_records *records, const tl_record_ballot **out, size_t *count,
                          tl_str epoch_id, uint32_t round, tl_arena *arena, tl_errctx *ctx)
{
    tl_vec rows;
    tl_vec_init(&rows, arena, sizeof(tl_record_ballot));
    tl_sql_stmt s;
    tl_sql_prepare(&s, records->sql, "read ballots",
                   "SELECT hotkey, stake_rao, commit_hash, committed_ms, revealed_ms, hash, salt,"
                   " evidence_root, score_root, weight_root, body FROM ballots"
                   " WHERE epoch_id = ? AND round = ? ORDER BY hotkey");
    tl__put_text(&s, epoch_id);
    tl_sql_put_i64(&s, round);
    while (tl_sql_row(&s)) {
        tl_record_ballot *row = tl__push(&rows, &s);
        if (row != NULL) {
            read_ballot(&s, row, arena);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    *out = rows.items;
    *count = rows.count;
    return TL_OK;
}
