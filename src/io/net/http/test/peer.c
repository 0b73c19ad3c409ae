#include "peer.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int peer_open(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct timeval patience = {.tv_sec = 5};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool peer_say(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

size_t peer_hear(int fd, char *out, size_t len)
{
    const ssize_t n = recv(fd, out, len, 0);
    out[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

size_t peer_hear_all(int fd, char out[PEER_CAP])
{
    size_t len = 0;
    size_t n;
    out[0] = 0;
    while (len < PEER_CAP - 1 && (n = peer_hear(fd, out + len, PEER_CAP - 1 - len)) > 0) {
        len += n;
    }
    return len;
}

bool peer_ask(int fd, const char *request, char out[PEER_CAP])
{
    size_t len = 0;
    out[0] = 0;
    if (!peer_say(fd, request, strlen(request))) {
        return false;
    }
    while (len < PEER_CAP - 1) {
        const char *end = strstr(out, "\r\n\r\n");
        const char *length = strstr(out, "Content-Length: ");
        if (end != NULL && length != NULL &&
            len >= (size_t)(end + 4 - out) + strtoul(length + 16, NULL, 10)) {
            return true;
        }
        const size_t n = peer_hear(fd, out + len, PEER_CAP - 1 - len);
        if (n == 0) {
            return false;
        }
        len += n;
    }
    return false;
}

bool peer_is_closed(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;
    return poll(&p, 1, 5000) == 1 && recv(fd, &c, 1, 0) <= 0;
}
