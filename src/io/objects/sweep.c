/* Retention: what is older than its rule allows goes. */
#include "io/objects/objects_internal.h"

enum { SWEEP_ARENA_LEN = 4 << 20 };

/* The rule with the longest prefix that fits, or NULL. */
static const tl_objects_rule *rule_of(const tl_objects_rule *rules, size_t count, tl_str key)
{
    const tl_objects_rule *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (tl_str_starts_with(key, rules[i].prefix) &&
            (best == NULL || rules[i].prefix.len > best->prefix.len)) {
            best = &rules[i];
        }
    }
    return best;
}

/* Is the prefix within another rule's? Then that one's walk comes by. */
static bool is_covered(const tl_objects_rule *rules, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++) {
        const bool is_within = tl_str_starts_with(rules[at].prefix, rules[i].prefix);
        if (i != at && is_within && (rules[i].prefix.len < rules[at].prefix.len || i < at)) {
            return true;
        }
    }
    return false;
}

/* One by one in the folder, where a keep may come between; in bulk on S3. */
static tl_err delete_old(tl_objects *store, tl_objects_swept *swept, const tl_objects_item *items,
                         const tl_str *keys, const int64_t *before_ms, size_t count, tl_errctx *ctx)
{
    if (!store->is_folder) {
        TL_TRY(tl_objects_delete_many(store, keys, count, ctx));
    }
    for (size_t i = 0; i < count; i++) {
        bool is_deleted = true;
        if (store->is_folder) {
            TL_TRY(tl__folder_delete_old(store, keys[i], before_ms[i], &is_deleted, ctx));
        }
        swept->objects += is_deleted ? 1 : 0;
        swept->bytes += is_deleted ? items[i].bytes : 0;
    }
    return TL_OK;
}

static tl_err sweep_page(tl_objects *store, tl_objects_swept *swept, tl_arena *arena,
                         const tl_objects_page *page, const tl_objects_rule *rules, size_t count,
                         int64_t now_ms, tl_errctx *ctx)
{
    const size_t room = page->count > 0 ? page->count : 1;
    tl_str *keys = TL_NEW(arena, tl_str, room);
    int64_t *before_ms = TL_NEW(arena, int64_t, room);
    tl_objects_item *old = TL_NEW(arena, tl_objects_item, room);
    size_t old_count = 0;
    if (keys == NULL || before_ms == NULL || old == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < page->count; i++) {
        const tl_objects_item *item = &page->items[i];
        const tl_objects_rule *rule = rule_of(rules, count, item->key);
        if (rule == NULL || rule->age_max_s == 0 ||
            tl_objects_check_key(item->key, NULL) !=
                TL_OK) { /* others' names are not ours to delete */
            continue;
        }
        const int64_t before = now_ms - (int64_t)rule->age_max_s * 1000;
        if (item->modified_ms < before) {
            keys[old_count] = item->key;
            before_ms[old_count] = before;
            old[old_count++] = *item;
        }
    }
    return delete_old(store, swept, old, keys, before_ms, old_count, ctx);
}

static tl_err sweep_prefix(tl_objects *store, tl_objects_swept *swept, tl_arena *arena,
                           tl_str prefix, const tl_objects_rule *rules, size_t count,
                           int64_t now_ms, tl_errctx *ctx)
{
    char after[TL_OBJECTS_KEY_LEN_MAX];
    size_t after_len = 0;
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (;;) {
        tl_objects_page page;
        TL_TRY(tl_objects_list(store, &page, arena, prefix, (tl_str){after, after_len}, 0, ctx));
        TL_TRY(sweep_page(store, swept, arena, &page, rules, count, now_ms, ctx));
        if (!page.has_more || page.count == 0) {
            return TL_OK;
        }
        const tl_str last = page.items[page.count - 1].key;
        TL_ASSERT(last.len <= sizeof after);
        for (size_t i = 0; i < last.len; i++) {
            after[i] = last.ptr[i];
        }
        after_len = last.len;
        tl_arena_rewind(arena, mark);
    }
}

tl_err tl_objects_sweep(tl_objects *store, tl_objects_swept *out, const tl_objects_rule *rules,
                        size_t count, int64_t now_ms, tl_errctx *ctx)
{
    *out = (tl_objects_swept){0};
    if (count > TL_OBJECTS_RULES_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "rules", "%zu rules, above %d", count,
                             TL_OBJECTS_RULES_MAX);
    }
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, SWEEP_ARENA_LEN, NULL, ctx));
    tl_err err = TL_OK;
    for (size_t i = 0; i < count && err == TL_OK; i++) {
        if (!is_covered(rules, count, i)) {
            err = sweep_prefix(store, out, arena, rules[i].prefix, rules, count, now_ms, ctx);
        }
    }
    tl_arena_free(arena);
    if (err != TL_OK) {
        return err;
    }
    return store->is_folder ? tl__folder_sweep_parts(store, &out->parts, now_ms, ctx)
                            : tl__s3_sweep_parts(store, &out->parts, now_ms, ctx);
}
