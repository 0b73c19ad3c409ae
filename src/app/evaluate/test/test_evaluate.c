/* The table reader, the world, honest miners and cheats. Attacked: what people write into cells, broken rows, houses sold
 * twice, columns in other units, memory that ends; and that honest is honest and a cheat a cheat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/evaluate/evaluate_internal.h"

static tl_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static tl_str str(const char *text)
{
    return tl_str_from_cstr(text);
}

/* --- cells --- */

static void numbers_are_read_as_people_write_them(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t hundredths;
    } good[] = {{"650000", 65000000},
                {"1.225e+006", 122500000},
                {"$1,225,000", 122500000},
                {" 2.25 ", 225},
                {"+3", 300},
                {".5", 50},
                {"007", 700},
                {"0", 0},
                {"3.", 300},
                {"-1", -100},
                {"$ 12 500", 1250000}};
    static const char *const bad[] = {"",      "NA",  "nan",   "1.2.3", "abc",
                                      "12 m2", "--1", "1e400", "$"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t value = 7;
        assert_true(tl__cell_hundredths(&value, str(good[i].text)));
        assert_int_equal(value, good[i].hundredths);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t value = 7;
        assert_false(tl__cell_hundredths(&value, str(bad[i])));
        assert_int_equal(value, 7);
    }
}

static void zipcodes_are_five_digits_whatever_a_spreadsheet_did(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"98101", "98101"},  {"98101-1234", "98101"},
                                           {"601", "00601"},    {"601.0", "00601"},
                                           {" 2134 ", "02134"}, {"981011234", "98101"}};
    static const char *const bad[] = {"", "12", "981011", "9810A", "98101-12", "98101.5", "none"};
    char zipcode[6];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_true(tl__cell_zipcode(zipcode, str(pairs[i][0])));
        assert_string_equal(zipcode, pairs[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(tl__cell_zipcode(zipcode, str(bad[i])));
    }
    assert_true(tl__cell_address_zipcode(zipcode, TL_STR("12345 Oak St, Salem, OR 97301-0042")));
    assert_string_equal(zipcode, "97301");
    assert_true(tl__cell_address_zipcode(zipcode, TL_STR("1 Oak St, Salem OR 97301, USA")));
    assert_string_equal(zipcode, "97301");
    assert_false(tl__cell_address_zipcode(zipcode, TL_STR("97301")));
    assert_false(tl__cell_address_zipcode(zipcode, TL_STR("1 Oak St, Unit 5")));
}

static void dates_of_many_forms_are_one_day(void **state)
{
    (void)state;
    static const char *const same[] = {"20141013T000000", "20141013",
                                       "2014-10-13",      "2014-10-13 23:59:59",
                                       "10/13/2014",      "13.10.2014",
                                       "13/10/2014",      "Oct 13, 2014",
                                       "13-Oct-2014",     "Mon Oct 13 00:00:00 EDT 2014"};
    static const char *const bad[] = {"", "2014-13-45", "20140230", "soon", "13", "Foo 13, 2014"};
    int64_t day = 7;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_true(tl__cell_day(&day, str(same[i])));
        assert_int_equal(day, 16356);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(tl__cell_day(&day, str(bad[i])));
    }
    assert_true(tl__cell_day(&day, TL_STR("1970-01-01")) && day == 0);
    assert_true(tl__cell_day(&day, TL_STR("2014")) && day == 16071);
}

static void columns_are_known_by_their_usual_names(void **state)
{
    (void)state;
    const struct {
        const char *name;
        tl_evaluate_column column;
    } known[] = {{"sqft_living", TL_EVALUATE_SQFT}, {"Beds", TL_EVALUATE_BEDROOMS},
                 {"sq__ft", TL_EVALUATE_SQFT},      {"ZIP", TL_EVALUATE_ZIPCODE},
                 {"Zip Code", TL_EVALUATE_ZIPCODE}, {"lng", TL_EVALUATE_LONGITUDE},
                 {"SALE_DATE", TL_EVALUATE_DATE},   {"listing_date", TL_EVALUATE_DATE},
                 {"area", TL_EVALUATE_SQFT}};
    tl_evaluate_column column;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(tl__column_of(&column, str(known[i].name)));
        assert_int_equal(column, known[i].column);
    }
    for (unsigned c = 0; c < TL_EVALUATE_COLUMN_COUNT;
         c++) { /* a field's own key is one of its names */
        assert_true(tl__column_of(&column, str(tl_evaluate_column_key((tl_evaluate_column)c))));
        assert_int_equal(column, c);
    }
    assert_false(tl__column_of(&column, TL_STR("sqft_lot15")));
    assert_false(tl__column_of(&column, TL_STR("")));
}

/* --- tables and worlds --- */

static tl_str make_table(size_t houses, const char *more)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 4);
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "id,date,price,beds,baths,sqft,zip,city,state,lat,long\n");
    for (size_t i = 0; i < houses; i++) {
        const unsigned sqft = 600 + (unsigned)tl_xoshiro_below(&rng, 3000);
        const unsigned dear = 180 + (unsigned)tl_xoshiro_below(&rng, 120);
        tl_sb_printf(&sb,
                     "%05zu,2014%02u01T000000,%u,%u,2.25,%u,98004,Bellevue,WA,47.6%u,-122.2%u\n", i,
                     1 + (unsigned)(i % 12), sqft * dear, 1 + (unsigned)(i % 5), sqft,
                     (unsigned)(i % 9), (unsigned)(i % 7));
    }
    tl_sb_put_cstr(&sb, more);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static void make_world(tl__world *world, tl_evaluate_table *table, tl_str text)
{
    assert_int_equal(tl_evaluate_table_read(table, arena, text, NULL, 0, NULL), TL_OK);
    assert_int_equal(tl__world_make(world, arena, table, NULL, NULL), TL_OK);
}

static const tl_evaluate_house *house_of(const tl__world *world, const char *id)
{
    for (size_t i = 0; i < world->zips->count; i++) {
        if (tl_str_eq_cstr(world->zips->houses[i].id, id)) {
            return &world->zips->houses[i];
        }
    }
    static const tl_evaluate_house none = {.line = UINT32_MAX};
    fail_msg("there is no house %s", id);
    return &none;
}

static void a_house_sold_twice_is_listed_once_as_it_was_last(void **state)
{
    (void)state;
    tl__world world = {0};
    tl_evaluate_table table;
    make_world(&world, &table,
               make_table(40,
                          "00003,20150501T000000,777000,3,1,1200,98004,Bellevue,WA,47.6,-122.2\n"
                          "00004,20130501T000000,111000,3,1,1200,98004,Bellevue,WA,47.6,-122.2\n"));
    assert_int_equal(table.rows, 42);
    assert_int_equal(world.zips->count, 40);
    assert_true(house_of(&world, "00003")->price_cents == 77700000);
    assert_true(house_of(&world, "00004")->price_cents != 11100000);
    assert_true(world.start_ms == INT64_C(16557) * TL__DAY_MS); /* the day after 2015-05-01 */
}

static void one_strange_cell_stays_and_a_strange_column_is_empty(void **state)
{
    (void)state;
    tl__world world = {0};
    tl_evaluate_table table;
    make_world(&world, &table,
               make_table(80, "x,20140501,777000,33,1,0,98004,Bellevue,WA,47.6,-122.2\n"));
    assert_int_equal(house_of(&world, "x")->bedrooms_hundredths, 3300);
    assert_true(house_of(&world, "x")->sqft_hundredths > 10000); /* 0 is no area: made up */
    assert_true((world.made_up >> TL_EVALUATE_SQFT & 1) != 0);
    assert_true((world.made_up >> TL_EVALUATE_BEDROOMS & 1) == 0);
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "price,zip,area\n"); /* square metres */
    for (unsigned i = 0; i < 40; i++) {
        tl_sb_printf(&sb, "%u,98004,%u\n", 300000 + 1000 * i, 50 + i);
    }
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    make_world(&world, &table, text);
    for (size_t i = 0; i < world.zips->count; i++) {
        assert_true(world.zips->houses[i].sqft_hundredths >= 10000);
    }
}

static void fewer_than_thirty_houses_are_no_zipcode(void **state)
{
    (void)state;
    tl__world world = {0};
    tl_evaluate_table table;
    tl_errctx ctx = TL_ERRCTX_INIT;
    make_world(&world, &table, make_table(30, ""));
    assert_int_equal(world.count, 1);
    assert_int_equal(tl_evaluate_table_read(&table, arena, make_table(29, ""), NULL, 0, NULL),
                     TL_OK);
    assert_int_equal(tl__world_make(&world, arena, &table, NULL, &ctx), TL_ERR_MISSING);
    assert_non_null(strstr(ctx.message, "29 rows"));
}

/* --- submissions --- */

static void begin_round(tl__round *r, const tl__world *world, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    r->arena = arena;
    r->paper = arena;
    r->world = world;
    r->zip = world->zips;
    tl_xoshiro_seed(&r->rng, seed);
    r->traps = TL_NEW(arena, tl__row, TL__TRAPS);
    for (size_t i = 0; i < TL__TRAPS; i++) {
        r->traps[i] = tl__invent(r);
    }
}

/* EVAL-2: a house of the table, each at most once, its own figures but for what honest.c lists. */
static void an_honest_submission_holds_houses_of_the_table(void **state)
{
    (void)state;
    tl__world world = {0};
    tl_evaluate_table table;
    make_world(&world, &table, make_table(200, ""));
    for (uint64_t seed = 0; seed < 40; seed++) {
        tl__round r;
        tl__sheet s = {0};
        size_t other_prices = 0;
        begin_round(&r, &world, seed);
        assert_int_equal(tl__scrape(&s, &r, tl__between(&r, 0.9, 1.0), true, NULL), TL_OK);
        assert_true(s.count >= 180 && s.count <= 200);
        for (size_t i = 0; i < s.count; i++) {
            const tl__row *row = &s.rows[i];
            other_prices += row->price_cents != row->house->price_cents;
            assert_true(row->price_cents == row->house->price_cents ||
                        row->price_cents == tl__price_before(row->house));
            assert_true(row->scraped_ms > world.start_ms && row->scraped_ms < s.received_ms &&
                        s.received_ms < world.deadline_ms);
            assert_true(row->listed_ms < world.start_ms && row->variant == 0 && row->typo == 0);
            for (size_t j = 0; j < i; j++) {
                assert_ptr_not_equal(row->house, s.rows[j].house);
            }
        }
        assert_true(other_prices < 12);
    }
}

/* EVAL-3: more rows are spoiled than the rule lets pass. */
static void a_cheat_goes_beyond_its_rule(void **state)
{
    (void)state;
    tl__world world = {0};
    tl_evaluate_table table;
    make_world(&world, &table, make_table(120, ""));
    for (uint64_t seed = 0; seed < 60; seed++) {
        tl__round r;
        tl__sheet out[TL__SYBILS_MAX] = {0};
        size_t count = 0;
        begin_round(&r, &world, seed);
        assert_int_equal(tl__play(out, &count, TL_EVALUATE_CHEAT_DUPLICATES, &r, NULL, 0, NULL),
                         TL_OK);
        size_t repeats = 0;
        for (size_t i = 0; i < out->count; i++) {
            for (size_t j = 0; j < i; j++) {
                repeats += out->rows[i].house == out->rows[j].house;
            }
        }
        assert_true(repeats * 20 > out->count);
        assert_int_equal(
            tl__play(out, &count, TL_EVALUATE_CHEAT_WRONG_GEOGRAPHY, &r, NULL, 0, NULL), TL_OK);
        size_t elsewhere = 0;
        for (size_t i = 0; i < out->count; i++) {
            const tl__row *row = &out->rows[i];
            elsewhere += strcmp(row->zipcode, "98004") != 0 || row->city.ptr != NULL ||
                         row->latitude_e6 != row->house->latitude_e6;
        }
        assert_true(elsewhere * 20 > out->count);
        assert_int_equal(tl__play(out, &count, TL_EVALUATE_CHEAT_FABRICATED, &r, NULL, 0, NULL),
                         TL_OK);
        for (size_t i = 0; i < out->count; i++) {
            assert_true(out->rows[i].variant != 0 && out->rows[i].number != 0);
        }
        assert_int_equal(tl__play(out, &count, TL_EVALUATE_CHEAT_SYBIL, &r, NULL, 0, NULL), TL_OK);
        assert_true(count >= 3 && count <= TL__SYBILS_MAX && out[0].role == TL__ORIGINAL);
        assert_true(out[1].received_ms > out[0].received_ms);
    }
}

/* EVAL-1: one thread or three, the same counts. */
static void threads_do_not_change_a_rate(void **state)
{
    (void)state;
    tl_str texts[2];
    for (size_t i = 0; i < 2; i++) {
        tl_evaluate_table table;
        tl_evaluate_result result;
        tl_listings_params params;
        tl_pool *pool = NULL;
        tl_sb sb;
        tl_json_writer w;
        tl_listings_params_default(&params);
        assert_int_equal(tl_pool_new(&pool, i == 0 ? 1 : 3, NULL), TL_OK);
        assert_int_equal(tl_evaluate_table_read(&table, arena, make_table(34, ""), NULL, 0, NULL),
                         TL_OK);
        const tl_evaluate_options options = {.seed = 11, .params = &params, .pool = pool};
        assert_int_equal(tl_evaluate_run(&result, arena, &table, &options, NULL), TL_OK);
        assert_true(result.honest.played >= 1000 &&
                    result.honest.accused * 100 <= result.honest.played);
        for (size_t c = 0; c < TL_EVALUATE_CHEAT_COUNT; c++) {
            assert_true(result.cheats[c].accused * 100 >= result.cheats[c].played * 99);
            assert_true(result.cheats[c].played >= TL_EVALUATE_CHEATS_MIN);
        }
        tl_sb_init(&sb, arena);
        tl_json_writer_init(&w, &sb, 0, true);
        tl_evaluate_put(&w, &result);
        tl_json_writer_done(&w);
        assert_int_equal(tl_sb_finish(&texts[i], &sb, NULL), TL_OK);
        tl_pool_free(pool);
    }
    assert_true(tl_str_eq(texts[0], texts[1]));
}

/* --- memory that ends --- */

typedef struct failing {
    size_t left;
} failing;

static void *fail_alloc(void *self, size_t len)
{
    failing *f = self;
    if (f->left == 0) {
        return NULL;
    }
    f->left--;
    return malloc(len);
}

static void fail_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void every_allocation_of_a_table_may_fail(void **state)
{
    (void)state;
    const tl_str text = make_table(60, "");
    tl_err err = TL_ERR_NOMEM;
    size_t failures = 0;
    for (size_t n = 0; err != TL_OK && n < 200; n++) {
        failing left = {n};
        const tl_allocator allocator = {&left, fail_alloc, fail_release};
        tl_arena *own = NULL;
        tl_evaluate_table table;
        tl__world world = {0};
        err = tl_arena_new(&own, NULL, 0, &allocator, NULL);
        if (err == TL_OK) {
            err = tl_evaluate_table_read(&table, own, text, NULL, 0, NULL);
        }
        if (err == TL_OK) {
            err = tl__world_make(&world, own, &table, NULL, NULL);
        }
        failures += err == TL_ERR_NOMEM;
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        tl_arena_free(own);
    }
    assert_int_equal(err, TL_OK);
    assert_true(failures > 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_read_as_people_write_them),
        TEST(zipcodes_are_five_digits_whatever_a_spreadsheet_did),
        TEST(dates_of_many_forms_are_one_day),
        TEST(columns_are_known_by_their_usual_names),
        TEST(a_house_sold_twice_is_listed_once_as_it_was_last),
        TEST(one_strange_cell_stays_and_a_strange_column_is_empty),
        TEST(fewer_than_thirty_houses_are_no_zipcode),
        TEST(an_honest_submission_holds_houses_of_the_table),
        TEST(a_cheat_goes_beyond_its_rule),
        TEST(threads_do_not_change_a_rate),
        TEST(every_allocation_of_a_table_may_fail),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
