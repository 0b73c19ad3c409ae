/* sys: the operating system, told in our words: files, clock, entropy, threads, signals, terminal.
 * For         every program; core never comes here: it is handed what it needs
 * Takes       paths, bytes, questions, functions to run on many threads
 * Gives       whole files or an error; a write that is there wholly or not at all
 * Calls       POSIX, zlib                      Called by   io, app
 * Owns        open files until close; the pool's threads until tl_pool_free
 * Threads     files, clock and entropy from anywhere; a pool is driven by one thread; the interrupt flag is the process's
 * Invariants  SYS-1 after tl_sys_write_file a file has its old bytes or all of the new ones, and these are durable
 *             SYS-2 tl_pool_run calls each shard once, and its error does not depend on the number of threads
 *             SYS-3 a state folder is open in one process at a time
 * Read        file.c, then pool.c, then signal.c
 *
 * Errors of files: NOT_FOUND (nothing there), REFUSED (permission, read-only), TYPE (a folder, a name too long),
 * LIMIT (larger than asked for), CORRUPT (damaged gzip), INTERRUPTED, IO (everything else). The path is the error's
 * field.
 */
#ifndef TALLY_IO_SYS_H
#define TALLY_IO_SYS_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"

#ifdef __cplusplus
extern "C" {
#endif

/* No file of ours is read beyond this without asking: 256 MiB. */
#define TL_SYS_FILE_LEN_MAX ((size_t)256 << 20)

/* Folders and files with state: for the owner alone. Files that are meant to be read by others: 0644. */
#define TL_SYS_DIR_MODE  0700u
#define TL_SYS_FILE_MODE 0600u

/* --- files (file.c, gzip.c) --- */

/* tl_sys_read_file: the whole file as it stands; a NUL is behind it that len does not count.
 * len_max  more bytes than this are TL_ERR_LIMIT */
TL_MUST_USE tl_err tl_sys_read_file(tl_str *out, tl_arena *arena, const char *path, size_t len_max,
                                    tl_errctx *ctx);

/* tl_sys_read_text: as tl_sys_read_file, and decompressed where it begins as gzip; len_max holds for both. */
TL_MUST_USE tl_err tl_sys_read_text(tl_str *out, tl_arena *arena, const char *path, size_t len_max,
                                    tl_errctx *ctx);

/* tl_sys_is_gzip: do the bytes begin as gzip? */
bool tl_sys_is_gzip(tl_str bytes);

/* tl_sys_gunzip: all members of gzip data. TL_ERR_CORRUPT when it is damaged or ends early. */
TL_MUST_USE tl_err tl_sys_gunzip(tl_str *out, tl_arena *arena, tl_str gzip, size_t len_max,
                                 tl_errctx *ctx);

/* tl_sys_write_file: put the bytes at path, whole and durable, or leave what was there (SYS-1): a temporary file in
 * the same folder, synced, renamed, the folder synced. A device or pipe is written as it is. */
TL_MUST_USE tl_err tl_sys_write_file(const char *path, tl_bytes bytes, unsigned mode,
                                     tl_errctx *ctx);

/* tl_sys_write_all: all bytes to an open descriptor; name is for the message. A closed pipe is TL_ERR_IO. */
TL_MUST_USE tl_err tl_sys_write_all(int fd, tl_bytes bytes, const char *name, tl_errctx *ctx);

/* tl_sys_remove_parts: remove what a tl_sys_write_file that was killed left in a folder. Its caller owns the folder, by a
 * lock: nobody else writes there. */
TL_MUST_USE tl_err tl_sys_remove_parts(const char *dir, tl_arena *scratch, tl_errctx *ctx);

/* tl_sys_make_dir: the folder and those above it, durable; fine when it is there: its name is synced again, since who
 * made it may have died before that. */
TL_MUST_USE tl_err tl_sys_make_dir(const char *path, unsigned mode, tl_errctx *ctx);

/* tl_sys_make_fresh_dir: a new folder named prefix, a dot and six characters, for the owner alone. */
TL_MUST_USE tl_err tl_sys_make_fresh_dir(const char **out, tl_arena *arena, const char *prefix,
                                         tl_errctx *ctx);

/* tl_sys_sync_dir: make the names in a folder durable. */
TL_MUST_USE tl_err tl_sys_sync_dir(const char *path, tl_errctx *ctx);

/* tl_sys_exists: is something at path that may be looked at? */
bool tl_sys_exists(const char *path);

/* tl_sys_list_dir: the names in a folder, sorted by bytes, without "." and "..". */
TL_MUST_USE tl_err tl_sys_list_dir(const char *const **out, size_t *count, tl_arena *arena,
                                   const char *path, tl_errctx *ctx);

/* tl_sys_join: "folder/name" in the arena. */
TL_MUST_USE tl_err tl_sys_join(const char **out, tl_arena *arena, const char *folder,
                               const char *name, tl_errctx *ctx);

/* --- the machine's world (world.c) --- */

tl_clock tl_sys_clock(void);     /* CLOCK_REALTIME and CLOCK_MONOTONIC */
tl_entropy tl_sys_entropy(void); /* getrandom(2) */

/* tl_sys_keep_memory: from now on what is freed stays with the process, up to some 256 MB a heap: for programs whose
 * shards need much memory again and again, which the system would clear anew each time (a third of its share of
 * a listings epoch). Before any thread. */
void tl_sys_keep_memory(void);

/* --- interruption (signal.c): one flag for the process, since signals are the process's --- */

/* tl_sys_watch_interrupts: from now on SIGINT and SIGTERM set the flag instead of ending the process; a second one ends
 * it. SIGPIPE is ignored: a closed pipe is an error of write. SIGABRT ends with the exit code of our own fault. */
TL_MUST_USE tl_err tl_sys_watch_interrupts(tl_errctx *ctx);

bool tl_sys_is_interrupted(void);

/* tl_sys_check_interrupt: TL_ERR_INTERRUPTED when the flag is set: long work asks between steps, where nothing is half
 * done. */
TL_MUST_USE tl_err tl_sys_check_interrupt(tl_errctx *ctx);

/* --- the pool (pool.c) --- */

typedef struct tl_pool tl_pool;

/* tl_pool_fn: one shard of the work. worker is below tl_pool_thread_count: index of scratch that is this thread's alone.
 * ctx is this shard's own. */
typedef tl_err (*tl_pool_fn)(void *self, size_t shard, size_t worker, tl_errctx *ctx);

#define TL_POOL_THREADS_MAX 64

/* tl_sys_processor_count: processors that are online, at least 1. */
size_t tl_sys_processor_count(void);

/* tl_pool_new: threads that wait for work. thread_count 0: one a processor. 1 makes no thread: the caller works. */
TL_MUST_USE tl_err tl_pool_new(tl_pool **out, size_t thread_count, tl_errctx *ctx);
void tl_pool_free(tl_pool *pool); /* NULL is fine */
size_t tl_pool_thread_count(const tl_pool *pool);

/* tl_pool_run: call fn for each shard below shard_count, on all threads, the caller's among them; returns when all are
 * done. Every shard is run, also when one fails; the error is that of the lowest shard that failed (SYS-2). Work is cut
 * into shards of fixed size by the caller, never by the number of threads: so results do not depend on it. */
TL_MUST_USE tl_err tl_pool_run(tl_pool *pool, size_t shard_count, tl_pool_fn fn, void *self,
                               tl_errctx *ctx);

/* --- the terminal (terminal.c) --- */

/* tl_sys_wants_color: a terminal, NO_COLOR unset or empty, TERM not "dumb". */
bool tl_sys_wants_color(int fd);

/* tl_progress: one line on standard error that is drawn over; the caller's storage. */
typedef struct tl_progress {
    const char *label;
    uint64_t total;
    uint64_t done;
    int64_t drawn_ns;
    bool is_on;
} tl_progress;

/* tl_progress_start: is_wanted false (-q), or standard error no terminal: draws nothing. label is borrowed. */
void tl_progress_start(tl_progress *progress, const char *label, uint64_t total, bool is_wanted);
void tl_progress_step(tl_progress *progress,
                      uint64_t done); /* how much is done by now; at most 10 drawings a second */
void tl_progress_end(tl_progress *progress); /* wipes the line */

/* --- questions (prompt.c) --- */

#define TL_SYS_ANSWER_MAX 1024 /* bytes of an answer: four times the longest mnemonic */

/* tl_sys_can_prompt: are standard input and standard error a terminal? Answers come from the one, questions go to the
 * other. */
bool tl_sys_can_prompt(void);

/* tl_sys_prompt: one line from the terminal, without white space at its ends.
 *
 * arena      where the answer lies: one in locked memory for secrets
 * question   printed as it stands: "password: "
 * is_secret  what is typed is not shown; the terminal is as before on return, after an interruption too
 *
 * Errors: REFUSED without a terminal, MISSING at the end of input, LIMIT above TL_SYS_ANSWER_MAX bytes, INTERRUPTED.
 */
TL_MUST_USE tl_err tl_sys_prompt(tl_str *out, tl_arena *arena, const char *question, bool is_secret,
                                 tl_errctx *ctx);

/* tl_sys_prompt_yes: is the answer y or yes? Anything else is no. Errors: as tl_sys_prompt. */
TL_MUST_USE tl_err tl_sys_prompt_yes(bool *out, tl_arena *scratch, const char *question,
                                     tl_errctx *ctx);

/* --- the state folder (state.c) --- */

/* tl_sys_state_dir: wanted (--dir) if it is not NULL, else $XDG_STATE_HOME/tally, else $HOME/.local/state/tally. Made by
 * nobody yet. TL_ERR_MISSING when none of them is known; relative XDG paths are ignored, as its standard says. */
TL_MUST_USE tl_err tl_sys_state_dir(const char **out, tl_arena *arena, const char *wanted,
                                    tl_errctx *ctx);

/* tl_sys_lock: this process's claim on a folder, until close or death. */
typedef struct tl_sys_lock {
    int fd;
} tl_sys_lock;

/* tl_sys_lock_open: take the lock file of a folder that exists (SYS-3); TL_ERR_LOCKED names the process that has it. */
TL_MUST_USE tl_err tl_sys_lock_open(tl_sys_lock *out, const char *dir, tl_errctx *ctx);
void tl_sys_lock_close(tl_sys_lock *lock);

#ifdef __cplusplus
}
#endif

#endif
