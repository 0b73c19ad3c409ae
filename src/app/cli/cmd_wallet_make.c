/* tally wallet create, new-coldkey, new-hotkey, regen-coldkey, regen-hotkey and rotate-password: what writes key files. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/mnemonic/mnemonic.h"
#include "io/sys/sys.h"
#include "sdk/wallet/wallet.h"

enum { PROMPTS_MAX = 3, SEED_FILE_MAX = 4096 };

/* job: one call; its secrets end with it. */
typedef struct job {
    tl_app *app;
    const tl_cmd_call *call;
    tl_arena *secrets;
    tl_wallet wallet;
    tl_keypair *coldkey; /* NULL: not made */
    tl_keypair *hotkey;
    bool is_public_only; /* there is nothing to write but the public file */
} job;

typedef tl_err (*job_fn)(job *j, tl_errctx *ctx);

static tl_err run_job(void *app, const tl_cmd_call *call, job_fn fn, tl_errctx *ctx)
{
    job j = {.app = (tl_app *)app, .call = call};
    TL_TRY(tl_app_wallet(j.app, call, &j.wallet, ctx));
    TL_TRY(tl_wallet_arena_new(&j.secrets, ctx));
    const tl_err err = fn(&j, ctx);
    tl_keypair_free(j.coldkey);
    tl_keypair_free(j.hotkey);
    tl_arena_free(j.secrets);
    return err;
}

/* --- questions --- */

static tl_err ask(const job *j, tl_str *out, bool is_secret, tl_errctx *ctx, const char *format,
                  const char *about)
{
    tl_sb sb;
    tl_str question = {NULL, 0};
    tl_sb_init(&sb, j->secrets);
    tl_sb_put_cstr(&sb, format);
    tl_sb_put_cstr(&sb, about);
    tl_sb_put_cstr(&sb, ": ");
    TL_TRY(tl_sb_finish(&question, &sb, ctx));
    return tl_sys_prompt(out, j->secrets, question.ptr, is_secret, ctx);
}

/* May what is at path be replaced? Asked where someone can answer, else refused by the rooms below. */
static tl_err may_replace(const job *j, bool *out, const char *path, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str question = {NULL, 0};
    *out = tl_cmd_flag(j->call, "overwrite");
    if (*out || !tl_sys_exists(path) || !tl_app_may_ask(j->app)) {
        return TL_OK;
    }
    tl_sb_init(&sb, j->secrets);
    tl_sb_printf(&sb,
                 "%s is there already; replace it? Without its mnemonic that key is lost. (y/N) ",
                 path);
    TL_TRY(tl_sb_finish(&question, &sb, ctx));
    TL_TRY(tl_sys_prompt_yes(out, j->secrets, question.ptr, ctx));
    return *out ? TL_OK : tl_fail_field(ctx, TL_ERR_REFUSED, path, "\"%s\" stays as it is", path);
}

/* Both files of a part, before anything is made or asked. */
static tl_err check_part(const job *j, bool *may_overwrite, tl_wallet_part part, tl_errctx *ctx)
{
    const char *paths[] = {tl_wallet_path(&j->wallet, part), tl_wallet_pub_path(&j->wallet, part)};
    *may_overwrite = tl_cmd_flag(j->call, "overwrite");
    for (size_t i = 0; i < 2 && !*may_overwrite; i++) {
        TL_TRY(may_replace(j, may_overwrite, paths[i], ctx));
        if (!*may_overwrite && tl_sys_exists(paths[i])) {
            const tl_err err =
                tl_fail_field(ctx, TL_ERR_REFUSED, paths[i], "\"%s\" is there already", paths[i]);
            tl_errctx_hint(ctx, "--overwrite replaces it; without its mnemonic that key is lost");
            return err;
        }
    }
    return TL_OK;
}

/* --- passwords that are set --- */

/* Twice, until it is one that may be used. */
static tl_err ask_new_password(const job *j, tl_str *out, const char *path, tl_errctx *ctx)
{
    for (int i = 0; i < PROMPTS_MAX; i++) {
        tl_str again = {NULL, 0};
        tl_errctx why = TL_ERRCTX_INIT;
        TL_TRY(ask(j, out, true, ctx, "new password of ", path));
        if (tl_password_check(*out, &why) != TL_OK) {
            tl_app_say(j->app, "%s", why.message);
            continue;
        }
        TL_TRY(ask(j, &again, true, ctx, "the same again", ""));
        if (tl_str_eq(*out, again)) {
            return TL_OK;
        }
        tl_app_say(j->app, "these are two passwords");
    }
    return tl_fail_field(ctx, TL_ERR_REFUSED, "password", "no password was set");
}

/* The password that a file is to have; ptr NULL: none. */
static tl_err new_password(const job *j, tl_str *out, const char *option, bool is_needed,
                           const char *path, tl_errctx *ctx)
{
    const char *file = tl_cmd_text(j->call, option);
    const bool is_plain = tl_cmd_flag(j->call, "no-password");
    *out = (tl_str){NULL, 0};
    if (file != NULL && is_plain) {
        return tl_fail_field(ctx, TL_ERR_USAGE, option, "--%s and --no-password contradict",
                             option);
    }
    if (is_plain || (file == NULL && !is_needed)) {
        return TL_OK;
    }
    if (file != NULL) {
        TL_TRY(tl_app_read_secret(out, j->secrets, file, ctx));
    } else if (tl_app_may_ask(j->app)) {
        TL_TRY(ask_new_password(j, out, path, ctx));
    } else {
        const tl_err err =
            tl_fail_field(ctx, TL_ERR_REFUSED, option, "there is no password for \"%s\"", path);
        tl_errctx_hint(ctx, "give --%s, or --no-password to leave the key plain", option);
        return err;
    }
    TL_TRY(tl_password_check(*out, ctx));
    if (tl_password_is_weak(*out)) {
        tl_app_say(j->app,
                   "warning: the password is weak: who gets the file will try such ones first");
    }
    return TL_OK;
}

/* --- output --- */

static void put_key(tl_json_writer *w, const job *j, tl_wallet_part part, bool is_encrypted)
{
    const tl_keypair *pair = part == TL_WALLET_COLDKEY ? j->coldkey : j->hotkey;
    char address[TL_SS58_CAP];
    char key[2 * sizeof(tl_hotkey) + 3] = "0x";
    tl_str phrase = {NULL, 0};
    (void)tl_ss58_encode(address, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
    tl_hex_write(key + 2, tl_keypair_public(pair)->b, sizeof(tl_hotkey));
    tl_json_put_key(w, part == TL_WALLET_COLDKEY ? "coldkey" : "hotkey");
    tl_json_put_object(w);
    tl_json_put_key(w, "encrypted");
    tl_json_put_bool(w, is_encrypted);
    if (tl_cmd_flag(j->call, "show-mnemonic") && tl_keypair_borrow_phrase(&phrase, pair)) {
        tl_json_put_key(w, "mnemonic");
        tl_json_put_str(w, phrase);
    }
    tl_json_put_key(w, "name");
    tl_json_put_cstr(w, part == TL_WALLET_COLDKEY ? j->wallet.name : j->wallet.hotkey);
    tl_json_put_key(w, "path");
    tl_json_put_cstr(w, j->is_public_only ? NULL : tl_wallet_path(&j->wallet, part));
    tl_json_put_key(w, "public_key");
    tl_json_put_cstr(w, key);
    tl_json_put_key(w, "public_path");
    tl_json_put_cstr(w, tl_wallet_pub_path(&j->wallet, part));
    tl_json_put_key(w, "scheme");
    tl_json_put_cstr(w, tl_keypair_scheme(pair)->name);
    tl_json_put_key(w, "ss58");
    tl_json_put_cstr(w, address);
    tl_json_put_end(w);
}

static void say_key(tl_sb *sb, const job *j, tl_wallet_part part, bool shows_phrase)
{
    const tl_keypair *pair = part == TL_WALLET_COLDKEY ? j->coldkey : j->hotkey;
    tl_str phrase = {NULL, 0};
    tl_sb_printf(sb, "%s   ", part == TL_WALLET_COLDKEY ? "coldkey" : "hotkey ");
    tl_hotkey_print(sb, tl_keypair_public(pair));
    tl_sb_printf(sb, "  %s\nfile      %s\n", tl_keypair_scheme(pair)->name,
                 j->is_public_only ? tl_wallet_pub_path(&j->wallet, part)
                                   : tl_wallet_path(&j->wallet, part));
    if (shows_phrase && tl_keypair_borrow_phrase(&phrase, pair)) {
        tl_sb_printf(sb, "mnemonic  %.*s\n", TL_STR_ARG(phrase));
    }
}

/* What was made. The text may hold a mnemonic: it is built in locked memory. */
static tl_err tell(const job *j, bool is_new, bool is_cold_encrypted, bool is_hot_encrypted,
                   tl_errctx *ctx)
{
    const bool wants_phrase = tl_cmd_flag(j->call, "show-mnemonic");
    const bool shows_phrase = wants_phrase || (is_new && isatty(STDOUT_FILENO) == 1);
    tl_sb sb;
    tl_sb_init(&sb, j->secrets);
    if (j->app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_json_put_object(&w);
        if (j->coldkey != NULL) {
            put_key(&w, j, TL_WALLET_COLDKEY, is_cold_encrypted);
        }
        if (j->hotkey != NULL) {
            put_key(&w, j, TL_WALLET_HOTKEY, is_hot_encrypted);
        }
        tl_json_put_key(&w, "path");
        tl_json_put_cstr(&w, j->wallet.root);
        tl_json_put_key(&w, "wallet");
        tl_json_put_cstr(&w, j->wallet.name);
        tl_json_put_end(&w);
        tl_json_writer_done(&w);
        tl_sb_put_char(&sb, '\n');
    } else {
        if (j->coldkey != NULL) {
            say_key(&sb, j, TL_WALLET_COLDKEY, shows_phrase);
        }
        if (j->hotkey != NULL) {
            say_key(&sb, j, TL_WALLET_HOTKEY, shows_phrase);
        }
    }
    TL_TRY(tl_app_print_sb(j->app, &sb, ctx));
    if (is_new && (wants_phrase || (shows_phrase && !j->app->is_json))) {
        tl_app_say(j->app,
                   "Write the words down and keep them apart: whoever has them has the key, and "
                   "without them a lost file is a lost key.");
    } else if (is_new) {
        tl_app_say(j->app,
                   "The mnemonic was not shown (--show-mnemonic does): the file is the only copy "
                   "of the key.");
    }
    return TL_OK;
}

/* --- new keys --- */

static const tl_scheme *wanted_scheme(const tl_cmd_call *call)
{
    const tl_scheme *scheme = tl_app_scheme(call);
    return scheme != NULL ? scheme : tl_scheme_sr25519();
}

static tl_err generate(const job *j, tl_keypair **out, tl_errctx *ctx)
{
    uint64_t words = 0;
    const bool is_number =
        tl_str_parse_u64(&words, tl_str_from_cstr(tl_cmd_text(j->call, "words")));
    TL_ASSERT(is_number); /* CMD-1 */
    char *phrase = TL_NEW(j->secrets, char, TL_MNEMONIC_CAP);
    const tl_entropy entropy = tl_sys_entropy();
    if (phrase == NULL) {
        return tl_arena_fail(j->secrets, ctx);
    }
    TL_TRY(tl_mnemonic_generate(phrase, (size_t)words, &entropy, ctx));
    return tl_keypair_from_mnemonic(out, wanted_scheme(j->call), tl_str_from_cstr(phrase),
                                    TL_STR(""), ctx);
}

static tl_err save(const job *j, tl_wallet_part part, tl_str password, bool may_overwrite,
                   tl_errctx *ctx)
{
    const tl_keypair *pair = part == TL_WALLET_COLDKEY ? j->coldkey : j->hotkey;
    const tl_entropy entropy = tl_sys_entropy();
    TL_TRY(tl_sys_check_interrupt(ctx));
    return j->is_public_only
               ? tl_wallet_save_public(&j->wallet, part, pair, may_overwrite, ctx)
               : tl_wallet_save(&j->wallet, part, pair, password, may_overwrite, &entropy, ctx);
}

static tl_err create(job *j, tl_errctx *ctx)
{
    bool may_cold = false;
    bool may_hot = false;
    tl_str password = {NULL, 0};
    TL_TRY(check_part(j, &may_cold, TL_WALLET_COLDKEY, ctx));
    TL_TRY(check_part(j, &may_hot, TL_WALLET_HOTKEY, ctx));
    TL_TRY(new_password(j, &password, "password-file", true, j->wallet.coldkey_path, ctx));
    TL_TRY(generate(j, &j->coldkey, ctx));
    TL_TRY(generate(j, &j->hotkey, ctx));
    /* The coldkey first: its encryption takes seconds, in which someone may think better of it. The hotkey is written at
     * once behind it, without looking for an interruption that would part the two. */
    const tl_entropy entropy = tl_sys_entropy();
    const bool had_coldkey = tl_sys_exists(j->wallet.coldkey_path);
    TL_TRY(save(j, TL_WALLET_COLDKEY, password, may_cold, ctx));
    const tl_err err = tl_wallet_save(&j->wallet, TL_WALLET_HOTKEY, j->hotkey, (tl_str){NULL, 0},
                                      may_hot, &entropy, ctx);
    if (err != TL_OK && !had_coldkey) {
        (void)unlink(j->wallet.coldkey_path); /* nothing half done; the first error is told */
        (void)unlink(j->wallet.coldkey_pub_path);
    }
    TL_TRY(err);
    return tell(j, true, password.ptr != NULL, false, ctx);
}

static tl_err new_key(job *j, tl_wallet_part part, tl_errctx *ctx)
{
    const bool is_cold = part == TL_WALLET_COLDKEY;
    bool may_overwrite = false;
    tl_str password = {NULL, 0};
    TL_TRY(check_part(j, &may_overwrite, part, ctx));
    TL_TRY(new_password(j, &password, "password-file", is_cold, tl_wallet_path(&j->wallet, part),
                        ctx));
    TL_TRY(generate(j, is_cold ? &j->coldkey : &j->hotkey, ctx));
    TL_TRY(save(j, part, password, may_overwrite, ctx));
    return tell(j, true, password.ptr != NULL, password.ptr != NULL, ctx);
}

static tl_err new_coldkey(job *j, tl_errctx *ctx)
{
    return new_key(j, TL_WALLET_COLDKEY, ctx);
}

static tl_err new_hotkey(job *j, tl_errctx *ctx)
{
    return new_key(j, TL_WALLET_HOTKEY, ctx);
}

static tl_err run_create(void *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    return run_job(app, call, create, ctx);
}

static tl_err run_new_coldkey(void *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    return run_job(app, call, new_coldkey, ctx);
}

static tl_err run_new_hotkey(void *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    return run_job(app, call, new_hotkey, ctx);
}

/* --- keys that come back --- */

/* What is wrong stands in the message; the file is the field, unless a part of it is. */
static tl_err blame_file(tl_err err, const char *path, tl_errctx *ctx)
{
    tl_errctx_wrap(ctx, "%s", path);
    if (ctx != NULL && ctx->field[0] == '\0') {
        tl_errctx_under(ctx, "%s", path);
    }
    return err;
}

static tl_err from_mnemonic(const job *j, tl_keypair **out, tl_str phrase, tl_errctx *ctx)
{
    return tl_keypair_from_mnemonic(out, wanted_scheme(j->call), phrase, TL_STR(""), ctx);
}

static tl_err from_mnemonic_file(const job *j, tl_keypair **out, const char *path, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_sys_read_file(&text, j->secrets, path, SEED_FILE_MAX, ctx));
    const tl_err err = from_mnemonic(j, out, tl_str_trim(text), ctx);
    return err == TL_OK ? TL_OK : blame_file(err, path, ctx);
}

/* 32 bytes of hex, or a private key as key files have it. */
static tl_err from_seed_file(const job *j, tl_keypair **out, const char *path, tl_errctx *ctx)
{
    const tl_scheme *scheme = wanted_scheme(j->call);
    tl_str text = {NULL, 0};
    TL_TRY(tl_sys_read_file(&text, j->secrets, path, SEED_FILE_MAX, ctx));
    text = tl_str_trim(text);
    const size_t digits = text.len - (tl_str_starts_with(text, TL_STR("0x")) ? 2 : 0);
    const size_t len =
        digits == 2 * (size_t)scheme->private_len ? scheme->private_len : TL_SEED_LEN;
    uint8_t *key = TL_NEW(j->secrets, uint8_t, len);
    if (key == NULL) {
        return tl_arena_fail(j->secrets, ctx);
    }
    tl_err err = tl_secret_unhex(key, len, text, ctx);
    if (err == TL_OK) {
        err = tl_keypair_from_private(out, scheme, (tl_bytes){key, len}, ctx);
    }
    return err == TL_OK ? TL_OK : blame_file(err, path, ctx);
}

static tl_err from_json_file(const job *j, tl_keypair **out, const char *path, tl_errctx *ctx)
{
    const char *password_path = tl_cmd_text(j->call, "json-password-file");
    tl_str json = {NULL, 0};
    tl_str password = {NULL, 0};
    if (wanted_scheme(j->call) != tl_scheme_sr25519()) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "json-path",
                             "--json-path gives keys of sr25519 only");
    }
    TL_TRY(tl_sys_read_file(&json, j->secrets, path, TL_KEYFILE_LEN_MAX, ctx));
    if (password_path != NULL) {
        TL_TRY(tl_app_read_secret(&password, j->secrets, password_path, ctx));
    } else if (tl_app_may_ask(j->app)) {
        TL_TRY(ask(j, &password, true, ctx, "password of ", path));
    } else {
        return tl_fail_field(ctx, TL_ERR_REFUSED, "json-password-file",
                             "there is no password for \"%s\"", path);
    }
    const tl_err err = tl_keyfile_import_polkadot(out, json, password, ctx);
    return err == TL_OK ? TL_OK : blame_file(err, path, ctx);
}

static tl_err from_address(job *j, tl_keypair **out, const char *address, tl_errctx *ctx)
{
    tl_hotkey key;
    uint16_t prefix;
    j->is_public_only = true;
    tl_err err = tl_ss58_decode_any(&key, &prefix, tl_str_from_cstr(address), ctx);
    if (err == TL_OK) {
        err = tl_keypair_from_public(out, wanted_scheme(j->call), &key, ctx);
    }
    if (err != TL_OK) {
        tl_errctx_under(ctx, "ss58");
    }
    return err;
}

/* The one source that was named; none, and someone to ask: a mnemonic from the prompt. */
static tl_err regenerate(job *j, tl_keypair **out, tl_errctx *ctx)
{
    const char *mnemonic = tl_cmd_text(j->call, "mnemonic-file");
    const char *seed = tl_cmd_text(j->call, "seed-file");
    const char *json = tl_cmd_text(j->call, "json-path");
    const char *address = tl_cmd_text(j->call, "ss58");
    const int count = (mnemonic != NULL) + (seed != NULL) + (json != NULL) + (address != NULL);
    if (count > 1 || (count == 0 && !tl_app_may_ask(j->app))) {
        return tl_fail_field(
            ctx, TL_ERR_USAGE, "mnemonic-file",
            "one of --mnemonic-file, --seed-file, --json-path and --ss58 is needed");
    }
    if (mnemonic != NULL) {
        return from_mnemonic_file(j, out, mnemonic, ctx);
    }
    if (seed != NULL) {
        return from_seed_file(j, out, seed, ctx);
    }
    if (json != NULL) {
        return from_json_file(j, out, json, ctx);
    }
    if (address != NULL) {
        return from_address(j, out, address, ctx);
    }
    tl_str phrase = {NULL, 0};
    TL_TRY(ask(j, &phrase, true, ctx, "mnemonic", ""));
    return from_mnemonic(j, out, phrase, ctx);
}

static tl_err regen_key(job *j, tl_wallet_part part, tl_errctx *ctx)
{
    const bool is_cold = part == TL_WALLET_COLDKEY;
    bool may_overwrite = false;
    tl_str password = {NULL, 0};
    TL_TRY(regenerate(j, is_cold ? &j->coldkey : &j->hotkey, ctx));
    if (j->is_public_only) {
        TL_TRY(may_replace(j, &may_overwrite, tl_wallet_pub_path(&j->wallet, part), ctx));
    } else {
        TL_TRY(check_part(j, &may_overwrite, part, ctx));
        TL_TRY(new_password(j, &password, "password-file", is_cold,
                            tl_wallet_path(&j->wallet, part), ctx));
    }
    TL_TRY(save(j, part, password, may_overwrite, ctx));
    return tell(j, false, password.ptr != NULL, password.ptr != NULL, ctx);
}

static tl_err regen_coldkey(job *j, tl_errctx *ctx)
{
    return regen_key(j, TL_WALLET_COLDKEY, ctx);
}

static tl_err regen_hotkey(job *j, tl_errctx *ctx)
{
    return regen_key(j, TL_WALLET_HOTKEY, ctx);
}

static tl_err run_regen_coldkey(void *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    return run_job(app, call, regen_coldkey, ctx);
}

static tl_err run_regen_hotkey(void *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    return run_job(app, call, regen_hotkey, ctx);
}

/* --- another password --- */

static tl_err tell_rotated(const job *j, const tl_keypair *pair, const char *path,
                           bool is_encrypted, tl_errctx *ctx)
{
    char address[TL_SS58_CAP];
    tl_sb sb;
    tl_sb_init(&sb, j->app->arena);
    (void)tl_ss58_encode(address, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
    if (!j->app->is_json) {
        tl_sb_printf(&sb, "%s: %s\n", path, is_encrypted ? "has its new password" : "is plain now");
        return tl_app_print_sb(j->app, &sb, ctx);
    }
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "encrypted");
    tl_json_put_bool(&w, is_encrypted);
    tl_json_put_key(&w, "path");
    tl_json_put_cstr(&w, path);
    tl_json_put_key(&w, "scheme");
    tl_json_put_cstr(&w, tl_keypair_scheme(pair)->name);
    tl_json_put_key(&w, "ss58");
    tl_json_put_cstr(&w, address);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(j->app, &sb, ctx);
}

/* The plain text stays byte for byte what it was; the file is the old one or the new one, whenever the power goes. */
static tl_err rotate(job *j, tl_errctx *ctx)
{
    const bool is_hot = tl_cmd_is_given(j->call, "hotkey");
    const char *path = is_hot ? j->wallet.hotkey_path : j->wallet.coldkey_path;
    const tl_entropy entropy = tl_sys_entropy();
    tl_str plain = {NULL, 0};
    tl_str password = {NULL, 0};
    TL_TRY(tl_app_read_key(j->app, j->call, &plain, j->secrets, path, ctx));
    tl_keypair **pair = is_hot ? &j->hotkey : &j->coldkey;
    const tl_err err = tl_keyfile_decode(pair, tl_str_bytes(plain), ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
        return err;
    }
    TL_TRY(new_password(j, &password, "new-password-file", true, path, ctx));
    tl_bytes file = tl_str_bytes(plain);
    if (password.ptr != NULL) {
        TL_TRY(tl_keyfile_encrypt(&file, j->secrets, plain, password, &entropy, ctx));
    }
    TL_TRY(tl_sys_check_interrupt(ctx));
    TL_TRY(tl_wallet_replace(path, file, ctx));
    return tell_rotated(j, *pair, path, password.ptr != NULL, ctx);
}

static tl_err run_rotate(void *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    return run_job(app, call, rotate, ctx);
}

/* --- the commands --- */

static const char *const word_counts[] = {"12", "15", "18", "21", "24", NULL};

#define PLACE_OPTIONS TL_APP_WALLET_OPTION, TL_APP_HOTKEY_OPTION, TL_APP_PATH_OPTION

#define NEW_PASSWORD_OPTIONS                                                                       \
    {.name = "password-file",                                                                      \
     .type = TL_CMD_FILE,                                                                          \
     .metavar = "F",                                                                               \
     .help = "encrypt the key with the password in this file"},                                    \
    {                                                                                              \
        .name = "no-password", .type = TL_CMD_FLAG, .help = "leave the key plain"                  \
    }

#define MAKE_OPTIONS                                                                               \
    PLACE_OPTIONS, TL_APP_CRYPTO_TYPE_OPTION, NEW_PASSWORD_OPTIONS,                                \
        {.name = "overwrite", .type = TL_CMD_FLAG, .help = "replace key files that are there"},    \
    {                                                                                              \
        .name = "show-mnemonic", .type = TL_CMD_FLAG,                                              \
        .help = "show the mnemonic also where the output is no terminal"                           \
    }

#define WORDS_OPTION                                                                               \
    {                                                                                              \
        .name = "words", .type = TL_CMD_CHOICE, .metavar = "N", .fallback = "12",                  \
        .choices = word_counts, .help = "words of the mnemonic"                                    \
    }

#define NEW_TEXT                                                                                   \
    "A coldkey is encrypted: with the password of --password-file, else with one that is asked "   \
    "for; a hotkey is plain unless a password file is given. A password has at least 6 "           \
    "characters. Files that are there stay, unless --overwrite is given or the question at the "   \
    "terminal answered. The mnemonic is shown on a terminal, and nowhere else unless "             \
    "--show-mnemonic is given."

static const tl_cmd_option new_options[] = {MAKE_OPTIONS, WORDS_OPTION};

#define NEW_COMMAND(ident, text_name, text_summary, text_example)                                  \
    static const char *const ident##_examples[] = {text_example, NULL};                            \
    const tl_cmd tl_cli_wallet_##ident = {                                                         \
        .name = text_name,                                                                         \
        .summary = text_summary,                                                                   \
        .text = NEW_TEXT,                                                                          \
        .options = new_options,                                                                    \
        .option_count = sizeof new_options / sizeof *new_options,                                  \
        .examples = ident##_examples,                                                              \
        .run = run_##ident,                                                                        \
    }

NEW_COMMAND(create, "wallet create", "a new wallet: a coldkey and a hotkey, each with its mnemonic",
            "tally wallet create --wallet first --no-password --path build/wallets");
NEW_COMMAND(new_coldkey, "wallet new-coldkey", "a new coldkey",
            "tally wallet new-coldkey --wallet second --no-password --path build/wallets");
NEW_COMMAND(new_hotkey, "wallet new-hotkey", "a new hotkey of a wallet",
            "tally wallet new-hotkey --wallet first --hotkey h2 --crypto-type ed25519 --path "
            "build/wallets");

#define REGEN_TEXT                                                                                 \
    "From a mnemonic, a seed (32 bytes of hex, or a private key as key files have it), a "         \
    "polkadot-js JSON of version 3, or, for the public file alone, an address; without any of "    \
    "them the mnemonic is asked for. Passwords and files that are there: as with new keys."

static const tl_cmd_option regen_options[] = {
    {.name = "mnemonic-file",
     .type = TL_CMD_FILE,
     .metavar = "F",
     .help = "a file with 12 to 24 words"},
    {.name = "seed-file", .type = TL_CMD_FILE, .metavar = "F", .help = "a file with a seed in hex"},
    {.name = "json-path", .type = TL_CMD_FILE, .metavar = "F", .help = "a polkadot-js JSON"},
    {.name = "json-password-file",
     .type = TL_CMD_FILE,
     .metavar = "F",
     .help = "the password of that JSON is in this file"},
    {.name = "ss58",
     .type = TL_CMD_TEXT,
     .metavar = "A",
     .help = "an address: only the public file is written"},
    MAKE_OPTIONS};
static const char *const regen_coldkey_examples[] = {
    "tally wallet regen-coldkey --wallet watched --ss58 "
    "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY --path build/wallets",
    NULL};
static const char *const regen_hotkey_examples[] = {
    "tally wallet regen-hotkey --wallet first --hotkey h3 --mnemonic-file "
    "tests/e2e/wallet/mnemonic.txt "
    "--path build/wallets",
    NULL};

const tl_cmd tl_cli_wallet_regen_coldkey = {
    .name = "wallet regen-coldkey",
    .summary = "bring a coldkey back",
    .text = REGEN_TEXT,
    .options = regen_options,
    .option_count = sizeof regen_options / sizeof *regen_options,
    .examples = regen_coldkey_examples,
    .run = run_regen_coldkey,
};

const tl_cmd tl_cli_wallet_regen_hotkey = {
    .name = "wallet regen-hotkey",
    .summary = "bring a hotkey back",
    .text = REGEN_TEXT,
    .options = regen_options,
    .option_count = sizeof regen_options / sizeof *regen_options,
    .examples = regen_hotkey_examples,
    .run = run_regen_hotkey,
};

static const tl_cmd_option rotate_options[] = {
    TL_APP_WALLET_OPTION,
    {.name = "hotkey",
     .type = TL_CMD_TEXT,
     .metavar = "H",
     .help = "this hotkey of the wallet; without it the coldkey"},
    TL_APP_PATH_OPTION,
    TL_APP_PASSWORD_FILE_OPTION,
    {.name = "new-password-file",
     .type = TL_CMD_FILE,
     .metavar = "F",
     .help = "the new password is in this file"},
    {.name = "no-password", .type = TL_CMD_FLAG, .help = "leave the key plain"}};
static const char *const rotate_examples[] = {
    "tally wallet rotate-password --wallet first --new-password-file tests/e2e/wallet/password.txt "
    "--path build/wallets",
    NULL};

const tl_cmd tl_cli_wallet_rotate_password = {
    .name = "wallet rotate-password",
    .summary = "encrypt a key with another password, or for the first time",
    .text = "The old password is found as in sign. Whatever form of encryption the file had, it is "
            "then NaCl, as current releases write it. At every moment the file is the old or the "
            "new one, "
            "whole; copies of it elsewhere keep the old password.",
    .options = rotate_options,
    .option_count = sizeof rotate_options / sizeof *rotate_options,
    .examples = rotate_examples,
    .run = run_rotate,
};
