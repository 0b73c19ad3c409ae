/* Answers: what a handler gives becomes what goes on the wire. A worker finishes it (status, schema, tag, gzip), the loop
 * sends it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/api/api_internal.h"
#include "io/gzip/gzip.h"

enum { GZIP_LEVEL_LIVE = 1, MESSAGE_CAP = 512, STATIC_CAP = 768 };

#define JSON_MEDIA "application/json"

/* --- what handlers say --- */

static void begin(tl_api_call *call, int status)
{
    TL_ASSERT(!call->is_answered); /* once */
    call->is_answered = true;
    call->status = status;
}

static void set_body(tl_api_call *call, const char *media, tl_bytes body)
{
    tl_str copy = {NULL, 0};
    if (tl_str_copy(&copy, call->arena, (tl_str){(const char *)body.ptr, body.len}, NULL) !=
        TL_OK) {
        call->status = 503;
        call->media = NULL;
        return;
    }
    call->media = media;
    call->answer = tl_str_bytes(copy);
}

void tl_api_answer(tl_api_call *call, int status, tl_str json)
{
    begin(call, status);
    set_body(call, JSON_MEDIA, tl_str_bytes(json));
}

tl_err tl_api_answer_sb(tl_api_call *call, int status, tl_sb *sb, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_sb_finish(&text, sb, ctx));
    begin(call, status);
    call->media = JSON_MEDIA;
    call->answer = tl_str_bytes(text);
    return TL_OK;
}

void tl_api_answer_bytes(tl_api_call *call, int status, const char *media, tl_bytes body)
{
    begin(call, status);
    set_body(call, media, body);
}

void tl_api_answer_lent(tl_api_call *call, int status, const char *media, tl_bytes body)
{
    begin(call, status);
    call->media = media;
    call->answer = body;
}

void tl_api_answer_empty(tl_api_call *call)
{
    begin(call, 204);
}

void tl_api_answer_page(tl_api_call *call, int status, tl_api_page *page)
{
    begin(call, status);
    call->page = tl_api_page_ref(page);
    call->media = JSON_MEDIA;
    call->answer = page->body;
}

void tl_api_set_header(tl_api_call *call, const char *name, tl_str value)
{
    TL_ASSERT(call->own_count < TL__API_OWN_HEADERS_MAX);
    tl_http_header *h = &call->own[call->own_count];
    if (tl_str_copy(&h->name, call->arena, tl_str_from_cstr(name), NULL) == TL_OK &&
        tl_str_copy(&h->value, call->arena, value, NULL) == TL_OK) {
        call->own_count++;
    }
}

/* --- refusals --- */

static void put_error(tl_json_writer *w, const tl_api *api, tl_api_code code, const char *field,
                      const char *message, const char *id)
{
    const int status = tl_api_code_status(code);
    tl_json_put_object(w);
    if (api->settings.is_compat) { /* the original's shape */
        tl_json_put_key(w, "statusCode");
        tl_json_put_i64(w, status);
        tl_json_put_key(w, "message");
        tl_json_put_array(w);
        tl_json_put_cstr(w, message);
        tl_json_put_end(w);
        tl_json_put_key(w, "error");
        tl_json_put_cstr(w, tl_http_status_text(status));
        tl_json_put_end(w);
        return;
    }
    tl_json_put_key(w, "error");
    tl_json_put_object(w);
    tl_json_put_key(w, "code");
    tl_json_put_cstr(w, tl_api_code_name(code));
    tl_json_put_key(w, "message");
    tl_json_put_cstr(w, message);
    tl_json_put_key(w, "field");
    tl_json_put_cstr(w, field != NULL && field[0] != 0 ? field : NULL);
    tl_json_put_key(w, "correlationId");
    tl_json_put_cstr(w, id);
    tl_json_put_end(w);
    tl_json_put_end(w);
}

static tl_err print_error(tl_str *out, tl_arena *arena, const tl_api_call *call, tl_api_code code,
                          const char *field, const char *message)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    put_error(&w, call->api, code, field, message, call->id);
    return tl_sb_finish(out, &sb, NULL);
}

void tl__api_refuse(tl_api_call *call, tl_api_code code, const char *field, const char *message)
{
    tl_str text = {NULL, 0};
    begin(call, tl_api_code_status(code));
    call->has_code = true;
    call->code = code;
    call->media = JSON_MEDIA;
    (void)print_error(&text, call->arena, call, code, field, message);
    call->answer = tl_str_bytes(text);
}

tl_err tl_api_fail(tl_api_call *call, tl_api_code code, const char *field, const char *format, ...)
{
    char message[MESSAGE_CAP];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    tl__api_refuse(call, code, field, message);
    return TL_OK;
}

/* --- finishing, on whoever has the call --- */

static void drop_answer(tl_api_call *call)
{
    tl_api_page_unref(call->page);
    call->page = NULL;
    call->is_answered = false;
    call->own_count = 0;
    call->answer = (tl_bytes){NULL, 0};
}

static void fail_internally(tl_api_call *call, const char *what, tl_str detail)
{
    const tl_log_field fields[] = {TL_LOG_TEXT("route", tl_str_from_cstr(call->route->spec->id)),
                                   TL_LOG_NUMBER("status", call->status),
                                   TL_LOG_TEXT("detail", detail)};
    tl_log_say(&call->log, TL_LOG_ERROR, what, fields, 3);
    drop_answer(call);
    tl__api_refuse(call, TL_API_INTERNAL, NULL, "The service failed");
}

/* API-2; and, where the tests ask for it, what goes out holds to the schema that the document shows. */
static void check_contract(tl_api_call *call)
{
    const tl__reply *reply = tl__route_reply(call->route, call->status);
    if (reply == NULL) {
        fail_internally(call, "a status that the route does not name", (tl_str){NULL, 0});
        return;
    }
    if (reply->schema == NULL || !call->api->settings.checks_answers) {
        return;
    }
    const tl_json *json;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_str text = {(const char *)call->answer.ptr, call->answer.len};
    if (tl_json_parse(&json, call->arena, text, NULL, &ctx) != TL_OK ||
        tl_schema_check(reply->schema, json, &ctx) != TL_OK) {
        char detail[256];
        const size_t len = tl_str_print(detail, sizeof detail, "%s: %s", ctx.field, ctx.message);
        fail_internally(call, "an answer does not hold to its schema", (tl_str){detail, len});
    }
}

static void pack(tl_api_call *call)
{
    tl_bytes packed;
    if (!tl__encode_takes_gzip(call->headers)) {
        return;
    }
    if (call->page != NULL) {
        packed = call->page->gzip;
    } else if (call->answer.len < TL__API_GZIP_LEN_MIN ||
               tl_gzip(&packed, call->arena, call->answer, GZIP_LEVEL_LIVE, NULL) != TL_OK) {
        return;
    }
    if (packed.len > 0 && packed.len < call->answer.len) {
        call->answer = packed;
        call->is_gzip = true;
    }
}

/* The two forms of one body have tags of their own: "…" and "…-gz". */
static void set_etag(tl_api_call *call)
{
    if (call->page != NULL) {
        memcpy(call->etag, call->page->etag, sizeof call->etag);
    } else {
        tl__encode_etag(call->etag, call->answer);
    }
}

static void mark_gzip_etag(tl_api_call *call)
{
    const size_t len = strlen(call->etag);
    if (call->is_gzip && len > 0) {
        TL_ASSERT(len + 4 <= sizeof call->etag);
        memcpy(call->etag + len - 1, "-gz\"", 5);
    }
}

void tl__answer_finish(tl_api_call *call)
{
    if (call->route == NULL) {
        return; /* refusals of paths that are none: short, without a tag */
    }
    check_contract(call);
    const bool is_tagged = call->status == 200 && !call->route->spec->is_uncached &&
                           call->route->spec->method == TL_API_GET;
    if (is_tagged) {
        set_etag(call);
    }
    if (call->status < 300) {
        pack(call);
    }
    mark_gzip_etag(call);
    if (is_tagged && tl__encode_matches(call->headers, call->etag)) {
        call->status = 304;
        call->answer = (tl_bytes){NULL, 0};
    }
}

/* --- sending, on the loop --- */

typedef struct heads {
    tl_http_header at[TL__API_HEADERS_MAX];
    size_t count;
} heads;

static void put(heads *h, const char *name, tl_str value)
{
    TL_ASSERT(h->count < TL__API_HEADERS_MAX);
    h->at[h->count++] = (tl_http_header){tl_str_from_cstr(name), value};
}

static bool is_allowed_origin(const tl_api_settings *s, tl_str origin, bool *is_any)
{
    for (size_t i = 0; i < s->cors_count; i++) {
        *is_any = strcmp(s->cors[i], "*") == 0;
        if (*is_any || tl_str_eq_cstr(origin, s->cors[i])) {
            return true;
        }
    }
    return false;
}

static void put_cors(heads *h, const tl_api_call *call)
{
    const tl_api_settings *s = &call->api->settings;
    const tl_http_header *origin = tl_http_find(call->headers, TL_STR("origin"));
    bool is_any = false;
    if (origin == NULL || !is_allowed_origin(s, origin->value, &is_any)) {
        return;
    }
    put(h, "Access-Control-Allow-Origin", is_any ? TL_STR("*") : origin->value);
    put(h, "Access-Control-Expose-Headers",
        TL_STR("ETag, Retry-After, X-Correlation-Id, X-RateLimit-Limit, X-RateLimit-Remaining, "
               "X-RateLimit-Reset"));
    if (tl_str_eq_cstr(call->method, "OPTIONS")) {
        put(h, "Access-Control-Allow-Methods", TL_STR("GET, HEAD, POST, PUT, PATCH, DELETE"));
        put(h, "Access-Control-Allow-Headers",
            TL_STR("Authorization, Content-Type, If-None-Match, X-API-Key, X-Bittensor-Crypto, "
                   "X-Bittensor-Hotkey, X-Bittensor-Nonce, X-Bittensor-Receiver, "
                   "X-Bittensor-Signature, X-Bittensor-Version, X-Correlation-Id"));
        put(h, "Access-Control-Max-Age", TL_STR("600"));
    }
}

static void put_caching(heads *h, const tl_api_call *call)
{
    if (call->route == NULL) {
        return;
    }
    const tl_api_route *spec = call->route->spec;
    const bool is_shown = call->status == 200 || call->status == 304;
    if (spec->is_uncached || !is_shown) {
        put(h, "Cache-Control", TL_STR("no-store"));
    } else if (spec->auth == TL_API_PUBLIC) {
        put(h, "Cache-Control", TL_STR("no-cache"));
    } else {
        put(h, "Cache-Control", TL_STR("private, no-cache"));
    }
    if (call->etag[0] != 0) {
        put(h, "ETag", tl_str_from_cstr(call->etag));
    }
    const bool has_origins = call->api->settings.cors_count > 0;
    put(h, "Vary", has_origins ? TL_STR("Accept-Encoding, Origin") : TL_STR("Accept-Encoding"));
}

/* Figures of the limit; texts live in the caller's storage until the answer is sent. */
typedef struct figures {
    char limit[12];
    char remaining[12];
    char reset[24];
    char retry[12];
} figures;

static void put_limits(heads *h, const tl_api_call *call, figures *f)
{
    if (call->has_windows) {
        const tl_windows_state *s = &call->windows;
        put(h, "X-RateLimit-Limit",
            (tl_str){f->limit, tl_str_print(f->limit, sizeof f->limit, "%u", s->limit)});
        put(h, "X-RateLimit-Remaining",
            (tl_str){f->remaining,
                     tl_str_print(f->remaining, sizeof f->remaining, "%u", s->remaining)});
        put(h, "X-RateLimit-Reset",
            (tl_str){f->reset,
                     tl_str_print(f->reset, sizeof f->reset, "%lld", (long long)s->reset_s)});
    }
    if (call->status == 429 || call->status == 503) {
        const uint32_t wait_s = call->retry_after_s > 0 ? call->retry_after_s : 1;
        put(h, "Retry-After",
            (tl_str){f->retry, tl_str_print(f->retry, sizeof f->retry, "%u", wait_s)});
    }
}

static void put_challenge(heads *h, const tl_api_call *call)
{
    if (call->status == 401 && call->route != NULL) {
        put(h, "WWW-Authenticate",
            call->route->spec->auth >= TL_API_VIEWER ? TL_STR("Bearer") : TL_STR("btauth"));
    }
}

static void transmit(tl_api_call *call, tl_http_exchange *x)
{
    heads h = {.count = 0};
    figures f;
    const bool has_body = call->status != 204 && call->status != 304 && call->media != NULL;
    put(&h, "X-Correlation-Id", tl_str_from_cstr(call->id)); /* API-3 */
    if (has_body) {
        put(&h, "Content-Type", tl_str_from_cstr(call->media));
    }
    if (call->is_gzip && call->status != 304) {
        put(&h, "Content-Encoding", TL_STR("gzip"));
    }
    put(&h, "X-Content-Type-Options", TL_STR("nosniff"));
    put_caching(&h, call);
    put_limits(&h, call, &f);
    put_challenge(&h, call);
    put_cors(&h, call);
    for (size_t i = 0; i < call->own_count; i++) {
        TL_ASSERT(h.count < TL__API_HEADERS_MAX);
        h.at[h.count++] = call->own[i];
    }
    call->sent_len = has_body ? call->answer.len : 0;
    tl_http_answer(x, call->status, (tl_http_headers){h.at, h.count},
                   has_body ? call->answer : (tl_bytes){NULL, 0});
}

/* Failed credentials are what a guesser sends: they count against the address. */
static void count_failure(const tl_api_call *call)
{
    if (call->status == 401 && !call->is_exempt) {
        (void)tl_limit_take_ip(call->api->strangers, &call->peer,
                               tl_clock_steady_ns(&call->api->real));
    }
}

void tl__answer_send(tl_api_call *call)
{
    call->state = TL__CALL_DONE;
    if (call->x != NULL) {
        tl_http_exchange *x = call->x;
        call->x = NULL;
        count_failure(call);
        tl_http_set_user(x, NULL);
        transmit(call, x);
        tl__api_observe_done(call, call->status,
                             call->has_code ? tl_api_code_name(call->code) : "");
    }
    tl__call_free(call);
}

void tl__answer_static(tl_api_call *call, tl_http_exchange *x, tl_api_code code,
                       const char *message)
{
    tl_arena *arena = tl_http_arena(x);
    tl_str text = {NULL, 0};
    (void)print_error(&text, arena, call, code, NULL, message);
    heads h = {.count = 0};
    put(&h, "X-Correlation-Id", tl_str_from_cstr(call->id)); /* API-3 */
    put(&h, "Content-Type", TL_STR(JSON_MEDIA));
    put(&h, "Cache-Control", TL_STR("no-store"));
    if (tl_api_code_status(code) == 503) {
        put(&h, "Retry-After", TL_STR("1"));
    }
    tl_http_set_user(x, NULL);
    tl_http_answer(x, tl_api_code_status(code), (tl_http_headers){h.at, h.count},
                   tl_str_bytes(text));
}
