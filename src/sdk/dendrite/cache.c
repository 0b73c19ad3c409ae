/* Good answers, kept for a while: sets of eight places, the oldest of a set goes first.
 *
 *      key = SHA-256( family ‖ host ‖ port ‖ hotkey ‖ what is asked )       set = key mod set_count
 *
 * Without a list to keep in order, a look-up and a put cost eight comparisons whatever the size. */
#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "sdk/dendrite/dendrite_internal.h"

enum { WAYS = 8 };

struct tl__cache {
    size_t set_count;
    size_t len;      /* bytes of all entries */
    tl__cached **at; /* set_count * WAYS */
};

tl_err tl__cache_new(tl__cache **out, uint32_t entries_max, tl_errctx *ctx)
{
    tl__cache *c = (tl__cache *)calloc(1, sizeof *c);
    if (c != NULL) {
        c->set_count = (entries_max + WAYS - 1) / WAYS;
        c->at = (tl__cached **)calloc(c->set_count * WAYS, sizeof *c->at);
    }
    if (c == NULL || c->at == NULL) {
        free(c);
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a cache of %u answers", entries_max);
    }
    *out = c;
    return TL_OK;
}

void tl__cache_free(tl__cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->set_count * WAYS; i++) {
        free(cache->at[i]);
    }
    free(cache->at);
    free(cache);
}

/* --- the key --- */

/* With its length before it, so that no two lists of parts are one text. */
static void hash_part(tl_sha256_state *state, const void *bytes, size_t len)
{
    const uint64_t n = len;
    uint8_t le[8];
    for (unsigned i = 0; i < 8; i++) {
        le[i] = (uint8_t)(n >> (8 * i));
    }
    tl_sha256_update(state, le, sizeof le);
    tl_sha256_update(state, bytes, len);
}

static void hash_str(tl_sha256_state *state, tl_str s)
{
    hash_part(state, s.ptr, s.len);
}

tl_err tl__cache_key(tl_hash32 *out, const tl__batch *batch, const tl_dendrite_target *target,
                     tl_errctx *ctx)
{
    const tl_dendrite_query *q = batch->query;
    const uint8_t place[3] = {(uint8_t)(target->port >> 8), (uint8_t)target->port,
                              target->is_tls ? 1 : 0};
    tl_sha256_state state;
    tl_sha256_init(&state);
    hash_str(&state, q->family->name);
    hash_str(&state, target->host);
    hash_part(&state, place, sizeof place);
    hash_str(&state, target->hotkey);
    hash_str(&state, batch->path);
    if (tl__is_v10(q)) {
        tl_sb sb;
        tl_str fields = {NULL, 0};
        tl_sb_init(&sb, batch->arena);
        tl__put_canonical_fields(&sb, q->synapse);
        TL_TRY(tl_sb_finish(&fields, &sb, ctx));
        hash_str(&state, fields);
    } else {
        hash_str(&state, q->method);
        for (size_t i = 0; i < q->headers.count; i++) {
            hash_str(&state, q->headers.at[i].name);
            hash_str(&state, q->headers.at[i].value);
        }
        hash_part(&state, q->body.ptr, q->body.len);
    }
    tl_sha256_final(&state, out);
    return TL_OK;
}

/* --- entries --- */

static tl__cached **set_of(const tl__cache *cache, const tl_hash32 *key)
{
    uint64_t n = 0;
    memcpy(&n, key->b, sizeof n);
    return &cache->at[n % cache->set_count * WAYS];
}

const tl__cached *tl__cache_get(const tl__cache *cache, const tl_hash32 *key, int64_t now_ns,
                                int64_t age_ms)
{
    tl__cached *const *set = set_of(cache, key);
    for (unsigned i = 0; i < WAYS; i++) {
        const tl__cached *e = set[i];
        if (e != NULL && tl_hash32_cmp(&e->key, key) == 0) {
            return (now_ns - e->stored_ns) / 1000000 < age_ms ? e : NULL;
        }
    }
    return NULL;
}

static void drop(tl__cache *cache, tl__cached **place)
{
    if (*place != NULL) {
        cache->len -= sizeof **place + (*place)->len;
        free(*place);
        *place = NULL;
    }
}

/* The key's own place, else a free one, else the oldest. */
static tl__cached **find_place(tl__cache *cache, const tl_hash32 *key)
{
    tl__cached **set = set_of(cache, key);
    tl__cached **best = &set[0];
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] != NULL && tl_hash32_cmp(&set[i]->key, key) == 0) {
            return &set[i];
        }
        if (*best != NULL && (set[i] == NULL || set[i]->stored_ns < (*best)->stored_ns)) {
            best = &set[i];
        }
    }
    return best;
}

static void drop_oldest(tl__cache *cache)
{
    tl__cached **oldest = NULL;
    for (size_t i = 0; i < cache->set_count * WAYS; i++) {
        tl__cached **at = &cache->at[i];
        if (*at != NULL && (oldest == NULL || (*at)->stored_ns < (*oldest)->stored_ns)) {
            oldest = at;
        }
    }
    TL_ASSERT(oldest != NULL);
    drop(cache, oldest);
}

static uint8_t *put_part(uint8_t *at, tl_str s)
{
    const uint64_t len = s.len;
    memcpy(at, &len, sizeof len);
    if (len > 0) {
        memcpy(at + sizeof len, s.ptr, s.len);
    }
    return at + sizeof len + s.len;
}

static const uint8_t *take_part(tl_str *out, const uint8_t *at)
{
    uint64_t len = 0;
    memcpy(&len, at, sizeof len);
    *out = (tl_str){(const char *)at + sizeof len, len};
    return at + sizeof len + len;
}

void tl__cache_put(tl__cache *cache, const tl_hash32 *key, int64_t now_ns, uint16_t status,
                   tl_http_headers headers, tl_bytes body)
{
    size_t len = body.len;
    for (size_t i = 0; i < headers.count; i++) {
        len += 2 * sizeof(uint64_t) + headers.at[i].name.len + headers.at[i].value.len;
    }
    if (len > TL_DENDRITE_CACHE_LEN / 4) {
        return;
    }
    tl__cached *e = (tl__cached *)malloc(sizeof *e + len);
    if (e == NULL) {
        return;
    }
    *e = (tl__cached){*key, now_ns, status, (uint32_t)headers.count, body.len, len};
    uint8_t *at = e->bytes;
    for (size_t i = 0; i < headers.count; i++) {
        at = put_part(at, headers.at[i].name);
        at = put_part(at, headers.at[i].value);
    }
    if (body.len > 0) {
        memcpy(at, body.ptr, body.len);
    }
    drop(cache, find_place(cache, key));
    while (cache->len + sizeof *e + len > TL_DENDRITE_CACHE_LEN) {
        drop_oldest(cache);
    }
    *find_place(cache, key) = e;
    cache->len += sizeof *e + len;
}

tl_err tl__cache_answer(tl__ask *ask, const tl__cached *entry, bool is_stale, tl_errctx *ctx)
{
    tl_arena *arena = ask->batch->arena;
    uint8_t *bytes = TL_NEW(arena, uint8_t, entry->len);
    tl_http_header *headers = TL_NEW(arena, tl_http_header, entry->header_count);
    if (bytes == NULL || headers == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(bytes, entry->bytes, entry->len);
    const uint8_t *at = bytes;
    for (uint32_t i = 0; i < entry->header_count; i++) {
        at = take_part(&headers[i].name, at);
        at = take_part(&headers[i].value, at);
    }
    ask->reply->is_from_cache = true;
    ask->reply->is_stale = is_stale;
    return tl__reply_from_http(ask, entry->status, (tl_http_headers){headers, entry->header_count},
                               (tl_bytes){at, entry->body_len}, ctx);
}
