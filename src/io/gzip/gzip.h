/* gzip: bytes made smaller for the way (RFC 1952).
 * For         answers of a server, objects at rest
 * Takes       bytes, a level          Gives       one gzip member in an arena, the same for the same bytes
 * Calls       zlib                    Called by   app/api
 * Owns        nothing after return
 * Threads     pure functions, anywhere
 * Invariants  GZIP-1 what was packed is read back unchanged (tl_sys_gunzip)
 * Read        gzip.c
 */
#ifndef TALLY_IO_GZIP_H
#define TALLY_IO_GZIP_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_gzip: level 1 (fast) to 9 (small). No name and no time are written.
 * Errors: TL_ERR_RANGE (level), TL_ERR_LIMIT (more than 1 GiB), the arena's. */
TL_MUST_USE tl_err tl_gzip(tl_bytes *out, tl_arena *arena, tl_bytes bytes, int level,
                           tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
