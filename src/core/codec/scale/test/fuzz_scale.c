/* Attacks the reader with anything. The first byte says how the rest is read, value by value; each value that is
 * accepted is written again, and the bytes must be those that were read. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/codec/scale/scale.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TEXT_MAX 64

/* Reads one value of a kind and writes it; what a failed read gives must be empty (SCALE-1). */
static void copy_value(tl_scale_reader *r, tl_sb *sb, unsigned kind)
{
    uint8_t wide[TL_SCALE_COMPACT_MAX];
    switch (kind) {
    case 0:
        tl_scale_put_compact(sb, tl_scale_read_compact_u64(r));
        return;
    case 1: {
        const size_t wide_len = tl_scale_read_compact_wide(r, wide);
        tl_scale_put_compact_wide(sb, wide, wide_len);
        return;
    }
    case 2:
        tl_scale_put_bool(sb, tl_scale_read_bool(r));
        return;
    case 3:
        tl_scale_put_str(sb, tl_scale_read_str(r, TEXT_MAX));
        return;
    case 4: {
        const size_t count = tl_scale_read_count(r, SIZE_MAX, 2);
        TL_ASSERT(count <= r->input.len / 2); /* SCALE-3 */
        tl_scale_put_compact(sb, count);
        for (size_t i = 0; i < count; i++) {
            tl_scale_put_u16(sb, tl_scale_read_u16(r));
        }
        return;
    }
    case 5: {
        const bool has_value = tl_scale_read_option(r);
        tl_scale_put_bool(sb, has_value);
        if (has_value) {
            tl_scale_put_i128(sb, tl_scale_read_i128(r));
        }
        return;
    }
    case 6:
        tl_scale_put_u8(sb, tl_scale_read_variant(r, 7));
        return;
    default:
        tl_scale_put_i32(sb, tl_scale_read_i32(r));
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) {
        return 0;
    }
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_scale_reader r;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_scale_reader_init(&r, (tl_bytes){data + 1, len - 1});
    for (unsigned kind = data[0] % 8; r.err == TL_OK && r.at < len - 1; kind = (kind * 5 + 1) % 8) {
        const size_t before = sb.len;
        const size_t at = r.at;
        copy_value(&r, &sb, kind);
        if (r.err == TL_OK) {
            TL_ASSERT(sb.len - before == r.at - at); /* SCALE-2 */
            TL_ASSERT(memcmp(sb.text + before, data + 1 + at, r.at - at) == 0);
        } else {
            TL_ASSERT(r.at >= at && r.at <= len - 1);
            TL_ASSERT(tl_scale_read_u64(&r) == 0 && tl_scale_read_view(&r, 0).len == 0);
            TL_ASSERT(tl_scale_reader_finish(&r, NULL) == r.err);
        }
    }
    tl_arena_free(arena);
    return 0;
}
