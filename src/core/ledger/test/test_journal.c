/* Attacks the journal: entries that do not balance, money from nowhere, kinds and causes that do
 * not fit, amounts at the edge, journals that were changed, bytes that are no entry. */
#include "world.h"

#include "core/crypto/hash/hash.h"
#include "core/ledger/ledger_internal.h"

static tl_err post(tl_ledger *ledger, tl_cause cause, tl_str epoch, const tl_posting *postings,
                   size_t count)
{
    return tl_ledger_post(ledger,
                          &(tl_transaction){.cause = cause,
                                            .epoch = epoch,
                                            .text = TL_STR("test"),
                                            .height = 5,
                                            .postings = postings,
                                            .count = count},
                          NULL);
}

#define POST(ledger, cause, ...)                                                                   \
    post((ledger), (cause), TL_STR("2024-M01"), (const tl_posting[]){__VA_ARGS__},                 \
         sizeof((const tl_posting[]){__VA_ARGS__}) / sizeof(tl_posting))

static void an_empty_ledger_holds_nothing(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = new_ledger(arena);
    assert_int_equal(tl_ledger_count(ledger), 0);
    assert_int_equal(balance_of(ledger, miner_of(1), TL_STR("")), 0);
    assert_int_equal(tl_rao_to_i64(tl_ledger_issuance(ledger)), 0);
    const tl_hash32 zero = {{0}};
    const tl_hash32 head = tl_ledger_head(ledger);
    assert_memory_equal(&head, &zero, 32);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void issuance_is_what_everyone_holds(void **state)
{
    (void)state; /* LED-2 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = new_ledger(arena);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), TAO(30), 1, TL_STR("genesis"), NULL),
                     TL_OK);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(2), TAO(12), 1, TL_STR("genesis"), NULL),
                     TL_OK);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(1), TAO(-10)},
                          {tl_account_of(TL_ACCOUNT_OWNER), TAO(7)},
                          {tl_account_of(TL_ACCOUNT_BURN), TAO(3)}),
                     TL_OK);
    assert_int_equal(tl_rao_to_i64(tl_ledger_issuance(ledger)), 42 * TL_RAO_PER_TAO);
    assert_int_equal(balance_of(ledger, miner_of(1), TL_STR("")), 20 * TL_RAO_PER_TAO);
    const tl_ledger_line *lines;
    size_t count;
    assert_int_equal(tl_ledger_balances(&lines, &count, ledger, arena, NULL), TL_OK);
    assert_int_equal(count, 5);
    int64_t others = 0;
    for (size_t i = 0; i < count; i++) {
        others +=
            lines[i].account.kind != TL_ACCOUNT_ISSUANCE ? tl_rao_to_i64(lines[i].balance) : 0;
        assert_true(i == 0 || lines[i - 1].account.kind < lines[i].account.kind ||
                    memcmp(&lines[i - 1].account.id, &lines[i].account.id, 32) < 0);
    }
    assert_int_equal(others, 42 * TL_RAO_PER_TAO);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void an_unbalanced_entry_is_refused(void **state)
{
    (void)state; /* LED-1 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 2, 100);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), RAO(-5)}, {miner_of(1), RAO(6)}),
                     TL_ERR_RANGE);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), RAO(-5)}), TL_ERR_RANGE);
    /* a sum that wraps to zero in 64 bits does not in 128 */
    assert_int_equal(POST(ledger, TL_CAUSE_ISSUE,
                          {tl_account_of(TL_ACCOUNT_ISSUANCE), RAO(-TL_LEDGER_AMOUNT_MAX)},
                          {tl_account_of(TL_ACCOUNT_ISSUANCE), RAO(-TL_LEDGER_AMOUNT_MAX)},
                          {tl_account_of(TL_ACCOUNT_ISSUANCE), RAO(-TL_LEDGER_AMOUNT_MAX)},
                          {tl_account_of(TL_ACCOUNT_ISSUANCE), RAO(-TL_LEDGER_AMOUNT_MAX)}),
                     TL_ERR_RANGE);
    assert_int_equal(tl_ledger_count(ledger), 2);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void nobody_spends_what_he_lacks(void **state)
{
    (void)state; /* LED-5 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 2, 100);
    const tl_hash32 head = tl_ledger_head(ledger);
    assert_int_equal(
        POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), TAO(-101)}, {miner_of(1), TAO(101)}),
        TL_ERR_FUNDS);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(9), TAO(-1)}, {miner_of(1), TAO(1)}),
                     TL_ERR_FUNDS);
    assert_int_equal(tl_ledger_withdraw(ledger, miner_of(0), TAO(101), 1, TL_STR("withdraw"), NULL),
                     TL_ERR_FUNDS);
    /* in and out within one entry counts as a whole */
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(9), TAO(-1)}, {miner_of(9), TAO(2)},
                          {miner_of(0), TAO(-1)}),
                     TL_OK);
    assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 99 * TL_RAO_PER_TAO);
    const tl_hash32 after = tl_ledger_entry_at(ledger, 2).previous;
    assert_memory_equal(&after, &head, 32);
    assert_int_equal(tl_ledger_withdraw(ledger, miner_of(0), TAO(99), 1, TL_STR("w"), NULL), TL_OK);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void kinds_move_by_their_causes_only(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 2, 100);
    const tl_account issuance = tl_account_of(TL_ACCOUNT_ISSUANCE);
    const tl_account burn = tl_account_of(TL_ACCOUNT_BURN);
    const tl_account pool = tl_account_of(TL_ACCOUNT_POOL);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {issuance, TAO(-1)}, {miner_of(0), TAO(1)}),
                     TL_ERR_RANGE);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), TAO(-1)}, {burn, TAO(1)}),
                     TL_OK);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {burn, TAO(-1)}, {miner_of(0), TAO(1)}),
                     TL_ERR_RANGE);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), TAO(-1)}, {pool, TAO(1)}),
                     TL_ERR_RANGE);
    assert_int_equal(
        POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), TAO(-10)}, {escrow_of(0), TAO(10)}),
        TL_ERR_RANGE);
    assert_int_equal(POST(ledger, TL_CAUSE_RAKE, {miner_of(0), TAO(-1)},
                          {tl_account_of(TL_ACCOUNT_TREASURY), TAO(1)}),
                     TL_ERR_RANGE);
    /* shapes */
    tl_account strange = burn;
    strange.id.b[3] = 1;
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), TAO(-1)}, {strange, TAO(1)}),
                     TL_ERR_RANGE);
    strange.kind = (tl_account_kind)99;
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), TAO(-1)}, {strange, TAO(1)}),
                     TL_ERR_RANGE);
    strange.kind = (tl_account_kind)0;
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), TAO(-1)}, {strange, TAO(1)}),
                     TL_ERR_RANGE);
    assert_int_equal(POST(ledger, (tl_cause)77, {miner_of(0), TAO(-1)}, {miner_of(1), TAO(1)}),
                     TL_ERR_RANGE);
    assert_int_equal(POST(ledger, TL_CAUSE_TRANSFER, {miner_of(0), RAO(0)}, {miner_of(1), RAO(0)}),
                     TL_ERR_RANGE);
    assert_int_equal(POST(ledger, TL_CAUSE_SETTLED, {miner_of(0), TAO(-1)}, {miner_of(1), TAO(1)}),
                     TL_ERR_RANGE);
    assert_int_equal(post(ledger, TL_CAUSE_TRANSFER, TL_STR(""), NULL, 0), TL_ERR_RANGE);
    assert_int_equal(post(ledger, TL_CAUSE_SETTLED, TL_STR(""), NULL, 0), TL_ERR_MISSING);
    assert_string_equal(tl_account_kind_name((tl_account_kind)99), "unknown");
    assert_string_equal(tl_account_kind_name(TL_ACCOUNT_POOL), "pool");
    assert_string_equal(tl_cause_name((tl_cause)0), "unknown");
    assert_string_equal(tl_cause_name(TL_CAUSE_ANTE_LOCK), "ante_lock");
    assert_verifies(ledger);
    tl_arena_free(arena);
}

static void texts_and_amounts_have_limits(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = new_ledger(arena);
    char text[TL_LEDGER_TEXT_LEN_MAX + 1];
    memset(text, 'x', sizeof(text));
    const tl_str too_long = {text, sizeof(text)};
    const tl_str longest = {text, sizeof(text) - 1};
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(1), 1, too_long, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(1), 1, longest, NULL), TL_OK);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(1), 1, TL_STR("\xff"), NULL),
                     TL_ERR_RANGE);
    const tl_str epoch_long = {text, TL_LEDGER_EPOCH_LEN_MAX + 1};
    assert_int_equal(post(ledger, TL_CAUSE_SETTLED, epoch_long, NULL, 0), TL_ERR_RANGE);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(0), 1, TL_STR(""), NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(-1), 1, TL_STR(""), NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(INT64_MAX), 1, TL_STR(""), NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(INT64_MIN), 1, TL_STR(""), NULL),
                     TL_ERR_RANGE);
    /* issuance ends at its bound, and nothing has moved after the refusal */
    assert_int_equal(
        tl_ledger_issue(ledger, miner_of(1), RAO(TL_LEDGER_AMOUNT_MAX), 1, TL_STR(""), NULL),
        TL_ERR_OVERFLOW);
    assert_int_equal(
        tl_ledger_issue(ledger, miner_of(1), RAO(TL_LEDGER_AMOUNT_MAX - 1), 1, TL_STR(""), NULL),
        TL_OK);
    assert_int_equal(tl_rao_to_i64(tl_ledger_issuance(ledger)), TL_LEDGER_AMOUNT_MAX);
    assert_int_equal(tl_ledger_deposit(ledger, miner_of(1), RAO(1), 1, TL_STR(""), NULL),
                     TL_ERR_OVERFLOW);
    const tl_ledger_options negative = {.ante_min = RAO(-1)};
    tl_ledger *other;
    assert_int_equal(tl_ledger_new(&other, arena, &negative, NULL), TL_ERR_RANGE);
    assert_verifies(ledger);
    tl_arena_free(arena);
}

/* The hash, computed here from the layout that the header promises. */
static void the_hash_covers_the_canonical_bytes(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = new_ledger(arena);
    assert_int_equal(tl_ledger_issue(ledger, miner_of(1), RAO(258), 7, TL_STR("hi"), NULL), TL_OK);
    uint8_t want[200];
    size_t at = 0;
#define PUT(bytes, len) (memcpy(want + at, (bytes), (len)), at += (len))
    PUT("\x14\0\0\0tally/ledger/entry/1", 24);
    PUT("\0\0\0\0\0\0\0\0", 8);
    memset(want + at, 0, 32);
    at += 32;
    PUT("\x07\0\0\0\0\0\0\0", 8);
    PUT("\0\0\0\0", 4);
    PUT("\x02", 1);
    PUT("\x02\0\0\0hi", 6);
    PUT("\x02\0\0\0", 4);
    PUT("\x01\xfe\xfe\xff\xff\xff\xff\xff\xff", 9);
    PUT("\x07", 1);
    const tl_hotkey key = key_of(1);
    PUT(key.b, 32);
    PUT("\x02\x01\0\0\0\0\0\0", 8);
#undef PUT
    tl_bytes bytes;
    assert_int_equal(tl_ledger_encode(&bytes, ledger, 0, arena, NULL), TL_OK);
    assert_int_equal(bytes.len, at);
    assert_memory_equal(bytes.ptr, want, at);
    tl_hash32 hash;
    tl_sha256(&hash, want, at);
    const tl_hash32 head = tl_ledger_head(ledger);
    assert_memory_equal(&hash, &head, 32);
    tl_arena_free(arena);
}

/* Some of everything: five entries with and without epoch. */
static tl_ledger *sample(tl_arena *arena)
{
    tl_ledger *ledger = funded_ledger(arena, 2, 100);
    const tl_hotkey key = key_of(0);
    assert_int_equal(tl_escrow_lock(ledger, NULL, TL_STR("2024-M01"), &key, TAO(11), 3, NULL),
                     TL_OK);
    assert_int_equal(
        tl_ledger_issue(ledger, tl_account_of(TL_ACCOUNT_OWNER), RAO(5), 4, TL_STR("owner"), NULL),
        TL_OK);
    assert_int_equal(tl_escrow_refund(ledger, TL_STR("2024-M01"), 9, TL_STR("failed"), NULL),
                     TL_OK);
    return ledger;
}

static void a_stored_journal_comes_back_whole(void **state)
{
    (void)state; /* LED-3 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = sample(arena);
    tl_ledger *again = new_ledger(arena);
    for (uint64_t i = 0; i < tl_ledger_count(ledger); i++) {
        tl_bytes bytes;
        assert_int_equal(tl_ledger_encode(&bytes, ledger, i, arena, NULL), TL_OK);
        const tl_hash32 hash = tl_ledger_entry_at(ledger, i).hash;
        assert_int_equal(tl_ledger_load(again, bytes, i % 2 != 0 ? &hash : NULL, NULL), TL_OK);
        /* and not twice */
        assert_int_equal(tl_ledger_load(again, bytes, &hash, NULL), TL_ERR_CORRUPT);
    }
    const tl_hash32 a = tl_ledger_head(ledger);
    const tl_hash32 b = tl_ledger_head(again);
    assert_memory_equal(&a, &b, 32);
    assert_int_equal(tl_ledger_posting_total(again), tl_ledger_posting_total(ledger));
    const tl_posting p = tl_ledger_posting_at(again, 2, 1);
    assert_int_equal(p.account.kind, TL_ACCOUNT_ESCROW);
    assert_int_equal(tl_rao_to_i64(p.amount), 11 * TL_RAO_PER_TAO);
    const tl_ledger_entry entry = tl_ledger_entry_at(again, 2);
    assert_true(tl_str_eq_cstr(entry.epoch, "2024-M01"));
    assert_int_equal(entry.height, 3);
    assert_verifies(again);
    tl_arena_free(arena);
}

static void every_flipped_byte_of_a_stored_entry_is_noticed(void **state)
{
    (void)state; /* LED-3 */
    tl_arena *arena = new_arena();
    tl_ledger *ledger = sample(arena);
    size_t flips = 0;
    for (uint64_t victim = 0; victim < tl_ledger_count(ledger); victim++) {
        const tl_hash32 hash = tl_ledger_entry_at(ledger, victim).hash;
        tl_bytes bytes;
        assert_int_equal(tl_ledger_encode(&bytes, ledger, victim, arena, NULL), TL_OK);
        for (size_t at = 0; at < bytes.len; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                const tl_arena_mark mark = tl_arena_get_mark(arena);
                tl_ledger *again = new_ledger(arena);
                for (uint64_t i = 0; i < victim; i++) {
                    tl_bytes before;
                    assert_int_equal(tl_ledger_encode(&before, ledger, i, arena, NULL), TL_OK);
                    assert_int_equal(tl_ledger_load(again, before, NULL, NULL), TL_OK);
                }
                uint8_t copy[400];
                memcpy(copy, bytes.ptr, bytes.len);
                copy[at] ^= (uint8_t)(1u << bit);
                const tl_bytes changed = {copy, bytes.len};
                assert_int_equal(tl_ledger_load(again, changed, &hash, NULL), TL_ERR_CORRUPT);
                assert_int_equal(tl_ledger_count(again), victim);
                /* Whoever changes the hash as well cannot change the one that follows it. */
                if (tl_ledger_load(again, changed, NULL, NULL) == TL_OK) {
                    const tl_hash32 head = tl_ledger_head(again);
                    assert_memory_not_equal(&head, &hash, 32);
                }
                tl_arena_rewind(arena, mark);
                flips++;
            }
        }
        for (size_t len = 0; len < bytes.len; len++) {
            tl_ledger *again = new_ledger(arena);
            assert_int_equal(tl_ledger_load(again, (tl_bytes){bytes.ptr, len}, NULL, NULL),
                             TL_ERR_CORRUPT);
        }
    }
    assert_true(flips > 4000);
    tl_arena_free(arena);
}

/* In memory: whatever is changed behind the ledger's back, verify names it. */
static void verify_finds_what_was_changed_in_memory(void **state)
{
    (void)state; /* LED-2 LED-3 LED-6 */
    for (unsigned what = 0; what < 14; what++) {
        tl_arena *arena = new_arena();
        tl_ledger *ledger = sample(arena);
        switch (what) {
        case 0:
            ledger->entries[1].height++;
            break;
        case 1:
            ledger->entries[2].hash.b[31] ^= 1;
            break;
        case 2:
            ledger->postings[1].amount = RAO(1);
            break;
        case 3: /* balanced, but not what was hashed */
            ledger->postings[0].amount = TAO(-99);
            ledger->postings[1].amount = TAO(99);
            break;
        case 4:
            ledger->rows[1].balance = TAO(1000);
            break;
        case 5:
            ledger->rows[1].id.b[0] ^= 1;
            break;
        case 6:
            ledger->antes[0].ante.state = TL_ANTE_FORFEITED;
            break;
        case 7:
            ledger->antes[0].ante.returned = RAO(1);
            break;
        case 8:
            ledger->books[0].causes = 0;
            break;
        case 9:
            ledger->books[0].sums.returned_count++;
            break;
        case 10:
            ledger->entries[0].text = TL_STR("another");
            break;
        case 11:
            ledger->entries[2].epoch = 0;
            break;
        case 12: /* the last one: no later hash covers it, its own does */
            ledger->entries[ledger->entry_count - 1].height ^= 1;
            break;
        case 13:
            ledger->books[0].sums.locked = RAO(1);
            break;
        default:
            fail();
        }
        tl_arena *scratch = new_arena();
        tl_ledger_report report;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_ledger_verify(&report, ledger, scratch, &ctx), TL_ERR_CORRUPT);
        assert_true(ctx.message[0] != 0);
        tl_arena_free(scratch);
        tl_arena_free(arena);
    }
}

static void what_was_never_durable_can_be_dropped(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = funded_ledger(arena, 2, 100);
    tl_ledger_seal(ledger);
    const tl_hash32 sealed = tl_ledger_head(ledger);
    const tl_hotkey key = key_of(0);
    const tl_str epoch = TL_STR("2024-M01");
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(tl_escrow_lock(ledger, NULL, epoch, &key, TAO(11), 3, NULL), TL_OK);
        assert_int_equal(tl_escrow_refund(ledger, epoch, 4, TL_STR("failed"), NULL), TL_OK);
        tl_ledger_drop_unsealed(ledger);
        const tl_hash32 head = tl_ledger_head(ledger);
        assert_memory_equal(&head, &sealed, 32);
        assert_int_equal(tl_ledger_count(ledger), 2);
        assert_int_equal(tl_ledger_posting_total(ledger), 4);
        assert_int_equal(balance_of(ledger, miner_of(0), TL_STR("")), 100 * TL_RAO_PER_TAO);
        assert_int_equal(tl_escrow_get(ledger, epoch, &key).state, TL_ANTE_NONE);
        assert_false(tl_escrow_book_of(ledger, epoch).is_refunded);
        assert_verifies(ledger);
        const tl_ledger_line *lines;
        size_t count;
        assert_int_equal(tl_ledger_balances(&lines, &count, ledger, arena, NULL), TL_OK);
        assert_int_equal(count, 3);
    }
    tl_arena_free(arena);
}

/* The index's seed changes where accounts stand in memory and nothing else. */
static void the_index_seed_changes_no_result(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_hash32 head[2];
    for (unsigned round = 0; round < 2; round++) {
        const tl_ledger_options options = {.index_seed = round * 0x1234567890abcdefu};
        tl_ledger *ledger;
        assert_int_equal(tl_ledger_new(&ledger, arena, &options, NULL), TL_OK);
        for (uint32_t i = 0; i < 5000; i++) {
            assert_int_equal(tl_ledger_issue(ledger, miner_of(i * 7919u % 5000u), RAO(i + 1), i,
                                             TL_STR(""), NULL),
                             TL_OK);
        }
        head[round] = tl_ledger_head(ledger);
        const tl_ledger_line *lines;
        size_t count;
        assert_int_equal(tl_ledger_balances(&lines, &count, ledger, arena, NULL), TL_OK);
        assert_int_equal(count, 5001);
        for (size_t i = 2; i < count; i++) {
            assert_true(memcmp(&lines[i - 1].account.id, &lines[i].account.id, 32) < 0);
        }
        assert_verifies(ledger);
    }
    assert_memory_equal(&head[0], &head[1], 32);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ledger_holds_nothing),
        cmocka_unit_test(issuance_is_what_everyone_holds),
        cmocka_unit_test(an_unbalanced_entry_is_refused),
        cmocka_unit_test(nobody_spends_what_he_lacks),
        cmocka_unit_test(kinds_move_by_their_causes_only),
        cmocka_unit_test(texts_and_amounts_have_limits),
        cmocka_unit_test(the_hash_covers_the_canonical_bytes),
        cmocka_unit_test(a_stored_journal_comes_back_whole),
        cmocka_unit_test(every_flipped_byte_of_a_stored_entry_is_noticed),
        cmocka_unit_test(verify_finds_what_was_changed_in_memory),
        cmocka_unit_test(what_was_never_durable_can_be_dropped),
        cmocka_unit_test(the_index_seed_changes_no_result),
    };
    return cmocka_run_group_tests_name("ledger journal", tests, NULL, NULL);
}
