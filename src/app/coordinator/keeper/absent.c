/* absent.c: who gave no evidence until it closed. They are written down beside those who did, with the stake that counts:
 * shares of stake are then shares of one whole for everybody, in the race (a third of it must have evidence on a listing)
 * as in the verdict on the ballots, and a few that speak while the others are away are not taken for all. */
#include "app/coordinator/keeper/judge_internal.h"

static tl_err read_carry(tl_keeper *keeper, const tl_json **out, tl_str epoch_id, tl_errctx *ctx)
{
    char name[TL_KEEPER_NAME_CAP];
    tl_bytes text;
    *out = NULL;
    tl_keeper_value_name(name, "carry", epoch_id);
    const tl_err err =
        tl_records_get_value(keeper->records, &text, tl_str_from_cstr(name), keeper->scratch, ctx);
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    TL_TRY(err);
    return tl_json_parse(out, keeper->scratch, (tl_str){(const char *)text.ptr, text.len}, NULL,
                         ctx);
}

static tl_err note(tl_keeper *keeper, tl_str epoch_id, const tl_keeper_peer *peer,
                   const tl_json *carry, tl_errctx *ctx)
{
    const tl_str none = TL_STR("null");
    const tl_record_evidence evidence = {
        .hotkey = peer->hotkey,
        .stake = tl_race_stake_counted(tl_rao_from_i64(peer->member.stake_rao),
                                       tl_keeper_streak(carry, &peer->hotkey)),
        .body = tl_str_bytes(none),
        .received_ms = TL__KEEPER_ABSENT};
    return tl_records_put_evidence(keeper->records, epoch_id, 0, &evidence, ctx);
}

/* Peers and evidence both ascend by hotkey. */
tl_err tl__keeper_note_absent(tl_keeper *keeper, const tl_record_epoch *epoch, tl_errctx *ctx)
{
    const tl_keeper_settings *s = &keeper->s;
    const tl_record_evidence *posted;
    const tl_json *carry;
    size_t posted_count;
    const size_t cap = s->peers(s->self, NULL, 0);
    tl_keeper_peer *peers = TL_NEW(keeper->scratch, tl_keeper_peer, cap);
    if (peers == NULL) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    const size_t found = s->peers(s->self, peers, cap); /* it may have grown since */
    const size_t count = found < cap ? found : cap;
    TL_TRY(read_carry(keeper, &carry, epoch->id, ctx));
    TL_TRY(tl_records_evidence(keeper->records, &posted, &posted_count, epoch->id, 0, false,
                               keeper->scratch, ctx));
    for (size_t p = 0, e = 0; p < count; p++) {
        while (e < posted_count && tl_hotkey_cmp(&posted[e].hotkey, &peers[p].hotkey) < 0) {
            e++;
        }
        const bool has_posted =
            e < posted_count && tl_hotkey_eq(&posted[e].hotkey, &peers[p].hotkey);
        if (!has_posted && tl_keeper_is_counted(&peers[p].member, s->validator_stake_rao)) {
            TL_TRY(note(keeper, epoch->id, &peers[p], carry, ctx));
        }
    }
    return TL_OK;
}
