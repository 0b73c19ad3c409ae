/* Attacks the policies with odd rules, odd texts and time that jumps: back-off, Retry-After, breaker, pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/net/client/client.h"

#define MS ((int64_t)1000000)
#define S  (1000 * MS)

static void waits_double_up_to_the_cap(void **state)
{
    (void)state;
    const tl_backoff rule = {.retries_max = 9, .base_ms = 100, .cap_ms = 1500};
    const uint64_t expected[] = {100, 200, 400, 800, 1500, 1500};
    for (uint32_t k = 0; k < 6; k++) {
        assert_int_equal(tl_backoff_ms(&rule, k, UINT32_MAX), expected[k]);
    }
    assert_int_equal(tl_backoff_ms(&rule, UINT32_MAX, 7), 1500);
    const tl_backoff zero = {0};
    assert_int_equal(tl_backoff_ms(&zero, 0, 0), TL_BACKOFF_BASE_MS);
    assert_int_equal(tl_backoff_ms(&zero, 40, 0), TL_BACKOFF_CAP_MS);
    const tl_backoff huge = {.base_ms = UINT32_MAX, .cap_ms = UINT32_MAX, .jitter_percent = 255};
    assert_int_equal(tl_backoff_ms(&huge, 31, 0), UINT32_MAX);
    assert_true(tl_backoff_ms(&huge, 31, UINT32_MAX) <= 2);
}

static void jitter_takes_off_at_most_its_part(void **state)
{
    (void)state;
    const tl_backoff rule = {.base_ms = 1000, .cap_ms = 8000, .jitter_percent = 50};
    uint64_t seed = 1;
    for (int i = 0; i < 1000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const uint64_t wait = tl_backoff_ms(&rule, 1, (uint32_t)(seed >> 32));
        assert_in_range(wait, 1000, 2000);
    }
    assert_int_equal(tl_backoff_ms(&rule, 1, 0), 2000);
    assert_int_equal(tl_backoff_ms(&rule, 1, 1u << 31), 1500);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    const int64_t now = 784111777 * S - 7 * S; /* 7 s before 1994-11-06 08:49:37 */
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {"99999999999", (int64_t)(1 << 30) * 1000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 7000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 7000},
        {"Sun Nov  6 08:49:37 1994", 7000},
        {"Sat Nov 05 08:49:37 1994", 0},
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
        {"Sun, 06 Now 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"-1", -1},
        {"1.5", -1},
        {"+5", -1},
        {"", -1},
        {",", -1},
        {" ", -1},
        {"99999999999999999999999", -1},
        {"Sun Nov  6 08:49:37 1994 GMT", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t ms = 42;
        const bool is_good = tl_retry_after_ms(&ms, tl_str_from_cstr(cases[i].text), now);
        assert_int_equal(is_good, cases[i].ms >= 0);
        assert_true(ms == (cases[i].ms >= 0 ? (uint64_t)cases[i].ms : 42));
    }
    uint64_t ms = 0;
    assert_true(tl_retry_after_ms(&ms, TL_STR("Friday, 06-Nov-99 00:00:00 GMT"), 1700000000 * S));
    assert_int_equal(ms, 0); /* 1999, not 2099: more than 50 years ahead is past */
}

static void breaker_opens_after_failures_in_a_row_only(void **state)
{
    (void)state;
    const tl_breaker_rule rule = {.failures_max = 3, .open_ms = 1000, .probes_max = 2};
    tl_breaker b = {0};
    for (int i = 0; i < 20; i++) {
        assert_true(tl_breaker_ask(&b, &rule, i));
        tl_breaker_tell(&b, &rule, i % 3 == 2, i); /* two bad, one good */
    }
    assert_int_equal(b.state, TL_BREAKER_CLOSED);
    tl_breaker_tell(&b, &rule, true, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(b.state, TL_BREAKER_CLOSED);
        tl_breaker_tell(&b, &rule, false, 5 * S);
    }
    assert_int_equal(b.state, TL_BREAKER_OPEN);
    assert_false(tl_breaker_ask(&b, &rule, 5 * S));
    assert_false(tl_breaker_ask(&b, &rule, 6 * S - 1));
}

static void breaker_lets_one_probe_through_at_a_time(void **state)
{
    (void)state;
    const tl_breaker_rule rule = {.failures_max = 1, .open_ms = 1000, .probes_max = 2};
    tl_breaker b = {0};
    tl_breaker_tell(&b, &rule, false, 0);
    tl_breaker_tell(&b, &rule, true, 0); /* it went out before: says nothing now */
    assert_int_equal(b.state, TL_BREAKER_OPEN);
    assert_true(tl_breaker_ask(&b, &rule, S));
    assert_int_equal(b.state, TL_BREAKER_HALF_OPEN);
    assert_false(tl_breaker_ask(&b, &rule, S));
    tl_breaker_tell(&b, &rule, true, S);
    assert_int_equal(b.state, TL_BREAKER_HALF_OPEN);
    assert_true(tl_breaker_ask(&b, &rule, S));
    tl_breaker_forget(&b); /* cancelled: the place is free again */
    assert_true(tl_breaker_ask(&b, &rule, S));
    tl_breaker_tell(&b, &rule, true, S);
    assert_int_equal(b.state, TL_BREAKER_CLOSED);
    tl_breaker_tell(&b, &rule, false, 2 * S);
    assert_true(tl_breaker_ask(&b, &rule, 3 * S));
    tl_breaker_tell(&b, &rule, false, 3 * S); /* a bad probe: from the beginning */
    assert_int_equal(b.state, TL_BREAKER_OPEN);
    assert_false(tl_breaker_ask(&b, &rule, 4 * S - 1));
    assert_true(tl_breaker_ask(&b, &rule, 4 * S));
}

static void without_a_rule_nothing_is_held_back(void **state)
{
    (void)state;
    tl_breaker b = {0};
    tl_pace p = {0};
    for (int i = 0; i < 100; i++) {
        tl_breaker_tell(&b, &(tl_breaker_rule){0}, false, 0);
        assert_true(tl_breaker_ask(&b, &(tl_breaker_rule){0}, 0));
        assert_int_equal(tl_pace_take(&p, &(tl_pace_rule){0}, 0), 0);
    }
}

static void pace_gives_a_burst_and_then_its_rate(void **state)
{
    (void)state;
    const tl_pace_rule rule = {.per_s = 10, .burst = 5};
    tl_pace p = {0};
    unsigned taken = 0;
    for (int64_t now = 100 * S; now < 102 * S; now += MS) {
        taken += tl_pace_take(&p, &rule, now) == 0;
    }
    assert_int_equal(taken, 5 + 19); /* 2 s, the last token just beyond them */
    const int64_t wait = tl_pace_take(&p, &rule, 102 * S - MS);
    assert_in_range(wait, 1, 100 * MS);
    assert_int_equal(tl_pace_take(&p, &rule, 102 * S - MS + wait), 0);
    taken = 0;
    for (int i = 0; i < 10; i++) { /* a pause fills it, to the brim and no further */
        taken += tl_pace_take(&p, &rule, 1000 * S) == 0;
    }
    assert_int_equal(taken, 5);
}

static void every_fault_has_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < TL_CLIENT_FAULT_COUNT; i++) {
        assert_true(tl_client_fault_text((tl_client_fault)i)[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_cap),
        cmocka_unit_test(jitter_takes_off_at_most_its_part),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(breaker_opens_after_failures_in_a_row_only),
        cmocka_unit_test(breaker_lets_one_probe_through_at_a_time),
        cmocka_unit_test(without_a_rule_nothing_is_held_back),
        cmocka_unit_test(pace_gives_a_burst_and_then_its_rate),
        cmocka_unit_test(every_fault_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
