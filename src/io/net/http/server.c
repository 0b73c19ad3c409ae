/* The server: the address it listens on, who may connect, the loops, start and stop. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net/http/http_internal.h"

enum { BACKLOG = 4096, ACCEPTS_PER_TURN = 64, FILES_FOR_OTHERS = 256 };

struct tl_http_server {
    tl_http_settings settings;
    tl_http_app app;
    char listen_ip[TL_NET_IP_TEXT_CAP];
    uint16_t port;
    bool is_stopped;
    atomic_size_t count; /* connections */
    tl__http_addrs *addrs;
    size_t loop_count; /* that are initialised */
    int listen_fd;     /* -1: none. The first loop's, once it runs */
    int spare_fd;      /* kept to be given up when no file can be opened: -1 otherwise */
    bool is_polling;
    uv_poll_t poll;
    tl_http_loop *loops;
};

/* --- who may connect --- */

void tl__http_server_left(tl_http_server *server, const tl_net_addr *peer, bool is_counted)
{
    atomic_fetch_sub(&server->count, 1);
    if (is_counted) {
        tl__http_addrs_give(server->addrs, peer);
    }
}

static bool is_exempt(const tl_http_server *server, const tl_net_addr *peer)
{
    const tl_http_app *app = &server->app;
    return app->is_exempt != NULL ? app->is_exempt(app->self, peer) : tl_net_is_loopback(peer);
}

static tl_http_loop *least_loaded(tl_http_server *server)
{
    tl_http_loop *best = &server->loops[0];
    for (size_t i = 1; i < server->loop_count; i++) {
        if (atomic_load(&server->loops[i].load) < atomic_load(&best->load)) {
            best = &server->loops[i];
        }
    }
    return best;
}

static tl_net_addr addr_from(const struct sockaddr_storage *from)
{
    tl_net_addr addr = {0};
    if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof in6);
        memcpy(addr.ip, &in6.sin6_addr, sizeof addr.ip);
        addr.port = ntohs(in6.sin6_port);
    } else {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        addr.ip[10] = 0xff;
        addr.ip[11] = 0xff;
        memcpy(addr.ip + 12, &in.sin_addr, 4);
        addr.port = ntohs(in.sin_port);
    }
    return addr;
}

/* Too many of us, or of them: say so where that costs nothing, and close. */
static void refuse_socket(const tl_http_server *server, int fd, bool is_full)
{
    static const char busy[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
        "Connection: close\r\n\r\n";
    if (is_full && server->settings.tls == NULL) {
        (void)send(fd, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    (void)close(fd);
}

static void welcome(tl_http_server *server, int fd, const tl_net_addr *peer)
{
    const tl_http_app *app = &server->app;
    if (app->is_welcome != NULL && !app->is_welcome(app->self, peer)) {
        refuse_socket(server, fd, false);
        return;
    }
    if (atomic_load(&server->count) >= server->settings.connection_count_max) {
        refuse_socket(server, fd, true);
        return;
    }
    const bool is_counted = !is_exempt(server, peer);
    if (is_counted &&
        !tl__http_addrs_take(server->addrs, peer, server->settings.per_address_count_max)) {
        refuse_socket(server, fd, true);
        return;
    }
    tl_http_loop *loop = least_loaded(server);
    atomic_fetch_add(&server->count, 1);
    atomic_fetch_add(&loop->load, 1);
    tl__http_loop_adopt(loop, fd, peer, is_counted);
}

/* No file can be opened: without this, the waiting connection would wake the loop for ever. */
static void shed_one(tl_http_server *server)
{
    if (server->spare_fd >= 0) {
        (void)close(server->spare_fd);
        const int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            refuse_socket(server, fd, true);
        }
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

static void on_connections(uv_poll_t *poll, int status, int events)
{
    tl_http_server *server = poll->data;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && status == 0; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        const int fd = accept4(server->listen_fd, (struct sockaddr *)&from, &len,
                               SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            const tl_net_addr peer = addr_from(&from);
            welcome(server, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE) {
            shed_one(server);
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

/* --- the socket --- */

static tl_err listen_failed(const tl_http_server *server, tl_errctx *ctx)
{
    const int why = errno;
    const tl_err code = why == EADDRINUSE                       ? TL_ERR_LOCKED
                        : why == EACCES || why == EADDRNOTAVAIL ? TL_ERR_REFUSED
                                                                : TL_ERR_IO;
    return tl_fail_field(ctx, code, "listen", "cannot listen at %s port %u: %s", server->listen_ip,
                         (unsigned)server->settings.listen_port, strerror(why));
}

static socklen_t fill_sockaddr(struct sockaddr_storage *out, const tl_net_addr *addr)
{
    memset(out, 0, sizeof *out);
    if (tl_net_is_v4(addr)) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
        memcpy(&in.sin_addr, addr->ip + 12, 4);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    memcpy(&in6.sin6_addr, addr->ip, sizeof addr->ip);
    memcpy(out, &in6, sizeof in6);
    return sizeof in6;
}

static tl_err open_listener(tl_http_server *server, const tl_net_addr *addr, tl_errctx *ctx)
{
    struct sockaddr_storage at;
    socklen_t len = fill_sockaddr(&at, addr);
    const int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return listen_failed(server, ctx);
    }
    server->listen_fd = fd;
    const int on = 1;
    const int off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at.ss_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, (const struct sockaddr *)&at, len) != 0 || listen(fd, BACKLOG) != 0) {
        return listen_failed(server, ctx);
    }
    len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        return listen_failed(server, ctx);
    }
    server->port = addr_from(&at).port;
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return TL_OK;
}

/* Before the first loop's thread runs. */
static tl_err start_polling(tl_http_server *server, tl_errctx *ctx)
{
    const int err = uv_poll_init(&server->loops[0].uv, &server->poll, server->listen_fd);
    if (err != 0) {
        return tl_fail(ctx, TL_ERR_IO, "cannot wait for connections: %s", uv_strerror(err));
    }
    server->is_polling = true;
    server->poll.data = server;
    (void)uv_poll_start(&server->poll, UV_READABLE, on_connections);
    return TL_OK;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

void tl__http_listen_stop(tl_http_loop *loop)
{
    tl_http_server *server = loop->server;
    if (server->is_polling) {
        server->is_polling = false;
        uv_close((uv_handle_t *)&server->poll, NULL);
    }
    close_fd(&server->listen_fd);
    close_fd(&server->spare_fd);
}

/* --- start --- */

/* As many open files as may be; connections leave some for everything else. */
static void raise_file_limit(tl_http_settings *settings)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t left = limit.rlim_cur > 2 * FILES_FOR_OTHERS ? limit.rlim_cur - FILES_FOR_OTHERS
                                                              : limit.rlim_cur / 2;
    if (left < settings->connection_count_max) {
        settings->connection_count_max = left > 0 ? (size_t)left : 1;
    }
}

static tl_err check_settings(const tl_http_settings *s, const tl_http_app *app, tl_net_addr *addr,
                             tl_errctx *ctx)
{
    if (app->on_request == NULL) {
        return tl_fail(ctx, TL_ERR_MISSING, "a server without on_request answers nobody");
    }
    if (s->loop_count > TL_HTTP_LOOP_COUNT_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "loop_count", "%zu threads, above %d",
                             s->loop_count, TL_HTTP_LOOP_COUNT_MAX);
    }
    if (s->connection_count_max > (size_t)1 << 24) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "connection_count_max", "%zu connections, above %d",
                             s->connection_count_max, 1 << 24);
    }
    const int64_t times[] = {s->head_timeout_ms, s->body_timeout_ms,  s->body_more_ms,
                             s->idle_timeout_ms, s->write_timeout_ms, s->linger_ms,
                             s->drain_ms};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (times[i] < 0 || times[i] > INT64_C(1) << 40) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "timeouts", "a time of %lld ms is out of range",
                                 (long long)times[i]);
        }
    }
    if (!tl_net_ip_parse(addr, s->listen_ip, s->listen_port)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "listen", "\"%.*s\" is no IP address",
                             TL_STR_ARG(s->listen_ip));
    }
    return TL_OK;
}

static tl_err start_loops(tl_http_server *server, tl_errctx *ctx)
{
    const size_t count = server->settings.loop_count;
    server->loops = calloc(count, sizeof *server->loops);
    if (server->loops == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the server's loops");
    }
    for (size_t i = 0; i < count; i++) {
        TL_TRY(
            tl__http_loop_init(&server->loops[i], server, i, &server->settings, &server->app, ctx));
        server->loop_count++;
    }
    TL_TRY(start_polling(server, ctx));
    for (size_t i = count; i-- > 0;) { /* the first, which accepts, last */
        TL_TRY(tl__http_loop_start(&server->loops[i], ctx));
    }
    return TL_OK;
}

tl_err tl_http_server_start(tl_http_server **out, const tl_http_settings *settings,
                            const tl_http_app *app, tl_errctx *ctx)
{
    tl_http_settings filled = *settings;
    tl_net_addr addr;
    tl__http_settings_fill(&filled);
    TL_TRY(check_settings(&filled, app, &addr, ctx));
    tl_http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a server");
    }
    raise_file_limit(&filled);
    filled.bodies_len_max = filled.bodies_len_max / filled.loop_count;
    server->settings = filled;
    server->app = *app;
    server->listen_fd = -1;
    server->spare_fd = -1;
    atomic_init(&server->count, 0);
    (void)tl_net_ip_text(server->listen_ip, &addr);
    server->settings.listen_ip = tl_str_from_cstr(server->listen_ip);
    server->addrs = tl__http_addrs_new(filled.connection_count_max);
    tl_err err = server->addrs != NULL ? open_listener(server, &addr, ctx)
                                       : tl_fail(ctx, TL_ERR_NOMEM, "no memory for a server");
    if (err == TL_OK) {
        err = start_loops(server, ctx);
    }
    if (err != TL_OK) {
        tl_http_server_free(server);
        return err;
    }
    *out = server;
    return TL_OK;
}

uint16_t tl_http_server_port(const tl_http_server *server)
{
    return server->port;
}

size_t tl_http_server_loop_count(const tl_http_server *server)
{
    return server->loop_count;
}

size_t tl_http_server_connection_count(const tl_http_server *server)
{
    return atomic_load(&server->count);
}

/* --- stop --- */

void tl_http_server_stop(tl_http_server *server)
{
    if (server->is_stopped) {
        return;
    }
    server->is_stopped = true;
    for (size_t i = 0; i < server->loop_count; i++) {
        if (server->loops[i].has_thread) {
            tl__http_loop_stop(&server->loops[i]);
        }
    }
    for (size_t i = 0; i < server->loop_count; i++) {
        if (server->loops[i].has_thread) {
            tl__http_loop_join(&server->loops[i]);
        } else {
            tl__http_loop_undo(&server->loops[i]);
        }
    }
}

void tl_http_server_free(tl_http_server *server)
{
    if (server == NULL) {
        return;
    }
    tl_http_server_stop(server);
    for (size_t i = 0; i < server->loop_count; i++) {
        tl__http_loop_free(&server->loops[i]);
    }
    close_fd(&server->listen_fd);
    close_fd(&server->spare_fd);
    tl__http_addrs_free(server->addrs);
    free(server->loops);
    free(server);
}
