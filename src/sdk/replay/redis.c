/* The store in Redis: one key a mark, which Redis itself lets go when nobody can replay it any more. */
#include "sdk/replay/replay_internal.h"

#include <string.h>

#include "core/codec/hex/hex.h"

/* Axons that share a store have clocks that differ: a mark is kept that much longer. */
#define SLACK_MS 30000

/* Nonces as 16 hex digits of nonce + 2^63: in the order of the numbers, whatever Lua's doubles hold. */
static const char rising_text[] = "local last = redis.call('GET', KEYS[1])\n"
                                  "if last and ARGV[1] <= last then return 0 end\n"
                                  "local ttl = redis.call('PTTL', KEYS[1])\n"
                                  "if ttl < tonumber(ARGV[2]) then ttl = tonumber(ARGV[2]) end\n"
                                  "redis.call('SET', KEYS[1], ARGV[1], 'PX', ttl)\n"
                                  "return 1\n";

enum { KEY_CAP = 256, WORDS_MAX = 6, BATCH_MAX = 256 };

/* The texts of one command; words look into them. */
typedef struct order {
    char key[KEY_CAP];
    char nonce[17];
    char ttl_ms[24];
    tl_bytes words[WORDS_MAX];
    size_t count;
} order;

static tl_bytes bytes_of(const char *text)
{
    return tl_str_bytes(tl_str_from_cstr(text));
}

static void put_key(char out[KEY_CAP], const tl__replay_redis *r, const tl_auth_mark *mark)
{
    static const uint8_t no_secret[16] = {0}; /* all axons must find the same key */
    static const char *const rules[] = {
        [TL_AUTH_RISING] = "rising", [TL_AUTH_ONCE_NONCE] = "nonce", [TL_AUTH_ONCE_UUID] = "uuid"};
    tl_hash32 hash;
    char hex[65];
    tl__replay_hash(&hash, no_secret, mark);
    tl_hex_write(hex, hash.b, sizeof hash.b);
    tl_str_print(out, KEY_CAP, "%s:%s:%s", r->prefix, rules[mark->rule], hex);
}

static void put_nonce(char out[17], int64_t nonce)
{
    const uint64_t biased = (uint64_t)nonce ^ UINT64_C(1) << 63;
    tl_str_print(out, 17, "%016llx", (unsigned long long)biased);
}

static void fill(order *o, const tl__replay_redis *r, const tl_auth_mark *mark, int64_t now_ns)
{
    put_key(o->key, r, mark);
    put_nonce(o->nonce, mark->nonce);
    const int64_t ttl_ms = (mark->keep_until_ns - now_ns) / 1000000 + SLACK_MS;
    tl_str_print(o->ttl_ms, sizeof o->ttl_ms, "%lld", (long long)ttl_ms);
    if (mark->rule == TL_AUTH_RISING) {
        const char *words[] = {"1", o->key, o->nonce, o->ttl_ms};
        o->count = sizeof words / sizeof words[0];
        for (size_t i = 0; i < o->count; i++) {
            o->words[i] = bytes_of(words[i]);
        }
        return;
    }
    const char *words[] = {"SET", o->key, "1", "NX", "PX", o->ttl_ms};
    o->count = sizeof words / sizeof words[0];
    for (size_t i = 0; i < o->count; i++) {
        o->words[i] = bytes_of(words[i]);
    }
}

static tl_replay_answer answer_of(const tl_redis_reply *reply)
{
    switch (reply->kind) {
    case TL_REDIS_NIL:
        return TL_REPLAY_SEEN;
    case TL_REDIS_INTEGER:
        return reply->integer == 1 ? TL_REPLAY_FRESH : TL_REPLAY_SEEN;
    case TL_REDIS_TEXT:
        return tl_str_eq_cstr(reply->text, "OK") ? TL_REPLAY_FRESH : TL_REPLAY_DOWN;
    case TL_REDIS_ERROR: /* out of memory among them: REPLAY-3 */
    case TL_REDIS_ARRAY:
        break;
    }
    return TL_REPLAY_DOWN;
}

/* The marks of one kind, rising or not, in one round trip. */
static void keep_kind(tl__replay_redis *r, tl_replay_answer *out, const tl_auth_mark *const *marks,
                      size_t count, int64_t now_ns, bool is_rising, tl_arena *arena)
{
    order *orders = TL_NEW(arena, order, count);
    tl_redis_command *commands = TL_NEW(arena, tl_redis_command, count);
    tl_redis_reply *replies = TL_NEW(arena, tl_redis_reply, count);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if ((marks[i]->rule == TL_AUTH_RISING) != is_rising) {
            continue;
        }
        out[i] = TL_REPLAY_DOWN; /* REPLAY-3: out of reach refuses */
        if (orders == NULL || commands == NULL || replies == NULL) {
            continue;
        }
        if (marks[i]->keep_until_ns < now_ns) {
            out[i] = TL_REPLAY_SEEN;
            continue;
        }
        fill(&orders[n], r, marks[i], now_ns);
        commands[n] = (tl_redis_command){orders[n].words, orders[n].count};
        n++;
    }
    if (n == 0) {
        return;
    }
    const tl_err err = is_rising
                           ? tl_redis_run(r->redis, replies, arena, &r->rising, commands, n, NULL)
                           : tl_redis_call(r->redis, replies, arena, commands, n, NULL);
    n = 0;
    for (size_t i = 0; i < count && err == TL_OK; i++) {
        if ((marks[i]->rule == TL_AUTH_RISING) == is_rising && out[i] == TL_REPLAY_DOWN) {
            out[i] = answer_of(&replies[n++]);
        }
    }
}

void tl__replay_redis_keep(tl__replay_redis *r, tl_replay_answer *out,
                           const tl_auth_mark *const *marks, size_t count, int64_t now_ns)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = TL_REPLAY_DOWN;
    }
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return;
    }
    for (size_t from = 0; from < count; from += BATCH_MAX) {
        const size_t n = count - from < BATCH_MAX ? count - from : BATCH_MAX;
        const tl_arena_mark before = tl_arena_get_mark(arena);
        keep_kind(r, out + from, marks + from, n, now_ns, false, arena);
        keep_kind(r, out + from, marks + from, n, now_ns, true, arena);
        tl_arena_rewind(arena, before);
    }
    tl_arena_free(arena);
}

bool tl__replay_redis_last(tl__replay_redis *r, const tl_auth_mark *mark, int64_t *nonce)
{
    char key[KEY_CAP];
    put_key(key, r, mark);
    const tl_bytes words[] = {bytes_of("GET"), bytes_of(key)};
    const tl_redis_command get = {words, 2};
    tl_redis_reply reply;
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return false; /* what is not known here is found out when the mark is kept */
    }
    uint8_t biased[8];
    const bool is_known = tl_redis_call(r->redis, &reply, arena, &get, 1, NULL) == TL_OK &&
                          reply.kind == TL_REDIS_TEXT &&
                          tl_hex_decode(biased, sizeof biased, reply.text, NULL) == TL_OK;
    if (is_known) {
        uint64_t value = 0;
        for (size_t i = 0; i < sizeof biased; i++) {
            value = value << 8 | biased[i];
        }
        *nonce = (int64_t)(value ^ UINT64_C(1) << 63);
    }
    tl_arena_free(arena);
    return is_known;
}

tl_err tl_replay_open_redis(tl_replay **out, tl_redis *redis, tl_str prefix,
                            const tl_replay_options *options, tl_errctx *ctx)
{
    tl_replay_options o;
    TL_TRY(tl__replay_check_options(&o, options, ctx));
    tl_replay *store;
    if (prefix.len == 0 || prefix.len >= sizeof store->shared.prefix - 1) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "prefix", "not 1 to %zu bytes",
                             sizeof store->shared.prefix - 2);
    }
    TL_TRY(tl__replay_new(&store, ctx));
    store->shared.redis = redis;
    tl_str_print(store->shared.prefix, sizeof store->shared.prefix, "%.*s", TL_STR_ARG(prefix));
    tl_redis_script_init(&store->shared.rising, tl_str_from_cstr(rising_text));
    *out = store;
    return TL_OK;
}
