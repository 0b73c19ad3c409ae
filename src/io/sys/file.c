/* Files: read whole under a limit, write whole or not at all. */
#include "io/sys/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys/sys_internal.h"

enum { READ_STEP_LEN = 65536 };

tl_err tl__sys_fail_errno_text(tl_errctx *ctx, int errnum, const char *verb, const char *path)
{
    char text[128];
    const char *why = strerror_r(errnum, text, sizeof text);
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, path, "cannot %s \"%s\": %s", verb, path, why);
    case EACCES:
    case EPERM:
    case EROFS:
        return tl_fail_field(ctx, TL_ERR_REFUSED, path, "cannot %s \"%s\": %s", verb, path, why);
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
        return tl_fail_field(ctx, TL_ERR_TYPE, path, "cannot %s \"%s\": %s", verb, path, why);
    case EINTR:
        return tl_fail_field(ctx, TL_ERR_INTERRUPTED, path, "cannot %s \"%s\": %s", verb, path,
                             why);
    case ENOMEM:
        return tl_fail_field(ctx, TL_ERR_NOMEM, path, "cannot %s \"%s\": %s", verb, path, why);
    default:
        return tl_fail_field(ctx, TL_ERR_IO, path, "cannot %s \"%s\": %s", verb, path, why);
    }
}

/* The bytes of fd to its end. The file's size is a hint only: pipes have none, and files grow. */
static tl_err read_all(tl_str *out, tl_arena *arena, int fd, const char *path, size_t len_max,
                       tl_errctx *ctx)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return tl__sys_fail_errno(ctx, errno, "read", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return tl__sys_fail_errno(ctx, EISDIR, "read", path);
    }
    size_t cap = READ_STEP_LEN;
    if (st.st_size > 0 && (uintmax_t)st.st_size < len_max) {
        cap = (size_t)st.st_size + 2; /* for the NUL, and to see the end without growing */
    }
    char *text = TL_NEW(arena, char, cap);
    size_t len = 0;
    while (text != NULL) {
        const ssize_t n = read(fd, text + len, cap - 1 - len);
        TL_TRY(tl_sys_check_interrupt(ctx));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return tl__sys_fail_errno(ctx, errno, "read", path);
        }
        len += (size_t)n;
        if (len > len_max) {
            return tl_fail_field(ctx, TL_ERR_LIMIT, path, "\"%s\" has more than %zu bytes", path,
                                 len_max);
        }
        if (n == 0) {
            *out = (tl_str){text, len};
            return TL_OK;
        }
        if (len == cap - 1) {
            char *more = TL_NEW(arena, char, cap * 2);
            if (more != NULL) {
                memcpy(more, text, len);
            }
            text = more;
            cap *= 2;
        }
    }
    return tl_arena_fail(arena, ctx);
}

tl_err tl_sys_read_file(tl_str *out, tl_arena *arena, const char *path, size_t len_max,
                        tl_errctx *ctx)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return tl__sys_fail_errno(ctx, errno, "open", path);
    }
    const tl_err err = read_all(out, arena, fd, path, len_max, ctx);
    (void)close(fd); /* nothing was written: there is nothing to lose */
    return err;
}

tl_err tl_sys_read_text(tl_str *out, tl_arena *arena, const char *path, size_t len_max,
                        tl_errctx *ctx)
{
    tl_str raw;
    TL_TRY(tl_sys_read_file(&raw, arena, path, len_max, ctx));
    if (!tl_sys_is_gzip(raw)) {
        *out = raw;
        return TL_OK;
    }
    const tl_err err = tl_sys_gunzip(out, arena, raw, len_max, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "\"%s\"", path);
        tl_errctx_under(ctx, "%s", path);
    }
    return err;
}

/* --- writing --- */

tl_err tl_sys_write_all(int fd, tl_bytes bytes, const char *name, tl_errctx *ctx)
{
    size_t done = 0;
    while (done < bytes.len) {
        const ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR) {
            TL_TRY(tl_sys_check_interrupt(ctx));
            continue;
        }
        if (n < 0) {
            return tl__sys_fail_errno(ctx, errno, "write", name);
        }
        done += (size_t)n;
    }
    return TL_OK;
}

/* The folder of a path: "a/b" is "a", "b" is ".", "/b" is "/". */
static tl_err folder_of(char out[PATH_MAX], const char *path, tl_errctx *ctx)
{
    const char *slash = strrchr(path, '/');
    const size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len >= PATH_MAX) {
        return tl__sys_fail_errno(ctx, ENAMETOOLONG, "write", path);
    }
    if (slash == NULL) {
        memcpy(out, ".", 2);
    } else if (len == 0) {
        memcpy(out, "/", 2);
    } else {
        memcpy(out, path, len);
        out[len] = '\0';
    }
    return TL_OK;
}

tl_err tl_sys_sync_dir(const char *path, tl_errctx *ctx)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return tl__sys_fail_errno(ctx, errno, "open", path);
    }
    const int rc = fsync(fd);
    const int errnum = errno;
    (void)close(fd);
    return rc == 0 ? TL_OK : tl__sys_fail_errno(ctx, errnum, "sync", path);
}

/* Fill a temporary file that is open; closes it in every case. */
static tl_err fill_and_close(int fd, tl_bytes bytes, unsigned mode, const char *path,
                             tl_errctx *ctx)
{
    tl_err err = tl_sys_write_all(fd, bytes, path, ctx);
    if (err == TL_OK && fchmod(fd, (mode_t)mode) != 0) {
        err = tl__sys_fail_errno(ctx, errno, "set the mode of", path);
    }
    if (err == TL_OK && fsync(fd) != 0) {
        err = tl__sys_fail_errno(ctx, errno, "sync", path);
    }
    if (close(fd) != 0 && err == TL_OK) {
        err = tl__sys_fail_errno(ctx, errno, "close", path);
    }
    return err;
}

/* A device or a pipe: a rename would replace it. */
static tl_err write_device(const char *path, tl_bytes bytes, tl_errctx *ctx)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return tl__sys_fail_errno(ctx, errno, "open", path);
    }
    const tl_err err = tl_sys_write_all(fd, bytes, path, ctx);
    if (close(fd) != 0 && err == TL_OK) {
        return tl__sys_fail_errno(ctx, errno, "close", path);
    }
    return err;
}

/* What a file is called until it is whole: its name, this, and six characters. */
static const char part_suffix[] = ".part-XXXXXX";

tl_err tl_sys_write_file(const char *path, tl_bytes bytes, unsigned mode, tl_errctx *ctx)
{
    char folder[PATH_MAX];
    char temp[PATH_MAX];
    const size_t len = strlen(path);
    TL_TRY(folder_of(folder, path, ctx));
    if (len + sizeof part_suffix > sizeof temp) {
        return tl__sys_fail_errno(ctx, ENAMETOOLONG, "write", path);
    }
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode)) {
            return tl__sys_fail_errno(ctx, EISDIR, "write", path);
        }
        return write_device(path, bytes, ctx);
    }
    memcpy(temp, path, len);
    memcpy(temp + len, part_suffix, sizeof part_suffix);
    const int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        return tl__sys_fail_errno(ctx, errno, "write", path);
    }
    tl_err err = fill_and_close(fd, bytes, mode, path, ctx);
    if (err == TL_OK && rename(temp, path) != 0) {
        err = tl__sys_fail_errno(ctx, errno, "rename to", path);
    }
    if (err != TL_OK) {
        (void)unlink(temp); /* the first error is the one to tell */
        return err;
    }
    return tl_sys_sync_dir(folder, ctx);
}

static bool is_part(const char *name)
{
    const size_t len = strlen(name);
    const size_t random_len = 6;
    const size_t fixed_len = sizeof part_suffix - 1 - random_len;
    return len > fixed_len + random_len &&
           memcmp(name + len - random_len - fixed_len, part_suffix, fixed_len) == 0;
}

tl_err tl_sys_remove_parts(const char *dir, tl_arena *scratch, tl_errctx *ctx)
{
    const char *const *names = NULL;
    size_t count = 0;
    TL_TRY(tl_sys_list_dir(&names, &count, scratch, dir, ctx));
    for (size_t i = 0; i < count; i++) {
        const char *path = NULL;
        if (!is_part(names[i])) {
            continue;
        }
        TL_TRY(tl_sys_join(&path, scratch, dir, names[i], ctx));
        if (unlink(path) != 0 && errno != ENOENT) {
            return tl__sys_fail_errno(ctx, errno, "remove", path);
        }
    }
    return TL_OK;
}

/* --- folders --- */

/* A name is durable when the folder above it is synced. Who may make a folder there but not read it cannot do that. */
static tl_err sync_folder_of(const char *path, tl_errctx *ctx)
{
    char folder[PATH_MAX];
    TL_TRY(folder_of(folder, path, ctx));
    const tl_err err = tl_sys_sync_dir(folder, ctx);
    if (err == TL_ERR_REFUSED) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    return err;
}

tl_err tl_sys_make_dir(const char *path, unsigned mode, tl_errctx *ctx)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part) {
        return tl__sys_fail_errno(ctx, len == 0 ? ENOENT : ENAMETOOLONG, "make folder", path);
    }
    memcpy(part, path, len + 1);
    while (len > 1 && part[len - 1] == '/') {
        part[--len] = '\0';
    }
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0') {
            continue;
        }
        const char kept = part[i];
        part[i] = '\0';
        const bool is_made = mkdir(part, (mode_t)mode) == 0;
        if (!is_made && errno != EEXIST) {
            return tl__sys_fail_errno(ctx, errno, "make folder", part);
        }
        if (is_made || i == len) {
            TL_TRY(sync_folder_of(part, ctx));
        }
        part[i] = kept;
    }
    struct stat st;
    if (stat(path, &st) != 0) {
        return tl__sys_fail_errno(ctx, errno, "make folder", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        return tl_fail_field(ctx, TL_ERR_TYPE, path, "\"%s\" is no folder", path);
    }
    return TL_OK;
}

tl_err tl_sys_make_fresh_dir(const char **out, tl_arena *arena, const char *prefix, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, prefix);
    tl_sb_put_cstr(&sb, ".XXXXXX");
    tl_str made;
    TL_TRY(tl_sb_finish(&made, &sb, ctx));
    char *path = TL_NEW(arena, char, made.len + 1);
    if (path == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(path, made.ptr, made.len);
    if (mkdtemp(path) == NULL) {
        return tl__sys_fail_errno(ctx, errno, "make folder", prefix);
    }
    *out = path;
    return TL_OK;
}

bool tl_sys_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

tl_err tl_sys_list_dir(const char *const **out, size_t *count, tl_arena *arena, const char *path,
                       tl_errctx *ctx)
{
    struct dirent **found = NULL;
    const int n = scandir(path, &found, NULL, by_name);
    if (n < 0) {
        return tl__sys_fail_errno(ctx, errno, "list", path);
    }
    tl_err err = TL_OK;
    size_t kept = 0;
    const char **names = TL_NEW(arena, const char *, (size_t)n);
    if (names == NULL) {
        err = tl_arena_fail(arena, ctx);
    }
    for (int i = 0; i < n; i++) {
        const char *name = found[i]->d_name;
        if (err == TL_OK && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            err = tl_str_copy_cstr(&names[kept], arena, tl_str_from_cstr(name), ctx);
            kept++;
        }
        free(found[i]);
    }
    free(found);
    if (err == TL_OK) {
        *out = names;
        *count = kept;
    }
    return err;
}

tl_err tl_sys_join(const char **out, tl_arena *arena, const char *folder, const char *name,
                   tl_errctx *ctx)
{
    const size_t folder_len = strlen(folder);
    const bool has_slash = folder_len > 0 && folder[folder_len - 1] == '/';
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, folder);
    tl_sb_put_cstr(&sb, has_slash ? "" : "/");
    tl_sb_put_cstr(&sb, name);
    tl_str joined;
    TL_TRY(tl_sb_finish(&joined, &sb, ctx));
    *out = joined.ptr;
    return TL_OK;
}
