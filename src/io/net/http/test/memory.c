#include "memory.h"

#include <stdlib.h>
#include <string.h>

static memory_line *line_of(tl__http_conn *conn)
{
    return conn->tcp.data;
}

static void record(memory_line *line, const void *bytes, size_t len)
{
    if (line->sent_len + len + 1 > line->sent_cap) {
        line->sent_cap = (line->sent_len + len + 1) * 2;
        line->sent = realloc(line->sent, line->sent_cap);
        TL_ASSERT(line->sent != NULL);
    }
    memcpy(line->sent + line->sent_len, bytes, len);
    line->sent_len += len;
    line->sent[line->sent_len] = 0;
}

static ptrdiff_t try_write(tl__http_conn *conn, const struct iovec *parts, size_t count)
{
    memory_line *line = line_of(conn);
    size_t whole = 0;
    TL_ASSERT(!line->is_closed && !line->is_writing);
    if (line->is_lost) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t n = parts[i].iov_len < line->room ? parts[i].iov_len : line->room;
        record(line, parts[i].iov_base, n);
        line->room -= line->room != SIZE_MAX ? n : 0;
        whole += n;
        if (n < parts[i].iov_len) {
            break;
        }
    }
    return (ptrdiff_t)whole;
}

static void write_out(tl__http_conn *conn)
{
    memory_line *line = line_of(conn);
    TL_ASSERT(!line->is_writing && !line->is_closed);
    line->is_writing = true;
    conn->writing_len = conn->out.first->to - conn->out.first->from;
}

static void set_reading(tl__http_conn *conn, bool is_on)
{
    line_of(conn)->is_reading = is_on;
}

static void shut(tl__http_conn *conn)
{
    TL_ASSERT(!line_of(conn)->is_shut);
    line_of(conn)->is_shut = true;
}

static void close_line(tl__http_conn *conn)
{
    TL_ASSERT(!line_of(conn)->is_closed);
    line_of(conn)->is_closed = true;
}

static const tl__http_wire memory_wire = {try_write, write_out, set_reading, shut, close_line};

void memory_open(memory_world *w, const tl_http_settings *settings)
{
    memset(w, 0, sizeof *w);
    if (settings != NULL) {
        w->settings = *settings;
    }
    tl__http_settings_fill(&w->settings);
    echo_app_init(&w->echo);
    TL_ASSERT(tl__http_engine_init(&w->loop, &w->settings, &w->echo.app, &memory_wire, 1000000,
                                   NULL) == TL_OK);
    w->loop.user = &w->echo;
}

memory_line *memory_connect(memory_world *w)
{
    static const tl_net_addr peer = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}, 4000};
    tl__http_conn *conn = tl__http_conn_new(&w->loop, &peer);
    if (conn == NULL || w->line_count == MEMORY_LINES_MAX) {
        return NULL;
    }
    memory_line *line = &w->lines[w->line_count++];
    *line = (memory_line){.conn = conn, .room = SIZE_MAX, .is_reading = true};
    record(line, "", 0);
    conn->tcp.data = line;
    return line;
}

void memory_send(memory_line *line, tl_str bytes)
{
    if (line->conn == NULL || line->is_closed) {
        return;
    }
    /* Of exactly its size, so that a sanitizer sees one byte too far. */
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    TL_ASSERT(copy != NULL);
    if (bytes.len > 0) {
        memcpy(copy, bytes.ptr, bytes.len);
    }
    tl__http_conn_wire_input(line->conn, (tl_bytes){copy, bytes.len});
    free(copy);
}

/* What libuv does after a close: a write that was under way fails, then the memory goes. */
static void bury(memory_world *w)
{
    for (size_t i = 0; i < w->line_count; i++) {
        memory_line *line = &w->lines[i];
        if (line->conn != NULL && line->is_closed) {
            if (line->is_writing) {
                line->is_writing = false;
                tl__http_conn_wrote(line->conn, false);
            }
            tl__http_conn_free(line->conn);
            line->conn = NULL;
        }
    }
}

void memory_turn(memory_world *w)
{
    tl__http_settle(&w->loop);
    TL_ASSERT(w->loop.dirty == NULL);
    bury(w);
}

void memory_say(memory_world *w, memory_line *line, tl_str bytes)
{
    memory_send(line, bytes);
    memory_turn(w);
}

void memory_take(memory_world *w, memory_line *line)
{
    if (line->conn != NULL && line->is_writing) {
        line->is_writing = false;
        const tl__http_block *first = line->conn->out.first;
        if (!line->is_lost) {
            record(line, first->data + first->from, line->conn->writing_len);
        }
        tl__http_conn_wrote(line->conn, !line->is_lost);
        memory_turn(w);
    }
}

void memory_later(memory_world *w, int64_t ms)
{
    const int64_t until = w->loop.now_ms + ms;
    while (w->loop.now_ms < until) {
        const int64_t step =
            until - w->loop.now_ms < w->loop.tick_ms ? until - w->loop.now_ms : w->loop.tick_ms;
        w->loop.now_ms += step;
        tl__http_wheel_turn(&w->loop);
        memory_turn(w);
    }
}

void memory_close(memory_world *w)
{
    tl__http_engine_abort(&w->loop);
    memory_turn(w);
    for (size_t i = 0; i < w->line_count; i++) {
        TL_ASSERT(w->lines[i].conn == NULL);
        free(w->lines[i].sent);
    }
    TL_ASSERT(w->loop.count == 0 && w->loop.busy_count == 0);
    TL_ASSERT(atomic_load(&w->echo.ends) == atomic_load(&w->echo.heads)); /* HTTP-2 */
    tl__http_engine_deinit(&w->loop);
    TL_ASSERT(w->loop.bodies_len == 0);
}
