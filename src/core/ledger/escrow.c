/* escrow.c: antes: taken once, ended once.
 *
 * What becomes of an ante is read off the postings of its entry, so the journal alone says it:
 *
 *      ante_return    escrow -a   miner +back             pool +deficit   back = a, but for a deficit
 *      ante_forfeit   escrow -a   miner +back  burn +b    pool +p         back: when revealed early
 *      ante_slash     escrow -a                burn +a
 *
 * One such group for each ante, in this order within it; any number of groups in an entry. */
#include "core/ledger/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "core/ledger/ledger_internal.h"

static const char *const STATES[] = {
    [TL_ANTE_NONE] = "none",         [TL_ANTE_LOCKED] = "locked",
    [TL_ANTE_RETURNED] = "returned", [TL_ANTE_FORFEITED] = "forfeited",
    [TL_ANTE_SLASHED] = "slashed",
};

const char *tl_ante_state_name(tl_ante_state state)
{
    return (size_t)state < sizeof(STATES) / sizeof(STATES[0]) ? STATES[state] : "unknown";
}

static void add(tl_rao *sum, tl_rao amount)
{
    const tl_err err = tl_rao_add(sum, *sum, amount, NULL);
    TL_ASSERT(err == TL_OK); /* parts of balances, which fit */
}

static void take(tl_rao *sum, tl_rao amount)
{
    const tl_err err = tl_rao_sub(sum, *sum, amount, NULL);
    TL_ASSERT(err == TL_OK && !tl_rao_is_negative(*sum));
}

/* --- reading groups --- */

static const tl__row *row_of(const tl_ledger *ledger, const tl__entry *entry, uint32_t i)
{
    return &ledger->rows[ledger->postings[entry->posting_first + i].row];
}

static tl_rao amount_of(const tl_ledger *ledger, const tl__entry *entry, uint32_t i)
{
    return ledger->postings[entry->posting_first + i].amount;
}

/* One posting of the group that is optional: taken when it is of that kind. */
static tl_rao take_part(uint32_t *at, const tl_ledger *ledger, const tl__entry *entry,
                        uint32_t kind, const tl_hash32 *id)
{
    if (*at == entry->posting_count) {
        return TL_RAO_ZERO;
    }
    const tl__row *row = row_of(ledger, entry, *at);
    const tl_rao amount = amount_of(ledger, entry, *at);
    if (row->kind != kind || tl_rao_is_negative(amount) || tl_hash32_cmp(&row->id, id) != 0) {
        return TL_RAO_ZERO;
    }
    ++*at;
    return amount;
}

/* The group that begins at *at. False when it is none, or does not add up (LED-6). */
static bool take_group(tl__flow *out, uint32_t *at, const tl_ledger *ledger, const tl__entry *entry)
{
    const tl__row *row = row_of(ledger, entry, *at);
    const tl_rao amount = amount_of(ledger, entry, *at);
    if (row->kind != TL_ACCOUNT_ESCROW || !tl_rao_is_negative(amount)) {
        return false;
    }
    const tl_hash32 none = {{0}};
    out->row = ledger->postings[entry->posting_first + *at].row;
    out->ante = tl_rao_from_i64(-tl_rao_to_i64(amount));
    ++*at;
    out->back = take_part(at, ledger, entry, TL_ACCOUNT_MINER, &row->id);
    out->burned = take_part(at, ledger, entry, TL_ACCOUNT_BURN, &none);
    out->pool = take_part(at, ledger, entry, TL_ACCOUNT_POOL, &none);
    const tl_i128 parts =
        (tl_i128)tl_rao_to_i64(out->back) + tl_rao_to_i64(out->burned) + tl_rao_to_i64(out->pool);
    return parts == tl_rao_to_i64(out->ante);
}

/* --- one step of one ante --- */

static tl_ante_state state_after(tl_cause cause)
{
    if (cause == TL_CAUSE_ANTE_RETURN) {
        return TL_ANTE_RETURNED;
    }
    return cause == TL_CAUSE_ANTE_FORFEIT ? TL_ANTE_FORFEITED : TL_ANTE_SLASHED;
}

static uint32_t *count_of(tl_escrow_book *sums, tl_ante_state state)
{
    if (state == TL_ANTE_RETURNED) {
        return &sums->returned_count;
    }
    return state == TL_ANTE_FORFEITED ? &sums->forfeited_count : &sums->slashed_count;
}

static bool flow_suits(tl_cause cause, const tl__flow *flow)
{
    if (cause == TL_CAUSE_ANTE_RETURN) {
        return tl_rao_is_zero(flow->burned);
    }
    if (cause == TL_CAUSE_ANTE_FORFEIT) {
        return tl_rao_cmp(flow->back, flow->ante) < 0;
    }
    return tl_rao_eq(flow->burned, flow->ante);
}

static tl_err end_ante(tl_ledger *ledger, const tl__entry *entry, const tl__flow *flow,
                       tl_errctx *ctx)
{
    const tl__row *row = &ledger->rows[flow->row];
    if (row->ante == 0) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "no ante was locked for this miner");
    }
    tl_ante *ante = &ledger->antes[row->ante - 1].ante;
    if (ante->state != TL_ANTE_LOCKED) { /* LED-4 */
        return tl_fail(ctx, TL_ERR_STATE, "the ante is %s, it ends once",
                       tl_ante_state_name(ante->state));
    }
    if (!tl_rao_eq(ante->amount, flow->ante) || !flow_suits(entry->cause, flow)) {
        return tl_fail(ctx, TL_ERR_RANGE, "an ante of %" PRId64 " cannot end so by \"%s\"",
                       tl_rao_to_i64(ante->amount), tl_cause_name(entry->cause));
    }
    const bool returns = entry->cause == TL_CAUSE_ANTE_RETURN;
    ante->state = state_after(entry->cause);
    ante->returned = flow->back;
    ante->burned = flow->burned;
    ante->redistributed = returns ? TL_RAO_ZERO : flow->pool;
    ante->deficit = returns ? flow->pool : TL_RAO_ZERO;
    TL_ASSERT(tl_rao_is_zero(row->balance)); /* LED-6 */

    tl_escrow_book *sums = &ledger->books[entry->epoch - 1].sums;
    TL_ASSERT(sums->locked_count > 0);
    sums->locked_count--;
    ++*count_of(sums, ante->state);
    take(&sums->locked, ante->amount);
    add(&sums->returned, ante->returned);
    add(&sums->burned, ante->burned);
    add(&sums->redistributed, ante->redistributed);
    add(&sums->deficit, ante->deficit);
    return TL_OK;
}

static void revive_ante(tl_ledger *ledger, const tl__entry *entry, const tl__flow *flow)
{
    tl_ante *ante = &ledger->antes[ledger->rows[flow->row].ante - 1].ante;
    TL_ASSERT(ante->state == state_after(entry->cause));
    tl_escrow_book *sums = &ledger->books[entry->epoch - 1].sums;
    sums->locked_count++;
    --*count_of(sums, ante->state);
    add(&sums->locked, ante->amount);
    take(&sums->returned, ante->returned);
    take(&sums->burned, ante->burned);
    take(&sums->redistributed, ante->redistributed);
    take(&sums->deficit, ante->deficit);
    *ante = (tl_ante){.state = TL_ANTE_LOCKED, .amount = ante->amount};
}

/* --- locking --- */

static tl_err lock_ante(tl_ledger *ledger, const tl__entry *entry, tl_errctx *ctx)
{
    const bool is_pair =
        entry->posting_count == 2 && row_of(ledger, entry, 0)->kind == TL_ACCOUNT_MINER &&
        row_of(ledger, entry, 1)->kind == TL_ACCOUNT_ESCROW &&
        tl_hash32_cmp(&row_of(ledger, entry, 0)->id, &row_of(ledger, entry, 1)->id) == 0;
    if (!is_pair) {
        return tl_fail(ctx, TL_ERR_RANGE, "an ante goes from its miner to its escrow account");
    }
    const tl_rao amount = amount_of(ledger, entry, 1);
    if (tl_rao_cmp(amount, ledger->options.ante_min) < 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "an ante of %" PRId64 " rao, at least %" PRId64,
                       tl_rao_to_i64(amount), tl_rao_to_i64(ledger->options.ante_min));
    }
    const uint32_t index = ledger->postings[entry->posting_first + 1].row;
    tl__row *row = &ledger->rows[index];
    if (row->ante != 0) { /* LED-4 */
        return tl_fail(ctx, TL_ERR_DUPLICATE, "the ante of this miner and epoch is %s",
                       tl_ante_state_name(ledger->antes[row->ante - 1].ante.state));
    }
    TL_ASSERT(ledger->ante_count < ledger->ante_cap);
    TL_ASSERT(tl_rao_eq(row->balance, amount)); /* LED-6 */
    tl__book *book = &ledger->books[entry->epoch - 1];
    ledger->antes[ledger->ante_count++] = (tl__ante){
        .ante = {.state = TL_ANTE_LOCKED, .amount = amount}, .row = index, .next = book->ante_last};
    row->ante = (uint32_t)ledger->ante_count;
    book->ante_last = row->ante;
    book->sums.locked_count++;
    add(&book->sums.taken, amount);
    add(&book->sums.locked, amount);
    return TL_OK;
}

static void unlock_ante(tl_ledger *ledger, const tl__entry *entry)
{
    tl__book *book = &ledger->books[entry->epoch - 1];
    const tl__ante *last = &ledger->antes[ledger->ante_count - 1];
    TL_ASSERT(last->ante.state == TL_ANTE_LOCKED && book->ante_last == ledger->ante_count);
    book->ante_last = last->next;
    book->sums.locked_count--;
    take(&book->sums.taken, last->ante.amount);
    take(&book->sums.locked, last->ante.amount);
    ledger->rows[last->row].ante = 0;
    ledger->ante_count--;
}

/* --- what journal.c calls --- */

/* taken = locked + returned + burned + redistributed + deficit, after every step. */
static void check_sums(const tl_escrow_book *sums)
{
    const tl_i128 parts = (tl_i128)tl_rao_to_i64(sums->locked) + tl_rao_to_i64(sums->returned) +
                          tl_rao_to_i64(sums->burned) + tl_rao_to_i64(sums->redistributed) +
                          tl_rao_to_i64(sums->deficit);
    TL_ASSERT(parts == tl_rao_to_i64(sums->taken)); /* LED-6 */
}

/* Takes back the groups before posting `end`. */
static void undo_groups(tl_ledger *ledger, const tl__entry *entry, uint32_t end)
{
    uint32_t at = 0;
    while (at < end) {
        tl__flow flow;
        const bool is_group = take_group(&flow, &at, ledger, entry);
        TL_ASSERT(is_group);
        revive_ante(ledger, entry, &flow);
    }
}

tl_err tl__escrow_apply(tl_ledger *ledger, const tl__entry *entry, tl_errctx *ctx)
{
    if (entry->cause == TL_CAUSE_ANTE_LOCK) {
        TL_TRY(lock_ante(ledger, entry, ctx));
        check_sums(&ledger->books[entry->epoch - 1].sums);
        return TL_OK;
    }
    uint32_t at = 0;
    while (at < entry->posting_count) {
        const uint32_t begin = at;
        tl__flow flow;
        tl_err err = TL_OK;
        if (!take_group(&flow, &at, ledger, entry)) {
            err = tl_fail(ctx, TL_ERR_RANGE, "an ante's parts do not make the ante");
        } else {
            err = end_ante(ledger, entry, &flow, ctx);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "postings[%" PRIu32 "]", begin);
            undo_groups(ledger, entry, begin);
            return err;
        }
    }
    check_sums(&ledger->books[entry->epoch - 1].sums);
    return TL_OK;
}

void tl__escrow_undo(tl_ledger *ledger, const tl__entry *entry)
{
    if (entry->cause == TL_CAUSE_ANTE_LOCK) {
        unlock_ante(ledger, entry);
    } else {
        undo_groups(ledger, entry, entry->posting_count);
    }
    check_sums(&ledger->books[entry->epoch - 1].sums);
}

/* --- what others call --- */

tl_ante tl_escrow_get(const tl_ledger *ledger, tl_str epoch, const tl_hotkey *hotkey)
{
    const tl_ante none = {.state = TL_ANTE_NONE};
    const uint32_t row = tl__row_find(ledger, tl_account_of_hotkey(TL_ACCOUNT_ESCROW, hotkey),
                                      tl__book_find(ledger, epoch));
    if (row == 0 || ledger->rows[row - 1].ante == 0) {
        return none;
    }
    return ledger->antes[ledger->rows[row - 1].ante - 1].ante;
}

tl_escrow_book tl_escrow_book_of(const tl_ledger *ledger, tl_str epoch)
{
    const uint32_t book = tl__book_find(ledger, epoch);
    return book != 0 ? ledger->books[book - 1].sums : (tl_escrow_book){.is_settled = false};
}

tl_err tl_escrow_lock(tl_ledger *ledger, bool *is_new, tl_str epoch, const tl_hotkey *hotkey,
                      tl_rao ante, uint64_t height, tl_errctx *ctx)
{
    const tl_ante before = tl_escrow_get(ledger, epoch, hotkey);
    if (before.state == TL_ANTE_LOCKED && tl_rao_eq(before.amount, ante)) {
        if (is_new != NULL) {
            *is_new = false;
        }
        return TL_OK;
    }
    if (before.state != TL_ANTE_NONE) {
        return tl_fail_field(ctx, before.state == TL_ANTE_LOCKED ? TL_ERR_DUPLICATE : TL_ERR_STATE,
                             "ante", "an ante of %" PRId64 " rao is %s already",
                             tl_rao_to_i64(before.amount), tl_ante_state_name(before.state));
    }
    if (tl_rao_cmp(ante, ledger->options.ante_min) < 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "ante", "ante is %" PRId64 " rao, below %" PRId64,
                             tl_rao_to_i64(ante), tl_rao_to_i64(ledger->options.ante_min));
    }
    /* Asked here too, so that a stranger without a balance leaves no row behind. */
    const tl_account miner = tl_account_of_hotkey(TL_ACCOUNT_MINER, hotkey);
    const tl_rao free_rao = tl_ledger_balance(ledger, miner, TL_STR(""));
    if (tl_rao_cmp(free_rao, ante) < 0) {
        return tl_fail_field(ctx, TL_ERR_FUNDS, "ante",
                             "ante is %" PRId64 " rao, the free balance %" PRId64,
                             tl_rao_to_i64(ante), tl_rao_to_i64(free_rao));
    }
    const tl_posting postings[2] = {
        {miner, tl_rao_from_i64(-tl_rao_to_i64(ante))},
        {tl_account_of_hotkey(TL_ACCOUNT_ESCROW, hotkey), ante},
    };
    TL_TRY(tl_ledger_post(ledger,
                          &(tl_transaction){.cause = TL_CAUSE_ANTE_LOCK,
                                            .epoch = epoch,
                                            .text = TL_STR("ante of a signal"),
                                            .height = height,
                                            .postings = postings,
                                            .count = 2},
                          ctx));
    if (is_new != NULL) {
        *is_new = true;
    }
    return TL_OK;
}

/* Return or slash: the whole ante to one account. */
static tl_err end_whole(tl_ledger *ledger, bool *is_new, tl_cause cause, tl_account to,
                        tl_str epoch, const tl_hotkey *hotkey, uint64_t height, tl_str text,
                        tl_errctx *ctx)
{
    const tl_ante before = tl_escrow_get(ledger, epoch, hotkey);
    if (before.state == TL_ANTE_NONE) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "no ante in epoch \"%.*s\"", TL_STR_ARG(epoch));
    }
    const bool is_done = before.state == state_after(cause) && tl_rao_is_zero(before.deficit);
    if (!is_done && before.state != TL_ANTE_LOCKED) {
        return tl_fail(ctx, TL_ERR_STATE, "the ante is %s, it ends once",
                       tl_ante_state_name(before.state));
    }
    if (!is_done) {
        const tl_posting postings[2] = {
            {tl_account_of_hotkey(TL_ACCOUNT_ESCROW, hotkey),
             tl_rao_from_i64(-tl_rao_to_i64(before.amount))},
            {to, before.amount},
        };
        TL_TRY(tl_ledger_post(ledger,
                              &(tl_transaction){.cause = cause,
                                                .epoch = epoch,
                                                .text = text,
                                                .height = height,
                                                .postings = postings,
                                                .count = 2},
                              ctx));
    }
    if (is_new != NULL) {
        *is_new = !is_done;
    }
    return TL_OK;
}

tl_err tl_escrow_return(tl_ledger *ledger, bool *is_new, tl_str epoch, const tl_hotkey *hotkey,
                        uint64_t height, tl_str text, tl_errctx *ctx)
{
    return end_whole(ledger, is_new, TL_CAUSE_ANTE_RETURN,
                     tl_account_of_hotkey(TL_ACCOUNT_MINER, hotkey), epoch, hotkey, height, text,
                     ctx);
}

tl_err tl_escrow_slash(tl_ledger *ledger, bool *is_new, tl_str epoch, const tl_hotkey *hotkey,
                       uint64_t height, tl_str text, tl_errctx *ctx)
{
    return end_whole(ledger, is_new, TL_CAUSE_ANTE_SLASH, tl_account_of(TL_ACCOUNT_BURN), epoch,
                     hotkey, height, text, ctx);
}

/* Two postings for each locked ante, in the order in which they were locked. */
static size_t refund_postings(tl_posting *out, const tl_ledger *ledger, const tl__book *book)
{
    size_t count = (size_t)book->sums.locked_count * 2;
    size_t at = count;
    for (uint32_t i = book->ante_last; i != 0; i = ledger->antes[i - 1].next) {
        const tl__ante *a = &ledger->antes[i - 1];
        if (a->ante.state != TL_ANTE_LOCKED) {
            continue;
        }
        TL_ASSERT(at >= 2);
        const tl_hash32 id = ledger->rows[a->row].id;
        at -= 2;
        out[at] =
            (tl_posting){{TL_ACCOUNT_ESCROW, id}, tl_rao_from_i64(-tl_rao_to_i64(a->ante.amount))};
        out[at + 1] = (tl_posting){{TL_ACCOUNT_MINER, id}, a->ante.amount};
    }
    TL_ASSERT(at == 0);
    return count;
}

tl_err tl_escrow_refund(tl_ledger *ledger, tl_str epoch, uint64_t height, tl_str text,
                        tl_errctx *ctx)
{
    const size_t entries_before = ledger->entry_count;
    const uint32_t book = tl__book_find(ledger, epoch);
    tl_transaction t = {
        .cause = TL_CAUSE_ANTE_RETURN, .epoch = epoch, .text = text, .height = height};
    if (book != 0 && ledger->books[book - 1].sums.locked_count != 0) {
        TL_TRY(tl__reserve_scratch(ledger, (size_t)ledger->books[book - 1].sums.locked_count * 2,
                                   ctx));
        t.postings = ledger->scratch;
        t.count = refund_postings(ledger->scratch, ledger, &ledger->books[book - 1]);
        TL_TRY(tl_ledger_post(ledger, &t, ctx));
    }
    t.cause = TL_CAUSE_REFUNDED;
    t.postings = NULL;
    t.count = 0;
    const tl_err err = tl_ledger_post(ledger, &t, ctx);
    if (err != TL_OK) {
        tl__ledger_undo_to(ledger, entries_before);
    }
    return err;
}
