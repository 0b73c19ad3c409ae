/* The document of a result, and the rows that follow from it: standings, penalties. */
#include <stdlib.h>
#include <string.h>

#include "app/coordinator/keeper/judge_internal.h"

enum { SS58_PREFIX = 42 };

typedef tl__keeper_court court;
typedef tl__keeper_voice voice;

/* --- median weights: of every result, by hotkey --- */

static int by_hotkey(const void *a, const void *b)
{
    return tl_hotkey_cmp(&((const tl_race_weight *)a)->hotkey,
                         &((const tl_race_weight *)b)->hotkey);
}

static const tl_keeper_peer *peer_of_uid(const court *c, uint64_t uid)
{
    for (size_t i = 0; i < c->peer_count; i++) {
        if (c->peers[i].member.uid == uid) {
            return &c->peers[i];
        }
    }
    return NULL;
}

static const tl_keeper_peer *peer_of(const court *c, const tl_hotkey *hotkey)
{
    for (size_t i = 0; i < c->peer_count; i++) {
        if (tl_hotkey_cmp(&c->peers[i].hotkey, hotkey) == 0) {
            return &c->peers[i];
        }
    }
    return NULL;
}

/* One result as a row. What is no weight of somebody registered, or comes twice, is left out: its sender's loss. */
static tl_err read_row(const court *c, tl_race_row *row, const tl_json *body, tl_errctx *ctx)
{
    const tl_json *uids = tl_json_get(body, "uids");
    const tl_json *weights = tl_json_get(body, "weights");
    const bool is_sound = uids != NULL && weights != NULL && uids->kind == TL_JSON_ARRAY &&
                          weights->kind == TL_JSON_ARRAY && uids->count == weights->count;
    const uint32_t count = is_sound ? uids->count : 0;
    size_t made = 0;
    tl_race_weight *row_weights = TL_NEW(c->arena, tl_race_weight, count);
    bool *is_taken = TL_NEW(c->arena, bool, (size_t)UINT16_MAX + 1); /* the first of a uid counts */
    if (row_weights == NULL || is_taken == NULL) {
        return tl_arena_fail(c->arena, ctx);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t uid;
        uint64_t weight;
        const bool is_read = tl_json_as_u64(&uid, &uids->items[i], NULL, NULL) == TL_OK &&
                             tl_json_as_u64(&weight, &weights->items[i], NULL, NULL) == TL_OK;
        const tl_keeper_peer *peer = is_read ? peer_of_uid(c, uid) : NULL;
        if (peer != NULL && weight <= UINT16_MAX && uid <= UINT16_MAX && !is_taken[uid]) {
            is_taken[uid] = true;
            row_weights[made].hotkey = peer->hotkey;
            row_weights[made++].weight_u16 = (uint16_t)weight;
        }
    }
    if (made > 0) {
        qsort(row_weights, made, sizeof *row_weights, by_hotkey);
    }
    for (size_t i = 0; i < made; i++) {
        if (row->count == 0 || by_hotkey(&row_weights[row->count - 1], &row_weights[i]) != 0) {
            row_weights[row->count++] = row_weights[i];
        }
    }
    row->weights = row_weights;
    return TL_OK;
}

tl_err tl__keeper_median(court *c, tl_errctx *ctx)
{
    size_t row_count = 0;
    tl_race_row *rows = TL_NEW(c->arena, tl_race_row, c->count);
    if (rows == NULL) {
        return tl_arena_fail(c->arena, ctx);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (c->ballots[i].has_result) {
            rows[row_count].stake = c->ballots[i].stake;
            TL_TRY(read_row(c, &rows[row_count++], c->voices[i].body, ctx));
        }
    }
    return tl_race_median(&c->median, &c->median_count, c->arena, rows, row_count, ctx);
}

/* --- the document --- */

static void put_hotkey(tl_json_writer *w, const char *key, const tl_hotkey *hotkey)
{
    char ss58[TL_SS58_CAP];
    const size_t len = tl_ss58_encode(ss58, hotkey, SS58_PREFIX);
    tl_json_put_key(w, key);
    tl_json_put_str(w, (tl_str){ss58, len});
}

static void put_root(tl_json_writer *w, const char *key, bool has, const tl_hash32 *root)
{
    tl_json_put_key(w, key);
    if (has) {
        tl_json_put_hex(w, root->b, sizeof root->b);
    } else {
        tl_json_put_null(w);
    }
}

static const tl_race_outlier *outlier_of(const court *c, size_t ballot)
{
    for (size_t i = 0; i < c->verdict.outlier_count; i++) {
        if (c->verdict.outliers[i].ballot == ballot) {
            return &c->verdict.outliers[i];
        }
    }
    return NULL;
}

static void put_validators(tl_json_writer *w, const court *c)
{
    tl_json_put_key(w, "validators");
    tl_json_put_array(w);
    for (size_t i = 0; i < c->count; i++) {
        tl_json_put_object(w);
        put_root(w, "hash", c->ballots[i].has_result, &c->ballots[i].roots.hash);
        put_hotkey(w, "hotkey", &c->ballots[i].hotkey);
        tl_json_put_key(w, "stakeRao");
        tl_json_put_i64(w, tl_rao_to_i64(c->ballots[i].stake));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_outliers(tl_json_writer *w, const court *c)
{
    tl_json_put_key(w, "outliers");
    tl_json_put_array(w);
    for (size_t i = 0; i < c->verdict.outlier_count; i++) {
        const tl_race_outlier *outlier = &c->verdict.outliers[i];
        tl_json_put_object(w);
        put_hotkey(w, "hotkey", &c->ballots[outlier->ballot].hotkey);
        tl_json_put_key(w, "section");
        tl_json_put_cstr(w, tl_race_section_name(outlier->section));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_streaks(tl_json_writer *w, const court *c)
{
    tl_json_put_key(w, "streaks");
    tl_json_put_array(w);
    for (size_t i = 0; i < c->count; i++) {
        const uint32_t streak =
            tl_race_streak(c->voices[i].streak, c->ballots[i].has_result, outlier_of(c, i) != NULL);
        if (streak > 0) {
            tl_json_put_object(w);
            tl_json_put_key(w, "epochs");
            tl_json_put_u64(w, streak);
            put_hotkey(w, "hotkey", &c->voices[i].hotkey);
            tl_json_put_end(w);
        }
    }
    tl_json_put_end(w);
}

/* The median has weights and nothing else; of a failed epoch there is nothing, and what was held stays held. */
static void put_told(tl_json_writer *w, const court *c, const char *key)
{
    const tl_json *value = c->top != NULL ? tl_json_get(c->top->body, key) : NULL;
    const bool is_carried = strcmp(key, "held") == 0 || strcmp(key, "strikes") == 0;
    const bool is_uids = strcmp(key, "uids") == 0;
    if (value == NULL && is_carried && c->top == NULL) {
        value = tl_json_get(c->carry, key);
    }
    tl_json_put_key(w, key);
    if (value != NULL && value->kind == TL_JSON_ARRAY) {
        tl_json_put_tree(w, value);
        return;
    }
    tl_json_put_array(w);
    for (size_t i = 0; (is_uids || strcmp(key, "weights") == 0) && i < c->median_count; i++) {
        const tl_keeper_peer *peer = peer_of(c, &c->median[i].hotkey);
        if (peer != NULL && is_uids) {
            tl_json_put_u64(w, peer->member.uid);
        } else if (peer != NULL) {
            tl_json_put_u64(w, c->median[i].weight_u16);
        }
    }
    tl_json_put_end(w);
}

/* Keys ascend: "epochId" … "winners". */
static tl_err put_document(tl_str *out, const court *c, tl_errctx *ctx)
{
    const tl_race_verdict_out *v = &c->verdict;
    tl_sb sb;
    tl_json_writer w;
    size_t at = 0;
    tl_sb_init(&sb, c->arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "epochId");
    tl_json_put_str(&w, c->epoch->id);
    put_root(&w, "evidenceRoot", v->has_top, &v->top.evidence);
    for (; at < 1; at++) {
        put_told(&w, c, tl__keeper_told[at]); /* findings */
    }
    put_root(&w, "hash", v->has_top, &v->top.hash);
    put_told(&w, c, tl__keeper_told[at++]); /* held */
    tl_json_put_key(&w, "needsReview");
    tl_json_put_bool(&w, v->needs_review);
    put_outliers(&w, c);
    tl_json_put_key(&w, "pays");
    tl_json_put_bool(&w, v->pays);
    tl_json_put_key(&w, "rate");
    tl_json_put_f64(&w, (double)v->rate_millionths / 1e6);
    tl_json_put_key(&w, "rateMillionths");
    tl_json_put_u64(&w, v->rate_millionths);
    tl_json_put_key(&w, "round");
    tl_json_put_u64(&w, c->epoch->round + 1);
    put_root(&w, "scoreRoot", v->has_top, &v->top.score);
    put_told(&w, c, tl__keeper_told[at++]); /* scoreboard */
    tl_json_put_key(&w, "stakeRao");
    tl_json_put_i64(&w, tl_rao_to_i64(v->stake_total));
    tl_json_put_key(&w, "stakeWithResultRao");
    tl_json_put_i64(&w, tl_rao_to_i64(v->stake_with_result));
    tl_json_put_key(&w, "status");
    tl_json_put_cstr(&w, tl_race_status_name(v->status));
    put_streaks(&w, c);
    put_told(&w, c, tl__keeper_told[at++]); /* strikes */
    put_told(&w, c, tl__keeper_told[at++]); /* uids */
    put_validators(&w, c);
    put_root(&w, "weightRoot", v->has_top, &v->top.weight);
    put_told(&w, c, tl__keeper_told[at++]); /* weights */
    put_told(&w, c, tl__keeper_told[at++]); /* winners */
    tl_json_put_end(&w);
    TL_ASSERT(at == TL__KEEPER_TOLD);
    return tl_sb_finish(out, &sb, ctx);
}

/* --- rows --- */

/* Members of a line of the scoreboard: what is missing or of another kind counts as nothing. */
static uint64_t number_of(const tl_json *line, const char *key)
{
    uint64_t value = 0;
    return tl_json_as_u64(&value, tl_json_get(line, key), NULL, NULL) == TL_OK ? value : 0;
}

static bool read_standing(const court *c, tl_record_standing *out, const tl_json *line)
{
    tl_str ss58;
    if (tl_json_want_str(&ss58, line, "hotkey", NULL) != TL_OK ||
        tl_ss58_decode(&out->hotkey, ss58, NULL) != TL_OK) {
        return false;
    }
    const tl_keeper_peer *peer = peer_of(c, &out->hotkey);
    out->coldkey = peer != NULL ? peer->member.coldkey : out->hotkey;
    out->uid = peer != NULL ? peer->member.uid : 0;
    const uint64_t reward = number_of(line, "reward_rao");
    const tl_json *places = tl_json_get(line, "places");
    /* no epoch pays a 65,536th of all rao there can be: standings add up, and must never wrap */
    out->paid = tl_rao_from_i64(reward <= INT64_MAX >> 16 ? (int64_t)reward : 0);
    out->score_millionths = (int64_t)(number_of(line, "score_millionths") & UINT32_MAX);
    out->listings = (uint32_t)(number_of(line, "listings") & UINT32_MAX);
    for (uint32_t i = 0; places != NULL && places->kind == TL_JSON_ARRAY && i < places->count;
         i++) {
        uint64_t wins;
        if (tl_json_as_u64(&wins, &places->items[i], NULL, NULL) == TL_OK && wins <= UINT16_MAX) {
            out->wins += (uint32_t)wins;
        }
    }
    return true;
}

static int by_standing(const void *a, const void *b)
{
    return tl_hotkey_cmp(&((const tl_record_standing *)a)->hotkey,
                         &((const tl_record_standing *)b)->hotkey);
}

static tl_err keep_standings(const court *c, tl_errctx *ctx)
{
    const tl_json *lines = c->top != NULL ? tl_json_get(c->top->body, "scoreboard") : NULL;
    const uint32_t count = lines != NULL && lines->kind == TL_JSON_ARRAY ? lines->count : 0;
    tl_record_standing *rows = TL_NEW(c->arena, tl_record_standing, count);
    size_t made = 0;
    size_t kept = 0;
    if (rows == NULL) {
        return tl_arena_fail(c->arena, ctx);
    }
    for (uint32_t i = 0; i < count; i++) {
        made += read_standing(c, &rows[made], &lines->items[i]);
    }
    if (made > 0) {
        qsort(rows, made, sizeof *rows, by_standing);
    }
    for (size_t i = 0; i < made; i++) { /* each hotkey once */
        if (kept == 0 || by_standing(&rows[kept - 1], &rows[i]) != 0) {
            rows[kept++] = rows[i];
        }
    }
    return tl_records_put_standings(c->keeper->records, c->epoch->id, rows, kept, &c->keeper->lease,
                                    ctx);
}

static tl_err keep_penalties(const court *c, tl_errctx *ctx)
{
    for (size_t i = 0; i < c->count; i++) {
        const tl_race_outlier *outlier = outlier_of(c, i);
        if (outlier == NULL && c->ballots[i].has_result) {
            continue;
        }
        const tl_record_penalty penalty = {
            .epoch_id = c->epoch->id,
            .hotkey = c->ballots[i].hotkey,
            .kind = outlier != NULL ? TL_STR("outlier") : TL_STR("absent"),
            .detail = outlier != NULL ? tl_str_from_cstr(tl_race_section_name(outlier->section))
                                      : TL_STR("no result"),
            .at_ms = c->now_ms};
        TL_TRY(tl_records_put_penalty(c->keeper->records, &penalty, &c->keeper->lease, ctx));
    }
    return TL_OK;
}

static tl_err put_hash(tl_str *out, const court *c, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    *out = (tl_str){NULL, 0};
    if (!c->verdict.has_top) {
        return TL_OK;
    }
    tl_sb_init(&sb, c->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_hex(&w, c->verdict.top.hash.b, sizeof c->verdict.top.hash.b);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = tl_str_slice(text, 1, text.len - 1);
    return TL_OK;
}

tl_err tl__keeper_publish(const court *c, tl_errctx *ctx)
{
    tl_str document;
    tl_record_result result = {.epoch_id = c->epoch->id,
                               .status = tl_str_from_cstr(tl_race_status_name(c->verdict.status)),
                               .rate_millionths = c->verdict.rate_millionths,
                               .at_ms = c->now_ms};
    TL_TRY(put_hash(&result.hash, c, ctx));
    TL_TRY(put_document(&document, c, ctx));
    result.document = tl_str_bytes(document);
    TL_TRY(tl_records_put_result(c->keeper->records, &result, &c->keeper->lease, ctx));
    if (c->verdict.pays) {
        TL_TRY(keep_standings(c, ctx));
    }
    return keep_penalties(c, ctx);
}
