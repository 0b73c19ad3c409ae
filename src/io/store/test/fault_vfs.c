/* See fault_vfs.h. Each file is the real one with our table of methods before it. */
#include "io/store/test/fault_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

/* The real file lies behind this head. */
typedef struct file {
    sqlite3_file base;
    const sqlite3_io_methods *real;
} file;

static sqlite3_vfs fault_vfs;
static sqlite3_vfs *real_vfs;
static sqlite3_io_methods fault_methods;
static tl_fault fault;

/* The real file, in its own storage behind ours. */
static sqlite3_file *real_of(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)((char *)f + sizeof(file));
}

/* Is it this operation's turn? */
static bool is_due(void)
{
    fault.count++;
    return fault.count == fault.at;
}

static int fault_write(sqlite3_file *f, const void *bytes, int len, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(f);
    if (is_due()) {
        if (fault.is_deadly) {
            if (fault.is_torn) {
                (void)real->pMethods->xWrite(real, bytes, len / 2, offset);
            }
            _exit(TL_FAULT_EXIT);
        }
        return SQLITE_FULL;
    }
    return real->pMethods->xWrite(real, bytes, len, offset);
}

static int fault_sync(sqlite3_file *f, int flags)
{
    sqlite3_file *real = real_of(f);
    if (is_due()) {
        if (fault.is_deadly) {
            _exit(TL_FAULT_EXIT);
        }
        return SQLITE_IOERR_FSYNC;
    }
    return real->pMethods->xSync(real, flags);
}

static int fault_truncate(sqlite3_file *f, sqlite3_int64 len)
{
    sqlite3_file *real = real_of(f);
    if (is_due()) {
        if (fault.is_deadly) {
            _exit(TL_FAULT_EXIT);
        }
        return SQLITE_IOERR_TRUNCATE;
    }
    return real->pMethods->xTruncate(real, len);
}

static int pass_close(sqlite3_file *f)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods != NULL ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int pass_read(sqlite3_file *f, void *out, int len, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xRead(real, out, len, offset);
}

static int pass_size(sqlite3_file *f, sqlite3_int64 *out)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xFileSize(real, out);
}

static int pass_lock(sqlite3_file *f, int level)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xLock(real, level);
}

static int pass_unlock(sqlite3_file *f, int level)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xUnlock(real, level);
}

static int pass_check_lock(sqlite3_file *f, int *out)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xCheckReservedLock(real, out);
}

static int pass_control(sqlite3_file *f, int op, void *argument)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xFileControl(real, op, argument);
}

static int pass_sector(sqlite3_file *f)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xSectorSize(real);
}

static int pass_traits(sqlite3_file *f)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xDeviceCharacteristics(real);
}

static int pass_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xShmMap(real, page, size, extend, out);
}

static int pass_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xShmLock(real, offset, n, flags);
}

static void pass_shm_barrier(sqlite3_file *f)
{
    sqlite3_file *real = real_of(f);
    real->pMethods->xShmBarrier(real);
}

static int pass_shm_unmap(sqlite3_file *f, int is_deleted)
{
    sqlite3_file *real = real_of(f);
    return real->pMethods->xShmUnmap(real, is_deleted);
}

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    (void)vfs;
    sqlite3_file *real = real_of(f);
    memset(real, 0, sizeof *real);
    const int rc = real_vfs->xOpen(real_vfs, name, real, flags, out);
    f->pMethods = rc == SQLITE_OK ? &fault_methods : NULL;
    return rc;
}

tl_fault *tl_fault_install(void)
{
    if (real_vfs == NULL) {
        real_vfs = sqlite3_vfs_find(NULL);
        assert_non_null(real_vfs);
        fault_vfs = *real_vfs;
        fault_vfs.pNext = NULL;
        fault_vfs.zName = "fault";
        fault_vfs.szOsFile = (int)sizeof(file) + real_vfs->szOsFile;
        fault_vfs.xOpen = fault_open;
        fault_methods = (sqlite3_io_methods){.iVersion = 2,
                                             .xClose = pass_close,
                                             .xRead = pass_read,
                                             .xWrite = fault_write,
                                             .xTruncate = fault_truncate,
                                             .xSync = fault_sync,
                                             .xFileSize = pass_size,
                                             .xLock = pass_lock,
                                             .xUnlock = pass_unlock,
                                             .xCheckReservedLock = pass_check_lock,
                                             .xFileControl = pass_control,
                                             .xSectorSize = pass_sector,
                                             .xDeviceCharacteristics = pass_traits,
                                             .xShmMap = pass_shm_map,
                                             .xShmLock = pass_shm_lock,
                                             .xShmBarrier = pass_shm_barrier,
                                             .xShmUnmap = pass_shm_unmap};
        assert_int_equal(sqlite3_vfs_register(&fault_vfs, 1), SQLITE_OK);
    }
    fault = (tl_fault){0};
    return &fault;
}
