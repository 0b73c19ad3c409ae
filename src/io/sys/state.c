/* The state folder: where it is, and who has it. */
#include "io/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/sys/sys_internal.h"

tl_err tl_sys_state_dir(const char **out, tl_arena *arena, const char *wanted, tl_errctx *ctx)
{
    if (wanted != NULL) {
        return tl_str_copy_cstr(out, arena, tl_str_from_cstr(wanted), ctx);
    }
    const char *xdg = getenv("XDG_STATE_HOME");
    if (xdg != NULL && xdg[0] == '/') {
        return tl_sys_join(out, arena, xdg, "tally", ctx);
    }
    const char *home = getenv("HOME");
    if (home != NULL && home[0] == '/') {
        return tl_sys_join(out, arena, home, ".local/state/tally", ctx);
    }
    const tl_err err = tl_fail_field(ctx, TL_ERR_MISSING, "dir",
                                     "there is no state folder: neither "
                                     "XDG_STATE_HOME nor HOME is set");
    tl_errctx_hint(ctx, "name one with --dir DIR");
    return err;
}

/* Who has it, as the lock file says: a courtesy, the lock itself is the kernel's. */
static tl_err fail_locked(int fd, const char *path, tl_errctx *ctx)
{
    char text[32] = "";
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    const tl_err err = tl_fail_field(ctx, TL_ERR_LOCKED, path, "\"%s\" is held by process %s", path,
                                     text[0] != '\0' ? text : "unknown");
    tl_errctx_hint(ctx, "wait for it to end, or use another --dir");
    return err;
}

static tl_err write_pid(int fd, const char *path, tl_errctx *ctx)
{
    char text[32];
    const int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0) {
        return tl__sys_fail_errno(ctx, errno, "write", path);
    }
    return tl_sys_write_all(fd, (tl_bytes){(const uint8_t *)text, (size_t)len}, path, ctx);
}

tl_err tl_sys_lock_open(tl_sys_lock *out, const char *dir, tl_errctx *ctx)
{
    char path[PATH_MAX];
    const int len = snprintf(path, sizeof path, "%s/lock", dir);
    if (len < 0 || (size_t)len >= sizeof path) {
        return tl__sys_fail_errno(ctx, ENAMETOOLONG, "lock", dir);
    }
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, (mode_t)TL_SYS_FILE_MODE);
    if (fd < 0) {
        return tl__sys_fail_errno(ctx, errno, "lock", path);
    }
    tl_err err = TL_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) { /* SYS-3 */
        err = errno == EWOULDBLOCK ? fail_locked(fd, path, ctx)
                                   : tl__sys_fail_errno(ctx, errno, "lock", path);
    }
    if (err == TL_OK) {
        err = write_pid(fd, path, ctx);
    }
    if (err != TL_OK) {
        (void)close(fd);
        return err;
    }
    out->fd = fd;
    return TL_OK;
}

void tl_sys_lock_close(tl_sys_lock *lock)
{
    if (lock->fd >= 0) {
        (void)close(
            lock->fd); /* the lock goes with it; the file stays, or a waiter would lock a ghost */
        lock->fd = -1;
    }
}
