/* killer: a library to be preloaded that counts what a process does to its state folder, and ends the process there.
 * For         crash.py: the proof that nothing acknowledged is lost when a program dies
 * Takes       KILLER_DIR    the state folder; only calls on it or below it are points
 *             KILLER_AT     the number of the point to die at, from 1; 0: count only
 *             KILLER_MODE   before, after, torn (half of the bytes are written), powerloss (everything that was not
 *                           synced is undone), mixed (some of it is, chosen by KILLER_SEED)
 *             KILLER_LOG    where points are told: "point N CALL KIND LEN SITE" when counting, the mode and the same
 *                           when dying; absent: nowhere
 *             KILLER_DEAF   syncs make nothing durable: the proof must then find losses, or it proves nothing
 *             KILLER_UNDO   a folder on the same file system, outside of KILLER_DIR, for what may have to come back
 * Gives       death by SIGKILL, which no handler sees
 *
 * A point is one call of libc that changes files, SQLite's included. Its site is the call, the kind of file (database,
 * log, bundle …) and the three innermost return addresses within the program itself: where in our own code it happens.
 * Writes through mapped memory cannot be seen; SQLite maps only its index of the log, which it makes anew after a crash.
 *
 * SIGKILL leaves the page cache: a torn write is as far as it goes towards a loss of power. The modes powerloss and
 * mixed go the whole way: they remember each write, truncation, creation, renaming and removal until the file, or for
 * names the folder, is synced, and undo them before dying. Syncs themselves are counted, never carried out: nothing
 * here depends on the disk.
 */
#ifndef TALLY_TESTS_CRASH_KILLER_H
#define TALLY_TESTS_CRASH_KILLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The C library's own, which are not counted. */
typedef struct real_calls {
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*ftruncate)(int, off_t);
    int (*open)(const char *, int, ...);
    int (*rename)(const char *, const char *);
    int (*unlink)(const char *);
    int (*mkdir)(const char *, mode_t);
    int (*link)(const char *, const char *);
    int (*rmdir)(const char *);
    int (*fchmod)(int, mode_t);
    int (*fallocate)(int, int, off_t, off_t);
    int (*mkostemp)(char *, int);
    char *(*mkdtemp)(char *);
} real_calls;
extern real_calls real;

/* undo.c: what would be lost. Everything is a no-op until undo_start. */
void undo_start(const char *folder, bool is_mixed, uint64_t seed);
void undo_note_bytes(int fd, off_t offset,
                     size_t len);     /* before bytes change, or the length does */
void undo_note_new(const char *path); /* after a name was made */
void undo_note_rename(const char *from, const char *to); /* before */
void undo_note_unlink(const char *path);                 /* before */
void undo_forget_file(int fd);                           /* synced */
void undo_forget_folder(const char *path);               /* synced */
void undo_all(void);

#endif
