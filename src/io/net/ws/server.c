/* A socket on a connection of the HTTP server. */
#include <stdlib.h>

#include "io/net/ws/ws_internal.h"

static int64_t now_of(const tl_http_tunnel *tunnel)
{
    return tl_http_loop_now_ms(tl_http_tunnel_loop(tunnel));
}

static bool send_tunnel(tl_ws *ws, tl_bytes bytes)
{
    return tl_http_tunnel_write(ws->carrier, bytes);
}

static void close_tunnel(tl_ws *ws)
{
    tl_http_tunnel_close(ws->carrier);
}

static const tl__ws_wire tunnel_wire = {send_tunnel, close_tunnel};

static void on_bytes(void *self, tl_http_tunnel *tunnel, tl_bytes bytes)
{
    tl__ws_input(self, bytes, now_of(tunnel));
}

static void on_room(void *self, tl_http_tunnel *tunnel)
{
    (void)tunnel;
    tl__ws_room(self);
}

static void on_tick(void *self, tl_http_tunnel *tunnel)
{
    tl__ws_tick(self, now_of(tunnel));
}

static void on_stop(void *self, tl_http_tunnel *tunnel)
{
    (void)tunnel;
    tl_ws_close(self, TL_WS_CLOSE_AWAY, (tl_str){0});
}

static void on_end(void *self, tl_http_tunnel *tunnel)
{
    tl_ws *ws = self;
    (void)tunnel;
    ws->is_open = false;
    ws->is_wire_closed = true;
    tl__ws_end(ws);
    tl__ws_deinit(ws);
    free(ws);
}

static const tl_http_tunnel_calls tunnel_calls = {on_bytes, on_room, on_tick, on_stop, on_end};

bool tl_ws_is_upgrade(const tl_http_request *request)
{
    return tl__ws_has_token(request->headers, TL_STR("Upgrade"), TL_STR("websocket")) &&
           tl__ws_has_token(request->headers, TL_STR("Connection"), TL_STR("upgrade"));
}

static void refuse(tl_http_exchange *x, int status)
{
    const tl_http_header version = {TL_STR("Sec-WebSocket-Version"), TL_STR("13")};
    tl_http_answer(x, status, (tl_http_headers){&version, status == 426 ? 1 : 0}, (tl_bytes){0});
}

/* 16 bytes in canonical base64: 22 characters and "==". */
static bool is_key(tl_str key)
{
    bool is_good = key.len == 24 && tl_str_ends_with(key, TL_STR("=="));
    for (size_t i = 0; is_good && i < 22; i++) {
        const char c = key.ptr[i];
        is_good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/';
    }
    return is_good;
}

static tl_err check_request(const tl_http_request *r, int *status, tl_errctx *ctx)
{
    const tl_http_header *key = tl_http_find(r->headers, TL_STR("Sec-WebSocket-Key"));
    const tl_http_header *version = tl_http_find(r->headers, TL_STR("Sec-WebSocket-Version"));
    *status = 400;
    if (!tl_str_eq(r->method, TL_STR("GET")) || r->has_body || r->is_http_1_0 ||
        !tl_ws_is_upgrade(r)) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "the request does not ask for a WebSocket");
    }
    if (key == NULL || !is_key(key->value) || tl_http_count(r->headers, key->name) != 1) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "Sec-WebSocket-Key",
                             "it is not one key of 16 bytes");
    }
    if (version == NULL || !tl_str_eq(version->value, TL_STR("13"))) {
        *status = 426;
        return tl_fail_field(ctx, TL_ERR_VERSION, "Sec-WebSocket-Version",
                             "only version 13 is spoken");
    }
    return TL_OK;
}

static tl_err upgrade(tl_ws *ws, tl_http_exchange *x, tl_errctx *ctx)
{
    const tl_http_request *r = tl_http_request_of(x);
    const tl_str protocol = ws->settings.protocol;
    char accept[TL__WS_ACCEPT_CAP];
    tl__ws_accept_for(accept, tl_http_find(r->headers, TL_STR("Sec-WebSocket-Key"))->value);
    tl_http_header fields[3] = {{TL_STR("Upgrade"), TL_STR("websocket")},
                                {TL_STR("Sec-WebSocket-Accept"), tl_str_from_cstr(accept)}};
    size_t count = 2;
    if (protocol.len > 0 &&
        tl__ws_has_token(r->headers, TL_STR("Sec-WebSocket-Protocol"), protocol)) {
        fields[count++] = (tl_http_header){TL_STR("Sec-WebSocket-Protocol"), protocol};
    }
    ws->carrier = tl_http_upgrade(x, (tl_http_headers){fields, count}, &tunnel_calls, ws);
    return ws->carrier != NULL
               ? TL_OK
               : tl_fail(ctx, TL_ERR_STATE, "the connection cannot be handed over now");
}

tl_err tl_ws_accept(tl_ws **out, tl_http_exchange *x, const tl_ws_calls *calls, void *self,
                    const tl_ws_settings *settings, tl_errctx *ctx)
{
    int status;
    tl_err err = check_request(tl_http_request_of(x), &status, ctx);
    if (err != TL_OK) {
        refuse(x, status);
        return err;
    }
    tl_ws *ws = malloc(sizeof *ws);
    err = ws == NULL ? tl_fail(ctx, TL_ERR_NOMEM, "no memory for a WebSocket")
                     : tl__ws_init(ws, &tunnel_wire, NULL, false, calls, self, settings,
                                   tl_http_loop_now_ms(tl_http_loop_of(x)), ctx);
    if (err != TL_OK) {
        free(ws);
        refuse(x, 503);
        return err;
    }
    err = upgrade(ws, x, ctx);
    if (err != TL_OK) {
        tl__ws_deinit(ws);
        free(ws);
        refuse(x, 503);
        return err;
    }
    ws->is_open = true;
    *out = ws;
    return TL_OK;
}
