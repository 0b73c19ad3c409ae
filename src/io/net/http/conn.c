/* A connection: bytes in, requests out, its end.
 *
 *                 ┌───────────────── body whole ◀────────────────┐
 *                 ▼                                              │
 *     ──▶ HEAD ──head whole──▶ on_head ──with a body──▶ LENGTH / CHUNKED      (receiving NULL: thrown away)
 *          │ ▲                    └─without─▶ on_request ─┘
 *          │ └── paused while 16 requests wait, or 256 KiB of answers
 *          ├──no HTTP, or the last request──▶ IGNORE ──its answer is out──▶ closed, or shut and drained, then closed
 *          └──tl_http_upgrade──▶ TUNNEL
 *
 * No callback runs inside a call of the application: what fails there breaks the connection (tl__http_conn_break), and the
 * turn's end closes it. */
#include <string.h>

#include "io/net/http/http_internal.h"

static bool run(tl__http_conn *conn, tl_bytes bytes);

tl__http_conn *tl__http_conn_new(tl_http_loop *loop, const tl_net_addr *peer)
{
    tl__http_conn *conn = tl__http_alloc(loop, sizeof *conn);
    if (conn == NULL) {
        return NULL;
    }
    memset(conn, 0, sizeof *conn);
    conn->loop = loop;
    conn->peer = *peer;
    conn->filed_ms = TL__HTTP_NEVER;
    conn->write_due_ms = TL__HTTP_NEVER;
    conn->read_due_ms = loop->now_ms + loop->settings->idle_timeout_ms;
    if (loop->settings->tls != NULL) {
        conn->tls = tl_tls_session_new(loop->settings->tls, NULL);
        conn->read_due_ms = loop->now_ms + loop->settings->head_timeout_ms;
        if (conn->tls == NULL) {
            tl__http_release(loop, conn);
            return NULL;
        }
    }
    conn->all_next = loop->all;
    if (loop->all != NULL) {
        loop->all->all_prev = conn;
    }
    loop->all = conn;
    loop->count++;
    tl__http_wheel_file(conn);
    return conn;
}

static void release_in(tl__http_conn *conn)
{
    tl__http_release(conn->loop, conn->in);
    conn->in = NULL;
    conn->in_len = 0;
    conn->in_cap = 0;
}

void tl__http_conn_free(tl__http_conn *conn)
{
    tl_http_loop *loop = conn->loop;
    TL_ASSERT(conn->first == NULL && conn->filed_ms == TL__HTTP_NEVER); /* HTTP-2 */
    if (conn->all_prev != NULL) {
        conn->all_prev->all_next = conn->all_next;
    } else {
        loop->all = conn->all_next;
    }
    if (conn->all_next != NULL) {
        conn->all_next->all_prev = conn->all_prev;
    }
    loop->count--;
    tl__http_queue_clear(loop, &conn->out);
    release_in(conn);
    tl_tls_session_free(conn->tls);
    tl__http_release(loop, conn);
}

void tl__http_conn_dirty(tl__http_conn *conn)
{
    if (!conn->is_dirty && !conn->is_closed) {
        conn->is_dirty = true;
        conn->dirty_next = conn->loop->dirty;
        conn->loop->dirty = conn;
    }
}

void tl__http_conn_break(tl__http_conn *conn)
{
    conn->is_broken = true;
    tl__http_conn_dirty(conn);
}

void tl__http_conn_close(tl__http_conn *conn, tl_http_gone why)
{
    if (conn->is_closed) {
        return;
    }
    const tl_http_app *app = conn->loop->app;
    conn->is_closed = true;
    conn->receiving = NULL;
    tl__http_wheel_remove(conn);
    while (conn->first != NULL) {
        tl_http_exchange *x = conn->first;
        if (x->is_seen) {
            x->is_seen = false;
            x->is_mute = true;
            if (app->on_gone != NULL) {
                app->on_gone(conn->loop->user, x, why); /* HTTP-2 */
            }
        }
        tl__http_exchange_drop(x);
    }
    tl__http_tunnel_end(conn);
    conn->loop->wire->close(conn);
}

/* --- what comes in --- */

/* Keep bytes that cannot be understood yet, behind those that are kept. */
static bool keep_input(tl__http_conn *conn, tl_bytes bytes)
{
    const size_t need = conn->in_len + bytes.len;
    if (need > conn->in_cap) {
        size_t cap = conn->in_cap < 2048 ? 2048 : conn->in_cap * 2;
        cap = cap < need ? need : cap;
        uint8_t *in = tl__http_alloc(conn->loop, cap);
        if (in == NULL) {
            tl__http_conn_break(conn);
            return false;
        }
        if (conn->in_len > 0) {
            memcpy(in, conn->in, conn->in_len);
        }
        tl__http_release(conn->loop, conn->in);
        conn->in = in;
        conn->in_cap = cap;
    }
    memcpy(conn->in + conn->in_len, bytes.ptr, bytes.len);
    conn->in_len = need;
    return true;
}

static void input_tls(tl__http_conn *conn, tl_bytes bytes)
{
    tl_http_loop *loop = conn->loop;
    const bool was_shaking = tl_tls_state_of(conn->tls) == TL_TLS_SHAKING;
    const tl_tls_state state = tl_tls_feed(conn->tls, bytes);
    tl__http_tls_pull(conn);
    if (was_shaking && state == TL_TLS_OPEN) {
        conn->read_due_ms = loop->now_ms + loop->settings->idle_timeout_ms;
    }
    size_t n;
    while (!conn->is_closed && !conn->is_broken &&
           (n = tl_tls_read(conn->tls, loop->plain, TL__HTTP_BLOCK_LEN)) > 0) {
        if (!run(conn, (tl_bytes){loop->plain, n})) {
            return;
        }
    }
    const tl_tls_state now = tl_tls_state_of(conn->tls);
    if (conn->out.len > 0 && !conn->is_broken) {
        tl__http_out_flush(conn);
    }
    if (now == TL_TLS_ENDED) {
        tl__http_conn_eof(conn);
    } else if (now == TL_TLS_FAILED) {
        tl__http_conn_break(conn);
    }
}

void tl__http_conn_wire_input(tl__http_conn *conn, tl_bytes bytes)
{
    if (conn->is_closed || conn->is_broken || bytes.len == 0) {
        return;
    }
    if (conn->tls != NULL) {
        input_tls(conn, bytes);
    } else {
        (void)run(conn, bytes);
    }
    tl__http_wheel_file(conn);
}

/* May one more request be read? */
static bool has_room(const tl__http_conn *conn)
{
    return conn->waiting_count < TL_HTTP_PIPELINE_MAX && conn->out.len < TL__HTTP_OUT_PAUSE_LEN;
}

static void pause_reading(tl__http_conn *conn)
{
    if (!conn->is_paused) {
        conn->is_paused = true;
        conn->read_due_ms = TL__HTTP_NEVER;
        conn->loop->wire->read(conn, false);
    }
}

/* The length of the head that begins the bytes, its empty line included; 0: its end has not come; -1: a line that does
 * not end with CR LF. Told at once: who sends bare line feeds may wait for an answer. */
static ptrdiff_t find_head_end(tl_bytes bytes, size_t *scanned)
{
    const uint8_t *p = bytes.ptr;
    size_t i = *scanned;
    const uint8_t *lf;
    while ((lf = memchr(p + i, '\n', bytes.len - i)) != NULL) {
        const size_t at = (size_t)(lf - p);
        if (at < 2 || p[at - 1] != '\r') {
            return -1;
        }
        if (p[at - 2] == '\n') {
            return (ptrdiff_t)(at + 1);
        }
        i = at + 1;
    }
    *scanned = bytes.len;
    return 0;
}

/* One empty line before a request is skipped: some old senders end a body so (RFC 9112 section 2.2). Gives false when the
 * bytes cannot begin a request. */
static bool skip_empty_line(tl__http_conn *conn, tl_bytes *rest)
{
    if (rest->ptr[0] != '\r') {
        return true;
    }
    if (conn->did_skip || !conn->was_used || (rest->len > 1 && rest->ptr[1] != '\n')) {
        return false;
    }
    if (rest->len > 1) {
        conn->did_skip = true;
        *rest = (tl_bytes){rest->ptr + 2, rest->len - 2};
    }
    return true;
}

static bool can_begin_request(uint8_t c)
{
    return c == '\r' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Path and query; "/" goes before a query that an absolute-form target has without a path. */
static bool set_target(tl_http_exchange *x, const tl__http_head *head)
{
    tl_http_request *r = &x->request;
    r->origin = head->origin;
    if (head->origin.len == 0 || head->origin.ptr[0] == '?') {
        char *origin = tl_arena_alloc(x->arena, head->origin.len + 1, 1, 1);
        if (origin == NULL) {
            return false;
        }
        origin[0] = '/';
        if (head->origin.len > 0) {
            memcpy(origin + 1, head->origin.ptr, head->origin.len);
        }
        r->origin = (tl_str){origin, head->origin.len + 1};
    }
    const size_t mark = tl_str_find(r->origin, '?');
    r->path = tl_str_slice(r->origin, 0, mark);
    r->query =
        mark < r->origin.len ? tl_str_slice(r->origin, mark + 1, r->origin.len) : (tl_str){0};
    return true;
}

/* The request as the application sees it. */
static bool set_request(tl_http_exchange *x, const tl__http_head *head)
{
    const tl__http_conn *conn = x->conn;
    tl_http_header *fields = TL_NEW(x->arena, tl_http_header, head->field_count);
    if (fields == NULL || !set_target(x, head)) {
        return false;
    }
    memcpy(fields, conn->loop->fields, head->field_count * sizeof *fields);
    tl_http_request *r = &x->request;
    r->method = head->method;
    r->target = head->target;
    r->headers = (tl_http_headers){fields, head->field_count};
    r->content_length = head->content_length;
    r->has_content_length = head->has_content_length;
    r->is_chunked = head->is_chunked;
    r->has_body = head->is_chunked || head->content_length > 0;
    r->is_http_1_0 = head->is_http_1_0;
    r->is_tls = conn->tls != NULL;
    r->peer = conn->peer;
    r->begun_ms = conn->loop->now_ms;
    x->is_head = tl_str_eq(head->method, TL_STR("HEAD"));
    x->is_last = head->is_last;
    x->is_received = !r->has_body;
    x->awaits_continue = head->expects_continue && r->has_body;
    return true;
}

/* How long a body may take: of a known length, or as far as it has come. */
static int64_t body_due(const tl__http_conn *conn, const tl_http_exchange *x)
{
    const tl_http_settings *s = conn->loop->settings;
    const int64_t base =
        x != NULL && x->body_timeout_ms > 0 ? x->body_timeout_ms : s->body_timeout_ms;
    const uint64_t len = conn->rx == TL__HTTP_RX_LENGTH ? conn->taken + conn->left : conn->taken;
    const uint64_t steps = len >> 16;
    return conn->body_from_ms + base +
           (int64_t)(steps < 1 << 20 ? steps : 1 << 20) * s->body_more_ms;
}

static void begin_body(tl__http_conn *conn, const tl_http_exchange *x)
{
    conn->rx = x->request.is_chunked ? TL__HTTP_RX_CHUNKED : TL__HTTP_RX_LENGTH;
    conn->chunks = (tl__http_chunks){0};
    conn->left = x->request.content_length;
    conn->taken = 0;
    conn->drain_left = TL__HTTP_DRAIN_LEN_MAX;
    conn->body_from_ms = conn->loop->now_ms;
}

/* The request is whole. */
static void end_body(tl__http_conn *conn)
{
    tl_http_exchange *x = conn->receiving;
    conn->receiving = NULL;
    conn->rx = conn->is_stopping ? TL__HTTP_RX_IGNORE : TL__HTTP_RX_HEAD;
    conn->drain_left = TL__HTTP_LINGER_LEN_MAX;
    conn->read_due_ms = TL__HTTP_NEVER;
    if (x != NULL) {
        x->is_received = true;
        x->request.body = (tl_bytes){x->body, x->body_len};
        conn->loop->app->on_request(conn->loop->user, x);
    }
    if (conn->first == NULL && conn->rx == TL__HTTP_RX_HEAD) {
        conn->read_due_ms = conn->loop->now_ms + conn->loop->settings->idle_timeout_ms;
    }
}

/* A head is whole: show it to the application, then decide about its body. */
static void begin_request(tl__http_conn *conn, tl_http_exchange *x, bool has_more)
{
    tl_http_loop *loop = conn->loop;
    conn->is_stopping = x->is_last;
    conn->is_corked = has_more && !x->request.has_body;
    conn->receiving = x;
    x->is_seen = true;
    if (x->request.has_body) {
        begin_body(conn, x);
    }
    if (loop->app->on_head != NULL) {
        loop->app->on_head(loop->user, x);
    }
    const bool is_answered = conn->receiving != x;
    if (!is_answered && x->request.has_content_length &&
        x->request.content_length > x->body_len_max) {
        tl__http_end_exchange(x, TL_HTTP_GONE_TOO_LARGE);
    } else if (!is_answered && x->awaits_continue && !has_more) {
        tl__http_continue(x);
    }
    if (conn->rx == TL__HTTP_RX_LENGTH || conn->rx == TL__HTTP_RX_CHUNKED) {
        conn->read_due_ms = body_due(conn, conn->receiving);
    } else if (conn->rx == TL__HTTP_RX_HEAD) {
        end_body(conn);
    }
}

/* Copy the head into a new exchange's memory and read it there. */
static void take_head(tl__http_conn *conn, tl_bytes raw, bool has_more)
{
    tl_http_loop *loop = conn->loop;
    tl_http_exchange *x = tl__http_exchange_new(conn);
    char *copy = x != NULL ? tl_arena_alloc(x->arena, raw.len, 1, 1) : NULL;
    if (copy == NULL) {
        tl__http_conn_break(conn);
        return;
    }
    memcpy(copy, raw.ptr, raw.len);
    const tl_str text = {copy, raw.len};
    tl__http_head head;
    int status = tl__http_head_scan(&head, loop->fields, text);
    if (status == 0) {
        status = tl__http_head_confirm(&head, text, loop->settings->takes_any_method);
    }
    if (status == 0 && !set_request(x, &head)) {
        status = 503;
    }
    conn->was_used = true;
    conn->did_skip = false;
    conn->is_in_head = false;
    conn->in_scanned = 0;
    conn->read_due_ms = TL__HTTP_NEVER;
    if (status != 0) {
        tl__http_refuse(conn, x, status); /* HTTP-1 */
    } else {
        begin_request(conn, x, has_more);
    }
}

/* What stands before the head, and the head when it is whole. False: no more can be read of these bytes now. */
static bool step_head(tl__http_conn *conn, tl_bytes *rest)
{
    if (!has_room(conn)) {
        pause_reading(conn);
        return false;
    }
    if (rest->len == 0) {
        return false;
    }
    ptrdiff_t len = -1;
    if (skip_empty_line(conn, rest)) {
        if (rest->len == 0) {
            return false;
        }
        len = can_begin_request(rest->ptr[0]) ? find_head_end(*rest, &conn->in_scanned) : -1;
    }
    const bool is_long =
        (len == 0 && rest->len >= TL_HTTP_HEAD_LEN_MAX) || len > (ptrdiff_t)TL_HTTP_HEAD_LEN_MAX;
    if (len < 0 || is_long) {
        tl__http_refuse(conn, NULL, is_long ? 431 : 400); /* HTTP-1 */
        return true;
    }
    if (len == 0) {
        if (!conn->is_in_head) {
            conn->is_in_head = true;
            conn->read_due_ms = conn->loop->now_ms + conn->loop->settings->head_timeout_ms;
        }
        return false;
    }
    const tl_bytes raw = {rest->ptr, (size_t)len};
    *rest = (tl_bytes){rest->ptr + len, rest->len - (size_t)len};
    take_head(conn, raw, rest->len > 0);
    return true;
}

/* The body of a request that was answered cannot be read to its end: what is owed is sent, then the connection ends. */
static void give_up(tl__http_conn *conn)
{
    conn->rx = TL__HTTP_RX_IGNORE;
    conn->drain_left = TL__HTTP_LINGER_LEN_MAX;
    conn->read_due_ms = TL__HTTP_NEVER;
    conn->lingers = true;
    if (conn->last != NULL) {
        conn->last->is_last = true;
    } else {
        conn->is_ending = true;
    }
    tl__http_conn_dirty(conn);
}

/* One piece of a body, decoded. */
static void take_piece(tl__http_conn *conn, tl_bytes piece)
{
    tl_http_exchange *x = conn->receiving;
    conn->taken += piece.len;
    if (x == NULL) { /* refused: read on so that the connection serves on, but not for ever */
        if (piece.len > conn->drain_left) {
            give_up(conn);
        } else {
            conn->drain_left -= piece.len;
        }
        return;
    }
    x->awaits_continue = false;
    if (conn->taken > x->body_len_max) {
        tl__http_end_exchange(x, TL_HTTP_GONE_TOO_LARGE);
        return;
    }
    if (x->take != TL_HTTP_CHUNKS && !tl__http_body_keep(x, piece)) {
        tl__http_end_exchange(x, TL_HTTP_GONE_MEMORY);
        return;
    }
    if (x->take != TL_HTTP_COLLECT && conn->loop->app->on_body != NULL) {
        conn->loop->app->on_body(conn->loop->user, x, piece);
    }
}

static bool step_length(tl__http_conn *conn, tl_bytes *rest)
{
    if (rest->len == 0) {
        return false;
    }
    const size_t len = rest->len < conn->left ? rest->len : (size_t)conn->left;
    const tl_bytes piece = {rest->ptr, len};
    *rest = (tl_bytes){rest->ptr + len, rest->len - len};
    conn->left -= len;
    conn->is_corked = rest->len > 0;
    take_piece(conn, piece);
    if (conn->left == 0 && conn->rx == TL__HTTP_RX_LENGTH) {
        end_body(conn);
    }
    return true;
}

/* The body is no HTTP: what it belongs to is not finished, and nothing behind it can be read. */
static void spoil_body(tl__http_conn *conn)
{
    tl_http_exchange *x = conn->receiving;
    if (x != NULL) {
        tl__http_end_exchange(x, TL_HTTP_GONE_BAD);
    } else {
        give_up(conn);
    }
}

/* A chunk that says it is longer than its body may be: told before its bytes come. */
static void refuse_long_chunk(tl__http_conn *conn)
{
    tl_http_exchange *x = conn->receiving;
    if (x != NULL && tl__http_chunk_left(&conn->chunks) > x->body_len_max - conn->taken) {
        tl__http_end_exchange(x, TL_HTTP_GONE_TOO_LARGE);
    }
}

static bool step_chunked(tl__http_conn *conn, tl_bytes *rest)
{
    tl_bytes piece;
    switch (tl__http_chunks_read(&conn->chunks, rest, &piece)) {
    case TL__HTTP_CHUNK_MORE:
        refuse_long_chunk(conn);
        return false;
    case TL__HTTP_CHUNK_PIECE:
        take_piece(conn, piece);
        return true;
    case TL__HTTP_CHUNK_END:
        conn->is_corked = rest->len > 0;
        end_body(conn);
        return true;
    case TL__HTTP_CHUNK_BAD:
        spoil_body(conn);
        return true;
    }
    return false;
}

/* Nobody wants it; too much of it ends the connection. */
static void discard(tl__http_conn *conn, tl_bytes *rest)
{
    if (rest->len > conn->drain_left) {
        tl__http_conn_break(conn);
    } else {
        conn->drain_left -= rest->len;
    }
    *rest = (tl_bytes){0};
}

static bool step(tl__http_conn *conn, tl_bytes *rest)
{
    if (conn->is_broken || conn->is_closed) {
        return false;
    }
    switch ((tl__http_rx)conn->rx) {
    case TL__HTTP_RX_HEAD:
        return step_head(conn, rest);
    case TL__HTTP_RX_LENGTH:
        return step_length(conn, rest);
    case TL__HTTP_RX_CHUNKED:
        return step_chunked(conn, rest);
    case TL__HTTP_RX_IGNORE:
        discard(conn, rest);
        return false;
    case TL__HTTP_RX_TUNNEL: {
        const tl_bytes all = *rest;
        *rest = (tl_bytes){0};
        if (all.len > 0) {
            tl__http_tunnel_input(conn, all);
        }
        return false;
    }
    }
    return false;
}

/* Understand what came, behind what was kept; keep the rest. False when the connection is over. */
static bool run(tl__http_conn *conn, tl_bytes bytes)
{
    TL_ASSERT(!conn->is_running);
    const bool is_kept = conn->in_len > 0;
    if (is_kept && bytes.len > 0 && !keep_input(conn, bytes)) {
        return false;
    }
    tl_bytes rest = is_kept ? (tl_bytes){conn->in, conn->in_len} : bytes;
    conn->is_running = true;
    while (step(conn, &rest)) {
    }
    conn->is_running = false;
    if (rest.len == 0 || conn->is_broken || conn->is_closed) {
        release_in(conn); /* HTTP-4 */
    } else if (is_kept) {
        memmove(conn->in, rest.ptr, rest.len);
        conn->in_len = rest.len;
    } else {
        (void)keep_input(conn, rest);
    }
    if (conn->out.len > 0) {
        tl__http_conn_dirty(conn);
    }
    return !conn->is_broken && !conn->is_closed;
}

void tl__http_conn_eof(tl__http_conn *conn)
{
    if (conn->is_closed || conn->is_peer_done) {
        return;
    }
    conn->is_peer_done = true;
    const bool is_between = conn->rx == TL__HTTP_RX_HEAD && conn->in_len == 0;
    const bool is_waiting = conn->first != NULL || conn->out.len > 0;
    if ((is_between || conn->rx == TL__HTTP_RX_IGNORE) && is_waiting && !conn->is_shut) {
        tl__http_conn_dirty(conn); /* it may still read: answer what it asked, then close */
    } else {
        tl__http_conn_break(conn);
    }
}

void tl__http_conn_error(tl__http_conn *conn)
{
    tl__http_conn_break(conn);
}

/* --- deadlines and the turn's end --- */

static void reading_due(tl__http_conn *conn)
{
    const tl_http_loop *loop = conn->loop;
    switch ((tl__http_rx)conn->rx) {
    case TL__HTTP_RX_HEAD:
        if (conn->is_in_head) {
            tl__http_refuse(conn, NULL, 408);
            release_in(conn);
        } else {
            tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
        }
        break;
    case TL__HTTP_RX_LENGTH:
    case TL__HTTP_RX_CHUNKED:
        conn->read_due_ms = body_due(conn, conn->receiving);
        if (conn->read_due_ms > loop->now_ms) {
            break; /* more has come since */
        }
        if (conn->receiving != NULL) {
            tl__http_end_exchange(conn->receiving, TL_HTTP_GONE_BODY_SLOW);
        } else {
            tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
        }
        break;
    case TL__HTTP_RX_IGNORE:
        tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
        break;
    case TL__HTTP_RX_TUNNEL:
        conn->read_due_ms = loop->now_ms + TL__HTTP_TUNNEL_TICK_MS;
        if (conn->tunnel->calls->on_tick != NULL) {
            conn->tunnel->calls->on_tick(conn->tunnel->self, conn->tunnel);
        }
        break;
    }
}

void tl__http_conn_due(tl__http_conn *conn)
{
    const int64_t now = conn->loop->now_ms;
    if (conn->write_due_ms <= now) {
        tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
        return;
    }
    tl_http_exchange *x = conn->first;
    while (x != NULL && !conn->is_closed) {
        if (x->due_ms > now) {
            x = x->next;
            continue;
        }
        x->due_ms = TL__HTTP_NEVER;
        if (x->is_seen && !x->is_streaming) {
            tl__http_end_exchange(x, TL_HTTP_GONE_TIMEOUT);
            x = conn->first; /* the order has changed */
        }
    }
    if (conn->read_due_ms <= now && !conn->is_closed && !conn->is_broken) {
        reading_due(conn);
    }
}

/* All that this connection will ever send is out. */
static void end_conn(tl__http_conn *conn)
{
    if (conn->tls != NULL && !conn->is_shut) {
        tl_tls_close(conn->tls);
        tl__http_tls_pull(conn);
        tl__http_out_flush(conn);
    }
    if (!conn->lingers || conn->is_peer_done) {
        if (conn->out.len == 0 || conn->is_shut) {
            tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
        }
    } else if (!conn->is_shut) {
        conn->is_shut = true;
        conn->rx = TL__HTTP_RX_IGNORE;
        conn->drain_left = TL__HTTP_LINGER_LEN_MAX;
        conn->read_due_ms = conn->loop->now_ms + conn->loop->settings->linger_ms;
        if (conn->is_paused) {
            conn->is_paused = false;
            conn->loop->wire->read(conn, true);
        }
        conn->loop->wire->shutdown(conn);
    }
}

/* A writer that was told to pause may go on. */
static void give_room(tl__http_conn *conn)
{
    if (conn->out.len > conn->loop->settings->stream_len_max / 2) {
        return;
    }
    tl_http_exchange *x = conn->first;
    if (x != NULL && x->is_full && x->is_seen) {
        x->is_full = false;
        if (conn->loop->app->on_room != NULL) {
            conn->loop->app->on_room(conn->loop->user, x);
        }
    } else if (conn->tunnel != NULL && conn->tunnel->is_full) {
        conn->tunnel->is_full = false;
        if (conn->tunnel->calls->on_room != NULL) {
            conn->tunnel->calls->on_room(conn->tunnel->self, conn->tunnel);
        }
    }
}

static void resume_reading(tl__http_conn *conn)
{
    if (conn->rx == TL__HTTP_RX_TUNNEL && conn->in_len > 0) {
        (void)run(conn, (tl_bytes){0});
    }
    if (conn->is_paused && has_room(conn) && !conn->is_ending) {
        conn->is_paused = false;
        if (conn->in_len > 0) {
            (void)run(conn, (tl_bytes){0});
        }
        if (!conn->is_paused && !conn->is_broken && !conn->is_closed) {
            if (conn->first == NULL && !conn->is_in_head && conn->rx == TL__HTTP_RX_HEAD) {
                conn->read_due_ms = conn->loop->now_ms + conn->loop->settings->idle_timeout_ms;
            }
            conn->loop->wire->read(conn, true);
        }
    }
}

void tl__http_conn_settle(tl__http_conn *conn)
{
    conn->is_dirty = false;
    conn->is_corked = false;
    if (!conn->is_closed && !conn->is_broken) {
        tl__http_out_flush(conn);
        const bool is_over =
            conn->is_peer_done && conn->first == NULL && conn->rx != TL__HTTP_RX_TUNNEL;
        if (conn->out.len == 0 && (conn->is_ending || is_over)) {
            end_conn(conn);
        }
    }
    if (!conn->is_closed && !conn->is_broken) {
        give_room(conn);
        resume_reading(conn);
        tl__http_wheel_file(conn);
    }
    if (conn->is_broken) {
        tl__http_conn_close(conn, TL_HTTP_GONE_PEER);
    }
}

void tl__http_conn_wrote(tl__http_conn *conn, bool is_ok)
{
    conn->is_writing = false;
    conn->write_due_ms = TL__HTTP_NEVER;
    tl__http_queue_consume(conn->loop, &conn->out, is_ok ? conn->writing_len : 0);
    conn->writing_len = 0;
    if (is_ok) {
        tl__http_conn_dirty(conn);
    } else {
        tl__http_conn_break(conn);
    }
}

/* The next answer in order becomes the one that may be sent (HTTP-3). */
void tl__http_conn_advance(tl__http_conn *conn)
{
    const tl_http_loop *loop = conn->loop;
    while (conn->first != NULL && conn->first->is_complete) {
        const bool is_last = conn->first->is_last;
        tl__http_exchange_drop(conn->first);
        if (is_last) {
            conn->lingers =
                conn->lingers || conn->rx == TL__HTTP_RX_LENGTH || conn->rx == TL__HTTP_RX_CHUNKED;
            conn->rx = TL__HTTP_RX_IGNORE;
            conn->drain_left = TL__HTTP_LINGER_LEN_MAX;
            conn->is_ending = true;
            tl__http_conn_dirty(conn);
            return;
        }
        if (conn->first != NULL && conn->first->held.len > 0) {
            tl__http_queue_move(&conn->out, &conn->first->held);
            tl__http_conn_dirty(conn);
        }
    }
    if (conn->first == NULL && conn->rx == TL__HTTP_RX_HEAD && !conn->is_in_head) {
        conn->read_due_ms = loop->now_ms + loop->settings->idle_timeout_ms;
    }
    if (conn->is_paused || conn->is_peer_done) {
        tl__http_conn_dirty(conn);
    }
    tl__http_wheel_file(conn);
}

void tl__http_conn_stop(tl__http_conn *conn)
{
    if (conn->rx == TL__HTTP_RX_TUNNEL) {
        if (conn->tunnel->calls->on_stop != NULL) {
            conn->tunnel->calls->on_stop(conn->tunnel->self, conn->tunnel);
        } else {
            tl_http_tunnel_close(conn->tunnel);
        }
    } else if (conn->first == NULL && conn->rx == TL__HTTP_RX_HEAD && conn->in_len == 0) {
        conn->is_ending = true; /* idle */
        tl__http_conn_dirty(conn);
    }
}
