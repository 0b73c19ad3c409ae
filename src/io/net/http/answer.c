/* Answers: heads, whole bodies, streams, and the server's own refusals.
 *
 * Only the first exchange of a connection writes to it (HTTP-3); the others' answers are held until their turn. */
#include <string.h>
#include <time.h>

#include "io/net/http/http_internal.h"

enum body_form { FORM_LENGTH, FORM_CHUNKED, FORM_UNTIL_CLOSE, FORM_NONE, FORM_UPGRADE };

/* A head being written into the loop's scratch. */
typedef struct pen {
    char *at;
    size_t len;
    size_t cap;
    bool is_bad;
} pen;

static void put(pen *p, const char *text, size_t len)
{
    if (len > p->cap - p->len) {
        p->is_bad = true;
        return;
    }
    memcpy(p->at + p->len, text, len);
    p->len += len;
}

static void put_cstr(pen *p, const char *text)
{
    put(p, text, strlen(text));
}

static void put_number(pen *p, uint64_t value)
{
    char digits[20];
    size_t from = sizeof digits;
    do {
        digits[--from] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(p, digits + from, sizeof digits - from);
}

/* Text of the application's: a line end in it would be a header of somebody else's making. */
static void put_text(pen *p, tl_str text)
{
    uint8_t bad = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = (uint8_t)text.ptr[i];
        bad |= (uint8_t)((c < ' ' && c != '\t') || c == 0x7f);
    }
    p->is_bad = p->is_bad || bad != 0;
    if (text.len > 0) {
        put(p, text.ptr, text.len);
    }
}

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT", written anew at most twice a second. */
static void put_date(pen *p, tl_http_loop *loop)
{
    if (loop->date_len == 0 || loop->now_ms - loop->date_ms >= 500) {
        static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        const time_t now = time(NULL);
        struct tm t = {0};
        (void)gmtime_r(&now, &t);
        loop->date_len = tl_str_print(loop->date, sizeof loop->date,
                                      "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                                      days[t.tm_wday], t.tm_mday, months[t.tm_mon],
                                      t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
        loop->date_ms = loop->now_ms;
    }
    put(p, loop->date, loop->date_len);
}

static void put_framing(pen *p, const tl_http_exchange *x, enum body_form form, uint64_t len)
{
    if (form == FORM_LENGTH) {
        put_cstr(p, "Content-Length: ");
        put_number(p, len);
        put_cstr(p, "\r\n");
    } else if (form == FORM_CHUNKED) {
        put_cstr(p, "Transfer-Encoding: chunked\r\n");
    }
    if (form == FORM_UPGRADE) {
        put_cstr(p, "Connection: Upgrade\r\n");
    } else if (x->is_last) {
        put_cstr(p, "Connection: close\r\n");
    } else if (x->request.is_http_1_0) {
        put_cstr(p, "Connection: keep-alive\r\n");
    }
}

/* The head of an answer; its length is 0 when it cannot be said. */
static tl_bytes write_head(tl_http_exchange *x, int status, tl_http_headers headers,
                           enum body_form form, uint64_t len)
{
    tl_http_loop *loop = x->conn->loop;
    pen p = {loop->scratch, 0, TL__HTTP_ANSWER_HEAD_MAX, false};
    put_cstr(&p, "HTTP/1.1 ");
    put_number(&p, (uint64_t)status);
    put_cstr(&p, " ");
    put_cstr(&p, tl_http_status_text(status));
    put_cstr(&p, "\r\n");
    for (size_t i = 0; i < headers.count; i++) {
        put_text(&p, headers.at[i].name);
        put_cstr(&p, ": ");
        put_text(&p, headers.at[i].value);
        put_cstr(&p, "\r\n");
    }
    put_date(&p, loop);
    put_framing(&p, x, form, len);
    put_cstr(&p, "\r\n");
    return (tl_bytes){(const uint8_t *)loop->scratch, p.is_bad ? 0 : p.len};
}

/* To the wire, or behind the answers before this one. */
static void emit(tl_http_exchange *x, tl_bytes a, tl_bytes b, tl_bytes c)
{
    tl__http_conn *conn = x->conn;
    const tl_bytes all[3] = {a, b, c};
    struct iovec parts[3];
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        if (all[i].len > 0) { /* the vector type has no const; nobody writes through it */
            parts[count].iov_len = all[i].len;
            memcpy(&parts[count].iov_base, &all[i].ptr, sizeof parts[count].iov_base);
            count++;
        }
    }
    if (conn->first == x) {
        tl__http_send(conn, parts, count);
        return;
    }
    for (size_t i = 0; i < count && !conn->is_broken; i++) {
        if (!tl__http_queue_put(conn->loop, &x->held, parts[i].iov_base, parts[i].iov_len)) {
            tl__http_conn_break(conn);
        }
    }
}

/* Before a head is written: is it the connection's last? A body that is still to come is either thrown away as it comes,
 * when it is short or in chunks, or the connection ends: a sender that waits for "100 Continue" may never send it. */
static void decide_last(tl_http_exchange *x)
{
    tl__http_conn *conn = x->conn;
    const bool is_unread = !x->is_received && conn->receiving == x;
    if (is_unread) {
        const bool is_long = conn->rx == TL__HTTP_RX_LENGTH && conn->left > TL__HTTP_DRAIN_LEN_MAX;
        x->is_last = x->is_last || is_long || x->awaits_continue;
    } else if (conn->last == x && (conn->loop->is_draining || conn->is_peer_done) &&
               conn->rx == TL__HTTP_RX_HEAD) {
        x->is_last = true;
        conn->is_stopping = true;
    }
}

void tl__http_complete(tl_http_exchange *x)
{
    tl__http_conn *conn = x->conn;
    x->is_complete = true;
    x->is_seen = false;
    x->due_ms = TL__HTTP_NEVER;
    if (conn->receiving == x) {
        conn->receiving = NULL;
    }
    if (conn->ending == x) {
        conn->ending = NULL;
    }
    if (conn->first == x && !conn->is_closed) {
        tl__http_conn_advance(conn);
    }
}

void tl_http_answer(tl_http_exchange *x, int status, tl_http_headers headers, tl_bytes body)
{
    TL_ASSERT(status >= 200 && status <= 599);
    if (x->is_mute) {
        return;
    }
    TL_ASSERT(!x->is_complete && !x->is_streaming); /* HTTP-2 */
    decide_last(x);
    const bool has_none = status == 204 || status == 304;
    tl_bytes head = write_head(x, status, headers, has_none ? FORM_NONE : FORM_LENGTH, body.len);
    if (head.len == 0) {
        head = write_head(x, 500, (tl_http_headers){0}, FORM_LENGTH, 0);
        body = (tl_bytes){0};
    }
    emit(x, head, has_none || x->is_head ? (tl_bytes){0} : body, (tl_bytes){0});
    tl__http_complete(x);
}

/* --- streams --- */

void tl_http_stream_begin(tl_http_exchange *x, int status, tl_http_headers headers)
{
    TL_ASSERT(status >= 200 && status <= 599);
    if (x->is_mute) {
        return;
    }
    TL_ASSERT(!x->is_complete && !x->is_streaming);
    decide_last(x);
    const bool is_old = x->request.is_http_1_0;
    x->is_last = x->is_last || is_old;
    x->is_streaming = true;
    x->is_bodiless = x->is_head || status == 204 || status == 304;
    x->due_ms = TL__HTTP_NEVER;
    const enum body_form form = status == 204 || status == 304 ? FORM_NONE
                                : is_old                       ? FORM_UNTIL_CLOSE
                                                               : FORM_CHUNKED;
    tl_bytes head = write_head(x, status, headers, form, 0);
    if (head.len == 0) {
        x->is_bodiless = true;
        head = write_head(x, 500, (tl_http_headers){0}, FORM_LENGTH, 0);
    }
    emit(x, head, (tl_bytes){0}, (tl_bytes){0});
}

bool tl_http_stream_write(tl_http_exchange *x, tl_bytes piece)
{
    if (x->is_mute) {
        return true;
    }
    TL_ASSERT(x->is_streaming && !x->is_complete);
    tl__http_conn *conn = x->conn;
    const size_t len_max = conn->loop->settings->stream_len_max;
    if (x->is_bodiless || piece.len == 0 || conn->is_broken) {
        return !x->is_full;
    }
    if (x->request.is_http_1_0) {
        emit(x, piece, (tl_bytes){0}, (tl_bytes){0});
    } else {
        char size[24];
        const size_t n = tl_str_print(size, sizeof size, "%zx\r\n", piece.len);
        emit(x, (tl_bytes){(const uint8_t *)size, n}, piece, tl_str_bytes(TL_STR("\r\n")));
    }
    const size_t waiting = conn->first == x ? conn->out.len : x->held.len;
    x->is_full = x->is_full || waiting > len_max;
    if (x->is_full && waiting > 4 * len_max && piece.len <= len_max) {
        tl__http_conn_break(conn);
    }
    return !x->is_full;
}

void tl_http_stream_end(tl_http_exchange *x)
{
    if (x->is_mute) {
        return;
    }
    TL_ASSERT(x->is_streaming && !x->is_complete);
    if (!x->is_bodiless && !x->request.is_http_1_0) {
        emit(x, tl_str_bytes(TL_STR("0\r\n\r\n")), (tl_bytes){0}, (tl_bytes){0});
    }
    tl__http_complete(x);
}

void tl_http_stream_cut(tl_http_exchange *x)
{
    if (x->is_mute) {
        return;
    }
    TL_ASSERT(!x->is_complete);
    x->is_last = true;
    tl__http_complete(x);
}

bool tl__http_answer_upgrade(tl_http_exchange *x, tl_http_headers headers)
{
    const tl_bytes head = write_head(x, 101, headers, FORM_UPGRADE, 0);
    if (head.len > 0) {
        emit(x, head, (tl_bytes){0}, (tl_bytes){0});
    }
    return head.len > 0;
}

/* --- what the server says by itself --- */

void tl__http_continue(tl_http_exchange *x)
{
    x->awaits_continue = false;
    emit(x, tl_str_bytes(TL_STR("HTTP/1.1 100 Continue\r\n\r\n")), (tl_bytes){0}, (tl_bytes){0});
}

static void answer_plain(tl_http_exchange *x, int status)
{
    const tl_http_header fields[] = {{TL_STR("Content-Type"), TL_STR("text/plain")},
                                     {TL_STR("Retry-After"), TL_STR("1")}};
    char text[64];
    const size_t len = tl_str_print(text, sizeof text, "%s\n", tl_http_status_text(status));
    tl_http_answer(x, status, (tl_http_headers){fields, status == 503 ? 2 : 1},
                   (tl_bytes){(const uint8_t *)text, len});
}

void tl__http_refuse(tl__http_conn *conn, tl_http_exchange *x, int status)
{
    conn->rx = TL__HTTP_RX_IGNORE;
    conn->is_stopping = true;
    conn->is_in_head = false;
    conn->lingers = true;
    conn->drain_left = TL__HTTP_LINGER_LEN_MAX;
    conn->read_due_ms = TL__HTTP_NEVER;
    if (x == NULL) {
        x = tl__http_exchange_new(conn);
    }
    if (x == NULL) {
        tl__http_conn_break(conn);
        return;
    }
    TL_ASSERT(!x->is_seen); /* HTTP-1 */
    x->is_last = true;
    x->is_received = true;
    answer_plain(x, status);
}

void tl__http_end_exchange(tl_http_exchange *x, tl_http_gone why)
{
    tl__http_conn *conn = x->conn;
    const tl_http_app *app = conn->loop->app;
    static const int statuses[] = {
        [TL_HTTP_GONE_PEER] = 408,      [TL_HTTP_GONE_BAD] = 400,
        [TL_HTTP_GONE_STOP] = 503,      [TL_HTTP_GONE_MEMORY] = 503,
        [TL_HTTP_GONE_TOO_LARGE] = 413, [TL_HTTP_GONE_BODY_SLOW] = 408,
        [TL_HTTP_GONE_TIMEOUT] = 503,
    };
    if (x->is_streaming) { /* its head is out: nothing can be said any more */
        tl__http_conn_break(conn);
        return;
    }
    if (why == TL_HTTP_GONE_BAD || why == TL_HTTP_GONE_BODY_SLOW) {
        x->is_last = true; /* where the next request would begin, nobody knows or will wait for */
        conn->rx = TL__HTTP_RX_IGNORE;
        conn->drain_left = TL__HTTP_LINGER_LEN_MAX;
        conn->read_due_ms = TL__HTTP_NEVER;
        conn->lingers = true;
    }
    x->is_seen = false;
    x->is_mute = why < TL_HTTP_GONE_MEMORY;
    conn->ending = x;
    if (app->on_gone != NULL) {
        app->on_gone(conn->loop->user, x, why);
    }
    if (conn->ending == x) { /* the application left it to us */
        conn->ending = NULL;
        x->is_mute = false;
        answer_plain(x, statuses[why]);
    }
}
