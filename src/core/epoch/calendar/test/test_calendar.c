/* Attacks dates that do not exist, ids of odd forms, and walks every day and week of four centuries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/epoch/calendar/calendar.h"

static void every_day_of_ten_thousand_years_reads_back(void **state)
{
    (void)state; /* CAL-1 */
    const tl_day first = tl_day_from_ymd(1, 1, 1);
    const tl_day last = tl_day_from_ymd(9999, 12, 31);
    int32_t year = 0;
    int32_t month = 12;
    int32_t mday = 31;
    for (tl_day d = first; d <= last; d++) {
        char text[TL_DAY_TEXT_CAP];
        tl_day back = 0;
        tl_day_print(text, d);
        assert_int_equal(tl_day_parse(&back, tl_str_from_cstr(text), NULL), TL_OK);
        assert_int_equal(back, d);
        int32_t y;
        int32_t m;
        int32_t k;
        tl_day_to_ymd(d, &y, &m, &k);
        const bool next_day = y == year && m == month && k == mday + 1;
        const bool next_month =
            k == 1 && ((y == year && m == month + 1) || (y == year + 1 && m == 1));
        assert_true(next_day || next_month);
        year = y;
        month = m;
        mday = k;
    }
    assert_int_equal(tl_day_from_ymd(1970, 1, 1), 0);
    assert_int_equal(tl_day_from_ymd(2000, 3, 1), 11017);
    assert_int_equal(tl_day_weekday(0), 3);
    assert_int_equal(tl_day_weekday(-4), 6);
}

static void days_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {"2023-02-29", "1900-02-29",  "2024-13-01", "2024-00-10", "2024-01-00",
                         "2024-04-31", "0000-01-01",  "2024-1-01",  "2024/01/01", "20240101",
                         "",           "2024-01-01 ", "+024-01-01", "２０２４"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_day d = 7;
        const tl_err err = tl_day_parse(&d, tl_str_from_cstr(bad[i]), NULL);
        assert_true(err == TL_ERR_SYNTAX || err == TL_ERR_RANGE);
        assert_int_equal(d, 7);
    }
    tl_day d;
    assert_int_equal(tl_day_parse(&d, TL_STR("2000-02-29"), NULL), TL_OK);
}

static void weeks_follow_each_other_without_a_gap(void **state)
{
    (void)state; /* CAL-2 */
    const tl_day from = tl_day_from_ymd(1990, 1, 1);
    for (tl_day d = from; d < from + 400 * 365; d++) {
        char id[TL_EPOCH_ID_CAP];
        tl_epoch_span span;
        tl_epoch_id_weekly(id, d);
        assert_int_equal(tl_epoch_span_parse(&span, tl_str_from_cstr(id), NULL), TL_OK);
        assert_int_equal(span.first, d - tl_day_weekday(d));
        assert_int_equal(span.last, span.first + 6);
    }
}

static void known_weeks_are_where_a_calendar_shows_them(void **state)
{
    (void)state;
    tl_epoch_span span;
    assert_int_equal(tl_epoch_span_parse(&span, TL_STR("2024-Q1-W1"), NULL), TL_OK);
    assert_int_equal(span.first, tl_day_from_ymd(2024, 1, 1));
    assert_int_equal(tl_epoch_span_parse(&span, TL_STR("2023-Q1-W1"), NULL), TL_OK);
    assert_int_equal(span.first, tl_day_from_ymd(2023, 1, 2));
    assert_int_equal(tl_epoch_span_parse(&span, TL_STR("2024-Q3-W14"), NULL), TL_OK);
    assert_int_equal(span.first, tl_day_from_ymd(2024, 9, 30));
    assert_int_equal(span.last, tl_day_from_ymd(2024, 10, 6));
    assert_int_equal(tl_epoch_span_parse(&span, TL_STR("2024-M02"), NULL), TL_OK);
    assert_int_equal(span.last, tl_day_from_ymd(2024, 2, 29));
}

static void odd_ids_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {
        "",          "2024-Q1-W0",  "2024-Q1-W01", "2024-Q0-W1", "2024-Q5-W1", "2024-Q1-W15",
        "2024-Q1-W", "2024-q1-W1",  "2024-Q1-W14", "2024-M00",   "2024-M13",   "2024-M1",
        "024-Q1-W1", "2024-Q1-W1 ", "2024-Q1-Wx",  "2024-M012",  "0000-M01",   "2024-Q1W1x",
        "9999-Q4-W1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_epoch_span span;
        const tl_err err = tl_epoch_span_parse(&span, tl_str_from_cstr(bad[i]), NULL);
        assert_true(err == TL_ERR_SYNTAX || err == TL_ERR_RANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years_reads_back),
        cmocka_unit_test(days_that_do_not_exist_are_refused),
        cmocka_unit_test(weeks_follow_each_other_without_a_gap),
        cmocka_unit_test(known_weeks_are_where_a_calendar_shows_them),
        cmocka_unit_test(odd_ids_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
