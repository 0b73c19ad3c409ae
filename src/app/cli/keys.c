/* From the options of a call to a key that signs: which file, whose password, which scheme. */
#include "app/cli/keys.h"

#include <stdlib.h>
#include <string.h>

#include "io/sys/sys.h"

enum { PROMPTS_MAX = 3 };

const char *const tl_app_crypto_types[] = {"sr25519", "ed25519", "1", "0", NULL};

/* A variable that says something. */
static const char *env_text(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

const tl_scheme *tl_app_scheme(const tl_cmd_call *call)
{
    const char *text = tl_cmd_text(call, "crypto-type");
    if (text == NULL) {
        return NULL;
    }
    const tl_scheme *scheme = tl_scheme_parse(tl_str_from_cstr(text));
    TL_ASSERT(scheme != NULL); /* CMD-1: one of tl_app_crypto_types */
    return scheme;
}

bool tl_app_may_ask(const tl_app *app)
{
    return !app->is_json && tl_sys_can_prompt();
}

/* --- a URI --- */

tl_err tl_app_uri_keypair(const tl_cmd_call *call, tl_keypair **out, tl_errctx *ctx)
{
    const char *uri = tl_cmd_text(call, "uri");
    const tl_scheme *scheme = tl_app_scheme(call);
    TL_ASSERT(uri != NULL);
    if (tl_cmd_is_given(call, "wallet") || tl_cmd_is_given(call, "hotkey")) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "uri", "--uri and a wallet name two keys");
    }
    const tl_err err = tl_keypair_from_uri(out, scheme != NULL ? scheme : tl_scheme_sr25519(),
                                           tl_str_from_cstr(uri), ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "uri");
    }
    return err;
}

/* --- paths --- */

tl_err tl_app_wallet_root(tl_app *app, const tl_cmd_call *call, const char **out, tl_errctx *ctx)
{
    const char *wanted = tl_cmd_text(call, "path");
    if (wanted == NULL) {
        wanted = env_text("BT_WALLET_PATH");
    }
    return tl_wallet_root(out, app->arena, wanted, getenv("HOME"), ctx);
}

static const char *name_of(const tl_cmd_call *call, const char *option, const char *variable)
{
    const char *name = tl_cmd_text(call, option);
    if (name == NULL) {
        name = env_text(variable);
    }
    return name != NULL ? name : TL_WALLET_NAME_DEFAULT;
}

tl_err tl_app_wallet(tl_app *app, const tl_cmd_call *call, tl_wallet *out, tl_errctx *ctx)
{
    const char *root = NULL;
    TL_TRY(tl_app_wallet_root(app, call, &root, ctx));
    return tl_wallet_init(out, app->arena, root, name_of(call, "wallet", "BT_WALLET_NAME"),
                          name_of(call, "hotkey", "BT_WALLET_HOTKEY"), ctx);
}

/* --- passwords --- */

tl_err tl_app_read_secret(tl_str *out, tl_arena *secrets, const char *path, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_sys_read_file(&text, secrets, path, TL_PASSWORD_LEN_MAX, ctx));
    if (tl_str_ends_with(text, TL_STR("\n"))) {
        text.len -= tl_str_ends_with(text, TL_STR("\r\n")) ? 2 : 1;
    }
    *out = text;
    return TL_OK;
}

/* The password where it can be had without asking; ptr NULL: nowhere. */
static tl_err find_password(const tl_cmd_call *call, tl_str *out, tl_arena *secrets,
                            const char *path, tl_errctx *ctx)
{
    const char *variable = NULL;
    const char *file = tl_cmd_text(call, "password-file");
    *out = (tl_str){NULL, 0};
    if (file != NULL) {
        return tl_app_read_secret(out, secrets, file, ctx);
    }
    const char *value = env_text("BT_WALLET_PASSWORD");
    if (value != NULL) {
        *out = tl_str_from_cstr(value);
        return TL_OK;
    }
    TL_TRY(tl_password_env_name(&variable, secrets, path, ctx));
    value = env_text(variable);
    if (value != NULL) {
        return tl_password_env_decode(out, secrets, variable, value, ctx);
    }
    file = env_text("BT_WALLET_PASSWORD_FILE");
    if (file != NULL) {
        TL_TRY(tl_app_read_secret(out, secrets, file, ctx));
        *out = tl_str_trim(*out);
    }
    return TL_OK;
}

static tl_err fail_no_password(const char *path, tl_errctx *ctx)
{
    const tl_err err = tl_fail_field(ctx, TL_ERR_REFUSED, "password-file",
                                     "\"%s\" is encrypted, and there is no password for it", path);
    tl_errctx_hint(ctx, "give --password-file, or run it on a terminal without --json");
    return err;
}

/* Ask until it fits, but not for ever. */
static tl_err decrypt_asking(tl_app *app, tl_str *out, tl_arena *secrets, const char *path,
                             tl_str file, tl_errctx *ctx)
{
    const char *question = NULL;
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, app->arena);
    tl_sb_printf(&sb, "password of %s: ", path);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    question = text.ptr;
    tl_err err = TL_ERR_REFUSED;
    for (int i = 0; i < PROMPTS_MAX && err == TL_ERR_REFUSED; i++) {
        tl_str password = {NULL, 0};
        tl_errctx_reset(ctx);
        TL_TRY(tl_sys_prompt(&password, secrets, question, true, ctx));
        err = tl_keyfile_decrypt(out, secrets, tl_str_bytes(file), password, ctx);
        if (err == TL_ERR_REFUSED && i + 1 < PROMPTS_MAX) {
            tl_app_say(app, "wrong password");
        }
    }
    return err;
}

static tl_err decrypt(tl_app *app, const tl_cmd_call *call, tl_str *out, tl_arena *secrets,
                      const char *path, tl_str file, tl_errctx *ctx)
{
    tl_str password = {NULL, 0};
    TL_TRY(find_password(call, &password, secrets, path, ctx));
    if (password.ptr != NULL) {
        return tl_keyfile_decrypt(out, secrets, tl_str_bytes(file), password, ctx);
    }
    return tl_app_may_ask(app) ? decrypt_asking(app, out, secrets, path, file, ctx)
                               : fail_no_password(path, ctx);
}

tl_err tl_app_read_key(tl_app *app, const tl_cmd_call *call, tl_str *out, tl_arena *secrets,
                       const char *path, tl_errctx *ctx)
{
    tl_str file = {NULL, 0};
    const tl_err found = tl_sys_read_file(&file, secrets, path, TL_KEYFILE_LEN_MAX, ctx);
    if (found == TL_ERR_NOT_FOUND) {
        tl_errctx_hint(
            ctx, "--wallet, --hotkey and --path name the file of a key; \"tally wallet list\" "
                 "shows what is there");
    }
    TL_TRY(found);
    if (tl_keyfile_kind_of(tl_str_bytes(file)) == TL_KEYFILE_PLAIN) {
        *out = file;
        return TL_OK;
    }
    const tl_err err = decrypt(app, call, out, secrets, path, file, ctx);
    if (err != TL_OK && ctx != NULL && strstr(ctx->message, path) == NULL) {
        tl_errctx_wrap(ctx, "%s", path);
    }
    return err;
}

/* --- keys --- */

static tl_err check_scheme(const tl_cmd_call *call, const tl_keypair *pair, const char *path,
                           tl_errctx *ctx)
{
    const tl_scheme *wanted = tl_app_scheme(call);
    const tl_scheme *found = tl_keypair_scheme(pair);
    if (wanted != NULL && wanted != found) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "crypto-type", "\"%s\" holds a key of %s, not of %s",
                             path, found->name, wanted->name);
    }
    return TL_OK;
}

static tl_err decode(const tl_cmd_call *call, tl_keypair **out, tl_str plain, const char *path,
                     tl_errctx *ctx)
{
    tl_keypair *pair = NULL;
    tl_err err = tl_keyfile_decode(&pair, tl_str_bytes(plain), ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
        return err;
    }
    err = check_scheme(call, pair, path, ctx);
    if (err != TL_OK) {
        tl_keypair_free(pair);
        return err;
    }
    *out = pair;
    return TL_OK;
}

tl_err tl_app_open_key(tl_app *app, const tl_cmd_call *call, tl_keypair **out, const char *path,
                       tl_errctx *ctx)
{
    tl_arena *secrets = NULL;
    tl_str plain = {NULL, 0};
    TL_TRY(tl_wallet_arena_new(&secrets, ctx));
    tl_err err = tl_app_read_key(app, call, &plain, secrets, path, ctx);
    if (err == TL_OK) {
        err = decode(call, out, plain, path, ctx);
    }
    tl_arena_free(secrets);
    return err;
}

tl_err tl_app_keypair(tl_app *app, const tl_cmd_call *call, tl_keypair **out, tl_errctx *ctx)
{
    tl_wallet wallet;
    tl_keypair *pair = NULL;
    if (tl_cmd_text(call, "uri") != NULL) {
        return tl_app_uri_keypair(call, out, ctx);
    }
    TL_TRY(tl_app_wallet(app, call, &wallet, ctx));
    TL_TRY(tl_app_open_key(app, call, &pair, wallet.hotkey_path, ctx));
    if (!tl_keypair_can_sign(pair)) {
        tl_keypair_free(pair);
        return tl_fail_field(ctx, TL_ERR_STATE, wallet.hotkey_path,
                             "\"%s\" has the public key alone: it cannot sign", wallet.hotkey_path);
    }
    *out = pair;
    return TL_OK;
}
