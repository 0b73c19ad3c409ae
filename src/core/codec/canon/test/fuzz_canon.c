/* Attacks the canonical form with anything that the JSON reader accepts: its canonical text is accepted too, is its own
 * canonical text (CANON-1), and is at most eight times as long. */
#include <stddef.h>
#include <stdint.h>

#include "core/codec/canon/canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    const tl_str text = {(const char *)data, len};
    tl_str first;
    tl_str second;
    if (tl_canon_text(&first, arena, text, NULL) == TL_OK) {
        TL_ASSERT(tl_canon_text(&second, arena, first, NULL) == TL_OK);
        TL_ASSERT(tl_str_eq(first, second));
        TL_ASSERT(tl_canon_check(first, arena, NULL) == TL_OK);
        const tl_err err = tl_canon_check(text, arena, NULL);
        TL_ASSERT(err == (tl_str_eq(first, text) ? TL_OK : TL_ERR_CANONICAL));
        TL_ASSERT(first.len <= 8 * len); /* "1e9" becomes 1000000000.0, "é" becomes \u00e9 */
    }
    tl_arena_free(arena);
    return 0;
}
