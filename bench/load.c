/* tally_load PROTOCOL PORT RECEIVER CONNECTIONS REQUESTS SENDERS BODY PID: load for a server of signed requests.
 *
 * PROTOCOL     v10 (synapse Echo) or btauth (POST /echo), to 127.0.0.1:PORT
 * RECEIVER     the server's SS58 address
 * CONNECTIONS  kept alive; each sends its next request when its answer is there
 * REQUESTS     in all; each is signed once, before the clock starts, with a nonce of that moment
 * SENDERS      distinct hotkeys that sign them in turn
 * BODY         bytes of the text (v10) or of the body (btauth)
 * PID          the server's process: its processor time is read before and after
 *
 * Prints one line of JSON. Signing beforehand keeps the generator from being the bottleneck on a small machine; a
 * request is never older than the window, since what is signed is sent within a few seconds. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/crypto/hash/hash.h"
#include "core/crypto/keypair/keypair.h"
#include "io/sys/sys.h"
#include "sdk/auth/auth.h"
#include "sdk/synapse/synapse.h"
#include "sdk/value/value.h"

#define CONNECTIONS_MAX 4096
#define SENDERS_MAX     4096
#define ANSWER_CAP      65536

typedef struct load_connection {
    int fd;
    size_t next; /* of its requests: index, then plus the number of connections */
    size_t sent; /* bytes of the current one */
    size_t have; /* bytes of its answer */
    int64_t begun_ns;
    char *answer;
} load_connection;

typedef struct load {
    tl_arena *arena;
    tl_clock clock;
    tl_entropy entropy;
    const tl_auth_family *family;
    const tl_synapse_def *echo;
    const char *receiver;
    uint16_t port;
    size_t connection_count;
    size_t sender_count;
    size_t body_len;
    tl_keypair *senders[SENDERS_MAX];
    tl_str *requests;
    size_t request_count;
    int64_t *took_ns;
    size_t answered;
    size_t good;
    load_connection connections[CONNECTIONS_MAX];
} load;

static void put_headers(tl_sb *sb, tl_http_headers headers)
{
    for (size_t i = 0; i < headers.count; i++) {
        tl_sb_put(sb, headers.at[i].name);
        tl_sb_put_cstr(sb, ": ");
        tl_sb_put(sb, headers.at[i].value);
        tl_sb_put_cstr(sb, "\r\n");
    }
}

static tl_err finish_request(tl_str *out, load *l, const char *target, const char *type,
                             tl_http_headers headers, tl_str body, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, l->arena);
    tl_sb_printf(&sb, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: %s\r\n", target,
                 (unsigned)l->port, type);
    put_headers(&sb, headers);
    tl_sb_printf(&sb, "Content-Length: %zu\r\n\r\n", body.len);
    tl_sb_put(&sb, body);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err repeat(tl_str *out, load *l, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, l->arena);
    tl_sb_put_repeat(&sb, 'x', l->body_len);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err make_btauth(tl_str *out, load *l, const tl_keypair *pair, tl_str body, tl_errctx *ctx)
{
    tl_auth_outgoing what = {.method = TL_STR("POST"),
                             .target = TL_STR("/echo"),
                             .receiver = tl_str_from_cstr(l->receiver),
                             .now_ns = tl_clock_wall_ns(&l->clock)};
    tl_sha256(&what.body_sha256, body.ptr, body.len);
    tl_http_headers headers;
    TL_TRY(tl_auth_sign(&headers, l->arena, l->family, pair, &what, &l->entropy, ctx));
    return finish_request(out, l, "/echo", "application/octet-stream", headers, body, ctx);
}

/* As the Python dendrite: the figures of both ends in headers and body, signed over nonce, hotkeys, uuid and hash. */
static tl_err make_v10(tl_str *out, load *l, const tl_keypair *pair, tl_str uuid, tl_str text,
                       tl_errctx *ctx)
{
    tl_synapse *s = NULL;
    TL_TRY(tl_synapse_new(&s, l->arena, l->echo, ctx));
    const tl_value one = tl_value_from_i64(1);
    const tl_value words = tl_value_from_str(text);
    TL_TRY(tl_synapse_set(s, l->arena, TL_STR("a"), &one, ctx));
    TL_TRY(tl_synapse_set(s, l->arena, TL_STR("text"), &words, ctx));
    char hash[TL_SYNAPSE_HASH_CAP];
    TL_TRY(tl_synapse_body_hash(hash, s, l->arena, ctx));
    tl_str hash_text;
    TL_TRY(tl_str_copy(&hash_text, l->arena, tl_str_from_cstr(hash), ctx));
    const tl_auth_outgoing what = {.receiver = tl_str_from_cstr(l->receiver),
                                   .now_ns = tl_clock_wall_ns(&l->clock),
                                   .uuid = uuid,
                                   .body_hash = hash_text};
    tl_http_headers signed_headers;
    TL_TRY(tl_auth_sign(&signed_headers, l->arena, l->family, pair, &what, &l->entropy, ctx));
    int64_t nonce = 0;
    const tl_http_header *field = tl_http_find(signed_headers, TL_STR("bt_header_dendrite_nonce"));
    if (field == NULL || !tl_str_parse_i64(&nonce, field->value)) {
        return tl_fail(ctx, TL_ERR_INTERNAL, "no nonce was signed");
    }
    s->dendrite.nonce = tl_value_from_i64(nonce);
    s->dendrite.version = tl_value_from_i64(10005000);
    s->dendrite.ip = tl_value_from_str(TL_STR("127.0.0.1"));
    s->dendrite.uuid = tl_value_from_str(uuid);
    field = tl_http_find(signed_headers, TL_STR("bt_header_dendrite_hotkey"));
    s->dendrite.hotkey = field != NULL ? tl_value_from_str(field->value) : s->dendrite.hotkey;
    field = tl_http_find(signed_headers, TL_STR("bt_header_dendrite_signature"));
    s->dendrite.signature = field != NULL ? tl_value_from_str(field->value) : s->dendrite.signature;
    s->axon.ip = tl_value_from_str(TL_STR("127.0.0.1"));
    s->axon.port = tl_value_from_i64(l->port);
    s->axon.hotkey = tl_value_from_str(tl_str_from_cstr(l->receiver));
    s->computed_body_hash = tl_value_from_str(hash_text);
    tl_http_headers headers;
    TL_TRY(tl_synapse_put_headers(&headers, l->arena, s, ctx));
    tl_str body;
    TL_TRY(tl_synapse_request_body(&body, l->arena, s, ctx));
    return finish_request(out, l, "/Echo", "application/json", headers, body, ctx);
}

static tl_err make_requests(load *l, tl_errctx *ctx)
{
    tl_str body;
    TL_TRY(repeat(&body, l, ctx));
    tl_str *uuids = TL_NEW(l->arena, tl_str, l->connection_count);
    l->requests = TL_NEW(l->arena, tl_str, l->request_count);
    l->took_ns = TL_NEW(l->arena, int64_t, l->request_count);
    if (uuids == NULL || l->requests == NULL || l->took_ns == NULL) {
        return tl_arena_fail(l->arena, ctx);
    }
    for (size_t i = 0; i < l->connection_count; i++) {
        char uuid[TL_AUTH_UUID_CAP];
        TL_TRY(tl_auth_uuid4(uuid, &l->entropy, ctx));
        TL_TRY(tl_str_copy(&uuids[i], l->arena, tl_str_from_cstr(uuid), ctx));
    }
    for (size_t i = 0; i < l->request_count; i++) {
        /* A connection keeps its sender, so that the nonces of an endpoint rise. */
        const size_t c = i % l->connection_count;
        const tl_keypair *pair = l->senders[c % l->sender_count];
        TL_TRY(l->family->id == TL_AUTH_V10
                   ? make_v10(&l->requests[i], l, pair, uuids[c], body, ctx)
                   : make_btauth(&l->requests[i], l, pair, body, ctx));
    }
    return TL_OK;
}

static tl_err make_senders(load *l, tl_errctx *ctx)
{
    for (size_t i = 0; i < l->sender_count; i++) {
        char uri[32];
        const size_t len = tl_str_print(uri, sizeof uri, "//load/%zu", i);
        TL_TRY(tl_keypair_from_uri(&l->senders[i], tl_scheme_sr25519(), (tl_str){uri, len}, ctx));
    }
    return TL_OK;
}

/* The whole length of the answer that begins in a buffer, or 0 while its head is not there. */
static size_t answer_len(const char *answer, size_t have)
{
    const char *end = memmem(answer, have, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    const size_t head = (size_t)(end - answer) + 4;
    for (const char *at = answer; at < end; at++) {
        if (*at == '\n' && strncasecmp(at + 1, "content-length:", 15) == 0) {
            return head + (size_t)strtoull(at + 16, NULL, 10);
        }
    }
    return head;
}

static tl_err push(load *l, load_connection *c, tl_errctx *ctx)
{
    const tl_str request = l->requests[c->next];
    while (c->sent < request.len) {
        const ssize_t n = write(c->fd, request.ptr + c->sent, request.len - c->sent);
        if (n < 0) {
            return errno == EAGAIN ? TL_OK : tl_fail(ctx, TL_ERR_IO, "write: %s", strerror(errno));
        }
        c->sent += (size_t)n;
    }
    return TL_OK;
}

static tl_err begin(load *l, load_connection *c, tl_errctx *ctx)
{
    c->begun_ns = tl_clock_steady_ns(&l->clock);
    c->sent = 0;
    c->have = 0;
    return push(l, c, ctx);
}

static tl_err pull(load *l, load_connection *c, tl_errctx *ctx)
{
    const ssize_t n = read(c->fd, c->answer + c->have, ANSWER_CAP - c->have);
    if (n < 0 && errno == EAGAIN) {
        return TL_OK;
    }
    if (n <= 0) {
        return tl_fail(ctx, TL_ERR_IO, "the server closed a connection after %zu answers",
                       l->answered);
    }
    c->have += (size_t)n;
    const size_t whole = answer_len(c->answer, c->have);
    if (whole == 0 || c->have < whole) {
        return c->have < ANSWER_CAP ? TL_OK : tl_fail(ctx, TL_ERR_LIMIT, "an answer is too long");
    }
    l->took_ns[l->answered++] = tl_clock_steady_ns(&l->clock) - c->begun_ns;
    if (c->have > 12 && memcmp(c->answer + 9, "200", 3) == 0) {
        l->good++;
    } else if (l->answered - l->good == 1) {
        (void)fprintf(stderr, "%.*s\n", (int)c->have, c->answer);
    }
    c->next += l->connection_count;
    return c->next < l->request_count ? begin(l, c, ctx) : TL_OK;
}

static tl_err open_connections(load *l, int poll, tl_errctx *ctx)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(l->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (size_t i = 0; i < l->connection_count; i++) {
        load_connection *c = &l->connections[i];
        c->next = i;
        c->answer = malloc(ANSWER_CAP);
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->answer == NULL || c->fd < 0 ||
            connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0) {
            return tl_fail(ctx, TL_ERR_IO, "connection %zu: %s", i, strerror(errno));
        }
        const int yes = 1;
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = (uint32_t)i}};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
            return tl_fail(ctx, TL_ERR_IO, "epoll: %s", strerror(errno));
        }
    }
    return TL_OK;
}

/* Nanoseconds that all threads of a process were on a processor, from the scheduler's own books. */
static int64_t cpu_ns(const char *pid)
{
    char folder[64];
    (void)tl_str_print(folder, sizeof folder, "/proc/%s/task", pid);
    DIR *tasks = opendir(folder);
    int64_t sum = 0;
    for (struct dirent *entry = NULL; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
        char path[384];
        (void)tl_str_print(path, sizeof path, "%s/%s/schedstat", folder, entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(path, "r") : NULL;
        long long ns = 0;
        if (file != NULL) {
            sum += fscanf(file, "%lld", &ns) == 1 ? ns : 0;
            (void)fclose(file);
        }
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    return sum;
}

static tl_err drive(load *l, int poll, tl_errctx *ctx)
{
    for (size_t i = 0; i < l->connection_count; i++) {
        TL_TRY(begin(l, &l->connections[i], ctx));
    }
    struct epoll_event events[256];
    while (l->answered < l->request_count) {
        const int n = epoll_wait(poll, events, 256, 10000);
        if (n <= 0) {
            return tl_fail(ctx, TL_ERR_IO, "no answer for ten seconds, after %zu", l->answered);
        }
        for (int i = 0; i < n; i++) {
            load_connection *c = &l->connections[events[i].data.u32];
            TL_TRY(c->sent < l->requests[c->next].len ? push(l, c, ctx) : TL_OK);
            TL_TRY(pull(l, c, ctx));
        }
    }
    return TL_OK;
}

static int by_time(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static tl_err run(load *l, const char *pid, tl_errctx *ctx)
{
    l->clock = tl_sys_clock();
    l->entropy = tl_sys_entropy();
    TL_TRY(tl_arena_new(&l->arena, NULL, (size_t)4 << 30, NULL, ctx));
    tl_synapse_defs defs;
    TL_TRY(tl_synapse_echo_set(&defs, l->arena, ctx));
    l->echo = tl_synapse_find(defs, TL_STR("Echo"));
    TL_TRY(make_senders(l, ctx));
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    TL_TRY(open_connections(l, poll, ctx));
    TL_TRY(make_requests(l, ctx));
    const int64_t cpu = cpu_ns(pid);
    const int64_t start = tl_clock_steady_ns(&l->clock);
    TL_TRY(drive(l, poll, ctx));
    const double seconds = (double)(tl_clock_steady_ns(&l->clock) - start) * 1e-9;
    const double cpu_s = (double)(cpu_ns(pid) - cpu) * 1e-9;
    qsort(l->took_ns, l->answered, sizeof *l->took_ns, by_time);
    (void)printf(
        "{\"connections\":%zu,\"requests\":%zu,\"good\":%zu,\"seconds\":%.6f,\"cpu_s\":%.6f,"
        "\"cpu_us_each\":%.3f,\"p50_ms\":%.4f,\"p99_ms\":%.4f}\n",
        l->connection_count, l->answered, l->good, seconds, cpu_s,
        cpu_s * 1e6 / (double)l->answered, (double)l->took_ns[l->answered / 2] * 1e-6,
        (double)l->took_ns[l->answered - 1 - l->answered / 100] * 1e-6);
    return TL_OK;
}

int main(int argc, char **argv)
{
    static load l;
    tl_errctx ctx = TL_ERRCTX_INIT;
    struct rlimit files = {8192, 8192};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    l.family = argc == 9 ? tl_auth_family_by_name(tl_str_from_cstr(argv[1])) : NULL;
    if (l.family == NULL || l.family->id == TL_AUTH_EPISTULA) {
        (void)fprintf(stderr, "usage: tally_load v10|btauth PORT RECEIVER CONNECTIONS REQUESTS "
                              "SENDERS BODY PID\n");
        return 2;
    }
    l.port = (uint16_t)strtoul(argv[2], NULL, 10);
    l.receiver = argv[3];
    l.connection_count = strtoull(argv[4], NULL, 10);
    l.request_count = strtoull(argv[5], NULL, 10);
    l.sender_count = strtoull(argv[6], NULL, 10);
    l.body_len = strtoull(argv[7], NULL, 10);
    if (l.connection_count == 0 || l.connection_count > CONNECTIONS_MAX || l.sender_count == 0 ||
        l.sender_count > SENDERS_MAX || l.request_count < l.connection_count) {
        (void)fprintf(stderr, "tally_load: numbers out of range\n");
        return 2;
    }
    const tl_err err = run(&l, argv[8], &ctx);
    if (err != TL_OK) {
        (void)fprintf(stderr, "tally_load: %s\n", ctx.message);
    }
    return tl_err_exit(err);
}
