/* Attacks the replay store: copies from sixteen threads, from another process, after a close, a SIGKILL, a power cut, with the
 * clock set back, with the table full, with the file damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/sys/sys.h"
#include "sdk/replay/replay.h"

#define S   INT64_C(1000000000)
#define NOW (INT64_C(1752076800) * S)

/* Words of the head that tests bend (file.c). */
enum { VERSION_WORD = 1, SECRET_WORD = 3, STATE_WORD = 6, BOOT_WORD = 7 };

static char dir[256];

static int make_dir(void **state)
{
    (void)state;
    tl_str_print(dir, sizeof dir, "/tmp/tally-replay.XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    char path[300];
    tl_str_print(path, sizeof path, "%s/%s", dir, TL_REPLAY_FILE_NAME);
    (void)unlink(path);
    return rmdir(dir);
}

static tl_replay *open_small(uint64_t marks_max, int64_t now_ns)
{
    const tl_replay_options options = {.marks_max = marks_max};
    tl_replay *store = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_replay_open(&store, dir, &options, now_ns, &ctx);
    if (err != TL_OK) {
        print_message("# %s\n", ctx.message);
    }
    assert_int_equal(err, TL_OK);
    return store;
}

static void close_store(tl_replay *store)
{
    assert_int_equal(tl_replay_close(store, NULL), TL_OK);
}

/* A btauth mark: sender and nonce, kept for ten seconds. The text must outlive it. */
static tl_auth_mark once(uint8_t sender, const char *nonce_text, int64_t signed_ns)
{
    tl_auth_mark mark = {.rule = TL_AUTH_ONCE_NONCE,
                         .id = tl_str_from_cstr(nonce_text),
                         .signed_ns = signed_ns,
                         .keep_until_ns = signed_ns + 10 * S};
    memset(mark.sender.b, sender, sizeof mark.sender.b);
    return mark;
}

static tl_auth_mark rising(uint8_t sender, const char *uuid, int64_t nonce)
{
    tl_auth_mark mark = once(sender, uuid, nonce);
    mark.rule = TL_AUTH_RISING;
    mark.nonce = nonce;
    mark.keep_until_ns = nonce + 124 * S;
    return mark;
}

/* The i-th of many marks. */
typedef struct numbered {
    char text[24];
    tl_auth_mark mark;
} numbered;

static void number(numbered *n, uint64_t i, int64_t signed_ns)
{
    tl_str_print(n->text, sizeof n->text, "%llu", (unsigned long long)i);
    n->mark = once(1, n->text, signed_ns);
}

static void the_second_copy_is_seen_and_nothing_else_is(void **state)
{
    (void)state;
    tl_replay *store;
    assert_int_equal(tl_replay_open_memory(&store, NULL, NULL), TL_OK);
    tl_auth_mark mark = once(1, "5", NOW);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_SEEN);
    mark.rule = TL_AUTH_ONCE_UUID; /* rules do not mix */
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    mark = once(2, "5", NOW);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    mark = once(1, "6", NOW - S); /* nonces need not rise */
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    assert_int_equal(tl_replay_wait_ms(store), 0);
    assert_true(tl_replay_how_it_started(store)->is_new);
    close_store(store);
}

static void a_rising_nonce_must_rise_per_endpoint(void **state)
{
    (void)state;
    tl_replay *store;
    assert_int_equal(tl_replay_open_memory(&store, NULL, NULL), TL_OK);
    const tl_auth_memory *memory = tl_replay_memory(store);
    int64_t last = 0;
    tl_auth_mark mark = rising(1, "a", NOW);
    assert_false(memory->last(memory->self, &mark, &last));
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    assert_true(memory->last(memory->self, &mark, &last));
    assert_true(last == NOW);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_SEEN);
    mark = rising(1, "a", NOW - 1);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_SEEN);
    mark = rising(1, "a", NOW + 1);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    mark = rising(1, "b", NOW - 1); /* another endpoint, another hotkey */
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    mark = rising(2, "a", NOW - 1);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    close_store(store);
}

static void it_is_seen_to_the_end_of_its_window_and_stale_after_it(void **state)
{
    (void)state; /* REPLAY-2: two seconds ahead, so twelve seconds */
    tl_replay *store;
    assert_int_equal(tl_replay_open_memory(&store, NULL, NULL), TL_OK);
    const tl_auth_mark mark = once(1, "7", NOW + 2 * S);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    for (int64_t s = 0; s <= 20; s++) {
        assert_int_equal(tl_replay_keep(store, &mark, NOW + s * S), TL_REPLAY_SEEN);
    }
    const tl_auth_mark late = once(1, "8", NOW);
    assert_int_equal(tl_replay_keep(store, &late, NOW + 10 * S + 1), TL_REPLAY_SEEN);
    assert_int_equal(tl_replay_keep(store, &late, NOW + 10 * S), TL_REPLAY_FRESH);
    close_store(store);
}

static void a_full_store_refuses_and_forgets_nothing(void **state)
{
    (void)state; /* REPLAY-3 */
    const tl_replay_options options = {.marks_max = 1};
    tl_replay *store;
    assert_int_equal(tl_replay_open_memory(&store, &options, NULL), TL_OK);
    static numbered all[400];
    size_t kept = 0;
    for (size_t i = 0; i < 400; i++) {
        number(&all[i], i, NOW + (int64_t)i);
        const tl_replay_answer a = tl_replay_keep(store, &all[i].mark, NOW);
        assert_int_equal(a, i < 126 ? TL_REPLAY_FRESH : TL_REPLAY_FULL); /* one page */
        kept += a == TL_REPLAY_FRESH ? 1 : 0;
    }
    for (size_t i = 0; i < kept; i++) {
        assert_int_equal(tl_replay_keep(store, &all[i].mark, NOW), TL_REPLAY_SEEN);
    }
    /* a known endpoint goes on in a full store; when the window is over there is room again */
    number(&all[0], 1000, NOW + 11 * S);
    assert_int_equal(tl_replay_keep(store, &all[0].mark, NOW + 11 * S), TL_REPLAY_FRESH);
    close_store(store);
}

static void known_endpoints_go_on_in_a_full_store(void **state)
{
    (void)state;
    const tl_replay_options options = {.marks_max = 1};
    tl_replay *store;
    assert_int_equal(tl_replay_open_memory(&store, &options, NULL), TL_OK);
    tl_auth_mark mark = rising(1, "endpoint", NOW);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    static numbered all[126];
    for (size_t i = 0; i < 126; i++) {
        number(&all[i], i, NOW);
        assert_int_equal(tl_replay_keep(store, &all[i].mark, NOW),
                         i < 125 ? TL_REPLAY_FRESH : TL_REPLAY_FULL);
    }
    mark = rising(1, "endpoint", NOW + 1);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_SEEN);
    close_store(store);
}

static void a_clock_that_is_set_back_brings_nothing_back(void **state)
{
    (void)state; /* REPLAY-2: what gave way in the false future is still refused */
    const tl_replay_options options = {.marks_max = 1};
    tl_replay *store;
    assert_int_equal(tl_replay_open_memory(&store, &options, NULL), TL_OK);
    static numbered first[126];
    static numbered second[126];
    for (size_t i = 0; i < 126; i++) {
        number(&first[i], i, NOW);
        assert_int_equal(tl_replay_keep(store, &first[i].mark, NOW), TL_REPLAY_FRESH);
    }
    for (size_t i = 0; i < 60; i++) {
        number(&second[i], 1000 + i, NOW + 3600 * S);
        assert_int_equal(tl_replay_keep(store, &second[i].mark, NOW + 3600 * S), TL_REPLAY_FRESH);
    }
    for (size_t i = 0; i < 126; i++) {
        assert_int_equal(tl_replay_keep(store, &first[i].mark, NOW + S), TL_REPLAY_SEEN);
    }
    numbered later;
    number(&later, 5000,
           NOW + S); /* after what was given up: taken, since there is room again later */
    assert_int_equal(tl_replay_keep(store, &later.mark, NOW + 11 * S), TL_REPLAY_FRESH);
    close_store(store);
}

/* --- sixteen at once --- */

enum { RACERS = 16, RACES = 2000 };

typedef struct race {
    tl_replay *store;
    pthread_barrier_t *start;
    numbered *marks;
    uint8_t fresh[RACES];
} race;

static void *run_race(void *self)
{
    race *r = self;
    (void)pthread_barrier_wait(r->start);
    for (size_t i = 0; i < RACES; i++) {
        const tl_replay_answer a = tl_replay_keep(r->store, &r->marks[i].mark, NOW);
        r->fresh[i] = a == TL_REPLAY_FRESH ? 1 : a == TL_REPLAY_SEEN ? 0 : 99;
    }
    return NULL;
}

static void of_sixteen_equal_requests_at_once_exactly_one_passes(void **state)
{
    (void)state; /* REPLAY-1 */
    static numbered marks[RACES];
    static race racers[RACERS];
    for (size_t i = 0; i < RACES; i++) {
        number(&marks[i], i, NOW);
        if (i % 2 == 1) {
            marks[i].mark.rule = TL_AUTH_RISING;
            marks[i].mark.nonce = NOW + (int64_t)i;
            marks[i].mark.keep_until_ns = NOW + 124 * S;
        }
    }
    tl_replay *store = open_small(RACES * 2, NOW);
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    pthread_t threads[RACERS];
    for (size_t t = 0; t < RACERS; t++) {
        racers[t] = (race){.store = store, .start = &start, .marks = marks};
        assert_int_equal(pthread_create(&threads[t], NULL, run_race, &racers[t]), 0);
    }
    for (size_t t = 0; t < RACERS; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    }
    for (size_t i = 0; i < RACES; i++) {
        unsigned passed = 0;
        for (size_t t = 0; t < RACERS; t++) {
            passed += racers[t].fresh[i];
        }
        assert_int_equal(passed, 1);
    }
    (void)pthread_barrier_destroy(&start);
    close_store(store);
}

/* --- restarts --- */

static void what_was_accepted_is_seen_after_a_close(void **state)
{
    (void)state; /* REPLAY-2 */
    tl_replay *store = open_small(1000, NOW);
    tl_auth_mark mark = once(1, "9", NOW);
    tl_auth_mark up = rising(3, "u", NOW);
    assert_int_equal(tl_replay_keep(store, &mark, NOW), TL_REPLAY_FRESH);
    assert_int_equal(tl_replay_keep(store, &up, NOW), TL_REPLAY_FRESH);
    close_store(store);
    store = open_small(1000, NOW + S);
    const tl_replay_start *start = tl_replay_how_it_started(store);
    assert_false(start->is_new || start->is_killed || start->is_power_lost);
    assert_int_equal(start->marks, 2);
    assert_int_equal(start->pages_damaged, 0);
    assert_int_equal(tl_replay_keep(store, &mark, NOW + S), TL_REPLAY_SEEN);
    assert_int_equal(tl_replay_keep(store, &up, NOW + S), TL_REPLAY_SEEN);
    tl_auth_mark other = once(1, "10", NOW); /* signed before the close, never seen: it passes */
    assert_int_equal(tl_replay_keep(store, &other, NOW + S), TL_REPLAY_FRESH);
    close_store(store);
}

/* A child that keeps marks and tells each number once it is kept, until it is killed. */
static void keep_until_killed(int to)
{
    const tl_replay_options options = {.marks_max = 200000};
    tl_replay *store;
    if (tl_replay_open(&store, dir, &options, NOW, NULL) != TL_OK) {
        _exit(2);
    }
    for (uint64_t i = 0; i < 100000; i++) {
        numbered n;
        number(&n, i, NOW + (int64_t)i);
        if (tl_replay_keep(store, &n.mark, NOW) != TL_REPLAY_FRESH ||
            write(to, &i, sizeof i) != (ssize_t)sizeof i) {
            _exit(3);
        }
    }
    _exit(4); /* it should have been killed long ago */
}

static void what_was_accepted_is_seen_after_a_sigkill(void **state)
{
    (void)state; /* REPLAY-2 */
    for (unsigned round = 0; round < 5; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(ends[0]);
            keep_until_killed(ends[1]);
        }
        (void)close(ends[1]);
        uint64_t last = 0;
        for (uint64_t i = 0; i < 500 + round * 777; i++) {
            assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(ends[0], &last, sizeof last) == (ssize_t)sizeof last) {
        }
        (void)close(ends[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        tl_replay *store = open_small(200000, NOW + S);
        assert_true(tl_replay_how_it_started(store)->is_killed);
        assert_false(tl_replay_how_it_started(store)->is_power_lost);
        assert_int_equal(tl_replay_how_it_started(store)->pages_damaged, 0);
        for (uint64_t i = 0; i <= last; i++) {
            numbered n;
            number(&n, i, NOW + (int64_t)i);
            assert_int_equal(tl_replay_keep(store, &n.mark, NOW + S), TL_REPLAY_SEEN);
        }
        close_store(store);
        assert_int_equal(remove_dir(NULL), 0);
        assert_int_equal(make_dir(NULL), 0);
    }
}

static void a_second_process_is_shut_out(void **state)
{
    (void)state;
    tl_replay *store = open_small(100, NOW);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        tl_replay *other;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_replay_open(&other, dir, NULL, NOW, &ctx);
        _exit(err == TL_ERR_LOCKED && ctx.field[0] != '\0' ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close_store(store);
    store = open_small(100, NOW); /* the lock went with the store */
    close_store(store);
}

/* --- files that others made --- */

static void write_at(off_t at, const void *bytes, size_t len)
{
    char path[300];
    tl_str_print(path, sizeof path, "%s/%s", dir, TL_REPLAY_FILE_NAME);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    assert_int_equal(close(fd), 0);
}

static void write_word(size_t word, uint64_t value)
{
    write_at((off_t)(word * sizeof value), &value, sizeof value);
}

static void after_a_power_cut_nothing_signed_before_the_start_passes(void **state)
{
    (void)state; /* REPLAY-4 */
    tl_replay *store = open_small(1000, NOW);
    const tl_auth_mark seen = once(1, "1", NOW);
    assert_int_equal(tl_replay_keep(store, &seen, NOW), TL_REPLAY_FRESH);
    close_store(store);
    write_word(STATE_WORD, 1);         /* it was open … */
    write_word(BOOT_WORD, 0x12345678); /* … in another life of the machine */
    store = open_small(1000, NOW + S);
    assert_true(tl_replay_how_it_started(store)->is_power_lost);
    assert_int_equal(tl_replay_how_it_started(store)->marks, 0);
    assert_int_equal(tl_replay_keep(store, &seen, NOW + S), TL_REPLAY_SEEN);
    const tl_auth_mark before = once(1, "2", NOW + S / 2);
    assert_int_equal(tl_replay_keep(store, &before, NOW + S), TL_REPLAY_SEEN);
    const tl_auth_mark ahead = once(1, "3", NOW + 3 * S); /* it may have been taken 2 s early */
    assert_int_equal(tl_replay_keep(store, &ahead, NOW + S), TL_REPLAY_SEEN);
    const tl_auth_mark after = once(1, "4", NOW + 3 * S + 1);
    assert_int_equal(tl_replay_keep(store, &after, NOW + 3 * S), TL_REPLAY_FRESH);
    close_store(store);
    store = open_small(1000, NOW + 4 * S); /* a further start keeps both */
    assert_int_equal(tl_replay_keep(store, &before, NOW + 4 * S), TL_REPLAY_SEEN);
    assert_int_equal(tl_replay_keep(store, &after, NOW + 4 * S), TL_REPLAY_SEEN);
    close_store(store);
}

static void another_size_or_a_longer_window_refuses_what_came_before(void **state)
{
    (void)state; /* REPLAY-4 */
    tl_replay *store = open_small(1000, NOW);
    close_store(store);
    const tl_auth_mark before = once(1, "2", NOW);
    store = open_small(100000, NOW + S);
    assert_int_equal(tl_replay_keep(store, &before, NOW + S), TL_REPLAY_SEEN);
    close_store(store);
    tl_replay_options options = {.marks_max = 100000, .back_ns = 300 * S};
    assert_int_equal(tl_replay_open(&store, dir, &options, NOW + 10 * S, NULL), TL_OK);
    assert_true(tl_replay_how_it_started(store)->floor_ns == NOW + 12 * S);
    close_store(store);
    options.back_ns = 100 * S; /* shorter: nothing is lost, the floor stays */
    assert_int_equal(tl_replay_open(&store, dir, &options, NOW + 20 * S, NULL), TL_OK);
    assert_true(tl_replay_how_it_started(store)->floor_ns == NOW + 12 * S);
    close_store(store);
}

static void a_damaged_file_is_an_error_and_a_damaged_page_refuses(void **state)
{
    (void)state;
    tl_replay *store = open_small(1, NOW);
    const tl_auth_mark a = once(1, "1", NOW);
    const tl_auth_mark b = once(1, "2", NOW);
    assert_int_equal(tl_replay_keep(store, &a, NOW), TL_REPLAY_FRESH);
    close_store(store);
    write_at(4096 + 64 + 3, "\x55", 1); /* the first slot's hash */
    store = open_small(1, NOW + S);
    assert_int_equal(tl_replay_how_it_started(store)->pages_damaged, 1);
    assert_int_equal(tl_replay_keep(store, &a, NOW + S), TL_REPLAY_SEEN);
    assert_int_equal(tl_replay_keep(store, &b, NOW + S), TL_REPLAY_SEEN);
    const tl_auth_mark c = once(1, "3", NOW + 3 * S + 1);
    assert_int_equal(tl_replay_keep(store, &c, NOW + 3 * S), TL_REPLAY_FRESH);
    close_store(store);
    tl_errctx ctx = TL_ERRCTX_INIT;
    write_word(SECRET_WORD, 1);
    assert_int_equal(tl_replay_open(&store, dir, NULL, NOW, &ctx), TL_ERR_CORRUPT);
    assert_true(strstr(ctx.field, TL_REPLAY_FILE_NAME) != NULL && ctx.hint[0] != '\0');
    write_word(VERSION_WORD, 99);
    assert_int_equal(tl_replay_open(&store, dir, NULL, NOW, &ctx), TL_ERR_VERSION);
    char path[300];
    tl_str_print(path, sizeof path, "%s/%s", dir, TL_REPLAY_FILE_NAME);
    assert_int_equal(truncate(path, 5000), 0);
    write_word(VERSION_WORD, 1);
    assert_int_equal(tl_replay_open(&store, dir, NULL, NOW, &ctx), TL_ERR_CORRUPT);
    assert_int_equal(truncate(path, 100), 0); /* its maker died, or somebody cut it: REPLAY-4 */
    store = open_small(1, NOW + S);
    assert_true(tl_replay_how_it_started(store)->is_new);
    assert_int_equal(tl_replay_keep(store, &a, NOW + S), TL_REPLAY_SEEN);
    close_store(store);
}

static void options_out_of_range_and_missing_folders_are_errors(void **state)
{
    (void)state;
    tl_replay *store;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_replay_options bad[] = {{.marks_max = TL_REPLAY_MARKS_MAX + 1},
                                     {.ahead_ns = -1},
                                     {.back_ns = -1},
                                     {.back_ns = INT64_MAX},
                                     {.ahead_ns = 86401 * S}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(tl_replay_open_memory(&store, &bad[i], &ctx), TL_ERR_RANGE);
        assert_true(ctx.field[0] != '\0');
        assert_int_equal(tl_replay_open(&store, dir, &bad[i], NOW, &ctx), TL_ERR_RANGE);
    }
    assert_int_equal(tl_replay_open(&store, "/nonexistent/folder", NULL, NOW, &ctx),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_replay_close(NULL, NULL), TL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_copy_is_seen_and_nothing_else_is),
        cmocka_unit_test(a_rising_nonce_must_rise_per_endpoint),
        cmocka_unit_test(it_is_seen_to_the_end_of_its_window_and_stale_after_it),
        cmocka_unit_test(a_full_store_refuses_and_forgets_nothing),
        cmocka_unit_test(known_endpoints_go_on_in_a_full_store),
        cmocka_unit_test(a_clock_that_is_set_back_brings_nothing_back),
        cmocka_unit_test_setup_teardown(of_sixteen_equal_requests_at_once_exactly_one_passes,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_was_accepted_is_seen_after_a_close, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(what_was_accepted_is_seen_after_a_sigkill, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_second_process_is_shut_out, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(after_a_power_cut_nothing_signed_before_the_start_passes,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(another_size_or_a_longer_window_refuses_what_came_before,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_an_error_and_a_damaged_page_refuses,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(options_out_of_range_and_missing_folders_are_errors,
                                        make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
