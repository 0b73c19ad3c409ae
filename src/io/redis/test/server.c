#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/redis/test/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static bool answers(const redis_server *s)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    tl_str_print(at.sun_path, sizeof at.sun_path, "%s", s->socket_url + strlen("unix://"));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const bool is_up = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    (void)close(fd);
    return is_up;
}

void redis_server_again(redis_server *s)
{
    char port[8];
    char path[128];
    tl_str_print(port, sizeof port, "%u", s->port);
    tl_str_print(path, sizeof path, "%s", s->socket_url + strlen("unix://"));
    (void)unlink(path);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves no server */
        const int null = open("/dev/null", O_WRONLY);
        (void)dup2(null, STDOUT_FILENO);
        (void)execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1",
                     "--unixsocket", path, "--dir", s->dir, "--save", "", "--appendonly", "no",
                     "--requirepass", s->password != NULL ? s->password : "", (char *)NULL);
        _exit(127);
    }
    for (unsigned i = 0; i < 2000 && !answers(s); i++) {
        assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
        const struct timespec wait = {.tv_nsec = 10000000};
        (void)nanosleep(&wait, NULL);
    }
    assert_true(answers(s));
}

bool redis_server_start(redis_server *s, const char *password)
{
    if (system("command -v redis-server >/dev/null") != 0) {
        return false;
    }
    *s = (redis_server){.password = password, .port = free_port()};
    tl_str_print(s->dir, sizeof s->dir, "/tmp/tally-redis.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    tl_str_print(s->socket_url, sizeof s->socket_url, "unix://%s/socket", s->dir);
    redis_server_again(s);
    return true;
}

void redis_server_kill(redis_server *s)
{
    assert_int_equal(kill(s->pid, SIGKILL), 0);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
}

void redis_server_stop(redis_server *s)
{
    redis_server_kill(s);
    (void)unlink(s->socket_url + strlen("unix://"));
    (void)rmdir(s->dir);
}
