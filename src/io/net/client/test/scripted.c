#include "scripted.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error/error.h"

enum { CONNECTIONS_MAX = 1024, REQUEST_LEN_MAX = 1 << 22 };

typedef struct visit {
    scripted *server;
    int fd;
    unsigned index;
    char *text;
} visit;

struct scripted {
    scripted_fn script;
    void *self;
    int listener;
    int stop; /* eventfd: readable when the server stops */
    uint16_t port;
    pthread_t acceptor;
    pthread_mutex_t lock;
    unsigned requests;
    unsigned connections;
    unsigned gone;
    pthread_t threads[CONNECTIONS_MAX];
};

/* False when the server stops or the client is gone first. */
static bool pause_for(const visit *v, int ms)
{
    struct pollfd fds[2] = {{v->server->stop, POLLIN, 0}, {v->fd, POLLRDHUP, 0}};
    if (poll(fds, 2, ms) == 0) {
        return true;
    }
    if (fds[0].revents == 0) {
        (void)pthread_mutex_lock(&v->server->lock);
        v->server->gone++;
        (void)pthread_mutex_unlock(&v->server->lock);
    }
    return false;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

tl_str scripted_header(tl_str head, const char *name)
{
    tl_str rest = head;
    tl_str line = {NULL, 0};
    const size_t len = strlen(name);
    while (tl_str_split(&line, &rest, '\n')) {
        if (line.len > len && line.ptr[len] == ':' && strncasecmp(line.ptr, name, len) == 0) {
            return tl_str_trim(tl_str_slice(line, len + 1, line.len));
        }
    }
    return TL_STR("");
}

/* One whole request at the front of the text; its length, or 0 when more must come. */
static size_t find_request(const char *text, size_t len, scripted_request *out)
{
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    const size_t head_len = (size_t)(end - text) + 2;
    uint64_t body_len = 0;
    out->head = (tl_str){text, head_len};
    (void)tl_str_parse_u64(&body_len, scripted_header(out->head, "content-length"));
    if (len < head_len + 2 + body_len) {
        return 0;
    }
    out->body = (tl_str){text + head_len + 2, body_len};
    return head_len + 2 + body_len;
}

static bool act_on(visit *v, scripted_request *request)
{
    scripted *s = v->server;
    scripted_act act = {0};
    (void)pthread_mutex_lock(&s->lock);
    request->index = s->requests++;
    request->connection = v->index;
    s->script(s->self, request, &act);
    (void)pthread_mutex_unlock(&s->lock);
    if (act.pause_ms > 0 && !pause_for(v, (int)act.pause_ms)) {
        return false;
    }
    const size_t len = act.len > 0 ? act.len : act.bytes != NULL ? strlen(act.bytes) : 0;
    const size_t times = act.repeat > 0 ? act.repeat : 1;
    for (size_t i = 0; i < times; i++) {
        if ((i > 0 && act.between_ms > 0 && !pause_for(v, (int)act.between_ms)) ||
            !send_all(v->fd, act.bytes, len)) {
            return false;
        }
    }
    if (act.hangs) {
        (void)pause_for(v, -1);
        return false;
    }
    return !act.closes;
}

static void *serve(void *self)
{
    visit *v = (visit *)self;
    size_t len = 0;
    bool goes_on = true;
    while (goes_on) {
        struct pollfd fds[2] = {{v->server->stop, POLLIN, 0}, {v->fd, POLLIN, 0}};
        (void)poll(fds, 2, -1);
        const ssize_t n =
            fds[0].revents != 0 ? 0 : recv(v->fd, v->text + len, (size_t)REQUEST_LEN_MAX - len, 0);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        scripted_request request = {0};
        for (size_t used; goes_on && (used = find_request(v->text, len, &request)) > 0;) {
            goes_on = act_on(v, &request);
            memmove(v->text, v->text + used, len - used);
            len -= used;
        }
    }
    (void)shutdown(v->fd, SHUT_WR);
    (void)close(v->fd);
    free(v->text);
    free(v);
    return NULL;
}

static void *accept_all(void *self)
{
    scripted *s = (scripted *)self;
    for (;;) {
        struct pollfd fds[2] = {{s->stop, POLLIN, 0}, {s->listener, POLLIN, 0}};
        (void)poll(fds, 2, -1);
        if (fds[0].revents != 0) {
            return NULL;
        }
        const int fd = accept(s->listener, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        visit *v = (visit *)malloc(sizeof *v);
        TL_ASSERT(v != NULL);
        *v = (visit){s, fd, s->connections, (char *)malloc(REQUEST_LEN_MAX)};
        TL_ASSERT(v->text != NULL && s->connections < CONNECTIONS_MAX);
        const int err = pthread_create(&s->threads[s->connections], NULL, serve, v);
        TL_ASSERT(err == 0);
        (void)pthread_mutex_lock(&s->lock);
        s->connections++;
        (void)pthread_mutex_unlock(&s->lock);
    }
}

static int listen_anywhere(uint16_t *out_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    TL_ASSERT(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    TL_ASSERT(listen(fd, 512) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    *out_port = ntohs(at.sin_port);
    return fd;
}

uint16_t scripted_dead_port(void)
{
    uint16_t port = 0;
    (void)close(listen_anywhere(&port));
    return port;
}

scripted *scripted_start(scripted_fn script, void *self)
{
    scripted *s = (scripted *)calloc(1, sizeof *s);
    TL_ASSERT(s != NULL);
    s->script = script;
    s->self = self;
    s->stop = eventfd(0, 0);
    s->listener = listen_anywhere(&s->port);
    (void)pthread_mutex_init(&s->lock, NULL);
    const int err = pthread_create(&s->acceptor, NULL, accept_all, s);
    TL_ASSERT(s->stop >= 0 && err == 0);
    return s;
}

uint16_t scripted_port(const scripted *server)
{
    return server->port;
}

static unsigned read_locked(scripted *s, const unsigned *what)
{
    (void)pthread_mutex_lock(&s->lock);
    const unsigned value = *what;
    (void)pthread_mutex_unlock(&s->lock);
    return value;
}

unsigned scripted_requests(scripted *server)
{
    return read_locked(server, &server->requests);
}

unsigned scripted_connections(scripted *server)
{
    return read_locked(server, &server->connections);
}

unsigned scripted_gone(scripted *server)
{
    return read_locked(server, &server->gone);
}

void scripted_stop(scripted *server)
{
    const uint64_t one = 1;
    TL_ASSERT(write(server->stop, &one, sizeof one) == (ssize_t)sizeof one);
    (void)pthread_join(server->acceptor, NULL);
    for (unsigned i = 0; i < server->connections; i++) {
        (void)pthread_join(server->threads[i], NULL);
    }
    (void)close(server->listener);
    (void)close(server->stop);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}
