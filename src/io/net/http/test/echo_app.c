#include "echo_app.h"

#include <stdlib.h>
#include <string.h>

static void answer(echo_app *e, tl_http_exchange *x, int status, tl_bytes body)
{
    const tl_http_header fields[] = {{TL_STR("Content-Type"), TL_STR("text/plain")}};
    atomic_fetch_add(&e->ends, 1);
    tl_http_answer(x, status, (tl_http_headers){fields, 1}, body);
}

static void answer_text(echo_app *e, tl_http_exchange *x, int status, const char *text)
{
    answer(e, x, status, tl_str_bytes(tl_str_from_cstr(text)));
}

static bool is_path(const tl_http_exchange *x, const char *path)
{
    return tl_str_eq_cstr(tl_http_request_of(x)->path, path);
}

static void on_head(void *user, tl_http_exchange *x)
{
    echo_app *e = user;
    atomic_fetch_add(&e->heads, 1);
    if (is_path(x, "/refuse")) {
        answer_text(e, x, 403, "no");
    } else if (is_path(x, "/chunks") || is_path(x, "/both")) {
        e->chunk_len = 0;
        e->chunk_sum = 0;
        tl_http_take_body(x, is_path(x, "/both") ? TL_HTTP_CHUNKS_COLLECT : TL_HTTP_CHUNKS, 0, 0);
    } else if (is_path(x, "/small") || is_path(x, "/own")) {
        tl_http_take_body(x, TL_HTTP_COLLECT, 10, 0);
    } else if (is_path(x, "/slow")) {
        tl_http_set_timeout(x, 50);
    }
}

static void on_body(void *user, tl_http_exchange *x, tl_bytes chunk)
{
    echo_app *e = user;
    (void)x;
    for (size_t i = 0; i < chunk.len; i++) {
        e->chunk_sum = e->chunk_sum * 31 + chunk.ptr[i];
    }
    e->chunk_len += chunk.len;
}

static void answer_both(echo_app *e, tl_http_exchange *x)
{
    const tl_bytes body = tl_http_request_of(x)->body;
    uint64_t sum = 0;
    for (size_t i = 0; i < body.len; i++) {
        sum = sum * 31 + body.ptr[i];
    }
    answer_text(e, x, 200, sum == e->chunk_sum && body.len == e->chunk_len ? "same" : "differ");
}

static void answer_chunks(echo_app *e, tl_http_exchange *x)
{
    char text[32];
    (void)tl_str_print(text, sizeof text, "%zu", e->chunk_len);
    answer_text(e, x, 200, tl_http_request_of(x)->body.len == 0 ? text : "collected");
}

static void answer_target(echo_app *e, tl_http_exchange *x)
{
    const tl_http_request *r = tl_http_request_of(x);
    tl_sb sb;
    tl_str text = {0};
    tl_sb_init(&sb, tl_http_arena(x));
    const tl_str all[] = {r->target, r->origin, r->path, r->query};
    for (size_t i = 0; i < 4; i++) {
        tl_sb_put(&sb, all[i]);
        tl_sb_put_char(&sb, '\n');
    }
    const bool is_there = tl_sb_finish(&text, &sb, NULL) == TL_OK;
    answer(e, x, is_there ? 200 : 500, tl_str_bytes(text));
}

static void flood(echo_app *e, tl_http_exchange *x)
{
    uint8_t piece[10000];
    memset(piece, 'x', sizeof piece);
    while (e->flood_left > 0) {
        e->flood_left--;
        if (!tl_http_stream_write(x, (tl_bytes){piece, sizeof piece})) {
            return; /* on_room goes on */
        }
    }
    atomic_fetch_add(&e->ends, 1);
    tl_http_stream_end(x);
}

static void stream(echo_app *e, tl_http_exchange *x)
{
    const tl_http_header type = {TL_STR("Content-Type"), TL_STR("text/event-stream")};
    tl_http_stream_begin(x, 200, (tl_http_headers){&type, 1});
    if (is_path(x, "/flood")) {
        e->flood_left = 100;
        flood(e, x);
        return;
    }
    (void)tl_http_stream_write(x, tl_str_bytes(TL_STR("one")));
    atomic_fetch_add(&e->ends, 1);
    if (is_path(x, "/cut")) {
        tl_http_stream_cut(x);
        return;
    }
    (void)tl_http_stream_write(x, (tl_bytes){0});
    (void)tl_http_stream_write(x, tl_str_bytes(TL_STR("two")));
    (void)tl_http_stream_write(x, tl_str_bytes(TL_STR("three")));
    tl_http_stream_end(x);
}

static void answer_bad(echo_app *e, tl_http_exchange *x)
{
    const tl_http_header field = {TL_STR("X"), TL_STR("a\r\nSet-Cookie: b")};
    atomic_fetch_add(&e->ends, 1);
    tl_http_answer(x, 200, (tl_http_headers){&field, 1}, tl_str_bytes(TL_STR("secret")));
}

static int status_of(const tl_http_request *r)
{
    uint64_t status = 0;
    return tl_str_parse_u64(&status, r->query) && status >= 200 && status <= 599 ? (int)status
                                                                                 : 404;
}

static void keep(tl_http_exchange **list, size_t *count, tl_http_exchange *x, echo_app *e)
{
    if (*count == ECHO_WAITING_MAX) {
        answer_text(e, x, 503, "full");
    } else {
        list[(*count)++] = x;
    }
}

static void on_request(void *user, tl_http_exchange *x)
{
    echo_app *e = user;
    atomic_fetch_add(&e->requests, 1);
    if (is_path(x, "/later")) {
        keep(e->later, &e->later_count, x, e);
    } else if (is_path(x, "/turn")) {
        keep(e->turn, &e->turn_count, x, e);
    } else if (is_path(x, "/chunks")) {
        answer_chunks(e, x);
    } else if (is_path(x, "/both")) {
        answer_both(e, x);
    } else if (is_path(x, "/target")) {
        answer_target(e, x);
    } else if (is_path(x, "/stream") || is_path(x, "/flood") || is_path(x, "/cut")) {
        stream(e, x);
    } else if (is_path(x, "/bad")) {
        answer_bad(e, x);
    } else if (is_path(x, "/status")) {
        answer_text(e, x, status_of(tl_http_request_of(x)), "text");
    } else if (!is_path(x, "/slow")) {
        answer(e, x, 200, tl_http_request_of(x)->body);
    }
}

static void on_turn(void *user, tl_http_loop *loop)
{
    echo_app *e = user;
    (void)loop;
    while (e->turn_count > 0) {
        tl_http_exchange *x = e->turn[0];
        e->turn_count--;
        memmove(e->turn, e->turn + 1, e->turn_count * sizeof(void *));
        answer(e, x, 200, tl_http_request_of(x)->body);
    }
}

static void on_room(void *user, tl_http_exchange *x)
{
    echo_app *e = user;
    atomic_fetch_add(&e->rooms, 1);
    if (is_path(x, "/flood")) {
        flood(e, x);
    }
}

static void forget(tl_http_exchange **list, size_t *count, const tl_http_exchange *x)
{
    for (size_t i = 0; i < *count; i++) {
        if (list[i] == x) {
            (*count)--;
            memmove(list + i, list + i + 1, (*count - i) * sizeof(void *));
            return;
        }
    }
}

static void on_gone(void *user, tl_http_exchange *x, tl_http_gone why)
{
    echo_app *e = user;
    atomic_fetch_add(&e->gone[why], 1);
    forget(e->later, &e->later_count, x);
    forget(e->turn, &e->turn_count, x);
    if (is_path(x, "/own")) {
        answer_text(e, x, 422, "own");
    } else {
        atomic_fetch_add(&e->ends, 1);
    }
}

static tl_err on_loop_start(void *self, tl_http_loop *loop, tl_errctx *ctx)
{
    (void)ctx;
    tl_http_loop_set_user(loop, self);
    return TL_OK;
}

void echo_app_init(echo_app *e)
{
    memset(e, 0, sizeof *e);
    e->app = (tl_http_app){.self = e,
                           .on_loop_start = on_loop_start,
                           .on_head = on_head,
                           .on_body = on_body,
                           .on_request = on_request,
                           .on_turn = on_turn,
                           .on_room = on_room,
                           .on_gone = on_gone};
}

void echo_app_answer_later(echo_app *e, size_t index, const char *text)
{
    tl_http_exchange *x = e->later[index];
    forget(e->later, &e->later_count, x);
    answer_text(e, x, 200, text);
}
