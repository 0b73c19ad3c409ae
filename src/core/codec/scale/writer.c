/* The writer: field by field, so that no struct's padding and no machine's byte order gets into the bytes. */
#include "core/codec/scale/scale.h"

static void put_le(tl_sb *sb, uint64_t value, size_t len)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    tl_sb_put_bytes(sb, bytes, len);
}

void tl_scale_put_u8(tl_sb *sb, uint8_t value)
{
    put_le(sb, value, 1);
}

void tl_scale_put_u16(tl_sb *sb, uint16_t value)
{
    put_le(sb, value, 2);
}

void tl_scale_put_u32(tl_sb *sb, uint32_t value)
{
    put_le(sb, value, 4);
}

void tl_scale_put_u64(tl_sb *sb, uint64_t value)
{
    put_le(sb, value, 8);
}

void tl_scale_put_u128(tl_sb *sb, tl_u128 value)
{
    put_le(sb, (uint64_t)value, 8);
    put_le(sb, (uint64_t)(value >> 64), 8);
}

void tl_scale_put_i8(tl_sb *sb, int8_t value)
{
    put_le(sb, (uint8_t)value, 1);
}

void tl_scale_put_i16(tl_sb *sb, int16_t value)
{
    put_le(sb, (uint16_t)value, 2);
}

void tl_scale_put_i32(tl_sb *sb, int32_t value)
{
    put_le(sb, (uint32_t)value, 4);
}

void tl_scale_put_i64(tl_sb *sb, int64_t value)
{
    put_le(sb, (uint64_t)value, 8);
}

void tl_scale_put_i128(tl_sb *sb, tl_i128 value)
{
    tl_scale_put_u128(sb, (tl_u128)value);
}

void tl_scale_put_bool(tl_sb *sb, bool value)
{
    put_le(sb, value ? 1 : 0, 1);
}

void tl_scale_put_compact_wide(tl_sb *sb, const uint8_t *little_endian, size_t len)
{
    while (len != 0 && little_endian[len - 1] == 0) {
        len--;
    }
    TL_ASSERT(len <= TL_SCALE_COMPACT_MAX);
    uint64_t low = 0;
    for (size_t i = 0; i < len && i < 4; i++) {
        low |= (uint64_t)little_endian[i] << (8 * i);
    }
    if (len > 4 || low >> 30 != 0) {
        put_le(sb, (uint64_t)(len - 4) << 2 | 3, 1);
        tl_sb_put_bytes(sb, little_endian, len);
    } else if (low >> 14 != 0) {
        put_le(sb, low << 2 | 2, 4);
    } else if (low >> 6 != 0) {
        put_le(sb, low << 2 | 1, 2);
    } else {
        put_le(sb, low << 2, 1);
    }
}

void tl_scale_put_compact_u128(tl_sb *sb, tl_u128 value)
{
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    tl_scale_put_compact_wide(sb, bytes, sizeof bytes);
}

void tl_scale_put_compact(tl_sb *sb, uint64_t value)
{
    tl_scale_put_compact_u128(sb, value);
}

void tl_scale_put_bytes(tl_sb *sb, const void *bytes, size_t len)
{
    tl_scale_put_compact(sb, len);
    tl_sb_put_bytes(sb, bytes, len);
}

void tl_scale_put_str(tl_sb *sb, tl_str text)
{
    tl_scale_put_bytes(sb, text.ptr, text.len);
}
