/* The same counts in Redis: one script looks at every window, and counts only when all have room (WINDOWS-2). */
#include "app/windows/windows_internal.h"

/* KEYS: a hash a window, w its number, c its count. ARGV: count and length of each. Gives now, then count and end of each;
 * whoever reads it sees from the counts whether it was taken. */
static const char text[] = "local now = tonumber(redis.call('TIME')[1])\n"
                           "local out, taken = {now}, true\n"
                           "for i, key in ipairs(KEYS) do\n"
                           "  local most, len = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])\n"
                           "  local h = redis.call('HMGET', key, 'w', 'c')\n"
                           "  local w = math.floor(now / len)\n"
                           "  local c = tonumber(h[1]) == w and tonumber(h[2]) or 0\n"
                           "  if c >= most then taken = false end\n"
                           "  out[2 * i] = c\n"
                           "  out[2 * i + 1] = (w + 1) * len\n"
                           "end\n"
                           "for i, key in ipairs(KEYS) do\n"
                           "  if taken then\n"
                           "    local len = tonumber(ARGV[2 * i])\n"
                           "    redis.call('HSET', key, 'w', string.format('%d', math.floor(now / "
                           "len)), 'c', out[2 * i] + 1)\n"
                           "    redis.call('EXPIRE', key, out[2 * i + 1] - now + 1)\n"
                           "  end\n"
                           "end\n"
                           "return out\n";

enum {
    KEY_CAP = TL__WINDOWS_PREFIX_CAP + TL_WINDOWS_KEY_MAX + 2,
    FIGURE_CAP = 12,
    WORDS = 1 + 3 * TL_WINDOWS_ASK_MAX
};

void tl__windows_shared_init(tl_windows *windows)
{
    tl_redis_script_init(&windows->script, tl_str_from_cstr(text));
}

static tl_bytes figure(char out[FIGURE_CAP], uint32_t value)
{
    return (tl_bytes){(const uint8_t *)out, tl_str_print(out, FIGURE_CAP, "%u", value)};
}

static bool read_reply(tl__windows_count *out, int64_t *now_s, const tl_redis_reply *reply,
                       size_t count)
{
    if (reply->kind != TL_REDIS_ARRAY || reply->count != 1 + 2 * count) {
        return false;
    }
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->items[i].kind != TL_REDIS_INTEGER || reply->items[i].integer < 0) {
            return false;
        }
    }
    *now_s = reply->items[0].integer;
    for (size_t i = 0; i < count; i++) {
        const int64_t taken = reply->items[1 + 2 * i].integer;
        out[i].count = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
        out[i].end_s = reply->items[2 + 2 * i].integer;
    }
    return true;
}

bool tl__windows_shared(tl_windows *windows, tl__windows_count *out, int64_t *now_s,
                        const tl_windows_ask *asks, size_t count)
{
    char keys[TL_WINDOWS_ASK_MAX][KEY_CAP];
    char figures[2 * TL_WINDOWS_ASK_MAX][FIGURE_CAP];
    char keys_count[FIGURE_CAP];
    tl_bytes words[WORDS];
    size_t n = 0;
    words[n++] = figure(keys_count, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const tl_str key = tl_str_slice(asks[i].key, 0, TL_WINDOWS_KEY_MAX);
        const size_t len =
            tl_str_print(keys[i], KEY_CAP, "%s:%.*s", windows->prefix, TL_STR_ARG(key));
        words[n++] = (tl_bytes){(const uint8_t *)keys[i], len};
    }
    for (size_t i = 0; i < count; i++) {
        words[n++] = figure(figures[2 * i], asks[i].count);
        words[n++] = figure(figures[2 * i + 1], asks[i].window_s);
    }
    const tl_redis_command run = {words, n};
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return false;
    }
    tl_redis_reply reply;
    const bool is_answered =
        tl_redis_run(windows->redis, &reply, arena, &windows->script, &run, 1, NULL) == TL_OK &&
        read_reply(out, now_s, &reply, count);
    tl_arena_free(arena);
    return is_answered;
}
