/* Attacks the settlement: the worked vector that the published design gets wrong, each outcome's
 * row, deficits, parameters out of range, sums that do not fit; then its posting: miners who are
 * missing, twice, strange, of another amount, failures in the last entry, an epoch paid twice. */
#include "world.h"

#include "core/ledger/ledger_internal.h"

#define EPOCH TL_STR("2024-Q1-W3")

static tl_payout_miner *ranked(tl_arena *arena, uint32_t count, int64_t ante)
{
    tl_payout_miner *miners = TL_NEW(arena, tl_payout_miner, count);
    assert_non_null(miners);
    for (uint32_t i = 0; i < count; i++) {
        miners[i] =
            (tl_payout_miner){.hotkey = key_of(i), .ante = RAO(ante), .outcome = TL_OUTCOME_RANKED};
    }
    return miners;
}

static tl_settlement settle(tl_arena *arena, int64_t emission, int64_t external,
                            const tl_payout_miner *miners, size_t count)
{
    tl_settlement s;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_settle(&s, arena, RAO(emission), RAO(external), miners, count, NULL, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return s;
}

#define I64(rao_amount) tl_rao_to_i64(rao_amount)

static void the_worked_vector_pays_out_what_came_in(void **state)
{
    (void)state; /* LED-7: the published design pays 11,100 of these 10,000 */
    tl_arena *arena = new_arena();
    const tl_settlement s = settle(arena, 6000, 0, ranked(arena, 40, 100), 40);
    assert_int_equal(s.tier_count[TL_TIER_TOP], 7);
    assert_int_equal(s.tier_count[TL_TIER_PROFITABLE], 14);
    assert_int_equal(s.tier_count[TL_TIER_BREAK_EVEN], 8);
    assert_int_equal(s.tier_count[TL_TIER_PENALTY], 11);
    assert_int_equal(I64(s.pool), 10000);
    assert_int_equal(I64(s.rake), 800);
    assert_int_equal(I64(s.forfeited), 1100);
    assert_int_equal(I64(s.burned), 550);
    assert_int_equal(I64(s.redistributed), 550);
    assert_int_equal(I64(s.winner_pool), 5750);
    assert_int_equal(I64(s.returned), 2900);
    assert_int_equal(I64(s.total_out), 10000);
    const int64_t rewards[] = {2637, 933, 508, 330, 236, 180, 143, 117, 98, 83, 72, 63};
    for (size_t i = 0; i < sizeof(rewards) / sizeof(rewards[0]); i++) {
        assert_int_equal(I64(s.payouts[i].reward), rewards[i]);
    }
    assert_int_equal(I64(s.payouts[21].reward), 0);
    tl_arena_free(arena);
}

static void each_outcome_does_its_row_with_the_ante(void **state)
{
    (void)state; /* LED-8 */
    static const struct {
        tl_outcome outcome;
        int64_t back, burned, redistributed;
    } rows[] = {
        {TL_OUTCOME_NOT_RANKED, 107, 0, 0},   {TL_OUTCOME_ELIMINATED, 0, 53, 54},
        {TL_OUTCOME_NO_INCENTIVE, 0, 53, 54}, {TL_OUTCOME_HASH_DIFFERS, 0, 53, 54},
        {TL_OUTCOME_NOT_REVEALED, 0, 53, 54}, {TL_OUTCOME_REVEALED_EARLY, 54, 26, 27},
        {TL_OUTCOME_INVALID, 107, 0, 0},      {TL_OUTCOME_DISQUALIFIED, 0, 53, 54},
    };
    tl_arena *arena = new_arena();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const tl_payout_miner miners[2] = {
            {.ante = RAO(107), .outcome = rows[i].outcome},
            {.ante = RAO(59), .outcome = TL_OUTCOME_RANKED},
        };
        const tl_settlement s = settle(arena, 1003, 0, miners, 2);
        assert_int_equal(s.payouts[0].rank, 0);
        assert_int_equal(s.payouts[0].tier, TL_TIER_NONE);
        assert_int_equal(I64(s.payouts[0].ante_back), rows[i].back);
        assert_int_equal(I64(s.payouts[0].burned), rows[i].burned);
        assert_int_equal(I64(s.payouts[0].redistributed), rows[i].redistributed);
        assert_int_equal(I64(s.payouts[0].reward), 0);
        const int64_t pool = 1003 + 59 + rows[i].burned + rows[i].redistributed;
        assert_int_equal(I64(s.pool), pool);
        assert_int_equal(I64(s.rake), pool * 8 / 100);
        assert_int_equal(s.payouts[1].rank, 1);
        assert_int_equal(I64(s.payouts[1].reward), 1003 - pool * 8 / 100 + rows[i].redistributed);
        tl_outcome parsed;
        assert_true(tl_outcome_parse(&parsed, tl_str_from_cstr(tl_outcome_name(rows[i].outcome))));
        assert_int_equal(parsed, rows[i].outcome);
    }
    tl_outcome parsed;
    assert_false(tl_outcome_parse(&parsed, TL_STR("Ranked")));
    assert_string_equal(tl_outcome_name((tl_outcome)99), "unknown");
    assert_string_equal(tl_tier_name((tl_tier)99), "unknown");
    tl_arena_free(arena);
}

static void tiers_have_inclusive_bounds(void **state)
{
    (void)state;
    assert_int_equal(tl_tier_of(1, 1), TL_TIER_TOP);
    assert_int_equal(tl_tier_of(2, 2), TL_TIER_PROFITABLE);
    assert_int_equal(tl_tier_of(3, 3), TL_TIER_BREAK_EVEN);
    assert_int_equal(tl_tier_of(4, 4), TL_TIER_PENALTY);
    assert_int_equal(tl_tier_of(7, 40), TL_TIER_TOP); /* 1 - 6/40 = 0.85 */
    assert_int_equal(tl_tier_of(8, 40), TL_TIER_PROFITABLE);
    assert_int_equal(tl_tier_of(21, 40), TL_TIER_PROFITABLE); /* 0.50 */
    assert_int_equal(tl_tier_of(22, 40), TL_TIER_BREAK_EVEN);
    assert_int_equal(tl_tier_of(29, 40), TL_TIER_BREAK_EVEN); /* 0.30 */
    assert_int_equal(tl_tier_of(30, 40), TL_TIER_PENALTY);
    for (uint32_t n = 1; n <= 300; n++) {
        for (uint32_t rank = 1; rank < n; rank++) {
            assert_true(tl_tier_of(rank, n) <= tl_tier_of(rank + 1, n));
        }
    }
}

static void a_deficit_is_paid_by_winners_then_by_break_even(void **state)
{
    (void)state; /* LED-8 */
    tl_arena *arena = new_arena();
    /* one: T = 1000, R = 80, W = -80 */
    tl_payout_miner one = {.ante = RAO(1000), .outcome = TL_OUTCOME_RANKED};
    tl_settlement s = settle(arena, 0, 0, &one, 1);
    assert_int_equal(I64(s.deficit), 80);
    assert_int_equal(I64(s.payouts[0].ante_back), 920);
    assert_int_equal(I64(s.payouts[0].deficit), 80);
    /* the winners' antes are gone (8 < R), break-even gives the rest; rank 3 of 3 is break-even */
    tl_payout_miner three[3] = {{.ante = RAO(5), .outcome = TL_OUTCOME_RANKED},
                                {.ante = RAO(3), .outcome = TL_OUTCOME_RANKED},
                                {.ante = RAO(1000000), .outcome = TL_OUTCOME_RANKED}};
    s = settle(arena, 0, 0, three, 3);
    assert_int_equal(I64(s.deficit), 80000);
    assert_int_equal(I64(s.payouts[0].ante_back), 0);
    assert_int_equal(I64(s.payouts[1].ante_back), 0);
    assert_int_equal(I64(s.payouts[2].ante_back), 920008);
    /* remainder in rank order, and never to who put nothing in: R = 2, antes 0, 5, 20 */
    tl_payout_miner zero[3] = {{.ante = RAO(0), .outcome = TL_OUTCOME_RANKED},
                               {.ante = RAO(5), .outcome = TL_OUTCOME_RANKED},
                               {.ante = RAO(20), .outcome = TL_OUTCOME_RANKED}};
    s = settle(arena, 0, 0, zero, 3);
    assert_int_equal(I64(s.deficit), 2);
    assert_int_equal(I64(s.payouts[0].ante_back), 0);
    assert_int_equal(I64(s.payouts[0].deficit), 0);
    assert_int_equal(I64(s.payouts[1].ante_back), 3);
    assert_int_equal(I64(s.payouts[2].ante_back), 20);
    tl_arena_free(arena);
}

static void nobody_ranked_means_the_pool_is_carried(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_settlement s = settle(arena, 1000, 0, NULL, 0);
    assert_int_equal(I64(s.rake), 80);
    assert_int_equal(I64(s.carry), 920);
    assert_int_equal(I64(s.rewarded), 0);
    s = settle(arena, 0, 0, NULL, 0);
    assert_int_equal(I64(s.total_out), 0);
    tl_arena_free(arena);
}

static void power_law_weights_are_these_integers(void **state)
{
    (void)state;
    /* made by CPython: floor(i**-gamma * 2**48), for 1.5 1/(i*sqrt(i)) */
    static const uint32_t ranks[] = {1, 2, 3, 7, 40, 1000, 65535};
    static const struct {
        double gamma;
        uint64_t weights[7];
    } golden[] = {
        {1.0,
         {281474976710656, 140737488355328, 93824992236885, 40210710958665, 7036874417766,
          281474976710, 4295032833}},
        {1.2,
         {281474976710656, 122519099764612, 75317220800378, 27247216581183, 3364866220069,
          70703317480, 467381832}},
        {1.5,
         {281474976710656, 99516432383215, 54169884524680, 15198220176818, 1112627538435,
          8901020307, 16777600}},
        {1.7,
         {281474976710656, 86634086268428, 43484417703713, 10298479856075, 532032063859, 2235835213,
          1825724}},
        {2.0,
         {281474976710656, 70368744177664, 31274997412295, 5744387279809, 175921860444, 281474976,
          65538}},
    };
    for (size_t g = 0; g < sizeof(golden) / sizeof(golden[0]); g++) {
        for (size_t i = 0; i < 7; i++) {
            assert_int_equal(tl_settle_weight(ranks[i], golden[g].gamma), golden[g].weights[i]);
        }
    }
}

static void bad_parameters_and_amounts_are_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_settlement s;
    memset(&s, 0x5a, sizeof(s));
    const tl_settlement before = s;
    tl_payout_miner miners[2] = {{.ante = RAO(5), .outcome = TL_OUTCOME_RANKED},
                                 {.ante = RAO(5), .outcome = TL_OUTCOME_INVALID}};
    const struct {
        uint32_t rake_bp;
        double gamma;
        uint32_t fee_bp, fee_burn_bp;
        int64_t emission, external, ante;
        tl_err want;
    } cases[] = {
        {5001, 1.5, 0, 0, 1, 1, 5, TL_ERR_RANGE},
        {UINT32_MAX, 1.5, 0, 0, 1, 1, 5, TL_ERR_RANGE},
        {800, 0.999, 0, 0, 1, 1, 5, TL_ERR_RANGE},
        {800, 2.001, 0, 0, 1, 1, 5, TL_ERR_RANGE},
        {800, 1.5, 5001, 0, 1, 1, 5, TL_ERR_RANGE},
        {800, 1.5, 200, 10001, 1, 1, 5, TL_ERR_RANGE},
        {800, 1.5, 0, 0, -1, 1, 5, TL_ERR_RANGE},
        {800, 1.5, 0, 0, 1, -1, 5, TL_ERR_RANGE},
        {800, 1.5, 0, 0, 1, 1, -5, TL_ERR_RANGE},
        {800, 1.5, 0, 0, INT64_MAX, 1, 5, TL_ERR_OVERFLOW},
        {800, 1.5, 0, 0, INT64_MAX - 10, 0, 6, TL_ERR_OVERFLOW},
        {800, 1.5, 0, 0, INT64_MAX / 2, INT64_MAX / 2, 1, TL_ERR_OVERFLOW},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tl_payout_params params = {.rake_bp = cases[i].rake_bp,
                                         .gamma = cases[i].gamma,
                                         .fee_bp = cases[i].fee_bp,
                                         .fee_burn_bp = cases[i].fee_burn_bp};
        miners[1].ante = RAO(cases[i].ante);
        const tl_err err = tl_settle(&s, arena, RAO(cases[i].emission), RAO(cases[i].external),
                                     miners, 2, &params, NULL);
        if (err != cases[i].want) {
            fail_msg("case %zu: %s", i, tl_err_name(err));
        }
        assert_memory_equal(&s, &before, sizeof(s));
    }
    assert_int_equal(
        tl_settle(&s, arena, RAO(0), RAO(0), miners, TL_LEDGER_MINERS_MAX + 1, NULL, NULL),
        TL_ERR_LIMIT);
    /* the last rao that fits */
    miners[1].ante = RAO(5);
    assert_int_equal(tl_settle(&s, arena, RAO(INT64_MAX - 10), RAO(0), miners, 2, NULL, NULL),
                     TL_OK);
    assert_int_equal(I64(s.total_out), INT64_MAX);
    tl_arena_free(arena);
}

static void a_network_fee_comes_off_each_reward(void **state)
{
    (void)state; /* LED-7 */
    tl_arena *arena = new_arena();
    const tl_payout_params params = {
        .rake_bp = 800, .gamma = 1.5, .fee_bp = 200, .fee_burn_bp = 2500};
    tl_settlement s;
    assert_int_equal(
        tl_settle(&s, arena, RAO(6000), RAO(0), ranked(arena, 40, 100), 40, &params, NULL), TL_OK);
    assert_int_equal(I64(s.payouts[0].fee), 52); /* 2637 * 2 % */
    assert_int_equal(I64(s.payouts[0].fee_burned), 13);
    assert_int_equal(I64(s.payouts[0].reward), 2637 - 52);
    assert_int_equal(I64(s.rewarded) + I64(s.fee), 5750);
    assert_int_equal(I64(s.total_out), 10000);
    assert_true(I64(s.fee_burned) * 4 <= I64(s.fee));
    tl_arena_free(arena);
}

/* --- posting --- */

/* A ledger whose least ante is 1 rao, with these antes locked. */
static tl_ledger *locked_ledger(tl_arena *arena, const tl_payout_miner *miners, size_t count)
{
    const tl_ledger_options options = {.ante_min = RAO(1)};
    tl_ledger *ledger;
    assert_int_equal(tl_ledger_new(&ledger, arena, &options, NULL), TL_OK);
    for (size_t i = 0; i < count; i++) {
        const tl_account account = tl_account_of_hotkey(TL_ACCOUNT_MINER, &miners[i].hotkey);
        assert_int_equal(
            tl_ledger_deposit(ledger, account, miners[i].ante, 1, TL_STR("deposit"), NULL), TL_OK);
        assert_int_equal(
            tl_escrow_lock(ledger, NULL, EPOCH, &miners[i].hotkey, miners[i].ante, 2, NULL), TL_OK);
    }
    return ledger;
}

static void a_settlement_is_posted_whole(void **state)
{
    (void)state; /* LED-2 LED-4 LED-6 LED-7 */
    tl_arena *arena = new_arena();
    tl_payout_miner *miners = ranked(arena, 40, 100);
    miners[1].is_house = true;
    tl_ledger *ledger = locked_ledger(arena, miners, 40);
    const tl_settlement s = settle(arena, 6000, 0, miners, 40);
    const tl_pay pays[2] = {{key_of(900), RAO(3000)}, {key_of(901), RAO(0)}};
    const tl_settle_order order = {.epoch = EPOCH,
                                   .height = 50,
                                   .settlement = &s,
                                   .miners = miners,
                                   .validators = pays,
                                   .validator_count = 2,
                                   .owner = RAO(1300)};
    assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_OK);
    const tl_hotkey validator = key_of(900);
    assert_int_equal(
        balance_of(ledger, tl_account_of_hotkey(TL_ACCOUNT_VALIDATOR, &validator), TL_STR("")),
        3000);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_OWNER), TL_STR("")), 1300);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_TREASURY), TL_STR("")), 800);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_BURN), TL_STR("")), 550 + 933);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_POOL), EPOCH), 0);
    assert_int_equal(I64(tl_ledger_issuance(ledger)), 6000 + 3000 + 1300);
    assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 2637 + 100);
    assert_int_equal(balance_of(ledger, miner_of(1), TL_STR("")), 100);
    assert_int_equal(balance_of(ledger, miner_of(25), TL_STR("")), 100);
    assert_int_equal(balance_of(ledger, miner_of(39), TL_STR("")), 0);
    assert_int_equal(balance_of(ledger, escrow_of(39), EPOCH), 0);
    const tl_hotkey last = key_of(39);
    const tl_ante ante = tl_escrow_get(ledger, EPOCH, &last);
    assert_int_equal(ante.state, TL_ANTE_FORFEITED);
    assert_int_equal(I64(ante.burned), 50);
    assert_int_equal(I64(ante.redistributed), 50);
    const tl_escrow_book book = tl_escrow_book_of(ledger, EPOCH);
    assert_true(book.is_settled);
    assert_int_equal(book.returned_count, 29);
    assert_int_equal(book.forfeited_count, 11);
    assert_int_equal(I64(book.redistributed), 550);
    assert_verifies(ledger);
    /* once */
    const tl_hash32 head = tl_ledger_head(ledger);
    assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_ERR_STATE);
    assert_int_equal(tl_escrow_refund(ledger, EPOCH, 51, TL_STR("x"), NULL), TL_ERR_STATE);
    const tl_hash32 after = tl_ledger_head(ledger);
    assert_memory_equal(&head, &after, 32);
    tl_arena_free(arena);
}

static void deficits_and_carries_are_posted_too(void **state)
{
    (void)state; /* LED-6 */
    tl_arena *arena = new_arena();
    tl_payout_miner three[3] = {
        {.hotkey = key_of(0), .ante = RAO(5), .outcome = TL_OUTCOME_RANKED},
        {.hotkey = key_of(1), .ante = RAO(3), .outcome = TL_OUTCOME_RANKED},
        {.hotkey = key_of(2), .ante = RAO(1000000), .outcome = TL_OUTCOME_RANKED}};
    tl_ledger *ledger = locked_ledger(arena, three, 3);
    tl_settlement s = settle(arena, 0, 0, three, 3);
    tl_settle_order order = {.epoch = EPOCH, .height = 5, .settlement = &s, .miners = three};
    assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_OK);
    const tl_escrow_book book = tl_escrow_book_of(ledger, EPOCH);
    assert_int_equal(book.returned_count, 3);
    assert_int_equal(I64(book.deficit), 80000);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_TREASURY), TL_STR("")), 80000);
    const tl_hotkey first = key_of(0);
    const tl_ante ante = tl_escrow_get(ledger, EPOCH, &first);
    assert_int_equal(ante.state, TL_ANTE_RETURNED);
    assert_int_equal(I64(ante.returned), 0);
    assert_int_equal(I64(ante.deficit), 5);
    bool is_new = false;
    assert_int_equal(tl_escrow_return(ledger, &is_new, EPOCH, &first, 6, TL_STR("x"), NULL),
                     TL_ERR_STATE);
    assert_verifies(ledger);

    tl_payout_miner early = {
        .hotkey = key_of(0), .ante = RAO(103), .outcome = TL_OUTCOME_REVEALED_EARLY};
    ledger = locked_ledger(arena, &early, 1);
    s = settle(arena, 1000, 500, &early, 1);
    order = (tl_settle_order){.epoch = EPOCH, .height = 5, .settlement = &s, .miners = &early};
    assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_OK);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_CARRY), TL_STR("")), I64(s.carry));
    assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 52);
    assert_int_equal(tl_escrow_get(ledger, EPOCH, &first).state, TL_ANTE_FORFEITED);
    assert_verifies(ledger);

    /* an epoch in which nothing happened */
    s = settle(arena, 0, 0, NULL, 0);
    order = (tl_settle_order){.epoch = TL_STR("2024-Q1-W4"), .height = 6, .settlement = &s};
    assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_OK);
    assert_true(tl_escrow_book_of(ledger, TL_STR("2024-Q1-W4")).is_settled);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

typedef struct change {
    const char *what;
    tl_err want;
} change;

/* Each refusal, the late ones included, leaves the ledger as it was. */
static void an_order_that_does_not_fit_posts_nothing(void **state)
{
    (void)state; /* LED-4 LED-7 */
    static const change changes[] = {
        {"a locked miner is missing", TL_ERR_MISSING},
        {"a miner without ante", TL_ERR_NOT_FOUND},
        {"a miner twice, another missing", TL_ERR_DUPLICATE},
        {"an ante of another amount", TL_ERR_RANGE},
        {"a settlement of other miners", TL_ERR_CHECK},
        {"a reward too much", TL_ERR_CHECK},
        {"negative pay of a validator", TL_ERR_RANGE},
        {"negative share of the owner", TL_ERR_RANGE},
        {"an owner's share that issuance cannot bear", TL_ERR_OVERFLOW},
        {"validators' pay that overflows", TL_ERR_OVERFLOW},
        {"an ante that ended before", TL_ERR_STATE},
        {"an epoch without a name", TL_ERR_NOT_FOUND},
        {"a miner twice", TL_ERR_DUPLICATE},
    };
    for (size_t c = 0; c < sizeof(changes) / sizeof(changes[0]); c++) {
        tl_arena *arena = new_arena();
        tl_payout_miner *miners = ranked(arena, 5, 100);
        tl_ledger *ledger = locked_ledger(arena, miners, 4);
        tl_settlement s = settle(arena, 6000, 0, miners, 4);
        tl_pay pays[2] = {{key_of(900), RAO(10)}, {key_of(901), RAO(20)}};
        tl_settle_order order = {.epoch = EPOCH,
                                 .height = 50,
                                 .settlement = &s,
                                 .miners = miners,
                                 .validators = pays,
                                 .validator_count = 2,
                                 .owner = RAO(30)};
        switch (c) {
        case 0:
            s = settle(arena, 6000, 0, miners, 3);
            break;
        case 1:
            miners[3].hotkey = key_of(77);
            break;
        case 2:
            miners[3].hotkey = key_of(0);
            break;
        case 3:
            miners[3].ante = RAO(99);
            s = settle(arena, 6000, 0, miners, 4);
            break;
        case 4:
            miners[0].outcome = TL_OUTCOME_INVALID;
            break;
        case 5:
            s.payouts[0].reward = RAO(1000000);
            break;
        case 6:
            pays[1].amount = RAO(-1);
            break;
        case 7:
            order.owner = RAO(-1);
            break;
        case 8:
            order.owner = RAO(TL_LEDGER_AMOUNT_MAX);
            break;
        case 9:
            pays[0].amount = RAO(INT64_MAX);
            break;
        case 10:
            assert_int_equal(
                tl_escrow_slash(ledger, NULL, EPOCH, &miners[2].hotkey, 3, TL_STR("fault"), NULL),
                TL_OK);
            break;
        case 11:
            order.epoch = TL_STR("");
            break;
        case 12:
            miners[4].hotkey = key_of(0);
            s = settle(arena, 6000, 0, miners, 5);
            break;
        default:
            fail();
        }
        const tl_hash32 head = tl_ledger_head(ledger);
        const uint64_t count = tl_ledger_count(ledger);
        const tl_err err = tl_ledger_settle(ledger, &order, NULL);
        if (err != changes[c].want) {
            fail_msg("%s: %s", changes[c].what, tl_err_name(err));
        }
        const tl_hash32 after = tl_ledger_head(ledger);
        assert_memory_equal(&head, &after, 32);
        assert_int_equal(tl_ledger_count(ledger), count);
        assert_int_equal(I64(tl_ledger_issuance(ledger)), 0);
        assert_int_equal(balance_of(ledger, escrow_of(1), EPOCH), 100);
        assert_verifies(ledger);
        /* and what is right goes through afterwards */
        if (c == 8) {
            order.owner = RAO(30);
            assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_OK);
            assert_verifies(ledger);
        }
        tl_arena_free(arena);
    }
}

/* LED-4, by hand: nothing that comes once an epoch comes twice, and an epoch with money in it does
 * not close. */
static void what_comes_once_an_epoch_comes_once(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = new_ledger(arena);
    const tl_posting emission[2] = {{tl_account_of(TL_ACCOUNT_ISSUANCE), RAO(-9)},
                                    {tl_account_of(TL_ACCOUNT_POOL), RAO(9)}};
    tl_transaction t = {
        .cause = TL_CAUSE_POOL_EMISSION, .epoch = EPOCH, .postings = emission, .count = 2};
    assert_int_equal(tl_ledger_post(ledger, &t, NULL), TL_OK);
    assert_int_equal(tl_ledger_post(ledger, &t, NULL), TL_ERR_DUPLICATE);
    const tl_transaction close = {.cause = TL_CAUSE_SETTLED, .epoch = EPOCH};
    assert_int_equal(tl_ledger_post(ledger, &close, NULL), TL_ERR_STATE); /* LED-7 */
    const tl_posting carry[2] = {{tl_account_of(TL_ACCOUNT_POOL), RAO(-9)},
                                 {tl_account_of(TL_ACCOUNT_CARRY), RAO(9)}};
    t = (tl_transaction){.cause = TL_CAUSE_CARRY, .epoch = EPOCH, .postings = carry, .count = 2};
    assert_int_equal(tl_ledger_post(ledger, &t, NULL), TL_OK);
    assert_int_equal(tl_ledger_post(ledger, &close, NULL), TL_OK);
    assert_int_equal(tl_ledger_post(ledger, &close, NULL), TL_ERR_STATE);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

/* As many miners as there may be, each with the most postings that an ante can take. */
static void the_largest_epoch_fits_in_one_settlement(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_payout_miner *miners = ranked(arena, TL_LEDGER_MINERS_MAX, 1000);
    for (uint32_t i = 0; i < TL_LEDGER_MINERS_MAX; i++) {
        miners[i].outcome = TL_OUTCOME_REVEALED_EARLY;
    }
    tl_ledger *ledger = locked_ledger(arena, miners, TL_LEDGER_MINERS_MAX);
    const tl_settlement s = settle(arena, 6000, 0, miners, TL_LEDGER_MINERS_MAX);
    const tl_settle_order order = {.epoch = EPOCH, .height = 5, .settlement = &s, .miners = miners};
    assert_int_equal(tl_ledger_settle(ledger, &order, NULL), TL_OK);
    assert_int_equal(tl_escrow_book_of(ledger, EPOCH).forfeited_count, TL_LEDGER_MINERS_MAX);
    assert_int_equal(balance_of(ledger, tl_account_of(TL_ACCOUNT_BURN), TL_STR("")),
                     (int64_t)TL_LEDGER_MINERS_MAX * 250);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_vector_pays_out_what_came_in),
        cmocka_unit_test(each_outcome_does_its_row_with_the_ante),
        cmocka_unit_test(tiers_have_inclusive_bounds),
        cmocka_unit_test(a_deficit_is_paid_by_winners_then_by_break_even),
        cmocka_unit_test(nobody_ranked_means_the_pool_is_carried),
        cmocka_unit_test(power_law_weights_are_these_integers),
        cmocka_unit_test(bad_parameters_and_amounts_are_refused),
        cmocka_unit_test(a_network_fee_comes_off_each_reward),
        cmocka_unit_test(a_settlement_is_posted_whole),
        cmocka_unit_test(deficits_and_carries_are_posted_too),
        cmocka_unit_test(an_order_that_does_not_fit_posts_nothing),
        cmocka_unit_test(what_comes_once_an_epoch_comes_once),
        cmocka_unit_test(the_largest_epoch_fits_in_one_settlement),
    };
    return cmocka_run_group_tests_name("ledger settle", tests, NULL, NULL);
}
