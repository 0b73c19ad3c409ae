/* race_world: epochs for the tests of the race: miners and validators by number, sheets that pass everything, evidence
 * that says PASS throughout. What a test attacks it changes. */
#ifndef TALLY_CORE_LISTINGS_RACE_WORLD_H
#define TALLY_CORE_LISTINGS_RACE_WORLD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/listings/race/race.h"

#define WORLD_EPOCH    "2025-10-03T04-00-00"
#define WORLD_START    INT64_C(1759464000000)
#define WORLD_DEADLINE (WORLD_START + 14400000)
#define WORLD_NONCE    "0123456789abcdef0123456789abcdef"
#define WORLD_ROWS     100

enum {
    WORLD_MINERS_MAX = 40,
    WORLD_ZIPCODES_MAX = 8,
    WORLD_SHEETS_MAX = WORLD_MINERS_MAX * WORLD_ZIPCODES_MAX,
    WORLD_VALIDATORS_MAX = 8,
    WORLD_ASKED = 10,
    WORLD_SAMPLES = 15
};

typedef struct world {
    tl_arena *arena;
    tl_listings_params params;
    tl_race_zipcode zipcodes[WORLD_ZIPCODES_MAX];
    tl_race_sheet sheets[WORLD_SHEETS_MAX];
    tl_race_validator validators[WORLD_VALIDATORS_MAX];
    tl_evidence evidence[WORLD_VALIDATORS_MAX];
    tl_evidence_item items[WORLD_VALIDATORS_MAX][WORLD_SHEETS_MAX];
    char verdicts[WORLD_VALIDATORS_MAX][WORLD_SHEETS_MAX][WORLD_SAMPLES + 1];
    tl_race_input input;
} world;

/* Keys by number: 1 … for miners, 101 … for coldkeys, 201 … for validators. */
static inline tl_hotkey world_key(unsigned number)
{
    tl_hotkey key = {{0}};
    key.b[0] = (uint8_t)(number * 37); /* so that bytes and numbers are ordered differently */
    key.b[30] = (uint8_t)(number >> 8);
    key.b[31] = (uint8_t)number;
    return key;
}

static inline tl_str world_address(world *w, unsigned number)
{
    char address[TL_SS58_CAP];
    const tl_hotkey key = world_key(number);
    const size_t len = tl_ss58_encode(address, &key, TL_SS58_PREFIX_GENERIC);
    tl_str out = {NULL, 0};
    if (tl_str_copy(&out, w->arena, (tl_str){address, len}, NULL) != TL_OK) {
        TL_ASSERT(false);
    }
    return out;
}

/* A submission that passes everything; miner m, zipcode z, so many ms after the start. */
static inline tl_race_sheet *world_add_sheet(world *w, unsigned m, unsigned z, int64_t after_ms)
{
    tl_race_sheet *s = &w->sheets[w->input.sheet_count++];
    TL_ASSERT(w->input.sheet_count <= WORLD_SHEETS_MAX);
    *s = (tl_race_sheet){0};
    memcpy(s->zipcode, w->zipcodes[z].zipcode, sizeof s->zipcode);
    tl_sample *samples = TL_NEW(w->arena, tl_sample, WORLD_SAMPLES);
    TL_ASSERT(samples != NULL);
    for (uint32_t i = 0; i < WORLD_SAMPLES; i++) {
        samples[i].index = (i * 7 + 3) % WORLD_ROWS;
        samples[i].identity = TL_STR("zpid:1");
        samples[i].address = TL_STR("1 MAIN ST");
        memcpy(samples[i].zipcode, s->zipcode, sizeof samples[i].zipcode);
        samples[i].price_cents = 50000000;
        samples[i].bedrooms_hundredths = 300;
        samples[i].bathrooms_hundredths = 250;
        samples[i].status = TL_STR("FOR SALE");
    }
    s->sheet = (tl_sheet){.hotkey = world_address(w, m + 1),
                          .coldkey = world_address(w, m + 101),
                          .received_ms = WORLD_START + after_ms,
                          .rows = WORLD_ROWS,
                          .complete = WORLD_ROWS,
                          .reasonable = WORLD_ROWS,
                          .consistent = WORLD_ROWS,
                          .distinct = WORLD_ROWS,
                          .passes_tier1 = true,
                          .passes_tier2 = true,
                          .data_quality_millionths = 1000000,
                          .completeness_millionths = 1000000,
                          .timeliness_millionths = 500000,
                          .samples = samples,
                          .sample_count = WORLD_SAMPLES,
                          .sample_asked = WORLD_ASKED};
    memset(s->sheet.content_hash.b, (int)(m * 16 + z + 1), sizeof s->sheet.content_hash.b);
    return s;
}

/* Every validator has evidence about every sheet so far: all pass. Call when the sheets stand. */
static inline void world_tell(world *w)
{
    for (size_t v = 0; v < w->input.validator_count; v++) {
        for (size_t i = 0; i < w->input.sheet_count; i++) {
            const tl_race_sheet *s = &w->sheets[i];
            tl_evidence_item *item = &w->items[v][i];
            *item = (tl_evidence_item){.content_hash = s->sheet.content_hash};
            memcpy(item->zipcode, s->zipcode, sizeof item->zipcode);
            if (tl_ss58_decode(&item->hotkey, s->sheet.hotkey, NULL) != TL_OK) {
                TL_ASSERT(false);
            }
            memset(w->verdicts[v][i], 'P', s->sheet.sample_count);
            item->verdicts = (tl_str){w->verdicts[v][i], s->sheet.sample_count};
        }
        if (tl_evidence_sort(w->items[v], w->input.sheet_count, w->arena, NULL) != TL_OK) {
            TL_ASSERT(false);
        }
        w->evidence[v] = (tl_evidence){TL_STR(WORLD_EPOCH), w->items[v], w->input.sheet_count};
        w->validators[v].evidence = &w->evidence[v];
    }
}

/* Validator v's item about miner m in zipcode z. */
static inline tl_evidence_item *world_item(world *w, size_t v, unsigned m, unsigned z)
{
    const tl_hotkey key = world_key(m + 1);
    for (size_t i = 0; i < w->input.sheet_count; i++) {
        tl_evidence_item *item = &w->items[v][i];
        if (tl_hotkey_eq(&item->hotkey, &key) &&
            memcmp(item->zipcode, w->zipcodes[z].zipcode, 5) == 0) {
            return item;
        }
    }
    TL_ASSERT(false);
    return &w->items[v][0];
}

static inline void world_say(world *w, size_t v, unsigned m, unsigned z, const char *verdicts)
{
    world_item(w, v, m, z)->verdicts = tl_str_from_cstr(verdicts);
}

static inline world *world_new(tl_arena *arena, unsigned zipcodes, unsigned validators)
{
    world *w = TL_NEW(arena, world, 1);
    TL_ASSERT(w != NULL);
    w->arena = arena;
    tl_listings_params_default(&w->params);
    for (unsigned z = 0; z < zipcodes; z++) {
        (void)tl_str_print(w->zipcodes[z].zipcode, 6, "%05u", 98101 + z);
        w->zipcodes[z].expected = WORLD_ROWS;
    }
    for (unsigned v = 0; v < validators; v++) {
        w->validators[v] =
            (tl_race_validator){.hotkey = world_key(v + 201), .stake = tl_rao_from_i64(1000)};
    }
    w->input = (tl_race_input){.params = &w->params,
                               .epoch_id = TL_STR(WORLD_EPOCH),
                               .start_ms = WORLD_START,
                               .deadline_ms = WORLD_DEADLINE,
                               .nonce = TL_STR(WORLD_NONCE),
                               .beacon = TL_STR(""),
                               .zipcodes = w->zipcodes,
                               .zipcode_count = zipcodes,
                               .sheets = w->sheets,
                               .validators = w->validators,
                               .validator_count = validators};
    return w;
}

static inline const tl_race_entry *world_entry(const tl_race_result *r, const world *w, unsigned m,
                                               unsigned z)
{
    const tl_hotkey key = world_key(m + 1);
    for (size_t i = 0; i < r->entry_count; i++) {
        if (tl_hotkey_eq(&r->entries[i].hotkey, &key) &&
            memcmp(r->entries[i].of->zipcode, w->zipcodes[z].zipcode, 5) == 0) {
            return &r->entries[i];
        }
    }
    TL_ASSERT(false);
    return &r->entries[0];
}

/* One of zeros when the miner has none. */
static inline const tl_race_line *world_line(const tl_race_result *r, unsigned m)
{
    const tl_hotkey key = world_key(m + 1);
    for (size_t i = 0; i < r->line_count; i++) {
        if (tl_hotkey_eq(&r->lines[i].hotkey, &key)) {
            return &r->lines[i];
        }
    }
    static const tl_race_line none;
    return &none;
}

/* The finding of a rule about miner m in zipcode z, or one whose entry is SIZE_MAX. */
static inline const tl_race_finding *world_finding(const tl_race_result *r, const world *w,
                                                   unsigned m, unsigned z, tl_listing_rule rule)
{
    const tl_race_entry *entry = world_entry(r, w, m, z);
    for (size_t i = 0; i < r->finding_count; i++) {
        if (&r->entries[r->findings[i].entry] == entry && r->findings[i].finding.rule == rule) {
            return &r->findings[i];
        }
    }
    static const tl_race_finding none = {.entry = SIZE_MAX};
    return &none;
}

static inline bool world_found(const tl_race_finding *finding)
{
    return finding->entry != SIZE_MAX;
}

static inline int64_t world_reward(const tl_race_result *r, unsigned m)
{
    return tl_rao_to_i64(world_line(r, m)->reward);
}

#endif
