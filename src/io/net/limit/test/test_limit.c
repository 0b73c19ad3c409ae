/* Attacks limits with bursts, penalties that double, clocks that jump, more strangers than entries, sixteen threads; lists
 * with every spelling of a key and ranges of every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "io/net/limit/limit.h"

#define S   INT64_C(1000000000)
#define NOW (1000000 * S)

static tl_net_addr addr(const char *text)
{
    tl_net_addr a;
    assert_true(tl_net_ip_parse(&a, tl_str_from_cstr(text), 80));
    return a;
}

static tl_limit *limit_of(tl_limit_rules rules)
{
    tl_limit *limit = NULL;
    assert_int_equal(tl_limit_new(&limit, &rules, NULL), TL_OK);
    return limit;
}

static void a_burst_passes_then_the_rate_holds(void **state)
{
    (void)state;
    tl_limit *limit = limit_of((tl_limit_rules){.rate_per_s = 4.0, .burst = 3.0});
    const tl_net_addr a = addr("10.0.0.1");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(tl_limit_take_ip(limit, &a, NOW), 0);
    }
    assert_int_equal(tl_limit_take_ip(limit, &a, NOW), 250);
    assert_int_equal(tl_limit_take_ip(limit, &a, NOW + S / 10), 150);
    assert_int_equal(tl_limit_take_ip(limit, &a, NOW + S / 4), 0);
    assert_int_equal(tl_limit_take_ip(limit, &a, NOW + S / 4), 250);
    for (unsigned i = 0; i < 3; i++) { /* never more than the burst */
        assert_int_equal(tl_limit_take_ip(limit, &a, NOW + 1000 * S), 0);
    }
    assert_true(tl_limit_take_ip(limit, &a, NOW + 1000 * S) > 0);
    const tl_net_addr b = addr("10.0.0.2");
    assert_int_equal(tl_limit_take_ip(limit, &b, NOW), 0);
    assert_int_equal(tl_limit_peek_ip(limit, &a, NOW), 0); /* no penalties here */
    tl_limit_free(limit);
}

static void strangers_are_shut_out_longer_each_time(void **state)
{
    (void)state;
    tl_limit *limit = limit_of(tl_limit_strangers());
    const tl_net_addr a = addr("192.0.2.7");
    int64_t now = NOW;
    static const uint32_t lengths_s[] = {60, 120, 240, 300, 300};
    for (size_t round = 0; round < sizeof lengths_s / sizeof lengths_s[0]; round++) {
        for (unsigned i = 0; i < 20; i++) {
            assert_int_equal(tl_limit_take_ip(limit, &a, now), 0);
        }
        assert_int_equal(tl_limit_peek_ip(limit, &a, now), 0);
        assert_int_equal(tl_limit_take_ip(limit, &a, now), lengths_s[round] * 1000);
        assert_int_equal(tl_limit_peek_ip(limit, &a, now), lengths_s[round] * 1000);
        now += lengths_s[round] * S - S / 2;
        assert_int_equal(tl_limit_peek_ip(limit, &a, now), 500);
        assert_int_equal(tl_limit_take_ip(limit, &a, now),
                         500); /* asking does not make it longer */
        now += S / 2;
        assert_int_equal(tl_limit_peek_ip(limit, &a, now), 0);
    }
    now += 601 * S; /* forgotten: it begins at 60 again */
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(tl_limit_take_ip(limit, &a, now), 0);
    }
    assert_int_equal(tl_limit_take_ip(limit, &a, now), 60000);
    assert_int_equal(tl_limit_retry_after_s(60000), 60);
    assert_int_equal(tl_limit_retry_after_s(59001), 60);
    assert_int_equal(tl_limit_retry_after_s(0), 0);
    tl_limit_free(limit);
}

static void a_clock_that_goes_back_gives_and_takes_nothing(void **state)
{
    (void)state; /* LIMIT-2 */
    tl_limit *limit = limit_of(
        (tl_limit_rules){.rate_per_s = 1.0, .burst = 1.0, .penalty_s = 10, .penalty_max_s = 10});
    const tl_net_addr a = addr("192.0.2.7");
    assert_int_equal(tl_limit_take_ip(limit, &a, NOW), 0);
    assert_int_equal(tl_limit_take_ip(limit, &a, NOW - 3600 * S), 10000); /* no token came */
    assert_int_equal(tl_limit_peek_ip(limit, &a, NOW - 7200 * S),
                     10000); /* no longer than it was */
    assert_int_equal(tl_limit_peek_ip(limit, &a, NOW - 7200 * S + 4 * S), 6000);
    tl_limit_free(limit);
}

static void an_ipv6_address_counts_by_its_network(void **state)
{
    (void)state; /* LIMIT-3 */
    tl_limit *limit = limit_of((tl_limit_rules){.rate_per_s = 1.0, .burst = 1.0});
    const tl_net_addr one = addr("2001:db8:0:1::1");
    const tl_net_addr same = addr("2001:db8:0:1:ffff::2");
    const tl_net_addr other = addr("2001:db8:0:2::1");
    assert_int_equal(tl_limit_take_ip(limit, &one, NOW), 0);
    assert_true(tl_limit_take_ip(limit, &same, NOW) > 0);
    assert_int_equal(tl_limit_take_ip(limit, &other, NOW), 0);
    const tl_net_addr v4 =
        addr("1.2.3.4"); /* all of IPv4 is one /64 when it is mapped: it must not be */
    const tl_net_addr next = addr("1.2.3.5");
    assert_int_equal(tl_limit_take_ip(limit, &v4, NOW), 0);
    assert_int_equal(tl_limit_take_ip(limit, &next, NOW), 0);
    tl_limit_free(limit);
}

static void the_table_never_grows_and_penalties_stay(void **state)
{
    (void)state; /* LIMIT-1 */
    tl_limit *limit = limit_of((tl_limit_rules){.rate_per_s = 1.0,
                                                .burst = 2.0,
                                                .penalty_s = 600,
                                                .penalty_max_s = 600,
                                                .entries_max = 15});
    uint8_t key[4] = {0};
    for (uint8_t i = 0; i < 15; i++) { /* a set full of penalties */
        key[0] = i;
        for (unsigned n = 0; n < 3; n++) {
            (void)tl_limit_take(limit, (tl_bytes){key, 4}, NOW);
        }
    }
    uint32_t shut_out = 0;
    for (uint32_t i = 0; i < 1000; i++) { /* newcomers share one bucket of two tokens */
        const uint8_t stranger[4] = {1, 1, (uint8_t)(i >> 8), (uint8_t)i};
        shut_out += tl_limit_take(limit, (tl_bytes){stranger, 4}, NOW) > 0 ? 1 : 0;
    }
    assert_int_equal(shut_out, 998);
    for (uint8_t i = 0; i < 15; i++) {
        key[0] = i;
        assert_int_equal(tl_limit_peek(limit, (tl_bytes){key, 4}, NOW + S), 599000);
    }
    tl_limit_free(limit);
    /* without penalties the one nearest to rest gives way */
    limit = limit_of((tl_limit_rules){.rate_per_s = 1.0, .burst = 2.0, .entries_max = 15});
    for (uint32_t i = 0; i < 1000; i++) {
        const uint8_t stranger[4] = {2, 2, (uint8_t)(i >> 8), (uint8_t)i};
        assert_int_equal(tl_limit_take(limit, (tl_bytes){stranger, 4}, NOW), 0);
    }
    tl_limit_free(limit);
}

static void no_rate_is_no_limit_and_odd_rules_are_refused(void **state)
{
    (void)state;
    tl_limit *limit = limit_of((tl_limit_rules){.rate_per_s = 0.0});
    const tl_hotkey key = {{1}};
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(tl_limit_take_hotkey(limit, &key, NOW), 0);
    }
    tl_limit_free(limit);
    tl_limit_free(NULL);
    const tl_limit_rules bad[] = {
        {.rate_per_s = -1.0, .burst = 1.0},
        {.rate_per_s = 2e9, .burst = 1.0},
        {.rate_per_s = 1.0, .burst = 0.5},
        {.rate_per_s = 1.0, .burst = 2e9},
        {.rate_per_s = 1.0, .burst = 1.0, .penalty_s = 86401},
        {.rate_per_s = 1.0, .burst = 1.0, .forget_s = 86401},
        {.rate_per_s = 1.0, .burst = 1.0, .entries_max = TL_LIMIT_ENTRIES_MAX + 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_limit_new(&limit, &bad[i], &ctx), TL_ERR_RANGE);
        assert_true(ctx.field[0] != '\0');
    }
}

enum { THREADS = 16, TAKES = 2000 };

typedef struct taker {
    tl_limit *limit;
    uint32_t taken;
} taker;

static void *take_many(void *self)
{
    taker *t = self;
    for (uint32_t i = 0; i < TAKES; i++) {
        const tl_net_addr a = {
            .ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, (uint8_t)(i % 8)}};
        t->taken += tl_limit_take_ip(t->limit, &a, NOW) == 0 ? 1 : 0;
    }
    return NULL;
}

static void many_threads_take_no_more_than_there_is(void **state)
{
    (void)state;
    tl_limit *limit = limit_of((tl_limit_rules){.rate_per_s = 1.0, .burst = 100.0});
    static taker takers[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        takers[i] = (taker){.limit = limit};
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
    }
    uint32_t taken = 0;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        taken += takers[i].taken;
    }
    assert_int_equal(taken, 8 * 100);
    tl_limit_free(limit);
}

/* --- lists --- */

#define ALICE   "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define ALICE_0 "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"
#define BOB     "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"

static tl_arena *arena;

static tl_limit_lists *lists_new(void)
{
    tl_limit_lists *lists = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_limit_lists_new(&lists, arena, NULL), TL_OK);
    return lists;
}

static void allow(tl_limit_lists *lists, const char *entry)
{
    assert_int_equal(tl_limit_lists_allow(lists, tl_str_from_cstr(entry), NULL), TL_OK);
}

static void block(tl_limit_lists *lists, const char *entry)
{
    assert_int_equal(tl_limit_lists_block(lists, tl_str_from_cstr(entry), NULL), TL_OK);
}

static bool admits(const tl_limit_lists *lists, const char *who)
{
    tl_hotkey key;
    if (strchr(who, '.') == NULL && strchr(who, ':') == NULL) {
        assert_int_equal(tl_ss58_decode(&key, tl_str_from_cstr(who), NULL), TL_OK);
        return tl_limit_lists_admits_hotkey(lists, &key);
    }
    const tl_net_addr a = addr(who);
    return tl_limit_lists_admits_ip(lists, &a);
}

static void empty_lists_admit_everybody_and_a_block_shuts_out_its_own(void **state)
{
    (void)state; /* LIMIT-4 */
    tl_limit_lists *lists = lists_new();
    assert_true(admits(lists, ALICE) && admits(lists, "1.2.3.4") && admits(lists, "::5"));
    block(lists, ALICE_0); /* any spelling of a key is the key */
    block(lists, "10.0.0.0/8");
    block(lists, "2001:db8::/33");
    assert_false(admits(lists, ALICE));
    assert_true(admits(lists, BOB));
    assert_false(admits(lists, "10.255.255.255"));
    assert_true(admits(lists, "11.0.0.0"));
    assert_false(admits(lists, "2001:db8:7fff::1"));
    assert_true(admits(lists, "2001:db8:8000::1"));
    tl_arena_free(arena);
}

static void an_allow_shuts_out_the_others_of_its_kind(void **state)
{
    (void)state; /* LIMIT-4 */
    tl_limit_lists *lists = lists_new();
    allow(lists, ALICE);
    assert_true(admits(lists, ALICE) && !admits(lists, BOB));
    assert_true(admits(lists, "1.2.3.4"));
    allow(lists, "192.0.2.0/25");
    assert_true(admits(lists, "192.0.2.127") && !admits(lists, "192.0.2.128"));
    assert_false(admits(lists, "::1"));
    block(lists, "192.0.2.5"); /* a block wins over an allow */
    block(lists, ALICE);
    assert_false(admits(lists, "192.0.2.5") || admits(lists, ALICE));
    tl_arena_free(arena);
}

static void ranges_of_every_length_end_where_they_should(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits <= 32; bits++) {
        tl_limit_lists *lists = lists_new();
        char entry[32];
        const uint32_t net = bits == 0 ? 0 : 0xAC100000U & (0xFFFFFFFFU << (32 - bits));
        tl_str_print(entry, sizeof entry, "%u.%u.%u.%u/%u", net >> 24, net >> 16 & 255,
                     net >> 8 & 255, net & 255, bits);
        block(lists, entry);
        for (uint32_t n = 0; n < 64; n++) { /* neighbours on both sides of each bit */
            const uint32_t at = net ^ (n < 32 ? 1U << n : 0) ^ (n >= 32 ? 3U << (n - 32) : 0);
            const bool is_in = bits == 0 || (at ^ net) >> (32 - bits) == 0;
            char who[32];
            tl_str_print(who, sizeof who, "%u.%u.%u.%u", at >> 24, at >> 16 & 255, at >> 8 & 255,
                         at & 255);
            assert_int_equal(admits(lists, who), !is_in);
        }
        assert_true(admits(lists, "2001::1")); /* all of IPv4 is not IPv6 */
        tl_arena_free(arena);
    }
    tl_limit_lists *lists = lists_new();
    block(lists, "::/0");
    assert_true(admits(lists, "1.2.3.4") && !admits(lists, "fe80::1"));
    tl_arena_free(arena);
}

static void who_is_exempt_is_loopback_or_allowed(void **state)
{
    (void)state;
    tl_limit_lists *lists = lists_new();
    allow(lists, "198.51.100.0/24");
    const tl_net_addr loop = addr("127.9.9.9");
    const tl_net_addr loop6 = addr("::1");
    const tl_net_addr friend = addr("198.51.100.3");
    const tl_net_addr stranger = addr("198.51.101.3");
    assert_true(tl_limit_lists_exempts(lists, &loop, false));
    assert_true(tl_limit_lists_exempts(lists, &loop6, false));
    assert_false(tl_limit_lists_exempts(lists, &loop, true));
    assert_true(tl_limit_lists_exempts(lists, &friend, true));
    assert_false(tl_limit_lists_exempts(lists, &stranger, false));
    tl_arena_free(arena);
}

static void odd_entries_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "5Grwva",
                                      ALICE "a",
                                      "10.0.0.1/8",
                                      "10.0.0.0/33",
                                      "10.0.0.0/",
                                      "10.0.0.0/-1",
                                      "10.0.0/8",
                                      "::1/129",
                                      "1.2.3.4.5",
                                      "host.example",
                                      "2001:db8::1/64",
                                      "10.0.0.0/08"};
    tl_limit_lists *lists = lists_new();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_limit_lists_allow(lists, tl_str_from_cstr(bad[i]), &ctx),
                         TL_ERR_SYNTAX);
        assert_int_equal(tl_limit_lists_block(lists, tl_str_from_cstr(bad[i]), &ctx),
                         TL_ERR_SYNTAX);
    }
    assert_true(admits(lists, BOB) && admits(lists, "10.0.0.1")); /* nothing was taken */
    for (uint32_t i = 0; i < TL_LIMIT_LIST_MAX; i++) {
        char entry[32];
        tl_str_print(entry, sizeof entry, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
        block(lists, entry);
    }
    assert_int_equal(tl_limit_lists_block(lists, TL_STR("11.0.0.1"), NULL), TL_ERR_LIMIT);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_then_the_rate_holds),
        cmocka_unit_test(strangers_are_shut_out_longer_each_time),
        cmocka_unit_test(a_clock_that_goes_back_gives_and_takes_nothing),
        cmocka_unit_test(an_ipv6_address_counts_by_its_network),
        cmocka_unit_test(the_table_never_grows_and_penalties_stay),
        cmocka_unit_test(no_rate_is_no_limit_and_odd_rules_are_refused),
        cmocka_unit_test(many_threads_take_no_more_than_there_is),
        cmocka_unit_test(empty_lists_admit_everybody_and_a_block_shuts_out_its_own),
        cmocka_unit_test(an_allow_shuts_out_the_others_of_its_kind),
        cmocka_unit_test(ranges_of_every_length_end_where_they_should),
        cmocka_unit_test(who_is_exempt_is_loopback_or_allowed),
        cmocka_unit_test(odd_entries_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
