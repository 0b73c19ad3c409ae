#include "base/vec/vec.h"

#include <string.h>

enum { FIRST_CAP = 8, ALIGN_NEEDED_MAX = 64 };

void tl_vec_init(tl_vec *vec, tl_arena *arena, size_t item_size)
{
    TL_ASSERT(item_size != 0);
    *vec = (tl_vec){arena, NULL, 0, 0, item_size};
}

/* A size is a multiple of its type's alignment, so the largest power of two in it is enough. */
static size_t align_of(size_t item_size)
{
    const size_t power = item_size & (0 - item_size);
    return power < ALIGN_NEEDED_MAX ? power : ALIGN_NEEDED_MAX;
}

bool tl_vec_reserve(tl_vec *vec, size_t count)
{
    if (count <= vec->cap) {
        return true;
    }
    void *items = tl_arena_alloc(vec->arena, count, vec->item_size, align_of(vec->item_size));
    if (items == NULL) {
        return false;
    }
    if (vec->count != 0) {
        memcpy(items, vec->items, vec->count * vec->item_size); /* VEC-1 */
    }
    vec->items = items;
    vec->cap = count;
    return true;
}

void *tl_vec_push(tl_vec *vec)
{
    if (vec->count == vec->cap) {
        const size_t cap = vec->cap < FIRST_CAP ? FIRST_CAP : vec->cap * 2;
        if (!tl_vec_reserve(vec, cap)) {
            return NULL;
        }
    }
    TL_ASSERT(vec->count < vec->cap);
    vec->count++;
    return memset(tl_vec_at(vec, vec->count - 1), 0, vec->item_size);
}

void *tl_vec_at(const tl_vec *vec, size_t index)
{
    TL_ASSERT(index < vec->count);
    return (unsigned char *)vec->items + index * vec->item_size;
}

void tl_vec_pop(tl_vec *vec)
{
    TL_ASSERT(vec->count != 0);
    vec->count--;
}
