/* Frames and messages of one socket, over wslay. What wslay wants to send is gathered and leaves in one piece. */
#include <stdlib.h>
#include <string.h>

#include "io/net/ws/ws_internal.h"

static void flush(tl_ws *ws);

/* --- wslay's side --- */

static ssize_t on_recv(wslay_event_context_ptr frames, uint8_t *buf, size_t len, int flags,
                       void *user)
{
    tl_ws *ws = user;
    (void)flags;
    if (ws->in.len == 0) {
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    const size_t n = len < ws->in.len ? len : ws->in.len;
    memcpy(buf, ws->in.ptr, n);
    ws->in = (tl_bytes){ws->in.ptr + n, ws->in.len - n};
    return (ssize_t)n;
}

static bool reserve_out(tl_ws *ws, size_t need)
{
    if (need <= ws->out_cap) {
        return true;
    }
    const size_t cap = need < 4096 ? 4096 : need + need / 2;
    uint8_t *out = realloc(ws->out, cap);
    if (out == NULL) {
        return false;
    }
    ws->out = out;
    ws->out_cap = cap;
    return true;
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *data, size_t len, int flags,
                       void *user)
{
    tl_ws *ws = user;
    (void)flags;
    if (!reserve_out(ws, ws->out_len + len)) {
        wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    memcpy(ws->out + ws->out_len, data, len);
    ws->out_len += len;
    return (ssize_t)len;
}

static int on_mask(wslay_event_context_ptr frames, uint8_t *buf, size_t len, void *user)
{
    const tl_ws *ws = user;
    if (tl_entropy_fill(ws->entropy, buf, len, NULL) != TL_OK) {
        wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return 0;
}

static void keep_reason(tl_ws *ws, const struct wslay_event_on_msg_recv_arg *m)
{
    ws->end_code = m->status_code != 0 ? m->status_code : TL_WS_CLOSE_NONE;
    ws->end_text_len = m->msg_length > 2 ? m->msg_length - 2 : 0;
    if (ws->end_text_len > TL_WS_REASON_LEN_MAX) {
        ws->end_text_len = TL_WS_REASON_LEN_MAX;
    }
    if (ws->end_text_len > 0) {
        memcpy(ws->end_text, m->msg + 2, ws->end_text_len);
    }
}

static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *m,
                       void *user)
{
    tl_ws *ws = user;
    (void)frames;
    if (m->opcode == WSLAY_CONNECTION_CLOSE) {
        keep_reason(ws, m);
    } else if ((m->opcode == WSLAY_TEXT_FRAME || m->opcode == WSLAY_BINARY_FRAME) &&
               !ws->is_closing) {
        const bool is_text = m->opcode == WSLAY_TEXT_FRAME;
        TL_ASSERT(m->msg_length <= ws->settings.message_len_max); /* WS-1 */
        TL_VERIFY(!is_text || tl_str_is_utf8((tl_str){(const char *)m->msg, m->msg_length}));
        ws->calls->on_message(ws->self, ws, (tl_bytes){m->msg, m->msg_length}, is_text);
    }
}

/* --- begin and end --- */

static void fill(tl_ws_settings *s)
{
    s->message_len_max = s->message_len_max != 0 ? s->message_len_max : TL_WS_MESSAGE_LEN_MAX;
    s->ping_ms = s->ping_ms != 0 ? s->ping_ms : 30000;
    s->pong_ms = s->pong_ms != 0 ? s->pong_ms : 10000;
    s->close_ms = s->close_ms != 0 ? s->close_ms : 5000;
    s->connect_ms = s->connect_ms != 0 ? s->connect_ms : 10000;
}

tl_err tl__ws_init(tl_ws *ws, const tl__ws_wire *wire, void *carrier, bool is_client,
                   const tl_ws_calls *calls, void *self, const tl_ws_settings *settings,
                   int64_t now_ms, tl_errctx *ctx)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = on_recv,
                                                           .send_callback = on_send,
                                                           .genmask_callback = on_mask,
                                                           .on_msg_recv_callback = on_message};
    *ws = (tl_ws){
        .wire = wire, .carrier = carrier, .calls = calls, .self = self, .is_client = is_client};
    if (settings != NULL) {
        ws->settings = *settings;
    }
    fill(&ws->settings);
    ws->end_code = TL_WS_CLOSE_LOST;
    ws->now_ms = now_ms;
    ws->heard_ms = now_ms;
    const int failed =
        is_client ? wslay_event_context_client_init(&ws->frames, &callbacks, ws)
                  : wslay_event_context_server_init(&ws->frames, &callbacks, ws); /* WS-3 */
    if (failed != 0) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a WebSocket");
    }
    wslay_event_config_set_max_recv_msg_length(ws->frames, ws->settings.message_len_max);
    return TL_OK;
}

void tl__ws_deinit(tl_ws *ws)
{
    if (ws->frames != NULL) {
        wslay_event_context_free(ws->frames);
    }
    free(ws->out);
}

static void close_wire(tl_ws *ws)
{
    if (!ws->is_wire_closed) {
        ws->is_wire_closed = true;
        ws->is_open = false;
        ws->wire->close(ws);
    }
}

void tl__ws_fail(tl_ws *ws, const char *why)
{
    if (ws->end_code == TL_WS_CLOSE_LOST && ws->end_text_len == 0) {
        ws->end_text_len = tl_str_print(ws->end_text, sizeof ws->end_text, "%s", why);
    }
    close_wire(ws);
}

void tl__ws_end(tl_ws *ws)
{
    const tl_ws_calls *calls = ws->calls;
    if (calls->on_end != NULL) {
        calls->on_end(ws->self, ws, ws->end_code,
                      (tl_str){ws->end_text, ws->end_text_len}); /* WS-2 */
    }
}

/* --- what comes in --- */

void tl__ws_input(tl_ws *ws, tl_bytes bytes, int64_t now_ms)
{
    ws->now_ms = now_ms;
    ws->heard_ms = now_ms;
    ws->pinged_ms = 0;
    if (!ws->is_open) {
        return;
    }
    ws->in = bytes;
    ws->is_inside = true;
    const int failed = wslay_event_recv(ws->frames);
    ws->is_inside = false;
    ws->in = (tl_bytes){0};
    if (failed !=
        0) { /* a broken rule mostly; where wslay has not queued the close that says so, it takes one now */
        (void)wslay_event_queue_close(ws->frames, TL_WS_CLOSE_PROTOCOL, NULL, 0);
    }
    flush(ws);
    flush(ws);
    if (failed != 0) {
        tl__ws_fail(ws, "no memory for a message");
    }
}

void tl__ws_room(tl_ws *ws)
{
    if (ws->is_open && !ws->is_closing && ws->calls->on_room != NULL) {
        ws->calls->on_room(ws->self, ws);
    }
}

void tl__ws_tick(tl_ws *ws, int64_t now_ms)
{
    ws->now_ms = now_ms;
    if (ws->is_wire_closed || !ws->is_open) {
        return;
    }
    if (ws->is_closing) {
        if (now_ms >= ws->close_due_ms) {
            close_wire(ws);
        }
        return;
    }
    if (ws->pinged_ms != 0 && now_ms - ws->pinged_ms >= ws->settings.pong_ms) {
        tl__ws_fail(ws, "no answer to a ping");
    } else if (ws->pinged_ms == 0 && now_ms - ws->heard_ms >= ws->settings.ping_ms) {
        const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
        ws->pinged_ms = now_ms;
        if (wslay_event_queue_msg(ws->frames, &ping) == 0) {
            flush(ws);
        }
    }
}

/* --- what goes out --- */

/* For a frame that is none, wslay says a close without a code, last of all: say 1002 in its place. */
static bool name_protocol_error(tl_ws *ws)
{
    static const uint8_t body[2] = {TL_WS_CLOSE_PROTOCOL >> 8, TL_WS_CLOSE_PROTOCOL & 0xff};
    const size_t len = ws->is_client ? 6 : 2; /* with a mask */
    if (!reserve_out(ws, ws->out_len + sizeof body)) {
        return false;
    }
    TL_ASSERT(ws->out_len >= len);
    uint8_t *frame = ws->out + ws->out_len - len;
    TL_ASSERT(frame[0] == 0x88 && (frame[1] & 0x7f) == 0);
    frame[1] |= sizeof body;
    for (size_t i = 0; i < sizeof body; i++) {
        frame[len + i] = ws->is_client ? (uint8_t)(body[i] ^ frame[2 + i]) : body[i]; /* WS-3 */
    }
    ws->out_len += sizeof body;
    return true;
}

static void hand_over(tl_ws *ws)
{
    if (ws->out_len > 0) {
        const size_t len = ws->out_len;
        ws->out_len = 0;
        ws->is_full = !ws->wire->send(ws, (tl_bytes){ws->out, len});
    }
    if (ws->out_cap > 65536) {
        free(ws->out);
        ws->out = NULL;
        ws->out_cap = 0;
    }
}

/* Hand over what wslay has to send; when both sides have said their close, the connection ends. */
static void flush(tl_ws *ws)
{
    if (ws->is_inside || ws->is_wire_closed) {
        return;
    }
    if (wslay_event_send(ws->frames) != 0) {
        tl__ws_fail(ws, "no memory for a message");
        return;
    }
    const bool is_sent = wslay_event_get_close_sent(ws->frames) != 0;
    const bool is_heard = wslay_event_get_close_received(ws->frames) != 0;
    if (is_sent && !ws->is_closing) { /* said by wslay: the peer closes, or broke a rule */
        ws->is_closing = true;
        ws->close_due_ms = ws->now_ms + ws->settings.close_ms;
        const unsigned code = wslay_event_get_status_code_sent(ws->frames);
        if (!is_heard) {
            ws->end_code = code == TL_WS_CLOSE_NONE ? TL_WS_CLOSE_PROTOCOL : code;
        }
        if (!is_heard && code == TL_WS_CLOSE_NONE && !name_protocol_error(ws)) {
            tl__ws_fail(ws, "no memory to close");
            return;
        }
    }
    hand_over(ws);
    if (is_sent && (is_heard || !wslay_event_want_read(ws->frames))) {
        close_wire(ws);
    }
}

bool tl_ws_send(tl_ws *ws, tl_bytes message, bool is_text)
{
    if (!ws->is_open || ws->is_closing) {
        return true;
    }
    const struct wslay_event_msg m = {.opcode = is_text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
                                      .msg = message.ptr,
                                      .msg_length = message.len};
    if (wslay_event_queue_msg(ws->frames, &m) != 0) {
        tl__ws_fail(ws, "no memory for a message");
        return true;
    }
    flush(ws);
    return !ws->is_full;
}

void tl_ws_close(tl_ws *ws, unsigned code, tl_str reason)
{
    if (!ws->is_open) {
        tl__ws_fail(ws, "closed before it was open");
        return;
    }
    if (ws->is_closing) {
        return;
    }
    size_t len = reason.len < TL_WS_REASON_LEN_MAX ? reason.len : TL_WS_REASON_LEN_MAX;
    while (len > 0 && !tl_str_is_utf8((tl_str){reason.ptr, len})) {
        len--; /* a cut must not split a character */
    }
    if (wslay_event_queue_close(ws->frames, (uint16_t)code, (const uint8_t *)reason.ptr, len) !=
        0) {
        tl__ws_fail(ws, "no memory to close");
        return;
    }
    ws->is_closing = true;
    ws->close_due_ms = ws->now_ms + ws->settings.close_ms;
    flush(ws);
}
