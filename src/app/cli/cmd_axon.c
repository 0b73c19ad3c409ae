/* tally axon: the server of signed requests. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "app/cli/listen.h"
#include "app/cli/stakes.h"
#include "core/crypto/keypair/keypair.h"
#include "sdk/axon/axon.h"
#include "sdk/exec/exec.h"

enum { WAIT_MS = 100, STAKES_TURNS = 10, LISTS_MAX = 4096 };

static const char *const compat_choices[] = {"sdk", NULL};

/* What a running axon needs besides its settings. */
typedef struct service {
    tl_axon *axon;
    tl_exec *exec;
    tl_keypair *key;
    tl_app_stakes *stakes;
    int access_fd; /* below 0: none */
    const char *host;
    tl_axon_settings settings;
} service;

static tl_err parse_listen(service *s, tl_app *app, const char *text, tl_errctx *ctx)
{
    tl_app_listen listen;
    TL_TRY(tl_app_listen_parse(&listen, app, text, "0.0.0.0", ctx));
    s->host = listen.host;
    s->settings.host = listen.host;
    s->settings.port = listen.port;
    return TL_OK;
}

static tl_err parse_protocols(unsigned *out, const char *text, tl_errctx *ctx)
{
    static const tl_axon_protocol known[] = {TL_AXON_V10, TL_AXON_BTAUTH, TL_AXON_EPISTULA};
    tl_str rest = tl_str_from_cstr(text);
    tl_str word;
    unsigned set = 0;
    while (tl_str_split(&word, &rest, ',')) {
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            bit |= tl_str_eq_cstr(word, tl_axon_protocol_name(known[i])) ? (unsigned)known[i] : 0u;
        }
        if (bit == 0) {
            return tl_fail_field(ctx, TL_ERR_USAGE, "protocol",
                                 "\"%.*s\" is no protocol: v10, btauth, epistula",
                                 TL_STR_ARG(word));
        }
        set |= bit;
    }
    *out = set;
    return TL_OK;
}

static tl_err gather(const char *const **out, size_t *count, tl_app *app, const tl_cmd_call *call,
                     const char *name, tl_errctx *ctx)
{
    const size_t given = tl_cmd_count(call, name);
    if (given > LISTS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, name, "given %zu times, above %d", given,
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

/* Lines of the access log: one write each time, so that lines of several loops stay whole. */
static void write_access(void *self, tl_str lines)
{
    const service *s = self;
    size_t done = 0;
    while (done < lines.len) {
        const ssize_t len = write(s->access_fd, lines.ptr + done, lines.len - done);
        if (len <= 0) {
            return; /* a full disk must not stop the service */
        }
        done += (size_t)len;
    }
}

static tl_err open_access(service *s, const char *path, tl_errctx *ctx)
{
    s->access_fd = -1;
    if (path == NULL) {
        return TL_OK;
    }
    s->access_fd = strcmp(path, "-") == 0
                       ? STDERR_FILENO
                       : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, TL_SYS_FILE_MODE);
    if (s->access_fd < 0) {
        return tl_fail_field(ctx, TL_ERR_IO, "access-log", "cannot open \"%s\"", path);
    }
    s->settings.access = write_access;
    s->settings.access_self = s;
    return TL_OK;
}

static tl_err read_numbers(service *s, const tl_cmd_call *call, tl_errctx *ctx)
{
    static const struct {
        const char *name;
        uint64_t max;
    } numbers[] = {{"loops", 64},
                   {"workers", 256},
                   {"max-body", (uint64_t)1 << 30},
                   {"exec-processes", TL_EXEC_PROCESSES_MAX},
                   {"max-handlers", 65536}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const uint64_t value = tl_cmd_u64(call, numbers[i].name);
        if (value < 1 || value > numbers[i].max) {
            return tl_fail_field(ctx, TL_ERR_USAGE, numbers[i].name, "%llu is not 1 to %llu",
                                 (unsigned long long)value, (unsigned long long)numbers[i].max);
        }
    }
    s->settings.loops = (unsigned)tl_cmd_u64(call, "loops");
    s->settings.workers = (unsigned)tl_cmd_u64(call, "workers");
    s->settings.body_len_max = tl_cmd_u64(call, "max-body");
    s->settings.handlers_max = (uint32_t)tl_cmd_u64(call, "max-handlers");
    return TL_OK;
}

/* The floor and the file that tells who is above it go together. */
static tl_err read_stakes(service *s, const tl_cmd_call *call, tl_errctx *ctx)
{
    const uint64_t floor_rao = tl_cmd_u64(call, "min-stake");
    const char *path = tl_cmd_text(call, "metagraph");
    if ((floor_rao > 0) != (path != NULL) || floor_rao > INT64_MAX) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "min-stake",
                             "--min-stake RAO and --metagraph FILE go together");
    }
    if (path == NULL) {
        return TL_OK;
    }
    TL_TRY(tl_app_stakes_open(&s->stakes, path, ctx));
    s->settings.stake_rao_min = (int64_t)floor_rao;
    s->settings.stake_of = tl_app_stakes_of;
    s->settings.stake_self = s->stakes;
    return TL_OK;
}

static tl_err read_settings(service *s, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_axon_settings *settings = &s->settings;
    TL_TRY(parse_listen(s, app, tl_cmd_text(call, "listen"), ctx));
    TL_TRY(parse_protocols(&settings->protocols, tl_cmd_text(call, "protocol"), ctx));
    TL_TRY(gather(&settings->allow, &settings->allow_count, app, call, "allow", ctx));
    TL_TRY(gather(&settings->block, &settings->block_count, app, call, "blacklist", ctx));
    TL_TRY(read_numbers(s, call, ctx));
    settings->is_compat_sdk = tl_cmd_text(call, "compat") != NULL;
    settings->is_unverified = tl_cmd_flag(call, "no-verify");
    settings->limits_loopback = tl_cmd_flag(call, "limit-loopback");
    settings->hotkey_rate = tl_cmd_f64(call, "hotkey-rate");
    settings->redis_url = tl_cmd_text(call, "redis");
    settings->redis_password = getenv("TALLY_REDIS_PASSWORD");
    settings->tls_cert = tl_cmd_text(call, "tls-cert");
    settings->tls_key = tl_cmd_text(call, "tls-key");
    settings->external_ip = tl_cmd_text(call, "external-ip");
    settings->log = &app->log;
    if (!tl_cmd_flag(call, "echo") && tl_cmd_text(call, "exec") == NULL) {
        const tl_err err = tl_fail(ctx, TL_ERR_USAGE, "nothing to serve");
        tl_errctx_hint(ctx, "give --echo, --exec PROGRAM, or both");
        return err;
    }
    if (settings->is_unverified) {
        tl_app_say(app,
                   "warning: --no-verify answers anybody in anybody's name: for measuring only");
    }
    TL_TRY(tl_app_state_dir(app, &settings->dir, ctx));
    TL_TRY(tl_sys_make_dir(settings->dir, TL_SYS_DIR_MODE, ctx));
    TL_TRY(open_access(s, tl_cmd_text(call, "access-log"), ctx));
    TL_TRY(read_stakes(s, call, ctx));
    TL_TRY(tl_app_keypair(app, call, &s->key, ctx));
    settings->key = s->key;
    return TL_OK;
}

/* The program is given to the shell, so that it may have arguments; exec leaves no shell between it and us. */
static tl_err open_program(service *s, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    const char *program = tl_cmd_text(call, "exec");
    if (program == NULL) {
        return TL_OK;
    }
    tl_sb sb;
    tl_str line;
    tl_sb_init(&sb, app->arena);
    tl_sb_printf(&sb, "exec %s", program);
    TL_TRY(tl_sb_finish(&line, &sb, ctx));
    const char *const argv[] = {"/bin/sh", "-c", line.ptr, NULL};
    const tl_exec_settings settings = {
        .argv = argv,
        .processes = (unsigned)tl_cmd_u64(call, "exec-processes"),
        .body_len_max =
            s->settings.body_len_max * 2, /* a model as JSON may be longer than its body */
        .waiting_max = s->settings.handlers_max,
        .log = &app->log,
    };
    TL_TRY(tl_exec_open(&s->exec, &settings, ctx));
    return tl_axon_attach_exec(s->axon, s->exec, ctx);
}

static tl_err print_ready(const service *s, tl_app *app, tl_errctx *ctx)
{
    static const tl_axon_protocol known[] = {TL_AXON_V10, TL_AXON_BTAUTH, TL_AXON_EPISTULA};
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, app->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ready");
    tl_json_put_bool(&w, true);
    tl_json_put_key(&w, "host");
    tl_json_put_cstr(&w, s->host);
    tl_json_put_key(&w, "port");
    tl_json_put_u64(&w, tl_axon_port(s->axon));
    tl_json_put_key(&w, "hotkey");
    tl_json_put_cstr(&w, tl_axon_ss58(s->axon));
    tl_json_put_key(&w, "protocols");
    tl_json_put_array(&w);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if ((s->settings.protocols & (unsigned)known[i]) != 0) {
            tl_json_put_cstr(&w, tl_axon_protocol_name(known[i]));
        }
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "pid");
    tl_json_put_u64(&w, (uint64_t)getpid());
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

/* A file that is broken now leaves the stakes as they were: said once, and served on. */
static void look_at_stakes(service *s, tl_app *app)
{
    tl_errctx why = TL_ERRCTX_INIT;
    bool was_read;
    if (tl_app_stakes_refresh(s->stakes, &was_read, &why) != TL_OK && was_read) {
        tl_app_say(app, "the stakes stay as they were: %s", why.message);
    }
}

static tl_err serve(service *s, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    TL_TRY(read_settings(s, app, call, ctx));
    TL_TRY(tl_axon_new(&s->axon, &s->settings, ctx));
    if (tl_cmd_flag(call, "echo")) {
        TL_TRY(tl_axon_attach_echo(s->axon, ctx));
    }
    TL_TRY(open_program(s, app, call, ctx));
    TL_TRY(tl_axon_start(s->axon, ctx));
    TL_TRY(print_ready(s, app, ctx));
    for (unsigned turn = 1; !tl_sys_is_interrupted(); turn++) {
        const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
        if (s->stakes != NULL && turn % STAKES_TURNS == 0) {
            look_at_stakes(s, app);
        }
    }
    tl_app_say(app, "draining");
    return TL_OK;
}

static tl_err run_axon(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    service s = {.access_fd = -1};
    const tl_err err = serve(&s, app, call, ctx);
    tl_axon_stop(s.axon);
    tl_exec_close(s.exec);
    tl_axon_free(s.axon);
    tl_app_stakes_close(s.stakes);
    tl_keypair_free(s.key);
    if (s.access_fd > STDERR_FILENO) {
        (void)close(s.access_fd);
    }
    return err;
}

static const tl_cmd_option options[] = {
    {.name = "listen",
     .type = TL_CMD_TEXT,
     .metavar = "HOST:PORT",
     .fallback = "0.0.0.0:8091",
     .help = "where to listen; [::]:PORT takes IPv4 too, port 0 takes a free one"},
    {.name = "echo", .type = TL_CMD_FLAG, .help = "serve what connectivity and load tests need"},
    {.name = "exec",
     .type = TL_CMD_TEXT,
     .metavar = "PROGRAM",
     .help = "hand requests to this program over its standard input and output"},
    {.name = "exec-processes",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "1",
     .help = "so many processes of the program"},
    {.name = "protocol",
     .type = TL_CMD_TEXT,
     .metavar = "LIST",
     .fallback = "v10,btauth,epistula",
     .help = "which protocols are spoken"},
    {.name = "compat",
     .type = TL_CMD_CHOICE,
     .metavar = "MODE",
     .choices = compat_choices,
     .help = "answer as the SDK does, its leniency included"},
    {.name = "allow",
     .type = TL_CMD_TEXT,
     .metavar = "A",
     .is_repeatable = true,
     .help = "let this hotkey, IP or CIDR in, and no other of its kind"},
    {.name = "blacklist",
     .type = TL_CMD_TEXT,
     .metavar = "A",
     .is_repeatable = true,
     .help = "shut out this hotkey, IP or CIDR"},
    {.name = "max-body",
     .type = TL_CMD_U64,
     .metavar = "BYTES",
     .fallback = "16777216",
     .help = "the longest body that is taken"},
    {.name = "max-handlers",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "256",
     .help = "requests in handlers at once; others wait"},
    {.name = "hotkey-rate",
     .type = TL_CMD_F64,
     .metavar = "N",
     .fallback = "0",
     .help = "verified requests a second of one hotkey; 0 is no limit"},
    {.name = "min-stake",
     .type = TL_CMD_U64,
     .metavar = "RAO",
     .fallback = "0",
     .help = "refuse hotkeys with less stake than this; needs --metagraph"},
    {.name = "metagraph",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help =
         "who has how much stake, JSON: [{\"hotkey\", \"stake_rao\"}]; read again when it changes"},
    {.name = "limit-loopback",
     .type = TL_CMD_FLAG,
     .help = "penalties and caps by address hold on loopback too"},
    {.name = "no-verify",
     .type = TL_CMD_FLAG,
     .help = "answer without looking at signatures: for measuring only"},
    {.name = "redis",
     .type = TL_CMD_TEXT,
     .metavar = "URL",
     .help = "share limits and the replay store; the password is TALLY_REDIS_PASSWORD"},
    {.name = "tls-cert", .type = TL_CMD_FILE, .metavar = "F", .help = "serve TLS with this chain"},
    {.name = "tls-key", .type = TL_CMD_FILE, .metavar = "F", .help = "and this key, both PEM"},
    {.name = "external-ip",
     .type = TL_CMD_TEXT,
     .metavar = "IP",
     .help = "the address that the chain is told"},
    {.name = "access-log",
     .type = TL_CMD_FILE,
     .metavar = "F",
     .help = "a JSON line a request to this file; - is standard error"},
    {.name = "loops",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "1",
     .help = "threads that serve connections"},
    {.name = "workers",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "4",
     .help = "threads that run handlers which block"},
    TL_APP_KEY_OPTIONS,
};

static const char *const examples[] = {
    "tally axon run --listen 127.0.0.1:8091 --uri //Alice --echo", NULL};

const tl_cmd tl_cli_axon_run = {
    .name = "axon run",
    .summary = "serve signed requests: the v10 synapses, btauth/1 and Epistula on one port",
    .text = "The first line on standard output is JSON and says where it serves. The state folder "
            "holds what was accepted, so that nothing is accepted twice, also after a crash. "
            "SIGTERM lets what runs finish, at most 10 seconds, and ends with 0.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_axon,
};
