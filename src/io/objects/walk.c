/* A folder store's lists: a walk in the order of the keys' bytes.
 *
 * "a-b" comes before "a/c", because '-' comes before '/': so within a folder, names of folders are compared with a slash
 * behind them. The walk goes down only where a key with the prefix, behind `after`, can be, and stops when it has enough. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec/vec.h"
#include "io/objects/objects_internal.h"

typedef struct walk {
    tl_objects *store;
    tl_arena *arena; /* of what is found */
    tl_str prefix;
    tl_str after;
    size_t count_max;
    tl_vec items;
    bool has_more;
    char key[TL_OBJECTS_KEY_LEN_MAX + 2];
    tl_errctx *ctx;
} walk;

static int compare_names(const void *a, const void *b)
{
    return tl_str_cmp(*(const tl_str *)a, *(const tl_str *)b);
}

static bool is_folder_at(int dir_fd, const struct dirent *entry, bool *is_file)
{
    struct stat st;
    *is_file = entry->d_type == DT_REG;
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_DIR;
    }
    if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    *is_file = S_ISREG(st.st_mode);
    return S_ISDIR(st.st_mode);
}

/* The names in the folder of w->key[0, len), folders with a slash, sorted. A folder that is gone has none. */
static tl_err read_names(tl_vec *names, tl_arena *scratch, walk *w, size_t len)
{
    char path[PATH_MAX];
    TL_TRY(tl__folder_path(path, w->store, (tl_str){w->key, len}, w->ctx));
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno == ENOENT || errno == ENOTDIR
                   ? TL_OK
                   : tl__objects_fail_errno(w->ctx, errno, "list", (tl_str){w->key, len});
    }
    tl_err err = TL_OK;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            err = errno == 0 ? TL_OK
                             : tl__objects_fail_errno(w->ctx, errno, "list", (tl_str){w->key, len});
            break;
        }
        if (entry->d_name[0] == '.') {
            continue;
        }
        bool is_file;
        const bool is_folder = is_folder_at(dirfd(dir), entry, &is_file);
        if (!is_folder && !is_file) {
            continue;
        }
        tl_sb sb;
        tl_sb_init(&sb, scratch);
        tl_sb_put_cstr(&sb, entry->d_name);
        tl_sb_put_cstr(&sb, is_folder ? "/" : "");
        tl_str *name = (tl_str *)tl_vec_push(names);
        if (name == NULL) {
            err = tl_arena_fail(scratch, w->ctx);
            break;
        }
        err = tl_sb_finish(name, &sb, w->ctx);
        if (err != TL_OK) {
            break;
        }
    }
    (void)closedir(dir);
    if (err == TL_OK && names->count > 1) {
        qsort(names->items, names->count, sizeof(tl_str), compare_names);
    }
    return err;
}

/* Can a key that begins with `start` have the prefix, and come after `after`? */
static bool may_hold(const walk *w, tl_str start)
{
    const size_t shared = start.len < w->prefix.len ? start.len : w->prefix.len;
    if (!tl_str_eq(tl_str_slice(start, 0, shared), tl_str_slice(w->prefix, 0, shared))) {
        return false;
    }
    return tl_str_cmp(start, tl_str_slice(w->after, 0, start.len)) >= 0;
}

static tl_err take_file(walk *w, size_t len)
{
    const tl_str key = {w->key, len};
    char path[PATH_MAX];
    struct stat st;
    if (!tl_str_starts_with(key, w->prefix) || tl_str_cmp(key, w->after) <= 0) {
        return TL_OK;
    }
    if (w->items.count == w->count_max) {
        w->has_more = true;
        return TL_OK;
    }
    TL_TRY(tl__folder_path(path, w->store, key, w->ctx));
    if (lstat(path, &st) != 0) { /* deleted since the folder was read */
        return errno == ENOENT || errno == ENOTDIR
                   ? TL_OK
                   : tl__objects_fail_errno(w->ctx, errno, "list", key);
    }
    tl_objects_item *item = (tl_objects_item *)tl_vec_push(&w->items);
    if (item == NULL) {
        return tl_arena_fail(w->arena, w->ctx);
    }
    item->bytes = (uint64_t)st.st_size;
    item->modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return tl_str_copy(&item->key, w->arena, key, w->ctx);
}

/* Recursion is bounded by the key's length: each level adds two bytes at least. */
static tl_err walk_folder(walk *w, size_t len)
{
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, w->ctx));
    tl_vec names;
    tl_vec_init(&names, scratch, sizeof(tl_str));
    tl_err err = read_names(&names, scratch, w, len);
    for (size_t i = 0; i < names.count && err == TL_OK && !w->has_more; i++) {
        const tl_str name = *(const tl_str *)tl_vec_at(&names, i);
        if (len + name.len > TL_OBJECTS_KEY_LEN_MAX) {
            continue; /* no key of ours */
        }
        memcpy(w->key + len, name.ptr, name.len);
        const tl_str start = {w->key, len + name.len};
        if (!tl_str_ends_with(name, TL_STR("/"))) {
            err = take_file(w, start.len);
        } else if (may_hold(w, start)) {
            err = walk_folder(w, start.len);
        }
    }
    tl_arena_free(scratch);
    return err;
}

tl_err tl__folder_list(tl_objects *store, tl_objects_page *out, tl_arena *arena, tl_str prefix,
                       tl_str after, size_t count_max, tl_errctx *ctx)
{
    walk w = {.store = store,
              .arena = arena,
              .prefix = prefix,
              .after = after,
              .count_max = count_max,
              .ctx = ctx};
    tl_vec_init(&w.items, arena, sizeof(tl_objects_item));
    size_t from = prefix.len; /* begin in the deepest folder that the prefix names */
    while (from > 0 && prefix.ptr[from - 1] != '/') {
        from--;
    }
    if (from > 0) {
        memcpy(w.key, prefix.ptr, from);
    }
    TL_TRY(walk_folder(&w, from));
    *out = (tl_objects_page){(tl_objects_item *)w.items.items, w.items.count, w.has_more};
    return TL_OK;
}

tl_err tl__folder_sweep_parts(tl_objects *store, uint64_t *count, int64_t now_ms, tl_errctx *ctx)
{
    char path[PATH_MAX];
    (void)tl_str_print(path, sizeof path, "%s/" TL__PARTS_DIR, store->root);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return tl__objects_fail_errno(ctx, errno, "list", TL_STR(TL__PARTS_DIR));
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stat st;
        if (entry->d_name[0] != '.' &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) &&
            (int64_t)st.st_mtim.tv_sec < now_ms / 1000 - TL__PART_AGE_MAX_S &&
            unlinkat(dirfd(dir), entry->d_name, 0) == 0) {
            ++*count;
        }
    }
    (void)closedir(dir);
    return TL_OK;
}
