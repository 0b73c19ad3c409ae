/* sys: the operating system, told in our words: files, clock, entropy, threads, signals, terminal.
 * For         every program; core never comes here: it is handed what it needs
 * Takes       paths, bytes, functions to run on many threads
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
 * LIMIT (larger than asked for), CORRUPT (damaged gzip), IO (everything else). The path is the error's field.
 */
#ifndef TALLY_IO_SYS_H
#define TALLY_IO_SYS_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

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

/* tl_sys_make_dir: the folder and those above it; fine when it is there. */
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

#ifdef __cplusplus
}
#endif

#endif
