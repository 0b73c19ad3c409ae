/* tally doctor: is everything that a miner, a validator or a coordinator needs there, and does it work? */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "app/cli/stores.h"
#include "app/peer/peer.h"
#include "base/vec/vec.h"
#include "tally/version.h"

#define SKEW_MS_MAX    2000
#define FREE_BYTES_MIN ((uint64_t)1 << 30)

static const char *const roles[] = {"miner", "validator", "coordinator", NULL};

/* One line of the report. */
typedef struct finding {
    const char *name;
    bool is_ok;
    const char *detail;
    const char *hint; /* NULL: none */
} finding;

typedef struct exam {
    tl_app *app;
    const tl_cmd_call *call;
    const char *role; /* NULL: none was named */
    const char *url;
    tl_vec findings;
    tl_keypair *key;
    tl_peer peer;
    bool has_peer;
    const char *dir;
} exam;

static tl_err note(exam *x, const char *name, bool is_ok, const char *hint, tl_errctx *ctx,
                   const char *format, ...) TL_PRINTF(6, 7);

static tl_err note(exam *x, const char *name, bool is_ok, const char *hint, tl_errctx *ctx,
                   const char *format, ...)
{
    char text[TL_ERR_MESSAGE_CAP];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    finding *f = (finding *)tl_vec_push(&x->findings);
    if (f == NULL) {
        return tl_arena_fail(x->app->arena, ctx);
    }
    *f = (finding){.name = name, .is_ok = is_ok, .hint = is_ok ? NULL : hint};
    return tl_str_copy_cstr(&f->detail, x->app->arena, tl_str_from_cstr(text), ctx);
}

/* --- this machine --- */

static tl_err check_disk(exam *x, tl_errctx *ctx)
{
    struct statvfs fs;
    if (statvfs(x->dir, &fs) != 0) {
        return note(x, "disk", false, "name a folder that can be written with --dir", ctx,
                    "cannot look at \"%s\"", x->dir);
    }
    const uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
    return note(x, "disk", left >= FREE_BYTES_MIN, "make room: uploads and bundles need it", ctx,
                "%llu MiB free below \"%s\"", (unsigned long long)(left >> 20), x->dir);
}

static tl_err check_permissions(exam *x, tl_errctx *ctx)
{
    struct stat st;
    const char *probe = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    TL_TRY(tl_sys_join(&probe, x->app->arena, x->dir, ".doctor", ctx));
    if (tl_sys_write_file(probe, tl_str_bytes(TL_STR("ok\n")), TL_SYS_FILE_MODE, &why) != TL_OK) {
        return note(x, "permissions", false, "the state folder must belong to whoever runs tally",
                    ctx, "%s", why.message);
    }
    (void)remove(probe);
    if (stat(x->dir, &st) == 0 && (st.st_mode & 022u) != 0) {
        return note(x, "permissions", false, "chmod go-w the state folder", ctx,
                    "others may write to \"%s\"", x->dir);
    }
    return note(x, "permissions", true, NULL, ctx, "\"%s\" can be written, by its owner alone",
                x->dir);
}

static tl_err check_key(exam *x, tl_errctx *ctx)
{
    char text[TL_SS58_CAP];
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_app_keypair(x->app, x->call, &x->key, &why) != TL_OK) {
        return note(x, "key", false, "name it with --uri, or --wallet and --hotkey", ctx, "%s",
                    why.message);
    }
    (void)tl_ss58_encode(text, tl_keypair_public(x->key), TL_SS58_PREFIX_GENERIC);
    return note(x, "key", true, NULL, ctx, "%s", text);
}

/* --- the coordinator --- */

static tl_err check_clock(exam *x, tl_errctx *ctx)
{
    const int64_t skew_ms = x->peer.skew_ms;
    const int64_t size_ms = skew_ms < 0 ? -skew_ms : skew_ms;
    return note(x, "clock", size_ms <= SKEW_MS_MAX,
                "set this machine's clock (chrony, systemd-timesyncd): signatures have a window",
                ctx, "%lld ms off the coordinator's", (long long)skew_ms);
}

/* Of 1.2.3 the first number, or the first two while it is 0. */
static bool is_same_line(tl_str theirs)
{
    const tl_str ours = TL_STR(TALLY_VERSION);
    const size_t dots = ours.ptr[0] == '0' ? 2 : 1;
    size_t seen = 0;
    for (size_t i = 0; i < ours.len && i < theirs.len; i++) {
        if (ours.ptr[i] != theirs.ptr[i]) {
            return false;
        }
        seen += ours.ptr[i] == '.';
        if (seen == dots) {
            return true;
        }
    }
    return false;
}

static tl_err check_version(exam *x, tl_errctx *ctx)
{
    const tl_json *info = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    tl_str theirs = {NULL, 0};
    if (tl_peer_get(&x->peer, &info, x->app->arena, TL_STR("/api/v1/info"), false, &why) != TL_OK ||
        tl_json_want_str(&theirs, info, "version", &why) != TL_OK) {
        return note(x, "version", false, "is it a Tally coordinator?", ctx, "%s", why.message);
    }
    return note(x, "version", is_same_line(theirs), "use the coordinator's version", ctx,
                "%s here, %.*s there", TALLY_VERSION, TL_STR_ARG(tl_str_slice(theirs, 0, 40)));
}

/* Asked with a signature: of a miner its assignments, of a validator what only one with a permit may see. */
static tl_err check_registered(exam *x, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    tl_caller_answer answer;
    tl_sb sb;
    tl_caller_request r = {.target = TL_STR("/api/v1/zipcode-assignments/current"),
                           .is_signed = true};
    if (x->role != NULL && strcmp(x->role, "validator") == 0) {
        tl_errctx why = TL_ERRCTX_INIT;
        if (tl_peer_get(&x->peer, &list, x->app->arena, TL_STR("/api/v1/epochs?limit=1"), false,
                        &why) != TL_OK) {
            return note(x, "registered", false, NULL, ctx, "%s", why.message);
        }
        const tl_json *items = tl_json_get(list, "items");
        const tl_json *id =
            items != NULL && items->count > 0 ? tl_json_get(&items->items[0], "epochId") : NULL;
        if (id == NULL) {
            return note(x, "registered", false, "wait for its first epoch", ctx,
                        "the coordinator has no epoch to ask about");
        }
        tl_sb_init(&sb, x->app->arena);
        tl_sb_put_cstr(&sb, "/api/v1/epochs/");
        tl_sb_put(&sb, id->text);
        tl_sb_put_cstr(&sb, "/ballots");
        TL_TRY(tl_sb_finish(&r.target, &sb, ctx));
    }
    TL_TRY(tl_caller_call(x->peer.caller, &answer, x->app->arena, &r, ctx));
    const bool is_known =
        answer.fault == TL_CLIENT_NONE && (answer.status == 200 || answer.status == 404 ||
                                           answer.status == 409 || answer.status == 429);
    return note(x, "registered", is_known,
                "register the hotkey on the subnet; a validator also needs a permit and stake", ctx,
                "%.*s",
                TL_STR_ARG(is_known ? tl_str_from_cstr(x->peer.own_ss58)
                                    : tl_str_slice(answer.message, 0, 200)));
}

static tl_err check_coordinator(exam *x, tl_errctx *ctx)
{
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_peer_options options = {.url = tl_str_from_cstr(x->url),
                                     .keypair = x->key,
                                     .dir = x->dir,
                                     .clock = tl_sys_clock(),
                                     .entropy = tl_sys_entropy()};
    if (tl_peer_open(&x->peer, &options, &why) != TL_OK) {
        return note(x, "coordinator", false,
                    why.hint[0] != 0 ? why.hint
                                     : "is the URL right, is it running, is a firewall "
                                       "between?",
                    ctx, "%s: %s", x->url, why.message);
    }
    x->has_peer = true;
    TL_TRY(note(x, "coordinator", true, NULL, ctx, "%s answers as %s (%s, %s)", x->url,
                x->peer.hotkey, x->peer.subnet, x->peer.is_compat ? "compat" : "tally"));
    TL_TRY(check_clock(x, ctx));
    TL_TRY(check_version(x, ctx));
    return x->key != NULL ? check_registered(x, ctx) : TL_OK;
}

/* --- stores --- */

static tl_err check_sql(exam *x, const tl_app_stores *stores, bool is_upgrade, tl_errctx *ctx)
{
    tl_records *records = NULL;
    const tl_sql_step *steps = NULL;
    size_t count = 0;
    size_t pending = 0;
    tl_errctx why = TL_ERRCTX_INIT;
    tl_err err = tl_app_open_records(&records, stores, TL_RECORDS_INSPECT, &why);
    if (err == TL_OK) {
        err = tl_records_steps(records, &steps, &count, x->app->arena, &why);
    }
    tl_records_close(records);
    if (err != TL_OK) {
        return note(x, "sql", false,
                    err == TL_ERR_VERSION ? "this database was made by a newer version"
                                          : "is the database running, is its URL right?",
                    ctx, "%s", why.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (steps[i].state == TL_SQL_CHANGED || steps[i].state == TL_SQL_UNKNOWN) {
            return note(x, "sql", false, "this database was made by another version", ctx,
                        "migration %u is %s", steps[i].number,
                        tl_sql_step_state_name(steps[i].state));
        }
        pending += steps[i].state == TL_SQL_PENDING;
    }
    return note(x, "sql", true, NULL, ctx, "%zu of %zu migrations applied%s", count - pending,
                count,
                pending == 0 ? ""
                : is_upgrade ? ": this version may take over, and will apply the rest"
                             : ": the rest come with the next start");
}

static tl_err check_objects(exam *x, const tl_app_stores *stores, tl_errctx *ctx)
{
    tl_objects *objects = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    tl_err err = tl_app_open_objects(&objects, stores, &why);
    err = err == TL_OK ? tl_objects_probe(objects, &why) : err;
    tl_objects_close(objects);
    return note(x, "objects", err == TL_OK, "are the S3 server, its bucket and keys right?", ctx,
                "%s", err == TL_OK ? "an object was written, read and removed" : why.message);
}

static tl_err check_cache(exam *x, const tl_app_stores *stores, tl_errctx *ctx)
{
    tl_redis *redis = NULL;
    tl_redis_reply reply;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_bytes ping = tl_str_bytes(TL_STR("PING"));
    const tl_redis_command command = {&ping, 1};
    tl_err err = tl_app_open_redis(&redis, stores, &why);
    if (err == TL_OK && redis == NULL) {
        return note(x, "cache", true, NULL, ctx, "in the process");
    }
    err = err == TL_OK ? tl_redis_call(redis, &reply, x->app->arena, &command, 1, &why) : err;
    if (err == TL_OK && reply.kind == TL_REDIS_ERROR) {
        err = tl_fail(&why, TL_ERR_REFUSED, "%.*s", TL_STR_ARG(tl_str_slice(reply.text, 0, 200)));
    }
    tl_redis_close(redis);
    return note(x, "cache", err == TL_OK, "is Redis running, is its password right?", ctx, "%s",
                err == TL_OK ? "Redis answers" : why.message);
}

static tl_err check_stores(exam *x, bool is_upgrade, tl_errctx *ctx)
{
    tl_app_stores stores;
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_app_stores_read(x->app, x->call, &stores, &why) != TL_OK) {
        return note(x, "sql", false, why.hint[0] != 0 ? why.hint : NULL, ctx, "%s", why.message);
    }
    TL_TRY(check_sql(x, &stores, is_upgrade, ctx));
    TL_TRY(check_objects(x, &stores, ctx));
    return check_cache(x, &stores, ctx);
}

/* --- the report --- */

static tl_err print(exam *x, bool is_ok, tl_errctx *ctx)
{
    const finding *all = (const finding *)x->findings.items;
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, x->app->arena);
    if (!x->app->is_json) {
        for (size_t i = 0; i < x->findings.count; i++) {
            tl_sb_printf(&sb, "%-5s%-12s  %s\n", all[i].is_ok ? "ok" : "FAIL", all[i].name,
                         all[i].detail);
            if (all[i].hint != NULL) {
                tl_sb_printf(&sb, "%-19s%s\n", "", all[i].hint);
            }
        }
        return tl_app_print_sb(x->app, &sb, ctx);
    }
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ok");
    tl_json_put_bool(&w, is_ok);
    tl_json_put_key(&w, "checks");
    tl_json_put_array(&w);
    for (size_t i = 0; i < x->findings.count; i++) {
        tl_json_put_object(&w);
        tl_json_put_key(&w, "name");
        tl_json_put_cstr(&w, all[i].name);
        tl_json_put_key(&w, "ok");
        tl_json_put_bool(&w, all[i].is_ok);
        tl_json_put_key(&w, "detail");
        tl_json_put_cstr(&w, all[i].detail);
        tl_json_put_key(&w, "hint");
        tl_json_put_cstr(&w, all[i].hint);
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(x->app, &sb, ctx);
}

static tl_err examine(exam *x, tl_errctx *ctx)
{
    const bool is_upgrade = tl_cmd_flag(x->call, "upgrade");
    const bool is_service = x->role != NULL && strcmp(x->role, "coordinator") == 0;
    const bool has_stores = tl_cmd_text(x->call, "postgres") != NULL ||
                            tl_cmd_text(x->call, "redis") != NULL ||
                            tl_cmd_text(x->call, "s3") != NULL;
    TL_TRY(tl_app_state_dir(x->app, &x->dir, ctx));
    TL_TRY(tl_sys_make_dir(x->dir, TL_SYS_DIR_MODE, ctx));
    TL_TRY(check_disk(x, ctx));
    TL_TRY(check_permissions(x, ctx));
    if (x->role != NULL || tl_cmd_text(x->call, "uri") != NULL ||
        tl_cmd_text(x->call, "wallet") != NULL) {
        TL_TRY(check_key(x, ctx));
    }
    if (x->url != NULL) {
        TL_TRY(check_coordinator(x, ctx));
    }
    return is_service || is_upgrade || has_stores ? check_stores(x, is_upgrade, ctx) : TL_OK;
}

static tl_err run_doctor(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    exam x = {.app = app,
              .call = call,
              .role = tl_cmd_text(call, "role"),
              .url = tl_cmd_text(call, "coordinator")};
    bool is_ok = true;
    tl_vec_init(&x.findings, app->arena, sizeof(finding));
    tl_err err = examine(&x, ctx);
    const finding *all = (const finding *)x.findings.items;
    for (size_t i = 0; i < x.findings.count; i++) {
        is_ok = is_ok && all[i].is_ok;
    }
    err = err == TL_OK ? print(&x, is_ok, ctx) : err;
    if (x.has_peer) {
        tl_peer_close(&x.peer);
    }
    tl_keypair_free(x.key);
    TL_TRY(err);
    if (!is_ok) {
        tl_app_check_failed(app);
    }
    return TL_OK;
}

static const tl_cmd_option options[] = {
    TL_APP_KEY_OPTIONS,
    TL_APP_STORE_OPTIONS,
    {.name = "coordinator",
     .type = TL_CMD_TEXT,
     .metavar = "URL",
     .help = "ask this coordinator: clock, version, registration"},
    {.name = "role",
     .type = TL_CMD_CHOICE,
     .metavar = "ROLE",
     .choices = roles,
     .help = "what this machine is to be: miner, validator or coordinator"},
    {.name = "upgrade", .type = TL_CMD_FLAG, .help = "may this version take over these stores?"},
};
static const char *const examples[] = {
    "tally doctor --coordinator http://127.0.0.1:8080 --role miner --uri //Miner",
    "tally doctor --role coordinator --upgrade --uri //Coordinator --dir build/example", NULL};

const tl_cmd tl_cli_doctor = {
    .name = "doctor",
    .summary = "look whether everything that a role needs is there and works",
    .text = "Checks the disk and the state folder; the key; the coordinator, its clock against "
            "ours, its version, and whether it knows the key; for a coordinator, or where they "
            "are named, its stores. Each check that fails comes with a hint. Exit code 1 when one "
            "fails.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_doctor,
};
