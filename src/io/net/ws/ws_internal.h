/* ws_internal: a socket knows frames, not what carries them: server.c puts it on a tunnel of io/net/http, client.c on a
 * connection of its own, the fuzzer on memory. */
#ifndef TALLY_IO_NET_WS_INTERNAL_H
#define TALLY_IO_NET_WS_INTERNAL_H

#include <wslay/wslay.h>

#include "io/net/ws/ws.h"

#define TL__WS_KEY_CAP    32 /* 24 characters of base64 and a NUL */
#define TL__WS_ACCEPT_CAP 32 /* 28 */
#define TL__WS_HEAD_MAX   ((size_t)16 << 10)

/* tl__ws_wire: what carries the bytes. */
typedef struct tl__ws_wire {
    bool (*send)(tl_ws *ws, tl_bytes bytes); /* takes all; false: it is getting much */
    void (*close)(
        tl_ws *ws); /* once what was sent is out; then, never inside this call, tl__ws_end */
} tl__ws_wire;

struct tl_ws {
    const tl__ws_wire *wire;
    void *carrier; /* the wire's own */
    const tl_ws_calls *calls;
    void *self;
    tl_ws_settings settings;
    const tl_entropy *entropy; /* a client's, for masks */
    wslay_event_context_ptr frames;
    tl_bytes in;  /* being read by wslay */
    uint8_t *out; /* gathered from wslay, sent at once */
    size_t out_len;
    size_t out_cap;
    int64_t now_ms;
    int64_t heard_ms;
    int64_t pinged_ms; /* 0: no ping is out */
    int64_t close_due_ms;
    bool is_client;
    bool is_open;   /* frames may flow */
    bool is_inside; /* in wslay's or the application's hands: send when they return */
    bool is_closing;
    bool is_wire_closed;
    bool is_full;
    unsigned end_code;
    char end_text[TL_WS_REASON_LEN_MAX + 1];
    size_t end_text_len;
};

/* socket.c */
TL_MUST_USE tl_err tl__ws_init(tl_ws *ws, const tl__ws_wire *wire, void *carrier, bool is_client,
                               const tl_ws_calls *calls, void *self, const tl_ws_settings *settings,
                               int64_t now_ms, tl_errctx *ctx);
void tl__ws_deinit(tl_ws *ws);
void tl__ws_input(tl_ws *ws, tl_bytes bytes, int64_t now_ms);
void tl__ws_tick(tl_ws *ws, int64_t now_ms); /* about once a second */
void tl__ws_room(tl_ws *ws);
void tl__ws_fail(tl_ws *ws, const char *why); /* lost, or never made */
void tl__ws_end(tl_ws *ws);                   /* on_end; the carrier frees it then */

/* handshake.c */
void tl__ws_accept_for(char out[TL__WS_ACCEPT_CAP], tl_str key);
TL_MUST_USE tl_err tl__ws_make_key(char out[TL__WS_KEY_CAP], const tl_entropy *entropy,
                                   tl_errctx *ctx);
bool tl__ws_has_token(tl_http_headers headers, tl_str name, tl_str token);

typedef struct tl__ws_url {
    bool is_secure;
    uint16_t port;
    char host[256]; /* without brackets */
    tl_str authority;
    tl_str target; /* "/" when it has none: then ptr is not in the URL */
} tl__ws_url;

TL_MUST_USE tl_err tl__ws_url_parse(tl__ws_url *out, tl_str url, tl_errctx *ctx);

/* tl__ws_check_answer: a server's answer to our handshake, whole with its empty line. NULL when it is good, else why not. */
const char *tl__ws_check_answer(tl_str head, tl_str key, tl_str protocol);

#endif
