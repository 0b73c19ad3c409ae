/* Attacks the compat profile where the vectors do not reach: which of two exceptions ends the run, keys of odd values,
 * tables that grow, a judge that fails, sums that overflow, memory that runs out. The vectors' own figures are in
 * golden/ and run through the conformance room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/compat/compat.h"

static int begin(void **state)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    *state = arena;
    return 0;
}

static int end(void **state)
{
    tl_arena_free(*state);
    return 0;
}

/* 2025-10-03T20:00:00Z */
#define NOW_US INT64_C(1759521600000000)

static tl_compat_rates rates_of(tl_arena *arena, tl_compat_code code, const char *listings)
{
    const tl_json *tree = NULL;
    tl_compat_rates rates;
    const tl_str zipcodes[] = {TL_STR("98103")};
    const tl_compat_quality_options options = {code, NOW_US, true, zipcodes, 1};
    const tl_json_options json = {.allow_nonfinite = true};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_json_parse(&tree, arena, tl_str_from_cstr(listings), &json, &ctx), TL_OK);
    assert_int_equal(tl_compat_quality_run(&rates, tree, &options, arena, &ctx), TL_OK);
    return rates;
}

static void tier_one_cuts_doubles(void **state)
{
    (void)state;
    tl_compat_bounds b = tl_compat_tier1(TL_COMPAT_2025_10_03, true, 100);
    assert_true(b.min == 85 && b.max == 114 && b.has_max); /* 100 * 1.15 is 114.99999999999999 */
    assert_true(tl_compat_tier1_passes(&b, 114) && !tl_compat_tier1_passes(&b, 115));
    assert_true(tl_compat_tier1_passes(&b, 85) && !tl_compat_tier1_passes(&b, 84));
    b = tl_compat_tier1(TL_COMPAT_2025_10_29, true, 100);
    assert_true(!b.has_max && tl_compat_tier1_passes(&b, UINT64_MAX));
    b = tl_compat_tier1(TL_COMPAT_2025_11_26, false, 0);
    assert_true(b.min == 1 && !b.has_max && !tl_compat_tier1_passes(&b, 0));
    b = tl_compat_tier1(TL_COMPAT_2025_11_26, true, 1);
    assert_true(b.min == 1 && b.max == 1);
    b = tl_compat_tier1(TL_COMPAT_2025_10_03, true, INT64_MAX);
    assert_true(b.max == INT64_MAX && b.min > 0);
    b = tl_compat_tier1(TL_COMPAT_2025_10_03, true, -100);
    assert_true(b.min == -85 && b.max == -114 && !tl_compat_tier1_passes(&b, 0));
}

static void versions_have_names(void **state)
{
    (void)state;
    tl_compat_code code = TL_COMPAT_2025_10_03;
    assert_true(tl_compat_code_parse(&code, TL_STR("2025-11-26")));
    assert_int_equal(code, TL_COMPAT_2025_11_26);
    assert_string_equal(tl_compat_code_name(TL_COMPAT_2025_10_29), "2025-10-29");
    assert_false(tl_compat_code_parse(&code, TL_STR("2025-10-3")));
    assert_int_equal(code, TL_COMPAT_2025_11_26);
}

/* Python asks one question of all listings before it asks the next. */
static void the_earlier_question_raises(void **state)
{
    const struct {
        const char *listings;
        tl_py_error october;
        tl_py_error november;
    } cases[] = {
        {"[{\"address\":null,\"listing_date\":1},{\"bedrooms\":Infinity}]", TL_PY_OverflowError,
         TL_PY_TypeError},
        {"[{\"address\":null},{\"scraped_timestamp\":[0]}]", TL_PY_AttributeError, TL_PY_TypeError},
        {"[{\"address\":\"x\",\"zipcode\":98103,\"listing_date\":1}]", TL_PY_TypeError, TL_PY_OK},
        {"[{\"address\":\"x\",\"listing_date\":1},{\"zipcode\":1}]", TL_PY_AttributeError,
         TL_PY_OK},
        {"[{\"address\":7}]", TL_PY_AttributeError, TL_PY_TypeError},
        {"[{\"address\":7,\"zipcode\":\"98103\"}]", TL_PY_AttributeError, TL_PY_OK},
        {"[{\"zipcode\":[\"98103\"]}]", TL_PY_TypeError, TL_PY_TypeError},
        {"[{\"bathrooms\":Infinity,\"price\":-Infinity,\"sqft\":NaN}]", TL_PY_OK, TL_PY_OK},
        {"[{\"sqft\":1e400}]", TL_PY_OverflowError, TL_PY_OK},
        {"[{}]", TL_PY_OK, TL_PY_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const tl_compat_rates o = rates_of(*state, TL_COMPAT_2025_10_03, cases[i].listings);
        const tl_compat_rates n = rates_of(*state, TL_COMPAT_2025_11_26, cases[i].listings);
        if (o.error != cases[i].october || n.error != cases[i].november) {
            fail_msg("%s: %s, %s", cases[i].listings, tl_py_error_name(o.error),
                     tl_py_error_name(n.error));
        }
        assert_false(o.passes || n.passes);
    }
}

/* A JSON integer that no double holds: float() raises, int() does not. */
static void a_huge_price_ends_the_run(void **state)
{
    char text[512];
    memset(text, '9', sizeof text);
    memcpy(text, "[{\"price\":", 10);
    memcpy(text + sizeof text - 3, "}]", 3);
    assert_int_equal(rates_of(*state, TL_COMPAT_2025_10_03, text).error, TL_PY_OverflowError);
    assert_int_equal(rates_of(*state, TL_COMPAT_2025_11_26, text).error, TL_PY_OK);
}

static void keys_are_pythons_texts(void **state)
{
    const struct {
        const char *listings;
        double duplicate_rate;
    } cases[] = {
        {"[{\"address\":\"A\",\"price\":500000},{\"address\":\" a\\u3000\",\"price\":\"500000\"}]",
         0.5},
        {"[{\"address\":\"A\",\"price\":500000},{\"address\":\"A\",\"price\":500000.0}]", 0},
        {"[{\"address\":\"A\",\"price\":5e5},{\"address\":\"A\",\"price\":\"500000.0\"}]", 0.5},
        {"[{\"address\":\"A\"},{\"address\":\"A\",\"price\":\"\"}]", 0.5},
        {"[{\"address\":\"A\"},{\"address\":\"A\",\"price\":null}]", 0},
        {"[{\"address\":\"A\",\"price\":null},{\"address\":\"A\",\"price\":\"None\"}]", 0.5},
        {"[{\"address\":\"A\",\"price\":true},{\"address\":\"A\",\"price\":\"True\"}]", 0.5},
        {"[{\"address\":\"A\",\"price\":-0},{\"address\":\"A\",\"price\":0}]", 0.5},
        {"[{\"address\":\"A\",\"price\":-0.0},{\"address\":\"A\",\"price\":0.0}]", 0},
        {"[{\"address\":\"A\",\"price\":[1,\"x\"]},{\"address\":\"A\",\"price\":\"[1, 'x']\"}]",
         0.5},
        {"[{\"address\":\"A:1\",\"price\":2},{\"address\":\"A\",\"price\":\"1:2\"}]", 0.5},
        {"[{\"address\":\"\\u00c9\"},{\"address\":\"\\u00e9\"}]", 0.5},
        {"[{},{}]", 0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const tl_compat_rates rates = rates_of(*state, TL_COMPAT_2025_10_03, cases[i].listings);
        if (rates.duplicate_rate != cases[i].duplicate_rate) {
            fail_msg("%s: %d%%", cases[i].listings, (int)(rates.duplicate_rate * 100));
        }
    }
}

/* The table of keys grows through many sizes; listings are made as a streaming decoder makes them. */
static void every_duplicate_is_counted(void **state)
{
    enum { N = 5000 };
    tl_compat_quality quality;
    const tl_compat_quality_options options = {.now_us = NOW_US};
    tl_compat_quality_init(&quality, *state, &options);
    for (int i = 0; i < N; i++) {
        char address[32];
        tl_compat_listing listing = {0};
        const int len = snprintf(address, sizeof address, "%d Main St", i % (N - 500));
        listing.field[TL_FIELD_ADDRESS] =
            (tl_py_value){.kind = TL_PY_STR, .text = {address, (size_t)len}};
        listing.field[TL_FIELD_PRICE] = tl_py_of_number(TL_STR("500000"));
        assert_int_equal(tl_compat_quality_add(&quality, &listing, NULL), TL_OK);
    }
    tl_compat_rates rates;
    tl_compat_quality_finish(&rates, &quality);
    assert_int_equal(rates.count, N);
    assert_true(rates.duplicate_rate == 0.1 && rates.reasonable_values == 1.0);
    assert_true(rates.field_completeness == 0 && rates.data_consistency == 1.0);
}

static void two_days_less_a_microsecond_is_fresh(void **state)
{
    const struct {
        const char *time;
        double consistent;
    } cases[] = {{"2025-10-01T20:00:00.000001Z", 1}, {"2025-10-01T20:00:00Z", 0},
                 {"9999-12-31T23:59:59Z", 1},        {"2025-10-03T20:00:00", 0},
                 {"0001-01-01T00:00:00+23:59", 0},   {"2025-10-03", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "[{\"scraped_timestamp\":\"%s\"}]", cases[i].time);
        const tl_compat_rates rates = rates_of(*state, TL_COMPAT_2025_10_29, text);
        assert_true(rates.data_consistency == cases[i].consistent);
    }
}

static void what_is_no_listing_is_refused(void **state)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_json *tree = NULL;
    tl_compat_rates rates = {.count = 9};
    const tl_compat_quality_options options = {.now_us = NOW_US};
    assert_int_equal(tl_json_parse(&tree, *state, TL_STR("[{},7]"), NULL, &ctx), TL_OK);
    assert_int_equal(tl_compat_quality_run(&rates, tree, &options, *state, &ctx), TL_ERR_TYPE);
    assert_string_equal(ctx.field, "listings[1]");
    assert_int_equal(rates.count, 9);
    assert_int_equal(tl_compat_quality_run(&rates, NULL, &options, *state, &ctx), TL_ERR_TYPE);
}

/* --- draws and races --- */

static void samples_ascend_and_differ(void **state)
{
    for (uint64_t n = 0; n < 400; n++) {
        tl_str text;
        tl_compat_draw draw;
        assert_int_equal(
            tl_compat_draw_text(&text, *state, TL_STR("n"), TL_STR("h"), TL_STR("t"), n, NULL),
            TL_OK);
        assert_int_equal(tl_compat_draw_sample(&draw, TL_COMPAT_2025_10_03, text, n, *state, NULL),
                         TL_OK);
        assert_int_equal(draw.error, n < 3 ? TL_PY_ValueError : TL_PY_OK);
        assert_int_equal(draw.count, n < 40 ? 3 : n < 100 ? n / 10 : 10);
        for (uint32_t i = 0; i < draw.count && n >= 3; i++) { /* COMPAT-1 */
            assert_true(draw.indices[i] < n);
            assert_true(i == 0 || draw.indices[i - 1] < draw.indices[i]);
        }
        assert_int_equal(tl_compat_draw_sample(&draw, TL_COMPAT_2025_10_29, text, n, *state, NULL),
                         TL_OK);
        assert_int_equal(draw.count, 2);
    }
    tl_compat_draw draw;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(
        tl_compat_draw_sample(&draw, TL_COMPAT_2025_11_26, TL_STR("x"), 9, *state, &ctx),
        TL_ERR_UNKNOWN);
    assert_string_equal(ctx.field, "code");
}

/* A judge that writes down what it was asked. */
typedef struct scribe {
    size_t quality_count;
    size_t verify_count;
    size_t failing; /* a submission of which the world cannot be asked */
    size_t raising; /* one whose listings end the run */
} scribe;

static tl_err scribe_quality(void *self, tl_compat_rates *out, size_t index, tl_errctx *ctx)
{
    (void)ctx;
    scribe *s = self;
    s->quality_count++;
    *out = (tl_compat_rates){.passes = true};
    out->error = index == s->raising ? TL_PY_AttributeError : TL_PY_OK;
    return TL_OK;
}

static tl_err scribe_verify(void *self, bool *is_accurate, size_t index, uint64_t listing,
                            tl_errctx *ctx)
{
    (void)listing;
    scribe *s = self;
    s->verify_count++;
    *is_accurate = true;
    return index == s->failing ? tl_fail(ctx, TL_ERR_IO, "the world is gone") : TL_OK;
}

#define RUNNERS 6

static tl_err run_race(tl_compat_race *race, tl_arena *arena, scribe *s, tl_compat_code code,
                       tl_errctx *ctx)
{
    static const char *const hotkeys[RUNNERS] = {"f", "e", "d", "c", "b", "a"};
    static const char *const times[RUNNERS] = {"6", "5", "4", "3", "2", "1"};
    tl_compat_submission runners[RUNNERS];
    for (size_t i = 0; i < RUNNERS; i++) {
        runners[i] = (tl_compat_submission){tl_str_from_cstr(hotkeys[i]),
                                            tl_str_from_cstr(times[i]), i == 5 ? 1 : 100};
    }
    const tl_compat_race_input input = {code, TL_STR("n"), true, 100, runners, RUNNERS};
    const tl_compat_judge judge = {s, scribe_quality, scribe_verify};
    return tl_compat_race_run(race, arena, &input, &judge, ctx);
}

static void nobody_after_the_third_winner_is_looked_at(void **state)
{
    tl_compat_race race;
    scribe s = {.failing = RUNNERS, .raising = 0}; /* the last to come would end the run */
    assert_int_equal(run_race(&race, *state, &s, TL_COMPAT_2025_10_03, NULL), TL_OK);
    assert_int_equal(race.winner_count, 3); /* COMPAT-2 */
    assert_int_equal(race.error, TL_PY_OK);
    assert_int_equal(race.winners[0].index, 4);
    assert_int_equal(race.winners[2].index, 2);
    assert_int_equal(race.participant_count, 0); /* "a" failed tier 1 */
    assert_int_equal(s.quality_count, 3);
    assert_int_equal(s.verify_count, 30);
    assert_int_equal(race.total_listings_found, 300);
    assert_int_equal(race.total_submissions_processed, 6);
    assert_int_equal(race.total_validated, 3);
}

static void an_exception_ends_the_race_and_an_error_leaves_it(void **state)
{
    tl_compat_race race = {.winner_count = 7};
    tl_errctx ctx = TL_ERRCTX_INIT;
    scribe s = {.failing = 3, .raising = RUNNERS};
    assert_int_equal(run_race(&race, *state, &s, TL_COMPAT_2025_10_03, &ctx), TL_ERR_IO);
    assert_int_equal(race.winner_count, 7);
    s = (scribe){.failing = RUNNERS, .raising = 3};
    assert_int_equal(run_race(&race, *state, &s, TL_COMPAT_2025_10_03, &ctx), TL_OK);
    assert_int_equal(race.error, TL_PY_AttributeError);
    assert_int_equal(race.winner_count, 0);
    assert_int_equal(run_race(&race, *state, &s, TL_COMPAT_2025_11_26, &ctx), TL_ERR_UNKNOWN);
}

/* --- weights --- */

static void scores_are_shared_out_whole(void **state)
{
    const tl_compat_win first[] = {{TL_STR("a"), 300}, {TL_STR("b"), 290}, {TL_STR("a"), 280}};
    const tl_compat_win second[] = {{TL_STR("c"), 100}};
    const tl_str took_part[] = {TL_STR("c"), TL_STR("d"), TL_STR("e"), TL_STR("d")};
    const tl_compat_zipcode zipcodes[] = {{TL_STR("98103"), first, 3, took_part, 4},
                                          {TL_STR("98109"), second, 1, NULL, 0}};
    tl_compat_epoch epoch;
    assert_int_equal(tl_compat_epoch_run(&epoch, *state, zipcodes, 2, NULL), TL_OK);
    assert_int_equal(epoch.miner_count, 5);
    double total = 0;
    for (size_t i = 0; i < epoch.miner_count; i++) {
        total += epoch.miner_scores[i].score;
    }
    assert_true(total > 0.9999999 && total < 1.0000001); /* COMPAT-3 */
    assert_int_equal(epoch.total_winners, 3);
    assert_int_equal(epoch.total_participants, 3); /* c had not won when its zipcode came */
    assert_int_equal(epoch.total_epoch_listings, 970);
    assert_true(epoch.miner_scores[0].score < epoch.miner_scores[1].score); /* a: its last place */
    assert_true(epoch.miner_scores[3].score ==
                epoch.miner_scores[4].score); /* d and e: 2.5% each */
}

static void a_zipcode_given_twice_keeps_one_weight(void **state)
{
    const tl_compat_win wins[] = {{TL_STR("a"), 100}};
    const tl_compat_win none[] = {{TL_STR("b"), 0}};
    const tl_compat_zipcode zipcodes[] = {{TL_STR("1"), wins, 1, NULL, 0},
                                          {TL_STR("1"), none, 1, NULL, 0}};
    tl_compat_epoch epoch;
    assert_int_equal(tl_compat_epoch_run(&epoch, *state, zipcodes, 2, NULL), TL_OK);
    assert_int_equal(epoch.zipcode_count, 1);
    assert_true(epoch.zipcode_weights[0].score ==
                0); /* the last one's, and so nobody has a score */
    assert_int_equal(epoch.miner_count, 0);
    assert_int_equal(epoch.total_winners, 2);
}

static void listings_beyond_a_double_are_refused(void **state)
{
    const tl_compat_win wins[] = {{TL_STR("a"), (UINT64_C(1) << 53) - 1}, {TL_STR("b"), 1}};
    const tl_compat_zipcode zipcode = {TL_STR("1"), wins, 2, NULL, 0};
    tl_compat_epoch epoch = {.miner_count = 9};
    assert_int_equal(tl_compat_epoch_run(&epoch, *state, &zipcode, 1, NULL), TL_ERR_RANGE);
    assert_int_equal(epoch.miner_count, 9);
}

static void the_text_is_pythons_json(void **state)
{
    const tl_compat_score scores[] = {
        {TL_STR("b\x7f\xc3\xa9\xf0\x9f\x98\x80/"), -0.0}, {TL_STR("a"), 1}, {TL_STR("a"), 1e-5}};
    tl_compat_epoch epoch = {.miner_scores = scores, .miner_count = 3, .total_winners = 4};
    tl_str text;
    assert_int_equal(tl_compat_epoch_text(&text, *state, TL_STR("\"\x01\n"), &epoch, NULL), TL_OK);
    assert_string_equal(text.ptr,
                        "{\"epoch_nonce\":\"\\\"\\u0001\\n\",\"miner_scores\":[[\"a\",1e-05],"
                        "[\"b\\u007f\\u00e9\\ud83d\\ude00/\",-0.0]],\"total_epoch_listings\":0,"
                        "\"total_participants\":0,\"total_winners\":4,\"zipcode_weights\":[]}");
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    const tl_compat_win wins[] = {{TL_STR("a"), 3}, {TL_STR("b"), 2}};
    const tl_str took_part[] = {TL_STR("c")};
    const tl_compat_zipcode zipcode = {TL_STR("1"), wins, 2, took_part, 1};
    bool is_through = false;
    for (size_t limit = 256; !is_through; limit += 256) {
        tl_arena *small = NULL;
        tl_compat_epoch epoch;
        tl_hash32 hash;
        assert_in_range(limit, 256, 1 << 20);
        if (tl_arena_new(&small, NULL, limit, NULL, NULL) != TL_OK) {
            continue;
        }
        tl_err err = tl_compat_epoch_run(&epoch, small, &zipcode, 1, NULL);
        if (err == TL_OK) {
            err = tl_compat_epoch_hash(&hash, small, TL_STR("n"), &epoch, NULL);
        }
        assert_true(err == TL_OK || err == TL_ERR_LIMIT);
        is_through = err == TL_OK;
        tl_arena_free(small);
    }
}

/* --- agreement, and the document's --- */

static void a_tie_goes_to_the_first_and_self_is_a_name(void **state)
{
    const tl_compat_vote votes[] = {{TL_STR("v"), TL_STR("x")},
                                    {TL_STR("w"), TL_STR("y")},
                                    {TL_STR("v"), TL_STR("y")},
                                    {TL_STR("self"), TL_STR("q")}};
    tl_compat_agreement a;
    assert_int_equal(tl_compat_agree(&a, *state, votes, 4, TL_STR("z"), 0.5, NULL), TL_OK);
    assert_int_equal(a.total_validators, 3);
    assert_true(tl_str_eq_cstr(a.majority_hash, "y"));
    assert_int_equal(a.status, TL_COMPAT_MAJORITY_CONSENSUS);
    assert_false(a.matches_majority);
    assert_int_equal(a.outlier_count, 1);
    assert_true(tl_str_eq_cstr(a.outliers[0], "self"));
    assert_int_equal(tl_compat_agree(&a, *state, votes, 2, TL_STR("y"), 0.9, NULL), TL_OK);
    assert_int_equal(a.fallback, TL_COMPAT_STOP); /* two of three */
    assert_true(tl_str_eq_cstr(a.majority_hash, "y"));
    assert_int_equal(tl_compat_agree(&a, *state, votes, 1, TL_STR("y"), 0.5, NULL), TL_OK);
    assert_true(tl_str_eq_cstr(a.majority_hash, "x")); /* one each: seen first */
}

static void two_patterns_make_a_suspicion(void **state)
{
    (void)state;
    tl_compat_synthetic verdict;
    const tl_compat_anomalies edge = {0.10, 0.05, 0.05, 0.10};
    tl_compat_synthetic_judge(&verdict, &edge);
    assert_int_equal(verdict.pattern_count, 0);
    const tl_compat_anomalies all = {1, 1, 1, 1};
    tl_compat_synthetic_judge(&verdict, &all);
    assert_int_equal(verdict.pattern_count, 4);
    assert_true(verdict.is_synthetic && verdict.confidence == 0.95);
    assert_string_equal(verdict.patterns[3], "cross_miner_duplicates");
    const tl_py_value zipcodes[] = {{0}, {.kind = TL_PY_STR, .text = TL_STR("1")}};
    const tl_str pots[] = {TL_STR("2"), TL_STR("1")};
    assert_true(tl_compat_honeypot_hit(zipcodes, 2, pots, 2));
    assert_false(tl_compat_honeypot_hit(zipcodes, 1, pots, 2));
    assert_false(tl_compat_honeypot_hit(zipcodes, 2, pots, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tier_one_cuts_doubles),
        cmocka_unit_test(versions_have_names),
        cmocka_unit_test(the_earlier_question_raises),
        cmocka_unit_test(a_huge_price_ends_the_run),
        cmocka_unit_test(keys_are_pythons_texts),
        cmocka_unit_test(every_duplicate_is_counted),
        cmocka_unit_test(two_days_less_a_microsecond_is_fresh),
        cmocka_unit_test(what_is_no_listing_is_refused),
        cmocka_unit_test(samples_ascend_and_differ),
        cmocka_unit_test(nobody_after_the_third_winner_is_looked_at),
        cmocka_unit_test(an_exception_ends_the_race_and_an_error_leaves_it),
        cmocka_unit_test(scores_are_shared_out_whole),
        cmocka_unit_test(a_zipcode_given_twice_keeps_one_weight),
        cmocka_unit_test(listings_beyond_a_double_are_refused),
        cmocka_unit_test(the_text_is_pythons_json),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
        cmocka_unit_test(a_tie_goes_to_the_first_and_self_is_a_name),
        cmocka_unit_test(two_patterns_make_a_suspicion),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
