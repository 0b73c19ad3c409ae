/* map: values by byte strings, and always in the order of the keys.
 * For         look-ups whose walk must be the same on every machine: there is no hash, so no order of a hash
 * Takes       an arena, keys as bytes (copied), values as pointers (borrowed)
 * Gives       the value of a key; the entries by ascending tl_bytes_cmp
 * Calls       base/arena, base/str             Called by   core, io, app
 * Owns        nothing: entries and keys live in the arena
 * Threads     one map, one thread; a map that no one changes, any
 * Invariants  MAP-1 the list of entries ascends strictly and holds each key once
 *             MAP-2 no path is longer than twice the shortest (keys may be a stranger's)
 * Read        tl_map_slot()
 *
 * An AA tree (Andersson, "Balanced search trees made simple", 1993), its entries linked by ascending key besides:
 *
 *          level 2        d              first ─▶ a ─▶ b ─▶ d ─▶ e ─▶ f
 *                       /   \
 *          level 1     a     e           a right child may be of its parent's level, its right child may not;
 *                       \     \          a left child is one level below
 *                        b     f
 */
#ifndef TALLY_BASE_MAP_H
#define TALLY_BASE_MAP_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_map_entry: key, value and next are for all to read; value may be set. */
typedef struct tl_map_entry {
    tl_bytes key;
    void *value;
    struct tl_map_entry *next; /* by ascending key, or NULL */
    struct tl_map_entry *left; /* from here on the room's */
    struct tl_map_entry *right;
    uint32_t level;
} tl_map_entry;

typedef struct tl_map {
    tl_arena *arena;
    tl_map_entry
        *first; /* of the least key, or NULL: for (e = map.first; e != NULL; e = e->next) */
    size_t count;
    tl_map_entry *root;
} tl_map;

/* tl_map_init: an empty map; allocates nothing. */
void tl_map_init(tl_map *map, tl_arena *arena);

/* tl_map_get: the value of a key; NULL when it is not there (or its value is NULL). O(log n). */
void *tl_map_get(const tl_map *map, tl_bytes key);

/* tl_map_find: the entry of a key, or NULL. O(log n). */
tl_map_entry *tl_map_find(const tl_map *map, tl_bytes key);

/* tl_map_seek: the first entry whose key is not below the given one, or NULL. O(log n). */
tl_map_entry *tl_map_seek(const tl_map *map, tl_bytes key);

/* tl_map_slot: the entry of a key, made with value NULL when it is not there; its place never moves.
 * Errors: the arena's; the map is then as before. O(log n). */
TL_MUST_USE tl_err tl_map_slot(tl_map_entry **out, tl_map *map, tl_bytes key, tl_errctx *ctx);

/* tl_map_put: set the value of a key, whether it was there or not. Errors and cost as tl_map_slot. */
TL_MUST_USE tl_err tl_map_put(tl_map *map, tl_bytes key, void *value, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
