/* Two older forms of encrypted key files, read only.
 *
 *      $ANSIBLE_VAULT;1.1;AES256 ⏎ hex in lines      text of it: hex(salt) ⏎ hex(mac) ⏎ hex(box)
 *          80 bytes of PBKDF2-HMAC-SHA256, 10,000 rounds: cipher key 32, mac key 32, counter 16; mac over the box;
 *          AES-256-CTR of the plain text padded to 16
 *
 *      gAAAAA…  base64 (URL alphabet) of   80 │ time, 8 │ IV, 16 │ box │ mac, 32          (Fernet)
 *          32 bytes of PBKDF2-HMAC-SHA256, ten million rounds, constant salt: mac key 16, cipher key 16; mac over all
 *          before it; AES-128-CBC of the plain text padded to 16
 *
 * (Wire spec section 4.3.) */
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <string.h>

#include "core/codec/hex/hex.h"
#include "sdk/wallet/wallet_internal.h"

enum {
    AES_BLOCK_LEN = 16,
    MAC_LEN = 32,
    ANSIBLE_ROUNDS = 10000,
    ANSIBLE_CIPHER_KEY_LEN = 32,
    ANSIBLE_SALT_MAX = 64,
    FERNET_ROUNDS = 10000000,
    FERNET_IV_AT = 9,
    FERNET_BOX_AT = FERNET_IV_AT + AES_BLOCK_LEN,
    FERNET_HALF_LEN = TL__FERNET_KEY_LEN / 2
};

static const char fernet_salt[] = "Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins";

static tl_err pbkdf2(uint8_t *out, int len, tl_str password, const uint8_t *salt, size_t salt_len,
                     int rounds, tl_errctx *ctx)
{
    const char *text = password.ptr != NULL ? password.ptr : "";
    if (password.len > INT_MAX || PKCS5_PBKDF2_HMAC(text, (int)password.len, salt, (int)salt_len,
                                                    rounds, EVP_sha256(), len, out) != 1) {
        return tl_fail(ctx, TL_ERR_NOMEM, "the key of a password cannot be derived");
    }
    return TL_OK;
}

/* Is mac the HMAC-SHA256 of the bytes? */
static bool mac_holds(tl_bytes mac, tl_bytes bytes, const uint8_t *key, size_t key_len)
{
    uint8_t want[EVP_MAX_MD_SIZE];
    unsigned want_len = 0;
    const bool is_made =
        HMAC(EVP_sha256(), key, (int)key_len, bytes.ptr, bytes.len, want, &want_len) != NULL;
    return is_made && want_len == MAC_LEN && mac.len == MAC_LEN &&
           sodium_memcmp(want, mac.ptr, MAC_LEN) == 0;
}

/* The plain text of a box whose mac held: then padding that is wrong is not the password's fault. */
static tl_err decipher(tl_str *out, tl_arena *arena, const EVP_CIPHER *cipher, tl_bytes box,
                       const uint8_t *key, const uint8_t *iv, tl_errctx *ctx)
{
    uint8_t *plain = TL_NEW(arena, uint8_t, box.len + AES_BLOCK_LEN);
    if (plain == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    int len = 0;
    int rest = 0;
    const bool is_done = aes != NULL && EVP_DecryptInit_ex(aes, cipher, NULL, key, iv) == 1 &&
                         EVP_CIPHER_CTX_set_padding(aes, 0) == 1 &&
                         EVP_DecryptUpdate(aes, plain, &len, box.ptr, (int)box.len) == 1 &&
                         EVP_DecryptFinal_ex(aes, plain + len, &rest) == 1 &&
                         (size_t)len + (size_t)rest == box.len;
    EVP_CIPHER_CTX_free(aes);
    if (!is_done) {
        return tl_fail(ctx, TL_ERR_NOMEM, "the key file cannot be deciphered");
    }
    const uint8_t pad = plain[box.len - 1]; /* PKCS#7: n bytes of value n */
    bool is_padded = pad >= 1 && pad <= AES_BLOCK_LEN;
    for (size_t i = 1; is_padded && i <= pad; i++) {
        is_padded = plain[box.len - i] == pad;
    }
    if (!is_padded) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "the padding of the encrypted key is wrong");
    }
    *out = (tl_str){(const char *)plain, box.len - pad};
    return TL_OK;
}

static tl_err fail_damaged(tl_errctx *ctx, const char *what)
{
    return tl_fail(ctx, TL_ERR_CORRUPT, "the encrypted key is damaged: %s", what);
}

/* --- Ansible --- */

/* The next line as bytes. */
static tl_err hex_line(tl_bytes *out, tl_arena *arena, tl_str *rest, const char *what,
                       tl_errctx *ctx)
{
    tl_str line = {NULL, 0};
    if (!tl_str_split(&line, rest, '\n') || line.len == 0 ||
        tl_hex_decode_bytes(out, arena, tl_str_trim(line), NULL) != TL_OK) {
        return fail_damaged(ctx, what);
    }
    return TL_OK;
}

tl_err tl__ansible_parse(tl__sealed *out, tl_arena *arena, tl_bytes file, tl_errctx *ctx)
{
    tl_str rest = {(const char *)file.ptr, file.len};
    tl_str head = {NULL, 0};
    tl_str line = {NULL, 0};
    tl_bytes text = {NULL, 0};
    *out = (tl__sealed){.kind = TL_KEYFILE_ANSIBLE};
    if (!tl_str_split(&head, &rest, '\n') ||
        !tl_str_eq_cstr(tl_str_trim(head), "$ANSIBLE_VAULT;1.1;AES256")) {
        return tl_fail(ctx, TL_ERR_VERSION, "no Ansible vault of version 1.1 with AES256");
    }
    tl_sb joined;
    tl_sb_init(&joined, arena);
    while (tl_str_split(&line, &rest, '\n')) {
        tl_sb_put(&joined, tl_str_trim(line));
    }
    tl_str hex = {NULL, 0};
    TL_TRY(tl_sb_finish(&hex, &joined, ctx));
    if (tl_hex_decode_bytes(&text, arena, hex, NULL) != TL_OK) {
        return fail_damaged(ctx, "what follows the first line is no hex");
    }
    rest = (tl_str){(const char *)text.ptr, text.len};
    TL_TRY(hex_line(&out->salt, arena, &rest, "its salt", ctx));
    TL_TRY(hex_line(&out->mac, arena, &rest, "its code of authenticity", ctx));
    TL_TRY(hex_line(&out->box, arena, &rest, "its cipher text", ctx));
    out->covered = out->box;
    if (out->salt.len > ANSIBLE_SALT_MAX || out->mac.len != MAC_LEN ||
        out->box.len % AES_BLOCK_LEN != 0) {
        return fail_damaged(ctx, "the length of a part");
    }
    return TL_OK;
}

tl_err tl__ansible_key(uint8_t *out, const tl__sealed *sealed, tl_str password, tl_errctx *ctx)
{
    return pbkdf2(out, TL__ANSIBLE_KEY_LEN, password, sealed->salt.ptr, sealed->salt.len,
                  ANSIBLE_ROUNDS, ctx);
}

tl_err tl__ansible_open(tl_str *out, tl_arena *arena, const tl__sealed *sealed, const uint8_t *key,
                        tl_errctx *ctx)
{
    const uint8_t *mac_key = key + ANSIBLE_CIPHER_KEY_LEN;
    if (!mac_holds(sealed->mac, sealed->covered, mac_key, MAC_LEN)) {
        return tl__wrong_password(ctx);
    }
    return decipher(out, arena, EVP_aes_256_ctr(), sealed->box, key, mac_key + MAC_LEN, ctx);
}

/* --- Fernet --- */

tl_err tl__fernet_parse(tl__sealed *out, tl_arena *arena, tl_bytes file, tl_errctx *ctx)
{
    const tl_str text = tl_str_trim((tl_str){(const char *)file.ptr, file.len});
    uint8_t *token = TL_NEW(arena, uint8_t, text.len + 1);
    size_t len = 0;
    if (token == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (sodium_base642bin(token, text.len + 1, text.ptr, text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE) != 0) {
        return fail_damaged(ctx, "it is no base64");
    }
    if (len < FERNET_BOX_AT + AES_BLOCK_LEN + MAC_LEN ||
        (len - FERNET_BOX_AT - MAC_LEN) % AES_BLOCK_LEN != 0) {
        return fail_damaged(ctx, "its length");
    }
    *out = (tl__sealed){
        .kind = TL_KEYFILE_FERNET,
        .nonce = {token + FERNET_IV_AT, AES_BLOCK_LEN},
        .mac = {token + len - MAC_LEN, MAC_LEN},
        .covered = {token, len - MAC_LEN},
        .box = {token + FERNET_BOX_AT, len - FERNET_BOX_AT - MAC_LEN},
    };
    return TL_OK;
}

tl_err tl__fernet_key(uint8_t *out, tl_str password, tl_errctx *ctx)
{
    return pbkdf2(out, TL__FERNET_KEY_LEN, password, (const uint8_t *)fernet_salt,
                  sizeof fernet_salt - 1, FERNET_ROUNDS, ctx);
}

tl_err tl__fernet_open(tl_str *out, tl_arena *arena, const tl__sealed *sealed, const uint8_t *key,
                       tl_errctx *ctx)
{
    if (!mac_holds(sealed->mac, sealed->covered, key, FERNET_HALF_LEN)) {
        return tl__wrong_password(ctx);
    }
    return decipher(out, arena, EVP_aes_128_cbc(), sealed->box, key + FERNET_HALF_LEN,
                    sealed->nonce.ptr, ctx);
}
