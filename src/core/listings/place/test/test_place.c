/* Zipcodes. Attacked: tables with twins, unknown states, wild coordinates and rows in any order; points across the date
 * line; draws with nothing to draw from, with cool-downs and old data; nonces and secrets that are none; epoch ids that
 * name no time. Distances are held against the great circle, hashes against another program's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/listings/place/place.h"
#include "core/num/rng/rng.h"

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

#define HEADER "zipcode,city,state,county,county_fips3,latitude,longitude\n"

static tl_err read_table(tl_places *out, tl_arena *arena, const char *csv, tl_errctx *ctx)
{
    return tl_places_read(out, arena, tl_str_from_cstr(csv), ctx);
}

/* PLACE-1, PLACE-3 */
static void rows_in_any_order_are_one_table(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_places a = {0};
    tl_places b = {0};
    assert_int_equal(read_table(&a, arena,
                                HEADER "98101,Seattle,WA,King,033,47.6114,-122.3305\n"
                                       "10001,New York,NY,New York,061,40.7484,-73.9967\n"
                                       "98104,Seattle,WA,King,033,47.6036,-122.3256\n"
                                       "09001,APO,,,,38.1105,15.6613\n",
                                NULL),
                     TL_OK);
    assert_int_equal(read_table(&b, arena,
                                HEADER "09001,APO,,,,38.1105,15.6613\n"
                                       "98104,Seattle,Washington,King,033,47.6036,-122.3256\n"
                                       "98101,Seattle,wa,King,033,47.61140,-122.3305\n"
                                       "10001,New York,NY,New York,061,40.7484,-73.9967\n",
                                NULL),
                     TL_OK);
    assert_int_equal(a.count, 4);
    assert_int_equal(b.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const tl_place *x = &a.items[i];
        const tl_place *y = &b.items[i];
        assert_true(i == 0 || strcmp(a.items[i - 1].zipcode, x->zipcode) < 0);
        assert_string_equal(x->zipcode, y->zipcode);
        assert_true(tl_str_eq(x->state, y->state) && tl_str_eq(x->city, y->city));
        assert_int_equal(x->expected, y->expected);
        assert_int_equal(x->latitude_e4, y->latitude_e4);
        assert_int_equal(x->longitude_e4, y->longitude_e4);
    }
    assert_int_equal(a.items[0].expected, 0); /* no state */
    assert_int_equal(a.items[2].latitude_e4, 476114);
    assert_int_equal(a.items[2].longitude_e4, -1223305);
    assert_int_equal(a.items[2].tier, TL_TIER_EMERGING);
    assert_int_equal(a.items[2].region, TL_REGION_WEST);
    assert_true(a.items[2].expected >= 36 &&
                a.items[2].expected < 108); /* n = 2: 72 halved or more */
    tl_arena_free(arena);
}

static void columns_of_its_own_replace_the_model(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_places p = {0};
    assert_int_equal(
        read_table(&p, arena,
                   "lng,lat,zip,city,state,county,expected_listings,population,property_count,"
                   "market_tier,geographic_region,data_updated,more\n"
                   "-122.3305,47.6114,98101,Seattle,WA,King,777,5,6,premium,South,2025-10-01,x\n"
                   "-122.3256,47.6036,98104,Seattle,WA,King,,,,,,,\n",
                   NULL),
        TL_OK);
    assert_int_equal(p.items[0].expected, 777);
    assert_int_equal(p.items[0].population, 5);
    assert_int_equal(p.items[0].property_count, 6);
    assert_int_equal(p.items[0].tier, TL_TIER_PREMIUM);
    assert_int_equal(p.items[0].region, TL_REGION_SOUTH);
    assert_true(p.updated_ms[0] == INT64_C(1759276800000));
    assert_true(p.items[1].expected > 0 && p.items[1].expected < 777);
    assert_int_equal(p.items[1].region, TL_REGION_WEST);
    assert_true(p.updated_ms[1] == TL_PLACE_UNDATED);
    tl_arena_free(arena);
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *csv;
        tl_err err;
    } cases[] = {
        {"", TL_ERR_MISSING},
        {"zipcode,city\n1,2\n", TL_ERR_MISSING},
        {HEADER "9810,S,WA,K,033,47.6,-122.3\n", TL_ERR_SYNTAX},
        {HEADER "9810x,S,WA,K,033,47.6,-122.3\n", TL_ERR_SYNTAX},
        {HEADER "98101,S,ZZ,K,033,47.6,-122.3\n", TL_ERR_UNKNOWN},
        {HEADER "98101,S,WA,K,033,97.6,-122.3\n", TL_ERR_SYNTAX},
        {HEADER "98101,S,WA,K,033,47.6,-182.3\n", TL_ERR_SYNTAX},
        {HEADER "98101,S,WA,K,033,4e1,-122.3\n", TL_ERR_SYNTAX},
        {HEADER "98101,S,WA,K,033,,-122.3\n", TL_ERR_SYNTAX},
        {HEADER "98101,S,WA,K,033,99999999999999999999999999,-122.3\n", TL_ERR_SYNTAX},
        {HEADER "98101,S,WA,K,033,47.6,-122.3\n98101,S,WA,K,033,47.7,-122.3\n", TL_ERR_DUPLICATE},
        {HEADER "98101,S,WA,K\n", TL_ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_arena *arena = new_arena();
        tl_places p = {.count = 77};
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(read_table(&p, arena, cases[i].csv, &ctx), cases[i].err);
        assert_int_equal(p.count, 77);
        assert_true(ctx.message[0] != '\0');
        tl_arena_free(arena);
    }
}

/* The fifth place is rounded half away from zero; equal coordinates then keep the lowest code. */
static void twins_leave_the_lowest_code(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_places p = {0};
    assert_int_equal(read_table(&p, arena,
                                HEADER "98103,S,WA,K,033,47.61145,-122.33045\n"
                                       "98102,S,WA,K,033,47.6115,-122.3305\n"
                                       "98104,S,WA,K,033,47.61144,-122.33045\n",
                                NULL),
                     TL_OK);
    assert_true(p.items[0].expected > 0);
    assert_int_equal(p.items[1].expected, 0);
    assert_true(p.items[2].expected > 0);
    tl_arena_free(arena);
}

static void names_are_read_whatever_their_case(void **state)
{
    (void)state;
    assert_true(tl_str_eq_cstr(tl_state_code(TL_STR(" washington ")), "WA"));
    assert_true(tl_str_eq_cstr(tl_state_code(TL_STR("dc")), "DC"));
    assert_true(tl_str_eq_cstr(tl_state_code(TL_STR("District of Columbia")), "DC"));
    assert_int_equal(tl_state_code(TL_STR("Wash")).len, 0);
    assert_int_equal(tl_state_code(TL_STR("")).len, 0);
    assert_true(tl_str_eq_cstr(tl_state_name(TL_STR("NM")), "New Mexico"));
    assert_int_equal(tl_state_region(TL_STR("PR")), TL_REGION_NONE);
    tl_market_tier tier = TL_TIER_EMERGING;
    tl_region region = TL_REGION_NONE;
    assert_true(tl_market_tier_parse(&tier, TL_STR("Standard")) && tier == TL_TIER_STANDARD);
    assert_false(tl_market_tier_parse(&tier, TL_STR("LUXURY")));
    assert_true(tl_region_parse(&region, TL_STR("midwest")) && region == TL_REGION_MIDWEST);
    assert_false(tl_region_parse(&region, TL_STR("")));
    assert_string_equal(tl_market_tier_name(TL_TIER_PREMIUM), "PREMIUM");
    assert_string_equal(tl_region_name(TL_REGION_NONE), "Other");
}

static void distances_are_those_of_the_great_circle(void **state)
{
    (void)state;
    static const struct {
        int32_t a, b, c, d;
        uint32_t metres; /* haversine, another program's */
    } cases[] = {
        {-45000000, 43998806, -45000998, 43998733, 111},
        {0, 105679296, -353, 105680231, 111},
        {25700000, 85883689, 25699531, 85884669, 111},
        {47600000, -168616128, 47600214, -168617576, 111},
        {64800000, 158721704, 64799195, 158720312, 111},
        {69500000, 143522376, 69500652, 143524539, 111},
        {-45000000, -11073280, -44990003, -11072975, 1111},
        {0, 15666387, -4479, 15657447, 1111},
        {25700000, -174305120, 25709782, -174302817, 1111},
        {47600000, -78945312, 47594982, -78932485, 1111},
        {64800000, 95129711, 64808429, 95142345, 1111},
        {69500000, 106378622, 69507655, 106396993, 1111},
        {-45000000, 42048002, -44928541, 42146931, 11122},
        {0, -178364599, -72300, -178295516, 11119},
        {25700000, -104014615, 25797656, -103990730, 11119},
        {47600000, 172706756, 47528136, 172809881, 11123},
        {64800000, -75428749, 64776015, -75200742, 11124},
        {69500000, 14042001, 69410112, 13916880, 11123},
        {-45000000, -105688933, -45047135, -105517596, 14450},
        {0, 68249814, -27133, 68376950, 14455},
        {25700000, 140959520, 25823941, 140915991, 14454},
        {47600000, -49694003, 47712289, -49596858, 14451},
        {64800000, -126838716, 64851732, -126558610, 14443},
        {69500000, -71113441, 69421560, -71409459, 14472},
        {-45000000, -177788843, -45449584, -178098273, 55555},
        {0, -58032923, 464947, -58216835, 55597},
        {25700000, 114029470, 25760387, 113478641, 55583},
        {47600000, -65946068, 47658911, -66682410, 55566},
        {64800000, 73271550, 64975264, 74371358, 55438},
        {69500000, 170085643, 69571585, 171498660, 55505},
        {-45000000, 89426617, -45662071, 90061694, 88793},
        {0, -172531822, -777642, -172344015, 88955},
        {25700000, -47905957, 25321214, -48687957, 89065},
        {47600000, -175749937, 47831509, -174614290, 88774},
        {64800000, -114230823, 64577540, -112426021, 89291},
        {69500000, -108645241, 68700516, -108563244, 88958},
        {10000000, 179900000, 10000000, -179900000, 21901},
        {47606200, -122332100, 47606200, -122332100, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t m = tl_place_metres(cases[i].a, cases[i].b, cases[i].c, cases[i].d);
        const uint32_t back = tl_place_metres(cases[i].c, cases[i].d, cases[i].a, cases[i].b);
        const uint32_t off = m > cases[i].metres ? m - cases[i].metres : cases[i].metres - m;
        assert_int_equal(m, back);
        assert_true(off <= 1 + cases[i].metres / 1000);
    }
    /* the ends of the earth do not overflow */
    assert_in_range(tl_place_metres(90000000, 180000000, -90000000, -180000000), 20015000,
                    20016000);
    assert_true(tl_place_metres(INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN) > 0);
    const tl_place p = {.zipcode = "98101", .latitude_e4 = 476114, .longitude_e4 = -1223305};
    assert_int_equal(tl_place_metres_to(&p, 47611400, -122330500), 0);
}

/* PLACE-4 */
static void ids_of_epochs_come_back(void **state)
{
    (void)state;
    static const int64_t starts[] = {0, 1759464000000, 951782399000, TL_SLOT_MS_CEILING - 1000};
    static const char *const ids[] = {"1970-01-01T00-00-00", "2025-10-03T04-00-00",
                                      "2000-02-28T23-59-59", "9999-12-31T23-59-59"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char id[TL_SLOT_ID_CAP];
        int64_t start = -1;
        tl_slot_print(id, starts[i]);
        assert_string_equal(id, ids[i]);
        assert_int_equal(tl_slot_parse(&start, tl_str_from_cstr(id), NULL), TL_OK);
        assert_true(start == starts[i]);
    }
    static const char *const wrong[] = {"",
                                        "2025-10-03T04-00",
                                        "2025-10-03 04-00-00",
                                        "2025-10-03T04:00:00",
                                        "2025-10-03T24-00-00",
                                        "2025-10-03T04-60-00",
                                        "2025-10-03T04-00-60",
                                        "2025-02-29T04-00-00",
                                        "1969-12-31T23-59-59",
                                        "2025-10-03T04-0x-00",
                                        "2025-10-03T04-00-000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t start = -7;
        assert_int_not_equal(tl_slot_parse(&start, tl_str_from_cstr(wrong[i]), NULL), TL_OK);
        assert_true(start == -7);
    }
}

static void slots_count_from_midnight(void **state)
{
    (void)state;
    assert_true(tl_slot_start(1759464000000 + 14399999, 14400) == 1759464000000);
    assert_true(tl_slot_start(1759464000000 + 14400000, 14400) == 1759464000000 + 14400000);
    assert_true(tl_slot_start(1759464007001, 5) == 1759464005000);
    assert_true(tl_slot_start(0, 86400) == 0);
    assert_true(tl_slot_seconds_are_valid(1) && tl_slot_seconds_are_valid(30));
    assert_false(tl_slot_seconds_are_valid(0));
    assert_false(tl_slot_seconds_are_valid(7));
    assert_false(tl_slot_seconds_are_valid(172800));
}

/* --- draws --- */

enum { WORLD = 60 };

/* Sixty codes with 400 listings each. */
static void fill_world(tl_place *items, int64_t *updated)
{
    memset(items, 0, WORLD * sizeof *items);
    for (unsigned i = 0; i < WORLD; i++) {
        (void)tl_str_print(items[i].zipcode, sizeof items[i].zipcode, "%05u", 10000 + i);
        items[i].state = TL_STR("NY");
        items[i].expected = 400;
        items[i].population = 40000;
        items[i].property_count = 16000;
        items[i].tier = TL_TIER_STANDARD;
        updated[i] = TL_PLACE_UNDATED;
    }
}

#define START INT64_C(1759464000000)

/* PLACE-2 */
static void draws_keep_their_bounds_or_fail(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_place items[WORLD];
    int64_t updated[WORLD];
    fill_world(items, updated);
    tl_places places = {items, updated, WORLD};
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 11);
    size_t failed = 0;
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = 0; i < WORLD; i++) {
            items[i].expected = (uint32_t)tl_xoshiro_below(&rng, round % 2 == 0 ? 900 : 2600);
        }
        char seed[16];
        const size_t len = tl_str_print(seed, sizeof seed, "%u", round);
        const tl_select_options o = {.seed = {seed, len}, .start_ms = START};
        tl_selection s = {.count = 999};
        tl_selection again = {0};
        const tl_err err = tl_select(&s, arena, &places, &o, NULL);
        if (err != TL_OK) {
            assert_true(round % 2 == 1);
            assert_int_equal(err, TL_ERR_STATE);
            assert_int_equal(s.count, 999);
            failed++;
            continue;
        }
        uint64_t sum = 0;
        for (size_t i = 0; i < s.count; i++) {
            assert_in_range(s.items[i]->expected, 200, 3000);
            assert_true(i == 0 || strcmp(s.items[i - 1]->zipcode, s.items[i]->zipcode) < 0);
            sum += s.items[i]->expected;
        }
        assert_true(sum == s.expected && s.count >= 20 && s.count <= 30);
        assert_in_range(sum, 9000, 11000);
        assert_int_equal(tl_select(&again, arena, &places, &o, NULL), TL_OK);
        assert_int_equal(again.count, s.count);
        for (size_t i = 0; i < s.count; i++) {
            assert_ptr_equal(again.items[i], s.items[i]);
        }
    }
    assert_true(failed > 0 && failed < 200); /* sixty codes alone are too few for the large ones */
    tl_arena_free(arena);
}

static void a_zipcode_rests_for_a_day_unless_there_is_no_other(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_place items[WORLD];
    int64_t updated[WORLD];
    fill_world(items, updated);
    const tl_places places = {items, updated, WORLD};
    tl_select_recent recent[WORLD + 1] = {0};
    for (unsigned i = 0; i < WORLD; i++) {
        memcpy(recent[i].zipcode, items[WORLD - 1 - i].zipcode, sizeof recent[i].zipcode);
        recent[i].assigned_ms = START - TL_DAY_MS + 1;
    }
    memcpy(recent[WORLD].zipcode, items[0].zipcode, 6); /* twice: the later time counts */
    recent[WORLD].assigned_ms = 0;
    tl_select_options o = {
        .seed = TL_STR("x"), .start_ms = START, .recent = recent, .recent_count = 30};
    tl_selection s = {0};
    assert_int_equal(tl_select(&s, arena, &places, &o, NULL), TL_OK);
    assert_false(s.is_relaxed);
    assert_int_equal(s.eligible, 30);
    for (size_t i = 0; i < s.count; i++) {
        assert_true(strcmp(s.items[i]->zipcode, "10030") < 0); /* the last thirty rest */
    }
    o.recent_count = WORLD + 1;
    assert_int_equal(tl_select(&s, arena, &places, &o, NULL), TL_OK);
    assert_true(s.is_relaxed && s.eligible == WORLD);
    o.start_ms = START + 1; /* a day is over */
    assert_int_equal(tl_select(&s, arena, &places, &o, NULL), TL_OK);
    assert_false(s.is_relaxed);
    for (unsigned i = 0; i < WORLD; i++) {
        updated[i] = START - 31 * TL_DAY_MS;
    }
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_select(&s, arena, &places, &o, &ctx), TL_ERR_STATE);
    assert_non_null(strstr(ctx.message, "0 eligible"));
    o.count_min = 31;
    assert_int_equal(tl_select(&s, arena, &places, &o, NULL), TL_ERR_RANGE);
    tl_arena_free(arena);
}

/* --- secrets --- */

#define NONCE "0123456789abcdef0123456789abcdef"

static void assert_hex(const tl_hash32 *digest, const char *expected)
{
    char text[65];
    tl_hex_write(text, digest->b, sizeof digest->b);
    assert_string_equal(text, expected);
}

static void commitments_and_beacons_are_another_programs(void **state)
{
    (void)state;
    tl_hash32 digest;
    tl_secret_commit(&digest, TL_STR(NONCE));
    assert_hex(&digest, "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9");
    char beacon[TL_BEACON_CAP];
    assert_int_equal(tl_beacon(beacon, TL_STR(NONCE), NULL, 0, NULL), TL_OK);
    assert_string_equal(beacon, "6c9c772e99ecd138891126d2928dd299e3c2ce62213e3b5f86d6cabc82672031");
    tl_contribution two[2] = {{.secret = TL_STR("secret-of-bob-16")},
                              {.secret = TL_STR("secret-of-alice-1")}};
    assert_int_equal(tl_ss58_decode(&two[0].hotkey,
                                    TL_STR("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"),
                                    NULL),
                     TL_OK);
    assert_int_equal(tl_ss58_decode(&two[1].hotkey,
                                    TL_STR("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
                                    NULL),
                     TL_OK);
    assert_int_equal(tl_beacon(beacon, TL_STR(NONCE), two, 2, NULL), TL_OK);
    assert_string_equal(beacon, "a6e2e468f758eeb8271e15d30a226614595f291fc69a98033575124fd36e9fe6");
    const tl_contribution swapped[2] = {two[1], two[0]};
    assert_int_equal(tl_beacon(beacon, TL_STR(NONCE), swapped, 2, NULL), TL_ERR_CANONICAL);
    const tl_contribution twice[2] = {two[0], two[0]};
    assert_int_equal(tl_beacon(beacon, TL_STR(NONCE), twice, 2, NULL), TL_ERR_CANONICAL);
    two[1].secret = TL_STR("two\nlines of a secret");
    assert_int_equal(tl_beacon(beacon, TL_STR(NONCE), two, 2, NULL), TL_ERR_SYNTAX);
    two[1].secret = TL_STR("short");
    assert_int_equal(tl_beacon(beacon, TL_STR(NONCE), two, 2, NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_beacon(beacon, TL_STR("0123456789ABCDEF0123456789ABCDEF"), two, 2, NULL),
                     TL_ERR_SYNTAX);
    assert_int_equal(tl_beacon(beacon, TL_STR("0123"), two, 2, NULL), TL_ERR_SYNTAX);
}

static void honeypots_are_five_to_ten_percent(void **state)
{
    (void)state;
    bool seen[30] = {false};
    for (size_t count = 0; count <= 30; count++) {
        for (unsigned i = 0; i < 40; i++) {
            char nonce[TL_NONCE_LEN + 1];
            (void)tl_str_print(nonce, sizeof nonce, "%032x", i * 7919u);
            bool is_honeypot[30];
            bool again[30];
            assert_int_equal(tl_honeypots(is_honeypot, count, tl_str_from_cstr(nonce), NULL),
                             TL_OK);
            assert_int_equal(tl_honeypots(again, count, tl_str_from_cstr(nonce), NULL), TL_OK);
            size_t n = 0;
            for (size_t k = 0; k < count; k++) {
                assert_int_equal(is_honeypot[k], again[k]);
                n += is_honeypot[k] ? 1 : 0;
                if (count == 30 && is_honeypot[k]) {
                    seen[k] = true;
                }
            }
            assert_true(count >= 2 ? n >= 1 && n < count : n == 0);
            assert_true(count < 20 || (n * 20 >= count && n * 10 <= count));
        }
    }
    for (size_t k = 0; k < 30; k++) {
        assert_true(seen[k]); /* none is safe */
    }
    bool many[TL_SELECT_MAX + 1];
    assert_int_equal(tl_honeypots(many, TL_SELECT_MAX + 1, TL_STR(NONCE), NULL), TL_ERR_LIMIT);
    assert_int_equal(tl_honeypots(many, 3, TL_STR("nonce"), NULL), TL_ERR_SYNTAX);
}

static void the_hash_of_zipcodes_joins_them_by_commas(void **state)
{
    (void)state;
    const tl_place items[3] = {{.zipcode = "10001"}, {.zipcode = "98101"}, {.zipcode = "98103"}};
    const tl_place *const list[3] = {&items[0], &items[1], &items[2]};
    const tl_selection s = {.items = list, .count = 3};
    tl_hash32 digest;
    tl_zipcodes_hash(&digest, &s);
    assert_hex(&digest, "df3f630a146a781792aca8ff70b39db15a80148f42614b8e8548662199870bbf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_any_order_are_one_table),
        cmocka_unit_test(columns_of_its_own_replace_the_model),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(twins_leave_the_lowest_code),
        cmocka_unit_test(names_are_read_whatever_their_case),
        cmocka_unit_test(distances_are_those_of_the_great_circle),
        cmocka_unit_test(ids_of_epochs_come_back),
        cmocka_unit_test(slots_count_from_midnight),
        cmocka_unit_test(draws_keep_their_bounds_or_fail),
        cmocka_unit_test(a_zipcode_rests_for_a_day_unless_there_is_no_other),
        cmocka_unit_test(commitments_and_beacons_are_another_programs),
        cmocka_unit_test(honeypots_are_five_to_ten_percent),
        cmocka_unit_test(the_hash_of_zipcodes_joins_them_by_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
