/* The same buckets in Redis: one atomic script a take, on Redis's own clock, which all who share a limit see. */
#include "io/net/limit/limit_internal.h"

#include <string.h>

#include "core/codec/hex/hex.h"

/* ARGV: tokens a millisecond, burst, penalty, longest penalty, forgotten after (all times in ms), 1 to look only.
 * The hash has t tokens, a when they were right, u end of the last penalty, p its length. */
static const char text[] =
    "local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
    "local penalty, longest = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
    "local forget, peek = tonumber(ARGV[5]), ARGV[6] == '1'\n"
    "local clock = redis.call('TIME')\n"
    "local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)\n"
    "local h = redis.call('HMGET', KEYS[1], 't', 'a', 'u', 'p')\n"
    "local tokens, at = tonumber(h[1]) or burst, tonumber(h[2]) or now\n"
    "local over, last = tonumber(h[3]) or 0, tonumber(h[4]) or 0\n"
    "if over - now > last then over = now + last end\n"
    "if over > now then return over - now end\n"
    "if peek then return 0 end\n"
    "tokens = math.min(burst, tokens + math.max(0, now - at) * rate)\n"
    "local wait = 0\n"
    "if tokens >= 1 then tokens = tokens - 1\n"
    "elseif penalty > 0 then\n"
    "  if over == 0 or now - over > forget then last = penalty else last = last * 2 end\n"
    "  last = math.min(last, longest)\n"
    "  over = now + last\n"
    "  wait = last\n"
    "else wait = math.max(1, math.ceil((1 - tokens) / rate)) end\n"
    "redis.call('HSET', KEYS[1], 't', string.format('%.9f', tokens), 'a', now, 'u', over, 'p', "
    "last)\n"
    "local keep = math.ceil((burst - tokens) / rate)\n"
    "if over > 0 then keep = math.max(keep, over - now + forget) end\n"
    "redis.call('PEXPIRE', KEYS[1], math.max(1000, keep))\n"
    "return wait\n";

enum { KEY_CAP = 384, FIGURE_CAP = 40, WORDS = 8 };

void tl__limit_shared_init(tl_limit *limit, tl_redis *redis, tl_str prefix)
{
    limit->redis = redis;
    tl_str_print(limit->prefix, sizeof limit->prefix, "%.*s", TL_STR_ARG(prefix));
    tl_redis_script_init(&limit->script, tl_str_from_cstr(text));
}

/* A figure of the rules as decimal text with twelve places. */
static tl_bytes figure(char out[FIGURE_CAP], double value)
{
    const uint64_t whole = (uint64_t)value;
    const uint64_t places = (uint64_t)((value - (double)whole) * 1e12 + 0.5);
    const size_t len = places >= UINT64_C(1000000000000)
                           ? tl_str_print(out, FIGURE_CAP, "%llu", (unsigned long long)whole + 1)
                           : tl_str_print(out, FIGURE_CAP, "%llu.%012llu",
                                          (unsigned long long)whole, (unsigned long long)places);
    return (tl_bytes){(const uint8_t *)out, len};
}

static tl_bytes word(const char *of)
{
    return tl_str_bytes(tl_str_from_cstr(of));
}

bool tl__limit_shared(tl_limit *limit, tl_bytes key, bool is_peek, uint32_t *wait_ms)
{
    char name[KEY_CAP];
    char hex[2 * TL__LIMIT_KEY_MAX + 1];
    char figures[5][FIGURE_CAP];
    const tl_limit_rules *r = &limit->rules;
    tl_hex_write(hex, key.ptr, key.len);
    tl_str_print(name, sizeof name, "%s:%s", limit->prefix, hex);
    const tl_bytes words[WORDS] = {word("1"),
                                   word(name),
                                   figure(figures[0], r->rate_per_s / 1000.0),
                                   figure(figures[1], r->burst),
                                   figure(figures[2], r->penalty_s * 1000.0),
                                   figure(figures[3], r->penalty_max_s * 1000.0),
                                   figure(figures[4], r->forget_s * 1000.0),
                                   word(is_peek ? "1" : "0")};
    const tl_redis_command run = {words, WORDS};
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return false;
    }
    tl_redis_reply reply;
    const bool is_answered =
        tl_redis_run(limit->redis, &reply, arena, &limit->script, &run, 1, NULL) == TL_OK &&
        reply.kind == TL_REDIS_INTEGER && reply.integer >= 0;
    if (is_answered) {
        *wait_ms = reply.integer > UINT32_MAX ? UINT32_MAX : (uint32_t)reply.integer;
    }
    tl_arena_free(arena);
    return is_answered;
}
