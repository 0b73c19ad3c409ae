/* order.c: sorting by 64-bit keys in linear time. Keys are hashes of a stranger's text: no order of them is slow (NEAR-4). */
#include <string.h>

#include "core/listings/near/near_internal.h"

#define DIGIT_BITS  8
#define DIGIT_COUNT 256
#define SMALL       32

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
static bool sort_digit(tl__near_key *to, const tl__near_key *from, size_t count, unsigned shift)
{
    size_t places[DIGIT_COUNT] = {0};
    for (size_t i = 0; i < count; i++) {
        places[from[i].key >> shift & (DIGIT_COUNT - 1)]++;
    }
    if (places[from[0].key >> shift & (DIGIT_COUNT - 1)] == count) {
        return false;
    }
    size_t next = 0;
    for (size_t digit = 0; digit < DIGIT_COUNT; digit++) {
        const size_t here = places[digit];
        places[digit] = next;
        next += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[places[from[i].key >> shift & (DIGIT_COUNT - 1)]++] = from[i];
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
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        if (sort_digit(to, from, count, shift)) {
            tl__near_key *const turned = from;
            from = to;
            to = turned;
        }
    }
    if (from != keys) {
        memcpy(keys, from, count * sizeof *keys);
    }
}
