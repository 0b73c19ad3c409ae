/* json, inside the room: how many bytes of a string need no look. Eight at a time in plain C. */
#ifndef TALLY_BASE_JSON_SCAN_H
#define TALLY_BASE_JSON_SCAN_H

#include <stdint.h>
#include <string.h>

/* A byte that stands for itself in a JSON string: ASCII, no control, no '"', no '\'. */
static inline int tl__json_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The high bit of each byte that is not plain. Bytes behind the first such one may be wrong, for a borrow runs from it:
 * only the first (lowest) bit is asked for. */
static inline uint64_t tl__json_special_bits(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t quote = word ^ ones * '"';
    const uint64_t slash = word ^ ones * '\\';
    const uint64_t below = word - ones * 0x20; /* high bit: below 0x20, or 0xA0 and more */
    return (word | below | (quote - ones) | (slash - ones)) & (ones * 0x80);
}

/* The first byte in [p, end) that is not plain, or end. */
static inline const char *tl__json_skip_plain(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        const uint64_t special = tl__json_special_bits(word);
        if (special != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return p + (__builtin_ctzll(special) >> 3);
#else
            break; /* within eight bytes */
#endif
        }
        p += 8;
    }
    while (p < end && tl__json_is_plain((unsigned char)*p)) {
        p++;
    }
    return p;
}

/* The first byte in [p, end) that is no white space of JSON, or end. */
static inline const char *tl__json_skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

#endif
