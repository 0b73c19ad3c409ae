/* Attacks state folders that two processes want, environments without a home, and signals in the middle of work. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/sys/sys.h"

static void the_state_folder_follows_option_then_environment(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    const char *dir = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(setenv("XDG_STATE_HOME", "/x", 1), 0);
    assert_int_equal(setenv("HOME", "/h/", 1), 0);
    assert_int_equal(tl_sys_state_dir(&dir, arena, "here", NULL), TL_OK);
    assert_string_equal(dir, "here");
    assert_int_equal(tl_sys_state_dir(&dir, arena, NULL, NULL), TL_OK);
    assert_string_equal(dir, "/x/tally");
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_int_equal(tl_sys_state_dir(&dir, arena, NULL, NULL), TL_OK);
    assert_string_equal(dir, "/h/.local/state/tally");
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(tl_sys_state_dir(&dir, arena, NULL, NULL), TL_ERR_MISSING);
    tl_arena_free(arena);
}

/* The exit status of a child that runs body on dir. */
static int status_of_child(int (*body)(const char *dir), const char *dir)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(body(dir));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int try_lock(const char *dir)
{
    tl_sys_lock lock;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = tl_sys_lock_open(&lock, dir, &why);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getppid());
    return err == TL_OK ? 0 : strstr(why.message, pid) != NULL ? tl_err_exit(err) : 99;
}

static void a_second_process_is_told_who_has_the_folder(void **state)
{
    (void)state;
    char dir[] = "/tmp/tally-test-lock.XXXXXX";
    assert_non_null(mkdtemp(dir));
    tl_sys_lock lock;
    assert_int_equal(tl_sys_lock_open(&lock, dir, NULL), TL_OK);
    assert_int_equal(status_of_child(try_lock, dir), 5); /* SYS-3: TL_ERR_LOCKED */
    tl_sys_lock_close(&lock);
    tl_sys_lock_close(&lock); /* twice is fine */
    assert_int_equal(status_of_child(try_lock, dir), 0);
    char path[64];
    (void)snprintf(path, sizeof path, "%s/lock", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(tl_sys_lock_open(&lock, dir, NULL), TL_ERR_NOT_FOUND);
}

static int interrupt_once(const char *dir)
{
    (void)dir;
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_sys_watch_interrupts(&why) != TL_OK || tl_sys_check_interrupt(&why) != TL_OK) {
        return 1;
    }
    (void)raise(SIGTERM);
    const tl_err err = tl_sys_check_interrupt(&why);
    return tl_sys_is_interrupted() && err == TL_ERR_INTERRUPTED ? tl_err_exit(err) : 2;
}

static int interrupt_twice(const char *dir)
{
    (void)interrupt_once(dir);
    (void)raise(SIGINT);
    return 3; /* not reached: the second one ends the process */
}

static int fail_an_assertion(const char *dir)
{
    if (tl_sys_watch_interrupts(NULL) != TL_OK || freopen("/dev/null", "w", stderr) == NULL) {
        return 1;
    }
    TL_ASSERT(dir == NULL);
    return 2;
}

static void signals_become_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(status_of_child(interrupt_once, "x"), 130);
    assert_int_equal(status_of_child(interrupt_twice, "x"), 130);
    assert_int_equal(status_of_child(fail_an_assertion, "x"), 70);
}

static void the_machines_clock_and_entropy_answer(void **state)
{
    (void)state;
    const tl_clock clock = tl_sys_clock();
    const tl_entropy entropy = tl_sys_entropy();
    const int64_t before = tl_clock_steady_ns(&clock);
    assert_true(tl_clock_steady_ns(&clock) >= before);
    assert_true(tl_clock_wall_ns(&clock) > INT64_C(1600000000) * 1000000000);
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    assert_int_equal(tl_entropy_fill(&entropy, a, sizeof a, NULL), TL_OK);
    assert_int_equal(tl_entropy_fill(&entropy, b, sizeof b, NULL), TL_OK);
    assert_memory_not_equal(a, b, sizeof a);
}

static void nothing_is_drawn_where_nobody_looks(void **state)
{
    (void)state;
    tl_progress progress;
    tl_progress_start(&progress, "work", 10, false);
    assert_false(progress.is_on);
    tl_progress_step(&progress, 11);
    assert_true(progress.done == 11 && progress.drawn_ns == 0);
    tl_progress_end(&progress);
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    assert_false(tl_sys_wants_color(STDERR_FILENO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_folder_follows_option_then_environment),
        cmocka_unit_test(a_second_process_is_told_who_has_the_folder),
        cmocka_unit_test(signals_become_exit_codes),
        cmocka_unit_test(the_machines_clock_and_entropy_answer),
        cmocka_unit_test(nothing_is_drawn_where_nobody_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
