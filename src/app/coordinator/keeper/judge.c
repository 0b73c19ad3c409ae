/* The verdict on an epoch's ballots, and the document that the world reads of it.
 *
 * The ballots of a round, with the stake that each had when it was cast, and every validator of the metagraph that cast
 * none; the verdict is core/listings/race's. What the document tells beyond it (weights, winners, findings, the
 * scoreboard, what is held) is that of the validators on the top hash: the form of it that most of their stake sent, so
 * that one of them alone cannot lie in what its hash does not bind. */
#include "app/coordinator/keeper/judge_internal.h"
#include "core/crypto/hash/hash.h"

const char *const tl__keeper_told[TL__KEEPER_TOLD] = {
    "findings", "held", "scoreboard", "strikes", "uids", "weights", "winners"};

typedef tl__keeper_court court;
typedef tl__keeper_voice voice;

/* --- who speaks --- */

static tl_err read_carry(court *c, tl_errctx *ctx)
{
    char name[TL_KEEPER_NAME_CAP];
    tl_bytes text;
    tl_keeper_value_name(name, "carry", c->epoch->id);
    TL_TRY(tl_records_get_value(c->keeper->records, &text, tl_str_from_cstr(name), c->arena, ctx));
    return tl_json_parse(&c->carry, c->arena, (tl_str){(const char *)text.ptr, text.len}, NULL,
                         ctx);
}

uint32_t tl_keeper_streak(const tl_json *carry, const tl_hotkey *hotkey)
{
    const tl_json *streaks = tl_json_get(carry, "streaks");
    for (uint32_t i = 0; streaks != NULL && i < streaks->count; i++) {
        tl_str ss58;
        tl_hotkey of;
        uint64_t epochs;
        if (tl_json_want_str(&ss58, &streaks->items[i], "hotkey", NULL) == TL_OK &&
            tl_json_want_u64(&epochs, &streaks->items[i], "epochs", NULL) == TL_OK &&
            tl_ss58_decode(&of, ss58, NULL) == TL_OK && tl_hotkey_cmp(&of, hotkey) == 0) {
            return epochs < UINT32_MAX ? (uint32_t)epochs : UINT32_MAX;
        }
    }
    return 0;
}

static tl_err hash_form(court *c, voice *v, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    tl_sb_init(&sb, c->arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    for (size_t i = 0; i < TL__KEEPER_TOLD; i++) {
        const tl_json *value = tl_json_get(v->body, tl__keeper_told[i]);
        if (value != NULL) {
            tl_json_put_key(&w, tl__keeper_told[i]);
            tl_json_put_tree(&w, value);
        }
    }
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl_sha256(&v->form, text.ptr, text.len);
    return TL_OK;
}

static void hear(court *c, voice *v, tl_race_ballot *out)
{
    const tl_record_ballot *b = v->ballot;
    v->streak = tl_keeper_streak(c->carry, &v->hotkey);
    out->hotkey = v->hotkey;
    if (b == NULL) {
        out->stake = tl_race_stake_counted(tl_rao_from_i64(v->member.stake_rao), v->streak);
        return;
    }
    out->stake = b->stake;
    if (!b->is_revealed) {
        return;
    }
    out->has_result = true;
    out->roots = (tl_race_roots){.evidence = b->evidence_root,
                                 .score = b->score_root,
                                 .weight = b->weight_root,
                                 .hash = b->hash};
    const tl_arena_mark mark = tl_arena_get_mark(c->arena);
    tl_err err = tl_json_parse(&v->body, c->arena, (tl_str){(const char *)b->body.ptr, b->body.len},
                               NULL, NULL);
    err = err == TL_OK ? hash_form(c, v, NULL) : err;
    if (err != TL_OK) { /* it was read when it came; if not now, its hash still counts */
        tl_arena_rewind(c->arena, mark);
        v->body = NULL;
    }
}

static tl_err read_peers(court *c, tl_errctx *ctx)
{
    const tl_keeper_settings *s = &c->keeper->s;
    const size_t cap = s->peers(s->self, NULL, 0);
    tl_keeper_peer *peers = TL_NEW(c->arena, tl_keeper_peer, cap);
    if (peers == NULL) {
        return tl_arena_fail(c->arena, ctx);
    }
    const size_t count = s->peers(s->self, peers, cap); /* it may have grown since */
    c->peers = peers;
    c->peer_count = count < cap ? count : cap;
    return TL_OK;
}

/* Two ascending lists into one: who is registered as a validator, who cast a ballot. */
static tl_err gather(court *c, tl_errctx *ctx)
{
    const tl_record_ballot *ballots;
    size_t ballot_count;
    const tl_keeper_settings *s = &c->keeper->s;
    TL_TRY(tl_records_ballots(c->keeper->records, &ballots, &ballot_count, c->epoch->id,
                              c->epoch->round, c->arena, ctx));
    TL_TRY(read_peers(c, ctx));
    const tl_keeper_peer *peers = c->peers;
    const size_t peer_count = c->peer_count;
    c->voices = TL_NEW(c->arena, voice, peer_count + ballot_count);
    c->ballots = TL_NEW(c->arena, tl_race_ballot, peer_count + ballot_count);
    if (c->voices == NULL || c->ballots == NULL) {
        return tl_arena_fail(c->arena, ctx);
    }
    for (size_t p = 0, b = 0; p < peer_count || b < ballot_count;) {
        const int order = p == peer_count     ? 1
                          : b == ballot_count ? -1
                                              : tl_hotkey_cmp(&peers[p].hotkey, &ballots[b].hotkey);
        voice *v = &c->voices[c->count];
        *v = (voice){.ballot = NULL};
        if (order <= 0) {
            v->hotkey = peers[p].hotkey;
            v->member = peers[p++].member;
        }
        if (order >= 0) {
            v->hotkey = ballots[b].hotkey;
            v->ballot = &ballots[b++];
        }
        if (v->ballot != NULL || tl_keeper_is_counted(&v->member, s->validator_stake_rao)) {
            hear(c, v, &c->ballots[c->count++]);
        }
    }
    return TL_OK;
}

/* Of those on the top hash, whose form has most stake; the lowest hotkey among equals. */
static const voice *find_top(const court *c)
{
    const voice *found = NULL;
    int64_t most = -1;
    for (size_t i = 0; c->verdict.has_top && i < c->count; i++) {
        int64_t stake = 0;
        const bool is_on_top = c->ballots[i].has_result &&
                               tl_hash32_cmp(&c->ballots[i].roots.hash, &c->verdict.top.hash) == 0;
        for (size_t k = 0; is_on_top && k < c->count; k++) {
            if (c->ballots[k].has_result &&
                tl_hash32_cmp(&c->ballots[k].roots.hash, &c->verdict.top.hash) == 0 &&
                tl_hash32_cmp(&c->voices[k].form, &c->voices[i].form) == 0) {
                stake += tl_rao_to_i64(c->ballots[k].stake);
            }
        }
        if (is_on_top && stake > most) {
            most = stake;
            found = &c->voices[i];
        }
    }
    return found;
}

/* --- the verdict --- */

tl_err tl__keeper_judge(tl_keeper *keeper, const tl_record_epoch *epoch, tl_epoch_event *event,
                        tl_str *cause, int64_t now_ms, tl_errctx *ctx)
{
    const tl_json *given;
    court c = {.keeper = keeper, .epoch = epoch, .arena = keeper->scratch, .now_ms = now_ms};
    TL_TRY(tl_json_parse(&given, c.arena,
                         (tl_str){(const char *)epoch->parameters.ptr, epoch->parameters.len}, NULL,
                         ctx));
    TL_TRY(tl_listings_params_read(&c.params, given, ctx));
    TL_TRY(read_carry(&c, ctx));
    TL_TRY(gather(&c, ctx));
    TL_TRY(
        tl_race_verdict(&c.verdict, c.arena, c.ballots, c.count, &c.params, epoch->round + 1, ctx));
    *cause = tl_str_from_cstr(tl_race_status_name(c.verdict.status));
    *event = c.verdict.next == TL_RACE_AGREE ? TL_EPOCH_EV_AGREE : TL_EPOCH_EV_DISAGREE;
    if (c.verdict.next == TL_RACE_EXTEND) {
        return TL_OK; /* scores are held; the next round has the last word */
    }
    if (c.verdict.status == TL_RACE_MEDIAN_WEIGHTS) { /* nobody's own result is told */
        TL_TRY(tl__keeper_median(&c, ctx));
    } else if (c.verdict.pays) {
        c.top = find_top(&c);
    }
    return tl__keeper_publish(&c, ctx);
}
