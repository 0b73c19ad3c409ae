/* dendrite: asks axons: one or hundreds at once, in each of the three protocols.
 * For         validators, and whoever else sends signed requests
 * Takes       a hotkey, targets, a message (v10) or a raw request (btauth/1, Epistula); rules for when it fails
 * Gives       a reply for each target: status by the SDK's mapping, message or body; one answer out of many
 * Calls       io/net/client, sdk/synapse, sdk/auth     Called by   app, programs
 * Owns        its connections, its uuid, its last nonce, its cache; replies live in the arena that was passed in
 * Threads     one tl_dendrite, one thread; callbacks come on it
 * Invariants  DEND-1 no two requests of a dendrite have one nonce, and each is above the one before it
 *             DEND-2 a request that goes out again, as a retry or a hedge, is signed anew
 *             DEND-3 each target has exactly one reply, in the order of the targets
 *             DEND-4 a target and a body are sent byte for byte as they were signed
 * Read        query.c, then v10.c and raw.c, then reply.c, gather.c, balance.c, cache.c
 *
 *      targets ─▶ prepare (nonce, sign) ─▶ io/net/client ─▶ reply: status by wire spec section 3.2
 *                     ▲        retry, hedge      │
 *                     └──────────────────────────┘              gather: first · all · quorum · majority
 *                                                               ask:    primaries, then backups, then the cache
 *
 * Nothing is asked of the internet about ourselves: the address that v10 headers name is an option.
 */
#ifndef TALLY_SDK_DENDRITE_H
#define TALLY_SDK_DENDRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/keypair/keypair.h"
#include "io/net/client/client.h"
#include "io/net/message/message.h"
#include "sdk/auth/auth.h"
#include "sdk/synapse/synapse.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- targets --- */

/* tl_dendrite_target: one axon. Views.
 * host    a name or an address, IPv6 without brackets
 * hotkey  its SS58: the receiver that the request is signed for; empty: bound to nobody (btauth, Epistula)
 * weight  for tl_dendrite_pick by weight; not negative */
typedef struct tl_dendrite_target {
    tl_str host;
    uint16_t port;
    tl_str hotkey;
    bool is_tls;
    double weight;
} tl_dendrite_target;

/* tl_dendrite_target_parse: "HOST:PORT:SS58", an IPv6 address in brackets; weight 1.
 * Errors name the part: TL_ERR_SYNTAX, TL_ERR_RANGE (port), and those of tl_ss58_decode_any. */
TL_MUST_USE tl_err tl_dendrite_target_parse(tl_dendrite_target *out, tl_str text, tl_errctx *ctx);

/* tl_dendrite_put_target: "host:port", the address in brackets where it is IPv6. */
void tl_dendrite_put_target(tl_sb *sb, const tl_dendrite_target *target);

/* --- the dendrite --- */

typedef struct tl_dendrite tl_dendrite;

/* tl_dendrite_options: zero means the default, but for key. Everything is borrowed until tl_dendrite_free. */
typedef struct tl_dendrite_options {
    const tl_keypair *key;   /* who signs; able to */
    tl_clock clock;          /* zero: the machine's */
    tl_entropy entropy;      /* of signatures, uuids, jitter and picks; zero: the machine's */
    tl_str ip;               /* what bt_header_dendrite_ip says; "0.0.0.0" */
    uint32_t version;        /* bt_header_dendrite_version; TL_DENDRITE_VERSION */
    uint32_t parallel;       /* requests at once; TL_CLIENT_FLIGHT */
    uint32_t host_parallel;  /* to one host and port; no bound */
    uint32_t idle_s;         /* a kept connection; TL_CLIENT_IDLE_S */
    tl_breaker_rule breaker; /* none */
    tl_pace_rule pace;       /* none */
    uint32_t cache_max;      /* answers kept; 0: none */
    uint32_t cache_ms;       /* how long one is fresh; TL_DENDRITE_CACHE_MS */
    const char *ca_file;     /* of TLS targets */
} tl_dendrite_options;

#define TL_DENDRITE_VERSION       10005000u /* the wire is that of SDK 10.5.0 */
#define TL_DENDRITE_TIMEOUT_S     12.0
#define TL_DENDRITE_TIMEOUT_S_MAX 3600.0
#define TL_DENDRITE_CACHE_MS      300000u
#define TL_DENDRITE_CACHE_MAX     65536u             /* cache_max is at most this */
#define TL_DENDRITE_CACHE_LEN     ((size_t)64 << 20) /* bytes of all answers in it */
#define TL_DENDRITE_TARGETS_MAX   65536u

/* Errors: TL_ERR_STATE when the key cannot sign, TL_ERR_RANGE, and those of tl_client_new. */
TL_MUST_USE tl_err tl_dendrite_new(tl_dendrite **out, const tl_dendrite_options *options,
                                   tl_errctx *ctx);
void tl_dendrite_free(tl_dendrite *dendrite); /* NULL is fine */

/* tl_dendrite_uuid: version 1, one a dendrite. Where a query names a hotkey twice, its further targets are asked under
 * uuids of their own: requests that overtake each other would break the rule of rising nonces. */
tl_str tl_dendrite_uuid(const tl_dendrite *dendrite);

/* --- asking --- */

typedef struct tl_dendrite_reply tl_dendrite_reply;

/* tl_dendrite_query: what is asked. Zero means the default, but for family and what its protocol needs.
 *
 * v10: synapse is copied for each target and never changed; only its fields are looked at, and replies show them: it
 * lives as long as they are used.
 * btauth, Epistula: method (POST), target (begins with '/', sent and signed byte for byte), headers besides those of
 * the protocol, body. */
typedef struct tl_dendrite_query {
    const tl_auth_family *family;
    const tl_synapse *synapse;
    tl_str method;
    tl_str target;
    tl_http_headers headers;
    tl_bytes body;
    double timeout_s;    /* of each attempt, all in; TL_DENDRITE_TIMEOUT_S */
    size_t body_len_max; /* of an answer; TL_CLIENT_BODY_LEN */
    tl_backoff retry;    /* none by default, as in the SDK */
    uint32_t hedge_ms;   /* a second request after so long; 0: never */
    bool is_cached;      /* a fresh answer of the cache will do, and this one may be kept */
    void *self;
    /* A chunk of a streamed answer of target index; false gives that answer up. NULL: the body is collected. */
    bool (*on_chunk)(void *self, size_t index, tl_bytes chunk);
    /* A reply is final: for progress. May be NULL. */
    void (*on_reply)(void *self, const tl_dendrite_reply *reply);
} tl_dendrite_query;

/* tl_dendrite_reply: what came of one target. */
struct tl_dendrite_reply {
    size_t index; /* of the target in the list */
    const tl_dendrite_target *target;
    bool is_ok;          /* status_code is 200; on btauth and Epistula any 2xx */
    bool has_status;     /* false: neither headers nor body had one, or it was cancelled */
    int64_t status_code; /* wire spec sections 1.9 and 3.2 */
    bool has_message;
    tl_str status_message;
    bool has_time;
    double process_time_s;     /* wall seconds of the call; only where an answer was processed */
    const tl_synapse *synapse; /* v10: the message after the answer */
    tl_http_headers headers;
    tl_bytes body; /* as it came; empty where on_chunk took it */
    tl_client_fault fault;
    uint32_t attempts;
    bool is_from_cache;
    bool is_stale; /* from the cache, beyond its time (tl_dendrite_ask alone) */
    tl_str error;  /* why it is not ok, for people; empty when it is */
};

/* tl_dendrite_ask_all: ask every target at once; replies has room for count of them (DEND-3). That targets fail is no
 * error. Errors: what is wrong with the query (the field says which part; REFUSED: a key whose scheme it does not take), TL_ERR_INTERRUPTED, TL_ERR_NOMEM. */
TL_MUST_USE tl_err tl_dendrite_ask_all(tl_dendrite *dendrite, tl_arena *arena,
                                       tl_dendrite_reply *replies,
                                       const tl_dendrite_target *targets, size_t count,
                                       const tl_dendrite_query *query, tl_errctx *ctx);

/* --- one answer out of many (gather.c) --- */

typedef enum tl_dendrite_rule {
    TL_DENDRITE_ALL,   /* holds when every target answered well */
    TL_DENDRITE_FIRST, /* the first good answer; the others are cancelled */
    TL_DENDRITE_QUORUM, /* one answer from at least two thirds of the targets; the others are cancelled */
    TL_DENDRITE_MAJORITY /* the answer that most gave; a tie goes to the one with the lowest hotkey */
} tl_dendrite_rule;

/* tl_dendrite_rule_parse: "first", "all", "quorum", "majority". False for another word. */
bool tl_dendrite_rule_parse(tl_dendrite_rule *out, tl_str text);

/* tl_dendrite_gathered: chosen is the reply with the lowest hotkey among those that agree (FIRST: the first one, ALL:
 * none), or NULL. Two answers are equal when their canonical bytes are: the message's own fields with sorted keys on
 * v10, the body otherwise. */
typedef struct tl_dendrite_gathered {
    bool holds;
    const tl_dendrite_reply *chosen;
    size_t good;     /* replies that are ok */
    size_t agreeing; /* those equal to the chosen one, itself included */
} tl_dendrite_gathered;

/* tl_dendrite_gather: as tl_dendrite_ask_all; stopped as soon as the rule holds or cannot hold any more, but for ALL,
 * which hears everybody.
 * good_min  fewer good answers than this do not hold, whatever the rule; 0: 1 */
TL_MUST_USE tl_err tl_dendrite_gather(tl_dendrite *dendrite, tl_arena *arena,
                                      tl_dendrite_gathered *out, tl_dendrite_reply *replies,
                                      const tl_dendrite_target *targets, size_t count,
                                      const tl_dendrite_query *query, tl_dendrite_rule rule,
                                      size_t good_min, tl_errctx *ctx);

/* tl_dendrite_put_canonical: the bytes by which answers are compared. */
void tl_dendrite_put_canonical(tl_sb *sb, const tl_dendrite_reply *reply);

/* --- one target out of many, and the next one when it fails (balance.c) --- */

typedef enum tl_dendrite_balance {
    TL_DENDRITE_IN_ORDER, /* the first that is not tried yet */
    TL_DENDRITE_ROUND_ROBIN,
    TL_DENDRITE_RANDOM,
    TL_DENDRITE_LEAST_LOADED, /* fewest requests of this dendrite on the wire; ties by order */
    TL_DENDRITE_WEIGHTED      /* at random, by weight */
} tl_dendrite_balance;

/* tl_dendrite_balancer: the caller's, one a list of targets. Zero is in order; a seed makes its luck repeat. */
typedef struct tl_dendrite_balancer {
    tl_dendrite_balance kind;
    size_t next;   /* round robin */
    uint64_t seed; /* random, weighted: its state */
} tl_dendrite_balancer;

/* tl_dendrite_pick: which target is next; is_tried marks those that are not, and may be NULL. SIZE_MAX when none is
 * left. */
size_t tl_dendrite_pick(tl_dendrite *dendrite, tl_dendrite_balancer *balancer,
                        const tl_dendrite_target *targets, size_t count, const bool *is_tried);

/* tl_dendrite_ask: one good answer: primaries as the balancer picks them, one after the other until one answers well;
 * then backups in order; then whatever the cache has, stale too. A refusal (4xx, but for 408 and 429) is an answer of
 * that target: the next is tried all the same.
 * reply  not ok when all failed: its error lists every cause, a line each
 * Errors: as tl_dendrite_ask_all. */
TL_MUST_USE tl_err tl_dendrite_ask(tl_dendrite *dendrite, tl_arena *arena, tl_dendrite_reply *reply,
                                   const tl_dendrite_target *primaries, size_t primary_count,
                                   const tl_dendrite_target *backups, size_t backup_count,
                                   tl_dendrite_balancer *balancer, const tl_dendrite_query *query,
                                   tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
