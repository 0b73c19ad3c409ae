/* What validators bring: secrets for the beacon, evidence, ballots. Each is committed first, and shown when it can no
 * longer be copied. */
#include "app/coordinator/coordinator_internal.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/race/race.h"

static tl_err answer_success(tl_api_call *call)
{
    tl_keeper_poke(tl__coordinator_of(call)->keeper); /* the stage may be over with this */
    tl_api_answer(call, 200, TL_STR("{\"success\":true}"));
    return TL_OK;
}

/* What io/records says of a vote, told to its sender. */
static tl_err tell(tl_api_call *call, tl_err err, const char *what, tl_errctx *ctx)
{
    switch ((int)err) {
    case TL_OK:
        return answer_success(call);
    case TL_ERR_STATE:
        return tl_api_fail(call, TL_API_EPOCH_CLOSED, NULL, "%s cannot be given now", what);
    case TL_ERR_DUPLICATE:
        return tl_api_fail(call, TL_API_CONFLICT, NULL, "%s was given before, and differs", what);
    case TL_ERR_CHECK:
        return tl_api_fail(call, TL_API_CONFLICT, NULL, "%s is not what was committed to", what);
    case TL_ERR_NOT_FOUND:
        return tl_api_fail(call, TL_API_CONFLICT, NULL, "%s was not committed to", what);
    default:
        tl_errctx_wrap(ctx, "%s", what);
        return err;
    }
}

/* --- secrets --- */

tl_err tl__coordinator_take_contribution(tl_api_call *call, tl_errctx *ctx)
{
    const tl_json *body = tl_api_call_json(call);
    const tl_hotkey *hotkey = &tl_api_call_caller(call)->hotkey;
    const int64_t now_ms = tl__coordinator_received_ms(tl__coordinator_of(call), call);
    tl_record_epoch epoch;
    tl_err err = TL_OK;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    if ((tl_json_get(body, "commit") != NULL) == (tl_json_get(body, "secret") != NULL)) {
        return tl_api_fail(call, TL_API_INVALID_REQUEST, "",
                           "Either commit or secret is to be given");
    }
    if (tl_json_get(body, "commit") != NULL) {
        tl_hash32 commit;
        TL_TRY(tl__coordinator_want_hash(&commit, body, "commit", ctx));
        err = tl_records_join(tl__coordinator_records_of(call), epoch.id, hotkey, &commit, now_ms,
                              ctx);
        return tell(call, err, "A commitment", ctx);
    }
    tl_str secret;
    TL_TRY(tl_json_want_str(&secret, body, "secret", ctx));
    if (!tl_secret_is_valid(secret)) {
        return tl_api_fail(call, TL_API_INVALID_REQUEST, "/secret",
                           "It is not 16 to %d visible characters", TL_SECRET_MAX);
    }
    err = tl_records_reveal_secret(tl__coordinator_records_of(call), epoch.id, hotkey, secret,
                                   now_ms, ctx);
    return tell(call, err, "The secret", ctx);
}

/* --- evidence --- */

tl_err tl__coordinator_take_evidence(tl_api_call *call, tl_errctx *ctx)
{
    tl_record_epoch epoch;
    tl_err err = TL_OK;
    tl_evidence read;
    tl_rao stake;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    TL_TRY(tl_evidence_read(&read, tl_api_call_arena(call), tl_api_call_json(call), ctx));
    if (!tl_str_eq(read.epoch_id, epoch.id)) {
        return tl_api_fail(call, TL_API_INVALID_REQUEST, "/epochId", "It is another epoch's");
    }
    TL_TRY(tl__coordinator_stake_now(call, &stake, epoch.id, ctx));
    const tl_record_evidence evidence = {
        .hotkey = tl_api_call_caller(call)->hotkey,
        .stake = stake,
        .body = tl_api_call_body(call),
        .received_ms = tl__coordinator_received_ms(tl__coordinator_of(call), call)};
    err = tl_records_put_evidence(tl__coordinator_records_of(call), epoch.id, 0, &evidence, ctx);
    return tell(call, err, "Evidence", ctx);
}

tl_err tl__coordinator_list_evidence(tl_api_call *call, tl_errctx *ctx)
{
    tl_record_epoch epoch;
    const tl_record_evidence *items = NULL;
    size_t count = 0;
    tl_err err = TL_OK;
    tl_sb sb;
    tl_json_writer w;
    tl_arena *arena = NULL;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    const bool is_closed = epoch.evidence_closed_ms > 0;
    TL_TRY(tl__coordinator_wide_arena(call, &arena, ctx));
    if (is_closed) {
        TL_TRY(tl_records_evidence(tl__coordinator_records_of(call), &items, &count, epoch.id, 0,
                                   true, arena, ctx));
    }
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_bool(&w, "closed", is_closed);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(&w);
        tl__coordinator_put_hotkey(&w, "hotkey", &items[i].hotkey);
        tl__coordinator_put_number(&w, "stakeRao", tl_rao_to_i64(items[i].stake));
        tl__coordinator_put_hash(&w, "sha256", &items[i].sha256);
        tl_json_put_key(&w, "evidence");
        tl_json_put_raw(&w, (tl_str){(const char *)items[i].body.ptr, items[i].body.len});
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

/* --- ballots --- */

static tl_err commit_ballot(tl_api_call *call, const tl_record_epoch *epoch, tl_errctx *ctx)
{
    tl_record_ballot ballot = {.hotkey = tl_api_call_caller(call)->hotkey,
                               .committed_ms =
                                   tl__coordinator_received_ms(tl__coordinator_of(call), call)};
    TL_TRY(tl__coordinator_want_hash(&ballot.commit, tl_api_call_json(call), "commit", ctx));
    TL_TRY(tl__coordinator_stake_now(call, &ballot.stake, epoch->id, ctx));
    const tl_err err = tl_records_commit_ballot(tl__coordinator_records_of(call), epoch->id,
                                                epoch->round, &ballot, ctx);
    return tell(call, err, "A commitment", ctx);
}

/* In the tally profile the hash is that of its three roots; in compat it is the original's, over scores. */
static bool hash_is_of_roots(const tl_record_ballot *ballot)
{
    tl_race_roots roots = {.evidence = ballot->evidence_root,
                           .score = ballot->score_root,
                           .weight = ballot->weight_root};
    tl_race_roots_hash(&roots);
    return tl_hash32_cmp(&roots.hash, &ballot->hash) == 0;
}

static tl_err read_reveal(tl_record_ballot *out, tl_api_call *call, tl_errctx *ctx)
{
    const tl_json *body = tl_api_call_json(call);
    const bool is_compat = tl__coordinator_of(call)->s.is_compat;
    TL_TRY(tl__coordinator_want_hash(&out->hash, body, "hash", ctx));
    TL_TRY(tl_json_want_str(&out->salt, body, "salt", ctx));
    if (!is_compat || tl_json_get(body, "evidenceRoot") != NULL) {
        TL_TRY(tl__coordinator_want_hash(&out->evidence_root, body, "evidenceRoot", ctx));
        TL_TRY(tl__coordinator_want_hash(&out->score_root, body, "scoreRoot", ctx));
        TL_TRY(tl__coordinator_want_hash(&out->weight_root, body, "weightRoot", ctx));
    }
    if (!is_compat && !hash_is_of_roots(out)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "/hash", "it is not the hash of the three roots");
    }
    const tl_json *uids = tl_json_get(body, "uids");
    const tl_json *weights = tl_json_get(body, "weights");
    if (uids != NULL && weights != NULL && uids->count != weights->count) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "/weights", "as many weights as uids are wanted");
    }
    return TL_OK;
}

tl_err tl__coordinator_take_results(tl_api_call *call, tl_errctx *ctx)
{
    tl_record_epoch epoch;
    tl_err err = TL_OK;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    if (tl_json_get(tl_api_call_json(call), "commit") != NULL) {
        return commit_ballot(call, &epoch, ctx);
    }
    tl_record_ballot ballot = {.hotkey = tl_api_call_caller(call)->hotkey,
                               .is_revealed = true,
                               .body = tl_api_call_body(call),
                               .revealed_ms =
                                   tl__coordinator_received_ms(tl__coordinator_of(call), call)};
    TL_TRY(read_reveal(&ballot, call, ctx));
    err = tl_records_reveal_ballot(tl__coordinator_records_of(call), epoch.id, epoch.round, &ballot,
                                   ctx);
    return tell(call, err, "The result", ctx);
}

/* What was revealed with the hash: the salt that opens the commitment, and the weights, for the median. The body is read in
 * memory of its own: one that fills it hides nobody else's, and its own hash is shown all the same. */
static tl_err put_revealed(tl_json_writer *w, const tl_record_ballot *b, tl_errctx *ctx)
{
    static const char *const lists[] = {"uids", "weights"};
    const tl_json *body = NULL;
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    const tl_err err =
        tl_json_parse(&body, arena, (tl_str){(const char *)b->body.ptr, b->body.len}, NULL, NULL);
    tl__coordinator_put_hash(w, "hash", &b->hash);
    tl__coordinator_put_text(w, "salt", b->salt);
    tl__coordinator_put_hash(w, "evidenceRoot", &b->evidence_root);
    tl__coordinator_put_hash(w, "scoreRoot", &b->score_root);
    tl__coordinator_put_hash(w, "weightRoot", &b->weight_root);
    for (size_t i = 0; err == TL_OK && i < 2; i++) {
        const tl_json *list = tl_json_get(body, lists[i]);
        if (list != NULL && list->kind == TL_JSON_ARRAY) {
            tl_json_put_key(w, lists[i]);
            tl_json_put_tree(w, list);
        }
    }
    tl_arena_free(arena);
    return TL_OK;
}

tl_err tl__coordinator_list_ballots(tl_api_call *call, tl_errctx *ctx)
{
    tl_record_epoch epoch;
    const tl_record_ballot *ballots;
    size_t count;
    tl_err err = TL_OK;
    tl_sb sb;
    tl_json_writer w;
    tl_arena *arena = NULL;
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    const bool is_shown = epoch.results_closed_ms > 0;
    TL_TRY(tl__coordinator_wide_arena(call, &arena, ctx));
    TL_TRY(tl_records_ballots(tl__coordinator_records_of(call), &ballots, &count, epoch.id,
                              epoch.round, arena, ctx));
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_text(&w, "epochId", epoch.id);
    tl__coordinator_put_text(&w, "state", tl_str_from_cstr(tl_epoch_state_text(epoch.state)));
    tl__coordinator_put_number(&w, "round", epoch.round + 1);
    tl__coordinator_put_bool(&w, "commitsClosed", epoch.commits_closed_ms > 0);
    tl__coordinator_put_bool(&w, "resultsClosed", is_shown);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        const tl_record_ballot *b = &ballots[i];
        const bool has_roots = is_shown && b->is_revealed;
        tl_json_put_object(&w);
        tl__coordinator_put_hotkey(&w, "hotkey", &b->hotkey);
        tl__coordinator_put_number(&w, "stakeRao", tl_rao_to_i64(b->stake));
        tl__coordinator_put_hash(&w, "commit", &b->commit);
        tl__coordinator_put_bool(&w, "revealed", b->is_revealed);
        if (has_roots) {
            TL_TRY(put_revealed(&w, b, ctx));
        }
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}
