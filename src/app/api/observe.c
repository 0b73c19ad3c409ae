/* What the kit tells about itself: counts by route and status, times, and a line a request. */
#include <string.h>

#include "app/api/api_internal.h"

static const char *const request_labels[] = {"route", "method", "status"};
static const char *const route_labels[] = {"route"};
static const char *const code_labels[] = {"code"};
static const double seconds_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                        0.25,   0.5,   1,      2.5,   5,    10,    30};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static tl_err make_gauge(tl_series **out, tl_metrics *registry, const char *name, const char *help,
                         tl_errctx *ctx)
{
    tl_metric *family;
    const tl_metric_spec spec = {.name = name, .help = help};
    TL_TRY(tl_metrics_gauge(&family, registry, &spec, ctx));
    *out = tl_metric_series(family, NULL);
    return TL_OK;
}

static void collect(void *self)
{
    tl_api *api = self;
    (void)pthread_mutex_lock(&api->queue.lock);
    const uint32_t waiting = api->queue.waiting;
    const uint32_t working = api->queue.working;
    (void)pthread_mutex_unlock(&api->queue.lock);
    tl_series_set(api->metrics.waiting, waiting);
    tl_series_set(api->metrics.working, working);
    tl_series_set(api->metrics.connections, (int64_t)tl_http_server_connection_count(api->server));
}

tl_err tl__api_observe_init(tl_api *api, tl_errctx *ctx)
{
    tl__api_metrics *m = &api->metrics;
    m->registry = api->settings.metrics;
    if (m->registry == NULL) {
        TL_TRY(tl_metrics_new(&m->registry, ctx));
        m->is_own = true;
    }
    const tl_metric_spec requests = {.name = "tally_http_requests_total",
                                     .help = "Requests by route, method and status",
                                     .labels = request_labels,
                                     .label_count = COUNT(request_labels),
                                     .series_max = TL_METRICS_SERIES_MAX};
    const tl_metric_spec seconds = {.name = "tally_http_request_seconds",
                                    .help = "Time from a request's head to its answer",
                                    .labels = route_labels,
                                    .label_count = COUNT(route_labels),
                                    .series_max = TL_API_ROUTES_MAX + 1,
                                    .bounds = seconds_bounds,
                                    .bound_count = COUNT(seconds_bounds)};
    const tl_metric_spec refusals = {.name = "tally_http_refusals_total",
                                     .help = "Refused requests by code",
                                     .labels = code_labels,
                                     .label_count = COUNT(code_labels),
                                     .series_max = TL_API_CODE_COUNT + 2};
    TL_TRY(tl_metrics_counter(&m->requests, m->registry, &requests, ctx));
    TL_TRY(tl_metrics_histogram(&m->seconds, m->registry, &seconds, ctx));
    TL_TRY(tl_metrics_counter(&m->refusals, m->registry, &refusals, ctx));
    TL_TRY(make_gauge(&m->waiting, m->registry, "tally_http_queue_depth",
                      "Requests that wait for a worker", ctx));
    TL_TRY(make_gauge(&m->working, m->registry, "tally_http_workers_busy",
                      "Workers that have a request", ctx));
    return make_gauge(&m->connections, m->registry, "tally_http_connections", "Open connections",
                      ctx);
}

void tl__api_observe_start(tl_api *api)
{
    tl_metrics_on_collect(api->metrics.registry, collect, api);
}

void tl__api_observe_route(tl_api *api, tl__route *route)
{
    route->seconds =
        tl_metric_series(api->metrics.seconds, (const tl_str[]){tl_str_from_cstr(route->spec->id)});
}

static void count(const tl_api_call *call, int status, const char *code)
{
    tl__api_metrics *m = &call->api->metrics;
    char digits[12];
    (void)tl_str_print(digits, sizeof digits, "%d", status);
    tl_api_method method;
    const bool is_known = tl__method_parse(&method, call->method) || call->is_head ||
                          tl_str_eq_cstr(call->method, "OPTIONS");
    const tl_str values[] = {call->route != NULL ? tl_str_from_cstr(call->route->spec->id)
                                                 : TL_STR("unknown"),
                             is_known ? call->method : TL_STR("other"), tl_str_from_cstr(digits)};
    tl_series_add(tl_metric_series(m->requests, values), 1);
    if (code[0] != 0) {
        tl_series_add(tl_metric_series(m->refusals, (const tl_str[]){tl_str_from_cstr(code)}), 1);
    }
}

/* A worker may have the call still (its peer left, its time is over): then what it writes is not looked at. */
void tl__api_observe_done(tl_api_call *call, int status, const char *code)
{
    const int64_t took_ns = tl_clock_steady_ns(&call->api->real) - call->begun_ns;
    const bool is_ours = call->state != TL__CALL_WORKING;
    count(call, status, code);
    if (call->route != NULL) {
        tl_series_observe(call->route->seconds, (double)took_ns * 1e-9);
    }
    if (call->log.level > TL_LOG_INFO) {
        return;
    }
    const tl_log_field fields[] = {
        TL_LOG_TEXT("method", call->method),
        TL_LOG_TEXT("path", tl_str_slice(call->path, 0, 256)),
        TL_LOG_TEXT("route", call->route != NULL ? tl_str_from_cstr(call->route->spec->id)
                                                 : TL_STR("unknown")),
        TL_LOG_NUMBER("status", status),
        TL_LOG_TEXT("code", tl_str_from_cstr(code)),
        TL_LOG_TEXT("address", tl_str_from_cstr(call->caller.address)),
        TL_LOG_TEXT("caller", is_ours ? tl_str_from_cstr(call->caller.subject) : TL_STR("")),
        TL_LOG_NUMBER("request_len", (int64_t)(call->body.len + call->fd_len)),
        TL_LOG_NUMBER("answer_len", is_ours ? (int64_t)call->sent_len : 0),
        TL_LOG_NUMBER("duration_us", took_ns / 1000),
    };
    tl_log_say(&call->log, TL_LOG_INFO, "request", fields, COUNT(fields));
}
