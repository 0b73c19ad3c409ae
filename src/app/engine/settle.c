/* settle.c: an epoch ends: one bundle, one transaction (ENG-2). */
#include "app/engine/engine_internal.h"
#include "core/num/stats/stats.h"
#include "io/sys/sys.h"

#define BUNDLE_LEN_MAX ((size_t)1 << 29)

/* --- what was kept, as the road wants it --- */

typedef struct kept {
    tl_submission *submissions;
    tl_store_submission *rows; /* of these */
    size_t count;
} kept;

/* The first signal of a hotkey that came in is its live one, whatever height a later one says it has. On the road the
 * order is by height and commitment: a second signal that would stand before the live one there is left out, as it changed
 * nothing and locked nothing. */
static bool is_left_out(const tl_engine *engine, const tl_store_submission *row,
                        const tl_submission *s)
{
    const tl_bytes key = {row->hotkey.b, sizeof row->hotkey.b};
    const tl_submission *live = (const tl_submission *)tl_map_get(&engine->epoch.live, key);
    if (row->is_accepted || live == NULL || !tl_str_eq_cstr(row->code, "E009")) {
        return false;
    }
    return s->commit_height < live->commit_height ||
           (s->commit_height == live->commit_height &&
            tl_hash32_cmp(&s->commitment, &live->commitment) <= 0);
}

static tl_err read_kept(kept *out, tl_engine *engine, tl_arena *arena, tl_errctx *ctx)
{
    const tl__open_epoch *e = &engine->epoch;
    const tl_store_submission *all = NULL;
    size_t count = 0;
    TL_TRY(tl_store_submissions(engine->store, &all, &count, e->epoch_id, arena, ctx));
    out->submissions = TL_NEW(arena, tl_submission, count);
    out->rows = TL_NEW(arena, tl_store_submission, count);
    if (out->submissions == NULL || out->rows == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        tl_submission *s = &out->submissions[out->count];
        const tl_bytes body = all[i].body;
        const tl_json *tree = NULL;
        tl_err err =
            tl_json_parse(&tree, arena, (tl_str){(const char *)body.ptr, body.len}, NULL, ctx);
        err = err != TL_OK
                  ? err
                  : tl_road_submission_read(s, arena, &tl_subnet_portfolio, &e->params, tree, ctx);
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "kept signal %llu", (unsigned long long)all[i].serial);
            return err;
        }
        if (!is_left_out(engine, &all[i], s)) {
            out->rows[out->count++] = all[i];
        }
    }
    return TL_OK;
}

typedef struct balance {
    tl_str hotkey;
    tl_rao amount;
} balance;

static int balance_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_str_cmp(((const balance *)a)->hotkey, ((const balance *)b)->hotkey);
}

/* What each sender had free at its commit: what is free now, and what is locked for this epoch. */
static tl_err put_balances(tl_str *out, tl_engine *engine, const kept *k, tl_arena *arena,
                           tl_errctx *ctx)
{
    *out = (tl_str){NULL, 0};
    if (!engine->has_funds) {
        return TL_OK;
    }
    balance *all = TL_NEW(arena, balance, k->count);
    if (all == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < k->count; i++) {
        const tl_submission *s = &k->submissions[i];
        const tl_account account = tl_account_of_hotkey(TL_ACCOUNT_MINER, &s->hotkey);
        const tl_str epoch_id = engine->epoch.epoch_id;
        all[i].hotkey = s->hotkey_text;
        TL_TRY(tl_rao_add(&all[i].amount, tl_ledger_balance(engine->ledger, account, epoch_id),
                          tl_escrow_get(engine->ledger, epoch_id, &s->hotkey).amount, ctx));
    }
    TL_TRY(tl_sort(all, k->count, sizeof *all, balance_cmp, NULL, arena, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    for (size_t i = 0; i < k->count; i++) {
        if (i == 0 || !tl_str_eq(all[i - 1].hotkey, all[i].hotkey)) {
            tl_json_put_key_str(&w, all[i].hotkey);
            tl_json_put_i64(&w, tl_rao_to_i64(all[i].amount));
        }
    }
    tl_json_put_end(&w);
    return tl_sb_finish(out, &sb, ctx);
}

/* --- running and writing down --- */

/* Every field that counts is the same; a commitment given by hand may stand over different bodies. */
static bool is_same_signal(const tl_submission *a, const tl_submission *b)
{
    return a->commit_height == b->commit_height && tl_str_eq(a->hotkey_text, b->hotkey_text) &&
           tl_hash32_cmp(&a->commitment, &b->commitment) == 0 && tl_rao_eq(a->ante, b->ante) &&
           a->has_reveal == b->has_reveal && a->reveal_height == b->reveal_height &&
           tl_hash32_cmp(&a->salt, &b->salt) == 0 &&
           tl_hash32_cmp(&a->body_hash, &b->body_hash) == 0 &&
           tl_str_eq(a->epoch_id, b->epoch_id) && a->is_registered == b->is_registered &&
           a->is_signature_valid == b->is_signature_valid;
}

/* What was told to a sender at commit must be what the road says: otherwise an ante is locked that the road does not
 * know, or the other way round. That would be our own fault, and nothing is paid then. */
static tl_err check_receipts(const kept *k, const tl_road_result *result, tl_errctx *ctx)
{
    for (size_t i = 0; i < k->count; i++) {
        for (size_t j = 0; j < result->line_count; j++) {
            const tl_road_line *line = &result->lines[j];
            if (line->has_outcome != k->rows[i].is_accepted &&
                is_same_signal(line->submission, &k->submissions[i])) {
                return tl_fail(ctx, TL_ERR_INTERNAL,
                               "signal %llu was acknowledged otherwise than the road admits it",
                               (unsigned long long)k->rows[i].serial);
            }
        }
    }
    return TL_OK;
}

/* An epoch was extended at this very height: whoever asks again did not hear the answer (ENG-3). Another attempt comes at
 * a later height. */
static bool is_same_attempt(const tl_engine *engine, uint64_t height)
{
    const tl_epoch_machine *m = &engine->epoch.machine;
    return m->state == TL_EPOCH_EXTENDED && m->height == height;
}

static tl_err assemble(tl_assembled *out, tl_engine *engine, tl_arena *arena, uint64_t height,
                       const tl_validator_view *views, size_t view_count, tl_str evidence,
                       tl_str stakes, tl_errctx *ctx)
{
    const tl__open_epoch *e = &engine->epoch;
    kept k = {0};
    TL_TRY(read_kept(&k, engine, arena, ctx));
    tl_assemble_inputs_spec spec = {.height = height,
                                    .submissions = k.submissions,
                                    .submission_count = k.count,
                                    .validators = views,
                                    .validator_count = view_count,
                                    .stakes = stakes,
                                    .was_extended = e->machine.was_extended &&
                                                    !is_same_attempt(engine, height)};
    TL_TRY(tl_str_copy(&spec.epoch_id, arena, e->epoch_id, ctx));
    TL_TRY(tl_str_copy(&spec.records, arena, e->records, ctx));
    TL_TRY(tl_str_copy(&spec.bonds, arena, e->bonds, ctx));
    TL_TRY(put_balances(&spec.balances, engine, &k, arena, ctx));
    tl_str inputs = {NULL, 0};
    TL_TRY(tl_assemble_inputs(&inputs, arena, &tl_subnet_portfolio, &spec, ctx));
    tl_str parameters = {NULL, 0};
    TL_TRY(tl_str_copy(&parameters, arena, e->parameters, ctx));
    TL_TRY(
        tl_assemble_publish(out, arena, &tl_subnet_portfolio, inputs, evidence, parameters, ctx));
    return check_receipts(&k, &out->result, ctx);
}

/* The two lists that go into the next epoch's inputs, as the results have them. */
static tl_err put_carry(tl_engine *engine, const tl_assembled *epoch, tl_arena *arena,
                        tl_errctx *ctx)
{
    const tl_json *results = NULL;
    TL_TRY(tl_json_parse(&results, arena, epoch->result.json, NULL, ctx));
    const tl_json *carry = NULL;
    TL_TRY(tl_json_want(&carry, results, "carry", TL_JSON_OBJECT, ctx));
    static const char *const members[] = {"records", "bonds"};
    static const char *const keys[] = {"carry/records", "carry/bonds"};
    for (size_t i = 0; i < 2; i++) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_json_put_tree(&w, tl_json_get(carry, members[i]));
        tl_str text = {NULL, 0};
        TL_TRY(tl_sb_finish(&text, &sb, ctx));
        TL_TRY(
            tl_store_put_value(engine->store, tl_str_from_cstr(keys[i]), tl_str_bytes(text), ctx));
    }
    return TL_OK;
}

/* The states from where the epoch stands to its end, in the open transaction. */
static tl_err walk(tl_engine *engine, const tl_road_result *result, uint64_t height, tl_errctx *ctx)
{
    const tl_epoch_machine *m = &engine->epoch.machine;
    if (m->state == TL_EPOCH_EXTENDED) {
        TL_TRY(tl__engine_step(engine, TL_EPOCH_EV_RETRY, height, "scored again", ctx));
    } else {
        TL_TRY(tl__engine_step(engine, TL_EPOCH_EV_CLOSE, height, "commits closed", ctx));
        TL_TRY(tl__engine_step(engine, TL_EPOCH_EV_CLOSE, height, "reveals closed", ctx));
    }
    if (result->agreement.verdict.pays) {
        TL_TRY(tl__engine_step(engine, TL_EPOCH_EV_AGREE, height, "half of the stake agrees", ctx));
        TL_TRY(tl__engine_step(engine, TL_EPOCH_EV_SETTLE, height, "paid", ctx));
    } else {
        TL_TRY(tl__engine_step(engine, TL_EPOCH_EV_DISAGREE, height, "less than half agrees", ctx));
    }
    TL_ASSERT(m->state == result->state);
    return TL_OK;
}

static tl_err write_down(tl_engine *engine, const tl_assembled *epoch, const char *path,
                         uint64_t height, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(walk(engine, &epoch->result, height, ctx));
    TL_TRY(tl_road_pay(engine->ledger, &epoch->result, arena, ctx));
    if (epoch->result.state != TL_EPOCH_EXTENDED) {
        TL_TRY(put_carry(engine, epoch, arena, ctx));
    }
    return tl__engine_put_epoch(engine, path, &epoch->digest, ctx);
}

/* An epoch that is over: its bundle, run again. */
static tl_err read_back(tl_assembled *out, tl_engine *engine, tl_arena *arena, tl_str epoch_id,
                        tl_errctx *ctx)
{
    const char *path = NULL;
    tl_bundle b = {0};
    TL_TRY(tl_engine_bundle_path(&path, arena, engine, epoch_id, ctx));
    TL_TRY(tl_sys_read_file(&out->bundle, arena, path, BUNDLE_LEN_MAX, ctx));
    TL_TRY(tl_bundle_read(&b, arena, out->bundle, ctx));
    tl_store_epoch row = {0};
    TL_TRY(tl_store_get_epoch(engine->store, &row, epoch_id, arena, ctx));
    if (tl_hash32_cmp(&b.whole, &row.bundle_digest) != 0) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, path, "\"%s\" is not the bundle that was settled",
                             path);
    }
    out->digest = b.whole;
    return tl_road_run(&out->result, arena, &tl_subnet_portfolio, b.tree[TL_BUNDLE_INPUTS],
                       b.tree[TL_BUNDLE_EVIDENCE], b.tree[TL_BUNDLE_PARAMETERS], ctx);
}

tl_err tl_engine_settle(tl_engine *engine, tl_assembled *out, tl_arena *arena, tl_str epoch_id,
                        uint64_t height, const tl_validator_view *views, size_t view_count,
                        tl_str evidence, tl_str stakes, tl_errctx *ctx)
{
    tl_assembled epoch = {0};
    if (tl_engine_is_settled(engine, epoch_id)) { /* ENG-3 */
        TL_TRY(read_back(&epoch, engine, arena, epoch_id, ctx));
        *out = epoch;
        return TL_OK;
    }
    if (!engine->epoch.is_open || !tl_str_eq(engine->epoch.epoch_id, epoch_id)) {
        return tl_fail(ctx, TL_ERR_STATE, "epoch %.*s is not open", TL_STR_ARG(epoch_id));
    }
    TL_TRY(assemble(&epoch, engine, arena, height, views, view_count, evidence, stakes, ctx));
    const bool is_over = epoch.result.state != TL_EPOCH_EXTENDED;
    if (is_same_attempt(engine, height)) {
        if (is_over) {
            return tl_fail(ctx, TL_ERR_STATE,
                           "epoch %.*s was extended at height %llu, on other evidence",
                           TL_STR_ARG(epoch_id), (unsigned long long)height);
        }
        *out = epoch;
        return TL_OK;
    }
    const char *path = NULL;
    if (is_over) {
        TL_TRY(tl_engine_bundle_path(&path, arena, engine, epoch_id, ctx));
        TL_TRY(tl_sys_write_file(path, tl_str_bytes(epoch.bundle), 0644, ctx));
    }
    const tl_epoch_machine before = engine->epoch.machine;
    TL_TRY(tl_store_begin(engine->store, ctx));
    const tl_err err = write_down(engine, &epoch, path, height, arena, ctx);
    const tl_err committed = tl__engine_commit(engine, err, ctx);
    if (committed != TL_OK) {
        engine->epoch.machine = before;
        return committed;
    }
    if (is_over) {
        tl__engine_drop_epoch(engine);
    }
    *out = epoch;
    return TL_OK;
}
