/* What is fixed when the reveal is over: the beacon, and what the epochs before left to this one. */
#include "app/coordinator/keeper/keeper_internal.h"

enum { LOOK_BACK = 64 };

tl_err tl__keeper_beacon(tl_keeper *keeper, tl_record_epoch *epoch, tl_errctx *ctx)
{
    const tl_record_contribution *joined;
    size_t count;
    size_t revealed = 0;
    TL_TRY(tl_records_contributions(keeper->records, &joined, &count, epoch->id, keeper->scratch,
                                    ctx));
    tl_contribution *secrets = TL_NEW(keeper->scratch, tl_contribution, count);
    char *beacon = TL_NEW(keeper->scratch, char, TL_BEACON_CAP);
    if (secrets == NULL || beacon == NULL) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) { /* by hotkey bytes already */
        if (joined[i].secret.len > 0) {
            secrets[revealed].hotkey = joined[i].hotkey;
            secrets[revealed++].secret = joined[i].secret;
        }
    }
    TL_TRY(tl_beacon(beacon, epoch->nonce, secrets, revealed, ctx));
    epoch->beacon = (tl_str){beacon, TL_BEACON_LEN};
    return TL_OK;
}

/* The newest result before this epoch: judged ones only, so a missed slot leaves nothing and takes nothing. */
static tl_err find_result(tl_keeper *keeper, const tl_json **out, const tl_record_epoch *epoch,
                          tl_errctx *ctx)
{
    const tl_record_epoch *before;
    tl_record_result result;
    size_t count;
    *out = NULL;
    TL_TRY(tl_records_epochs(keeper->records, &before, &count, epoch->id, LOOK_BACK,
                             keeper->scratch, ctx));
    for (size_t i = 0; i < count; i++) {
        const tl_err err =
            tl_records_get_result(keeper->records, &result, before[i].id, keeper->scratch, ctx);
        if (err == TL_OK) {
            const tl_str text = {(const char *)result.document.ptr, result.document.len};
            return tl_json_parse(out, keeper->scratch, text, NULL, ctx);
        }
        if (err != TL_ERR_NOT_FOUND) {
            return err;
        }
        tl_errctx_reset(ctx);
    }
    return TL_OK;
}

static void put_member(tl_json_writer *w, const tl_json *document, const char *key)
{
    const tl_json *value = tl_json_get(document, key);
    tl_json_put_key(w, key);
    if (value != NULL && value->kind == TL_JSON_ARRAY) {
        tl_json_put_tree(w, value);
    } else {
        tl_json_put_array(w);
        tl_json_put_end(w);
    }
}

/* A beacon that is fixed late (an older epoch had to be judged first) takes nobody's time: the limits count from there. */
static tl_err move_anchor(tl_keeper *keeper, const tl_record_epoch *epoch, int64_t now_ms,
                          tl_errctx *ctx)
{
    char name[TL_KEEPER_NAME_CAP];
    tl_schedule_epoch plan;
    tl_sb sb;
    tl_str text;
    tl_keeper_plan(&plan, epoch, 0, 0);
    const int64_t anchor_ms = now_ms - plan.length_ms / 20;
    if (anchor_ms <= plan.anchor_ms) {
        return TL_OK;
    }
    tl_keeper_value_name(name, "anchor", epoch->id);
    tl_sb_init(&sb, keeper->scratch);
    tl_sb_put_i64(&sb, anchor_ms);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    return tl_records_put_value(keeper->records, tl_str_from_cstr(name), tl_str_bytes(text),
                                &keeper->lease, ctx);
}

tl_err tl__keeper_write_carry(tl_keeper *keeper, const tl_record_epoch *epoch, int64_t now_ms,
                              tl_errctx *ctx)
{
    char name[TL_KEEPER_NAME_CAP];
    const tl_json *before;
    tl_str from = {NULL, 0};
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    TL_TRY(find_result(keeper, &before, epoch, ctx));
    const tl_json *id = tl_json_get(before, "epochId");
    if (id != NULL) {
        TL_TRY(tl_json_as_str(&from, id, "epochId", ctx));
    }
    tl_sb_init(&sb, keeper->scratch);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "fromEpochId");
    if (from.len > 0) {
        tl_json_put_str(&w, from);
    } else {
        tl_json_put_null(&w);
    }
    put_member(&w, before, "held");
    put_member(&w, before, "streaks");
    put_member(&w, before, "strikes");
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl_keeper_value_name(name, "carry", epoch->id);
    TL_TRY(tl_records_put_value(keeper->records, tl_str_from_cstr(name), tl_str_bytes(text),
                                &keeper->lease, ctx));
    return move_anchor(keeper, epoch, now_ms, ctx);
}
