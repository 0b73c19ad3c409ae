/* An axon from new to free: its rooms are opened in the order in which a request meets them, and closed the other way round. */
#include "sdk/axon/axon.h"

#include <stdlib.h>
#include <string.h>

#include "io/sys/sys.h"
#include "sdk/axon/axon_internal.h"

enum { WORKERS_DEFAULT = 4, STEADY_PAUSE_US = 2000 };

#define V10_BACK_NS                                                                                \
    ((int64_t)124 * 1000000000) /* 4 s and the longest timeout (wire spec section 1.8) */
#define AHEAD_NS      ((int64_t)2 * 1000000000)
#define ARENA_LEN     ((size_t)64 << 20)
#define LANE_LEN      ((size_t)16 << 20)
#define REPLAY_PREFIX TL_STR("tally:replay:")

int64_t tl__now_ns(const tl_axon *axon)
{
    return tl_clock_wall_ns(&axon->settings.clock);
}

int64_t tl__steady_ns(const tl_axon *axon)
{
    return tl_clock_steady_ns(&axon->settings.clock);
}

/* --- settings --- */

static void fill_defaults(tl_axon_settings *s)
{
    s->host = s->host != NULL ? s->host : "0.0.0.0";
    s->loops = s->loops > 0 ? s->loops : 1;
    s->workers = s->workers > 0 ? s->workers : WORKERS_DEFAULT;
    s->protocols = s->protocols != 0 ? s->protocols & TL_AXON_ALL : TL_AXON_ALL;
    s->body_len_max = s->body_len_max > 0 ? s->body_len_max : TL_AXON_BODY_DEFAULT;
    s->handlers_max = s->handlers_max > 0 ? s->handlers_max : TL_AXON_HANDLERS_DEFAULT;
    s->waiting_max = s->waiting_max > 0 ? s->waiting_max : TL_AXON_WAITING_DEFAULT;
    s->hotkey_burst = s->hotkey_burst >= 1 ? s->hotkey_burst : s->hotkey_rate;
    s->hotkey_burst = s->hotkey_burst >= 1 ? s->hotkey_burst : 1;
    if (s->clock.wall_ns == NULL) {
        s->clock = tl_sys_clock();
    }
    if (s->entropy.fill == NULL) {
        s->entropy = tl_sys_entropy();
    }
}

static tl_err check_settings(const tl_axon_settings *s, tl_errctx *ctx)
{
    if (s->key == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "key", "an axon has no hotkey");
    }
    if ((s->tls_cert == NULL) != (s->tls_key == NULL)) {
        return tl_fail_field(ctx, TL_ERR_MISSING, s->tls_cert == NULL ? "tls_cert" : "tls_key",
                             "TLS takes a certificate and its key");
    }
    if (s->workers > TL__AXON_WORKERS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "workers", "%u workers, above %d", s->workers,
                             TL__AXON_WORKERS_MAX);
    }
    if (s->loops > TL_HTTP_LOOP_COUNT_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "loops", "%u loops, above %d", s->loops,
                             TL_HTTP_LOOP_COUNT_MAX);
    }
    if (s->handlers_max > 65536 || s->waiting_max > 1u << 20) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "handlers_max",
                             "at most 65536 in handlers and 1048576 waiting");
    }
    return TL_OK;
}

static tl_err read_lists(tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    TL_TRY(tl_limit_lists_new(&axon->lists, axon->arena, ctx));
    axon->has_lists = s->allow_count > 0 || s->block_count > 0;
    for (size_t i = 0; i < s->allow_count; i++) {
        const tl_err err = tl_limit_lists_allow(axon->lists, tl_str_from_cstr(s->allow[i]), ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "allow[%zu]", i);
            return err;
        }
    }
    for (size_t i = 0; i < s->block_count; i++) {
        const tl_err err = tl_limit_lists_block(axon->lists, tl_str_from_cstr(s->block[i]), ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "block[%zu]", i);
            return err;
        }
    }
    return TL_OK;
}

/* A UUID of version 1, as the SDK's axon has one: the clock in tenths of microseconds since 1582, a random node. */
static tl_err make_uuid(tl_axon *axon, tl_errctx *ctx)
{
    const uint64_t ticks = (uint64_t)(tl__now_ns(axon) / 100) + 0x01b21dd213814000u;
    uint8_t node[8];
    TL_TRY(tl_entropy_fill(&axon->settings.entropy, node, sizeof node, ctx));
    node[2] |= 1; /* no card's address */
    (void)tl_str_print(axon->uuid, sizeof axon->uuid,
                       "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (uint32_t)ticks,
                       (uint32_t)(ticks >> 32 & 0xffff), (uint32_t)(0x1000 | ticks >> 48),
                       (unsigned)(0x80 | (node[0] & 0x3f)), node[1], node[2], node[3], node[4],
                       node[5], node[6], node[7]);
    return TL_OK;
}

/* --- rooms --- */

static tl_err open_limits(tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    const tl_limit_rules strangers = tl_limit_strangers();
    const tl_limit_rules hotkeys = {.rate_per_s = s->hotkey_rate, .burst = s->hotkey_burst};
    if (axon->redis == NULL) {
        TL_TRY(tl_limit_new(&axon->strangers, &strangers, ctx));
        return s->hotkey_rate > 0 ? tl_limit_new(&axon->hotkeys, &hotkeys, ctx) : TL_OK;
    }
    TL_TRY(tl_limit_new_shared(&axon->strangers, &strangers, axon->redis,
                               TL_STR("tally:strangers:"), ctx));
    return s->hotkey_rate > 0 ? tl_limit_new_shared(&axon->hotkeys, &hotkeys, axon->redis,
                                                    TL_STR("tally:hotkeys:"), ctx)
                              : TL_OK;
}

static tl_err open_redis(tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    if (s->redis_url == NULL) {
        return TL_OK;
    }
    const tl_redis_options options = {.url = tl_str_from_cstr(s->redis_url),
                                      .password = tl_str_from_cstr(s->redis_password)};
    return tl_redis_open(&axon->redis, &options, ctx);
}

/* The longest windows of all routes: what the store must outlive. */
static tl_replay_options replay_options(const tl_axon *axon)
{
    tl_replay_options options = {.ahead_ns = AHEAD_NS, .back_ns = V10_BACK_NS};
    for (size_t i = 0; i < axon->route_count; i++) {
        const tl_auth_rules *rules = &axon->routes[i]->rules;
        options.back_ns = rules->back_ns > options.back_ns ? rules->back_ns : options.back_ns;
        options.ahead_ns = rules->ahead_ns > options.ahead_ns ? rules->ahead_ns : options.ahead_ns;
    }
    return options;
}

static tl_err open_replay(tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    const tl_replay_options options = replay_options(axon);
    if (axon->redis != NULL) {
        tl_sb sb;
        tl_str prefix;
        tl_sb_init(&sb, axon->arena);
        tl_sb_put(&sb, REPLAY_PREFIX);
        tl_sb_put_cstr(&sb, axon->ss58);
        TL_TRY(tl_sb_finish(&prefix, &sb, ctx));
        TL_TRY(tl_replay_open_redis(&axon->replay, axon->redis, prefix, &options, ctx));
    } else if (s->dir != NULL) {
        TL_TRY(tl_replay_open(&axon->replay, s->dir, &options, tl__now_ns(axon), ctx));
    } else {
        TL_TRY(tl_replay_open_memory(&axon->replay, &options, ctx));
    }
    axon->memory = tl_replay_memory(axon->replay);
    return TL_OK;
}

static tl_err answer_ping(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    (void)call;
    (void)ctx;
    return TL_OK; /* the model goes back as it came */
}

static tl_err make(tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    axon->hotkey = *tl_keypair_public(s->key);
    (void)tl_ss58_encode(axon->ss58, &axon->hotkey, TL_SS58_PREFIX_GENERIC);
    TL_TRY(make_uuid(axon, ctx));
    TL_TRY(read_lists(axon, ctx));
    TL_TRY(tl__observe_init(axon, ctx));
    TL_TRY(open_redis(axon, ctx));
    TL_TRY(open_limits(axon, ctx));
    if (s->tls_cert != NULL) {
        TL_TRY(tl_tls_server_new(&axon->tls, s->tls_cert, s->tls_key, ctx));
    }
    TL_TRY(tl__queue_init(&axon->queue, axon, ctx));
    axon->has_queue = true;
    const tl_axon_route ping = {
        .synapse = tl_synapse_base(), .forward = answer_ping, .runs = TL_AXON_INLINE};
    return tl_axon_attach(axon, &ping, ctx);
}

tl_err tl_axon_new(tl_axon **out, const tl_axon_settings *settings, tl_errctx *ctx)
{
    TL_TRY(check_settings(settings, ctx));
    tl_axon *axon = calloc(1, sizeof *axon);
    if (axon == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for an axon");
    }
    axon->settings = *settings;
    fill_defaults(&axon->settings);
    tl_err err = tl_arena_new(&axon->arena, NULL, ARENA_LEN, NULL, ctx);
    err = err == TL_OK ? make(axon, ctx) : err;
    if (err != TL_OK) {
        tl_axon_free(axon);
        return err;
    }
    *out = axon;
    return TL_OK;
}

/* --- lanes --- */

static tl_err on_loop_start(void *self, tl_http_loop *loop, tl_errctx *ctx)
{
    tl_axon *axon = self;
    tl__lane *lane = &axon->lanes[tl_http_loop_index(loop)];
    *lane = (tl__lane){.axon = axon, .loop = loop, .index = tl_http_loop_index(loop)};
    TL_TRY(tl_arena_new(&lane->arena, NULL, LANE_LEN, NULL, ctx));
    TL_TRY(tl_srkeys_new(&lane->keys, lane->arena, TL__AXON_SEEN_KEYS, ctx));
    TL_TRY(tl_entropy_fill(&axon->settings.entropy, &lane->id_salt, sizeof lane->id_salt, ctx));
    tl_http_loop_set_user(loop, lane);
    return TL_OK;
}

static void on_loop_end(void *self, tl_http_loop *loop)
{
    (void)self;
    tl__lane *lane = tl_http_loop_user(loop);
    tl__lane_end_timers(lane);
    tl__observe_flush(lane);
    if (lane->has_log_timer) {
        uv_close((uv_handle_t *)&lane->log_timer, NULL);
    }
}

/* Behind the server: what was posted late has run, so nothing of a lane is used any more. */
static void free_lanes(tl_axon *axon)
{
    for (size_t i = 0; axon->lanes != NULL && i < axon->settings.loops; i++) {
        tl__lane *lane = &axon->lanes[i];
        tl__call_free_all(lane);
        free(lane->pending);
        free(lane->log);
        tl_arena_free(lane->arena);
    }
    free(axon->lanes);
    axon->lanes = NULL;
}

static bool is_exempt(void *self, const tl_net_addr *peer)
{
    const tl_axon *axon = self;
    return tl_limit_lists_exempts(axon->lists, peer, axon->settings.limits_loopback);
}

static tl_err start_server(tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    const tl_http_settings http = {
        .listen_ip = tl_str_from_cstr(s->host),
        .listen_port = s->port,
        .loop_count = s->loops,
        .body_len_max = s->body_len_max,
        .tls = axon->tls,
        .drain_ms = TL__AXON_DRAIN_MS,
    };
    const tl_http_app app = {
        .self = axon,
        .is_exempt = is_exempt,
        .on_loop_start = on_loop_start,
        .on_loop_end = on_loop_end,
        .on_head = tl__gates_on_head,
        .on_body = tl__gates_on_body,
        .on_request = tl__gates_on_request,
        .on_turn = tl__verify_turn,
        .on_room = tl__call_room,
        .on_gone = tl__gates_on_gone,
    };
    tl_http_server *server;
    TL_TRY(tl_http_server_start(&server, &http, &app, ctx));
    atomic_store(&axon->server, server); /* its loops ask for it already */
    return TL_OK;
}

tl_err tl_axon_start(tl_axon *axon, tl_errctx *ctx)
{
    TL_ASSERT(!axon->is_started);
    TL_TRY(open_replay(axon, ctx));
    TL_TRY(tl__routes_finish(axon, ctx));
    axon->lanes = calloc(axon->settings.loops, sizeof *axon->lanes);
    if (axon->lanes == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for %u loops", axon->settings.loops);
    }
    TL_TRY(tl__queue_start(&axon->queue, axon->settings.workers, ctx));
    TL_TRY(start_server(axon, ctx));
    axon->is_started = true;
    return TL_OK;
}

uint16_t tl_axon_port(const tl_axon *axon)
{
    return axon->server != NULL ? tl_http_server_port(axon->server) : axon->settings.port;
}

const char *tl_axon_ss58(const tl_axon *axon)
{
    return axon->ss58;
}

/* --- the end --- */

void tl_axon_drain(tl_axon *axon)
{
    atomic_store(&axon->is_draining, true);
    if (axon->server != NULL) {
        tl_http_server_stop(axon->server);
    }
}

void tl_axon_stop(tl_axon *axon)
{
    if (axon == NULL || axon->is_stopped) {
        return;
    }
    axon->is_stopped = true;
    tl_axon_drain(axon);
    if (axon->has_queue) {
        tl__queue_stop(&axon->queue);
    }
}

void tl_axon_free(tl_axon *axon)
{
    if (axon == NULL) {
        return;
    }
    tl_axon_stop(axon);
    tl_http_server_free(axon->server);
    free_lanes(axon);
    if (tl_replay_close(axon->replay, NULL) != TL_OK) {
        tl_log_say(axon->settings.log, TL_LOG_ERROR, "the replay store could not be closed", NULL,
                   0);
    }
    if (axon->has_queue) {
        tl__queue_deinit(&axon->queue);
    }
    tl_limit_free(axon->strangers);
    tl_limit_free(axon->hotkeys);
    tl_redis_close(axon->redis);
    tl_tls_free(axon->tls);
    tl__observe_deinit(axon);
    tl_arena_free(axon->arena);
    free(axon);
}
