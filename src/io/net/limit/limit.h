/* limit: how much anyone may ask for: token buckets, penalties, lists of addresses and hotkeys.
 * For         a server that strangers reach: rates by address and by hotkey, in bounded memory
 * Takes       addresses of the network, hotkeys, a steady clock's figure
 * Gives       yes, or how long to wait
 * Calls       core/crypto/key, io/net/message, io/redis   Called by   sdk/axon, app/coordinator
 * Owns        a table of fixed size
 * Threads     a limit from any thread; lists are only read once they are built
 * Invariants  LIMIT-1 a table never grows: when it is full the entry that is nearest to rest gives way, one under
 *                     penalty never does, and newcomers without a place share one bucket
 *             LIMIT-2 a clock that goes back gives nobody a token and makes no penalty longer than it was
 *             LIMIT-3 an IPv6 address counts by its /64
 *             LIMIT-4 an allow list with an entry of a kind shuts out every other of that kind; a block wins over an allow
 * Read        bucket.c, then lists.c, then shared.c
 *
 *     bucket: tokens ─▶ 0 … burst, `rate` more each second; a request takes one, a failed or unsigned one too
 *     strangers (sdk surface spec, section 5): 10 failures a second, burst 20; the next one starts a penalty: 60 s in which
 *     everything from there is 429, the next penalty within ten minutes of the last one's end is twice as long, up to 300 s
 */
#ifndef TALLY_IO_NET_LIMIT_H
#define TALLY_IO_NET_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"
#include "io/net/message/message.h"
#include "io/redis/redis.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- rates --- */

/* tl_limit_rules: what one table holds its entries to. */
typedef struct tl_limit_rules {
    double rate_per_s;      /* tokens a second; 0: no limit at all */
    double burst;           /* the most that a bucket holds; at least 1 */
    uint32_t penalty_s;     /* how long an empty bucket shuts out; 0: only until the next token */
    uint32_t penalty_max_s; /* each further penalty doubles, up to this */
    uint32_t forget_s; /* so long after a penalty's end the next one is again a first one; 0: 600 */
    uint32_t entries_max; /* 65,536 where 0 */
} tl_limit_rules;

#define TL_LIMIT_ENTRIES_DEFAULT 65536u
#define TL_LIMIT_ENTRIES_MAX     (1u << 24)

/* tl_limit_strangers: the figures for failed and unsigned requests by address: 10 a second, burst 20, 60 to 300 s. */
tl_limit_rules tl_limit_strangers(void);

typedef struct tl_limit tl_limit;

/* tl_limit_new: a table in the process.
 * Errors: TL_ERR_RANGE (rules; the field names which), TL_ERR_NOMEM. */
TL_MUST_USE tl_err tl_limit_new(tl_limit **out, const tl_limit_rules *rules, tl_errctx *ctx);

/* tl_limit_new_shared: a table in Redis, shared by all that give the same prefix; each take is one atomic script.
 * redis is borrowed until tl_limit_free. When Redis does not answer, the table in this process decides alone: a limit is
 * there for the server's sake and must not stop it. */
TL_MUST_USE tl_err tl_limit_new_shared(tl_limit **out, const tl_limit_rules *rules, tl_redis *redis,
                                       tl_str prefix, tl_errctx *ctx);
void tl_limit_free(tl_limit *limit); /* NULL is fine */

/* tl_limit_take: one token of key (any bytes, at most 64). now_ns is of a steady clock; in Redis its own time counts. 0: taken. Else nothing was taken, and so many milliseconds
 * are to be waited (a penalty that this take started counts whole).
 * tl_limit_peek: what tl_limit_take would wait for a penalty that runs; takes nothing, starts nothing. 0: none runs. */
uint32_t tl_limit_take(tl_limit *limit, tl_bytes key, int64_t now_ns);
uint32_t tl_limit_peek(tl_limit *limit, tl_bytes key, int64_t now_ns);

/* tl_limit_take_ip, tl_limit_peek_ip: the same by address (LIMIT-3). tl_limit_take_hotkey: by hotkey. */
uint32_t tl_limit_take_ip(tl_limit *limit, const tl_net_addr *ip, int64_t now_ns);
uint32_t tl_limit_peek_ip(tl_limit *limit, const tl_net_addr *ip, int64_t now_ns);
uint32_t tl_limit_take_hotkey(tl_limit *limit, const tl_hotkey *hotkey, int64_t now_ns);

/* tl_limit_retry_after_s: milliseconds as Retry-After wants them: whole seconds, rounded up. */
uint32_t tl_limit_retry_after_s(uint32_t wait_ms);

/* --- lists --- */

/* tl_limit_lists: --allow and --blacklist: hotkeys (any SS58 spelling), addresses and CIDR ranges. */
typedef struct tl_limit_lists tl_limit_lists;

#define TL_LIMIT_LIST_MAX 65536u

/* tl_limit_lists_new: empty lists in the arena: everybody may come. */
TL_MUST_USE tl_err tl_limit_lists_new(tl_limit_lists **out, tl_arena *arena, tl_errctx *ctx);

/* tl_limit_lists_allow, _block: an SS58 address, an IPv4 or IPv6 address, or one with "/bits".
 * Errors: TL_ERR_SYNTAX for what is none of these, bits out of range, host bits that are not zero; TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_limit_lists_allow(tl_limit_lists *lists, tl_str entry, tl_errctx *ctx);
TL_MUST_USE tl_err tl_limit_lists_block(tl_limit_lists *lists, tl_str entry, tl_errctx *ctx);

/* tl_limit_lists_admits_ip, _hotkey: may it come (LIMIT-4)? */
bool tl_limit_lists_admits_ip(const tl_limit_lists *lists, const tl_net_addr *ip);
bool tl_limit_lists_admits_hotkey(const tl_limit_lists *lists, const tl_hotkey *hotkey);

/* tl_limit_lists_exempts: is the address free of limits by address: loopback, unless limits_loopback, or another one that
 * an allow entry names? */
bool tl_limit_lists_exempts(const tl_limit_lists *lists, const tl_net_addr *ip,
                            bool limits_loopback);

#ifdef __cplusplus
}
#endif

#endif
