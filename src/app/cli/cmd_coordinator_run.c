/* tally coordinator run: the service of a subnet. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "app/cli/listen.h"
#include "app/cli/stakes.h"
#include "app/cli/stores.h"
#include "app/coordinator/coordinator.h"
#include "app/data/data.h"

enum {
    WAIT_MS = 100,
    STAKES_TURNS = 5,
    EPOCH_WAIT_TURNS = 150, /* for a leader elsewhere to open an epoch */
    LISTS_MAX = 256
};

static const char *const subnets[] = {"listings", NULL};
static const char *const profiles[] = {"tally", "compat", NULL};

typedef struct service {
    tl_coordinator *coordinator;
    tl_keypair *key;
    tl_app_stakes *stakes;
    tl_sys_lock lock;
    bool is_locked;
    tl_log log;
    tl_places places;
    tl_coordinator_settings settings;
} service;

/* --- who is registered --- */

static bool find_peer(void *self, tl_api_member *out, const tl_hotkey *hotkey)
{
    const service *s = self;
    tl_app_stake row;
    if (!tl_app_stakes_find(s->stakes, &row, hotkey)) {
        return false;
    }
    *out = (tl_api_member){.uid = row.uid,
                           .coldkey = row.coldkey,
                           .stake_rao = row.stake_rao,
                           .has_permit = row.has_permit};
    return true;
}

static size_t list_peers(void *self, tl_keeper_peer *out, size_t cap)
{
    const service *s = self;
    const size_t count = tl_app_stakes_list(s->stakes, NULL, 0);
    if (cap == 0 || count == 0) {
        return count;
    }
    tl_app_stake *rows = calloc(cap, sizeof *rows);
    if (rows == NULL) {
        return 0; /* nobody counts: no verdict is made of a part of them */
    }
    const size_t now_count = tl_app_stakes_list(s->stakes, rows, cap);
    for (size_t i = 0; i < now_count && i < cap; i++) {
        out[i].hotkey = rows[i].hotkey;
        out[i].member = (tl_api_member){.uid = rows[i].uid,
                                        .coldkey = rows[i].coldkey,
                                        .stake_rao = rows[i].stake_rao,
                                        .has_permit = rows[i].has_permit};
    }
    free(rows);
    return now_count;
}

/* --- options --- */

static tl_err gather(const char *const **out, size_t *count, tl_app *app, const tl_cmd_call *call,
                     const char *name, tl_errctx *ctx)
{
    const size_t given = tl_cmd_count(call, name);
    if (given > LISTS_MAX) {
        return tl_fail_field(ctx, TL_ERR_USAGE, name, "given %zu times, above %d", given,
                             LISTS_MAX);
    }
    const char **texts = TL_NEW(app->arena, const char *, given);
    if (texts == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    for (size_t i = 0; i < given; i++) {
        texts[i] = tl_cmd_text_at(call, name, i);
    }
    *out = texts;
    *count = given;
    return TL_OK;
}

static tl_err read_numbers(service *s, const tl_cmd_call *call, tl_errctx *ctx)
{
    const uint64_t seconds = tl_cmd_u64(call, "epoch-seconds");
    const uint64_t stake = tl_cmd_u64(call, "validator-stake");
    const double factor = tl_cmd_f64(call, "limits");
    if (seconds > TL_DAY_SECONDS || !tl_slot_seconds_are_valid((uint32_t)seconds)) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "epoch-seconds", "%llu does not divide 86,400",
                             (unsigned long long)seconds);
    }
    if (stake > INT64_MAX) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "validator-stake", "more than there can be");
    }
    if (!(factor >= 0.0 && factor <= 1e6)) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "limits", "a factor of 0 to 1,000,000 is wanted");
    }
    s->settings.epoch_seconds = (uint32_t)seconds;
    s->settings.validator_stake_rao = (int64_t)stake;
    s->settings.limits_factor = factor;
    s->settings.is_unlimited = !(factor > 0.0);
    s->settings.workers = (unsigned)tl_cmd_u64(call, "workers");
    s->settings.loops = (unsigned)tl_cmd_u64(call, "loops");
    return TL_OK;
}

static tl_err read_server(service *s, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app_listen listen;
    TL_TRY(tl_app_listen_parse(&listen, app, tl_cmd_text(call, "listen"), "127.0.0.1", ctx));
    s->settings.host = listen.host;
    s->settings.port = listen.port;
    s->settings.tls_cert = tl_cmd_text(call, "tls-cert");
    s->settings.tls_key = tl_cmd_text(call, "tls-key");
    if ((s->settings.tls_cert == NULL) != (s->settings.tls_key == NULL)) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "tls-cert", "--tls-cert and --tls-key go together");
    }
    s->settings.limits_loopback = tl_cmd_flag(call, "limit-loopback");
    TL_TRY(gather(&s->settings.trusted_proxies, &s->settings.trusted_proxy_count, app, call,
                  "trust-proxy", ctx));
    return gather(&s->settings.cors, &s->settings.cors_count, app, call, "cors", ctx);
}

static tl_err read_stores(service *s, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app_stores stores;
    TL_TRY(tl_app_stores_read(app, call, &stores, ctx));
    s->settings.dir = stores.dir;
    s->settings.sql = stores.sql;
    s->settings.objects = stores.objects;
    s->settings.redis_url = stores.redis_url;
    s->settings.redis_password = stores.redis_password;
    TL_TRY(tl_sys_lock_open(&s->lock, stores.dir, ctx));
    s->is_locked = true;
    return TL_OK;
}

static tl_err read_settings(service *s, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    const char *metagraph = tl_cmd_text(call, "metagraph");
    TL_TRY(read_numbers(s, call, ctx));
    TL_TRY(read_server(s, app, call, ctx));
    if (metagraph == NULL) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "metagraph",
                             "--metagraph FILE says who is registered");
    }
    TL_TRY(tl_app_stakes_open(&s->stakes, metagraph, ctx));
    TL_TRY(tl_data_zipcodes(&s->places, app->arena, tl_cmd_text(call, "zipcodes"), ctx));
    TL_TRY(tl_app_keypair(app, call, &s->key, ctx));
    s->settings.subnet = tl_cmd_text(call, "subnet");
    s->settings.is_compat = strcmp(tl_cmd_text(call, "profile"), "compat") == 0;
    s->settings.places = &s->places;
    s->settings.key = s->key;
    s->settings.peers_self = s;
    s->settings.find = find_peer;
    s->settings.peers = list_peers;
    s->log = app->log;
    s->settings.log = &s->log;
    return read_stores(s, app, call, ctx);
}

/* --- serving --- */

static tl_err print_ready(service *s, tl_app *app, tl_errctx *ctx)
{
    char epoch_id[TL_SLOT_ID_CAP] = "";
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    tl_sb sb;
    tl_json_writer w;
    for (int turn = 0; turn < EPOCH_WAIT_TURNS && !tl_sys_is_interrupted() &&
                       !tl_coordinator_epoch_id(s->coordinator, epoch_id);
         turn++) {
        (void)nanosleep(&pause, NULL);
    }
    tl_sb_init(&sb, app->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ready");
    tl_json_put_bool(&w, true);
    tl_json_put_key(&w, "url");
    tl_json_put_cstr(&w, tl_coordinator_url(s->coordinator));
    tl_json_put_key(&w, "hotkey");
    tl_json_put_cstr(&w, tl_coordinator_ss58(s->coordinator));
    tl_json_put_key(&w, "subnet");
    tl_json_put_cstr(&w, s->settings.subnet);
    tl_json_put_key(&w, "profile");
    tl_json_put_cstr(&w, s->settings.is_compat ? "compat" : "tally");
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_cstr(&w, epoch_id[0] != 0 ? epoch_id : NULL);
    tl_json_put_key(&w, "pid");
    tl_json_put_i64(&w, getpid());
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

/* A file that is broken now leaves the metagraph as it was: said once, and served on. */
static void look_at_stakes(service *s, tl_app *app)
{
    tl_errctx why = TL_ERRCTX_INIT;
    bool was_read;
    if (tl_app_stakes_refresh(s->stakes, &was_read, &why) != TL_OK && was_read) {
        tl_app_say(app, "the metagraph stays as it was: %s", why.message);
    }
}

/* Deleting what is old may fail and be done again in an hour: it stops nothing. */
static void tend(service *s, tl_app *app)
{
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_coordinator_tend(s->coordinator, &why) != TL_OK) {
        tl_app_say(app, "old objects stay for another hour: %s", why.message);
    }
}

static tl_err serve(service *s, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    TL_TRY(read_settings(s, app, call, ctx));
    TL_TRY(tl_coordinator_new(&s->coordinator, &s->settings, ctx));
    TL_TRY(tl_coordinator_start(s->coordinator, ctx));
    TL_TRY(print_ready(s, app, ctx));
    for (unsigned turn = 1; !tl_sys_is_interrupted(); turn++) {
        const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
        if (turn % STAKES_TURNS == 0) {
            look_at_stakes(s, app);
            tend(s, app);
        }
    }
    tl_app_say(app, "draining");
    return TL_OK;
}

static tl_err run_coordinator(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    service s = {.is_locked = false};
    const tl_err err = serve(&s, app, call, ctx);
    tl_coordinator_free(s.coordinator);
    if (s.is_locked) {
        tl_sys_lock_close(&s.lock);
    }
    tl_app_stakes_close(s.stakes);
    tl_keypair_free(s.key);
    return err;
}

static const tl_cmd_option options[] = {
    {.name = "subnet",
     .type = TL_CMD_CHOICE,
     .metavar = "NAME",
     .choices = subnets,
     .fallback = "listings",
     .help = "the subnet that is served"},
    {.name = "listen",
     .type = TL_CMD_TEXT,
     .metavar = "HOST:PORT",
     .fallback = "127.0.0.1:8080",
     .help = "where to listen; port 0 takes a free one"},
    {.name = "metagraph",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "who is registered, JSON: [{\"uid\", \"hotkey\", \"coldkey\", \"stake_rao\", "
             "\"validator_permit\"}]; read again when it changes"},
    {.name = "validator-stake",
     .type = TL_CMD_U64,
     .metavar = "RAO",
     .fallback = "0",
     .help = "a validator has a permit and at least this stake"},
    {.name = "profile",
     .type = TL_CMD_CHOICE,
     .metavar = "NAME",
     .choices = profiles,
     .fallback = "tally",
     .help = "tally, or compat: as the original, its signed strings and errors included"},
    {.name = "epoch-seconds",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "14400",
     .help = "length of an epoch, a divisor of 86,400; slots count from midnight UTC"},
    {.name = "zipcodes",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "the table of zipcodes, CSV or gzip of it (default the one that ships)"},
    {.name = "limits",
     .type = TL_CMD_F64,
     .metavar = "FACTOR",
     .fallback = "1",
     .help = "multiplies the limits by hotkey; 0: none"},
    {.name = "limit-loopback",
     .type = TL_CMD_FLAG,
     .help = "limits by address hold on loopback too"},
    {.name = "trust-proxy",
     .type = TL_CMD_TEXT,
     .metavar = "CIDR",
     .is_repeatable = true,
     .help = "believe the addresses that a proxy from there tells"},
    {.name = "cors",
     .type = TL_CMD_TEXT,
     .metavar = "ORIGIN",
     .is_repeatable = true,
     .help = "let pages of this origin call; * lets all"},
    {.name = "tls-cert", .type = TL_CMD_FILE, .metavar = "F", .help = "serve TLS with this chain"},
    {.name = "tls-key", .type = TL_CMD_FILE, .metavar = "F", .help = "and this key, both PEM"},
    {.name = "loops",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "1",
     .help = "threads that serve connections"},
    {.name = "workers",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "8",
     .help = "threads that answer requests, each with a handle of the database"},
    TL_APP_STORE_OPTIONS,
    TL_APP_KEY_OPTIONS,
};

static const char *const examples[] = {
    "tally coordinator run --subnet listings --listen 127.0.0.1:8080 --uri //Coord --metagraph "
    "metagraph.json",
    NULL};

const tl_cmd tl_cli_coordinator_run = {
    .name = "coordinator run",
    .summary = "serve a subnet: epochs, assignments, submissions, votes, results",
    .text = "The first line on standard output is JSON and says where it serves. The epoch of the "
            "slot in which it starts is opened at once. Of several coordinators on one database "
            "one leads. SIGTERM lets what runs finish, at most 10 seconds, and ends with 0; "
            "killed and started again on the same state folder it goes on.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_coordinator,
};
