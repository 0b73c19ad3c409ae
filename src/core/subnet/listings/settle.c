/* settle.c: a settled epoch becomes entries of the journal, all of them or none (LROAD-3).
 *
 *      issuance ─emission─▶ pool ─earned─▶ miners          carry ─released─▶ miners
 *                            ├────burn───▶ burn              └──────────────▶ burn, where they are disqualified
 *                            └────held───▶ carry
 */
#include <string.h>

#include "core/subnet/listings/listings_internal.h"

enum { ENTRIES = 5 };

typedef struct draft {
    const tl_listings_result *result;
    tl_posting *postings; /* of all entries, side by side */
    size_t count;
    tl_transaction entries[ENTRIES];
    size_t entry_count;
    uint64_t height;
} draft;

/* Zero amounts move nothing and are left out. */
static void put(draft *d, tl_account account, int64_t amount)
{
    if (amount != 0) {
        d->postings[d->count++] = (tl_posting){account, tl_rao_from_i64(amount)};
    }
}

/* The postings since `from` are one entry; an empty one closes the books, or is none. */
static void end_entry(draft *d, size_t from, tl_cause cause, tl_str text)
{
    if (d->count == from && cause != TL_CAUSE_SETTLED) {
        return;
    }
    TL_ASSERT(d->entry_count < ENTRIES);
    d->entries[d->entry_count++] = (tl_transaction){.cause = cause,
                                                    .epoch = d->result->epoch.race.epoch_id,
                                                    .text = text,
                                                    .height = d->height,
                                                    .postings = d->postings + from,
                                                    .count = d->count - from};
}

/* Where unearned pay goes: the network's burn, or the hotkey that the parameters name. */
static tl_account burn_account(const tl_listings_params *params)
{
    static const tl_hotkey none;
    return tl_hotkey_eq(&params->burn, &none)
               ? tl_account_of(TL_ACCOUNT_BURN)
               : tl_account_of_hotkey(TL_ACCOUNT_MINER, &params->burn);
}

static tl_account miner(const tl_race_line *line)
{
    return tl_account_of_hotkey(TL_ACCOUNT_MINER, &line->hotkey);
}

static void draw(draft *d)
{
    const tl_race_result *race = &d->result->race;
    const tl_account pool = tl_account_of(TL_ACCOUNT_POOL);
    const tl_account carry = tl_account_of(TL_ACCOUNT_CARRY);
    const tl_account burn = burn_account(d->result->epoch.race.params);
    const int64_t emission = tl_rao_to_i64(race->emission);
    const int64_t burnt = tl_rao_to_i64(race->burn) - tl_rao_to_i64(race->released_burnt);
    int64_t earned = 0;
    int64_t held = 0;
    for (size_t i = 0; i < race->line_count; i++) {
        earned += tl_rao_to_i64(race->lines[i].earned);
        held += tl_rao_to_i64(race->lines[i].held);
    }
    TL_ASSERT(emission == earned + held + burnt); /* LROAD-3 */
    size_t from =
        d->count; /* before anything is held anew: what was never held cannot be released */
    put(d, carry, -tl_rao_to_i64(race->released));
    put(d, burn, tl_rao_to_i64(race->released_burnt));
    for (size_t i = 0; i < race->line_count; i++) {
        put(d, miner(&race->lines[i]), tl_rao_to_i64(race->lines[i].released));
    }
    end_entry(d, from, TL_CAUSE_TRANSFER, TL_STR("held in an epoch before"));
    from = d->count;
    put(d, tl_account_of(TL_ACCOUNT_ISSUANCE), -emission);
    put(d, pool, emission);
    end_entry(d, from, TL_CAUSE_POOL_EMISSION, TL_STR("emission of the epoch"));
    from = d->count;
    put(d, pool, -(earned + burnt));
    put(d, burn, burnt);
    for (size_t i = 0; i < race->line_count; i++) {
        put(d, miner(&race->lines[i]), tl_rao_to_i64(race->lines[i].earned));
    }
    end_entry(d, from, TL_CAUSE_REWARD, TL_STR("places and participation"));
    from = d->count;
    put(d, pool, -held);
    put(d, carry, held);
    end_entry(d, from, TL_CAUSE_CARRY, TL_STR("held for want of evidence"));
    end_entry(d, d->count, TL_CAUSE_SETTLED, TL_STR("epoch settled"));
}

tl_err tl_listings_pay(tl_ledger *ledger, const tl_listings_result *result, uint64_t height,
                       tl_arena *scratch, tl_errctx *ctx)
{
    if (result->state != TL_EPOCH_SETTLED) { /* LROAD-2 */
        return TL_OK;
    }
    draft d = {.result = result, .height = height};
    /* Not given back: scratch may be the arena in which the ledger grows. */
    d.postings = TL_NEW(scratch, tl_posting, 2 * result->race.line_count + 8);
    if (d.postings == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    draw(&d);
    const tl_err err = tl_ledger_post_all(ledger, d.entries, d.entry_count, ctx);
    if (err == TL_OK) {
        TL_ASSERT(tl_rao_is_zero(tl_ledger_balance(ledger, tl_account_of(TL_ACCOUNT_POOL),
                                                   result->epoch.race.epoch_id))); /* LROAD-3 */
    }
    return err;
}
