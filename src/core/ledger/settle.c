/* settle.c: a settlement becomes entries of the journal, all of them or none. */
#include "core/ledger/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "core/ledger/ledger_internal.h"

/* Postings in the making: the ledger's scratch, with room for the largest entry of this order. */
typedef struct draft {
    tl_ledger *ledger;
    const tl_settle_order *order;
    tl_posting *postings;
    size_t count;
} draft;

/* Zero amounts move nothing and are left out. */
static void put(draft *d, tl_account account, tl_rao amount)
{
    if (!tl_rao_is_zero(amount)) {
        d->postings[d->count++] = (tl_posting){account, amount};
    }
}

static tl_rao minus_of(tl_rao a)
{
    return tl_rao_from_i64(-tl_rao_to_i64(a)); /* of amounts at least zero: cannot overflow */
}

static tl_err post(draft *d, tl_cause cause, tl_str text, tl_errctx *ctx)
{
    const bool closes = cause == TL_CAUSE_SETTLED;
    if (d->count == 0 && !closes) {
        return TL_OK;
    }
    const tl_transaction t = {.cause = cause,
                              .epoch = d->order->epoch,
                              .text = text,
                              .height = d->order->height,
                              .postings = d->postings,
                              .count = d->count};
    d->count = 0;
    return tl_ledger_post(d->ledger, &t, ctx);
}

static tl_err post_pair(draft *d, tl_cause cause, tl_account_kind from, tl_account_kind to,
                        tl_rao amount, tl_str text, tl_errctx *ctx)
{
    put(d, tl_account_of(from), minus_of(amount));
    put(d, tl_account_of(to), amount);
    return post(d, cause, text, ctx);
}

/* --- before anything is posted --- */

static tl_err check_miner(tl_ledger *ledger, const tl_settle_order *order, size_t i, tl_errctx *ctx)
{
    const tl_payout_miner *m = &order->miners[i];
    const uint32_t row = tl__row_find(ledger, tl_account_of_hotkey(TL_ACCOUNT_ESCROW, &m->hotkey),
                                      tl__book_find(ledger, order->epoch));
    if (row == 0 || ledger->rows[row - 1].ante == 0) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "no ante was locked for this miner");
    }
    tl__ante *held = &ledger->antes[ledger->rows[row - 1].ante - 1];
    if (held->mark == ledger->mark) {
        return tl_fail(ctx, TL_ERR_DUPLICATE, "this miner is given twice");
    }
    held->mark = ledger->mark;
    if (held->ante.state != TL_ANTE_LOCKED) { /* LED-4 */
        return tl_fail(ctx, TL_ERR_STATE, "the ante is %s, it ends once",
                       tl_ante_state_name(held->ante.state));
    }
    if (!tl_rao_eq(held->ante.amount, m->ante)) {
        return tl_fail(ctx, TL_ERR_RANGE, "ante is %" PRId64 " rao, %" PRId64 " are locked",
                       tl_rao_to_i64(m->ante), tl_rao_to_i64(held->ante.amount));
    }
    const tl_payout *p = &order->settlement->payouts[i];
    const tl_i128 parts = (tl_i128)tl_rao_to_i64(p->ante_back) + tl_rao_to_i64(p->burned) +
                          tl_rao_to_i64(p->redistributed) + tl_rao_to_i64(p->deficit);
    if (parts != tl_rao_to_i64(m->ante) ||
        (p->rank != 0) != (m->outcome == TL_OUTCOME_RANKED)) { /* LED-6 */
        return tl_fail(ctx, TL_ERR_CHECK, "the settlement is not of this miner");
    }
    return TL_OK;
}

/* What comes in goes out, said by the settlement's own parts (LED-7). */
static tl_err check_totals(const tl_settlement *s, tl_errctx *ctx)
{
    tl_i128 out = (tl_i128)tl_rao_to_i64(s->rake) + tl_rao_to_i64(s->carry);
    tl_i128 in = (tl_i128)tl_rao_to_i64(s->emission) + tl_rao_to_i64(s->external);
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout *p = &s->payouts[i];
        out += (tl_i128)tl_rao_to_i64(p->reward) + tl_rao_to_i64(p->fee);
        in += (tl_i128)tl_rao_to_i64(p->redistributed) + tl_rao_to_i64(p->deficit);
    }
    if (in != out) {
        return tl_fail(ctx, TL_ERR_CHECK, "the settlement does not add up");
    }
    return TL_OK;
}

/* The miners are those whose ante is locked: each found, none twice, none left over. */
static tl_err check_order(tl_ledger *ledger, const tl_settle_order *order, tl_errctx *ctx)
{
    const tl_escrow_book book = tl_escrow_book_of(ledger, order->epoch);
    if (book.is_settled || book.is_refunded) { /* LED-4 */
        return tl_fail(ctx, TL_ERR_STATE, "epoch \"%.*s\" is %s already", TL_STR_ARG(order->epoch),
                       book.is_settled ? "settled" : "refunded");
    }
    ledger->mark++;
    for (size_t i = 0; i < order->settlement->count; i++) {
        const tl_err err = check_miner(ledger, order, i, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "miners[%zu]", i);
            return err;
        }
    }
    if (order->settlement->count < book.locked_count) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "miners",
                             "%zu miners, but %" PRIu32 " antes are locked",
                             order->settlement->count, book.locked_count);
    }
    TL_ASSERT(order->settlement->count == book.locked_count);
    return check_totals(order->settlement, ctx);
}

/* --- the entries --- */

/* Each ante is a group of its own: see escrow.c. Those that end otherwise are left to the other
 * cause. */
static tl_err post_antes(draft *d, tl_cause cause, tl_str text, tl_errctx *ctx)
{
    const tl_settlement *s = d->order->settlement;
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout *p = &s->payouts[i];
        const tl_hotkey *hotkey = &d->order->miners[i].hotkey;
        const bool forfeits = !tl_rao_is_zero(p->burned) || !tl_rao_is_zero(p->redistributed);
        if (forfeits != (cause == TL_CAUSE_ANTE_FORFEIT)) {
            continue;
        }
        put(d, tl_account_of_hotkey(TL_ACCOUNT_ESCROW, hotkey), minus_of(d->order->miners[i].ante));
        put(d, tl_account_of_hotkey(TL_ACCOUNT_MINER, hotkey), p->ante_back);
        put(d, tl_account_of(TL_ACCOUNT_BURN), p->burned);
        put(d, tl_account_of(TL_ACCOUNT_POOL), forfeits ? p->redistributed : p->deficit);
    }
    return post(d, cause, text, ctx);
}

/* A house miner plays, ranks and keeps nothing: its reward burns. */
static tl_err post_rewards(draft *d, tl_errctx *ctx)
{
    const tl_settlement *s = d->order->settlement;
    const tl_i128 all = (tl_i128)tl_rao_to_i64(s->rewarded) + tl_rao_to_i64(s->fee);
    TL_ASSERT(all <= TL_LEDGER_AMOUNT_MAX * (tl_i128)2);
    put(d, tl_account_of(TL_ACCOUNT_POOL), tl_rao_from_i64(-(int64_t)all));
    for (size_t i = 0; i < s->count; i++) {
        const tl_payout_miner *m = &d->order->miners[i];
        put(d,
            m->is_house ? tl_account_of(TL_ACCOUNT_BURN)
                        : tl_account_of_hotkey(TL_ACCOUNT_MINER, &m->hotkey),
            s->payouts[i].reward);
    }
    put(d, tl_account_of(TL_ACCOUNT_BURN), s->fee_burned);
    put(d, tl_account_of(TL_ACCOUNT_TREASURY),
        tl_rao_from_i64(tl_rao_to_i64(s->fee) - tl_rao_to_i64(s->fee_burned)));
    return post(d, TL_CAUSE_REWARD, TL_STR("rewards of the winners"), ctx);
}

static tl_err post_validators(draft *d, tl_errctx *ctx)
{
    tl_rao sum = TL_RAO_ZERO;
    for (size_t i = 0; i < d->order->validator_count; i++) {
        const tl_rao amount = d->order->validators[i].amount;
        if (tl_rao_is_negative(amount)) {
            return tl_fail(ctx, TL_ERR_RANGE, "validators[%zu]: the pay is negative", i);
        }
        TL_TRY(tl_rao_add(&sum, sum, amount, ctx));
    }
    put(d, tl_account_of(TL_ACCOUNT_ISSUANCE), minus_of(sum));
    for (size_t i = 0; i < d->order->validator_count; i++) {
        put(d, tl_account_of_hotkey(TL_ACCOUNT_VALIDATOR, &d->order->validators[i].hotkey),
            d->order->validators[i].amount);
    }
    return post(d, TL_CAUSE_VALIDATOR_PAY, TL_STR("validators' share of the emission"), ctx);
}

static tl_err post_all(draft *d, tl_errctx *ctx)
{
    const tl_settlement *s = d->order->settlement;
    if (tl_rao_is_negative(d->order->owner)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "owner", "the owner's share is negative");
    }
    TL_TRY(post_pair(d, TL_CAUSE_POOL_EMISSION, TL_ACCOUNT_ISSUANCE, TL_ACCOUNT_POOL, s->emission,
                     TL_STR("miners' share of the emission"), ctx));
    TL_TRY(post_pair(d, TL_CAUSE_POOL_EXTERNAL, TL_ACCOUNT_EXTERNAL, TL_ACCOUNT_POOL, s->external,
                     TL_STR("external revenue"), ctx));
    TL_TRY(post_antes(d, TL_CAUSE_ANTE_RETURN, TL_STR("antes returned"), ctx));
    TL_TRY(post_antes(d, TL_CAUSE_ANTE_FORFEIT, TL_STR("antes forfeited"), ctx));
    TL_TRY(post_pair(d, TL_CAUSE_RAKE, TL_ACCOUNT_POOL, TL_ACCOUNT_TREASURY, s->rake,
                     TL_STR("rake of the pool"), ctx));
    TL_TRY(post_rewards(d, ctx));
    TL_TRY(post_pair(d, TL_CAUSE_CARRY, TL_ACCOUNT_POOL, TL_ACCOUNT_CARRY, s->carry,
                     TL_STR("pool without a winner"), ctx));
    TL_TRY(post_validators(d, ctx));
    TL_TRY(post_pair(d, TL_CAUSE_OWNER_PAY, TL_ACCOUNT_ISSUANCE, TL_ACCOUNT_OWNER, d->order->owner,
                     TL_STR("owner's share of the emission"), ctx));
    return post(d, TL_CAUSE_SETTLED, TL_STR("epoch settled"), ctx); /* LED-7: the pool is empty */
}

/* ROAD 7/8 settle: an agreement's ranking and the locked antes become balanced postings. Comes from
 * core/consensus/join, whose ranks tl_settle turned into a tl_settlement; goes on to the bundle in
 * core/epoch. Every rao that comes in goes out, or nothing is posted at all. */
tl_err tl_ledger_settle(tl_ledger *ledger, const tl_settle_order *order, tl_errctx *ctx)
{
    TL_TRY(check_order(ledger, order, ctx));
    const size_t entries_before = ledger->entry_count;
    const size_t largest = order->settlement->count * 4 + 4 > order->validator_count + 2
                               ? order->settlement->count * 4 + 4
                               : order->validator_count + 2;
    TL_TRY(tl__reserve_scratch(ledger, largest, ctx));
    draft d = {.ledger = ledger, .order = order, .postings = ledger->scratch};
    const tl_err err = post_all(&d, ctx);
    if (err != TL_OK) {
        tl__ledger_undo_to(ledger, entries_before);
        return err;
    }
    TL_ASSERT(tl_escrow_book_of(ledger, order->epoch).locked_count == 0);
    TL_ASSERT(tl_rao_is_zero(
        tl_ledger_balance(ledger, tl_account_of(TL_ACCOUNT_POOL), order->epoch))); /* LED-7 */
    return TL_OK;
}
