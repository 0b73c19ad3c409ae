/* ballot.c: evidence said and heard, the race, the ballot in two steps, the bundle. */
#include <stdlib.h>
#include <string.h>

#include "app/validator/validator_internal.h"
#include "base/vec/vec.h"
#include "core/codec/hex/hex.h"

/* --- waiting for the others --- */

/* Asks again and again until a member of the answer is true, or the epoch is beyond the reach of this validator. *out is
 * NULL when another round began meanwhile: a round that failed is shown as closed for a moment only, or never. */
static tl_err wait_closed(const tl_json **out, tl__epoch *e, const char *tail, const char *member,
                          tl_errctx *ctx)
{
    tl_peer *peer = e->options->peer;
    for (;;) {
        const tl_json *json = NULL;
        tl_str target = {NULL, 0};
        TL_TRY(tl__epoch_target(&target, e->arena, e->id, tail, ctx));
        TL_TRY(tl_peer_get_until(peer, &json, e->arena, target, true, e->until_ms, ctx));
        uint64_t round = 0;
        if (tl_json_get(json, "round") != NULL) {
            TL_TRY(tl_json_want_u64(&round, json, "round", ctx));
        }
        if (round > e->round) {
            *out = NULL;
            return TL_OK;
        }
        const tl_json *closed = tl_json_get(json, member);
        if (closed != NULL && closed->kind == TL_JSON_BOOL && closed->boolean) {
            *out = json;
            return TL_OK;
        }
        if (tl_peer_now_ms(peer) > e->until_ms) {
            return tl_fail(ctx, TL_ERR_STATE, "the epoch was not closed in time: %s", tail);
        }
        TL_TRY(tl_peer_wait(peer, tl_peer_now_ms(peer) + tl__poll_ms(e->options), ctx));
    }
}

/* What came too late is not said, and what follows from it goes on: the others' evidence is there to race by, and the next
 * step is open, or the next round. */
static tl_err post_or_late(tl__epoch *e, tl_str target, tl_str body, bool *is_late, tl_errctx *ctx)
{
    const tl_json *answer = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err =
        tl_peer_post_until(e->options->peer, &answer, e->arena, target, body, e->until_ms, &why);
    if (is_late != NULL) {
        *is_late = err == TL_ERR_STATE;
    }
    if (err == TL_ERR_STATE) {
        tl_log_say(e->options->log, TL_LOG_WARN, why.message, NULL, 0);
        return TL_OK;
    }
    return err == TL_OK ? TL_OK : tl_fail(ctx, err, "%s", why.message);
}

static const char *round_name(char out[32], const tl__epoch *e, const char *name)
{
    (void)tl_str_print(out, 32, "%s-%u", name, e->round);
    return out;
}

/* --- evidence --- */

static tl_err put_evidence(tl_str *out, tl__epoch *e, const tl_evidence *evidence, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, e->arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_evidence_put(&w, evidence);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err write_evidence(tl_str *out, tl__epoch *e, tl_errctx *ctx)
{
    size_t count = 0;
    for (size_t i = 0; i < e->view.place_count; i++) {
        count += e->zips[i].count;
    }
    tl_evidence_item *items = TL_NEW(e->arena, tl_evidence_item, count);
    if (items == NULL && count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    size_t used = 0;
    for (size_t i = 0; i < e->view.place_count; i++) {
        for (size_t k = 0; k < e->zips[i].count; k++) {
            const tl_evidence_item *item = &e->zips[i].items[k];
            if (item->verdicts.len > 0 || item->honeypot_count > 0) {
                items[used++] = *item;
            }
        }
    }
    TL_TRY(tl_evidence_sort(items, used, e->arena, ctx));
    const tl_evidence evidence = {.epoch_id = e->id, .items = items, .count = used};
    return put_evidence(out, e, &evidence, ctx);
}

static tl_err read_validator(tl_race_validator *out, tl_evidence *evidence, tl_arena *arena,
                             const tl_json *item, tl_errctx *ctx)
{
    tl_str hotkey;
    int64_t stake = 0;
    TL_TRY(tl_json_want_str(&hotkey, item, "hotkey", ctx));
    TL_TRY(tl_json_want_i64(&stake, item, "stakeRao", ctx));
    TL_TRY(tl_ss58_decode(&out->hotkey, hotkey, ctx));
    out->stake = tl_rao_from_i64(stake);
    const tl_json *document = tl_json_get(item, "evidence");
    if (document != NULL && document->kind == TL_JSON_OBJECT) {
        TL_TRY(tl_evidence_read(evidence, arena, document, ctx));
        out->evidence = evidence;
    }
    return TL_OK;
}

/* Evidence that comes when the list is closed counts no more; what the others found out does. An extended epoch is judged
 * again on the list that it has. */
static tl_err post_document(tl__epoch *e, tl_str document, tl_errctx *ctx)
{
    tl_str target = {NULL, 0};
    TL_TRY(tl__note_text(&document, e->arena, e->dir, "evidence", ctx)); /* VAL-1 */
    TL_TRY(tl__epoch_target(&target, e->arena, e->id, "/evidence", ctx));
    return post_or_late(e, target, document, NULL, ctx);
}

static tl_err post_evidence(tl__epoch *e, tl_errctx *ctx)
{
    tl_str document = {NULL, 0};
    TL_TRY(write_evidence(&document, e, ctx));
    return post_document(e, document, ctx);
}

tl_err tl__post_no_evidence(tl__epoch *e, tl_errctx *ctx)
{
    tl_str document = {NULL, 0};
    const tl_evidence none = {.epoch_id = e->id};
    TL_TRY(put_evidence(&document, e, &none, ctx));
    return post_document(e, document, ctx);
}

tl_err tl__exchange_evidence(tl__epoch *e, tl_errctx *ctx)
{
    const tl_json *answer = NULL;
    const tl_json *items = NULL;
    if (e->round == 1) {
        TL_TRY(post_evidence(e, ctx));
    }
    TL_TRY(wait_closed(&answer, e, "/evidence", "closed", ctx));
    TL_TRY(tl_json_want(&items, answer, "items", TL_JSON_ARRAY, ctx));
    tl_race_validator *all = TL_NEW(e->arena, tl_race_validator, items->count);
    tl_evidence *evidence = TL_NEW(e->arena, tl_evidence, items->count);
    if (items->count > 0 && (all == NULL || evidence == NULL)) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (uint32_t i = 0; i < items->count; i++) {
        all[i] = (tl_race_validator){.evidence = NULL};
        const tl_err err = read_validator(&all[i], &evidence[i], e->arena, &items->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "items[%u]", i);
            return err;
        }
    }
    e->validators = all;
    e->validator_count = items->count;
    return TL_OK;
}

/* --- the race --- */

static tl_err race_input(tl_race_input *out, tl__epoch *e, tl_errctx *ctx)
{
    tl_vec sheets;
    tl_vec_init(&sheets, e->arena, sizeof(tl_race_sheet));
    for (size_t i = 0; i < e->view.place_count; i++) {
        for (size_t k = 0; k < e->zips[i].count; k++) {
            tl_race_sheet *slot = (tl_race_sheet *)tl_vec_push(&sheets);
            if (slot == NULL) {
                return tl_arena_fail(e->arena, ctx);
            }
            memcpy(slot->zipcode, e->view.places[i].zipcode, sizeof slot->zipcode);
            slot->sheet = e->zips[i].sheets[k];
        }
    }
    *out = (tl_race_input){.params = &e->params,
                           .epoch_id = e->id,
                           .start_ms = e->view.start_ms,
                           .deadline_ms = e->view.deadline_ms,
                           .nonce = e->view.nonce,
                           .beacon = e->view.beacon,
                           .zipcodes = e->view.zipcodes,
                           .zipcode_count = e->view.place_count,
                           .sheets = (const tl_race_sheet *)sheets.items,
                           .sheet_count = sheets.count,
                           .validators = e->validators,
                           .validator_count = e->validator_count,
                           .held = e->held,
                           .held_count = e->held_count,
                           .strikes = e->strikes,
                           .strike_count = e->strike_count};
    return TL_OK;
}

tl_err tl__run_race(tl__epoch *e, tl_errctx *ctx)
{
    tl_race_input *input = TL_NEW(e->arena, tl_race_input, 1);
    if (input == NULL) {
        return tl_arena_fail(e->arena, ctx);
    }
    TL_TRY(race_input(input, e, ctx));
    return tl_race_run(&e->race, e->arena, input, ctx);
}

/* --- weights, by uid --- */

typedef struct weight {
    uint32_t uid;
    uint16_t weight;
} weight;

static int by_uid(const void *a, const void *b)
{
    const uint32_t x = ((const weight *)a)->uid;
    const uint32_t y = ((const weight *)b)->uid;
    return (x > y) - (x < y);
}

static bool find_uid(uint32_t *out, const tl__epoch *e, const tl_hotkey *hotkey)
{
    char text[TL_SS58_CAP];
    (void)tl_ss58_encode(text, hotkey, TL_SS58_PREFIX_GENERIC);
    for (size_t i = 0; i < e->submission_count; i++) {
        if (tl_str_eq_cstr(e->submissions[i].hotkey, text)) {
            *out = e->submissions[i].uid;
            return true;
        }
    }
    return false;
}

/* What was burned has no uid: the weights of the miners keep their proportions among each other. */
static tl_err take_weights(tl_validator_epoch *out, const tl__epoch *e, tl_errctx *ctx)
{
    weight *all = TL_NEW(e->arena, weight, e->race.line_count);
    uint32_t *uids = TL_NEW(e->arena, uint32_t, e->race.line_count);
    uint16_t *weights = TL_NEW(e->arena, uint16_t, e->race.line_count);
    size_t count = 0;
    if (e->race.line_count > 0 && (all == NULL || uids == NULL || weights == NULL)) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (size_t i = 0; i < e->race.line_count; i++) {
        const tl_race_line *line = &e->race.lines[i];
        if (line->weight_u16 > 0 && find_uid(&all[count].uid, e, &line->hotkey)) {
            all[count++].weight = line->weight_u16;
        }
    }
    qsort(all, count, sizeof *all, by_uid);
    for (size_t i = 0; i < count; i++) {
        uids[i] = all[i].uid;
        weights[i] = all[i].weight;
    }
    out->uids = uids;
    out->weights = weights;
    out->weight_count = count;
    return TL_OK;
}

/* --- the ballot --- */

static void put_hash(tl_json_writer *w, const char *key, const tl_hash32 *hash)
{
    tl_json_put_key(w, key);
    tl_json_put_hex(w, hash, sizeof *hash);
}

static tl_err write_reveal(tl_str *out, const tl__epoch *e, const tl_validator_epoch *mine,
                           tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, e->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    put_hash(&w, "hash", &e->race.roots.hash);
    tl_json_put_key(&w, "salt");
    tl_json_put_cstr(&w, e->salt);
    put_hash(&w, "evidenceRoot", &e->race.roots.evidence);
    put_hash(&w, "scoreRoot", &e->race.roots.score);
    put_hash(&w, "weightRoot", &e->race.roots.weight);
    tl_json_put_key(&w, "uids");
    tl_json_put_array(&w);
    for (size_t i = 0; i < mine->weight_count; i++) {
        tl_json_put_u64(&w, mine->uids[i]);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "weights");
    tl_json_put_array(&w);
    for (size_t i = 0; i < mine->weight_count; i++) {
        tl_json_put_u64(&w, mine->weights[i]);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "findings");
    tl_race_put_findings(&w, &e->race);
    tl_json_put_key(&w, "winners");
    tl_race_put_winners(&w, &e->race);
    tl_json_put_key(&w, "scoreboard");
    tl_race_put_lines(&w, &e->race);
    tl_json_put_key(&w, "held");
    tl_race_put_held(&w, e->race.held, e->race.held_count);
    tl_json_put_key(&w, "strikes");
    tl_race_put_strikes(&w, e->race.strikes, e->race.strike_count);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

/* Whoever was long at work votes in the round that runs by now: a commitment counts for that one. */
static tl_err catch_up(tl__epoch *e, tl_errctx *ctx)
{
    const tl_json *json = NULL;
    tl_str target = {NULL, 0};
    uint64_t round = 0;
    TL_TRY(tl__epoch_target(&target, e->arena, e->id, "/ballots", ctx));
    TL_TRY(tl_peer_get_until(e->options->peer, &json, e->arena, target, true, e->until_ms, ctx));
    TL_TRY(tl_json_want_u64(&round, json, "round", ctx));
    if (round == 2 && e->round == 1) {
        e->round = 2;
    }
    return TL_OK;
}

tl_err tl__post_commit(tl__epoch *e, const tl_hash32 *hash, tl_errctx *ctx)
{
    char name[32];
    tl_hash32 commit;
    tl_sb sb;
    tl_json_writer w;
    tl_str body = {NULL, 0};
    tl_str target = {NULL, 0};
    const tl_json *answer = NULL;
    TL_TRY(catch_up(e, ctx));
    TL_TRY(tl__note_secret(e->salt, e->options, e->dir, round_name(name, e, "salt"), ctx));
    tl_race_commit(&commit, hash, tl_str_from_cstr(e->salt));
    tl_sb_init(&sb, e->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    put_hash(&w, "commit", &commit);
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&body, &sb, ctx));
    TL_TRY(tl__epoch_target(&target, e->arena, e->id, "/results", ctx));
    TL_TRY(post_or_late(e, target, body, &e->is_late, ctx));
    if (e->is_late) {
        return TL_OK;
    }
    TL_TRY(wait_closed(&answer, e, "/ballots", "commitsClosed", ctx));
    e->is_late = answer == NULL;
    return TL_OK;
}

tl_err tl__post_reveal(const tl_json **ballots, tl__epoch *e, tl_str reveal, tl_errctx *ctx)
{
    char name[32];
    tl_str target = {NULL, 0};
    if (!e->is_late) {
        TL_TRY(tl__note_text(&reveal, e->arena, e->dir, round_name(name, e, "result"),
                             ctx)); /* VAL-1 */
        TL_TRY(tl__epoch_target(&target, e->arena, e->id, "/results", ctx));
        TL_TRY(post_or_late(e, target, reveal, &e->is_late, ctx));
    }
    TL_TRY(wait_closed(ballots, e, "/ballots", "resultsClosed", ctx));
    e->is_extended = *ballots == NULL;
    return TL_OK;
}

/* --- what the others said, and the bundle --- */

static tl_err read_hash(tl_hash32 *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, object, key, ctx));
    return tl_hex_decode((uint8_t *)out, sizeof *out, text, ctx);
}

static int by_hotkey(const void *a, const void *b)
{
    return tl_hotkey_cmp(&((const tl_race_weight *)a)->hotkey,
                         &((const tl_race_weight *)b)->hotkey);
}

/* What is no weight of somebody who handed in, or comes twice, is left out, as the coordinator does: it is its sender's loss,
 * and nobody's reason to stop. */
static tl_err read_weights(tl_listings_ballot *out, const tl__epoch *e, const tl_json *item,
                           tl_errctx *ctx)
{
    const tl_json *uids = tl_json_get(item, "uids");
    const tl_json *weights = tl_json_get(item, "weights");
    if (uids == NULL || weights == NULL || uids->kind != TL_JSON_ARRAY ||
        weights->kind != TL_JSON_ARRAY) {
        return TL_OK;
    }
    tl_race_weight *all = TL_NEW(e->arena, tl_race_weight, e->submission_count);
    if (all == NULL && e->submission_count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    size_t count = 0;
    for (size_t k = 0; k < e->submission_count && uids->count == weights->count; k++) {
        for (uint32_t i = 0; i < uids->count; i++) {
            uint64_t uid = 0;
            uint64_t weight_u16 = 0;
            if (tl_json_as_u64(&uid, &uids->items[i], NULL, NULL) == TL_OK &&
                tl_json_as_u64(&weight_u16, &weights->items[i], NULL, NULL) == TL_OK &&
                uid == e->submissions[k].uid && weight_u16 <= UINT16_MAX) {
                TL_TRY(tl_ss58_decode(&all[count].hotkey, e->submissions[k].hotkey, ctx));
                all[count++].weight_u16 = (uint16_t)weight_u16;
                break; /* the first one counts */
            }
        }
    }
    qsort(all, count, sizeof *all, by_hotkey);
    out->weights = all;
    out->weight_count = count;
    return TL_OK;
}

static tl_err read_ballot(tl_listings_ballot *out, const tl__epoch *e, const tl_json *item,
                          tl_errctx *ctx)
{
    tl_str hotkey;
    int64_t stake = 0;
    TL_TRY(tl_json_want_str(&hotkey, item, "hotkey", ctx));
    TL_TRY(tl_json_want_i64(&stake, item, "stakeRao", ctx));
    TL_TRY(tl_ss58_decode(&out->ballot.hotkey, hotkey, ctx));
    out->ballot.stake = tl_rao_from_i64(stake);
    const tl_json *hash = tl_json_get(item, "hash");
    if (hash == NULL || hash->kind != TL_JSON_STRING) {
        return TL_OK;
    }
    out->ballot.has_result = true;
    TL_TRY(read_hash(&out->ballot.roots.hash, item, "hash", ctx));
    TL_TRY(read_hash(&out->ballot.roots.evidence, item, "evidenceRoot", ctx));
    TL_TRY(read_hash(&out->ballot.roots.score, item, "scoreRoot", ctx));
    TL_TRY(read_hash(&out->ballot.roots.weight, item, "weightRoot", ctx));
    TL_TRY(read_weights(out, e, item, ctx));
    return TL_OK;
}

static tl_err read_ballots(tl_listings_epoch *out, const tl__epoch *e, const tl_json *answer,
                           tl_errctx *ctx)
{
    const tl_json *items = NULL;
    TL_TRY(tl_json_want(&items, answer, "items", TL_JSON_ARRAY, ctx));
    tl_listings_ballot *all = TL_NEW(e->arena, tl_listings_ballot, items->count);
    if (all == NULL && items->count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (uint32_t i = 0; i < items->count; i++) {
        all[i] = (tl_listings_ballot){.weights = NULL};
        TL_TRY(read_ballot(&all[i], e, &items->items[i], ctx));
    }
    out->ballots = all;
    out->ballot_count = items->count;
    return TL_OK;
}

static tl_err write_bundle(tl_validator_epoch *out, const tl__epoch *e, const tl_str file,
                           tl_errctx *ctx)
{
    const char *dir = NULL;
    char name[64];
    TL_TRY(tl_sys_join(&dir, e->arena, e->options->dir, "bundles", ctx));
    TL_TRY(tl_sys_make_dir(dir, TL_SYS_DIR_MODE, ctx));
    (void)tl_str_print(name, sizeof name, "%.*s.bundle", TL_STR_ARG(e->id));
    TL_TRY(tl_sys_join(&out->bundle, e->arena, dir, name, ctx));
    return tl_sys_write_file(out->bundle, tl_str_bytes(file), TL_SYS_FILE_MODE, ctx);
}

static tl_err take_verdict(tl_validator_epoch *out, tl__epoch *e, const tl_json *answer,
                           tl_errctx *ctx)
{
    tl_listings_epoch epoch = {.race = *e->race.input,
                               .contributions = e->view.contributions,
                               .contribution_count = e->view.contribution_count,
                               .round = e->round};
    tl_listings_result result;
    tl_str file = {NULL, 0};
    tl_hash32 digest;
    TL_TRY(read_ballots(&epoch, e, answer, ctx));
    TL_TRY(tl_listings_publish(&file, &digest, &result, e->arena, &epoch, ctx));
    const tl_race_verdict_out *v = &result.verdict;
    tl_str *outliers = TL_NEW(e->arena, tl_str, v->outlier_count);
    if (outliers == NULL && v->outlier_count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (size_t i = 0; i < v->outlier_count; i++) {
        char text[TL_SS58_CAP];
        const size_t at = v->outliers[i].ballot;
        (void)tl_ss58_encode(text, &result.epoch.race.validators[at].hotkey,
                             TL_SS58_PREFIX_GENERIC);
        TL_TRY(tl_str_copy(&outliers[i], e->arena, tl_str_from_cstr(text), ctx));
    }
    out->status = tl_race_status_name(v->status);
    out->rate_millionths = v->rate_millionths;
    out->outliers = outliers;
    out->outlier_count = v->outlier_count;
    e->is_extended = v->next == TL_RACE_EXTEND;
    out->sets_weights = v->pays && v->next == TL_RACE_AGREE; /* VAL-3 */
    return write_bundle(out, e, file, ctx);
}

tl_err tl__cast_ballot(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx)
{
    tl_str reveal = {NULL, 0};
    const tl_json *answer = NULL;
    TL_TRY(take_weights(out, e, ctx));
    out->has_hash = true;
    out->has_roots = true;
    out->roots = e->race.roots;
    out->no_evidence_millionths = e->race.no_evidence_millionths;
    TL_TRY(tl__post_commit(e, &out->roots.hash, ctx));
    TL_TRY(write_reveal(&reveal, e, out, ctx));
    TL_TRY(tl__post_reveal(&answer, e, reveal, ctx));
    if (answer == NULL) { /* it went into another round: this one found no majority */
        out->status = tl_race_status_name(TL_RACE_CONSENSUS_FAILED);
        return TL_OK;
    }
    return take_verdict(out, e, answer, ctx);
}
