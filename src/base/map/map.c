#include "base/map/map.h"

#include <string.h>

void tl_map_init(tl_map *map, tl_arena *arena)
{
    *map = (tl_map){arena, NULL, 0, NULL};
}

/* The first entry not below key; *before is the last one below it. */
static tl_map_entry *search(const tl_map *map, tl_map_entry **before, tl_bytes key)
{
    tl_map_entry *found = NULL;
    *before = NULL;
    for (tl_map_entry *e = map->root; e != NULL;) {
        const int order = tl_bytes_cmp(e->key, key);
        if (order < 0) {
            *before = e;
            e = e->right;
        } else {
            found = e;
            e = order > 0 ? e->left : NULL;
        }
    }
    return found;
}

tl_map_entry *tl_map_seek(const tl_map *map, tl_bytes key)
{
    tl_map_entry *before;
    return search(map, &before, key);
}

tl_map_entry *tl_map_find(const tl_map *map, tl_bytes key)
{
    tl_map_entry *e = tl_map_seek(map, key);
    return e != NULL && tl_bytes_cmp(e->key, key) == 0 ? e : NULL;
}

void *tl_map_get(const tl_map *map, tl_bytes key)
{
    const tl_map_entry *e = tl_map_find(map, key);
    return e != NULL ? e->value : NULL;
}

/* A left child of the same level goes up:   L ◀─ T   becomes   L ─▶ T */
static tl_map_entry *skew(tl_map_entry *t)
{
    tl_map_entry *l = t->left;
    if (l == NULL || l->level != t->level) {
        return t;
    }
    t->left = l->right;
    l->right = t;
    return l;
}

/* Three of one level in a row: the middle one goes up, a level higher. */
static tl_map_entry *split(tl_map_entry *t)
{
    tl_map_entry *r = t->right;
    if (r == NULL || r->right == NULL || r->right->level != t->level) {
        return t;
    }
    t->right = r->left;
    r->left = t;
    r->level++;
    return r;
}

/* Hangs a new entry below t; returns what stands in t's place. As deep as the tree: at most twice log2(count). */
static tl_map_entry *hang(tl_map_entry *t, tl_map_entry *added)
{
    if (t == NULL) {
        return added;
    }
    if (tl_bytes_cmp(added->key, t->key) < 0) {
        t->left = hang(t->left, added);
    } else {
        t->right = hang(t->right, added);
    }
    return split(skew(t)); /* MAP-2 */
}

static tl_err make_entry(tl_map_entry **out, tl_map *map, tl_bytes key, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(map->arena);
    tl_map_entry *e = TL_NEW(map->arena, tl_map_entry, 1);
    uint8_t *copy = e != NULL ? TL_NEW(map->arena, uint8_t, key.len) : NULL;
    if (copy == NULL) {
        const tl_err err = tl_arena_fail(map->arena, ctx);
        tl_arena_rewind(map->arena, mark);
        return err;
    }
    if (key.len != 0) {
        memcpy(copy, key.ptr, key.len);
    }
    e->key = (tl_bytes){copy, key.len};
    e->level = 1;
    *out = e;
    return TL_OK;
}

tl_err tl_map_slot(tl_map_entry **out, tl_map *map, tl_bytes key, tl_errctx *ctx)
{
    tl_map_entry *before;
    tl_map_entry *after = search(map, &before, key);
    if (after != NULL && tl_bytes_cmp(after->key, key) == 0) {
        *out = after;
        return TL_OK;
    }
    tl_map_entry *e = NULL;
    TL_TRY(make_entry(&e, map, key, ctx));
    e->next = after;
    if (before != NULL) {
        TL_ASSERT(before->next == after && tl_bytes_cmp(before->key, key) < 0); /* MAP-1 */
        before->next = e;
    } else {
        map->first = e;
    }
    map->root = hang(map->root, e);
    map->count++;
    *out = e;
    return TL_OK;
}

tl_err tl_map_put(tl_map *map, tl_bytes key, void *value, tl_errctx *ctx)
{
    tl_map_entry *e = NULL;
    TL_TRY(tl_map_slot(&e, map, key, ctx));
    e->value = value;
    return TL_OK;
}
