/* Plain key files. Reading looks at what decides (WAL-1):
 *
 *      scheme    cryptoType, sr25519 without it; but the scheme under which the key has the file's address, where it has one
 *      key       the first of secretPhrase, secretSeed, privateKey, ss58Address
 *      compared  ss58Address as text in the generic format; publicKey, accountId; each later secret that can be read
 */
#include "sdk/wallet/wallet.h"

#include <string.h>

#include "base/json/json.h"
#include "core/codec/hex/hex.h"

enum {
    PRIVATE_LEN = 64, /* the longer form of a private key */
    PRIVATE_DIGITS = 2 * PRIVATE_LEN,
    SEED_DIGITS = 2 * TL_SEED_LEN,
    HEX_CAP = PRIVATE_DIGITS + 3 /* 0x and a NUL */
};

/* The fields of a file that say something; ptr NULL: not there, null or no text. */
typedef struct fields {
    tl_str phrase;
    tl_str seed;
    tl_str private_key;
    tl_str address;
    tl_str public_key;
    tl_str account_id;
    const tl_scheme *scheme; /* NULL: cryptoType says nothing */
} fields;

/* --- one secret --- */

/* Digits behind an optional 0x: how many there are tells what it is. */
static size_t count_digits(tl_str hex)
{
    return hex.len - (tl_str_starts_with(hex, TL_STR("0x")) ? 2 : 0);
}

static tl_err name_field(tl_err err, const char *field, tl_errctx *ctx)
{
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", field);
    }
    return err;
}

static tl_err from_seed_hex(tl_keypair **out, const tl_scheme *scheme, tl_str hex,
                            const char *field, tl_errctx *ctx)
{
    uint8_t seed[TL_SEED_LEN];
    if (count_digits(hex) != SEED_DIGITS) {
        return tl_fail_field(ctx, TL_ERR_RANGE, field, "%s has %zu hex digits, not %d", field,
                             count_digits(hex), SEED_DIGITS);
    }
    tl_err err = tl_secret_unhex(seed, sizeof seed, hex, ctx);
    if (err == TL_OK) {
        err = tl_keypair_from_seed(out, scheme, seed, ctx);
    }
    tl_wipe(seed, sizeof seed);
    return name_field(err, field, ctx);
}

/* 64 bytes under ed25519: the seed and its public key, which must be a pair. */
static tl_err from_private(tl_keypair **out, const tl_scheme *scheme,
                           const uint8_t key[PRIVATE_LEN], tl_errctx *ctx)
{
    if (scheme->private_len == PRIVATE_LEN) {
        return tl_keypair_from_private(out, scheme, (tl_bytes){key, PRIVATE_LEN}, ctx);
    }
    tl_keypair *made = NULL;
    TL_TRY(tl_keypair_from_seed(&made, scheme, key, ctx));
    if (memcmp(tl_keypair_public(made)->b, key + TL_SEED_LEN, sizeof(tl_hotkey)) != 0) {
        tl_keypair_free(made);
        return tl_fail(ctx, TL_ERR_CORRUPT, "the halves of the private key are not a pair");
    }
    *out = made;
    return TL_OK;
}

static tl_err from_private_hex(tl_keypair **out, const tl_scheme *scheme, tl_str hex,
                               const char *field, tl_errctx *ctx)
{
    uint8_t key[PRIVATE_LEN];
    if (count_digits(hex) == SEED_DIGITS) {
        return from_seed_hex(out, scheme, hex, field, ctx);
    }
    if (count_digits(hex) != PRIVATE_DIGITS) {
        return tl_fail_field(ctx, TL_ERR_RANGE, field, "%s has %zu hex digits, neither %d nor %d",
                             field, count_digits(hex), SEED_DIGITS, PRIVATE_DIGITS);
    }
    tl_err err = tl_secret_unhex(key, sizeof key, hex, ctx);
    if (err == TL_OK) {
        err = from_private(out, scheme, key, ctx);
    }
    tl_wipe(key, sizeof key);
    return name_field(err, field, ctx);
}

static tl_err from_phrase(tl_keypair **out, const tl_scheme *scheme, tl_str phrase, tl_errctx *ctx)
{
    return name_field(tl_keypair_from_mnemonic(out, scheme, phrase, TL_STR(""), ctx),
                      "secretPhrase", ctx);
}

static tl_err from_address(tl_keypair **out, const tl_scheme *scheme, tl_str address,
                           tl_errctx *ctx)
{
    tl_hotkey key;
    uint16_t prefix;
    tl_err err = tl_ss58_decode_any(&key, &prefix, address, ctx);
    if (err == TL_OK) {
        err = tl_keypair_from_public(out, scheme, &key, ctx);
    }
    return name_field(err, "ss58Address", ctx);
}

/* --- a whole file --- */

/* The pair that the file's first part gives under a scheme. */
static tl_err from_fields(tl_keypair **out, const tl_scheme *scheme, const fields *f,
                          tl_errctx *ctx)
{
    if (f->phrase.ptr != NULL) {
        return from_phrase(out, scheme, f->phrase, ctx);
    }
    if (f->seed.ptr != NULL) {
        return from_seed_hex(out, scheme, f->seed, "secretSeed", ctx);
    }
    if (f->private_key.ptr != NULL) {
        return from_private_hex(out, scheme, f->private_key, "privateKey", ctx);
    }
    if (f->address.ptr != NULL) {
        return from_address(out, scheme, f->address, ctx);
    }
    const tl_err err = tl_fail(ctx, TL_ERR_MISSING, "the key file holds no key");
    tl_errctx_hint(ctx, "one of secretPhrase, secretSeed, privateKey, ss58Address is needed");
    return err;
}

static bool has_secret(const fields *f)
{
    return f->phrase.ptr != NULL || f->seed.ptr != NULL || f->private_key.ptr != NULL;
}

/* As SDK 11 compares: the text in the generic format. */
static bool has_address(const tl_keypair *pair, tl_str address)
{
    char text[TL_SS58_CAP];
    const size_t len = tl_ss58_encode(text, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
    return tl_str_eq(address, (tl_str){text, len});
}

/* The pair under the scheme that the file names or, where that does not give its address, under another one that does. */
static tl_err find_pair(tl_keypair **out, const fields *f, tl_errctx *ctx)
{
    const tl_scheme *named = f->scheme != NULL ? f->scheme : tl_scheme_sr25519();
    tl_keypair *pair = NULL;
    const tl_err named_err = from_fields(&pair, named, f, ctx);
    if (!has_secret(f) || f->address.ptr == NULL) {
        *out = pair;
        return named_err;
    }
    if (named_err == TL_OK && has_address(pair, f->address)) {
        *out = pair;
        return TL_OK;
    }
    tl_keypair_free(pair);
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        pair = NULL;
        if (tl_scheme_at(i) == named || from_fields(&pair, tl_scheme_at(i), f, NULL) != TL_OK) {
            continue;
        }
        if (has_address(pair, f->address)) {
            *out = pair;
            tl_errctx_reset(ctx);
            return TL_OK;
        }
        tl_keypair_free(pair);
    }
    if (named_err != TL_OK) {
        return named_err;
    }
    const tl_err err = tl_fail_field(ctx, TL_ERR_CORRUPT, "ss58Address",
                                     "ss58Address is not the address of the key in the file");
    tl_errctx_hint(ctx, "it must be in the generic format, which begins with 5");
    return err;
}

static tl_err compare_public(const tl_keypair *pair, tl_str hex, const char *field, tl_errctx *ctx)
{
    tl_hotkey named;
    if (hex.ptr == NULL) {
        return TL_OK;
    }
    const size_t skip = hex.len - count_digits(hex);
    TL_TRY(name_field(tl_hex_decode(named.b, sizeof named.b, tl_str_slice(hex, skip, hex.len), ctx),
                      field, ctx));
    if (!tl_hotkey_eq(&named, tl_keypair_public(pair))) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, field,
                             "%s is not the public key of the key in the file", field);
    }
    return TL_OK;
}

/* A later secret that can be read must be the same key; one that cannot decides nothing. */
static tl_err compare_secret(const tl_keypair *pair, tl_str hex, bool is_seed, const char *field,
                             tl_errctx *ctx)
{
    tl_keypair *other = NULL;
    const tl_scheme *scheme = tl_keypair_scheme(pair);
    if (hex.ptr == NULL) {
        return TL_OK;
    }
    const tl_err err = is_seed ? from_seed_hex(&other, scheme, hex, field, NULL)
                               : from_private_hex(&other, scheme, hex, field, NULL);
    const bool is_other =
        err == TL_OK && !tl_hotkey_eq(tl_keypair_public(other), tl_keypair_public(pair));
    tl_keypair_free(other);
    return is_other ? tl_fail_field(ctx, TL_ERR_CORRUPT, field, "%s is that of another key", field)
                    : TL_OK;
}

static tl_err compare(const tl_keypair *pair, const fields *f, tl_errctx *ctx) /* WAL-1 */
{
    TL_TRY(compare_public(pair, f->public_key, "publicKey", ctx));
    TL_TRY(compare_public(pair, f->account_id, "accountId", ctx));
    if (!has_secret(f)) {
        return TL_OK;
    }
    TL_TRY(compare_secret(pair, f->seed, true, "secretSeed", ctx));
    return compare_secret(pair, f->private_key, false, "privateKey", ctx);
}

/* --- text to fields --- */

static tl_str text_of(const tl_json *object, const char *key)
{
    const tl_json *value = tl_json_get(object, key);
    return value != NULL && value->kind == TL_JSON_STRING ? value->text : (tl_str){NULL, 0};
}

/* A number, or text that is one; anything else says nothing. */
static tl_err read_crypto_type(const tl_scheme **out, const tl_json *object, tl_errctx *ctx)
{
    const tl_json *value = tl_json_get(object, "cryptoType");
    uint64_t code = 0;
    *out = NULL;
    if (value == NULL || (value->kind != TL_JSON_NUMBER && value->kind != TL_JSON_STRING)) {
        return TL_OK;
    }
    const bool is_code = tl_str_parse_u64(&code, tl_str_trim(value->text));
    if (!is_code && value->kind == TL_JSON_STRING) {
        return TL_OK;
    }
    *out = is_code ? tl_scheme_by_code(code) : NULL;
    if (*out == NULL) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "cryptoType", "unknown cryptoType; there is %s",
                             tl_scheme_names());
    }
    return TL_OK;
}

static tl_err decode_json(tl_keypair **out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    static const tl_json_options options = {.len_max = TL_KEYFILE_LEN_MAX};
    const tl_json *object;
    TL_TRY(tl_json_parse(&object, arena, text, &options, ctx));
    fields f = {.phrase = text_of(object, "secretPhrase"),
                .seed = text_of(object, "secretSeed"),
                .private_key = text_of(object, "privateKey"),
                .address = text_of(object, "ss58Address"),
                .public_key = text_of(object, "publicKey"),
                .account_id = text_of(object, "accountId")};
    TL_TRY(read_crypto_type(&f.scheme, object, ctx));
    tl_keypair *pair = NULL;
    TL_TRY(find_pair(&pair, &f, ctx));
    const tl_err err = compare(pair, &f, ctx);
    if (err != TL_OK) {
        tl_keypair_free(pair);
        return err;
    }
    *out = pair;
    return TL_OK;
}

static bool is_hex(tl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return text.len > 0;
}

/* A file without JSON is an sr25519 seed or private key in hex, or a mnemonic. */
static tl_err decode_bare(tl_keypair **out, tl_str text, tl_errctx *ctx)
{
    const tl_scheme *scheme = tl_scheme_sr25519();
    if (is_hex(tl_str_slice(text, text.len - count_digits(text), text.len))) {
        return from_private_hex(out, scheme, text, "seed", ctx);
    }
    if (tl_str_find(text, ' ') == text.len) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "neither a key file nor a hex seed nor a mnemonic");
    }
    return tl_keypair_from_mnemonic(out, scheme, text, TL_STR(""), ctx);
}

tl_err tl_keyfile_decode(tl_keypair **out, tl_bytes plain, tl_errctx *ctx)
{
    const tl_str text = tl_str_trim((tl_str){(const char *)plain.ptr, plain.len});
    if (plain.len > TL_KEYFILE_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a key file has at most %zu bytes", TL_KEYFILE_LEN_MAX);
    }
    if (text.len == 0 || text.ptr[0] != '{') {
        return decode_bare(out, text, ctx);
    }
    tl_arena *arena = NULL; /* WAL-4: strings with escapes are decoded into it */
    TL_TRY(tl_wallet_arena_new(&arena, ctx));
    const tl_err err = decode_json(out, arena, text, ctx);
    tl_arena_free(arena);
    return err;
}

/* --- writing --- */

static void put_hex(tl_json_writer *w, const char *key, const uint8_t *bytes, size_t len)
{
    char text[HEX_CAP] = "0x";
    TL_ASSERT(len <= PRIVATE_LEN);
    tl_secret_hex(text + 2, bytes, len);
    tl_json_put_key(w, key);
    tl_json_put_cstr(w, text);
    tl_wipe(text, sizeof text);
}

/* Keys in ascending order. cryptoType stands only where the scheme is not sr25519: 4.0 opens no file that has it. */
static tl_err encode(tl_str *out, tl_arena *arena, const tl_keypair *pair, bool is_whole,
                     tl_errctx *ctx)
{
    const tl_scheme *scheme = tl_keypair_scheme(pair);
    const tl_hotkey *key = tl_keypair_public(pair);
    char address[TL_SS58_CAP];
    tl_bytes bytes = {NULL, 0};
    tl_str phrase = {NULL, 0};
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    put_hex(&w, "accountId", key->b, sizeof key->b);
    if (scheme != tl_scheme_sr25519()) {
        tl_json_put_key(&w, "cryptoType");
        tl_json_put_u64(&w, scheme->code);
    }
    if (is_whole && tl_keypair_borrow_private(&bytes, pair)) {
        put_hex(&w, "privateKey", bytes.ptr, bytes.len);
    }
    put_hex(&w, "publicKey", key->b, sizeof key->b);
    if (is_whole && tl_keypair_borrow_phrase(&phrase, pair)) {
        tl_json_put_key(&w, "secretPhrase");
        tl_json_put_str(&w, phrase);
    }
    if (is_whole && tl_keypair_borrow_seed(&bytes, pair)) {
        put_hex(&w, "secretSeed", bytes.ptr, bytes.len);
    }
    (void)tl_ss58_encode(address, key, TL_SS58_PREFIX_GENERIC);
    tl_json_put_key(&w, "ss58Address");
    tl_json_put_cstr(&w, address);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_keyfile_encode(tl_str *out, tl_arena *arena, const tl_keypair *keypair, tl_errctx *ctx)
{
    return encode(out, arena, keypair, true, ctx);
}

tl_err tl_keyfile_encode_public(tl_str *out, tl_arena *arena, const tl_keypair *keypair,
                                tl_errctx *ctx)
{
    return encode(out, arena, keypair, false, ctx);
}
