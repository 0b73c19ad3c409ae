/* Attacks the connections with a server that is silent, killed, started again, that wants a password or gets nonsense; with
 * more threads than connections; and the address with every odd form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "io/redis/redis_internal.h"
#include "io/redis/test/server.h"

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

static tl_redis *open_redis(const tl_redis_options *more)
{
    tl_redis_options o = more != NULL ? *more : (tl_redis_options){0};
    if (o.url.len == 0) {
        o.url = tl_str_from_cstr(server.socket_url);
    }
    o.call_ms = o.call_ms == 0 ? 5000 : o.call_ms; /* a loaded machine is no fault of the code */
    o.connect_ms = o.connect_ms == 0 ? 5000 : o.connect_ms;
    tl_redis *redis = NULL;
    assert_int_equal(tl_redis_open(&redis, &o, NULL), TL_OK);
    return redis;
}

static tl_arena *arena_new(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* One command in words that spaces part. */
static tl_err say(tl_redis *redis, tl_arena *arena, tl_redis_reply *reply, const char *line)
{
    tl_bytes words[8];
    size_t n = 0;
    tl_str rest = tl_str_from_cstr(line);
    tl_str word;
    while (tl_str_split(&word, &rest, ' ')) {
        words[n++] = tl_str_bytes(word);
    }
    const tl_redis_command command = {words, n};
    return tl_redis_call(redis, reply, arena, &command, 1, NULL);
}

static int64_t now_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void each_kind_of_answer_comes_as_it_is(void **state)
{
    (void)state;
    NEED_SERVER();
    tl_redis *redis = open_redis(NULL);
    tl_arena *arena = arena_new();
    tl_redis_reply r;
    assert_int_equal(say(redis, arena, &r, "SET k v"), TL_OK);
    assert_int_equal(r.kind, TL_REDIS_TEXT);
    assert_true(tl_str_eq_cstr(r.text, "OK"));
    assert_int_equal(say(redis, arena, &r, "SET k w NX"), TL_OK);
    assert_int_equal(r.kind, TL_REDIS_NIL);
    assert_int_equal(say(redis, arena, &r, "STRLEN k"), TL_OK);
    assert_true(r.kind == TL_REDIS_INTEGER && r.integer == 1);
    assert_int_equal(say(redis, arena, &r, "NOSUCH k"), TL_OK);
    assert_int_equal(r.kind, TL_REDIS_ERROR);
    assert_int_equal(say(redis, arena, &r, "MGET k none"), TL_OK);
    assert_true(r.kind == TL_REDIS_ARRAY && r.count == 2);
    assert_true(tl_str_eq_cstr(r.items[0].text, "v"));
    assert_int_equal(r.items[1].kind, TL_REDIS_NIL);
    /* bytes are bytes */
    const uint8_t odd[] = {0, '\r', '\n', 255};
    const tl_bytes set[] = {{(const uint8_t *)"SET", 3}, {odd, 4}, {odd, 4}};
    const tl_bytes get[] = {{(const uint8_t *)"GET", 3}, {odd, 4}};
    const tl_redis_command both[] = {{set, 3}, {get, 2}};
    tl_redis_reply two[2];
    assert_int_equal(tl_redis_call(redis, two, arena, both, 2, NULL), TL_OK);
    assert_int_equal(two[1].text.len, 4);
    assert_memory_equal(two[1].text.ptr, odd, 4);
    tl_arena_free(arena);
    tl_redis_close(redis);
}

static void a_script_runs_whether_the_server_knows_it_or_not(void **state)
{
    (void)state;
    NEED_SERVER();
    tl_redis *redis = open_redis(NULL);
    tl_arena *arena = arena_new();
    tl_redis_script script;
    tl_redis_script_init(&script, TL_STR("return redis.call('INCRBY', KEYS[1], ARGV[1])"));
    tl_redis_reply r[3];
    assert_int_equal(say(redis, arena, r, "SCRIPT FLUSH"), TL_OK);
    assert_int_equal(say(redis, arena, r, "DEL n"), TL_OK);
    const tl_bytes words[] = {
        {(const uint8_t *)"1", 1}, {(const uint8_t *)"n", 1}, {(const uint8_t *)"2", 1}};
    const tl_redis_command runs[] = {{words, 3}, {words, 3}, {words, 3}};
    for (int64_t round = 0; round < 3; round++) {
        assert_int_equal(tl_redis_run(redis, r, arena, &script, runs, 3, NULL), TL_OK);
        for (int64_t i = 0; i < 3; i++) { /* each ran once, in order */
            assert_int_equal(r[i].kind, TL_REDIS_INTEGER);
            assert_int_equal(r[i].integer, round * 6 + i * 2 + 2);
        }
        if (round == 1) {
            tl_redis_reply flushed;
            assert_int_equal(say(redis, arena, &flushed, "SCRIPT FLUSH"), TL_OK);
        }
    }
    tl_arena_free(arena);
    tl_redis_close(redis);
}

static void a_silent_server_costs_the_time_limit_and_no_answer_is_mixed_up(void **state)
{
    (void)state; /* REDIS-1, REDIS-2 */
    NEED_SERVER();
    tl_redis *redis = open_redis(&(tl_redis_options){.call_ms = 100, .retry_ms = 1});
    tl_arena *arena = arena_new();
    tl_redis_reply r;
    assert_int_equal(say(redis, arena, &r, "SET silent 1"), TL_OK);
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    const int64_t begin = now_ms();
    assert_int_equal(say(redis, arena, &r, "GET silent"), TL_ERR_IO);
    const int64_t took = now_ms() - begin;
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    assert_true(took >= 90 && took < 5000);
    for (unsigned i = 0; i < 3; i++) { /* the late answer belongs to a connection that is gone */
        tl_err err;
        do {
            err = say(redis, arena, &r, "STRLEN silent");
        } while (err == TL_ERR_IO && now_ms() - begin < 20000);
        assert_int_equal(err, TL_OK);
        assert_true(r.kind == TL_REDIS_INTEGER && r.integer == 1);
    }
    tl_arena_free(arena);
    tl_redis_close(redis);
}

static void a_server_that_died_is_not_waited_for_and_comes_back(void **state)
{
    (void)state; /* REDIS-3 */
    NEED_SERVER();
    tl_redis *redis = open_redis(&(tl_redis_options){.retry_ms = 60000});
    tl_arena *arena = arena_new();
    tl_redis_reply r;
    assert_int_equal(say(redis, arena, &r, "PING"), TL_OK);
    redis_server_kill(&server);
    assert_int_equal(say(redis, arena, &r, "PING"), TL_ERR_IO);
    const int64_t begin = now_ms();
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(say(redis, arena, &r, "PING"), TL_ERR_IO);
    }
    assert_true(now_ms() - begin < 5000);
    redis_server_again(&server);
    tl_redis *patient = open_redis(&(tl_redis_options){.retry_ms = 1});
    assert_int_equal(say(patient, arena, &r, "PING"), TL_OK);
    redis_server_kill(&server);
    redis_server_again(&server);
    tl_err err;
    do { /* the old connection is noticed, a new one made */
        err = say(patient, arena, &r, "PING");
    } while (err == TL_ERR_IO && now_ms() - begin < 20000);
    assert_int_equal(err, TL_OK);
    tl_redis_close(patient);
    tl_arena_free(arena);
    tl_redis_close(redis);
}

static void passwords_and_databases_are_told_first(void **state)
{
    (void)state;
    NEED_SERVER();
    redis_server locked;
    assert_true(redis_server_start(&locked, "sesame"));
    tl_arena *arena = arena_new();
    tl_redis_reply r;
    char url[64];
    tl_str_print(url, sizeof url, "redis://127.0.0.1:%u/3", locked.port);
    tl_redis *redis =
        open_redis(&(tl_redis_options){.url = tl_str_from_cstr(url), .password = TL_STR("sesame")});
    assert_int_equal(say(redis, arena, &r, "SET in three"), TL_OK);
    tl_redis_close(redis);
    tl_str_print(url, sizeof url, "redis://default@127.0.0.1:%u", locked.port);
    redis =
        open_redis(&(tl_redis_options){.url = tl_str_from_cstr(url), .password = TL_STR("sesame")});
    assert_int_equal(say(redis, arena, &r, "GET in"), TL_OK);
    assert_int_equal(r.kind, TL_REDIS_NIL); /* another database */
    tl_redis_close(redis);
    const char *const wrong[] = {"", "simsim"};
    for (size_t i = 0; i < 2; i++) {
        redis = open_redis(&(tl_redis_options){.url = tl_str_from_cstr(url),
                                               .password = tl_str_from_cstr(wrong[i])});
        const tl_err err = say(redis, arena, &r, "GET in");
        assert_true(err == TL_ERR_IO || (err == TL_OK && r.kind == TL_REDIS_ERROR));
        tl_redis_close(redis);
    }
    tl_arena_free(arena);
    redis_server_stop(&locked);
}

enum { THREADS = 8, CALLS = 300 };

static void *count_up(void *self)
{
    tl_redis *redis = self;
    tl_arena *arena = NULL;
    size_t failed = tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : CALLS;
    for (size_t i = 0; i < CALLS && failed == 0; i++) {
        tl_redis_reply r;
        failed += say(redis, arena, &r, "INCR counted") == TL_OK ? 0 : 1;
    }
    tl_arena_free(arena);
    return failed == 0 ? NULL : self;
}

static void more_threads_than_connections_take_turns(void **state)
{
    (void)state;
    NEED_SERVER();
    tl_redis *redis = open_redis(&(tl_redis_options){.connections_max = 2, .call_ms = 60000});
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, redis), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    tl_arena *arena = arena_new();
    tl_redis_reply r;
    assert_int_equal(say(redis, arena, &r, "GET counted"), TL_OK);
    assert_true(tl_str_eq_cstr(r.text, "2400"));
    tl_arena_free(arena);
    tl_redis_close(redis);
}

static void addresses_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        int port;
        uint32_t database;
        const char *user;
        const char *path;
    } cases[] = {
        {"redis://h", "h", 6379, 0, "", ""},
        {"redis://h:1/9", "h", 1, 9, "", ""},
        {"redis://u@h:65535", "h", 65535, 0, "u", ""},
        {"redis://[::1]:7/2", "::1", 7, 2, "", ""},
        {"redis://[::1]", "::1", 6379, 0, "", ""},
        {"unix:///run/r", "", 6379, 0, "", "/run/r"},
        {"", NULL, 0, 0, "", ""},
        {"redis://", NULL, 0, 0, "", ""},
        {"rediss://h", NULL, 0, 0, "", ""},
        {"redis://u:secret@h", NULL, 0, 0, "", ""},
        {"redis://@h", NULL, 0, 0, "", ""},
        {"redis://h:0", NULL, 0, 0, "", ""},
        {"redis://h:65536", NULL, 0, 0, "", ""},
        {"redis://h:x", NULL, 0, 0, "", ""},
        {"redis://h/x", NULL, 0, 0, "", ""},
        {"redis://h/65536", NULL, 0, 0, "", ""},
        {"redis://[::1", NULL, 0, 0, "", ""},
        {"redis://[::1]x", NULL, 0, 0, "", ""},
        {"redis://h h", NULL, 0, 0, "", ""},
        {"unix://relative", NULL, 0, 0, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl__redis_place place;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl__redis_parse_url(&place, tl_str_from_cstr(cases[i].url), &ctx);
        if (cases[i].host == NULL) {
            assert_int_equal(err, TL_ERR_SYNTAX);
            assert_string_equal(ctx.field, "redis");
            assert_null(strstr(ctx.message, "secret"));
            continue;
        }
        assert_int_equal(err, TL_OK);
        assert_string_equal(place.host, cases[i].host);
        assert_string_equal(place.user, cases[i].user);
        assert_string_equal(place.path, cases[i].path);
        assert_int_equal(place.port, cases[i].port);
        assert_int_equal(place.database, cases[i].database);
    }
    tl_redis *redis;
    const tl_redis_options bad[] = {{.url = TL_STR("redis://h"), .call_ms = 600001},
                                    {.url = TL_STR("redis://h"), .connections_max = 1025}};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(tl_redis_open(&redis, &bad[i], NULL), TL_ERR_RANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_strictly),
        cmocka_unit_test(each_kind_of_answer_comes_as_it_is),
        cmocka_unit_test(a_script_runs_whether_the_server_knows_it_or_not),
        cmocka_unit_test(passwords_and_databases_are_told_first),
        cmocka_unit_test(more_threads_than_connections_take_turns),
        cmocka_unit_test(a_silent_server_costs_the_time_limit_and_no_answer_is_mixed_up),
        cmocka_unit_test(a_server_that_died_is_not_waited_for_and_comes_back),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
