#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/objects/test/s3_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM TL_SOURCE_ROOT "/build/deps/versitygw"

bool s3_server_is_here(void)
{
    return access(PROGRAM, X_OK) == 0;
}

static bool connected(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const bool is_up = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    (void)close(fd);
    return is_up;
}

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    assert_int_equal(close(fd), 0);
    return ntohs(at.sin_port);
}

/* Its notes on objects go into extended attributes, or, where the file system has none, into a folder beside. */
static void run(const s3_server *s)
{
    char listen[32];
    char data[96];
    char notes[96];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves no server */
    const int null = open("/dev/null", O_WRONLY);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    tl_str_print(listen, sizeof listen, "127.0.0.1:%u", s->port);
    tl_str_print(data, sizeof data, "%s/data", s->dir);
    tl_str_print(notes, sizeof notes, "%s/notes", s->dir);
    (void)setenv("ROOT_ACCESS_KEY", S3_ACCESS, 1);
    (void)setenv("ROOT_SECRET_KEY", S3_SECRET, 1);
    if (setxattr(data, "user.tally", "1", 1, 0) == 0) {
        (void)execl(PROGRAM, PROGRAM, "--port", listen, "--quiet", "posix", data, (char *)NULL);
    } else {
        (void)execl(PROGRAM, PROGRAM, "--port", listen, "--quiet", "posix", "--sidecar", notes,
                    data, (char *)NULL);
    }
    _exit(127);
}

void s3_server_again_in(s3_server *s, unsigned ms)
{
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
        (void)nanosleep(&wait, NULL);
        run(s);
    }
}

void s3_server_again(s3_server *s)
{
    s3_server_again_in(s, 0);
    for (unsigned i = 0; i < 2000 && !connected(s->port); i++) {
        assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
        const struct timespec wait = {.tv_nsec = 10000000};
        (void)nanosleep(&wait, NULL);
    }
    assert_true(connected(s->port));
}

void s3_server_start(s3_server *s)
{
    char path[96];
    *s = (s3_server){.port = free_port()};
    tl_str_print(s->dir, sizeof s->dir, "/tmp/tally-s3.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    tl_str_print(path, sizeof path, "%s/data", s->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    tl_str_print(path, sizeof path, "%s/notes", s->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    tl_str_print(s->url, sizeof s->url, "http://127.0.0.1:%u/tally-test", s->port);
    s3_server_again(s);
}

void s3_server_kill(s3_server *s)
{
    assert_int_equal(kill(s->pid, SIGKILL), 0);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void s3_server_stop(s3_server *s)
{
    s3_server_kill(s);
    (void)nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

tl_objects_options s3_server_options(const s3_server *s)
{
    return (tl_objects_options){.s3_url = s->url,
                                .access_key = TL_STR(S3_ACCESS),
                                .secret_key = TL_STR(S3_SECRET),
                                .timeout_ms = 5000,
                                .retry_base_ms = 20};
}
