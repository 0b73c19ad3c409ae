/* arena: memory grouped by when it dies.
 * For         process → epoch → step: each arena is a child of the one above and ends no later
 * Takes       a byte ceiling, an optional parent, an optional allocator (tests make the n-th allocation fail)
 * Gives       zeroed memory that lives until the arena is rewound or freed
 * Calls       the allocator, malloc by default  Called by   everything
 * Owns        its blocks, its children, and what the clean-up hooks release
 * Threads     one arena, one thread
 * Invariants  ARENA-1 live bytes never exceed the ceiling of this arena or of any ancestor
 *             ARENA-2 clean-up hooks run once, last in first out, before their memory goes
 *             ARENA-3 a failed allocation changes nothing
 *
 *      arena ─▶ block ─▶ block ─▶ block          mark = (block, used, hooks)
 *                                  ^ top         rewind frees whole blocks above the mark and poisons the rest
 */
#ifndef TALLY_BASE_ARENA_H
#define TALLY_BASE_ARENA_H

#include <stddef.h>

#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_arena tl_arena;

/* tl_allocator: where blocks come from. alloc returns NULL when it has none; both get self. */
typedef struct tl_allocator {
    void *self;
    void *(*alloc)(void *self, size_t len);
    void (*release)(void *self, void *memory);
} tl_allocator;

/* tl_arena_mark: a place to rewind to; valid until an earlier mark is rewound to or the arena is freed. */
typedef struct tl_arena_mark {
    void *block;
    size_t used;
    void *hook;
} tl_arena_mark;

/* No input of ours needs more than this by default: 1 GiB. */
#define TL_ARENA_LIMIT_DEFAULT ((size_t)1 << 30)

/* tl_arena_new: a heap object, freed by tl_arena_free or with its parent.
 *
 * parent     NULL, or the arena whose life bounds this one; its allocator is used and its ceiling counts too
 * limit_len  most bytes that may live at once; 0 means TL_ARENA_LIMIT_DEFAULT
 * allocator  NULL: the parent's, or malloc; borrowed, must outlive the arena
 * Errors     TL_ERR_NOMEM, TL_ERR_LIMIT
 */
TL_MUST_USE tl_err tl_arena_new(tl_arena **out, tl_arena *parent, size_t limit_len,
                                const tl_allocator *allocator, tl_errctx *ctx);

/* tl_arena_free: children first, then hooks, then memory. NULL is fine. */
void tl_arena_free(tl_arena *arena);

/* tl_arena_alloc: count * size zeroed bytes, aligned to align (a power of two, at most 64); NULL when there is no
 * memory, when the ceiling would be passed or the product overflows. A count of 0 gives a valid pointer. */
void *tl_arena_alloc(tl_arena *arena, size_t count, size_t size, size_t align);

/* TL_NEW: room for count zeroed objects of a type, or NULL. */
#define TL_NEW(arena, type, count)                                                                 \
    ((type *)tl_arena_alloc((arena), (count), sizeof(type), _Alignof(type)))

/* tl_arena_fail: the error behind the last NULL: TL_ERR_LIMIT or TL_ERR_NOMEM.
 * Use: T *p = TL_NEW(arena, T, n); if (p == NULL) { return tl_arena_fail(arena, ctx); } */
#define tl_arena_fail(arena, ctx) tl_err_is_set(tl_arena_fail_why((arena), (ctx)))
tl_err tl_arena_fail_why(const tl_arena *arena, tl_errctx *ctx);

/* tl_arena_defer: call hook(object) before the memory allocated so far dies. */
TL_MUST_USE tl_err tl_arena_defer(tl_arena *arena, void (*hook)(void *object), void *object,
                                  tl_errctx *ctx);

tl_arena_mark tl_arena_get_mark(const tl_arena *arena);

/* tl_arena_rewind: everything allocated since the mark dies; its hooks run. Children made since must be freed. */
void tl_arena_rewind(tl_arena *arena, tl_arena_mark mark);

/* tl_arena_live_len: bytes that the arena's blocks hold now, children included. */
size_t tl_arena_live_len(const tl_arena *arena);

#ifdef __cplusplus
}
#endif

#endif
