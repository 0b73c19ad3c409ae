/* The join, beyond its golden cases. Attacked: the order of the input, carried bonds over changing participants, epochs
 * that do not pay, reasons for not being ranked, money, idle validators, bad input, failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/consensus/join/join.h"
#include "core/num/rng/rng.h"

enum { V_MAX = 5, M_MAX = 8 };

/* A random epoch that owns its arrays. */
typedef struct world {
    tl_join_input input;
    tl_join_validator validators[V_MAX];
    tl_join_miner miners[M_MAX];
    tl_row rows[V_MAX];
    uint32_t qs[V_MAX][M_MAX];
    uint32_t drawdown[V_MAX][M_MAX];
    bool votes[V_MAX][M_MAX];
    uint32_t flags[V_MAX][M_MAX];
} world;

static tl_hotkey key_of(uint64_t number)
{
    tl_hotkey key;
    for (size_t i = 0; i < sizeof key.b; i++) {
        key.b[i] = (uint8_t)((number * 0x9E3779B97F4A7C15U) >> (8 * (i % 8)));
    }
    return key;
}

static void world_bind(world *w)
{
    w->input.validators = w->validators;
    w->input.miners = w->miners;
    for (size_t v = 0; v < w->input.validator_count; v++) {
        w->rows[v] = (tl_row){w->qs[v], w->drawdown[v], w->votes[v], w->flags[v]};
        if (w->validators[v].row != NULL) {
            w->validators[v].row = &w->rows[v];
        }
    }
}

static void world_random(world *w, tl_xoshiro *rng)
{
    memset(w, 0, sizeof *w);
    w->input.domain = TL_STR("test/1/1");
    w->input.validator_count = 1 + (size_t)tl_xoshiro_below(rng, V_MAX);
    w->input.miner_count = (size_t)tl_xoshiro_below(rng, M_MAX + 1);
    w->input.emission = tl_rao_from_i64((int64_t)tl_xoshiro_below(rng, (uint64_t)1 << 42));
    const bool agrees = tl_xoshiro_below(rng, 2) == 0;
    for (size_t m = 0; m < w->input.miner_count; m++) {
        w->miners[m] = (tl_join_miner){key_of(100 + m), tl_xoshiro_below(rng, 3),
                                       (uint32_t)tl_xoshiro_below(rng, 12)};
    }
    for (size_t v = 0; v < w->input.validator_count; v++) {
        w->validators[v].hotkey = key_of(v + 1);
        w->validators[v].stake = tl_rao_from_i64((int64_t)tl_xoshiro_below(rng, 6) * 1000000007);
        w->validators[v].row = tl_xoshiro_below(rng, 6) == 0 ? NULL : &w->rows[v];
        for (size_t m = 0; m < w->input.miner_count; m++) {
            const bool copies = agrees && v > 0 && tl_xoshiro_below(rng, 9) != 0;
            const uint32_t qs = (uint32_t)tl_xoshiro_below(rng, 1000001);
            w->qs[v][m] = copies ? w->qs[0][m] : tl_xoshiro_below(rng, 4) == 0 ? 0 : qs;
            w->drawdown[v][m] = copies ? w->drawdown[0][m] : qs / 2;
            w->votes[v][m] = copies ? w->votes[0][m] : tl_xoshiro_below(rng, 5) == 0;
            w->flags[v][m] = copies ? w->flags[0][m] : (uint32_t)tl_xoshiro_below(rng, 8);
        }
    }
    world_bind(w);
}

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static void expect_ranks(const tl_agreement *a)
{
    size_t ranked = 0;
    for (size_t m = 0; m < a->miner_count; m++) {
        const bool is_ranked = a->miners[m].outcome == TL_JOIN_RANKED;
        assert_int_equal(is_ranked, a->miners[m].rank != 0);
        assert_true(!is_ranked || a->miners[m].incentive_raw > 0); /* JOIN-3 */
        ranked += is_ranked;
    }
    assert_int_equal(ranked, a->ranked_count);
    for (size_t i = 0; i < ranked; i++) {
        assert_int_equal(a->miners[a->rank_order[i]].rank, i + 1); /* JOIN-3 */
        assert_true(i == 0 || a->miners[a->rank_order[i - 1]].incentive_raw >=
                                  a->miners[a->rank_order[i]].incentive_raw);
    }
}

static void money_adds_up_and_ranks_are_whole(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    size_t paid_epochs = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, seed);
        world w;
        world_random(&w, &rng);
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        tl_agreement a;
        assert_int_equal(tl_consensus_agree(arena, &a, &w.input, NULL), TL_OK);
        tl_rao sum = TL_RAO_ZERO;
        for (size_t v = 0; v < a.validator_count; v++) {
            assert_false(tl_rao_is_negative(a.validators[v].pay));
            assert_int_equal(tl_rao_add(&sum, sum, a.validators[v].pay, NULL), TL_OK);
        }
        assert_true(tl_rao_eq(sum, a.verdict.pays ? a.split.validators : TL_RAO_ZERO)); /* JOIN-2 */
        tl_rao whole;
        assert_int_equal(tl_rao_add(&whole, a.split.miners, a.split.validators, NULL), TL_OK);
        assert_int_equal(tl_rao_add(&whole, whole, a.split.owner, NULL), TL_OK);
        assert_true(tl_rao_eq(whole, w.input.emission)); /* JOIN-2 */
        expect_ranks(&a);
        paid_epochs += a.verdict.pays;
        tl_arena_rewind(arena, mark);
    }
    assert_in_range(paid_epochs, 300, 2900); /* both kinds were seen */
    tl_arena_free(arena);
}

/* Turn validators and miners by one place. */
static void world_turn(world *to, const world *from)
{
    *to = *from;
    const size_t vn = from->input.validator_count;
    const size_t mn = from->input.miner_count;
    for (size_t v = 0; v < vn; v++) {
        const size_t to_v = (v + 1) % vn;
        to->validators[to_v] = from->validators[v];
        for (size_t m = 0; m < mn; m++) {
            const size_t to_m = (m + 1) % mn;
            to->miners[to_m] = from->miners[m];
            to->qs[to_v][to_m] = from->qs[v][m];
            to->drawdown[to_v][to_m] = from->drawdown[v][m];
            to->votes[to_v][to_m] = from->votes[v][m];
            to->flags[to_v][to_m] = from->flags[v][m];
        }
    }
    world_bind(to);
}

static void expect_turned(const tl_agreement *a, const tl_agreement *b)
{
    const size_t vn = a->validator_count;
    const size_t mn = a->miner_count;
    assert_int_equal(a->verdict.status, b->verdict.status);
    assert_int_equal(a->verdict.pays, b->verdict.pays);
    assert_int_equal(a->collusion.pair_count, b->collusion.pair_count);
    assert_int_equal(a->collusion.apart_count, b->collusion.apart_count);
    for (size_t v = 0; v < vn; v++) { /* JOIN-1 */
        const tl_agreed_validator *x = &a->validators[v];
        const tl_agreed_validator *y = &b->validators[(v + 1) % vn];
        assert_int_equal(x->uid, y->uid);
        assert_int_equal(x->is_outlier, y->is_outlier);
        assert_int_equal(x->dividends_raw, y->dividends_raw);
        assert_true(tl_rao_eq(x->pay, y->pay));
        assert_int_equal(tl_hash32_cmp(&x->row_hash, &y->row_hash), 0);
    }
    for (size_t m = 0; m < mn; m++) { /* JOIN-1 */
        const tl_agreed_miner *x = &a->miners[m];
        const tl_agreed_miner *y = &b->miners[(m + 1) % mn];
        assert_int_equal(x->uid, y->uid);
        assert_int_equal(x->incentive_raw, y->incentive_raw);
        assert_int_equal(x->consensus_raw, y->consensus_raw);
        assert_int_equal(x->max_drawdown_millionths, y->max_drawdown_millionths);
        assert_int_equal(x->qs_millionths, y->qs_millionths);
        assert_int_equal(x->flags, y->flags);
        assert_int_equal(x->outcome, y->outcome);
        assert_int_equal(x->rank, y->rank);
    }
    assert_int_equal(a->bonds.count, b->bonds.count);
    for (size_t k = 0; k < a->bonds.count; k++) {
        assert_int_equal(a->bonds.items[k].bond_u16, b->bonds.items[k].bond_u16);
    }
}

static void the_order_of_the_input_changes_nothing(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    for (uint64_t seed = 0; seed < 1500; seed++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, 10000 + seed);
        world w;
        world turned;
        world_random(&w, &rng);
        world_turn(&turned, &w);
        tl_agreement a;
        tl_agreement b;
        assert_int_equal(tl_consensus_agree(arena, &a, &w.input, NULL), TL_OK);
        assert_int_equal(tl_consensus_agree(arena, &b, &turned.input, NULL), TL_OK);
        expect_turned(&a, &b);
    }
    tl_arena_free(arena);
}

static void a_validator_without_stake_changes_nobodys_result(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    for (uint64_t seed = 0; seed < 1500; seed++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, 20000 + seed);
        world w;
        world_random(&w, &rng);
        if (w.input.validator_count < 2) {
            continue;
        }
        const size_t last = w.input.validator_count - 1;
        w.validators[last].stake = TL_RAO_ZERO;
        tl_agreement with;
        tl_agreement without;
        assert_int_equal(tl_consensus_agree(arena, &with, &w.input, NULL), TL_OK);
        w.input.validator_count = last;
        assert_int_equal(tl_consensus_agree(arena, &without, &w.input, NULL), TL_OK);
        assert_int_equal(with.verdict.status, without.verdict.status);
        assert_int_equal(with.ranked_count, without.ranked_count);
        for (size_t v = 0; v < last; v++) { /* JOIN-5 */
            assert_int_equal(with.validators[v].dividends_raw, without.validators[v].dividends_raw);
            assert_true(tl_rao_eq(with.validators[v].pay, without.validators[v].pay));
        }
        for (size_t m = 0; m < w.input.miner_count; m++) { /* JOIN-5 */
            assert_int_equal(with.miners[m].incentive_raw, without.miners[m].incentive_raw);
            assert_int_equal(with.miners[m].rank, without.miners[m].rank);
            /* Where nobody with stake gave a row, a median is the least value given; such an epoch never pays. */
            assert_true(with.miners[m].outcome == without.miners[m].outcome || !with.verdict.pays);
        }
        assert_true(tl_rao_is_zero(with.validators[last].pay));
    }
    tl_arena_free(arena);
}

/* Two validators, three miners, all clear. */
static void world_plain(world *w)
{
    memset(w, 0, sizeof *w);
    w->input.domain = TL_STR("test/1/1");
    w->input.validator_count = 2;
    w->input.miner_count = 3;
    w->input.emission = tl_rao_from_i64(1000);
    for (size_t v = 0; v < 2; v++) {
        w->validators[v] =
            (tl_join_validator){key_of(v + 1), tl_rao_from_i64(60 - 20 * (int)v), w->rows};
    }
    for (size_t m = 0; m < 3; m++) {
        w->miners[m] = (tl_join_miner){key_of(100 + m), 5, 90};
        w->qs[0][m] = w->qs[1][m] = (uint32_t)(300000 * (m + 1));
    }
    world_bind(w);
}

static void bonds_are_carried_by_hotkey(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    world_plain(&w);
    tl_agreement first;
    tl_agreement second;
    assert_int_equal(tl_consensus_agree(arena, &first, &w.input, NULL), TL_OK);
    assert_int_equal(first.bonds.count, 6);
    w.input.bonds = first.bonds;
    /* The second validator scores the others' way round; its old bonds still pay it for the first miner. */
    w.qs[1][0] = 900000;
    w.qs[1][2] = 300000;
    assert_int_equal(tl_consensus_agree(arena, &second, &w.input, NULL), TL_OK);
    w.input.bonds = (tl_bonds){NULL, 0};
    tl_agreement fresh;
    assert_int_equal(tl_consensus_agree(arena, &fresh, &w.input, NULL), TL_OK);
    assert_true(second.validators[1].dividends_raw != fresh.validators[1].dividends_raw);
    /* A newcomer whose hotkey sorts before all others moves every uid, but no bond. */
    world grown;
    world_plain(&grown);
    grown.input.bonds = first.bonds;
    grown.qs[1][0] = 900000;
    grown.qs[1][2] = 300000;
    grown.input.miner_count = 4;
    memset(&grown.miners[3], 0, sizeof grown.miners[3]);
    grown.miners[3].days = 3;
    tl_agreement third;
    assert_int_equal(tl_consensus_agree(arena, &third, &grown.input, NULL), TL_OK);
    assert_int_equal(third.miners[3].uid, 0);
    assert_int_equal(third.miners[3].outcome, TL_JOIN_NOT_RANKED);
    assert_int_equal(third.validators[1].dividends_raw, second.validators[1].dividends_raw);
    /* Bonds to whoever takes no part are dropped, a bond carried twice is refused. */
    const tl_bond stray[] = {{key_of(77), key_of(100), 5}, {key_of(1), key_of(78), 5}};
    w.input.bonds = (tl_bonds){stray, 2};
    tl_agreement dropped;
    assert_int_equal(tl_consensus_agree(arena, &dropped, &w.input, NULL), TL_OK);
    assert_int_equal(dropped.validators[1].dividends_raw, fresh.validators[1].dividends_raw);
    const tl_bond twice[] = {{key_of(1), key_of(100), 5}, {key_of(1), key_of(100), 6}};
    w.input.bonds = (tl_bonds){twice, 2};
    assert_int_equal(tl_consensus_agree(arena, &dropped, &w.input, NULL), TL_ERR_DUPLICATE);
    tl_arena_free(arena);
}

static void an_epoch_that_does_not_pay_leaves_the_bonds(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    world_plain(&w);
    const tl_bond bond = {key_of(1), key_of(100), 500};
    w.input.bonds = (tl_bonds){&bond, 1};
    w.validators[0].row = NULL; /* 60 of 100 are silent */
    tl_agreement a;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, NULL), TL_OK);
    assert_false(a.verdict.pays);
    assert_int_equal(a.bonds.count, 1); /* JOIN-4 */
    assert_int_equal(a.bonds.items[0].bond_u16, 500);
    assert_true(tl_rao_is_zero(a.validators[1].pay)); /* JOIN-4 */
    assert_false(a.validators[0].is_outlier);
    tl_arena_free(arena);
}

static void reasons_follow_the_spec(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    world_plain(&w);
    for (size_t v = 0; v < 2; v++) {
        w.qs[v][0] = 0;
        w.qs[v][1] = 0;
        w.drawdown[v][0] = TL_JOIN_ELIMINATION_MILLIONTHS;
        w.drawdown[v][1] = TL_JOIN_ELIMINATION_MILLIONTHS + 1;
    }
    tl_agreement a;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, NULL), TL_OK);
    assert_int_equal(a.miners[0].outcome, TL_JOIN_NO_INCENTIVE);
    assert_int_equal(a.miners[1].outcome, TL_JOIN_ELIMINATED);
    assert_int_equal(a.miners[2].outcome, TL_JOIN_RANKED);
    w.miners[1].days = TL_JOIN_DAYS_MIN - 1;
    w.votes[1][2] = true; /* 40 of 100 */
    w.flags[0][2] = 6;
    w.flags[1][2] = 3;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, NULL), TL_OK);
    assert_int_equal(a.miners[1].outcome, TL_JOIN_NOT_RANKED);
    assert_int_equal(a.miners[2].outcome, TL_JOIN_RANKED);
    assert_int_equal(a.miners[2].flags, 6); /* what 60 of 100 say */
    w.votes[0][2] = true;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, NULL), TL_OK);
    assert_int_equal(a.miners[2].outcome, TL_JOIN_DISQUALIFIED);
    assert_int_equal(a.ranked_count, 0);
    assert_string_equal(tl_join_outcome_name(TL_JOIN_DISQUALIFIED), "disqualified");
    assert_string_equal(tl_join_outcome_name(TL_JOIN_RANKED), "ranked");
    assert_string_equal(tl_join_outcome_name(TL_JOIN_ELIMINATED), "eliminated");
    assert_string_equal(tl_join_outcome_name(TL_JOIN_NOT_RANKED), "not_ranked");
    assert_string_equal(tl_join_outcome_name(TL_JOIN_NO_INCENTIVE), "no_incentive");
    tl_arena_free(arena);
}

static void a_hotkey_that_is_both_has_one_uid_and_no_self_weight(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    world_plain(&w);
    w.miners[2].hotkey = w.validators[0].hotkey;
    tl_agreement a;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, NULL), TL_OK);
    assert_int_equal(a.miners[2].uid, a.validators[0].uid);
    /* Its own weight is masked: only 40 of 100 speak for it, which is the minority. */
    assert_int_equal(a.miners[2].incentive_raw, 0);
    tl_arena_free(arena);
}

static void bad_input_is_an_error(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world w;
    tl_agreement a;
    tl_errctx ctx = TL_ERRCTX_INIT;
    world_plain(&w);
    w.input.validator_count = 0;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_MISSING);
    world_plain(&w);
    w.validators[1].hotkey = w.validators[0].hotkey;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_DUPLICATE);
    assert_string_equal(ctx.field, "validators.hotkey");
    world_plain(&w);
    w.miners[2].hotkey = w.miners[0].hotkey;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_DUPLICATE);
    assert_string_equal(ctx.field, "miners.hotkey");
    world_plain(&w);
    w.qs[1][1] = TL_JOIN_QS_MILLIONTHS_MAX + 1;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_RANGE);
    world_plain(&w);
    w.validators[0].stake = tl_rao_from_i64(-1);
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_RANGE);
    world_plain(&w);
    w.validators[0].stake = tl_rao_from_i64(INT64_MAX);
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_OVERFLOW);
    world_plain(&w);
    w.input.emission = tl_rao_from_i64(-1);
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_RANGE);
    world_plain(&w);
    w.input.miner_count = TL_JOIN_PARTICIPANTS_MAX;
    assert_int_equal(tl_consensus_agree(arena, &a, &w.input, &ctx), TL_ERR_LIMIT);
    tl_arena_free(arena);
}

/* The n-th allocation fails. */
static void *failing_alloc(void *self, size_t len)
{
    size_t *left = self;
    if (*left == 0) {
        return NULL;
    }
    (*left)--;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void failing_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    world w;
    world_plain(&w);
    tl_err err = TL_ERR_NOMEM;
    for (size_t count = 1; err != TL_OK; count++) {
        size_t left = count;
        const tl_allocator allocator = {&left, failing_alloc, failing_release};
        tl_arena *arena = NULL;
        assert_int_equal(tl_arena_new(&arena, NULL, 0, &allocator, NULL), TL_OK);
        tl_agreement a;
        err = tl_consensus_agree(arena, &a, &w.input, NULL);
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        assert_true(err != TL_OK || count > 3);
        tl_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_adds_up_and_ranks_are_whole),
        cmocka_unit_test(the_order_of_the_input_changes_nothing),
        cmocka_unit_test(a_validator_without_stake_changes_nobodys_result),
        cmocka_unit_test(bonds_are_carried_by_hotkey),
        cmocka_unit_test(an_epoch_that_does_not_pay_leaves_the_bonds),
        cmocka_unit_test(reasons_follow_the_spec),
        cmocka_unit_test(a_hotkey_that_is_both_has_one_uid_and_no_self_weight),
        cmocka_unit_test(bad_input_is_an_error),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
