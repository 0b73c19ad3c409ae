/* Area ledger: three epochs of 60 miners are funded, locked, settled by several parameters, and verified; every entry's
 * hash, every balance and every payout counts. */
#include "core/ledger/ledger.h"

#include "digest.h"

#define MINER_COUNT 60

static tl_hotkey hotkey_of(size_t miner)
{
    tl_hotkey key = {{0}};
    tl_hash32 hash;
    const uint8_t name[1] = {(uint8_t)miner};
    tl_sha256(&hash, name, sizeof name);
    for (size_t i = 0; i < sizeof key.b; i++) {
        key.b[i] = hash.b[i];
    }
    return key;
}

static void digest_rao(digest *d, tl_rao amount)
{
    digest_i64(d, tl_rao_to_i64(amount));
}

static void digest_settlement(digest *d, const tl_settlement *s)
{
    const tl_rao totals[] = {s->total_in,    s->pool,    s->rake,     s->forfeited, s->burned,
                             s->winner_pool, s->deficit, s->rewarded, s->fee,       s->fee_burned,
                             s->returned,    s->carry,   s->total_out};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        digest_rao(d, totals[i]);
    }
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout *p = &s->payouts[i];
        digest_u64(d, p->rank);
        digest_u64(d, (uint64_t)p->tier);
        digest_rao(d, p->reward);
        digest_rao(d, p->fee);
        digest_rao(d, p->ante_back);
        digest_rao(d, p->burned);
        digest_rao(d, p->redistributed);
        digest_rao(d, p->deficit);
    }
}

/* Antes of 10 to 100 TAO; two thirds are ranked, the others end in every way there is. */
static void make_miners(tl_payout_miner *out, digest *d)
{
    for (size_t i = 0; i < MINER_COUNT; i++) {
        const int64_t ante =
            10 * TL_RAO_PER_TAO + (int64_t)digest_below(d, 90 * (uint64_t)TL_RAO_PER_TAO);
        const bool is_ranked = i % 3 != 2;
        const uint64_t other = 1 + digest_below(d, (uint64_t)TL_OUTCOME_COUNT - 1);
        out[i] = (tl_payout_miner){.hotkey = hotkey_of(i),
                                   .ante = tl_rao_from_i64(ante),
                                   .outcome = is_ranked ? TL_OUTCOME_RANKED : (tl_outcome)other,
                                   .is_house = i == 0};
    }
}

static void settle_epoch(digest *d, tl_ledger *ledger, size_t epoch)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    static const char *const names[3] = {"2024-M01", "2024-M02", "2024-M03"};
    static const tl_payout_params params[3] = {
        {800, 1.5, 0, 2500}, {1500, 1.25, 200, 2500}, {100, 2.0, 37, 10000}};
    const tl_str name = tl_str_from_cstr(names[epoch]);
    const uint64_t height = 1000 * (epoch + 1);
    tl_payout_miner miners[MINER_COUNT];
    make_miners(miners, d);
    for (size_t i = 0; i < MINER_COUNT; i++) {
        DIGEST_OK(
            tl_escrow_lock(ledger, NULL, name, &miners[i].hotkey, miners[i].ante, height, &ctx),
            &ctx);
    }
    tl_settlement settlement;
    DIGEST_OK(tl_settle(&settlement, d->arena,
                        tl_rao_from_i64((int64_t)(epoch == 1 ? 0 : 500) * TL_RAO_PER_TAO + 7),
                        TL_RAO_ZERO, miners, MINER_COUNT, &params[epoch], &ctx),
              &ctx);
    digest_settlement(d, &settlement);
    const tl_pay validators[2] = {{hotkey_of(200), tl_rao_from_i64(12345678901)},
                                  {hotkey_of(201), tl_rao_from_i64(98765432109)}};
    const tl_settle_order order = {.epoch = name,
                                   .height = height + 500,
                                   .settlement = &settlement,
                                   .miners = miners,
                                   .validators = validators,
                                   .validator_count = 2,
                                   .owner = tl_rao_from_i64(31415926535)};
    DIGEST_OK(tl_ledger_settle(ledger, &order, &ctx), &ctx);
}

void digest_area_ledger(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_ledger *ledger = NULL;
    DIGEST_OK(tl_ledger_new(&ledger, d->arena, NULL, &ctx), &ctx);
    for (size_t i = 0; i < MINER_COUNT; i++) {
        const tl_hotkey key = hotkey_of(i);
        DIGEST_OK(tl_ledger_deposit(ledger, tl_account_of_hotkey(TL_ACCOUNT_MINER, &key),
                                    tl_rao_from_i64(1000 * TL_RAO_PER_TAO), 1, TL_STR("start"),
                                    &ctx),
                  &ctx);
    }
    for (size_t epoch = 0; epoch < 3; epoch++) {
        settle_epoch(d, ledger, epoch);
    }
    for (uint64_t i = 0; i < tl_ledger_count(ledger); i++) {
        const tl_ledger_entry entry = tl_ledger_entry_at(ledger, i);
        digest_bytes(d, entry.hash.b, sizeof entry.hash.b);
    }
    const tl_ledger_line *lines;
    size_t line_count;
    DIGEST_OK(tl_ledger_balances(&lines, &line_count, ledger, d->arena, &ctx), &ctx);
    for (size_t i = 0; i < line_count; i++) {
        digest_u64(d, (uint64_t)lines[i].account.kind);
        digest_bytes(d, lines[i].account.id.b, sizeof lines[i].account.id.b);
        digest_rao(d, lines[i].balance);
    }
    for (uint32_t i = 1; i < 300; i++) {
        digest_u64(d, tl_settle_weight(i, 1.0 + i / 300.0));
        digest_u64(d, tl_settle_weight(i, 1.5));
    }
    tl_ledger_report report;
    DIGEST_OK(tl_ledger_verify(&report, ledger, d->arena, &ctx), &ctx);
    digest_bytes(d, report.head.b, sizeof report.head.b);
    digest_u64(d, report.is_balanced);
    digest_rao(d, report.issuance);
}
