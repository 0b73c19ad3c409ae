/* Attacks rows that are kept twice, transactions that fail half way, serials with gaps, and two writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/store/store.h"
#include "io/store/test/fixture.h"

static void a_submission_is_kept_once_and_read_back_whole(void **state)
{
    tl_test_store *f = *state;
    tl_store_submission sub = tl_test_submission(1, "body");
    tl_store_receipt receipt = {0, false};
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_true(receipt.serial == 1 && receipt.is_new);
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_true(receipt.serial == 1 && !receipt.is_new); /* STORE-2 */
    sub = tl_test_submission(2, "");
    sub.has_commitment = false;
    sub.is_accepted = false;
    sub.code = TL_STR("E007");
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_true(receipt.serial == 2 && receipt.is_new); /* STORE-4 */
    tl_test_reopen(f, TL_STORE_READ);
    const tl_store_submission *rows = NULL;
    size_t count = 0;
    assert_int_equal(tl_store_submissions(f->store, &rows, &count, TL_STR("e7"), f->arena, NULL),
                     TL_OK);
    assert_int_equal(count, 2);
    const tl_store_submission want = tl_test_submission(1, "body");
    assert_true(rows[0].serial == 1 && tl_str_eq(rows[0].epoch_id, TL_STR("e7")) &&
                rows[0].height == want.height);
    assert_true(rows[0].is_accepted && rows[0].code.len == 0 && rows[0].has_commitment);
    assert_memory_equal(&rows[0].key, &want.key, sizeof want.key);
    assert_memory_equal(&rows[0].hotkey, &want.hotkey, sizeof want.hotkey);
    assert_memory_equal(&rows[0].commitment, &want.commitment, sizeof want.commitment);
    assert_int_equal(tl_bytes_cmp(rows[0].body, want.body), 0);
    assert_true(!rows[1].is_accepted && !rows[1].has_commitment && rows[1].body.len == 0);
    assert_true(tl_str_eq(rows[1].code, TL_STR("E007")));
    assert_int_equal(tl_store_submissions(f->store, &rows, &count, TL_STR("e8"), f->arena, NULL),
                     TL_OK);
    assert_int_equal(count, 0);
}

static void one_key_with_two_bodies_is_refused(void **state)
{
    tl_test_store *f = *state;
    tl_store_submission sub = tl_test_submission(1, "one");
    tl_store_receipt receipt = {0, false};
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    sub = tl_test_submission(1, "two");
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, &why), TL_ERR_DUPLICATE);
    sub = tl_test_submission(3, "x");
    sub.height = UINT64_MAX;
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, &why), TL_ERR_RANGE);
    sub = tl_test_submission(3, "x");
    sub.body.len = TL_STORE_BODY_MAX + 1;
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, &why), TL_ERR_LIMIT);
    uint64_t count = 0;
    assert_int_equal(tl_store_submission_count(f->store, &count, NULL), TL_OK);
    assert_true(count == 1);
}

static void receipts_belong_to_submissions_and_stay(void **state)
{
    tl_test_store *f = *state;
    const tl_store_submission sub = tl_test_submission(1, "one");
    tl_store_receipt receipt = {0, false};
    tl_bytes bytes = {NULL, 0};
    const tl_bytes ack = tl_str_bytes(TL_STR("ack"));
    assert_int_equal(tl_store_put_receipt(f->store, 1, ack, NULL), TL_ERR_NOT_FOUND);
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_int_equal(tl_store_get_receipt(f->store, &bytes, 1, f->arena, NULL), TL_ERR_NOT_FOUND);
    assert_int_equal(tl_store_put_receipt(f->store, 1, ack, NULL), TL_OK);
    assert_int_equal(tl_store_put_receipt(f->store, 1, ack, NULL), TL_OK);
    assert_int_equal(tl_store_put_receipt(f->store, 1, tl_str_bytes(TL_STR("nak")), NULL),
                     TL_ERR_DUPLICATE);
    assert_int_equal(tl_store_get_receipt(f->store, &bytes, 1, f->arena, NULL), TL_OK);
    assert_int_equal(tl_bytes_cmp(bytes, ack), 0);
}

static void epochs_are_replaced_and_transitions_added(void **state)
{
    tl_test_store *f = *state;
    tl_store_epoch epoch = {.id = TL_STR("e9"), .state = TL_STR("open"), .opened_height = 100};
    tl_store_transition step = {TL_STR("e9"), TL_STR("pending"), TL_STR("open"), TL_STR("height"),
                                100};
    assert_int_equal(tl_store_put_transition(f->store, &step, NULL), TL_ERR_NOT_FOUND);
    assert_int_equal(tl_store_put_epoch(f->store, &epoch, NULL), TL_OK);
    assert_int_equal(tl_store_put_transition(f->store, &step, NULL), TL_OK);
    step =
        (tl_store_transition){TL_STR("e9"), TL_STR("open"), TL_STR("settled"), TL_STR("all"), 200};
    assert_int_equal(tl_store_put_transition(f->store, &step, NULL), TL_OK);
    epoch.state = TL_STR("settled");
    epoch.is_settled = true;
    epoch.settled_height = 200;
    epoch.has_bundle = true;
    epoch.bundle_path = TL_STR("epochs/9.bundle");
    epoch.bundle_digest.b[31] = 1;
    assert_int_equal(tl_store_put_epoch(f->store, &epoch, NULL), TL_OK);
    const tl_store_epoch *list = NULL;
    const tl_store_transition *steps = NULL;
    tl_store_epoch one = {0};
    size_t count = 0;
    assert_int_equal(tl_store_epochs(f->store, &list, &count, f->arena, NULL), TL_OK);
    assert_true(count == 1 && list[0].is_settled && list[0].settled_height == 200);
    assert_true(tl_str_eq(list[0].bundle_path, epoch.bundle_path));
    assert_memory_equal(&list[0].bundle_digest, &epoch.bundle_digest, sizeof epoch.bundle_digest);
    assert_int_equal(tl_store_transitions(f->store, &steps, &count, TL_STR("e9"), f->arena, NULL),
                     TL_OK);
    assert_true(count == 2 && steps[1].height == 200 && tl_str_eq(steps[1].to, TL_STR("settled")));
    assert_int_equal(tl_store_get_epoch(f->store, &one, TL_STR("e9"), f->arena, NULL), TL_OK);
    assert_true(tl_str_eq(one.state, TL_STR("settled")));
    assert_int_equal(tl_store_get_epoch(f->store, &one, TL_STR("e10"), f->arena, NULL),
                     TL_ERR_NOT_FOUND);
}

typedef struct seen {
    uint64_t next;
    uint64_t stop_at;
} seen;

static tl_err see_entry(void *self, const tl_store_entry *entry, tl_errctx *ctx)
{
    seen *s = self;
    assert_true(entry->serial == s->next++);
    assert_true(entry->body.len == 1 && entry->body.ptr[0] == (uint8_t)entry->serial);
    assert_true(entry->hash.b[0] == (uint8_t)entry->serial);
    return entry->serial == s->stop_at ? tl_fail(ctx, TL_ERR_CHECK, "enough") : TL_OK;
}

static void ledger_entries_come_in_order_without_gaps(void **state)
{
    tl_test_store *f = *state;
    tl_errctx why = TL_ERRCTX_INIT;
    for (uint64_t i = 0; i < 5; i++) {
        const uint8_t body = (uint8_t)i;
        tl_store_entry entry = {.serial = i, .body = {&body, 1}};
        entry.hash.b[0] = (uint8_t)i;
        assert_int_equal(tl_store_append_entry(f->store, &entry, NULL), TL_OK);
        assert_int_equal(tl_store_append_entry(f->store, &entry, &why), TL_ERR_STATE); /* STORE-4 */
        entry.serial = i + 2;
        assert_int_equal(tl_store_append_entry(f->store, &entry, &why), TL_ERR_STATE);
    }
    uint64_t count = 0;
    assert_int_equal(tl_store_entry_count(f->store, &count, NULL), TL_OK);
    assert_true(count == 5);
    seen s = {2, UINT64_MAX};
    assert_int_equal(tl_store_each_entry(f->store, 2, see_entry, &s, NULL), TL_OK);
    assert_true(s.next == 5);
    s = (seen){0, 1};
    assert_int_equal(tl_store_each_entry(f->store, 0, see_entry, &s, &why), TL_ERR_CHECK);
    assert_string_equal(why.message, "enough");
    assert_true(s.next == 2);
}

static void a_failed_step_fails_the_transaction(void **state)
{
    tl_test_store *f = *state;
    tl_errctx why = TL_ERRCTX_INIT;
    tl_store_receipt receipt = {0, false};
    const tl_store_submission sub = tl_test_submission(1, "one");
    const tl_store_transition orphan = {TL_STR("e99"), TL_STR("a"), TL_STR("b"), TL_STR("c"), 1};
    assert_int_equal(tl_store_begin(f->store, NULL), TL_OK);
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_int_equal(tl_store_put_transition(f->store, &orphan, NULL), TL_ERR_NOT_FOUND);
    assert_int_equal(tl_store_put_value(f->store, TL_STR("k"), sub.body, NULL), TL_OK);
    assert_int_equal(tl_store_commit(f->store, &why), TL_ERR_NOT_FOUND); /* STORE-3 */
    assert_non_null(strstr(why.message, "epoch e99"));
    uint64_t count = 7;
    tl_bytes value = {NULL, 0};
    assert_int_equal(tl_store_submission_count(f->store, &count, NULL), TL_OK);
    assert_true(count == 0);
    assert_int_equal(tl_store_get_value(f->store, &value, TL_STR("k"), f->arena, NULL),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_store_begin(f->store, NULL), TL_OK);
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_int_equal(tl_store_put_value(f->store, TL_STR("k"), sub.body, NULL), TL_OK);
    assert_int_equal(tl_store_commit(f->store, NULL), TL_OK);
    assert_int_equal(tl_store_get_value(f->store, &value, TL_STR("k"), f->arena, NULL), TL_OK);
    assert_int_equal(tl_bytes_cmp(value, sub.body), 0);
    assert_int_equal(tl_store_begin(f->store, NULL), TL_OK);
    assert_int_equal(tl_store_put_value(f->store, TL_STR("k"), (tl_bytes){NULL, 0}, NULL), TL_OK);
    tl_test_reopen(f, TL_STORE_READ); /* closed without a commit */
    assert_int_equal(tl_store_get_value(f->store, &value, TL_STR("k"), f->arena, NULL), TL_OK);
    assert_true(value.len == 3);
}

static int write_elsewhere(const char *dir)
{
    tl_store *store = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = tl_store_open(&store, dir, TL_STORE_WRITE, &why);
    (void)tl_store_close(store, NULL);
    return tl_err_exit(err);
}

static int read_elsewhere(const char *dir)
{
    tl_store *store = NULL;
    uint64_t count = 0;
    tl_err err = tl_store_open(&store, dir, TL_STORE_READ, NULL);
    if (err == TL_OK) {
        err = tl_store_submission_count(store, &count, NULL);
    }
    const tl_store_submission sub = tl_test_submission(5, "x");
    tl_store_receipt receipt = {0, false};
    const tl_err refused = err == TL_OK ? tl_store_keep(store, &receipt, &sub, NULL) : err;
    (void)tl_store_close(store, NULL);
    return err != TL_OK ? 99 : refused == TL_ERR_REFUSED ? (int)count : 98;
}

static int status_of_child(int (*body)(const char *dir), const char *dir)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(body(dir));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void one_process_writes_and_others_read(void **state)
{
    tl_test_store *f = *state;
    tl_store_receipt receipt = {0, false};
    const tl_store_submission sub = tl_test_submission(1, "one");
    assert_int_equal(tl_store_keep(f->store, &receipt, &sub, NULL), TL_OK);
    assert_int_equal(status_of_child(write_elsewhere, f->dir), 5); /* TL_ERR_LOCKED */
    assert_int_equal(status_of_child(read_elsewhere, f->dir), 1);
    tl_test_reopen(f, TL_STORE_READ);
    assert_int_equal(status_of_child(write_elsewhere, f->dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_STORE_TEST(a_submission_is_kept_once_and_read_back_whole),
        TL_STORE_TEST(one_key_with_two_bodies_is_refused),
        TL_STORE_TEST(receipts_belong_to_submissions_and_stay),
        TL_STORE_TEST(epochs_are_replaced_and_transitions_added),
        TL_STORE_TEST(ledger_entries_come_in_order_without_gaps),
        TL_STORE_TEST(a_failed_step_fails_the_transaction),
        TL_STORE_TEST(one_process_writes_and_others_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
