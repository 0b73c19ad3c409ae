/* tally coordinator token, key and audit: credentials for people and programs, and the record of what was done with them. They
 * work on the stores, beside a coordinator that runs: with SQLite in its state folder, else in its database. */
#include <string.h>
#include <unistd.h>

#include "app/access/access.h"
#include "app/cli/cli.h"
#include "app/cli/stores.h"

enum { PAGE = 1000, ACTOR_CAP = 40 };

/* What each of these commands holds while it works. */
typedef struct session {
    tl_app *app;
    const tl_cmd_call *call;
    tl_records *records;
    tl_access *access;
    tl_access_actor actor;
    char actor_name[ACTOR_CAP];
} session;

typedef tl_err (*session_work)(session *s, tl_errctx *ctx);

static tl_err open_session(session *s, tl_errctx *ctx)
{
    tl_app_stores stores;
    TL_TRY(tl_app_stores_read(s->app, s->call, &stores, ctx));
    TL_TRY(tl_app_open_records(&s->records, &stores, TL_RECORDS_USE, ctx));
    const tl_access_options options = {.dir = stores.dir, .records = s->records};
    return tl_access_open(&s->access, &options, ctx);
}

static tl_err with_session(void *self, const tl_cmd_call *call, session_work work, tl_errctx *ctx)
{
    session s = {.app = self, .call = call};
    const size_t len =
        tl_str_print(s.actor_name, sizeof s.actor_name, "cli:uid:%lu", (unsigned long)getuid());
    s.actor.name = (tl_str){s.actor_name, len};
    tl_err err = open_session(&s, ctx);
    err = err == TL_OK ? work(&s, ctx) : err;
    tl_access_close(s.access);
    tl_records_close(s.records);
    return err;
}

static void put_time(tl_json_writer *w, const char *key, int64_t ms)
{
    char text[TL_TIME_TEXT_CAP];
    tl_json_put_key(w, key);
    if (ms == 0) {
        tl_json_put_null(w);
        return;
    }
    tl_time_text(text, ms * 1000000);
    tl_json_put_cstr(w, text);
}

/* --- token --- */

static tl_err print_token(session *s, tl_str token, int64_t expires_s, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, s->app->arena);
    if (!s->app->is_json) {
        tl_sb_put(&sb, token);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(s->app, &sb, ctx);
    }
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    put_time(&w, "expires_at", expires_s * 1000);
    tl_json_put_key(&w, "token");
    tl_json_put_str(&w, token);
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(s->app, &sb, ctx);
}

static tl_err make_token(session *s, tl_errctx *ctx)
{
    tl_api_role role = TL_API_ROLE_NONE;
    const char *name = tl_cmd_text(s->call, "role");
    const bool is_role = tl_access_role_parse(&role, tl_str_from_cstr(name));
    TL_ASSERT(is_role); /* a choice of the option */
    const uint64_t ttl = tl_cmd_u64(s->call, "ttl");
    if (ttl == 0 || ttl > (uint64_t)TL_ACCESS_TOKEN_S_MAX) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "ttl", "a token lives 1 to %lld seconds",
                             (long long)TL_ACCESS_TOKEN_S_MAX);
    }
    tl_str token;
    int64_t expires_s;
    char jti[33];
    TL_TRY(tl_access_make_token(s->access, &token, &expires_s, jti, s->app->arena, role,
                                (int64_t)ttl, s->actor.name, ctx));
    char detail[64];
    const size_t len = tl_str_print(detail, sizeof detail, "{\"role\":\"%s\",\"ttl\":%llu}", name,
                                    (unsigned long long)ttl);
    TL_TRY(tl_access_note(s->access, s->records, &s->actor, TL_STR("token.create"),
                          (tl_str){jti, 32}, (tl_str){detail, len}, ctx));
    return print_token(s, token, expires_s, ctx);
}

static tl_err run_token(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    return with_session(self, call, make_token, ctx);
}

static const char *const roles[] = {"admin", "operator", "viewer", NULL};

static const tl_cmd_option token_options[] = {
    {.name = "role",
     .type = TL_CMD_CHOICE,
     .metavar = "ROLE",
     .choices = roles,
     .is_required = true,
     .help = "what its bearer may do"},
    {.name = "ttl",
     .type = TL_CMD_U64,
     .metavar = "S",
     .fallback = "3600",
     .help = "how many seconds it lives, at most 30 days; it cannot be revoked before"},
    TL_APP_POSTGRES_OPTION,
};

static const char *const token_examples[] = {
    "tally coordinator token --role viewer --ttl 600",
    NULL,
};

const tl_cmd tl_cli_coordinator_token = {
    .name = "coordinator token",
    .summary = "make a token for a person: Authorization: Bearer TOKEN",
    .text = "A JWT, signed with the key of the state folder (tokens.key), or of the database with "
            "--postgres. It is noted in the audit log.",
    .options = token_options,
    .option_count = sizeof token_options / sizeof token_options[0],
    .examples = token_examples,
    .run = run_token,
};

/* --- key --- */

static void put_scopes(tl_json_writer *w, tl_str scopes)
{
    tl_str scope;
    tl_json_put_key(w, "scopes");
    tl_json_put_array(w);
    while (tl_str_split(&scope, &scopes, ' ')) {
        tl_json_put_str(w, scope);
    }
    tl_json_put_end(w);
}

static tl_err print_new_key(session *s, const tl_access_new_key *key, tl_errctx *ctx)
{
    tl_sb sb;
    tl_record_key row;
    tl_sb_init(&sb, s->app->arena);
    if (!s->app->is_json) {
        tl_app_say(s->app, "key %.*s, shown once:", TL_STR_ARG(key->id));
        tl_sb_put(&sb, key->key);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(s->app, &sb, ctx);
    }
    TL_TRY(tl_records_get_key(s->records, &row, key->id, s->app->arena, ctx));
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    put_time(&w, "expires_at", key->expires_ms);
    tl_json_put_key(&w, "id");
    tl_json_put_str(&w, key->id);
    tl_json_put_key(&w, "key");
    tl_json_put_str(&w, key->key);
    put_scopes(&w, row.scopes);
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(s->app, &sb, ctx);
}

static tl_err create_key(session *s, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str scopes;
    tl_sb_init(&sb, s->app->arena);
    const size_t count = tl_cmd_count(s->call, "scope");
    if (count == 0) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "scope", "a key needs a scope: --scope read");
    }
    for (size_t i = 0; i < count; i++) {
        tl_sb_put_cstr(&sb, i > 0 ? " " : "");
        tl_sb_put_cstr(&sb, tl_cmd_text_at(s->call, "scope", i));
    }
    TL_TRY(tl_sb_finish(&scopes, &sb, ctx));
    tl_access_new_key key;
    TL_TRY(tl_access_make_key(s->access, s->records, &key, s->app->arena, scopes,
                              tl_str_from_cstr(tl_cmd_text(s->call, "label")), &s->actor, ctx));
    return print_new_key(s, &key, ctx);
}

static tl_err rotate_key(session *s, tl_errctx *ctx)
{
    tl_access_new_key key;
    TL_TRY(tl_access_rotate_key(s->access, s->records, &key, s->app->arena,
                                tl_str_from_cstr(s->call->args[1]), &s->actor, ctx));
    return print_new_key(s, &key, ctx);
}

static tl_err revoke_key(session *s, tl_errctx *ctx)
{
    const tl_str id = tl_str_from_cstr(s->call->args[1]);
    TL_TRY(tl_access_revoke_key(s->access, s->records, id, &s->actor, ctx));
    tl_sb sb;
    tl_sb_init(&sb, s->app->arena);
    if (!s->app->is_json) {
        tl_sb_printf(&sb, "%.*s is revoked\n", TL_STR_ARG(id));
        return tl_app_print_sb(s->app, &sb, ctx);
    }
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "id");
    tl_json_put_str(&w, id);
    tl_json_put_key(&w, "revoked");
    tl_json_put_bool(&w, true);
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(s->app, &sb, ctx);
}

static void put_key(tl_sb *sb, const tl_record_key *row)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    put_time(&w, "created_at", row->created_ms);
    put_time(&w, "expires_at", row->expires_ms);
    tl_json_put_key(&w, "id");
    tl_json_put_str(&w, row->id);
    tl_json_put_key(&w, "label");
    tl_json_put_str(&w, row->label);
    tl_json_put_key(&w, "replaces");
    if (row->replaces.len > 0) {
        tl_json_put_str(&w, row->replaces);
    } else {
        tl_json_put_null(&w);
    }
    put_time(&w, "revoked_at", row->revoked_ms);
    put_scopes(&w, row->scopes);
    tl_json_put_end(&w);
    tl_sb_put_char(sb, '\n');
}

static void put_key_text(tl_sb *sb, const tl_record_key *row)
{
    char expires[TL_TIME_TEXT_CAP];
    tl_time_text(expires, row->expires_ms * 1000000);
    tl_sb_printf(sb, "%.*s  %s %s  %.*s  %.*s\n", TL_STR_ARG(row->id),
                 row->revoked_ms != 0 ? "revoked" : "until", expires, TL_STR_ARG(row->scopes),
                 TL_STR_ARG(row->label));
}

/* A line a key, a page at a time. */
static tl_err list_keys(session *s, tl_errctx *ctx)
{
    tl_str after = {NULL, 0};
    for (;;) {
        const tl_record_key *rows;
        size_t count;
        TL_TRY(tl_records_keys(s->records, &rows, &count, after, PAGE, s->app->arena, ctx));
        tl_sb sb;
        tl_sb_init(&sb, s->app->arena);
        for (size_t i = 0; i < count; i++) {
            if (s->app->is_json) {
                put_key(&sb, &rows[i]);
            } else {
                put_key_text(&sb, &rows[i]);
            }
        }
        TL_TRY(tl_app_print_sb(s->app, &sb, ctx));
        if (count < PAGE) {
            return TL_OK;
        }
        after = rows[count - 1].id;
    }
}

static const struct {
    const char *name;
    bool wants_id;
    session_work work;
} key_actions[] = {{"create", false, create_key},
                   {"list", false, list_keys},
                   {"rotate", true, rotate_key},
                   {"revoke", true, revoke_key}};

static tl_err run_key(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    for (size_t i = 0; i < sizeof key_actions / sizeof key_actions[0]; i++) {
        if (strcmp(call->args[0], key_actions[i].name) != 0) {
            continue;
        }
        if ((call->arg_count == 2) != key_actions[i].wants_id) {
            return tl_fail_field(ctx, TL_ERR_USAGE, "id", "%s takes %s", key_actions[i].name,
                                 key_actions[i].wants_id ? "the id of a key" : "no id");
        }
        return with_session(self, call, key_actions[i].work, ctx);
    }
    return tl_fail_field(ctx, TL_ERR_INTERNAL, "action", "an action without a row");
}

static const char *const action_names[] = {"create", "list", "rotate", "revoke", NULL};
static const char *const scope_names[] = {"read", "operate", "admin", NULL};

static const tl_cmd_option key_options[] = {
    {.name = "scope",
     .type = TL_CMD_CHOICE,
     .metavar = "S",
     .choices = scope_names,
     .is_repeatable = true,
     .help = "what the key may do: read, operate or admin"},
    {.name = "label", .type = TL_CMD_TEXT, .metavar = "TEXT", .help = "what the key is for"},
    TL_APP_POSTGRES_OPTION,
};

static const tl_cmd_option key_args[] = {
    {.name = "action",
     .type = TL_CMD_CHOICE,
     .metavar = "ACTION",
     .choices = action_names,
     .is_required = true,
     .help = "create, list, rotate or revoke"},
    {.name = "id", .type = TL_CMD_TEXT, .metavar = "ID", .help = "of rotate and revoke: which key"},
};

static const char *const key_examples[] = {
    "tally coordinator key create --scope read --label dashboard",
    "tally coordinator key list",
    NULL,
};

const tl_cmd tl_cli_coordinator_key = {
    .name = "coordinator key",
    .summary = "make, list, rotate and revoke keys for programs: X-API-Key: KEY",
    .text =
        "A key is shown once and lives 90 days; the store holds its hash alone. rotate makes a "
        "new one with the same scopes and revokes the old one in the same step. Every change is "
        "noted in the audit log.",
    .options = key_options,
    .option_count = sizeof key_options / sizeof key_options[0],
    .args = key_args,
    .arg_count = sizeof key_args / sizeof key_args[0],
    .examples = key_examples,
    .run = run_key,
};

/* --- audit --- */

static void put_act(tl_sb *sb, const tl_record_act *act)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "act");
    tl_json_put_str(&w, act->act);
    tl_json_put_key(&w, "actor");
    tl_json_put_str(&w, act->actor);
    put_time(&w, "at", act->at_ms);
    tl_json_put_key(&w, "correlation_id");
    tl_json_put_str(&w, act->correlation);
    tl_json_put_key(&w, "detail");
    tl_json_put_raw(&w, act->detail.len > 0 ? act->detail : TL_STR("null"));
    tl_json_put_key(&w, "hash");
    tl_json_put_hex(&w, act->hash.b, sizeof act->hash.b);
    tl_json_put_key(&w, "previous");
    tl_json_put_hex(&w, act->previous.b, sizeof act->previous.b);
    tl_json_put_key(&w, "serial");
    tl_json_put_u64(&w, act->serial);
    tl_json_put_key(&w, "subject");
    tl_json_put_str(&w, act->subject);
    tl_json_put_end(&w);
    tl_sb_put_char(sb, '\n');
}

static void put_act_text(tl_sb *sb, const tl_record_act *act)
{
    char at[TL_TIME_TEXT_CAP];
    tl_time_text(at, act->at_ms * 1000000);
    tl_sb_printf(sb, "%6llu  %s  %.*s  %.*s  %.*s  %.*s\n", (unsigned long long)act->serial, at,
                 TL_STR_ARG(act->actor), TL_STR_ARG(act->act), TL_STR_ARG(act->subject),
                 TL_STR_ARG(act->detail));
}

/* The chain is checked while it is read: a row that was changed, or is missing, ends the list with an error. */
static tl_err check_link(const tl_record_act *act, uint64_t serial, const tl_hash32 *previous,
                         tl_errctx *ctx)
{
    tl_hash32 hash;
    tl_record_act_hash(&hash, act);
    if (act->serial != serial || tl_hash32_cmp(&act->previous, previous) != 0 ||
        tl_hash32_cmp(&act->hash, &hash) != 0) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, "serial",
                             "act %llu of the audit log is not as it was written",
                             (unsigned long long)serial);
    }
    return TL_OK;
}

static tl_err list_acts(session *s, tl_errctx *ctx)
{
    uint64_t serial = 0;
    tl_hash32 previous = {{0}};
    for (size_t count = PAGE; count == PAGE;) {
        const tl_record_act *acts;
        const tl_arena_mark mark = tl_arena_get_mark(s->app->arena);
        TL_TRY(tl_records_acts(s->records, &acts, &count, serial, PAGE, s->app->arena, ctx));
        tl_sb sb;
        tl_sb_init(&sb, s->app->arena);
        tl_err err = TL_OK;
        for (size_t i = 0; i < count && err == TL_OK; i++) {
            err = check_link(&acts[i], ++serial, &previous, ctx);
            previous = acts[i].hash;
            if (s->app->is_json) {
                put_act(&sb, &acts[i]);
            } else {
                put_act_text(&sb, &acts[i]);
            }
        }
        TL_TRY(err);
        TL_TRY(tl_app_print_sb(s->app, &sb, ctx));
        tl_arena_rewind(s->app->arena, mark);
    }
    return TL_OK;
}

static tl_err run_audit(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    return with_session(self, call, list_acts, ctx);
}

static const tl_cmd_option audit_options[] = {TL_APP_POSTGRES_OPTION};

static const char *const audit_examples[] = {
    "tally coordinator audit",
    NULL,
};

const tl_cmd tl_cli_coordinator_audit = {
    .name = "coordinator audit",
    .summary = "show every administrative act, a line each, and check their chain",
    .options = audit_options,
    .option_count = sizeof audit_options / sizeof audit_options[0],
    .examples = audit_examples,
    .run = run_audit,
};
