/* Attacks the connection: arbitrary bytes, cut anywhere, on two connections, with a peer that takes answers slowly, closes,
 * or waits until deadlines pass. Nothing may crash or leak, each exchange ends once (HTTP-2), and what is no HTTP never
 * reaches the application (HTTP-1), which looks at each request again with a slower reader of its own.
 *
 * The input: a byte of settings; then commands, each one byte and what it needs:
 *   0x00-0x7f  send that many bytes of what follows (0: 400 of them)    0x80 turn   0x81 the peer reads   0x82 end of input
 *   0x83 a second passes   0x84 the other connection   0x85 answer what waits   0x86 less room   0x87 half a minute */
#include <stdlib.h>
#include <string.h>

#include "memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

typedef struct script {
    const uint8_t *at;
    size_t len;
} script;

static uint8_t next(script *s)
{
    if (s->len == 0) {
        return 0;
    }
    s->len--;
    return *s->at++;
}

/* What an honest request looks like to a reader that knows one rule a line. */
static void check_request(const tl_http_request *r)
{
    TL_ASSERT(memchr(r->target.ptr, ' ', r->target.len) == NULL); /* HTTP-1 */
    TL_ASSERT(r->origin.len > 0 && (r->origin.ptr[0] == '/' || r->origin.ptr[0] == '*'));
    TL_ASSERT(!(r->is_chunked && r->has_content_length));
    TL_ASSERT(tl_http_count(r->headers, TL_STR("content-length")) ==
              (r->has_content_length ? 1 : 0));
    TL_ASSERT(tl_http_count(r->headers, TL_STR("transfer-encoding")) == (r->is_chunked ? 1 : 0));
    TL_ASSERT(tl_http_count(r->headers, TL_STR("host")) <= 1);
    TL_ASSERT(!r->has_content_length || r->body.len == 0 || r->body.len == r->content_length);
    for (size_t i = 0; i < r->headers.count; i++) {
        const tl_http_header *h = &r->headers.at[i];
        TL_ASSERT(h->name.len > 0);
        for (size_t k = 0; k < h->name.len; k++) {
            TL_ASSERT(h->name.ptr[k] > ' ' && h->name.ptr[k] != ':');
        }
        for (size_t k = 0; k < h->value.len; k++) {
            TL_ASSERT((uint8_t)h->value.ptr[k] >= ' ' || h->value.ptr[k] == '\t');
        }
    }
}

static void (*echo_on_request)(void *user, tl_http_exchange *x);

static void on_request(void *user, tl_http_exchange *x)
{
    check_request(tl_http_request_of(x));
    echo_on_request(user, x);
}

static void run_command(memory_world *w, script *s, size_t *line)
{
    const uint8_t command = next(s);
    memory_line *l = &w->lines[*line];
    if (command < 0x80) {
        size_t n = command == 0 ? 400 : command;
        n = n < s->len ? n : s->len;
        if (l->conn == NULL || l->is_reading) {
            memory_send(l, (tl_str){(const char *)s->at, n});
        }
        s->at += n;
        s->len -= n;
    } else if (command == 0x80) {
        memory_turn(w);
    } else if (command == 0x81) {
        memory_take(w, l);
    } else if (command == 0x82 && l->conn != NULL && !l->is_closed) {
        tl__http_conn_eof(l->conn);
    } else if (command == 0x83 || command == 0x87) {
        memory_later(w, command == 0x83 ? 1000 : 30000);
    } else if (command == 0x84) {
        *line = 1 - *line;
    } else if (command == 0x85 && w->echo.later_count > 0) {
        echo_app_answer_later(&w->echo, w->echo.later_count - 1, "late");
    } else if (command == 0x86) {
        l->room = next(s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    script s = {data, len};
    const uint8_t flags = next(&s);
    tl_http_settings settings = {.tls = NULL};
    settings.stream_len_max = (flags & 1) != 0 ? 100 : 0;
    settings.bodies_len_max = (flags & 2) != 0 ? 10000 : 0;
    settings.body_len_max = (flags & 4) != 0 ? 300 : 0;
    memory_world *w = malloc(sizeof *w);
    TL_ASSERT(w != NULL);
    memory_open(w, &settings);
    echo_on_request = w->echo.app.on_request;
    w->echo.app.on_request = on_request;
    TL_ASSERT(memory_connect(w) != NULL && memory_connect(w) != NULL);
    size_t line = 0;
    while (s.len > 0) {
        run_command(w, &s, &line);
    }
    memory_turn(w);
    if ((flags & 8) != 0) {
        tl__http_engine_drain(&w->loop);
        memory_turn(w);
    }
    memory_close(w);
    free(w);
    return 0;
}
