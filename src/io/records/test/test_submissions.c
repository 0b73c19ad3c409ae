/* Attacks submissions: twice, late, of no epoch, raced by several processes, in groups, with writers killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/records/test/fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static tl_record_receipt keep(tl_records *records, const tl_record_submission *sub)
{
    tl_record_receipt receipt;
    tl_test_ok(tl_records_keep(records, &receipt, sub, 1, ctx));
    return receipt;
}

static void the_first_that_comes_in_time_counts(void **state)
{
    const tl_sql_world *world = *state; /* REC-2 */
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_submission sub = tl_test_submission(7, 1000);
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT);
    sub.content_hash = tl_test_hash(8); /* another, later */
    sub.received_ms += 500;
    const tl_record_receipt receipt = keep(records, &sub);
    assert_int_equal(receipt.kept, TL_RECORD_KEPT_BEFORE);
    assert_int_equal(receipt.received_ms, TL_TEST_END - 1000);
    const tl_hash32 first = tl_test_hash(7);
    assert_memory_equal(receipt.content_hash.b, first.b, 32);
    tl_record_submission back;
    const tl_hotkey key = tl_test_key(7);
    tl_test_ok(tl_records_submission(records, &back, TL_TEST_EPOCH, &key, world->arena, ctx));
    assert_memory_equal(back.content_hash.b, first.b, 32);
    assert_int_equal(back.uid, 7);
    assert_int_equal(back.metadata.len, 7);
    assert_true(tl_str_eq_cstr(back.correlation, "c-1"));
    assert_int_equal(back.object_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(back.objects[i].bytes, 1000 + i);
        assert_int_equal(back.objects[i].rows, 50 + i);
    }
    const tl_hotkey nobody = tl_test_key(8);
    assert_int_equal(
        tl_records_submission(records, &back, TL_TEST_EPOCH, &nobody, world->arena, NULL),
        TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void what_comes_late_is_not_kept(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_submission sub = tl_test_submission(1, 0); /* at the deadline */
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_TOO_LATE);
    sub = tl_test_submission(2, 1);
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT);
    tl_test_move(records, world->arena, TL_EPOCH_REVEAL, 0, 0);
    tl_record_submission copying =
        tl_test_submission(3, 1); /* received in time, its copies took a while */
    assert_int_equal(keep(records, &copying).kept, TL_RECORD_KEPT);
    tl_test_move(records, world->arena, TL_EPOCH_REVEAL, 0, 1);
    copying = tl_test_submission(4, 1); /* the beacon is known */
    assert_int_equal(keep(records, &copying).kept, TL_RECORD_TOO_LATE);
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT_BEFORE); /* asked again, told again */
    sub.epoch_id = TL_STR("none");
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_NO_EPOCH);
    uint64_t count = 0;
    tl_test_ok(tl_records_submission_count(records, &count, TL_TEST_EPOCH, ctx));
    assert_int_equal(count, 2);
    tl_records_close(records);
}

static void a_group_is_one_transaction_with_a_receipt_each(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_submission subs[40];
    tl_record_receipt receipts[40];
    for (uint32_t i = 0; i < 40; i++) {
        subs[i] = tl_test_submission(i / 2, i == 6 ? 0 : 100 + i);
    }
    subs[38].epoch_id = TL_STR("none");
    subs[39].object_count = 0;
    tl_test_ok(tl_records_keep(records, receipts, subs, 40, ctx));
    assert_int_equal(receipts[0].kept, TL_RECORD_KEPT);
    assert_int_equal(receipts[1].kept, TL_RECORD_KEPT_BEFORE);
    assert_int_equal(receipts[6].kept, TL_RECORD_TOO_LATE);
    assert_int_equal(receipts[7].kept, TL_RECORD_KEPT);
    assert_int_equal(receipts[38].kept, TL_RECORD_NO_EPOCH);
    assert_int_equal(receipts[39].kept, TL_RECORD_KEPT);
    uint64_t count = 0;
    tl_test_ok(tl_records_submission_count(records, &count, TL_TEST_EPOCH, ctx));
    assert_int_equal(count, 20);
    subs[0] = tl_test_submission(100, 5);
    subs[1] = tl_test_submission(101, 5);
    subs[1].correlation = TL_STR("\xff"); /* one that cannot be written: none is */
    assert_int_equal(tl_records_keep(records, receipts, subs, 2, NULL), TL_ERR_ENCODING);
    tl_test_ok(tl_records_submission_count(records, &count, TL_TEST_EPOCH, ctx));
    assert_int_equal(count, 20);
    tl_records_close(records);
}

static void lists_carry_their_objects(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    for (uint32_t i = 0; i < 10;
         i++) { /* later ones were received earlier; 4 has 40 objects, 5 none */
        tl_record_submission sub = tl_test_submission(i, 100 + 10 * (i / 2));
        tl_record_object many[40];
        for (size_t k = 0; k < 40; k++) {
            many[k] = sub.objects[k % 3];
            many[k].bytes = k;
        }
        sub.objects = i == 4 ? many : sub.objects;
        sub.object_count = i == 4 ? 40 : i == 5 ? 0 : 3;
        assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT);
    }
    const tl_record_submission *rows = NULL;
    size_t count = 0;
    uint64_t after = 0;
    size_t seen = 0;
    do {
        tl_test_ok(tl_records_submissions(records, &rows, &count, TL_TEST_EPOCH, after, 3,
                                          world->arena, ctx));
        for (size_t i = 0; i < count; i++, seen++) {
            assert_int_equal(rows[i].uid, seen);
            assert_int_equal(rows[i].object_count, seen == 4 ? 40 : seen == 5 ? 0 : 3);
            assert_true(rows[i].object_count == 0 ||
                        rows[i].objects[rows[i].object_count - 1].bytes == (seen == 4 ? 39 : 1002));
            after = rows[i].serial;
        }
    } while (count == 3);
    assert_int_equal(seen, 10);
    tl_test_ok(tl_records_entries(records, &rows, &count, TL_TEST_EPOCH, TL_STR("10001"),
                                  world->arena, ctx));
    assert_int_equal(count, 9);
    const uint32_t order[] = {8, 9, 6, 7, 4, 2, 3, 0, 1}; /* by receipt, then hotkey */
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(rows[i].uid, order[i]);
        assert_int_equal(rows[i].object_count, order[i] == 4 ? 27 : 2);
        assert_true(tl_str_eq_cstr(rows[i].objects[1].zipcode, "10001"));
    }
    tl_test_ok(tl_records_entries(records, &rows, &count, TL_TEST_EPOCH, TL_STR("94105"),
                                  world->arena, ctx));
    assert_int_equal(count, 0);
    tl_records_close(records);
}

static void zips_are_the_sums_of_objects(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_record_submission sub = tl_test_submission(3, 10);
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT);
    tl_record_object greedy[2] = {sub.objects[0], sub.objects[0]};
    greedy[0].rows = UINT32_MAX;
    sub = tl_test_submission(4, 10);
    sub.objects = greedy;
    sub.object_count = 2;
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT);
    const tl_record_zip *zips = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_zips(records, &zips, &count, TL_TEST_EPOCH, NULL, world->arena, ctx));
    assert_int_equal(count, 3);
    assert_int_equal(zips[0].listings, 102);
    assert_int_equal(zips[1].listings, 51);
    assert_int_equal(zips[2].listings, UINT32_MAX);
    assert_int_equal(zips[0].validation, TL_RECORD_VALIDATION_PENDING);
    tl_record_zip judged[2] = {zips[0], zips[1]};
    judged[0].validation = TL_RECORD_VALIDATION_VALIDATED;
    judged[0].score_millionths = 912345;
    judged[1].validation = TL_RECORD_VALIDATION_FAILED;
    tl_test_ok(tl_records_set_zips(records, TL_TEST_EPOCH, judged, 2, ctx));
    const tl_hotkey key = tl_test_key(3);
    tl_test_ok(tl_records_zips(records, &zips, &count, TL_TEST_EPOCH, &key, world->arena, ctx));
    assert_int_equal(count, 2);
    assert_int_equal(zips[0].score_millionths, 912345);
    assert_int_equal(zips[1].validation, TL_RECORD_VALIDATION_FAILED);
    judged[1].zipcode = TL_STR("94105");
    assert_int_equal(tl_records_set_zips(records, TL_TEST_EPOCH, judged, 2, NULL),
                     TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void a_kept_submission_never_changes(void **state)
{
    const tl_sql_world *world = *state; /* REC-1 */
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    const tl_record_submission sub = tl_test_submission(3, 10);
    assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT);
    assert_int_equal(tl_sql_exec(tl_records_sql(records), "UPDATE submissions SET uid = 9", NULL),
                     TL_ERR_STATE);
    tl_records_close(records);
}

static void what_is_archived_may_be_forgotten(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    for (uint32_t i = 0; i < 4; i++) {
        const tl_record_submission sub = tl_test_submission(i, 10);
        assert_int_equal(keep(records, &sub).kept, TL_RECORD_KEPT);
    }
    uint64_t forgotten = 99;
    tl_test_move(records, world->arena, TL_EPOCH_SETTLED, 0, 4);
    assert_int_equal(tl_records_forget_submissions(records, &forgotten, TL_TEST_EPOCH, NULL, NULL),
                     TL_ERR_STATE);
    tl_test_move(records, world->arena, TL_EPOCH_ARCHIVED, 0, 4);
    const tl_record_lease lost = {TL_STR("leader"), TL_STR("me"), 1, 0};
    assert_int_equal(tl_records_forget_submissions(records, &forgotten, TL_TEST_EPOCH, &lost, NULL),
                     TL_ERR_REFUSED);
    tl_test_ok(tl_records_forget_submissions(records, &forgotten, TL_TEST_EPOCH, NULL, ctx));
    assert_int_equal(forgotten, 4);
    tl_test_ok(tl_records_forget_submissions(records, &forgotten, TL_TEST_EPOCH, NULL, ctx));
    assert_int_equal(forgotten, 0);
    const tl_str *findings = NULL;
    size_t count = 99;
    tl_test_ok(tl_records_verify(records, &findings, &count, world->arena, ctx));
    assert_int_equal(count, 0);
    tl_records_close(records);
}

/* --- races --- */

typedef struct racer {
    const tl_sql_world *world;
    uint32_t number; /* of this racer */
    unsigned kept;
    unsigned before;
    tl_err err;
} racer;

enum { RACERS = 5, HOTKEYS = 12 };

static void *race(void *self)
{
    racer *r = self;
    tl_records *records = NULL;
    r->err = tl_records_open(&records, &r->world->options, TL_RECORDS_USE, NULL);
    for (uint32_t i = 0; i < HOTKEYS && r->err == TL_OK; i++) {
        const tl_record_object object = {TL_STR("k"), TL_STR("10001"), {{0}}, 5, 5};
        const tl_record_submission sub = {.epoch_id = TL_TEST_EPOCH,
                                          .hotkey = tl_test_key(i),
                                          .content_hash = tl_test_hash(r->number),
                                          .received_ms = TL_TEST_START + r->number,
                                          .objects = &object,
                                          .object_count = 1};
        tl_record_receipt receipt;
        r->err = tl_records_keep(records, &receipt, &sub, 1, NULL);
        r->kept += r->err == TL_OK && receipt.kept == TL_RECORD_KEPT;
        r->before += r->err == TL_OK && receipt.kept == TL_RECORD_KEPT_BEFORE;
    }
    tl_records_close(records);
    return NULL;
}

static void of_those_who_race_one_is_kept(void **state)
{
    tl_records *records = tl_test_records(*state);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    pthread_t threads[RACERS];
    racer racers[RACERS];
    unsigned kept = 0;
    unsigned before = 0;
    for (uint32_t i = 0; i < RACERS; i++) {
        racers[i] = (racer){*state, i, 0, 0, TL_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (uint32_t i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(racers[i].err, TL_OK);
        kept += racers[i].kept;
        before += racers[i].before;
    }
    assert_int_equal(kept, HOTKEYS); /* REC-2 */
    assert_int_equal(before, (RACERS - 1) * HOTKEYS);
    tl_records_close(records);
}

static void keep_until_killed(const tl_sql_world *world, uint32_t from, int to)
{
    tl_records *records = NULL;
    if (tl_records_open(&records, &world->options, TL_RECORDS_USE, NULL) != TL_OK) {
        _exit(9);
    }
    for (uint32_t i = from;; i++) {
        const tl_record_submission sub = tl_test_submission(i, 5);
        tl_record_receipt receipt;
        if (tl_records_keep(records, &receipt, &sub, 1, NULL) != TL_OK ||
            receipt.kept != TL_RECORD_KEPT || write(to, &i, sizeof i) != sizeof i) {
            _exit(8);
        }
    }
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    const tl_sql_world *world = *state; /* REC-1 */
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    for (uint32_t turn = 1; turn <= 4; turn++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            keep_until_killed(world, turn * 100000, ends[1]);
        }
        (void)close(ends[1]);
        uint32_t said = 0;
        assert_int_equal(read(ends[0], &said, sizeof said), sizeof said);
        tl_sql_world_sleep(5 + 11 * turn);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        do {
            tl_record_submission back;
            const tl_hotkey key = tl_test_key(said);
            tl_test_ok(
                tl_records_submission(records, &back, TL_TEST_EPOCH, &key, world->arena, ctx));
            assert_int_equal(back.object_count, 3);
        } while (read(ends[0], &said, sizeof said) == sizeof said);
        (void)close(ends[0]);
    }
    const tl_str *findings = NULL;
    size_t count = 99;
    tl_test_ok(tl_records_verify(records, &findings, &count, world->arena, ctx));
    assert_int_equal(count, 0);
    tl_records_close(records);
}

/* --- statuses --- */

static tl_err tell(tl_records *records, tl_record_status_word word, uint32_t listings)
{
    const tl_record_status status = {.epoch_id = TL_TEST_EPOCH,
                                     .hotkey = tl_test_key(1),
                                     .word = word,
                                     .listings = listings,
                                     .updated_ms = 5,
                                     .zipcodes = {(const uint8_t *)"[]", 2}};
    return tl_records_put_status(records, &status, NULL);
}

static void a_status_goes_forward_only(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    const tl_hotkey key = tl_test_key(1);
    tl_record_status now;
    assert_int_equal(tl_records_get_status(records, &now, TL_TEST_EPOCH, &key, world->arena, NULL),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tell(records, TL_RECORD_STATUS_IN_PROGRESS, 1), TL_OK);
    assert_int_equal(tell(records, TL_RECORD_STATUS_IN_PROGRESS, 2), TL_OK);
    assert_int_equal(tell(records, TL_RECORD_STATUS_COMPLETED, 3), TL_OK);
    assert_int_equal(tell(records, TL_RECORD_STATUS_COMPLETED, 4), TL_OK); /* a repeat */
    assert_int_equal(tell(records, TL_RECORD_STATUS_IN_PROGRESS, 5), TL_ERR_STATE);
    assert_int_equal(tell(records, TL_RECORD_STATUS_FAILED, 6), TL_ERR_STATE);
    tl_test_ok(tl_records_get_status(records, &now, TL_TEST_EPOCH, &key, world->arena, ctx));
    assert_int_equal(now.word, TL_RECORD_STATUS_COMPLETED);
    assert_int_equal(now.listings, 3);
    assert_int_equal(now.zipcodes.len, 2);
    uint64_t counts[TL_RECORD_STATUS_COUNT];
    tl_test_ok(tl_records_count_statuses(records, counts, TL_TEST_EPOCH, ctx));
    assert_int_equal(counts[TL_RECORD_STATUS_COMPLETED], 1);
    assert_int_equal(counts[TL_RECORD_STATUS_IN_PROGRESS], 0);
    tl_record_status lost = now;
    lost.epoch_id = TL_STR("none");
    assert_int_equal(tl_records_put_status(records, &lost, NULL), TL_ERR_NOT_FOUND);
    tl_record_status_word word;
    assert_true(tl_record_status_parse(&word, TL_STR("TIMEOUT")));
    assert_int_equal(word, TL_RECORD_STATUS_TIMEOUT);
    assert_false(tl_record_status_parse(&word, TL_STR("timeout")));
    assert_string_equal(tl_record_status_text(TL_RECORD_STATUS_IN_PROGRESS), "IN_PROGRESS");
    tl_records_close(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_ON_BOTH(the_first_that_comes_in_time_counts),
        TL_ON_BOTH(what_comes_late_is_not_kept),
        TL_ON_BOTH(a_group_is_one_transaction_with_a_receipt_each),
        TL_ON_BOTH(lists_carry_their_objects),
        TL_ON_BOTH(zips_are_the_sums_of_objects),
        TL_ON_BOTH(a_kept_submission_never_changes),
        TL_ON_BOTH(what_is_archived_may_be_forgotten),
        TL_ON_BOTH(of_those_who_race_one_is_kept),
        TL_ON_BOTH(what_was_acknowledged_survives_kill_9),
        TL_ON_BOTH(a_status_goes_forward_only),
    };
    return cmocka_run_group_tests_name("records_submissions", tests, tl_sql_worlds_start,
                                       tl_sql_worlds_stop);
}
