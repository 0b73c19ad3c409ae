/* keep.c: a journal that comes back from a store, and the proof that a ledger is what its journal
 * says.
 *
 * Decoding reads through a cursor that fails once and stays failed; whether the entry is allowed is
 * then asked of tl_ledger_post, and whether it is the same entry, of its hash. */
#include "core/ledger/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/ledger/ledger_internal.h"
#include "core/num/stats/stats.h"

typedef struct cursor {
    tl_bytes bytes;
    size_t at;
    bool failed;
} cursor;

static const uint8_t *take(cursor *c, size_t len)
{
    if (c->failed || c->bytes.len - c->at < len) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->bytes.ptr + c->at;
    c->at += len;
    return p;
}

static uint64_t take_int(cursor *c, unsigned len)
{
    const uint8_t *p = take(c, len);
    uint64_t value = 0;
    for (unsigned i = 0; p != NULL && i < len; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

static tl_str take_text(cursor *c, size_t len_max)
{
    const size_t len = (size_t)take_int(c, 4);
    if (len > len_max) {
        c->failed = true;
        return TL_STR("");
    }
    const uint8_t *p = take(c, len);
    return p != NULL ? (tl_str){(const char *)p, len} : TL_STR("");
}

static tl_hash32 take_hash(cursor *c)
{
    tl_hash32 hash = {{0}};
    const uint8_t *p = take(c, sizeof(hash.b));
    if (p != NULL) {
        memcpy(hash.b, p, sizeof(hash.b));
    }
    return hash;
}

/* An unknown kind has no known length: the cursor fails there. */
static tl_posting take_posting(cursor *c)
{
    tl_posting posting = {.amount = TL_RAO_ZERO};
    const uint32_t kind = (uint32_t)take_int(c, 1);
    if (!tl__kind_is(kind)) {
        c->failed = true;
        return posting;
    }
    posting.account.kind = (tl_account_kind)kind;
    if (tl__kind_has_id(kind)) {
        posting.account.id = take_hash(c);
    }
    posting.amount = tl_rao_from_i64((int64_t)take_int(c, 8));
    return posting;
}

/* What the bytes say: t's postings stand in the ledger's scratch. */
static tl_err decode(tl_transaction *t, uint64_t *index, tl_hash32 *previous, tl_ledger *ledger,
                     tl_bytes bytes, tl_errctx *ctx)
{
    cursor c = {.bytes = bytes};
    const tl_str tag = take_text(&c, TL__ENTRY_TAG_LEN);
    *index = take_int(&c, 8);
    *previous = take_hash(&c);
    t->height = take_int(&c, 8);
    t->epoch = take_text(&c, TL_LEDGER_EPOCH_LEN_MAX);
    const uint32_t cause = (uint32_t)take_int(&c, 1);
    t->text = take_text(&c, TL_LEDGER_TEXT_LEN_MAX);
    t->count = (size_t)take_int(&c, 4);
    const size_t left = bytes.len - c.at;
    if (c.failed || !tl_str_eq(tag, TL_STR(TL__ENTRY_TAG)) || !tl__cause_is(cause) ||
        t->count > TL_LEDGER_POSTINGS_MAX || t->count > left / TL__POSTING_LEN_MIN) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "no ledger entry: bad head");
    }
    t->cause = (tl_cause)cause;
    TL_TRY(tl__reserve_scratch(ledger, t->count, ctx));
    for (size_t i = 0; i < t->count; i++) {
        ledger->scratch[i] = take_posting(&c);
    }
    t->postings = ledger->scratch;
    if (c.failed || c.at != bytes.len) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "no ledger entry: %zu bytes, read %zu", bytes.len,
                       c.at);
    }
    return TL_OK;
}

tl_err tl_ledger_load(tl_ledger *ledger, tl_bytes bytes, const tl_hash32 *hash, tl_errctx *ctx)
{
    const uint64_t next = ledger->entry_count;
    tl_hash32 digest;
    tl_sha256(&digest, bytes.ptr, bytes.len);
    if (hash != NULL && tl_hash32_cmp(&digest, hash) != 0) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "entry %" PRIu64 ": its hash differs", next);
    }
    tl_transaction t = {.text = TL_STR("")};
    uint64_t index;
    tl_hash32 previous;
    tl_err err = decode(&t, &index, &previous, ledger, bytes, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "entry %" PRIu64, next);
        return err;
    }
    const tl_hash32 head = tl_ledger_head(ledger);
    if (index != next || tl_hash32_cmp(&previous, &head) != 0) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "entry %" PRIu64 " does not follow entry %" PRIu64,
                       index, next - 1);
    }
    err = tl_ledger_post(ledger, &t, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "entry %" PRIu64, next);
        return err;
    }
    /* Decoding accepts one spelling only, so what was written again is what was read. */
    const tl_hash32 again = tl_ledger_head(ledger);
    TL_ASSERT(tl_hash32_cmp(&again, &digest) == 0); /* LED-3 */
    return TL_OK;
}

/* --- balances in order --- */

static int compare_lines(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_ledger_line *x = (const tl_ledger_line *)a;
    const tl_ledger_line *y = (const tl_ledger_line *)b;
    if (x->account.kind != y->account.kind) {
        return x->account.kind < y->account.kind ? -1 : 1;
    }
    const int by_epoch = tl_str_cmp(x->epoch, y->epoch);
    return by_epoch != 0 ? by_epoch : tl_hash32_cmp(&x->account.id, &y->account.id);
}

tl_err tl_ledger_balances(const tl_ledger_line **out, size_t *count, const tl_ledger *ledger,
                          tl_arena *arena, tl_errctx *ctx)
{
    tl_ledger_line *lines = TL_NEW(arena, tl_ledger_line, ledger->row_count);
    if (lines == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t n = 0;
    for (size_t i = 0; i < ledger->row_count; i++) {
        const tl__row *row = &ledger->rows[i];
        if (row->posting_count != 0) {
            lines[n++] = (tl_ledger_line){
                .account = {(tl_account_kind)row->kind, row->id},
                .epoch = row->epoch != 0 ? ledger->books[row->epoch - 1].epoch : TL_STR(""),
                .balance = row->balance,
                .posting_count = row->posting_count};
        }
    }
    TL_TRY(tl_sort(lines, n, sizeof(*lines), compare_lines, NULL, arena, ctx));
    *out = lines;
    *count = n;
    return TL_OK;
}

/* --- verify --- */

static tl_err replay(tl_ledger *again, const tl_ledger *ledger, tl_arena *scratch, tl_errctx *ctx)
{
    for (uint64_t i = 0; i < ledger->entry_count; i++) {
        const tl_arena_mark mark = tl_arena_get_mark(scratch);
        tl_bytes bytes;
        TL_TRY(tl_ledger_encode(&bytes, ledger, i, scratch, ctx));
        tl_errctx why = TL_ERRCTX_INIT;
        const tl_err err = tl_ledger_load(again, bytes, &ledger->entries[i].hash, &why);
        tl_arena_rewind(scratch, mark);
        if (err == TL_ERR_NOMEM || err == TL_ERR_LIMIT) {
            return tl_fail(ctx, err, "%s", why.message);
        }
        if (err != TL_OK) {
            return tl_fail(ctx, TL_ERR_CORRUPT, "%s", why.message);
        }
    }
    return TL_OK;
}

static bool ante_eq(const tl_ante *a, const tl_ante *b)
{
    return a->state == b->state && tl_rao_eq(a->amount, b->amount) &&
           tl_rao_eq(a->returned, b->returned) && tl_rao_eq(a->burned, b->burned) &&
           tl_rao_eq(a->redistributed, b->redistributed) && tl_rao_eq(a->deficit, b->deficit);
}

static bool sums_eq(const tl_escrow_book *a, const tl_escrow_book *b)
{
    return a->is_settled == b->is_settled && a->is_refunded == b->is_refunded &&
           a->locked_count == b->locked_count && a->returned_count == b->returned_count &&
           a->forfeited_count == b->forfeited_count && a->slashed_count == b->slashed_count &&
           tl_rao_eq(a->taken, b->taken) && tl_rao_eq(a->locked, b->locked) &&
           tl_rao_eq(a->returned, b->returned) && tl_rao_eq(a->burned, b->burned) &&
           tl_rao_eq(a->redistributed, b->redistributed) && tl_rao_eq(a->deficit, b->deficit);
}

/* Both ways: each account that moved has the replayed balance and ante, and none is missing. */
static tl_err compare_rows(const tl_ledger *again, const tl_ledger *ledger, tl_errctx *ctx)
{
    size_t live = 0;
    for (size_t i = 0; i < ledger->row_count; i++) {
        const tl__row *row = &ledger->rows[i];
        if (row->posting_count == 0 && tl_rao_is_zero(row->balance)) {
            continue;
        }
        live++;
        const tl_account account = {(tl_account_kind)row->kind, row->id};
        const tl_str epoch = row->epoch != 0 ? ledger->books[row->epoch - 1].epoch : TL_STR("");
        const uint32_t other = tl__row_find(again, account, tl__book_find(again, epoch));
        const tl__row *twin = other != 0 ? &again->rows[other - 1] : NULL;
        const bool same =
            twin != NULL && twin->posting_count == row->posting_count &&
            tl_rao_eq(twin->balance, row->balance) && (twin->ante != 0) == (row->ante != 0) &&
            (row->ante == 0 ||
             ante_eq(&ledger->antes[row->ante - 1].ante, &again->antes[twin->ante - 1].ante));
        if (!same) {
            return tl_fail(ctx, TL_ERR_CORRUPT,
                           "account \"%s\" (%.*s): the journal says otherwise than its balance",
                           tl_account_kind_name(account.kind), TL_STR_ARG(epoch));
        }
    }
    if (live != again->row_count) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "%zu accounts, the journal knows %zu", live,
                       again->row_count);
    }
    return TL_OK;
}

static tl_err compare_books(const tl_ledger *again, const tl_ledger *ledger, tl_errctx *ctx)
{
    for (size_t i = 0; i < ledger->book_count; i++) {
        const tl__book *book = &ledger->books[i];
        const uint32_t other = tl__book_find(again, book->epoch);
        const tl__book empty = {.epoch = book->epoch};
        const tl__book *twin = other != 0 ? &again->books[other - 1] : &empty;
        if (twin->causes != book->causes || !sums_eq(&twin->sums, &book->sums)) {
            return tl_fail(ctx, TL_ERR_CORRUPT,
                           "epoch \"%.*s\": the journal says otherwise than its books",
                           TL_STR_ARG(book->epoch));
        }
    }
    return TL_OK;
}

/* LED-2 and LED-6 from scratch, over the rows alone. */
static tl_err resum(const tl_ledger *ledger, tl_errctx *ctx)
{
    tl_i128 sum = 0;
    tl_i128 escrow = 0;
    tl_i128 locked = 0;
    for (size_t i = 0; i < ledger->row_count; i++) {
        const tl__row *row = &ledger->rows[i];
        sum += tl_rao_to_i64(row->balance);
        escrow += row->kind == TL_ACCOUNT_ESCROW ? tl_rao_to_i64(row->balance) : 0;
    }
    for (size_t i = 0; i < ledger->book_count; i++) {
        locked += tl_rao_to_i64(ledger->books[i].sums.locked);
    }
    if (sum != 0) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "the balances do not sum to the issuance");
    }
    if (escrow != locked) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "the escrow accounts do not hold the locked antes");
    }
    return TL_OK;
}

tl_err tl_ledger_verify(tl_ledger_report *out, const tl_ledger *ledger, tl_arena *scratch,
                        tl_errctx *ctx)
{
    tl_arena *inner;
    TL_TRY(tl_arena_new(&inner, scratch, 0, NULL, ctx));
    tl_ledger *again;
    tl_err err = tl_ledger_new(&again, inner, &ledger->options, ctx);
    if (err == TL_OK) {
        err = replay(again, ledger, scratch, ctx);
    }
    if (err == TL_OK) {
        err = compare_rows(again, ledger, ctx);
    }
    if (err == TL_OK) {
        err = compare_books(again, ledger, ctx);
    }
    if (err == TL_OK) {
        err = resum(ledger, ctx);
    }
    tl_arena_free(inner);
    if (err == TL_OK) {
        *out = (tl_ledger_report){.is_balanced = true,
                                  .entry_count = ledger->entry_count,
                                  .posting_count = ledger->posting_count,
                                  .issuance = tl_ledger_issuance(ledger),
                                  .head = tl_ledger_head(ledger)};
    }
    return err;
}
