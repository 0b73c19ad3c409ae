/* Attacks the parser of amounts with anything. What is accepted survives print and parse, and is the text itself but
 * for the places behind the point, which print always writes out. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena/arena.h"
#include "core/num/money/money.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static tl_str print(tl_arena *arena, tl_rao amount)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_rao_print(&sb, amount);
    const tl_err err = tl_sb_finish(&text, &sb, NULL);
    TL_ASSERT(err == TL_OK);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const tl_str text = {(const char *)data, len};
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_rao amount = tl_rao_from_i64(7);
    const tl_err err = tl_rao_parse(&amount, text, &ctx);
    if (err != TL_OK) {
        TL_ASSERT(ctx.code == err && tl_rao_to_i64(amount) == 7);
        return 0;
    }
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK) {
        const tl_str printed = print(arena, amount);
        TL_ASSERT(printed.len >= len && memcmp(printed.ptr, data, len) == 0);
        tl_rao again = TL_RAO_ZERO;
        const tl_err again_err = tl_rao_parse(&again, printed, NULL);
        TL_ASSERT(again_err == TL_OK && tl_rao_eq(again, amount)); /* MONEY-5 */
        tl_arena_free(arena);
    }
    return 0;
}
