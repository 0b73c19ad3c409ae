/* The client: its queue, its waiting list, and the step that carries everything on. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io/net/client/client_internal.h"
#include "io/sys/sys.h"

/* As many requests are prepared before the sockets are looked at again: while one is signed, others are answered. */
enum { LAUNCH_BATCH = 16, EVENTS_MAX = 128, NS_PER_MS = 1000000, ENTRIES_LEN_MAX = 64 << 20 };

int64_t tl__client_now(const tl_client *client)
{
    return tl_clock_steady_ns(&client->options.clock);
}

/* --- the queue, in the order of coming; the waiting list, in none --- */

void tl__client_enqueue(tl_client *client, tl__attempt *attempt)
{
    attempt->state = TL__ATTEMPT_QUEUE;
    attempt->next = NULL;
    if (client->queue_last != NULL) {
        client->queue_last->next = attempt;
    } else {
        client->queue_first = attempt;
    }
    client->queue_last = attempt;
}

void tl__client_wait(tl_client *client, tl__attempt *attempt, int64_t due_ns)
{
    attempt->state = TL__ATTEMPT_WAIT;
    attempt->due_ns = due_ns;
    attempt->next = client->waiting;
    client->waiting = attempt;
}

static void unlink_from(tl__attempt **first, const tl__attempt *attempt)
{
    for (tl__attempt **at = first; *at != NULL; at = &(*at)->next) {
        if (*at == attempt) {
            *at = attempt->next;
            return;
        }
    }
    TL_ASSERT(false);
}

void tl__client_drop(tl_client *client, tl__attempt *attempt)
{
    if (attempt->state == TL__ATTEMPT_WAIT) {
        unlink_from(&client->waiting, attempt);
    } else {
        TL_ASSERT(attempt->state == TL__ATTEMPT_QUEUE);
        unlink_from(&client->queue_first, attempt);
        if (client->queue_last == attempt) {
            client->queue_last = client->queue_first;
            while (client->queue_last != NULL && client->queue_last->next != NULL) {
                client->queue_last = client->queue_last->next;
            }
        }
    }
    attempt->next = NULL;
    attempt->state = TL__ATTEMPT_OVER;
}

/* --- those that ended --- */

void tl__client_tell(tl_client *client, tl_client_call *call)
{
    call->next_ended = NULL;
    if (client->ended_last != NULL) {
        client->ended_last->next_ended = call;
    } else {
        client->ended_first = call;
    }
    client->ended_last = call;
    call->is_ended = true;
}

void tl__client_untell(tl_client *client, tl_client_call *call)
{
    if (!call->is_done) {
        client->count--;
        return;
    }
    if (!call->is_ended) {
        return;
    }
    client->count--;
    tl_client_call *before = NULL;
    tl_client_call **at = &client->ended_first;
    while (*at != call) {
        before = *at;
        at = &(*at)->next_ended;
    }
    *at = call->next_ended;
    if (client->ended_last == call) {
        client->ended_last = before;
    }
}

static void tell_all(tl_client *client)
{
    while (client->ended_first != NULL) {
        tl_client_call *call = client->ended_first;
        client->ended_first = call->next_ended;
        if (client->ended_first == NULL) {
            client->ended_last = NULL;
        }
        call->is_ended = false;
        tl__call_tell(call);
    }
}

/* --- libcurl's sockets and timer --- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *known)
{
    (void)easy;
    tl_client *client = (tl_client *)self;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(client->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    struct epoll_event event = {0};
    event.data.fd = fd;
    event.events = ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
                   ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0);
    const int op = known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(client->epoll, op, fd, &event) != 0) {
        return -1;
    }
    return client->curl.multi_assign(client->multi, fd, client) == CURLM_OK ? 0 : -1;
}

static int on_timer(CURLM *multi, long wait_ms, void *self)
{
    (void)multi;
    tl_client *client = (tl_client *)self;
    client->curl_due_ns = wait_ms < 0
                              ? INT64_MAX
                              : tl_clock_steady_ns(&client->machine) + (int64_t)wait_ms * NS_PER_MS;
    return 0;
}

static void act(tl_client *client, curl_socket_t fd, int what)
{
    int running = 0;
    client->is_in_curl = true;
    (void)client->curl.multi_socket_action(client->multi, fd, what, &running);
    client->is_in_curl = false;
}

static void act_on_time(tl_client *client)
{
    if (client->curl_due_ns <= tl_clock_steady_ns(&client->machine)) {
        client->curl_due_ns = INT64_MAX;
        act(client, CURL_SOCKET_TIMEOUT, 0);
    }
}

/* True when there were any. */
static bool take_ended(tl_client *client)
{
    bool has_any = false;
    int left = 0;
    const CURLMsg *message = NULL;
    while ((message = client->curl.multi_info_read(client->multi, &left)) != NULL) {
        char *attempt = NULL;
        const CURLcode code = message->data.result;
        TL_ASSERT(message->msg == CURLMSG_DONE);
        (void)client->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &attempt);
        tl__call_ended((tl__attempt *)(void *)attempt, code);
        has_any = true;
    }
    return has_any;
}

/* --- the step --- */

static void sweep_cancelled(tl_client *client)
{
    if (!client->has_cancelled) {
        return;
    }
    client->has_cancelled = false;
    for (tl_client_call *call = client->calls; call != NULL; call = call->after) {
        if (call->is_cancelled) {
            tl__call_cancel(call);
        }
    }
}

/* In the order in which they came due, so that what is seeded repeats. */
static void wake(tl_client *client)
{
    const int64_t now_ns = tl__client_now(client);
    for (;;) {
        tl__attempt *due = NULL;
        for (tl__attempt *a = client->waiting; a != NULL; a = a->next) {
            if (a->due_ns <= now_ns && (due == NULL || a->due_ns <= due->due_ns)) {
                due = a;
            }
        }
        if (due == NULL) {
            return;
        }
        tl__client_drop(client, due);
        tl__call_due(due);
    }
}

/* True when more could go out at once. */
static bool launch(tl_client *client)
{
    unsigned count = 0;
    tl__attempt *a = client->queue_first;
    while (a != NULL && client->flight < client->options.flight_max) {
        if (count == LAUNCH_BATCH) {
            return true;
        }
        tl__attempt *next = a->next;
        if (tl__call_turn(a)) {
            count++;
            next = client->queue_first; /* the turn may have ended calls, and their attempts */
        }
        a = next;
    }
    return false;
}

static int64_t until(int64_t due_ns, int64_t now_ns)
{
    return due_ns <= now_ns ? 0 : (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
}

static int64_t find_wait_ms(const tl_client *client, int64_t wait_ms)
{
    if (client->ended_first != NULL || client->has_cancelled) {
        return 0;
    }
    if (client->curl_due_ns != INT64_MAX) {
        const int64_t left = until(client->curl_due_ns, tl_clock_steady_ns(&client->machine));
        wait_ms = left < wait_ms ? left : wait_ms;
    }
    const int64_t now_ns = tl__client_now(client);
    for (const tl__attempt *a = client->waiting; a != NULL; a = a->next) {
        const int64_t left = until(a->due_ns, now_ns);
        wait_ms = left < wait_ms ? left : wait_ms;
    }
    return wait_ms;
}

static tl_err wait_for_sockets(tl_client *client, int64_t wait_ms, tl_errctx *ctx)
{
    struct epoll_event events[EVENTS_MAX];
    const int count = epoll_wait(client->epoll, events, EVENTS_MAX, (int)wait_ms);
    if (count < 0 && errno != EINTR) {
        return tl_fail(ctx, TL_ERR_IO, "epoll_wait: %s", strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        const uint32_t got = events[i].events;
        int what = (got & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0;
        what |= (got & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
        what |= (got & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0; /* reading tells which */
        act(client, events[i].data.fd, what);
    }
    return TL_OK;
}

tl_err tl_client_step(tl_client *client, uint32_t wait_ms, tl_errctx *ctx)
{
    TL_ASSERT(!client->is_in_curl);
    sweep_cancelled(client);
    wake(client);
    const bool has_more = launch(client);
    act_on_time(client);
    /* An answer may be there before libcurl asks for its socket: such a transfer is over, and no event tells of it. */
    const bool has_ended = take_ended(client);
    const int64_t limit_ms = has_more || has_ended ? 0 : wait_ms > INT_MAX ? INT_MAX : wait_ms;
    TL_TRY(wait_for_sockets(client, find_wait_ms(client, limit_ms), ctx));
    act_on_time(client);
    (void)take_ended(client);
    tell_all(client);
    return TL_OK;
}

tl_err tl_client_run(tl_client *client, tl_errctx *ctx)
{
    while (client->count > 0) {
        TL_TRY(tl_sys_check_interrupt(ctx));
        TL_TRY(tl_client_step(client, 1000, ctx));
    }
    return TL_OK;
}

size_t tl_client_count(const tl_client *client)
{
    return client->count;
}

int tl_client_fd(const tl_client *client)
{
    return client->epoll;
}

uint32_t tl_client_due_ms(const tl_client *client)
{
    if (client->queue_first != NULL && client->flight < client->options.flight_max) {
        return 0;
    }
    const int64_t wait_ms = find_wait_ms(client, UINT32_MAX);
    return wait_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)wait_ms;
}

uint32_t tl_client_flight(const tl_client *client, tl_str host, uint16_t port)
{
    const tl__host *found = tl__host_find(client, host, port);
    return found != NULL ? found->flight : 0;
}

tl_breaker_state tl_client_breaker(const tl_client *client, tl_str host, uint16_t port)
{
    const tl__host *found = tl__host_find(client, host, port);
    return found != NULL ? found->breaker.state : TL_BREAKER_CLOSED;
}

/* --- beginning and end --- */

static tl_err take_options(tl_client_options *out, const tl_client_options *options, tl_errctx *ctx)
{
    *out = options != NULL ? *options : (tl_client_options){0};
    out->flight_max = out->flight_max != 0 ? out->flight_max : TL_CLIENT_FLIGHT;
    out->idle_s = out->idle_s != 0 ? out->idle_s : TL_CLIENT_IDLE_S;
    if (out->flight_max > TL_CLIENT_FLIGHT_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "flight_max", "%u requests at once, above %d",
                             out->flight_max, TL_CLIENT_FLIGHT_MAX);
    }
    if (out->clock.steady_ns == NULL) {
        out->clock = tl_sys_clock();
    }
    if (out->entropy.fill == NULL) {
        out->entropy = tl_sys_entropy();
    }
    return TL_OK;
}

static tl_err set_up(tl_client *client, tl_errctx *ctx)
{
    const tl__curl *curl = &client->curl;
    TL_TRY(tl__curl_load(&client->curl, ctx));
    TL_TRY(tl_arena_new(&client->host_arena, NULL, ENTRIES_LEN_MAX, NULL, ctx));
    tl_map_init(&client->hosts, client->host_arena);
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (client->epoll < 0) {
        return tl_fail(ctx, TL_ERR_IO, "epoll_create1: %s", strerror(errno));
    }
    client->spare = (CURL **)calloc(client->options.flight_max, sizeof(CURL *));
    client->multi = curl->multi_init();
    if (client->spare == NULL || client->multi == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a client");
    }
    bool bad = false;
    CURLM *m = client->multi;
    bad |= curl->multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK;
    bad |= curl->multi_setopt(m, CURLMOPT_SOCKETDATA, client) != CURLM_OK;
    bad |= curl->multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK;
    bad |= curl->multi_setopt(m, CURLMOPT_TIMERDATA, client) != CURLM_OK;
    bad |=
        curl->multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)client->options.flight_max) != CURLM_OK;
    bad |= curl->multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK;
    return bad ? tl_fail(ctx, TL_ERR_NOMEM, "libcurl takes no options") : TL_OK;
}

tl_err tl_client_new(tl_client **out, const tl_client_options *options, tl_errctx *ctx)
{
    tl_client_options taken;
    TL_TRY(take_options(&taken, options, ctx));
    tl_client *client = (tl_client *)calloc(1, sizeof *client);
    if (client == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a client");
    }
    client->options = taken;
    client->machine = tl_sys_clock();
    client->curl_due_ns = INT64_MAX;
    client->epoll = -1;
    const tl_err err = set_up(client, ctx);
    if (err != TL_OK) {
        tl_client_free(client);
        return err;
    }
    *out = client;
    return TL_OK;
}

void tl_client_free(tl_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->calls != NULL) {
        tl_client_call_free(client->calls);
    }
    while (client->spare_count > 0) {
        client->curl.easy_cleanup(client->spare[--client->spare_count]);
    }
    free(client->spare);
    if (client->multi != NULL) {
        (void)client->curl.multi_cleanup(client->multi);
    }
    if (client->epoll >= 0) {
        (void)close(client->epoll);
    }
    if (client->host_arena != NULL) {
        tl__hosts_free(client);
    }
    free(client);
}
