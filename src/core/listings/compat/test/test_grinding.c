/* The grinding attack of the listings spec, section 1, carried out against both profiles.
 *
 * Each of 200 miners hands in, for each of three zipcodes of an epoch, 100 listings of which 50 are invented, and knows
 * which. A spot check asks about 10 and wants 8 right: a fresh draw passes with (C(50,8)C(50,2) + C(50,9)C(50,1) +
 * C(50,10)) / C(100,10) = 4.6 %, so that a miner gets through an epoch's three by luck once in 10,000. Whoever may try
 * draws until one passes gets through always. The miner may try 108 draws a zipcode, and passes an epoch when it passes
 * all three.
 *
 * compat  the draw hangs on the nonce, which is known, and on the time that the miner itself states: it states another
 *         millisecond until the draw suits it.
 * tally   the draw hangs on the content's hash, which is handed in first, and on the beacon, which is made of secrets
 *         after the deadline: the miner guesses beacons, tries contents (the same listings, more blanks behind them)
 *         against them and hands in the best of them. Then the beacon is made, and core/listings/shard draws.
 *
 * A zipcode passed by luck is no fault of a draw, so besides the epochs the test counts single zipcodes: those that were
 * ground, against those handed in as they were, under the same beacon. Both must lie within five deviations of luck. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/hash/hash.h"
#include "core/listings/compat/compat.h"
#include "core/listings/place/place.h"
#include "core/listings/shard/shard.h"
#include "core/num/rng/rng.h"

#define MINERS     200
#define ZIPCODES   3
#define ROWS       100
#define INVENTED   50
#define TRIES_MAX  108
#define GUESSES    3 /* beacons that a miner thinks of; so many contents are tried against each: */
#define CONTENTS   (TRIES_MAX / GUESSES)
#define CHECKS     (MINERS * ZIPCODES)
#define CHECKS_LOW 5  /* of 600 by luck: 28 and five deviations of 5.1, below and */
#define CHECKS_TOP 53 /* above */
#define OBJECT_CAP ((size_t)1 << 16)
#define START_MS   INT64_C(1759507200000) /* 2025-10-03T16:00:00Z */
#define SLOT_MS    INT64_C(14400000)

static const char zipcodes[ZIPCODES][6] = {"98103", "98109", "98115"};

/* One miner's listings of one zipcode, and what only the miner knows of them. */
typedef struct submission {
    char hotkey[32];
    const char *zipcode;
    bool is_invented[ROWS];
    char *object; /* JSON, with room for CONTENTS blanks */
    size_t len;   /* without them */
    tl_sha256_state prefix;
} submission;

/* --- what is handed in --- */

static void invent(submission *s, tl_xoshiro *rng)
{
    memset(s->is_invented, 0, sizeof s->is_invented);
    for (uint32_t left = INVENTED; left > 0;) {
        const uint64_t row = tl_xoshiro_below(rng, ROWS);
        left -= s->is_invented[row] ? 0 : 1;
        s->is_invented[row] = true;
    }
}

static void write_object(submission *s, tl_xoshiro *rng)
{
    static const char *const streets[] = {"Maple",     "Juniper",  "Whitman", "Phinney",
                                          "Interlake", "Densmore", "Corliss", "Sunnyside",
                                          "Eastern",   "Latona"};
    static const char *const kinds[] = {"Ave", "St", "Pl", "Way", "Ct"};
    const size_t cap = OBJECT_CAP - CONTENTS;
    s->len = tl_str_print(s->object, cap, "{\"zipcode\":\"%s\",\"listings\":[", s->zipcode);
    for (uint32_t i = 0; i < ROWS; i++) {
        const unsigned sqft = 900 + (unsigned)tl_xoshiro_below(rng, 2400);
        const unsigned price = sqft * (380 + (unsigned)tl_xoshiro_below(rng, 240));
        const unsigned rooms = 1 + (unsigned)tl_xoshiro_below(rng, 5);
        const unsigned id = (unsigned)tl_xoshiro_below(rng, UINT32_MAX);
        s->len += tl_str_print(
            s->object + s->len, cap - s->len,
            "%s{\"zpid\":\"%u\",\"address\":\"%u %s %s, Seattle, WA %s\",\"price\":%u,"
            "\"bedrooms\":%u,\"bathrooms\":%u,\"sqft\":%u,\"listing_date\":\"2025-09-%02u\","
            "\"property_type\":\"CONDO\",\"listing_status\":\"FOR_SALE\",\"days_on_market\":%u,"
            "\"mls_id\":\"M%u\",\"source_url\":\"https://listings.example/%u\","
            "\"scraped_timestamp\":\"2025-10-03T17:%02u:%02uZ\"}",
            i != 0 ? "," : "", id, 100 + id % 9000, streets[id % 10], kinds[id / 10 % 5],
            s->zipcode, price, rooms, 1 + rooms / 2, sqft, 1 + id % 28, 4 + id % 20, id, id, i / 60,
            i % 60);
    }
    s->len += tl_str_print(s->object + s->len, cap - s->len, "]}");
    assert_in_range(s->len, 1000, cap - 2);
    memset(s->object + s->len, ' ', CONTENTS);
    tl_sha256_init(&s->prefix);
    tl_sha256_update(&s->prefix, s->object, s->len);
}

/* The content with so many blanks behind it. */
static void content_hash(tl_hash32 *out, const submission *s, uint32_t blanks)
{
    tl_sha256_state state = s->prefix;
    tl_sha256_update(&state, s->object + s->len, blanks);
    tl_sha256_final(&state, out);
}

static bool passes(const submission *s, const uint64_t *indices, uint32_t count)
{
    uint32_t accurate = 0;
    double rate;
    for (uint32_t i = 0; i < count; i++) {
        accurate += s->is_invented[indices[i]] ? 0 : 1;
    }
    return tl_compat_spot_passes(&rate, accurate, count);
}

/* --- the original's draw --- */

/* True when one of the miner's tries suits it. */
static bool grind_compat(const submission *s, tl_str nonce, uint64_t *tries, tl_arena *arena)
{
    bool is_through = false;
    for (uint32_t ms = 0; ms < TRIES_MAX && !is_through; ms++) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        char time[32];
        const tl_str stated = {time,
                               tl_str_print(time, sizeof time, "2025-10-03T19:59:59.%03uZ", ms)};
        tl_str text;
        tl_compat_draw draw;
        assert_int_equal(tl_compat_draw_text(&text, arena, nonce, tl_str_from_cstr(s->hotkey),
                                             stated, ROWS, NULL),
                         TL_OK);
        assert_int_equal(
            tl_compat_draw_sample(&draw, TL_COMPAT_2025_10_03, text, ROWS, arena, NULL), TL_OK);
        is_through = passes(s, draw.indices, draw.count);
        ++*tries;
        tl_arena_rewind(arena, mark);
    }
    return is_through;
}

/* --- ours --- */

/* The draw as the miner makes it for itself: text, seed and sample as core/listings/shard states them. */
static void draw_tally(uint64_t indices[TL_COMPAT_SAMPLES_MAX], const submission *s,
                       const char *beacon, const tl_hash32 *content, tl_arena *arena)
{
    char hex[65];
    char text[256];
    for (size_t i = 0; i < sizeof content->b; i++) {
        (void)tl_str_print(hex + 2 * i, 3, "%02x", content->b[i]);
    }
    const size_t len =
        tl_str_print(text, sizeof text, "%s:%s:%s:%s:%d", beacon, s->hotkey, hex, s->zipcode, ROWS);
    tl_hash32 digest;
    tl_sha256(&digest, text, len);
    tl_mt mt;
    tl_mt_seed_u64(&mt, (uint64_t)digest.b[0] << 24 | (uint64_t)digest.b[1] << 16 |
                            (uint64_t)digest.b[2] << 8 | digest.b[3]);
    assert_int_equal(tl_mt_sample(&mt, indices, ROWS, TL_COMPAT_SAMPLES_MAX, arena, NULL), TL_OK);
}

static bool passes_tally(const submission *s, const char *beacon, uint32_t blanks, tl_arena *arena)
{
    uint64_t indices[TL_COMPAT_SAMPLES_MAX];
    tl_hash32 content;
    content_hash(&content, s, blanks);
    draw_tally(indices, s, beacon, &content, arena);
    return passes(s, indices, TL_COMPAT_SAMPLES_MAX);
}

/* The content that passes under most of the guessed beacons. *guessed: how often one passes under any. */
static uint32_t grind_tally(const submission *s, char guesses[GUESSES][TL_BEACON_CAP],
                            uint32_t *guessed, tl_arena *arena)
{
    uint32_t best = 0;
    uint32_t best_passed = 0;
    for (uint32_t blanks = 0; blanks < CONTENTS; blanks++) {
        uint32_t passed = 0;
        for (size_t g = 0; g < GUESSES; g++) {
            passed += passes_tally(s, guesses[g], blanks, arena) ? 1 : 0;
        }
        if (passed > best_passed) {
            best_passed = passed;
            best = blanks;
        }
    }
    *guessed += best_passed > 0 ? 1 : 0;
    return best;
}

/* The validator's side: the shard reads the object and draws. True when the draw passes. */
static bool judge_tally(const submission *s, const char *beacon, uint32_t blanks, tl_arena *arena)
{
    tl_listings_params params;
    tl_listings_params_default(&params);
    tl_place place = {.city = TL_STR("Seattle"), .state = TL_STR("WA"), .expected = ROWS};
    memcpy(place.zipcode, s->zipcode, sizeof place.zipcode);
    const tl_shard_context context = {.params = &params,
                                      .epoch_id = TL_STR("2025-10-03T16-00-00"),
                                      .start_ms = START_MS,
                                      .deadline_ms = START_MS + SLOT_MS,
                                      .beacon = tl_str_from_cstr(beacon),
                                      .place = &place,
                                      .expected = ROWS};
    const tl_bytes object = {(const uint8_t *)s->object, s->len + blanks};
    tl_shard_entry entry = {.hotkey = tl_str_from_cstr(s->hotkey),
                            .coldkey = tl_str_from_cstr(s->hotkey),
                            .received_ms = START_MS + SLOT_MS / 2,
                            .objects = &object,
                            .object_count = 1};
    tl_shard *shard = NULL;
    tl_arena *scratch = NULL;
    tl_shard_result result;
    tl_errctx ctx = TL_ERRCTX_INIT;
    content_hash(&entry.content_hash, s, blanks);
    assert_int_equal(tl_arena_new(&scratch, arena, 0, NULL, NULL), TL_OK);
    if (tl_shard_new(&shard, arena, &context, &ctx) != TL_OK ||
        tl_shard_add(shard, &entry, scratch, &ctx) != TL_OK ||
        tl_shard_finish(shard, &result, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    tl_arena_free(scratch);
    const tl_sheet *const sheet = &result.sheets[0];
    assert_true(sheet->passes_tier1 && sheet->passes_tier2 && !sheet->is_disqualified);
    assert_int_equal(sheet->sample_asked, TL_COMPAT_SAMPLES_MAX);
    uint64_t asked[TL_COMPAT_SAMPLES_MAX];
    uint64_t own[TL_COMPAT_SAMPLES_MAX];
    draw_tally(own, s, beacon, &entry.content_hash, arena);
    for (size_t i = 0; i < TL_COMPAT_SAMPLES_MAX; i++) {
        asked[i] = sheet->samples[i].index;
        assert_int_equal(asked[i], own[i]); /* the miner ground against the very same draw */
    }
    return passes(s, asked, TL_COMPAT_SAMPLES_MAX);
}

/* A beacon as an epoch makes it: of the operator's nonce and the validators' secrets. */
static void make_beacon(char out[TL_BEACON_CAP], tl_xoshiro *rng)
{
    char nonce[TL_NONCE_LEN + 1];
    char secrets[2][17];
    tl_contribution contributions[2] = {{.hotkey = {{1}}}, {.hotkey = {{2}}}};
    (void)tl_str_print(nonce, sizeof nonce, "%016llx%016llx",
                       (unsigned long long)tl_xoshiro_next(rng),
                       (unsigned long long)tl_xoshiro_next(rng));
    for (size_t i = 0; i < 2; i++) {
        (void)tl_str_print(secrets[i], sizeof secrets[i], "%016llx",
                           (unsigned long long)tl_xoshiro_next(rng));
        contributions[i].secret = tl_str_from_cstr(secrets[i]);
    }
    assert_int_equal(tl_beacon(out, tl_str_from_cstr(nonce), contributions, 2, NULL), TL_OK);
}

typedef struct tally_of {
    uint32_t epochs; /* miners that passed all zipcodes */
    uint32_t checks; /* zipcodes passed */
    uint64_t tries;
} tally_of;

static void grinding_works_on_compat_and_not_on_ours(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    static char object[OBJECT_CAP];
    tl_xoshiro world;
    tl_xoshiro future; /* what nobody knows before the deadline */
    char beacon[TL_BEACON_CAP];
    tl_xoshiro_seed(&world, 1);
    tl_xoshiro_seed(&future, 2);
    make_beacon(beacon, &future);
    tally_of compat = {0};
    tally_of tally = {0};
    tally_of luck = {0};
    uint32_t guessed = 0;
    for (uint32_t m = 0; m < MINERS; m++) {
        uint32_t of_compat = 0;
        uint32_t of_tally = 0;
        uint32_t of_luck = 0;
        for (uint32_t z = 0; z < ZIPCODES; z++) {
            const tl_arena_mark mark = tl_arena_get_mark(arena);
            submission s = {.zipcode = zipcodes[z], .object = object};
            char guesses[GUESSES][TL_BEACON_CAP];
            (void)tl_str_print(s.hotkey, sizeof s.hotkey, "5Grinder%03u", m);
            invent(&s, &world);
            write_object(&s, &world);
            for (size_t g = 0; g < GUESSES; g++) {
                make_beacon(guesses[g], &world);
            }
            const tl_str nonce = TL_STR("f163b7edf4a22e081c3b761e1ca2d659");
            of_compat += grind_compat(&s, nonce, &compat.tries, arena) ? 1 : 0;
            const uint32_t blanks = grind_tally(&s, guesses, &guessed, arena);
            tally.tries += TRIES_MAX;
            of_tally += judge_tally(&s, beacon, blanks, arena) ? 1 : 0;
            of_luck += passes_tally(&s, beacon, 0, arena) ? 1 : 0;
            tl_arena_rewind(arena, mark);
        }
        compat.checks += of_compat;
        tally.checks += of_tally;
        luck.checks += of_luck;
        compat.epochs += of_compat == ZIPCODES ? 1 : 0;
        tally.epochs += of_tally == ZIPCODES ? 1 : 0;
        luck.epochs += of_luck == ZIPCODES ? 1 : 0;
    }
    print_message(
        "# PROOF grinding compat_passes=%u tally_passes=%u miners=%d compat_tries=%llu "
        "tally_tries=%llu checks=%d compat_checks=%u tally_checks=%u unground_checks=%u\n",
        compat.epochs, tally.epochs, MINERS, (unsigned long long)compat.tries,
        (unsigned long long)tally.tries, CHECKS, compat.checks, tally.checks, luck.checks);
    assert_in_range(guessed, CHECKS * 95 / 100, CHECKS); /* the grinding works, against a guess */
    assert_in_range(compat.epochs, MINERS * 9 / 10, MINERS);
    assert_int_equal(tally.epochs, 0);
    assert_int_equal(luck.epochs, 0);
    assert_in_range(luck.checks, CHECKS_LOW, CHECKS_TOP);
    assert_in_range(tally.checks, CHECKS_LOW, CHECKS_TOP);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grinding_works_on_compat_and_not_on_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
