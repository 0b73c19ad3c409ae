/* tally http sign, verify: signed requests for scripts, and for servers in other languages. */
#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"
#include "sdk/auth/auth.h"

/* Headers of a request have 16 KiB; escapes in JSON take up to six times as much. */
#define HEADERS_LEN_MAX   ((size_t)1 << 20)
#define HEADERS_COUNT_MAX 1024

static const char *const protocols[] = {"btauth", "epistula", NULL};
static const char *const compats[] = {"sdk", NULL};

/* What both commands are told of the request. */
#define REQUEST_OPTIONS                                                                            \
    {.name = "method",                                                                             \
     .type = TL_CMD_TEXT,                                                                          \
     .metavar = "M",                                                                               \
     .is_required = true,                                                                          \
     .help = "the request's method"},                                                              \
        {.name = "target",                                                                         \
         .type = TL_CMD_TEXT,                                                                      \
         .metavar = "T",                                                                           \
         .is_required = true,                                                                      \
         .help = "path and query, byte for byte as on the request line"},                          \
        {.name = "body-file",                                                                      \
         .type = TL_CMD_FILE,                                                                      \
         .metavar = "F",                                                                           \
         .help = "the body's bytes; without it there is none"},                                    \
    {                                                                                              \
        .name = "protocol", .type = TL_CMD_CHOICE, .metavar = "P", .choices = protocols,           \
        .fallback = "btauth",                                                                      \
        .help = "btauth (method, target and body are signed) or epistula "                         \
                "(the body)"                                                                       \
    }

static const tl_auth_family *family_of(const tl_cmd_call *call)
{
    const tl_auth_family *family =
        tl_auth_family_by_name(tl_str_from_cstr(tl_cmd_text(call, "protocol")));
    TL_ASSERT(family != NULL); /* CMD-1: one of protocols */
    return family;
}

static tl_err hash_body(tl_app *app, const tl_cmd_call *call, tl_hash32 *out, tl_errctx *ctx)
{
    const char *path = tl_cmd_text(call, "body-file");
    tl_str body = {NULL, 0};
    if (path != NULL) {
        TL_TRY(tl_sys_read_file(&body, app->arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    }
    tl_sha256(out, body.ptr, body.len);
    return TL_OK;
}

/* --- http sign --- */

static tl_err print_headers(tl_app *app, tl_http_headers headers, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        for (size_t i = 0; i < headers.count; i++) {
            tl_json_put_key_str(&w, headers.at[i].name);
            tl_json_put_str(&w, headers.at[i].value);
        }
        tl_json_put_end(&w);
        tl_json_writer_done(&w);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(app, &sb, ctx);
    }
    for (size_t i = 0; i < headers.count; i++) {
        tl_sb_printf(&sb, "%.*s: %.*s\n", TL_STR_ARG(headers.at[i].name),
                     TL_STR_ARG(headers.at[i].value));
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static tl_err run_sign(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    const tl_clock clock = tl_sys_clock();
    const tl_entropy entropy = tl_sys_entropy();
    tl_auth_outgoing what = {.method = tl_str_from_cstr(tl_cmd_text(call, "method")),
                             .target = tl_str_from_cstr(tl_cmd_text(call, "target")),
                             .receiver = tl_str_from_cstr(tl_cmd_text(call, "receiver")),
                             .nonce = tl_str_from_cstr(tl_cmd_text(call, "nonce"))};
    if (tl_cmd_is_given(call, "receiver")) {
        tl_hotkey key;
        uint16_t prefix;
        const tl_err err = tl_ss58_decode_any(&key, &prefix, what.receiver, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "receiver");
            return err;
        }
    }
    if (tl_cmd_is_given(call, "nonce") && what.nonce.len == 0) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "nonce", "no decimal integer");
    }
    TL_TRY(hash_body(app, call, &what.body_sha256, ctx));
    tl_keypair *pair = NULL;
    TL_TRY(tl_app_keypair(app, call, &pair, ctx));
    what.now_ns = tl_clock_wall_ns(&clock);
    tl_http_headers headers = {NULL, 0};
    const tl_err err =
        tl_auth_sign(&headers, app->arena, family_of(call), pair, &what, &entropy, ctx);
    tl_keypair_free(pair);
    TL_TRY(err);
    return print_headers(app, headers, ctx);
}

static const tl_cmd_option sign_options[] = {
    REQUEST_OPTIONS,
    {.name = "receiver",
     .type = TL_CMD_TEXT,
     .metavar = "SS58",
     .help = "whom the request is for; servers ask for it unless they waive it"},
    {.name = "nonce",
     .type = TL_CMD_TEXT,
     .metavar = "N",
     .help = "instead of the clock: nanoseconds (btauth) or milliseconds (epistula) since 1970"},
    TL_APP_KEY_OPTIONS,
};

static const char *const sign_examples[] = {
    "tally http sign --uri //Alice --method GET --target '/health?full' --receiver "
    "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --json",
    "tally http sign --uri //Alice --method POST --target /predict --body-file "
    "tests/e2e/cases/http-get.json --protocol epistula",
    NULL};

const tl_cmd tl_cli_http_sign = {
    .name = "http sign",
    .summary = "the headers that sign an HTTP request with a hotkey",
    .text =
        "Send the very bytes that were signed: target and body count byte for byte, and a retry "
        "is signed anew. With --json the headers are one JSON object.",
    .options = sign_options,
    .option_count = sizeof sign_options / sizeof sign_options[0],
    .examples = sign_examples,
    .run = run_sign,
};

/* --- http verify --- */

/* One name with one value. */
static tl_err put_header(tl_http_header *out, tl_str name, const tl_json *value, tl_errctx *ctx)
{
    TL_TRY(tl_json_as_str(&out->value, value, NULL, ctx));
    out->name = name;
    return TL_OK;
}

static tl_err list_headers(tl_http_header *at, const tl_json *tree, tl_errctx *ctx)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        tl_err err;
        if (tree->kind == TL_JSON_OBJECT) {
            err = put_header(&at[i], tree->members[i].key, &tree->members[i].value, ctx);
        } else {
            const tl_json *pair = &tree->items[i];
            tl_str name;
            if (pair->kind != TL_JSON_ARRAY || pair->count != 2) {
                err = tl_fail(ctx, TL_ERR_TYPE, "not a pair of name and value");
            } else {
                err = tl_json_as_str(&name, &pair->items[0], NULL, ctx);
                err = err != TL_OK ? err : put_header(&at[i], name, &pair->items[1], ctx);
            }
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "headers[%u]", i);
            return err;
        }
    }
    return TL_OK;
}

/* --headers: an object, or a list of pairs; with @ in a file. */
static tl_err read_headers(tl_app *app, const tl_cmd_call *call, tl_http_headers *out,
                           tl_errctx *ctx)
{
    const char *given = tl_cmd_text(call, "headers");
    tl_str text = tl_str_from_cstr(given);
    if (given[0] == '@') {
        TL_TRY(tl_sys_read_file(&text, app->arena, given + 1, HEADERS_LEN_MAX, ctx));
    }
    const tl_json_options options = {.len_max = HEADERS_LEN_MAX, .depth_max = 4};
    const tl_json *tree;
    const tl_err err = tl_json_parse(&tree, app->arena, text, &options, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "headers");
        return err;
    }
    if (tree->kind != TL_JSON_OBJECT && tree->kind != TL_JSON_ARRAY) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "headers", "neither an object nor a list of pairs");
    }
    if (tree->count > HEADERS_COUNT_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "headers", "%u headers, above %d", tree->count,
                             HEADERS_COUNT_MAX);
    }
    tl_http_header *at = TL_NEW(app->arena, tl_http_header, tree->count);
    if (at == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    TL_TRY(list_headers(at, tree, ctx));
    *out = (tl_http_headers){at, tree->count};
    return TL_OK;
}

static tl_err read_rules(const tl_cmd_call *call, tl_auth_rules *rules, int64_t *now_ns,
                         tl_errctx *ctx)
{
    const tl_str self = tl_str_from_cstr(tl_cmd_text(call, "self"));
    tl_hotkey key;
    uint16_t prefix;
    const tl_err err = tl_ss58_decode_any(&key, &prefix, self, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "self");
        return err;
    }
    tl_auth_rules_init(rules, self);
    rules->is_compat = tl_cmd_text(call, "compat") != NULL;
    rules->is_receiver_waived = tl_cmd_flag(call, "waive-receiver");
    const tl_clock clock = tl_sys_clock();
    *now_ns = tl_clock_wall_ns(&clock);
    const char *now = tl_cmd_text(call, "now");
    if (now != NULL && (!tl_str_parse_i64(now_ns, tl_str_from_cstr(now)) || *now_ns < 0)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "now", "no time in nanoseconds since 1970");
    }
    return TL_OK;
}

/* The whole way; claim counts when the verdict is good. */
static tl_err judge(tl_app *app, const tl_cmd_call *call, tl_auth_claim *claim,
                    tl_auth_verdict *verdict, tl_errctx *ctx)
{
    tl_auth_rules rules;
    int64_t now_ns;
    tl_hash32 body;
    tl_auth_request request = {tl_str_from_cstr(tl_cmd_text(call, "method")),
                               tl_str_from_cstr(tl_cmd_text(call, "target")),
                               {NULL, 0}};
    TL_TRY(read_rules(call, &rules, &now_ns, ctx));
    TL_TRY(read_headers(app, call, &request.headers, ctx));
    TL_TRY(hash_body(app, call, &body, ctx));
    bool is_ambiguous;
    (void)tl_auth_detect(&is_ambiguous, request.headers);
    if (is_ambiguous) {
        *verdict = (tl_auth_verdict){TL_AUTH_MALFORMED,
                                     TL_STR("the headers belong to more than one protocol")};
        return TL_OK;
    }
    TL_TRY(tl_auth_check_head(claim, verdict, app->arena, family_of(call), &request, &rules, now_ns,
                              ctx));
    if (verdict->kind != TL_AUTH_OK) {
        return TL_OK;
    }
    tl_bytes message;
    TL_TRY(tl_auth_message(&message, app->arena, claim, &body, ctx));
    return tl_auth_verify(verdict, app->arena, claim, message, ctx);
}

static tl_err run_verify(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    tl_auth_claim claim;
    tl_auth_verdict verdict;
    TL_TRY(judge(app, call, &claim, &verdict, ctx));
    const bool is_good = verdict.kind == TL_AUTH_OK;
    if (!is_good) {
        tl_app_check_failed(app);
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (!app->is_json) {
        if (is_good) {
            tl_sb_printf(&sb, "signed by %.*s (%s)\n", TL_STR_ARG(claim.sender_text),
                         claim.scheme->name);
        } else {
            tl_sb_printf(&sb, "refused: %s: %.*s\n", tl_auth_class_name(verdict.kind),
                         TL_STR_ARG(verdict.message));
        }
        return tl_app_print_sb(app, &sb, ctx);
    }
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ok");
    tl_json_put_bool(&w, is_good);
    tl_json_put_key(&w, "hotkey");
    if (is_good) {
        tl_json_put_str(&w, claim.sender_text);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_key(&w, "scheme");
    tl_json_put_cstr(&w, is_good ? claim.scheme->name : NULL);
    tl_json_put_key(&w, "error");
    tl_json_put_cstr(&w, is_good ? NULL : tl_auth_class_name(verdict.kind));
    tl_json_put_key(&w, "message");
    if (is_good) {
        tl_json_put_null(&w);
    } else {
        tl_json_put_str(&w, verdict.message);
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option verify_options[] = {
    REQUEST_OPTIONS,
    {.name = "headers",
     .type = TL_CMD_TEXT,
     .metavar = "H",
     .is_required = true,
     .help =
         "the request's headers, JSON or @FILE: an object, or a list of pairs where a name comes "
         "twice"},
    {.name = "self",
     .type = TL_CMD_TEXT,
     .metavar = "SS58",
     .is_required = true,
     .help = "the receiver's own address"},
    {.name = "now",
     .type = TL_CMD_TEXT,
     .metavar = "NS",
     .help = "nanoseconds since 1970, instead of the clock"},
    {.name = "compat",
     .type = TL_CMD_CHOICE,
     .metavar = "MODE",
     .choices = compats,
     .help = "answer as the SDK does: lenient numbers and hex; weak keys stay refused"},
    {.name = "waive-receiver",
     .type = TL_CMD_FLAG,
     .help = "take a request that names no receiver"},
};

static const char *const verify_examples[] = {
    "tally http verify --method GET --target /health --headers @tests/e2e/cases/http-get.json "
    "--self 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --now 1752076800001000000 --json",
    NULL};

const tl_cmd tl_cli_http_verify = {
    .name = "http verify",
    .summary = "who signed an HTTP request, or why it is refused",
    .text =
        "Values are judged as they stand, and nothing is remembered: whoever asks twice is told "
        "the same, so a server that uses this keeps the nonces itself. Headers of two protocols "
        "are refused, whatever the mode. Exit code 1 when the request is refused.",
    .options = verify_options,
    .option_count = sizeof verify_options / sizeof verify_options[0],
    .examples = verify_examples,
    .run = run_verify,
};
