/* The wire to an S3 server: signed requests, each attempt signed anew, on connections that stay open.
 *
 * A store lends a client, with its connections, to each call, and takes it back: as many clients as there were calls at
 * once, so that threads never wait for each other. */
#include <stdlib.h>
#include <string.h>

#include "core/codec/base64/base64.h"
#include "core/codec/hex/hex.h"
#include "io/net/client/client.h"
#include "io/objects/objects_internal.h"

enum {
    BUCKET_LEN_MIN = 3,
    BUCKET_LEN_MAX = 63,
    FIELDS_MAX = TL__S3_FIELDS_MAX + 4,
    STEP_MS = 200,
    TEXT_CAP = 160,
    IDLE_MAX = 64
};

/* A call under way: what its prepare needs. */
typedef struct s3_call {
    tl_objects *store;
    const tl__s3_request *request;
    tl_client_call *call;
} s3_call;

struct tl__s3_flight {
    tl__s3_flight *next;
    tl_client *client;
    tl_objects *store;
    s3_call calls[TL__S3_FLIGHT_MAX];
};

struct tl__s3 {
    bool is_tls;
    tl_str host; /* without brackets */
    uint16_t port;
    tl_str authority; /* as the Host header has it */
    tl_str bucket;
    const char *ca_file;
    uint32_t timeout_ms;
    tl_backoff retry;
    pthread_mutex_t lock; /* guards idle */
    tl__s3_flight *idle;
    size_t idle_count;
};

/* --- the URL of the bucket --- */

static bool is_bucket(tl_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.') {
            return false;
        }
    }
    return s.len >= BUCKET_LEN_MIN && s.len <= BUCKET_LEN_MAX && s.ptr[0] != '.' && s.ptr[0] != '-';
}

static tl_err fail_url(const char *why, tl_errctx *ctx)
{
    /* The URL itself is not told: somebody may have put a secret into it (OBJ-5). */
    const tl_err err = tl_fail_field(ctx, TL_ERR_SYNTAX, "s3_url", "bad URL of a bucket: %s", why);
    tl_errctx_hint(ctx, "http://HOST:PORT/BUCKET");
    return err;
}

static tl_err parse_authority(tl__s3 *s3, tl_str authority, tl_errctx *ctx)
{
    tl_str host = authority;
    tl_str port = {0};
    if (tl_str_starts_with(authority, TL_STR("["))) {
        const size_t end = tl_str_find(authority, ']');
        host = tl_str_slice(authority, 1, end);
        port = tl_str_slice(authority, end + 1, authority.len);
        if (end == authority.len || (port.len > 0 && port.ptr[0] != ':')) {
            return fail_url("the address", ctx);
        }
        port = tl_str_slice(port, 1, port.len);
    } else {
        const size_t colon = tl_str_find(authority, ':');
        host = tl_str_slice(authority, 0, colon);
        port = tl_str_slice(authority, colon + 1, authority.len);
    }
    uint64_t number = s3->is_tls ? 443 : 80;
    if ((port.len > 0 && !tl_str_parse_u64(&number, port)) || number == 0 || number > UINT16_MAX) {
        return fail_url("the port", ctx);
    }
    if (host.len == 0 || tl_str_find(authority, '@') < authority.len) {
        return fail_url("the host", ctx);
    }
    s3->host = host;
    s3->port = (uint16_t)number;
    return TL_OK;
}

static tl_err parse_url(tl__s3 *s3, tl_objects *store, const char *url, tl_errctx *ctx)
{
    tl_str rest;
    TL_TRY(tl_str_copy(&rest, store->arena, tl_str_from_cstr(url), ctx));
    if (tl_str_starts_with(rest, TL_STR("https://"))) {
        s3->is_tls = true;
        rest = tl_str_slice(rest, 8, rest.len);
    } else if (tl_str_starts_with(rest, TL_STR("http://"))) {
        rest = tl_str_slice(rest, 7, rest.len);
    } else {
        return fail_url("it begins with neither http:// nor https://", ctx);
    }
    const size_t slash = tl_str_find(rest, '/');
    TL_TRY(parse_authority(s3, tl_str_slice(rest, 0, slash), ctx));
    s3->bucket = tl_str_slice(rest, slash + 1, rest.len);
    if (tl_str_ends_with(s3->bucket, TL_STR("/"))) {
        s3->bucket.len--;
    }
    if (!is_bucket(s3->bucket)) {
        return fail_url("the bucket has 3 to 63 small letters, digits, '-' or '.'", ctx);
    }
    const bool is_ipv6 = tl_str_find(s3->host, ':') < s3->host.len;
    tl_sb sb;
    tl_sb_init(&sb, store->arena);
    tl_sb_printf(&sb, is_ipv6 ? "[%.*s]" : "%.*s", TL_STR_ARG(s3->host));
    if (s3->port != (s3->is_tls ? 443 : 80)) {
        tl_sb_printf(&sb, ":%u", (unsigned)s3->port);
    }
    return tl_sb_finish(&s3->authority, &sb, ctx);
}

tl_str tl__s3_bucket(const tl_objects *store)
{
    return store->s3->bucket;
}

tl_err tl__s3_url(const tl_objects *store, tl_str *out, tl_arena *arena, tl_errctx *ctx)
{
    const tl__s3 *s3 = store->s3;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "%s://%.*s/%.*s", s3->is_tls ? "https" : "http", TL_STR_ARG(s3->authority),
                 TL_STR_ARG(s3->bucket));
    return tl_sb_finish(out, &sb, ctx);
}

/* --- one request --- */

static tl_err put_path(tl_str *out, tl_arena *arena, const tl__s3 *s3, tl_str key, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_char(&sb, '/');
    tl_sb_put(&sb, s3->bucket);
    if (key.len > 0) {
        tl_sb_put_char(&sb, '/');
        tl_sigv4_encode(&sb, key, true);
    }
    return tl_sb_finish(out, &sb, ctx);
}

/* Before each attempt: the time goes on, so the signature is another. */
static tl_err sign(void *self, tl_client_attempt *attempt, tl_errctx *ctx)
{
    const s3_call *c = (const s3_call *)self;
    const tl__s3_request *r = c->request;
    tl_arena *arena = attempt->arena;
    char time[TL_SIGV4_TIME_CAP];
    char payload[65];
    const int64_t now_s = tl__objects_now_s(c->store);
    tl_sigv4_time(time, now_s);
    tl_hex_write(payload, r->body_sha256.b, sizeof r->body_sha256.b);
    tl_http_header *fields = TL_NEW(arena, tl_http_header, FIELDS_MAX);
    if (fields == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    fields[count++] = (tl_http_header){TL_STR("Host"), c->store->s3->authority};
    for (size_t i = 0; i < r->field_count; i++) {
        fields[count++] = r->fields[i];
    }
    fields[count].name = TL_STR("x-amz-date");
    TL_TRY(tl_str_copy(&fields[count++].value, arena, tl_str_from_cstr(time), ctx));
    fields[count].name = TL_STR("x-amz-content-sha256");
    TL_TRY(tl_str_copy(&fields[count++].value, arena, tl_str_from_cstr(payload), ctx));
    const tl_sigv4_request signed_request = {.method = r->method,
                                             .query = r->query,
                                             .headers = {fields, count},
                                             .payload_hash = fields[count - 1].value};
    tl_sigv4_request request = signed_request;
    TL_TRY(put_path(&request.path, arena, c->store->s3, r->key, ctx));
    tl_str authorization;
    TL_TRY(tl_sigv4_authorize(&authorization, arena, &c->store->keys, &request, now_s, ctx));
    fields[count++] = (tl_http_header){TL_STR("Authorization"), authorization};
    TL_ASSERT(count <= FIELDS_MAX);
    attempt->request.headers = (tl_http_headers){fields + 1, count - 1}; /* Host is the client's */
    tl_sb target;
    tl_sb_init(&target, arena);
    tl_sb_put(&target, request.path);
    if (r->query.len > 0) {
        tl_sb_put_char(&target, '?');
        tl_sb_put(&target, r->query);
    }
    return tl_sb_finish(&attempt->request.target, &target, ctx);
}

/* --- clients, lent and given back --- */

static tl_err make_flight(tl_objects *store, tl__s3_flight **out, tl_errctx *ctx)
{
    tl__s3_flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a request");
    }
    /* The clock of waits is the machine's: the store's is of signatures, and may stand still in a test. */
    const tl_client_options options = {.ca_file = store->s3->ca_file,
                                       .flight_max = TL__S3_FLIGHT_MAX};
    const tl_err err = tl_client_new(&flight->client, &options, ctx);
    if (err != TL_OK) {
        free(flight);
        return err;
    }
    flight->store = store;
    *out = flight;
    return TL_OK;
}

tl_err tl__s3_lend(tl_objects *store, tl__s3_flight **out, tl_errctx *ctx)
{
    tl__s3 *s3 = store->s3;
    (void)pthread_mutex_lock(&s3->lock);
    tl__s3_flight *flight = s3->idle;
    if (flight != NULL) {
        s3->idle = flight->next;
        s3->idle_count--;
    }
    (void)pthread_mutex_unlock(&s3->lock);
    if (flight != NULL) {
        *out = flight;
        return TL_OK;
    }
    return make_flight(store, out, ctx);
}

static void free_flight(tl__s3_flight *flight)
{
    tl_client_free(flight->client);
    free(flight);
}

void tl__s3_give_back(tl_objects *store, tl__s3_flight *flight)
{
    tl__s3 *s3 = store->s3;
    for (size_t i = 0; i < TL__S3_FLIGHT_MAX; i++) {
        tl__s3_land(flight, i);
    }
    (void)pthread_mutex_lock(&s3->lock);
    const bool is_kept = s3->idle_count < IDLE_MAX;
    if (is_kept) {
        flight->next = s3->idle;
        s3->idle = flight;
        s3->idle_count++;
    }
    (void)pthread_mutex_unlock(&s3->lock);
    if (!is_kept) {
        free_flight(flight);
    }
}

/* --- calls --- */

tl_err tl__s3_launch(tl__s3_flight *flight, size_t index, const tl__s3_request *request,
                     tl_errctx *ctx)
{
    TL_ASSERT(index < TL__S3_FLIGHT_MAX && flight->calls[index].call == NULL);
    const tl__s3 *s3 = flight->store->s3;
    s3_call *c = &flight->calls[index];
    *c = (s3_call){.store = flight->store, .request = request};
    const uint64_t more_ms = (request->body.len + request->answer_len_max) / 65536;
    const bool is_head =
        tl_str_eq(request->method, TL_STR("HEAD")); /* tells a length, brings no body */
    const size_t body_max = is_head                        ? SIZE_MAX
                            : request->answer_len_max != 0 ? request->answer_len_max
                                                           : TL__S3_TEXT_LEN_MAX;
    const tl_client_spec spec = {
        .request = {.is_tls = s3->is_tls,
                    .host = s3->host,
                    .port = s3->port,
                    .method = request->method,
                    .target = TL_STR("/"), /* sign() knows the right one */
                    .body = request->body},
        .timeout_ms = s3->timeout_ms + (more_ms < 3600000 ? (uint32_t)more_ms : 3600000),
        .connect_timeout_ms = s3->timeout_ms,
        .body_len_max = body_max,
        .is_repeatable = true, /* each request of this room may be sent twice */
        .retry = s3->retry,
        .self = c,
        .prepare = sign};
    return tl_client_start(&c->call, flight->client, &spec, ctx);
}

/* Not tl_client_run: whoever drains after a signal still finishes what it began. Retries and time limits end it. */
tl_err tl__s3_run(tl__s3_flight *flight, tl_errctx *ctx)
{
    while (tl_client_count(flight->client) > 0) {
        TL_TRY(tl_client_step(flight->client, STEP_MS, ctx));
    }
    return TL_OK;
}

static tl_err fail_fault(const tl__s3 *s3, const s3_call *c, const tl_client_answer *answer,
                         tl_errctx *ctx)
{
    const tl_err code = answer->fault == TL_CLIENT_PREPARE      ? answer->prepare_err
                        : answer->fault == TL_CLIENT_BODY_LIMIT ? TL_ERR_LIMIT
                                                                : TL_ERR_IO;
    const char *why = answer->why[0] != '\0' ? answer->why : tl_client_fault_text(answer->fault);
    return tl__objects_fail(ctx, code, c->request->key, "S3 server %.*s: %.*s \"%.*s\": %.*s",
                            TL_STR_ARG(s3->authority), TL_STR_ARG(c->request->method),
                            TL_STR_ARG(c->request->key), (int)TEXT_CAP, why);
}

tl_err tl__s3_look(tl__s3_flight *flight, size_t index, tl__s3_answer *out, tl_errctx *ctx)
{
    const s3_call *c = &flight->calls[index];
    const tl_client_answer *answer = tl_client_borrow_answer(c->call);
    TL_ASSERT(answer != NULL);
    if (answer->fault != TL_CLIENT_NONE) {
        return fail_fault(flight->store->s3, c, answer, ctx);
    }
    *out = (tl__s3_answer){answer->status, answer->headers, answer->body, answer->attempts};
    return TL_OK;
}

void tl__s3_land(tl__s3_flight *flight, size_t index)
{
    tl_client_call_free(flight->calls[index].call);
    flight->calls[index].call = NULL;
}

static tl_err copy_answer(tl__s3_answer *out, tl_arena *arena, const tl__s3_answer *from,
                          tl_errctx *ctx)
{
    tl_http_header *headers = TL_NEW(arena, tl_http_header, from->headers.count + 1);
    uint8_t *body = TL_NEW(arena, uint8_t, from->body.len + 1);
    if (headers == NULL || body == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < from->headers.count; i++) {
        TL_TRY(tl_str_copy(&headers[i].name, arena, from->headers.at[i].name, ctx));
        TL_TRY(tl_str_copy(&headers[i].value, arena, from->headers.at[i].value, ctx));
    }
    if (from->body.len > 0) {
        memcpy(body, from->body.ptr, from->body.len);
    }
    *out = (tl__s3_answer){
        from->status, {headers, from->headers.count}, {body, from->body.len}, from->attempts};
    return TL_OK;
}

tl_err tl__s3_send(tl_objects *store, tl__s3_answer *out, tl_arena *arena,
                   const tl__s3_request *request, tl_errctx *ctx)
{
    tl__s3_flight *flight;
    tl__s3_answer answer;
    TL_TRY(tl__s3_lend(store, &flight, ctx));
    tl_err err = tl__s3_launch(flight, 0, request, ctx);
    if (err == TL_OK) {
        err = tl__s3_run(flight, ctx);
    }
    if (err == TL_OK) {
        err = tl__s3_look(flight, 0, &answer, ctx);
    }
    if (err == TL_OK) {
        err = copy_answer(out, arena, &answer, ctx);
    }
    tl__s3_give_back(store, flight);
    return err;
}

/* --- refusals --- */

static tl_err code_of(uint16_t status, tl_str code)
{
    static const struct {
        const char *code;
        tl_err err;
    } known[] = {
        {"BadDigest", TL_ERR_CORRUPT},
        {"InvalidDigest", TL_ERR_CORRUPT},
        {"XAmzContentSHA256Mismatch", TL_ERR_CORRUPT},
        {"XAmzContentChecksumMismatch", TL_ERR_CORRUPT},
        {"InvalidAccessKeyId", TL_ERR_REFUSED},
        {"XAdminUserNotFound", TL_ERR_REFUSED}, /* versitygw: an access key that nobody has */
        {"SignatureDoesNotMatch", TL_ERR_REFUSED},
        {"AccessDenied", TL_ERR_REFUSED},
        {"EntityTooLarge", TL_ERR_LIMIT},
        {"ObjectParentIsFile", TL_ERR_STATE},
        {"ExistingObjectIsDirectory", TL_ERR_STATE}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (tl_str_eq_cstr(code, known[i].code)) {
            return known[i].err;
        }
    }
    switch (status) {
    case 401:
    case 403:
        return TL_ERR_REFUSED;
    case 404:
        return TL_ERR_NOT_FOUND;
    case 409:
    case 412:
        return TL_ERR_STATE;
    case 416:
        return TL_ERR_RANGE;
    default:
        return TL_ERR_IO;
    }
}

/* A server's words: printable ASCII of them, and not many. */
static void put_plain(char out[TEXT_CAP], tl_str text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < TEXT_CAP - 1; i++) {
        out[len++] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?';
    }
    out[len] = '\0';
}

tl_err tl__s3_fail(const tl__s3_answer *answer, const tl__s3_request *request, tl_errctx *ctx)
{
    const tl_str body = {(const char *)answer->body.ptr, answer->body.len};
    char code[TEXT_CAP];
    char message[TEXT_CAP];
    put_plain(code, tl__xml_find(body, "Code"));
    put_plain(message, tl__xml_find(body, "Message"));
    const tl_err err =
        tl__objects_fail(ctx, code_of(answer->status, tl_str_from_cstr(code)), request->key,
                         "S3 server: %.*s \"%.*s\": %u%s%s%s%s", TL_STR_ARG(request->method),
                         TL_STR_ARG(request->key), (unsigned)answer->status,
                         code[0] != '\0' ? " " : "", code, message[0] != '\0' ? ": " : "", message);
    if (strcmp(code, "RequestTimeTooSkewed") == 0) {
        tl_errctx_hint(ctx, "this machine's clock and the server's differ");
    } else if (err == TL_ERR_REFUSED) {
        tl_errctx_hint(ctx, "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION");
    }
    return err;
}

tl_err tl__s3_ask(tl_objects *store, tl__s3_answer *out, tl_arena *arena,
                  const tl__s3_request *request, tl_errctx *ctx)
{
    TL_TRY(tl__s3_send(store, out, arena, request, ctx));
    return out->status >= 200 && out->status < 300 ? TL_OK : tl__s3_fail(out, request, ctx);
}

void tl__s3_add(tl__s3_request *request, tl_str name, tl_str value)
{
    TL_ASSERT(request->field_count < TL__S3_FIELDS_MAX);
    request->fields[request->field_count++] = (tl_http_header){name, value};
}

tl_err tl__s3_checksum(tl_str *out, tl_arena *arena, const tl_hash32 *sha256, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_base64_encode(&sb, sha256->b, sizeof sha256->b);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl__s3_presign(tl_objects *store, tl_str *out, tl_arena *arena, tl_str method, tl_str key,
                      uint32_t expires_s, tl_errctx *ctx)
{
    const tl__s3 *s3 = store->s3;
    const tl_http_header host = {TL_STR("Host"), s3->authority};
    tl_sigv4_request request = {
        .method = method, .headers = {&host, 1}, .payload_hash = TL_SIGV4_UNSIGNED};
    tl_str query;
    TL_TRY(put_path(&request.path, arena, s3, key, ctx));
    TL_TRY(tl_sigv4_presign(&query, arena, &store->keys, &request, tl__objects_now_s(store),
                            expires_s, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "%s://%.*s", s3->is_tls ? "https" : "http", TL_STR_ARG(s3->authority));
    tl_sb_put(&sb, request.path);
    tl_sb_put_char(&sb, '?');
    tl_sb_put(&sb, query);
    return tl_sb_finish(out, &sb, ctx);
}

/* --- open and close --- */

/* Is the bucket there? Make it if it is not. */
static tl_err find_bucket(tl_objects *store, tl_arena *scratch, bool is_existing, tl_errctx *ctx)
{
    tl__s3_request look = {.method = TL_STR("HEAD")};
    tl__s3_answer answer;
    tl_sha256(&look.body_sha256, NULL, 0);
    TL_TRY(tl__s3_send(store, &answer, scratch, &look, ctx));
    if (answer.status >= 200 && answer.status < 300) {
        return TL_OK;
    }
    if (answer.status != 404 || is_existing) {
        const tl_err err = tl__s3_fail(&answer, &look, ctx);
        tl_errctx_wrap(ctx, "bucket \"%.*s\"", TL_STR_ARG(store->s3->bucket));
        return err;
    }
    tl__s3_request make = {.method = TL_STR("PUT")};
    if (!tl_str_eq(store->keys.region, TL_STR("us-east-1"))) {
        tl_sb sb;
        tl_str body;
        tl_sb_init(&sb, scratch);
        tl_sb_put_cstr(&sb,
                       "<CreateBucketConfiguration "
                       "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>");
        tl__xml_put(&sb, store->keys.region);
        tl_sb_put_cstr(&sb, "</LocationConstraint></CreateBucketConfiguration>");
        TL_TRY(tl_sb_finish(&body, &sb, ctx));
        make.body = tl_str_bytes(body);
    }
    tl_sha256(&make.body_sha256, make.body.ptr, make.body.len);
    TL_TRY(tl__s3_send(store, &answer, scratch, &make, ctx));
    /* 409: somebody else made it just now; if it is not ours, the next request is refused. */
    return answer.status == 409 || (answer.status >= 200 && answer.status < 300)
               ? TL_OK
               : tl__s3_fail(&answer, &make, ctx);
}

tl_err tl__s3_open(tl_objects *store, const tl_objects_options *options, tl_errctx *ctx)
{
    tl__s3 *s3 = TL_NEW(store->arena, tl__s3, 1);
    if (s3 == NULL) {
        return tl_arena_fail(store->arena, ctx);
    }
    (void)pthread_mutex_init(&s3->lock, NULL);
    store->s3 = s3;
    TL_TRY(parse_url(s3, store, options->s3_url, ctx));
    if (options->ca_file != NULL) {
        TL_TRY(
            tl_str_copy_cstr(&s3->ca_file, store->arena, tl_str_from_cstr(options->ca_file), ctx));
    }
    const uint32_t retries = options->retries_max == 0
                                 ? TL_OBJECTS_RETRIES
                                 : (options->retries_max == UINT32_MAX ? 0 : options->retries_max);
    s3->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TL_OBJECTS_TIMEOUT_MS;
    s3->retry = (tl_backoff){
        .retries_max = retries < TL_BACKOFF_RETRIES_MAX ? retries : TL_BACKOFF_RETRIES_MAX,
        .base_ms = options->retry_base_ms != 0 ? options->retry_base_ms : TL_OBJECTS_RETRY_BASE_MS,
        .cap_ms = 10000,
        .jitter_percent = TL_BACKOFF_JITTER_PERCENT};
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    const tl_err err = find_bucket(store, scratch, options->is_existing, ctx);
    tl_arena_free(scratch);
    return err;
}

void tl__s3_close(tl_objects *store)
{
    tl__s3 *s3 = store->s3;
    if (s3 == NULL) {
        return;
    }
    while (s3->idle != NULL) {
        tl__s3_flight *next = s3->idle->next;
        free_flight(s3->idle);
        s3->idle = next;
    }
    (void)pthread_mutex_destroy(&s3->lock);
}
