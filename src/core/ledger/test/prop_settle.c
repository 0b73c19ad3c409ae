/* Laws of the distribution, for random worlds and for all small ones: it equals a slow reference
 * written straight from portfolio spec 7, nothing goes astray, and the ledger takes it.
 *
 * --seed N replays a run. Every amount has a taste for edges: 0, 1, odd, equal, near 2^62. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#include "core/num/fmath/fmath.h"
#include "core/num/rng/rng.h"

#define RANDOM_COUNT 120000
#define MINERS_MAX   400

static uint64_t seed = 0x7a11;
static uint64_t distribution_count;
static tl_u128 astray_rao;

/* --- the reference: plain 128-bit integers, one loop a sentence of the spec --- */

typedef struct row {
    int tier; /* 0 none, 1 top, 2 profitable, 3 break-even, 4 penalty */
    tl_i128 reward, back, burned, redistributed;
} row;

typedef struct totals {
    tl_i128 pool, rake, burned, forfeited, winner_pool, deficit, returned, carry;
} totals;

static void reference_group(row *rows, const tl_payout_miner *m, size_t n, int lo, int hi,
                            tl_i128 *missing)
{
    tl_i128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += rows[i].tier >= lo && rows[i].tier <= hi ? tl_rao_to_i64(m[i].ante) : 0;
    }
    const tl_i128 given = *missing < sum ? *missing : sum;
    if (given == 0) {
        return;
    }
    tl_i128 rest = sum - given;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].tier >= lo && rows[i].tier <= hi) {
            rows[i].back = tl_rao_to_i64(m[i].ante) * (sum - given) / sum;
            rest -= rows[i].back;
        }
    }
    for (size_t i = 0; i < n && rest > 0; i++) {
        if (rows[i].tier >= lo && rows[i].tier <= hi && tl_rao_to_i64(m[i].ante) > 0) {
            rows[i].back++;
            rest--;
        }
    }
    *missing -= given;
}

static tl_i128 reference_weight(size_t rank, double gamma)
{
    const double x = (double)rank;
    return (tl_i128)((gamma == 1.5 ? 1.0 / (x * sqrt(x)) : tl_pow(x, -gamma)) * 281474976710656.0);
}

static totals reference(row *rows, const tl_payout_miner *m, size_t n, int64_t x, int64_t external,
                        uint32_t rake_bp, double gamma)
{
    totals t = {.pool = (tl_i128)x + external};
    tl_i128 ranked = 0;
    for (size_t i = 0; i < n; i++) {
        ranked += m[i].outcome == TL_OUTCOME_RANKED;
    }
    tl_i128 rank = 0;
    tl_i128 winner_antes = 0;
    tl_i128 even_antes = 0;
    for (size_t i = 0; i < n; i++) {
        const tl_i128 a = tl_rao_to_i64(m[i].ante);
        rows[i] = (row){.tier = 0};
        if (m[i].outcome == TL_OUTCOME_RANKED) {
            rank++;
            const tl_i128 p100 = 100 * (ranked - rank + 1);
            rows[i].tier = p100 >= 85 * ranked   ? 1
                           : p100 >= 50 * ranked ? 2
                           : p100 >= 30 * ranked ? 3
                                                 : 4;
        }
        if (rows[i].tier == 4 || m[i].outcome == TL_OUTCOME_ELIMINATED ||
            m[i].outcome == TL_OUTCOME_NO_INCENTIVE || m[i].outcome == TL_OUTCOME_HASH_DIFFERS ||
            m[i].outcome == TL_OUTCOME_NOT_REVEALED || m[i].outcome == TL_OUTCOME_DISQUALIFIED) {
            rows[i].burned = a / 2;
            rows[i].redistributed = a - a / 2;
        } else if (m[i].outcome == TL_OUTCOME_REVEALED_EARLY) {
            rows[i].back = a - a / 2;
            rows[i].burned = a / 2 / 2;
            rows[i].redistributed = a / 2 - a / 2 / 2;
        } else {
            rows[i].back = a;
        }
        winner_antes += rows[i].tier == 1 || rows[i].tier == 2 ? a : 0;
        even_antes += rows[i].tier == 3 ? a : 0;
        t.burned += rows[i].burned;
        t.forfeited += rows[i].burned + rows[i].redistributed;
        t.pool += rows[i].tier != 0 ? a : rows[i].burned + rows[i].redistributed;
    }
    t.rake = t.pool * rake_bp / 10000;
    const tl_i128 w = t.pool - t.rake - t.burned - even_antes - winner_antes;
    if (w < 0) {
        t.deficit = -w;
        tl_i128 missing = t.deficit;
        reference_group(rows, m, n, 1, 2, &missing);
        reference_group(rows, m, n, 3, 3, &missing);
        assert_true(missing == 0);
    } else {
        t.winner_pool = w;
        t.carry = ranked == 0 ? w : 0;
        tl_i128 weights = 0;
        tl_i128 rest = w;
        size_t place = 0;
        for (size_t i = 0; i < n; i++) {
            weights +=
                rows[i].tier == 1 || rows[i].tier == 2 ? reference_weight(++place, gamma) : 0;
        }
        place = 0;
        for (size_t i = 0; i < n; i++) {
            if (rows[i].tier == 1 || rows[i].tier == 2) {
                rows[i].reward = (tl_i128)((tl_u128)w * (tl_u128)reference_weight(++place, gamma) /
                                           (tl_u128)weights);
                rest -= rows[i].reward;
            }
        }
        for (size_t i = 0; i < n && rest > 0 && ranked > 0; i++) {
            if (rows[i].tier == 1 || rows[i].tier == 2) {
                rows[i].reward++;
                rest--;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        t.returned += rows[i].back;
    }
    return t;
}

/* --- one world --- */

static void same(const char *what, tl_rao got, tl_i128 want)
{
    if (tl_rao_to_i64(got) != want) {
        fail_msg("%s: %" PRId64 ", wanted %" PRId64, what, tl_rao_to_i64(got), (int64_t)want);
    }
}

static void check_rows(const tl_settlement *s, const row *rows, const tl_payout_miner *m)
{
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout *p = &s->payouts[i];
        assert_int_equal(p->tier, rows[i].tier);
        same("reward", p->reward, rows[i].reward);
        same("ante_back", p->ante_back, rows[i].back);
        same("burned", p->burned, rows[i].burned);
        same("redistributed", p->redistributed, rows[i].redistributed);
        same("deficit", p->deficit,
             tl_rao_to_i64(m[i].ante) - rows[i].back - rows[i].burned - rows[i].redistributed);
        assert_false(tl_rao_is_negative(p->reward));    /* LED-8 */
        assert_false(tl_rao_is_negative(p->ante_back)); /* LED-8 */
        assert_false(tl_rao_is_negative(p->deficit));
    }
}

/* What came in less what goes out, summed here from the parts. */
static tl_i128 gap_of(const tl_settlement *s, const tl_payout_miner *m, int64_t x, int64_t external)
{
    tl_i128 gap = (tl_i128)x + external - tl_rao_to_i64(s->rake) - tl_rao_to_i64(s->carry);
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout *p = &s->payouts[i];
        gap += tl_rao_to_i64(m[i].ante);
        gap -= (tl_i128)tl_rao_to_i64(p->reward) + tl_rao_to_i64(p->fee) +
               tl_rao_to_i64(p->ante_back) + tl_rao_to_i64(p->burned);
    }
    return gap;
}

static tl_settlement check_world(tl_arena *arena, const tl_payout_miner *m, size_t n, int64_t x,
                                 int64_t external, const tl_payout_params *params)
{
    static row rows[MINERS_MAX];
    tl_settlement s;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_settle(&s, arena, RAO(x), RAO(external), m, n, params, &ctx) != TL_OK) {
        fail_msg("distribution %" PRIu64 ": %s", distribution_count, ctx.message);
    }
    const totals t = reference(rows, m, n, x, external, params->rake_bp, params->gamma);
    check_rows(&s, rows, m);
    same("pool", s.pool, t.pool);
    same("rake", s.rake, t.rake);
    same("burned", s.burned, t.burned);
    same("forfeited", s.forfeited, t.forfeited);
    same("winner_pool", s.winner_pool, t.winner_pool);
    same("deficit", s.deficit, t.deficit);
    same("returned", s.returned, t.returned);
    same("carry", s.carry, t.carry);
    assert_true(tl_rao_eq(s.total_in, s.total_out)); /* LED-7 */
    assert_true(t.pool < 13 || params->rake_bp < 800 || t.rake > 0);
    const tl_i128 gap = gap_of(&s, m, x, external);
    astray_rao += (tl_u128)(gap < 0 ? -gap : gap);
    distribution_count++;
    return s;
}

/* --- random worlds --- */

static int64_t some_amount(tl_xoshiro *rng, int64_t max)
{
    switch (tl_xoshiro_below(rng, 8)) {
    case 0:
        return (int64_t)tl_xoshiro_below(rng, 2);
    case 1:
        return (int64_t)tl_xoshiro_below(rng, 100) % (max + 1);
    case 2:
        return (int64_t)1 << tl_xoshiro_below(rng, 30);
    case 3:
        return ((int64_t)1 << tl_xoshiro_below(rng, 30)) - 1;
    case 4:
        return max;
    default:
        return (int64_t)tl_xoshiro_below(rng, (uint64_t)max + 1);
    }
}

static size_t some_count(tl_xoshiro *rng)
{
    switch (tl_xoshiro_below(rng, 16)) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return tl_xoshiro_below(rng, MINERS_MAX + 1);
    case 3:
        return 20 * tl_xoshiro_below(rng, 6);
    default:
        return tl_xoshiro_below(rng, 24);
    }
}

/* The ledger takes the same world when every ante can be locked. */
static void check_posting(tl_arena *arena, const tl_settlement *s, const tl_payout_miner *m)
{
    const tl_ledger_options options = {.ante_min = RAO(1)};
    tl_ledger *ledger;
    assert_int_equal(tl_ledger_new(&ledger, arena, &options, NULL), TL_OK);
    for (size_t i = 0; i < s->count; i++) {
        const tl_account account = tl_account_of_hotkey(TL_ACCOUNT_MINER, &m[i].hotkey);
        assert_int_equal(tl_ledger_issue(ledger, account, m[i].ante, 1, TL_STR(""), NULL), TL_OK);
        assert_int_equal(
            tl_escrow_lock(ledger, NULL, TL_STR("E"), &m[i].hotkey, m[i].ante, 2, NULL), TL_OK);
    }
    const tl_settle_order order = {.epoch = TL_STR("E"), .height = 3, .settlement = s, .miners = m};
    assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_OK);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_TREASURY), TL_STR("")),
                     tl_rao_to_i64(s->rake) + tl_rao_to_i64(s->fee) - tl_rao_to_i64(s->fee_burned));
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_BURN), TL_STR("")),
                     tl_rao_to_i64(s->burned) + tl_rao_to_i64(s->fee_burned));
    for (size_t i = 0; i < s->count; i++) {
        assert_int_equal(
            balance_of(ledger, tl_account_of_hotkey(TL_ACCOUNT_MINER, &m[i].hotkey), TL_STR("")),
            tl_rao_to_i64(s->payouts[i].reward) + tl_rao_to_i64(s->payouts[i].ante_back));
    }
    assert_verifies(ledger);
}

static void random_distributions_lose_nothing(void **state)
{
    (void)state;
    static tl_payout_miner m[MINERS_MAX];
    static const double gammas[] = {1.5, 1.5, 1.5, 1.0, 2.0, 1.25, 1.999};
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    tl_arena *arena = new_arena();
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    uint64_t posted = 0;
    for (uint32_t round = 0; round < RANDOM_COUNT; round++) {
        const size_t n = some_count(&rng);
        const uint64_t style = tl_xoshiro_below(&rng, 8);
        /* at style 7 all amounts together come near 2^62 */
        const int64_t max = style == 7   ? (((int64_t)1 << 62) - 1) / (int64_t)(n + 2)
                            : style == 6 ? 3
                                         : 200 * TL_RAO_PER_TAO;
        const int64_t equal_ante = some_amount(&rng, max);
        const tl_outcome only = (tl_outcome)tl_xoshiro_below(&rng, TL_OUTCOME_COUNT);
        bool lockable = true;
        for (size_t i = 0; i < n; i++) {
            const uint64_t luck = tl_xoshiro_below(&rng, 10);
            m[i] = (tl_payout_miner){
                .hotkey = key_of((uint32_t)i),
                .ante = RAO(style == 0 ? equal_ante : some_amount(&rng, max)),
                .outcome = style == 1 ? only
                           : luck < 6 ? TL_OUTCOME_RANKED
                                      : (tl_outcome)tl_xoshiro_below(&rng, TL_OUTCOME_COUNT)};
            lockable = lockable && tl_rao_to_i64(m[i].ante) > 0;
        }
        const int64_t x = style == 2 ? (int64_t)tl_xoshiro_below(&rng, 3) : some_amount(&rng, max);
        const int64_t external = style == 2 ? 0 : some_amount(&rng, max);
        tl_payout_params params = tl_payout_params_default();
        params.gamma = gammas[tl_xoshiro_below(&rng, 7)];
        if (tl_xoshiro_below(&rng, 8) == 0) {
            params.rake_bp = (uint32_t)tl_xoshiro_below(&rng, TL_LEDGER_RAKE_BP_MAX + 1);
        }
        const tl_settlement s = check_world(arena, m, n, x, external, &params);
        if (lockable && round % 64 == 0 && style != 7) {
            check_posting(arena, &s, m);
            posted++;
        }
        tl_arena_rewind(arena, mark);
    }
    assert_true(posted > 100);
    tl_arena_free(arena);
}

/* With a fee the winners get less, and nobody else any different. */
static void a_fee_changes_only_the_winners_share(void **state)
{
    (void)state; /* LED-7 */
    static tl_payout_miner m[50];
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed + 1);
    tl_arena *arena = new_arena();
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (uint32_t round = 0; round < 2000; round++) {
        const size_t n = 1 + tl_xoshiro_below(&rng, 50);
        for (size_t i = 0; i < n; i++) {
            m[i] = (tl_payout_miner){.hotkey = key_of((uint32_t)i),
                                     .ante = RAO(1 + some_amount(&rng, 1000)),
                                     .outcome = TL_OUTCOME_RANKED};
        }
        tl_payout_params params = tl_payout_params_default();
        const int64_t x = some_amount(&rng, 100000);
        const tl_settlement plain = check_world(arena, m, n, x, 0, &params);
        params.fee_bp = (uint32_t)tl_xoshiro_below(&rng, TL_LEDGER_FEE_BP_MAX + 1);
        tl_settlement s;
        assert_int_equal(tl_settle(&s, arena, RAO(x), RAO(0), m, n, &params, NULL), TL_OK);
        assert_true(gap_of(&s, m, x, 0) == 0);
        assert_true(tl_rao_eq(s.total_in, s.total_out));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(tl_rao_to_i64(s.payouts[i].reward) + tl_rao_to_i64(s.payouts[i].fee),
                             tl_rao_to_i64(plain.payouts[i].reward));
            assert_true(tl_rao_eq(s.payouts[i].ante_back, plain.payouts[i].ante_back));
        }
        check_posting(arena, &s, m);
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena);
}

/* All worlds of up to three miners, nine outcomes, antes 0 to 3, little emission. */
static void all_small_distributions_equal_the_reference(void **state)
{
    (void)state;
    static const int64_t emissions[] = {0, 1, 2, 13};
    const tl_payout_params params = tl_payout_params_default();
    tl_arena *arena = new_arena();
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (size_t n = 0; n <= 3; n++) {
        uint32_t worlds = 1;
        for (size_t i = 0; i < n; i++) {
            worlds *= TL_OUTCOME_COUNT * 4;
        }
        for (uint32_t code = 0; code < worlds; code++) {
            tl_payout_miner m[3] = {{.ante = RAO(0)}};
            uint32_t rest = code;
            for (size_t i = 0; i < n; i++) {
                m[i].outcome = (tl_outcome)(rest % TL_OUTCOME_COUNT);
                rest /= TL_OUTCOME_COUNT;
                m[i].ante = RAO(rest % 4);
                rest /= 4;
            }
            for (size_t e = 0; e < 4; e++) {
                (void)check_world(arena, m, n, emissions[e], 0, &params);
                tl_arena_rewind(arena, mark);
            }
        }
    }
    tl_arena_free(arena);
    print_message("# seed %" PRIu64 "\n", seed);
    print_message("# PROOF property distributions=%" PRIu64 " astray_rao=%" PRIu64 "\n",
                  distribution_count, (uint64_t)astray_rao);
    assert_true(astray_rao == 0);
    assert_true(distribution_count >= 100000);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        seed = strtoull(argv[2], NULL, 0);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_distributions_lose_nothing),
        cmocka_unit_test(a_fee_changes_only_the_winners_share),
        cmocka_unit_test(all_small_distributions_equal_the_reference),
    };
    return cmocka_run_group_tests_name("ledger settle laws", tests, NULL, NULL);
}
