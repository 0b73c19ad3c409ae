/* Attacks addresses and base58 with anything: what is accepted is the only spelling of its key and prefix. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/codec/base58/base58.h"
#include "core/crypto/key/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const tl_str text = {(const char *)data, len};
    tl_hotkey key;
    tl_hotkey same;
    uint16_t prefix;
    if (tl_ss58_decode_any(&key, &prefix, text, NULL) == TL_OK) {
        char again[TL_SS58_CAP];
        TL_ASSERT(tl_ss58_prefix_is_valid(prefix) && tl_ss58_prefix_is_registered(prefix));
        TL_ASSERT(tl_ss58_encode(again, &key, prefix) == len); /* KEY-1 */
        TL_ASSERT(memcmp(again, data, len) == 0);
        TL_ASSERT((tl_ss58_decode(&same, text, NULL) == TL_OK) == (len == TL_SS58_HOTKEY_LEN));
    } else if (tl_ss58_decode(&same, text, NULL) ==
               TL_OK) { /* of an unregistered prefix of one byte */
        size_t spellings = 0;
        for (prefix = 59; prefix <= 62; prefix++) {
            char again[TL_SS58_CAP];
            TL_ASSERT(!tl_ss58_prefix_is_registered(prefix));
            spellings +=
                tl_ss58_encode(again, &same, prefix) == len && memcmp(again, data, len) == 0;
        }
        TL_ASSERT(spellings == 1); /* KEY-1 */
    }
    uint8_t bytes[TL_BASE58_BYTES_MAX];
    size_t bytes_len;
    char encoded[TL_BASE58_CAP];
    if (tl_base58_decode_var(bytes, &bytes_len, text, NULL) == TL_OK) {
        TL_ASSERT(tl_base58_encode_var(encoded, bytes, bytes_len) == len); /* B58-1 */
        TL_ASSERT(memcmp(encoded, data, len) == 0);
    }
    if (len >= sizeof key.b + 2) { /* the bytes as a key: a hash of two bytes is seldom guessed */
        memcpy(key.b, data, sizeof key.b);
        prefix = (uint16_t)((data[32] << 8 | data[33]) & TL_SS58_PREFIX_MAX);
        if (tl_ss58_prefix_is_valid(prefix)) {
            const size_t text_len = tl_ss58_encode(encoded, &key, prefix);
            uint16_t seen;
            const tl_err err = tl_ss58_decode_any(&same, &seen, (tl_str){encoded, text_len}, NULL);
            TL_ASSERT((err == TL_OK) == tl_ss58_prefix_is_registered(prefix));
            TL_ASSERT(err != TL_OK || (tl_hotkey_eq(&key, &same) && seen == prefix));
        }
    }
    return 0;
}
