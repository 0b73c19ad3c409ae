/* tally dendrite: asking axons from the shell. */
#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "base/vec/vec.h"
#include "core/codec/base64/base64.h"
#include "core/crypto/keypair/keypair.h"
#include "sdk/dendrite/dendrite.h"
#include "sdk/synapse/synapse.h"

enum { INPUT_LEN_MAX = 64 << 20, DEFINITIONS_LEN_MAX = 4 << 20, LIST_LEN_MAX = 16 << 20 };

static const char *const protocol_choices[] = {"v10", "btauth", "epistula", NULL};
static const char *const aggregate_choices[] = {"first", "all", "quorum", "majority", NULL};

/* A query on the command line: what is asked, whom, and what came. */
typedef struct asking {
    tl_app *app;
    tl_dendrite_query query;
    tl_dendrite_target *targets;
    tl_str *texts; /* of the targets, as they were given */
    size_t count;
    tl_dendrite_reply *replies;
    bool is_aggregated;
    tl_dendrite_rule rule;
    tl_dendrite_gathered gathered;
    tl_progress progress;
    uint64_t done;
} asking;

/* --- whom --- */

static tl_err add_target(asking *a, tl_vec *targets, tl_vec *texts, tl_str text, tl_errctx *ctx)
{
    tl_dendrite_target *target = NULL;
    tl_str *kept = NULL;
    if (targets->count >= TL_DENDRITE_TARGETS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %u targets", TL_DENDRITE_TARGETS_MAX);
    }
    target = (tl_dendrite_target *)tl_vec_push(targets);
    kept = (tl_str *)tl_vec_push(texts);
    if (target == NULL || kept == NULL) {
        return tl_arena_fail(a->app->arena, ctx);
    }
    *kept = text;
    return tl_dendrite_target_parse(target, text, ctx);
}

/* Which part of the target is wrong stands in the message; people want the option. */
static tl_err blame(tl_err err, const char *option, tl_errctx *ctx)
{
    if (err != TL_OK) {
        ctx->field[0] = '\0';
        tl_errctx_under(ctx, "%s", option);
    }
    return err;
}

/* A line a target; empty lines and what follows '#' are no targets. */
static tl_err add_file(asking *a, tl_vec *targets, tl_vec *texts, const char *path, tl_errctx *ctx)
{
    tl_str rest = {NULL, 0};
    tl_str line = {NULL, 0};
    TL_TRY(tl_sys_read_file(&rest, a->app->arena, path, LIST_LEN_MAX, ctx));
    for (uint32_t number = 1; tl_str_split(&line, &rest, '\n'); number++) {
        const tl_str text = tl_str_trim(tl_str_slice(line, 0, tl_str_find(line, '#')));
        const tl_err err = text.len > 0 ? add_target(a, targets, texts, text, ctx) : TL_OK;
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "%s: line %u", path, number);
            return err;
        }
    }
    return TL_OK;
}

static tl_err read_targets(asking *a, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_vec targets;
    tl_vec texts;
    tl_vec_init(&targets, a->app->arena, sizeof(tl_dendrite_target));
    tl_vec_init(&texts, a->app->arena, sizeof(tl_str));
    for (size_t i = 0; i < tl_cmd_count(call, "axon"); i++) {
        const tl_str text = tl_str_from_cstr(tl_cmd_text_at(call, "axon", i));
        TL_TRY(blame(add_target(a, &targets, &texts, text, ctx), "axon", ctx));
    }
    const char *path = tl_cmd_text(call, "axons");
    if (path != NULL) {
        TL_TRY(blame(add_file(a, &targets, &texts, path, ctx), "axons", ctx));
    }
    if (targets.count == 0) {
        (void)tl_fail_field(ctx, TL_ERR_USAGE, "axon", "nobody to ask");
        tl_errctx_hint(ctx, "give --axon HOST:PORT:SS58, or --axons with a file of such lines");
        return TL_ERR_USAGE;
    }
    a->targets = (tl_dendrite_target *)targets.items;
    a->texts = (tl_str *)texts.items;
    a->count = targets.count;
    for (size_t i = 0; i < a->count; i++) {
        a->targets[i].is_tls = tl_cmd_flag(call, "tls");
    }
    return TL_OK;
}

/* --- what --- */

/* --input: as it stands, or what the file behind '@' holds. */
static tl_err read_input(tl_str *out, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    const char *input = tl_cmd_text(call, "input");
    *out = tl_str_from_cstr(input);
    if (input == NULL || input[0] != '@') {
        return TL_OK;
    }
    return blame(tl_sys_read_file(out, app->arena, input + 1, INPUT_LEN_MAX, ctx), "input", ctx);
}

static tl_err refuse_options(const tl_cmd_call *call, const char *const *names, size_t count,
                             const char *protocol, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        if (tl_cmd_is_given(call, names[i])) {
            return tl_fail_field(ctx, TL_ERR_USAGE, names[i],
                                 "--%s has no meaning under --protocol %s", names[i], protocol);
        }
    }
    return TL_OK;
}

static tl_err find_definition(const tl_synapse_def **out, tl_app *app, const tl_cmd_call *call,
                              tl_errctx *ctx)
{
    const char *name = tl_cmd_text(call, "synapse");
    const char *path = tl_cmd_text(call, "synapse-file");
    tl_synapse_defs defs = {NULL, 0};
    if (name == NULL) {
        (void)tl_fail_field(ctx, TL_ERR_USAGE, "synapse", "which message is to be sent?");
        tl_errctx_hint(ctx, "--synapse Synapse is the ping; --protocol btauth needs none");
        return TL_ERR_USAGE;
    }
    TL_TRY(tl_synapse_echo_set(&defs, app->arena, ctx));
    if (path != NULL) {
        tl_str text = {NULL, 0};
        TL_TRY(blame(tl_sys_read_file(&text, app->arena, path, DEFINITIONS_LEN_MAX, ctx),
                     "synapse-file", ctx));
        const tl_err err = tl_synapse_load(&defs, app->arena, defs, text, ctx);
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "%s", path);
            return err;
        }
    }
    *out = tl_synapse_find(defs, tl_str_from_cstr(name));
    if (*out == NULL) {
        (void)tl_fail_field(ctx, TL_ERR_UNKNOWN, "synapse", "no message \"%s\" is defined", name);
        tl_errctx_hint(ctx, "give its definition by --synapse-file");
        return TL_ERR_UNKNOWN;
    }
    return TL_OK;
}

static tl_err read_v10(asking *a, const tl_cmd_call *call, tl_errctx *ctx)
{
    static const char *const foreign[] = {"method", "target"};
    const tl_synapse_def *def = NULL;
    tl_synapse *message = NULL;
    tl_str input = {NULL, 0};
    TL_TRY(refuse_options(call, foreign, 2, "v10", ctx));
    TL_TRY(find_definition(&def, a->app, call, ctx));
    TL_TRY(read_input(&input, a->app, call, ctx));
    TL_TRY(tl_synapse_new(&message, a->app->arena, def, ctx));
    const tl_err err =
        tl_synapse_assign(message, a->app->arena, input.len > 0 ? input : TL_STR("{}"), ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "input");
        return err;
    }
    a->query.synapse = message;
    return TL_OK;
}

static tl_err read_raw(asking *a, const tl_cmd_call *call, tl_errctx *ctx)
{
    static const char *const foreign[] = {"synapse", "synapse-file"};
    tl_str input = {NULL, 0};
    TL_TRY(refuse_options(call, foreign, 2, tl_cmd_text(call, "protocol"), ctx));
    if (!tl_cmd_is_given(call, "target")) {
        (void)tl_fail_field(ctx, TL_ERR_USAGE, "target", "which path is to be asked?");
        tl_errctx_hint(ctx, "--target /echo");
        return TL_ERR_USAGE;
    }
    TL_TRY(read_input(&input, a->app, call, ctx));
    a->query.target = tl_str_from_cstr(tl_cmd_text(call, "target"));
    a->query.method = tl_cmd_is_given(call, "method")
                          ? tl_str_from_cstr(tl_cmd_text(call, "method"))
                          : TL_STR("POST");
    a->query.body = tl_str_bytes(input);
    return TL_OK;
}

static tl_err read_number(uint64_t *out, const tl_cmd_call *call, const char *name, uint64_t min,
                          uint64_t max, tl_errctx *ctx)
{
    *out = tl_cmd_u64(call, name);
    if (*out < min || *out > max) {
        return tl_fail_field(ctx, TL_ERR_USAGE, name, "--%s is %llu, not %llu to %llu", name,
                             (unsigned long long)*out, (unsigned long long)min,
                             (unsigned long long)max);
    }
    return TL_OK;
}

static tl_err read_query(asking *a, const tl_cmd_call *call, tl_errctx *ctx)
{
    uint64_t retries = 0;
    uint64_t hedge_ms = 0;
    const char *aggregate = tl_cmd_text(call, "aggregate");
    a->query.family = tl_auth_family_by_name(tl_str_from_cstr(tl_cmd_text(call, "protocol")));
    TL_ASSERT(a->query.family != NULL);
    TL_TRY(a->query.family->id == TL_AUTH_V10 ? read_v10(a, call, ctx) : read_raw(a, call, ctx));
    TL_TRY(read_number(&retries, call, "retries", 0, TL_BACKOFF_RETRIES_MAX, ctx));
    TL_TRY(read_number(&hedge_ms, call, "hedge-ms", 0, 3600000, ctx));
    a->query.timeout_s = tl_cmd_f64(call, "timeout");
    if (!(a->query.timeout_s >= 0.001 && a->query.timeout_s <= TL_DENDRITE_TIMEOUT_S_MAX)) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "timeout",
                             "--timeout is not within 0.001 to %d seconds",
                             (int)TL_DENDRITE_TIMEOUT_S_MAX);
    }
    a->query.retry =
        (tl_backoff){.retries_max = (uint32_t)retries, .jitter_percent = TL_BACKOFF_JITTER_PERCENT};
    a->query.hedge_ms = (uint32_t)hedge_ms;
    a->is_aggregated = aggregate != NULL;
    if (aggregate != NULL) {
        const bool is_known = tl_dendrite_rule_parse(&a->rule, tl_str_from_cstr(aggregate));
        TL_ASSERT(is_known);
    }
    return TL_OK;
}

/* --- what came --- */

/* Text where it is text, else "base64:…". */
static tl_err put_bytes(tl_json_writer *w, tl_arena *arena, tl_bytes bytes, tl_errctx *ctx)
{
    const tl_str text = {(const char *)bytes.ptr, bytes.len};
    tl_str coded = {NULL, 0};
    if (tl_str_is_utf8(text)) {
        tl_json_put_str(w, text);
        return TL_OK;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "base64:");
    tl_base64_encode(&sb, bytes.ptr, bytes.len);
    TL_TRY(tl_sb_finish(&coded, &sb, ctx));
    tl_json_put_str(w, coded);
    return TL_OK;
}

/* The model, where the answer made one; the body of the other protocols, refusals too. */
static tl_err put_output(tl_json_writer *w, const asking *a, const tl_dendrite_reply *r,
                         tl_errctx *ctx)
{
    tl_str model = {NULL, 0};
    if (r->fault != TL_CLIENT_NONE) {
        tl_json_put_null(w);
        return TL_OK;
    }
    if (r->synapse == NULL) {
        return put_bytes(w, a->app->arena, r->body, ctx);
    }
    if (!r->is_ok || tl_synapse_response_body(&model, a->app->arena, r->synapse, NULL) != TL_OK) {
        tl_json_put_null(w);
        return TL_OK;
    }
    tl_json_put_raw(w, model);
    return TL_OK;
}

static void put_optional(tl_json_writer *w, const char *key, bool is_there, tl_str text)
{
    tl_json_put_key(w, key);
    if (is_there) {
        tl_json_put_str(w, text);
    } else {
        tl_json_put_null(w);
    }
}

static tl_err put_line(tl_sb *sb, const asking *a, const tl_dendrite_reply *r, tl_errctx *ctx)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "axon");
    tl_json_put_str(&w, a->texts[r->index]);
    tl_json_put_key(&w, "ok");
    tl_json_put_bool(&w, r->is_ok);
    tl_json_put_key(&w, "status_code");
    if (r->has_status) {
        tl_json_put_i64(&w, r->status_code);
    } else {
        tl_json_put_null(&w);
    }
    put_optional(&w, "status_message", r->has_message, r->status_message);
    tl_json_put_key(&w, "process_time_s");
    if (r->has_time) {
        tl_json_put_f64(&w, r->process_time_s);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_key(&w, "output");
    TL_TRY(put_output(&w, a, r, ctx));
    put_optional(&w, "error", !r->is_ok, r->error);
    tl_json_put_key(&w, "attempts");
    tl_json_put_u64(&w, r->attempts);
    if (r->synapse != NULL && r->synapse->def->is_streaming) {
        tl_json_put_key(&w, "stream");
        TL_TRY(put_bytes(&w, a->app->arena, r->body, ctx));
    }
    if (a->is_aggregated) {
        tl_json_put_key(&w, "chosen");
        tl_json_put_bool(&w, r == a->gathered.chosen);
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
    return TL_OK;
}

/* The message's own fields; who spoke and what was signed is for --json. */
static void put_fields(tl_sb *sb, const tl_synapse *synapse)
{
    const tl_synapse_model *model = &synapse->def->model;
    tl_sb_put_char(sb, '{');
    for (size_t i = 0; i < model->field_count; i++) {
        tl_sb_put_cstr(sb, i > 0 ? ", " : "");
        tl_value_put_json_str(sb, model->fields[i].name, TL_VALUE_REQUEST);
        tl_sb_put_cstr(sb, ": ");
        tl_value_put_json(sb, &synapse->fields[i], TL_VALUE_REQUEST);
    }
    tl_sb_put_char(sb, '}');
}

static void put_text(tl_sb *sb, const asking *a, const tl_dendrite_reply *r)
{
    tl_sb_printf(sb, "%s%.*s  ", r == a->gathered.chosen ? "* " : "",
                 TL_STR_ARG(a->texts[r->index]));
    if (r->has_status) {
        tl_sb_printf(sb, "%lld  ", (long long)r->status_code);
    }
    if (r->has_time) {
        tl_sb_printf(sb, "%u ms  ", (unsigned)(r->process_time_s * 1000.0 + 0.5));
    }
    if (!r->is_ok) {
        tl_sb_put(sb, r->error);
    } else if (r->synapse != NULL) {
        put_fields(sb, r->synapse);
    }
    if (r->is_ok && (r->synapse == NULL || r->synapse->def->is_streaming)) {
        tl_sb_put_cstr(sb, r->synapse != NULL ? "\n" : "");
        tl_sb_put_bytes(sb, r->body.ptr, r->body.len);
    }
    tl_sb_put_char(sb, '\n');
}

static tl_err print_replies(asking *a, tl_errctx *ctx)
{
    tl_sb sb;
    bool all_ok = true;
    tl_sb_init(&sb, a->app->arena);
    for (size_t i = 0; i < a->count; i++) {
        const tl_dendrite_reply *r = &a->replies[i];
        if (a->app->is_json) {
            TL_TRY(put_line(&sb, a, r, ctx));
        } else {
            put_text(&sb, a, r);
        }
        all_ok = all_ok && r->is_ok;
    }
    if (a->is_aggregated && !a->app->is_json) {
        tl_sb_printf(&sb, "%s: %zu of %zu answered well, %zu agree\n",
                     a->gathered.holds ? "holds" : "does not hold", a->gathered.good, a->count,
                     a->gathered.agreeing);
    }
    if (!(a->is_aggregated ? a->gathered.holds : all_ok)) {
        a->app->exit_code = tl_err_exit(TL_ERR_IO);
    }
    return tl_app_print_sb(a->app, &sb, ctx);
}

/* --- the command --- */

static void count_reply(void *self, const tl_dendrite_reply *reply)
{
    (void)reply;
    asking *a = (asking *)self;
    tl_progress_step(&a->progress, ++a->done);
}

static tl_err ask(asking *a, const tl_cmd_call *call, const tl_keypair *key, tl_errctx *ctx)
{
    uint64_t parallel = 0;
    tl_dendrite *dendrite = NULL;
    TL_TRY(read_number(&parallel, call, "parallel", 1, TL_CLIENT_FLIGHT_MAX, ctx));
    const tl_dendrite_options options = {
        .key = key, .parallel = (uint32_t)parallel, .ca_file = tl_cmd_text(call, "ca-file")};
    a->replies = TL_NEW(a->app->arena, tl_dendrite_reply, a->count);
    if (a->replies == NULL) {
        return tl_arena_fail(a->app->arena, ctx);
    }
    a->query.self = a;
    a->query.on_reply = count_reply;
    TL_TRY(tl_dendrite_new(&dendrite, &options, ctx));
    tl_progress_start(&a->progress, "answers", a->count, !a->app->is_quiet);
    const tl_err err = a->is_aggregated
                           ? tl_dendrite_gather(dendrite, a->app->arena, &a->gathered, a->replies,
                                                a->targets, a->count, &a->query, a->rule, 0, ctx)
                           : tl_dendrite_ask_all(dendrite, a->app->arena, a->replies, a->targets,
                                                 a->count, &a->query, ctx);
    tl_progress_end(&a->progress);
    tl_dendrite_free(dendrite);
    return err;
}

static tl_err run_query(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    asking a = {.app = (tl_app *)self};
    tl_keypair *key = NULL;
    TL_TRY(read_targets(&a, call, ctx));
    TL_TRY(read_query(&a, call, ctx));
    TL_TRY(tl_app_keypair(a.app, call, &key, ctx));
    const tl_err err = ask(&a, call, key, ctx);
    tl_keypair_free(key);
    return err != TL_OK ? err : print_replies(&a, ctx);
}

static const tl_cmd_option options[] = {
    {.name = "axon",
     .type = TL_CMD_TEXT,
     .metavar = "HOST:PORT:SS58",
     .help = "whom to ask, and the hotkey that it must have; an IPv6 address in brackets",
     .is_repeatable = true},
    {.name = "axons",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "more of them, a line each; # begins a remark"},
    {.name = "protocol",
     .type = TL_CMD_CHOICE,
     .metavar = "P",
     .fallback = "v10",
     .help = "how requests are signed",
     .choices = protocol_choices},
    {.name = "synapse",
     .type = TL_CMD_TEXT,
     .metavar = "NAME",
     .help = "v10: the message; Synapse, Echo, Slow, Stream and Boom are known"},
    {.name = "synapse-file",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "v10: definitions of other messages, as JSON"},
    {.name = "method",
     .type = TL_CMD_TEXT,
     .metavar = "M",
     .help = "btauth, epistula: the request's method (default POST)"},
    {.name = "target",
     .type = TL_CMD_TEXT,
     .metavar = "/PATH?QUERY",
     .help = "btauth, epistula: sent and signed byte for byte"},
    {.name = "input",
     .type = TL_CMD_TEXT,
     .metavar = "JSON|@FILE",
     .help = "v10: fields as a JSON object; else the body, as it is"},
    {.name = "timeout",
     .type = TL_CMD_F64,
     .metavar = "S",
     .fallback = "12",
     .help = "seconds for each request, from connecting to the last byte"},
    {.name = "retries",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "0",
     .help = "ask again after a fault, 408, 429 or 5xx, signed anew, after a growing pause"},
    {.name = "hedge-ms",
     .type = TL_CMD_U64,
     .metavar = "MS",
     .fallback = "0",
     .help = "ask a second time after so long without an answer; 0 never"},
    {.name = "parallel",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "256",
     .help = "requests under way at once"},
    {.name = "aggregate",
     .type = TL_CMD_CHOICE,
     .metavar = "RULE",
     .help = "when it holds, and which answer counts; others may be cancelled",
     .choices = aggregate_choices},
    {.name = "tls", .type = TL_CMD_FLAG, .help = "over TLS"},
    {.name = "ca-file",
     .type = TL_CMD_FILE,
     .metavar = "PEM",
     .help = "trust these authorities instead of the machine's"},
    TL_APP_KEY_OPTIONS,
};

static const char *const examples[] = {
    "tally dendrite query --axon 127.0.0.1:8091:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY "
    "--synapse Echo --input '{\"a\": 3, \"text\": \"ab\"}' --uri //Bob",
    "tally dendrite query --axon 127.0.0.1:8091:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY "
    "--protocol btauth --target /echo --input hello --uri //Bob --json",
    NULL};

const tl_cmd tl_cli_dendrite_query = {
    .name = "dendrite query",
    .summary = "ask one axon or many, signed, and show what they answer",
    .text = "A line a target, in the order in which they were given. Without --aggregate it is "
            "done when every target answered well; first: when one did; all: when all did; quorum: "
            "when two thirds said the same; majority: the answer that most gave counts. Exit code "
            "6 when it is not.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_query,
};
