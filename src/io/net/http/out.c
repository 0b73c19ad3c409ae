/* What waits to be sent. Mostly nothing does: an answer goes to the socket straight from its maker's memory, head and body
 * in one call, and only what the socket does not take is copied into blocks. With TLS all goes through blocks. */
#include <string.h>

#include "io/net/http/http_internal.h"

enum { BLOCK_LEN_MIN = 4096, BLOCK_LEN_MAX = 256 << 10, PARTS_MAX = 16 };

static tl__http_block *add_block(tl_http_loop *loop, tl__http_queue *queue, size_t want)
{
    const size_t cap = want < BLOCK_LEN_MIN   ? BLOCK_LEN_MIN
                       : want > BLOCK_LEN_MAX ? BLOCK_LEN_MAX
                                              : want;
    tl__http_block *block = tl__http_alloc(loop, sizeof *block + cap);
    if (block == NULL) {
        return NULL;
    }
    *block = (tl__http_block){.cap = cap};
    if (queue->last != NULL) {
        queue->last->next = block;
    } else {
        queue->first = block;
    }
    queue->last = block;
    return block;
}

bool tl__http_queue_put(tl_http_loop *loop, tl__http_queue *queue, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    while (len > 0) {
        tl__http_block *block = queue->last;
        if (block == NULL || block->to == block->cap) {
            block = add_block(loop, queue, len);
            if (block == NULL) {
                return false;
            }
        }
        const size_t room = block->cap - block->to;
        const size_t n = len < room ? len : room;
        memcpy(block->data + block->to, from, n);
        block->to += n;
        queue->len += n;
        from += n;
        len -= n;
    }
    return true;
}

void tl__http_queue_move(tl__http_queue *to, tl__http_queue *from)
{
    if (from->first == NULL) {
        return;
    }
    if (to->last != NULL) {
        to->last->next = from->first;
    } else {
        to->first = from->first;
    }
    to->last = from->last;
    to->len += from->len;
    *from = (tl__http_queue){0};
}

static void free_first(tl_http_loop *loop, tl__http_queue *queue)
{
    tl__http_block *block = queue->first;
    queue->first = block->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    tl__http_release(loop, block);
}

void tl__http_queue_clear(tl_http_loop *loop, tl__http_queue *queue)
{
    while (queue->first != NULL) {
        free_first(loop, queue);
    }
    queue->len = 0;
}

size_t tl__http_queue_parts(const tl__http_queue *queue, struct iovec *parts, size_t count_max)
{
    size_t count = 0;
    for (tl__http_block *b = queue->first; b != NULL && count < count_max; b = b->next) {
        parts[count++] = (struct iovec){b->data + b->from, b->to - b->from};
    }
    return count;
}

void tl__http_queue_consume(tl_http_loop *loop, tl__http_queue *queue, size_t len)
{
    TL_ASSERT(len <= queue->len);
    queue->len -= len;
    while (len > 0) {
        tl__http_block *block = queue->first;
        const size_t there = block->to - block->from;
        const size_t n = len < there ? len : there;
        block->from += n;
        len -= n;
        if (block->from == block->to) {
            free_first(loop, queue);
        }
    }
}

/* Send what the socket takes now; the rest by write_out, which has time. */
void tl__http_out_flush(tl__http_conn *conn)
{
    tl_http_loop *loop = conn->loop;
    while (conn->out.len > 0 && !conn->is_writing && !conn->is_broken) {
        struct iovec parts[PARTS_MAX];
        const size_t count = tl__http_queue_parts(&conn->out, parts, PARTS_MAX);
        const ptrdiff_t n = loop->wire->try_write(conn, parts, count);
        if (n < 0) {
            tl__http_conn_break(conn);
        } else if (n > 0) {
            tl__http_queue_consume(loop, &conn->out, (size_t)n);
        } else {
            conn->is_writing = true;
            conn->write_due_ms = loop->now_ms + loop->settings->write_timeout_ms;
            tl__http_wheel_file(conn);
            loop->wire->write_out(conn);
        }
    }
}

/* Bytes that TLS wants to send. */
void tl__http_tls_pull(tl__http_conn *conn)
{
    tl_http_loop *loop = conn->loop;
    uint8_t *buffer = (uint8_t *)loop->scratch;
    size_t n;
    while ((n = tl_tls_pull(conn->tls, buffer, TL__HTTP_ANSWER_HEAD_MAX)) > 0) {
        if (!tl__http_queue_put(loop, &conn->out, buffer, n)) {
            tl__http_conn_break(conn);
            return;
        }
    }
}

static void send_tls(tl__http_conn *conn, const struct iovec *parts, size_t count)
{
    for (size_t i = 0; i < count && !conn->is_broken; i++) {
        if (parts[i].iov_len > 0 &&
            !tl_tls_write(conn->tls, (tl_bytes){parts[i].iov_base, parts[i].iov_len})) {
            tl__http_conn_break(conn);
        }
    }
    tl__http_tls_pull(conn);
}

/* The socket first, where nothing waits before it. Gives how many bytes went. */
static size_t send_now(tl__http_conn *conn, const struct iovec *parts, size_t count)
{
    if (conn->out.len > 0 || conn->is_corked) {
        return 0;
    }
    const ptrdiff_t n = conn->loop->wire->try_write(conn, parts, count);
    if (n < 0) {
        tl__http_conn_break(conn);
        return 0;
    }
    return (size_t)n;
}

void tl__http_send(tl__http_conn *conn, const struct iovec *parts, size_t count)
{
    if (conn->is_broken || conn->is_closed) {
        return;
    }
    if (conn->tls != NULL) {
        send_tls(conn, parts, count);
    } else {
        size_t gone = send_now(conn, parts, count);
        for (size_t i = 0; i < count && !conn->is_broken; i++) {
            const size_t skip = gone < parts[i].iov_len ? gone : parts[i].iov_len;
            gone -= skip;
            if (!tl__http_queue_put(conn->loop, &conn->out,
                                    (const uint8_t *)parts[i].iov_base + skip,
                                    parts[i].iov_len - skip)) {
                tl__http_conn_break(conn);
            }
        }
    }
    if (conn->out.len > 0) {
        tl__http_conn_dirty(conn);
    }
}

/* The vector type has no const; nobody writes through it. */
void tl__http_send_bytes(tl__http_conn *conn, tl_bytes bytes)
{
    struct iovec part = {.iov_len = bytes.len};
    memcpy(&part.iov_base, &bytes.ptr, sizeof part.iov_base);
    tl__http_send(conn, &part, 1);
}
