/* Keeping in a folder: a second name for the very file that was verified. Nobody writes to it any more (OBJ-2), so no bytes
 * are copied; a later upload of the same key is another file.
 *
 *      link KEY to .parts/x ─▶ open x: length, hash ─▶ kept there and whole? ─┬ yes: drop x, the kept one is younger again
 *                                                                             └ no:  rename x to kept/sha256/ab/…
 *      all of them ─▶ one sync (sync.c), or a few by themselves ─▶ TL_OK: OBJ-3
 *
 * What is kept already and whole is not replaced: its bytes may be the only durable ones until the sync. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/hex/hex.h"
#include "io/objects/objects_internal.h"
#include "io/sys/sys.h"

/* kept/sha256/ab, made durably the first time that this process needs it. */
static tl_err make_kept_dir(tl_objects *store, const tl_hash32 *sha256, tl_errctx *ctx)
{
    const unsigned n = sha256->b[0];
    const uint64_t bit = (uint64_t)1 << (n % 64);
    if ((__atomic_load_n(&store->kept_dirs[n / 64], __ATOMIC_ACQUIRE) & bit) != 0) {
        return TL_OK;
    }
    char path[PATH_MAX];
    (void)tl_str_print(path, sizeof path, "%s/" TL_OBJECTS_KEPT_PREFIX "sha256/%02x", store->root,
                       n);
    TL_TRY(tl_sys_make_dir(path, TL_SYS_DIR_MODE, ctx));
    (void)__atomic_fetch_or(&store->kept_dirs[n / 64], bit, __ATOMIC_RELEASE);
    return TL_OK;
}

/* Is the open file what the item says? */
static tl_err check_file(tl_objects *store, int fd, const tl_objects_keep_item *item,
                         tl_errctx *ctx)
{
    struct stat st;
    tl_hash32 found;
    if (fstat(fd, &st) != 0) {
        return tl__objects_fail_errno(ctx, errno, "read", item->key);
    }
    if (!S_ISREG(st.st_mode)) {
        return tl__objects_fail_errno(ctx, ENOENT, "keep", item->key);
    }
    if ((uint64_t)st.st_size != item->bytes) {
        return tl__objects_fail(ctx, TL_ERR_CORRUPT, item->key, "\"%.*s\" has %llu bytes, not %llu",
                                TL_STR_ARG(item->key), (unsigned long long)st.st_size,
                                (unsigned long long)item->bytes);
    }
    if (!tl__memo_get(store->memo, fd, &found)) {
        TL_TRY(tl__folder_read_fd(&found, fd, item->bytes, item->key, NULL, NULL, ctx));
        tl__memo_put(store->memo, fd, &found);
    }
    if (tl_hash32_cmp(&found, &item->sha256) != 0) {
        char text[65];
        tl_hex_write(text, found.b, sizeof found.b);
        return tl__objects_fail(ctx, TL_ERR_CORRUPT, item->key, "\"%.*s\" has another SHA-256: %s",
                                TL_STR_ARG(item->key), text);
    }
    return TL_OK;
}

/* A copy of the object's bytes, where the file system gives no second name. */
static tl_err copy_part(tl_objects *store, const char *path, const char *part, tl_str key,
                        tl_errctx *ctx)
{
    const int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (from < 0) {
        return tl__objects_fail_errno(ctx, errno == ENOTDIR ? ENOENT : errno, "keep", key);
    }
    const int to = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    tl_err err = to >= 0 ? TL_OK : tl__objects_fail_errno(ctx, errno, "keep", key);
    uint8_t step[1 << 16];
    while (err == TL_OK) {
        const ssize_t got = read(from, step, sizeof step);
        if (got == 0) {
            break;
        }
        if (got < 0) {
            err = tl__objects_fail_errno(ctx, errno == EISDIR ? ENOENT : errno, "keep", key);
        } else {
            err = tl_sys_write_all(to, (tl_bytes){step, (size_t)got}, part, ctx);
        }
    }
    if (to >= 0) {
        (void)close(to);
    }
    (void)close(from);
    (void)store;
    return err;
}

/* Open the kept object if it is there and whole; -1 if not. */
static int open_kept(tl_objects *store, const char *kept, const tl_objects_keep_item *item)
{
    const int fd = open(kept, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && check_file(store, fd, item, NULL) != TL_OK) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* From a verified part to the kept name. is_alone: its bytes and names are synced here. */
static tl_err name_kept(tl_objects *store, const char *part, int part_fd,
                        const tl_objects_keep_item *item, bool is_alone, tl_errctx *ctx)
{
    char key[TL_OBJECTS_KEPT_KEY_LEN + 1];
    char kept[PATH_MAX];
    tl_objects_kept_key(key, &item->sha256);
    TL_TRY(tl__folder_path(kept, store, tl_str_from_cstr(key), ctx));
    TL_TRY(make_kept_dir(store, &item->sha256, ctx));
    (void)pthread_rwlock_rdlock(&store->keep_lock);
    const int old = open_kept(store, kept, item);
    const int fd = old >= 0 ? old : part_fd;
    tl_err err = TL_OK;
    if (futimens(fd, NULL) != 0 || (is_alone && fsync(fd) != 0) ||
        (old < 0 && rename(part, kept) != 0)) {
        err = tl__objects_fail_errno(ctx, errno, "keep", item->key);
    }
    (void)pthread_rwlock_unlock(&store->keep_lock);
    if (old >= 0) {
        (void)close(old);
    }
    if (err == TL_OK && is_alone) {
        *strrchr(kept, '/') = '\0';
        err = tl_sys_sync_dir(kept, ctx);
    }
    return err;
}

static tl_err keep_one(tl_objects *store, const tl_objects_keep_item *item, bool is_alone,
                       tl_errctx *ctx)
{
    char path[PATH_MAX];
    char part[PATH_MAX];
    TL_TRY(tl__folder_path(path, store, item->key, ctx));
    tl__folder_part_name(part, store);
    if (linkat(AT_FDCWD, path, AT_FDCWD, part, 0) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return tl__objects_fail_errno(ctx, ENOENT, "keep", item->key);
        }
        const tl_err err = copy_part(store, path, part, item->key, ctx);
        if (err != TL_OK) {
            (void)unlink(part);
            return err;
        }
    }
    const int fd = open(part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    tl_err err = fd >= 0 ? check_file(store, fd, item, ctx)
                         : tl__objects_fail_errno(ctx, errno, "keep", item->key);
    if (err == TL_OK) {
        err = name_kept(store, part, fd, item, is_alone, ctx);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    (void)unlink(part); /* gone already where it was renamed */
    return err;
}

tl_err tl__folder_keep(tl_objects *store, const tl_objects_keep_item *items, size_t count,
                       tl_errctx *ctx)
{
    const bool is_alone = count <= TL__SYNC_ALONE_COUNT;
    for (size_t i = 0; i < count; i++) {
        const tl_err err = keep_one(store, &items[i], is_alone, ctx);
        if (err != TL_OK) {
            tl_errctx_at(ctx, i, 0, 0);
            return err;
        }
    }
    return is_alone ? TL_OK : tl__sync_wait(&store->sync, store->root_fd, store->root, ctx);
}
