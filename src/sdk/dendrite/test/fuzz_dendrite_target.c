/* A target of any bytes: refused, or its parts put together again are what was read. */
#include <stddef.h>
#include <stdint.h>

#include "sdk/dendrite/dendrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tl_str text = {(const char *)data, size};
    tl_dendrite_target target = {.port = 0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    if (tl_dendrite_target_parse(&target, text, &ctx) != TL_OK) {
        TL_ASSERT(ctx.message[0] != '\0' && ctx.field[0] != '\0' && target.port == 0);
        return 0;
    }
    if (tl_arena_new(&arena, NULL, 1 << 20, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_sb sb;
    tl_str again = {NULL, 0};
    tl_dendrite_target second = {.port = 0};
    tl_sb_init(&sb, arena);
    tl_dendrite_put_target(&sb, &target);
    tl_sb_printf(&sb, ":%.*s", TL_STR_ARG(target.hotkey));
    if (tl_sb_finish(&again, &sb, NULL) == TL_OK &&
        tl_str_find(target.host, '\0') == target.host.len) {
        TL_ASSERT(tl_dendrite_target_parse(&second, again, NULL) == TL_OK);
        TL_ASSERT(tl_str_eq(second.host, target.host) && second.port == target.port);
        TL_ASSERT(tl_str_eq(second.hotkey, target.hotkey));
    }
    tl_arena_free(arena);
    return 0;
}
