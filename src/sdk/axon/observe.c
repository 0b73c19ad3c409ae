/* What the axon tells about itself: metrics, access lines, health. A request costs two additions here, and an access line only
 * where somebody asked for it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/axon/axon_internal.h"

static const char *const request_labels[] = {"route", "protocol", "status", "reason"};
static const char *const route_labels[] = {"route", "protocol"};
static const char *const answer_labels[] = {"answer"};
static const double seconds_bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                        0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    12};
static const double verify_bounds[] = {0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001};
static const double batch_bounds[] = {1, 2, 4, 8, 16, 32, 64};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LOG_FLUSH_MS 500
#define LINE_LEN_MAX 1024

const char *tl__reason_name(tl__reason reason)
{
    switch ((int)reason) {
    case TL__REASON_OK:
        return "ok";
#define TL__REASON_NAME(name, text)                                                                \
    case TL__REASON_##name:                                                                        \
        return text;
        TL__REASON_MAP(TL__REASON_NAME)
#undef TL__REASON_NAME
    default:
        return tl_auth_class_name((tl_auth_class)reason);
    }
}

static tl_err make_gauge(tl_series **out, tl_metrics *registry, const char *name, const char *help,
                         tl_errctx *ctx)
{
    tl_metric *family;
    const tl_metric_spec spec = {.name = name, .help = help};
    TL_TRY(tl_metrics_gauge(&family, registry, &spec, ctx));
    *out = tl_metric_series(family, NULL);
    return TL_OK;
}

static tl_err make_histogram(tl_series **out, tl_metrics *registry, const tl_metric_spec *spec,
                             tl_errctx *ctx)
{
    tl_metric *family;
    TL_TRY(tl_metrics_histogram(&family, registry, spec, ctx));
    *out = tl_metric_series(family, NULL);
    return TL_OK;
}

static tl_err make_seen(tl__axon_metrics *m, tl_errctx *ctx)
{
    static const char *const answers[] = {"fresh", "seen", "full", "down"};
    tl_metric *family;
    const tl_metric_spec spec = {.name = "tally_axon_replay_total",
                                 .help = "Signed requests by what the replay store said",
                                 .labels = answer_labels,
                                 .label_count = 1};
    TL_TRY(tl_metrics_counter(&family, m->registry, &spec, ctx));
    for (size_t i = 0; i < COUNT(answers); i++) {
        m->seen[i] = tl_metric_series(family, (const tl_str[]){tl_str_from_cstr(answers[i])});
    }
    return TL_OK;
}

/* Resident memory in bytes; 0 where /proc does not tell. */
static int64_t resident_len(void)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) {
        return 0;
    }
    const size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    const tl_str all = {text, len}; /* size, resident, … */
    tl_str rest = tl_str_slice(all, tl_str_find(all, ' ') + 1, len);
    uint64_t pages = 0;
    rest.len = tl_str_find(rest, ' ');
    (void)tl_str_parse_u64(&pages, rest);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void collect(void *self)
{
    tl_axon *axon = self;
    tl__axon_metrics *m = &axon->metrics;
    (void)pthread_mutex_lock(&axon->queue.lock);
    const uint32_t waiting = axon->queue.waiting;
    const uint32_t handling = axon->queue.handling;
    (void)pthread_mutex_unlock(&axon->queue.lock);
    tl_series_set(m->waiting, waiting);
    tl_series_set(m->handling, handling);
    tl_series_set(m->resident, resident_len());
    const tl_http_server *server = atomic_load(&axon->server);
    if (server != NULL) {
        tl_series_set(m->connections, (int64_t)tl_http_server_connection_count(server));
    }
    if (axon->exec != NULL) {
        const tl_exec_load load = tl_exec_get_load(axon->exec);
        tl_series_set(m->exec_waiting, load.waiting);
        tl_series_set(m->exec_in_flight, load.in_flight);
        tl_series_set(m->exec_ready, load.ready);
        tl_series_set(m->exec_restarts, (int64_t)load.restarts);
    }
}

static tl_err make_gauges(tl__axon_metrics *m, tl_errctx *ctx)
{
    tl_metrics *r = m->registry;
    TL_TRY(make_gauge(&m->waiting, r, "tally_axon_queue_depth", "Requests that wait for a handler",
                      ctx));
    TL_TRY(make_gauge(&m->handling, r, "tally_axon_handlers", "Requests in handlers", ctx));
    TL_TRY(make_gauge(&m->connections, r, "tally_axon_connections", "Open connections", ctx));
    TL_TRY(make_gauge(&m->resident, r, "tally_process_resident_memory_bytes",
                      "Resident memory of the process", ctx));
    TL_TRY(make_gauge(&m->exec_waiting, r, "tally_axon_exec_queue_depth",
                      "Requests that wait for a program", ctx));
    TL_TRY(make_gauge(&m->exec_in_flight, r, "tally_axon_exec_in_flight",
                      "Requests that programs work on", ctx));
    TL_TRY(make_gauge(&m->exec_ready, r, "tally_axon_exec_processes",
                      "Processes of the program that are ready", ctx));
    return make_gauge(&m->exec_restarts, r, "tally_axon_exec_restarts",
                      "Times that a process of the program was started again", ctx);
}

tl_err tl__observe_init(tl_axon *axon, tl_errctx *ctx)
{
    tl__axon_metrics *m = &axon->metrics;
    TL_TRY(tl_metrics_new(&m->registry, ctx));
    const tl_metric_spec requests = {.name = "tally_axon_requests_total",
                                     .help = "Requests by route, protocol, status and reason",
                                     .labels = request_labels,
                                     .label_count = COUNT(request_labels),
                                     .series_max = TL_METRICS_SERIES_MAX};
    const tl_metric_spec seconds = {.name = "tally_axon_request_seconds",
                                    .help = "Time from a request's head to its answer",
                                    .labels = route_labels,
                                    .label_count = COUNT(route_labels),
                                    .series_max = TL_METRICS_SERIES_MAX,
                                    .bounds = seconds_bounds,
                                    .bound_count = COUNT(seconds_bounds)};
    const tl_metric_spec verify = {.name = "tally_axon_verify_seconds",
                                   .help = "Time of verifying and remembering one request",
                                   .bounds = verify_bounds,
                                   .bound_count = COUNT(verify_bounds)};
    const tl_metric_spec batch = {.name = "tally_axon_verify_batch_requests",
                                  .help = "Requests that were verified together",
                                  .bounds = batch_bounds,
                                  .bound_count = COUNT(batch_bounds)};
    TL_TRY(tl_metrics_counter(&m->requests, m->registry, &requests, ctx));
    TL_TRY(tl_metrics_histogram(&m->seconds, m->registry, &seconds, ctx));
    TL_TRY(make_histogram(&m->verify_seconds, m->registry, &verify, ctx));
    TL_TRY(make_histogram(&m->verify_batch, m->registry, &batch, ctx));
    TL_TRY(make_gauges(m, ctx));
    TL_TRY(make_seen(m, ctx));
    tl_metrics_on_collect(m->registry, collect, axon);
    return TL_OK;
}

void tl__observe_deinit(tl_axon *axon)
{
    tl_metrics_free(axon->metrics.registry);
}

void tl__observe_route(tl_axon *axon, tl__route *route)
{
    for (size_t i = 0; i < TL__AXON_PROTOCOLS; i++) {
        if ((route->rules.families & 1u << i) != 0) {
            const tl_str values[] = {route->name, tl_auth_family_at((tl_auth_family_id)i)->name};
            route->seconds[i] = tl_metric_series(axon->metrics.seconds, values);
        }
    }
}

static tl_series *requests_series(tl_axon_call *call, int status)
{
    char digits[12];
    (void)tl_str_print(digits, sizeof digits, "%d", status);
    const tl_str values[] = {call->route != NULL ? call->route->name : TL_STR("unknown"),
                             tl_auth_family_at(call->family)->name, tl_str_from_cstr(digits),
                             tl_str_from_cstr(tl__reason_name(call->reason))};
    return tl_metric_series(call->axon->metrics.requests, values);
}

/* The status follows from the reason but for a handler's own: those two are looked up each time. */
static void count(tl_axon_call *call, int status)
{
    _Atomic(tl_series *) *kept = call->route != NULL
                                     ? &call->route->requests[call->family][call->reason]
                                     : &call->axon->metrics.unrouted[call->family][call->reason];
    const bool is_usual = (call->reason != TL__REASON_OK || status == 200) &&
                          call->reason != TL__REASON_ROUTER && call->reason != TL__REASON_VERSION;
    tl_series *series = is_usual ? atomic_load_explicit(kept, memory_order_acquire) : NULL;
    if (series == NULL) {
        series = requests_series(call, status);
        if (is_usual) {
            atomic_store_explicit(kept, series, memory_order_release);
        }
    }
    tl_series_add(series, 1);
}

/* --- access lines --- */

void tl__observe_flush(tl__lane *lane)
{
    const tl_axon_settings *s = &lane->axon->settings;
    if (lane->log_len > 0) {
        s->access(s->access_self, (tl_str){lane->log, lane->log_len});
        lane->log_len = 0;
    }
}

static void on_log_time(uv_timer_t *timer)
{
    tl__observe_flush(timer->data);
}

static size_t put_line(char *out, size_t cap, const tl_axon_call *call, int status, int64_t now_ns)
{
    const int64_t wall_ns = tl__now_ns(call->axon);
    char hotkey[TL_SS58_CAP] = "";
    if (call->caller.is_verified) {
        (void)tl_ss58_encode(hotkey, &call->caller.hotkey, TL_SS58_PREFIX_GENERIC);
    }
    return tl_str_print(
        out, cap,
        "{\"time_ns\":%lld,\"correlation_id\":\"%s\",\"address\":\"%s\",\"route\":\"%.*s\","
        "\"protocol\":\"%.*s\",\"hotkey\":\"%s\",\"status\":%d,\"reason\":\"%s\","
        "\"request_len\":%zu,\"answer_len\":%zu,\"duration_us\":%lld}\n",
        (long long)wall_ns, call->id, call->caller.address,
        TL_STR_ARG(call->route != NULL ? call->route->name : TL_STR("unknown")),
        TL_STR_ARG(tl_auth_family_at(call->family)->name), hotkey, status,
        tl__reason_name(call->reason), call->body.len, call->sent_len,
        (long long)((now_ns - call->begun_ns) / 1000));
}

/* Ids may hold '"' and '\\': such a one is not repeated in a line of JSON. */
static void tame_id(tl_axon_call *call)
{
    for (size_t i = 0; i < call->id_len; i++) {
        if (call->id[i] == '"' || call->id[i] == '\\') {
            call->id[i] = '?';
        }
    }
}

static void log_access(tl_axon_call *call, int status, int64_t now_ns)
{
    tl__lane *lane = call->lane;
    if (lane->log == NULL) {
        lane->log = malloc(TL__AXON_LOG_LEN);
        if (lane->log == NULL) {
            return;
        }
    }
    if (TL__AXON_LOG_LEN - lane->log_len < LINE_LEN_MAX) {
        tl__observe_flush(lane);
    }
    if (!lane->has_log_timer) {
        (void)uv_timer_init(tl_http_loop_uv(lane->loop), &lane->log_timer);
        lane->log_timer.data = lane;
        lane->has_log_timer = true;
    }
    if (lane->log_len == 0) {
        (void)uv_timer_start(&lane->log_timer, on_log_time, LOG_FLUSH_MS, 0);
    }
    tame_id(call);
    lane->log_len += put_line(lane->log + lane->log_len, LINE_LEN_MAX, call, status, now_ns);
}

void tl__observe_done(tl_axon_call *call, int status)
{
    const int64_t now_ns = tl__steady_ns(call->axon);
    TL_ASSERT((int)call->family < TL__AXON_PROTOCOLS && call->reason < TL__REASON_COUNT);
    count(call, status);
    if (call->route != NULL) {
        tl_series_observe(call->route->seconds[call->family],
                          (double)(now_ns - call->begun_ns) * 1e-9);
    }
    if (call->axon->settings.access != NULL) {
        log_access(call, status, now_ns);
    }
}

/* --- health --- */

void tl_axon_metrics_print(tl_sb *sb, tl_axon *axon)
{
    tl_metrics_print(sb, axon->metrics.registry);
}

static void answer_text(tl_http_exchange *x, int status, const char *type, tl_str body)
{
    const tl_http_header header = {TL_STR("content-type"), tl_str_from_cstr(type)};
    tl_http_answer(x, status, (tl_http_headers){&header, 1}, tl_str_bytes(body));
}

bool tl__health(tl__lane *lane, tl_http_exchange *x)
{
    const tl_http_request *request = tl_http_request_of(x);
    if (!tl_str_eq(request->method, TL_STR("GET")) && !tl_str_eq(request->method, TL_STR("HEAD"))) {
        return false;
    }
    const tl_str path = request->path;
    if (tl_str_eq(path, TL_STR("/healthz")) || tl_str_eq(path, TL_STR("/health")) ||
        tl_str_eq(path, TL_STR("/healthcheck"))) {
        answer_text(x, 200, "application/json", TL_STR("{\"status\":\"ok\"}"));
        return true;
    }
    if (tl_str_eq(path, TL_STR("/readyz"))) {
        const bool is_ready =
            !atomic_load(&lane->axon->is_draining) &&
            (lane->axon->exec == NULL || tl_exec_get_load(lane->axon->exec).ready > 0);
        answer_text(x, is_ready ? 200 : 503, "application/json",
                    is_ready ? TL_STR("{\"status\":\"ready\"}")
                             : TL_STR("{\"status\":\"not ready\"}"));
        return true;
    }
    if (tl_str_eq(path, TL_STR("/metrics"))) {
        tl_sb sb;
        tl_str text;
        tl_sb_init(&sb, tl_http_arena(x));
        tl_axon_metrics_print(&sb, lane->axon);
        const bool has_text = tl_sb_finish(&text, &sb, NULL) == TL_OK;
        answer_text(x, has_text ? 200 : 500, TL_METRICS_CONTENT_TYPE,
                    has_text ? text : (tl_str){NULL, 0});
        return true;
    }
    return false;
}
