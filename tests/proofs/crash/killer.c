/* killer.c: the calls that are counted, and the death. */
#undef _FILE_OFFSET_BITS /* both names of a call are wanted: pwrite and pwrite64 */
#include "killer.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT      __attribute__((visibility("default")))
#define SITE_FRAMES 3

typedef enum mode { BEFORE, AFTER, TORN, POWERLOSS } mode;

real_calls real;
static char dir[PATH_MAX];
static size_t dir_len;
static unsigned long at;
static unsigned long reached;
static mode how;
static const char *how_text;
static int log_fd = -1;
static bool is_deaf;
static const void *program; /* where it is loaded */

static void *find(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) {
        abort();
    }
    return symbol;
}

static void find_calls(void)
{
    *(void **)&real.write = find("write");
    *(void **)&real.pwrite = find("pwrite64");
    *(void **)&real.ftruncate = find("ftruncate64");
    *(void **)&real.open = find("open64");
    *(void **)&real.rename = find("rename");
    *(void **)&real.unlink = find("unlink");
    *(void **)&real.mkdir = find("mkdir");
    *(void **)&real.link = find("link");
    *(void **)&real.rmdir = find("rmdir");
    *(void **)&real.fchmod = find("fchmod");
    *(void **)&real.fallocate = find("fallocate64");
    *(void **)&real.mkostemp = find("mkostemp");
    *(void **)&real.mkdtemp = find("mkdtemp");
}

__attribute__((constructor)) static void start(void)
{
    find_calls();
    const char *folder = getenv("KILLER_DIR");
    const char *log = getenv("KILLER_LOG");
    if (folder == NULL) {
        return;
    }
    dir_len = strlen(folder);
    if (dir_len >= sizeof dir) {
        abort();
    }
    const char *n = getenv("KILLER_AT");
    const char *seed = getenv("KILLER_SEED");
    at = n != NULL ? strtoul(n, NULL, 10) : 0;
    how_text = getenv("KILLER_MODE");
    how_text = how_text != NULL ? how_text : "before";
    how = strcmp(how_text, "before") == 0  ? BEFORE
          : strcmp(how_text, "after") == 0 ? AFTER
          : strcmp(how_text, "torn") == 0  ? TORN
                                           : POWERLOSS;
    if (how == POWERLOSS) {
        undo_start(getenv("KILLER_UNDO"), strcmp(how_text, "mixed") == 0,
                   seed != NULL ? strtoull(seed, NULL, 10) : 0);
    }
    is_deaf = getenv("KILLER_DEAF") != NULL;
    if (log != NULL) {
        log_fd = real.open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    void *frame[1];
    (void)backtrace(frame, 1); /* the first call loads a library */
    Dl_info info;
    if (dladdr((const void *)getauxval(AT_ENTRY), &info) != 0) {
        program = info.dli_fbase;
    }
    memcpy(dir, folder, dir_len + 1); /* from here on points count */
}

/* --- points --- */

static bool is_inside(const char *path)
{
    return dir[0] != '\0' && strncmp(path, dir, dir_len) == 0 &&
           (path[dir_len] == '/' || path[dir_len] == '\0');
}

static const char *kind_of(const char *path)
{
    static const struct {
        const char *end;
        const char *kind;
    } kinds[] = {{"-wal", "log"},       {"-shm", "index"},     {"-journal", "journal"},
                 {".db", "database"},   {".bundle", "bundle"}, {"/lock", "lock"},
                 {"/bundles", "folder"}};
    const size_t len = strlen(path);
    if (len == dir_len) {
        return "folder";
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t end = strlen(kinds[i].end);
        if (len >= end && strcmp(path + len - end, kinds[i].end) == 0) {
            return kinds[i].kind;
        }
    }
    return "other";
}

/* The innermost return addresses within the program, relative to where it is loaded; SQLite's are passed over. */
static void put_site(char *out, size_t out_cap, const char *call, const char *kind)
{
    void *frames[64];
    const int depth = backtrace(frames, 64);
    int len = snprintf(out, out_cap, "%s/%s", call, kind);
    int found = 0;
    for (int i = 0; i < depth && found < SITE_FRAMES; i++) {
        Dl_info info;
        if (dladdr(frames[i], &info) != 0 && info.dli_fbase == program) {
            len += snprintf(out + len, out_cap - (size_t)len, "@%zx",
                            (size_t)((const char *)frames[i] - (const char *)program));
            found++;
        }
    }
}

static void tell(const char *what, const char *call, const char *path, size_t len)
{
    char site[256];
    char line[512];
    put_site(site, sizeof site, call, kind_of(path));
    const int n = snprintf(line, sizeof line, "%s %lu %s %s %zu %s\n", what, reached, call,
                           kind_of(path), len, site);
    (void)real.write(log_fd, line, (size_t)n);
}

typedef struct point {
    const char *call;
    char path[PATH_MAX];
    size_t len;
    bool is_counted;
    bool is_last;
} point;

static void die(const point *p)
{
    tell(how_text, p->call, p->path, p->len);
    if (how == POWERLOSS) {
        undo_all();
    }
    (void)kill(getpid(), SIGKILL);
    for (;;) {
        (void)pause();
    }
}

static void reach(point *p)
{
    p->is_counted = is_inside(p->path);
    p->is_last = false;
    if (!p->is_counted) {
        return;
    }
    reached++;
    p->is_last = reached == at;
    if (at == 0 && log_fd >= 0) {
        tell("point", p->call, p->path, p->len);
    }
    if (p->is_last && (how == BEFORE || (how == TORN && p->len < 2))) {
        die(p);
    }
}

static void reach_path(point *p, const char *call, const char *path)
{
    p->call = call;
    p->len = 0;
    if (path[0] == '/' || getcwd(p->path, sizeof p->path / 2) == NULL) {
        p->path[0] = '\0';
    } else {
        (void)strncat(p->path, "/", sizeof p->path - strlen(p->path) - 1);
    }
    (void)strncat(p->path, path, sizeof p->path - strlen(p->path) - 1);
    reach(p);
}

static void reach_fd(point *p, const char *call, int fd, size_t len)
{
    const int kept = errno;
    char name[64];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(name, p->path, sizeof p->path - 1);
    p->path[n > 0 ? n : 0] = '\0';
    p->call = call;
    p->len = len;
    errno = kept;
    reach(p);
}

/* After the call: what it did is noted, or it was the last. */
static void leave(const point *p, bool is_made)
{
    const int kept = errno;
    if (p->is_counted && is_made) {
        undo_note_new(p->path);
    }
    if (p->is_last) {
        die(p);
    }
    errno = kept;
}

/* The index of the log is no data: SQLite makes it anew. */
static void note_bytes(const point *p, int fd, off_t offset, size_t len)
{
    if (p->is_counted && strcmp(kind_of(p->path), "index") != 0) {
        undo_note_bytes(fd, offset, len);
    }
}

/* --- bytes --- */

EXPORT ssize_t write(int fd, const void *bytes, size_t len)
{
    point p;
    reach_fd(&p, "write", fd, len);
    note_bytes(&p, fd, lseek(fd, 0, SEEK_CUR), len);
    const ssize_t n = real.write(fd, bytes, p.is_last && how == TORN ? len / 2 : len);
    leave(&p, false);
    return n;
}

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
    point p;
    reach_fd(&p, "pwrite", fd, len);
    note_bytes(&p, fd, offset, len);
    const ssize_t n = real.pwrite(fd, bytes, p.is_last && how == TORN ? len / 2 : len, offset);
    leave(&p, false);
    return n;
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    return pwrite64(fd, bytes, len, offset);
}

EXPORT int ftruncate64(int fd, off64_t size)
{
    point p;
    struct stat st;
    reach_fd(&p, "ftruncate", fd, 0);
    const bool shrinks = fstat(fd, &st) == 0 && st.st_size > size;
    note_bytes(&p, fd, size, shrinks ? (size_t)(st.st_size - size) : 0);
    const int rc = real.ftruncate(fd, size);
    leave(&p, false);
    return rc;
}

EXPORT int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

EXPORT int fallocate64(int fd, int flags, off64_t offset, off64_t len)
{
    point p;
    reach_fd(&p, "fallocate", fd, 0);
    note_bytes(&p, fd, offset, 0);
    const int rc = real.fallocate(fd, flags, offset, len);
    leave(&p, false);
    return rc;
}

EXPORT int fallocate(int fd, int flags, off_t offset, off_t len)
{
    return fallocate64(fd, flags, offset, len);
}

EXPORT int fchmod(int fd, mode_t bits)
{
    point p;
    reach_fd(&p, "fchmod", fd, 0);
    const int rc = real.fchmod(fd, bits);
    leave(&p, false);
    return rc;
}

static int sync_fd(const char *call, int fd)
{
    point p;
    struct stat st;
    reach_fd(&p, call, fd, 0);
    if (!is_deaf && fstat(fd, &st) == 0) {
        if (S_ISDIR(st.st_mode)) { /* the folder that holds the state folder, too */
            undo_forget_folder(p.path);
        } else if (p.is_counted) {
            undo_forget_file(fd);
        }
    }
    leave(&p, false);
    return 0;
}

EXPORT int fsync(int fd)
{
    return sync_fd("fsync", fd);
}

EXPORT int fdatasync(int fd)
{
    return sync_fd("fdatasync", fd);
}

/* --- names --- */

EXPORT int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t bits = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if ((flags & O_CREAT) == 0 || access(path, F_OK) == 0) {
        return real.open(path, flags, bits);
    }
    point p;
    reach_path(&p, "open", path);
    const int fd = real.open(path, flags, bits);
    leave(&p, fd >= 0);
    return fd;
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t bits = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open64(path, flags, bits);
}

EXPORT int mkostemp(char *path, int flags)
{
    point p;
    reach_path(&p, "mkostemp", path);
    const int fd = real.mkostemp(path, flags);
    if (fd >= 0 && p.is_counted) {
        const size_t len = strlen(p.path);
        memcpy(p.path + len - 6, path + strlen(path) - 6, 6); /* the six characters that it chose */
    }
    leave(&p, fd >= 0);
    return fd;
}

EXPORT int mkostemp64(char *path, int flags)
{
    return mkostemp(path, flags);
}

EXPORT char *mkdtemp(char *path)
{
    point p;
    reach_path(&p, "mkdtemp", path);
    char *made = real.mkdtemp(path);
    leave(&p, false);
    return made;
}

EXPORT int mkdir(const char *path, mode_t bits)
{
    if (access(path, F_OK) == 0) {
        return real.mkdir(path, bits); /* changes nothing */
    }
    point p;
    reach_path(&p, "mkdir", path);
    const int rc = real.mkdir(path, bits);
    leave(&p, rc == 0);
    return rc;
}

EXPORT int rename(const char *from, const char *to)
{
    point p;
    reach_path(&p, "rename", to);
    if (p.is_counted) {
        undo_note_rename(from, p.path);
    }
    const int rc = real.rename(from, to);
    leave(&p, false);
    return rc;
}

EXPORT int unlink(const char *path)
{
    if (access(path, F_OK) != 0) {
        return real.unlink(path); /* changes nothing */
    }
    point p;
    reach_path(&p, "unlink", path);
    if (p.is_counted) {
        undo_note_unlink(p.path);
    }
    const int rc = real.unlink(path);
    leave(&p, false);
    return rc;
}

EXPORT int rmdir(const char *path)
{
    point p;
    reach_path(&p, "rmdir", path);
    const int rc = real.rmdir(path);
    leave(&p, false);
    return rc;
}
