/* polkadot-js JSON, version 3: import only.
 *
 *      encoded, base64:   salt, 32 │ N, p, r: 4 bytes each │ nonce, 24 │ box        where type names scrypt
 *                         nonce, 24 │ box                                          else: the password itself is the key
 *      box: XSalsa20-Poly1305 of   header, 16 │ secret, 64 │ divider, 5 │ public key, 32
 *
 * The scalar in it is eight times ours. (Wire spec section 4.9; its meta.name may be absent here.) */
#include <sodium.h>
#include <string.h>

#include "base/json/json.h"
#include "core/crypto/keypair/keypair.h"
#include "sdk/wallet/wallet_internal.h"

enum {
    SALT_LEN = 32,
    SCRYPT_HEAD_LEN = SALT_LEN + 12,
    SCRYPT_KEY_LEN = 64, /* polkadot-js derives 64 bytes and uses the first 32 */
    NONCE_LEN = crypto_secretbox_NONCEBYTES,
    BOX_KEY_LEN = crypto_secretbox_KEYBYTES,
    PKCS8_HEADER_LEN = 16,
    SECRET_LEN = 64,
    DIVIDER_LEN = 5,
    PUBLIC_LEN = 32,
    PKCS8_LEN = PKCS8_HEADER_LEN + SECRET_LEN + DIVIDER_LEN + PUBLIC_LEN,
    SCALAR_LEN = 32,
    COFACTOR_BITS = 3
};

/* polkadot-js writes N up to 2^17 with r 8 and p 1 to 10: 128 MiB. A stranger's file gets no more than that. */
#define SCRYPT_N_MAX (1u << 17)
#define SCRYPT_R     8u
#define SCRYPT_P_MAX 10u

static const uint8_t pkcs8_header[PKCS8_HEADER_LEN] = {
    0x30, 0x53, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
static const uint8_t pkcs8_divider[DIVIDER_LEN] = {0xa1, 0x23, 0x03, 0x21, 0x00};

/* --- the JSON --- */

/* Is text the value, or one of a list? Older files have a single string where newer ones have a list. */
static bool names(const tl_json *value, const char *text)
{
    if (value == NULL) {
        return false;
    }
    if (value->kind == TL_JSON_STRING) {
        return tl_str_eq_cstr(value->text, text);
    }
    for (uint32_t i = 0; value->kind == TL_JSON_ARRAY && i < value->count; i++) {
        if (value->items[i].kind == TL_JSON_STRING && tl_str_eq_cstr(value->items[i].text, text)) {
            return true;
        }
    }
    return false;
}

static tl_err check_encoding(bool *has_scrypt, const tl_json *object, tl_errctx *ctx)
{
    const tl_json *encoding;
    TL_TRY(tl_json_want(&encoding, object, "encoding", TL_JSON_OBJECT, ctx));
    const tl_json *type = tl_json_get(encoding, "type");
    if (!names(tl_json_get(encoding, "version"), "3")) {
        return tl_fail_field(ctx, TL_ERR_VERSION, "encoding.version",
                             "no polkadot-js JSON of version 3");
    }
    if (!names(tl_json_get(encoding, "content"), "sr25519")) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "encoding.content",
                             "the JSON does not say that it holds an sr25519 key");
    }
    if (!names(type, "xsalsa20-poly1305")) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "encoding.type",
                             "the JSON is not encrypted with xsalsa20-poly1305");
    }
    *has_scrypt = names(type, "scrypt");
    return TL_OK;
}

static uint32_t u32_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static tl_err check_scrypt(const tl__polkadot *p, tl_errctx *ctx)
{
    if (p->n < 2 || p->n > SCRYPT_N_MAX || (p->n & (p->n - 1)) != 0 || p->r != SCRYPT_R ||
        p->p < 1 || p->p > SCRYPT_P_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "encoded",
                             "scrypt with N %u, r %u, p %u is beyond what polkadot-js writes", p->n,
                             p->r, p->p);
    }
    return TL_OK;
}

static tl_err split_encoded(tl__polkadot *out, tl_arena *arena, tl_str encoded, tl_errctx *ctx)
{
    uint8_t *bytes = TL_NEW(arena, uint8_t, encoded.len + 1);
    size_t len = 0;
    if (bytes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (sodium_base642bin(bytes, encoded.len + 1, encoded.ptr, encoded.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return tl_fail_field(ctx, TL_ERR_ENCODING, "encoded", "encoded is no base64");
    }
    const size_t head_len = out->has_scrypt ? SCRYPT_HEAD_LEN : 0;
    if (len != head_len + NONCE_LEN + crypto_secretbox_MACBYTES + PKCS8_LEN) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, "encoded", "encoded has %zu bytes, not %zu", len,
                             head_len + NONCE_LEN + crypto_secretbox_MACBYTES + PKCS8_LEN);
    }
    out->nonce = (tl_bytes){bytes + head_len, NONCE_LEN};
    out->box = (tl_bytes){bytes + head_len + NONCE_LEN, len - head_len - NONCE_LEN};
    if (!out->has_scrypt) {
        return TL_OK;
    }
    out->salt = (tl_bytes){bytes, SALT_LEN};
    out->n = u32_at(bytes + SALT_LEN);
    out->p = u32_at(bytes + SALT_LEN + 4);
    out->r = u32_at(bytes + SALT_LEN + 8);
    return check_scrypt(out, ctx);
}

tl_err tl__polkadot_parse(tl__polkadot *out, tl_arena *arena, tl_str json, tl_errctx *ctx)
{
    static const tl_json_options options = {.len_max = TL_KEYFILE_LEN_MAX};
    const tl_json *object;
    tl_str encoded = {NULL, 0};
    *out = (tl__polkadot){0};
    TL_TRY(tl_json_parse(&object, arena, json, &options, ctx));
    TL_TRY(check_encoding(&out->has_scrypt, object, ctx));
    TL_TRY(tl_json_want_str(&encoded, object, "encoded", ctx));
    const tl_json *address = tl_json_get(object, "address");
    if (address != NULL && address->kind == TL_JSON_STRING) {
        out->address = address->text;
    }
    return split_encoded(out, arena, encoded, ctx);
}

/* --- the key --- */

static tl_err box_key(uint8_t out[SCRYPT_KEY_LEN], const tl__polkadot *p, tl_str password,
                      tl_errctx *ctx)
{
    const uint8_t *text = (const uint8_t *)(password.ptr != NULL ? password.ptr : "");
    if (!p->has_scrypt) { /* padded with zeros, or cut */
        memset(out, 0, SCRYPT_KEY_LEN);
        memcpy(out, text, password.len < BOX_KEY_LEN ? password.len : BOX_KEY_LEN);
        return TL_OK;
    }
    if (crypto_pwhash_scryptsalsa208sha256_ll(text, password.len, p->salt.ptr, p->salt.len, p->n,
                                              p->r, p->p, out, SCRYPT_KEY_LEN) != 0) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory to derive the key of a password");
    }
    return TL_OK;
}

/* scalar / 8, little-endian; false when there is a rest: then it was no scalar in this form. */
static bool divide_by_cofactor(uint8_t scalar[SCALAR_LEN])
{
    const bool has_rest = (scalar[0] & 7) != 0;
    for (size_t i = 0; i < SCALAR_LEN; i++) {
        const unsigned above = i + 1 < SCALAR_LEN ? scalar[i + 1] : 0;
        scalar[i] = (uint8_t)(scalar[i] >> COFACTOR_BITS | above << (8 - COFACTOR_BITS));
    }
    return !has_rest;
}

static tl_err check_identity(const tl_keypair *keypair, const uint8_t *public_key, tl_str address,
                             tl_errctx *ctx)
{
    tl_hotkey named;
    uint16_t prefix;
    const tl_hotkey *key = tl_keypair_public(keypair);
    if (memcmp(key->b, public_key, PUBLIC_LEN) != 0) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, "encoded",
                             "the secret and the public key of the JSON are not a pair");
    }
    if (address.len == 0) {
        return TL_OK;
    }
    if (tl_ss58_decode_any(&named, &prefix, address, ctx) != TL_OK || !tl_hotkey_eq(&named, key)) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, "address",
                             "the JSON's address is not that of its key"); /* WAL-1 */
    }
    return TL_OK;
}

tl_err tl__polkadot_key(tl_keypair **out, tl_bytes pkcs8, tl_str address, tl_errctx *ctx)
{
    const uint8_t *divider = pkcs8.ptr + PKCS8_HEADER_LEN + SECRET_LEN;
    if (pkcs8.len != PKCS8_LEN || memcmp(pkcs8.ptr, pkcs8_header, PKCS8_HEADER_LEN) != 0 ||
        memcmp(divider, pkcs8_divider, DIVIDER_LEN) != 0) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, "encoded",
                             "what was encrypted is no key of version 3");
    }
    uint8_t secret[SECRET_LEN];
    memcpy(secret, pkcs8.ptr + PKCS8_HEADER_LEN, SECRET_LEN);
    tl_keypair *made = NULL;
    tl_err err = divide_by_cofactor(secret)
                     ? tl_keypair_from_private(&made, tl_scheme_sr25519(),
                                               (tl_bytes){secret, SECRET_LEN}, ctx)
                     : tl_fail_field(ctx, TL_ERR_CORRUPT, "encoded",
                                     "the secret is no multiple of the cofactor");
    tl_wipe(secret, sizeof secret);
    if (err == TL_OK) {
        err = check_identity(made, divider + DIVIDER_LEN, address, ctx);
    }
    if (err != TL_OK) {
        tl_keypair_free(made);
        return err;
    }
    *out = made;
    return TL_OK;
}

static tl_err import(tl_keypair **out, tl_arena *arena, tl_str json, tl_str password,
                     tl_errctx *ctx)
{
    tl__polkadot parts;
    TL_TRY(tl__polkadot_parse(&parts, arena, json, ctx));
    uint8_t *key = TL_NEW(arena, uint8_t, SCRYPT_KEY_LEN);
    uint8_t *plain = TL_NEW(arena, uint8_t, PKCS8_LEN);
    if (key == NULL || plain == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(box_key(key, &parts, password, ctx));
    if (crypto_secretbox_open_easy(plain, parts.box.ptr, parts.box.len, parts.nonce.ptr, key) !=
        0) {
        return tl__wrong_password(ctx);
    }
    return tl__polkadot_key(out, (tl_bytes){plain, PKCS8_LEN}, parts.address, ctx);
}

tl_err tl_keyfile_import_polkadot(tl_keypair **out, tl_str json, tl_str password, tl_errctx *ctx)
{
    tl_arena *arena = NULL; /* WAL-4 */
    TL_TRY(tl_wallet_arena_new(&arena, ctx));
    const tl_err err = import(out, arena, json, password, ctx);
    tl_arena_free(arena);
    return err;
}
