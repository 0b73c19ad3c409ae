/* The file behind the table: its head, how the last life ended, and what follows from that. */
#include "sdk/replay/replay_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys/sys.h"

/* Words of the head, in the first page of the file. The first six never change; CHECK is over them. */
enum {
    MAGIC,
    VERSION,
    PAGES,
    SECRET_LOW,
    SECRET_HIGH,
    CHECK,
    STATE,
    BOOT_LOW,
    BOOT_HIGH,
    FLOOR,
    BACK,
    HEAD_WORDS
};

#define HEAD_MAGIC   UINT64_C(0x004b52414d4c5954) /* also tells the byte order */
#define HEAD_VERSION 1
#define STATE_OPEN   1
#define STATE_CLEAN  2

/* A mark is kept for the longest window, or an hour; what claims to be kept for days is damage. */
#define KEEP_MAX_NS (INT64_C(2) * 86400 * 1000000000)

static uint64_t check_of(const uint64_t *head)
{
    uint64_t x = 0;
    for (size_t i = 0; i < CHECK; i++) {
        x = (x ^ head[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        x ^= x >> 29;
    }
    return x;
}

/* This boot of the machine; zeros where it cannot be told, which then count as another one. */
static void read_boot(uint64_t out[2])
{
    char text[64] = {0};
    out[0] = 0;
    out[1] = 0;
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    const ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    size_t digits = 0;
    for (ssize_t i = 0; i < got && digits < 32; i++) {
        const char c = text[i];
        const bool is_digit = c >= '0' && c <= '9';
        if (is_digit || (c >= 'a' && c <= 'f')) {
            out[digits / 16] =
                out[digits / 16] << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
            digits++;
        }
    }
}

static tl_err fail_file(tl_errctx *ctx, const char *path, const char *what)
{
    const int why = errno;
    const tl_err code = why == EACCES || why == EROFS || why == EPERM ? TL_ERR_REFUSED
                        : why == ENOENT                               ? TL_ERR_NOT_FOUND
                                                                      : TL_ERR_IO;
    return tl_fail_field(ctx, code, path, "cannot %s the replay store: %s", what, strerror(why));
}

/* Room on the disk for every page, now: a full disk must be an error here, not a fault on a mapped page. */
static tl_err reserve(int fd, off_t len, const char *path, tl_errctx *ctx)
{
    const int why = posix_fallocate(fd, 0, len);
    if (why != 0) {
        errno = why;
        return fail_file(ctx, path, "make room for");
    }
    return TL_OK;
}

/* Empty pages behind an empty head. */
static tl_err clear(int fd, off_t len, const char *path, tl_errctx *ctx)
{
    if (ftruncate(fd, 0) != 0) {
        return fail_file(ctx, path, "empty");
    }
    return reserve(fd, len, path, ctx);
}

static tl_err write_head(int fd, const uint64_t head[HEAD_WORDS], const char *path, tl_errctx *ctx)
{
    const ssize_t len = HEAD_WORDS * (ssize_t)sizeof *head;
    if (pwrite(fd, head, (size_t)len, 0) != len || fsync(fd) != 0) {
        return fail_file(ctx, path, "write");
    }
    return TL_OK;
}

/* What the file says of itself: *is_new when it says nothing yet (it was made, and its maker died). */
static tl_err read_head(uint64_t head[HEAD_WORDS], bool *is_new, int fd, off_t len,
                        const char *path, tl_errctx *ctx)
{
    const uint64_t none[HEAD_WORDS] = {0};
    memset(head, 0, sizeof none);
    *is_new = true;
    if (len < TL__REPLAY_PAGE_LEN) {
        return TL_OK; /* shorter than a head: its maker died, or somebody cut it */
    }
    if (pread(fd, head, sizeof none, 0) != (ssize_t)sizeof none) {
        return fail_file(ctx, path, "read");
    }
    if (memcmp(head, none, sizeof none) == 0) {
        return TL_OK;
    }
    *is_new = false;
    if (head[MAGIC] == HEAD_MAGIC && head[VERSION] != HEAD_VERSION) {
        return tl_fail_field(ctx, TL_ERR_VERSION, path, "a replay store of version %llu, not %d",
                             (unsigned long long)head[VERSION], HEAD_VERSION);
    }
    if (head[MAGIC] != HEAD_MAGIC || head[CHECK] != check_of(head) || head[PAGES] == 0 ||
        (head[PAGES] & (head[PAGES] - 1)) != 0 || head[PAGES] > TL_REPLAY_MARKS_MAX ||
        (uint64_t)len != (head[PAGES] + 1) * TL__REPLAY_PAGE_LEN) {
        const tl_err err = tl_fail_field(ctx, TL_ERR_CORRUPT, path, "the replay store is damaged");
        tl_errctx_hint(ctx, "remove the file, and let the longest window pass (2 minutes) before "
                            "requests are taken again");
        return err;
    }
    return TL_OK;
}

static tl_err fill_head(uint64_t head[HEAD_WORDS], uint64_t pages, tl_errctx *ctx)
{
    const tl_entropy entropy = tl_sys_entropy();
    memset(head, 0, HEAD_WORDS * sizeof *head);
    head[MAGIC] = HEAD_MAGIC;
    head[VERSION] = HEAD_VERSION;
    head[PAGES] = pages;
    TL_TRY(tl_entropy_fill(&entropy, &head[SECRET_LOW], 2 * sizeof *head, ctx));
    head[CHECK] = check_of(head);
    return TL_OK;
}

/* How the last life ended decides what is kept and from when on requests are taken. */
static tl_err settle_head(tl_replay *store, uint64_t head[HEAD_WORDS], bool is_new, int fd,
                          const tl_replay_options *options, int64_t now_ns, const char *path,
                          tl_errctx *ctx)
{
    const uint64_t pages = tl__replay_pages_for(options->marks_max);
    const int64_t floor_ns = now_ns + options->ahead_ns;
    uint64_t boot[2];
    read_boot(boot);
    tl_replay_start *start = &store->start;
    start->is_new = is_new;
    start->is_killed = !is_new && head[STATE] != STATE_CLEAN;
    start->is_power_lost =
        start->is_killed &&
        ((boot[0] | boot[1]) == 0 || head[BOOT_LOW] != boot[0] || head[BOOT_HIGH] != boot[1]);
    const bool is_resized = !is_new && head[PAGES] != pages;
    if (is_new || start->is_power_lost || is_resized) {
        TL_TRY(clear(fd, (off_t)((pages + 1) * TL__REPLAY_PAGE_LEN), path, ctx));
        TL_TRY(fill_head(head, pages, ctx));
        /* REPLAY-4; an empty file that was there may have lost what it held */
        head[FLOOR] = store->file.is_made ? 0 : (uint64_t)floor_ns;
    } else if ((int64_t)head[BACK] < options->back_ns) {
        head[FLOOR] = (uint64_t)floor_ns; /* a longer window than marks were kept for */
    }
    start->floor_ns = (int64_t)head[FLOOR];
    head[BACK] = (uint64_t)options->back_ns;
    head[BOOT_LOW] = boot[0];
    head[BOOT_HIGH] = boot[1];
    head[STATE] = STATE_OPEN;
    return write_head(fd, head, path, ctx);
}

/* Slots that do not check make their page refuse what was signed up to now. */
static void check_pages(tl_replay *store, const tl_replay_options *options, int64_t now_ns)
{
    const size_t words = TL__REPLAY_PAGE_LEN / sizeof(uint64_t);
    for (uint64_t page = 0; page < store->table.page_count; page++) {
        uint64_t copy[TL__REPLAY_PAGE_LEN / sizeof(uint64_t)];
        const off_t at = (off_t)((page + 1) * TL__REPLAY_PAGE_LEN);
        uint64_t live = 0;
        /* read, not looked at through the map: pages that nobody used yet stay out of our memory */
        const bool is_read = pread(store->file.fd, copy, sizeof copy, at) == (ssize_t)sizeof copy;
        if (is_read && !tl__replay_page_check(copy, page, now_ns + KEEP_MAX_NS, &live)) {
            store->start.marks += live;
            continue;
        }
        uint64_t *mapped = store->table.words + page * words;
        live = 0;
        (void)tl__replay_page_check(mapped, page, now_ns + KEEP_MAX_NS, &live);
        mapped[TL__REPLAY_FLOOR] = (uint64_t)(now_ns + options->ahead_ns);
        store->start.marks += live;
        store->start.pages_damaged++;
    }
}

static tl_err open_map(tl_replay *store, const tl_replay_options *options, int64_t now_ns,
                       const char *path, tl_errctx *ctx)
{
    const int fd = store->file.fd;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? tl_fail_field(ctx, TL_ERR_LOCKED, path,
                                                    "another process has the replay store open")
                                    : fail_file(ctx, path, "lock");
    }
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return fail_file(ctx, path, "look at");
    }
    uint64_t head[HEAD_WORDS];
    bool is_new;
    TL_TRY(read_head(head, &is_new, fd, st.st_size, path, ctx));
    TL_TRY(settle_head(store, head, is_new, fd, options, now_ns, path, ctx));
    store->file.map_len = (size_t)(head[PAGES] + 1) * TL__REPLAY_PAGE_LEN;
    void *map = mmap(NULL, store->file.map_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return fail_file(ctx, path, "map");
    }
    store->file.map = map;
    store->table.words = (uint64_t *)map + TL__REPLAY_PAGE_LEN / sizeof(uint64_t);
    store->table.page_count = head[PAGES];
    store->table.floor_ns = (int64_t)head[FLOOR];
    memcpy(store->table.secret, &head[SECRET_LOW], sizeof store->table.secret);
    if (!store->start.is_new && !store->start.is_power_lost) {
        check_pages(store, options, now_ns);
    }
    return TL_OK;
}

/* The file, made when there is none. */
static int open_file(bool *is_made, const char *path)
{
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC;
    int fd = open(path, flags | O_EXCL, (mode_t)TL_SYS_FILE_MODE);
    *is_made = fd >= 0;
    if (fd < 0 && errno == EEXIST) {
        fd = open(path, flags, (mode_t)TL_SYS_FILE_MODE);
    }
    return fd;
}

tl_err tl_replay_open(tl_replay **out, const char *dir, const tl_replay_options *options,
                      int64_t now_ns, tl_errctx *ctx)
{
    tl_replay_options o;
    TL_TRY(tl__replay_check_options(&o, options, ctx));
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_replay *store = NULL;
    const char *path;
    tl_err err = tl_sys_join(&path, arena, dir, TL_REPLAY_FILE_NAME, ctx);
    if (err == TL_OK) {
        err = tl__replay_new(&store, ctx);
    }
    if (err == TL_OK) {
        store->file.fd = open_file(&store->file.is_made, path);
        err = store->file.fd < 0 ? fail_file(ctx, path, "open")
                                 : open_map(store, &o, now_ns, path, ctx);
        if (err == TL_OK) {
            err = tl_sys_sync_dir(dir, ctx);
        }
    }
    tl_arena_free(arena);
    if (err != TL_OK) {
        tl__replay_free(store);
        return err;
    }
    *out = store;
    return TL_OK;
}

tl_err tl__replay_file_close(tl_replay *store, tl_errctx *ctx)
{
    if (store->file.fd < 0) {
        return TL_OK;
    }
    if (msync(store->file.map, store->file.map_len, MS_SYNC) != 0 || fsync(store->file.fd) != 0) {
        return fail_file(ctx, TL_REPLAY_FILE_NAME, "sync");
    }
    uint64_t *head = (uint64_t *)(void *)store->file.map;
    __atomic_store_n(&head[STATE], STATE_CLEAN, __ATOMIC_RELEASE);
    if (msync(store->file.map, TL__REPLAY_PAGE_LEN, MS_SYNC) != 0 || fsync(store->file.fd) != 0) {
        return fail_file(ctx, TL_REPLAY_FILE_NAME, "sync");
    }
    return TL_OK;
}
