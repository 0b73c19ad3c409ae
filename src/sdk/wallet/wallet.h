/* wallet: key files and the folders that they lie in, as Bittensor's wallets have them.
 * For         using the keys that people already have, and leaving files that their other tools open
 * Takes       files of bittensor-wallet 4.0 and 4.1 and of the wallet inside SDK 11, polkadot-js JSON, passwords
 * Gives       key pairs; files in the form that every release opens
 * Calls       core/crypto/keypair, io/sys, libsodium, OpenSSL   Called by   app
 * Owns        nothing after return: what it gives lives in the arena passed in, a key pair is the caller's
 * Threads     no state; a folder is locked while a key is saved in it
 * Invariants  WAL-1 a file that contradicts itself is refused: address, public key and every readable secret agree
 *             WAL-2 a saved file is whole or not there, for its owner alone, and replaces another only when told to
 *             WAL-3 no name leads out of the folder of wallets
 *             WAL-4 secrets lie in locked memory that is wiped when it is given back
 * Read        keyfile.c, then seal.c, then layout.c
 *
 *      ROOT/NAME/coldkey                 the whole key, encrypted as a rule        ROOT = ~/.bittensor/wallets
 *      ROOT/NAME/coldkeypub.txt          its public part
 *      ROOT/NAME/hotkeys/HOTKEY          the whole key, plain as a rule
 *      ROOT/NAME/hotkeys/HOTKEYpub.txt   its public part
 *      ROOT/NAME/evmkeys/                Ethereum's, none of ours
 *
 *      file ─▶ kind: $NACL, $ANSIBLE_VAULT, gAAAAA, else plain ─▶ decrypt with a password ─▶ plain text ─▶ decode ─▶ key
 *
 * Plain text is one JSON object. Of secretPhrase, secretSeed, privateKey and ss58Address the first that is there decides,
 * and a broken one is an error even if a later one is good. (Wire spec sections 4.1 to 4.3, 4.9, 4.10.)
 *
 * Where the spec leaves a choice, and what real releases do:
 * - cryptoType as text: 4.1 ignores it, SDK 11 reads "0" as 0. Digits are read as the number, other text is ignored;
 *   the address has the last word over both.
 * - A key that is there twice in the object: they take the last. It is refused: two tools could see two keys.
 * - publicKey, accountId and the secrets of lower rank are not compared by them. They are here (WAL-1).
 * - An ed25519 privateKey of 64 bytes, seed then public key, is read by SDK 11 alone; here too, and its halves compared.
 */
#ifndef TALLY_SDK_WALLET_H
#define TALLY_SDK_WALLET_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/keypair/keypair.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- memory for secrets --- */

#define TL_WALLET_SECRETS_LEN_MAX ((size_t)4 << 20) /* what one such arena may hold */

/* tl_wallet_arena_new: an arena in locked memory, never swapped out, wiped when it is given back (WAL-4). Passwords, plain
 * key files and whatever is made of them belong into one. Ends with tl_arena_free. */
TL_MUST_USE tl_err tl_wallet_arena_new(tl_arena **out, tl_errctx *ctx);

/* --- passwords (password.c) --- */

#define TL_PASSWORD_CHARACTERS_MIN 6
#define TL_PASSWORD_LEN_MAX        1024

/* tl_password_check: may a key be encrypted with it? Errors: RANGE below TL_PASSWORD_CHARACTERS_MIN characters, LIMIT above
 * TL_PASSWORD_LEN_MAX bytes. What is already encrypted opens with any. */
TL_MUST_USE tl_err tl_password_check(tl_str password, tl_errctx *ctx);

/* tl_password_is_weak: short, of few different characters or of one kind of them, or among the best known: worth a
 * warning, never a refusal. */
bool tl_password_is_weak(tl_str password);

/* tl_password_env_name: the variable that may hold the password of the file at path: BT_PW_, then the path with '/' and
 * '.' as '_', in capitals. */
TL_MUST_USE tl_err tl_password_env_name(const char **out, tl_arena *arena, const char *path,
                                        tl_errctx *ctx);

/* tl_password_env_decode: the password of such a variable: base64 of the password XOR the variable's own name, repeated.
 * It hides the password from a glance, from nothing else. Errors: ENCODING when value is no base64. */
TL_MUST_USE tl_err tl_password_env_decode(tl_str *out, tl_arena *arena, const char *name,
                                          const char *value, tl_errctx *ctx);
TL_MUST_USE tl_err tl_password_env_encode(tl_str *out, tl_arena *arena, const char *name,
                                          tl_str password, tl_errctx *ctx);

/* --- encryption of key files (seal.c, vault.c) --- */

typedef enum tl_keyfile_kind {
    TL_KEYFILE_PLAIN,
    TL_KEYFILE_NACL,    /* Argon2i over 512 MiB, XSalsa20-Poly1305: what is written */
    TL_KEYFILE_ANSIBLE, /* PBKDF2, AES-256-CTR, HMAC-SHA256: read */
    TL_KEYFILE_FERNET   /* PBKDF2 of ten million rounds, AES-128-CBC, HMAC-SHA256: read */
} tl_keyfile_kind;

#define TL_KEYFILE_LEN_MAX ((size_t)64 << 10) /* the longest that a release writes has 2 KiB */

tl_keyfile_kind tl_keyfile_kind_of(tl_bytes file);
const char *
tl_keyfile_kind_name(tl_keyfile_kind kind); /* "plain", "NaCl", "Ansible Vault", "legacy" */

/* tl_keyfile_decrypt: the plain text of an encrypted file.
 *
 * arena   in locked memory
 * file    of another kind than plain (asserted)
 *
 * Errors: CORRUPT when the file cannot be whole, whatever the password; REFUSED for a wrong password (or damage: nothing
 * tells them apart); NOMEM without 512 MiB. Cost: a second or more, on purpose.
 */
TL_MUST_USE tl_err tl_keyfile_decrypt(tl_str *out, tl_arena *arena, tl_bytes file, tl_str password,
                                      tl_errctx *ctx);

/* tl_keyfile_encrypt: a $NACL file of a plain text; what it gives was opened again and compared.
 * Errors: those of tl_password_check and of the entropy, NOMEM. */
TL_MUST_USE tl_err tl_keyfile_encrypt(tl_bytes *out, tl_arena *arena, tl_str plain, tl_str password,
                                      const tl_entropy *entropy, tl_errctx *ctx);

/* --- plain key files (keyfile.c, polkadot.c) --- */

/* tl_keyfile_decode: read a plain file: JSON, or a bare hex seed, private key or mnemonic.
 *
 * out    freed with tl_keypair_free; it cannot sign when the file has the public part alone
 * plain  lies in locked memory if it has secrets
 *
 * Errors: SYNTAX, DUPLICATE (no JSON of ours, bad hex), MISSING (nothing that gives a key), UNKNOWN (cryptoType), RANGE
 * (lengths, a weak key), CORRUPT (WAL-1), and those of the keys themselves. The field is the JSON key; a secret is never
 * repeated.
 */
TL_MUST_USE tl_err tl_keyfile_decode(tl_keypair **out, tl_bytes plain, tl_errctx *ctx);

/* tl_keyfile_encode: the file of a key pair: for sr25519 the six text fields, the one form that every release opens; for
 * ed25519 these and cryptoType 0, with the 32-byte seed as privateKey. Parts that the key pair does not have are left out.
 * arena  in locked memory */
TL_MUST_USE tl_err tl_keyfile_encode(tl_str *out, tl_arena *arena, const tl_keypair *keypair,
                                     tl_errctx *ctx);

/* tl_keyfile_encode_public: the file of its public part. */
TL_MUST_USE tl_err tl_keyfile_encode_public(tl_str *out, tl_arena *arena, const tl_keypair *keypair,
                                            tl_errctx *ctx);

/* tl_keyfile_import_polkadot: the sr25519 key of a polkadot-js JSON of version 3.
 * out    freed with tl_keypair_free
 * Errors: SYNTAX, MISSING, VERSION, UNKNOWN (another scheme or cipher), LIMIT (scrypt beyond what polkadot-js writes),
 * REFUSED (wrong password), CORRUPT. */
TL_MUST_USE tl_err tl_keyfile_import_polkadot(tl_keypair **out, tl_str json, tl_str password,
                                              tl_errctx *ctx);

/* --- the folder (layout.c, list.c) --- */

#define TL_WALLET_NAME_DEFAULT "default"
#define TL_WALLET_NAME_MAX     200 /* bytes; with suffixes still a file name */
#define TL_WALLET_COUNT_MAX    10000

/* tl_wallet: where the files of one wallet and one of its hotkeys lie. */
typedef struct tl_wallet {
    const char *root;
    const char *name;
    const char *hotkey;
    const char *dir;        /* ROOT/NAME */
    const char *hotkey_dir; /* ROOT/NAME/hotkeys */
    const char *coldkey_path;
    const char *coldkey_pub_path;
    const char *hotkey_path;
    const char *hotkey_pub_path;
} tl_wallet;

typedef enum tl_wallet_part { TL_WALLET_COLDKEY, TL_WALLET_HOTKEY } tl_wallet_part;

/* tl_wallet_root: the folder of wallets: wanted with ~ as home, or home's .bittensor/wallets where wanted is NULL.
 * Errors: MISSING when home is needed and NULL. */
TL_MUST_USE tl_err tl_wallet_root(const char **out, tl_arena *arena, const char *wanted,
                                  const char *home, tl_errctx *ctx);

/* tl_wallet_name_check: is it a name for a wallet or hotkey (WAL-3)? field is "wallet" or "hotkey".
 * Errors: RANGE for empty, ".", "..", with '/', a control character, no UTF-8, longer than TL_WALLET_NAME_MAX, or ending as
 * something else does in the folder of hotkeys (pub.txt, .lock, .tmp). */
TL_MUST_USE tl_err tl_wallet_name_check(const char *name, const char *field, tl_errctx *ctx);

/* tl_wallet_init: paths only; nothing is looked at. hotkey may be NULL: then its paths are. */
TL_MUST_USE tl_err tl_wallet_init(tl_wallet *out, tl_arena *arena, const char *root,
                                  const char *name, const char *hotkey, tl_errctx *ctx);

const char *tl_wallet_path(const tl_wallet *wallet, tl_wallet_part part);
const char *tl_wallet_pub_path(const tl_wallet *wallet, tl_wallet_part part);

/* tl_wallet_save: write a key pair's file and its public file, the folders too.
 *
 * password      ptr NULL: plain
 * may_overwrite otherwise a file that is there is TL_ERR_REFUSED and stays (WAL-2)
 *
 * The wallet's folder is locked meanwhile. When the second file cannot be written, the first goes again unless it replaced
 * one. Errors: those of files and of tl_keyfile_encrypt.
 */
TL_MUST_USE tl_err tl_wallet_save(const tl_wallet *wallet, tl_wallet_part part,
                                  const tl_keypair *keypair, tl_str password, bool may_overwrite,
                                  const tl_entropy *entropy, tl_errctx *ctx);

/* tl_wallet_save_public: the public file alone: of a key whose secret is elsewhere. */
TL_MUST_USE tl_err tl_wallet_save_public(const tl_wallet *wallet, tl_wallet_part part,
                                         const tl_keypair *keypair, bool may_overwrite,
                                         tl_errctx *ctx);

/* tl_wallet_replace: put another form of the same key at path, at once (WAL-2); the file must be there. For a change of
 * password. */
TL_MUST_USE tl_err tl_wallet_replace(const char *path, tl_bytes file, tl_errctx *ctx);

/* tl_wallet_key_info: what can be told of a key without a password. */
typedef struct tl_wallet_key_info {
    const char *name;
    const char *path; /* of the whole key; NULL: there is only the public file */
    const tl_scheme *scheme;
    tl_hotkey public_key;
    bool is_known;       /* else scheme and public_key are not set */
    bool is_encrypted;   /* is the whole key? */
    const char *problem; /* NULL: none */
} tl_wallet_key_info;

typedef struct tl_wallet_info {
    const char *name;
    bool has_coldkey; /* or its public file */
    tl_wallet_key_info coldkey;
    const tl_wallet_key_info
        *hotkeys; /* by name, numbers in them by value, case ignored: k2 before k10 */
    size_t hotkey_count;
} tl_wallet_info;

/* tl_wallet_look: one key without a password: as its file tells it if that is plain, else as its public file does. A
 * whole file that is broken beside a good public one, and a public file of another key, are told as the problem of a key
 * that is known.
 * name       what it is called in the answer
 * Errors: only NOMEM, INTERRUPTED; whatever is wrong with the files is the answer's problem. */
TL_MUST_USE tl_err tl_wallet_look(tl_wallet_key_info *out, tl_arena *arena, const char *name,
                                  const char *path, const char *pub_path, tl_errctx *ctx);

/* tl_wallet_list: every wallet below root. evmkeys, *pub.txt, *.lock, temporary and hidden files are no hotkeys. A root
 * that is not there has none. Errors: those of reading folders, LIMIT above TL_WALLET_COUNT_MAX entries. */
TL_MUST_USE tl_err tl_wallet_list(const tl_wallet_info **out, size_t *count, tl_arena *arena,
                                  const char *root, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
