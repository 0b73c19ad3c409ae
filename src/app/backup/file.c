/* Files of a backup: hashed while they are written or read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/backup/backup_internal.h"

static tl_err fail_errno(const char *verb, const char *path, int errnum, tl_errctx *ctx)
{
    char text[128];
    const char *why = strerror_r(errnum, text, sizeof text);
    const tl_err code = errnum == ENOENT || errnum == ENOTDIR ? TL_ERR_NOT_FOUND
                        : errnum == EACCES || errnum == EPERM ? TL_ERR_REFUSED
                        : errnum == EEXIST                    ? TL_ERR_STATE
                                                              : TL_ERR_IO;
    return tl_fail_field(ctx, code, path, "cannot %s \"%s\": %s", verb, path, why);
}

static tl_err open_file(tl__backup_file *f, const char *path, int flags, const char *mode,
                        tl_errctx *ctx)
{
    *f = (tl__backup_file){.path = path};
    tl_sha256_init(&f->hash);
    const int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail_errno("open", path, errno, ctx);
    }
    f->stream = fdopen(fd, mode);
    if (f->stream == NULL) {
        (void)close(fd);
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a file");
    }
    return TL_OK;
}

tl_err tl__backup_write_open(tl__backup_file *f, const char *path, tl_errctx *ctx)
{
    return open_file(f, path, O_WRONLY | O_CREAT | O_EXCL, "w", ctx);
}

tl_err tl__backup_read_open(tl__backup_file *f, const char *path, tl_errctx *ctx)
{
    struct stat st;
    TL_TRY(open_file(f, path, O_RDONLY | O_NONBLOCK, "r", ctx));
    if (fstat(fileno(f->stream), &st) != 0 || !S_ISREG(st.st_mode)) {
        tl__backup_abandon(f);
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, path, "\"%s\" is no file", path);
    }
    return TL_OK;
}

tl_err tl__backup_write(tl__backup_file *f, tl_bytes bytes, tl_errctx *ctx)
{
    if (bytes.len > 0 && fwrite(bytes.ptr, 1, bytes.len, f->stream) != bytes.len) {
        return fail_errno("write", f->path, errno, ctx);
    }
    tl_sha256_update(&f->hash, bytes.ptr, bytes.len);
    f->bytes += bytes.len;
    return TL_OK;
}

tl_err tl__backup_read_line(tl__backup_file *f, tl_str *out, bool *is_there, tl_errctx *ctx)
{
    errno = 0;
    const ssize_t got = getline(&f->line, &f->cap, f->stream);
    *is_there = got > 0;
    if (got <= 0) {
        return ferror(f->stream) != 0 ? fail_errno("read", f->path, errno, ctx) : TL_OK;
    }
    const size_t len = (size_t)got;
    if (len > TL__BACKUP_LINE_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, f->path, "a line of \"%s\" is above %zu bytes",
                             f->path, TL__BACKUP_LINE_MAX);
    }
    tl_sha256_update(&f->hash, f->line, len);
    f->bytes += len;
    if (f->line[len - 1] != '\n') {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, f->path, "\"%s\" ends within a line", f->path);
    }
    *out = (tl_str){f->line, len - 1};
    return TL_OK;
}

tl_err tl__backup_close(tl__backup_file *f, tl_hash32 *out, tl_errctx *ctx)
{
    const int closed = fclose(f->stream);
    const int errnum = errno;
    f->stream = NULL;
    tl__backup_abandon(f);
    if (closed != 0) {
        return fail_errno("write", f->path, errnum, ctx);
    }
    tl_sha256_final(&f->hash, out);
    return TL_OK;
}

void tl__backup_abandon(tl__backup_file *f)
{
    if (f->stream != NULL) {
        (void)fclose(f->stream);
        f->stream = NULL;
    }
    free(f->line);
    f->line = NULL;
    f->cap = 0;
}

tl_err tl__backup_hash_file(tl_hash32 *out, uint64_t *bytes, const char *path, tl_errctx *ctx)
{
    tl__backup_file f;
    uint8_t step[1 << 16];
    TL_TRY(tl__backup_read_open(&f, path, ctx));
    size_t got;
    while ((got = fread(step, 1, sizeof step, f.stream)) > 0) {
        tl_sha256_update(&f.hash, step, got);
        f.bytes += got;
    }
    if (ferror(f.stream) != 0) {
        const tl_err err = fail_errno("read", path, errno, ctx);
        tl__backup_abandon(&f);
        return err;
    }
    *bytes = f.bytes;
    return tl__backup_close(&f, out, ctx);
}
