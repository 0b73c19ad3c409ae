/* dendrite_internal: what the room's sources share: the dendrite, one query in progress, the cache. */
#ifndef TALLY_SDK_DENDRITE_INTERNAL_H
#define TALLY_SDK_DENDRITE_INTERNAL_H

#include "core/crypto/hash/hash.h"
#include "sdk/dendrite/dendrite.h"

enum { TL__UUID_CAP = 37 };

typedef struct tl__cache tl__cache;

struct tl_dendrite {
    tl_dendrite_options options;
    tl_client *client;
    tl__cache *cache; /* NULL: none */
    char uuid[TL__UUID_CAP];
    char hotkey[TL_SS58_CAP];
    int64_t last_nonce;
};

/* tl__dendrite_make_uuid: another one of version 1. */
TL_MUST_USE tl_err tl__dendrite_make_uuid(char out[TL__UUID_CAP], const tl_dendrite *dendrite,
                                          tl_errctx *ctx);

/* tl__dendrite_nonce: the clock's nanoseconds, or one more than the last nonce (DEND-1). */
int64_t tl__dendrite_nonce(tl_dendrite *dendrite);

/* --- a query in progress: one tl__ask a target (query.c) --- */

typedef struct tl__batch tl__batch;

typedef struct tl__ask {
    tl__batch *batch;
    tl_dendrite_reply *reply;
    tl_client_call *call;
    tl_synapse *synapse; /* v10: this target's copy */
    int64_t started_ns;  /* when it was first signed; 0: not yet */
    tl_hash32 key;       /* of the cache */
    tl_str uuid; /* v10: the dendrite's; of a hotkey's second target and those behind it, its own */
} tl__ask;

struct tl__batch {
    tl_dendrite *dendrite;
    tl_arena *arena;
    tl_dendrite_reply *replies;
    const tl_dendrite_target *targets;
    size_t count;
    const tl_dendrite_query *query;
    double timeout_s;
    size_t body_len_max;
    tl_hash32 body_sha256;               /* btauth, Epistula */
    char body_hash[TL_SYNAPSE_HASH_CAP]; /* v10 */
    tl_str path;                         /* v10: "/Name"; else the query's target */
    tl_str ip;                           /* v10: the dendrite's, in the batch's arena */
    tl_str hotkey;                       /* v10: likewise */
    tl__ask *asks;
    size_t left; /* without a final reply */
    bool is_stopped;
    void *self;
    void (*on_reply)(void *self, tl__batch *batch, const tl_dendrite_reply *reply);
    tl_err err; /* our own: the batch ends with it */
    tl_errctx *ctx;
};

/* tl__batch_run: begin, drive to the end, free the calls. on_reply sees each final reply and may call tl__batch_stop. */
TL_MUST_USE tl_err tl__batch_run(tl__batch *batch);

/* tl__batch_stop: cancel what is still under way. */
void tl__batch_stop(tl__batch *batch);

/* tl__query_check: is the query one that can be sent? Sets what batches share. */
TL_MUST_USE tl_err tl__query_check(tl__batch *batch);

/* --- the two kinds of protocol: what goes out (v10.c, raw.c) --- */

TL_MUST_USE tl_err tl__v10_name(tl__batch *batch); /* each ask's uuid */
TL_MUST_USE tl_err tl__v10_begin(tl__ask *ask, tl_errctx *ctx);
TL_MUST_USE tl_err tl__v10_prepare(tl__ask *ask, tl_client_attempt *attempt, tl_errctx *ctx);
TL_MUST_USE tl_err tl__raw_prepare(tl__ask *ask, tl_client_attempt *attempt, tl_errctx *ctx);

static inline bool tl__is_v10(const tl_dendrite_query *query)
{
    return query->family->id == TL_AUTH_V10;
}

/* v10: is the answer a stream of chunks? */
static inline bool tl__is_stream(const tl_dendrite_query *query)
{
    return tl__is_v10(query) && query->synapse->def->is_streaming;
}

/* --- what came back (reply.c) --- */

/* The answer of a call becomes the reply: copied into the arena, mapped, parsed. */
TL_MUST_USE tl_err tl__reply_from_answer(tl__ask *ask, const tl_client_answer *answer,
                                         tl_errctx *ctx);

/* The same for an HTTP answer that is in the arena already. */
TL_MUST_USE tl_err tl__reply_from_http(tl__ask *ask, uint16_t status, tl_http_headers headers,
                                       tl_bytes body, tl_errctx *ctx);

/* --- the cache (cache.c) --- */

typedef struct tl__cached {
    tl_hash32 key;
    int64_t stored_ns; /* steady time */
    uint16_t status;
    uint32_t header_count;
    size_t body_len;
    size_t len; /* of all that follows: headers as length-prefixed pairs, then the body */
    uint8_t bytes[];
} tl__cached;

TL_MUST_USE tl_err tl__cache_new(tl__cache **out, uint32_t entries_max, tl_errctx *ctx);
void tl__cache_free(tl__cache *cache);

/* tl__cache_key: of one target and what is asked of it. */
TL_MUST_USE tl_err tl__cache_key(tl_hash32 *out, const tl__batch *batch,
                                 const tl_dendrite_target *target, tl_errctx *ctx);

/* The entry, at most age_ms old (INT64_MAX: any), or NULL. Valid until the next put. */
const tl__cached *tl__cache_get(const tl__cache *cache, const tl_hash32 *key, int64_t now_ns,
                                int64_t age_ms);

/* Keep a copy; the oldest go to make room. What does not fit is not kept: a cache is no promise. */
void tl__cache_put(tl__cache *cache, const tl_hash32 *key, int64_t now_ns, uint16_t status,
                   tl_http_headers headers, tl_bytes body);

/* tl__cache_answer: the reply from an entry. */
TL_MUST_USE tl_err tl__cache_answer(tl__ask *ask, const tl__cached *entry, bool is_stale,
                                    tl_errctx *ctx);

/* The fields of a message by which answers are compared, sorted keys (gather.c). */
void tl__put_canonical_fields(tl_sb *sb, const tl_synapse *synapse);

#endif
