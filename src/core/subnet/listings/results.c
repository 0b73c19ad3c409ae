/* results.c: what an epoch came to, as canonical JSON, keys ascending. */
#include "core/subnet/listings/listings_internal.h"

static void put_u64(tl_json_writer *w, const char *key, uint64_t value)
{
    tl_json_put_key(w, key);
    tl_json_put_u64(w, value);
}

static void put_bool(tl_json_writer *w, const char *key, bool value)
{
    tl_json_put_key(w, key);
    tl_json_put_bool(w, value);
}

static void put_rao(tl_json_writer *w, const char *key, tl_rao amount)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, tl_rao_to_i64(amount));
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

static void put_agreement(tl_json_writer *w, const tl_listings_result *r)
{
    const tl_race_verdict_out *v = &r->verdict;
    tl_json_put_key(w, "agreement");
    tl_json_put_object(w);
    tl_json_put_key(w, "hash");
    if (v->has_top) {
        tl_json_put_hex(w, v->top.hash.b, sizeof v->top.hash.b);
    } else {
        tl_json_put_null(w);
    }
    put_bool(w, "matches_replay", r->matches_replay);
    put_bool(w, "needs_review", v->needs_review);
    tl_json_put_key(w, "outliers");
    tl_json_put_array(w);
    for (size_t i = 0; i < v->outlier_count; i++) {
        tl_json_put_object(w);
        put_hotkey(w, &r->epoch.race.validators[v->outliers[i].ballot].hotkey);
        tl_json_put_key(w, "section");
        tl_json_put_cstr(w, tl_race_section_name(v->outliers[i].section));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    put_bool(w, "pays", v->pays);
    put_u64(w, "rate_millionths", v->rate_millionths);
    put_u64(w, "results", v->result_count);
    put_u64(w, "round", r->epoch.round);
    put_rao(w, "stake_total_rao", v->stake_total);
    put_rao(w, "stake_with_result_rao", v->stake_with_result);
    tl_json_put_key(w, "status");
    tl_json_put_cstr(w, tl_race_status_name(v->status));
    tl_json_put_end(w);
}

static void put_checks(tl_json_writer *w, const tl_listings_result *r)
{
    tl_json_put_key(w, "checks");
    tl_json_put_object(w);
    put_bool(w, "beacon", r->has_right_beacon);
    put_bool(w, "honeypots", r->has_right_honeypots);
    tl_json_put_end(w);
}

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

static void put_settlement(tl_json_writer *w, const tl_race_result *race)
{
    int64_t held = 0; /* below the emission */
    for (size_t i = 0; i < race->held_count; i++) {
        held += tl_rao_to_i64(race->held[i].amount);
    }
    tl_json_put_key(w, "settlement");
    tl_json_put_object(w);
    put_rao(w, "burn_rao", race->burn);
    put_rao(w, "emission_rao", race->emission);
    put_rao(w, "held_rao", tl_rao_from_i64(held));
    put_rao(w, "paid_rao", race->paid);
    put_rao(w, "released_rao", race->released);
    tl_json_put_end(w);
}

static void put_validators(tl_json_writer *w, const tl_listings_result *r)
{
    const tl_race_input *race = &r->epoch.race;
    tl_json_put_key(w, "validators");
    tl_json_put_array(w);
    for (size_t i = 0, b = 0; i < race->validator_count; i++) {
        const tl_race_validator *v = &race->validators[i];
        const bool has_result = b < r->epoch.ballot_count &&
                                tl_hotkey_eq(&r->epoch.ballots[b].ballot.hotkey, &v->hotkey);
        b += has_result ? 1 : 0;
        tl_json_put_object(w);
        put_bool(w, "has_evidence", v->evidence != NULL);
        put_bool(w, "has_result", has_result);
        put_hotkey(w, &v->hotkey);
        put_u64(w, "no_evidence_millionths",
                v->evidence != NULL ? tl_evidence_none_millionths(v->evidence) : 0);
        put_rao(w, "stake_rao", v->stake);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_all(tl_json_writer *w, const tl_listings_result *r)
{
    const tl_race_result *race = &r->race;
    tl_json_put_object(w);
    put_agreement(w, r);
    put_checks(w, r);
    tl_json_put_key(w, "epoch_id");
    tl_json_put_str(w, r->epoch.race.epoch_id);
    tl_json_put_key(w, "findings");
    tl_race_put_findings(w, race);
    tl_json_put_key(w, "held");
    tl_race_put_held(w, race->held, race->held_count);
    put_roots(w, &race->roots);
    tl_json_put_key(w, "scoreboard");
    tl_race_put_lines(w, race);
    put_settlement(w, race);
    tl_json_put_key(w, "state");
    tl_json_put_cstr(w, tl_epoch_state_text(r->state));
    tl_json_put_key(w, "strikes");
    tl_race_put_strikes(w, race->strikes, race->strike_count);
    tl_json_put_key(w, "submissions");
    tl_race_put_entries(w, race);
    put_validators(w, r);
    tl_json_put_key(w, "weights");
    tl_race_put_weights(w, race);
    tl_json_put_key(w, "winners");
    tl_race_put_winners(w, race);
    tl_json_put_end(w);
}

tl_err tl__listings_put_results(tl_listings_result *io, tl_arena *arena, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    put_all(&w, io);
    tl_json_writer_done(&w);
    return tl_sb_finish(&io->json, &sb, ctx);
}
