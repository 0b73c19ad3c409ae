/* The kit's own routes: alive, able to serve, metrics, and the document itself; rows of the same table as everybody's. */
#include "app/api/api_internal.h"

static tl_err answer_alive(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    tl_api_answer(call, 200, TL_STR("{\"status\":\"ok\"}"));
    return TL_OK;
}

static tl_err answer_ready(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    const tl_api_settings *s = &call->api->settings;
    tl_sb why;
    tl_str text = {NULL, 0};
    tl_sb_init(&why, call->arena);
    bool is_ready = !atomic_load(&call->api->is_draining);
    if (!is_ready) {
        tl_sb_put_cstr(&why, "It is about to end");
    } else if (s->is_ready != NULL) {
        is_ready = s->is_ready(s->self, call->worker, &why);
    }
    if (is_ready) {
        tl_api_answer(call, 200, TL_STR("{\"status\":\"ready\"}"));
        return TL_OK;
    }
    if (tl_sb_finish(&text, &why, NULL) != TL_OK || text.len == 0) {
        text = TL_STR("It cannot serve now");
    }
    return tl_api_fail(call, TL_API_BUSY, NULL, "%.*s", TL_STR_ARG(text));
}

static tl_err answer_metrics(tl_api_call *call, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, call->arena);
    tl_metrics_print(&sb, call->api->metrics.registry);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl_api_answer_bytes(call, 200, TL_METRICS_CONTENT_TYPE, tl_str_bytes(text));
    return TL_OK;
}

static tl_err answer_document(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    tl_api_answer_page(call, 200, call->api->document_page);
    return TL_OK;
}

const tl_api_schema tl__health_schemas[] = {
    {"Error", "{'type':'object','required':['error'],'properties':{'error':{'type':'object',"
              "'required':['code','message','field','correlationId'],'properties':{"
              "'code':{'type':'string'},'message':{'type':'string'},"
              "'field':{'type':['string','null'],'description':'A JSON pointer into the body, the "
              "name of a parameter, or null.'},"
              "'correlationId':{'type':'string'}}}}}"},
    {"Health", "{'type':'object','required':['status'],'properties':{'status':{'type':'string'}}}"},
};
const size_t tl__health_schema_count = sizeof tl__health_schemas / sizeof tl__health_schemas[0];

const char tl__compat_error[] =
    "{'type':'object','required':['statusCode','message','error'],'properties':{"
    "'statusCode':{'type':'integer'},'message':{'type':'array','items':{'type':'string'}},"
    "'error':{'type':'string'}}}";

static const tl_api_reply health_replies[] = {{200, "It is well.", "Health", NULL}};
static const tl_api_reply metrics_replies[] = {
    {200, "Metrics in Prometheus' text form.", NULL, "text/plain"}};
static const tl_api_reply document_replies[] = {
    {200, "This document.", "{'type':'object','required':['openapi','info','paths']}", NULL}};

#define HEALTH(route_path, route_id, how, what)                                                    \
    {                                                                                              \
        .method = TL_API_GET, .path = (route_path), .id = (route_id), .tag = "health",             \
        .summary = (what), .runs = (how), TL_API_REPLIES(health_replies), .is_uncached = true,     \
        .handle = (how) == TL_API_INLINE ? answer_alive : answer_ready                             \
    }

const tl_api_route tl__health_routes[] = {
    HEALTH("/healthz", "isAlive", TL_API_INLINE, "Is the service alive?"),
    HEALTH("/health", "isAliveToo", TL_API_INLINE, "The same by its older name."),
    HEALTH("/healthcheck", "isAliveAsWell", TL_API_INLINE, "The same by its oldest name."),
    HEALTH("/readyz", "isReady", TL_API_ON_WORKER, "Is the service able to serve?"),
    {.method = TL_API_GET,
     .path = "/metrics",
     .id = "getMetrics",
     .tag = "health",
     .summary = "What the service counts.",
     TL_API_REPLIES(metrics_replies),
     .is_uncached = true,
     .handle = answer_metrics},
    {.method = TL_API_GET,
     .path = "/openapi.json",
     .id = "getDocument",
     .tag = "health",
     .summary = "The description of every route.",
     .runs = TL_API_INLINE,
     TL_API_REPLIES(document_replies),
     .handle = answer_document},
};
const size_t tl__health_route_count = sizeof tl__health_routes / sizeof tl__health_routes[0];
