#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/objects/test/bad_wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 20, SILENCE_MS = 3000 };

static bool is_over(bad_wire *w)
{
    return __atomic_load_n(&w->is_over, __ATOMIC_ACQUIRE);
}

static bool pass(int to, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t sent = send(to, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Bytes both ways until one end closes, or the cut. */
static void serve_through(bad_wire *w, int client, bad_wire_mode mode)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(w->server_port)};
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    uint64_t passed[2] = {0, 0};
    bool goes_on = connect(server, (struct sockaddr *)&at, sizeof at) == 0;
    while (goes_on && !is_over(w) && !__atomic_load_n(&w->is_dropped, __ATOMIC_ACQUIRE)) {
        struct pollfd ends[2] = {{.fd = client, .events = POLLIN},
                                 {.fd = server, .events = POLLIN}};
        (void)poll(ends, 2, WAIT_MS);
        for (int i = 0; i < 2 && goes_on; i++) {
            char step[16384];
            if ((ends[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) {
                continue;
            }
            const ssize_t got = recv(ends[i].fd, step, sizeof step, 0);
            size_t len = got > 0 ? (size_t)got : 0;
            const bool is_cut =
                (mode == WIRE_CUT_UP && i == 0) || (mode == WIRE_CUT_DOWN && i == 1);
            if (is_cut && passed[i] + len >= w->cut_at) {
                len = (size_t)(w->cut_at - passed[i]);
                goes_on = false;
            }
            passed[i] += len;
            goes_on = pass(ends[1 - i].fd, step, len) && goes_on && got > 0;
        }
    }
    (void)close(server);
}

static void serve_503(int client)
{
    static const char answer[] =
        "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char head[16384];
    (void)recv(client, head, sizeof head, 0);
    (void)pass(client, answer, sizeof answer - 1);
    (void)shutdown(client, SHUT_WR);
    while (recv(client, head, sizeof head, 0) > 0) {
    }
}

static void serve_silent(bad_wire *w, int client)
{
    char step[16384];
    for (int waited = 0; waited < SILENCE_MS && !is_over(w); waited += WAIT_MS) {
        struct pollfd end = {.fd = client, .events = POLLIN};
        if (poll(&end, 1, WAIT_MS) == 1 && recv(client, step, sizeof step, 0) <= 0) {
            return;
        }
    }
}

/* One connection after the other: the tests send one request at a time. */
static void *serve(void *arg)
{
    bad_wire *w = arg;
    while (!is_over(w)) {
        struct pollfd at = {.fd = w->listener, .events = POLLIN};
        if (poll(&at, 1, WAIT_MS) != 1) {
            continue;
        }
        const int client = accept(w->listener, NULL, NULL);
        if (client < 0) {
            continue;
        }
        (void)__atomic_add_fetch(&w->seen, 1, __ATOMIC_ACQ_REL);
        __atomic_store_n(&w->is_busy, true, __ATOMIC_RELEASE);
        const bool is_bad = __atomic_fetch_sub(&w->count, 1, __ATOMIC_ACQ_REL) > 0;
        const bad_wire_mode mode =
            is_bad ? (bad_wire_mode)__atomic_load_n(&w->mode, __ATOMIC_ACQUIRE) : WIRE_GOOD;
        if (mode == WIRE_503) {
            serve_503(client);
        } else if (mode == WIRE_SILENT) {
            serve_silent(w, client);
        } else {
            serve_through(w, client, mode);
        }
        (void)close(client);
        __atomic_store_n(&w->is_busy, false, __ATOMIC_RELEASE);
    }
    return NULL;
}

void bad_wire_start(bad_wire *w, uint16_t server_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *w = (bad_wire){.server_port = server_port};
    w->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(w->listener >= 0 && bind(w->listener, (struct sockaddr *)&at, sizeof at) == 0 &&
                getsockname(w->listener, (struct sockaddr *)&at, &len) == 0 &&
                listen(w->listener, 16) == 0);
    w->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
}

void bad_wire_set(bad_wire *w, bad_wire_mode mode, int count, uint64_t cut_at)
{
    w->cut_at = cut_at;
    __atomic_store_n(&w->mode, (int)mode, __ATOMIC_RELEASE);
    __atomic_store_n(&w->count, count, __ATOMIC_RELEASE);
}

void bad_wire_drop(bad_wire *w)
{
    __atomic_store_n(&w->is_dropped, true, __ATOMIC_RELEASE);
    while (__atomic_load_n(&w->is_busy, __ATOMIC_ACQUIRE)) {
        (void)poll(NULL, 0, 1);
    }
    __atomic_store_n(&w->is_dropped, false, __ATOMIC_RELEASE);
}

void bad_wire_stop(bad_wire *w)
{
    __atomic_store_n(&w->is_over, true, __ATOMIC_RELEASE);
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    (void)close(w->listener);
}
