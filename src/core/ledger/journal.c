/* journal.c: entries, and the hash chain over them.
 *
 * One door in, append(): it checks shape, cause and funds, moves the balances, lets escrow.c move
 * the antes, hashes; on any failure it takes back what it did. A stored entry comes back through
 * the same door (keep.c), so a reloaded journal has been checked as if it were new. */
#include "core/ledger/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/ledger/ledger_internal.h"

/* --- what a cause may do --- */

typedef struct cause_rule {
    const char *name;
    bool moves_antes;
    bool is_once;
} cause_rule;

static const cause_rule CAUSES[] = {
#define ROW(name, number, text, moves_antes, is_once) [number] = {text, moves_antes, is_once},
    TL_CAUSE_MAP(ROW)
#undef ROW
};
#define CAUSE_COUNT (sizeof(CAUSES) / sizeof(CAUSES[0]))

#define BIT(n)  (1u << (n))
#define KIND(n) BIT(TL_ACCOUNT_##n)
#define FREE    (KIND(TREASURY) | KIND(CARRY) | KIND(OWNER) | KIND(MINER) | KIND(VALIDATOR))

/* Which kinds may lose and which may gain by a cause. Burn never loses; pool, escrow and issuance
 * move by their own causes only. */
static const struct {
    uint32_t may_lose;
    uint32_t may_gain;
} MOVES[] = {
    [TL_CAUSE_TRANSFER] = {FREE | KIND(EXTERNAL), FREE | KIND(EXTERNAL) | KIND(BURN)},
    [TL_CAUSE_ISSUE] = {KIND(ISSUANCE), FREE | KIND(BURN)},
    [TL_CAUSE_ANTE_LOCK] = {KIND(MINER), KIND(ESCROW)},
    [TL_CAUSE_ANTE_RETURN] = {KIND(ESCROW), KIND(MINER) | KIND(POOL)},
    [TL_CAUSE_ANTE_FORFEIT] = {KIND(ESCROW), KIND(MINER) | KIND(BURN) | KIND(POOL)},
    [TL_CAUSE_ANTE_SLASH] = {KIND(ESCROW), KIND(BURN)},
    [TL_CAUSE_POOL_EMISSION] = {KIND(ISSUANCE), KIND(POOL)},
    [TL_CAUSE_POOL_EXTERNAL] = {KIND(EXTERNAL), KIND(POOL)},
    [TL_CAUSE_RAKE] = {KIND(POOL), KIND(TREASURY)},
    [TL_CAUSE_REWARD] = {KIND(POOL), KIND(MINER) | KIND(BURN) | KIND(TREASURY)},
    [TL_CAUSE_CARRY] = {KIND(POOL), KIND(CARRY)},
    [TL_CAUSE_VALIDATOR_PAY] = {KIND(ISSUANCE), KIND(VALIDATOR)},
    [TL_CAUSE_OWNER_PAY] = {KIND(ISSUANCE), KIND(OWNER)},
    [TL_CAUSE_SETTLED] = {0, 0},
    [TL_CAUSE_REFUNDED] = {0, 0},
};

_Static_assert(sizeof(MOVES) / sizeof(MOVES[0]) == CAUSE_COUNT, "one rule a cause");
_Static_assert(CAUSE_COUNT <= 32, "a book's causes are 32 bits");

bool tl__cause_is(uint32_t cause)
{
    return cause < CAUSE_COUNT && CAUSES[cause].name != NULL;
}

const char *tl_cause_name(tl_cause cause)
{
    return tl__cause_is(cause) ? CAUSES[cause].name : "unknown";
}

/* An entry without postings closes an epoch; no other cause has nothing to say. */
static bool cause_closes(tl_cause cause)
{
    return cause == TL_CAUSE_SETTLED || cause == TL_CAUSE_REFUNDED;
}

static bool book_is_closed(const tl__book *book)
{
    return (book->causes & (BIT(TL_CAUSE_SETTLED) | BIT(TL_CAUSE_REFUNDED))) != 0;
}

tl_err tl_ledger_new(tl_ledger **out, tl_arena *arena, const tl_ledger_options *options,
                     tl_errctx *ctx)
{
    const tl_rao ante_min = options != NULL ? options->ante_min : TL_RAO_ZERO;
    if (tl_rao_is_negative(ante_min)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "ante_min", "the least ante is negative");
    }
    tl_ledger *ledger = TL_NEW(arena, tl_ledger, 1);
    if (ledger == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    ledger->arena = arena;
    ledger->options.index_seed = options != NULL ? options->index_seed : 0;
    ledger->options.ante_min =
        tl_rao_is_zero(ante_min) ? tl_rao_from_i64(TL_LEDGER_ANTE_MIN) : ante_min;
    *out = ledger;
    return TL_OK;
}

/* --- canonical bytes --- */

static uint8_t *put_int(uint8_t *at, uint64_t value, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        *at++ = (uint8_t)(value >> (8 * i));
    }
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t len)
{
    if (len != 0) {
        memcpy(at, bytes, len);
    }
    return at + len;
}

static uint8_t *put_text(uint8_t *at, tl_str text)
{
    return put_bytes(put_int(at, text.len, 4), text.ptr, text.len);
}

static tl_str entry_epoch(const tl_ledger *ledger, const tl__entry *entry)
{
    return entry->epoch != 0 ? ledger->books[entry->epoch - 1].epoch : TL_STR("");
}

static size_t entry_len_max(const tl_ledger *ledger, const tl__entry *entry)
{
    return TL__ENTRY_FIXED_LEN + entry_epoch(ledger, entry).len + entry->text.len +
           (size_t)entry->posting_count * TL__POSTING_LEN_MAX;
}

/* The first posting of an entry. While no entry has any there is no array, and NULL must not be added to. */
static const tl__posting *postings_of(const tl_ledger *ledger, const tl__entry *entry)
{
    return ledger->postings == NULL ? NULL : ledger->postings + entry->posting_first;
}

/* Into out, which has room for entry_len_max; returns the length. */
static size_t entry_write(uint8_t *out, const tl_ledger *ledger, const tl__entry *entry,
                          uint64_t index, const tl_hash32 *previous)
{
    uint8_t *at = put_text(out, TL_STR(TL__ENTRY_TAG));
    at = put_int(at, index, 8);
    at = put_bytes(at, previous->b, sizeof(previous->b));
    at = put_int(at, entry->height, 8);
    at = put_text(at, entry_epoch(ledger, entry));
    at = put_int(at, (uint64_t)entry->cause, 1);
    at = put_text(at, entry->text);
    at = put_int(at, entry->posting_count, 4);
    const tl__posting *postings = postings_of(ledger, entry);
    for (uint32_t i = 0; i < entry->posting_count; i++) {
        const tl__row *row = &ledger->rows[postings[i].row];
        at = put_int(at, row->kind, 1);
        if (tl__kind_has_id(row->kind)) {
            at = put_bytes(at, row->id.b, sizeof(row->id.b));
        }
        at = put_int(at, (uint64_t)tl_rao_to_i64(postings[i].amount), 8);
    }
    const size_t len = (size_t)(at - out);
    TL_ASSERT(len <= entry_len_max(ledger, entry));
    return len;
}

tl_err tl_ledger_encode(tl_bytes *out, const tl_ledger *ledger, uint64_t index, tl_arena *arena,
                        tl_errctx *ctx)
{
    const tl_ledger_entry view = tl_ledger_entry_at(ledger, index);
    const tl__entry *entry = &ledger->entries[index];
    uint8_t *bytes = TL_NEW(arena, uint8_t, entry_len_max(ledger, entry));
    if (bytes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const size_t len = entry_write(bytes, ledger, entry, index, &view.previous);
    *out = (tl_bytes){bytes, len};
    return TL_OK;
}

/* --- append --- */

static tl_err check_shape(const tl_transaction *t, tl_errctx *ctx)
{
    if (!tl__cause_is(t->cause)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "cause", "%d is no cause", (int)t->cause);
    }
    const char *name = CAUSES[t->cause].name;
    if (t->epoch.len > TL_LEDGER_EPOCH_LEN_MAX || !tl_str_is_utf8(t->epoch)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "epoch", "not text of at most %d bytes",
                             TL_LEDGER_EPOCH_LEN_MAX);
    }
    if (t->text.len > TL_LEDGER_TEXT_LEN_MAX || !tl_str_is_utf8(t->text)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "text", "not text of at most %d bytes",
                             TL_LEDGER_TEXT_LEN_MAX);
    }
    const bool needs_epoch = CAUSES[t->cause].moves_antes || CAUSES[t->cause].is_once;
    if (needs_epoch && t->epoch.len == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "epoch", "\"%s\" belongs to an epoch", name);
    }
    if (t->count > TL_LEDGER_POSTINGS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "postings", "%zu postings, at most %d", t->count,
                             TL_LEDGER_POSTINGS_MAX);
    }
    if (cause_closes(t->cause) != (t->count == 0)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "postings", "\"%s\" with %zu postings", name,
                             t->count);
    }
    return TL_OK;
}

static bool id_is_zero(const tl_hash32 *id)
{
    const tl_hash32 zero = {{0}};
    return memcmp(id->b, zero.b, sizeof(zero.b)) == 0;
}

static tl_err check_posting(tl_cause cause, const tl_posting *p, tl_errctx *ctx)
{
    const uint32_t kind = p->account.kind;
    if (!tl__kind_is(kind)) {
        return tl_fail(ctx, TL_ERR_RANGE, "%u is no kind of account", (unsigned)kind);
    }
    if (!tl__kind_has_id(kind) && !id_is_zero(&p->account.id)) {
        return tl_fail(ctx, TL_ERR_RANGE, "account \"%s\" has no id",
                       tl_account_kind_name(p->account.kind));
    }
    const int64_t rao = tl_rao_to_i64(p->amount);
    if (rao == 0 || rao > TL_LEDGER_AMOUNT_MAX || rao < -TL_LEDGER_AMOUNT_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "amount is %" PRId64 ", not within 1 and %" PRId64, rao,
                       (int64_t)TL_LEDGER_AMOUNT_MAX);
    }
    if (((rao < 0 ? MOVES[cause].may_lose : MOVES[cause].may_gain) & BIT(kind)) == 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "account \"%s\" cannot %s by \"%s\"",
                       tl_account_kind_name(p->account.kind), rao < 0 ? "lose" : "gain",
                       CAUSES[cause].name);
    }
    return TL_OK;
}

/* LED-1, before anything is touched. */
static tl_err check_postings(const tl_transaction *t, tl_errctx *ctx)
{
    tl_i128 sum = 0;
    for (size_t i = 0; i < t->count; i++) {
        const tl_err err = check_posting(t->cause, &t->postings[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "postings[%zu]", i);
            return err;
        }
        sum += tl_rao_to_i64(t->postings[i].amount);
    }
    if (sum != 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "postings", "%s: debits and credits differ",
                             CAUSES[t->cause].name);
    }
    return TL_OK;
}

/* LED-4 as far as whole epochs go: what comes once comes once, and a closed epoch stays closed. */
static tl_err check_book(const tl_ledger *ledger, const tl__entry *entry, tl_errctx *ctx)
{
    const cause_rule *rule = &CAUSES[entry->cause];
    if (entry->epoch == 0 || !(rule->is_once || rule->moves_antes)) {
        return TL_OK;
    }
    const tl__book *book = &ledger->books[entry->epoch - 1];
    if (book_is_closed(book)) {
        return tl_fail(ctx, TL_ERR_STATE, "the books of epoch \"%.*s\" are closed",
                       TL_STR_ARG(book->epoch));
    }
    if (rule->is_once && (book->causes & BIT(entry->cause)) != 0) {
        return tl_fail(ctx, TL_ERR_DUPLICATE, "\"%s\" twice in epoch \"%.*s\"", rule->name,
                       TL_STR_ARG(book->epoch));
    }
    if (cause_closes(entry->cause)) {
        const bool has_pool = book->pool_row != 0 &&
                              !tl_rao_is_zero(ledger->rows[book->pool_row - 1].balance); /* LED-7 */
        if (has_pool || book->sums.locked_count != 0) {
            return tl_fail(ctx, TL_ERR_STATE,
                           "epoch \"%.*s\" cannot close: %" PRIu32 " antes are locked, the pool is "
                           "%s",
                           TL_STR_ARG(book->epoch), book->sums.locked_count,
                           has_pool ? "not empty" : "empty");
        }
    }
    return TL_OK;
}

/* Moves one balance; sign -1 takes it back. False when the balance would not fit. */
static bool move_balance(tl_ledger *ledger, const tl__posting *posting, int sign)
{
    tl__row *row = &ledger->rows[posting->row];
    tl_rao balance;
    const tl_err err = sign > 0 ? tl_rao_add(&balance, row->balance, posting->amount, NULL)
                                : tl_rao_sub(&balance, row->balance, posting->amount, NULL);
    if (err != TL_OK) {
        return false;
    }
    ledger->balance_sum += (tl_i128)tl_rao_to_i64(balance) - tl_rao_to_i64(row->balance);
    row->balance = balance;
    if (sign > 0) {
        row->posting_count++;
    } else {
        TL_ASSERT(row->posting_count > 0);
        row->posting_count--;
    }
    return true;
}

static void move_back(tl_ledger *ledger, const tl__entry *entry, size_t count)
{
    while (count > 0) {
        count--;
        const bool fits = move_balance(ledger, &ledger->postings[entry->posting_first + count], -1);
        TL_ASSERT(fits);
    }
    TL_ASSERT(ledger->balance_sum == 0); /* LED-2 */
}

/* LED-5, and the bound of the sources; asked when all postings of the entry have moved. */
static tl_err check_funds(const tl_ledger *ledger, const tl__posting *posting, tl_errctx *ctx)
{
    const tl__row *row = &ledger->rows[posting->row];
    const char *name = tl_account_kind_name((tl_account_kind)row->kind);
    const int64_t rao = tl_rao_to_i64(row->balance);
    if (!tl__kind_is_source(row->kind) && rao < 0) {
        return tl_fail(ctx, TL_ERR_FUNDS, "account \"%s\" lacks %" PRId64 " rao", name, -rao);
    }
    if (rao > TL_LEDGER_AMOUNT_MAX || rao < -TL_LEDGER_AMOUNT_MAX) {
        return tl_fail(ctx, TL_ERR_OVERFLOW, "account \"%s\" would hold %" PRId64 " rao", name,
                       rao);
    }
    return TL_OK;
}

static tl_err move_all(tl_ledger *ledger, const tl__entry *entry, tl_errctx *ctx)
{
    const tl__posting *postings = postings_of(ledger, entry);
    for (uint32_t i = 0; i < entry->posting_count; i++) {
        if (!move_balance(ledger, &postings[i], 1)) {
            move_back(ledger, entry, i);
            return tl_fail_field(ctx, TL_ERR_OVERFLOW, "postings", "a balance would not fit");
        }
    }
    TL_ASSERT(ledger->balance_sum == 0); /* LED-2 */
    for (uint32_t i = 0; i < entry->posting_count; i++) {
        const tl_err err = check_funds(ledger, &postings[i], ctx);
        if (err != TL_OK) {
            move_back(ledger, entry, entry->posting_count);
            return err;
        }
    }
    return TL_OK;
}

/* Room for everything that the entry needs, so that nothing can fail once balances have moved but
 * the rules themselves. */
static tl_err prepare(tl__entry *entry, tl_ledger *ledger, const tl_transaction *t, tl_errctx *ctx)
{
    if (ledger->entry_count >= TL_LEDGER_ENTRIES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "the journal is full");
    }
    *entry = (tl__entry){.height = t->height,
                         .posting_first = ledger->posting_count,
                         .posting_count = (uint32_t)t->count,
                         .cause = t->cause};
    TL_TRY(tl__reserve_entry(ledger, ledger->entry_count + 1, ctx));
    TL_TRY(tl__reserve_posting(ledger, ledger->posting_count + t->count, ctx));
    TL_TRY(tl__reserve_ante(ledger, ledger->ante_count + 1, ctx));
    TL_TRY(tl__book_intern(&entry->epoch, ledger, t->epoch, ctx));
    TL_TRY(tl_str_copy(&entry->text, ledger->arena, t->text, ctx));
    for (size_t i = 0; i < t->count; i++) {
        uint32_t row;
        TL_TRY(tl__row_intern(&row, ledger, t->postings[i].account, entry->epoch, ctx));
        ledger->postings[ledger->posting_count + i] =
            (tl__posting){.row = row, .amount = t->postings[i].amount};
    }
    return tl__reserve_wire(ledger, entry_len_max(ledger, entry), ctx);
}

static void book_set(tl_ledger *ledger, const tl__entry *entry, bool stands)
{
    if (!CAUSES[entry->cause].is_once) {
        return;
    }
    tl__book *book = &ledger->books[entry->epoch - 1];
    TL_ASSERT(((book->causes & BIT(entry->cause)) != 0) != stands); /* LED-4 */
    book->causes ^= BIT(entry->cause);
    book->sums.is_settled = (book->causes & BIT(TL_CAUSE_SETTLED)) != 0;
    book->sums.is_refunded = (book->causes & BIT(TL_CAUSE_REFUNDED)) != 0;
}

tl_err tl_ledger_post(tl_ledger *ledger, const tl_transaction *transaction, tl_errctx *ctx)
{
    TL_TRY(check_shape(transaction, ctx));
    TL_TRY(check_postings(transaction, ctx)); /* LED-1 */
    tl__entry entry;
    TL_TRY(prepare(&entry, ledger, transaction, ctx));
    TL_TRY(check_book(ledger, &entry, ctx));
    TL_TRY(move_all(ledger, &entry, ctx));
    if (CAUSES[entry.cause].moves_antes) {
        const tl_err err = tl__escrow_apply(ledger, &entry, ctx);
        if (err != TL_OK) {
            move_back(ledger, &entry, entry.posting_count);
            return err;
        }
    }
    book_set(ledger, &entry, true);
    const tl_hash32 previous = tl_ledger_head(ledger);
    const size_t len = entry_write(ledger->wire, ledger, &entry, ledger->entry_count, &previous);
    tl_sha256(&entry.hash, ledger->wire, len); /* LED-3 */
    ledger->entries[ledger->entry_count++] = entry;
    ledger->posting_count += entry.posting_count;
    return TL_OK;
}

void tl__ledger_undo(tl_ledger *ledger)
{
    TL_ASSERT(ledger->entry_count > ledger->sealed_count); /* LED-3 */
    const tl__entry *entry = &ledger->entries[ledger->entry_count - 1];
    book_set(ledger, entry, false);
    if (CAUSES[entry->cause].moves_antes) {
        tl__escrow_undo(ledger, entry);
    }
    move_back(ledger, entry, entry->posting_count);
    ledger->posting_count -= entry->posting_count;
    ledger->entry_count--;
    TL_ASSERT(ledger->posting_count == entry->posting_first);
}

void tl__ledger_undo_to(tl_ledger *ledger, size_t entry_count)
{
    while (ledger->entry_count > entry_count) {
        tl__ledger_undo(ledger);
    }
}

tl_err tl_ledger_post_all(tl_ledger *ledger, const tl_transaction *transactions, size_t count,
                          tl_errctx *ctx)
{
    const size_t before = ledger->entry_count;
    for (size_t i = 0; i < count; i++) {
        const tl_err err = tl_ledger_post(ledger, &transactions[i], ctx);
        if (err != TL_OK) {
            tl__ledger_undo_to(ledger, before);
            return err;
        }
    }
    return TL_OK;
}

void tl_ledger_seal(tl_ledger *ledger)
{
    ledger->sealed_count = ledger->entry_count;
}

void tl_ledger_drop_unsealed(tl_ledger *ledger)
{
    tl__ledger_undo_to(ledger, ledger->sealed_count);
}

/* --- plain entries --- */

static tl_err post_pair(tl_ledger *ledger, tl_cause cause, tl_account from, tl_account to,
                        tl_rao amount, uint64_t height, tl_str text, tl_errctx *ctx)
{
    if (tl_rao_cmp(amount, TL_RAO_ZERO) <= 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "amount", "amount is %" PRId64 ", not above 0",
                             tl_rao_to_i64(amount));
    }
    tl_rao loss;
    TL_TRY(tl_rao_neg(&loss, amount, ctx));
    const tl_posting postings[2] = {{from, loss}, {to, amount}};
    return tl_ledger_post(
        ledger,
        &(tl_transaction){
            .cause = cause, .text = text, .height = height, .postings = postings, .count = 2},
        ctx);
}

tl_err tl_ledger_issue(tl_ledger *ledger, tl_account to, tl_rao amount, uint64_t height,
                       tl_str text, tl_errctx *ctx)
{
    return post_pair(ledger, TL_CAUSE_ISSUE, tl_account_of(TL_ACCOUNT_ISSUANCE), to, amount, height,
                     text, ctx);
}

tl_err tl_ledger_deposit(tl_ledger *ledger, tl_account to, tl_rao amount, uint64_t height,
                         tl_str text, tl_errctx *ctx)
{
    return post_pair(ledger, TL_CAUSE_TRANSFER, tl_account_of(TL_ACCOUNT_EXTERNAL), to, amount,
                     height, text, ctx);
}

tl_err tl_ledger_withdraw(tl_ledger *ledger, tl_account from, tl_rao amount, uint64_t height,
                          tl_str text, tl_errctx *ctx)
{
    return post_pair(ledger, TL_CAUSE_TRANSFER, from, tl_account_of(TL_ACCOUNT_EXTERNAL), amount,
                     height, text, ctx);
}

/* --- reading --- */

tl_rao tl_ledger_balance(const tl_ledger *ledger, tl_account account, tl_str epoch)
{
    const uint32_t row = tl__row_find(ledger, account, tl__book_find(ledger, epoch));
    return row != 0 ? ledger->rows[row - 1].balance : TL_RAO_ZERO;
}

tl_rao tl_ledger_issuance(const tl_ledger *ledger)
{
    const int64_t rao =
        tl_rao_to_i64(tl_ledger_balance(ledger, tl_account_of(TL_ACCOUNT_ISSUANCE), TL_STR("")));
    TL_ASSERT(rao <= 0 && rao >= -TL_LEDGER_AMOUNT_MAX);
    return tl_rao_from_i64(-rao);
}

uint64_t tl_ledger_count(const tl_ledger *ledger)
{
    return ledger->entry_count;
}

uint64_t tl_ledger_posting_total(const tl_ledger *ledger)
{
    return ledger->posting_count;
}

tl_hash32 tl_ledger_head(const tl_ledger *ledger)
{
    const tl_hash32 none = {{0}};
    return ledger->entry_count != 0 ? ledger->entries[ledger->entry_count - 1].hash : none;
}

tl_ledger_entry tl_ledger_entry_at(const tl_ledger *ledger, uint64_t index)
{
    TL_ASSERT(index < ledger->entry_count);
    const tl__entry *entry = &ledger->entries[index];
    const tl_hash32 none = {{0}};
    return (tl_ledger_entry){.index = index,
                             .height = entry->height,
                             .cause = entry->cause,
                             .epoch = entry_epoch(ledger, entry),
                             .text = entry->text,
                             .posting_count = entry->posting_count,
                             .previous = index != 0 ? ledger->entries[index - 1].hash : none,
                             .hash = entry->hash};
}

tl_posting tl_ledger_posting_at(const tl_ledger *ledger, uint64_t index, uint32_t i)
{
    TL_ASSERT(index < ledger->entry_count);
    const tl__entry *entry = &ledger->entries[index];
    TL_ASSERT(i < entry->posting_count);
    const tl__posting *posting = &ledger->postings[entry->posting_first + i];
    const tl__row *row = &ledger->rows[posting->row];
    return (tl_posting){.account = {(tl_account_kind)row->kind, row->id},
                        .amount = posting->amount};
}
