/* The cache of prepared keys: an open-addressed index over slots, and a clock hand over the slots.
 *
 *      seen    a ring of fingerprints of keys that verified once: the second time, the key is worth a slot
 *      index   fingerprint of the key -> slot + 1, twice as many cells as slots, linear probing
 *      slots   prepared keys, each with a mark that says whether it was used since the hand passed */
#include <string.h>

#include "base/error/error.h"
#include "core/crypto/srverify/srverify.h"

/* Whoever makes keys whose fingerprints share a cell may fill this many places behind it and no more: their other keys
 * are verified unprepared, and nobody's search gets longer. */
#define PROBES_MAX 32

typedef struct cell {
    uint64_t
        print; /* compared first: a slot is 15 KiB away from the next one, and seldom near the processor */
    uint32_t slot; /* number + 1, or 0 */
} cell;

typedef struct slot {
    tl_srkey key;
    bool was_used;
} slot;

struct tl_srkeys {
    slot *slots;
    cell *index;
    uint64_t *seen; /* fingerprint of a key, or 0; cell = fingerprint modulo cells */
    size_t cells;   /* of index and of seen: a power of two, at least twice cap */
    size_t cap;
    size_t count;
    size_t hand;
};

/* Never 0. */
static uint64_t fingerprint(const uint8_t public_key[TL_SR25519_PUBLIC_LEN])
{
    uint64_t x = 0;
    for (size_t i = 0; i < TL_SR25519_PUBLIC_LEN; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, public_key + i, sizeof word);
        x = (x ^ word) * 0x9e3779b97f4a7c15;
        x ^= x >> 29;
    }
    return x | 1;
}

static size_t cell_of(const tl_srkeys *keys, uint64_t print)
{
    return (size_t)(print >> 1) & (keys->cells - 1);
}

tl_err tl_srkeys_new(tl_srkeys **out, tl_arena *arena, size_t cap, tl_errctx *ctx)
{
    if (cap < 1 || cap > TL_SRKEYS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "a cache of %zu prepared keys; 1 to %d are possible", cap,
                       TL_SRKEYS_MAX);
    }
    size_t cells = 2;
    while (cells < 2 * cap) {
        cells *= 2;
    }
    tl_srkeys *keys = TL_NEW(arena, tl_srkeys, 1);
    slot *slots = keys != NULL ? TL_NEW(arena, slot, cap) : NULL;
    cell *index = slots != NULL ? TL_NEW(arena, cell, cells) : NULL;
    uint64_t *seen = index != NULL ? TL_NEW(arena, uint64_t, cells) : NULL;
    if (seen == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    *keys = (tl_srkeys){.slots = slots, .index = index, .seen = seen, .cells = cells, .cap = cap};
    *out = keys;
    return TL_OK;
}

size_t tl_srkeys_count(const tl_srkeys *keys)
{
    return keys->count;
}

/* The cell of the key; without one, *is_there is false and the cell is the empty one where it would stand, or, where
 * PROBES_MAX others stand in its place, keys->cells. */
static size_t find(const tl_srkeys *keys, bool *is_there,
                   const uint8_t public_key[TL_SR25519_PUBLIC_LEN])
{
    const uint64_t print = fingerprint(public_key);
    size_t at = cell_of(keys, print);
    *is_there = false;
    for (unsigned probes = 0; probes < PROBES_MAX; probes++) {
        const cell *c = &keys->index[at];
        if (c->slot == 0) {
            return at;
        }
        if (c->print == print && memcmp(keys->slots[c->slot - 1].key.public_key, public_key,
                                        TL_SR25519_PUBLIC_LEN) == 0) {
            *is_there = true; /* SRV-3 */
            return at;
        }
        at = (at + 1) & (keys->cells - 1);
    }
    return keys->cells;
}

/* Empty a cell; those behind it that had to pass it move up, so that no search ends early. */
static void forget(tl_srkeys *keys, size_t at)
{
    const size_t mask = keys->cells - 1;
    size_t hole = at;
    for (size_t i = (at + 1) & mask; keys->index[i].slot != 0; i = (i + 1) & mask) {
        const size_t home = cell_of(keys, keys->index[i].print);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            keys->index[hole] = keys->index[i];
            hole = i;
        }
    }
    keys->index[hole].slot = 0;
}

/* A slot that is free now: a new one, or the first that was not used since the hand came by. */
static size_t free_slot(tl_srkeys *keys)
{
    if (keys->count < keys->cap) {
        return keys->count++;
    }
    while (keys->slots[keys->hand].was_used) {
        keys->slots[keys->hand].was_used = false;
        keys->hand = (keys->hand + 1) % keys->cap;
    }
    const size_t at = keys->hand;
    keys->hand = (at + 1) % keys->cap;
    bool is_there;
    const size_t old = find(keys, &is_there, keys->slots[at].key.public_key);
    TL_ASSERT(is_there);
    forget(keys, old);
    return at;
}

const tl_srkey *tl_srkeys_borrow(tl_srkeys *keys, const uint8_t public_key[TL_SR25519_PUBLIC_LEN])
{
    bool is_there;
    const size_t at = find(keys, &is_there, public_key);
    if (!is_there) {
        return NULL;
    }
    slot *found = &keys->slots[keys->index[at].slot - 1];
    found->was_used = true;
    return &found->key;
}

void tl_srkeys_saw(tl_srkeys *keys, const uint8_t public_key[TL_SR25519_PUBLIC_LEN])
{
    const uint64_t print = fingerprint(public_key);
    uint64_t *seen = &keys->seen[cell_of(keys, print)];
    if (*seen != print) {
        *seen = print;
        return;
    }
    bool is_there;
    if (find(keys, &is_there, public_key) == keys->cells || is_there) {
        return;
    }
    static const uint8_t identity[TL_SR25519_PUBLIC_LEN] = {0};
    tl_ristretto decoded;
    if (memcmp(public_key, identity, sizeof identity) == 0 ||
        !tl_ristretto_decode(&decoded, public_key)) {
        return; /* before a slot is freed for it */
    }
    const size_t at = free_slot(keys);
    const bool is_key = tl_srkey_prepare(&keys->slots[at].key, public_key);
    TL_ASSERT(is_key);
    keys->slots[at].was_used = false;
    /* Looked for again: what was freed may have moved the others. Cells are freed only, so there is still one. */
    const size_t place = find(keys, &is_there, public_key);
    TL_ASSERT(place < keys->cells && !is_there);
    keys->index[place] = (cell){print, (uint32_t)at + 1};
    TL_ASSERT(keys->count <= keys->cap); /* SRV-3 */
}

bool tl_srkeys_verify(tl_srkeys *keys, const uint8_t public_key[TL_SR25519_PUBLIC_LEN],
                      tl_bytes message, tl_bytes signature)
{
    const tl_srkey *key = tl_srkeys_borrow(keys, public_key);
    if (key != NULL) {
        return tl_srkey_verify(key, message, signature);
    }
    if (!tl_sr25519_verify(public_key, message, signature)) {
        return false;
    }
    tl_srkeys_saw(keys, public_key);
    return true;
}
