/* Attacks what validators say: twice, differently, too early, too late, in another round, without a commitment, with what
 * does not open it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "io/records/test/fixture.h"

static tl_hash32 sha256_of(const char *text)
{
    tl_hash32 hash;
    tl_sha256(&hash, text, strlen(text));
    return hash;
}

/* --- contributions --- */

static tl_err join(tl_records *records, uint32_t number, const char *secret, int64_t at_ms)
{
    const tl_hotkey key = tl_test_key(number);
    const tl_hash32 commit = sha256_of(secret);
    return tl_records_join(records, TL_TEST_EPOCH, &key, &commit, at_ms, NULL);
}

static tl_err reveal(tl_records *records, uint32_t number, const char *secret, int64_t at_ms)
{
    const tl_hotkey key = tl_test_key(number);
    return tl_records_reveal_secret(records, TL_TEST_EPOCH, &key, tl_str_from_cstr(secret), at_ms,
                                    NULL);
}

static void one_joins_once_and_before_the_deadline(void **state)
{
    const tl_sql_world *world = *state; /* REC-3 */
    tl_records *records = tl_test_records(world);
    assert_int_equal(join(records, 1, "s", 0), TL_ERR_NOT_FOUND);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    assert_int_equal(join(records, 2, "two", TL_TEST_END - 1), TL_OK);
    assert_int_equal(join(records, 1, "one", TL_TEST_START), TL_OK);
    assert_int_equal(join(records, 1, "one", TL_TEST_START + 9), TL_OK);
    assert_int_equal(join(records, 1, "other", TL_TEST_START + 9), TL_ERR_DUPLICATE);
    assert_int_equal(join(records, 3, "three", TL_TEST_END), TL_ERR_STATE);
    assert_int_equal(join(records, 2, "two", TL_TEST_END), TL_OK); /* again, though it is over */
    const tl_record_contribution *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_contributions(records, &rows, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 2);
    const tl_hotkey first = tl_test_key(1);
    assert_memory_equal(rows[0].hotkey.b, first.b, 32); /* by the bytes of hotkeys */
    assert_int_equal(rows[0].committed_ms, TL_TEST_START);
    assert_int_equal(rows[0].secret.len, 0);
    tl_records_close(records);
}

static void a_secret_opens_its_commitment_or_is_refused(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    for (uint32_t i = 1; i < 5; i++) {
        assert_int_equal(join(records, i, "secret", TL_TEST_START), TL_OK);
    }
    assert_int_equal(reveal(records, 1, "secret", TL_TEST_END - 1), TL_ERR_STATE); /* too early */
    assert_int_equal(reveal(records, 1, "secret", TL_TEST_END),
                     TL_OK); /* before the leader saw it */
    tl_test_move(records, world->arena, TL_EPOCH_REVEAL, 0, 0);
    assert_int_equal(reveal(records, 2, "secrets", TL_TEST_END), TL_ERR_CHECK);
    assert_int_equal(reveal(records, 2, "", TL_TEST_END), TL_ERR_CHECK);
    assert_int_equal(reveal(records, 9, "secret", TL_TEST_END), TL_ERR_NOT_FOUND);
    assert_int_equal(reveal(records, 2, "secret", TL_TEST_END + 3), TL_OK);
    assert_int_equal(reveal(records, 2, "secret", TL_TEST_END + 4), TL_OK);
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 0, 1);
    assert_int_equal(reveal(records, 3, "secret", TL_TEST_END),
                     TL_ERR_STATE); /* the beacon stands */
    assert_int_equal(reveal(records, 2, "secret", TL_TEST_END + 5), TL_OK);
    const tl_record_contribution *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_contributions(records, &rows, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 4);
    assert_true(tl_str_eq_cstr(rows[1].secret, "secret"));
    assert_int_equal(rows[1].revealed_ms, TL_TEST_END + 3);
    assert_int_equal(rows[2].secret.len, 0);
    tl_records_close(records);
}

/* --- evidence --- */

static tl_err testify(tl_records *records, uint32_t number, uint32_t round, const char *body)
{
    const tl_record_evidence e = {.hotkey = tl_test_key(number),
                                  .stake = tl_rao_from_i64(500),
                                  .body = tl_str_bytes(tl_str_from_cstr(body)),
                                  .received_ms = TL_TEST_END + 10};
    return tl_records_put_evidence(records, TL_TEST_EPOCH, round, &e, NULL);
}

static void evidence_comes_in_its_window(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    assert_int_equal(testify(records, 1, 0, "{}"), TL_ERR_STATE);
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 0, 1);
    assert_int_equal(testify(records, 1, 0, "{}"), TL_OK);
    assert_int_equal(testify(records, 1, 0, "{}"), TL_OK);
    assert_int_equal(testify(records, 1, 0, "{ }"), TL_ERR_DUPLICATE); /* REC-3 */
    assert_int_equal(testify(records, 2, 1, "{}"), TL_ERR_STATE);      /* another round */
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 0, 2);
    assert_int_equal(testify(records, 2, 0, "{}"), TL_ERR_STATE); /* closed */
    assert_int_equal(testify(records, 1, 0, "{}"), TL_OK);
    tl_test_move(records, world->arena, TL_EPOCH_EXTENDED, 1, 1);
    assert_int_equal(testify(records, 1, 1, "again"), TL_OK);
    assert_int_equal(testify(records, 2, 1, "late"), TL_OK);
    const tl_record_evidence *rows = NULL;
    size_t count = 0;
    tl_test_ok(
        tl_records_evidence(records, &rows, &count, TL_TEST_EPOCH, 0, true, world->arena, ctx));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].body.len, 2);
    assert_int_equal(tl_rao_to_i64(rows[0].stake), 500);
    const tl_hash32 hash = sha256_of("{}");
    assert_memory_equal(rows[0].sha256.b, hash.b, 32);
    tl_test_ok(
        tl_records_evidence(records, &rows, &count, TL_TEST_EPOCH, 1, false, world->arena, ctx));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].body.len, 0);
    tl_records_close(records);
}

/* --- ballots --- */

static tl_record_ballot ballot_of(uint32_t number, const char *salt, const char *body)
{
    tl_record_ballot b = {.hotkey = tl_test_key(number),
                          .stake = tl_rao_from_i64(7),
                          .hash = tl_test_hash(42),
                          .salt = tl_str_from_cstr(salt),
                          .evidence_root = tl_test_hash(1),
                          .score_root = tl_test_hash(2),
                          .weight_root = tl_test_hash(3),
                          .body = tl_str_bytes(tl_str_from_cstr(body)),
                          .committed_ms = 5,
                          .revealed_ms = 6};
    char text[256];
    tl_hex_write(text, b.hash.b, 32);
    tl_str_print(text + 64, sizeof text - 64, ":%s", salt);
    b.commit = sha256_of(text);
    return b;
}

static tl_err commit_to(tl_records *records, uint32_t round, const tl_record_ballot *b)
{
    return tl_records_commit_ballot(records, TL_TEST_EPOCH, round, b, NULL);
}

static tl_err open_ballot(tl_records *records, uint32_t round, const tl_record_ballot *b)
{
    return tl_records_reveal_ballot(records, TL_TEST_EPOCH, round, b, NULL);
}

static void no_result_is_shown_before_all_have_committed(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    const tl_record_ballot one = ballot_of(1, "salt", "{1}");
    tl_record_ballot two = ballot_of(2, "pepper", "{2}");
    const tl_record_ballot three = ballot_of(3, "x", "{3}");
    assert_int_equal(commit_to(records, 0, &one), TL_ERR_STATE);
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 0, 2);
    assert_int_equal(commit_to(records, 0, &one), TL_OK);
    assert_int_equal(commit_to(records, 0, &one), TL_OK);
    assert_int_equal(commit_to(records, 0, &two), TL_OK);
    assert_int_equal(open_ballot(records, 0, &one), TL_ERR_STATE); /* others may still commit */
    const tl_record_ballot changed = ballot_of(1, "other", "{1}");
    assert_int_equal(commit_to(records, 0, &changed), TL_ERR_DUPLICATE);
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 0, 3);
    assert_int_equal(commit_to(records, 0, &three), TL_ERR_STATE);
    assert_int_equal(open_ballot(records, 0, &three), TL_ERR_NOT_FOUND);
    assert_int_equal(open_ballot(records, 0, &changed), TL_ERR_CHECK);
    assert_int_equal(open_ballot(records, 0, &one), TL_OK);
    assert_int_equal(open_ballot(records, 0, &one), TL_OK);
    const tl_record_ballot other_body = ballot_of(1, "salt", "{9}");
    assert_int_equal(open_ballot(records, 0, &other_body), TL_ERR_DUPLICATE);
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 0, 4);
    assert_int_equal(open_ballot(records, 0, &two), TL_ERR_STATE);
    assert_int_equal(open_ballot(records, 0, &one), TL_OK);
    const tl_record_ballot *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_ballots(records, &rows, &count, TL_TEST_EPOCH, 0, world->arena, ctx));
    assert_int_equal(count, 2);
    assert_true(rows[0].is_revealed);
    assert_true(tl_str_eq_cstr(rows[0].salt, "salt"));
    assert_memory_equal(rows[0].weight_root.b, one.weight_root.b, 32);
    assert_int_equal(rows[0].body.len, 3);
    assert_false(rows[1].is_revealed);
    assert_memory_equal(rows[1].commit.b, two.commit.b, 32);
    tl_records_close(records);
}

static void a_second_round_begins_with_nothing(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_OPEN);
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 0, 2);
    const tl_record_ballot one = ballot_of(1, "salt", "{1}");
    assert_int_equal(commit_to(records, 0, &one), TL_OK);
    tl_test_move(records, world->arena, TL_EPOCH_SCORING, 1, 2);
    const tl_record_ballot again = ballot_of(1, "new", "{1}");
    assert_int_equal(commit_to(records, 0, &again), TL_ERR_DUPLICATE);
    assert_int_equal(commit_to(records, 1, &again), TL_OK);
    const tl_record_ballot *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_ballots(records, &rows, &count, TL_TEST_EPOCH, 1, world->arena, ctx));
    assert_int_equal(count, 1);
    tl_records_close(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_ON_BOTH(one_joins_once_and_before_the_deadline),
        TL_ON_BOTH(a_secret_opens_its_commitment_or_is_refused),
        TL_ON_BOTH(evidence_comes_in_its_window),
        TL_ON_BOTH(no_result_is_shown_before_all_have_committed),
        TL_ON_BOTH(a_second_round_begins_with_nothing),
    };
    return cmocka_run_group_tests_name("records_votes", tests, tl_sql_worlds_start,
                                       tl_sql_worlds_stop);
}
