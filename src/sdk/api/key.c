/* Keys and wallets. */
#include <stdlib.h>
#include <string.h>

#include "core/crypto/mnemonic/mnemonic.h"
#include "io/sys/sys.h"
#include "sdk/api/api_internal.h"
#include "sdk/wallet/wallet.h"

_Static_assert(TALLY_PHRASE_CAP >= TL_MNEMONIC_CAP, "a phrase fits");

/* Takes the pair, also when it fails (API-2). */
static tl_err wrap(tally_key **out, tl_keypair *take_pair, tl_errctx *ctx)
{
    tally_key *const key = (tally_key *)malloc(sizeof *key);
    if (key == NULL) {
        tl_keypair_free(take_pair);
        return tl_fail(ctx, TL_ERR_NOMEM, "out of memory");
    }
    key->pair = take_pair;
    (void)tl_ss58_encode(key->address, tl_keypair_public(take_pair), TL_SS58_PREFIX_GENERIC);
    *out = key;
    return TL_OK;
}

static tl_err find_scheme(const tl_scheme **out, const char *name, tl_errctx *ctx)
{
    *out = name != NULL ? tl_scheme_parse(tl_str_from_cstr(name)) : tl_scheme_sr25519();
    if (*out == NULL) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "scheme", "\"%.40s\" is no scheme: %s", name,
                             tl_scheme_names());
    }
    return TL_OK;
}

static tl_err from_uri(tally_key **out, const char *uri, const char *scheme_name, tl_errctx *ctx)
{
    const tl_scheme *scheme = NULL;
    tl_keypair *pair = NULL;
    TL_TRY(find_scheme(&scheme, scheme_name, ctx));
    TL_TRY(tl_keypair_from_uri(&pair, scheme, tl_str_from_cstr(uri), ctx));
    return wrap(out, pair, ctx);
}

int tally_key_from_uri(tally_key **out, const char *uri, const char *scheme, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    return tl__api_error(from_uri(out, uri, scheme, &ctx), &ctx, error);
}

static tl_err from_address(tally_key **out, const char *address, const char *scheme_name,
                           tl_errctx *ctx)
{
    const tl_scheme *scheme = NULL;
    tl_keypair *pair = NULL;
    tl_hotkey hotkey;
    uint16_t prefix = 0;
    TL_TRY(find_scheme(&scheme, scheme_name, ctx));
    TL_TRY(tl_ss58_decode_any(&hotkey, &prefix, tl_str_from_cstr(address), ctx));
    TL_TRY(tl_keypair_from_public(&pair, scheme, &hotkey, ctx));
    return wrap(out, pair, ctx);
}

int tally_key_from_address(tally_key **out, const char *address, const char *scheme,
                           tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    return tl__api_error(from_address(out, address, scheme, &ctx), &ctx, error);
}

static tl_err find_wallet(tl_wallet *out, tl_arena *arena, const char *root, const char *wallet,
                          const char *hotkey, tl_errctx *ctx)
{
    const char *folder = NULL;
    const char *const name = wallet != NULL ? wallet : TL_WALLET_NAME_DEFAULT;
    TL_TRY(tl_wallet_root(&folder, arena, root, getenv("HOME"), ctx));
    TL_TRY(tl_wallet_name_check(name, "wallet", ctx));
    if (hotkey != NULL) {
        TL_TRY(tl_wallet_name_check(hotkey, "hotkey", ctx));
    }
    return tl_wallet_init(out, arena, folder, name, hotkey, ctx);
}

static tl_wallet_part part_of(const char *hotkey)
{
    return hotkey != NULL ? TL_WALLET_HOTKEY : TL_WALLET_COLDKEY;
}

/* arena lies in locked memory. */
static tl_err from_wallet(tally_key **out, tl_arena *arena, const char *root, const char *wallet,
                          const char *hotkey, const char *password, tl_errctx *ctx)
{
    tl_wallet paths;
    tl_str file = {NULL, 0};
    tl_str plain = {NULL, 0};
    tl_keypair *pair = NULL;
    TL_TRY(find_wallet(&paths, arena, root, wallet, hotkey, ctx));
    TL_TRY(tl_sys_read_file(&file, arena, tl_wallet_path(&paths, part_of(hotkey)),
                            TL_KEYFILE_LEN_MAX, ctx));
    plain = file;
    if (tl_keyfile_kind_of(tl_str_bytes(file)) != TL_KEYFILE_PLAIN) {
        if (password == NULL) {
            return tl_fail_field(ctx, TL_ERR_REFUSED, "password",
                                 "the key is encrypted, and no password is given");
        }
        TL_TRY(
            tl_keyfile_decrypt(&plain, arena, tl_str_bytes(file), tl_str_from_cstr(password), ctx));
    }
    TL_TRY(tl_keyfile_decode(&pair, tl_str_bytes(plain), ctx));
    return wrap(out, pair, ctx);
}

int tally_key_from_wallet(tally_key **out, const char *root, const char *wallet, const char *hotkey,
                          const char *password, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    tl_err err = tl_wallet_arena_new(&arena, &ctx);
    if (err == TL_OK) {
        err = from_wallet(out, arena, root, wallet, hotkey, password, &ctx);
    }
    tl_arena_free(arena);
    return tl__api_error(err, &ctx, error);
}

int tally_key_save(const tally_key *key, const char *root, const char *wallet, const char *hotkey,
                   const char *password, bool may_overwrite, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    tl_wallet paths;
    const tl_entropy entropy = tl_sys_entropy();
    tl_err err = tl_wallet_arena_new(&arena, &ctx);
    if (err == TL_OK) {
        err = find_wallet(&paths, arena, root, wallet, hotkey, &ctx);
    }
    if (err == TL_OK) {
        err = tl_wallet_save(&paths, part_of(hotkey), key->pair, tl_str_from_cstr(password),
                             may_overwrite, &entropy, &ctx);
    }
    tl_arena_free(arena);
    return tl__api_error(err, &ctx, error);
}

int tally_phrase_generate(char out[TALLY_PHRASE_CAP], unsigned words, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_entropy entropy = tl_sys_entropy();
    return tl__api_error(tl_mnemonic_generate(out, words, &entropy, &ctx), &ctx, error);
}

void tally_key_free(tally_key *key)
{
    if (key != NULL) {
        tl_keypair_free(key->pair);
        free(key);
    }
}

const char *tally_key_address(const tally_key *key)
{
    return key->address;
}

const char *tally_key_scheme(const tally_key *key)
{
    return tl_keypair_scheme(key->pair)->name;
}

const uint8_t *tally_key_public(const tally_key *key, size_t *len)
{
    *len = tl_keypair_scheme(key->pair)->public_len;
    return tl_keypair_public(key->pair)->b;
}

size_t tally_key_signature_max(const tally_key *key)
{
    return tl_keypair_scheme(key->pair)->signature_len_max;
}

int tally_key_sign(const tally_key *key, const void *message, size_t message_len,
                   uint8_t *signature, size_t cap, size_t *signature_len, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_entropy entropy = tl_sys_entropy();
    const tl_bytes bytes = {(const uint8_t *)message, message_len};
    return tl__api_error(
        tl_keypair_sign(signature, cap, signature_len, key->pair, bytes, &entropy, &ctx), &ctx,
        error);
}

bool tally_key_verify(const tally_key *key, const void *message, size_t message_len,
                      const uint8_t *signature, size_t signature_len)
{
    const tl_scheme *const scheme = tl_keypair_scheme(key->pair);
    const tl_bytes public_key = {tl_keypair_public(key->pair)->b, scheme->public_len};
    return tl_scheme_verify(scheme, public_key, (tl_bytes){(const uint8_t *)message, message_len},
                            (tl_bytes){signature, signature_len});
}
