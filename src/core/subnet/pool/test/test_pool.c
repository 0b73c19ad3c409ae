/* Attacks the pools: fees out of bounds, members twice, full and expired pools, runs broken by one
 * bad epoch, shares of nothing, rewards that do not divide, portfolios above the cap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/num/rng/rng.h"
#include "core/subnet/pool/pool.h"

#define MEMBERS_MAX 60
#define DAY         TL_POOL_DAY_BLOCKS

static tl_hotkey key_of(uint32_t n)
{
    tl_hotkey key = {{9}};
    key.b[30] = (uint8_t)(n >> 8);
    key.b[31] = (uint8_t)n;
    return key;
}

static tl_arena *new_arena(void)
{
    tl_arena *arena;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* --- memberships --- */

static tl_err decode(tl_membership *out, const char *more, uint32_t generator, uint32_t operator_of)
{
    char text[600];
    char a[TL_SS58_CAP];
    char b[TL_SS58_CAP];
    const tl_hotkey x = key_of(generator);
    const tl_hotkey y = key_of(operator_of);
    (void)tl_ss58_encode(a, &x, TL_SS58_PREFIX_GENERIC);
    (void)tl_ss58_encode(b, &y, TL_SS58_PREFIX_GENERIC);
    (void)snprintf(text, sizeof(text),
                   "{\"generator_hotkey\":\"%s\",\"pool_operator_hotkey\":\"%s\"%s}", a, b, more);
    tl_arena *arena = new_arena();
    const tl_json *value;
    assert_int_equal(tl_json_parse(&value, arena, tl_str_from_cstr(text), NULL, NULL), TL_OK);
    const tl_err err = tl_membership_decode(out, value, NULL);
    tl_arena_free(arena);
    return err;
}

static void a_fee_is_between_ten_and_twenty_percent(void **state)
{
    (void)state; /* POOL-1 */
    tl_membership m;
    memset(&m, 0x55, sizeof(m));
    const tl_membership before = m;
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":999", 1, 2), TL_ERR_RANGE);
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":2001", 1, 2), TL_ERR_RANGE);
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":4294968796", 1, 2), TL_ERR_RANGE);
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":-1500", 1, 2), TL_ERR_RANGE);
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":0.15", 1, 2), TL_ERR_TYPE);
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":\"1500\"", 1, 2), TL_ERR_TYPE);
    assert_int_equal(decode(&m, ",\"fee_rate\":1500", 1, 2), TL_ERR_MISSING);
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"avg_rank_percentile\":1000001", 1, 2),
                     TL_ERR_RANGE);
    assert_int_equal(decode(&m, ",\"joined_at\":7", 2, 2), TL_ERR_REFUSED);
    assert_memory_equal(&m, &before, sizeof(m));
    assert_int_equal(decode(&m, ",\"joined_at\":7", 1, 2), TL_OK);
    assert_int_equal(m.fee_bp, 1500);
    assert_int_equal(m.joined_height, 7);
    const tl_hotkey one = key_of(1);
    assert_true(tl_hotkey_eq(&m.generator, &one));
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":1000,\"signals_submitted\":3", 1, 2),
                     TL_OK);
    assert_int_equal(m.fee_bp, 1000);
    assert_int_equal(m.signals_submitted, 3);
    assert_int_equal(decode(&m, ",\"joined_at\":7,\"fee_rate\":2000", 1, 2), TL_OK);
}

static void joining_costs_one_alpha_of_stake(void **state)
{
    (void)state;
    tl_membership m = {.generator = key_of(1), .pool_operator = key_of(2), .fee_bp = 1500};
    const tl_rao alpha = tl_rao_from_i64(TL_RAO_PER_TAO);
    assert_int_equal(tl_membership_admit(&m, alpha, NULL), TL_OK);
    assert_int_equal(tl_membership_admit(&m, tl_rao_from_i64(TL_RAO_PER_TAO - 1), NULL),
                     TL_ERR_FUNDS);
    m.fee_bp = 2001; /* POOL-1 */
    assert_int_equal(tl_membership_admit(&m, alpha, NULL), TL_ERR_RANGE);
    m.fee_bp = 1500;
    m.pool_operator = key_of(1);
    assert_int_equal(tl_membership_admit(&m, alpha, NULL), TL_ERR_REFUSED);
}

static void a_membership_ends_after_ninety_days(void **state)
{
    (void)state;
    tl_membership m = {.joined_height = 1000};
    uint32_t signals = TL_POOL_SIGNALS_MAX - 1;
    assert_false(tl_membership_is_live(&m, 999));
    assert_true(tl_membership_is_live(&m, 1000));
    assert_true(tl_membership_is_live(&m, 1000 + 90 * DAY));
    assert_false(tl_membership_is_live(&m, 1001 + 90 * DAY));
    m.joined_height = UINT64_MAX;
    assert_true(tl_membership_is_live(&m, UINT64_MAX));
    m.joined_height = 1000;
    assert_int_equal(tl_membership_take_signal(&m, &signals, 1001 + 90 * DAY, NULL), TL_ERR_STATE);
    assert_int_equal(tl_membership_take_signal(&m, &signals, 2000, NULL), TL_OK);
    assert_int_equal(signals, TL_POOL_SIGNALS_MAX);
    assert_int_equal(tl_membership_take_signal(&m, &signals, 2000, NULL), TL_ERR_LIMIT);
    assert_int_equal(signals, TL_POOL_SIGNALS_MAX);
    assert_int_equal(m.signals_submitted, 1);
}

static void the_average_percentile_follows_the_ranks(void **state)
{
    (void)state;
    tl_membership m = {.fee_bp = 1500};
    tl_membership_note_rank(&m, 1, 4);
    assert_int_equal(m.rank_percentile_avg_millionths, 1000000);
    tl_membership_note_rank(&m, 4, 4); /* 1 - 3/4 */
    assert_int_equal(m.rank_percentile_avg_millionths, 625000);
    assert_int_equal(m.epochs_participated, 2);
    tl_membership_note_rank(&m, 1, 1);
    assert_int_equal(m.rank_percentile_avg_millionths, 750000);
    for (unsigned i = 0; i < 1000; i++) {
        tl_membership_note_rank(&m, 1 + i % 7, 7);
        assert_true(m.rank_percentile_avg_millionths <= 1000000);
    }
}

static void who_stays_on_top_may_rise(void **state)
{
    (void)state;
    tl_standing s[20];
    for (uint32_t i = 0; i < 20; i++) {
        s[i] = (tl_standing){.from_height = (uint64_t)i * 7 * DAY,
                             .to_height = (uint64_t)(i + 1) * 7 * DAY,
                             .rank = 4, /* 100 * 7 >= 70 * 10: just in the top 30 % */
                             .ranked_count = 10};
    }
    assert_int_equal(tl_pool_role_after(TL_ROLE_GENERATOR, s, 0), TL_ROLE_GENERATOR);
    assert_int_equal(tl_pool_role_after(TL_ROLE_GENERATOR, s, 8), TL_ROLE_GENERATOR); /* 56 d */
    assert_int_equal(tl_pool_role_after(TL_ROLE_GENERATOR, s, 9), TL_ROLE_OPERATOR);  /* 63 d */
    assert_int_equal(tl_pool_role_after(TL_ROLE_OPERATOR, s, 20), TL_ROLE_OPERATOR);
    s[10].rank = 5; /* one epoch below breaks the run */
    assert_int_equal(tl_pool_role_after(TL_ROLE_GENERATOR, s, 19), TL_ROLE_GENERATOR);
    assert_int_equal(tl_pool_role_after(TL_ROLE_GENERATOR, s, 20), TL_ROLE_OPERATOR);
    s[10].rank = 0; /* and so does one without a rank */
    assert_int_equal(tl_pool_role_after(TL_ROLE_GENERATOR, s, 19), TL_ROLE_GENERATOR);
    s[10].rank = 4;
    s[10].to_height--; /* and a gap */
    assert_int_equal(tl_pool_role_after(TL_ROLE_GENERATOR, s, 19), TL_ROLE_GENERATOR);
    for (uint32_t i = 0; i < 20; i++) {
        s[i] = (tl_standing){.from_height = (uint64_t)i * 7 * DAY,
                             .to_height = (uint64_t)(i + 1) * 7 * DAY,
                             .rank = 2, /* 100 * 9 >= 90 * 10: just in the top 10 % */
                             .ranked_count = 10};
    }
    assert_int_equal(tl_pool_role_after(TL_ROLE_OPERATOR, s, 12), TL_ROLE_OPERATOR); /* 84 d */
    assert_int_equal(tl_pool_role_after(TL_ROLE_OPERATOR, s, 13), TL_ROLE_SOLO);
    assert_int_equal(tl_pool_role_after(TL_ROLE_SOLO, s, 0), TL_ROLE_SOLO);
}

/* --- shares --- */

static void a_share_is_score_times_capped_stake_times_likeness(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const uint32_t scores[14] = {1000000, 1000000, 100000, 100000, 100000, 100000, 100000,
                                 100000,  100000,  100000, 100000, 100000, 100000, 100000};
    const uint32_t two[2] = {1, 4};
    const tl_pool_member members[4] = {
        {.generator = key_of(1),
         .qs_millionths = scores,
         .qs_count = 14,
         .stake = tl_rao_from_i64(50)},
        {.generator = key_of(2), .qs_millionths = two, .qs_count = 2, .stake = tl_rao_from_i64(10)},
        {.generator = key_of(3),
         .qs_millionths = scores,
         .qs_count = 1,
         .stake = tl_rao_from_i64(20),
         .likeness = 0.85},
        {.generator = key_of(4), .stake = tl_rao_from_i64(99)},
    };
    tl_u128 shares[4];
    assert_int_equal(tl_pool_shares(shares, members, 4, arena, NULL), TL_OK);
    /* the lower median of 10 20 50 99 is 20; the two oldest of fourteen scores do not count */
    assert_true(shares[0] == (tl_u128)100000 * 20 * 10000);
    assert_true(shares[1] == (tl_u128)2 * 10 * 10000); /* floor of 2.5 */
    assert_true(shares[2] == (tl_u128)1000000 * 20 * 5000);
    assert_true(shares[3] == 0);
    /* nobody has a score: equal, but for likeness */
    assert_int_equal(tl_pool_shares(shares, members + 3, 1, arena, NULL), TL_OK);
    assert_true(shares[0] == 10000);
    assert_int_equal(tl_pool_likeness_bp(0.80), 10000);
    assert_int_equal(tl_pool_likeness_bp(0.81), 5000);
    assert_int_equal(tl_pool_likeness_bp(0.90), 5000);
    assert_int_equal(tl_pool_likeness_bp(0.91), 2000);
    assert_int_equal(tl_pool_likeness_bp(-1.0), 10000);
    tl_arena_free(arena);
}

static void strange_members_are_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const uint32_t high[1] = {1000001};
    tl_u128 shares[2] = {7, 7};
    tl_pool_member members[2] = {{.generator = key_of(1), .stake = tl_rao_from_i64(1)},
                                 {.generator = key_of(1), .stake = tl_rao_from_i64(1)}};
    assert_int_equal(tl_pool_shares(shares, members, 2, arena, NULL), TL_ERR_DUPLICATE);
    members[1].generator = key_of(2);
    members[1].stake = tl_rao_from_i64(-1);
    assert_int_equal(tl_pool_shares(shares, members, 2, arena, NULL), TL_ERR_RANGE);
    members[1].stake = tl_rao_from_i64(TL_POOL_STAKE_MAX + 1);
    assert_int_equal(tl_pool_shares(shares, members, 2, arena, NULL), TL_ERR_RANGE);
    members[1].stake = tl_rao_from_i64(TL_POOL_STAKE_MAX);
    members[1].qs_millionths = high;
    members[1].qs_count = 1;
    assert_int_equal(tl_pool_shares(shares, members, 2, arena, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_pool_shares(shares, members, TL_POOL_SIGNALS_MAX + 1, arena, NULL),
                     TL_ERR_LIMIT);
    assert_true(shares[0] == 7);
    tl_arena_free(arena);
}

/* --- the portfolio --- */

static const char *const NAMES[40] = {"AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH", "AI", "AJ",
                                      "BA", "BB", "BC", "BD", "BE", "BF", "BG", "BH", "BI", "BJ",
                                      "CA", "CB", "CC", "CD", "CE", "CF", "CG", "CH", "CI", "CJ",
                                      "DA", "DB", "DC", "DD", "DE", "DF", "DG", "DH", "DI", "DJ"};

static void the_portfolio_is_the_members_by_share(void **state)
{
    (void)state; /* POOL-2 */
    tl_arena *arena = new_arena();
    const tl_position a[5] = {{TL_STR("A"), 200000},
                              {TL_STR("B"), 200000},
                              {TL_STR("C"), 200000},
                              {TL_STR("D"), 200000},
                              {TL_STR("E"), 200000}};
    const tl_position b[5] = {{TL_STR("A"), 200000},
                              {TL_STR("F"), 200000},
                              {TL_STR("G"), 200000},
                              {TL_STR("H"), 200000},
                              {TL_STR("I"), 200000}};
    const tl_pool_member members[3] = {
        {.generator = key_of(1), .portfolio = {a, 5}},
        {.generator = key_of(2), .portfolio = {b, 5}},
        {.generator = key_of(3)},
    };
    const tl_u128 shares[3] = {3, 1, 9};
    tl_portfolio p;
    assert_int_equal(tl_pool_portfolio(&p, arena, members, shares, 3, NULL), TL_OK);
    /* of the two with a signal: A 0.2, B to E 0.15, F to I 0.05 */
    assert_int_equal(p.count, 9);
    const int64_t want[9] = {200000, 150000, 150000, 150000, 150000, 50000, 50000, 50000, 50000};
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(p.positions[i].ticker.ptr[0], 'A' + (int)i);
        assert_int_equal(p.positions[i].weight_millionths, want[i]);
    }
    const tl_u128 nothing[3] = {0, 0, 9};
    assert_int_equal(tl_pool_portfolio(&p, arena, members, nothing, 3, NULL), TL_ERR_MISSING);
    tl_arena_free(arena);
}

static void what_the_thirty_leave_out_is_scaled_and_capped(void **state)
{
    (void)state; /* POOL-2 */
    tl_arena *arena = new_arena();
    /* eight signals of five names each: 40 names alike but one, which all but one hold too */
    tl_position positions[8][5];
    tl_pool_member members[8];
    tl_u128 shares[8];
    for (size_t m = 0; m < 8; m++) {
        for (size_t k = 0; k < 5; k++) {
            const char *name = k == 0 && m != 7 ? "AA" : NAMES[5 * m + k];
            positions[m][k] = (tl_position){tl_str_from_cstr(name), 200000};
        }
        members[m] =
            (tl_pool_member){.generator = key_of((uint32_t)m), .portfolio = {positions[m], 5}};
        shares[m] = 1000;
    }
    tl_portfolio p;
    assert_int_equal(tl_pool_portfolio(&p, arena, members, shares, 8, NULL), TL_OK);
    /* 34 names: AA 7/40, the others 1/40; the 30 largest are AA and the first 29 of the others:
     * scaled AA has 7/36 = 0.1944…, below the cap; the rest goes from the largest */
    assert_int_equal(p.count, 30);
    assert_int_equal(p.positions[0].weight_millionths, 194445);
    assert_int_equal(p.positions[1].weight_millionths, 27778);
    assert_int_equal(p.positions[29].weight_millionths, 27777);
    assert_true(tl_str_eq_cstr(p.positions[29].ticker, "DF"));
    int64_t sum = 0;
    for (size_t i = 0; i < p.count; i++) {
        sum += p.positions[i].weight_millionths;
    }
    assert_int_equal(sum, 1000000);
    tl_arena_free(arena);
}

/* --- laws --- */

typedef struct pool_world {
    uint32_t scores[MEMBERS_MAX][15];
    tl_position positions[MEMBERS_MAX][30];
    tl_pool_member members[MEMBERS_MAX];
    size_t count;
} pool_world;

static void random_world(pool_world *w, tl_xoshiro *rng)
{
    w->count = 1 + tl_xoshiro_below(rng, MEMBERS_MAX);
    const uint64_t style = tl_xoshiro_below(rng, 4);
    for (size_t i = 0; i < w->count; i++) {
        const size_t scores = tl_xoshiro_below(rng, 16);
        for (size_t k = 0; k < scores; k++) {
            w->scores[i][k] = style == 0 ? 0 : (uint32_t)tl_xoshiro_below(rng, 1000001);
        }
        const size_t held = 5 + tl_xoshiro_below(rng, 26);
        const size_t first = tl_xoshiro_below(rng, 40);
        int64_t left = 1000000;
        for (size_t k = 0; k < held; k++) {
            const int64_t least = left - 200000 * (int64_t)(held - k - 1);
            int64_t weight = k + 1 == held ? left : (int64_t)tl_xoshiro_below(rng, 200000);
            weight = weight < least ? least : weight;
            weight =
                weight > left - (int64_t)(held - k - 1) ? left - (int64_t)(held - k - 1) : weight;
            weight = weight < 1 ? 1 : weight > 200000 ? 200000 : weight;
            left -= weight;
            w->positions[i][k] = (tl_position){tl_str_from_cstr(NAMES[(first + k) % 40]), weight};
        }
        w->members[i] = (tl_pool_member){
            .generator = key_of((uint32_t)i),
            .qs_millionths = w->scores[i],
            .qs_count = scores,
            .stake = tl_rao_from_i64(style == 1   ? (int64_t)tl_xoshiro_below(rng, 3)
                                     : style == 2 ? TL_POOL_STAKE_MAX
                                                  : (int64_t)tl_xoshiro_below(rng, 1u << 30)),
            .likeness = tl_xoshiro_unit(rng) * 1.1 - 0.1,
            .portfolio = {w->positions[i], held}};
    }
}

static void every_pool_keeps_the_rules_and_loses_nothing(void **state)
{
    (void)state; /* POOL-2 POOL-3 POOL-4 POOL-5 */
    static pool_world w;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 31);
    tl_arena *arena = new_arena();
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (unsigned round = 0; round < 4000; round++) {
        random_world(&w, &rng);
        tl_u128 shares[MEMBERS_MAX];
        assert_int_equal(tl_pool_shares(shares, w.members, w.count, arena, NULL), TL_OK);
        tl_portfolio p;
        assert_int_equal(tl_pool_portfolio(&p, arena, w.members, shares, w.count, NULL), TL_OK);
        int64_t sum = 0;
        for (size_t i = 0; i < p.count; i++) {
            assert_in_range(p.positions[i].weight_millionths, 1, 200000);
            assert_true(i == 0 || tl_str_cmp(p.positions[i - 1].ticker, p.positions[i].ticker) < 0);
            sum += p.positions[i].weight_millionths;
        }
        assert_int_equal(sum, 1000000);
        assert_in_range(p.count, 5, 30);

        const int64_t reward = round % 5 == 0   ? INT64_MAX
                               : round % 5 == 1 ? (int64_t)tl_xoshiro_below(&rng, 50)
                                                : (int64_t)(tl_xoshiro_next(&rng) >> 20);
        const uint32_t fee_bp = 1000 + (uint32_t)tl_xoshiro_below(&rng, 1001);
        tl_rao fee;
        tl_rao pays[MEMBERS_MAX];
        assert_int_equal(tl_pool_pay(&fee, pays, tl_rao_from_i64(reward), fee_bp, w.members, shares,
                                     w.count, NULL),
                         TL_OK);
        int64_t paid = tl_rao_to_i64(fee);
        for (size_t i = 0; i < w.count; i++) {
            assert_false(tl_rao_is_negative(pays[i]));
            assert_true(shares[i] != 0 || tl_rao_is_zero(pays[i])); /* POOL-5 */
            paid += tl_rao_to_i64(pays[i]);
        }
        assert_int_equal(paid, reward); /* POOL-3 */
        assert_int_equal(tl_rao_to_i64(fee), (int64_t)((tl_i128)reward * fee_bp / 10000));

        /* the same members from back to front */
        static tl_pool_member turned[MEMBERS_MAX];
        tl_u128 turned_shares[MEMBERS_MAX];
        tl_rao turned_pays[MEMBERS_MAX];
        for (size_t i = 0; i < w.count; i++) {
            turned[i] = w.members[w.count - 1 - i];
        }
        tl_portfolio q;
        assert_int_equal(tl_pool_shares(turned_shares, turned, w.count, arena, NULL), TL_OK);
        assert_int_equal(tl_pool_portfolio(&q, arena, turned, turned_shares, w.count, NULL), TL_OK);
        assert_int_equal(tl_pool_pay(&fee, turned_pays, tl_rao_from_i64(reward), fee_bp, turned,
                                     turned_shares, w.count, NULL),
                         TL_OK);
        assert_int_equal(p.count, q.count);
        for (size_t i = 0; i < p.count; i++) {
            assert_true(tl_str_eq(p.positions[i].ticker, q.positions[i].ticker));
            assert_int_equal(p.positions[i].weight_millionths, q.positions[i].weight_millionths);
        }
        for (size_t i = 0; i < w.count; i++) {
            assert_true(tl_rao_eq(pays[i], turned_pays[w.count - 1 - i]));
        }
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena);
}

static void the_remainder_goes_to_the_largest_share(void **state)
{
    (void)state; /* POOL-3 POOL-5 */
    const tl_pool_member members[4] = {{.generator = key_of(4)},
                                       {.generator = key_of(3)},
                                       {.generator = key_of(2)},
                                       {.generator = key_of(1)}};
    const tl_u128 shares[4] = {1, 3, 3, 0};
    tl_rao fee;
    tl_rao pays[4];
    assert_int_equal(tl_pool_pay(&fee, pays, tl_rao_from_i64(1000), 1500, members, shares, 4, NULL),
                     TL_OK);
    assert_int_equal(tl_rao_to_i64(fee), 150);
    assert_int_equal(tl_rao_to_i64(pays[0]), 121); /* 850 / 7 = 121.4 */
    assert_int_equal(tl_rao_to_i64(pays[1]), 364); /* 364.3 */
    assert_int_equal(tl_rao_to_i64(pays[2]), 365); /* the tie's lower hotkey takes the rest */
    assert_int_equal(tl_rao_to_i64(pays[3]), 0);
    const tl_u128 nothing[4] = {0};
    assert_int_equal(
        tl_pool_pay(&fee, pays, tl_rao_from_i64(1000), 1500, members, nothing, 4, NULL), TL_OK);
    assert_int_equal(tl_rao_to_i64(fee), 1000);
    assert_int_equal(tl_pool_pay(&fee, pays, tl_rao_from_i64(-1), 1500, members, shares, 4, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_pool_pay(&fee, pays, tl_rao_from_i64(1), 999, members, shares, 4, NULL),
                     TL_ERR_RANGE);
}

/* --- memory that fails --- */

static void *few_allocations(void *self, size_t len)
{
    size_t *left = (size_t *)self;
    if (*left == 0) {
        return NULL;
    }
    --*left;
    return malloc(len);
}

static void give_back(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void failed_allocations_are_errors(void **state)
{
    (void)state;
    static pool_world w;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 32);
    do {
        random_world(&w, &rng);
    } while (w.count < 40);
    size_t failures = 0;
    tl_err err = TL_ERR_NOMEM;
    for (size_t n = 1; err != TL_OK; n++) {
        size_t left = n;
        const tl_allocator allocator = {&left, few_allocations, give_back};
        tl_arena *arena;
        if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
            continue;
        }
        tl_u128 shares[MEMBERS_MAX];
        tl_portfolio p = {.count = 77};
        err = tl_pool_shares(shares, w.members, w.count, arena, NULL);
        if (err == TL_OK) {
            err = tl_pool_portfolio(&p, arena, w.members, shares, w.count, NULL);
        }
        assert_true(err == TL_OK || (err == TL_ERR_NOMEM && p.count == 77));
        failures += err != TL_OK ? 1 : 0;
        tl_arena_free(arena);
    }
    assert_true(failures >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fee_is_between_ten_and_twenty_percent),
        cmocka_unit_test(joining_costs_one_alpha_of_stake),
        cmocka_unit_test(a_membership_ends_after_ninety_days),
        cmocka_unit_test(the_average_percentile_follows_the_ranks),
        cmocka_unit_test(who_stays_on_top_may_rise),
        cmocka_unit_test(a_share_is_score_times_capped_stake_times_likeness),
        cmocka_unit_test(strange_members_are_refused),
        cmocka_unit_test(the_portfolio_is_the_members_by_share),
        cmocka_unit_test(what_the_thirty_leave_out_is_scaled_and_capped),
        cmocka_unit_test(every_pool_keeps_the_rules_and_loses_nothing),
        cmocka_unit_test(the_remainder_goes_to_the_largest_share),
        cmocka_unit_test(failed_allocations_are_errors),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
