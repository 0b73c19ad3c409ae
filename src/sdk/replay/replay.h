/* replay: what was accepted once and must not be accepted again.
 * For         each signed protocol's own rule: (sender, nonce), (sender, uuid), a nonce that rises by endpoint
 * Takes       the mark of a claim whose signature held        Gives   fresh, seen, full, down
 * Calls       sdk/auth, io/redis, core/crypto/hash            Called by   sdk/axon, app
 * Owns        a mapped file and its lock, or a place in Redis
 * Threads     everything here from any thread
 * Invariants  REPLAY-1 of equal marks at once, from any threads, exactly one is fresh
 *             REPLAY-2 what was fresh is seen until its mark's keep_until_ns, across a restart and a SIGKILL
 *             REPLAY-3 a store that is full or out of reach refuses; it never forgets early
 *             REPLAY-4 after a power cut, or with an emptied file, nothing signed before the start is fresh
 * Read        table.c, then file.c, then redis.c
 *
 * The file (TL_REPLAY_FILE_NAME in the state folder): pages of 4 KiB, mapped and shared, so that what was stored is the kernel's at
 * once and outlives the process; only a power cut may lose it. A mark lives in one page, chosen by its hash.
 *
 *     ┌ head ──────────────────────────┐ ┌ page ─────────────────────────────────────────────┐ ┌ page ─
 *     │ magic, version, pages, secret, │ │ forgotten, floor │ slot │ slot │ … 126 of them …  │ │ …
 *     │ boot id, state, floor, check   │ └──────────────────┴──────┴──────┴──────────────────┘ └──────
 *     └────────────────────────────────┘        slot: hash, 12 bytes · check, 4 · nonce, 8 · keep until, 8
 *
 *     free ──(hash, nonce, check are written, then keep_until: one store of 8 bytes makes it live)──▶ live
 *     live ──(its keep_until has passed, and another mark needs the place)──▶ page.forgotten = its keep_until, free
 *
 * A mark whose own keep_until is not above the page's `forgotten` may have been there: it counts as seen. That is what
 * holds when the clock is set back (and when it had been set far ahead: then until that time is reached, or the file
 * removed). A rising nonce is one store of 8 bytes into the slot of its endpoint.
 *
 * State and boot id say how the last life ended. "clean": everything was synced. Not clean, same boot id: killed, the
 * kernel kept every byte. Not clean, another boot id: the power went, pages may be missing: the table is emptied, and what
 * was signed up to the start (and ahead_ns beyond) is refused, which after the length of the window is nobody any more.
 * So it is with a table of another size, and with one that was kept for a shorter window. A head that does not check is
 * TL_ERR_CORRUPT; a slot that does not check makes its page refuse in the same way. Disk for every page is taken when
 * the file is made, so a disk that is full later stops nobody.
 *
 * In Redis one key a mark: SET key NX PX; a rising nonce by a script. A store that was flushed has forgotten: it is as
 * good as the Redis behind it.
 */
#ifndef TALLY_SDK_REPLAY_H
#define TALLY_SDK_REPLAY_H

#include "base/error/error.h"
#include "io/redis/redis.h"
#include "sdk/auth/auth.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_replay tl_replay;

typedef enum tl_replay_answer {
    TL_REPLAY_FRESH, /* never seen, and remembered from now on */
    TL_REPLAY_SEEN,  /* seen, or possibly seen; of a rising nonce: not above the last one */
    TL_REPLAY_FULL,  /* no room: nothing is accepted rather than something forgotten */
    TL_REPLAY_DOWN   /* Redis does not answer */
} tl_replay_answer;

/* tl_replay_options: zero means the default.
 *
 * marks_max  room for at least so many; 500,000: 12 s of 40,000 requests a second. The file has 32 MiB then, of which
 *            memory holds the pages that were used
 * ahead_ns   the longest ahead_ns of all routes; 2 s. See REPLAY-4
 * back_ns    the longest back_ns of all routes; 124 s (v10) */
typedef struct tl_replay_options {
    uint64_t marks_max;
    int64_t ahead_ns;
    int64_t back_ns;
} tl_replay_options;

#define TL_REPLAY_MARKS_DEFAULT ((uint64_t)500000)
#define TL_REPLAY_MARKS_MAX     ((uint64_t)1 << 28)
#define TL_REPLAY_FILE_NAME     "replay.marks"

/* tl_replay_start: how a store came up, for the log. */
typedef struct tl_replay_start {
    bool is_new;        /* there was no file, or an empty one */
    bool is_killed;     /* the last life did not close it */
    bool is_power_lost; /* … and the machine was started since: the table was emptied */
    int64_t floor_ns;   /* what was signed up to then is refused; 0: nothing */
    uint64_t marks;     /* slots in use */
    uint64_t
        pages_damaged; /* pages with slots that do not check: they refuse what was signed before the start */
} tl_replay_start;

/* tl_replay_open: the store of a state folder that exists, made if it is not there.
 * Errors: TL_ERR_LOCKED (another process has it), TL_ERR_CORRUPT, TL_ERR_VERSION, TL_ERR_RANGE (options), files'. */
TL_MUST_USE tl_err tl_replay_open(tl_replay **out, const char *dir,
                                  const tl_replay_options *options, int64_t now_ns, tl_errctx *ctx);

/* tl_replay_open_memory: the same without a file: forgets with the process. For programs that want that. */
TL_MUST_USE tl_err tl_replay_open_memory(tl_replay **out, const tl_replay_options *options,
                                         tl_errctx *ctx);

/* tl_replay_open_redis: a store that several axons share: those that give the same prefix (the receiver's address, say).
 * redis is borrowed until tl_replay_close. */
TL_MUST_USE tl_err tl_replay_open_redis(tl_replay **out, tl_redis *redis, tl_str prefix,
                                        const tl_replay_options *options, tl_errctx *ctx);

/* tl_replay_how_it_started: lives as long as the store. */
const tl_replay_start *tl_replay_how_it_started(const tl_replay *store);

/* tl_replay_close: everything durable, then clean, then gone. NULL is fine. */
TL_MUST_USE tl_err tl_replay_close(tl_replay *store, tl_errctx *ctx);

/* tl_replay_keep: look the mark up and remember it, in one step (REPLAY-1). Only for a claim whose signature held. */
tl_replay_answer tl_replay_keep(tl_replay *store, const tl_auth_mark *mark, int64_t now_ns);

/* tl_replay_keep_many: count marks in order; in Redis one round trip for all of them. */
void tl_replay_keep_many(tl_replay *store, tl_replay_answer *out, const tl_auth_mark *const *marks,
                         size_t count, int64_t now_ns);

/* tl_replay_memory: the last nonces of the rising rule, for tl_auth_rules.memory. Lives as long as the store. */
const tl_auth_memory *tl_replay_memory(tl_replay *store);

/* tl_replay_wait_ms: does tl_replay_keep wait for somebody else (Redis), and how long at most? 0: it does not. */
uint32_t tl_replay_wait_ms(const tl_replay *store);

#ifdef __cplusplus
}
#endif

#endif
