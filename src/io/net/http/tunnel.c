/* Another protocol on a connection that began as HTTP. */
#include "io/net/http/http_internal.h"

tl_http_tunnel *tl_http_upgrade(tl_http_exchange *x, tl_http_headers headers,
                                const tl_http_tunnel_calls *calls, void *self)
{
    tl__http_conn *conn = x->conn;
    const bool is_alone = conn->first == x && conn->last == x;
    if (x->is_mute || !is_alone || !x->is_received || x->is_streaming || x->request.has_body ||
        x->request.is_http_1_0 || conn->is_broken || conn->rx != TL__HTTP_RX_HEAD) {
        return NULL;
    }
    tl_http_tunnel *tunnel = tl__http_alloc(conn->loop, sizeof *tunnel);
    if (tunnel == NULL) {
        return NULL;
    }
    if (!tl__http_answer_upgrade(x, headers)) {
        tl__http_release(conn->loop, tunnel);
        return NULL;
    }
    *tunnel = (tl_http_tunnel){.conn = conn, .calls = calls, .self = self};
    conn->tunnel = tunnel;
    conn->rx = TL__HTTP_RX_TUNNEL;
    conn->read_due_ms = conn->loop->now_ms + TL__HTTP_TUNNEL_TICK_MS;
    tl__http_complete(x);
    tl__http_wheel_file(conn);
    if (conn->in_len > 0) {
        tl__http_conn_dirty(conn); /* what came behind the request is the tunnel's */
    }
    return tunnel;
}

bool tl_http_tunnel_write(tl_http_tunnel *tunnel, tl_bytes bytes)
{
    tl__http_conn *conn = tunnel->conn;
    const size_t len_max = conn->loop->settings->stream_len_max;
    if (conn->is_broken || conn->is_closed || conn->is_ending || bytes.len == 0) {
        return !tunnel->is_full;
    }
    tl__http_send_bytes(conn, bytes);
    tunnel->is_full = tunnel->is_full || conn->out.len > len_max;
    if (conn->out.len > 4 * len_max && bytes.len <= len_max) {
        tl__http_conn_break(conn);
    }
    return !tunnel->is_full;
}

void tl_http_tunnel_close(tl_http_tunnel *tunnel)
{
    tl__http_conn *conn = tunnel->conn;
    if (!conn->is_ending) {
        conn->is_ending = true;
        conn->lingers = true;
        tl__http_conn_dirty(conn);
    }
}

tl_http_loop *tl_http_tunnel_loop(const tl_http_tunnel *tunnel)
{
    return tunnel->conn->loop;
}

void tl__http_tunnel_input(tl__http_conn *conn, tl_bytes bytes)
{
    if (!conn->is_ending) {
        conn->tunnel->calls->on_bytes(conn->tunnel->self, conn->tunnel, bytes);
    }
}

void tl__http_tunnel_end(tl__http_conn *conn)
{
    tl_http_tunnel *tunnel = conn->tunnel;
    if (tunnel != NULL) {
        conn->tunnel = NULL;
        tunnel->calls->on_end(tunnel->self, tunnel);
        tl__http_release(conn->loop, tunnel);
    }
}
