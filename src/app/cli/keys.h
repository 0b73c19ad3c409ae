/* The key that a command works with, chosen by the same options in every command that signs.
 *
 *      --uri URI                                      a secret URI: //Alice, a mnemonic, 0x and a seed, derivations
 *      --wallet NAME --hotkey H --path DIR            files; the hotkey "default" of the wallet "default" where
 *                                                     neither the line nor BT_WALLET_NAME, BT_WALLET_HOTKEY and
 *                                                     BT_WALLET_PATH name another
 *      --crypto-type sr25519|ed25519                  of a URI; of files it is what they must hold
 *      --password-file F                              of an encrypted file; else the environment, else a prompt
 *
 * A command has these options by writing TL_APP_KEY_OPTIONS in its array of options, and asks once:
 *
 *      static const tl_cmd_option run_options[] = {TL_APP_KEY_OPTIONS, {.name = "listen", …}};
 *      …
 *      tl_keypair *keypair = NULL;
 *      TL_TRY(tl_app_keypair(app, call, &keypair, ctx));
 *      …
 *      tl_keypair_free(keypair);
 */
#ifndef TALLY_APP_CLI_KEYS_H
#define TALLY_APP_CLI_KEYS_H

#include "app/cli/cli.h"
#include "core/crypto/keypair/keypair.h"
#include "sdk/wallet/wallet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What --crypto-type may say: names, and the numbers that key files use for them. Ends with NULL. */
extern const char *const tl_app_crypto_types[];

#define TL_APP_URI_OPTION                                                                          \
    {                                                                                              \
        .name = "uri", .type = TL_CMD_TEXT, .metavar = "URI",                                      \
        .help =                                                                                    \
            "the key as a secret URI: //Alice, a mnemonic or 0x and a seed, with derivations; "    \
            "others see it in the list of processes, so for tests only"                            \
    }

#define TL_APP_WALLET_OPTION                                                                       \
    {                                                                                              \
        .name = "wallet", .type = TL_CMD_TEXT, .metavar = "NAME",                                  \
        .help = "the wallet (default $BT_WALLET_NAME or \"default\")"                              \
    }

#define TL_APP_HOTKEY_OPTION                                                                       \
    {                                                                                              \
        .name = "hotkey", .type = TL_CMD_TEXT, .metavar = "H",                                     \
        .help = "the wallet's hotkey (default $BT_WALLET_HOTKEY or \"default\")"                   \
    }

#define TL_APP_PATH_OPTION                                                                         \
    {                                                                                              \
        .name = "path", .type = TL_CMD_DIR, .metavar = "DIR",                                      \
        .help = "the folder of wallets (default $BT_WALLET_PATH or ~/.bittensor/wallets)"          \
    }

#define TL_APP_CRYPTO_TYPE_OPTION                                                                  \
    {                                                                                              \
        .name = "crypto-type", .type = TL_CMD_CHOICE, .metavar = "TYPE",                           \
        .choices = tl_app_crypto_types,                                                            \
        .help = "the signature scheme (default sr25519, or what the key file holds)"               \
    }

#define TL_APP_PASSWORD_FILE_OPTION                                                                \
    {                                                                                              \
        .name = "password-file", .type = TL_CMD_FILE, .metavar = "F",                              \
        .help = "read the password of the key file from this file"                                 \
    }

/* All of them, as elements of an array of options. */
#define TL_APP_KEY_OPTIONS                                                                         \
    TL_APP_URI_OPTION, TL_APP_WALLET_OPTION, TL_APP_HOTKEY_OPTION, TL_APP_PATH_OPTION,             \
        TL_APP_CRYPTO_TYPE_OPTION, TL_APP_PASSWORD_FILE_OPTION

/* tl_app_keypair: the key that the call names, able to sign; a hotkey where it names files.
 *
 * call    of a command that has TL_APP_KEY_OPTIONS
 * out     the caller frees it with tl_keypair_free
 *
 * Asks for a password only on a terminal and without --json. Errors: USAGE (a URI and a wallet at once), NOT_FOUND (no
 * such wallet or hotkey), REFUSED (wrong password, or none to be had), and those of reading keys.
 */
TL_MUST_USE tl_err tl_app_keypair(tl_app *app, const tl_cmd_call *call, tl_keypair **out,
                                  tl_errctx *ctx);

/* --- the parts of it, for the commands of wallets --- */

/* tl_app_scheme: what --crypto-type says; NULL when it is not given. */
const tl_scheme *tl_app_scheme(const tl_cmd_call *call);

/* tl_app_uri_keypair: the key of --uri, which is given (asserted). Errors: USAGE when a wallet is named too. */
TL_MUST_USE tl_err tl_app_uri_keypair(const tl_cmd_call *call, tl_keypair **out, tl_errctx *ctx);

/* tl_app_wallet: the paths of --wallet, --hotkey and --path, their variables, their defaults. call has these options. */
TL_MUST_USE tl_err tl_app_wallet(tl_app *app, const tl_cmd_call *call, tl_wallet *out,
                                 tl_errctx *ctx);

/* tl_app_wallet_root: the folder of wallets alone. */
TL_MUST_USE tl_err tl_app_wallet_root(tl_app *app, const tl_cmd_call *call, const char **out,
                                      tl_errctx *ctx);

/* tl_app_may_ask: is there someone to ask? On a terminal and without --json. */
bool tl_app_may_ask(const tl_app *app);

/* tl_app_read_secret: a file of one secret without its line end; secrets is an arena in locked memory. */
TL_MUST_USE tl_err tl_app_read_secret(tl_str *out, tl_arena *secrets, const char *path,
                                      tl_errctx *ctx);

/* tl_app_read_key: the plain text of a key file, decrypted where it is encrypted.
 * The password: --password-file, BT_WALLET_PASSWORD, BT_PW_…, BT_WALLET_PASSWORD_FILE, a prompt: the first that is there. */
TL_MUST_USE tl_err tl_app_read_key(tl_app *app, const tl_cmd_call *call, tl_str *out,
                                   tl_arena *secrets, const char *path, tl_errctx *ctx);

/* tl_app_open_key: the key of a file, as tl_app_read_key reads it, and of the scheme that --crypto-type wants. */
TL_MUST_USE tl_err tl_app_open_key(tl_app *app, const tl_cmd_call *call, tl_keypair **out,
                                   const char *path, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
