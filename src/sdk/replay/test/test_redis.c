/* Attacks the shared replay store: axons that race for one mark, a server that is killed, stopped or full, nonces that Lua's
 * numbers could not tell apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>

#include "io/redis/test/server.h"
#include "sdk/replay/replay.h"

#define S   INT64_C(1000000000)
#define NOW (INT64_C(1752076800) * S)

static redis_server server;
static bool has_server;

static int start(void **state)
{
    (void)state;
    has_server = redis_server_start(&server, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (has_server) {
        redis_server_stop(&server);
    }
    return 0;
}

#define NEED_SERVER()                                                                              \
    if (!has_server) {                                                                             \
        skip();                                                                                    \
    }

typedef struct axon {
    tl_redis *redis;
    tl_replay *store;
} axon;

static axon axon_new(uint32_t call_ms)
{
    const tl_redis_options o = {.url = tl_str_from_cstr(server.socket_url),
                                .call_ms = call_ms,
                                .connect_ms = 5000,
                                .retry_ms = 1};
    axon a = {NULL, NULL};
    assert_int_equal(tl_redis_open(&a.redis, &o, NULL), TL_OK);
    assert_int_equal(tl_replay_open_redis(&a.store, a.redis, TL_STR("tally:replay"), NULL, NULL),
                     TL_OK);
    return a;
}

static void axon_free(axon *a)
{
    assert_int_equal(tl_replay_close(a->store, NULL), TL_OK);
    tl_redis_close(a->redis);
}

static tl_auth_mark once(const char *nonce)
{
    return (tl_auth_mark){.rule = TL_AUTH_ONCE_NONCE,
                          .id = tl_str_from_cstr(nonce),
                          .signed_ns = NOW,
                          .keep_until_ns = NOW + 10 * S};
}

static tl_auth_mark rising(const char *uuid, int64_t nonce)
{
    return (tl_auth_mark){.rule = TL_AUTH_RISING,
                          .id = tl_str_from_cstr(uuid),
                          .nonce = nonce,
                          .signed_ns = nonce,
                          .keep_until_ns = NOW + 124 * S};
}

static void what_one_axon_took_the_other_has_seen(void **state)
{
    (void)state; /* REPLAY-1 */
    NEED_SERVER();
    axon a = axon_new(5000);
    axon b = axon_new(5000);
    const tl_auth_mark mark = once("shared");
    assert_int_equal(tl_replay_keep(a.store, &mark, NOW), TL_REPLAY_FRESH);
    assert_int_equal(tl_replay_keep(b.store, &mark, NOW), TL_REPLAY_SEEN);
    assert_int_equal(tl_replay_keep(a.store, &mark, NOW), TL_REPLAY_SEEN);
    tl_auth_mark uuid = mark;
    uuid.rule = TL_AUTH_ONCE_UUID;
    assert_int_equal(tl_replay_keep(b.store, &uuid, NOW), TL_REPLAY_FRESH);
    tl_auth_mark late = once("late"); /* over before it came: never fresh */
    assert_int_equal(tl_replay_keep(b.store, &late, NOW + 11 * S), TL_REPLAY_SEEN);
    assert_true(tl_replay_wait_ms(a.store) >= 5000);
    axon_free(&a);
    axon_free(&b);
}

static void nonces_rise_to_the_last_digit_and_below_zero(void **state)
{
    (void)state;
    NEED_SERVER();
    axon a = axon_new(5000);
    const tl_auth_memory *memory = tl_replay_memory(a.store);
    static const int64_t nonces[] = {INT64_MIN, -1, 0, 1, NOW, NOW + 1, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < sizeof nonces / sizeof nonces[0]; i++) {
        const tl_auth_mark mark = rising("u", nonces[i]);
        int64_t last = 7;
        assert_int_equal(memory->last(memory->self, &mark, &last), i > 0);
        assert_int_equal(tl_replay_keep(a.store, &mark, NOW), TL_REPLAY_FRESH);
        assert_int_equal(tl_replay_keep(a.store, &mark, NOW), TL_REPLAY_SEEN);
        assert_true(memory->last(memory->self, &mark, &last) && last == nonces[i]);
    }
    axon_free(&a);
}

static void a_batch_of_both_kinds_is_answered_in_order(void **state)
{
    (void)state;
    NEED_SERVER();
    axon a = axon_new(5000);
    tl_auth_mark marks[600];
    const tl_auth_mark *at[600];
    char text[600][8];
    tl_replay_answer answers[600];
    for (size_t i = 0; i < 600; i++) {
        tl_str_print(text[i], sizeof text[i], "b%zu", i / 2 % 250); /* many come twice */
        marks[i] = i % 2 == 0 ? once(text[i]) : rising(text[i], NOW + (int64_t)(i / 500));
        at[i] = &marks[i];
    }
    tl_replay_keep_many(a.store, answers, at, 600, NOW);
    for (size_t i = 0; i < 600; i++) {
        const bool is_second = i >= 500;
        const bool is_higher = i % 2 == 1; /* the second time with a higher nonce */
        assert_int_equal(answers[i], !is_second || is_higher ? TL_REPLAY_FRESH : TL_REPLAY_SEEN);
    }
    axon_free(&a);
}

enum { RACERS = 16, RACES = 50 };

typedef struct race {
    tl_replay *store;
    pthread_barrier_t *barrier;
    uint8_t fresh[RACES];
} race;

static void *run_race(void *self)
{
    race *r = self;
    for (unsigned i = 0; i < RACES; i++) {
        char text[16];
        tl_str_print(text, sizeof text, "race%u", i);
        const tl_auth_mark mark = i % 2 == 0 ? once(text) : rising(text, NOW);
        (void)pthread_barrier_wait(r->barrier);
        const tl_replay_answer answer = tl_replay_keep(r->store, &mark, NOW);
        r->fresh[i] = answer == TL_REPLAY_FRESH ? 1 : answer == TL_REPLAY_SEEN ? 0 : 99;
    }
    return NULL;
}

static void of_sixteen_at_once_on_two_axons_exactly_one_passes(void **state)
{
    (void)state; /* REPLAY-1 */
    NEED_SERVER();
    axon axons[2] = {axon_new(60000), axon_new(60000)};
    static race racers[RACERS];
    pthread_barrier_t barrier;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, RACERS), 0);
    pthread_t threads[RACERS];
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = (race){.store = axons[i % 2].store, .barrier = &barrier};
        assert_int_equal(pthread_create(&threads[i], NULL, run_race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (size_t r = 0; r < RACES; r++) {
        unsigned passed = 0;
        for (size_t i = 0; i < RACERS; i++) {
            passed += racers[i].fresh[r];
        }
        assert_int_equal(passed, 1);
    }
    (void)pthread_barrier_destroy(&barrier);
    axon_free(&axons[0]);
    axon_free(&axons[1]);
}

static tl_err say(tl_redis *redis, const char *const *words, size_t count)
{
    tl_bytes bytes[8];
    for (size_t i = 0; i < count; i++) {
        bytes[i] = tl_str_bytes(tl_str_from_cstr(words[i]));
    }
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_redis_command command = {bytes, count};
    tl_redis_reply reply;
    const tl_err err = tl_redis_call(redis, &reply, arena, &command, 1, NULL);
    assert_true(err != TL_OK || reply.kind != TL_REDIS_ERROR);
    tl_arena_free(arena);
    return err;
}

static void a_store_that_is_full_gone_or_silent_refuses(void **state)
{
    (void)state; /* REPLAY-3 */
    NEED_SERVER();
    axon a = axon_new(5000);
    const char *const shut[] = {"CONFIG", "SET", "maxmemory", "1"};
    assert_int_equal(say(a.redis, shut, 4), TL_OK);
    tl_auth_mark mark = once("full");
    tl_auth_mark up = rising("full", NOW);
    assert_int_equal(tl_replay_keep(a.store, &mark, NOW), TL_REPLAY_DOWN);
    assert_int_equal(tl_replay_keep(a.store, &up, NOW), TL_REPLAY_DOWN);
    const char *const wide[] = {"CONFIG", "SET", "maxmemory", "0"};
    assert_int_equal(say(a.redis, wide, 4), TL_OK);
    assert_int_equal(tl_replay_keep(a.store, &mark, NOW), TL_REPLAY_FRESH);
    axon impatient = axon_new(50);
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    mark = once("silent");
    assert_int_equal(tl_replay_keep(impatient.store, &mark, NOW), TL_REPLAY_DOWN);
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    redis_server_kill(&server);
    int64_t last;
    const tl_auth_memory *memory = tl_replay_memory(a.store);
    assert_false(memory->last(memory->self, &up, &last));
    mark = once("gone");
    assert_int_equal(tl_replay_keep(a.store, &mark, NOW), TL_REPLAY_DOWN);
    redis_server_again(&server);
    axon_free(&impatient);
    axon_free(&a);
}

static void prefixes_have_a_length(void **state)
{
    (void)state;
    tl_replay *store;
    char text[200];
    memset(text, 'p', sizeof text);
    assert_int_equal(tl_replay_open_redis(&store, NULL, (tl_str){text, sizeof text}, NULL, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_replay_open_redis(&store, NULL, TL_STR(""), NULL, NULL), TL_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_axon_took_the_other_has_seen),
        cmocka_unit_test(nonces_rise_to_the_last_digit_and_below_zero),
        cmocka_unit_test(a_batch_of_both_kinds_is_answered_in_order),
        cmocka_unit_test(of_sixteen_at_once_on_two_axons_exactly_one_passes),
        cmocka_unit_test(a_store_that_is_full_gone_or_silent_refuses),
        cmocka_unit_test(prefixes_have_a_length),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
