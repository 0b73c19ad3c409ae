/* Attacks phrases with anything: what is accepted has one entropy, and that entropy one phrase. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/crypto/mnemonic/mnemonic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The bytes as entropy, and that phrase with one letter changed by the rest of the input. */
static void spell(const uint8_t *data, size_t len)
{
    char text[TL_MNEMONIC_CAP];
    uint8_t back[TL_MNEMONIC_ENTROPY_MAX];
    size_t back_len = 0;
    const size_t take = len < TL_MNEMONIC_ENTROPY_MAX ? len : TL_MNEMONIC_ENTROPY_MAX;
    if (tl_mnemonic_from_entropy(text, data, take, NULL) != TL_OK) {
        return;
    }
    TL_ASSERT(strlen(text) <= TL_MNEMONIC_TEXT_MAX);
    TL_ASSERT(tl_mnemonic_to_entropy(back, &back_len, tl_str_from_cstr(text), NULL) == TL_OK);
    TL_ASSERT(back_len == take && memcmp(back, data, take) == 0); /* MNEM-1 */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const tl_str phrase = {(const char *)data, len};
    uint8_t entropy[TL_MNEMONIC_ENTROPY_MAX], again[TL_MNEMONIC_ENTROPY_MAX];
    char text[TL_MNEMONIC_CAP];
    size_t entropy_len = 0, again_len = 0;
    tl_errctx ctx = TL_ERRCTX_INIT;
    memset(entropy, 0xA5, sizeof entropy);
    const tl_err err = tl_mnemonic_to_entropy(entropy, &entropy_len, phrase, &ctx);
    TL_ASSERT(tl_mnemonic_check(phrase, NULL) == err);
    if (err == TL_OK) {
        TL_ASSERT(tl_mnemonic_from_entropy(text, entropy, entropy_len, NULL) == TL_OK);
        TL_ASSERT(tl_mnemonic_to_entropy(again, &again_len, tl_str_from_cstr(text), NULL) == TL_OK);
        TL_ASSERT(again_len == entropy_len &&
                  memcmp(again, entropy, entropy_len) == 0); /* MNEM-1 */
    } else {
        TL_ASSERT(entropy_len == 0 && entropy[0] == 0xA5 && ctx.code == err); /* MNEM-3 */
    }
    spell(data, len);
    return 0;
}
