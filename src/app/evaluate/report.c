/* report.c: counts as rates. */
#include "app/evaluate/evaluate_internal.h"

static const char *const cheat_keys[TL_EVALUATE_PLAYED_COUNT] = {
#define CHEAT_KEY(name, key) [TL_EVALUATE_CHEAT_##name] = (key),
    TL_EVALUATE_CHEAT_MAP(CHEAT_KEY)
#undef CHEAT_KEY
        [TL_EVALUATE_HALF_INVENTED] = "half_invented",
};

const char *tl_evaluate_cheat_key(tl_evaluate_cheat cheat)
{
    TL_ASSERT((unsigned)cheat < TL_EVALUATE_PLAYED_COUNT);
    return cheat_keys[cheat];
}

/* Six decimals, rounded down; nothing played has no rate. */
static void put_rate(tl_json_writer *w, const char *key, uint64_t part, uint64_t whole)
{
    tl_json_put_key(w, key);
    if (whole == 0) {
        tl_json_put_null(w);
        return;
    }
    const uint64_t millionths = part * 1000000 / whole;
    tl_json_put_f64(w, (double)millionths / 1e6);
}

/* Keys of rules, "any" among them, in ascending order. */
static void put_rules(tl_json_writer *w, const tl_evaluate_count *count, bool has_all)
{
    const tl_listing_rule order[] = {
        TL_LISTING_COMPLETENESS, TL_LISTING_CONSISTENCY, TL_LISTING_COPY,  TL_LISTING_DUPLICATES,
        TL_LISTING_GEOGRAPHY,    TL_LISTING_HONEYPOT,    TL_LISTING_LATE,  TL_LISTING_PRICE_ANOMALY,
        TL_LISTING_QUANTITY,     TL_LISTING_SPOT_CHECK,  TL_LISTING_SYBIL, TL_LISTING_TIME,
        TL_LISTING_VALUES};
    _Static_assert(sizeof order / sizeof *order == TL_LISTING_RULE_COUNT, "every rule");
    tl_json_put_object(w);
    if (has_all) {
        put_rate(w, "any", count->accused, count->played);
    }
    for (size_t i = 0; i < TL_LISTING_RULE_COUNT; i++) {
        if (has_all || count->by[order[i]] > 0) {
            put_rate(w, tl_listing_rule_name(order[i]), count->by[order[i]], count->played);
        }
    }
    tl_json_put_end(w);
}

static void put_made_up(tl_json_writer *w, uint32_t made_up)
{
    const tl_evaluate_column order[] = {
        TL_EVALUATE_ADDRESS, TL_EVALUATE_BATHROOMS, TL_EVALUATE_BEDROOMS, TL_EVALUATE_DAYS,
        TL_EVALUATE_DATE,    TL_EVALUATE_STATUS,    TL_EVALUATE_MLS_ID,   TL_EVALUATE_TYPE,
        TL_EVALUATE_URL,     TL_EVALUATE_SQFT};
    tl_json_put_array(w);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if ((made_up >> order[i] & 1) != 0) {
            tl_json_put_cstr(w, tl_evaluate_column_key(order[i]));
        }
    }
    tl_json_put_end(w);
}

static void put_count(tl_json_writer *w, const char *key, uint64_t count)
{
    tl_json_put_key(w, key);
    tl_json_put_u64(w, count);
}

void tl_evaluate_put(tl_json_writer *w, const tl_evaluate_result *result)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "detected_by");
    tl_json_put_object(w);
    for (size_t i = 0; i < TL_EVALUATE_CHEAT_COUNT; i++) {
        tl_json_put_key(w, cheat_keys[i]);
        put_rules(w, &result->cheats[i], false);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "detection_rate");
    tl_json_put_object(w);
    for (size_t i = 0; i < TL_EVALUATE_CHEAT_COUNT; i++) {
        put_rate(w, cheat_keys[i], result->cheats[i].accused, result->cheats[i].played);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "false_alarm_rate");
    put_rules(w, &result->honest, true);
    const tl_evaluate_count *half = &result->cheats[TL_EVALUATE_HALF_INVENTED];
    put_rate(w, "half_invented_rate", half->accused, half->played);
    put_count(w, "honest", result->honest.played);
    put_count(w, "listings", result->listings);
    tl_json_put_key(w, "made_up");
    put_made_up(w, result->made_up);
    tl_json_put_key(w, "places");
    tl_json_put_object(w);
    put_count(w, "known", result->places_known);
    put_count(w, "open", result->places_open);
    put_count(w, "own", result->places_own);
    tl_json_put_end(w);
    tl_json_put_key(w, "played");
    tl_json_put_object(w);
    for (size_t i = 0; i < TL_EVALUATE_CHEAT_COUNT; i++) {
        put_count(w, cheat_keys[i], result->cheats[i].played);
    }
    tl_json_put_end(w);
    put_count(w, "rows", result->rows);
    put_count(w, "seed", result->seed);
    put_count(w, "skipped", result->skipped);
    put_count(w, "submissions", result->submissions);
    put_count(w, "zipcodes", result->zipcodes);
    tl_json_put_end(w);
}
