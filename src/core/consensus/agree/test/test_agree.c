/* Verdicts, medians and row hashes. Attacked: the borders of each share, ties, absent rows, sums that overflow, the order
 * of ballots and miners, rows that differ in one field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/consensus/agree/agree.h"
#include "core/num/rng/rng.h"

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* A ballot for the hash that begins with name; 0: no row. */
static tl_ballot ballot(int64_t stake, char name)
{
    tl_ballot b = {.stake = tl_rao_from_i64(stake), .has_row = name != 0};
    b.hash.b[0] = (uint8_t)name;
    return b;
}

typedef struct verdict_case {
    tl_ballot ballots[4];
    size_t count;
    tl_agree_status status;
    bool pays;
    int64_t top;
    size_t outlier_count;
} verdict_case;

static void shares_of_the_whole_stake_decide(void **state)
{
    (void)state;
    const verdict_case cases[] = {
        {{ballot(60, 'a'), ballot(40, 'a')}, 2, TL_AGREE_PERFECT, true, 100, 0},
        {{ballot(90, 'a'), ballot(10, 'b')}, 2, TL_AGREE_MAJORITY, true, 90, 1},
        {{ballot(899, 'a'), ballot(101, 'b')}, 2, TL_AGREE_FAILED, true, 899, 1},
        {{ballot(50, 'a'), ballot(50, 'b')}, 2, TL_AGREE_FAILED, true, 50, 0}, /* AGREE-2 */
        {{ballot(50, 'a'), ballot(30, 'b'), ballot(20, 'c')}, 3, TL_AGREE_FAILED, true, 50, 2},
        {{ballot(49, 'a'), ballot(48, 'b'), ballot(3, 'c')}, 3, TL_AGREE_FAILED, false, 49, 2},
        {{ballot(90, 'a'), ballot(10, 0)}, 2, TL_AGREE_MAJORITY, true, 90, 0}, /* AGREE-1 */
        {{ballot(49, 'a'), ballot(51, 0)}, 2, TL_AGREE_FAILED, false, 49, 0},
        {{ballot(100, 'a'), ballot(0, 'b')}, 2, TL_AGREE_PERFECT, true, 100, 1},
        {{ballot(100, 0), ballot(0, 'b')}, 2, TL_AGREE_FAILED, false, 0, 0},
        {{ballot(0, 'a'), ballot(0, 'a')}, 2, TL_AGREE_FAILED, false, 0, 0},
        {{ballot(1, 'a')}, 0, TL_AGREE_FAILED, false, 0, 0},
        {{ballot(INT64_MAX, 'a')}, 1, TL_AGREE_PERFECT, true, INT64_MAX, 0},
    };
    tl_arena *arena = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_verdict v;
        assert_int_equal(tl_agree_verdict(arena, &v, cases[i].ballots, cases[i].count, NULL),
                         TL_OK);
        assert_int_equal(v.status, cases[i].status);
        assert_int_equal(v.pays, cases[i].pays);
        assert_int_equal(tl_rao_to_i64(v.stake_on_top), cases[i].top);
        assert_int_equal(v.outlier_count, cases[i].outlier_count);
    }
    assert_string_equal(tl_agree_status_name(TL_AGREE_MAJORITY), "MAJORITY");
    assert_string_equal(tl_agree_status_name(TL_AGREE_PERFECT), "PERFECT");
    assert_string_equal(tl_agree_status_name(TL_AGREE_FAILED), "FAILED");
    tl_arena_free(arena);
}

static void impossible_stakes_are_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_verdict v = {.status = TL_AGREE_MAJORITY};
    const tl_ballot negative[] = {ballot(1, 'a'), ballot(-1, 'a')};
    const tl_ballot huge[] = {ballot(INT64_MAX, 'a'), ballot(1, 'b')};
    assert_int_equal(tl_agree_verdict(arena, &v, negative, 2, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_agree_verdict(arena, &v, huge, 2, NULL), TL_ERR_OVERFLOW);
    assert_int_equal(v.status, TL_AGREE_MAJORITY); /* untouched */
    tl_arena_free(arena);
}

static void the_order_of_ballots_changes_nothing(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    for (int turn = 0; turn < 3000; turn++) {
        tl_ballot one[6];
        tl_ballot other[6];
        for (size_t i = 0; i < 6; i++) {
            const char name = (char)tl_xoshiro_below(&rng, 4);
            one[i] = ballot((int64_t)tl_xoshiro_below(&rng, 4), name == 3 ? 0 : (char)('a' + name));
            other[(i + (size_t)turn) % 6] = one[i];
        }
        tl_verdict a;
        tl_verdict b;
        assert_int_equal(tl_agree_verdict(arena, &a, one, 6, NULL), TL_OK);
        assert_int_equal(tl_agree_verdict(arena, &b, other, 6, NULL), TL_OK);
        assert_int_equal(a.status, b.status);
        assert_int_equal(a.pays, b.pays);
        assert_int_equal(a.has_top_hash, b.has_top_hash);
        assert_int_equal(a.outlier_count, b.outlier_count);
        assert_true(tl_rao_eq(a.stake_on_top, b.stake_on_top));
    }
    tl_arena_free(arena);
}

static void the_median_is_the_lower_one(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const uint32_t values[] = {30, 10, 20, 10};
    const tl_rao quarter[] = {tl_rao_from_i64(25), tl_rao_from_i64(25), tl_rao_from_i64(25),
                              tl_rao_from_i64(25)};
    const tl_rao heavy[] = {tl_rao_from_i64(51), tl_rao_from_i64(25), tl_rao_from_i64(24),
                            TL_RAO_ZERO};
    const tl_rao none[] = {TL_RAO_ZERO, TL_RAO_ZERO, TL_RAO_ZERO, TL_RAO_ZERO};
    uint32_t median;
    assert_int_equal(tl_agree_median(&median, arena, values, quarter, 4, NULL), TL_OK);
    assert_int_equal(median, 10); /* exactly half is enough */
    assert_int_equal(tl_agree_median(&median, arena, values, heavy, 4, NULL), TL_OK);
    assert_int_equal(median, 30);
    assert_int_equal(tl_agree_median(&median, arena, values, none, 4, NULL), TL_OK);
    assert_int_equal(median, 10);
    assert_int_equal(tl_agree_median(&median, arena, values, none, 0, NULL), TL_OK);
    assert_int_equal(median, 0);
    assert_true(tl_agree_is_more_than_half(tl_rao_from_i64(51), tl_rao_from_i64(100)));
    assert_false(tl_agree_is_more_than_half(tl_rao_from_i64(50), tl_rao_from_i64(100)));
    assert_true(tl_agree_is_more_than_half(tl_rao_from_i64(INT64_MAX), tl_rao_from_i64(INT64_MAX)));
    tl_arena_free(arena);
}

/* One row of three miners, and its hash. */
typedef struct three {
    tl_hotkey keys[3];
    uint32_t qs[3];
    uint32_t drawdown[3];
    bool votes[3];
    uint32_t flags[3];
} three;

static three some_row(void)
{
    three t = {.qs = {5, 0, 1000000},
               .drawdown = {1, 2, 3},
               .votes = {false, true, false},
               .flags = {0, 4, 0}};
    for (uint8_t i = 0; i < 3; i++) {
        memset(t.keys[i].b, 9 - i, sizeof t.keys[i].b);
    }
    return t;
}

static tl_hash32 hash_of(const three *t, tl_str domain, size_t count)
{
    tl_arena *arena = new_arena();
    uint32_t order[3];
    assert_int_equal(tl_row_order(order, arena, t->keys, count, NULL), TL_OK);
    const tl_row row = {t->qs, t->drawdown, t->votes, t->flags};
    tl_hash32 hash;
    tl_row_hash(&hash, domain, t->keys, order, &row, count);
    tl_arena_free(arena);
    return hash;
}

static void every_field_is_in_the_hash(void **state)
{
    (void)state;
    const tl_str domain = TL_STR("portfolio/1/2024-M03");
    three t = some_row();
    const tl_hash32 hash = hash_of(&t, domain, 3);
    tl_hash32 others[8];
    size_t at = 0;
    t.qs[0]++;
    others[at++] = hash_of(&t, domain, 3);
    t = some_row();
    t.drawdown[2]--;
    others[at++] = hash_of(&t, domain, 3);
    t = some_row();
    t.votes[0] = true;
    others[at++] = hash_of(&t, domain, 3);
    t = some_row();
    t.flags[1] = 8;
    others[at++] = hash_of(&t, domain, 3);
    t = some_row();
    t.keys[0].b[31] ^= 1;
    others[at++] = hash_of(&t, domain, 3);
    t = some_row();
    others[at++] = hash_of(&t, TL_STR("portfolio/1/2024-M04"), 3);
    others[at++] = hash_of(&t, domain, 2);
    others[at++] = hash_of(&t, domain, 0);
    for (size_t i = 0; i < at; i++) {
        assert_int_not_equal(tl_hash32_cmp(&hash, &others[i]), 0); /* AGREE-3 */
    }
    t = some_row();
    const tl_hash32 again = hash_of(&t, domain, 3);
    assert_int_equal(tl_hash32_cmp(&hash, &again), 0);
}

/* The digest of the bytes in the header's drawing, made outside of this program. */
static void the_hash_is_what_the_header_draws(void **state)
{
    (void)state;
    const three t = some_row();
    const tl_hash32 hash = hash_of(&t, TL_STR("portfolio/1/2024-M03"), 3);
    char text[2 * sizeof hash.b + 1];
    tl_hex_write(text, hash.b, sizeof hash.b);
    assert_string_equal(text, "0b0637b33e26a9d532dbe44b13f70d16e9e5b30df92ff4c138e095179709ae4b");
}

static void the_order_of_miners_changes_nothing(void **state)
{
    (void)state;
    const tl_str domain = TL_STR("portfolio/1/2024-M03");
    const three t = some_row();
    three turned = t;
    for (size_t i = 0; i < 3; i++) {
        turned.keys[i] = t.keys[(i + 1) % 3];
        turned.qs[i] = t.qs[(i + 1) % 3];
        turned.drawdown[i] = t.drawdown[(i + 1) % 3];
        turned.votes[i] = t.votes[(i + 1) % 3];
        turned.flags[i] = t.flags[(i + 1) % 3];
    }
    const tl_hash32 a = hash_of(&t, domain, 3);
    const tl_hash32 b = hash_of(&turned, domain, 3);
    assert_int_equal(tl_hash32_cmp(&a, &b), 0);
    tl_arena *arena = new_arena();
    uint32_t order[3];
    turned.keys[0] = turned.keys[2];
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_row_order(order, arena, turned.keys, 3, &ctx), TL_ERR_DUPLICATE);
    assert_string_equal(ctx.field, "hotkey");
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_of_the_whole_stake_decide),
        cmocka_unit_test(impossible_stakes_are_refused),
        cmocka_unit_test(the_order_of_ballots_changes_nothing),
        cmocka_unit_test(the_median_is_the_lower_one),
        cmocka_unit_test(every_field_is_in_the_hash),
        cmocka_unit_test(the_hash_is_what_the_header_draws),
        cmocka_unit_test(the_order_of_miners_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
