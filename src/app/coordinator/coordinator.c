/* The service as a whole: stores, keeper, intake and API, opened in this order and closed in the other. */
#include "app/coordinator/coordinator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/coordinator/coordinator_internal.h"
#include "core/codec/hex/hex.h"
#include "core/listings/race/race.h"
#include "io/sys/sys.h"
#include "tally/version.h"

enum { SS58_PREFIX = 42, MS_NS = 1000000, NETUID = 46, HOLDER_BYTES = 12, HOLDER_LEN_MAX = 256 };

#define HOLDER_FILE    "coordinator.id"
#define SIGN_FILE      "objects.key"
#define OBJECTS_FOLDER "objects"

/* --- what handlers ask first --- */

tl_coordinator *tl__coordinator_of(const tl_api_call *call)
{
    return tl_api_call_self(call);
}

tl_records *tl__coordinator_records_of(const tl_api_call *call)
{
    return ((tl__coordinator_worker *)tl_api_call_worker(call))->records;
}

int64_t tl__coordinator_now_ms(const tl_coordinator *c)
{
    return tl_clock_wall_ns(&c->s.clock) / MS_NS;
}

int64_t tl__coordinator_received_ms(tl_coordinator *c, const tl_api_call *call)
{
    const int64_t at_ms = tl__coordinator_now_ms(c) - tl_api_call_age_ms(call);
    int64_t newest_ms = atomic_load(&c->received_ms);
    while (at_ms > newest_ms && !atomic_compare_exchange_weak(&c->received_ms, &newest_ms, at_ms)) {
    }
    /* A clock that was set back gives nobody a better place: the newest moment stands until it is reached again. A head
     * that came a little before another's but was looked at after it keeps its own moment. */
    return newest_ms - at_ms > c->s.epoch_seconds * INT64_C(1000) / 20 ? newest_ms : at_ms;
}

bool tl__coordinator_want_epoch(tl_api_call *call, tl_record_epoch *out, tl_err *err,
                                tl_errctx *ctx)
{
    int64_t start_ms;
    const tl_str id = tl_api_param_str(call, "epochId");
    if (tl_slot_parse(&start_ms, id, ctx) != TL_OK) {
        tl_errctx_reset(ctx);
        *err = tl_api_fail(call, TL_API_NOT_FOUND, "epochId", "There is no such epoch");
        return false;
    }
    *err = tl_records_get_epoch(tl__coordinator_records_of(call), out, id, tl_api_call_arena(call),
                                ctx);
    if (*err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        *err = tl_api_fail(call, TL_API_NOT_FOUND, "epochId", "There is no such epoch");
        return false;
    }
    return *err == TL_OK;
}

tl_err tl__coordinator_get_value(tl_api_call *call, tl_bytes *out, const char *what,
                                 tl_str epoch_id, tl_errctx *ctx)
{
    char name[TL_KEEPER_NAME_CAP];
    *out = (tl_bytes){NULL, 0};
    tl_keeper_value_name(name, what, epoch_id);
    const tl_err err = tl_records_get_value(tl__coordinator_records_of(call), out,
                                            tl_str_from_cstr(name), tl_api_call_arena(call), ctx);
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    return err;
}

tl_err tl__coordinator_stake_now(tl_api_call *call, tl_rao *out, tl_str epoch_id, tl_errctx *ctx)
{
    const tl_api_caller *caller = tl_api_call_caller(call);
    tl_bytes text;
    const tl_json *carry = NULL;
    TL_TRY(tl__coordinator_get_value(call, &text, "carry", epoch_id, ctx));
    if (text.len > 0) {
        TL_TRY(tl_json_parse(&carry, tl_api_call_arena(call),
                             (tl_str){(const char *)text.ptr, text.len}, NULL, ctx));
    }
    *out = tl_race_stake_counted(tl_rao_from_i64(caller->member.stake_rao),
                                 tl_keeper_streak(carry, &caller->hotkey));
    return TL_OK;
}

bool tl__coordinator_coldkey_is_own(tl_api_call *call)
{
    const tl_api_caller *caller = tl_api_call_caller(call);
    const tl_json *body = tl_api_call_json(call);
    const tl_json *named = body != NULL ? tl_json_get(body, "coldkey") : NULL;
    tl_hotkey coldkey;
    if (named == NULL || (tl_ss58_decode(&coldkey, named->text, NULL) == TL_OK &&
                          tl_hotkey_cmp(&coldkey, &caller->member.coldkey) == 0)) {
        return true;
    }
    (void)tl_api_fail(call, TL_API_NOT_PERMITTED, "/coldkey",
                      "It is not the one that the hotkey is registered under");
    return false;
}

static void free_arena(void *arena)
{
    tl_arena_free(arena);
}

tl_err tl__coordinator_wide_arena(tl_api_call *call, tl_arena **out, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    const tl_err err = tl_arena_defer(tl_api_call_arena(call), free_arena, arena, ctx);
    if (err != TL_OK) {
        tl_arena_free(arena);
        return err;
    }
    *out = arena;
    return TL_OK;
}

/* A name and a port, nothing that could end the text or begin a path. */
static bool is_host(tl_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        const char c = host.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == ':' || c == '[' || c == ']' || c == '_')) {
            return false;
        }
    }
    return host.len > 0 && host.len <= 255;
}

tl_err tl__coordinator_base_url(tl_api_call *call, tl_str *out, tl_errctx *ctx)
{
    const tl_coordinator *c = tl__coordinator_of(call);
    const tl_http_headers headers = tl_api_call_headers(call);
    const tl_http_header *host = tl_http_find(headers, TL_STR("Host"));
    const tl_http_header *proto = tl_http_find(headers, TL_STR("X-Forwarded-Proto"));
    const bool is_tls = c->s.tls_cert != NULL || (proto != NULL && c->s.trusted_proxy_count > 0 &&
                                                  tl_str_eq_cstr(proto->value, "https"));
    tl_sb sb;
    if (host == NULL || !is_host(host->value)) {
        *out = tl_str_from_cstr(c->url);
        return TL_OK;
    }
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_sb_put_cstr(&sb, is_tls ? "https://" : "http://");
    tl_sb_put(&sb, host->value);
    return tl_sb_finish(out, &sb, ctx);
}

/* --- hooks --- */

static tl_err worker_start(void *self, void **worker, tl_errctx *ctx)
{
    tl_coordinator *c = self;
    tl__coordinator_worker *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a worker");
    }
    const tl_err err = tl_records_open(&w->records, &c->s.sql, TL_RECORDS_STRICT, ctx);
    if (err != TL_OK) {
        free(w);
        return err;
    }
    *worker = w;
    return TL_OK;
}

static void worker_end(void *self, void *worker)
{
    tl__coordinator_worker *w = worker;
    (void)self;
    tl_records_close(w->records);
    free(w);
}

static bool find_member(void *self, tl_api_member *out, const tl_hotkey *hotkey)
{
    const tl_coordinator *c = self;
    return c->s.find(c->s.peers_self, out, hotkey);
}

static size_t list_peers(void *self, tl_keeper_peer *out, size_t cap)
{
    const tl_coordinator *c = self;
    return c->s.peers(c->s.peers_self, out, cap);
}

static tl_err check_token(void *self, void *worker, tl_api_caller *out, tl_str token,
                          tl_errctx *ctx)
{
    const tl_coordinator *c = self;
    (void)worker;
    return tl_access_check_token(c->access, out, token, ctx);
}

static tl_err check_key(void *self, void *worker, tl_api_caller *out, tl_str key, tl_errctx *ctx)
{
    const tl_coordinator *c = self;
    const tl__coordinator_worker *w = worker;
    return tl_access_check_key(c->access, w->records, out, key, ctx);
}

static bool is_ready(void *self, void *worker, tl_sb *why)
{
    tl_coordinator *c = self;
    const tl__coordinator_worker *w = worker;
    tl_errctx ctx = TL_ERRCTX_INIT;
    char id[TL_SLOT_ID_CAP];
    if (tl_sql_ping(tl_records_sql(w->records), &ctx) != TL_OK) {
        tl_sb_put_cstr(why, "the database does not answer");
        return false;
    }
    if (tl_objects_probe(c->objects, &ctx) != TL_OK) {
        tl_sb_put_cstr(why, "the object store does not answer");
        return false;
    }
    if (!tl_coordinator_epoch_id(c, id)) {
        tl_sb_put_cstr(why, "no epoch is open");
        return false;
    }
    return true;
}

static void on_move(void *self, const tl_record_epoch *epoch, tl_str cause)
{
    tl_coordinator *c = self;
    if (c->moves != NULL) {
        const tl_str state = tl_str_from_cstr(tl_epoch_state_text(epoch->state));
        tl_series_add(tl_metric_series(c->moves, &state), 1);
        if (epoch->results_closed_ms > 0 &&
            (epoch->state == TL_EPOCH_AGREED || epoch->state == TL_EPOCH_EXTENDED ||
             (epoch->state == TL_EPOCH_FAILED))) {
            tl_series_add(tl_metric_series(c->verdicts, &cause), 1);
        }
    }
}

/* --- metrics --- */

static void collect(void *self)
{
    tl_coordinator *c = self;
    const tl_keeper_roster *roster = tl_keeper_roster_get(c->keeper);
    tl_series_set(c->live, (int64_t)roster->count);
    tl_series_set(c->leads, roster->is_leader);
    tl_series_set(c->waiting, (int64_t)tl_intake_waiting(c->intake));
    tl_keeper_roster_drop(c->keeper, roster);
}

static tl_err make_metrics(tl_coordinator *c, tl_errctx *ctx)
{
    static const char *const state[] = {"state"};
    static const char *const status[] = {"status"};
    tl_metric *family;
    TL_TRY(tl_metrics_new(&c->metrics, ctx));
    TL_TRY(tl_metrics_counter(&family, c->metrics,
                              &(tl_metric_spec){.name = "tally_coordinator_submissions_total",
                                                .help = "Submissions acknowledged."},
                              ctx));
    c->submissions = tl_metric_series(family, NULL);
    TL_TRY(tl_metrics_counter(&c->moves, c->metrics,
                              &(tl_metric_spec){.name = "tally_coordinator_epochs_total",
                                                .help = "Epochs by the state they came into.",
                                                .labels = state,
                                                .label_count = 1},
                              ctx));
    TL_TRY(tl_metrics_counter(&c->verdicts, c->metrics,
                              &(tl_metric_spec){.name = "tally_coordinator_verdicts_total",
                                                .help = "Verdicts on the validators' agreement.",
                                                .labels = status,
                                                .label_count = 1},
                              ctx));
    TL_TRY(tl_metrics_gauge(&family, c->metrics,
                            &(tl_metric_spec){.name = "tally_coordinator_epochs_live",
                                              .help = "Epochs neither settled nor failed."},
                            ctx));
    c->live = tl_metric_series(family, NULL);
    TL_TRY(tl_metrics_gauge(&family, c->metrics,
                            &(tl_metric_spec){.name = "tally_coordinator_reports_waiting",
                                              .help = "Reports that wait for a commit."},
                            ctx));
    c->waiting = tl_metric_series(family, NULL);
    TL_TRY(tl_metrics_gauge(&family, c->metrics,
                            &(tl_metric_spec){.name = "tally_coordinator_is_leader",
                                              .help = "Whether this coordinator leads: 1, or 0."},
                            ctx));
    c->leads = tl_metric_series(family, NULL);
    return TL_OK;
}

/* --- opening --- */

/* A name of its own that outlives a restart: who is killed and started again has its lease at once. */
static tl_err read_holder(tl_coordinator *c, tl_errctx *ctx)
{
    const char *path;
    tl_str text;
    uint8_t bytes[HOLDER_BYTES];
    TL_TRY(tl_sys_join(&path, c->arena, c->s.dir, HOLDER_FILE, ctx));
    const tl_err err = tl_sys_read_file(&text, c->arena, path, HOLDER_LEN_MAX, ctx);
    if (err == TL_OK && tl_str_trim(text).len == 2 * HOLDER_BYTES) {
        text = tl_str_trim(text);
        (void)tl_str_print(c->holder, sizeof c->holder, "%.*s", TL_STR_ARG(text));
        return TL_OK;
    }
    if (err != TL_OK && err != TL_ERR_NOT_FOUND) {
        return err;
    }
    tl_errctx_reset(ctx);
    TL_TRY(tl_entropy_fill(&c->s.entropy, bytes, sizeof bytes, ctx));
    tl_hex_write(c->holder, bytes, sizeof bytes);
    return tl_sys_write_file(path, tl_str_bytes(tl_str_from_cstr(c->holder)), TL_SYS_FILE_MODE,
                             ctx);
}

static tl_err open_objects(tl_coordinator *c, tl_errctx *ctx)
{
    tl_objects_options options = c->s.objects;
    options.clock = options.clock.wall_ns != NULL ? options.clock : c->s.clock;
    options.entropy = options.entropy.fill != NULL ? options.entropy : c->s.entropy;
    if (options.s3_url == NULL) {
        if (options.dir == NULL) {
            TL_TRY(tl_sys_join(&options.dir, c->arena, c->s.dir, OBJECTS_FOLDER, ctx));
        }
        if (options.sign_file == NULL) {
            TL_TRY(tl_sys_join(&options.sign_file, c->arena, c->s.dir, SIGN_FILE, ctx));
        }
    }
    return tl_objects_open(&c->objects, &options, ctx);
}

static tl_err open_redis(tl_coordinator *c, tl_errctx *ctx)
{
    if (c->s.redis_url == NULL) {
        return TL_OK;
    }
    const tl_redis_options options = {.url = tl_str_from_cstr(c->s.redis_url),
                                      .password = tl_str_from_cstr(c->s.redis_password)};
    return tl_redis_open(&c->redis, &options, ctx);
}

/* The signing key of tokens: its place follows from the database. */
static tl_err open_access(tl_coordinator *c, tl_errctx *ctx)
{
    tl_records *records = NULL;
    TL_TRY(tl_records_open(&records, &c->s.sql, TL_RECORDS_USE, ctx));
    const tl_access_options options = {
        .dir = c->s.dir, .records = records, .clock = c->s.clock, .entropy = c->s.entropy};
    const tl_err err = tl_access_open(&c->access, &options, ctx);
    tl_records_close(records);
    return err;
}

static tl_err open_keeper(tl_coordinator *c, tl_errctx *ctx)
{
    const tl_keeper_settings settings = {.sql = c->s.sql,
                                         .holder = c->holder,
                                         .is_compat = c->s.is_compat,
                                         .has_workers = c->s.sql.url != NULL,
                                         .epoch_seconds = c->s.epoch_seconds,
                                         .validator_stake_rao = c->s.validator_stake_rao,
                                         .places = c->s.places,
                                         .bounds = c->s.bounds,
                                         .clock = c->s.clock,
                                         .entropy = c->s.entropy,
                                         .log = c->s.log,
                                         .self = c,
                                         .peers = list_peers,
                                         .page = tl__coordinator_assignments_page,
                                         .on_move = on_move};
    return tl_keeper_new(&c->keeper, &settings, ctx);
}

static tl_err open_api(tl_coordinator *c, tl_errctx *ctx)
{
    const tl_api_settings settings = {.title = "Tally coordinator",
                                      .version = TALLY_VERSION,
                                      .host = c->s.host,
                                      .port = c->s.port,
                                      .loops = c->s.loops,
                                      .workers = c->s.workers,
                                      .tls_cert = c->s.tls_cert,
                                      .tls_key = c->s.tls_key,
                                      .routes = tl__coordinator_routes,
                                      .route_count = tl__coordinator_route_count,
                                      .schemas = tl__coordinator_schemas,
                                      .schema_count = tl__coordinator_schema_count,
                                      .self = c,
                                      .worker_start = worker_start,
                                      .worker_end = worker_end,
                                      .self_ss58 = tl_str_from_cstr(c->ss58),
                                      .is_compat = c->s.is_compat,
                                      .member = find_member,
                                      .validator_stake_rao = c->s.validator_stake_rao,
                                      .token = check_token,
                                      .key = check_key,
                                      .is_ready = is_ready,
                                      .limits_factor = c->s.limits_factor,
                                      .is_unlimited = c->s.is_unlimited,
                                      .limits_loopback = c->s.limits_loopback,
                                      .trusted_proxies = c->s.trusted_proxies,
                                      .trusted_proxy_count = c->s.trusted_proxy_count,
                                      .cors = c->s.cors,
                                      .cors_count = c->s.cors_count,
                                      .dir = c->s.dir,
                                      .redis = c->redis,
                                      .metrics = c->metrics,
                                      .log = c->s.log,
                                      .clock = c->s.clock,
                                      .entropy = c->s.entropy,
                                      .checks_answers = c->s.checks_answers};
    return tl_api_new(&c->api, &settings, ctx);
}

static tl_err open_all(tl_coordinator *c, tl_errctx *ctx)
{
    TL_TRY(tl_arena_new(&c->arena, NULL, 0, NULL, ctx));
    (void)tl_ss58_encode(c->ss58, tl_keypair_public(c->s.key), SS58_PREFIX);
    TL_TRY(read_holder(c, ctx));
    TL_TRY(tl__coordinator_make_delegate(c->s.key, c->arena, c->s.dir, &c->s.entropy, ctx));
    if (c->s.sql.path == NULL && c->s.sql.url == NULL) {
        TL_TRY(tl_sys_join(&c->s.sql.path, c->arena, c->s.dir, TL_RECORDS_FILE, ctx));
    }
    TL_TRY(make_metrics(c, ctx));
    TL_TRY(open_objects(c, ctx));
    TL_TRY(open_redis(c, ctx));
    TL_TRY(open_access(c, ctx));
    TL_TRY(open_keeper(c, ctx));
    TL_TRY(tl_intake_new(&c->intake, &c->s.sql, c->objects, ctx));
    tl_metrics_on_collect(c->metrics, collect, c);
    return open_api(c, ctx);
}

static void fill_defaults(tl_coordinator_settings *s)
{
    s->subnet = s->subnet != NULL ? s->subnet : "listings";
    s->netuid = s->netuid > 0 ? s->netuid : NETUID;
    s->epoch_seconds = s->epoch_seconds > 0 ? s->epoch_seconds : TL_SLOT_SECONDS;
    s->host = s->host != NULL ? s->host : "127.0.0.1";
    s->clock = s->clock.wall_ns != NULL ? s->clock : tl_sys_clock();
    s->entropy = s->entropy.fill != NULL ? s->entropy : tl_sys_entropy();
}

tl_err tl_coordinator_new(tl_coordinator **out, const tl_coordinator_settings *settings,
                          tl_errctx *ctx)
{
    tl_coordinator *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a coordinator");
    }
    c->s = *settings;
    fill_defaults(&c->s);
    if (!tl_slot_seconds_are_valid(c->s.epoch_seconds)) {
        free(c);
        return tl_fail_field(ctx, TL_ERR_RANGE, "epoch-seconds",
                             "%u does not divide the 86,400 of a day", settings->epoch_seconds);
    }
    const tl_err err = open_all(c, ctx);
    if (err != TL_OK) {
        tl_coordinator_free(c);
        return err;
    }
    *out = c;
    return TL_OK;
}

/* --- serving --- */

tl_err tl_coordinator_start(tl_coordinator *c, tl_errctx *ctx)
{
    const bool is_v6 = strchr(c->s.host, ':') != NULL && c->s.host[0] != '[';
    if (!c->s.is_driven) {
        TL_TRY(tl_keeper_start(c->keeper, ctx));
    }
    TL_TRY(tl_api_start(c->api, ctx));
    (void)tl_str_print(c->url, sizeof c->url, "%s://%s%s%s:%u",
                       c->s.tls_cert != NULL ? "https" : "http", is_v6 ? "[" : "", c->s.host,
                       is_v6 ? "]" : "", (unsigned)tl_api_port(c->api));
    return TL_OK;
}

void tl_coordinator_stop(tl_coordinator *c)
{
    if (c->api != NULL) {
        tl_api_stop(c->api);
    }
    if (c->keeper != NULL) {
        tl_keeper_stop(c->keeper);
    }
}

void tl_coordinator_free(tl_coordinator *c)
{
    if (c == NULL) {
        return;
    }
    tl_coordinator_stop(c);
    tl_api_free(c->api);
    tl_intake_free(c->intake);
    tl_keeper_free(c->keeper);
    tl_access_close(c->access);
    tl_redis_close(c->redis);
    tl_objects_close(c->objects);
    tl_metrics_free(c->metrics);
    tl_arena_free(c->arena);
    free(c);
}

tl_err tl_coordinator_turn(tl_coordinator *c, tl_errctx *ctx)
{
    return tl_keeper_turn(c->keeper, NULL, ctx);
}

const char *tl_coordinator_url(const tl_coordinator *c)
{
    return c->url;
}

const char *tl_coordinator_ss58(const tl_coordinator *c)
{
    return c->ss58;
}

bool tl_coordinator_epoch_id(tl_coordinator *c, char out[TL_SLOT_ID_CAP])
{
    const tl_keeper_roster *roster = tl_keeper_roster_get(c->keeper);
    const tl_keeper_live *live = tl_keeper_current(roster, tl__coordinator_now_ms(c));
    if (live != NULL) {
        tl_slot_print(out, live->record.start_ms);
    }
    tl_keeper_roster_drop(c->keeper, roster);
    return live != NULL;
}

tl_str tl_coordinator_document(const tl_coordinator *c)
{
    return tl_api_document(c->api);
}
