#include "base/arena/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked/checked.h"

#if defined(__SANITIZE_ADDRESS__)
#    define ARENA_POISONS 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define ARENA_POISONS 1
#    endif
#endif
#ifdef ARENA_POISONS
#    include <sanitizer/asan_interface.h>
#    define POISON(p, n)   __asan_poison_memory_region((p), (n))
#    define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#    define POISON(p, n)   ((void)(p), (void)(n))
#    define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN_MAX = 64, BLOCK_LEN_MIN = 4096, BLOCK_LEN_MAX = 1 << 20 };

typedef struct block {
    struct block *below;
    size_t cap; /* bytes in data */
    size_t used;
    alignas(ALIGN_MAX) unsigned char data[];
} block;

typedef struct hook {
    struct hook *below;
    void (*call)(void *object);
    void *object;
} hook;

struct tl_arena {
    tl_arena *parent;
    tl_arena *first_child;
    tl_arena *next_sibling;
    const tl_allocator *allocator;
    block *top;
    hook *hooks;
    size_t limit;
    size_t live; /* bytes of blocks, children included */
    bool hit_limit;
};

static void *heap_alloc(void *self, size_t len)
{
    (void)self;
    return aligned_alloc(ALIGN_MAX, (len + ALIGN_MAX - 1) / ALIGN_MAX * ALIGN_MAX);
}

static void heap_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static const tl_allocator heap = {NULL, heap_alloc, heap_release};

/* Account for len more bytes here and in every ancestor, or change nothing (ARENA-1, ARENA-3). */
static bool reserve(tl_arena *arena, size_t len)
{
    for (tl_arena *a = arena; a != NULL; a = a->parent) {
        if (len > a->limit - a->live) {
            arena->hit_limit = true;
            return false;
        }
    }
    for (tl_arena *a = arena; a != NULL; a = a->parent) {
        a->live += len;
    }
    return true;
}

static void unreserve(tl_arena *arena, size_t len)
{
    for (tl_arena *a = arena; a != NULL; a = a->parent) {
        TL_ASSERT(a->live >= len); /* ARENA-1 */
        a->live -= len;
    }
}

tl_err tl_arena_new(tl_arena **out, tl_arena *parent, size_t limit_len,
                    const tl_allocator *allocator, tl_errctx *ctx)
{
    const tl_allocator *from = allocator != NULL ? allocator
                               : parent != NULL  ? parent->allocator
                                                 : &heap;
    tl_arena *arena = (tl_arena *)from->alloc(from->self, sizeof *arena);
    if (arena == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "out of memory");
    }
    memset(arena, 0, sizeof *arena);
    arena->allocator = from;
    arena->limit = limit_len != 0 ? limit_len : TL_ARENA_LIMIT_DEFAULT;
    arena->parent = parent;
    if (parent != NULL) {
        arena->next_sibling = parent->first_child;
        parent->first_child = arena;
    }
    *out = arena;
    return TL_OK;
}

static void run_hooks_down_to(tl_arena *arena, const hook *stop)
{
    while (arena->hooks != stop) {
        TL_ASSERT(arena->hooks != NULL); /* ARENA-2 */
        hook *h = arena->hooks;
        arena->hooks = h->below;
        h->call(h->object);
    }
}

static void free_blocks_down_to(tl_arena *arena, const block *stop)
{
    while (arena->top != stop) {
        TL_ASSERT(arena->top != NULL);
        block *b = arena->top;
        arena->top = b->below;
        unreserve(arena, sizeof *b + b->cap);
        UNPOISON(b->data, b->cap);
        arena->allocator->release(arena->allocator->self, b);
    }
}

void tl_arena_free(tl_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    while (arena->first_child != NULL) {
        tl_arena_free(arena->first_child);
    }
    run_hooks_down_to(arena, NULL);
    free_blocks_down_to(arena, NULL);
    if (arena->parent != NULL) {
        tl_arena **link = &arena->parent->first_child;
        while (*link != arena) {
            link = &(*link)->next_sibling;
        }
        *link = arena->next_sibling;
    }
    arena->allocator->release(arena->allocator->self, arena);
}

/* Blocks double up to a ceiling, so that the number of blocks is logarithmic and the waste bounded. */
static bool push_block(tl_arena *arena, size_t need)
{
    size_t cap = arena->top != NULL ? arena->top->cap : BLOCK_LEN_MIN / 2;
    cap = cap >= BLOCK_LEN_MAX / 2 ? BLOCK_LEN_MAX : cap * 2;
    if (cap < need) {
        cap = need;
    }
    size_t whole;
    if (!tl_size_add(&whole, cap, sizeof(block))) {
        arena->hit_limit = true;
        return false;
    }
    if (!reserve(arena, whole)) {
        cap = need; /* the ceiling is near: take just what is needed */
        if (!tl_size_add(&whole, cap, sizeof(block)) || !reserve(arena, whole)) {
            return false;
        }
    }
    block *b = (block *)arena->allocator->alloc(arena->allocator->self, whole);
    if (b == NULL) {
        unreserve(arena, whole);
        arena->hit_limit = false;
        return false;
    }
    b->below = arena->top;
    b->cap = cap;
    b->used = 0;
    POISON(b->data, cap);
    arena->top = b;
    return true;
}

void *tl_arena_alloc(tl_arena *arena, size_t count, size_t size, size_t align)
{
    TL_ASSERT(align != 0 && align <= ALIGN_MAX && (align & (align - 1)) == 0);
    size_t len;
    if (!tl_size_mul(&len, count, size) || len > SIZE_MAX / 2) {
        arena->hit_limit = true;
        return NULL;
    }
    block *b = arena->top;
    size_t at = b != NULL ? (b->used + align - 1) & ~(align - 1) : 0;
    if (b == NULL || at > b->cap || len > b->cap - at) {
        if (!push_block(arena, len + ALIGN_MAX)) {
            return NULL;
        }
        b = arena->top;
        at = 0;
    }
    unsigned char *memory = b->data + at;
    UNPOISON(memory, len);
    memset(memory, 0, len);
    b->used = at + len;
    TL_ASSERT(b->used <= b->cap);
    return memory;
}

tl_err tl_arena_fail_why(const tl_arena *arena, tl_errctx *ctx)
{
    if (arena->hit_limit) {
        return tl_fail(ctx, TL_ERR_LIMIT,
                       "more memory is needed than the ceiling of %zu bytes allows", arena->limit);
    }
    return tl_fail(ctx, TL_ERR_NOMEM, "out of memory");
}

tl_err tl_arena_defer(tl_arena *arena, void (*call)(void *object), void *object, tl_errctx *ctx)
{
    hook *h = TL_NEW(arena, hook, 1);
    if (h == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    h->below = arena->hooks;
    h->call = call;
    h->object = object;
    arena->hooks = h;
    return TL_OK;
}

tl_arena_mark tl_arena_get_mark(const tl_arena *arena)
{
    return (tl_arena_mark){arena->top, arena->top != NULL ? arena->top->used : 0, arena->hooks};
}

void tl_arena_rewind(tl_arena *arena, tl_arena_mark mark)
{
    run_hooks_down_to(arena, (const hook *)mark.hook);
    free_blocks_down_to(arena, (const block *)mark.block);
    if (arena->top != NULL) {
        TL_ASSERT(mark.used <= arena->top->used);
        POISON(arena->top->data + mark.used, arena->top->cap - mark.used);
        arena->top->used = mark.used;
    }
}

size_t tl_arena_live_len(const tl_arena *arena)
{
    return arena->live;
}
