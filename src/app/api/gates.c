/* A request on its loop: made into a call when its head is there, turned away when that is clear already, and handed to a
 * worker when its body is whole. What the worker needs is copied, since it outlives the exchange when the peer leaves. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/api/api_internal.h"

enum {
    PLAIN_BODY_LEN_MAX = 64 << 10, /* of a route that takes none: signed all the same */
    /* Files of bodies that stay in memory: of one, and of all that are read. Above, they lie in the state folder. */
    MEMORY_FILE_LEN_MAX = 1 << 20,
    MEMORY_FILES_LEN_MAX = 64 << 20
};

/* --- a call's life --- */

static const char hex_digits[] = "0123456789abcdef";

/* The caller's own id where it can stand in a header and a log, else one that no other request here has. */
static void set_id(tl_api_call *call)
{
    const tl_http_header *given = tl_http_find(call->headers, TL_STR("x-correlation-id"));
    size_t at = 0;
    if (given != NULL && given->value.len > 0 && given->value.len <= TL_API_ID_MAX) {
        while (at < given->value.len && given->value.ptr[at] > ' ' && given->value.ptr[at] < 0x7f) {
            call->id[at] = given->value.ptr[at];
            at++;
        }
        if (at == given->value.len) {
            call->id[at] = 0;
            return;
        }
    }
    tl__lane *lane = call->lane;
    uint64_t x = lane->id_salt + ++lane->id_next * 0x9e3779b97f4a7c15u;
    x ^= x >> 31; /* odd multiples and this shift are one to one: no id comes twice */
    for (size_t i = 0; i < 16; i++) {
        call->id[i] = hex_digits[x >> (60 - 4 * i) & 15];
    }
    call->id[16] = 0;
}

static tl_err copy_headers(tl_http_headers *out, tl_arena *arena, tl_http_headers headers)
{
    tl_http_header *at = TL_NEW(arena, tl_http_header, headers.count);
    if (at == NULL) {
        return tl_arena_fail(arena, NULL);
    }
    for (size_t i = 0; i < headers.count; i++) {
        TL_TRY(tl_str_copy(&at[i].name, arena, headers.at[i].name, NULL));
        TL_TRY(tl_str_copy(&at[i].value, arena, headers.at[i].value, NULL));
    }
    *out = (tl_http_headers){at, headers.count};
    return TL_OK;
}

static tl_err copy_request(tl_api_call *call, const tl_http_request *request)
{
    TL_TRY(tl_arena_new(&call->arena, NULL, TL__API_CALL_LEN, NULL, NULL));
    TL_TRY(tl_str_copy(&call->method, call->arena, request->method, NULL));
    TL_TRY(tl_str_copy(&call->target, call->arena, request->origin, NULL));
    call->path = tl_str_slice(call->target, 0, tl_str_find(call->target, '?'));
    if (call->path.len < call->target.len) {
        call->query = tl_str_slice(call->target, call->path.len + 1, call->target.len);
    }
    return copy_headers(&call->headers, call->arena, request->headers);
}

void tl__call_free(tl_api_call *call)
{
    TL_ASSERT(call->x == NULL);
    tl_api_page_unref(call->page);
    if (call->fd >= 0) {
        (void)close(call->fd);
        atomic_fetch_sub(&call->api->memory_len, call->memory_len);
    }
    tl_arena_free(call->arena);
    free(call);
}

static tl_api_call *call_new(tl__lane *lane, tl_http_exchange *x)
{
    tl_api_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    const tl_http_request *request = tl_http_request_of(x);
    call->api = lane->api;
    call->lane = lane;
    call->fd = -1;
    if (copy_request(call, request) != TL_OK) {
        tl__call_free(call);
        return NULL;
    }
    call->x = x;
    call->begun_ns = tl_clock_steady_ns(&lane->api->real);
    call->peer = tl__peer_of(lane->api, request);
    (void)tl_net_ip_text(call->caller.address, &call->peer);
    call->is_exempt =
        tl_limit_lists_exempts(lane->api->lists, &call->peer, lane->api->settings.limits_loopback);
    set_id(call);
    if (lane->api->settings.log != NULL) {
        call->log = *lane->api->settings.log;
        tl_log_correlate(&call->log, tl_str_from_cstr(call->id));
    } else {
        call->log.level = TL_LOG_OFF;
    }
    tl_http_set_user(x, call);
    return call;
}

/* --- the head --- */

/* Answers a refusal that was made on the loop. */
static void send_now(tl_api_call *call)
{
    tl__answer_finish(call);
    tl__answer_send(call);
}

static void refuse_now(tl_api_call *call, tl_api_code code, const char *message)
{
    tl__api_refuse(call, code, NULL, message);
    send_now(call);
}

static void answer_options(tl_api_call *call, const tl__route *path)
{
    tl_sb sb;
    tl_str allow;
    tl_sb_init(&sb, call->arena);
    tl__route_put_allow(&sb, path);
    if (tl_sb_finish(&allow, &sb, NULL) == TL_OK) {
        tl_api_set_header(call, "Allow", allow);
    }
    call->route = NULL; /* no row of the table: nothing to hold it against */
    tl_api_answer_empty(call);
    send_now(call);
}

/* The route of path and method; NULL: answered. */
static const tl__route *find_route(tl_api_call *call)
{
    tl__route *path = tl__route_match(call->api, call->path, call->segments);
    if (path == NULL) {
        refuse_now(call, TL_API_NOT_FOUND, "There is no such path");
        return NULL;
    }
    if (tl_str_eq_cstr(call->method, "OPTIONS")) {
        answer_options(call, path);
        return NULL;
    }
    call->is_head = tl_str_eq_cstr(call->method, "HEAD");
    tl_api_method method = TL_API_GET;
    if ((call->is_head || tl__method_parse(&method, call->method)) &&
        path->methods[method] != NULL) {
        return path->methods[method];
    }
    tl_sb sb;
    tl_str allow;
    tl_sb_init(&sb, call->arena);
    tl__route_put_allow(&sb, path);
    if (tl_sb_finish(&allow, &sb, NULL) == TL_OK) {
        tl_api_set_header(call, "Allow", allow);
    }
    refuse_now(call, TL_API_METHOD_NOT_ALLOWED, "This path does not take the method");
    return NULL;
}

/* A body's file in memory, when its length is told and there is room: an inode of the disk is dear, and is given back
 * at once. */
static bool open_memory(tl_api_call *call)
{
    tl_api *api = call->api;
    const tl_http_request *request = tl_http_request_of(call->x);
    const uint64_t len = request->content_length;
    if (!request->has_content_length || len > MEMORY_FILE_LEN_MAX) {
        return false;
    }
    call->memory_len = (uint32_t)len;
    if (atomic_fetch_add(&api->memory_len, call->memory_len) + len <= MEMORY_FILES_LEN_MAX) {
        call->fd = memfd_create("body", MFD_CLOEXEC);
    }
    if (call->fd < 0) {
        atomic_fetch_sub(&api->memory_len, call->memory_len);
        call->memory_len = 0;
    }
    return call->fd >= 0;
}

/* An unnamed file in the state folder: gone with its descriptor, whatever happens. */
static bool open_file(tl_api_call *call)
{
    if (open_memory(call)) {
        return true;
    }
    const char *dir = call->api->settings.dir != NULL ? call->api->settings.dir : "/tmp";
    call->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (call->fd >= 0) {
        return true;
    }
    char path[4096];
    tl_str_print(path, sizeof path, "%s/body.XXXXXX", dir);
    call->fd = mkostemp(path, O_CLOEXEC);
    if (call->fd >= 0) {
        (void)unlink(path);
    }
    return call->fd >= 0;
}

static void await_body(tl_api_call *call)
{
    const tl_api_route *spec = call->route->spec;
    const uint64_t len_max =
        spec->body == TL_API_BODY_NONE ? PLAIN_BODY_LEN_MAX : call->route->body_len_max;
    const tl_http_request *request = tl_http_request_of(call->x);
    if (request->has_content_length && request->content_length > len_max) {
        refuse_now(call, TL_API_TOO_LARGE, "The body is too large");
        return;
    }
    if (!call->is_exempt) {
        const uint32_t wait_ms = tl_limit_peek_ip(call->api->strangers, &call->peer,
                                                  tl_clock_steady_ns(&call->api->real));
        if (wait_ms > 0) {
            call->retry_after_s = tl_limit_retry_after_s(wait_ms);
            refuse_now(call, TL_API_TOO_MANY_REQUESTS,
                       "Too many requests of this address were refused");
            return;
        }
    }
    if (!tl__who_has_credentials(call)) {
        refuse_now(call, TL_API_MALFORMED_AUTH, "The request has no credentials");
        return;
    }
    if (spec->body == TL_API_BODY_FILE && !open_file(call)) {
        refuse_now(call, TL_API_BUSY, "There is no room for the body");
        return;
    }
    tl_http_take_body(call->x, call->fd >= 0 ? TL_HTTP_CHUNKS : TL_HTTP_COLLECT, len_max, 0);
}

void tl__api_gates_on_head(void *user, tl_http_exchange *x)
{
    tl__lane *lane = user;
    tl_api_call *call = call_new(lane, x);
    if (call == NULL) {
        tl_http_answer(x, 503, (tl_http_headers){NULL, 0}, (tl_bytes){NULL, 0});
        return;
    }
    if (!tl_limit_lists_admits_ip(lane->api->lists, &call->peer)) {
        refuse_now(call, TL_API_FORBIDDEN, "The address is on the blacklist");
        return;
    }
    const tl__route *route = find_route(call);
    if (route != NULL) { /* else it is answered, and the call gone */
        call->route = route;
        await_body(call);
    }
}

/* --- the body --- */

void tl__api_gates_on_body(void *user, tl_http_exchange *x, tl_bytes chunk)
{
    (void)user;
    tl_api_call *call = tl_http_user(x);
    while (chunk.len > 0 && !call->is_fd_bad) {
        const ssize_t n = write(call->fd, chunk.ptr, chunk.len);
        if (n <= 0) {
            call->is_fd_bad = true;
            break;
        }
        call->fd_len += (uint64_t)n;
        chunk = (tl_bytes){chunk.ptr + n, chunk.len - (size_t)n};
    }
}

static bool keep_body(tl_api_call *call)
{
    if (call->fd >= 0) {
        return !call->is_fd_bad && lseek(call->fd, 0, SEEK_SET) == 0;
    }
    const tl_bytes body = tl_http_request_of(call->x)->body;
    tl_str copy;
    if (tl_str_copy(&copy, call->arena, (tl_str){(const char *)body.ptr, body.len}, NULL) !=
        TL_OK) {
        return false;
    }
    call->body = tl_str_bytes(copy);
    return true;
}

/* May it be answered on the loop? Limits that live in Redis may not: they wait for it. */
static bool is_inline(const tl_api_call *call)
{
    return call->route->spec->runs == TL_API_INLINE &&
           (call->api->settings.redis == NULL || call->route->spec->limits[0].count == 0);
}

void tl__api_gates_on_request(void *user, tl_http_exchange *x)
{
    (void)user;
    tl_api_call *call = tl_http_user(x);
    if (!keep_body(call)) {
        refuse_now(call, TL_API_BUSY, "There is no room for the body");
        return;
    }
    if (is_inline(call)) {
        tl__work_do(call);
        tl__answer_send(call);
        return;
    }
    tl_http_set_timeout(x, call->api->settings.call_timeout_ms);
    call->state = TL__CALL_WORKING;
    if (!tl__work_offer(call->api, call)) {
        call->state = TL__CALL_BODY;
        refuse_now(call, TL_API_BUSY, "Too many requests wait"); /* API-5 */
    }
}

/* --- the end that somebody else makes --- */

static bool code_of_gone(tl_api_code *code, const char **message, tl_http_gone why)
{
    switch (why) {
    case TL_HTTP_GONE_TOO_LARGE:
        *code = TL_API_TOO_LARGE;
        *message = "The body is too large";
        return true;
    case TL_HTTP_GONE_BODY_SLOW:
        *code = TL_API_TIMEOUT;
        *message = "The body did not come in time";
        return true;
    case TL_HTTP_GONE_TIMEOUT:
        *code = TL_API_BUSY;
        *message = "No answer was ready in time";
        return true;
    case TL_HTTP_GONE_MEMORY:
        *code = TL_API_BUSY;
        *message = "There is no memory for it";
        return true;
    case TL_HTTP_GONE_PEER:
    case TL_HTTP_GONE_BAD:
    case TL_HTTP_GONE_STOP:
        break;
    }
    return false;
}

void tl__api_gates_on_gone(void *user, tl_http_exchange *x, tl_http_gone why)
{
    (void)user;
    tl_api_call *call = tl_http_user(x);
    if (call == NULL) {
        return; /* answered */
    }
    tl_api_code code = TL_API_BUSY;
    const char *message = "";
    const bool is_told = code_of_gone(&code, &message, why);
    tl__api_observe_done(call, is_told ? tl_api_code_status(code) : 0,
                         is_told ? tl_api_code_name(code) : "gone");
    if (is_told) {
        tl__answer_static(call, x, code, message);
    }
    call->x = NULL;
    atomic_store(&call->is_gone, true);
    if (call->state != TL__CALL_WORKING) {
        tl__call_free(call); /* else the worker's post does */
    }
}
