/* Attacks time that runs backwards, calendars at their borders, and entropy that differs between runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/world/world.h"

static void a_manual_clock_moves_only_when_told(void **state)
{
    (void)state;
    tl_manual_clock storage;
    const tl_clock clock = tl_manual_clock_start(&storage, 5000);
    assert_true(tl_clock_wall_ns(&clock) == 5000 && tl_clock_steady_ns(&clock) == 0);
    assert_true(tl_clock_wall_ns(&clock) == 5000);
    tl_manual_clock_step(&storage, 7); /* WORLD-1 */
    assert_true(tl_clock_wall_ns(&clock) == 5007 && tl_clock_steady_ns(&clock) == 7);
}

static void one_seed_gives_one_stream(void **state)
{
    (void)state;
    tl_seeded_entropy a_storage;
    tl_seeded_entropy b_storage;
    const tl_entropy a = tl_seeded_entropy_start(&a_storage, 0);
    const tl_entropy b = tl_seeded_entropy_start(&b_storage, 1);
    uint8_t x[20] = {0};
    uint8_t y[20] = {0};
    assert_int_equal(tl_entropy_fill(&a, x, sizeof x, NULL), TL_OK);
    assert_int_equal(tl_entropy_fill(&b, y, sizeof y, NULL), TL_OK);
    /* the first word of SplitMix64 from 0 is e220a8397b1dcdaf: WORLD-2 */
    const uint8_t first[8] = {0xaf, 0xcd, 0x1d, 0x7b, 0x39, 0xa8, 0x20, 0xe2};
    assert_memory_equal(x, first, sizeof first);
    assert_memory_not_equal(x, y, sizeof x);
}

static void times_are_told_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_C(1234567890123456789), "2009-02-13T23:31:30.123Z"},
        {INT64_C(951782400) * 1000000000, "2000-02-29T00:00:00.000Z"},
        {INT64_C(4107542399) * 1000000000, "2100-02-28T23:59:59.000Z"},
        {INT64_C(4107542400) * 1000000000, "2100-03-01T00:00:00.000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[TL_TIME_TEXT_CAP];
        tl_time_text(text, cases[i].wall_ns);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manual_clock_moves_only_when_told),
        cmocka_unit_test(one_seed_gives_one_stream),
        cmocka_unit_test(times_are_told_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
