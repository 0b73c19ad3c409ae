/* serve.c: the market over HTTP: three reads, health, and failures on purpose where they are asked for. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/market/market_internal.h"
#include "io/net/http/http.h"
#include "io/observe/metrics/metrics.h"
#include "io/sys/sys.h"

#define LATE_MS 1500

struct tl_market_server {
    const tl_market *market;
    tl_market_options options;
    tl_http_server *http;
    tl_metrics *metrics;
    tl_metric *requests;
    atomic_uint_fast64_t served;
};

/* --- answers --- */

static void answer(tl_market_server *s, tl_http_exchange *x, int status, tl_str body,
                   const char *type)
{
    char text[8];
    (void)tl_str_print(text, sizeof text, "%d", status);
    const tl_str label = tl_str_from_cstr(text);
    tl_series_add(tl_metric_series(s->requests, &label), 1);
    const tl_http_header fields[] = {{TL_STR("Content-Type"), tl_str_from_cstr(type)},
                                     {TL_STR("Cache-Control"), TL_STR("no-store")},
                                     {TL_STR("Retry-After"), TL_STR("1")}};
    tl_http_answer(x, status, (tl_http_headers){fields, status == 429 ? 3u : 2u},
                   tl_str_bytes(body));
}

static void answer_error(tl_market_server *s, tl_http_exchange *x, int status, const char *word,
                         int64_t gone_ms)
{
    char body[96];
    char time[TL_TIME_TEXT_CAP];
    tl_time_text(time, gone_ms * 1000000);
    const size_t len =
        gone_ms != 0
            ? tl_str_print(body, sizeof body, "{\"error\":\"%s\",\"gone_at\":\"%s\"}", word, time)
            : tl_str_print(body, sizeof body, "{\"error\":\"%s\"}", word);
    answer(s, x, status, (tl_str){body, len}, "application/json");
}

/* --- reads --- */

/* The value of a name in a query; values here never need escapes. False: it is not there. */
static bool query_value(tl_str *out, tl_str query, const char *name)
{
    tl_str part = {NULL, 0};
    const size_t len = strlen(name);
    while (tl_str_split(&part, &query, '&')) {
        if (part.len > len && memcmp(part.ptr, name, len) == 0 && part.ptr[len] == '=') {
            *out = tl_str_slice(part, len + 1, part.len);
            return true;
        }
    }
    return false;
}

static int64_t now_ms(const tl_market_server *s)
{
    return tl_clock_wall_ns(&s->options.clock) / 1000000;
}

static void serve_page(tl_market_server *s, tl_http_exchange *x, bool is_mirror)
{
    const tl_http_request *r = tl_http_request_of(x);
    tl_str zipcode = {NULL, 0};
    tl_str text = {NULL, 0};
    tl_str cursor = {NULL, 0};
    uint64_t limit = TL_MARKET_PAGE_DEFAULT;
    if (!query_value(&zipcode, r->query, "zipcode")) {
        answer_error(s, x, 400, "zipcode is missing", 0);
        return;
    }
    if (query_value(&text, r->query, "limit") &&
        (!tl_str_parse_u64(&limit, text) || limit == 0 || limit > TL_MARKET_PAGE_MAX)) {
        answer_error(s, x, 400, "limit is not within 1 to 200", 0);
        return;
    }
    (void)query_value(&cursor, r->query, "cursor");
    tl_str page = {NULL, 0};
    const tl_err err = tl_market_page(&page, tl_http_arena(x), s->market, zipcode, (uint32_t)limit,
                                      cursor, is_mirror, now_ms(s), NULL);
    if (err == TL_OK) {
        answer(s, x, 200, page, "application/json");
    } else if (err == TL_ERR_NOT_FOUND) {
        answer_error(s, x, 404, "no such zipcode", 0);
    } else if (err == TL_ERR_SYNTAX) {
        answer_error(s, x, 400, "no cursor of this list", 0);
    } else {
        answer_error(s, x, 503, "busy", 0);
    }
}

static void serve_one(tl_market_server *s, tl_http_exchange *x, tl_str id)
{
    tl_market_item item;
    const int64_t at_ms = now_ms(s);
    const tl_market_answer found = tl_market_find(&item, s->market, id, at_ms);
    if (found != TL_MARKET_HERE) {
        const bool is_gone = found == TL_MARKET_GONE;
        answer_error(s, x, 404, is_gone ? "gone" : "unknown", is_gone ? item.gone_ms : 0);
        return;
    }
    tl_sb sb;
    tl_json_writer w;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, tl_http_arena(x));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_market_put(&w, &item, at_ms);
    if (tl_sb_finish(&text, &sb, NULL) != TL_OK) {
        answer_error(s, x, 503, "busy", 0);
        return;
    }
    answer(s, x, 200, text, "application/json");
}

static void serve_metrics(tl_market_server *s, tl_http_exchange *x)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, tl_http_arena(x));
    tl_metrics_print(&sb, s->metrics);
    if (tl_sb_finish(&text, &sb, NULL) != TL_OK) {
        answer_error(s, x, 503, "busy", 0);
        return;
    }
    answer(s, x, 200, text, TL_METRICS_CONTENT_TYPE);
}

static bool is_health(tl_str path)
{
    static const char *const paths[] = {"/healthz", "/readyz", "/health", "/healthcheck"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (tl_str_eq_cstr(path, paths[i])) {
            return true;
        }
    }
    return false;
}

static void serve(tl_market_server *s, tl_http_exchange *x)
{
    const tl_str one = TL_STR("/v1/listings/");
    const tl_str path = tl_http_request_of(x)->path;
    if (tl_str_eq_cstr(path, "/v1/listings")) {
        serve_page(s, x, false);
    } else if (tl_str_eq_cstr(path, "/v1/mirror")) {
        serve_page(s, x, true);
    } else if (tl_str_starts_with(path, one)) {
        serve_one(s, x, tl_str_slice(path, one.len, path.len));
    } else {
        answer_error(s, x, 404, "no such route", 0);
    }
}

/* --- callbacks of the server --- */

static void on_request(void *user, tl_http_exchange *x)
{
    tl_market_server *s = (tl_market_server *)user;
    const tl_http_request *r = tl_http_request_of(x);
    if (!tl_str_eq_cstr(r->method, "GET") && !tl_str_eq_cstr(r->method, "HEAD")) {
        answer_error(s, x, 405, "this market is read only", 0);
    } else if (is_health(r->path)) {
        answer(s, x, 200, TL_STR("{\"status\":\"ok\"}"), "application/json");
    } else if (tl_str_eq_cstr(r->path, "/metrics")) {
        serve_metrics(s, x);
    } else {
        const uint64_t count = atomic_fetch_add(&s->served, 1);
        const uint64_t luck = tl__market_mix(s->market, count, 0, UINT64_C(0x6661696c));
        if (luck % 1000000 >= s->options.fail_millionths) {
            serve(s, x);
        } else if ((luck >> 40) % 3 == 0) {
            answer_error(s, x, 500, "failed on purpose", 0);
        } else if ((luck >> 40) % 3 == 1) {
            answer_error(s, x, 429, "too many requests", 0);
        } else {
            tl_http_set_timeout(x, LATE_MS); /* answered when that has passed */
        }
    }
}

static void on_gone(void *user, tl_http_exchange *x, tl_http_gone why)
{
    if (why == TL_HTTP_GONE_TIMEOUT) {
        serve((tl_market_server *)user, x);
    }
}

static tl_err on_loop_start(void *self, tl_http_loop *loop, tl_errctx *ctx)
{
    (void)ctx;
    tl_http_loop_set_user(loop, self);
    return TL_OK;
}

/* --- life --- */

static tl_err declare_metrics(tl_market_server *s, tl_errctx *ctx)
{
    static const char *const labels[] = {"status"};
    const tl_metric_spec spec = {.name = "tally_market_requests_total",
                                 .help = "Requests that the market answered, by status.",
                                 .labels = labels,
                                 .label_count = 1,
                                 .series_max = 16};
    TL_TRY(tl_metrics_new(&s->metrics, ctx));
    return tl_metrics_counter(&s->requests, s->metrics, &spec, ctx);
}

tl_err tl_market_server_start(tl_market_server **out, const tl_market *market,
                              const tl_market_options *options, tl_errctx *ctx)
{
    tl_market_server *s = (tl_market_server *)calloc(1, sizeof *s);
    if (s == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the market");
    }
    s->market = market;
    s->options = *options;
    if (s->options.clock.wall_ns == NULL) {
        s->options.clock = tl_sys_clock();
    }
    tl_err err = declare_metrics(s, ctx);
    if (err == TL_OK) {
        const tl_http_settings settings = {.listen_ip = options->listen_ip,
                                           .listen_port = options->listen_port,
                                           .loop_count = options->loop_count,
                                           .body_len_max = 1024};
        const tl_http_app app = {.self = s,
                                 .on_loop_start = on_loop_start,
                                 .on_request = on_request,
                                 .on_gone = on_gone};
        err = tl_http_server_start(&s->http, &settings, &app, ctx);
    }
    if (err != TL_OK) {
        tl_market_server_free(s);
        return err;
    }
    *out = s;
    return TL_OK;
}

uint16_t tl_market_server_port(const tl_market_server *server)
{
    return tl_http_server_port(server->http);
}

void tl_market_server_free(tl_market_server *server)
{
    if (server != NULL) {
        tl_http_server_free(server->http);
        tl_metrics_free(server->metrics);
        free(server);
    }
}
