/* vec: items of one size, side by side in an arena, growing at the end.
 * For         building an array whose length is not known before
 * Takes       an arena and the size of an item     Gives   zeroed room for one more item; the array
 * Calls       base/arena                           Called by   everything
 * Owns        nothing: items live in the arena; an old array is left to it when the vec grows, which costs at most as
 *             much again as the last one
 * Threads     one vec, one thread
 * Invariants  VEC-1 the items so far are unchanged by a push, the failed one included
 */
#ifndef TALLY_BASE_VEC_H
#define TALLY_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena/arena.h"
#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_vec: items and count are for all to read: const T *t = vec.items. */
typedef struct tl_vec {
    tl_arena *arena;
    void *items; /* count of them; NULL before the first; moves when the vec grows */
    size_t count;
    size_t cap;
    size_t item_size;
} tl_vec;

/* tl_vec_init: an empty vec; allocates nothing. item_size is sizeof of a type, not 0. */
void tl_vec_init(tl_vec *vec, tl_arena *arena, size_t item_size);

/* tl_vec_push: zeroed room for one more item, valid until the next push; or NULL, and the vec is as before:
 * T *t = (T *)tl_vec_push(&vec); if (t == NULL) { return tl_arena_fail(vec.arena, ctx); } */
void *tl_vec_push(tl_vec *vec);

/* tl_vec_reserve: room for so many items in all without growing again. False when there is no memory. */
TL_MUST_USE bool tl_vec_reserve(tl_vec *vec, size_t count);

/* tl_vec_at: an item; index < count is asserted. */
void *tl_vec_at(const tl_vec *vec, size_t index);

/* tl_vec_pop: forget the last item; there must be one. */
void tl_vec_pop(tl_vec *vec);

#ifdef __cplusplus
}
#endif

#endif
