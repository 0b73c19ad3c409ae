/* See server.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/sql/test/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/sql/sql.h"

#define SCRIPT TL_SOURCE_ROOT "/tests/services/postgres.sh"

static void run_script(const char *verb, const char *dir, char *line, size_t cap)
{
    char command[256];
    tl_str_print(command, sizeof command, "exec '" SCRIPT "' %s '%s'", verb, dir);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    if (fgets(line, (int)cap, out) == NULL) {
        line[0] = '\0';
    }
    line[strcspn(line, "\n")] = '\0';
    const int status = pclose(out);
    if (status != 0) {
        fail_msg("postgres.sh %s ended with %d: is PostgreSQL there (scripts/deps)?", verb, status);
    }
}

/* The guard waits for the other end of a pipe to close, which no kind of death of this process prevents. */
static void start_guard(tl_pg_server *server)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* the server must not hold it open */
    server->guard_pid = fork();
    assert_true(server->guard_pid >= 0);
    if (server->guard_pid == 0) {
        (void)close(ends[1]);
        (void)signal(SIGINT, SIG_IGN);
        (void)signal(SIGTERM, SIG_IGN);
        char byte;
        while (read(ends[0], &byte, 1) > 0) {
        }
        (void)execl(SCRIPT, SCRIPT, "stop", server->dir, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[0]);
    server->guard_fd = ends[1];
}

void tl_pg_server_start(tl_pg_server *server)
{
    *server = (tl_pg_server){.guard_fd = -1};
    static unsigned count;
    /* in memory where there is such a place: it syncs much, and no power is lost here */
    tl_str_print(server->dir, sizeof server->dir, "%s/tally-postgres.%d.%u",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid(), count++);
    start_guard(server);
    run_script("start", server->dir, server->url, sizeof server->url);
}

void tl_pg_server_stop(tl_pg_server *server)
{
    assert_int_equal(close(server->guard_fd), 0); /* the guard stops it */
    int status = 0;
    assert_int_equal(waitpid(server->guard_pid, &status, 0), server->guard_pid);
    assert_int_equal(status, 0);
}

void tl_pg_server_kill(tl_pg_server *server)
{
    char line[16];
    run_script("kill", server->dir, line, sizeof line);
}

void tl_pg_server_resume(tl_pg_server *server)
{
    run_script("resume", server->dir, server->url, sizeof server->url);
}

void tl_pg_server_fresh(tl_pg_server *server, char *url, size_t cap)
{
    tl_sql *sql = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_sql_options options = {.url = server->url};
    if (tl_sql_open(&sql, &options, &why) != TL_OK) {
        fail_msg("%s", why.message);
    }
    char text[64];
    tl_str_print(text, sizeof text, "CREATE DATABASE t%u", ++server->fresh_count);
    assert_int_equal(tl_sql_exec(sql, text, &why), TL_OK);
    tl_sql_close(sql);
    const size_t base = strlen(server->url) - strlen("tally");
    tl_str_print(url, cap, "%.*st%u", (int)base, server->url, server->fresh_count);
}
