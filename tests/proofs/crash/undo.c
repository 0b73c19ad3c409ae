/* undo.c: remembers what was not synced yet, and takes it back: a loss of power, told to the files. */
#include "killer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum kind { BYTES, NEW, RENAME, UNLINK } kind;

typedef struct note {
    kind kind;
    bool is_synced;
    bool is_kept; /* mixed: it reached the disk by itself */
    int fd;       /* BYTES: our own, never closed: closing would drop SQLite's locks */
    dev_t dev;
    ino_t ino;
    off_t offset;
    size_t len;     /* that the call touches */
    size_t old_len; /* of them there before */
    off_t old_size; /* of the file */
    void *old_bytes;
    char *path; /* of names: the one that there is now, or for UNLINK was */
    char *from; /* RENAME */
    char *backup;
} note;

static note *notes;
static size_t count;
static size_t cap;
static const char *backups;
static bool is_mixed;
static uint64_t dice;

void undo_start(const char *folder, bool mixed, uint64_t seed)
{
    backups = folder;
    is_mixed = mixed;
    dice = seed;
}

static note *add(kind k)
{
    if (count == cap) {
        cap = cap == 0 ? 1024 : cap * 2;
        notes = realloc(notes, cap * sizeof *notes);
        if (notes == NULL) {
            abort();
        }
    }
    notes[count] = (note){.kind = k, .fd = -1};
    return &notes[count++];
}

/* A second name for a file, so that it outlives its first. NULL when there is no such file. */
static char *keep_file(const char *path)
{
    static int serial;
    char *name = NULL;
    if (asprintf(&name, "%s/%d", backups, serial++) < 0 || real.link(path, name) != 0) {
        free(name);
        return NULL;
    }
    return name;
}

/* Our own descriptor of a file, writable. */
static int own_fd(int fd, const struct stat *st)
{
    for (size_t i = count; i > 0; i--) {
        if (notes[i - 1].kind == BYTES && notes[i - 1].ino == st->st_ino &&
            notes[i - 1].dev == st->st_dev) {
            return notes[i - 1].fd;
        }
    }
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return real.open(path, O_RDWR | O_CLOEXEC);
}

void undo_note_bytes(int fd, off_t offset, size_t len)
{
    struct stat st;
    if (backups == NULL || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    const int own = own_fd(fd, &st);
    note *n = add(BYTES);
    n->fd = own;
    n->dev = st.st_dev;
    n->ino = st.st_ino;
    n->offset = offset;
    n->len = len;
    n->old_size = st.st_size;
    n->old_len = offset >= st.st_size               ? 0
                 : (off_t)len > st.st_size - offset ? (size_t)(st.st_size - offset)
                                                    : len;
    n->old_bytes = malloc(n->old_len + 1);
    if (n->old_bytes == NULL ||
        pread(own, n->old_bytes, n->old_len, offset) < (ssize_t)n->old_len) {
        abort();
    }
}

void undo_note_new(const char *path)
{
    if (backups != NULL) {
        add(NEW)->path = strdup(path);
    }
}

void undo_note_rename(const char *from, const char *to)
{
    if (backups != NULL) {
        note *n = add(RENAME);
        n->from = strdup(from);
        n->path = strdup(to);
        n->backup = keep_file(to);
    }
}

void undo_note_unlink(const char *path)
{
    if (backups != NULL) {
        note *n = add(UNLINK);
        n->path = strdup(path);
        n->backup = keep_file(path);
    }
}

void undo_forget_file(int fd)
{
    struct stat st;
    if (backups == NULL || fstat(fd, &st) != 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        note *n = &notes[i];
        if (n->kind == BYTES && n->ino == st.st_ino && n->dev == st.st_dev && !n->is_synced) {
            n->is_synced = true;
            free(n->old_bytes);
            n->old_bytes = NULL;
        }
    }
}

void undo_forget_folder(const char *path)
{
    const size_t len = strlen(path);
    for (size_t i = 0; i < count; i++) {
        note *n = &notes[i];
        const char *slash = n->kind == BYTES ? NULL : strrchr(n->path, '/');
        if (slash != NULL && (size_t)(slash - n->path) == len && strncmp(n->path, path, len) == 0) {
            n->is_synced = true;
        }
    }
}

static bool coin(void)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (dice >> 62) != 0; /* three of four are kept: disks write most of what they get */
}

/* Does a later write that stays lie on these bytes? Then they are gone either way. */
static bool is_overwritten(size_t i)
{
    for (size_t j = i + 1; j < count; j++) {
        const note *later = &notes[j];
        if (later->kind == BYTES && later->is_kept && later->ino == notes[i].ino &&
            later->dev == notes[i].dev && later->offset < notes[i].offset + (off_t)notes[i].len &&
            notes[i].offset < later->offset + (off_t)later->len) {
            return true;
        }
    }
    return false;
}

static off_t kept_end(size_t i)
{
    off_t end = 0;
    for (size_t j = i + 1; j < count; j++) {
        const note *n = &notes[j];
        if (n->kind == BYTES && n->is_kept && n->ino == notes[i].ino && n->dev == notes[i].dev &&
            n->offset + (off_t)n->len > end) {
            end = n->offset + (off_t)n->len;
        }
    }
    return end;
}

static void undo_bytes(size_t i)
{
    note *n = &notes[i];
    n->is_kept = is_mixed && (coin() || is_overwritten(i));
    if (n->is_kept) {
        return;
    }
    const off_t end = kept_end(i);
    if (real.pwrite(n->fd, n->old_bytes, n->old_len, n->offset) != (ssize_t)n->old_len ||
        real.ftruncate(n->fd, end > n->old_size ? end : n->old_size) != 0) {
        abort();
    }
}

static void undo_name(note *n)
{
    static int serial;
    char gone[4096];
    switch (n->kind) {
    case BYTES:
        break;
    case NEW: /* a folder goes with all that is in it */
        (void)snprintf(gone, sizeof gone, "%s/gone%d", backups, serial++);
        (void)real.rename(n->path, gone);
        break;
    case RENAME:
        (void)real.rename(n->path, n->from);
        if (n->backup != NULL) {
            (void)real.rename(n->backup, n->path);
        }
        break;
    case UNLINK:
        if (n->backup != NULL) {
            (void)real.rename(n->backup, n->path);
        }
        break;
    }
}

void undo_all(void)
{
    for (size_t i = count; i > 0; i--) {
        if (notes[i - 1].kind == BYTES && !notes[i - 1].is_synced) {
            undo_bytes(i - 1);
        }
    }
    /* Names are kept in the order in which they were made, as the journal of a file system keeps them. */
    bool is_keeping = false;
    for (size_t i = count; i > 0; i--) {
        if (notes[i - 1].kind != BYTES && !notes[i - 1].is_synced) {
            is_keeping = is_keeping || (is_mixed && coin());
            if (!is_keeping) {
                undo_name(&notes[i - 1]);
            }
        }
    }
}
