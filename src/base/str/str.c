#include "base/str/str.h"

#include <string.h>

tl_str tl_str_from_cstr(const char *text)
{
    return text != NULL ? (tl_str){text, strlen(text)} : (tl_str){NULL, 0};
}

tl_bytes tl_str_bytes(tl_str s)
{
    return (tl_bytes){(const uint8_t *)s.ptr, s.len};
}

int tl_bytes_cmp(tl_bytes a, tl_bytes b)
{
    const size_t shared = a.len < b.len ? a.len : b.len;
    const int first = shared != 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    return first != 0 ? first : (a.len > b.len) - (a.len < b.len);
}

int tl_str_cmp(tl_str a, tl_str b)
{
    return tl_bytes_cmp(tl_str_bytes(a), tl_str_bytes(b));
}

int tl_hash32_cmp(const tl_hash32 *a, const tl_hash32 *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

bool tl_str_eq(tl_str a, tl_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool tl_str_eq_cstr(tl_str a, const char *b)
{
    return tl_str_eq(a, tl_str_from_cstr(b));
}

bool tl_str_starts_with(tl_str s, tl_str prefix)
{
    return s.len >= prefix.len && tl_str_eq((tl_str){s.ptr, prefix.len}, prefix);
}

bool tl_str_ends_with(tl_str s, tl_str suffix)
{
    return s.len >= suffix.len && tl_str_eq(tl_str_slice(s, s.len - suffix.len, s.len), suffix);
}

tl_str tl_str_slice(tl_str s, size_t from, size_t to)
{
    to = to < s.len ? to : s.len;
    from = from < to ? from : to;
    return s.ptr != NULL ? (tl_str){s.ptr + from, to - from} : s;
}

size_t tl_str_find(tl_str s, char c)
{
    const char *at = s.len != 0 ? (const char *)memchr(s.ptr, c, s.len) : NULL;
    return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

bool tl_str_split(tl_str *out, tl_str *rest, char separator)
{
    if (rest->ptr == NULL) {
        return false;
    }
    const size_t at = tl_str_find(*rest, separator);
    const tl_str whole = *rest;
    *out = tl_str_slice(whole, 0, at);
    *rest = at < whole.len ? tl_str_slice(whole, at + 1, whole.len) : (tl_str){NULL, 0};
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

tl_str tl_str_trim(tl_str s)
{
    size_t from = 0;
    size_t to = s.len;
    while (from < to && is_blank(s.ptr[from])) {
        from++;
    }
    while (to > from && is_blank(s.ptr[to - 1])) {
        to--;
    }
    return tl_str_slice(s, from, to);
}

bool tl_str_parse_u64(uint64_t *out, tl_str s)
{
    if (s.len == 0 || s.len > 20 || (s.len > 1 && s.ptr[0] == '0')) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool tl_str_parse_i64(int64_t *out, tl_str s)
{
    const bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t magnitude;
    if (!tl_str_parse_u64(&magnitude, negative ? tl_str_slice(s, 1, s.len) : s)) {
        return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1U : 0U) || (negative && magnitude == 0)) {
        return false;
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* Table 3-7 of the Unicode standard: the second byte's range depends on the first. */
static size_t utf8_sequence_len(const unsigned char *p, size_t left)
{
    const unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    const size_t len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || left < len) {
        return 0;
    }
    const unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len;
}

size_t tl_str_utf8_at(uint32_t *code_point, tl_str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    const size_t len = utf8_sequence_len(p, s.len - at);
    if (len != 0 && code_point != NULL) {
        static const unsigned char lead_masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
        uint32_t c = p[0] & lead_masks[len];
        for (size_t i = 1; i < len; i++) {
            c = c << 6 | (p[i] & 0x3FU);
        }
        *code_point = c;
    }
    return len;
}

bool tl_str_is_utf8(tl_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t at = 0;
    while (at < s.len) {
        const size_t len = utf8_sequence_len(p + at, s.len - at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

tl_err tl_str_copy(tl_str *out, tl_arena *arena, tl_str s, tl_errctx *ctx)
{
    char *copy = TL_NEW(arena, char, s.len + 1);
    if (copy == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (s.len != 0) {
        memcpy(copy, s.ptr, s.len);
    }
    *out = (tl_str){copy, s.len};
    return TL_OK;
}

tl_err tl_str_copy_cstr(const char **out, tl_arena *arena, tl_str s, tl_errctx *ctx)
{
    tl_str copy;
    TL_TRY(tl_str_copy(&copy, arena, s, ctx));
    *out = copy.ptr;
    return TL_OK;
}

void tl_wipe(void *secret, size_t len)
{
    if (len != 0) {
        memset(secret, 0, len);
        __asm__ volatile("" : : "r"(secret) : "memory"); /* someone may read it: the write stays */
    }
}

bool tl_reveal(bool secret)
{
    volatile bool shown = false; /* volatile: a value of its own, which the branch alone decides */
    if (secret) {
        shown = true;
    }
    return shown;
}
