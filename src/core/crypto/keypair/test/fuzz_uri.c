/* Attacks secret URIs, junctions, scheme names, hex of secrets and private keys with anything: what is refused leaves no
 * pair, what is accepted signs, and what it signs verifies. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/crypto/keypair/keypair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void use(tl_keypair *pair)
{
    uint8_t signature[128];
    size_t len = 0;
    const tl_bytes message = {(const uint8_t *)"message", 7};
    const tl_scheme *scheme = tl_keypair_scheme(pair);
    TL_ASSERT(tl_keypair_sign(signature, sizeof signature, &len, pair, message, NULL, NULL) ==
              TL_OK);
    const tl_bytes key = {tl_keypair_public(pair)->b, sizeof tl_keypair_public(pair)->b};
    TL_ASSERT(tl_scheme_key_is_strong(scheme, key)); /* PAIR-2 */
    TL_ASSERT(tl_scheme_verify(scheme, key, message, (tl_bytes){signature, len}));
    tl_bytes secret;
    tl_keypair *same = NULL;
    TL_ASSERT(tl_keypair_borrow_private(&secret, pair));
    TL_ASSERT(tl_keypair_from_private(&same, scheme, secret, NULL) == TL_OK);
    TL_ASSERT(tl_hotkey_eq(tl_keypair_public(same), tl_keypair_public(pair))); /* PAIR-1 */
    tl_keypair_free(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const tl_str text = {(const char *)data, len};
    const tl_scheme *scheme = tl_scheme_at(len % tl_scheme_count());
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_keypair *pair = NULL;
    const tl_err err = tl_keypair_from_uri(&pair, scheme, text, &ctx);
    TL_ASSERT((err == TL_OK) == (pair != NULL) && ctx.code == err); /* PAIR-3 */
    if (pair != NULL) {
        use(pair);
        tl_keypair_free(pair);
        pair = NULL;
    }
    if (tl_keypair_from_private(&pair, scheme, tl_str_bytes(text), NULL) == TL_OK) {
        use(pair);
        tl_keypair_free(pair);
    }
    uint8_t code[TL_CHAIN_CODE_LEN], bytes[64];
    const tl_err junction = tl_junction_chain_code(code, text, NULL);
    TL_ASSERT(junction == TL_OK || len == 0 || len > TL_URI_LEN_MAX || !tl_str_is_utf8(text) ||
              memchr(data, '/', len) != NULL);
    if (len / 2 <= sizeof bytes && tl_secret_unhex(bytes, len / 2, text, NULL) == TL_OK) {
        char again[2 * sizeof bytes + 1];
        tl_secret_hex(again, bytes, len / 2);
        for (size_t i = 0; i < len; i++) {
            TL_ASSERT((data[i] | 32) == ((unsigned char)again[i] | 32));
        }
    }
    const tl_scheme *named = tl_scheme_parse(text);
    TL_ASSERT(named == NULL || len > 0);
    return 0;
}
