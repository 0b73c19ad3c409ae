/* Area race: a made table of zipcodes with its model, draws, distances and honeypots; then epochs of random submissions and
 * evidence from race to bundle. */
#include "digest.h"

#include <string.h>

#include "core/subnet/listings/listings.h"

#define EPOCH    "2025-10-03T04-00-00"
#define START_MS INT64_C(1759464000000)
#define EPOCH_MS INT64_C(14400000)

enum {
    CODES = 900,
    DRAWS = 12,
    POINTS = 200,
    EPOCHS = 4,
    MINERS = 16,
    ZIPCODES = 6,
    VALIDATORS = 4
};

/* --- places --- */

static tl_str make_table(digest *d, tl_errctx *ctx)
{
    static const char *const states[] = {"WA", "NY", "TX", "OH", "", "PR"};
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, d->arena);
    tl_sb_put_cstr(&sb, "zipcode,city,state,county,latitude,longitude\n");
    for (unsigned i = 0; i < CODES; i++) {
        unsigned r[5]; /* drawn one by one: arguments are evaluated in any order */
        static const unsigned n[5] = {6, 2, 10000, 2, 10000};
        for (size_t k = 0; k < 5; k++) {
            r[k] = (unsigned)digest_below(d, n[k]);
        }
        tl_sb_printf(&sb, "%05u,Town %u,%s,County,%u.%04u,-%u.%04u\n", 90000 - i * 97, i,
                     states[r[0]], 40 + r[1], r[2], 100 + r[3], r[4]);
    }
    DIGEST_OK(tl_sb_finish(&text, &sb, ctx), ctx);
    return text;
}

static void places(digest *d, tl_errctx *ctx)
{
    tl_places table;
    DIGEST_OK(tl_places_read(&table, d->arena, make_table(d, ctx), ctx), ctx);
    for (size_t i = 0; i < table.count; i++) {
        digest_bytes(d, table.items[i].zipcode, 5);
        digest_u64(d, table.items[i].expected);
        digest_u64(d, table.items[i].tier);
        digest_u64(d, table.items[i].region);
    }
    for (unsigned i = 0; i < DRAWS; i++) {
        char seed[16];
        const size_t len = tl_str_print(seed, sizeof seed, "draw %u", i);
        const tl_select_options options = {
            .seed = {seed, len}, .start_ms = START_MS, .target = 4000, .expected_min = 50};
        tl_selection s;
        tl_hash32 hash;
        DIGEST_OK(tl_select(&s, d->arena, &table, &options, ctx), ctx);
        tl_zipcodes_hash(&hash, &s);
        digest_bytes(d, hash.b, sizeof hash.b);
        digest_u64(d, s.expected);
    }
    for (unsigned i = 0; i < POINTS; i++) {
        const int32_t a = (int32_t)digest_below(d, 180000000) - 90000000;
        const int32_t b = (int32_t)digest_below(d, 360000000) - 180000000;
        const int32_t near = (int32_t)digest_below(d, 400000) - 200000;
        digest_u64(d, tl_place_metres(a, b, a + near, b - near / 2));
        digest_u64(d, tl_place_metres(a, b, b / 2, a));
    }
}

/* --- epochs --- */

typedef struct load {
    tl_listings_params params;
    tl_race_zipcode zipcodes[ZIPCODES];
    tl_race_sheet sheets[MINERS * ZIPCODES];
    tl_sample samples[TL_SAMPLES_MAX];
    tl_hotkey hotkeys[MINERS];
    tl_hotkey coldkeys[MINERS];
    tl_race_validator validators[VALIDATORS];
    tl_evidence evidence[VALIDATORS];
    tl_evidence_item items[VALIDATORS][MINERS * ZIPCODES];
    char verdicts[VALIDATORS][MINERS * ZIPCODES][TL_SAMPLES_MAX];
    tl_listings_ballot ballots[VALIDATORS];
    tl_listings_epoch epoch;
} load;

static tl_str address(digest *d, const tl_hotkey *key, tl_errctx *ctx)
{
    char text[TL_SS58_CAP];
    tl_str out = {NULL, 0};
    const size_t len = tl_ss58_encode(text, key, TL_SS58_PREFIX_GENERIC);
    DIGEST_OK(tl_str_copy(&out, d->arena, (tl_str){text, len}, ctx), ctx);
    return out;
}

static void add_sheet(load *l, digest *d, size_t m, size_t z, tl_errctx *ctx)
{
    tl_race_sheet *s = &l->sheets[l->epoch.race.sheet_count++];
    *s = (tl_race_sheet){0};
    memcpy(s->zipcode, l->zipcodes[z].zipcode, sizeof s->zipcode);
    uint32_t r[9]; /* drawn one by one: initialisers are evaluated in any order */
    static const uint32_t n[9] = {40, 8, 5, 5, 9, 9, 40, 1000001, 1000001};
    for (size_t k = 0; k < 9; k++) {
        r[k] = (uint32_t)digest_below(d, n[k]);
    }
    const uint32_t rows = 80 + r[0];
    s->sheet = (tl_sheet){.hotkey = address(d, &l->hotkeys[m], ctx),
                          .coldkey = address(d, &l->coldkeys[r[1] == 0 ? 0 : m], ctx),
                          .received_ms = START_MS + (int64_t)r[2] * EPOCH_MS / 4,
                          .rows = rows,
                          .complete = rows,
                          .reasonable = rows,
                          .consistent = rows,
                          .distinct = rows - r[3],
                          .passes_tier1 = r[4] != 0,
                          .passes_tier2 = r[5] != 0,
                          .is_disqualified = r[6] == 0,
                          .data_quality_millionths = r[7],
                          .completeness_millionths = r[8],
                          .timeliness_millionths = 500000,
                          .samples = l->samples,
                          .sample_count = TL_SAMPLES_MAX,
                          .sample_asked = 10};
    s->sheet.is_synthetic = s->sheet.is_disqualified;
    digest_random_bytes(d, s->sheet.content_hash.b, sizeof s->sheet.content_hash.b);
    for (size_t v = 0; v < VALIDATORS; v++) {
        const size_t i = l->epoch.race.sheet_count - 1;
        const uint64_t mood = digest_below(d, 6);
        for (size_t k = 0; k < TL_SAMPLES_MAX; k++) {
            l->verdicts[v][i][k] = mood == 0 ? "PFN-"[digest_below(d, 4)] : mood == 1 ? 'N' : 'P';
        }
        l->items[v][i] = (tl_evidence_item){.hotkey = l->hotkeys[m],
                                            .content_hash = s->sheet.content_hash,
                                            .verdicts = {l->verdicts[v][i], TL_SAMPLES_MAX}};
        memcpy(l->items[v][i].zipcode, s->zipcode, sizeof s->zipcode);
    }
}

static void make_epoch(load *l, digest *d, tl_errctx *ctx)
{
    tl_race_input *race = &l->epoch.race;
    tl_listings_params_default(&l->params);
    for (unsigned z = 0; z < ZIPCODES; z++) {
        (void)tl_str_print(l->zipcodes[z].zipcode, sizeof l->zipcodes[z].zipcode, "%05u",
                           98101 + z);
        l->zipcodes[z].expected = 100;
        l->zipcodes[z].is_honeypot = z == 4;
    }
    for (uint32_t k = 0; k < TL_SAMPLES_MAX; k++) {
        l->samples[k] = (tl_sample){.index = k * 5,
                                    .identity = TL_STR("zpid:7"),
                                    .address = TL_STR("7 MAIN ST"),
                                    .zipcode = "98101",
                                    .price_cents = 100,
                                    .status = TL_STR("FOR SALE")};
    }
    for (size_t m = 0; m < MINERS; m++) {
        digest_random_bytes(d, l->hotkeys[m].b, sizeof l->hotkeys[m].b);
        digest_random_bytes(d, l->coldkeys[m].b, sizeof l->coldkeys[m].b);
    }
    for (size_t m = 0; m < MINERS; m++) {
        for (size_t z = 0; z < ZIPCODES; z++) {
            add_sheet(l, d, m, z, ctx);
        }
    }
    for (size_t v = 0; v < VALIDATORS; v++) {
        DIGEST_OK(tl_evidence_sort(l->items[v], race->sheet_count, d->arena, ctx), ctx);
        l->evidence[v] = (tl_evidence){TL_STR(EPOCH), l->items[v], race->sheet_count};
        digest_random_bytes(d, l->validators[v].hotkey.b, sizeof l->validators[v].hotkey.b);
        l->validators[v].stake = tl_rao_from_i64((int64_t)digest_below(d, 1000000));
        l->validators[v].evidence = &l->evidence[v];
    }
    l->epoch.round = 1;
    race->params = &l->params;
    race->epoch_id = TL_STR(EPOCH);
    race->start_ms = START_MS;
    race->deadline_ms = START_MS + EPOCH_MS;
    race->nonce = TL_STR("00112233445566778899aabbccddeeff");
    race->beacon = TL_STR("5b1f0a7c9d3e42868a1f0c2d4e6b8a907f1e3d5c7b9a0f2e4d6c8b0a1f3e5d7c");
    race->zipcodes = l->zipcodes;
    race->zipcode_count = ZIPCODES;
    race->sheets = l->sheets;
    race->validators = l->validators;
    race->validator_count = VALIDATORS;
}

static void run_epoch(digest *d, bool has_second_round, tl_errctx *ctx)
{
    load *l = DIGEST_NEW(d, load, 1);
    make_epoch(l, d, ctx);
    tl_race_result first;
    DIGEST_OK(tl_race_run(&first, d->arena, &l->epoch.race, ctx), ctx);
    tl_race_weight *weights = DIGEST_NEW(d, tl_race_weight, MINERS);
    for (size_t v = 0; v < VALIDATORS; v++) {
        l->ballots[v].ballot = (tl_race_ballot){
            .hotkey = l->validators[v].hotkey, .has_result = true, .roots = first.roots};
        for (size_t m = 0; has_second_round && m < MINERS; m++) {
            weights[m] = (tl_race_weight){l->hotkeys[m], (uint16_t)digest_below(d, 65536)};
        }
        if (has_second_round) { /* each its own hash: the median pays */
            l->ballots[v].ballot.roots.score.b[0] ^= (uint8_t)(v + 1);
            tl_race_roots_hash(&l->ballots[v].ballot.roots);
            l->ballots[v].weights = weights;
            l->ballots[v].weight_count = MINERS;
            weights = DIGEST_NEW(d, tl_race_weight, MINERS);
        }
    }
    l->epoch.round = has_second_round ? 2 : 1;
    l->epoch.ballots = l->ballots;
    l->epoch.ballot_count = VALIDATORS;
    tl_str file = {NULL, 0};
    tl_hash32 hash;
    DIGEST_OK(tl_listings_publish(&file, &hash, NULL, d->arena, &l->epoch, ctx), ctx);
    digest_bytes(d, first.roots.hash.b, sizeof first.roots.hash.b);
    digest_str(d, file);
}

void digest_area_race(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    places(d, &ctx);
    for (size_t e = 0; e < EPOCHS; e++) {
        run_epoch(d, e % 2 == 1, &ctx);
    }
}
