/* An attempt: one request given to libcurl, and its answer taken in, piece by piece, within the limits (CLIENT-3). */
#include <stdlib.h>
#include <string.h>

#include "io/net/client/client_internal.h"

enum { BODY_CAP_MIN = 4096, BODY_CAP_TRUSTED = 65536, RECEIVE_LEN = 16384 };

/* --- the request --- */

static tl_err put_url(const char **out, tl_arena *arena, const tl_client_request *r, tl_errctx *ctx)
{
    const bool is_ipv6 = tl_str_find(r->host, ':') < r->host.len;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, r->is_tls ? "https://" : "http://");
    tl_sb_printf(&sb, is_ipv6 ? "[%.*s]:%u/" : "%.*s:%u/", TL_STR_ARG(r->host), (unsigned)r->port);
    tl_str url = {NULL, 0};
    TL_TRY(tl_sb_finish(&url, &sb, ctx));
    *out = url.ptr;
    return TL_OK;
}

/* libcurl's list, in the arena: it only reads it. A header without a value is written "name;". */
static tl_err put_header(struct curl_slist ***end, tl_arena *arena, tl_str name, tl_str value,
                         tl_errctx *ctx)
{
    const bool is_empty = tl_str_trim(value).len == 0;
    const size_t len = name.len + (is_empty ? 1 : 2 + value.len);
    struct curl_slist *node = TL_NEW(arena, struct curl_slist, 1);
    char *text = TL_NEW(arena, char, len + 1);
    if (node == NULL || text == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(text, name.ptr, name.len);
    if (is_empty) {
        text[name.len] = ';';
    } else {
        memcpy(text + name.len, ": ", 2);
        memcpy(text + name.len + 2, value.ptr, value.len);
    }
    node->data = text;
    **end = node;
    *end = &node->next;
    return TL_OK;
}

/* What libcurl would add by itself, taken out unless the caller has it: "name:" removes. */
static tl_err remove_default(struct curl_slist ***end, tl_arena *arena, tl_http_headers headers,
                             const char *name, const char *removal, tl_errctx *ctx)
{
    if (tl_http_find(headers, tl_str_from_cstr(name)) != NULL) {
        return TL_OK;
    }
    struct curl_slist *node = TL_NEW(arena, struct curl_slist, 1);
    const char *copy = NULL;
    if (node == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_str_copy_cstr(&copy, arena, tl_str_from_cstr(removal), ctx));
    memcpy(&node->data, &copy, sizeof copy);
    **end = node;
    *end = &node->next;
    return TL_OK;
}

static tl_err put_headers(struct curl_slist **out, tl_arena *arena, tl_http_headers headers,
                          tl_errctx *ctx)
{
    struct curl_slist **end = out;
    for (size_t i = 0; i < headers.count; i++) {
        TL_TRY(put_header(&end, arena, headers.at[i].name, headers.at[i].value, ctx));
    }
    TL_TRY(remove_default(&end, arena, headers, "accept", "Accept:", ctx));
    TL_TRY(remove_default(&end, arena, headers, "content-type", "Content-Type:", ctx));
    return remove_default(&end, arena, headers, "expect", "Expect:", ctx);
}

/* --- the answer: callbacks of libcurl --- */

static bool stop(tl__attempt *a, tl_client_fault fault)
{
    a->fault = fault;
    return false;
}

static bool add_header(tl__attempt *a, tl_str line)
{
    const size_t colon = tl_str_find(line, ':');
    const size_t limit = a->call->spec.field_len_max;
    if (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t') && a->headers.count > 0) {
        tl_http_header *last = (tl_http_header *)tl_vec_at(&a->headers, a->headers.count - 1);
        tl_sb sb;
        tl_sb_init(&sb, a->call->arena);
        tl_sb_printf(&sb, "%.*s %.*s", TL_STR_ARG(last->value), TL_STR_ARG(tl_str_trim(line)));
        if (tl_sb_finish(&last->value, &sb, NULL) != TL_OK) {
            return stop(a, TL_CLIENT_LOCAL);
        }
        return last->value.len <= limit || stop(a, TL_CLIENT_HEAD);
    }
    if (colon == 0 || colon == line.len || memchr(line.ptr, '\0', line.len) != NULL) {
        return stop(a, TL_CLIENT_HEAD);
    }
    const tl_str name = tl_str_slice(line, 0, colon);
    const tl_str value = tl_str_trim(tl_str_slice(line, colon + 1, line.len));
    if (name.len > limit || value.len > limit) {
        return stop(a, TL_CLIENT_HEAD);
    }
    tl_http_header *h = (tl_http_header *)tl_vec_push(&a->headers);
    if (h == NULL || tl_str_copy(&h->name, a->call->arena, name, NULL) != TL_OK ||
        tl_str_copy(&h->value, a->call->arena, value, NULL) != TL_OK) {
        return stop(a, TL_CLIENT_LOCAL);
    }
    return true;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": also after an interim answer (1xx), whose headers are then forgotten. */
static bool begin_head(tl__attempt *a, tl_str line)
{
    uint64_t status = 0;
    const size_t space = tl_str_find(line, ' ');
    if (!tl_str_parse_u64(&status, tl_str_slice(line, space + 1, space + 4)) || status < 100 ||
        status > 999) {
        return stop(a, TL_CLIENT_HEAD);
    }
    a->status = (uint16_t)status;
    a->http_major = line.ptr[5] == '2' ? 2 : 1;
    a->headers.count = 0;
    return true;
}

static bool end_head(tl__attempt *a)
{
    if (a->status < 200) {
        return true;
    }
    a->is_head_done = true;
    const tl_client_spec *spec = &a->call->spec;
    const tl_http_headers headers = {(const tl_http_header *)a->headers.items, a->headers.count};
    const tl_http_header *length = tl_http_find(headers, TL_STR("content-length"));
    uint64_t len = 0;
    if (length != NULL && tl_str_parse_u64(&len, length->value) && len > spec->body_len_max) {
        return stop(a, TL_CLIENT_BODY_LIMIT);
    }
    if (spec->on_head != NULL && !spec->on_head(spec->self, a->status, headers)) {
        return stop(a, TL_CLIENT_STOPPED);
    }
    return true;
}

/* One whole line of the head, its end included; trailers come this way too and are left out. */
static size_t on_line(char *bytes, size_t size, size_t count, void *self)
{
    tl__attempt *a = (tl__attempt *)self;
    const size_t len = size * count;
    tl_str line = {bytes, len};
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r')) {
        line.len--;
    }
    bool goes_on = true;
    a->head_len += len;
    if (a->is_head_done) {
        goes_on = a->head_len <= TL_CLIENT_HEAD_LEN || stop(a, TL_CLIENT_HEAD);
    } else if (a->head_len > TL_CLIENT_HEAD_LEN) {
        goes_on = stop(a, TL_CLIENT_HEAD);
    } else if (tl_str_starts_with(line, TL_STR("HTTP/"))) {
        goes_on = begin_head(a, line);
    } else if (line.len == 0) {
        goes_on = end_head(a);
    } else {
        goes_on = add_header(a, line);
    }
    return goes_on ? len : 0;
}

/* Room for len more bytes. What the server says of the length is believed up to BODY_CAP_TRUSTED: memory follows what
 * came, not what was promised. */
static bool reserve_body(tl__attempt *a, size_t len)
{
    const size_t need = a->body_len + len;
    if (need <= a->body_cap) {
        return true;
    }
    size_t cap = a->body_cap * 2 > BODY_CAP_MIN ? a->body_cap * 2 : BODY_CAP_MIN;
    if (a->body_cap == 0) {
        const tl_http_headers headers = {(const tl_http_header *)a->headers.items,
                                         a->headers.count};
        const tl_http_header *length = tl_http_find(headers, TL_STR("content-length"));
        uint64_t told = 0;
        if (length != NULL && tl_str_parse_u64(&told, length->value)) {
            cap = told < BODY_CAP_TRUSTED ? (size_t)told : BODY_CAP_TRUSTED;
        }
    }
    cap = cap > need ? cap : need;
    uint8_t *grown = (uint8_t *)realloc(a->body, cap);
    if (grown == NULL) {
        return false;
    }
    a->body = grown;
    a->body_cap = cap;
    return true;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *self)
{
    tl__attempt *a = (tl__attempt *)self;
    const tl_client_spec *spec = &a->call->spec;
    const size_t len = size * count;
    if (len > spec->body_len_max - a->body_len) {
        (void)stop(a, TL_CLIENT_BODY_LIMIT);
        return 0;
    }
    if (spec->on_chunk != NULL && a->status == 200) {
        if (a->call->streaming != NULL && a->call->streaming != a) { /* the hedge came second */
            (void)stop(a, TL_CLIENT_CANCELLED);
            return 0;
        }
        a->call->streaming = a;
        a->body_len += len;
        if (!spec->on_chunk(spec->self, (tl_bytes){(const uint8_t *)bytes, len})) {
            (void)stop(a, TL_CLIENT_STOPPED);
            return 0;
        }
        return len;
    }
    if (!reserve_body(a, len)) {
        (void)stop(a, TL_CLIENT_LOCAL);
        return 0;
    }
    TL_ASSERT(a->body_len + len <= spec->body_len_max); /* CLIENT-3 */
    memcpy(a->body + a->body_len, bytes, len);
    a->body_len += len;
    return len;
}

/* --- to libcurl and back --- */

/* Where a kept connection dies under a request, libcurl would send the same bytes again on a new one. Signed, they would
 * be a replay; so it may not (CLIENT-2): whoever may repeat the request does it signed anew. */
static int on_send(void *self, char *theirs, char *ours, int their_port, int our_port)
{
    (void)theirs;
    (void)ours;
    (void)their_port;
    (void)our_port;
    tl__attempt *a = (tl__attempt *)self;
    if (!a->is_sent) {
        a->is_sent = true;
        return CURL_PREREQFUNC_OK;
    }
    (void)stop(a, TL_CLIENT_GONE);
    return CURL_PREREQFUNC_ABORT;
}

#define SET(option, value) (void)(bad |= curl->easy_setopt(easy, (option), (value)) != CURLE_OK)

static bool set_wire(const tl__curl *curl, CURL *easy, const tl__attempt *a, const char *url,
                     struct curl_slist *headers, const char *target, const char *method)
{
    const tl_client_request *r = &a->request;
    const bool has_body = r->body.len > 0;
    const bool may_lack_body =
        tl_str_eq(r->method, TL_STR("GET")) || tl_str_eq(r->method, TL_STR("HEAD")) ||
        tl_str_eq(r->method, TL_STR("DELETE")) || tl_str_eq(r->method, TL_STR("OPTIONS"));
    bool bad = false;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_REQUEST_TARGET, target);
    SET(CURLOPT_HTTPHEADER, headers);
    if (tl_str_eq(r->method, TL_STR("HEAD"))) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (has_body || !may_lack_body) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, has_body ? (const char *)r->body.ptr : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    }
    SET(CURLOPT_CUSTOMREQUEST, method);
    return !bad;
}

static bool set_rules(const tl__curl *curl, CURL *easy, tl__attempt *a)
{
    const tl_client_spec *spec = &a->call->spec;
    const tl_client_options *options = &a->call->client->options;
    bool bad = false;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION,
        (long)(a->request.is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    SET(CURLOPT_TIMEOUT_MS, (long)spec->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)spec->connect_timeout_ms);
    SET(CURLOPT_MAXAGE_CONN, (long)options->idle_s);
    SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_LEN);
    SET(CURLOPT_ERRORBUFFER, a->error);
    SET(CURLOPT_PRIVATE, a);
    SET(CURLOPT_HEADERFUNCTION, on_line);
    SET(CURLOPT_HEADERDATA, a);
    SET(CURLOPT_PREREQFUNCTION, on_send);
    SET(CURLOPT_PREREQDATA, a);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_WRITEDATA, a);
    if (options->ca_file != NULL) {
        SET(CURLOPT_CAINFO, options->ca_file);
    }
    return !bad;
}

tl_err tl__attempt_launch(tl__attempt *attempt, tl_errctx *ctx)
{
    tl_client *client = attempt->call->client;
    tl_arena *arena = attempt->call->arena;
    struct curl_slist *headers = NULL;
    const char *url = NULL;
    const char *target = NULL;
    const char *method = NULL;
    TL_TRY(put_url(&url, arena, &attempt->request, ctx));
    TL_TRY(put_headers(&headers, arena, attempt->request.headers, ctx));
    TL_TRY(tl_str_copy_cstr(&target, arena, attempt->request.target, ctx));
    TL_TRY(tl_str_copy_cstr(&method, arena, attempt->request.method, ctx));
    CURL *easy =
        client->spare_count > 0 ? client->spare[--client->spare_count] : client->curl.easy_init();
    if (easy == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a request");
    }
    attempt->easy = easy;
    tl_vec_init(&attempt->headers, arena, sizeof(tl_http_header));
    if (!set_wire(&client->curl, easy, attempt, url, headers, target, method) ||
        !set_rules(&client->curl, easy, attempt) ||
        client->curl.multi_add_handle(client->multi, easy) != CURLM_OK) {
        client->curl.easy_cleanup(easy);
        attempt->easy = NULL;
        return tl_fail(ctx, TL_ERR_NOMEM, "libcurl has no memory for a request");
    }
    attempt->started_ns = tl__client_now(client);
    client->flight++;
    attempt->call->host->flight++;
    attempt->state = TL__ATTEMPT_FLIGHT;
    return TL_OK;
}

void tl__attempt_land(tl__attempt *attempt)
{
    tl_client *client = attempt->call->client;
    TL_ASSERT(attempt->state == TL__ATTEMPT_FLIGHT && client->flight > 0);
    TL_ASSERT(!client->is_in_curl);
    long connects = 1;
    (void)client->curl.easy_getinfo(attempt->easy, CURLINFO_NUM_CONNECTS, &connects);
    attempt->was_reused = connects == 0;
    attempt->elapsed_ns = tl__client_now(client) - attempt->started_ns;
    (void)client->curl.multi_remove_handle(client->multi, attempt->easy);
    if (client->spare_count < client->options.flight_max) {
        client->curl.easy_reset(attempt->easy);
        client->spare[client->spare_count++] = attempt->easy;
    } else {
        client->curl.easy_cleanup(attempt->easy);
    }
    attempt->easy = NULL;
    client->flight--;
    attempt->call->host->flight--;
    attempt->state = TL__ATTEMPT_OVER;
}

void tl__attempt_clear(tl__attempt *attempt)
{
    TL_ASSERT(attempt->easy == NULL);
    free(attempt->body);
    *attempt = (tl__attempt){.state = TL__ATTEMPT_NONE};
}
