/* Encrypted key files: told apart by how they begin, taken apart before a password costs anything, opened, and written in
 * one form, $NACL.
 *
 *      $NACL │ nonce, 24 bytes │ tag, 16 bytes │ XSalsa20 of the plain text
 *
 * The key is Argon2i v1.3 of the password over 512 MiB with a constant salt: the format's, so one password gives one key
 * in all of a person's files. (Wire spec section 4.3.) */
#include "sdk/wallet/wallet.h"

#include <sodium.h>
#include <string.h>

#include "sdk/wallet/wallet_internal.h"

#define NACL_PREFIX    "$NACL"
#define ANSIBLE_PREFIX "$ANSIBLE_VAULT"
#define FERNET_PREFIX  "gAAAAA"

enum {
    NACL_PREFIX_LEN = sizeof NACL_PREFIX - 1,
    NACL_OPS = 8,
    NACL_MEMORY_LEN = 536870912, /* 512 MiB */
    NACL_HEAD_LEN = NACL_PREFIX_LEN + crypto_secretbox_NONCEBYTES
};

_Static_assert(TL__NACL_KEY_LEN == crypto_secretbox_KEYBYTES, "a key of the box");
_Static_assert(TL__NACL_KEY_LEN <= TL__ANSIBLE_KEY_LEN && TL__FERNET_KEY_LEN <= TL__ANSIBLE_KEY_LEN,
               "the longest key has room for every other");

static const uint8_t nacl_salt[crypto_pwhash_argon2i_SALTBYTES] = {
    0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1};

static bool begins_with(tl_bytes file, const char *prefix)
{
    const size_t len = strlen(prefix);
    return file.len >= len && memcmp(file.ptr, prefix, len) == 0;
}

tl_keyfile_kind tl_keyfile_kind_of(tl_bytes file)
{
    return begins_with(file, NACL_PREFIX)      ? TL_KEYFILE_NACL
           : begins_with(file, ANSIBLE_PREFIX) ? TL_KEYFILE_ANSIBLE
           : begins_with(file, FERNET_PREFIX)  ? TL_KEYFILE_FERNET
                                               : TL_KEYFILE_PLAIN;
}

const char *tl_keyfile_kind_name(tl_keyfile_kind kind)
{
    switch (kind) {
    case TL_KEYFILE_NACL:
        return "NaCl";
    case TL_KEYFILE_ANSIBLE:
        return "Ansible Vault";
    case TL_KEYFILE_FERNET:
        return "legacy";
    case TL_KEYFILE_PLAIN:
        break;
    }
    return "plain";
}

tl_err tl__wrong_password(tl_errctx *ctx)
{
    const tl_err err = tl_fail_field(ctx, TL_ERR_REFUSED, "password", "wrong password");
    tl_errctx_hint(ctx, "a damaged file looks the same");
    return err;
}

/* --- opening --- */

static tl_err nacl_parse(tl__sealed *out, tl_bytes file, tl_errctx *ctx)
{
    if (file.len < NACL_HEAD_LEN + crypto_secretbox_MACBYTES) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "the encrypted key is cut: %zu bytes", file.len);
    }
    *out = (tl__sealed){
        .kind = TL_KEYFILE_NACL,
        .nonce = {file.ptr + NACL_PREFIX_LEN, crypto_secretbox_NONCEBYTES},
        .box = {file.ptr + NACL_HEAD_LEN, file.len - NACL_HEAD_LEN},
    };
    return TL_OK;
}

static tl_err nacl_key(uint8_t *out, tl_str password, tl_errctx *ctx)
{
    const char *text = password.ptr != NULL ? password.ptr : "";
    if (crypto_pwhash_argon2i(out, TL__NACL_KEY_LEN, text, password.len, nacl_salt, NACL_OPS,
                              NACL_MEMORY_LEN, crypto_pwhash_argon2i_ALG_ARGON2I13) != 0) {
        const tl_err err = tl_fail(ctx, TL_ERR_NOMEM, "no memory to derive the key of a password");
        tl_errctx_hint(ctx, "encrypted key files need 512 MiB for a moment");
        return err;
    }
    return TL_OK;
}

static tl_err nacl_open(tl_str *out, tl_arena *arena, const tl__sealed *sealed, const uint8_t *key,
                        tl_errctx *ctx)
{
    const size_t len = sealed->box.len - crypto_secretbox_MACBYTES;
    uint8_t *plain = TL_NEW(arena, uint8_t, len + 1);
    if (plain == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (crypto_secretbox_open_easy(plain, sealed->box.ptr, sealed->box.len, sealed->nonce.ptr,
                                   key) != 0) {
        return tl__wrong_password(ctx);
    }
    *out = (tl_str){(const char *)plain, len};
    return TL_OK;
}

tl_err tl__seal_parse(tl__sealed *out, tl_arena *arena, tl_bytes file, tl_errctx *ctx)
{
    if (file.len > TL_KEYFILE_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a key file has at most %zu bytes", TL_KEYFILE_LEN_MAX);
    }
    switch (tl_keyfile_kind_of(file)) {
    case TL_KEYFILE_NACL:
        return nacl_parse(out, file, ctx);
    case TL_KEYFILE_ANSIBLE:
        return tl__ansible_parse(out, arena, file, ctx);
    case TL_KEYFILE_FERNET:
        return tl__fernet_parse(out, arena, file, ctx);
    case TL_KEYFILE_PLAIN:
        break;
    }
    TL_ASSERT(false && "a plain file has no seal");
    return TL_ERR_INTERNAL;
}

tl_err tl__seal_key(uint8_t *out, const tl__sealed *sealed, tl_str password, tl_errctx *ctx)
{
    switch (sealed->kind) {
    case TL_KEYFILE_ANSIBLE:
        return tl__ansible_key(out, sealed, password, ctx);
    case TL_KEYFILE_FERNET:
        return tl__fernet_key(out, password, ctx);
    case TL_KEYFILE_NACL:
    case TL_KEYFILE_PLAIN:
        break;
    }
    TL_ASSERT(sealed->kind == TL_KEYFILE_NACL);
    return nacl_key(out, password, ctx);
}

tl_err tl__seal_open(tl_str *out, tl_arena *arena, const tl__sealed *sealed, const uint8_t *key,
                     tl_errctx *ctx)
{
    switch (sealed->kind) {
    case TL_KEYFILE_ANSIBLE:
        return tl__ansible_open(out, arena, sealed, key, ctx);
    case TL_KEYFILE_FERNET:
        return tl__fernet_open(out, arena, sealed, key, ctx);
    case TL_KEYFILE_NACL:
    case TL_KEYFILE_PLAIN:
        break;
    }
    TL_ASSERT(sealed->kind == TL_KEYFILE_NACL);
    return nacl_open(out, arena, sealed, key, ctx);
}

tl_err tl_keyfile_decrypt(tl_str *out, tl_arena *arena, tl_bytes file, tl_str password,
                          tl_errctx *ctx)
{
    tl__sealed sealed;
    TL_TRY(tl__seal_parse(&sealed, arena, file, ctx));
    uint8_t *key = TL_NEW(arena, uint8_t, TL__ANSIBLE_KEY_LEN); /* WAL-4: with the arena */
    if (key == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl__seal_key(key, &sealed, password, ctx));
    const tl_err err = tl__seal_open(out, arena, &sealed, key, ctx);
    tl_wipe(key, TL__ANSIBLE_KEY_LEN);
    return err;
}

/* --- writing --- */

tl_err tl_keyfile_encrypt(tl_bytes *out, tl_arena *arena, tl_str plain, tl_str password,
                          const tl_entropy *entropy, tl_errctx *ctx)
{
    TL_TRY(tl_password_check(password, ctx));
    const size_t len = NACL_HEAD_LEN + crypto_secretbox_MACBYTES + plain.len;
    if (len > TL_KEYFILE_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a key file has at most %zu bytes", TL_KEYFILE_LEN_MAX);
    }
    uint8_t *file = TL_NEW(arena, uint8_t, len);
    uint8_t *key = TL_NEW(arena, uint8_t, TL__NACL_KEY_LEN);
    if (file == NULL || key == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(file, NACL_PREFIX, NACL_PREFIX_LEN);
    TL_TRY(tl_entropy_fill(entropy, file + NACL_PREFIX_LEN, crypto_secretbox_NONCEBYTES, ctx));
    TL_TRY(nacl_key(key, password, ctx));
    const int rc = crypto_secretbox_easy(file + NACL_HEAD_LEN, (const uint8_t *)plain.ptr,
                                         plain.len, file + NACL_PREFIX_LEN, key);
    TL_ASSERT(rc == 0);
    /* What cannot be opened again is a lost key: look, while the plain text is still there. */
    tl__sealed sealed;
    tl_str again = {NULL, 0};
    tl_err err = tl__seal_parse(&sealed, arena, (tl_bytes){file, len}, ctx);
    if (err == TL_OK) {
        err = nacl_open(&again, arena, &sealed, key, ctx);
    }
    tl_wipe(key, TL__NACL_KEY_LEN);
    if (err == TL_OK) {
        TL_ASSERT(tl_str_eq(again, plain));
        *out = (tl_bytes){file, len};
    }
    return err;
}
