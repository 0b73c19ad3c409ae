/* tally wallet show, list, sign and verify: what can be done with keys that are there. */
#include <stdlib.h>

#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "core/codec/hex/hex.h"
#include "io/sys/sys.h"
#include "sdk/wallet/wallet.h"

enum {
    SIGNATURE_HEX_MAX = 65536
}; /* digits of a signature: post-quantum ones have thousands of bytes */

/* --- output --- */

static void put_address(tl_json_writer *w, const tl_hotkey *key)
{
    char text[TL_SS58_CAP];
    (void)tl_ss58_encode(text, key, TL_SS58_PREFIX_GENERIC);
    tl_json_put_cstr(w, text);
}

static void put_0x(tl_json_writer *w, const uint8_t *bytes, size_t len)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, w->sb->arena);
    tl_sb_put_cstr(&sb, "0x");
    tl_hex_encode(&sb, bytes, len);
    if (tl_sb_finish(&text, &sb, NULL) != TL_OK) {
        w->sb->err = sb.err; /* the writer's own builder says it at its end */
    }
    tl_json_put_str(w, text);
}

/* --- which key: of a URI, or of files; without --hotkey the coldkey --- */

static tl_wallet_part part_of(const tl_cmd_call *call)
{
    return tl_cmd_is_given(call, "hotkey") ? TL_WALLET_HOTKEY : TL_WALLET_COLDKEY;
}

/* What is known of the key without a password. */
static tl_err look(tl_app *app, const tl_cmd_call *call, tl_wallet_key_info *out, tl_errctx *ctx)
{
    tl_wallet wallet;
    TL_TRY(tl_app_wallet(app, call, &wallet, ctx));
    const tl_wallet_part part = part_of(call);
    const char *path = tl_wallet_path(&wallet, part);
    const char *pub_path = tl_wallet_pub_path(&wallet, part);
    if (!tl_sys_exists(path) && !tl_sys_exists(pub_path)) {
        const tl_err err =
            tl_fail_field(ctx, TL_ERR_NOT_FOUND, path, "there is no key at \"%s\"", path);
        tl_errctx_hint(ctx, "\"tally wallet list\" shows the keys that are there");
        return err;
    }
    TL_TRY(tl_wallet_look(out, app->arena, part == TL_WALLET_HOTKEY ? wallet.hotkey : wallet.name,
                          path, pub_path, ctx));
    if (!out->is_known) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, path, "%s", out->problem);
    }
    if (out->problem != NULL) {
        tl_app_say(app, "warning: %s", out->problem);
    }
    return TL_OK;
}

/* The key that signs. */
static tl_err open_signer(tl_app *app, const tl_cmd_call *call, tl_keypair **out, tl_errctx *ctx)
{
    tl_wallet wallet;
    tl_keypair *pair = NULL;
    if (tl_cmd_text(call, "uri") != NULL) {
        return tl_app_uri_keypair(call, out, ctx);
    }
    TL_TRY(tl_app_wallet(app, call, &wallet, ctx));
    const char *path = tl_wallet_path(&wallet, part_of(call));
    TL_TRY(tl_app_open_key(app, call, &pair, path, ctx));
    if (!tl_keypair_can_sign(pair)) {
        tl_keypair_free(pair);
        return tl_fail_field(ctx, TL_ERR_STATE, path,
                             "\"%s\" has the public key alone: it cannot sign", path);
    }
    *out = pair;
    return TL_OK;
}

#define SHOWN_KEY_OPTIONS                                                                          \
    TL_APP_URI_OPTION, TL_APP_WALLET_OPTION,                                                       \
        {.name = "hotkey",                                                                         \
         .type = TL_CMD_TEXT,                                                                      \
         .metavar = "H",                                                                           \
         .help = "this hotkey of the wallet; without it the coldkey"},                             \
        TL_APP_PATH_OPTION, TL_APP_CRYPTO_TYPE_OPTION

/* --- wallet show --- */

typedef struct shown {
    const tl_scheme *scheme;
    tl_hotkey public_key;
    const char *path; /* NULL: of no file */
} shown;

static tl_err find_shown(tl_app *app, const tl_cmd_call *call, shown *out, tl_errctx *ctx)
{
    if (tl_cmd_text(call, "uri") != NULL) {
        tl_keypair *pair = NULL;
        TL_TRY(tl_app_uri_keypair(call, &pair, ctx));
        *out = (shown){tl_keypair_scheme(pair), *tl_keypair_public(pair), NULL};
        tl_keypair_free(pair);
        return TL_OK;
    }
    tl_wallet_key_info info;
    TL_TRY(look(app, call, &info, ctx));
    const tl_scheme *wanted = tl_app_scheme(call);
    if (wanted != NULL && wanted != info.scheme) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "crypto-type", "\"%s\" is a key of %s, not of %s",
                             info.name, info.scheme->name, wanted->name);
    }
    *out = (shown){info.scheme, info.public_key, info.path};
    return TL_OK;
}

static tl_err run_show(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    shown key;
    TL_TRY(find_shown(app, call, &key, ctx));
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_json_put_object(&w);
        if (key.path != NULL) {
            tl_json_put_key(&w, "path");
            tl_json_put_cstr(&w, key.path);
        }
        tl_json_put_key(&w, "public_key");
        put_0x(&w, key.public_key.b, sizeof key.public_key.b);
        tl_json_put_key(&w, "scheme");
        tl_json_put_cstr(&w, key.scheme->name);
        tl_json_put_key(&w, "ss58");
        put_address(&w, &key.public_key);
        tl_json_put_end(&w);
        tl_json_writer_done(&w);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(app, &sb, ctx);
    }
    tl_sb_put_cstr(&sb, "address     ");
    tl_hotkey_print(&sb, &key.public_key);
    tl_sb_put_cstr(&sb, "\npublic key  0x");
    tl_hex_encode(&sb, key.public_key.b, sizeof key.public_key.b);
    tl_sb_printf(&sb, "\nscheme      %s\n", key.scheme->name);
    if (key.path != NULL) {
        tl_sb_printf(&sb, "file        %s\n", key.path);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option show_options[] = {SHOWN_KEY_OPTIONS};
static const char *const show_examples[] = {"tally wallet show --uri //Alice", NULL};

const tl_cmd tl_cli_wallet_show = {
    .name = "wallet show",
    .summary = "address, public key and scheme of a key; needs no password",
    .text =
        "Of files the coldkey is shown from coldkeypub.txt where it is encrypted, a hotkey from "
        "its own file or, where that is encrypted, from its public one.",
    .options = show_options,
    .option_count = sizeof show_options / sizeof *show_options,
    .examples = show_examples,
    .run = run_show,
};

/* --- wallet list --- */

static void put_list_key(tl_json_writer *w, const char *name_key, const char *name,
                         const tl_wallet_key_info *key)
{
    tl_json_put_key(w, name_key);
    tl_json_put_cstr(w, name);
    tl_json_put_key(w, "crypto_type"); /* as btcli calls it */
    tl_json_put_cstr(w, key->is_known ? key->scheme->name : NULL);
    tl_json_put_key(w, "encrypted");
    tl_json_put_bool(w, key->is_encrypted);
    tl_json_put_key(w, "path");
    tl_json_put_cstr(w, key->path);
    tl_json_put_key(w, "problem");
    tl_json_put_cstr(w, key->problem);
    tl_json_put_key(w, "scheme");
    tl_json_put_cstr(w, key->is_known ? key->scheme->name : NULL);
    tl_json_put_key(w, "ss58");
    if (key->is_known) {
        put_address(w, &key->public_key);
    } else {
        tl_json_put_null(w);
    }
}

static void put_list_json(tl_sb *sb, const char *root, const tl_wallet_info *wallets, size_t count)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "coldkeys");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_object(&w);
        put_list_key(&w, "coldkey", wallets[i].name, &wallets[i].coldkey);
        tl_json_put_key(&w, "hotkeys");
        tl_json_put_array(&w);
        for (size_t k = 0; k < wallets[i].hotkey_count; k++) {
            tl_json_put_object(&w);
            put_list_key(&w, "name", wallets[i].hotkeys[k].name, &wallets[i].hotkeys[k]);
            tl_json_put_end(&w);
        }
        tl_json_put_end(&w);
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "path");
    tl_json_put_cstr(&w, root);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
}

static void put_list_line(tl_sb *sb, const char *name, const tl_wallet_key_info *key)
{
    tl_sb_printf(sb, "%-24s  ", name);
    if (key->is_known) {
        tl_hotkey_print(sb, &key->public_key);
        tl_sb_printf(sb, "  %s%s\n", key->scheme->name,
                     key->path == NULL   ? ", public part only"
                     : key->is_encrypted ? ", encrypted"
                                         : "");
        if (key->problem != NULL) {
            tl_sb_printf(sb, "    %s\n", key->problem);
        }
    } else {
        tl_sb_printf(sb, "%s\n", key->problem != NULL ? key->problem : "no coldkey");
    }
}

static tl_err run_list(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    const char *root = NULL;
    const tl_wallet_info *wallets = NULL;
    size_t count = 0;
    TL_TRY(tl_app_wallet_root(app, call, &root, ctx));
    TL_TRY(tl_wallet_list(&wallets, &count, app->arena, root, ctx));
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        put_list_json(&sb, root, wallets, count);
        return tl_app_print_sb(app, &sb, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        put_list_line(&sb, wallets[i].name, &wallets[i].coldkey);
        for (size_t k = 0; k < wallets[i].hotkey_count; k++) {
            tl_sb_put_cstr(&sb, "  ");
            put_list_line(&sb, wallets[i].hotkeys[k].name, &wallets[i].hotkeys[k]);
        }
    }
    if (count == 0) {
        tl_app_say(app, "no wallets in %s", root);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option list_options[] = {TL_APP_PATH_OPTION};
static const char *const list_examples[] = {"tally wallet list --path build/wallets", NULL};

const tl_cmd tl_cli_wallet_list = {
    .name = "wallet list",
    .summary = "the wallets of a folder and their hotkeys; needs no password",
    .text =
        "Names are in their natural order: k2 before k10. What cannot be read is listed with its "
        "problem.",
    .options = list_options,
    .option_count = sizeof list_options / sizeof *list_options,
    .examples = list_examples,
    .run = run_list,
};

/* --- the message --- */

#define MESSAGE_OPTIONS                                                                            \
    {.name = "message",                                                                            \
     .type = TL_CMD_TEXT,                                                                          \
     .metavar = "TEXT",                                                                            \
     .help = "the message, byte for byte as it stands"},                                           \
    {                                                                                              \
        .name = "message-file", .type = TL_CMD_FILE, .metavar = "F",                               \
        .help = "the message is the bytes of this file"                                            \
    }

static tl_err read_message(tl_app *app, const tl_cmd_call *call, tl_bytes *out, tl_errctx *ctx)
{
    const char *text = tl_cmd_text(call, "message");
    const char *path = tl_cmd_text(call, "message-file");
    tl_str message = {NULL, 0};
    if ((text == NULL) == (path == NULL)) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "message",
                             "one of --message and --message-file is needed");
    }
    if (text != NULL) {
        message = tl_str_from_cstr(text);
    } else {
        TL_TRY(tl_sys_read_file(&message, app->arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    }
    *out = tl_str_bytes(message);
    return TL_OK;
}

/* --- wallet sign --- */

static tl_err sign_with(tl_app *app, const tl_keypair *pair, tl_bytes message, tl_bytes *out,
                        tl_errctx *ctx)
{
    const size_t cap = tl_keypair_scheme(pair)->signature_len_max;
    const tl_entropy entropy = tl_sys_entropy();
    uint8_t *signature = TL_NEW(app->arena, uint8_t, cap);
    if (signature == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    out->ptr = signature;
    return tl_keypair_sign(signature, cap, &out->len, pair, message, &entropy, ctx);
}

static tl_err run_sign(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_bytes message = {NULL, 0};
    tl_bytes signature = {NULL, 0};
    tl_keypair *pair = NULL;
    TL_TRY(read_message(app, call, &message, ctx));
    TL_TRY(open_signer(app, call, &pair, ctx));
    const tl_hotkey key = *tl_keypair_public(pair);
    const tl_err err = sign_with(app, pair, message, &signature, ctx);
    tl_keypair_free(pair);
    TL_TRY(err);
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "signature");
        put_0x(&w, signature.ptr, signature.len);
        tl_json_put_key(&w, "ss58");
        put_address(&w, &key);
        tl_json_put_end(&w);
        tl_json_writer_done(&w);
        tl_sb_put_char(&sb, '\n');
        return tl_app_print_sb(app, &sb, ctx);
    }
    tl_sb_put_cstr(&sb, "address    ");
    tl_hotkey_print(&sb, &key);
    tl_sb_put_cstr(&sb, "\nsignature  0x");
    tl_hex_encode(&sb, signature.ptr, signature.len);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option sign_options[] = {SHOWN_KEY_OPTIONS, TL_APP_PASSWORD_FILE_OPTION,
                                             MESSAGE_OPTIONS};
static const char *const sign_examples[] = {
    "tally wallet sign --uri //Alice --message hello",
    "tally wallet sign --uri //Alice --crypto-type ed25519 --message hello --json", NULL};

const tl_cmd tl_cli_wallet_sign = {
    .name = "wallet sign",
    .summary = "sign a message with a coldkey, a hotkey or a secret URI",
    .text =
        "The message is signed as it stands: text that begins with 0x is text. The password of an "
        "encrypted key comes from --password-file, from the variables that other tools use "
        "(BT_WALLET_PASSWORD, BT_PW_ and the file's path, BT_WALLET_PASSWORD_FILE) or from a "
        "prompt.",
    .options = sign_options,
    .option_count = sizeof sign_options / sizeof *sign_options,
    .examples = sign_examples,
    .run = run_sign,
};

/* --- wallet verify --- */

/* The key that is asked about: an address, or whatever show would show. */
static tl_err find_verified(tl_app *app, const tl_cmd_call *call, shown *out, tl_errctx *ctx)
{
    const char *address = tl_cmd_text(call, "ss58");
    if (address == NULL) {
        return find_shown(app, call, out, ctx);
    }
    if (tl_cmd_text(call, "uri") != NULL || tl_cmd_is_given(call, "wallet") ||
        tl_cmd_is_given(call, "hotkey")) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "ss58", "--ss58 and another key name two keys");
    }
    uint16_t prefix;
    const tl_scheme *scheme = tl_app_scheme(call);
    const tl_err err =
        tl_ss58_decode_any(&out->public_key, &prefix, tl_str_from_cstr(address), ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "ss58");
        return err;
    }
    out->scheme = scheme != NULL ? scheme : tl_scheme_sr25519();
    out->path = NULL;
    return TL_OK;
}

static tl_err read_signature(tl_app *app, const tl_cmd_call *call, tl_bytes *out, tl_errctx *ctx)
{
    tl_str text = tl_str_from_cstr(tl_cmd_text(call, "signature"));
    if (tl_str_starts_with(text, TL_STR("0x"))) {
        text = tl_str_slice(text, 2, text.len);
    }
    if (text.len > SIGNATURE_HEX_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "signature",
                             "the signature has more than %d hex digits", SIGNATURE_HEX_MAX);
    }
    const tl_err err = tl_hex_decode_bytes(out, app->arena, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "signature");
    }
    return err;
}

static tl_err run_verify(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_bytes message = {NULL, 0};
    tl_bytes signature = {NULL, 0};
    shown key;
    TL_TRY(read_message(app, call, &message, ctx));
    TL_TRY(read_signature(app, call, &signature, ctx));
    TL_TRY(find_verified(app, call, &key, ctx));
    const bool is_valid =
        tl_scheme_verify_wrapped(key.scheme, (tl_bytes){key.public_key.b, sizeof key.public_key.b},
                                 message, signature, app->arena);
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    tl_sb_put_cstr(&sb, app->is_json ? (is_valid ? "{\"valid\":true}" : "{\"valid\":false}")
                        : is_valid   ? "valid"
                                     : "not valid");
    tl_sb_put_char(&sb, '\n');
    TL_TRY(tl_app_print_sb(app, &sb, ctx));
    if (!is_valid) {
        tl_app_check_failed(app);
    }
    return TL_OK;
}

static const tl_cmd_option verify_options[] = {
    {.name = "ss58", .type = TL_CMD_TEXT, .metavar = "A", .help = "the address of who signed"},
    SHOWN_KEY_OPTIONS,
    {.name = "signature",
     .type = TL_CMD_TEXT,
     .metavar = "S",
     .help = "the signature in hex, with or without 0x",
     .is_required = true},
    MESSAGE_OPTIONS};
static const char *const verify_examples[] = {
    "tally wallet verify --ss58 5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu --crypto-type "
    "ed25519 --message hello --signature "
    "0x0a29d0da25c55bbde882a556ce7d1ffbfef109d4e69141de17e1652a4e5787c5b6901c8de33f58b929ac5d7fddda"
    "0"
    "6bcd85aef94559e015242e9059ba26f3b08",
    NULL};

const tl_cmd tl_cli_wallet_verify = {
    .name = "wallet verify",
    .summary = "is this the signature of that key over this message? exit 1 if not",
    .text =
        "A signature over <Bytes>, the message and </Bytes> counts too: browser extensions sign "
        "that. Only the scheme of --crypto-type is tried. Keys under which anyone can sign are "
        "refused.",
    .options = verify_options,
    .option_count = sizeof verify_options / sizeof *verify_options,
    .examples = verify_examples,
    .run = run_verify,
};
