/* play.c: rounds of honest miners and cheats through the validators' own code, and who is accused of what. */
#include <string.h>

#include "app/evaluate/evaluate_internal.h"
#include "core/crypto/hash/hash.h"
#include "core/crypto/key/key.h"
#include "core/listings/record/record.h"
#include "core/listings/shard/shard.h"
#include "core/listings/spot/spot.h"
#include "core/num/stats/stats.h"

#define HOUR_MS    (INT64_C(3600) * 1000)
#define BATCH      16
#define SHEETS_MAX (TL_EVALUATE_HONEST + TL_EVALUATE_PLAYED_COUNT + 2 * TL__SYBILS_MAX)

/* --- the world as the spot check asks it --- */

typedef struct world_house {
    tl_str identity;
    tl_listing listing;
} world_house;

static int compare_identity(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_str_cmp(((const world_house *)a)->identity, ((const world_house *)b)->identity);
}

/* Rows as record reads them, by identity. */
static tl_err read_world(world_house **out, tl__round *r, const tl__row *rows, size_t count,
                         tl_errctx *ctx)
{
    const tl__style plain = {.spelling = TL__AS_WRITTEN, .has_ms = true};
    tl_listing_reader reader;
    tl_str object;
    world_house *houses = TL_NEW(r->arena, world_house, count);
    if (houses == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    TL_TRY(tl__render(&object, r->arena, r->zip, rows, count, &plain, ctx));
    TL_TRY(tl_record_open(&reader, r->arena, object, 0, ctx));
    for (size_t i = 0; i < count; i++) {
        bool has_listing = false;
        TL_TRY(tl_record_next(&reader, &houses[i].listing, &has_listing, ctx));
        TL_ASSERT(has_listing);
        TL_TRY(tl_str_copy(&houses[i].identity, r->arena, houses[i].listing.identity, ctx));
    }
    TL_TRY(tl_sort(houses, count, sizeof *houses, compare_identity, NULL, r->arena, ctx));
    *out = houses;
    return TL_OK;
}

static const tl_listing *find_house(const world_house *houses, size_t count, tl_str identity)
{
    size_t from = 0;
    size_t to = count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (tl_str_cmp(houses[middle].identity, identity) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < count && tl_str_eq(houses[from].identity, identity) ? &houses[from].listing
                                                                      : NULL;
}

/* --- a round --- */

typedef struct played {
    tl__sheet sheets[SHEETS_MAX];
    size_t count;
    char hotkeys[SHEETS_MAX][64];
    char coldkeys[SHEETS_MAX][64];
} played;

typedef struct tally {
    tl_evaluate_count honest;
    tl_evaluate_count cheats[TL_EVALUATE_PLAYED_COUNT];
    uint64_t submissions;
    uint64_t listings;
} tally;

typedef struct evaluation {
    const tl_evaluate_options *options;
    tl__world world;
    tl_arena *arena;
    tl_arena **scratch; /* two of each worker */
    tally *tallies;     /* of each round */
    size_t first;       /* round of this batch */
} evaluation;

/* The houses of this round: all, or so many of them. */
static tl_err choose_houses(tl__zip *out, tl__round *r, const tl__zip *zip, tl_errctx *ctx)
{
    *out = *zip;
    if (zip->count <= TL_EVALUATE_HOUSES_MAX) {
        return TL_OK;
    }
    out->houses = TL_NEW(r->arena, tl_evaluate_house, TL_EVALUATE_HOUSES_MAX);
    if (out->houses == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    out->count = 0;
    for (size_t i = 0; i < zip->count; i++) {
        if (tl__below(r, zip->count - i) < TL_EVALUATE_HOUSES_MAX - out->count) {
            out->houses[out->count++] = zip->houses[i];
        }
    }
    return TL_OK;
}

static void make_key(char out[64], tl__round *r)
{
    tl_hotkey key;
    for (size_t i = 0; i < sizeof key.b; i++) {
        key.b[i] = (uint8_t)tl__below(r, 256);
    }
    char text[TL_SS58_CAP];
    const size_t len = tl_ss58_encode(text, &key, 42);
    memcpy(out, text, len + 1);
}

static tl_err play_all(played *p, tl__round *r, tl_errctx *ctx)
{
    for (size_t i = 0; i < TL_EVALUATE_HONEST; i++) {
        TL_TRY(tl__scrape(&p->sheets[i], r, tl__between(r, 0.9, 1.0), tl__chance(r, 0.6), ctx));
    }
    p->count = TL_EVALUATE_HONEST;
    for (unsigned cheat = 0; cheat < TL_EVALUATE_PLAYED_COUNT; cheat++) {
        size_t count = 0;
        TL_ASSERT(p->count + TL__SYBILS_MAX <= SHEETS_MAX);
        TL_TRY(tl__play(&p->sheets[p->count], &count, (tl_evaluate_cheat)cheat, r, p->sheets,
                        TL_EVALUATE_HONEST, ctx));
        p->count += count;
    }
    const bool is_one_owner = tl__chance(r, 0.3);
    for (size_t i = 0; i < p->count; i++) {
        const bool is_sybil = i > 0 && p->sheets[i].role == TL_EVALUATE_CHEAT_SYBIL;
        make_key(p->hotkeys[i], r);
        make_key(p->coldkeys[i], r);
        if (is_sybil && is_one_owner) {
            memcpy(p->coldkeys[i], p->coldkeys[i - 1], sizeof p->coldkeys[i]);
        }
    }
    return TL_OK;
}

static int compare_hash(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hash32_cmp(a, b);
}

static tl_err make_traps(tl_hash32 *hashes, tl__round *r, tl_errctx *ctx)
{
    world_house *houses;
    r->traps = TL_NEW(r->arena, tl__row, TL__TRAPS);
    if (r->traps == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    for (size_t i = 0; i < TL__TRAPS; i++) {
        r->traps[i] = tl__invent(r);
        r->traps[i].variant = 2000000000 + (uint32_t)i; /* nobody else goes so far */
        r->traps[i].scraped_ms = r->world->start_ms;
    }
    TL_TRY(read_world(&houses, r, r->traps, TL__TRAPS, ctx));
    for (size_t i = 0; i < TL__TRAPS; i++) {
        tl_sha256(&hashes[i], houses[i].identity.ptr, houses[i].identity.len);
    }
    return tl_sort(hashes, TL__TRAPS, sizeof *hashes, compare_hash, NULL, r->arena, ctx);
}

static tl_err add_sheets(tl_shard *shard, const played *p, tl__round *r, tally *out, tl_errctx *ctx)
{
    for (size_t i = 0; i < p->count; i++) {
        const tl__sheet *s = &p->sheets[i];
        const tl_arena_mark mark = tl_arena_get_mark(r->paper);
        tl_str object;
        TL_TRY(tl__render(&object, r->paper, r->zip, s->rows, s->count, &s->style, ctx));
        const tl_bytes bytes = tl_str_bytes(object);
        tl_shard_entry entry = {.hotkey = tl_str_from_cstr(p->hotkeys[i]),
                                .coldkey = tl_str_from_cstr(p->coldkeys[i]),
                                .received_ms = s->received_ms,
                                .objects = &bytes,
                                .object_count = 1};
        tl_sha256(&entry.content_hash, object.ptr, object.len);
        TL_TRY(tl_shard_add(shard, &entry, r->paper, ctx));
        tl_arena_rewind(r->paper, mark);
        out->listings += s->count;
        out->submissions++;
    }
    return TL_OK;
}

/* --- verdicts --- */

/* Those that are asked first, by a world that always answers (listings spec section 6). */
static bool passes_spot_check(const tl_sheet *sheet, const tl_listings_params *params,
                              const world_house *houses, size_t count, int64_t since_ms)
{
    size_t passed = 0;
    size_t judged = 0;
    for (size_t i = 0; i < sheet->sample_asked; i++) {
        const tl_listing *house = find_house(houses, count, sheet->samples[i].identity);
        const tl_spot spot = house == NULL ? tl_spot_judge_absent(false, 0, since_ms)
                                           : tl_spot_judge(&sheet->samples[i], house, 0, since_ms);
        passed += spot == TL_SPOT_PASS;
        judged += spot != TL_SPOT_NONE;
    }
    return passed * 10000 >= judged * params->spot_check_bp_min;
}

static void count_verdict(tl_evaluate_count *out, const tl_sheet *sheet, bool has_honeypot,
                          bool passes)
{
    bool spoke[TL_LISTING_RULE_COUNT] = {false};
    bool is_accused = false;
    for (size_t i = 0; i < sheet->finding_count; i++) {
        spoke[sheet->findings[i].rule] = true;
    }
    spoke[TL_LISTING_HONEYPOT] = spoke[TL_LISTING_HONEYPOT] || has_honeypot;
    spoke[TL_LISTING_SPOT_CHECK] = spoke[TL_LISTING_SPOT_CHECK] || !passes;
    for (size_t rule = 0; rule < TL_LISTING_RULE_COUNT; rule++) {
        out->by[rule] += spoke[rule];
        is_accused = is_accused || spoke[rule];
    }
    out->accused += is_accused;
    out->played++;
}

static tl_err judge(tally *out, tl__round *r, const played *p, const tl_shard_result *result,
                    const tl_listings_params *params, tl_errctx *ctx)
{
    world_house *houses;
    tl__row *rows = TL_NEW(r->arena, tl__row, r->zip->count);
    if (rows == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    for (size_t i = 0; i < r->zip->count; i++) {
        rows[i] = tl__evaluate_row_of(&r->zip->houses[i]);
        rows[i].scraped_ms = r->world->start_ms;
    }
    TL_TRY(read_world(&houses, r, rows, r->zip->count, ctx));
    for (size_t i = 0; i < result->count; i++) {
        const tl_sheet *sheet = &result->sheets[i];
        size_t who = 0;
        while (!tl_str_eq_cstr(sheet->hotkey, p->hotkeys[who])) {
            who++;
            TL_ASSERT(who < p->count);
        }
        const unsigned role = p->sheets[who].role;
        const bool passes =
            passes_spot_check(sheet, params, houses, r->zip->count, r->world->start_ms - HOUR_MS);
        if (role != TL__ORIGINAL) {
            count_verdict(role == TL__HONEST ? &out->honest : &out->cheats[role], sheet,
                          result->honeypots[i].count > 0, passes);
        }
    }
    return TL_OK;
}

static tl_err play_round(tally *out, tl__round *r, const evaluation *e, tl_errctx *ctx)
{
    tl__zip zip;
    tl_hash32 traps[TL__TRAPS];
    tl_shard *shard;
    tl_shard_result result;
    char epoch_id[TL_SLOT_ID_CAP];
    char beacon[TL_BEACON_CAP];
    TL_TRY(choose_houses(&zip, r, r->zip, ctx));
    r->zip = &zip;
    tl_slot_print(epoch_id, e->world.start_ms);
    for (size_t i = 0; i < TL_BEACON_LEN; i++) {
        beacon[i] = "0123456789abcdef"[tl__below(r, 16)];
    }
    TL_TRY(make_traps(traps, r, ctx));
    played *p = TL_NEW(r->arena, played, 1);
    if (p == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    TL_TRY(play_all(p, r, ctx));
    const tl_shard_context context = {.params = e->options->params,
                                      .epoch_id = tl_str_from_cstr(epoch_id),
                                      .start_ms = e->world.start_ms,
                                      .deadline_ms = e->world.deadline_ms,
                                      .beacon = {beacon, TL_BEACON_LEN},
                                      .place = &zip.place,
                                      .places = zip.is_known ? e->options->places : NULL,
                                      .expected = (uint32_t)zip.count,
                                      .honeypots = traps,
                                      .honeypot_count = TL__TRAPS};
    TL_TRY(tl_shard_new(&shard, r->arena, &context, ctx));
    TL_TRY(add_sheets(shard, p, r, out, ctx));
    TL_TRY(tl_shard_finish(shard, &result, ctx));
    return judge(out, r, p, &result, e->options->params, ctx);
}

static tl_err run_shard(void *self, size_t shard, size_t worker, tl_errctx *ctx)
{
    evaluation *e = self;
    const size_t number = e->first + shard;
    tl_arena *arena = e->scratch[2 * worker];
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    tl__round r = {.arena = arena,
                   .paper = e->scratch[2 * worker + 1],
                   .world = &e->world,
                   .places = e->options->places,
                   .zip = &e->world.zips[number % e->world.count]};
    /* The round's number, not the thread's: EVAL-1. */
    tl_xoshiro_seed(&r.rng, e->options->seed * UINT64_C(0x9e3779b97f4a7c15) + number);
    const tl_err err = play_round(&e->tallies[number], &r, e, ctx);
    tl_arena_rewind(arena, mark);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "zipcode %s, round %zu", r.zip->place.zipcode, number);
    }
    return err;
}

/* --- all rounds --- */

static void add_count(tl_evaluate_count *out, const tl_evaluate_count *other)
{
    out->played += other->played;
    out->accused += other->accused;
    for (size_t rule = 0; rule < TL_LISTING_RULE_COUNT; rule++) {
        out->by[rule] += other->by[rule];
    }
}

/* Whole passes over the zipcodes; of very many, the first ones. */
static size_t count_rounds(size_t zipcodes)
{
    const size_t least = TL_EVALUATE_CHEATS_MIN + 8;
    if (zipcodes >= least) {
        return zipcodes < 2 * least ? zipcodes : 2 * least;
    }
    return (least + zipcodes - 1) / zipcodes * zipcodes;
}

static tl_err run_rounds(evaluation *e, size_t rounds, tl_errctx *ctx)
{
    for (e->first = 0; e->first < rounds; e->first += BATCH) {
        const size_t left = rounds - e->first;
        TL_TRY(tl_sys_check_interrupt(ctx));
        TL_TRY(tl_pool_run(e->options->pool, left < BATCH ? left : BATCH, run_shard, e, ctx));
        if (e->options->progress != NULL) {
            e->options->progress(e->options->self, e->first + (left < BATCH ? left : BATCH),
                                 rounds);
        }
    }
    return TL_OK;
}

static tl_err make_scratch(evaluation *e, tl_errctx *ctx)
{
    const size_t count = 2 * tl_pool_thread_count(e->options->pool);
    e->scratch = TL_NEW(e->arena, tl_arena *, count);
    if (e->scratch == NULL) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (size_t i = 0; i < count; i++) { /* no children of the arena: an arena is one thread's */
        TL_TRY(tl_arena_new(&e->scratch[i], NULL, 0, NULL, ctx));
    }
    return TL_OK;
}

/* Zipcodes in an order of the seed's own, so that of very many not always the same are drawn. */
static void shuffle_zips(tl__world *world, uint64_t seed)
{
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    for (size_t i = world->count; i > 1; i--) {
        const size_t j = (size_t)tl_xoshiro_below(&rng, i);
        const tl__zip zip = world->zips[i - 1];
        world->zips[i - 1] = world->zips[j];
        world->zips[j] = zip;
    }
}

static void sum_up(tl_evaluate_result *out, const evaluation *e, const tl_evaluate_table *table,
                   size_t rounds)
{
    *out = (tl_evaluate_result){.rows = table->rows,
                                .skipped = table->skipped,
                                .zipcodes = e->world.count,
                                .rounds = rounds,
                                .seed = e->options->seed,
                                .made_up = e->world.made_up};
    for (size_t i = 0; i < rounds; i++) {
        out->submissions += e->tallies[i].submissions;
        out->listings += e->tallies[i].listings;
        add_count(&out->honest, &e->tallies[i].honest);
        for (size_t cheat = 0; cheat < TL_EVALUATE_PLAYED_COUNT; cheat++) {
            add_count(&out->cheats[cheat], &e->tallies[i].cheats[cheat]);
        }
    }
    for (size_t i = 0; i < e->world.count; i++) {
        out->places_known += e->world.zips[i].is_known;
        out->places_own += !e->world.zips[i].is_known;
        out->places_open += e->world.zips[i].is_open;
    }
}

tl_err tl_evaluate_run(tl_evaluate_result *out, tl_arena *arena, tl_evaluate_table *table,
                       const tl_evaluate_options *options, tl_errctx *ctx)
{
    evaluation e = {.options = options, .arena = arena};
    TL_TRY(tl__world_make(&e.world, arena, table, options->places, ctx));
    shuffle_zips(&e.world, options->seed);
    const size_t rounds = count_rounds(e.world.count);
    e.tallies = TL_NEW(arena, tally, rounds);
    if (e.tallies == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_err err = make_scratch(&e, ctx);
    if (err == TL_OK) {
        err = run_rounds(&e, rounds, ctx);
    }
    for (size_t i = 0; e.scratch != NULL && i < 2 * tl_pool_thread_count(options->pool); i++) {
        tl_arena_free(e.scratch[i]);
    }
    if (err == TL_OK) {
        sum_up(out, &e, table, rounds);
    }
    return err;
}
