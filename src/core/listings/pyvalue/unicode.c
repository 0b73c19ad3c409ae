/* Characters as CPython 3.11 knows them: classes by binary search in edges, lower case by runs. ASCII is answered
 * without the tables. */
#include "core/listings/pyvalue/pyvalue_internal.h"

#include <string.h>

#define SIGMA       0x3a3
#define SIGMA_FINAL 0x3c2
#define SIGMA_SMALL 0x3c3
#define DOTTED_I    0x130

uint32_t tl__py_next(tl_str text, size_t *at)
{
    const uint8_t first = (uint8_t)text.ptr[*at];
    if (first < 0x80) {
        (*at)++;
        return first;
    }
    uint32_t code_point = 0xfffd;
    const size_t len = tl_str_utf8_at(&code_point, text, *at);
    *at += len != 0 ? len : 1;
    return code_point;
}

/* How many edges are at or below the character; an odd count is a yes. */
static bool is_inside(const uint32_t *edges, size_t count, uint32_t code_point)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (edges[middle] <= code_point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return (low & 1) != 0;
}

bool tl_py_is_space(uint32_t c)
{
    if (c < 0x80) {
        return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20);
    }
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

int32_t tl_py_digit(uint32_t c)
{
    if (c < 0x80) {
        return c >= '0' && c <= '9' ? (int32_t)(c - '0') : -1;
    }
    size_t low = 0;
    size_t high = tl__py_zero_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (tl__py_zeros[middle] <= c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && c - tl__py_zeros[low - 1] < 10 ? (int32_t)(c - tl__py_zeros[low - 1]) : -1;
}

bool tl_py_is_word(uint32_t c)
{
    if (c < 0x80) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_';
    }
    return is_inside(tl__py_word, tl__py_word_count, c);
}

bool tl_py_is_printable(uint32_t c)
{
    return is_inside(tl__py_printable, tl__py_printable_count, c);
}

/* --- strip --- */

/* Where the character that ends before end begins. */
static size_t step_back(tl_str text, size_t end)
{
    size_t at = end - 1;
    while (at > 0 && end - at < 4 && ((uint8_t)text.ptr[at] & 0xc0) == 0x80) {
        at--;
    }
    size_t behind = at;
    (void)tl__py_next(text, &behind);
    return behind == end ? at : end - 1; /* else bytes that are no UTF-8 */
}

tl_str tl_py_strip(tl_str text)
{
    size_t from = 0;
    while (from < text.len) {
        size_t at = from;
        if (!tl_py_is_space(tl__py_next(text, &at))) {
            break;
        }
        from = at;
    }
    size_t to = text.len;
    while (to > from) {
        const size_t begin = step_back(text, to);
        size_t at = begin;
        if (!tl_py_is_space(tl__py_next(text, &at))) {
            break;
        }
        to = begin;
    }
    return tl_str_slice(text, from, to);
}

/* --- lower case --- */

/* A capital sigma is a final one when a cased character stands before it and none behind, those that case ignores not
 * counted. Each look ends at the next sigma at the latest, so a text is passed over at most twice more. */
static bool is_final_sigma(tl_str text, size_t begin, size_t end)
{
    bool is_after_cased = false;
    for (size_t at = begin; at > 0 && !is_after_cased;) {
        at = step_back(text, at);
        size_t behind = at;
        const uint32_t c = tl__py_next(text, &behind);
        if (!is_inside(tl__py_ignored, tl__py_ignored_count, c)) {
            is_after_cased = is_inside(tl__py_cased, tl__py_cased_count, c);
            if (!is_after_cased) {
                return false;
            }
        }
    }
    while (is_after_cased && end < text.len) {
        const uint32_t c = tl__py_next(text, &end);
        if (!is_inside(tl__py_ignored, tl__py_ignored_count, c)) {
            return !is_inside(tl__py_cased, tl__py_cased_count, c);
        }
    }
    return is_after_cased;
}

static uint32_t lower_of(uint32_t c)
{
    size_t low = 0;
    size_t high = tl__py_lower_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (tl__py_lower[middle].first <= c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return c;
    }
    const tl__py_lower_run *run = &tl__py_lower[low - 1];
    if (c > run->last || (run->step != 0 && (c - run->first) % run->step != 0)) {
        return c;
    }
    return (uint32_t)((int32_t)c + run->difference);
}

static size_t utf8_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)((0xf00 >> len & 0xff) | c);
    return len;
}

size_t tl_py_lower_next(char out[TL_PY_LOWER_CAP], tl_str text, size_t *at)
{
    if (*at >= text.len) {
        return 0;
    }
    const size_t begin = *at;
    const uint32_t c = tl__py_next(text, at);
    if (c < 0x80) {
        out[0] = (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
        return 1;
    }
    if (c == DOTTED_I) { /* the only one that becomes two: i and a combining dot */
        memcpy(out, "i\xcc\x87", 3);
        return 3;
    }
    if (c == SIGMA) {
        return utf8_put(out, is_final_sigma(text, begin, *at) ? SIGMA_FINAL : SIGMA_SMALL);
    }
    const uint32_t low = lower_of(c);
    if (low == c) {
        memcpy(out, text.ptr + begin, *at - begin);
        return *at - begin;
    }
    return utf8_put(out, low);
}

void tl_py_lower_put(tl_sb *sb, tl_str text)
{
    char piece[TL_PY_LOWER_CAP];
    size_t at = 0;
    for (size_t len; (len = tl_py_lower_next(piece, text, &at)) != 0;) {
        tl_sb_put_bytes(sb, piece, len);
    }
}

/* --- five digits that stand alone --- */

bool tl_py_find_zipcode(tl_str *out, tl_str text)
{
    size_t run_begin = 0;
    size_t run_len =
        0; /* digits since a character that is none; more than five are as good as six */
    bool is_after_word = false; /* the run follows a word character, or holds one */
    for (size_t at = 0; at < text.len;) {
        const size_t begin = at;
        const uint32_t c = tl__py_next(text, &at);
        if (tl_py_digit(c) >= 0) {
            run_begin = run_len == 0 ? begin : run_begin;
            run_len += run_len < 6 ? 1 : 0;
        } else {
            const bool is_word = tl_py_is_word(c);
            if (run_len == 5 && !is_after_word && !is_word) {
                *out = tl_str_slice(text, run_begin, begin);
                return true;
            }
            is_after_word = is_word;
            run_len = 0;
        }
    }
    if (run_len == 5 && !is_after_word) {
        *out = tl_str_slice(text, run_begin, text.len);
        return true;
    }
    return false;
}
