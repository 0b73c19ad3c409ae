/* Agreement of validators. Attacked: ties, a vote counted twice, stake without results, a copied hash over other roots, the
 * borders of each share, one validator alone, both rounds; repeated outliers; medians of rows that name different miners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/listings/race/test/race_world.h"

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* A ballot of validator v; name 0: no result. Roots differ in the score by name. */
static tl_race_ballot ballot(unsigned v, int64_t stake, char name)
{
    tl_race_ballot b = {
        .hotkey = world_key(v + 1), .stake = tl_rao_from_i64(stake), .has_result = name != 0};
    b.roots.score.b[0] = (uint8_t)name;
    tl_race_roots_hash(&b.roots);
    return b;
}

typedef struct verdict_case {
    int64_t stakes[4];
    char names[5]; /* '-': no result */
    uint32_t round;
    tl_race_status status;
    tl_race_next next;
    bool needs_review;
    uint32_t rate;
    size_t outliers;
} verdict_case;

static const verdict_case cases[] = {
    {{60, 40}, "aa", 1, TL_RACE_PERFECT_CONSENSUS, TL_RACE_AGREE, false, 1000000, 0},
    {{60, 40}, "aa", 2, TL_RACE_PERFECT_CONSENSUS, TL_RACE_AGREE, false, 1000000, 0},
    {{90, 10}, "ab", 1, TL_RACE_MAJORITY_CONSENSUS, TL_RACE_AGREE, false, 900000, 1},
    {{899, 101}, "ab", 1, TL_RACE_CONSENSUS_FAILED, TL_RACE_EXTEND, false, 899000, 1},
    {{899, 101}, "ab", 2, TL_RACE_MAJORITY_FALLBACK, TL_RACE_AGREE, true, 899000, 1},
    {{70, 30}, "ab", 2, TL_RACE_MAJORITY_FALLBACK, TL_RACE_AGREE, true, 700000, 1},
    {{699, 301}, "ab", 2, TL_RACE_MEDIAN_WEIGHTS, TL_RACE_AGREE, true, 699000, 1},
    /* a tie has no top, whoever comes first */
    {{50, 50}, "ab", 1, TL_RACE_CONSENSUS_FAILED, TL_RACE_EXTEND, false, 500000, 0},
    {{50, 50}, "ba", 2, TL_RACE_MEDIAN_WEIGHTS, TL_RACE_AGREE, true, 500000, 0},
    {{30, 40, 30}, "aba", 1, TL_RACE_CONSENSUS_FAILED, TL_RACE_EXTEND, false, 600000, 1},
    /* one result is no agreement */
    {{60, 40}, "a-", 1, TL_RACE_NO_OTHER_VALIDATORS, TL_RACE_EXTEND, false, 1000000, 0},
    {{60, 40}, "a-", 2, TL_RACE_NO_OTHER_VALIDATORS, TL_RACE_FAIL, true, 1000000, 0},
    {{60}, "a", 1, TL_RACE_NO_OTHER_VALIDATORS, TL_RACE_EXTEND, false, 1000000, 0},
    {{60, 40}, "--", 1, TL_RACE_NO_OTHER_VALIDATORS, TL_RACE_EXTEND, false, 0, 0},
    {{0}, "", 1, TL_RACE_NO_OTHER_VALIDATORS, TL_RACE_EXTEND, false, 0, 0},
    /* half of the stake is no quorum, more is */
    {{25, 25, 50}, "aa-", 1, TL_RACE_NO_QUORUM, TL_RACE_EXTEND, false, 1000000, 0},
    {{25, 26, 50}, "aa-", 1, TL_RACE_PERFECT_CONSENSUS, TL_RACE_AGREE, false, 1000000, 0},
    {{25, 25, 50}, "aa-", 2, TL_RACE_NO_QUORUM, TL_RACE_FAIL, true, 1000000, 0},
    {{0, 0}, "aa", 1, TL_RACE_NO_QUORUM, TL_RACE_EXTEND, false, 0, 0},
    /* who has no stake is an outlier all the same, and changes nothing else */
    {{60, 40, 0}, "aab", 1, TL_RACE_MAJORITY_CONSENSUS, TL_RACE_AGREE, false, 1000000, 1},
    {{INT64_MAX - 1, 1}, "aa", 1, TL_RACE_PERFECT_CONSENSUS, TL_RACE_AGREE, false, 1000000, 0},
};

static void each_line_of_the_table_holds_in_any_order(void **state)
{
    (void)state;
    tl_listings_params params;
    tl_listings_params_default(&params);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const verdict_case *c = &cases[i];
        const size_t n = strlen(c->names);
        for (size_t turn = 0; turn < (n > 0 ? n : 1); turn++) { /* RACE-1: turned round */
            tl_arena *arena = new_arena();
            tl_race_ballot b[4];
            for (size_t k = 0; k < n; k++) {
                const size_t from = (k + turn) % n;
                b[k] = ballot((unsigned)from, c->stakes[from],
                              (char)(c->names[from] == '-' ? 0 : c->names[from]));
            }
            tl_race_verdict_out v = {0};
            assert_int_equal(tl_race_verdict(&v, arena, b, n, &params, c->round, NULL), TL_OK);
            assert_string_equal(tl_race_status_name(v.status), tl_race_status_name(c->status));
            assert_int_equal(v.next, c->next);
            assert_int_equal(v.pays, c->next == TL_RACE_AGREE);
            assert_int_equal(v.needs_review, c->needs_review);
            assert_int_equal(v.rate_millionths, c->rate);
            assert_int_equal(v.outlier_count, c->outliers);
            tl_arena_free(arena);
        }
    }
}

static void a_vote_counts_once(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_params params;
    tl_listings_params_default(&params);
    tl_race_verdict_out v = {.result_count = 77};
    const tl_race_ballot twice[] = {ballot(0, 60, 'a'), ballot(1, 10, 'b'), ballot(0, 60, 'a')};
    assert_int_equal(tl_race_verdict(&v, arena, twice, 3, &params, 1, NULL), TL_ERR_DUPLICATE);
    const tl_race_ballot negative[] = {ballot(0, 60, 'a'), ballot(1, -1, 'b')};
    assert_int_equal(tl_race_verdict(&v, arena, negative, 2, &params, 1, NULL), TL_ERR_RANGE);
    const tl_race_ballot huge[] = {ballot(0, INT64_MAX, 'a'), ballot(1, 1, 'b')};
    assert_int_equal(tl_race_verdict(&v, arena, huge, 2, &params, 1, NULL), TL_ERR_OVERFLOW);
    assert_int_equal(v.result_count, 77);
    tl_arena_free(arena);
}

static void an_outlier_is_told_where_it_differs_first(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_params params;
    tl_listings_params_default(&params);
    tl_race_ballot b[5];
    for (unsigned i = 0; i < 5; i++) {
        b[i] = ballot(i, i == 0 ? 1000 : 1, 'a');
    }
    b[1].roots.evidence.b[3] ^= 1;
    b[1].roots.weight.b[3] ^= 1;
    b[2].roots.score.b[3] ^= 1;
    b[3].roots.weight.b[3] ^= 1;
    for (unsigned i = 1; i < 4; i++) {
        tl_race_roots_hash(&b[i].roots);
    }
    b[4].roots.hash.b[31] ^= 1; /* a hash that is not that of its roots */
    tl_race_verdict_out v = {0};
    assert_int_equal(tl_race_verdict(&v, arena, b, 5, &params, 1, NULL), TL_OK);
    assert_int_equal(v.outlier_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(v.outliers[i].section, v.outliers[i].ballot - 1);
        assert_true(i == 0 || tl_hotkey_cmp(&b[v.outliers[i - 1].ballot].hotkey,
                                            &b[v.outliers[i].ballot].hotkey) < 0);
    }
    assert_string_equal(tl_race_section_name(TL_RACE_SECTION_EVIDENCE), "evidence");
    tl_race_status status = TL_RACE_NO_QUORUM;
    assert_true(tl_race_status_parse(&status, TL_STR("MAJORITY_FALLBACK")));
    assert_int_equal(status, TL_RACE_MAJORITY_FALLBACK);
    assert_false(tl_race_status_parse(&status, TL_STR("CONSENSUS_OK")));
    tl_arena_free(arena);
}

/* SHA-256 of 64 zeros as text, ":" and the salt: another program's. */
static void a_commitment_hides_the_hash_behind_its_salt(void **state)
{
    (void)state;
    const tl_hash32 hash = {{0}};
    tl_hash32 commit;
    char text[65];
    tl_race_commit(&commit, &hash, TL_STR("salt"));
    tl_hex_write(text, commit.b, sizeof commit.b);
    assert_string_equal(text, "4a24e9b3aae1e0bd6c5810f586e8a4489044495a4a28858aac3cdad868a25dbf");
}

static void repeated_outliers_lose_their_stake(void **state)
{
    (void)state;
    uint32_t streak = 0;
    const tl_rao stake = tl_rao_from_i64(101);
    static const int64_t counted[] = {101, 101, 101, 50, 50, 50, 0, 0};
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        assert_true(tl_rao_to_i64(tl_race_stake_counted(stake, streak)) == counted[i]);
        assert_int_equal(tl_race_streak(streak, false, false), streak); /* silence mends nothing */
        streak = tl_race_streak(streak, true, true);
    }
    assert_int_equal(tl_race_streak(streak, true, false), 0);
    assert_true(tl_race_streak(UINT32_MAX, true, true) == UINT32_MAX);
}

static void the_median_is_by_stake_and_names_everyone(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const tl_hotkey a = {{1}};
    const tl_hotkey b = {{2}};
    const tl_hotkey c = {{3}};
    const tl_hotkey burn = {{0}};
    const tl_race_weight first[] = {{burn, 100}, {a, 65535}, {b, 1000}};
    const tl_race_weight second[] = {{a, 40000}, {b, 2000}};
    const tl_race_weight third[] = {{a, 20000}, {b, 3000}, {c, 65535}};
    const tl_race_row rows[] = {{tl_rao_from_i64(30), first, 3},
                                {tl_rao_from_i64(30), second, 2},
                                {tl_rao_from_i64(40), third, 3}};
    const tl_race_weight *out = NULL;
    size_t count = 0;
    assert_int_equal(tl_race_median(&out, &count, arena, rows, 3, NULL), TL_OK);
    assert_int_equal(count, 4);
    assert_int_equal(out[0].weight_u16, 0);     /* burn: 0 0 100 */
    assert_int_equal(out[1].weight_u16, 65535); /* 20,000 (40), 40,000 (30): half is passed there */
    assert_int_equal(out[2].weight_u16, 3277);  /* 2,000 of 40,000 */
    assert_int_equal(out[3].weight_u16, 0);     /* 60 of 100 say 0 */
    const tl_race_weight wrong[] = {{b, 1}, {a, 1}};
    const tl_race_row bad[] = {{tl_rao_from_i64(30), wrong, 2}};
    assert_int_equal(tl_race_median(&out, &count, arena, bad, 1, NULL), TL_ERR_CANONICAL);
    assert_int_equal(tl_race_median(&out, &count, arena, NULL, 0, NULL), TL_OK);
    assert_int_equal(count, 0);
    tl_arena_free(arena);
}

/* Other weights split the same emission; nothing is held; strangers and the disqualified leave theirs to the burn. */
static void pay_by_the_median_adds_up(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 1, 2);
    for (unsigned m = 0; m < 3; m++) {
        (void)world_add_sheet(w, m, 0, 1 + m);
    }
    w->sheets[2].sheet.is_disqualified = true;
    world_tell(w);
    world_say(w, 0, 0, 0, "NNNNNNNNNNNNNNN");
    world_say(w, 1, 0, 0, "NNNNNNNNNNNNNNN");
    tl_race_result r = {0};
    assert_int_equal(tl_race_run(&r, arena, &w->input, NULL), TL_OK);
    assert_int_equal(r.held_count, 1);
    const tl_race_roots before = r.roots;
    const tl_race_weight weights[] = {{{{0}}, 10},
                                      {world_key(1), 30},
                                      {world_key(2), 30},
                                      {world_key(3), 20},
                                      {world_key(39), 10}};
    assert_int_equal(tl_race_repay(&r, arena, weights, 5, NULL), TL_OK);
    assert_int_equal(r.held_count, 0);
    assert_true(world_reward(&r, 0) == 300000000000);
    assert_true(world_reward(&r, 1) == 300000000000);
    assert_true(world_reward(&r, 2) == 0);
    assert_true(tl_rao_to_i64(r.burn) == 400000000000);
    assert_int_equal(r.burn_weight_u16, 65535);
    assert_memory_equal(&before, &r.roots, sizeof before);
    assert_int_equal(tl_race_repay(&r, arena, NULL, 0, NULL), TL_OK);
    assert_true(tl_rao_to_i64(r.burn) == 1000000000000);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_of_the_table_holds_in_any_order),
        cmocka_unit_test(a_vote_counts_once),
        cmocka_unit_test(an_outlier_is_told_where_it_differs_first),
        cmocka_unit_test(a_commitment_hides_the_hash_behind_its_salt),
        cmocka_unit_test(repeated_outliers_lose_their_stake),
        cmocka_unit_test(the_median_is_by_stake_and_names_everyone),
        cmocka_unit_test(pay_by_the_median_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
