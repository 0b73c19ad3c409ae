/* put.c: the sections of an epoch's bundle as canonical JSON, keys ascending. */
#include <string.h>

#include "core/subnet/listings/listings_internal.h"

/* --- small members --- */

static void put_u64(tl_json_writer *w, const char *key, uint64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_u64(w, value);
}

static void put_i64(tl_json_writer *w, const char *key, int64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, value);
}

static void put_bool(tl_json_writer *w, const char *key, bool value)
{
    tl_json_put_key(w, key);
    tl_json_put_bool(w, value);
}

static void put_str(tl_json_writer *w, const char *key, tl_str value)
{
    tl_json_put_key(w, key);
    tl_json_put_str(w, value);
}

static void put_rao(tl_json_writer *w, const char *key, tl_rao amount)
{
    put_i64(w, key, tl_rao_to_i64(amount));
}

static void put_hash(tl_json_writer *w, const char *key, const tl_hash32 *hash)
{
    tl_json_put_key(w, key);
    tl_json_put_hex(w, hash->b, sizeof hash->b);
}

static void put_hotkey(tl_json_writer *w, const tl_hotkey *hotkey)
{
    char address[TL_SS58_CAP];
    (void)tl_ss58_encode(address, hotkey, TL_SS58_PREFIX_GENERIC);
    tl_json_put_key(w, "hotkey");
    tl_json_put_cstr(w, address);
}

/* --- inputs --- */

static void put_inputs(tl_json_writer *w, const tl_listings_epoch *e)
{
    const tl_race_input *r = &e->race;
    tl_json_put_object(w);
    put_str(w, "beacon", r->beacon);
    tl_json_put_key(w, "contributions");
    tl_json_put_array(w);
    for (size_t i = 0; i < e->contribution_count; i++) {
        tl_json_put_object(w);
        put_hotkey(w, &e->contributions[i].hotkey);
        put_str(w, "secret", e->contributions[i].secret);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    put_i64(w, "deadline_ms", r->deadline_ms);
    put_str(w, "epoch_id", r->epoch_id);
    tl_json_put_key(w, "held");
    tl_race_put_held(w, r->held, r->held_count);
    put_str(w, "nonce", r->nonce);
    put_u64(w, "round", e->round);
    put_i64(w, "start_ms", r->start_ms);
    tl_json_put_key(w, "strikes");
    tl_race_put_strikes(w, r->strikes, r->strike_count);
    tl_json_put_key(w, "submissions");
    tl_json_put_array(w);
    for (size_t i = 0; i < r->sheet_count; i++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "sheet");
        tl_sheet_put(w, &r->sheets[i].sheet);
        put_str(w, "zipcode", tl_str_from_cstr(r->sheets[i].zipcode));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "validators");
    tl_json_put_array(w);
    for (size_t i = 0; i < r->validator_count; i++) {
        tl_json_put_object(w);
        put_hotkey(w, &r->validators[i].hotkey);
        put_rao(w, "stake_rao", r->validators[i].stake);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "zipcodes");
    tl_json_put_array(w);
    for (size_t i = 0; i < r->zipcode_count; i++) {
        tl_json_put_object(w);
        put_u64(w, "expected", r->zipcodes[i].expected);
        put_bool(w, "is_honeypot", r->zipcodes[i].is_honeypot);
        put_str(w, "zipcode", tl_str_from_cstr(r->zipcodes[i].zipcode));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

/* --- evidence --- */

static void put_roots(tl_json_writer *w, const tl_race_roots *roots)
{
    tl_json_put_key(w, "roots");
    tl_json_put_object(w);
    put_hash(w, "evidence", &roots->evidence);
    put_hash(w, "hash", &roots->hash);
    put_hash(w, "score", &roots->score);
    put_hash(w, "weight", &roots->weight);
    tl_json_put_end(w);
}

static void put_weights(tl_json_writer *w, const tl_listings_ballot *b)
{
    static const tl_hotkey burn;
    tl_json_put_key(w, "weights");
    if (b->weights == NULL) {
        tl_json_put_null(w);
        return;
    }
    tl_json_put_array(w);
    for (size_t i = 0; i < b->weight_count; i++) {
        tl_json_put_object(w);
        if (tl_hotkey_eq(&b->weights[i].hotkey, &burn)) {
            tl_json_put_key(w, "hotkey");
            tl_json_put_null(w);
        } else {
            put_hotkey(w, &b->weights[i].hotkey);
        }
        put_u64(w, "weight_u16", b->weights[i].weight_u16);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_evidence(tl_json_writer *w, const tl_listings_epoch *e)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "ballots");
    tl_json_put_array(w);
    for (size_t i = 0; i < e->ballot_count; i++) {
        tl_json_put_object(w);
        put_hotkey(w, &e->ballots[i].ballot.hotkey);
        put_roots(w, &e->ballots[i].ballot.roots);
        put_weights(w, &e->ballots[i]);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "validators");
    tl_json_put_array(w);
    for (size_t i = 0; i < e->race.validator_count; i++) {
        const tl_race_validator *v = &e->race.validators[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "document");
        if (v->evidence != NULL) {
            tl_evidence_put(w, v->evidence);
        } else {
            tl_json_put_null(w);
        }
        put_hotkey(w, &v->hotkey);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

/* --- parameters --- */

void tl__listings_put_params(tl_json_writer *w, const tl_listings_params *params)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "subnet");
    tl_listings_params_put(w, params);
    tl_json_put_key(w, "versions");
    tl_json_put_object(w);
    put_u64(w, "road", TL_ROAD_VERSION);
    put_str(w, "subnet", tl_str_from_cstr(tl_subnet_listings.name));
    put_u64(w, "subnet_version", TL__LISTINGS_VERSION);
    tl_json_put_end(w);
    tl_json_put_end(w);
}

static void put_parameters(tl_json_writer *w, const tl_listings_epoch *e)
{
    tl__listings_put_params(w, e->race.params);
}

tl_err tl__listings_put(tl_str sections[TL_BUNDLE_SECTIONS], tl_arena *arena,
                        const tl_listings_epoch *epoch, tl_errctx *ctx)
{
    static void (*const puts[TL_BUNDLE_SECTIONS])(tl_json_writer *, const tl_listings_epoch *) = {
        [TL_BUNDLE_EVIDENCE] = put_evidence,
        [TL_BUNDLE_INPUTS] = put_inputs,
        [TL_BUNDLE_PARAMETERS] = put_parameters,
    };
    for (size_t i = 0; i < TL_BUNDLE_RESULTS; i++) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        puts[i](&w, epoch);
        tl_json_writer_done(&w);
        TL_TRY(tl_sb_finish(&sections[i], &sb, ctx));
    }
    return TL_OK;
}
