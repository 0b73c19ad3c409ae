/* kind_listings_epoch.c: the compat profile of the listings network, many submissions (listings oracle page).
 *
 * listings-ranking           one zipcode's race; tier 2's verdict is given, and listing i of a submission is inaccurate
 *                            when bad is [m, r] and i mod m is r
 * listings-epoch-weights     per zipcode winners as [hotkey, listings] in rank order and participants, gives scores
 * listings-consensus-hash    scores and weights in arrival order, give the text and its hash
 * listings-consensus-status  [validator, hash] in the order collected, the own hash, the threshold, give the status */
#include "app/conformance/kind_listings.h"

#include <string.h>

#include "app/conformance/ints.h"
#include "base/map/map.h"
#include "core/crypto/hash/hash.h"

/* --- the race --- */

/* What a case says of one submission besides what the race is given. */
typedef struct claim {
    bool passes_tier2;
    bool is_bad; /* are some listings inaccurate? */
    uint64_t modulus;
    uint64_t rest;
} claim;

static tl_err claim_quality(void *self, tl_compat_rates *out, size_t index, tl_errctx *ctx)
{
    (void)ctx;
    const claim *const claims = self;
    *out = (tl_compat_rates){.passes = claims[index].passes_tier2};
    return TL_OK;
}

static tl_err claim_verify(void *self, bool *is_accurate, size_t index, uint64_t listing,
                           tl_errctx *ctx)
{
    (void)ctx;
    const claim *const c = &((const claim *)self)[index];
    *is_accurate = !c->is_bad || listing % c->modulus != c->rest;
    return TL_OK;
}

static tl_err read_bad(claim *out, const tl_json *bad, tl_errctx *ctx)
{
    out->is_bad = bad != NULL && bad->kind != TL_JSON_NULL;
    if (!out->is_bad) {
        return TL_OK;
    }
    if (bad->kind != TL_JSON_ARRAY || bad->count != 2) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "bad", "bad is null or two integers");
    }
    TL_TRY(tl__int_u64(&out->modulus, &bad->items[0], "bad[0]", ctx));
    TL_TRY(tl__int_u64(&out->rest, &bad->items[1], "bad[1]", ctx));
    if (out->modulus == 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "bad[0]", "a modulus of 0");
    }
    return TL_OK;
}

static tl_err read_submissions(tl_compat_race_input *out, claim **claims_out, const tl_json *input,
                               tl_arena *arena, tl_errctx *ctx)
{
    const tl_json *list;
    TL_TRY(tl_json_want(&list, input, "submissions", TL_JSON_ARRAY, ctx));
    tl_compat_submission *submissions = TL_NEW(arena, tl_compat_submission, list->count);
    claim *claims = TL_NEW(arena, claim, list->count);
    if (submissions == NULL || claims == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_json *item = &list->items[i];
        TL_TRY(tl_json_want_str(&submissions[i].hotkey, item, "hotkey", ctx));
        TL_TRY(tl_json_want_str(&submissions[i].time, item, "timestamp", ctx));
        TL_TRY(tl__int_want_u64(&submissions[i].count, item, "n", ctx));
        TL_TRY(tl_json_want_bool(&claims[i].passes_tier2, item, "tier2_passes", ctx));
        TL_TRY(read_bad(&claims[i], tl_json_get(item, "bad"), ctx));
    }
    out->submissions = submissions;
    out->submission_count = list->count;
    *claims_out = claims;
    return TL_OK;
}

static void put_draw(tl_json_writer *out, const tl_compat_draw *draw, double rate)
{
    tl_json_put_key(out, "seed");
    tl_json_put_u64(out, draw->seed);
    tl__listings_put_indices(out, "indices", draw->indices, draw->count);
    tl_json_put_key(out, "rate");
    tl_json_put_f64(out, rate);
}

static void put_winners(tl_json_writer *out, const tl_compat_race *race,
                        const tl_compat_race_input *input)
{
    tl_json_put_key(out, "winners");
    tl_json_put_array(out);
    for (size_t w = 0; w < race->winner_count; w++) {
        const tl_compat_winner *const winner = &race->winners[w];
        tl_json_put_object(out);
        tl_json_put_key(out, "hotkey");
        tl_json_put_str(out, input->submissions[winner->index].hotkey);
        tl_json_put_key(out, "rank");
        tl_json_put_u64(out, winner->rank);
        tl_json_put_key(out, "listing_count");
        tl_json_put_u64(out, input->submissions[winner->index].count);
        put_draw(out, &winner->draw, winner->rate);
        tl_json_put_end(out);
    }
    tl_json_put_end(out);
}

static void put_losers_and_pay(tl_json_writer *out, const tl_compat_race *race,
                               const tl_compat_race_input *input)
{
    char text[TL_F64_TEXT_CAP];
    tl_json_put_key(out, "participants");
    tl_json_put_array(out);
    for (size_t p = 0; p < race->participant_count; p++) {
        const tl_compat_participant *const one = &race->participants[p];
        tl_json_put_object(out);
        tl_json_put_key(out, "hotkey");
        tl_json_put_str(out, input->submissions[one->index].hotkey);
        tl_json_put_key(out, "failed_at_tier");
        tl_json_put_u64(out, one->failed_at_tier);
        if (one->failed_at_tier == 3) {
            put_draw(out, &one->draw, one->rate);
        }
        tl_json_put_end(out);
    }
    tl_json_put_end(out);
    tl_json_put_key(out, "rewards");
    tl_json_put_array(out);
    for (size_t r = 0; r < race->reward_count; r++) {
        (void)tl_f64_print(text, race->rewards[r].share);
        tl_json_put_array(out);
        tl_json_put_str(out, race->rewards[r].hotkey);
        tl_json_put_u64(out, race->rewards[r].rank);
        tl_json_put_u64(out, race->rewards[r].count);
        tl_json_put_cstr(out, text);
        tl_json_put_end(out);
    }
    tl_json_put_end(out);
}

tl_err tl_conform_listings_ranking(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                   tl_errctx *ctx)
{
    tl_compat_race_input given = {0};
    claim *claims;
    tl_compat_race race;
    TL_TRY(tl__listings_code(&given.code, input, ctx));
    TL_TRY(tl_json_want_str(&given.nonce, input, "epoch_nonce", ctx));
    TL_TRY(tl__int_want_i64(&given.expected, input, "expected_listings", ctx));
    given.has_expected = true;
    TL_TRY(read_submissions(&given, &claims, input, env->arena, ctx));
    const tl_compat_judge judge = {claims, claim_quality, claim_verify};
    TL_TRY(tl_compat_race_run(&race, env->arena, &given, &judge, ctx));
    tl_json_put_object(out);
    if (race.error != TL_PY_OK) {
        tl__listings_put_error(out, race.error);
        tl_json_put_end(out);
        return TL_OK;
    }
    put_winners(out, &race, &given);
    put_losers_and_pay(out, &race, &given);
    tl_json_put_key(out, "total_listings_found");
    tl_json_put_u64(out, race.total_listings_found);
    tl_json_put_key(out, "total_submissions_processed");
    tl_json_put_u64(out, race.total_submissions_processed);
    tl_json_put_key(out, "total_validated");
    tl_json_put_u64(out, race.total_validated);
    tl_json_put_end(out);
    return TL_OK;
}

/* --- the weights --- */

static tl_err read_wins(tl_compat_zipcode *out, const tl_json *object, tl_arena *arena,
                        tl_errctx *ctx)
{
    const tl_json *list;
    TL_TRY(tl_json_want(&list, object, "winners", TL_JSON_ARRAY, ctx));
    tl_compat_win *wins = TL_NEW(arena, tl_compat_win, list->count);
    if (wins == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_json *pair = &list->items[i];
        if (pair->kind != TL_JSON_ARRAY || pair->count != 2) {
            return tl_fail_field(ctx, TL_ERR_TYPE, "winners", "a winner is [hotkey, listings]");
        }
        TL_TRY(tl_json_as_str(&wins[i].hotkey, &pair->items[0], "winners", ctx));
        TL_TRY(tl__int_u64(&wins[i].count, &pair->items[1], "winners", ctx));
    }
    out->winners = wins;
    out->winner_count = list->count;
    return TL_OK;
}

static void put_score(tl_json_writer *out, const tl_compat_score *s)
{
    char text[TL_F64_TEXT_CAP];
    uint64_t bits;
    uint8_t bytes[8];
    (void)tl_f64_print(text, s->score);
    memcpy(&bits, &s->score, sizeof bits);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    tl_json_put_array(out);
    tl_json_put_str(out, s->id);
    tl_json_put_cstr(out, text);
    tl_json_put_hex(out, bytes, sizeof bytes);
    tl_json_put_end(out);
}

/* Scores by code point, weights as they stand. */
static tl_err put_scores(tl_json_writer *out, const tl_compat_epoch *epoch, tl_arena *arena,
                         tl_errctx *ctx)
{
    tl_map sorted;
    tl_map_init(&sorted, arena);
    for (size_t i = 0; i < epoch->miner_count; i++) {
        tl_compat_score *copy = TL_NEW(arena, tl_compat_score, 1);
        if (copy == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        *copy = epoch->miner_scores[i];
        TL_TRY(tl_map_put(&sorted, tl_str_bytes(copy->id), copy, ctx));
    }
    tl_json_put_key(out, "miner_scores");
    tl_json_put_array(out);
    for (const tl_map_entry *e = sorted.first; e != NULL; e = e->next) {
        put_score(out, e->value);
    }
    tl_json_put_end(out);
    tl_json_put_key(out, "zipcode_weights");
    tl_json_put_array(out);
    for (size_t i = 0; i < epoch->zipcode_count; i++) {
        put_score(out, &epoch->zipcode_weights[i]);
    }
    tl_json_put_end(out);
    return TL_OK;
}

static void put_counts(tl_json_writer *out, const tl_compat_epoch *epoch)
{
    tl_json_put_key(out, "total_participants");
    tl_json_put_u64(out, epoch->total_participants);
    tl_json_put_key(out, "total_winners");
    tl_json_put_u64(out, epoch->total_winners);
    tl_json_put_key(out, "total_epoch_listings");
    tl_json_put_u64(out, epoch->total_epoch_listings);
    tl_json_put_key(out, "winners_total_reward");
    tl_json_put_f64(out, epoch->winners_total_reward);
    tl_json_put_key(out, "participants_total_reward");
    tl_json_put_f64(out, epoch->participants_total_reward);
    tl_json_put_key(out, "raw_total");
    tl_json_put_f64(out, epoch->raw_total);
}

tl_err tl_conform_listings_epoch_weights(tl_json_writer *out, const tl_json *input,
                                         tl_conform_env *env, tl_errctx *ctx)
{
    const tl_json *list;
    tl_str nonce;
    tl_compat_epoch epoch;
    tl_hash32 hash;
    TL_TRY(tl_json_want_str(&nonce, input, "epoch_nonce", ctx));
    TL_TRY(tl_json_want(&list, input, "zipcodes", TL_JSON_ARRAY, ctx));
    tl_compat_zipcode *zipcodes = TL_NEW(env->arena, tl_compat_zipcode, list->count);
    if (zipcodes == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_json *item = &list->items[i];
        tl_str *participants;
        TL_TRY(tl_json_want_str(&zipcodes[i].zipcode, item, "zipcode", ctx));
        TL_TRY(read_wins(&zipcodes[i], item, env->arena, ctx));
        TL_TRY(tl__listings_texts(&participants, &zipcodes[i].participant_count, env->arena, item,
                                  "participants", ctx));
        zipcodes[i].participants = participants;
    }
    TL_TRY(tl_compat_epoch_run(&epoch, env->arena, zipcodes, list->count, ctx));
    TL_TRY(tl_compat_epoch_hash(&hash, env->arena, nonce, &epoch, ctx));
    tl_json_put_object(out);
    TL_TRY(put_scores(out, &epoch, env->arena, ctx));
    put_counts(out, &epoch);
    tl_json_put_key(out, "consensus_hash");
    tl_json_put_hex(out, hash.b, sizeof hash.b);
    tl_json_put_end(out);
    return TL_OK;
}

/* --- the text and its hash --- */

static tl_err read_scores(const tl_compat_score **out, size_t *count, const tl_json *input,
                          const char *key, tl_arena *arena, tl_errctx *ctx)
{
    const tl_json *list;
    TL_TRY(tl_json_want(&list, input, key, TL_JSON_ARRAY, ctx));
    tl_compat_score *scores = TL_NEW(arena, tl_compat_score, list->count);
    if (scores == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        TL_TRY(tl_json_want_str(&scores[i].id, &list->items[i], "id", ctx));
        TL_TRY(tl__listings_f64(&scores[i].score, &list->items[i], key, ctx));
    }
    *out = scores;
    *count = list->count;
    return TL_OK;
}

tl_err tl_conform_listings_consensus_hash(tl_json_writer *out, const tl_json *input,
                                          tl_conform_env *env, tl_errctx *ctx)
{
    tl_compat_epoch epoch = {0};
    tl_str nonce;
    tl_str text;
    tl_hash32 hash;
    TL_TRY(tl_json_want_str(&nonce, input, "epoch_nonce", ctx));
    TL_TRY(read_scores(&epoch.miner_scores, &epoch.miner_count, input, "miner_scores", env->arena,
                       ctx));
    TL_TRY(read_scores(&epoch.zipcode_weights, &epoch.zipcode_count, input, "zipcode_weights",
                       env->arena, ctx));
    TL_TRY(tl__int_want_u64(&epoch.total_participants, input, "total_participants", ctx));
    TL_TRY(tl__int_want_u64(&epoch.total_winners, input, "total_winners", ctx));
    TL_TRY(tl__int_want_u64(&epoch.total_epoch_listings, input, "total_epoch_listings", ctx));
    TL_TRY(tl_compat_epoch_text(&text, env->arena, nonce, &epoch, ctx));
    tl_sha256(&hash, text.ptr, text.len);
    tl_json_put_object(out);
    tl_json_put_key(out, "canonical");
    tl_json_put_str(out, text);
    tl_json_put_key(out, "sha256");
    tl_json_put_hex(out, hash.b, sizeof hash.b);
    tl_json_put_end(out);
    return TL_OK;
}

/* --- agreement --- */

static tl_err read_votes(tl_compat_vote **out, size_t *count, const tl_json *input, tl_arena *arena,
                         tl_errctx *ctx)
{
    const tl_json *list;
    TL_TRY(tl_json_want(&list, input, "validators", TL_JSON_ARRAY, ctx));
    tl_compat_vote *votes = TL_NEW(arena, tl_compat_vote, list->count);
    if (votes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_json *pair = &list->items[i];
        if (pair->kind != TL_JSON_ARRAY || pair->count != 2) {
            return tl_fail_field(ctx, TL_ERR_TYPE, "validators", "a vote is [validator, hash]");
        }
        TL_TRY(tl_json_as_str(&votes[i].validator, &pair->items[0], "validators", ctx));
        TL_TRY(tl_json_as_str(&votes[i].hash, &pair->items[1], "validators", ctx));
    }
    *out = votes;
    *count = list->count;
    return TL_OK;
}

tl_err tl_conform_listings_consensus_status(tl_json_writer *out, const tl_json *input,
                                            tl_conform_env *env, tl_errctx *ctx)
{
    double threshold;
    tl_str own_hash;
    tl_compat_vote *votes;
    size_t count;
    tl_compat_agreement a;
    TL_TRY(tl__listings_f64(&threshold, tl_json_get(input, "threshold"), "threshold", ctx));
    TL_TRY(tl_json_want_str(&own_hash, input, "own_hash", ctx));
    TL_TRY(read_votes(&votes, &count, input, env->arena, ctx));
    TL_TRY(tl_compat_agree(&a, env->arena, votes, count, own_hash, threshold, ctx));
    tl_json_put_object(out);
    tl_json_put_key(out, "status");
    tl_json_put_cstr(out, tl_compat_status_name(a.status));
    tl_json_put_key(out, "rate");
    tl_json_put_f64(out, a.rate);
    tl_json_put_key(out, "majority_hash");
    tl_json_put_str(out, a.majority_hash);
    tl_json_put_key(out, "matches_majority");
    tl_json_put_bool(out, a.matches_majority);
    tl_json_put_key(out, "total_validators");
    tl_json_put_u64(out, a.total_validators);
    tl_json_put_key(out, "outliers");
    tl_json_put_array(out);
    for (size_t i = 0; i < a.outlier_count; i++) {
        tl_json_put_str(out, a.outliers[i]);
    }
    tl_json_put_end(out);
    tl_json_put_key(out, "fallback");
    tl_json_put_cstr(out, tl_compat_fallback_name(a.fallback));
    tl_json_put_end(out);
    return TL_OK;
}
