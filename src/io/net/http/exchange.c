/* Exchanges and their memory. An exchange that is over is kept with its arena's first block and a small body buffer, so
 * that a request on a warm loop allocates nothing. */
#include <stdlib.h>
#include <string.h>

#include "io/net/http/http_internal.h"

void *tl__http_alloc(tl_http_loop *loop, size_t len)
{
    return loop->allocator->alloc(loop->allocator->self, len);
}

void tl__http_release(tl_http_loop *loop, void *memory)
{
    if (memory != NULL) {
        loop->allocator->release(loop->allocator->self, memory);
    }
}

static void free_exchange(tl_http_loop *loop, tl_http_exchange *x)
{
    tl_arena_free(x->arena);
    loop->bodies_len -= x->body_cap;
    tl__http_release(loop, x->body);
    tl__http_release(loop, x);
}

void tl__http_exchange_free_spare(tl_http_loop *loop, size_t keep_count)
{
    while (loop->spare_count > keep_count) {
        tl_http_exchange *x = loop->spare;
        loop->spare = x->next;
        loop->spare_count--;
        free_exchange(loop, x);
    }
}

static tl_http_exchange *make_exchange(tl_http_loop *loop)
{
    tl_http_exchange *x = tl__http_alloc(loop, sizeof *x);
    if (x == NULL) {
        return NULL;
    }
    memset(x, 0, sizeof *x);
    /* One byte makes the first block, which no rewind gives back. */
    if (tl_arena_new(&x->arena, NULL, TL__HTTP_ARENA_LEN_MAX, loop->allocator, NULL) != TL_OK ||
        tl_arena_alloc(x->arena, 1, 1, 1) == NULL) {
        free_exchange(loop, x);
        return NULL;
    }
    x->empty = tl_arena_get_mark(x->arena);
    return x;
}

static tl_http_exchange *take_spare(tl_http_loop *loop)
{
    tl_http_exchange *x = loop->spare;
    if (x != NULL) {
        loop->spare = x->next;
        loop->spare_count--;
        const tl_http_exchange fresh = {
            .arena = x->arena, .empty = x->empty, .body = x->body, .body_cap = x->body_cap};
        *x = fresh;
    }
    return x;
}

tl_http_exchange *tl__http_exchange_new(tl__http_conn *conn)
{
    tl_http_loop *loop = conn->loop;
    tl_http_exchange *x = loop->spare != NULL ? take_spare(loop) : make_exchange(loop);
    if (x == NULL) {
        return NULL;
    }
    x->conn = conn;
    x->body_len_max = loop->settings->body_len_max;
    x->due_ms = TL__HTTP_NEVER;
    if (conn->last != NULL) {
        conn->last->next = x;
    } else {
        conn->first = x;
    }
    conn->last = x;
    conn->waiting_count++;
    loop->busy_count++;
    return x;
}

void tl__http_exchange_drop(tl_http_exchange *x)
{
    tl__http_conn *conn = x->conn;
    tl_http_loop *loop = conn->loop;
    TL_ASSERT(conn->first == x && !x->is_seen); /* HTTP-2, HTTP-3 */
    conn->first = x->next;
    if (conn->first == NULL) {
        conn->last = NULL;
    }
    conn->waiting_count--;
    loop->busy_count--;
    tl__http_queue_clear(loop, &x->held);
    tl_arena_rewind(x->arena, x->empty);
    if (x->body_cap > TL__HTTP_BODY_KEPT_MAX) {
        loop->bodies_len -= x->body_cap;
        tl__http_release(loop, x->body);
        x->body = NULL;
        x->body_cap = 0;
    }
    if (loop->spare_count < TL__HTTP_SPARE_MAX) {
        x->next = loop->spare;
        loop->spare = x;
        loop->spare_count++;
    } else {
        free_exchange(loop, x);
    }
}

/* Room for so many bytes of body. A claimed length is believed in steps only: bytes that never come cost nothing. */
static bool reserve_body(tl_http_exchange *x, size_t need)
{
    tl_http_loop *loop = x->conn->loop;
    if (need <= x->body_cap) {
        return true;
    }
    size_t cap = x->body_cap < 4096 ? 4096 : x->body_cap * 2;
    if (x->request.has_content_length && x->request.content_length < cap) {
        cap = (size_t)x->request.content_length;
    }
    cap = cap < need ? need : cap;
    if (cap - x->body_cap > loop->settings->bodies_len_max - loop->bodies_len) {
        return false;
    }
    uint8_t *body = tl__http_alloc(loop, cap);
    if (body == NULL) {
        return false;
    }
    if (x->body_len > 0) {
        memcpy(body, x->body, x->body_len);
    }
    tl__http_release(loop, x->body);
    loop->bodies_len += cap - x->body_cap;
    x->body = body;
    x->body_cap = cap;
    return true;
}

bool tl__http_body_keep(tl_http_exchange *x, tl_bytes piece)
{
    if (!reserve_body(x, x->body_len + piece.len)) {
        return false;
    }
    memcpy(x->body + x->body_len, piece.ptr, piece.len);
    x->body_len += piece.len;
    return true;
}

/* --- what the application asks --- */

const tl_http_request *tl_http_request_of(const tl_http_exchange *x)
{
    return &x->request;
}

tl_arena *tl_http_arena(tl_http_exchange *x)
{
    return x->arena;
}

tl_http_loop *tl_http_loop_of(const tl_http_exchange *x)
{
    return x->conn->loop;
}

void tl_http_set_user(tl_http_exchange *x, void *user)
{
    x->user = user;
}

void *tl_http_user(const tl_http_exchange *x)
{
    return x->user;
}

void tl_http_take_body(tl_http_exchange *x, tl_http_body_take take, uint64_t len_max,
                       int64_t timeout_ms)
{
    x->take = take;
    x->body_len_max = len_max != 0 ? len_max : x->conn->loop->settings->body_len_max;
    x->body_timeout_ms = timeout_ms;
}

void tl_http_set_timeout(tl_http_exchange *x, int64_t timeout_ms)
{
    x->due_ms = timeout_ms > 0 ? x->conn->loop->now_ms + timeout_ms : TL__HTTP_NEVER;
    tl__http_wheel_file(x->conn);
}
