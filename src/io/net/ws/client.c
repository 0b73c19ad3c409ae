/* A socket on a connection of its own: name, TCP, TLS, handshake, frames.
 *
 *     resolving ─▶ connecting ─▶ (TLS) ─▶ waiting for the answer's head ─▶ frames ─▶ closing its handles ─▶ on_end
 *
 * Every way out goes through finish(): it closes the handles, and the last that is closed calls on_end (WS-2). */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "io/net/ws/ws_internal.h"

enum { READ_LEN = 16 << 10, PENDING_MAX = 256 << 10, TICK_MS = 200 };

typedef struct client {
    tl_ws ws;
    uv_loop_t *uv;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    struct addrinfo *found; /* all addresses */
    struct addrinfo *next;  /* to be tried */
    tl_tls_session *tls;
    char key[TL__WS_KEY_CAP];
    char port[8];
    char *request;
    size_t request_len;
    char *protocol; /* a copy of the settings' */
    uint8_t *head;  /* of the answer, until it is whole */
    size_t head_len;
    size_t pending_len; /* given to libuv, not sent yet */
    int64_t due_ms;     /* of the handshake */
    unsigned handle_count;
    bool is_resolving;
    bool has_tcp;
    bool is_shaken; /* frames flow */
    bool is_full;
    bool is_ending; /* the wire is to be closed when all is sent */
    bool is_finished;
    uint8_t buffer[READ_LEN];
} client;

typedef struct out_write {
    uv_write_t req;
    client *c;
    size_t len;
    char data[];
} out_write;

static void free_client(client *c)
{
    if (c->found != NULL) {
        uv_freeaddrinfo(c->found);
    }
    tl__ws_deinit(&c->ws);
    tl_tls_session_free(c->tls);
    free(c->request);
    free(c->protocol);
    free(c->head);
    free(c);
}

static void end_when_closed(client *c)
{
    if (c->is_finished && c->handle_count == 0 && !c->is_resolving) {
        tl__ws_end(&c->ws);
        free_client(c);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    client *c = handle->data;
    c->handle_count--;
    end_when_closed(c);
}

static void finish(client *c)
{
    if (c->is_finished) {
        return;
    }
    c->is_finished = true;
    c->ws.is_wire_closed = true;
    c->ws.is_open = false;
    if (c->is_resolving) {
        (void)uv_cancel((uv_req_t *)&c->resolve);
    }
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
    if (c->has_tcp && !uv_is_closing((uv_handle_t *)&c->tcp)) {
        uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
    }
}

static void fail(client *c, const char *why)
{
    tl_ws *ws = &c->ws;
    if (ws->end_code == TL_WS_CLOSE_LOST && ws->end_text_len == 0) {
        ws->end_text_len = tl_str_print(ws->end_text, sizeof ws->end_text, "%s", why);
    }
    finish(c);
}

/* --- sending --- */

static void on_written(uv_write_t *req, int status)
{
    out_write *w = (out_write *)req;
    client *c = w->c;
    c->pending_len -= w->len;
    free(w);
    if (status != 0) {
        fail(c, "the connection is lost");
    } else if (c->is_ending && c->pending_len == 0) {
        finish(c);
    } else if (c->is_full && c->pending_len < PENDING_MAX / 2) {
        c->is_full = false;
        tl__ws_room(&c->ws);
    }
}

static void send_raw(client *c, tl_bytes bytes)
{
    if (c->is_finished || bytes.len == 0) {
        return;
    }
    out_write *w = malloc(sizeof *w + bytes.len);
    if (w == NULL) {
        fail(c, "no memory to send");
        return;
    }
    w->c = c;
    w->len = bytes.len;
    memcpy(w->data, bytes.ptr, bytes.len);
    const uv_buf_t buf = uv_buf_init(w->data, (unsigned)bytes.len);
    c->pending_len += bytes.len;
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
        c->pending_len -= bytes.len;
        free(w);
        fail(c, "the connection is lost");
    }
}

static void pull_tls(client *c)
{
    uint8_t bytes[4096];
    size_t n;
    while ((n = tl_tls_pull(c->tls, bytes, sizeof bytes)) > 0) {
        send_raw(c, (tl_bytes){bytes, n});
    }
}

static void send_plain(client *c, tl_bytes bytes)
{
    if (c->tls == NULL) {
        send_raw(c, bytes);
        return;
    }
    const bool is_good = tl_tls_write(c->tls, bytes);
    pull_tls(c);
    if (!is_good) {
        fail(c, "TLS failed");
    }
}

static bool wire_send(tl_ws *ws, tl_bytes bytes)
{
    client *c = ws->carrier;
    send_plain(c, bytes);
    c->is_full = c->is_full || c->pending_len > PENDING_MAX;
    return !c->is_full;
}

static void wire_close(tl_ws *ws)
{
    client *c = ws->carrier;
    if (c->tls != NULL && !c->is_finished && c->is_shaken) {
        tl_tls_close(c->tls);
        pull_tls(c);
    }
    c->is_ending = true;
    if (c->pending_len == 0 || ws->end_code == TL_WS_CLOSE_LOST) {
        finish(c);
    }
}

static const tl__ws_wire client_wire = {wire_send, wire_close};

/* --- receiving --- */

/* The answer's head, then frames. */
static void take_head(client *c, tl_bytes bytes)
{
    const size_t room = TL__WS_HEAD_MAX - c->head_len;
    const size_t n = bytes.len < room ? bytes.len : room;
    memcpy(c->head + c->head_len, bytes.ptr, n);
    c->head_len += n;
    const uint8_t *end = memmem(c->head, c->head_len, "\r\n\r\n", 4);
    if (end == NULL) {
        if (n < bytes.len || c->head_len == TL__WS_HEAD_MAX) {
            fail(c, "the answer's head is too long");
        }
        return;
    }
    const size_t len = (size_t)(end - c->head) + 4;
    const char *why = tl__ws_check_answer((tl_str){(const char *)c->head, len},
                                          tl_str_from_cstr(c->key), c->ws.settings.protocol);
    if (why != NULL) {
        fail(c, why);
        return;
    }
    const size_t before = c->head_len - n; /* of this read, `len - before` bytes were head */
    const tl_bytes rest = {bytes.ptr + (len - before), bytes.len - (len - before)};
    c->is_shaken = true;
    c->ws.is_open = true;
    if (c->ws.calls->on_open != NULL) {
        c->ws.calls->on_open(c->ws.self, &c->ws);
    }
    if (rest.len > 0 && !c->is_finished) {
        tl__ws_input(&c->ws, rest, (int64_t)uv_now(c->uv));
    }
}

static void take_plain(client *c, tl_bytes bytes)
{
    if (c->is_shaken) {
        tl__ws_input(&c->ws, bytes, (int64_t)uv_now(c->uv));
    } else {
        take_head(c, bytes);
    }
}

static void send_request(client *c)
{
    send_plain(c, (tl_bytes){(const uint8_t *)c->request, c->request_len});
}

static void take_tls(client *c, tl_bytes wire)
{
    uint8_t plain[4096];
    size_t n;
    const bool was_shaking = tl_tls_state_of(c->tls) == TL_TLS_SHAKING;
    const tl_tls_state state = tl_tls_feed(c->tls, wire);
    pull_tls(c);
    if (was_shaking && state == TL_TLS_OPEN) {
        send_request(c);
    }
    while (!c->is_finished && (n = tl_tls_read(c->tls, plain, sizeof plain)) > 0) {
        take_plain(c, (tl_bytes){plain, n});
    }
    const tl_tls_state now = tl_tls_state_of(c->tls);
    if (now == TL_TLS_FAILED) {
        fail(c, "TLS failed, or the certificate is not the host's");
    } else if (now == TL_TLS_ENDED) {
        fail(c, "the server closed the connection");
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    client *c = handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)c->buffer, sizeof c->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    client *c = stream->data;
    (void)buf;
    if (n < 0) {
        fail(c, n == UV_EOF ? "the server closed the connection" : "the connection is lost");
    } else if (n > 0 && c->tls != NULL) {
        take_tls(c, (tl_bytes){c->buffer, (size_t)n});
    } else if (n > 0) {
        take_plain(c, (tl_bytes){c->buffer, (size_t)n});
    }
}

/* --- connecting --- */

static void try_next(client *c);

static void on_connected(uv_connect_t *req, int status)
{
    client *c = req->data;
    if (c->is_finished) {
        return;
    }
    if (status != 0) {
        try_next(c);
        return;
    }
    (void)uv_tcp_nodelay(&c->tcp, 1);
    if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
        fail(c, "the connection is lost");
    } else if (c->tls != NULL) {
        (void)tl_tls_start(c->tls);
        pull_tls(c);
    } else {
        send_request(c);
    }
}

static void on_attempt_closed(uv_handle_t *handle)
{
    client *c = handle->data;
    c->handle_count--;
    c->has_tcp = false;
    if (c->is_finished) {
        end_when_closed(c);
    } else {
        try_next(c);
    }
}

/* One address after the other, each with a fresh handle. */
static void try_next(client *c)
{
    if (c->has_tcp) { /* the one before failed */
        uv_close((uv_handle_t *)&c->tcp, on_attempt_closed);
        return;
    }
    const struct addrinfo *a = c->next;
    if (a == NULL) {
        fail(c, "nobody answers at the server's address");
        return;
    }
    c->next = a->ai_next;
    (void)uv_tcp_init(c->uv, &c->tcp);
    c->tcp.data = c;
    c->has_tcp = true;
    c->handle_count++;
    c->connect.data = c;
    if (uv_tcp_connect(&c->connect, &c->tcp, a->ai_addr, on_connected) != 0) {
        try_next(c);
    }
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    client *c = req->data;
    c->is_resolving = false;
    c->found = found;
    c->next = found;
    if (c->is_finished) {
        end_when_closed(c);
    } else if (status != 0) {
        fail(c, "the server's name is not known");
    } else {
        try_next(c);
    }
}

static void on_timer(uv_timer_t *timer)
{
    client *c = timer->data;
    const int64_t now = (int64_t)uv_now(c->uv);
    if (!c->is_shaken && now >= c->due_ms) {
        fail(c, "the server does not answer in time");
    } else if (c->is_ending && now >= c->due_ms && now >= c->ws.close_due_ms) {
        finish(c);
    } else if (c->is_shaken) {
        tl__ws_tick(&c->ws, now);
    }
}

/* --- begin --- */

static tl_err write_request(client *c, const tl__ws_url *url, tl_http_headers headers,
                            tl_errctx *ctx)
{
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, NULL, 1 << 20, NULL, ctx));
    tl_sb sb;
    tl_sb_init(&sb, scratch);
    tl_sb_printf(&sb,
                 "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n",
                 TL_STR_ARG(url->target), TL_STR_ARG(url->authority), c->key);
    if (c->ws.settings.protocol.len > 0) {
        tl_sb_printf(&sb, "Sec-WebSocket-Protocol: %.*s\r\n", TL_STR_ARG(c->ws.settings.protocol));
    }
    for (size_t i = 0; i < headers.count; i++) {
        tl_sb_printf(&sb, "%.*s: %.*s\r\n", TL_STR_ARG(headers.at[i].name),
                     TL_STR_ARG(headers.at[i].value));
    }
    tl_sb_put(&sb, TL_STR("\r\n"));
    tl_str text;
    tl_err err = tl_sb_finish(&text, &sb, ctx);
    c->request = err == TL_OK ? malloc(text.len) : NULL;
    if (c->request != NULL) {
        memcpy(c->request, text.ptr, text.len);
        c->request_len = text.len;
    } else if (err == TL_OK) {
        err = tl_fail(ctx, TL_ERR_NOMEM, "no memory for a WebSocket");
    }
    tl_arena_free(scratch);
    return err;
}

static tl_err prepare(client *c, const tl__ws_url *url, tl_http_headers headers, tl_errctx *ctx)
{
    const tl_str protocol = c->ws.settings.protocol;
    c->head = malloc(TL__WS_HEAD_MAX);
    c->protocol = malloc(protocol.len + 1);
    if (c->head == NULL || c->protocol == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a WebSocket");
    }
    if (protocol.len > 0) {
        memcpy(c->protocol, protocol.ptr, protocol.len);
        c->ws.settings.protocol.ptr = c->protocol;
    }
    if (url->is_secure) {
        c->tls = tl_tls_session_new(c->ws.settings.tls, url->host);
        if (c->tls == NULL) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no memory for TLS to \"%s\"", url->host);
        }
    }
    TL_TRY(tl__ws_make_key(c->key, c->ws.entropy, ctx));
    return write_request(c, url, headers, ctx);
}

static tl_err begin(client *c, const tl__ws_url *url, tl_errctx *ctx)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    (void)tl_str_print(c->port, sizeof c->port, "%u", (unsigned)url->port);
    c->resolve.data = c;
    const int err = uv_getaddrinfo(c->uv, &c->resolve, on_resolved, url->host, c->port, &hints);
    if (err != 0) {
        return tl_fail_field(ctx, TL_ERR_IO, "url", "cannot look up \"%s\": %s", url->host,
                             uv_strerror(err));
    }
    c->is_resolving = true;
    (void)uv_timer_init(c->uv, &c->timer);
    c->timer.data = c;
    c->handle_count++;
    c->due_ms = (int64_t)uv_now(c->uv) + c->ws.settings.connect_ms;
    (void)uv_timer_start(&c->timer, on_timer, TICK_MS, TICK_MS);
    return TL_OK;
}

tl_err tl_ws_connect(tl_ws **out, struct uv_loop_s *uv, tl_str url, tl_http_headers headers,
                     const tl_entropy *entropy, const tl_ws_calls *calls, void *self,
                     const tl_ws_settings *settings, tl_errctx *ctx)
{
    tl__ws_url parsed;
    TL_TRY(tl__ws_url_parse(&parsed, url, ctx));
    if (parsed.is_secure && (settings == NULL || settings->tls == NULL)) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "tls", "wss:// needs a TLS context");
    }
    client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a WebSocket");
    }
    c->uv = uv;
    tl_err err =
        tl__ws_init(&c->ws, &client_wire, c, true, calls, self, settings, (int64_t)uv_now(uv), ctx);
    c->ws.entropy = entropy;
    if (err == TL_OK) {
        err = prepare(c, &parsed, headers, ctx);
    }
    if (err == TL_OK) {
        err = begin(c, &parsed, ctx);
    }
    if (err != TL_OK) {
        free_client(c);
        return err;
    }
    *out = &c->ws;
    return TL_OK;
}
