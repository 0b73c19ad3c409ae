/* Attacks the frames: arbitrary bytes, cut anywhere, at a server's socket and at a client's. Nothing may crash or leak, texts
 * are UTF-8, messages keep to the limit (WS-1), and each socket ends once (WS-2).
 *
 * The input: a byte of settings, then commands: 0x01-0x7f send that many bytes, 0x80 a second passes, 0x81 we send a message,
 * 0x82 we close, anything else 30 seconds pass. */
#include <stdlib.h>
#include <string.h>

#include "io/net/ws/ws_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { MESSAGE_LEN_MAX = 300 };

typedef struct far_end {
    size_t sent_len;
    size_t messages;
    size_t ends;
    bool is_closed;
} far_end;

static bool wire_send(tl_ws *ws, tl_bytes bytes)
{
    far_end *f = ws->carrier;
    TL_ASSERT(!f->is_closed);
    f->sent_len += bytes.len;
    return f->sent_len % 3 != 0;
}

static void wire_close(tl_ws *ws)
{
    far_end *f = ws->carrier;
    TL_ASSERT(!f->is_closed);
    f->is_closed = true;
}

static void on_message(void *self, tl_ws *ws, tl_bytes message, bool is_text)
{
    far_end *f = self;
    TL_ASSERT(message.len <= MESSAGE_LEN_MAX); /* WS-1 */
    TL_ASSERT(!is_text || tl_str_is_utf8((tl_str){(const char *)message.ptr, message.len}));
    f->messages++;
    (void)tl_ws_send(ws, message, is_text);
    if (message.len == 7) {
        tl_ws_close(ws, TL_WS_CLOSE_NORMAL, TL_STR("seven"));
    }
}

static void on_end(void *self, tl_ws *ws, unsigned code, tl_str text)
{
    far_end *f = self;
    (void)ws;
    TL_ASSERT(code >= 1000 && text.len <= TL_WS_REASON_LEN_MAX);
    f->ends++;
}

static void run(tl_ws *ws, const uint8_t *data, size_t len)
{
    int64_t now = 1000;
    while (len > 0) {
        const uint8_t command = *data++;
        len--;
        if (command > 0 && command < 0x80) {
            const size_t n = command < len ? command : len;
            tl__ws_input(ws, (tl_bytes){data, n}, now);
            data += n;
            len -= n;
        } else if (command == 0x81) {
            (void)tl_ws_send(ws, (tl_bytes){(const uint8_t *)"hello", 5}, true);
        } else if (command == 0x82) {
            tl_ws_close(ws, TL_WS_CLOSE_NORMAL, TL_STR("bye"));
        } else {
            now += command == 0x80 ? 1000 : 30000;
            tl__ws_tick(ws, now);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const tl__ws_wire wire = {wire_send, wire_close};
    static const tl_ws_calls calls = {.on_message = on_message, .on_end = on_end};
    const tl_ws_settings settings = {.message_len_max = MESSAGE_LEN_MAX};
    tl_seeded_entropy seed;
    const tl_entropy luck = tl_seeded_entropy_start(&seed, 1);
    far_end f = {0};
    tl_ws ws;
    if (len == 0) {
        return 0;
    }
    TL_ASSERT(tl__ws_init(&ws, &wire, &f, (data[0] & 1) != 0, &calls, &f, &settings, 1000, NULL) ==
              TL_OK);
    ws.entropy = &luck;
    ws.is_open = true;
    run(&ws, data + 1, len - 1);
    tl__ws_end(&ws);
    tl__ws_deinit(&ws);
    TL_ASSERT(f.ends == 1); /* WS-2 */
    return 0;
}
