/* submit.c: a signal comes in. Nothing is acknowledged before it and its ante are durable (ENG-1). */
#include "app/engine/engine_internal.h"
#include "core/crypto/hash/hash.h"

/* Two signals are the same when every field that counts is: the key is SHA-256 of the canonical text. */
static tl_err canonical(tl_str *text, tl_hash32 *key, const tl_submission *s, tl_arena *arena,
                        tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_road_submission_put(&w, &tl_subnet_portfolio, s);
    TL_TRY(tl_sb_finish(text, &sb, ctx));
    tl_sha256(key, text->ptr, text->len);
    return TL_OK;
}

/* An extended epoch takes no new signals: it only waits to be scored again. A signal that was kept before still gets the
 * receipt that it had (ENG-3). */
static tl_err check_state(const tl_engine *engine, tl_errctx *ctx)
{
    const tl__open_epoch *e = &engine->epoch;
    return e->machine.state == TL_EPOCH_OPEN
               ? TL_OK
               : tl_fail(ctx, TL_ERR_STATE, "no epoch is open: %.*s is %s", TL_STR_ARG(e->epoch_id),
                         tl_epoch_state_text(e->machine.state));
}

/* A folder without funds of its own: a miner brings along what it lacks. */
static tl_err lock_ante(tl_engine *engine, const tl_submission *s, tl_errctx *ctx)
{
    const tl_account account = tl_account_of_hotkey(TL_ACCOUNT_MINER, &s->hotkey);
    const tl_rao balance = tl_ledger_balance(engine->ledger, account, engine->epoch.epoch_id);
    if (!engine->has_funds && tl_rao_cmp(balance, s->ante) < 0) {
        tl_rao missing = TL_RAO_ZERO;
        TL_TRY(tl_rao_sub(&missing, s->ante, balance, ctx));
        TL_TRY(tl_ledger_deposit(engine->ledger, account, missing, s->commit_height,
                                 TL_STR("the ante came with the signal"), ctx));
    }
    return tl_escrow_lock(engine->ledger, NULL, engine->epoch.epoch_id, &s->hotkey, s->ante,
                          s->commit_height, ctx);
}

static tl_err put_receipt(tl_str *out, tl_arena *arena, const tl_submission *s, const char *code,
                          tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "accepted");
    tl_json_put_bool(&w, code == NULL);
    tl_json_put_key(&w, "code");
    tl_json_put_cstr(&w, code);
    tl_json_put_key(&w, "commitment");
    tl_json_put_hex(&w, s->commitment.b, sizeof s->commitment.b);
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, s->epoch_id);
    tl_json_put_key(&w, "hotkey");
    tl_json_put_str(&w, s->hotkey_text);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

/* The codes that admit may give at commit; a stored text becomes one of these again. */
static const char *code_from(tl_str text)
{
    static const char *const codes[] = {"E005", "E007", "E008", "E009"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (tl_str_eq_cstr(text, codes[i])) {
            return codes[i];
        }
    }
    return NULL;
}

/* The signal had been kept before: what its sender was told then. */
static tl_err old_receipt(tl_engine_receipt *out, tl_engine *engine, uint64_t serial,
                          tl_arena *arena, tl_errctx *ctx)
{
    tl_bytes bytes = {NULL, 0};
    TL_TRY(tl_store_get_receipt(engine->store, &bytes, serial, arena, ctx));
    const tl_json *tree = NULL;
    TL_TRY(tl_json_parse(&tree, arena, (tl_str){(const char *)bytes.ptr, bytes.len}, NULL, ctx));
    TL_TRY(tl_json_want_bool(&out->is_accepted, tree, "accepted", ctx));
    const tl_json *code = tl_json_get(tree, "code");
    out->code = code != NULL && code->kind == TL_JSON_STRING ? code_from(code->text) : NULL;
    out->is_new = false;
    return TL_OK;
}

/* Inside a transaction: keep the signal, lock the ante, keep the receipt. */
static tl_err keep(tl_store_receipt *receipt, tl_engine *engine, const tl_submission *s,
                   const tl_store_submission *row, const char *code, tl_arena *arena,
                   tl_errctx *ctx)
{
    TL_TRY(tl_store_keep(engine->store, receipt, row, ctx));
    if (!receipt->is_new) {
        return TL_OK;
    }
    if (code == NULL) {
        TL_TRY(lock_ante(engine, s, ctx));
    }
    tl_str text = {NULL, 0};
    TL_TRY(put_receipt(&text, arena, s, code, ctx));
    return tl_store_put_receipt(engine->store, receipt->serial, tl_str_bytes(text), ctx);
}

static tl_err submit(tl_engine_receipt *out, tl_engine *engine, const tl_submission *s,
                     tl_arena *arena, tl_errctx *ctx)
{
    tl__open_epoch *e = &engine->epoch;
    const tl_bytes hotkey = {s->hotkey.b, sizeof s->hotkey.b};
    const tl_submission *live =
        s->has_hotkey ? (const tl_submission *)tl_map_get(&e->live, hotkey) : NULL;
    const tl_rao balance = tl_ledger_balance(
        engine->ledger, tl_account_of_hotkey(TL_ACCOUNT_MINER, &s->hotkey), e->epoch_id);
    tl_rao reach = balance; /* with what is locked already: a second signal is E009, not E005 */
    if (live != NULL) {
        const tl_ante ante = tl_escrow_get(engine->ledger, e->epoch_id, &s->hotkey);
        TL_TRY(tl_rao_add(&reach, balance, ante.amount, ctx));
    }
    const char *code = tl_road_admit_commit(s, &e->params, e->epoch_id, &e->carry,
                                            engine->has_funds ? &reach : NULL, live);
    tl_str text = {NULL, 0};
    tl_store_submission row = {.epoch_id = e->epoch_id,
                               .hotkey = s->hotkey,
                               .height = s->commit_height,
                               .has_commitment = true,
                               .commitment = s->commitment,
                               .is_accepted = code == NULL,
                               .code = tl_str_from_cstr(code)};
    TL_TRY(canonical(&text, &row.key, s, arena, ctx));
    row.body = tl_str_bytes(text);
    TL_TRY(tl_store_begin(engine->store, ctx));
    tl_store_receipt receipt = {0};
    tl_err err = keep(&receipt, engine, s, &row, code, arena, ctx);
    if (err == TL_OK && receipt.is_new) {
        err = check_state(engine, ctx);
    }
    if (err == TL_OK && !receipt.is_new) {
        tl_store_rollback(engine->store);
        return old_receipt(out, engine, receipt.serial, arena, ctx);
    }
    TL_TRY(tl__engine_commit(engine, err, ctx));
    out->is_accepted = code == NULL;
    out->code = code;
    out->is_new = true;
    return code == NULL ? tl__engine_set_live(e, s, ctx) : TL_OK;
}

tl_err tl_engine_submit(tl_engine *engine, tl_engine_receipt *out, tl_arena *arena, tl_str signal,
                        tl_errctx *ctx)
{
    if (!engine->epoch.is_open) {
        return tl_fail(ctx, TL_ERR_STATE, "no epoch is open");
    }
    const tl_json *tree = NULL;
    TL_TRY(tl_json_parse(&tree, arena, signal, NULL, ctx));
    tl_submission s = {0};
    TL_TRY(
        tl_road_submission_read(&s, arena, &tl_subnet_portfolio, &engine->epoch.params, tree, ctx));
    tl_engine_receipt receipt = {
        .commitment = s.commitment, .hotkey = s.hotkey_text, .epoch_id = s.epoch_id};
    TL_TRY(submit(&receipt, engine, &s, arena, ctx));
    *out = receipt;
    return TL_OK;
}
