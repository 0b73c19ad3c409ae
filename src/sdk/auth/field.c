/* Headers and the text in them: strict by default; as Python reads it in the compatibility mode. */
#include "sdk/auth/auth_internal.h"

#include <string.h>

#include "sdk/value/value.h"

tl__auth_found tl__auth_field(tl_str *out, tl_http_headers headers, const char *name,
                              tl__auth_pick pick)
{
    const tl_str want = tl_str_from_cstr(name);
    tl__auth_found found = TL__AUTH_ABSENT;
    for (size_t i = 0; i < headers.count; i++) {
        if (!tl_http_name_eq(headers.at[i].name, want)) {
            continue;
        }
        if (found == TL__AUTH_FOUND && pick == TL__AUTH_ONLY) {
            return TL__AUTH_TWICE; /* AUTH-3 */
        }
        if (found == TL__AUTH_ABSENT || pick == TL__AUTH_LAST) {
            *out = headers.at[i].value;
        }
        found = TL__AUTH_FOUND;
    }
    return found;
}

bool tl__auth_decimal(int64_t *value, tl_str text)
{
    if (text.len == 0 || text.len > TL__AUTH_DIGITS_MAX || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    int64_t sum = 0;
    bool is_large = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c < '0' || c > '9') {
            return false;
        }
        is_large = is_large || __builtin_mul_overflow(sum, INT64_C(10), &sum) ||
                   __builtin_add_overflow(sum, (int64_t)(c - '0'), &sum);
    }
    *value = is_large ? INT64_MAX : sum;
    return true;
}

/* The zeros of Unicode's decimal digits (version 14, general category Nd); nine follow each. */
static const uint32_t zeros[] = {
    0x30,    0x660,   0x6f0,   0x7c0,   0x966,   0x9e6,   0xa66,   0xae6,   0xb66,   0xbe6,
    0xc66,   0xce6,   0xd66,   0xde6,   0xe50,   0xed0,   0xf20,   0x1040,  0x1090,  0x17e0,
    0x1810,  0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,
    0xa8d0,  0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,  0xff10,  0x104a0, 0x10d30, 0x11066,
    0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
    0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0};

/* The digit that a character stands for, or -1. */
static int digit_of(uint32_t c)
{
    size_t low = 0;
    size_t high = sizeof zeros / sizeof zeros[0];
    while (high - low > 1) { /* zeros[low] <= c when any is */
        const size_t middle = low + (high - low) / 2;
        if (zeros[middle] <= c) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return c >= zeros[low] && c - zeros[low] < 10 ? (int)(c - zeros[low]) : -1;
}

/* str.isspace() of a character; int() leaves out the four separators 0x1c to 0x1f, strip() does not. */
static bool is_space(uint32_t c, bool has_separators)
{
    return (c >= 0x9 && c <= 0xd) || c == 0x20 || (has_separators && c >= 0x1c && c <= 0x1f) ||
           c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Text as int() and strip() see it: white space around it gone, every decimal digit an ASCII one. Other characters
 * beyond ASCII become '?', which is part of no number and no name. */
static tl_err to_ascii(tl_str *out, tl_arena *arena, tl_str text, bool has_separators)
{
    char *copy = TL_NEW(arena, char, text.len + 1);
    if (copy == NULL) {
        return tl_arena_fail(arena, NULL);
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len;) {
        uint32_t c = 0;
        const size_t step = tl_str_utf8_at(&c, text, i);
        const int digit = step == 0 ? -1 : digit_of(c);
        if (digit >= 0) {
            copy[len] = (char)('0' + digit);
        } else if (step != 0 && is_space(c, has_separators)) {
            copy[len] = ' ';
        } else {
            copy[len] = step == 1 ? text.ptr[i] : '?';
        }
        len++;
        i += step == 0 ? 1 : step;
    }
    *out = tl_str_trim((tl_str){copy, len});
    return TL_OK;
}

bool tl__auth_python_int(tl_str *text, int64_t *value, tl_arena *arena, tl_err *err)
{
    tl_str ascii;
    *err = to_ascii(&ascii, arena, *text, false);
    tl_value number;
    if (*err != TL_OK || !tl_value_parse_int(&number, arena, ascii)) {
        return false;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_value_put_str(&sb, &number);
    *err = tl_sb_finish(text, &sb, NULL);
    *value = tl_value_clamp_i64(&number, 0);
    return *err == TL_OK;
}

const tl_scheme *tl__auth_python_scheme(tl_str text, tl_arena *arena, tl_err *err)
{
    tl_str ascii;
    *err = to_ascii(&ascii, arena, text, true);
    if (*err != TL_OK) {
        return NULL;
    }
    const tl_scheme *scheme = tl_scheme_parse(ascii);
    if (scheme != NULL) {
        return scheme;
    }
    for (size_t i = 0; i < ascii.len; i++) { /* isdigit() takes neither sign nor '_' */
        if (ascii.ptr[i] < '0' || ascii.ptr[i] > '9') {
            return NULL;
        }
    }
    int64_t code = -1;
    return tl__auth_python_int(&ascii, &code, arena, err) && code >= 0
               ? tl_scheme_by_code((uint64_t)code)
               : NULL;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

tl_err tl__auth_unhex(tl_bytes *out, bool *is_hex, tl_arena *arena, tl_str text, bool is_lenient,
                      tl_errctx *ctx)
{
    if (tl_str_starts_with(text, TL_STR("0x"))) {
        text = tl_str_slice(text, 2, text.len);
    }
    uint8_t *bytes = TL_NEW(arena, uint8_t, text.len / 2 + 1);
    if (bytes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t len = 0;
    *is_hex = false;
    for (size_t i = 0; i < text.len; i += 2) {
        while (is_lenient && i < text.len &&
               (text.ptr[i] == ' ' || (text.ptr[i] >= '\t' && text.ptr[i] <= '\r'))) {
            i++;
        }
        if (i == text.len) {
            break;
        }
        const int high = nibble(text.ptr[i]);
        const int low = i + 1 < text.len ? nibble(text.ptr[i + 1]) : -1;
        if (high < 0 || low < 0) {
            return TL_OK;
        }
        bytes[len++] = (uint8_t)(high << 4 | low);
    }
    *is_hex = true;
    *out = (tl_bytes){bytes, len};
    return TL_OK;
}

int64_t tl__auth_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

bool tl__auth_is_fresh(const tl__auth_head *head, int64_t signed_ns)
{
    int64_t age_ns;
    if (signed_ns == INT64_MAX || __builtin_sub_overflow(head->now_ns, signed_ns, &age_ns)) {
        return false; /* larger than any time: merely stale */
    }
    return age_ns <= head->back_ns && age_ns >= -head->ahead_ns;
}

int64_t tl__auth_keep_until(const tl__auth_head *head, int64_t signed_ns)
{
    const int64_t keep_ns = head->rules->keep_back_ns;
    const int64_t until =
        tl__auth_add(signed_ns, keep_ns > head->back_ns ? keep_ns : head->back_ns);
    TL_ASSERT(until >= tl__auth_add(signed_ns, head->back_ns)); /* AUTH-4 */
    return until;
}

tl_err tl__auth_check_signer(tl__auth_head *head)
{
    tl_auth_claim *c = head->claim;
    uint16_t prefix;
    if (tl_ss58_decode_any(&c->sender, &prefix, c->sender_text, NULL) != TL_OK) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "the sender's address is none");
    }
    if (c->signature.len != c->scheme->signature_len_max) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED,
                               "the signature has the wrong length for its scheme");
    }
    if (tl_scheme_admit(head->rules->schemes, &c->sender, c->scheme, NULL) != TL_OK) {
        return tl__auth_refuse(head, TL_AUTH_SIGNATURE,
                               "the scheme is not the one that is trusted for this hotkey");
    }
    return TL_OK;
}
