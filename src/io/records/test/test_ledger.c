/* Attacks results, standings, held pay, penalties, keys, the audit log and small values: twice, differently, under a lost
 * lease, behind our back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/records/test/fixture.h"

#include <pthread.h>

static void a_result_is_written_once(void **state)
{
    const tl_sql_world *world = *state; /* REC-3 */
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_AGREED);
    tl_record_result result = {.epoch_id = TL_TEST_EPOCH,
                               .status = TL_STR("PERFECT_CONSENSUS"),
                               .rate_millionths = 1000000,
                               .hash = TL_STR("abc"),
                               .document = {(const uint8_t *)"{\"w\":1}", 7},
                               .at_ms = 9};
    tl_record_result back;
    assert_int_equal(tl_records_get_result(records, &back, TL_TEST_EPOCH, world->arena, NULL),
                     TL_ERR_NOT_FOUND);
    tl_test_ok(tl_records_put_result(records, &result, NULL, ctx));
    tl_test_ok(tl_records_put_result(records, &result, NULL, ctx));
    result.document.len = 6;
    assert_int_equal(tl_records_put_result(records, &result, NULL, NULL), TL_ERR_DUPLICATE);
    const tl_record_lease lost = {TL_STR("leader"), TL_STR("me"), 3, 0};
    result.document.len = 7;
    assert_int_equal(tl_records_put_result(records, &result, &lost, NULL), TL_ERR_REFUSED);
    tl_test_ok(tl_records_get_result(records, &back, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(back.rate_millionths, 1000000);
    assert_int_equal(back.document.len, 7);
    assert_true(tl_str_eq_cstr(back.status, "PERFECT_CONSENSUS"));
    result.epoch_id = TL_STR("none");
    assert_int_equal(tl_records_put_result(records, &result, NULL, NULL), TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void put_standings(tl_records *records, tl_str epoch_id)
{
    tl_record_standing rows[7];
    for (uint32_t i = 0; i < 7; i++) {
        rows[i] = (tl_record_standing){.hotkey = tl_test_key(i),
                                       .uid = i,
                                       .wins = i,
                                       .score_millionths = 1000 * i,
                                       .paid = tl_rao_from_i64(i / 2 * 100),
                                       .listings = 10};
    }
    tl_test_ok(tl_records_put_standings(records, epoch_id, rows, 7, NULL, ctx));
}

static void the_leaderboard_takes_each_epoch_once(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SETTLED);
    const tl_record_epoch next = {.id = TL_STR("2030-01-01T04-00-00"), .start_ms = 1, .end_ms = 2};
    tl_test_ok(tl_records_create_epoch(records, &next, NULL, 0, NULL, ctx));
    put_standings(records, TL_TEST_EPOCH);
    put_standings(records, TL_TEST_EPOCH); /* settled twice, paid once */
    put_standings(records, next.id);
    const tl_record_leader *rows = NULL;
    size_t count = 0;
    const uint32_t order[] = {6, 4, 5, 2, 3, 0, 1}; /* by pay, then hotkey */
    const tl_record_leader *after = NULL;
    size_t seen = 0;
    do {
        tl_test_ok(tl_records_leaderboard(records, &rows, &count, after, 3, world->arena, ctx));
        for (size_t i = 0; i < count; i++, seen++) {
            assert_int_equal(rows[i].uid, order[seen]);
            assert_int_equal(tl_rao_to_i64(rows[i].paid), order[seen] / 2 * 200);
            assert_int_equal(rows[i].wins, 2 * order[seen]);
            assert_int_equal(rows[i].epochs, 2);
            assert_int_equal(rows[i].listings, 20);
            assert_true(tl_str_eq(rows[i].last_epoch, next.id));
            after = &rows[i];
        }
    } while (count == 3);
    assert_int_equal(seen, 7);
    const tl_record_standing *own = NULL;
    tl_test_ok(tl_records_standings(records, &own, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 7);
    assert_int_equal(own[6].score_millionths, 6000);
    const tl_record_standing debt = {.hotkey = tl_test_key(9), .paid = tl_rao_from_i64(-1)};
    assert_int_equal(tl_records_put_standings(records, next.id, &debt, 1, NULL, NULL),
                     TL_ERR_STATE);
    tl_records_close(records);
}

static void pay_is_held_and_released_once(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SETTLED);
    tl_record_held held = {.epoch_id = TL_TEST_EPOCH,
                           .zipcode = TL_STR("10001"),
                           .hotkey = tl_test_key(3),
                           .amount = tl_rao_from_i64(INT64_MAX),
                           .reason = TL_STR("no evidence"),
                           .at_ms = 4};
    tl_test_ok(tl_records_hold_pay(records, &held, NULL, ctx));
    tl_test_ok(tl_records_hold_pay(records, &held, NULL, ctx));
    held.amount = tl_rao_from_i64(5);
    assert_int_equal(tl_records_hold_pay(records, &held, NULL, NULL), TL_ERR_DUPLICATE);
    const tl_record_held *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_held_pay(records, &rows, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 1);
    assert_int_equal(tl_rao_to_i64(rows[0].amount), INT64_MAX);
    tl_test_ok(tl_records_held_pay(records, &rows, &count, TL_STR("2029"), world->arena, ctx));
    assert_int_equal(count, 0);
    assert_int_equal(tl_records_release_pay(records, &held, NULL, NULL), TL_ERR_MISSING);
    held.outcome = TL_STR("paid");
    held.released_ms = 8;
    tl_test_ok(tl_records_release_pay(records, &held, NULL, ctx));
    tl_test_ok(tl_records_release_pay(records, &held, NULL, ctx));
    held.outcome = TL_STR("burned");
    assert_int_equal(tl_records_release_pay(records, &held, NULL, NULL), TL_ERR_DUPLICATE);
    tl_test_ok(tl_records_held_pay(records, &rows, &count, TL_STR(""), world->arena, ctx));
    assert_int_equal(count, 0);
    held.zipcode = TL_STR("60601");
    assert_int_equal(tl_records_release_pay(records, &held, NULL, NULL), TL_ERR_NOT_FOUND);
    held.amount = TL_RAO_ZERO;
    assert_int_equal(tl_records_hold_pay(records, &held, NULL, NULL), TL_ERR_STATE);
    tl_records_close(records);
}

static void penalties_are_counted_by_kind_and_time(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SETTLED);
    tl_record_penalty p = {.epoch_id = TL_TEST_EPOCH,
                           .hotkey = tl_test_key(3),
                           .kind = TL_STR("outlier"),
                           .detail = TL_STR("evidence"),
                           .at_ms = 100};
    tl_test_ok(tl_records_put_penalty(records, &p, NULL, ctx));
    tl_test_ok(tl_records_put_penalty(records, &p, NULL, ctx));
    p.kind = TL_STR("absent");
    tl_test_ok(tl_records_put_penalty(records, &p, NULL, ctx));
    uint64_t count = 0;
    tl_test_ok(tl_records_count_penalties(records, &count, &p.hotkey, TL_STR("outlier"), 100, ctx));
    assert_int_equal(count, 1);
    tl_test_ok(tl_records_count_penalties(records, &count, &p.hotkey, TL_STR("outlier"), 101, ctx));
    assert_int_equal(count, 0);
    const tl_record_penalty *rows = NULL;
    size_t n = 0;
    tl_test_ok(tl_records_penalties(records, &rows, &n, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(n, 2);
    assert_true(tl_str_eq_cstr(rows[0].kind, "absent"));
    tl_records_close(records);
}

/* --- keys --- */

static tl_record_key key_of(const char *id, uint32_t number)
{
    return (tl_record_key){.id = tl_str_from_cstr(id),
                           .hash = tl_test_hash(number),
                           .scopes = TL_STR("read operate"),
                           .label = TL_STR("ops"),
                           .created_ms = 50,
                           .expires_ms = 900};
}

static void a_key_is_found_rotated_and_revoked(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_record_key key = key_of("k1", 1);
    tl_record_key back;
    tl_test_ok(tl_records_put_key(records, &key, ctx));
    assert_int_equal(tl_records_put_key(records, &key, NULL), TL_ERR_DUPLICATE);
    key = key_of("k2", 1); /* the same secret under another name */
    assert_int_equal(tl_records_put_key(records, &key, NULL), TL_ERR_DUPLICATE);
    const tl_hash32 hash = tl_test_hash(1);
    tl_test_ok(tl_records_find_key(records, &back, &hash, world->arena, ctx));
    assert_true(tl_str_eq_cstr(back.id, "k1"));
    assert_true(tl_str_eq_cstr(back.scopes, "read operate"));
    assert_int_equal(back.expires_ms, 900);
    assert_int_equal(back.revoked_ms, 0);
    key = key_of("k2", 2);
    key.replaces = TL_STR("k1");
    key.created_ms = 70;
    tl_test_ok(tl_records_put_key(records, &key, ctx));
    tl_test_ok(tl_records_get_key(records, &back, TL_STR("k1"), world->arena, ctx));
    assert_int_equal(back.revoked_ms, 70);
    key = key_of("k3", 3);
    key.replaces = TL_STR("k1");
    assert_int_equal(tl_records_put_key(records, &key, NULL), TL_ERR_STATE);
    key.replaces = TL_STR("k0");
    assert_int_equal(tl_records_put_key(records, &key, NULL), TL_ERR_NOT_FOUND);
    tl_test_ok(tl_records_revoke_key(records, TL_STR("k2"), 80, ctx));
    tl_test_ok(tl_records_revoke_key(records, TL_STR("k2"), 90, ctx));
    tl_test_ok(tl_records_get_key(records, &back, TL_STR("k2"), world->arena, ctx));
    assert_int_equal(back.revoked_ms, 80);
    assert_true(tl_str_eq_cstr(back.replaces, "k1"));
    assert_int_equal(tl_records_revoke_key(records, TL_STR("k9"), 90, NULL), TL_ERR_NOT_FOUND);
    const tl_record_key *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_keys(records, &rows, &count, TL_STR("k1"), 9, world->arena, ctx));
    assert_int_equal(count, 1);
    const tl_hash32 unknown = tl_test_hash(77);
    assert_int_equal(tl_records_find_key(records, &back, &unknown, world->arena, NULL),
                     TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

/* --- the audit log --- */

typedef struct scribe {
    const tl_sql_world *world;
    tl_err err;
} scribe;

static void *note_many(void *self)
{
    scribe *n = self;
    tl_records *records = NULL;
    n->err = tl_records_open(&records, &n->world->options, TL_RECORDS_USE, NULL);
    for (int i = 0; i < 15 && n->err == TL_OK; i++) {
        tl_record_act act = {.at_ms = i,
                             .actor = TL_STR("admin:1"),
                             .act = TL_STR("key.create"),
                             .subject = TL_STR("k"),
                             .detail = TL_STR("{}"),
                             .correlation = TL_STR("c")};
        n->err = tl_records_note(records, &act, NULL);
    }
    tl_records_close(records);
    return NULL;
}

static size_t verify(tl_records *records, const tl_sql_world *world, const tl_str **findings)
{
    size_t count = 99;
    tl_test_ok(tl_records_verify(records, findings, &count, world->arena, ctx));
    return count;
}

static void acts_are_chained_whoever_writes_them(void **state)
{
    const tl_sql_world *world = *state; /* REC-6 */
    tl_records *records = tl_test_records(world);
    pthread_t threads[4];
    scribe scribes[4];
    for (size_t i = 0; i < 4; i++) {
        scribes[i] = (scribe){world, TL_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, &scribes[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(scribes[i].err, TL_OK);
    }
    const tl_record_act *acts = NULL;
    const tl_str *findings = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_acts(records, &acts, &count, 0, 100, world->arena, ctx));
    assert_int_equal(count, 60);
    for (size_t i = 1; i < count; i++) {
        assert_int_equal(acts[i].serial, i + 1);
        assert_memory_equal(acts[i].previous.b, acts[i - 1].hash.b, 32);
    }
    tl_test_ok(tl_records_acts(records, &acts, &count, 58, 100, world->arena, ctx));
    assert_int_equal(count, 2);
    assert_int_equal(verify(records, world, &findings), 0);
    tl_records_close(records);
}

static void an_act_that_was_bent_is_found(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_sql *sql = tl_records_sql(records);
    for (int i = 0; i < 5; i++) {
        tl_record_act act = {.at_ms = i, .act = TL_STR("a"), .detail = TL_STR("{}")};
        tl_test_ok(tl_records_note(records, &act, ctx));
        assert_int_equal(act.serial, i + 1);
    }
    assert_int_equal(tl_sql_exec(sql, "UPDATE audit SET actor = 'nobody' WHERE serial = 3", NULL),
                     TL_ERR_STATE); /* by us, never */
    assert_int_equal(tl_sql_exec(sql, "DELETE FROM audit WHERE serial = 3", NULL), TL_ERR_STATE);
    tl_sql_world_exec(sql, world->kind == TL_SQL_SQLITE
                               ? "DROP TRIGGER audit_stays; DROP TRIGGER audit_remains"
                               : "DROP TRIGGER audit_stays ON audit");
    tl_sql_world_exec(sql,
                      "UPDATE audit SET actor = 'nobody' WHERE serial = 3"); /* by a stranger */
    const tl_str *findings = NULL;
    assert_int_equal(verify(records, world, &findings), 1);
    assert_true(tl_str_eq_cstr(findings[0], "the hash does not fit audit act 3"));
    tl_sql_world_exec(sql, "DELETE FROM audit WHERE serial = 3");
    assert_int_equal(verify(records, world, &findings), 2);
    assert_true(tl_str_eq_cstr(findings[0], "the audit log has a gap before act 4"));
    tl_sql_world_exec(sql, "DELETE FROM audit WHERE serial > 2");
    assert_int_equal(verify(records, world, &findings), 1);
    assert_true(tl_str_eq_cstr(findings[0], "the audit log's head does not fit its last act, 2"));
    tl_records_close(records);
}

static void counts_that_do_not_agree_are_found(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    const tl_record_submission sub = tl_test_submission(1, 5);
    tl_record_receipt receipt;
    tl_test_ok(tl_records_keep(records, &receipt, &sub, 1, ctx));
    put_standings(records, TL_TEST_EPOCH);
    tl_test_move(records, world->arena, TL_EPOCH_REVEAL, 0, 0);
    const tl_str *findings = NULL;
    assert_int_equal(verify(records, world, &findings), 0);
    tl_sql_world_exec(
        tl_records_sql(records),
        "UPDATE miner_submissions SET listings_scraped = 1;"
        "UPDATE leaderboard SET paid_rao = paid_rao + 1 WHERE uid = 4;"
        "UPDATE epochs SET state = 'settled', extended_ms = 5, deadline_ms = end_ms + 5");
    assert_int_equal(verify(records, world, &findings), 4);
    assert_true(
        tl_str_eq_cstr(findings[1], "hotkeys whose leaderboard does not fit their standings: 1"));
    tl_records_close(records);
}

static void small_values_are_replaced(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_bytes back = {NULL, 0};
    assert_int_equal(tl_records_get_value(records, &back, TL_STR("v"), world->arena, NULL),
                     TL_ERR_NOT_FOUND);
    tl_test_ok(tl_records_put_value(records, TL_STR("v"), (tl_bytes){(const uint8_t *)"a\0b", 3},
                                    NULL, ctx));
    tl_test_ok(tl_records_put_value(records, TL_STR("v"), (tl_bytes){NULL, 0}, NULL, ctx));
    tl_test_ok(tl_records_get_value(records, &back, TL_STR("v"), world->arena, ctx));
    assert_int_equal(back.len, 0);
    tl_records_close(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_ON_BOTH(a_result_is_written_once),
        TL_ON_BOTH(the_leaderboard_takes_each_epoch_once),
        TL_ON_BOTH(pay_is_held_and_released_once),
        TL_ON_BOTH(penalties_are_counted_by_kind_and_time),
        TL_ON_BOTH(a_key_is_found_rotated_and_revoked),
        TL_ON_BOTH(acts_are_chained_whoever_writes_them),
        TL_ON_BOTH(an_act_that_was_bent_is_found),
        TL_ON_BOTH(counts_that_do_not_agree_are_found),
        TL_ON_BOTH(small_values_are_replaced),
    };
    return cmocka_run_group_tests_name("records_ledger", tests, tl_sql_worlds_start,
                                       tl_sql_worlds_stop);
}
