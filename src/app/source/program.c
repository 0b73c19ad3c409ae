/* program.c: a program of the miner's own, run once a zipcode. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/source/source_internal.h"
#include "io/sys/sys.h"

#define PATH_CAP 4096

static tl_err start(pid_t *pid, int *fd, const char *program, char *zipcode, tl_errctx *ctx)
{
    char name[PATH_CAP]; /* an argument may be changed by whom it is given to: a copy */
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return tl_fail_field(ctx, TL_ERR_IO, "source", "no pipe for \"%s\"", program);
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *argv[3] = {name, zipcode, NULL};
    (void)tl_str_print(name, sizeof name, "%s", program);
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0) {
        rc = posix_spawnattr_init(&attributes);
        if (rc == 0) {
            /* A group of its own: what the program started ends with it. */
            (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
            (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
                                                   0);
            (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
            rc = posix_spawnp(pid, program, &actions, &attributes, argv, environ);
            (void)posix_spawnattr_destroy(&attributes);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)close(ends[1]);
    if (rc != 0) {
        (void)close(ends[0]);
        return tl_fail_field(ctx, rc == ENOENT ? TL_ERR_NOT_FOUND : TL_ERR_IO, "source",
                             "cannot run \"%s\"", program);
    }
    *fd = ends[0];
    return TL_OK;
}

/* Everything that it prints, up to the limits (SOURCE-2). */
static tl_err drain(tl_sb *sb, int fd, const tl_clock *clock, const char *program, tl_errctx *ctx)
{
    const int64_t end_ns = tl_clock_steady_ns(clock) + INT64_C(1000000) * TL_SOURCE_PROGRAM_MS;
    static const size_t piece = 65536;
    char buffer[65536];
    for (;;) {
        TL_TRY(tl_sys_check_interrupt(ctx));
        if (tl_clock_steady_ns(clock) > end_ns) {
            return tl_fail_field(ctx, TL_ERR_IO, "source", "\"%s\" did not end within %d s",
                                 program, TL_SOURCE_PROGRAM_MS / 1000);
        }
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 200) <= 0) {
            continue;
        }
        const ssize_t got = read(fd, buffer, piece);
        if (got == 0) {
            return TL_OK;
        }
        if (got < 0 && errno != EINTR) {
            return tl_fail_field(ctx, TL_ERR_IO, "source", "cannot read from \"%s\"", program);
        }
        if (got > 0) {
            tl_sb_put_bytes(sb, buffer, (size_t)got);
        }
        if (sb->len > TL_SOURCE_LEN_MAX) {
            return tl_fail_field(ctx, TL_ERR_LIMIT, "source", "\"%s\" prints above %zu bytes",
                                 program, TL_SOURCE_LEN_MAX);
        }
    }
}

static tl_err end(pid_t pid, bool kills, const char *program, tl_errctx *ctx)
{
    int status = 0;
    if (kills) {
        (void)kill(-pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!kills && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        return tl_fail_field(ctx, TL_ERR_IO, "source", "\"%s\" ended with %d", program,
                             WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return TL_OK;
}

tl_err tl__source_collect_exec(tl_source *source, tl_source_batch *out, tl_arena *arena,
                               tl_str zipcode, tl_errctx *ctx)
{
    char argument[16];
    (void)tl_str_print(argument, sizeof argument, "%.*s", TL_STR_ARG(zipcode));
    pid_t pid = 0;
    int fd = -1;
    TL_TRY(start(&pid, &fd, source->place, argument, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    const tl_clock clock =
        source->options.clock.steady_ns != NULL ? source->options.clock : tl_sys_clock();
    tl_err err = drain(&sb, fd, &clock, source->place, ctx);
    (void)close(fd);
    const tl_err ended = end(pid, err != TL_OK, source->place, err == TL_OK ? ctx : NULL);
    err = err != TL_OK ? err : ended;
    tl_str text = {NULL, 0};
    const tl_json *json = NULL;
    TL_TRY(err);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    const tl_json_options options = {.allow_nonfinite = true};
    TL_TRY(tl_json_parse(&json, arena, text, &options, ctx));
    return tl__source_take(out, arena, json, ctx);
}
