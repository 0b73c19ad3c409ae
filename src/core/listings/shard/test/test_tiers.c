/* Attacks one submission at a time: each threshold from both sides, objects that are no objects, times that cannot be,
 * places that are others. */
#include "core/listings/shard/test/shards.h"

static row rows[ROWS_CAP];

static void an_honest_submission_passes_and_is_sampled(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    honest_rows(rows, 0, 100);
    const tl_sheet s = judge_alone(&w, rows, 100);
    assert_true(s.passes_tier1 && s.passes_tier2 && !s.is_synthetic && !s.is_disqualified);
    assert_int_equal(s.finding_count, 0);
    assert_int_equal(s.rows, 100);
    assert_int_equal(s.complete, 100);
    assert_int_equal(s.reasonable, 100);
    assert_int_equal(s.consistent, 100);
    assert_int_equal(s.distinct, 100);
    assert_int_equal(s.data_quality_millionths, 1000000);
    assert_int_equal(s.completeness_millionths, 1000000);
    assert_int_equal(s.timeliness_millionths, 500000);
    assert_int_equal(s.sample_asked, 10);
    assert_int_equal(s.sample_count, 15);
    for (size_t i = 0; i < s.sample_count; i++) {
        const tl_sample *const sample = &s.samples[i];
        char identity[32];
        tl_str_print(identity, sizeof identity, "zpid:%u", sample->index);
        assert_true(tl_str_eq_cstr(sample->identity, identity));
        assert_true(sample->price_cents == (int64_t)rows[sample->index].price * 100);
        assert_true(sample->bathrooms_hundredths == 250);
        assert_true(tl_str_eq_cstr(sample->status, "FOR_SALE"));
        assert_string_equal(sample->zipcode, "98103");
    }
    tear_down(&w);
}

static void tier_1_takes_both_ends(void **state)
{
    (void)state;
    static const struct {
        uint32_t expected;
        uint32_t rows;
        bool passes;
    } cases[] = {{100, 84, false}, {100, 85, true}, {100, 115, true}, {100, 116, false},
                 {10, 8, false},   {10, 9, true},   {10, 11, true},   {10, 12, false},
                 {1, 1, true},     {0, 1, false},   {200, 170, true}, {200, 230, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world w;
        set_up(&w);
        w.context.expected = cases[i].expected;
        honest_rows(rows, 0, cases[i].rows);
        const tl_sheet s = judge_alone(&w, rows, cases[i].rows);
        assert_int_equal(s.passes_tier1, cases[i].passes);
        const tl_finding *const f = finding_of(&s, TL_LISTING_QUANTITY);
        assert_int_equal(f == NULL, cases[i].passes);
        assert_true(f == NULL || (f->count == cases[i].rows && f->index_count == 0));
        assert_int_equal(s.sample_count == 0, !cases[i].passes);
        assert_int_equal(s.passes_tier2, true);
        tear_down(&w);
    }
}

static void nothing_fails_both_tiers(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    w.context.expected = 0;
    const tl_sheet s = judge_alone(&w, rows, 0);
    assert_false(s.passes_tier2);
    assert_int_equal(s.data_quality_millionths, 0);
    tear_down(&w);
}

static void late_is_after_the_deadline(void **state)
{
    (void)state;
    for (int64_t delay = 0; delay <= 1; delay++) {
        world w;
        set_up(&w);
        start(&w);
        honest_rows(rows, 0, 100);
        const tl_bytes object = object_of(w.arena, rows, 0, 100);
        tl_shard_entry entry = entry_of("late", &object, 1);
        entry.received_ms = DEADLINE_MS + delay;
        add(&w, &entry);
        const tl_shard_result r = finish(&w);
        assert_int_equal(r.sheets[0].passes_tier1, delay == 0);
        assert_int_equal(finding_of(&r.sheets[0], TL_LISTING_LATE) != NULL, delay != 0);
        assert_int_equal(r.sheets[0].timeliness_millionths, 0);
        tear_down(&w);
    }
}

/* The first bad of 100 rows are wrong in one way: the rule speaks when more than allowed are, and names the first 16. */
static void check_rule(void (*spoil)(row *r), tl_listing_rule rule, uint32_t allowed, bool is_tier2)
{
    for (uint32_t bad = allowed; bad <= allowed + 1; bad++) {
        world w;
        set_up(&w);
        honest_rows(rows, 0, 100);
        for (uint32_t i = 0; i < bad; i++) {
            spoil(&rows[2 * i]);
        }
        const tl_sheet s = judge_alone(&w, rows, 100);
        const tl_finding *const f = finding_of(&s, rule);
        assert_int_equal(f != NULL, bad > allowed);
        assert_int_equal(s.passes_tier2, !is_tier2 || bad <= allowed);
        if (f != NULL) {
            assert_int_equal(f->count, bad);
            assert_int_equal(f->rate_millionths, bad * 10000);
            assert_int_equal(f->index_count, bad < 16 ? bad : 16);
            for (uint32_t i = 0; i < f->index_count; i++) {
                assert_int_equal(f->indices[i], 2 * i);
            }
        }
        tear_down(&w);
    }
}

static void lose_mls(row *r)
{
    r->lacks_mls = true;
}

static void blank_bedrooms(row *r)
{
    r->bedrooms = "\" \"";
}

static void too_many_baths(row *r)
{
    r->bathrooms = "20.01";
}

static void negative_beds(row *r)
{
    r->bedrooms = "-1";
}

static void words_for_beds(row *r)
{
    r->bedrooms = "\"three\"";
}

static void tiny(row *r)
{
    r->sqft = 99;
    r->price = 40000; /* its price a square foot stays */
}

static void other_zipcode(row *r)
{
    r->zipcode = "\"98104\"";
}

static void other_address(row *r)
{
    r->address_tail = ", Seattle, WA 98104";
}

static void no_zipcode(row *r)
{
    r->zipcode = NULL;
    r->address_tail = "";
}

static void listed_after(row *r)
{
    r->listed = "\"2025-10-03T02:00:00Z\"";
}

static void scraped_early(row *r)
{
    r->scraped = "\"2025-10-02T22:59:59.999Z\"";
}

static void scraped_late(row *r)
{
    r->scraped = "\"2025-10-03T04:00:00.001Z\"";
}

static void no_date(row *r)
{
    r->listed = "\"soon\"";
}

static void negative_days(row *r)
{
    r->days = "-1";
}

static void other_city(row *r)
{
    r->city = "\"Tacoma\"";
}

static void other_state(row *r)
{
    r->state = "\"Oregon\"";
}

static void far_away(row *r)
{
    r->latitude = "47.5";
}

static void tier_2_has_its_thresholds(void **state)
{
    (void)state;
    check_rule(lose_mls, TL_LISTING_COMPLETENESS, 10, true);
    check_rule(blank_bedrooms, TL_LISTING_COMPLETENESS, 10, true);
    check_rule(too_many_baths, TL_LISTING_VALUES, 5, true);
    check_rule(negative_beds, TL_LISTING_VALUES, 5, true);
    check_rule(words_for_beds, TL_LISTING_VALUES, 5, true);
    check_rule(tiny, TL_LISTING_VALUES, 5, true);
    check_rule(other_zipcode, TL_LISTING_CONSISTENCY, 10, true);
    check_rule(other_address, TL_LISTING_CONSISTENCY, 10, true);
    check_rule(no_zipcode, TL_LISTING_CONSISTENCY, 10, true);
    check_rule(no_date, TL_LISTING_CONSISTENCY, 10, true);
    check_rule(listed_after, TL_LISTING_CONSISTENCY, 10, true);
    check_rule(scraped_early, TL_LISTING_CONSISTENCY, 10, true);
    check_rule(scraped_late, TL_LISTING_CONSISTENCY, 10, true);
}

static void patterns_have_their_thresholds(void **state)
{
    (void)state;
    check_rule(other_zipcode, TL_LISTING_GEOGRAPHY, 5, false);
    check_rule(other_city, TL_LISTING_GEOGRAPHY, 5, false);
    check_rule(other_state, TL_LISTING_GEOGRAPHY, 5, false);
    check_rule(far_away, TL_LISTING_GEOGRAPHY, 5, false);
    check_rule(listed_after, TL_LISTING_TIME, 5, false);
    check_rule(negative_days, TL_LISTING_TIME, 5, false);
    check_rule(scraped_early, TL_LISTING_TIME, 5, false);
    check_rule(scraped_late, TL_LISTING_TIME, 5, false);
}

static void values_at_their_limits_are_reasonable(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    honest_rows(rows, 0, 100);
    rows[0].price = 10000;
    rows[1].price = 9999;
    rows[2].price = 50000000;
    rows[3].price = 50000001;
    rows[4].sqft = 100;
    rows[5].sqft = 100000;
    rows[6].sqft = 100001;
    rows[7].bedrooms = "0";
    rows[8].bedrooms = "20";
    rows[9].bathrooms = NULL;
    const tl_sheet s = judge_alone(&w, rows, 100);
    assert_int_equal(s.reasonable, 97);
    assert_int_equal(s.complete, 99);
    tear_down(&w);
}

static void half_of_the_rows_may_share_a_second(void **state)
{
    (void)state;
    for (uint32_t same = 50; same <= 51; same++) {
        world w;
        set_up(&w);
        honest_rows(rows, 0, 100);
        for (uint32_t i = 0; i < 100; i++) {
            rows[i].scraped = i % 2 == 0 ? "\"2025-10-03T01:00:00.5Z\"" : NULL;
        }
        rows[99].scraped = same == 51 ? "\"2025-10-03T02:00:00+01:00\"" : NULL;
        const tl_sheet s = judge_alone(&w, rows, 100);
        const tl_finding *const f = finding_of(&s, TL_LISTING_TIME);
        assert_int_equal(f != NULL, same == 51);
        assert_true(f == NULL || (f->count == 51 && f->indices[1] == 2 && f->index_count == 16));
        assert_true(s.passes_tier2 && !s.is_synthetic);
        tear_down(&w);
    }
}

static void duplicates_go_by_identity(void **state)
{
    (void)state;
    for (uint32_t twice = 5; twice <= 6; twice++) {
        world w;
        set_up(&w);
        honest_rows(rows, 0, 100);
        for (uint32_t i = 0; i < twice; i++) {
            rows[50 + i].house = rows[i].house; /* of another price */
        }
        const tl_sheet s = judge_alone(&w, rows, 100);
        const tl_finding *const f = finding_of(&s, TL_LISTING_DUPLICATES);
        assert_int_equal(s.distinct, 100 - twice);
        assert_int_equal(f != NULL, twice == 6);
        assert_true(f == NULL || (f->count == 6 && f->indices[0] == 50 && f->indices[5] == 55));
        assert_int_equal(s.passes_tier2, twice == 5);
        tear_down(&w);
    }
}

static void two_patterns_are_synthetic(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    honest_rows(rows, 0, 100);
    for (uint32_t i = 0; i < 6; i++) {
        other_city(&rows[i]);
        negative_days(&rows[i + 20]);
    }
    const tl_sheet two = judge_alone(&w, rows, 100);
    assert_true(two.is_synthetic && two.is_disqualified && two.passes_tier2);
    assert_int_equal(two.confidence_millionths, 700000);
    assert_int_equal(two.sample_count, 0);
    w.params.synthetic_bp_min = 7001;
    const tl_sheet flagged = judge_alone(&w, rows, 100);
    assert_true(flagged.is_synthetic && !flagged.is_disqualified);
    for (uint32_t i = 0; i < 11; i++) {
        rows[40 + i].price *= 30;
    }
    w.params.synthetic_bp_min = 7000;
    const tl_sheet three = judge_alone(&w, rows, 100);
    assert_int_equal(three.confidence_millionths, 900000);
    tear_down(&w);
}

static void names_of_neighbours_are_no_lie(void **state)
{
    (void)state;
    static const char csv[] = "zipcode,city,state,county,latitude,longitude\n"
                              "98103,Seattle,WA,King,47.6731,-122.3415\n"
                              "98133,Shoreline,WA,King,47.7377,-122.3431\n"
                              "98402,Tacoma,WA,Pierce,47.2511,-122.4411\n"
                              "97201,Saint Helens,OR,Columbia,45.50,-122.69\n";
    static const struct {
        const char *city;
        bool is_lie;
    } cases[] = {{"\"SHORELINE\"", false},
                 {"\"Fremont\"", false},
                 {"\"Tacoma\"", true},
                 {"\"St. Helens\"", true},
                 {"\"seattle \"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world w;
        set_up(&w);
        tl_places places;
        assert_int_equal(tl_places_read(&places, w.arena, tl_str_from_cstr(csv), NULL), TL_OK);
        w.context.places = &places;
        honest_rows(rows, 0, 100);
        for (uint32_t k = 0; k < 6; k++) {
            rows[k].city = cases[i].city;
        }
        const tl_sheet s = judge_alone(&w, rows, 100);
        assert_int_equal(finding_of(&s, TL_LISTING_GEOGRAPHY) != NULL, cases[i].is_lie);
        tear_down(&w);
    }
}

static void bad_objects_make_failing_sheets(void **state)
{
    (void)state; /* SHARD-3 */
    static const char *const objects[] = {"",
                                          "[]",
                                          "{\"listings\":7}",
                                          "{\"zipcode\":\"98103\"}",
                                          "{\"zipcode\":\"98104\",\"listings\":[]}",
                                          "{\"zipcode\":\"98103\",\"listings\":[{}",
                                          "{\"listings\":[{\"price\":1,\"price\":1}]}"};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        world w;
        set_up(&w);
        start(&w);
        honest_rows(rows, 0, 100);
        const tl_bytes two[] = {object_of(w.arena, rows, 0, 100),
                                tl_str_bytes(tl_str_from_cstr(objects[i]))};
        const tl_shard_entry entry = entry_of("5bad", two, 2);
        add(&w, &entry);
        add_rows(&w, "5good", rows, 100);
        const tl_shard_result r = finish(&w);
        const size_t bad = tl_str_eq_cstr(r.sheets[0].hotkey, "5bad") ? 0 : 1;
        const tl_sheet *const s = &r.sheets[bad];
        assert_true(!s->passes_tier1 && !s->passes_tier2 && s->rows == 0 && s->sample_count == 0);
        assert_non_null(finding_of(s, TL_LISTING_QUANTITY));
        assert_true(tl_str_starts_with(r.faults[bad], TL_STR("object 1")));
        assert_true(r.sheets[1 - bad].passes_tier1 && r.sheets[1 - bad].passes_tier2);
        assert_int_equal(r.faults[1 - bad].len, 0);
        tear_down(&w);
    }
}

static void too_many_rows_are_counted_and_no_more(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    start(&w);
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, w.arena);
    tl_sb_put_cstr(&sb, "{\"listings\":[{}");
    for (uint32_t i = 0; i < TL_SUBMISSION_ROWS_MAX; i++) {
        tl_sb_put_cstr(&sb, ",{}");
    }
    tl_sb_put_cstr(&sb, "]}");
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    const tl_bytes object = tl_str_bytes(text);
    const tl_shard_entry entry = entry_of("many", &object, 1);
    add(&w, &entry);
    const tl_shard_result r = finish(&w);
    assert_int_equal(r.sheets[0].rows, 0);
    assert_true(r.faults[0].len != 0);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_submission_passes_and_is_sampled),
        cmocka_unit_test(tier_1_takes_both_ends),
        cmocka_unit_test(nothing_fails_both_tiers),
        cmocka_unit_test(late_is_after_the_deadline),
        cmocka_unit_test(tier_2_has_its_thresholds),
        cmocka_unit_test(patterns_have_their_thresholds),
        cmocka_unit_test(values_at_their_limits_are_reasonable),
        cmocka_unit_test(half_of_the_rows_may_share_a_second),
        cmocka_unit_test(duplicates_go_by_identity),
        cmocka_unit_test(two_patterns_are_synthetic),
        cmocka_unit_test(names_of_neighbours_are_no_lie),
        cmocka_unit_test(bad_objects_make_failing_sheets),
        cmocka_unit_test(too_many_rows_are_counted_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
