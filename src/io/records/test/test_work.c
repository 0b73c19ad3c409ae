/* Attacks leases, shards and counters: two leaders whose clocks step, many workers that claim at once and die, results
 * that differ, limits raced from all sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/records/test/fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- leases --- */

typedef struct seat {
    tl_record_lease lease;
    bool is_ours;
} seat;

static seat take(tl_records *records, const tl_sql_world *world, const char *holder, int64_t now_ms)
{
    seat s = {.is_ours = false};
    tl_test_ok(tl_records_take_lease(records, &s.lease, &s.is_ours, TL_STR("leader"),
                                     tl_str_from_cstr(holder), now_ms, 1000, world->arena, ctx));
    return s;
}

static void a_lease_has_one_holder(void **state)
{
    const tl_sql_world *world = *state; /* REC-4 */
    tl_records *records = tl_test_records(world);
    const seat a = take(records, world, "a", 5000);
    assert_true(a.is_ours);
    assert_int_equal(a.lease.token, 1);
    assert_int_equal(a.lease.until_ms, 6000);
    const seat b = take(records, world, "b", 5999);
    assert_false(b.is_ours);
    assert_true(tl_str_eq_cstr(b.lease.holder, "a"));
    const seat renewed = take(records, world, "a", 5500);
    assert_true(renewed.is_ours);
    assert_int_equal(renewed.lease.token, 1);
    const seat taken = take(records, world, "b", 6500);
    assert_true(taken.is_ours);
    assert_int_equal(taken.lease.token, 2);
    const seat back = take(records, world, "a", 7500);
    assert_int_equal(back.lease.token, 3);
    const seat lapsed =
        take(records, world, "a", 9000); /* nobody took it, and yet it was nobody's */
    assert_int_equal(lapsed.lease.token, 4);
    tl_test_ok(
        tl_records_drop_lease(records, &back.lease, ctx)); /* not the newest: nothing happens */
    assert_false(take(records, world, "b", 9001).is_ours);
    tl_test_ok(tl_records_drop_lease(records, &lapsed.lease, ctx));
    const seat after = take(records, world, "b", 9001);
    assert_true(after.is_ours);
    assert_int_equal(after.lease.token, 5);
    tl_records_close(records);
}

static tl_err check(tl_records *records, const tl_record_lease *lease)
{
    assert_int_equal(tl_sql_begin(tl_records_sql(records), NULL), TL_OK);
    const tl_err err = tl_records_check_lease(records, lease, NULL);
    tl_sql_rollback(tl_records_sql(records));
    return err;
}

static void a_clock_that_steps_moves_no_token(void **state)
{
    const tl_sql_world *world = *state; /* REC-5 */
    tl_records *a = tl_test_records(world);
    tl_records *b = tl_test_records(world);
    const seat first = take(a, world, "a", 10000);
    const int64_t year_ms = INT64_C(365) * 86400000;
    const seat ahead =
        take(b, world, "b", 10000 + year_ms); /* b's clock is a year ahead: it takes over */
    assert_true(ahead.is_ours);
    assert_int_equal(check(a, &first.lease),
                     TL_ERR_REFUSED); /* and a is fenced off, whatever time it is */
    assert_int_equal(check(b, &ahead.lease), TL_OK);
    const seat again = take(a, world, "a", 10100); /* b's claim for next year is no claim */
    assert_true(again.is_ours);
    assert_true(again.lease.token > ahead.lease.token);
    assert_int_equal(check(b, &ahead.lease), TL_ERR_REFUSED);
    const seat back = take(a, world, "a", 9000); /* a's clock is put right, an hour or a second */
    assert_true(back.is_ours);
    assert_int_equal(check(a, &back.lease), TL_OK);
    const tl_record_lease forged = {back.lease.name, TL_STR("b"), back.lease.token, 0};
    assert_int_equal(check(b, &forged), TL_ERR_REFUSED);
    const tl_record_lease none = {TL_STR("no such"), TL_STR("b"), 0, 0};
    assert_int_equal(check(b, &none), TL_ERR_REFUSED);
    assert_int_equal(check(b, NULL), TL_OK);
    tl_records_close(b);
    tl_records_close(a);
}

static void leases_that_mean_nothing_are_refused(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_record_lease lease;
    bool is_ours;
    const int64_t bad[][2] = {{0, 0}, {0, -1}, {-1, 5}, {INT64_MAX, 5}, {5, INT64_MAX}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(tl_records_take_lease(records, &lease, &is_ours, TL_STR("l"), TL_STR("h"),
                                               bad[i][0], bad[i][1], world->arena, NULL),
                         TL_ERR_RANGE);
    }
    assert_int_equal(tl_records_take_lease(records, &lease, &is_ours, TL_STR("l"), TL_STR(""), 1, 1,
                                           world->arena, NULL),
                     TL_ERR_MISSING);
    tl_records_close(records);
}

enum { LEADERS = 5 };

typedef struct runner {
    const tl_sql_world *world;
    unsigned number;
    unsigned won;
    unsigned count; /* of shards, or of what was counted */
    tl_err err;
} runner;

static void *run_for_leader(void *self)
{
    runner *r = self;
    tl_records *records = NULL;
    tl_arena *arena = NULL;
    char name[8];
    tl_str_print(name, sizeof name, "p%u", r->number);
    r->err = tl_arena_new(&arena, NULL, 0, NULL, NULL);
    if (r->err == TL_OK) {
        r->err = tl_records_open(&records, &r->world->options, TL_RECORDS_USE, NULL);
    }
    for (int64_t turn = 0; turn < 10 && r->err == TL_OK; turn++) {
        tl_record_lease lease;
        bool is_ours = false;
        char seat_name[16];
        tl_str_print(seat_name, sizeof seat_name, "seat%d", (int)turn);
        r->err = tl_records_take_lease(records, &lease, &is_ours, tl_str_from_cstr(seat_name),
                                       tl_str_from_cstr(name), 1000 + r->number, 1000, arena, NULL);
        r->won += is_ours;
    }
    tl_records_close(records);
    tl_arena_free(arena);
    return NULL;
}

static void run_all(runner *runners, size_t count, const tl_sql_world *world,
                    void *(*work)(void *self))
{
    pthread_t threads[16];
    for (size_t i = 0; i < count; i++) {
        runners[i] = (runner){.world = world, .number = (unsigned)i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &runners[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(runners[i].err, TL_OK);
    }
}

static void of_those_who_run_one_leads(void **state)
{
    tl_records *records = tl_test_records(*state);
    runner runners[LEADERS];
    unsigned won = 0;
    run_all(runners, LEADERS, *state, run_for_leader);
    for (size_t i = 0; i < LEADERS; i++) {
        won += runners[i].won;
    }
    assert_int_equal(won, 10);
    assert_int_equal(tl_sql_world_number(tl_records_sql(records), "SELECT MAX(token) FROM leases"),
                     1);
    tl_records_close(records);
}

/* --- shards --- */

enum { SHARDS = 40 };

static void put_shards(tl_records *records, unsigned count)
{
    static char codes[SHARDS][8];
    tl_record_shard shards[SHARDS];
    for (unsigned i = 0; i < count; i++) {
        tl_str_print(codes[i], sizeof codes[i], "%05u", i);
        shards[i] = (tl_record_shard){.epoch_id = TL_TEST_EPOCH,
                                      .zipcode = tl_str_from_cstr(codes[i]),
                                      .input_key = TL_STR("input")};
    }
    tl_test_ok(tl_records_put_shards(records, shards, count, ctx));
}

static size_t claim(tl_records *records, const tl_sql_world *world, const tl_record_shard **out,
                    const char *holder, size_t want, int64_t now_ms)
{
    size_t count = 0;
    tl_test_ok(tl_records_claim_shards(records, out, &count, tl_str_from_cstr(holder), want, now_ms,
                                       1000, world->arena, ctx));
    return count;
}

static void a_shard_goes_from_hand_to_hand(void **state)
{
    const tl_sql_world *world = *state; /* REC-4 */
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SCORING);
    const tl_record_shard *got = NULL;
    assert_int_equal(claim(records, world, &got, "w1", 5, 100), 0);
    put_shards(records, 3);
    put_shards(records, 3); /* twice is once */
    assert_int_equal(claim(records, world, &got, "w1", 2, 100), 2);
    tl_record_shard first = got[0];
    assert_int_equal(first.token, 1);
    assert_int_equal(first.until_ms, 1100);
    assert_true(tl_str_eq_cstr(first.input_key, "input"));
    assert_int_equal(claim(records, world, &got, "w2", 5, 1099),
                     1); /* the third; the others are leased */
    tl_test_ok(tl_records_renew_shard(records, &first, 1090, 1000, ctx));
    assert_int_equal(claim(records, world, &got, "w3", 5, 1100), 1); /* w1's second has lapsed */
    assert_int_equal(got[0].token, 2);
    assert_int_equal(got[0].attempts, 2);
    tl_record_shard stale = got[0];
    stale.holder = TL_STR("w1");
    stale.token = 1;
    assert_int_equal(tl_records_renew_shard(records, &stale, 1100, 1000, NULL), TL_ERR_REFUSED);
    stale.error = TL_STR("lost");
    tl_test_ok(tl_records_fail_shard(records, &stale, ctx)); /* too late to say anything */
    uint64_t counts[TL_RECORD_SHARD_COUNT];
    tl_test_ok(tl_records_count_shards(records, counts, TL_TEST_EPOCH, ctx));
    assert_int_equal(counts[TL_RECORD_SHARD_LEASED], 3);
    uint64_t released = 0;
    tl_test_ok(tl_records_release_shards(records, TL_STR("w3"), &released, ctx));
    assert_int_equal(released, 1);
    assert_int_equal(claim(records, world, &got, "w4", 5, 1101), 1);
    assert_int_equal(got[0].attempts, 2); /* what was given back does not count */
    assert_int_equal(got[0].token, 3);
    tl_records_close(records);
}

static void a_result_is_taken_once_and_from_anyone(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SCORING);
    put_shards(records, 1);
    const tl_record_shard *got = NULL;
    assert_int_equal(claim(records, world, &got, "slow", 1, 100), 1);
    tl_record_shard slow = got[0];
    assert_int_equal(claim(records, world, &got, "fast", 1, 5000), 1);
    tl_record_shard fast = got[0];
    assert_int_equal(tl_records_complete_shard(records, &slow, NULL), TL_ERR_MISSING);
    slow.result_key = TL_STR("sha256/abc");
    tl_test_ok(tl_records_complete_shard(records, &slow, ctx)); /* the work is pure: late is fine */
    fast.result_key = TL_STR("sha256/abc");
    tl_test_ok(tl_records_complete_shard(records, &fast, ctx));
    fast.result_key = TL_STR("sha256/def");
    assert_int_equal(tl_records_complete_shard(records, &fast, NULL), TL_ERR_CORRUPT);
    fast.error = TL_STR("no");
    tl_test_ok(tl_records_fail_shard(records, &fast, ctx));
    const tl_record_shard *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_shards(records, &rows, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].state, TL_RECORD_SHARD_DONE);
    assert_true(tl_str_eq_cstr(rows[0].result_key, "sha256/abc"));
    fast.zipcode = TL_STR("99999");
    assert_int_equal(tl_records_complete_shard(records, &fast, NULL), TL_ERR_NOT_FOUND);
    tl_records_close(records);
}

static void what_an_epoch_leaves_undone_is_nobodys_work(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SCORING);
    put_shards(records, 3);
    const tl_record_shard *got = NULL;
    assert_int_equal(claim(records, world, &got, "w", 2, 100), 2);
    tl_record_shard done = got[0];
    tl_record_shard late = got[1];
    done.result_key = TL_STR("shards/a");
    tl_test_ok(tl_records_complete_shard(records, &done, ctx));
    tl_test_ok(tl_records_close_shards(records, TL_TEST_EPOCH, ctx));
    assert_int_equal(claim(records, world, &got, "w", 3, 1000000), 0);
    uint64_t counts[TL_RECORD_SHARD_COUNT];
    tl_test_ok(tl_records_count_shards(records, counts, TL_TEST_EPOCH, ctx));
    assert_int_equal(counts[TL_RECORD_SHARD_DONE], 1);
    assert_int_equal(counts[TL_RECORD_SHARD_FAILED], 2);
    late.result_key = TL_STR("shards/b");
    tl_test_ok(tl_records_complete_shard(records, &late, ctx)); /* it is right all the same */
    tl_records_close(records);
}

static void a_shard_that_kills_its_workers_is_given_up(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SCORING);
    put_shards(records, 2);
    const tl_record_shard *got = NULL;
    for (uint32_t i = 0; i < TL_RECORD_ATTEMPTS_MAX; i++) { /* 00000 lapses, 00001 errors */
        assert_int_equal(claim(records, world, &got, "w", 2, 10000 * i), 2);
        for (size_t k = 0; k < 2; k++) {
            if (tl_str_eq_cstr(got[k].zipcode, "00001")) {
                tl_record_shard bad = got[k];
                bad.error = TL_STR("no memory");
                tl_test_ok(tl_records_fail_shard(records, &bad, ctx));
            }
        }
    }
    assert_int_equal(claim(records, world, &got, "w", 2, 1000000), 0);
    const tl_record_shard *rows = NULL;
    size_t count = 0;
    tl_test_ok(tl_records_shards(records, &rows, &count, TL_TEST_EPOCH, world->arena, ctx));
    assert_int_equal(rows[0].state, TL_RECORD_SHARD_FAILED);
    assert_true(tl_str_eq_cstr(rows[0].error, "its lease lapsed too often"));
    assert_int_equal(rows[1].state, TL_RECORD_SHARD_FAILED);
    assert_true(tl_str_eq_cstr(rows[1].error, "no memory"));
    uint64_t counts[TL_RECORD_SHARD_COUNT];
    tl_test_ok(tl_records_count_shards(records, counts, TL_STR(""), ctx));
    assert_int_equal(counts[TL_RECORD_SHARD_FAILED], 2);
    tl_records_close(records);
}

static void *claim_all(void *self)
{
    runner *r = self;
    tl_records *records = NULL;
    tl_arena *arena = NULL;
    char name[8];
    tl_str_print(name, sizeof name, "w%u", r->number);
    r->err = tl_arena_new(&arena, NULL, 0, NULL, NULL);
    if (r->err == TL_OK) {
        r->err = tl_records_open(&records, &r->world->options, TL_RECORDS_USE, NULL);
    }
    size_t count = 1;
    while (count > 0 && r->err == TL_OK) {
        const tl_record_shard *got = NULL;
        count = 0;
        r->err = tl_records_claim_shards(records, &got, &count, tl_str_from_cstr(name), 3, 1000,
                                         100000, arena, NULL);
        for (size_t i = 0; i < count && r->err == TL_OK; i++) {
            tl_record_shard done = got[i];
            char key[16];
            tl_str_print(key, sizeof key, "r%.*s", TL_STR_ARG(done.zipcode));
            done.result_key = tl_str_from_cstr(key);
            r->err = done.token == 1 ? tl_records_complete_shard(records, &done, NULL)
                                     : TL_ERR_INTERNAL; /* claimed twice */
            r->count++;
        }
    }
    tl_records_close(records);
    tl_arena_free(arena);
    return NULL;
}

static void no_shard_is_claimed_twice(void **state)
{
    tl_records *records = tl_test_records(*state); /* REC-4 */
    tl_test_epoch(records, TL_EPOCH_SCORING);
    put_shards(records, SHARDS);
    runner runners[6];
    unsigned claimed = 0;
    run_all(runners, 6, *state, claim_all);
    for (size_t i = 0; i < 6; i++) {
        claimed += runners[i].count;
    }
    assert_int_equal(claimed, SHARDS);
    uint64_t counts[TL_RECORD_SHARD_COUNT];
    tl_test_ok(tl_records_count_shards(records, counts, TL_TEST_EPOCH, ctx));
    assert_int_equal(counts[TL_RECORD_SHARD_DONE], SHARDS);
    tl_records_close(records);
}

/* Workers that are processes, some of which are killed in their work: the time that each is told makes leases of the dead
 * lapse. A second claim of a shard whose lease is alive would show as two holders of one token. */
static void work_and_maybe_die(const tl_sql_world *world, unsigned number)
{
    tl_records *records = NULL;
    tl_arena *arena = NULL;
    char name[16];
    tl_str_print(name, sizeof name, "p%u", number);
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK ||
        tl_records_open(&records, &world->options, TL_RECORDS_USE, NULL) != TL_OK) {
        _exit(9);
    }
    for (unsigned done = 0;;) {
        const tl_record_shard *got = NULL;
        size_t count = 0;
        if (tl_records_claim_shards(records, &got, &count, tl_str_from_cstr(name), 1,
                                    1000 + number * 100000, 50000, arena, NULL) != TL_OK) {
            _exit(8);
        }
        if (count == 0) {
            break;
        }
        if (number < 3 && ++done > 2) {
            (void)kill(getpid(), SIGKILL); /* with a lease in its hands */
        }
        tl_record_shard shard = got[0];
        shard.result_key = shard.zipcode;
        if (tl_records_complete_shard(records, &shard, NULL) != TL_OK) {
            _exit(7);
        }
    }
    tl_records_close(records);
    tl_arena_free(arena);
    _exit(0);
}

static void workers_that_die_leave_their_shards_to_others(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    tl_test_epoch(records, TL_EPOCH_SCORING);
    put_shards(records, SHARDS);
    for (unsigned i = 0; i < 4; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            work_and_maybe_die(world, i);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(i < 3 ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    uint64_t counts[TL_RECORD_SHARD_COUNT];
    tl_test_ok(tl_records_count_shards(records, counts, TL_TEST_EPOCH, ctx));
    assert_int_equal(counts[TL_RECORD_SHARD_DONE], SHARDS);
    /* each of the dead left its third shard to the next one */
    assert_int_equal(
        tl_sql_world_number(tl_records_sql(records), "SELECT MAX(attempts) FROM shards"), 2);
    assert_int_equal(tl_sql_world_number(tl_records_sql(records),
                                         "SELECT count(*) FROM shards WHERE attempts > 1"),
                     3);
    tl_records_close(records);
}

static void claims_that_mean_nothing_are_refused(void **state)
{
    const tl_sql_world *world = *state;
    tl_records *records = tl_test_records(world);
    const tl_record_shard *got = NULL;
    size_t count = 0;
    assert_int_equal(
        tl_records_claim_shards(records, &got, &count, TL_STR("w"), 0, 1, 1, world->arena, NULL),
        TL_ERR_RANGE);
    assert_int_equal(tl_records_claim_shards(records, &got, &count, TL_STR("w"), 1, 1, INT64_MAX,
                                             world->arena, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(
        tl_records_claim_shards(records, &got, &count, TL_STR(""), 1, 1, 1, world->arena, NULL),
        TL_ERR_MISSING);
    tl_records_close(records);
}

/* --- counters --- */

static void *count_up(void *self)
{
    runner *r = self;
    tl_records *records = NULL;
    r->err = tl_records_open(&records, &r->world->options, TL_RECORDS_USE, NULL);
    for (int i = 0; i < 30 && r->err == TL_OK; i++) {
        bool is_allowed = false;
        uint64_t used = 0;
        r->err = tl_records_count(records, &is_allowed, &used, TL_STR("upload"), 7, 1, 100, NULL);
        r->count += is_allowed;
    }
    tl_records_close(records);
    return NULL;
}

static void a_limit_that_is_raced_holds(void **state)
{
    tl_records *records = tl_test_records(*state);
    runner runners[5];
    unsigned allowed = 0;
    run_all(runners, 5, *state, count_up);
    for (size_t i = 0; i < 5; i++) {
        allowed += runners[i].count;
    }
    assert_int_equal(allowed, 100); /* of 150 */
    bool is_allowed = true;
    uint64_t used = 0;
    tl_test_ok(tl_records_count(records, &is_allowed, &used, TL_STR("upload"), 7, 1, 100, ctx));
    assert_false(is_allowed);
    assert_int_equal(used, 100);
    tl_test_ok(tl_records_count(records, &is_allowed, &used, TL_STR("upload"), 8, 101, 100, ctx));
    assert_false(is_allowed); /* more than the whole */
    assert_int_equal(used, 0);
    tl_test_ok(tl_records_count(records, &is_allowed, &used, TL_STR("upload"), 8, 100, 100, ctx));
    assert_true(is_allowed);
    assert_int_equal(used, 100);
    tl_test_ok(tl_records_count(records, &is_allowed, &used, TL_STR("upload"), 8,
                                (uint64_t)INT64_MAX, (uint64_t)INT64_MAX, ctx));
    assert_false(is_allowed); /* no sum goes over the edge */
    tl_test_ok(tl_records_forget_counts(records, 8, ctx));
    assert_int_equal(tl_sql_world_number(tl_records_sql(records), "SELECT count(*) FROM counters"),
                     1);
    tl_records_close(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_ON_BOTH(a_lease_has_one_holder),
        TL_ON_BOTH(a_clock_that_steps_moves_no_token),
        TL_ON_BOTH(leases_that_mean_nothing_are_refused),
        TL_ON_BOTH(of_those_who_run_one_leads),
        TL_ON_BOTH(a_shard_goes_from_hand_to_hand),
        TL_ON_BOTH(a_result_is_taken_once_and_from_anyone),
        TL_ON_BOTH(what_an_epoch_leaves_undone_is_nobodys_work),
        TL_ON_BOTH(a_shard_that_kills_its_workers_is_given_up),
        TL_ON_BOTH(no_shard_is_claimed_twice),
        TL_ON_BOTH(workers_that_die_leave_their_shards_to_others),
        TL_ON_BOTH(claims_that_mean_nothing_are_refused),
        TL_ON_BOTH(a_limit_that_is_raced_holds),
    };
    return cmocka_run_group_tests_name("records_work", tests, tl_sql_worlds_start,
                                       tl_sql_worlds_stop);
}
