/* Attacks verification with anything: a key, a signature and a message in one row. No input may be read beyond its end,
 * and every way of verifying says the same. */
#include "base/error/error.h"
#include "core/crypto/srverify/srverify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    enum { KEY = TL_SR25519_PUBLIC_LEN, SIGNATURE = TL_SR25519_SIGNATURE_LEN, MANY = 5 };
    if (len < KEY) {
        return 0;
    }
    const size_t signature_len = len - KEY < SIGNATURE ? len - KEY : SIGNATURE;
    const tl_bytes signature = {data + KEY, signature_len};
    const tl_bytes message = {data + KEY + signature_len, len - KEY - signature_len};
    const bool single = tl_sr25519_verify(data, message, signature);
    tl_srkey key;
    const bool is_key = tl_srkey_prepare(&key, data);
    TL_ASSERT(is_key || !single);                                              /* SRV-2 */
    TL_ASSERT(!is_key || tl_srkey_verify(&key, message, signature) == single); /* SRV-1 */
    tl_sr25519_item items[MANY];
    bool out[MANY];
    for (size_t i = 0; i < MANY; i++) {
        items[i] = (tl_sr25519_item){data, i == 0 && is_key ? &key : NULL, message, signature};
    }
    tl_sr25519_verify_batch(out, items, MANY);
    for (size_t i = 0; i < MANY; i++) {
        TL_ASSERT(out[i] == single);
    }
    return 0;
}
