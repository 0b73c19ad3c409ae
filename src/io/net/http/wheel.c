/* Deadlines. A connection stands in one slot of a wheel of a thousand ticks, by the earliest of its deadlines; farther ones
 * stand in the last slot. Deadlines mostly move back, with each request: that touches nothing here. When its slot comes,
 * a connection whose deadline has moved is filed anew. So ten thousand of them cost one short list a tick, and no timer of
 * their own. */
#include "io/net/http/http_internal.h"

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t earliest(const tl__http_conn *conn)
{
    int64_t due = min_ms(conn->read_due_ms, conn->write_due_ms);
    for (const tl_http_exchange *x = conn->first; x != NULL; x = x->next) {
        due = min_ms(due, x->due_ms);
    }
    return due;
}

void tl__http_wheel_remove(tl__http_conn *conn)
{
    tl_http_loop *loop = conn->loop;
    if (conn->filed_ms == TL__HTTP_NEVER) {
        return;
    }
    if (conn->wheel_prev != NULL) {
        conn->wheel_prev->wheel_next = conn->wheel_next;
    } else {
        loop->wheel[conn->filed_slot] = conn->wheel_next;
    }
    if (conn->wheel_next != NULL) {
        conn->wheel_next->wheel_prev = conn->wheel_prev;
    }
    conn->wheel_prev = NULL;
    conn->wheel_next = NULL;
    conn->filed_ms = TL__HTTP_NEVER;
}

void tl__http_wheel_file(tl__http_conn *conn)
{
    tl_http_loop *loop = conn->loop;
    const int64_t due = earliest(conn);
    if (due >= conn->filed_ms || conn->is_closed) {
        return;
    }
    tl__http_wheel_remove(conn);
    /* The first tick at or after the deadline, not behind the turned part, not beyond a round. */
    const int64_t from = loop->ticked_ms / loop->tick_ms;
    int64_t tick = due / loop->tick_ms + 1;
    tick = tick <= from ? from + 1 : min_ms(tick, from + TL__HTTP_WHEEL_SLOTS - 1);
    conn->filed_ms = tick * loop->tick_ms;
    conn->filed_slot = (uint16_t)(tick % TL__HTTP_WHEEL_SLOTS);
    conn->wheel_next = loop->wheel[conn->filed_slot];
    if (conn->wheel_next != NULL) {
        conn->wheel_next->wheel_prev = conn;
    }
    loop->wheel[conn->filed_slot] = conn;
}

/* Everything filed in one slot: what is due acts, the rest is filed again, always in another slot. */
static void turn_slot(tl_http_loop *loop, size_t slot)
{
    tl__http_conn *conn;
    while ((conn = loop->wheel[slot]) != NULL) {
        tl__http_wheel_remove(conn);
        if (earliest(conn) <= loop->now_ms) {
            tl__http_conn_due(conn);
        }
        tl__http_wheel_file(conn);
    }
}

void tl__http_wheel_turn(tl_http_loop *loop)
{
    const int64_t to = loop->now_ms / loop->tick_ms;
    int64_t from = loop->ticked_ms / loop->tick_ms;
    if (to - from > TL__HTTP_WHEEL_SLOTS) { /* a long sleep: each slot once */
        from = to - TL__HTTP_WHEEL_SLOTS;
    }
    for (int64_t tick = from + 1; tick <= to; tick++) {
        loop->ticked_ms = tick * loop->tick_ms;
        turn_slot(loop, (size_t)(tick % TL__HTTP_WHEEL_SLOTS));
    }
    if (loop->busy_count == 0) {
        tl__http_exchange_free_spare(loop, TL__HTTP_SPARE_IDLE + loop->spare_count / 2);
    }
}
