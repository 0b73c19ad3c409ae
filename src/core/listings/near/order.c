/* order.c: sorting by 64-bit keys in linear time. Keys are hashes of a stranger's text: no order of them is slow (NEAR-4). */
#include <string.h>

#include "core/listings/near/near_internal.h"

#define SMALL 32   /* below, keys are inserted */
#define LARGE 4096 /* from here on wider digits, and fewer turns, are worth their table */

#define DIGIT_BITS       8
#define LARGE_DIGIT_BITS 11
#define DIGIT_COUNT_MAX  2048

static void sort_small(tl__near_key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const tl__near_key key = keys[i];
        size_t at = i;
        for (; at > 0 && keys[at - 1].key > key.key; at--) {
            keys[at] = keys[at - 1];
        }
        keys[at] = key;
    }
}

/* One digit of all keys, from from into to; false, and nothing is moved, when all keys have the same. */
static bool sort_digit(tl__near_key *to, const tl__near_key *from, size_t count, unsigned shift,
                       unsigned bits)
{
    size_t places[DIGIT_COUNT_MAX];
    const size_t digits = (size_t)1 << bits;
    const uint64_t mask = digits - 1;
    memset(places, 0, digits * sizeof *places);
    for (size_t i = 0; i < count; i++) {
        places[from[i].key >> shift & mask]++;
    }
    if (places[from[0].key >> shift & mask] == count) {
        return false;
    }
    size_t next = 0;
    for (size_t digit = 0; digit < digits; digit++) {
        const size_t here = places[digit];
        places[digit] = next;
        next += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[places[from[i].key >> shift & mask]++] = from[i];
    }
    return true;
}

void tl__near_sort(tl__near_key *keys, tl__near_key *spare, size_t count)
{
    if (count <= SMALL) {
        sort_small(keys, count);
        return;
    }
    tl__near_key *from = keys;
    tl__near_key *to = spare;
    const unsigned bits = count < LARGE ? DIGIT_BITS : LARGE_DIGIT_BITS;
    for (unsigned shift = 0; shift < 64; shift += bits) {
        if (sort_digit(to, from, count, shift, bits)) {
            tl__near_key *const turned = from;
            from = to;
            to = turned;
        }
    }
    if (from != keys) {
        memcpy(keys, from, count * sizeof *keys);
    }
}
