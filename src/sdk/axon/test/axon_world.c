#include "axon_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"

static tl_keypair *pair_of(const char *uri)
{
    tl_keypair *pair = NULL;
    assert_int_equal(tl_keypair_from_uri(&pair, tl_scheme_sr25519(), tl_str_from_cstr(uri), NULL),
                     TL_OK);
    return pair;
}

void world_begin(world *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(tl_arena_new(&w->arena, NULL, 0, NULL, NULL), TL_OK);
    w->alice = pair_of("//Alice");
    w->bob = pair_of("//Bob");
    w->carol = pair_of("//Carol");
    w->clock = tl_sys_clock();
    w->entropy = tl_sys_entropy();
    w->settings = (tl_axon_settings){.host = "127.0.0.1", .key = w->alice};
}

void world_axon(world *w)
{
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_axon_new(&w->axon, &w->settings, &why) != TL_OK) {
        fail_msg("%s: %s", why.field, why.message);
    }
}

void world_start(world *w)
{
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_axon_start(w->axon, &why) != TL_OK) {
        fail_msg("%s: %s", why.field, why.message);
    }
}

void world_end(world *w)
{
    tl_axon_free(w->axon);
    tl_keypair_free(w->alice);
    tl_keypair_free(w->bob);
    tl_keypair_free(w->carol);
    tl_arena_free(w->arena);
}

int world_connect(const world *w)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(tl_axon_port(w->axon))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_storage storage;
    memset(&storage, 0, sizeof storage);
    memcpy(&storage, &to, sizeof to);
    assert_int_equal(connect(fd, (const struct sockaddr *)&storage, sizeof to), 0);
    return fd;
}

static void send_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        const ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* refused early: the answer tells */
        }
        at += sent;
        len -= (size_t)sent;
    }
}

void world_send(int fd, const world_request *request)
{
    char head[16384];
    const int len = snprintf(
        head, sizeof head, "%s %s HTTP/1.1\r\nHost: axon\r\n%.*sContent-Length: %zu\r\n\r\n",
        request->method, request->target, TL_STR_ARG(request->headers), request->body.len);
    send_all(fd, head, (size_t)len);
    send_all(fd, request->body.ptr, request->body.len);
}

/* Is there a whole answer? One that is chunked is whole at its last chunk. */
static bool is_whole(const world_answer *a)
{
    const char *end = strstr(a->text, "\r\n\r\n");
    if (end == NULL) {
        return false;
    }
    const char *length = world_header(a, "Content-Length");
    const size_t head = (size_t)(end - a->text) + 4;
    return length != NULL ? a->len - head >= strtoul(length, NULL, 10)
                          : a->len >= 5 && strcmp(a->text + a->len - 5, "0\r\n\r\n") == 0;
}

void world_receive(int fd, world_answer *out)
{
    memset(out, 0, sizeof *out);
    while (out->len < WORLD_ANSWER_CAP - 1 && !is_whole(out)) {
        const ssize_t len = recv(fd, out->text + out->len, WORLD_ANSWER_CAP - 1 - out->len, 0);
        if (len <= 0) {
            break;
        }
        out->len += (size_t)len;
    }
    const char *end = strstr(out->text, "\r\n\r\n");
    out->body = end != NULL ? end + 4 : "";
    out->status = end != NULL ? atoi(out->text + 9) : 0;
}

void world_ask(const world *w, const world_request *request, world_answer *out)
{
    const int fd = world_connect(w);
    world_send(fd, request);
    world_receive(fd, out);
    (void)close(fd);
}

static tl_str ss58_of(world *w, const tl_keypair *pair)
{
    char text[TL_SS58_CAP];
    (void)tl_ss58_encode(text, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
    tl_str copy;
    assert_int_equal(tl_str_copy(&copy, w->arena, tl_str_from_cstr(text), NULL), TL_OK);
    return copy;
}

static void put_headers(tl_sb *sb, tl_http_headers headers)
{
    for (size_t i = 0; i < headers.count; i++) {
        tl_sb_put(sb, headers.at[i].name);
        tl_sb_put(sb, TL_STR(": "));
        tl_sb_put(sb, headers.at[i].value);
        tl_sb_put(sb, TL_STR("\r\n"));
    }
}

static world_request sign(world *w, tl_auth_family_id family, const tl_keypair *from,
                          const char *method, const char *target, const char *body, int age_s)
{
    tl_auth_outgoing what = {.method = tl_str_from_cstr(method),
                             .target = tl_str_from_cstr(target),
                             .receiver = age_s < 0 ? ss58_of(w, w->alice) : TL_STR(""),
                             .now_ns = tl_clock_wall_ns(&w->clock)};
    what.now_ns -= age_s > 0 ? (int64_t)age_s * 1000000000 : 0;
    tl_sha256(&what.body_sha256, body, strlen(body));
    tl_http_headers headers;
    assert_int_equal(tl_auth_sign(&headers, w->arena, tl_auth_family_at(family),
                                  from != NULL ? from : w->bob, &what, &w->entropy, NULL),
                     TL_OK);
    tl_sb sb;
    world_request request = {
        .method = method, .target = target, .body = {(const uint8_t *)body, strlen(body)}};
    tl_sb_init(&sb, w->arena);
    put_headers(&sb, headers);
    assert_int_equal(tl_sb_finish(&request.headers, &sb, NULL), TL_OK);
    return request;
}

world_request world_btauth(world *w, const tl_keypair *from, const char *method, const char *target,
                           const char *body)
{
    return sign(w, TL_AUTH_BTAUTH, from, method, target, body, -1);
}

world_request world_unbound(world *w, const char *target, const char *body, int age_s)
{
    return sign(w, TL_AUTH_BTAUTH, NULL, "POST", target, body, age_s);
}

world_request world_epistula(world *w, const char *target, const char *body)
{
    return sign(w, TL_AUTH_EPISTULA, NULL, "POST", target, body, -1);
}

static void sha3_hex(char out[65], const char *text, size_t len)
{
    tl_hash32 digest;
    tl_sha3_256(&digest, text, len);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", digest.b[i]);
    }
}

world_request world_v10(world *w, const char *name, const char *body, const char *hash)
{
    const tl_auth_outgoing what = {.receiver = ss58_of(w, w->alice),
                                   .now_ns = tl_clock_wall_ns(&w->clock),
                                   .uuid = TL_STR("2b1e6c2a-0000-11f0-8000-000000000001"),
                                   .body_hash = tl_str_from_cstr(hash)};
    tl_http_headers headers;
    assert_int_equal(tl_auth_sign(&headers, w->arena, tl_auth_family_at(TL_AUTH_V10), w->bob, &what,
                                  &w->entropy, NULL),
                     TL_OK);
    tl_sb sb;
    world_request request = {.method = "POST", .body = {(const uint8_t *)body, strlen(body)}};
    tl_sb_init(&sb, w->arena);
    put_headers(&sb, headers);
    tl_sb_printf(&sb,
                 "bt_header_dendrite_version: 10005000\r\ntimeout: 12.0\r\n"
                 "bt_header_input_obj_a: MA==\r\nbt_header_input_obj_text: "
                 "IiI=\r\ncomputed_body_hash: %s\r\n"
                 "Content-Type: application/json\r\n",
                 hash);
    assert_int_equal(tl_sb_finish(&request.headers, &sb, NULL), TL_OK);
    tl_sb path;
    tl_str text;
    tl_sb_init(&path, w->arena);
    tl_sb_printf(&path, "/%s", name);
    assert_int_equal(tl_sb_finish(&text, &path, NULL), TL_OK);
    request.target = text.ptr;
    return request;
}

void world_hash(char out[65], const char *const *values, size_t count)
{
    char inner[64 * 4 + 1];
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++) {
        sha3_hex(inner + 64 * i, values[i], strlen(values[i]));
    }
    sha3_hex(out, inner, 64 * count);
}

world_request world_echo(world *w, int a, const char *text)
{
    char hash[65];
    char number[16];
    (void)snprintf(number, sizeof number, "%d", a);
    world_hash(hash, (const char *const[]){number, text}, 2);
    tl_sb sb;
    tl_str body;
    tl_sb_init(&sb, w->arena);
    tl_sb_printf(&sb, "{\"a\": %d, \"text\": \"%s\", \"dendrite\": {\"hotkey\": \"nobody\"}}", a,
                 text);
    assert_int_equal(tl_sb_finish(&body, &sb, NULL), TL_OK);
    return world_v10(w, "Echo", body.ptr, hash);
}

const char *world_header(const world_answer *answer, const char *name)
{
    static _Thread_local char value[4096];
    const char *at = strstr(answer->text, "\r\n");
    const char *end = strstr(answer->text, "\r\n\r\n");
    while (at != NULL && end != NULL && at < end) {
        at += 2;
        const char *line_end = strstr(at, "\r\n");
        const char *colon = memchr(at, ':', (size_t)(line_end - at));
        if (colon != NULL && (size_t)(colon - at) == strlen(name) &&
            memcmp(at, name, strlen(name)) == 0) {
            colon += 2;
            (void)snprintf(value, sizeof value, "%.*s", (int)(line_end - colon), colon);
            return value;
        }
        at = line_end;
    }
    return NULL;
}

long world_metric(const world *w, const char *line)
{
    tl_sb sb;
    tl_str text;
    const tl_arena_mark mark = tl_arena_get_mark(w->arena);
    tl_sb_init(&sb, w->arena);
    tl_axon_metrics_print(&sb, w->axon);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    const char *at = strstr(text.ptr, line);
    const long value = at != NULL ? strtol(at + strlen(line), NULL, 10) : -1;
    tl_arena_rewind(w->arena, mark);
    return value;
}
