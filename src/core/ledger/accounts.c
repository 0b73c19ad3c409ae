/* accounts.c: the kinds of account, and where the row of an account stands. */
#include "core/ledger/ledger.h"

#include <string.h>

#include "core/ledger/ledger_internal.h"

typedef struct kind_rule {
    const char *name;
    bool has_id;
    bool has_epoch;
    bool is_source;
} kind_rule;

static const kind_rule KINDS[] = {
#define ROW(name, number, text, has_id, has_epoch, is_source)                                      \
    [number] = {text, has_id, has_epoch, is_source},
    TL_ACCOUNT_MAP(ROW)
#undef ROW
};
#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

bool tl__kind_is(uint32_t kind)
{
    return kind < KIND_COUNT && KINDS[kind].name != NULL;
}

bool tl__kind_has_id(uint32_t kind)
{
    return KINDS[kind].has_id;
}

bool tl__kind_has_epoch(uint32_t kind)
{
    return KINDS[kind].has_epoch;
}

bool tl__kind_is_source(uint32_t kind)
{
    return KINDS[kind].is_source;
}

const char *tl_account_kind_name(tl_account_kind kind)
{
    return tl__kind_is(kind) ? KINDS[kind].name : "unknown";
}

tl_account tl_account_of(tl_account_kind kind)
{
    return (tl_account){.kind = kind};
}

tl_account tl_account_of_hotkey(tl_account_kind kind, const tl_hotkey *hotkey)
{
    tl_account account = {.kind = kind};
    memcpy(account.id.b, hotkey->b, sizeof(account.id.b));
    return account;
}

/* One generator, since the arrays differ in nothing but the type. What is outgrown stays in the
 * arena: all of it together is less than the array that replaced it. */
#define RESERVE_DEFINE(name, array, type)                                                          \
    tl_err tl__reserve_##name(tl_ledger *ledger, size_t count, tl_errctx *ctx)                     \
    {                                                                                              \
        if (count <= ledger->name##_cap) {                                                         \
            return TL_OK;                                                                          \
        }                                                                                          \
        const size_t doubled = ledger->name##_cap < 32 ? 64 : ledger->name##_cap * 2;              \
        const size_t cap = doubled < count ? count : doubled;                                      \
        type *grown = TL_NEW(ledger->arena, type, cap);                                            \
        if (grown == NULL) {                                                                       \
            return tl_arena_fail(ledger->arena, ctx);                                              \
        }                                                                                          \
        if (ledger->name##_cap != 0) {                                                             \
            memcpy(grown, ledger->array, ledger->name##_cap * sizeof(type));                       \
        }                                                                                          \
        ledger->array = grown;                                                                     \
        ledger->name##_cap = cap;                                                                  \
        return TL_OK;                                                                              \
    }
TL__ARRAY_MAP(RESERVE_DEFINE)
#undef RESERVE_DEFINE

/* Keys are chosen by strangers, hence the seed: who does not know it cannot make the index slow.
 * Each word is multiplied to 128 bits and folded. Nothing that leaves the room depends on it. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    const tl_u128 product = (tl_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t key_hash(const tl_ledger *ledger, uint32_t kind, uint32_t epoch,
                         const tl_hash32 *id)
{
    const uint64_t seed = ledger->options.index_seed ^ 0x9E3779B97F4A7C15u;
    uint64_t hash = fold(seed ^ ((uint64_t)kind << 32 | epoch), 0xBF58476D1CE4E5B9u);
    for (size_t i = 0; i < 4; i++) {
        uint64_t word;
        memcpy(&word, id->b + i * sizeof(word), sizeof(word));
        hash = fold(hash ^ word ^ seed, 0x94D049BB133111EBu);
    }
    return hash;
}

/* The slot of that account, or the free one where it would stand. index_cap is a power of two and
 * at least twice row_count, so the walk ends soon. */
static size_t slot_of(const tl_ledger *ledger, uint32_t kind, uint32_t epoch, const tl_hash32 *id)
{
    TL_ASSERT(ledger->row_count < ledger->index_cap);
    const size_t mask = ledger->index_cap - 1;
    size_t slot = (size_t)key_hash(ledger, kind, epoch, id) & mask;
    while (ledger->index[slot] != 0) {
        const tl__row *row = &ledger->rows[ledger->index[slot] - 1];
        if (row->kind == kind && row->epoch == epoch && memcmp(row->id.b, id->b, 32) == 0) {
            break;
        }
        slot = (slot + 1) & mask;
    }
    return slot;
}

uint32_t tl__row_find(const tl_ledger *ledger, tl_account account, uint32_t epoch)
{
    if (ledger->row_count == 0 || !tl__kind_is(account.kind)) {
        return 0;
    }
    const uint32_t of_epoch = KINDS[account.kind].has_epoch ? epoch : 0;
    return ledger->index[slot_of(ledger, account.kind, of_epoch, &account.id)];
}

static tl_err reserve_index(tl_ledger *ledger, tl_errctx *ctx)
{
    if ((ledger->row_count + 1) * 2 <= ledger->index_cap) {
        return TL_OK;
    }
    const size_t cap = ledger->index_cap == 0 ? 128 : ledger->index_cap * 2;
    uint32_t *index = TL_NEW(ledger->arena, uint32_t, cap);
    if (index == NULL) {
        return tl_arena_fail(ledger->arena, ctx);
    }
    ledger->index = index;
    ledger->index_cap = cap;
    for (size_t i = 0; i < ledger->row_count; i++) {
        const tl__row *row = &ledger->rows[i];
        index[slot_of(ledger, row->kind, row->epoch, &row->id)] = (uint32_t)i + 1;
    }
    return TL_OK;
}

tl_err tl__row_intern(uint32_t *out, tl_ledger *ledger, tl_account account, uint32_t epoch,
                      tl_errctx *ctx)
{
    const uint32_t found = tl__row_find(ledger, account, epoch);
    if (found != 0) {
        *out = found - 1;
        return TL_OK;
    }
    if (ledger->row_count >= TL_LEDGER_ACCOUNTS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %u accounts", TL_LEDGER_ACCOUNTS_MAX);
    }
    TL_TRY(tl__reserve_row(ledger, ledger->row_count + 1, ctx));
    TL_TRY(reserve_index(ledger, ctx));
    const uint32_t of_epoch = KINDS[account.kind].has_epoch ? epoch : 0;
    const size_t slot = slot_of(ledger, account.kind, of_epoch, &account.id);
    const uint32_t row = (uint32_t)ledger->row_count++;
    ledger->rows[row] = (tl__row){.kind = account.kind, .epoch = of_epoch, .id = account.id};
    ledger->index[slot] = row + 1;
    if (account.kind == TL_ACCOUNT_POOL) {
        ledger->books[epoch - 1].pool_row = row + 1;
    }
    *out = row;
    return TL_OK;
}

/* A walk from the back: epochs are few, and the newest is the one that is asked for. */
uint32_t tl__book_find(const tl_ledger *ledger, tl_str epoch)
{
    for (size_t i = ledger->book_count; i > 0; i--) {
        if (tl_str_eq(ledger->books[i - 1].epoch, epoch)) {
            return (uint32_t)i;
        }
    }
    return 0;
}

tl_err tl__book_intern(uint32_t *out, tl_ledger *ledger, tl_str epoch, tl_errctx *ctx)
{
    *out = tl__book_find(ledger, epoch);
    if (*out != 0 || epoch.len == 0) {
        return TL_OK;
    }
    TL_TRY(tl__reserve_book(ledger, ledger->book_count + 1, ctx));
    tl_str copy;
    TL_TRY(tl_str_copy(&copy, ledger->arena, epoch, ctx));
    ledger->books[ledger->book_count++] = (tl__book){.epoch = copy};
    *out = (uint32_t)ledger->book_count;
    return TL_OK;
}
