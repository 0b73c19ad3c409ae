/* compat.c: an epoch as the original program would have judged it, had anything ever called it (listings oracle page).
 *
 * What the original takes from its surroundings is fixed here, so that two of these validators agree:
 *   - the clock of tier 2 is the end of the epoch; zipcodes come in ascending order, submissions in the coordinator's
 *   - the time of a submission is its file's "submission_timestamp"; a file without one has the coordinator's receipt
 *   - a submission of several files of one zipcode is its first
 *   - of a listing that nobody can be asked about, what is plausible passes, as in October: an address of ten characters, a
 *     price of 1,000 to 100,000,000
 * Where the original's run would end by an exception, so does this epoch: FAILED, with the exception's name. */
#include <stdlib.h>
#include <string.h>

#include "app/validator/validator_internal.h"
#include "base/vec/vec.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/compat/compat.h"
#include "core/listings/record/record.h"
#include "sdk/weights/weights.h"

/* One submission of the zipcode that is raced. */
typedef struct entry {
    const tl__submission *of;
    tl_str file;
    tl_str time;
    uint64_t count;
    tl_compat_rates rates;
    const tl_json *listings; /* read when the first is asked about */
} entry;

typedef struct race_state {
    tl__epoch *e;
    tl_arena *arena; /* of the zipcode */
    const tl_place *place;
    tl__world *world;
    entry *entries;
    size_t count;
} race_state;

/* --- what was handed in --- */

static tl_err fetch(tl_str *out, tl__epoch *e, const tl__object *object, tl_arena *arena,
                    tl_errctx *ctx)
{
    tl_hash32 found;
    tl_caller_answer answer;
    const tl_caller_request request = {.target = object->url,
                                       .is_repeatable = true,
                                       .is_bytes = true,
                                       .answer_len_max = (size_t)65 << 20};
    TL_TRY(tl_caller_want(e->options->peer->caller, &answer, arena, &request, ctx));
    tl_sha256(&found, answer.body.ptr, answer.body.len);
    if (tl_hash32_cmp(&found, &object->sha256) != 0) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "an object is not what its hash says"); /* VAL-2 */
    }
    *out = (tl_str){(const char *)answer.body.ptr, answer.body.len};
    return TL_OK;
}

static tl_err receipt_text(tl_str *out, tl_arena *arena, int64_t received_ms, tl_errctx *ctx)
{
    char text[TL_TIME_TEXT_CAP];
    tl_time_text(text, received_ms * 1000000);
    return tl_str_copy(out, arena, tl_str_from_cstr(text), ctx);
}

/* A file that cannot be read at all has no listings: it fails tier 1 or 2, as an empty list does. */
static tl_err judge_file(race_state *s, entry *e, tl_arena *scratch, tl_errctx *ctx)
{
    tl_compat_file file = {.count = 0};
    tl_compat_quality quality;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_compat_quality_options options = {.now_us = s->e->view.end_ms * 1000};
    tl_compat_quality_init(&quality, s->arena, &options);
    const tl_err err = tl_compat_file_read(&file, &quality, e->file, scratch, &why);
    if (err == TL_ERR_NOMEM) {
        return tl_fail(ctx, err, "%s", why.message);
    }
    if (err != TL_OK) {
        tl_compat_quality_init(&quality, s->arena, &options);
        file = (tl_compat_file){.count = 0};
    }
    tl_compat_quality_finish(&e->rates, &quality);
    e->count = file.count;
    return file.time.len > 0 ? tl_str_copy(&e->time, s->arena, file.time, ctx)
                             : receipt_text(&e->time, s->arena, e->of->received_ms, ctx);
}

static tl_err gather(race_state *s, tl_errctx *ctx)
{
    tl_arena *scratch = NULL;
    s->entries = TL_NEW(s->arena, entry, s->e->submission_count);
    if (s->entries == NULL && s->e->submission_count > 0) {
        return tl_arena_fail(s->arena, ctx);
    }
    TL_TRY(tl_arena_new(&scratch, NULL, (size_t)1 << 30, NULL, ctx));
    tl_err err = TL_OK;
    for (size_t i = 0; err == TL_OK && i < s->e->submission_count; i++) {
        const tl__submission *of = &s->e->submissions[i];
        for (size_t k = 0; err == TL_OK && k < of->object_count; k++) {
            if (memcmp(of->objects[k].zipcode, s->place->zipcode, 5) == 0) {
                entry *e = &s->entries[s->count++];
                *e = (entry){.of = of};
                err = fetch(&e->file, s->e, &of->objects[k], s->arena, ctx);
                err = err == TL_OK ? judge_file(s, e, scratch, ctx) : err;
                break;
            }
        }
    }
    tl_arena_free(scratch);
    return err;
}

/* --- what the race asks --- */

static tl_err quality_of(void *self, tl_compat_rates *out, size_t index, tl_errctx *ctx)
{
    (void)ctx;
    *out = ((const race_state *)self)->entries[index].rates;
    return TL_OK;
}

static bool is_plausible(const tl_listing *l)
{
    const tl_str address = l->text[TL_FIELD_ADDRESS];
    return address.len >= 10 && (l->readable >> TL_FIELD_PRICE & 1u) != 0 &&
           l->price_cents >= 100000 && l->price_cents <= INT64_C(10000000000) && l->zipcode[0] != 0;
}

static tl_sample claim_of(const tl_listing *l)
{
    tl_sample claim = {.index = l->index,
                       .identity = l->identity,
                       .address = l->address,
                       .price_cents = l->price_cents,
                       .bedrooms_hundredths = -1,
                       .bathrooms_hundredths = -1,
                       .status = l->text[TL_FIELD_LISTING_STATUS]};
    memcpy(claim.zipcode, l->zipcode, sizeof claim.zipcode);
    if ((l->readable >> TL_FIELD_BEDROOMS & 1u) != 0) {
        claim.bedrooms_hundredths = l->bedrooms_hundredths;
    }
    if ((l->readable >> TL_FIELD_BATHROOMS & 1u) != 0) {
        claim.bathrooms_hundredths = l->bathrooms_hundredths;
    }
    return claim;
}

static tl_err read_one(tl_listing *out, const race_state *s, const tl_json *item, tl_arena *arena,
                       tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str object = {NULL, 0};
    tl_listing_reader reader;
    bool has = false;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "zipcode");
    tl_json_put_cstr(&w, s->place->zipcode);
    tl_json_put_key(&w, "listings");
    tl_json_put_array(&w);
    tl_json_put_tree(&w, item);
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&object, &sb, ctx));
    TL_TRY(tl_record_open(&reader, arena, object, 0, ctx));
    return tl_record_next(&reader, out, &has, ctx);
}

static tl_err verify_one(void *self, bool *is_accurate, size_t index, uint64_t listing,
                         tl_errctx *ctx)
{
    race_state *s = (race_state *)self;
    entry *e = &s->entries[index];
    tl_listing read;
    char verdict = TL_SPOT_NONE;
    if (e->listings == NULL) {
        const tl_json *json = NULL;
        const tl_json_options options = {.allow_nonfinite = true, .allow_duplicate_keys = true};
        TL_TRY(tl_json_parse(&json, s->arena, e->file, &options, ctx));
        TL_TRY(tl_json_want(&e->listings, json, "listings", TL_JSON_ARRAY, ctx));
    }
    TL_ASSERT(listing < e->listings->count);
    tl_errctx why = TL_ERRCTX_INIT;
    *is_accurate = false;
    if (read_one(&read, s, &e->listings->items[listing], s->arena, &why) != TL_OK) {
        return TL_OK; /* not to be found anywhere */
    }
    const tl_sample claim = claim_of(&read);
    TL_TRY(tl__world_judge(s->world, &verdict, &claim, 1, s->arena, ctx));
    *is_accurate = verdict == TL_SPOT_PASS || (verdict == TL_SPOT_NONE && is_plausible(&read));
    return TL_OK;
}

/* --- a zipcode, an epoch --- */

static tl_err race_zipcode(tl_compat_zipcode *out, race_state *s, tl_source *source, tl_errctx *ctx)
{
    tl__epoch *e = s->e;
    tl_compat_race race;
    TL_TRY(tl__world_open(&s->world, s->arena, source, s->place,
                          e->view.start_ms - INT64_C(3600000), ctx));
    TL_TRY(gather(s, ctx));
    tl_compat_submission *submissions = TL_NEW(s->arena, tl_compat_submission, s->count);
    if (submissions == NULL && s->count > 0) {
        return tl_arena_fail(s->arena, ctx);
    }
    for (size_t i = 0; i < s->count; i++) {
        submissions[i] = (tl_compat_submission){s->entries[i].of->hotkey, s->entries[i].time,
                                                s->entries[i].count};
    }
    const tl_compat_race_input input = {.nonce = e->view.nonce,
                                        .has_expected = true,
                                        .expected = s->place->expected,
                                        .submissions = submissions,
                                        .submission_count = s->count};
    const tl_compat_judge judge = {s, quality_of, verify_one};
    TL_TRY(tl_compat_race_run(&race, s->arena, &input, &judge, ctx));
    if (race.error != TL_PY_OK) {
        return tl_fail(ctx, TL_ERR_CHECK, "zipcode %s ends the original's run: %s",
                       s->place->zipcode, tl_py_error_name(race.error));
    }
    return tl_compat_race_zipcode(out, e->arena, tl_str_from_cstr(s->place->zipcode), &input, &race,
                                  ctx);
}

static tl_err race_all(tl_compat_epoch *out, tl__epoch *e, uint64_t *listings, tl_errctx *ctx)
{
    tl_source *source = NULL;
    tl_compat_zipcode *zipcodes = TL_NEW(e->arena, tl_compat_zipcode, e->view.place_count);
    if (zipcodes == NULL && e->view.place_count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    TL_TRY(tl_source_open(&source, e->options->source, ctx));
    tl_err err = TL_OK;
    for (size_t i = 0; err == TL_OK && i < e->view.place_count; i++) {
        race_state s = {.e = e, .place = &e->view.places[i]};
        err = tl_arena_new(&s.arena, NULL, (size_t)4 << 30, NULL, ctx);
        if (err == TL_OK) {
            err = race_zipcode(&zipcodes[i], &s, source, ctx);
            for (size_t k = 0; k < s.count; k++) {
                *listings += s.entries[k].count;
            }
            tl_arena_free(s.arena);
        }
    }
    tl_source_close(source);
    return err == TL_OK ? tl_compat_epoch_run(out, e->arena, zipcodes, e->view.place_count, ctx)
                        : err;
}

/* --- weights: float32 on the way to the chain, scaled to u16, by uid --- */

typedef struct paid {
    int64_t uid;
    float score;
} paid;

static int by_uid(const void *a, const void *b)
{
    const int64_t x = ((const paid *)a)->uid;
    const int64_t y = ((const paid *)b)->uid;
    return (x > y) - (x < y);
}

static tl_err take_weights(tl_validator_epoch *out, const tl__epoch *e,
                           const tl_compat_epoch *epoch, tl_errctx *ctx)
{
    paid *all = TL_NEW(e->arena, paid, epoch->miner_count);
    int64_t *uids = TL_NEW(e->arena, int64_t, epoch->miner_count);
    float *scores = TL_NEW(e->arena, float, epoch->miner_count);
    uint16_t *out_uids = TL_NEW(e->arena, uint16_t, epoch->miner_count);
    uint16_t *weights = TL_NEW(e->arena, uint16_t, epoch->miner_count);
    uint32_t *wide = TL_NEW(e->arena, uint32_t, epoch->miner_count);
    size_t count = 0;
    if (epoch->miner_count == 0) {
        return TL_OK;
    }
    if (all == NULL || uids == NULL || scores == NULL || out_uids == NULL || weights == NULL ||
        wide == NULL) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (size_t i = 0; i < epoch->miner_count; i++) {
        for (size_t k = 0; k < e->submission_count; k++) {
            if (tl_str_eq(e->submissions[k].hotkey, epoch->miner_scores[i].id)) {
                all[count++] = (paid){e->submissions[k].uid, (float)epoch->miner_scores[i].score};
                break;
            }
        }
    }
    qsort(all, count, sizeof *all, by_uid);
    for (size_t i = 0; i < count; i++) {
        uids[i] = all[i].uid;
        scores[i] = all[i].score;
    }
    TL_TRY(tl_weights_emit(out_uids, weights, &out->weight_count, uids, scores, count, ctx));
    for (size_t i = 0; i < out->weight_count; i++) {
        wide[i] = out_uids[i];
    }
    out->uids = wide;
    out->weights = weights;
    return TL_OK;
}

/* --- the ballot --- */

static tl_err write_reveal(tl_str *out, const tl__epoch *e, const tl_validator_epoch *mine,
                           tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, e->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "hash");
    tl_json_put_hex(&w, &mine->roots.hash, sizeof mine->roots.hash);
    tl_json_put_key(&w, "salt");
    tl_json_put_cstr(&w, e->salt);
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
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

/* Agreement by the original's own rule: heads, and the own hash under the name "self". */
static tl_err agree(tl_validator_epoch *out, tl__epoch *e, const tl_json *answer, tl_errctx *ctx)
{
    char own[2 * sizeof(tl_hash32) + 1];
    const tl_json *items = NULL;
    tl_compat_agreement agreement;
    size_t count = 0;
    TL_TRY(tl_json_want(&items, answer, "items", TL_JSON_ARRAY, ctx));
    tl_compat_vote *votes = TL_NEW(e->arena, tl_compat_vote, items->count);
    if (votes == NULL && items->count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (uint32_t i = 0; i < items->count; i++) {
        const tl_json *hotkey = tl_json_get(&items->items[i], "hotkey");
        const tl_json *hash = tl_json_get(&items->items[i], "hash");
        if (hotkey != NULL && hash != NULL && hash->kind == TL_JSON_STRING &&
            !tl_str_eq_cstr(hotkey->text, e->options->peer->own_ss58)) {
            votes[count++] = (tl_compat_vote){hotkey->text, hash->text};
        }
    }
    tl_hex_write(own, &out->roots.hash, sizeof out->roots.hash);
    TL_TRY(tl_compat_agree(&agreement, e->arena, votes, count, tl_str_from_cstr(own), 0.9, ctx));
    out->status = tl_compat_status_name(agreement.status);
    out->rate_millionths = (uint32_t)(agreement.rate * 1e6 + 0.5);
    out->outliers = agreement.outliers;
    out->outlier_count = agreement.outlier_count;
    out->sets_weights = agreement.status != TL_COMPAT_CONSENSUS_FAILED; /* VAL-3 */
    return TL_OK;
}

tl_err tl__compat_round(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx)
{
    tl_compat_epoch epoch;
    tl_str reveal = {NULL, 0};
    out->listings = 0;
    TL_TRY(race_all(&epoch, e, &out->listings, ctx));
    TL_TRY(tl_compat_epoch_hash(&out->roots.hash, e->arena, e->view.nonce, &epoch, ctx));
    out->has_hash = true;
    TL_TRY(take_weights(out, e, &epoch, ctx));
    TL_TRY(tl__post_no_evidence(e, ctx));
    TL_TRY(tl__post_commit(e, &out->roots.hash, ctx));
    TL_TRY(write_reveal(&reveal, e, out, ctx));
    const tl_json *answer = NULL;
    TL_TRY(tl__post_reveal(&answer, e, reveal, ctx));
    if (answer == NULL) {
        out->status = tl_race_status_name(TL_RACE_CONSENSUS_FAILED);
        return TL_OK;
    }
    return agree(out, e, answer, ctx);
}
