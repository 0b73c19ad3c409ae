/* The builder: grows by doubling inside its arena; the old text is left to the arena, which costs at most as much
 * again as the final text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str/str.h"

void tl_sb_init(tl_sb *sb, tl_arena *arena)
{
    *sb = (tl_sb){arena, NULL, 0, 0, TL_OK};
}

/* Room for len more bytes and a NUL, or the builder has failed (STR-1). */
static bool make_room(tl_sb *sb, size_t len)
{
    if (sb->err != TL_OK) {
        return false;
    }
    if (sb->text != NULL && len < sb->cap - sb->len) {
        return true;
    }
    if (len > SIZE_MAX / 4 - sb->len) {
        sb->err = TL_ERR_LIMIT;
        return false;
    }
    size_t cap = sb->cap * 2 > 64 ? sb->cap * 2 : 64;
    while (cap <= sb->len + len) {
        cap *= 2;
    }
    char *text = TL_NEW(sb->arena, char, cap);
    if (text == NULL) {
        sb->err = tl_arena_fail(sb->arena, NULL);
        return false;
    }
    if (sb->len != 0) {
        memcpy(text, sb->text, sb->len);
    }
    sb->text = text;
    sb->cap = cap;
    return true;
}

void tl_sb_put_bytes(tl_sb *sb, const void *bytes, size_t len)
{
    if (len != 0 && make_room(sb, len)) {
        memcpy(sb->text + sb->len, bytes, len);
        sb->len += len;
    }
}

void tl_sb_put(tl_sb *sb, tl_str s)
{
    tl_sb_put_bytes(sb, s.ptr, s.len);
}

void tl_sb_put_cstr(tl_sb *sb, const char *text)
{
    tl_sb_put(sb, tl_str_from_cstr(text));
}

void tl_sb_put_char(tl_sb *sb, char c)
{
    tl_sb_put_bytes(sb, &c, 1);
}

void tl_sb_put_repeat(tl_sb *sb, char c, size_t count)
{
    if (count != 0 && make_room(sb, count)) {
        memset(sb->text + sb->len, c, count);
        sb->len += count;
    }
}

void tl_sb_put_u64(tl_sb *sb, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    tl_sb_put_bytes(sb, digits + at, sizeof digits - at);
}

void tl_sb_put_i64(tl_sb *sb, int64_t value)
{
    if (value < 0) {
        tl_sb_put_char(sb, '-');
    }
    tl_sb_put_u64(sb, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void tl_sb_printf(tl_sb *sb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    const int wanted = vsnprintf(NULL, 0, format, args);
    if (wanted < 0) {
        sb->err = sb->err != TL_OK ? sb->err : TL_ERR_INTERNAL;
    } else if (make_room(sb, (size_t)wanted)) {
        (void)vsnprintf(sb->text + sb->len, (size_t)wanted + 1, format, again);
        sb->len += (size_t)wanted;
    }
    va_end(again);
    va_end(args);
}

tl_err tl_sb_finish(tl_str *out, tl_sb *sb, tl_errctx *ctx)
{
    if (!make_room(sb, 0)) {
        return sb->err == TL_ERR_INTERNAL ? tl_fail(ctx, sb->err, "a text could not be formatted")
                                          : tl_arena_fail(sb->arena, ctx);
    }
    sb->text[sb->len] = '\0'; /* STR-2 */
    *out = (tl_str){sb->text, sb->len};
    return TL_OK;
}

size_t tl_str_print(char *out, size_t cap, const char *format, ...)
{
    TL_ASSERT(cap > 0);
    va_list args;
    va_start(args, format);
    const int wanted = vsnprintf(out, cap, format, args);
    va_end(args);
    TL_ASSERT(wanted >= 0);
    return (size_t)wanted < cap ? (size_t)wanted : cap - 1;
}
