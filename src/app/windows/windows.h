/* windows: so many calls in so much time, counted exactly, with the figures that a caller is told.
 * For         limits by hotkey, address or all together, whose Remaining and Reset are promises
 * Takes       what is asked for: keys, counts, lengths of windows; the wall clock's seconds
 * Gives       taken or not, and the tightest window's figures
 * Calls       io/redis, core/crypto/hash        Called by   app/api
 * Owns        a table of fixed size
 * Threads     everything from any thread
 * Invariants  WINDOWS-1 at most `count` takes of a key succeed within one window, from however many threads or processes
 *             WINDOWS-2 of several windows all are taken or none is
 *             WINDOWS-3 the table never grows; when it is full, the entry whose window ends first gives way
 * Read        windows.c, then shared.c
 *
 * A window is [k * length, (k + 1) * length) of Unix time: a length of 86,400 is the UTC day. In Redis one script looks at all
 * of them and then counts all of them, on Redis's own clock. When Redis does not answer, the table in this process decides
 * alone: a limit is there for the server's sake and must not stop it.
 */
#ifndef TALLY_APP_WINDOWS_H
#define TALLY_APP_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error/error.h"
#include "base/str/str.h"
#include "io/redis/redis.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_WINDOWS_KEY_MAX     160   /* bytes of a key; longer ones count by their beginning */
#define TL_WINDOWS_ASK_MAX     4     /* windows of one take */
#define TL_WINDOWS_ENTRIES_MAX 65536 /* of the table in the process */

typedef struct tl_windows tl_windows;

/* tl_windows_new: redis may be NULL (in the process alone); it is borrowed, prefix is copied (at most 96 bytes). */
TL_MUST_USE tl_err tl_windows_new(tl_windows **out, tl_redis *redis, tl_str prefix, tl_errctx *ctx);
void tl_windows_free(tl_windows *windows); /* NULL is fine */

typedef struct tl_windows_ask {
    tl_str key;
    uint32_t count;    /* of takes a window; above 0 */
    uint32_t window_s; /* above 0 */
} tl_windows_ask;

/* tl_windows_state: of the window that refused, else of the one with fewest takes left (then the longest). */
typedef struct tl_windows_state {
    bool is_taken;
    uint32_t limit;
    uint32_t remaining;
    int64_t reset_s;        /* Unix time at which the window ends */
    uint32_t retry_after_s; /* from now to there; at least 1; 0 when taken */
} tl_windows_state;

/* tl_windows_take: one call of count asks (1 … TL_WINDOWS_ASK_MAX). now_s: the wall clock; in Redis its own counts. */
void tl_windows_take(tl_windows *windows, tl_windows_state *out, const tl_windows_ask *asks,
                     size_t count, int64_t now_s);

#ifdef __cplusplus
}
#endif

#endif
