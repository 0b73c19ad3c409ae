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

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_keypair tl_keypair; /* core/crypto/keypair */

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

#ifdef __cplusplus
}
#endif

#endif
