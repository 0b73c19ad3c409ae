/* put.c: the race as canonical JSON, and the roots over it. */
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/listings/race/race_internal.h"

/* --- small members --- */

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

static void put_hotkey(tl_json_writer *w, const char *key, const tl_hotkey *hotkey)
{
    char address[TL_SS58_CAP];
    (void)tl_ss58_encode(address, hotkey, TL_SS58_PREFIX_GENERIC);
    tl_json_put_key(w, key);
    tl_json_put_cstr(w, address);
}

static void put_rule(tl_json_writer *w, const char *key, bool has_rule, tl_listing_rule rule)
{
    tl_json_put_key(w, key);
    tl_json_put_cstr(w, has_rule ? tl_listing_rule_name(rule) : NULL);
}

/* --- arrays --- */

static void put_entry(tl_json_writer *w, const tl_race_entry *entry)
{
    const tl_sheet *s = &entry->of->sheet;
    tl_json_put_object(w);
    put_u64(w, "accuracy_millionths", entry->accuracy_millionths);
    tl_json_put_key(w, "check");
    tl_json_put_cstr(w, s->sample_count == 0 ? NULL : tl_race_check_name(entry->check));
    tl_json_put_key(w, "content_hash");
    tl_json_put_hex(w, s->content_hash.b, sizeof s->content_hash.b);
    put_hotkey(w, "hotkey", &entry->hotkey);
    put_u64(w, "judged", entry->judged);
    put_rule(w, "kept_by", entry->has_kept_by, entry->kept_by);
    tl_json_put_key(w, "outcome");
    tl_json_put_cstr(w, tl_race_outcome_name(entry->outcome));
    put_u64(w, "passed", entry->passed);
    put_u64(w, "quality_millionths", entry->quality_millionths);
    tl_json_put_key(w, "received_ms");
    tl_json_put_i64(w, s->received_ms);
    tl_json_put_key(w, "zipcode");
    tl_json_put_cstr(w, entry->of->zipcode);
    tl_json_put_end(w);
}

void tl_race_put_entries(tl_json_writer *w, const tl_race_result *result)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < result->entry_count; i++) {
        put_entry(w, &result->entries[i]);
    }
    tl_json_put_end(w);
}

void tl_race_put_findings(tl_json_writer *w, const tl_race_result *result)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < result->finding_count; i++) {
        const tl_race_finding *f = &result->findings[i];
        const tl_race_entry *entry = &result->entries[f->entry];
        tl_json_put_object(w);
        put_u64(w, "count", f->finding.count);
        put_hotkey(w, "hotkey", &entry->hotkey);
        tl_json_put_key(w, "indices");
        tl_json_put_array(w);
        for (uint32_t k = 0; k < f->finding.index_count; k++) {
            tl_json_put_u64(w, f->finding.indices[k]);
        }
        tl_json_put_end(w);
        put_bool(w, "keeps", f->keeps);
        tl_json_put_key(w, "peer");
        if (f->finding.peer.len > 0) {
            tl_json_put_str(w, f->finding.peer);
        } else {
            tl_json_put_null(w);
        }
        put_u64(w, "rate_millionths", f->finding.rate_millionths);
        put_rule(w, "rule", true, f->finding.rule);
        tl_json_put_key(w, "zipcode");
        tl_json_put_cstr(w, entry->of->zipcode);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_line(tl_json_writer *w, const tl_race_line *line)
{
    tl_json_put_object(w);
    put_rule(w, "disqualified_by", line->is_disqualified, line->disqualified_by);
    put_rao(w, "earned_rao", line->earned);
    put_bool(w, "forfeits_deposit", line->forfeits_deposit);
    put_rao(w, "held_rao", line->held);
    put_hotkey(w, "hotkey", &line->hotkey);
    put_u64(w, "listings", line->listings);
    put_u64(w, "participations", line->participations);
    tl_json_put_key(w, "places");
    tl_json_put_array(w);
    for (size_t i = 0; i < 3; i++) {
        tl_json_put_u64(w, line->places[i]);
    }
    tl_json_put_end(w);
    put_u64(w, "quality_millionths", line->quality_millionths);
    put_rao(w, "released_rao", line->released);
    put_rao(w, "reward_rao", line->reward);
    put_u64(w, "score_millionths", line->score_millionths);
    put_u64(w, "strikes", line->strikes);
    put_u64(w, "submissions", line->submissions);
    put_u64(w, "weight_u16", line->weight_u16);
    tl_json_put_end(w);
}

void tl_race_put_lines(tl_json_writer *w, const tl_race_result *result)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < result->line_count; i++) {
        put_line(w, &result->lines[i]);
    }
    tl_json_put_end(w);
}

/* A zipcode's entries lie together, in race order, so that its winners come first, second, third. */
void tl_race_put_winners(tl_json_writer *w, const tl_race_result *result)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < result->entry_count;) {
        const char *zipcode = result->entries[i].of->zipcode;
        const bool is_raced = result->entries[i].outcome != TL_RACE_NOT_RACED;
        if (is_raced) {
            tl_json_put_object(w);
            tl_json_put_key(w, "winners");
            tl_json_put_array(w);
        }
        for (; i < result->entry_count &&
               tl__zipcode_cmp(result->entries[i].of->zipcode, zipcode) == 0;
             i++) {
            const tl_race_entry *entry = &result->entries[i];
            if (entry->outcome <= TL_RACE_THIRD) {
                tl_json_put_object(w);
                put_hotkey(w, "hotkey", &entry->hotkey);
                put_u64(w, "listings", entry->of->sheet.distinct);
                put_u64(w, "place", (uint64_t)(entry->outcome - TL_RACE_FIRST) + 1);
                tl_json_put_end(w);
            }
        }
        if (is_raced) {
            tl_json_put_end(w);
            tl_json_put_key(w, "zipcode");
            tl_json_put_cstr(w, zipcode);
            tl_json_put_end(w);
        }
    }
    tl_json_put_end(w);
}

/* As a validator sets them: the burn first, as null; then who has any, in the order of the lines. */
void tl_race_put_weights(tl_json_writer *w, const tl_race_result *result)
{
    tl_json_put_array(w);
    if (result->burn_weight_u16 > 0) {
        tl_json_put_object(w);
        tl_json_put_key(w, "hotkey");
        tl_json_put_null(w);
        put_u64(w, "weight_u16", result->burn_weight_u16);
        tl_json_put_end(w);
    }
    for (size_t i = 0; i < result->line_count; i++) {
        if (result->lines[i].weight_u16 > 0) {
            tl_json_put_object(w);
            put_hotkey(w, "hotkey", &result->lines[i].hotkey);
            put_u64(w, "weight_u16", result->lines[i].weight_u16);
            tl_json_put_end(w);
        }
    }
    tl_json_put_end(w);
}

void tl_race_put_held(tl_json_writer *w, const tl_race_held *held, size_t count)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(w);
        put_rao(w, "amount_rao", held[i].amount);
        tl_json_put_key(w, "epoch_id");
        tl_json_put_str(w, held[i].epoch_id);
        put_hotkey(w, "hotkey", &held[i].hotkey);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

void tl_race_put_strikes(tl_json_writer *w, const tl_race_strike *strikes, size_t count)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(w);
        put_u64(w, "count", strikes[i].count);
        put_hotkey(w, "hotkey", &strikes[i].hotkey);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

/* --- roots --- */

static void put_evidence(tl_json_writer *w, const tl__race *race)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "validators");
    tl_json_put_array(w);
    for (size_t i = 0; i < race->in->validator_count; i++) {
        const tl_race_validator *v = &race->validators[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "document");
        if (v->evidence != NULL) {
            tl_evidence_put(w, v->evidence);
        } else {
            tl_json_put_null(w);
        }
        put_hotkey(w, "hotkey", &v->hotkey);
        put_rao(w, "stake_rao", v->stake);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

static void put_score(tl_json_writer *w, const tl__race *race)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "findings");
    tl_race_put_findings(w, race->out);
    tl_json_put_key(w, "sheets");
    tl_json_put_array(w);
    for (size_t i = 0; i < race->out->entry_count; i++) {
        tl_sheet_put(w, &race->out->entries[i].of->sheet);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "submissions");
    tl_race_put_entries(w, race->out);
    tl_json_put_end(w);
}

static void put_weight(tl_json_writer *w, const tl__race *race)
{
    const tl_race_result *out = race->out;
    tl_json_put_object(w);
    put_rao(w, "burn_rao", out->burn);
    put_rao(w, "emission_rao", out->emission);
    tl_json_put_key(w, "epoch_id");
    tl_json_put_str(w, race->in->epoch_id);
    tl_json_put_key(w, "held");
    tl_race_put_held(w, out->held, out->held_count);
    tl_json_put_key(w, "scoreboard");
    tl_race_put_lines(w, out);
    tl_json_put_key(w, "strikes");
    tl_race_put_strikes(w, out->strikes, out->strike_count);
    tl_json_put_key(w, "weights");
    tl_race_put_weights(w, out);
    tl_json_put_end(w);
}

/* SHA-256(tag ‖ 0 ‖ canonical JSON); the text is given back to the arena. */
static tl_err root_of(tl_hash32 *out, const tl__race *race, const char *tag,
                      void (*put)(tl_json_writer *, const tl__race *), tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(race->arena);
    tl_sb sb;
    tl_sb_init(&sb, race->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    put(&w, race);
    tl_str text = {NULL, 0};
    const tl_err err = tl_sb_finish(&text, &sb, ctx);
    if (err == TL_OK) {
        tl_sha256_state hash;
        tl_sha256_init(&hash);
        tl_sha256_update(&hash, tag, strlen(tag) + 1);
        tl_sha256_update(&hash, text.ptr, text.len);
        tl_sha256_final(&hash, out);
    }
    tl_arena_rewind(race->arena, mark);
    return err;
}

tl_err tl__race_root(tl__race *race, tl_errctx *ctx)
{
    tl_race_roots roots;
    TL_TRY(root_of(&roots.evidence, race, "tally/listings/evidence/1", put_evidence, ctx));
    TL_TRY(root_of(&roots.score, race, "tally/listings/score/1", put_score, ctx));
    TL_TRY(root_of(&roots.weight, race, "tally/listings/weight/1", put_weight, ctx));
    tl_race_roots_hash(&roots);
    race->out->roots = roots;
    return TL_OK;
}
