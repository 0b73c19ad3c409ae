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

/* The high bit of each byte that is 0; bytes above the first such one may be wrong, which is why only the first is
 * asked for. */
static inline uint64_t tl__json_zero_bytes(uint64_t word)
{
    return (word - UINT64_C(0x0101010101010101)) & ~word;
}

/* The first byte in [p, end) that is not plain, or end. */
static inline const char *tl__json_skip_plain(const char *p, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high_bits = ones * 0x80;
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        const uint64_t control = word - ones * 0x20; /* borrows for a byte below 0x20 */
        const uint64_t special = (control | word | tl__json_zero_bytes(word ^ ones * '"') |
                                  tl__json_zero_bytes(word ^ ones * '\\')) &
                                 high_bits;
        if (special != 0) {
            break; /* within eight bytes */
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
