/* A service from new to free: its parts are made in the order in which a request meets them, and let go the other way round. */
#include "app/api/api.h"

#include <stdlib.h>
#include <string.h>

#include "app/api/api_internal.h"
#include "io/sys/sys.h"

#define ARENA_LEN ((size_t)64 << 20)
#define S_NS      INT64_C(1000000000)
#define COMPAT_BACK_NS                                                                             \
    (302 * S_NS) /* listings spec section 2: 300 s old, and this clock's second */
#define COMPAT_AHEAD_NS (61 * S_NS)

enum { WORKERS_MAX = 256, WAITING_MAX = 1 << 20, CALL_TIMEOUT_MS = 30000 };

/* --- settings --- */

static void fill_defaults(tl_api_settings *s)
{
    s->title = s->title != NULL ? s->title : "Tally";
    s->version = s->version != NULL ? s->version : "1";
    s->host = s->host != NULL ? s->host : "127.0.0.1";
    s->loops = s->loops > 0 ? s->loops : 1;
    s->workers = s->workers > 0 ? s->workers : TL_API_WORKERS_DEFAULT;
    s->waiting_max = s->waiting_max > 0 ? s->waiting_max : TL_API_WAITING_DEFAULT;
    s->body_len_max = s->body_len_max > 0 ? s->body_len_max : TL_API_BODY_DEFAULT;
    s->call_timeout_ms = s->call_timeout_ms > 0 ? s->call_timeout_ms : CALL_TIMEOUT_MS;
    if (s->clock.wall_ns == NULL) {
        s->clock = tl_sys_clock();
    }
    if (s->entropy.fill == NULL) {
        s->entropy = tl_sys_entropy();
    }
}

static tl_err check_settings(const tl_api_settings *s, tl_errctx *ctx)
{
    if ((s->tls_cert == NULL) != (s->tls_key == NULL)) {
        return tl_fail_field(ctx, TL_ERR_MISSING, s->tls_cert == NULL ? "tls_cert" : "tls_key",
                             "TLS takes a certificate and its key");
    }
    if (s->workers > WORKERS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "workers", "%u workers, above %d", s->workers,
                             WORKERS_MAX);
    }
    if (s->loops > TL_HTTP_LOOP_COUNT_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "loops", "%u loops, above %d", s->loops,
                             TL_HTTP_LOOP_COUNT_MAX);
    }
    if (s->waiting_max > WAITING_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "waiting_max", "%u may wait, above %d",
                             s->waiting_max, WAITING_MAX);
    }
    return TL_OK;
}

typedef tl_err (*list_add)(tl_limit_lists *lists, tl_str entry, tl_errctx *ctx);

static tl_err read_list(tl_limit_lists *lists, list_add add, const char *const *entries,
                        size_t count, const char *name, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const tl_err err = add(lists, tl_str_from_cstr(entries[i]), ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "%s[%zu]", name, i);
            return err;
        }
    }
    return TL_OK;
}

static tl_err read_lists(tl_api *api, tl_errctx *ctx)
{
    const tl_api_settings *s = &api->settings;
    TL_TRY(tl_limit_lists_new(&api->lists, api->arena, ctx));
    TL_TRY(tl_limit_lists_new(&api->proxies, api->arena, ctx));
    TL_TRY(read_list(api->lists, tl_limit_lists_allow, s->allow, s->allow_count, "allow", ctx));
    TL_TRY(read_list(api->lists, tl_limit_lists_block, s->block, s->block_count, "block", ctx));
    return read_list(api->proxies, tl_limit_lists_allow, s->trusted_proxies, s->trusted_proxy_count,
                     "trusted_proxies", ctx);
}

/* --- parts --- */

static tl_err open_replay(tl_api *api, tl_errctx *ctx)
{
    const tl_api_settings *s = &api->settings;
    const tl_auth_family *btauth = tl_auth_family_at(TL_AUTH_BTAUTH);
    const tl_replay_options options = {.ahead_ns =
                                           s->is_compat ? COMPAT_AHEAD_NS : btauth->ahead_ns,
                                       .back_ns = s->is_compat ? COMPAT_BACK_NS : btauth->back_ns};
    tl_auth_rules_init(&api->rules, s->self_ss58);
    api->rules.families = 1u << TL_AUTH_BTAUTH;
    api->rules.keep_back_ns = options.back_ns;
    if (s->redis != NULL) {
        tl_sb sb;
        tl_str prefix;
        tl_sb_init(&sb, api->arena);
        tl_sb_put_cstr(&sb, "tally:replay:");
        tl_sb_put(&sb, s->redis_prefix != NULL ? tl_str_from_cstr(s->redis_prefix) : s->self_ss58);
        TL_TRY(tl_sb_finish(&prefix, &sb, ctx));
        return tl_replay_open_redis(&api->replay, s->redis, prefix, &options, ctx);
    }
    if (s->dir != NULL) {
        return tl_replay_open(&api->replay, s->dir, &options, tl_clock_wall_ns(&api->real), ctx);
    }
    return tl_replay_open_memory(&api->replay, &options, ctx);
}

static tl_err open_limits(tl_api *api, tl_errctx *ctx)
{
    const tl_api_settings *s = &api->settings;
    const tl_limit_rules strangers = tl_limit_strangers();
    tl_sb sb;
    tl_str prefix;
    tl_sb_init(&sb, api->arena);
    tl_sb_put_cstr(&sb, "tally:windows:");
    tl_sb_put(&sb, s->redis_prefix != NULL ? tl_str_from_cstr(s->redis_prefix) : s->self_ss58);
    TL_TRY(tl_sb_finish(&prefix, &sb, ctx));
    TL_TRY(tl_windows_new(&api->windows, s->redis, prefix, ctx));
    return tl_limit_new(&api->strangers, &strangers, ctx);
}

static tl_err name_schemas(tl_api *api, tl_errctx *ctx)
{
    const tl_api_settings *s = &api->settings;
    TL_TRY(tl_schemas_new(&api->schemas, api->arena, ctx));
    for (size_t i = 0; i < tl__health_schema_count; i++) {
        const tl_api_schema *schema = &tl__health_schemas[i];
        const bool is_error = strcmp(schema->name, "Error") == 0;
        TL_TRY(tl_schemas_name(api->schemas, schema->name,
                               is_error && s->is_compat ? tl__compat_error : schema->text, ctx));
    }
    for (size_t i = 0; i < s->schema_count; i++) {
        TL_TRY(tl_schemas_name(api->schemas, s->schemas[i].name, s->schemas[i].text, ctx));
    }
    return tl_schemas_finish(api->schemas, ctx);
}

static tl_err make(tl_api *api, tl_errctx *ctx)
{
    const tl_api_settings *s = &api->settings;
    TL_TRY(read_lists(api, ctx));
    TL_TRY(name_schemas(api, ctx));
    TL_TRY(tl__api_observe_init(api, ctx));
    TL_TRY(tl__routes_make(api, ctx));
    TL_TRY(tl__document_write(api, ctx));
    if (s->tls_cert != NULL) {
        TL_TRY(tl_tls_server_new(&api->tls, s->tls_cert, s->tls_key, ctx));
    }
    return open_limits(api, ctx);
}

tl_err tl_api_new(tl_api **out, const tl_api_settings *settings, tl_errctx *ctx)
{
    TL_TRY(check_settings(settings, ctx));
    tl_api *api = calloc(1, sizeof *api);
    if (api == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a service");
    }
    api->settings = *settings;
    api->real = tl_sys_clock();
    fill_defaults(&api->settings);
    tl_err err = tl_arena_new(&api->arena, NULL, ARENA_LEN, NULL, ctx);
    err = err == TL_OK ? make(api, ctx) : err;
    if (err != TL_OK) {
        tl_api_free(api);
        return err;
    }
    *out = api;
    return TL_OK;
}

/* --- the server --- */

static tl_err on_loop_start(void *self, tl_http_loop *loop, tl_errctx *ctx)
{
    tl_api *api = self;
    tl__lane *lane = &api->lanes[tl_http_loop_index(loop)];
    *lane = (tl__lane){.api = api, .loop = loop};
    tl_http_loop_set_user(loop, lane);
    return tl_entropy_fill(&api->settings.entropy, &lane->id_salt, sizeof lane->id_salt, ctx);
}

/* Addresses on the block list are told so (403); connections are capped by the server's own rule. */
static bool is_exempt(void *self, const tl_net_addr *peer)
{
    const tl_api *api = self;
    return tl_limit_lists_exempts(api->lists, peer, api->settings.limits_loopback) ||
           (api->settings.trusted_proxy_count > 0 && tl_limit_lists_admits_ip(api->proxies, peer));
}

static tl_err start_server(tl_api *api, tl_errctx *ctx)
{
    const tl_api_settings *s = &api->settings;
    const tl_http_settings http = {
        .listen_ip = tl_str_from_cstr(s->host),
        .listen_port = s->port,
        .loop_count = s->loops,
        .body_len_max = s->body_len_max,
        .tls = api->tls,
        .drain_ms = TL__API_DRAIN_MS,
        .takes_any_method = true,
    };
    const tl_http_app app = {
        .self = api,
        .is_exempt = is_exempt,
        .on_loop_start = on_loop_start,
        .on_head = tl__api_gates_on_head,
        .on_body = tl__api_gates_on_body,
        .on_request = tl__api_gates_on_request,
        .on_gone = tl__api_gates_on_gone,
    };
    return tl_http_server_start(&api->server, &http, &app, ctx);
}

tl_err tl_api_start(tl_api *api, tl_errctx *ctx)
{
    TL_ASSERT(!api->is_started);
    TL_TRY(open_replay(api, ctx));
    api->lanes = calloc(api->settings.loops, sizeof *api->lanes);
    if (api->lanes == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for %u loops", api->settings.loops);
    }
    TL_TRY(tl__work_start(api, ctx));
    TL_TRY(start_server(api, ctx));
    tl__api_observe_start(api);
    api->is_started = true;
    return TL_OK;
}

uint16_t tl_api_port(const tl_api *api)
{
    return api->server != NULL ? tl_http_server_port(api->server) : api->settings.port;
}

void tl_api_stop(tl_api *api)
{
    if (api == NULL || api->is_stopped) {
        return;
    }
    api->is_stopped = true;
    atomic_store(&api->is_draining, true);
    if (api->server != NULL) {
        tl_http_server_stop(api->server);
    }
    tl__work_stop(api);
}

void tl_api_free(tl_api *api)
{
    if (api == NULL) {
        return;
    }
    tl_api_stop(api);
    tl_http_server_free(api->server);
    free(api->lanes);
    tl__work_free(api);
    if (tl_replay_close(api->replay, NULL) != TL_OK && api->settings.log != NULL) {
        tl_log log = *api->settings.log;
        tl_log_say(&log, TL_LOG_ERROR, "the replay store could not be closed", NULL, 0);
    }
    tl_windows_free(api->windows);
    tl_limit_free(api->strangers);
    tl_tls_free(api->tls);
    tl_api_page_unref(api->document_page);
    if (api->metrics.is_own) {
        tl_metrics_free(api->metrics.registry);
    }
    tl_arena_free(api->arena);
    free(api);
}

/* --- what tests and tools ask --- */

tl_str tl_api_document(const tl_api *api)
{
    return api->document;
}

struct tl_metrics *tl_api_metrics(const tl_api *api)
{
    return api->metrics.registry;
}

bool tl_api_has_status(const tl_api *api, const char *operation_id, int status)
{
    for (size_t i = 0; i < api->route_count; i++) {
        if (strcmp(api->routes[i].spec->id, operation_id) == 0) {
            return tl__route_reply(&api->routes[i], status) != NULL;
        }
    }
    return false;
}

/* --- what a handler asks of its call --- */

void *tl_api_call_self(const tl_api_call *call)
{
    return call->api->settings.self;
}

void *tl_api_call_worker(const tl_api_call *call)
{
    return call->worker;
}

tl_arena *tl_api_call_arena(tl_api_call *call)
{
    return call->arena;
}

const tl_api_caller *tl_api_call_caller(const tl_api_call *call)
{
    return &call->caller;
}

int64_t tl_api_call_age_ms(const tl_api_call *call)
{
    return (tl_clock_steady_ns(&call->api->real) - call->begun_ns) / 1000000;
}

tl_str tl_api_call_id(const tl_api_call *call)
{
    return tl_str_from_cstr(call->id);
}

tl_log *tl_api_call_log(tl_api_call *call)
{
    return &call->log;
}

tl_http_headers tl_api_call_headers(const tl_api_call *call)
{
    return call->headers;
}
