/* A folder as a store: an object is a file of the key's name. It is written under another name in .parts, then renamed, and
 * nobody writes to it again (OBJ-2): so it may be linked, mapped and sent while others replace it.
 *
 *      DIR/.parts/1f03-7          being written
 *      DIR/data/hotkey=…/…        objects, mode 0400
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/objects/objects_internal.h"
#include "io/sys/sys.h"

enum { PUT_TRIES = 8, OBJECT_MODE = 0400 };

tl_err tl__objects_fail_errno_text(tl_errctx *ctx, int errnum, const char *verb, tl_str key)
{
    char text[128];
    const char *why = strerror_r(errnum, text, sizeof text);
    tl_err code = TL_ERR_IO;
    if (errnum == ENOENT || errnum == ESTALE) {
        code = TL_ERR_NOT_FOUND;
    } else if (errnum == EACCES || errnum == EPERM || errnum == EROFS) {
        code = TL_ERR_REFUSED;
    } else if (errnum == ENOTDIR || errnum == EISDIR || errnum == EEXIST || errnum == ENOTEMPTY) {
        code = TL_ERR_STATE;
    } else if (errnum == ENOMEM) {
        code = TL_ERR_NOMEM;
    } else if (errnum == ENAMETOOLONG || errnum == ELOOP) {
        code = TL_ERR_SYNTAX;
    }
    return tl__objects_fail(ctx, code, key, "cannot %s \"%.*s\": %s", verb, TL_STR_ARG(key), why);
}

tl_err tl__folder_path(char out[PATH_MAX], const tl_objects *store, tl_str key, tl_errctx *ctx)
{
    const size_t root_len = strlen(store->root);
    if (root_len + 1 + key.len >= PATH_MAX) {
        return tl__objects_fail(ctx, TL_ERR_SYNTAX, key, "the path of an object is too long");
    }
    (void)tl_str_print(out, PATH_MAX, "%s/%.*s", store->root, TL_STR_ARG(key));
    return TL_OK;
}

void tl__folder_part_name(char out[PATH_MAX], tl_objects *store)
{
    const uint64_t serial = __atomic_add_fetch(&store->part_serial, 1, __ATOMIC_RELAXED);
    (void)tl_str_print(out, PATH_MAX, "%s/" TL__PARTS_DIR "/%lx-%llx", store->root, (long)getpid(),
                       (unsigned long long)serial);
}

/* The key that signs URLs and forms: made once, by whoever comes first. */
static tl_err read_sign_key(tl_objects *store, const char *path, tl_errctx *ctx)
{
    tl_str text;
    tl_err err = tl_sys_read_file(&text, store->arena, path, TL__SIGN_KEY_LEN, ctx);
    if (err == TL_ERR_NOT_FOUND) {
        uint8_t fresh[TL__SIGN_KEY_LEN];
        char part[PATH_MAX];
        TL_TRY(tl_entropy_fill(&store->entropy, fresh, sizeof fresh, ctx));
        (void)tl_str_print(part, sizeof part, "%s.%lx", path, (long)getpid());
        err = tl_sys_write_file(part, (tl_bytes){fresh, sizeof fresh}, TL_SYS_FILE_MODE, ctx);
        tl_wipe(fresh, sizeof fresh);
        if (err != TL_OK) {
            return err;
        }
        const int made =
            link(part, path) == 0 ? 0 : errno; /* EEXIST: another was first; its key counts */
        (void)unlink(part);
        if (made != 0 && made != EEXIST) {
            return tl__objects_fail_errno(ctx, made, "make", tl_str_from_cstr(path));
        }
        err = tl_sys_read_file(&text, store->arena, path, TL__SIGN_KEY_LEN, ctx);
    }
    if (err != TL_OK) {
        return err;
    }
    if (text.len != TL__SIGN_KEY_LEN) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, path, "\"%s\" has %zu bytes, not %d", path,
                             text.len, TL__SIGN_KEY_LEN);
    }
    memcpy(store->sign_key, text.ptr, TL__SIGN_KEY_LEN);
    store->has_sign_key = true;
    union {
        const char *theirs;
        char *ours;
    } copy = {.theirs = text.ptr};
    tl_wipe(copy.ours, text.len);
    return TL_OK;
}

static tl_err open_root(tl_objects *store, const tl_objects_options *options, tl_errctx *ctx)
{
    char parts[PATH_MAX];
    if (strlen(options->dir) + 1 + TL_OBJECTS_KEY_LEN_MAX + 1 > PATH_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "dir",
                             "the path of the objects' folder is too long");
    }
    if (options->is_existing && !tl_sys_exists(options->dir)) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, "dir", "no folder \"%s\"", options->dir);
    }
    TL_TRY(tl_str_copy_cstr(&store->root, store->arena, tl_str_from_cstr(options->dir), ctx));
    (void)tl_str_print(parts, sizeof parts, "%s/" TL__PARTS_DIR, store->root);
    TL_TRY(tl_sys_make_dir(parts, TL_SYS_DIR_MODE, ctx));
    store->root_fd = open(store->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return store->root_fd >= 0
               ? TL_OK
               : tl__objects_fail_errno(ctx, errno, "open", tl_str_from_cstr(store->root));
}

tl_err tl__folder_open(tl_objects *store, const tl_objects_options *options, tl_errctx *ctx)
{
    store->root_fd = -1;
    tl__sync_init(&store->sync);
    (void)pthread_rwlock_init(&store->keep_lock, NULL);
    store->memo = tl__memo_new();
    /* Another process that died may have had this one's number: its files are not written over. */
    store->part_serial = (uint64_t)tl_clock_wall_ns(&store->clock);
    TL_TRY(open_root(store, options, ctx));
    return options->sign_file != NULL ? read_sign_key(store, options->sign_file, ctx) : TL_OK;
}

void tl__folder_close(tl_objects *store)
{
    if (store->root_fd >= 0) {
        (void)close(store->root_fd);
    }
    tl__memo_free(store->memo);
    (void)pthread_rwlock_destroy(&store->keep_lock);
    tl__sync_deinit(&store->sync);
}

/* --- put --- */

tl_err tl__folder_begin(tl_objects_stream *stream, tl_errctx *ctx)
{
    tl__folder_part_name(stream->part, stream->store);
    stream->fd =
        open(stream->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, OBJECT_MODE);
    return stream->fd >= 0 ? TL_OK : tl__objects_fail_errno(ctx, errno, "write", stream->key);
}

tl_err tl__folder_write(tl_objects_stream *stream, tl_bytes piece, tl_errctx *ctx)
{
    size_t at = 0;
    while (at < piece.len) {
        const ssize_t wrote = write(stream->fd, piece.ptr + at, piece.len - at);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return tl__objects_fail_errno(ctx, wrote < 0 ? errno : EIO, "write", stream->key);
        }
        at += (size_t)wrote;
    }
    return TL_OK;
}

/* The folders above a path; durable when asked for. */
static int make_parents(char path[PATH_MAX], size_t from, bool is_durable)
{
    char *slash = strrchr(path, '/');
    TL_ASSERT(slash != NULL && (size_t)(slash - path) + 1 >= from);
    *slash = '\0';
    int errnum = 0;
    if (is_durable) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_sys_make_dir(path, TL_SYS_DIR_MODE, &ctx);
        errnum = err == TL_OK ? 0 : err == TL_ERR_TYPE || err == TL_ERR_NOT_FOUND ? ENOTDIR : EIO;
    } else {
        for (char *at = path + from; errnum == 0 && at != NULL;) {
            at = strchr(at, '/');
            if (at != NULL) {
                *at = '\0';
            }
            errnum = mkdir(path, TL_SYS_DIR_MODE) == 0 || errno == EEXIST ? 0 : errno;
            if (at != NULL) {
                *at++ = '/';
            }
        }
    }
    *slash = '/';
    return errnum;
}

/* Give the written file its name; again where a sweep took the folder away just then. */
static int name_file(const tl_objects_stream *stream, char path[PATH_MAX])
{
    const size_t from = strlen(stream->store->root) + 1;
    int errnum = ENOENT;
    for (int i = 0; i < PUT_TRIES && errnum == ENOENT; i++) {
        if (stream->options.is_new) {
            errnum = link(stream->part, path) == 0 ? 0 : errno;
            if (errnum == 0) {
                (void)unlink(stream->part);
            }
        } else {
            errnum = rename(stream->part, path) == 0 ? 0 : errno;
        }
        if (errnum == ENOENT) {
            const int made = make_parents(path, from, stream->options.is_durable);
            errnum = made != 0 && made != ENOENT ? made : ENOENT;
        }
    }
    return errnum;
}

/* The name of a durable object must outlive a power cut, too. */
static tl_err sync_name(char path[PATH_MAX], tl_errctx *ctx)
{
    char *slash = strrchr(path, '/');
    *slash = '\0';
    const tl_err err = tl_sys_sync_dir(path, ctx);
    *slash = '/';
    return err;
}

tl_err tl__folder_finish(tl_objects_stream *stream, const tl_hash32 *sha256, tl_objects_info *out,
                         tl_errctx *ctx)
{
    char path[PATH_MAX];
    struct stat st;
    TL_TRY(tl__folder_path(path, stream->store, stream->key, ctx));
    if (stream->options.is_durable && fsync(stream->fd) != 0) {
        return tl__objects_fail_errno(ctx, errno, "sync", stream->key);
    }
    if (fstat(stream->fd, &st) != 0) {
        return tl__objects_fail_errno(ctx, errno, "write", stream->key);
    }
    TL_ASSERT((uint64_t)st.st_size == stream->len); /* OBJ-2: what is named is whole */
    const int errnum = name_file(stream, path);
    if (errnum != 0) {
        return tl__objects_fail_errno(ctx, errnum, "put", stream->key);
    }
    tl__memo_put(stream->store->memo, stream->fd, sha256);
    (void)close(stream->fd);
    stream->fd = -1;
    if (stream->options.is_durable) {
        TL_TRY(sync_name(path, ctx));
    }
    out->modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return TL_OK;
}

void tl__folder_abort(tl_objects_stream *stream)
{
    if (stream->fd >= 0) {
        (void)close(stream->fd);
        (void)unlink(stream->part);
    }
}

/* --- get --- */

tl_err tl__folder_open_object(int *out_fd, tl_objects_info *out, tl_objects *store, tl_str key,
                              tl_errctx *ctx)
{
    char path[PATH_MAX];
    struct stat st;
    TL_TRY(tl__folder_path(path, store, key, ctx));
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        return tl__objects_fail_errno(ctx, ENOENT, "read", key);
    }
    if (fd < 0) {
        return tl__objects_fail_errno(ctx, errno, "read", key);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) { /* a folder is no object */
        (void)close(fd);
        return tl__objects_fail_errno(ctx, ENOENT, "read", key);
    }
    *out = (tl_objects_info){.bytes = (uint64_t)st.st_size,
                             .modified_ms =
                                 (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000};
    *out_fd = fd;
    return TL_OK;
}

tl_err tl__folder_read_fd(tl_hash32 *out, int fd, uint64_t bytes, tl_str key, tl_objects_take take,
                          void *self, tl_errctx *ctx)
{
    tl_sha256_state hash;
    uint8_t step[1 << 16];
    uint64_t at = 0;
    tl_sha256_init(&hash);
    while (at < bytes) {
        const uint64_t rest = bytes - at;
        const ssize_t got = read(fd, step, rest < sizeof step ? (size_t)rest : sizeof step);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return tl__objects_fail_errno(ctx, errno, "read", key);
        }
        if (got == 0) {
            return tl__objects_fail(ctx, TL_ERR_IO, key, "\"%.*s\" ends at byte %llu of %llu",
                                    TL_STR_ARG(key), (unsigned long long)at,
                                    (unsigned long long)bytes);
        }
        tl_sha256_update(&hash, step, (size_t)got);
        at += (uint64_t)got;
        if (take != NULL) {
            TL_TRY(take(self, (tl_bytes){step, (size_t)got}, ctx));
        }
    }
    tl_sha256_final(&hash, out);
    return TL_OK;
}

/* --- delete --- */

/* Folders that became empty go, up to the root; those of kept objects stay, since their durability is remembered. */
static void prune(char path[PATH_MAX], size_t root_len)
{
    for (;;) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || (size_t)(slash - path) <= root_len) {
            return;
        }
        *slash = '\0';
        if (rmdir(path) != 0) {
            return;
        }
    }
}

tl_err tl__folder_delete(tl_objects *store, tl_str key, tl_errctx *ctx)
{
    char path[PATH_MAX];
    TL_TRY(tl__folder_path(path, store, key, ctx));
    if (unlink(path) != 0) {
        const bool is_absent = errno == ENOENT || errno == ENOTDIR || errno == EISDIR;
        return is_absent ? TL_OK : tl__objects_fail_errno(ctx, errno, "delete", key);
    }
    if (!tl_str_starts_with(key, TL_STR(TL_OBJECTS_KEPT_PREFIX))) {
        prune(path, strlen(store->root));
    }
    return TL_OK;
}

tl_err tl__folder_delete_old(tl_objects *store, tl_str key, int64_t before_ms, bool *is_deleted,
                             tl_errctx *ctx)
{
    char path[PATH_MAX];
    struct stat st;
    tl_err err = TL_OK;
    *is_deleted = false;
    TL_TRY(tl__folder_path(path, store, key, ctx));
    (void)pthread_rwlock_wrlock(&store->keep_lock);
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 < before_ms) {
        err = tl__folder_delete(store, key, ctx);
        *is_deleted = err == TL_OK;
    }
    (void)pthread_rwlock_unlock(&store->keep_lock);
    return err;
}
